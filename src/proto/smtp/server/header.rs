//! Reads along in the header of a message that passes by, in pieces of any size: counts hops, sees what is missing.
//!
//! It changes nothing and keeps nothing but the name of the field that it is in.

use memchr::memchr;

/// What is known of the header so far.
#[derive(Debug, Default)]
pub(super) struct HeaderScan {
    state: State,
    /// The beginning of the field's name, lower case.
    name: [u8; 12],
    name_octets: usize,
    /// Octets seen, up to the end of the header.
    seen: u64,
    /// Where the line began that is being read.
    line: u64,
    fields: usize,
    received: usize,
    date: Field,
    message_id: Field,
}

/// Whether a field was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Field {
    #[default]
    Missing,
    Present,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    LineStart,
    Name,
    AfterName,
    Value,
    /// In the body.
    Ended,
}

impl HeaderScan {
    /// Looks at the next piece. Returns where, in octets from the beginning of the message, a line stands that is not of
    /// the header, while no empty line came before it: a body without a header, which a person typed, needs that line
    /// put in, or its first line would be read as a field.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Option<u64> {
        let mut at = 0;
        while self.state != State::Ended && at < piece.len() {
            if self.state == State::Value {
                let line_feed = memchr(b'\n', &piece[at..]);
                let octets = line_feed.map_or(piece.len() - at, |offset| offset + 1);
                at += octets;
                self.seen += octets as u64;
                if line_feed.is_some() {
                    self.state = State::LineStart;
                }
                continue;
            }
            if self.state == State::LineStart {
                self.line = self.seen;
                self.name_octets = 0;
            }
            let Some(next) = self.next(piece[at]) else {
                self.state = State::Ended;
                return Some(self.line);
            };
            self.state = next;
            at += 1;
            self.seen += 1;
        }
        None
    }

    /// Received fields: how many servers the message went through.
    pub(super) const fn hops(&self) -> usize {
        self.received
    }

    /// Whether there is a Date.
    pub(super) const fn date(&self) -> Field {
        self.date
    }

    /// Whether there is a Message-ID.
    pub(super) const fn message_id(&self) -> Field {
        self.message_id
    }

    /// The state after `octet`; `None` when it shows that this line is not of a header (RFC 5322 §2.2).
    fn next(&mut self, octet: u8) -> Option<State> {
        match (self.state, octet) {
            (State::LineStart, b'\r' | b'\n') => Some(State::Ended),
            (State::LineStart, b' ' | b'\t') => (self.fields > 0).then_some(State::Value),
            (State::Name | State::AfterName, b':') => {
                self.field();
                Some(State::Value)
            }
            (State::Name | State::AfterName, b' ' | b'\t') => Some(State::AfterName),
            (State::LineStart | State::Name, 33..=57 | 59..=126) => {
                if let Some(place) = self.name.get_mut(self.name_octets) {
                    *place = octet.to_ascii_lowercase();
                }
                self.name_octets += 1;
                Some(State::Name)
            }
            _ => None,
        }
    }

    fn field(&mut self) {
        self.fields += 1;
        match self.name.get(..self.name_octets) {
            Some(b"received") => self.received += 1,
            Some(b"date") => self.date = Field::Present,
            Some(b"message-id") => self.message_id = Field::Present,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scan(pieces: &[&[u8]]) -> (Option<u64>, HeaderScan) {
        let mut scan = HeaderScan::default();
        let mut found = None;
        for piece in pieces {
            found = found.or(scan.feed(piece));
        }
        (found, scan)
    }

    #[test]
    fn fields_are_seen_in_any_case_and_only_in_the_header() {
        let text = b"Received: a\r\n\tDate: folded\r\nRECEIVED : b\r\nmessage-ID:x\r\n\r\nReceived: c\r\nDate: d\r\n";
        let (found, scan) = scan(&[text]);
        assert_eq!((found, scan.hops()), (None, 2));
        assert_eq!(
            (scan.date(), scan.message_id()),
            (Field::Missing, Field::Present)
        );
    }

    #[test]
    fn a_body_without_header_is_found() {
        for (text, at) in [
            (&b"Hello Alice\r\n"[..], Some(0)),
            (b" indented\r\n", Some(0)),
            (b"Subject: a\r\nHello Alice\r\nx: y\r\n", Some(12)),
            (b"\xc3\xa9t\xc3\xa9\r\n", Some(0)),
            (b"one\r\n", Some(0)),
            (b"Subject: a\r\n", None),
            (b"\r\nHello\r\n", None),
            (b"", None),
        ] {
            assert_eq!(scan(&[text]).0, at, "{}", String::from_utf8_lossy(text));
        }
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(text in "[Rr: a\r\n]{0,40}", cut in 0usize..40) {
            let text = text.replace("r", "received:").into_bytes();
            let (front, back) = text.split_at(cut.min(text.len()));
            let (whole, parts) = (scan(&[&text]), scan(&[front, back]));
            prop_assert_eq!(whole.0, parts.0);
            prop_assert_eq!(whole.1.hops(), parts.1.hops());
        }
    }
}
