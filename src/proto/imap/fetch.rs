//! FETCH: one job makes up to [`limits::IMAP_RESPONSE`] octets of responses, and says where the next goes on.
//!
//! A message is read once, and no further than is asked for: its header, when that suffices. Large sections are sent from
//! the file. Reading `BODY[...]` sets `\Seen` for the whole block at once, and the responses say so.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use crate::limits;
use crate::proto::imap::awareness::write_modseq;
use crate::proto::imap::binary::{Decoded, decoded};
use crate::proto::imap::digests::{Known, digest_of};
use crate::proto::imap::flags::{Recent, write_flags};
use crate::proto::imap::message::{Depth, Left, Message};
use crate::proto::imap::view::View;
use crate::store::{
    Digest, Entry, Extent, FlagChange, Flags, Identity, Learnt, Mailbox, StoreError,
};
use crate::wire::date::DateTime;
use crate::wire::imap::command::{Access, Numbering};
use crate::wire::imap::fetch::{
    Binary, Item, Partial, Reading, Section, SectionText, Text, write_part,
};
use crate::wire::imap::response;
use crate::wire::imap::set::Ranges;
use crate::wire::mime::header::{Fields, header_octets};
use crate::wire::mime::structure::{Content, Part};

/// What is still to be fetched.
#[derive(Debug)]
pub struct Fetch {
    /// Where.
    pub mailbox: Arc<Mailbox>,
    /// Whether `\Seen` may be set.
    pub access: Access,
    /// The numbers.
    pub view: View,
    /// Which messages.
    pub uids: Ranges,
    /// Those with a smaller UID are done.
    pub from: u32,
    /// Of the message with that UID so many items are done: a message that is much more than a block is told in several
    /// responses.
    pub done: usize,
    /// Whether the responses hold UIDs unasked.
    pub numbering: Numbering,
    /// What.
    pub items: Arc<Vec<Item>>,
    /// Only messages that changed after this mod-sequence.
    pub changed_since: Option<u64>,
    /// Those that went since then are told too, from this UID on.
    pub vanished: Option<u32>,
    /// What the job before has left.
    pub left: Left,
}

/// Responses, ready to be sent.
#[derive(Debug)]
pub struct Block {
    /// In this order.
    pub pieces: Vec<Piece>,
    /// Flags that the client was told.
    pub known: Vec<(u32, Flags)>,
    /// What comes after; `None` after the last.
    pub rest: Option<Box<Fetch>>,
    /// Whether a message could not be had, for it is no more.
    pub gone: bool,
    /// Whether a part could not be decoded.
    pub undecoded: bool,
}

/// A part of the responses.
#[derive(Debug)]
pub enum Piece {
    /// In memory.
    Bytes(Vec<u8>),
    /// In a file.
    Extent(Extent),
}

