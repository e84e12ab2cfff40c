//! APOP (RFC 1939 §7): POP3's own way to prove a password without showing it, older than SASL. The greeting has a text that never
//! was before, and the client answers with the hash of it and the password.

use md5::{Digest, Md5};

/// The hash of a greeting's timestamp, brackets included, and a password.
///
/// ```
/// use mailtool::wire::sasl::{apop_digest, hexadecimal};
///
/// // The example of RFC 1939 §7.
/// let digest = apop_digest(b"<1896.697170952@dbc.mtview.ca.us>", b"tanstaaf");
/// assert_eq!(hexadecimal(b"c4c9334bac560ecc979e58001b3e22fb"), Some(digest));
/// ```
pub fn apop_digest(timestamp: &[u8], password: &[u8]) -> [u8; 16] {
    Md5::new()
        .chain_update(timestamp)
        .chain_update(password)
        .finalize()
        .into()
}

/// 16 octets that were written as 32 hexadecimal digits.
pub fn hexadecimal(digits: &[u8]) -> Option<[u8; 16]> {
    let digits = std::str::from_utf8(digits).ok()?;
    if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut octets = [0; 16];
    for (octet, at) in octets.iter_mut().zip((0..32).step_by(2)) {
        *octet = u8::from_str_radix(&digits[at..at + 2], 16).ok()?;
    }
    Some(octets)
}
