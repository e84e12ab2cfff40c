//! Other people's programs hand in mail in every way that they know: swaks, Python's smtplib, curl, msmtp; each with all of its mechanisms
//! of AUTH, with DSN, XCLIENT and PROXY where it can.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/program.rs"]
mod program;

use std::fs;
use std::path::Path;
use std::process::Command;

use by_hand::{message, messages, wait_for};
use program::{Server, ended, have, run, succeeded};

fn text_of(message: &[u8]) -> String {
    String::from_utf8_lossy(message).into_owned()
}

fn swaks(server: &Server, service: &str, words: &[&str]) -> std::process::Output {
    let mut swaks = Command::new("swaks");
    swaks.args(["--server", "127.0.0.1", "--port", &server.port(service)]);
    swaks.args(["--ehlo", "client.example", "--timeout", "20"]);
    swaks.args(["--from", "bob@localhost", "--to", "alice@localhost"]);
    run(swaks.args(words), "")
}

#[test]
fn swaks_logs_in_with_all_that_it_knows() {
    if !have("swaks", "swaks")
        || !have(
            "/usr/share/doc/libnet-ssleay-perl/copyright",
            "libnet-ssleay-perl",
        )
    {
        return;
    }
    let server = Server::start();
    for mechanism in ["PLAIN", "LOGIN", "CRAM-MD5"] {
        for (service, tls) in [
            ("smtp", &[][..]),
            ("submission", &["-tls"]),
            ("smtps", &["-tlsc"]),
        ] {
            let subject = format!("Subject: {mechanism} {service}");
            let login = |password: &str| {
                let words = ["--auth", mechanism, "--auth-user", "bob", "--auth-password"];
                let words = [&words, &[password, "--header", &subject][..], tls].concat();
                swaks(&server, service, &words)
            };
            let said = succeeded(&login("bob"));
            assert!(said.contains("235 2.7.0 "), "{said}");
            let text = text_of(&message(&server.store(), "alice", &subject));
            let with = if tls.is_empty() { "ESMTPA" } else { "ESMTPSA" };
            assert!(text.contains(&format!("with {with}")), "{text}");
            if service == "submission" {
                let (said, _) = ended(&login("wrong"), 28);
                assert!(said.contains("535 5.7.8 "), "{said}");
            }
        }
    }
    // Pipelined.
    let said = succeeded(&swaks(&server, "smtp", &["--pipeline", "--body", "piped"]));
    assert!(said.contains("250 2.0.0 "), "{said}");
}

#[test]
fn swaks_speaks_for_others_where_it_may() {
    if !have("swaks", "swaks") {
        return;
    }
    let server = Server::start_with(&["--xclient-from", "127.0.0.0/8"]);
    for (words, subject) in [
        (
            &[
                "--xclient",
                "ADDR=192.0.2.5 NAME=far.example HELO=far.example",
            ][..],
            "one",
        ),
        (
            &[
                "--xclient-addr",
                "IPV6:2001:db8::5",
                "--xclient-proto",
                "ESMTP",
            ],
            "two",
        ),
        (
            &[
                "--xclient-delim",
                "--xclient",
                "ADDR=192.0.2.6",
                "--xclient-login",
                "bob",
            ],
            "three",
        ),
    ] {
        let header = format!("Subject: {subject}");
        let said = succeeded(&swaks(
            &server,
            "smtp",
            &[words, &["--header", &header]].concat(),
        ));
        assert!(said.contains("XCLIENT "), "{said}");
        let text = text_of(&message(&server.store(), "alice", &header));
        let from = ["192.0.2.5", "2001:db8::5", "192.0.2.6"];
        assert!(from.iter().any(|from| text.contains(from)), "{text}");
        assert!(!text.contains("[127.0.0.1]"), "{text}");
    }
    let stranger = Server::start();
    let (said, _) = ended(
        &swaks(
            &stranger,
            "smtp",
            &["--xclient-optional", "--xclient", "ADDR=192.0.2.5"],
        ),
        0,
    );
    assert!(!said.contains("-> XCLIENT"), "it is not offered: {said}");

    let server = Server::start_with(&["--proxy-from", "127.0.0.0/8"]);
    for version in ["1", "2"] {
        for (family, source, dest) in [
            ("TCP4", "192.0.2.7", "192.0.2.8"),
            ("TCP6", "2001:db8::7", "2001:db8::8"),
        ] {
            let header = format!("Subject: proxy {version} {family}");
            let family = match (version, family) {
                ("1", family) => family,
                (_, "TCP4") => "AF_INET",
                (_, _) => "AF_INET6",
            };
            let words = [
                "--proxy-version",
                version,
                "--proxy-family",
                family,
                "--proxy-source",
                source,
                "--proxy-source-port",
                "4444",
                "--proxy-dest",
                dest,
                "--proxy-dest-port",
                "25",
                "--header",
                &header,
            ];
            let mut words = words.to_vec();
            if version == "2" {
                words.extend(["--proxy-protocol", "STREAM", "--proxy-command", "PROXY"]);
            }
            let said = succeeded(&swaks(&server, "smtp", &words));
            assert!(said.contains("250 2.0.0 "), "{said}");
            let text = text_of(&message(&server.store(), "alice", &header));
            assert!(text.contains(source), "{text}");
        }
    }
    let mut expected = [
        "192.0.2.7:4444 smtp by 127.0.0.1",
        "192.0.2.7:4444 smtp by 127.0.0.1",
        "[2001:db8::7]:4444 smtp by 127.0.0.1",
        "[2001:db8::7]:4444 smtp by 127.0.0.1",
    ];
    expected.sort_unstable();
    assert_eq!(clients(&server, 4), expected);
}

