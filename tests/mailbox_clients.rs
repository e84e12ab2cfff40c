//! What `imap` can do beyond looking: any command, waiting, flags, moving; against `serve`, against Dovecot, and against servers that say
//! odd things.

#[path = "support/program.rs"]
mod program;

#[path = "support/debian.rs"]
mod debian;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use debian::Dovecot;
use program::{MAILTOOL, Server, have, run, scripted};

const LETTER: &str = "From: Bob <bob@example.org>\r\nSubject: a1 OK {3}\r\n\r\n* BYE\r\na1 OK done\r\n)\r\n{5}\r\n.\r\n";

/// A client as alice, of the server at `address`.
fn command(applet: &str, address: &str, words: &[&str]) -> Command {
    let mut command = Command::new(MAILTOOL);
    command
        .arg(applet)
        .args(words)
        .args(["--server", address, "--user", "alice"])
        .env("MAILTOOL_PASSWORD", "alice")
        .env("LC_ALL", "C.UTF-8");
    command
}

fn imap(address: &str, words: &[&str], input: &str) -> Output {
    run(&mut command("imap", address, words), input)
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// What it printed; it must have gone well.
fn good(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// What it complained about; it must have ended with `code`.
fn bad(output: &Output, code: i32) -> String {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

fn at(address: SocketAddr) -> String {
    format!("localhost:{}", address.port())
}

/// The POP3 and IMAP servers that there are, with nothing in alice's mailbox.
fn with_mailboxes(test: impl Fn(&str, &str, &str)) {
    let ours = Server::start();
    test("ours", &at(ours.address("pop3")), &at(ours.address("imap")));
    if have("dovecot", "dovecot-pop3d") {
        let dovecot = Dovecot::start(&ours);
        test("Dovecot", &dovecot.at("pop3"), &dovecot.at("imap"));
    }
}

fn pop(address: &str, words: &[&str]) -> Output {
    run(&mut command("pop", address, words), "")
}

#[test]
fn new_messages_are_fetched_once() {
    with_mailboxes(|name, pop_at, imap_at| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |part: &str| folder.path().join(part).to_str().expect("UTF-8").to_owned();
        let (maildir, state) = (path("Mail/"), path("state/of alice"));
        let new = ["retr", "--new", "--state", &state, "--output", &maildir];
        let fetch = |more: &[&str]| pop(pop_at, &[&new[..], more].concat());
        let count = || fs::read_dir(path("Mail/new")).map_or(0, Iterator::count);
        assert_eq!(
            fetch(&["--expect-mail"]).status.code(),
            Some(1),
            "{name}: no mail"
        );
        for subject in ["one", "two"] {
            good(&imap(
                imap_at,
                &["append", "INBOX"],
                &format!("Subject: {subject}\n\nx\n"),
            ));
        }
        good(&fetch(&["--expect-mail"]));
        assert_eq!(count(), 2, "{name}");
        good(&imap(
            imap_at,
            &["append", "INBOX"],
            &format!("Subject: three\n\n{}", "long\n".repeat(2000)),
        ));
        let large = fetch(&["--max-size", "1000", "--top"]);
        good(&large);
        assert!(
            text(&large.stderr).contains("message 3 of 1"),
            "{name}: {}",
            text(&large.stderr)
        );
        assert_eq!(count(), 3, "{name}: the header of it");
        good(&fetch(&["--max-size", "1000", "--top"]));
        good(&fetch(&[]));
        assert_eq!(count(), 4, "{name}: and all of it");
        good(&fetch(&[]));
        assert_eq!(
            (count(), good(&pop(pop_at, &["stat"])).starts_with("3 ")),
            (4, true),
            "{name}"
        );
        // What was fetched so long ago goes, and only that.
        let written = fs::read_to_string(&state).expect("there");
        let (first, rest) = written.split_once('\n').expect("a line");
        let id = first.rsplit(' ').next().expect("an id");
        fs::write(&state, format!("1000 whole {id}\n{rest}")).expect("written");
        good(&fetch(&["--delete-after", "30"]));
        assert!(good(&pop(pop_at, &["stat"])).starts_with("2 "), "{name}");
        good(&fetch(&["--delete"]));
        assert_eq!(good(&pop(pop_at, &["stat"])), "0 0\n", "{name}");
        assert_eq!(count(), 4, "{name}");
        good(&fetch(&[]));
        assert_eq!(
            fs::read_to_string(&state).expect("there"),
            "",
            "{name}: nothing is there any more"
        );
        assert_eq!(
            pop(pop_at, &["stat", "--expect-mail"]).status.code(),
            Some(1),
            "{name}"
        );
    });
}

#[test]
fn all_messages_are_fetched_and_deleted_when_they_are_safe() {
    with_mailboxes(|name, pop_at, imap_at| {
        let folder = tempfile::tempdir().expect("a folder");
        let mbox = folder.path().join("mbox");
        let mbox = mbox.to_str().expect("UTF-8");
        for subject in ["one", "two"] {
            good(&imap(
                imap_at,
                &["append", "INBOX"],
                &format!("Subject: {subject}\n\nFrom x\n.\n"),
            ));
        }
        let failed = pop(
            pop_at,
            &["retr", "--all", "--delete", "--mda", "grep -q one"],
        );
        assert!(bad(&failed, 74).contains("--mda"), "{name}");
        let full =
            format!("{MAILTOOL} pop --server {pop_at} -u alice retr --all --delete > /dev/full");
        let mut shell = Command::new("sh");
        shell.args(["-c", &full]).env("MAILTOOL_PASSWORD", "alice");
        bad(&run(&mut shell, ""), 74);
        assert!(
            good(&pop(pop_at, &["stat"])).starts_with("2 "),
            "{name}: all is still there"
        );
        bad(&pop(pop_at, &["retr", "9", "--delete"]), 1);
        good(&pop(
            pop_at,
            &["retr", "--all", "--delete", "--output", mbox, "--mbox"],
        ));
        assert_eq!(good(&pop(pop_at, &["list", "--json"])), "[]\n", "{name}");
        let written = fs::read_to_string(mbox).expect("UTF-8");
        assert_eq!(
            written.matches("\nSubject: ").count(),
            2,
            "{name}: {written}"
        );
        assert!(
            written.contains("\n>From x\n.\n\nFrom "),
            "{name}: {written}"
        );
        let said = good(&pop(pop_at, &["serverinfo"]));
        assert!(
            said.starts_with("greeting: ") && said.contains("capability: UIDL\n"),
            "{name}: {said}"
        );
        good(&pop(pop_at, &["noop"]));
        good(&pop(pop_at, &["rset"]));
        let mut nobody = Command::new(MAILTOOL);
        nobody
            .args(["pop", "capa", "--json", "--server", pop_at])
            .env_remove("MAILTOOL_USER");
        assert!(
            good(&run(&mut nobody, "")).contains("\"capabilities\":["),
            "{name}"
        );
    });
}

/// One is killed at each moment, again and again: no message is lost, and none comes twice but the one that was under way.
#[test]
fn nothing_is_lost_when_it_is_killed() {
    let ours = Server::start();
    let (pop_at, imap_at) = (at(ours.address("pop3")), at(ours.address("imap")));
    const MESSAGES: usize = 30;
    for number in 0..MESSAGES {
        good(&imap(
            &imap_at,
            &["append", "INBOX"],
            &format!("Subject: message {number}\n\nx\n"),
        ));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = |part: &str| folder.path().join(part).to_str().expect("UTF-8").to_owned();
    let (maildir, state) = (path("Mail/"), path("state"));
    let words = [
        "retr", "--new", "--state", &state, "--output", &maildir, "--delete",
    ];
    let mut kills = 0;
    for delay in 0..40 {
        let mut child = command("pop", &pop_at, &words)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it is built");
        thread::sleep(Duration::from_millis(delay));
        kills += usize::from(child.try_wait().expect("a child").is_none());
        child.kill().expect("it is ours");
        child.wait().expect("it ends");
    }
    // A server may still have the mailbox locked for one that was killed.
    let done = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(50));
        pop(&pop_at, &words).status.code() == Some(0)
    });
    assert!(done, "it goes well in the end");
    assert_eq!(good(&pop(&pop_at, &["stat"])), "0 0\n");
    let mut times = vec![0; MESSAGES];
    for entry in fs::read_dir(path("Mail/new")).expect("a folder") {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("UTF-8");
        let number = text
            .lines()
            .next()
            .and_then(|line| line.rsplit(' ').next()?.parse::<usize>().ok());
        times[number.expect("a whole message")] += 1;
    }
    assert!(times.iter().all(|&times| times >= 1), "{times:?}");
    let twice: usize = times.iter().map(|times| times - 1).sum();
    assert!(twice <= kills, "{times:?}, {kills} kills");
}

