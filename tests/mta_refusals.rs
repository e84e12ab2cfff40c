//! As `mta.rs` has it, Debian's Postfix between two of ours: by LMTP, over TLS that has to be good or may be anything, with texts that it refuses,
//! with more recipients than it takes, under load.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/debian.rs"]
mod debian;
#[path = "support/program.rs"]
mod program;
#[path = "support/world.rs"]
mod world;

use std::collections::HashSet;
use std::process::Command;

use by_hand::{Hand, message, messages, queue_list, wait_for, wait_for_empty_queue};
use program::{Server, run, succeeded};
use world::{World, assert_same, letter, text_of};

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
        list.contains("next attempt").then_some(list)
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
            .contains("next attempt")
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
