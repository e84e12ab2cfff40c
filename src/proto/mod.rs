//! Sessions: each side of each protocol as a machine that does no I/O.
//!
//! A [`Session`] is told what arrived ([`Input`]) and answers into an [`Out`]. It owns no socket, reads no clock and
//! opens no file, so that a dialogue can be played without any of them: by the reactor, a test, a fuzzer. The contract:
//!
//! 1. [`Input::Open`] comes first (for implicit TLS [`Input::TlsUp`] comes before it).
//! 2. Before every cut the session is asked [`Session::want`]; what was cut comes to [`Session::handle`].
//! 3. A session may ask for one [`Job`] at a time. Until its [`Answer`] comes as [`Input::Done`], it wants
//!    [`Want::Nothing`]: bytes wait in the buffer, and the peer waits for the socket.
//! 4. After [`Out::start_tls`] or [`Out::close`] nothing more is cut. `TlsUp` follows the first: forget everything
//!    that was learnt before.
//! 5. After every call, [`Session::deadline`] is asked anew; when it passes, [`Input::Timeout`] comes.
//! 6. [`Input::Eof`] comes once, after the last whole cut. [`Input::Stop`] asks for a goodbye at the next moment at which
//!    nothing accepted would be lost.

pub mod client;
pub mod imap;
pub mod pop3;
pub mod raw;
pub mod smtp;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant, SystemTime};

use crate::limits;
use crate::store::{Extent, Store};
use crate::tap::{Piece, Side, Tap};
use crate::wire::lines::{Cut, LineReader, Want};

/// One side of one conversation. See the module for the contract.
pub trait Session {
    /// How to cut the next bytes.
    fn want(&self) -> Want;
    /// Takes one input, and answers into `out`.
    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out);
    /// When [`Input::Timeout`] is due.
    fn deadline(&self) -> Option<Instant>;
    /// Which octets of this piece, about to be handled, are a password or its like; never past its end. Asked for each
    /// line and each piece of a literal when there is a tap, which is shown `********` in their place. All of a line
    /// that answers a challenge: `Some(0..piece.len())`; of `PASS secret`: `Some(5..11)`.
    fn secret_in(&self, _piece: &[u8]) -> Option<Range<usize>> {
        None
    }
}

impl<S: Session + ?Sized> Session for &mut S {
    fn want(&self) -> Want {
        (**self).want()
    }
    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        (**self).handle(now, input, out);
    }
    fn deadline(&self) -> Option<Instant> {
        (**self).deadline()
    }
    fn secret_in(&self, piece: &[u8]) -> Option<Range<usize>> {
        (**self).secret_in(piece)
    }
}

/// What can happen to a session.
#[derive(Debug)]
pub enum Input<'a> {
    /// The connection stands.
    Open,
    /// A line, without its line end; lent for the call.
    Line(&'a [u8]),
    /// A line was longer than wanted, and has been skipped.
    LongLine,
    /// A piece of text or of a literal; lent for the call.
    Text(&'a [u8]),
    /// Dot-text has ended.
    TextEnd,
    /// TLS stands.
    TlsUp(TlsInfo),
    /// The job that was asked for is done.
    Done(Answer),
    /// A mailbox that the session subscribed to has changed.
    Changed,
    /// The peer has read: a full [`Out`] has room again.
    Room,
    /// The deadline has passed.
    Timeout,
    /// The peer will send no more.
    Eof,
    /// The program is about to stop: say goodbye and close (421, `* BYE`, `-ERR`).
    Stop,
}

impl<'a> From<Cut<'a>> for Input<'a> {
    fn from(cut: Cut<'a>) -> Self {
        match cut {
            Cut::Line(line) => Self::Line(line),
            Cut::LongLine => Self::LongLine,
            Cut::Text(text) => Self::Text(text),
            Cut::TextEnd => Self::TextEnd,
        }
    }
}

