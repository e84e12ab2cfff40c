//! When a reply is complete: what a server says, octet by octet, cut into lines and literals and judged.
//!
//! | protocol | a reply ends |
//! |---|---|
//! | SMTP, LMTP | with the line whose code has no `-` behind it (RFC 5321 §4.2.1) |
//! | FTP | with the line that has the code of its first and a space, whatever stands between; 1yz is no end (RFC 959 §4.2) |
//! | POP3 | with its line; after `+OK` to a command that lists, with a lone dot (RFC 1939 §3) |
//! | IMAP | with the line that has the command's tag; literals are counted, never read (RFC 9051 §2.2.2) |
//!
//! A line ends as the first one did, with CRLF or (from servers that a student writes) LF: what is the other within a line ends
//! neither it nor a text. Of a line that is longer than [`limits::HEARD_LINE`] only the beginning and the end are looked at.

use super::Protocol;
use super::speech::{Awaited, What};
use crate::limits;
use crate::wire::imap::reply as imap;
use crate::wire::lines::Ending;
use crate::wire::pop3_reply as pop3;

/// Cuts what comes into lines. It copies no more than a line, and passes nothing on: whoever has the octets does.
#[derive(Debug)]
pub(super) struct Lines {
    /// The beginning of the line.
    head: Vec<u8>,
    /// The end of a line that is longer than its beginning.
    tail: Vec<u8>,
    after_cr: bool,
    ending: Ending,
    /// Octets of a literal that are still to come.
    literal: u64,
    /// It was cut: the next octet begins another.
    is_whole: bool,
}

/// What was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Nothing yet: all octets are used up.
    Nothing,
    /// A line: [`Lines::line`].
    Line,
    /// A line of a literal.
    Content,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            head: Vec::new(),
            tail: Vec::new(),
            after_cr: false,
            ending: Ending::Unsettled,
            literal: 0,
            is_whole: false,
        }
    }
}

impl Lines {
    /// Takes octets, up to the end of a line.
    pub(super) fn cut(&mut self, octets: &mut &[u8]) -> Cut {
        if self.is_whole {
            self.head.clear();
            self.tail.clear();
            self.is_whole = false;
        }
        if self.literal > 0 {
            return self.cut_literal(octets);
        }
        while let Some(at) = memchr::memchr(b'\n', octets) {
            let (line, rest) = octets.split_at(at + 1);
            let after_cr = match at {
                0 => self.after_cr,
                _ => line[at - 1] == b'\r',
            };
            self.gather(line);
            *octets = rest;
            if self.ending == Ending::Crlf && !after_cr {
                continue;
            }
            self.ending = match after_cr {
                true => Ending::Crlf,
                false => Ending::Lf,
            };
            self.is_whole = true;
            return Cut::Line;
        }
        self.gather(octets);
        *octets = &[];
        Cut::Nothing
    }

    /// The line that was cut, without its line end; the beginning of one that is too long.
    pub(super) fn line(&self) -> &[u8] {
        if !self.tail.is_empty() {
            return &self.head;
        }
        let line = self.head.strip_suffix(b"\n").unwrap_or(&self.head);
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// How many octets the literal has that the line announces at its end, if a literal may stand there.
    fn announced(&self) -> Option<u64> {
        match self.tail.is_empty() {
            true => imap::literal(self.line()),
            false => imap::literal(self.tail.trim_ascii_end()),
        }
    }

    fn cut_literal(&mut self, octets: &mut &[u8]) -> Cut {
        let here =
            usize::try_from(self.literal).map_or(octets.len(), |left| left.min(octets.len()));
        let end = match memchr::memchr(b'\n', &octets[..here]) {
            Some(at) => at + 1,
            None => here,
        };
        let (content, rest) = octets.split_at(end);
        self.gather(content);
        self.literal -= end as u64;
        *octets = rest;
        let whole = content.ends_with(b"\n") || self.literal == 0;
        if !whole {
            return Cut::Nothing;
        }
        self.is_whole = true;
        Cut::Content
    }

    fn gather(&mut self, octets: &[u8]) {
        if let Some(last) = octets.last() {
            self.after_cr = *last == b'\r';
        }
        let room = limits::HEARD_LINE.saturating_sub(self.head.len());
        let (head, tail) = octets.split_at(room.min(octets.len()));
        self.head.extend_from_slice(head);
        self.tail.extend_from_slice(tail);
        // As long as `{18446744073709551615}` and its line end, and more.
        let surplus = self.tail.len().saturating_sub(32);
        self.tail.drain(..surplus);
    }
}

/// What a line is to the reply that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No part of it: it came by itself.
    Unasked,
    /// A whole reply that nobody waits for.
    UnaskedReply,
    /// A part of it.
    Part,
    /// Text or a literal that belongs to it: no words of the protocol.
    Content,
    /// The server asks for more: 354, 334, `+`.
    More,
    /// Its last line.
    Whole(Sign),
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Well.
    Yes,
    /// Not.
    No,
}

