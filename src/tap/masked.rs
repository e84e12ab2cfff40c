//! A tap that hides passwords from other taps, for clients whose lines nobody understands: what a person or a script types.
//!
//! What a client says is held until its line is whole, then shown with [`Piece::Secret`] in the place of what is a
//! password or its like. So it does not matter how the octets are cut. Rules for single lines are in
//! [`crate::wire::secret`]; here is what takes a dialogue:
//!
//! | after | is secret | until |
//! |---|---|---|
//! | `AUTH`, `AUTHENTICATE`; 334, or `+` during it | whole lines, but for `*` | as many as the mechanism takes are said, or the server has decided |
//! | IMAP `LOGIN` with a literal | lines and literals, but for `{n}` | the answer with its tag |
//! | 354 to `DATA` | nothing: it is message text | the lone dot |
//! | `{n}` in IMAP and the server's `+`, or `{n+}` | nothing: it is a literal | n octets |
//!
//! In doubt too much is hidden: text and literals are shown as they are only where the server, as its greeting tells,
//! has a word for them, and has said it.
//!
//! What a server says passes at once, as do TLS and the ends - but for its words behind a secret, which may repeat it (`500 what is
//! AUTH PLAIN ...?`): those pass line by line, and without it.

use std::time::Instant;

use super::{Piece, Side, Tap};
use crate::limits;
use crate::wire::imap::scan::{LiteralKind, announced};
use crate::wire::imap::secret::within;
use crate::wire::secret::{in_line, without};

/// See the module.
pub struct Masked {
    inner: Vec<Box<dyn Tap>>,
    family: Family,
    /// The beginning of the server's line.
    heard: Vec<u8>,
    /// The client's line as far as it has come.
    held: Vec<u8>,
    /// The line's beginning has been shown: how it goes on.
    rest: Option<Rest>,
    doing: Doing,
    /// Answers that may come yet.
    answers: u32,
    /// Somebody logs in, and the server has not decided.
    exchange: bool,
    /// IMAP: the last command's tag; whether it is a LOGIN; the literal that the server is to ask for; whether it goes
    /// on after one.
    tag: Vec<u8>,
    login: bool,
    literal: Option<u64>,
    goes_on: bool,
    /// SMTP: DATA was said last.
    data: bool,
    /// What was said last and is secret, and the server's line behind it, as far as it has come.
    secret: Vec<u8>,
    echo: Vec<u8>,
}

/// As the greeting tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Unknown,
    /// Replies with numbers: SMTP, LMTP, FTP.
    Numbers,
    Pop3,
    Imap,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Shown,
    Hidden,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// Lines that may be commands or answers.
    Lines,
    /// Message text.
    Text,
    /// Octets that are still to come.
    Literal(u64, Rest),
}

impl Masked {
    /// Shows `inner` what is no secret.
    pub fn new(inner: Vec<Box<dyn Tap>>) -> Self {
        Self {
            inner,
            family: Family::Unknown,
            heard: Vec::new(),
            held: Vec::new(),
            rest: None,
            doing: Doing::Lines,
            answers: 0,
            exchange: false,
            tag: Vec::new(),
            login: false,
            literal: None,
            goes_on: false,
            data: false,
            secret: Vec::new(),
            echo: Vec::new(),
        }
    }

    fn show(&mut self, now: Instant, side: Side, piece: Piece<'_>) {
        if matches!(piece, Piece::Bytes([])) {
            return;
        }
        for tap in &mut self.inner {
            tap.saw(now, side, piece);
        }
    }

    fn says(&mut self, now: Instant, piece: Piece<'_>) {
        self.show(now, Side::Client, piece);
    }

    fn client(&mut self, now: Instant, mut octets: &[u8]) {
        while !octets.is_empty() {
            if let Doing::Literal(left, rest) = self.doing {
                octets = self.literal(now, left, rest, octets);
                continue;
            }
            let end = memchr::memchr(b'\n', octets).map_or(octets.len(), |at| at + 1);
            let (piece, after) = octets.split_at(end);
            octets = after;
            match self.rest {
                None => self.held.extend_from_slice(piece),
                Some(Rest::Shown) => self.says(now, Piece::Bytes(piece)),
                Some(Rest::Hidden) if piece.ends_with(b"\n") => {
                    // Whether a CR before it is a part of the secret is nobody's concern.
                    self.says(now, Piece::Bytes(b"\r\n"));
                }
                Some(Rest::Hidden) => {}
            }
            if piece.ends_with(b"\n") {
                if self.rest.take().is_none() {
                    self.show_line(now);
                }
                self.line_was_said();
            } else if self.held.len() > limits::TRANSCRIPT_LINE && self.rest.is_none() {
                self.rest = Some(self.show_line(now));
            }
        }
    }

