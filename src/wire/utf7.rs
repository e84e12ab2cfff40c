//! Modified UTF-7: how mailbox names travel in IMAP4rev1, and how Maildir++ folders are named on disk (RFC 3501 §5.1.3).
//!
//! Printable US-ASCII stands for itself, but `&`, which is written `&-`; anything else is UTF-16 in base64 (with `,` for
//! `/`, and no padding) between `&` and `-`. Every name has exactly one spelling: [`decode`] takes no other, so two
//! spellings can never mean one mailbox, nor one spelling two.

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

/// The modified UTF-7 of a name.
///
/// ```
/// assert_eq!(mailtool::wire::utf7::encode("Envoyés & lus"), "Envoy&AOk-s &- lus");
/// ```
pub fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        if first == '&' {
            encoded.push_str("&-");
            rest = &rest[1..];
        } else if is_direct(first) {
            encoded.push(first);
            rest = &rest[1..];
        } else {
            let shifted = rest.find(is_direct).unwrap_or(rest.len());
            let utf16: Vec<u8> = rest[..shifted]
                .encode_utf16()
                .flat_map(u16::to_be_bytes)
                .collect();
            encoded.push('&');
            BASE64.encode_string(utf16, &mut encoded);
            encoded.push('-');
            rest = &rest[shifted..];
        }
    }
    encoded
}

/// The name that modified UTF-7 stands for; `None` for what [`encode`] would never write.
///
/// ```
/// use mailtool::wire::utf7::decode;
///
/// assert_eq!(decode("Envoy&AOk-s").as_deref(), Some("Envoyés"));
/// assert_eq!(decode("&AGE-"), None); // `a` is written `a`
/// ```
pub fn decode(encoded: &str) -> Option<String> {
    let mut name = String::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some(shift) = rest.find('&') {
        name.push_str(&rest[..shift]);
        let (base64, after) = rest[shift + 1..].split_once('-')?;
        if base64.is_empty() {
            name.push('&');
        } else {
            name.push_str(&decode_shifted(base64)?);
        }
        rest = after;
    }
    name.push_str(rest);
    // One rule for all that is not allowed: printable characters in base64, two shifts in a row, bits left over.
    (encode(&name) == encoded).then_some(name)
}

fn decode_shifted(base64: &str) -> Option<String> {
    let octets = BASE64.decode(base64).ok()?;
    let (pairs, left) = octets.as_chunks::<2>();
    if !left.is_empty() {
        return None;
    }
    char::decode_utf16(pairs.iter().map(|pair| u16::from_be_bytes(*pair)))
        .collect::<Result<_, _>>()
        .ok()
}

/// Whether a character stands for itself. `&` does so too in its way: it ends a shift.
const fn is_direct(character: char) -> bool {
    matches!(character, ' '..='~')
}

const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn examples_of_the_rfc() {
        for (name, encoded) in [
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("&", "&-"),
            ("R&D", "R&-D"),
            ("été", "&AOk-t&AOk-"),
            ("😀", "&2D3eAA-"),
            ("\u{7f}", "&AH8-"),
            ("", ""),
        ] {
            assert_eq!(encode(name), encoded);
            assert_eq!(decode(encoded).as_deref(), Some(name));
        }
    }

    #[test]
    fn only_one_spelling() {
        for bad in [
            "&Jjo",               // the shift never ends
            "&Jjo!",              // not base64
            "&U,BTFw-&ZeVnLIqe-", // the RFC's example of a superfluous shift
            "&AGE-",              // `a`
            "&2D0-",              // half a surrogate pair
            "&AOl-",              // bits left over
            "é",                  // eight bits
            "\u{7f}",
        ] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn decode_of_encode(name in any::<String>()) {
            let encoded = encode(&name);
            prop_assert!(encoded.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            prop_assert_eq!(decode(&encoded), Some(name));
        }

        #[test]
        fn anything_is_taken_or_refused(encoded in "[ -~]{0,12}|(&[A-Za-z0-9+,]{0,8}-?){0,4}") {
            if let Some(name) = decode(&encoded) {
                prop_assert_eq!(encode(&name), encoded);
            }
        }
    }
}
