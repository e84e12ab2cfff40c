//! COMPRESS=DEFLATE on a connection (RFC 4978): between TLS, or the socket, and the line reader.
//!
//! ```text
//! socket, TLS --> received --> Unpacker --> the line reader
//! Out --> the thread's Packer --> unsent --> TLS, socket
//! ```
//!
//! Each buffer is filled only when it is empty or has room, as those of TLS are: a peer that sends a bomb, or reads nothing, costs
//! no more than others do. Everything gathered for one write is flushed, so nothing that was said waits in the compressor.
//!
//! A peer ends its stream with its last block, or, when both agree to (RFC 8437 §4), after some flush: from then on what comes is
//! passed on as it is.

use crate::limits;
use crate::reactor::trouble::Trouble;
use crate::wire::deflate::{Packer, Unpacker, is_of_an_empty_block};
use crate::wire::lines::{Cut, LineReader, Want};

/// What a compressed connection holds. See the module.
pub(super) struct Packing {
    /// Octets that are not decompressed yet.
    pub(super) received: LineReader,
    incoming: Incoming,
    /// Compressed, to be sent from `sent` on.
    unsent: Vec<u8>,
    sent: usize,
    stream: u64,
}

enum Incoming {
    Packed(Unpacker),
    /// Nothing is compressed any more, but the end of what was may still come.
    Ending,
    /// Nothing is compressed any more.
    Plain,
}

impl Packing {
    /// From now on; what `reader` holds came too early to be anything but compressed.
    pub(super) fn new(packer: &mut Packer, reader: &mut LineReader) -> Self {
        let capacity = limits::RECEIVE_BUFFER.max(reader.pending());
        let mut received = LineReader::with_capacity(capacity);
        while let Some(Cut::Text(octets)) = reader.cut(Want::Octets(u64::MAX)) {
            received.push(octets);
        }
        Self {
            received,
            incoming: Incoming::Packed(Unpacker::new()),
            unsent: Vec::new(),
            sent: 0,
            stream: packer.new_stream(),
        }
    }

    /// Both sides compress no more. Everything has been sent.
    pub(super) fn end(&mut self) {
        self.incoming = match &self.incoming {
            Incoming::Packed(unpacker) if unpacker.has_ended() => Incoming::Plain,
            _ => Incoming::Ending,
        };
    }

    /// Whether this side compresses.
    pub(super) const fn packs(&self) -> bool {
        matches!(self.incoming, Incoming::Packed(_))
    }

    /// Whether there is nothing more for it to do: it can be dropped.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self.incoming, Incoming::Plain) && self.received.pending() == 0
    }

    /// Whether all that came is in the line reader.
    pub(super) const fn is_drained(&self) -> bool {
        let holds_back = match &self.incoming {
            Incoming::Packed(unpacker) => unpacker.holds_back(),
            Incoming::Ending | Incoming::Plain => false,
        };
        self.received.pending() == 0 && !holds_back
    }

    /// Whether the peer has ended its stream, and with it all that it has to say in this conversation.
    pub(super) const fn has_ended(&self) -> bool {
        match &self.incoming {
            Incoming::Packed(unpacker) => unpacker.has_ended(),
            Incoming::Ending | Incoming::Plain => false,
        }
    }

    /// Decompresses into the reader, up to the end of a block: the session may have an end to compression there. About how
    /// many octets moved.
    pub(super) fn unpack(
        &mut self,
        reader: &mut LineReader,
        workspace: &mut [u8],
    ) -> Result<usize, Trouble> {
        let room = reader.space();
        if room.is_empty() {
            return Ok(0);
        }
        match &mut self.incoming {
            Incoming::Packed(unpacker) => {
                let packed = self.received.waiting();
                let done = unpacker
                    .unpack(packed, room, workspace)
                    .map_err(|_| Trouble::Damaged)?;
                reader.filled(done.given);
                self.received.skip(done.taken);
                Ok(done.taken + done.given)
            }
            Incoming::Ending => {
                let waiting = self.received.waiting();
                let rest = waiting
                    .iter()
                    .position(|&octet| !is_of_an_empty_block(octet));
                let octets = rest.unwrap_or(waiting.len());
                self.received.skip(octets);
                if rest.is_some() {
                    self.incoming = Incoming::Plain;
                }
                Ok(octets + usize::from(rest.is_some()))
            }
            Incoming::Plain => {
                let waiting = self.received.waiting();
                let octets = waiting.len().min(room.len());
                room[..octets].copy_from_slice(&waiting[..octets]);
                reader.filled(octets);
                self.received.skip(octets);
                Ok(octets)
            }
        }
    }

    /// Compresses what is gathered for one write.
    pub(super) fn pack(&mut self, packer: &mut Packer, words: &[u8]) {
        packer.pack(self.stream, words, &mut self.unsent);
    }

    /// Octets to be sent; then [`Self::advance`].
    pub(super) fn unsent(&self) -> &[u8] {
        &self.unsent[self.sent..]
    }

    /// The first `octets` of [`Self::unsent`] are sent.
    pub(super) fn advance(&mut self, octets: usize) {
        self.sent += octets;
        if self.sent == self.unsent.len() {
            self.unsent.clear();
            self.sent = 0;
        }
    }

    /// Gives memory back that is not in use.
    pub(super) fn release(&mut self) {
        self.received.release();
        if self.unsent.is_empty() {
            self.unsent = Vec::new();
        }
        if let Incoming::Packed(unpacker) = &mut self.incoming {
            unpacker.release();
        }
    }
}
