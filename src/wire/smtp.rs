//! SMTP's words: commands with their arguments, and replies (RFC 5321 §4.1, §4.2; LMTP: RFC 2033).
//!
//! [`VERBS`] is the one table of commands: the parser, HELP and the texts of syntax errors are made from it. A command is
//! read in two steps, [`command`] for the verb and then a function for the arguments, so that a session can say of a
//! known verb what its arguments should have been.

pub mod parameters;
pub mod xclient;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::wire::address::{self, Address, AddressError};
use crate::wire::sasl::Mechanism;

/// What a client can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// RFC 5321 §4.1.1.1
    Helo,
    /// RFC 5321 §4.1.1.1
    Ehlo,
    /// RFC 2033 §4.1
    Lhlo,
    /// RFC 5321 §4.1.1.2
    Mail,
    /// RFC 5321 §4.1.1.3
    Rcpt,
    /// RFC 5321 §4.1.1.4
    Data,
    /// RFC 5321 §4.1.1.5
    Rset,
    /// RFC 5321 §4.1.1.9
    Noop,
    /// RFC 5321 §4.1.1.10
    Quit,
    /// RFC 5321 §4.1.1.6
    Vrfy,
    /// RFC 5321 §4.1.1.8
    Help,
    /// RFC 3207
    StartTls,
    /// RFC 4954
    Auth,
    /// RFC 5321 §4.1.1.7
    Expn,
    /// RFC 1985
    Etrn,
    /// RFC 821 §3.8, deprecated in RFC 5321 appendix F.1
    Turn,
    /// RFC 3030
    Bdat,
    /// Postfix's XCLIENT_README
    Xclient,
}

/// What is to be said about a verb.
#[derive(Debug)]
pub struct VerbInfo {
    /// The verb.
    pub verb: Verb,
    /// As it is written; read in any case.
    pub name: &'static str,
    /// How it is written with its arguments.
    pub syntax: &'static str,
    /// One that works.
    pub example: &'static str,
    /// What it is for.
    pub meaning: &'static str,
}

/// All verbs, in the order in which a session uses them; those that few need come last.
pub const VERBS: [VerbInfo; 18] = [
    info(
        Verb::Helo,
        "HELO",
        "HELO name-of-your-computer",
        "HELO pc1.example.org",
        "says who you are, without extensions",
    ),
    info(
        Verb::Ehlo,
        "EHLO",
        "EHLO name-of-your-computer",
        "EHLO pc1.example.org",
        "says who you are, and lists what this server can do",
    ),
    info(
        Verb::Lhlo,
        "LHLO",
        "LHLO name-of-your-computer",
        "LHLO pc1.example.org",
        "LMTP's EHLO",
    ),
    info(
        Verb::Mail,
        "MAIL",
        "MAIL FROM:<address> [SIZE=octets] [BODY=8BITMIME] [SMTPUTF8]",
        "MAIL FROM:<bob@example.org>",
        "begins a message: where errors go back to",
    ),
    info(
        Verb::Rcpt,
        "RCPT",
        "RCPT TO:<address>",
        "RCPT TO:<alice@example.org>",
        "names one recipient; once for each",
    ),
    info(
        Verb::Data,
        "DATA",
        "DATA",
        "DATA",
        "begins the text: header, empty line, body, and a line with a dot alone",
    ),
    info(
        Verb::Rset,
        "RSET",
        "RSET",
        "RSET",
        "forgets the message that was begun",
    ),
    info(
        Verb::Noop,
        "NOOP",
        "NOOP",
        "NOOP",
        "does nothing, and is answered",
    ),
    info(Verb::Quit, "QUIT", "QUIT", "QUIT", "ends the session"),
    info(
        Verb::Vrfy,
        "VRFY",
        "VRFY name",
        "VRFY alice",
        "asks whether there is such a mailbox",
    ),
    info(
        Verb::Help,
        "HELP",
        "HELP [command]",
        "HELP MAIL",
        "explains a command",
    ),
    info(
        Verb::StartTls,
        "STARTTLS",
        "STARTTLS",
        "STARTTLS",
        "goes on encrypted",
    ),
    info(
        Verb::Auth,
        "AUTH",
        "AUTH mechanism [base64]",
        "AUTH PLAIN AGFsaWNlAGFsaWNl",
        "logs in, with one of the mechanisms that EHLO lists",
    ),
    info(
        Verb::Expn,
        "EXPN",
        "EXPN list",
        "EXPN staff",
        "asks who is on a mailing list",
    ),
    info(
        Verb::Etrn,
        "ETRN",
        "ETRN domain",
        "ETRN example.org",
        "asks to send what is queued",
    ),
    info(
        Verb::Turn,
        "TURN",
        "TURN",
        "TURN",
        "changes roles; abandoned, because anyone could fetch anyone's mail",
    ),
    info(
        Verb::Bdat,
        "BDAT",
        "BDAT octets [LAST]",
        "BDAT 86 LAST",
        "sends so many octets of the text, without dots; LAST ends it",
    ),
    info(
        Verb::Xclient,
        "XCLIENT",
        "XCLIENT ADDR=address [NAME=name] [HELO=name] [LOGIN=user]",
        "XCLIENT ADDR=192.0.2.7 HELO=pc1.example.org",
        "lets a proxy that this server knows say whose connection it hands on",
    ),
];

