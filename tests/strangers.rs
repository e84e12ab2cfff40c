//! Other people's programs against `serve`: curl, swaks, Python's libraries, openssl, Debian's netcat, Postfix's load
//! generator, libraries of Perl and Ruby, offlineimap, mutt. A program that is not installed makes its test say so and pass; `make test` installs them all.

#[path = "strangers/libraries.rs"]
mod libraries;
#[path = "strangers/pop.rs"]
mod pop;
#[path = "support/program.rs"]
mod program;

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use program::{Server, have, run, succeeded};

/// A message with everything that a careless server spoils.
const MESSAGE: &str = "From: bob@localhost\r\nTo: alice@localhost\r\nSubject: strangers\r\n\r\n\
    .leading dot\r\n..two\r\n.\u{e9}\r\n\r\nlast line\r\n";

/// The one message in the INBOX of `account`, as the file has it.
fn only_message(server: &Server, account: &str) -> String {
    let files = server.inbox(account);
    let [file] = files.as_slice() else {
        panic!("{files:?}")
    };
    fs::read_to_string(file).expect("a message")
}

/// curl with the server's own authority, and a message file at hand.
fn curl(server: &Server, words: &[&str]) -> std::process::Output {
    let message = server.folder.path().join("message.eml");
    fs::write(&message, MESSAGE).expect("a file");
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "20", "--cacert"])
        .arg(server.authority())
        .args(words);
    run(curl.current_dir(server.folder.path()), "")
}

#[test]
fn curl_sends_and_reads_by_every_protocol() {
    if !have("curl", "curl") {
        return;
    }
    let server = Server::start();
    let url = |protocol: &str, port: &str, rest: &str| {
        format!("{protocol}://localhost:{}{rest}", server.port(port))
    };
    let send = [
        "--mail-from",
        "bob@localhost",
        "--mail-rcpt",
        "alice@localhost",
        "--upload-file",
        "message.eml",
    ];
    succeeded(&curl(
        &server,
        &[&send[..], &[&url("smtp", "smtp", "/client.example")]].concat(),
    ));
    assert!(only_message(&server, "alice").ends_with(MESSAGE));

    let login = ["--user", "bob:bob"];
    let smtps = url("smtps", "smtps", "/client.example");
    succeeded(&curl(&server, &[&send[..], &login, &[&smtps]].concat()));
    let starttls = url("smtp", "submission", "/client.example");
    succeeded(&curl(
        &server,
        &[&send[..], &login, &["--ssl-reqd", &starttls]].concat(),
    ));
    assert_eq!(server.inbox("alice").len(), 3);
    let refused = curl(
        &server,
        &[&send[..], &["--user", "bob:wrong", &smtps]].concat(),
    );
    assert_eq!(refused.status.code(), Some(67), "login denied");

    let alice = ["--user", "alice:alice"];
    for (protocol, port, more) in [
        ("pop3", "pop3", &[][..]),
        ("pop3s", "pop3s", &[]),
        ("pop3", "pop3", &["--ssl-reqd"]),
    ] {
        let list = succeeded(&curl(
            &server,
            &[&alice[..], more, &[&url(protocol, port, "/")]].concat(),
        ));
        assert_eq!(list.lines().count(), 3, "{list}");
        let message = succeeded(&curl(
            &server,
            &[&alice[..], more, &[&url(protocol, port, "/1")]].concat(),
        ));
        assert!(
            message.starts_with("Return-Path: <bob@localhost>\r\n") && message.ends_with(MESSAGE),
            "{message}"
        );
    }
    for (protocol, port, more) in [
        ("imap", "imap", &[][..]),
        ("imaps", "imaps", &[]),
        ("imap", "imap", &["--ssl-reqd"]),
    ] {
        let list = succeeded(&curl(
            &server,
            &[&alice[..], more, &[&url(protocol, port, "/")]].concat(),
        ));
        assert!(list.contains("\"/\" INBOX"), "{list}");
        let message = succeeded(&curl(
            &server,
            &[&alice[..], more, &[&url(protocol, port, "/INBOX;UID=2")]].concat(),
        ));
        // It came by submission, which has put Date and Message-ID at the end of the header.
        let (header, body) = MESSAGE.split_once("\r\n\r\n").expect("an empty line");
        assert!(message.contains(header), "{message}");
        assert!(message.ends_with(&format!("\r\n\r\n{body}")), "{message}");
        let text = url(protocol, port, "/INBOX;UID=2;SECTION=TEXT");
        let text = succeeded(&curl(&server, &[&alice[..], more, &[&text]].concat()));
        assert!(text.starts_with(".leading dot\r\n..two\r\n"), "{text}");
        let found = url(protocol, port, "/INBOX?SUBJECT%20strangers");
        let found = succeeded(&curl(&server, &[&alice[..], more, &[&found]].concat()));
        assert_eq!(found.trim_end(), "* SEARCH 1 2 3");
    }
    succeeded(&curl(
        &server,
        &[
            &alice[..],
            &["--request", "CREATE Sent", &url("imap", "imap", "/")],
        ]
        .concat(),
    ));
    succeeded(&curl(
        &server,
        &[
            &alice[..],
            &[
                "--upload-file",
                "message.eml",
                &url("imap", "imap", "/Sent"),
            ],
        ]
        .concat(),
    ));
    let appended = succeeded(&curl(
        &server,
        &[&alice[..], &[&url("imap", "imap", "/Sent;UID=1")]].concat(),
    ));
    assert_eq!(appended, MESSAGE);
}

