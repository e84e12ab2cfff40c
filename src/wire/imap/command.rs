//! A client's command: scanned into a [`Command`] that borrows from its bytes.
//!
//! [`COMMANDS`] is the list of what is spoken, with an example each: `BAD` tells a person what would be right. A command
//! may announce a literal that has not come yet: [`Stop::Literal`]. APPEND's message is not gathered but streamed, so it
//! stops the scan on its own: [`Parsed::Append`].

use std::borrow::Cow;

use crate::limits;
use crate::wire::date::DateTime;
use crate::wire::imap::condstore::{
    FetchModifiers, Opening, scan_fetch_modifiers, scan_opening, scan_unchanged_since,
};
use crate::wire::imap::fetch::{Item, scan_items};
use crate::wire::imap::scan::{Literal, Problem, Scan, Scanner, Stop, is_astring_char, problem};
use crate::wire::imap::search::{Search, scan_search};
use crate::wire::imap::set::SequenceSet;
use crate::wire::utf7;

/// What a client asks for. Texts are lent from its bytes; mailbox names are decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// RFC 3501 §6.1.1
    Capability,
    /// RFC 3501 §6.1.2
    Noop,
    /// RFC 3501 §6.1.3
    Logout,
    /// RFC 2971
    Id,
    /// RFC 3501 §6.2.1
    StartTls,
    /// RFC 3501 §6.2.2
    Authenticate {
        /// The SASL mechanism.
        mechanism: &'a [u8],
        /// RFC 4959: the initial response, still in base64.
        initial: Option<&'a [u8]>,
    },
    /// RFC 3501 §6.2.3
    Login {
        /// Who.
        user: Cow<'a, [u8]>,
        /// In the clear.
        password: Cow<'a, [u8]>,
    },
    /// SELECT and EXAMINE, RFC 3501 §6.3.1
    Select {
        /// Which.
        mailbox: String,
        /// Whether it may be changed.
        access: Access,
        /// RFC 7162 §3.1.8, §3.2.5
        opening: Opening,
    },
    /// RFC 3501 §6.3.3
    Create(String),
    /// RFC 3501 §6.3.4
    Delete(String),
    /// RFC 3501 §6.3.5
    Rename {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// RFC 3501 §6.3.6
    Subscribe(String),
    /// RFC 3501 §6.3.7
    Unsubscribe(String),
    /// LIST and LSUB, RFC 3501 §6.3.8
    List {
        /// Which of the two.
        listing: Listing,
        /// Put before the pattern.
        reference: Cow<'a, [u8]>,
        /// With wildcards.
        pattern: Cow<'a, [u8]>,
    },
    /// RFC 5161: names of extensions, in capitals.
    Enable(Vec<String>),
    /// RFC 2342
    Namespace,
    /// RFC 3501 §6.3.10
    Status {
        /// Of which.
        mailbox: String,
        /// What.
        items: Vec<StatusItem>,
    },
    /// RFC 2177
    Idle,
    /// RFC 3501 §6.4.1
    Check,
    /// RFC 3501 §6.4.2
    Close,
    /// RFC 3691
    Unselect,
    /// RFC 3501 §6.4.3; with a set UID EXPUNGE, RFC 4315 §2.1.
    Expunge(Option<SequenceSet>),
    /// RFC 3501 §6.4.4
    Search {
        /// What the numbers found are.
        numbering: Numbering,
        /// What for.
        search: Search,
    },
    /// RFC 3501 §6.4.5
    Fetch {
        /// Whose.
        messages: Messages,
        /// What.
        items: Vec<Item>,
        /// RFC 7162 §3.1.4.1, §3.2.6
        modifiers: FetchModifiers,
    },
    /// RFC 3501 §6.4.6
    Store {
        /// Whose.
        messages: Messages,
        /// What to do with them.
        action: StoreAction,
        /// Whether the new flags are told.
        echo: Echo,
        /// Which.
        flags: Vec<&'a str>,
        /// RFC 7162 §3.1.3
        unchanged_since: Option<u64>,
    },
    /// COPY and MOVE, RFC 3501 §6.4.7, RFC 6851
    Copy {
        /// Which.
        messages: Messages,
        /// Where to.
        mailbox: String,
        /// Whether they stay here.
        originals: Originals,
    },
}