impl Verb {
    /// Its row in [`VERBS`].
    pub fn info(self) -> &'static VerbInfo {
        static TABLE: [VerbInfo; 18] = VERBS;
        // Every verb has its row: a test holds them together.
        TABLE
            .iter()
            .find(|info| info.verb == self)
            .unwrap_or(&TABLE[0])
    }
}

const fn info(
    verb: Verb,
    name: &'static str,
    syntax: &'static str,
    example: &'static str,
    meaning: &'static str,
) -> VerbInfo {
    VerbInfo {
        verb,
        name,
        syntax,
        example,
        meaning,
    }
}

/// Reads the verb of a line, and lends what stands behind it without spaces around. `None`: no such verb.
///
/// ```
/// use mailtool::wire::smtp::{Verb, command};
///
/// assert_eq!(command(b"rcpt to: <a@b.example> "), Some((Verb::Rcpt, &b"to: <a@b.example>"[..])));
/// assert_eq!(command(b"HELLO"), None);
/// ```
pub fn command(line: &[u8]) -> Option<(Verb, &[u8])> {
    let line = line.trim_ascii();
    let end = line
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(line.len());
    let (word, arguments) = line.split_at(end);
    let info = VERBS
        .iter()
        .find(|info| info.name.as_bytes().eq_ignore_ascii_case(word))?;
    Some((info.verb, arguments.trim_ascii_start()))
}

/// Which octets of a command line are a password or its like: the initial response of AUTH; all that follows AUTH where no
/// name of a mechanism does.
///
/// ```
/// use mailtool::wire::smtp::secret_in;
///
/// assert_eq!(secret_in(b"auth  plain AGEAYg== "), Some(12..20));
/// assert_eq!(secret_in(b"AUTH LOGIN"), None);
/// ```
pub fn secret_in(line: &[u8]) -> Option<Range<usize>> {
    let (Verb::Auth, arguments) = command(line)? else {
        return None;
    };
    let word = arguments.split(u8::is_ascii_whitespace).next()?;
    let mechanism = if Mechanism::is_name(word) {
        word.len()
    } else {
        0
    };
    let secret = arguments[mechanism..].trim_ascii();
    if secret.is_empty() {
        return None;
    }
    let end = line.trim_ascii_end().len();
    Some(end - secret.len()..end)
}

/// What is wrong with the arguments of MAIL or RCPT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyntaxError {
    /// Nothing stands behind the verb.
    NothingFollows,
    /// `FROM` (or `TO`) does not follow.
    Keyword,
    /// `FROM` stands there, and then nothing: no colon, no address.
    NothingAfterKeyword,
    /// No colon after `FROM` (or `TO`).
    Colon,
    /// The address.
    Address(AddressError),
    /// `<>` as a recipient.
    NullRecipient,
    /// A parameter that has not the form `KEYWORD` or `KEYWORD=value`.
    Parameter(String),
}

impl From<AddressError> for SyntaxError {
    fn from(error: AddressError) -> Self {
        Self::Address(error)
    }
}

/// `KEYWORD` or `KEYWORD=value` behind a path (RFC 5321 §4.1.2 `esmtp-param`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// As it was written; compare without case.
    pub keyword: &'a str,
    /// What stands behind `=`.
    pub value: Option<&'a str>,
}

