//! Commands of IMAP as a person writes them: lines, each a command, with literals in them.
//!
//! | in a line | is |
//! |---|---|
//! | `{5}`, `{5+}` at its end | a literal: the next 5 octets of the input; the command goes on behind them |
//! | `{@FILE}` outside of quotes | a literal: what is in FILE |
//!
//! A line that has no tag gets one. How literals go over the wire is the session's to know: with LITERAL+ nothing is waited for. Of commands
//! that come one by one as somebody writes them ([`Fed`]), a line goes as soon as it is there: what stands behind `{5}` may be written
//! only when the server has asked for it, and so is a line of its own, which begins with the literal.

use std::collections::VecDeque;

use crate::proto::raw::has_tag;

/// Commands, and how they are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// In order; then come those that the client is [fed](super::Client::fed_by).
    pub lines: VecDeque<Line>,
    /// What is written.
    pub shown: Shown,
    /// What follows a command that was refused.
    pub refused: Refused,
}

/// What of the responses is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// All, octet by octet.
    All,
    /// The octets of literals, and nothing else.
    Literals,
    /// An object of JSON a response.
    Json,
}

/// What follows a command that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The end.
    Ends,
    /// The next one.
    Stays,
}

/// What there is of the lines that come one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fed {
    /// The next one.
    Line(Line),
    /// None yet: [`Input::Changed`](crate::proto::Input::Changed) says when to ask again.
    Later,
    /// There will be none.
    End,
    /// There will be none, in the middle of a command: all that can be done is to hang up.
    Broken,
}

/// A command, or a line that a command is waiting for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// As it was written; without one it gets one.
    pub tag: Option<String>,
    /// What it consists of, behind the tag.
    pub pieces: Vec<Piece>,
}

/// A piece of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Words, as they were written.
    Text(Vec<u8>),
    /// Octets.
    Literal(Vec<u8>),
}

impl Piece {
    /// What it holds.
    pub fn into_octets(self) -> Vec<u8> {
        match self {
            Self::Text(octets) | Self::Literal(octets) => octets,
        }
    }
}

impl Line {
    /// The first word behind the tag, in capitals.
    pub fn verb(&self) -> String {
        let Some(Piece::Text(text)) = self.pieces.first() else {
            return String::new();
        };
        let word = text.split(|&octet| octet == b' ').next();
        String::from_utf8_lossy(word.unwrap_or_default()).to_ascii_uppercase()
    }

    /// Whether it goes on with the literal that the line before it announced.
    pub fn continues(&self) -> bool {
        matches!(self.pieces.first(), Some(Piece::Literal(_)))
    }

    /// Ends with the announcement of a literal of so many octets, which is on its way.
    pub fn announce(&mut self, octets: u64) {
        let announcement = format!("{{{octets}}}").into_bytes();
        match self.pieces.last_mut() {
            Some(Piece::Text(text)) => text.extend(announcement),
            _ => self.pieces.push(Piece::Text(announcement)),
        }
    }

    /// For messages: its first line, without what may be a secret.
    pub fn name(&self) -> String {
        match (self.verb().as_str(), self.pieces.first()) {
            (verb @ ("LOGIN" | "AUTHENTICATE"), _) => verb.to_owned(),
            (_, Some(Piece::Text(text))) => String::from_utf8_lossy(text).trim_end().to_owned(),
            _ => String::new(),
        }
    }
}

/// Reads lines. `file` gives what is in a file; its error and others are told with the number of the line.
///
/// ```
/// use mailtool::proto::imap::client::{Piece, read_lines};
///
/// let lines = read_lines(b"x1 NOOP\nAPPEND Sent {2}\nhi\n", &mut |_| unreachable!()).expect("good lines");
/// assert_eq!(lines[0].tag.as_deref(), Some("x1"));
/// assert_eq!(lines[1].pieces[1], Piece::Literal(b"hi".to_vec()));
/// ```
pub fn read_lines(
    input: &[u8],
    file: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    let mut line = Line::default();
    let mut rest = input;
    let mut number = 0;
    while !rest.is_empty() {
        number += 1;
        let end = memchr::memchr(b'\n', rest);
        let text = &rest[..end.unwrap_or(rest.len())];
        rest = &rest[end.map_or(rest.len(), |end| end + 1)..];
        let told = |why: String| format!("line {number}: {why}");
        if line.pieces.is_empty() && text.trim_ascii().is_empty() {
            continue;
        }
        let announced = read_line(text, &mut line, file).map_err(told)?;
        match announced {
            Some(octets) => {
                let Some((literal, after)) = usize::try_from(octets)
                    .ok()
                    .and_then(|octets| rest.split_at_checked(octets))
                else {
                    let left = rest.len();
                    return Err(told(format!(
                        "a literal of {octets} octets, and only {left} follow"
                    )));
                };
                line.pieces.push(Piece::Literal(literal.to_vec()));
                number += memchr::memchr_iter(b'\n', literal).count();
                if after.is_empty() {
                    lines.push(std::mem::take(&mut line));
                }
                rest = after;
            }
            None => lines.push(std::mem::take(&mut line)),
        }
    }
    if !line.pieces.is_empty() {
        lines.push(line);
    }
    Ok(lines)
}

