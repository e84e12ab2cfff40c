//! POP3 commands as words, and message text as POP3 sends it (RFC 1939 §3, RFC 2449 §3).
//!
//! ```text
//! command = keyword *(SP param) CRLF         keywords in any case
//! ```
//!
//! What is overlooked: space at the end of a line and more than one space between words, because people type them. Not in
//! a password: after `PASS` and one space everything counts (RFC 1939 §7, PASS: "the server may treat spaces in the
//! argument as part of the password").
//!
//! Not its job: which command is allowed when, and whether a message of that number exists; the session knows.

use super::codes::Text;
use super::sasl::hexadecimal;
use memchr::memchr;

/// A command, with what it lends from the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// `USER name`
    User(&'a [u8]),
    /// `PASS password`
    Pass(&'a [u8]),
    /// `STAT`
    Stat,
    /// `LIST [number]`
    List(Option<u32>),
    /// `UIDL [number]`
    Uidl(Option<u32>),
    /// `TOP number lines`
    Top {
        /// The message.
        number: u32,
        /// Lines of its body.
        lines: u32,
    },
    /// `RETR number`
    Retr(u32),
    /// `DELE number`
    Dele(u32),
    /// `RSET`
    Rset,
    /// `NOOP`
    Noop,
    /// `QUIT`
    Quit,
    /// `CAPA` (RFC 2449 §5)
    Capa,
    /// `STLS` (RFC 2595 §4)
    Stls,
    /// `APOP name digest` (RFC 1939 §7)
    Apop {
        /// Who logs in.
        name: &'a [u8],
        /// See [`super::sasl::apop_digest`].
        digest: [u8; 16],
    },
    /// `LAST`, of POP3 before RFC 1725.
    Last,
    /// `UTF8` (RFC 6856 §2.1)
    Utf8,
    /// `LANG [language]` (RFC 6856 §3); without one it asks for their list.
    Lang(Option<&'a [u8]>),
    /// `AUTH [mechanism [initial-response]]` (RFC 5034 §4); without a mechanism it asks for their list, as Outlook does.
    Auth(Option<(&'a [u8], Option<&'a [u8]>)>),
}

/// Why a line is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyntaxError {
    /// Nothing on the line.
    Empty,
    /// No such keyword.
    Unknown,
    /// A known keyword, with other arguments than it takes: how it is written.
    Usage(Text),
    /// Where a number should be there is none, or one of more than nine digits: how the command is written.
    Number(Text),
}

impl<'a> Command<'a> {
    /// Reads a line without its line end.
    ///
    /// ```
    /// use mailtool::wire::pop3::{Command, RETR, SyntaxError};
    ///
    /// assert_eq!(Command::parse(b"top 2 10"), Ok(Command::Top { number: 2, lines: 10 }));
    /// assert_eq!(Command::parse(b"PASS two words "), Ok(Command::Pass(b"two words ")));
    /// assert_eq!(Command::parse(b"RETR"), Err(SyntaxError::Usage(RETR)));
    /// ```
    pub fn parse(line: &'a [u8]) -> Result<Self, SyntaxError> {
        let keyword_end = memchr(b' ', line).unwrap_or(line.len());
        let (keyword, rest) = line.split_at(keyword_end);
        let mut words = rest
            .split(|&octet| octet == b' ')
            .filter(|word| !word.is_empty());
        let arguments = (words.next(), words.next(), words.next());
        let mut upper = [0; 4];
        let Some(room) = upper.get_mut(..keyword.len()) else {
            return Err(SyntaxError::Unknown);
        };
        room.copy_from_slice(keyword);
        room.make_ascii_uppercase();
        let only = |command, usage| match arguments {
            (None, ..) => Ok(command),
            _ => Err(SyntaxError::Usage(usage)),
        };
        match &*room {
            b"USER" => match rest.trim_ascii() {
                b"" => Err(SyntaxError::Usage(USER)),
                name => Ok(Self::User(name)),
            },
            b"PASS" => match rest.get(1..) {
                None | Some(b"") => Err(SyntaxError::Usage(PASS)),
                Some(password) => Ok(Self::Pass(password)),
            },
            b"STAT" => only(Self::Stat, STAT),
            b"LIST" => optional(arguments, LIST).map(Self::List),
            b"UIDL" => optional(arguments, UIDL).map(Self::Uidl),
            b"TOP" => match arguments {
                (Some(message), Some(lines), None) => Ok(Self::Top {
                    number: number(message, TOP)?,
                    lines: number(lines, TOP)?,
                }),
                _ => Err(SyntaxError::Usage(TOP)),
            },
            b"RETR" => one(arguments, RETR).map(Self::Retr),
            b"DELE" => one(arguments, DELE).map(Self::Dele),
            b"RSET" => only(Self::Rset, RSET),
            b"NOOP" => only(Self::Noop, NOOP),
            b"QUIT" => only(Self::Quit, QUIT),
            b"CAPA" => only(Self::Capa, CAPA),
            b"STLS" => only(Self::Stls, STLS),
            b"LAST" => only(Self::Last, LAST),
            b"UTF8" => only(Self::Utf8, UTF8),
            b"LANG" => match arguments {
                (language, None, _) => Ok(Self::Lang(language)),
                _ => Err(SyntaxError::Usage(LANG)),
            },
            b"APOP" => match arguments {
                (Some(name), Some(digest), None) => match hexadecimal(digest) {
                    Some(digest) => Ok(Self::Apop { name, digest }),
                    None => Err(SyntaxError::Usage(APOP)),
                },
                _ => Err(SyntaxError::Usage(APOP)),
            },
            b"AUTH" => match arguments {
                (None, ..) => Ok(Self::Auth(None)),
                (Some(mechanism), initial, None) => Ok(Self::Auth(Some((mechanism, initial)))),
                _ => Err(SyntaxError::Usage(AUTH)),
            },
            b"" if rest.trim_ascii().is_empty() => Err(SyntaxError::Empty),
            _ => Err(SyntaxError::Unknown),
        }
    }

    /// Which octets of `line` are a password or its like: that of PASS, the digest of APOP, the initial response of AUTH.
    ///
    /// ```
    /// use mailtool::wire::pop3::Command;
    ///
    /// assert_eq!(Command::secret_in(b"PASS x y"), Some(5..8));
    /// assert_eq!(Command::secret_in(b"auth plain AGEAYg=="), Some(11..19));
    /// assert_eq!(Command::secret_in(b"APOP alice c4c9334bac560ecc"), Some(11..27));
    /// assert_eq!(Command::secret_in(b"USER alice"), None);
    /// ```
    pub fn secret_in(line: &[u8]) -> Option<std::ops::Range<usize>> {
        let (keyword, _) = line.split_at_checked(5)?;
        let start = if keyword.eq_ignore_ascii_case(b"PASS ") {
            5
        } else if [&b"AUTH "[..], b"APOP "]
            .iter()
            .any(|verb| keyword.eq_ignore_ascii_case(verb))
        {
            let shown = 5 + line[5..].iter().position(|&octet| octet != b' ')?;
            shown + memchr(b' ', &line[shown..])? + 1
        } else {
            return None;
        };
        (start < line.len()).then_some(start..line.len())
    }
}

type Arguments<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, Option<&'a [u8]>);

fn optional(arguments: Arguments<'_>, usage: Text) -> Result<Option<u32>, SyntaxError> {
    match arguments {
        (None, ..) => Ok(None),
        _ => one(arguments, usage).map(Some),
    }
}

fn one(arguments: Arguments<'_>, usage: Text) -> Result<u32, SyntaxError> {
    match arguments {
        (Some(word), None, _) => number(word, usage),
        _ => Err(SyntaxError::Usage(usage)),
    }
}

/// A number of up to nine digits, so that it cannot overflow.
fn number(word: &[u8], usage: Text) -> Result<u32, SyntaxError> {
    if word.len() > 9 || !word.iter().all(u8::is_ascii_digit) {
        return Err(SyntaxError::Number(usage));
    }
    Ok(word
        .iter()
        .fold(0, |number, &digit| number * 10 + u32::from(digit - b'0')))
}

/// How a command is written.
const fn usage(en: &'static str, fr: &'static str) -> Text {
    Text { en, fr }
}

const USER: Text = usage("USER name", "USER nom");
const PASS: Text = usage("PASS password", "PASS mot-de-passe");
const APOP: Text = usage(
    "APOP name digest, the digest as 32 hexadecimal digits: printf '%s' '<...>password' | md5sum, the <...> of the greeting",
    "APOP nom empreinte, l'empreinte en 32 chiffres hexadécimaux : printf '%s' '<...>mot-de-passe' | md5sum, avec le <...> de l'accueil",
);
const AUTH: Text = usage(
    "AUTH mechanism [initial-response]",
    "AUTH mécanisme [réponse-initiale]",
);
const LANG: Text = usage(
    "LANG, or LANG language, such as LANG fr",
    "LANG, ou LANG langue, par exemple LANG fr",
);
const LIST: Text = usage("LIST, or LIST number", "LIST, ou LIST numéro");
const UIDL: Text = usage("UIDL, or UIDL number", "UIDL, ou UIDL numéro");
/// How RETR is written.
pub const RETR: Text = usage("RETR number", "RETR numéro");
const DELE: Text = usage("DELE number", "DELE numéro");
const TOP: Text = usage("TOP number lines", "TOP numéro lignes");
const STAT: Text = usage("STAT, and nothing after it", "STAT, et rien après");
const LAST: Text = usage("LAST, and nothing after it", "LAST, et rien après");
const RSET: Text = usage("RSET, and nothing after it", "RSET, et rien après");
const NOOP: Text = usage("NOOP, and nothing after it", "NOOP, et rien après");
const QUIT: Text = usage("QUIT, and nothing after it", "QUIT, et rien après");
const CAPA: Text = usage("CAPA, and nothing after it", "CAPA, et rien après");
const STLS: Text = usage("STLS, and nothing after it", "STLS, et rien après");
const UTF8: Text = usage("UTF8, and nothing after it", "UTF8, et rien après");

/// Message text on its way out: dots are stuffed (RFC 1939 §3), and of TOP only the header and some lines pass.
///
/// Text comes in with CRLF line ends, in pieces cut anywhere; [`Self::end`] writes the dot alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    at: At,
    /// Lines of the body that may still pass; `None`: all of them.
    body_lines: Option<u32>,
}