/// The arguments of MAIL: the reverse-path (`None` is the null one, `<>`), and the parameters. Whether an address may have letters
/// outside of ASCII is only known from the parameters: ask [`Address::is_ascii`].
pub fn mail(arguments: &[u8]) -> Result<(Option<Address>, Vec<Parameter<'_>>), SyntaxError> {
    let (path, parameters) = address::path_utf8(after_keyword(arguments, b"FROM")?)?;
    Ok((path, self::parameters(parameters)?))
}

/// The arguments of RCPT: the forward-path, and the parameters.
pub fn rcpt(arguments: &[u8]) -> Result<(Address, Vec<Parameter<'_>>), SyntaxError> {
    let (path, parameters) = address::path_utf8(after_keyword(arguments, b"TO")?)?;
    let path = path.ok_or(SyntaxError::NullRecipient)?;
    Ok((path, self::parameters(parameters)?))
}

/// What stands behind `FROM:`; spaces on both sides of the colon are overlooked.
fn after_keyword<'a>(arguments: &'a [u8], keyword: &[u8]) -> Result<&'a [u8], SyntaxError> {
    let arguments = arguments.trim_ascii();
    if arguments.is_empty() {
        return Err(SyntaxError::NothingFollows);
    }
    let Some((word, rest)) = arguments.split_at_checked(keyword.len()) else {
        return Err(SyntaxError::Keyword);
    };
    if !word.eq_ignore_ascii_case(keyword) {
        return Err(SyntaxError::Keyword);
    }
    match rest.trim_ascii_start() {
        [] | [b':'] => Err(SyntaxError::NothingAfterKeyword),
        [b':', path @ ..] => Ok(path),
        [first, ..] if rest.len() == rest.trim_ascii_start().len() && *first != b'<' => {
            Err(SyntaxError::Keyword)
        }
        _ => Err(SyntaxError::Colon),
    }
}

fn parameters(text: &[u8]) -> Result<Vec<Parameter<'_>>, SyntaxError> {
    text.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .map(|word| parameter(word).ok_or_else(|| SyntaxError::Parameter(shown(word))))
        .collect()
}

fn parameter(word: &[u8]) -> Option<Parameter<'_>> {
    let word = std::str::from_utf8(word).ok()?;
    let (keyword, value) = match word.split_once('=') {
        Some((keyword, value)) => (keyword, Some(value)),
        None => (word, None),
    };
    let letter = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
    // AUTH=<> and xtext hold `=` too, as `+3D` only; a second `=` is overlooked (Postfix does so).
    // RFC 6533 §3: with SMTPUTF8 an ORCPT may have letters as they are.
    let fits = |octet: u8| octet.is_ascii_graphic() || !octet.is_ascii();
    let well_formed = !keyword.is_empty()
        && !keyword.starts_with('-')
        && keyword.bytes().all(letter)
        && value.is_none_or(|value| !value.is_empty() && value.bytes().all(fits));
    well_formed.then_some(Parameter { keyword, value })
}

/// Octets of a peer, fit for a reply or a message to a person: what is not printable ASCII is `?`, and at most 60 of them.
pub fn shown(octets: &[u8]) -> String {
    let mut text: String = octets
        .iter()
        .take(60)
        .map(|&octet| {
            if (b' '..=b'~').contains(&octet) {
                char::from(octet)
            } else {
                '?'
            }
        })
        .collect();
    if octets.len() > 60 {
        text.push_str("...");
    }
    text
}

/// An enhanced status code: `5.1.1` (RFC 3463).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enhanced(pub u8, pub u16, pub u16);

impl fmt::Display for Enhanced {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Enhanced {
    /// The code at the beginning of `text`, and what follows it.
    pub fn split(text: &str) -> Option<(Self, &str)> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let mut parts = word.split('.');
        let mut number = |digits: usize| {
            let part = parts.next()?;
            let fits = part.len() <= digits && part.bytes().all(|octet| octet.is_ascii_digit());
            part.parse::<u16>().ok().filter(|_| fits)
        };
        let (class, subject, detail) = (number(1)?, number(3)?, number(3)?);
        let class = u8::try_from(class)
            .ok()
            .filter(|class| matches!(class, 2 | 4 | 5))?;
        parts
            .next()
            .is_none()
            .then_some((Self(class, subject, detail), rest))
    }
}

