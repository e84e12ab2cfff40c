//! When two messages are the same one, though two ways led it here.
//!
//! What is compared is the SHA-256 of the text and of the fields that its author wrote, Message-ID among them. What servers on the way
//! added (Received, Return-Path, Delivered-To, signatures ...), how lines end and are folded, and blank lines at the end make no
//! difference. A message without a Message-ID has nothing that says it is one of a kind: then all fields count, but for those in
//! which programs keep flags.

use sha2::{Digest, Sha256};

use super::mime::header::{Fields, line_octets};

/// What tells a message from those that are not the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Likeness([u8; 32]);

/// Takes a message in pieces of any size.
///
/// ```
/// use mailtool::wire::likeness::Reading;
///
/// let of = |text: &str| {
///     let mut reading = Reading::default();
///     reading.feed(text.as_bytes());
///     reading.finish()
/// };
/// let one = of("Message-ID: <1@a>\nSubject: x\n  y\n\ntext\n");
/// let other = of("Received: by b\r\nSubject: x y\r\nMessage-Id:  <1@a>\r\n\r\ntext\r\n\r\n");
/// assert_eq!(one, other);
/// assert_ne!(one, of("Message-ID: <1@a>\nSubject: x y\n\ntext, and more\n"));
/// ```
#[derive(Debug, Default)]
pub struct Reading {
    /// The header, as long as its end has not come.
    header: Vec<u8>,
    /// The header has ended: how much of it has been looked for its end.
    body: Option<Body>,
    looked: usize,
}

#[derive(Debug)]
struct Body {
    digest: Sha256,
    /// Line ends that count only when something comes after them.
    line_ends: usize,
    /// A CR that is nothing when an LF comes.
    after_cr: bool,
}

impl Reading {
    /// Takes the next octets.
    pub fn feed(&mut self, text: &[u8]) {
        if let Some(body) = &mut self.body {
            body.feed(text);
            return;
        }
        self.header.extend_from_slice(text);
        while self.looked < self.header.len() {
            let rest = &self.header[self.looked..];
            let line = &rest[..line_octets(rest)];
            if !line.ends_with(b"\n") && self.header.len() < HEADER {
                return;
            }
            self.looked += line.len();
            if matches!(line, b"\n" | b"\r\n") || self.header.len() >= HEADER {
                self.end_header();
                return;
            }
        }
    }

    /// The message has ended.
    pub fn finish(mut self) -> Likeness {
        if self.body.is_none() {
            self.looked = self.header.len();
            self.end_header();
        }
        let body = self.body.take();
        Likeness(body.map_or([0; 32], |body| body.digest.finalize().into()))
    }

    fn end_header(&mut self) {
        let header = std::mem::take(&mut self.header);
        let (header, text) = header.split_at(self.looked.min(header.len()));
        let mut body = Body {
            digest: Sha256::new(),
            line_ends: 0,
            after_cr: false,
        };
        body.digest.update(of_header(header));
        body.feed(text);
        self.body = Some(body);
    }
}

/// Octets of a header that are looked at for fields; what follows counts as text.
const HEADER: usize = 256 * 1024;

/// Those that the author writes.
const AUTHORS: [&str; 12] = [
    "message-id",
    "date",
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "subject",
    "in-reply-to",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
];
/// Those in which programs keep flags, and what the last server writes of the envelope.
const NOBODYS: [&str; 9] = [
    "status",
    "x-status",
    "x-keywords",
    "x-uid",
    "content-length",
    "lines",
    "return-path",
    "delivered-to",
    "x-original-to",
];

