//! One connection: lines become commands with their replies, commands become signs.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Class, Keeping, Lacks, Mark, whole};
use crate::limits;
use crate::tap::{Piece, Side, Tap, note};
use crate::wire::exercise::Place;

/// Looks at one connection of a class.
pub struct Observed {
    class: Arc<Class>,
    place: Place,
    session: String,
    /// When it began, and what a calendar said then, in time since 1970.
    began: (Instant, Duration),
    client: Line,
    server: Line,
    /// Commands without a reply, each with its IMAP tag.
    pending: VecDeque<(String, String)>,
    /// What the client says next is no command: it answers a challenge.
    challenged: bool,
    text: Text,
    under_tls: bool,
    whose: Option<(Claim, usize)>,
    /// Recipients of the transaction.
    to: Vec<usize>,
    typing: Typing,
    /// For each step.
    shown: Vec<Shown>,
}

#[derive(Clone, Copy, Default)]
struct Shown {
    signs: u32,
    done: bool,
}

/// Why a session is somebody's, the weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    Hello,
    Recipient,
    Sender,
    Login,
}

/// Who says lines that are neither commands nor replies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Nobody,
    /// After DATA.
    Client,
    /// After RETR and its like.
    Server,
}

/// What speaks for a person, and against.
#[derive(Default)]
struct Typing {
    /// When the server last said something whole.
    heard: Option<Instant>,
    commands: u32,
    slow: u32,
    pipelined: bool,
}

impl Typing {
    const fn is_by_hand(&self) -> bool {
        !self.pipelined && self.commands > 0 && self.slow * 2 >= self.commands
    }
}

impl Observed {
    /// Of `service`; what it shows is said to be of `session`, which began at `began`, that much after 1970.
    pub fn new(
        class: Arc<Class>,
        service: &str,
        session: String,
        began: (Instant, Duration),
    ) -> Option<Self> {
        let place = match service {
            "smtp" | "submission" | "smtps" | "lmtp" => Place::Smtp,
            "pop3" | "pop3s" => Place::Pop3,
            "imap" | "imaps" => Place::Imap,
            _ => return None,
        };
        let shown = vec![Shown::default(); class.exercise.steps.len()];
        Some(Self {
            class,
            place,
            session,
            began,
            client: Line::default(),
            server: Line::default(),
            pending: VecDeque::new(),
            challenged: false,
            text: Text::Nobody,
            under_tls: false,
            whose: None,
            to: Vec::new(),
            typing: Typing::default(),
            shown,
        })
    }

    fn line(&mut self, side: Side) -> &mut Line {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn bytes(&mut self, now: Instant, side: Side, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let is_imap = self.place == Place::Imap;
            let line = self.line(side);
            if line.skip > 0 {
                let skipped = bytes
                    .len()
                    .min(usize::try_from(line.skip).unwrap_or(usize::MAX));
                line.skip -= skipped as u64;
                bytes = &bytes[skipped..];
                continue;
            }
            let Some(end) = memchr::memchr(b'\n', bytes) else {
                line.push(bytes);
                return;
            };
            line.push(&bytes[..end]);
            bytes = &bytes[end + 1..];
            if is_imap && let Some(octets) = line.literal() {
                line.skip = octets;
                line.goes_on = true;
                continue;
            }
            let (text, is_crlf) = line.take();
            match side {
                Side::Client => self.client_says(now, &text, is_crlf),
                Side::Server => self.server_says(now, &text),
            }
        }
    }

    fn client_says(&mut self, now: Instant, line: &str, is_crlf: bool) {
        if self.text == Text::Client {
            if line == "." {
                self.text = Text::Nobody;
                self.ask(String::new(), ".");
            }
            return;
        }
        if std::mem::take(&mut self.challenged) {
            return;
        }
        let (tag, command) = match self.place {
            Place::Imap => match line.split_once(' ') {
                Some((tag, command)) => (tag.to_owned(), command),
                None => return,
            },
            _ => (String::new(), line),
        };
        let command = command.trim();
        if command.is_empty() {
            return;
        }
        let pause = if is_crlf {
            limits::EXERCISE_HAND
        } else {
            limits::EXERCISE_HAND_LF
        };
        let typing = &mut self.typing;
        typing.pipelined |= !self.pending.is_empty();
        typing.commands = typing.commands.saturating_add(1);
        if let Some(heard) = typing.heard
            && now.saturating_duration_since(heard) >= pause
        {
            typing.slow = typing.slow.saturating_add(1);
        }
        if self.place == Place::Smtp && begins(command, "BDAT ") {
            let octets = command
                .split(' ')
                .nth(1)
                .and_then(|octets| octets.parse().ok());
            self.client.skip = octets.unwrap_or(0);
        }
        self.ask(tag, command);
    }