/// A reply: one code, one or more lines of text (RFC 5321 §4.2).
///
/// ```
/// use mailtool::wire::smtp::{Enhanced, Reply};
///
/// let reply = Reply::new(550, Enhanced(5, 1, 1), "No such user");
/// let mut wire = Vec::new();
/// reply.write(&mut wire);
/// assert_eq!(wire, b"550 5.1.1 No such user\r\n");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// 200 to 599.
    pub code: u16,
    /// Said on every line (RFC 2034 §4); greetings and the answers to HELO and EHLO have none.
    pub enhanced: Option<Enhanced>,
    /// At least one.
    pub lines: Vec<Cow<'static, str>>,
}

impl Reply {
    /// One line with an enhanced code.
    pub fn new(code: u16, enhanced: Enhanced, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            enhanced: Some(enhanced),
            lines: vec![text.into()],
        }
    }

    /// One line without an enhanced code.
    pub fn basic(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            enhanced: None,
            lines: vec![text.into()],
        }
    }

    /// 2: done. 3: go on. 4: not now. 5: no.
    pub const fn class(&self) -> u16 {
        self.code / 100
    }

    /// Appends it as it goes over the wire.
    pub fn write(&self, out: &mut Vec<u8>) {
        let last = self.lines.len().saturating_sub(1);
        for (at, line) in self.lines.iter().enumerate() {
            out.extend_from_slice(self.code.to_string().as_bytes());
            out.push(if at < last { b'-' } else { b' ' });
            if let Some(enhanced) = self.enhanced {
                out.extend_from_slice(enhanced.to_string().as_bytes());
                out.push(b' ');
            }
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
}

impl fmt::Display for Reply {
    /// `550 5.1.1 No such user`: the lines of one reply joined by a space.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(formatter, " {enhanced}")?;
        }
        for line in &self.lines {
            write!(formatter, " {line}")?;
        }
        Ok(())
    }
}

/// Puts replies together from their lines, for a client.
#[derive(Debug, Default)]
pub struct ReplyReader {
    /// The lines so far of a reply that goes on.
    begun: Option<Reply>,
}

/// What came is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyError {
    /// It does not begin with three digits, and a space or `-`.
    NotAReply,
    /// The lines of one reply have different codes.
    CodeChanges,
    /// Too many lines for one reply.
    TooLong,
}

impl ReplyReader {
    /// Lines of one reply that are read at most. EHLO's answers are the longest, with some thirty.
    pub const LINES: usize = 200;

    /// Takes a line without its line end; a reply when that was its last. What is not UTF-8 in it is replaced.
    pub fn line(&mut self, line: &[u8]) -> Result<Option<Reply>, ReplyError> {
        let (code, more, text) = reply_line(line).ok_or(ReplyError::NotAReply)?;
        let text = String::from_utf8_lossy(text).into_owned();
        let (enhanced, text) = match Enhanced::split(&text) {
            // RFC 2034 §4: the class is that of the reply, else it is no such code but text.
            Some((enhanced, rest)) if u16::from(enhanced.0) == code / 100 => {
                (Some(enhanced), rest.to_owned())
            }
            _ => (None, text),
        };
        let mut reply = self.begun.take().unwrap_or(Reply {
            code,
            enhanced,
            lines: Vec::new(),
        });
        if reply.code != code {
            return Err(ReplyError::CodeChanges);
        }
        if reply.lines.len() == Self::LINES {
            return Err(ReplyError::TooLong);
        }
        reply.lines.push(text.into());
        if more {
            self.begun = Some(reply);
            return Ok(None);
        }
        Ok(Some(reply))
    }
}

