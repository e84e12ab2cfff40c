//! Plays a dialogue against a server session: no sockets, no threads, no waiting.
//!
//! Bytes go through [`mailtool::proto::pump`], as in the reactor; jobs are run on the spot; the clock is what the dialogue
//! says it is. One dialogue is played many times, with the client's octets cut differently ([`Feeding`]), and must go the
//! same way each time.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use mailtool::proto::{Epoch, Front, Input, Out, Peer, Session, TlsInfo, Wish, pump};
use mailtool::store::Store;
use mailtool::tap::Side;
use mailtool::wire::lines::{LineReader, Want};

use super::pattern::Names;
use super::script::{Action, Delivery, Dialog};
use super::services::Stage;

/// How the client's octets reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feeding {
    /// All that the client says before it listens again, at once.
    Whole,
    /// One by one.
    Octets,
    /// Whole, but for one cut after so many octets of all that the client says.
    CutAt(usize),
}

/// Where a dialogue went another way.
#[derive(Clone, Debug)]
pub struct Failure {
    pub file: String,
    pub line: usize,
    pub how: String,
    pub expected: String,
    pub got: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{} ({})\n  expected: {}\n  got:      {}",
            self.file, self.line, self.how, self.expected, self.got
        )
    }
}

/// Plays it whole, octet by octet, and cut at every position, each time on a new stage.
pub fn play_all(
    dialog: &Dialog,
    stage: &dyn Fn(&Dialog) -> Result<Stage, String>,
) -> Result<(), Failure> {
    let play = |feeding| -> Result<usize, Failure> {
        let stage = stage(dialog).map_err(|problem| Failure {
            file: dialog.path.display().to_string(),
            line: 1,
            how: "setting the stage".into(),
            expected: "a server as given".into(),
            got: problem,
        })?;
        Player::new(dialog, &stage, feeding).play()
    };
    let octets = play(Feeding::Whole)?;
    play(Feeding::Octets)?;
    let step = octets.div_ceil(MAX_CUTS).max(1);
    for cut in (1..octets).step_by(step) {
        play(Feeding::CutAt(cut))?;
    }
    Ok(())
}

/// Runs of one dialogue for the sake of cuts. A longer one is cut at so many places, evenly.
const MAX_CUTS: usize = 256;

/// One playing.
struct Player<'a> {
    dialog: &'a Dialog,
    stage: &'a Stage,
    feeding: Feeding,
    now: Instant,
    epoch: Epoch,
    names: Names,
    wires: BTreeMap<u32, Wire<'static>>,
    /// Octets that the client has said, on all connections.
    said: usize,
    /// Tokens of sessions whose mailbox changed.
    woken: Arc<Mutex<Vec<u64>>>,
}

impl<'a> Player<'a> {
    fn new(dialog: &'a Dialog, stage: &'a Stage, feeding: Feeding) -> Self {
        let now = Instant::now();
        let woken = Arc::new(Mutex::new(Vec::new()));
        if let Some(store) = &stage.store {
            let woken = Arc::clone(&woken);
            store.hub().set_waker(Box::new(move |token| {
                woken.lock().expect("no panic inside").push(token);
            }));
        }
        Self {
            dialog,
            stage,
            feeding,
            now,
            epoch: Epoch {
                instant: now,
                wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
            },
            names: Names::new(),
            wires: BTreeMap::new(),
            said: 0,
            woken,
        }
    }

    /// Plays to the end; returns how many octets the client said.
    fn play(mut self) -> Result<usize, Failure> {
        let mut at = 0;
        while let Some(step) = self.dialog.steps.get(at) {
            self.connect(step.connection);
            if step.action.is_said() {
                let steps = &self.dialog.steps[at..];
                let run = steps
                    .iter()
                    .take_while(|s| s.connection == step.connection && s.action.is_said())
                    .count();
                self.say(at..at + run)?;
                at += run;
                continue;
            }
            self.step(at)?;
            at += 1;
        }
        let last = self.dialog.steps.last().map_or(1, |step| step.line);
        for (number, wire) in &mut self.wires {
            if !wire.unread().is_empty() {
                let got = format!("connection {number}: {}", readable(wire.unread()));
                return Err(self.dialog_failure(last, "nothing more".into(), got));
            }
        }
        Ok(self.said)
    }

