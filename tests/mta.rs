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
#[path = "support/world.rs"]
mod world;

use by_hand::{Hand, message, messages, queue_list, wait_for, wait_for_empty_queue};
use program::{Server, have};
use world::{World, assert_same, letter, text_of};

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
    assert!(list.contains("next attempt"), "{list}");
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
        letter("back"),
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
