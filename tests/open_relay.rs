//! Everything that has ever made somebody else's server pass on mail, against every way in which this one can be set up: nothing leaves.
//!
//! The tests come from 127.0.0.1, so wherever networks are named they are others.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/next_hop.rs"]
mod next_hop;
#[path = "support/program.rs"]
mod program;

use std::fs;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use by_hand::{Hand, message, messages, queue_list, wait_for_empty_queue};
use next_hop::NextHop;
use program::Server;

/// Who is named. `Foreign` is what no server of ours.example may take from a stranger; `Local` belongs to ours.example in the eyes of the
/// standard, whatever it looks like: if there is such a mailbox, it gets the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Foreign,
    Local,
    Malformed,
}
use Whose::{Foreign, Local, Malformed};

const RECIPIENTS: [(&str, Whose); 30] = [
    ("<x@outside.example>", Foreign),
    ("<X@OUTSIDE.EXAMPLE>", Foreign),
    ("<postmaster@outside.example>", Foreign),
    ("<alice@outside.example>", Foreign),
    ("<alice@sub.ours.example>", Foreign),
    ("<alice@notours.example>", Foreign),
    ("<alice@ours.example.outside.example>", Foreign),
    ("<x@[192.0.2.9]>", Foreign),
    ("<x@[IPv6:2001:db8::9]>", Foreign),
    // A source route is passed over (RFC 5321 §4.1.2), and what is behind it counts.
    ("<@ours.example:x@outside.example>", Foreign),
    ("<@ours.example,@second.example:x@outside.example>", Foreign),
    ("<@outside.example:x@outside.example>", Foreign),
    ("<\"x\"@outside.example>", Foreign),
    ("<\"alice@ours.example\"@outside.example>", Foreign),
    // What was once passed on to the domain on the left.
    ("<x%outside.example@ours.example>", Local),
    ("<x%outside.example%second.example@ours.example>", Local),
    ("<outside.example!x@ours.example>", Local),
    ("<\"x@outside.example\"@ours.example>", Local),
    ("<\"x%outside.example\"@ours.example>", Local),
    ("<\"@outside.example:x\"@ours.example>", Local),
    ("<x%outside.example@[127.0.0.1]>", Local),
    ("<x%outside.example@second.example>", Local),
    ("<x%outside.example>", Local),
    ("<outside.example!x>", Local),
    ("<\"x@outside.example\">", Local),
    ("<@outside.example:x%outside.example@ours.example>", Local),
    ("<x@outside.example@ours.example>", Malformed),
    ("<x@ours.example@outside.example>", Malformed),
    ("<x:outside.example@ours.example>", Malformed),
    ("<x@ours.example\\@outside.example>", Malformed),
];

const SENDERS: [&str; 6] = [
    "<x@evil.example>",
    "<alice@ours.example>",
    "<>",
    "<alice@[127.0.0.1]>",
    "<alice@ours.example> AUTH=alice@ours.example",
    "<postmaster@ours.example> AUTH=<>",
];

/// What is said before, in hope.
const PREAMBLES: [&[&str]; 7] = [
    &["EHLO client.example"],
    &["HELO ours.example"],
    &["EHLO [127.0.0.1]"],
    &["EHLO x", "XCLIENT ADDR=192.0.2.5", "EHLO x"],
    &["EHLO x", "XCLIENT LOGIN=alice", "EHLO x"],
    &["PROXY TCP4 192.0.2.5 192.0.2.6 4444 25", "EHLO x"],
    // alice, with no password, and with a wrong one.
    &[
        "EHLO x",
        "AUTH PLAIN AGFsaWNlAA==",
        "AUTH PLAIN AGFsaWNlAHdyb25n",
    ],
];

