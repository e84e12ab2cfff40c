//! The client's side of SASL, in the base64 that SMTP (RFC 4954 §4) carries it in: the strongest mechanism that the server offers, one
//! challenge after the other.
//!
//! | mechanism | first | challenge | answer |
//! |---|---|---|---|
//! | SCRAM-SHA-256, SCRAM-SHA-1 (RFC 5802, RFC 7677) | `n,,n=user,r=nonce` | `r=,s=,i=` | the proof |
//! | SCRAM-SHA-256-PLUS | `p=tls-server-end-point,,n=...` | the same | the same, bound to the certificate (RFC 5929 §4) |
//! | | | `v=` the server's own proof, which is checked | empty |
//! | CRAM-MD5 (RFC 2195) | | a text | user and HMAC |
//! | PLAIN (RFC 4616) | `NUL user NUL password` | | |
//! | LOGIN | | `Username:` | the name |
//! | | | `Password:` | the password |
//! | EXTERNAL (RFC 4422, appendix A) | as whom, or nothing | | |
//! | OAUTHBEARER, XOAUTH2 (RFC 7628) | name and token | why it is refused | that this was understood |
//!
//! SCRAM and CRAM-MD5 never show the password to who listens, or to a server that does not know it.

use std::fmt;
use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use ring::{digest, hmac, pbkdf2};

use super::sasl::{encode, plain_response};
use super::saslprep;
use crate::limits;

/// A mechanism that a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// RFC 7677
    ScramSha256,
    /// The same, bound to the TLS that it comes over. Only where it is asked for by name, and [`Exchange::bound`].
    ScramSha256Plus,
    /// RFC 5802
    ScramSha1,
    /// RFC 2195
    CramMd5,
    /// RFC 4616
    Plain,
    /// draft-murchison-sasl-login-00
    Login,
    /// RFC 7628, with a token in place of the password. Only where it is asked for by name.
    OAuthBearer,
    /// Google's, before RFC 7628; likewise.
    XOAuth2,
    /// RFC 4422, appendix A: the server knows from TLS who we are. Likewise.
    External,
}

/// Who may hear what is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// Nobody but the server, or that is accepted: passwords may be sent.
    Private,
    /// Anybody.
    Public,
}

impl Mechanism {
    /// Those that a password is enough for, the better first.
    pub const ALL: [Self; 5] = [
        Self::ScramSha256,
        Self::ScramSha1,
        Self::Plain,
        Self::Login,
        Self::CramMd5,
    ];
    /// Those that take a token.
    pub const TOKENS: [Self; 2] = [Self::OAuthBearer, Self::XOAuth2];

    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::CramMd5 => "CRAM-MD5",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::OAuthBearer => "OAUTHBEARER",
            Self::XOAuth2 => "XOAUTH2",
            Self::External => "EXTERNAL",
        }
    }

    /// By its registered name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::every().find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }

    /// All of them.
    pub fn every() -> impl Iterator<Item = Self> {
        let by_name = [Self::ScramSha256Plus, Self::External];
        Self::ALL.into_iter().chain(Self::TOKENS).chain(by_name)
    }

    /// Whether it needs a nonce.
    pub const fn is_scram(self) -> bool {
        self.hash().is_some()
    }

    const fn hash(self) -> Option<Hash> {
        match self {
            Self::ScramSha256 | Self::ScramSha256Plus => Some(Hash::Sha256),
            Self::ScramSha1 => Some(Hash::Sha1),
            _ => None,
        }
    }

    /// Whether the password itself is sent, or the token.
    pub const fn shows_password(self) -> bool {
        !self.is_scram() && !matches!(self, Self::CramMd5 | Self::External)
    }

    /// Whether it is among those that are `offered`, names with spaces between them.
    pub fn is_among(self, offered: &str) -> bool {
        let mut words = offered.split_ascii_whitespace();
        words.any(|word| word.eq_ignore_ascii_case(self.name()))
    }

    /// The best of those that are `offered`, names with spaces between them.
    ///
    /// ```
    /// use mailtool::wire::sasl_client::{Mechanism, Privacy};
    ///
    /// let best = |offered, privacy| Mechanism::best(offered, privacy);
    /// assert_eq!(best("LOGIN plain", Privacy::Private), Some(Mechanism::Plain));
    /// assert_eq!(best("LOGIN plain", Privacy::Public), None);
    /// ```
    pub fn best(offered: &str, privacy: Privacy) -> Option<Self> {
        Self::ALL
            .into_iter()
            .filter(|mechanism| privacy == Privacy::Private || !mechanism.shows_password())
            .find(|mechanism| mechanism.is_among(offered))
    }
}