/// SELECT or EXAMINE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// SELECT
    ReadWrite,
    /// EXAMINE
    ReadOnly,
}

/// LIST or LSUB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// All mailboxes.
    List,
    /// Those subscribed to.
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
}

/// What numbers name messages by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// Their place in the mailbox.
    Sequence,
    /// Their UID: the command began with `UID`.
    Uid,
}

/// A set, and how it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Messages {
    /// Places or UIDs.
    pub numbering: Numbering,
    /// Which.
    pub set: SequenceSet,
}

/// STORE's sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreAction {
    /// `FLAGS`
    Replace,
    /// `+FLAGS`
    Add,
    /// `-FLAGS`
    Remove,
}

/// `.SILENT` or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// Tell the new flags.
    Tell,
    /// `.SILENT`
    Silent,
}

/// COPY or MOVE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Originals {
    /// COPY
    Stay,
    /// MOVE
    Go,
}

/// What APPEND says before its message (RFC 3501 §6.3.11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// Where to.
    pub mailbox: String,
    /// With which flags.
    pub flags: Vec<String>,
    /// INTERNALDATE, seconds since 1970.
    pub received: Option<i64>,
    /// The message, which follows.
    pub message: Literal,
}

/// A command, or APPEND up to its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// Whole.
    Command(Command<'a>),
    /// The message is to be streamed; after it the line goes on, and ends.
    Append(Append),
}

/// One command that is spoken.
#[derive(Debug)]
pub struct Syntax {
    /// `FETCH`
    pub name: &'static str,
    /// What follows the tag, as an example.
    pub example: &'static str,
}

/// All commands that are spoken here.
pub const COMMANDS: &[Syntax] = &[
    syntax("CAPABILITY", "CAPABILITY"),
    syntax("NOOP", "NOOP"),
    syntax("LOGOUT", "LOGOUT"),
    syntax("ID", "ID NIL"),
    syntax("STARTTLS", "STARTTLS"),
    syntax("AUTHENTICATE", "AUTHENTICATE PLAIN"),
    syntax("LOGIN", "LOGIN alice password"),
    syntax("ENABLE", "ENABLE QRESYNC"),
    syntax("SELECT", "SELECT INBOX"),
    syntax("EXAMINE", "EXAMINE INBOX"),
    syntax("CREATE", "CREATE lists/rust"),
    syntax("DELETE", "DELETE lists/rust"),
    syntax("RENAME", "RENAME old new"),
    syntax("SUBSCRIBE", "SUBSCRIBE lists/rust"),
    syntax("UNSUBSCRIBE", "UNSUBSCRIBE lists/rust"),
    syntax("LIST", "LIST \"\" *"),
    syntax("LSUB", "LSUB \"\" *"),
    syntax("NAMESPACE", "NAMESPACE"),
    syntax("STATUS", "STATUS INBOX (MESSAGES UNSEEN)"),
    syntax("APPEND", "APPEND INBOX (\\Seen) {310}"),
    syntax("IDLE", "IDLE"),
    syntax("CHECK", "CHECK"),
    syntax("CLOSE", "CLOSE"),
    syntax("UNSELECT", "UNSELECT"),
    syntax("EXPUNGE", "EXPUNGE"),
    syntax("SEARCH", "SEARCH UNSEEN FROM alice"),
    syntax("FETCH", "FETCH 1:* (FLAGS BODY.PEEK[HEADER])"),
    syntax("STORE", "STORE 1:3 +FLAGS (\\Deleted)"),
    syntax("COPY", "COPY 1:3 lists/rust"),
    syntax("MOVE", "MOVE 1:3 lists/rust"),
    syntax("UID", "UID FETCH 1:* FLAGS"),
];

const fn syntax(name: &'static str, example: &'static str) -> Syntax {
    Syntax { name, example }
}

/// The command of this name, in any case.
pub fn named(name: &[u8]) -> Option<&'static Syntax> {
    COMMANDS
        .iter()
        .find(|command| command.name.as_bytes().eq_ignore_ascii_case(name))
}

