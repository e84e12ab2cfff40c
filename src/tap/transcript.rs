//! Transcripts: a dialogue written down as it is spoken, in the format of `tests/dialogs`.
//!
//! ```text
//! S: 220 mail.example.org ESMTP          a line that the server said; CRLF is understood
//! C: AUTH PLAIN ********                 a password stays out
//! C| QUIT\n                              what the client said and did not end with CRLF
//! T: tls # TLSv1.3 TLS13_AES_256_GCM_SHA384
//! S: [eof]                               the server closed
//! 2C: NOOP                               of several connections, the second
//! # ... 812 lines, 41290 octets          text that was folded away, when that is asked for
//! # user: alice                          what a session says of itself that its words do not show
//! # +0.012 s                             how long what follows took, when that is asked for
//! ```
//!
//! What is written can be played, once the secrets are put back: a line that the runner of dialogues would take for a pattern is escaped. And it can be
//! looked at: whatever a peer sends, no control byte, no half of a letter and no letter that turns the direction of
//! writing reaches a terminal; they are escaped as `\r`, `\n`, `\xHH`.
//!
//! Not its job: the time of day (a capture has it), and secrets, which it is never shown.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Piece, Side, Tap};
use crate::limits;

/// A tap that writes a dialogue down. See the module.
pub struct Transcript {
    sink: Sink,
    /// `None` where there is one connection only.
    connection: Option<u64>,
    folding: Folding,
    /// What was said and has not ended its line, and who says it.
    speaker: Side,
    line: Vec<u8>,
    run: Run,
    /// Whether `speaker` has said anything yet.
    spoken: bool,
    /// When something was last said, where times are written.
    last: Option<Instant>,
    /// Times below are not written.
    least: Duration,
    closed: bool,
    /// Lines that the sink has not got yet: all that one piece brings goes there at once.
    written: String,
}

/// Where transcripts go; connections that share one write whole lines to it in turn.
pub type Sink = Arc<Mutex<dyn Write + Send>>;

/// Whether long text is written in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folding {
    /// All of it: what is written can be played.
    Never,
    /// Of what one side says at a stretch, this many lines and the last one, and how much is between.
    After(usize),
}

/// Lines that one side says at a stretch.
#[derive(Default)]
struct Run {
    lines: usize,
    /// Folded away, or about to be: the last of them may yet be written.
    folded_lines: usize,
    folded_octets: usize,
    /// The last line that was folded, as it would be written.
    last: String,
    last_octets: usize,
}

impl Transcript {
    /// A transcript of the only connection.
    pub fn new(sink: Sink, folding: Folding) -> Self {
        Self {
            sink,
            connection: None,
            folding,
            speaker: Side::Server,
            line: Vec::new(),
            run: Run::default(),
            spoken: false,
            last: None,
            least: Duration::ZERO,
            closed: false,
            written: String::new(),
        }
    }

    /// A transcript of one of several connections, whose lines begin with its number.
    pub fn numbered(sink: Sink, connection: u64, folding: Folding) -> Self {
        let mut transcript = Self::new(sink, folding);
        transcript.connection = Some(connection);
        transcript
    }

    /// Writes how long each turn took to come, as a comment before it: since the other side last spoke, the first since `start`.
    pub fn timed(mut self, start: Instant) -> Self {
        self.last = Some(start);
        self
    }

    /// The same, of turns that took `least` at least.
    pub fn timed_from(mut self, start: Instant, least: Duration) -> Self {
        self.least = least;
        self.timed(start)
    }

    /// Writes what is held back: nothing more comes.
    pub(super) fn finish(&mut self) {
        self.end_run();
        self.flush();
    }

