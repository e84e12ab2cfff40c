//! The text of a message on its way in: gathered into blocks, with the trace lines before it, checked as it passes.
//!
//! Invariant: memory is bounded by one block and one receive buffer, however long the message is; a message that is
//! refused is read to its end, and nothing of it is kept (RFC 5321 §4.5.3.1.10: the refusal comes after the end).

use super::header::{Additions, Header};
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
    /// Octets of the message as it was sent, up to now.
    octets: u64,
    max_octets: u64,
    header: Header,
    /// The blocks before; `None` while there are none, and while a worker has it.
    spool: Option<Spool>,
    refused: Option<Reply>,
}

impl Incoming {
    /// Begins with the trace lines, which do not count as the message's octets.
    pub(super) fn new(id: String, trace: String, additions: Additions, max_octets: u64) -> Self {
        Self {
            id,
            block: trace.into_bytes(),
            octets: 0,
            max_octets,
            header: Header::new(additions),
            spool: None,
            refused: None,
        }
    }

    /// Takes a piece of text.
    pub(super) fn text(&mut self, text: &[u8]) {
        if self.refused.is_some() {
            return;
        }
        self.octets += text.len() as u64;
        if self.octets > self.max_octets {
            return self.refuse(replies::too_big(self.max_octets));
        }
        if self.spool.is_some() && self.block.capacity() < limits::LONG_BLOCK {
            // Once, instead of doubling up to twice as much.
            self.block
                .reserve_exact(limits::LONG_BLOCK + limits::RECEIVE_BUFFER);
        }
        self.header.pass(text, &mut self.block);
        if self.header.hops() > limits::HOPS {
            self.refuse(replies::too_many_hops());
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
        let enough = match self.spool {
            None => limits::BLOCK,
            Some(_) => limits::LONG_BLOCK,
        };
        (self.block.len() >= enough).then(|| self.part(first))
    }

    /// What is left, for the worker that delivers.
    pub(super) fn last_block(&mut self, first: &Account) -> Part {
        self.header.finish(&mut self.block);
        self.part(first)
    }

    /// A worker has written the last block.
    pub(super) fn written(&mut self, spool: Spool, buffer: Vec<u8>) {
        self.spool = Some(spool);
        self.block = buffer;
    }

    fn part(&mut self, first: &Account) -> Part {
        Part {
            spool: self.spool.take(),
            first: first.clone(),
            text: std::mem::take(&mut self.block),
        }
    }
}
