//! The network's end of a conversation: a socket, and what lies between its octets and those that are relayed.

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, SendFlags, SocketAddrAny, recv, recvfrom, send, sendto};
use socket2::Socket;

use super::secure::Secure;
use crate::limits;
use crate::proto::TlsInfo;
use crate::reactor::tls::{Acceptor, Connector, TlsError};
use crate::reactor::watch::Watch;
use crate::sys;
use crate::tap::{Side, Wire};

/// The network's end of a conversation. It owns its socket, and makes it one that does not block.
pub struct Link {
    socket: Socket,
    medium: Medium,
    /// Octets that were received before, and came to nobody: they come out first.
    left_over: Vec<u8>,
    watch: Option<Watch>,
}

enum Medium {
    Stream,
    Tls(Box<Secure>),
    Datagrams,
    /// Who was heard last.
    Everybody(Option<SocketAddrAny>),
}

impl Medium {
    const fn is_stream(&self) -> bool {
        matches!(self, Self::Stream | Self::Tls(_))
    }
}

impl Link {
    /// A connected stream: TCP, UNIX ...
    ///
    /// # Errors
    /// The socket cannot be made one that does not block.
    pub fn stream(socket: Socket) -> io::Result<Self> {
        // Input comes in pieces that are worth sending: to wait for more would only be late. UNIX sockets do not know it.
        socket.set_tcp_nodelay(true).ok();
        Self::new(socket, Medium::Stream)
    }

    /// A connected datagram socket. It has no end, an empty datagram is not one, and a refusal ends the conversation.
    ///
    /// # Errors
    /// As [`Self::stream`].
    pub fn datagrams(socket: Socket) -> io::Result<Self> {
        Self::new(socket, Medium::Datagrams)
    }

    /// A datagram socket that hears everybody; what is sent goes to who was heard last.
    ///
    /// # Errors
    /// As [`Self::stream`].
    pub fn everybody(socket: Socket) -> io::Result<Self> {
        Self::new(socket, Medium::Everybody(None))
    }

    /// A connected stream on which we begin TLS with `host`.
    ///
    /// # Errors
    /// The name cannot be one of a certificate.
    pub fn tls_client(socket: Socket, connector: &Connector, host: &str) -> Result<Self, TlsError> {
        let tls = connector.connect(host)?;
        Self::secure(socket, Secure::new(tls))
    }

    /// A connected stream on which the peer begins TLS.
    ///
    /// # Errors
    /// The settings do not fit.
    pub fn tls_server(socket: Socket, acceptor: &Acceptor) -> Result<Self, TlsError> {
        let tls = acceptor.accept()?;
        Self::secure(socket, Secure::new(tls))
    }

    /// Octets that came before (behind a proxy's reply) and belong to what comes now.
    #[must_use]
    pub fn with_left_over(mut self, octets: Vec<u8>) -> Self {
        match &mut self.medium {
            Medium::Tls(secure) => secure.received_before(octets),
            _ => self.left_over = octets,
        }
        self
    }

    /// Octets that the peer has said already, in the clear, and that come out first.
    #[must_use]
    pub(in crate::reactor) fn with_heard(self, octets: Vec<u8>) -> Self {
        Self {
            left_over: octets,
            ..self
        }
    }

    /// Shows `wire` what crosses the socket from now on; `ours` is the side that we are.
    #[must_use]
    pub fn watched(mut self, wire: Box<dyn Wire>, ours: Side) -> Self {
        self.watch = Some(Watch::new(wire, ours));
        self
    }

    /// The socket.
    pub const fn socket(&self) -> &Socket {
        &self.socket
    }

    /// What TLS has agreed on, once it stands.
    pub fn tls(&self) -> Option<&TlsInfo> {
        match &self.medium {
            Medium::Tls(secure) => secure.info(),
            _ => None,
        }
    }

    /// Waits until TLS stands, for at most `patience`. Not needed: a relay does it too, but cannot tell of it before.
    ///
    /// # Errors
    /// See [`HandshakeError`].
    pub fn handshake(&mut self, patience: Option<Duration>) -> Result<(), HandshakeError> {
        let until = patience.map(|patience| Instant::now() + patience);
        let mut scratch = Vec::new();
        while self.shake_hands(&mut scratch)? == Handshake::Waits {
            let writing = match self.has_unsent() {
                true => PollFlags::OUT,
                false => PollFlags::empty(),
            };
            if !wait(self.socket.as_fd(), PollFlags::IN | writing, until)? {
                return Err(HandshakeError::TimedOut);
            }
        }
        Ok(())
    }

