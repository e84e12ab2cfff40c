//! One conversation: two directions, turn by turn, without ever waiting. Whoever drives it waits for events and deadlines
//! between the turns: [`relay`](super::relay()) for one of them, a hall for many.

use std::io;
use std::num::NonZeroU64;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};

use super::buffer::Buffer;
use super::link::{Discarded, Link};
use super::rate::Rate;
use super::splice::Way;
use super::{Manner, Progress, Report};
use crate::limits;
use crate::proto::raw::{Event, Outcome, Pace, Policy, Role, Step};
use crate::reactor::stdio::{Input, Output};
use crate::tap::{Piece, Side};

/// See the module, and that of the relay.
pub(in crate::reactor) struct Conversation {
    pub(super) link: Link,
    pub(super) policy: Policy,
    pub(super) manner: Manner,
    /// Which side we are.
    pub(super) ours: Side,
    pub(super) up: Buffer,
    pub(super) down: Buffer,
    /// What was read for `up` before -C, or for `down` before telnet; empty between turns.
    pub(super) raw: Vec<u8>,
    /// What the telnet filter has to say; goes before `up`.
    pub(super) replies: Vec<u8>,
    pub(super) way_up: Way,
    pub(super) way_down: Way,
    pub(super) can: Can,
    pub(super) sending: Sending,
    pub(super) receiving: Receiving,
    pub(super) rate_up: Option<Rate>,
    pub(super) rate_down: Option<Rate>,
    pub(super) sent: u64,
    pub(super) received: u64,
    /// Sizes of buffers for copying.
    pub(super) piece: usize,
    begun: Instant,
    /// When the progress is to be shown.
    tick: Instant,
    we_closed: bool,
    lingering: Option<Lingering>,
}

/// What can be done without waiting, as far as is known. Set by events; cleared when it turns out not to be so.
#[derive(Debug)]
pub(super) struct Can {
    pub(super) read_input: bool,
    pub(super) write_output: bool,
    pub(super) receive: bool,
    pub(super) send: bool,
    /// The kernel may be able to move octets: see [`super::splice`].
    pub(super) splice_up: bool,
    pub(super) splice_down: bool,
    /// The end of input, or of the peer, was told: a short read is not the last one.
    pub(super) input_ends: bool,
    pub(super) peer_ends: bool,
    /// The peer is gone for good. Once it is not read any more, only an event tells.
    pub(super) lost: bool,
    /// Octets that the kernel moved up since the socket last said that it has room.
    pub(super) moved_up: usize,
}

/// The way up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sending {
    Open,
    /// Input is at its end; what was read of it may still wait.
    LastOctets,
    Over,
}

/// The way down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Receiving {
    Open,
    /// Nothing more will come; what came may still wait. The event tells why.
    LastOctets(Event),
    Over,
}

/// It is over, but the peer is given time to read our last words. What comes behind our end is answered by a reset, and that could
/// take them from it: so who says nothing meanwhile is waited for only until its machine has acknowledged all.
#[derive(Clone, Copy, Debug)]
struct Lingering {
    outcome: Outcome,
    until: Instant,
    /// When that is looked at next: no event tells.
    look: Option<Instant>,
}

/// Which of the three descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reactor) enum End {
    Input,
    Output,
    Link,
}

/// What a turn has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reactor) enum Turn {
    /// Octets moved, so another turn may move more.
    Moved,
    /// Nothing can be done before an event, or [`Conversation::due`].
    Still,
    /// It is over.
    Over(Outcome),
}

/// Why a turn ends early.
pub(super) enum Stop {
    Leave(Outcome),
    Fail(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Fail(error)
    }
}

