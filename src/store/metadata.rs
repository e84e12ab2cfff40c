//! What is noted about mailboxes, and about the server (METADATA, RFC 5464): entries with values, for all (`/shared/...`) or for one
//! user (`/private/...`).
//!
//! ```text
//! mailtool-metadata 1                              the head of the file
//! 0f3c...  alice  /private/comment  a note\x0d     checksum of the rest, whose, entry, value: tabs between them
//! 77ab...         /shared/comment   for all        nobody's: it is for all
//! ```
//!
//! | file | what |
//! |---|---|
//! | `mailtool-metadata` in a mailbox | about it; it goes where the mailbox goes |
//! | `mailtool-metadata-server` in an account | what its user notes about the server |
//! | `metadata` in the store | what is noted about the server for all |
//!
//! A file is written anew for each change, and is on disk before the change is told. A line whose checksum is wrong is nobody's note, and is
//! kept: whoever damaged it, it may be mended by hand. All is bounded, by user and by mailbox.

use std::collections::VecDeque;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::cache::checksum;
use super::folders::FolderName;
use super::fs::{self, hold};
use super::lock::DotLock;
use super::others::OTHERS;
use super::{Account, Store, StoreError, Subscription, acl};
use crate::limits;
use crate::wire::imap::rights::Rights;

/// The file's name in a mailbox.
pub(super) const FILE: &str = "mailtool-metadata";
const SERVERS: &str = "mailtool-metadata-server";
const HEAD: &str = "mailtool-metadata 1";
/// The entry that says how to reach who runs the server (RFC 5464 §6.2.2).
const ADMIN: &str = "/shared/admin";

/// Why something is not noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteError {
    /// A value is longer than [`limits::METADATA_VALUE`].
    TooLong,
    /// There are as many notes as there may be.
    TooMany,
    /// Only the postmaster may note this.
    Postmasters,
    /// The server notes this itself.
    ReadOnly,
}

/// A change of notes that a session may want to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// The mailbox as it is called for who is told; `""` is the server.
    pub mailbox: String,
    /// The entries.
    pub entries: Vec<String>,
}

/// The last changes.
#[derive(Debug, Default)]
pub(super) struct Changes {
    newest: AtomicU64,
    last: Mutex<VecDeque<Change>>,
}

#[derive(Debug)]
struct Change {
    number: u64,
    place: Place,
    entries: Vec<String>,
    /// Who made it, and in which session.
    who: Account,
    session: Option<u64>,
}

/// Which mailbox of whom; none is the server.
type Place = Option<(Account, FolderName)>;

/// Where notes are.
struct Notes {
    file: PathBuf,
    /// A directory of the same file system, to write in.
    temporary: PathBuf,
}

/// A file's lines.
struct Lines(Vec<Line>);

enum Line {
    Note {
        /// Empty for what is for all.
        whose: String,
        entry: String,
        value: Vec<u8>,
    },
    Foreign(String),
}

