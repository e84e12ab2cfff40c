//! Has a [`Prelude`] spoken on a socket that stands: what proxies and STARTTLS want said before a conversation begins.
//!
//! It blocks the caller, for programs with one conversation. No octet behind the prelude is lost: what was read of them
//! goes back to the caller.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant, SystemTime};

use socket2::Socket;

use crate::limits;
use crate::proto::prelude::{Heard, Prelude, PreludeError};
use crate::tap::{Side, Wire};

/// How a prelude ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Spoken {
    /// Well; these octets came behind it.
    Done(Vec<u8>),
    /// It has to be said anew, on a new connection.
    Again,
}

/// Why a prelude did not come to its end.
#[derive(Debug)]
pub enum Unspoken {
    /// The peer refused, or said what makes no sense.
    Refused(PreludeError),
    /// The peer took too long.
    TimedOut,
    /// The connection broke.
    Io(io::Error),
}

impl From<io::Error> for Unspoken {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::TimedOut,
            _ => Self::Io(error),
        }
    }
}

/// Speaks `prelude` on `socket`, which blocks from here on, for at most `patience`; `first` was read from it already, and `wire` is shown
/// what crosses.
///
/// # Errors
/// See [`Unspoken`].
pub fn speak(
    socket: &Socket,
    prelude: &mut dyn Prelude,
    first: Vec<u8>,
    patience: Option<Duration>,
    wire: Option<&mut (dyn Wire + 'static)>,
) -> Result<Spoken, Unspoken> {
    socket.set_nonblocking(false)?;
    let until = patience.map(|patience| Instant::now() + patience);
    let spoken = exchange(socket, prelude, first, until, wire);
    // The conversation has patience of its own.
    socket.set_read_timeout(None)?;
    socket.set_write_timeout(None)?;
    spoken
}

fn exchange(
    mut socket: &Socket,
    prelude: &mut dyn Prelude,
    first: Vec<u8>,
    until: Option<Instant>,
    mut wire: Option<&mut (dyn Wire + 'static)>,
) -> Result<Spoken, Unspoken> {
    let mut crossed = |side, octets: &[u8]| {
        if let Some(wire) = &mut wire
            && !octets.is_empty()
        {
            wire.crossed(SystemTime::now(), side, octets);
        }
    };
    let mut out = Vec::new();
    let mut octets = first;
    prelude.begin(&mut out);
    loop {
        let heard = match octets.as_slice() {
            [] => Ok(Heard::More),
            octets => prelude.hear(octets, &mut out),
        };
        bound(socket, until)?;
        // After a refusal it is a last word; whether that is heard makes no difference then.
        let sent = socket.write_all(&out);
        crossed(Side::Client, &out);
        out.clear();
        match heard {
            Ok(Heard::More) => sent?,
            Ok(Heard::Done { used }) => {
                sent?;
                octets.drain(..used);
                return Ok(Spoken::Done(octets));
            }
            Ok(Heard::Again) => return Ok(Spoken::Again),
            Err(error) => return Err(Unspoken::Refused(error)),
        }
        bound(socket, until)?;
        octets.resize(limits::PRELUDE, 0);
        let read = loop {
            match socket.read(&mut octets) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        if read == 0 {
            return Err(Unspoken::Refused(prelude.ended()));
        }
        octets.truncate(read);
        crossed(Side::Server, &octets);
    }
}

/// No call on the socket goes on after `until`.
fn bound(socket: &Socket, until: Option<Instant>) -> Result<(), Unspoken> {
    let Some(until) = until else {
        return Ok(());
    };
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(Unspoken::TimedOut);
    }
    socket.set_read_timeout(Some(left))?;
    socket.set_write_timeout(Some(left))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use super::*;

    /// Says `hi`, and is done after a line.
    struct Line(Vec<u8>);

    impl Prelude for Line {
        fn begin(&mut self, out: &mut Vec<u8>) {
            out.extend_from_slice(b"hi");
        }
        fn hear(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Result<Heard, PreludeError> {
            let Some(end) = memchr::memchr(b'\n', octets) else {
                self.0.extend_from_slice(octets);
                return Ok(Heard::More);
            };
            self.0.extend_from_slice(&octets[..end]);
            if self.0 == b"no" {
                return Err(PreludeError::new("it said no"));
            }
            out.extend_from_slice(b"!");
            Ok(Heard::Done { used: end + 1 })
        }
    }

    fn spoken(first: &[u8], said: &'static [u8]) -> (Result<Spoken, Unspoken>, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            peer.write_all(said).unwrap();
            peer.shutdown(std::net::Shutdown::Write).unwrap();
            let mut heard = Vec::new();
            peer.read_to_end(&mut heard).unwrap();
            heard
        });
        let socket = Socket::from(TcpStream::connect(at).unwrap());
        let patience = Some(Duration::from_secs(5));
        let spoken = speak(
            &socket,
            &mut Line(Vec::new()),
            first.to_vec(),
            patience,
            None,
        );
        drop(socket);
        (spoken, server.join().unwrap())
    }

    #[test]
    fn what_comes_behind_it_is_kept() {
        let (result, heard) = spoken(b"", b"yes\nrest");
        assert!(matches!(result, Ok(Spoken::Done(rest)) if rest == b"rest"));
        assert_eq!(heard, b"hi!");
        let (result, heard) = spoken(b"yes\nmine", b"");
        assert!(matches!(result, Ok(Spoken::Done(rest)) if rest == b"mine"));
        assert_eq!(heard, b"hi!");
    }

    #[test]
    fn a_refusal_and_an_end_are_told() {
        let (result, _) = spoken(b"", b"no\n");
        assert!(
            matches!(&result, Err(Unspoken::Refused(error)) if error.to_string() == "it said no"),
            "{result:?}"
        );
        let (result, _) = spoken(b"", b"ye");
        assert!(
            matches!(&result, Err(Unspoken::Refused(error)) if error.to_string().contains("closed")),
            "{result:?}"
        );
    }

    #[test]
    fn patience_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = Socket::from(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
        let patience = Some(Duration::from_millis(30));
        let result = speak(&socket, &mut Line(Vec::new()), Vec::new(), patience, None);
        assert!(matches!(result, Err(Unspoken::TimedOut)), "{result:?}");
    }
}
