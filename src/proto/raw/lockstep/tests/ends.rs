//! TLS, and how a session ends.

use super::*;

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
