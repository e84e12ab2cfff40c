//! The clients of the built program against Debian's servers: Dovecot (IMAP, POP3, LMTP), Postfix, and Postfix's smtp-sink,
//! which misbehaves as it is told to.

#[path = "support/debian.rs"]
mod debian;
#[path = "support/program.rs"]
mod program;

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use debian::{Dovecot, Postfix, Sink};
use program::{MAILTOOL, PATIENCE, Server, ended, have, run, succeeded};

/// Runs a client; words that begin with `password=` say who has which one.
fn mailtool(words: &[&str], input: &str) -> Output {
    let mut command = Command::new(MAILTOOL);
    command
        .env_remove("MAILTOOL_USER")
        .env_remove("MAILTOOL_PASSWORD");
    for word in words {
        match word.strip_prefix("password=") {
            Some(password) => command.env("MAILTOOL_PASSWORD", password),
            None => command.arg(word),
        };
    }
    run(&mut command, input)
}

fn have_dovecot() -> bool {
    have("doveadm", "dovecot-imapd")
        && have("/usr/lib/dovecot/pop3", "dovecot-pop3d")
        && have("/usr/lib/dovecot/lmtp", "dovecot-lmtpd")
}

fn have_sink() -> bool {
    have("smtp-sink", "postfix")
}

