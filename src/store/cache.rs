//! `mailtool-cache`: what Dovecot's files have no room for. Mod-sequences (RFC 7162), which messages are gone and since
//! when, and what it takes a system call a message to find out (INTERNALDATE).
//!
//! ```text
//! block block ...          block: octets (4), checksum (8), records           the first begins with the head
//!
//! 0 head       UIDVALIDITY, highest mod-sequence, up to which one removals are forgotten
//! 1 message    UID, mod-sequence, the flags that it is for, size, INTERNALDATE
//! 2 gone       mod-sequence, first and last UID
//! 3 4          see `seal`
//! ```
//!
//! The file is a past state of the mailbox: what has other flags now, is new or is gone has changed since, whoever did it,
//! and gets the next mod-sequence. So it is never waited for: blocks are appended after a change and not synced, and when one is
//! lost, its change is found again. What it keeps:
//!
//! - A mod-sequence is shown to nobody before the block that holds it is on disk ([`Unsettled`]): none is given twice, and a
//!   flag that was set, shown and cleared again leaves no trace that contradicts what was shown.
//! - A file that is damaged or missing is made anew: all messages get a mod-sequence above every one that there ever was. For that it is the
//!   time, in units of 2^-20 seconds: nobody changes a mailbox a million times a second. It stays below 2^53.
//! - It is bounded: written anew when half of it is history.

mod record;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::fs::{self, Disk, Stat};
use super::look::{Folder, State};
use super::seal::{self, Seal};
use super::{Entry, Flags, Index, Mailbox, StoreError, names};
use crate::limits;

use record::{HEAD, block, parse, write_gone, write_message};

pub(super) use record::{Reader, checksum};

/// The file's name in a mailbox.
pub(super) const FILE: &str = "mailtool-cache";

/// What is known of a mailbox's changes. Guarded by the mailbox's lock.
#[derive(Debug, Default)]
pub(super) struct Cache {
    validity: u32,
    highest: u64,
    /// Who knows no more than this mod-sequence cannot be told exactly what went since.
    forgotten: u64,
    /// By ascending mod-sequence.
    gone: Vec<Gone>,
    /// Records that are not written yet.
    pending: Vec<u8>,
    /// Records in the file.
    records: usize,
    /// What the file is, when it is as we left it: inode and octets. `None`: it must be written anew.
    file: Option<(u64, u64)>,
    /// Up to which mod-sequence the file is on disk.
    settled: u64,
    /// Whether the name of the file is on disk.
    name_settled: bool,
    complained: bool,
    /// What stands at the end of the file.
    seal: Option<Seal>,
}

/// What the file says of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cached {
    pub(super) uid: u32,
    pub(super) modseq: u64,
    pub(super) flags: Flags,
    pub(super) size: u64,
    pub(super) received: i64,
}

/// UIDs of messages that were removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gone {
    modseq: u64,
    first: u32,
    last: u32,
}

/// What must be synced before a mod-sequence is shown.
#[derive(Debug)]
pub(super) struct Unsettled {
    file: Arc<File>,
    inode: u64,
    highest: u64,
    with_name: bool,
}

impl Unsettled {
    /// Waits for the disk; no lock need be held.
    pub(super) fn sync(&self, disk: &dyn Disk, folder: &Path) -> io::Result<()> {
        disk.sync_file(&self.file)?;
        match self.with_name {
            true => disk.sync_directory(folder),
            false => Ok(()),
        }
    }
}

/// Whether what `bytes` of the file say can be read, and is of this UIDVALIDITY.
pub(super) fn is_sound(bytes: &[u8], validity: u32) -> bool {
    parse(bytes).is_some_and(|(cache, _)| cache.validity == validity)
}

impl Cache {
    /// Reads the file of a mailbox whose UIDVALIDITY is `validity`, 0 when it is about to get its first; and what it says of messages, by
    /// ascending UID.
    pub(super) fn read(folder: &Folder<'_>, validity: u32) -> (Self, Vec<Cached>) {
        let path = folder.part(FILE);
        match read_file(folder) {
            Ok(Some((bytes, stat))) => {
                if let Some((mut cache, messages)) = parse(&bytes)
                    && cache.validity == validity
                {
                    cache.file = Some((stat.inode, stat.octets));
                    return (cache, messages);
                }
                log::info!("{path:?} is damaged or of another time, and made anew");
            }
            Ok(None) if validity == 0 => {
                let cache = Self {
                    highest: 1,
                    forgotten: 1,
                    ..Self::default()
                };
                return (cache, Vec::new());
            }
            Ok(None) => {}
            Err(error) => log::warn!("{path:?} cannot be read, and is made anew: {error}"),
        }
        let highest = from_time(SystemTime::now());
        let cache = Self {
            highest,
            forgotten: highest,
            ..Self::default()
        };
        (cache, Vec::new())
    }

