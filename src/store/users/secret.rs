//! What a password is checked against: the schemes of Dovecot's passwd-file, and what crypt(3) makes.
//!
//! | scheme | hash | cost is bounded by |
//! |---|---|---|
//! | PLAIN, CLEAR, CLEARTEXT | none | |
//! | CRYPT, or no scheme | by its first characters, one of the next six | |
//! | SHA512-CRYPT, SHA256-CRYPT | `$6$`, `$5$` | [`limits::SHA_CRYPT_ROUNDS`] |
//! | ARGON2ID, ARGON2I | `$argon2id$`, `$argon2i$` | [`limits::ARGON2_MEMORY`] and what follows it |
//! | | `$y$` (yescrypt, Debian's own) | [`limits::ARGON2_MEMORY`] |
//! | BLF-CRYPT | `$2y$`, `$2b$`, `$2a$` (bcrypt) | [`limits::BCRYPT_COST`] |
//! | MD5-CRYPT, MD5 | `$1$` | it is always the same |
//! | SSHA512, SSHA256, SSHA, SMD5 | base64 of digest and salt | likewise |
//! | SHA512, SHA256, SHA, SHA1, LDAP-MD5, PLAIN-MD5 | the digest in base64 or hexadecimal | likewise |
//! | CRAM-MD5 | 64 hexadecimal digits | likewise |
//! | SCRAM-SHA-256, SCRAM-SHA-1 | rounds, salt and keys | [`limits::SCRAM_ROUNDS`] |
//! | PBKDF2 | `$1$salt$rounds$` and 40 hexadecimal digits | likewise |
//!
//! Behind a scheme may stand `.HEX`, `.B64` or `.BASE64`. Not known are those that a password cannot be hashed by securely and
//! that hardly anybody has: DES-CRYPT, LANMAN, NTLM, DIGEST-MD5, OTP, RPA.
//!
//! Nothing here says what was in a field, neither in an error nor in `Debug`.

use std::fmt;
use std::num::NonZeroU32;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use md5::{Digest, Md5};
use ring::digest;
use subtle::ConstantTimeEq;

use super::{make, proof, same};
use crate::limits;
use crate::wire::sasl::{CramKeys, ScramKeys, decode};
use crate::wire::saslprep;

/// What a password is checked against.
pub(super) enum Secret {
    /// In the clear.
    Plain(Box<[u8]>),
    /// `$5$` or `$6$`, checked to be well-formed and affordable.
    ShaCrypt(Box<str>),
    /// `$argon2id$` or `$argon2i$`, likewise.
    Argon2(Box<argon2::PasswordHash>),
    /// `$y$`, likewise.
    Yescrypt(Box<str>),
    /// `$2a$`, `$2b$`, `$2y$`, likewise: cost, salt, hash.
    Bcrypt(u32, [u8; 16], [u8; 23]),
    /// `$1$`: salt and hash.
    Md5Crypt(Box<[u8]>, Box<str>),
    /// The digest of the password and a salt behind it, which may be empty.
    Digest(Function, Box<[u8]>, Box<[u8]>),
    /// `{CRAM-MD5}`, as Dovecot has it: enough for CRAM-MD5, and for a password too.
    Cram(CramKeys),
    /// `{SCRAM-SHA-256}iterations,salt,stored key,server key`, as Dovecot has it.
    Scram(Box<ScramKeys>),
    /// `{SCRAM-SHA-1}` (the first): the key that is stored; `{PBKDF2}`: the one that is derived. Salt and rounds.
    Pbkdf2(OfSha1, Box<[u8]>, NonZeroU32, [u8; 20]),
    /// Gets mail, but nobody logs in (an empty password, `!`, `*`).
    Locked,
}

