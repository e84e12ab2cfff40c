//! Texts that the program carries compressed, because few who run it read them: the manual, and what is told about codes.
//!
//! `src/build.rs` packs them when the program is built, those that are like one another in one block: who asks for one waits for all of
//! them, a millisecond for 200 kB.

use std::sync::OnceLock;

use miniz_oxide::inflate::decompress_to_vec;

/// What parts the texts of a block: the record separator of ASCII, which none of them has.
pub const BETWEEN: &str = "\u{1e}";

/// Some texts, as deflate (RFC 1951) made them of one after the other, and as they were written once somebody has asked for one.
#[derive(Debug)]
pub struct Block {
    deflated: &'static [u8],
    texts: OnceLock<String>,
}

impl Block {
    /// From what the build script wrote.
    pub const fn new(deflated: &'static [u8]) -> Self {
        Self {
            deflated,
            texts: OnceLock::new(),
        }
    }

    /// All texts of it.
    pub fn texts(&self) -> &str {
        self.texts.get_or_init(|| {
            // What the build script packed unpacks, and is text.
            let octets = decompress_to_vec(self.deflated).unwrap_or_default();
            String::from_utf8(octets).unwrap_or_default()
        })
    }
}

/// One text of a block.
#[derive(Debug)]
pub struct Packed {
    block: &'static Block,
    number: usize,
}

impl Packed {
    /// The text of that number, from 0, between those that [`BETWEEN`] parts.
    pub const fn new(block: &'static Block, number: usize) -> Self {
        Self { block, number }
    }

    /// The text as it was written.
    pub fn text(&self) -> &'static str {
        let mut texts = self.block.texts().split(BETWEEN);
        texts.nth(self.number).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec;

    use super::*;

    #[test]
    fn texts_come_back_as_they_were_written() {
        let written = "Le courrier doit arriver entier et dans l'ordre.\n".repeat(2000);
        let texts = [&written, "", "Ende"].join(BETWEEN);
        let deflated = compress_to_vec(texts.as_bytes(), 10);
        assert!(deflated.len() * 20 < written.len());
        let block: &'static Block = Box::leak(Box::new(Block::new(deflated.leak())));
        for (number, text) in [&written, "", "Ende", ""].into_iter().enumerate() {
            assert_eq!(Packed::new(block, number).text(), text);
        }
    }
}