#[test]
fn nothing_leaves_for_strangers_however_it_is_set_up() {
    let next = NextHop::start(&["PIPELINING", "SMTPUTF8"]);
    let (dns, asked) = name_server();
    let everything = format!("*={}", next.address);
    let (smarthost, login) = (
        next.address.to_string(),
        format!("me:secret@{}", next.address),
    );
    let network = "192.0.2.0/24";
    let deliver = format!("lmtp:{}", next.address);
    let setups: [&[&str]; 14] = [
        &["--relay", "--deliver", &deliver],
        &[],
        &["--relay"],
        &["--strict", "--vrfy", "--relay"],
        &["--relay-from", network],
        &["--relay-from", network, "--relay-from", "2001:db8::/32"],
        &["--route", &everything],
        &["--smarthost", &smarthost],
        &["--smarthost", &login, "--own-senders"],
        &[
            "--relay",
            "--xclient-from",
            network,
            "--relay-from",
            network,
        ],
        &["--relay", "--proxy-from", network, "--relay-from", network],
        &["--route", &everything, "--catch-all", "alice"],
        &["--route", &everything, "--accept-any"],
        &["--route", &everything, "--separator", "-"],
    ];
    let wait = Duration::from_millis(300);
    for setup in setups {
        let begun = asked.load(Ordering::SeqCst);
        let usual = [
            "--domain",
            "ours.example",
            "--domain",
            "second.example",
            "--max-errors",
            "1000000",
            "--resolver",
            &dns,
            "--lmtp",
            "127.0.0.1:0",
        ];
        let server = Server::start_with(&[&usual[..], setup].concat());
        let takes_all = setup.contains(&"--catch-all") || setup.contains(&"--accept-any");
        let mut taken = 0;
        for preamble in PREAMBLES {
            // Wrong passwords take their time.
            let guesses = preamble.iter().any(|line| line.starts_with("AUTH"));
            if guesses && !setup.is_empty() {
                continue;
            }
            taken += try_all(&server, "smtp", preamble, takes_all, setup);
        }
        assert_eq!(
            try_all(&server, "submission", PREAMBLES[0], false, setup),
            0
        );
        assert_eq!(
            try_all(&server, "lmtp", &["LHLO client.example"], takes_all, setup) > 0,
            takes_all,
            "{setup:?}"
        );
        assert_eq!(taken > 0, takes_all, "{setup:?}");
        thread::sleep(wait);
        assert!(
            queue_list(&server.store()).contains("the queue is empty"),
            "{setup:?}: {}",
            queue_list(&server.store())
        );
        assert_eq!(next.heard().calls, 0, "{setup:?}: {:?}", next.heard());
        assert_eq!(
            asked.load(Ordering::SeqCst),
            begun,
            "{setup:?}: a name was asked for"
        );
    }
}

/// Tries every sender and recipient at one port; how many were taken (each by somebody here).
fn try_all(
    server: &Server,
    service: &str,
    preamble: &[&str],
    takes_all: bool,
    setup: &[&str],
) -> usize {
    let mut hand = Hand::connect(server.address(service));
    let greeting = hand.reply();
    assert!(greeting.starts_with("220 "), "{setup:?}: {greeting}");
    for line in preamble {
        let reply = hand.say(line);
        let hope = !line.contains("HLO") && !line.starts_with("HELO");
        assert!(!hope || reply.starts_with('5'), "{setup:?} {line}: {reply}");
    }
    let mut taken = 0;
    for sender in SENDERS {
        for (recipient, whose) in RECIPIENTS {
            let what = format!("{setup:?} {service} {preamble:?} {sender} {recipient}");
            hand.say("RSET");
            let reply = hand.say(&format!("MAIL FROM:{sender}"));
            if service == "submission" {
                assert!(reply.starts_with("530 5.7.0 "), "{what}: {reply}");
            } else if !reply.starts_with("250 ") {
                // Without EHLO there are no parameters; a stranger is nobody's AUTH.
                assert!(reply.starts_with('5'), "{what}: {reply}");
                continue;
            }
            let reply = hand.say(&format!("RCPT TO:{recipient}"));
            let expected: &[&str] = match whose {
                Malformed => &["501 5.1.3 ", "501 5.5.4 ", "553 5.1.3 "],
                _ if service == "submission" => &["503 5.5.1 ", "530 5.7.0 "],
                Foreign => &["550 5.7.1 ", "554 5.7.1 "],
                Local if takes_all => &["250 2.1.5 ", "550 5.1.1 "],
                // Strict sessions take no source routes.
                Local => &["550 5.1.1 ", "501 5.1.3 "],
            };
            assert!(
                expected.iter().any(|expected| reply.starts_with(expected))
                    || (setup.contains(&"--strict") && reply.starts_with("5")),
                "{what}: {reply}"
            );
            if reply.starts_with('2') && sender == "<x@evil.example>" {
                taken += 1;
                let last = hand.send_text(b"Subject: spam\r\n\r\nText\r\n");
                assert!(last.starts_with("250 2.0.0 "), "{what}: {last}");
            }
        }
    }
    taken
}