/// What curl hangs on: each reply has the lines that its request has, and no more.
#[test]
fn replies_of_one_line_and_of_many_are_told_apart() {
    let login = ["+OK\r\n", "-ERR\r\n", "+OK\r\n", "+OK\r\n"];
    for (words, reply, told) in [
        (&["stat"][..], "+OK 2 320\r\n", "2 320\n"),
        (&["list", "2"], "+OK 2 200\r\n", "2 200\n"),
        (&["uidl", "2"], "+OK 2 abc\r\n", "2 abc\n"),
        (&["list"], "+OK 1 message\r\n1 9\r\n.\r\n", "1 9\n"),
        (&["uidl"], "+OK\r\n1 abc\r\n.\r\n", "1 abc\n"),
        (
            &["top", "1", "0"],
            "+OK\r\nA: b\r\n\r\n.\r\n",
            "A: b\r\n\r\n",
        ),
        (&["retr", "1"], "+OK 7 octets\r\n..x\r\n.\r\n", ".x\r\n"),
        (&["noop"], "+OK\r\n", ""),
        (&["dele", "1"], "+OK\r\n", ""),
    ] {
        let script = [&login[..], &[reply, "+OK\r\n"]].concat();
        let output = pop(&at(scripted(&script)), words);
        assert_eq!(good(&output), told, "{words:?}");
    }
    let none = [
        &login[..],
        &["+OK\r\n1 9\r\n.\r\n", "-ERR no UIDL\r\n", "+OK\r\n"],
    ]
    .concat();
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    let output = pop(
        &at(scripted(&none)),
        &["retr", "--new", "--state", state.to_str().expect("UTF-8")],
    );
    assert!(bad(&output, 64).contains("no UIDL"));
}

/// Each server there is: ours, and Dovecot where it is installed.
fn with_servers(test: impl Fn(&str, &str)) {
    let ours = Server::start();
    test("ours", &at(ours.address("imap")));
    if have("dovecot", "dovecot-imapd") {
        test("Dovecot", &Dovecot::start(&ours).at("imap"));
    }
}