impl Secret {
    /// The password field of a passwd-file. Never says what was in it.
    pub(super) fn parse(field: &str) -> Result<Self, String> {
        if field.is_empty() || field.starts_with('!') || field.starts_with('*') {
            return Ok(Self::Locked);
        }
        let (scheme, value) = match field.strip_prefix('{') {
            Some(rest) => rest
                .split_once('}')
                .ok_or("the scheme has no `}`: write `{SCHEME}hash`")?,
            // Dovecot's default for a passwd-file.
            None => ("CRYPT", field),
        };
        let upper = scheme.to_ascii_uppercase();
        let (name, encoding) = match upper.split_once('.') {
            Some((name, "B64" | "BASE64")) => (name, Some(Encoding::Base64)),
            Some((name, "HEX")) => (name, Some(Encoding::Hexadecimal)),
            _ => (&*upper, None),
        };
        if let Some((function, salted)) = Function::of_scheme(name) {
            return Self::parse_digest(function, salted, value, encoding);
        }
        match name {
            "PLAIN" | "CLEAR" | "CLEARTEXT" => match encoding {
                None => Ok(Self::Plain(value.as_bytes().into())),
                Some(encoding) => encoding
                    .decode(value)
                    .map(|octets| Self::Plain(octets.into()))
                    .ok_or_else(|| format!("{{{upper}}}: the password is not in that encoding")),
            },
            "CRYPT" | "SHA512-CRYPT" | "SHA256-CRYPT" | "ARGON2ID" | "ARGON2I" | "MD5-CRYPT"
            | "MD5" | "BLF-CRYPT"
                if encoding.is_none() =>
            {
                Self::parse_hash(value)
            }
            "CRAM-MD5" if encoding.is_none() => CramKeys::parse(value.as_bytes())
                .map(Self::Cram)
                .ok_or_else(|| {
                    "a broken CRAM-MD5 secret: 64 hexadecimal digits would be right".to_owned()
                }),
            "SCRAM-SHA-256" if encoding.is_none() => {
                proof::parse_scram(value).map(|keys| Self::Scram(Box::new(keys)))
            }
            "SCRAM-SHA-1" if encoding.is_none() => Self::parse_scram_sha1(value),
            "PBKDF2" if encoding.is_none() => Self::parse_pbkdf2(value),
            _ => Err(format!(
                "unknown scheme {{{}}}: {SCHEMES}",
                scheme.escape_default()
            )),
        }
    }

    fn parse_hash(hash: &str) -> Result<Self, String> {
        if hash.starts_with("$5$") || hash.starts_with("$6$") {
            return Self::parse_sha_crypt(hash);
        }
        if hash.starts_with("$argon2id$") || hash.starts_with("$argon2i$") {
            return Self::parse_argon2(hash);
        }
        if let Some(rest) = hash.strip_prefix("$y$") {
            return Self::parse_yescrypt(hash, rest);
        }
        if ["$2a$", "$2b$", "$2y$"]
            .iter()
            .any(|kind| hash.starts_with(kind))
        {
            return Self::parse_bcrypt(&hash[4..]);
        }
        if let Some(rest) = hash.strip_prefix("$1$") {
            return match rest.split_once('$') {
                Some((salt, digest)) if salt.len() <= 8 && digest.len() == 22 => {
                    Ok(Self::Md5Crypt(salt.as_bytes().into(), digest.into()))
                }
                _ => Err(
                    "a broken MD5-crypt hash: `$1$salt$` and 22 characters would be right"
                        .to_owned(),
                ),
            };
        }
        Err(format!(
            "this hash is of no kind that can be checked here (does a scheme such as {{PLAIN}} stand before a plain \
             password?): {SCHEMES}"
        ))
    }