    /// Takes TLS, if there is any, as far as it goes without waiting.
    pub(in crate::reactor) fn shake_hands(
        &mut self,
        scratch: &mut Vec<u8>,
    ) -> Result<Handshake, HandshakeError> {
        while let Medium::Tls(secure) = &mut self.medium
            && secure.info().is_none()
        {
            match secure.shake_hands(&self.socket, self.watch.as_mut(), scratch) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Handshake::Waits);
                }
                Err(error) => return Err(HandshakeError::from(error)),
            }
        }
        Ok(Handshake::Over)
    }

    fn new(socket: Socket, medium: Medium) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            medium,
            left_over: Vec::new(),
            watch: None,
        })
    }

    fn secure(socket: Socket, secure: Secure) -> Result<Self, TlsError> {
        socket.set_tcp_nodelay(true).ok();
        Self::new(socket, Medium::Tls(Box::new(secure)))
            .map_err(|error| TlsError::Broken(error.to_string()))
    }

    pub(in crate::reactor) const fn is_stream(&self) -> bool {
        self.medium.is_stream()
    }

    pub(super) const fn is_everybody(&self) -> bool {
        matches!(self.medium, Medium::Everybody(_))
    }

    /// Whether what crosses the socket is what is relayed, and nobody else wants to see it.
    pub(super) const fn is_bare(&self) -> bool {
        matches!(self.medium, Medium::Stream) && self.watch.is_none()
    }

    /// Whether [`Self::receive`] may bring something although the socket has nothing.
    pub(in crate::reactor) fn holds_octets(&self) -> bool {
        let decrypted = match &self.medium {
            Medium::Tls(secure) => secure.holds_octets(),
            _ => false,
        };
        decrypted || !self.left_over.is_empty()
    }

    /// Whether anything can be sent at all: with TLS, after the handshake.
    pub(in crate::reactor) fn can_send(&self) -> bool {
        match &self.medium {
            Medium::Tls(secure) => secure.info().is_some(),
            _ => true,
        }
    }

    /// Whether octets that [`Self::send`] took are still here.
    pub(in crate::reactor) fn has_unsent(&self) -> bool {
        match &self.medium {
            Medium::Tls(secure) => secure.has_unsent(),
            _ => false,
        }
    }

    /// Appends what came to `room`, as far as its capacity goes; 0 is the end of a stream.
    pub(in crate::reactor) fn receive(
        &mut self,
        room: &mut Vec<u8>,
        scratch: &mut Vec<u8>,
    ) -> io::Result<usize> {
        if !self.left_over.is_empty() {
            let octets = self.left_over.len().min(room.capacity() - room.len());
            room.extend(self.left_over.drain(..octets));
            return Ok(octets);
        }
        let before = room.len();
        let spare = rustix::buffer::spare_capacity(room);
        let received = match &mut self.medium {
            Medium::Tls(secure) => {
                return secure.receive(&self.socket, self.watch.as_mut(), room, scratch);
            }
            Medium::Stream | Medium::Datagrams => {
                recv(&self.socket, spare, RecvFlags::DONTWAIT).map(|(octets, _)| octets)
            }
            Medium::Everybody(last) => {
                recvfrom(&self.socket, spare, RecvFlags::DONTWAIT).map(|(octets, _, from)| {
                    *last = from;
                    octets
                })
            }
        };
        let received = received.map_err(io::Error::from);
        if let Some(watch) = &mut self.watch
            && (self.medium.is_stream() || !matches!(received, Ok(0)))
        {
            watch.has_read(&received, &room[before..]);
            watch.settle();
        }
        received
    }

    /// Sends as much of `octets` as there is room for.
    pub(in crate::reactor) fn send(&mut self, octets: &[u8]) -> io::Result<usize> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let sent = match &mut self.medium {
            Medium::Tls(secure) => {
                return secure.send(&self.socket, self.watch.as_mut(), octets);
            }
            Medium::Stream | Medium::Datagrams => send(&self.socket, octets, flags),
            Medium::Everybody(Some(to)) => sendto(&self.socket, octets, flags, to),
            Medium::Everybody(None) => return Err(io::ErrorKind::WouldBlock.into()),
        };
        let sent = sent.map_err(io::Error::from);
        if let Some(watch) = &mut self.watch {
            watch.has_written(&sent, octets);
        }
        sent
    }

    /// Sends on what [`Self::has_unsent`].
    pub(in crate::reactor) fn flush(&mut self) -> io::Result<()> {
        match &mut self.medium {
            Medium::Tls(secure) => secure.flush(&self.socket, self.watch.as_mut()),
            _ => Ok(()),
        }
    }

    /// Tells the peer that no more will come.
    pub(in crate::reactor) fn half_close(&mut self) {
        match &mut self.medium {
            Medium::Stream => {
                // A connection that is gone needs no closing.
                let _ = self.socket.shutdown(Shutdown::Write);
                if let Some(watch) = &mut self.watch {
                    watch.has_shut_down();
                }
            }
            Medium::Tls(secure) => secure.half_close(&self.socket, self.watch.as_mut()),
            Medium::Datagrams | Medium::Everybody(_) => {}
        }
    }

    /// Reads what is there, and throws it away. What is left unread when a connection closes turns its FIN into RST, which may
    /// take from the peer what it has not read yet.
    pub(in crate::reactor) fn discard(&self, scratch: &mut Vec<u8>) -> Discarded {
        if !self.is_stream() {
            return Discarded::End;
        }
        scratch.resize(limits::SCRATCH, 0);
        let mut discarded = 0;
        while discarded < limits::LINGER_OCTETS {
            match recv(&self.socket, scratch.as_mut_slice(), RecvFlags::DONTWAIT) {
                Ok((0, _)) => return Discarded::End,
                Ok((octets, _)) => discarded += octets,
                Err(rustix::io::Errno::AGAIN) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return Discarded::End,
            }
        }
        match discarded {
            0 => Discarded::Nothing,
            _ => Discarded::Some,
        }
    }

    /// Whether all that we have said, our end included, has come to the peer's machine.
    pub(in crate::reactor) fn has_arrived(&self) -> bool {
        !self.has_unsent() && sys::unacknowledged(self.as_fd()).is_ok_and(|octets| octets == 0)
    }
}

