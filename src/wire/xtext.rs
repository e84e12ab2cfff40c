//! xtext: how parameters of MAIL and RCPT carry any text (RFC 3461 §4), and the forms for letters outside of ASCII (RFC 6533 §3).
//!
//! What is decoded holds no control character, so that it can stand in a header and in a report.

/// Decodes `xchar` and `+HH`. `None`: not xtext, or it means something that is no text.
///
/// ```
/// use mailtool::wire::xtext::{decode, encode};
///
/// assert_eq!(decode("Bob+2BSmith@example.org").as_deref(), Some("Bob+Smith@example.org"));
/// assert_eq!(decode("a+2bc"), None);
/// assert_eq!(encode("a=b+c"), "a+3Db+2Bc");
/// ```
pub fn decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        decoded.push(match octet {
            b'+' => hexadecimal(octets.next()?)? << 4 | hexadecimal(octets.next()?)?,
            b'=' => return None,
            b'!'..=b'~' => octet,
            _ => return None,
        });
    }
    plain(String::from_utf8(decoded).ok()?)
}

/// Decodes the address of an `ORCPT` of type `utf-8` (RFC 6533 §3): `\x{E9}` is a letter, and where SMTPUTF8 was asked for, a
/// letter may stand for itself.
///
/// ```
/// use mailtool::wire::xtext::decode_utf8;
///
/// assert_eq!(decode_utf8("al\\x{EF}ce+2B1@example.org").as_deref(), Some("al\u{ef}ce+1@example.org"));
/// assert_eq!(decode_utf8("\\x{D800}"), None);
/// ```
pub fn decode_utf8(text: &str) -> Option<String> {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        rest = match first {
            '\\' => {
                let (digits, after) = after.strip_prefix("x{")?.split_once('}')?;
                let fits = (2..=6).contains(&digits.len())
                    && digits.bytes().all(|octet| hexadecimal(octet).is_some());
                let letter = u32::from_str_radix(digits, 16).ok().filter(|_| fits)?;
                decoded.push(char::from_u32(letter)?);
                after
            }
            '+' => {
                let pair = after.get(..2)?;
                decoded.push_str(&decode(&format!("+{pair}"))?);
                &after[2..]
            }
            '=' => return None,
            '!'..='~' => {
                decoded.push(first);
                after
            }
            _ if !first.is_ascii() => {
                decoded.push(first);
                after
            }
            _ => return None,
        };
    }
    plain(decoded)
}

/// Text as xtext: what is not printable ASCII, `+` and `=` become `+HH`.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'+' | b'=' => encoded.push_str(&format!("+{octet:02X}")),
            b'!'..=b'~' => encoded.push(char::from(octet)),
            _ => encoded.push_str(&format!("+{octet:02X}")),
        }
    }
    encoded
}

fn plain(text: String) -> Option<String> {
    (!text.contains(char::is_control)).then_some(text)
}

/// RFC 3461 §4: upper case only.
const fn hexadecimal(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_xtext_is_refused() {
        for text in ["a b", "+", "+4", "+4g", "a=b", "+0D+0A", "\u{e9}", "+FF"] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(decode("+C3+A9").as_deref(), Some("\u{e9}"));
        for text in [
            "\\",
            "\\x{",
            "\\x{}",
            "\\x{1}",
            "\\x{0A}",
            "\\x{110000}",
            "\\x41",
            "+\u{e9}",
        ] {
            assert_eq!(decode_utf8(text), None, "{text}");
        }
        assert_eq!(decode_utf8("\u{e9}").as_deref(), Some("\u{e9}"));
    }

    proptest! {
        #[test]
        fn it_comes_back(text in "\\P{Cc}{0,20}") {
            prop_assert_eq!(decode(&encode(&text)), Some(text));
        }

        #[test]
        fn anything_is_refused_or_read(text in ".{0,20}") {
            let _ = (decode(&text), decode_utf8(&text));
        }
    }
}