    fn parse_sha_crypt(hash: &str) -> Result<Self, String> {
        let fields: Vec<&str> = hash.split('$').skip(2).collect();
        let (rounds, digest) = match fields[..] {
            [rounds, _, digest] => (rounds.strip_prefix("rounds="), digest),
            [_, digest] => (Some("5000"), digest),
            _ => (None, ""),
        };
        let octets = if hash.starts_with("$5$") { 43 } else { 86 };
        let rounds: Option<u32> = rounds.and_then(|rounds| rounds.parse().ok());
        match rounds {
            Some(1000..=limits::SHA_CRYPT_ROUNDS) if digest.len() == octets => {
                Ok(Self::ShaCrypt(hash.into()))
            }
            Some(rounds) if digest.len() == octets => Err(format!(
                "rounds={rounds} is outside 1000 to {}: hash the password again",
                limits::SHA_CRYPT_ROUNDS
            )),
            _ => Err(
                "a broken SHA-crypt hash: `$6$salt$` and 86 characters would be right, or `$5$salt$` and 43"
                    .to_owned(),
            ),
        }
    }

    fn parse_argon2(hash: &str) -> Result<Self, String> {
        let broken = || {
            "a broken Argon2 hash: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash` would be right"
                .to_owned()
        };
        let hash = argon2::PasswordHash::new(hash).map_err(|_| broken())?;
        let cost = argon2::Params::try_from(&hash).map_err(|_| broken())?;
        if hash.salt.is_none() || hash.hash.is_none() {
            return Err(broken());
        }
        if cost.m_cost() > limits::ARGON2_MEMORY
            || cost.t_cost() > limits::ARGON2_PASSES
            || cost.p_cost() > limits::ARGON2_LANES
        {
            return Err(format!(
                "m={},t={},p={} costs more than this server spends on a password (m={},t={},p={}): hash it again",
                cost.m_cost(),
                cost.t_cost(),
                cost.p_cost(),
                limits::ARGON2_MEMORY,
                limits::ARGON2_PASSES,
                limits::ARGON2_LANES
            ));
        }
        Ok(Self::Argon2(Box::new(hash)))
    }

    fn parse_yescrypt(hash: &str, rest: &str) -> Result<Self, String> {
        let broken =
            || "a broken yescrypt hash: `$y$j9T$salt$` and 43 characters would be right".to_owned();
        let fields: Vec<&str> = rest.split('$').collect();
        let [cost, salt, digest] = fields[..] else {
            return Err(broken());
        };
        let params = cost.parse::<yescrypt::Params>().map_err(|_| broken())?;
        if salt.is_empty() || digest.len() != 43 {
            return Err(broken());
        }
        let memory = params.n().saturating_mul(128 * u64::from(params.r()));
        // Three characters say how it is done, N and r; what would stand behind them makes it take longer (p, t, g).
        if cost.len() > 3 || memory > u64::from(limits::ARGON2_MEMORY) * 1024 {
            return Err(format!(
                "${cost}$ costs more than this server spends on a password ({} KiB of memory, once): hash it again",
                limits::ARGON2_MEMORY
            ));
        }
        Ok(Self::Yescrypt(hash.into()))
    }

    /// `05$` and 22 characters of salt and 31 of the hash.
    fn parse_bcrypt(rest: &str) -> Result<Self, String> {
        let broken =
            || "a broken bcrypt hash: `$2y$10$` and 53 characters would be right".to_owned();
        let (cost, digits) = rest.split_once('$').ok_or_else(broken)?;
        let cost: u32 = cost.parse().map_err(|_| broken())?;
        if digits.len() != 53 || !digits.is_ascii() {
            return Err(broken());
        }
        if !(4..=limits::BCRYPT_COST).contains(&cost) {
            return Err(format!(
                "a cost of {cost} is outside 4 to {}: hash the password again",
                limits::BCRYPT_COST
            ));
        }
        let octets = |digits: &str| BCRYPT.decode(digits).map_err(|_| broken());
        let salt = octets(&digits[..22])?.try_into().map_err(|_| broken())?;
        let hash = octets(&digits[22..])?.try_into().map_err(|_| broken())?;
        Ok(Self::Bcrypt(cost, salt, hash))
    }

