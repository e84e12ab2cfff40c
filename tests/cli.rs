//! The command line: applets and links, what `serve` accepts and refuses, how it starts and stops.

#[path = "support/program.rs"]
mod program;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use program::{MAILTOOL, Server, ended, have, mailtool, run, succeeded};

const APPLETS: [&str; 7] = ["serve", "nc", "send", "pop", "imap", "mailq", "codes"];

/// The standard error of a command that failed with `code`.
fn failed(output: &Output, code: i32) -> String {
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{complained}");
    complained
}

#[test]
fn the_list_names_every_applet() {
    assert_eq!(
        succeeded(&mailtool(&["--list"], ""))
            .lines()
            .collect::<Vec<_>>(),
        APPLETS
    );
}

#[test]
fn every_applet_has_help_with_examples_a_man_page_and_completions() {
    for applet in APPLETS {
        let long = succeeded(&mailtool(&["help", applet], ""));
        assert!(
            long.contains("Usage:") && long.contains("Example"),
            "{applet}: {long}"
        );
        let man = succeeded(&mailtool(&["man", applet], ""));
        assert!(
            man.contains(".TH") && man.contains(".SH NAME") && man.contains(".SH OPTIONS"),
            "{applet}: {man}"
        );
        if applet != "nc" {
            // To netcat -h and --help are its own, in Debian's words.
            assert!(
                succeeded(&mailtool(&[applet, "--help"], "")).contains("Usage:"),
                "{applet}"
            );
        }
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = succeeded(&mailtool(&["completions", shell], ""));
        for applet in APPLETS {
            assert!(script.contains(applet), "{shell}: no {applet}");
        }
    }
    let unknown = mailtool(&["help", "sevre"], "");
    assert!(failed(&unknown, 64).contains("mailtool --list"));
}

#[test]
fn a_word_that_is_no_applet_is_a_usage_error() {
    let complained = failed(&mailtool(&["sevre"], ""), 64);
    assert!(complained.contains("sevre"), "{complained}");
    assert_eq!(mailtool(&[], "").status.code(), Some(64));
}

#[test]
fn links_act_as_applets_and_never_replace_a_file_unasked() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = |folder: &std::path::Path| {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.sort();
        names
    };
    let (soft, hard) = (folder.path().join("soft"), folder.path().join("hard"));
    succeeded(&mailtool(
        &["--install", "-s", soft.to_str().expect("text")],
        "",
    ));
    for applet in APPLETS.iter().chain(&["netcat", "ncat", "sendmail"]) {
        assert!(
            fs::symlink_metadata(soft.join(applet)).is_ok_and(|link| link.is_symlink()),
            "{applet}"
        );
    }
    let said = succeeded(&run(
        Command::new(soft.join("codes")).args(["--lang", "en", "354"]),
        "",
    ));
    assert!(said.contains("354"), "{said}");
    // A file of somebody else is there: it stays, and the other links are made.
    fs::create_dir(&hard).expect("a folder");
    fs::write(hard.join("nc"), "mine").expect("a file");
    // The program may be on another file system than the folder: then hard links cannot be.
    let first = mailtool(&["--install", hard.to_str().expect("text")], "");
    let complained = failed(&first, 1);
    assert!(
        complained.contains("nc: is there already; --force replaces it"),
        "{complained}"
    );
    assert_eq!(
        fs::read_to_string(hard.join("nc")).ok().as_deref(),
        Some("mine")
    );
    if complained.contains("another file system") {
        return;
    }
    assert_eq!(names(&hard), names(&soft));
    succeeded(&mailtool(
        &["--install", "--force", hard.to_str().expect("text")],
        "",
    ));
    assert_eq!(names(&hard), names(&soft), "nothing is left over");
    let inode = |path: &std::path::Path| fs::metadata(path).expect("a file").ino();
    assert_eq!(
        inode(&hard.join("nc")),
        inode(std::path::Path::new(MAILTOOL))
    );
}

