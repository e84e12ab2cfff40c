//! What a session answers: octets in order, a job, a wish. The connection sends it as fast as the peer reads.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Instant;

use super::Job;
use crate::limits;
use crate::store::Extent;
use crate::tap::{Attached, Piece, Side, Tap, note};
use crate::wire::lines::Cut;

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
    news: bool,
    /// Boxed: most of the time there is none.
    job: Option<Box<Job>>,
    tap: Attached<dyn Tap>,
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
    /// Compress, and expect to be sent what is compressed (RFC 4978).
    Compress,
    /// Do so no longer.
    CompressNoMore,
    /// Close.
    Close,
    /// Close at once, and have the peer told that something is wrong (TCP: RST).
    Reset,
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
            news: false,
            job: None,
            tap: Attached::new(tap),
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
        if let Some(tap) = self.tap.observer() {
            tap.saw(self.now, self.side, Piece::Bytes(&block));
        }
        self.queued += block.len() as u64;
        self.close_tail();
        if !block.is_empty() {
            self.queue.push_back(Segment::Bytes(block));
        }
    }

    /// Says a part of a file, read when the peer takes it; at once, as much as they want, when taps are to be shown it.
    pub fn extent(&mut self, extent: Extent) {
        if let Some(tap) = self.tap.observer() {
            let enough = tap.enough();
            if extent.octets() <= enough {
                if let Some(bytes) = extent.read() {
                    return self.block(bytes);
                }
            } else if let Some(bytes) = extent.part(0, enough).read() {
                tap.saw(self.now, self.side, Piece::Bytes(&bytes));
                tap.skipped(self.now, self.side, extent.octets() - enough);
            }
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
        self.job = Some(Box::new(job));
    }

    /// Tells whoever ordered this connection that the session has something for it, in a place that both know.
    pub const fn notify(&mut self) {
        self.news = true;
    }

    /// Whether [`Self::notify`] was called since this was last asked.
    pub const fn take_news(&mut self) -> bool {
        std::mem::replace(&mut self.news, false)
    }

    /// TLS starts when everything said so far is sent.
    pub fn start_tls(&mut self) {
        self.wish = Some(Wish::StartTls);
    }

    /// What is said after this is compressed, and so is what the peer says next.
    pub fn compress(&mut self) {
        self.wish = Some(Wish::Compress);
    }

    /// What is said after this is not compressed, nor is what the peer says next.
    pub fn compress_no_more(&mut self) {
        self.wish = Some(Wish::CompressNoMore);
    }

    /// The connection closes when everything said so far is sent.
    pub fn close(&mut self) {
        self.wish = Some(Wish::Close);
    }

    /// The connection is broken off when everything said so far is sent: the peer's next read or write fails (TCP: RST).
    pub fn reset(&mut self) {
        self.wish = Some(Wish::Reset);
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
        self.take_boxed_job().map(|job| *job)
    }

    /// The same, as it lies.
    pub fn take_boxed_job(&mut self) -> Option<Box<Job>> {
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
        if let Some(tap) = self.tap.observer() {
            tap.saw(self.now, side, piece);
        }
    }

    /// Tells the taps, if there are any, what no octets show: see [`tap::note`](crate::tap::note) for the kinds, and
    /// [`Self::is_tapped`] where the text is not at hand.
    pub fn note(&mut self, kind: &'static str, text: &str) {
        self.pass_note(kind, text);
    }

    /// Tells the taps whose connection it is, which came by way of `proxy`.
    pub fn note_client(&mut self, client: SocketAddr, proxy: Option<SocketAddr>) {
        if self.is_tapped() {
            self.note(note::CLIENT, &client.to_string());
            if let Some(proxy) = proxy {
                self.note(note::PROXY, &proxy.to_string());
            }
        }
    }

    /// The same of one that was told to another tap first.
    pub(super) fn pass_note(&mut self, kind: &str, text: &str) {
        self.show(self.side, Piece::Note { kind, text });
    }

    /// Whether there are taps.
    pub const fn is_tapped(&self) -> bool {
        self.tap.is_some()
    }

    /// The time that taps are told.
    pub(super) const fn now(&self) -> Instant {
        self.now
    }

    /// Sets the time that taps are told; [`pump`](super::pump) does so too.
    pub fn set_now(&mut self, now: Instant) {
        self.now = now;
    }

    /// `tail[start..]` was said.
    fn said(&mut self, start: usize) {
        self.queued += (self.tail.len() - start) as u64;
        if let Some(tap) = self.tap.observer() {
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

    /// Shows the taps what the peer said; `secret` octets of it are masked.
    pub(super) fn show_received(&mut self, cut: Cut<'_>, secret: Option<Range<usize>>) {
        let peer = self.side.other();
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