    /// `4096,c2FsdA==,STORED,SERVER`
    fn parse_scram_sha1(value: &str) -> Result<Self, String> {
        let fields: Vec<&str> = value.split(',').collect();
        let parsed = match fields[..] {
            [rounds, salt, stored, _] => rounds.parse().ok().zip(
                decode(salt.as_bytes())
                    .ok()
                    .zip(decode(stored.as_bytes()).ok()),
            ),
            _ => None,
        };
        let broken = "a broken SCRAM-SHA-1 secret: `4096,salt,storedkey,serverkey` would be right, the last three in base64";
        let (rounds, (salt, stored)) = parsed.ok_or(broken)?;
        let stored = stored.try_into().map_err(|_| broken)?;
        Ok(Self::Pbkdf2(
            OfSha1::Scram,
            salt.into(),
            affordable(rounds)?,
            stored,
        ))
    }

    /// `$1$salt$5000$` and hexadecimal digits
    fn parse_pbkdf2(value: &str) -> Result<Self, String> {
        let fields: Vec<&str> = value.split('$').collect();
        let parsed = match fields[..] {
            ["", "1", salt, rounds, digest] => rounds
                .parse()
                .ok()
                .zip(Encoding::Hexadecimal.decode(digest))
                .map(|both| (salt, both)),
            _ => None,
        };
        let broken =
            "a broken PBKDF2 hash: `$1$salt$5000$` and 40 hexadecimal digits would be right";
        let (salt, (rounds, digest)) = parsed.ok_or(broken)?;
        let digest = digest.try_into().map_err(|_| broken)?;
        Ok(Self::Pbkdf2(
            OfSha1::Derived,
            salt.as_bytes().into(),
            affordable(rounds)?,
            digest,
        ))
    }

    fn parse_digest(
        function: Function,
        salted: Salted,
        value: &str,
        encoding: Option<Encoding>,
    ) -> Result<Self, String> {
        let length = function.octets();
        // As Dovecot: what has the length of hexadecimal digits is taken for them.
        let guessed = match value.len() == 2 * length && salted == Salted::No {
            true => Encoding::Hexadecimal,
            false => Encoding::Base64,
        };
        let octets = encoding.unwrap_or(guessed).decode(value);
        let octets = octets.filter(|octets| match salted {
            Salted::No => octets.len() == length,
            Salted::Yes => octets.len() > length,
        });
        match octets {
            Some(octets) => {
                let (digest, salt) = octets.split_at(length);
                Ok(Self::Digest(function, digest.into(), salt.into()))
            }
            None => Err(format!(
                "a broken hash: base64 of {length} octets{} would be right",
                match salted {
                    Salted::No => "",
                    Salted::Yes => " and a salt",
                }
            )),
        }
    }

    /// The comparison itself takes the same time wherever they differ.
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        // What was hashed before, or elsewhere, may be what was typed.
        let prepared = saslprep::password(password);
        self.is_of(password) || *prepared != *password && self.is_of(&prepared)
    }

    fn is_of(&self, password: &[u8]) -> bool {
        match self {
            Self::Plain(secret) => same(&saslprep::password(secret), &saslprep::password(password)),
            Self::ShaCrypt(hash) => {
                use sha_crypt::PasswordVerifier;
                let hash: &str = hash;
                sha_crypt::ShaCrypt::default()
                    .verify_password(password, hash)
                    .is_ok()
            }
            Self::Argon2(hash) => {
                use argon2::PasswordVerifier;
                argon2::Argon2::default()
                    .verify_password(password, &**hash)
                    .is_ok()
            }
            Self::Yescrypt(hash) => {
                use yescrypt::PasswordVerifier;
                let hash: &str = hash;
                yescrypt::Yescrypt::default()
                    .verify_password(password, hash)
                    .is_ok()
            }
            Self::Bcrypt(cost, salt, hash) => {
                // As crypt has it: a NUL ends the password and counts, octets behind the 72nd do not.
                let end = password.iter().position(|&octet| octet == 0);
                let password = &password[..end.unwrap_or(password.len())];
                let key: Vec<u8> = password.iter().copied().chain([0]).take(72).collect();
                let made = bcrypt::bcrypt(*cost, *salt, &key);
                bool::from(made[..hash.len()].ct_eq(hash))
            }
            Self::Md5Crypt(salt, digest) => bool::from(
                md5_crypt(password, salt)
                    .as_bytes()
                    .ct_eq(digest.as_bytes()),
            ),
            Self::Digest(function, digest, salt) => {
                bool::from(function.of(password, salt)[..].ct_eq(digest))
            }
            Self::Cram(keys) => keys.is_of(password),
            Self::Scram(keys) => {
                let derived = ScramKeys::derive(password, keys.salt.clone(), keys.iterations);
                bool::from(derived.stored_key.ct_eq(&keys.stored_key))
            }
            Self::Pbkdf2(kind, salt, rounds, known) => {
                let made = match kind {
                    OfSha1::Scram => make::scram_sha1_stored(password, salt, *rounds),
                    OfSha1::Derived => make::pbkdf2_sha1(password, salt, *rounds),
                };
                bool::from(made.ct_eq(known))
            }
            Self::Locked => false,
        }
    }
}

