//! What is kept of long text: of what one side says at a stretch the beginning, and its last line; how much is between is counted.
//!
//! The more a session has said, the less is kept of each stretch, so that its file is bounded however long it goes on.

use crate::limits;
use crate::tap::Side;

/// How far one session has come.
pub(super) struct Abridged {
    side: Side,
    /// Octets kept of this stretch.
    stretch: usize,
    /// Octets kept of the session.
    total: usize,
    left: Option<Box<Left>>,
}

impl Default for Abridged {
    fn default() -> Self {
        Self {
            side: Side::Server,
            stretch: 0,
            total: 0,
            left: None,
        }
    }
}

/// What is left out of a stretch.
pub(super) struct Left {
    pub(super) side: Side,
    octets: u64,
    lines: u64,
    /// Some of it was never seen: nobody knows how many lines it is.
    unseen: bool,
    /// The last of it.
    tail: Vec<u8>,
}

impl Abridged {
    /// Whether `side` did not speak last.
    pub(super) fn is_turn(&self, side: Side) -> bool {
        self.side != side
    }

    /// How many of these octets, which `side` says, are kept.
    pub(super) fn take(&mut self, side: Side, bytes: &[u8]) -> usize {
        if self.is_turn(side) {
            self.side = side;
            self.stretch = 0;
            self.left = None;
        }
        let room = match self.total {
            0..limits::RECORD_WHOLE => limits::RECORD_STRETCH,
            limits::RECORD_WHOLE..limits::RECORD_SESSION => limits::RECORD_SHORT_STRETCH,
            _ => 0,
        };
        let kept = match &self.left {
            Some(_) => 0,
            None if self.stretch + bytes.len() <= room => bytes.len(),
            None => {
                let fits = room.saturating_sub(self.stretch);
                // To the end of the line: what follows is not to be taken for the rest of it.
                let line = memchr::memchr(b'\n', &bytes[fits..]).map(|at| fits + at + 1);
                match line {
                    Some(end) if room > 0 && end - fits <= limits::RECORD_SHORT_STRETCH => end,
                    _ => fits,
                }
            }
        };
        if kept < bytes.len() {
            self.left_of(side).take(&bytes[kept..]);
        }
        self.stretch += kept;
        self.total += kept;
        kept
    }

    /// So many octets more, which `side` says, are not even shown.
    pub(super) fn skip(&mut self, side: Side, octets: u64) {
        if self.is_turn(side) {
            self.take(side, b"");
        }
        let left = self.left_of(side);
        left.octets += octets;
        left.unseen = true;
        left.tail.clear();
    }

    fn left_of(&mut self, side: Side) -> &mut Left {
        self.left.get_or_insert_with(|| {
            Box::new(Left {
                side,
                octets: 0,
                lines: 0,
                unseen: false,
                tail: Vec::new(),
            })
        })
    }

    /// What was left out since this was last asked.
    pub(super) fn settle(&mut self) -> Option<Box<Left>> {
        self.left.take()
    }
}

impl Left {
    fn take(&mut self, bytes: &[u8]) {
        self.octets += bytes.len() as u64;
        self.lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
        let last = &bytes[bytes.len().saturating_sub(TAIL)..];
        let room = TAIL - last.len();
        let gone = self.tail.len().saturating_sub(room);
        self.tail.drain(..gone);
        self.tail.extend_from_slice(last);
    }

    /// Its last line, if that is short.
    pub(super) fn end(&self) -> &[u8] {
        let Some(text) = self.tail.strip_suffix(b"\n") else {
            return b"";
        };
        match memchr::memrchr(b'\n', text) {
            Some(at) => &self.tail[at + 1..],
            None if self.octets == self.tail.len() as u64 => &self.tail,
            None => b"",
        }
    }

    /// How much it is without its end.
    pub(super) fn words(&self) -> String {
        let end = self.end();
        let lines = self.lines - u64::from(!end.is_empty());
        let octets = self.octets - end.len() as u64;
        if self.unseen {
            return format!("{octets} octets");
        }
        let plural = if lines == 1 { "line" } else { "lines" };
        format!("{lines} {plural}, {octets} octets")
    }
}

/// Octets: a line of a reply (RFC 5321 §4.5.3.1.5), or the end of a text.
const TAIL: usize = 512;
