//! Between two of ours stands Debian's Postfix, with Debian's Dovecot behind it: mail goes from ours to Postfix and from Postfix to ours,
//! over TLS, with a login, whole to the last octet; and what cannot be delivered comes back, whoever says so.
//!
//! ```text
//! near (near.example) --> Postfix --> Dovecot (example.test)
//!        ^                 |   ^
//!        +-----------------+   +--> far (far.example)
//! ```

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/debian.rs"]
mod debian;
#[path = "support/program.rs"]
mod program;

use std::collections::HashSet;
use std::process::Command;

use by_hand::{Hand, contains, message, messages, queue_list, wait_for, wait_for_empty_queue};
use debian::{Dovecot, Postfix, free_ports};
use program::{MAILTOOL, Server, have, run, succeeded};

/// The picture above.
struct World {
    near: Server,
    far: Server,
    postfix: Postfix,
    dovecot: Dovecot,
}

impl World {
    /// `None` where something is missing. In the options and settings, `SMTP` and `SUBMISSION` are Postfix's ports, `NEAR` is where near
    /// takes mail, `FAR` where far takes that of users; `POSTFIX` stands for the options that lead everything to Postfix.
    fn new(near: &[&str], far: &[&str], settings: &str) -> Option<Self> {
        if !have("doveadm", "dovecot-imapd")
            || !have("/usr/lib/dovecot/lmtp", "dovecot-lmtpd")
            || !have("smtp-sink", "postfix")
        {
            return None;
        }
        let ports: [u16; 3] = free_ports();
        let [smtp, submission, _] = ports.map(|port| port.to_string());
        let filled = |text: &str| {
            text.replace("SMTP", &smtp)
                .replace("SUBMISSION", &submission)
        };
        let start = |domain: &str, options: &[&str]| {
            let mut all = vec!["--domain".to_owned(), domain.to_owned()];
            all.extend(["--relay-from", "127.0.0.0/8", "--retry", "1"].map(str::to_owned));
            all.extend(options.iter().map(|option| filled(option)));
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            Server::start_with(&all)
        };
        let route = ["--route", "*=127.0.0.1:SMTP"];
        let far_has_lmtp = far.contains(&"--lmtp");
        let near = start("near.example", if near.is_empty() { &route } else { near });
        let far = start("far.example", if far.is_empty() { &route } else { far });
        let dovecot = Dovecot::start(&near);
        let lmtp = far_has_lmtp.then(|| far.port("lmtp"));
        let settings = settings
            .replace("FARLMTP", &lmtp.unwrap_or_default())
            .replace("NEAR", &near.port("smtp"))
            .replace("FAR", &far.port("submission"));
        let transport = format!(
            "relay_domains = near.example, far.example\nlocal_header_rewrite_clients =\nmynetworks = 127.0.0.0/8\n\
             transport_maps = inline:{{ near.example=smtp:[127.0.0.1]:{}, far.example=smtp:[127.0.0.1]:{} }}\n\
             smtpd_tls_received_header = yes\nsmtpd_sasl_authenticated_header = yes\nminimal_backoff_time = 1s\n\
             maximal_backoff_time = 2s\nqueue_run_delay = 1s\n{settings}",
            near.port("smtp"),
            far.port("smtp"),
        );
        let postfix = Postfix::start_at(ports, &near, &dovecot, &transport)?;
        Some(Self {
            near,
            far,
            postfix,
            dovecot,
        })
    }

    /// Hands `text` to near, which takes it.
    fn hand_in(&self, from: &str, to: &[&str], text: &[u8]) {
        let reply = Hand::to(self.near.address("smtp")).send(from, to, text);
        assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    }

    /// The message of a mailbox of Dovecot that has `word` in it.
    fn at_dovecot(&self, account: &str, word: &str) -> Vec<u8> {
        let at = self.dovecot.at("pop3");
        let pop = |words: &[&str]| {
            let mut command = Command::new(MAILTOOL);
            command.args(["pop", "--server", &at, "-u", account]);
            run(command.env("MAILTOOL_PASSWORD", account).args(words), "")
        };
        wait_for(&format!("a message at Dovecot with {word}"), || {
            let list = succeeded(&pop(&["list"]));
            let numbers = list.lines().filter_map(|line| line.split(' ').next());
            numbers
                .map(|number| pop(&["retr", number]).stdout)
                .find(|message| contains(message, word.as_bytes()))
        })
    }
}

