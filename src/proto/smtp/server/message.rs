//! The text of a message on its way in: gathered into blocks, with the trace lines before it, checked as it passes.
//!
//! Invariant: memory is bounded by one block and one receive buffer, however long the message is; a message that is
//! refused is read to its end, and nothing of it is kept (RFC 5321 §4.5.3.1.10: the refusal comes after the end).

use super::header::{Field, HeaderScan};
use super::replies;
use crate::limits;
use crate::proto::smtp::Part;
use crate::store::{Account, Spool};
use crate::wire::smtp::Reply;

/// A message that is being received.
#[derive(Debug)]
pub(super) struct Incoming {
    /// What `250` will call it.
    pub(super) id: String,
    /// Not with a worker yet.
    block: Vec<u8>,
    /// How many octets of trace lines `block` begins with.
    trace_octets: usize,
    /// What stood before `block`, in octets of the message as it was sent.
    before: u64,
    /// Octets of the message as it was sent, up to now.
    octets: u64,
    max_octets: u64,
    scan: HeaderScan,
    spool: Option<Spool>,
    refused: Option<Reply>,
}

/// What a submission server adds where the client left it out (RFC 6409 §8): whole lines.
pub(super) struct Additions {
    pub(super) date: String,
    pub(super) message_id: String,
}

impl Incoming {
    /// Begins with the trace lines, which do not count as the message's octets.
    pub(super) fn new(id: String, trace: String, max_octets: u64) -> Self {
        Self {
            id,
            trace_octets: trace.len(),
            block: trace.into_bytes(),
            before: 0,
            octets: 0,
            max_octets,
            scan: HeaderScan::default(),
            spool: None,
            refused: None,
        }
    }

    /// Takes a piece of text.
    pub(super) fn text(&mut self, text: &[u8]) {
        if self.refused.is_some() {
            return;
        }
        if self.octets + text.len() as u64 > self.max_octets {
            self.refuse(replies::too_big(self.max_octets));
            return;
        }
        let missing_line = self.scan.feed(text);
        if self.before > 0 && self.block.capacity() < limits::LONG_BLOCK {
            // Once, instead of doubling up to twice as much.
            self.block
                .reserve_exact(limits::LONG_BLOCK + limits::RECEIVE_BUFFER);
        }
        self.block.extend_from_slice(text);
        self.octets += text.len() as u64;
        if self.scan.hops() > limits::HOPS {
            self.refuse(replies::too_many_hops());
        } else if let Some(at) = missing_line.and_then(|at| at.checked_sub(self.before)) {
            // `at` lies in the block, because what came before it went to the worker without it.
            let at = self.trace_octets + usize::try_from(at).unwrap_or(usize::MAX);
            if at <= self.block.len() {
                self.block.splice(at..at, *b"\r\n");
            }
        }
    }

    /// Reads on to the end, keeps nothing, and ends in this reply.
    pub(super) fn refuse(&mut self, reply: Reply) {
        self.refused = Some(reply);
        self.block = Vec::new();
        self.spool = None;
    }

    /// The reply that a refused message ends in.
    pub(super) fn take_refusal(&mut self) -> Option<Reply> {
        self.refused.take()
    }

    /// A block for a worker, when there is enough for one.
    pub(super) fn full_block(&mut self, first: &Account) -> Option<Part> {
        // The first block is small so that a short message never waits for a long one's memory; then they grow, because
        // the disk likes them longer.
        let enough = match self.before {
            0 => limits::BLOCK,
            _ => limits::LONG_BLOCK,
        };
        (self.block.len() >= enough).then(|| self.part(first))
    }

    /// What is left, for the worker that delivers.
    pub(super) fn last_block(&mut self, first: &Account, additions: Option<Additions>) -> Part {
        // A header that is longer than a block went to the worker before it was known what is missing in it.
        if let Some(additions) = additions.filter(|_| self.before == 0) {
            let mut lines = String::new();
            if self.scan.date() == Field::Missing {
                lines.push_str(&additions.date);
            }
            if self.scan.message_id() == Field::Missing {
                lines.push_str(&additions.message_id);
            }
            let at = self.trace_octets;
            self.block.splice(at..at, lines.into_bytes());
        }
        self.part(first)
    }

    /// A worker has written the last block.
    pub(super) fn written(&mut self, spool: Spool, buffer: Vec<u8>) {
        self.spool = Some(spool);
        self.block = buffer;
    }

    fn part(&mut self, first: &Account) -> Part {
        self.before = self.octets;
        self.trace_octets = 0;
        Part {
            spool: self.spool.take(),
            first: first.clone(),
            text: std::mem::take(&mut self.block),
        }
    }
}
