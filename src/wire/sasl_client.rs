//! The client's side of SASL, in the base64 that SMTP (RFC 4954 §4) carries it in: the strongest mechanism that the server offers, one
//! challenge after the other.
//!
//! | mechanism | first | challenge | answer |
//! |---|---|---|---|
//! | SCRAM-SHA-256 (RFC 5802, RFC 7677) | `n,,n=user,r=nonce` | `r=,s=,i=` | the proof |
//! | | | `v=` the server's own proof, which is checked | empty |
//! | CRAM-MD5 (RFC 2195) | | a text | user and HMAC |
//! | PLAIN (RFC 4616) | `NUL user NUL password` | | |
//! | LOGIN | | `Username:` | the name |
//! | | | `Password:` | the password |
//! | OAUTHBEARER, XOAUTH2 (RFC 7628) | name and token | why it is refused | that this was understood |
//!
//! The first two never show the password to who listens, or to a server that does not know it.

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
    pub const ALL: [Self; 4] = [Self::ScramSha256, Self::Plain, Self::Login, Self::CramMd5];
    /// Those that take a token.
    pub const TOKENS: [Self; 2] = [Self::OAuthBearer, Self::XOAuth2];

    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::CramMd5 => "CRAM-MD5",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::OAuthBearer => "OAUTHBEARER",
            Self::XOAuth2 => "XOAUTH2",
        }
    }

    /// By its registered name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .chain(Self::TOKENS)
            .find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }

    /// Whether the password itself is sent, or the token.
    pub const fn shows_password(self) -> bool {
        !matches!(self, Self::ScramSha256 | Self::CramMd5)
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
            .find(|mechanism| {
                let same = |word: &str| word.eq_ignore_ascii_case(mechanism.name());
                offered.split_ascii_whitespace().any(same)
            })
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

/// One exchange. Its answers are secret.
pub struct Exchange {
    mechanism: Mechanism,
    user: String,
    password: String,
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
        let escaped = user.replace('=', "=3D").replace(',', "=2C");
        let first = format!("n={escaped},r={nonce}");
        let initial = match mechanism {
            Mechanism::ScramSha256 => Some(encode(format!("n,,{first}").as_bytes())),
            Mechanism::Plain => Some(plain_response(user, password.as_bytes())),
            Mechanism::OAuthBearer => Some(encode(
                format!("n,a={escaped},\u{1}auth=Bearer {password}\u{1}\u{1}").as_bytes(),
            )),
            Mechanism::XOAuth2 => Some(encode(
                format!("user={user}\u{1}auth=Bearer {password}\u{1}\u{1}").as_bytes(),
            )),
            Mechanism::Login | Mechanism::CramMd5 => None,
        };
        let state = match mechanism {
            Mechanism::Plain => State::Done,
            _ => State::Begun {
                first,
                nonce: nonce.to_owned(),
            },
        };
        let exchange = Self {
            mechanism,
            user: user.to_owned(),
            password: password.to_owned(),
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
            (Mechanism::ScramSha256, State::Begun { first, nonce }) => {
                let (answer, signature) = self.prove(&first, &nonce, &challenge)?;
                self.state = State::Second { signature };
                Ok(answer)
            }
            (Mechanism::ScramSha256, State::Second { signature }) => {
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
        if self.mechanism != Mechanism::ScramSha256 {
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
        let mut salted = [0; 32];
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        let password = saslprep::password(self.password.as_bytes());
        pbkdf2::derive(algorithm, rounds, &salt, &password, &mut salted);
        let sign =
            |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
        let client_key = sign(&salted, b"Client Key");
        let stored = digest::digest(&digest::SHA256, client_key.as_ref());
        let last = format!("c=biws,r={both}");
        let all = format!("{first},{challenge},{last}");
        let signature = sign(stored.as_ref(), all.as_bytes());
        let proof: Vec<u8> = client_key
            .as_ref()
            .iter()
            .zip(signature.as_ref())
            .map(|(key, sign)| key ^ sign)
            .collect();
        let server_key = sign(&salted, b"Server Key");
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
            for mechanism in Mechanism::ALL.into_iter().chain(Mechanism::TOKENS) {
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