    /// Reads the file, if it is whole, before it is known what the mailbox's UIDVALIDITY is.
    pub(super) fn read_whole(folder: &Folder<'_>) -> Option<(Self, Vec<Cached>)> {
        let (bytes, stat) = read_file(folder).ok()??;
        let (mut cache, messages) = parse(&bytes)?;
        cache.file = Some((stat.inode, stat.octets));
        Some((cache, messages))
    }

    /// The seal at the end of the file.
    pub(super) const fn seal(&self) -> Option<&Seal> {
        self.seal.as_ref()
    }

    /// Seals the file, unless it is.
    pub(super) fn set_seal(&mut self, folder: &Folder<'_>, mut seal: Seal) {
        seal.is_synced = self.settled >= self.highest && self.name_settled;
        if self.seal.as_ref() == Some(&seal) || self.file.is_none() || !self.pending.is_empty() {
            return;
        }
        self.records += 1;
        seal.write(&mut self.pending);
        if self.append(folder).unwrap_or(false) {
            self.seal = Some(seal);
        }
        self.pending.clear();
    }

    /// All of the file was synced, in an earlier life.
    pub(super) const fn was_settled(&mut self) {
        self.settled = self.highest;
        self.name_settled = true;
    }

    /// The highest mod-sequence that was given.
    pub(super) const fn highest(&self) -> u64 {
        self.highest
    }
    /// What the next change gets.
    pub(super) const fn next(&self) -> u64 {
        self.highest + 1
    }

    /// The mailbox's UIDs have another meaning than before, or get their first.
    pub(super) fn begin(&mut self, validity: u32) {
        if self.validity != 0 {
            self.forgotten = self.next();
            self.highest = self.next();
        }
        self.validity = validity;
        self.gone.clear();
        self.pending.clear();
        self.file = None;
    }
    pub(super) const fn validity(&self) -> u32 {
        self.validity
    }

    /// A message has changed or come; its mod-sequence is [`Self::next`] as it was when the change began.
    pub(super) fn changed(&mut self, entry: &Entry) {
        self.highest = self.highest.max(entry.modseq);
        self.records += 1;
        write_message(&mut self.pending, entry);
    }

    /// Messages are gone; ascending UIDs.
    pub(super) fn removed(&mut self, modseq: u64, uids: &[u32]) {
        self.highest = self.highest.max(modseq);
        let first = self.gone.len();
        for &uid in uids {
            match self.gone[first..].last_mut() {
                Some(range) if range.last + 1 == uid => range.last = uid,
                _ => self.gone.push(Gone {
                    modseq,
                    first: uid,
                    last: uid,
                }),
            }
        }
        for range in &self.gone[first..] {
            self.records += 1;
            write_gone(&mut self.pending, range);
        }
        self.forget();
    }

    /// The UIDs of messages that went after `modseq`, as ascending ranges; more of them when that was too long ago. Those that
    /// are in `index` are never among them.
    pub(super) fn vanished(&self, modseq: u64, index: &Index) -> Vec<(u32, u32)> {
        let ranges = if modseq < self.forgotten {
            vec![(1, index.uid_next.saturating_sub(1))]
        } else {
            let after = self.gone.partition_point(|gone| gone.modseq <= modseq);
            let mut ranges: Vec<(u32, u32)> = self.gone[after..]
                .iter()
                .map(|gone| (gone.first, gone.last))
                .collect();
            ranges.sort_unstable();
            ranges
        };
        let mut vanished = Vec::with_capacity(ranges.len());
        let mut next = 1;
        for (first, last) in ranges {
            let mut from = first.max(next);
            let there = index.messages.partition_point(|entry| entry.uid < from);
            for entry in &index.messages[there..] {
                if entry.uid > last {
                    break;
                }
                if entry.uid > from {
                    vanished.push((from, entry.uid - 1));
                }
                from = entry.uid.saturating_add(1);
            }
            if from <= last {
                vanished.push((from, last));
            }
            next = next.max(last.saturating_add(1));
        }
        vanished
    }

    /// Writes what is pending. That it cannot be written harms nobody: nothing of it is shown then.
    pub(super) fn write(&mut self, folder: &Folder<'_>, index: &Index) {
        if let Err(error) = self.try_write(folder, index)
            && !std::mem::replace(&mut self.complained, true)
        {
            let path = folder.part(FILE);
            log::warn!("{path:?} cannot be written: {error}");
        }
    }

