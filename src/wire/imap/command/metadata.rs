//! What stands after GETMETADATA and SETMETADATA, and in LIST after METADATA (RFC 5464 §4, RFC 9590).

use std::borrow::Cow;

use super::arguments::mailbox;
use crate::limits;
use crate::wire::imap::scan::{Scan, Scanner, problem};

/// GETMETADATA
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetMetadata {
    /// Of which mailbox; `""` is the server.
    pub mailbox: String,
    /// Names of entries, in small letters.
    pub entries: Vec<String>,
    /// Only values of so many octets at most.
    pub max_size: Option<u64>,
    /// What of the entries below them.
    pub depth: Levels,
}

/// How far down GETMETADATA looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Levels {
    /// The entries themselves.
    #[default]
    Zero,
    /// Also those right below.
    One,
    /// Also all below.
    Infinity,
}

/// SETMETADATA
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetMetadata<'a> {
    /// Of which mailbox; `""` is the server.
    pub mailbox: String,
    /// Names in small letters, and values; none removes an entry.
    pub entries: Vec<(String, Option<Cow<'a, [u8]>>)>,
}

/// Scans what stands after GETMETADATA and its space. Options stand before the mailbox in the grammar of RFC 5464 §5, and behind it
/// in its examples: both are taken.
pub(super) fn scan_get(scanner: &mut Scanner<'_>) -> Scan<GetMetadata> {
    let (mut max_size, mut depth) = (None, Levels::Zero);
    if scanner.peek() == Some(b'(') {
        scan_options(scanner, &mut max_size, &mut depth)?;
        scanner.space()?;
    }
    let mailbox = mailbox(scanner)?;
    scanner.space()?;
    if is_option(scanner) {
        scan_options(scanner, &mut max_size, &mut depth)?;
        scanner.space()?;
    }
    let mut entries = scan_entries(scanner)?;
    // An example of RFC 5464 §4.4.1 has several without parentheses.
    while scanner.skip_spaces() && scanner.peek().is_some() {
        add_entry(scanner, &mut entries)?;
    }
    Ok(GetMetadata {
        mailbox,
        entries,
        max_size,
        depth,
    })
}

/// Scans what stands after SETMETADATA and its space.
pub(super) fn scan_set<'a>(scanner: &mut Scanner<'a>) -> Scan<SetMetadata<'a>> {
    let mailbox = mailbox(scanner)?;
    scanner.space()?;
    scanner.expect(b'(')?;
    let mut entries: Vec<(String, _)> = Vec::new();
    loop {
        scanner.skip_spaces();
        if !entries.is_empty() && scanner.eat(b')') {
            return Ok(SetMetadata { mailbox, entries });
        }
        if entries.len() == limits::METADATA_NAMED {
            return problem(format!("more than {} entries", limits::METADATA_NAMED));
        }
        let entry = scan_entry(scanner)?;
        scanner.space()?;
        let value = scanner.nstring8("a value, or NIL to remove the entry,")?;
        if entries.iter().any(|(known, _)| *known == entry) {
            return problem(format!("{entry} stands there twice"));
        }
        entries.push((entry, value));
    }
}

/// One entry, or several in parentheses.
pub(super) fn scan_entries(scanner: &mut Scanner<'_>) -> Scan<Vec<String>> {
    let mut entries = Vec::new();
    if !scanner.eat(b'(') {
        add_entry(scanner, &mut entries)?;
        return Ok(entries);
    }
    loop {
        scanner.skip_spaces();
        if !entries.is_empty() && scanner.eat(b')') {
            return Ok(entries);
        }
        add_entry(scanner, &mut entries)?;
    }
}

fn add_entry(scanner: &mut Scanner<'_>, entries: &mut Vec<String>) -> Scan<()> {
    if entries.len() == limits::METADATA_NAMED {
        return problem(format!("more than {} entries", limits::METADATA_NAMED));
    }
    let entry = scan_entry(scanner)?;
    if !entries.contains(&entry) {
        entries.push(entry);
    }
    Ok(())
}

/// Whether an option comes, and no entry, which begins with a slash.
fn is_option(scanner: &Scanner<'_>) -> bool {
    let mut ahead = scanner.clone();
    ahead.eat(b'(') && {
        ahead.skip_spaces();
        ahead.peek().is_some_and(|byte| byte.is_ascii_alphabetic())
    }
}

fn scan_options(
    scanner: &mut Scanner<'_>,
    max_size: &mut Option<u64>,
    depth: &mut Levels,
) -> Scan<()> {
    scanner.expect(b'(')?;
    loop {
        scanner.skip_spaces();
        if scanner.eat(b')') {
            return Ok(());
        }
        let word = scanner.word("an option: MAXSIZE 1024, or DEPTH 1")?;
        scanner.space()?;
        match word.to_ascii_uppercase().as_str() {
            "MAXSIZE" => *max_size = Some(scanner.number64()?),
            "DEPTH" => {
                let levels = scanner.word("0, 1 or infinity")?;
                *depth = match levels.to_ascii_lowercase().as_str() {
                    "0" => Levels::Zero,
                    "1" => Levels::One,
                    "infinity" => Levels::Infinity,
                    _ => return problem("DEPTH is 0, 1 or infinity"),
                };
            }
            _ => {
                return problem(format!(
                    "there is no option {word}; there are MAXSIZE and DEPTH"
                ));
            }
        }
    }
}

/// The name of an entry, in small letters, for case does not matter (RFC 5464 §3.1).
fn scan_entry(scanner: &mut Scanner<'_>) -> Scan<String> {
    let entry = scanner.astring("the name of an entry such as /private/comment")?;
    let Ok(entry) = std::str::from_utf8(&entry) else {
        return problem("the name of an entry is US-ASCII");
    };
    let entry = entry.to_ascii_lowercase();
    match bad_entry(&entry) {
        Some(why) => problem(why),
        None => Ok(entry),
    }
}

/// Why this cannot be an entry's name.
fn bad_entry(entry: &str) -> Option<&'static str> {
    Some(
        if !entry
            .bytes()
            .all(|byte| matches!(byte, 0x20..=0x7e) && !b"*%".contains(&byte))
        {
            "the name of an entry is US-ASCII, without * % and control characters"
        } else if !entry.starts_with("/private/")
            && !entry.starts_with("/shared/")
            && !["/private", "/shared"].contains(&entry)
        {
            "the name of an entry begins with /private/ (for yourself) or /shared/ (for all)"
        } else if entry.contains("//") || entry.ends_with('/') {
            "in the name of an entry there is no // and no / at its end"
        } else if entry.len() > limits::METADATA_NAME {
            "the name of an entry may have 255 octets at most"
        } else {
            return None;
        },
    )
}
