//! Where the parts of a message begin and end (RFC 2045, RFC 2046 §5.1).
//!
//! One pass: each line that begins with `--` is compared with the boundaries that are open, the innermost first, so a part
//! ends where its parent does even when its own end was lost. Nothing is copied or decoded; every octet of a message
//! belongs to a header, a body, or what stands between parts. Depth and number of parts are bounded.

use std::ops::Range;

use memchr::memmem;

use crate::limits;
use crate::wire::mime::header::{self, Parameterized, line_octets};

/// A message, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its header, the empty line included.
    pub header: Range<usize>,
    /// Its body, without the line end that belongs to the boundary after it.
    pub body: Range<usize>,
    /// What its type is when its header says nothing.
    pub default_type: DefaultType,
    /// What is in it.
    pub content: Content,
}

/// What a part without a Content-Type is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultType {
    /// `text/plain` (RFC 2045 §5.2)
    Text,
    /// `message/rfc822`, in a `multipart/digest` (RFC 2046 §5.1.5)
    Message,
}

/// What is in a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Octets.
    Leaf,
    /// Parts, one at least: an empty text when its boundary was never found, for that is what RFC 3501 §9 asks for
    /// (body-type-mpart is 1*body).
    Multipart(Vec<Part>),
    /// A message.
    Message(Box<Part>),
}

impl Part {
    /// The structure of `message`.
    pub fn parse(message: &[u8]) -> Self {
        let mut parser = Parser {
            message,
            boundaries: Vec::new(),
            parts: 0,
            finder: memmem::Finder::new(b"\n--"),
        };
        parser.part(0, DefaultType::Text, 0).0
    }

    /// A text of no octets.
    const fn empty(at: usize) -> Self {
        Self {
            header: at..at,
            body: at..at,
            default_type: DefaultType::Text,
            content: Content::Leaf,
        }
    }

    /// The part that a path such as `2.1` names (RFC 3501 §6.4.5); not for an empty path.
    pub fn find(&self, path: &[u32]) -> Option<&Self> {
        let mut part: Option<&Self> = None;
        for &number in path {
            let numbered = match part {
                None => self,
                Some(part) => match &part.content {
                    Content::Multipart(_) => part,
                    Content::Message(message) => message,
                    Content::Leaf => return None,
                },
            };
            // A message that is no multipart has one part, which is its body.
            part = Some(match &numbered.content {
                Content::Multipart(parts) => {
                    parts.get(usize::try_from(number).ok()?.checked_sub(1)?)?
                }
                _ if number == 1 => numbered,
                _ => return None,
            });
        }
        part
    }

    /// The type that the header in `message` gives, or the default.
    pub fn media_type(&self, message: &[u8]) -> Parameterized {
        media_type(&message[self.header.clone()], self.default_type)
    }
}

fn media_type(header: &[u8], default_type: DefaultType) -> Parameterized {
    if let Some(value) = header::value(header, "Content-Type") {
        let parsed = Parameterized::parse(&value);
        if let Some(slash) = memchr::memchr(b'/', &parsed.word)
            && slash > 0
            && slash + 1 < parsed.word.len()
        {
            return parsed;
        }
    } else if default_type == DefaultType::Message {
        return Parameterized {
            word: b"message/rfc822".to_vec(),
            parameters: Vec::new(),
        };
    }
    // RFC 2045 §5.2: what cannot be understood is plain text as well.
    Parameterized {
        word: b"text/plain".to_vec(),
        parameters: vec![(b"charset".to_vec(), b"us-ascii".to_vec())],
    }
}

struct Parser<'a> {
    message: &'a [u8],
    /// Those of the multiparts around the place that is read, the outermost first.
    boundaries: Vec<Vec<u8>>,
    parts: usize,
    finder: memmem::Finder<'static>,
}

/// A boundary line.
#[derive(Clone, Copy)]
struct Delimiter {
    /// Where it begins.
    start: usize,
    /// Past its line end.
    end: usize,
    /// Whose: an index of `boundaries`.
    level: usize,
    /// `--boundary--`
    closes: bool,
}

