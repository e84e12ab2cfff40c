//! A world in which Debian's Postfix stands between two of ours, with Debian's Dovecot behind it; and a letter that travels it.

#![allow(dead_code, reason = "each test uses the part that it needs")]

use std::process::Command;

use super::by_hand::{Hand, contains, wait_for};
use super::debian::{Dovecot, Postfix};
use super::program::{MAILTOOL, Server, free_ports, have, run, succeeded};

/// Near, Postfix with Dovecot, and far; everything is led to Postfix, which leads on by domain.
pub struct World {
    pub near: Server,
    pub far: Server,
    pub postfix: Postfix,
    pub dovecot: Dovecot,
}

impl World {
    /// `None` where something is missing. In the options and settings, `SMTP` and `SUBMISSION` are Postfix's ports, `NEAR` is where near
    /// takes mail, `FAR` where far takes that of users; `POSTFIX` stands for the options that lead everything to Postfix.
    pub fn new(near: &[&str], far: &[&str], settings: &str) -> Option<Self> {
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
            if !options.contains(&"--relay-ca") {
                return Server::start_with(&all);
            }
            // Its own authority has to be there before it can be named.
            let made = Server::start_with(&["--domain", domain]).kill();
            Server::start_in(made, &all)
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
    pub fn hand_in(&self, from: &str, to: &[&str], text: &[u8]) {
        let reply = Hand::to(self.near.address("smtp")).send(from, to, text);
        assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    }

    /// The message of a mailbox of Dovecot that has `word` in it.
    pub fn at_dovecot(&self, account: &str, word: &str) -> Vec<u8> {
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
pub fn without_trace(message: &[u8]) -> &[u8] {
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
pub fn letter(subject: &str) -> Vec<u8> {
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
pub fn assert_same(arrived: &[u8], sent: &[u8]) {
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

pub fn text_of(message: &[u8]) -> String {
    String::from_utf8_lossy(message).into_owned()
}