/// `250-text`, `250 text` and, from terse servers, `250` (RFC 5321 §4.2: the client must take it).
fn reply_line(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    let code = std::str::from_utf8(digits).ok()?;
    if !code.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let code = code.parse().ok().filter(|code| (200..600).contains(code))?;
    match rest {
        [] => Some((code, false, rest)),
        [b' ', text @ ..] => Some((code, false, text)),
        [b'-', text @ ..] => Some((code, true, text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_verb_has_its_row_and_its_example_is_read() {
        for info in &VERBS {
            assert_eq!(info.verb.info().name, info.name);
            assert_eq!(
                command(info.example.as_bytes()).map(|found| found.0),
                Some(info.verb)
            );
            assert!(info.syntax.starts_with(info.name));
        }
    }

    #[test]
    fn mail_from_with_nothing_after_it_is_told_from_other_mistakes() {
        use SyntaxError as E;
        for (arguments, error) in [
            ("", E::NothingFollows),
            ("FROM", E::NothingAfterKeyword),
            ("from:", E::NothingAfterKeyword),
            ("FROM: ", E::NothingAfterKeyword),
            ("FROM <a@b.example>", E::Colon),
            ("FROM<a@b.example>", E::Colon),
            ("FROMAGE", E::Keyword),
            ("TO:<a@b.example>", E::Keyword),
            ("<a@b.example>", E::Keyword),
            ("FROM:<a@b.example", E::Address(AddressError::Bracket)),
            ("FROM:<a@b.example> =1", E::Parameter("=1".to_owned())),
            ("FROM:<a@b.example> SIZE=", E::Parameter("SIZE=".to_owned())),
        ] {
            assert_eq!(mail(arguments.as_bytes()).err(), Some(error), "{arguments}");
        }
        assert_eq!(rcpt(b"TO:<>").err(), Some(SyntaxError::NullRecipient));
    }

    #[test]
    fn parameters_follow_the_path() {
        let (path, parameters) = mail(b"from : bob@example.org  size=5 SMTPUTF8").unwrap();
        assert_eq!(path.unwrap().to_string(), "bob@example.org");
        let size = Parameter {
            keyword: "size",
            value: Some("5"),
        };
        let utf8 = Parameter {
            keyword: "SMTPUTF8",
            value: None,
        };
        assert_eq!(parameters, [size, utf8]);
        assert_eq!(mail(b"FROM:<>").unwrap(), (None, Vec::new()));
    }

    #[test]
    fn replies_are_put_together() {
        let mut reader = ReplyReader::default();
        assert_eq!(reader.line(b"250-mail.example.org"), Ok(None));
        let reply = reader.line(b"250 SIZE 1000").unwrap().unwrap();
        assert_eq!(
            (reply.code, &reply.lines[..]),
            (250, &["mail.example.org".into(), "SIZE 1000".into()][..])
        );
        let reply = reader.line(b"550 5.1.1 No").unwrap().unwrap();
        assert_eq!(
            (reply.enhanced, reply.to_string()),
            (Some(Enhanced(5, 1, 1)), "550 5.1.1 No".to_owned())
        );
        let reply = reader.line(b"250 4.1.1 is a version").unwrap().unwrap();
        assert_eq!(
            (reply.enhanced, &reply.lines[0][..]),
            (None, "4.1.1 is a version")
        );
        assert_eq!(reader.line(b"354").unwrap().unwrap().code, 354);
        assert_eq!(reader.line(b"+OK POP3 here"), Err(ReplyError::NotAReply));
        assert_eq!(reader.line(b"250-a"), Ok(None));
        assert_eq!(reader.line(b"251 b"), Err(ReplyError::CodeChanges));
    }

    #[test]
    fn a_reply_without_end_is_cut() {
        let mut reader = ReplyReader::default();
        let error = (0..1000).find_map(|_| reader.line(b"250-more").err());
        assert_eq!(error, Some(ReplyError::TooLong));
    }

    proptest! {
        #[test]
        fn any_octets_are_refused_or_read(line: Vec<u8>, lines: Vec<Vec<u8>>) {
            let _ = (command(&line), mail(&line), rcpt(&line));
            let mut reader = ReplyReader::default();
            for line in &lines {
                let _ = reader.line(line);
            }
        }

        #[test]
        fn replies_come_back(code in 200u16..600, lines in prop::collection::vec("[a-z ]{1,10}", 1..4)) {
            let enhanced = matches!(code / 100, 2 | 4 | 5).then_some(Enhanced((code / 100) as u8, 7, 8));
            let reply = Reply { code, enhanced, lines: lines.into_iter().map(Cow::from).collect() };
            let mut wire = Vec::new();
            reply.write(&mut wire);
            let mut reader = ReplyReader::default();
            let mut last = None;
            for line in wire.strip_suffix(b"\r\n").unwrap().split(|&octet| octet == b'\n') {
                last = reader.line(line.strip_suffix(b"\r").unwrap_or(line)).unwrap();
            }
            prop_assert_eq!(last, Some(reply));
        }
    }
}