/// Reads what stands in a line, without its LF, to the end of `line`; the octets of the literal that it ends with, if it does.
pub fn read_line(
    text: &[u8],
    line: &mut Line,
    file: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
) -> Result<Option<u64>, String> {
    let mut text = text.strip_suffix(b"\r").unwrap_or(text);
    if memchr::memchr2(b'\r', 0, text).is_some() {
        return Err("a CR or a NUL stands in it, which only a literal can hold".to_owned());
    }
    if line.pieces.is_empty() && has_tag(text) {
        let space = memchr::memchr(b' ', text).unwrap_or(0);
        line.tag = Some(String::from_utf8_lossy(&text[..space]).into_owned());
        text = text[space..].trim_ascii_start();
    }
    let (text, announced) = match announced(text) {
        Some((before, octets)) => (before, Some(octets)),
        None => (text, None),
    };
    pieces(text, &mut line.pieces, file)?;
    Ok(announced)
}

/// What stands before the literal that a line ends with, and its octets.
fn announced(line: &[u8]) -> Option<(&[u8], u64)> {
    let inside = line.strip_suffix(b"}")?;
    let open = memchr::memrchr(b'{', inside)?;
    let digits = &inside[open + 1..];
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    let good = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let octets = std::str::from_utf8(digits).ok()?;
    // More than fits into 64 bits does not follow either.
    good.then(|| (&line[..open], octets.parse().unwrap_or(u64::MAX)))
}

/// Cuts a line at its `{@FILE}`s.
fn pieces(
    line: &[u8],
    pieces: &mut Vec<Piece>,
    file: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
) -> Result<(), String> {
    let (mut from, mut at, mut quoted) = (0, 0, false);
    while at < line.len() {
        match line[at] {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b'{' if !quoted && line[at..].starts_with(b"{@") => {
                let close = memchr::memchr(b'}', &line[at..]);
                let close = close.ok_or("{@ has no } behind the file's name")? + at;
                let name = String::from_utf8_lossy(&line[at + 2..close]);
                pieces.push(Piece::Text(line[from..at].to_vec()));
                pieces.push(Piece::Literal(file(&name)?));
                from = close + 1;
                at = close;
            }
            _ => {}
        }
        at += 1;
    }
    if from < line.len() || from == 0 {
        pieces.push(Piece::Text(line[from..].to_vec()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8]) -> Result<Vec<Line>, String> {
        read_lines(input, &mut |name| match name {
            "a b" => Ok(b"file".to_vec()),
            _ => Err(format!("{name}: no such file")),
        })
    }

    fn text(text: &str) -> Piece {
        Piece::Text(text.as_bytes().to_vec())
    }

    fn literal(octets: &[u8]) -> Piece {
        Piece::Literal(octets.to_vec())
    }

    #[test]
    fn lines_have_tags_or_not() {
        let lines = read(b"select INBOX\r\n\n  \nz.9 UID FETCH 1 (FLAGS)\nDONE").expect("good");
        let tags: Vec<_> = lines.iter().map(|line| line.tag.as_deref()).collect();
        assert_eq!(tags, [None, Some("z.9"), None]);
        assert_eq!(lines[1].pieces, [text("UID FETCH 1 (FLAGS)")]);
        assert_eq!(
            (lines[0].verb(), lines[2].verb()),
            ("SELECT".into(), "DONE".into())
        );
        let login = read(b"LOGIN alice secret").expect("good");
        assert_eq!(login[0].name(), "LOGIN");
    }

    #[test]
    fn literals_are_octets_whatever_they_look_like() {
        let lines =
            read(b"APPEND a (\\Seen) {15+}\na1 OK {3}\r\n\0\r\nx {2}\nhi\nNOOP\n").expect("good");
        assert_eq!(
            lines[0].pieces,
            [
                text("APPEND a (\\Seen) "),
                literal(b"a1 OK {3}\r\n\0\r\nx"),
                text(" "),
                literal(b"hi"),
                text("")
            ]
        );
        assert_eq!(lines[1].pieces, [text("NOOP")]);
        let end = read(b"SEARCH TEXT {2}\nhi").expect("a literal may be the end");
        assert_eq!(end[0].pieces, [text("SEARCH TEXT "), literal(b"hi")]);
        let none = read(b"SEARCH TEXT {0}\n\nNOOP").expect("it may be empty");
        assert_eq!((none.len(), &none[0].pieces[1]), (2, &literal(b"")));
    }

    #[test]
    fn files_are_literals_outside_of_quotes() {
        let lines =
            read(b"APPEND x {@a b} (\\Seen) ~{@a b}\nSEARCH \"\\\"{@no}\"\n").expect("good");
        assert_eq!(
            lines[0].pieces,
            [
                text("APPEND x "),
                literal(b"file"),
                text(" (\\Seen) ~"),
                literal(b"file")
            ]
        );
        assert_eq!(lines[1].pieces, [text("SEARCH \"\\\"{@no}\"")]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (input, why) in [
            (
                &b"NOOP\nAPPEND x {@gone}\n"[..],
                "line 2: gone: no such file",
            ),
            (b"APPEND x {@gone", "line 1: {@ has no }"),
            (
                b"APPEND x {9}\nshort",
                "line 1: a literal of 9 octets, and only 5 follow",
            ),
            (b"APPEND x {99999999999999999999}\n", "only 0 follow"),
            (b"NO\rOP", "line 1: a CR"),
            (b"APPEND x {2}\n\n\n\nA\0B", "line 5: a CR"),
        ] {
            let said = read(input).expect_err("wrong");
            assert!(said.contains(why), "{said}");
        }
    }
}