impl Fetch {
    /// Makes a block of responses.
    pub fn run(mut self) -> Result<Block, StoreError> {
        let passes = self.passes_messages_on();
        let mut writer = Writer {
            pieces: Vec::new(),
            bytes: Vec::with_capacity(if passes { self.octets_next() } else { 0 }),
            undecoded: false,
        };
        let mut block = Block {
            pieces: Vec::new(),
            known: Vec::new(),
            rest: None,
            gone: self.from == 0 && self.view.has_ghost(&self.uids),
            undecoded: false,
        };
        let depth = self.items.iter().map(depth).max().unwrap_or(Depth::Index);
        let sees = self.access == Access::ReadWrite && self.items.iter().any(sets_seen);
        let mut seen = Vec::new();
        let mut read = 0;
        let mut next = None;
        let Left { mut ahead, learnt } = std::mem::take(&mut self.left);
        let validity = self.view.told().uid_validity;
        let mut digests = self.mailbox.digests_with(validity, learnt);
        let mut known = Known::new(self.items.iter().filter_map(digest_of));
        // Where a message has to be read anyway, its digests are made from it.
        let suffices = depth > Depth::Index
            && self
                .items
                .iter()
                .all(|item| digest_of(item).is_some() || self::depth(item) == Depth::Index);
        let mut done = std::mem::take(&mut self.done);
        if self.from == 0 && self.items.contains(&Item::Modseq) {
            self.mailbox.settle()?;
        }
        if let (0, Some(since), Some(lowest)) = (self.from, self.changed_since, self.vanished) {
            write_vanished_earlier(&mut writer.bytes, &self, since, lowest);
        }
        let changed = |entry: &&Entry| self.changed_since.is_none_or(|since| entry.modseq > since);
        let after = |uid: u32, most: usize| {
            let next = self.view.entries(&self.uids, uid.saturating_add(1));
            next.filter(changed)
                .take(most)
                .map(|entry| entry.uid)
                .collect()
        };
        for entry in self.view.entries(&self.uids, self.from).filter(changed) {
            if writer.is_full() || read >= limits::IMAP_READ {
                next = Some((entry.uid, 0));
                break;
            }
            let becomes_seen = sees && !entry.flags.contains(Flags::SEEN);
            if entry.uid != self.from {
                done = 0;
            }
            let is_known = suffices && known.take(&mut digests, entry.uid);
            let is_passed_on = passes && (1..limits::IMAP_EXTENT).contains(&entry.size);
            let depth = match is_known || is_passed_on {
                true => Depth::Index,
                false => depth,
            };
            let load = || Message::load(&self.mailbox, entry, depth);
            let structure = Structure::default();
            let written = if is_passed_on {
                let message = load()?;
                let source = Source {
                    message: &message,
                    structure: &structure,
                    known: &known,
                };
                let write = || self.write(&mut writer, entry, source, becomes_seen, done);
                ahead.load(&self.mailbox, entry.uid, after, write)
            } else {
                let loaded = match depth {
                    Depth::Index => load(),
                    _ => ahead.load(&self.mailbox, entry.uid, after, load),
                };
                loaded.and_then(|message| {
                    if !is_known {
                        known.make(&message, || structure.of(&message));
                        if suffices {
                            known.keep(&mut digests, entry.uid);
                        }
                    }
                    read += message.octets.len() as u64;
                    let source = Source {
                        message: &message,
                        structure: &structure,
                        known: &known,
                    };
                    self.write(&mut writer, entry, source, becomes_seen, done)
                })
            };
            done = match written {
                Ok(done) => done,
                Err(StoreError::NoSuchMessage) => {
                    block.gone = true;
                    continue;
                }
                Err(error) => return Err(error),
            };
            if becomes_seen {
                seen.push(entry.uid);
                block
                    .known
                    .push((entry.uid, entry.flags.union(Flags::SEEN)));
            }
            if done < self.items.len() {
                next = Some((entry.uid, done));
                break;
            }
        }
        let learnt = match next {
            Some(_) => digests.pause(),
            None => {
                digests.finish();
                Learnt::default()
            }
        };
        if !seen.is_empty() {
            self.mailbox
                .change_flags(&seen, FlagChange::Add, Flags::SEEN)?;
        }
        block.undecoded = writer.undecoded;
        block.pieces = writer.finish();
        if let Some((from, done)) = next {
            (self.from, self.done) = (from, done);
            self.left = Left { ahead, learnt };
            block.rest = Some(Box::new(self));
        }
        Ok(block)
    }

    /// Whether nothing is asked that takes more of a message than to pass it on as it is. Then it is read to where it is sent from,
    /// unless it is long.
    fn passes_messages_on(&self) -> bool {
        let mut items = self.items.iter();
        items.all(|item| is_whole(item) || depth(item) == Depth::Index)
            && self.items.iter().any(is_whole)
    }

    /// About so many octets will the next block have, if it is messages.
    fn octets_next(&self) -> usize {
        let mut octets: usize = 0;
        for entry in self.view.entries(&self.uids, self.from) {
            octets += entry.size.min(limits::IMAP_EXTENT) as usize + RESPONSE;
            if octets >= limits::IMAP_RESPONSE {
                break;
            }
        }
        octets
    }

