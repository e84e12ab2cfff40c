//! Addresses in a header, raw, for ENVELOPE (RFC 5322 §3.4, RFC 3501 §7.4.2).
//!
//! Whatever stands in the header, something comes out that a client can read: an address without a part of it gets an
//! empty one, for NIL there would mean a group.

use crate::wire::imap::response;
use crate::wire::mime::text::decoded_value;

/// Writes an address list; NIL when there is no address in it.
pub fn write_addresses(out: &mut Vec<u8>, value: Option<&[u8]>) {
    let start = out.len();
    out.push(b'(');
    Parser::new(value.unwrap_or_default(), out).list();
    if out.len() == start + 1 {
        out.truncate(start);
        out.extend_from_slice(b"NIL");
    } else {
        out.push(b')');
    }
}

/// The first address of a value, raw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The name that is shown, maybe with encoded words; empty when there is none.
    pub name: Vec<u8>,
    /// Before the `@`.
    pub local_part: Vec<u8>,
    /// After the `@`.
    pub host: Vec<u8>,
}

/// The first address of a value, which is unfolded.
pub fn first_address(value: &[u8]) -> Option<Address> {
    let mut out = Vec::new();
    let mut parser = Parser::new(value, &mut out);
    parser.list();
    parser.first
}

impl Address {
    /// What SORT's FROM and its like go by (RFC 5256 §3).
    pub fn mailbox(&self) -> String {
        String::from_utf8_lossy(&self.local_part).into_owned()
    }

    /// What is shown of it (RFC 5957 §3).
    pub fn display(&self) -> String {
        let name = decoded_value(&self.name);
        if !name.is_empty() {
            return name;
        }
        let local_part = String::from_utf8_lossy(&self.local_part);
        if self.host.is_empty() {
            local_part.into_owned()
        } else {
            format!("{local_part}@{}", String::from_utf8_lossy(&self.host))
        }
    }
}

struct Parser<'a> {
    rest: &'a [u8],
    out: &'a mut Vec<u8>,
    /// The words so far, with a space between them.
    phrase: Vec<u8>,
    /// The same without any space, if they are an address.
    spec: Vec<u8>,
    /// Where in `spec` the last `@` outside of quotes stands.
    at: Option<usize>,
    /// The last comment: `alice@example.org (Alice)` was the old way of giving a name.
    comment: Vec<u8>,
    in_group: bool,
    first: Option<Address>,
}

impl<'a> Parser<'a> {
    const fn new(rest: &'a [u8], out: &'a mut Vec<u8>) -> Self {
        Self {
            rest,
            out,
            phrase: Vec::new(),
            spec: Vec::new(),
            at: None,
            comment: Vec::new(),
            in_group: false,
            first: None,
        }
    }

