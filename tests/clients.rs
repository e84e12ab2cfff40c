//! The clients of the built program, `pop` and `imap`, and `send` as sendmail: against `serve`, and against servers that say odd
//! things.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/program.rs"]
mod program;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use program::{MAILTOOL, Server, run, scripted};

const LETTER: &str = "From: =?utf-8?q?Andr=C3=A9?= <a@example.org>\nSubject: =?utf-8?b?ZMOpasOgIHZ1?=\n\n.dot\n..dots\nend\n";

/// Runs a client as alice against `address`.
fn client(applet: &str, address: SocketAddr, words: &[&str], input: &str) -> Output {
    let mut command = Command::new(MAILTOOL);
    command
        .arg(applet)
        .args(words)
        .args(["--server", &format!("localhost:{}", address.port())])
        .args(["--user", "alice", "--timeout", "10"])
        .env("MAILTOOL_PASSWORD", "alice");
    run(&mut command, input)
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What it printed; it must have gone well.
fn good(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    stdout(output)
}

/// What it complained about; it must have ended with `code`.
fn bad(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}", stderr(output));
    stderr(output)
}

/// `--timeout` is the time that it says, whatever the server is silent about: the greeting, or TLS. A machine that is busy may be slow
/// now and then, but not each time.
#[test]
fn a_silent_server_is_given_up_in_time() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = listener.local_addr().expect("it is bound");
    for (applet, words) in [
        ("pop", &["stat"][..]),
        ("imap", &["folders"]),
        ("send", &["--to", "alice@localhost", "--body", "x"]),
        ("pop", &["--tls", "stat"]),
    ] {
        let quick = (0..5).any(|_| {
            let mut command = Command::new(MAILTOOL);
            command.arg(applet).args(words);
            command.args(["--server", &address.to_string(), "--timeout", "0.2"]);
            command
                .args(["--user", "alice"])
                .env("MAILTOOL_PASSWORD", "alice");
            let begun = Instant::now();
            let output = run(&mut command, "");
            let said = stderr(&output);
            assert!(
                said.contains("in time") || said.contains("took too long"),
                "{said}"
            );
            // Two seconds are what a peer that has said goodbye is given.
            begun.elapsed() < Duration::from_millis(1900)
        });
        assert!(quick, "{applet} {words:?} waits longer than --timeout says");
    }
}

#[test]
fn imap_keeps_mailboxes() {
    let server = Server::start();
    let imap = |words: &[&str], input: &str| client("imap", server.address("imap"), words, input);
    assert_eq!(good(&imap(&["append", "INBOX"], LETTER)), "1\n");
    assert_eq!(good(&imap(&["create", "Envoyés"], "")), "");
    assert!(bad(&imap(&["create", "Envoyés"], ""), 1).contains("CREATE Envoyés"));
    assert_eq!(good(&imap(&["folders"], "")), "INBOX\nEnvoyés\n");
    let list = good(&imap(&["list"], ""));
    assert!(list.starts_with("1\t"), "{list}");
    assert!(
        list.ends_with("\tAndré <a@example.org>\tdéjà vu\n"),
        "{list}"
    );
    assert_eq!(good(&imap(&["fetch", "*", "--lf"], "")), LETTER);
    assert_eq!(
        good(&imap(&["fetch", "1"], "")),
        LETTER.replace('\n', "\r\n")
    );
    assert_eq!(
        good(&imap(&["fetch", "1", "--section", "TEXT", "--lf"], "")),
        ".dot\n..dots\nend\n"
    );
    let missing = imap(&["fetch", "1,9", "--lf"], "");
    assert!(bad(&missing, 1).contains("UID FETCH 9"));
    assert_eq!(
        stdout(&missing),
        LETTER,
        "what is there is given all the same"
    );
    assert_eq!(
        good(&imap(&["search", "SUBJECT", "déjà vu", "UNSEEN"], "")),
        "1\n"
    );
    bad(&imap(&["search", "SUBJECT", "nothing like it"], ""), 1);
    assert!(bad(&imap(&["search", "BEFORE", "yesterday"], ""), 64).contains("1-Feb-1994"));
    assert!(good(&imap(&["status"], "")).starts_with("MESSAGES 1\nUNSEEN 1\n"));
    bad(&imap(&["status", "nowhere"], ""), 1);
    assert_eq!(good(&imap(&["empty", "INBOX"], "")), "1\n");
    assert_eq!(good(&imap(&["empty", "INBOX"], "")), "0\n");
    assert_eq!(good(&imap(&["delete", "Envoyés"], "")), "");
    assert_eq!(good(&imap(&["folders"], "")), "INBOX\n");
}