    /// Writes all of it anew: something is known better now, and no change has happened.
    fn renew(&mut self, folder: &Folder<'_>, index: &Index) {
        self.file = None;
        self.write(folder, index);
    }

    /// What must be synced before the mod-sequences given so far are shown; `None` when all is.
    pub(super) fn unsettled(
        &mut self,
        folder: &Folder<'_>,
        index: &Index,
    ) -> io::Result<Option<Unsettled>> {
        self.try_write(folder, index)?;
        if self.settled >= self.highest && self.name_settled {
            return Ok(None);
        }
        let path = folder.part(FILE);
        let file = match folder.disk().open_to_append(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.rewrite(folder, index)?;
                folder.disk().open_to_append(&path)?
            }
            opened => opened?,
        };
        Ok(Some(Unsettled {
            inode: Stat::of(&file)?.inode,
            file,
            highest: self.highest,
            with_name: !self.name_settled,
        }))
    }

    /// It was synced. A seal says so from now on.
    pub(super) fn settle(&mut self, folder: &Folder<'_>, synced: &Unsettled) {
        if self.file.is_some_and(|(inode, _)| inode == synced.inode) {
            self.settled = self.settled.max(synced.highest);
            self.name_settled |= synced.with_name;
            if let Some(seal) = self.seal.clone() {
                self.set_seal(folder, seal);
            }
        }
    }

    fn try_write(&mut self, folder: &Folder<'_>, index: &Index) -> io::Result<()> {
        let enough = 2 * (index.messages.len() + self.gone.len()) + limits::CACHE_HISTORY;
        if self.file.is_none() || self.records > enough {
            return self.rewrite(folder, index);
        }
        if self.pending.is_empty() {
            return Ok(());
        }
        match self.append(folder)? {
            true => Ok(()),
            false => self.rewrite(folder, index),
        }
    }

    /// Appends what is pending; `false`: all has to be written anew.
    fn append(&mut self, folder: &Folder<'_>) -> io::Result<bool> {
        let path = folder.part(FILE);
        let file = match folder.disk().open_to_append(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let Stat { inode, octets, .. } = Stat::of(&file)?;
        if self.file != Some((inode, octets)) {
            // Somebody else has written it: what was given there is not given here.
            if let Some((theirs, _)) = fs::read_whole(folder.disk(), &path)?
                .and_then(|(bytes, _)| parse(&bytes))
                .filter(|(theirs, _)| theirs.validity == self.validity)
            {
                self.highest = self.highest.max(theirs.highest);
            }
            return Ok(false);
        }
        self.seal = None;
        let block = block(&std::mem::take(&mut self.pending));
        // Half of it may be there after an error.
        self.file = None;
        folder.disk().write(&file, &block)?;
        self.file = Some((inode, octets + block.len() as u64));
        Ok(true)
    }

    /// Writes all of it into a new file.
    fn rewrite(&mut self, folder: &Folder<'_>, index: &Index) -> io::Result<()> {
        self.file = None;
        self.seal = None;
        self.pending.clear();
        let mut records = Vec::with_capacity(64 + 33 * index.messages.len());
        records.push(HEAD);
        records.extend_from_slice(&self.validity.to_le_bytes());
        records.extend_from_slice(&self.highest.to_le_bytes());
        records.extend_from_slice(&self.forgotten.to_le_bytes());
        for gone in &self.gone {
            write_gone(&mut records, gone);
        }
        for entry in &index.messages {
            write_message(&mut records, entry);
        }
        let disk = folder.disk();
        let draft = folder.part("tmp").join(names::unique(SystemTime::now()));
        let file = disk.create(&draft)?;
        let written = disk
            .write(&file, &block(&records))
            .and_then(|()| disk.rename(&draft, &folder.part(FILE)));
        if let Err(error) = written {
            let _ = disk.unlink(&draft);
            return Err(error);
        }
        let Stat { inode, octets, .. } = Stat::of(&file)?;
        self.file = Some((inode, octets));
        self.records = index.messages.len() + self.gone.len();
        self.settled = 0;
        self.name_settled = false;
        Ok(())
    }

    /// Of too many removals the older half is forgotten.
    fn forget(&mut self) {
        if self.gone.len() > limits::CACHE_GONE {
            let half = self.gone.len() / 2;
            self.forgotten = self.gone[half - 1].modseq;
            self.gone.drain(..half);
        }
    }
}

