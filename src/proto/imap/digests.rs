//! What FETCH, SEARCH, SORT and THREAD know of a message without reading it: made once, and kept by the store.

use crate::limits;
use crate::proto::imap::arrange::{write_links, write_order, write_people};
use crate::proto::imap::message::Message;
use crate::store::{Digest, Digests};
use crate::wire::imap::fetch::{Item, SectionText};
use crate::wire::mime::describe::{Detail, write_envelope, write_structure};
use crate::wire::mime::header::header_octets;
use crate::wire::mime::kept::{is_kept, keep, keep_subject};
use crate::wire::mime::preview::preview;
use crate::wire::mime::structure::Part;

/// Digests of one message at a time; its buffers serve the next one too.
#[derive(Debug)]
pub struct Known {
    kinds: Vec<Digest>,
    octets: Vec<u8>,
    /// Where each of `kinds` ends in `octets`.
    ends: Vec<usize>,
}

/// What tells an item without the message; `None`: nothing does.
pub fn digest_of(item: &Item) -> Option<Digest> {
    match item {
        Item::Envelope => Some(Digest::Envelope),
        Item::BodyStructure => Some(Digest::Structure),
        Item::Body => Some(Digest::Body),
        Item::Preview => Some(Digest::Preview),
        Item::Text(text) if text.section.part.is_empty() => match &text.section.what {
            SectionText::HeaderFields(names) => names
                .iter()
                .all(|name| is_kept(name))
                .then_some(Digest::Fields),
            _ => None,
        },
        _ => None,
    }
}

impl Known {
    /// Of these kinds, each once.
    pub fn new(wanted: impl Iterator<Item = Digest>) -> Self {
        let mut kinds = Vec::new();
        for kind in wanted {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        Self {
            kinds,
            octets: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Takes them from the store; `false`: the message has to be read.
    pub fn take(&mut self, digests: &mut Digests<'_>, uid: u32) -> bool {
        self.octets.clear();
        self.ends.clear();
        digests.take(uid, &self.kinds, &mut self.octets, &mut self.ends)
    }

    /// Makes them from a message, of which enough was read.
    pub fn make<'m>(&mut self, message: &'m Message, structure: impl Fn() -> &'m Part) {
        self.octets.clear();
        self.ends.clear();
        for kind in &self.kinds {
            let out = &mut self.octets;
            let octets = &message.octets[..];
            match kind {
                Digest::Fields => keep(&octets[..header_octets(octets)], out),
                Digest::Envelope => write_envelope(out, &octets[..header_octets(octets)]),
                Digest::Structure => write_structure(out, octets, structure(), Detail::Extended),
                Digest::Body => write_structure(out, octets, structure(), Detail::Basic),
                Digest::Preview => out.extend_from_slice(preview(octets).as_bytes()),
                Digest::Subject => keep_subject(&octets[..header_octets(octets)], out),
                Digest::Order => write_order(out, &octets[..header_octets(octets)]),
                Digest::People => write_people(out, &octets[..header_octets(octets)]),
                Digest::Links => write_links(out, &octets[..header_octets(octets)]),
            }
            self.ends.push(self.octets.len());
        }
    }

    /// Has the store keep them, all or none: else those that it has would be made and kept again with those that it has not.
    pub fn keep(&self, digests: &mut Digests<'_>, uid: u32) {
        if self.octets.len() > limits::DIGEST {
            return;
        }
        for kind in &self.kinds {
            digests.add(uid, *kind, self.of(*kind));
        }
    }

    /// One of them; nothing of a kind that was not asked for.
    pub fn of(&self, kind: Digest) -> &[u8] {
        let Some(at) = self.kinds.iter().position(|one| *one == kind) else {
            return &[];
        };
        let from = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.ends
            .get(at)
            .map_or(&[], |&end| &self.octets[from..end])
    }

    /// All of them, one after the other.
    pub fn all(&self) -> &[u8] {
        &self.octets
    }

    /// Takes them out of others, which have them.
    pub fn pick(&mut self, others: &Self) {
        self.octets.clear();
        self.ends.clear();
        for kind in &self.kinds {
            self.octets.extend_from_slice(others.of(*kind));
            self.ends.push(self.octets.len());
        }
    }

    /// Of which kinds.
    pub fn kinds(&self) -> &[Digest] {
        &self.kinds
    }

    /// Octets of all.
    pub fn octets(&self) -> usize {
        self.octets.len()
    }
}
