//! Whole sessions, the server's octets and the typed ones cut at every position.

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

#[test]
fn smtp_waits_for_each_reply_but_not_within_the_text() {
    let ending = play(
        &options(None, Keyboard::Other),
        "EHLO pc1\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\nDATA\nSubject: x\n\n??? no instruction\n>>> nor this\n..\n.\nQUIT\n",
        &[
            ("220-wait for it\r\n", ""),
            ("220 mail ESMTP\r\n", "EHLO pc1\r\n"),
            ("250-mail\r\n250-SIZE\r\n", ""),
            ("250 HELP\r\n", "MAIL FROM:<a@example.org>\r\n"),
            ("250 ok\r\n", "RCPT TO:<b@example.org>\r\n"),
            ("250 ok\r\n", "DATA\r\n"),
            (
                "354 go\r\n",
                "Subject: x\r\n\r\n??? no instruction\r\n>>> nor this\r\n..\r\n.\r\n",
            ),
            ("250 taken\r\n", "QUIT\r\n"),
            ("221 bye\r\n", ""),
        ],
    );
    assert_eq!(ending, Ending::Done);
}

#[test]
fn smtp_asks_for_answers_and_chunks() {
    let ending = play(
        &script(Protocol::Smtp),
        "AUTH LOGIN\nYQ==\nYg==\nBDAT 7\nabc\nde\nBDAT 0 LAST\nRSET",
        &[
            ("220 hi\r\n", "AUTH LOGIN\r\n"),
            ("334 VXNlcm5hbWU6\r\n", "YQ==\r\n"),
            ("334 UGFzc3dvcmQ6\r\n", "Yg==\r\n"),
            // The chunk goes without waiting; what is behind it on its line is a command.
            ("235 in\r\n", "BDAT 7\r\nabc\r\nde"),
            ("250 7 octets\r\n", "\r\n"),
            ("500 what?\r\n", "BDAT 0 LAST\r\n"),
            ("250 taken\r\n", "RSET\r\n"),
            ("250 ok\r\n", ""),
        ],
    );
    assert_eq!(ending, Ending::Done);
}

#[test]
fn lmtp_answers_for_each_recipient() {
    let ending = play(
        &options(None, Keyboard::Other),
        "LHLO a\nMAIL FROM:<>\nRCPT TO:<b>\nRCPT TO:<c>\nRCPT TO:<d>\nDATA\nx\n.\nMAIL FROM:<>\nRCPT TO:<b>\nRCPT TO:<c>\nBDAT 3 LAST\ny\nNOOP\n",
        &[
            ("220 hi\r\n", "LHLO a\r\n"),
            ("250 a\r\n", "MAIL FROM:<>\r\n"),
            ("250 a\r\n", "RCPT TO:<b>\r\n"),
            ("250 b\r\n", "RCPT TO:<c>\r\n"),
            ("550 c\r\n", "RCPT TO:<d>\r\n"),
            ("250 d\r\n", "DATA\r\n"),
            ("354 go\r\n", "x\r\n.\r\n"),
            ("250 b\r\n", ""),
            ("452 d\r\n", "MAIL FROM:<>\r\n"),
            ("250 a\r\n", "RCPT TO:<b>\r\n"),
            ("250 b\r\n", "RCPT TO:<c>\r\n"),
            ("250 c\r\n", "BDAT 3 LAST\r\ny\r\n"),
            ("250 b\r\n", ""),
            ("250 c\r\n", "NOOP\r\n"),
            ("250\r\n", ""),
        ],
    );
    assert_eq!(ending, Ending::Done);
}

