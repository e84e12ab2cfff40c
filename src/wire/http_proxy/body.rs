//! Where the body of a request ends, and so what belongs to it: what comes behind it on the same connection is another
//! request, which may be meant for another server (RFC 9112 §6, §7.1).
//!
//! | the head has | the body is | |
//! |---|---|---|
//! | neither field | empty | RFC 9112 §6.3, 7 |
//! | Content-Length: N | N octets | the same number twice is taken, two numbers are refused |
//! | Transfer-Encoding: ..., chunked | chunks, and fields behind them | |
//! | Transfer-Encoding with another last word, or in HTTP/1.0 | refused | its end cannot be known: §6.1, §6.3, 4 |
//! | both | refused | §6.1: whoever is behind might believe the other one |
//!
//! Chunks pass as they are. Their lines end with CRLF and nothing else, for whoever takes LF too sees other chunks.

use std::fmt;

use super::{Fields, Version};
use crate::limits;

/// Tells of each octet behind a head whether it belongs to the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    state: State,
    /// Octets of the head that are still to come, and belong to it too.
    head: usize,
    /// Octets of lines that are no data: sizes of chunks with their extensions, and trailer fields.
    words: usize,
}

/// Why the end of a body cannot be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// Content-Length is no number, or two of them.
    Length,
    /// Transfer-Encoding does not end with chunked, or comes with HTTP/1.0.
    Encoding,
    /// Content-Length and Transfer-Encoding.
    Both,
    /// What came is no chunk.
    Chunk,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// So many octets are still to come, and are the last ones.
    Octets(u64),
    /// The size of a chunk, so far, of so many digits.
    Size(u64, u8),
    /// What stands behind the size, which is passed on and not looked at.
    Extension(u64),
    /// The CR of that line was there.
    SizeEnd(u64),
    /// So many octets of the chunk are still to come.
    Chunk(u64),
    /// CR, then LF, end a chunk.
    ChunkCr,
    ChunkLf,
    /// The first octet of a trailer field, or the CR of the empty line.
    Trailer,
    /// Within a trailer field.
    Field,
    /// Its CR was there.
    FieldEnd,
    /// The CR of the empty line was there.
    LastLf,
    Broken,
}

impl Body {
    /// As the head says.
    ///
    /// ```
    /// use mailtool::wire::http_proxy::RequestHead;
    ///
    /// let head = b"POST http://a/ HTTP/1.1\r\nContent-Length: 3\r\n\r\n";
    /// let mut body = RequestHead::parse(head).unwrap().body().unwrap();
    /// assert_eq!(body.take(b"a=1GET http://b/ HTTP/1.1\r\n"), Ok(3));
    /// assert!(body.is_over());
    /// ```
    pub(super) fn of(version: Version, fields: &Fields) -> Result<Self, BodyError> {
        let is_encoded = fields.named("transfer-encoding").next().is_some();
        let has_length = fields.named("content-length").next().is_some();
        let state = match (is_encoded, has_length) {
            (false, false) => State::Octets(0),
            (false, true) => State::Octets(length(fields)?),
            (true, true) => return Err(BodyError::Both),
            (true, false) => {
                let is_chunked = |word: &[u8]| word.eq_ignore_ascii_case(b"chunked");
                let mut codings = fields.words("transfer-encoding");
                // Once, and as the last one.
                if version == Version::Ten || !codings.any(is_chunked) || codings.next().is_some() {
                    return Err(BodyError::Encoding);
                }
                State::Size(0, 0)
            }
        };
        Ok(Self {
            state,
            head: 0,
            words: 0,
        })
    }

    /// The same, when a head of so many octets comes first.
    #[must_use]
    pub const fn behind(self, head: usize) -> Self {
        Self { head, ..self }
    }

    /// How many of `octets`, which are the next ones, belong to the request.
    pub fn take(&mut self, octets: &[u8]) -> Result<usize, BodyError> {
        let mut taken = self.head.min(octets.len());
        self.head -= taken;
        while taken < octets.len() && !self.is_over() {
            match &mut self.state {
                State::Octets(left) | State::Chunk(left) => {
                    let here = octets.len() - taken;
                    let octets = usize::try_from(*left).map_or(here, |left| left.min(here));
                    *left -= octets as u64;
                    taken += octets;
                    if self.state == State::Chunk(0) {
                        self.state = State::ChunkCr;
                    }
                }
                _ => {
                    self.state = self.read(octets[taken]);
                    taken += 1;
                    if self.state == State::Broken {
                        return Err(BodyError::Chunk);
                    }
                }
            }
        }
        Ok(taken)
    }