/// Without what each server puts before it.
fn without_trace(message: &[u8]) -> &[u8] {
    let mut rest = message;
    loop {
        let is_trace = ["Return-Path:", "Delivered-To:", "Received:", "\t", " "]
            .iter()
            .any(|name| rest.starts_with(name.as_bytes()));
        let end = rest.iter().position(|octet| *octet == b'\n');
        match end {
            Some(end) if is_trace => rest = &rest[end + 1..],
            _ => return rest,
        }
    }
}

/// A message that careless servers spoil: dots, octets above 127, white space at line ends, long lines, empty lines at the end.
fn letter(subject: &str) -> Vec<u8> {
    let mut text = format!(
        "From: Alice <alice@near.example>\r\nTo: someone@far.example\r\nSubject: {subject}\r\n\
         Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nMessage-ID: <{subject}@near.example>\r\nX-Folded: one\r\n\ttwo \r\n three\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         .\r\n..\r\n...three\r\n.dot Gr\u{fc}\u{df}e \u{20ac}\r\ntrailing \t \r\n\r\nFrom here\r\n"
    )
    .into_bytes();
    // As long as a line may be (RFC 5321 §4.5.3.1.6), and longer messages than one block.
    for _ in 0..150 {
        text.extend([b'x'; 998]);
        text.extend(b"\r\n");
    }
    text.extend(b"\xff\xfe\x80 no UTF-8\r\n\r\n\r\n.\r\n");
    text
}

#[track_caller]
fn assert_same(arrived: &[u8], sent: &[u8]) {
    let arrived = without_trace(arrived);
    if arrived != sent {
        let at = arrived.iter().zip(sent).position(|(a, b)| a != b);
        let at = at.unwrap_or(arrived.len().min(sent.len()));
        let around = |text: &[u8]| {
            let part = &text[at.saturating_sub(200).min(text.len())..(at + 100).min(text.len())];
            String::from_utf8_lossy(part).into_owned()
        };
        panic!(
            "{} octets arrived of {}, and from {at} on they differ:\n{:?}\n{:?}",
            arrived.len(),
            sent.len(),
            around(arrived),
            around(sent)
        );
    }
}

fn text_of(message: &[u8]) -> String {
    String::from_utf8_lossy(message).into_owned()
}

#[test]
fn through_postfix_to_dovecot_and_to_ours_nothing_is_changed() {
    let Some(world) = World::new(&[], &[], "smtp_tls_security_level = may\n") else {
        return;
    };
    let sent = letter("whole");
    world.hand_in(
        "<alice@near.example> BODY=8BITMIME",
        &["<alice@example.test>", "<bob@far.example>"],
        &sent,
    );
    let at_dovecot = world.at_dovecot("alice", "Subject: whole");
    assert_same(&at_dovecot, &sent);
    let at_far = message(&world.far.store(), "bob", "Subject: whole");
    assert_same(&at_far, &sent);
    // Both hops went over TLS: Postfix says so of ours, far of Postfix.
    let trace = text_of(&at_far);
    assert!(
        trace.contains("(using TLSv1.3 with cipher "),
        "{trace:.2000}"
    );
    assert!(
        trace.contains("from mail.example.test (localhost [127.0.0.1])")
            || trace.contains("from mail.example.test "),
        "{trace:.2000}"
    );
    assert!(trace.contains("with ESMTPS (TLS"), "{trace:.2000}");
    wait_for_empty_queue(&world.near.store());
    assert!(
        !world.postfix.log().contains("status=bounced"),
        "{}",
        world.postfix.log()
    );
}

