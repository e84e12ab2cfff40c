//! What SEARCH asks for: a tree of keys (RFC 3501 §6.4.4, RFC 5032), and what is wanted of the messages found (RFC 4731,
//! RFC 5182, RFC 5267, RFC 9394).

use mail_parser::decoders::charsets::map::charset_decoder;

use crate::wire::date::{Date, imap_date};
use crate::wire::imap::arrange::{Arrangement, scan_algorithm, scan_criteria};
use crate::wire::imap::condstore::scan_search_modseq;
use crate::wire::imap::fetch::{Item, scan_items};
use crate::wire::imap::response;
use crate::wire::imap::scan::{Scan, Scanner, Speech, problem};
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
    /// INTERNALDATE is at least so many seconds ago (RFC 5032).
    Older(u32),
    /// INTERNALDATE is at most so many seconds ago (RFC 5032).
    Younger(u32),
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

/// A whole SEARCH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// What to tell of what is found; `None`: SEARCH as RFC 3501 has it.
    pub returns: Option<Returns>,
    /// UPDATE: later changes of what is found are told (RFC 5267 §4.3), and these items of new messages (RFC 5465 §7).
    pub update: Option<Vec<Item>>,
    /// SORT, THREAD: how what is found is put in order.
    pub arrangement: Option<Arrangement>,
    /// What to look for; `None` when the texts are in a charset that is not known.
    pub key: Option<Key>,
}

/// RETURN's options (RFC 4731 §3.1, RFC 5182 §2, RFC 9394 §3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Returns {
    /// The lowest.
    pub min: bool,
    /// The highest.
    pub max: bool,
    /// All.
    pub all: bool,
    /// How many.
    pub count: bool,
    /// They are `$` from now on.
    pub save: bool,
    /// So many of them.
    pub partial: Option<Partial>,
}

/// `1:100`, or `-1:-100` from the end: the first and the last of what is wanted, counted from 1 (RFC 9394 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partial {
    /// Where counting begins.
    pub from: End,
    /// The nearer.
    pub first: u32,
    /// The farther.
    pub last: u32,
}

/// One of two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The lowest is 1.
    Lowest,
    /// The highest is -1.
    Highest,
}

impl Partial {
    /// Scans one.
    pub fn scan(scanner: &mut Scanner<'_>) -> Scan<Self> {
        let number = |scanner: &mut Scanner<'_>| {
            let end = if scanner.eat(b'-') {
                End::Highest
            } else {
                End::Lowest
            };
            scanner.nz_number().map(|number| (end, number))
        };
        let (from, one) = number(scanner)?;
        scanner.expect(b':')?;
        let (also, other) = number(scanner)?;
        if from != also {
            return problem("both ends of a partial have the same sign: 1:100, or -1:-100");
        }
        Ok(Self {
            from,
            first: one.min(other),
            last: one.max(other),
        })
    }

    /// Those of `all`, which ascend.
    ///
    /// ```
    /// use mailtool::wire::imap::{scan::Scanner, search::Partial};
    ///
    /// let partial = Partial::scan(&mut Scanner::new(b"-1:-2")).unwrap();
    /// assert_eq!(partial.of(&[3, 5, 8]), [5, 8]);
    /// ```
    pub fn of<'n>(&self, all: &'n [u32]) -> &'n [u32] {
        let place = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let (first, last) = (place(self.first) - 1, place(self.last).min(all.len()));
        if first >= last {
            return &[];
        }
        match self.from {
            End::Lowest => &all[first..last],
            End::Highest => &all[all.len() - last..all.len() - first],
        }
    }

    /// Writes it as it was asked for.
    pub fn write(&self, out: &mut Vec<u8>) {
        let sign: &[u8] = match self.from {
            End::Lowest => b"",
            End::Highest => b"-",
        };
        out.extend_from_slice(sign);
        response::number(out, self.first.into());
        out.push(b':');
        out.extend_from_slice(sign);
        response::number(out, self.last.into());
    }
}

/// How the octets of texts are to be read.
type Charset = Option<fn(&[u8]) -> String>;

/// Scans all of SEARCH's arguments.
pub fn scan_search(scanner: &mut Scanner<'_>) -> Scan<Search> {
    let returns = scan_returns(scanner)?;
    if scanner.eat_word("CHARSET") {
        scanner.space()?;
        return scan_in_charset(scanner, returns, None);
    }
    let key = Some(scan_keys(scanner, None)?);
    let (returns, update) = returns;
    Ok(Search {
        returns,
        update,
        arrangement: None,
        key,
    })
}

/// Scans all of SORT's arguments (RFC 5256 §3, RFC 5267 §3).
pub fn scan_sort(scanner: &mut Scanner<'_>) -> Scan<Search> {
    let returns = scan_returns(scanner)?;
    let arrangement = scan_criteria(scanner)?;
    scan_in_charset(scanner, returns, Some(arrangement))
}