impl Store {
    /// The notes that `account` can see about a mailbox (`""` is the server), those that `wanted` says.
    pub fn notes(
        &self,
        account: &Account,
        mailbox: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let mut found = Vec::new();
        let files = match mailbox {
            "" => vec![self.server_notes(account), self.servers_shared()],
            name => vec![self.notes_of(account, name, Rights::NONE)?],
        };
        for notes in files {
            for line in self.read_notes(&notes)?.0 {
                if let Line::Note {
                    whose,
                    entry,
                    value,
                } = line
                    && (whose.is_empty() || *whose == *account.name)
                    && wanted(&entry)
                {
                    found.push((entry, value));
                }
            }
        }
        if mailbox.is_empty() && wanted(ADMIN) {
            let admin = format!("mailto:postmaster@{}", self.users().first_domain());
            found.push((ADMIN.to_owned(), admin.into_bytes()));
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Notes something about a mailbox (`""` is the server), or takes notes away where there is no value: all of it, or nothing.
    /// On disk when it returns. `session` is not told of it as news.
    pub fn note(
        &self,
        account: &Account,
        mailbox: &str,
        changes: &[(String, Option<Vec<u8>>)],
        session: u64,
    ) -> Result<(), StoreError> {
        let is_shared = |entry: &str| entry.starts_with("/shared");
        let too_long = |value: &Vec<u8>| value.len() > limits::METADATA_VALUE;
        if changes
            .iter()
            .any(|(_, value)| value.as_ref().is_some_and(too_long))
        {
            return Err(StoreError::Note(NoteError::TooLong));
        }
        let (shared, private): (Vec<_>, Vec<_>) =
            changes.iter().partition(|(entry, _)| is_shared(entry));
        let place = if mailbox.is_empty() {
            if shared.iter().any(|(entry, _)| entry == ADMIN) {
                return Err(StoreError::Note(NoteError::ReadOnly));
            }
            if !shared.is_empty() && !self.directory.is_postmaster(account) {
                return Err(StoreError::Note(NoteError::Postmasters));
            }
            // Both are looked at before either is written.
            let all = [
                (self.server_notes(account), private),
                (self.servers_shared(), shared),
            ];
            for (notes, changes) in &all {
                self.write_notes(account, notes, changes, Step::Try)?;
            }
            for (notes, changes) in &all {
                self.write_notes(account, notes, changes, Step::Do)?;
            }
            None
        } else {
            let needs = match shared.is_empty() {
                true => Rights::NONE,
                false => Rights::WRITE,
            };
            let notes = self.notes_of(account, mailbox, needs)?;
            let all: Vec<_> = changes.iter().collect();
            self.write_notes(account, &notes, &all, Step::Do)?;
            let located = self.locate(account, mailbox)?;
            Some((located.owner, located.folder))
        };
        let entries = changes.iter().map(|(entry, _)| entry.clone()).collect();
        self.noted.push(Change {
            number: 0,
            place,
            entries,
            who: account.clone(),
            session: Some(session),
        });
        self.shared.hub.changed(NOTES);
        Ok(())
    }

    /// Has sessions told that an entry of a mailbox has another value, which is kept elsewhere: all but `session`, if one knows.
    pub fn announce_note(
        &self,
        account: &Account,
        mailbox: &str,
        entry: &str,
        session: Option<u64>,
    ) -> Result<(), StoreError> {
        let located = self.locate(account, mailbox)?;
        self.noted.push(Change {
            number: 0,
            place: Some((located.owner, located.folder)),
            entries: vec![entry.to_owned()],
            who: account.clone(),
            session,
        });
        self.shared.hub.changed(NOTES);
        Ok(())
    }

    /// The number of the last change of notes. Does not block.
    pub fn last_noted(&self) -> u64 {
        self.noted.newest.load(Ordering::Acquire)
    }

    /// What others have noted since the change of this number, for `account` to know; not what `session` did itself.
    pub fn noted_since(&self, account: &Account, session: u64, number: u64) -> (u64, Vec<Noted>) {
        let newest = self.last_noted();
        let mut news: Vec<(Place, Vec<String>)> = Vec::new();
        for change in hold(&self.noted.last).iter() {
            if change.number <= number || change.number > newest || change.session == Some(session)
            {
                continue;
            }
            let is_mine = change.who.home == account.home;
            let entries = change.entries.iter();
            let entries = entries.filter(|entry| is_mine || entry.starts_with("/shared"));
            news.push((change.place.clone(), entries.cloned().collect()));
        }
        let mut told: Vec<Noted> = Vec::new();
        for (place, entries) in news {
            let Some(mailbox) = self
                .name_for(account, place)
                .filter(|_| !entries.is_empty())
            else {
                continue;
            };
            match told.iter_mut().find(|known| known.mailbox == mailbox) {
                Some(known) => {
                    for entry in entries {
                        if !known.entries.contains(&entry) {
                            known.entries.push(entry);
                        }
                    }
                }
                None => told.push(Noted { mailbox, entries }),
            }
        }
        (newest, told)
    }

    /// From now on `token` is woken when something is noted, until the subscription is dropped.
    pub fn subscribe_to_notes(&self, token: u64) -> Subscription {
        self.shared.hub.subscribe_to(NOTES, token)
    }

    /// What a mailbox is called for somebody; `None` when notes about it are not for them.
    fn name_for(&self, account: &Account, place: Option<(Account, FolderName)>) -> Option<String> {
        let Some((owner, folder)) = place else {
            return Some(String::new());
        };
        let name = folder.to_name()?;
        if owner.home == account.home {
            return Some(name);
        }
        let place = folder.place(&owner.home);
        let rights = acl::rights(&*self.shared.disk, &place, self.users(), account, &owner).ok()?;
        may_note(rights).then(|| format!("{OTHERS}/{}/{name}", owner.name))
    }

    /// RFC 5464 §3.3: `l`, and one of those with which the mailbox is of any use.
    fn notes_of(&self, account: &Account, name: &str, needs: Rights) -> Result<Notes, StoreError> {
        let (_, rights) = self.reach(account, name, Rights::LOOKUP.union(needs))?;
        if !may_note(rights) {
            return Err(StoreError::NoPermission(Rights::READ));
        }
        let located = self.locate(account, name)?;
        let place = located.folder.place(&located.owner.home);
        Ok(Notes {
            file: place.join(FILE),
            temporary: place.join("tmp"),
        })
    }

    fn server_notes(&self, account: &Account) -> Notes {
        Notes {
            file: account.home.join(SERVERS),
            temporary: account.home.join("tmp"),
        }
    }

    fn servers_shared(&self) -> Notes {
        Notes {
            file: self.root.join("metadata"),
            temporary: self.root.to_path_buf(),
        }
    }

    fn read_notes(&self, notes: &Notes) -> Result<Lines, StoreError> {
        // Somebody may have written twice as much into it; what stands farther behind is not seen.
        let most = 2 * limits::METADATA_FILE;
        let read = fs::read_start(&*self.shared.disk, &notes.file, most)?;
        let lines = Lines::parse(&read.unwrap_or_default());
        let foreign = |line: &&Line| matches!(line, Line::Foreign(_));
        let damaged = lines.0.iter().filter(foreign).count();
        if damaged > 0 {
            log::warn!("{:?}: {damaged} lines make no sense", notes.file);
        }
        Ok(lines)
    }

    fn write_notes(
        &self,
        account: &Account,
        notes: &Notes,
        changes: &[&(String, Option<Vec<u8>>)],
        write: Step,
    ) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let disk = &*self.shared.disk;
        if notes.temporary != *self.root {
            self.shared.ready_account(&account.home)?;
        }
        let _lock = DotLock::acquire(disk, &notes.file)?;
        let mut lines = self.read_notes(notes)?;
        let before = (
            lines.render().len(),
            ["", &*account.name].map(|one| lines.count(one)),
        );
        for (entry, value) in changes {
            let whose = match entry.starts_with("/shared") {
                true => "",
                false => &account.name,
            };
            lines.set(whose, entry, value.as_deref());
        }
        let text = lines.render();
        let after = ["", &*account.name].map(|one| lines.count(one));
        let grows = |(before, after): (usize, usize), most| after > before && after > most;
        if grows((before.0, text.len()), limits::METADATA_FILE)
            || before
                .1
                .into_iter()
                .zip(after)
                .any(|pair| grows(pair, limits::METADATA_ENTRIES))
        {
            return Err(StoreError::Note(NoteError::TooMany));
        }
        if write == Step::Do {
            fs::replace(disk, &notes.temporary, &notes.file, text.as_bytes())?;
        }
        Ok(())
    }
}

/// Whether notes are written, or only looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Try,
    Do,
}