#[test]
fn swaks_sends_with_starttls_and_auth() {
    if !have("swaks", "swaks")
        // Of Perl's TLS, which swaks only recommends, this is where it is in every version.
        || !have("/usr/share/doc/libnet-ssleay-perl/copyright", "libnet-ssleay-perl")
    {
        return;
    }
    let server = Server::start();
    let mut tried = 0;
    for (port, words) in [
        ("smtp", &[][..]),
        (
            "submission",
            &[
                "--auth",
                "PLAIN",
                "--auth-user",
                "bob",
                "--auth-password",
                "bob",
            ],
        ),
        (
            "submission",
            &[
                "-tls",
                "--auth",
                "LOGIN",
                "--auth-user",
                "bob",
                "--auth-password",
                "bob",
            ],
        ),
        (
            "smtps",
            &[
                "-tlsc",
                "--auth",
                "PLAIN",
                "--auth-user",
                "bob",
                "--auth-password",
                "bob",
            ],
        ),
    ] {
        let mut swaks = Command::new("swaks");
        swaks.args([
            "--server",
            "127.0.0.1",
            "--port",
            &server.port(port),
            "--ehlo",
            "client.example",
        ]);
        swaks.args([
            "--from",
            "bob@localhost",
            "--to",
            "alice@localhost,bob@localhost",
            "--body",
            "said by swaks",
        ]);
        let said = succeeded(&run(swaks.args(words), ""));
        assert!(
            said.contains("250 2.0.0 ") && said.contains("221 2.0.0 "),
            "{said}"
        );
        tried += 1;
        assert_eq!(
            (server.inbox("alice").len(), server.inbox("bob").len()),
            (tried, tried)
        );
    }
    let mut swaks = Command::new("swaks");
    swaks.args([
        "--server",
        "127.0.0.1",
        "--port",
        &server.port("smtp"),
        "--from",
        "bob@localhost",
    ]);
    let refused = run(swaks.args(["--to", "nobody@localhost"]), "");
    assert_eq!(refused.status.code(), Some(24), "no recipient was taken");
    assert!(
        String::from_utf8_lossy(&refused.stdout).contains("<** 550 5.1.1 "),
        "{refused:?}"
    );
}

#[test]
fn python_smtplib_poplib_imaplib() {
    if !have("python3", "python3") {
        return;
    }
    let server = Server::start();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strangers/mail.py");
    let mut python = Command::new("python3");
    python.arg(script).arg(server.authority());
    for protocol in [
        "smtp",
        "submission",
        "smtps",
        "pop3",
        "pop3s",
        "imap",
        "imaps",
    ] {
        python.arg(server.port(protocol));
    }
    assert_eq!(
        succeeded(&run(&mut python, "")),
        "smtplib ok\npoplib ok\nimaplib ok\n"
    );
}

