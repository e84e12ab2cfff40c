//! `mailtool-digests`: what reading a message has brought (its envelope, its structure, what it is sorted by ...), so that it is not read
//! again for that. What the digests say is their makers' business: here they are octets.
//!
//! ```text
//! head             "mtdigst1", UIDVALIDITY (4), checksum (4)
//! block block ...  count (4), checksum (4), as many entries, as many digests
//! entry            UID (4), octets and kind (4), checksum of the digest (4)
//! ```
//!
//! A digest is made when a command first needs it, and appended with those of other messages, once a job. Nothing is synced, and
//! nothing is waited for: a message does not change, so that a digest that was lost is made again. The last of two counts.
//! A file that is damaged, cut short or of another UIDVALIDITY is not used, and replaced by the next block; so is one that
//! somebody else has written to, or removed.
//!
//! It is apart from `mailtool-cache` because damage costs nothing here, and all clients their mod-sequences there; and because
//! flags change often, which would have the larger part of the file copied again and again.
//!
//! Why it is read into a buffer and not mapped: whoever cuts a mapped file short kills all who read it (SIGBUS).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::SystemTime;

use super::fs::{Stat, hold};
use super::look::Folder;
use super::{Mailbox, names};
use crate::limits;

/// The file's name in a mailbox.
pub(super) const FILE: &str = "mailtool-digests";

/// What a digest is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// The header fields that are asked for most.
    Fields,
    /// ENVELOPE
    Envelope,
    /// BODYSTRUCTURE
    Structure,
    /// BODY
    Body,
    /// PREVIEW
    Preview,
    /// What SORT and THREAD compare.
    Order,
}

/// All kinds.
const KINDS: [Digest; 6] = [
    Digest::Fields,
    Digest::Envelope,
    Digest::Structure,
    Digest::Body,
    Digest::Preview,
    Digest::Order,
];

/// What there is. Guarded by a lock of its own, so that it is read while a mailbox is changed.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// 0: nothing was read yet.
    validity: u32,
    /// A table for each kind, by ascending UID.
    tables: [Vec<Slot>; KINDS.len()],
    file: Option<Arc<File>>,
    /// What the file is, when it is as we left it: inode and octets.
    known: Option<(u64, u64)>,
    /// It could not be written: that is not tried again.
    failed: bool,
}

/// Where a digest is.
#[derive(Clone, Copy, Debug)]
struct Slot {
    uid: u32,
    octets: u32,
    sum: u32,
    at: u64,
}

/// The digests of a mailbox, for the length of a job. What is [added](Self::add) is kept when it is [finished](Self::finish).
#[derive(Debug)]
pub struct Digests<'m> {
    mailbox: &'m Mailbox,
    validity: u32,
    file: Option<Arc<File>>,
    windows: [Window; KINDS.len()],
    entries: Vec<u8>,
    added: Vec<u8>,
}

/// A piece of the file. Digests of one kind lie in the order in which they are asked for, as a rule.
#[derive(Debug, Default)]
struct Window {
    from: u64,
    octets: Vec<u8>,
    /// How much is read next.
    next: usize,
}

impl Mailbox {
    /// What is known of the messages of this UIDVALIDITY.
    pub fn digests(&self, validity: u32) -> Digests<'_> {
        let mut ledger = hold(&self.ledger);
        if ledger.validity != validity {
            *ledger = Ledger {
                validity,
                ..Ledger::default()
            };
            if let Ok(place) = self.place() {
                ledger.read(&self.folder(&place));
            }
        }
        Digests {
            mailbox: self,
            validity,
            file: ledger.file.clone(),
            windows: Default::default(),
            entries: Vec::new(),
            added: Vec::new(),
        }
    }
}

