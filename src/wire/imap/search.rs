//! What SEARCH asks for: a tree of keys (RFC 3501 §6.4.4).

use jiff::civil::Date;

use crate::wire::date::imap_date;
use crate::wire::imap::condstore::scan_search_modseq;
use crate::wire::imap::scan::{Scan, Scanner, Stop, problem};
use crate::wire::imap::set::SequenceSet;

/// What a message must be to be found. Nested at most [`crate::limits::IMAP_NESTING`] deep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// Any.
    All,
    /// All of these.
    And(Vec<Self>),
    /// One of these two.
    Or(Box<(Self, Self)>),
    /// Not this.
    Not(Box<Self>),
    /// Has the system flag, `\Seen` and its like.
    Flag(&'static str),
    /// `\Recent`, which is the session's own.
    Recent,
    /// Has the keyword.
    Keyword(String),
    /// Is among these message numbers.
    Sequence(SequenceSet),
    /// Is among these UIDs.
    Uid(SequenceSet),
    /// INTERNALDATE's day.
    Received(When, Date),
    /// The Date field's day.
    Sent(When, Date),
    /// More octets than this.
    Larger(u64),
    /// Fewer octets than this.
    Smaller(u64),
    /// Its mod-sequence is at least this (RFC 7162 §3.1.5).
    Modseq(u64),
    /// The day on which it came into the mailbox (RFC 8514 §4.3).
    Saved(When, Date),
    /// Has this object id (RFC 8474 §6).
    EmailId(Vec<u8>),
    /// Is in the thread of this object id (RFC 8474 §6).
    ThreadId(Vec<u8>),
    /// A header field of this name holds the text; an empty text: there is such a field.
    Header(String, String),
    /// The body holds the text.
    Body(String),
    /// Header or body hold the text.
    Text(String),
}

/// How a day compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// `BEFORE`
    Before,
    /// `ON`
    On,
    /// `SINCE`: that day or later.
    Since,
}

/// A search whose charset is spoken here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// What to look for.
    Keys(Key),
    /// The texts are in another charset than US-ASCII and UTF-8.
    BadCharset,
}

/// Scans all of SEARCH's arguments.
pub fn scan_search(scanner: &mut Scanner<'_>) -> Scan<Search> {
    if scanner.eat_word("CHARSET") {
        scanner.space()?;
        let charset = scanner.astring("a charset")?;
        scanner.space()?;
        if !["US-ASCII", "UTF-8", "ASCII", "UTF8"]
            .iter()
            .any(|known| charset.eq_ignore_ascii_case(known.as_bytes()))
        {
            // What follows cannot be read as text; but literals in it have to be waited for.
            while let Some(byte) = scanner.peek() {
                if byte == b'{' || byte == b'"' {
                    scanner.string("a text")?;
                } else {
                    scanner.take_while(|byte| byte != b'{' && byte != b'"');
                }
            }
            return Ok(Search::BadCharset);
        }
    }
    let mut keys = vec![scan_key(scanner)?];
    loop {
        scanner.skip_spaces();
        if scanner.peek().is_none() {
            return Ok(Search::Keys(and(keys)));
        }
        keys.push(scan_key(scanner)?);
    }
}

fn and(mut keys: Vec<Key>) -> Key {
    match keys.len() {
        1 => keys.remove(0),
        _ => Key::And(keys),
    }
}

fn scan_key(scanner: &mut Scanner<'_>) -> Scan<Key> {
    scanner.descend()?;
    let key = scan_key_here(scanner)?;
    scanner.ascend();
    Ok(key)
}