    fn ask(&mut self, tag: String, command: &str) {
        if self.pending.len() < limits::EXERCISE_PENDING {
            self.pending.push_back((tag, command.to_owned()));
        }
    }

    fn server_says(&mut self, now: Instant, line: &str) {
        if self.text == Text::Server {
            if line == "." {
                self.text = Text::Nobody;
                self.typing.heard = Some(now);
            }
            return;
        }
        self.typing.heard = Some(now);
        match self.place {
            Place::Smtp => {
                let is_last = line.as_bytes().get(3) != Some(&b'-');
                if line.starts_with("334") {
                    self.challenged = true;
                } else if is_last && let Some((_, command)) = self.pending.pop_front() {
                    if line.starts_with("354") {
                        self.text = Text::Client;
                    }
                    self.answered(now, &command, line);
                }
            }
            Place::Pop3 => {
                if line.starts_with("+ ") || line == "+" {
                    self.challenged = true;
                } else if let Some((_, command)) = self.pending.pop_front() {
                    if line.starts_with("+OK") && has_text(&command) {
                        self.text = Text::Server;
                    }
                    self.answered(now, &command, line);
                }
            }
            _ => {
                let (tag, reply) = line.split_once(' ').unwrap_or((line, ""));
                if tag == "+" {
                    // What follows a literal goes on with its command.
                    self.challenged = !self.client.goes_on;
                } else if tag != "*"
                    && let Some(at) = self.pending.iter().position(|(asked, _)| asked == tag)
                    && let Some((_, command)) = self.pending.remove(at)
                {
                    self.challenged = false;
                    self.answered(now, &command, reply);
                }
            }
        }
    }

    fn answered(&mut self, now: Instant, command: &str, reply: &str) {
        if self.place == Place::Smtp {
            self.envelope(command, reply);
        }
        let class = Arc::clone(&self.class);
        for (at, step) in class.exercise.steps.iter().enumerate() {
            if step.place != self.place && step.place != Place::Any {
                continue;
            }
            let earlier = match self.whose {
                Some((_, pupil)) if step.apart => class.before(pupil, at),
                _ => 0,
            };
            let shown = &mut self.shown[at];
            for (number, sign) in step.signs.iter().enumerate() {
                let before = (1 << number) - 1;
                if (!sign.after || (shown.signs | earlier) & before == before)
                    && (!sign.tls || self.under_tls)
                    && sign.fits(command, reply)
                {
                    shown.signs |= 1 << number;
                }
            }
        }
        self.grade(now, Keeping::Done);
    }

    /// Who sends, to whom.
    fn envelope(&mut self, command: &str, reply: &str) {
        let is_taken = reply.starts_with("25");
        let named = || {
            let (_, rest) = command.split_once(':').unwrap_or_default();
            let rest = rest.trim_start().trim_start_matches('<');
            let end = rest.find(['>', ' ']).unwrap_or(rest.len());
            rest[..end].to_owned()
        };
        if !is_taken {
        } else if begins(command, "HELO ") || begins(command, "EHLO ") || begins(command, "LHLO ") {
            let name = command[5..].trim().to_owned();
            self.claim(Claim::Hello, &name);
        } else if begins(command, "MAIL FROM:") {
            self.to.clear();
            self.claim(Claim::Sender, &named());
        } else if begins(command, "RCPT TO:") {
            let address = named();
            if let Some(pupil) = self.class.pupil(&address)
                && self.to.len() < limits::EXERCISE_PENDING
            {
                self.to.push(pupil);
            }
            self.claim(Claim::Recipient, &address);
        }
    }

    fn claim(&mut self, claim: Claim, address: &str) {
        if self.whose.is_some_and(|(known, _)| known >= claim) {
            return;
        }
        if let Some(pupil) = self.class.pupil(address) {
            if self.whose.is_none_or(|(_, other)| other != pupil) {
                // It counts for this one too.
                for shown in &mut self.shown {
                    shown.done = false;
                }
            }
            self.whose = Some((claim, pupil));
        }
    }