#[test]
fn pop3_knows_which_replies_are_long() {
    let ending = play(
        &options(None, Keyboard::Other),
        "USER a\nPASS b\nLIST\nLIST 1\nUIDL 2\nRETR 1\nTOP 1 0\nAUTH PLAIN\nAGEAYg==\nQUIT\n",
        &[
            ("+OK hi <1@a>\r\n", "USER a\r\n"),
            ("+OK\r\n", "PASS b\r\n"),
            ("+OK\r\n", "LIST\r\n"),
            ("+OK 1\r\n1 20\r\n", ""),
            (".\r\n", "LIST 1\r\n"),
            ("+OK 1 20\r\n", "UIDL 2\r\n"),
            ("-ERR none\r\n", "RETR 1\r\n"),
            (
                "+OK 20 octets\r\n+OK in the text\r\n-ERR\r\n..\r\n.x\r\n",
                "",
            ),
            (".\r\n", "TOP 1 0\r\n"),
            ("+OK\r\n\r\n.\r\n", "AUTH PLAIN\r\n"),
            ("+ \r\n", "AGEAYg==\r\n"),
            ("+OK in\r\n", "QUIT\r\n"),
            ("+OK bye\r\n", ""),
        ],
    );
    assert_eq!(ending, Ending::Done);
}

#[test]
fn imap_has_tags_literals_and_idle() {
    let ending = play(
        &options(None, Keyboard::Other),
        "LOGIN a {3}\nb c\nx9 CREATE {3+}\nbox {2}\n??\nA7 SELECT box\nFETCH 1 BODY[]\nIDLE\nDONE\nLOGOUT\n",
        &[
            ("* OK hi\r\n", "A1 LOGIN a {3}\r\n"),
            ("+ go\r\n", "b c\r\n"),
            ("A1 OK in\r\n", "x9 CREATE {3+}\r\nbox {2}\r\n"),
            ("+\r\n", "??\r\n"),
            ("* 1 EXISTS\r\nx9 NO no\r\n", "A7 SELECT box\r\n"),
            ("* FLAGS (\\Seen)\r\nx9 OK not this one\r\n", ""),
            ("A7 OK [READ-WRITE] done\r\n", "A8 FETCH 1 BODY[]\r\n"),
            ("* 1 FETCH (BODY[] {12}\r\nA8 OK no\r\n+\r", ""),
            (")\r\nA8 OK done\r\n", "A9 IDLE\r\n"),
            // The script does not wait within IDLE; +++ would.
            ("+ idling\r\n", "DONE\r\n"),
            ("* 2 EXISTS\r\nA9 OK done\r\n", "A10 LOGOUT\r\n"),
            ("* BYE\r\nA10 OK\r\n", ""),
        ],
    );
    assert_eq!(ending, Ending::Done);
}

#[test]
fn ftp_has_replies_before_replies() {
    let ending = play(
        &options(None, Keyboard::Other),
        "USER a\nLIST\nAUTH TLS\nQUIT\n",
        &[
            ("220 hi\r\n", "USER a\r\n"),
            ("331 who?\r\n", "LIST\r\n"),
            ("150-here\r\n150 it comes\r\n", ""),
            ("226 done\r\n", "AUTH TLS\r\n"),
            ("234 go\r\n", ""),
            (TLS, "QUIT\r\n"),
            ("221 bye\r\n", ""),
        ],
    );
    assert_eq!(ending, Ending::Done);
}