/// What a session may know about the TLS below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsInfo {
    /// `TLSv1.3`
    pub version: &'static str,
    /// `TLS13_AES_256_GCM_SHA384`
    pub cipher: &'static str,
    /// The name that the client asked for.
    pub server_name: Option<String>,
}

/// The one loop through which bytes reach a session: reactor, tests and fuzzers all call it.
pub fn pump(reader: &mut LineReader, session: &mut dyn Session, now: Instant, out: &mut Out) {
    out.now = now;
    while !out.is_full() && !out.is_blocked() {
        let want = session.want();
        let unstuffed = want == Want::DotText && !reader.is_within_line();
        let Some(cut) = reader.cut(want) else { break };
        if out.tap.is_some() {
            if unstuffed && matches!(cut, Cut::Text([b'.', ..])) {
                // Taps see what was said: with the dot that the reader took away.
                out.show_received(Cut::Text(b"."), None);
            }
            let secret = match cut {
                Cut::Line(piece) | Cut::Text(piece) => session.secret_in(piece),
                Cut::LongLine | Cut::TextEnd => None,
            };
            out.show_received(cut, secret);
        }
        session.handle(now, cut.into(), out);
    }
}

/// A session factory: what answers on a listener.
pub trait Service: Send + Sync {
    /// The name in logs and on screen: `smtp`, `submission`, `smtps`, `lmtp`, `pop3`, `pop3s`, `imap`, `imaps`.
    fn name(&self) -> &'static str;
    /// A session for a new connection.
    fn session(&self, peer: Peer) -> Box<dyn Session>;
}

/// Whether a server can start TLS in the middle of a conversation (STARTTLS, STLS).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartTls {
    /// There is a certificate.
    Offered,
    /// There is none.
    Unavailable,
}

/// Who connected, and when.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Unique while the program runs; also names the session in logs.
    pub token: u64,
    /// The other end; `None` for a UNIX socket.
    pub remote: Option<SocketAddr>,
    /// This end; `None` for a UNIX socket.
    pub local: Option<SocketAddr>,
    /// When the connection was accepted, on both clocks.
    pub accepted: Epoch,
    /// Set when there are more connections than allowed: the session only says so (421, `* BYE`, `-ERR`) and closes.
    pub refused: Option<Refused>,
}

/// Why a connection is refused at its door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Too many connections in all.
    Connections,
    /// Too many connections from this address.
    Address,
}

/// One moment on both clocks, so that a session can tell the date from the `now` that it is given.
#[derive(Clone, Copy, Debug)]
pub struct Epoch {
    /// The moment on the clock of deadlines.
    pub instant: Instant,
    /// The same moment on the clock on the wall.
    pub wall: SystemTime,
}

impl Epoch {
    /// What the clock on the wall shows at `now`.
    pub fn wall(&self, now: Instant) -> SystemTime {
        self.wall + now.saturating_duration_since(self.instant)
    }
    /// Seconds since 1970 at `now`.
    pub fn unix(&self, now: Instant) -> i64 {
        let since = self
            .wall(now)
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }
}

/// Slow work that a session asks for. Runs on a pool thread.
pub enum Job {
    /// For SMTP, submission and LMTP.
    Smtp(smtp::Job),
    /// For POP3.
    Pop3(pop3::Job),
    /// For IMAP.
    Imap(imap::Job),
}

/// What a job brought.
#[derive(Debug)]
pub enum Answer {
    /// For SMTP, submission and LMTP.
    Smtp(smtp::Answer),
    /// For POP3.
    Pop3(pop3::Answer),
    /// For IMAP.
    Imap(imap::Answer),
}

impl Job {
    /// Does the work: blocks on disk and on password hashes.
    pub fn run(self, store: &Store) -> Answer {
        match self {
            Self::Smtp(job) => Answer::Smtp(job.run(store)),
            Self::Pop3(job) => Answer::Pop3(job.run(store)),
            Self::Imap(job) => Answer::Imap(job.run(store)),
        }
    }
}

