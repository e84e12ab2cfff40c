//! Decoded texts, for SEARCH: header values with their encoded words (RFC 2047), bodies with their transfer encoding and
//! charset. What cannot be decoded is taken as it stands.

use std::borrow::Cow;

use mail_parser::HeaderValue;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::parsers::MessageStream;

use crate::wire::casemap::casemap;
use crate::wire::mime::address::write_addresses;
use crate::wire::mime::header::{self, Parameterized, unfold};
use crate::wire::mime::structure::{Content, Part};

/// A text to look for, whatever its case: i;unicode-casemap (RFC 5051).
#[derive(Clone, Debug)]
pub struct Needle(String);

impl Needle {
    /// Looks for `text`.
    pub fn new(text: &str) -> Self {
        Self(casemap(text))
    }

    /// Whether `text` holds it.
    pub fn is_in(&self, text: &str) -> bool {
        if text.is_ascii() {
            return self.is_in_ascii(text.as_bytes());
        }
        memchr::memmem::find(casemap(text).as_bytes(), self.0.as_bytes()).is_some()
    }

    /// Most mail is ASCII, and some of it is large: it is searched where it lies.
    fn is_in_ascii(&self, text: &[u8]) -> bool {
        let needle = self.0.as_bytes();
        let Some(&first) = needle.first() else {
            return true;
        };
        let Some(last_start) = text.len().checked_sub(needle.len()) else {
            return false;
        };
        memchr::memchr2_iter(first, first.to_ascii_lowercase(), &text[..=last_start])
            .any(|at| text[at..at + needle.len()].eq_ignore_ascii_case(needle))
    }

    /// Whether a field of this name holds it; an empty needle is in any such field (RFC 3501 §6.4.4, HEADER).
    pub fn is_in_field(&self, header: &[u8], name: &str) -> bool {
        header::Fields::new(header)
            .filter(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .any(|field| {
                self.0.is_empty()
                    || self.is_in(&decoded_value(field.value))
                    || self.is_in_addresses(field.value, name)
            })
    }

    /// Whether an address holds it that has comments or spaces in it: ENVELOPE, which FROM and its like are about, has none
    /// (RFC 3501 §6.4.4).
    fn is_in_addresses(&self, value: &[u8], name: &str) -> bool {
        let people = ["From", "To", "Cc", "Bcc"];
        let is_one = people.iter().any(|known| name.eq_ignore_ascii_case(known));
        if !self.0.contains('@') || !is_one {
            return false;
        }
        let mut list = Vec::new();
        write_addresses(&mut list, Some(&unfold(value)));
        self.is_in(&String::from_utf8_lossy(&list).replace("\" \"", "@"))
    }

    /// Whether any field of a header holds it, names included.
    pub fn is_in_header(&self, header: &[u8]) -> bool {
        header::Fields::new(header).any(|field| {
            let value = decoded_value(field.value);
            self.is_in(&format!("{}: {value}", String::from_utf8_lossy(field.name)))
        })
    }

    /// Whether a header or a text of `part`, or of what is in it, holds it: so the names of attached files are found.
    pub fn is_in_text(&self, message: &[u8], part: &Part) -> bool {
        self.is_in_header(&message[part.header.clone()])
            || match &part.content {
                Content::Multipart(parts) => {
                    parts.iter().any(|part| self.is_in_text(message, part))
                }
                Content::Message(inner) => self.is_in_text(message, inner),
                Content::Leaf => self.is_in_body(message, part),
            }
    }

    /// Whether a text in the body of `part` holds it, or the header of a message in there.
    pub fn is_in_body(&self, message: &[u8], part: &Part) -> bool {
        match &part.content {
            Content::Multipart(parts) => parts.iter().any(|part| self.is_in_body(message, part)),
            Content::Message(inner) => {
                self.is_in_header(&message[inner.header.clone()]) || self.is_in_body(message, inner)
            }
            Content::Leaf => decoded_body(message, part).is_some_and(|text| self.is_in(&text)),
        }
    }
}

/// A header value as a person reads it.
pub fn decoded_value(value: &[u8]) -> String {
    let line = [&unfold(value)[..], b"\n"].concat();
    match MessageStream::new(&line).parse_unstructured() {
        HeaderValue::Text(text) => text.into_owned(),
        _ => String::new(),
    }
}

/// The text of a part as a person reads it; `None` when it is no text.
fn decoded_body<'a>(message: &'a [u8], part: &Part) -> Option<Cow<'a, str>> {
    let media = part.media_type(message);
    let is_text = media.word.len() >= 5 && media.word[..5].eq_ignore_ascii_case(b"text/");
    if !is_text {
        return None;
    }
    let body = &message[part.body.clone()];
    let encoding = header::value(&message[part.header.clone()], "Content-Transfer-Encoding")
        .map(|value| Parameterized::parse(&value).word.to_ascii_lowercase());
    let decoded = match encoding.as_deref() {
        Some(b"base64") => base64_decode(body),
        Some(b"quoted-printable") => quoted_printable_decode(body),
        _ => None,
    };
    let charset = media.parameter("charset");
    let decoder = charset.and_then(charset_decoder);
    let octets = decoded.as_deref().unwrap_or(body);
    Some(match (decoder, decoded.is_some()) {
        (_, false) if charset.is_none_or(extends_ascii) && body.is_ascii() => {
            String::from_utf8_lossy(body)
        }
        (Some(decode), _) => Cow::Owned(decode(octets)),
        (None, false) => String::from_utf8_lossy(body),
        (None, true) => Cow::Owned(String::from_utf8_lossy(octets).into_owned()),
    })
}

