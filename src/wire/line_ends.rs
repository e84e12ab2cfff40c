//! Text that comes in counted octets (RFC 3030 §2) on its way into a message: every line end becomes CRLF.
//!
//! The standard forbids a bare CR or LF in text that is not declared BINARYMIME (RFC 5321 §2.3.8). Passed on, one could be
//! taken for a line end further on, and a second message be seen inside the first; so they become line ends here, as the
//! line reader does it for dot-text.

use memchr::memchr2;

/// Makes CRLF of CR, LF and CRLF, in text that comes in pieces of any size. One a message.
///
/// ```
/// use mailtool::wire::line_ends::LineEnds;
///
/// let (mut ends, mut out) = (LineEnds::new(), Vec::new());
/// for piece in ["a\nb\r", "\nc\rd"] {
///     ends.text(piece.as_bytes(), |text| out.extend_from_slice(text));
/// }
/// assert_eq!(out, b"a\r\nb\r\nc\r\nd");
/// assert!(ends.were_mended());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct LineEnds {
    /// A CR was the last octet, and CRLF was given for it: an LF that comes next belongs to it.
    after_cr: bool,
    mended: bool,
}

impl LineEnds {
    /// At the beginning of a text.
    pub const fn new() -> Self {
        Self {
            after_cr: false,
            mended: false,
        }
    }

    /// Gives the next piece of the text, in as few pieces as can be, to `pass`.
    pub fn text(&mut self, text: &[u8], mut pass: impl FnMut(&[u8])) {
        let mut rest = text;
        if std::mem::take(&mut self.after_cr) {
            match rest.split_first() {
                Some((b'\n', after)) => rest = after,
                Some(_) => self.mended = true,
                None => self.after_cr = true,
            }
        }
        // `rest[..at]` holds CRLF as its only line ends.
        let mut at = 0;
        while let Some(found) = memchr2(b'\r', b'\n', &rest[at..]) {
            let end = at + found;
            match (rest[end], rest.get(end + 1)) {
                (b'\r', Some(b'\n')) => {
                    at = end + 2;
                    continue;
                }
                (b'\r', None) => self.after_cr = true,
                _ => self.mended = true,
            }
            if end > 0 {
                pass(&rest[..end]);
            }
            pass(b"\r\n");
            rest = &rest[end + 1..];
            at = 0;
        }
        if !rest.is_empty() {
            pass(rest);
        }
    }

    /// Whether there was a bare CR or LF. A CR at the very end counts once [`Self::is_after_cr`] is asked.
    pub const fn were_mended(&self) -> bool {
        self.mended
    }

    /// Whether the last octet of all was a CR.
    pub const fn is_after_cr(&self) -> bool {
        self.after_cr
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What it does, the slow way.
    fn mended(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut at = 0;
        while let Some(&octet) = text.get(at) {
            match octet {
                b'\r' => {
                    out.extend_from_slice(b"\r\n");
                    at += usize::from(text.get(at + 1) == Some(&b'\n'));
                }
                b'\n' => out.extend_from_slice(b"\r\n"),
                other => out.push(other),
            }
            at += 1;
        }
        out
    }

    #[test]
    fn it_is_its_definition_however_it_is_cut() {
        const LETTERS: [u8; 3] = [b'a', b'\r', b'\n'];
        for length in 0..8u32 {
            for number in 0..3usize.pow(length) {
                let text: Vec<u8> = (0..length)
                    .map(|place| LETTERS[number / 3usize.pow(place) % 3])
                    .collect();
                for cut in 0..=text.len() {
                    let (mut ends, mut out) = (LineEnds::new(), Vec::new());
                    for piece in [&text[..cut], &text[cut..]] {
                        ends.text(piece, |piece| {
                            assert!(!piece.is_empty());
                            out.extend_from_slice(piece);
                        });
                    }
                    assert_eq!(out, mended(&text), "{text:?} cut at {cut}");
                    let bare = out != text;
                    assert_eq!(ends.were_mended() || ends.is_after_cr(), bare, "{text:?}");
                }
            }
        }
    }
}