/// Follows replies. See the module.
#[derive(Debug)]
pub(super) struct Judge {
    protocol: Protocol,
    /// FTP: the code of a reply that has begun.
    begun: Option<[u8; 3]>,
    /// POP3: text goes on to a lone dot.
    in_text: bool,
    /// IMAP: the response goes on after a literal.
    continued: bool,
}

impl Judge {
    pub(super) const fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            begun: None,
            in_text: false,
            continued: false,
        }
    }

    /// Whether more lines belong to what the last line began.
    pub(super) const fn goes_on(&self) -> bool {
        self.in_text || self.continued || self.begun.is_some()
    }

    /// Judges the line that was cut, while these replies are awaited, in this order. A literal that it announces is cut next.
    pub(super) fn line<'a>(
        &mut self,
        cut: Cut,
        lines: &mut Lines,
        mut awaited: impl Iterator<Item = &'a Awaited> + Clone,
    ) -> Verdict {
        if cut == Cut::Content {
            return Verdict::Content;
        }
        let first = awaited.clone().next();
        match self.protocol {
            Protocol::Smtp | Protocol::Lmtp => smtp(lines.line(), first),
            Protocol::Ftp => self.ftp(lines.line(), first),
            Protocol::Pop3 => self.pop3(lines.line(), first),
            Protocol::Imap => {
                if self.announces_literal(lines) {
                    return Verdict::Part;
                }
                imap(lines.line(), first, |tag| {
                    awaited.any(|awaited| awaited.tag == tag)
                })
            }
        }
    }

    fn ftp(&mut self, line: &[u8], first: Option<&Awaited>) -> Verdict {
        let code = code(line);
        if let Some(begun) = self.begun {
            match code {
                Some((code, More::Last)) if code == begun => self.begun = None,
                _ => return Verdict::Part,
            }
        }
        match code {
            Some((code, More::GoesOn)) => {
                self.begun = Some(code);
                Verdict::Part
            }
            Some(([b'1', ..], More::Last)) => Verdict::Part,
            Some((code, More::Last)) => whole(code, first),
            None => Verdict::Unasked,
        }
    }

    fn pop3(&mut self, line: &[u8], first: Option<&Awaited>) -> Verdict {
        if self.in_text {
            if line == b"." {
                self.in_text = false;
                return Verdict::Whole(Sign::Yes);
            }
            return Verdict::Content;
        }
        match (pop3::Reply::parse(line), first) {
            (Some(pop3::Reply::Positive(_)), Some(awaited)) if awaited.what == What::Listing => {
                self.in_text = true;
                Verdict::Part
            }
            (Some(pop3::Reply::Positive(_)), Some(_)) => Verdict::Whole(Sign::Yes),
            (Some(pop3::Reply::Negative { .. }), Some(_)) => Verdict::Whole(Sign::No),
            (Some(pop3::Reply::Continue(_)), Some(awaited)) if awaited.what == What::Auth => {
                Verdict::More
            }
            (Some(_), None) => Verdict::UnaskedReply,
            _ => Verdict::Unasked,
        }
    }

    /// Whether a literal follows; and whether what stands there goes on after one, and so is no line of its own.
    fn announces_literal(&mut self, lines: &mut Lines) -> bool {
        let may_hold = self.continued || imap::may_hold_literals(lines.line());
        let continued = std::mem::replace(&mut self.continued, false);
        match lines.announced().filter(|_| may_hold) {
            Some(octets) => {
                self.continued = true;
                lines.literal = octets;
                true
            }
            None => continued,
        }
    }
}

fn smtp(line: &[u8], first: Option<&Awaited>) -> Verdict {
    match code(line) {
        Some((_, More::GoesOn)) if first.is_none() => Verdict::Unasked,
        Some((_, More::GoesOn)) => Verdict::Part,
        Some((code, More::Last)) => whole(code, first),
        None => Verdict::Unasked,
    }
}

/// The last line of a reply with a code.
fn whole(code: [u8; 3], first: Option<&Awaited>) -> Verdict {
    match (first.map(|awaited| awaited.what), code) {
        (None, _) => Verdict::UnaskedReply,
        (Some(What::Data), [b'3', ..]) => Verdict::More,
        (Some(What::Auth), [b'3', b'3', b'4']) => Verdict::More,
        (Some(_), [b'2' | b'3', ..]) => Verdict::Whole(Sign::Yes),
        (Some(_), _) => Verdict::Whole(Sign::No),
    }
}