#[test]
fn tls_starts_when_the_server_agrees() {
    for (protocol, greeting, ask, no, yes, next) in [
        (
            Protocol::Smtp,
            "220 a\r\n",
            "STARTTLS",
            "454 later\r\n",
            "220 go\r\n",
            "EHLO a",
        ),
        (
            Protocol::Pop3,
            "+OK\r\n",
            "STLS",
            "-ERR no\r\n",
            "+OK\r\n",
            "CAPA",
        ),
        (
            Protocol::Imap,
            "* OK\r\n",
            "a STARTTLS",
            "a NO no\r\n",
            "a OK go\r\n",
            "b NOOP",
        ),
    ] {
        let (asked, then) = (format!("{ask}\r\n"), format!("{next}\r\n"));
        let refused = play(
            &script(protocol),
            &format!("{ask}\n{next}\n"),
            &[
                (greeting, asked.as_str()),
                (no, then.as_str()),
                (no.replace("a NO", "b NO").as_str(), ""),
            ],
        );
        assert_eq!(refused, Ending::Done);
        let mut play = Play::new(script(protocol));
        play.types(&format!("{ask}\n{next}\n"), 100);
        play.says(greeting, 100);
        assert_eq!(play.sent(), format!("{ask}\r\n"));
        play.says(yes, 1);
        assert_eq!(play.sent(), "", "nothing goes in the clear");
        play.starts_tls();
        assert_eq!(play.sent(), format!("{next}\r\n"));
        let notes = play.session.screen().notes.concat();
        assert!(
            notes.contains("TLSv1.3") && notes.contains("certificate verified"),
            "{notes}"
        );
    }
}

#[test]
fn what_comes_in_the_clear_before_tls_is_not_believed() {
    let mut play = Play::new(script(Protocol::Smtp));
    play.types("STARTTLS\n", 100);
    play.says("220 hi\r\n", 100);
    play.says("220 go\r\n250 injected\r\n", 100);
    assert!(
        play.failure().starts_with("14 octets came in the clear"),
        "{}",
        play.failure()
    );
    assert!(!play.session.screen().octets.ends_with(b"injected\r\n"));
}

#[test]
fn a_server_that_closes_too_early_is_told() {
    let smtp = script(Protocol::Smtp);
    for (typed, steps, why) in [
        ("", &[(EOF, "")][..], "closed before its greeting"),
        (
            "NOOP\n",
            &[("220", ""), (EOF, "")],
            "closed before its greeting",
        ),
        (
            "AUTH PLAIN AGEAYg==\n",
            &[
                ("220 a\r\n", "AUTH PLAIN AGEAYg==\r\n"),
                ("235-", ""),
                (EOF, ""),
            ],
            "closed before it answered \"AUTH PLAIN ********\"",
        ),
        (
            "DATA\nx\n.\n",
            &[
                ("220 a\r\n", "DATA\r\n"),
                ("354 go\r\n", "x\r\n.\r\n"),
                (EOF, ""),
            ],
            "closed before it answered the message",
        ),
        (
            "QUIT\nNOOP\n",
            &[("220 a\r\n", "QUIT\r\n"), (EOF, "")],
            "closed before it answered \"QUIT\"",
        ),
    ] {
        let failure = fails(&smtp, typed, steps);
        assert!(failure.contains(why), "{failure}");
    }
    let mut play = Play::new(smtp.clone());
    play.types("QUIT\nPASS x\n", 100);
    play.says("220 a\r\n", 100);
    play.says("221 bye\r\n", 100);
    play.closes();
    assert!(
        play.failure()
            .contains("closed before it answered \"PASS ********\""),
        "{}",
        play.failure()
    );
    let mut play = Play::new(smtp);
    play.types("QUIT\n", 100);
    play.says("220 a\r\n", 100);
    play.says("221 bye\r\n", 100);
    play.closes();
    play.types("PASS x\n", 100);
    assert!(
        play.failure().contains("line 2 cannot be sent"),
        "{}",
        play.failure()
    );
    assert!(
        play.failure().contains("PASS ********"),
        "{}",
        play.failure()
    );
}