#[test]
fn a_reader_that_goes_away_is_not_complained_about() {
    let command = format!(
        "{MAILTOOL} help serve | true; {MAILTOOL} man imap | head -1; {MAILTOOL} completions bash | head -1"
    );
    let output = run(Command::new("sh").args(["-c", &command]), "");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn help_names_variables_and_not_what_they_hold() {
    for words in [
        &["serve", "--help"][..],
        &["serve", "queue", "--help"],
        &["serve", "queue", "show", "--help"],
        &["serve", "deliver", "--help"],
        &["serve", "mailbox", "import", "--help"],
        &["serve", "user", "add", "--help"],
        &["mailq", "--help"],
    ] {
        let mut command = Command::new(MAILTOOL);
        command.args(words).env("MAILTOOL_STORE", "/srv/secret");
        let help = succeeded(&run(&mut command, ""));
        assert!(
            help.contains("MAILTOOL_STORE") && !help.contains("/srv/secret"),
            "{words:?}: {help}"
        );
    }
}

#[test]
fn a_queue_that_nobody_keeps_is_told_with_advice() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().to_str().expect("text");
    for words in [
        &["mailq", "--store", store][..],
        &["serve", "queue", "--store", store],
        &["serve", "queue", "flush", "example.org", "--store", store],
        &["serve", "trace", "6B081562-1-1", "--store", store, "--json"],
    ] {
        let complained = failed(&mailtool(words, ""), 69);
        assert!(
            complained.contains("no server runs on the store")
                && complained.contains("mailtool serve --store"),
            "{words:?}: {complained}"
        );
    }
    let usage = failed(&mailtool(&["serve", "queue", "show", "a b"], ""), 64);
    assert!(usage.contains("\"a b\" is no name"), "{usage}");
    assert_eq!(
        mailtool(&["serve", "queue", "frob"], "").status.code(),
        Some(64)
    );
}

/// `serve` with these options, which it must refuse.
fn serve_refuses(options: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(MAILTOOL);
    command
        .arg("serve")
        .args(options)
        .current_dir(folder.path());
    if !options.contains(&"--store") {
        command.args(["--store", "store"]);
    }
    for port in [
        "--smtp",
        "--submission",
        "--smtps",
        "--pop3",
        "--pop3s",
        "--imap",
        "--imaps",
    ] {
        if !options.contains(&port) {
            command.args([port, "0"]);
        }
    }
    failed(&run(&mut command, ""), 1)
}

#[test]
fn demo_accounts_are_for_loopback_only() {
    for options in [
        ["--listen", "0.0.0.0"],
        ["--imap", "0.0.0.0:0"],
        ["--listen", "::"],
    ] {
        let complained = serve_refuses(&options);
        assert!(
            complained.contains("alice") && complained.contains("--user"),
            "{complained}"
        );
    }
    let server = Server::start_with(&["--imap", "0.0.0.0:0", "--user", "eve:secret"]);
    assert!(server.address("imap").ip().is_unspecified());
    let screen = server.log();
    assert!(!screen.contains("secret"), "{screen}");
    let told = "\nOther PCs    passwords over TLS only (in the clear: --allow-plaintext)\n";
    assert!(screen.contains(told), "{screen}");
    let options = [
        "--imap",
        "0.0.0.0:0",
        "--user",
        "eve:secret",
        "--allow-plaintext",
    ];
    let screen = Server::start_with(&options).log();
    assert!(
        !screen.contains(told) && screen.contains("everybody on the way can read"),
        "{screen}"
    );
    assert!(!Server::start().log().contains("Other PCs"));
}

