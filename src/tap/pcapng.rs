//! Captures: what crossed our own sockets, as a pcapng file that Wireshark opens, written without root.
//!
//! Only the octets, the addresses and the times are real. What carries them is made up, as the kernel's part of it is not seen from
//! here: Ethernet, IP and TCP headers such as a loopback interface would show, each octet acknowledged at once, nothing lost,
//! nothing sent twice. So a capture is evidence of what two programs said to each other, not of the network between them.
//!
//! ```text
//! Section Header        who wrote it
//! Interface             Ethernet, times in nanoseconds
//! Enhanced Packet       SYN, with the name of the session as its comment; SYN ACK; ACK. Or RST where nobody took the call
//! Decryption Secrets    lines of a TLS key log, always before the packets that need them
//! Enhanced Packet ...   data and ACK in both directions; FIN and ACK, or RST
//! ```
//!
//! What it keeps:
//! - each call ends with one write of whole blocks: the file of a program that was killed can be read to its last block;
//! - Wireshark's analysis of TCP has nothing to complain of: one segment is one write of the program, up to what an IP packet
//!   holds, in windows that never fill;
//! - nothing that is observed can break it: what a side sends after its end is left out;
//! - a capture changes nothing: when it cannot be written, it stops, and [`Capture::trouble`] says why.
//!
//! Passwords are in it, in the clear or behind the secrets of TLS that are in it as well: it is for its owner only.
//!
//! The format: draft-ietf-opsawg-pcapng. TCP: RFC 9293, window scale RFC 7323 §2, SACK permitted RFC 2018 §2.

mod frames;
mod many;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use self::frames::{Ends, Flags, Segment};
use self::many::{Each, Rotation};
pub use self::many::{OpenFor, OpenNext};
use super::keylog::KeySink;
use super::{Closing, Side, Wire};

/// A capture file, shared by all connections that are written to it; or several.
#[derive(Clone)]
pub struct Capture(Inner);

#[derive(Clone)]
enum Inner {
    One(Arc<Mutex<File>>),
    Each(Arc<Each>),
}

impl Capture {
    /// Begins a file. `sink` is written to without a buffer, whole blocks at a time.
    ///
    /// # Errors
    /// The sink's, of the first write.
    pub fn new(sink: Box<dyn Write + Send>) -> io::Result<Self> {
        let mut file = File {
            sink,
            blocks: Vec::new(),
            trouble: None,
            connections: 0,
            written: 0,
            part: 0,
            rotation: None,
        };
        file.section_header();
        file.interface();
        file.write();
        match file.trouble.take() {
            Some(error) => Err(error),
            None => Ok(Self(Inner::One(Arc::new(Mutex::new(file))))),
        }
    }

    /// A TCP connection that stands since `at`: writes its handshake, with `comment` on the first packet.
    pub fn stream(
        &self,
        at: SystemTime,
        client: SocketAddr,
        server: SocketAddr,
        comment: &str,
    ) -> Box<dyn Wire> {
        let file = match &self.0 {
            Inner::One(file) => file,
            Inner::Each(each) => {
                return each.wire(at, comment, |capture| {
                    capture.stream(at, client, server, comment)
                });
            }
        };
        let mut stream = Stream::new(file, client, server, comment);
        stream.handshake(at, comment);
        Box::new(stream)
    }

    /// A TCP connection that is asked for since `at`, and may come to nothing. `None` where each connection has a file of its own.
    pub fn call(
        &self,
        at: SystemTime,
        client: SocketAddr,
        server: SocketAddr,
        comment: &str,
    ) -> Option<Call> {
        let Inner::One(file) = &self.0 else {
            return None;
        };
        let mut stream = Stream::new(file, client, server, comment);
        stream.say(at, &[(Side::Client, Flags::Syn)], comment);
        Some(Call(stream))
    }

    /// UDP datagrams between two sockets, with `comment` on the first one.
    pub fn datagrams(
        &self,
        client: SocketAddr,
        server: SocketAddr,
        comment: &str,
    ) -> Box<dyn Wire> {
        let file = match &self.0 {
            Inner::One(file) => file,
            Inner::Each(each) => {
                return each.wire(SystemTime::now(), comment, |capture| {
                    capture.datagrams(client, server, comment)
                });
            }
        };
        Box::new(Datagrams {
            file: Arc::clone(file),
            ends: Ends::of_datagrams(client, server),
            comment: Some(comment.to_owned()),
        })
    }

