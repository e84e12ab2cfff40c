//! The header of a message on its way to its mailbox: passed on as it comes, in pieces of any size, and mended.
//!
//! | found | done |
//! |---|---|
//! | a Return-Path field | left out: there is to be one, from the last server (RFC 5321 §4.4) |
//! | no Date, no Message-ID, no From, in submission | added behind the other fields (RFC 6409 §8.2, §8.3) |
//! | From is not the user's, and no Sender, in submission | Sender is added (RFC 6409 §8.1) |
//! | a line that is no field, and no empty line before it: a body that a person typed | the empty line is put in, or the first words would be read as a field |
//! | Received fields | counted |
//! | From | kept for those who ask who sends, up to [`limits::FROM_VALUE`] octets |
//!
//! Nothing else is changed. It keeps: no octet is held back but the beginning of a line that may yet be a field's name, and no
//! octet is lost.

use memchr::memchr;

use crate::limits;
use crate::wire::address::Address;
use crate::wire::mailboxes::mailboxes;

/// The header of one message. See the module.
#[derive(Debug)]
pub(super) struct Header {
    state: State,
    /// The beginning of a line, not passed on yet: what may be the name of a field.
    name: Vec<u8>,
    fields: usize,
    received: usize,
    /// The value of From, once there was one.
    from: Option<Vec<u8>>,
    missing: Additions,
}

/// What a submission server adds where the client left it out (RFC 6409 §8): whole lines.
#[derive(Debug, Default)]
pub(super) struct Additions {
    pub(super) date: String,
    pub(super) message_id: String,
    /// The address of who is logged in; `None` where neither From nor Sender is added.
    pub(super) from: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At the beginning of a line, which may continue this field.
    LineStart(Field),
    Name,
    Value(Field),
    /// In the body.
    Ended,
}

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Kept,
    /// From.
    Read,
    LeftOut,
}

/// Octets of a field's name: no line may be longer (RFC 5322 §2.1.1).
const NAME: usize = 998;

impl Header {
    /// The header of a message that begins. `additions` are empty where nothing is to be added.
    pub(super) const fn new(additions: Additions) -> Self {
        Self {
            state: State::LineStart(Field::Kept),
            name: Vec::new(),
            fields: 0,
            received: 0,
            from: None,
            missing: additions,
        }
    }

    /// Appends the next piece of the message to `out`.
    pub(super) fn pass(&mut self, mut piece: &[u8], out: &mut Vec<u8>) {
        while let Some((&octet, rest)) = piece.split_first() {
            match (self.state, octet) {
                (State::Ended, _) => return out.extend_from_slice(piece),
                (State::Value(field), _) => piece = self.value(field, piece, out),
                (State::LineStart(_), b'\r' | b'\n') => self.end(out),
                (State::LineStart(field), b' ' | b'\t') if self.fields > 0 => {
                    self.state = State::Value(field);
                }
                (State::LineStart(_), _) => self.state = State::Name,
                (State::Name, _) => {
                    self.name(octet, out);
                    piece = rest;
                }
            }
        }
    }