/// The first word of a line, which should be a tag, and the scanner after it and its space.
pub fn scan_tag(bytes: &[u8]) -> Result<(&str, Scanner<'_>), Problem> {
    let mut scanner = Scanner::new(bytes);
    let word = scanner.take_while(|byte| is_astring_char(byte) && byte != b'+' && byte < 0x80);
    let example = "each command begins with a tag, a word of your choice that its reply will carry";
    if word.is_empty() {
        return Err(Problem(
            format!("{example}: a1 CAPABILITY (the next could be a2)").into(),
        ));
    }
    let at_end = !scanner.skip_spaces() || scanner.peek().is_none();
    if let Some(command) = named(word) {
        // `LOGIN alice secret`: the tag was forgotten. `noop noop` is well-formed.
        let mut ahead = scanner.clone();
        let second = ahead.take_while(|byte| byte.is_ascii_alphanumeric());
        if at_end || named(second).is_none() {
            return Err(Problem(format!("{example}: a1 {}", command.example).into()));
        }
    }
    if at_end {
        return Err(Problem(
            format!("a command has to follow; {example}: a1 CAPABILITY").into(),
        ));
    }
    // Only ASCII was taken.
    let tag = std::str::from_utf8(word).unwrap_or_default();
    Ok((tag, scanner))
}

/// Scans what follows the tag.
pub fn parse<'a>(mut scanner: Scanner<'a>) -> Scan<Parsed<'a>> {
    let name = scanner.take_while(|byte| byte.is_ascii_alphanumeric());
    let Some(syntax) = named(name) else {
        return problem(unknown(name));
    };
    let after_name = scanner.clone();
    let known = if matches!(scanner.peek(), None | Some(b' ')) {
        arguments(syntax.name, &mut scanner)
    } else {
        problem("expected a space after the name of the command")
    };
    known.map_err(|stop| match stop {
        Stop::Problem(Problem(text)) => {
            let (name, example) = name_and_example(syntax, after_name);
            Stop::Problem(Problem(
                format!("{name}: {text}. Example: a1 {example}").into(),
            ))
        }
        literal @ Stop::Literal(_) => literal,
    })
}

/// What a command is called, and how it is written. After UID it is the second word that counts.
fn name_and_example(syntax: &Syntax, mut rest: Scanner<'_>) -> (String, String) {
    rest.skip_spaces();
    let second = rest.take_while(|byte| byte.is_ascii_alphanumeric());
    match named(second).filter(|second| syntax.name == "UID" && AFTER_UID.contains(&second.name)) {
        Some(Syntax { name, example }) => {
            let uids = if *name == "EXPUNGE" { " 1:3" } else { "" };
            (format!("UID {name}"), format!("UID {example}{uids}"))
        }
        None => (syntax.name.to_owned(), syntax.example.to_owned()),
    }
}

/// The commands that UID may stand before (RFC 3501 §6.4.8, RFC 4315 §2.1, RFC 6851 §3.2).
const AFTER_UID: [&str; 6] = ["FETCH", "STORE", "SEARCH", "COPY", "MOVE", "EXPUNGE"];

/// Says that there is no such command, and what there is.
fn unknown(name: &[u8]) -> String {
    let known: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    let name = if name.len() <= 20 {
        String::from_utf8_lossy(name)
    } else {
        Cow::Borrowed("of this name")
    };
    format!("there is no command {name}; there are {}", known.join(" "))
}

fn arguments<'a>(name: &str, scanner: &mut Scanner<'a>) -> Scan<Parsed<'a>> {
    let command = match name {
        "CAPABILITY" => Command::Capability,
        "NOOP" => Command::Noop,
        "LOGOUT" => Command::Logout,
        "STARTTLS" => Command::StartTls,
        "NAMESPACE" => Command::Namespace,
        "IDLE" => Command::Idle,
        "CHECK" => Command::Check,
        "CLOSE" => Command::Close,
        "UNSELECT" => Command::Unselect,
        "EXPUNGE" => Command::Expunge(None),
        "APPEND" => return append(scanner).map(Parsed::Append),
        _ => {
            scanner.space()?;
            with_arguments(name, scanner)?
        }
    };
    scanner.end()?;
    Ok(Parsed::Command(command))
}