    fn list(&mut self) {
        while let Some((&byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            match byte {
                b',' => self.bare(),
                b'<' => self.angle(),
                b':' if !self.in_group && self.at.is_none() => {
                    self.in_group = true;
                    let name = std::mem::take(&mut self.phrase);
                    self.clear();
                    self.write(None, None, Some(&name), None);
                }
                b';' => {
                    self.bare();
                    if std::mem::take(&mut self.in_group) {
                        self.write(None, None, None, None);
                    }
                }
                b'(' => self.comment = self.nested_comment(),
                b'"' => {
                    let text = self.quoted();
                    self.word(&text);
                }
                b' ' | b'\t' => {
                    if !matches!(self.phrase.last(), None | Some(b' ')) {
                        self.phrase.push(b' ');
                    }
                }
                _ => {
                    if byte == b'@' {
                        self.at = Some(self.spec.len());
                    }
                    self.word(&[byte]);
                }
            }
        }
        self.bare();
        if self.in_group {
            self.write(None, None, None, None);
        }
    }

    fn word(&mut self, text: &[u8]) {
        self.phrase.extend_from_slice(text);
        self.spec.extend_from_slice(text);
    }

    fn clear(&mut self) {
        self.phrase.clear();
        self.spec.clear();
        self.comment.clear();
        self.at = None;
    }

    /// The end of an address without angle brackets.
    fn bare(&mut self) {
        if !self.spec.is_empty() {
            let spec = std::mem::take(&mut self.spec);
            let comment = std::mem::take(&mut self.comment);
            let name = (!comment.is_empty()).then_some(&comment[..]);
            let (mailbox, host) = split(&spec, self.at);
            self.write(name, None, Some(mailbox), Some(host));
        }
        self.clear();
    }

    /// `<` was read.
    fn angle(&mut self) {
        let mut name = std::mem::take(&mut self.phrase);
        name.truncate(name.trim_ascii_end().len());
        if name.is_empty() {
            name = std::mem::take(&mut self.comment);
        }
        self.clear();
        let mut route: Option<Vec<u8>> = None;
        while let Some((&byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            match byte {
                b'>' => break,
                b'(' => {
                    self.nested_comment();
                }
                b'"' => {
                    let text = self.quoted();
                    self.spec.extend_from_slice(&text);
                }
                b' ' | b'\t' => {}
                // RFC 5322 §4.4, obs-route: `<@relay,@other:alice@example.org>`
                b':' if self.spec.first() == Some(&b'@') => {
                    route = Some(std::mem::take(&mut self.spec));
                    self.at = None;
                }
                _ => {
                    if byte == b'@' {
                        self.at = Some(self.spec.len());
                    }
                    self.spec.push(byte);
                }
            }
        }
        let spec = std::mem::take(&mut self.spec);
        let (mailbox, host) = split(&spec, self.at);
        let name = (!name.is_empty()).then_some(&name[..]);
        self.write(name, route.as_deref(), Some(mailbox), Some(host));
        self.clear();
        // QUIRK: what stands between `>` and the next comma is nobody's.
        let end = self
            .rest
            .iter()
            .position(|byte| matches!(byte, b',' | b';'))
            .unwrap_or(self.rest.len());
        self.rest = &self.rest[end..];
    }

    /// `"` was read.
    fn quoted(&mut self) -> Vec<u8> {
        self.delimited(b'"', None)
    }

    /// `(` was read.
    fn nested_comment(&mut self) -> Vec<u8> {
        self.delimited(b')', Some(b'('))
    }

    fn delimited(&mut self, close: u8, open: Option<u8>) -> Vec<u8> {
        let mut text = Vec::new();
        let mut depth = 1;
        let mut bytes = self.rest.iter();
        while let Some(&byte) = bytes.next() {
            if byte == b'\\' {
                text.extend(bytes.next());
                continue;
            }
            if byte == close {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            depth += usize::from(Some(byte) == open);
            text.push(byte);
        }
        self.rest = bytes.as_slice();
        text
    }

    fn write(
        &mut self,
        name: Option<&[u8]>,
        route: Option<&[u8]>,
        mailbox: Option<&[u8]>,
        host: Option<&[u8]>,
    ) {
        if self.first.is_none() {
            let text = |part: Option<&[u8]>| part.unwrap_or_default().to_vec();
            self.first = Some(Address {
                name: text(name),
                local_part: text(mailbox),
                host: text(host),
            });
        }
        self.out.push(b'(');
        for (position, part) in [name, route, mailbox, host].into_iter().enumerate() {
            if position > 0 {
                self.out.push(b' ');
            }
            response::nstring(self.out, part);
        }
        self.out.push(b')');
    }
}

fn split(spec: &[u8], at: Option<usize>) -> (&[u8], &[u8]) {
    match at {
        Some(at) => (&spec[..at], &spec[at + 1..]),
        None => (spec, b""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(value: &str) -> String {
        let mut out = Vec::new();
        write_addresses(&mut out, Some(value.as_bytes()));
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn addresses_of_each_form() {
        for (value, expected) in [
            ("", "NIL"),
            (" , ,", "NIL"),
            ("a@b", "((NIL NIL \"a\" \"b\"))"),
            ("A B <a@b>", "((\"A B\" NIL \"a\" \"b\"))"),
            (
                "\"B, A\" <a@b>, c@d (C)",
                "((\"B, A\" NIL \"a\" \"b\")(\"C\" NIL \"c\" \"d\"))",
            ),
            (
                "=?utf-8?q?=C3=A9?= <\"x y@z\"@b>",
                "((\"=?utf-8?q?=C3=A9?=\" NIL \"x y@z\" \"b\"))",
            ),
            (
                "A group:Ed <e@x>,j@y;, z@z",
                "((NIL NIL \"A group\" NIL)(\"Ed\" NIL \"e\" \"x\")(NIL NIL \"j\" \"y\")(NIL NIL NIL NIL)(NIL NIL \"z\" \"z\"))",
            ),
            (
                "Undisclosed recipients:;",
                "((NIL NIL \"Undisclosed recipients\" NIL)(NIL NIL NIL NIL))",
            ),
            ("<@r,@s:a@b>", "((NIL \"@r,@s\" \"a\" \"b\"))"),
            ("root", "((NIL NIL \"root\" \"\"))"),
            ("<>", "((NIL NIL \"\" \"\"))"),
            ("a@[127.0.0.1]", "((NIL NIL \"a\" \"[127.0.0.1]\"))"),
            ("a . b @ c", "((NIL NIL \"a.b\" \"c\"))"),
            ("(only a comment)", "NIL"),
        ] {
            assert_eq!(written(value), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn parentheses_are_balanced(value in "[a-c@<>(),;:\"\\\\ ]{0,30}") {
            let written = written(&value);
            let mut depth = 0;
            let mut quoted = false;
            let mut bytes = written.bytes();
            while let Some(byte) = bytes.next() {
                match byte {
                    b'\\' if quoted => { bytes.next(); }
                    b'"' => quoted = !quoted,
                    b'(' if !quoted => depth += 1,
                    b')' if !quoted => { depth -= 1; prop_assert!(depth >= 0); }
                    _ => {}
                }
            }
            prop_assert!(!quoted && depth == 0);
        }
    }
}
