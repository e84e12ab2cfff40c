//! Callers who all hear the same: each with what waits for it.
//!
//! What is said is shared, not copied. Who has more than [`limits::HALL_QUEUE`] waiting is an *obstacle*: as long as there is one,
//! nobody is to be heard, so that memory stays bounded and nothing is lost. An obstacle that takes nothing for a while is dropped;
//! whoever reads slowly, but does read, holds up the others for as long as it takes.
//!
//! A caller whose own words have ended gets what waits for it already, and is then gone, as with ncat: nothing more is wanted of it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::agenda::Agenda;
use super::{Floor, Next, Note};
use crate::limits;
use crate::proto::raw::Outcome;
use crate::reactor::relay::{Link, Manner, Rate, Report, is_broken};
use crate::tap::{Piece, Side};

/// All callers.
#[derive(Default)]
pub(super) struct Guests {
    all: HashMap<u64, Guest>,
    /// Those with too much waiting.
    obstacles: HashSet<u64>,
    /// Those who have something to say, and may not yet.
    held: Vec<u64>,
}

struct Guest {
    link: Link,
    manner: Manner,
    queue: VecDeque<Rc<[u8]>>,
    /// Octets of the first in the queue that are gone.
    begun: usize,
    /// What the queue takes, in octets of memory.
    cost: usize,
    /// What telnet has to answer; goes before the queue.
    replies: Vec<u8>,
    can_receive: bool,
    can_send: bool,
    /// Its end was told by an event: a short read is not the last one.
    ends: bool,
    /// Both directions are over.
    lost: bool,
    /// It takes no more.
    is_deaf: bool,
    ending: Ending,
    half_close: HalfClose,
    is_held: bool,
    rate_to: Option<Rate>,
    rate_from: Option<Rate>,
    /// One of the two has no more octets to give before.
    slowed: Option<Instant>,
    sent: u64,
    received: u64,
    /// When anything moved.
    moved: Instant,
    /// When it took anything of what waited, or something began to wait.
    took: Instant,
}

/// How its own words end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Open,
    /// They have ended, and as long as it goes on taking what waits for it, it may.
    Ended,
    Over(Outcome),
}

/// Whether it is told that no more will be said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HalfClose {
    No,
    Wanted,
    Done,
}

/// What came of listening to a caller.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// What it said is in [`Floor::heard`]; may be nothing at all.
    Words,
    /// Nothing now.
    Nothing,
}