#[test]
fn raw_commands_are_octet_exact() {
    with_servers(|name, at| {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a letter.eml");
        fs::write(&file, LETTER).expect("written");
        let append = format!("APPEND INBOX (\\Seen) {{@{}}}", file.display());
        let literal = format!("x1 APPEND INBOX {{{}}}\n{LETTER}", LETTER.len());
        let said = good(&imap(at, &["raw", &append, &literal, "NOOP"], ""));
        assert!(said.contains("x1 OK "), "{name}: {said}");
        let fetch = [
            "raw",
            "--literals",
            "EXAMINE INBOX",
            "FETCH 1 (BODY[])",
            "UID FETCH 1:* (UID BODY[HEADER])",
        ];
        let header = &LETTER[..LETTER.find("\r\n\r\n").expect("a body") + 4];
        let octets = good(&imap(at, &fetch, ""));
        assert_eq!(octets, format!("{LETTER}{header}{header}"), "{name}");
        // A line each on standard input, whatever ends it.
        let said = good(&imap(
            at,
            &["raw"],
            "EXAMINE INBOX\r\n\ny.1 FETCH 2 (UID BODY[])\nSEARCH TEXT {5}\n* BYE\n",
        ));
        let whole = format!("BODY[] {{{}}}\r\n{LETTER}", LETTER.len());
        assert!(said.contains(&whole), "{name}: {said}");
        assert!(
            said.contains("\r\ny.1 OK ") && said.contains("* SEARCH 1 2\r\n"),
            "{name}: {said}"
        );
    });
}

#[test]
fn raw_says_what_was_refused() {
    with_servers(|name, at| {
        let gone = imap(at, &["raw", "SELECT Gone", "CREATE Never"], "");
        assert!(bad(&gone, 1).contains("SELECT Gone: NO "), "{name}");
        let wrong = imap(
            at,
            &[
                "raw",
                "--keep-going",
                "FETCH",
                "NOSUCHWORD x",
                "CREATE Made",
            ],
            "",
        );
        bad(&wrong, 64);
        let folders = good(&imap(at, &["folders"], ""));
        assert!(
            folders.contains("Made") && !folders.contains("Never"),
            "{name}: {folders}"
        );
        let dialogue = imap(at, &["-v", "raw", "NOOP", "LOGIN alice secretword"], "");
        assert!(!text(&dialogue.stderr).contains("secretword"), "{name}");
    });
    let output = imap("localhost:9", &["raw", "APPEND x {5}\nabc"], "");
    assert!(bad(&output, 65).contains("line 1: a literal of 5 octets, and only 3 follow"));
    let output = imap("localhost:9", &["raw", "APPEND x {@/nonexistent}"], "");
    assert!(bad(&output, 65).contains("/nonexistent"));
}

