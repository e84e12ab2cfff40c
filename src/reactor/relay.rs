//! The netcat's two directions: input to the peer, the peer to output, one conversation at a time.
//!
//! Each direction has one buffer. Octets are read into its spare room and written out of it: never moved, never copied, and
//! with -C alone rewritten. A direction reads while it has room, so that a slow end holds the fast one back. What the
//! ends of the two sides mean is not decided here but by [`Policy`]: this tells it what happened, in the order
//! in which the user sees it - "the peer has ended" only after all that it sent was written - and does what it says.
//!
//! Invariants: whatever was received before a reset or an end is written before it counts; nothing waits in a loop, for after
//! the end of a side it is not read again; a deadline, and the other direction, are seen even while octets flow.

use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::net::{RecvFlags, SendFlags, SocketAddrAny, recv, recvfrom, send, sendto};
use socket2::Socket;

use crate::limits;
use crate::proto::raw::{Crlf, Event, Outcome, Pace, Policy, Step};
use crate::reactor::stdio::{Input, Output, Readiness};

/// The network's end of a relay.
#[derive(Debug)]
pub enum Link<'a> {
    /// A connected stream socket.
    Stream(&'a Socket),
    /// A connected datagram socket. It has no end, an empty datagram is not one, and a refusal ends the conversation.
    Datagrams(&'a Socket),
    /// A datagram socket that hears everybody; what is sent goes to who was heard last.
    Everybody(&'a Socket, Option<SocketAddrAny>),
}

/// How input is changed on its way.
#[derive(Debug, Default)]
pub struct Manner {
    /// -C
    pub crlf: Option<Crlf>,
    /// -i
    pub pace: Option<Pace>,
    /// -W: leave after receiving so often.
    pub receive_at_most: Option<u32>,
}

/// Relays until `policy` says that it is over.
///
/// # Errors
/// What neither side's end explains: no space on the disk that output goes to, a datagram that is too long ...
pub fn relay(
    input: &mut Input,
    output: &mut Output,
    link: Link<'_>,
    policy: Policy,
    manner: Manner,
) -> io::Result<Outcome> {
    let mut relay = Relay::new(input, output, link, policy, manner)?;
    let outcome = relay.run();
    relay.link.half_close();
    outcome
}

struct Relay<'a> {
    poll: Poll,
    input: &'a mut Input,
    output: &'a mut Output,
    link: Link<'a>,
    policy: Policy,
    manner: Manner,
    up: Buffer,
    down: Buffer,
    /// What was read for `up` before -C; empty between turns.
    typed: Vec<u8>,
    ready: Ready,
    sending: Sending,
    receiving: Receiving,
}

/// What can be done without waiting, as far as is known. Set by events, cleared by `WouldBlock` only.
struct Ready {
    input: bool,
    output: bool,
    receive: bool,
    send: bool,
}

/// The way up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sending {
    Open,
    /// Input is at its end; what was read of it may still wait.
    LastOctets,
    Over,
}

/// The way down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Receiving {
    Open,
    /// Nothing more will come; what came may still wait. The event tells why.
    LastOctets(Event),
    Over,
}

const INPUT: Token = Token(0);
const OUTPUT: Token = Token(1);
const LINK: Token = Token(2);

type Flow = ControlFlow<Outcome>;

impl<'a> Relay<'a> {
    fn new(
        input: &'a mut Input,
        output: &'a mut Output,
        link: Link<'a>,
        policy: Policy,
        manner: Manner,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let registry = poll.registry();
        registry.register(
            &mut SourceFd(&link.socket().as_raw_fd()),
            LINK,
            Interest::READABLE | Interest::WRITABLE,
        )?;
        let ready = Ready {
            input: input.register(registry, INPUT)? == Readiness::Always,
            output: output.register(registry, OUTPUT)? == Readiness::Always,
            receive: false,
            send: false,
        };
        let piece = match link {
            Link::Stream(_) => limits::RELAY_BUFFER,
            Link::Datagrams(_) | Link::Everybody(..) => limits::RELAY_DATAGRAM,
        };
        // -C can double what it is given.
        let (typed, up) = match manner.crlf {
            Some(_) => (piece / 2, piece),
            None => (0, piece),
        };
        Ok(Self {
            poll,
            input,
            output,
            link,
            policy,
            manner,
            up: Buffer::new(up),
            down: Buffer::new(limits::RELAY_BUFFER),
            typed: Vec::with_capacity(typed),
            ready,
            sending: Sending::Open,
            receiving: Receiving::Open,
        })
    }