/// What is kept of what PBKDF2 with SHA-1 makes of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OfSha1 {
    /// SCRAM's stored key.
    Scram,
    /// All of it.
    Derived,
}

fn affordable(rounds: NonZeroU32) -> Result<NonZeroU32, String> {
    match rounds.get() <= limits::SCRAM_ROUNDS {
        true => Ok(rounds),
        false => Err(format!(
            "{rounds} rounds are more than {}: hash the password again",
            limits::SCRAM_ROUNDS
        )),
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Plain(_) => "{PLAIN}********",
            Self::ShaCrypt(_) => "{CRYPT}********",
            Self::Argon2(_) => "{ARGON2}********",
            Self::Yescrypt(_) | Self::Md5Crypt(..) => "{CRYPT}********",
            Self::Bcrypt(..) => "{BLF-CRYPT}********",
            Self::Digest(..) => "{digest}********",
            Self::Cram(_) => "{CRAM-MD5}********",
            Self::Scram(_) => "{SCRAM-SHA-256}********",
            Self::Pbkdf2(..) => "{PBKDF2}********",
            Self::Locked => "locked",
        })
    }
}

/// How octets are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Base64,
    Hexadecimal,
}

impl Encoding {
    fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Base64 => decode(text.as_bytes()).ok(),
            Self::Hexadecimal => {
                let digits = text.as_bytes();
                let whole =
                    digits.len().is_multiple_of(2) && digits.iter().all(u8::is_ascii_hexdigit);
                let octet = |at| u8::from_str_radix(&text[at..at + 2], 16).ok();
                whole
                    .then(|| (0..digits.len()).step_by(2).map(octet).collect())
                    .flatten()
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Salted {
    Yes,
    No,
}

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

impl Function {
    fn of_scheme(name: &str) -> Option<(Self, Salted)> {
        Some(match name {
            "SSHA512" => (Self::Sha512, Salted::Yes),
            "SSHA256" => (Self::Sha256, Salted::Yes),
            "SSHA" => (Self::Sha1, Salted::Yes),
            "SMD5" => (Self::Md5, Salted::Yes),
            "SHA512" => (Self::Sha512, Salted::No),
            "SHA256" => (Self::Sha256, Salted::No),
            "SHA" | "SHA1" => (Self::Sha1, Salted::No),
            "LDAP-MD5" | "PLAIN-MD5" => (Self::Md5, Salted::No),
            _ => return None,
        })
    }

    const fn octets(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    fn of(self, password: &[u8], salt: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Md5 => {
                let hash = Md5::new().chain_update(password).chain_update(salt);
                return hash.finalize().to_vec();
            }
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        };
        let mut hash = digest::Context::new(algorithm);
        hash.update(password);
        hash.update(salt);
        hash.finish().as_ref().to_vec()
    }
}

/// The last field of `$1$salt$`: FreeBSD's crypt of 1994, a thousand rounds of MD5.
fn md5_crypt(password: &[u8], salt: &[u8]) -> String {
    let both = Md5::new()
        .chain_update(password)
        .chain_update(salt)
        .chain_update(password)
        .finalize();
    let mut hash = Md5::new()
        .chain_update(password)
        .chain_update(b"$1$")
        .chain_update(salt);
    for begin in (0..password.len()).step_by(both.len()) {
        hash.update(&both[..both.len().min(password.len() - begin)]);
    }
    let mut bits = password.len();
    while bits > 0 {
        match (bits & 1, password.first()) {
            (0, Some(first)) => hash.update([*first]),
            _ => hash.update([0]),
        }
        bits >>= 1;
    }
    let mut digest = hash.finalize();
    for round in 0..1000 {
        let mut hash = Md5::new();
        let odd = round % 2 == 1;
        match odd {
            true => hash.update(password),
            false => hash.update(digest),
        }
        if round % 3 > 0 {
            hash.update(salt);
        }
        if round % 7 > 0 {
            hash.update(password);
        }
        match odd {
            true => hash.update(digest),
            false => hash.update(password),
        }
        digest = hash.finalize();
    }
    let mut text = String::with_capacity(22);
    let mut put = |mut bits: usize, digits: usize| {
        for _ in 0..digits {
            text.push(char::from(CRYPT_DIGITS[bits & 63]));
            bits >>= 6;
        }
    };
    let octet = |at: usize| usize::from(digest[at]);
    for [high, middle, low] in [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] {
        put(octet(high) << 16 | octet(middle) << 8 | octet(low), 4);
    }
    put(octet(11), 2);
    text
}

pub(super) const CRYPT_DIGITS: &[u8; 64] =
    b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// bcrypt's own base64, whose last digit may have bits that belong to nothing.
pub(super) const BCRYPT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::BCRYPT,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

const SCHEMES: &str = "{PLAIN} {CRYPT} {SHA512-CRYPT} {SHA256-CRYPT} {ARGON2ID} {ARGON2I} {BLF-CRYPT} {MD5-CRYPT} {SSHA512} \
                       {SSHA256} {SSHA} {SHA512} {SHA256} {SHA} {SMD5} {LDAP-MD5} {PLAIN-MD5} {CRAM-MD5} {SCRAM-SHA-256} {SCRAM-SHA-1} {PBKDF2} \
                       are known (`doveadm pw -s SHA512-CRYPT` or `openssl passwd -6` makes a hash)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_programs_hashed_takes_its_password_and_no_other() {
        // By `doveadm pw -s SCHEME -p secret` and, without a scheme, by crypt(3).
        for field in [
            "{SSHA}MzNd6qUizcjowldEexXmf2vdhTouU4aQ",
            "{SSHA256}meC5XRxSwY2oOAu/xrKIfaerh2kHzrl0xOaJCBti1Il76Hn5",
            "{SSHA256.HEX}64dffb6e120a451945dbf1fa4c3b0e5617d24dac95473eec97e017c7f37f592e5af5dd9c",
            "{SSHA512}Yk3n52JnhpHW1W4uHQGAPCUrytO13ecevMMlnWthvalLxtkH/1j/gN6TzdQaYIzKK6PKroxDQ93v4LxLo2rGWGXTf9o=",
            "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
            "{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=",
            "{sha512}vSsar3708Jvp9Szi2NWZZ02Bqp1qRCFpbcTZPdBhnWgs5WtNZKnvCXdhztmeD2cmW192CF5bDufKRpayrW/isg==",
            "{SHA512.HEX}bd2b1aaf7ef4f09be9f52ce2d8d599674d81aa9d6a4421696dc4d93dd0619d682ce56b4d64a9ef097761ced99e0f67265b5f76085e5b0ee7ca4696b2ad6fe2b2",
            "{SMD5}PkiOhWht9fUdv9qCPfsc5j8KXPw=",
            "{LDAP-MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ==",
            "{PLAIN-MD5}5ebe2294ecd0e0f08eab7690d2a6ee69",
            "{MD5-CRYPT}$1$qDkfwPtB$/vEheMgedW9uaT.DD5FTW.",
            "{MD5}$1$cXJ7PHZo$nXMVMlhnYytqbYjYhrYjC1",
            "{BLF-CRYPT}$2y$05$/JOKaFfbxrWSm58G.itNtu2SY29A3Jh0STw.lWngbWHx0c2KhpPnq",
            "{CRAM-MD5}cd3ba7deaad6e5ca23448ba42e379747a9e0f7f1fbc00c8a81bbaac395731b56",
            "{PLAIN.B64}c2VjcmV0",
            "{PBKDF2}$1$.v9jkCYVYlAeZv1b$5000$416ee88fca00f867b1c16a21af670d32f294cf1f",
            "{SCRAM-SHA-1}4096,O5XVzTxrSbegR7t5bCZZPA==,O4QlD12SQK2/yDyrZUJYdbviqng=,tyzudkIMkRcNNfBvrt6iZHSPwFI=",
            "$y$j9T$abcdefghijklmnop$3dL1LkYnZM.OVXuVdnnaKVDlLYT92dRwOzDZ5XiVCe.",
            "{CRYPT}$y$j75$abcdefghijklmnop$vZlXu1XtxOBWRxjOpQqONp1WYfMO0dN.H4xeSMU2ZvC",
            "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
            "$1$saltsalt$9xy1btjgzLYfb7hivXtC//",
        ] {
            let secret = Secret::parse(field).unwrap_or_else(|why| panic!("{field}: {why}"));
            assert!(secret.matches(b"secret"), "{field}");
            for wrong in ["secre", "secrets", "Secret", ""] {
                assert!(!secret.matches(wrong.as_bytes()), "{field}");
            }
            let shown = format!("{secret:?}");
            assert!(shown.ends_with("********"), "{shown}");
        }
    }