/// A name server that answers nothing, and counts who asks.
fn name_server() -> (String, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("bound").to_string();
    let asked: Arc<AtomicUsize> = Arc::default();
    let count = Arc::clone(&asked);
    thread::spawn(move || {
        let mut packet = [0; 512];
        while socket.recv_from(&mut packet).is_ok() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (address, asked)
}

#[test]
fn an_alias_leads_outside_to_whom_it_names_and_to_nobody_else() {
    let next = NextHop::start(&["PIPELINING"]);
    let folder = tempfile::tempdir().expect("a folder");
    let aliases = folder.path().join("aliases");
    fs::write(
        &aliases,
        "out: friend@outside.example\nboth: alice, friend@outside.example\n",
    )
    .expect("written");
    let aliases = aliases.to_str().expect("UTF-8");
    let route = format!("*={}", next.address);
    let server = Server::start_with(&[
        "--domain",
        "ours.example",
        "--aliases",
        aliases,
        "--route",
        &route,
        "--lmtp",
        "127.0.0.1:0",
    ]);
    for (service, hello) in [("smtp", "EHLO x"), ("lmtp", "LHLO x")] {
        for recipient in [
            "<out@ours.example>",
            "<out+x@ours.example>",
            "<both@ours.example>",
        ] {
            let mut hand = Hand::connect(server.address(service));
            hand.reply();
            hand.say(hello);
            let reply = hand.send(
                "<x@evil.example>",
                &[recipient],
                b"Subject: a\r\n\r\nText\r\n",
            );
            assert!(
                reply.starts_with("250 2.0.0 "),
                "{service} {recipient}: {reply}"
            );
        }
        for recipient in [
            "<friend@outside.example>",
            "<out%friend@outside.example>",
            "<\"out@outside.example\"@ours.example>",
        ] {
            let mut hand = Hand::connect(server.address(service));
            hand.reply();
            hand.say(hello);
            hand.say("MAIL FROM:<x@evil.example>");
            let reply = hand.say(&format!("RCPT TO:{recipient}"));
            assert!(
                reply.starts_with("550 5."),
                "{service} {recipient}: {reply}"
            );
        }
    }
    wait_for_empty_queue(&server.store());
    let heard = next.heard();
    let named: Vec<_> = heard
        .commands
        .iter()
        .filter(|line| line.starts_with("RCPT"))
        .collect();
    assert_eq!(named.len(), 6, "{heard:?}");
    assert!(
        named
            .iter()
            .all(|line| *line == "RCPT TO:<friend@outside.example>"),
        "{named:?}"
    );
    assert_eq!(messages(&server.store(), "alice").len(), 2);
}

#[test]
fn a_lab_sends_nothing_outside() {
    let (dns, asked) = name_server();
    let server = Server::start_with(&["--lab-chain", "2", "--resolver", &dns]);
    let ready = fs::read_to_string(server.folder.path().join("ready")).expect("it is ready");
    let first = ready
        .lines()
        .find_map(|line| line.strip_prefix("mta1.lab smtp "))
        .expect("it listens");
    for recipient in [
        "<x@outside.example>",
        "<@mta2.lab:x@outside.example>",
        "<x@[192.0.2.9]>",
        "<x@mta3.lab>",
    ] {
        let mut hand = Hand::to(first.parse().expect("an address"));
        hand.say("MAIL FROM:<alice@mta1.lab>");
        let reply = hand.say(&format!("RCPT TO:{recipient}"));
        if reply.starts_with('2') {
            let reply = hand.send_text(format!("Subject: {recipient}\r\n\r\nText\r\n").as_bytes());
            assert!(reply.starts_with("250 2.0.0 "), "{recipient}: {reply}");
            message(
                &server.store().join("mta1"),
                "alice",
                &format!("Subject: {recipient}"),
            );
        } else {
            assert!(reply.starts_with('5'), "{recipient}: {reply}");
        }
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0, "a name was asked for");
}

#[test]
fn who_is_spoken_for_has_no_more_rights_than_where_it_comes_from() {
    let next = NextHop::start(&["PIPELINING"]);
    let route = format!("*={}", next.address);
    let here = "127.0.0.0/8";
    let usual = [
        "--domain",
        "ours.example",
        "--route",
        &route,
        "--relay-from",
        here,
    ];
    // The proxy may relay; those that it speaks for may not.
    for (option, first) in [
        ("--proxy-from", "PROXY TCP4 203.0.113.9 192.0.2.6 4444 25"),
        ("--proxy-from", "PROXY TCP6 2001:db8::9 2001:db8::6 4444 25"),
        ("--xclient-from", "XCLIENT ADDR=203.0.113.9"),
        ("--xclient-from", "XCLIENT ADDR=IPV6:2001:db8::9"),
        ("--xclient-from", "XCLIENT ADDR=[UNAVAILABLE]"),
    ] {
        let server = Server::start_with(&[&usual[..], &[option, here]].concat());
        let mut hand = Hand::connect(server.address("smtp"));
        if first.starts_with("XCLIENT") {
            hand.reply();
            hand.say("EHLO x");
        }
        let greeting = hand.say(first);
        assert!(greeting.starts_with("220 "), "{first}: {greeting}");
        hand.send_raw(b"EHLO x\r\n");
        let offered = hand.lines();
        assert!(
            !offered.iter().any(|line| line.contains(" PLAIN")),
            "{first}: a password in the clear is for this computer only: {offered:?}"
        );
        let letter = b"Subject: x\r\n\r\nText\r\n";
        let reply = hand.send("<alice@ours.example>", &["<x@outside.example>"], letter);
        assert!(reply.starts_with("550 5.7.1 "), "{first}: {reply}");
        hand.say("RSET");
        let reply = hand.send("<x@a.example>", &["<alice@ours.example>"], letter);
        assert!(reply.starts_with("250 2.0.0 "), "{first}: {reply}");
    }
    thread::sleep(Duration::from_millis(300));
    assert_eq!(next.heard().calls, 0);
    // And the proxy for itself may.
    let server = Server::start_with(&[&usual[..], &["--xclient-from", here]].concat());
    let reply = Hand::to(server.address("smtp")).send(
        "<alice@ours.example>",
        &["<x@outside.example>"],
        b"Subject: x\r\n\r\nText\r\n",
    );
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
}
