//! `mailtool serve deliver`: from a pipe into a mailbox, beside a server that runs and without one.

#[path = "support/program.rs"]
mod program;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Instant;

use program::{Server, mailtool};

fn deliver(store: &Path, words: &[&str], message: &str) -> Output {
    let store = store.to_str().expect("UTF-8");
    let words = [&["serve", "deliver", "--store", store], words].concat();
    mailtool(&words, message)
}

fn inbox(store: &Path, name: &str) -> Vec<String> {
    let new = store.join("mail").join(name).join("new");
    let Ok(files) = fs::read_dir(new) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    files
        .iter()
        .map(|file| fs::read_to_string(file).expect("UTF-8"))
        .collect()
}

fn refused(output: &Output, code: i32, why: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(why) && said.lines().count() == 1, "{said}");
}

#[test]
fn what_comes_from_a_pipe_is_in_the_mailbox() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path();
    let message = "From bob Thu Nov 26 10:00:00 2026\nReturn-Path: <bob@example.org>\nSubject: a\n\nText\n.\nno end";
    let output = deliver(store, &["alice+tag"], message);
    assert!(output.status.success(), "{output:?}");
    let rest = "Delivered-To: alice+tag\r\nSubject: a\r\n\r\nText\r\n.\r\nno end\r\n";
    let expected = format!("Return-Path: <bob@example.org>\r\n{rest}");
    assert_eq!(inbox(store, "alice"), [expected]);
    let mut all = Vec::new();
    for (from, path) in [("carol@x.example", "carol@x.example"), ("<>", ""), ("", "")] {
        let output = deliver(
            store,
            &["-f", from, "bob@localhost"],
            "Subject: b\r\n\r\nText\r\n",
        );
        assert!(output.status.success(), "{output:?}");
        let expected = format!(
            "Return-Path: <{path}>\r\nDelivered-To: bob@localhost\r\nSubject: b\r\n\r\nText\r\n"
        );
        all.push(expected);
        all.sort();
        let mut found = inbox(store, "bob");
        found.sort();
        assert_eq!(found, all);
    }
}

#[test]
fn exit_codes_are_those_of_sysexits() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path();
    let text = "Subject: a\n\nText\n";
    refused(
        &deliver(store, &["nobody"], text),
        67,
        "there is no mailbox nobody",
    );
    refused(
        &deliver(store, &["alice@elsewhere.example"], text),
        67,
        "no domain of this server",
    );
    refused(&deliver(store, &["a b"], text), 67, "a space");
    refused(&deliver(store, &["alice"], ""), 65, "no message came");
    refused(&deliver(store, &["-f", "a b", "alice"], text), 64, "--from");
    assert_eq!(deliver(store, &[], text).status.code(), Some(64));
    refused(
        &deliver(store, &["--quota", "10", "alice"], text),
        75,
        "over its quota",
    );
    let aliases = store.join("aliases");
    fs::write(
        &aliases,
        "sales: alice, bob\nout: alice, x@elsewhere.example\n",
    )
    .expect("written");
    let aliases = aliases.to_str().expect("UTF-8");
    refused(
        &deliver(store, &["--aliases", aliases, "out"], text),
        75,
        "x@elsewhere.example",
    );
    assert!(inbox(store, "alice").is_empty());
    assert!(
        deliver(store, &["--aliases", aliases, "sales"], text)
            .status
            .success()
    );
    assert_eq!(
        (inbox(store, "alice").len(), inbox(store, "bob").len()),
        (1, 1)
    );
    // No room to write in.
    fs::remove_dir_all(store.join("mail/bob/tmp")).expect("removed");
    fs::write(store.join("mail/bob/tmp"), "").expect("written");
    refused(&deliver(store, &["bob"], text), 75, "try again later");
    assert_eq!(inbox(store, "bob").len(), 1);
}

#[test]
fn it_delivers_beside_a_server_that_runs() {
    let server = Server::start();
    let store = server.folder.path().join("store");
    let output = deliver(&store, &["alice"], "Subject: beside\n\nText\n");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(server.inbox("alice").len(), 1);
    let address = server.address("imap");
    let output = mailtool(
        &[
            "nc",
            "-C",
            "-N",
            "-w",
            "10",
            &address.ip().to_string(),
            &address.port().to_string(),
        ],
        "a LOGIN alice alice\nb SELECT INBOX\nc LOGOUT\n",
    );
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("* 1 EXISTS"), "{said}");
}

/// One SMTP session: what each line is answered.
fn dialogue(server: &Server, lines: &[&str]) -> Vec<String> {
    let stream = TcpStream::connect(server.address("smtp")).expect("a connection");
    stream
        .set_read_timeout(Some(program::PATIENCE))
        .expect("set");
    let mut replies = BufReader::new(stream.try_clone().expect("a second end"));
    let mut reply = || {
        let mut line = String::new();
        while line.as_bytes().get(3) != Some(&b' ') {
            line.clear();
            assert!(
                replies.read_line(&mut line).expect("a reply") > 0,
                "it hung up"
            );
        }
        line.trim_end().to_owned()
    };
    reply();
    lines
        .iter()
        .map(|line| {
            (&stream)
                .write_all(format!("{line}\r\n").as_bytes())
                .expect("sent");
            reply()
        })
        .collect()
}

#[test]
fn addresses_are_understood_as_the_options_say_and_changes_are_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let aliases = folder.path().join("aliases");
    fs::write(&aliases, "sales: alice, bob\n").expect("written");
    let path = aliases.to_str().expect("UTF-8");
    let options = [
        "--aliases",
        path,
        "--separator",
        "-",
        "--quota-messages",
        "1",
    ];
    let server = Server::start_with(&options);
    let message = "Subject: a\r\n\r\nText\r\n.";
    let said = dialogue(
        &server,
        &[
            "EHLO x.example",
            "MAIL FROM:<x@x.example>",
            "RCPT TO:<sales-may@localhost>",
            "RCPT TO:<info@localhost>",
            "DATA",
            message,
        ],
    );
    assert!(
        said[2].starts_with("250 2.1.5") && said[3].starts_with("550 5.1.1"),
        "{said:?}"
    );
    assert!(said[5].starts_with("250 2.0.0"), "{said:?}");
    for name in ["alice", "bob"] {
        let texts = inbox(&server.store(), name);
        assert_eq!(texts.len(), 1);
        let only = "Return-Path: <x@x.example>\r\nDelivered-To: sales-may@localhost\r\nReceived: from x.example";
        assert!(texts[0].starts_with(only), "{}", texts[0]);
    }
    fs::write(&aliases, "info: bob\n").expect("written");
    let begun = Instant::now();
    loop {
        let said = dialogue(
            &server,
            &["EHLO x.example", "MAIL FROM:<>", "RCPT TO:<info@localhost>"],
        );
        // Its mailbox is full: it is known.
        if said[2].starts_with("452 4.2.2") {
            break;
        }
        assert!(begun.elapsed() < program::PATIENCE, "{said:?}");
    }
    assert!(server.log().contains("users and aliases are read again"));
}