    /// Writes a response with the items after the first `done`; returns how many are done then. They are fewer than all
    /// when there is a block full of this message alone. Of a message that is gone nothing is written.
    fn write(
        &self,
        out: &mut Writer,
        entry: &Entry,
        source: Source<'_>,
        becomes_seen: bool,
        done: usize,
    ) -> Result<usize, StoreError> {
        let begun = out.bytes.len();
        let Source {
            message,
            structure,
            known,
        } = source;
        if !self.view.begin_fetch(&mut out.bytes, entry.uid) {
            return Ok(self.items.len());
        }
        let told = self.view.told();
        let flags = if becomes_seen {
            entry.flags.union(Flags::SEEN)
        } else {
            entry.flags
        };
        let recent = if self.view.is_recent(entry.uid) {
            Recent::Yes
        } else {
            Recent::No
        };
        // RFC 3501 §6.4.8: the UID is told whether it was asked for or not, in UIDFETCH anyhow. §6.4.5: so are flags that change.
        let items = &self.items[done..];
        let unasked = self.numbering == Numbering::Uid && !self.view.is_uid_only();
        let uid = (unasked && !items.contains(&Item::Uid)).then_some(&Item::Uid);
        let flags_changed = (becomes_seen && !items.contains(&Item::Flags)).then_some(&Item::Flags);
        let before = out.in_memory();
        let (mut asked, mut unasked) = (items.iter(), flags_changed);
        let mut next = uid.or_else(|| asked.next());
        while let Some(item) = next {
            match item {
                Item::Uid => {
                    out.bytes.extend_from_slice(b"UID ");
                    response::number(&mut out.bytes, entry.uid.into());
                }
                Item::Flags => {
                    out.bytes.extend_from_slice(b"FLAGS ");
                    write_flags(&mut out.bytes, flags, recent, told);
                }
                Item::InternalDate => {
                    let date = DateTime::utc(self.mailbox.received(entry)).to_imap();
                    out.bytes.extend_from_slice(b"INTERNALDATE \"");
                    out.bytes.extend_from_slice(date.as_bytes());
                    out.bytes.push(b'"');
                }
                Item::Size => {
                    out.bytes.extend_from_slice(b"RFC822.SIZE ");
                    response::number(&mut out.bytes, entry.size);
                }
                Item::Modseq => write_modseq(&mut out.bytes, entry.modseq),
                Item::EmailId | Item::ThreadId | Item::SaveDate => {
                    let identity = self.mailbox.identity(entry.uid);
                    write_identity(&mut out.bytes, item, entry.uid, identity);
                }
                Item::Preview => {
                    out.bytes.extend_from_slice(b"PREVIEW ");
                    response::string(&mut out.bytes, known.of(Digest::Preview));
                }
                Item::Envelope => {
                    out.bytes.extend_from_slice(b"ENVELOPE ");
                    out.bytes.extend_from_slice(known.of(Digest::Envelope));
                }
                Item::Body => {
                    out.bytes.extend_from_slice(b"BODY ");
                    out.bytes.extend_from_slice(known.of(Digest::Body));
                }
                Item::BodyStructure => {
                    out.bytes.extend_from_slice(b"BODYSTRUCTURE ");
                    out.bytes.extend_from_slice(known.of(Digest::Structure));
                }
                Item::Text(text) if digest_of(item).is_some() => {
                    out.fields(text, known.of(Digest::Fields));
                }
                Item::Text(text) if message.is_unread() => {
                    text.write_name(&mut out.bytes);
                    out.bytes.push(b' ');
                    let head = response::literal_head;
                    let read = self.mailbox.read_onto(entry.uid, &mut out.bytes, head);
                    if let Err(error) = read {
                        out.bytes.truncate(begun);
                        return Err(error);
                    }
                }
                Item::Text(text) => out.text(text, message, structure),
                Item::Binary(binary) => out.binary(binary, message, structure),
                Item::BinarySize(path) => out.binary_size(path, message, structure),
            }
            let is_much = out.in_memory() - before >= limits::IMAP_RESPONSE;
            next = (!is_much).then(|| asked.next()).flatten();
            next = next.or_else(|| unasked.take());
            if next.is_some() {
                out.bytes.push(b' ');
            }
        }
        out.bytes.extend_from_slice(b")\r\n");
        Ok(self.items.len() - asked.len())
    }
}

