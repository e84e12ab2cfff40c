//! Mail that is passed on: through a chain of servers, to a server that says what a test wants, again after a 4xx, back after a 5xx;
//! the queue's commands on a server that runs; and `kill -9` under load.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/passing_on.rs"]
mod passing_on;
#[path = "support/program.rs"]
mod program;

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use by_hand::{Hand, first_message, queue, wait_for, wait_for_empty_queue};
use passing_on::{Fake, TO_US, name, said};
use program::{MAILTOOL, PATIENCE, Server, inbox};

#[test]
fn a_message_goes_through_a_chain_and_its_journey_is_told() {
    let server = Server::start_with(&["--lab-chain", "3", "--retry", "1"]);
    let ready = fs::read_to_string(server.folder.path().join("ready")).expect("it is ready");
    let first: SocketAddr = ready
        .lines()
        .find_map(|line| line.strip_prefix("mta1.lab smtp "))
        .expect("it listens")
        .parse()
        .expect("an address");
    let reply = Hand::to(first).send(
        "<alice@mta1.lab>",
        &["<bob@mta3.lab>"],
        "Subject: far\r\n\r\nText",
    );
    let id = name(&reply).to_owned();
    let text = first_message(&server.store().join("mta3"), "bob");
    assert_eq!(text.matches("Received: from ").count(), 3, "{text}");
    for host in ["mta1.lab", "mta2.lab", "mta3.lab"] {
        assert!(text.contains(&format!("\tby {host} with ESMTP")), "{text}");
    }
    assert_eq!(text.matches("Return-Path:").count(), 1, "{text}");
    let journey = wait_for("the journey", || {
        let output = Command::new(MAILTOOL)
            .args(["serve", "trace", &id, "--store"])
            .arg(server.store())
            .output()
            .expect("the program is built");
        let journey = said(&output);
        (journey.matches("out of the queue").count() >= 2).then_some(journey)
    });
    for step in [
        "mta1.lab",
        "mta2.lab",
        "mta3.lab",
        "queued, from <alice@mta1.lab> to <bob@mta3.lab>",
        "<bob@mta3.lab>: passed on, ",
        "from <alice@mta1.lab> to <bob@mta3.lab>: delivered into the mailbox",
    ] {
        assert!(journey.contains(step), "{step}: {journey}");
    }
    // Nobody of this name at the end: the last but one says so to the sender, back through the chain.
    let reply = Hand::to(first).send(
        "<alice@mta1.lab>",
        &["<nobody@mta3.lab>"],
        "Subject: lost\r\n\r\nText",
    );
    name(&reply);
    let report = first_message(&server.store().join("mta1"), "alice");
    for part in [
        "From: Mail Delivery System <MAILER-DAEMON@mta2.lab>\r\n",
        "Final-Recipient: rfc822; nobody@mta3.lab\r\nAction: failed\r\nStatus: 5.1.1\r\n",
        "Diagnostic-Code: smtp; 550 5.1.1 ",
        "Subject: lost\r\n",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    // Nothing leaves the lab.
    let reply = Hand::to(first).send(
        "<bob@mta1.lab>",
        &["<x@elsewhere.example>"],
        "Subject: out\r\n\r\nText",
    );
    name(&reply);
    let report = first_message(&server.store().join("mta1"), "bob");
    assert!(
        report.contains("There is no way from here to elsewhere.example"),
        "{report}"
    );
}

#[test]
fn what_a_server_takes_is_gone_from_the_queue_and_success_is_told_when_asked_for() {
    let fake = Fake::start(|_, _| None);
    let server = Server::start_with(&["--route", &fake.route("b.example"), TO_US[0], TO_US[1]]);
    let mut hand = Hand::to(server.address("smtp"));
    let to = [
        "<carol@b.example>",
        "<dave@b.example> NOTIFY=SUCCESS ORCPT=rfc822;david@b.example",
        "<bob@localhost>",
    ];
    let reply = hand.send(
        "<alice@localhost> ENVID=QQ+3D1",
        &to,
        "Subject: three\r\n\r\n.one\r\nText",
    );
    name(&reply);
    // Those here get it too, once.
    let here = first_message(&server.store(), "bob");
    assert!(
        here.starts_with("Return-Path: <alice@localhost>\r\n"),
        "{here}"
    );
    let report = first_message(&server.store(), "alice");
    for part in [
        "Original-Envelope-Id: QQ=1\r\n",
        "Original-Recipient: rfc822; david@b.example\r\nFinal-Recipient: rfc822; dave@b.example\r\nAction: relayed\r\nStatus: 2.0.0\r\n",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert!(!report.contains("carol"), "{report}");
    wait_for_empty_queue(&server.store());
    let heard = fake.heard();
    assert_eq!(
        heard
            .iter()
            .filter(|line| line.starts_with("MAIL FROM:<alice@localhost>"))
            .count(),
        1
    );
    assert!(
        heard.contains(&"RCPT TO:<carol@b.example>".to_owned()),
        "{heard:?}"
    );
    assert!(
        heard.contains(&"RCPT TO:<dave@b.example>".to_owned()),
        "{heard:?}"
    );
    assert!(heard.contains(&"..one".to_owned()), "{heard:?}");
    assert!(
        !heard.iter().any(|line| line.starts_with("Return-Path:")),
        "{heard:?}"
    );
    assert_eq!(inbox(&server.store(), "bob").len(), 1);
}

#[test]
fn after_a_4xx_it_is_tried_again() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    let fake = Fake::start(move |line, _| {
        let first = line.starts_with("RCPT") && counted.fetch_add(1, Ordering::SeqCst) == 0;
        first.then(|| "451 4.7.1 Greylisted, come again".to_owned())
    });
    let server = Server::start_with(&[
        "--route",
        &fake.route("b.example"),
        TO_US[0],
        TO_US[1],
        "--retry",
        "2s",
    ]);
    let reply = Hand::to(server.address("smtp")).send(
        "<alice@localhost>",
        &["<carol@b.example>"],
        "Subject: x\r\n\r\nText",
    );
    let id = name(&reply).to_owned();
    let list = wait_for("the first attempt", || {
        let list = said(&queue(&server.store(), &["list"]));
        list.contains("Greylisted").then_some(list)
    });
    assert!(
        list.contains(&id) && list.contains("next attempt ") && list.contains("1 message\n"),
        "{list}"
    );
    wait_for("the second attempt", || {
        fake.heard().contains(&".".to_owned()).then_some(())
    });
    assert_eq!(tries.load(Ordering::SeqCst), 2);
    assert!(
        inbox(&server.store(), "alice").is_empty(),
        "a delay of seconds is not told"
    );
}

#[test]
fn after_a_550_the_sender_is_told_and_nobody_tells_a_report() {
    let fake = Fake::start(|line, _| {
        line.starts_with("RCPT")
            .then(|| "550 5.1.1 No such user here".to_owned())
    });
    let server = Server::start_with(&["--route", &fake.route("b.example"), TO_US[0], TO_US[1]]);
    let mut hand = Hand::to(server.address("smtp"));
    name(&hand.send(
        "<alice@localhost>",
        &["<carol@b.example>"],
        "Subject: x\r\n\r\nText",
    ));
    name(&hand.send("<>", &["<dave@b.example>"], "Subject: report\r\n\r\nText"));
    name(&hand.send(
        "<bob@localhost>",
        &["<erin@b.example> NOTIFY=NEVER"],
        "Subject: quiet\r\n\r\nText",
    ));
    let report = first_message(&server.store(), "alice");
    for part in [
        "Return-Path: <>\r\n",
        "Subject: Not delivered: your message comes back\r\n",
        "Auto-Submitted: auto-replied\r\n",
        "127.0.0.1 said: 550 5.1.1 No such user here\r\n",
        "Final-Recipient: rfc822; carol@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; 127.0.0.1\r\n",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    wait_for_empty_queue(&server.store());
    assert_eq!(inbox(&server.store(), "alice").len(), 1);
    assert!(inbox(&server.store(), "bob").is_empty());
}

#[test]
fn the_queue_is_looked_at_and_changed_while_the_server_runs() {
    let open = Arc::new(AtomicBool::new(false));
    let gate = Arc::clone(&open);
    let fake = Fake::start(move |line, _| {
        (line.starts_with("MAIL") && !gate.load(Ordering::SeqCst))
            .then(|| "451 4.3.2 Closed for lunch".to_owned())
    });
    let server = Server::start_with(&["--route", &fake.route("b.example"), TO_US[0], TO_US[1]]);
    let store = server.store();
    let mut hand = Hand::to(server.address("smtp"));
    let ids: Vec<String> = ["kept", "dropped"]
        .iter()
        .map(|subject| {
            let text = format!("Subject: {subject}\r\n\r\nText");
            name(&hand.send("<alice@localhost>", &["<carol@b.example>"], &text)).to_owned()
        })
        .collect();
    wait_for("both attempts", || {
        (said(&queue(&store, &["list"]))
            .matches("Closed for lunch")
            .count()
            == 2)
            .then_some(())
    });
    let json = said(&queue(&store, &["list", "--json"]));
    assert!(
        json.starts_with("[\n") && json.contains(&format!("\"id\":\"{}\"", ids[0])),
        "{json}"
    );
    let show = said(&queue(&store, &["show", &ids[0]]));
    assert!(
        show.contains("to         <carol@b.example>") && show.contains("attempts: 1"),
        "{show}"
    );
    assert!(said(&queue(&store, &["drop", &ids[1]])).contains("1 message dropped"));
    assert!(said(&queue(&store, &["hold", &ids[0]])).contains("1 message held"));
    let refused = queue(&store, &["flush", &ids[0]]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is held: release it first"));
    open.store(true, Ordering::SeqCst);
    thread::sleep(Duration::from_millis(300));
    assert!(!fake.heard().contains(&".".to_owned()), "held is held");
    assert!(said(&queue(&store, &["release", &ids[0]])).contains("1 message released"));
    wait_for("the message", || {
        fake.heard()
            .contains(&"Subject: kept".to_owned())
            .then_some(())
    });
    assert!(!fake.heard().contains(&"Subject: dropped".to_owned()));
    wait_for("an empty queue", || {
        let mailq = Command::new(MAILTOOL)
            .args(["mailq", "--store"])
            .arg(&store)
            .output();
        said(&mailq.expect("the program is built"))
            .contains("the queue is empty")
            .then_some(())
    });
    // By domain, by ETRN too.
    open.store(false, Ordering::SeqCst);
    name(&hand.send(
        "<alice@localhost>",
        &["<carol@b.example>"],
        "Subject: third\r\n\r\nText",
    ));
    wait_for("its attempt", || {
        said(&queue(&store, &["list"]))
            .contains("Closed for lunch")
            .then_some(())
    });
    open.store(true, Ordering::SeqCst);
    assert!(hand.say("ETRN nobody.example").starts_with("251"));
    assert!(hand.say("ETRN b.example").starts_with("250"));
    wait_for("the third", || {
        fake.heard()
            .contains(&"Subject: third".to_owned())
            .then_some(())
    });
    use std::os::unix::fs::PermissionsExt;
    let socket = fs::metadata(store.join("control.sock")).expect("it is there");
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
    drop(server);
}

#[test]
fn a_server_behind_this_one_has_the_mailboxes() {
    let behind = Server::start_with(&["--lmtp", "127.0.0.1:0"]);
    let deliver = format!("lmtp:{}", behind.address("lmtp"));
    let server = Server::start_with(&["--deliver", &deliver]);
    let mut hand = Hand::to(server.address("smtp"));
    let reply = hand.send(
        "<x@a.example>",
        &["<alice@localhost>", "<bob@localhost> NOTIFY=SUCCESS"],
        "Subject: in\r\n\r\nText",
    );
    // It is known here, and delivered elsewhere.
    assert!(reply.trim_end().ends_with(" queued"), "{reply}");
    for account in ["alice", "bob"] {
        let text = first_message(&behind.store(), account);
        assert!(
            text.contains("Return-Path: <x@a.example>\r\n") && text.contains(" with LMTP"),
            "{text}"
        );
        assert!(inbox(&server.store(), account).is_empty());
    }
    assert!(
        hand.send(
            "<x@a.example>",
            &["<nobody@localhost>"],
            "Subject: in\r\n\r\nText"
        )
        .starts_with("550 5.1.1")
    );
    // The same by a socket in the file system; one for a message that waits until somebody listens there.
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("lmtp");
    let path = socket.to_str().expect("UTF-8");
    let server = Server::start_with(&["--deliver", &format!("lmtp:{path}"), "--retry", "1"]);
    name(&Hand::to(server.address("smtp")).send(
        "<x@a.example>",
        &["<alice@localhost>"],
        "Subject: late\r\n\r\nText",
    ));
    wait_for("a first attempt", || {
        said(&queue(&server.store(), &["list"]))
            .contains("4.4.1")
            .then_some(())
    });
    let behind = Server::start_with(&["--lmtp", &format!("unix:{path}")]);
    assert!(first_message(&behind.store(), "alice").contains("Subject: late\r\n"));
}

#[test]
fn what_the_dns_says_of_a_domain_is_told() {
    let dns = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let resolver = dns.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        let mut packet = [0; 512];
        while let Ok((octets, from)) = dns.recv_from(&mut packet) {
            let _ = dns.send_to(&dns_reply(&packet[..octets]), from);
        }
    });
    let server = Server::start_with(&["--resolver", &resolver, TO_US[0], TO_US[1]]);
    let mut hand = Hand::to(server.address("smtp"));
    for (domain, account, status, words) in [
        (
            "null.example",
            "alice",
            "5.1.10",
            "null.example takes no mail (null MX)",
        ),
        (
            "gone.example",
            "bob",
            "5.1.2",
            "There is no domain gone.example",
        ),
    ] {
        let from = format!("<{account}@localhost>");
        name(&hand.send(&from, &[&format!("<x@{domain}>")], "Subject: x\r\n\r\nText"));
        let report = first_message(&server.store(), account);
        assert!(
            report.contains(&format!("Action: failed\r\nStatus: {status}\r\n")),
            "{report}"
        );
        assert!(
            report.contains(words) && !report.contains("Remote-MTA"),
            "{report}"
        );
    }
    name(&hand.send(
        "<alice@localhost>",
        &["<x@us.example>"],
        "Subject: x\r\n\r\nText",
    ));
    // Its mail exchanger is this server, which has no such domain.
    wait_for("a loop", || {
        let reports = inbox(&server.store(), "alice");
        let mut reports = reports.iter().map(fs::read_to_string);
        let is_told = |report: String| {
            report.contains("Status: 5.4.6\r\n") && report.contains("it would run in a circle")
        };
        reports
            .any(|report| report.is_ok_and(is_told))
            .then_some(())
    });
}

/// `null.example` has a null MX, `us.example` the server itself, `gone.example` is not there.
fn dns_reply(query: &[u8]) -> Vec<u8> {
    let end = 12
        + query[12..]
            .iter()
            .position(|octet| *octet == 0)
            .expect("a name")
        + 5;
    let (name, kind) = (&query[12..end - 4], query[end - 3]);
    let is = |label: &[u8]| name[1..].starts_with(label);
    let answer: &[u8] = match kind {
        15 if is(b"null") => b"\xc0\x0c\0\x0f\0\x01\0\0\0\x3c\0\x03\0\0\0",
        15 if is(b"us") => b"\xc0\x0c\0\x0f\0\x01\0\0\0\x3c\0\x0d\0\x0a\x09localhost\0",
        _ => b"",
    };
    let mut reply = query[..2].to_vec();
    let code = if is(b"gone") { 3 } else { 0 };
    reply.extend([
        0x81,
        0x80 | code,
        0,
        1,
        0,
        u8::from(!answer.is_empty()),
        0,
        0,
        0,
        0,
    ]);
    reply.extend(&query[12..end]);
    reply.extend(answer);
    reply
}

#[test]
fn without_a_server_the_queue_cannot_be_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    for words in [&["list"][..], &["flush"], &["drop", "x"]] {
        let output = queue(folder.path(), words);
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(69), "{why}");
        assert!(
            why.contains("no server runs on the store") && why.lines().count() == 1,
            "{why}"
        );
    }
}

