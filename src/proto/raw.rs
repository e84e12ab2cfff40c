//! The netcat's policy: who has ended, and what follows from it. No octet passes through here; the relay reports
//! [`Event`]s, and does what [`Policy::handle`] says.
//!
//! Two ends, the user's *input* (stdin) and the *peer*, end independently. Semantics as documented for OpenBSD's nc in Debian;
//! deviations are marked.
//!
//! | event | options | what follows |
//! |---|---|---|
//! | input ended, all of it sent | neither -N nor -q (or -q negative) | go on receiving; the peer is not told |
//! | | -N | half-close; go on receiving |
//! | | -q 0 | leave (1) |
//! | | -q N | half-close; leave N seconds later, earlier when the peer ends (1) |
//! | peer ended, all of it written | input is over | leave |
//! | | input is a terminal | leave: a person must not have to press Enter to see that it is over (2) |
//! | | input is anything else | go on sending: the peer may only have half-closed |
//! | input has nothing to give now | peer ended, listening | leave: a server's input may never end (3) |
//! | | else | go on |
//! | could not send | | input is over; leave if the peer has ended |
//! | connection broken (RST) | peer had ended | leave: it was told all that it wanted to hear |
//! | | else | leave with [`Outcome::Broken`]: something may be lost |
//! | refused (UDP) | | leave |
//! | output cannot be written (EPIPE) | | leave with [`Outcome::Unheard`], quietly |
//! | nothing moved for N seconds | -w N | leave; this is no error |
//!
//! (1) Debian's 1.219 waits for the peer without limit, and only then for N seconds. (2) Debian's waits for input.
//! (3) Debian's looks between two reads, and so can cut a file short.
//!
//! Here too is what changes on the way: [`Crlf`] for -C, [`Pace`] for -i.

use std::time::{Duration, Instant};

/// Who called whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// We connected.
    Connect,
    /// We listened.
    Listen,
}

/// Who types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyboard {
    /// A person: input is a terminal.
    Terminal,
    /// A program or a file.
    Other,
}

/// What the user asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// -N: half-close when input ends.
    pub half_close: bool,
    /// -q: leave so long after input has ended. Half-closes too.
    pub quit_after: Option<Duration>,
    /// -w: leave when nothing has moved for so long.
    pub idle: Option<Duration>,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Octets have moved, in either direction.
    Moved,
    /// Input has ended, and all of it was sent. Comes once at most.
    InputEnded,
    /// The peer has ended, and all that it sent was written out. Comes once at most.
    PeerEnded,
    /// Input has nothing to give at this moment, and all that it gave was sent. Comes as often as it is so.
    Quiet,
    /// The peer takes no more.
    CannotSend,
    /// The connection broke.
    Reset,
    /// Nobody listens there: of datagrams, which have no other end.
    Refused,
    /// Nobody reads our output any more.
    CannotWrite,
    /// The deadline has passed.
    Deadline,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Go on.
    GoOn,
    /// Tell the peer that no more will be sent, and go on.
    HalfClose,
    /// The conversation is over.
    Leave(Outcome),
}

/// How a conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should: exit code 0.
    Done,
    /// Something may be lost: exit code 1.
    Broken,
    /// Nobody reads what we write: exit code 1, and no further conversation makes sense.
    Unheard,
}

/// The state of one conversation. See the module.
#[derive(Debug)]
pub struct Policy {
    role: Role,
    keyboard: Keyboard,
    options: Options,
    input_over: bool,
    peer_over: bool,
    moved: Instant,
    quit: Option<Instant>,
}

impl Policy {
    /// A conversation that begins `now`.
    pub const fn new(now: Instant, role: Role, keyboard: Keyboard, options: Options) -> Self {
        Self {
            role,
            keyboard,
            options,
            input_over: false,
            peer_over: false,
            moved: now,
            quit: None,
        }
    }