fn scan_key_here(scanner: &mut Scanner<'_>) -> Scan<Key> {
    if scanner.eat(b'(') {
        let mut keys = Vec::new();
        loop {
            scanner.skip_spaces();
            if !keys.is_empty() && scanner.eat(b')') {
                return Ok(and(keys));
            }
            keys.push(scan_key(scanner)?);
        }
    }
    if scanner
        .peek()
        .is_some_and(|byte| byte.is_ascii_digit() || byte == b'*')
    {
        return SequenceSet::scan(scanner).map(Key::Sequence);
    }
    let word = scanner.word("a search key such as ALL, UNSEEN, FROM or SUBJECT")?;
    let not = |key| Key::Not(Box::new(key));
    Ok(match word.to_ascii_uppercase().as_str() {
        "ALL" => Key::All,
        "ANSWERED" => Key::Flag("\\Answered"),
        "UNANSWERED" => not(Key::Flag("\\Answered")),
        "DELETED" => Key::Flag("\\Deleted"),
        "UNDELETED" => not(Key::Flag("\\Deleted")),
        "DRAFT" => Key::Flag("\\Draft"),
        "UNDRAFT" => not(Key::Flag("\\Draft")),
        "FLAGGED" => Key::Flag("\\Flagged"),
        "UNFLAGGED" => not(Key::Flag("\\Flagged")),
        "SEEN" => Key::Flag("\\Seen"),
        "UNSEEN" => not(Key::Flag("\\Seen")),
        "RECENT" => Key::Recent,
        "OLD" => not(Key::Recent),
        "NEW" => Key::And(vec![Key::Recent, not(Key::Flag("\\Seen"))]),
        "KEYWORD" => Key::Keyword(scan_keyword(scanner)?),
        "UNKEYWORD" => not(Key::Keyword(scan_keyword(scanner)?)),
        "UID" => {
            scanner.space()?;
            Key::Uid(SequenceSet::scan(scanner)?)
        }
        "NOT" => {
            scanner.space()?;
            not(scan_key(scanner)?)
        }
        "OR" => {
            scanner.space()?;
            let first = scan_key(scanner)?;
            scanner.space()?;
            Key::Or(Box::new((first, scan_key(scanner)?)))
        }
        "BEFORE" => Key::Received(When::Before, scan_date(scanner)?),
        "ON" => Key::Received(When::On, scan_date(scanner)?),
        "SINCE" => Key::Received(When::Since, scan_date(scanner)?),
        "SENTBEFORE" => Key::Sent(When::Before, scan_date(scanner)?),
        "SENTON" => Key::Sent(When::On, scan_date(scanner)?),
        "SENTSINCE" => Key::Sent(When::Since, scan_date(scanner)?),
        "MODSEQ" => Key::Modseq(scan_search_modseq(scanner)?),
        "SAVEDBEFORE" => Key::Saved(When::Before, scan_date(scanner)?),
        "SAVEDON" => Key::Saved(When::On, scan_date(scanner)?),
        "SAVEDSINCE" => Key::Saved(When::Since, scan_date(scanner)?),
        // RFC 8514 §4.3: all mailboxes here keep these dates.
        "SAVEDATESUPPORTED" => Key::All,
        "EMAILID" => Key::EmailId(scan_object_id(scanner)?),
        "THREADID" => Key::ThreadId(scan_object_id(scanner)?),
        "LARGER" => Key::Larger(scan_size(scanner)?),
        "SMALLER" => Key::Smaller(scan_size(scanner)?),
        "HEADER" => {
            let name = scan_text(scanner, "the name of a header field")?;
            Key::Header(name, scan_text(scanner, "a text to look for")?)
        }
        field @ ("BCC" | "CC" | "FROM" | "SUBJECT" | "TO") => {
            Key::Header(field.to_owned(), scan_text(scanner, "a text to look for")?)
        }
        "BODY" => Key::Body(scan_text(scanner, "a text to look for")?),
        "TEXT" => Key::Text(scan_text(scanner, "a text to look for")?),
        _ => {
            return problem(format!(
                "there is no search key {word}; there are ALL UNSEEN FROM TO SUBJECT TEXT BODY SINCE BEFORE LARGER UID and more"
            ));
        }
    })
}