/// What a session answers: bytes in order, and at most one wish.
///
/// The bytes wait here until the peer takes them. Between [`limits::SEND_HIGH`] and [`limits::SEND_LOW`] the session is
/// given no input, so a peer that never reads costs a bounded amount of memory.
pub struct Out {
    /// What goes out before `tail`.
    queue: VecDeque<Segment>,
    tail: Vec<u8>,
    /// Octets already gone of the first segment, or of `tail` when `queue` is empty.
    sent: u64,
    queued: u64,
    wish: Option<Wish>,
    job: Option<Job>,
    tap: Option<Box<dyn Tap>>,
    side: Side,
    now: Instant,
}

enum Segment {
    Bytes(Vec<u8>),
    Extent(Extent),
}

impl Segment {
    const fn octets(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Extent(extent) => extent.octets(),
        }
    }
}

/// A piece of what waits to be sent.
pub enum Front<'a> {
    /// Octets in memory.
    Bytes(&'a [u8]),
    /// A part of a file: the octets from `.1` on are still to be sent.
    Extent(&'a Extent, u64),
}

/// What the connection shall do once everything before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Start TLS.
    StartTls,
    /// Close.
    Close,
}

impl Out {
    /// An empty one, for the `side` that the session plays; taps hear what is said from now on.
    pub fn new(side: Side, now: Instant, tap: Option<Box<dyn Tap>>) -> Self {
        Self {
            queue: VecDeque::new(),
            tail: Vec::new(),
            sent: 0,
            queued: 0,
            wish: None,
            job: None,
            tap,
            side,
            now,
        }
    }

    /// Says one line; CRLF is added.
    pub fn line(&mut self, line: &[u8]) {
        let start = self.tail.len();
        self.tail.extend_from_slice(line);
        self.tail.extend_from_slice(b"\r\n");
        self.said(start);
    }

    /// Says one line that ends in a password or its like: `("PASS ", "secret")`; CRLF is added, and taps are shown
    /// `PASS ********`.
    pub fn secret_line(&mut self, shown: &[u8], secret: &[u8]) {
        self.bytes(shown);
        self.tail.extend_from_slice(secret);
        self.queued += secret.len() as u64;
        self.show(self.side, Piece::Secret);
        self.bytes(b"\r\n");
    }