    fn step(&mut self, at: usize) -> Result<(), Failure> {
        let step = &self.dialog.steps[at];
        match &step.action {
            Action::Say(..) | Action::Send(_) => unreachable!("said in runs"),
            Action::Line(pattern) => {
                let wire = wire(&mut self.wires, step.connection);
                let matched = wire
                    .next_line()
                    .is_some_and(|line| pattern.matches(line, &mut self.names));
                if !matched {
                    return Err(self.missed(at));
                }
                wire.take_line();
            }
            Action::AnyLines => {
                let next = self.dialog.steps[at + 1..]
                    .iter()
                    .find(|next| next.connection == step.connection);
                let until = match next.map(|next| &next.action) {
                    Some(Action::Line(pattern)) => Some(pattern),
                    _ => None,
                };
                let wire = wire(&mut self.wires, step.connection);
                while let Some(line) = wire.next_line() {
                    if until.is_some_and(|next| next.matches(line, &mut self.names.clone())) {
                        break;
                    }
                    wire.take_line();
                }
            }
            Action::Exactly(octets) => {
                let wire = wire(&mut self.wires, step.connection);
                if !wire.unread().starts_with(octets) {
                    return Err(self.missed(at));
                }
                wire.read += octets.len();
            }
            Action::ServerCloses => {
                let wire = wire(&mut self.wires, step.connection);
                if !wire.closed || !wire.unread().is_empty() {
                    return Err(self.missed(at));
                }
            }
            Action::ClientEnds => {
                wire(&mut self.wires, step.connection).client_ended = true;
                self.settle();
            }
            Action::Lost => {
                let wire = wire(&mut self.wires, step.connection);
                wire.session = None;
                wire.closed = true;
            }
            Action::Clock(jump) => self.advance(self.now + *jump),
            Action::TlsUp => {
                let info = self.tls_info();
                let wire = wire(&mut self.wires, step.connection);
                if !wire.start_tls(self.now, info) {
                    let got = if wire.closed {
                        "the connection was closed"
                    } else {
                        "it did not ask for TLS"
                    };
                    return Err(self.failure(at, "the server starts TLS".into(), got.into()));
                }
                self.settle();
            }
            Action::Stop => {
                let now = self.now;
                for wire in self.wires.values_mut() {
                    wire.handle(now, Input::Stop);
                }
                self.settle();
            }
            Action::Mail(delivery) => {
                self.stage
                    .deliver(delivery)
                    .map_err(|e| self.failure(at, describe_mail(delivery), e))?;
                self.settle();
            }
        }
        Ok(())
    }

    /// The client says all of a run of steps, cut as the feeding has it.
    fn say(&mut self, run: std::ops::Range<usize>) -> Result<(), Failure> {
        let mut octets = Vec::new();
        for at in run.clone() {
            match &self.dialog.steps[at].action {
                Action::Say(pattern, end) => {
                    let filled = pattern
                        .fill(&self.names)
                        .map_err(|e| self.failure(at, "something to say".into(), e))?;
                    octets.extend(filled);
                    octets.extend(*end);
                }
                Action::Send(bytes) => octets.extend(bytes),
                _ => unreachable!("only what is said"),
            }
        }
        let connection = self.dialog.steps[run.start].connection;
        if wire(&mut self.wires, connection).closed {
            let expected = "the server listens".to_owned();
            return Err(self.failure(run.start, expected, "it has closed".into()));
        }
        let mut pieces: Vec<&[u8]> = match self.feeding {
            Feeding::Whole => vec![&octets],
            Feeding::Octets => octets.chunks(1).collect(),
            Feeding::CutAt(cut) if cut > self.said && cut < self.said + octets.len() => {
                let (before, after) = octets.split_at(cut - self.said);
                vec![before, after]
            }
            Feeding::CutAt(_) => vec![&octets],
        };
        self.said += octets.len();
        for piece in pieces.drain(..) {
            wire(&mut self.wires, connection).unsent.extend(piece);
            self.settle();
        }
        Ok(())
    }

    fn connect(&mut self, connection: u32) {
        if self.wires.contains_key(&connection) {
            return;
        }
        let given = &self.dialog.given;
        let session = self.stage.service.session(Peer {
            token: u64::from(connection),
            remote: Some(SocketAddr::new(given.peer, 40_000)),
            local: Some(SocketAddr::from(([127, 0, 0, 1], 1024))),
            accepted: Epoch {
                instant: self.now,
                wall: self.epoch.wall(self.now),
            },
            seed: [7; 16],
            refused: None,
            proxy: None,
        });
        let mut wire = Wire::new(session, Side::Server, self.now);
        if given.secure {
            wire.handle(self.now, Input::TlsUp(self.tls_info()));
        }
        wire.handle(self.now, Input::Open);
        self.wires.insert(connection, wire);
        self.settle();
    }

