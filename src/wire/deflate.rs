//! Deflate (RFC 1951) without a header, as COMPRESS has it (RFC 4978): what is between TLS, or the socket, and the line reader.
//!
//! | | what it holds | while idle |
//! |---|---|---|
//! | [`Unpacker`] | the last 32 KiB that the peer sent, for it may refer to them; tables in the middle of a block | what the peer sent, 32 KiB of it at most |
//! | [`Packer`] | a dictionary and hash chains, 300 KiB | one for all connections of a thread |
//!
//! A packer belongs to a thread: what it writes always ends at a flush (RFC 1951 §3.2.4, a stored block without octets),
//! where another one may go on that knows nothing of what came before. The connection that spoke last finds its dictionary
//! again, any other begins with an empty one. So compressed connections cost hardly more than others, and the price is paid in ratio
//! only where many speak at once.
//!
//! An unpacker never makes more than it is given room for: a bomb waits in its octets until the words before it were read.

use miniz_oxide::deflate::core::{
    CompressionStrategy, CompressorOxide, TDEFLFlush, compress_to_output,
};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{
    BlockBoundaryState, DecompressorOxide, decompress_with_limit, inflate_flags,
};
use miniz_oxide::{DataFormat, MZ_DEFAULT_WINDOW_BITS};

/// How far back a compressed stream may refer (RFC 1951 §2).
const WINDOW: usize = 32 * 1024;

/// Octets that [`Unpacker::unpack`] wants to work in: a window, and as much again.
pub const WORKSPACE: usize = 2 * WINDOW;

/// Effort, of 10. The event loop waits for it: of a megabyte of envelopes level 1 leaves 15 % at 53 MB/s, level 2 14 % at 45,
/// level 6 12 % at 15; of prose level 1 leaves 39 % at 29 MB/s, level 6 27 % at 5.
const LEVEL: u8 = 1;

/// Compresses for many streams in turn. See the module.
pub struct Packer {
    compressor: Box<CompressorOxide>,
    /// Whose words the dictionary holds.
    stream: u64,
    streams: u64,
}

impl Default for Packer {
    fn default() -> Self {
        Self::new()
    }
}

impl Packer {
    /// One that no stream has used.
    pub fn new() -> Self {
        Self {
            compressor: Box::new(CompressorOxide::with_params(
                DataFormat::Raw,
                LEVEL,
                CompressionStrategy::Default,
                // 15.
                MZ_DEFAULT_WINDOW_BITS as u8,
            )),
            stream: 0,
            streams: 0,
        }
    }

    /// A number for one more stream.
    pub const fn new_stream(&mut self) -> u64 {
        self.streams += 1;
        self.streams
    }

    /// Puts `words` of `stream` behind `packed`, compressed and flushed: the peer can read all of them.
    pub fn pack(&mut self, stream: u64, words: &[u8], packed: &mut Vec<u8>) {
        if self.stream != stream {
            self.stream = stream;
            self.compressor.reset();
        }
        compress_to_output(&mut self.compressor, words, TDEFLFlush::Sync, |octets| {
            packed.extend_from_slice(octets);
            true
        });
    }
}

/// Decompresses one stream. See the module.
#[derive(Default)]
pub struct Unpacker {
    /// `None` at the edge of a block.
    within: Option<Box<DecompressorOxide>>,
    /// Bits of the octet in which a block ended, the next begins: how many, and which. Meaningful at the edge of a block.
    edge: (u8, u8),
    at_edge: bool,
    /// What came last.
    window: Vec<u8>,
    /// There was no room for all that was in the octets taken.
    holds_back: bool,
    /// The last block is over.
    ended: bool,
}

/// What was unpacked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// So many octets were used up.
    pub taken: usize,
    /// So many were made of them.
    pub given: usize,
}

/// What came is not what DEFLATE makes, or refers to what never was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

impl Unpacker {
    /// At the beginning of a stream.
    pub fn new() -> Self {
        Self {
            at_edge: true,
            ..Self::default()
        }
    }

    /// Whether more words may come without more octets.
    pub const fn holds_back(&self) -> bool {
        self.holds_back
    }

