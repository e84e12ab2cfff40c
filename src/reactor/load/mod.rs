//! Load for a server of mail: many sessions at once, which hand in the same message again and again, on the one loop.
//!
//! | seat | does | until |
//! |---|---|---|
//! | waiting | nothing: its pause, or the rate | its time comes |
//! | connected | a message after the other, if connections are kept; else one | its messages, or the time, are over |
//!
//! Each seat has one connection at most. What it keeps: no more messages are begun than were ordered, and none behind the end of the
//! time; the program ends when the last one that was begun has its answer, or a bounded time after that.

mod tally;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::driver::{Driver, Event, Orders};
use super::outgoing::{End, Outgoing, Place};
use super::{Connector, Handle, Security};
use crate::limits;
use crate::proto::smtp::relay::manner::Manner;
use crate::proto::smtp::relay::{Client, Fate, Message, Outcome, Plan, Text, Tray};
use crate::wire::envelope::Envelope;

pub use self::tally::{Spread, Tally};

/// What is to be done.
pub struct Orderly {
    /// Where the server is.
    pub places: Vec<Place>,
    /// Its name, for TLS.
    pub host: String,
    /// How connections begin.
    pub security: Security,
    /// Whom to believe.
    pub tls: Option<Connector>,
    /// How to talk; the nonce of a login is made anew for each connection.
    pub plan: Plan,
    /// In which manner, if it is not the usual one.
    pub manner: Option<Manner>,
    /// From whom, to whom.
    pub envelope: Envelope,
    /// The message.
    pub text: Arc<[u8]>,
    /// Where in it sixteen hexadecimal digits are that tell one message from the next.
    pub number_at: Option<usize>,
    /// Connections at once.
    pub sessions: usize,
    /// Messages in all.
    pub messages: u64,
    /// Whether a connection is for one message only.
    pub connections: Connections,
    /// Time between the beginnings of two messages, of all sessions together.
    pub interval: Duration,
    /// Time that a session waits between two messages.
    pub pause: Duration,
    /// And up to so much more, at random each time.
    pub random_pause: Duration,
    /// No message is begun after so long.
    pub duration: Duration,
}

/// What becomes of a connection after a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// It ends: QUIT.
    EndEach,
    /// It is for the next one too.
    Keep,
}

/// Who orders the connections. See the module.
pub struct Load {
    orderly: Orderly,
    tally: Arc<Mutex<Tally>>,
    handle: Handle,
    seats: Vec<Seat>,
    /// When seats are to go on.
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    /// Messages that were begun.
    begun: u64,
    /// When the next one may be.
    next: Option<Instant>,
    /// When none may be any more.
    end: Option<Instant>,
    /// Seats that have something to do, or will.
    busy: usize,
    stopping: bool,
}

#[derive(Default)]
struct Seat {
    tray: Option<Tray>,
    /// When the message that is under way was begun.
    since: Option<Instant>,
    /// It is among those that are due.
    planned: bool,
}

impl Load {
    /// What comes of it is counted in `tally`; `handle` is of the loop that it drives.
    pub fn new(orderly: Orderly, tally: Arc<Mutex<Tally>>, handle: Handle) -> Self {
        let mut seats = Vec::new();
        seats.resize_with(orderly.sessions, Seat::default);
        Self {
            busy: seats.len(),
            seats,
            orderly,
            tally,
            handle,
            due: BinaryHeap::new(),
            begun: 0,
            next: None,
            end: None,
            stopping: false,
        }
    }

    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long a session waits this time.
    fn pause(&self) -> Duration {
        let random = self.orderly.random_pause;
        if random.is_zero() {
            return self.orderly.pause;
        }
        let [first, second, third, ..] = super::seed();
        let part = f64::from(u32::from_be_bytes([0, first, second, third])) / f64::from(1 << 24);
        self.orderly.pause + random.mul_f64(part)
    }

    /// Has a seat go on at `at`, or as soon as the rate allows; it is done for if there is nothing more to do.
    fn plan(&mut self, now: Instant, seat: usize, at: Instant) {
        let is_over = self.stopping
            || self.begun >= self.orderly.messages
            || self.end.is_some_and(|end| at >= end);
        let rate = self.next.unwrap_or(now).max(at);
        if is_over || self.end.is_some_and(|end| rate >= end) {
            return self.retire(seat);
        }
        self.begun += 1;
        self.seats[seat].planned = true;
        self.next = Some(rate + self.orderly.interval);
        self.due.push(Reverse((rate, seat)));
    }

    /// A seat has nothing more to do: its connection, if there is one, ends with QUIT.
    fn retire(&mut self, seat: usize) {
        match &self.seats[seat].tray {
            Some(tray) => tray.close(),
            None => {
                self.busy -= 1;
                if self.busy == 0 {
                    self.handle.stop();
                }
            }
        }
    }

    /// Those whose time has come.
    fn go_on(&mut self, now: Instant, orders: &mut Orders) {
        while let Some(&Reverse((at, seat))) = self.due.peek()
            && at <= now
        {
            self.due.pop();
            self.seats[seat].planned = false;
            self.seats[seat].since = Some(now);
            let message = self.message(self.begun);
            if let Some(tray) = &self.seats[seat].tray {
                tray.give(message);
                orders.nudge(seat as u64);
                continue;
            }
            let tray = Tray::new();
            tray.give(message);
            if self.orderly.connections == Connections::EndEach {
                tray.close();
            }
            self.seats[seat].tray = Some(tray.clone());
            self.tally().connections += 1;
            orders.connect(seat as u64, self.outgoing(tray));
        }
    }