#[test]
fn input_that_ends_too_early_is_told() {
    for (protocol, typed, steps, why) in [
        (
            Protocol::Smtp,
            "DATA\nx\n",
            &[("220 a\r\n", "DATA\r\n"), ("354 go\r\n", "x\r\n")][..],
            "middle of the message",
        ),
        (
            Protocol::Smtp,
            "BDAT 9\nx\n",
            &[("220 a\r\n", "BDAT 9\r\nx\r\n")],
            "middle of a chunk",
        ),
        (
            Protocol::Smtp,
            "AUTH PLAIN\n",
            &[("220 a\r\n", "AUTH PLAIN\r\n"), ("334 \r\n", "")],
            "waits for an answer",
        ),
        (
            Protocol::Imap,
            "a X {9}\nx\n",
            &[("* OK\r\n", "a X {9}\r\n"), ("+\r\n", "x\r\n")],
            "middle of a literal",
        ),
        (
            Protocol::Imap,
            "a X {3}\nx\n",
            &[("* OK\r\n", "a X {3}\r\n"), ("+\r\n", "x\r\n")],
            "last line",
        ),
    ] {
        let failure = fails(&script(protocol), typed, steps);
        assert!(failure.contains(why), "{failure}");
    }
    // In IDLE there is nothing to be finished.
    let idle = play(
        &script(Protocol::Imap),
        "a IDLE\n",
        &[("* OK\r\n", "a IDLE\r\n"), ("+\r\n", "")],
    );
    assert_eq!(idle, Ending::Done);
}

#[test]
fn expectations_come_true_or_fail() {
    let smtp = script(Protocol::Smtp);
    let good = play(
        &smtp,
        "??? 220\nDATA\n??? 354\nx\n??? no\n.\n??? 250\nEHLO a\n??? 250-mail\n????250-\n??? 250 HELP\nRCPT TO:<x>\n??? 550 5.1.1\nQUIT\n??? 221\n???*\n",
        &[
            ("220 hi\r\n", "DATA\r\n"),
            ("354 go\r\n", "x\r\n??? no\r\n.\r\n"),
            ("250 taken\r\n", "EHLO a\r\n"),
            ("250-mail\r\n250-SIZE\r\n250 HELP\r\n", "RCPT TO:<x>\r\n"),
            ("550 5.1.1 who?\r\n", "QUIT\r\n"),
            ("221 bye\r\n", ""),
            (EOF, ""),
        ],
    );
    assert_eq!(good, Ending::Done);
    let failure = fails(
        &smtp,
        "NOOP\n\n??? 250\n",
        &[
            ("220 hi\r\n", "NOOP\r\n"),
            ("250 ok\r\n", "\r\n"),
            ("500-no\r\n500 \x1b[m\r\n", ""),
        ],
    );
    assert_eq!(
        failure,
        "line 3: a line that begins with \"250\" was expected, and this is what came:\n    500-no\n    500 \\u{1b}[m"
    );
    let failure = fails(
        &smtp,
        "QUIT\n???*\n",
        &[
            ("220 hi\r\n", "QUIT\r\n"),
            ("221 bye\r\n", ""),
            ("421 still here\r\n", ""),
        ],
    );
    assert_eq!(
        failure,
        "line 2: the server was expected to close, but it said: 421 still here"
    );
    let failure = fails(&smtp, "+++ x\n", &[("220 hi\r\n", "")]);
    assert!(
        failure.starts_with("line 1: +++ takes seconds"),
        "{failure}"
    );
    let good = play(
        &script(Protocol::Imap),
        "NOOP\n??? OK\nx NOOP\n??? * 1 EXISTS\n??? x BAD\n",
        &[
            ("* OK hi\r\n", "A1 NOOP\r\n"),
            ("A1 OK\r\n", "x NOOP\r\n"),
            ("* 2 RECENT\r\n* 1 EXISTS\r\nx BAD\r\n", ""),
        ],
    );
    assert_eq!(good, Ending::Done);
    // On a terminal nothing that is typed is an instruction.
    let mut play = Play::new(options(Some(Protocol::Smtp), Keyboard::Terminal));
    play.says("220 hi\r\n", 100);
    play.types("??? 250\n", 100);
    assert_eq!(play.sent(), "??? 250\r\n");
}

