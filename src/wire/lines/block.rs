//! Sixty-four octets at a time: where a given octet stands among them, as a bit for each.
//!
//! These are the inner loops of [the line reader](crate). `memchr` answers for one octet and one place a call; a line needs one call
//! and a line of message text three (CR, LF, a dot after LF). Here a block is loaded once and asked as often as needed.
//!
//! `fearless_simd` makes it safe to call: what is asked of a single block ([`Block`]) is done inline with what every
//! processor of the architecture has (SSE2 on x86-64, NEON on ARM); what is asked of many at once is done with the widest that
//! this processor has (AVX-512, AVX2), which a call is spent on.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

/// Octets in a block: one for each bit of a mask.
pub const BLOCK: usize = 64;

/// The octets of one block.
#[derive(Clone, Copy)]
pub struct Block([u8; BLOCK]);

impl Block {
    /// Loads the first 64 octets of `bytes`; zeros stand for those that are missing.
    ///
    /// ```
    /// use mailtool_lines::block::Block;
    ///
    /// let block = Block::load(b"ab\r\n.\r\n");
    /// assert_eq!(block.positions(b'\n'), 0b100_1000);
    /// ```
    #[inline]
    pub fn load(bytes: &[u8]) -> Self {
        Self(
            bytes
                .first_chunk()
                .copied()
                .unwrap_or_else(|| padded(bytes)),
        )
    }

    /// Bit `n` is set where octet `n` is `octet`.
    #[inline]
    pub fn positions(&self, octet: u8) -> u64 {
        dispatch!(Level::baseline(), simd => {
            u8x64::from_slice(simd, &self.0).simd_eq(octet).to_bitmask()
        })
    }
}

/// Apart, so that nothing is made ready for it where whole blocks are loaded.
#[cold]
#[inline(never)]
fn padded(bytes: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..bytes.len()].copy_from_slice(bytes);
    block
}

/// [`Block::positions`] of `octet` in each of `blocks`, one mask for each.
pub fn positions_in_each(blocks: &[[u8; BLOCK]], octet: u8, masks: &mut [u64]) {
    dispatch!(Level::new(), simd => {
        let octet = u8x64::splat(simd, octet);
        for (block, mask) in blocks.iter().zip(masks) {
            *mask = u8x64::from_slice(simd, block).simd_eq(octet).to_bitmask();
        }
    });
}

/// How many octets after the first of `text` are message text that stays as it is, in whole blocks: there each CR has
/// its LF and each LF its CR, and no dot begins a line.
///
/// At the block after these it ends, or something else may stand there, which must be looked at closely.
///
/// ```
/// use mailtool_lines::block::plain_text;
///
/// let text = "\nIt was a bright cold day in April,\r\n and the clocks were striking thirteen.\r\n..\r\n";
/// assert_eq!(plain_text(text.as_bytes()), 64);
/// ```
pub fn plain_text(text: &[u8]) -> usize {
    dispatch!(Level::new(), simd => {
        let mut plain = 0;
        while let Some(window) = text[plain..].first_chunk()
            && is_plain(simd, window)
        {
            plain += BLOCK;
        }
        plain
    })
}

/// How many of the octets after the first of `text` are line feeds without a CR before them.
///
/// ```
/// use mailtool_lines::block::bare_line_feeds;
///
/// assert_eq!(bare_line_feeds(b"\na\r\nb\n\n"), 2);
/// ```
pub fn bare_line_feeds(text: &[u8]) -> u64 {
    dispatch!(Level::new(), simd => {
        let (mut at, mut bare) = (0, 0);
        while let Some(window) = text[at..].first_chunk::<{ 1 + BLOCK }>() {
            let before = u8x64::from_slice(simd, &window[..BLOCK]);
            let here = u8x64::from_slice(simd, &window[1..]);
            let found = here.simd_eq(b'\n').to_bitmask() & !before.simd_eq(b'\r').to_bitmask();
            bare += u64::from(found.count_ones());
            at += BLOCK;
        }
        let rest = text[at..].windows(2).filter(|two| two[1] == b'\n' && two[0] != b'\r');
        bare + rest.count() as u64
    })
}

