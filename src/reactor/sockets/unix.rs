//! UNIX sockets: names in the file system, and in Linux's abstract namespace.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket, Type};
use tempfile::TempDir;

use super::{Callers, DialError};

/// The name of a UNIX socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnixName {
    /// A path.
    Path(PathBuf),
    /// One of the abstract namespace, written `@name`; here without the `@`.
    Abstract(Vec<u8>),
}

/// What a UNIX socket carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnixKind {
    /// A stream.
    Stream,
    /// Datagrams.
    Datagrams,
}

/// A name that was made for a socket to be answered at; it goes when this is dropped.
#[derive(Debug)]
pub struct TemporaryName {
    path: PathBuf,
    _folder: TempDir,
}

impl TemporaryName {
    /// `/tmp/nc-XXXXXX/recv.sock`
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl UnixName {
    /// # Errors
    /// The name is longer than the 107 octets that the kernel takes.
    fn address(&self) -> io::Result<SockAddr> {
        match self {
            Self::Path(path) => SockAddr::unix(path),
            Self::Abstract(name) => {
                let mut marked = vec![0];
                marked.extend_from_slice(name);
                SockAddr::unix(std::ffi::OsStr::from_bytes(&marked))
            }
        }
    }
}

impl fmt::Display for UnixName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(formatter),
            Self::Abstract(name) => write!(formatter, "@{}", String::from_utf8_lossy(name)),
        }
    }
}

impl UnixKind {
    const fn of_socket(self) -> Type {
        match self {
            Self::Stream => Type::STREAM,
            Self::Datagrams => Type::DGRAM,
        }
    }
}

/// Connects to `to`, as `source` if it is given, where a socket that somebody left is replaced. Datagrams are answered to a
/// name only, so without a source there is a temporary one: keep it as long as the socket. `bound` is told of either as soon
/// as it is ours.
///
/// # Errors
/// [`DialError::Bind`] for the source, else [`DialError::Failed`] or [`DialError::TimedOut`]: `patience` counts while all who
/// may wait for a listener do.
pub fn dial_unix(
    to: &UnixName,
    kind: UnixKind,
    source: Option<&UnixName>,
    patience: Option<Duration>,
    bound: impl FnOnce(&UnixName),
) -> Result<(Socket, Option<TemporaryName>), DialError> {
    let socket = Socket::new(Domain::UNIX, kind.of_socket(), None).map_err(DialError::Failed)?;
    let ours = match (source, kind) {
        (Some(source), _) => bind(&socket, source).map(|()| None),
        (None, UnixKind::Datagrams) => bind_somewhere(&socket).map(Some),
        (None, UnixKind::Stream) => Ok(None),
    };
    let ours = ours.map_err(DialError::Bind)?;
    match (source, &ours) {
        (Some(source), _) => bound(source),
        (None, Some(made)) => bound(&UnixName::Path(made.path.clone())),
        (None, None) => {}
    }
    // There is no such thing as a UNIX connection under way: either it is there, or the caller waits for it to be.
    socket
        .set_write_timeout(patience)
        .map_err(DialError::Failed)?;
    let address = to.address().map_err(DialError::Failed)?;
    match super::uninterrupted(|| socket.connect(&address)) {
        Ok(()) => Ok((socket, ours)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(DialError::TimedOut),
        Err(error) => Err(DialError::Failed(error)),
    }
}

/// Listens at `at`; datagrams are waited for only. A socket of that name that somebody left is replaced, as Debian's nc does,
/// but no other kind of file. The name stays when the socket is closed.
///
/// # Errors
/// The name cannot be had.
pub fn listen_unix(at: &UnixName, kind: UnixKind, callers: Callers) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, kind.of_socket(), None)?;
    bind(&socket, at)?;
    if kind == UnixKind::Stream {
        socket.listen(callers.backlog())?;
    }
    Ok(socket)
}

fn bind(socket: &Socket, at: &UnixName) -> io::Result<()> {
    let address = at.address()?;
    if let UnixName::Path(path) = at {
        // The kernel would choose a name of its own, which nobody knows.
        if path.as_os_str().is_empty() {
            return Err(Errno::INVAL.into());
        }
        if fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket()) {
            fs::remove_file(path)?;
        }
    }
    socket.bind(&address)
}

