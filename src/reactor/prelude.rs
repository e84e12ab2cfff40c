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

/// Speaks `prelude` on `socket`, which blocks, for at most `patience`; `wire` is shown what crosses.
///
/// # Errors
/// See [`Unspoken`].
pub fn speak(
    socket: &Socket,
    prelude: &mut dyn Prelude,
    patience: Option<Duration>,
    wire: Option<&mut (dyn Wire + 'static)>,
) -> Result<Spoken, Unspoken> {
    let until = patience.map(|patience| Instant::now() + patience);
    let spoken = exchange(socket, prelude, until, wire);
    // The conversation has patience of its own.
    socket.set_read_timeout(None)?;
    socket.set_write_timeout(None)?;
    spoken
}

fn exchange(
    mut socket: &Socket,
    prelude: &mut dyn Prelude,
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
    let mut octets = [0; limits::PRELUDE];
    prelude.begin(&mut out);
    loop {
        bound(socket, until)?;
        socket.write_all(&out)?;
        crossed(Side::Client, &out);
        out.clear();
        bound(socket, until)?;
        let read = match socket.read(&mut octets) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        crossed(Side::Server, &octets[..read]);
        let heard = match read {
            0 => Err(prelude.ended()),
            read => prelude.hear(&octets[..read], &mut out),
        };
        match heard {
            Ok(Heard::More) => {}
            Ok(Heard::Done { used }) => {
                socket.write_all(&out)?;
                crossed(Side::Client, &out);
                return Ok(Spoken::Done(octets[used..read].to_vec()));
            }
            Ok(Heard::Again) => return Ok(Spoken::Again),
            Err(error) => {
                // It may have a last word; whether that is heard makes no difference.
                let _ = socket.write_all(&out);
                return Err(Unspoken::Refused(error));
            }
        }
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