impl Conversation {
    /// A conversation that begins `now`, with buffers of `piece` octets where they are needed. All turns are to be with
    /// the same `input` and `output`.
    pub(in crate::reactor) fn new(
        now: Instant,
        link: Link,
        (input, output): (&Input, &Output),
        policy: Policy,
        mut manner: Manner,
        piece: usize,
    ) -> Self {
        let ours = match policy.role() {
            Role::Connect => Side::Client,
            Role::Listen => Side::Server,
        };
        let link = match manner.wire.take() {
            Some(wire) => link.watched(wire, ours),
            None => link,
        };
        let way_up = match link.is_bare() && !manner.changes_what_is_sent() {
            true => Way::up(input),
            false => Way::Copied,
        };
        let way_down = match link.is_bare() && !manner.changes_what_is_received() {
            true => Way::down(output),
            false => Way::Copied,
        };
        let up = match link.is_stream() {
            true => piece,
            false => limits::RELAY_DATAGRAM,
        };
        let rate = |rate: Option<NonZeroU64>| rate.map(|rate| Rate::new(rate, now));
        let mut conversation = Self {
            up: Buffer::new(up),
            down: Buffer::new(piece),
            rate_up: rate(manner.rate),
            rate_down: rate(manner.rate),
            link,
            policy,
            manner,
            ours,
            raw: Vec::new(),
            replies: Vec::new(),
            way_up,
            way_down,
            // What is not so turns out at the first attempt; and mostly it is so.
            can: Can {
                read_input: true,
                write_output: true,
                receive: false,
                send: true,
                splice_up: true,
                splice_down: false,
                input_ends: false,
                peer_ends: false,
                lost: false,
                moved_up: 0,
            },
            sending: Sending::Open,
            receiving: Receiving::Open,
            sent: 0,
            received: 0,
            piece: up,
            begun: now,
            tick: now + TICK,
            we_closed: false,
            lingering: None,
        };
        if let Some(tls) = conversation.link.tls() {
            let what = format!("{} {}", tls.version, tls.cipher);
            conversation.show(now, ours.other(), Piece::Tls(&what));
        }
        conversation
    }

    /// Asks to be told of events by the tokens that `token` gives; each goes to [`Self::told`].
    pub(in crate::reactor) fn register(
        &self,
        registry: &Registry,
        input: &Input,
        output: &Output,
        token: impl Fn(End) -> Token,
    ) -> io::Result<()> {
        input.register(registry, token(End::Input))?;
        output.register(registry, token(End::Output))?;
        registry.register(
            &mut SourceFd(&self.link.socket().as_raw_fd()),
            token(End::Link),
            Interest::READABLE | Interest::WRITABLE,
        )
    }

    /// An event came.
    pub(in crate::reactor) fn told(&mut self, end: End, event: &mio::event::Event) {
        let in_trouble = event.is_error();
        let ends = event.is_read_closed() || in_trouble;
        let readable = event.is_readable() || ends;
        let writable = event.is_writable() || event.is_write_closed() || in_trouble;
        let can = &mut self.can;
        match end {
            End::Input => {
                can.read_input |= readable;
                can.splice_up |= readable;
                can.input_ends |= ends;
            }
            End::Output => {
                can.write_output |= writable;
                can.splice_down |= writable;
            }
            End::Link => {
                can.receive |= readable;
                can.send |= writable;
                can.splice_down |= readable;
                if writable {
                    // What arrives says each time, by the way, that there is room. If there was anyhow, it was input that
                    // had no more, and to try again would be in vain.
                    can.splice_up |= !readable || can.moved_up >= SURE_ROOM;
                    can.moved_up = 0;
                }
                can.peer_ends |= ends;
                can.lost |= in_trouble || event.is_write_closed();
            }
        }
    }

    /// Does what can be done without waiting, within bounds.
    ///
    /// # Errors
    /// What neither side's end explains: no space on the disk that output goes to, a datagram that is too long ...
    pub(in crate::reactor) fn turn(
        &mut self,
        now: Instant,
        input: &mut Input,
        output: &mut Output,
        scratch: &mut Vec<u8>,
    ) -> io::Result<Turn> {
        if let Some(lingering) = self.lingering {
            // A peer that takes nothing has until then.
            let _ = self.link.flush();
            return Ok(self.linger(now, lingering, scratch));
        }
        let talked = self.talk(now, input, output, scratch);
        if let Some(meter) = &self.manner.meter {
            meter.set(self.begun, self.sent, self.received);
        }
        match talked {
            Ok(true) => Ok(Turn::Moved),
            Ok(false) => Ok(Turn::Still),
            Err(Stop::Leave(outcome)) => Ok(self.leave(now, outcome, scratch)),
            Err(Stop::Fail(error)) => Err(error),
        }
    }