/// A digest of the fields that count, whatever their order.
fn of_header(header: &[u8]) -> [u8; 32] {
    let mut fields: Vec<(String, Vec<u8>)> = Fields::new(header)
        .map(|field| {
            let name = String::from_utf8_lossy(field.name).to_ascii_lowercase();
            let value = match name.is_empty() {
                true => field.raw,
                false => field.value,
            };
            let words: Vec<&[u8]> = value
                .split(|octet| octet.is_ascii_whitespace())
                .filter(|word| !word.is_empty())
                .collect();
            (name, words.join(&b' '))
        })
        .collect();
    let has_id = fields
        .iter()
        .any(|(name, id)| name == "message-id" && !id.is_empty());
    fields.retain(|(name, _)| match has_id {
        true => AUTHORS.contains(&&**name),
        false => !NOBODYS.contains(&&**name),
    });
    fields.sort();
    let mut digest = Sha256::new();
    for (name, value) in &fields {
        digest.update(name);
        digest.update(b":");
        digest.update(value);
        digest.update(b"\n");
    }
    digest.finalize().into()
}

impl Body {
    fn feed(&mut self, text: &[u8]) {
        let mut rest = text;
        while let Some(at) = memchr::memchr2(b'\r', b'\n', rest) {
            self.take(&rest[..at]);
            match rest[at] {
                b'\n' => {
                    self.after_cr = false;
                    self.line_ends += 1;
                }
                _ => {
                    self.take(b"");
                    self.flush_cr();
                    self.after_cr = true;
                }
            }
            rest = &rest[at + 1..];
        }
        self.take(rest);
    }

    fn take(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        self.flush_cr();
        self.flush_line_ends();
        self.digest.update(text);
    }

    fn flush_cr(&mut self) {
        if std::mem::take(&mut self.after_cr) {
            self.flush_line_ends();
            self.digest.update(b"\r");
        }
    }

    fn flush_line_ends(&mut self) {
        const LINE_ENDS: [u8; 64] = [b'\n'; 64];
        while self.line_ends > 0 {
            let count = self.line_ends.min(LINE_ENDS.len());
            self.digest.update(&LINE_ENDS[..count]);
            self.line_ends -= count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &[u8]) -> Likeness {
        let mut reading = Reading::default();
        reading.feed(text);
        reading.finish()
    }

    #[test]
    fn without_an_id_every_field_counts_but_flags() {
        let one = of(b"Subject: x\nX-Job: 1\n\ntext\n");
        assert_eq!(one, of(b"Subject: x\nStatus: RO\nX-Job: 1\n\ntext\n"));
        assert_ne!(one, of(b"Subject: x\nX-Job: 2\n\ntext\n"));
        assert_ne!(
            of(b"Message-ID: <1@a>\n\nx\n"),
            of(b"Message-ID: <2@a>\n\nx\n")
        );
        // The author's fields with an ID, and only those.
        assert_eq!(
            of(b"Message-ID: <1@a>\nX-Spam: no\n\nx\n"),
            of(b"Message-ID: <1@a>\n\nx\n")
        );
    }

    #[test]
    fn a_cr_alone_and_line_ends_within_count() {
        assert_ne!(of(b"A: b\n\nx\ny"), of(b"A: b\n\nx\n\ny"));
        assert_ne!(of(b"A: b\n\nx\ry"), of(b"A: b\n\nxy"));
        assert_ne!(of(b"A: b\n\nx\r\ry"), of(b"A: b\n\nx\ry"));
        assert_eq!(of(b"A: b\n\nx\r\n\r\n\r\n"), of(b"A: b\n\nx"));
        assert_eq!(of(b"A: b"), of(b"A: b\n\n"));
    }

    proptest! {
        #[test]
        fn it_is_the_same_however_it_is_cut(
            text in "(Message-ID: <1>\r?\n)?(Subject: [a-z]{0,4}\r?\n){0,2}(\r?\n)?[ab\r\n]{0,30}",
            cuts in proptest::collection::vec(1_usize..7, 0..60),
        ) {
            let mut reading = Reading::default();
            let mut rest = text.as_bytes();
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                reading.feed(piece);
                rest = after;
            }
            reading.feed(rest);
            prop_assert_eq!(reading.finish(), of(text.as_bytes()));
        }
    }
}