/// Why an exchange cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The challenge is not what the mechanism has here.
    Challenge,
    /// The server does not know the password: it is another one than it should be.
    Impostor,
    /// It wants so many rounds of hashing that it would stop the program.
    Rounds,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Challenge => "the server's challenge is none of this mechanism",
            Self::Impostor => {
                "the server does not prove that it knows the password: it is another one"
            }
            Self::Rounds => "the server wants the password hashed too often",
        })
    }
}

/// What SCRAM hashes with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha1,
    Sha256,
}

/// One exchange. Its answers are secret.
pub struct Exchange {
    mechanism: Mechanism,
    user: String,
    password: String,
    /// `n,,`, or what says to what it is bound; and that itself.
    binding: Vec<u8>,
    state: State,
}

enum State {
    Begun {
        /// The bare first message of SCRAM.
        first: String,
        nonce: String,
    },
    /// LOGIN has said the name; SCRAM its proof, and expects this one.
    Second {
        signature: Vec<u8>,
    },
    Done,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Exchange({:?})", self.mechanism)
    }
}

impl Exchange {
    /// Begins; `nonce` is printable, without commas, and never used before. With the initial response in base64, where the
    /// mechanism has the client speak first.
    pub fn begin(
        mechanism: Mechanism,
        user: &str,
        password: &str,
        nonce: &str,
    ) -> (Self, Option<String>) {
        Self::bound(mechanism, user, password, nonce, &[])
    }

    /// The same over TLS with a server whose certificate has this `tls-server-end-point` (RFC 5929 §4).
    pub fn bound(
        mechanism: Mechanism,
        user: &str,
        password: &str,
        nonce: &str,
        end_point: &[u8],
    ) -> (Self, Option<String>) {
        let (header, end_point) = match mechanism {
            Mechanism::ScramSha256Plus => ("p=tls-server-end-point,,", end_point),
            _ => ("n,,", &[][..]),
        };
        let escaped = user.replace('=', "=3D").replace(',', "=2C");
        let first = format!("n={escaped},r={nonce}");
        let initial = match mechanism {
            mechanism if mechanism.is_scram() => {
                Some(encode(format!("{header}{first}").as_bytes()))
            }
            // Who is nobody in particular says so by an equals sign (RFC 4954 §4).
            Mechanism::External if user.is_empty() => Some("=".to_owned()),
            Mechanism::External => Some(encode(user.as_bytes())),
            Mechanism::Plain => Some(plain_response(user, password.as_bytes())),
            Mechanism::OAuthBearer => Some(encode(
                format!("n,a={escaped},\u{1}auth=Bearer {password}\u{1}\u{1}").as_bytes(),
            )),
            Mechanism::XOAuth2 => Some(encode(
                format!("user={user}\u{1}auth=Bearer {password}\u{1}\u{1}").as_bytes(),
            )),
            _ => None,
        };
        let state = match mechanism {
            Mechanism::Plain | Mechanism::External => State::Done,
            _ => State::Begun {
                first,
                nonce: nonce.to_owned(),
            },
        };
        let exchange = Self {
            mechanism,
            user: user.to_owned(),
            password: password.to_owned(),
            binding: [header.as_bytes(), end_point].concat(),
            state,
        };
        (exchange, initial)
    }

