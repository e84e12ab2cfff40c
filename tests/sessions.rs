//! Dialogues as things to look at: kept in files, shown live, drawn, captured one by one; and scripts that wait for a message.

#[path = "support/program.rs"]
mod program;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use program::{MAILTOOL, PATIENCE, Server, ended, have, run, succeeded};

/// `mailtool serve WORDS --store STORE`
fn serve(server: &Server, words: &[&str]) -> Command {
    let mut command = Command::new(MAILTOOL);
    command
        .arg("serve")
        .args(words)
        .arg("--store")
        .arg(server.store())
        .env("LC_ALL", "C.UTF-8")
        .env_remove("NO_COLOR");
    command
}

/// Sends a message; what the server called it.
fn send(server: &Server, to: &str, subject: &str, body: &str) -> String {
    let mut smtp = Smtp::to(server);
    smtp.say("EHLO pc1");
    smtp.say("MAIL FROM:<carol@example.org>");
    smtp.say(&format!("RCPT TO:<{to}>"));
    smtp.say("DATA");
    let taken = smtp.say(&format!("Subject: {subject}\r\n\r\n{body}\r\n."));
    assert!(taken.starts_with("250 "), "{taken}");
    smtp.say("QUIT");
    let mut words = taken.split(' ');
    words
        .find(|word| word.contains('-'))
        .unwrap_or_else(|| panic!("{taken}"))
        .to_owned()
}

struct Smtp {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Smtp {
    fn to(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address("smtp")).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let reader = BufReader::new(stream.try_clone().expect("a socket"));
        let mut smtp = Self { stream, reader };
        smtp.reply();
        smtp
    }

    fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line).expect("a reply");
            if line.as_bytes().get(3) != Some(&b'-') {
                return line;
            }
        }
    }

    fn say(&mut self, line: &str) -> String {
        self.stream
            .write_all(format!("{line}\r\n").as_bytes())
            .expect("it reads");
        self.reply()
    }
}

/// Waits until it is so.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE * 2, "never: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == kind))
        .collect();
    files.sort();
    files
}

/// The text of the only session that is over.
fn only(server: &Server) -> String {
    until("a session that is over", || {
        let files = files(&server.store().join("sessions"), "dialog");
        let text = fs::read_to_string(files.first()?).ok()?;
        text.contains("# ended: ").then_some(text)
    })
}

#[test]
fn a_session_is_kept_with_the_message_that_it_brought() {
    let server = Server::start();
    let id = send(&server, "alice@localhost", "hello", "first\r\n..second");
    let text = only(&server);
    let name = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("# session: "))
        .expect("its name");
    for line in [
        "# service: smtp\n",
        "\nC: EHLO pc1\n",
        "\nC: ..second\nC: .\n",
        &format!("\n# message: {id}\n"),
        "\nC: QUIT\n",
        "\nS: [eof]\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    // By its name, its number, as the last one, and by the message.
    let number = name.rsplit('-').next().expect("a number");
    for called in [name, number, "last", &id] {
        let shown = succeeded(&run(&mut serve(&server, &["sessions", "show", called]), ""));
        assert_eq!(shown, text, "{called}");
    }
    let listed = succeeded(&run(
        &mut serve(&server, &["sessions", "list", "smtp,alice"]),
        "",
    ));
    assert!(listed.starts_with(name) && listed.contains(&id), "{listed}");
    let none = serve(&server, &["sessions", "list", "pop3"]).output();
    let none = none.expect("it runs");
    assert_eq!(none.status.code(), Some(1));
    let json = run(
        &mut serve(&server, &["sessions", "show", "last", "--json"]),
        "",
    );
    let json = succeeded(&json);
    let check = format!(
        "import json,sys; s=json.load(sys.stdin); assert s['messages']==['{id}'], s; \
         assert any(t['what']=='client' and t['text']=='QUIT' for t in s['steps'])"
    );
    succeeded(&run(Command::new("python3").args(["-c", &check]), &json));
    let explained = ["sessions", "show", "last", "--explain", "fr"];
    let explained = succeeded(&run(&mut serve(&server, &explained), ""));
    assert!(
        explained.contains("C: RCPT TO:<alice@localhost>"),
        "{explained}"
    );
    assert!(explained.contains("  RCPT  "), "{explained}");
    // And when the server does not run any more.
    let folder = server.kill();
    let store = folder.path().join("store");
    let mut command = Command::new(MAILTOOL);
    command.args([
        "serve", "sessions", "diagram", "last", "--lang", "fr", "--format", "svg",
    ]);
    let svg = succeeded(&run(command.arg("--store").arg(store), ""));
    assert!(
        svg.starts_with("<svg ") && svg.contains("enveloppe"),
        "{svg}"
    );
    let parsed = "import sys,xml.dom.minidom as m; m.parseString(sys.stdin.buffer.read())";
    succeeded(&run(Command::new("python3").args(["-c", parsed]), &svg));
}

