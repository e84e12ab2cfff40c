//! Observers of a connection: they see what was said in both directions, and when; they change nothing.

pub mod transcript;

use std::time::Instant;

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The side that connected.
    Client,
    /// The side that was connected to.
    Server,
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
    /// This side closed.
    Closed,
}

/// An observer. It must not block for long: it is called in the event loop.
pub trait Tap {
    /// `side` said `piece` at `now`.
    fn saw(&mut self, now: Instant, side: Side, piece: Piece<'_>);
}