    /// Whether nothing more belongs to it.
    pub const fn is_over(&self) -> bool {
        self.head == 0 && matches!(self.state, State::Octets(0))
    }

    /// The state behind an octet that is no data.
    fn read(&mut self, octet: u8) -> State {
        if !matches!(
            self.state,
            State::ChunkCr | State::ChunkLf | State::Size(..)
        ) {
            self.words += 1;
        }
        if self.words > limits::PROXY_HEAD {
            return State::Broken;
        }
        let size_ends = |size: u64| match size {
            0 => State::Trailer,
            size => State::Chunk(size),
        };
        match (self.state, octet) {
            // Fifteen digits are more than any disk, and fit.
            (State::Size(size, digits @ 0..15), octet) if octet.is_ascii_hexdigit() => {
                let digit = char::from(octet).to_digit(16).unwrap_or(0);
                State::Size(size << 4 | u64::from(digit), digits + 1)
            }
            (State::Size(size, 1..) | State::Extension(size), b'\r') => State::SizeEnd(size),
            (State::Size(size, 1..), b';' | b' ' | b'\t') => State::Extension(size),
            (State::Extension(size), octet) if octet != b'\n' => State::Extension(size),
            (State::SizeEnd(size), b'\n') => size_ends(size),
            (State::ChunkCr, b'\r') => State::ChunkLf,
            (State::ChunkLf, b'\n') => State::Size(0, 0),
            (State::Trailer, b'\r') => State::LastLf,
            (State::Field, b'\r') => State::FieldEnd,
            (State::Trailer | State::Field, octet) if octet != b'\n' => State::Field,
            (State::FieldEnd, b'\n') => State::Trailer,
            (State::LastLf, b'\n') => State::Octets(0),
            _ => State::Broken,
        }
    }
}

fn length(fields: &Fields) -> Result<u64, BodyError> {
    let mut lengths = fields.words("content-length");
    let first = lengths.next().ok_or(BodyError::Length)?;
    if !lengths.all(|other| other == first) || !first.iter().all(u8::is_ascii_digit) {
        return Err(BodyError::Length);
    }
    let length = std::str::from_utf8(first).ok();
    let length = length.and_then(|length| length.parse().ok());
    length.ok_or(BodyError::Length)
}