#[test]
fn pop_reads_and_deletes() {
    let server = Server::start();
    for _ in 0..2 {
        good(&client(
            "imap",
            server.address("imap"),
            &["append", "INBOX"],
            LETTER,
        ));
    }
    let octets = LETTER.len() + LETTER.lines().count();
    let pop = |words: &[&str]| client("pop", server.address("pop3"), words, "");
    assert_eq!(good(&pop(&["stat"])), format!("2 {}\n", 2 * octets));
    assert_eq!(good(&pop(&["list"])), format!("1 {octets}\n2 {octets}\n"));
    let ids = good(&pop(&["uidl"]));
    assert_eq!(
        good(&pop(&["uidl", "2"])),
        ids.lines().nth(1).unwrap().to_owned() + "\n"
    );
    assert_eq!(good(&pop(&["retr", "1", "2", "--lf"])), LETTER.repeat(2));
    let header = LETTER.split_inclusive("\n\n").next().unwrap();
    assert_eq!(
        good(&pop(&["top", "1", "1", "--lf"])),
        format!("{header}.dot\n")
    );
    let some = pop(&["dele", "1", "7"]);
    assert!(bad(&some, 1).contains("DELE 7"));
    assert_eq!(good(&pop(&["uidl"])).lines().count(), 1);
    assert!(bad(&pop(&["retr", "2"]), 1).contains("RETR 2"));
}

#[test]
fn tls_is_checked_and_passwords_stay_out_of_sight() {
    let server = Server::start();
    let authority = server.authority();
    let ca = authority.to_str().expect("UTF-8");
    for (applet, clear, secure, words) in [
        ("imap", "imap", "imaps", &["folders"][..]),
        ("pop", "pop3", "pop3s", &["stat"]),
    ] {
        let call = |service: &str, options: &[&str]| {
            client(
                applet,
                server.address(service),
                &[words, options].concat(),
                "",
            )
        };
        for (service, option) in [(clear, "--starttls"), (secure, "--tls")] {
            let output = call(service, &[option, "--ca", ca, "-v"]);
            good(&output);
            let dialogue = stderr(&output);
            assert!(dialogue.contains("\nT: tls # TLSv1.3 ") || dialogue.starts_with("T: tls # "));
            let mechanism = ["PLAIN", "SCRAM-SHA-256"]
                .iter()
                .any(|name| dialogue.contains(&format!(" {name} ********\n")));
            assert!(mechanism, "{dialogue}");
            assert!(!dialogue.contains("AGFsaWNlAGFsaWNl"), "{dialogue}");
            assert!(bad(&call(service, &[option]), 76).contains("certificate"));
            good(&call(service, &[option, "--insecure"]));
        }
        assert!(bad(&call(clear, &["--tls"]), 76).contains("not TLS"));
    }
}

#[test]
fn who_and_where_are_asked_for_before_anything_else() {
    let run = |words: &[&str]| {
        let mut command = Command::new(MAILTOOL);
        command
            .args(words)
            .env_remove("MAILTOOL_USER")
            .env("MAILTOOL_PASSWORD", "x");
        run(&mut command, "")
    };
    assert!(bad(&run(&["pop", "stat"]), 64).contains("--user NAME"));
    assert!(
        bad(
            &run(&["imap", "--server", "nowhere.invalid", "-u", "a", "folders"]),
            68
        )
        .contains("nowhere.invalid")
    );
    let free = TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("bound");
    let refused = client("pop", free, &["stat"], "");
    assert!(bad(&refused, 69).contains("mailtool serve"));
    let server = Server::start_with(&["--user", "alice:other"]);
    assert!(
        bad(&client("pop", server.address("pop3"), &["stat"], ""), 77).contains("login refused")
    );
    assert!(
        bad(
            &client("imap", server.address("imap"), &["folders"], ""),
            77
        )
        .contains("login refused")
    );
}