    /// Octets of a literal; what follows it.
    fn literal<'o>(&mut self, now: Instant, left: u64, rest: Rest, octets: &'o [u8]) -> &'o [u8] {
        let here = usize::try_from(left).map_or(octets.len(), |left| left.min(octets.len()));
        let (literal, after) = octets.split_at(here);
        match rest {
            Rest::Shown => self.says(now, Piece::Bytes(literal)),
            Rest::Hidden => self.hold(literal),
        }
        self.doing = match left - here as u64 {
            0 => {
                if rest == Rest::Hidden {
                    self.says(now, Piece::Secret);
                }
                self.goes_on = true;
                Doing::Lines
            }
            left => Doing::Literal(left, rest),
        };
        after
    }

    /// Shows what is held of the client's line; how the rest of it is to be shown.
    fn show_line(&mut self, now: Instant) -> Rest {
        let line = std::mem::take(&mut self.held);
        let text = without_end(&line);
        let secret = if self.doing == Doing::Text {
            None
        } else if self.login && self.goes_on {
            within(&self.login_line(), text)
        } else if self.answers > 0 || self.login {
            let hidden = match announced(text) {
                Some(_) if self.login => memchr::memrchr(b'{', text).unwrap_or(text.len()),
                _ => text.len(),
            };
            (text != b"*").then_some(0..hidden)
        } else {
            in_line(text)
        };
        let secret = secret.filter(|secret| !secret.is_empty());
        self.secret.clear();
        if let Some(secret) = &secret {
            self.hold(&line[secret.clone()]);
        }
        let rest = match &secret {
            Some(secret) if secret.end == text.len() => Rest::Hidden,
            _ => Rest::Shown,
        };
        match secret {
            Some(secret) => {
                self.says(now, Piece::Bytes(&line[..secret.start]));
                self.says(now, Piece::Secret);
                self.says(now, Piece::Bytes(&line[secret.end..]));
            }
            None => self.says(now, Piece::Bytes(&line)),
        }
        self.held = line;
        rest
    }

    /// A secret was said, or a part of it.
    fn hold(&mut self, secret: &[u8]) {
        let room = HELD.saturating_sub(self.secret.len());
        self.secret
            .extend_from_slice(&secret[..room.min(secret.len())]);
    }

    /// The server's words, without a secret that they repeat.
    fn repeats(&mut self, now: Instant, octets: &[u8]) {
        for piece in octets.split_inclusive(|&octet| octet == b'\n') {
            self.echo.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.echo.len() > limits::TRANSCRIPT_LINE {
                self.show_echo(now);
            }
        }
    }

    fn show_echo(&mut self, now: Instant) {
        let echo = std::mem::take(&mut self.echo);
        let shown = without(&self.secret, &echo);
        self.show(now, Side::Server, Piece::Bytes(&shown));
    }

    /// What a LOGIN that goes on after a literal began with, as the rules want to see it.
    fn login_line(&self) -> Vec<u8> {
        [&self.tag[..], b" LOGIN "].concat()
    }

    /// A line of the client's is over: what that makes of what comes next.
    fn line_was_said(&mut self) {
        let line = std::mem::take(&mut self.held);
        let text = without_end(&line);
        if self.doing == Doing::Text {
            // Whatever ends lines: a server that sees the end here hears commands next.
            if text == b"." {
                self.doing = Doing::Lines;
            }
            return;
        }
        self.data = false;
        if self.answers > 0 {
            self.answers = match text {
                b"*" => 0,
                _ if self.answers == u32::MAX => u32::MAX,
                _ => self.answers - 1,
            };
            return;
        }
        let goes_on = std::mem::take(&mut self.goes_on);
        if !goes_on && !self.login {
            self.command(text);
        }
        self.literal = None;
        let Some(literal) = announced(text) else {
            return;
        };
        let rest = match self.login {
            true => Rest::Hidden,
            false if self.family == Family::Imap => Rest::Shown,
            // Nobody says that this is IMAP: then it is lines.
            false => return,
        };
        match (literal.kind, literal.octets) {
            (LiteralKind::Synchronizing, octets) => self.literal = Some(octets),
            (LiteralKind::NonSynchronizing, 0) => self.goes_on = true,
            (LiteralKind::NonSynchronizing, octets) => {
                self.secret.clear();
                self.doing = Doing::Literal(octets, rest);
            }
        }
    }

    fn command(&mut self, line: &[u8]) {
        let mut words = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        let first = words.next().unwrap_or_default();
        let is = |word: &[u8], name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        self.data = is(first, "DATA");
        let mut second = words.next();
        let is_auth = is(first, "AUTH") || is(first, "AUTHENTICATE");
        let is_tagged = second.is_some_and(|word| is(word, "AUTHENTICATE"));
        if is_auth || is_tagged {
            if is_tagged {
                self.tag = first.to_owned();
                second = words.next();
            }
            self.exchange = second.is_some();
            let given = u32::from(words.next().is_some());
            self.answers = match second {
                None => 0,
                // FTP: it is TLS that is asked for (RFC 4217 §4).
                Some(word) if is_auth && (is(word, "TLS") || is(word, "SSL")) => 0,
                Some(word) if is(word, "PLAIN") => 1 - given,
                Some(word) if is(word, "LOGIN") => 2 - given,
                Some(_) => u32::MAX,
            };
            return;
        }
        self.tag = first.to_owned();
        let is_login = is(first, "LOGIN") || second.is_some_and(|word| is(word, "LOGIN"));
        self.login = is_login && announced(line).is_some();
    }

    /// The server's words are listened to, line by line.
    fn server(&mut self, octets: &[u8]) {
        for piece in octets.split_inclusive(|&octet| octet == b'\n') {
            let room = HEARD.saturating_sub(self.heard.len());
            self.heard
                .extend_from_slice(&piece[..room.min(piece.len())]);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.heard);
                self.server_line(without_end(&line));
            }
        }
    }

    fn server_line(&mut self, line: &[u8]) {
        if self.family == Family::Unknown {
            self.family = match line.first() {
                Some(b'0'..=b'9') => Family::Numbers,
                Some(b'+' | b'-') => Family::Pop3,
                Some(b'*') => Family::Imap,
                _ => Family::Unknown,
            };
        }
        let numbers = line
            .split_at_checked(3)
            .filter(|(code, rest)| {
                code.iter().all(u8::is_ascii_digit) && matches!(rest, [] | [b' ' | b'\t', ..])
            })
            .map(|(code, _)| code);
        if self.family != Family::Pop3
            && self.family != Family::Imap
            && let Some(code) = numbers
        {
            match code {
                b"334" => self.answers = self.answers.max(1),
                b"354" if self.data && self.family == Family::Numbers => self.doing = Doing::Text,
                // A reply in the middle of the text is its end.
                _ => self.decided(),
            }
            return;
        }
        if line == b"+" || line.starts_with(b"+ ") {
            if self.exchange {
                self.answers = self.answers.max(1);
            } else if let Some(octets) = self.literal.take() {
                let rest = match self.login {
                    true => Rest::Hidden,
                    false => Rest::Shown,
                };
                self.secret.clear();
                match octets {
                    0 => self.goes_on = true,
                    _ => self.doing = Doing::Literal(octets, rest),
                }
            }
            return;
        }
        let is_status = |word: &[u8]| {
            line.get(..word.len())
                .is_some_and(|said| said.eq_ignore_ascii_case(word))
        };
        if self.family != Family::Imap && (is_status(b"+OK") || is_status(b"-ERR")) {
            self.decided();
        }
        let rest = line.strip_prefix(&self.tag[..]);
        if !self.tag.is_empty() && rest.is_some_and(|rest| rest.starts_with(b" ")) {
            self.decided();
        }
    }

    fn decided(&mut self) {
        self.answers = 0;
        self.exchange = false;
        self.login = false;
        self.literal = None;
        if self.doing == Doing::Text && self.held.is_empty() {
            self.doing = Doing::Lines;
        }
        self.data = false;
    }

    /// Shows the line that will not become whole.
    fn flush(&mut self, now: Instant) {
        if self.rest.is_none() && !self.held.is_empty() {
            self.show_line(now);
        }
        if let Doing::Literal(_, Rest::Hidden) = self.doing {
            self.says(now, Piece::Secret);
        }
        self.held.clear();
        self.rest = None;
        self.doing = Doing::Lines;
    }
}