/// Whether ASCII octets are ASCII in this charset; in ISO-2022-JP and UTF-7, for example, they are not.
fn extends_ascii(charset: &[u8]) -> bool {
    ["us-ascii", "utf-8", "iso-8859-", "windows-125"]
        .iter()
        .any(|known| {
            charset.len() >= known.len()
                && charset[..known.len()].eq_ignore_ascii_case(known.as_bytes())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_decoded() {
        let header =
            "Subject: =?utf-8?q?=C3=89t=C3=A9?=\r\n =?iso-8859-1?b?6Q==?= Fin\r\nX-Empty:\r\n\r\n";
        assert_eq!(
            decoded_value(b" =?utf-8?q?=C3=89t=C3=A9?=\r\n fin\r\n"),
            "Été fin"
        );
        assert!(Needle::new("ÉTÉÉ fin").is_in_field(header.as_bytes(), "subject"));
        assert!(!Needle::new("hiver").is_in_field(header.as_bytes(), "subject"));
        assert!(Needle::new("").is_in_field(header.as_bytes(), "x-empty"));
        assert!(!Needle::new("").is_in_field(header.as_bytes(), "x-none"));
    }

    #[test]
    fn addresses_are_found_without_their_comments() {
        let header =
            b"From: <alice (at home)@ (our) example.org>\r\nTo: Bob <bob @ example.org>\r\n\
            Subject: <carol (c)@example.org>\r\n";
        let found = |text: &str, name: &str| Needle::new(text).is_in_field(header, name);
        assert!(found("ALICE@example.org", "From"));
        assert!(found("ice@exam", "from"));
        assert!(found("at home", "from"));
        assert!(found("bob@example.org", "TO"));
        assert!(!found("alice@example.org", "To"));
        assert!(!found("bob@example.com", "To"));
        assert!(!found("carol@example.org", "Subject"));
    }

    #[test]
    fn ascii_is_searched_in_any_case() {
        for (needle, text, found) in [
            ("abc", "xABCx", true),
            ("ABC", "aab abC", true),
            ("abc", "ab", false),
            ("", "", true),
            ("é", "e", false),
            ("k", "\u{212a}", true),
        ] {
            assert_eq!(Needle::new(needle).is_in(text), found, "{needle} in {text}");
        }
    }

    #[test]
    fn bodies_are_decoded() {
        let message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
            Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
            l'=E9t=\r\n=E9\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\
            PGI+R3LDvMOfZTwv\r\nYj4=\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\nbinary\r\n--b--\r\n";
        let part = Part::parse(message.as_bytes());
        let found = |text: &str| Needle::new(text).is_in_body(message.as_bytes(), &part);
        let japanese =
            b"Content-Type: text/plain; charset=ISO-2022-JP\r\n\r\n\x1b$B%a!<%k\x1b(B\r\n";
        let meaning = Needle::new("メール");
        assert!(meaning.is_in_body(japanese, &Part::parse(japanese)));
        assert!(found("L'ÉTÉ"));
        assert!(found("grüße"));
        assert!(!found("binary"));
    }
}
