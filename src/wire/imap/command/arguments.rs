//! What stands after a command's name.

use std::borrow::Cow;

use super::{
    Access, Command, Echo, Messages, Numbering, Originals, Parsed, QuotaCommand, StoreAction,
    Syntax, acl, append, list, metadata, named, notify, urls,
};
use crate::limits;
use crate::wire::imap::command::COMMANDS;
use crate::wire::imap::condstore::{scan_fetch_modifiers, scan_opening, scan_unchanged_since};
use crate::wire::imap::fetch::scan_items;
use crate::wire::imap::scan::{Fault, Problem, Scan, Scanner, Speech, Stop, problem};
use crate::wire::imap::search::{scan_search, scan_sort, scan_thread};
use crate::wire::imap::set::SequenceSet;
use crate::wire::utf7;

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
        Stop::Problem(Problem(text, fault)) => {
            let (name, example) = name_and_example(syntax, after_name);
            Stop::Problem(Problem(
                format!("{name}: {text}. Example: a1 {example}").into(),
                fault,
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

/// The commands that UID may stand before (RFC 3501 §6.4.8, RFC 4315 §2.1, RFC 6851 §3.2, RFC 8508 §3.4).
const AFTER_UID: [&str; 9] = [
    "FETCH", "STORE", "SEARCH", "SORT", "THREAD", "COPY", "MOVE", "EXPUNGE", "REPLACE",
];

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
        "UNAUTHENTICATE" => Command::Unauthenticate,
        "NAMESPACE" => Command::Namespace,
        "RESETKEY" => Command::Urls(urls::scan_reset(scanner)?),
        "IDLE" => Command::Idle,
        "CHECK" => Command::Check,
        "CLOSE" => Command::Close,
        "UNSELECT" => Command::Unselect,
        "EXPUNGE" => Command::Expunge(None),
        "APPEND" => return append::scan(scanner).map(Parsed::Append),
        "REPLACE" => {
            return append::scan_replace(scanner, Numbering::Sequence).map(Parsed::Append);
        }
        "UID" if append::is_uid_replace(scanner) => {
            return append::scan_replace(scanner, Numbering::Uid).map(Parsed::Append);
        }
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
        "SELECT" => select(scanner, Access::ReadWrite)?,
        "EXAMINE" => select(scanner, Access::ReadOnly)?,
        "CREATE" => create(scanner)?,
        "COMPRESS" => Command::Compress(scanner.atom("an algorithm, which is DEFLATE")?),
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
        "LIST" => Command::List(list::scan(scanner)?),
        "LSUB" => Command::List(list::scan_lsub(scanner)?),
        "STATUS" => {
            let mailbox = mailbox(scanner)?;
            scanner.space()?;
            Command::Status {
                mailbox,
                items: list::scan_status_items(scanner)?,
            }
        }
        "GETQUOTA" => Command::Quota(QuotaCommand::Of(quota_root(scanner)?)),
        "GETQUOTAROOT" => Command::Quota(QuotaCommand::OfMailbox(mailbox(scanner)?)),
        "SETQUOTA" => Command::Quota(QuotaCommand::Set(set_quota(scanner)?)),
        "GETACL" | "SETACL" | "DELETEACL" | "LISTRIGHTS" | "MYRIGHTS" => {
            let (mailbox, command) = acl::scan(name, scanner)?;
            Command::Acl { mailbox, command }
        }
        "GETMETADATA" => Command::GetMetadata(metadata::scan_get(scanner)?),
        "SETMETADATA" => Command::SetMetadata(metadata::scan_set(scanner)?),
        "GENURLAUTH" | "URLFETCH" => Command::Urls(urls::scan(name, scanner)?),
        "ENABLE" => Command::Enable(enable(scanner)?),
        "NOTIFY" => Command::Notify(notify::scan(scanner)?),
        "CANCELUPDATE" => Command::CancelUpdate(tags(scanner)?),
        "ESEARCH" => Command::Esearch {
            sources: notify::scan_sources(scanner)?,
            search: scan_search(scanner)?,
        },
        "UID" => {
            let name = scanner
                .word("FETCH, STORE, SEARCH, SORT, THREAD, COPY, MOVE, EXPUNGE or REPLACE")?;
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
    let search = match name {
        "SEARCH" => Some(scan_search(scanner)?),
        "SORT" => Some(scan_sort(scanner)?),
        "THREAD" => Some(scan_thread(scanner)?),
        _ => None,
    };
    if let Some(search) = search {
        return Ok(Command::Search { numbering, search });
    }
    if !["FETCH", "STORE", "COPY", "MOVE"].contains(&name) {
        return problem(
            "UID stands before FETCH, STORE, SEARCH, SORT, THREAD, COPY, MOVE, EXPUNGE or REPLACE",
        );
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

/// CREATE (RFC 4466 §2.2, RFC 6154 §3).
fn create<'a>(scanner: &mut Scanner<'a>) -> Scan<Command<'a>> {
    let mailbox = mailbox(scanner)?;
    let mut uses = Vec::new();
    if scanner.skip_spaces() && scanner.eat(b'(') {
        if !scanner.eat_word("USE") {
            return problem("the parameter of CREATE is USE: CREATE Later (USE (\\Drafts))");
        }
        scanner.space()?;
        uses.extend(scanner.flag_list()?.into_iter().map(str::to_owned));
        scanner.skip_spaces();
        scanner.expect(b')')?;
    }
    Ok(Command::Create { mailbox, uses })
}

fn quota_root(scanner: &mut Scanner<'_>) -> Scan<String> {
    let root = scanner.astring("the name of a quota root, mostly \"\"")?;
    Ok(String::from_utf8_lossy(&root).into_owned())
}

/// SETQUOTA's limits are scanned and forgotten.
fn set_quota(scanner: &mut Scanner<'_>) -> Scan<String> {
    let root = quota_root(scanner)?;
    scanner.space()?;
    scanner.expect(b'(')?;
    loop {
        scanner.skip_spaces();
        if scanner.eat(b')') {
            return Ok(root);
        }
        scanner.word("a resource such as STORAGE")?;
        scanner.space()?;
        scanner.number64()?;
    }
}

/// ENABLE's names, in capitals; those that mean nothing here are for the session to pass over (RFC 5161 §3.1).
fn enable(scanner: &mut Scanner<'_>) -> Scan<Vec<String>> {
    let mut names = Vec::new();
    loop {
        let name = scanner.atom("the name of an extension, such as IMAP4rev2")?;
        if names.len() == limits::IMAP_FLAGS {
            return problem(format!("more than {} extensions", limits::IMAP_FLAGS));
        }
        names.push(String::from_utf8_lossy(name).to_ascii_uppercase());
        if !scanner.skip_spaces() || scanner.peek().is_none() {
            return Ok(names);
        }
    }
}

/// CANCELUPDATE's tags.
fn tags(scanner: &mut Scanner<'_>) -> Scan<Vec<String>> {
    let mut tags = Vec::new();
    loop {
        let tag = scanner.astring("the tag of a search, such as \"a1\"")?;
        if tags.len() == limits::IMAP_GROUPS {
            return problem(format!("more than {} tags", limits::IMAP_GROUPS));
        }
        tags.push(String::from_utf8_lossy(&tag).into_owned());
        if !scanner.skip_spaces() || scanner.peek().is_none() {
            return Ok(tags);
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

/// A mailbox's name, decoded: modified UTF-7, or UTF-8 as a person types it and IMAP4rev2 has it.
pub(super) fn mailbox(scanner: &mut Scanner<'_>) -> Scan<String> {
    let Ok(name) = String::from_utf8(scanner.astring("the name of a mailbox")?.into_owned()) else {
        return problem("the name of the mailbox is not UTF-8");
    };
    if !name.is_ascii() || scanner.speech() != Speech::Utf7 {
        return Ok(name);
    }
    match utf7::decode(&name) {
        Some(name) => Ok(name),
        None if name.chars().any(char::is_control) => {
            problem("the name of a mailbox cannot hold control characters")
        }
        None => Err(Stop::Problem(Problem(
            "the name of the mailbox is no modified UTF-7 (RFC 3501 section 5.1.3); an & alone is written &-".into(),
            Fault::Name,
        ))),
    }
}
