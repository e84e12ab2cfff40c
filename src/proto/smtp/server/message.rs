//! The text of a message on its way in: gathered into blocks, with the trace lines before it, checked as it passes.
//!
//! Of a long message the next block is filled while a worker writes the one before.
//!
//! Invariant: memory is bounded by two blocks and one receive buffer, however long the message is, and by
//! [`limits::BLOCKS_AHEAD`] for all messages together; a message that is refused is read to its end, and nothing of it is kept
//! (RFC 5321 §4.5.3.1.10: the refusal comes after the end).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Rigor;
use super::header::{Additions, Header};
use super::replies;
use crate::limits;
use crate::proto::smtp::Part;
use crate::store::{Replies, Spool};
use crate::wire::address::Address;
use crate::wire::envelope::{Body, Envelope};
use crate::wire::line_ends::LineEnds;
use crate::wire::smtp::{Enhanced, Reply};

/// What a message is checked against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checks {
    pub(super) max_octets: u64,
    pub(super) max_hops: usize,
    pub(super) rigor: Rigor,
    /// What MAIL declared.
    pub(super) body: Body,
    /// SMTPUTF8: the header may have letters outside of ASCII.
    pub(super) utf8: bool,
}

/// How the text comes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// As lines: what ends them is CRLF already (DATA).
    Lines,
    /// As octets that are lines (BDAT).
    Chunks(LineEnds),
    /// As octets that are no lines (BDAT with BODY=BINARYMIME): as they are.
    Octets,
}

impl Shape {
    /// As octets that are lines, at the beginning.
    pub(super) const fn chunks() -> Self {
        Self::Chunks(LineEnds::new())
    }
}

/// A message that is being received.
#[derive(Debug)]
pub(super) struct Incoming {
    /// What `250` will call it.
    pub(super) id: String,
    /// Not with a worker yet.
    block: Vec<u8>,
    /// A worker has the block before it, and the spool.
    is_writing: bool,
    /// What it filled last time, emptied, to be filled next.
    spare: Vec<u8>,
    /// That it may be filled meanwhile.
    ahead: Option<Ahead>,
    /// Octets of the message as it was sent, up to now.
    octets: u64,
    checks: Checks,
    shape: Shape,
    header: Header,
    /// Octets above 127 were among them.
    eight_bit: bool,
    /// Octets since the last line end.
    column: usize,
    /// The last octet.
    last: Option<u8>,
    /// No empty line yet. These three are known in a strict session only.
    in_header: bool,
    envelope: Arc<Envelope>,
    replies: Replies,
    /// The blocks before; `None` while there are none, and while a worker has it.
    spool: Option<Spool>,
    refused: Option<Reply>,
}

impl Incoming {
    /// Begins with the trace lines, which do not count as the message's octets.
    pub(super) fn new(
        id: String,
        trace: String,
        additions: Additions,
        checks: Checks,
        shape: Shape,
        envelope: Arc<Envelope>,
        replies: Replies,
    ) -> Self {
        Self {
            id,
            block: trace.into_bytes(),
            is_writing: false,
            spare: Vec::new(),
            ahead: None,
            octets: 0,
            checks,
            shape,
            header: Header::new(additions),
            eight_bit: false,
            column: 0,
            last: None,
            in_header: true,
            envelope,
            replies,
            spool: None,
            refused: None,
        }
    }

    /// Octets of the message as it was sent, up to now.
    pub(super) const fn octets(&self) -> u64 {
        self.octets
    }

    /// The addresses in From; `None` when there is no such field.
    pub(super) fn from(&self) -> Option<Vec<Address>> {
        self.header.from()
    }

    /// Takes a piece of text.
    pub(super) fn text(&mut self, text: &[u8]) {
        self.octets += text.len() as u64;
        if self.refused.is_some() {
            return;
        }
        if self.octets > self.checks.max_octets {
            return self.refuse(replies::too_big(self.checks.max_octets));
        }
        if self.checks.rigor == Rigor::Strict
            && let Some(refusal) = self.strictly(text)
        {
            return self.refuse(refusal);
        }
        self.eight_bit = self.eight_bit || !text.is_ascii();
        let enough = self.enough();
        if self.is_long() && self.block.capacity() < enough {
            // Once, instead of doubling up to twice as much.
            let room = enough + limits::RECEIVE_BUFFER - self.block.len();
            self.block.reserve_exact(room);
        }
        let Self { header, block, .. } = self;
        match &mut self.shape {
            Shape::Lines | Shape::Octets => header.pass(text, block),
            Shape::Chunks(ends) => ends.text(text, |text| header.pass(text, block)),
        }
        if self.header.hops() > self.checks.max_hops {
            self.refuse(replies::too_many_hops(self.checks.max_hops));
        }
    }