/// Writes `* VANISHED (EARLIER) ...`: of `uids`, those from `lowest` on that went after `modseq`, and that the client does not count.
fn write_vanished_earlier(out: &mut Vec<u8>, fetch: &Fetch, modseq: u64, lowest: u32) {
    let mut vanished = Ranges::default();
    let gone = fetch.mailbox.vanished(modseq);
    let asked: Vec<(u32, u32)> = fetch.uids.iter().collect();
    for (first, last) in gone {
        let start = asked.partition_point(|asked| asked.1 < first);
        for &(from, to) in asked[start..].iter().take_while(|asked| asked.0 <= last) {
            let (from, to) = (from.max(first).max(lowest), to.min(last));
            if from > to {
                continue;
            }
            // What it still counts is told as gone when that may be said.
            let mut next = from;
            for counted in fetch.view.counted(from, to) {
                if counted > next {
                    vanished.push(next, counted - 1);
                }
                next = counted + 1;
            }
            if next <= to {
                vanished.push(next, to);
            }
        }
    }
    if !vanished.is_empty() {
        out.extend_from_slice(b"* VANISHED (EARLIER) ");
        vanished.write(out);
        out.extend_from_slice(b"\r\n");
    }
}

fn write_identity(out: &mut Vec<u8>, item: &Item, uid: u32, identity: Option<Identity>) {
    match (item, identity) {
        (Item::EmailId, Some(identity)) => {
            out.extend_from_slice(format!("EMAILID ({})", identity.email_id).as_bytes());
        }
        // It is no more: there is nothing that could be taken for another's (RFC 8474 §5.1).
        (Item::EmailId, None) => out.extend_from_slice(format!("EMAILID (Mgone-{uid})").as_bytes()),
        // RFC 8474 §5.2: NIL where no threads are known.
        (Item::ThreadId, _) => out.extend_from_slice(b"THREADID NIL"),
        (_, identity) => match identity.and_then(|identity| identity.saved) {
            Some(saved) => {
                let date = DateTime::utc(saved).to_imap();
                out.extend_from_slice(format!("SAVEDATE \"{date}\"").as_bytes());
            }
            None => out.extend_from_slice(b"SAVEDATE NIL"),
        },
    }
}

fn depth(item: &Item) -> Depth {
    match item {
        Item::Flags | Item::Uid | Item::InternalDate | Item::Size => Depth::Index,
        Item::Modseq | Item::EmailId | Item::ThreadId | Item::SaveDate => Depth::Index,
        Item::Preview => Depth::Whole,
        Item::Envelope => Depth::Header,
        Item::Body | Item::BodyStructure => Depth::Whole,
        Item::Text(text) if text.section.part.is_empty() => match text.section.what {
            SectionText::All | SectionText::Text => Depth::Start,
            _ => Depth::Header,
        },
        Item::Binary(binary) if binary.part.is_empty() => Depth::Start,
        Item::BinarySize(path) if path.is_empty() => Depth::Index,
        Item::Text(_) | Item::Binary(_) | Item::BinarySize(_) => Depth::Whole,
    }
}

/// Whether it is all of a message.
fn is_whole(item: &Item) -> bool {
    matches!(item, Item::Text(text) if text.section.part.is_empty()
        && text.section.what == SectionText::All
        && text.partial.is_none())
}

fn sets_seen(item: &Item) -> bool {
    matches!(
        item,
        Item::Text(Text {
            reading: Reading::Sees,
            ..
        }) | Item::Binary(Binary {
            reading: Reading::Sees,
            ..
        })
    )
}

/// What was read of a message, or is known of it without that.
#[derive(Clone, Copy)]
struct Source<'a> {
    message: &'a Message,
    structure: &'a Structure,
    known: &'a Known,
}

/// A message's structure, found out when it is first asked for.
#[derive(Default)]
struct Structure(std::cell::OnceCell<Part>);

impl Structure {
    fn of(&self, message: &Message) -> &Part {
        self.0.get_or_init(|| Part::parse(&message.octets))
    }
}

/// What a section is.
enum Found {
    /// Octets of the message.
    Range(Range<u64>),
    /// Octets made from it.
    Made(Vec<u8>),
    /// There is no such part.
    Nothing,
}

