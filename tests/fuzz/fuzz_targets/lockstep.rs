//! Mail mode of the netcat, whatever is typed and whatever a server says: it holds what it should hold, sends nothing
//! early, and how octets arrive does not matter.
//!
//! The first octet: the protocol (0 to 4; else it is detected), `8`: a script types, `16`: replies are explained. After
//! it, the octet FF makes something happen:
//!
//! | after FF | |
//! |---|---|
//! | `S` | what follows is said by the server |
//! | `C` | what follows is typed |
//! | `T` | the next deadline passes |
//! | `E` | nothing more is typed |
//! | `X` | the server closes |

#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use mailtool::limits;
use mailtool::proto::raw::lockstep::{
    Checks, Ending, Greeting, LockStep, Needs, Options, Screen, Stay, Timing,
};
use mailtool::proto::raw::{Keyboard, Protocol};
use mailtool::proto::{Front, Input, Out, Session, TlsInfo, Wish, pump};
use mailtool::tap::Side;
use mailtool::wire::codes::Lang;
use mailtool::wire::lines::LineReader;

fuzz_target!(|input: &[u8]| {
    let Some((&plan, input)) = input.split_first() else {
        return;
    };
    let whole = Play::new(plan).play(input, usize::MAX);
    assert_eq!(whole, Play::new(plan).play(input, 1));
    assert_eq!(whole, Play::new(plan).play(input, 3));
});

/// What a user sees.
#[derive(Default)]
struct Seen {
    octets: Vec<u8>,
    explained: String,
    notes: String,
}

impl Screen for Seen {
    fn received(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }
    fn explain(&mut self, _reply: &[u8], lines: &str) {
        self.explained.push_str(lines);
    }
    fn note(&mut self, text: &str) {
        assert!(!text.contains('\n'), "a note is a line: {text}");
        self.notes.push_str(text);
    }
    fn tagged(&mut self, tag: &str) {
        self.notes.push_str(tag);
    }
    fn is_full(&self) -> bool {
        false
    }
}

struct Play {
    session: LockStep<Seen>,
    reader: LineReader,
    out: Out,
    now: Instant,
    /// Each line needs one of the server's before it.
    strict: bool,
    said: Vec<u8>,
    sent: Vec<u8>,
    /// The connection cannot go on.
    is_broken: bool,
    is_injected: bool,
}

const INJECTED: &str = "injected";

impl Play {
    fn new(plan: u8) -> Self {
        let protocol = Protocol::ALL.get(usize::from(plan & 7)).copied();
        let keyboard = match plan & 8 {
            0 => Keyboard::Terminal,
            _ => Keyboard::Other,
        };
        let options = Options {
            protocol,
            greeting: Greeting::Awaited,
            keyboard,
            explain: (plan & 16 != 0).then_some(Lang::Fr),
            idle: None,
            stay: Stay::No,
            interval: None,
            checks: Checks::First,
            timing: Timing::Untold,
        };
        let now = Instant::now();
        let mut play = Self {
            session: LockStep::new(now, options, Seen::default()),
            reader: LineReader::new(),
            out: Out::new(Side::Client, now, None),
            now,
            strict: keyboard == Keyboard::Terminal
                && matches!(protocol, Some(Protocol::Pop3 | Protocol::Ftp)),
            said: Vec::new(),
            sent: Vec::new(),
            is_broken: false,
            is_injected: false,
        };
        play.session.handle(now, Input::Open, &mut play.out);
        play
    }