#[test]
fn a_message_that_imap_brings_is_named_too() {
    let server = Server::start_with(&[]);
    let mut imap = TcpStream::connect(server.address("imap")).expect("it listens");
    imap.set_read_timeout(Some(PATIENCE)).expect("a socket");
    imap.write_all(
        b"a LOGIN alice alice\r\nb CREATE Sent\r\nc APPEND Sent {2+}\r\nx\n {3+}\r\nyy\n\r\nd LOGOUT\r\n",
    )
    .expect("it reads");
    let mut heard = String::new();
    imap.read_to_string(&mut heard).expect("it ends");
    assert!(heard.contains("c OK [APPENDUID "), "{heard}");
    let text = only(&server);
    assert!(
        text.contains("\n# message: Sent/1\n# message: Sent/2\n"),
        "{text}"
    );
    let shown = succeeded(&run(
        &mut serve(&server, &["sessions", "show", "Sent/2"]),
        "",
    ));
    assert!(shown.contains("LOGOUT"), "{shown}");
}

#[test]
fn a_session_that_fails_is_kept_and_says_why() {
    let server = Server::start();
    let mut stream = TcpStream::connect(server.address("imaps")).expect("it listens");
    stream
        .write_all(b"GET / HTTP/1.0\r\n\r\n")
        .expect("written");
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    drop(stream);
    let text = only(&server);
    assert!(text.contains("# service: imaps\n"), "{text}");
    assert!(text.contains("\n# trouble: TLS: "), "{text}");
    let failed = succeeded(&run(
        &mut serve(&server, &["sessions", "list", "--failed"]),
        "",
    ));
    assert!(failed.contains("imaps"), "{failed}");
}

#[test]
fn passwords_are_in_no_file() {
    let server = Server::start();
    let mut client = Command::new(MAILTOOL);
    client.args(["pop", "stat", "-u", "alice", "--insecure-login", "--server"]);
    client.arg(format!("localhost:{}", server.port("pop3")));
    client.arg("--ca").arg(server.authority());
    client.env("MAILTOOL_PASSWORD", "alice");
    let output = client.output().expect("it runs");
    drop(output);
    let mut stream = TcpStream::connect(server.address("imap")).expect("it listens");
    stream
        .write_all(
            b"a LOGIN alice alice-secret\r\nb LOGIN alice {12}\r\nalice-secret\r\nc LOGOUT\r\n",
        )
        .expect("written");
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    let folder = server.store().join("sessions");
    until("the session of IMAP", || {
        let texts = files(&folder, "dialog");
        let texts: Vec<String> = texts
            .iter()
            .filter_map(|path| fs::read_to_string(path).ok())
            .collect();
        let all = texts.join("");
        assert!(!all.contains("alice-secret"), "{all}");
        all.contains("C: a LOGIN alice ********").then_some(())
    });
}

#[test]
fn sessions_are_off_when_that_is_wanted_and_elsewhere_too() {
    let server = Server::start_with(&["--sessions", "off"]);
    send(&server, "alice@localhost", "x", "y");
    assert!(!server.store().join("sessions").exists());
    let server = Server::start_with(&["--sessions", "dialogues"]);
    send(&server, "alice@localhost", "x", "y");
    let elsewhere = server.folder.path().join("dialogues");
    until("a file", || files(&elsewhere, "dialog").pop());
}

#[test]
fn a_killed_server_leaves_what_was_said() {
    let server = Server::start();
    let mut smtp = Smtp::to(&server);
    smtp.say("EHLO pc1");
    smtp.say("MAIL FROM:<carol@example.org>");
    until("the second in which it is written", || {
        let files = files(&server.store().join("sessions"), "dialog");
        let text = fs::read_to_string(files.first()?).ok()?;
        text.contains("C: MAIL FROM:<carol@example.org>")
            .then_some(())
    });
    let listed = succeeded(&run(&mut serve(&server, &["sessions", "list"]), ""));
    assert!(listed.contains(" open "), "{listed}");
    drop(server.kill());
}

/// What it has printed so far.
struct Printing {
    child: Child,
    path: PathBuf,
}

impl Printing {
    fn start(mut command: Command, path: PathBuf) -> Self {
        let file = fs::File::create(&path).expect("a file");
        let child = command
            .stdin(Stdio::null())
            .stdout(file)
            .spawn()
            .expect("it runs");
        Self { child, path }
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap_or_default()
    }
}

