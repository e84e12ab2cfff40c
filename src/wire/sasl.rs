//! SASL mechanisms as octets, in the base64 that SMTP (RFC 4954 §4), POP3 (RFC 5034 §4) and IMAP (RFC 3501 §6.2.2) carry them in.
//!
//! The server's side is a small machine that asks and is answered, and knows nothing of the protocol around it:
//!
//! | mechanism | server asks | client answers | then |
//! |---|---|---|---|
//! | PLAIN (RFC 4616) | empty challenge (not asked when an initial response came) | `authzid NUL authcid NUL password` | [`Step::Verify`] |
//! | LOGIN (draft-murchison-sasl-login-00) | `Username:` (likewise) | the name | asks `Password:` |
//! | | `Password:` | the password | [`Step::Verify`] |
//! | CRAM-MD5 (RFC 2195) | a text that never was before | name and keyed hash of it | [`Question::Cram`] |
//! | SCRAM-SHA-256, -PLUS (RFC 7677) | empty challenge (likewise) | name and a nonce | [`Question::Keys`], then [`Exchange::keys`] |
//! | | salt, nonce | a proof | asks with a proof of its own; [`Step::Proven`] |
//! | XOAUTH2, OAUTHBEARER (RFC 7628) | empty challenge (likewise) | name and token | [`Question::Token`]; [`Exchange::refused`] before a refusal |
//!
//! A `*` at any point cancels ([`SaslError::Cancelled`]). Whether a password, hash or token is right is asked of the store, by a
//! job. What must be random comes with the [`Scene`].

mod apop;
mod cram;
mod oauth;
mod scram;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

pub use self::apop::{apop_digest, hexadecimal};
pub use self::cram::{CramKeys, cram_digest};
pub use self::scram::ScramKeys;
use self::scram::{Binding, Scram, Setting};

/// A mechanism that a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// RFC 7677, bound to the TLS below it.
    ScramSha256Plus,
    /// RFC 7677
    ScramSha256,
    /// RFC 2195
    CramMd5,
    /// RFC 4616
    Plain,
    /// draft-murchison-sasl-login-00
    Login,
    /// RFC 7628
    OAuthBearer,
    /// Google's, before RFC 7628.
    XOAuth2,
}

/// What the accounts of a server can be checked by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Means {
    /// The password of each account is known in the clear.
    pub passwords: bool,
    /// Of each account, the password or its [`CramKeys`] are known.
    pub cram: bool,
    /// Of each account, the password or its [`ScramKeys`] are known.
    pub keys: bool,
    /// There are tokens.
    pub tokens: bool,
}

impl Mechanism {
    /// All of them, the better first.
    pub const ALL: [Self; 7] = [
        Self::ScramSha256Plus,
        Self::ScramSha256,
        Self::CramMd5,
        Self::Plain,
        Self::Login,
        Self::OAuthBearer,
        Self::XOAuth2,
    ];

    /// Those that carry the password itself, the better first.
    pub const PASSWORDS: [Self; 2] = [Self::Plain, Self::Login];

    /// By its registered name, in any case.
    pub fn named(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|mechanism| mechanism.name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// Whether it carries the password itself, and [`Exchange::begin`] is enough for it.
    pub fn is_password(self) -> bool {
        Self::PASSWORDS.contains(&self)
    }

    /// Whether a server offers it: where each account can log in with it, so that no client chooses one that fails for some;
    /// `-PLUS` where there is a channel to bind to.
    pub fn is_offered(self, means: Means, end_point: Option<&[u8]>) -> bool {
        match self {
            Self::ScramSha256Plus => means.keys && end_point.is_some(),
            Self::ScramSha256 => means.keys,
            Self::CramMd5 => means.cram,
            Self::Plain | Self::Login => true,
            Self::OAuthBearer | Self::XOAuth2 => means.tokens,
        }
    }

    /// Whether it could be the name of any mechanism (RFC 4422 §3.1): else a password may be part of it, with the space
    /// forgotten.
    pub fn is_name(word: &[u8]) -> bool {
        let fits = |&octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
        (1..=20).contains(&word.len()) && word.iter().all(fits)
    }

    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::CramMd5 => "CRAM-MD5",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::XOAuth2 => "XOAUTH2",
            Self::OAuthBearer => "OAUTHBEARER",
        }
    }
}

