//! The dispatcher: decides which queued message goes where, when, over which connection. It does none of it itself.
//!
//! It is told what happens ([`Dispatcher::handle`]), and asked what to do ([`Dispatcher::poll`]), until it wishes nothing more;
//! when nothing happens meanwhile, it wants to be asked again at [`Dispatcher::next_due`]. Time is an argument, seconds since 1970:
//! queued messages outlive clocks of other kinds.
//!
//! The recipients of a message that go the same way at the same time are an *errand*:
//!
//! ```text
//!                  its time has come           a connection is free             all have an answer
//!   Entry --> Waiting ------------> Ready ------------------> Flying ------------------> Recording --> gone
//!                ^                    ^                          |                            |
//!                |                    +--- connection lost ------+                            |
//!                +----------------------- some are to be tried again -------------------------+
//! ```
//!
//! | wish | ends with |
//! |---|---|
//! | [`Wish::Resolve`] | [`Event::Found`] |
//! | [`Wish::Connect`] | [`Event::Connected`] or [`Event::NotConnected`] |
//! | [`Wish::Send`] | [`Event::Sent`], or [`Event::Closed`]: then nobody has an answer |
//! | [`Wish::Close`] | [`Event::Closed`] |
//! | [`Wish::Deliver`] | [`Event::Delivered`] |
//! | [`Wish::Record`] | [`Event::Recorded`] |
//!
//! What it keeps:
//! - a recipient is in one errand, an errand in one state: none is tried twice at once, and each ends delivered or failed, once;
//! - an outcome is written down before anything else happens to its recipients;
//! - destinations take turns, urgent messages first within each (RFC 6710); none has more than its share of connections while
//!   another one waits;
//! - a destination that cannot be reached is tried with one connection until one stands;
//! - memory: some 300 octets for a message, however long the queue is; a destination is forgotten with its last errand.

mod desk;
mod event;
mod links;
mod outcome;
mod path;
pub mod policy;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

pub use self::event::{Event, Which, Wish, Written};
pub use self::outcome::{End, Outcome, Receipts, Verdict, conclude};
pub use self::path::{Found, Question, Spot, Target};
use self::path::{Search, Step};
use self::policy::{Dialect, Hop, Policy, Tls};
use crate::limits;
use crate::store::QueueId;
use crate::wire::envelope::{ByMode, DeliverBy};

/// The dispatcher. See the module.
pub struct Dispatcher {
    policy: Policy,
    messages: HashMap<QueueId, Message>,
    errands: HashMap<u64, Errand>,
    destinations: HashMap<u64, Destination>,
    keys: HashMap<(Hop, Tls), u64>,
    /// Destinations that wait for the resolver.
    asked: HashMap<Question, Vec<u64>>,
    connections: HashMap<u64, Connection>,
    /// Destinations that may have something to do, each once.
    ring: VecDeque<u64>,
    timers: BTreeSet<(i64, Timer)>,
    wishes: VecDeque<Wish>,
    /// Errands whose outcome is to be written down.
    to_record: VecDeque<u64>,
    recording: usize,
    /// Connections that have nothing to do, the oldest first.
    idle: VecDeque<u64>,
    /// Names errands, destinations and connections.
    next: u64,
    chance: u64,
}

#[derive(Debug)]
struct Message {
    errands: Vec<u64>,
    /// Until then it waits, whoever is in a hurry (RFC 4865 §5).
    not_before: i64,
    give_up: i64,
    warn: Option<i64>,
    by: Option<DeliverBy>,
    priority: i8,
    held: bool,
    gone: bool,
}

#[derive(Debug)]
struct Errand {
    id: QueueId,
    destination: u64,
    /// Places in the envelope.
    recipients: Vec<usize>,
    attempts: u32,
    /// Connections that were lost under it since it was last written down.
    losses: usize,
    warned: bool,
    state: State,
    /// What servers said that did not take it in this attempt.
    turned_away: Option<Box<TurnedAway>>,
}

