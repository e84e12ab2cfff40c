//! From a domain to its mail exchangers and on to port 25, with a name server and exchangers of the test's own.
//!
//! Exchangers listen at port 25 of 127.0.0.x, which takes root; else the tests say so and pass.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/next_hop.rs"]
mod next_hop;
#[path = "support/program.rs"]
mod program;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;

use by_hand::{Hand, contains, message, messages, queue_list, wait_for, wait_for_empty_queue};
use next_hop::NextHop;
use program::{MAILTOOL, Server};

const A: u8 = 1;
const CNAME: u8 = 5;
const MX: u8 = 15;

/// What a name server does with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Answers,
    /// For so many questions of the kind MX: SERVFAIL.
    Fails(usize),
    /// For so many of them: nothing at all.
    Silent(usize),
    /// Over UDP it says that it is too long.
    Truncates,
    /// Somebody else answers first, with another id.
    Forged,
}

/// A name server: what it knows, and how often each question (name and kind) was asked, `+` before those over TCP.
struct NameServer {
    address: String,
    asked: Arc<Mutex<HashMap<String, usize>>>,
}

type Zone = &'static [(&'static str, Mood, &'static [Record])];

#[derive(Clone, Copy, Debug)]
enum Record {
    Exchanger(u16, &'static str),
    Address([u8; 4]),
    Alias(&'static str),
}
use Record::{Address, Alias, Exchanger};

impl NameServer {
    fn start(zone: Zone) -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = tcp.local_addr().expect("bound");
        let udp = UdpSocket::bind(address).expect("the same port");
        let asked: Arc<Mutex<HashMap<String, usize>>> = Arc::default();
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            let mut packet = [0; 1500];
            while let Ok((octets, from)) = udp.recv_from(&mut packet) {
                for reply in answers(zone, &packet[..octets], &count, "") {
                    let _ = udp.send_to(&reply, from);
                }
            }
        });
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            for mut stream in tcp.incoming().flatten() {
                let mut length = [0; 2];
                if stream.read_exact(&mut length).is_err() {
                    continue;
                }
                let mut packet = vec![0; usize::from(u16::from_be_bytes(length))];
                if stream.read_exact(&mut packet).is_err() {
                    continue;
                }
                for reply in answers(zone, &packet, &count, "+") {
                    let length = u16::try_from(reply.len()).expect("short").to_be_bytes();
                    let _ = stream.write_all(&[&length[..], &reply].concat());
                }
            }
        });
        Self {
            address: address.to_string(),
            asked,
        }
    }

    fn asked(&self, what: &str) -> usize {
        let asked = self.asked.lock().expect("no panic");
        asked.get(what).copied().unwrap_or_default()
    }
}

fn answers(
    zone: Zone,
    query: &[u8],
    count: &Mutex<HashMap<String, usize>>,
    over: &str,
) -> Vec<Vec<u8>> {
    let mut name = String::new();
    let mut at = 12;
    while query[at] != 0 {
        let length = usize::from(query[at]);
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(&String::from_utf8_lossy(&query[at + 1..=at + length]));
        at += length + 1;
    }
    let (kind, end) = (query[at + 2], at + 5);
    let name = name.to_ascii_lowercase();
    let number = {
        let mut count = count.lock().expect("no panic");
        let number = count.entry(format!("{over}{name} {kind}")).or_default();
        *number += 1;
        *number
    };
    let found = zone.iter().find(|(known, ..)| *known == name);
    let reply = |flags: [u8; 2], records: &[(u8, Vec<u8>)]| {
        let mut reply = query[..2].to_vec();
        reply.extend(flags);
        reply.extend([
            0,
            1,
            0,
            u8::try_from(records.len()).expect("few"),
            0,
            0,
            0,
            0,
        ]);
        reply.extend(&query[12..end]);
        for (kind, data) in records {
            reply.extend([0xc0, 12, 0, *kind, 0, 1, 0, 0, 0, 60]);
            reply.extend(u16::try_from(data.len()).expect("short").to_be_bytes());
            reply.extend(data);
        }
        reply
    };
    let Some((_, mood, records)) = found else {
        return vec![reply([0x81, 0x83], &[])];
    };
    let records: Vec<(u8, Vec<u8>)> = records
        .iter()
        .map(|record| match record {
            Exchanger(preference, host) => {
                (MX, [&preference.to_be_bytes()[..], &labels(host)].concat())
            }
            Address(address) => (A, address.to_vec()),
            Alias(target) => (CNAME, labels(target)),
        })
        .filter(|(of, _)| *of == kind || *of == CNAME)
        .collect();
    let good = reply([0x81, 0x80], &records);
    match mood {
        Mood::Fails(times) if kind == MX && number <= *times => vec![reply([0x81, 0x82], &[])],
        Mood::Silent(times) if kind == MX && number <= *times => Vec::new(),
        Mood::Truncates if kind == MX && over.is_empty() => vec![reply([0x83, 0x80], &[])],
        Mood::Forged if kind == MX => {
            let mut forged = reply(
                [0x81, 0x80],
                &[(MX, [&[0, 1][..], &labels("evil.test")].concat())],
            );
            forged[0] ^= 0x55;
            vec![forged, good]
        }
        _ => vec![good],
    }
}

