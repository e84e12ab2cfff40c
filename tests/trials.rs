//! `mailtool send` tries servers out: where the dialogue stops, what comes of recipients that are refused, ways to a server, what is said
//! besides; against our own server, Postfix, proxies, and servers in Python.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/debian.rs"]
mod debian;
#[path = "support/program.rs"]
mod program;
#[path = "support/sending.rs"]
mod sending;

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use by_hand::{message, messages};
use debian::{Dovecot, Postfix};
use program::{MAILTOOL, PATIENCE, Server, ended, free_ports, have, run, succeeded};
use sending::{evaluated, send, send_to, text_of};

#[test]
fn a_login_and_a_recipient_are_checked_without_sending() {
    let server = Server::start();
    let (said, _) = ended(&send(&server, "smtp", &["--quit-after", "banner"]), 0);
    assert!(said.starts_with("220 "), "{said}");
    let auth = ["-u", "alice", "--quit-after", "auth"];
    let (said, _) = ended(&send(&server, "submission", &auth), 0);
    assert_eq!(said, "235 2.7.0 Welcome alice\n");
    let mut wrong = Command::new(MAILTOOL);
    wrong
        .args(["send", "--port", &server.port("submission")])
        .args(auth)
        .env("MAILTOOL_PASSWORD", "wrong");
    let (said, why) = ended(&run(&mut wrong, ""), 77);
    assert!(said.is_empty() && why.contains("535 5.7.8 "), "{said}{why}");
    let both = ["--quit-after", "rcpt", "alice@localhost", "bob@localhost"];
    let (said, _) = ended(&send(&server, "smtp", &both), 0);
    let lines: Vec<_> = said.lines().collect();
    assert!(
        lines.len() == 2
            && lines[0].starts_with("<alice@localhost> 250 2.1.5 ")
            && lines[1].starts_with("<bob@localhost> 250 2.1.5 "),
        "{said}"
    );
    let one = ["--quit-after", "to", "nobody@localhost", "bob@localhost"];
    let (said, why) = ended(&send(&server, "smtp", &one), 67);
    assert!(said.starts_with("<bob@localhost> 250 "), "{said}");
    assert!(
        why.contains("<nobody@localhost> refused: 550 5.1.1"),
        "{why}"
    );
    ended(&send(&server, "smtp", &["--quit-after", "dot"]), 64);
    ended(&send(&server, "smtp", &["--quit-after", "auth"]), 64);
    ended(&send(&server, "smtp", &["--quit-after", "rcpt"]), 64);
    // TLS is what is asked for: without it the stage is not reached.
    let (_, why) = ended(&send(&server, "smtp", &["--quit-after", "tls"]), 76);
    assert!(why.contains("--ca FILE"), "{why}");
    let ca = server.authority();
    let ca = ca.to_str().expect("UTF-8");
    let (said, _) = ended(
        &send(&server, "smtp", &["--quit-after", "tls", "--ca", ca]),
        0,
    );
    assert!(said.starts_with("220 2.0.0 "), "{said}");
    for account in ["alice", "bob"] {
        assert!(server.inbox(account).is_empty(), "nothing was sent");
    }
}

#[test]
fn a_connection_is_dropped_where_it_is_told_to() {
    let server = Server::start();
    let to = ["alice@localhost", "--body", "x", "-v", "--pipelining", "no"];
    let last = |words: &[&str]| {
        let output = send(&server, "smtp", &[words, &to].concat());
        let (_, dialogue) = ended(&output, 0);
        assert!(!dialogue.contains("QUIT"), "{dialogue}");
        let mut lines = dialogue.lines().rev();
        assert_eq!(lines.next(), Some("C: [eof]"), "{dialogue}");
        lines.next().unwrap_or_default().to_owned()
    };
    assert!(last(&["--drop-after", "data"]).starts_with("S: 354 "));
    assert_eq!(last(&["--drop-after-send", "data"]), "C: DATA");
    let rcpt = last(&["--drop-after-send", "rcpt"]);
    assert_eq!(rcpt, "C: RCPT TO:<alice@localhost>");
    assert!(last(&["--drop-after", "mail"]).starts_with("S: 250 2.1.0 "));
    assert!(last(&["--drop-after-send", "helo"]).starts_with("C: EHLO "));
    assert!(server.inbox("alice").is_empty(), "no message was whole");
    assert!(last(&["--drop-after", "dot"]).starts_with("S: 250 2.0.0 "));
    assert_eq!(messages(&server.store(), "alice").len(), 1);
}

