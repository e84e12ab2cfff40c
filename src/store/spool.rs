//! A message on its way in, and its delivery to the INBOXes of accounts.
//!
//! | step | what is on disk if it all ends there |
//! |---|---|
//! | created in `tmp/`, written | a file in `tmp/` that nobody reads; swept away after 36 hours |
//! | fsynced | the same, whole |
//! | linked into each other `new/`, renamed into the first | whole messages, perhaps not for all: nobody was told yet |
//! | each `new/` fsynced | delivered: [`Durable`] |
//!
//! So `new/` never holds half a message. A step that fails takes back what came before it.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::fs::Disk;
use super::repeats::Fingerprint;
use super::shared::Shared;
use super::{Account, Durable, Replies, Store, StoreError, names};
use crate::limits;
use crate::wire::envelope::Envelope;
use crate::wire::lines::block::bare_line_feeds;

/// A message on its way in, in `tmp/`. Dropped before it is delivered, it is gone.
#[derive(Debug)]
pub struct Spool {
    disk: Arc<dyn Disk>,
    pub(super) file: Arc<File>,
    /// Where it is, until it is moved.
    pub(super) path: PathBuf,
    base: String,
    /// Text that is not yet in the file: less than a block.
    pending: Vec<u8>,
    octets: u64,
    /// Octets that the disk was told to begin with.
    begun: u64,
    /// Line ends that lack their CR: none, as the sessions have it.
    bare: u64,
    last: u8,
    moved: bool,
    /// Octets at its beginning that only mailboxes here get.
    preface: u64,
    pub(super) replies: Replies,
    /// What tells the message from others, where it may come again.
    pub(super) fingerprint: Option<Box<Fingerprint>>,
}

/// What becomes of the file that a message was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Original {
    /// It gets the name in one of the mailboxes.
    Moves,
    /// It is needed where it is.
    Stays,
}

impl Spool {
    pub(super) fn create(shared: &Shared, folder: &Path) -> io::Result<Self> {
        let base = names::unique(SystemTime::now());
        let path = folder.join("tmp").join(&base);
        Ok(Self {
            file: shared.disk.create(&path)?,
            disk: Arc::clone(&shared.disk),
            path,
            base,
            pending: Vec::new(),
            octets: 0,
            begun: 0,
            bare: 0,
            last: 0,
            moved: false,
            preface: 0,
            replies: Replies::One,
            fingerprint: None,
        })
    }

    /// Appends text, which must have CRLF line ends.
    pub fn append(&mut self, text: &[u8]) -> Result<(), StoreError> {
        let first = text.first() == Some(&b'\n') && self.last != b'\r';
        self.bare += u64::from(first) + bare_line_feeds(text);
        self.last = text.last().copied().unwrap_or(self.last);
        self.octets += text.len() as u64;
        if let Some(fingerprint) = &mut self.fingerprint {
            fingerprint.take(text);
        }
        if self.pending.len() + text.len() < limits::BLOCK {
            self.pending.extend_from_slice(text);
            return Ok(());
        }
        self.flush()?;
        self.disk.write(&self.file, text)?;
        // While the next block comes in, so that the sync at the end has little left to wait for. Whole pages: one that is not full would
        // be written twice.
        let until = self.octets - self.octets % PAGE;
        if until > self.begun {
            self.disk
                .begin_sync(&self.file, self.begun, until - self.begun);
            self.begun = until;
        }
        Ok(())
    }
    /// Begins with the lines that final delivery adds (RFC 5321 §4.4). Delivered-To says the recipient when there is one only: with
    /// several, none may learn of the others (§7.2), and one file serves them all.
    pub(super) fn preface(&mut self, envelope: &Envelope) -> Result<(), StoreError> {
        let mut lines = match &envelope.reverse_path {
            Some(reverse_path) => format!("Return-Path: <{reverse_path}>\r\n"),
            None => "Return-Path: <>\r\n".to_owned(),
        };
        if let [only] = &envelope.recipients[..] {
            lines.push_str(&format!("Delivered-To: {}\r\n", only.address));
        }
        self.append(lines.as_bytes())?;
        self.preface = self.octets;
        Ok(())
    }
    /// Octets at its beginning that only mailboxes here get.
    pub(super) const fn preface_octets(&self) -> u64 {
        self.preface
    }
    /// Octets so far.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// All that was appended is on disk, with `received` as its time, when it returns.
    pub(super) fn complete(&mut self, received: Option<i64>) -> io::Result<()> {
        self.flush()?;
        if let Some(seconds) = received {
            self.disk.set_modified(&self.file, seconds)?;
        }
        self.disk.sync_file(&self.file)
    }
    /// As [`Self::complete`], but for a short one, which is only written: the file that is yet to be synced is returned.
    pub(super) fn complete_soon(&mut self, received: Option<i64>) -> io::Result<Option<Arc<File>>> {
        if self.octets >= limits::BLOCK as u64 {
            self.complete(received)?;
            return Ok(None);
        }
        self.flush()?;
        if let Some(seconds) = received {
            self.disk.set_modified(&self.file, seconds)?;
        }
        Ok(Some(Arc::clone(&self.file)))
    }
    /// The base of its name in a mailbox.
    pub(super) fn name(&self) -> String {
        format!("{},S={},W={}", self.base, self.octets, self.size())
    }
    /// Octets with CRLF line ends.
    pub(super) fn size(&self) -> u64 {
        self.octets + self.bare
    }
    /// It has another name now: nothing is removed on drop.
    pub(super) fn has_moved(&mut self) {
        self.moved = true;
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.pending.is_empty() {
            self.disk.write(&self.file, &self.pending)?;
            self.pending = Vec::new();
        }
        Ok(())
    }
}