impl Digests<'_> {
    /// Appends digests of a message to `out`, in the order of `kinds` (each once), and where each of them ends to `ends`. `false`, and nothing
    /// is appended: one of them is not known.
    pub fn take(
        &mut self,
        uid: u32,
        kinds: &[Digest],
        out: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) -> bool {
        let (out_before, ends_before) = (out.len(), ends.len());
        let Some(slots) = self.find(uid, kinds) else {
            return false;
        };
        for (slot, kind) in slots.iter().flatten().zip(kinds) {
            let file = self.file.as_ref();
            let window = &mut self.windows[*kind as usize];
            let octets = file.and_then(|file| window.read(file, slot));
            if octets.is_none_or(|octets| checksum(octets) != slot.sum) {
                log::info!("{FILE} is damaged, and made anew");
                hold(&self.mailbox.ledger).forget();
                out.truncate(out_before);
                ends.truncate(ends_before);
                return false;
            }
            out.extend_from_slice(octets.unwrap_or_default());
            ends.push(out.len());
        }
        true
    }

    /// One more, which was made just now.
    pub fn add(&mut self, uid: u32, kind: Digest, digest: &[u8]) {
        if digest.len() > limits::DIGEST {
            return;
        }
        write_entry(&mut self.entries, uid, kind, digest);
        self.added.extend_from_slice(digest);
    }

    /// Keeps what was added. That it cannot be kept harms nobody.
    pub fn finish(self) {
        if self.entries.is_empty() {
            return;
        }
        let Ok(place) = self.mailbox.place() else {
            return;
        };
        let folder = self.mailbox.folder(&place);
        let index = Arc::clone(&hold(&self.mailbox.state).index);
        let mut ledger = hold(&self.mailbox.ledger);
        if ledger.validity != self.validity || ledger.failed {
            return;
        }
        if let Err(error) = ledger.append(&folder, &self.entries, &self.added) {
            let path = folder.part(FILE);
            log::warn!("{path:?} cannot be written: {error}");
            ledger.forget();
            ledger.failed = true;
            return;
        }
        let is_there = |uid: u32| {
            let there = index.messages.binary_search_by_key(&uid, |entry| entry.uid);
            index.uid_validity == self.validity && there.is_ok()
        };
        if ledger.is_mostly_history(index.messages.len())
            && let Err(error) = ledger.rewrite(&folder, is_there)
        {
            log::warn!("{:?} cannot be written anew: {error}", folder.part(FILE));
            ledger.forget();
        }
    }

    /// Where they are; `None` unless all are known.
    fn find(&mut self, uid: u32, kinds: &[Digest]) -> Option<[Option<Slot>; KINDS.len()]> {
        let ledger = hold(&self.mailbox.ledger);
        if ledger.validity != self.validity {
            return None;
        }
        let mut slots = [None; KINDS.len()];
        for (kind, found) in kinds.iter().zip(&mut slots) {
            let table = &ledger.tables[*kind as usize];
            let at = table.binary_search_by_key(&uid, |slot| slot.uid).ok()?;
            *found = Some(table[at]);
        }
        let same = match (&self.file, &ledger.file) {
            (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs),
            _ => false,
        };
        if !same {
            self.file.clone_from(&ledger.file);
            self.windows = Default::default();
        }
        Some(slots)
    }
}

impl Window {
    fn read(&mut self, file: &File, slot: &Slot) -> Option<&[u8]> {
        let octets = slot.octets as usize;
        let has = |window: &Self| {
            let from = usize::try_from(slot.at.checked_sub(window.from)?).ok()?;
            (from + octets <= window.octets.len()).then_some(from)
        };
        let from = match has(self) {
            Some(from) => from,
            None => {
                // One message is not worth much reading; many in a row are.
                self.next = (self.next * 4).clamp(limits::DIGEST_READ / 16, limits::DIGEST_READ);
                self.octets.resize(self.next.max(octets), 0);
                self.from = slot.at;
                let filled = read_at(file, &mut self.octets, slot.at);
                self.octets.truncate(filled);
                has(self)?
            }
        };
        self.octets.get(from..from + octets)
    }
}

impl Ledger {
    /// Reads where the digests are, if the file is well.
    fn read(&mut self, folder: &Folder<'_>) {
        let Ok(file) = folder.disk().open(&folder.part(FILE)) else {
            return;
        };
        let Ok(stat) = Stat::of(&file) else { return };
        match self.read_blocks(&file, stat.octets) {
            Some(()) => {
                self.known = Some((stat.inode, stat.octets));
                self.file = Some(Arc::new(file));
            }
            None => {
                let path = folder.part(FILE);
                log::info!("{path:?} is damaged or of another time, and made anew");
                self.forget();
            }
        }
    }

