//! Octets that the kernel moves by itself, between a socket and what the user has: no octet is copied to us and back.
//!
//! | near end | to the socket | from the socket |
//! |---|---|---|
//! | pipe | splice(2) | splice(2) |
//! | file, device | sendfile(2) | splice(2) into a pipe of our own, and on into the file |
//! | terminal, socket | copied | copied |
//!
//! Measured on loopback, 2 GiB from pipe to pipe, with two processors shared by writer, sender, receiver and reader: read and write
//! with 256 KiB took 0.60 s of processor a GiB (sender and receiver together), splice on both sides 0.11; from file to
//! file (tmpfs) 0.95 against 0.60. There is no less to be had: the same file copied by sendfile(2) alone, without a socket, takes 0.44 to
//! 0.60, and to write a GiB that is in the processor's cache already 0.35 to 0.40. Of a receiver, recv and write with 64 KiB to 1 MiB took
//! 0.82 to 0.85 where splice took 0.45 to 0.50, and SO_RCVLOWAT changed neither. A sender and a receiver of nothing but sendfile(2) and
//! splice(2), which block, took 0.52 (ext4) and 0.59 (tmpfs) of what read and write with 128 KiB took, in turns on a busy machine; smaller pipes
//! and space allocated before took more or the same, a mapped file more; and we make 4 calls for a MiB, so that they are not what is paid for.
//!
//! splice(2) cannot be told from outside whether it stopped because there was nothing more or because there was no more
//! room. So one flag stands for both ends, "worth trying": an event of either sets it, a short move clears it. That loses
//! nothing, for whichever end it was tells when that changes: an empty pipe or socket with its next octet, a full one with its
//! next room. The end of a side that was told together with its last octets is not told again, and so is remembered.
//!
//! Whatever refuses to be spliced (EINVAL: a file opened to append, an odd file system) is copied from then on.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::sendfile;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};

use super::link::Link;
use crate::limits;
use crate::reactor::stdio::{Input, Kind, Output};

/// How octets get from one end to the other.
#[derive(Debug)]
pub(super) enum Way {
    /// Read and written by us.
    Copied,
    /// Moved by the kernel.
    Spliced,
    /// The same, through a pipe of our own.
    Through(Pipe),
}

impl Way {
    /// From `input` to a socket.
    pub(super) fn up(input: &Input) -> Self {
        match input.source() {
            Some((_, Kind::Pipe | Kind::Ready)) => Self::Spliced,
            _ => Self::Copied,
        }
    }

    /// From a socket to `output`.
    pub(super) fn down(output: &Output) -> Self {
        match output.sink() {
            Some((_, Kind::Pipe)) => Self::Spliced,
            Some((_, Kind::Ready)) => Pipe::new().map_or(Self::Copied, Self::Through),
            _ => Self::Copied,
        }
    }

    pub(super) const fn is_copied(&self) -> bool {
        matches!(self, Self::Copied)
    }
}

/// What came of an attempt to move octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moved {
    /// So many were moved. `Short`: of one end or the other there is no more now.
    Some(usize, Extent),
    /// Nothing now.
    None,
    /// The source is at its end.
    End,
    /// The kernel does not move between these two.
    Unable,
}

/// Whether as many octets moved as were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Full,
    Short,
}

/// From `input`, which is [`Way::Spliced`], to the socket.
pub(super) fn send(input: &Input, link: &Link) -> io::Result<Moved> {
    let Some((from, kind)) = input.source() else {
        return Ok(Moved::End);
    };
    let octets = limits::RELAY_PIPE;
    match kind {
        Kind::Pipe => {
            let flags = SpliceFlags::NONBLOCK | SpliceFlags::MOVE;
            moved(splice(from, None, link, None, octets, flags), octets)
        }
        // No event tells that a file is at its end: only the next attempt does, so a short move is as good as a full one.
        _ => moved(sendfile(link, from, None, octets), 1),
    }
}

/// From the socket to `output`, which is [`Way::Spliced`].
pub(super) fn receive(link: &Link, output: &Output) -> io::Result<Moved> {
    match output.sink() {
        Some((to, _)) => receive_into(link, to, limits::RELAY_PIPE),
        None => Ok(Moved::Unable),
    }
}

fn receive_into(link: &Link, to: impl AsFd, octets: usize) -> io::Result<Moved> {
    let flags = SpliceFlags::NONBLOCK | SpliceFlags::MOVE;
    moved(splice(link, None, to, None, octets, flags), octets)
}

fn moved(result: rustix::io::Result<usize>, wanted: usize) -> io::Result<Moved> {
    match result {
        Ok(0) => Ok(Moved::End),
        Ok(octets) if octets < wanted => Ok(Moved::Some(octets, Extent::Short)),
        Ok(octets) => Ok(Moved::Some(octets, Extent::Full)),
        Err(Errno::AGAIN) => Ok(Moved::None),
        Err(Errno::INTR) => Ok(Moved::Some(0, Extent::Full)),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::SPIPE) => Ok(Moved::Unable),
        Err(error) => Err(error.into()),
    }
}

/// A pipe of our own: octets that have left the socket, and are not in the file yet.
#[derive(Debug)]
pub(super) struct Pipe {
    reader: OwnedFd,
    writer: OwnedFd,
    waiting: usize,
    capacity: usize,
}

impl Pipe {
    fn new() -> io::Result<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let capacity = fcntl_setpipe_size(&writer, limits::RELAY_PIPE).or_else(|_| {
            // Not allowed to everybody, and only a matter of speed.
            rustix::pipe::fcntl_getpipe_size(&writer)
        })?;
        Ok(Self {
            reader,
            writer,
            waiting: 0,
            capacity,
        })
    }

    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Fills it from the socket.
    pub(super) fn receive(&mut self, link: &Link) -> io::Result<Moved> {
        let moved = receive_into(link, &self.writer, self.capacity)?;
        let Moved::Some(octets, _) = moved else {
            return Ok(moved);
        };
        self.waiting += octets;
        // No event tells that we have emptied it ourselves. So only when it cannot have been full, not even with an octet
        // in each of its pages, does a short move say that the socket has no more.
        Ok(match octets < self.capacity / limits::PIPE_BUF {
            true => Moved::Some(octets, Extent::Short),
            false => Moved::Some(octets, Extent::Full),
        })
    }

    /// Empties it into `output`: how many octets went. `None`: that cannot be done.
    pub(super) fn write(&mut self, output: &Output) -> io::Result<Option<usize>> {
        let Some((to, _)) = output.sink() else {
            return Ok(None);
        };
        let flags = SpliceFlags::MOVE;
        match moved(
            splice(&self.reader, None, to, None, self.waiting, flags),
            self.waiting,
        )? {
            Moved::Some(octets, _) => {
                self.waiting -= octets;
                Ok(Some(octets))
            }
            Moved::None => Err(io::ErrorKind::WouldBlock.into()),
            Moved::End | Moved::Unable => Ok(None),
        }
    }

    /// Appends all that waits in it to `room`.
    pub(super) fn empty_into(&mut self, room: &mut Vec<u8>) -> io::Result<()> {
        room.reserve(self.waiting);
        while self.waiting > 0 {
            let spare = rustix::buffer::spare_capacity(room);
            self.waiting -= rustix::io::read(&self.reader, spare)?;
        }
        Ok(())
    }
}
