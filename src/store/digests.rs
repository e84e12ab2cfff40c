//! `mailtool-digests`: what reading a message has brought (its envelope, its structure, what it is sorted by ...), so that it is not read
//! again for that. What the digests say is their makers' business: here they are octets.
//!
//! ```text
//! head             "mtdigst2", UIDVALIDITY (4), checksum (4)
//! block block ...  kind (4), count (4), octets of all digests (4), checksum of the entries (4), checksum of these (4);
//!                  as many entries, as many digests
//! entry            UID (4), octets (4), checksum of the digest (4)
//! ```
//!
//! A digest is made when a command first needs it, and appended with those of other messages: as much as [`limits::DIGESTS_HELD`] at a
//! time, and what is left when the command ends. Nothing is synced, and
//! nothing is waited for: a message does not change, so that a digest that was lost is made again. The last of two counts.
//! A file that is damaged, cut short or of another UIDVALIDITY is not used, and replaced by the next block; so is one that
//! somebody else has written to, or removed.
//!
//! A block is of one kind, so that a command which asks for one kind of all messages reads that from the disk and little else, in one
//! piece. At first only the heads of blocks are read, and the entries of a kind when it is asked for.
//!
//! It is apart from `mailtool-cache` because damage costs nothing here, and all clients their mod-sequences there; and because
//! flags change often, which would have the larger part of the file copied again and again.
//!
//! Why it is read into a buffer and not mapped: whoever cuts a mapped file short kills all who read it (SIGBUS).

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::SystemTime;

use rustix::fs::Advice;

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
    /// The Subject fields.
    Subject,
    /// What SORT and THREAD compare: the date and the subject.
    Order,
    /// What SORT compares: people.
    People,
    /// What THREAD compares: the message's id, and those of others.
    Links,
}

/// All kinds.
const KINDS: [Digest; 9] = [
    Digest::Fields,
    Digest::Envelope,
    Digest::Structure,
    Digest::Body,
    Digest::Preview,
    Digest::Subject,
    Digest::Order,
    Digest::People,
    Digest::Links,
];

/// What there is. Guarded by a lock of its own, so that it is read while a mailbox is changed.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// 0: nothing was read yet.
    validity: u32,
    /// A table for each kind, by ascending UID; without what its `blocks` say.
    tables: [Vec<Slot>; KINDS.len()],
    /// Blocks of each kind whose entries are not in the table yet.
    blocks: [Vec<Block>; KINDS.len()],
    /// Blocks in the file.
    count: usize,
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

/// Where a block of digests is.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// Where its entries begin.
    at: u64,
    count: u32,
    octets: u32,
    sum: u32,
}

/// Digests that were made, and are not in the file yet: what one job of a command leaves to the next.
#[derive(Debug, Default)]
pub struct Learnt([Made; KINDS.len()]);

/// Digests of one kind.
#[derive(Debug, Default)]
struct Made {
    entries: Vec<u8>,
    digests: Vec<u8>,
}

/// The digests of a mailbox, for the length of a job. What is [added](Self::add) is kept when it is [finished](Self::finish).
#[derive(Debug)]
pub struct Digests<'m> {
    mailbox: &'m Mailbox,
    validity: u32,
    file: Option<Arc<File>>,
    windows: [Window; KINDS.len()],
    learnt: Learnt,
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
        self.digests_with(validity, Learnt::default())
    }

    /// The same, with what an earlier job of this command has made and not kept.
    pub fn digests_with(&self, validity: u32, learnt: Learnt) -> Digests<'_> {
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
            learnt,
        }
    }
}