    fn bytes(&mut self, now: Instant, side: Side, mut bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.turn_to(now, side);
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end + 1);
            bytes = rest;
            if self.line.is_empty() {
                self.whole_line(line);
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.whole_line(&whole);
                whole.clear();
                self.line = whole;
            }
        }
        self.line.extend_from_slice(bytes);
        if self.line.len() > limits::TRANSCRIPT_LINE {
            self.end_line();
        }
    }

    /// `side` speaks now: what the other one left unfinished ends here.
    fn turn_to(&mut self, now: Instant, side: Side) {
        if side != self.speaker {
            self.end_run();
            self.speaker = side;
            self.spoken = false;
        }
        if !std::mem::replace(&mut self.spoken, true) {
            self.write_time(now);
        }
        self.last = self.last.map(|_| now);
    }

    /// A comment, so that the dialogue can still be played.
    fn write_time(&mut self, now: Instant) {
        let Some(last) = self.last else {
            return;
        };
        let took = now.saturating_duration_since(last);
        if took < self.least {
            return;
        }
        // To the nearest thousandth.
        let thousandths = (took.as_micros() + 500) / 1000;
        let (seconds, rest) = (thousandths / 1000, thousandths % 1000);
        self.written.push_str("# ");
        if let Some(connection) = self.connection {
            self.written.push_str(&format!("{connection}: "));
        }
        self.written.push_str(&format!("+{seconds}.{rest:03} s\n"));
    }

    fn whole_line(&mut self, line: &[u8]) {
        match line.strip_suffix(b"\r\n") {
            Some(text) => self.write_line(Mark::Line, text, line.len()),
            None => self.write_line(Mark::Fragment, line, line.len()),
        }
    }

    /// Writes the unfinished line, if there is one.
    fn end_line(&mut self) {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.write_line(Mark::Fragment, &line, line.len());
        }
    }

    /// The speaker is done: what was folded is told.
    fn end_run(&mut self) {
        self.end_line();
        let run = std::mem::take(&mut self.run);
        if run.folded_lines > 1 {
            let lines = run.folded_lines - 1;
            let octets = run.folded_octets - run.last_octets;
            let lines = format!("{lines} {}", if lines == 1 { "line" } else { "lines" });
            self.written
                .push_str(&format!("# ... {lines}, {octets} octets\n"));
        }
        self.written.push_str(&run.last);
    }

    fn write_line(&mut self, mark: Mark, text: &[u8], octets: usize) {
        let mut line = std::mem::take(&mut self.written);
        let start = line.len();
        line.reserve(text.len() + 8);
        if mark == Mark::Fragment && self.speaker == Side::Server {
            // The format has no word for it: a server that stops within a line cannot be played, only read about.
            line.push_str("# ");
        }
        self.push_connection(&mut line);
        line.push(match self.speaker {
            Side::Client => 'C',
            Side::Server => 'S',
        });
        line.push(match mark {
            Mark::Line => ':',
            Mark::Fragment => '|',
        });
        if !text.is_empty() {
            line.push(' ');
            escape(text, &mut line);
        }
        line.push('\n');
        self.run.lines += 1;
        match self.folding {
            Folding::After(most) if self.run.lines > most => {
                self.run.folded_lines += 1;
                self.run.folded_octets += octets;
                self.run.last = line.split_off(start);
                self.run.last_octets = octets;
            }
            Folding::After(_) | Folding::Never => {}
        }
        self.written = line;
    }

    /// A comment: it may come in the middle of a line, which it does not end.
    fn note(&mut self, kind: &str, text: &str) {
        if self.line.is_empty() {
            self.end_run();
        }
        let line = &mut self.written;
        line.push_str("# ");
        if let Some(connection) = self.connection {
            line.push_str(&format!("{connection}: "));
        }
        line.push_str(kind);
        line.push_str(": ");
        escape(text.as_bytes(), line);
        line.push('\n');
    }

    /// What `side` does, or both.
    fn event(&mut self, now: Instant, side: Side, event: &str) {
        self.turn_to(now, side);
        self.end_run();
        let mut line = std::mem::take(&mut self.written);
        self.push_connection(&mut line);
        line.push_str(event);
        line.push('\n');
        self.written = line;
    }

    fn push_connection(&self, line: &mut String) {
        if let Some(connection) = self.connection {
            line.push_str(&connection.to_string());
        }
    }

    /// An observer changes nothing: a transcript that cannot be written does not end the conversation.
    fn flush(&mut self) {
        if self.written.is_empty() {
            return;
        }
        // Given back: who is idle holds nothing.
        let written = std::mem::take(&mut self.written);
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = sink.write_all(written.as_bytes());
    }
}