/// What curl's users have asked for since 2015: a FETCH of one's own that shows what was fetched, and never takes it for responses.
#[test]
fn literals_of_odd_servers_are_never_read() {
    let greeting = "* OK [CAPABILITY IMAP4rev1] hi\r\n";
    let evil = "* 1 FETCH (BODY[] {34}\r\na2 OK done\r\n* BYE\r\na3 OK {9999}\r\n) X \"\" Y {0}\r\n)\r\na2 OK done\r\n";
    let script = [greeting, "a1 OK\r\n", evil, "* BYE\r\na3 OK\r\n"];
    let output = imap(&at(scripted(&script)), &["raw", "FETCH 1 (BODY[])"], "");
    assert_eq!(good(&output), evil);
    let output = imap(
        &at(scripted(&script)),
        &["raw", "--literals", "FETCH 1 (BODY[])"],
        "",
    );
    assert_eq!(good(&output), "a2 OK done\r\n* BYE\r\na3 OK {9999}\r\n)");
    let output = imap(
        &at(scripted(&script)),
        &["raw", "--json", "FETCH 1 (BODY[])"],
        "",
    );
    let said = good(&output);
    assert!(
        said.contains(r#""BODY[]","a2 OK done\r\n* BYE\r\na3 OK {9999}\r\n)""#)
            && said.lines().count() == 2,
        "{said}"
    );
    // A literal that is cut off is a failure, whatever came of it.
    let cut = [greeting, "a1 OK\r\n", "* 1 FETCH (BODY[] {99}\r\nshort"];
    bad(
        &imap(&at(scripted(&cut)), &["raw", "FETCH 1 (BODY[])"], ""),
        75,
    );
    // One that is refused is not sent: its octets would be read as commands.
    let refused = [
        greeting,
        "a1 OK\r\n",
        "a2 NO [TOOBIG] no\r\n",
        "* BYE\r\na3 OK\r\n",
    ];
    let output = imap(
        &at(scripted(&refused)),
        &["raw", "APPEND x {11}\na9 DELETE y"],
        "",
    );
    assert!(bad(&output, 1).contains("APPEND x: NO no"));
}

/// A python of Debian plays a server that breaks every habit: it sends octet by octet, and asks for what nobody waits for.
#[test]
fn a_server_that_dribbles_is_understood() {
    if !have("python3", "python3") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("odd.py");
    fs::write(&script, ODD).expect("written");
    let mut child = Command::new("python3")
        .arg(&script)
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    let mut port = String::new();
    let stdout = child.stdout.take().expect("a pipe");
    BufReader::new(stdout).read_line(&mut port).expect("a port");
    let address = format!("localhost:{}", port.trim());
    let output = imap(
        &address,
        &[
            "raw",
            "--literals",
            "SELECT INBOX",
            "FETCH 1 BODY[]",
            "APPEND a {3}\nabc",
        ],
        "",
    );
    assert_eq!(good(&output), "a3 OK no\r\n\0\u{1}* 9 EXISTS\r\n+ x\r\n");
    let output = imap(&address, &["idle", "--timeout", "60", "--json"], "");
    assert_eq!(
        good(&output),
        "{\"uid\":44,\"flags\":[],\"date\":\"\",\"octets\":5,\"sender\":\"\",\"subject\":\"hi\"}\n"
    );
    child.kill().expect("it was running");
    child.wait().expect("it ends");
}

const ODD: &str = r#"
import socket, sys
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print(listener.getsockname()[1], flush=True)
while True:
    peer, _ = listener.accept()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    lines = peer.makefile("rb")
    def say(text):
        for octet in text.encode("latin-1"):
            peer.send(bytes([octet]))
    say("* OK [CAPABILITY IMAP4rev1 IDLE] {3}\r\n")
    while line := lines.readline():
        tag, *words = line.decode().split()
        verb = words[0] if words else ""
        if verb == "FETCH" and words[1] == "1":
            body = "a3 OK no\r\n\0\x01* 9 EXISTS\r\n+ x\r\n"
            say("* 1 FETCH (BODY[] {%d}\r\n%s FLAGS ())\r\n* 2 FETCH (FLAGS (\\Seen))\r\n" % (len(body), body))
        elif verb == "FETCH":
            say("* 1 FETCH (UID 44 RFC822.SIZE 5 FLAGS () ENVELOPE (NIL {2}\r\nhi NIL NIL NIL NIL NIL NIL NIL NIL))\r\n")
        elif verb == "EXAMINE":
            say("* 0 EXISTS\r\n* 0 RECENT\r\n")
        elif verb == "APPEND":
            say("+ go\r\n")
            lines.readline()
        elif verb == "IDLE":
            say("+ idling\r\n* OK still here {2}\r\n* 0 EXISTS\r\n* 1 RECENT\r\n* 1 EXISTS\r\n")
            lines.readline()
        say(tag + " OK {7}\r\n")
        if verb == "LOGOUT":
            break
    peer.close()
"#;

#[test]
fn who_waits_is_told_of_mail_that_comes() {
    with_servers(|name, at| {
        let mut waiting = command(
            "imap",
            at,
            &["idle", "--count", "2", "--timeout", "120", "-v"],
        );
        waiting.args([
            "--exec",
            "echo \"$MAIL_UID $MAIL_MAILBOX $MAIL_SUBJECT $MAIL_SIZE\"",
        ]);
        let mut child = waiting
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it is built");
        let mut dialogue = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        // The server has said that it idles.
        assert!(
            dialogue.any(|line| line.is_ok_and(|line| line.starts_with("S: + "))),
            "{name}"
        );
        let rest = thread::spawn(move || dialogue.map_while(Result::ok).count());
        good(&imap(at, &["append", "INBOX"], LETTER));
        good(&imap(
            at,
            &["append", "INBOX", "--flags", "flagged"],
            "Subject: two\n\nx\n",
        ));
        let output = child.wait_with_output().expect("it ends");
        rest.join().expect("read");
        assert_eq!(output.status.code(), Some(0), "{name}");
        let said = text(&output.stdout);
        let lines: Vec<&str> = said.lines().collect();
        assert!(
            lines[0].starts_with("1\t") && lines[0].ends_with("\tBob <bob@example.org>\ta1 OK {3}"),
            "{name}: {said}"
        );
        assert_eq!(
            lines[1],
            format!("1 INBOX a1 OK {{3}} {}", LETTER.len()),
            "{name}"
        );
        assert!(
            lines[2].starts_with("2\t\\Flagged") && lines[3].starts_with("2 INBOX two "),
            "{name}: {said}"
        );
        // What is there already counts if that is asked for; and by keys.
        let there = imap(at, &["idle", "--existing", "SUBJECT", "two", "--json"], "");
        assert!(good(&there).starts_with("{\"uid\":2,"), "{name}");
        let begun = Instant::now();
        let vain = imap(at, &["idle", "--timeout", "0.5"], "");
        assert!(
            bad(&vain, 1).contains("no new message in INBOX in time"),
            "{name}"
        );
        assert!(
            begun.elapsed() >= Duration::from_millis(500),
            "{name}: it did not wait"
        );
        let failed = imap(at, &["idle", "--existing", "--exec", "exit 3"], "");
        assert!(bad(&failed, 70).contains("--exec, message 1: "), "{name}");
        let wrong = imap(at, &["idle", "Nowhere"], "");
        assert!(bad(&wrong, 1).contains("Nowhere"), "{name}");
    });
}

/// IDLE begins anew before a server gives it up, and a server that has none is asked with NOOP.
#[test]
fn waiting_is_renewed_or_polled() {
    let came = "* 1 EXISTS\r\n";
    let fetched = "* 1 FETCH (UID 7 FLAGS () INTERNALDATE \"x\" RFC822.SIZE 3 ENVELOPE (NIL \"S\" NIL NIL NIL NIL NIL NIL NIL NIL))\r\n";
    let line = "7\t-\tx\t3\t\tS\n";
    let renewed = [
        "* PREAUTH [CAPABILITY IMAP4rev1 IDLE] hi\r\n",
        "* 0 EXISTS\r\na1 OK\r\n",
        "+ idling\r\n",
        "a2 OK\r\n",
        "+ idling\r\n* 1 EXISTS\r\n",
        "a3 OK\r\n",
        &format!("{fetched}a4 OK\r\n"),
        "* BYE\r\na5 OK\r\n",
    ];
    let output = imap(&at(scripted(&renewed)), &["idle", "--renew", "0.1"], "");
    assert_eq!(good(&output), line);
    let polled = [
        "* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n",
        "* 0 EXISTS\r\na1 OK\r\n",
        "a2 OK\r\n",
        &format!("{came}a3 OK\r\n"),
        &format!("{fetched}a4 OK\r\n"),
        "* BYE\r\na5 OK\r\n",
    ];
    let output = imap(&at(scripted(&polled)), &["idle", "--poll", "0.1"], "");
    assert_eq!(good(&output), line);
    // A server that goes away while it is waited for is no time-out.
    let gone = [
        "* PREAUTH [CAPABILITY IDLE] hi\r\n",
        "* 0 EXISTS\r\na1 OK\r\n",
        "+ idling\r\n* BYE shutting down\r\n",
    ];
    assert!(bad(&imap(&at(scripted(&gone)), &["idle"], ""), 75).contains("shutting down"));
}

#[test]
fn mailboxes_are_kept_from_scripts() {
    with_servers(|name, at| {
        let imap = |words: &[&str], input: &str| imap(at, words, input);
        for subject in ["one", "two", "thrée"] {
            let letter = format!("From: bob@example.org\nSubject: {subject}\n\nx\n");
            let date = "2026-02-01T08:00:00Z";
            good(&imap(
                &["append", "INBOX", "--date", date, "--flags", "answered"],
                &letter,
            ));
        }
        assert_eq!(good(&imap(&["count"], "")), "3\n", "{name}");
        let list = good(&imap(&["list"], ""));
        assert!(
            list.starts_with("1\t\\Answered") && list.contains("1-Feb-2026 08:00:00 +0000"),
            "{name}: {list}"
        );
        let flags = good(&imap(&["flags", "1:2", "--add", "seen,work"], ""));
        assert!(
            flags
                .lines()
                .all(|line| line.contains("\\Seen") && line.contains("work")),
            "{name}: {flags}"
        );
        assert_eq!(good(&imap(&["count"], "")), "1\n", "{name}");
        assert_eq!(
            good(&imap(&["count", "KEYWORD", "work"], "")),
            "2\n",
            "{name}"
        );
        assert_eq!(
            good(&imap(&["count", "SUBJECT", "nothing"], "")),
            "0\n",
            "{name}"
        );
        assert_eq!(
            good(&imap(&["flags", "2", "--set", "flagged"], "")),
            "2\t\\Flagged\n",
            "{name}"
        );
        let json = good(&imap(
            &["flags", "UNSEEN", "SUBJECT", "thrée", "--json"],
            "",
        ));
        assert_eq!(
            json, "[{\"uid\":3,\"flags\":[\"\\\\Answered\"]}]\n",
            "{name}"
        );
        bad(
            &imap(&["flags", "SUBJECT", "nothing", "--add", "seen"], ""),
            1,
        );
        bad(&imap(&["flags", "9", "--add", "seen"], ""), 1);
        // The newest that is so, as tests of mail want it.
        assert_eq!(
            good(&imap(
                &[
                    "fetch",
                    "FROM",
                    "bob",
                    "--newest",
                    "--section",
                    "HEADER.FIELDS (SUBJECT)",
                    "--lf"
                ],
                ""
            )),
            "Subject: thrée\n\n",
            "{name}"
        );
        assert_eq!(
            good(&imap(&["search", "SUBJECT \"thrée\" UNSEEN"], "")),
            "3\n",
            "{name}"
        );
        assert_eq!(
            good(&imap(&["search", "ALL", "--json"], "")),
            "[1,\n 2,\n 3]\n",
            "{name}"
        );
        let refused = imap(&["copy", "1", "--to", "Élsewhere"], "");
        assert!(bad(&refused, 1).contains("Élsewhere"), "{name}");
        assert_eq!(
            good(&imap(&["copy", "1", "--to", "Élsewhere", "--create"], "")),
            "1\n",
            "{name}"
        );
        assert_eq!(
            good(&imap(&["move", "1,3", "--to", "Élsewhere"], "")),
            "2:3\n",
            "{name}"
        );
        assert_eq!(good(&imap(&["search"], "")), "2\n", "{name}");
        good(&imap(
            &["flags", "Élsewhere", "1:2", "--add", "deleted"],
            "",
        ));
        assert_eq!(
            good(&imap(&["expunge", "Élsewhere", "2"], "")),
            "1\n",
            "{name}"
        );
        assert_eq!(good(&imap(&["expunge", "Élsewhere"], "")), "1\n", "{name}");
        good(&imap(
            &["flags", "Élsewhere", "3", "--add", "deleted", "--expunge"],
            "",
        ));
        assert!(
            good(&imap(&["status", "Élsewhere", "--json"], "")).contains("\"messages\":0,"),
            "{name}"
        );
        good(&imap(&["rename", "Élsewhere", "Là"], ""));
        good(&imap(&["subscribe", "Là"], ""));
        let subscribed = good(&imap(&["raw", "LSUB \"\" *"], ""));
        assert!(subscribed.contains("L&AOA-"), "{name}: {subscribed}");
        good(&imap(&["unsubscribe", "Là"], ""));
        assert!(
            !good(&imap(&["raw", "LSUB \"\" *"], "")).contains("L&AOA-"),
            "{name}"
        );
        let folders = good(&imap(&["folders", "--json"], ""));
        assert!(
            folders.contains("{\"mailbox\":\"Là\",\"delimiter\":\""),
            "{name}: {folders}"
        );
        let list = good(&imap(&["list", "--json"], ""));
        assert!(
            list.starts_with("[{\"uid\":2,\"flags\":[\"\\\\Flagged\"],\"date\":\""),
            "{name}: {list}"
        );
        assert!(
            list.ends_with("\"sender\":\"bob@example.org\",\"subject\":\"two\"}]\n"),
            "{name}: {list}"
        );
    });
}

#[test]
fn fetched_messages_are_files() {
    with_servers(|name, at| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |part: &str| folder.path().join(part).to_str().expect("UTF-8").to_owned();
        good(&imap(
            at,
            &[
                "append",
                "INBOX",
                "--flags",
                "seen,flagged",
                "--date",
                "1000000000",
            ],
            LETTER,
        ));
        good(&imap(at, &["append", "INBOX"], "Subject: two\n\nFrom me\n"));
        good(&imap(at, &["fetch", "1:2", "--output", &path("Mail/")], ""));
        let files = |part: &str| -> Vec<_> {
            let entries = fs::read_dir(folder.path().join("Mail").join(part)).expect("a folder");
            entries
                .map(|entry| entry.expect("an entry").path())
                .collect()
        };
        let (new, cur) = (files("new"), files("cur"));
        assert_eq!(
            (new.len(), cur.len(), files("tmp").len()),
            (1, 1, 0),
            "{name}"
        );
        assert!(
            cur[0].to_str().is_some_and(|name| name.ends_with(":2,FS")),
            "{name}: {cur:?}"
        );
        assert_eq!(
            fs::read_to_string(&cur[0]).expect("UTF-8"),
            LETTER.replace("\r\n", "\n"),
            "{name}"
        );
        let modified = fs::metadata(&cur[0])
            .expect("there")
            .modified()
            .expect("known");
        let since = modified
            .duration_since(std::time::UNIX_EPOCH)
            .expect("after 1970");
        assert_eq!(since.as_secs(), 1_000_000_000, "{name}");
        good(&imap(
            at,
            &["fetch", "1:2", "--output", &path("mbox"), "--mbox"],
            "",
        ));
        let mbox = fs::read_to_string(path("mbox")).expect("UTF-8");
        assert!(
            mbox.starts_with("From ") && mbox.contains("\n\n>From me\n\n"),
            "{name}: {mbox}"
        );
        assert!(
            mbox.contains("\nStatus: RO\nX-Status: F\n\n* BYE\n"),
            "{name}: {mbox}"
        );
        good(&imap(at, &["fetch", "1", "--output", &path("one.eml")], ""));
        assert_eq!(
            fs::read_to_string(path("one.eml")).expect("UTF-8"),
            LETTER,
            "{name}"
        );
        let given = good(&imap(at, &["fetch", "2", "--mda", "tr a-z A-Z"], ""));
        assert_eq!(given, "SUBJECT: TWO\n\nFROM ME\n", "{name}");
        let failed = imap(at, &["fetch", "1:2", "--mda", "exit 4"], "");
        assert!(bad(&failed, 74).contains("--mda exit 4"), "{name}");
        bad(
            &imap(at, &["fetch", "1", "--output", "/nonexistent/x"], ""),
            74,
        );
    });
}

