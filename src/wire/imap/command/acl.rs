//! What stands after SETACL, DELETEACL, GETACL, LISTRIGHTS and MYRIGHTS (RFC 4314 §3).

use super::arguments::mailbox;
use crate::wire::imap::rights::Rights;
use crate::wire::imap::scan::{Scan, Scanner, problem};

/// A command about rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AclCommand {
    /// GETACL
    Get,
    /// MYRIGHTS
    Mine,
    /// LISTRIGHTS: of this identifier.
    List(String),
    /// SETACL: of this identifier.
    Set(String, Amend, Rights),
    /// DELETEACL: of this identifier.
    Delete(String),
}

/// What SETACL does with the rights that an identifier has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amend {
    /// They are replaced.
    Replace,
    /// `+`
    Add,
    /// `-`
    Remove,
}

/// Scans what stands after one of the five and its space.
pub(super) fn scan(name: &str, scanner: &mut Scanner<'_>) -> Scan<(String, AclCommand)> {
    let mailbox = mailbox(scanner)?;
    let command = match name {
        "GETACL" => AclCommand::Get,
        "MYRIGHTS" => AclCommand::Mine,
        "LISTRIGHTS" => AclCommand::List(identifier(scanner)?),
        "DELETEACL" => AclCommand::Delete(identifier(scanner)?),
        _ => {
            let identifier = identifier(scanner)?;
            scanner.space()?;
            let (amend, rights) = rights(scanner)?;
            AclCommand::Set(identifier, amend, rights)
        }
    };
    Ok((mailbox, command))
}

fn identifier(scanner: &mut Scanner<'_>) -> Scan<String> {
    scanner.space()?;
    let identifier = scanner.astring("whom it is about: a user's name, or anyone")?;
    let Ok(identifier) = String::from_utf8(identifier.into_owned()) else {
        return problem("the identifier is not UTF-8");
    };
    // RFC 4314 §3: what SASLprep would refuse.
    if matches!(identifier.as_str(), "" | "-") || identifier.chars().any(char::is_control) {
        return problem(
            "an identifier is a user's name, or anyone, authenticated, owner; it is not empty, and has no control characters",
        );
    }
    Ok(identifier)
}

fn rights(scanner: &mut Scanner<'_>) -> Scan<(Amend, Rights)> {
    let text = scanner.astring("rights such as lrs, +t or -w")?;
    let Ok(text) = std::str::from_utf8(&text) else {
        return problem("rights are letters: lrswipkxtea");
    };
    let (amend, letters) = match text.as_bytes().first() {
        Some(b'+') => (Amend::Add, &text[1..]),
        Some(b'-') => (Amend::Remove, &text[1..]),
        _ => (Amend::Replace, text),
    };
    match Rights::parse(letters) {
        Ok(rights) => Ok((amend, rights)),
        // RFC 4314 §3.1
        Err(letter) if letter.is_ascii_uppercase() => problem(format!(
            "rights are small letters: \"{}\", not \"{letter}\"",
            letter.to_ascii_lowercase()
        )),
        Err(letter) => problem(format!(
            "there is no right \"{letter}\"; there are l lookup, r read, s seen, w other flags, i insert, p post, k create, \
             x delete the mailbox, t mark as deleted, e expunge, a administer"
        )),
    }
}
