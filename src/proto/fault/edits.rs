//! What becomes of the octets of a reply: capabilities that go missing, counts that are wrong, a message that ends too early, an end
//! in the middle.
//!
//! Octets pass in the order in which they were said, in pieces; only of a message that is to end too early some are held back,
//! [`limits::FAULT_SHORT_MOST`](crate::limits::FAULT_SHORT_MOST) at most, until its end is known.

use super::{Decision, Family};

/// What is done to the reply of one command.
#[derive(Debug, Default)]
pub(super) struct Edits {
    family: Option<Family>,
    verb: String,
    hide: Vec<String>,
    count: Option<i64>,
    short: Option<usize>,
    /// Octets that still pass before the connection ends.
    cut: Option<u64>,
    /// Said in place of the first piece.
    pub(super) replace: Option<Vec<u8>>,
    held: Vec<u8>,
    literal: Literal,
}

/// Where an IMAP reply stands, whose first literal is to be too short.
#[derive(Debug, Default)]
enum Literal {
    #[default]
    Before,
    /// So many octets pass, and so many do not.
    Within(usize, usize),
    After,
}

/// Whether a reply goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goes {
    On,
    /// The connection ends here.
    Cut,
}

impl Edits {
    /// For the reply of `verb`.
    pub(super) fn of(decision: &Decision, family: Family, verb: &str) -> Self {
        Self {
            family: Some(family),
            verb: verb.to_owned(),
            hide: decision.hide.clone(),
            count: decision.count,
            short: decision
                .short
                .map(|short| usize::try_from(short).unwrap_or(usize::MAX)),
            cut: decision.after.filter(|_| decision.outcome.is_none()),
            ..Self::default()
        }
    }

    /// Whether replies pass as they are.
    pub(super) const fn is_none(&self) -> bool {
        self.hide.is_empty()
            && self.count.is_none()
            && self.short.is_none()
            && self.cut.is_none()
            && self.replace.is_none()
            && self.held.is_empty()
    }

    /// A piece of the reply: what becomes of it goes behind `to`.
    pub(super) fn pass(&mut self, mut piece: Vec<u8>, to: &mut Vec<u8>) -> Goes {
        if piece.is_empty() {
            return Goes::On;
        }
        if let Some(other) = self.replace.take() {
            return self.cut(&other, to);
        }
        if !self.hide.is_empty() {
            piece = self.without_capabilities(piece);
        }
        if let Some(by) = self.count {
            piece = self.miscounted(piece, by);
        }
        match (self.short, self.family) {
            (Some(short), Some(Family::Imap)) => {
                let piece = self.short_literal(&piece, short);
                self.cut(&piece, to)
            }
            (Some(short), Some(Family::Pop3)) if matches!(&*self.verb, "RETR" | "TOP") => {
                self.held.extend_from_slice(&piece);
                // The end of the text may be the end of it all: CR LF . CR LF.
                let keep = short + END.len();
                let pass = self.held.len().saturating_sub(keep);
                let piece: Vec<u8> = self.held.drain(..pass).collect();
                self.cut(&piece, to)
            }
            _ => self.cut(&piece, to),
        }
    }

    /// The reply is whole.
    pub(super) fn end(&mut self, to: &mut Vec<u8>) -> Goes {
        let mut held = std::mem::take(&mut self.held);
        if let Some(short) = self.short.filter(|_| held.ends_with(END)) {
            let text = held.len() - END.len();
            // Not the line that says +OK.
            let status = match held.starts_with(b"+OK") {
                true => memchr::memchr(b'\n', &held).map_or(text, |end| end + 1),
                false => 0,
            };
            let from = text.saturating_sub(short).max(status.min(text));
            held.drain(from..text);
        }
        match held.is_empty() {
            true => Goes::On,
            false => self.cut(&held, to),
        }
    }

    fn cut(&mut self, piece: &[u8], to: &mut Vec<u8>) -> Goes {
        let Some(left) = &mut self.cut else {
            to.extend_from_slice(piece);
            return Goes::On;
        };
        let fits = usize::try_from(*left)
            .unwrap_or(usize::MAX)
            .min(piece.len());
        to.extend_from_slice(&piece[..fits]);
        *left -= fits as u64;
        match fits < piece.len() || *left == 0 {
            true => Goes::Cut,
            false => Goes::On,
        }
    }

    fn is_hidden(&self, word: &str) -> bool {
        let name = word.split_once('=').map_or(word, |(name, _)| name);
        let value = word.strip_prefix("AUTH=");
        self.hide.iter().any(|hidden| {
            hidden.eq_ignore_ascii_case(word)
                || hidden.eq_ignore_ascii_case(name)
                || value.is_some_and(|value| hidden.eq_ignore_ascii_case(value))
        })
    }