#[test]
fn a_backup_fetches_what_is_new() {
    with_servers(|name, at| {
        let folder = tempfile::tempdir().expect("a folder");
        let backup = folder.path().join("backup");
        let there = backup.to_str().expect("UTF-8");
        let files = |part: &str| fs::read_dir(backup.join(part)).map_or(0, Iterator::count);
        for flags in ["seen", "keyword"] {
            good(&imap(at, &["append", "INBOX", "--flags", flags], LETTER));
        }
        good(&imap(at, &["create", "Été/2026"], ""));
        good(&imap(at, &["append", "Été/2026"], LETTER));
        good(&imap(at, &["create", "Empty"], ""));
        let said = good(&imap(at, &["backup", there], ""));
        // In the order in which the server lists them.
        let mut lines: Vec<&str> = said.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["INBOX\t2\t0\t0", "Été/2026\t1\t0\t0"], "{name}");
        let summer = ".&AMk-t&AOk-.2026/new";
        assert_eq!(
            (files("cur"), files("new"), files(summer)),
            (1, 1, 1),
            "{name}"
        );
        assert_eq!(
            good(&imap(at, &["backup", there], "")),
            "",
            "{name}: nothing is new"
        );
        good(&imap(at, &["append", "INBOX"], LETTER));
        // What is read here keeps its name, but for its flags, which are the server's.
        let read = fs::read_dir(backup.join("new"))
            .expect("a folder")
            .next()
            .expect("one")
            .expect("an entry");
        let named = format!("{}:2,S", read.file_name().to_string_lossy());
        fs::rename(read.path(), backup.join("cur").join(named)).expect("renamed");
        good(&imap(at, &["append", "Été/2026"], LETTER));
        assert_eq!(
            good(&imap(at, &["backup", there, "inbox"], "")),
            "INBOX\t1\t1\t0\n",
            "{name}"
        );
        assert_eq!(
            (files("cur"), files("new"), files(summer)),
            (2, 1, 1),
            "{name}"
        );
        assert!(
            bad(&imap(at, &["backup", there, "Nowhere", "INBOX"], ""), 1).contains("Nowhere"),
            "{name}"
        );
        // A mailbox that is another one now has other messages.
        good(&imap(at, &["delete", "Été/2026"], ""));
        thread::sleep(Duration::from_millis(1100));
        good(&imap(at, &["create", "Été/2026"], ""));
        good(&imap(
            at,
            &["append", "Été/2026"],
            "Subject: another\n\nx\n",
        ));
        assert_eq!(
            good(&imap(at, &["backup", there], "")),
            "Été/2026\t1\t0\t0\n",
            "{name}"
        );
        assert_eq!((files("tmp"), files(summer)), (0, 2), "{name}");
    });
}

