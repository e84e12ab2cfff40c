//! The response writer: words appended to a `Vec<u8>`, each in the form that every client can read.
//!
//! A text is written as a quoted string where it may be one, else as a literal; so whatever stands in a message, the
//! response stays what the grammar says (RFC 3501 §9).

use crate::wire::imap::scan::Speech;
use crate::wire::imap::set::Ranges;
use crate::wire::utf7;

/// The outcome of a command, or what an untagged status says (RFC 3501 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Done.
    Ok,
    /// Not done.
    No,
    /// Not understood.
    Bad,
    /// The connection ends.
    Bye,
}

impl Status {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::No => "NO",
            Self::Bad => "BAD",
            Self::Bye => "BYE",
        }
    }
}

/// What stands in brackets after a status, for programs (RFC 3501 §7.1, RFC 5530, RFC 4315).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// A code without data: `TRYCREATE`, `NONEXISTENT` ...
    Plain(&'static str),
    /// A code and its one number: `UIDNEXT`, `UIDVALIDITY`, `UNSEEN`.
    Number(&'static str, u32),
    /// `HIGHESTMODSEQ` (RFC 7162 §3.1.2.1)
    HighestModseq(u64),
    /// `METADATA` with a word, and its number if it is not 0 (RFC 5464 §5).
    Metadata(&'static str, u64),
    /// The tag of a command, and how far it is: so many of so many (RFC 9585 §5).
    InProgress(String, Option<(usize, usize)>),
    /// The URL that could not be used (RFC 4469 §4.1).
    BadUrl(String),
    /// The messages that STORE left alone, for they had changed (RFC 7162 §3.1.3).
    Modified(Ranges),
    /// `NOUPDATE`: the tag of a search whose changes are not told (RFC 5267 §4.3.1)
    NoUpdate(String),
    /// `MAILBOXID` (RFC 8474 §4.1)
    MailboxId(String),
    /// The capabilities, as one text.
    Capability(String),
    /// The charsets that SEARCH takes.
    BadCharset,
    /// The flags that can be changed for good.
    PermanentFlags(Vec<String>),
    /// UIDVALIDITY and UIDs of the messages appended.
    AppendUid(u32, Ranges),
    /// UIDVALIDITY of the target; the UIDs here, and in the same order there.
    CopyUid(u32, Ranges, Ranges),
}

/// Writes a whole status line: `tag OK [CODE] text`. `text` is one line of ours, or made so.
pub fn status(out: &mut Vec<u8>, tag: &str, status: Status, code: Option<&Code>, text: &str) {
    out.extend_from_slice(tag.as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.name().as_bytes());
    out.push(b' ');
    if let Some(code) = code {
        out.push(b'[');
        write_code(out, code);
        out.extend_from_slice(b"] ");
    }
    // resp-text is 1*TEXT-CHAR: never empty, no line end, seven bits.
    out.extend(text.chars().map(|character| match character {
        ' '..='~' => character as u8,
        _ => b'?',
    }));
    out.extend_from_slice(b"\r\n");
}

fn write_code(out: &mut Vec<u8>, code: &Code) {
    match code {
        Code::Plain(name) => out.extend_from_slice(name.as_bytes()),
        Code::Number(name, value) => {
            out.extend_from_slice(name.as_bytes());
            out.push(b' ');
            number(out, (*value).into());
        }
        Code::HighestModseq(modseq) => {
            out.extend_from_slice(b"HIGHESTMODSEQ ");
            number(out, *modseq);
        }
        Code::Metadata(word, value) => {
            out.extend_from_slice(b"METADATA ");
            out.extend_from_slice(word.as_bytes());
            if *value > 0 {
                out.push(b' ');
                number(out, *value);
            }
        }
        Code::InProgress(tag, progress) => {
            out.extend_from_slice(b"INPROGRESS (\"");
            // A tag has nothing that would have to be escaped.
            out.extend_from_slice(tag.as_bytes());
            out.extend_from_slice(b"\" ");
            match progress {
                None => out.extend_from_slice(b"NIL NIL)"),
                Some((done, all)) => {
                    number(out, *done as u64);
                    out.push(b' ');
                    number(out, *all as u64);
                    out.push(b')');
                }
            }
        }
        Code::BadUrl(url) => {
            out.extend_from_slice(b"BADURL ");
            // url-resp-text: it cannot end the code, nor the line.
            let fits = |byte: u8| byte.is_ascii_graphic() && byte != b']';
            out.extend(url.bytes().map(|byte| if fits(byte) { byte } else { b'?' }));
        }
        Code::Modified(messages) => {
            out.extend_from_slice(b"MODIFIED ");
            messages.write(out);
        }
        Code::NoUpdate(tag) => {
            out.extend_from_slice(b"NOUPDATE \"");
            out.extend_from_slice(tag.as_bytes());
            out.push(b'"');
        }
        Code::MailboxId(id) => {
            out.extend_from_slice(b"MAILBOXID (");
            out.extend_from_slice(id.as_bytes());
            out.push(b')');
        }
        Code::Capability(capabilities) => {
            out.extend_from_slice(b"CAPABILITY ");
            out.extend_from_slice(capabilities.as_bytes());
        }
        Code::BadCharset => out.extend_from_slice(b"BADCHARSET (US-ASCII UTF-8)"),
        Code::PermanentFlags(flags) => {
            out.extend_from_slice(b"PERMANENTFLAGS ");
            flag_list(out, flags.iter().map(String::as_str));
        }
        Code::AppendUid(validity, uids) => {
            out.extend_from_slice(b"APPENDUID ");
            number(out, (*validity).into());
            out.push(b' ');
            uids.write(out);
        }
        Code::CopyUid(validity, from, to) => {
            out.extend_from_slice(b"COPYUID ");
            number(out, (*validity).into());
            out.push(b' ');
            from.write(out);
            out.push(b' ');
            to.write(out);
        }
    }
}

/// Writes a number.
pub fn number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Writes a text as an atom where it may be one, else as a string.
pub fn astring(out: &mut Vec<u8>, text: &[u8]) {
    let is_atom = |byte: &u8| byte.is_ascii() && super::scan::is_astring_char(*byte);
    // NIL as an atom could be taken for no text at all.
    if !text.is_empty() && text.iter().all(is_atom) && !text.eq_ignore_ascii_case(b"NIL") {
        out.extend_from_slice(text);
    } else {
        string(out, text);
    }
}

/// Writes a text as a quoted string where it may be one, else as a literal. NUL octets, which neither may hold, are left
/// out.
pub fn string(out: &mut Vec<u8>, text: &[u8]) {
    let quotable = |&byte: &u8| byte.is_ascii() && !matches!(byte, b'\r' | b'\n' | 0);
    if text.len() <= QUOTED_OCTETS && text.iter().all(quotable) {
        out.push(b'"');
        for &byte in text {
            if matches!(byte, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(byte);
        }
        out.push(b'"');
    } else if memchr::memchr(0, text).is_some() {
        let text: Vec<u8> = text.iter().copied().filter(|&byte| byte != 0).collect();
        string(out, &text);
    } else {
        literal_head(out, text.len() as u64);
        out.extend_from_slice(text);
    }
}

/// Writes a string, or NIL.
pub fn nstring(out: &mut Vec<u8>, text: Option<&[u8]>) {
    match text {
        Some(text) => string(out, text),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// Writes `{octets}` and the line end; so many octets have to follow.
pub fn literal_head(out: &mut Vec<u8>, octets: u64) {
    out.push(b'{');
    number(out, octets);
    out.extend_from_slice(b"}\r\n");
}

/// Writes octets as a literal: as literal8 when there is a NUL among them (RFC 3516 §4.2).
pub fn binary(out: &mut Vec<u8>, octets: &[u8]) {
    if memchr::memchr(0, octets).is_some() {
        out.push(b'~');
    }
    literal_head(out, octets.len() as u64);
    out.extend_from_slice(octets);
}

/// Writes a mailbox's name, in modified UTF-7 for who has not switched on something better (RFC 9051 §5.1).
pub fn mailbox(out: &mut Vec<u8>, name: &str, speech: Speech) {
    let special = |byte: u8| byte < b' ' || byte == 0x7f || matches!(byte, b'"' | b'\\');
    match speech {
        Speech::Utf7 => astring(out, utf7::encode(name).as_bytes()),
        _ if name.is_ascii() || name.bytes().any(special) => astring(out, name.as_bytes()),
        _ => {
            out.push(b'"');
            out.extend_from_slice(name.as_bytes());
            out.push(b'"');
        }
    }
}

/// Writes flags in parentheses.
pub fn flag_list<'a>(out: &mut Vec<u8>, flags: impl IntoIterator<Item = &'a str>) {
    out.push(b'(');
    for (position, flag) in flags.into_iter().enumerate() {
        if position > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(flag.as_bytes());
    }
    out.push(b')');
}

/// A longer text goes as a literal: some clients read lines into buffers of fixed size.
const QUOTED_OCTETS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn texts_take_the_form_that_they_need() {
        for (text, form) in [
            ("INBOX", "INBOX"),
            ("", "\"\""),
            ("nil", "\"nil\""),
            ("a b", "\"a b\""),
            ("a\"b\\", "\"a\\\"b\\\\\""),
            ("a\r\nb", "{4}\r\na\r\nb"),
            ("é", "{2}\r\né"),
            ("a\0b", "\"ab\""),
        ] {
            assert_eq!(written(|out| astring(out, text.as_bytes())), form);
        }
        let long = "x".repeat(1001);
        assert_eq!(
            written(|out| string(out, long.as_bytes())),
            format!("{{1001}}\r\n{long}")
        );
        assert_eq!(written(|out| nstring(out, None)), "NIL");
        assert_eq!(
            written(|out| mailbox(out, "Été & R", Speech::Utf7)),
            "\"&AMk-t&AOk- &- R\""
        );
        assert_eq!(
            written(|out| mailbox(out, "Été & R", Speech::Utf8)),
            "\"Été & R\""
        );
        assert_eq!(written(|out| binary(out, b"a\0b")), "~{3}\r\na\0b");
        assert_eq!(written(|out| number(out, u64::MAX)), "18446744073709551615");
        assert_eq!(written(|out| number(out, 0)), "0");
    }

    #[test]
    fn status_lines() {
        let code = Code::CopyUid(7, Ranges::one(1, 3), Ranges::from_ascending([4, 6, 7]));
        assert_eq!(
            written(|out| status(out, "a1", Status::Ok, Some(&code), "copied\r\n\u{e9}")),
            "a1 OK [COPYUID 7 1:3 4,6:7] copied???\r\n"
        );
        assert_eq!(
            written(|out| status(out, "*", Status::Bye, None, "bye")),
            "* BYE bye\r\n"
        );
    }
}