    /// What is left of words in a line of capabilities; `None` when nothing is.
    fn left(&self, words: &str) -> Option<String> {
        let mut words = words.split(' ');
        let name = words.next().filter(|name| !self.is_hidden(name))?;
        let rest: Vec<&str> = words.collect();
        // Mechanisms can be hidden one by one.
        let left: Vec<&str> = match name {
            "AUTH" | "SASL" => rest
                .iter()
                .copied()
                .filter(|word| !self.is_hidden(word))
                .collect(),
            _ => rest.clone(),
        };
        if left.is_empty() && !rest.is_empty() {
            return None;
        }
        Some(
            std::iter::once(name)
                .chain(left)
                .collect::<Vec<_>>()
                .join(" "),
        )
    }

    fn without_capabilities(&self, piece: Vec<u8>) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(&piece) else {
            return piece;
        };
        let lines: Vec<&str> = text.split_inclusive("\r\n").collect();
        let told: Vec<String> = match self.family {
            Some(Family::Imap) if matches!(&*self.verb, "FETCH" | "SEARCH" | "SORT" | "THREAD") => {
                return piece;
            }
            Some(Family::Imap) => lines.iter().map(|line| self.imap_line(line)).collect(),
            Some(Family::Pop3) if self.verb == "CAPA" => {
                let mut told = Vec::new();
                for (at, line) in lines.iter().enumerate() {
                    let words = line.trim_end();
                    match at == 0 || words == "." {
                        true => told.push((*line).to_owned()),
                        false => told.extend(self.left(words).map(|left| format!("{left}\r\n"))),
                    }
                }
                told
            }
            Some(Family::Pop3) | None => return piece,
            Some(_) if matches!(&*self.verb, "EHLO" | "LHLO") => self.extensions(&lines),
            Some(_) => return piece,
        };
        told.concat().into_bytes()
    }

    /// `250-...` lines, of which the last has to be the one without a hyphen.
    fn extensions(&self, lines: &[&str]) -> Vec<String> {
        let mut texts: Vec<(String, String)> = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let line = line.trim_end();
            let (Some(code), Some(text)) = (line.get(..3), line.get(4..)) else {
                return lines.iter().map(|line| (*line).to_owned()).collect();
            };
            let left = match at == 0 || code != "250" {
                true => Some(text.to_owned()),
                false => self.left(text),
            };
            texts.extend(left.map(|left| (code.to_owned(), left)));
        }
        let last = texts.len().saturating_sub(1);
        let line = |(at, (code, text)): (usize, (String, String))| {
            let mark = if at < last { '-' } else { ' ' };
            format!("{code}{mark}{text}\r\n")
        };
        texts.into_iter().enumerate().map(line).collect()
    }

    fn imap_line(&self, line: &str) -> String {
        const CODE: &str = "[CAPABILITY ";
        const DATA: &str = "* CAPABILITY ";
        let (begin, end) = if line.starts_with(DATA) {
            (DATA.len(), line.trim_end().len())
        } else {
            let code = line.find(CODE).map(|at| at + CODE.len());
            let close = code.and_then(|at| Some((at, at + line[at..].find(']')?)));
            // In a text further on it would be no code.
            let ok = line.split(' ').nth(1) == Some("OK");
            match close.filter(|_| ok) {
                Some(place) => place,
                None => return line.to_owned(),
            }
        };
        let words = line[begin..end]
            .split(' ')
            .filter(|word| !self.is_hidden(word));
        let words: Vec<&str> = words.collect();
        format!("{}{}{}", &line[..begin], words.join(" "), &line[end..])
    }

    fn miscounted(&mut self, piece: Vec<u8>, by: i64) -> Vec<u8> {
        let place = match self.family {
            Some(Family::Pop3) if piece.starts_with(b"+OK") => number_after(&piece, 0, 3),
            Some(Family::Imap) if matches!(&*self.verb, "FETCH") => {
                literals(&piece).next().map(|(begin, end, _)| (begin, end))
            }
            Some(Family::Imap) => exists(&piece).or_else(|| {
                let at = memchr::memmem::find(&piece, b"(MESSAGES ")
                    .or_else(|| memchr::memmem::find(&piece, b" MESSAGES "))?;
                number_after(&piece, at, 10)
            }),
            _ => None,
        };
        let Some((begin, end)) = place else {
            return piece;
        };
        // Said once: a second literal, or a later block, is as it is.
        self.count = None;
        let digits = std::str::from_utf8(&piece[begin..end]).unwrap_or_default();
        let number: u64 = digits.parse().unwrap_or(0);
        let wrong = number.saturating_add_signed(by);
        [&piece[..begin], wrong.to_string().as_bytes(), &piece[end..]].concat()
    }

    fn short_literal(&mut self, piece: &[u8], short: usize) -> Vec<u8> {
        let mut passed = Vec::with_capacity(piece.len());
        let mut rest = piece;
        loop {
            match &mut self.literal {
                Literal::After => break,
                Literal::Before => {
                    let mut found = literals(rest);
                    let Some((_, end, octets)) = found.find(|(_, _, octets)| *octets > 0) else {
                        break;
                    };
                    // Behind the brace and the line end.
                    let begin = end + 3;
                    passed.extend_from_slice(&rest[..begin]);
                    rest = &rest[begin..];
                    let missing = short.min(octets);
                    self.literal = Literal::Within(octets - missing, missing);
                }
                Literal::Within(good, missing) => {
                    let pass = (*good).min(rest.len());
                    passed.extend_from_slice(&rest[..pass]);
                    *good -= pass;
                    rest = &rest[pass..];
                    let skip = (*missing).min(rest.len());
                    *missing -= skip;
                    rest = &rest[skip..];
                    if *good + *missing > 0 {
                        return passed;
                    }
                    self.literal = Literal::After;
                }
            }
        }
        passed.extend_from_slice(rest);
        passed
    }
}

