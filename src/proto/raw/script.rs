//! Scripts: lines that are not sent but say what is to be done, after the language of Exim's test client. The table is in
//! [`lockstep`](super::lockstep).

use std::collections::VecDeque;
use std::time::Duration;

use super::Protocol;
use super::reply;
use crate::limits;
use crate::wire::secret::{printable, without};

/// A line of a script that is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Instruction {
    /// `??? text`
    Expect(Vec<u8>),
    /// `???? text`
    Optional(Vec<u8>),
    /// `???*`
    ExpectEnd,
    /// `+++ seconds`
    Sleep(Duration),
    /// `>>> raw`
    Raw(Vec<u8>),
    /// `<<< file`
    Insert(Vec<u8>),
    /// `**** text`
    Title(Vec<u8>),
}

/// Reads a line; `None` for one that is to be sent. An error says what is wrong with it.
pub(super) fn instruction(line: &[u8]) -> Option<Result<Instruction, String>> {
    let (mark, rest) = line.split_at_checked(4)?;
    Some(Ok(match mark {
        b"??? " => Instruction::Expect(unescape(rest)),
        b"????" => Instruction::Optional(unescape(rest.strip_prefix(b" ").unwrap_or(rest))),
        b"???*" if rest.trim_ascii().is_empty() => Instruction::ExpectEnd,
        b"+++ " => match seconds(rest) {
            Some(seconds) => Instruction::Sleep(seconds),
            None => return Some(Err("+++ takes seconds: +++ 2, or +++ 0.5".to_owned())),
        },
        b">>> " => Instruction::Raw(unescape(rest)),
        b"****" if matches!(rest, [] | [b' ', ..]) => {
            Instruction::Title(rest.trim_ascii().to_owned())
        }
        b"<<< " => Instruction::Insert(rest.trim_ascii().to_owned()),
        _ => return None,
    }))
}

fn seconds(text: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(text).ok()?.trim();
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let seconds: f64 = text.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// `\r \n \t \xHH \\`; before anything else a backslash is one, for IMAP has `\Seen`.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let (octet, used) = match (first, after) {
            (b'\\', [b'r', ..]) => (b'\r', 2),
            (b'\\', [b'n', ..]) => (b'\n', 2),
            (b'\\', [b't', ..]) => (b'\t', 2),
            (b'\\', [b'\\', ..]) => (b'\\', 2),
            (b'\\', [b'x', high, low, ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 4),
                _ => (first, 1),
            },
            _ => (first, 1),
        };
        octets.push(octet);
        rest = &rest[used..];
    }
    octets
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// The lines that came since something was last sent, for expectations.
#[derive(Debug, Default)]
pub(super) struct Heard {
    lines: VecDeque<(Kind, Vec<u8>)>,
    octets: usize,
    /// Lines before this one have been expected.
    at: usize,
    /// Lines for which there was no room.
    lost: usize,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The last line of a reply, with a tag in IMAP.
    Last,
    /// Another line of the protocol's own words.
    Words,
    /// Text or a literal.
    Content,
}

impl Heard {
    /// A line came.
    pub(super) fn push(&mut self, kind: Kind, line: &[u8]) {
        if self.octets > limits::EXPECTED {
            self.lost += 1;
            return;
        }
        let line = &line[..line.len().min(limits::EXPECTED_LINE)];
        // An empty line costs memory too.
        self.octets += line.len() + 32;
        self.lines.push_back((kind, line.to_owned()));
    }

    /// Something was sent: what came before is no answer to it.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Goes to the next line that begins with `text`, and past it; false, and nowhere, if there is none.
    pub(super) fn expect(&mut self, protocol: Protocol, text: &[u8]) -> bool {
        let found = self
            .lines
            .iter()
            .skip(self.at)
            .position(|(kind, line)| matches(protocol, *kind, line, text));
        if let Some(found) = found {
            self.at += found + 1;
        }
        found.is_some()
    }

    /// Goes past the lines that begin with `text`.
    pub(super) fn pass(&mut self, protocol: Protocol, text: &[u8]) {
        while let Some((kind, line)) = self.lines.get(self.at)
            && matches(protocol, *kind, line, text)
        {
            self.at += 1;
        }
    }

    /// What there is that was not expected, for a report, without this secret.
    pub(super) fn shown(&self, secret: &[u8]) -> String {
        const LINES: usize = 10;
        let mut shown: Vec<String> = self
            .lines
            .iter()
            .skip(self.at)
            .take(LINES)
            .map(|(_, line)| super::speech::short(printable(&without(secret, line))))
            .collect();
        let more = (self.lines.len() - self.at + self.lost).saturating_sub(LINES);
        if more > 0 {
            shown.push(format!("... and {more} lines more"));
        }
        if shown.is_empty() {
            shown.push(match self.at {
                0 => "nothing".to_owned(),
                _ => "nothing more".to_owned(),
            });
        }
        shown.join("\n            ")
    }
}