    /// Which mechanism it is.
    pub const fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// The answer to a challenge, both in base64.
    ///
    /// # Errors
    /// Cancel the exchange then, with `*`.
    pub fn answer(&mut self, challenge: &str) -> Result<String, Fault> {
        let challenge = STANDARD
            .decode(challenge.trim())
            .map_err(|_| Fault::Challenge)?;
        let state = std::mem::replace(&mut self.state, State::Done);
        match (self.mechanism, state) {
            (Mechanism::CramMd5, State::Begun { .. }) => {
                let proof = hmac_md5(self.password.as_bytes(), &challenge);
                let hex: String = proof.iter().map(|octet| format!("{octet:02x}")).collect();
                Ok(encode(format!("{} {hex}", self.user).as_bytes()))
            }
            (Mechanism::Login, State::Begun { .. }) => {
                self.state = State::Second {
                    signature: Vec::new(),
                };
                Ok(encode(self.user.as_bytes()))
            }
            (Mechanism::Login, State::Second { .. }) => Ok(encode(self.password.as_bytes())),
            (scram, State::Begun { first, nonce }) if scram.is_scram() => {
                let (answer, signature) = self.prove(&first, &nonce, &challenge)?;
                self.state = State::Second { signature };
                Ok(answer)
            }
            (scram, State::Second { signature }) if scram.is_scram() => {
                check(&signature, &challenge)?;
                Ok(String::new())
            }
            // RFC 7628 §3.2.3: it says why it refuses the token, and wants to hear that this was understood.
            (Mechanism::OAuthBearer, State::Begun { .. }) => Ok(encode(b"\x01")),
            (Mechanism::XOAuth2, State::Begun { .. }) => Ok(String::new()),
            _ => Err(Fault::Challenge),
        }
    }

    /// Takes the text of the reply that says yes: a server of SCRAM may prove itself there.
    ///
    /// # Errors
    /// [`Fault::Impostor`]: a server that says yes to SCRAM without a proof is not believed.
    pub fn accepted(&self, text: &str) -> Result<(), Fault> {
        let State::Second { signature } = &self.state else {
            return Ok(());
        };
        if !self.mechanism.is_scram() {
            return Ok(());
        }
        let proof = STANDARD.decode(text.trim()).map_err(|_| Fault::Impostor)?;
        check(signature, &proof)
    }

    /// RFC 5802 §3: the client's last message, and what the server must say to that.
    fn prove(
        &self,
        first: &str,
        nonce: &str,
        challenge: &[u8],
    ) -> Result<(String, Vec<u8>), Fault> {
        let challenge = std::str::from_utf8(challenge).map_err(|_| Fault::Challenge)?;
        let attribute = |name: &str| {
            let mut parts = challenge.split(',');
            parts.find_map(|part| part.strip_prefix(name))
        };
        let attribute = |name: &str| attribute(name).ok_or(Fault::Challenge);
        let both = attribute("r=")?;
        if !both.starts_with(nonce) || both.len() == nonce.len() {
            return Err(Fault::Challenge);
        }
        let salt = STANDARD
            .decode(attribute("s=")?)
            .map_err(|_| Fault::Challenge)?;
        let rounds: NonZeroU32 = attribute("i=")?.parse().map_err(|_| Fault::Challenge)?;
        if rounds.get() > limits::SCRAM_CLIENT_ROUNDS {
            return Err(Fault::Rounds);
        }
        let (derive, authenticate, hash) = match self.mechanism.hash() {
            Some(Hash::Sha1) => (
                pbkdf2::PBKDF2_HMAC_SHA1,
                hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                &digest::SHA1_FOR_LEGACY_USE_ONLY,
            ),
            _ => (
                pbkdf2::PBKDF2_HMAC_SHA256,
                hmac::HMAC_SHA256,
                &digest::SHA256,
            ),
        };
        let mut salted = [0; 32];
        let salted = &mut salted[..hash.output_len()];
        let password = saslprep::password(self.password.as_bytes());
        pbkdf2::derive(derive, rounds, &salt, &password, salted);
        let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(authenticate, key), text);
        let client_key = sign(salted, b"Client Key");
        let stored = digest::digest(hash, client_key.as_ref());
        let last = format!("c={},r={both}", encode(&self.binding));
        let all = format!("{first},{challenge},{last}");
        let signature = sign(stored.as_ref(), all.as_bytes());
        let proof: Vec<u8> = client_key
            .as_ref()
            .iter()
            .zip(signature.as_ref())
            .map(|(key, sign)| key ^ sign)
            .collect();
        let server_key = sign(salted, b"Server Key");
        let expected = sign(server_key.as_ref(), all.as_bytes());
        let answer = format!("{last},p={}", encode(&proof));
        Ok((encode(answer.as_bytes()), expected.as_ref().to_vec()))
    }
}