    /// Whether the peer has ended the stream: what follows is not compressed.
    pub const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Decompresses into `room` up to the end of a block that held something, of the octets, or of the room. Never takes a
    /// thing after the last block. The `workspace` has [`WORKSPACE`] octets at least; what is in it does not matter.
    pub fn unpack(
        &mut self,
        packed: &[u8],
        room: &mut [u8],
        workspace: &mut [u8],
    ) -> Result<Unpacked, Damaged> {
        let mut done = Unpacked::default();
        let from = self.window.len();
        let most = room.len().min(workspace.len().saturating_sub(from));
        if self.ended || most == 0 || packed.is_empty() && !self.holds_back {
            return Ok(done);
        }
        workspace[..from].copy_from_slice(&self.window);
        let mut core = self.within.take().unwrap_or_else(|| {
            let (num_bits, bit_buf) = self.edge;
            let state = BlockBoundaryState {
                num_bits,
                bit_buf,
                ..BlockBoundaryState::default()
            };
            Box::new(DecompressorOxide::from_block_boundary_state(&state))
        });
        loop {
            let (status, taken, given) = decompress_with_limit(
                &mut core,
                &packed[done.taken..],
                workspace,
                from + done.given,
                most - done.given,
                FLAGS,
            );
            done.taken += taken;
            done.given += given;
            self.holds_back = status == TINFLStatus::HasMoreOutput;
            self.at_edge = status == TINFLStatus::BlockBoundary;
            match status {
                TINFLStatus::BlockBoundary => {
                    if let Some(state) = core.block_boundary_state() {
                        self.edge = (state.num_bits, state.bit_buf);
                    }
                    if done.given > 0 || done.taken == packed.len() {
                        break;
                    }
                }
                TINFLStatus::Done => {
                    self.ended = true;
                    break;
                }
                TINFLStatus::NeedsMoreInput | TINFLStatus::HasMoreOutput => break,
                _ => return Err(Damaged),
            }
        }
        self.within = (!self.ended).then_some(core);
        let end = from + done.given;
        room[..done.given].copy_from_slice(&workspace[from..end]);
        self.window.clear();
        self.window
            .extend_from_slice(&workspace[end.saturating_sub(WINDOW)..end]);
        Ok(done)
    }

    /// Gives back what is not needed until more comes.
    pub fn release(&mut self) {
        if self.at_edge {
            self.within = None;
        }
        self.window.shrink_to_fit();
    }
}

/// What follows the end of a stream, when the peer ends it with no more than a flush: the empty block of that, or an empty last
/// one. No command begins with any of its octets.
pub const fn is_of_an_empty_block(octet: u8) -> bool {
    matches!(octet, 0..=5 | 0xFF)
}

