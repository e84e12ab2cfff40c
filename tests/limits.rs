//! Bounds as those meet them who come from elsewhere: connections, rates, silence, errors; and the bounds that other servers set, as the relay
//! keeps them.
//!
//! This computer itself is not counted, so the tests that need other addresses run in a network of their own (`unshare -n`, as root), in
//! which 192.0.2.1 and 192.0.2.2 are on its loopback interface, and nothing else is reached.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/next_hop.rs"]
mod next_hop;
#[path = "support/program.rs"]
mod program;

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use by_hand::{Hand, message, wait_for, wait_for_empty_queue};
use next_hop::NextHop;
use program::{PATIENCE, Server, run};

/// Runs a test of this file that is ignored otherwise, in a network of its own.
fn elsewhere(test: &str) {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED {test}: a network of its own needs root");
        return;
    }
    let network =
        "ip link set lo up && ip addr add 192.0.2.1/32 dev lo && ip addr add 192.0.2.2/32 dev lo";
    let here = std::env::current_exe().expect("this program");
    let mut shell = Command::new("unshare");
    shell.args([
        "-n",
        "sh",
        "-c",
        &format!("{network} && exec \"$0\" \"$@\""),
    ]);
    shell
        .arg(here)
        .args(["--exact", "--ignored", "--nocapture", test]);
    let output = run(&mut shell, "");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let why = String::from_utf8_lossy(&output.stderr);
    if why.contains("unshare failed") || why.contains("ip: not found") {
        eprintln!("SKIPPED {test}: {why}");
        return;
    }
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{why}"
    );
}

const FIRST: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const SECOND: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

/// A server at 192.0.2.1, to which both addresses can come.
fn public(options: &[&str]) -> Server {
    let usual = ["--user", "alice:alice", "--user", "bob:bob"];
    let mut all = [&usual[..], options].concat();
    for protocol in ["--smtp", "--submission", "--pop3", "--imap"] {
        all.extend([protocol, "192.0.2.1:0"]);
    }
    Server::start_with(&all)
}

/// A connection that comes from `source`.
fn from(source: Ipv4Addr, to: SocketAddr) -> Hand {
    Hand::connect_from(IpAddr::V4(source), to)
}

#[test]
fn one_address_has_so_many_connections() {
    elsewhere("connections_elsewhere");
}

#[test]
#[ignore = "run by one_address_has_so_many_connections, in a network of its own"]
fn connections_elsewhere() {
    let server = public(&["--connections-each", "3"]);
    let smtp = server.address("smtp");
    let mut held: Vec<Hand> = (0..3).map(|_| from(FIRST, smtp)).collect();
    for hand in &mut held {
        assert!(hand.reply().starts_with("220 "));
    }
    // All protocols together.
    for (service, refusal) in [
        ("smtp", "421 4.7.0 "),
        ("submission", "421 4.7.0 "),
        ("pop3", "-ERR "),
        ("imap", "* BYE "),
    ] {
        let said = from(FIRST, server.address(service)).rest();
        assert!(
            said.starts_with(refusal) && said.lines().count() == 1,
            "{service}: {said:?}"
        );
    }
    assert!(
        from(SECOND, smtp).reply().starts_with("220 "),
        "others are served"
    );
    assert!(
        held[0].say("NOOP").starts_with("250 "),
        "and so are the first"
    );
    assert!(held[0].say("QUIT").starts_with("221 "));
    held.remove(0);
    let begun = Instant::now();
    while !from(FIRST, smtp).reply().starts_with("220 ") {
        assert!(begun.elapsed() < PATIENCE, "its place is free again");
    }
    drop(held);

    // A proxy comes for many.
    let server = public(&["--connections-each", "1", "--xclient-from", "192.0.2.2"]);
    let smtp = server.address("smtp");
    let mut held: Vec<Hand> = (0..3).map(|_| from(SECOND, smtp)).collect();
    for hand in &mut held {
        assert!(hand.reply().starts_with("220 "));
    }

    let server = public(&["--connections", "2"]);
    let smtp = server.address("smtp");
    let mut held: Vec<Hand> = [FIRST, SECOND].map(|source| from(source, smtp)).into();
    for hand in &mut held {
        assert!(hand.reply().starts_with("220 "));
    }
    let said = from(SECOND, smtp).rest();
    assert!(
        said.starts_with("421 4.3.2 ") || said.starts_with("421 4.7.0 "),
        "{said}"
    );
}