    fn run(&mut self) -> io::Result<Outcome> {
        let mut events = Events::with_capacity(4);
        let mut busy_turns = 0_u32;
        loop {
            let now = Instant::now();
            let waiting = (self.up.waiting().len(), self.down.waiting().len());
            let reads = self.read_input()? | self.receive()?;
            if let ControlFlow::Break(outcome) = self.send(now)? {
                return Ok(outcome);
            }
            if let ControlFlow::Break(outcome) = self.write_output(now)? {
                return Ok(outcome);
            }
            let moved = reads || waiting != (self.up.waiting().len(), self.down.waiting().len());
            let event = match moved {
                true => Some(Event::Moved),
                false if self.is_quiet() => Some(Event::Quiet),
                false => None,
            };
            for event in event.into_iter().chain([Event::Deadline]) {
                if let ControlFlow::Break(outcome) = self.tell(now, event) {
                    return Ok(outcome);
                }
            }
            busy_turns = match moved {
                true => (busy_turns + 1) % limits::RELAY_TURNS,
                false => 0,
            };
            if busy_turns > 0 {
                continue;
            }
            let patience = match moved {
                true => Some(Duration::ZERO),
                false => self.patience(now),
            };
            if let ControlFlow::Break(outcome) = self.wait(now, patience, &mut events)? {
                return Ok(outcome);
            }
        }
    }

    /// Input to `up`. Whether anything came.
    fn read_input(&mut self) -> io::Result<bool> {
        if self.sending != Sending::Open || !self.ready.input || !self.up.has_room(&self.link) {
            return Ok(false);
        }
        let read = match &mut self.manner.crlf {
            None => self.input.read(self.up.room()),
            Some(_) if !self.up.waiting().is_empty() => return Ok(false),
            Some(crlf) => {
                let read = self.input.read(&mut self.typed);
                crlf.encode(&self.typed, self.up.room());
                self.typed.clear();
                read
            }
        };
        match read {
            Ok(0) => self.sending = Sending::LastOctets,
            Ok(_) => return Ok(true),
            Err(error) if is_for_later(&error) => {
                self.ready.input = error.kind() == io::ErrorKind::Interrupted;
            }
            Err(error) => return Err(error),
        }
        Ok(false)
    }

    /// `up` to the peer.
    fn send(&mut self, now: Instant) -> io::Result<Flow> {
        if self.sending == Sending::Over {
            return Ok(Flow::Continue(()));
        }
        let waiting = self.up.waiting();
        if waiting.is_empty() {
            if self.sending == Sending::LastOctets {
                self.sending = Sending::Over;
                return Ok(self.tell(now, Event::InputEnded));
            }
            return Ok(Flow::Continue(()));
        }
        let admitted = match &self.manner.pace {
            Some(pace) => pace.admit(now, waiting),
            None => waiting.len(),
        };
        if !self.ready.send || admitted == 0 {
            return Ok(Flow::Continue(()));
        }
        match self.link.send(&waiting[..admitted]) {
            Ok(octets) => {
                if let Some(pace) = &mut self.manner.pace {
                    pace.sent(now, &waiting[..octets]);
                }
                self.up.took(octets);
                if self.up.waiting().is_empty() && self.sending == Sending::LastOctets {
                    self.sending = Sending::Over;
                    return Ok(self.tell(now, Event::InputEnded));
                }
            }
            Err(error) if is_for_later(&error) => {
                self.ready.send = error.kind() == io::ErrorKind::Interrupted;
            }
            Err(error) if is_broken(&error) => return Ok(self.cannot_send(now)),
            Err(error) => return Err(error),
        }
        Ok(Flow::Continue(()))
    }

    fn cannot_send(&mut self, now: Instant) -> Flow {
        if self.sending == Sending::Over {
            return Flow::Continue(());
        }
        self.up.clear();
        self.sending = Sending::Over;
        self.tell(
            now,
            match self.link.is_stream() {
                true => Event::CannotSend,
                false => Event::Refused,
            },
        )
    }

