//! The queue: messages that are on their way elsewhere, each stored once for all of its recipients.
//!
//! `STORE/queue/` has two files a message, and belongs to the one program that has locked the store:
//!
//! - `ID.text`, the message with CRLF line ends; before it the lines that only mailboxes here get ([`Queued::preface`]), so that
//!   a recipient here gets a hard link, and one elsewhere what follows them;
//! - `ID.entry`, the envelope, and what happened since, a line each (`codec`).
//!
//! The states, in the order in which a message goes through them:
//!
//! | | entry | text | it got there by | a crash leaves it so; the sweep at start then |
//! |---|---|---|---|---|
//! | 1 | - | in a `tmp/`, growing | the text comes in | removes what lies in `queue/tmp/` |
//! | 2 | half | in `tmp/`, synced | the entry is written | removes it: nobody was promised anything |
//! | 3 | whole, synced | in `tmp/` | fsync of the entry | removes it, likewise |
//! | 4 | whole | here | rename of the text | keeps it: the message is whole, and will be sent; its sender, who was told nothing, may send it again (RFC 5321 §6.1 knows no help) |
//! | 5 | whole | here | fsync of `queue/`: [`Durable`] | keeps it |
//! | 6 | and a line, half | here | a change is appended | keeps it; the change did not happen, and is tried again |
//! | 7 | and a line | here | fsync of the entry: [`Durable`] | keeps it; the change did happen |
//! | 8 | - | here | the last recipient is done: unlink | removes the text |
//! | 9 | - | - | unlink | |
//! | 10 | - | - | fsync of `queue/`: [`Durable`] | |
//!
//! From 8 and 9 a power loss may lead back: entry and text as in 7 (then the last recipients are tried again: the duplicate that
//! SMTP cannot avoid, for the answer had come and was not yet written down), or an entry without its text, which the sweep removes, for
//! one is only ever found in 2, 3, 8 and 9. Both files are in one directory, so that one fsync puts both names on disk, shared with
//! all messages that wait for it at that moment (`commit`).
//!
//! A journal appended to each entry, and not one for all messages: a change costs one fsync of one file either way, a damaged file
//! costs one message and not all, and there is nothing to compact while others wait. An entry whose journal has grown past
//! [`limits::QUEUE_JOURNAL`], or whose last line is torn, is written anew (`fs::replace`: in `queue/tmp/`, fsync, rename, fsync of `queue/`):
//! a crash leaves the old one or the new one, and both say the same.
//!
//! Everything that is asked without the disk is in memory, some hundred octets a message. There a change holds even when the disk
//! refuses it: what was delivered is not delivered again while the program runs.

mod codec;
mod entry;
mod sweep;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

pub use self::codec::{Read, read, write};
pub use self::entry::{Change, NoQueueId, Progress, QueueId, Queued, State};

use super::directory::Directory;
use super::fs::{self, Extent, hold};
use super::shared::Shared;
use super::spool::{cannot_link, copy_file};
use super::{Durable, Spool, StoreError};
use crate::limits;
use crate::wire::envelope::Envelope;

/// The messages that are on their way elsewhere. Shared by all threads.
pub struct Queue {
    shared: Arc<Shared>,
    directory: Arc<Directory>,
    /// `STORE/queue`
    place: PathBuf,
    slots: Mutex<HashMap<QueueId, Slot>>,
    news: Mutex<Vec<QueueId>>,
    waker: Mutex<Option<Waker>>,
    /// Another program may have it: nothing is put in.
    is_foreign: bool,
}

type Waker = Box<dyn Fn() + Send + Sync>;

/// What a name stands for.
#[derive(Debug)]
enum Slot {
    /// A message that is being written.
    Reserved,
    Message(Arc<Held>),
}

/// A message in the queue.
#[derive(Debug)]
struct Held {
    /// Held for as long as it takes to clone it.
    now: Mutex<Arc<Queued>>,
    /// Held while its files are written. Taken before `now`, never after.
    file: Mutex<EntryFile>,
    /// It was here when the program started: some of it may have been done that was not written down.
    recovered: bool,
}

