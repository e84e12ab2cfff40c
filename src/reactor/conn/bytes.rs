//! The bytes of a connection: from the socket, through TLS if it stands, decompressed if they are to be, into the reader; and
//! from [`Out`](crate::proto::Out) back.
//!
//! What clears `readable` and `writable`: see [`Conn`].

use std::io;
use std::time::Instant;

use super::super::gather::gather;
use super::super::socket::Socket;
use super::super::tls::{Received, Tls};
use super::super::trouble::Trouble;
use super::super::watch::Watch;
use super::{Conn, Scratch};
use crate::limits;
use crate::tap::{Attached, Piece, Side};
use crate::wire::lines::LineReader;

impl Conn {
    /// Reads one buffer full into the reader, if it has room. How many octets moved.
    pub(super) fn receive(&mut self, scratch: &mut Scratch) -> Result<usize, Trouble> {
        let moved = self.receive_octets(scratch)?;
        Ok(moved + self.unpack(scratch)?)
    }

    /// Octets that were received compressed.
    fn unpack(&mut self, scratch: &mut Scratch) -> Result<usize, Trouble> {
        let Some(packing) = &mut self.packing else {
            return Ok(0);
        };
        let moved = packing.unpack(&mut self.reader, &mut scratch.plain)?;
        if packing.is_over() {
            self.packing = None;
        } else if packing.has_ended() && self.reader.pending() == 0 && !self.ended {
            self.end();
        }
        Ok(moved)
    }

    /// Whether the reader has all that was received.
    pub(super) fn is_unpacked(&self) -> bool {
        let mut packing = self.packing.iter();
        packing.all(|packing| packing.has_ended() || packing.is_drained())
    }

    fn receive_octets(&mut self, scratch: &mut Scratch) -> Result<usize, Trouble> {
        if self.ended {
            return Ok(0);
        }
        if self.readable && self.packing.is_none() {
            self.reader.adopt(&mut scratch.spare);
        }
        let Self {
            socket,
            readable,
            hung_up,
            reader,
            tls,
            packing,
            watch,
            ..
        } = self;
        let reader = match packing {
            Some(packing) => &mut packing.received,
            None => reader,
        };
        let Some(tls) = tls else {
            return self.receive_plain();
        };
        if tls.is_hungry() && !*readable || tls.is_up() && reader.space().is_empty() {
            return Ok(0);
        }
        let was_sated = !tls.is_hungry();
        let mut receive = |tls: &mut Tls, reader: &mut LineReader| {
            let read = |buffer: &mut [u8]| read(socket, readable, *hung_up, watch, buffer);
            let received = tls.receive(read, reader, &mut scratch.cipher);
            settle(watch);
            received
        };
        let mut received = receive(tls, reader)?;
        let nothing = received.moved == 0 && received.up.is_none() && !received.end;
        if nothing && was_sated && tls.is_hungry() {
            // It had to look to know that it needs more. What the poll told before is not told again: ask the socket.
            received = receive(tls, reader)?;
        }
        let Received { moved, end, up } = received;
        if end {
            self.end();
        }
        if let Some(info) = up {
            let what = format!("{} {}", info.version, info.cipher);
            self.out.show(self.side, Piece::Tls(&what));
            self.owed.tls_up = Some(Box::new(info));
        }
        Ok(moved)
    }

    fn receive_plain(&mut self) -> Result<usize, Trouble> {
        if !self.readable {
            return Ok(0);
        }
        let reader = match &mut self.packing {
            Some(packing) => &mut packing.received,
            None => &mut self.reader,
        };
        let space = reader.space();
        if space.is_empty() {
            return Ok(0);
        }
        let result = read(
            &mut self.socket,
            &mut self.readable,
            self.hung_up,
            &mut self.watch,
            space,
        );
        settle(&mut self.watch);
        match result? {
            Some(0) => {
                self.end();
                Ok(1)
            }
            Some(octets) => {
                reader.filled(octets);
                Ok(octets)
            }
            None => Ok(0),
        }
    }

