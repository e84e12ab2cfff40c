//! The netcat's two directions: input to the peer, the peer to output.
//!
//! ```text
//!  Input ---> up: -C, -i, --rate ---> Link ---> socket        up.rs, buffer.rs, rate.rs, link.rs, secure.rs (TLS)
//!  Output <--- down: telnet, -W <---- Link <--- socket        down.rs
//!        \____ or the kernel does it ____/                    splice.rs
//! ```
//!
//! Each direction has one buffer. Octets are read into its spare room and written out of it: never moved, never copied, and
//! with -C alone rewritten. Where nothing looks at the octets, not even that: the kernel moves them. A direction reads while it
//! has room, so that a slow end holds the fast one back. What the ends of the two sides mean is not decided here but by
//! [`Policy`]: a [conversation](Conversation) tells it what happened, in the order in which the user sees it - "the peer has
//! ended" only after all that it sent was written - and does what it says.
//!
//! Invariants: whatever was received before a reset or an end is written before it counts; nothing waits in a loop, for after
//! the end of a side it is not read again; a deadline, and the other direction, are seen even while octets flow; no call is
//! made of which it is known that it has nothing to do: the poll is edge-triggered, so that after a short read the next
//! event is waited for - unless the end was told together with the last octets, for that is not told again.

mod buffer;
mod conversation;
mod down;
mod link;
mod rate;
mod secure;
mod splice;
#[cfg(test)]
mod tests;
mod up;

use std::fmt;
use std::io;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use crate::limits;
use crate::proto::raw::{Crlf, Outcome, Pace, Policy};
use crate::reactor::meter::Meter;
use crate::reactor::stdio::{Input, Output};
use crate::tap::{Tap, Wire};
use crate::wire::http_proxy::Body;
use crate::wire::telnet::Telnet;

pub use self::link::{HandshakeError, Link};

pub(in crate::reactor) use self::conversation::{Conversation, End, Turn};
pub(in crate::reactor) use self::link::wait;
pub(in crate::reactor) use self::link::{Discarded, Handshake};
pub(in crate::reactor) use self::rate::Rate;

/// How octets are changed, counted and looked at on their way.
#[derive(Default)]
pub struct Manner {
    /// -C
    pub crlf: Option<Crlf>,
    /// -i of OpenBSD's nc, -d of ncat.
    pub pace: Option<Pace>,
    /// -W: leave after receiving so often.
    pub receive_at_most: Option<u32>,
    /// Octets a second, in each direction.
    pub rate: Option<NonZeroU64>,
    /// -t
    pub telnet: Option<Telnet>,
    /// Of what comes, only what belongs to this request goes on.
    pub body: Option<Body>,
    /// Sees what is said, in the clear.
    pub tap: Option<Box<dyn Tap>>,
    /// Sees what crosses the socket. If something did before (a handshake), it is given to [`Link::watched`] then.
    pub wire: Option<Box<dyn Wire>>,
    /// Is told once a second how far it is.
    pub progress: Option<Box<dyn FnMut(Progress)>>,
    /// Shows how far it is, to whoever reads it.
    pub meter: Option<Meter>,
    /// How long the peer's end is waited for after ours, so that it does read our last words: a peer that says nothing meanwhile
    /// only until it has them. `None`: not at all.
    pub linger: Option<Duration>,
}

/// How far a conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Octets sent to the peer.
    pub sent: u64,
    /// Octets received from it.
    pub received: u64,
    /// Since the beginning.
    pub duration: Duration,
}

/// How a conversation went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// Octets sent to the peer.
    pub sent: u64,
    /// Octets received from it.
    pub received: u64,
    /// From the beginning to the end.
    pub duration: Duration,
}

impl Report {
    /// How far it came.
    pub const fn progress(&self) -> Progress {
        Progress {
            sent: self.sent,
            received: self.received,
            duration: self.duration,
        }
    }
}

/// Relays until `policy` says that it is over.
///
/// # Errors
/// What neither side's end explains: no space on the disk that output goes to, a datagram that is too long, TLS that broke
/// (with a [`TlsError`](crate::reactor::TlsError) inside) ...
pub fn relay(
    input: &mut Input,
    output: &mut Output,
    link: Link,
    policy: Policy,
    manner: Manner,
) -> io::Result<Report> {
    let begun = Instant::now();
    let ends = (&*input, &*output);
    let mut conversation =
        Conversation::new(begun, link, ends, policy, manner, limits::RELAY_BUFFER);
    let mut scratch = Vec::new();
    // The first octets are on their way before anything is made ready to wait for more.
    let first = conversation.turn(begun, input, output, &mut scratch)?;
    if let Turn::Over(outcome) = first {
        return Ok(conversation.report(begun, outcome));
    }
    let mut poll = Poll::new()?;
    conversation.register(poll.registry(), input, output, |end| match end {
        End::Input => INPUT,
        End::Output => OUTPUT,
        End::Link => LINK,
    })?;
    input.enlarge();
    output.enlarge();
    let mut events = Events::with_capacity(4);
    let mut busy_turns = 0_u32;
    loop {
        let now = Instant::now();
        let patience = match conversation.turn(now, input, output, &mut scratch)? {
            Turn::Over(outcome) => return Ok(conversation.report(now, outcome)),
            Turn::Moved => {
                busy_turns = (busy_turns + 1) % limits::RELAY_TURNS;
                if busy_turns > 0 {
                    continue;
                }
                Some(Duration::ZERO)
            }
            Turn::Still => {
                busy_turns = 0;
                let due = conversation.due();
                due.map(|due| due.saturating_duration_since(now))
            }
        };
        match poll.poll(&mut events, patience) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => result?,
        }
        for event in &events {
            let end = match event.token() {
                INPUT => End::Input,
                OUTPUT => End::Output,
                _ => End::Link,
            };
            conversation.told(end, event);
        }
    }
}

const INPUT: Token = Token(0);
const OUTPUT: Token = Token(1);
const LINK: Token = Token(2);

impl Manner {
    const fn changes_what_is_sent(&self) -> bool {
        self.crlf.is_some() || self.pace.is_some() || self.is_watched()
    }

    const fn changes_what_is_received(&self) -> bool {
        self.receive_at_most.is_some() || self.body.is_some() || self.is_watched()
    }

    const fn is_watched(&self) -> bool {
        self.rate.is_some() || self.telnet.is_some() || self.tap.is_some()
    }
}

impl fmt::Debug for Manner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Manner")
            .field("crlf", &self.crlf)
            .field("pace", &self.pace)
            .field("receive_at_most", &self.receive_at_most)
            .field("rate", &self.rate)
            .field("linger", &self.linger)
            .finish_non_exhaustive()
    }
}

pub(in crate::reactor) fn is_for_later(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// Whether the other end is gone, rather than something wrong at ours.
pub(in crate::reactor) fn is_broken(error: &io::Error) -> bool {
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