/// What a disk writes at least, on all that this runs on.
const PAGE: u64 = 4096;

impl Drop for Spool {
    fn drop(&mut self) {
        if !self.moved {
            let _ = self.disk.unlink(&self.path);
        }
    }
}

impl Store {
    /// A new file in `tmp/` of `first`'s INBOX, to take a message that goes to `first` at least.
    pub fn spool(&self, first: &Account) -> Result<Spool, StoreError> {
        self.shared.ready_account(&first.home)?;
        match Spool::create(&self.shared, &first.home) {
            // Somebody removed the Maildir while we ran: it is made again, as at first use.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.shared.forget_ready(&first.home);
                self.shared.ready_account(&first.home)?;
                Ok(Spool::create(&self.shared, &first.home)?)
            }
            created => Ok(created?),
        }
    }

    /// Delivers a whole message to the INBOX of each of `to`: written once, linked for the others. One result each, in
    /// their order; those that come twice get the message once.
    pub fn deliver(&self, mut spool: Spool, to: &[Account]) -> Vec<Result<Durable, StoreError>> {
        if let Err(error) = spool.complete(None) {
            let error = StoreError::from(error);
            return to.iter().map(|_| Err(error.again())).collect();
        }
        self.deliver_from(&mut spool, to, Original::Moves)
    }

    /// [`Self::deliver`], of a spool that is complete.
    pub(super) fn deliver_from(
        &self,
        spool: &mut Spool,
        to: &[Account],
        original: Original,
    ) -> Vec<Result<Durable, StoreError>> {
        let name = spool.name();
        if let [only] = to {
            let put = self.put(spool, only, &name, original);
            return vec![put.and_then(|()| self.settle_new(spool, only, &name))];
        }
        let mut seen = HashSet::new();
        let mut once: Vec<&Account> = to.iter().filter(|to| seen.insert(&to.home)).collect();
        // The account whose tmp/ the file lies in comes last: its rename takes away what the others link from.
        once.sort_by_key(|to| spool.path.starts_with(to.home.join("tmp")));
        let put: Vec<Result<(), StoreError>> = once
            .iter()
            .map(|to| self.put(spool, to, &name, original))
            .collect();
        let settled: HashMap<&Path, Result<Durable, StoreError>> = once
            .into_iter()
            .zip(put)
            .map(|(to, put)| {
                let settled = put.and_then(|()| self.settle_new(spool, to, &name));
                (&*to.home, settled)
            })
            .collect();
        // Each of `to` is in there.
        to.iter()
            .map(|to| match &settled[&*to.home] {
                Ok(durable) => Ok(durable.again()),
                Err(error) => Err(error.again()),
            })
            .collect()
    }

    /// [`Self::settle`], and the account has one more.
    fn settle_new(&self, spool: &Spool, to: &Account, name: &str) -> Result<Durable, StoreError> {
        let durable = self.settle(to, name)?;
        let octets = spool.octets.cast_signed();
        let disk = &*self.shared.disk;
        self.shared.quotas.change(disk, &to.home, octets, 1);
        self.directory.has_delivered(to);
        Ok(durable)
    }

    /// Gives the message its name in the account's `new/`.
    fn put(
        &self,
        spool: &mut Spool,
        to: &Account,
        name: &str,
        original: Original,
    ) -> Result<(), StoreError> {
        let disk = &*self.shared.disk;
        let is_there = spool.path.starts_with(&to.home);
        if !is_there {
            self.shared.ready_account(&to.home)?;
        }
        self.shared.quotas.admit(disk, &to.home, spool.octets, 1)?;
        let path = to.home.join("new").join(name);
        if original == Original::Moves && is_there && spool.path.starts_with(to.home.join("tmp")) {
            disk.rename(&spool.path, &path)?;
            spool.has_moved();
            return Ok(());
        }
        match disk.link(&spool.path, &path) {
            Err(error) if cannot_link(&error) => {
                let draft = to.home.join("tmp").join(name);
                copy_file(disk, &spool.path, &draft, None)?;
                Ok(disk.rename(&draft, &path)?)
            }
            linked => Ok(linked?),
        }
    }

    /// Waits until the name is on disk, and tells who sits in the mailbox. When it cannot be had, the message is taken
    /// back: the sender will try again.
    pub(super) fn settle(&self, account: &Account, name: &str) -> Result<Durable, StoreError> {
        let new = account.home.join("new");
        let disk = &*self.shared.disk;
        match self.shared.commits.commit(disk, &new) {
            Ok(durable) => {
                self.shared.changed(&account.home, &account.home);
                Ok(durable)
            }
            Err(error) => {
                let _ = disk.unlink(&new.join(name));
                Err(error.into())
            }
        }
    }
}

/// Writes a copy of a file, and syncs it. After an error there is none.
pub(super) fn copy_file(
    disk: &dyn Disk,
    from: &Path,
    to: &Path,
    received: Option<i64>,
) -> io::Result<()> {
    let mut source = disk.open(from)?;
    let target = disk.create(to)?;
    let copied = (|| {
        let mut block = vec![0; limits::BLOCK];
        loop {
            let octets = source.read(&mut block)?;
            if octets == 0 {
                break;
            }
            disk.write(&target, &block[..octets])?;
        }
        if let Some(seconds) = received {
            disk.set_modified(&target, seconds)?;
        }
        disk.sync_file(&target)
    })();
    if copied.is_err() {
        let _ = disk.unlink(to);
    }
    copied
}

/// Whether a hard link cannot be had here: another file system, one without links, or too many of them.
pub(super) fn cannot_link(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, TooManyLinks, Unsupported};
    matches!(
        error.kind(),
        CrossesDevices | PermissionDenied | TooManyLinks | Unsupported
    )
}