/// What ends a text in POP3.
const END: &[u8] = b"\r\n.\r\n";

/// The first number behind so many octets from `at` on, spaces aside, within the line.
fn number_after(piece: &[u8], at: usize, skip: usize) -> Option<(usize, usize)> {
    let rest = piece.get(at + skip..)?;
    let line = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    let begin = rest[..line].iter().position(u8::is_ascii_digit)?;
    let digits = rest[begin..line]
        .iter()
        .take_while(|octet| octet.is_ascii_digit());
    let begin = at + skip + begin;
    Some((begin, begin + digits.count()))
}

/// The number in `* 17 EXISTS`.
fn exists(piece: &[u8]) -> Option<(usize, usize)> {
    let end = memchr::memmem::find(piece, b" EXISTS\r\n")?;
    let digits = piece[..end]
        .iter()
        .rev()
        .take_while(|octet| octet.is_ascii_digit());
    let begin = end - digits.count();
    (begin < end).then_some((begin, end))
}

/// The literals that are announced: where the number stands, and how much it is.
fn literals(piece: &[u8]) -> impl Iterator<Item = (usize, usize, usize)> {
    memchr::memmem::find_iter(piece, b"}\r\n").filter_map(|end| {
        let digits = piece[..end]
            .iter()
            .rev()
            .take_while(|octet| octet.is_ascii_digit());
        let begin = end - digits.count();
        let brace = begin.checked_sub(1).and_then(|at| piece.get(at));
        let number = std::str::from_utf8(&piece[begin..end]).ok()?.parse().ok()?;
        (brace == Some(&b'{')).then_some((begin, end, number))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reply, whole and cut in two at every place.
    fn edited(decision: &Decision, family: Family, verb: &str, reply: &[u8]) -> String {
        let play = |pieces: &[&[u8]]| {
            let mut edits = Edits::of(decision, family, verb);
            let mut to = Vec::new();
            for piece in pieces {
                if edits.pass(piece.to_vec(), &mut to) == Goes::Cut {
                    return to;
                }
            }
            edits.end(&mut to);
            to
        };
        let whole = play(&[reply]);
        if decision.short.is_some() && family == Family::Pop3 || decision.after.is_some() {
            for cut in 0..reply.len() {
                assert_eq!(play(&[&reply[..cut], &reply[cut..]]), whole, "cut at {cut}");
            }
        }
        String::from_utf8(whole).expect("text")
    }

    fn hide(names: &[&str]) -> Decision {
        Decision {
            hide: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Decision::default()
        }
    }

    #[test]
    fn capabilities_go_missing() {
        let ehlo = b"250-mail Hello pc\r\n250-SIZE 9\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n250 HELP\r\n";
        let smtp = |names: &[&str]| edited(&hide(names), Family::Smtp, "EHLO", ehlo);
        assert_eq!(
            smtp(&["HELP", "SIZE"]),
            "250-mail Hello pc\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n"
        );
        assert!(smtp(&["PLAIN"]).contains("250-AUTH LOGIN\r\n"));
        assert!(!smtp(&["PLAIN", "LOGIN"]).contains("AUTH"));
        assert_eq!(
            smtp(&["SIZE", "STARTTLS", "AUTH", "HELP"]),
            "250 mail Hello pc\r\n"
        );
        let capa = b"+OK\r\nTOP\r\nUIDL\r\nSASL PLAIN CRAM-MD5\r\n.\r\n";
        let pop3 = |names: &[&str]| edited(&hide(names), Family::Pop3, "CAPA", capa);
        assert_eq!(
            pop3(&["UIDL", "PLAIN"]),
            "+OK\r\nTOP\r\nSASL CRAM-MD5\r\n.\r\n"
        );
        let imap = |names: &[&str], line: &[u8]| edited(&hide(names), Family::Imap, "LOGIN", line);
        assert_eq!(
            imap(
                &["IDLE", "PLAIN", "APPENDLIMIT"],
                b"* CAPABILITY IMAP4rev1 IDLE APPENDLIMIT=9 AUTH=PLAIN AUTH=LOGIN\r\n"
            ),
            "* CAPABILITY IMAP4rev1 AUTH=LOGIN\r\n"
        );
        assert_eq!(
            imap(
                &["IDLE"],
                b"a OK [CAPABILITY IMAP4rev1 IDLE] hello, IDLE\r\n"
            ),
            "a OK [CAPABILITY IMAP4rev1] hello, IDLE\r\n"
        );
    }

    #[test]
    fn counts_are_wrong() {
        let count = |by, family, verb, reply: &[u8]| {
            let decision = Decision {
                count: Some(by),
                ..Decision::default()
            };
            edited(&decision, family, verb, reply)
        };
        assert_eq!(
            count(1, Family::Pop3, "STAT", b"+OK 2 320\r\n"),
            "+OK 3 320\r\n"
        );
        assert_eq!(
            count(-9, Family::Pop3, "STAT", b"+OK 2 320\r\n"),
            "+OK 0 320\r\n"
        );
        let select = b"* FLAGS ()\r\n* 12 EXISTS\r\na OK done\r\n";
        assert_eq!(
            count(5, Family::Imap, "SELECT", select),
            "* FLAGS ()\r\n* 17 EXISTS\r\na OK done\r\n"
        );
        assert_eq!(
            count(
                1,
                Family::Imap,
                "STATUS",
                b"* STATUS INBOX (UIDNEXT 9 MESSAGES 3)\r\n"
            ),
            "* STATUS INBOX (UIDNEXT 9 MESSAGES 4)\r\n"
        );
        assert_eq!(
            count(
                3,
                Family::Imap,
                "FETCH",
                b"* 1 FETCH (BODY[] {2}\r\nhi)\r\n* 2 FETCH (BODY[] {2}\r\nhi)\r\n"
            ),
            "* 1 FETCH (BODY[] {5}\r\nhi)\r\n* 2 FETCH (BODY[] {2}\r\nhi)\r\n"
        );
    }

    #[test]
    fn texts_end_too_early() {
        let short = |by, family, reply: &[u8]| {
            let decision = Decision {
                short: Some(by),
                ..Decision::default()
            };
            let verb = if family == Family::Pop3 {
                "RETR"
            } else {
                "FETCH"
            };
            edited(&decision, family, verb, reply)
        };
        let retr = b"+OK 18 octets\r\nSubject: x\r\n\r\nhello\r\n.\r\n";
        assert_eq!(
            short(3, Family::Pop3, retr),
            "+OK 18 octets\r\nSubject: x\r\n\r\nhe\r\n.\r\n"
        );
        assert_eq!(short(500, Family::Pop3, retr), "+OK 18 octets\r\n\r\n.\r\n");
        assert_eq!(
            short(3, Family::Pop3, b"-ERR no such message\r\n"),
            "-ERR no such message\r\n"
        );
        let fetch = b"* 1 FETCH (BODY[] {7}\r\nhello\r\n FLAGS ())\r\na OK done\r\n";
        assert_eq!(
            short(4, Family::Imap, fetch),
            "* 1 FETCH (BODY[] {7}\r\nhel FLAGS ())\r\na OK done\r\n"
        );
        // The literal comes in a later piece than its announcement.
        let decision = Decision {
            short: Some(2),
            ..Decision::default()
        };
        let mut edits = Edits::of(&decision, Family::Imap, "FETCH");
        let mut to = Vec::new();
        for piece in [&b"* 1 FETCH (BODY[] {5}\r\n"[..], b"he", b"ll", b"o)\r\n"] {
            edits.pass(piece.to_vec(), &mut to);
        }
        assert_eq!(to, b"* 1 FETCH (BODY[] {5}\r\nhel)\r\n");
    }

    #[test]
    fn replies_end_in_the_middle() {
        for (after, told) in [
            (0, ""),
            (5, "250 2"),
            (6, "250 2."),
            (99, "250 2.0.0 ok\r\n"),
        ] {
            let decision = Decision {
                after: Some(after),
                drop: true,
                ..Decision::default()
            };
            assert_eq!(
                edited(&decision, Family::Smtp, "NOOP", b"250 2.0.0 ok\r\n"),
                told
            );
        }
    }
}