#[test]
fn odd_servers_are_told_apart() {
    let pop = |replies: &[&str]| client("pop", scripted(replies), &["retr", "1"], "");
    assert!(bad(&pop(&["220 mail ESMTP\r\n"]), 76).contains("right port"));
    bad(&pop(&["-ERR [SYS/TEMP] later\r\n"]), 75);
    bad(&pop(&["-ERR go away\r\n"]), 69);
    let login = ["+OK\r\n", "-ERR\r\n", "+OK\r\n", "+OK\r\n"];
    let cut_off = pop(&[&login[..], &["+OK\r\nhalf a mess"]].concat());
    assert!(bad(&cut_off, 75).contains("RETR 1"), "{}", stderr(&cut_off));
    let evil = pop(&[&login[..], &["-ERR \u{1b}[2J no\r\n", "+OK\r\n"]].concat());
    let said = bad(&evil, 1);
    assert!(
        said.contains("\\x1b[2J") && !said.contains('\u{1b}'),
        "{said}"
    );

    let imap = |replies: &[&str]| client("imap", scripted(replies), &["fetch", "1"], "");
    bad(&imap(&["+OK POP3\r\n"]), 76);
    bad(&imap(&["* BYE [UNAVAILABLE] full\r\n"]), 75);
    let login = [
        "* OK [CAPABILITY IMAP4rev1] hi\r\n",
        "a1 OK\r\n",
        "* 1 EXISTS\r\na2 OK\r\n",
    ];
    let desync = "* 1 FETCH (BODY[] {17}\r\na3 OK not the end UID 1)\r\na3 OK\r\n";
    let fetched = imap(&[&login[..], &[desync, "* BYE\r\na4 OK\r\n"]].concat());
    assert_eq!(good(&fetched), "a3 OK not the end");
    let full = imap(&[&login[..], &["a3 NO [OVERQUOTA] full\r\n", "a4 OK\r\n"]].concat());
    assert!(bad(&full, 69).contains("full"), "the message is there");
    let endless = imap(&[&login[..], &["* 1 FETCH (BODY[] {99}\r\nshort"]].concat());
    bad(&endless, 75);
}

#[test]
fn a_mailbox_that_is_not_there_is_so_in_the_middle_of_a_long_message_too() {
    let server = scripted(&[
        "* OK [CAPABILITY IMAP4rev1 LITERAL+] hi\r\n",
        "a1 OK\r\n",
        "a2 NO [TRYCREATE] no such mailbox\r\n",
    ]);
    let letter = "a line of a long message\n".repeat(400_000);
    let output = client("imap", server, &["append", "nowhere"], &letter);
    assert!(bad(&output, 1).contains("APPEND nowhere: no such mailbox"));
}

#[test]
fn a_reader_who_goes_away_is_left_quietly() {
    let server = Server::start();
    let letter = format!("Subject: long\n\n{}", "a line of text\n".repeat(100_000));
    good(&client(
        "imap",
        server.address("imap"),
        &["append", "INBOX"],
        &letter,
    ));
    let command = format!(
        "{MAILTOOL} pop --server localhost:{} -u alice retr 1 | head -c 9",
        server.port("pop3")
    );
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &command])
        .env("MAILTOOL_PASSWORD", "alice");
    let output = run(&mut shell, "");
    assert_eq!(
        (stdout(&output).as_str(), stderr(&output).as_str()),
        ("Subject: ", "")
    );
    let full = format!(
        "{MAILTOOL} pop --server localhost:{} -u alice retr 1 > /dev/full",
        server.port("pop3")
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &full]).env("MAILTOOL_PASSWORD", "alice");
    assert!(bad(&run(&mut shell, ""), 74).contains("No space left"));
    let file = server.folder.path().join("password");
    fs::write(&file, "alice\n").expect("written");
    let mut command = Command::new(MAILTOOL);
    command
        .args(["pop", "stat", "-u", "alice", "--password-file"])
        .arg(&file)
        .args(["--port", &server.port("pop3")])
        .env_remove("MAILTOOL_PASSWORD");
    assert!(good(&run(&mut command, "")).starts_with("1 "));
}

/// As sendmail, with its server.
fn sendmail(server: &Server, words: &[&str]) -> Command {
    let mut command = Command::new(MAILTOOL);
    command.arg("sendmail").args(words);
    command.args(["--server", &format!("localhost:{}", server.port("smtp"))]);
    command
        .env_remove("MAILTOOL_USER")
        .env("MAILTOOL_STORE", server.store());
    command
}