fn with_arguments<'a>(name: &str, scanner: &mut Scanner<'a>) -> Scan<Command<'a>> {
    Ok(match name {
        "ID" => id(scanner)?,
        "AUTHENTICATE" => {
            let mechanism = scanner.atom("a mechanism such as PLAIN")?;
            let initial = if scanner.skip_spaces() && scanner.peek().is_some() {
                Some(scanner.take_while(|byte| !byte.is_ascii_whitespace()))
            } else {
                None
            };
            Command::Authenticate { mechanism, initial }
        }
        "LOGIN" => {
            let user = scanner.astring("a user name")?;
            scanner.space()?;
            Command::Login {
                user,
                password: scanner.astring("a password")?,
            }
        }
        "ENABLE" => Command::Enable(enable(scanner)?),
        "SELECT" => select(scanner, Access::ReadWrite)?,
        "EXAMINE" => select(scanner, Access::ReadOnly)?,
        "CREATE" => Command::Create(mailbox(scanner)?),
        "DELETE" => Command::Delete(mailbox(scanner)?),
        "RENAME" => {
            let from = mailbox(scanner)?;
            scanner.space()?;
            Command::Rename {
                from,
                to: mailbox(scanner)?,
            }
        }
        "SUBSCRIBE" => Command::Subscribe(mailbox(scanner)?),
        "UNSUBSCRIBE" => Command::Unsubscribe(mailbox(scanner)?),
        "LIST" => list(scanner, Listing::List)?,
        "LSUB" => list(scanner, Listing::Lsub)?,
        "STATUS" => status(scanner)?,
        "UID" => {
            let name = scanner.word("FETCH, STORE, SEARCH, COPY, MOVE or EXPUNGE")?;
            scanner.space()?;
            let name = name.to_ascii_uppercase();
            if name == "EXPUNGE" {
                Command::Expunge(Some(SequenceSet::scan(scanner)?))
            } else {
                on_messages(&name, Numbering::Uid, scanner)?
            }
        }
        _ => on_messages(name, Numbering::Sequence, scanner)?,
    })
}

fn on_messages<'a>(
    name: &str,
    numbering: Numbering,
    scanner: &mut Scanner<'a>,
) -> Scan<Command<'a>> {
    if name == "SEARCH" {
        return Ok(Command::Search {
            numbering,
            search: scan_search(scanner)?,
        });
    }
    if !["FETCH", "STORE", "COPY", "MOVE"].contains(&name) {
        return problem("UID stands before FETCH, STORE, SEARCH, COPY, MOVE or EXPUNGE");
    }
    let set = SequenceSet::scan(scanner)?;
    let messages = Messages { numbering, set };
    scanner.space()?;
    Ok(match name {
        "FETCH" => Command::Fetch {
            messages,
            items: scan_items(scanner)?,
            modifiers: scan_fetch_modifiers(scanner)?,
        },
        "STORE" => store(scanner, messages)?,
        _ => Command::Copy {
            messages,
            mailbox: mailbox(scanner)?,
            originals: if name == "MOVE" {
                Originals::Go
            } else {
                Originals::Stay
            },
        },
    })
}

/// ENABLE's names, in capitals; those that mean nothing here are for the session to pass over (RFC 5161 §3.1).
fn enable(scanner: &mut Scanner<'_>) -> Scan<Vec<String>> {
    let mut names = Vec::new();
    loop {
        let name = scanner.atom("the name of an extension, such as QRESYNC")?;
        if names.len() == limits::IMAP_FLAGS {
            return problem(format!("more than {} extensions", limits::IMAP_FLAGS));
        }
        names.push(String::from_utf8_lossy(name).to_ascii_uppercase());
        if !scanner.skip_spaces() || scanner.peek().is_none() {
            return Ok(names);
        }
    }
}

fn select<'a>(scanner: &mut Scanner<'a>, access: Access) -> Scan<Command<'a>> {
    Ok(Command::Select {
        mailbox: mailbox(scanner)?,
        access,
        opening: scan_opening(scanner)?,
    })
}

