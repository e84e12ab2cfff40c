//! Plays an input against a session: what a peer says, and what else happens meanwhile.
//!
//! The first octet is the [`Plan`]. After it comes what the peer says; the octet FF, which no dialogue has, makes something
//! happen, by what follows it:
//!
//! | after FF | |
//! |---|---|
//! | `1` to `3` | what follows is said on this connection |
//! | `T` | the next deadline passes |
//! | `M` | mail comes in; a client is woken |
//! | `E` | the peer says no more |
//! | `L` | the connection is lost |
//! | `S` | the program is asked to stop |
//! | `.` | what was said so far is one flight |
//! | anything else | nothing: it is said |
//!
//! TLS comes up when it is asked for. `tests/dialogs.rs` writes dialogues down like this.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use mailtool::limits;
use mailtool::proto::{Epoch, Front, Input, Out, Peer, Session, TlsInfo, Wish, pump};
use mailtool::store::Store;
use mailtool::tap::Side;
use mailtool::wire::lines::{LineReader, Want};

use crate::stage::Stage;

/// How an input is played: its first octet.
#[derive(Clone, Copy, Debug)]
pub struct Plan(pub u8);

impl Plan {
    /// Octets that come at a time in the second playing; none: there is only one.
    pub const fn piece(self) -> Option<usize> {
        match self.0 & 3 {
            0 => None,
            1 => Some(1),
            2 => Some(3),
            _ => Some(100),
        }
    }

    /// Whether STARTTLS is to be had.
    pub const fn tls(self) -> bool {
        self.0 & 4 != 0
    }

    /// Which of several servers or errands.
    pub const fn variant(self) -> usize {
        (self.0 >> 3) as usize
    }
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    Says(&'a [u8]),
    Connection(u8),
    Deadline,
    Mail,
    End,
    Lost,
    Stop,
}

/// All that an input makes happen.
pub fn events(mut input: &[u8]) -> Vec<Event<'_>> {
    let mut events = Vec::new();
    let mut from = 0;
    while let Some(at) = input[from..].iter().position(|&octet| octet == 0xff) {
        let at = from + at;
        let event = match input.get(at + 1) {
            Some(number @ b'1'..=b'3') => Some(Event::Connection(*number)),
            Some(b'T') => Some(Event::Deadline),
            Some(b'M') => Some(Event::Mail),
            Some(b'E') => Some(Event::End),
            Some(b'L') => Some(Event::Lost),
            Some(b'S') => Some(Event::Stop),
            Some(b'.') => None,
            _ => {
                from = at + 1;
                continue;
            }
        };
        if at > 0 {
            events.push(Event::Says(&input[..at]));
        }
        events.extend(event);
        input = &input[at + 2..];
        from = 0;
    }
    if !input.is_empty() {
        events.push(Event::Says(input));
    }
    events
}

/// Plays against a server; what it said on each connection.
pub fn with_server(stage: &Stage, events: &[Event<'_>], piece: usize) -> BTreeMap<u8, Vec<u8>> {
    let woken = Arc::new(Mutex::new(Vec::new()));
    let hear = Arc::clone(&woken);
    stage.store.hub().set_waker(Box::new(move |token| {
        hear.lock().expect("no panic inside").push(token);
    }));
    let epoch = Epoch {
        instant: Instant::now(),
        wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
    };
    let mut now = epoch.instant;
    let mut wires: BTreeMap<u8, Wire<'_>> = BTreeMap::new();
    let mut current = b'1';
    for event in [Event::Connection(b'1')].iter().chain(events) {
        if let Event::Connection(number) = *event {
            current = number;
        }
        let wire = wires.entry(current).or_insert_with(|| {
            let session = stage.service.session(Peer {
                token: u64::from(current),
                remote: Some(SocketAddr::from(([127, 0, 0, 1], 40_000))),
                local: Some(SocketAddr::from(([127, 0, 0, 1], 1024))),
                accepted: Epoch {
                    instant: now,
                    wall: epoch.wall(now),
                },
                seed: [7; 16],
                refused: None,
                proxy: None,
            });
            let mut wire = Wire::new(session, Side::Server, now);
            wire.handle(now, Input::Open);
            wire
        });
        match *event {
            Event::Connection(_) => wire.say(&[], piece, &mut now, Some(&stage.store)),
            Event::Says(octets) => wire.say(octets, piece, &mut now, Some(&stage.store)),
            Event::Deadline => wire.deadline_passes(&mut now),
            Event::Mail => stage.deliver(MAIL),
            Event::End => wire.ended = true,
            Event::Lost => wire.session = None,
            Event::Stop => wire.handle(now, Input::Stop),
        }
        for turn in 0.. {
            assert!(turn < 1000, "sessions wake each other for ever");
            for wire in wires.values_mut() {
                wire.say(&[], piece, &mut now, Some(&stage.store));
            }
            let woken = std::mem::take(&mut *woken.lock().expect("no panic inside"));
            if woken.is_empty() {
                break;
            }
            for (&number, wire) in &mut wires {
                if woken.contains(&u64::from(number)) {
                    wire.handle(now, Input::Changed);
                }
            }
        }
    }
    wires
        .into_iter()
        .map(|(number, wire)| (number, wire.said))
        .collect()
}

/// Plays against a client; what it said.
pub fn with_client(session: Box<dyn Session + '_>, events: &[Event<'_>], piece: usize) -> Vec<u8> {
    let mut now = Instant::now();
    let mut wire = Wire::new(session, Side::Client, now);
    wire.handle(now, Input::Open);
    for event in events {
        let mut octets: &[u8] = &[];
        match *event {
            Event::Says(said) => octets = said,
            Event::Deadline => wire.deadline_passes(&mut now),
            Event::End => wire.ended = true,
            Event::Lost => break,
            Event::Stop => wire.handle(now, Input::Stop),
            // Who feeds it has something for it, or wakes it for nothing.
            Event::Mail => wire.handle(now, Input::Changed),
            Event::Connection(_) => {}
        }
        wire.say(octets, piece, &mut now, None);
    }
    wire.ended = true;
    wire.say(&[], piece, &mut now, None);
    wire.said
}

