//! Sockets that block while they are made: what a program with one conversation needs before its relay begins.

use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::limits;
use crate::wire::services::Transport;

/// What the user wants of a socket.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// SO_BROADCAST, if true.
    pub broadcast: bool,
    /// SO_RCVBUF, in octets.
    pub receive_buffer: Option<usize>,
    /// SO_SNDBUF, in octets.
    pub send_buffer: Option<usize>,
    /// Hops that a packet may take.
    pub ttl: Option<u32>,
}

/// Why [`dial`] failed.
#[derive(Debug)]
pub enum DialError {
    /// The address that the user wants to call from cannot be had.
    Bind(io::Error),
    /// The peer refused, or cannot be reached.
    Failed(io::Error),
    /// Nothing was heard within the time.
    TimedOut,
}

/// How many callers may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callers {
    /// One is served, then it is over.
    One,
    /// All of them will be.
    All,
}

/// Connects to `to`, from `source` if it is given, for at most `patience`.
pub fn dial(
    to: SocketAddr,
    transport: Transport,
    source: Option<SocketAddr>,
    patience: Option<Duration>,
    settings: Settings,
) -> Result<Socket, DialError> {
    let socket = new(to, transport, settings).map_err(DialError::Failed)?;
    if let Some(source) = source {
        // As the kernel itself would choose a port, although others of ours linger in TIME_WAIT.
        socket.set_reuse_address(true).map_err(DialError::Bind)?;
        socket.bind(&source.into()).map_err(DialError::Bind)?;
    }
    // With a time-out even where none is wanted: then a signal does not end it. The kernel's patience is shorter.
    let patience = patience.filter(|patience| !patience.is_zero());
    let result = socket.connect_timeout(&to.into(), patience.unwrap_or(Duration::MAX));
    match result {
        Ok(()) => Ok(socket),
        // The kernel's own patience is an error number, ours is not.
        Err(error) if error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none() => {
            Err(DialError::TimedOut)
        }
        Err(error) => Err(DialError::Failed(error)),
    }
}

/// Listens at `at`. A datagram socket is bound only.
pub fn listen(
    at: SocketAddr,
    transport: Transport,
    callers: Callers,
    settings: Settings,
) -> io::Result<Socket> {
    let socket = new(at, transport, settings)?;
    socket.set_reuse_address(true)?;
    socket.bind(&at.into())?;
    if transport == Transport::Tcp {
        socket.listen(match callers {
            Callers::One => limits::RELAY_BACKLOG,
            Callers::All => limits::BACKLOG,
        })?;
    }
    Ok(socket)
}

/// The next caller of a stream listener.
pub fn accept(listener: &Socket) -> io::Result<(Socket, SockAddr)> {
    loop {
        match uninterrupted(|| listener.accept()) {
            // A caller who gave up while it waited is nobody's error.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            result => return result,
        }
    }
}

/// Waits for a datagram, leaves it where it is, and tells who sent it.
pub fn first_sender(socket: &Socket) -> io::Result<SockAddr> {
    uninterrupted(|| socket.peek_sender())
}

/// Whether anybody may listen at the other end of this datagram socket: nobody does when a datagram is refused within
/// `patience`. One octet a second is sent, as OpenBSD's nc does.
pub fn probe(socket: &Socket, patience: Duration) -> bool {
    let send = || socket.send(b"X").is_ok();
    // On the loopback the first one's refusal is there when the second one is sent.
    if !send() || !send() {
        return false;
    }
    for _ in 0..patience.as_secs() {
        thread::sleep(Duration::from_secs(1));
        if !send() {
            return false;
        }
    }
    true
}

fn new(address: SocketAddr, transport: Transport, settings: Settings) -> io::Result<Socket> {
    let (kind, protocol) = match transport {
        Transport::Tcp => (Type::STREAM, Protocol::TCP),
        Transport::Udp => (Type::DGRAM, Protocol::UDP),
    };
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if settings.broadcast {
        socket.set_broadcast(true)?;
    }
    if let Some(octets) = settings.receive_buffer {
        socket.set_recv_buffer_size(octets)?;
    }
    if let Some(octets) = settings.send_buffer {
        socket.set_send_buffer_size(octets)?;
    }
    if let Some(ttl) = settings.ttl {
        match address {
            SocketAddr::V4(_) => socket.set_ttl_v4(ttl)?,
            SocketAddr::V6(_) => socket.set_unicast_hops_v6(ttl)?,
        }
    }
    Ok(socket)
}

fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    #[test]
    fn a_call_is_answered_from_where_it_was_wanted() {
        let listener = listen(
            loopback(0),
            Transport::Tcp,
            Callers::One,
            Settings::default(),
        )
        .unwrap();
        let at = listener.local_addr().unwrap().as_socket().unwrap();
        let source = Some(([127, 0, 0, 2], 0).into());
        let settings = Settings {
            receive_buffer: Some(40_000),
            send_buffer: Some(40_000),
            ttl: Some(7),
            broadcast: false,
        };
        let patience = Some(Duration::from_secs(1));
        let caller = dial(at, Transport::Tcp, source, patience, settings).unwrap();
        let (_, from) = accept(&listener).unwrap();
        assert_eq!(from.as_socket(), caller.local_addr().unwrap().as_socket());
        assert_eq!(from.as_socket().unwrap().ip().to_string(), "127.0.0.2");
        assert_eq!(caller.ttl_v4().unwrap(), 7);
    }

    #[test]
    fn a_refusal_is_told_from_an_address_that_cannot_be_had() {
        let free = listen(
            loopback(0),
            Transport::Tcp,
            Callers::One,
            Settings::default(),
        )
        .unwrap();
        let port = free.local_addr().unwrap().as_socket().unwrap();
        drop(free);
        let refused = dial(port, Transport::Tcp, None, None, Settings::default());
        assert!(
            matches!(&refused, Err(DialError::Failed(error)) if error.kind() == io::ErrorKind::ConnectionRefused),
            "{refused:?}"
        );
        let elsewhere = Some(([192, 0, 2, 1], 0).into());
        let unbound = dial(port, Transport::Tcp, elsewhere, None, Settings::default());
        assert!(matches!(unbound, Err(DialError::Bind(_))), "{unbound:?}");
    }

    #[test]
    fn a_udp_port_is_probed() {
        let open = listen(
            loopback(0),
            Transport::Udp,
            Callers::One,
            Settings::default(),
        )
        .unwrap();
        let at = open.local_addr().unwrap().as_socket().unwrap();
        let caller = dial(at, Transport::Udp, None, None, Settings::default()).unwrap();
        assert!(probe(&caller, Duration::ZERO));
        let sender = first_sender(&open).unwrap();
        assert_eq!(sender.as_socket(), caller.local_addr().unwrap().as_socket());
        drop(open);
        let caller = dial(at, Transport::Udp, None, None, Settings::default()).unwrap();
        assert!(!probe(&caller, Duration::from_secs(1)));
    }
}