impl FromStr for Mechanism {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::named(name.as_bytes()).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no such mechanism here: there are {names}")
        })
    }
}

/// Who says to be whom. Not shown when printed for debugging.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The account to act as; empty: the same as `name`.
    pub authorize_as: String,
    /// Whose password it is.
    pub name: String,
    /// In the clear.
    pub password: Vec<u8>,
}

impl Credentials {
    /// Somebody who acts as nobody else.
    pub const fn new(name: String, password: Vec<u8>) -> Self {
        Self {
            authorize_as: String::new(),
            name,
            password,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Credentials({:?}, ********)", self.name)
    }
}

/// What the store is asked where it is not a password. Secrets are not shown when printed for debugging.
#[derive(Clone, PartialEq, Eq)]
pub enum Question {
    /// Is this the keyed hash of the challenge under the password of this name? See [`cram_digest`].
    Cram {
        /// Whose password.
        name: String,
        /// What was asked.
        challenge: String,
        /// What was answered.
        digest: [u8; 16],
    },
    /// Is this the hash of the timestamp and the password of this name? See [`apop_digest`]. Not by a mechanism, but by POP3's
    /// own command.
    Apop {
        /// Whose password.
        name: String,
        /// What the greeting said.
        timestamp: String,
        /// What was answered.
        digest: [u8; 16],
    },
    /// Is this a token, and one of this name?
    Token {
        /// Whose token; `None`: whoever has it.
        name: Option<String>,
        /// The token.
        token: Vec<u8>,
    },
    /// What are the keys of this name, and may it act as this other one? The answer goes to [`Exchange::keys`].
    Keys {
        /// Whose password.
        name: String,
        /// The account to act as; empty: the same.
        authorize_as: String,
    },
}

impl fmt::Debug for Question {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cram { name, .. } => write!(formatter, "Cram({name:?}, ********)"),
            Self::Apop { name, .. } => write!(formatter, "Apop({name:?}, ********)"),
            Self::Token { name, .. } => write!(formatter, "Token({name:?}, ********)"),
            Self::Keys { name, .. } => write!(formatter, "Keys({name:?})"),
        }
    }
}

/// What an exchange is played on.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Printable ASCII without comma, spaces and `<>@`, never used before and not to be foreseen.
    pub nonce: &'a str,
    /// What the server calls itself.
    pub host: &'a str,
    /// The `tls-server-end-point` of the TLS below (RFC 5929 §4), when there is one: `-PLUS` was offered then.
    pub end_point: Option<&'a [u8]>,
}

/// What an exchange needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this challenge (base64 already, maybe empty), and give the answer to [`Exchange::answer`]. That line is secret.
    Challenge(Cow<'static, str>),
    /// Name and password are known: ask the store.
    Verify(Credentials),
    /// Ask the store. Not by the mechanisms of [`Mechanism::PASSWORDS`].
    Ask(Question),
    /// The client has proved to be whom the keys were of. Only after [`Exchange::keys`].
    Proven,
}

/// Why an exchange ended without credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaslError {
    /// The client sent `*`.
    Cancelled,
    /// Not base64.
    Base64,
    /// PLAIN without its two NULs.
    Malformed,
    /// An empty name, or one that is not UTF-8 or has control characters.
    Name,
    /// Not what CRAM-MD5 answers.
    Cram,
    /// Not what SCRAM says.
    Scram,
    /// Not what XOAUTH2 or OAUTHBEARER says.
    Bearer,
    /// SCRAM's proof is wrong: the password is, or there is no such user.
    Proof,
    /// The client is bound to other TLS than this.
    Binding,
    /// The client thinks that there is no `-PLUS`: somebody took it out of the list.
    Downgrade,
    /// What was refused before is refused now.
    Refused,
}