impl Tap for Transcript {
    fn saw(&mut self, now: Instant, side: Side, piece: Piece<'_>) {
        match piece {
            Piece::Bytes(bytes) => self.bytes(now, side, bytes),
            Piece::Secret => self.bytes(now, side, b"********"),
            Piece::Tls(words) => {
                let mut event = String::from("T: tls # ");
                escape(words.as_bytes(), &mut event);
                // It took both sides to get there, and whoever speaks next begins anew.
                self.end_run();
                self.spoken = false;
                self.event(now, self.speaker, &event);
                self.spoken = false;
            }
            Piece::Note { kind, text } => self.note(kind, text),
            Piece::Closed if self.closed => {}
            Piece::Closed => {
                self.closed = true;
                let event = match side {
                    Side::Client => "C: [eof]",
                    Side::Server => "S: [eof]",
                };
                self.event(now, side, event);
            }
        }
        self.flush();
    }
}

impl Drop for Transcript {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Whether the line is whole.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// `C:`, it ends with CRLF, which is not written.
    Line,
    /// `C|`, every octet of it is written.
    Fragment,
}

/// Writes what a peer said, fit for a terminal and for the runner of dialogues.
fn escape(said: &[u8], text: &mut String) {
    // Nearly all lines are plain, and go through as they are.
    // Looked at to the end, without a jump: as many octets at once as the processor can.
    let special = |octet: u8| {
        (octet < b' ') & (octet != b'\t') | (octet > b'~') | (octet == b'\\') | (octet == b'[')
    };
    let is_special = said.iter().fold(false, |is, &octet| is | special(octet));
    if !is_special
        && said != b"..."
        && let Ok(plain) = std::str::from_utf8(said)
    {
        return text.push_str(plain);
    }
    // A line of three dots means "any lines" to the runner.
    let mut said = said;
    if said == b"..." {
        text.push_str("\\x2e");
        said = &said[1..];
    }
    for chunk in said.utf8_chunks() {
        let mut letters = chunk.valid().chars();
        while let Some(letter) = letters.next() {
            let rest = letters.as_str();
            let next = rest.chars().next();
            match letter {
                '\r' => text.push_str("\\r"),
                '\n' => text.push_str("\\n"),
                // What follows would make an escape of it, or is written as one.
                '\\' if next.is_none_or(|next| {
                    matches!(next, 'r' | 'n' | 'x' | '\\' | '[' | '\r' | '\n') || disturbs(next)
                }) =>
                {
                    text.push_str("\\\\");
                }
                '[' if is_hole(rest) => text.push_str("\\["),
                letter if disturbs(letter) => {
                    let mut octets = [0; 4];
                    push_hex(letter.encode_utf8(&mut octets).as_bytes(), text);
                }
                letter => text.push(letter),
            }
        }
        push_hex(chunk.invalid(), text);
    }
}

/// Whether `[` before this would be a hole to the runner: `[..]`, `[name]`, `[x*70]`, `[size:FILE]`. IMAP's
/// `[UIDNEXT 4]` and `BODY[]` are none, and stay readable.
fn is_hole(rest: &str) -> bool {
    // Without a bracket here, one may follow behind an octet that is no letter.
    let hole = rest.split_once(']').map_or(rest, |(hole, _)| hole);
    let mut letters = hole.chars();
    match letters.next() {
        Some('a'..='z') => true,
        Some(_) => hole == ".." || letters.next() == Some('*'),
        None => false,
    }
}