/// What a peer still had to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reactor) enum Discarded {
    /// Nothing, and it may go on.
    Nothing,
    /// Something, and it may go on.
    Some,
    /// It is at its end, or gone.
    End,
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let medium = match self.medium {
            Medium::Stream => "Stream",
            Medium::Tls(_) => "Tls",
            Medium::Datagrams => "Datagrams",
            Medium::Everybody(_) => "Everybody",
        };
        formatter
            .debug_struct("Link")
            .field("socket", &self.socket)
            .field("medium", &medium)
            .finish_non_exhaustive()
    }
}

/// How far TLS is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reactor) enum Handshake {
    /// The socket has to be waited for.
    Waits,
    /// It stands, or there is none.
    Over,
}

/// Why TLS does not stand.
#[derive(Debug)]
pub enum HandshakeError {
    /// The sides could not agree, or one does not trust the other.
    Tls(TlsError),
    /// The connection broke.
    Io(io::Error),
    /// The peer closed the connection.
    Closed,
    /// The peer took too long.
    TimedOut,
}

impl From<io::Error> for HandshakeError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Self::Closed;
        }
        match error.downcast::<TlsError>() {
            Ok(error) => Self::Tls(error),
            Err(error) => Self::Io(error),
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls(error) => error.fmt(formatter),
            Self::Io(error) => write!(formatter, "the connection was lost: {error}"),
            Self::Closed => formatter.write_str(
                "the other side closed the connection instead of agreeing on TLS: does it speak TLS at this port?",
            ),
            Self::TimedOut => formatter.write_str(
                "the other side took too long to agree on TLS: does it speak TLS at this port?",
            ),
        }
    }
}

impl std::error::Error for HandshakeError {}

/// Waits for `flags`; false if `until` comes first.
pub(in crate::reactor) fn wait(
    fd: BorrowedFd<'_>,
    flags: PollFlags,
    until: Option<Instant>,
) -> io::Result<bool> {
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut [PollFd::from_borrowed_fd(fd, flags)], timeout.as_ref()) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