    fn read_blocks(&mut self, file: &File, total: u64) -> Option<()> {
        let mut piece = vec![0; limits::DIGEST_READ / 16];
        let filled = read_at(file, &mut piece, 0);
        if total > limits::DIGESTS || !piece[..filled].starts_with(&head(self.validity)) {
            return None;
        }
        let mut at = HEAD_OCTETS as u64;
        while at < total {
            let mut filled = read_at(file, &mut piece, at);
            let (count, sum) = (number(&piece[..filled], 0)?, number(&piece[..filled], 4)?);
            let entries = usize::try_from(count).ok()?.checked_mul(ENTRY_OCTETS)?;
            let end = BLOCK_OCTETS + entries;
            if end as u64 > total - at || count == 0 {
                return None;
            }
            if end > filled {
                piece.resize(end.max(piece.len()), 0);
                filled = read_at(file, &mut piece, at);
            }
            let entries = piece[..filled].get(BLOCK_OCTETS..end)?;
            if checksum(entries) != sum {
                return None;
            }
            at = self.note(entries, at + end as u64)?;
            if at > total {
                return None;
            }
        }
        self.settle();
        Some(())
    }

    /// Notes where the digests of these entries are, the first at `at`; returns where the last ends.
    fn note(&mut self, entries: &[u8], mut at: u64) -> Option<u64> {
        for entry in entries.chunks_exact(ENTRY_OCTETS) {
            let (uid, word, sum) = (number(entry, 0)?, number(entry, 4)?, number(entry, 8)?);
            let octets = word & 0x00ff_ffff;
            let table = self.tables.get_mut((word >> 24) as usize)?;
            table.push(Slot {
                uid,
                octets,
                sum,
                at,
            });
            at += u64::from(octets);
        }
        Some(at)
    }

    /// Puts the tables in order, after something was noted.
    fn settle(&mut self) {
        for table in &mut self.tables {
            if !table.is_sorted_by(|one, other| one.uid < other.uid) {
                // Of two the last counts; it stands farther back.
                table.sort_by_key(|slot| (slot.uid, std::cmp::Reverse(slot.at)));
                table.dedup_by_key(|slot| slot.uid);
            }
        }
    }