#[test]
fn nobody_relays_who_may_not() {
    let refused = |options: &[&str]| {
        let server = Server::start_with(options);
        let mut hand = Hand::to(server.address("smtp"));
        let reply = hand.send(
            "<x@evil.example>",
            &["<carol@b.example>"],
            "Subject: spam\r\n\r\nText",
        );
        assert!(reply.starts_with("55"), "{options:?}: {reply}");
        let reply = Hand::to(server.address("submission")).send(
            "<x@evil.example>",
            &["<carol@b.example>"],
            "Subject: spam\r\n\r\nText",
        );
        assert!(reply.starts_with("530 5.7.0"), "{options:?}: {reply}");
    };
    refused(&[]);
    refused(&["--relay"]);
    refused(&["--smarthost", "127.0.0.1:9"]);
    refused(&["--route", "b.example=127.0.0.1:9"]);
    refused(&["--relay-from", "192.0.2.0/24"]);
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(MAILTOOL)
        .args(["serve", "--store"])
        .arg(folder.path())
        .args([
            "--user",
            "eve:secret",
            "--smtp",
            "0.0.0.0:0",
            "--relay-from",
            "0.0.0.0/0",
        ])
        .output()
        .expect("the program is built");
    let why = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{why}");
    assert!(why.contains("pass on mail for everybody"), "{why}");
}