#[test]
fn who_reads_french_meets_no_english() {
    let french = |words: &[&str]| {
        let mut command = Command::new(MAILTOOL);
        let state = std::env::temp_dir().join("mailtool-never-made");
        command
            .args(words)
            .env("LC_ALL", "fr_FR.UTF-8")
            .env("XDG_STATE_HOME", state)
            .env("COLUMNS", "80");
        run(&mut command, "")
    };
    let help = succeeded(&french(&["nc", "--help"]));
    assert!(
        help.contains("\nQue faire :\n") && !help.contains("What to do"),
        "{help}"
    );
    assert!(
        help.contains(
            "\nUtilisation : mailtool nc [OPTIONS] HOST PORT...\n              mailtool nc -l"
        ),
        "{help}"
    );
    let (_, help) = ended(&french(&["pop"]), 64);
    for english in ["Commandes:", "The way there", "Print ", "Examples"] {
        assert!(!help.contains(english), "{english} in {help}");
    }
    let help = succeeded(&french(&["serve", "sessions", "--help"]));
    assert!(
        help.contains("Exemples :") && help.contains("La session qui a apporté ce message"),
        "{help}"
    );
    let (_, said) = ended(&french(&["serve", "--listen", "192.0.2.1"]), 1);
    assert_eq!(
        said,
        "mailtool: smtp sur 192.0.2.1:1025 serait joignable d'autres machines, d'où n'importe qui pourrait s'identifier comme alice ou \
         bob : donner des comptes à soi par --user NOM:MOTDEPASSE ou --users FICHIER, ou écouter sur 127.0.0.1\n"
    );
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let others = ["smtp", "submission", "smtps", "pop3s", "imap", "imaps"];
    let mut words = vec!["serve".to_owned(), "--store".to_owned(), "tmp".to_owned()];
    words.extend(
        others
            .iter()
            .flat_map(|other| [format!("--{other}"), "off".to_owned()]),
    );
    words.extend(["--pop3".to_owned(), address]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (_, said) = ended(&french(&words), 1);
    assert!(
        said.contains("un autre programme y écoute")
            && said.contains("--pop3 ADDR:PORT prend un autre port"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_is_refused_with_advice() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let complained = serve_refuses(&["--pop3", &address]);
    assert!(
        complained.contains(&address) && complained.contains("--pop3 ADDR:PORT"),
        "{complained}"
    );

    assert!(serve_refuses(&["--users", "nowhere"]).contains("nowhere"));
    let complained = serve_refuses(&["--user", "bob@elsewhere.example:b"]);
    assert!(
        complained.contains("bob@elsewhere.example") && !complained.contains("store"),
        "{complained}"
    );
    let complained = serve_refuses(&["--aliases", "nowhere"]);
    assert!(
        complained.contains("--aliases") && !complained.contains("--store"),
        "{complained}"
    );
    assert!(serve_refuses(&["--relay-ca", "nowhere"]).contains("--relay-ca nowhere"));
    assert!(serve_refuses(&["--catch-all", "nobody"]).contains("no such account"));
    assert!(serve_refuses(&["--lab-chain", "2", "--domain", "a.example"]).contains("--domain"));
    assert!(serve_refuses(&["--tls-cert", "cert.pem"]).contains("--tls-key"));
    let complained = serve_refuses(&["--tls-cert", "nowhere.pem", "--tls-key", "nowhere.pem"]);
    assert!(
        complained.contains("--tls-cert") && complained.matches("No such file").count() == 1,
        "{complained}"
    );
    assert!(serve_refuses(&["--user", "a:b", "--users", "file"]).contains("exclude each other"));
    let usage = mailtool(&["serve", "--user", "alice"], "");
    assert!(failed(&usage, 64).contains("NAME:PASSWORD"));
    let usage = mailtool(&["serve", "--max-size", "0"], "");
    assert!(failed(&usage, 64).contains("octets"));
    let usage = mailtool(&["serve", "--hostname", "mail\r\nhost"], "");
    assert!(failed(&usage, 64).contains("mail.example.org"));
    let usage = mailtool(&["serve", "--lmtp", "unix:"], "");
    assert!(failed(&usage, 64).contains("unix:/run"));
    let usage = mailtool(&["serve", "--smtp", "here"], "");
    assert!(failed(&usage, 64).contains("127.0.0.1:2525"));
}

#[test]
fn a_store_is_served_by_one_program_at_a_time() {
    let server = Server::start();
    let store = server.store();
    let store = store.to_str().expect("text");
    let second = serve_refuses(&["--store", store]);
    let pid = server.child.id();
    assert!(
        second.contains(store) && second.contains(&format!("(process {pid})")),
        "{second}"
    );
    // Once it is gone, however it went, the next one serves.
    Server::start_in(server.kill(), &[]);
}

#[test]
fn the_screen_names_what_listens_who_can_log_in_and_what_to_try() {
    let server = Server::start();
    let screen = server.log();
    for protocol in [
        "smtp",
        "submission",
        "smtps",
        "pop3",
        "pop3s",
        "imap",
        "imaps",
    ] {
        assert!(
            screen.contains(&server.address(protocol).to_string()),
            "{protocol}: {screen}"
        );
    }
    assert!(
        screen.contains("alice@localhost") && screen.contains("bob@localhost"),
        "{screen}"
    );
    assert!(screen.contains("tls/ca.pem"), "{screen}");
    // Each command that it offers works as it stands.
    let commands: Vec<&str> = screen
        .lines()
        .filter_map(|line| line.split_once("mailtool "))
        .map(|(_, rest)| rest)
        .collect();
    let offered: Vec<&&str> = commands
        .iter()
        .filter(|line| {
            ["nc ", "send ", "pop "]
                .iter()
                .any(|start| line.starts_with(start))
        })
        .collect();
    assert_eq!(offered.len(), 3, "{screen}");
    let whole = screen.replace("\\\n", " ");
    for line in whole.lines().filter(|line| {
        line.starts_with("  ")
            && line.contains("mailtool ")
            && !line.contains(" nc ")
            && !line.trim_start().starts_with('(')
    }) {
        let line = line.replace("mailtool ", &format!("{MAILTOOL} "));
        succeeded(&run(Command::new("sh").args(["-c", &line]), ""));
    }
    assert_eq!(server.inbox("alice").len(), 1);
}

#[test]
fn options_come_from_the_command_line_then_the_environment_then_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join("mailtool.toml"),
        "domain = ['file.example']\nhostname = 'file-host'\nuser = 'eve:secret'\n",
    )
    .expect("a file");
    let mut command = Command::new("sh");
    let line = format!(
        "exec {MAILTOOL} serve --config mailtool.toml --domain line.example --store store --smtp 0 --pop3 off --pop3s off --imap off --imaps off --submission off --smtps off --ready-fd 3 3>ready"
    );
    command
        .args(["-c", &line])
        .env("MAILTOOL_DOMAIN", "env.example")
        .env("MAILTOOL_HOSTNAME", "env-host");
    let mut child = command
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("a shell");
    let begun = Instant::now();
    let ready = loop {
        let ready = fs::read_to_string(folder.path().join("ready")).unwrap_or_default();
        if ready.ends_with('\n') {
            break ready;
        }
        assert!(begun.elapsed() < program::PATIENCE, "not ready");
        std::thread::sleep(Duration::from_millis(2));
    };
    let address = ready
        .trim_end()
        .strip_prefix("smtp ")
        .expect("only SMTP")
        .to_owned();
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(b"HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<eve@line.example>\r\nRCPT TO:<eve@env.example>\r\nQUIT\r\n").expect("it reads");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("it answers");
    let _ = child.kill();
    let _ = child.wait();
    let replies: Vec<&str> = said.lines().collect();
    assert!(replies[0].starts_with("220 env-host "), "{said}");
    assert!(
        replies[3].starts_with("250 2.1.5 ") && replies[4].starts_with("550 5.7.1 "),
        "{said}"
    );
}

#[test]
fn systemd_is_told_and_not_missed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notify");
    let systemd = UnixDatagram::bind(&path).expect("a socket");
    systemd
        .set_read_timeout(Some(program::PATIENCE))
        .expect("a timeout");
    let serve = |socket: &std::path::Path| {
        let line = format!(
            "exec {MAILTOOL} serve --store store --smtp 0 --pop3 off --pop3s off --imap off --imaps off --submission off --smtps off --ready-fd 3 3>ready"
        );
        let mut command = Command::new("sh");
        command.args(["-c", &line]).env("NOTIFY_SOCKET", socket);
        command.current_dir(folder.path()).stdout(Stdio::null());
        command.spawn().expect("a shell")
    };
    let end = |mut child: std::process::Child| {
        let _ = child.kill();
        let _ = child.wait();
    };
    let told = serve(&path);
    let mut said = [0; 100];
    let octets = systemd.recv(&mut said).expect("a datagram");
    assert_eq!(said[..octets].trim_ascii(), b"READY=1");
    end(told);

    let ready = folder.path().join("ready");
    let _ = fs::remove_file(&ready);
    let missed = serve(&folder.path().join("nobody"));
    let begun = Instant::now();
    while !fs::read_to_string(&ready).is_ok_and(|ready| ready.ends_with('\n')) {
        assert!(begun.elapsed() < program::PATIENCE, "not ready");
        std::thread::sleep(Duration::from_millis(2));
    }
    let address = fs::read_to_string(&ready).expect("the port");
    let address = address.trim_end().strip_prefix("smtp ").expect("SMTP");
    let mut greeting = [0; 4];
    let mut stream = TcpStream::connect(address).expect("it serves");
    stream.read_exact(&mut greeting).expect("a greeting");
    assert_eq!(&greeting, b"220 ");
    end(missed);
}

