//! The scanner: words out of a command, lent from the bytes that hold it.
//!
//! A command is a line, or lines with literals between them. It is scanned as one run of bytes in which each literal
//! stands as it came: `{5}`, CRLF, five octets, and then the line goes on. So everything is a slice, and only a quoted
//! string with an escape in it is copied. A literal that is announced and has not come yet stops the scan with
//! [`Stop::Literal`]: whoever gathers the command fetches it, and scans again.
//!
//! Taken beyond the grammar, for people who type: more than one space between words, eight bits in atoms.

use std::borrow::Cow;

use crate::limits;

/// Why a scan ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The bytes are not what the grammar asks for.
    Problem(Problem),
    /// So far all is right, and now this literal has to come.
    Literal(Literal),
}

/// What is wrong, in words that end up in a `BAD`, or in a `NO`. Never holds what the client sent as a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(pub Cow<'static, str>, pub Fault);

/// What kind of a problem it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The grammar has no such command: `BAD`.
    Grammar,
    /// It has, but no mailbox can be called so: `NO`.
    Name,
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// The result of scanning one thing.
pub type Scan<T> = Result<T, Stop>;

/// Fails with a problem said in words.
pub fn problem<T>(text: impl Into<Cow<'static, str>>) -> Scan<T> {
    Err(Stop::Problem(Problem(text.into(), Fault::Grammar)))
}

/// `{octets}` at the end of a line: so many octets follow (RFC 3501 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Literal {
    /// How many; `u64::MAX` when the number does not fit.
    pub octets: u64,
    /// Whether the client waits before it sends them.
    pub kind: LiteralKind,
}

/// Whether a client waits for `+` before it sends a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiteralKind {
    /// `{n}`: it waits.
    Synchronizing,
    /// `{n+}`: it does not (RFC 7888).
    NonSynchronizing,
}

/// The literal that a line announces at its end, if it does.
///
/// ```
/// use mailtool::wire::imap::scan::{Literal, LiteralKind, announced};
///
/// let literal = Literal { octets: 5, kind: LiteralKind::NonSynchronizing };
/// assert_eq!(announced(b"a1 LOGIN {5+}"), Some(literal));
/// assert_eq!(announced(b"a1 LOGIN {5} "), None);
/// ```
pub fn announced(line: &[u8]) -> Option<Literal> {
    let inner = line.strip_suffix(b"}")?;
    let open = memchr::memrchr(b'{', inner)?;
    let (digits, kind) = match inner[open + 1..].strip_suffix(b"+") {
        Some(digits) => (digits, LiteralKind::NonSynchronizing),
        None => (&inner[open + 1..], LiteralKind::Synchronizing),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let octets = digits.iter().try_fold(0u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    });
    Some(Literal {
        octets: octets.unwrap_or(u64::MAX),
        kind,
    })
}

/// What a client has switched on that changes what its octets mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speech {
    /// Nothing: names of mailboxes are modified UTF-7 (RFC 3501 §5.1.3).
    #[default]
    Utf7,
    /// IMAP4rev2: names are UTF-8.
    Utf8,
    /// UTF8=ACCEPT: names are UTF-8, and so is all that is searched for (RFC 6855 §3).
    Utf8Only,
}

/// A place in a command.
#[derive(Clone, Debug)]
pub struct Scanner<'a> {
    bytes: &'a [u8],
    speech: Speech,
    at: usize,
    depth: usize,
    descents: usize,
}

