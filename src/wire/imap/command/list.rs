//! LIST with its options (RFC 3501 §6.3.8, RFC 5258, RFC 5819, RFC 6154, RFC 8440, RFC 9590), LSUB, and STATUS's items.

use std::borrow::Cow;

use super::metadata;
use crate::limits;
use crate::wire::imap::scan::{Scan, Scanner, problem};

/// LIST or LSUB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing<'a> {
    /// Which names.
    pub names: Names,
    /// Put before each pattern.
    pub reference: Cow<'a, [u8]>,
    /// With wildcards. A name is meant when one of them fits.
    pub patterns: Vec<Cow<'a, [u8]>>,
    /// `\Subscribed` is told.
    pub tell_subscribed: bool,
    /// STATUS of each (RFC 5819).
    pub status: Vec<StatusItem>,
    /// MYRIGHTS of each (RFC 8440).
    pub my_rights: bool,
    /// These entries of METADATA of each (RFC 9590).
    pub metadata: Vec<String>,
}

/// Which names are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// LIST: those of mailboxes, and of what is above them.
    All,
    /// LIST with selection options, which narrow it down.
    Selected {
        /// Only those subscribed to, whether there is a mailbox or not.
        subscribed: bool,
        /// Only those with a special use.
        special_use: bool,
        /// Also those above them (RECURSIVEMATCH).
        recursive: bool,
    },
    /// LSUB: those subscribed to.
    Lsub,
}

/// An item of STATUS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusItem {
    /// How many.
    Messages,
    /// How many that no session was told of.
    Recent,
    /// The next UID.
    UidNext,
    /// RFC 3501 §2.3.1.1
    UidValidity,
    /// How many are not `\Seen`.
    Unseen,
    /// RFC 7162 §3.1.7
    HighestModseq,
    /// RFC 8474 §4.3
    MailboxId,
    /// How many are `\Deleted` (RFC 9051 §6.3.11).
    Deleted,
    /// Octets of those (RFC 9208 §4.1.4).
    DeletedStorage,
    /// Octets in all (RFC 8438).
    Size,
    /// Octets that an appended message may have (RFC 7889 §4).
    AppendLimit,
}

impl StatusItem {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Messages,
        Self::Recent,
        Self::UidNext,
        Self::UidValidity,
        Self::Unseen,
        Self::HighestModseq,
        Self::MailboxId,
        Self::Deleted,
        Self::DeletedStorage,
        Self::Size,
        Self::AppendLimit,
    ];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Messages => "MESSAGES",
            Self::Recent => "RECENT",
            Self::UidNext => "UIDNEXT",
            Self::UidValidity => "UIDVALIDITY",
            Self::Unseen => "UNSEEN",
            Self::HighestModseq => "HIGHESTMODSEQ",
            Self::MailboxId => "MAILBOXID",
            Self::Deleted => "DELETED",
            Self::DeletedStorage => "DELETED-STORAGE",
            Self::Size => "SIZE",
            Self::AppendLimit => "APPENDLIMIT",
        }
    }
}

/// Scans what stands after LSUB and its space.
pub(super) fn scan_lsub<'a>(scanner: &mut Scanner<'a>) -> Scan<Listing<'a>> {
    let reference = scanner.astring("a reference, mostly \"\"")?;
    scanner.space()?;
    Ok(Listing {
        names: Names::Lsub,
        reference,
        patterns: vec![scanner.list_mailbox()?],
        tell_subscribed: false,
        status: Vec::new(),
        my_rights: false,
        metadata: Vec::new(),
    })
}

/// Scans what stands after LIST and its space.
pub(super) fn scan<'a>(scanner: &mut Scanner<'a>) -> Scan<Listing<'a>> {
    let (mut names, mut tell_subscribed) = (Names::All, false);
    if scanner.peek() == Some(b'(') {
        names = scan_selection(scanner)?;
        tell_subscribed = matches!(
            names,
            Names::Selected {
                subscribed: true,
                ..
            }
        );
        scanner.space()?;
    }
    let reference = scanner.astring("a reference, mostly \"\"")?;
    scanner.space()?;
    let patterns = scan_patterns(scanner)?;
    let mut listing = Listing {
        names,
        reference,
        patterns,
        tell_subscribed,
        status: Vec::new(),
        my_rights: false,
        metadata: Vec::new(),
    };
    if scanner.skip_spaces() && scanner.peek().is_some() {
        if !scanner.eat_word("RETURN") {
            return problem(
                "after the pattern can only come RETURN and what to return: RETURN (SUBSCRIBED)",
            );
        }
        scanner.skip_spaces();
        scan_returns(scanner, &mut listing)?;
    }
    Ok(listing)
}