impl Mailbox {
    /// What SEARCH and SORT ask of all messages is on its way from the disk when it returns, if it is little: whoever opens a mailbox
    /// is likely to ask next.
    pub(super) fn expect_searches(&self, validity: u32) {
        drop(self.digests(validity));
        let ledger = hold(&self.ledger);
        let Some(file) = &ledger.file else { return };
        let kinds = [Digest::Subject, Digest::Order];
        let blocks = kinds.map(|kind| &ledger.blocks[kind as usize]);
        let blocks = || blocks.iter().copied().flatten();
        let octets: u64 = blocks().map(|block| block.end() - block.at).sum();
        if octets > limits::DIGESTS_AHEAD {
            return;
        }
        for block in blocks() {
            let octets = NonZeroU64::new(block.end() - block.at);
            // It promises nothing.
            let _ = rustix::fs::fadvise(file, block.at, octets, Advice::WillNeed);
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
        let made = &mut self.learnt.0[kind as usize];
        write_entry(&mut made.entries, uid, digest);
        made.digests.extend_from_slice(digest);
    }

    /// The job ends, and the command goes on: what is little is left to the next one.
    pub fn pause(mut self) -> Learnt {
        let octets: usize = self.learnt.0.iter().map(|made| made.digests.len()).sum();
        if octets < limits::DIGESTS_HELD {
            return std::mem::take(&mut self.learnt);
        }
        self.finish();
        Learnt::default()
    }

    /// Keeps what was added. That it cannot be kept harms nobody.
    pub fn finish(self) {
        let blocks = self.learnt.blocks();
        if blocks.is_empty() {
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
        if let Err(error) = ledger.append(&folder, &blocks) {
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
        let mut ledger = hold(&self.mailbox.ledger);
        if ledger.validity != self.validity {
            return None;
        }
        for kind in kinds {
            if !ledger.load(*kind) {
                log::info!("{FILE} is damaged, and made anew");
                ledger.forget();
                return None;
            }
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

    /// Reads the heads of all blocks.
    fn read_blocks(&mut self, file: &File, total: u64) -> Option<()> {
        let mut piece = vec![0; limits::DIGEST_READ / 16];
        let mut filled = read_at(file, &mut piece[..4096], 0);
        if total > limits::DIGESTS || !piece[..filled].starts_with(&head(self.validity)) {
            return None;
        }
        let (mut from, mut at) = (0, HEAD_OCTETS as u64);
        while at < total {
            let within = usize::try_from(at - from).unwrap_or(usize::MAX);
            let mut head = piece[..filled].get(within..within.saturating_add(BLOCK_OCTETS));
            if head.is_none() {
                // Blocks that are small are read many at once.
                let is_near = at - from < piece.len() as u64;
                let most = if is_near { piece.len() } else { 4096 };
                (from, filled) = (at, read_at(file, &mut piece[..most], at));
                head = piece[..filled].get(..BLOCK_OCTETS);
            }
            let (kind, block) = Block::read(head?, at + BLOCK_OCTETS as u64)?;
            at = block.end();
            if at > total {
                return None;
            }
            self.blocks.get_mut(kind as usize)?.push(block);
            self.count += 1;
        }
        Some(())
    }

    /// Reads the entries of a kind, if that was not done; `false`: the file is damaged.
    fn load(&mut self, kind: Digest) -> bool {
        let blocks = std::mem::take(&mut self.blocks[kind as usize]);
        if blocks.is_empty() {
            return true;
        }
        let Some(file) = self.file.clone() else {
            return false;
        };
        // What is in the table came later.
        let later = std::mem::take(&mut self.tables[kind as usize]);
        let mut entries = Vec::new();
        for block in blocks {
            entries.resize(block.count as usize * ENTRY_OCTETS, 0);
            let filled = read_at(&file, &mut entries, block.at);
            if filled < entries.len()
                || checksum(&entries) != block.sum
                || self.note(kind, &entries, block.digests()) != Some(block.end())
            {
                return false;
            }
        }
        self.tables[kind as usize].extend(later);
        self.settle();
        true
    }

    /// Notes where the digests of these entries are, the first at `at`; returns where the last ends.
    fn note(&mut self, kind: Digest, entries: &[u8], mut at: u64) -> Option<u64> {
        let table = &mut self.tables[kind as usize];
        table.reserve(entries.len() / ENTRY_OCTETS);
        for entry in entries.chunks_exact(ENTRY_OCTETS) {
            let (uid, octets, sum) = (number(entry, 0)?, number(entry, 4)?, number(entry, 8)?);
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

    fn append(&mut self, folder: &Folder<'_>, blocks: &[(Digest, Made)]) -> io::Result<()> {
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
            return self.replace(folder, blocks);
        };
        let (inode, octets) = self.known.take().unwrap_or_default();
        let mut written = Vec::new();
        for (kind, made) in blocks {
            write_block(&mut written, *kind, made);
        }
        disk.write(&file, &written)?;
        self.known = Some((inode, octets + written.len() as u64));
        self.note_blocks(blocks, octets);
        Ok(())
    }

    /// Writes a new file that holds these blocks alone.
    fn replace(&mut self, folder: &Folder<'_>, blocks: &[(Digest, Made)]) -> io::Result<()> {
        let disk = folder.disk();
        let draft = folder.part("tmp").join(names::unique(SystemTime::now()));
        let file = disk.create(&draft)?;
        let mut octets = HEAD_OCTETS as u64;
        let written = disk.write(&file, &head(self.validity)).and_then(|()| {
            let mut block = Vec::new();
            for (kind, made) in blocks {
                block.clear();
                write_block(&mut block, *kind, made);
                disk.write(&file, &block)?;
                octets += block.len() as u64;
            }
            disk.rename(&draft, &folder.part(FILE))
        });
        if let Err(error) = written {
            let _ = disk.unlink(&draft);
            return Err(error);
        }
        self.known = Some((Stat::of(&file)?.inode, octets));
        self.file = Some(Arc::new(disk.open(&folder.part(FILE))?));
        self.note_blocks(blocks, HEAD_OCTETS as u64);
        Ok(())
    }

    /// Notes what was written at `at`.
    fn note_blocks(&mut self, blocks: &[(Digest, Made)], mut at: u64) {
        for (kind, made) in blocks {
            let digests = at + (BLOCK_OCTETS + made.entries.len()) as u64;
            self.note(*kind, &made.entries, digests);
            at = digests + made.digests.len() as u64;
        }
        self.count += blocks.len();
        self.settle();
    }

    /// Whether most of the file is of messages that are gone, or was said again, or in crumbs.
    fn is_mostly_history(&self, messages: usize) -> bool {
        let octets = self.known.map_or(0, |(_, octets)| octets);
        let unread = |kind: usize| {
            self.blocks[kind]
                .iter()
                .map(|block| block.count as usize)
                .sum()
        };
        let counts = (0..KINDS.len()).map(|kind| {
            let unread: usize = unread(kind);
            unread + self.tables[kind].len()
        });
        let used: u64 = self
            .tables
            .iter()
            .flatten()
            .map(|slot| u64::from(slot.octets) + ENTRY_OCTETS as u64)
            .chain(
                self.blocks
                    .iter()
                    .flatten()
                    .map(|block| block.end() - block.at),
            )
            .sum();
        let most = 2 * messages + limits::CACHE_HISTORY;
        counts.clone().any(|count| count > most)
            || octets > 2 * used + limits::DIGEST_READ as u64
            || octets > limits::DIGESTS / 2
            || self.count > limits::DIGEST_BLOCKS && self.count * 16 > counts.sum()
    }

    /// Writes all anew that is still of use, each kind in one piece.
    fn rewrite(&mut self, folder: &Folder<'_>, is_there: impl Fn(u32) -> bool) -> io::Result<()> {
        let damaged = || io::Error::other("it is damaged");
        if !KINDS.into_iter().all(|kind| self.load(kind)) {
            return Err(damaged());
        }
        let Some(file) = self.file.take() else {
            return Ok(());
        };
        let mut blocks = Vec::new();
        let mut total = 0;
        let mut octets = Vec::new();
        for (kind, table) in KINDS.into_iter().zip(&self.tables) {
            let mut made = Made::default();
            for slot in table.iter().filter(|slot| is_there(slot.uid)) {
                octets.resize(slot.octets as usize, 0);
                let read = read_at(&file, &mut octets, slot.at);
                if read < octets.len() || checksum(&octets) != slot.sum {
                    return Err(damaged());
                }
                total += octets.len() as u64 + ENTRY_OCTETS as u64;
                if total > limits::DIGESTS / 4 {
                    // The others are found out again when they are asked for.
                    break;
                }
                write_entry(&mut made.entries, slot.uid, &octets);
                made.digests.extend_from_slice(&octets);
                if made.digests.len() > limits::DIGESTS_HELD {
                    blocks.push((kind, std::mem::take(&mut made)));
                }
            }
            if !made.entries.is_empty() {
                blocks.push((kind, made));
            }
        }
        self.forget();
        self.replace(folder, &blocks)
    }

    /// Nothing is known; the next block begins a new file.
    fn forget(&mut self) {
        self.tables = Default::default();
        self.blocks = Default::default();
        self.count = 0;
        self.file = None;
        self.known = None;
    }
}

fn head(validity: u32) -> [u8; HEAD_OCTETS] {
    let mut head = [0; HEAD_OCTETS];
    head[..8].copy_from_slice(b"mtdigst2");
    head[8..12].copy_from_slice(&validity.to_le_bytes());
    let sum = checksum(&head[..12]);
    head[12..].copy_from_slice(&sum.to_le_bytes());
    head
}

fn write_entry(entries: &mut Vec<u8>, uid: u32, digest: &[u8]) {
    entries.extend_from_slice(&uid.to_le_bytes());
    // A digest is bounded by `limits::DIGEST`.
    entries.extend_from_slice(&(digest.len() as u32).to_le_bytes());
    entries.extend_from_slice(&checksum(digest).to_le_bytes());
}

fn write_block(out: &mut Vec<u8>, kind: Digest, made: &Made) {
    let count = (made.entries.len() / ENTRY_OCTETS) as u32;
    let from = out.len();
    out.reserve(BLOCK_OCTETS + made.entries.len() + made.digests.len());
    out.extend_from_slice(&(kind as u32).to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    // Bounded by what is held, and one digest more.
    out.extend_from_slice(&(made.digests.len() as u32).to_le_bytes());
    out.extend_from_slice(&checksum(&made.entries).to_le_bytes());
    let sum = checksum(&out[from..]);
    out.extend_from_slice(&sum.to_le_bytes());
    out.extend_from_slice(&made.entries);
    out.extend_from_slice(&made.digests);
}

impl Block {
    /// Reads its kind, and what it is; its entries are at `at`.
    fn read(head: &[u8], at: u64) -> Option<(u32, Self)> {
        let block = Self {
            at,
            count: number(head, 4)?,
            octets: number(head, 8)?,
            sum: number(head, 12)?,
        };
        let is_good = checksum(&head[..16]) == number(head, 16)? && block.count > 0;
        is_good.then_some((number(head, 0)?, block))
    }

    /// Where its digests begin.
    fn digests(&self) -> u64 {
        self.at + u64::from(self.count) * ENTRY_OCTETS as u64
    }

    fn end(&self) -> u64 {
        self.digests() + u64::from(self.octets)
    }
}

impl Learnt {
    fn blocks(self) -> Vec<(Digest, Made)> {
        let kinds = KINDS.into_iter().zip(self.0);
        kinds.filter(|(_, made)| !made.entries.is_empty()).collect()
    }
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
const BLOCK_OCTETS: usize = 20;
const ENTRY_OCTETS: usize = 12;
