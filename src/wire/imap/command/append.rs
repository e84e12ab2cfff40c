//! APPEND and REPLACE up to a message, and what stands between two messages (RFC 3501 §6.3.11, RFC 3502, RFC 4466 §2.5,
//! RFC 6855 §4, RFC 8508).

use super::Numbering;
use super::arguments::mailbox;
use crate::wire::date::DateTime;
use crate::wire::imap::scan::{Literal, Scan, Scanner, problem};
use crate::wire::imap::set::SequenceSet;

/// What APPEND or REPLACE says before its first message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// REPLACE: the message that goes when the new one is there.
    pub replaces: Option<super::Messages>,
    /// Where to.
    pub mailbox: String,
    /// What is said of the message.
    pub head: Head,
}

/// What is said of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// With which flags.
    pub flags: Vec<String>,
    /// INTERNALDATE, seconds since 1970.
    pub received: Option<i64>,
    /// The message, which follows.
    pub message: Literal,
    /// How it is given.
    pub form: Form,
}

/// How a message is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A literal.
    Text,
    /// `~{n}`: it may hold NUL octets (RFC 3516 §4.4).
    Binary,
    /// `UTF8 (~{n}` message `)`: its header may hold UTF-8 (RFC 6855 §4).
    Utf8,
}

/// Scans what stands after APPEND.
pub(super) fn scan(scanner: &mut Scanner<'_>) -> Scan<Append> {
    scanner.space()?;
    scan_target(scanner, None)
}

/// Whether after UID comes REPLACE.
pub(super) fn is_uid_replace(scanner: &Scanner<'_>) -> bool {
    let mut ahead = scanner.clone();
    ahead.skip_spaces() && ahead.eat_word("REPLACE")
}

/// Scans what stands after REPLACE, or after UID.
pub(super) fn scan_replace(scanner: &mut Scanner<'_>, numbering: Numbering) -> Scan<Append> {
    scanner.space()?;
    if numbering == Numbering::Uid {
        scanner.word("REPLACE")?;
        scanner.space()?;
    }
    let set = SequenceSet::scan(scanner)?;
    if !set.is_single() {
        return problem("one message is replaced by one: a single number, or *");
    }
    scanner.space()?;
    scan_target(scanner, Some(super::Messages { numbering, set }))
}

fn scan_target(scanner: &mut Scanner<'_>, replaces: Option<super::Messages>) -> Scan<Append> {
    let mailbox = mailbox(scanner)?;
    scanner.space()?;
    Ok(Append {
        replaces,
        mailbox,
        head: scan_head(scanner)?,
    })
}

/// What stands after a message: nothing, or what is said of the next (RFC 3502).
///
/// ```
/// use mailtool::wire::imap::command::scan_more;
///
/// assert_eq!(scan_more(b""), Ok(None));
/// assert_eq!(scan_more(b" (\\Seen) {5}").unwrap().unwrap().message.octets, 5);
/// ```
pub fn scan_more(line: &[u8]) -> Scan<Option<Head>> {
    let mut scanner = Scanner::new(line);
    scanner.skip_spaces();
    if scanner.peek().is_none() {
        return Ok(None);
    }
    scan_head(&mut scanner).map(Some)
}

fn scan_head(scanner: &mut Scanner<'_>) -> Scan<Head> {
    let flags = if scanner.peek() == Some(b'(') {
        let flags = scanner.flag_list()?;
        scanner.space()?;
        flags.into_iter().map(str::to_owned).collect()
    } else {
        Vec::new()
    };
    let received = if scanner.peek() == Some(b'"') {
        let date = scanner.string("a date")?;
        let Some(date) = DateTime::from_imap(&date) else {
            return problem("a date is written \"17-Jul-1996 02:44:25 -0700\"");
        };
        scanner.space()?;
        Some(date.unix())
    } else {
        None
    };
    let mut form = Form::Text;
    if scanner.eat_word("UTF8") {
        scanner.skip_spaces();
        scanner.expect(b'(')?;
        form = Form::Utf8;
    }
    if scanner.eat(b'~') && form == Form::Text {
        form = Form::Binary;
    }
    Ok(Head {
        flags,
        received,
        message: scanner.message_literal()?,
        form,
    })
}