    /// Where TLS puts its secrets, so that Wireshark can read what is captured.
    pub fn secrets(&self) -> Arc<dyn KeySink> {
        match &self.0 {
            Inner::One(file) => Arc::new(Secrets(Arc::clone(file))),
            Inner::Each(each) => Arc::clone(each) as Arc<dyn KeySink>,
        }
    }

    /// Why the file is not complete, if it is not.
    pub fn trouble(&self) -> Option<io::Error> {
        match &self.0 {
            Inner::One(file) => lock(file).trouble.as_ref().map(again),
            Inner::Each(each) => each.trouble(),
        }
    }
}

/// The same error once more.
fn again(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

/// Addresses for the `connection`th connection over a UNIX socket, which has none, as if it were one to `port` of this machine.
pub const fn stand_in(connection: u64, port: u16) -> (SocketAddr, SocketAddr) {
    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let clients = (u16::MAX - FIRST_USER_PORT) as u64;
    let client = FIRST_USER_PORT + (connection % clients) as u16;
    (
        SocketAddr::new(LOOPBACK, client),
        SocketAddr::new(LOOPBACK, port),
    )
}

/// RFC 6335 §6: ports below are the system's.
const FIRST_USER_PORT: u16 = 1024;
/// Spreads small numbers over 32 bits (2^32 divided by the golden ratio).
const SPREAD: u32 = 0x9e37_79b1;

/// The file, and the blocks that are next to be written.
struct File {
    sink: Box<dyn Write + Send>,
    blocks: Vec<u8>,
    /// After it nothing is written any more.
    trouble: Option<io::Error>,
    connections: u32,
    /// Octets of this part.
    written: u64,
    /// Which part is written, where there are several.
    part: u32,
    rotation: Option<Rotation>,
}

/// A tap has no better answer to a panic elsewhere than to go on: blocks are only ever written whole.
fn lock(file: &Mutex<File>) -> MutexGuard<'_, File> {
    file.lock().unwrap_or_else(PoisonError::into_inner)
}

impl File {
    fn write(&mut self) {
        if self.trouble.is_none()
            && let Err(error) = self
                .sink
                .write_all(&self.blocks)
                .and_then(|()| self.sink.flush())
        {
            self.trouble = Some(error);
        }
        self.written += self.blocks.len() as u64;
        self.blocks.clear();
        self.blocks.shrink_to(KEPT);
    }

    /// Goes on in the next file when this one is full.
    fn turn_over(&mut self) {
        let Some(rotation) = &mut self.rotation else {
            return;
        };
        if self.written < rotation.octets || self.trouble.is_some() {
            return;
        }
        match (rotation.next)() {
            Ok(sink) => self.sink = sink,
            Err(error) => return self.trouble = Some(error),
        }
        self.part += 1;
        self.written = 0;
        self.section_header();
        self.interface();
        self.write();
    }

    /// §4.1
    fn section_header(&mut self) {
        self.block(0x0a0d_0d0a, |body| {
            body.extend(0x1a2b_3c4d_u32.to_le_bytes());
            body.extend(1_u16.to_le_bytes());
            body.extend(0_u16.to_le_bytes());
            // The length of the section is not known.
            body.extend(u64::MAX.to_le_bytes());
            option(body, 2, std::env::consts::ARCH.as_bytes());
            option(body, 3, std::env::consts::OS.as_bytes());
            option(
                body,
                4,
                concat!("mailtool ", env!("CARGO_PKG_VERSION")).as_bytes(),
            );
            option(body, 0, &[]);
        });
    }

    /// §4.2
    fn interface(&mut self) {
        self.block(1, |body| {
            // LINKTYPE_ETHERNET, and no bound on the length of packets.
            body.extend(1_u16.to_le_bytes());
            body.extend([0; 6]);
            option(body, 2, b"mailtool");
            option(
                body,
                3,
                b"what mailtool's own sockets carried; headers of packets are made up",
            );
            // if_tsresol: 10^-9 s
            option(body, 9, &[9]);
            option(body, 0, &[]);
        });
    }