impl fmt::Display for BodyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Length => "its Content-Length is no number, or more than one",
            Self::Encoding => "its Transfer-Encoding does not tell where the body ends",
            Self::Both => "it has both Content-Length and Transfer-Encoding",
            Self::Chunk => "what it calls a chunk is none",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::RequestHead;
    use super::*;

    fn body(fields: &str) -> Result<Body, BodyError> {
        let head = format!("POST http://a/ HTTP/1.1\r\n{fields}\r\n");
        RequestHead::parse(head.as_bytes()).unwrap().body()
    }

    /// What of `octets` belongs to it, in pieces of every length.
    fn taken(body: &Body, octets: &[u8]) -> Result<(usize, bool), BodyError> {
        let whole = pieces(body.clone(), octets, octets.len().max(1));
        for size in 1..octets.len() {
            assert_eq!(pieces(body.clone(), octets, size), whole, "by {size}");
        }
        whole
    }

    fn pieces(mut body: Body, octets: &[u8], size: usize) -> Result<(usize, bool), BodyError> {
        let mut taken = 0;
        for piece in octets.chunks(size) {
            taken += body.take(piece)?;
        }
        Ok((taken, body.is_over()))
    }

    #[test]
    fn a_request_without_a_length_has_no_body() {
        assert_eq!(taken(&body("").unwrap(), b"GET /"), Ok((0, true)));
        let empty = body("Content-Length: 0\r\n").unwrap();
        assert_eq!(taken(&empty, b"GET /"), Ok((0, true)));
    }

    #[test]
    fn so_many_octets_belong_to_it_as_were_said() {
        let ten = body("content-length: 10\r\nContent-Length: 10, 10\r\n").unwrap();
        assert_eq!(taken(&ten, b"0123456789GET /"), Ok((10, true)));
        assert_eq!(taken(&ten, b"01234"), Ok((5, false)));
        let most = body("Content-Length: 18446744073709551615\r\n").unwrap();
        assert_eq!(taken(&most, b"abc"), Ok((3, false)));
    }

    #[test]
    fn a_head_in_front_belongs_to_it() {
        let three = body("Content-Length: 3\r\n").unwrap().behind(6);
        assert_eq!(taken(&three, b"HEAD\r\nabcGET /"), Ok((9, true)));
        let none = body("").unwrap().behind(6);
        assert_eq!(taken(&none, b"HEAD\r"), Ok((5, false)));
    }

    #[test]
    fn chunks_belong_to_it_up_to_the_empty_line_behind_the_last_one() {
        let chunked = body("Transfer-Encoding: gzip, Chunked\r\n").unwrap();
        for chunks in [
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "00a;name=\"v\"\r\n0123456789\r\n1 \r\nx\r\n000\r\nTrailer: yes\r\nB: c\r\n\r\n",
        ] {
            let all = format!("{chunks}GET http://elsewhere/ HTTP/1.1\r\n\r\n");
            assert_eq!(taken(&chunked, all.as_bytes()), Ok((chunks.len(), true)));
        }
        assert_eq!(taken(&chunked, b"5\r\nhel"), Ok((6, false)));
    }

    #[test]
    fn what_is_no_chunk_ends_it() {
        let chunked = body("Transfer-Encoding: chunked\r\n").unwrap();
        for octets in [
            "\r\n",
            "x\r\n",
            "-1\r\n",
            "5\nhello",
            "5\r\nhello!",
            "5\r\nhello\n",
            "5;a\nb\r\n",
            "0\r\nA: b\n\r\n",
            "0\r\n\n",
            "1000000000000000\r\n",
        ] {
            let octets = octets.as_bytes();
            assert_eq!(taken(&chunked, octets), Err(BodyError::Chunk), "{octets:?}");
        }
        let endless = [b"5;".as_slice(), &vec![b'x'; limits::PROXY_HEAD + 1]].concat();
        assert_eq!(pieces(chunked, &endless, 1000), Err(BodyError::Chunk));
    }

    /// How long chunks are up to the end, by the grammar of RFC 9112 §7.1 and no state.
    fn naive(octets: &[u8]) -> Option<usize> {
        let line = |from: usize| {
            let at = octets[from..].iter().position(|&octet| octet == b'\r')?;
            let line = &octets[from..from + at];
            let ends = octets[from + at..].starts_with(b"\r\n") && !line.contains(&b'\n');
            ends.then_some((line, from + at + 2))
        };
        let mut at = 0;
        loop {
            let (words, behind) = line(at)?;
            let digits = words.iter().take_while(|octet| octet.is_ascii_hexdigit());
            let digits = digits.count();
            let extends = words
                .get(digits)
                .is_none_or(|octet| b"; \t".contains(octet));
            if digits == 0 || !extends {
                return None;
            }
            let size = std::str::from_utf8(&words[..digits]).ok()?;
            let size = usize::from_str_radix(size, 16).ok()?;
            at = behind + size;
            if size == 0 {
                break;
            }
            if !octets.get(at..)?.starts_with(b"\r\n") {
                return None;
            }
            at += 2;
        }
        loop {
            let (field, behind) = line(at)?;
            at = behind;
            if field.is_empty() {
                return Some(at);
            }
        }
    }

    #[test]
    fn all_short_texts_end_where_the_grammar_says_in_whatever_pieces() {
        let chunked = body("Transfer-Encoding: chunked\r\n").unwrap();
        let pieces_of = ["\r\n", "0", "1", ";", "x", "\r", "\n"];
        let mut over = 0;
        for number in 0..7_u32.pow(7) {
            let text: String = (0..7)
                .map(|place| pieces_of[(number / 7_u32.pow(place) % 7) as usize])
                .collect();
            let text = text.as_bytes();
            let whole = pieces(chunked.clone(), text, text.len());
            assert_eq!(pieces(chunked.clone(), text, 1), whole, "{text:?}");
            let expected = naive(text);
            match whole {
                Ok((taken, true)) => assert_eq!(expected, Some(taken), "{text:?}"),
                _ => assert_eq!(expected, None, "{text:?}"),
            }
            over += usize::from(expected.is_some());
        }
        assert!(over > 1000, "{over}");
    }

    #[test]
    fn what_two_would_read_in_two_ways_is_refused() {
        let both = "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n";
        assert_eq!(body(both), Err(BodyError::Both));
        for length in ["", "x", "-1", "+1", "0x3", "3, 4", "18446744073709551616"] {
            let field = format!("Content-Length: {length}\r\n");
            assert_eq!(body(&field), Err(BodyError::Length), "{length}");
        }
        for encoding in ["", "gzip", "chunked, gzip", "chunked, chunked", "xchunked"] {
            let field = format!("Transfer-Encoding: {encoding}\r\n");
            assert_eq!(body(&field), Err(BodyError::Encoding), "{encoding}");
        }
        let old = b"POST http://a/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
        let old = RequestHead::parse(old).unwrap();
        assert_eq!(old.body(), Err(BodyError::Encoding));
    }
}