#[test]
fn an_empty_variable_of_the_environment_says_nothing() {
    let state = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(MAILTOOL);
    command
        .args(["serve", "--tls-cert", "cert.pem"])
        .env("MAILTOOL_LISTEN", "")
        .env("MAILTOOL_STORE", "")
        .env("MAILTOOL_DOMAIN", "")
        .env("MAILTOOL_MAX_SIZE", "")
        .env("XDG_STATE_HOME", state.path());
    // It comes as far as the first mistake that is one.
    let complained = failed(&run(&mut command, ""), 1);
    assert!(complained.contains("--tls-key"), "{complained}");
}

#[test]
fn sigterm_says_goodbye_and_loses_nothing_that_was_accepted() {
    let mut server = Server::start();
    let open = |protocol: &str| {
        let stream = TcpStream::connect(server.address(protocol)).expect("it listens");
        stream
            .set_read_timeout(Some(program::PATIENCE))
            .expect("a timeout");
        let mut reader = BufReader::new(stream);
        let mut greeting = String::new();
        reader.read_line(&mut greeting).expect("a greeting");
        reader
    };
    let idle: Vec<_> = [
        ("smtp", "421 4.3.2 "),
        ("pop3", "-ERR "),
        ("imap", "* BYE "),
    ]
    .map(|(protocol, goodbye)| (open(protocol), goodbye))
    .into();
    let mut busy = open("smtp");
    busy.get_mut()
        .write_all(
            b"HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice@localhost>\r\nDATA\r\nSubject: late\r\n\r\n",
        )
        .expect("it reads");
    let mut line = String::new();
    for code in ["250", "250", "250", "354"] {
        line.clear();
        busy.read_line(&mut line).expect("a reply");
        assert!(line.starts_with(code), "{line}");
    }
    server.signal("TERM");
    for (mut reader, goodbye) in idle {
        let mut said = String::new();
        reader
            .read_to_string(&mut said)
            .expect("a goodbye, and the end");
        assert!(
            said.starts_with(goodbye) && said.lines().count() == 1,
            "{said:?}"
        );
    }
    busy.get_mut()
        .write_all(b"body\r\n.\r\n")
        .expect("it still reads");
    line.clear();
    busy.read_line(&mut line).expect("a reply");
    assert!(line.starts_with("250 2.0.0 "), "{line}");
    let mut said = String::new();
    busy.read_to_string(&mut said)
        .expect("a goodbye, and the end");
    assert!(said.starts_with("421 4.3.2 "), "{said:?}");
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = server.child.try_wait().expect("a child") {
            break status;
        }
        assert!(begun.elapsed() < program::PATIENCE, "it does not end");
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(status.success(), "{status}");
    assert_eq!(server.inbox("alice").len(), 1);
}