impl Guests {
    /// Somebody is in.
    pub(super) fn welcome(
        &mut self,
        floor: &Floor,
        now: Instant,
        id: u64,
        link: Link,
        manner: Manner,
    ) -> io::Result<()> {
        floor.register_link(id, &link)?;
        let rate = manner.rate;
        let rate = || rate.map(|rate| Rate::new(rate, now));
        let guest = Guest {
            rate_to: rate(),
            rate_from: rate(),
            slowed: None,
            link,
            manner,
            queue: VecDeque::new(),
            begun: 0,
            cost: 0,
            replies: Vec::new(),
            can_receive: true,
            can_send: true,
            ends: false,
            lost: false,
            is_deaf: false,
            ending: Ending::Open,
            half_close: HalfClose::No,
            is_held: false,
            sent: 0,
            received: 0,
            moved: now,
            took: now,
        };
        self.all.insert(id, guest);
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Everybody's number.
    pub(super) fn ids(&self) -> impl Iterator<Item = u64> {
        self.all.keys().copied()
    }

    /// Whether nobody has too much waiting.
    pub(super) fn have_room(&self) -> bool {
        self.obstacles.is_empty()
    }

    /// Whether nothing waits for anybody.
    pub(super) fn have_heard_all(&self) -> bool {
        self.all.values().all(Guest::has_all)
    }

    pub(super) fn told(&mut self, id: u64, event: &mio::event::Event) {
        let Some(guest) = self.all.get_mut(&id) else {
            return;
        };
        let in_trouble = event.is_error();
        let ends = event.is_read_closed() || in_trouble;
        guest.ends |= ends;
        guest.can_receive |= event.is_readable() || ends;
        guest.can_send |= event.is_writable() || event.is_write_closed() || in_trouble;
        guest.lost |= in_trouble || event.is_read_closed() && event.is_write_closed();
    }

    /// Says `words` to everybody but `except`.
    pub(super) fn say(
        &mut self,
        agenda: &mut Agenda,
        now: Instant,
        words: impl Into<Rc<[u8]>>,
        except: Option<u64>,
    ) {
        let words = words.into();
        if words.is_empty() {
            return;
        }
        for (&id, guest) in &mut self.all {
            if Some(id) == except || guest.is_deaf || guest.half_close != HalfClose::No {
                continue;
            }
            if guest.queue.is_empty() {
                guest.took = now;
            }
            guest.queue.push_back(Rc::clone(&words));
            guest.cost += cost(&words);
            if guest.cost >= limits::HALL_QUEUE {
                self.obstacles.insert(id);
            }
            agenda.wake(id);
        }
    }

    /// Tells everybody who is here that no more will be said to them, once they have heard what was.
    pub(super) fn end(&mut self, agenda: &mut Agenda) {
        for (&id, guest) in &mut self.all {
            if guest.half_close == HalfClose::No {
                guest.half_close = HalfClose::Wanted;
                agenda.wake(id);
            }
        }
    }

    /// Sends a caller what waits for it. `Some`: it is over, or not to be heard any more.
    pub(super) fn send(&mut self, floor: &mut Floor, now: Instant, id: u64) -> Option<Next> {
        let Some(guest) = self.all.get_mut(&id) else {
            return Some(Next::Wait(None));
        };
        let stall = floor.settings.stall;
        let is_late = now >= guest.took + stall;
        // Linux tells of room only when a third of its buffer is free, which may be long.
        guest.can_send |= is_late;
        let before = guest.sent;
        guest.slowed = None;
        guest.send(now, &mut floor.scratch);
        floor.tally.add(now, guest.sent - before, 0);
        if guest.can_send && guest.slowed.is_none() && !guest.has_all() {
            floor.agenda.wake(id);
        }
        if guest.cost < limits::HALL_QUEUE {
            if self.obstacles.remove(&id) && self.obstacles.is_empty() {
                self.release(&mut floor.agenda);
            }
        } else if guest.took + stall <= now {
            floor.tell(id, Note::TooSlow);
            guest.ending = Ending::Over(Outcome::Broken);
        }
        let idle = floor.settings.idle.of_caller();
        let guest = self.all.get_mut(&id)?;
        match guest.ending {
            Ending::Open if idle.is_some_and(|idle| guest.moved + idle <= now) => {
                Some(self.see_off(floor, now, id, Outcome::Idle))
            }
            Ending::Open => None,
            Ending::Ended if guest.has_all() || guest.took + stall <= now => {
                Some(self.see_off(floor, now, id, Outcome::Done))
            }
            Ending::Ended => Some(Next::Wait(self.due(floor, id))),
            Ending::Over(outcome) => Some(self.see_off(floor, now, id, outcome)),
        }
    }

    /// Listens to a caller.
    pub(super) fn hear(&mut self, floor: &mut Floor, now: Instant, id: u64) -> Heard {
        let Some(guest) = self.all.get_mut(&id) else {
            return Heard::Nothing;
        };
        let can_receive = guest.can_receive || guest.link.holds_octets();
        // Who asks, and does not read the answers, is not heard.
        let answers = guest.replies.len() < limits::PIPE_BUF;
        if guest.ending != Ending::Open || !can_receive || !answers {
            return Heard::Nothing;
        }
        let before = guest.received;
        let heard = guest.hear(now, &mut floor.heard, &mut floor.scratch);
        floor.tally.add(now, 0, guest.received - before);
        match heard {
            Ok(0) => {
                guest.ending = Ending::Ended;
                guest.took = now;
                if let Some(tap) = &mut guest.manner.tap {
                    tap.saw(now, Side::Client, Piece::Closed);
                }
            }
            Ok(_) => return Heard::Words,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                guest.can_receive = guest.slowed.is_some();
                return Heard::Nothing;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                guest.ending = Ending::Over(Outcome::Broken);
                if !is_broken(&error) {
                    floor.tell(id, |caller| Note::Trouble(caller, &error));
                }
            }
        }
        floor.agenda.wake(id);
        Heard::Nothing
    }

