//! CRAM-MD5 (RFC 2195): the server asks with a text that never was before, the client answers with its keyed hash.

use std::fmt;

use md5::block_api::compress;
use md5::{Digest, Md5};

use super::{SaslError, hexadecimal, name};

/// The challenge, in the form of a Message-ID as RFC 2195 §2 has it.
pub(super) fn challenge(nonce: &str, host: &str) -> String {
    format!("<{nonce}@{host}>")
}

/// `alice b913a602c7eda7a495b4e6e7334d3890`: the name may hold spaces.
pub(super) fn answer(message: &[u8]) -> Result<(String, [u8; 16]), SaslError> {
    let text = std::str::from_utf8(message).map_err(|_| SaslError::Name)?;
    let (user, digits) = text.rsplit_once(' ').ok_or(SaslError::Cram)?;
    let digest = hexadecimal(digits.as_bytes()).ok_or(SaslError::Cram)?;
    Ok((name(user.as_bytes())?, digest))
}

/// The keyed hash (RFC 2104) of a challenge under a password.
///
/// ```
/// use mailtool::wire::sasl::cram_digest;
///
/// let digest = cram_digest(b"tanstaaftanstaaf", b"<1896.697170952@postoffice.reston.mci.net>");
/// assert_eq!(digest[..3], [0xb9, 0x13, 0xa6]);
/// ```
pub fn cram_digest(password: &[u8], challenge: &[u8]) -> [u8; 16] {
    CramKeys::derive(password).digest(challenge)
}

/// What a server keeps of a password for CRAM-MD5 alone: where MD5 stands after the padded password, which is all that the keyed
/// hash needs of it. Not shown when printed for debugging.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CramKeys {
    outer: [u32; 4],
    inner: [u32; 4],
}

impl fmt::Debug for CramKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CramKeys(********)")
    }
}

impl CramKeys {
    /// Of a password.
    pub fn derive(password: &[u8]) -> Self {
        let mut key = [0; 64];
        if password.len() > key.len() {
            key[..16].copy_from_slice(&Md5::digest(password));
        } else {
            key[..password.len()].copy_from_slice(password);
        }
        let begun = |with: u8| {
            let mut state = BEGINNING;
            compress(&mut state, &[key.map(|octet| octet ^ with)]);
            state
        };
        Self {
            outer: begun(0x5c),
            inner: begun(0x36),
        }
    }

    /// As Dovecot writes them: 64 hexadecimal digits, the outer first.
    pub fn parse(digits: &[u8]) -> Option<Self> {
        let (outer, inner) = digits.split_at_checked(32)?;
        let words = |digits| {
            let octets = hexadecimal(digits)?;
            let word = |at: usize| [octets[at], octets[at + 1], octets[at + 2], octets[at + 3]];
            Some([0, 4, 8, 12].map(|at| u32::from_le_bytes(word(at))))
        };
        Some(Self {
            outer: words(outer)?,
            inner: words(inner)?,
        })
    }

    /// The same, written.
    pub fn to_digits(&self) -> String {
        let words = self.outer.iter().chain(&self.inner);
        let octets = words.flat_map(|word| word.to_le_bytes());
        octets.map(|octet| format!("{octet:02x}")).collect()
    }

    /// The keyed hash of a challenge.
    pub fn digest(&self, challenge: &[u8]) -> [u8; 16] {
        finish(self.outer, &finish(self.inner, challenge))
    }

    /// Whether they are of this password; in the same time wherever they differ.
    pub fn is_of(&self, password: &[u8]) -> bool {
        let other = Self::derive(password);
        let words = self.outer.iter().chain(&self.inner);
        let others = other.outer.iter().chain(&other.inner);
        words
            .zip(others)
            .fold(0, |all, (one, other)| all | (one ^ other))
            == 0
    }
}

/// The end of MD5 (RFC 1321 §3) after one block.
fn finish(mut state: [u32; 4], text: &[u8]) -> [u8; 16] {
    let mut rest = text.to_vec();
    let bits = 8 * (64 + text.len() as u64);
    rest.push(0x80);
    while rest.len() % 64 != 56 {
        rest.push(0);
    }
    rest.extend(bits.to_le_bytes());
    for chunk in rest.chunks_exact(64) {
        let mut block = [0; 64];
        block.copy_from_slice(chunk);
        compress(&mut state, &[block]);
    }
    let mut digest = [0; 16];
    for (octets, word) in digest.chunks_exact_mut(4).zip(state) {
        octets.copy_from_slice(&word.to_le_bytes());
    }
    digest
}

/// RFC 1321 §3.3
const BEGINNING: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standards() {
        // RFC 2195 §2
        let (user, digest) = answer(b"tim b913a602c7eda7a495b4e6e7334d3890").unwrap();
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        assert_eq!(
            (&*user, digest),
            ("tim", cram_digest(b"tanstaaftanstaaf", challenge))
        );
        // RFC 2202 §2, case 6: a key longer than a block
        let digest = cram_digest(
            &[0xaa; 80],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
        );
        assert_eq!(digest[..4], [0x6b, 0x1a, 0xb7, 0xfe]);
    }

    #[test]
    fn keys_are_as_dovecot_writes_them() {
        let digits = b"cd3ba7deaad6e5ca23448ba42e379747a9e0f7f1fbc00c8a81bbaac395731b56";
        let keys = CramKeys::parse(digits).expect("keys");
        assert_eq!(keys, CramKeys::derive(b"secret"));
        assert!(keys.is_of(b"secret") && !keys.is_of(b"Secret"));
        for length in [0, 1, 54, 55, 56, 63, 64, 65, 200] {
            let challenge = vec![b'x'; length];
            let mut block = [0; 64];
            block[..6].copy_from_slice(b"secret");
            let inner = Md5::digest([&block.map(|octet| octet ^ 0x36)[..], &challenge].concat());
            let outer = Md5::digest([&block.map(|octet| octet ^ 0x5c)[..], &inner].concat());
            assert_eq!(keys.digest(&challenge)[..], outer[..], "{length}");
        }
        assert_eq!(CramKeys::parse(&digits[1..]), None);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for wrong in [
            "tim",
            "tim b913",
            "tim b913a602c7eda7a495b4e6e7334d389x",
            "tim \u{e9}13a602c7eda7a495b4e6e7334d389",
        ] {
            assert_eq!(answer(wrong.as_bytes()), Err(SaslError::Cram), "{wrong}");
        }
        assert_eq!(
            answer(b" b913a602c7eda7a495b4e6e7334d3890"),
            Err(SaslError::Name)
        );
    }
}