#[test]
fn what_a_server_is_is_told() {
    let server = Server::start();
    let ca = server.authority();
    let ca = ca.to_str().expect("UTF-8");
    let (told, _) = ended(&send(&server, "smtp", &["--serverinfo"]), 0);
    assert!(
        told.contains("\nTLS: none\n") && told.contains("\n  PIPELINING\n"),
        "{told}"
    );
    let words = ["--server-info", "--tls", "--ca", ca, "-u", "alice"];
    let (told, _) = ended(&send(&server, "smtps", &words), 0);
    for part in [
        "Greeting: 220 ",
        "TLS: TLSv1.3 ",
        ", certificate verified\n",
        "  subject: CN=localhost",
        "  issuer: CN=mailtool CA",
        "T00:00:00Z to 20",
        "\nLogin: 235 2.7.0 Welcome alice\n",
    ] {
        assert!(told.contains(part), "{part:?} in {told}");
    }
    if have("openssl", "openssl") {
        let mut openssl = Command::new("openssl");
        let cert = server.store().join("tls/cert.pem");
        openssl.args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]);
        let theirs = succeeded(&run(openssl.arg(cert), ""));
        let theirs = theirs
            .split_once('=')
            .expect("name=value")
            .1
            .trim()
            .to_owned();
        assert!(told.contains(&format!("  SHA-256: {theirs}\n")), "{told}");
    }
    // What it prints is what --tls-fingerprint takes, in place of an authority.
    let mut prints = told
        .lines()
        .filter_map(|line| line.trim().strip_prefix("SHA-256: "));
    let print = prints.next().expect("a fingerprint").to_owned();
    let pinned = ["--tls", "--quit-after", "helo", "--tls-fingerprint"];
    ended(
        &send(&server, "smtps", &[&pinned[..], &[&print]].concat()),
        0,
    );
    let other = "0".repeat(64);
    let (_, why) = ended(
        &send(&server, "smtps", &[&pinned[..], &[&other]].concat()),
        76,
    );
    assert!(
        why.contains("another one than --tls-fingerprint names"),
        "{why}"
    );
    let starttls = ["--starttls", "--quit-after", "helo", "--tls-fingerprint"];
    ended(
        &send(&server, "smtp", &[&starttls[..], &[&print]].concat()),
        0,
    );
}

#[test]
fn who_is_refused_is_the_senders_choice() {
    let server = Server::start();
    let two = ["alice@localhost", "nobody@localhost", "--body", "x", "-s"];
    let (said, why) = ended(&send(&server, "smtp", &[&two[..], &["one"]].concat()), 67);
    assert!(said.starts_with("250 2.0.0 "), "{said}");
    assert!(why.contains("went to the other recipients only"), "{why}");
    let abort = [&two[..], &["two", "--on-refusal", "abort"]].concat();
    let (said, why) = ended(&send(&server, "smtp", &abort), 67);
    assert!(
        said.is_empty() && why.contains("the message was not sent"),
        "{said}{why}"
    );
    let ignore = [&two[..], &["three", "--on-refusal", "ignore"]].concat();
    let (said, why) = ended(&send(&server, "smtp", &ignore), 0);
    assert!(
        said.starts_with("250 2.0.0 ") && why.contains("nobody@localhost"),
        "{said}{why}"
    );
    let all = messages(&server.store(), "alice");
    let mut subjects: Vec<_> = all
        .iter()
        .flat_map(|one| {
            let text = text_of(one);
            let found = text.lines().find_map(|line| line.strip_prefix("Subject: "));
            found.map(str::to_owned)
        })
        .collect();
    subjects.sort();
    assert_eq!(subjects, ["one", "three"]);
    if !have("python3", "python3") {
        return;
    }
    let json = [&two[..], &["four", "--json"]].concat();
    let (told, _) = ended(&send(&server, "smtp", &json), 67);
    assert_eq!(
        evaluated(&told, "it['result'], it['exit']"),
        "partly sent 67\n"
    );
    let accepted = "[(one['address'], one['code']) for one in it['accepted']]";
    assert_eq!(evaluated(&told, accepted), "[('alice@localhost', 250)]\n");
    let refused = "[(one['address'], one['enhanced']) for one in it['refused']]";
    assert_eq!(
        evaluated(&told, refused),
        "[('nobody@localhost', '5.1.1')]\n"
    );
    let stages = "[one['stage'] for one in it['stages']]";
    let expected = "['banner', 'helo', 'mail', 'rcpt', 'rcpt', 'data', 'dot']\n";
    assert_eq!(evaluated(&told, stages), expected);
    let order = "[one['seconds'] for one in it['stages']] == sorted(one['seconds'] for one in it['stages'])";
    assert_eq!(evaluated(&told, order), "True\n");
    let id = evaluated(&told, "it['queue_id']");
    assert!(told.contains(&format!("Ok: {}", id.trim())), "{told}");
    let (told, _) = ended(
        &send_to("localhost:1", &["--quit-after", "banner", "--json"]),
        69,
    );
    assert_eq!(evaluated(&told, "it['result'], it['exit']"), "failed 69\n");
    assert!(evaluated(&told, "it['error']").contains("connection refused"));
}