#[derive(Debug)]
struct EntryFile {
    /// Octets of the journal.
    journal: usize,
    /// The file does not say what is in memory, or nothing may be appended to it: it is to be written anew.
    stale: bool,
    /// It has left the queue.
    gone: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Queue")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Queue {
    /// All messages, in the order of their arrival. Does not block.
    pub fn entries(&self) -> Vec<Arc<Queued>> {
        let slots = hold(&self.slots);
        let messages = slots.values().filter_map(|slot| match slot {
            Slot::Reserved => None,
            Slot::Message(held) => Some(Arc::clone(&hold(&held.now))),
        });
        let mut entries: Vec<_> = messages.collect();
        drop(slots);
        entries.sort_by(|one, other| (one.arrival, &one.id).cmp(&(other.arrival, &other.id)));
        entries
    }

    /// One message; `NoSuchMessage` when it is not in the queue any more. Does not block.
    pub fn load(&self, id: &QueueId) -> Result<Arc<Queued>, StoreError> {
        let held = self.held(id)?;
        let now = Arc::clone(&hold(&held.now));
        Ok(now)
    }

    /// The message's text as it goes on, with CRLF line ends. Blocks.
    ///
    /// # Errors
    /// `NotFound` when it is not in the queue any more.
    pub fn text(&self, id: &QueueId) -> io::Result<Extent> {
        let gone = |_| io::Error::from(io::ErrorKind::NotFound);
        let queued = self.load(id).map_err(gone)?;
        let file = self.shared.disk.open(&self.text_path(id))?;
        Ok(Extent::new(Arc::new(file), queued.preface, queued.octets))
    }

    /// Writes down what happened to a message. Once nothing is left to be done about it, it leaves the queue. Blocks.
    ///
    /// # Errors
    /// `NoSuchMessage` when it is not in the queue any more. The disk's: the change holds as long as the program runs, and is
    /// written with the next one, or when `record` is called again, with or without changes.
    pub fn record(&self, id: &QueueId, changes: &[Change]) -> Result<Durable, StoreError> {
        let held = self.held(id)?;
        let mut file = hold(&held.file);
        if file.gone {
            return Err(StoreError::NoSuchMessage);
        }
        let moment = now();
        let mut lines = String::new();
        let after = {
            let mut now = hold(&held.now);
            // In place, unless somebody looks at it: of thousands of recipients one at a time is done.
            let queued = Arc::make_mut(&mut now);
            for change in changes {
                queued.apply(moment, change);
                codec::write_change(&mut lines, moment, change);
            }
            Arc::clone(&now)
        };
        let written = if after.is_done() {
            self.remove(id, &mut file)
        } else {
            self.write_down(&after, &lines, &mut file)
        };
        drop(after);
        drop(file);
        if changes
            .iter()
            .any(|change| matches!(change, Change::Release | Change::Flush))
        {
            self.tell(id);
        }
        if let Err(error) = &written {
            log::error!("queue: {id}: what happened to it cannot be written down: {error}");
        }
        written
    }

    /// [`Self::record`], after the reports (each of them with CRLF line ends) about it are in the queue for good: a crash in
    /// between may send a report twice, but never loses one. Called again after an error, it does what is left to be done.
    /// Blocks.
    ///
    /// # Errors
    /// Of the reports: then none of them is in the queue, and no recipient is struck off. Of `record`.
    pub fn conclude(
        &self,
        id: &QueueId,
        changes: &[Change],
        reports: Vec<(Envelope, Vec<u8>)>,
    ) -> Result<Durable, StoreError> {
        let before = self.load(id)?;
        let mut ends = changes
            .iter()
            .filter_map(|change| before.has_ended(change))
            .peekable();
        // All of them held at once: an earlier call came so far, and the disk refused what came after.
        let were_sent = ends.peek().is_some() && ends.all(|ended| ended);
        let mut sent = Vec::new();
        for (envelope, text) in reports.into_iter().filter(|_| !were_sent) {
            match self.submit_named(envelope, &text, id.as_str()) {
                Ok((report, _)) => sent.push(report),
                Err(error) => {
                    for report in sent {
                        let _ = self.record(&report, &[Change::Drop]);
                    }
                    return Err(error);
                }
            }
        }
        self.record(id, changes)
    }