/// Whose the sessions are that a server has kept, as soon as there are so many: client, service, and who handed it on.
fn clients(server: &Server, count: usize) -> Vec<String> {
    let folder = server.store().join("sessions");
    let of = |text: &str| -> Option<String> {
        let note = |kind: &str| {
            let mut values = text.lines().filter_map(|line| line.strip_prefix(kind));
            values.next_back().map(str::to_owned)
        };
        note("# ended: ")?;
        let proxy = note("# proxy: ")?;
        let (proxy, _) = proxy.rsplit_once(':')?;
        Some(format!(
            "{} {} by {proxy}",
            note("# client: ")?,
            note("# service: ")?
        ))
    };
    wait_for("sessions", || {
        let files = fs::read_dir(&folder).ok()?.flatten();
        let texts = files.filter_map(|file| fs::read_to_string(file.path()).ok());
        let mut clients: Vec<String> = texts.filter_map(|text| of(&text)).collect();
        clients.sort_unstable();
        (clients.len() >= count).then_some(clients)
    })
}

#[test]
fn a_load_balancer_says_whose_connection_it_is_before_tls() {
    if !have("python3", "python3") {
        return;
    }
    let server = Server::start_with(&["--proxy-from", "127.0.0.0/8", "--allow-plaintext"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strangers/proxied.py");
    let mut python = Command::new("python3");
    python.arg(script).arg(server.authority());
    python.args(["smtps", "pop3s", "imaps", "pop3", "imap"].map(|service| server.port(service)));
    let said = succeeded(&run(&mut python, ""));
    let expected = "smtps: sent\npop3s: +OK\nimaps: * OK\npop3: +OK\nimap: * OK\nwithout: closed\n";
    assert_eq!(said, expected);
    let text = text_of(&message(&server.store(), "alice", "Subject: proxied"));
    assert!(text.contains("([192.0.2.7])"), "{text}");
    for client in clients(&server, 1) {
        assert!(client.starts_with("192.0.2.7:"), "{client}");
    }
}

#[test]
fn swaks_speaks_lmtp_at_a_port_and_at_a_socket() {
    if !have("swaks", "swaks") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("lmtp");
    let path = socket.to_str().expect("UTF-8");
    let unix = format!("unix:{path}");
    let server = Server::start_with(&["--lmtp", "127.0.0.1:0", "--lmtp", &unix]);
    let both = ["--to", "alice@localhost,bob@localhost,nobody@localhost"];
    let words = [
        &["--protocol", "LMTP", "--header", "Subject: port"][..],
        &both,
    ]
    .concat();
    let said = succeeded(&swaks(&server, "lmtp", &words));
    assert!(said.contains("550 5.1.1 "), "{said}");
    let mut swaks = Command::new("swaks");
    swaks.args([
        "--socket",
        path,
        "--protocol",
        "LMTP",
        "--from",
        "bob@localhost",
    ]);
    succeeded(&run(
        swaks.args(both).args(["--header", "Subject: socket"]),
        "",
    ));
    for account in ["alice", "bob"] {
        for subject in ["Subject: port", "Subject: socket"] {
            let text = text_of(&message(&server.store(), account, subject));
            assert!(text.contains(" with LMTP"), "{text}");
        }
        assert_eq!(messages(&server.store(), account).len(), 2);
    }
}

#[test]
fn python_does_what_else_it_can() {
    if !have("python3", "python3") {
        return;
    }
    let server = Server::start_with(&[
        "--lmtp",
        "127.0.0.1:0",
        "--user",
        "alice:alice",
        "--user",
        "bob:bob",
        "--user",
        "j\u{fc}rgen:secret",
    ]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strangers/sending.py");
    let mut python = Command::new("python3");
    python.arg(script).arg(server.authority());
    python.args(["smtp", "submission", "lmtp"].map(|service| server.port(service)));
    assert_eq!(
        succeeded(&run(&mut python, "")),
        "auth ok\nsmtputf8 and dsn ok\nlmtp ok\n"
    );
    let text = text_of(&message(
        &server.store(),
        "j\u{fc}rgen",
        "Subject: Gr\u{fc}\u{df}e \u{20ac}",
    ));
    assert!(
        text.contains("with UTF8SMTP") && text.contains("Return-Path: <\u{e9}lodie@example.org>"),
        "{text}"
    );
    let report = text_of(&message(&server.store(), "alice", "Action: delivered"));
    for part in [
        "Original-Envelope-Id: python+1\r\n",
        "Original-Recipient: rfc822; Robert@localhost\r\n",
        "Final-Recipient: rfc822; bob@localhost\r\n",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    let lmtp = text_of(&message(&server.store(), "bob", "Subject: lmtp"));
    assert!(lmtp.ends_with("\r\n\r\n.\r\n..\r\nText\r\n"), "{lmtp}");
}

#[test]
fn curl_logs_in_with_all_that_it_knows() {
    if !have("curl", "curl") {
        return;
    }
    let server = Server::start_with(&["--token", "bob:t0ken"]);
    let known = succeeded(&run(Command::new("curl").arg("--version"), "")).to_lowercase();
    let letter = server.folder.path().join("letter.eml");
    let url = format!(
        "smtp://localhost:{}/client.example",
        server.port("submission")
    );
    for (mechanism, secret) in [
        ("PLAIN", &["--user", "bob:bob"][..]),
        ("LOGIN", &["--user", "bob:bob"]),
        ("CRAM-MD5", &["--user", "bob:bob"]),
        ("SCRAM-SHA-256", &["--user", "bob:bob"]),
        (
            "OAUTHBEARER",
            &["--user", "bob", "--oauth2-bearer", "t0ken"],
        ),
    ] {
        if mechanism.starts_with("SCRAM") && !known.contains("gsasl") {
            eprintln!("SKIPPED {mechanism}: this curl is built without it");
            continue;
        }
        let subject = format!("Subject: curl {mechanism}");
        fs::write(
            &letter,
            format!("From: bob@localhost\r\n{subject}\r\n\r\nText\r\n"),
        )
        .expect("written");
        let login = format!("AUTH={mechanism}");
        for early in [&[][..], &["--sasl-ir"]] {
            let mut curl = Command::new("curl");
            curl.args([
                "--silent",
                "--show-error",
                "--verbose",
                "--max-time",
                "20",
                "--ssl-reqd",
            ]);
            curl.arg("--cacert").arg(server.authority());
            curl.args([
                "--mail-from",
                "bob@localhost",
                "--mail-rcpt",
                "alice@localhost",
            ]);
            curl.args(["--mail-auth", "bob@localhost", "--login-options", &login]);
            curl.args(early)
                .args(secret)
                .arg("--upload-file")
                .arg(&letter);
            let output = run(curl.arg(&url), "");
            succeeded(&output);
            let said = text_of(&output.stderr);
            assert!(
                said.contains(&format!("AUTH {mechanism}")) && said.contains("235 2.7.0"),
                "{said}"
            );
            assert!(
                said.contains("AUTH=bob@localhost") || said.contains("AUTH=<bob@localhost>"),
                "{said}"
            );
        }
        let text = text_of(&message(&server.store(), "alice", &subject));
        assert!(text.contains("with ESMTPSA"), "{text}");
    }
}

#[test]
fn msmtp_logs_in_with_all_that_it_knows_and_asks_for_reports() {
    if !have("msmtp", "msmtp") {
        return;
    }
    let server = Server::start_with(&["--token", "bob:t0ken"]);
    let authority = server.authority();
    let authority = authority.to_str().expect("UTF-8");
    for (mechanism, password) in [
        ("plain", "bob"),
        ("login", "bob"),
        ("cram-md5", "bob"),
        ("scram-sha-256", "bob"),
        ("oauthbearer", "t0ken"),
        ("xoauth2", "t0ken"),
        // Its own choice.
        ("on", "bob"),
    ] {
        let subject = format!("Subject: msmtp {mechanism}");
        let mail = format!("From: bob@localhost\nTo: alice@localhost\n{subject}\n\n.\n..\nText\n");
        for (service, implicit) in [("submission", "off"), ("smtps", "on")] {
            let mut msmtp = Command::new("msmtp");
            msmtp.args([
                "--file=/dev/null",
                "--host=localhost",
                &format!("--port={}", server.port(service)),
                "--tls=on",
                &format!(
                    "--tls-starttls={}",
                    if implicit == "on" { "off" } else { "on" }
                ),
                &format!("--tls-trust-file={authority}"),
                &format!("--auth={mechanism}"),
                "--user=bob",
                &format!("--passwordeval=echo {password}"),
                "--from=bob@localhost",
                "--timeout=20",
                "--dsn-notify=success,failure",
                "--dsn-return=headers",
                "alice@localhost",
            ]);
            succeeded(&run(&mut msmtp, &mail));
        }
        let text = text_of(&message(&server.store(), "alice", &subject));
        assert!(text.contains("with ESMTPSA"), "{text}");
        assert!(text.contains("\r\n\r\n.\r\n..\r\nText\r\n"), "{text}");
        let report = text_of(&message(&server.store(), "bob", &subject));
        assert!(
            report.contains("Final-Recipient: rfc822; alice@localhost\r\nAction: delivered\r\n")
                && !report.contains("..\r\nText"),
            "{report}"
        );
    }
}