impl SaslError {
    /// Whether it is no mistake of the client's program, but a password that is wrong.
    pub const fn is_refusal(self) -> bool {
        matches!(self, Self::Proof | Self::Refused)
    }
}

impl fmt::Display for SaslError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Cancelled => "authentication cancelled, as you asked",
            Self::Base64 => {
                "that is not base64; make it with: printf '\\0alice\\0secret' | base64"
            }
            Self::Name => "there is no name in it",
            Self::Malformed => {
                "PLAIN takes base64 of NUL, name, NUL, password: printf '\\0alice\\0secret' | base64"
            }
            Self::Cram => "CRAM-MD5 takes base64 of the name, a space and 32 hexadecimal digits",
            Self::Scram => "that is not what SCRAM says at this point (RFC 5802 section 7)",
            Self::Bearer => {
                "there is no \"auth=Bearer\" with a token in it, between octets of value 1 (RFC 7628 section 3.1)"
            }
            Self::Proof | Self::Refused => "name or password is wrong",
            Self::Binding => "your login is bound to another TLS connection than this one",
            Self::Downgrade => {
                "SCRAM-SHA-256-PLUS is offered here, but your program did not see it: somebody is in between"
            }
        })
    }
}

/// The server's side of one exchange. See the table in the module. Boxed: most sessions are in none most of the time.
#[derive(Debug)]
pub struct Exchange(Box<State>);

enum State {
    Plain,
    LoginName,
    LoginPassword {
        name: String,
    },
    Cram {
        challenge: String,
    },
    Scram(Scram),
    /// SCRAM's last challenge is out: the answer is empty.
    Proving,
    Bearer(Mechanism),
    /// The client was told that its token is refused: whatever it answers.
    Refusing,
    /// Nothing is to come.
    Ended,
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Plain => "Plain",
            Self::LoginName => "LoginName",
            Self::LoginPassword { .. } => "LoginPassword",
            Self::Cram { .. } => "Cram",
            Self::Scram(_) => "Scram",
            Self::Proving => "Proving",
            Self::Bearer(_) => "Bearer",
            Self::Refusing => "Refusing",
            Self::Ended => "Ended",
        })
    }
}

impl Exchange {
    /// Begins with a mechanism of [`Mechanism::PASSWORDS`], which needs no [`Scene`]. The initial response is what stood after the
    /// mechanism's name, still in base64; `=` means an empty one (RFC 4954 §4).
    ///
    /// ```
    /// use mailtool::wire::sasl::{Exchange, Mechanism, Step};
    ///
    /// let (_, step) = Exchange::begin(Mechanism::Plain, Some(b"AGFsaWNlAHNlY3JldA==")).unwrap();
    /// let Step::Verify(credentials) = step else { panic!() };
    /// assert_eq!((credentials.name.as_str(), &credentials.password[..]), ("alice", &b"secret"[..]));
    /// ```
    pub fn begin(mechanism: Mechanism, initial: Option<&[u8]>) -> Result<(Self, Step), SaslError> {
        let nothing = Scene {
            nonce: "",
            host: "",
            end_point: None,
        };
        debug_assert!(mechanism.is_password(), "the others need a scene");
        Self::start(mechanism, initial, &nothing)
    }

