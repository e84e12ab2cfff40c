//! The netcat's policy: who has ended, and what follows from it. No octet passes through here; the relay reports
//! [`Event`]s, and does what [`Policy::handle`] says.
//!
//! Two ends, the user's *input* (stdin) and the *peer*, end independently. Semantics as documented for OpenBSD's nc in Debian;
//! deviations are marked.
//!
//! | event | options | what follows |
//! |---|---|---|
//! | input ended, all of it sent | [`InputEnd::Untold`] (OpenBSD's, traditional, ncat `--no-shutdown`), no -q (or a negative one) | go on receiving; the peer is not told |
//! | | [`InputEnd::HalfClose`] (-N; ncat) | half-close; go on receiving |
//! | | [`InputEnd::Leave`] (ncat `--send-only`, a program that has ended) | leave |
//! | | -q 0 | leave (1) |
//! | | -q N | half-close; leave N seconds later, earlier when the peer ends (1) |
//! | peer ended, all of it written | input is over | leave |
//! | | [`PeerEnd::Leave`] (traditional, ncat since 7.96) | leave |
//! | | input is a terminal | leave: a person must not have to press Enter to see that it is over (2) |
//! | | input is anything else | go on sending: the peer may only have half-closed |
//! | input has nothing to give now | peer ended, listening, the user's input | leave: a server's input may never end (3) |
//! | | else | go on |
//! | could not send | | input is over; leave if the peer has ended |
//! | connection broken (RST) | peer had ended | leave: it was told all that it wanted to hear |
//! | | else | leave with [`Outcome::Broken`]: something may be lost |
//! | refused (UDP) | | leave with [`Outcome::Refused`] |
//! | output cannot be written (EPIPE) | [`Near::User`] | leave with [`Outcome::Unheard`], quietly |
//! | | [`Near::Program`] | go on: it does not read, but may still write |
//! | nothing moved for N seconds | [`IdleEnd::Done`] (-w N of OpenBSD's and traditional) | leave; this is no error |
//! | | [`IdleEnd::Idle`] (-i N of ncat) | leave with [`Outcome::Idle`] |
//!
//! (1) Debian's 1.219 waits for the peer without limit, and only then for N seconds. (2) Debian's waits for input.
//! (3) Debian's looks between two reads, and so can cut a file short.
//!
//! Here too is what changes on the way: [`Crlf`] for -C, [`Pace`] for -i.
//!
//! Mail mode has another policy: it knows the protocol. [`lockstep`] is its session, [`starttls`] what goes before TLS.
//! Whoever types on a terminal edits lines: [`edit`].

pub mod edit;
mod explain;
pub mod lockstep;
mod reply;
mod script;
mod speech;
pub mod starttls;
mod typed;

pub(crate) use self::speech::has_tag;

use std::time::{Duration, Instant};

/// Who called whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// We connected.
    Connect,
    /// We listened.
    Listen,
}

/// What a mail server speaks; and FTP, which greets as SMTP does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// RFC 5321
    Smtp,
    /// RFC 2033
    Lmtp,
    /// RFC 1939
    Pop3,
    /// RFC 3501, RFC 9051
    Imap,
    /// RFC 959: its control connection, for AUTH TLS (RFC 4217).
    Ftp,
}

impl Protocol {
    /// By its name on a command line.
    ///
    /// ```
    /// use mailtool::proto::raw::Protocol;
    /// assert_eq!(Protocol::named("IMAP"), Some(Protocol::Imap));
    /// assert_eq!(Protocol::named("http"), None);
    /// ```
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.name().eq_ignore_ascii_case(name))
    }

    /// All of them.
    pub const ALL: [Self; 5] = [Self::Smtp, Self::Lmtp, Self::Pop3, Self::Imap, Self::Ftp];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Smtp => "SMTP",
            Self::Lmtp => "LMTP",
            Self::Pop3 => "POP3",
            Self::Imap => "IMAP",
            Self::Ftp => "FTP",
        }
    }
}

/// Who types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyboard {
    /// A person: input is a terminal.
    Terminal,
    /// A program or a file.
    Other,
}

/// What follows from the end of input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InputEnd {
    /// The peer is not told.
    #[default]
    Untold,
    /// The peer is told, and may still answer.
    HalfClose,
    /// Nothing more is wanted of the peer.
    Leave,
}

