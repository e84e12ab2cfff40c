//! Reaching a server: by its addresses or a UNIX socket, from an address of ours, through proxies, with the header of a load balancer
//! before anything else. It blocks the caller, for clients with one conversation.

use std::fmt;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::SystemTime;

use socket2::Socket;

use super::client::{ClientError, Target, WireOf};
use super::outgoing::Place;
use super::prelude::{Spoken, Unspoken, speak};
use super::sockets::{Carrier, DialError, Settings, UnixKind, UnixName, dial, dial_unix};
use crate::proto::prelude::{Prelude, PreludeError};
use crate::proto::proxy::client::{HttpConnect, Socks4, Socks5};
use crate::proto::proxy::{Destination, Host, Login};
use crate::tap::{Side, Wire};
use crate::wire::proxy_header::{self, Ends, ProxyHeader, Version};

/// The way to a server, where it is not the straight one.
#[derive(Clone, Debug, Default)]
pub struct Way {
    /// The UNIX socket to call in place of an address.
    pub socket: Option<UnixName>,
    /// From which of our addresses to call.
    pub source: Option<IpAddr>,
    /// Through whom: then the addresses are the first one's.
    pub proxies: Vec<Via>,
    /// The port of the server, which the last proxy is told.
    pub port: u16,
    /// Whose connection it is to be, told before anything else.
    pub header: Option<Header>,
}

/// A proxy to go through.
#[derive(Clone, Debug)]
pub struct Via {
    /// What it speaks.
    pub kind: ViaKind,
    /// Its name or address.
    pub host: String,
    /// Where it listens.
    pub port: u16,
    /// Who we are to it.
    pub login: Option<Login>,
    /// Random octets, for its Digest.
    pub nonce: [u8; 16],
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViaKind {
    /// SOCKS 4, and 4a for names.
    Socks4,
    /// SOCKS 5 (RFC 1928).
    Socks5,
    /// HTTP's CONNECT.
    Http,
}

/// The header of a load balancer, as we write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// In which form.
    pub version: Version,
    /// Who the client is; `None` for ourselves.
    pub source: Option<SocketAddr>,
    /// What it connected to; `None` for what we do.
    pub destination: Option<SocketAddr>,
}

/// A connection that stands.
pub struct Reached {
    /// It does not block.
    pub socket: Socket,
    /// Whom it is to.
    pub place: Place,
    /// Octets that came behind what a proxy said: the server's.
    pub left_over: Vec<u8>,
    /// Who watches it.
    pub wire: Option<Box<dyn Wire>>,
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy {} port {}", self.host, self.port)
    }
}

/// Connects to `target`; `wire_of` makes who watches.
///
/// # Errors
/// See [`ClientError`].
pub fn reach(target: &Target, mut wire_of: Option<Box<WireOf>>) -> Result<Reached, ClientError> {
    let mut preludes = preludes(target)?;
    // A proxy may want it said anew, on a new connection: each of them once.
    for _ in 0..=preludes.len() {
        let (socket, place) = call(target)?;
        let mut reached = Reached {
            wire: match &mut wire_of {
                Some(wire_of) => Some(wire_of(ours(&socket), theirs(&place))),
                None => None,
            },
            socket,
            place,
            left_over: Vec::new(),
        };
        if go_through(target, &mut reached, &mut preludes)? {
            introduce(target, &mut reached)?;
            reached
                .socket
                .set_nonblocking(true)
                .map_err(ClientError::System)?;
            return Ok(reached);
        }
    }
    Err(refused(
        target,
        0,
        &PreludeError::new("it wants the connection begun anew again and again"),
    ))
}

/// What is to be said to each proxy, in this order.
fn preludes(target: &Target) -> Result<Vec<Box<dyn Prelude>>, ClientError> {
    let way = &target.way;
    let behind = way.proxies.iter().skip(1);
    let behind = behind.map(|via| (via.host.as_str(), via.port));
    let targets = behind.chain([(target.host.as_str(), way.port)]);
    let mut preludes: Vec<Box<dyn Prelude>> = Vec::new();
    for (at, (via, (host, port))) in way.proxies.iter().zip(targets).enumerate() {
        let host = Host::parse(host).unwrap_or_else(|| Host::Name(host.to_owned()));
        let destination = Destination { host, port };
        let login = via.login.clone();
        let refused = |error: PreludeError| refused(target, at, &error);
        preludes.push(match via.kind {
            ViaKind::Socks4 => {
                let user = login.map_or_else(String::new, |login| login.user);
                Box::new(Socks4::new(destination, &user).map_err(refused)?)
            }
            ViaKind::Socks5 => Box::new(Socks5::new(destination, login).map_err(refused)?),
            ViaKind::Http => {
                Box::new(HttpConnect::new(destination, login, via.nonce).map_err(refused)?)
            }
        });
    }
    Ok(preludes)
}

