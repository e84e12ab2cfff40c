//! Texts that the program carries compressed, because few who run it read them: the manual, and what is told about codes.
//!
//! `src/build.rs` packs them when the program is built, each by itself, so that who asks for one waits for one: 20 kB take
//! a tenth of a millisecond.

use std::sync::OnceLock;

use miniz_oxide::inflate::decompress_to_vec;

/// A text, as deflate (RFC 1951) made it, and as it was written once somebody has asked for it.
#[derive(Debug)]
pub struct Packed {
    deflated: &'static [u8],
    text: OnceLock<String>,
}

impl Packed {
    /// From what the build script wrote.
    pub const fn new(deflated: &'static [u8]) -> Self {
        Self {
            deflated,
            text: OnceLock::new(),
        }
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        self.text.get_or_init(|| {
            // What the build script packed unpacks, and is text.
            let octets = decompress_to_vec(self.deflated).unwrap_or_default();
            String::from_utf8(octets).unwrap_or_default()
        })
    }
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec;

    use super::*;

    #[test]
    fn a_text_comes_back_as_it_was_written() {
        let written = "Le courrier doit arriver entier et dans l'ordre.\n".repeat(2000);
        let deflated = compress_to_vec(written.as_bytes(), 10);
        assert!(deflated.len() * 20 < written.len());
        let packed = Packed::new(deflated.leak());
        assert_eq!(packed.text(), written);
        assert_eq!(packed.text().as_ptr(), packed.text().as_ptr());
    }
}