fn labels(name: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        octets.push(u8::try_from(label.len()).expect("short"));
        octets.extend(label.as_bytes());
    }
    octets.push(0);
    octets
}

const ZONE: Zone = &[
    (
        "two.test",
        Mood::Answers,
        &[Exchanger(20, "good.test"), Exchanger(10, "dead.test")],
    ),
    ("long.test", Mood::Truncates, &[Exchanger(10, "good.test")]),
    ("flaky.test", Mood::Fails(2), &[Exchanger(10, "good.test")]),
    ("mute.test", Mood::Silent(1), &[Exchanger(10, "good.test")]),
    ("forged.test", Mood::Forged, &[Exchanger(10, "good.test")]),
    ("host.test", Mood::Answers, &[Address([127, 0, 0, 42])]),
    (
        "alias.test",
        Mood::Answers,
        &[Exchanger(10, "other-name.test")],
    ),
    ("other-name.test", Mood::Answers, &[Alias("good.test")]),
    ("null.test", Mood::Answers, &[Exchanger(0, "")]),
    ("closed.test", Mood::Answers, &[Exchanger(10, "shut.test")]),
    ("us.test", Mood::Answers, &[Exchanger(10, "ours.example")]),
    // By address: another name of ours.
    ("us-too.test", Mood::Answers, &[Exchanger(10, "self.test")]),
    // We are second, and the first is down: it waits for the first.
    (
        "backup.test",
        Mood::Answers,
        &[
            Exchanger(5, "dead.test"),
            Exchanger(10, "self.test"),
            Exchanger(20, "good.test"),
        ],
    ),
    (
        "nowhere.test",
        Mood::Answers,
        &[Exchanger(10, "no-such-host.test")],
    ),
    (
        "xn--bcher-kva.test",
        Mood::Answers,
        &[Exchanger(10, "good.test")],
    ),
    // The first does not take anything now.
    (
        "grey.test",
        Mood::Answers,
        &[Exchanger(10, "busy.test"), Exchanger(20, "good.test")],
    ),
    ("busy.test", Mood::Answers, &[Address([127, 0, 0, 46])]),
    ("good.test", Mood::Answers, &[Address([127, 0, 0, 42])]),
    // Nobody listens there.
    ("dead.test", Mood::Answers, &[Address([127, 0, 0, 41])]),
    ("evil.test", Mood::Answers, &[Address([127, 0, 0, 44])]),
    ("self.test", Mood::Answers, &[Address([127, 0, 0, 43])]),
    ("shut.test", Mood::Answers, &[Address([127, 0, 0, 45])]),
];

/// The addresses are one test's at a time.
static PORTS: Mutex<()> = Mutex::new(());

/// The exchanger, and one to which nothing may go. They listen to the end.
static EXCHANGERS: LazyLock<Option<(NextHop, NextHop)>> = LazyLock::new(|| {
    let listen = |address: &str| NextHop::start_at(address, &["PIPELINING"]).ok();
    Some((listen("127.0.0.42:25")?, listen("127.0.0.44:25")?))
});

/// They, and the server; `None` where port 25 cannot be had.
fn stage(dns: &NameServer) -> Option<(&'static NextHop, &'static NextHop, Server)> {
    let Some((good, evil)) = &*EXCHANGERS else {
        eprintln!("SKIPPED: port 25 cannot be had");
        return None;
    };
    let server = Server::start_with(&[
        "--domain",
        "ours.example",
        "--smtp",
        "127.0.0.43:25",
        "--relay-from",
        "127.0.0.0/8",
        "--resolver",
        &dns.address,
        "--retry",
        "1",
    ]);
    Some((good, evil, server))
}