impl Parser<'_> {
    /// The part that begins at `start`, and the boundary line that ended it.
    fn part(
        &mut self,
        start: usize,
        default_type: DefaultType,
        depth: usize,
    ) -> (Part, Option<Delimiter>) {
        self.parts += 1;
        let (header, ended) = self.header(start);
        let mut part = Part {
            body: header.end..header.end,
            header,
            default_type,
            content: Content::Leaf,
        };
        if ended.is_some() {
            return (part, ended);
        }
        let from = part.body.start;
        let delimiter = match self.nested(&part, depth) {
            Nested::Multipart(boundary, default_type) => {
                self.boundaries.push(boundary);
                let (mut parts, delimiter) = self.multipart(from, default_type, depth);
                if parts.is_empty() {
                    parts.push(Part::empty(from));
                }
                part.content = Content::Multipart(parts);
                delimiter
            }
            Nested::Message => {
                let (message, delimiter) = self.part(from, DefaultType::Text, depth + 1);
                part.content = Content::Message(Box::new(message));
                delimiter
            }
            Nested::Nothing => self.delimiter(from),
        };
        // A header that a boundary line cut short keeps its line end, even when it is the last of a parent.
        let inside = match &part.content {
            Content::Leaf => from,
            Content::Message(message) => message.body.end,
            Content::Multipart(parts) => parts.last().map_or(from, |part| part.body.end),
        };
        part.body.end = self.body_end(from, delimiter).max(inside);
        (part, delimiter)
    }

    /// The header at `start`, up to its empty line or to a boundary line, which is returned.
    fn header(&self, start: usize) -> (Range<usize>, Option<Delimiter>) {
        let mut at = start;
        while at < self.message.len() {
            let line = &self.message[at..at + line_octets(&self.message[at..])];
            if matches!(line, b"\n" | b"\r\n") {
                return (start..at + line.len(), None);
            }
            if line.starts_with(b"--")
                && let Some(delimiter) = self.delimiter_at(at)
            {
                return (start..at, Some(delimiter));
            }
            at += line.len();
        }
        (start..at, None)
    }

    fn nested(&self, part: &Part, depth: usize) -> Nested {
        if depth >= limits::MIME_DEPTH {
            return Nested::Nothing;
        }
        let header = &self.message[part.header.clone()];
        let media = media_type(header, part.default_type);
        let is = |kind: &[u8]| {
            media.word.len() >= kind.len() && media.word[..kind.len()].eq_ignore_ascii_case(kind)
        };
        if is(b"multipart/") {
            let default_type = if media.word.eq_ignore_ascii_case(b"multipart/digest") {
                DefaultType::Message
            } else {
                DefaultType::Text
            };
            return match media.parameter("boundary") {
                // RFC 2046 §5.1.1: a boundary does not end with a space.
                Some(boundary) if !boundary.trim_ascii_end().is_empty() => {
                    Nested::Multipart(boundary.trim_ascii_end().to_vec(), default_type)
                }
                _ => Nested::Nothing,
            };
        }
        let is_message = media.word.eq_ignore_ascii_case(b"message/rfc822")
            || media.word.eq_ignore_ascii_case(b"message/global");
        // What is encoded has no parts in this message (RFC 2046 §5.2.1 forbids it).
        let encoded = header::value(header, "Content-Transfer-Encoding").is_some_and(|value| {
            let value = value.to_ascii_lowercase();
            value.starts_with(b"base64") || value.starts_with(b"quoted-printable")
        });
        if is_message && !encoded {
            Nested::Message
        } else {
            Nested::Nothing
        }
    }

    /// The parts of a multipart whose body begins at `from` and whose boundary is the last; takes that away.
    fn multipart(
        &mut self,
        from: usize,
        default_type: DefaultType,
        depth: usize,
    ) -> (Vec<Part>, Option<Delimiter>) {
        let level = self.boundaries.len() - 1;
        let mut parts = Vec::new();
        let mut delimiter = self.delimiter(from);
        loop {
            match delimiter {
                Some(ours) if ours.level == level && ours.closes => {
                    self.boundaries.pop();
                    // The epilogue.
                    return (parts, self.delimiter(ours.end));
                }
                Some(ours) if ours.level == level && self.parts < limits::MIME_PARTS => {
                    let (part, next) = self.part(ours.end, default_type, depth + 1);
                    parts.push(part);
                    delimiter = next;
                }
                Some(ours) if ours.level == level => delimiter = self.delimiter(ours.end),
                outer => {
                    self.boundaries.pop();
                    return (parts, outer);
                }
            }
        }
    }

    /// The next boundary line at or after `from`, which begins a line.
    fn delimiter(&self, from: usize) -> Option<Delimiter> {
        if self.boundaries.is_empty() {
            return None;
        }
        if let Some(delimiter) = self.delimiter_at(from) {
            return Some(delimiter);
        }
        let mut at = from;
        loop {
            at += self.finder.find(&self.message[at..])? + 1;
            if let Some(delimiter) = self.delimiter_at(at) {
                return Some(delimiter);
            }
        }
    }

    /// The boundary line that begins at `start`, if one does.
    fn delimiter_at(&self, start: usize) -> Option<Delimiter> {
        let line = self.message[start..].strip_prefix(b"--")?;
        let line = &line[..line_octets(line)];
        let end = start + 2 + line.len();
        self.boundaries
            .iter()
            .enumerate()
            .rev()
            .find_map(|(level, boundary)| {
                let after = line.strip_prefix(&boundary[..])?;
                let closes = after.starts_with(b"--");
                (closes || after.trim_ascii().is_empty()).then_some(Delimiter {
                    start,
                    end,
                    level,
                    closes,
                })
            })
    }

    /// Where a body that began at `from` ends: the line end before a boundary line belongs to that (RFC 2046 §5.1.1).
    fn body_end(&self, from: usize, delimiter: Option<Delimiter>) -> usize {
        let Some(delimiter) = delimiter else {
            return self.message.len();
        };
        let body = &self.message[from.min(delimiter.start)..delimiter.start];
        let body = body.strip_suffix(b"\n").unwrap_or(body);
        from + body.strip_suffix(b"\r").unwrap_or(body).len()
    }
}

