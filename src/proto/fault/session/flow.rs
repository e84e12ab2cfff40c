//! What goes between the client, the real session, and the clock: what was said waits here for its time, what comes in is counted.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::{Faulty, Held, Work};
use crate::limits;
use crate::proto::fault::edits::{Edits, Goes};
use crate::proto::fault::words::Then;
use crate::proto::out::Front;
use crate::proto::{Input, Out, Wish};
use crate::tap::{Piece, Side, Tap};
use crate::wire::lines::Want;

impl Faulty {
    /// Says something in place of the real session.
    pub(super) fn say(&mut self, now: Instant, octets: &[u8], then: Then, out: &mut Out) {
        let work = self.work();
        work.answered = Some(now);
        work.edits = Edits::default();
        work.pent.extend_from_slice(octets);
        if then == Then::Close {
            work.wish = Some(Wish::Close);
        }
        self.flow(now, out);
    }

    /// Gives the real session something; what it says goes on its way.
    pub(super) fn pass(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        let work = self.work.get_or_insert_default();
        work.passed = Some(now);
        if work.edits.is_none() && work.throttle.is_none() && work.pent.is_empty() {
            return self.inner.handle(now, input, out);
        }
        let notes = Notes::default();
        let tap = out
            .is_tapped()
            .then(|| Box::new(notes.clone()) as Box<dyn Tap>);
        let mut fresh = Out::new(Side::Server, now, tap);
        self.inner.handle(now, input, &mut fresh);
        notes.tell(out);
        self.collect(now, &mut fresh, out);
    }

    pub(super) fn collect(&mut self, now: Instant, fresh: &mut Out, out: &mut Out) {
        let work = self.work.get_or_insert_default();
        let mut piece = Vec::new();
        for front in fresh.waiting() {
            match front {
                Front::Bytes(bytes) => piece.extend_from_slice(bytes),
                Front::Extent(extent, from) => {
                    let rest = extent.part(from, extent.octets());
                    match rest.read() {
                        Some(bytes) => piece.extend_from_slice(&bytes),
                        // The reply cannot be finished, as if the file had become shorter on its way out.
                        None => return self.hang_up(out),
                    }
                }
            }
        }
        work.room |= fresh.is_full();
        let mut goes = work.edits.pass(piece, &mut work.pent);
        let job = fresh.take_job();
        let waits = job.is_some() || work.room || matches!(self.inner.want(), Want::Nothing);
        if goes == Goes::On && (!waits || fresh.wish().is_some()) {
            goes = work.edits.end(&mut work.pent);
        }
        if goes == Goes::Cut {
            let mut last = Out::new(Side::Server, now, None);
            self.inner.handle(now, Input::Eof, &mut last);
            work.wish = Some(Wish::Close);
            work.room = false;
        } else {
            work.job = job;
            work.wish = fresh.take_wish().or(work.wish);
        }
        self.flow(now, out);
    }

    /// Sends on what may go now.
    pub(super) fn flow(&mut self, now: Instant, out: &mut Out) {
        let work = self.work.get_or_insert_default();
        while work.sent < work.pent.len() && !out.is_full() {
            let left = work.pent.len() - work.sent;
            let piece = match work.throttle {
                None => left.min(limits::SCRATCH),
                Some(_) if work.send_due.is_some_and(|due| now < due) => break,
                Some(rate) => {
                    let piece = usize::try_from((rate / limits::FAULT_PIECES).max(1));
                    let piece = left.min(piece.unwrap_or(left)).min(limits::SCRATCH);
                    work.send_due = Some(now + time_of(piece, rate));
                    piece
                }
            };
            out.bytes(&work.pent[work.sent..work.sent + piece]);
            work.sent += piece;
        }
        if work.sent == work.pent.len() {
            work.pent = Vec::new();
            work.sent = 0;
        }
        let left = work.pent.len() - work.sent;
        if left > limits::FAULT_PENT / 2 {
            return;
        }
        if std::mem::take(&mut work.room) {
            let mut fresh = Out::new(Side::Server, now, None);
            self.inner.handle(now, Input::Room, &mut fresh);
            return self.collect(now, &mut fresh, out);
        }
        if let Some(job) = work.job.take() {
            out.job(job);
        }
        if left == 0 {
            match work.wish.take() {
                Some(Wish::Close | Wish::Reset) => work.end(out),
                Some(Wish::StartTls) => out.start_tls(),
                Some(Wish::Compress) => out.compress(),
                Some(Wish::CompressNoMore) => out.compress_no_more(),
                None => {}
            }
        }
    }

