//! Connections that the server opens: where to, how, and how they end.
//!
//! | phase | what is done | ends when |
//! |---|---|---|
//! | waiting | nothing: there are as many connections as may be | one of them ends |
//! | dialling | each place is tried in order, each for its time | one takes it; none is left: [`End::Unreachable`] |
//! | talking | as any connection of the loop | the session closes, or the peer does |

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::Security;
use super::tls::{Connector, TlsError};
use super::trouble::reason;
use crate::limits;
use crate::proto::Session;

/// A connection to be made.
pub struct Outgoing {
    /// Tried in this order until one takes it.
    pub places: Vec<Place>,
    /// How long each place may take.
    pub patience: Duration,
    /// How long it may take nothing of what it is sent.
    pub stall: Duration,
    /// The server's name: asked for (SNI), and the one that its certificate must be for. A host name, or an IP address.
    pub host: String,
    /// How it begins; STARTTLS is the session's wish.
    pub security: Security,
    /// Whom to believe. `None`: a session that wishes TLS ends the connection.
    pub tls: Option<Connector>,
    /// Who speaks. Dropped before [`Event::Ended`](super::driver::Event::Ended) is told.
    pub session: Box<dyn Session>,
}

impl Outgoing {
    /// In the clear at first, with the usual patience.
    pub fn new(host: impl Into<String>, places: Vec<Place>, session: Box<dyn Session>) -> Self {
        Self {
            places,
            patience: limits::CONNECT,
            stall: limits::SEND_STALL,
            host: host.into(),
            security: Security::Plain,
            tls: None,
            session,
        }
    }
}

/// Where somebody listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// TCP.
    Tcp(SocketAddr),
    /// A UNIX socket.
    Unix(PathBuf),
}

impl fmt::Display for Place {
    /// `192.0.2.1 port 25`, `/run/lmtp`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{} port {}", address.ip(), address.port()),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// How a connection ended. What was said on it is the session's to tell.
#[derive(Debug)]
pub enum End {
    /// It stood, and one of both closed it.
    Closed,
    /// No place took it: what was tried, and what came of each.
    Unreachable(Vec<(Place, io::Error)>),
    /// TLS could not be agreed on, or broke. A driver may call again, and stay in the clear.
    Tls(TlsError),
    /// It was lost: the network, or a peer that took nothing any more.
    Lost(io::Error),
    /// The program stops.
    Stopping,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed"),
            Self::Unreachable(attempts) if attempts.is_empty() => {
                f.write_str("there is no address to connect to")
            }
            Self::Unreachable(attempts) => {
                for (index, (place, error)) in attempts.iter().enumerate() {
                    let before = if index == 0 { "" } else { "; " };
                    write!(f, "{before}{place}: {}", reason(error))?;
                }
                Ok(())
            }
            Self::Tls(error) => write!(f, "no TLS: {error}"),
            Self::Lost(error) => write!(f, "the connection was lost: {}", reason(error)),
            Self::Stopping => f.write_str("the program stops"),
        }
    }
}