    /// Puts a message of our own into the queue: a report, or what a program hands in. `id` is what it is called, with something behind it
    /// when that name is taken. Blocks.
    pub fn submit(&self, envelope: Envelope, text: &[u8], id: &str) -> Result<Durable, StoreError> {
        let (_, durable) = self.submit_named(envelope, text, id)?;
        Ok(durable)
    }

    fn submit_named(
        &self,
        envelope: Envelope,
        text: &[u8],
        id: &str,
    ) -> Result<(QueueId, Durable), StoreError> {
        let envelope = self.directory.resolve(envelope).into_envelope();
        let mut spool = self.draft(&envelope)?;
        spool.append(text)?;
        spool.complete(None)?;
        self.put(&mut spool, envelope, id)
    }

    /// What has come into the queue, or was released or flushed, since this was asked last. Does not block.
    pub fn take_news(&self) -> Vec<QueueId> {
        std::mem::take(&mut hold(&self.news))
    }

    /// `wake` is called, on the thread that made them, whenever there are news after there were none: it must not block.
    pub fn on_news(&self, wake: Box<dyn Fn() + Send + Sync>) {
        *hold(&self.waker) = Some(wake);
    }

    /// A new file for a message that goes through the queue, with the lines that mailboxes here get.
    pub(super) fn draft(&self, envelope: &Envelope) -> Result<Spool, StoreError> {
        if self.is_foreign {
            return Err(StoreError::Busy);
        }
        let mut spool = Spool::create(&self.shared, &self.place)?;
        spool.preface(envelope)?;
        Ok(spool)
    }

    /// Takes a whole and synced message: durable when it returns. After an error nothing of it is left here, and the spool is as
    /// it was. The envelope's recipients are final.
    pub(super) fn put(
        &self,
        spool: &mut Spool,
        envelope: Envelope,
        id: &str,
    ) -> Result<(QueueId, Durable), StoreError> {
        if self.is_foreign {
            return Err(StoreError::Busy);
        }
        let id = self.reserve(id)?;
        let written = self.write(&id, spool, envelope);
        match written {
            Ok((queued, durable)) => {
                let held = Held {
                    now: Mutex::new(Arc::new(queued)),
                    file: Mutex::new(EntryFile {
                        journal: 0,
                        stale: false,
                        gone: false,
                    }),
                    recovered: false,
                };
                hold(&self.slots).insert(id.clone(), Slot::Message(Arc::new(held)));
                self.tell(&id);
                Ok((id, durable))
            }
            Err(error) => {
                hold(&self.slots).remove(&id);
                Err(error)
            }
        }
    }

    /// Whether the message was in the queue when the program started.
    pub(super) fn is_recovered(&self, id: &QueueId) -> bool {
        self.held(id).is_ok_and(|held| held.recovered)
    }
    /// Where a message's text is.
    pub(super) fn text_path(&self, id: &QueueId) -> PathBuf {
        self.place.join(format!("{id}{TEXT}"))
    }
    fn entry_path(&self, id: &QueueId) -> PathBuf {
        self.place.join(format!("{id}{ENTRY}"))
    }

    fn held(&self, id: &QueueId) -> Result<Arc<Held>, StoreError> {
        match hold(&self.slots).get(id) {
            Some(Slot::Message(held)) => Ok(Arc::clone(held)),
            Some(Slot::Reserved) | None => Err(StoreError::NoSuchMessage),
        }
    }

    /// A name that nobody has, like `wanted`.
    fn reserve(&self, wanted: &str) -> Result<QueueId, StoreError> {
        let mut slots = hold(&self.slots);
        if slots.len() >= limits::QUEUE_MESSAGES {
            return Err(StoreError::Full);
        }
        let fits = |letter: &char| letter.is_ascii_alphanumeric() || "-_.".contains(*letter);
        let mut stem: String = wanted
            .chars()
            .filter(fits)
            .take(limits::QUEUE_ID - 8)
            .collect();
        if stem.is_empty() || stem.starts_with('.') {
            stem.insert(0, 'Q');
        }
        let mut name = stem.clone();
        for number in 2.. {
            // The letters are those that a name has, and no dot is first.
            let Ok(id) = name.parse::<QueueId>() else {
                break;
            };
            if !slots.contains_key(&id) {
                slots.insert(id.clone(), Slot::Reserved);
                return Ok(id);
            }
            name = format!("{stem}-{number}");
        }
        Err(StoreError::Full)
    }