/// Servers of a destination do not take a message now, and the next one is asked (RFC 5321 §5.1).
#[derive(Debug)]
struct TurnedAway {
    /// How many were asked.
    servers: usize,
    /// The first target that is not one of them.
    next: usize,
    /// What the last one said, and its name.
    verdicts: Vec<(usize, Verdict)>,
    remote: Option<Arc<str>>,
}

impl Errand {
    /// The first target that may be asked.
    fn first_target(&self) -> usize {
        self.turned_away.as_ref().map_or(0, |away| away.next)
    }
}

#[derive(Debug)]
enum State {
    Waiting(i64),
    Ready,
    /// Over a connection, or into a mailbox.
    Flying,
    Recording {
        outcomes: Vec<Outcome>,
        /// Who is left, and when they are tried again.
        left: Vec<usize>,
        next: i64,
    },
}

#[derive(Debug)]
struct Destination {
    hop: Hop,
    tls: Tls,
    /// The most urgent first, then the oldest.
    ready: BTreeSet<(i8, u64)>,
    errands: usize,
    path: Path,
    /// Of [`Hop::Here`].
    deliveries: usize,
    opening: usize,
    standing: usize,
    /// Until then nothing is tried.
    blocked: Option<i64>,
    in_ring: bool,
}

#[derive(Debug)]
enum Path {
    Unknown,
    Asking(Search),
    Known { targets: Arc<[Target]>, since: i64 },
}

#[derive(Debug)]
struct Connection {
    destination: u64,
    targets: Arc<[Target]>,
    at: usize,
    served: usize,
    idle_until: i64,
    stage: Stage,
    /// Opened for those that a server before it has turned away.
    is_second: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Opening,
    Idle,
    Busy(u64),
    Closing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Errand(u64),
    Unblock(u64),
    Idle(u64),
    Record(u64),
}

/// What is known of a message's state, for those who ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Waits for its time.
    Waiting,
    /// Waits for a connection.
    Ready,
    /// Is being sent, or written down.
    Active,
}

impl Dispatcher {
    /// One that goes by `policy`; `chance` is random.
    pub fn new(policy: Policy, chance: u64) -> Self {
        Self {
            policy,
            messages: HashMap::new(),
            errands: HashMap::new(),
            destinations: HashMap::new(),
            keys: HashMap::new(),
            asked: HashMap::new(),
            connections: HashMap::new(),
            ring: VecDeque::new(),
            timers: BTreeSet::new(),
            wishes: VecDeque::new(),
            to_record: VecDeque::new(),
            recording: 0,
            idle: VecDeque::new(),
            next: 1,
            chance,
        }
    }

    /// What it goes by.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Takes an event at `now`, seconds since 1970.
    pub fn handle(&mut self, now: i64, event: Event) {
        match event {
            Event::Entry { queued, whose } => self.entry(now, &queued, &whose),
            Event::Gone(id) => self.gone(&id),
            Event::Flush(which) => self.flush(now, &which),
            Event::Found { question, found } => self.found(now, &question, &found),
            Event::Connected { connection } => self.connected(now, connection),
            Event::NotConnected { connection, reply } => self.not_connected(now, connection, reply),
            Event::Sent {
                connection,
                verdicts,
            } => self.sent(now, connection, verdicts),
            Event::Closed { connection, why } => self.closed(now, connection, why),
            Event::Delivered { errand, verdicts } => self.delivered(now, errand, verdicts),
            Event::Recorded { errand, written } => self.recorded(now, errand, written),
        }
    }

    /// What to do next at `now`; `None` until something happens, or [`Self::next_due`].
    pub fn poll(&mut self, now: i64) -> Option<Wish> {
        self.expire(now);
        loop {
            if let Some(wish) = self.wishes.pop_front() {
                return Some(wish);
            }
            if let Some(wish) = self.next_record() {
                return Some(wish);
            }
            if !self.take_turns(now) {
                return None;
            }
        }
    }