impl Drop for Printing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn who_follows_sees_lines_as_they_are_spoken() {
    let server = Server::start();
    let path = |name: &str| server.folder.path().join(name);
    let words = ["sessions", "follow", "alice", "--explain", "en"];
    let alice = Printing::start(serve(&server, &words), path("alice"));
    let json = Printing::start(
        serve(&server, &["sessions", "follow", "--json"]),
        path("json"),
    );
    // It is there when it is heard of: what was said before is not.
    until("somebody follows", || {
        let mut smtp = Smtp::to(&server);
        smtp.say("EHLO nobody");
        smtp.say("MAIL FROM:<alice@localhost>");
        let both = alice.text().contains("alice@localhost") && json.text().contains("EHLO nobody");
        both.then_some(())
    });
    send(&server, "bob@localhost", "x", "for bob");
    send(&server, "alice@localhost", "x", "for alice");
    let text = until("the message to alice", || {
        let text = alice.text();
        (text.contains("C: for alice") && text.contains("the server closes")).then_some(text)
    });
    assert!(!text.contains("for bob"), "{text}");
    assert!(text.contains("  RCPT  "), "it is explained\n{text}");
    assert!(!text.contains('\u{1b}'), "no colours in a file");
    until("the one to bob", || {
        let line = "\"what\":\"client\",\"text\":\"for bob\"}";
        json.text().contains(line).then_some(())
    });
}

#[test]
fn the_terminal_of_the_server_shows_what_is_wanted() {
    let server = Server::start_with(&["--watch", "smtp,alice", "--explain", "fr"]);
    send(&server, "bob@localhost", "x", "for bob");
    send(&server, "alice@localhost", "x", "for alice");
    until("the message to alice", || {
        server.log().contains("C: for alice").then_some(())
    });
    let log = server.log();
    assert!(!log.contains("for bob"), "{log}");
    assert!(log.contains("C: EHLO pc1"), "from its beginning\n{log}");
    assert!(!log.contains('\u{1b}'), "no colours in a file");
}

#[test]
fn a_script_gets_the_link_of_the_message_that_its_command_sends() {
    let server = Server::start();
    send(&server, "alice@localhost", "Reset", "https://a.example/old");
    let mut wait = serve(
        &server,
        &[
            "wait",
            "--to",
            "alice",
            "--subject",
            "(?i)^reset",
            "--print",
            "link",
        ],
    );
    wait.args(["--timeout", "60", "--", MAILTOOL, "send", "--server"]);
    wait.arg(format!("127.0.0.1:{}", server.port("smtp")));
    wait.args(["-f", "carol@example.org", "alice@localhost"]);
    wait.args([
        "--subject",
        "Reset now",
        "--body",
        "Go to https://a.example/new?x=1.",
    ]);
    let output = run(&mut wait, "");
    assert_eq!(succeeded(&output), "https://a.example/new?x=1\n");
}

#[test]
fn which_messages_count_is_said_and_not_guessed() {
    let server = Server::start();
    let wait = |words: &[&str]| {
        let mut command = serve(&server, &["wait"]);
        run(command.args(words), "")
    };
    let first = send(&server, "alice@localhost", "one", "Your code is 111111");
    // Those that were there before do not count by themselves.
    let (said, complained) = ended(&wait(&["--to", "alice", "--timeout", "0.3"]), 1);
    assert_eq!(said, "");
    assert!(complained.contains("within 0.3 s"), "{complained}");
    let mark = succeeded(&wait(&["--mark"]));
    assert_eq!(mark, "@1\n");
    let second = send(&server, "bob@localhost", "two", "Your code is 222222");
    let third = send(&server, "alice@localhost", "three", "Your code is 333333");
    let of = |words: &[&str]| succeeded(&wait(words));
    assert_eq!(of(&["--existing", "--print", "otp"]), "111111\n");
    assert_eq!(
        of(&["--existing", "--to", "bob@LOCALHOST"]),
        format!("{second}\n")
    );
    assert_eq!(of(&["--existing", "--body", "3{6}"]), format!("{third}\n"));
    assert_eq!(
        of(&["--since", "60", "--subject", "^two$"]),
        format!("{second}\n")
    );
    assert_eq!(of(&["--after", &first, "--print", "otp"]), "222222\n");
    assert_eq!(
        of(&["--after", mark.trim(), "--count", "2"]),
        format!("{second}\n{third}\n")
    );
    let json = of(&["--after", &second, "--print", "json"]);
    assert!(json.contains("\"subject\":\"three\"") && json.contains("\"codes\":[\"333333\"]"));
    let raw = of(&["--existing", "--subject", "two", "--print", "raw"]);
    assert!(
        raw.starts_with("Return-Path: <carol@example.org>\r\n"),
        "{raw}"
    );
    assert!(raw.ends_with("\r\n\r\nYour code is 222222\r\n"), "{raw}");
    let (_, complained) = ended(&wait(&["--after", "none-1", "--timeout", "20"]), 65);
    assert!(complained.contains("does not remember"), "{complained}");
    // A message is there for who waits though it was fetched and deleted.
    for path in server.inbox("bob") {
        fs::remove_file(path).expect("removed");
    }
    let body = ["--existing", "--to", "bob", "--print", "body"];
    assert_eq!(of(&body), "Your code is 222222\n");
    let (_, complained) = ended(&wait(&["--timeout", "30", "--", "sh", "-c", "exit 7"]), 7);
    assert!(complained.contains("sh failed"), "{complained}");
}