#[test]
fn idle_is_listened_to() {
    let mut play = Play::new(script(Protocol::Imap));
    play.types("IDLE\n??? * 3 EXISTS\n+++ 2\nDONE\n??? OK\n", 100);
    play.types_no_more();
    play.says("* OK hi\r\n", 100);
    assert_eq!(play.sent(), "A1 IDLE\r\n");
    play.says("+ idling\r\n* 2 EXISTS\r\n", 1);
    assert_eq!(play.sent(), "");
    play.says("* 3 EXISTS\r\n", 1);
    assert_eq!(play.sent(), "", "it sleeps");
    play.waits(Duration::from_secs(1));
    assert_eq!(play.sent(), "");
    play.waits(Duration::from_secs(1));
    assert_eq!(play.sent(), "DONE\r\n");
    play.says("A1 OK done\r\n", 1);
    assert_eq!(play.session.ending(), Some(&Ending::Done));
    let mut play = Play::new(script(Protocol::Imap));
    play.types("IDLE\n??? * 3 EXISTS\n", 100);
    play.says("* OK hi\r\n", 100);
    play.says("+ idling\r\n", 100);
    play.waits(limits::EXPECT);
    assert!(
        play.failure().contains("did not come in time"),
        "{}",
        play.failure()
    );
}

#[test]
fn raw_octets_go_as_they_are() {
    let mut play = Play::new(script(Protocol::Smtp));
    play.types(
        ">>> NO\n>>> OP\\r\\nRSET\\r\\n\n??? 250 two\n>>> half\n??? 421\n",
        100,
    );
    play.says("220 hi\r\n", 100);
    assert_eq!(play.sent(), "NOOP\r\nRSET\r\n", "pipelined on purpose");
    play.says("250 one\r\n", 1);
    assert_eq!(play.sent(), "");
    play.says("250 two\r\n", 1);
    assert_eq!(play.sent(), "half");
    play.says("421 too slow\r\n", 1);
    play.types_no_more();
    assert_eq!(play.session.ending(), Some(&Ending::Done));
    // Text whose end the server sees elsewhere than we do.
    let mut play = Play::new(script(Protocol::Smtp));
    play.types("??? 220\nDATA\nx\n>>> \\n.\\n\nNOOP\n", 100);
    play.says("220 hi\r\n", 100);
    assert_eq!(play.sent(), "DATA\r\n");
    play.says("354 go\r\n", 100);
    assert_eq!(play.sent(), "x\r\n\n.\nNOOP\r\n");
    play.says("250 taken\r\n", 100);
    play.types("NOOP\n", 100);
    assert_eq!(play.sent(), "NOOP\r\n");
    play.types("NOOP\n", 100);
    assert_eq!(play.sent(), "", "commands wait again");
}

#[test]
fn text_that_is_sent_ahead_is_text() {
    let mut play = Play::new(script(Protocol::Smtp));
    play.types(">>> DATA\\r\\nRCPT\\r\\n.\\r\\nNOOP\\r\\n\nQUIT\n", 100);
    play.says("220 hi\r\n", 100);
    assert_eq!(play.sent(), "DATA\r\nRCPT\r\n.\r\nNOOP\r\n");
    play.says("354 go\r\n250 taken\r\n", 1);
    assert_eq!(play.sent(), "");
    play.says("250 ok\r\n", 1);
    assert_eq!(play.sent(), "QUIT\r\n");
    let mut play = Play::new(script(Protocol::Smtp));
    play.types(">>> AUTH PLAIN\\r\\nAGEAYg==\\r\\n\nQUIT\n", 100);
    play.says("220 hi\r\n", 100);
    assert_eq!(play.sent(), "AUTH PLAIN\r\nAGEAYg==\r\n");
    play.says("334 \r\n", 1);
    assert_eq!(play.sent(), "");
    play.says("235 in\r\n", 1);
    assert_eq!(play.sent(), "QUIT\r\n");
}

