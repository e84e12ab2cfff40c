//! `imap backup`: mailboxes as a tree of Maildirs, which can be run again and then fetches what is new.
//!
//! ```text
//! FOLDER/       INBOX            cur new tmp
//! FOLDER/.A.B   the mailbox A/B  the same (Maildir++; names in modified UTF-7, dots within them as `&AC4-`)
//! ```
//!
//! A message's file is called `WHEN.VnUn.imap`, after its mailbox's UIDVALIDITY and its UID: so the name itself says what is here already,
//! it comes into being with the rename that puts the message there, and no crash can part the two. When a mailbox's UIDVALIDITY changes, all
//! of it is new, and what was there stays.
//!
//! Flags are those that the server has, each time: whatever was changed in a file's name here is undone, but for letters that no flag of the
//! server's stands for. What is gone at the server stays here, unless this is to be [pruned](Gone::Goes); a mailbox that is gone does always.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::proto::client::{About, Place, Sink};
use crate::store::{Deposit, Kept, letters};
use crate::wire::date::DateTime;
use crate::wire::mbox::Marks;
use crate::wire::utf7;

/// The tree, and the mailbox that is being saved.
pub(super) struct Backup {
    root: PathBuf,
    gone: Gone,
    open: Option<(Deposit, u32)>,
    done: Vec<Tally>,
}

/// What becomes here of messages that are gone there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// They stay.
    Stays,
    /// They go.
    Goes,
}

/// What came of a mailbox.
#[derive(Debug, Default)]
struct Tally {
    mailbox: String,
    /// Messages that came.
    new: u64,
    /// Whose flags had changed.
    changed: u64,
    /// That went.
    gone: u64,
}

impl Backup {
    pub(super) const fn new(root: PathBuf, gone: Gone) -> Self {
        Self {
            root,
            gone,
            open: None,
            done: Vec::new(),
        }
    }

    /// A line for each mailbox of which anything has changed here.
    pub(super) fn lines(&self) -> String {
        let changed = self
            .done
            .iter()
            .filter(|done| done.new + done.changed + done.gone > 0);
        let line = |done: &Tally| {
            let Tally {
                mailbox,
                new,
                changed,
                gone,
            } = done;
            format!("{mailbox}\t{new}\t{changed}\t{gone}\n")
        };
        changed.map(line).collect()
    }

    /// Brings what is here of a mailbox in line with what is there; which messages are lacking.
    fn go_through(
        &mut self,
        folder: &Path,
        place: &Place<'_>,
        there: &BTreeMap<u32, Marks>,
    ) -> io::Result<BTreeSet<u32>> {
        let deposit = Deposit::maildir(folder)?;
        if folder != self.root {
            // What tells a folder of a Maildir++ from a Maildir.
            fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(folder.join("maildirfolder"))?;
        }
        self.open = Some((deposit, place.validity));
        let mut lacking: BTreeSet<u32> = there.keys().copied().collect();
        let mut tally = Tally {
            mailbox: place.mailbox.to_owned(),
            ..Tally::default()
        };
        // A server that does not tell of all that it has is not believed that the others are gone.
        let prunes = self.gone == Gone::Goes && there.len() >= place.messages as usize;
        let cur = folder.join("cur");
        let (mut gone, mut earlier) = (Vec::new(), Vec::new());
        // In this order: who reads mail here moves files from the one to the other meanwhile.
        for part in ["new", "cur"] {
            let mut found = Vec::new();
            for entry in fs::read_dir(folder.join(part))? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if let Some(of) = uid_of(&name) {
                    found.push((of, name, entry.path()));
                }
            }
            for ((validity, uid), name, path) in found {
                match there.get(&uid) {
                    _ if validity != place.validity => earlier.push(path),
                    None => gone.push(path),
                    Some(marks) => {
                        lacking.remove(&uid);
                        if let Some(name) = renamed(&name, *marks) {
                            tally.changed += unless_gone(fs::rename(path, cur.join(name)))?;
                        }
                    }
                }
            }
        }
        // Messages of before are there under other names, which have to be here first.
        if lacking.is_empty() {
            gone.append(&mut earlier);
        }
        for path in gone.iter().filter(|_| prunes) {
            tally.gone += unless_gone(fs::remove_file(path))?;
        }
        if tally.changed + tally.gone > 0 {
            File::open(&cur)?.sync_all()?;
            File::open(folder.join("new"))?.sync_all()?;
        }
        self.done.push(tally);
        Ok(lacking)
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
    fn opened(
        &mut self,
        place: &Place<'_>,
        there: &BTreeMap<u32, Marks>,
    ) -> io::Result<BTreeSet<u32>> {
        let folder = self.root.join(folder_of(place.mailbox, place.delimiter));
        let gone_through = self.go_through(&folder, place, there);
        gone_through
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))
    }

    fn ended(&mut self, about: &About<'_>) -> io::Result<()> {
        let received = DateTime::from_imap(about.date.as_bytes()).map(DateTime::unix);
        let (deposit, validity) = self.deposit()?;
        let when = received.unwrap_or(0);
        deposit.name(format!("{when}.V{validity}U{}.imap", about.id));
        deposit.keep(Kept {
            marks: Marks::of_flags(about.flags),
            received,
        })?;
        if let Some(tally) = self.done.last_mut() {
            tally.new += 1;
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

/// What a file is called when its message has these flags, in `cur`; nothing where it is called so.
fn renamed(name: &str, marks: Marks) -> Option<String> {
    let (base, had) = name.split_once(":2,").unwrap_or((name, ""));
    // Letters of other programs stay.
    let mut has: Vec<char> = letters(marks).chars().collect();
    has.extend(had.chars().filter(|letter| !"DFRST".contains(*letter)));
    has.sort_unstable();
    let has: String = has.into_iter().collect();
    (has != had).then(|| format!("{base}:2,{has}"))
}

/// 1; 0 where somebody else has moved the file meanwhile.
fn unless_gone(done: io::Result<()>) -> io::Result<u64> {
    match done {
        Ok(()) => Ok(1),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
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
    fn flags_are_those_of_the_server() {
        let seen = Marks::SEEN.with(Marks::FLAGGED);
        let none = Marks::default();
        for (name, marks, expected) in [
            ("1.V1U1.imap", none, None),
            ("1.V1U1.imap", seen, Some("1.V1U1.imap:2,FS")),
            ("1.V1U1.imap:2,FS", seen, None),
            ("1.V1U1.imap:2,", none, None),
            ("1.V1U1.imap:2,RS", none, Some("1.V1U1.imap:2,")),
            ("1.V1U1.imap:2,PTa", seen, Some("1.V1U1.imap:2,FPSa")),
        ] {
            assert_eq!(renamed(name, marks).as_deref(), expected, "{name}");
        }
    }

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