    #[test]
    fn what_is_broken_or_too_dear_is_refused_and_not_shown() {
        for (field, why) in [
            ("{SSHA}MzNd6qU=", "20 octets and a salt"),
            ("{SHA256}!!", "32 octets"),
            ("{CRAM-MD5}cd3b", "64 hexadecimal"),
            ("{PLAIN.HEX}zz", "not in that encoding"),
            ("$1$saltsalt$9xy1", "22 characters"),
            ("$2y$05$short", "53 characters"),
            (
                "$2y$31$/JOKaFfbxrWSm58G.itNtu2SY29A3Jh0STw.lWngbWHx0c2KhpPnq",
                "4 to 14",
            ),
            ("$y$j9T$abcdefghijklmnop$3dL1", "43 characters"),
            (
                "$y$jFT$abcdefghijklmnop$3dL1LkYnZM.OVXuVdnnaKVDlLYT92dRwOzDZ5XiVCe.",
                "KiB of memory",
            ),
            (
                "$y$j9T0/$abcdefghijklmnop$3dL1LkYnZM.OVXuVdnnaKVDlLYT92dRwOzDZ5XiVCe.",
                "hash",
            ),
            ("{PBKDF2}$1$salt$5000$416e", "40 hexadecimal"),
            (
                "{PBKDF2}$1$salt$90000000$416ee88fca00f867b1c16a21af670d32f294cf1f",
                "hash the password again",
            ),
            ("{SCRAM-SHA-1}4096,O5XV,O4QlD12SQK2,x", "in base64"),
            ("{DES-CRYPT}EcLv/7XeEVmDE", "{SHA512-CRYPT}"),
            ("{SSHA.ROT13}MzNd", "unknown scheme"),
            ("{SHA256-CRYPT.HEX}24352424", "unknown scheme"),
        ] {
            let Err(said) = Secret::parse(field) else {
                panic!("{field} was taken");
            };
            assert!(said.contains(why), "{field}: {said}");
            let value = field.rsplit(['}', '$']).next().unwrap_or_default();
            assert!(!said.contains(value), "{field}: {said}");
        }
    }
}
