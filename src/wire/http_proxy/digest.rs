//! Digest access authentication (RFC 7616), and Basic (RFC 7617): the values of Proxy-Authorization, made and checked.
//!
//! | `algorithm` | session | `qop` | response |
//! |---|---|---|---|
//! | none, `MD5`, `SHA-256` | A1 = user:realm:password | none (RFC 2617) | H(H(A1):nonce:H(A2)) |
//! | `MD5-sess`, `SHA-256-sess` | A1 = H(user:realm:password):nonce:cnonce | `auth` | H(H(A1):nonce:nc:cnonce:auth:H(A2)) |
//!
//! A2 = method:uri. `auth-int` is not done: nobody offers it alone. Both sides are computed by [`Question::response`].

use std::fmt::{self, Write};

use md5::Md5;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::challenge::{Challenge, quoted};
use crate::limits;
use crate::wire::sasl;

/// A hash, and whether the session's first nonces are mixed in. Ordered by strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// What RFC 2617 has where nothing is said.
    Md5,
    /// MD5-sess
    Md5Session,
    /// SHA-256
    Sha256,
    /// SHA-256-sess
    Sha256Session,
}

impl Algorithm {
    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Session => "MD5-sess",
            Self::Sha256 => "SHA-256",
            Self::Sha256Session => "SHA-256-sess",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [
            Self::Md5,
            Self::Md5Session,
            Self::Sha256,
            Self::Sha256Session,
        ]
        .into_iter()
        .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// In lowercase hexadecimal.
    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 | Self::Md5Session => hex(&Md5::digest(text)),
            Self::Sha256 | Self::Sha256Session => hex(&Sha256::digest(text)),
        }
    }
}

/// What a response vouches for (`qop`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// RFC 2617 as it was before: no count, no nonce of the client.
    Legacy,
    /// `auth`
    Auth,
}

/// A `Digest` challenge that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestChallenge {
    /// What the password is for.
    pub realm: String,
    /// The server's.
    pub nonce: String,
    /// To be handed back as it came.
    pub opaque: Option<String>,
    /// `None` where none was named: then it is MD5, and is not named in the answer either.
    pub algorithm: Option<Algorithm>,
    /// How.
    pub protection: Protection,
    /// Whether the last answer was right but for its nonce.
    pub stale: bool,
}

impl DigestChallenge {
    /// `None` where it is not Digest, has no nonce, or wants an algorithm or a protection that is not known here.
    pub fn read(challenge: &Challenge) -> Option<Self> {
        if !challenge.is("digest") {
            return None;
        }
        let algorithm = match challenge.parameter("algorithm") {
            Some(name) => Some(Algorithm::parse(name)?),
            None => None,
        };
        let protection = match challenge.parameter("qop") {
            None => Protection::Legacy,
            Some(offered) if offers_auth(offered) => Protection::Auth,
            Some(_) => return None,
        };
        let text = |name| challenge.parameter(name).map(str::to_owned);
        Some(Self {
            realm: text("realm").unwrap_or_default(),
            nonce: text("nonce")?,
            opaque: text("opaque"),
            algorithm,
            protection,
            stale: challenge
                .parameter("stale")
                .is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    /// What is to be computed for one request; the `count`th with this nonce, from 1 on.
    pub fn question<'a>(
        &'a self,
        method: &'a str,
        uri: &'a str,
        count: u32,
        client_nonce: &'a str,
    ) -> Question<'a> {
        Question {
            algorithm: self.algorithm.unwrap_or(Algorithm::Md5),
            protection: self.protection,
            realm: &self.realm,
            nonce: &self.nonce,
            client_nonce,
            count: format!("{count:08x}"),
            method,
            uri,
        }
    }

    /// The value of Proxy-Authorization (RFC 7616 §3.4).
    pub fn answer(&self, question: &Question<'_>, user: &str, password: &str) -> String {
        let response = question.response(user, password);
        let mut value = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\"",
            quoted(user),
            quoted(&self.realm),
            quoted(&self.nonce),
            quoted(question.uri),
        );
        // Writing to a String cannot fail.
        if let Some(algorithm) = self.algorithm {
            let _ = write!(value, ", algorithm={}", algorithm.name());
        }
        if self.protection == Protection::Auth {
            let _ = write!(value, ", qop=auth, nc={}", question.count);
        }
        if self.protection == Protection::Auth || question.algorithm.is_session() {
            let _ = write!(value, ", cnonce={}", quoted(question.client_nonce));
        }
        if let Some(opaque) = &self.opaque {
            let _ = write!(value, ", opaque={}", quoted(opaque));
        }
        value
    }
}

impl Algorithm {
    const fn is_session(self) -> bool {
        matches!(self, Self::Md5Session | Self::Sha256Session)
    }
}