    fn message(&self, number: u64) -> Message {
        let text = match self.orderly.number_at {
            None => Arc::clone(&self.orderly.text),
            Some(at) => {
                let mut text = self.orderly.text.to_vec();
                // No two may be the same to a server that knows a message by its Message-ID.
                let unique = super::nonce();
                if let (Some(place), Some(digits)) =
                    (text.get_mut(at..at + 16), unique.as_bytes().get(..16))
                {
                    place.copy_from_slice(digits);
                }
                text.into()
            }
        };
        Message {
            word: number,
            envelope: self.orderly.envelope.clone(),
            text: Text::Bytes(text),
        }
    }

    fn outgoing(&self, tray: Tray) -> Outgoing {
        let orderly = &self.orderly;
        let mut plan = orderly.plan.clone();
        if let Some(login) = &mut plan.login {
            login.nonce = super::nonce();
        }
        let mut client = Client::new(plan, tray);
        if let Some(manner) = &orderly.manner {
            client = client.with_manner(manner.clone());
        }
        let mut outgoing = Outgoing::new(
            orderly.host.clone(),
            orderly.places.clone(),
            Box::new(client),
        );
        outgoing.security = orderly.security;
        outgoing.tls.clone_from(&orderly.tls);
        outgoing.patience = orderly.plan.patience.greeting;
        outgoing.stall = orderly.plan.patience.text;
        outgoing
    }

    /// What became of messages of a seat; whether anything did.
    fn collect(&mut self, now: Instant, seat: usize) -> bool {
        let Some(tray) = &self.seats[seat].tray else {
            return false;
        };
        let outcomes = tray.outcomes();
        for outcome in &outcomes {
            if outcome
                .fates
                .iter()
                .any(|fate| matches!(fate, Fate::Interrupted { .. }))
            {
                // Why is told where the connection ends.
                continue;
            }
            let since = self.seats[seat].since.take().unwrap_or(now);
            self.count(outcome, now, now.saturating_duration_since(since));
        }
        !outcomes.is_empty()
    }

    fn count(&self, outcome: &Outcome, now: Instant, took: Duration) {
        let octets = self.orderly.text.len() as u64;
        let mut tally = self.tally();
        tally.ended = Some(now);
        let mut taken = 0;
        for fate in &outcome.fates {
            match fate {
                Fate::Taken(_) => taken += 1,
                Fate::Refused { stage, reply } => {
                    let enhanced = reply.enhanced.map(|enhanced| format!(" {enhanced}"));
                    let enhanced = enhanced.unwrap_or_default();
                    tally.error(format!("{stage}: {}{enhanced}", reply.code));
                }
                Fate::Unfit(reply) => tally.error(reply.to_string()),
                Fate::Interrupted { .. } => {}
            }
        }
        tally.recipients += taken;
        if taken == 0 {
            tally.failed += 1;
            return;
        }
        tally.sent += 1;
        tally.octets += octets;
        tally.spread.add(took);
    }

    /// A connection is over.
    fn ended(&mut self, now: Instant, seat: usize, end: &End) {
        self.collect(now, seat);
        let Some(tray) = self.seats[seat].tray.take() else {
            return;
        };
        let mut at = now + self.pause();
        let failure = tray.failure();
        let since = self.seats[seat].since.take();
        let was_left = !tray.undone().is_empty() && failure.is_none();
        if since.is_some() && was_left && matches!(end, End::Closed) {
            // RFC 9422: the server takes so many on one connection, and this one is for the next.
            self.begun -= 1;
        } else if since.is_some() {
            // A message that has no answer has none any more.
            let why = match (failure, end) {
                (Some(failure), End::Closed) => failure.to_string(),
                (_, End::Unreachable(attempts)) => match attempts.last() {
                    Some((_, error)) => format!("connect: {}", super::reason(error)),
                    None => end.to_string(),
                },
                (_, end) => end.to_string(),
            };
            let mut tally = self.tally();
            tally.failed += 1;
            tally.ended = Some(now);
            tally.error(why);
            // Whoever refuses is not called again at once.
            at += limits::LOAD_PAUSE;
        }
        if !self.seats[seat].planned {
            self.plan(now, seat, at);
        }
    }
}

impl Driver for Load {
    fn handle(&mut self, now: Instant, event: Event, orders: &mut Orders) {
        match event {
            Event::Start => {
                self.tally().began = Some(now);
                self.end = now.checked_add(self.orderly.duration);
                for seat in 0..self.seats.len() {
                    self.plan(now, seat, now);
                }
            }
            Event::News { word } => {
                let seat = usize::try_from(word).unwrap_or(usize::MAX);
                if seat < self.seats.len()
                    && self.collect(now, seat)
                    && self.orderly.connections == Connections::Keep
                {
                    let pause = self.pause();
                    self.plan(now, seat, now + pause);
                    // Closed, or given the next one.
                    orders.nudge(word);
                }
            }
            Event::Ended { word, end } => {
                let seat = usize::try_from(word).unwrap_or(usize::MAX);
                if seat < self.seats.len() {
                    self.ended(now, seat, &end);
                }
            }
            Event::Stop => self.stopping = true,
            _ => {}
        }
        if !self.stopping {
            self.go_on(now, orders);
        }
        let is_over = self.busy == 0 || self.stopping;
        if is_over {
            self.tally().ended.get_or_insert(now);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }
}