#[test]
fn sighup_reads_the_accounts_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let users = folder.path().join("users");
    fs::write(&users, "eve:{PLAIN}one\n").expect("a file");
    let server = Server::start_with(&["--users", users.to_str().expect("text")]);
    let login = |password: &str| {
        let mut stream = TcpStream::connect(server.address("imap")).expect("it listens");
        stream
            .write_all(format!("a LOGIN eve {password}\r\nb LOGOUT\r\n").as_bytes())
            .expect("it reads");
        let mut said = String::new();
        stream.read_to_string(&mut said).expect("it answers");
        said.contains("a OK")
    };
    assert!(login("one") && !login("two"));
    fs::write(&users, "eve:{PLAIN}two\n").expect("a file");
    server.signal("HUP");
    let begun = Instant::now();
    while !login("two") {
        assert!(begun.elapsed() < program::PATIENCE, "not read again");
    }
    // A file that cannot be understood changes nothing.
    let draft = folder.path().join("draft");
    fs::write(&draft, "eve:{NO-SUCH-SCHEME}x\n").expect("a file");
    fs::rename(&draft, &users).expect("in its place");
    server.signal("HUP");
    while !server.log().contains("NO-SUCH-SCHEME") {
        assert!(
            begun.elapsed() < program::PATIENCE,
            "the mistake is not told: {}",
            server.log()
        );
    }
    assert!(login("two"));
}

