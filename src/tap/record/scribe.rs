//! The thread's part: events become lines, in a file a session, and for followers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::folder::{Folder, Name};
use super::follow::Feed;
use super::{Event, What, instant};
use crate::limits;
use crate::tap::transcript::{Folding, Sink, Transcript};
use crate::tap::{Piece, Side, Tap};

/// Writes down what events tell.
pub(super) struct Scribe {
    folder: Option<Folder>,
    feed: Feed,
    live: HashMap<u64, Live>,
    /// What a transcript has just written.
    written: Arc<Mutex<Vec<u8>>>,
    /// Sessions with lines that are not in their files.
    owing: Vec<u64>,
    /// When those are due.
    due: Option<Instant>,
    /// About so many octets they are.
    waiting: usize,
    /// That the disk does not take it was told.
    told: bool,
}

/// A session that is not over.
enum Live {
    /// Its client has not said a word: events, as they came. Most of those that are idle are so.
    Quiet(Box<[u8]>),
    Spoken(Box<Spoken>),
}

/// A session in which something is said.
struct Spoken {
    name: Name,
    transcript: Transcript,
    began: Instant,
    /// Lines that are not in its file.
    pending: Vec<u8>,
    /// Octets in its file.
    stored: u64,
    /// The client has said something: before that there is no file.
    spoken: bool,
    /// It is among those that are owed.
    owed: bool,
}

impl Scribe {
    pub(super) fn new(folder: Option<Folder>, feed: Feed) -> Self {
        Self {
            folder,
            feed,
            live: HashMap::new(),
            written: Arc::default(),
            owing: Vec::new(),
            due: None,
            waiting: 0,
            told: false,
        }
    }

    /// Whether files wait to be written.
    pub(super) fn is_owing(&self) -> bool {
        !self.owing.is_empty()
    }

    /// Takes what has come, and writes what is due.
    pub(super) fn take(&mut self, mut batch: &[u8]) {
        while let Some((event, rest)) = Event::read(batch) {
            let octets = &batch[..batch.len() - rest.len()];
            batch = rest;
            if !self.keep_quiet(&event, octets) {
                self.event(&event);
            }
        }
        let now = Instant::now();
        if self.due.is_some_and(|due| due <= now) {
            self.write_owed();
        }
        if let Some(folder) = &mut self.folder {
            folder.tidy(now);
        }
    }

    /// The program ends: whoever is still there is written down as far as it has come.
    pub(super) fn finish(&mut self) {
        self.write_owed();
    }

    /// Keeps an event for later, as long as there is little to write down and nobody who follows. False: it is to be looked at now,
    /// and so has been what was kept.
    fn keep_quiet(&mut self, event: &Event<'_>, octets: &[u8]) -> bool {
        let by_server = matches!(event.what, What::Bytes(_)) && event.side == Side::Server;
        let waits = self.folder.is_some() && !self.feed.is_followed();
        match self.live.get_mut(&event.number) {
            None if waits && matches!(event.what, What::Open(_)) => {
                let quiet = Live::Quiet(octets.into());
                self.live.insert(event.number, quiet);
                true
            }
            Some(Live::Quiet(kept)) => {
                if waits && by_server && kept.len() + octets.len() <= limits::RECORD_QUIET {
                    *kept = [&**kept, octets].concat().into();
                    return true;
                }
                let kept = std::mem::take(kept);
                self.live.remove(&event.number);
                // It was said before anybody followed.
                let feed = std::mem::take(&mut self.feed);
                let mut kept = &*kept;
                while let Some((event, rest)) = Event::read(kept) {
                    kept = rest;
                    self.event(&event);
                }
                self.feed = feed;
                false
            }
            _ => false,
        }
    }