/// The names in a folder of a backup, in order: UID and flags.
fn saved(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for part in ["new", "cur"] {
        for entry in fs::read_dir(folder.join(part)).expect("a folder") {
            let name = entry.expect("an entry").file_name();
            let name = name.to_string_lossy().into_owned();
            let uid = name.split('U').nth(1).expect("a UID").replace(".imap", "");
            names.push(format!("{part} {uid}"));
        }
    }
    names.sort();
    names
}

#[test]
fn a_backup_follows_flags_and_prunes_when_it_is_told_to() {
    with_servers(|name, at| {
        let folder = tempfile::tempdir().expect("a folder");
        let backup = folder.path().join("backup");
        let there = backup.to_str().expect("UTF-8");
        for flags in ["seen", "flagged,draft", "$label", "seen"] {
            good(&imap(at, &["append", "INBOX", "--flags", flags], LETTER));
        }
        assert_eq!(good(&imap(at, &["backup", there], "")), "INBOX\t4\t0\t0\n");
        assert_eq!(
            saved(&backup),
            ["cur 1:2,S", "cur 2:2,DF", "cur 4:2,S", "new 3"],
            "{name}"
        );
        good(&imap(at, &["flags", "1", "--remove", "seen"], ""));
        good(&imap(at, &["flags", "2", "--set", "answered,deleted"], ""));
        good(&imap(at, &["flags", "3", "--add", "seen"], ""));
        assert_eq!(good(&imap(at, &["backup", there], "")), "INBOX\t0\t3\t0\n");
        let now = ["cur 1:2,", "cur 2:2,RT", "cur 3:2,S", "cur 4:2,S"];
        assert_eq!(saved(&backup), now, "{name}");
        assert_eq!(good(&imap(at, &["backup", there], "")), "", "{name}");
        // Letters that another program has added stay.
        let named = |uid: &str| {
            let entries = fs::read_dir(backup.join("cur")).expect("a folder");
            let mut paths = entries.map(|entry| entry.expect("an entry").path());
            let of = format!("U{uid}.imap");
            let found = paths.find(|path| path.to_string_lossy().contains(&of));
            found.expect("it is there")
        };
        let path = named("3");
        let more = path.to_string_lossy().replace(":2,S", ":2,PSa");
        fs::rename(&path, more).expect("renamed");
        // What is gone there stays here, unless it is said.
        good(&imap(
            at,
            &["flags", "4,1", "--add", "deleted", "--expunge"],
            "",
        ));
        assert_eq!(good(&imap(at, &["backup", there], "")), "", "{name}");
        let now = ["cur 1:2,", "cur 2:2,RT", "cur 3:2,PSa", "cur 4:2,S"];
        assert_eq!(saved(&backup), now, "{name}");
        good(&imap(at, &["append", "INBOX"], LETTER));
        let said = good(&imap(at, &["backup", there, "--prune"], ""));
        assert_eq!(said, "INBOX\t1\t0\t2\n", "{name}");
        assert_eq!(
            saved(&backup),
            ["cur 2:2,RT", "cur 3:2,PSa", "new 5"],
            "{name}"
        );
        // What is no message of ours is left alone, and an empty mailbox takes the others along.
        fs::write(backup.join("new/17.other"), LETTER).expect("written");
        good(&imap(at, &["empty", "INBOX"], ""));
        let said = good(&imap(at, &["backup", there, "--prune"], ""));
        assert_eq!(said, "INBOX\t0\t0\t3\n", "{name}");
        let left = fs::read_dir(backup.join("new")).expect("a folder").count();
        assert_eq!(left, 1, "{name}");
        fs::remove_file(backup.join("new/17.other")).expect("it is there");
        assert_eq!(saved(&backup), [""; 0], "{name}");
    });
}