fn imap(line: &[u8], first: Option<&Awaited>, is_awaited: impl FnOnce(&[u8]) -> bool) -> Verdict {
    let is_greeting = first.is_some_and(|awaited| awaited.what == What::Greeting);
    match imap::Reply::parse(line) {
        Some(imap::Reply::Untagged(greeting)) if is_greeting => Verdict::Whole(sign(greeting)),
        Some(imap::Reply::Tagged(tag, condition)) if is_awaited(tag) => {
            Verdict::Whole(sign(condition))
        }
        Some(imap::Reply::Continue(_)) if first.is_some() && !is_greeting => Verdict::More,
        _ => Verdict::Unasked,
    }
}

const fn sign(condition: imap::Condition<'_>) -> Sign {
    match condition.status {
        imap::Status::Ok | imap::Status::PreAuth => Sign::Yes,
        imap::Status::No | imap::Status::Bad | imap::Status::Bye => Sign::No,
    }
}

/// The tag of an IMAP line.
pub(super) fn tag(line: &[u8]) -> &[u8] {
    line.split(|&octet| octet == b' ')
        .next()
        .unwrap_or_default()
}

/// Whether a line of a reply is its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum More {
    Last,
    GoesOn,
}

/// The three digits that a line begins with.
pub(super) fn code(line: &[u8]) -> Option<([u8; 3], More)> {
    let (code, rest) = line.split_first_chunk::<3>()?;
    if !matches!(code[0], b'1'..=b'5') || !code.iter().all(u8::is_ascii_digit) {
        return None;
    }
    match rest.first() {
        None | Some(b' ' | b'\t') => Some((*code, More::Last)),
        Some(b'-') => Some((*code, More::GoesOn)),
        Some(_) => None,
    }
}

/// Which protocol a greeting is of. FTP and SMTP both say 220: what they call themselves tells them apart.
pub(super) fn greets(line: &[u8]) -> Option<Protocol> {
    let says = |word: &[u8]| {
        line.windows(word.len())
            .any(|part| part.eq_ignore_ascii_case(word))
    };
    if code(line).is_some() {
        return Some(if says(b"LMTP") {
            Protocol::Lmtp
        } else if says(b"FTP") && !says(b"SMTP") {
            Protocol::Ftp
        } else {
            Protocol::Smtp
        });
    }
    if matches!(
        pop3::Reply::parse(line),
        Some(pop3::Reply::Positive(_) | pop3::Reply::Negative { .. })
    ) {
        return Some(Protocol::Pop3);
    }
    matches!(imap::Reply::parse(line), Some(imap::Reply::Untagged(_))).then_some(Protocol::Imap)
}