fn find(section: &Section, message: &Message, structure: &Structure) -> Found {
    let (header, body) = if section.part.is_empty() {
        let header = header_octets(&message.octets);
        (0..header, header as u64..message.total)
    } else {
        let Some(part) = structure.of(message).find(&section.part) else {
            return Found::Nothing;
        };
        match (&section.what, &part.content) {
            (SectionText::All, _) => return range(&part.body),
            (SectionText::Mime, _) => return range(&part.header),
            // HEADER and TEXT of a part are those of the message in it (RFC 3501 §6.4.5).
            (_, Content::Message(inner)) => (
                inner.header.clone(),
                inner.body.start as u64..inner.body.end as u64,
            ),
            _ => return Found::Nothing,
        }
    };
    match &section.what {
        SectionText::All => Found::Range(0..message.total),
        SectionText::Mime | SectionText::Header => range(&header),
        SectionText::Text => Found::Range(body),
        SectionText::HeaderFields(names) => {
            let names = Names::new(names);
            Found::Made(fields(&message.octets[header], |name| names.has(name)))
        }
        SectionText::HeaderFieldsNot(names) => {
            let names = Names::new(names);
            Found::Made(fields(&message.octets[header], |name| !names.has(name)))
        }
    }
}

/// A section by itself.
pub enum Chunk {
    /// In memory.
    Octets(Vec<u8>),
    /// In a file.
    Extent(Extent),
}

/// A section of a message that was read: its header at least, all of it for a part's. `None`: there is no such part.
pub fn chunk(message: &Message, section: &Section, wanted: Option<Partial>) -> Option<Chunk> {
    match find(section, message, &Structure::default()) {
        Found::Nothing => None,
        Found::Made(mut octets) => {
            let part = partial(0..octets.len() as u64, wanted);
            // Cannot wrap: they are places in `octets`.
            octets.truncate(part.end as usize);
            octets.drain(..part.start as usize);
            Some(Chunk::Octets(octets))
        }
        Found::Range(whole) => {
            let part = partial(whole, wanted);
            let read = message.octets.len() as u64;
            let octets = part.end - part.start;
            Some(match &message.extent {
                Some(extent) if octets >= limits::IMAP_EXTENT || part.end > read => {
                    Chunk::Extent(extent.part(part.start, octets))
                }
                _ => {
                    let end = part.end.min(read);
                    let start = part.start.min(end);
                    Chunk::Octets(message.octets[start as usize..end as usize].to_vec())
                }
            })
        }
    }
}

fn range(range: &Range<usize>) -> Found {
    Found::Range(range.start as u64..range.end as u64)
}

/// Names of header fields. There may be thousands of them, and of fields.
struct Names(BTreeSet<Vec<u8>>);

impl Names {
    fn new(names: &[Vec<u8>]) -> Self {
        Self(names.iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    fn has(&self, name: &[u8]) -> bool {
        self.0.contains(&name.to_ascii_lowercase())
    }
}

/// The fields wanted, and the empty line (RFC 3501 §6.4.5: it is always there).
fn fields(header: &[u8], wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut found = Vec::new();
    for field in Fields::new(header).filter(|field| wanted(field.name)) {
        found.extend_from_slice(field.raw);
        if !found.ends_with(b"\n") {
            found.extend_from_slice(b"\r\n");
        }
    }
    found.extend_from_slice(b"\r\n");
    found
}

struct Writer {
    pieces: Vec<Piece>,
    bytes: Vec<u8>,
    /// A part's transfer encoding was not known.
    undecoded: bool,
}

impl Writer {
    fn in_memory(&self) -> usize {
        let octets = |piece: &Piece| match piece {
            Piece::Bytes(bytes) => bytes.len(),
            Piece::Extent(_) => 0,
        };
        self.pieces.iter().map(octets).sum::<usize>() + self.bytes.len()
    }

    fn is_full(&self) -> bool {
        let before: usize = self
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Bytes(bytes) => bytes.len(),
                // Each holds a file open.
                Piece::Extent(_) => limits::IMAP_RESPONSE / 4,
            })
            .sum();
        before + self.bytes.len() >= limits::IMAP_RESPONSE
    }

