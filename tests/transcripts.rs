//! What `-v` writes is a dialogue: it plays, once the secrets are put back; and the secrets are not in it.

#[expect(dead_code, reason = "nothing is played over TCP here")]
mod support;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mailtool::tap::transcript::{Folding, Transcript};
use mailtool::tap::{Piece, Side, Tap};
use support::clients;
use support::program::{MAILTOOL, Server, ended, run, scripted};
use support::script::{Dialog, Protocol};
use support::services::Stage;
use support::sessions::{Feeding, play_all};

const LETTER: &str =
    "From: bob@example.org\nSubject: [..] and ...\n\n...\n.dot\n[name] \\n \\x41\n\u{1b}[2J\nfin\n";

/// The dialogue that a client shows when it talks to `address` as alice, who has this password.
fn shown(words: &[&str], address: SocketAddr, password: &str, code: i32) -> String {
    let mut command = Command::new(MAILTOOL);
    command
        .args(words)
        .args(["-v", "-u", "alice", "--timeout", "10", "--server"])
        .arg(format!("localhost:{}", address.port()))
        .env_remove("MAILTOOL_USER")
        .env("MAILTOOL_PASSWORD", password);
    ended(&run(&mut command, ""), code).1
}

/// Plays a transcript against the client.
fn play(protocol: Protocol, folder: &Path, given: &str, transcript: &str) -> Dialog {
    let transcript = transcript.replace("PLAIN ********", "PLAIN AGFsaWNlAGFsaWNl");
    let source = format!("{given}\n{transcript}");
    let dialog = Dialog::parse(protocol, &folder.join("transcript.dialog"), &source);
    let dialog = dialog.unwrap_or_else(|problem| panic!("{problem}\n{source}"));
    for feeding in [Feeding::Whole, Feeding::Octets] {
        clients::play_client(&dialog, feeding)
            .unwrap_or_else(|problem| panic!("{problem}\n{source}"));
    }
    dialog
}

