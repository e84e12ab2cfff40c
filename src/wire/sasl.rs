//! SASL mechanisms as octets: PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login-00), in the base64 that SMTP (RFC 4954
//! §4), POP3 (RFC 5034 §4) and IMAP (RFC 3501 §6.2.2) carry them in.
//!
//! The server's side is a small machine that asks and is answered, and knows nothing of the protocol around it:
//!
//! | mechanism | server asks | client answers | then |
//! |---|---|---|---|
//! | PLAIN | empty challenge (not asked when an initial response came) | `authzid NUL authcid NUL password` | [`Step::Verify`] |
//! | LOGIN | `Username:` (likewise) | the name | asks `Password:` |
//! | | `Password:` | the password | [`Step::Verify`] |
//!
//! A `*` at any point cancels ([`SaslError::Cancelled`]). Whether a password is right is asked of the store, by a job.

use std::fmt;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// A mechanism that both sides speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// RFC 4616
    Plain,
    /// draft-murchison-sasl-login-00
    Login,
}

impl Mechanism {
    /// All of them, the better first.
    pub const ALL: [Self; 2] = [Self::Plain, Self::Login];

    /// By its registered name, in any case.
    pub fn named(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|mechanism| mechanism.name().as_bytes().eq_ignore_ascii_case(name))
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
        }
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

/// What an exchange needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this challenge (base64 already, maybe empty), and give the answer to [`Exchange::answer`]. That line is secret.
    Challenge(&'static str),
    /// Everything is known: ask the store.
    Verify(Credentials),
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
        })
    }
}

/// The server's side of one exchange. See the table in the module.
#[derive(Debug)]
pub struct Exchange(State);

enum State {
    Plain,
    LoginName,
    LoginPassword { name: String },
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Plain => "Plain",
            Self::LoginName => "LoginName",
            Self::LoginPassword { .. } => "LoginPassword",
        })
    }
}

impl Exchange {
    /// Begins. The initial response is what stood after the mechanism's name, still in base64; `=` means an empty one
    /// (RFC 4954 §4).
    ///
    /// ```
    /// use mailtool::wire::sasl::{Exchange, Mechanism, Step};
    ///
    /// let (_, step) = Exchange::begin(Mechanism::Plain, Some(b"AGFsaWNlAHNlY3JldA==")).unwrap();
    /// let Step::Verify(credentials) = step else { panic!() };
    /// assert_eq!((credentials.name.as_str(), &credentials.password[..]), ("alice", &b"secret"[..]));
    /// ```
    pub fn begin(mechanism: Mechanism, initial: Option<&[u8]>) -> Result<(Self, Step), SaslError> {
        let mut exchange = Self(match mechanism {
            Mechanism::Plain => State::Plain,
            Mechanism::Login => State::LoginName,
        });
        let step = match initial {
            Some(b"=") => exchange.take(Vec::new())?,
            Some(initial) => exchange.take(decode(initial)?)?,
            None => Step::Challenge(match mechanism {
                Mechanism::Plain => "",
                Mechanism::Login => USERNAME,
            }),
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

    fn take(&mut self, response: Vec<u8>) -> Result<Step, SaslError> {
        match std::mem::replace(&mut self.0, State::Plain) {
            State::Plain => plain(&response).map(Step::Verify),
            State::LoginName => {
                let name = name(&response)?;
                self.0 = State::LoginPassword { name };
                Ok(Step::Challenge(PASSWORD))
            }
            State::LoginPassword { name } => Ok(Step::Verify(Credentials::new(name, response))),
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
        assert_eq!(step, Step::Challenge("VXNlcm5hbWU6"));
        let name = encode(b"alice");
        assert_eq!(
            exchange.answer(name.as_bytes()),
            Ok(Step::Challenge("UGFzc3dvcmQ6"))
        );
        assert_eq!(
            exchange.answer(encode(b"sec ret").as_bytes()),
            Ok(Step::Verify(alice()))
        );

        let (mut exchange, step) =
            Exchange::begin(Mechanism::Login, Some(name.as_bytes())).unwrap();
        assert_eq!(step, Step::Challenge("UGFzc3dvcmQ6"));
        assert_eq!(exchange.answer(b"*"), Err(SaslError::Cancelled));
    }

    #[test]
    fn plain_is_asked_for_or_comes_at_once() {
        let response = plain_response("alice", b"sec ret");
        let (mut exchange, step) = Exchange::begin(Mechanism::Plain, None).unwrap();
        assert_eq!(step, Step::Challenge(""));
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
        assert_eq!(Mechanism::named(b"CRAM-MD5"), None);
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
            for mechanism in Mechanism::ALL {
                let (mut exchange, _) = Exchange::begin(mechanism, None).unwrap();
                for line in &lines {
                    let _ = exchange.answer(line);
                }
            }
        }
    }
}