    /// A caller who is not listened to at all: whether it is gone.
    pub(super) fn is_lost(&self, id: u64) -> bool {
        self.all
            .get(&id)
            .is_some_and(|guest| guest.lost || guest.is_deaf)
    }

    /// A caller may not speak before [`Self::release`].
    pub(super) fn hold(&mut self, id: u64) {
        if let Some(guest) = self.all.get_mut(&id)
            && !std::mem::replace(&mut guest.is_held, true)
        {
            self.held.push(id);
        }
    }

    /// Lets those speak who were held, and stdin.
    pub(super) fn release(&mut self, agenda: &mut Agenda) {
        agenda.wake(super::STDIO);
        for id in self.held.drain(..) {
            if let Some(guest) = self.all.get_mut(&id) {
                guest.is_held = false;
                agenda.wake(id);
            }
        }
    }

    /// When a caller is to have a turn although no event came.
    pub(super) fn due(&self, floor: &Floor, id: u64) -> Option<Instant> {
        let guest = self.all.get(&id)?;
        let patience = |from: Instant, patience: Option<Duration>| Some(from + patience?);
        let is_obstacle = self.obstacles.contains(&id);
        let is_awaited = is_obstacle || guest.ending == Ending::Ended;
        let stall = Some(floor.settings.stall).filter(|_| is_awaited);
        [
            patience(guest.moved, floor.settings.idle.of_caller()),
            patience(guest.took, stall),
            guest.slowed,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// A caller is gone.
    pub(super) fn see_off(
        &mut self,
        floor: &mut Floor,
        now: Instant,
        id: u64,
        outcome: Outcome,
    ) -> Next {
        let (mut sent, mut received) = (0, 0);
        if let Some(mut guest) = self.all.remove(&id) {
            (sent, received) = (guest.sent, guest.received);
            guest.close(now);
        }
        if self.obstacles.remove(&id) && self.obstacles.is_empty() {
            self.release(&mut floor.agenda);
        }
        let report: Report = floor.report(now, id, outcome, sent, received);
        Next::Gone(report)
    }
}

impl Guest {
    fn has_all(&self) -> bool {
        self.is_deaf || self.queue.is_empty() && self.replies.is_empty() && !self.link.has_unsent()
    }

    /// Sends what waits, within bounds.
    fn send(&mut self, now: Instant, scratch: &mut Vec<u8>) {
        if self.link.has_unsent() && self.can_send && self.link.flush().is_ok() {
            self.took = now;
        }
        let mut octets = 0;
        while self.can_send && !self.is_deaf && octets < limits::TURN {
            let piece = match self.replies.is_empty() {
                true => gather(&self.queue, self.begun, scratch),
                false => &self.replies,
            };
            if piece.is_empty() {
                break;
            }
            let mut wanted = piece.len();
            if let Some(rate) = &mut self.rate_to {
                wanted = rate.admit(now, wanted);
                if wanted == 0 {
                    self.slowed = Some(rate.until());
                    break;
                }
            }
            let piece = &piece[..wanted];
            let result = self.link.send(piece);
            if let (Ok(sent), Some(tap), true) =
                (&result, &mut self.manner.tap, self.replies.is_empty())
            {
                tap.saw(now, Side::Server, Piece::Bytes(&piece[..*sent]));
            }
            match result {
                Ok(sent) => {
                    // A socket that took less is full, and tells when it is not. With TLS a piece has another reason.
                    self.can_send = sent == wanted || self.link.tls().is_some();
                    self.advance(now, sent);
                    octets += sent;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.can_send = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.turn_deaf(),
            }
        }
        if self.half_close == HalfClose::Wanted && self.has_all() {
            self.close(now);
        }
    }

    fn advance(&mut self, now: Instant, sent: usize) {
        self.took = now;
        self.moved = now;
        if let Some(rate) = &mut self.rate_to {
            rate.passed(sent);
        }
        if !self.replies.is_empty() {
            self.replies.drain(..sent);
            return;
        }
        self.sent += sent as u64;
        self.begun += sent;
        while let Some(first) = self.queue.front()
            && first.len() <= self.begun
        {
            self.begun -= first.len();
            self.cost -= cost(first);
            self.queue.pop_front();
        }
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
    }

    /// It takes no more, but what it said may still be on its way.
    fn turn_deaf(&mut self) {
        self.is_deaf = true;
        self.queue = VecDeque::new();
        self.replies = Vec::new();
        self.begun = 0;
        self.cost = 0;
    }

    fn close(&mut self, now: Instant) {
        if self.half_close != HalfClose::Done {
            self.half_close = HalfClose::Done;
            self.link.half_close();
            if let Some(tap) = &mut self.manner.tap {
                tap.saw(now, Side::Server, Piece::Closed);
            }
        }
    }

    /// What it says to `heard`, how many octets of it came; 0 is the end.
    fn hear(
        &mut self,
        now: Instant,
        heard: &mut Vec<u8>,
        scratch: &mut Vec<u8>,
    ) -> io::Result<usize> {
        heard.clear();
        match &mut self.rate_from {
            None => heard.reserve(limits::HALL_BUFFER),
            Some(rate) => match rate.admit(now, limits::HALL_BUFFER) {
                0 => {
                    let until = rate.until();
                    self.slowed = Some(self.slowed.map_or(until, |other| other.min(until)));
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                octets => *heard = Vec::with_capacity(octets),
            },
        }
        let wanted = heard.capacity();
        let octets = self.link.receive(heard, scratch)?;
        if octets == 0 {
            return Ok(0);
        }
        if let Some(rate) = &mut self.rate_from {
            rate.passed(octets);
        }
        self.received += octets as u64;
        self.moved = now;
        // A stream that gave less has no more, and tells when it has. TLS is asked until it says so itself.
        self.can_receive &= octets == wanted || self.ends || self.link.tls().is_some();
        if let Some(tap) = &mut self.manner.tap {
            tap.saw(now, Side::Client, Piece::Bytes(heard));
        }
        if let Some(telnet) = &mut self.manner.telnet {
            let raw = std::mem::take(heard);
            telnet.filter(&raw, heard, &mut self.replies);
        }
        Ok(octets)
    }
}

/// What goes out next, in one piece: lent if it is worth a call of its own, else gathered.
fn gather<'a>(queue: &'a VecDeque<Rc<[u8]>>, begun: usize, scratch: &'a mut Vec<u8>) -> &'a [u8] {
    let Some(first) = queue.front() else {
        return &[];
    };
    let first = &first[begun..];
    if queue.len() == 1 || first.len() >= limits::HALL_BUFFER / 4 {
        return first;
    }
    scratch.clear();
    scratch.extend_from_slice(first);
    for words in queue.iter().skip(1) {
        if scratch.len() + words.len() > limits::HALL_BUFFER {
            break;
        }
        scratch.extend_from_slice(words);
    }
    scratch
}

/// A small word takes more than its octets.
fn cost(words: &Rc<[u8]>) -> usize {
    words.len() + 64
}