#[test]
fn one_address_and_one_user_send_so_much_a_minute() {
    elsewhere("rates_elsewhere");
}

#[test]
#[ignore = "run by one_address_and_one_user_send_so_much_a_minute, in a network of its own"]
fn rates_elsewhere() {
    let server = public(&["--rate-per-address", "3", "--rate-per-user", "2"]);
    let letter = b"From: bob@localhost\r\nSubject: rate\r\n\r\nText\r\n";
    let send = |source: Ipv4Addr| {
        let mut hand = from(source, server.address("smtp"));
        hand.reply();
        hand.say("EHLO x");
        hand.send("<x@a.example>", &["<alice@localhost>"], letter)
    };
    for _ in 0..3 {
        let reply = send(FIRST);
        assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    }
    let reply = send(FIRST);
    assert!(reply.starts_with("450 4.7.1 "), "{reply}");
    let reply = send(SECOND);
    assert!(reply.starts_with("250 2.0.0 "), "others may: {reply}");
    // A user is counted wherever it is. From elsewhere there is no AUTH without TLS, so this one is here.
    let local = Server::start_with(&["--rate-per-user", "2"]);
    for (expected, user) in [
        ("250 2.0.0 ", "bob"),
        ("250 2.0.0 ", "bob"),
        ("450 4.7.1 ", "bob"),
    ] {
        let mut hand = Hand::to(local.address("submission"));
        let reply = hand.say("AUTH PLAIN AGJvYgBib2I=");
        assert!(reply.starts_with("235 "), "{reply}");
        let reply = hand.send(
            &format!("<{user}@localhost>"),
            &["<alice@localhost>"],
            letter,
        );
        assert!(reply.starts_with(expected), "{reply}");
    }
}

#[test]
fn from_elsewhere_only_named_networks_relay() {
    elsewhere("networks_elsewhere");
}

#[test]
#[ignore = "run by from_elsewhere_only_named_networks_relay, in a network of its own"]
fn networks_elsewhere() {
    let next = NextHop::start(&["PIPELINING"]);
    let route = format!("*={}", next.address);
    let server = public(&["--relay-from", "192.0.2.1", "--route", &route]);
    let send = |source: Ipv4Addr| {
        let mut hand = from(source, server.address("smtp"));
        hand.reply();
        hand.say("EHLO x");
        hand.send(
            "<alice@localhost>",
            &["<x@outside.example>"],
            format!("Subject: from {source}\r\n\r\nText\r\n").as_bytes(),
        )
    };
    let reply = send(SECOND);
    assert!(reply.starts_with("550 5.7.1 "), "{reply}");
    // Who logs in without TLS shows the password to the whole network.
    let mut hand = from(SECOND, server.address("submission"));
    hand.reply();
    let offered = {
        hand.send_raw(b"EHLO x\r\n");
        hand.lines()
    };
    assert!(
        !offered.iter().any(|line| line.contains("PLAIN")),
        "{offered:?}"
    );
    let reply = hand.say("AUTH PLAIN AGJvYgBib2I=");
    assert!(
        reply.starts_with("538 5.7.11 ") || reply.starts_with("530 5.7.0 "),
        "{reply}"
    );
    let reply = send(FIRST);
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    wait_for_empty_queue(&server.store());
    assert_eq!(next.heard().texts.len(), 1);
}