    fn append(&mut self, folder: &Folder<'_>, entries: &[u8], added: &[u8]) -> io::Result<()> {
        let path = folder.part(FILE);
        let disk = folder.disk();
        let opened = match self.known {
            Some(known) => match disk.open_to_append(&path) {
                Ok(file) => {
                    let stat = Stat::of(&file)?;
                    // Else it is somebody else's, or another one.
                    ((stat.inode, stat.octets) == known).then_some(file)
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            },
            None => None,
        };
        let Some(file) = opened else {
            self.forget();
            return self.replace(folder, &[(entries, added)]);
        };
        let (inode, octets) = self.known.take().unwrap_or_default();
        let block = block(entries, added);
        disk.write(&file, &block)?;
        self.known = Some((inode, octets + block.len() as u64));
        let digests = octets + (BLOCK_OCTETS + entries.len()) as u64;
        self.note(entries, digests);
        self.settle();
        Ok(())
    }

    /// Writes a new file that holds these blocks alone.
    fn replace(&mut self, folder: &Folder<'_>, blocks: &[(&[u8], &[u8])]) -> io::Result<()> {
        let disk = folder.disk();
        let draft = folder.part("tmp").join(names::unique(SystemTime::now()));
        let file = disk.create(&draft)?;
        let mut octets = HEAD_OCTETS as u64;
        let written = disk.write(&file, &head(self.validity)).and_then(|()| {
            for (entries, added) in blocks {
                let block = block(entries, added);
                disk.write(&file, &block)?;
                self.note(entries, octets + (BLOCK_OCTETS + entries.len()) as u64);
                octets += block.len() as u64;
            }
            disk.rename(&draft, &folder.part(FILE))
        });
        if let Err(error) = written {
            let _ = disk.unlink(&draft);
            return Err(error);
        }
        self.settle();
        self.known = Some((Stat::of(&file)?.inode, octets));
        self.file = Some(Arc::new(disk.open(&folder.part(FILE))?));
        Ok(())
    }

    /// Whether most of the file is of messages that are gone, or was said again.
    fn is_mostly_history(&self, messages: usize) -> bool {
        let octets = self.known.map_or(0, |(_, octets)| octets);
        let slots = |table: &Vec<Slot>| table.len() > 2 * messages + limits::CACHE_HISTORY;
        let used: u64 = self
            .tables
            .iter()
            .flatten()
            .map(|slot| u64::from(slot.octets) + ENTRY_OCTETS as u64)
            .sum();
        self.tables.iter().any(slots)
            || octets > 2 * used + limits::DIGEST_READ as u64
            || octets > limits::DIGESTS / 2
    }

    /// Writes all anew that is still of use.
    fn rewrite(&mut self, folder: &Folder<'_>, is_there: impl Fn(u32) -> bool) -> io::Result<()> {
        let Some(file) = self.file.take() else {
            return Ok(());
        };
        let mut kept: Vec<(Digest, Slot)> = KINDS
            .into_iter()
            .zip(&self.tables)
            .flat_map(|(kind, table)| table.iter().map(move |slot| (kind, *slot)))
            .filter(|(_, slot)| is_there(slot.uid))
            .collect();
        kept.sort_by_key(|(_, slot)| slot.uid);
        let mut blocks = vec![(Vec::new(), Vec::new())];
        let mut total = 0;
        for (kind, slot) in kept {
            let mut octets = vec![0; slot.octets as usize];
            let read = read_at(&file, &mut octets, slot.at);
            if read < octets.len() || checksum(&octets) != slot.sum {
                return Err(io::Error::other("it is damaged"));
            }
            total += octets.len() as u64 + ENTRY_OCTETS as u64;
            if total > limits::DIGESTS / 4 {
                // The others are found out again when they are asked for.
                break;
            }
            if blocks
                .last()
                .is_some_and(|(_, added)| added.len() > limits::DIGEST_READ)
            {
                blocks.push((Vec::new(), Vec::new()));
            }
            if let Some((entries, added)) = blocks.last_mut() {
                write_entry(entries, slot.uid, kind, &octets);
                added.extend_from_slice(&octets);
            }
        }
        self.forget();
        let blocks: Vec<(&[u8], &[u8])> = blocks
            .iter()
            .filter(|(entries, _)| !entries.is_empty())
            .map(|(entries, added)| (&entries[..], &added[..]))
            .collect();
        self.replace(folder, &blocks)
    }

    /// Nothing is known; the next block begins a new file.
    fn forget(&mut self) {
        self.tables = Default::default();
        self.file = None;
        self.known = None;
    }
}

fn head(validity: u32) -> [u8; HEAD_OCTETS] {
    let mut head = [0; HEAD_OCTETS];
    head[..8].copy_from_slice(b"mtdigst1");
    head[8..12].copy_from_slice(&validity.to_le_bytes());
    let sum = checksum(&head[..12]);
    head[12..].copy_from_slice(&sum.to_le_bytes());
    head
}

fn write_entry(entries: &mut Vec<u8>, uid: u32, kind: Digest, digest: &[u8]) {
    // A digest is bounded by `limits::DIGEST`, which is below 2^24.
    let word = (kind as u32) << 24 | digest.len() as u32;
    entries.extend_from_slice(&uid.to_le_bytes());
    entries.extend_from_slice(&word.to_le_bytes());
    entries.extend_from_slice(&checksum(digest).to_le_bytes());
}

fn block(entries: &[u8], added: &[u8]) -> Vec<u8> {
    let mut block = Vec::with_capacity(BLOCK_OCTETS + entries.len() + added.len());
    let count = (entries.len() / ENTRY_OCTETS) as u32;
    block.extend_from_slice(&count.to_le_bytes());
    block.extend_from_slice(&checksum(entries).to_le_bytes());
    block.extend_from_slice(entries);
    block.extend_from_slice(added);
    block
}

/// Misses one damage in 2^32.
fn checksum(octets: &[u8]) -> u32 {
    let sum = super::cache::checksum(octets);
    // The lower half of it holds the upper one too.
    sum as u32
}

fn number(octets: &[u8], at: usize) -> Option<u32> {
    let octets = octets.get(at..at + 4)?;
    Some(u32::from_le_bytes(octets.try_into().ok()?))
}

/// How much could be read; less at the end of the file, or after an error.
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> usize {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(octets) => filled += octets,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    filled
}

const HEAD_OCTETS: usize = 16;
const BLOCK_OCTETS: usize = 8;
const ENTRY_OCTETS: usize = 12;