/// The first place that answers.
fn call(target: &Target) -> Result<(Socket, Place), ClientError> {
    let way = &target.way;
    let patience = Some(target.connect_timeout);
    let mut attempts = Vec::new();
    if let Some(name) = &way.socket {
        let place = match name {
            UnixName::Path(path) => Place::Unix(path.clone()),
            UnixName::Abstract(_) => Place::Unix(name.to_string().into()),
        };
        match dial_unix(name, UnixKind::Stream, None, patience, |_| {}) {
            Ok((socket, _)) => return Ok((socket, place)),
            Err(error) => attempts.push((place, fault(error))),
        }
    } else {
        for &address in &target.addresses {
            let source = way.source.map(|ip| SocketAddr::new(ip, 0));
            let place = Place::Tcp(address);
            match dial(
                address,
                Carrier::Tcp,
                source,
                patience,
                &Settings::default(),
            ) {
                Ok(socket) => {
                    // What is said is gathered here already; to wait for more would only be late.
                    socket.set_tcp_nodelay(true).ok();
                    return Ok((socket, place));
                }
                Err(error) => attempts.push((place, fault(error))),
            }
        }
    }
    let host = way.proxies.first();
    Err(ClientError::Connect {
        host: host.map_or_else(|| target.host.clone(), ToString::to_string),
        attempts,
    })
}

fn fault(error: DialError) -> io::Error {
    match error {
        DialError::TimedOut => io::ErrorKind::TimedOut.into(),
        DialError::Failed(error) => error,
        DialError::Bind(error) => io::Error::new(
            error.kind(),
            format!("the address to call from cannot be had: {error}"),
        ),
    }
}

/// Speaks to the proxies; whether all of them have connected us.
fn go_through(
    target: &Target,
    reached: &mut Reached,
    preludes: &mut [Box<dyn Prelude>],
) -> Result<bool, ClientError> {
    for (at, prelude) in preludes.iter_mut().enumerate() {
        let first = std::mem::take(&mut reached.left_over);
        let patience = Some(target.patience);
        let wire = reached.wire.as_deref_mut();
        match speak(&reached.socket, prelude.as_mut(), first, patience, wire) {
            Ok(Spoken::Done(octets)) => reached.left_over = octets,
            Ok(Spoken::Again) => return Ok(false),
            Err(Unspoken::Refused(error)) => return Err(refused(target, at, &error)),
            Err(Unspoken::TimedOut) => {
                let silent = PreludeError::new("it says nothing; is it a proxy of this kind?");
                return Err(refused(target, at, &silent));
            }
            Err(Unspoken::Io(source)) => return Err(lost(target, &reached.place, source)),
        }
    }
    Ok(true)
}

/// Tells whose connection it is.
fn introduce(target: &Target, reached: &mut Reached) -> Result<(), ClientError> {
    let Some(header) = &target.way.header else {
        return Ok(());
    };
    let (ours, theirs) = (ours(&reached.socket), theirs(&reached.place));
    let octets = proxy_header::write(
        header.version,
        ProxyHeader {
            ends: Some(Ends {
                source: header.source.unwrap_or(ours),
                destination: header.destination.unwrap_or(theirs),
            }),
        },
    );
    let sent = reached
        .socket
        .set_nonblocking(false)
        .and_then(|()| (&reached.socket).write_all(&octets));
    sent.map_err(|source| lost(target, &reached.place, source))?;
    if let Some(wire) = &mut reached.wire {
        wire.crossed(SystemTime::now(), Side::Client, &octets);
    }
    Ok(())
}

fn refused(target: &Target, at: usize, error: &PreludeError) -> ClientError {
    let via = target.way.proxies.get(at);
    let login = if error.wants_login() {
        "; --proxy-auth USER:PASSWORD, or MAILTOOL_PROXY_AUTH, says who we are"
    } else {
        ""
    };
    ClientError::Proxy {
        proxy: via.map_or_else(String::new, ToString::to_string),
        why: format!("{error}{login}"),
    }
}

fn lost(target: &Target, place: &Place, source: io::Error) -> ClientError {
    ClientError::Lost {
        host: target.host.clone(),
        place: place.clone(),
        source,
    }
}

/// A UNIX socket has no addresses that a capture could show.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

fn ours(socket: &Socket) -> SocketAddr {
    let address = socket.local_addr().ok();
    address
        .and_then(|address| address.as_socket())
        .unwrap_or(NOWHERE)
}

const fn theirs(place: &Place) -> SocketAddr {
    match place {
        Place::Tcp(address) => *address,
        Place::Unix(_) => NOWHERE,
    }
}
