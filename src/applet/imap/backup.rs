//! `imap backup`: mailboxes as a tree of Maildirs, which can be run again and then fetches what is new.
//!
//! ```text
//! FOLDER/       INBOX            cur new tmp
//! FOLDER/.A.B   the mailbox A/B  the same (Maildir++; names in modified UTF-7, dots within them as `&AC4-`)
//! ```
//!
//! A message's file is called `WHEN.VnUn.imap`, after its mailbox's UIDVALIDITY and its UID: so the name itself says what is here already,
//! it comes into being with the rename that puts the message there, and no crash can part the two. When a mailbox's UIDVALIDITY changes, all
//! of it is new, and what was there stays. Nothing is ever deleted, nor are flags changed of what is here.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::applet::outlet::marks;
use crate::proto::client::{About, Place, Sink};
use crate::store::{Deposit, Kept};
use crate::wire::date::DateTime;
use crate::wire::utf7;

/// The tree, and the mailbox that is being saved.
pub(super) struct Backup {
    root: PathBuf,
    open: Option<(Deposit, u32)>,
    /// Mailboxes, and how many of their messages came now.
    done: Vec<(String, u64)>,
}

impl Backup {
    pub(super) const fn new(root: PathBuf) -> Self {
        Self {
            root,
            open: None,
            done: Vec::new(),
        }
    }

    /// Mailboxes that had something, and how many messages that was.
    pub(super) fn done(self) -> Vec<(String, u64)> {
        self.done
    }

    fn deposit(&mut self) -> io::Result<&mut (Deposit, u32)> {
        let lost = || io::Error::other("a message of no mailbox");
        self.open.as_mut().ok_or_else(lost)
    }
}

impl Write for Backup {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match octets {
            [] => Ok(0),
            octets => self.deposit()?.0.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Backup {
    fn opened(&mut self, place: &Place<'_>, uids: &mut BTreeSet<u32>) -> io::Result<()> {
        let folder = self.root.join(folder_of(place.mailbox, place.delimiter));
        let deposit = Deposit::maildir(&folder)?;
        if folder != self.root {
            // What tells a folder of a Maildir++ from a Maildir.
            fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(folder.join("maildirfolder"))?;
        }
        for part in ["cur", "new"] {
            for entry in fs::read_dir(folder.join(part))? {
                let name = entry?.file_name();
                if let Some((validity, uid)) = uid_of(&name.to_string_lossy())
                    && validity == place.validity
                {
                    uids.remove(&uid);
                }
            }
        }
        self.open = Some((deposit, place.validity));
        if !uids.is_empty() {
            self.done.push((place.mailbox.to_owned(), 0));
        }
        Ok(())
    }

    fn ended(&mut self, about: &About<'_>) -> io::Result<()> {
        let received = DateTime::from_imap(about.date.as_bytes()).map(DateTime::unix);
        let (deposit, validity) = self.deposit()?;
        let when = received.unwrap_or(0);
        deposit.name(format!("{when}.V{validity}U{}.imap", about.id));
        deposit.keep(Kept {
            marks: marks(about.flags),
            received,
        })?;
        if let Some((_, count)) = self.done.last_mut() {
            *count += 1;
        }
        Ok(())
    }
}

/// The folder of a mailbox, relative to the tree's.
fn folder_of(mailbox: &str, delimiter: Option<char>) -> PathBuf {
    if mailbox.eq_ignore_ascii_case("INBOX") {
        return PathBuf::new();
    }
    let level = |name: &str| {
        utf7::encode(name)
            .replace('.', "&AC4-")
            .replace('/', "&AC8-")
            .replace('\0', "")
    };
    let levels: Vec<String> = match delimiter {
        Some(delimiter) => mailbox.split(delimiter).map(level).collect(),
        None => vec![level(mailbox)],
    };
    Path::new(&format!(".{}", levels.join("."))).to_owned()
}

/// The UIDVALIDITY and the UID that a file's name says.
fn uid_of(name: &str) -> Option<(u32, u32)> {
    let rest = name.split('.').nth(1)?.strip_prefix('V')?;
    let (validity, uid) = rest.split_once('U')?;
    Some((validity.parse().ok()?, uid.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_have_folders_of_their_own() {
        let of = |mailbox, delimiter| folder_of(mailbox, delimiter).display().to_string();
        assert_eq!(of("inbox", Some('/')), "");
        assert_eq!(of("A/B.c/Été", Some('/')), ".A.B&AC4-c.&AMk-t&AOk-");
        assert_eq!(of("A.B/c", Some('.')), ".A.B&AC8-c");
        assert_eq!(of("../../x", None), ".&AC4-&AC4-&AC8-&AC4-&AC4-&AC8-x");
        assert_eq!(uid_of("17.V3U4.imap:2,S"), Some((3, 4)));
        assert_eq!((uid_of("17.M3P4Q5.host"), uid_of("V1U2")), (None, None));
    }
}