/// Whether a block is plain text after the octet before it, with which the window begins.
#[inline(always)]
fn is_plain<S: Simd>(simd: S, window: &[u8; 1 + BLOCK]) -> bool {
    let before = u8x64::from_slice(simd, &window[..BLOCK]);
    let here = u8x64::from_slice(simd, &window[1..]);
    let bare = before.simd_eq(b'\r') ^ here.simd_eq(b'\n');
    // LF and a dot have a sum that hardly anything else in text has (CR and a plus sign do, which costs a closer look): one
    // comparison instead of two. Octets of 8-bit text have none: it saturates.
    let line_dots = before.saturating_add(here).simd_eq(b'\n' + b'.');
    !(bare | line_dots).any_true()
}

/// A mask of the first `count` bits, of which there are at most 64.
#[inline]
pub const fn first_bits(count: usize) -> u64 {
    match count {
        0..BLOCK => (1 << count) - 1,
        _ => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_octet_is_found_at_each_place_and_nowhere_else() {
        for octet in 0..=u8::MAX {
            for at in 0..BLOCK {
                let mut bytes = [octet ^ 0x80; BLOCK];
                bytes[at] = octet;
                assert_eq!(Block::load(&bytes).positions(octet), 1 << at);
                assert_eq!(Block::load(&bytes).positions(octet ^ 0x80), !(1 << at));
                let mut masks = [0; 2];
                positions_in_each(&[[octet; BLOCK], bytes], octet, &mut masks);
                assert_eq!(masks, [u64::MAX, 1 << at]);
            }
        }
    }

    #[test]
    fn bare_line_feeds_are_counted_wherever_they_stand() {
        let naive = |text: &[u8]| {
            let found = (1..text.len()).filter(|&at| text[at] == b'\n' && text[at - 1] != b'\r');
            found.count() as u64
        };
        for length in 0..4 * BLOCK {
            for step in [1, 2, 3, 7, 63, 64, 65] {
                let octet = |at: usize| match (at.is_multiple_of(step), at % 3) {
                    (true, _) => b'\n',
                    (false, 0) => b'\r',
                    _ => b'x',
                };
                let text: Vec<u8> = (0..length).map(octet).collect();
                assert_eq!(bare_line_feeds(&text), naive(&text), "{length} {step}");
            }
        }
    }

    #[test]
    fn a_short_block_ends_in_zeros() {
        assert_eq!(Block::load(b"xx").positions(b'x'), 0b11);
        assert_eq!(Block::load(b"xx").positions(0), !0b11);
    }

    #[test]
    fn text_is_plain_up_to_the_block_in_which_something_is_not() {
        let stops = |before: u8, here: u8| {
            (before == b'\r') != (here == b'\n') || (before == b'\n' && here == b'.')
        };
        let mut false_alarms = 0;
        for [before, here] in (0..=u16::MAX).map(u16::to_be_bytes) {
            for at in [BLOCK - 1, BLOCK, 2 * BLOCK - 1] {
                let mut text = [b'x'; 1 + 3 * BLOCK];
                text[at..at + 2].copy_from_slice(&[before, here]);
                // The other halves of line ends.
                if before == b'\n' {
                    text[at - 1] = b'\r';
                }
                if here == b'\r' {
                    text[at + 2] = b'\n';
                }
                let block = at / BLOCK * BLOCK;
                let plain = plain_text(&text);
                match (stops(before, here), before.checked_add(here)) {
                    (true, _) => assert_eq!(plain, block, "{before} {here} at {at}"),
                    (false, Some(0x38)) => false_alarms += usize::from(plain == block),
                    (false, _) => assert_eq!(plain, 3 * BLOCK, "{before} {here} at {at}"),
                }
            }
        }
        // Of 57 pairs with that sum, three stop: LF and dot, dot and LF, CR and plus sign.
        assert_eq!(false_alarms, 3 * 54);
    }
}