    /// Begins with any mechanism.
    pub fn start(
        mechanism: Mechanism,
        initial: Option<&[u8]>,
        scene: &Scene<'_>,
    ) -> Result<(Self, Step), SaslError> {
        let binding = match (mechanism, scene.end_point) {
            (Mechanism::ScramSha256Plus, Some(hash)) => Binding::EndPoint(hash.to_vec()),
            (Mechanism::ScramSha256Plus, None) => return Err(SaslError::Binding),
            (_, Some(_)) => Binding::Declined,
            (_, None) => Binding::None,
        };
        let mut exchange = Self(Box::new(match mechanism {
            Mechanism::Plain => State::Plain,
            Mechanism::Login => State::LoginName,
            Mechanism::CramMd5 => State::Cram {
                challenge: cram::challenge(scene.nonce, scene.host),
            },
            Mechanism::ScramSha256 | Mechanism::ScramSha256Plus => {
                let nonce = scene.nonce.to_owned();
                State::Scram(Scram::First(Setting { binding, nonce }))
            }
            Mechanism::XOAuth2 | Mechanism::OAuthBearer => State::Bearer(mechanism),
        }));
        let step = match (initial, &*exchange.0) {
            // The server speaks first here (RFC 2195 §2), so nothing can have been said yet.
            (Some(_), State::Cram { .. }) => return Err(SaslError::Cram),
            (Some(b"="), _) => exchange.take(Vec::new())?,
            (Some(initial), _) => exchange.take(decode(initial)?)?,
            (None, State::LoginName) => Step::Challenge(USERNAME.into()),
            (None, State::Cram { challenge }) => {
                Step::Challenge(encode(challenge.as_bytes()).into())
            }
            (None, _) => Step::Challenge("".into()),
        };
        Ok((exchange, step))
    }

    /// Takes the line that answered the last challenge.
    pub fn answer(&mut self, line: &[u8]) -> Result<Step, SaslError> {
        if line == b"*" {
            return Err(SaslError::Cancelled);
        }
        self.take(decode(line)?)
    }

    /// Takes what the store said to [`Question::Keys`].
    pub fn keys(&mut self, keys: ScramKeys) -> Result<Step, SaslError> {
        let State::Scram(Scram::Keys(begun)) = std::mem::replace(&mut *self.0, State::Ended) else {
            return Err(SaslError::Scram);
        };
        let first = begun.server_first(&keys);
        let challenge = encode(first.as_bytes());
        *self.0 = State::Scram(Scram::Final(begun, first, keys));
        Ok(Step::Challenge(challenge.into()))
    }

    /// The store has refused what it was asked: what is to be said before the refusal is, if anything. The answer to it ends
    /// in [`SaslError::Refused`].
    pub fn refused(&mut self) -> Option<Step> {
        let State::Bearer(mechanism) = *self.0 else {
            return None;
        };
        *self.0 = State::Refusing;
        Some(Step::Challenge(oauth::refusal(mechanism).into()))
    }

    fn take(&mut self, response: Vec<u8>) -> Result<Step, SaslError> {
        match std::mem::replace(&mut *self.0, State::Ended) {
            State::Plain => plain(&response).map(Step::Verify),
            State::LoginName => {
                let name = name(&response)?;
                *self.0 = State::LoginPassword { name };
                Ok(Step::Challenge(PASSWORD.into()))
            }
            State::LoginPassword { name } => Ok(Step::Verify(Credentials::new(name, response))),
            State::Cram { challenge } => {
                let (name, digest) = cram::answer(&response)?;
                Ok(Step::Ask(Question::Cram {
                    name,
                    challenge,
                    digest,
                }))
            }
            State::Scram(Scram::First(setting)) => {
                let (begun, question) = setting.first(&response)?;
                *self.0 = State::Scram(Scram::Keys(begun));
                Ok(Step::Ask(question))
            }
            State::Scram(Scram::Final(begun, first, keys)) => {
                let last = begun.check(&first, &keys, &response)?;
                *self.0 = State::Proving;
                Ok(Step::Challenge(encode(last.as_bytes()).into()))
            }
            State::Proving if response.is_empty() => Ok(Step::Proven),
            State::Bearer(mechanism) => {
                let question = oauth::message(mechanism, &response)?;
                *self.0 = State::Bearer(mechanism);
                Ok(Step::Ask(question))
            }
            State::Refusing => Err(SaslError::Refused),
            State::Proving | State::Scram(Scram::Keys(_)) | State::Ended => Err(SaslError::Scram),
        }
    }
}