#[test]
fn sendmail_gives_a_program_the_dialogue() {
    let server = Server::start();
    let authority = server.authority();
    let secure = ["--tls", "--ca", authority.to_str().expect("UTF-8")];
    let at = format!("localhost:{}", server.port("smtps"));
    for tls in [&[][..], &[&secure[..], &["--server", &at]].concat()] {
        let mut command = match tls {
            [] => sendmail(&server, &["-bs"]),
            tls => {
                let mut command = Command::new(MAILTOOL);
                command.args(["sendmail", "-bs"]).args(tls);
                command.env_remove("MAILTOOL_USER");
                command
            }
        };
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("it is built");
        let mut typed = child.stdin.take().expect("a pipe");
        let mut said = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut reply = || loop {
            let line = said.next().expect("a reply").expect("a pipe");
            if line.as_bytes().get(3) != Some(&b'-') {
                return line;
            }
        };
        assert!(reply().starts_with("220 "));
        for (line, begins) in [
            ("EHLO pc", "250 "),
            // The port of TLS is for those who log in.
            ("AUTH PLAIN AGJvYgBib2I=", "235 "),
            ("MAIL FROM:<bob@localhost>", "250 "),
            ("RCPT TO:<alice@localhost>", "250 "),
            ("DATA", "354 "),
            ("Subject: by hand\r\n\r\nhello\r\n.", "250 "),
            ("QUIT", "221 "),
        ] {
            typed
                .write_all(format!("{line}\r\n").as_bytes())
                .expect("it reads");
            let reply = reply();
            assert!(reply.starts_with(begins), "{line}: {reply}");
        }
        assert!(child.wait().expect("a child").success());
    }
    assert_eq!(server.inbox("alice").len(), 2);
    let [port] = program::free_ports();
    let server_at = format!("localhost:{port}");
    let nobody = run(
        Command::new(MAILTOOL).args(["sendmail", "-bs", "--server", &server_at]),
        "",
    );
    assert!(bad(&nobody, 69).contains("nothing listens there"));
}

#[test]
fn sendmail_asks_about_the_queue() {
    let server = Server::start();
    let said = good(&run(&mut sendmail(&server, &["-bp"]), ""));
    assert_eq!(said, "the queue is empty\n");
    let said = good(&run(&mut sendmail(&server, &["-q"]), ""));
    assert!(said.starts_with("everything"), "{said}");
    assert_eq!(good(&run(&mut sendmail(&server, &["-bi"]), "")), "");
    let mut newaliases = Command::new(MAILTOOL);
    assert_eq!(good(&run(newaliases.arg("newaliases"), "")), "");
    for (words, why) in [
        (&["-bt"][..], "-bm sends"),
        (&["-q30m"], "tries again by itself"),
        (&["-bs", "--user", "alice"], "logs in by itself"),
        (&["-N", "always", "a@localhost"], "--notify always"),
        (&["-R", "half", "a@localhost"], "--return half"),
        (&["-V", "", "a@localhost"], "--envelope-id"),
    ] {
        let mut command = sendmail(&server, words);
        let output = run(command.env("MAILTOOL_PASSWORD", "x"), "text\n");
        let said = bad(&output, 64);
        assert!(said.contains(why), "{words:?}: {said}");
    }
}

#[test]
fn reports_come_to_who_asked_for_them() {
    let server = Server::start();
    let words = [
        "-N",
        "success,failure",
        "-R",
        "hdrs",
        "-V",
        "lab 1",
        "-f",
        "bob@localhost",
    ];
    let words = [&words[..], &["-v", "alice@localhost"]].concat();
    let output = run(
        &mut sendmail(&server, &words),
        "Subject: to be reported\n\nx\n",
    );
    assert_eq!(good(&output), "", "sendmail is silent");
    let shown = stderr(&output);
    assert!(
        shown.contains(" RET=HDRS ENVID=lab+201\n") && shown.contains(" NOTIFY=SUCCESS,FAILURE"),
        "{shown}"
    );
    let report = by_hand::message(&server.store(), "bob", "Original-Envelope-Id: lab 1");
    let report = String::from_utf8_lossy(&report).into_owned();
    assert!(report.contains("Action: delivered"), "{report}");
    // A service of the machine has no name in its environment.
    let mut command = sendmail(&server, &["-v", "alice@localhost"]);
    command.env_remove("USER").env_remove("LOGNAME");
    let output = run(&mut command, "Subject: of a service\n\nx\n");
    good(&output);
    let name = good(&run(Command::new("id").arg("-un"), ""));
    let sender = format!("C: MAIL FROM:<{}@localhost>", name.trim());
    assert!(stderr(&output).contains(&sender), "{}", stderr(&output));
    // One that does not know them is not asked, and that is told.
    let plain = scripted(&[
        "220 a\r\n",
        "250 a\r\n",
        "250 Ok\r\n",
        "250 Ok\r\n",
        "354 Go\r\n",
    ]);
    let mut command = Command::new(MAILTOOL);
    command.args([
        "send",
        "-N",
        "never",
        "-f",
        "bob@localhost",
        "--to",
        "a@localhost",
        "-v",
    ]);
    command.args([
        "--body",
        "x",
        "--timeout",
        "5",
        "--server",
        &plain.to_string(),
    ]);
    let output = run(&mut command, "");
    assert!(!stderr(&output).contains("NOTIFY="), "{}", stderr(&output));
}