    /// Lets everything happen that can happen without time passing.
    fn settle(&mut self) {
        let store = self.stage.store.as_deref();
        for _ in 0..MAX_TURNS {
            for wire in self.wires.values_mut() {
                wire.settle(self.now, store);
            }
            let woken = std::mem::take(&mut *self.woken.lock().expect("no panic inside"));
            if woken.is_empty() {
                return;
            }
            for (number, wire) in &mut self.wires {
                if woken.contains(&u64::from(*number)) {
                    wire.handle(self.now, Input::Changed);
                }
            }
        }
        panic!(
            "{}: sessions never come to rest",
            self.dialog.path.display()
        );
    }

    fn advance(&mut self, target: Instant) {
        for _ in 0..MAX_TURNS {
            let due = self
                .wires
                .iter()
                .filter(|(_, wire)| !wire.closed)
                .filter_map(|(number, wire)| Some((wire.session.as_ref()?.deadline()?, *number)))
                .min()
                .filter(|(deadline, _)| *deadline <= target);
            let Some((deadline, number)) = due else {
                self.now = target;
                return;
            };
            self.now = self.now.max(deadline);
            wire(&mut self.wires, number).handle(self.now, Input::Timeout);
            self.settle();
        }
        panic!(
            "{}: a deadline that passed stays the deadline",
            self.dialog.path.display()
        );
    }

    fn tls_info(&self) -> TlsInfo {
        TlsInfo {
            version: "TLSv1.3",
            cipher: "TLS13_AES_256_GCM_SHA384",
            end_point: Some(Box::new([7; 32])),
            ..TlsInfo::default()
        }
    }

    /// The server said something else than the step at `at` expects.
    fn missed(&mut self, at: usize) -> Failure {
        let step = &self.dialog.steps[at];
        let wire = wire(&mut self.wires, step.connection);
        let got = match (wire.unread(), wire.closed) {
            ([], true) => "the server closed".to_owned(),
            ([], false) => "nothing".to_owned(),
            (unread, _) => readable(unread),
        };
        let expected = match &step.action {
            Action::Exactly(octets) => readable(octets),
            _ => self.dialog.line(step.line).to_owned(),
        };
        self.failure(at, expected, got)
    }

    fn failure(&self, at: usize, expected: String, got: String) -> Failure {
        self.dialog_failure(self.dialog.steps[at].line, expected, got)
    }

    fn dialog_failure(&self, line: usize, expected: String, got: String) -> Failure {
        Failure {
            file: self.dialog.path.display().to_string(),
            line,
            how: match self.feeding {
                Feeding::Whole => "fed whole".into(),
                Feeding::Octets => "fed octet by octet".into(),
                Feeding::CutAt(cut) => {
                    format!("cut after {cut} of the octets that the client says")
                }
            },
            expected,
            got,
        }
    }
}

/// Turns after which sessions that still have something to do are taken to be in a circle.
const MAX_TURNS: usize = 10_000;

fn wire<'a>(wires: &'a mut BTreeMap<u32, Wire<'static>>, connection: u32) -> &'a mut Wire<'static> {
    wires
        .get_mut(&connection)
        .expect("connected at first sight")
}

fn describe_mail(delivery: &Delivery) -> String {
    format!("mail for {} is delivered", delivery.user)
}

/// One connection: a session, and what stands for its socket.
pub struct Wire<'s> {
    /// `None` once the connection is lost.
    pub session: Option<Box<dyn Session + 's>>,
    reader: LineReader,
    pub out: Out,
    /// What the peer has said, and the session has no room for yet.
    pub unsent: Vec<u8>,
    /// What the session has said.
    received: Vec<u8>,
    /// How much of it has been looked at.
    pub read: usize,
    /// The peer says no more.
    pub client_ended: bool,
    told_of_end: bool,
    pub closed: bool,
}

