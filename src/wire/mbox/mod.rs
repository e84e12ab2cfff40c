//! mbox: many messages in one file, each after a line `From sender date` (RFC 4155, and the habits of forty years before it).
//!
//! Four dialects differ in what keeps a line of text that begins with `From ` from being taken for the next message:
//!
//! | dialect | a line `From ` in text is | and a line `>From ` |
//! |---|---|---|
//! | mboxo | written `>From ` | stays: nobody can tell them apart afterwards |
//! | mboxrd | written `>From ` | written `>>From ` and so on: what was is found again |
//! | mboxcl | written `>From `, and `Content-Length` says how long the text is | stays |
//! | mboxcl2 | as it is: `Content-Length` alone counts | stays |
//!
//! [`Reader`] takes them all, in pieces of any size; what it finds it gives to a [`Sink`]. It is given the octets of a file once, in order;
//! whether a `Content-Length` is true only the one who has the file can see, so the sink is asked. [`Text`] writes mboxrd.
//!
//! What programs keep in the header for themselves (`Status`, `X-Mozilla-Status` ...) is taken out, and told as [`Facts`].

mod facts;
mod from_line;
mod reader;
mod text;

pub use facts::{Facts, Marks};
pub use from_line::FromLine;
pub use reader::{Claim, Dialect, Reader, Sink};
pub use text::Text;

/// Octets of a line that are looked at together; longer ones are passed on in pieces.
const PIECE: usize = 64 * 1024;

/// Cuts text that comes in pieces of any size into lines, those longer than [`PIECE`] into pieces. One a text.
#[derive(Debug, Default)]
struct Cutter {
    /// A line whose end has not come.
    partial: Vec<u8>,
    /// The line has been passed on in part.
    within: bool,
}

/// Where a piece stands in its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Start,
    Within,
}

impl Cutter {
    /// Gives whole lines, line ends included, to `pass`.
    fn feed<E>(
        &mut self,
        mut text: &[u8],
        mut pass: impl FnMut(At, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while !text.is_empty() {
            let end = memchr::memchr(b'\n', text).map(|at| at + 1);
            let line = &text[..end.unwrap_or(text.len())];
            text = &text[line.len()..];
            if end.is_some() && self.partial.is_empty() {
                pass(self.at(), line)?;
            } else {
                self.partial.extend_from_slice(line);
                if end.is_none() && self.partial.len() < PIECE {
                    return Ok(());
                }
                pass(self.at(), &self.partial)?;
                self.partial.clear();
            }
            self.within = end.is_none();
        }
        Ok(())
    }

    /// Nothing more comes: what lacks its line end is passed on.
    fn finish<E>(&mut self, pass: impl FnOnce(At, &[u8]) -> Result<(), E>) -> Result<(), E> {
        let at = self.at();
        self.within = false;
        let rest = std::mem::take(&mut self.partial);
        match rest.is_empty() {
            true => Ok(()),
            false => pass(at, &rest),
        }
    }

    const fn at(&self) -> At {
        match self.within {
            true => At::Within,
            false => At::Start,
        }
    }
}

/// How many `>` a line has before its `From `; `None` for any other line.
fn quotes(line: &[u8]) -> Option<usize> {
    let quotes = line.iter().take_while(|&&octet| octet == b'>').count();
    line[quotes..].starts_with(b"From ").then_some(quotes)
}

const fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n")
}

/// Whether the line is of the field `name`.
fn is_field(line: &[u8], name: &str) -> bool {
    line.len() > name.len()
        && line[name.len()] == b':'
        && line[..name.len()].eq_ignore_ascii_case(name.as_bytes())
}

#[cfg(test)]
mod tests;