#[test]
fn both_log_in_with_each_mechanism_that_both_know() {
    // Cyrus SASL, with which Postfix logs in, has its mechanisms in a package of its own.
    if !have(
        "/usr/share/doc/libsasl2-modules/copyright",
        "libsasl2-modules",
    ) {
        return;
    }
    for mechanism in ["plain", "login", "cram-md5", "scram-sha-256"] {
        let settings = format!(
            "relayhost = [127.0.0.1]:FAR\ntransport_maps =\nrelay_domains = far.example\nrelay_transport = smtp:[127.0.0.1]:FAR\n\
             smtp_sasl_auth_enable = yes\nsmtp_sasl_password_maps = inline:{{ {{ [127.0.0.1]:FAR = alice:alice }} }}\n\
             smtp_sasl_security_options = noanonymous\nsmtp_sasl_mechanism_filter = {mechanism}\n\
             smtp_tls_security_level = encrypt\n"
        );
        let smarthost = ["--smarthost", "bob:bob@localhost:SUBMISSION"];
        let Some(world) = World::new(&smarthost, &[], &settings) else {
            return;
        };
        let sent = letter(mechanism);
        world.hand_in(
            "<alice@near.example>",
            &["<bob@far.example>", "<bob@example.test>"],
            &sent,
        );
        let at_far = message(&world.far.store(), "bob", mechanism);
        let trace = text_of(&at_far);
        assert!(trace.contains("with ESMTPSA (TLS"), "{trace:.2000}");
        assert!(
            trace.contains("(Authenticated sender: bob)"),
            "Postfix says so of ours: {trace:.2000}"
        );
        // Submission says who it was, who is not in From (RFC 6409 §8.1); the message lacks nothing else.
        let sender = b"Sender: <alice@far.example>\r\n";
        let begin = sent.windows(4).position(|end| end == b"\r\n\r\n");
        let begin = begin.expect("an empty line") + 2;
        let told = [&sent[..begin], sender, &sent[begin..]].concat();
        assert_same(&at_far, &told);
        assert_same(&world.at_dovecot("bob", mechanism), &sent);
        assert!(!world.near.log().contains("bob:bob"));
    }
}

#[test]
fn a_wrong_password_at_either_side_loses_nothing() {
    let settings = "relay_transport = smtp:[127.0.0.1]:FAR\ntransport_maps =\nsmtp_sasl_auth_enable = yes\n\
                    smtp_sasl_password_maps = inline:{ { [127.0.0.1]:FAR = alice:wrong } }\n\
                    smtp_sasl_security_options = noanonymous\nsmtp_tls_security_level = encrypt\n";
    let Some(world) = World::new(&[], &[], settings) else {
        return;
    };
    world.hand_in("<alice@near.example>", &["<bob@far.example>"], &letter("x"));
    wait_for("a refusal", || {
        let log = world.postfix.log();
        (log.contains("535 5.7.8") && log.contains("status=deferred")).then_some(())
    });
    assert!(messages(&world.far.store(), "bob").is_empty());
    drop(world);

    let smarthost = ["--smarthost", "bob:wrong@localhost:SUBMISSION"];
    let Some(world) = World::new(&smarthost, &[], "") else {
        return;
    };
    world.hand_in("<alice@near.example>", &["<bob@far.example>"], &letter("x"));
    let list = wait_for("a refusal", || {
        let list = queue_list(&world.near.store());
        list.contains("refused AUTH: 535 5.7.8").then_some(list)
    });
    assert!(list.contains("tried again"), "{list}");
}