    fn text(&mut self, text: &Text, message: &Message, structure: &Structure) {
        text.write_name(&mut self.bytes);
        self.bytes.push(b' ');
        match find(&text.section, message, structure) {
            Found::Nothing => self.bytes.extend_from_slice(b"NIL"),
            Found::Made(octets) => {
                let part = partial(0..octets.len() as u64, text.partial);
                // Cannot wrap: they are places in `octets`.
                self.literal(&octets[part.start as usize..part.end as usize]);
            }
            Found::Range(range) => self.range(partial(range, text.partial), message),
        }
    }

    /// Fields that are among those `kept`.
    fn fields(&mut self, text: &Text, kept: &[u8]) {
        text.write_name(&mut self.bytes);
        self.bytes.push(b' ');
        let octets = match &text.section.what {
            SectionText::HeaderFields(names) => {
                let names = Names::new(names);
                fields(kept, |name| names.has(name))
            }
            _ => Vec::new(),
        };
        let part = partial(0..octets.len() as u64, text.partial);
        // Cannot wrap: they are places in `octets`.
        self.literal(&octets[part.start as usize..part.end as usize]);
    }

    fn binary(&mut self, binary: &Binary, message: &Message, structure: &Structure) {
        binary.write_name(&mut self.bytes);
        self.bytes.push(b' ');
        if binary.part.is_empty() {
            return self.range(partial(0..message.total, binary.partial), message);
        }
        match decoded(message, structure.of(message), &binary.part) {
            Decoded::Octets(octets) => {
                let part = partial(0..octets.len() as u64, binary.partial);
                // Cannot wrap: they are places in `octets`.
                let octets = &octets[part.start as usize..part.end as usize];
                response::binary(&mut self.bytes, octets);
            }
            Decoded::Nothing => self.bytes.extend_from_slice(b"NIL"),
            Decoded::Unknown => {
                self.undecoded = true;
                self.bytes.extend_from_slice(b"NIL");
            }
        }
    }

    fn binary_size(&mut self, path: &[u32], message: &Message, structure: &Structure) {
        self.bytes.extend_from_slice(b"BINARY.SIZE[");
        write_part(&mut self.bytes, path);
        self.bytes.extend_from_slice(b"] ");
        let octets = if path.is_empty() {
            message.total
        } else {
            match decoded(message, structure.of(message), path) {
                Decoded::Octets(octets) => octets.len() as u64,
                Decoded::Nothing => 0,
                Decoded::Unknown => {
                    self.undecoded = true;
                    0
                }
            }
        };
        response::number(&mut self.bytes, octets);
    }

    fn range(&mut self, range: Range<u64>, message: &Message) {
        let octets = range.end - range.start;
        let read = message.octets.len() as u64;
        match &message.extent {
            Some(extent) if octets >= limits::IMAP_EXTENT || range.end > read => {
                response::literal_head(&mut self.bytes, octets);
                self.pieces
                    .push(Piece::Bytes(std::mem::take(&mut self.bytes)));
                self.pieces
                    .push(Piece::Extent(extent.part(range.start, octets)));
            }
            _ => {
                let end = range.end.min(read);
                let start = range.start.min(end);
                self.literal(&message.octets[start as usize..end as usize]);
            }
        }
    }

    fn literal(&mut self, octets: &[u8]) {
        response::literal_head(&mut self.bytes, octets.len() as u64);
        self.bytes.extend_from_slice(octets);
    }

    fn finish(mut self) -> Vec<Piece> {
        if !self.bytes.is_empty() {
            self.pieces.push(Piece::Bytes(self.bytes));
        }
        self.pieces
    }
}

/// Octets of a response beside the text of its message, roughly.
const RESPONSE: usize = 64;

/// The part of `range` that was asked for; empty when it begins past the end (RFC 3501 §6.4.5).
pub fn partial(range: Range<u64>, partial: Option<Partial>) -> Range<u64> {
    let Some(partial) = partial else { return range };
    let start = range.start.saturating_add(partial.offset).min(range.end);
    start..start.saturating_add(partial.octets).min(range.end)
}
