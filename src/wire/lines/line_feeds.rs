//! Line feeds found ahead of the line that is cut: the inner loop of [the line reader](crate) for lines.
//!
//! They are looked for in stretches of up to 2 KiB, with the widest that the processor has, and kept as a bit for each octet;
//! a line that is cut takes the next bit. No octet is looked at twice, whatever is cut in between. Block by block, each when
//! its line is cut, lines of 64 octets took 1.4 times as long.

use crate::block::{BLOCK, Block, first_bits, positions_in_each};

/// The line feeds in a buffer from some place on, in the order in which they stand. See the module.
#[derive(Debug)]
pub(crate) struct LineFeeds {
    /// Those in the 64 octets before `until` that have not been taken: bit 63 is the last of these octets.
    bits: u64,
    until: usize,
    /// The same for each block after `until`: `ahead[next..]`. None before the first look, nor after [`Self::release`].
    ahead: Option<Box<[u64; AHEAD]>>,
    next: usize,
}

/// Blocks that are looked through at once.
const AHEAD: usize = 32;

impl LineFeeds {
    /// Nothing has been looked through.
    pub(crate) const fn new() -> Self {
        Self {
            bits: 0,
            until: 0,
            ahead: None,
            next: AHEAD,
        }
    }

    /// The next one, if it has been found already.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<usize> {
        while self.bits == 0 {
            self.bits = *self.ahead.as_ref()?.get(self.next)?;
            self.next += 1;
            self.until += BLOCK;
        }
        Some(self.until + self.bits.trailing_zeros() as usize - BLOCK)
    }

    /// The next one is done with: it has been peeked at.
    #[inline]
    pub(crate) const fn take(&mut self) {
        self.bits &= self.bits - 1;
    }

    /// Looks on in `received`, which is the buffer as far as it is filled. `false`: all of it has been looked through.
    ///
    /// To be called when there is none to peek at.
    pub(crate) fn look(&mut self, received: &[u8]) -> bool {
        let (blocks, rest) = received[self.until..].as_chunks();
        let stretch = blocks.len().min(AHEAD);
        if stretch > 0 {
            self.next = AHEAD - stretch;
            let ahead = self.ahead.get_or_insert_with(|| Box::new([0; AHEAD]));
            positions_in_each(&blocks[..stretch], b'\n', &mut ahead[self.next..]);
        } else if !rest.is_empty() {
            self.bits = Block::load(rest).positions(b'\n') << (BLOCK - rest.len());
            self.until = received.len();
        }
        stretch > 0 || !rest.is_empty()
    }

    /// Everything before `place` is done with, which is no place in front of one that was done with before.
    pub(crate) fn pass(&mut self, place: usize) {
        if let Some(ahead) = place.checked_sub(self.until) {
            let blocks = ahead.div_ceil(BLOCK);
            if blocks > AHEAD - self.next {
                return self.restart(place);
            }
            if let (Some(last), Some(masks)) = (blocks.checked_sub(1), &self.ahead) {
                self.bits = masks[self.next + last];
            }
            self.next += blocks;
            self.until += blocks * BLOCK;
        }
        self.bits &= !first_bits((place + BLOCK).saturating_sub(self.until));
    }

    /// Nothing is known: line feeds are looked for from `place` on.
    pub(crate) const fn restart(&mut self, place: usize) {
        (self.bits, self.until, self.next) = (0, place, AHEAD);
    }

    /// Nothing is in the buffer, which is given back: so is the memory for what was found in it.
    pub(crate) fn release(&mut self) {
        self.ahead = None;
        self.restart(0);
    }

    /// What is in the buffer moved to the front, by so many octets.
    pub(crate) const fn moved(&mut self, octets: usize) {
        self.until -= octets;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        /// So many octets more come.
        Receive(usize),
        /// The next line feed is taken.
        Take,
        /// So many octets are cut otherwise.
        Pass(usize),
        /// What is not done with moves to the front.
        Move,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..3 * BLOCK).prop_map(Step::Receive),
            (0..AHEAD * BLOCK * 3 / 2).prop_map(Step::Receive),
            Just(Step::Take),
            Just(Step::Take),
            (0..3 * BLOCK).prop_map(Step::Pass),
            (0..AHEAD * BLOCK * 3 / 2).prop_map(Step::Pass),
            Just(Step::Move),
        ]
    }

    proptest! {
        #[test]
        fn the_next_line_feed_is_the_first_that_is_not_done_with(
            gaps in proptest::collection::vec(prop_oneof![0..9_usize, 0..200_usize, 0..3000_usize], 0..300),
            steps in proptest::collection::vec(step(), 0..200),
        ) {
            let mut bytes: Vec<u8> = gaps.iter().flat_map(|&gap| [&vec![b'x'; gap], &b"\n"[..]].concat()).collect();
            let mut line_feeds = LineFeeds::new();
            let (mut start, mut end) = (0, 0);
            for step in steps {
                match step {
                    Step::Receive(octets) => end = bytes.len().min(end + octets),
                    Step::Take => {
                        let next = loop {
                            let next = line_feeds.peek();
                            if next.is_some() || !line_feeds.look(&bytes[..end]) {
                                break next;
                            }
                        };
                        let expected = bytes[start..end].iter().position(|&byte| byte == b'\n');
                        prop_assert_eq!(next, expected.map(|at| start + at));
                        if let Some(next) = next {
                            line_feeds.take();
                            start = next + 1;
                        }
                    }
                    Step::Pass(octets) => {
                        start = end.min(start + octets);
                        line_feeds.pass(start);
                    }
                    Step::Move => {
                        bytes.drain(..start);
                        line_feeds.moved(start);
                        (start, end) = (0, end - start);
                    }
                }
            }
        }
    }
}
