//! A client: connects, and drives one session until it ends.
//!
//! The same connections as in the server, in a loop of their own that blocks the caller. It closes as politely: what was
//! said is sent, then close_notify and the end of our stream, and the server's end is waited for, for a bounded time. So
//! nothing is lost to RST.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use mio::{Events, Interest, Poll, Token, Waker};

use super::Security;
use super::conn::{Conn, Next, Scratch};
use super::outgoing::Place;
use super::reach::{Reached, Way, reach};
use super::socket::Socket;
use super::tls::{ClientTls, Connector, TlsError};
use super::trouble::{Trouble, reason};
use crate::limits;
use crate::proto::{Out, Session};
use crate::tap::{Side, Tap, Wire};

/// Where to connect to, and whom to believe there.
#[derive(Clone, Debug)]
pub struct Target {
    /// The host as the user named it: the certificate must be for it.
    pub host: String,
    /// Tried in this order until one answers.
    pub addresses: Vec<SocketAddr>,
    /// How the connection begins; STARTTLS is the session's wish.
    pub security: Security,
    /// Whose certificates are good, and all else about TLS.
    pub tls: ClientTls,
    /// How long to wait for each address.
    pub connect_timeout: Duration,
    /// How long the server may take nothing of what it is sent, or leave TLS unfinished; the latter is bounded by
    /// [`limits::TLS_HANDSHAKE`] too. What it has to say, sessions wait for themselves.
    pub patience: Duration,
    /// Where it is not the straight one.
    pub way: Way,
}

impl Target {
    /// A target with the usual trust and patience.
    pub fn new(host: impl Into<String>, addresses: Vec<SocketAddr>, security: Security) -> Self {
        Self {
            host: host.into(),
            addresses,
            security,
            tls: ClientTls::default(),
            connect_timeout: limits::CONNECT,
            patience: limits::SEND_STALL,
            way: Way::default(),
        }
    }
}

/// Who watches a conversation.
#[derive(Default)]
pub struct Observers {
    /// Sees what is said.
    pub tap: Option<Box<dyn Tap>>,
    /// Makes what sees the octets on the socket, once it is connected.
    pub wire: Option<Box<WireOf>>,
    /// Is given, once it is connected, what tells the session that something [has changed](crate::proto::Input::Changed).
    pub feed: Option<Box<Feed>>,
}

/// Begins to feed a session, which it wakes.
pub type Feed = dyn FnOnce(Bell);

/// Wakes a session, from any thread.
pub type Bell = Box<dyn Fn() + Send>;

/// Makes the wire of a connection from our address to the server's.
pub type WireOf = dyn FnMut(SocketAddr, SocketAddr) -> Box<dyn Wire>;

/// Why a conversation did not come to its end. That the host has no address is the [resolver](super::resolver)'s to say; that the server closed too early is told to the session instead
/// ([`Input::Eof`](crate::proto::Input)), which knows what it still expected.
#[derive(Debug)]
pub enum ClientError {
    /// No address took the connection.
    Connect {
        /// The host.
        host: String,
        /// What was tried, and what came of it.
        attempts: Vec<(Place, io::Error)>,
    },
    /// A proxy does not connect us.
    Proxy {
        /// Which.
        proxy: String,
        /// In its words.
        why: String,
    },
    /// TLS could not be agreed on, or broke.
    Tls {
        /// The host.
        host: String,
        /// The address that had answered.
        place: Place,
        /// What was wrong.
        source: TlsError,
    },
    /// The connection was lost.
    Lost {
        /// The host.
        host: String,
        /// The address that had answered.
        place: Place,
        /// How.
        source: io::Error,
    },
    /// The server took too long.
    Timeout {
        /// The host.
        host: String,
        /// The address that had answered.
        place: Place,
        /// For what.
        what: &'static str,
    },
    /// This machine could not do it.
    System(io::Error),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect { host, attempts } => {
                write!(f, "cannot connect to {host}")?;
                if attempts.is_empty() {
                    f.write_str(": it has no address of the kind that was asked for")?;
                }
                for (index, (place, error)) in attempts.iter().enumerate() {
                    let before = if index == 0 { ": " } else { "; " };
                    write!(f, "{before}{place}: {}", connect_fault(error))?;
                }
                Ok(())
            }
            Self::Proxy { proxy, why } => write!(f, "{proxy} does not connect us: {why}"),
            Self::Tls {
                host,
                place,
                source,
            } => write!(f, "no TLS with {}: {source}", at(host, place)),
            Self::Lost {
                host,
                place,
                source,
            } => write!(f, "lost the connection to {}: {source}", at(host, place)),
            Self::Timeout { host, place, what } => {
                write!(f, "{} took too long for {what}", at(host, place))
            }
            Self::System(error) => write!(f, "cannot use the network: {error}"),
        }
    }
}

impl std::error::Error for ClientError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Lost { source, .. } | Self::System(source) => Some(source),
            Self::Tls { source, .. } => Some(source),
            Self::Connect { .. } | Self::Proxy { .. } | Self::Timeout { .. } => None,
        }
    }
}