const MAIL: &[u8] = b"From: bob@example.net\r\nTo: alice@mail.example.org\r\nSubject: =?utf-8?q?=C3=89t=C3=A9?=\r\n\
    Date: Sat, 1 Jan 2000 00:00:00 +0000\r\nMessage-ID: <1@example.net>\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nplain\r\n.dot\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
    Subject: inner\r\n\r\ntext\r\n--b--\r\n";

/// One connection: a session, and what stands for its socket.
struct Wire<'s> {
    session: Option<Box<dyn Session + 's>>,
    reader: LineReader,
    out: Out,
    side: Side,
    said: Vec<u8>,
    ended: bool,
    told_of_end: bool,
}

impl<'s> Wire<'s> {
    fn new(session: Box<dyn Session + 's>, side: Side, now: Instant) -> Self {
        Self {
            session: Some(session),
            reader: LineReader::new(),
            out: Out::new(side, now, None),
            side,
            said: Vec::new(),
            ended: false,
            told_of_end: false,
        }
    }

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        if let Some(session) = &mut self.session
            && !matches!(self.out.wish(), Some(Wish::Close | Wish::Reset))
        {
            session.handle(now, input, &mut self.out);
        }
    }

    /// The peer says `octets`, and everything happens that follows without waiting.
    fn say(&mut self, mut octets: &[u8], piece: usize, now: &mut Instant, store: Option<&Store>) {
        for turn in 0.. {
            assert!(turn < 1_000_000, "a session that never comes to rest");
            let Some(session) = &mut self.session else {
                return;
            };
            let space = self.reader.space();
            let count = piece.min(octets.len()).min(space.len());
            space[..count].copy_from_slice(&octets[..count]);
            self.reader.filled(count);
            octets = &octets[count..];
            pump(&mut self.reader, session.as_mut(), *now, &mut self.out);
            self.check_memory();
            if let Some(job) = self.out.take_job() {
                let answer = job.run(store.expect("clients have no jobs"));
                self.handle(*now, Input::Done(answer));
                self.check_memory();
                continue;
            }
            if self.drain(*now) || count > 0 {
                continue;
            }
            let waits = self.session.as_ref().map(|session| session.want()) == Some(Want::Nothing);
            match self.out.wish() {
                Some(Wish::Close | Wish::Reset) => self.session = None,
                // RFC 3207 §6: what came before TLS stands must not be taken for what came inside it.
                // The codec has a target of its own.
                Some(Wish::Compress | Wish::CompressNoMore) => {
                    self.out.take_wish();
                }
                Some(Wish::StartTls) if self.reader.pending() > 0 || !octets.is_empty() => {
                    self.session = None;
                }
                Some(Wish::StartTls) => {
                    self.out.take_wish();
                    self.reader.reset();
                    self.handle(*now, Input::TlsUp(tls_info()));
                }
                None if waits && (self.reader.pending() > 0 || self.ended) => {
                    // It holds an answer back.
                    if !self.deadline_is_soon(*now) {
                        return;
                    }
                    self.deadline_passes(now);
                }
                None if self.ended && !self.told_of_end => {
                    self.told_of_end = true;
                    self.handle(*now, Input::Eof);
                }
                None => return,
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.session.as_ref()?.deadline()
    }

    fn deadline_is_soon(&self, now: Instant) -> bool {
        self.deadline()
            .is_some_and(|deadline| deadline <= now + limits::LOGIN_PAUSE_MOST)
    }

    fn deadline_passes(&mut self, now: &mut Instant) {
        if let Some(deadline) = self.deadline() {
            *now = deadline.max(*now);
            self.handle(*now, Input::Timeout);
        }
    }

    /// A session may go on until the bound, and then say what one more input makes it say.
    fn check_memory(&self) {
        let held: usize = self.out.waiting().map(|front| in_memory(&front)).sum();
        // A client is the program's own, and holds its message anyway.
        let bound = limits::SEND_HIGH + limits::IMAP_RESPONSE + limits::IMAP_EXTENT as usize;
        assert!(
            self.side == Side::Client || held <= bound,
            "{held} octets wait for the peer, in memory"
        );
    }

    fn drain(&mut self, now: Instant) -> bool {
        let was_full = self.out.is_full();
        let mut sent = false;
        while let Some(front) = self.out.front() {
            let octets = match front {
                Front::Bytes(bytes) => {
                    self.said.extend_from_slice(bytes);
                    bytes.len()
                }
                Front::Extent(extent, from) => {
                    let mut buffer = vec![0; 64 * 1024];
                    let octets = extent.read_at(&mut buffer, from).expect("readable");
                    assert!(octets > 0, "a file is shorter than it was");
                    self.said.extend_from_slice(&buffer[..octets]);
                    octets
                }
            };
            self.out.advance(octets);
            sent = true;
        }
        if was_full {
            self.handle(now, Input::Room);
        }
        sent
    }
}

fn in_memory(front: &Front<'_>) -> usize {
    match front {
        Front::Bytes(bytes) => bytes.len(),
        Front::Extent(..) => 0,
    }
}

fn tls_info() -> TlsInfo {
    TlsInfo {
        version: "TLSv1.3",
        cipher: "TLS13_AES_256_GCM_SHA384",
        ..TlsInfo::default()
    }
}
