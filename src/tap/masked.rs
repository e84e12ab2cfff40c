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
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    struct Shown(Rc<RefCell<String>>);

    impl Tap for Shown {
        fn saw(&mut self, _now: Instant, side: Side, piece: Piece<'_>) {
            let mut shown = self.0.borrow_mut();
            match (side, piece) {
                (Side::Client, Piece::Bytes(octets)) => {
                    shown.push_str(&String::from_utf8_lossy(octets));
                }
                (Side::Client, Piece::Secret) => shown.push_str("********"),
                _ => {}
            }
        }
    }

    /// What is said: `C:` and `S:`, with line ends.
    type Dialogue<'a> = &'a [(&'a str, &'a str)];

    /// What is shown of the client when every piece is cut in two here, or into pieces of so many octets.
    fn shown(dialogue: Dialogue<'_>, cut: usize, size: usize) -> String {
        let seen = Rc::new(RefCell::new(String::new()));
        let mut tap = Masked::new(vec![Box::new(Shown(Rc::clone(&seen)))]);
        let now = Instant::now();
        for (side, text) in dialogue {
            let side = match *side {
                "C" => Side::Client,
                _ => Side::Server,
            };
            let (before, after) = text.as_bytes().split_at(cut.min(text.len()));
            for part in [before, after] {
                for piece in part.chunks(size) {
                    tap.saw(now, side, Piece::Bytes(piece));
                }
            }
        }
        drop(tap);
        seen.borrow().clone()
    }

    fn check(dialogue: Dialogue<'_>, expected: &str) {
        let longest = dialogue.iter().map(|said| said.1.len()).max().unwrap_or(0);
        for cut in 0..=longest {
            for size in [1, 2, 3, 7, usize::MAX] {
                assert_eq!(
                    shown(dialogue, cut, size),
                    expected,
                    "cut at {cut}, by {size}"
                );
            }
        }
    }

    #[test]
    fn smtp_logins_are_hidden() {
        check(
            &[
                ("S", "220-x\r\n220 hi\r\n"),
                ("C", "EHLO a\r\n"),
                ("S", "250-x\r\n250 AUTH PLAIN\r\n"),
                ("C", "AUTH PLAIN AGEAc2VjcmV0\r\n"),
                ("S", "535 no\r\n"),
                ("C", "  auth \t login\n"),
                ("S", "334 VXNlcm5hbWU6\r\n"),
                ("C", "c2VjcmV0\n"),
                ("S", "334 UGFzc3dvcmQ6\r\n"),
                ("C", "c2VjcmV0\r\n"),
                ("S", "535-no\r\n535 no\r\n"),
                ("C", "AUTH XOAUTH2 c2VjcmV0\r\n"),
                ("S", "334 eyJzdGF0dXMi\r\n"),
                ("C", "\r\n"),
                ("S", "535 no\r\n"),
                ("C", "AUTH CRAM-MD5\r\n"),
                ("S", "334 PDE=\r\n"),
                ("C", "*\r\n"),
                ("S", "501 cancelled\r\n"),
                ("C", "MAIL FROM:<a>\r\n"),
                ("S", "250 ok\r\n"),
                ("C", "DATA\r\n"),
                ("S", "354 go\r\n"),
                ("C", "AUTH is a word\r\nPASS the salt\r\n.\r\n"),
                ("S", "250 ok\r\n"),
                ("C", "pass secret\r\nQUIT\r\n"),
            ],
            "EHLO a\r\nAUTH PLAIN ********\r\n  auth \t login\n********\n********\r\nAUTH XOAUTH2 ********\r\n\r\nAUTH CRAM-MD5\r\n*\r\n\
             MAIL FROM:<a>\r\nDATA\r\nAUTH is a word\r\nPASS the salt\r\n.\r\npass ********\r\nQUIT\r\n",
        );
    }

    /// What the server says, in the same way.
    struct Answers(Rc<RefCell<String>>);

    impl Tap for Answers {
        fn saw(&mut self, _now: Instant, side: Side, piece: Piece<'_>) {
            if let (Side::Server, Piece::Bytes(octets)) = (side, piece) {
                let mut shown = self.0.borrow_mut();
                shown.push_str(&String::from_utf8_lossy(octets));
            }
        }
    }

    #[test]
    fn a_server_that_repeats_a_secret_is_not_shown_to() {
        let said: &[(Side, &str)] = &[
            (Side::Server, "220 hi\r\n"),
            (Side::Client, "AUTH PLAIN AGEAc2VjcmV0\r\n"),
            (
                Side::Server,
                "500-AUTH PLAIN AGEAc2VjcmV0\r\n500 what is AGEAc2VjcmV0?\r\n",
            ),
            (Side::Client, "AUTH LOGIN\r\n"),
            (Side::Server, "334 x\r\n"),
            (Side::Client, "c2VjcmV0\r\n"),
            (Side::Server, "500 c2VjcmV0\r\n"),
            (Side::Client, "NOOP\r\n"),
            (Side::Server, "250 c2VjcmV0 is a word now\r\n250 no end"),
        ];
        for size in [1, 2, 5, 1000] {
            let seen = Rc::new(RefCell::new(String::new()));
            let mut tap = Masked::new(vec![Box::new(Answers(Rc::clone(&seen)))]);
            for (side, text) in said {
                for piece in text.as_bytes().chunks(size) {
                    tap.saw(Instant::now(), *side, Piece::Bytes(piece));
                }
            }
            drop(tap);
            assert_eq!(
                *seen.borrow(),
                "220 hi\r\n500-AUTH PLAIN ********\r\n500 what is ********?\r\n334 x\r\n500 ********\r\n\
                 250 c2VjcmV0 is a word now\r\n250 no end"
            );
        }
    }

    #[test]
    fn what_is_sent_without_waiting_is_hidden_too() {
        check(
            &[
                (
                    "C",
                    "EHLO a\r\nAUTH LOGIN\r\nc2VjcmV0\r\nc2VjcmV0\r\nMAIL FROM:<a>\r\nAUTH PLAIN\r\nc2VjcmV0\r\nQUIT\r\n",
                ),
                ("S", "220 hi\r\n250 x\r\n334 x\r\n334 x\r\n235 x\r\n"),
            ],
            "EHLO a\r\nAUTH LOGIN\r\n********\r\n********\r\nMAIL FROM:<a>\r\nAUTH PLAIN\r\n********\r\nQUIT\r\n",
        );
        check(
            &[
                ("C", "a LOGIN {5}\r\nalice {6}\r\nsecret\r\n"),
                ("S", "* OK\r\n"),
            ],
            "a LOGIN {5}\r\n********{6}\r\n********\r\n",
        );
    }

    #[test]
    fn pop3_and_ftp_logins_are_hidden() {
        check(
            &[
                ("S", "+OK <1@a>\r\n"),
                ("C", "USER alice\r\n"),
                ("S", "+OK\r\n"),
                ("C", "pass  se cret\n"),
                ("S", "-ERR\r\n"),
                ("C", "APOP alice c2VjcmV0\r\n"),
                ("S", "-ERR\r\n"),
                ("C", "AUTH\tPLAIN\r\n"),
                ("S", "+ \r\n"),
                ("C", "c2VjcmV0\r\n"),
                ("S", "+OK\r\n"),
                ("C", "RETR 1\r\n"),
                ("S", "+OK\r\n+ no challenge\r\n354 no text\r\n.\r\n"),
                ("C", "STAT\r\nPASS secret\r\n"),
            ],
            "USER alice\r\npass ********\nAPOP alice ********\r\nAUTH\tPLAIN\r\n********\r\nRETR 1\r\nSTAT\r\nPASS ********\r\n",
        );
        check(
            &[
                ("S", "220 FTP\r\n"),
                ("C", "AUTH TLS\r\n"),
                ("S", "534 no\r\n"),
                ("C", "USER a\r\n"),
                ("S", "331 x\r\n"),
                ("C", "PASS secret\r\n"),
            ],
            "AUTH TLS\r\nUSER a\r\nPASS ********\r\n",
        );
    }

    #[test]
    fn imap_logins_are_hidden() {
        check(
            &[
                ("S", "* OK hi\r\n"),
                ("C", "a login alice \"se cret\"\r\n"),
                ("S", "a NO\r\n"),
                ("C", "b LOGIN alice {6}\r\n"),
                ("S", "+ go\r\n"),
                ("C", "secret\r\n"),
                ("S", "b NO\r\n"),
                ("C", "c LOGIN {5+}\r\nal\r\ne {6}\r\n"),
                ("S", "+\r\n"),
                ("C", "se\r\net\r\n"),
                ("S", "* 1 EXISTS\r\nc NO\r\n"),
                ("C", "d AUTHENTICATE PLAIN\r\n"),
                ("S", "+ \r\n"),
                ("C", "c2VjcmV0\r\n"),
                ("S", "d NO\r\n"),
                ("C", "e AUTHENTICATE PLAIN c2VjcmV0\r\n"),
                ("S", "e OK\r\n"),
                ("C", "f APPEND x {19}\r\n"),
                ("S", "+ go\r\n"),
                ("C", "f LOGIN alice bob\r\n\r\n"),
                ("S", "f OK\r\n"),
                ("C", "g APPEND x {99}\r\n"),
                ("S", "g NO no such mailbox\r\n"),
                ("C", "h LOGIN alice secret\r\n"),
                ("S", "h OK\r\n"),
                ("C", "i IDLE\r\n"),
                ("S", "+ idling\r\n"),
                ("C", "DONE\r\n"),
            ],
            "a login alice ********\r\nb LOGIN alice {6}\r\n********\r\nc LOGIN {5+}\r\n****************{6}\r\n********\r\nd AUTHENTICATE PLAIN\r\n\
             ********\r\ne AUTHENTICATE PLAIN ********\r\nf APPEND x {19}\r\nf LOGIN alice bob\r\n\r\ng APPEND x {99}\r\nh LOGIN alice ********\r\n\
             i IDLE\r\nDONE\r\n",
        );
    }

    #[test]
    fn a_line_without_end_and_one_that_is_too_long_are_hidden() {
        check(&[("S", "+OK\r\n"), ("C", "PASS sec")], "PASS ********");
        let long = format!("PASS {}\r\n", "secret".repeat(limits::TRANSCRIPT_LINE));
        for size in [100, 1_000_000] {
            let found = shown(&[("C", &long), ("C", "NOOP\r\n")], 0, size);
            assert_eq!(found, "PASS ********\r\nNOOP\r\n");
        }
        let long = format!("NOOP {}\r\nPASS secret\r\n", "x".repeat(100_000));
        let found = shown(&[("C", &long)], 0, 1000);
        assert_eq!(found, long.replace("secret", "********"));
    }

    proptest::proptest! {
        /// Whatever is said around it, however it is cut.
        #[test]
        fn no_password_reaches_the_inner_tap(
            said in proptest::collection::vec(
                (proptest::bool::ANY, proptest::sample::select(&[
                    "220 x\r\n", "250 x\r\n", "+OK\r\n", "* OK\r\n", "a OK\r\n", "b NO\r\n", "EHLO x\r\n", "a NOOP\n", "a X {3}\r\n", "+ \r\n",
                    "DATA\r\n", ".\r\n", "x", "\r\n", "RETR 1\n", "AUTH\r\n", "b LOGIN {3}\r\n", "334 \r\n", "a IDLE\r\n",
                ][..])),
                0..12,
            ),
            login in proptest::sample::select(&[
                "\r\nPASS hunter2\r\n", "\n a LOGIN x hunter2\n", "\nAUTH PLAIN hunter2\r\n", "\r\nauth login\r\nhunter2\r\nhunter2\r\n",
                "\r\n\r\na AUTHENTICATE PLAIN\r\nhunter2\r\n", "\r\nAPOP x hunter2\r\n", "\r\nq LOGIN {7}\r\nhunter2 {7+}\r\nhunter2\r\n",
            ][..]),
            cut in 0usize..20,
            size in 1usize..20,
        ) {
            let mut dialogue: Vec<(&str, &str)> = said
                .iter()
                .map(|(client, text)| (if *client { "C" } else { "S" }, *text))
                .collect();
            // Only what a server, by its greeting and its word, has asked for as text or as a literal is shown as it is.
            let asked = dialogue.contains(&("S", "+ \r\n"));
            dialogue.push(("C", login));
            if !asked {
                let shown = shown(&dialogue, cut, size);
                proptest::prop_assert!(!shown.contains("hunter2"), "{}", shown);
            }
        }
    }
}