    fn grade(&mut self, now: Instant, keeping: Keeping) {
        let Some((_, pupil)) = self.whose else {
            return;
        };
        let class = Arc::clone(&self.class);
        for (at, step) in class.exercise.steps.iter().enumerate() {
            let shown = &mut self.shown[at];
            if shown.done || shown.signs == 0 {
                continue;
            }
            let mut signs = shown.signs;
            if step.apart {
                signs |= class.before(pupil, at);
            }
            let lacks = if signs != whole(step) {
                Lacks::Signs
            } else if step.hand && !self.typing.is_by_hand() {
                Lacks::Hand
            } else if step.to_self && !self.to.contains(&pupil) {
                Lacks::ToSelf
            } else {
                shown.done = true;
                let unix = self.began.1 + now.saturating_duration_since(self.began.0);
                let done = Mark::Done {
                    unix: unix.as_secs(),
                    session: self.session.clone(),
                };
                class.mark(pupil, at, done, keeping);
                continue;
            };
            class.mark(pupil, at, Mark::Tried { signs, lacks }, keeping);
        }
    }
}

impl Tap for Observed {
    fn saw(&mut self, now: Instant, side: Side, piece: Piece<'_>) {
        match piece {
            Piece::Bytes(bytes) => self.bytes(now, side, bytes),
            Piece::Secret => {
                let line = self.line(side);
                if line.skip > 0 {
                    line.skip = 0;
                } else {
                    line.push(b"********");
                }
            }
            Piece::Tls(_) => {
                self.under_tls = true;
                self.client = Line::default();
                self.server = Line::default();
                // What was said before is forgotten (RFC 3207 §4.2).
                self.pending.clear();
            }
            Piece::Note {
                kind: note::USER,
                text,
            } => {
                self.claim(Claim::Login, text);
                self.grade(now, Keeping::Done);
            }
            Piece::Note { .. } | Piece::Closed => {}
        }
    }

    fn enough(&self) -> u64 {
        0
    }

    fn skipped(&mut self, _now: Instant, side: Side, octets: u64) {
        let line = self.line(side);
        line.skip = line.skip.saturating_sub(octets);
        line.clear();
    }
}

/// It is over: what was tried is kept too.
impl Drop for Observed {
    fn drop(&mut self) {
        self.grade(self.began.0, Keeping::All);
    }
}

fn begins(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|text| text.eq_ignore_ascii_case(start))
}

/// RFC 1939 §3: whether `+OK` is followed by more.
fn has_text(command: &str) -> bool {
    let (verb, argument) = command.split_once(' ').unwrap_or((command, ""));
    let is_one = |names: &[&str]| names.iter().any(|name| verb.eq_ignore_ascii_case(name));
    is_one(&["RETR", "TOP", "CAPA"]) || argument.is_empty() && is_one(&["LIST", "UIDL", "AUTH"])
}

/// The line that a side is saying: its beginning, and its last octets.
#[derive(Default)]
struct Line {
    head: Vec<u8>,
    tail: Vec<u8>,
    /// Octets that are none of it: a literal, a chunk.
    skip: u64,
    /// It goes on after a literal.
    goes_on: bool,
}

/// Octets that end a line whose literal has as many as a `u64` can say, and CR.
const TAIL: usize = 32;

impl Line {
    fn push(&mut self, bytes: &[u8]) {
        let room = limits::EXERCISE_LINE - self.head.len();
        let (head, rest) = bytes.split_at(bytes.len().min(room));
        self.head.extend_from_slice(head);
        self.tail
            .extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
        let over = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..over);
        debug_assert!(rest.is_empty() || self.head.len() == limits::EXERCISE_LINE);
    }

    /// The octets of the literal that the line announces at its end: `{12}`, `{12+}`, `~{12}` (RFC 9051 §4.3).
    fn literal(&self) -> Option<u64> {
        let end = self.tail.strip_suffix(b"\r").unwrap_or(&self.tail);
        let end = end.strip_suffix(b"}")?;
        let end = end.strip_suffix(b"+").unwrap_or(end);
        let start = end.iter().rposition(|octet| *octet == b'{')? + 1;
        std::str::from_utf8(&end[start..]).ok()?.parse().ok()
    }

    /// The line without its end, and whether that was CRLF; the next one begins.
    fn take(&mut self) -> (String, bool) {
        let is_crlf = self.tail.last() == Some(&b'\r');
        let line = self.head.strip_suffix(b"\r").unwrap_or(&self.head);
        let text = String::from_utf8_lossy(line).into_owned();
        self.clear();
        (text, is_crlf)
    }

    fn clear(&mut self) {
        self.head.clear();
        self.tail.clear();
        self.goes_on = false;
    }
}