#[test]
fn reports_come_back_whoever_makes_them() {
    let settings = "virtual_mailbox_maps = inline:{ alice@example.test=a, ghost@example.test=g }\n";
    let near = [
        "--route",
        "*=127.0.0.1:SMTP",
        "--route",
        "gone.example=nowhere",
    ];
    let Some(world) = World::new(&near, &[], settings) else {
        return;
    };
    let report = |word: &str| text_of(&message(&world.near.store(), "alice", word));
    let sender = "<alice@near.example> RET=HDRS ENVID=env+2B1";

    // Postfix takes it, and says that Dovecot has it.
    let to = "<alice@example.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+2Bx@example.test";
    world.hand_in(sender, &[to], &letter("success"));
    let success = report("Subject: success");
    assert!(
        success.contains("Action: delivered\r\n") || success.contains("Action: relayed\r\n"),
        "{success}"
    );
    for part in [
        "MAILER-DAEMON@mail.example.test",
        "Original-Envelope-Id: env+1\r\n",
        "Original-Recipient: rfc822;a+x@example.test\r\n",
        "Subject: success\r\n",
    ] {
        assert!(success.contains(part), "{part}: {success}");
    }
    assert!(!success.contains("xxxxxxxx"), "headers only: {success}");

    // Postfix takes it, and Dovecot does not.
    world.hand_in(sender, &["<ghost@example.test>"], &letter("ghost"));
    let ghost = report("Subject: ghost");
    for part in [
        "Return-Path: <>\r\n",
        "Reporting-MTA: dns; mail.example.test\r\n",
        "Original-Envelope-Id: env+1\r\n",
        "Final-Recipient: rfc822; ghost@example.test\r\n",
        "Action: failed\r\nStatus: 5.1.1\r\n",
    ] {
        assert!(ghost.contains(part), "{part}: {ghost}");
    }

    // Postfix does not take it: we say so. Nobody is told twice, nor who asked not to be.
    world.hand_in(
        sender,
        &[
            "<nobody@example.test>",
            "<none@example.test> NOTIFY=NEVER",
            "<alice@example.test> NOTIFY=FAILURE",
        ],
        &letter("nobody"),
    );
    let nobody = report("Subject: nobody");
    for part in [
        "From: Mail Delivery System <MAILER-DAEMON@near.example>\r\n",
        "Reporting-MTA: dns; near.example\r\n",
        "Original-Envelope-Id: env+1\r\n",
        "Final-Recipient: rfc822; nobody@example.test\r\nAction: failed\r\nStatus: 5.1.1\r\n",
        "Diagnostic-Code: smtp; 550 5.1.1 ",
    ] {
        assert!(nobody.contains(part), "{part}: {nobody}");
    }
    assert!(!nobody.contains("none@example.test"), "{nobody}");

    // Both pass it on with what was asked for, and the last says that it is there.
    let to = "<bob@far.example> NOTIFY=SUCCESS ORCPT=rfc822;Bob@far.example";
    world.hand_in(sender, &[to], &letter("far"));
    let far = report("Subject: far");
    for part in [
        "Reporting-MTA: dns; far.example\r\n",
        "Original-Envelope-Id: env+1\r\n",
        "Original-Recipient: rfc822; Bob@far.example\r\n",
        "Final-Recipient: rfc822; bob@far.example\r\nAction: delivered\r\nStatus: 2.",
    ] {
        assert!(far.contains(part), "{part}: {far}");
    }

    // A report of ours, through Postfix into a mailbox of Dovecot: for a sender there.
    let reply = Hand::to(world.near.address("smtp")).send(
        "<alice@example.test>",
        &["<nobody@gone.example>"],
        &letter("back"),
    );
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    let back = text_of(&world.at_dovecot("alice", "Subject: back"));
    for part in [
        "Return-Path: <>\r\n",
        "From: Mail Delivery System <MAILER-DAEMON@near.example>\r\n",
        "Final-Recipient: rfc822; nobody@gone.example\r\nAction: failed\r\nStatus: 5.1.2\r\n",
    ] {
        assert!(back.contains(part), "{part}: {back}");
    }
    wait_for_empty_queue(&world.near.store());
    wait_for_empty_queue(&world.far.store());
    assert_eq!(messages(&world.near.store(), "alice").len(), 4);
}

#[test]
fn what_is_late_is_tried_again_until_its_time_is_over() {
    let near = ["--route", "*=127.0.0.1:SMTP", "--give-up", "4s"];
    let Some(world) = World::new(&near, &[], "") else {
        return;
    };
    world.hand_in(
        "<alice@near.example>",
        &["<grey@example.test>"],
        &letter("late"),
    );
    let report = text_of(&message(&world.near.store(), "alice", "Action: failed\r\n"));

    assert!(
        report.contains("smtp; 450 4.2.0") && report.contains("come back later"),
        "{report}"
    );
    let tries = world.postfix.log().matches("450 4.2.0").count();
    assert!(tries >= 2, "{}", world.postfix.log());
}

