//! The seal: what a folder looked like when the cache was last true of all of it. It stands at the end of `mailtool-cache`, and counts
//! only there. As long as the folder still looks so, who opens the mailbox after a restart reads that one file: neither the list of
//! UIDs, nor the directory, in which a disk has to be asked for each block.
//!
//! ```text
//! 3 seal       what cur/, new/, dovecot-uidlist, dovecot-keywords are: inode, octets, times of modification and change (32 each);
//!              UIDVALIDITY, next UID, messages, the place of the first that is not \Seen (0: none), highest mod-sequence (8), whether all
//!              before was synced (1), the mailbox's GUID (32 digits), octets of the block up to here
//! 4 odd name   UID, octets (1), what follows the base in the name: before the seal, of names that do not follow from the flags
//! ```
//!
//! A seal is set after a look at both directories that came so late after their last change that it has seen all ([`is_settled`]). What
//! nobody can set, the time of change and the inode, tells a directory from a copy of it, and from what a crash leaves.
//!
//! SELECT needs even less: how many there are, and what the next UID is. That stands in the seal itself, which is found from the end
//! of the file: an [`Outline`]. The index is read while the client thinks about it ([`Mailbox::fill`]).
//!
//! What is known then is a sketch: the index, but neither the list of UIDs nor the names of the files. Those are filled in when they
//! are first needed ([`State::fill_in`]).
//!
//! [`is_settled`]: super::look::is_settled

use std::io;
use std::sync::{Arc, OnceLock};

use super::cache::{self, Cache, Reader};
use super::fs::{self, Stat, hold};
use super::keywords::{self, Keywords};
use super::look::{Folder, Part, Place, Stamps, State, read_stamps};
use super::uidlist::{self, UidList};
use super::{Entry, Flags, Index, Mailbox, StoreError, names};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seal {
    cur: Print,
    new: Print,
    list: Print,
    keywords: Print,
    validity: u32,
    next: u32,
    messages: u32,
    unseen: u32,
    pub(super) highest: u64,
    pub(super) is_synced: bool,
    guid: [u8; 32],
    /// By ascending UID: what follows the base in the name.
    odd: Vec<(u32, Box<str>)>,
}

/// What tells a file or directory from what it was; all 0: there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Print {
    inode: u64,
    octets: u64,
    modified: i64,
    changed: i64,
}

impl Print {
    fn of(stat: Stat) -> Self {
        let time = |nanoseconds: i128| i64::try_from(nanoseconds).unwrap_or(i64::MIN);
        Self {
            inode: stat.inode,
            octets: stat.octets,
            modified: time(stat.modified),
            changed: time(stat.changed),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.inode.to_le_bytes());
        out.extend_from_slice(&self.octets.to_le_bytes());
        out.extend_from_slice(&self.modified.to_le_bytes());
        out.extend_from_slice(&self.changed.to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            inode: u64::from_le_bytes(reader.take()?),
            octets: u64::from_le_bytes(reader.take()?),
            modified: i64::from_le_bytes(reader.take()?),
            changed: i64::from_le_bytes(reader.take()?),
        })
    }
}

impl Seal {
    /// Writes it, and what stands before it.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for (uid, info) in &self.odd {
            out.push(ODD);
            out.extend_from_slice(&uid.to_le_bytes());
            // A file name has 255 octets at most.
            out.push(info.len() as u8);
            out.extend_from_slice(info.as_bytes());
        }
        out.push(SEAL);
        for print in [self.cur, self.new, self.list, self.keywords] {
            print.write(out);
        }
        for number in [self.validity, self.next, self.messages, self.unseen] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.highest.to_le_bytes());
        out.push(u8::from(self.is_synced));
        out.extend_from_slice(&self.guid);
        // A block is bounded by the cache's octets.
        let octets = (out.len() + 4) as u32;
        out.extend_from_slice(&octets.to_le_bytes());
    }

    /// Reads a record of kind [`SEAL`]; `odd` came before it.
    pub(super) fn read(reader: &mut Reader<'_>, odd: Vec<(u32, Box<str>)>) -> Option<Self> {
        Some(Self {
            cur: Print::read(reader)?,
            new: Print::read(reader)?,
            list: Print::read(reader)?,
            keywords: Print::read(reader)?,
            validity: u32::from_le_bytes(reader.take()?),
            next: u32::from_le_bytes(reader.take()?),
            messages: u32::from_le_bytes(reader.take()?),
            unseen: u32::from_le_bytes(reader.take()?),
            highest: u64::from_le_bytes(reader.take()?),
            is_synced: reader.take()? == [1],
            guid: reader.take()?,
            odd,
        })
        .filter(|_| reader.take::<4>().is_some())
    }

    /// Whether the folder looks as it did.
    fn holds(&self, folder: &Folder<'_>, stamps: &Stamps) -> io::Result<bool> {
        let print = |stat: Option<Stat>| stat.map_or(Print::default(), Print::of);
        Ok(self.list == print(stamps.list)
            && self.keywords == print(stamps.keywords)
            && self.cur == Print::of(folder.disk().stat(&folder.part("cur"))?))
    }

    fn guid(&self) -> String {
        String::from_utf8_lossy(&self.guid).into_owned()
    }

    /// Reads a record of kind [`ODD`].
    pub(super) fn read_odd(reader: &mut Reader<'_>) -> Option<(u32, Box<str>)> {
        let uid = u32::from_le_bytes(reader.take()?);
        let [octets] = reader.take()?;
        let info = reader.take_some(octets.into())?;
        Some((uid, std::str::from_utf8(info).ok()?.into()))
    }
}