/// Asks again until alice has so many messages.
fn wait_for_mail(dovecot: &Dovecot, messages: usize) {
    let begun = Instant::now();
    loop {
        let stat = [
            "pop",
            "stat",
            "-u",
            "alice",
            "password=alice",
            "--server",
            &dovecot.at("pop3"),
        ];
        let said = succeeded(&mailtool(&stat, ""));
        if said.starts_with(&format!("{messages} ")) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{said} instead of {messages}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn imap_keeps_mailboxes_at_dovecot() {
    if !have_dovecot() {
        return;
    }
    let ours = Server::start();
    let ca = ours.authority();
    let ca = ca.to_str().expect("UTF-8");
    let dovecot = Dovecot::start(&ours);
    let clear = dovecot.at("imap");
    let imap = |words: &[&str], input: &str| {
        let access = ["imap", "--server", &clear, "-u", "alice", "password=alice"];
        mailtool(&[&access, words].concat(), input)
    };
    let good = |words: &[&str], input: &str| ended(&imap(words, input), 0).0;
    let bad = |words: &[&str], code: i32| ended(&imap(words, ""), code).1;

    assert_eq!(good(&["folders"], ""), "INBOX\n");
    assert_eq!(good(&["--starttls", "--ca", ca, "folders"], ""), "INBOX\n");
    let secure = ["--server", &dovecot.at("imaps"), "--tls", "--ca", ca];
    let secure = [
        &["imap", "-u", "bob", "password=bob", "folders"],
        &secure[..],
    ]
    .concat();
    assert_eq!(succeeded(&mailtool(&secure, "")), "INBOX\n");
    assert!(bad(&["--starttls", "folders"], 76).contains("certificate"));

    // Names that need quotes and IMAP's own encoding.
    let sent = "Envoyés/Été \"2026\" & plus";
    good(&["create", sent], "");
    assert!(bad(&["create", sent], 1).contains(sent));
    assert!(good(&["folders"], "").contains(&format!("{sent}\n")));
    let letter = "From: =?utf-8?q?Andr=C3=A9?= <a@example.org>\nSubject: =?utf-8?b?ZMOpasOgIHZ1?=\nMIME-Version: 1.0\n\
                  Content-Type: text/plain; charset=utf-8\n\n.dot\nà bientôt\n";
    assert_eq!(good(&["append", sent], letter), "1\n");
    assert_eq!(good(&["append", "INBOX"], letter), "1\n");
    let big = format!("Subject: big\n\n{}", "a line of text\n".repeat(200_000));
    assert_eq!(good(&["append", "INBOX"], &big), "2\n");
    assert!(
        good(&["fetch", "2", "--lf"], "") == big,
        "3 MB came back otherwise"
    );
    assert!(
        ended(&imap(&["append", "nowhere"], &big), 1)
            .1
            .contains("nowhere")
    );

    let list = good(&["list", sent], "");
    assert!(
        list.starts_with("1\t") && list.ends_with("\tAndré <a@example.org>\tdéjà vu\n"),
        "{list}"
    );
    assert_eq!(good(&["list"], "").lines().count(), 2);
    assert_eq!(good(&["fetch", sent, "1", "--lf"], ""), letter);
    assert_eq!(
        good(&["fetch", "1", "--section", "TEXT"], ""),
        ".dot\r\nà bientôt\r\n"
    );
    let fields = good(&["fetch", "1", "--section", "HEADER.FIELDS (SUBJECT)"], "");
    assert_eq!(fields, "Subject: =?utf-8?b?ZMOpasOgIHZ1?=\r\n\r\n");
    assert!(bad(&["fetch", "1", "--section", "NONSENSE"], 64).contains("NONSENSE"));
    let (text, missing) = ended(&imap(&["fetch", "1,9", "--section", "TEXT"], ""), 1);
    assert!(
        text.contains("bientôt") && missing.contains("UID FETCH 9"),
        "{missing}"
    );

    assert_eq!(good(&["search"], ""), "1\n2\n");
    assert_eq!(good(&["search", "SUBJECT", "déjà vu"], ""), "1\n");
    assert_eq!(
        good(&["search", sent, "UNSEEN", "FROM", "a@example.org"], ""),
        "1\n",
        "looking changed nothing"
    );
    assert!(bad(&["search", "SUBJECT", "nothing like it"], 1).contains("no message"));
    assert!(bad(&["search", "SINCE", "2026-02-01"], 64).contains("date"));
    assert!(good(&["status", sent], "").contains("MESSAGES 1\n"));
    assert!(bad(&["status", "nowhere"], 1).contains("nowhere"));

    assert_eq!(good(&["empty", "INBOX"], ""), "2\n");
    assert_eq!(good(&["empty", "INBOX"], ""), "0\n");
    assert_eq!(good(&["list"], ""), "");
    assert!(bad(&["fetch", "*"], 1).contains("no such message"));
    good(&["delete", sent], "");
    assert!(bad(&["delete", sent], 1).contains(sent));
    assert_eq!(good(&["folders"], ""), "INBOX\n");

    assert!(bad(&["folders", "password=wrong"], 77).contains("login refused"));
    assert!(!dovecot.log().contains("Error"), "{}", dovecot.log());
}

#[test]
fn pop_reads_what_send_delivers_by_lmtp_to_dovecot() {
    if !have_dovecot() {
        return;
    }
    let ours = Server::start();
    let ca = ours.authority();
    let ca = ca.to_str().expect("UTF-8");
    let dovecot = Dovecot::start(&ours);
    let lmtp = |words: &[&str]| {
        let access = [
            "send",
            "--lmtp",
            "--server",
            &dovecot.at("lmtp"),
            "-f",
            "eve@example.org",
        ];
        mailtool(
            &[
                &access,
                words,
                &["-s", "Été", "--body", "first\n.\n..\nlast\n"],
            ]
            .concat(),
            "",
        )
    };
    let (said, _) = ended(&lmtp(&["alice@example.test", "bob@example.test"]), 0);
    assert_eq!(
        said.matches("Saved").count(),
        2,
        "a reply for each recipient: {said}"
    );
    let (said, refused) = ended(
        &lmtp(&[
            "--starttls",
            "--ca",
            ca,
            "alice@example.test",
            "eve@example.test",
        ]),
        67,
    );
    assert!(
        said.contains("<alice@example.test>")
            && refused.contains("<eve@example.test> refused: 550 5.1.1"),
        "{refused}"
    );
    let (said, refused) = ended(&lmtp(&["eve@example.test", "mallory@example.test"]), 67);
    assert!(
        said.is_empty() && refused.contains("not sent") && refused.contains("<mallory@"),
        "{refused}"
    );

    let clear = dovecot.at("pop3");
    let pop = |words: &[&str]| {
        let access = ["pop", "--server", &clear, "-u", "alice", "password=alice"];
        mailtool(&[&access, words].concat(), "")
    };
    let good = |words: &[&str]| ended(&pop(words), 0).0;
    let whole = good(&["retr", "1"]);
    assert!(whole.contains("\r\nSubject: =?utf-8?"), "{whole}");
    assert!(
        whole.ends_with("\r\n\r\nfirst\r\n.\r\n..\r\nlast\r\n"),
        "{whole}"
    );
    let octets = [whole.len(), good(&["retr", "2"]).len()];
    assert_eq!(good(&["stat"]), format!("2 {}\n", octets[0] + octets[1]));
    assert_eq!(
        good(&["list"]),
        format!("1 {}\n2 {}\n", octets[0], octets[1])
    );
    assert_eq!(good(&["list", "2"]), format!("2 {}\n", octets[1]));
    let ids = good(&["uidl"]);
    assert_eq!(
        good(&["uidl", "1"]),
        format!("{}\n", ids.lines().next().expect("two"))
    );
    let top = good(&["top", "1", "2", "--lf"]);
    assert!(top.ends_with("\n\nfirst\n.\n"), "{top}");
    assert_eq!(good(&["--starttls", "--ca", ca, "stat"]), good(&["stat"]));
    let secure = [
        "pop",
        "--server",
        &dovecot.at("pop3s"),
        "--tls",
        "--ca",
        ca,
        "-u",
        "alice",
        "password=alice",
        "retr",
        "1",
    ];
    assert_eq!(succeeded(&mailtool(&secure, "")), whole);

    let (some, missing) = ended(&pop(&["retr", "1", "9"]), 1);
    assert!(some == whole && missing.contains("RETR 9"), "{missing}");
    assert!(ended(&pop(&["dele", "1", "9"]), 1).1.contains("DELE 9"));
    assert_eq!(good(&["uidl"]).lines().count(), 1);
    good(&["dele", "1"]);
    assert_eq!(good(&["stat"]), "0 0\n");
    assert_eq!(good(&["list"]), "");
    assert!(
        ended(&pop(&["stat", "password=wrong"]), 77)
            .1
            .contains("login refused")
    );
}

#[test]
fn send_through_postfix_to_dovecot() {
    if !have_dovecot() || !have_sink() {
        return;
    }
    let ours = Server::start();
    let ca = ours.authority();
    let ca = ca.to_str().expect("UTF-8");
    let dovecot = Dovecot::start(&ours);
    let Some(postfix) = Postfix::start(&ours, &dovecot) else {
        return;
    };
    let send = |service: &str, words: &[&str], body: &str| {
        let access = [
            "send",
            "--server",
            &postfix.at(service),
            "-f",
            "eve@example.org",
            "--body-file",
            "-",
        ];
        mailtool(&[&access, words].concat(), body)
    };
    let alice = "alice@example.test";

    let (said, _) = ended(&send("smtp", &[alice, "-s", "one"], "in the clear\n.\n"), 0);
    assert!(said.starts_with("250 2.0.0 Ok: queued as "), "{said}");
    ended(
        &send(
            "smtp",
            &["--starttls", "--ca", ca, alice, "bob@example.test"],
            "by STARTTLS",
        ),
        0,
    );
    let (_, refused) = ended(
        &send("smtp", &[alice, "nobody@example.test"], "to one of two"),
        67,
    );
    assert!(
        refused.contains("<nobody@example.test> refused: 550 5.1.1"),
        "{refused}"
    );
    let (_, refused) = ended(
        &send(
            "smtp",
            &["nobody@example.test", "none@example.test"],
            "to nobody",
        ),
        67,
    );
    assert!(
        refused.contains("the message was not sent") && refused.contains("<none@example.test>"),
        "{refused}"
    );
    let (_, later) = ended(
        &send("smtp", &[alice, "grey@example.test"], "to one now"),
        75,
    );
    assert!(
        later.contains("<grey@example.test> refused: 450 4.2.0"),
        "{later}"
    );
    let (_, relay) = ended(&send("smtp", &["x@example.com"], "relayed"), 77);
    assert!(
        relay.contains("454 4.7.1") || relay.contains("554 5.7.1"),
        "{relay}"
    );
    let (_, big) = ended(
        &send("smtp", &[alice], &"too long for it\n".repeat(20_000)),
        65,
    );
    assert!(big.contains("552 5.3.4"), "{big}");

    let (_, closed) = ended(
        &send("submission", &["--starttls", "--ca", ca, alice], "no login"),
        77,
    );
    assert!(closed.contains("5.7.1"), "{closed}");
    let login = ["-u", "bob", "--starttls", "--ca", ca, alice];
    let (_, shown) = ended(
        &send(
            "submission",
            &[&login[..], &["password=bob", "-v"]].concat(),
            "logged in",
        ),
        0,
    );
    assert!(
        shown.contains("C: AUTH PLAIN ********\n") && !shown.contains("AGJvYgBib2I="),
        "{shown}"
    );
    let (_, unoffered) = ended(
        &send("submission", &["-u", "bob", "password=bob", alice], "x"),
        77,
    );
    assert!(
        unoffered.contains("over TLS only: add --starttls"),
        "Postfix has AUTH after STARTTLS only: {unoffered}"
    );
    ended(
        &send(
            "smtps",
            &["--tls", "--ca", ca, "-u", "bob", "password=bob", alice],
            "by smtps",
        ),
        0,
    );

    wait_for_mail(&dovecot, 6);
    let retr = [
        "pop",
        "retr",
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "--lf",
        "--server",
        &dovecot.at("pop3"),
        "-u",
        "alice",
        "password=alice",
    ];
    let mail = succeeded(&mailtool(&retr, ""));
    for body in [
        "in the clear\n.\n",
        "by STARTTLS\n",
        "to one of two\n",
        "to one now\n",
        "logged in\n",
        "by smtps\n",
    ] {
        assert_eq!(
            mail.matches(&format!("\n\n{body}")).count(),
            1,
            "{body}: {mail}"
        );
    }
    // Last: Dovecot makes who guessed wait.
    let (_, wrong) = ended(
        &send(
            "submission",
            &[&login[..], &["password=wrong"]].concat(),
            "x",
        ),
        77,
    );
    assert!(wrong.contains("535 5.7.8"), "{wrong}");
}

/// Sends a letter to alice and bob.
fn send_to(sink: &Sink, words: &[&str]) -> Output {
    let access = [
        "send",
        "--server",
        &sink.at(),
        "-f",
        "eve@example.org",
        "alice@example.test",
        "bob@example.test",
    ];
    mailtool(
        &[
            &access,
            words,
            &["-s", "Hello", "--body", "first\n.\n..two\nlast\n"],
        ]
        .concat(),
        "",
    )
}

#[test]
fn a_sink_gets_what_was_sent_however_it_wants_it() {
    if !have_sink() {
        return;
    }
    // With all extensions, without PIPELINING, without ESMTP, as a PIX firewall, and LMTP with and without PIPELINING.
    for (options, words, proto) in [
        (&[][..], &[][..], "ESMTP"),
        (&["-p"], &[], "ESMTP"),
        (&["-e"], &[], "SMTP"),
        (&["-P"], &[], "SMTP"),
        (&["-8", "-a", "-E"], &[], "ESMTP"),
        (&["-L"], &["--lmtp"], "LMTP"),
        (&["-L", "-p"], &["--lmtp"], "LMTP"),
    ] {
        let sink = Sink::start(options);
        ended(&send_to(&sink, words), 0);
        let messages = sink.messages();
        let [message] = &messages[..] else {
            panic!("{options:?}: {messages:?}");
        };
        assert!(
            message.contains(&format!("X-Client-Proto: {proto}\n")),
            "{options:?}: {message}"
        );
        assert!(
            message.contains("X-Mail-Args: <eve@example.org>"),
            "{message}"
        );
        assert!(
            message
                .contains("X-Rcpt-Args: <alice@example.test>\nX-Rcpt-Args: <bob@example.test>\n"),
            "{message}"
        );
        assert!(message.contains("\nSubject: Hello\n"), "{message}");
        assert!(
            message.ends_with("\n\nfirst\n.\n..two\nlast\n\n"),
            "{message}"
        );
    }
}

#[test]
fn a_server_that_refuses_is_told_apart_from_one_that_is_busy() {
    if !have_sink() {
        return;
    }
    let hard = "-f";
    let soft = "-r";
    let gone = "-q";
    let busy = "-Q";
    for (option, command, code, expected) in [
        (hard, "CONNECT", 69, "the greeting: 5"),
        (hard, "MAIL", 69, "MAIL FROM: 5"),
        (hard, "RCPT", 69, "<bob@example.test> refused: 5"),
        (hard, "DATA", 69, "DATA: 5"),
        (hard, ".", 69, "the message: 5"),
        (soft, "CONNECT", 75, "the greeting: 4"),
        (soft, "MAIL", 75, "MAIL FROM: 4"),
        (soft, "RCPT", 75, "<bob@example.test> refused: 4"),
        (soft, "DATA", 75, "DATA: 4"),
        (soft, ".", 75, "the message: 4"),
        (busy, "EHLO", 75, "EHLO: 421"),
        (busy, "MAIL", 75, "MAIL FROM: 421"),
        (busy, "RCPT", 75, "421"),
        (busy, "DATA", 75, "DATA: 421"),
        (busy, ".", 75, "the message: 421"),
        (gone, "CONNECT", 75, "the greeting: the server closed"),
        (gone, "EHLO", 75, "EHLO: the server closed"),
        (gone, "MAIL", 75, "the server closed"),
        (gone, "RCPT", 75, "the server closed"),
        (gone, "DATA", 75, "the server closed"),
        (gone, ".", 75, "the message: the server closed"),
    ] {
        let sink = Sink::start(&[option, command]);
        let (said, complained) = ended(&send_to(&sink, &[]), code);
        assert!(
            complained.contains(expected),
            "{option} {command}: {complained}"
        );
        assert_eq!(said, "", "{option} {command}");
    }
    // Once the message is taken, nothing that follows takes it back.
    for option in [hard, soft, gone, busy] {
        let sink = Sink::start(&[option, "QUIT"]);
        ended(&send_to(&sink, &[]), 0);
        assert_eq!(sink.messages().len(), 1, "{option} QUIT");
    }
    // A server that does not know EHLO may know HELO.
    let sink = Sink::start(&[hard, "EHLO"]);
    ended(&send_to(&sink, &[]), 0);
    // One that says no in the middle of a long message, and does not read the rest of it.
    let sink = Sink::start(&["-A", "0"]);
    let long = "a line of a long message\n".repeat(400_000);
    let send = [
        "send",
        "--server",
        &sink.at(),
        "-f",
        "eve@example.org",
        "alice@example.test",
        "--timeout",
        "10",
    ];
    let (_, complained) = ended(&mailtool(&send, &long), 69);
    assert!(complained.contains("550"), "{complained}");
}