/// PLAIN's one response, in base64: for a client.
pub fn plain_response(name: &str, password: &[u8]) -> String {
    let mut message = Vec::with_capacity(name.len() + password.len() + 2);
    message.push(0);
    message.extend_from_slice(name.as_bytes());
    message.push(0);
    message.extend_from_slice(password);
    encode(&message)
}

/// Base64 as SASL wants it.
pub fn encode(octets: &[u8]) -> String {
    BASE64.encode(octets)
}

/// Base64 back to octets. Missing padding and spaces around it are overlooked: both come from people's shells.
pub fn decode(text: &[u8]) -> Result<Vec<u8>, SaslError> {
    BASE64
        .decode(text.trim_ascii())
        .map_err(|_| SaslError::Base64)
}

/// RFC 4616 §2: `[authzid] NUL authcid NUL passwd`, no NUL within.
fn plain(message: &[u8]) -> Result<Credentials, SaslError> {
    let mut parts = message.split(|&octet| octet == 0);
    let (Some(authorize_as), Some(authcid), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(SaslError::Malformed);
    };
    let authorize_as = std::str::from_utf8(authorize_as).map_err(|_| SaslError::Name)?;
    Ok(Credentials {
        authorize_as: authorize_as.to_owned(),
        name: name(authcid)?,
        password: password.to_vec(),
    })
}