impl State {
    /// The mod-sequence of a change that begins.
    pub(super) fn next_modseq(&self) -> u64 {
        self.cache.as_ref().map_or(1, Cache::next)
    }

    /// The messages at these places of `index`, which is about to be shown, have changed or come.
    pub(super) fn remember(
        &mut self,
        folder: &Folder<'_>,
        index: &mut Index,
        places: impl IntoIterator<Item = usize>,
    ) {
        let Some(cache) = &mut self.cache else {
            return;
        };
        for place in places {
            cache.changed(&index.messages[place]);
        }
        index.highest_modseq = cache.highest();
        cache.write(folder, index);
        self.alterations.learn(&self.index, index);
    }
}

impl State {
    /// `index` says more than the cache, of messages that have not changed.
    pub(super) fn renew_cache(&mut self, folder: &Folder<'_>) {
        let Some(mut cache) = self.cache.take() else {
            return;
        };
        cache.renew(folder, &self.index);
        if let (true, Some(stamps)) = (self.is_settled(), self.stamps) {
            self.seal(folder, &mut cache, (stamps.new, stamps.cur));
        }
        self.cache = Some(cache);
    }
}

impl Mailbox {
    /// The mod-sequences of all that was looked at before are on disk when it returns: now they may be shown.
    ///
    /// # Errors
    /// The disk's: then none may be shown.
    pub fn settle(&self) -> Result<(), StoreError> {
        let place = self.place()?;
        let folder = self.folder(&place);
        let mut state = self.state();
        let index = Arc::clone(&state.index);
        let Some(cache) = &mut state.cache else {
            return Ok(());
        };
        let unsettled = cache
            .unsettled(&folder, &index)
            .map_err(|error| folder.blame(error))?;
        drop(state);
        // Others may work meanwhile.
        let Some(unsettled) = unsettled else {
            return Ok(());
        };
        unsettled.sync(folder.disk(), folder.path)?;
        if let Some(cache) = &mut self.state().cache {
            cache.settle(&folder, &unsettled);
        }
        Ok(())
    }

    /// Which UIDs went after `modseq`: ascending ranges. When that was so long ago that it is not known exactly any more, all that have been
    /// given and are not there (RFC 7162 §3.2.5.2 allows that).
    pub fn vanished(&self, modseq: u64) -> Vec<(u32, u32)> {
        let state = self.state();
        let cache = state.cache.as_ref();
        cache.map_or_else(Vec::new, |cache| cache.vanished(modseq, &state.index))
    }
}

/// The seal at the end of the file, without what stands before it.
pub(super) fn read_seal(folder: &Folder<'_>) -> Option<Seal> {
    let file = folder.disk().open(&folder.part(FILE)).ok()?;
    let total = Stat::of(&file).ok()?.octets;
    let mut tail = vec![0; usize::try_from(total.min(TAIL)).ok()?];
    let from = total - tail.len() as u64;
    file.read_exact_at(&mut tail, from).ok()?;
    let octets = u32::from_le_bytes(*tail.last_chunk()?);
    let records = tail.len().checked_sub(usize::try_from(octets).ok()?)?;
    let mut head = Reader(tail.get(records.checked_sub(12)?..records)?);
    let (octets_too, sum) = (
        u32::from_le_bytes(head.take()?),
        u64::from_le_bytes(head.take()?),
    );
    if octets_too != octets || checksum(&tail[records..]) != sum {
        return None;
    }
    let mut records = Reader(&tail[records..]);
    let mut odd = Vec::new();
    loop {
        match records.take()? {
            [seal::ODD] => odd.push(Seal::read_odd(&mut records)?),
            [seal::SEAL] => return Seal::read(&mut records, odd).filter(|_| records.0.is_empty()),
            _ => return None,
        }
    }
}

fn read_file(folder: &Folder<'_>) -> io::Result<Option<(Vec<u8>, Stat)>> {
    let path = folder.part(FILE);
    match folder.disk().stat(&path) {
        Ok(stat) if stat.octets > limits::CACHE_OCTETS => Err(io::Error::other("too large")),
        Ok(_) => fs::read_whole(folder.disk(), &path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The mod-sequence for a mailbox of which none is known.
fn from_time(now: SystemTime) -> u64 {
    let since = fs::nanoseconds(now);
    // Cannot wrap before the year 500,000.
    u64::try_from((since << 20) / 1_000_000_000)
        .unwrap_or(1)
        .max(1)
}

/// Octets at the end of the file in which a seal is looked for.
const TAIL: u64 = 16 * 1024;