/// ID's list is scanned and forgotten: nothing here depends on what a client is (RFC 2971 §3.1).
fn id<'a>(scanner: &mut Scanner<'a>) -> Scan<Command<'a>> {
    if scanner.eat(b'(') {
        let mut position = 0;
        loop {
            scanner.skip_spaces();
            if scanner.eat(b')') {
                break;
            }
            scanner.nstring("a name or a value")?;
            position += 1;
        }
        if position % 2 != 0 {
            return problem("each name in the list needs a value");
        }
    } else if !scanner.eat_word("NIL") {
        return problem("expected NIL or a list such as (\"name\" \"mutt\")");
    }
    Ok(Command::Id)
}

fn list<'a>(scanner: &mut Scanner<'a>, listing: Listing) -> Scan<Command<'a>> {
    let reference = scanner.astring("a reference, mostly \"\"")?;
    scanner.space()?;
    Ok(Command::List {
        listing,
        reference,
        pattern: scanner.list_mailbox()?,
    })
}

fn status<'a>(scanner: &mut Scanner<'a>) -> Scan<Command<'a>> {
    let mailbox = mailbox(scanner)?;
    scanner.space()?;
    scanner.expect(b'(')?;
    let mut items = Vec::new();
    loop {
        scanner.skip_spaces();
        if !items.is_empty() && scanner.eat(b')') {
            return Ok(Command::Status { mailbox, items });
        }
        let word = scanner.word("an item such as MESSAGES")?;
        items.push(match word.to_ascii_uppercase().as_str() {
            "MESSAGES" => StatusItem::Messages,
            "RECENT" => StatusItem::Recent,
            "UIDNEXT" => StatusItem::UidNext,
            "UIDVALIDITY" => StatusItem::UidValidity,
            "UNSEEN" => StatusItem::Unseen,
            "HIGHESTMODSEQ" => StatusItem::HighestModseq,
            "MAILBOXID" => StatusItem::MailboxId,
            _ => {
                return problem(format!(
                    "there is no item {word}; there are MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ MAILBOXID"
                ));
            }
        });
    }
}

fn store<'a>(scanner: &mut Scanner<'a>, messages: Messages) -> Scan<Command<'a>> {
    let unchanged_since = scan_unchanged_since(scanner)?;
    let action = if scanner.eat(b'+') {
        StoreAction::Add
    } else if scanner.eat(b'-') {
        StoreAction::Remove
    } else {
        StoreAction::Replace
    };
    let word = scanner.word("FLAGS, +FLAGS or -FLAGS")?;
    let echo = match word.to_ascii_uppercase().as_str() {
        "FLAGS" => Echo::Tell,
        "FLAGS.SILENT" => Echo::Silent,
        _ => {
            return problem(
                "what can be stored is FLAGS, +FLAGS or -FLAGS, each also with .SILENT",
            );
        }
    };
    scanner.space()?;
    let flags = if scanner.peek() == Some(b'(') {
        scanner.flag_list()?
    } else {
        // Without parentheses, several may follow (RFC 3501 §9, store-att-flags).
        let mut flags = vec![scanner.flag()?];
        while scanner.skip_spaces() && scanner.peek().is_some() {
            scanner.add_flag(&mut flags)?;
        }
        flags
    };
    Ok(Command::Store {
        messages,
        action,
        echo,
        flags,
        unchanged_since,
    })
}

fn append(scanner: &mut Scanner<'_>) -> Scan<Append> {
    scanner.space()?;
    let mailbox = mailbox(scanner)?;
    scanner.space()?;
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
    Ok(Append {
        mailbox,
        flags,
        received,
        message: scanner.message_literal()?,
    })
}

/// A mailbox's name, decoded: modified UTF-7, or UTF-8 as a person types it.
fn mailbox(scanner: &mut Scanner<'_>) -> Scan<String> {
    let Ok(name) = String::from_utf8(scanner.astring("the name of a mailbox")?.into_owned()) else {
        return problem("the name of the mailbox is not UTF-8");
    };
    if !name.is_ascii() {
        return Ok(name);
    }
    match utf7::decode(&name) {
        Some(name) => Ok(name),
        None => problem(
            "the name of the mailbox is no modified UTF-7 (RFC 3501 section 5.1.3); an & alone is written &-",
        ),
    }
}

#[cfg(test)]
mod tests;