#[test]
fn lmtp_at_a_unix_socket_and_a_source_address() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("lmtp");
    let socket = socket.to_str().expect("UTF-8");
    let server = Server::start_with(&["--lmtp", &format!("unix:{socket}")]);
    let words = [
        "--socket",
        socket,
        "--lmtp",
        "alice@localhost",
        "--body",
        "x",
        "-s",
        "unix",
    ];
    ended(&send_to("localhost", &words), 0);
    message(&server.store(), "alice", "Subject: unix");
    let (_, why) = ended(
        &send_to(
            "localhost",
            &["--socket", "/nonexistent/lmtp", "--quit-after", "helo"],
        ),
        69,
    );
    assert!(why.contains("/nonexistent/lmtp"), "{why}");
    let words = [
        "--source",
        "127.0.0.77",
        "alice@localhost",
        "--body",
        "x",
        "-s",
        "source",
    ];
    ended(&send(&server, "smtp", &words), 0);
    let text = text_of(&message(&server.store(), "alice", "Subject: source"));
    assert!(text.contains("[127.0.0.77]"), "{text}");
    let (_, why) = ended(
        &send(
            &server,
            "smtp",
            &["--source", "192.0.2.1", "--quit-after", "helo"],
        ),
        69,
    );
    assert!(
        why.contains("the address to call from cannot be had"),
        "{why}"
    );
    // The other clients have the same ways.
    let mut pop = Command::new(MAILTOOL);
    pop.args(["pop", "-u", "alice", "--source", "127.0.0.78", "--port"])
        .arg(server.port("pop3"))
        .arg("stat")
        .env("MAILTOOL_PASSWORD", "alice");
    let said = succeeded(&run(&mut pop, ""));
    assert!(said.starts_with("2 "), "{said}");
}