#[test]
fn letters_outside_of_ascii_go_as_far_as_somebody_knows_them() {
    let user = ["--user", "j\u{fc}rgen:secret", "--user", "alice:alice"];
    let Some(world) = World::new(
        &[],
        &[&user[..], &["--route", "*=127.0.0.1:SMTP"]].concat(),
        "",
    ) else {
        return;
    };
    let text = "From: \u{c9}lodie <\u{e9}lodie@near.example>\r\nTo: j\u{fc}rgen@far.example\r\nSubject: Gr\u{fc}\u{df}e\r\n\
                Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nMessage-ID: <u@near.example>\r\n\r\nText\r\n";
    world.hand_in(
        "<alice@near.example> SMTPUTF8 BODY=8BITMIME",
        &["<j\u{fc}rgen@far.example>"],
        text.as_bytes(),
    );
    let arrived = message(&world.far.store(), "j\u{fc}rgen", "Gr\u{fc}\u{df}e");
    assert_same(&arrived, text.as_bytes());
    let trace = text_of(&arrived);
    assert!(trace.contains("with UTF8SMTPS"), "{trace}");
    // Dovecot's LMTP does not know them: Postfix says so to the sender.
    world.hand_in(
        "<alice@near.example> SMTPUTF8 BODY=8BITMIME",
        &["<alice@example.test>"],
        text.as_bytes(),
    );
    let report = text_of(&message(
        &world.near.store(),
        "alice",
        "Final-Recipient: rfc822; alice@example.test",
    ));
    assert!(
        report.contains("Status: 5.6.7") && report.contains("SMTPUTF8"),
        "{report}"
    );
    // Postfix without it: we say so. What needs it not, goes.
    let settings = "smtputf8_enable = no\n";
    let Some(world) = World::new(&[], &[], settings) else {
        return;
    };
    world.hand_in(
        "<alice@near.example> SMTPUTF8 BODY=8BITMIME",
        &["<alice@example.test>"],
        text.as_bytes(),
    );
    let report = text_of(&message(&world.near.store(), "alice", "Status: 5.6.7"));
    assert!(
        report.contains("Reporting-MTA: dns; near.example\r\n"),
        "{report}"
    );
    let plain = letter("plain");
    world.hand_in(
        "<alice@near.example> SMTPUTF8 BODY=8BITMIME",
        &["<alice@example.test>"],
        &plain,
    );
    assert_same(&world.at_dovecot("alice", "Subject: plain"), &plain);
}

#[test]
fn a_text_goes_as_the_other_side_takes_it() {
    // All that Postfix offers: long ones go by BDAT, as their file has them; short ones by DATA.
    let Some(world) = World::new(&[], &[], "") else {
        return;
    };
    let long = letter("long");
    let short = b"From: alice@near.example\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\nMessage-ID: <s@near.example>\r\n\
                  Subject: short\r\n\r\n.\r\n..\r\nText\r\n";
    world.hand_in("<alice@near.example>", &["<alice@example.test>"], &long);
    assert_same(&world.at_dovecot("alice", "Subject: long"), &long);
    world.hand_in("<alice@near.example>", &["<alice@example.test>"], short);
    assert_same(&world.at_dovecot("alice", "Subject: short"), short);
    wait_for("both to be told", || {
        let log = world.postfix.log();
        (log.contains(" bdat=1 ") && log.contains(" data=1 ")
            || log.contains(" bdat=1 data=1 ")
            || log.contains(" data=1 bdat=1 "))
        .then_some(())
    });
    // Postfix does not take BINARYMIME.
    world.hand_in(
        "<alice@near.example> BODY=8BITMIME",
        &["<alice@example.test>"],
        &letter("eight"),
    );
    assert_same(
        &world.at_dovecot("alice", "Subject: eight"),
        &letter("eight"),
    );
    let mut hand = Hand::to(world.near.address("smtp"));
    for command in [
        "MAIL FROM:<alice@near.example> BODY=BINARYMIME",
        "RCPT TO:<alice@example.test>",
    ] {
        let reply = hand.say(command);
        assert!(reply.starts_with("250 "), "{reply}");
    }
    hand.send_raw(b"BDAT 20 LAST\r\nSubject: bin\r\n\r\n\0\xff\r\n");
    let reply = hand.reply();
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    let report = text_of(&message(&world.near.store(), "alice", "Status: 5.6.3"));
    assert!(report.contains("BINARYMIME"), "{report}");

    // Next to nothing is offered.
    let settings = "smtpd_discard_ehlo_keywords = chunking, pipelining, dsn, enhancedstatuscodes, size, \
                    starttls, 8bitmime, smtputf8, vrfy, etrn, auth\n";
    let Some(world) = World::new(&[], &[], settings) else {
        return;
    };
    let seven: Vec<u8> = letter("seven").into_iter().filter(u8::is_ascii).collect();
    world.hand_in(
        "<alice@near.example> BODY=8BITMIME",
        &["<alice@example.test> NOTIFY=SUCCESS"],
        &seven,
    );
    assert_same(&world.at_dovecot("alice", "Subject: seven"), &seven);
    let relayed = text_of(&message(&world.near.store(), "alice", "Action: relayed"));
    assert!(
        relayed.contains("Reporting-MTA: dns; near.example\r\n"),
        "{relayed}"
    );
    world.hand_in(
        "<alice@near.example> BODY=8BITMIME",
        &["<alice@example.test>"],
        &letter("eight"),
    );
    let report = text_of(&message(&world.near.store(), "alice", "Status: 5.6.3"));
    assert!(report.contains("8BITMIME"), "{report}");
}