impl<'a> Scanner<'a> {
    /// At the beginning of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            speech: Speech::Utf7,
            at: 0,
            depth: 0,
            descents: 0,
        }
    }

    /// The same, of a client that has switched something on.
    #[must_use]
    pub const fn speaking(mut self, speech: Speech) -> Self {
        self.speech = speech;
        self
    }

    /// What the client has switched on.
    pub const fn speech(&self) -> Speech {
        self.speech
    }

    /// What has not been scanned.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// The next byte.
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Takes the next byte if it is `byte`.
    pub fn eat(&mut self, byte: u8) -> bool {
        let here = self.peek() == Some(byte);
        self.at += usize::from(here);
        here
    }

    /// Takes the next byte, which has to be `byte`.
    pub fn expect(&mut self, byte: u8) -> Scan<()> {
        if self.eat(byte) {
            return Ok(());
        }
        problem(format!(
            "expected \"{}\" {}",
            char::from(byte),
            self.instead()
        ))
    }

    /// Takes the space between two words.
    pub fn space(&mut self) -> Scan<()> {
        if !self.skip_spaces() {
            return match self.peek() {
                None => problem("something is missing at the end"),
                Some(_) => problem(format!("expected a space {}", self.instead())),
            };
        }
        if self.peek().is_none() {
            return problem("something is missing at the end");
        }
        Ok(())
    }

    /// Takes spaces, if there are any, and says whether there were.
    pub fn skip_spaces(&mut self) -> bool {
        let from = self.at;
        while self.eat(b' ') {}
        self.at > from
    }

    /// Takes the end of the command.
    pub fn end(&mut self) -> Scan<()> {
        self.skip_spaces();
        match self.peek() {
            None => Ok(()),
            Some(_) => problem(format!(
                "the command should end here {}; a text with spaces or with any of ( ) {{ % * \" \\ goes into double quotes",
                self.instead()
            )),
        }
    }

    /// Goes one level of parentheses, or of NOT and OR, deeper; come back with [`Self::ascend`].
    pub fn descend(&mut self) -> Scan<()> {
        self.depth += 1;
        self.descents += 1;
        if self.descents > limits::IMAP_KEYS {
            return problem(format!(
                "more than {} keys in one search",
                limits::IMAP_KEYS
            ));
        }
        if self.depth > limits::IMAP_NESTING {
            return problem(format!(
                "nested deeper than {} levels",
                limits::IMAP_NESTING
            ));
        }
        Ok(())
    }

    /// Comes back from [`Self::descend`].
    pub const fn ascend(&mut self) {
        self.depth -= 1;
    }

    /// Takes the bytes that `wanted` holds for; may be none.
    pub fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest
            .iter()
            .position(|&byte| !wanted(byte))
            .unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// A word of the protocol: `FETCH`, `BODY.PEEK`, `HEADER.FIELDS`. `what` is for the error.
    pub fn word(&mut self, what: &str) -> Scan<&'a str> {
        let word = self.take_while(|byte| byte.is_ascii_alphanumeric() || b".-_=+".contains(&byte));
        match std::str::from_utf8(word) {
            Ok(word) if !word.is_empty() => Ok(word),
            _ => problem(format!("expected {what} {}", self.instead())),
        }
    }

    /// Takes `word`, in any case, if it stands here whole.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let mut ahead = self.clone();
        let same = ahead
            .word("")
            .is_ok_and(|found| found.eq_ignore_ascii_case(word));
        if same {
            self.at = ahead.at;
        }
        same
    }

    /// An atom (RFC 3501 §9).
    pub fn atom(&mut self, what: &str) -> Scan<&'a [u8]> {
        let atom = self.take_while(is_atom_char);
        if atom.is_empty() {
            return problem(format!("expected {what} {}", self.instead()));
        }
        Ok(atom)
    }

    /// An astring: an atom, a quoted string or a literal. `what` is for the error.
    pub fn astring(&mut self, what: &str) -> Scan<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(what),
            _ => {
                let atom = self.take_while(is_astring_char);
                if atom.is_empty() {
                    return problem(format!("expected {what} {}", self.instead()));
                }
                Ok(Cow::Borrowed(atom))
            }
        }
    }

    /// A string: quoted, or a literal.
    pub fn string(&mut self, what: &str) -> Scan<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal().map(Cow::Borrowed),
            _ => problem(format!(
                "expected {what} in double quotes {}",
                self.instead()
            )),
        }
    }

    /// A string, or NIL.
    pub fn nstring(&mut self, what: &str) -> Scan<Option<Cow<'a, [u8]>>> {
        if self.eat_word("NIL") {
            return Ok(None);
        }
        self.string(what).map(Some)
    }

    /// A string, a literal8, which may hold NUL octets (RFC 3516 §4.4), or NIL.
    pub fn nstring8(&mut self, what: &str) -> Scan<Option<Cow<'a, [u8]>>> {
        if self.eat(b'~') {
            return self.any_literal().map(|text| Some(Cow::Borrowed(text)));
        }
        self.nstring(what)
    }

    /// LIST's mailbox: as an astring, but wildcards may stand in it bare.
    pub fn list_mailbox(&mut self) -> Scan<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"' | b'{') => self.string("a pattern"),
            _ => {
                let atom = self.take_while(|byte| is_astring_char(byte) || b"%*".contains(&byte));
                if atom.is_empty() {
                    return problem(format!("expected a pattern such as * {}", self.instead()));
                }
                Ok(Cow::Borrowed(atom))
            }
        }
    }

    /// A number of 32 bits.
    pub fn number(&mut self) -> Scan<u32> {
        let number = self.number64()?;
        u32::try_from(number).or_else(|_| problem("a number is larger than 4294967295"))
    }

    /// A number of 63 bits (RFC 9051 §9, number64).
    pub fn number64(&mut self) -> Scan<u64> {
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        if digits.is_empty() {
            return problem(format!("expected a number {}", self.instead()));
        }
        let number = digits.iter().try_fold(0u64, |number, digit| {
            number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        });
        match number {
            Some(number) if i64::try_from(number).is_ok() => Ok(number),
            _ => problem("a number is larger than 9223372036854775807"),
        }
    }

    /// A number that is not 0.
    pub fn nz_number(&mut self) -> Scan<u32> {
        match self.number()? {
            0 => problem("messages and parts are counted from 1, there is no 0"),
            number => Ok(number),
        }
    }

    /// A flag: `\Seen`, `$Forwarded`, `work`.
    pub fn flag(&mut self) -> Scan<&'a str> {
        let from = self.at;
        self.eat(b'\\');
        let atom = self.take_while(is_atom_char);
        let flag = &self.bytes[from..self.at];
        match std::str::from_utf8(flag) {
            Ok(flag) if !atom.is_empty() && flag.is_ascii() => Ok(flag),
            _ => problem(format!(
                "expected a flag such as \\Seen or $Forwarded {}",
                self.instead()
            )),
        }
    }

    /// One more of the flags of a command.
    pub fn add_flag(&mut self, flags: &mut Vec<&'a str>) -> Scan<()> {
        if flags.len() == limits::IMAP_FLAGS {
            return problem(format!("more than {} flags", limits::IMAP_FLAGS));
        }
        flags.push(self.flag()?);
        Ok(())
    }

    /// Flags in parentheses; may be none.
    pub fn flag_list(&mut self) -> Scan<Vec<&'a str>> {
        self.expect(b'(')?;
        let mut flags = Vec::new();
        loop {
            self.skip_spaces();
            if self.eat(b')') {
                return Ok(flags);
            }
            self.add_flag(&mut flags)?;
        }
    }

    /// A message literal: announced here, and it has not come.
    pub fn message_literal(&mut self) -> Scan<Literal> {
        let rest = self.rest();
        let line = rest.strip_suffix(b"\r\n").unwrap_or(rest);
        match announced(line) {
            Some(literal) if line.first() == Some(&b'{') => Ok(literal),
            _ => problem(format!(
                "expected the size of the message as {{octets}} at the end of the line {}",
                self.instead()
            )),
        }
    }

    fn quoted(&mut self) -> Scan<Cow<'a, [u8]>> {
        self.at += 1;
        let from = self.at;
        let mut escaped: Option<Vec<u8>> = None;
        loop {
            let run = self.take_while(|byte| !matches!(byte, b'"' | b'\\' | b'\r' | b'\n' | 0));
            if let Some(text) = &mut escaped {
                text.extend_from_slice(run);
            }
            match self.peek() {
                Some(b'"') => {
                    let text = &self.bytes[from..self.at];
                    self.at += 1;
                    return Ok(escaped.map_or(Cow::Borrowed(text), Cow::Owned));
                }
                Some(b'\\') => {
                    let text = escaped.get_or_insert_with(|| self.bytes[from..self.at].to_vec());
                    match self.bytes.get(self.at + 1) {
                        Some(&byte @ (b'"' | b'\\')) => text.push(byte),
                        _ => {
                            return problem(
                                "in a quoted string \\ stands only before \" or another \\",
                            );
                        }
                    }
                    self.at += 2;
                }
                Some(0) => return problem("no text may hold a NUL octet"),
                _ => {
                    return problem(
                        "a quoted string has no closing double quote on its line; a text of several lines goes as a literal",
                    );
                }
            }
        }
    }

    fn literal(&mut self) -> Scan<&'a [u8]> {
        let text = self.any_literal()?;
        if memchr::memchr(0, text).is_some() {
            return problem("a literal cannot hold a NUL octet");
        }
        Ok(text)
    }

    fn any_literal(&mut self) -> Scan<&'a [u8]> {
        let line_end = memchr::memmem::find(self.rest(), b"\r\n").unwrap_or(self.rest().len());
        let head = &self.rest()[..line_end];
        let Some(literal) = announced(head).filter(|_| memchr::memrchr(b'{', head) == Some(0))
        else {
            return problem(
                "{ begins a literal: {octets} at the end of a line, then so many octets",
            );
        };
        let from = self.at + line_end + 2;
        let held = self.bytes.len().saturating_sub(from) as u64;
        if held < literal.octets || self.bytes.len() < from {
            return Err(Stop::Literal(literal));
        }
        // Cannot wrap: the octets are held in memory.
        self.at = from + literal.octets as usize;
        Ok(&self.bytes[from..self.at])
    }

    /// `, not "..."`: what stands here, for an error; only its first character, for it may be part of a password.
    fn instead(&self) -> String {
        match self.peek() {
            None => "but the line ends".to_owned(),
            Some(byte @ b' '..=b'~') => format!("but found \"{}\"", char::from(byte)),
            Some(byte) => format!("but found the octet 0x{byte:02X}"),
        }
    }
}