    /// Says bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let start = self.tail.len();
        self.tail.extend_from_slice(bytes);
        self.said(start);
    }

    /// Lets `write` append bytes in place, without a copy in between.
    pub fn with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.tail.len();
        write(&mut self.tail);
        self.said(start);
    }

    /// Says a block that a worker made; it is not copied.
    pub fn block(&mut self, block: Vec<u8>) {
        if let Some(tap) = &mut self.tap {
            tap.saw(self.now, self.side, Piece::Bytes(&block));
        }
        self.queued += block.len() as u64;
        self.close_tail();
        if !block.is_empty() {
            self.queue.push_back(Segment::Bytes(block));
        }
    }

    /// Says a part of a file, read when the peer takes it; at once when taps are to be shown it.
    pub fn extent(&mut self, extent: Extent) {
        if self.tap.is_some()
            && let Some(bytes) = extent.read()
        {
            return self.block(bytes);
        }
        self.queued += extent.octets();
        self.close_tail();
        if extent.octets() > 0 {
            self.queue.push_back(Segment::Extent(extent));
        }
    }

    /// Asks for slow work. One at a time.
    pub fn job(&mut self, job: Job) {
        debug_assert!(self.job.is_none(), "one outstanding job a session");
        self.job = Some(job);
    }

    /// TLS starts when everything said so far is sent.
    pub fn start_tls(&mut self) {
        self.wish = Some(Wish::StartTls);
    }

    /// The connection closes when everything said so far is sent.
    pub fn close(&mut self) {
        self.wish = Some(Wish::Close);
    }

    /// Whether so much waits that the session gets no more input.
    pub const fn is_full(&self) -> bool {
        self.queued >= limits::SEND_HIGH as u64
    }

    /// Whether nothing waits.
    pub const fn is_empty(&self) -> bool {
        self.queued == 0
    }

    /// Octets that wait.
    pub const fn queued(&self) -> u64 {
        self.queued
    }

    /// Whether no more may be cut: the connection is closing, TLS starts, or a job is to be taken.
    pub const fn is_blocked(&self) -> bool {
        self.wish.is_some() || self.job.is_some()
    }

    /// What the connection shall do once this is empty.
    pub const fn wish(&self) -> Option<Wish> {
        self.wish
    }

    /// The wish was fulfilled.
    pub fn take_wish(&mut self) -> Option<Wish> {
        self.wish.take()
    }

    /// The job that was asked for, to be given to the pool.
    pub fn take_job(&mut self) -> Option<Job> {
        self.job.take()
    }

    /// The first of what waits, to be sent; then [`Self::advance`].
    pub fn front(&self) -> Option<Front<'_>> {
        self.waiting().next()
    }

    /// All that waits, in order, so that several pieces can go out in one write; then [`Self::advance`].
    pub fn waiting(&self) -> impl Iterator<Item = Front<'_>> {
        let tail = Some(self.tail.as_slice()).filter(|tail| !tail.is_empty());
        let mut sent = self.sent;
        self.queue
            .iter()
            .map(|segment| match segment {
                Segment::Bytes(bytes) => Front::Bytes(bytes),
                Segment::Extent(extent) => Front::Extent(extent, 0),
            })
            .chain(tail.map(Front::Bytes))
            .map(move |front| {
                let sent = std::mem::take(&mut sent);
                match front {
                    Front::Bytes(bytes) => Front::Bytes(&bytes[sent as usize..]),
                    Front::Extent(extent, _) => Front::Extent(extent, sent),
                }
            })
    }

    /// The first `octets` of [`Self::waiting`] are sent.
    pub fn advance(&mut self, octets: usize) {
        self.sent += octets as u64;
        self.queued -= octets as u64;
        while let Some(segment) = self.queue.front() {
            let length = segment.octets();
            if self.sent < length {
                return;
            }
            self.sent -= length;
            self.queue.pop_front();
        }
        let sent = self.sent as usize;
        if sent == self.tail.len() {
            self.sent = 0;
            self.tail.clear();
        } else if sent >= limits::SEND_LOW && sent * 2 >= self.tail.len() {
            // A peer that is always a little behind must not make the tail grow for ever.
            self.tail.drain(..sent);
            self.sent = 0;
        }
    }

    /// Gives the memory back while nothing waits: an idle connection holds none.
    pub fn release(&mut self) {
        if self.is_empty() {
            self.tail = Vec::new();
            self.queue = VecDeque::new();
        }
    }

    /// Shows the taps what the session cannot: TLS, the end.
    pub fn show(&mut self, side: Side, piece: Piece<'_>) {
        if let Some(tap) = &mut self.tap {
            tap.saw(self.now, side, piece);
        }
    }

    /// Sets the time that taps are told; [`pump`] does so too.
    pub fn set_now(&mut self, now: Instant) {
        self.now = now;
    }

    /// `tail[start..]` was said.
    fn said(&mut self, start: usize) {
        self.queued += (self.tail.len() - start) as u64;
        if let Some(tap) = &mut self.tap {
            tap.saw(self.now, self.side, Piece::Bytes(&self.tail[start..]));
        }
    }

    fn close_tail(&mut self) {
        if !self.tail.is_empty() {
            // `sent` counts in the first segment, which the tail is when the queue is empty: it stays right.
            self.queue
                .push_back(Segment::Bytes(std::mem::take(&mut self.tail)));
        }
    }

    fn show_received(&mut self, cut: Cut<'_>, secret: Option<Range<usize>>) {
        let peer = match self.side {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        };
        match cut {
            Cut::Line(line) => {
                self.show_masked(peer, line, secret);
                self.show(peer, Piece::Bytes(b"\r\n"));
            }
            Cut::LongLine => self.show(peer, Piece::Bytes(b"[a line that was too long]\r\n")),
            Cut::Text(text) => self.show_masked(peer, text, secret),
            Cut::TextEnd => self.show(peer, Piece::Bytes(b".\r\n")),
        }
    }

    fn show_masked(&mut self, side: Side, piece: &[u8], secret: Option<Range<usize>>) {
        let end = piece.len();
        let secret = secret.map_or(end..end, |range| range.start.min(end)..range.end.min(end));
        if secret.start > 0 {
            self.show(side, Piece::Bytes(&piece[..secret.start]));
        }
        if secret.start < secret.end {
            self.show(side, Piece::Secret);
        }
        if secret.end < end {
            self.show(side, Piece::Bytes(&piece[secret.end..]));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    /// Everything after `PASS ` is secret, and so is a literal.
    struct Secretive;

    impl Session for Secretive {
        fn want(&self) -> Want {
            Want::Line { max: 100 }
        }
        fn handle(&mut self, _now: Instant, _input: Input<'_>, out: &mut Out) {
            out.secret_line(b"AUTH PLAIN ", b"AGEAYg==");
        }
        fn deadline(&self) -> Option<Instant> {
            None
        }
        fn secret_in(&self, piece: &[u8]) -> Option<Range<usize>> {
            piece.starts_with(b"PASS ").then_some(5..piece.len())
        }
    }

    struct Shown(Rc<RefCell<String>>);

    impl Tap for Shown {
        fn saw(&mut self, _now: Instant, side: Side, piece: Piece<'_>) {
            let text = match piece {
                Piece::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                other => format!("<{other:?}>"),
            };
            self.0.borrow_mut().push_str(&format!("{side:?}:{text:?} "));
        }
    }

    /// Takes message text.
    struct Reads;

    impl Session for Reads {
        fn want(&self) -> Want {
            Want::DotText
        }
        fn handle(&mut self, _now: Instant, _input: Input<'_>, _out: &mut Out) {}
        fn deadline(&self) -> Option<Instant> {
            None
        }
    }

    #[test]
    fn taps_see_dots_as_they_were_stuffed() {
        let said = b"a.\r\n..b\r\n...\r\nc..d\r\n.\r\n";
        let now = Instant::now();
        for cut in 0..said.len() {
            let seen = Rc::new(RefCell::new(String::new()));
            let tap: Box<dyn Tap> = Box::new(Shown(Rc::clone(&seen)));
            let mut out = Out::new(Side::Server, now, Some(tap));
            let mut reader = LineReader::new();
            for piece in [&said[..cut], &said[cut..]] {
                reader.push(piece);
                pump(&mut reader, &mut Reads, now, &mut out);
            }
            let seen = seen.borrow().replace("\" Client:\"", "");
            let expected = format!("Client:{:?} ", String::from_utf8_lossy(said));
            assert_eq!(seen, expected, "cut at {cut}");
        }
    }

    #[test]
    fn taps_never_see_what_is_secret() {
        let seen = Rc::new(RefCell::new(String::new()));
        let now = Instant::now();
        let tap: Box<dyn Tap> = Box::new(Shown(Rc::clone(&seen)));
        let mut out = Out::new(Side::Server, now, Some(tap));
        let mut reader = LineReader::new();
        reader.push(b"PASS hush\r\nNOOP\r\n");
        pump(&mut reader, &mut Secretive, now, &mut out);
        let said = "Server:\"AUTH PLAIN \" Server:\"<Secret>\" Server:\"\\r\\n\" ";
        assert_eq!(
            *seen.borrow(),
            format!(
                "Client:\"PASS \" Client:\"<Secret>\" Client:\"\\r\\n\" {said}Client:\"NOOP\" Client:\"\\r\\n\" {said}"
            )
        );
        assert_eq!(out.queued(), 2 * b"AUTH PLAIN AGEAYg==\r\n".len() as u64);
    }
}
