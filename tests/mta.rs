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
        let filled = |text: &str| text.replace("SMTP", &smtp).replace("SUBMISSION", &submission);
        let start = |domain: &str, options: &[&str]| {
            let mut all = vec!["--domain".to_owned(), domain.to_owned()];
            all.extend(["--relay-from", "127.0.0.0/8", "--retry", "1"].map(str::to_owned));
            all.extend(options.iter().map(|option| filled(option)));
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            Server::start_with(&all)
        };
        let route = ["--route", "*=127.0.0.1:SMTP"];
        let near = start("near.example", if near.is_empty() { &route } else { near });
        let far = start("far.example", if far.is_empty() { &route } else { far });
        let dovecot = Dovecot::start(&near);
        let settings = settings
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
    assert!(trace.contains("(using TLSv1.3 with cipher "), "{trace:.2000}");
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