/// Whether `line` begins with `text`. What looks like the protocol's own words is not looked for in content, so that no message can
/// make an expectation come true; and IMAP's last line is also known without its tag.
fn matches(protocol: Protocol, kind: Kind, line: &[u8], text: &[u8]) -> bool {
    if kind == Kind::Content && is_words(protocol, text) {
        return false;
    }
    if line.starts_with(text) {
        return true;
    }
    protocol == Protocol::Imap
        && kind == Kind::Last
        && line
            .strip_prefix(reply::tag(line))
            .and_then(|rest| rest.strip_prefix(b" "))
            .is_some_and(|rest| rest.starts_with(text))
}

fn is_words(protocol: Protocol, text: &[u8]) -> bool {
    let statuses: &[&[u8]] = match protocol {
        Protocol::Smtp | Protocol::Lmtp | Protocol::Ftp => &[],
        Protocol::Pop3 => &[b"+OK", b"-ERR", b"+ "],
        Protocol::Imap => &[b"* ", b"+ "],
    };
    if statuses.iter().any(|status| text.starts_with(status)) {
        return true;
    }
    let mut words = text.split(|&octet| octet == b' ').take(2);
    protocol == Protocol::Imap && words.any(|word| matches!(word, b"OK" | b"NO" | b"BAD"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_told_from_lines() {
        use Instruction::{Expect, ExpectEnd, Insert, Optional, Raw, Sleep, Title};
        for (line, expected) in [
            ("??? 250", Expect(b"250".to_vec())),
            ("??? ", Expect(Vec::new())),
            ("????250-", Optional(b"250-".to_vec())),
            ("???? 250", Optional(b"250".to_vec())),
            ("???*", ExpectEnd),
            ("+++ 2", Sleep(Duration::from_secs(2))),
            ("+++ 0.5", Sleep(Duration::from_millis(500))),
            (
                ">>> a\\r\\n\\x41\\\\ \\Seen\\",
                Raw(b"a\r\nA\\ \\Seen\\".to_vec()),
            ),
            ("<<< a file ", Insert(b"a file".to_vec())),
            ("**** 4) a mail", Title(b"4) a mail".to_vec())),
            ("****", Title(Vec::new())),
        ] {
            assert_eq!(instruction(line.as_bytes()), Some(Ok(expected)), "{line}");
        }
        for line in [
            "", "???", "???x", "???*x", "?? 250", "+++", "QUIT", ">>>x", "<<<<", "*****", "****x",
        ] {
            assert_eq!(instruction(line.as_bytes()), None, "{line}");
        }
        for line in ["+++ x", "+++ -1", "+++ 1e300", "+++ inf", "+++ nan"] {
            assert!(
                matches!(instruction(line.as_bytes()), Some(Err(_))),
                "{line}"
            );
        }
    }

    #[test]
    fn expectations_go_forward() {
        let mut heard = Heard::default();
        for line in ["250-a", "250-SIZE", "250 HELP"] {
            heard.push(Kind::Words, line.as_bytes());
        }
        assert!(heard.expect(Protocol::Smtp, b"250-a"));
        heard.pass(Protocol::Smtp, b"250-");
        assert_eq!(heard.shown(b""), "250 HELP");
        assert!(
            !heard.expect(Protocol::Smtp, b"250-"),
            "they do not go back"
        );
        assert!(heard.expect(Protocol::Smtp, b""));
        assert_eq!(heard.shown(b""), "nothing more");
        heard.clear();
        assert_eq!(heard.shown(b""), "nothing");
    }

    #[test]
    fn no_message_makes_an_expectation_come_true() {
        let mut heard = Heard::default();
        heard.push(Kind::Words, b"* 1 FETCH (BODY[] {20}");
        heard.push(Kind::Content, b"A1 OK done");
        heard.push(Kind::Content, b"Subject: hello");
        heard.push(Kind::Last, b"A1 NO sorry");
        assert!(!heard.expect(Protocol::Imap, b"A1 OK"));
        assert!(!heard.expect(Protocol::Imap, b"OK"));
        assert!(heard.expect(Protocol::Imap, b"Subject: "));
        assert!(heard.expect(Protocol::Imap, b"NO"));
        let mut heard = Heard::default();
        heard.push(Kind::Content, b"+OK no");
        assert!(!heard.expect(Protocol::Pop3, b"+OK"));
    }

    #[test]
    fn what_expectations_see_is_bounded() {
        let mut heard = Heard::default();
        for _ in 0..10_000_000 / limits::EXPECTED_LINE {
            heard.push(Kind::Content, &[b'x'; 2 * limits::EXPECTED_LINE]);
        }
        assert!(heard.octets < 2 * limits::EXPECTED);
        assert!(heard.shown(b"").ends_with("lines more"));
    }
}