/// A mailbox that was made anew: what was there before goes when all that is there now is here, and not before.
#[test]
fn a_pruned_backup_has_the_new_messages_before_the_old_ones_go() {
    let ours = Server::start();
    let at = at(ours.address("imap"));
    let folder = tempfile::tempdir().expect("a folder");
    let there = folder.path().to_str().expect("UTF-8");
    good(&imap(&at, &["create", "Box"], ""));
    good(&imap(&at, &["append", "Box"], LETTER));
    good(&imap(&at, &["backup", there], ""));
    good(&imap(&at, &["delete", "Box"], ""));
    thread::sleep(Duration::from_millis(1100));
    good(&imap(&at, &["create", "Box"], ""));
    good(&imap(&at, &["append", "Box"], "Subject: another\n\nx\n"));
    let prune = || good(&imap(&at, &["backup", there, "--prune"], ""));
    let files = || fs::read_dir(folder.path().join(".Box/new")).map_or(0, Iterator::count);
    assert_eq!((prune(), files()), ("Box\t1\t0\t0\n".into(), 2));
    assert_eq!((prune(), files()), ("Box\t0\t0\t1\n".into(), 1));
    assert_eq!((prune(), files()), (String::new(), 1));
}

/// Killed while it sets flags: no message is lost or twice, and the next run ends what was begun.
#[test]
fn a_backup_that_is_killed_among_flags_goes_on() {
    let ours = Server::start();
    let at = at(ours.address("imap"));
    const MESSAGES: usize = 200;
    let letters: Vec<String> = (0..MESSAGES)
        .map(|number| format!("APPEND INBOX {{3+}}\n{number:03}\n"))
        .collect();
    good(&imap(&at, &["raw"], &letters.concat()));
    let folder = tempfile::tempdir().expect("a folder");
    let there = folder.path().to_str().expect("UTF-8");
    good(&imap(&at, &["backup", there], ""));
    for (delay, change) in (0..20).zip(["--add", "--remove"].iter().cycle()) {
        good(&imap(&at, &["flags", "1:*", change, "seen"], ""));
        let mut child = command("imap", &at, &["backup", there, "--prune"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it is built");
        thread::sleep(Duration::from_millis(delay));
        child.kill().expect("it is ours");
        child.wait().expect("it ends");
        assert_eq!(saved(folder.path()).len(), MESSAGES);
    }
    good(&imap(&at, &["flags", "1:*", "--add", "flagged"], ""));
    good(&imap(&at, &["backup", there], ""));
    let texts = fs::read_dir(folder.path().join("cur")).expect("a folder");
    let texts: std::collections::BTreeSet<String> = texts
        .map(|entry| {
            let path = entry.expect("an entry").path();
            assert!(path.to_string_lossy().ends_with(":2,F"), "{path:?}");
            fs::read_to_string(path).expect("UTF-8")
        })
        .collect();
    assert_eq!(texts.len(), MESSAGES);
}

/// Who writes a command only when the one before it is answered: both ends of a pipe.
#[test]
fn raw_commands_are_sent_as_they_are_written() {
    with_servers(|name, at| {
        let mut child = command("imap", at, &["raw", "--keep-going"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it is built");
        let mut stdin = child.stdin.take().expect("a pipe");
        let stdout = child.stdout.take().expect("a pipe");
        let (sender, lines) = std::sync::mpsc::channel();
        let reader = thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                let _ = sender.send(line.expect("UTF-8"));
            }
        });
        let until = |begin: &str| {
            let mut heard = Vec::new();
            loop {
                let line = lines.recv_timeout(program::PATIENCE);
                heard.push(line.unwrap_or_else(|_| panic!("{name}: no {begin}: {heard:?}")));
                if heard.last().is_some_and(|line| line.starts_with(begin)) {
                    return heard.join("\n");
                }
            }
        };
        let mut say = |octets: &str| {
            stdin.write_all(octets.as_bytes()).expect("it reads");
            stdin.flush().expect("it reads");
        };
        say("x1 SELECT INBOX\r\n");
        until("x1 OK ");
        say("x2 APPEND INBOX (\\Seen) {21}\r\n");
        until("+ ");
        say("Subject: a\r\n\r\nx2 OK\r\n\r\n");
        until("x2 OK ");
        // Whether its octets are asked for or not, they are no command.
        say("x3 APPEND Nowhere {10}\nx9 EXPUNGE\nx4 FETCH 1 (FLAGS BODY[TEXT])\n");
        until("x3 NO ");
        let fetched = until("x4 OK ");
        assert!(
            fetched.contains("BODY[TEXT] {7}\nx2 OK"),
            "{name}: {fetched}"
        );
        assert!(!fetched.contains("x9"), "{name}: {fetched}");
        say("x5 IDLE\n");
        until("+ ");
        good(&imap(at, &["append", "INBOX"], LETTER));
        until("* 2 EXISTS");
        say("DONE\n");
        until("x5 OK ");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        reader.join().expect("no panic");
        assert!(bad(&output, 1).contains("APPEND Nowhere"), "{name}");
    });
}

#[test]
fn what_is_wrong_on_standard_input_is_told_with_its_line() {
    let ours = Server::start();
    let at = at(ours.address("imap"));
    assert!(bad(&imap(&at, &["raw"], "\n\n"), 64).contains("no commands"));
    let wrong = imap(&at, &["raw"], "NOOP\n\nNO\rOP\nNOOP\n");
    assert!(bad(&wrong, 65).contains("line 3: a CR"));
    assert!(
        text(&wrong.stdout).contains("OK"),
        "what was before is done"
    );
    let short = imap(&at, &["raw"], "APPEND INBOX {50}\nshort\n");
    assert!(bad(&short, 65).contains("line 1: a literal of 50 octets, and only 6 follow"));
    let long = imap(&at, &["raw"], &"X".repeat(200_000));
    assert!(bad(&long, 65).contains("line 1: longer than any command"));
    assert_eq!(good(&imap(&at, &["list"], "")), "", "nothing was appended");
    // The end of the input is the end of a literal too, and of IDLE.
    good(&imap(&at, &["raw"], "APPEND INBOX {8}\nA: b\n\nc\n\nIDLE"));
    assert!(good(&imap(&at, &["list"], "")).starts_with("1\t"));
}

/// It is killed at each moment, again and again: every message comes once.
#[test]
fn a_backup_that_is_killed_goes_on() {
    let ours = Server::start();
    let at = at(ours.address("imap"));
    const MESSAGES: usize = 30;
    for number in 0..MESSAGES {
        good(&imap(
            &at,
            &["append", "INBOX"],
            &format!("Subject: message {number}\n\nx\n"),
        ));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let there = folder.path().to_str().expect("UTF-8");
    for delay in 0..30 {
        let mut child = command("imap", &at, &["backup", there])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it is built");
        thread::sleep(Duration::from_millis(delay));
        child.kill().expect("it is ours");
        child.wait().expect("it ends");
    }
    good(&imap(&at, &["backup", there], ""));
    let texts = fs::read_dir(folder.path().join("new")).expect("a folder");
    let texts =
        texts.map(|entry| fs::read_to_string(entry.expect("an entry").path()).expect("UTF-8"));
    let texts: std::collections::BTreeSet<_> = texts.collect();
    let count = fs::read_dir(folder.path().join("new"))
        .expect("a folder")
        .count();
    assert_eq!((texts.len(), count), (MESSAGES, MESSAGES));
}

#[test]
fn a_server_says_what_it_is() {
    with_servers(|name, at| {
        let whole = good(&imap(at, &["serverinfo"], ""));
        assert!(
            whole.contains("capability: IMAP4rev1\n")
                && whole.contains("namespace: personal \"\" \"/\"\n"),
            "{name}: {whole}"
        );
        let mut nobody = Command::new(MAILTOOL);
        nobody
            .args(["imap", "capabilities", "--json", "--server", at])
            .env_remove("MAILTOOL_USER");
        let said = good(&run(&mut nobody, ""));
        assert!(
            said.starts_with("{\"greeting\":\"") && said.contains("\"AUTH=PLAIN\""),
            "{name}: {said}"
        );
    });
    let deaf = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = deaf.local_addr().expect("bound");
    thread::spawn(move || {
        let (mut stream, _) = deaf.accept().expect("a client");
        let _ = stream.write_all(b"* OK [CAPABILITY IMAP4rev1 ID] \x1b[2J odd\r\n* CAPABILITY X\r\na1 OK\r\na2 BAD ID?\r\na3 OK\r\n");
        thread::sleep(Duration::from_millis(200));
    });
    let mut nobody = Command::new(MAILTOOL);
    nobody
        .args(["imap", "serverinfo", "--server", &at(address)])
        .env_remove("MAILTOOL_USER");
    let said = good(&run(&mut nobody, ""));
    assert!(
        said.starts_with("greeting:  [2J odd\ncapability: "),
        "{said:?}"
    );
}
