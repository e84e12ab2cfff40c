//! Message text on its way out: CRLF at the end of every line, dots stuffed, a dot alone at the end (RFC 5321 §4.5.2).
//!
//! Text comes in pieces cut anywhere. What goes out holds no bare CR and no bare LF (RFC 5321 §2.3.8): a server that takes one
//! for a line end could be made to see a second message inside the first.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr2_iter};

/// A writer of dot-text. One a message.
///
/// ```
/// use mailtool::wire::dots::Stuffer;
///
/// let mut out = Vec::new();
/// let mut stuffer = Stuffer::new();
/// stuffer.text(b"Subject: x\n\n.hidden", &mut out);
/// stuffer.end(&mut out);
/// assert_eq!(out, b"Subject: x\r\n\r\n..hidden\r\n.\r\n");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Stuffer {
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    LineStart,
    Within,
    /// A CR was written with its LF; an LF that comes next belongs to it.
    AfterCr,
}

impl Default for Stuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl Stuffer {
    /// At the beginning of a message.
    pub const fn new() -> Self {
        Self { at: At::LineStart }
    }

    /// Appends a piece of the message to `out`.
    pub fn text(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let mut rest = text;
        while let Some(&first) = rest.first() {
            if self.at == At::AfterCr {
                self.at = At::LineStart;
                if first == b'\n' {
                    rest = &rest[1..];
                    continue;
                }
            }
            if self.at == At::LineStart && first == b'.' {
                out.push(b'.');
            }
            let Some(end) = memchr2(b'\r', b'\n', rest) else {
                out.extend_from_slice(rest);
                self.at = At::Within;
                return;
            };
            out.extend_from_slice(&rest[..end]);
            out.extend_from_slice(b"\r\n");
            self.at = if rest[end] == b'\r' {
                At::AfterCr
            } else {
                At::LineStart
            };
            rest = &rest[end + 1..];
        }
    }

    /// Ends the last line if need be, and appends the dot alone.
    pub fn end(self, out: &mut Vec<u8>) {
        if self.at == At::Within {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
    }
}

/// The same text with CRLF at the end of every line, the last included; borrowed when it is so already.
pub fn with_crlf(text: &[u8]) -> Cow<'_, [u8]> {
    let ended = text.is_empty() || text.ends_with(b"\r\n");
    let paired = |at: usize| match text[at] {
        b'\r' => text.get(at + 1) == Some(&b'\n'),
        _ => at > 0 && text[at - 1] == b'\r',
    };
    if ended && (memchr(b'\n', text).is_none() || memchr2_iter(b'\r', b'\n', text).all(paired)) {
        return Cow::Borrowed(text);
    }
    let mut lines = Vec::with_capacity(text.len() + text.len() / 32 + 2);
    let mut rest = text;
    while let Some(end) = memchr2(b'\r', b'\n', rest) {
        lines.extend_from_slice(&rest[..end]);
        lines.extend_from_slice(b"\r\n");
        let pair = rest[end..].starts_with(b"\r\n");
        rest = &rest[end + if pair { 2 } else { 1 }..];
    }
    lines.extend_from_slice(rest);
    if !rest.is_empty() {
        lines.extend_from_slice(b"\r\n");
    }
    Cow::Owned(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::lines::{Cut, LineReader, Want};
    use proptest::prelude::*;

    fn stuffed(pieces: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut stuffer = Stuffer::new();
        for piece in pieces {
            stuffer.text(piece, &mut out);
        }
        stuffer.end(&mut out);
        out
    }

    #[test]
    fn every_kind_of_line_end_becomes_crlf() {
        assert_eq!(
            stuffed(&[b"a\nb\rc\r\n\r\rd"]),
            b"a\r\nb\r\nc\r\n\r\n\r\nd\r\n.\r\n"
        );
        assert_eq!(
            stuffed(&[b"a\r", b"\n", b".", b".b"]),
            b"a\r\n...b\r\n.\r\n"
        );
        assert_eq!(stuffed(&[]), b".\r\n");
        assert_eq!(&*with_crlf(b"a\nb\r\n\rc"), b"a\r\nb\r\n\r\nc\r\n");
        assert!(matches!(with_crlf(b"a\r\n\r\nb\r\n"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn a_reader_gets_back_what_was_meant(text in "[a.\r\n]{0,30}", cut in 0usize..30) {
            let text = text.into_bytes();
            let (front, back) = text.split_at(cut.min(text.len()));
            let mut reader = LineReader::new();
            // As in a session: the connection has settled on CRLF before.
            reader.push(b"DATA\r\n");
            prop_assert_eq!(reader.cut(Want::Line { max: 10 }), Some(Cut::Line(b"DATA")));
            reader.push(&stuffed(&[front, back]));
            let mut read = Vec::new();
            while let Some(Cut::Text(piece)) = reader.cut(Want::DotText) {
                read.extend_from_slice(piece);
            }
            prop_assert_eq!(reader.pending(), 0);
            prop_assert_eq!(read, with_crlf(&text).into_owned());
        }
    }
}