enum Nested {
    Multipart(Vec<u8>, DefaultType),
    Message,
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn body<'a>(message: &'a str, path: &[u32]) -> Option<&'a str> {
        let root = Part::parse(message.as_bytes());
        let part = root.find(path)?;
        Some(&message[part.body.clone()])
    }

    const NESTED: &str = "Content-Type: multipart/mixed; boundary=a\r\n\r\npreamble\r\n--a\r\n\r\none\r\n--a\r\n\
        Content-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: multipart/mixed; boundary=\"a b\"\r\n\r\n\
        --a b\r\n\r\ninner one\r\n\r\n--a b  \r\n\r\n--a b--\r\nepilogue\r\n--a\r\nContent-Type: text/html\r\n\r\n<p>\r\n--a--\r\n";

    #[test]
    fn parts_by_their_numbers() {
        assert_eq!(body(NESTED, &[1]), Some("one"));
        assert_eq!(body(NESTED, &[2, 1]), Some("inner one\r\n"));
        assert_eq!(body(NESTED, &[2, 2]), Some(""));
        assert_eq!(body(NESTED, &[3]), Some("<p>"));
        assert!(body(NESTED, &[2]).unwrap().starts_with("Subject: inner"));
        assert!(body(NESTED, &[2]).unwrap().ends_with("epilogue"));
        for missing in [&[4][..], &[1, 1], &[2, 3], &[2, 1, 1]] {
            assert_eq!(body(NESTED, missing), None);
        }
        assert_eq!(body("Subject: x\r\n\r\nhello", &[1]), Some("hello"));
        assert_eq!(body("Subject: x\r\n\r\nhello", &[2]), None);
        assert_eq!(body("no header", &[1]), Some(""));
    }

    #[test]
    fn lost_boundaries() {
        // The inner one never ends, and the outer one ends both.
        let message = "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/mixed; boundary=i\n\n\
            --i\n\nin\n--o\n\nout\n--o--\n";
        assert_eq!(body(message, &[1, 1]), Some("in"));
        assert_eq!(body(message, &[2]), Some("out"));
        // A part whose header never ends.
        let message =
            "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nA: b\r\n--o\r\n\r\nx\r\n--o--";
        assert_eq!(body(message, &[1]), Some(""));
        assert_eq!(body(message, &[2]), Some("x"));
        // The boundary is not there.
        let message = "Content-Type: multipart/mixed; boundary=o\r\n\r\nhello";
        assert_eq!(body(message, &[1]), Some(""));
        assert_eq!(body(message, &[2]), None);
        // It could be any line.
        let message = "Content-Type: multipart/mixed; boundary=\" \"\r\n\r\n--\r\n\r\nx";
        assert_eq!(Part::parse(message.as_bytes()).content, Content::Leaf);
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let deep = "Content-Type: message/rfc822\r\n\r\n".repeat(100_000);
        let mut part = &Part::parse(deep.as_bytes());
        let mut depth = 0;
        while let Content::Message(inner) = &part.content {
            part = inner;
            depth += 1;
        }
        assert_eq!(depth, limits::MIME_DEPTH);
        let wide = format!(
            "Content-Type: multipart/mixed; boundary=b\n\n{}",
            "--b\n\nx\n".repeat(20_000)
        );
        let Content::Multipart(parts) = Part::parse(wide.as_bytes()).content else {
            panic!("no multipart");
        };
        assert_eq!(parts.len(), limits::MIME_PARTS - 1);
    }

    #[test]
    fn encoded_messages_are_opaque() {
        let message = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogeA0KDQo=";
        assert_eq!(Part::parse(message.as_bytes()).content, Content::Leaf);
    }

    fn check(part: &Part, within: Range<usize>) {
        assert!(part.header.start >= within.start && part.header.start <= part.header.end);
        assert!(part.header.end == part.body.start && part.body.start <= part.body.end);
        assert!(part.body.end <= within.end);
        match &part.content {
            Content::Leaf => {}
            Content::Message(message) => check(message, part.body.clone()),
            Content::Multipart(parts) => {
                for part_in in parts {
                    check(part_in, part.body.clone());
                }
            }
        }
    }

    proptest! {
        #[test]
        fn parts_lie_within_their_parents(pieces in proptest::collection::vec(prop_oneof![
            Just("Content-Type: multipart/mixed; boundary=a\r\n"),
            Just("Content-Type: multipart/digest; boundary=b\n"),
            Just("Content-Type: message/rfc822\r\n"),
            Just("--a\r\n"), Just("--a--\r\n"), Just("--b\n"), Just("--b--\n"),
            Just("\r\n"), Just("\n"), Just("x"), Just("--"), Just("Subject: y\r\n"),
        ], 0..40)) {
            let message = pieces.concat();
            check(&Part::parse(message.as_bytes()), 0..message.len());
        }
    }
}
