//! The line reader: the one place where received bytes are cut into lines, message text and literals.
//!
//! It is a buffer and a position in it. [`LineReader::space`] is where the socket writes, [`LineReader::cut`] lends the
//! next piece as a slice of that same buffer. It knows no protocol: the session says before *every* cut how the next
//! bytes are to be read ([`Want`]), because the meaning of a byte depends on what the session did with the one before.
//!
//! What it keeps, whatever arrives:
//! - nothing is moved while a cut is lent (the borrow forbids it); bytes move at most once, in `space`;
//! - no byte is searched twice: `line_feeds` remembers how far lines have been looked for, and what was found beyond the
//!   line that is cut. (Text is looked at in blocks of 64 octets; where it is cut within one, the rest of that block is looked
//!   at again.)
//! - memory is bounded: a line longer than `max` is skipped to its end and reported once;
//! - message text can be ended only by the line ending that the connection has settled (below).
//!
//! **Which line ending counts** (RFC 5321 §2.3.8, §4.1.1.4). The standard is CRLF; a person who types into a plain
//! netcat sends LF. The first line settles it:
//!
//! | settled | a line ends at | text ends at | in text, a bare LF is |
//! |---|---|---|---|
//! | nothing yet | LF or CRLF, and that settles it | as settled by its first line end | |
//! | LF | LF | `LF . LF` | a line end |
//! | CRLF | CRLF only | `CRLF . CRLF` only | content, lent as CRLF |
//!
//! A connection that has ever sent CRLF, on a command or in text, is CRLF from that byte on. So a mail server, which
//! speaks CRLF, can never be made to see a second message inside one (SMTP smuggling). A bare CR in text is lent as
//! CRLF as well: what is stored or relayed holds no bare CR or LF.
//!
//! A session that overlooks nothing asks for [`Want::StrictLine`] and [`Want::StrictText`]: the connection is CRLF from the first
//! octet, and a bare CR or LF is lent as it came, for the session to refuse.
//!
//! It is a package of its own because the rest of the program is built to be small, and this to be fast: at `opt-level = "s"` lines
//! are cut at half the rate.

#![forbid(unsafe_code)]
#![warn(
    missing_docs,
    unreachable_pub,
    clippy::use_self,
    clippy::manual_let_else
)]

pub mod block;
mod line_feeds;

use block::{BLOCK, Block, first_bits, plain_text};
use line_feeds::LineFeeds;

/// Octets of the buffer of a reader that says nothing else: what one read of a socket gives at most.
pub const RECEIVE_BUFFER: usize = 16 * 1024;

/// How to cut the next bytes. The session is asked before every cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// One line of at most `max` octets, its line end included.
    Line {
        /// The bound, in octets.
        max: usize,
    },
    /// Dot-stuffed text up to the line that holds a dot alone (RFC 5321 §4.5.2, RFC 1939 §3).
    DotText,
    /// One line of at most `max` octets. One that ends with a bare LF is lent with it, and refused by who asked.
    StrictLine {
        /// The bound, in octets.
        max: usize,
    },
    /// Dot-stuffed text that only `CRLF . CRLF` ends. A bare CR or LF in it is lent as it came, as a piece of its own.
    StrictText,
    /// At most this many octets, as they are. Never 0: a session that expects none asks for what comes next.
    Octets(u64),
    /// Nothing now: bytes wait in the buffer.
    Nothing,
}

/// A piece of the receive buffer. It is lent until the next call on the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut<'a> {
    /// A line, without its line end. In a CRLF connection it may hold bare CR or LF: no command does.
    Line(&'a [u8]),
    /// A line longer than `max` was skipped to its end.
    LongLine,
    /// Text: for `DotText` with stuffed dots removed and every line end CRLF; for `Octets` as it came. Never empty.
    Text(&'a [u8]),
    /// The line that ends dot-text was read.
    TextEnd,
}

/// The line ending that a connection has settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// No line has been read.
    Unsettled,
    /// LF so far.
    Lf,
    /// CRLF, for good.
    Crlf,
}

/// A receive buffer that lends what it holds, cut as the session wants it. See the module.
///
/// ```
/// use mailtool_lines::{Cut, LineReader, Want};
///
/// let mut reader = LineReader::new();
/// reader.push(b"NOOP\r\nDA");
/// assert_eq!(reader.cut(Want::Line { max: 512 }), Some(Cut::Line(b"NOOP")));
/// assert_eq!(reader.cut(Want::Line { max: 512 }), None);
/// assert_eq!(reader.pending(), 2);
/// ```
#[derive(Debug)]
pub struct LineReader {
    /// Empty while idle; else wholly initialised, received bytes are `start..end`.
    buffer: Vec<u8>,
    /// The first byte that has not been lent. `start <= end <= buffer.len()`.
    start: usize,
    /// The line feeds from there on, as far as they have been looked for.
    line_feeds: LineFeeds,
    /// Past the last byte received.
    end: usize,
    /// How long the buffer is made.
    capacity: usize,
    /// The longest line that was wanted: the buffer may grow to it.
    reach: usize,
    ending: Ending,
    /// The rest of an over-long line is being thrown away. No line feed has been found ahead then.
    skipping: bool,
    text: Text,
}