/// What the server calls it.
fn hand_in(server: &Server, to: &str) -> String {
    let address = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 43), 25));
    assert_eq!(server.address("smtp"), address);
    let text = format!("Subject: {to}\r\n\r\nText\r\n");
    let reply = Hand::to(address).send(
        "<alice@ours.example>",
        &[&format!("<x@{to}>")],
        text.as_bytes(),
    );
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    let mut words = reply.split(' ');
    let id = words.find(|word| word.contains('-') && word.len() > 8);
    id.expect("a name").to_owned()
}

/// `mailtool serve trace`
fn journey(server: &Server, id: &str) -> String {
    let output = Command::new(MAILTOOL)
        .args(["serve", "trace", id, "--store"])
        .arg(server.store())
        .output()
        .expect("the program is built");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn mail_finds_its_exchangers_whatever_happens_on_the_way() {
    let _ports = PORTS.lock().unwrap_or_else(PoisonError::into_inner);
    let dns = NameServer::start(ZONE);
    let Some((good, evil, server)) = stage(&dns) else {
        return;
    };
    let arrived = |domain: &str| {
        let subject = format!("Subject: {domain}\r\n");
        let has = |text: &Vec<u8>| contains(text, subject.as_bytes());
        good.heard().texts.iter().filter(|text| has(text)).count()
    };
    let domains = [
        "two.test",
        "long.test",
        "flaky.test",
        "mute.test",
        "forged.test",
        "host.test",
        "alias.test",
    ];
    let ids = domains.map(|domain| hand_in(&server, domain));
    // What is told of SERVFAIL while it lasts, before it is tried again.
    let list = wait_for("a failure", || {
        let list = queue_list(&server.store());
        list.contains("451 4.4.3").then_some(list)
    });
    assert!(list.contains("flaky.test"), "{list}");
    wait_for_empty_queue(&server.store());
    for domain in domains {
        assert_eq!(arrived(domain), 1, "{domain}");
    }
    // The first server does not answer; which one is asked next is part of the journey.
    let journey = journey(&server, &ids[0]);
    let step = "<x@two.test>: not there: 451 4.4.1 dead.test does not answer: ";
    let next = "; asked next is good.test (127.0.0.42:25)";
    assert!(
        journey.contains(step) && journey.contains(next),
        "{journey}"
    );
    assert_eq!(evil.heard().calls, 0, "a forged reply was believed");
    assert_eq!(
        (dns.asked("long.test 15"), dns.asked("+long.test 15")),
        (1, 1)
    );
    assert_eq!(dns.asked("flaky.test 15"), 3);
    assert_eq!(dns.asked("mute.test 15"), 2);
    // What is known is not asked for again.
    hand_in(&server, "two.test");
    wait_for_empty_queue(&server.store());
    assert_eq!((arrived("two.test"), dns.asked("two.test 15")), (2, 1));
    assert!(messages(&server.store(), "alice").is_empty());
}

#[test]
fn what_cannot_be_is_told_and_what_may_yet_be_waits() {
    let _ports = PORTS.lock().unwrap_or_else(PoisonError::into_inner);
    let dns = NameServer::start(ZONE);
    let Some((good, _, server)) = stage(&dns) else {
        return;
    };
    let before = good.heard().calls;
    // One that says at once that it takes no mail (RFC 7504).
    let shut = TcpListener::bind("127.0.0.45:25").expect("port 25");
    thread::spawn(move || {
        for mut stream in shut.incoming().flatten() {
            let _ = stream.write_all(b"521 5.3.2 shut.test takes no mail\r\n");
            let mut rest = [0; 512];
            while stream.read(&mut rest).is_ok_and(|count| count > 0) {
                let _ = stream.write_all(b"221 Bye\r\n");
            }
        }
    });
    for (domain, status, words) in [
        ("null.test", "5.1.10", "null.test takes no mail (null MX)"),
        ("closed.test", "5.3.2", "521 5.3.2 shut.test takes no mail"),
        ("gone.test", "5.1.2", "There is no domain gone.test"),
        (
            "nowhere.test",
            "5.4.4",
            "No address is known of no-such-host.test",
        ),
        ("us.test", "5.4.6", "circle"),
        ("us-too.test", "5.4.6", "circle"),
    ] {
        hand_in(&server, domain);
        let report = message(&server.store(), "alice", &format!("Subject: {domain}"));
        let report = String::from_utf8_lossy(&report).into_owned();
        let fields = format!(
            "Final-Recipient: rfc822; x@{domain}\r\nAction: failed\r\nStatus: {status}\r\n"
        );
        // A report is filled: a line may end between two words.
        let flat = report
            .split_ascii_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(
            report.contains(&fields) && flat.contains(words),
            "{domain}: {report}"
        );
    }
    hand_in(&server, "backup.test");
    let list = wait_for("an attempt", || {
        let list = queue_list(&server.store());
        list.contains("next attempt").then_some(list)
    });
    assert!(
        list.contains("x@backup.test") && list.contains("dead.test"),
        "{list}"
    );
    assert_eq!(good.heard().calls, before, "past us leads no way on");
}

#[test]
fn a_server_that_does_not_take_it_now_is_not_the_last_one() {
    let _ports = PORTS.lock().unwrap_or_else(PoisonError::into_inner);
    let dns = NameServer::start(ZONE);
    let Some((good, _, server)) = stage(&dns) else {
        return;
    };
    let busy = TcpListener::bind("127.0.0.46:25").expect("port 25");
    let asked: Arc<Mutex<usize>> = Arc::default();
    let count = Arc::clone(&asked);
    thread::spawn(move || {
        for mut stream in busy.incoming().flatten() {
            let count = Arc::clone(&count);
            thread::spawn(move || {
                let _ = stream.write_all(b"220 busy.test\r\n");
                let lines = BufReader::new(stream.try_clone().expect("a copy")).lines();
                for line in lines.map_while(Result::ok) {
                    let reply: &[u8] = match line.get(..4) {
                        Some("MAIL") => {
                            *count.lock().expect("no panic") += 1;
                            b"451 4.7.1 Come back later\r\n"
                        }
                        _ => b"250 busy.test\r\n",
                    };
                    if stream.write_all(reply).is_err() {
                        return;
                    }
                }
            });
        }
    });
    let id = hand_in(&server, "grey.test");
    wait_for_empty_queue(&server.store());
    let journey = journey(&server, &id);
    let step = "<x@grey.test>: not there: busy.test: 451 4.7.1 Come back later; asked next is good.test (127.0.0.42:25)\n";
    assert!(journey.contains(step), "{journey}");
    assert!(
        journey.contains("<x@grey.test>: passed on, good.test: 250"),
        "{journey}"
    );
    assert_eq!(*asked.lock().expect("no panic"), 1);
    let texts = good.heard().texts;
    let arrived = texts
        .iter()
        .filter(|text| contains(text, b"Subject: grey.test\r\n"));
    assert_eq!(arrived.count(), 1);
}

#[test]
fn a_domain_in_letters_is_found_as_the_dns_has_it() {
    let _ports = PORTS.lock().unwrap_or_else(PoisonError::into_inner);
    let dns = NameServer::start(ZONE);
    let Some((good, _, server)) = stage(&dns) else {
        return;
    };
    let reply = Hand::to(server.address("smtp")).send(
        "<alice@ours.example> SMTPUTF8",
        &["<letters@B\u{fc}cher.test>"],
        b"Subject: letters\r\n\r\nText\r\n",
    );
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    wait_for_empty_queue(&server.store());
    assert_eq!(dns.asked("xn--bcher-kva.test 15"), 1);
    // It does not offer SMTPUTF8, and needs none.
    let said = "RCPT TO:<letters@xn--bcher-kva.test>".to_owned();
    let commands = good.heard().commands;
    assert!(commands.contains(&said), "{commands:?}");
}

#[test]
fn a_sender_who_takes_no_mail_is_refused_where_that_is_asked_for() {
    let dns = NameServer::start(ZONE);
    let server = Server::start_with(&[
        "--check-sender-domains",
        "--resolver",
        &dns.address,
        "--domain",
        "ours.example",
    ]);
    let mut hand = Hand::to(server.address("smtp"));
    for (domain, said) in [
        ("null.test", "550 5.7.27 "),
        ("gone.test", "550 5.1.8 "),
        ("two.test", "250 2.1.0 "),
        ("good.test", "250 2.1.0 "),
        ("flaky.test", "451 4.4.3 "),
        ("null.test", "550 5.7.27 "),
        ("ours.example", "250 2.1.0 "),
    ] {
        let reply = hand.say(&format!("MAIL FROM:<bob@{domain}>"));
        assert!(reply.starts_with(said), "{domain}: {reply}");
        hand.say("RSET");
    }
    assert_eq!(dns.asked("null.test 15"), 1, "it is known");
    // Who logs in may be anybody.
    assert!(hand.say("AUTH PLAIN AGFsaWNlAGFsaWNl").starts_with("235 "));
    assert!(hand.say("MAIL FROM:<bob@null.test>").starts_with("250 "));
}