    /// §4.3, all of it in few steps: this is what there is most of.
    fn packet(&mut self, at: SystemTime, comment: &str, head: &[u8], payload: &[u8]) {
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let nanoseconds = since
            .as_secs()
            .wrapping_mul(1_000_000_000)
            .wrapping_add(u64::from(since.subsec_nanos()));
        let octets = (head.len() + payload.len()) as u32;
        let padding = octets.next_multiple_of(4) - octets;
        let start = self.blocks.len();
        let words = [
            6,
            0,
            0,
            (nanoseconds >> 32) as u32,
            nanoseconds as u32,
            octets,
            octets,
        ];
        self.blocks
            .reserve(4 * words.len() + octets as usize + comment.len() + 20);
        for word in words {
            self.blocks.extend_from_slice(&word.to_le_bytes());
        }
        self.blocks.extend_from_slice(head);
        self.blocks.extend_from_slice(payload);
        self.blocks.extend_from_slice(&[0; 4][..padding as usize]);
        if !comment.is_empty() {
            option(&mut self.blocks, 1, comment.as_bytes());
            option(&mut self.blocks, 0, &[]);
        }
        self.close_block(start);
    }

    /// §4.7
    fn secret(&mut self, line: &str) {
        self.block(0x0a, |body| {
            // "TLSK": a TLS key log.
            body.extend(0x544c_534b_u32.to_le_bytes());
            body.extend((line.len() as u32 + 1).to_le_bytes());
            let start = body.len();
            body.extend(line.as_bytes());
            body.push(b'\n');
            pad(body, start);
        });
    }

    /// §3.1: type, length, body, length.
    fn block(&mut self, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
        let start = self.blocks.len();
        self.blocks.extend(kind.to_le_bytes());
        self.blocks.extend([0; 4]);
        body(&mut self.blocks);
        self.close_block(start);
    }

    /// Its length, in both places.
    fn close_block(&mut self, start: usize) {
        let length = ((self.blocks.len() - start + 4) as u32).to_le_bytes();
        self.blocks[start + 4..start + 8].copy_from_slice(&length);
        self.blocks.extend_from_slice(&length);
    }
}

/// Memory that is kept from one write to the next.
const KEPT: usize = 128 * 1024;

/// §3.5
fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    // Comments are names of sessions: a few words.
    let value = &value[..value.len().min(LONGEST_OPTION)];
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    let start = body.len();
    body.extend(value);
    pad(body, start);
}

const LONGEST_OPTION: usize = 4096;

/// To a multiple of four octets from `start` on.
fn pad(body: &mut Vec<u8>, start: usize) {
    let length = (body.len() - start).next_multiple_of(4);
    body.resize(start + length, 0);
}

struct Secrets(Arc<Mutex<File>>);

impl KeySink for Secrets {
    fn line(&self, line: &str) {
        let mut file = lock(&self.0);
        file.secret(line);
        file.write();
    }
}

/// A call that nobody has answered.
pub struct Call(Stream);

impl Call {
    /// Somebody takes it; what comes of it is seen by this.
    pub fn taken(mut self, at: SystemTime) -> Box<dyn Wire> {
        let rest = [(Side::Server, Flags::SynAck), (Side::Client, Flags::Ack)];
        self.0.say(at, &rest, "");
        Box::new(self.0)
    }

    /// Nobody listens there.
    pub fn refused(mut self, at: SystemTime) {
        // RFC 9293 §3.10.7.1: a reset of what is no connection has the number 0.
        self.0.server.next = 0;
        self.0.say(at, &[(Side::Server, Flags::ResetAck)], "");
    }
}

/// A TCP connection.
struct Stream {
    file: Arc<Mutex<File>>,
    ends: Ends,
    client: Half,
    server: Half,
    /// Reset, or ended by both sides.
    over: bool,
    name: Box<str>,
    /// The part of the file that it was last written to.
    part: u32,
}

/// What one side sends.
struct Half {
    /// The sequence number of the next octet; goes round at 2^32 (RFC 9293 §3.4).
    next: u32,
    /// IP identification of the next packet.
    id: u16,
    ended: bool,
}

impl Half {
    const fn new(initial: u32) -> Self {
        Self {
            next: initial,
            id: 1,
            ended: false,
        }
    }
}

impl Stream {
    fn new(shared: &Arc<Mutex<File>>, client: SocketAddr, server: SocketAddr, name: &str) -> Self {
        let mut file = lock(shared);
        file.connections = file.connections.wrapping_add(1);
        // Two connections with the same ports, one after the other, must not look like one.
        let initial = file.connections.wrapping_mul(SPREAD);
        Self {
            file: Arc::clone(shared),
            ends: Ends::of_stream(client, server),
            client: Half::new(initial),
            server: Half::new(initial.rotate_left(16)),
            over: false,
            name: name.into(),
            part: file.part,
        }
    }

    fn handshake(&mut self, at: SystemTime, comment: &str) {
        let all = [
            (Side::Client, Flags::Syn),
            (Side::Server, Flags::SynAck),
            (Side::Client, Flags::Ack),
        ];
        self.say(at, &all, comment);
    }