#[test]
fn a_transcript_has_all_that_was_said_but_the_passwords() {
    let server = Server::start_with(&["--transcript", "dialogue"]);
    let line = format!("line of a long text {}\n", "x".repeat(50)).repeat(4000);
    let send = [
        "send",
        "--server",
        &server.address("smtp").to_string(),
        "--from",
        "bob@localhost",
    ];
    succeeded(&mailtool(
        &[&send[..], &["--to", "alice@localhost", "--body-file", "-"]].concat(),
        &line,
    ));
    let mut imap = TcpStream::connect(server.address("imap")).expect("it listens");
    let said = b"a LOGIN alice alice\r\nb SELECT INBOX\r\nc FETCH 1 BODY[TEXT]\r\nd LOGOUT\r\n";
    imap.write_all(said).expect("it reads");
    imap.read_to_string(&mut String::new()).expect("it answers");
    let written = fs::read_to_string(server.folder.path().join("dialogue")).expect("a transcript");
    assert!(
        written.contains("2C: a LOGIN alice ********\n"),
        "{written}"
    );
    let fetched = written
        .lines()
        .filter(|line| line.starts_with("2S: line of a long text "));
    assert_eq!(fetched.count(), 4000);
    assert!(
        written.contains("2S: d OK "),
        "{}",
        &written[written.len() - 400..]
    );
}

#[test]
fn a_closed_terminal_ends_it() {
    if !have("script", "bsdutils") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let line = format!(
        "exec {MAILTOOL} serve --store store --smtp 0 --pop3 off --pop3s off --imap off --imaps off --submission off --smtps off --ready-fd 3 3>ready"
    );
    let mut terminal = Command::new("script")
        .args(["-qc", &line, "/dev/null"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("a terminal");
    let begun = Instant::now();
    let pid = loop {
        // The server's number is in the lock.
        let is_ready =
            fs::read_to_string(folder.path().join("ready")).is_ok_and(|it| it.ends_with('\n'));
        if is_ready {
            let lock = fs::read_to_string(folder.path().join("store/lock"));
            break lock.expect("a lock").trim().to_owned();
        }
        assert!(begun.elapsed() < program::PATIENCE, "not ready");
        std::thread::sleep(Duration::from_millis(2));
    };
    terminal.kill().expect("it was there");
    terminal.wait().expect("it ends");
    let process = std::path::Path::new("/proc").join(pid);
    while process.exists() {
        assert!(begun.elapsed() < program::PATIENCE, "it stays behind");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_certificate_is_made_once_and_kept() {
    let server = Server::start();
    let authority = fs::read(server.authority()).expect("a certificate");
    let mode = fs::metadata(server.store().join("tls/key.pem"))
        .expect("a key")
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let server = Server::start_in(server.kill(), &[]);
    assert_eq!(
        fs::read(server.authority()).expect("a certificate"),
        authority
    );
}

#[test]
fn a_mistake_in_the_program_asks_for_a_report() {
    let mut nc = Command::new(MAILTOOL)
        .args(["nc", "-v", "-l", "127.0.0.1", "0"])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program is built");
    let mut said = BufReader::new(nc.stderr.take().expect("a pipe"));
    let mut line = String::new();
    said.read_line(&mut line).expect("it listens");
    // What a panic of the shipped program is.
    kill_process(Pid::from_child(&nc), Signal::ILL).expect("it runs");
    said.read_to_string(&mut line).expect("text");
    assert!(
        line.contains("mailtool: a mistake in this program has ended it: please report"),
        "{line}"
    );
    let ended = nc.wait().expect("it has ended");
    assert_eq!(ended.signal(), Some(4), "{ended}");
}