#[test]
fn in_front_of_dovecot_by_lmtp() {
    let Some(world) = World::new(&[], &[], "") else {
        return;
    };
    let deliver = format!("lmtp:{}", world.dovecot.at("lmtp"));
    let front = Server::start_with(&[
        "--domain",
        "example.test",
        "--user",
        "alice:alice",
        "--user",
        "bob:bob",
        "--user",
        "ghost:ghost",
        "--deliver",
        &deliver,
        "--route",
        &format!("near.example={}", world.near.address("smtp")),
    ]);
    let sent = letter("front");
    let reply = Hand::to(front.address("smtp")).send(
        "<alice@near.example>",
        &[
            "<alice@example.test> NOTIFY=SUCCESS",
            "<ghost@example.test>",
            "<bob@example.test>",
        ],
        &sent,
    );
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    for account in ["alice", "bob"] {
        let arrived = world.at_dovecot(account, "Subject: front");
        assert_same(&arrived, &sent);
        assert!(text_of(&arrived).contains("Return-Path: <alice@near.example>\r\n"));
    }
    let failed = text_of(&message(&world.near.store(), "alice", "Action: failed"));
    assert!(
        failed.contains("Final-Recipient: rfc822; ghost@example.test\r\n")
            && failed.contains("Status: 5.1.1\r\n"),
        "{failed}"
    );
    let told = text_of(&message(
        &world.near.store(),
        "alice",
        "Final-Recipient: rfc822; alice@example.test",
    ));
    assert!(
        told.contains("Action: delivered\r\n") || told.contains("Action: relayed\r\n"),
        "{told}"
    );
    wait_for_empty_queue(&front.store());
    assert!(messages(&front.store(), "alice").is_empty());
    assert!(
        !world.dovecot.log().contains("Error"),
        "{}",
        world.dovecot.log()
    );
}

#[test]
fn postfix_hands_in_by_lmtp() {
    let far = ["--lmtp", "127.0.0.1:0", "--route", "*=127.0.0.1:SMTP"];
    let settings = "transport_maps =\nrelay_domains = far.example\nrelay_transport = lmtp:inet:127.0.0.1:FARLMTP\n\
                    default_transport = smtp:[127.0.0.1]:NEAR\n";
    let Some(world) = World::new(&[], &far, settings) else {
        return;
    };
    let sent = letter("lmtp");
    world.hand_in(
        "<alice@near.example> BODY=8BITMIME",
        &[
            "<alice@far.example> NOTIFY=SUCCESS,FAILURE",
            "<bob@far.example>",
            "<nobody@far.example>",
        ],
        &sent,
    );
    for account in ["alice", "bob"] {
        let arrived = message(&world.far.store(), account, "Subject: lmtp");
        assert_same(&arrived, &sent);
        let trace = text_of(&arrived);
        assert!(trace.contains("with LMTP"), "{trace:.2000}");
    }
    let report = |word: &str| text_of(&message(&world.near.store(), "alice", word));
    let failed = report("Action: failed");
    assert!(
        failed.contains("Final-Recipient: rfc822; nobody@far.example\r\n")
            && failed.contains("Status: 5.1.1\r\n")
            && failed.contains("Reporting-MTA: dns; mail.example.test\r\n"),
        "{failed}"
    );
    // Without DSN in LHLO it is Postfix that tells of success, and it alone.
    let told = report("Action: relayed");
    assert!(
        told.contains("Final-Recipient: rfc822; alice@far.example\r\n"),
        "{told}"
    );
    wait_for_empty_queue(&world.far.store());
    assert_eq!(messages(&world.near.store(), "alice").len(), 2);
}