/// Where the text that has passed stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// At the start of a line of the header.
    HeaderLine,
    /// Within a line of the header; whether it has nothing but CR so far.
    Header(Blank),
    /// At the start of a line of the body.
    BodyLine,
    /// Within a line of the body.
    Body,
    /// All that may pass has passed.
    Enough,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blank {
    SoFar,
    No,
}

impl Outgoing {
    /// A whole message: RETR.
    pub const fn whole() -> Self {
        Self {
            at: At::HeaderLine,
            body_lines: None,
        }
    }

    /// The header, the empty line, and so many lines of the body: TOP (RFC 1939 §7).
    pub const fn top(body_lines: u32) -> Self {
        Self {
            at: At::HeaderLine,
            body_lines: Some(body_lines),
        }
    }

    /// Whether nothing more may pass.
    pub fn is_enough(&self) -> bool {
        self.at == At::Enough || (self.at == At::BodyLine && self.body_lines == Some(0))
    }

    /// Appends to `out` what of `text` passes, stuffed.
    ///
    /// ```
    /// use mailtool::wire::pop3::Outgoing;
    ///
    /// let mut out = Vec::new();
    /// let mut outgoing = Outgoing::top(1);
    /// outgoing.pass(b"Subject: x\r\n\r\n.one\r\ntwo\r\n", &mut out);
    /// outgoing.end(&mut out);
    /// assert_eq!(out, b"Subject: x\r\n\r\n..one\r\n.\r\n");
    /// ```
    pub fn pass(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let mut rest = text;
        while let Some(&first) = rest.first() {
            match self.at {
                At::Enough => return,
                At::BodyLine if self.body_lines == Some(0) => {
                    self.at = At::Enough;
                    return;
                }
                At::HeaderLine | At::BodyLine if first == b'.' => out.push(b'.'),
                _ => {}
            }
            let end = memchr(b'\n', rest).map(|at| at + 1);
            let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
            out.extend_from_slice(line);
            rest = after;
            let blank = line.iter().all(|octet| matches!(octet, b'\r' | b'\n'));
            self.at = match (self.at, end) {
                (At::HeaderLine | At::Header(Blank::SoFar), Some(_)) if blank => At::BodyLine,
                (At::HeaderLine | At::Header(_), Some(_)) => At::HeaderLine,
                (At::HeaderLine | At::Header(Blank::SoFar), None) if blank => {
                    At::Header(Blank::SoFar)
                }
                (At::HeaderLine | At::Header(_), None) => At::Header(Blank::No),
                (_, Some(_)) => {
                    self.body_lines = self.body_lines.map(|lines| lines.saturating_sub(1));
                    At::BodyLine
                }
                (_, None) => At::Body,
            };
        }
    }