#[test]
fn several_that_wait_each_get_their_own() {
    let server = Server::start();
    let waiting: Vec<Child> = (0..8)
        .map(|number| {
            let to = format!("{number}@localhost");
            let mut command = serve(
                &server,
                &["wait", "--existing", "--from", &to, "--print", "body"],
            );
            command.stdout(Stdio::piped()).spawn().expect("it runs")
        })
        .collect();
    for number in (0..8).rev() {
        let mut smtp = Smtp::to(&server);
        smtp.say("EHLO pc1");
        smtp.say(&format!("MAIL FROM:<{number}@localhost>"));
        smtp.say("RCPT TO:<alice@localhost>");
        smtp.say("DATA");
        smtp.say(&format!("Subject: x\r\n\r\nfrom {number}\r\n."));
    }
    for (number, child) in waiting.into_iter().enumerate() {
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(said, format!("from {number}\n"));
    }
}

#[test]
fn without_a_server_there_is_nothing_to_wait_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(MAILTOOL);
    command
        .args(["serve", "wait", "--store"])
        .arg(folder.path());
    let (_, complained) = ended(&run(&mut command, ""), 69);
    assert!(complained.contains("no server runs"), "{complained}");
}

#[test]
fn a_server_ends_after_as_many_messages_as_it_was_told() {
    let mut server = Server::start_with(&["--exit-after", "2"]);
    let waits = serve(&server, &["wait", "--existing", "--count", "3"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    send(&server, "alice@localhost", "x", "y");
    let mut smtp = Smtp::to(&server);
    for line in [
        "EHLO pc1",
        "MAIL FROM:<>",
        "RCPT TO:<bob@localhost>",
        "DATA",
    ] {
        smtp.say(line);
    }
    let taken = smtp.say("Subject: x\r\n\r\ny\r\n.");
    assert!(taken.starts_with("250 "), "it is acknowledged: {taken}");
    let ended = until("its end", || server.child.try_wait().expect("a child"));
    assert!(ended.success(), "{ended}");
    assert_eq!(server.inbox("bob").len(), 1);
    let waited = waits.wait_with_output().expect("it ends");
    assert_eq!(waited.status.code(), Some(69), "{waited:?}");
    let text = only(&server);
    assert!(
        text.contains("C: EHLO pc1"),
        "what was said is written\n{text}"
    );
}

fn tshark(file: &Path, words: &[&str]) -> String {
    let mut command = Command::new("tshark");
    command.env("HOME", "/nonexistent").env("LC_ALL", "C");
    command.arg("-n").arg("-r").arg(file).args(words);
    command.args(["-o", "smtp.decryption:TRUE"]);
    succeeded(&run(&mut command, ""))
}

fn assert_clean(file: &Path, ports: &[&str]) {
    let mut words = vec![
        "-Y",
        "tcp.analysis.flags || _ws.malformed || _ws.expert.severity >= 0x600000",
        "-z",
        "expert,warn",
    ];
    for port in ports {
        words.extend(["-d", port]);
    }
    assert_eq!(tshark(file, &words).trim(), "", "{}", file.display());
}

#[test]
fn a_folder_of_captures_has_a_file_for_each_session_that_is_read_by_itself() {
    if !have("tshark", "tshark") {
        return;
    }
    let server = Server::start_with(&["--pcap", "captures/"]);
    let folder = server.folder.path().join("captures");
    send(&server, "alice@localhost", "x", "in the clear");
    // Two behind TLS, at the same time: each file has its own secrets.
    let fetch = |service: &str, words: &[&str]| {
        let mut command = Command::new(MAILTOOL);
        command.args(words).args(["-u", "alice", "--timeout", "20"]);
        command.args(["--pcap", "clients/", "--server"]);
        command.arg(format!("localhost:{}", server.port(service)));
        command.arg("--ca").arg(server.authority());
        command.env("MAILTOOL_PASSWORD", "alice");
        command.env_remove("SSLKEYLOGFILE");
        command.current_dir(server.folder.path());
        command.stdout(Stdio::null()).spawn().expect("it runs")
    };
    let both = [
        fetch("pop3s", &["pop", "retr", "1", "--tls"]),
        fetch("imaps", &["imap", "folders", "--tls"]),
    ];
    for mut child in both {
        assert!(child.wait().expect("it ends").success());
    }
    let sessions = server.store().join("sessions");
    let port = |service: &str| server.port(service);
    let captures = until("three files and sessions", || {
        let captures = files(&folder, "pcapng");
        let whole = |path: &PathBuf| {
            let name = path.file_stem().expect("a name");
            let session = sessions.join(format!("{}.dialog", name.to_string_lossy()));
            fs::read_to_string(session).is_ok_and(|text| text.contains("# ended: "))
        };
        (captures.len() == 3 && captures.iter().all(whole)).then_some(captures)
    });
    thread::sleep(Duration::from_millis(300));
    let (pop, imap, smtp) = (port("pop3s"), port("imaps"), port("smtp"));
    let ports = [
        format!("tcp.port=={smtp},smtp"),
        format!("tcp.port=={pop},tls"),
        format!("tls.port=={pop},pop"),
        format!("tcp.port=={imap},tls"),
        format!("tls.port=={imap},imap"),
    ];
    let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
    let clients = files(&server.folder.path().join("clients"), "pcapng");
    assert_eq!(clients.len(), 2);
    let mut found = Vec::new();
    for file in captures.iter().chain(&clients) {
        assert_clean(file, &ports);
        for (field, wanted) in [
            ("smtp.req.command", "RCPT"),
            ("pop.request.command", "RETR"),
            ("imap.request.command", "LIST"),
        ] {
            let mut words = vec!["-Y", field, "-T", "fields", "-e", field];
            for port in &ports {
                words.extend(["-d", port]);
            }
            if tshark(file, &words).contains(wanted) {
                found.push(wanted);
            }
        }
    }
    found.sort_unstable();
    assert_eq!(found, ["LIST", "LIST", "RCPT", "RETR", "RETR"]);
}

#[test]
fn a_capture_goes_on_in_the_next_file_when_it_is_full() {
    if !have("tshark", "tshark") {
        return;
    }
    let server = Server::start_with(&[
        "--pcap",
        "all.pcapng",
        "--pcap-size",
        "100K",
        "--pcap-files",
        "3",
    ]);
    let mut smtp = Smtp::to(&server);
    smtp.say("EHLO pc1");
    let text = format!("Subject: x\r\n\r\n{}.", "0123456789\r\n".repeat(2500));
    for number in 0..20 {
        smtp.say(&format!("MAIL FROM:<{number}@example.org>"));
        smtp.say("RCPT TO:<alice@localhost>");
        smtp.say("DATA");
        assert!(smtp.say(&text).starts_with("250 "));
    }
    smtp.say("QUIT");
    drop(smtp);
    let folder = server.folder.path().to_path_buf();
    until("its end in the newest file", || {
        let text = fs::read(folder.join("all.pcapng")).ok()?;
        let said = |word: &[u8]| text.windows(word.len()).any(|here| here == word);
        said(b"QUIT").then_some(())
    });
    thread::sleep(Duration::from_millis(300));
    let captures = files(&folder, "pcapng");
    let names: Vec<String> = captures
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    assert_eq!(names, ["all.1.pcapng", "all.2.pcapng", "all.pcapng"]);
    let port = format!("tcp.port=={},smtp", server.port("smtp"));
    for file in &captures {
        let octets = fs::metadata(file).expect("a file").len();
        assert!(octets < 200 * 1024, "{octets}");
        assert_clean(file, &[&port]);
        let comments = ["-Y", "frame.comment", "-T", "fields", "-e", "frame.comment"];
        let comments = tshark(file, &comments);
        assert!(
            comments.contains("continued from the file before"),
            "{comments}"
        );
    }
    let words = [
        "-d",
        &port,
        "-Y",
        "smtp.req.command",
        "-T",
        "fields",
        "-e",
        "smtp.req.command",
    ];
    assert!(tshark(&captures[2], &words).contains("QUIT"));
}