/// Scans all of THREAD's arguments (RFC 5256 §3).
pub fn scan_thread(scanner: &mut Scanner<'_>) -> Scan<Search> {
    let arrangement = scan_algorithm(scanner)?;
    scan_in_charset(scanner, (None, None), Some(arrangement))
}

/// A charset, and keys in it.
fn scan_in_charset(
    scanner: &mut Scanner<'_>,
    (returns, update): Wanted,
    arrangement: Option<Arrangement>,
) -> Scan<Search> {
    let name = scanner.astring("a charset such as UTF-8")?;
    let is_utf8 = name.eq_ignore_ascii_case(b"UTF-8") && arrangement.is_some();
    if scanner.speech() == Speech::Utf8Only && !is_utf8 {
        // RFC 6855 §3
        return problem("after ENABLE UTF8=ACCEPT all texts are UTF-8, and CHARSET is not said");
    }
    scanner.space()?;
    let key = match named_charset(&name) {
        Some(charset) => Some(scan_keys(scanner, charset)?),
        None => {
            skip_keys(scanner)?;
            None
        }
    };
    Ok(Search {
        returns,
        update,
        arrangement,
        key,
    })
}

/// The charset of this name, if it is known here.
fn named_charset(name: &[u8]) -> Option<Charset> {
    let plain = ["US-ASCII", "UTF-8", "ASCII", "UTF8"];
    if plain
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
    {
        return Some(None);
    }
    charset_decoder(name).map(Some)
}

/// What follows cannot be read as text; but literals in it have to be waited for.
fn skip_keys(scanner: &mut Scanner<'_>) -> Scan<()> {
    while let Some(byte) = scanner.peek() {
        if byte == b'{' || byte == b'"' {
            scanner.string("a text")?;
        } else {
            scanner.take_while(|byte| byte != b'{' && byte != b'"');
        }
    }
    Ok(())
}

/// What is wanted of what is found, now and later.
type Wanted = (Option<Returns>, Option<Vec<Item>>);

/// Scans `RETURN (...)` and the space after it, if it is there.
fn scan_returns(scanner: &mut Scanner<'_>) -> Scan<Wanted> {
    if !scanner.eat_word("RETURN") {
        return Ok((None, None));
    }
    scanner.skip_spaces();
    scanner.expect(b'(')?;
    let mut returns = Returns::default();
    let mut update = None;
    let mut none = true;
    loop {
        scanner.skip_spaces();
        if scanner.eat(b')') {
            break;
        }
        let word = scanner.word("MIN, MAX, ALL, COUNT, SAVE, PARTIAL, UPDATE or CONTEXT")?;
        if word.eq_ignore_ascii_case("CONTEXT") {
            // RFC 5267 §4.2: a hint, which is not needed here.
            continue;
        }
        none = false;
        match word.to_ascii_uppercase().as_str() {
            "UPDATE" => {
                let mut ahead = scanner.clone();
                ahead.skip_spaces();
                update = Some(match ahead.peek() {
                    Some(b'(') => {
                        scanner.skip_spaces();
                        scan_items(scanner)?
                    }
                    _ => Vec::new(),
                });
            }
            "MIN" => returns.min = true,
            "MAX" => returns.max = true,
            "ALL" => returns.all = true,
            "COUNT" => returns.count = true,
            "SAVE" => returns.save = true,
            "PARTIAL" if returns.partial.is_none() => {
                scanner.space()?;
                returns.partial = Some(Partial::scan(scanner)?);
            }
            "PARTIAL" => return problem("PARTIAL stands once only"),
            _ => {
                return problem(format!(
                    "there is nothing called {word} to return; there are MIN MAX ALL COUNT SAVE PARTIAL UPDATE CONTEXT"
                ));
            }
        }
    }
    if returns.partial.is_some() && returns.all {
        // RFC 9394 §3.1
        return problem("either ALL or PARTIAL can be returned, not both");
    }
    // RFC 4731 §3.1: an empty list is ALL.
    returns.all |= none;
    scanner.space()?;
    Ok((Some(returns), update))
}

/// Scans keys up to the end.
fn scan_keys(scanner: &mut Scanner<'_>, charset: Charset) -> Scan<Key> {
    let mut keys = vec![scan_key(scanner, charset)?];
    loop {
        scanner.skip_spaces();
        if scanner.peek().is_none() {
            return Ok(and(keys));
        }
        keys.push(scan_key(scanner, charset)?);
    }
}

fn and(mut keys: Vec<Key>) -> Key {
    match keys.len() {
        1 => keys.remove(0),
        _ => Key::And(keys),
    }
}

fn scan_key(scanner: &mut Scanner<'_>, charset: Charset) -> Scan<Key> {
    scanner.descend()?;
    let key = scan_key_here(scanner, charset)?;
    scanner.ascend();
    Ok(key)
}