/// Where dot-text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    /// Not in text: the next byte of text starts a line.
    Outside,
    /// The next byte starts a line, so a dot there means something.
    LineStart,
    /// The next byte continues a line.
    Within,
}

impl Default for LineReader {
    fn default() -> Self {
        Self::new()
    }
}

impl LineReader {
    /// A reader with a buffer of [`RECEIVE_BUFFER`] octets, which takes no memory until
    /// [`Self::space`] is asked for.
    pub const fn new() -> Self {
        Self::with_capacity(RECEIVE_BUFFER)
    }

    /// A reader with a buffer of `octets`, of which there must be at least 3: the end of text is told apart in three.
    pub const fn with_capacity(octets: usize) -> Self {
        Self {
            buffer: Vec::new(),
            capacity: octets,
            start: 0,
            line_feeds: LineFeeds::new(),
            end: 0,
            reach: 0,
            ending: Ending::Unsettled,
            skipping: false,
            text: Text::Outside,
        }
    }

    /// Where the socket, or TLS, writes what it receives; then say how much with [`Self::filled`].
    ///
    /// Empty means full: stop reading until cuts have made room. It can be full only while a cut can be had, or while
    /// nothing is wanted.
    pub fn space(&mut self) -> &mut [u8] {
        if self.start == self.end {
            self.empty();
        }
        if self.buffer.is_empty() {
            self.buffer = vec![0; self.capacity];
        }
        if self.end == self.buffer.len() {
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                self.line_feeds.moved(self.start);
                self.end -= self.start;
                self.start = 0;
            } else if self.buffer.len() < self.reach {
                let longer = (self.buffer.len() * 2).min(self.reach);
                self.buffer.resize(longer, 0);
            }
        }
        &mut self.buffer[self.end..]
    }

    /// `octets` were written at the beginning of [`Self::space`].
    ///
    /// # Panics
    /// If there was no room for so many: the caller's arithmetic is wrong.
    pub fn filled(&mut self, octets: usize) {
        assert!(
            octets <= self.buffer.len() - self.end,
            "filled more than the space"
        );
        self.end += octets;
    }

    /// Copies bytes in that did not come from a socket: tests, and text that a person typed.
    ///
    /// # Panics
    /// If they do not fit into [`Self::space`].
    pub fn push(&mut self, bytes: &[u8]) {
        self.space()[..bytes.len()].copy_from_slice(bytes);
        self.filled(bytes.len());
    }

    /// Octets received and not yet lent. Must be 0 when TLS starts (RFC 3207 §6, command injection).
    pub const fn pending(&self) -> usize {
        self.end - self.start
    }

    /// All that is pending; then [`Self::skip`]. For who decodes it on the way to another reader.
    pub fn waiting(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The first `octets` of [`Self::waiting`] were used; of them there must be so many.
    pub fn skip(&mut self, octets: usize) {
        let octets = octets.min(self.pending());
        if octets > 0 {
            let _ = self.cut_octets(octets as u64);
        }
    }

    /// The line ending that the connection has settled.
    pub const fn ending(&self) -> Ending {
        self.ending
    }

    /// Whether the next octet of dot-text continues a line: else a dot in front of the next text was stuffed.
    pub const fn is_within_line(&self) -> bool {
        matches!(self.text, Text::Within)
    }

    /// Gives the memory back while nothing is pending: an idle connection holds none.
    pub fn release(&mut self) {
        if self.pending() == 0 {
            self.buffer = Vec::new();
            self.empty();
            self.line_feeds.release();
        }
    }

    /// The same, and the buffer is put into `spare` if that is empty: for the next reader that [adopts](Self::adopt) it.
    pub fn release_to(&mut self, spare: &mut Vec<u8>) {
        if self.pending() == 0 && spare.is_empty() && self.buffer.len() == self.capacity {
            *spare = std::mem::take(&mut self.buffer);
        }
        self.release();
    }

    /// Takes a buffer that another reader has given back, if it has none and this one is as long as its own would be. What is in there is
    /// lent to nobody.
    ///
    /// ```
    /// use mailtool_lines::{Cut, LineReader, Want};
    ///
    /// let (mut one, mut other, mut spare) = (LineReader::new(), LineReader::new(), Vec::new());
    /// one.push(b"NOOP\r\nX");
    /// assert_eq!(one.cut(Want::Line { max: 512 }), Some(Cut::Line(b"NOOP")));
    /// one.release_to(&mut spare);
    /// assert!(spare.is_empty(), "it is still used");
    /// assert_eq!(one.cut(Want::Octets(1)), Some(Cut::Text(b"X")));
    /// one.release_to(&mut spare);
    /// assert!(!spare.is_empty());
    /// other.adopt(&mut spare);
    /// assert!(spare.is_empty());
    /// assert_eq!(other.cut(Want::Octets(1)), None);
    /// other.push(b"QUIT\r\n");
    /// assert_eq!(other.cut(Want::Line { max: 512 }), Some(Cut::Line(b"QUIT")));
    /// ```
    pub fn adopt(&mut self, spare: &mut Vec<u8>) {
        if self.buffer.is_empty() && spare.len() == self.capacity {
            self.buffer = std::mem::take(spare);
        }
    }

    /// Forgets what was learnt and whatever is pending: a new conversation begins (TLS started).
    pub fn reset(&mut self) {
        *self = Self {
            buffer: std::mem::take(&mut self.buffer),
            ..Self::with_capacity(self.capacity)
        };
    }

    /// Lends the next piece, or `None` until more bytes have come.
    #[inline]
    pub fn cut(&mut self, want: Want) -> Option<Cut<'_>> {
        match want {
            Want::Line { max } => self.cut_line(max, Bare::Overlooked),
            Want::DotText => self.cut_text(Bare::Overlooked),
            Want::StrictLine { max } => {
                self.ending = Ending::Crlf;
                self.cut_line(max, Bare::Lent)
            }
            Want::StrictText => {
                self.ending = Ending::Crlf;
                self.cut_text(Bare::Lent)
            }
            Want::Octets(count) => self.cut_octets(count),
            Want::Nothing => None,
        }
    }

    #[inline]
    fn cut_line(&mut self, max: usize, bare: Bare) -> Option<Cut<'_>> {
        self.text = Text::Outside;
        let start = self.start;
        // A short cut for nearly every line: its line feed was found with those before it, and ends it as they did.
        if let Some(line_feed) = self.line_feeds.peek()
            && let Some([line @ .., b'\r']) = self.buffer.get(start..line_feed)
            && line.len() + 2 <= max
            && self.ending == Ending::Crlf
        {
            let end = start + line.len();
            self.line_feeds.take();
            self.start = line_feed + 1;
            return Some(Cut::Line(&self.buffer[start..end]));
        }
        match self.find_line(max, bare) {
            Found::Nothing => None,
            Found::LongLine => Some(Cut::LongLine),
            Found::Line { end } => Some(Cut::Line(&self.buffer[start..end])),
        }
    }

    /// Takes a line, whatever it looks like.
    #[inline(never)]
    fn find_line(&mut self, max: usize, bare: Bare) -> Found {
        loop {
            let Some(line_feed) = self.line_feeds.peek() else {
                if self.line_feeds.look(&self.buffer[..self.end]) {
                    continue;
                }
                self.wait_for_line_end(max);
                return Found::Nothing;
            };
            self.line_feeds.take();
            let after_cr = line_feed > self.start && self.buffer[line_feed - 1] == b'\r';
            let lent = !after_cr && bare == Bare::Lent;
            if !after_cr && self.ending == Ending::Crlf && !lent {
                continue;
            }
            self.ending = if after_cr || lent {
                Ending::Crlf
            } else {
                Ending::Lf
            };
            let octets = line_feed + 1 - self.start;
            self.start = line_feed + 1;
            if std::mem::take(&mut self.skipping) || octets > max {
                return Found::LongLine;
            }
            return Found::Line {
                end: line_feed + usize::from(lent) - usize::from(after_cr),
            };
        }
    }

    /// No line end in what came: begins or goes on to skip a line that is too long.
    fn wait_for_line_end(&mut self, max: usize) {
        self.reach = self.reach.max(max);
        if self.skipping || self.end - self.start >= max {
            self.skipping = true;
            // A CR may be half of the line end that is waited for.
            let keep = usize::from(self.end > self.start && self.buffer[self.end - 1] == b'\r');
            self.start = self.end - keep;
        }
    }

    #[inline(never)]
    fn cut_octets(&mut self, count: u64) -> Option<Cut<'_>> {
        self.text = Text::Outside;
        let octets =
            usize::try_from(count).map_or(self.pending(), |count| count.min(self.pending()));
        (octets > 0).then(|| self.lend_text(self.start + octets))
    }

    #[inline(never)]
    fn cut_text(&mut self, bare: Bare) -> Option<Cut<'_>> {
        if self.text != Text::Within {
            self.text = Text::LineStart;
            match self.dot_line()? {
                DotLine::End => {
                    self.text = Text::Outside;
                    return Some(Cut::TextEnd);
                }
                DotLine::Text => self.text = Text::Within,
            }
        }
        let mut at = self.start;
        while at < self.end {
            let octets = (self.end - at).min(BLOCK);
            let block = Block::load(&self.buffer[at..]);
            let here = first_bits(octets);
            // What the octet before this block was, as a bit for the first octet of the block.
            let (mut after_crs, mut after_lfs) = (0, 0);
            if at > self.start {
                after_crs = u64::from(self.buffer[at - 1] == b'\r');
                after_lfs = u64::from(self.buffer[at - 1] == b'\n');
            }
            let (cr, lf) = (block.positions(b'\r'), block.positions(b'\n'));
            after_crs |= cr << 1;
            after_lfs |= lf << 1;
            let line_dots = after_lfs & block.positions(b'.') & here;
            let stops = (after_crs ^ lf) & here | line_dots;
            if stops == 0 {
                if lf & here != 0 {
                    self.ending = Ending::Crlf;
                }
                at += octets;
                if self.ending == Ending::Crlf {
                    at += plain_text(&self.buffer[at - 1..self.end]);
                }
                continue;
            }
            let stop = stops.trailing_zeros() as usize;
            if lf & first_bits(stop) != 0 {
                self.ending = Ending::Crlf;
            }
            if line_dots >> stop & 1 == 1 {
                self.text = Text::LineStart;
                return Some(self.lend_text(at + stop));
            }
            // A CR is known to be bare at the octet after it.
            let bare_cr = after_crs >> stop & 1 == 1;
            let at = at + stop - usize::from(bare_cr);
            if bare == Bare::Lent && at == self.start {
                return Some(self.lend_text(at + 1));
            }
            return Some(self.lend_edited(at));
        }
        let last = self.buffer[self.start..self.end].last();
        if last == Some(&b'\n') {
            self.text = Text::LineStart;
        }
        // What a CR at the very end means, the next octet tells.
        let until = self.end - usize::from(last == Some(&b'\r'));
        (until > self.start).then(|| self.lend_text(until))
    }

    /// At a line start: takes the end line, or the dot that was stuffed. `None` while it cannot be told.
    fn dot_line(&mut self) -> Option<DotLine> {
        let line = &self.buffer[self.start..self.end];
        let (&first, rest) = line.split_first()?;
        if first != b'.' {
            return Some(DotLine::Text);
        }
        let ends = match (*rest.first()?, self.ending) {
            (b'\n', Ending::Lf | Ending::Unsettled) => Some((2, Ending::Lf)),
            (b'\r', Ending::Crlf | Ending::Unsettled) => {
                (*rest.get(1)? == b'\n').then_some((3, Ending::Crlf))
            }
            _ => None,
        };
        let Some((octets, ending)) = ends else {
            self.consume_to(self.start + 1);
            return Some(DotLine::Text);
        };
        self.ending = ending;
        self.consume_to(self.start + octets);
        Some(DotLine::End)
    }

    /// A bare CR or LF stands at `at`: lends what is before it, or else a CRLF in its place.
    fn lend_edited(&mut self, at: usize) -> Cut<'_> {
        if at > self.start {
            return self.lend_text(at);
        }
        if self.buffer[at] == b'\n' && self.ending != Ending::Crlf {
            self.ending = Ending::Lf;
            self.text = Text::LineStart;
        }
        self.consume_to(at + 1);
        Cut::Text(b"\r\n")
    }

    fn lend_text(&mut self, until: usize) -> Cut<'_> {
        let text = self.start..until;
        self.consume_to(until);
        Cut::Text(&self.buffer[text])
    }

    /// Nothing is pending: the buffer is filled from its front.
    const fn empty(&mut self) {
        (self.start, self.end) = (0, 0);
        self.line_feeds.restart(0);
    }

    /// Everything before `until` is done with.
    fn consume_to(&mut self, until: usize) {
        self.start = until;
        self.line_feeds.pass(until);
    }
}

/// What becomes of a bare CR or LF where CRLF should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bare {
    /// As the table in the module has it.
    Overlooked,
    /// It is lent as it came.
    Lent,
}

/// What was taken where a line was wanted.
enum Found {
    /// Nothing: its end has not come.
    Nothing,
    LongLine,
    /// A line, up to its line end.
    Line {
        end: usize,
    },
}

/// What stands at the start of a line of text.
enum DotLine {
    End,
    Text,
}