    /// What a strict session does not take.
    fn strictly(&mut self, text: &[u8]) -> Option<Reply> {
        let binary = matches!(self.shape, Shape::Octets);
        for &octet in text {
            let after_cr = self.last == Some(b'\r');
            if !binary && after_cr != (octet == b'\n') {
                return Some(bare_line_end());
            }
            self.last = Some(octet);
            if octet == b'\n' {
                // An empty line has its CR alone.
                self.in_header = self.in_header && self.column != 1;
                self.column = 0;
                continue;
            }
            self.column += 1;
            // The CR is counted, the LF is still to come.
            if !binary && self.column >= limits::TEXT_LINE {
                let text = format!(
                    "A line of the message is longer than {} octets (RFC 5321 section 4.5.3.1.6)",
                    limits::TEXT_LINE
                );
                return Some(Reply::new(554, Enhanced(5, 6, 0), text));
            }
            if octet.is_ascii() {
                continue;
            }
            if self.checks.body == Body::SevenBit {
                let text = format!(
                    "The message has octets above 127, and was declared {}: say BODY=8BITMIME (RFC 6152 section 3)",
                    declared(self.checks.body)
                );
                return Some(Reply::new(554, Enhanced(5, 6, 1), text));
            }
            if self.in_header && !self.checks.utf8 {
                let text = "The header has letters outside of ASCII: say SMTPUTF8 behind MAIL FROM:<address> (RFC 6531 section 3.2)";
                return Some(Reply::new(554, Enhanced(5, 6, 7), text));
            }
        }
        None
    }

    /// Reads on to the end, keeps nothing, and ends in this reply.
    pub(super) fn refuse(&mut self, reply: Reply) {
        self.refused = Some(reply);
        (self.block, self.spare) = (Vec::new(), Vec::new());
        self.ahead = None;
        self.spool = None;
    }

    /// The reply that a refused message ends in.
    pub(super) fn take_refusal(&mut self) -> Option<Reply> {
        self.refused.take()
    }

    /// Whether there are blocks before this one.
    const fn is_long(&self) -> bool {
        self.is_writing || self.spool.is_some()
    }

    /// Octets that are enough for a worker.
    const fn enough(&self) -> usize {
        // The first block is small so that a short message never waits for a long one's memory; then they grow, because
        // the disk likes them longer.
        match self.is_long() {
            false => limits::BLOCK,
            true if self.ahead.is_some() && self.octets >= limits::BLOCK_AHEAD as u64 => {
                limits::BLOCK_AHEAD
            }
            true => limits::LONG_BLOCK,
        }
    }

    /// Whether no more can be taken before a worker has it.
    const fn is_full(&self) -> bool {
        self.block.len() >= self.enough()
    }

    /// A block for a worker, when there is enough for one and no worker has another.
    pub(super) fn full_block(&mut self) -> Option<Part> {
        if self.is_writing || !self.is_full() {
            return None;
        }
        let part = self.part();
        self.is_writing = true;
        self.block = std::mem::take(&mut self.spare);
        self.ahead = self.ahead.take().or_else(Ahead::begin);
        Some(part)
    }

    /// Whether a worker has a block of it.
    pub(super) const fn is_writing(&self) -> bool {
        self.is_writing
    }

    /// Whether it has room for more: what is refused is thrown away.
    pub(super) const fn has_room(&self) -> bool {
        self.refused.is_some() || !self.is_writing || self.ahead.is_some() && !self.is_full()
    }

    /// What is left, for the worker that delivers.
    pub(super) fn last_block(&mut self) -> Part {
        if self.checks.rigor == Rigor::Strict
            && self.refused.is_none()
            && matches!(self.shape, Shape::Chunks(ends) if ends.is_after_cr())
        {
            self.refuse(bare_line_end());
        }
        self.header.finish(&mut self.block);
        if self.eight_bit && self.checks.body == Body::SevenBit {
            // It was not declared, and goes on as what it is.
            Arc::make_mut(&mut self.envelope).options.body = Body::EightBit;
        }
        self.part()
    }

    /// A worker has written its block, or could not: why.
    pub(super) fn written(&mut self, spool: Result<Spool, Reply>, buffer: Vec<u8>) {
        self.is_writing = false;
        match spool {
            Err(refusal) => self.refuse(refusal),
            Ok(_) if self.refused.is_some() => {}
            Ok(spool) => {
                self.spool = Some(spool);
                if self.block.capacity() == 0 {
                    self.block = buffer;
                } else {
                    self.spare = buffer;
                }
            }
        }
    }

    fn part(&mut self) -> Part {
        Part {
            spool: self.spool.take(),
            envelope: Arc::clone(&self.envelope),
            replies: self.replies,
            text: std::mem::take(&mut self.block),
        }
    }
}

/// Leave to fill a block while another one is written, as long as there is memory for so many.
#[derive(Debug)]
struct Ahead;

/// How many are there. One for the whole program, as its memory is.
static AHEAD: AtomicUsize = AtomicUsize::new(0);

impl Ahead {
    fn begin() -> Option<Self> {
        let one_more = |many| (many < limits::BLOCKS_AHEAD).then_some(many + 1);
        let begun = AHEAD.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        begun.is_ok().then_some(Self)
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        AHEAD.fetch_sub(1, Ordering::Relaxed);
    }
}

fn bare_line_end() -> Reply {
    let text = "A line of the message ends with a bare CR or LF: every line ends with CR LF (RFC 5321 section 2.3.8)";
    Reply::new(554, Enhanced(5, 6, 0), text)
}

/// What a text is declared as, in words.
const fn declared(body: Body) -> &'static str {
    match body {
        Body::SevenBit => "7BIT",
        Body::EightBit => "8BITMIME",
        Body::Binary => "BINARYMIME",
    }
}