/// `v=` and the signature that was expected.
fn check(signature: &[u8], challenge: &[u8]) -> Result<(), Fault> {
    let given = challenge
        .strip_prefix(b"v=")
        .and_then(|text| STANDARD.decode(text).ok());
    match given {
        Some(given) if given == signature => Ok(()),
        _ => Err(Fault::Impostor),
    }
}

/// RFC 2104
fn hmac_md5(key: &[u8], text: &[u8]) -> [u8; 16] {
    const BLOCK: usize = 64;
    let mut block = [0; BLOCK];
    if key.len() > BLOCK {
        block[..16].copy_from_slice(&Md5::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Md5::new()
        .chain_update(block.map(|octet| octet ^ 0x36))
        .chain_update(text)
        .finalize();
    Md5::new()
        .chain_update(block.map(|octet| octet ^ 0x5c))
        .chain_update(inner)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scram_as_in_rfc_7677() {
        let (mut exchange, initial) = Exchange::begin(
            Mechanism::ScramSha256,
            "user",
            "pencil",
            "rOprNGfwEbeRWgbNEkqO",
        );
        assert_eq!(initial, Some(encode(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO")));
        let challenge = encode(
            b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        );
        let expected = encode(
            b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
              p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        );
        assert_eq!(exchange.answer(&challenge), Ok(expected));
        assert_eq!(exchange.accepted("Welcome"), Err(Fault::Impostor));
        let proof = encode(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        assert_eq!(exchange.accepted(&proof), Ok(()));
        assert_eq!(exchange.answer(&proof), Ok(String::new()));
        assert_eq!(exchange.accepted("Welcome"), Ok(()));
    }

    #[test]
    fn scram_with_sha_1_as_in_rfc_5802() {
        let (mut exchange, initial) = Exchange::begin(
            Mechanism::ScramSha1,
            "user",
            "pencil",
            "fyko+d2lbbFgONRv9qkxdawL",
        );
        assert_eq!(
            initial,
            Some(encode(b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"))
        );
        let challenge =
            encode(b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096");
        let expected = encode(
            b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        );
        assert_eq!(exchange.answer(&challenge), Ok(expected));
        let proof = encode(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
        assert_eq!(exchange.answer(&proof), Ok(String::new()));
    }

    #[test]
    fn what_is_bound_is_bound_to_one_certificate() {
        let exchange = |bound_to: &[u8]| {
            let mechanism = Mechanism::ScramSha256Plus;
            Exchange::bound(mechanism, "alice", "secret", "abc", bound_to)
        };
        let (mut one, initial) = exchange(b"the certificate");
        assert_eq!(
            initial,
            Some(encode(b"p=tls-server-end-point,,n=alice,r=abc"))
        );
        let challenge = encode(b"r=abcd,s=AAAA,i=1");
        let answer = one.answer(&challenge).expect("a proof");
        let answer = String::from_utf8(STANDARD.decode(answer).expect("base64")).expect("ASCII");
        let binding = encode(b"p=tls-server-end-point,,the certificate");
        assert!(
            answer.starts_with(&format!("c={binding},r=abcd,p=")),
            "{answer}"
        );
        let (mut other, _) = exchange(b"another");
        let other = other.answer(&challenge).expect("a proof");
        assert_ne!(STANDARD.decode(other).expect("base64"), answer.as_bytes());
    }

    #[test]
    fn external_says_as_whom_or_nothing() {
        let initial = |user| Exchange::begin(Mechanism::External, user, "", "").1;
        assert_eq!(initial(""), Some("=".to_owned()));
        assert_eq!(initial("alice"), Some(encode(b"alice")));
    }

    #[test]
    fn cram_as_in_rfc_2195() {
        let (mut exchange, initial) =
            Exchange::begin(Mechanism::CramMd5, "tim", "tanstaaftanstaaf", "");
        assert_eq!(initial, None);
        let challenge = encode(b"<1896.697170952@postoffice.reston.mci.net>");
        let expected = encode(b"tim b913a602c7eda7a495b4e6e7334d3890");
        assert_eq!(exchange.answer(&challenge), Ok(expected));
        assert_eq!(exchange.answer(&challenge), Err(Fault::Challenge));
    }

    #[test]
    fn a_token_is_understood_by_our_own_server() {
        use super::super::sasl;
        let scene = sasl::Scene {
            nonce: "x",
            host: "mail.example",
            end_point: None,
        };
        for mechanism in Mechanism::TOKENS {
            let (mut exchange, initial) = Exchange::begin(mechanism, "alice", "t0ken", "");
            let theirs = sasl::Mechanism::named(mechanism.name().as_bytes()).expect("one of ours");
            let initial = initial.expect("the client speaks first");
            let (mut server, step) =
                sasl::Exchange::start(theirs, Some(initial.as_bytes()), &scene)
                    .expect("understood");
            let question = sasl::Question::Token {
                name: Some("alice".to_owned()),
                token: b"t0ken".to_vec(),
            };
            assert_eq!(step, sasl::Step::Ask(question));
            let Some(sasl::Step::Challenge(why)) = server.refused() else {
                panic!("no reason");
            };
            let answer = exchange.answer(&why).expect("an answer");
            let refused = server.answer(answer.as_bytes());
            assert_eq!(refused, Err(sasl::SaslError::Refused));
            assert_eq!(Mechanism::best(mechanism.name(), Privacy::Private), None);
        }
    }

    #[test]
    fn an_impostor_is_found_out() {
        let begin = || Exchange::begin(Mechanism::ScramSha256, "a,b=c", "x", "abc");
        assert_eq!(begin().1, Some(encode(b"n,,n=a=2Cb=3Dc,r=abc")));
        for (challenge, fault) in [
            ("r=other,s=AAAA,i=4096", Fault::Challenge),
            ("r=abc,s=AAAA,i=4096", Fault::Challenge),
            ("r=abcd,s=AAAA,i=0", Fault::Challenge),
            ("r=abcd,s=AAAA,i=4000000000", Fault::Rounds),
            ("", Fault::Challenge),
        ] {
            let answer = begin().0.answer(&encode(challenge.as_bytes()));
            assert_eq!(answer, Err(fault), "{challenge}");
        }
        let (mut exchange, _) = begin();
        let first = exchange.answer(&encode(b"r=abcd,s=AAAA,i=1"));
        assert!(first.is_ok());
        let forged = exchange.answer(&encode(b"v=AAAA"));
        assert_eq!(forged, Err(Fault::Impostor));
    }

    proptest! {
        #[test]
        fn any_challenge_is_answered_or_not(challenges in prop::collection::vec("[ -~]{0,40}", 0..4)) {
            for mechanism in Mechanism::every() {
                let (mut exchange, _) = Exchange::begin(mechanism, "a", "b", "c");
                for challenge in &challenges {
                    let _ = exchange.answer(challenge);
                    let _ = exchange.answer(&encode(challenge.as_bytes()));
                    let _ = exchange.accepted(challenge);
                }
            }
        }
    }
}