impl<'s> Wire<'s> {
    pub fn new(session: Box<dyn Session + 's>, side: Side, now: Instant) -> Self {
        Self {
            session: Some(session),
            reader: LineReader::new(),
            out: Out::new(side, now, None),
            unsent: Vec::new(),
            received: Vec::new(),
            read: 0,
            client_ended: false,
            told_of_end: false,
            closed: false,
        }
    }

    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        if let Some(session) = self.session.as_mut().filter(|_| !self.closed) {
            self.out.set_now(now);
            session.handle(now, input, &mut self.out);
        }
    }

    /// What the session has said and nobody has looked at.
    pub fn unread(&self) -> &[u8] {
        &self.received[self.read..]
    }

    /// The next line that the session has said, without its CRLF.
    pub fn next_line(&self) -> Option<&[u8]> {
        let unread = self.unread();
        let end = unread.windows(2).position(|pair| pair == b"\r\n")?;
        Some(&unread[..end])
    }

    pub fn take_line(&mut self) {
        let octets = self.next_line().map_or(0, |line| line.len() + 2);
        self.read += octets;
    }

    /// Does what the reactor does between two waits: feeds, sends, runs jobs.
    pub fn settle(&mut self, now: Instant, store: Option<&Store>) {
        for _ in 0..MAX_TURNS {
            if self.closed {
                // What the session holds, a lock on a mailbox say, goes with the connection.
                self.session = None;
            }
            if self.session.is_none() {
                return;
            }
            let fed = self.feed();
            self.pump(now);
            if let Some(job) = self.out.take_job() {
                let answer = job.run(store.expect("a job has a store"));
                self.handle(now, Input::Done(answer));
                self.drain(now);
                continue;
            }
            let sent = self.drain(now);
            match self.out.wish() {
                Some(Wish::Close | Wish::Reset) => self.closed = true,
                // RFC 3207 §6: what came before TLS stands must not be taken for what came inside it.
                Some(Wish::StartTls) => self.closed = self.reader.pending() > 0,
                // Dialogues have no compression: what is written in them is what comes out of it.
                Some(Wish::Compress | Wish::CompressNoMore) => {
                    self.out.take_wish();
                    continue;
                }
                None if self.client_ended && !self.told_of_end && self.all_cut() => {
                    self.told_of_end = true;
                    self.handle(now, Input::Eof);
                    continue;
                }
                None => {}
            }
            if !fed && !sent && !self.closed {
                return;
            }
        }
        panic!("a session that never comes to rest");
    }

    /// Whether nothing is left but half a line: the end of the stream comes after the last whole cut.
    fn all_cut(&self) -> bool {
        let waits = |session: &dyn Session| session.want() == Want::Nothing;
        self.unsent.is_empty() && !self.session.as_deref().is_some_and(waits)
    }

    /// TLS comes up, if that is what the session asked for.
    pub fn start_tls(&mut self, now: Instant, info: TlsInfo) -> bool {
        if self.closed || self.out.wish() != Some(Wish::StartTls) {
            return false;
        }
        self.out.take_wish();
        self.reader.reset();
        self.handle(now, Input::TlsUp(info));
        true
    }

    fn pump(&mut self, now: Instant) {
        if let Some(session) = &mut self.session {
            pump(&mut self.reader, session.as_mut(), now, &mut self.out);
        }
    }

    /// Moves what the peer said into the receive buffer, as far as there is room.
    fn feed(&mut self) -> bool {
        if self.unsent.is_empty() {
            return false;
        }
        let space = self.reader.space();
        let octets = space.len().min(self.unsent.len());
        space[..octets].copy_from_slice(&self.unsent[..octets]);
        self.reader.filled(octets);
        self.unsent.drain(..octets);
        octets > 0
    }

    /// Takes what the session said, as a peer does that reads at once.
    fn drain(&mut self, now: Instant) -> bool {
        let was_full = self.out.is_full();
        let mut sent = false;
        while let Some(front) = self.out.front() {
            let octets = match front {
                Front::Bytes(bytes) => {
                    self.received.extend_from_slice(bytes);
                    bytes.len()
                }
                Front::Extent(extent, from) => {
                    let mut buffer = vec![0; 64 * 1024];
                    let octets = extent.read_at(&mut buffer, from).expect("readable");
                    assert!(octets > 0, "a file is shorter than it was");
                    self.received.extend_from_slice(&buffer[..octets]);
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

/// At most a few lines of octets, with what a terminal would hide made visible.
pub fn readable(octets: &[u8]) -> String {
    let shown = &octets[..octets.len().min(600)];
    let mut text = String::new();
    for &byte in shown {
        match byte {
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n\n            "),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    if shown.len() < octets.len() {
        text.push_str(&format!(
            " ... and {} more octets",
            octets.len() - shown.len()
        ));
    }
    text.trim_end().to_owned()
}
