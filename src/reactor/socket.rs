//! The two kinds of stream socket, as one; and the listeners.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::path::{Path, PathBuf};

use mio::event::Source;
use mio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, Type};

use crate::limits;

/// A connected stream.
pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        again(|| match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        })
    }

    /// Whether a read that did not fill its buffer has taken all that there was. A TCP socket that is told of edges tells what comes after
    /// as a new one (epoll(7), question 9); what came with the end of the stream is to be read on.
    pub(super) const fn is_exhausted_by_short_read(&self) -> bool {
        matches!(self, Self::Tcp(_))
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        again(|| match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        })
    }

    /// Says that no more will be sent; the other direction stays open.
    pub(super) fn shutdown_write(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
        }
    }

    /// Closed, it says so by RST, not FIN. A UNIX socket has neither.
    pub(super) fn reset_when_closed(&self) {
        if let Self::Tcp(stream) = self {
            // Without it there is a FIN, which is as good an end.
            let _ = socket2::SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO));
        }
    }

    /// Whether a connection that was begun stands now; why it cannot.
    pub(super) fn is_connected(&self) -> io::Result<bool> {
        let (error, peer) = match self {
            Self::Tcp(stream) => (stream.take_error()?, stream.peer_addr().map(|_| ())),
            Self::Unix(stream) => (stream.take_error()?, stream.peer_addr().map(|_| ())),
        };
        match (error, peer) {
            (Some(error), _) => Err(error),
            (None, Ok(())) => Ok(true),
            (None, Err(error)) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            (None, Err(error)) => Err(error),
        }
    }

    /// This end of it; a UNIX socket has none.
    pub(super) fn local_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(stream) => stream.local_addr().ok(),
            Self::Unix(_) => None,
        }
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Self::Tcp(stream) => stream,
            Self::Unix(stream) => stream,
        }
    }
}

impl Source for Socket {
    fn register(&mut self, registry: &Registry, token: Token, wanted: Interest) -> io::Result<()> {
        self.source().register(registry, token, wanted)
    }
    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        wanted: Interest,
    ) -> io::Result<()> {
        self.source().reregister(registry, token, wanted)
    }
    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.source().deregister(registry)
    }
}

/// What connections are accepted from.
pub(super) enum Door {
    Tcp(TcpListener),
    /// The path is removed when the door is closed.
    Unix(UnixListener, PathBuf),
}

impl Door {
    /// A TCP listener. Port 0 lets the system choose; an IPv6 address takes no IPv4 connections.
    pub(super) fn tcp(address: SocketAddr) -> io::Result<(Self, SocketAddr)> {
        let socket = socket2::Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        socket.set_nonblocking(true)?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&address.into())?;
        socket.listen(limits::BACKLOG)?;
        let listener = TcpListener::from_std(socket.into());
        let real = listener.local_addr()?;
        Ok((Self::Tcp(listener), real))
    }

    /// A UNIX listener. A socket file that nobody listens on any more is replaced.
    pub(super) fn unix(path: &Path) -> io::Result<Self> {
        let refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        if std::os::unix::net::UnixStream::connect(path).is_err_and(|error| refused(&error)) {
            std::fs::remove_file(path)?;
        }
        let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&socket2::SockAddr::unix(path)?)?;
        socket.listen(limits::BACKLOG)?;
        let listener = UnixListener::from_std(socket.into());
        Ok(Self::Unix(listener, path.to_owned()))
    }

    /// The same, for the owner of the program only.
    pub(super) fn unix_private(path: &Path) -> io::Result<Self> {
        use rustix::fs::Mode;
        // The mode is there from the beginning: nobody slips in between. Whoever else makes files at this moment only makes them
        // more private than they would be.
        let before = rustix::process::umask(Mode::from_bits_truncate(0o177));
        let door = Self::unix(path);
        rustix::process::umask(before);
        door
    }

    /// The next connection, and whose it is.
    pub(super) fn accept(&self) -> io::Result<(Socket, Option<SocketAddr>, Option<SocketAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, remote) = listener.accept()?;
                // Replies are gathered here already; to wait for more would only be late.
                stream.set_nodelay(true).ok();
                let local = stream.local_addr().ok();
                Ok((Socket::Tcp(stream), Some(remote), local))
            }
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept()?;
                Ok((Socket::Unix(stream), None, None))
            }
        }
    }

    pub(super) fn source(&mut self) -> &mut dyn Source {
        match self {
            Self::Tcp(listener) => listener,
            Self::Unix(listener, _) => listener,
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            std::fs::remove_file(path).ok();
        }
    }
}

/// Repeats a call that a signal interrupted.
fn again(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