    /// When another turn is due although no event came.
    pub(in crate::reactor) fn due(&self) -> Option<Instant> {
        if let Some(Lingering { until, look, .. }) = self.lingering {
            return Some(look.map_or(until, |look| look.min(until)));
        }
        let sending = !self.up.is_empty();
        let pace = self.manner.pace.as_ref().and_then(Pace::until);
        let pace = pace.filter(|_| sending);
        let rate_up = self.rate_up.as_ref().filter(|_| sending).map(Rate::until);
        let receiving = !self.down.is_empty();
        let rate_down = self.rate_down.as_ref().filter(|_| receiving);
        let tick = self.manner.progress.as_ref().map(|_| self.tick);
        [
            self.policy.deadline(),
            pace,
            rate_up,
            rate_down.map(Rate::until),
            tick,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// How it went, until `now`.
    pub(in crate::reactor) fn report(&self, now: Instant, outcome: Outcome) -> Report {
        Report {
            outcome,
            sent: self.sent,
            received: self.received,
            duration: now.saturating_duration_since(self.begun),
        }
    }

    /// Octets sent to the peer, and received from it, until now.
    pub(in crate::reactor) const fn moved(&self) -> (u64, u64) {
        (self.sent, self.received)
    }

    /// Gives memory back that is not in use.
    pub(in crate::reactor) fn rest(&mut self) {
        self.up.release();
        self.down.release();
        self.raw = Vec::new();
    }

    /// Whether anything moved.
    fn talk(
        &mut self,
        now: Instant,
        input: &mut Input,
        output: &mut Output,
        scratch: &mut Vec<u8>,
    ) -> Result<bool, Stop> {
        let moved = self.turn_up(now, input)? | self.turn_down(now, output, scratch)?;
        if self.can.lost && self.receiving == Receiving::Over {
            self.cannot_send(now)?;
        }
        if moved {
            self.tell(now, Event::Moved)?;
        } else if self.receiving == Receiving::Over && self.is_quiet(input) {
            self.tell(now, Event::Quiet)?;
        }
        self.tell(now, Event::Deadline)?;
        if self.tick <= now
            && let Some(show) = &mut self.manner.progress
        {
            show(Progress {
                sent: self.sent,
                received: self.received,
                duration: now.saturating_duration_since(self.begun),
            });
            self.tick = now + TICK;
        }
        Ok(moved)
    }

    /// Tells the policy of an event, and does what it says.
    pub(super) fn tell(&mut self, now: Instant, event: Event) -> Result<(), Stop> {
        match self.policy.handle(now, event) {
            Step::GoOn => Ok(()),
            Step::HalfClose => {
                self.half_close(now);
                Ok(())
            }
            Step::Leave(outcome) => Err(Stop::Leave(outcome)),
        }
    }

    /// Shows the tap what a side said.
    pub(super) fn show(&mut self, now: Instant, side: Side, piece: Piece<'_>) {
        if let Some(tap) = &mut self.manner.tap {
            tap.saw(now, side, piece);
        }
    }

    fn half_close(&mut self, now: Instant) {
        self.link.half_close();
        if !std::mem::replace(&mut self.we_closed, true) {
            self.show(now, self.ours, Piece::Closed);
        }
    }

    fn leave(&mut self, now: Instant, outcome: Outcome, scratch: &mut Vec<u8>) -> Turn {
        self.half_close(now);
        match self.manner.linger {
            Some(patience) if outcome == Outcome::Done => {
                let lingering = Lingering {
                    outcome,
                    until: now + patience,
                    look: Some(now),
                };
                self.linger(now, lingering, scratch)
            }
            _ => {
                self.link.discard(scratch);
                Turn::Over(outcome)
            }
        }
    }

    fn linger(&mut self, now: Instant, lingering: Lingering, scratch: &mut Vec<u8>) -> Turn {
        let is_silent = match self.link.discard(scratch) {
            Discarded::End => return Turn::Over(lingering.outcome),
            Discarded::Some => false,
            Discarded::Nothing => lingering.look.is_some(),
        };
        if lingering.until <= now || is_silent && self.link.has_arrived() {
            return Turn::Over(lingering.outcome);
        }
        self.lingering = Some(Lingering {
            look: is_silent.then(|| now + limits::LINGER_LOOK),
            ..lingering
        });
        Turn::Still
    }
}

/// Octets that a socket takes for certain once it has said that it has room: then a third of its buffer is free, and Linux
/// makes none smaller than 4.5 KiB (SOCK_MIN_SNDBUF).
const SURE_ROOM: usize = 1024;
/// How often progress is shown.
const TICK: Duration = Duration::from_secs(1);