#[test]
fn tls_is_verified_where_it_must_be_and_done_without_where_it_may_be() {
    // Postfix has the certificate of near, whose authority near knows, or does not.
    let verified = [
        "--route",
        "*=localhost:SMTP",
        "--require-tls",
        "example.test",
        "--relay-ca",
        "store/tls/ca.pem",
    ];
    let Some(world) = World::new(&verified, &[], "") else {
        return;
    };
    world.hand_in(
        "<alice@near.example>",
        &["<alice@example.test>"],
        &letter("good"),
    );
    let trace = text_of(&world.at_dovecot("alice", "Subject: good"));
    assert!(
        trace.contains("(using TLSv1.3 with cipher "),
        "{trace:.2000}"
    );
    drop(world);

    let unknown = [
        "--route",
        "*=localhost:SMTP",
        "--require-tls",
        "example.test",
    ];
    let Some(world) = World::new(&unknown, &[], "") else {
        return;
    };
    world.hand_in(
        "<alice@near.example>",
        &["<alice@example.test>"],
        &letter("bad"),
    );
    world.hand_in(
        "<alice@near.example>",
        &["<bob@far.example>"],
        &letter("any"),
    );
    let list = wait_for("a refusal", || {
        let list = queue_list(&world.near.store());
        list.contains("tried again").then_some(list)
    });
    assert!(
        list.contains("4.7.5") && list.contains("certificate"),
        "{list}"
    );
    // For other domains any certificate is better than none.
    message(&world.far.store(), "bob", "Subject: any");
    assert!(
        !world.postfix.log().contains("message-id=<bad@"),
        "{}",
        world.postfix.log()
    );
    drop(world);

    // TLS of versions that nobody should speak any more: in the clear, as if it were not offered; but not where TLS is a must.
    let settings = "smtpd_tls_protocols = TLSv1\nsmtpd_tls_mandatory_protocols = TLSv1\n";
    let Some(world) = World::new(&verified, &[], settings) else {
        return;
    };
    world.hand_in(
        "<alice@near.example>",
        &["<bob@far.example>"],
        &letter("old"),
    );
    let trace = text_of(&message(&world.far.store(), "bob", "Subject: old"));
    assert!(!trace.contains("(using TLS"), "{trace:.2000}");
    world.hand_in(
        "<alice@near.example>",
        &["<alice@example.test>"],
        &letter("must"),
    );
    wait_for("a refusal", || {
        queue_list(&world.near.store())
            .contains("tried again")
            .then_some(())
    });
    assert!(
        !world.postfix.log().contains("message-id=<must@"),
        "{}",
        world.postfix.log()
    );
}

#[test]
fn what_postfix_refuses_after_the_text_comes_back_once() {
    // Its cleanup says no when all is there; its limit of 200,000 octets is announced by SIZE, or is not.
    for keywords in ["", "chunking", "size, chunking, pipelining", "size"] {
        let settings = format!(
            "header_checks = regexp:{{ {{ /^Subject: no/ REJECT 5.7.1 not this one }} }}\n\
             smtpd_discard_ehlo_keywords = {keywords}\n"
        );
        let Some(world) = World::new(&[], &[], &settings) else {
            return;
        };
        let to = ["<alice@example.test>", "<bob@far.example>"];
        let long = [letter("long"), letter("twice as long")].concat();
        for (subject, text, status) in [("no", &letter("no"), "5.7.1"), ("long", &long, "5.3.4")] {
            world.hand_in("<alice@near.example> BODY=8BITMIME", &to, text);
            let report = text_of(&message(
                &world.near.store(),
                "alice",
                &format!("Subject: {subject}\r\n"),
            ));
            for recipient in ["alice@example.test", "bob@far.example"] {
                let fields = format!(
                    "Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: {status}\r\n"
                );
                assert!(report.contains(&fields), "{keywords}: {fields}: {report}");
            }
        }
        // The connection is good for the next one.
        world.hand_in("<alice@near.example>", &to, &letter("yes"));
        assert_same(&world.at_dovecot("alice", "Subject: yes"), &letter("yes"));
        wait_for_empty_queue(&world.near.store());
        assert_eq!(
            messages(&world.near.store(), "alice").len(),
            2,
            "{keywords}"
        );
    }
}