/// Kills of the server that passes mail on, and sessions that hand it in meanwhile.
const ROUNDS: usize = 8;
const SESSIONS: usize = 6;

#[test]
fn what_got_its_250_is_passed_on_after_kill_9() {
    let last = Server::start_with(&["--domain", "far.example"]);
    let route = format!("far.example={}", last.address("smtp"));
    let options = ["--route", &route, TO_US[0], TO_US[1], "--retry", "1"];
    let (acknowledged, numbers) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    let mut server = Server::start_with(&options);
    for round in 0..ROUNDS {
        let address = server.address("smtp");
        let over = AtomicBool::new(false);
        let folder = thread::scope(|scope| {
            for _ in 0..SESSIONS {
                scope.spawn(|| hand_in(address, &numbers, &acknowledged, &over));
            }
            thread::sleep(Duration::from_millis(40 + (round as u64 * 67) % 250));
            let folder = server.kill();
            over.store(true, Ordering::Relaxed);
            folder
        });
        server = Server::start_in(folder, &options);
    }
    let acknowledged = acknowledged.into_inner().expect("no panic");
    let count = || {
        let mut found: HashMap<usize, usize> = HashMap::new();
        for file in last.inbox("bob") {
            let text = fs::read_to_string(&file).unwrap_or_default();
            let number = text
                .split_once("Subject: ")
                .and_then(|(_, rest)| rest.split_once("\r\n"));
            if let Some(number) = number.and_then(|(number, _)| number.parse().ok()) {
                *found.entry(number).or_default() += 1;
            }
        }
        found
    };
    wait_for_empty_queue(&server.store());
    let found = count();
    let lost: Vec<_> = acknowledged
        .iter()
        .filter(|number| !found.contains_key(number))
        .collect();
    let doubled = found.values().filter(|times| **times > 1).count();
    println!(
        "{} acknowledged, {} found, {doubled} of them more than once",
        acknowledged.len(),
        found.len()
    );
    assert!(acknowledged.len() > ROUNDS, "there was a load");
    assert!(
        lost.is_empty(),
        "acknowledged, and not there: {} of them",
        lost.len()
    );
    // Only what was under way when the server was killed, on the few connections that it had.
    assert!(doubled <= ROUNDS * 25, "{doubled} came more than once");
}

/// Hands in numbered messages until the server is gone.
fn hand_in(
    address: SocketAddr,
    numbers: &AtomicUsize,
    acknowledged: &Mutex<Vec<usize>>,
    over: &AtomicBool,
) -> Option<()> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut replies = BufReader::new(stream.try_clone().ok()?).lines();
    let mut reply = move || replies.next()?.ok();
    reply()?;
    stream.write_all(b"HELO load.example\r\n").ok()?;
    reply()?;
    while !over.load(Ordering::Relaxed) {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        stream
            .write_all(b"MAIL FROM:<>\r\nRCPT TO:<bob@far.example>\r\nDATA\r\n")
            .ok()?;
        for expected in ["250", "250", "354"] {
            let reply = reply()?;
            assert!(reply.starts_with(expected), "{reply}");
        }
        let text = format!("Subject: {number}\r\n\r\nText\r\n.\r\n");
        stream.write_all(text.as_bytes()).ok()?;
        let last = reply()?;
        assert!(last.starts_with("250 2.0.0"), "{last}");
        acknowledged.lock().expect("no panic").push(number);
    }
    None
}