fn scan_key_here(scanner: &mut Scanner<'_>, charset: Charset) -> Scan<Key> {
    let text = |scanner: &mut Scanner<'_>, what| scan_text(scanner, what, charset);
    if scanner.eat(b'(') {
        let mut keys = Vec::new();
        loop {
            scanner.skip_spaces();
            if !keys.is_empty() && scanner.eat(b')') {
                return Ok(and(keys));
            }
            keys.push(scan_key(scanner, charset)?);
        }
    }
    if scanner
        .peek()
        .is_some_and(|byte| byte.is_ascii_digit() || byte == b'*' || byte == b'$')
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
            not(scan_key(scanner, charset)?)
        }
        "OR" => {
            scanner.space()?;
            let first = scan_key(scanner, charset)?;
            scanner.space()?;
            Key::Or(Box::new((first, scan_key(scanner, charset)?)))
        }
        "BEFORE" => Key::Received(When::Before, scan_date(scanner)?),
        "ON" => Key::Received(When::On, scan_date(scanner)?),
        "SINCE" => Key::Received(When::Since, scan_date(scanner)?),
        "SENTBEFORE" => Key::Sent(When::Before, scan_date(scanner)?),
        "SENTON" => Key::Sent(When::On, scan_date(scanner)?),
        "SENTSINCE" => Key::Sent(When::Since, scan_date(scanner)?),
        "OLDER" => Key::Older(scan_interval(scanner)?),
        "YOUNGER" => Key::Younger(scan_interval(scanner)?),
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
            let name = text(scanner, "the name of a header field")?;
            Key::Header(name, text(scanner, "a text to look for")?)
        }
        field @ ("BCC" | "CC" | "FROM" | "SUBJECT" | "TO") => {
            Key::Header(field.to_owned(), text(scanner, "a text to look for")?)
        }
        "BODY" => Key::Body(text(scanner, "a text to look for")?),
        "TEXT" => Key::Text(text(scanner, "a text to look for")?),
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

fn scan_interval(scanner: &mut Scanner<'_>) -> Scan<u32> {
    scanner.space()?;
    match scanner.number()? {
        0 => problem("an interval is at least 1 second"),
        seconds => Ok(seconds),
    }
}

fn scan_text(scanner: &mut Scanner<'_>, what: &str, charset: Charset) -> Scan<String> {
    scanner.space()?;
    let text = scanner.astring(what)?.into_owned();
    if let Some(decode) = charset {
        return Ok(decode(&text));
    }
    String::from_utf8(text).or_else(|_| problem("a text to look for is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;
    use crate::wire::imap::scan::Stop;

    fn scan(text: &str) -> Result<Search, Stop> {
        scan_search(&mut Scanner::new(text.as_bytes()))
    }

    fn keys(text: &str) -> Key {
        match scan(text) {
            Ok(Search { key: Some(key), .. }) => key,
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
            scan("CHARSET KOI9 SUBJECT {2}\r\né SEEN").map(|search| search.key),
            Ok(None)
        );
        let koi8 = b"CHARSET KOI8-R SUBJECT {3}\r\n\xcd\xc9\xd2";
        let found = scan_search(&mut Scanner::new(koi8)).unwrap().key;
        assert_eq!(found, Some(Key::Header("SUBJECT".into(), "мир".into())));
        assert!(matches!(
            scan("CHARSET KOI9 SUBJECT {9}\r\n"),
            Err(Stop::Literal(_))
        ));
    }

    #[test]
    fn what_is_returned() {
        let returns = |text: &str| scan(text).unwrap().returns;
        assert_eq!(returns("ALL"), None);
        assert!(returns("RETURN () ALL").unwrap().all);
        let some = returns("RETURN (MIN COUNT SAVE) $").unwrap();
        assert!(some.min && some.count && some.save && !some.all && !some.max);
        for (text, said) in [
            ("RETURN (ALL PARTIAL 1:2) ALL", "not both"),
            ("RETURN (PARTIAL 1:-2) ALL", "same sign"),
            ("RETURN (FIRST) ALL", "nothing called FIRST"),
            ("YOUNGER 0", "at least 1 second"),
        ] {
            assert!(
                matches!(scan(text), Err(Stop::Problem(problem)) if problem.0.contains(said)),
                "{text}"
            );
        }
    }

    #[test]
    fn orders() {
        let sort = |text: &str| scan_sort(&mut Scanner::new(text.as_bytes()));
        let thread = |text: &str| scan_thread(&mut Scanner::new(text.as_bytes()));
        assert!(sort("RETURN (ALL) (SUBJECT REVERSE DATE) UTF-8 SINCE 1-Feb-1994").is_ok());
        assert!(thread("references utf-8 all").is_ok());
        for (found, said) in [
            (sort("(COLOUR) UTF-8 ALL"), "there is no criterion COLOUR"),
            (sort("() UTF-8 ALL"), "a criterion such as"),
            (sort("SUBJECT UTF-8 ALL"), "expected \"(\""),
            (sort("(SUBJECT) UTF-8"), "something is missing"),
            (thread("JWZ UTF-8 ALL"), "there is no algorithm JWZ"),
        ] {
            assert!(
                matches!(&found, Err(Stop::Problem(problem)) if problem.0.contains(said)),
                "{said}: {found:?}"
            );
        }
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