    /// When to poll again, even if nothing happens.
    pub fn next_due(&self) -> Option<i64> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// What it is doing about a message.
    pub fn activity(&self, id: &QueueId) -> Option<Activity> {
        let message = self.messages.get(id)?;
        let rank = |errand: &u64| match self.errands.get(errand)?.state {
            State::Waiting(_) => Some(0),
            State::Ready => Some(1),
            State::Flying | State::Recording { .. } => Some(2),
        };
        Some(match message.errands.iter().filter_map(rank).max() {
            None | Some(0) => Activity::Waiting,
            Some(1) => Activity::Ready,
            Some(_) => Activity::Active,
        })
    }

    /// Messages that it knows of.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether it knows of none.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Whether a message is just being sent, delivered or written down: what to wait for before the program stops.
    pub fn is_busy(&self) -> bool {
        self.recording > 0
            || !self.to_record.is_empty()
            || self
                .connections
                .values()
                .any(|connection| matches!(connection.stage, Stage::Busy(_)))
            || self.destinations.values().any(|one| one.deliveries > 0)
    }

    fn name(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    // What waits, and what is ready.

    fn set_waiting(&mut self, now: i64, errand: u64, due: i64) {
        let Some(one) = self.errands.get_mut(&errand) else {
            return;
        };
        if let State::Waiting(before) = one.state {
            self.timers.remove(&(before, Timer::Errand(errand)));
        }
        one.state = State::Waiting(due);
        if self
            .messages
            .get(&one.id)
            .is_some_and(|message| message.held)
        {
            return;
        }
        if due <= now {
            self.set_ready(now, errand);
        } else {
            self.timers.insert((due, Timer::Errand(errand)));
        }
    }

    /// Its time has come; unless it has passed altogether.
    fn set_ready(&mut self, now: i64, errand: u64) {
        let Some(one) = self.errands.get_mut(&errand) else {
            return;
        };
        let Some(message) = self.messages.get(&one.id) else {
            return;
        };
        if message.held {
            one.state = State::Waiting(now);
            return;
        }
        one.state = State::Ready;
        if let Some(by) = message.by
            && by.deadline <= now
            && by.mode == ByMode::Return
        {
            let reply = outcome::too_late();
            let verdicts = all(&one.recipients, &Verdict::Refused(Arc::new(reply)));
            return self.settle(now, errand, verdicts, None);
        }
        let (destination, priority) = (one.destination, message.priority);
        if let Some(destination) = self.destinations.get_mut(&destination) {
            destination.ready.insert((-priority, errand));
        }
        self.ring_in(destination);
    }

    /// A destination may have something to do.
    fn ring_in(&mut self, destination: u64) {
        if let Some(one) = self.destinations.get_mut(&destination)
            && !std::mem::replace(&mut one.in_ring, true)
        {
            self.ring.push_back(destination);
        }
    }

    fn expire(&mut self, now: i64) {
        while let Some(&(due, timer)) = self.timers.first()
            && due <= now
        {
            self.timers.pop_first();
            match timer {
                Timer::Errand(errand) => self.set_ready(now, errand),
                Timer::Unblock(destination) => self.unblock(destination),
                Timer::Idle(connection) => {
                    let rested = |one: &Connection| one.idle_until <= due;
                    if self.connections.get(&connection).is_some_and(rested) {
                        self.close_idle(connection);
                    }
                }
                Timer::Record(errand) => self.to_record.push_back(errand),
            }
        }
    }

    fn unblock(&mut self, destination: u64) {
        if let Some(one) = self.destinations.get_mut(&destination)
            && let Some(until) = one.blocked.take()
        {
            self.timers.remove(&(until, Timer::Unblock(destination)));
            self.ring_in(destination);
        }
    }

    fn block(&mut self, destination: u64, until: i64) {
        self.unblock(destination);
        if let Some(one) = self.destinations.get_mut(&destination) {
            one.blocked = Some(until);
            self.timers.insert((until, Timer::Unblock(destination)));
        }
    }

    // One turn for each destination in the ring, until one of them wishes something.

    /// Whether there may be wishes now.
    fn take_turns(&mut self, now: i64) -> bool {
        for _ in 0..self.ring.len() {
            let Some(destination) = self.ring.pop_front() else {
                return false;
            };
            match self.serve(now, destination) {
                Turn::Done => {
                    self.ring.push_back(destination);
                    return true;
                }
                // It stays where it is in the ring until there is room.
                Turn::Crowded => {
                    self.ring.push_back(destination);
                    if self.make_room() {
                        return true;
                    }
                }
                Turn::Nothing => {
                    if let Some(one) = self.destinations.get_mut(&destination) {
                        one.in_ring = false;
                    }
                    self.forget_if_unused(destination);
                }
            }
        }
        false
    }

    fn serve(&mut self, now: i64, key: u64) -> Turn {
        let Some(destination) = self.destinations.get_mut(&key) else {
            return Turn::Nothing;
        };
        if destination.blocked.is_some() {
            return Turn::Nothing;
        }
        let Some(&(priority, errand)) = destination.ready.first() else {
            return Turn::Nothing;
        };
        if destination.hop == Hop::Here {
            if destination.deliveries >= limits::RELAY_DELIVERIES {
                return Turn::Nothing;
            }
            destination.ready.remove(&(priority, errand));
            destination.deliveries += 1;
            if let Some((id, recipients)) = self.fly(errand) {
                self.wishes.push_back(Wish::Deliver {
                    errand,
                    id,
                    recipients,
                });
            }
            return Turn::Done;
        }
        // The most urgent; unless it waits for another server, and one behind it does not.
        let pair = destination
            .ready
            .iter()
            .take(LOOKED_THROUGH)
            .find_map(|&(priority, errand)| {
                let first = self.errands.get(&errand).map_or(0, Errand::first_target);
                let at = self.idle.iter().position(|connection| {
                    let connection = self.connections.get(connection);
                    connection.is_some_and(|one| one.destination == key && one.at >= first)
                })?;
                Some((priority, errand, at))
            });
        if let Some((priority, errand, at)) = pair
            && let Some(connection) = self.idle.remove(at)
        {
            destination.ready.remove(&(priority, errand));
            self.send(connection, errand);
            return Turn::Done;
        }
        let first = self.errands.get(&errand).map_or(0, Errand::first_target);
        self.connect(now, key, first)
    }

    /// Takes an errand out of the ready ones: what is sent, to whom.
    fn fly(&mut self, errand: u64) -> Option<(QueueId, Vec<usize>)> {
        let one = self.errands.get_mut(&errand)?;
        one.state = State::Flying;
        Some((one.id.clone(), one.recipients.clone()))
    }

    /// Opens one more connection to a destination, if it may have one; `first` of its targets comes first.
    fn connect(&mut self, now: i64, key: u64, first: usize) -> Turn {
        let crowded = self.connections.len() >= self.policy.connections;
        let each = self.policy.connections_each;
        let Some(destination) = self.destinations.get_mut(&key) else {
            return Turn::Nothing;
        };
        let targets = match &destination.path {
            Path::Asking(_) => return Turn::Nothing,
            Path::Known { targets, since } if now - since < FRESH || destination.standing > 0 => {
                Arc::clone(targets)
            }
            Path::Known { .. } | Path::Unknown => {
                let (search, step) = Search::begin(&destination.hop);
                destination.path = Path::Asking(search);
                self.step(now, key, step);
                return Turn::Done;
            }
        };
        // One until one stands; then as many again as stand.
        let opening = destination.standing.max(1);
        let wanted = destination.ready.len().min(opening);
        let open = destination.opening + destination.standing;
        if destination.opening >= wanted || open >= each {
            return Turn::Nothing;
        }
        if crowded {
            return Turn::Crowded;
        }
        // They may be fewer than when it was turned away.
        let first = first.min(targets.len().saturating_sub(1));
        self.open(key, targets, first, first > 0);
        Turn::Done
    }

    fn open(&mut self, key: u64, targets: Arc<[Target]>, at: usize, is_second: bool) {
        let Some(target) = targets.get(at).cloned() else {
            return;
        };
        let connection = self.name();
        let Some(destination) = self.destinations.get_mut(&key) else {
            return;
        };
        let (dialect, login) = match &destination.hop {
            Hop::Host(way) => (way.dialect, way.login.clone()),
            _ => (Dialect::Smtp, None),
        };
        destination.opening += 1;
        self.wishes.push_back(Wish::Connect {
            connection,
            target,
            tls: destination.tls,
            dialect,
            login,
        });
        self.connections.insert(
            connection,
            Connection {
                destination: key,
                targets,
                at,
                served: 0,
                idle_until: 0,
                stage: Stage::Opening,
                is_second,
            },
        );
    }

    fn send(&mut self, connection: u64, errand: u64) {
        let Some((id, recipients)) = self.fly(errand) else {
            return;
        };
        if let Some(one) = self.connections.get_mut(&connection) {
            one.stage = Stage::Busy(errand);
            one.served += 1;
        }
        self.wishes.push_back(Wish::Send {
            connection,
            id,
            recipients,
        });
    }

    /// Somebody waits for a connection, and there are too many: one goes that has nothing to do, or has done its share.
    fn make_room(&mut self) -> bool {
        let dispensable = |connection: &&u64| {
            self.connections.get(connection).is_some_and(|one| {
                let destination = self.destinations.get(&one.destination);
                one.served >= limits::RELAY_MESSAGES_CROWDED
                    || destination.is_none_or(|destination| destination.ready.is_empty())
            })
        };
        match self.idle.iter().find(dispensable).copied() {
            Some(connection) => {
                self.close_idle(connection);
                true
            }
            None => false,
        }
    }

    fn close_idle(&mut self, connection: u64) {
        let Some(one) = self.connections.get_mut(&connection) else {
            return;
        };
        if one.stage == Stage::Idle {
            one.stage = Stage::Closing;
            self.idle.retain(|idle| *idle != connection);
            self.wishes.push_back(Wish::Close { connection });
        }
    }

    fn forget_if_unused(&mut self, key: u64) {
        let Some(one) = self.destinations.get(&key) else {
            return;
        };
        let unused = one.errands == 0 && one.opening + one.standing + one.deliveries == 0;
        if unused && !one.in_ring {
            self.unblock(key);
            // Unblocking may have put it in the ring; then it is looked at once more.
            if let Some(one) = self.destinations.get(&key)
                && !one.in_ring
            {
                self.keys.remove(&(one.hop.clone(), one.tls));
                self.destinations.remove(&key);
            }
        }
    }
}

/// What a destination's turn came to.
enum Turn {
    /// Something is wished.
    Done,
    /// Something would be wished, if there were fewer connections.
    Crowded,
    Nothing,
}

/// SplitMix64: spreads retries and orders equals, nothing that would have to be unguessable.
const fn next_chance(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The same verdict for each of them.
fn all(recipients: &[usize], verdict: &Verdict) -> Vec<(usize, Verdict)> {
    recipients
        .iter()
        .map(|index| (*index, verdict.clone()))
        .collect()
}

/// Errands of a destination among which one is looked for that a connection can take.
const LOOKED_THROUGH: usize = 8;
const FRESH: i64 = limits::RELAY_FRESH.as_secs().cast_signed();
const RECORD_PAUSE: i64 = limits::RELAY_RECORD_PAUSE.as_secs().cast_signed();
