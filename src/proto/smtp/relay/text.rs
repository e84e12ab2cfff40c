//! A message's text: where it is, what it is made of, and how it is read in blocks.

use std::io;
use std::sync::Arc;

use memchr::memmem;

use crate::limits;
use crate::store::Extent;
use crate::wire::dots::{Stuffer, with_crlf};

/// A message's text, with CRLF line ends.
#[derive(Clone, Debug)]
pub enum Text {
    /// In memory. For what has at most [`limits::BLOCK`] octets it is the better way: it costs no job.
    Bytes(Arc<[u8]>),
    /// In a file, of which one block is in memory at a time; NULs in it are kept.
    Stored(Extent),
}

impl Text {
    /// From octets with any line ends.
    pub fn new(text: &[u8]) -> Self {
        Self::Bytes(with_crlf(text).into())
    }

    /// How many octets it has.
    pub fn octets(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stored(extent) => extent.octets(),
        }
    }
}

/// What a text is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nature {
    /// There are octets above 127 in it.
    pub eight_bit: bool,
    /// There are some in its header, which is then for SMTPUTF8 only (RFC 6532).
    pub eight_bit_header: bool,
}

impl Nature {
    /// Of a text in memory.
    pub fn of(text: &[u8]) -> Self {
        let header = memmem::find(text, b"\r\n\r\n").map_or(text, |end| &text[..end]);
        Self {
            eight_bit: !text.is_ascii(),
            eight_bit_header: !header.is_ascii(),
        }
    }

    /// Of a text in a file: reads it, a block at a time. Blocks.
    ///
    /// # Errors
    /// The file cannot be read, or is shorter than it was.
    pub fn of_file(extent: &Extent) -> io::Result<Self> {
        const END: &[u8] = b"\r\n\r\n";
        let mut nature = Self::default();
        let mut block = vec![0; limits::BLOCK];
        let (mut at, mut kept) = (0, 0);
        let mut in_header = true;
        while at < extent.octets() {
            let octets = extent.read_at(&mut block[kept..], at)?;
            if octets == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            at += octets as u64;
            let text = &block[..kept + octets];
            let end = in_header.then(|| memmem::find(text, END)).flatten();
            let header = end.map_or(text, |end| &text[..end]);
            nature.eight_bit_header |= in_header && !header.is_ascii();
            nature.eight_bit |= !text.is_ascii();
            in_header &= end.is_none();
            // The end of the header may be cut by the end of the block.
            let length = text.len();
            kept = (END.len() - 1).min(length);
            block.copy_within(length - kept..length, 0);
        }
        Ok(nature)
    }
}

/// A block of dot-text, and where the next one begins.
#[derive(Debug)]
pub struct Stuffed {
    /// As it goes out.
    pub block: Vec<u8>,
    /// Octets of the text before the next block.
    pub next: u64,
    /// For the next block.
    pub stuffer: Stuffer,
}

impl Stuffed {
    /// The block of a file that begins after `from` octets; with the dot alone if it is the last. Blocks.
    ///
    /// # Errors
    /// The file cannot be read, or is shorter than it was.
    pub fn read(extent: &Extent, from: u64, mut stuffer: Stuffer) -> io::Result<Self> {
        let left = extent.octets().saturating_sub(from);
        let length = usize::try_from(left).map_or(PIECE, |left| left.min(PIECE));
        let mut text = vec![0; length];
        let mut read = 0;
        while read < length {
            match extent.read_at(&mut text[read..], from + read as u64)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                octets => read += octets,
            }
        }
        let mut block = Vec::with_capacity(length + length / 64 + 8);
        stuffer.text(&text, &mut block);
        let next = from + length as u64;
        if next == extent.octets() {
            stuffer.end(&mut block);
        }
        Ok(Self {
            block,
            next,
            stuffer,
        })
    }
}

/// Octets of a file that are read at once: two of them fill what a connection lets wait.
const PIECE: usize = limits::SEND_HIGH / 2;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(text: &[u8]) -> Extent {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(text).expect("a write");
        Extent::new(Arc::new(file), 0, text.len() as u64)
    }

    #[test]
    fn what_a_text_is_made_of_is_seen_wherever_blocks_end() {
        let long = "x".repeat(limits::BLOCK - 8);
        for (text, eight_bit, header) in [
            ("a: b\r\n\r\nc\r\n".to_owned(), false, false),
            ("a: b\r\n\r\n\u{e9}\r\n".to_owned(), true, false),
            ("a: \u{e9}\r\n\r\nc\r\n".to_owned(), true, true),
            ("a: \u{e9}\r\n".to_owned(), true, true),
            (String::new(), false, false),
            (format!("{long}\r\n\r\n\u{e9}{long}"), true, false),
            (format!("a: {long}\r\n\r\n\u{e9}{long}"), true, false),
            (format!("abcdef{long}\r\n\r\n{long}\u{e9}"), true, false),
            (format!("{long}{long}\u{e9}\r\n\r\n"), true, true),
        ] {
            let nature = Nature {
                eight_bit,
                eight_bit_header: header,
            };
            assert_eq!(Nature::of(text.as_bytes()), nature);
            let read = Nature::of_file(&file(text.as_bytes())).expect("read");
            assert_eq!(read, nature, "{} octets", text.len());
        }
    }

    #[test]
    fn a_file_that_became_shorter_is_an_error() {
        let empty = Extent::new(Arc::new(tempfile::tempfile().expect("a file")), 0, 10);
        assert!(Nature::of_file(&empty).is_err());
        assert!(Stuffed::read(&empty, 0, Stuffer::new()).is_err());
    }
}