/// ATOM-CHAR (RFC 3501 §9), and eight bits.
pub const fn is_atom_char(byte: u8) -> bool {
    !matches!(
        byte,
        0..=b' ' | 0x7f | b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']'
    )
}

/// ASTRING-CHAR (RFC 3501 §9), and eight bits.
pub const fn is_astring_char(byte: u8) -> bool {
    byte == b']' || is_atom_char(byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::response;
    use proptest::prelude::*;

    fn astring(bytes: &[u8]) -> Scan<Cow<'_, [u8]>> {
        let mut scanner = Scanner::new(bytes);
        let text = scanner.astring("a text")?;
        scanner.end()?;
        Ok(text)
    }

    #[test]
    fn strings_of_each_form() {
        for (written, meant) in [
            (&b"INBOX"[..], &b"INBOX"[..]),
            (b"a]b", b"a]b"),
            (b"\"\"", b""),
            (b"\"a b\"", b"a b"),
            (b"\"say \\\"hi\\\" \\\\\"", b"say \"hi\" \\"),
            (b"{3}\r\na\r\n", b"a\r\n"),
            (b"{0+}\r\n", b""),
        ] {
            assert_eq!(astring(written).as_deref(), Ok(meant), "{written:?}");
        }
        assert!(matches!(astring(b"\"a b\""), Ok(Cow::Borrowed(_))));
    }

    #[test]
    fn a_literal_that_has_not_come() {
        let literal = |octets, kind| Err(Stop::Literal(Literal { octets, kind }));
        assert_eq!(astring(b"{5}\r\n"), literal(5, LiteralKind::Synchronizing));
        assert_eq!(
            astring(b"{18446744073709551616+}\r\n"),
            literal(u64::MAX, LiteralKind::NonSynchronizing)
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (written, said) in [
            (&b""[..], "expected a text but the line ends"),
            (b"(", "expected a text but found \"(\""),
            (b"\x01", "expected a text but found the octet 0x01"),
            (b"\"a", "no closing double quote"),
            (b"\"a\\b\"", "only before"),
            (b"{a}\r\n", "{ begins a literal"),
            (b"{1}\r\n\0", "NUL"),
            (b"My Box", "goes into double quotes"),
        ] {
            let Err(Stop::Problem(problem)) = astring(written) else {
                panic!("{written:?} was taken");
            };
            assert!(problem.0.contains(said), "{written:?}: {}", problem.0);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_scanned(text in proptest::collection::vec(1u8.., 0..40)) {
            let mut written = Vec::new();
            response::astring(&mut written, &text);
            prop_assert_eq!(astring(&written).unwrap(), &text[..]);
            written.clear();
            response::string(&mut written, &text);
            prop_assert_eq!(astring(&written).unwrap(), &text[..]);
        }

        #[test]
        fn anything_is_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = astring(&bytes);
            let _ = Scanner::new(&bytes).flag_list();
            let _ = announced(&bytes);
        }
    }
}
