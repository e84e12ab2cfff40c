//! What is typed, on its way to the wire: a bounded buffer of lines that end in CRLF, whatever they came with.
//!
//! Typed LF becomes CRLF, a typed CRLF stays one (however it is cut), and a last line without an end gets one. Whoever fills it
//! asks [`Typed::has_room`] before.

use super::Crlf;
use crate::limits;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Typed {
    octets: Vec<u8>,
    /// What stands before is taken.
    start: usize,
    /// `start..searched` holds no line feed.
    searched: usize,
    crlf: Crlf,
    /// What was pushed so far does not end in a line feed.
    is_open: bool,
    ended: bool,
    /// Lines taken.
    lines: usize,
    /// A part of the line that waits is taken already.
    is_within_line: bool,
}

impl Typed {
    /// Takes what was typed.
    pub(super) fn push(&mut self, typed: &[u8]) {
        if self.start == self.octets.len() {
            self.octets.clear();
            (self.start, self.searched) = (0, 0);
        } else if self.start > limits::TYPED {
            self.octets.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        self.crlf.encode(typed, &mut self.octets);
        if let Some(last) = typed.last() {
            self.is_open = *last != b'\n';
        }
    }

    /// Nothing more will be typed.
    pub(super) fn end(&mut self) {
        if self.is_open {
            self.push(b"\n");
        }
        self.ended = true;
    }

    /// Whether more may be pushed.
    pub(super) const fn has_room(&self) -> bool {
        !self.ended && self.octets.len() - self.start < limits::TYPED
    }

    /// What waits.
    pub(super) fn waiting(&self) -> &[u8] {
        &self.octets[self.start..]
    }

    /// How long the first line is, its CRLF included; `None` while it is not whole.
    pub(super) fn line(&mut self) -> Option<usize> {
        match memchr::memchr(b'\n', &self.octets[self.searched..]) {
            Some(at) => Some(self.searched + at + 1 - self.start),
            None => {
                self.searched = self.octets.len();
                None
            }
        }
    }

    /// The first `octets` of what waits are dealt with.
    pub(super) fn take(&mut self, octets: usize) {
        let taken = &self.octets[self.start..self.start + octets];
        self.lines += memchr::memchr_iter(b'\n', taken).count();
        if let Some(last) = taken.last() {
            self.is_within_line = *last != b'\n';
        }
        self.start += octets;
        self.searched = self.start;
    }

    /// Whether what waits begins a line.
    pub(super) const fn begins_line(&self) -> bool {
        !self.is_within_line
    }

    /// Whether all that was typed is taken, and there will be no more.
    pub(super) const fn is_over(&self) -> bool {
        self.ended && self.start == self.octets.len()
    }

    /// The number of the line that waits, from 1.
    pub(super) const fn number(&self) -> usize {
        self.lines + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let mut typed = Typed::default();
        let mut lines = Vec::new();
        for piece in pieces {
            typed.push(piece);
            while let Some(octets) = typed.line() {
                lines.push(typed.waiting()[..octets].escape_ascii().to_string());
                typed.take(octets);
            }
        }
        typed.end();
        while let Some(octets) = typed.line() {
            lines.push(typed.waiting()[..octets].escape_ascii().to_string());
            typed.take(octets);
        }
        assert!(typed.is_over());
        assert_eq!(typed.number(), lines.len() + 1);
        lines
    }

    #[test]
    fn lines_end_in_crlf_however_they_are_cut() {
        let all = b"EHLO a\nNOOP\r\n\nlone\rcr\nQUIT";
        let expected = [
            "EHLO a\\r\\n",
            "NOOP\\r\\n",
            "\\r\\n",
            "lone\\rcr\\r\\n",
            "QUIT\\r\\n",
        ];
        assert_eq!(lines(&[all]), expected);
        for cut in 0..all.len() {
            assert_eq!(lines(&[&all[..cut], &all[cut..]]), expected, "cut at {cut}");
        }
        let single: Vec<&[u8]> = all.chunks(1).collect();
        assert_eq!(lines(&single), expected);
        assert_eq!(lines(&[b"QUIT\r"]), ["QUIT\\r\\n"]);
        assert!(lines(&[]).is_empty());
    }

    #[test]
    fn it_is_bounded_and_gives_room_again() {
        let mut typed = Typed::default();
        let line = [b'x'; 1000];
        while typed.has_room() {
            typed.push(&line);
        }
        assert!(typed.waiting().len() >= limits::TYPED);
        assert_eq!(typed.line(), None);
        typed.take(typed.waiting().len());
        typed.push(b"y\n");
        assert_eq!((typed.waiting(), typed.number()), (&b"y\r\n"[..], 1));
    }
}