/// Connects to `target`, and drives `session` until it has closed, or the server has and all of that was told to it.
///
/// # Errors
/// See [`ClientError`]; whether the dialogue itself went well is the session's to say.
pub fn converse(
    target: &Target,
    session: &mut dyn Session,
    observers: Observers,
) -> Result<(), ClientError> {
    let Reached {
        socket,
        place,
        left_over,
        wire,
    } = reach(target, observers.wire)?;
    let poll = Poll::new().map_err(ClientError::System)?;
    let mut socket = match place {
        Place::Tcp(_) => Socket::Tcp(TcpStream::from_std(socket.into())),
        Place::Unix(_) => Socket::Unix(UnixStream::from_std(socket.into())),
    };
    let wanted = Interest::READABLE | Interest::WRITABLE;
    socket
        .register(poll.registry(), Token(0), wanted)
        .map_err(ClientError::System)?;
    let now = Instant::now();
    let out = Out::new(Side::Client, now, observers.tap);
    let mut conn = Conn::new(socket, Side::Client, out, now);
    if let Some(wire) = wire {
        conn.watch(wire);
    }
    if !left_over.is_empty() {
        conn.heard_before(&left_over);
    }
    conn.set_stall(target.patience);
    let mut client = Client {
        target,
        poll,
        conn,
        connector: None,
        waker: None,
    };
    if target.security == Security::Implicit {
        client.start_tls(now);
    }
    if let Some(feed) = observers.feed {
        let waker = Waker::new(client.poll.registry(), BELL).map_err(ClientError::System)?;
        let waker = Arc::new(waker);
        client.waker = Some(Arc::clone(&waker));
        // What cannot be woken ends with its connection.
        feed(Box::new(move || drop(waker.wake())));
    }
    let trouble = client.drive(session).map_err(ClientError::System)?;
    trouble.map_or(Ok(()), |trouble| Err(explain(trouble, target, place)))
}

/// Whether the server has been in time so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    Left,
    Over,
}

struct Client<'a> {
    target: &'a Target,
    poll: Poll,
    conn: Conn,
    /// Made when TLS is first wanted: reading all authorities takes a while.
    connector: Option<Connector>,
    /// Kept, for what it has rung is forgotten when it goes, as with who rings it last and ends.
    waker: Option<Arc<Waker>>,
}

impl Client<'_> {
    fn drive(&mut self, session: &mut dyn Session) -> io::Result<Option<Trouble>> {
        let mut scratch = Scratch::new();
        let mut events = Events::with_capacity(8);
        let mut patience = Patience::Left;
        let mut shaking = None;
        loop {
            let now = Instant::now();
            let next = self.conn.turn(Some(&mut *session), now, &mut scratch);
            if self.conn.take_job().is_some() {
                // Clients have no store, so their sessions ask for no jobs.
                self.conn.answer(None);
            }
            match next {
                Next::Gone => return Ok(self.conn.take_trouble()),
                Next::StartTls => {
                    self.start_tls(now);
                    continue;
                }
                // Who had no time to answer is given none to say goodbye.
                Next::Wait if patience == Patience::Over && self.conn.is_lingering() => {
                    return Ok(self.conn.take_trouble());
                }
                // Servers alone wait for the header of a load balancer.
                Next::Again | Next::Wait | Next::Headed(_) => {}
            }
            let late = match self.conn.is_shaking() {
                true => Some(*shaking.get_or_insert(now) + self.target.patience),
                false => {
                    shaking = None;
                    None
                }
            };
            let due = self.conn.due(Some(&*session));
            let due = late.map_or(due, |late| Some(due.map_or(late, |due| due.min(late))));
            if due.is_some_and(|due| due <= now) {
                patience = Patience::Over;
                self.conn.expire(Some(&mut *session), now);
                continue;
            }
            let wait = match next {
                Next::Again => Some(Duration::ZERO),
                _ => due.map(|due| due - now),
            };
            wait_for(&mut self.poll, &mut events, wait)?;
            for event in &events {
                match event.token() {
                    BELL => self.conn.changed(),
                    _ => self.conn.ready(event),
                }
            }
        }
    }

    fn start_tls(&mut self, now: Instant) {
        let host = &self.target.host;
        let connector = match self.connector.take() {
            Some(connector) => Ok(connector),
            None => Connector::with(&self.target.tls),
        };
        match connector.and_then(|connector| connector.connect(host)) {
            Ok(tls) => self.conn.start_tls(tls, now),
            Err(error) => self.conn.refuse_tls(error),
        }
    }
}

/// Of what wakes the session; the socket has another one.
const BELL: Token = Token(1);

fn wait_for(poll: &mut Poll, events: &mut Events, wait: Option<Duration>) -> io::Result<()> {
    match poll.poll(events, wait) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        result => result,
    }
}

fn explain(trouble: Trouble, target: &Target, place: Place) -> ClientError {
    let host = target.host.clone();
    match trouble {
        Trouble::Io(source) => ClientError::Lost {
            host,
            place,
            source,
        },
        Trouble::Tls(source) => ClientError::Tls {
            host,
            place,
            source,
        },
        Trouble::Late(what) => ClientError::Timeout { host, place, what },
        trouble @ (Trouble::LostInHandshake | Trouble::Injection(_)) => ClientError::Tls {
            host,
            place,
            source: TlsError::Broken(trouble.to_string()),
        },
        trouble @ (Trouble::Header(_)
        | Trouble::Damaged
        | Trouble::Shortened
        | Trouble::NoAnswer) => ClientError::Lost {
            host,
            place,
            source: io::Error::other(trouble.to_string()),
        },
    }
}

/// `mail.example.org (192.0.2.1 port 25)`
fn at(host: &str, place: &Place) -> String {
    match place {
        Place::Tcp(address) if host == address.ip().to_string() => place.to_string(),
        Place::Tcp(_) => format!("{host} ({place})"),
        Place::Unix(_) => place.to_string(),
    }
}

fn connect_fault(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "connection refused: nothing listens there; is the server running, is the port right?"
                .to_owned()
        }
        io::ErrorKind::TimedOut => {
            "no answer in time; a firewall may be in the way, or the host is down".to_owned()
        }
        _ => reason(error),
    }
}