    /// Segments without content; the comment is the first one's.
    fn say(&mut self, at: SystemTime, segments: &[(Side, Flags)], comment: &str) {
        let shared = Arc::clone(&self.file);
        let mut file = lock(&shared);
        let mut comment = comment;
        for (from, flags) in segments {
            self.segment(&mut file, at, *from, *flags, &[], comment);
            comment = "";
        }
        file.write();
    }

    /// In another part of the file than before it begins anew, one number before the next octet of each side.
    fn go_on(&mut self, file: &mut File, at: SystemTime) {
        if self.part == file.part {
            return;
        }
        self.part = file.part;
        for half in [&mut self.client, &mut self.server] {
            half.next = half.next.wrapping_sub(1);
        }
        let comment = format!("{}, continued from the file before", self.name);
        self.segment(file, at, Side::Client, Flags::Syn, &[], &comment);
        self.segment(file, at, Side::Server, Flags::SynAck, &[], "");
        self.segment(file, at, Side::Client, Flags::Ack, &[], "");
    }

    fn segment(
        &mut self,
        file: &mut File,
        at: SystemTime,
        from: Side,
        flags: Flags,
        payload: &[u8],
        comment: &str,
    ) {
        let (sender, receiver) = match from {
            Side::Client => (&mut self.client, &self.server),
            Side::Server => (&mut self.server, &self.client),
        };
        let segment = Segment {
            id: sender.id,
            sequence: sender.next,
            acknowledged: receiver.next,
            flags,
            payload,
        };
        sender.id = sender.id.wrapping_add(1);
        sender.next = sender.next.wrapping_add(segment.length());
        let head = segment.head(self.ends.from(from));
        file.packet(at, comment, head.octets(), payload);
    }

    fn is_silent(&self, side: Side) -> bool {
        self.over
            || match side {
                Side::Client => self.client.ended,
                Side::Server => self.server.ended,
            }
    }
}

impl Wire for Stream {
    fn crossed(&mut self, at: SystemTime, side: Side, octets: &[u8]) {
        if self.is_silent(side) {
            return;
        }
        let shared = Arc::clone(&self.file);
        let mut file = lock(&shared);
        self.go_on(&mut file, at);
        let mut pieces = octets.chunks(self.ends.segment_octets()).peekable();
        while let Some(piece) = pieces.next() {
            let flags = match pieces.peek() {
                Some(_) => Flags::Ack,
                None => Flags::PushAck,
            };
            self.segment(&mut file, at, side, flags, piece, "");
            self.segment(&mut file, at, side.other(), Flags::Ack, &[], "");
        }
        file.write();
        file.turn_over();
    }

    fn closed(&mut self, at: SystemTime, side: Side, how: Closing) {
        if self.over || how == Closing::End && self.is_silent(side) {
            return;
        }
        let shared = Arc::clone(&self.file);
        let mut file = lock(&shared);
        self.go_on(&mut file, at);
        match how {
            Closing::End => {
                self.segment(&mut file, at, side, Flags::FinAck, &[], "");
                self.segment(&mut file, at, side.other(), Flags::Ack, &[], "");
                match side {
                    Side::Client => self.client.ended = true,
                    Side::Server => self.server.ended = true,
                }
                self.over = self.client.ended && self.server.ended;
            }
            Closing::Reset => {
                self.segment(&mut file, at, side, Flags::ResetAck, &[], "");
                self.over = true;
            }
        }
        file.write();
    }
}

/// UDP between two sockets.
struct Datagrams {
    file: Arc<Mutex<File>>,
    ends: Ends,
    /// For the first packet.
    comment: Option<String>,
}

impl Wire for Datagrams {
    /// Each call is one datagram; one that UDP could not hold, as UNIX sockets may send, is shown as several.
    fn crossed(&mut self, at: SystemTime, side: Side, octets: &[u8]) {
        let mut file = lock(&self.file);
        let headers = self.ends.from(side);
        let mut rest = octets;
        loop {
            let (datagram, more) = rest.split_at(rest.len().min(frames::DATAGRAM));
            let comment = self.comment.take().unwrap_or_default();
            let head = frames::datagram_head(headers, datagram);
            file.packet(at, &comment, head.octets(), datagram);
            rest = more;
            if rest.is_empty() {
                break;
            }
        }
        file.write();
        file.turn_over();
    }

    /// UDP has no end.
    fn closed(&mut self, _at: SystemTime, _side: Side, _how: Closing) {}
}