#[test]
fn lines_commands_and_phases_are_bounded_as_configured() {
    let options = ["--max-line", "600", "--max-commands", "3"];
    let timeouts = ["--smtp-timeout", "command=600,text=2,login=600"];
    let server = Server::start_with(&[&options[..], &timeouts].concat());
    let smtp = server.address("smtp");
    let mut hand = Hand::to(smtp);
    let line = |octets: usize| format!("NOOP {}", "x".repeat(octets - "NOOP \r\n".len()));
    assert!(hand.say(&line(600)).starts_with("250 "));
    let reply = hand.say(&line(601));
    assert_eq!(reply, "500 5.5.2 That line is longer than 600 octets");
    // An answer to a challenge is a line too.
    assert!(hand.say("AUTH LOGIN").starts_with("334 "));
    let reply = hand.say(&"A".repeat(700));
    assert!(reply.starts_with("500 5.5.6 "), "{reply}");
    let mut hand = Hand::to(smtp);
    // EHLO was the first.
    for _ in 0..2 {
        assert!(hand.say("NOOP").starts_with("250 "));
    }
    let reply = hand.say("NOOP");
    assert!(reply.starts_with("421 4.7.0 "), "{reply}");
    // Only the text has its time.
    let mut hand = Hand::to(smtp);
    std::thread::sleep(Duration::from_secs(3));
    assert!(hand.say("MAIL FROM:<x@a.example>").starts_with("250 "));
    hand.say("RCPT TO:<alice@localhost>");
    hand.say("DATA");
    let reply = hand.reply();
    assert!(reply.starts_with("421 4.4.2 "), "{reply}");
}

#[test]
fn who_errs_waits_and_who_is_silent_is_shown_out() {
    let server = Server::start_with(&["--max-errors", "4", "--smtp-timeout", "2"]);
    let smtp = server.address("smtp");
    let mut hand = Hand::to(smtp);
    let times = ["ONE", "TWO", "THREE", "FOUR"].map(|line| {
        let begun = Instant::now();
        let reply = hand.say(line);
        (reply, begun.elapsed())
    });
    let second = Duration::from_millis(950);
    for (place, (reply, took)) in times.iter().enumerate() {
        assert!(reply.starts_with("500 5.5.2 "), "{times:?}");
        assert!(*took >= second || place < 2, "{times:?}");
    }
    // A machine that is busy may hold up one of them.
    assert!(times[0].1.min(times[1].1) < second, "{times:?}");
    let rest = hand.rest();
    assert!(
        rest.starts_with("421 4.7.0 ") && rest.lines().count() == 1,
        "{rest}"
    );

    let late = |mut hand: Hand, what: &str| {
        let begun = Instant::now();
        let reply = hand.reply();
        let took = begun.elapsed();
        assert!(reply.starts_with("421 4.4.2 "), "{what}: {reply}");
        assert!(took >= Duration::from_millis(1500), "{what}: {took:?}");
        assert_eq!(hand.rest(), "", "{what}: it has closed");
    };
    let mut silent = Hand::connect(smtp);
    silent.reply();
    late(silent, "at the beginning");
    // Half a line, a little more of it all the time: that is not a command.
    let mut hand = Hand::to(smtp);
    let begun = Instant::now();
    let mut dripped = 0;
    while begun.elapsed() < Duration::from_secs(3) {
        hand.send_raw(b"N");
        dripped += 1;
        std::thread::sleep(Duration::from_millis(300));
    }
    let reply = hand.reply();
    assert!(reply.starts_with("421 4.4.2 "), "{dripped}: {reply}");
    let mut hand = Hand::to(smtp);
    for command in [
        "MAIL FROM:<x@a.example>",
        "RCPT TO:<alice@localhost>",
        "DATA",
    ] {
        hand.say(command);
    }
    hand.send_raw(b"Subject: half\r\n\r\nTe");
    late(hand, "in the text");
    let mut hand = Hand::to(smtp);
    hand.say("MAIL FROM:<x@a.example>");
    hand.say("RCPT TO:<alice@localhost>");
    hand.send_raw(b"BDAT 100 LAST\r\nSubject: half\r\n");
    late(hand, "in a chunk");
    let mut hand = Hand::to(smtp);
    hand.say("AUTH LOGIN");
    late(hand, "in a challenge");
    assert!(server.inbox("alice").is_empty(), "half a message is none");
}