fn may_note(rights: Rights) -> bool {
    let use_of = Rights::READ
        .union(Rights::SEEN)
        .union(Rights::WRITE)
        .union(Rights::INSERT)
        .union(Rights::POST);
    rights.contains(Rights::LOOKUP) && !rights.among(use_of).is_empty()
}

/// Copies a mailbox's notes: INBOX that is renamed keeps its own (RFC 5464 §4.1).
pub(super) fn copy(disk: &dyn fs::Disk, from: &Path, to: &Path) -> std::io::Result<()> {
    match fs::read_start(disk, &from.join(FILE), 2 * limits::METADATA_FILE)? {
        Some(notes) => fs::replace(disk, &to.join("tmp"), &to.join(FILE), &notes).map(|_| ()),
        None => Ok(()),
    }
}

impl Changes {
    fn push(&self, mut change: Change) {
        let mut last = hold(&self.last);
        change.number = self.newest.load(Ordering::Acquire) + 1;
        let number = change.number;
        last.push_back(change);
        if last.len() > limits::METADATA_CHANGES {
            last.pop_front();
        }
        self.newest.store(number, Ordering::Release);
    }
}

impl Lines {
    /// The head is of no use but to say what the file is.
    fn parse(bytes: &[u8]) -> Self {
        let lines = bytes.split(|&byte| byte == b'\n');
        let lines = lines.filter(|line| !line.is_empty() && *line != HEAD.as_bytes());
        Self(lines.map(Line::parse).collect())
    }

