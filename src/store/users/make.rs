//! Hashing a new password, for the file of users.

use std::num::NonZeroU32;

use argon2::PasswordHasher;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};

use crate::limits;
use crate::wire::sasl::{CramKeys, ScramKeys};
use crate::wire::saslprep;

/// How a new password is kept. Which logins it allows: any in which the password is shown; CRAM-MD5, SCRAM and APOP as said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// Takes the most time and memory to guess.
    #[default]
    Argon2id,
    /// SCRAM-SHA-256 too.
    ScramSha256,
    /// For other programs that read the file.
    Sha512Crypt,
    /// For other programs that read the file.
    BlfCrypt,
    /// CRAM-MD5 too; guessed quickly.
    CramMd5,
    /// In the clear: APOP, CRAM-MD5 and SCRAM too.
    Plain,
}

/// Why a password was not hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashError {
    /// It is empty.
    Empty,
    /// It has more than [`limits::PASSWORD`] octets, and nobody could log in with it.
    TooLong,
    /// It holds what no password can: NUL, or a line end.
    Control,
    /// It holds a letter that Unicode 3.2 did not have, and which other programs may read otherwise (RFC 4013 §2.5).
    Unassigned,
    /// The system has no random octets.
    Random,
    /// A bug.
    Failed,
}

impl std::fmt::Display for HashError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "the password is empty",
            Self::TooLong => "the password is longer than 512 octets",
            Self::Control => "the password holds a control character",
            Self::Unassigned => {
                "the password holds a letter that is younger than Unicode 3.2 (RFC 4013 section 2.5), such as an emoji: not every program would read it alike"
            }
            Self::Random => "the system gives no random octets",
            Self::Failed => "the password could not be hashed",
        })
    }
}

impl std::error::Error for HashError {}

impl Scheme {
    /// All of them, the first by default.
    pub const ALL: [Self; 6] = [
        Self::Argon2id,
        Self::ScramSha256,
        Self::Sha512Crypt,
        Self::BlfCrypt,
        Self::CramMd5,
        Self::Plain,
    ];

    /// As Dovecot calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Argon2id => "ARGON2ID",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::Sha512Crypt => "SHA512-CRYPT",
            Self::BlfCrypt => "BLF-CRYPT",
            Self::CramMd5 => "CRAM-MD5",
            Self::Plain => "PLAIN",
        }
    }

    /// The password field of a passwd-file: `{SCHEME}hash`. Takes as long as guessing it once shall take.
    ///
    /// # Errors
    /// A password that nobody could log in with.
    pub fn hash(self, password: &str) -> Result<String, HashError> {
        // RFC 4616 §2, RFC 5802 §5.1: so that it fits however it is typed.
        let prepared = saslprep::prepare(password);
        let password = prepared.as_deref().unwrap_or(password);
        let octets = password.as_bytes();
        if octets.is_empty() {
            return Err(HashError::Empty);
        }
        if octets.len() > limits::PASSWORD {
            return Err(HashError::TooLong);
        }
        if password.chars().any(char::is_control) {
            return Err(HashError::Control);
        }
        if saslprep::unassigned(password).is_some() {
            return Err(HashError::Unassigned);
        }
        let value = match self {
            Self::Argon2id => {
                let hash = argon2::Argon2::default()
                    .hash_password_with_salt(octets, &random::<16>()?)
                    .map_err(|_| HashError::Failed)?;
                hash.to_string()
            }
            Self::ScramSha256 => {
                let salt = random::<16>()?;
                let keys = ScramKeys::derive(octets, salt.to_vec(), ROUNDS);
                let [salt, stored, server] =
                    [&salt[..], &keys.stored_key, &keys.server_key].map(|key| STANDARD.encode(key));
                format!("{ROUNDS},{salt},{stored},{server}")
            }
            Self::Sha512Crypt => {
                let salt = letters(&random::<16>()?);
                let params = sha_crypt::Params::new(SHA_ROUNDS).map_err(|_| HashError::Failed)?;
                let hash = sha_crypt::sha512_crypt(octets, salt.as_bytes(), params);
                format!("$6$rounds={SHA_ROUNDS}${salt}${}", sha512_letters(&hash))
            }
            Self::BlfCrypt => {
                // Octets behind the 72nd would not count, and whoever set the password would not know.
                if octets.len() > 71 {
                    return Err(HashError::TooLong);
                }
                let salt = random()?;
                let key: Vec<u8> = octets.iter().copied().chain([0]).collect();
                let hash = bcrypt::bcrypt(BCRYPT_COST, salt, &key);
                let digits = |octets: &[u8]| super::secret::BCRYPT.encode(octets);
                format!(
                    "$2y${BCRYPT_COST:02}${}{}",
                    digits(&salt),
                    digits(&hash[..23])
                )
            }
            Self::CramMd5 => CramKeys::derive(octets).to_digits(),
            // A colon would end the field.
            Self::Plain if password.contains(':') => {
                return Ok(format!("{{PLAIN.B64}}{}", STANDARD.encode(octets)));
            }
            Self::Plain => password.to_owned(),
        };
        Ok(format!("{{{}}}{value}", self.name()))
    }
}