#[test]
fn a_file_is_content() {
    let mut play = Play::new(script(Protocol::Smtp));
    play.types("DATA\n<<< letter.eml\n.\nQUIT\n", 100);
    play.says("220 hi\r\n", 100);
    assert_eq!(play.sent(), "DATA\r\n");
    play.says("354 go\r\n", 100);
    assert_eq!(play.session.needs(), Needs::Open(b"letter.eml"));
    for piece in [&b"Subject: x\n\n.\n>>> quoted\n??? 1"[..], b"\n..dots", b""] {
        play.session.content(play.now, Ok(piece), &mut play.out);
        assert!(piece.is_empty() || play.session.needs() == Needs::Content);
    }
    assert_eq!(
        play.sent(),
        "Subject: x\r\n\r\n..\r\n>>> quoted\r\n??? 1\r\n...dots\r\n.\r\n"
    );
    play.says("250 taken\r\n", 100);
    assert_eq!(play.sent(), "QUIT\r\n");
    // As commands they are waited for, like any others.
    let mut play = Play::new(script(Protocol::Pop3));
    play.types("<<< commands\nQUIT\n", 100);
    play.says("+OK\r\n", 100);
    play.session
        .content(play.now, Ok(b"USER a\nPASS b\n"), &mut play.out);
    assert_eq!(play.sent(), "USER a\r\n");
    play.session.content(play.now, Ok(b""), &mut play.out);
    play.says("+OK\r\n", 100);
    assert_eq!(play.sent(), "PASS b\r\n");
    play.says("+OK\r\n", 100);
    assert_eq!(play.sent(), "QUIT\r\n");
    let mut play = Play::new(script(Protocol::Pop3));
    play.types("\n<<< none\n", 100);
    play.says("+OK\r\n-ERR\r\n", 100);
    play.says("-ERR\r\n", 100);
    play.session
        .content(play.now, Err("no such file".into()), &mut play.out);
    assert_eq!(play.failure(), "line 2: cannot read none: no such file");
}

#[test]
fn what_was_meant_as_text_is_not_sent_as_commands() {
    let smtp = script(Protocol::Smtp);
    let ending = play(
        &smtp,
        "DATA\nFrom: x\n\nQUIT\n.\nNOOP\nDATA\nQUIT\nDATA\n??? 503\nx\n",
        &[
            ("220 hi\r\n", "DATA\r\n"),
            ("503 no\r\n", "NOOP\r\n"),
            ("250 ok\r\n", "DATA\r\n"),
            ("503 no\r\n", "QUIT\r\n"),
            ("250 stay\r\n", "DATA\r\n"),
            ("503 no\r\n", "x\r\n"),
            ("500 what?\r\n", ""),
        ],
    );
    assert_eq!(ending, Ending::Done);
    let ending = play(
        &smtp,
        "AUTH LOGIN\nYQ==\nYg==\nMAIL FROM:<>\n",
        &[
            ("220 hi\r\n", "AUTH LOGIN\r\n"),
            ("504 no\r\n", "MAIL FROM:<>\r\n"),
            ("250 ok\r\n", ""),
        ],
    );
    assert_eq!(ending, Ending::Done);
    let ending = play(
        &script(Protocol::Imap),
        "a APPEND x {10}\nA: b\n\n\n\nb LOGIN {1}\nc {6}\nsecret\nLOGOUT\n",
        &[
            ("* OK\r\n", "a APPEND x {10}\r\n"),
            ("a NO no\r\n", "b LOGIN {1}\r\n"),
            ("b NO no\r\n", "A1 LOGOUT\r\n"),
            ("A1 OK\r\n", ""),
        ],
    );
    assert_eq!(ending, Ending::Done);
    // A person sees what happened.
    let mut play = Play::new(options(Some(Protocol::Smtp), Keyboard::Terminal));
    play.says("220 hi\r\n", 100);
    play.types("DATA\n", 100);
    play.says("503 no\r\n", 100);
    play.types("From: x\n", 100);
    assert_eq!(play.sent(), "DATA\r\nFrom: x\r\n");
    assert!(play.session.screen().notes.is_empty());
}