#[test]
fn whose_connection_it_is_can_be_told() {
    let server = Server::start_with(&["--xclient-from", "127.0.0.0/8"]);
    let attributes = "ADDR=192.0.2.5 NAME=far.example HELO=far.example";
    let words = [
        "--xclient",
        attributes,
        "alice@localhost",
        "--body",
        "x",
        "-s",
        "xclient",
    ];
    ended(&send(&server, "smtp", &words), 0);
    let text = text_of(&message(&server.store(), "alice", "Subject: xclient"));
    assert!(text.contains("([192.0.2.5])"), "{text}");
    let stranger = Server::start_with(&["--proxy-from", "127.0.0.0/8"]);
    let words = [
        "--xclient",
        "ADDR=192.0.2.5",
        "--quit-after",
        "helo",
        "--proxy-protocol",
        "1",
    ];
    let (_, why) = ended(&send(&stranger, "smtp", &words), 69);
    assert!(why.contains("does not offer XCLIENT"), "{why}");
    for (header, source) in [
        ("1,192.0.2.7:4444,192.0.2.8:25", "[192.0.2.7]"),
        ("v2,192.0.2.9:4444,192.0.2.8:25", "[192.0.2.9]"),
        ("2,[2001:db8::7]:4444,[2001:db8::8]:25", "2001:db8::7"),
    ] {
        let subject = format!("Subject: proxy {header}");
        let words = [
            "--proxy-protocol",
            header,
            "alice@localhost",
            "--body",
            "x",
            "-s",
            &subject[9..],
        ];
        ended(&send(&stranger, "smtp", &words), 0);
        let text = text_of(&message(&stranger.store(), "alice", &subject));
        assert!(text.contains(source), "{text}");
    }
    // Before TLS, where TLS comes first.
    let ca = stranger.authority();
    let ca = ca.to_str().expect("UTF-8");
    let header = "v2,192.0.2.10:4444,192.0.2.8:465";
    let words = [
        "--proxy-protocol",
        header,
        "-u",
        "alice",
        "--tls",
        "--ca",
        ca,
        "alice@localhost",
        "--body",
        "x",
        "-s",
        "in TLS",
    ];
    ended(&send(&stranger, "smtps", &words), 0);
    let text = text_of(&message(&stranger.store(), "alice", "Subject: in TLS"));
    assert!(text.contains("[192.0.2.10]"), "{text}");
}

#[test]
fn messages_go_in_chunks_and_in_letters() {
    let server = Server::start_with(&["--user", "\u{e9}lise:x", "--user", "alice:alice"]);
    let words = [
        "alice@localhost",
        "--chunking=64",
        "--body",
        "chunks",
        "-s",
        "chunked",
        "-v",
    ];
    let (_, dialogue) = ended(&send(&server, "smtp", &words), 0);
    assert!(dialogue.matches("C: BDAT 64\n").count() >= 2, "{dialogue}");
    assert!(
        dialogue.contains(" LAST\n") && !dialogue.contains("C: DATA"),
        "{dialogue}"
    );
    let text = text_of(&message(&server.store(), "alice", "Subject: chunked"));
    assert!(text.contains("\nchunks"), "{text}");
    let elise = "\u{e9}lise@localhost";
    let words = [
        elise,
        "-f",
        "bob@localhost",
        "--body",
        "x",
        "-s",
        "letters",
        "-v",
    ];
    let (_, dialogue) = ended(&send(&server, "smtp", &words), 0);
    assert!(dialogue.contains(" SMTPUTF8\n"), "{dialogue}");
    assert!(
        dialogue.contains(&format!("C: RCPT TO:<{elise}>\n")),
        "{dialogue}"
    );
    let text = text_of(&message(&server.store(), "\u{e9}lise", "Subject: letters"));
    assert!(text.contains(&format!("To: <{elise}>")), "{text}");
}

/// A program of somebody else's, ended when dropped.
struct Peer(Child);

