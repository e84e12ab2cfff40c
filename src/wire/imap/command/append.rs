//! APPEND and REPLACE up to a message, and what stands between two messages (RFC 3501 §6.3.11, RFC 3502, RFC 4466 §2.5,
//! RFC 6855 §4, RFC 8508), and between the parts of one (RFC 4469).

use super::Numbering;
use super::arguments::mailbox;
use crate::wire::date::DateTime;
use crate::wire::imap::scan::{Literal, LiteralKind, Scan, Scanner, problem};
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
    /// CATENATE: what comes before the literal that follows, if one does.
    pub parts: Option<Box<Parts>>,
}

impl Head {
    /// The literal that follows on the line, if one does.
    pub fn literal(&self) -> Option<Literal> {
        match &self.parts {
            None => Some(self.message),
            Some(parts) => parts.literal(),
        }
    }
}

/// Parts of a message that CATENATE puts together, up to a literal or the end (RFC 4469 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// In this order.
    pub urls: Vec<Vec<u8>>,
    /// What comes after them.
    pub then: Then,
}

/// What comes after some parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// `TEXT {n}`
    Text(Literal),
    /// `TEXT ~{n}`: binary content (RFC 3516 §4.4).
    Binary(Literal),
    /// `UTF8 (~{n}`: the next line begins with the `)`.
    Utf8(Literal),
    /// `)`, and perhaps another message.
    Closed(Option<Box<Head>>),
}

impl Parts {
    /// The literal that follows on the line, if one does.
    pub fn literal(&self) -> Option<Literal> {
        match &self.then {
            Then::Text(literal) | Then::Binary(literal) | Then::Utf8(literal) => Some(*literal),
            Then::Closed(next) => next.as_ref().and_then(|next| next.literal()),
        }
    }
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
    /// `CATENATE (` parts `)`.
    Catenate,
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
    if scanner.eat_word("CATENATE") {
        scanner.space()?;
        scanner.expect(b'(')?;
        let message = Literal {
            octets: 0,
            kind: LiteralKind::NonSynchronizing,
        };
        return Ok(Head {
            flags,
            received,
            message,
            form: Form::Catenate,
            parts: Some(Box::new(parts(scanner)?)),
        });
    }
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
        parts: None,
    })
}

/// What stands after a part of a message that is put together.
///
/// ```
/// use mailtool::wire::imap::command::{Then, scan_parts};
///
/// let parts = scan_parts(b" URL \"/INBOX/;UID=20\")").unwrap();
/// assert_eq!((&parts.urls[0][..], parts.then), (&b"/INBOX/;UID=20"[..], Then::Closed(None)));
/// ```
pub fn scan_parts(line: &[u8]) -> Scan<Parts> {
    parts(&mut Scanner::new(line))
}

fn parts(scanner: &mut Scanner<'_>) -> Scan<Parts> {
    let mut urls = Vec::new();
    loop {
        scanner.skip_spaces();
        if scanner.eat(b')') {
            scanner.skip_spaces();
            let next = match scanner.peek() {
                None => None,
                Some(_) => Some(Box::new(scan_head(scanner)?)),
            };
            let then = Then::Closed(next);
            return Ok(Parts { urls, then });
        }
        if scanner.eat_word("URL") {
            scanner.space()?;
            urls.push(scanner.astring("the URL of a message")?.into_owned());
        } else if scanner.eat_word("TEXT") {
            scanner.space()?;
            let then = match scanner.eat(b'~') {
                true => Then::Binary(scanner.message_literal()?),
                false => Then::Text(scanner.message_literal()?),
            };
            return Ok(Parts { urls, then });
        } else if scanner.eat_word("UTF8") {
            scanner.skip_spaces();
            scanner.expect(b'(')?;
            scanner.eat(b'~');
            let then = Then::Utf8(scanner.message_literal()?);
            return Ok(Parts { urls, then });
        } else {
            return problem(
                "the parts of a message are URL \"/INBOX/;UID=20\" and TEXT {octets}, and ) ends them",
            );
        }
    }
}
