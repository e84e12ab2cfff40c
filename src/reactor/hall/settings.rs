//! What can be set about a hall, and what it tells of itself.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::limits;
use crate::proto::TlsInfo;
use crate::proto::raw::Options;
use crate::reactor::meter::Meter;
use crate::reactor::relay::{HandshakeError, Manner, Progress, Report};
use crate::reactor::tls::{Acceptor, TlsError};
use crate::wire::destination::Destination;

/// Somebody who has called.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Where from; `None` at a UNIX socket.
    pub remote: Option<SocketAddr>,
    /// Which of our addresses was called.
    pub local: Option<SocketAddr>,
    /// The number of the descriptor that ncat would have for it, by which chat knows it: the lowest that nobody has, behind the
    /// three of the user and one for each door.
    pub number: usize,
    /// Since when.
    pub since: Instant,
}

/// What can be set about a [`Hall`](super::Hall), whoever it is for.
pub struct Settings {
    /// Callers at the same time; more are turned away.
    pub at_most: usize,
    /// Who may come in. Callers at a UNIX socket are not asked for.
    pub admits: Box<dyn Fn(SocketAddr) -> bool>,
    /// For callers who must begin with TLS.
    pub tls: Option<Acceptor>,
    /// How long a caller may take until TLS stands, and to tell a proxy where to.
    pub patience: Duration,
    /// How long nothing may move.
    pub idle: Idle,
    /// How long a caller who holds up the others may take nothing.
    pub stall: Duration,
    /// What the ends of a program and of a destination mean; `idle` is of no account.
    pub options: Options,
    /// Is told once a second how far all of them are together.
    pub progress: Option<Box<dyn FnMut(Progress)>>,
    /// Shows the same, to whoever reads it.
    pub meter: Option<Meter>,
    /// How octets of a caller are changed and looked at. Where many hear the same, only `rate`, `telnet`, `tap` and `wire` count.
    pub manner: Box<dyn FnMut(&Caller) -> Manner>,
    /// Is told what happens.
    pub notes: Box<dyn Notes>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            at_most: limits::HALL_CALLERS,
            admits: Box::new(|_| true),
            tls: None,
            patience: limits::HALL_PATIENCE,
            idle: Idle::Never,
            stall: limits::HALL_STALL,
            options: Options::default(),
            progress: None,
            meter: None,
            manner: Box::new(|_| Manner::default()),
            notes: Box::new(()),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("at_most", &self.at_most)
            .field("patience", &self.patience)
            .field("idle", &self.idle)
            .field("stall", &self.stall)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// What it is to be idle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Idle {
    /// No matter.
    #[default]
    Never,
    /// A caller with whom nothing moves for so long is sent away.
    Caller(Duration),
    /// Once nothing happens at all for so long, it is over (ncat's -i).
    Everybody(Duration),
}

impl Idle {
    pub(super) const fn of_caller(self) -> Option<Duration> {
        match self {
            Self::Caller(idle) => Some(idle),
            Self::Never | Self::Everybody(_) => None,
        }
    }

    pub(super) const fn of_everybody(self) -> Option<Duration> {
        match self {
            Self::Everybody(idle) => Some(idle),
            Self::Never | Self::Caller(_) => None,
        }
    }
}

/// Is told what happens in a hall, to say it in the user's words. It must not block for long.
pub trait Notes {
    /// This has happened.
    fn note(&mut self, note: &Note<'_>);
}

/// Tells nobody.
impl Notes for () {
    fn note(&mut self, _: &Note<'_>) {}
}

/// What happens in a hall.
#[derive(Debug)]
#[non_exhaustive]
pub enum Note<'a> {
    /// Somebody called. What becomes of it is told next, if it is turned away.
    Called(&'a Caller),
    /// It may not come in.
    NotAllowed(&'a Caller),
    /// So many are here already.
    Full(&'a Caller, usize),
    /// TLS stands.
    Secured(&'a Caller, &'a TlsInfo),
    /// It does not.
    NotSecured(&'a Caller, &'a HandshakeError),
    /// TLS could not even begin: our own settings.
    NoTls(&'a Caller, &'a TlsError),
    /// The program could not be started.
    NoProgram(&'a Caller, &'a OsStr, &'a io::Error),
    /// A proxy has connected a caller to its destination, at this address.
    Joined(&'a Caller, &'a Destination, SocketAddr),
    /// A proxy has not, for this reason.
    NotJoined(&'a Caller, &'a str),
    /// It took nothing for too long while the others had to wait, and is dropped.
    TooSlow(&'a Caller),
    /// Something that neither side's end explains.
    Trouble(&'a Caller, &'a io::Error),
    /// It has left, or was made to.
    Left(&'a Caller, Report),
    /// There are no descriptors left, with so many callers here. Accepting goes on when there are.
    Exhausted(&'a io::Error, usize),
}