#[test]
fn patience_ends() {
    let mut options = script(Protocol::Smtp);
    options.idle = Some(Duration::from_secs(3));
    let mut play = Play::new(options.clone());
    play.waits(Duration::from_secs(3));
    assert_eq!(
        play.failure(),
        "nothing came for 3 seconds before its greeting"
    );
    let mut play = Play::new(options);
    play.says("220 hi\r\n", 100);
    play.waits(Duration::from_secs(2));
    play.types("+++ 9\n", 100);
    play.waits(Duration::from_secs(9));
    assert_eq!(play.session.ending(), None, "it was to sleep");
    play.waits(Duration::from_secs(3));
    assert_eq!(
        play.session.ending(),
        Some(&Ending::Done),
        "nobody waits for anything"
    );
}

#[test]
fn it_stays_when_it_is_asked_to() {
    let mut options = script(Protocol::Smtp);
    options.stay = Stay::For(Duration::from_secs(2));
    let mut play = Play::new(options.clone());
    play.says("220 hi\r\n", 100);
    play.types_no_more();
    play.waits(Duration::from_secs(1));
    play.says("421 bye\r\n", 100);
    assert_eq!(play.session.ending(), None);
    play.waits(Duration::from_secs(1));
    assert_eq!(play.session.ending(), Some(&Ending::Done));
    options.stay = Stay::Forever;
    let mut play = Play::new(options);
    play.says("220 hi\r\n", 100);
    play.types_no_more();
    assert_eq!(play.session.deadline(), None);
    play.closes();
    assert_eq!(play.session.ending(), Some(&Ending::Done));
}

#[test]
fn lines_are_paced() {
    let mut options = script(Protocol::Smtp);
    options.interval = Some(Duration::from_secs(1));
    let mut play = Play::new(options);
    play.types("DATA\na\nb\n.\n", 100);
    play.says("220 hi\r\n", 100);
    assert_eq!(play.sent(), "DATA\r\n");
    play.says("354 go\r\n", 100);
    for line in ["a\r\n", "b\r\n", ".\r\n"] {
        assert_eq!(play.sent(), "");
        play.waits(Duration::from_secs(1));
        assert_eq!(play.sent(), line);
    }
}

#[test]
fn a_person_at_a_terminal_leaves_with_the_server() {
    let mut play = Play::new(options(None, Keyboard::Terminal));
    play.says("220 hi\r\n", 100);
    play.types("QUIT\n", 100);
    play.says("221 bye\r\n", 100);
    assert_eq!(play.session.ending(), None);
    play.closes();
    assert_eq!(play.session.ending(), Some(&Ending::Done));
}

#[test]
fn a_strange_greeting_is_told() {
    let mut play = Play::new(script(Protocol::Imap));
    play.says("+OK hi\r\n", 1);
    assert_eq!(
        play.failure(),
        "this is a server of POP3, not of IMAP: \"+OK hi\""
    );
    let mut play = Play::new(options(None, Keyboard::Other));
    play.says("SSH-2.0-x\r\n", 1);
    assert!(
        play.failure().contains("no mail server greets like this"),
        "{}",
        play.failure()
    );
}

#[test]
fn after_a_prelude_nothing_greets() {
    let mut options = script(Protocol::Smtp);
    options.greeting = Greeting::Heard;
    let mut play = Play::new(options);
    play.types("EHLO a\n", 100);
    assert_eq!(play.sent(), "EHLO a\r\n");
}

