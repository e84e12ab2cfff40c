//! TLS between a stream's socket and a conversation.

use std::io;
use std::net::Shutdown;

use rustix::net::{RecvFlags, SendFlags, recv, send};
use socket2::Socket;

use crate::limits;
use crate::proto::TlsInfo;
use crate::reactor::tls::{Received, Tls, TlsError};
use crate::reactor::watch::Watch;
use crate::wire::lines::{Cut, LineReader, Want};

pub(super) struct Secure {
    tls: Tls,
    /// Decrypted octets on their way to the conversation.
    reader: LineReader,
    /// Ciphertext that came before the socket was ours.
    before: Vec<u8>,
    info: Option<TlsInfo>,
    /// The peer's stream is at its end, and all of it is in `reader`.
    ended: bool,
    closing: ClosingStage,
}

/// How far our own end is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ClosingStage {
    Open,
    /// close_notify was said, but may still be unsent.
    Said,
    Over,
}

impl Secure {
    pub(super) fn new(tls: Tls) -> Self {
        Self {
            tls,
            reader: LineReader::with_capacity(limits::SCRATCH),
            before: Vec::new(),
            info: None,
            ended: false,
            closing: ClosingStage::Open,
        }
    }

    pub(super) fn received_before(&mut self, octets: Vec<u8>) {
        self.before = octets;
    }

    pub(super) const fn info(&self) -> Option<&TlsInfo> {
        self.info.as_ref()
    }

    pub(super) const fn holds_octets(&self) -> bool {
        !self.tls.is_hungry() || self.reader.pending() > 0 || !self.before.is_empty()
    }

    pub(super) fn has_unsent(&self) -> bool {
        !self.tls.unsent().is_empty()
    }

    /// Takes the handshake one step further.
    ///
    /// # Errors
    /// `WouldBlock` when the peer has to say something first, `UnexpectedEof` when it closed instead.
    pub(super) fn shake_hands(
        &mut self,
        socket: &Socket,
        mut watch: Option<&mut Watch>,
        scratch: &mut Vec<u8>,
    ) -> io::Result<()> {
        let progress = self.take_records(socket, watch.as_deref_mut(), scratch);
        let flushed = self.flush(socket, watch);
        let progress = progress?;
        if self.info.is_some() {
            return Ok(());
        }
        if self.ended {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match progress {
            Progress::Some => Ok(()),
            Progress::None => flushed.and(Err(io::ErrorKind::WouldBlock.into())),
        }
    }

    /// Appends decrypted octets to `room`, as far as its capacity goes; 0 is the end.
    pub(super) fn receive(
        &mut self,
        socket: &Socket,
        mut watch: Option<&mut Watch>,
        room: &mut Vec<u8>,
        scratch: &mut Vec<u8>,
    ) -> io::Result<usize> {
        loop {
            let spare = room.capacity() - room.len();
            if let Some(Cut::Text(text)) = self.reader.cut(Want::Octets(spare as u64)) {
                room.extend_from_slice(text);
                return Ok(text.len());
            }
            self.reader.release();
            if self.ended {
                return Ok(0);
            }
            let progress = self.take_records(socket, watch.as_deref_mut(), scratch);
            // What TLS itself has to say: an alert, too. If it cannot be said now, the next one to send tells why.
            let _ = self.flush(socket, watch.as_deref_mut());
            if progress? == Progress::None {
                self.tls.release();
                return Err(io::ErrorKind::WouldBlock.into());
            }
        }
    }

    /// Encrypts and sends; what was encrypted counts as sent.
    pub(super) fn send(
        &mut self,
        socket: &Socket,
        mut watch: Option<&mut Watch>,
        octets: &[u8],
    ) -> io::Result<usize> {
        self.flush(socket, watch.as_deref_mut())?;
        let piece = &octets[..octets.len().min(limits::SCRATCH)];
        self.tls.encrypt(piece).map_err(io::Error::other)?;
        match self.flush(socket, watch) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(piece.len()),
        }
    }

    pub(super) fn flush(
        &mut self,
        socket: &Socket,
        mut watch: Option<&mut Watch>,
    ) -> io::Result<()> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        while self.has_unsent() {
            let sent = send(socket, self.tls.unsent(), flags).map_err(io::Error::from);
            if let Some(watch) = &mut watch {
                watch.has_written(&sent, self.tls.unsent());
            }
            self.tls.advance(sent?);
        }
        if self.closing == ClosingStage::Said {
            self.closing = ClosingStage::Over;
            // A connection that is gone needs no closing.
            let _ = socket.shutdown(Shutdown::Write);
            if let Some(watch) = watch {
                watch.has_shut_down();
            }
        }
        Ok(())
    }

    /// close_notify (RFC 8446 §6.1), and the end of our stream behind it.
    pub(super) fn half_close(&mut self, socket: &Socket, watch: Option<&mut Watch>) {
        if self.closing == ClosingStage::Open {
            self.tls.say_goodbye();
            self.closing = ClosingStage::Said;
        }
        // What cannot be sent now is sent by a later flush, as long as there is one.
        let _ = self.flush(socket, watch);
    }

    /// Decrypts what there is, or else what one look at the socket brings.
    fn take_records(
        &mut self,
        socket: &Socket,
        mut watch: Option<&mut Watch>,
        scratch: &mut Vec<u8>,
    ) -> io::Result<Progress> {
        scratch.resize(limits::SCRATCH, 0);
        let was_sated = !self.tls.is_hungry();
        let before = &mut self.before;
        let mut watched = watch.as_deref_mut();
        let read = |buffer: &mut [u8]| -> Result<Option<usize>, Fault> {
            if !before.is_empty() {
                let octets = before.len().min(buffer.len());
                buffer[..octets].copy_from_slice(&before[..octets]);
                before.drain(..octets);
                return Ok(Some(octets));
            }
            let received = loop {
                match recv(socket, &mut *buffer, RecvFlags::DONTWAIT) {
                    Err(rustix::io::Errno::AGAIN) => return Ok(None),
                    Err(rustix::io::Errno::INTR) => {}
                    received => break received.map(|(octets, _)| octets).map_err(io::Error::from),
                }
            };
            if let Some(watch) = &mut watched {
                watch.has_read(&received, buffer);
            }
            Ok(Some(received.map_err(Fault::Io)?))
        };
        let received = self.tls.receive(read, &mut self.reader, scratch);
        if let Some(watch) = watch {
            watch.settle();
        }
        let Received { moved, end, up } = received.map_err(io::Error::from)?;
        self.ended |= end;
        let progress = moved > 0 || end || up.is_some();
        self.info = self.info.take().or(up);
        // Having found that it needs more, it has not looked at the socket yet.
        let must_look = was_sated && self.tls.is_hungry();
        Ok(match progress || must_look {
            true => Progress::Some,
            false => Progress::None,
        })
    }
}

/// Whether it makes sense to go on without waiting.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Some,
    None,
}

enum Fault {
    Tls(TlsError),
    Io(io::Error),
}

impl From<TlsError> for Fault {
    fn from(error: TlsError) -> Self {
        Self::Tls(error)
    }
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Tls(error) => Self::other(error),
            Fault::Io(error) => error,
        }
    }
}
