//! Scripts: what is expected, and what goes as it is.

use super::*;

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
        "line 3: the reply is not what the script expects\n  expected: 250\n  came:     500-no\n            500 \\u{1b}[m"
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

/// What a teacher's script finds: all of it, and where.
#[test]
fn all_expectations_are_checked_where_that_is_asked_for() {
    let all = Options {
        checks: Checks::All,
        ..script(Protocol::Smtp)
    };
    let mut play = Play::new(all.clone());
    play.types(
        "**** 1) the letter\n??? 220\nRCPT TO:<x>\n??? 250\nAUTH PLAIN AGEAc2VjcmV0\n??? 235\n**** 2) the text\nDATA\n??? 354\nSubject: x\n\n.\n??? 250\n\
         QUIT\n??? 221\n???*\n",
        7,
    );
    play.types_no_more();
    for (says, sent) in [
        ("220 hi\r\n", "RCPT TO:<x>\r\n"),
        ("503 MAIL first\r\n", "AUTH PLAIN AGEAc2VjcmV0\r\n"),
        ("500 AUTH PLAIN AGEAc2VjcmV0?\r\n", "DATA\r\n"),
        // What was meant as text is left out all the same.
        ("503 RCPT first\r\n", "QUIT\r\n"),
        ("221 bye\r\n", ""),
    ] {
        play.says(says, 5);
        assert_eq!(play.sent(), sent);
    }
    play.closes();
    assert_eq!(play.failure(), "checked: 3 of 7 came true");
    let notes = &play.session.screen().notes;
    let expected = [
        "**** 1) the letter",
        "line 4: the reply is not what the script expects\n  step:     1) the letter\n  sent:     RCPT TO:<x>\n  expected: 250\n  came:     503 MAIL first",
        "line 6: the reply is not what the script expects\n  step:     1) the letter\n  sent:     AUTH PLAIN ********\n  expected: 235\n  came:     500 AUTH PLAIN ********?",
        "**** 2) the text",
        "line 9: the reply is not what the script expects\n  step:     2) the text\n  sent:     DATA\n  expected: 354\n  came:     503 RCPT first",
        "DATA was refused: what was meant as its text, from line 10 to the lone dot, is not sent",
        "line 13: the reply is not what the script expects\n  step:     2) the text\n  sent:     DATA\n  expected: 250\n  came:     503 RCPT first",
    ];
    assert_eq!(notes, &expected);

    // All is well.
    let mut play = Play::new(all.clone());
    play.types("??? 220\nQUIT\n??? 221\n???*\n", 100);
    play.types_no_more();
    play.says("220 hi\r\n", 100);
    play.says("221 bye\r\n", 100);
    play.closes();
    assert_eq!(play.session.ending(), Some(&Ending::Done));
    assert_eq!(play.session.screen().notes, ["checked: 3 of 3 came true"]);

    // A server that is gone: the script cannot go on, and that is told too.
    let mut play = Play::new(all.clone());
    play.types("??? 220 x\nNOOP\n??? 250\n", 100);
    play.types_no_more();
    play.says("220 hi\r\n", 100);
    play.closes();
    assert_eq!(play.failure(), "checked: 0 of 1 came true");
    let notes = &play.session.screen().notes;
    assert_eq!(notes[1], "from line 3 on, the script was not tried");
    assert_eq!(notes[2], "the server closed before it answered \"NOOP\"");

    let mut play = Play::new(all);
    play.types("QUIT\n", 100);
    play.types_no_more();
    play.says("220 hi\r\n", 100);
    play.says("221 bye\r\n", 100);
    assert_eq!(play.session.ending(), Some(&Ending::Done));
    assert!(play.session.screen().notes[0].starts_with("nothing was checked"));
}

#[test]
fn how_long_replies_took_is_told() {
    let mut play = Play::new(Options {
        timing: Timing::Told,
        ..script(Protocol::Smtp)
    });
    play.waits(Duration::from_millis(1500));
    play.says("220-hi\r\n220 hi\r\n", 100);
    play.types("DATA\n", 100);
    play.waits(Duration::from_millis(20));
    play.says("354 go\r\n", 100);
    let notes = &play.session.screen().notes;
    assert_eq!(notes, &["answered after 1.500 s", "answered after 0.020 s"]);
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