#[test]
fn long_text_flows_and_long_commands_do_not() {
    let mut play = Play::new(script(Protocol::Smtp));
    play.says("220 hi\r\n", 100);
    play.types("DATA\n", 100);
    play.says("354 go\r\n", 100);
    let long = "x".repeat(3 * limits::TYPED);
    let mut sent = play.sent();
    for piece in long.as_bytes().chunks(1000) {
        assert_eq!(play.session.needs(), Needs::Typed);
        play.session.typed(play.now, piece, &mut play.out);
        sent.push_str(&play.sent());
    }
    play.types("\n.\n", 100);
    sent.push_str(&play.sent());
    assert_eq!(sent, format!("DATA\r\n{long}\r\n.\r\n"));
    play.says("250 ok\r\n", 100);
    for piece in long.as_bytes().chunks(1000) {
        if play.session.needs() == Needs::Typed {
            play.session.typed(play.now, piece, &mut play.out);
        }
    }
    assert_eq!(play.failure(), "line 4 is too long for a command");
}

#[test]
fn what_is_typed_ahead_is_bounded() {
    let mut play = Play::new(script(Protocol::Smtp));
    let mut typed = 0;
    while play.session.needs() == Needs::Typed {
        play.types("NOOP\n", 100);
        typed += 1;
    }
    assert!(typed * 6 < 2 * limits::TYPED, "{typed}");
    play.session.screen().full = true;
    assert_eq!(
        play.session.want(),
        Want::Nothing,
        "a full screen holds the server back"
    );
}

#[test]
fn replies_are_explained_in_place() {
    let mut options = script(Protocol::Smtp);
    options.explain = Some(Lang::En);
    let mut play = Play::new(options);
    play.types("RCPT TO:<x>\n", 100);
    play.says("220 hi\r\n", 100);
    play.says("550 5.1.1 no\r\n", 1);
    let explained = &play.session.screen().explained;
    assert!(
        explained.contains("220") && explained.contains("5.1.1"),
        "{explained}"
    );
    assert!(explained.ends_with("sent:    RCPT TO:<x>\n"), "{explained}");
}

proptest::proptest! {
    #[test]
    fn whatever_comes_it_goes_on(
        said in proptest::collection::vec(proptest::sample::select(&[
            "220 a\r\n", "250-", "250 ok\r\n", "354\r\n", "334 \r\n", "550 no\n", "* OK\r\n", "A1 OK\r\n", "+ \r\n", "{3}\r\n",
            "* 1 FETCH {5}\r\n", "+OK\r\n", ".\r\n", "-ERR\r\n", "x", "\r", "\n", "234\r\n", "421\r\n",
        ][..]), 0..20),
        typed in proptest::collection::vec(proptest::sample::select(&[
            "DATA\n", ".\n", "QUIT\n", "AUTH LOGIN\n", "x\n", "BDAT 3\n", "a X {3}\n", "{2+}\n", "??? 2\n", "???*\n", ">>> a\\r\\n\n",
            "+++ 1\n", "<<< f\n", "RETR 1\n", "IDLE\n", "DONE\n", "STLS\n", "STARTTLS\n", "\n", "y",
        ][..]), 0..20),
        protocol in proptest::sample::select(&Protocol::ALL[..]),
    ) {
        let mut play = Play::new(script(protocol));
        let (mut said, mut typed) = (said.iter(), typed.iter());
        loop {
            let (said, typed) = (said.next(), typed.next());
            if let Some(typed) = typed && play.session.needs() == Needs::Typed {
                play.types(typed, 100);
            }
            if let Some(said) = said {
                play.says(said, 100);
            }
            match play.session.needs() {
                Needs::Open(_) => play.session.content(play.now, Ok(b"z\n"), &mut play.out),
                Needs::Content => play.session.content(play.now, Ok(b""), &mut play.out),
                _ => {}
            }
            if play.out.wish() == Some(Wish::StartTls) {
                play.starts_tls();
            }
            play.waits(Duration::from_secs(1));
            if said.is_none() && typed.is_none() {
                break;
            }
        }
        play.types_no_more();
        play.closes();
        // Pauses of the script may be left.
        for _ in 0..40 {
            play.waits(Duration::from_secs(1));
        }
        proptest::prop_assert!(play.session.ending().is_some() || play.session.needs() != Needs::Nothing);
    }
}