    /// At most so many octets, past the reader. `None` for nothing now, 0 for the end.
    pub(super) fn read_exactly(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Trouble> {
        let result = read(
            &mut self.socket,
            &mut self.readable,
            self.hung_up,
            &mut self.watch,
            buffer,
        );
        settle(&mut self.watch);
        result
    }

    /// The peer will send no more.
    pub(super) fn end(&mut self) {
        self.ended = true;
        self.owed.eof = true;
    }

    /// Reads, and throws it away.
    pub(super) fn discard(&mut self, scratch: &mut Scratch) -> Result<usize, Trouble> {
        if !self.readable || self.ended {
            return Ok(0);
        }
        let result = read(
            &mut self.socket,
            &mut self.readable,
            self.hung_up,
            &mut self.watch,
            &mut scratch.cipher,
        );
        settle(&mut self.watch);
        match result? {
            Some(0) => {
                self.ended = true;
                Ok(1)
            }
            Some(octets) => Ok(octets),
            None => Ok(0),
        }
    }

    /// Sends until the socket takes no more, or a turn's worth. How many octets moved.
    pub(super) fn send(&mut self, now: Instant, scratch: &mut Scratch) -> Result<usize, Trouble> {
        let before = self.all_sent();
        let mut moved = 0;
        while self.writable && moved < limits::TURN {
            let sent = match self.tls {
                Some(_) => self.send_tls(scratch),
                None => self.send_plain(scratch),
            };
            let sent = match sent {
                // A server may have said why it hangs up: what it said is read before its end is believed.
                Err(Trouble::Io(_)) if self.side == Side::Client => {
                    self.deaf = true;
                    self.writable = false;
                    0
                }
                sent => sent?,
            };
            if sent == 0 {
                break;
            }
            moved += sent;
            self.times.progress = now;
        }
        if self.deaf {
            self.drop_unsent();
            // Room for more is of no use: what the server says, or its end, is what the session waits for.
            self.owed.room = false;
        }
        if !before && self.all_sent() {
            self.times.drained = now;
        }
        Ok(moved)
    }

    /// Compresses what is gathered, unless what was compressed before is still unsent. False: nothing is compressed here.
    fn pack(&mut self, scratch: &mut Scratch) -> Result<bool, Trouble> {
        let Some(packing) = self.packing.as_mut().filter(|packing| packing.packs()) else {
            return Ok(false);
        };
        if packing.unsent().is_empty() {
            let words = gather(&self.out, &mut scratch.plain, limits::SCRATCH)?;
            if !words.is_empty() {
                packing.pack(scratch.packer.get_or_insert_default(), words);
                let octets = words.len();
                self.out.advance(octets);
            }
        }
        Ok(true)
    }

    fn send_plain(&mut self, scratch: &mut Scratch) -> Result<usize, Trouble> {
        if self.pack(scratch)?
            && let Some(packing) = &mut self.packing
        {
            if packing.unsent().is_empty() {
                return Ok(0);
            }
            let octets = packing.unsent();
            let sent = write(
                &mut self.socket,
                &mut self.writable,
                &mut self.watch,
                octets,
            )?;
            packing.advance(sent);
            return Ok(sent);
        }
        let bytes = gather(&self.out, &mut scratch.plain, limits::TURN)?;
        if bytes.is_empty() {
            return Ok(0);
        }
        let sent = write(&mut self.socket, &mut self.writable, &mut self.watch, bytes)?;
        self.out.advance(sent);
        Ok(sent)
    }

    fn send_tls(&mut self, scratch: &mut Scratch) -> Result<usize, Trouble> {
        let is_free = |tls: &Tls| tls.unsent().is_empty() && tls.is_up();
        if self.tls.as_deref().is_some_and(is_free) {
            self.encrypt(scratch)?;
        }
        let Some(tls) = &mut self.tls else {
            return Ok(0);
        };
        if tls.unsent().is_empty() {
            return Ok(0);
        }
        let sent = write(
            &mut self.socket,
            &mut self.writable,
            &mut self.watch,
            tls.unsent(),
        )?;
        tls.advance(sent);
        Ok(sent)
    }

    /// Puts what is gathered into TLS, compressed if it is to be.
    fn encrypt(&mut self, scratch: &mut Scratch) -> Result<(), Trouble> {
        let packed = self.pack(scratch)?;
        let Some(tls) = &mut self.tls else {
            return Ok(());
        };
        match &mut self.packing {
            Some(packing) if packed => {
                if !packing.unsent().is_empty() {
                    tls.encrypt(packing.unsent())?;
                    packing.advance(packing.unsent().len());
                }
            }
            _ => {
                let bytes = gather(&self.out, &mut scratch.plain, limits::SCRATCH)?;
                if !bytes.is_empty() {
                    tls.encrypt(bytes)?;
                    let octets = bytes.len();
                    self.out.advance(octets);
                }
            }
        }
        Ok(())
    }

    pub(super) fn all_sent(&self) -> bool {
        let (tls, packing) = (self.tls.as_ref(), self.packing.as_ref());
        self.out.is_empty()
            && tls.is_none_or(|tls| tls.unsent().is_empty())
            && packing.is_none_or(|packing| packing.unsent().is_empty())
    }

    pub(super) fn drop_unsent(&mut self) {
        let octets = usize::try_from(self.out.queued()).unwrap_or(usize::MAX);
        self.out.advance(octets);
        if let Some(packing) = &mut self.packing {
            packing.advance(packing.unsent().len());
        }
        if let Some(tls) = &mut self.tls
            && self.deaf
        {
            tls.advance(tls.unsent().len());
        }
    }
}

/// `None` for nothing now, 0 for the end. To be followed by [`settle`], once it is decrypted.
fn read(
    socket: &mut Socket,
    readable: &mut bool,
    hung_up: bool,
    watch: &mut Attached<Watch>,
    buffer: &mut [u8],
) -> Result<Option<usize>, Trouble> {
    if !*readable {
        return Ok(None);
    }
    let result = socket.read(buffer);
    if let Some(watch) = watch.observer() {
        watch.has_read(&result, buffer);
    }
    match result {
        Ok(octets) => {
            // A call is saved for each command of a client that waits for its reply.
            if octets < buffer.len() && !hung_up && socket.is_exhausted_by_short_read() {
                *readable = false;
            }
            Ok(Some(octets))
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            *readable = false;
            Ok(None)
        }
        Err(error) => Err(Trouble::Io(error)),
    }
}

fn settle(watch: &mut Attached<Watch>) {
    if let Some(watch) = watch.observer() {
        watch.settle();
    }
}

fn write(
    socket: &mut Socket,
    writable: &mut bool,
    watch: &mut Attached<Watch>,
    bytes: &[u8],
) -> Result<usize, Trouble> {
    let result = socket.write(bytes);
    if let Some(watch) = watch.observer() {
        watch.has_written(&result, bytes);
    }
    match result {
        Ok(octets) => Ok(octets),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            *writable = false;
            Ok(0)
        }
        Err(error) => Err(Trouble::Io(error)),
    }
}