/// What follows from the end of what the peer sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PeerEnd {
    /// Input is sent to its end all the same, unless a person types it.
    #[default]
    FinishInput,
    /// It is over.
    Leave,
}

/// What it is when nothing moves for too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdleEnd {
    /// As good an end as any.
    #[default]
    Done,
    /// The same, and nothing at all before input has ended: -w of netcat-traditional.
    DoneOnceInputIsOver,
    /// A failure.
    Idle,
}

/// What is at the near end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Near {
    /// The user's stdin and stdout, which outlive the conversation.
    #[default]
    User,
    /// A program that serves this peer, or another connection: it is told of the peer's end.
    Program,
}

/// What the user asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// -N and its like.
    pub input_end: InputEnd,
    /// -q: leave so long after input has ended. Half-closes too.
    pub quit_after: Option<Duration>,
    /// What the peer's end means.
    pub peer_end: PeerEnd,
    /// -w of OpenBSD's nc, -i of ncat: leave when nothing has moved for so long.
    pub idle: Option<Duration>,
    /// What that is then.
    pub idle_end: IdleEnd,
    /// Who is at the near end.
    pub near: Near,
}

impl Options {
    /// For a program (-e) that talks to the peer: its end is the end, the peer's is not.
    pub const fn of_program(self) -> Self {
        Self {
            input_end: InputEnd::Leave,
            quit_after: None,
            peer_end: PeerEnd::FinishInput,
            near: Near::Program,
            ..self
        }
    }

    /// For two connections that are joined: each is told of the other's end, and it is over after both.
    pub const fn of_joined(self) -> Self {
        Self {
            input_end: InputEnd::HalfClose,
            ..self.of_program()
        }
    }
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
    /// Nothing moved for too long, and that is a failure.
    Idle,
    /// Nobody is there to hear datagrams.
    Refused,
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
                if self.input_over
                    || self.options.peer_end == PeerEnd::Leave
                    || self.keyboard == Keyboard::Terminal
                {
                    return Step::Leave(Outcome::Done);
                }
                Step::GoOn
            }
            Event::Quiet
                if self.peer_over
                    && self.role == Role::Listen
                    && self.options.near == Near::User =>
            {
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
            Event::Refused => Step::Leave(Outcome::Refused),
            Event::Reset if self.peer_over => Step::Leave(Outcome::Done),
            Event::Reset => Step::Leave(Outcome::Broken),
            Event::CannotWrite => match self.options.near {
                Near::User => Step::Leave(Outcome::Unheard),
                Near::Program => Step::GoOn,
            },
            Event::Deadline => self.deadline_passed(now),
        }
    }

    /// When [`Event::Deadline`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.idle().into_iter().chain(self.quit).min()
    }

    /// Who is at the near end.
    pub const fn near(&self) -> Near {
        self.options.near
    }

    /// Who called whom.
    pub const fn role(&self) -> Role {
        self.role
    }

    fn idle(&self) -> Option<Instant> {
        let waits = self.options.idle_end == IdleEnd::DoneOnceInputIsOver && !self.input_over;
        let idle = self.options.idle.filter(|_| !waits);
        idle.map(|idle| self.moved + idle)
    }

    fn deadline_passed(&self, now: Instant) -> Step {
        let passed = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        if passed(self.quit) {
            return Step::Leave(Outcome::Done);
        }
        if passed(self.idle()) {
            return Step::Leave(match self.options.idle_end {
                IdleEnd::Done | IdleEnd::DoneOnceInputIsOver => Outcome::Done,
                IdleEnd::Idle => Outcome::Idle,
            });
        }
        Step::GoOn
    }

    fn input_ended(&mut self, now: Instant) -> Step {
        self.input_over = true;
        if self.options.idle_end == IdleEnd::DoneOnceInputIsOver {
            self.moved = now;
        }
        if self.peer_over
            || self.options.quit_after == Some(Duration::ZERO)
            || self.options.input_end == InputEnd::Leave
        {
            return Step::Leave(Outcome::Done);
        }
        self.quit = self.options.quit_after.map(|after| now + after);
        if self.options.input_end == InputEnd::HalfClose || self.quit.is_some() {
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

    /// The same, and one of `interval` from `now` on before the first.
    pub fn delayed(now: Instant, interval: Duration) -> Self {
        Self {
            interval,
            next: Some(now + interval),
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