    fn render(&self) -> String {
        let mut text = format!("{HEAD}\n");
        for line in &self.0 {
            match line {
                Line::Foreign(line) => text.push_str(line),
                Line::Note {
                    whose,
                    entry,
                    value,
                } => {
                    let rest = format!("{whose}\t{entry}\t{}", escape(value));
                    // Writing into a String cannot fail.
                    let _ = write!(text, "{:016x}\t{rest}", checksum(rest.as_bytes()));
                }
            }
            text.push('\n');
        }
        text
    }

    fn set(&mut self, owner: &str, name: &str, new: Option<&[u8]>) {
        let same = |line: &Line| matches!(line, Line::Note { whose, entry, .. } if whose == owner && entry == name);
        self.0.retain(|line| !same(line));
        if let Some(value) = new {
            self.0.push(Line::Note {
                whose: owner.to_owned(),
                entry: name.to_owned(),
                value: value.to_owned(),
            });
        }
    }

    fn count(&self, owner: &str) -> usize {
        let same = |line: &&Line| matches!(line, Line::Note { whose, .. } if whose == owner);
        self.0.iter().filter(same).count()
    }
}

impl Line {
    fn parse(line: &[u8]) -> Self {
        let foreign = || Self::Foreign(String::from_utf8_lossy(line).into_owned());
        std::str::from_utf8(line)
            .ok()
            .and_then(Self::parse_note)
            .unwrap_or_else(foreign)
    }

    fn parse_note(line: &str) -> Option<Self> {
        let (sum, rest) = line.split_once('\t')?;
        if u64::from_str_radix(sum, 16).ok()? != checksum(rest.as_bytes()) {
            return None;
        }
        let mut fields = rest.splitn(3, '\t');
        let (whose, entry) = (fields.next()?, fields.next()?);
        Some(Self::Note {
            whose: whose.to_owned(),
            entry: entry.to_owned(),
            value: unescape(fields.next()?)?,
        })
    }
}

/// As one line of UTF-8: control characters, backslashes and what is no UTF-8 as `\xHH`.
fn escape(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character == '\\' || (character.is_control() && character.is_ascii()) {
                // Writing into a String cannot fail.
                let _ = write!(text, "\\x{:02x}", character as u32);
            } else {
                text.push(character);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut value = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        value.extend_from_slice(before.as_bytes());
        let digits = after.strip_prefix('x')?.get(..2)?;
        value.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[3..];
    }
    value.extend_from_slice(rest.as_bytes());
    Some(value)
}

/// What the hub calls the notes: no mailbox has this number.
const NOTES: u64 = 0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn damaged_lines_are_kept_and_mean_nothing() {
        let mut lines = Lines::parse(b"");
        lines.set("alice", "/private/comment", Some(b"two\r\nlines \\ \0\xff"));
        lines.set("", "/shared/comment", Some("\u{e9}t\u{e9}".as_bytes()));
        let text = lines.render();
        assert_eq!(text.lines().count(), 3);
        let damaged = text.replace("two", "One").replace(HEAD, "\u{0}noise");
        let mut read = Lines::parse(damaged.as_bytes());
        assert_eq!(read.count("alice"), 0);
        assert_eq!(read.count(""), 1);
        read.set("", "/shared/comment", None);
        assert!(read.render().contains("One"), "{}", read.render());
    }

    proptest! {
        #[test]
        fn what_is_noted_is_read(value in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut lines = Lines::parse(b"");
            lines.set("bob", "/private/x", Some(&value));
            let read = Lines::parse(lines.render().as_bytes());
            let [Line::Note { value: read, .. }] = &read.0[..] else { panic!("one note") };
            prop_assert_eq!(read, &value);
        }

        #[test]
        fn anything_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Lines::parse(&bytes).render();
        }
    }
}