/// The protocol that a greeting is of, if it is not this one: then there is nothing to wait for.
pub(super) fn greets_otherwise(protocol: Protocol, line: &[u8]) -> Option<Protocol> {
    let has_numbers =
        |protocol| matches!(protocol, Protocol::Smtp | Protocol::Lmtp | Protocol::Ftp);
    greets(line)
        .filter(|other| *other != protocol && !(has_numbers(*other) && has_numbers(protocol)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::raw::speech;

    /// The verdicts on what a server says while `commands` are answered, one after another.
    fn verdicts(protocol: Protocol, commands: &[&str], said: &[u8], piece: usize) -> String {
        let mut awaited: Vec<_> = commands
            .iter()
            .map(|line| speech::command(protocol, line.as_bytes()).0)
            .collect();
        let (mut lines, mut judge) = (Lines::default(), Judge::new(protocol));
        let mut found = String::new();
        for mut octets in said.chunks(piece) {
            loop {
                let cut = lines.cut(&mut octets);
                if cut == Cut::Nothing {
                    break;
                }
                let verdict = judge.line(cut, &mut lines, awaited.iter());
                found.push(match verdict {
                    Verdict::Unasked => 'u',
                    Verdict::UnaskedReply => 'U',
                    Verdict::Part => 'p',
                    Verdict::Content => 'c',
                    Verdict::More => 'm',
                    Verdict::Whole(Sign::Yes) => 'Y',
                    Verdict::Whole(Sign::No) => 'N',
                });
                if let Verdict::Whole(_) = verdict {
                    awaited.remove(0);
                }
            }
        }
        found
    }

    #[test]
    fn replies_are_whole_when_they_are() {
        use Protocol::{Ftp, Imap, Pop3, Smtp};
        let cases: &[(Protocol, &[&str], &str, &str)] = &[
            (
                Smtp,
                &["EHLO a", "NOOP"],
                "250-a\r\n250-b\r\n250 c\r\n250\r\n421 bye\r\n",
                "ppYYU",
            ),
            (Smtp, &["DATA"], "354 go\r\n", "m"),
            (Smtp, &["DATA"], "503 no\r\n", "N"),
            (
                Smtp,
                &["RCPT x"],
                "garbage\r\n2500 x\r\n550-a\r\n550 b\r\n",
                "uupN",
            ),
            (Smtp, &["AUTH LOGIN"], "334 x\r\n", "m"),
            (Smtp, &["NOOP"], "250-a\r\n250 a\nb\r\n", "pY"),
            (
                Ftp,
                &["X", "Y"],
                "123-a\r\n 123 b\r\n200 x\r\n123 c\r\n150 go\r\n226-a\r\n226 b\r\n",
                "ppppppY",
            ),
            (
                Pop3,
                &["RETR 1", "NOOP"],
                "+OK\r\n+OK no\r\n..\r\n-ERR\r\n.x\r\n.\r\n+OK\r\n",
                "pccccYY",
            ),
            (Pop3, &["RETR 1"], "-ERR no\r\n", "N"),
            (Pop3, &["LIST 1"], "+OK 1 2\r\n", "Y"),
            (Pop3, &["RETR 1"], "+OK\r\na\n.\n\r\n.\r\n", "pcY"),
            (Pop3, &["RETR 1"], "+OK\na\n.\n", "pcY"),
            (Pop3, &["AUTH PLAIN"], "+ \r\n+OK\r\n", "mY"),
            (Pop3, &["STAT"], "+ \r\n+OK\r\n", "uY"),
            (
                Imap,
                &["a NOOP"],
                "* 3 EXISTS\r\n* OK {5}\r\nb OK\r\na OK {9}\r\n",
                "uuuY",
            ),
            (
                Imap,
                &["a FETCH"],
                "* 1 FETCH (BODY[] {11}\r\na OK\r\n+ x\r\n)\r\na OK\r\n",
                "pccpY",
            ),
            (
                Imap,
                &["a FETCH"],
                "* 1 FETCH (X {2}\r\nab Y {0}\r\n Z \"{4}\")\r\na NO\r\n",
                "pcppN",
            ),
            (
                Imap,
                &["a IDLE"],
                "+ idling\r\n* 1 EXISTS\r\na OK\r\n",
                "muY",
            ),
            (Imap, &["a X"], "* BAD what\r\n* BYE\r\na BAD\r\n", "uuN"),
            (Imap, &[], "+ x\r\na OK\r\n", "uu"),
        ];
        for (protocol, commands, said, expected) in cases {
            for piece in 1..=said.len() {
                let found = verdicts(*protocol, commands, said.as_bytes(), piece);
                assert_eq!(found, *expected, "{said:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn a_line_without_end_takes_no_memory() {
        let mut said = b"* SEARCH".to_vec();
        while said.len() < 3 * limits::HEARD_LINE {
            said.extend_from_slice(b" 4711");
        }
        said.extend_from_slice(b" {3}\r\na O\r\na OK\r\n");
        assert_eq!(verdicts(Protocol::Imap, &["a SEARCH"], &said, 1000), "pcpY");
    }

    #[test]
    fn a_greeting_of_another_protocol_is_none() {
        use Protocol::{Ftp, Imap, Lmtp, Pop3, Smtp};
        for protocol in [Smtp, Lmtp, Ftp] {
            assert_eq!(greets_otherwise(protocol, b"220 hi"), None);
            assert_eq!(greets_otherwise(protocol, b"+OK hi"), Some(Pop3));
        }
        assert_eq!(greets_otherwise(Imap, b"* OK"), None);
        assert_eq!(greets_otherwise(Imap, b"220 hi"), Some(Smtp));
        assert_eq!(greets_otherwise(Imap, b"what?"), None);
    }

    #[test]
    fn greetings_tell_the_protocol() {
        for (line, protocol) in [
            ("220 mail.example.org ESMTP Postfix", Some(Protocol::Smtp)),
            ("220-teaser", Some(Protocol::Smtp)),
            ("554 no", Some(Protocol::Smtp)),
            ("220 (vsFTPd 3.0.5)", Some(Protocol::Ftp)),
            ("220 ftp.example.org ESMTP", Some(Protocol::Smtp)),
            ("220 localhost LMTP ready", Some(Protocol::Lmtp)),
            ("+OK ready <1@a>", Some(Protocol::Pop3)),
            ("* OK IMAP4rev1", Some(Protocol::Imap)),
            ("* PREAUTH hi", Some(Protocol::Imap)),
            ("* BYE full", Some(Protocol::Imap)),
            ("SSH-2.0-OpenSSH", None),
            ("", None),
            ("+ x", None),
        ] {
            assert_eq!(greets(line.as_bytes()), protocol, "{line}");
        }
    }
}
