//! GETMETADATA and SETMETADATA (RFC 5464), LIST's METADATA (RFC 9590), and what is told unasked.

use crate::proto::imap::uses::{self, SPECIAL_USE};
use crate::store::{Account, Noted, Store, StoreError};
use crate::wire::imap::command::{GetMetadata, Levels};
use crate::wire::imap::response;
use crate::wire::imap::rights::Rights;
use crate::wire::imap::scan::Speech;

/// GETMETADATA
pub struct GetNotes {
    /// Who asks.
    pub account: Account,
    /// What for.
    pub get: GetMetadata,
    /// How names are told.
    pub speech: Speech,
}

/// SETMETADATA
pub struct SetNotes {
    /// Who notes.
    pub account: Account,
    /// About which mailbox; `""` is the server.
    pub mailbox: String,
    /// Entries and values; none takes the entry away.
    pub changes: Vec<(String, Option<Vec<u8>>)>,
    /// What the mailbox is for from now on, if [`SPECIAL_USE`] is among the entries.
    pub uses: Option<Vec<String>>,
    /// In which session.
    pub session: u64,
}

/// What GETMETADATA found.
#[derive(Debug)]
pub struct Values {
    /// The response.
    pub lines: Vec<u8>,
    /// The octets of the longest value that was too long to be told.
    pub longest: Option<u64>,
}

impl GetNotes {
    /// Looks.
    pub fn run(self, store: &Store) -> Result<Values, StoreError> {
        let get = &self.get;
        let is_asked = |entry: &str| {
            let mut asked = get.entries.iter();
            asked.any(|asked| is_meant(entry, asked, get.depth))
        };
        let mut notes = store.notes(&self.account, &get.mailbox, is_asked)?;
        if is_asked(SPECIAL_USE) && !get.mailbox.is_empty() {
            // It is what LIST says (RFC 6154 §4).
            notes.retain(|(entry, _)| entry != SPECIAL_USE);
            let uses = uses::of(store, &self.account, &get.mailbox)?.join(" ");
            if !uses.is_empty() {
                notes.push((SPECIAL_USE.to_owned(), uses.into_bytes()));
            }
        }
        let is_long = |value: &[u8]| get.max_size.is_some_and(|most| value.len() as u64 > most);
        let long = notes.iter().filter(|(_, value)| is_long(value));
        let longest = long.map(|(_, value)| value.len() as u64).max();
        let mut told: Vec<(&str, Option<&[u8]>)> = Vec::new();
        for (entry, value) in &notes {
            if !is_long(value) {
                told.push((entry, Some(value)));
            }
        }
        if get.depth == Levels::Zero {
            // Of what was asked for by its name it is told that there is nothing.
            let is_missing = |asked: &&String| !notes.iter().any(|(entry, _)| entry == *asked);
            let missing = get.entries.iter().filter(is_missing);
            told.extend(missing.map(|entry| (entry.as_str(), None)));
        }
        let place = |entry: &str| get.entries.iter().position(|asked| asked == entry);
        told.sort_by_key(|(entry, _)| place(entry));
        let mut lines = Vec::new();
        write(&mut lines, &get.mailbox, &told, self.speech);
        Ok(Values { lines, longest })
    }
}

impl SetNotes {
    /// Notes.
    pub fn run(self, store: &Store) -> Result<(), StoreError> {
        let (account, mailbox) = (&self.account, &self.mailbox);
        if self.uses.is_some() {
            if !store.is_own(account, mailbox) {
                return Err(StoreError::Forbidden(
                    "what a mailbox of somebody else is for, its owner says",
                ));
            }
            store.reach(account, mailbox, Rights::LOOKUP)?;
        }
        if !self.changes.is_empty() {
            store.note(account, mailbox, &self.changes, self.session)?;
        }
        let Some(uses) = &self.uses else {
            return Ok(());
        };
        uses::change(store, account, mailbox, Some(self.session), || {
            match uses.is_empty() {
                true => store.set_no_special_use(account, mailbox),
                false => store.set_special_uses(account, mailbox, uses),
            }
        })
    }
}

/// Whether `entry` is the one that was asked for, or so far below it.
fn is_meant(entry: &str, asked: &str, depth: Levels) -> bool {
    let Some(below) = entry.strip_prefix(asked) else {
        return false;
    };
    let Some(below) = below.strip_prefix('/') else {
        return below.is_empty();
    };
    match depth {
        Levels::Zero => false,
        Levels::One => !below.contains('/'),
        Levels::Infinity => true,
    }
}

/// Writes `* METADATA name (entry value ...)`; nothing when there are none.
fn write(out: &mut Vec<u8>, mailbox: &str, notes: &[(&str, Option<&[u8]>)], speech: Speech) {
    if notes.is_empty() {
        return;
    }
    out.extend_from_slice(b"* METADATA ");
    response::mailbox(out, mailbox, speech);
    out.extend_from_slice(b" (");
    for (position, (entry, value)) in notes.iter().enumerate() {
        if position > 0 {
            out.push(b' ');
        }
        response::astring(out, entry.as_bytes());
        out.push(b' ');
        match value {
            Some(value) if memchr::memchr(0, value).is_some() => response::binary(out, value),
            value => response::nstring(out, *value),
        }
    }
    out.extend_from_slice(b")\r\n");
}

/// Writes what LIST tells of a mailbox's entries (RFC 9590); an error is for who asks to leave it out.
pub fn write_listed(
    out: &mut Vec<u8>,
    store: &Store,
    account: &Account,
    mailbox: &str,
    entries: &[String],
    speech: Speech,
) -> Result<(), StoreError> {
    let get = GetMetadata {
        mailbox: mailbox.to_owned(),
        entries: entries.to_vec(),
        max_size: None,
        depth: Levels::Zero,
    };
    let account = account.clone();
    let notes = GetNotes {
        account,
        get,
        speech,
    };
    out.extend_from_slice(&notes.run(store)?.lines);
    Ok(())
}

/// Writes what others have noted: entries without their values (RFC 5464 §4.4.2).
pub fn write_noted(out: &mut Vec<u8>, noted: &[Noted], speech: Speech) {
    for Noted { mailbox, entries } in noted {
        out.extend_from_slice(b"* METADATA ");
        response::mailbox(out, mailbox, speech);
        for entry in entries {
            out.push(b' ');
            response::astring(out, entry.as_bytes());
        }
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth() {
        let asked = "/private/filters";
        for (entry, zero, one, infinity) in [
            ("/private/filters", true, true, true),
            ("/private/filters/boss", false, true, true),
            ("/private/filters/boss/old", false, false, true),
            ("/private/filtersx", false, false, false),
            ("/private", false, false, false),
        ] {
            assert_eq!(is_meant(entry, asked, Levels::Zero), zero, "{entry}");
            assert_eq!(is_meant(entry, asked, Levels::One), one, "{entry}");
            assert_eq!(
                is_meant(entry, asked, Levels::Infinity),
                infinity,
                "{entry}"
            );
        }
    }
}
