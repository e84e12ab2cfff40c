//! Sockets, made and connected before a conversation begins: these calls wait.

mod pass;
mod settings;
mod unix;

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::limits;
use crate::reactor::relay::wait;
use crate::wire::services::Transport;

pub use self::pass::pass_descriptor;
pub use self::settings::{Route, Settings, Unset};
pub use self::unix::{TemporaryName, UnixKind, UnixName, dial_unix, listen_unix};

/// What carries octets over IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// DCCP (RFC 4340), which kernels have no more since Linux 6.16: then making the socket fails.
    Dccp,
}

impl From<Transport> for Carrier {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Tcp => Self::Tcp,
            Transport::Udp => Self::Udp,
        }
    }
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

/// Connects to `to`, from `source` if it is given, for at most `patience`; the kernel's own where that is `None`.
///
/// The socket does not block.
pub fn dial(
    to: SocketAddr,
    carrier: impl Into<Carrier>,
    source: Option<SocketAddr>,
    patience: Option<Duration>,
    settings: &Settings,
) -> Result<Socket, DialError> {
    dial_seen(to, carrier.into(), source, patience, settings, &mut |_| {})
}

/// The same; `called` is shown the socket as soon as the call is made, whatever comes of it.
///
/// # Errors
/// As there.
pub fn dial_seen(
    to: SocketAddr,
    carrier: Carrier,
    source: Option<SocketAddr>,
    patience: Option<Duration>,
    settings: &Settings,
    called: &mut dyn FnMut(&Socket),
) -> Result<Socket, DialError> {
    let socket = open(to, carrier, source, settings)?;
    let until = patience.map(|patience| Instant::now() + patience);
    let result = socket.connect(&to.into());
    called(&socket);
    match result {
        Ok(()) => return Ok(socket),
        // A signal does not end it either.
        Err(error) if is_under_way(&error) => {}
        Err(error) => return Err(DialError::Failed(error)),
    }
    match wait(socket.as_fd(), PollFlags::OUT, until) {
        Ok(true) => {}
        Ok(false) => return Err(DialError::TimedOut),
        Err(error) => return Err(DialError::Failed(error)),
    }
    match socket.take_error() {
        Ok(None) => Ok(socket),
        Ok(Some(error)) | Err(error) => Err(DialError::Failed(error)),
    }
}

/// A socket that does not block, bound to `source`, ready to call `to`.
pub(super) fn open(
    to: SocketAddr,
    carrier: Carrier,
    source: Option<SocketAddr>,
    settings: &Settings,
) -> Result<Socket, DialError> {
    let socket = new(to, carrier, settings).map_err(DialError::Failed)?;
    if let Some(source) = source {
        // As the kernel itself would choose a port, although others of ours linger in TIME_WAIT.
        socket.set_reuse_address(true).map_err(DialError::Bind)?;
        socket.bind(&source.into()).map_err(DialError::Bind)?;
    }
    Ok(socket)
}

/// Whether connect(2) has begun what an event will tell the end of.
pub(super) fn is_under_way(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    [Errno::INPROGRESS, Errno::ALREADY, Errno::INTR]
        .into_iter()
        .any(|errno| code == Some(errno.raw_os_error()))
}

/// Listens at `at`; accepting blocks. A datagram socket is bound only.
pub fn listen(
    at: SocketAddr,
    carrier: impl Into<Carrier>,
    callers: Callers,
    settings: &Settings,
) -> io::Result<Socket> {
    let carrier = carrier.into();
    let socket = new(at, carrier, settings)?;
    socket.set_nonblocking(false)?;
    socket.set_reuse_address(true)?;
    socket.bind(&at.into())?;
    if carrier != Carrier::Udp {
        socket.listen(callers.backlog())?;
    }
    Ok(socket)
}

impl Callers {
    const fn backlog(self) -> i32 {
        match self {
            Self::One => limits::RELAY_BACKLOG,
            Self::All => limits::BACKLOG,
        }
    }
}