impl Tap for Masked {
    fn saw(&mut self, now: Instant, side: Side, piece: Piece<'_>) {
        if !self.echo.is_empty() && !matches!((side, piece), (Side::Server, Piece::Bytes(_))) {
            self.show_echo(now);
        }
        match (side, piece) {
            (Side::Client, Piece::Bytes(octets)) => self.client(now, octets),
            (Side::Client, Piece::Secret) => {
                // A session that knows what is secret says so; the rest of its line is none.
                if self.rest.is_none() && !self.held.is_empty() {
                    self.show_line(now);
                }
                self.rest = Some(Rest::Shown);
                self.says(now, Piece::Secret);
            }
            (Side::Client, Piece::Closed) => {
                self.flush(now);
                self.show(now, side, piece);
            }
            (Side::Server, Piece::Bytes(octets)) => {
                self.server(octets);
                match self.secret.is_empty() {
                    true => self.show(now, side, piece),
                    false => self.repeats(now, octets),
                }
            }
            (_, Piece::Tls(_)) => {
                self.flush(now);
                self.decided();
                self.heard.clear();
                self.goes_on = false;
                self.show(now, side, piece);
            }
            (_, Piece::Note { .. }) | (Side::Server, Piece::Secret | Piece::Closed) => {
                self.show(now, side, piece);
            }
        }
    }
}

impl Drop for Masked {
    fn drop(&mut self) {
        if !self.echo.is_empty() {
            self.show_echo(Instant::now());
        }
        if !self.held.is_empty() {
            self.flush(Instant::now());
        }
    }
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Octets of a secret that are looked for in what the server says.
const HELD: usize = 1024;
/// Octets of a server's line that are looked at: a tag and a status, or a code.
const HEARD: usize = 256;

#[cfg(test)]
mod tests;
