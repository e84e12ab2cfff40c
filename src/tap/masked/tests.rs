//! Dialogues with secrets, cut in all ways: what is shown of them.

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