/// Whether somebody calls a listener within `patience`.
pub fn is_called(listener: &Socket, patience: Duration) -> io::Result<bool> {
    wait(
        listener.as_fd(),
        PollFlags::IN,
        Some(Instant::now() + patience),
    )
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

/// The same as ncat does it: with one octet NUL, and for `patience`, or until there is an answer. How many octets that has;
/// `None` when nobody is there.
///
/// # Errors
/// The socket cannot be waited for.
pub fn knock(socket: &Socket, patience: Duration) -> io::Result<Option<usize>> {
    let until = Instant::now() + patience;
    if socket.send(&[0]).is_err() {
        return Ok(None);
    }
    if !wait(socket.as_fd(), PollFlags::IN, Some(until))? {
        return Ok(Some(0));
    }
    let mut answer = [MaybeUninit::uninit(); limits::RELAY_DATAGRAM];
    Ok(socket.recv(&mut answer).ok())
}

fn new(address: SocketAddr, carrier: Carrier, settings: &Settings) -> io::Result<Socket> {
    let (kind, protocol) = match carrier {
        Carrier::Tcp => (Type::STREAM, Protocol::TCP),
        Carrier::Udp => (Type::DGRAM, Protocol::UDP),
        Carrier::Dccp => (Type::DCCP, Protocol::DCCP),
    };
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, kind.nonblocking(), Some(protocol))?;
    settings.apply(&socket, address)?;
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
            &Settings::default(),
        )
        .unwrap();
        let at = listener.local_addr().unwrap().as_socket().unwrap();
        let source = Some(([127, 0, 0, 2], 0).into());
        let settings = Settings {
            receive_buffer: Some(40_000),
            send_buffer: Some(40_000),
            ttl: Some(7),
            tos: Some(0x10),
            keepalive: true,
            ..Settings::default()
        };
        let patience = Some(Duration::from_secs(1));
        let caller = dial(at, Transport::Tcp, source, patience, &settings).unwrap();
        let (_, from) = accept(&listener).unwrap();
        assert_eq!(from.as_socket(), caller.local_addr().unwrap().as_socket());
        assert_eq!(from.as_socket().unwrap().ip().to_string(), "127.0.0.2");
        assert_eq!(caller.ttl_v4().unwrap(), 7);
        assert_eq!(caller.tos_v4().unwrap(), 0x10);
        assert!(caller.keepalive().unwrap());
    }

    #[test]
    fn a_refusal_is_told_from_an_address_that_cannot_be_had() {
        let free = listen(
            loopback(0),
            Transport::Tcp,
            Callers::One,
            &Settings::default(),
        )
        .unwrap();
        let port = free.local_addr().unwrap().as_socket().unwrap();
        drop(free);
        let refused = dial(port, Transport::Tcp, None, None, &Settings::default());
        assert!(
            matches!(&refused, Err(DialError::Failed(error)) if error.kind() == io::ErrorKind::ConnectionRefused),
            "{refused:?}"
        );
        let elsewhere = Some(([192, 0, 2, 1], 0).into());
        let unbound = dial(port, Transport::Tcp, elsewhere, None, &Settings::default());
        assert!(matches!(unbound, Err(DialError::Bind(_))), "{unbound:?}");
    }

    #[test]
    fn a_udp_port_is_probed() {
        let open = listen(
            loopback(0),
            Transport::Udp,
            Callers::One,
            &Settings::default(),
        )
        .unwrap();
        let at = open.local_addr().unwrap().as_socket().unwrap();
        let caller = dial(at, Transport::Udp, None, None, &Settings::default()).unwrap();
        assert!(probe(&caller, Duration::ZERO));
        assert_eq!(knock(&caller, Duration::ZERO).unwrap(), Some(0));
        let sender = first_sender(&open).unwrap();
        assert_eq!(sender.as_socket(), caller.local_addr().unwrap().as_socket());
        drop(open);
        let caller = dial(at, Transport::Udp, None, None, &Settings::default()).unwrap();
        assert!(!probe(&caller, Duration::from_secs(1)));
        let caller = dial(at, Transport::Udp, None, None, &Settings::default()).unwrap();
        let found = knock(&caller, Duration::from_secs(10)).unwrap();
        assert_eq!(found, None);
    }
}
