//! A class of thirty at the exercise, all at once, over plain sockets: graded right, and kept.

#[path = "support/program.rs"]
mod program;

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use program::{MAILTOOL, PATIENCE, Server, ended, run, succeeded};

/// Longer than what the server takes for a program's pause; a slow machine makes it longer still.
const TYPING: Duration = Duration::from_millis(400);

fn ask(server: &Server, words: &[&str]) -> std::process::Output {
    let mut command = Command::new(MAILTOOL);
    command
        .arg("serve")
        .args(words)
        .arg("--store")
        .arg(server.store())
        .env("LC_ALL", "C.UTF-8");
    run(&mut command, "")
}

/// Somebody, or something, that speaks.
struct Talk {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
    pause: Duration,
    tags: u32,
}

impl Talk {
    fn to(server: &Server, service: &str, pause: Duration) -> Self {
        let stream = TcpStream::connect(server.address(service)).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let reader = BufReader::new(stream.try_clone().expect("a socket"));
        let mut talk = Self {
            stream,
            reader,
            pause,
            tags: 0,
        };
        talk.line();
        talk
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("a line");
        assert!(!line.is_empty(), "it closed");
        line
    }

    fn say(&mut self, text: &str) {
        thread::sleep(self.pause);
        let line = format!("{text}\r\n");
        self.stream.write_all(line.as_bytes()).expect("it reads");
    }

    fn smtp(&mut self, text: &str, code: &str) {
        self.say(text);
        loop {
            let line = self.line();
            if line.as_bytes().get(3) != Some(&b'-') {
                assert!(line.starts_with(code), "{text}: {line}");
                return;
            }
        }
    }

    fn pop(&mut self, text: &str) {
        self.say(text);
        let line = self.line();
        assert!(line.starts_with("+OK"), "{text}: {line}");
        if text == "LIST" || text.starts_with("RETR") {
            while self.line() != ".\r\n" {}
        }
    }

    fn imap(&mut self, text: &str) {
        self.tags += 1;
        let tag = format!("id{}", self.tags);
        self.say(&format!("{tag} {text}"));
        loop {
            let line = self.line();
            if let Some(reply) = line.strip_prefix(&format!("{tag} ")) {
                assert!(reply.starts_with("OK"), "{text}: {line}");
                return;
            }
        }
    }
}

/// What a student does, and how.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Right,
    /// A script.
    Program,
    /// Always writes to the first of the class.
    ToOthers,
    /// Tries no error, empties nothing, does not log in by SMTP.
    Lazy,
}

fn work(server: &Server, login: &str, password: &str, way: Way) {
    let pause = if way == Way::Program {
        Duration::ZERO
    } else {
        TYPING
    };
    let to = if way == Way::ToOthers { "s01" } else { login };
    let mut smtp = Talk::to(server, "smtp", pause);
    smtp.smtp("HELO pc", "250");
    if way != Way::Lazy {
        smtp.smtp("MAIL FROM", "501");
    }
    smtp.smtp(&format!("MAIL FROM:<{login}@lab.example>"), "250");
    smtp.smtp(&format!("RCPT TO:<{to}@lab.example>"), "250");
    smtp.smtp("DATA", "354");
    smtp.smtp(&format!("Subject: of {login}\r\n\r\nQUIT\r\n."), "250");
    smtp.smtp("QUIT", "221");
    if way != Way::Lazy {
        use base64::Engine as _;
        let plain =
            base64::engine::general_purpose::STANDARD.encode(format!("\0{login}\0{password}"));
        let mut smtp = Talk::to(server, "submission", pause);
        smtp.smtp("EHLO pc", "250");
        smtp.smtp(&format!("AUTH PLAIN {plain}"), "235");
        smtp.smtp("QUIT", "221");
    }
    if way == Way::ToOthers {
        // Nothing to read: another's program brings it something.
        let mut smtp = Talk::to(server, "smtp", Duration::ZERO);
        smtp.smtp("EHLO elsewhere", "250");
        smtp.smtp("MAIL FROM:<>", "250");
        smtp.smtp(&format!("RCPT TO:<{login}@lab.example>"), "250");
        smtp.smtp("DATA", "354");
        smtp.smtp("Subject: hello\r\n\r\n.", "250");
        smtp.smtp("QUIT", "221");
    }
    let mut pop = Talk::to(server, "pop3", pause);
    for command in [
        &format!("USER {login}"),
        &format!("PASS {password}"),
        "STAT",
        "LIST",
        "RETR 1",
        "STAT",
        "QUIT",
    ] {
        pop.pop(command);
    }
    let mut imap = Talk::to(server, "imap", pause);
    imap.imap(&format!("LOGIN {login} {password}"));
    imap.imap("SELECT INBOX");
    imap.imap("FETCH 1 BODY[]");
    imap.imap("CREATE Work");
    imap.imap("LIST \"\" *");
    if way != Way::Lazy {
        imap.imap("STORE 1 +FLAGS (\\Deleted)");
        imap.imap("EXPUNGE");
    }
    imap.imap("LOGOUT");
}

/// Who has done which steps, as the CSV has it.
fn table(server: &Server) -> HashMap<String, String> {
    let csv = succeeded(&ask(server, &["progress", "--csv"]));
    let mut lines = csv.lines();
    let titles: Vec<&str> = lines.next().expect("titles").split(',').collect();
    assert_eq!(titles[..4], ["login", "name", "group", "1"], "{csv}");
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let open = titles
            .iter()
            .zip(&fields)
            .filter(|(_, field)| ["open", "tried"].contains(field));
        let open: Vec<&str> = open.map(|(title, _)| *title).collect();
        (fields[0].to_owned(), open.join(" "))
    };
    lines.map(row).collect()
}