impl State {
    /// At the first look: takes what the cache says for what there is, if the folder looks as when it was sealed.
    pub(super) fn recall(&mut self, folder: &Folder<'_>, stamps: Stamps) -> io::Result<()> {
        let Some((mut cache, cached)) = Cache::read_whole(folder) else {
            return Ok(());
        };
        let is_good = match cache.seal() {
            Some(seal) => {
                seal.messages as usize == cached.len()
                    && (seal.validity, seal.highest) == (cache.validity(), cache.highest())
                    && seal.holds(folder, &stamps)?
            }
            None => false,
        };
        let new = Print::of(folder.disk().stat(&folder.part("new"))?);
        let mut keywords = None;
        if is_good {
            self.read_keywords(folder)?;
            keywords = self.stamps.take().and_then(|stamps| stamps.keywords);
        }
        let Some(seal) = (cache.seal()).filter(|_| is_good && keywords == stamps.keywords) else {
            self.unused = Some((cache, cached));
            return Ok(());
        };
        self.list = UidList {
            validity: cache.validity(),
            next: seal.next,
            guid: seal.guid(),
            ..UidList::default()
        };
        let is_new_known = seal.new == new;
        self.stamps = Some(stamps);
        let messages = cached.iter().map(|message| Entry {
            uid: message.uid,
            flags: message.flags,
            size: message.size,
            received: message.received,
            modseq: message.modseq,
        });
        let index = Index {
            uid_validity: cache.validity(),
            uid_next: seal.next,
            messages: messages.collect(),
            keywords: self.keywords.shown().map(str::to_owned).collect(),
            highest_modseq: cache.highest(),
        };
        if seal.is_synced {
            cache.was_settled();
        }
        self.alterations.learn(&self.index, &index);
        self.index = Arc::new(index);
        for promise in self
            .promises
            .drain(..)
            .filter_map(|promise| promise.upgrade())
        {
            let _ = promise.set(Arc::clone(&self.index));
        }
        self.cache = Some(cache);
        self.is_sketch = true;
        self.seen_settled(is_new_known);
        Ok(())
    }

    /// The list of UIDs and the names of files are known when it returns.
    pub(super) fn fill_in(&mut self, folder: &Folder<'_>) -> io::Result<()> {
        if !self.is_sketch {
            return Ok(());
        }
        let read = fs::read_whole(folder.disk(), &folder.part(uidlist::FILE))?;
        let is_same = read
            .as_ref()
            .is_some_and(|(_, stat)| self.stamps.is_some_and(|known| known.list == Some(*stat)));
        let list = UidList::parse(read.as_ref().map_or(&[][..], |(bytes, _)| bytes));
        let odd = self.cache.as_ref().and_then(Cache::seal);
        let odd = odd.map_or(&[][..], |seal| &seal.odd);
        match places(&self.index, &list, odd) {
            Some(places) if is_same && list.validity == self.list.validity => {
                self.is_sketch = false;
                self.places = places;
                self.list = list;
                Ok(())
            }
            // Somebody has changed it since: a look at everything finds out.
            _ => self.look_again(folder),
        }
    }

    /// Seals the cache, which is written, after a look that has seen all.
    pub(super) fn seal(&self, folder: &Folder<'_>, cache: &mut Cache, times: (i128, i128)) {
        if cache.validity() == 0 || self.list.guid.len() != 32 {
            return;
        }
        let disk = folder.disk();
        let (Ok(new), Ok(cur)) = (
            disk.stat(&folder.part("new")),
            disk.stat(&folder.part("cur")),
        ) else {
            return;
        };
        if (new.modified, cur.modified) != times {
            return;
        }
        let mut odd = Vec::new();
        for (place, entry) in self.places.iter().zip(&self.index.messages) {
            let info = names::info(&place.name);
            if place.part != Part::Cur || odd.len() > ODD_MOST || info.len() > 255 {
                return;
            }
            if !names::is_plain(info, entry.flags) {
                odd.push((entry.uid, info.into()));
            }
        }
        let is_unseen = |entry: &Entry| !entry.flags.contains(Flags::SEEN);
        let unseen = self.index.messages.iter().position(is_unseen);
        let mut guid = [0; 32];
        guid.copy_from_slice(self.list.guid.as_bytes());
        let print = |stat: Option<Stat>| stat.map_or(Print::default(), Print::of);
        let stamps = self.stamps.as_ref();
        let seal = Seal {
            cur: Print::of(cur),
            new: Print::of(new),
            list: print(stamps.and_then(|stamps| stamps.list)),
            keywords: print(stamps.and_then(|stamps| stamps.keywords)),
            validity: self.list.validity,
            next: self.list.next,
            messages: u32::try_from(self.index.messages.len()).unwrap_or(0),
            unseen: unseen.map_or(0, |place| u32::try_from(place + 1).unwrap_or(0)),
            highest: cache.highest(),
            is_synced: false,
            guid,
            odd,
        };
        cache.set_seal(folder, seal);
    }
}