    /// All that was sent, shown, and came of it.
    fn play(mut self, input: &[u8], piece: usize) -> [String; 4] {
        for event in input.split(|&octet| octet == 0xff) {
            let Some((&mark, octets)) = event.split_first() else {
                continue;
            };
            if self.is_broken || self.session.ending().is_some() {
                break;
            }
            match mark {
                b'S' => self.server_says(octets, piece),
                b'C' if self.session.needs() == Needs::Typed => {
                    for octets in octets.chunks(piece) {
                        self.session.typed(self.now, octets, &mut self.out);
                    }
                }
                b'T' => {
                    if let Some(due) = self.session.deadline() {
                        self.now = self.now.max(due);
                        self.session.handle(self.now, Input::Timeout, &mut self.out);
                    }
                }
                b'E' if self.session.needs() == Needs::Typed => {
                    self.session.typed_end(self.now, &mut self.out);
                }
                b'X' => {
                    self.session.handle(self.now, Input::Eof, &mut self.out);
                    self.is_broken = self.session.ending().is_some();
                }
                _ => {}
            }
            self.settle();
        }
        let lines = |octets: &[u8]| octets.iter().filter(|&&octet| octet == b'\n').count();
        let seen = self.session.screen();
        assert!(
            self.said.starts_with(&seen.octets),
            "what is shown was said"
        );
        // After its end it shows what it happens to have in hand.
        if self.is_injected || self.session.ending().is_some() {
            self.session.screen().octets.clear();
        }
        let seen = self.session.screen();
        let told = [seen.explained.clone(), seen.notes.clone()].concat();
        let octets = seen.octets.escape_ascii().to_string();
        let explained = seen.explained.len();
        // A row for each digit and code, of at most some hundred octets, and the longest of lines.
        assert!(explained <= (lines(&self.said) + 1) * 8 * 1024);
        [
            self.sent.escape_ascii().to_string(),
            octets,
            told,
            match self.session.ending() {
                // What came in the clear where TLS begins, the session sees, or whoever drives it.
                Some(Ending::Failed(failure)) if failure.to_string().contains("RFC 3207") => {
                    INJECTED.to_owned()
                }
                None if self.is_injected => INJECTED.to_owned(),
                ending => format!("{ending:?}"),
            },
        ]
    }

    fn server_says(&mut self, octets: &[u8], piece: usize) {
        for octets in octets.chunks(piece) {
            if self.out.wish().is_some() {
                // In the clear where TLS begins, or after the end.
                self.is_broken = true;
                self.is_injected = self.out.wish() == Some(Wish::StartTls);
                return;
            }
            for octets in octets.chunks(limits::RECEIVE_BUFFER) {
                self.said.extend_from_slice(octets);
                self.reader.push(octets);
                pump(&mut self.reader, &mut self.session, self.now, &mut self.out);
            }
        }
        self.is_broken |= self.reader.pending() > 0;
    }

    /// What follows from an event.
    fn settle(&mut self) {
        loop {
            while let Some(Front::Bytes(bytes)) = self.out.front() {
                let octets = bytes.len();
                assert!(octets <= 4 * limits::SEND_HIGH, "{octets} octets wait");
                self.sent.extend_from_slice(bytes);
                self.out.advance(octets);
            }
            let lines = |octets: &[u8]| octets.iter().filter(|&&octet| octet == b'\n').count();
            assert!(
                !self.strict || lines(&self.sent) <= lines(&self.said),
                "a line was sent early"
            );
            if !self.said.contains(&b'\n') {
                assert!(self.sent.is_empty(), "nothing goes before the greeting");
            }
            if self.is_broken {
                return;
            }
            match self.session.needs() {
                Needs::Open(_) => {
                    let content = b"QUIT\n.\n.dots\n??? 1\nlast";
                    self.session.content(self.now, Ok(content), &mut self.out);
                    continue;
                }
                Needs::Content => {
                    self.session.content(self.now, Ok(b""), &mut self.out);
                    continue;
                }
                Needs::Typed | Needs::Nothing => {}
            }
            if self.out.wish() != Some(Wish::StartTls) {
                return;
            }
            self.out.take_wish();
            self.reader.reset();
            let tls = TlsInfo {
                version: "TLSv1.3",
                cipher: "TLS13_AES_256_GCM_SHA384",
                ..TlsInfo::default()
            };
            self.now += Duration::from_millis(1);
            self.session
                .handle(self.now, Input::TlsUp(tls), &mut self.out);
        }
    }
}