#[test]
fn the_relay_keeps_to_the_bounds_of_others() {
    for (offers, transactions, calls) in [
        (&["PIPELINING", "LIMITS RCPTMAX=2"][..], 3, 1),
        (&["LIMITS RCPTMAX=2 MAILMAX=1"], 3, 3),
        (&["PIPELINING"], 1, 1),
    ] {
        let next = NextHop::start(offers);
        let route = format!("*={}", next.address);
        let server = Server::start_with(&[
            "--relay-from",
            "127.0.0.0/8",
            "--route",
            &route,
            "--relay-connections-each",
            "1",
        ]);
        let to: Vec<String> = (1..=5)
            .map(|number| format!("<r{number}@b.example>"))
            .collect();
        let to: Vec<&str> = to.iter().map(String::as_str).collect();
        let reply = Hand::to(server.address("smtp")).send(
            "<alice@localhost>",
            &to,
            b"Subject: five\r\n\r\nText\r\n",
        );
        assert!(reply.starts_with("250 2.0.0 "), "{reply}");
        wait_for_empty_queue(&server.store());
        let heard = next.heard();
        let named = |verb: &str| {
            let lines = heard.commands.iter();
            lines.filter(|line| line.starts_with(verb)).count()
        };
        assert_eq!(
            (named("MAIL"), named("RCPT")),
            (transactions, 5),
            "{heard:?}"
        );
        assert_eq!(
            (heard.texts.len(), heard.calls),
            (transactions, calls),
            "{heard:?}"
        );
    }
    let next = NextHop::start(&["SIZE 100"]);
    let route = format!("*={}", next.address);
    let server = Server::start_with(&["--relay-from", "127.0.0.0/8", "--route", &route]);
    let text = format!("Subject: long\r\n\r\n{}\r\n", "x".repeat(200));
    let reply = Hand::to(server.address("smtp")).send(
        "<alice@localhost>",
        &["<r@b.example>"],
        text.as_bytes(),
    );
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    let report = message(&server.store(), "alice", "Status: 5.3.4\r\n");
    assert!(by_hand::contains(&report, b"Subject: long"));
    assert!(next.heard().texts.is_empty());
}

/// What a server does when it hears a line that begins with `on` (empty: when it is connected to), in place of what is usual; then it
/// closes if `closes`.
struct Trick {
    on: &'static str,
    says: Vec<u8>,
    closes: bool,
}

fn trickster(trick: Trick) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = perform(&mut stream, &trick);
        }
    });
    address
}

fn perform(stream: &mut TcpStream, trick: &Trick) -> std::io::Result<()> {
    if trick.on.is_empty() {
        stream.write_all(&trick.says)?;
        if trick.closes {
            return Ok(());
        }
    }
    stream.write_all(b"220 trick.example\r\n")?;
    let mut in_text = false;
    for line in BufReader::new(stream.try_clone()?).split(b'\n') {
        let line = line?;
        let verb = line.get(..4).unwrap_or_default();
        let is_end = line == b".\r";
        if in_text && !is_end {
            continue;
        }
        in_text = false;
        if !trick.on.is_empty() && line.starts_with(trick.on.as_bytes()) {
            stream.write_all(&trick.says)?;
            if trick.closes {
                return Ok(());
            }
            continue;
        }
        let reply: &[u8] = match verb {
            b"EHLO" => b"250-trick.example\r\n250-STARTTLS\r\n250 PIPELINING\r\n",
            b"STAR" => b"454 4.7.0 Not now\r\n",
            b"DATA" => b"354 Go on\r\n",
            b"QUIT" => b"221 2.0.0 Bye\r\n",
            _ => b"250 2.0.0 Ok\r\n",
        };
        in_text = verb == b"DATA";
        stream.write_all(reply)?;
    }
    Ok(())
}