    /// The message has ended, maybe in its header.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.state != State::Ended {
            out.append(&mut self.name);
            self.end(out);
        }
    }

    /// Received fields: how many servers the message went through.
    pub(super) const fn hops(&self) -> usize {
        self.received
    }

    /// The addresses in From; `None` when there is no such field. Whole once the header has ended.
    pub(super) fn from(&self) -> Option<Vec<Address>> {
        self.from.as_deref().map(mailboxes)
    }

    /// Takes the value of a field, up to its line's end; returns what follows.
    fn value<'a>(&mut self, field: Field, piece: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let line_feed = memchr(b'\n', piece);
        let (value, rest) = piece.split_at(line_feed.map_or(piece.len(), |at| at + 1));
        if field != Field::LeftOut {
            out.extend_from_slice(value);
        }
        if field == Field::Read
            && let Some(from) = &mut self.from
        {
            let room = limits::FROM_VALUE.saturating_sub(from.len());
            from.extend_from_slice(&value[..value.len().min(room)]);
        }
        if line_feed.is_some() {
            self.state = State::LineStart(field);
        }
        rest
    }

    /// Takes an octet at the beginning of a line (RFC 5322 §2.2; spaces before the colon: §4.5.8).
    fn name(&mut self, octet: u8, out: &mut Vec<u8>) {
        let begun = !self.name.is_empty();
        let spaced = self.name.last().is_some_and(u8::is_ascii_whitespace);
        match octet {
            b':' if begun => self.field(out),
            b' ' | b'\t' if begun && self.name.len() < NAME => self.name.push(octet),
            33..=57 | 59..=126 if !spaced && self.name.len() < NAME => self.name.push(octet),
            _ => {
                self.end(out);
                out.extend_from_slice(b"\r\n");
                out.append(&mut self.name);
                out.push(octet);
            }
        }
    }

    /// The name of a field is known.
    fn field(&mut self, out: &mut Vec<u8>) {
        let is = |name: &[u8]| self.name.trim_ascii_end().eq_ignore_ascii_case(name);
        self.fields += 1;
        self.received += usize::from(is(b"Received"));
        if is(b"Date") {
            self.missing.date.clear();
        }
        if is(b"Message-ID") {
            self.missing.message_id.clear();
        }
        let field = if is(b"Return-Path") {
            Field::LeftOut
        } else if is(b"From") && self.from.is_none() {
            Field::Read
        } else {
            Field::Kept
        };
        if is(b"Sender") {
            self.missing.from = None;
        }
        if field == Field::Read {
            self.from = Some(Vec::new());
        }
        self.state = State::Value(field);
        if field != Field::LeftOut {
            out.extend_from_slice(&self.name);
            out.push(b':');
        }
        self.name.clear();
    }

    /// No field comes any more.
    fn end(&mut self, out: &mut Vec<u8>) {
        self.state = State::Ended;
        let Additions {
            date,
            message_id,
            from,
        } = std::mem::take(&mut self.missing);
        out.extend_from_slice(date.as_bytes());
        out.extend_from_slice(message_id.as_bytes());
        let Some(user) = from else { return };
        match self.from() {
            None => out.extend_from_slice(format!("From: <{user}>\r\n").as_bytes()),
            Some(from) => {
                let same = |address: &Address| address.to_string().eq_ignore_ascii_case(&user);
                if !from.iter().any(same) {
                    out.extend_from_slice(format!("Sender: <{user}>\r\n").as_bytes());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn additions() -> Additions {
        Additions {
            date: "Date: d\r\n".to_owned(),
            message_id: "Message-ID: m\r\n".to_owned(),
            from: None,
        }
    }

    fn passed(pieces: &[&[u8]], additions: Additions) -> (String, usize) {
        let mut header = Header::new(additions);
        let mut out = Vec::new();
        for piece in pieces {
            header.pass(piece, &mut out);
        }
        header.finish(&mut out);
        (String::from_utf8_lossy(&out).into_owned(), header.hops())
    }

    #[test]
    fn received_fields_are_counted_in_any_case_and_only_in_the_header() {
        let text = "Received: a\r\n\tReceived: folded\r\nRECEIVED : b\r\nX-Received: c\r\n\r\nReceived: d\r\n";
        let (out, hops) = passed(&[text.as_bytes()], Additions::default());
        assert_eq!((out.as_str(), hops), (text, 2));
    }

    #[test]
    fn a_body_without_header_gets_its_empty_line() {
        for (text, expected) in [
            ("Hello Alice\r\n", "\r\nHello Alice\r\n"),
            (" indented\r\nx: y\r\n", "\r\n indented\r\nx: y\r\n"),
            (": x\r\n", "\r\n: x\r\n"),
            (
                "Subject: a\r\nHello Alice\r\nx: y\r\n",
                "Subject: a\r\n\r\nHello Alice\r\nx: y\r\n",
            ),
            ("\u{e9}t\u{e9}\r\n", "\r\n\u{e9}t\u{e9}\r\n"),
            ("one\r\n", "\r\none\r\n"),
            ("Subject: a\r\n", "Subject: a\r\n"),
            ("\r\nHello\r\n", "\r\nHello\r\n"),
            ("", ""),
        ] {
            let (out, _) = passed(&[text.as_bytes()], Additions::default());
            assert_eq!(out, expected, "{text}");
        }
        let endless = "a".repeat(5000);
        let (out, _) = passed(&[endless.as_bytes()], Additions::default());
        assert_eq!(out, format!("\r\n{endless}"));
    }

    #[test]
    fn what_is_missing_comes_behind_the_other_fields() {
        for (text, expected) in [
            (
                "Subject: a\r\n\r\nDate: x\r\n",
                "Subject: a\r\nDate: d\r\nMessage-ID: m\r\n\r\nDate: x\r\n",
            ),
            (
                "DATE: x\r\nSubject: a\r\n",
                "DATE: x\r\nSubject: a\r\nMessage-ID: m\r\n",
            ),
            (
                "message-id : x\r\nHello\r\n",
                "message-id : x\r\nDate: d\r\n\r\nHello\r\n",
            ),
            ("", "Date: d\r\nMessage-ID: m\r\n"),
        ] {
            let (out, _) = passed(&[text.as_bytes()], additions());
            assert_eq!(out, expected, "{text}");
        }
    }

    #[test]
    fn who_sends_is_said_in_from_or_in_sender() {
        let additions = || Additions {
            from: Some("alice@x".to_owned()),
            ..Additions::default()
        };
        for (text, expected) in [
            (
                "Subject: a\r\n\r\n",
                "Subject: a\r\nFrom: <alice@x>\r\n\r\n",
            ),
            (
                "From: Alice <Alice@X>\r\n\r\n",
                "From: Alice <Alice@X>\r\n\r\n",
            ),
            (
                "From: b@x,\r\n alice@x\r\n\r\n",
                "From: b@x,\r\n alice@x\r\n\r\n",
            ),
            (
                "From: b@x\r\n\r\n",
                "From: b@x\r\nSender: <alice@x>\r\n\r\n",
            ),
            (
                "Sender: c@x\r\nFrom: b@x\r\n\r\n",
                "Sender: c@x\r\nFrom: b@x\r\n\r\n",
            ),
        ] {
            let (out, _) = passed(&[text.as_bytes()], additions());
            assert_eq!(out, expected, "{text}");
        }
    }

    #[test]
    fn return_paths_are_left_out_with_all_their_lines() {
        let text = "Return-Path: <a@x>\r\nSubject: a\r\n folded\r\nreturn-path :\r\n\t<b@x>\r\n  \r\nTo: b\r\n\r\nReturn-Path: <c@x>\r\n";
        let (out, _) = passed(&[text.as_bytes()], Additions::default());
        assert_eq!(
            out,
            "Subject: a\r\n folded\r\nTo: b\r\n\r\nReturn-Path: <c@x>\r\n"
        );
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            text in "((Return-Path|Received|Date|x)?[ :a\r\n]{0,4}){0,10}",
            cut in 0usize..60,
        ) {
            let (front, back) = text.as_bytes().split_at(cut.min(text.len()));
            let whole = passed(&[text.as_bytes()], additions());
            prop_assert_eq!(whole, passed(&[front, back], additions()));
        }
    }
}
