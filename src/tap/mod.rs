//! Observers of a connection: they see what was said in both directions, and when; they change nothing.
//!
//! | observer | sees | and writes |
//! |---|---|---|
//! | [`Tap`] | what is said, in the clear; passwords hidden where a session names them | [`transcript`], [`dump`], [`record`] |
//! | [`Wire`] | what crosses the socket: ciphertext where there is TLS | [`pcapng`] |
//! | [`keylog::KeySink`] | the secrets of TLS, with which that ciphertext can be read | [`keylog`], [`pcapng`] |
//!
//! What a server is to write goes to the disk [`behind`] the back of its loop. A connection has its observers [`Attached`]; a
//! program that is built without the feature `taps` has none of them, and its options refuse ([`BUILT_IN`]).

mod attached;
pub mod behind;
pub mod dump;
pub mod keylog;
pub mod masked;
pub mod pcapng;
pub mod record;
pub mod transcript;

use std::time::{Instant, SystemTime};

pub use self::attached::Attached;

/// Whether connections can be observed: the feature `taps`.
pub const BUILT_IN: bool = cfg!(feature = "taps");

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The side that connected.
    Client,
    /// The side that was connected to.
    Server,
}

impl Side {
    /// The one that this side talks to.
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// What is shown of a piece of the dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Lines with their line ends, or a run of message text. May end in the middle of a line.
    Bytes(&'a [u8]),
    /// Octets that are a password or its like, where `Bytes` before and after go on in the same line: print `********`.
    Secret,
    /// TLS is up from here on, described in a few words such as `TLSv1.3 TLS13_AES_256_GCM_SHA384`.
    Tls(&'a str),
    /// Something that no octets show: a remark, which a transcript has as a comment, `# fault: the reply to RCPT is
    /// 451 by rule 2`. See [`note`] for kinds that others look for; a session says it with [`Out::note`](crate::proto::Out::note).
    Note {
        /// What it is about, in a word.
        kind: &'a str,
        /// What there is to say, in one line.
        text: &'a str,
    },
    /// This side closed.
    Closed,
}

/// Kinds of [`Piece::Note`] that somebody looks for: filters, lists of sessions, exercises.
pub mod note {
    /// Whose connection it really is, where a proxy has handed it on: its address, in the place of the proxy's.
    pub const CLIENT: &str = "client";
    /// The address of that proxy.
    pub const PROXY: &str = "proxy";
    /// Who has logged in.
    pub const USER: &str = "user";
    /// The mailbox that is open now.
    pub const MAILBOX: &str = "mailbox";
    /// What a message that this session brought is called.
    pub const MESSAGE: &str = "message";
    /// Why it ended otherwise than by a goodbye.
    pub const TROUBLE: &str = "trouble";
    /// What was done on purpose, so that a peer has to cope with it: which rule, and what it does.
    pub const FAULT: &str = "fault";
}

/// An observer. It must not block for long: it is called in the event loop.
pub trait Tap {
    /// `side` said `piece` at `now`.
    fn saw(&mut self, now: Instant, side: Side, piece: Piece<'_>);
    /// Octets of a long part of a file that it makes use of: the rest is not read for it.
    fn enough(&self) -> u64 {
        u64::MAX
    }
    /// After as many as are enough, `side` said so many more. Must be told where [`Self::enough`] is less than all.
    fn skipped(&mut self, _now: Instant, _side: Side, _octets: u64) {}
}

/// Several that see the same.
impl Tap for Vec<Box<dyn Tap>> {
    fn saw(&mut self, now: Instant, side: Side, piece: Piece<'_>) {
        for tap in self {
            tap.saw(now, side, piece);
        }
    }
    fn enough(&self) -> u64 {
        self.iter().map(|tap| tap.enough()).max().unwrap_or(0)
    }
    fn skipped(&mut self, now: Instant, side: Side, octets: u64) {
        for tap in self {
            tap.skipped(now, side, octets);
        }
    }
}

/// An observer of the octets that cross a socket, in the order in which they do. It must not block for long.
///
/// Where there is TLS it is told of received octets after they were decrypted, and of octets to be sent after they were
/// encrypted: so a [`keylog::KeySink`] has had each secret before the octets that need it to be read.
pub trait Wire {
    /// `octets`, which `side` sent, crossed the socket at `at`.
    fn crossed(&mut self, at: SystemTime, side: Side, octets: &[u8]);
    /// `side` will send no more.
    fn closed(&mut self, at: SystemTime, side: Side, how: Closing);
}

/// How a side ends its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// In good order (TCP: FIN); the other direction may go on.
    End,
    /// At once, both directions (TCP: RST).
    Reset,
}