/// All that a response is computed from, but the user and the password.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// With which hash.
    pub algorithm: Algorithm,
    /// How.
    pub protection: Protection,
    /// What the password is for.
    pub realm: &'a str,
    /// The server's.
    pub nonce: &'a str,
    /// The client's.
    pub client_nonce: &'a str,
    /// `nc`, in eight hexadecimal digits.
    pub count: String,
    /// `CONNECT`, `GET` ...
    pub method: &'a str,
    /// The request's target.
    pub uri: &'a str,
}

impl Question<'_> {
    /// RFC 7616 §3.4.1, in lowercase hexadecimal.
    ///
    /// ```
    /// use mailtool::wire::http_proxy::{Algorithm, Protection, Question};
    ///
    /// // RFC 2617 §3.5
    /// let question = Question {
    ///     algorithm: Algorithm::Md5,
    ///     protection: Protection::Auth,
    ///     realm: "testrealm@host.com",
    ///     nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
    ///     client_nonce: "0a4f113b",
    ///     count: "00000001".to_owned(),
    ///     method: "GET",
    ///     uri: "/dir/index.html",
    /// };
    /// assert_eq!(question.response("Mufasa", "Circle Of Life"), "6629fae49393a05397450978507c4ef1");
    /// ```
    pub fn response(&self, user: &str, password: &str) -> String {
        let hash = |text: String| self.algorithm.hash(&text);
        let mut first = hash(format!("{user}:{}:{password}", self.realm));
        if self.algorithm.is_session() {
            first = hash(format!("{first}:{}:{}", self.nonce, self.client_nonce));
        }
        let second = hash(format!("{}:{}", self.method, self.uri));
        hash(match self.protection {
            Protection::Legacy => format!("{first}:{}:{second}", self.nonce),
            Protection::Auth => format!(
                "{first}:{}:{}:{}:auth:{second}",
                self.nonce, self.count, self.client_nonce
            ),
        })
    }
}

/// What a client sent as Proxy-Authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials(Challenge);

impl Credentials {
    /// `None` unless it is one scheme with what belongs to it.
    pub fn parse(value: &[u8]) -> Option<Self> {
        match <[Challenge; 1]>::try_from(super::challenges(value)) {
            Ok([challenge]) => Some(Self(challenge)),
            Err(_) => None,
        }
    }

    /// Basic, for a user and a password. RFC 7617 §2: the user has no colon.
    pub fn basic(user: &str, password: &str) -> String {
        format!(
            "Basic {}",
            sasl::encode(format!("{user}:{password}").as_bytes())
        )
    }

    /// Whether it is Basic with this user and password.
    ///
    /// ```
    /// use mailtool::wire::http_proxy::Credentials;
    ///
    /// let sent = Credentials::basic("alice", "secret");
    /// let sent = Credentials::parse(sent.as_bytes()).unwrap();
    /// assert!(sent.is_basic_of("alice", "secret") && !sent.is_basic_of("alice", "Secret"));
    /// ```
    pub fn is_basic_of(&self, user: &str, password: &str) -> bool {
        let token = self.0.token68.as_deref().unwrap_or_default();
        let Ok(sent) = sasl::decode(token.as_bytes()) else {
            return false;
        };
        let expected = format!("{user}:{password}");
        self.0.is("basic") && bool::from(sent.ct_eq(expected.as_bytes()))
    }

    /// The nonce that Digest credentials answer to.
    pub fn nonce(&self) -> Option<&str> {
        self.0.parameter("nonce").filter(|_| self.0.is("digest"))
    }

    /// Whether they are Digest credentials of this user and password for a request by one of the names that its target has,
    /// with whatever nonce they name, which the caller checks.
    pub fn is_digest_of(
        &self,
        user: &str,
        password: &str,
        realm: &str,
        method: &str,
        targets: &[&str],
    ) -> bool {
        let text = |name| self.0.parameter(name).unwrap_or_default();
        let algorithm = match self.0.parameter("algorithm") {
            Some(name) => Algorithm::parse(name),
            None => Some(Algorithm::Md5),
        };
        let protection = match self.0.parameter("qop") {
            Some(qop) if qop.eq_ignore_ascii_case("auth") => Some(Protection::Auth),
            Some(_) => None,
            None => Some(Protection::Legacy),
        };
        let (Some(nonce), Some(algorithm), Some(protection)) =
            (self.nonce(), algorithm, protection)
        else {
            return false;
        };
        let question = Question {
            algorithm,
            protection,
            realm,
            nonce,
            client_nonce: text("cnonce"),
            count: text("nc").to_owned(),
            method,
            uri: text("uri"),
        };
        let expected = question.response(user, password);
        let is_for_this =
            text("username") == user && text("realm") == realm && targets.contains(&question.uri);
        is_for_this
            && bool::from(
                expected
                    .as_bytes()
                    .ct_eq(text("response").to_ascii_lowercase().as_bytes()),
            )
    }
}

/// Nonces that a server makes and knows again without keeping any: a time, and a hash of it with a secret (RFC 7616 §3.3).
#[derive(Clone)]
pub struct Nonces {
    /// Random, and the same for all connections of one server.
    secret: [u8; 16],
    /// Seconds since any moment, the same for all connections.
    now: u64,
}

