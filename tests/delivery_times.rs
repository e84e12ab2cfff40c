//! Mail that has its time, on the built program: FUTURERELEASE (RFC 4865) and DELIVERBY (RFC 2852) from the client to the mailbox, the
//! next server, or back.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/next_hop.rs"]
mod next_hop;
#[path = "support/program.rs"]
mod program;

use std::thread;
use std::time::{Duration, Instant, SystemTime};

use by_hand::{Hand, message, messages, queue, queue_list, wait_for, wait_for_empty_queue};
use next_hop::NextHop;
use program::Server;

/// alice:alice
const LOGIN: &str = "AUTH PLAIN AGFsaWNlAGFsaWNl";

/// Logged in as alice where mail is handed in.
fn submission(server: &Server) -> Hand {
    let mut hand = Hand::to(server.address("submission"));
    let reply = hand.say(LOGIN);
    assert!(reply.starts_with("235 "), "{reply}");
    hand
}

/// What a message is called in the reply that took it.
fn name(reply: &str) -> String {
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    let mut words = reply.split(' ');
    let id = words.find(|word| word.contains('-') && word.len() > 8);
    id.expect("a name").to_owned()
}

fn said(server: &Server, words: &[&str]) -> String {
    String::from_utf8_lossy(&queue(&server.store(), words).stdout).into_owned()
}