    /// Appends the end: a line end if the text has none, and the dot alone.
    pub fn end(&self, out: &mut Vec<u8>) {
        if matches!(self.at, At::Header(_) | At::Body) {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commands_are_read_in_any_case_and_with_stray_spaces() {
        for (line, command) in [
            (&b"USER alice"[..], Command::User(b"alice")),
            (b"user  alice b ", Command::User(b"alice b")),
            (b"PASS  x ", Command::Pass(b" x ")),
            (b"STAT ", Command::Stat),
            (b"list", Command::List(None)),
            (b"LIST  12", Command::List(Some(12))),
            (b"UIDL 1", Command::Uidl(Some(1))),
            (
                b"ToP 1 0",
                Command::Top {
                    number: 1,
                    lines: 0,
                },
            ),
            (b"RETR 999999999", Command::Retr(999_999_999)),
            (b"DELE 0", Command::Dele(0)),
            (b"last", Command::Last),
            (b"UTF8", Command::Utf8),
            (b"LANG", Command::Lang(None)),
            (b"lang fr", Command::Lang(Some(b"fr"))),
            (
                b"APOP mrose 000102030405060708090a0b0c0d0EFF",
                Command::Apop {
                    name: b"mrose",
                    digest: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255],
                },
            ),
            (b"AUTH", Command::Auth(None)),
            (b"AUTH PLAIN", Command::Auth(Some((b"PLAIN", None)))),
            (b"AUTH PLAIN =", Command::Auth(Some((b"PLAIN", Some(b"="))))),
        ] {
            assert_eq!(Command::parse(line), Ok(command));
        }
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        for (line, error) in [
            (&b""[..], SyntaxError::Empty),
            (b"  ", SyntaxError::Empty),
            (b"HELO x", SyntaxError::Unknown),
            (b"STATS", SyntaxError::Unknown),
            (b" STAT", SyntaxError::Unknown),
            (b"USER", SyntaxError::Usage(USER)),
            (b"USER ", SyntaxError::Usage(USER)),
            (b"PASS ", SyntaxError::Usage(PASS)),
            (b"RETR 1 2", SyntaxError::Usage(RETR)),
            (b"RETR one", SyntaxError::Number(RETR)),
            (b"RETR -1", SyntaxError::Number(RETR)),
            (b"RETR 1000000000", SyntaxError::Number(RETR)),
            (b"TOP 1", SyntaxError::Usage(TOP)),
            (b"APOP mrose", SyntaxError::Usage(APOP)),
            (b"APOP mrose secret", SyntaxError::Usage(APOP)),
            (b"LANG fr en", SyntaxError::Usage(LANG)),
            (b"LAST 1", SyntaxError::Usage(LAST)),
            (b"QUIT now", SyntaxError::Usage(QUIT)),
        ] {
            assert_eq!(Command::parse(line), Err(error));
        }
    }

    #[test]
    fn secrets_are_found_where_they_are() {
        for (line, secret) in [
            (&b"PASS "[..], None),
            (b"pass a b", Some(5..8)),
            (b"AUTH  PLAIN   x", Some(12..15)),
            (b"AUTH PLAIN", None),
            (b"AUTH ", None),
            (b"RETR 1", None),
        ] {
            assert_eq!(Command::secret_in(line), secret);
        }
    }

    /// What [`Outgoing`] does, said in whole lines.
    fn by_lines(text: &[u8], body_lines: Option<u32>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut left = None;
        for line in text.split_inclusive(|&octet| octet == b'\n') {
            if left == Some(0) && body_lines.is_some() {
                break;
            }
            if line.starts_with(b".") {
                out.push(b'.');
            }
            out.extend_from_slice(line);
            left = match left {
                None if line.iter().all(|octet| b"\r\n".contains(octet)) => {
                    Some(body_lines.unwrap_or(u32::MAX))
                }
                None => None,
                Some(lines) => Some(lines.saturating_sub(1)),
            };
        }
        if !out.is_empty() && !out.ends_with(b"\n") {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
        out
    }

    fn in_pieces(text: &[u8], body_lines: Option<u32>, piece: usize) -> Vec<u8> {
        let mut outgoing = body_lines.map_or_else(Outgoing::whole, Outgoing::top);
        let mut out = Vec::new();
        for piece in text.chunks(piece) {
            outgoing.pass(piece, &mut out);
        }
        outgoing.end(&mut out);
        out
    }

    #[test]
    fn text_is_the_same_however_it_is_cut() {
        for text in [
            &b""[..],
            b"\r\n",
            b"A: b\r\n",
            b".A: b\r\n..\r\n\r\n.\r\n..\r\nx\r\n",
            b"A: b\r\n\r\n\r\n\r\nx",
            b"no end",
        ] {
            for body_lines in [None, Some(0), Some(1), Some(2), Some(99)] {
                for piece in 1..=text.len().max(1) {
                    assert_eq!(
                        in_pieces(text, body_lines, piece)
                            .escape_ascii()
                            .to_string(),
                        by_lines(text, body_lines).escape_ascii().to_string(),
                        "{} {body_lines:?} {piece}",
                        text.escape_ascii()
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_stuffed_as_lines_are(
            lines in prop::collection::vec("[.a]{0,3}", 0..9),
            body_lines in prop::option::of(0u32..5),
            piece in 1usize..7,
        ) {
            let text = lines.iter().flat_map(|line| [line.as_bytes(), b"\r\n"]).flatten().copied().collect::<Vec<_>>();
            prop_assert_eq!(in_pieces(&text, body_lines, piece), by_lines(&text, body_lines));
        }

        #[test]
        fn any_line_is_read_or_refused(line: Vec<u8>) {
            let _ = Command::parse(&line);
            if let Some(secret) = Command::secret_in(&line) {
                prop_assert!(secret.start < secret.end && secret.end == line.len());
            }
        }
    }
}