fn bind_somewhere(socket: &Socket) -> io::Result<TemporaryName> {
    let folder = tempfile::Builder::new()
        .prefix("nc-")
        .rand_bytes(6)
        .tempdir_in("/tmp")?;
    let path = folder.path().join("recv.sock");
    socket.bind(&SockAddr::unix(&path)?)?;
    Ok(TemporaryName {
        path,
        _folder: folder,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{accept, first_sender};
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn a_stream_by_path_and_by_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sock");
        let unique = path.as_os_str().as_bytes().to_vec();
        for name in [UnixName::Path(path.clone()), UnixName::Abstract(unique)] {
            let listener = listen_unix(&name, UnixKind::Stream, Callers::One).unwrap();
            let (caller, temporary) =
                dial_unix(&name, UnixKind::Stream, None, None, |_| {}).unwrap();
            assert!(temporary.is_none());
            let (server, _) = accept(&listener).unwrap();
            (&caller).write_all(b"hello").unwrap();
            drop(caller);
            let mut heard = Vec::new();
            (&server).read_to_end(&mut heard).unwrap();
            assert_eq!(heard, b"hello", "{name}");
        }
        assert!(path.exists(), "the name stays");
        let name = UnixName::Path(path.clone());
        listen_unix(&name, UnixKind::Stream, Callers::One).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "precious").unwrap();
        let error = listen_unix(&name, UnixKind::Stream, Callers::One).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        let refused = dial_unix(&name, UnixKind::Stream, None, None, |_| {});
        assert!(matches!(refused, Err(DialError::Failed(_))), "no socket");
    }

    #[test]
    fn a_datagram_can_be_answered() {
        let folder = tempfile::tempdir().unwrap();
        let name = UnixName::Path(folder.path().join("sock"));
        let server = listen_unix(&name, UnixKind::Datagrams, Callers::One).unwrap();
        let (caller, temporary) =
            dial_unix(&name, UnixKind::Datagrams, None, None, |_| {}).unwrap();
        let temporary = temporary.unwrap();
        let path = temporary.path().to_owned();
        assert!(path.starts_with("/tmp") && path.ends_with("recv.sock"));
        caller.send(b"question").unwrap();
        let from = first_sender(&server).unwrap();
        assert_eq!(from.as_pathname(), Some(path.as_path()));
        server.connect(&from).unwrap();
        server.send(b"answer").unwrap();
        let mut answer = [0; 10];
        assert_eq!((&caller).read(&mut answer).unwrap(), 6);
        drop(temporary);
        assert!(!path.exists() && !path.parent().unwrap().exists());
        // The server now hears nobody else.
        let _server = listen_unix(&name, UnixKind::Datagrams, Callers::One).unwrap();
        let source = UnixName::Path(folder.path().join("mine"));
        // The second takes the name over that the first has left.
        for _ in 0..2 {
            let mut bound = None;
            let told = |name: &UnixName| bound = Some(name.clone());
            let (_, temporary) =
                dial_unix(&name, UnixKind::Datagrams, Some(&source), None, told).unwrap();
            assert!(temporary.is_none());
            assert_eq!(bound.as_ref(), Some(&source));
            assert!(folder.path().join("mine").exists());
        }
    }

    #[test]
    fn who_waits_for_a_listener_that_takes_nobody_has_patience() {
        let folder = tempfile::tempdir().unwrap();
        let name = UnixName::Path(folder.path().join("sock"));
        let _listener = listen_unix(&name, UnixKind::Stream, Callers::One).unwrap();
        let patience = Some(Duration::from_millis(100));
        let dial = || dial_unix(&name, UnixKind::Stream, None, patience, |_| {});
        let mut waiting = Vec::new();
        let out_of_it = loop {
            match dial() {
                Ok(caller) => waiting.push(caller),
                Err(error) => break error,
            }
            assert!(waiting.len() < 10);
        };
        assert!(matches!(out_of_it, DialError::TimedOut), "{out_of_it:?}");
    }

    #[test]
    fn a_name_that_is_too_long_or_none_is_refused() {
        let name = UnixName::Path(PathBuf::from("/".repeat(200)));
        assert!(listen_unix(&name, UnixKind::Stream, Callers::One).is_err());
        let none = UnixName::Path(PathBuf::new());
        let error = listen_unix(&none, UnixKind::Stream, Callers::One).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        let refused = dial_unix(&name, UnixKind::Stream, None, None, |_| {});
        assert!(matches!(refused, Err(DialError::Failed(_))));
        assert_eq!(UnixName::Abstract(b"x".to_vec()).to_string(), "@x");
    }
}