    /// Takes an event, and says what follows.
    pub fn handle(&mut self, now: Instant, event: Event) -> Step {
        match event {
            Event::Moved => {
                self.moved = now;
                Step::GoOn
            }
            Event::InputEnded => self.input_ended(now),
            Event::PeerEnded => {
                self.peer_over = true;
                if self.input_over || self.keyboard == Keyboard::Terminal {
                    return Step::Leave(Outcome::Done);
                }
                Step::GoOn
            }
            Event::Quiet if self.peer_over && self.role == Role::Listen => {
                Step::Leave(Outcome::Done)
            }
            Event::Quiet => Step::GoOn,
            Event::CannotSend => {
                self.input_over = true;
                if self.peer_over {
                    return Step::Leave(Outcome::Done);
                }
                Step::GoOn
            }
            Event::Refused => Step::Leave(Outcome::Done),
            Event::Reset if self.peer_over => Step::Leave(Outcome::Done),
            Event::Reset => Step::Leave(Outcome::Broken),
            Event::CannotWrite => Step::Leave(Outcome::Unheard),
            Event::Deadline => {
                if self.deadline().is_some_and(|deadline| deadline <= now) {
                    return Step::Leave(Outcome::Done);
                }
                Step::GoOn
            }
        }
    }

    /// When [`Event::Deadline`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        let idle = self.options.idle.map(|idle| self.moved + idle);
        match (idle, self.quit) {
            (Some(idle), Some(quit)) => Some(idle.min(quit)),
            (idle, quit) => idle.or(quit),
        }
    }

    fn input_ended(&mut self, now: Instant) -> Step {
        self.input_over = true;
        if self.peer_over || self.options.quit_after == Some(Duration::ZERO) {
            return Step::Leave(Outcome::Done);
        }
        self.quit = self.options.quit_after.map(|after| now + after);
        if self.options.half_close || self.quit.is_some() {
            return Step::HalfClose;
        }
        Step::GoOn
    }
}

/// -C: LF becomes CRLF; a CRLF stays one, also when it is cut in two.
#[derive(Debug, Default)]
pub struct Crlf {
    after_cr: bool,
}

impl Crlf {
    /// Appends `input` to `output`, which grows by at most twice its length.
    ///
    /// ```
    /// let mut crlf = mailtool::proto::raw::Crlf::default();
    /// let mut output = Vec::new();
    /// crlf.encode(b"QUIT\nNOOP\r", &mut output);
    /// crlf.encode(b"\n", &mut output);
    /// assert_eq!(output, b"QUIT\r\nNOOP\r\n");
    /// ```
    pub fn encode(&mut self, input: &[u8], output: &mut Vec<u8>) {
        let mut from = 0;
        for line_feed in memchr::memchr_iter(b'\n', input) {
            let after_cr = match line_feed {
                0 => self.after_cr,
                _ => input[line_feed - 1] == b'\r',
            };
            if !after_cr {
                output.extend_from_slice(&input[from..line_feed]);
                output.push(b'\r');
                from = line_feed;
            }
        }
        output.extend_from_slice(&input[from..]);
        if let Some(last) = input.last() {
            self.after_cr = *last == b'\r';
        }
    }
}

/// -i: one line, then a pause.
#[derive(Debug)]
pub struct Pace {
    interval: Duration,
    /// No line may go before.
    next: Option<Instant>,
}

impl Pace {
    /// A pause of `interval` after each line.
    pub const fn new(interval: Duration) -> Self {
        Self {
            interval,
            next: None,
        }
    }

    /// How many octets of `waiting` may be sent now.
    pub fn admit(&self, now: Instant, waiting: &[u8]) -> usize {
        if self.next.is_some_and(|next| now < next) {
            return 0;
        }
        memchr::memchr(b'\n', waiting).map_or(waiting.len(), |line_feed| line_feed + 1)
    }

    /// These octets were sent.
    pub fn sent(&mut self, now: Instant, octets: &[u8]) {
        self.next = octets.ends_with(b"\n").then(|| now + self.interval);
    }

    /// When more may be sent, if not now.
    pub const fn until(&self) -> Option<Instant> {
        self.next
    }
}

#[cfg(test)]
mod tests;
