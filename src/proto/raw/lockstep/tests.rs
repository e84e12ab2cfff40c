//! Whole sessions, the server's octets and the typed ones cut at every position.

mod ends;
mod pace;
mod protocols;
mod scripts;

use super::*;
use crate::limits;
use crate::proto::{Front, TlsInfo, Verdict, Wish, pump};
use crate::tap::Side;
use crate::wire::lines::LineReader;

/// What a user sees.
#[derive(Default)]
struct Seen {
    octets: Vec<u8>,
    explained: String,
    notes: Vec<String>,
    full: bool,
}

impl Screen for Seen {
    fn received(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }
    fn explain(&mut self, reply: &[u8], lines: &str) {
        assert!(!reply.is_empty());
        self.explained.push_str(lines);
    }
    fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }
    fn tagged(&mut self, tag: &str) {
        self.notes.push(tag.to_owned());
    }
    fn is_full(&self) -> bool {
        self.full
    }
}

fn options(protocol: Option<Protocol>, keyboard: Keyboard) -> Options {
    Options {
        protocol,
        greeting: Greeting::Awaited,
        keyboard,
        explain: None,
        idle: None,
        stay: Stay::No,
        interval: None,
        checks: Checks::First,
        timing: Timing::Untold,
    }
}

fn script(protocol: Protocol) -> Options {
    options(Some(protocol), Keyboard::Other)
}

/// A session and its network.
struct Play {
    session: LockStep<Seen>,
    reader: LineReader,
    out: Out,
    now: Instant,
}

impl Play {
    fn new(options: Options) -> Self {
        let now = Instant::now();
        let mut play = Self {
            session: LockStep::new(now, options, Seen::default()),
            reader: LineReader::new(),
            out: Out::new(Side::Client, now, None),
            now,
        };
        play.session.handle(now, Input::Open, &mut play.out);
        play
    }

    /// What was sent since it was last asked.
    fn sent(&mut self) -> String {
        let mut sent = Vec::new();
        while let Some(Front::Bytes(bytes)) = self.out.front() {
            let octets = bytes.len();
            sent.extend_from_slice(bytes);
            self.out.advance(octets);
        }
        self.session.handle(self.now, Input::Room, &mut self.out);
        String::from_utf8(sent).expect("the tests type UTF-8")
    }

    fn types(&mut self, text: &str, piece: usize) {
        for octets in text.as_bytes().chunks(piece) {
            self.session.typed(self.now, octets, &mut self.out);
        }
    }

    fn types_no_more(&mut self) {
        self.session.typed_end(self.now, &mut self.out);
    }

    fn says(&mut self, text: &str, piece: usize) {
        for octets in text.as_bytes().chunks(piece) {
            self.reader.push(octets);
            pump(&mut self.reader, &mut self.session, self.now, &mut self.out);
        }
    }

    fn starts_tls(&mut self) {
        assert_eq!(self.out.take_wish(), Some(Wish::StartTls));
        self.reader.reset();
        let tls = TlsInfo {
            version: "TLSv1.3",
            cipher: "TLS13_AES_256_GCM_SHA384",
            verdict: Verdict::Good,
            ..TlsInfo::default()
        };
        self.session
            .handle(self.now, Input::TlsUp(tls), &mut self.out);
    }

    fn closes(&mut self) {
        self.session.handle(self.now, Input::Eof, &mut self.out);
    }

    /// Time passes, and deadlines with it.
    fn waits(&mut self, duration: Duration) {
        self.now += duration;
        if self.session.deadline().is_some_and(|due| due <= self.now) {
            self.session.handle(self.now, Input::Timeout, &mut self.out);
        }
    }

    fn failure(&self) -> String {
        match self.session.ending() {
            Some(Ending::Failed(failure)) => failure.to_string(),
            other => panic!("it ended {other:?}"),
        }
    }
}

/// The server's end of a dialogue.
const EOF: &str = "[eof]";
/// TLS comes up.
const TLS: &str = "[tls]";

/// All of `typed` is there from the beginning; what the server says, and what must be sent to it: whole, octet by octet, and in pieces of
/// every length. How it ended.
fn play(options: &Options, typed: &str, steps: &[(&str, &str)]) -> Ending {
    let longest = steps.iter().map(|step| step.0.len()).max().unwrap_or(1);
    let mut endings: Vec<Ending> = Vec::new();
    for piece in 1..=longest.max(typed.len()) {
        let mut play = Play::new(options.clone());
        play.types(typed, piece);
        play.types_no_more();
        assert_eq!(play.sent(), "", "before the greeting");
        let mut said = String::new();
        for (server, expected) in steps {
            match *server {
                EOF => play.closes(),
                TLS => play.starts_tls(),
                text => {
                    play.says(text, piece);
                    said.push_str(text);
                }
            }
            assert_eq!(
                play.sent(),
                *expected,
                "after {server:?} in pieces of {piece}"
            );
        }
        let seen = &play.session.screen().octets;
        assert_eq!(
            String::from_utf8_lossy(seen),
            said,
            "all is shown as it came"
        );
        endings.push(play.session.ending().expect("it is over").clone());
    }
    endings.dedup();
    assert_eq!(endings.len(), 1, "{endings:?}");
    endings.remove(0)
}

fn fails(options: &Options, typed: &str, steps: &[(&str, &str)]) -> String {
    match play(options, typed, steps) {
        Ending::Failed(failure) => failure.to_string(),
        Ending::Done => panic!("it went well"),
    }
}