    /// The peer to `down`. Whether anything came.
    fn receive(&mut self) -> io::Result<bool> {
        if self.receiving != Receiving::Open
            || !self.ready.receive
            || !self.down.has_room(&self.link)
        {
            return Ok(false);
        }
        match self.link.receive(self.down.room()) {
            Ok(0) if self.link.is_stream() => {
                self.receiving = Receiving::LastOctets(Event::PeerEnded);
            }
            Ok(_) => {
                self.ready.send |= matches!(self.link, Link::Everybody(..));
                if let Some(left) = &mut self.manner.receive_at_most {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        self.receiving = Receiving::LastOctets(Event::PeerEnded);
                        if self.sending == Sending::Open {
                            self.sending = Sending::LastOctets;
                        }
                    }
                }
                return Ok(true);
            }
            Err(error) if is_for_later(&error) => {
                self.ready.receive = error.kind() == io::ErrorKind::Interrupted;
            }
            Err(error) if is_broken(&error) => {
                self.receiving = Receiving::LastOctets(match self.link.is_stream() {
                    true => Event::Reset,
                    false => Event::Refused,
                });
            }
            Err(error) => return Err(error),
        }
        Ok(false)
    }

    /// `down` to output.
    fn write_output(&mut self, now: Instant) -> io::Result<Flow> {
        let waiting = self.down.waiting();
        if !waiting.is_empty() {
            if !self.ready.output {
                return Ok(Flow::Continue(()));
            }
            match self.output.write(waiting) {
                Ok(octets) => self.down.took(octets),
                Err(error) if is_for_later(&error) => {
                    self.ready.output = error.kind() == io::ErrorKind::Interrupted;
                }
                Err(error) if is_broken(&error) => return Ok(self.tell(now, Event::CannotWrite)),
                Err(error) => return Err(error),
            }
        }
        match self.receiving {
            Receiving::LastOctets(event) if self.down.waiting().is_empty() => {
                self.receiving = Receiving::Over;
                Ok(self.tell(now, event))
            }
            _ => Ok(Flow::Continue(())),
        }
    }

    fn is_quiet(&self) -> bool {
        self.sending == Sending::Open && !self.ready.input && self.up.waiting().is_empty()
    }

    /// When there is nothing to be done until something can be.
    fn patience(&self, now: Instant) -> Option<Duration> {
        let pace = self.manner.pace.as_ref().and_then(Pace::until);
        let until = [self.policy.deadline(), pace.filter(|pace| *pace > now)];
        let until = until.into_iter().flatten().min();
        until.map(|until| until.saturating_duration_since(now))
    }

    /// Waits for at most so long until something can be done.
    fn wait(
        &mut self,
        now: Instant,
        patience: Option<Duration>,
        events: &mut Events,
    ) -> io::Result<Flow> {
        match self.poll.poll(events, patience) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => result?,
        }
        for event in events.iter() {
            let in_trouble = event.is_error();
            let readable = event.is_readable() || event.is_read_closed() || in_trouble;
            let writable = event.is_writable() || event.is_write_closed() || in_trouble;
            match event.token() {
                INPUT => self.ready.input |= readable,
                OUTPUT => self.ready.output |= writable,
                _ => {
                    self.ready.receive |= readable;
                    self.ready.send |= writable;
                    // After the peer's end it is not read again, so only this tells that it has gone for good.
                    if self.receiving == Receiving::Over
                        && (in_trouble || event.is_write_closed())
                        && let Flow::Break(outcome) = self.cannot_send(now)
                    {
                        return Ok(Flow::Break(outcome));
                    }
                }
            }
        }
        Ok(Flow::Continue(()))
    }

    fn tell(&mut self, now: Instant, event: Event) -> Flow {
        match self.policy.handle(now, event) {
            Step::GoOn => {}
            Step::HalfClose => self.link.half_close(),
            Step::Leave(outcome) => return Flow::Break(outcome),
        }
        Flow::Continue(())
    }
}

impl Link<'_> {
    const fn socket(&self) -> &Socket {
        match self {
            Self::Stream(socket) | Self::Datagrams(socket) | Self::Everybody(socket, _) => socket,
        }
    }

    const fn is_stream(&self) -> bool {
        matches!(self, Self::Stream(_))
    }

    fn receive(&mut self, room: &mut Vec<u8>) -> io::Result<usize> {
        let spare = rustix::buffer::spare_capacity(room);
        match self {
            Self::Stream(socket) | Self::Datagrams(socket) => {
                Ok(recv(socket.as_fd(), spare, RecvFlags::DONTWAIT)?.0)
            }
            Self::Everybody(socket, last) => {
                let (octets, _, from) = recvfrom(socket.as_fd(), spare, RecvFlags::DONTWAIT)?;
                *last = from;
                Ok(octets)
            }
        }
    }

    fn send(&self, octets: &[u8]) -> io::Result<usize> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        Ok(match self {
            Self::Stream(socket) | Self::Datagrams(socket) => send(socket.as_fd(), octets, flags)?,
            Self::Everybody(socket, Some(to)) => sendto(socket.as_fd(), octets, flags, to)?,
            Self::Everybody(_, None) => return Err(io::ErrorKind::WouldBlock.into()),
        })
    }

    fn half_close(&self) {
        if let Self::Stream(socket) = self {
            // A connection that is gone needs no closing.
            let _ = socket.shutdown(std::net::Shutdown::Write);
        }
    }
}

/// Octets on their way in one direction: `octets[start..]` wait.
#[derive(Debug)]
struct Buffer {
    octets: Vec<u8>,
    start: usize,
}

impl Buffer {
    fn new(capacity: usize) -> Self {
        Self {
            octets: Vec::with_capacity(capacity),
            start: 0,
        }
    }

    fn waiting(&self) -> &[u8] {
        &self.octets[self.start..]
    }

    /// A datagram is read whole, and sent as one: it wants the buffer for itself.
    fn has_room(&self, link: &Link<'_>) -> bool {
        self.waiting().is_empty() || link.is_stream() && self.octets.len() < self.octets.capacity()
    }

    /// To be appended to, within its capacity.
    fn room(&mut self) -> &mut Vec<u8> {
        if self.waiting().is_empty() {
            self.clear();
        }
        &mut self.octets
    }

    fn took(&mut self, octets: usize) {
        self.start += octets;
    }

    fn clear(&mut self) {
        self.octets.clear();
        self.start = 0;
    }
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// Whether the other end is gone, rather than something wrong at ours.
fn is_broken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::NotConnected
            | io::ErrorKind::TimedOut
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
    )
}

#[cfg(test)]
mod tests;
