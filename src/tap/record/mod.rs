//! Sessions, recorded: each a file in the format of `tests/dialogs`, and all of them live for whoever follows.
//!
//! ```text
//!  loop                               thread "sessions"
//!  Recorded (a Tap) --events--> batch --> Transcript --> a file a session     folder.rs
//!  abridge.rs                             of each    --> followers            follow.rs
//! ```
//!
//! What it keeps:
//! - the loop never waits for a disk, nor for a terminal: it appends to a batch in memory, which the thread takes; when the batch is
//!   full, what comes is left out, and the session's file says how much;
//! - memory is bounded: the batch by [`limits::RECORD_BATCH`], what a session has not written yet by [`limits::RECORD_PENDING`],
//!   a follower that does not read by [`limits::FOLLOWER`]; a connection that says nothing holds some hundred octets;
//! - of long text the beginning and the last line are kept (`abridge`);
//! - what is on disk ends with a whole line, a second after it was said at the latest, whatever becomes of the program.
//!
//! A file says in comments what no line of a dialogue says, a [note](super::note) each, so that it still plays:
//!
//! ```text
//! # session: 20261126-140522.123-12
//! # service: smtp
//! # client: 127.0.0.1:51234
//! # server: 127.0.0.1:1025
//! S: 220 localhost ESMTP ...
//! # +0.012 s
//! C: EHLO pc1
//! # message: 6B081562-1-1
//! # ended: after 1.234 s
//! ```

mod abridge;
mod folder;
mod follow;
mod scribe;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use self::abridge::Abridged;
pub use self::folder::{Bounds, Folder, Name, names};
pub use self::follow::{Feed, Follower};
use self::scribe::Scribe;
use super::{Piece, Side, Tap};
use crate::limits;

/// Takes down what connections say. Dropped, it has written all that was said before.
pub struct Recorder {
    shared: Arc<Shared>,
    feed: Feed,
    keeps: bool,
    thread: Option<JoinHandle<()>>,
}

/// Whose session it is.
#[derive(Clone, Debug)]
pub struct Whose<'a> {
    /// Unique while the program runs.
    pub number: u64,
    /// The service, such as `smtp`.
    pub service: &'a str,
    /// The other end; `None` for a UNIX socket.
    pub client: Option<SocketAddr>,
    /// This end; `None` for a UNIX socket.
    pub server: Option<SocketAddr>,
    /// When it began, on both clocks.
    pub began: (Instant, SystemTime),
}