/// Control characters of both sets but TAB, and those that turn the direction of writing or hide themselves.
fn disturbs(letter: char) -> bool {
    (letter.is_control() && letter != '\t')
        || matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn push_hex(octets: &[u8], text: &mut String) {
    for octet in octets {
        text.push_str(&format!("\\x{octet:02x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folding: Folding, said: &[(Side, Piece<'_>)]) -> String {
        let sink = Arc::new(Mutex::new(Vec::new()));
        let mut transcript = Transcript::new(sink.clone(), folding);
        for (side, piece) in said {
            transcript.saw(Instant::now(), *side, *piece);
        }
        drop(transcript);
        let bytes = sink.lock().expect("no test holds it").clone();
        String::from_utf8(bytes).expect("transcripts are UTF-8")
    }

    use Piece::Bytes;
    use Side::{Client, Server};

    #[test]
    fn a_dialogue_is_written_as_it_would_be_played() {
        let said = [
            (Server, Bytes(b"+OK ready")),
            (Server, Bytes(b"\r\n")),
            (Client, Bytes(b"PASS ")),
            (Client, Piece::Secret),
            (Client, Bytes(b"\r\n")),
            (Server, Piece::Tls("TLSv1.3 TLS13_AES_256_GCM_SHA384")),
            (
                Server,
                Bytes(b"* OK [UIDNEXT 4] \\Seen BODY[] [X] [1.2]\r\n\r\n"),
            ),
            (Server, Bytes(b"...\r\n")),
            (Client, Bytes(b"NOOP\n")),
            (Client, Bytes(b"QU")),
            (Server, Bytes(b"[eof] [..] [1*2]\r\nhalf")),
            (Server, Piece::Closed),
            (Client, Piece::Closed),
        ];
        assert_eq!(
            written(Folding::Never, &said),
            "S: +OK ready\nC: PASS ********\nT: tls # TLSv1.3 TLS13_AES_256_GCM_SHA384\n\
             S: * OK [UIDNEXT 4] \\Seen BODY[] [X] [1.2]\nS:\nS: \\x2e..\nC| NOOP\\n\nC| QU\nS: \\[eof] \\[..] \\[1*2]\n# S| half\nS: [eof]\n"
        );
    }

    #[test]
    fn a_backslash_before_a_control_character_stays_one() {
        let said = [(Client, Bytes(b"a\\\0b\\\rc\\ d\\\xe2\x80\xae\r\n"))];
        assert_eq!(
            written(Folding::Never, &said),
            "C: a\\\\\\x00b\\\\\\rc\\ d\\\\\\xe2\\x80\\xae\n"
        );
    }

    #[test]
    fn a_hole_with_an_octet_that_is_no_letter_is_none() {
        let said = [(Client, Bytes(b"[size:\x93] [a\r\n"))];
        assert_eq!(written(Folding::Never, &said), "C: \\[size:\\x93] \\[a\n");
    }

    #[test]
    fn how_the_bytes_came_does_not_matter() {
        let text = b"+OK 1\r\nline\r\n\r\n.\r\nlast";
        let whole = written(Folding::Never, &[(Server, Bytes(text))]);
        for at in 0..text.len() {
            let (before, after) = text.split_at(at);
            let cut = [(Server, Bytes(before)), (Server, Bytes(after))];
            assert_eq!(written(Folding::Never, &cut), whole, "cut at {at}");
        }
    }

    #[test]
    fn nothing_that_a_peer_sends_moves_the_cursor() {
        let evil = "a\x1b[2J\u{9b}\u{202e}é\\x41 \\".as_bytes();
        let mut said = evil.to_vec();
        said.extend(b"\xff\0\r\n");
        let text = written(Folding::Never, &[(Server, Bytes(&said))]);
        assert_eq!(
            text,
            "S: a\\x1b[2J\\xc2\\x9b\\xe2\\x80\\xaeé\\\\x41 \\\\\\xff\\x00\n"
        );
        assert!(
            text.chars()
                .all(|letter| letter == '\n' || !letter.is_control())
        );
    }

    #[test]
    fn long_text_is_folded_but_for_its_end() {
        let said = [
            (
                Server,
                Bytes(b"+OK\r\none\r\ntwo\r\nthree\r\nfour\r\n.\r\n"),
            ),
            (Client, Bytes(b"QUIT\r\n")),
            (Server, Bytes(b"+OK\r\n1\r\n.\r\n")),
        ];
        assert_eq!(
            written(Folding::After(2), &said),
            "S: +OK\nS: one\n# ... 3 lines, 18 octets\nS: .\nC: QUIT\nS: +OK\nS: 1\nS: .\n"
        );
    }

    #[test]
    fn times_are_comments_before_each_turn() {
        let sink = Arc::new(Mutex::new(Vec::new()));
        let start = Instant::now();
        let mut timed = Transcript::new(sink.clone(), Folding::Never).timed(start);
        let said = [
            (12, Server, Bytes(b"220-hi\r\n")),
            (14, Server, Bytes(b"220 there\r\n")),
            (1014, Client, Bytes(b"STARTTLS\r\n")),
            (1015, Server, Bytes(b"220 go\r\n")),
            (1045, Server, Piece::Tls("TLSv1.3")),
            (1046, Server, Bytes(b"221")),
            (1046, Server, Bytes(b"\r\n")),
            (1047, Server, Piece::Closed),
        ];
        for (milliseconds, side, piece) in said {
            let now = start + std::time::Duration::from_millis(milliseconds);
            timed.saw(now, side, piece);
        }
        drop(timed);
        let text = sink.lock().expect("no test holds it").clone();
        assert_eq!(
            String::from_utf8(text).expect("UTF-8"),
            "# +0.012 s\nS: 220-hi\nS: 220 there\n# +1.000 s\nC: STARTTLS\n# +0.001 s\nS: 220 go\n\
             # +0.030 s\nT: tls # TLSv1.3\n# +0.001 s\nS: 221\nS: [eof]\n"
        );
        let mut second = Transcript::numbered(sink.clone(), 2, Folding::Never).timed(start);
        second.saw(start, Client, Bytes(b"NOOP\r\n"));
        drop(second);
        let text = sink.lock().expect("no test holds it").clone();
        assert!(text.ends_with(b"# 2: +0.000 s\n2C: NOOP\n"));
    }

    #[test]
    fn what_no_octets_show_is_a_comment() {
        let note = |text| Piece::Note {
            kind: crate::tap::note::FAULT,
            text,
        };
        let said = [
            (Client, Bytes(b"RCPT")),
            (Server, note("rule 1: [2J\x1b\nS: 250")),
            (Client, Bytes(b" TO:<a@b>\r\n")),
            (Client, note("451")),
            (Server, Bytes(b"451\r\n")),
        ];
        assert_eq!(
            written(Folding::Never, &said),
            "# fault: rule 1: [2J\\x1b\\nS: 250\nC: RCPT TO:<a@b>\n# fault: 451\nS: 451\n"
        );
        let sink = Arc::new(Mutex::new(Vec::new()));
        let mut second = Transcript::numbered(sink.clone(), 2, Folding::Never);
        second.saw(Instant::now(), Server, note("x"));
        assert_eq!(*sink.lock().expect("no test holds it"), b"# 2: fault: x\n");
    }

    #[test]
    fn connections_are_numbered_and_lines_stay_whole() {
        let sink = Arc::new(Mutex::new(Vec::new()));
        let mut one = Transcript::numbered(sink.clone(), 1, Folding::Never);
        let mut two = Transcript::numbered(sink.clone(), 2, Folding::Never);
        one.saw(Instant::now(), Client, Bytes(b"EHLO"));
        two.saw(Instant::now(), Server, Bytes(b"220 two\r\n"));
        one.saw(Instant::now(), Client, Bytes(b" one\r\n"));
        two.saw(Instant::now(), Server, Piece::Closed);
        let text = sink.lock().expect("no test holds it").clone();
        assert_eq!(text, b"2S: 220 two\n1C: EHLO one\n2S: [eof]\n");
    }
}