fn name(octets: &[u8]) -> Result<String, SaslError> {
    match std::str::from_utf8(octets) {
        Ok(name) if !name.is_empty() && !name.contains(char::is_control) => Ok(name.to_owned()),
        _ => Err(SaslError::Name),
    }
}

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// `Username:`
const USERNAME: &str = "VXNlcm5hbWU6";
/// `Password:`
const PASSWORD: &str = "UGFzc3dvcmQ6";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn alice() -> Credentials {
        Credentials {
            authorize_as: String::new(),
            name: "alice".to_owned(),
            password: b"sec ret".to_vec(),
        }
    }

    #[test]
    fn login_asks_twice_or_once() {
        let (mut exchange, step) = Exchange::begin(Mechanism::Login, None).unwrap();
        assert_eq!(step, Step::Challenge("VXNlcm5hbWU6".into()));
        let name = encode(b"alice");
        assert_eq!(
            exchange.answer(name.as_bytes()),
            Ok(Step::Challenge("UGFzc3dvcmQ6".into()))
        );
        assert_eq!(
            exchange.answer(encode(b"sec ret").as_bytes()),
            Ok(Step::Verify(alice()))
        );

        let (mut exchange, step) =
            Exchange::begin(Mechanism::Login, Some(name.as_bytes())).unwrap();
        assert_eq!(step, Step::Challenge("UGFzc3dvcmQ6".into()));
        assert_eq!(exchange.answer(b"*"), Err(SaslError::Cancelled));
    }

    #[test]
    fn plain_is_asked_for_or_comes_at_once() {
        let response = plain_response("alice", b"sec ret");
        let (mut exchange, step) = Exchange::begin(Mechanism::Plain, None).unwrap();
        assert_eq!(step, Step::Challenge("".into()));
        assert_eq!(
            exchange.answer(response.as_bytes()),
            Ok(Step::Verify(alice()))
        );
        let unpadded = response.trim_end_matches('=').as_bytes();
        let (_, step) = Exchange::begin(Mechanism::Plain, Some(unpadded)).unwrap();
        assert_eq!(step, Step::Verify(alice()));
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        let begin = |initial: &[u8]| Exchange::begin(Mechanism::Plain, Some(initial)).err();
        assert_eq!(begin(b"not base64!"), Some(SaslError::Base64));
        assert_eq!(begin(b"="), Some(SaslError::Malformed));
        assert_eq!(
            begin(encode(b"alice\0secret").as_bytes()),
            Some(SaslError::Malformed)
        );
        assert_eq!(
            begin(encode(b"\0\0secret").as_bytes()),
            Some(SaslError::Name)
        );
        assert_eq!(
            begin(encode(b"\0a\0b\0c").as_bytes()),
            Some(SaslError::Malformed)
        );
        assert_eq!(begin(encode(b"\0a\r\0b").as_bytes()), Some(SaslError::Name));
    }

    #[test]
    fn cram_is_asked_and_answered_and_bearers_are_told_why() {
        let scene = Scene {
            nonce: "n0nce",
            host: "mail.example",
            end_point: None,
        };
        let (mut exchange, step) = Exchange::start(Mechanism::CramMd5, None, &scene).unwrap();
        let challenge = "<n0nce@mail.example>".to_owned();
        assert_eq!(step, Step::Challenge(encode(challenge.as_bytes()).into()));
        let digest = cram_digest(b"secret", challenge.as_bytes());
        let shown: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
        let answer = encode(format!("alice {shown}").as_bytes());
        let name = "alice".to_owned();
        let question = Question::Cram {
            name,
            challenge,
            digest,
        };
        assert_eq!(exchange.answer(answer.as_bytes()), Ok(Step::Ask(question)));
        assert_eq!(exchange.refused(), None);
        assert_eq!(
            Exchange::start(Mechanism::CramMd5, Some(b"eA=="), &scene).err(),
            Some(SaslError::Cram)
        );

        let message = encode(b"user=alice\x01auth=Bearer t0ken\x01\x01");
        let (mut exchange, step) =
            Exchange::start(Mechanism::XOAuth2, Some(message.as_bytes()), &scene).unwrap();
        assert!(matches!(step, Step::Ask(Question::Token { .. })));
        assert!(matches!(exchange.refused(), Some(Step::Challenge(_))));
        assert_eq!(exchange.answer(b""), Err(SaslError::Refused));
        assert!(SaslError::Refused.is_refusal());
    }

    #[test]
    fn what_is_offered_works_for_everybody() {
        let offered = |means, end_point| {
            let all = Mechanism::ALL.into_iter();
            all.filter(|it| it.is_offered(means, end_point))
                .map(Mechanism::name)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let mut means = Means::default();
        assert_eq!(offered(means, Some(&[1])), "PLAIN LOGIN");
        means.keys = true;
        assert_eq!(offered(means, None), "SCRAM-SHA-256 PLAIN LOGIN");
        means.cram = true;
        means.tokens = true;
        assert_eq!(
            offered(means, Some(&[1])),
            "SCRAM-SHA-256-PLUS SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN OAUTHBEARER XOAUTH2"
        );
    }

    #[test]
    fn passwords_are_not_printed() {
        let shown = format!("{:?}", Step::Verify(alice()));
        assert!(
            shown.contains("alice") && !shown.contains("115") && !shown.contains("sec"),
            "{shown}"
        );
    }

    #[test]
    fn names_of_mechanisms_are_read_in_any_case() {
        assert_eq!(Mechanism::named(b"plain"), Some(Mechanism::Plain));
        assert_eq!(Mechanism::named(b"LogIn"), Some(Mechanism::Login));
        assert_eq!(Mechanism::named(b"CRAM-SHA-1"), None);
    }

    proptest! {
        #[test]
        fn plain_comes_back(name in "[^\\p{Cc}]{1,20}", password in "[^\\x00]{0,20}") {
            let (_, step) = Exchange::begin(
                Mechanism::Plain,
                Some(plain_response(&name, password.as_bytes()).as_bytes()),
            ).unwrap();
            let Step::Verify(credentials) = step else { panic!("{step:?}") };
            prop_assert_eq!(credentials.name, name);
            prop_assert_eq!(credentials.password, password.as_bytes());
        }

        #[test]
        fn any_octets_are_refused_or_read(lines: Vec<Vec<u8>>) {
            let scene = Scene { nonce: "n0nce", host: "mail.example", end_point: Some(&[7; 32]) };
            for mechanism in Mechanism::ALL {
                let (mut exchange, _) = Exchange::start(mechanism, None, &scene).unwrap();
                for line in &lines {
                    let _ = exchange.answer(line);
                    let _ = exchange.answer(encode(line).as_bytes());
                    let _ = exchange.refused();
                }
            }
        }
    }
}