#[test]
fn openssl_starts_tls_in_each_protocol() {
    if !have("openssl", "openssl") {
        return;
    }
    let server = Server::start();
    for (protocol, starttls, quit, goodbye) in [
        ("smtp", Some("smtp"), "QUIT\r\n", "221 2.0.0 "),
        ("submission", Some("smtp"), "QUIT\r\n", "221 2.0.0 "),
        ("pop3", Some("pop3"), "QUIT\r\n", "+OK "),
        ("imap", Some("imap"), "a LOGOUT\r\n", "a OK "),
        ("smtps", None, "QUIT\r\n", "221 2.0.0 "),
        ("pop3s", None, "QUIT\r\n", "+OK "),
        ("imaps", None, "a LOGOUT\r\n", "a OK "),
    ] {
        for version in ["-tls1_2", "-tls1_3"] {
            let mut openssl = Command::new("openssl");
            openssl.args([
                "s_client",
                "-connect",
                &format!("127.0.0.1:{}", server.port(protocol)),
                version,
            ]);
            openssl.args([
                "-quiet",
                "-verify_return_error",
                "-verify_hostname",
                "localhost",
                "-CAfile",
            ]);
            openssl.arg(server.authority());
            openssl.args(
                starttls
                    .map(|name| ["-starttls", name])
                    .into_iter()
                    .flatten(),
            );
            let said = succeeded(&run(&mut openssl, quit));
            assert!(said.contains(goodbye), "{protocol} {version}: {said}");
        }
    }
}

#[test]
fn debian_netcat_as_a_client() {
    if !have("nc.openbsd", "netcat-openbsd") {
        return;
    }
    let server = Server::start();
    let typed = "EHLO pc1\nMAIL FROM:<bob@localhost>\nRCPT TO:<alice@localhost>\nDATA\nSubject: plain nc\n\nhello\n.\nQUIT\n";
    for (count, option) in ["-N", "-CN"].into_iter().enumerate() {
        let mut nc = Command::new("nc.openbsd");
        nc.args([option, "127.0.0.1", &server.port("smtp")]);
        let said = succeeded(&run(&mut nc, typed));
        assert!(
            said.contains("\r\n354 ") && said.contains("\r\n250 2.0.0 "),
            "{said}"
        );
        assert_eq!(server.inbox("alice").len(), count + 1);
    }
    let mut nc = Command::new("nc.openbsd");
    nc.args(["-N", "127.0.0.1", &server.port("pop3")]);
    let said = succeeded(&run(
        &mut nc,
        "USER alice\nPASS alice\nSTAT\nRETR 1\nQUIT\n",
    ));
    assert!(
        said.contains("+OK 2 ") && said.contains("\r\nSubject: plain nc\r\n\r\nhello\r\n.\r\n"),
        "{said}"
    );
}

#[test]
fn two_thousand_messages_of_smtp_source_are_there_once() {
    if !have("smtp-source", "postfix") {
        return;
    }
    let server = Server::start();
    let mut source = Command::new("/usr/sbin/smtp-source");
    source.args([
        "-s",
        "20",
        "-m",
        "2000",
        "-l",
        "4000",
        "-f",
        "load@client.example",
        "-t",
        "alice@localhost",
    ]);
    source.arg(format!("127.0.0.1:{}", server.port("smtp")));
    succeeded(&run(&mut source, ""));
    let files = server.inbox("alice");
    let mut ids = HashSet::new();
    for file in &files {
        let text = fs::read_to_string(file).expect("a message");
        let id = text
            .lines()
            .find_map(|line| line.strip_prefix("Message-Id: "))
            .expect("smtp-source makes them")
            .to_owned();
        assert!(ids.insert(id), "twice: {}", file.display());
        assert!(
            text.len() > 4000 && text.ends_with("\r\n"),
            "half a message"
        );
    }
    assert_eq!(files.len(), 2000);
}