    /// The connection ends without another word.
    pub(super) fn hang_up(&mut self, out: &mut Out) {
        let mut last = Out::new(Side::Server, out.now(), None);
        self.inner.handle(out.now(), Input::Eof, &mut last);
        let work = self.work();
        work.pent = Vec::new();
        work.sent = 0;
        work.end(out);
    }

    pub(super) fn timeout(&mut self, now: Instant, out: &mut Out) {
        let work = self.work();
        let mut ours = false;
        if work.hear_due.is_some_and(|due| due <= now) {
            work.hear_due = None;
            ours = true;
        }
        ours |= work.send_due.is_some_and(|due| due <= now);
        if work.hold.as_ref().is_some_and(|(until, ..)| *until <= now)
            && let Some((_, held, decision)) = work.hold.take()
        {
            match *held {
                Held::Line(line, command) if command.verb == "LAST" => {
                    self.settle_last(&decision);
                    self.work().verb = "BDAT".to_owned();
                    self.pass(now, Input::Line(&line), out);
                }
                held => self.act(now, decision, held, out),
            }
            ours = true;
        }
        self.flow(now, out);
        let work = self.work();
        if !ours && !work.closed && work.hold.is_none() && work.pent.is_empty() {
            return self.pass(now, Input::Timeout, out);
        }
        if work.eof && !self.work().is_busy() {
            self.work().eof = false;
            self.pass(now, Input::Eof, out);
        }
    }

    /// So many octets have come in: the next have to wait.
    pub(super) fn heard(&mut self, now: Instant, octets: usize) {
        let work = self.work();
        if let Some(rate) = work.throttle {
            let from = work.hear_due.map_or(now, |due| due.max(now));
            work.hear_due = Some(from + time_of(octets, rate));
        }
    }
}

impl Work {
    /// The connection ends, as was decided.
    pub(super) fn end(&mut self, out: &mut Out) {
        self.closed = true;
        match self.reset {
            true => out.reset(),
            false => out.close(),
        }
    }

    /// Whether something waits for its time, or is on its way.
    pub(super) const fn is_busy(&self) -> bool {
        self.hold.is_some()
            || self.hear_due.is_some()
            || self.job.is_some()
            || self.wish.is_some()
            || self.closed
            || !self.pent.is_empty()
    }

    pub(super) fn since_passed(&self) -> Duration {
        match (self.answered, self.passed) {
            (Some(answered), Some(passed)) => answered.saturating_duration_since(passed),
            _ => Duration::ZERO,
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        let hold = self.hold.as_ref().map(|(until, ..)| *until);
        let send = self.send_due.filter(|_| !self.pent.is_empty());
        [hold, send, self.hear_due].into_iter().flatten().min()
    }
}

/// How long so many octets take.
fn time_of(octets: usize, rate: u64) -> Duration {
    let microseconds = (octets as u64).saturating_mul(1_000_000) / rate.max(1);
    Duration::from_micros(microseconds.max(1)).min(limits::FAULT_DELAY)
}

/// Keeps what the real session says that no octets show.
#[derive(Clone, Default)]
struct Notes(Rc<RefCell<Vec<(String, String)>>>);

impl Tap for Notes {
    fn saw(&mut self, _now: Instant, _side: Side, piece: Piece<'_>) {
        if let Piece::Note { kind, text } = piece {
            self.0.borrow_mut().push((kind.to_owned(), text.to_owned()));
        }
    }
}

impl Notes {
    fn tell(&self, out: &mut Out) {
        for (kind, text) in self.0.take() {
            out.pass_note(&kind, &text);
        }
    }
}