#[test]
fn thirty_students_at_once_are_graded_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut list = "Nom;Identifiant;Groupe\n".to_owned();
    for number in 1..=30 {
        list.push_str(&format!(
            "\u{c9}l\u{e8}ve {number};s{number:02};TP{}\n",
            1 + number % 2
        ));
    }
    fs::write(folder.path().join("class.csv"), list).expect("a list");
    let path = folder.path().join("class.csv");
    let path = path.to_str().expect("a path");
    let options = [
        "--class",
        path,
        "--exercise",
        "lab",
        "--domain",
        "lab.example",
        "--allow-plaintext",
    ];
    let server = Server::start_in(folder, &options);
    let (_, said) = ended(&ask(&server, &["class", "nobody"]), 1);
    assert!(said.contains("nobody of that login or group"), "{said}");
    let credentials = succeeded(&ask(&server, &["class"]));
    let passwords: Vec<(String, String)> = credentials
        .lines()
        .filter(|line| line.ends_with("@lab.example"))
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            (words[3].to_owned(), words[4].to_owned())
        })
        .collect();
    assert_eq!(passwords.len(), 30, "{credentials}");
    let all: std::collections::BTreeSet<&String> =
        passwords.iter().map(|(_, password)| password).collect();
    assert_eq!(all.len(), 30, "{credentials}");

    thread::scope(|scope| {
        for (login, password) in &passwords {
            let way = match login.as_str() {
                "s28" => Way::Program,
                "s29" => Way::ToOthers,
                "s30" => Way::Lazy,
                _ => Way::Right,
            };
            let server = &server;
            scope.spawn(move || work(server, login, password, way));
        }
    });

    let graded = table(&server);
    assert_eq!(graded.len(), 30);
    for (login, open) in &graded {
        let expected = match login.as_str() {
            "s28" => "1 4 5 7 8 9 12 13",
            "s29" => "4",
            "s30" => "7 15 18",
            _ => "",
        };
        assert_eq!(open, expected, "{login}");
    }
    let one = succeeded(&ask(&server, &["progress", "s29"]));
    assert!(
        one.contains("all of it, but not to oneself") && one.contains("sessions show 20"),
        "{one}"
    );
    let json = succeeded(&ask(
        &server,
        &["progress", "s30", "--json", "--lang", "fr"],
    ));
    assert!(
        json.contains("\"step\":\"18\",\"state\":\"open\"") && json.contains("\"of\":15"),
        "{json}"
    );
    let page = succeeded(&ask(&server, &["progress", "TP1", "--lang", "fr"]));
    assert!(
        page.contains("12/15") && !page.contains("s01") && page.contains("sur la copie"),
        "{page}"
    );
    // What is named there can be looked at.
    let session = one.split("sessions show ").nth(1).expect("a session");
    let session = session.split_whitespace().next().expect("its name");
    let shown = (0..100).find_map(|_| {
        let shown = ask(&server, &["sessions", "show", session]);
        if !shown.status.success() {
            thread::sleep(Duration::from_millis(100));
        }
        shown.status.success().then_some(shown)
    });
    assert!(shown.is_some(), "{session}");

    // It is the same after a restart: marks, and passwords.
    wait_for_lines(&server);
    let server = Server::start_in(server.kill(), &options);
    assert_eq!(table(&server), graded);
    let again = succeeded(&ask(&server, &["class"]));
    for (login, password) in &passwords {
        assert!(
            again.contains(&format!("{password}  {login}@lab.example")),
            "{again}"
        );
    }
    let page = succeeded(&ask(&server, &["class", "--html", "--lang", "fr"]));
    assert!(
        page.starts_with("<!DOCTYPE html>\n<html lang=\"fr\">")
            && page.contains("<dt>MOT DE PASSE</dt>")
    );
    assert!(
        page.contains(&format!("smtp {}", server.address("smtp"))),
        "{page}"
    );
}

/// The last lines are on their way to the file: those of s30's tries.
fn wait_for_lines(server: &Server) {
    let begun = Instant::now();
    loop {
        let kept = fs::read_to_string(server.store().join("class/progress")).unwrap_or_default();
        if kept.contains("tried s30 15 ") && kept.contains("done s01 14 ") {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{kept}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_is_wrong_is_told_before_anything_listens() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        path.to_str().expect("a path").to_owned()
    };
    let store = folder.path().join("store");
    let store = store.to_str().expect("a path");
    let list = write("class.csv", "login\nann\n../etc\n");
    let (_, said) = ended(
        &program::mailtool(&["serve", "--store", store, "--class", &list], ""),
        1,
    );
    assert!(
        said.contains("line 3") && said.contains("cannot be a login"),
        "{said}"
    );
    let exercise = write(
        "x.exercise",
        "en: a\nfr: b\nstep 1 smtp\nen: c\nfr: d\nsya QUIT\n",
    );
    let (_, said) = ended(
        &program::mailtool(
            &[
                "serve",
                "--store",
                store,
                "--user",
                "a:b",
                "--exercise",
                &exercise,
            ],
            "",
        ),
        1,
    );
    assert!(
        said.contains("line 6") && said.contains("sya QUIT"),
        "{said}"
    );
}

#[test]
fn a_server_without_an_exercise_says_so() {
    let server = Server::start();
    let said = ask(&server, &["progress"]);
    assert!(!said.status.success());
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("--exercise"), "{said}");
}