/// One pattern, or several in parentheses.
fn scan_patterns<'a>(scanner: &mut Scanner<'a>) -> Scan<Vec<Cow<'a, [u8]>>> {
    if !scanner.eat(b'(') {
        return Ok(vec![scanner.list_mailbox()?]);
    }
    let mut patterns = Vec::new();
    loop {
        scanner.skip_spaces();
        if !patterns.is_empty() && scanner.eat(b')') {
            return Ok(patterns);
        }
        if patterns.len() == limits::IMAP_PATTERNS {
            return problem(format!("more than {} patterns", limits::IMAP_PATTERNS));
        }
        patterns.push(scanner.list_mailbox()?);
    }
}

fn scan_selection(scanner: &mut Scanner<'_>) -> Scan<Names> {
    scanner.expect(b'(')?;
    let (mut subscribed, mut special_use, mut recursive) = (false, false, false);
    loop {
        scanner.skip_spaces();
        if scanner.eat(b')') {
            break;
        }
        let word = scanner.word("a selection option such as SUBSCRIBED")?;
        match word.to_ascii_uppercase().as_str() {
            "SUBSCRIBED" => subscribed = true,
            "SPECIAL-USE" => special_use = true,
            "RECURSIVEMATCH" => recursive = true,
            // All mailboxes are here.
            "REMOTE" => {}
            _ => {
                return problem(format!(
                    "there is no selection option {word}; there are SUBSCRIBED SPECIAL-USE REMOTE RECURSIVEMATCH"
                ));
            }
        }
    }
    if recursive && !subscribed && !special_use {
        // RFC 5258 §3.1
        return problem(
            "RECURSIVEMATCH goes with another selection option: (SUBSCRIBED RECURSIVEMATCH)",
        );
    }
    Ok(Names::Selected {
        subscribed,
        special_use,
        recursive,
    })
}

fn scan_returns(scanner: &mut Scanner<'_>, listing: &mut Listing<'_>) -> Scan<()> {
    scanner.expect(b'(')?;
    loop {
        scanner.skip_spaces();
        if scanner.eat(b')') {
            return Ok(());
        }
        let word = scanner.word("a return option such as SUBSCRIBED")?;
        match word.to_ascii_uppercase().as_str() {
            "SUBSCRIBED" => listing.tell_subscribed = true,
            "MYRIGHTS" => listing.my_rights = true,
            "METADATA" => {
                scanner.space()?;
                listing.metadata = metadata::scan_entries(scanner)?;
            }
            // Told whether asked for or not.
            "CHILDREN" | "SPECIAL-USE" => {}
            "STATUS" => {
                scanner.space()?;
                listing.status = scan_status_items(scanner)?;
            }
            _ => {
                return problem(format!(
                    "there is no return option {word}; there are SUBSCRIBED CHILDREN SPECIAL-USE MYRIGHTS STATUS (...) METADATA (...)"
                ));
            }
        }
    }
}

/// STATUS's items in parentheses.
pub(super) fn scan_status_items(scanner: &mut Scanner<'_>) -> Scan<Vec<StatusItem>> {
    scanner.expect(b'(')?;
    let mut items = Vec::new();
    loop {
        scanner.skip_spaces();
        if !items.is_empty() && scanner.eat(b')') {
            return Ok(items);
        }
        let word = scanner.word("an item such as MESSAGES")?;
        let named = |item: &StatusItem| item.name().eq_ignore_ascii_case(word);
        let Some(item) = StatusItem::ALL.into_iter().find(named) else {
            let all = StatusItem::ALL.map(StatusItem::name).join(" ");
            return problem(format!("there is no item {word}; there are {all}"));
        };
        if !items.contains(&item) {
            items.push(item);
        }
    }
}