/// What SELECT tells of a mailbox whose index was not read yet.
#[derive(Debug)]
pub struct Outline {
    /// RFC 3501 §2.3.1.1
    pub uid_validity: u32,
    /// The UID that the next message gets.
    pub uid_next: u32,
    /// How many messages there are.
    pub exists: u32,
    /// The first that is not `\Seen`, counted from 1.
    pub unseen: Option<u32>,
    /// The highest mod-sequence, which is on disk.
    pub highest_modseq: u64,
    /// As [`Index::keywords`].
    pub keywords: Vec<String>,
    /// MAILBOXID
    pub object_id: String,
    /// The index that it is of, once somebody has read it.
    index: Arc<OnceLock<Arc<Index>>>,
}

impl Mailbox {
    /// What is there, if nobody has looked since the program runs, and nothing has changed since the cache was sealed. To be followed by
    /// [`Self::fill`].
    pub fn outline(&self) -> Option<Outline> {
        let place = self.place().ok()?;
        let folder = self.folder(&place);
        let mut state = hold(&self.state);
        if state.stamps.is_some() || state.cache.is_some() {
            return None;
        }
        let seal = cache::read_seal(&folder)?;
        let stamps = read_stamps(&folder).ok()?;
        let new = Print::of(folder.disk().stat(&folder.part("new")).ok()?);
        if !seal.is_synced || seal.new != new || !seal.holds(&folder, &stamps).ok()? {
            return None;
        }
        let read = fs::read_whole(folder.disk(), &folder.part(keywords::FILE)).ok()?;
        if read.as_ref().map(|(_, stat)| *stat) != stamps.keywords {
            return None;
        }
        let known = Keywords::parse(read.as_ref().map_or(&[][..], |(bytes, _)| bytes));
        let index = Arc::new(OnceLock::new());
        state.promises.push(Arc::downgrade(&index));
        Some(Outline {
            uid_validity: seal.validity,
            uid_next: seal.next,
            exists: seal.messages,
            unseen: (seal.unseen > 0).then_some(seal.unseen),
            highest_modseq: seal.highest,
            keywords: known.shown().map(str::to_owned).collect(),
            object_id: format!("F{}", seal.guid()),
            index,
        })
    }

    /// The index that an outline was made of. `None`: the mailbox was changed by another program in between, so that the numbers of its
    /// messages mean nothing.
    ///
    /// # Errors
    /// Those of [`Self::sync`].
    pub fn fill(&self, outline: &Outline) -> Result<Option<Arc<Index>>, StoreError> {
        let now = self.sync()?;
        self.expect_searches(outline.uid_validity);
        if let Some(index) = outline.index.get() {
            return Ok(Some(Arc::clone(index)));
        }
        // All was looked at anew. The client was told a number only.
        let known = now
            .messages
            .partition_point(|entry| entry.uid < outline.uid_next);
        let is_same = now.uid_validity == outline.uid_validity && known == outline.exists as usize;
        Ok(is_same.then(|| {
            let mut index = Index::clone(&now);
            index.messages.truncate(known);
            index.uid_next = outline.uid_next;
            Arc::new(index)
        }))
    }
}

/// Where the files of these messages are; `None` when one of them is not in the list.
fn places(index: &Index, list: &UidList, odd: &[(u32, Box<str>)]) -> Option<Vec<Place>> {
    let mut records = list.records.iter();
    let mut odd = odd.iter().peekable();
    let place = |entry: &Entry| {
        let record = records.find(|record| record.uid >= entry.uid)?;
        while odd.next_if(|(uid, _)| *uid < entry.uid).is_some() {}
        let name = match odd.next_if(|(uid, _)| *uid == entry.uid) {
            Some((_, info)) => format!("{}{info}", record.base),
            None => names::plain(&record.base, entry.flags),
        };
        (record.uid == entry.uid).then(|| Place {
            part: Part::Cur,
            name: name.into(),
        })
    };
    index.messages.iter().map(place).collect()
}

/// Kinds of records.
pub(super) const SEAL: u8 = 3;
pub(super) const ODD: u8 = 4;

/// So many odd names are another program's way to name files: then it is looked at each time.
const ODD_MOST: usize = 10_000;