impl std::str::FromStr for Scheme {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL
            .into_iter()
            .find(|scheme| scheme.name().eq_ignore_ascii_case(text));
        known.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|scheme| scheme.name()).collect();
            format!("give one of {}", names.join(", "))
        })
    }
}

fn random<const N: usize>() -> Result<[u8; N], HashError> {
    let mut octets = [0; N];
    let filled = SystemRandom::new().fill(&mut octets);
    filled.map(|()| octets).map_err(|_| HashError::Random)
}

/// One of crypt(3)'s letters for six bits of each octet.
fn letters(octets: &[u8]) -> String {
    let letter = |octet: &u8| char::from(super::secret::CRYPT_DIGITS[usize::from(octet & 63)]);
    octets.iter().map(letter).collect()
}

/// The digest in the order of octets that the SHA-crypt specification gives.
fn sha512_letters(digest: &[u8; 64]) -> String {
    let mut text = String::with_capacity(86);
    let mut put = |mut bits: usize, digits: usize| {
        for _ in 0..digits {
            text.push(char::from(super::secret::CRYPT_DIGITS[bits & 63]));
            bits >>= 6;
        }
    };
    let octet = |at: usize| usize::from(digest[at]);
    let (mut high, mut middle, mut low) = (0, 21, 42);
    for _ in 0..21 {
        put(octet(high) << 16 | octet(middle) << 8 | octet(low), 4);
        (high, middle, low) = (middle + 1, low + 1, high + 1);
    }
    put(octet(63), 2);
    text
}

/// PBKDF2 of [`Scheme::ScramSha256`]: RFC 7677 §4 asks for 4096 at least; guessing costs more with more.
const ROUNDS: NonZeroU32 = match NonZeroU32::new(limits::SCRAM_NEW_ROUNDS) {
    Some(rounds) => rounds,
    None => NonZeroU32::MIN,
};
const SHA_ROUNDS: u32 = limits::SHA_CRYPT_NEW_ROUNDS;
const BCRYPT_COST: u32 = limits::BCRYPT_NEW_COST;

/// `{PBKDF2}` of Dovecot: `$1$salt$rounds$` and 40 hexadecimal digits.
pub(super) fn pbkdf2_sha1(password: &[u8], salt: &[u8], rounds: NonZeroU32) -> [u8; 20] {
    let mut key = [0; 20];
    ring::pbkdf2::derive(
        ring::pbkdf2::PBKDF2_HMAC_SHA1,
        rounds,
        salt,
        password,
        &mut key,
    );
    key
}

/// What `{SCRAM-SHA-1}` keeps of a password to check it by (RFC 5802 §3).
pub(super) fn scram_sha1_stored(password: &[u8], salt: &[u8], rounds: NonZeroU32) -> [u8; 20] {
    use ring::hmac;
    let salted = pbkdf2_sha1(password, salt, rounds);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salted);
    let client_key = hmac::sign(&key, b"Client Key");
    let stored = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, client_key.as_ref());
    stored.as_ref().try_into().unwrap_or([0; 20])
}

#[cfg(test)]
mod tests {
    use super::super::secret::Secret;
    use super::*;

    #[test]
    fn what_is_hashed_takes_its_password_and_no_other() {
        for scheme in Scheme::ALL {
            for password in ["secret", "pa:ss wörd"] {
                let field = scheme.hash(password).expect("hashed");
                assert!(!field.contains(':'), "{field}: a colon ends the field");
                let secret = Secret::parse(&field).unwrap_or_else(|why| panic!("{field}: {why}"));
                assert!(secret.matches(password.as_bytes()), "{field}");
                assert!(!secret.matches(b"secre"), "{field}");
                assert_ne!(
                    scheme == Scheme::Plain || scheme == Scheme::CramMd5,
                    scheme.hash(password).expect("hashed") != field,
                    "{field}: salted"
                );
            }
            assert_eq!(scheme.name().to_lowercase().parse(), Ok(scheme));
        }
    }

    #[test]
    fn sha512_crypt_is_written_as_the_specification_has_it() {
        let params = sha_crypt::Params::new(5000).expect("rounds");
        let hash = sha_crypt::sha512_crypt(b"Hello world!", b"saltstring", params);
        assert_eq!(
            sha512_letters(&hash),
            "svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1"
                .replace("WjlO", "Wjl/O")
                .replace("I68O", "I68u4O")
        );
    }

    #[test]
    fn what_nobody_could_log_in_with_is_refused() {
        let long = "x".repeat(limits::PASSWORD + 1);
        assert_eq!(Scheme::Plain.hash(""), Err(HashError::Empty));
        assert_eq!(Scheme::Plain.hash(&long), Err(HashError::TooLong));
        assert_eq!(Scheme::BlfCrypt.hash(&long[..72]), Err(HashError::TooLong));
        assert_eq!(Scheme::Argon2id.hash("a\nb"), Err(HashError::Control));
        let emoji = Scheme::Plain.hash("a\u{1f600}");
        assert_eq!(emoji, Err(HashError::Unassigned));
    }
}