const FLAGS: u32 = inflate_flags::TINFL_FLAG_HAS_MORE_INPUT
    | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF
    | inflate_flags::TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All of it, given so many octets at once, with so much room.
    fn unpack(packed: &[u8], piece: usize, room: usize) -> Result<(Vec<u8>, usize), Damaged> {
        let mut unpacker = Unpacker::new();
        let mut workspace = vec![0xAA; WORKSPACE];
        let mut words = Vec::new();
        let mut room = vec![0; room];
        let (mut from, mut to) = (0, 0);
        loop {
            let done = unpacker.unpack(&packed[from..to], &mut room, &mut workspace)?;
            words.extend_from_slice(&room[..done.given]);
            from += done.taken;
            if words.len() % 3 == 0 {
                unpacker.release();
            }
            if done == Unpacked::default() {
                if to == packed.len() || unpacker.has_ended() {
                    return Ok((words, from));
                }
                to = (to + piece).min(packed.len());
            }
        }
    }

    #[test]
    fn streams_in_turn_are_each_whole() {
        let mut packer = Packer::new();
        let streams = [packer.new_stream(), packer.new_stream()];
        let mut packed = [Vec::new(), Vec::new()];
        let mut said = [Vec::new(), Vec::new()];
        for turn in 0..40 {
            let who = usize::from(turn % 5 < 2);
            let words =
                format!("* {turn} FETCH (FLAGS (\\Seen) UID {})\r\n", turn * 7).repeat(turn);
            packer.pack(streams[who], words.as_bytes(), &mut packed[who]);
            said[who].extend_from_slice(words.as_bytes());
        }
        for (packed, said) in packed.iter().zip(&said) {
            assert!(
                packed.len() * 3 < said.len(),
                "{} of {}",
                packed.len(),
                said.len()
            );
            assert_eq!(unpack(packed, 7, 64).unwrap(), (said.clone(), packed.len()));
        }
    }

    #[test]
    fn who_spoke_last_finds_its_dictionary_again() {
        let mut packer = Packer::new();
        let (one, other) = (packer.new_stream(), packer.new_stream());
        let words: Vec<u8> = (0u32..2000).map(|n| (n * n / 7 % 251) as u8).collect();
        let mut octets = |stream| {
            let mut packed = Vec::new();
            packer.pack(stream, &words, &mut packed);
            packed.len()
        };
        let first = octets(one);
        assert!(octets(one) * 10 < first);
        let _ = octets(other);
        assert_eq!(octets(one), first);
    }

    #[test]
    fn a_bomb_fills_the_room_and_no_more() {
        let mut packer = Packer::new();
        let mut packed = Vec::new();
        packer.pack(1, &vec![b'a'; 8 << 20], &mut packed);
        assert!(packed.len() < 100_000, "{}", packed.len());
        let mut unpacker = Unpacker::new();
        let (mut room, mut workspace) = (vec![0; 1000], vec![0; WORKSPACE]);
        let mut given = 0;
        let mut taken = 0;
        while given < 8 << 20 {
            let done = unpacker
                .unpack(&packed[taken..], &mut room, &mut workspace)
                .unwrap();
            assert!(done.given > 0 && room[..done.given].iter().all(|&octet| octet == b'a'));
            given += done.given;
            taken += done.taken;
        }
        assert_eq!(given, 8 << 20);
        assert!(unpacker.window.len() <= WINDOW);
    }

    #[test]
    fn between_blocks_it_holds_only_what_came() {
        let mut packer = Packer::new();
        let mut packed = Vec::new();
        packer.pack(1, b"a1 SELECT INBOX\r\n", &mut packed);
        let mut unpacker = Unpacker::new();
        let (mut room, mut workspace) = (vec![0; 1000], vec![0; WORKSPACE]);
        let first = unpacker.unpack(&packed, &mut room, &mut workspace).unwrap();
        assert_eq!(&room[..first.given], b"a1 SELECT INBOX\r\n");
        // The empty block of the flush.
        let second = unpacker
            .unpack(&packed[first.taken..], &mut room, &mut workspace)
            .unwrap();
        assert_eq!(
            (first.taken + second.taken, second.given),
            (packed.len(), 0)
        );
        unpacker.release();
        assert!(unpacker.within.is_none());
        assert_eq!(unpacker.window.capacity(), 17);
    }

    #[test]
    fn what_follows_the_last_block_is_left_alone() {
        // zlib's words for "NOOP\r\n", ended, and a command in the clear.
        let packed = b"\xf3\xf3\xf7\x0f\xe0\xe5\x02\x00a2 NOOP\r\n";
        let (words, taken) = unpack(packed, 3, 64).unwrap();
        assert_eq!((&words[..], taken), (&b"NOOP\r\n"[..], 8));
    }

    #[test]
    fn what_refers_to_what_never_was_is_damage() {
        // A match at distance 1 in front of everything, in a block with fixed codes.
        assert_eq!(
            unpack(&[0x03 | 0x02, 0x02, 0x00, 0x00], 1, 10),
            Err(Damaged)
        );
        assert_eq!(unpack(b"a1 NOOP\r\n", 1, 100), Err(Damaged));
        assert_eq!(unpack(&[0x07], 1, 100), Err(Damaged));
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_out_again(
            pieces in proptest::collection::vec((0u64..3, proptest::collection::vec(0u8..8, 0..3000)), 0..12),
            piece in 1usize..400,
            room in 1usize..2000,
        ) {
            let mut packer = Packer::new();
            let mut packed = vec![Vec::new(); 3];
            let mut said = vec![Vec::new(); 3];
            for (stream, words) in &pieces {
                packer.pack(stream + 1, words, &mut packed[*stream as usize]);
                said[*stream as usize].extend_from_slice(words);
            }
            for (packed, said) in packed.iter().zip(&said) {
                let (words, taken) = unpack(packed, piece, room).unwrap();
                prop_assert_eq!(&words, said);
                prop_assert_eq!(taken, packed.len());
            }
        }

        #[test]
        fn anything_is_taken_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..600), piece in 1usize..60) {
            let _ = unpack(&octets, piece, 333);
        }
    }
}