#[test]
fn many_recipients_and_many_messages_arrive_once_each() {
    let far = ["--accept-any", "--route", "*=127.0.0.1:SMTP"];
    let settings = "smtpd_recipient_limit = 50\nsmtpd_recipient_overshoot_limit = 1000\n";
    let Some(world) = World::new(&[], &far, settings) else {
        return;
    };
    let to: Vec<String> = (0..120)
        .map(|number| format!("<u{number}@far.example>"))
        .collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let sent = letter("many");
    world.hand_in("<alice@near.example>", &to, &sent);
    for number in 0..120 {
        let account = format!("u{number}");
        assert_same(
            &message(&world.far.store(), &account, "Subject: many"),
            &sent,
        );
    }
    wait_for_empty_queue(&world.near.store());
    // Load from both sides: to Postfix, which passes it to far, and to near, which passes it to Postfix.
    let source = |to: &str, port: &str| {
        let mut source = Command::new("/usr/sbin/smtp-source");
        source.args([
            "-s",
            "8",
            "-m",
            "150",
            "-l",
            "5000",
            "-f",
            "alice@near.example",
            "-t",
            to,
        ]);
        source.arg(format!("127.0.0.1:{port}"));
        succeeded(&run(&mut source, ""));
    };
    let (near, postfix) = (world.near.port("smtp"), world.postfix.at("smtp"));
    let postfix = postfix.rsplit(':').next().expect("a port");
    std::thread::scope(|scope| {
        scope.spawn(|| source("one@far.example", postfix));
        scope.spawn(|| source("two@far.example", &near));
    });
    for account in ["one", "two"] {
        let arrived = wait_for(&format!("all for {account}"), || {
            let arrived = messages(&world.far.store(), account);
            (arrived.len() >= 150).then_some(arrived)
        });
        let ids: HashSet<String> = arrived
            .iter()
            .filter_map(|message| {
                let text = text_of(message);
                let line = text.lines().find(|line| line.starts_with("Message-Id: "));
                line.map(str::to_owned)
            })
            .collect();
        assert_eq!((arrived.len(), ids.len()), (150, 150), "{account}");
    }
    wait_for_empty_queue(&world.near.store());
    assert!(messages(&world.near.store(), "alice").is_empty());
}

#[test]
fn between_two_of_ours_every_octet_goes() {
    let far = Server::start_with(&["--domain", "far.example"]);
    let route = format!("far.example={}", far.address("smtp"));
    let near = Server::start_with(&["--relay-from", "127.0.0.0/8", "--route", &route]);
    // Nothing here is a line: NUL, bare CR and LF, dots, all 256 octets, no line end at the end.
    let mut binary = b"Subject: octets\r\nContent-Transfer-Encoding: binary\r\n\r\n".to_vec();
    binary.extend(b"\r\n.\r\n\n.\n\r.\r\0");
    for _ in 0..600 {
        binary.extend(0..=255u8);
    }
    binary.extend(b"\n.\r\n.");
    let mut hand = Hand::to(near.address("smtp"));
    for command in [
        "MAIL FROM:<alice@localhost> BODY=BINARYMIME",
        "RCPT TO:<bob@far.example>",
    ] {
        let reply = hand.say(command);
        assert!(reply.starts_with("250 "), "{reply}");
    }
    let (first, second) = binary.split_at(70_001);
    hand.send_raw(&[format!("BDAT {}\r\n", first.len()).as_bytes(), first].concat());
    hand.send_raw(&[format!("BDAT {} LAST\r\n", second.len()).as_bytes(), second].concat());
    let replies = [hand.reply(), hand.reply()];
    assert!(replies[1].starts_with("250 2.0.0 "), "{replies:?}");
    let arrived = message(&far.store(), "bob", "Subject: octets");
    let begin = arrived.windows(9).position(|part| part == b"Subject: ");
    assert!(
        arrived[begin.expect("a subject")..] == binary,
        "it came otherwise"
    );
    wait_for_empty_queue(&near.store());

    // A report that nobody gets is not reported.
    let near = Server::start_with(&["--relay-from", "127.0.0.0/8", "--route", "*=nowhere"]);
    for sender in ["<nobody@localhost>", "<>", "<x@elsewhere.example>"] {
        let reply = Hand::to(near.address("smtp")).send(
            sender,
            &["<x@gone.example>"],
            b"Subject: lost\r\n\r\nText\r\n",
        );
        assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    }
    wait_for_empty_queue(&near.store());
    assert!(messages(&near.store(), "alice").is_empty());
}