impl Nonces {
    /// At a moment, in seconds since any other that stays the same.
    pub const fn new(secret: [u8; 16], now: u64) -> Self {
        Self { secret, now }
    }

    /// A new one.
    pub fn fresh(&self) -> String {
        self.made_at(self.now)
    }

    /// Whether it was made with this secret, and is not older than [`limits::PROXY_NONCE`].
    ///
    /// ```
    /// use mailtool::wire::http_proxy::Nonces;
    ///
    /// let nonce = Nonces::new([7; 16], 1000).fresh();
    /// assert!(Nonces::new([7; 16], 1300).is_fresh(&nonce));
    /// assert!(!Nonces::new([7; 16], 1301).is_fresh(&nonce));
    /// assert!(!Nonces::new([8; 16], 1000).is_fresh(&nonce));
    /// ```
    pub fn is_fresh(&self, nonce: &str) -> bool {
        let time = nonce
            .get(..16)
            .and_then(|time| u64::from_str_radix(time, 16).ok());
        let Some(time) = time else {
            return false;
        };
        let age = self.now.checked_sub(time);
        let is_young = age.is_some_and(|age| age <= limits::PROXY_NONCE.as_secs());
        is_young && bool::from(self.made_at(time).as_bytes().ct_eq(nonce.as_bytes()))
    }

    fn made_at(&self, time: u64) -> String {
        let hash = Sha256::new()
            .chain_update(self.secret)
            .chain_update(time.to_be_bytes())
            .finalize();
        format!("{time:016x}{}", hex(&hash[..16]))
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Nonces(********, {})", self.now)
    }
}

fn offers_auth(offered: &str) -> bool {
    offered
        .split(',')
        .any(|one| one.trim().eq_ignore_ascii_case("auth"))
}

/// In lowercase hexadecimal.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::super::challenges;
    use super::*;

    const MUFASA: (&str, &str) = ("Mufasa", "Circle of Life");

    fn answer(challenge: &str, method: &str, uri: &str, client_nonce: &str) -> String {
        let challenge = DigestChallenge::read(&challenges(challenge.as_bytes())[0]).expect("known");
        let question = challenge.question(method, uri, 1, client_nonce);
        challenge.answer(&question, MUFASA.0, MUFASA.1)
    }

    /// RFC 7616 §3.9.1.
    #[test]
    fn the_examples_of_the_rfc_come_out() {
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            (
                "SHA-256",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ] {
            let challenge = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            let client_nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            let answer = answer(&challenge, "GET", "/dir/index.html", client_nonce);
            assert_eq!(
                answer,
                format!(
                    "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", \
                     nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", \
                     response=\"{response}\", algorithm={algorithm}, qop=auth, nc=00000001, \
                     cnonce=\"{client_nonce}\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
                )
            );
        }
    }

    #[test]
    fn what_was_not_named_is_not_named_back() {
        let answer = answer("Digest realm=r, nonce=n", "CONNECT", "mail:25", "c");
        assert!(
            !answer.contains("qop") && !answer.contains("cnonce"),
            "{answer}"
        );
        assert!(
            !answer.contains("algorithm") && !answer.contains("opaque"),
            "{answer}"
        );
    }

    #[test]
    fn what_one_side_makes_the_other_takes() {
        for algorithm in [
            "",
            ", algorithm=md5-SESS",
            ", algorithm=SHA-256",
            ", algorithm=SHA-256-sess",
        ] {
            for qop in ["", ", qop=auth", ", qop=\"auth-int,AUTH\""] {
                let challenge =
                    format!("Digest realm=\"the \\\"lab\\\"\", nonce=\"n,1\"{algorithm}{qop}");
                let sent = answer(&challenge, "CONNECT", "mail:25", "c");
                let sent = Credentials::parse(sent.as_bytes()).expect("credentials");
                let is_of = |user, password, method, uri| {
                    sent.is_digest_of(user, password, "the \"lab\"", method, &["/", uri])
                };
                let (user, password) = MUFASA;
                assert!(is_of(user, password, "CONNECT", "mail:25"), "{sent:?}");
                assert!(!is_of(user, "Circle", "CONNECT", "mail:25"));
                assert!(!is_of("Scar", password, "CONNECT", "mail:25"));
                assert!(!is_of(user, password, "GET", "mail:25"));
                assert!(!is_of(user, password, "CONNECT", "mail:26"));
                assert!(!sent.is_basic_of(user, password));
                assert_eq!(sent.nonce(), Some("n,1"));
            }
        }
    }

    #[test]
    fn what_cannot_be_answered_is_no_challenge() {
        for value in [
            "Basic realm=x",
            "Digest realm=x",
            "Digest realm=x, nonce=n, algorithm=SHA-512-256",
            "Digest realm=x, nonce=n, qop=auth-int",
        ] {
            assert_eq!(
                DigestChallenge::read(&challenges(value.as_bytes())[0]),
                None,
                "{value}"
            );
        }
    }
}
