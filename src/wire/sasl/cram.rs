//! CRAM-MD5 (RFC 2195): the server asks with a text that never was before, the client answers with its keyed hash.

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
    let mut key = [0; 64];
    if password.len() > key.len() {
        key[..16].copy_from_slice(&Md5::digest(password));
    } else {
        key[..password.len()].copy_from_slice(password);
    }
    let padded = |with: u8| key.map(|octet| octet ^ with);
    let inner = Md5::new()
        .chain_update(padded(0x36))
        .chain_update(challenge);
    let outer = Md5::new()
        .chain_update(padded(0x5c))
        .chain_update(inner.finalize());
    outer.finalize().into()
}

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