impl Recorder {
    /// Writes into `folder`, if there is one, and to who follows `feed`.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(folder: Option<Folder>, feed: Feed) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let keeps = folder.is_some();
        let mut scribe = Scribe::new(folder, feed.clone());
        let batches = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("sessions".to_owned())
            .spawn(move || {
                let mut spare = Vec::new();
                while let Some(mut batch) = batches.take(scribe.is_owing(), spare) {
                    scribe.take(&batch);
                    batch.clear();
                    batch.shrink_to(limits::RECORD_SPARE);
                    spare = batch;
                }
                scribe.finish();
            })?;
        Ok(Self {
            shared,
            feed,
            keeps,
            thread: Some(thread),
        })
    }

    /// A tap for a new connection; `None` when nobody wants to know.
    pub fn tap(&self, whose: &Whose<'_>) -> Option<Box<dyn Tap>> {
        if !self.keeps && !self.feed.is_followed() {
            return None;
        }
        let recorded = Recorded {
            shared: Arc::clone(&self.shared),
            number: whose.number,
            abridged: Abridged::default(),
            lost: 0,
        };
        recorded.open(whose);
        Some(Box::new(recorded))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.shared.hold().over = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What is on its way to the thread.
#[derive(Default)]
struct Shared {
    batch: Mutex<Batch>,
    wake: Condvar,
}

#[derive(Default)]
struct Batch {
    /// Events, one behind the other: [`Event::write`].
    octets: Vec<u8>,
    /// The thread sleeps until it is notified.
    asleep: bool,
    over: bool,
}

impl Shared {
    /// A tap has no better answer to a panic elsewhere than to go on: events are only ever written whole.
    fn hold(&self) -> MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// False when there is no room for it.
    fn put(&self, event: &Event<'_>) -> bool {
        let mut batch = self.hold();
        // Ends are few, and must not be lost: there is always room for them.
        let is_small = matches!(event.what, What::End | What::Note { .. });
        let bound = limits::RECORD_BATCH + if is_small { limits::RECORD_PENDING } else { 0 };
        if batch.octets.len() + event.what.octets() > bound {
            return false;
        }
        event.write(&mut batch.octets);
        if std::mem::take(&mut batch.asleep) {
            drop(batch);
            self.wake.notify_one();
        }
        true
    }

    /// What has come; nothing when `owing` and a moment has passed; `None` at the end. What comes next is put into `spare`.
    fn take(&self, owing: bool, spare: Vec<u8>) -> Option<Vec<u8>> {
        let mut batch = self.hold();
        if batch.octets.is_empty() && !batch.over {
            batch.asleep = true;
            let wait = if owing {
                limits::RECORD_DELAY
            } else {
                Duration::from_secs(3600)
            };
            let is_idle = |batch: &mut Batch| batch.octets.is_empty() && !batch.over;
            let (woken, _) = self
                .wake
                .wait_timeout_while(batch, wait, is_idle)
                .unwrap_or_else(PoisonError::into_inner);
            batch = woken;
            batch.asleep = false;
            if !batch.octets.is_empty() && !batch.over {
                // What comes in the same moment is taken at once: a sleeper that is woken for each line costs the loop more.
                drop(batch);
                std::thread::sleep(limits::RECORD_GATHER);
                batch = self.hold();
            }
        }
        if batch.over && batch.octets.is_empty() {
            return None;
        }
        Some(std::mem::replace(&mut batch.octets, spare))
    }
}

/// The tap of one connection.
struct Recorded {
    shared: Arc<Shared>,
    number: u64,
    abridged: Abridged,
    /// Octets for which there was no room, and which the thread does not know of yet.
    lost: u64,
}

impl Recorded {
    fn open(&self, whose: &Whose<'_>) {
        let shown = |end: Option<SocketAddr>| {
            end.map_or_else(|| "a UNIX socket".to_owned(), |end| end.to_string())
        };
        let (client, server) = (shown(whose.client), shown(whose.server));
        let since = whose.began.1.duration_since(SystemTime::UNIX_EPOCH);
        let milliseconds = since.unwrap_or_default().as_millis();
        let text = format!("{milliseconds}\n{}\n{client}\n{server}", whose.service);
        self.put(whose.began.0, Side::Client, What::Open(&text));
    }

    fn put(&self, now: Instant, side: Side, what: What<'_>) -> bool {
        self.shared.put(&Event {
            number: self.number,
            at: moment(now),
            side,
            what,
        })
    }

    fn bytes(&mut self, now: Instant, side: Side, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.lost > 0 {
            let text = format!(
                "{} octets: what is said is not written fast enough",
                self.lost
            );
            let kind = "lost";
            if self.put(now, side, What::Note { kind, text: &text }) {
                self.lost = 0;
            }
        }
        if self.lost > 0 || !self.put(now, side, What::Bytes(bytes)) {
            self.lost += bytes.len() as u64;
        }
    }

    /// What was left out so far is told, and how it ended.
    fn settle(&mut self, now: Instant) {
        if let Some(left) = self.abridged.settle() {
            let kind = "left out";
            self.put(
                now,
                left.side,
                What::Note {
                    kind,
                    text: &left.words(),
                },
            );
            self.bytes(now, left.side, left.end());
        }
    }
}

impl Tap for Recorded {
    fn saw(&mut self, now: Instant, side: Side, piece: Piece<'_>) {
        match piece {
            Piece::Bytes(bytes) => {
                if self.abridged.is_turn(side) {
                    self.settle(now);
                }
                let kept = self.abridged.take(side, bytes);
                self.bytes(now, side, &bytes[..kept]);
            }
            Piece::Secret => {
                if self.abridged.is_turn(side) {
                    self.settle(now);
                }
                if self.abridged.take(side, b"********") > 0 {
                    self.bytes(now, side, b"********");
                }
            }
            Piece::Note { kind, text } => {
                self.settle(now);
                self.put(now, side, What::Note { kind, text });
            }
            Piece::Tls(words) => {
                self.settle(now);
                self.put(now, side, What::Tls(words));
            }
            Piece::Closed => {
                self.settle(now);
                self.put(now, side, What::Closed);
            }
        }
    }

    fn enough(&self) -> u64 {
        limits::RECORD_STRETCH as u64
    }

    fn skipped(&mut self, now: Instant, side: Side, octets: u64) {
        if self.abridged.is_turn(side) {
            self.settle(now);
        }
        self.abridged.skip(side, octets);
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        let now = Instant::now();
        self.settle(now);
        self.put(now, Side::Server, What::End);
    }
}

/// Something that happened to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Event<'a> {
    number: u64,
    /// Nanoseconds on the clock of this program.
    at: u64,
    side: Side,
    what: What<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What<'a> {
    /// It begins: milliseconds since 1970, service, client, server, a line each.
    Open(&'a str),
    Bytes(&'a [u8]),
    Tls(&'a str),
    Note {
        kind: &'a str,
        text: &'a str,
    },
    Closed,
    /// It is over.
    End,
}

impl What<'_> {
    const fn octets(&self) -> usize {
        match self {
            Self::Open(text) | Self::Tls(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Note { kind, text } => kind.len() + text.len(),
            Self::Closed | Self::End => 0,
        }
    }
}

impl<'a> Event<'a> {
    /// A head of 24 octets, and what it says.
    fn write(&self, batch: &mut Vec<u8>) {
        let (kind, first, second): (u8, &[u8], &[u8]) = match self.what {
            What::Open(text) => (0, text.as_bytes(), b""),
            What::Bytes(bytes) => (1, bytes, b""),
            What::Tls(text) => (2, text.as_bytes(), b""),
            What::Note { kind, text } => (3, kind.as_bytes(), text.as_bytes()),
            What::Closed => (4, b"", b""),
            What::End => (5, b"", b""),
        };
        batch.extend_from_slice(&self.number.to_le_bytes());
        batch.extend_from_slice(&self.at.to_le_bytes());
        // A chunk is one buffer's worth, a kind a word.
        batch.extend_from_slice(&((first.len() + second.len()) as u32).to_le_bytes());
        batch.extend_from_slice(&[kind, self.side as u8, first.len().min(255) as u8, 0]);
        batch.extend_from_slice(first);
        batch.extend_from_slice(second);
    }

    /// The first of a batch, and what is behind it.
    fn read(batch: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (head, rest) = batch.split_first_chunk::<24>()?;
        let number = u64::from_le_bytes(head[..8].try_into().ok()?);
        let at = u64::from_le_bytes(head[8..16].try_into().ok()?);
        let octets = u32::from_le_bytes(head[16..20].try_into().ok()?) as usize;
        let (body, rest) = rest.split_at_checked(octets)?;
        let text = |octets: &'a [u8]| std::str::from_utf8(octets).unwrap_or_default();
        let what = match head[20] {
            0 => What::Open(text(body)),
            1 => What::Bytes(body),
            2 => What::Tls(text(body)),
            3 => {
                let (kind, words) = body.split_at_checked(usize::from(head[22]))?;
                What::Note {
                    kind: text(kind),
                    text: text(words),
                }
            }
            4 => What::Closed,
            _ => What::End,
        };
        let side = if head[21] == Side::Client as u8 {
            Side::Client
        } else {
            Side::Server
        };
        let event = Self {
            number,
            at,
            side,
            what,
        };
        Some((event, rest))
    }
}

/// A moment as events have it, and back: since the first time that anybody asked.
fn moment(now: Instant) -> u64 {
    u64::try_from(now.saturating_duration_since(*BEGINNING).as_nanos()).unwrap_or(u64::MAX)
}

fn instant(moment: u64) -> Instant {
    *BEGINNING + Duration::from_nanos(moment)
}

/// A connection may have been accepted a moment before it is first asked for.
static BEGINNING: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(|| {
    let now = Instant::now();
    now.checked_sub(Duration::from_secs(60)).unwrap_or(now)
});