impl Peer {
    fn start(program: &str, words: &[&str], port: u16) -> Self {
        let child = Command::new(program)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let peer = Self(child);
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "{program} does not listen");
            thread::sleep(Duration::from_millis(10));
        }
        peer
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn through_proxies_of_each_kind() {
    let server = Server::start();
    let [http, socks, locked] = free_ports().map(|port: u16| (port, port.to_string()));
    let listen = |port: &str| {
        [
            "nc".to_owned(),
            "-lk".into(),
            "127.0.0.1".into(),
            port.into(),
        ]
    };
    let start = |port: &(u16, String), words: &[&str]| {
        let listen = listen(&port.1);
        let all: Vec<&str> = listen
            .iter()
            .map(String::as_str)
            .chain(words.iter().copied())
            .collect();
        Peer::start(MAILTOOL, &all, port.0)
    };
    let _http = start(&http, &["--proxy-type", "http"]);
    let _socks = start(&socks, &["--proxy-type", "socks5"]);
    let _locked = start(
        &locked,
        &["--proxy-type", "http", "--proxy-auth", "bob:secret"],
    );
    let (h, s) = (
        format!("127.0.0.1:{}", http.1),
        format!("127.0.0.1:{}", socks.1),
    );
    let l = format!("127.0.0.1:{}", locked.1);
    let url = format!("socks5://{s}");
    let ca = server.authority();
    let ca = ca.to_str().expect("UTF-8");
    for (subject, words) in [
        ("http", &["--proxy", &h][..]),
        ("socks5", &["--proxy", &s, "--proxy-type", "socks5"]),
        ("socks4", &["--proxy", &s, "--proxy-type", "socks4"]),
        ("url", &["--proxy", &url]),
        ("chain", &["--proxy", &h, "--proxy", &url]),
        ("locked", &["--proxy", &l, "--proxy-auth", "bob:secret"]),
        ("starttls", &["--proxy", &url, "--starttls", "--ca", ca]),
    ] {
        let message_of = ["alice@localhost", "--body", "x", "-s", subject];
        ended(&send(&server, "smtp", &[words, &message_of].concat()), 0);
        message(&server.store(), "alice", &format!("Subject: {subject}"));
    }
    let check = ["--quit-after", "helo", "--proxy"];
    let (_, why) = ended(&send(&server, "smtp", &[&check[..], &[&l]].concat()), 69);
    assert!(why.contains("--proxy-auth USER:PASSWORD"), "{why}");
    let (_, why) = ended(&send_to("localhost:1", &[&check[..], &[&url]].concat()), 69);
    assert!(
        why.contains(&format!(
            "the proxy 127.0.0.1 port {} does not connect us",
            socks.1
        )),
        "{why}"
    );
    // The other clients go the same ways.
    let mut imap = Command::new(MAILTOOL);
    imap.args(["imap", "-u", "alice", "--proxy", &url, "--port"])
        .arg(server.port("imap"))
        .arg("folders")
        .env("MAILTOOL_PASSWORD", "alice");
    assert!(succeeded(&run(&mut imap, "")).starts_with("INBOX\n"));
    if have("microsocks", "microsocks") {
        let [port] = free_ports();
        let shown = port.to_string();
        let words = ["-i", "127.0.0.1", "-p", &shown, "-u", "bob", "-P", "secret"];
        let _peer = Peer::start("microsocks", &words, port);
        let url = format!("socks5://127.0.0.1:{port}");
        let words = [
            "--quit-after",
            "helo",
            "--proxy",
            &url,
            "--proxy-auth",
            "bob:secret",
        ];
        ended(&send(&server, "smtp", &words), 0);
    }
}

