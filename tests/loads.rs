//! `mailtool send --load`: what is handed in arrives, is counted, and has its bounds.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/program.rs"]
mod program;
#[path = "support/sending.rs"]
mod sending;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use by_hand::messages;
use program::{Server, ended, have};
use sending::{evaluated, send, send_to, text_of};

/// The first number behind `word`.
fn number_behind(told: &str, word: &str) -> f64 {
    let rest = told.split_once(word).map_or("", |(_, rest)| rest);
    let number = rest.trim_start().split([' ', ',', '\n']).next();
    number.unwrap_or_default().parse().unwrap_or(-1.0)
}

#[test]
fn a_load_is_counted_and_arrives() {
    let server = Server::start();
    let load = |service: &str, words: &[&str]| {
        let load = ["--load", "--duration", "30", "-f", "bob@localhost"];
        send(&server, service, &[&load[..], words].concat())
    };
    let words = [
        "alice@localhost",
        "--sessions",
        "8",
        "-m",
        "120",
        "-d",
        "-l",
        "2000",
    ];
    let (told, _) = ended(&load("smtp", &words), 0);
    assert!(
        told.contains("messages     120 sent, 0 failed, 120 recipients\n"),
        "{told}"
    );
    assert!(told.contains("8 at once, 8 connections\n"), "{told}");
    for word in ["p50", "p90", "p99", "max", "s, "] {
        assert!(number_behind(&told, word) > 0.0, "{word}: {told}");
    }
    assert!(
        number_behind(&told, "p50") <= number_behind(&told, "max"),
        "{told}"
    );
    let arrived = messages(&server.store(), "alice");
    assert_eq!(arrived.len(), 120);
    let ids: HashSet<String> = arrived
        .iter()
        .filter_map(|one| {
            let text = text_of(one);
            let id = text.lines().find(|line| line.starts_with("Message-ID: "));
            id.map(str::to_owned)
        })
        .collect();
    assert_eq!(ids.len(), 120, "no two are the same");
    let text = text_of(&arrived[0]).replace("\r\n", "\n");
    let (_, body) = text.split_once("\n\n").expect("a body");
    let octets = body.len() + body.lines().count();
    assert!((1990..=2002).contains(&octets), "{octets}");

    // A connection for each, TLS, a login, two recipients.
    let ca = server.authority();
    let ca = ca.to_str().expect("UTF-8");
    let words = [
        "alice@localhost",
        "bob@localhost",
        "--sessions",
        "4",
        "-m",
        "12",
        "--starttls",
        "--ca",
        ca,
        "-u",
        "alice",
    ];
    let (told, _) = ended(&load("submission", &words), 0);
    assert!(
        told.contains("12 sent, 0 failed, 24 recipients\n"),
        "{told}"
    );
    assert!(told.contains("4 at once, 12 connections\n"), "{told}");
    assert_eq!(messages(&server.store(), "bob").len(), 12);

    // Refusals are counted by what was said.
    let words = ["nobody@localhost", "-m", "5", "-d"];
    let (told, _) = ended(&load("smtp", &words), 75);
    assert!(told.contains("0 sent, 5 failed"), "{told}");
    assert!(
        told.contains("error        5 RCPT TO: 550 5.1.1\n"),
        "{told}"
    );
    let words = [
        "alice@localhost",
        "--recipient-count",
        "3",
        "-m",
        "2",
        "--json",
    ];
    let (told, _) = ended(&load("smtp", &words), 75);
    assert!(told.contains("\"RCPT TO: 550 5.1.1\":6"), "{told}");
    if have("python3", "python3") {
        let keys = evaluated(
            &told,
            "it['sent'], it['failed'], it['connections'], sorted(it['seconds_per_message'])",
        );
        assert_eq!(keys, "0 2 2 ['max', 'p50', 'p90', 'p99']\n");
    }
}

#[test]
fn a_load_has_its_bounds() {
    let server = Server::start();
    let load = |words: &[&str]| {
        let all = [
            &["--load", "alice@localhost", "-f", "bob@localhost"][..],
            words,
        ]
        .concat();
        send(&server, "smtp", &all)
    };
    let begun = Instant::now();
    let (told, _) = ended(
        &load(&["-m", "11", "--rate", "20", "--sessions", "3", "-d"]),
        0,
    );
    assert!(
        begun.elapsed() >= Duration::from_millis(480),
        "faster than it may: {told}"
    );
    assert!(told.contains("11 sent, 0 failed"), "{told}");
    let (told, _) = ended(
        &load(&["-m", "1000000", "--duration", "1", "--rate", "50"]),
        0,
    );
    let sent = number_behind(&told, "messages  ");
    assert!((1.0..=51.0).contains(&sent), "{told}");
    let (_, why) = ended(
        &send_to("mail.example.org", &["--load", "alice@example.org"]),
        64,
    );
    assert!(why.contains("--load-remote"), "{why}");
    let (told, _) = ended(
        &send_to("localhost:1", &["--load", "alice@localhost", "-m", "3"]),
        75,
    );
    assert!(told.contains("0 sent, 3 failed"), "{told}");
    assert!(told.contains("error        3 connect: "), "{told}");
    // A session waits at least its pause, nine times; the counter is no part of what is told.
    let begun = Instant::now();
    let words = [
        "-m",
        "10",
        "-d",
        "-w",
        "0.02",
        "--random-pause",
        "0.02",
        "--counter",
    ];
    let (told, counted) = ended(&load(&words), 0);
    assert!(begun.elapsed() >= Duration::from_millis(180), "{told}");
    assert!(told.starts_with("messages     10 sent, 0 failed"), "{told}");
    assert!(counted.ends_with("\r10 sent, 0 failed\n"), "{counted:?}");
    let (_, why) = ended(&load(&["--random-pause", "1e9"]), 64);
    assert!(why.contains("--random-pause"), "{why}");
    ended(&load(&["--quit-after", "rcpt"]), 64);
    ended(&load(&["--sessions", "0"]), 64);
    let (_, why) = ended(&load(&["--rate", "0"]), 64);
    assert!(why.contains("--rate 0: that cannot be kept"), "{why}");
}