/// A moment as HOLDUNTIL has it; Debian's date knows the calendar.
fn moment(since: SystemTime) -> String {
    let unix = since.duration_since(SystemTime::UNIX_EPOCH).expect("after");
    let output = std::process::Command::new("date")
        .args(["-u", "+%Y-%m-%dT%H:%M:%SZ", "-d"])
        .arg(format!("@{}", unix.as_secs()))
        .output()
        .expect("date");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn what_is_for_later_waits_is_listed_and_no_flush_lets_it_go() {
    let server = Server::start_with(&["--relay", "--accept-any"]);
    let mut hand = submission(&server);
    let begun = Instant::now();
    let reply = hand.send(
        "<alice@localhost> HOLDFOR=4",
        &["<bob@localhost>"],
        b"Subject: for\r\n\r\nText\r\n",
    );
    let held = name(&reply);
    let until = moment(SystemTime::now() + Duration::from_secs(5));
    let reply = hand.send(
        &format!("<alice@localhost> HOLDUNTIL={until}"),
        &["<carol@localhost>"],
        b"Subject: until\r\n\r\nText\r\n",
    );
    let dated = name(&reply);
    // One that is for now is not kept by those.
    hand.send(
        "<alice@localhost> HOLDUNTIL=2001-01-01T00:00:00Z",
        &["<dave@localhost>"],
        b"Subject: past\r\n\r\nText\r\n",
    );
    message(&server.store(), "dave", "Subject: past");
    if begun.elapsed() < Duration::from_secs(3) {
        let list = queue_list(&server.store());
        let state = format!("<carol@localhost>  not before {until}");
        assert!(list.contains(&state), "{list}");
        let shown = said(&server, &["show", &dated]);
        assert!(shown.contains(&format!("not before {until}")), "{shown}");
        let json = said(&server, &["show", &held, "--json"]);
        assert!(json.contains("\"hold_until\":1"), "{json}");
    }
    for words in [
        &["flush"][..],
        &["flush", &held],
        &["hold", &held],
        &["release", &held],
    ] {
        assert!(queue(&server.store(), words).status.success(), "{words:?}");
    }
    message(&server.store(), "bob", "Subject: for");
    // The server counts in whole seconds.
    assert!(
        begun.elapsed() >= Duration::from_secs(3),
        "it came too early"
    );
    message(&server.store(), "carol", "Subject: until");
    wait_for_empty_queue(&server.store());
    assert_eq!(messages(&server.store(), "bob").len(), 1);
}

#[test]
fn how_long_and_how_soon_is_bounded_as_configured() {
    let server = Server::start_with(&["--relay", "--max-hold", "1h", "--min-deliver-by", "10"]);
    let mut hand = Hand::connect(server.address("submission"));
    hand.reply();
    hand.send_raw(b"EHLO client.example\r\n");
    let offers = hand.lines();
    let has = |offer: &str| offers.iter().any(|line| line[4..].starts_with(offer));
    assert!(has("FUTURERELEASE 3600 20"), "{offers:?}");
    assert!(has("DELIVERBY 10"), "{offers:?}");
    hand.say(LOGIN);
    for (parameters, reply) in [
        (
            "HOLDFOR=3601",
            "501 5.5.4 That is too far away: a message is held 3600 seconds at most",
        ),
        ("HOLDUNTIL=2999-01-01T00:00:00Z", "501 5.5.4 "),
        ("HOLDFOR=-1", "501 5.5.4 HOLDFOR takes seconds"),
        ("HOLDFOR=", "501 5.5.4 "),
        ("HOLDFOR=1 HOLDUNTIL=2030-01-01T00:00:00Z", "501 5.5.4 "),
        ("HOLDUNTIL=2030-02-30T00:00:00Z", "501 5.5.4 "),
        ("HOLDFOR=3600", "250 2.1.0 "),
        (
            "BY=9;R",
            "455 4.4.7 That is too soon: BY with R takes 10 seconds at least",
        ),
        ("BY=0;R", "501 5.5.4 "),
        ("BY=10;X", "501 5.5.4 "),
        ("BY=10;R", "250 2.1.0 "),
        ("BY=-5;N", "250 2.1.0 "),
    ] {
        let said = hand.say(&format!("MAIL FROM:<alice@localhost> {parameters}"));
        assert!(said.starts_with(reply), "{parameters}: {said}");
        hand.say("RSET");
    }
    // Where mail comes in from anywhere, nobody may have it wait.
    let mut hand = Hand::to(server.address("smtp"));
    let said = hand.say("MAIL FROM:<alice@localhost> HOLDFOR=60");
    assert!(said.starts_with("555 5.5.4 "), "{said}");
}

#[test]
fn what_is_late_goes_back_or_its_sender_is_told() {
    // Nobody listens there.
    let nowhere = "late.example=127.0.0.1:1";
    let server = Server::start_with(&[
        "--route",
        nowhere,
        "--accept-any",
        "--retry",
        "1",
        "--min-deliver-by",
        "1",
    ]);
    let mut hand = submission(&server);
    let text = |subject: &str| format!("Subject: {subject}\r\n\r\nText\r\n");
    let reply = hand.send(
        "<alice@localhost> BY=6;R",
        &["<x@late.example>"],
        text("or back").as_bytes(),
    );
    name(&reply);
    let reply = hand.send(
        "<bob@localhost> BY=2;N",
        &["<y@late.example>"],
        text("or tell").as_bytes(),
    );
    let told = name(&reply);
    let list = queue_list(&server.store());
    assert!(list.contains("else its sender is told"), "{list}");
    let report = message(&server.store(), "bob", "Subject: or tell");
    let report = String::from_utf8_lossy(&report).into_owned();
    for part in [
        "Deliver-By-Date: ",
        "Final-Recipient: rfc822; y@late.example\r\nAction: delayed\r\n",
        "Will-Retry-Until: ",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    let report = message(&server.store(), "alice", "Subject: or back");
    let report = String::from_utf8_lossy(&report).into_owned();
    for part in [
        "Deliver-By-Date: ",
        "Final-Recipient: rfc822; x@late.example\r\nAction: failed\r\nStatus: 5.4.7\r\n",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    // The one of which only is told stays; and it is told once.
    wait_for("one that stays", || {
        let list = queue_list(&server.store());
        (list.contains(&told) && !list.contains("x@late.example")).then_some(())
    });
    thread::sleep(Duration::from_secs(2));
    assert_eq!(messages(&server.store(), "bob").len(), 1);
}

#[test]
fn the_time_that_is_left_is_passed_on_to_whom_offers_it() {
    let keeps = NextHop::start(&["PIPELINING", "DSN", "DELIVERBY 5"]);
    let slow = NextHop::start(&["PIPELINING", "DSN", "DELIVERBY 9000"]);
    let knows_not = NextHop::start(&["PIPELINING", "DSN"]);
    let routes = [
        format!("keeps.example={}", keeps.address),
        format!("slow.example={}", slow.address),
        format!("old.example={}", knows_not.address),
    ];
    let server = Server::start_with(&["--accept-any", "--route", &routes.join(",")]);
    let mut hand = submission(&server);
    let mut send = |from: &str, to: &str, subject: &str| {
        let text = format!("Subject: {subject}\r\n\r\nText\r\n");
        name(&hand.send(from, &[to], text.as_bytes()));
    };
    send("<alice@localhost> BY=3600;R", "<a@keeps.example>", "kept");
    send(
        "<alice@localhost> BY=3600;NT",
        "<b@keeps.example>",
        "traced",
    );
    send("<bob@localhost> BY=3600;R", "<c@slow.example>", "too slow");
    send(
        "<carol@localhost> BY=3600;R",
        "<d@old.example>",
        "not promised",
    );
    send(
        "<dave@localhost> BY=3600;N",
        "<e@old.example>",
        "not watched",
    );
    send("<erin@localhost> BY=3600;N", "<f@keeps.example>", "watched");
    wait_for_empty_queue(&server.store());
    let left = |heard: &[String], mode: &str| -> Option<i64> {
        heard.iter().find_map(|line| {
            let (_, by) = line.strip_prefix("MAIL FROM:<")?.split_once(" BY=")?;
            let (seconds, rest) = by.split_once(';')?;
            (rest.split(' ').next() == Some(mode)).then(|| seconds.parse().ok())?
        })
    };
    let heard = keeps.heard().commands;
    for mode in ["R", "NT", "N"] {
        let seconds = left(&heard, mode).expect(mode);
        assert!((3500..=3600).contains(&seconds), "{mode}: {seconds}");
    }
    assert!(slow.heard().texts.is_empty(), "it promises too little");
    let heard = knows_not.heard();
    assert_eq!(heard.texts.len(), 1, "the one that is not sent back");
    assert!(!heard.commands.iter().any(|line| line.contains("BY=")));
    let report = |account: &str, subject: &str| {
        let report = message(&server.store(), account, &format!("Subject: {subject}"));
        String::from_utf8_lossy(&report).into_owned()
    };
    let slow = report("bob", "too slow");
    assert!(
        slow.contains("Action: failed\r\nStatus: 5.4.7\r\n"),
        "{slow}"
    );
    let old = report("carol", "not promised");
    assert!(old.contains("Action: failed\r\nStatus: 5.3.3\r\n"), "{old}");
    // Who asked for a trace, and whose time nobody watches over any more, is told where it went.
    for (account, subject) in [("alice", "traced"), ("dave", "not watched")] {
        let told = report(account, subject);
        assert!(told.contains("Action: relayed\r\n"), "{told}");
    }
    assert!(messages(&server.store(), "erin").is_empty());
}
