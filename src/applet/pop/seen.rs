//! Which messages of a mailbox have been fetched, by the unique ids that POP3 has for them.
//!
//! A file of lines, one a message: when, how much of it, and its id. A line is added, and on the disk, when the message is; so a crash
//! at any moment loses no message, and at most the one between its own fsync and that of its line comes again. What is no longer
//! at the server is left out when all went well: a new file is written and renamed over the old one.
//!
//! ```text
//! 1764000000 whole whqtswO00WBw418f9t5JxYwZ
//! 1764000100 header QhdPYR:00WBw1Ph7x7
//! ```
//!
//! A last line without its end was cut off by a crash, and says nothing. `FILE.lock` is held meanwhile: two at once would fetch twice.

use std::collections::{HashMap, HashSet};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::store::sync_folders;

/// The file, and what is in it.
#[derive(Debug)]
pub(super) struct Seen {
    path: PathBuf,
    file: File,
    messages: HashMap<String, Message>,
    /// The kernel lets go of it when it is closed.
    _lock: File,
}

/// A message that has been fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Seconds since 1970.
    pub(super) when: u64,
    pub(super) part: Part,
}

/// How much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    Header,
}

impl Seen {
    /// Opens the file, made with its folders if it is not there; `ResourceBusy` while another program has it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        let lock = new_file(&beside(path, ".lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let why = "another program fetches the same mail now";
                return Err(io::Error::new(io::ErrorKind::ResourceBusy, why));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let is_new = !path.exists();
        let mut file = new_file(path)?;
        if is_new {
            sync_folders(path.parent().unwrap_or(Path::new("")))?;
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let whole = memchr::memrchr(b'\n', &text).map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(whole as u64)?;
        }
        let lines = text[..whole].split(|&octet| octet == b'\n');
        let messages = lines.filter_map(|line| parse(std::str::from_utf8(line).ok()?));
        Ok(Self {
            path: path.to_owned(),
            file,
            messages: messages.collect(),
            _lock: lock,
        })
    }

    /// What is known of the message with this id.
    pub(super) fn get(&self, id: &str) -> Option<Message> {
        self.messages.get(id).copied()
    }

    /// Now so much of it has been fetched. That is on the disk when this returns.
    pub(super) fn add(&mut self, id: &str, part: Part) -> io::Result<()> {
        let message = Message { when: now(), part };
        self.file.write_all(line(id, message).as_bytes())?;
        self.file.sync_all()?;
        self.messages.insert(id.to_owned(), message);
        Ok(())
    }

    /// Forgets what is not among `ids`.
    pub(super) fn keep_only(&mut self, ids: &HashSet<String>) -> io::Result<()> {
        let before = self.messages.len();
        self.messages.retain(|id, _| ids.contains(id));
        if self.messages.len() == before {
            return Ok(());
        }
        let draft = beside(&self.path, ".new");
        let text: String = self
            .messages
            .iter()
            .map(|(id, message)| line(id, *message))
            .collect();
        let mut file = new_file(&draft)?;
        file.set_len(0)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &self.path)?;
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        self.file = file;
        Ok(())
    }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn line(id: &str, message: Message) -> String {
    let part = match message.part {
        Part::Whole => "whole",
        Part::Header => "header",
    };
    format!("{} {part} {id}\n", message.when)
}

fn parse(line: &str) -> Option<(String, Message)> {
    let mut words = line.splitn(3, ' ');
    let when = words.next()?.parse().ok()?;
    let part = match words.next()? {
        "whole" => Part::Whole,
        "header" => Part::Header,
        _ => return None,
    };
    Some((words.next()?.to_owned(), Message { when, part }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_fetched_is_remembered_whatever_breaks() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("a/b/state");
        let mut seen = Seen::open(&path).expect("made");
        seen.add("one", Part::Whole).expect("written");
        seen.add("two", Part::Header).expect("written");
        let busy = Seen::open(&path).expect_err("it is held");
        assert_eq!(busy.kind(), io::ErrorKind::ResourceBusy);
        drop(seen);
        // A crash in the middle of a line, and a line of nobody knows what.
        let mut file = OpenOptions::new().append(true).open(&path).expect("there");
        file.write_all(b"?\n17 whole thr").expect("written");
        let mut seen = Seen::open(&path).expect("there");
        let part = |seen: &Seen, id: &str| seen.get(id).map(|message| message.part);
        assert_eq!(part(&seen, "one"), Some(Part::Whole));
        assert_eq!(part(&seen, "two"), Some(Part::Header));
        assert_eq!(part(&seen, "thr"), None);
        seen.add("two", Part::Whole).expect("written");
        seen.keep_only(&HashSet::from(["two".to_owned()]))
            .expect("written");
        seen.add("four", Part::Whole).expect("written");
        drop(seen);
        let seen = Seen::open(&path).expect("there");
        let parts = ["one", "two", "four"].map(|id| part(&seen, id));
        assert_eq!(parts, [None, Some(Part::Whole), Some(Part::Whole)]);
        assert!(
            seen.get("four")
                .is_some_and(|message| message.when > 1_700_000_000)
        );
    }
}