#[test]
fn the_relay_stands_whatever_servers_do() {
    let junk = |octets: usize| vec![b'x'; octets];
    let trick = |on, says: &[u8], closes| Trick {
        on,
        says: says.to_vec(),
        closes,
    };
    let endless = "250-a line of an answer that does not end\r\n".repeat(200_000);
    let cases = [
        // It waits for better times.
        (trick("", b"", true), "4.4.2"),
        (trick("", b"421 4.3.2 Closed\r\n", true), "4.3.2"),
        (trick("", &junk(1_000_000), true), "4."),
        (trick("", b"HTTP/1.1 400 Bad Request\r\n", true), "4."),
        (trick("EHLO", endless.as_bytes(), true), "4."),
        (trick("EHLO", &junk(3_000_000), true), "4."),
        (trick("MAIL", b"", true), "4.4.2"),
        (trick("RCPT", b"", true), "4.4.2"),
        (trick("RCPT", b"\0\0\0\r\n", false), "4."),
        (trick("DATA", b"", true), "4.4.2"),
        (trick("DATA", b"250 What text?\r\n", false), "4."),
        (trick("DATA", b"354 Go on\r\n", true), "4.4.2"),
        (trick(".\r", b"", true), "4.4.2"),
        (trick(".\r", b"421 4.3.2 Closed\r\n", true), "4.3.2"),
        (trick(".\r", b"354 More\r\n", false), "4."),
        (trick("STARTTLS", b"", true), "4.4.2"),
        // It is taken, all the same: TLS does not come about, and was not a must.
        (trick("STARTTLS", b"220 Go\r\n", true), "taken"),
        (
            trick(
                "STARTTLS",
                b"220 Go\r\nnot TLS at all, and much of it\r\n",
                true,
            ),
            "taken",
        ),
        // Said before TLS, to be heard after it.
        (
            trick(
                "STARTTLS",
                b"220 Go\r\n250-trick.example\r\n250 AUTH PLAIN\r\n",
                false,
            ),
            "taken",
        ),
        (trick("QUIT", b"500 Never\r\n", false), "taken"),
        (trick("QUIT", &junk(1_000_000), true), "taken"),
        // It comes back.
        (trick("MAIL", b"550 5.7.1 Not you\r\n", false), "back"),
        (trick("RCPT", b"550 5.1.1 Not there\r\n", false), "back"),
        (trick("DATA", b"554 5.7.1 Not this\r\n", false), "back"),
        (trick(".\r", b"554 5.6.0 Not this\r\n", false), "back"),
    ];
    let routes: Vec<String> = cases
        .into_iter()
        .enumerate()
        .map(|(number, (trick, expected))| {
            let name = format!(
                "{}{number}",
                expected.trim_end_matches('.').replace('.', "-")
            );
            format!("{name}.example={}={expected}", trickster(trick))
        })
        .collect();
    let mut options = vec!["--relay-from", "127.0.0.0/8"];
    for route in &routes {
        options.extend(["--route", route.rsplit_once('=').expect("three parts").0]);
    }
    let server = Server::start_with(&options);
    let before = server.resident();
    let mut hand = Hand::to(server.address("smtp"));
    for route in &routes {
        let domain = route.split('=').next().expect("a domain");
        let text = format!("Subject: {domain}\r\n\r\nText\r\n");
        let to = format!("<x@{domain}>");
        let reply = hand.send("<alice@localhost>", &[&to], text.as_bytes());
        assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    }
    for route in &routes {
        let mut parts = route.split('=');
        let domain = parts.next().expect("a domain");
        let expected = parts.nth(1).expect("an end");
        match expected {
            "back" => {
                message(&server.store(), "alice", &format!("Subject: {domain}"));
            }
            "taken" => {
                let taken = format!("<x@{domain}>: passed on");
                wait_for(&taken, || server.log().contains(&taken).then_some(()));
            }
            status => {
                let tried = format!("<x@{domain}>: not now");
                let log = wait_for(&tried, || {
                    let log = server.log();
                    log.contains(&tried).then_some(log)
                });
                let line = log.lines().find(|line| line.contains(&tried));
                assert!(
                    line.is_some_and(|line| line.contains(status)),
                    "{status}: {line:?}"
                );
            }
        }
    }
    let after = server.resident();
    assert!(
        after < before + 48 * 1024 * 1024,
        "{before} to {after} octets"
    );
    assert!(hand.say("NOOP").starts_with("250 "));
}