#[test]
fn who_has_a_certificate_needs_no_password() {
    if !have("python3", "python3") || !have("openssl", "openssl") {
        return;
    }
    let server = Server::start();
    let folder = tempfile::tempdir().expect("a folder");
    let ours = |name: &str| folder.path().join(name);
    let mut openssl = Command::new("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ]);
    openssl.args(["-days", "3", "-subj", "/CN=alice"]);
    openssl
        .arg("-keyout")
        .arg(ours("key"))
        .arg("-out")
        .arg(ours("cert"));
    succeeded(&run(&mut openssl, ""));
    let port_file = folder.path().join("port");
    let tls = |name: &str| server.store().join("tls").join(name);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strangers/external.py");
    let mut python = Command::new("python3");
    python.arg(script).arg(&port_file);
    python.args([tls("cert.pem"), tls("key.pem"), ours("cert")]);
    let child = python.stdout(Stdio::piped()).spawn().expect("python3");
    let begun = Instant::now();
    let port = loop {
        let port = fs::read_to_string(&port_file).unwrap_or_default();
        if port.ends_with('\n') {
            break port.trim().to_owned();
        }
        assert!(begun.elapsed() < PATIENCE, "the server does not start");
        thread::sleep(Duration::from_millis(10));
    };
    let files: [PathBuf; 3] = [tls("ca.pem"), ours("cert"), ours("key")];
    let [ca, cert, key] = files.map(|path| path.to_str().expect("UTF-8").to_owned());
    let words = [
        "--tls",
        "--ca",
        &ca,
        "--cert",
        &cert,
        "--key",
        &key,
        "--sni",
        "localhost",
        "--auth",
        "external",
        "--quit-after",
        "auth",
        "-u",
        "alice",
    ];
    let output = send_to(&format!("127.0.0.1:{port}"), &words);
    let heard = child.wait_with_output().expect("it ends");
    let heard = String::from_utf8_lossy(&heard.stdout).into_owned();
    let (said, _) = ended(&output, 0);
    assert_eq!(said, "235 2.7.0 You are who your certificate says\n");
    assert!(
        heard.contains("client: alice\nasked for: localhost\n"),
        "{heard}"
    );
    assert!(heard.contains("said: AUTH EXTERNAL YWxpY2U=\n"), "{heard}");
}

#[test]
fn each_mechanism_logs_in_at_our_server() {
    let server = Server::start();
    let ca = server.authority();
    let ca = ca.to_str().expect("UTF-8");
    for mechanism in [
        "PLAIN",
        "LOGIN",
        "CRAM-MD5",
        "SCRAM-SHA-256",
        "scram-sha-256-plus",
    ] {
        let words = [
            "--tls",
            "--ca",
            ca,
            "-u",
            "alice",
            "--auth",
            mechanism,
            "--quit-after",
            "auth",
            "-v",
        ];
        let (said, dialogue) = ended(&send(&server, "smtps", &words), 0);
        assert_eq!(said, "235 2.7.0 Welcome alice\n", "{mechanism}");
        let expected = format!("C: AUTH {}", mechanism.to_uppercase());
        assert!(dialogue.contains(&expected), "{dialogue}");
    }
    let words = ["-u", "alice", "--auth", "XOAUTH2", "--quit-after", "auth"];
    let (_, why) = ended(&send(&server, "smtp", &words), 69);
    assert!(why.contains("does not offer XOAUTH2"), "{why}");
    ended(
        &send(&server, "smtp", &["-u", "alice", "--auth", "GSSAPI"]),
        64,
    );
}

#[test]
fn postfix_is_tried_out() {
    if !have("dovecot", "dovecot-imapd") || !have("postfix", "postfix") {
        return;
    }
    let ours = Server::start();
    let ca = ours.authority();
    let ca = ca.to_str().expect("UTF-8");
    let dovecot = Dovecot::start(&ours);
    let settings = "smtpd_authorized_xclient_hosts = 127.0.0.0/8\n";
    let Some(postfix) = Postfix::start_at(free_ports(), &ours, &dovecot, settings) else {
        return;
    };
    let at = |service: &str, words: &[&str]| {
        send_to(
            &postfix.at(service),
            &[&["-f", "eve@example.org"], words].concat(),
        )
    };
    let alice = "alice@example.test";
    let (said, _) = ended(&at("smtp", &["--quit-after", "rcpt", alice]), 0);
    assert_eq!(said, "<alice@example.test> 250 2.1.5 Ok\n");
    let (_, why) = ended(
        &at(
            "smtp",
            &["--quit-after", "rcpt", alice, "nobody@example.test"],
        ),
        67,
    );
    assert!(
        why.contains("<nobody@example.test> refused: 550 5.1.1"),
        "{why}"
    );
    let (told, _) = ended(&at("smtp", &["--serverinfo", "--starttls", "--ca", ca]), 0);
    assert!(
        told.contains("TLS: TLSv1.3") && told.contains("\n  CHUNKING\n"),
        "{told}"
    );
    let auth = [
        "--starttls",
        "--ca",
        ca,
        "-u",
        "alice",
        "--auth",
        "LOGIN",
        "--quit-after",
        "auth",
    ];
    let (said, _) = ended(&at("submission", &auth), 0);
    assert!(said.starts_with("235 2.7.0 "), "{said}");
    let chunks = [alice, "--chunking=100", "--body", "x", "--json"];
    let (told, _) = ended(&at("smtp", &chunks), 0);
    assert!(
        told.contains("queued as ") && !told.contains("\"queue_id\":null"),
        "{told}"
    );
    let xclient = [
        "--xclient",
        "ADDR=192.0.2.77 NAME=far.example",
        "--quit-after",
        "mail",
    ];
    ended(&at("smtp", &xclient), 0);
    let begun = Instant::now();
    while !postfix.log().contains("far.example[192.0.2.77]") {
        assert!(begun.elapsed() < PATIENCE, "{}", postfix.log());
        thread::sleep(Duration::from_millis(20));
    }
    let abort = [
        alice,
        "grey@example.test",
        "--on-refusal",
        "abort",
        "--body",
        "x",
    ];
    let (_, why) = ended(&at("smtp", &abort), 75);
    assert!(why.contains("the message was not sent"), "{why}");
}