/// Plays it against the server: for what says the same every time, without dates and numbers of its own.
fn play_against_server(dialog: &Dialog) {
    play_all(dialog, &Stage::new).unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn what_a_client_shows_plays() {
    // One login that says the same each time.
    let server = Server::start_with(&["--auth", "PLAIN"]);
    let folder = server.folder.path();
    fs::write(folder.join("letter.eml"), LETTER).expect("written");
    let letter = folder.join("letter.eml");
    let letter = letter.to_str().expect("UTF-8");
    let ca = server.authority();
    let ca = ca.to_str().expect("UTF-8");
    let show = |words: &[&str], options: &[&str], service: &str| {
        let words = [words, options, &["--ca", ca]].concat();
        shown(&words, server.address(service), "alice", 0)
    };
    let account = "given: host=localhost user=alice:alice tls=yes x-auth=PLAIN";
    let append = show(&["imap", "append", "INBOX", letter], &[], "imap");
    let lines = format!("{account}\nclient: append INBOX letter.eml");
    play(Protocol::Imap, folder, &lines, &append);

    let given = format!("{account} mail=letter.eml\nclient:");
    for (options, service, upgrade) in [
        (&[][..], "imap", ""),
        (&["--starttls"], "imap", "STARTTLS;"),
        (&["--tls"], "imaps", ""),
    ] {
        for (words, errand) in [
            (&["imap", "fetch", "1"][..], "fetch INBOX 1"),
            (
                &["imap", "search", "NOT", "SUBJECT", "é"],
                "search INBOX NOT SUBJECT é",
            ),
        ] {
            let lines = format!("{given} {upgrade}{errand}");
            play(
                Protocol::Imap,
                folder,
                &lines,
                &show(words, options, service),
            );
        }
        let folders = show(&["imap", "folders"], options, service);
        let lines = format!("{given} {upgrade}folders");
        play_against_server(&play(Protocol::Imap, folder, &lines, &folders));
    }
    for (options, service, upgrade) in [
        (&[][..], "pop3", ""),
        (&["--starttls"], "pop3", "STLS; "),
        (&["--tls"], "pop3s", ""),
    ] {
        let retr = show(&["pop", "retr", "1"], options, service);
        let lines = format!("{given} {upgrade}RETR 1");
        play_against_server(&play(Protocol::Pop3, folder, &lines, &retr));
    }
    let send = ["send", "--raw", "--body-file", letter, "--helo", "pc1"];
    let send = [&send[..], &["-f", "alice@localhost", "bob@localhost"]].concat();
    let mail = "name=pc1 from=alice@localhost to=bob@localhost mail=letter.eml login=yes";
    for (options, service, upgrade) in [
        (&[][..], "submission", ""),
        (&["--starttls"], "submission", " starttls=yes"),
        (&["--tls"], "smtps", ""),
    ] {
        let sent = show(&send, options, service);
        let lines = format!("{given} {mail}{upgrade}");
        play(Protocol::Smtp, folder, &lines, &sent);
    }
}

#[test]
fn what_is_written_with_times_plays_too() {
    let server = Server::start_with(&["--auth", "PLAIN"]);
    let folder = server.folder.path();
    let shown = shown(&["pop", "stat"], server.address("pop3"), "alice", 0);
    // The same once more, each line a while after the one before.
    let sink = Arc::new(Mutex::new(Vec::new()));
    let mut now = Instant::now();
    let mut timed = Transcript::new(sink.clone(), Folding::Never).timed(now);
    for line in shown.lines() {
        let (side, text) = match line.split_once(": ").unwrap_or((line, "")) {
            ("C", text) => (Side::Client, text),
            ("S", text) => (Side::Server, text),
            other => panic!("{other:?}"),
        };
        now += Duration::from_millis(1500);
        match text {
            "[eof]" => timed.saw(now, side, Piece::Closed),
            text => timed.saw(now, side, Piece::Bytes(format!("{text}\r\n").as_bytes())),
        }
    }
    drop(timed);
    let timed = sink.lock().expect("no panic").clone();
    let timed = String::from_utf8(timed).expect("transcripts are UTF-8");
    let (times, lines): (Vec<_>, Vec<_>) = timed.lines().partition(|line| line.starts_with('#'));
    assert!(
        times.len() > 5 && times.iter().all(|time| *time == "# +1.500 s"),
        "{timed}"
    );
    assert!(lines.iter().copied().eq(shown.lines()), "{timed}");
    play(
        Protocol::Pop3,
        folder,
        "given: host=localhost user=alice:alice\nclient: STAT",
        &timed,
    );
}

#[test]
fn no_way_of_logging_in_shows_the_password() {
    let pop = [
        "+OK\r\n",
        "-ERR no CAPA\r\n",
        "+OK\r\n",
        "+OK\r\n",
        "+OK 0 0\r\n",
        "+OK\r\n",
    ];
    let said = shown(&["pop", "stat"], scripted(&pop), "sec ret", 0);
    assert!(
        said.contains("C: USER alice\n") && said.contains("C: PASS ********\n"),
        "{said}"
    );
    let imap = |greeting: &str, rest: &[&str], password: &str| {
        let replies = [&[greeting], rest, &["a2 OK\r\n", "* BYE\r\na3 OK\r\n"]].concat();
        shown(&["imap", "folders"], scripted(&replies), password, 0)
    };
    let said = imap(
        "* OK [CAPABILITY IMAP4rev1] hi\r\n",
        &["a1 OK\r\n"],
        "sec ret",
    );
    assert!(said.contains("C: a1 LOGIN alice ********\n"), "{said}");
    let said = imap(
        "* OK [CAPABILITY IMAP4rev1] hi\r\n",
        &["+ go on\r\n", "a1 OK\r\n"],
        "sécret",
    );
    assert!(
        said.contains("C: a1 LOGIN alice {7}\n") && said.contains("\nC: ********\n"),
        "{said}"
    );
    let said = imap(
        "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n",
        &["+ \r\n", "a1 OK\r\n"],
        "sec ret",
    );
    assert!(
        said.contains("C: a1 AUTHENTICATE PLAIN\n") && said.contains("\nC: ********\n"),
        "{said}"
    );
    let smtp = |mechanism: &str, rest: &[&str]| {
        let hello = format!("250-mail\r\n250 AUTH {mechanism}\r\n");
        let end = ["250 ok\r\n", "250 ok\r\n", "354 go on\r\n"];
        let replies = [&["220 mail\r\n", &hello], rest, &end].concat();
        // The message has lines that this server would answer; it ends with the connection.
        shown(
            &["send", "bob@localhost", "--body", "x"],
            scripted(&replies),
            "sec ret",
            75,
        )
    };
    let said = smtp(
        "LOGIN",
        &["334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n", "235 in\r\n"],
    );
    assert!(
        said.contains("C: AUTH LOGIN\n") && said.matches("C: ********\n").count() == 2,
        "{said}"
    );
    let said = smtp("PLAIN", &["235 in\r\n"]);
    assert!(said.contains("C: AUTH PLAIN ********\n"), "{said}");
}