    /// States 2 to 5 of the module's table.
    fn write(
        &self,
        id: &QueueId,
        spool: &mut Spool,
        envelope: Envelope,
    ) -> Result<(Queued, Durable), StoreError> {
        let disk = &*self.shared.disk;
        let arrival = now();
        let next = codec::first_attempt(arrival, &envelope);
        let queued = Queued {
            id: id.clone(),
            arrival,
            octets: spool.octets() - spool.preface_octets(),
            preface: spool.preface_octets(),
            recipients: vec![Progress::new(next); envelope.recipients.len()],
            envelope,
            held: false,
        };
        let text = codec::write(&queued);
        let again = codec::read(id.clone(), text.as_bytes());
        if !matches!(again, Read::Whole { queued: ref same, torn: false } if **same == queued) {
            // What cannot be read again would be lost at the next start.
            let why = format!("a bug: the envelope of {id} cannot be written down: {again:?}");
            return Err(StoreError::Io(io::Error::other(why)));
        }
        let (entry, place) = (self.entry_path(id), self.text_path(id));
        let moved = (|| {
            let file = disk.create(&entry)?;
            disk.write(&file, text.as_bytes())?;
            disk.sync_file(&file)?;
            match disk.rename(&spool.path, &place) {
                // The mailbox whose tmp/ it lies in is on another disk.
                Err(error) if cannot_link(&error) => {
                    copy_file(disk, &spool.path, &place, None).map(|()| false)
                }
                moved => moved.map(|()| true),
            }
        })();
        let moved = match moved {
            Ok(moved) => moved,
            Err(error) => {
                let _ = disk.unlink(&entry);
                return Err(error.into());
            }
        };
        match self.shared.commits.commit(disk, &self.place) {
            Ok(durable) => {
                if moved {
                    spool.has_moved();
                }
                Ok((queued, durable))
            }
            Err(error) => {
                // The sender will try again: nothing is kept.
                let _ = disk.unlink(&entry);
                let _ = if moved {
                    disk.rename(&place, &spool.path)
                } else {
                    disk.unlink(&place)
                };
                Err(error.into())
            }
        }
    }

    /// States 6 and 7, or the whole file anew.
    fn write_down(
        &self,
        after: &Queued,
        lines: &str,
        file: &mut EntryFile,
    ) -> Result<Durable, StoreError> {
        let disk = &*self.shared.disk;
        let path = self.entry_path(&after.id);
        if file.stale || file.journal + lines.len() > limits::QUEUE_JOURNAL {
            file.stale = true;
            let text = codec::write(after);
            fs::replace(disk, &self.place.join("tmp"), &path, text.as_bytes())?;
            *file = EntryFile {
                journal: 0,
                stale: false,
                gone: false,
            };
        } else if !lines.is_empty() {
            // Half a line may be there after an error, and nobody knows whether what was synced is on disk.
            file.stale = true;
            let entry = disk.open_to_append(&path)?;
            disk.write(&entry, lines.as_bytes())?;
            disk.sync_file(&entry)?;
            file.stale = false;
            file.journal += lines.len();
        }
        Ok(self.shared.commits.synced())
    }

    /// States 8 to 10.
    fn remove(&self, id: &QueueId, file: &mut EntryFile) -> Result<Durable, StoreError> {
        let disk = &*self.shared.disk;
        file.stale = true;
        for path in [self.entry_path(id), self.text_path(id)] {
            match disk.unlink(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        let durable = self.shared.commits.commit(disk, &self.place)?;
        file.gone = true;
        hold(&self.slots).remove(id);
        Ok(durable)
    }

    fn tell(&self, id: &QueueId) {
        let mut news = hold(&self.news);
        let first = news.is_empty();
        // Nobody may be there to take them.
        if news.len() < limits::QUEUE_MESSAGES {
            news.push(id.clone());
        }
        drop(news);
        if first && let Some(wake) = &*hold(&self.waker) {
            wake();
        }
    }
}

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    let nanoseconds = fs::nanoseconds(SystemTime::now());
    i64::try_from(nanoseconds.div_euclid(1_000_000_000)).unwrap_or(0)
}

const ENTRY: &str = ".entry";
const TEXT: &str = ".text";