    fn event(&mut self, event: &Event<'_>) {
        let now = instant(event.at);
        if let What::Open(text) = event.what {
            return self.open(event.number, now, text);
        }
        let Some(Live::Spoken(live)) = self.live.get_mut(&event.number) else {
            return;
        };
        let before = live.pending.len();
        match event.what {
            What::Bytes(bytes) => {
                live.spoken |= event.side == Side::Client;
                live.transcript.saw(now, event.side, Piece::Bytes(bytes));
            }
            What::Tls(words) => live.transcript.saw(now, event.side, Piece::Tls(words)),
            What::Note { kind, text } => {
                live.transcript
                    .saw(now, event.side, Piece::Note { kind, text });
            }
            What::Closed => live.transcript.saw(now, event.side, Piece::Closed),
            What::End => live.transcript.finish(),
            What::Open(_) => {}
        }
        take_lines(&self.written, &mut live.pending);
        if event.what == What::End {
            let lasted = now.saturating_duration_since(live.began).as_secs_f64();
            live.pending
                .extend_from_slice(format!("# ended: after {lasted:.3} s\n").as_bytes());
        }
        let more = live.pending.len() - before;
        tell(&self.feed, event.number, &live.pending[before..]);
        if event.what == What::End {
            self.write(event.number);
            let live = self.live.remove(&event.number);
            if let (Some(Live::Spoken(live)), Some(folder)) = (live, &mut self.folder) {
                folder.has(&live.name, live.stored);
            }
            return;
        }
        if self.folder.is_none() {
            live.pending.clear();
        } else if live.pending.len() > limits::RECORD_PENDING {
            self.write(event.number);
        } else if live.spoken && !live.pending.is_empty() {
            self.waiting += more;
            if !live.owed {
                live.owed = true;
                self.waiting += before;
                self.owing.push(event.number);
                self.due
                    .get_or_insert(Instant::now() + limits::RECORD_DELAY);
            }
            if self.waiting > limits::RECORD_WAITING {
                self.write_owed();
            }
        }
    }

    fn open(&mut self, number: u64, now: Instant, text: &str) {
        let mut words = text.split('\n');
        let mut word = || words.next().unwrap_or_default();
        let milliseconds: u64 = word().parse().unwrap_or_default();
        let (service, client, server) = (word(), word(), word());
        let name = Name::of(milliseconds, number);
        let head = format!(
            "# session: {name}\n# service: {service}\n# client: {client}\n# server: {server}\n"
        );
        tell(&self.feed, number, head.as_bytes());
        let sink: Sink = self.written.clone();
        let transcript = Transcript::new(sink, Folding::Never).timed_from(now, LEAST);
        let spoken = Spoken {
            name,
            transcript,
            began: now,
            pending: head.into_bytes(),
            stored: 0,
            spoken: false,
            owed: false,
        };
        self.live.insert(number, Live::Spoken(Box::new(spoken)));
    }

    fn write_owed(&mut self) {
        for number in std::mem::take(&mut self.owing) {
            if let Some(Live::Spoken(live)) = self.live.get_mut(&number) {
                live.owed = false;
            }
            self.write(number);
        }
        self.due = None;
        self.waiting = 0;
    }

    /// Writes what a session has not written yet; after an error it is gone, as the loop must not run out of memory for it.
    fn write(&mut self, number: u64) {
        let live = self.live.get_mut(&number);
        let (Some(Live::Spoken(live)), Some(folder)) = (live, &mut self.folder) else {
            return;
        };
        if live.pending.is_empty() {
            return;
        }
        match folder.append(&live.name, live.stored == 0, &live.pending) {
            Ok(()) => live.stored += live.pending.len() as u64,
            Err(error) => {
                if !std::mem::replace(&mut self.told, true) {
                    log::error!(
                        "sessions cannot be kept in {}: {error}",
                        folder.path().display()
                    );
                }
            }
        }
        // Given back: who is idle holds nothing.
        live.pending = Vec::new();
    }
}

/// What a transcript has written is moved to where it belongs.
fn take_lines(written: &Mutex<Vec<u8>>, pending: &mut Vec<u8>) {
    let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
    pending.extend_from_slice(&written);
    written.clear();
    written.shrink_to(limits::RECORD_STRETCH);
}

/// The lines of a session as those of one of several.
fn tell(feed: &Feed, number: u64, lines: &[u8]) {
    if lines.is_empty() || !feed.is_followed() {
        return;
    }
    let text = String::from_utf8_lossy(lines);
    let mut told = String::with_capacity(text.len() + 64);
    for line in text.lines() {
        match line.strip_prefix("# ") {
            Some(comment) => told.push_str(&format!("# {number}: {comment}\n")),
            None => told.push_str(&format!("{number}{line}\n")),
        }
    }
    feed.tell(&told);
}

/// Times that are not worth a line.
const LEAST: Duration = Duration::from_millis(1);