fn scan_keyword(scanner: &mut Scanner<'_>) -> Scan<String> {
    scanner.space()?;
    let flag = scanner.flag()?;
    if flag.starts_with('\\') {
        return problem("KEYWORD takes a keyword such as $Forwarded; for \\Seen there is SEEN");
    }
    Ok(flag.to_owned())
}

fn scan_date(scanner: &mut Scanner<'_>) -> Scan<Date> {
    scanner.space()?;
    let date = scanner.astring("a date such as 1-Feb-1994")?;
    match imap_date(&date) {
        Some(date) => Ok(date),
        None => problem("a date is written as day-Mon-year, in English: 1-Feb-1994"),
    }
}

fn scan_object_id(scanner: &mut Scanner<'_>) -> Scan<Vec<u8>> {
    scanner.space()?;
    Ok(scanner.astring("an object id")?.into_owned())
}

fn scan_size(scanner: &mut Scanner<'_>) -> Scan<u64> {
    scanner.space()?;
    scanner.number64()
}

fn scan_text(scanner: &mut Scanner<'_>, what: &str) -> Scan<String> {
    scanner.space()?;
    let text = scanner.astring(what)?.into_owned();
    String::from_utf8(text).map_err(|_| {
        Stop::Problem(crate::wire::imap::scan::Problem(
            "a text to look for is not UTF-8".into(),
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    fn scan(text: &str) -> Result<Search, Stop> {
        scan_search(&mut Scanner::new(text.as_bytes()))
    }

    fn keys(text: &str) -> Key {
        match scan(text) {
            Ok(Search::Keys(key)) => key,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn keys_of_each_form() {
        let subject = |text: &str| Key::Header("SUBJECT".into(), text.into());
        assert_eq!(keys("all"), Key::All);
        assert_eq!(
            keys("OR SUBJECT a (NOT SUBJECT \"b c\" DRAFT)"),
            Key::Or(Box::new((
                subject("a"),
                Key::And(vec![
                    Key::Not(Box::new(subject("b c"))),
                    Key::Flag("\\Draft")
                ])
            )))
        );
        assert_eq!(
            keys("CHARSET utf-8 HEADER X-Spam \"\""),
            Key::Header("X-Spam".into(), String::new())
        );
        assert!(matches!(keys("2:4 UID 7"), Key::And(keys) if keys.len() == 2));
        assert!(matches!(
            keys("SENTSINCE \"1-Feb-1994\""),
            Key::Sent(When::Since, _)
        ));
        assert_eq!(keys("NEW"), keys("(RECENT UNSEEN)"));
        assert_eq!(
            keys("UNKEYWORD $Junk LARGER 5"),
            keys("NOT KEYWORD $Junk LARGER 5")
        );
    }

    #[test]
    fn other_charsets() {
        assert_eq!(
            scan("CHARSET KOI8-R SUBJECT {2}\r\né SEEN"),
            Ok(Search::BadCharset)
        );
        assert!(matches!(
            scan("CHARSET KOI8-R SUBJECT {9}\r\n"),
            Err(Stop::Literal(_))
        ));
    }

    #[test]
    fn nesting_is_bounded() {
        for deep in ["NOT ", "OR ALL ", "("] {
            assert!(matches!(
                scan(&(deep.repeat(limits::IMAP_NESTING + 1) + "ALL")),
                Err(Stop::Problem(problem)) if problem.0.contains("nested")
            ));
        }
        let deepest = "NOT ".repeat(limits::IMAP_NESTING - 1) + "ALL";
        assert!(scan(&deepest).is_ok());
    }

    #[test]
    fn mistakes_are_explained() {
        for (text, said) in [
            ("", "a search key such as"),
            ("SUBJECT", "something is missing"),
            ("SINCE 2026-01-01", "day-Mon-year"),
            ("KEYWORD \\Seen", "there is SEEN"),
            ("FROMM x", "there is no search key FROMM"),
            ("()", "a search key such as"),
        ] {
            assert!(
                matches!(scan(text), Err(Stop::Problem(problem)) if problem.0.contains(said)),
                "{text}: {:?}",
                scan(text)
            );
        }
    }
}
