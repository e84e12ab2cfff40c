//! Faults on purpose, as other people's programs meet them; that they are the same each time, can be made while the server runs, and are
//! never there by accident.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/program.rs"]
mod program;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};

use by_hand::{Hand, contains, messages, queue, wait_for};
use program::{MAILTOOL, PATIENCE, Server, have, mailtool, run, succeeded};

/// A server with these rules.
fn with(rules: &[&str], options: &[&str]) -> Server {
    let mut words = options.to_vec();
    for rule in rules {
        words.extend(["--fault", rule]);
    }
    Server::start_with(&words)
}

fn fault(store: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(MAILTOOL);
    command
        .args(["serve", "fault"])
        .args(words)
        .arg("--store")
        .arg(store);
    run(&mut command, "")
}

/// All that a connection says until it ends, after `said`.
fn heard(server: &Server, protocol: &str, said: &str) -> String {
    let mut stream = TcpStream::connect(server.address(protocol)).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time");
    stream.write_all(said.as_bytes()).expect("it reads");
    let mut heard = Vec::new();
    // A connection that is reset ends too.
    let _ = stream.read_to_end(&mut heard);
    String::from_utf8_lossy(&heard).into_owned()
}

#[test]
fn pythons_libraries_meet_each_kind() {
    if !have("python3", "python3") {
        return;
    }
    let server = with(
        &[
            "smtp rcpt to=alice@* reply=450 4.2.0 busy times=2",
            "smtp message from=refused@* reply=554 5.6.0 not that one",
            "smtp message from=lost@* reply=250 2.0.0 yes, yes",
            "smtp message from=twice@* drop after=0",
            "smtp text from=cut@* drop after=100000",
            "smtp ehlo hide=SIZE",
            "smtp auth reply=454 4.7.0 later",
            "smtp mail from=full@* full",
            "smtp expn garbage=20",
            "smtp vrfy delay=1s",
            "submission tls nth=1 tls=expired",
            "submission tls nth=2 tls=name",
            "submission tls nth=3 tls=self",
            "submission tls nth=4 tls=fail",
            "pop3 login user=bob times=1 reply=-ERR [IN-USE] somebody else is in it",
            "pop3 stat user=bob count=+5",
            "pop3 retr user=bob short=7",
            "pop3 dele full",
            "pop3 top drop after=5",
            "pop3 capa hide=UIDL",
            "imap any hide=IDLE",
            "imap login user=bob times=1 reply=NO [UNAVAILABLE] the directory is away",
            "imap status count=+1",
            "imap append full times=1",
            "imap create reply=NO",
            "imap fetch short=6",
            "imap noop drop",
            "imap check garbage",
            "imap connect connection=3- delay=1s",
        ],
        &["--faults"],
    );
    let ports: Vec<String> = ["smtp", "smtps", "pop3", "imap", "imaps"]
        .iter()
        .map(|protocol| server.port(protocol))
        .collect();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/strangers/faults.py");
    let mut python = Command::new("python3");
    python.arg(script).arg(server.authority()).args(&ports);
    assert_eq!(
        succeeded(&run(&mut python, "")),
        "all as it was asked for\n",
        "{}",
        server.log()
    );
    // What was done although its reply was lost, and what was not done though a reply said so.
    let froms: Vec<Vec<u8>> = messages(&server.store(), "bob");
    let of = |sender: &str| {
        let line = format!("Return-Path: <{sender}@localhost>");
        froms
            .iter()
            .filter(|message| contains(message, line.as_bytes()))
            .count()
    };
    assert_eq!(
        (of("twice"), of("lost"), of("cut"), of("refused"), of("bob")),
        (1, 0, 0, 0, 1)
    );
}

#[test]
fn curl_and_swaks_meet_them() {
    if !have("curl", "curl") || !have("swaks", "swaks") {
        return;
    }
    let server = with(
        &[
            "smtp rcpt nth=1 reply=450 4.2.0 busy",
            "smtp ehlo hide=STARTTLS connection=2",
            "pop3 retr short=8",
            "imap select nth=1 reply=NO [UNAVAILABLE] the disk is away",
            "smtp message nth=2 drop",
            "imap tls tls=expired times=1",
        ],
        &[],
    );
    let smtp = server.port("smtp");
    let swaks = |more: &[&str]| {
        let mut command = Command::new("swaks");
        command
            .args([
                "--server",
                "localhost",
                "--port",
                &smtp,
                "--from",
                "bob@localhost",
                "--to",
                "alice@localhost",
            ])
            .args(["--timeout", "30"])
            .args(more);
        run(&mut command, "")
    };
    let first = swaks(&[]);
    let said = String::from_utf8_lossy(&first.stdout);
    assert!(said.contains("<** 450 4.2.0 busy"), "{said}");
    assert_eq!(
        first.status.code(),
        Some(24),
        "no recipient was taken: {said}"
    );
    let second = swaks(&["--tls"]);
    let said = String::from_utf8_lossy(&second.stdout);
    assert_eq!(
        second.status.code(),
        Some(29),
        "STARTTLS is not offered: {said}"
    );
    succeeded(&swaks(&["--body", "from swaks"]));
    let dropped = swaks(&[]);
    assert!(
        !dropped.status.success(),
        "{}",
        String::from_utf8_lossy(&dropped.stdout)
    );
    assert_eq!(messages(&server.store(), "alice").len(), 1);

    let curl = |url: String, more: &[&str]| {
        let mut command = Command::new("curl");
        command
            .args([
                "--silent",
                "--show-error",
                "--max-time",
                "30",
                "--user",
                "alice:alice",
                "--cacert",
            ])
            .arg(server.authority())
            .args(more)
            .arg(url);
        run(&mut command, "")
    };
    let pop3 = curl(format!("pop3://localhost:{}/1", server.port("pop3")), &[]);
    let text = succeeded(&pop3);
    assert!(
        text.contains("from s") && !text.contains("from swaks"),
        "{text}"
    );
    let inbox = format!("imap://localhost:{}/INBOX;MAILINDEX=1", server.port("imap"));
    let away = curl(inbox.clone(), &[]);
    assert_eq!(
        away.status.code(),
        Some(67),
        "SELECT was refused: {}",
        String::from_utf8_lossy(&away.stderr)
    );
    assert!(succeeded(&curl(inbox, &[])).contains("from swaks"));
    let secure = format!(
        "imaps://localhost:{}/INBOX;MAILINDEX=1",
        server.port("imaps")
    );
    let expired = curl(secure.clone(), &[]);
    let said = String::from_utf8_lossy(&expired.stderr);
    assert!(
        expired.status.code() == Some(60) && said.contains("expired"),
        "{said}"
    );
    assert!(succeeded(&curl(secure, &[])).contains("from swaks"));
}

#[test]
fn replies_break_off_in_the_middle() {
    let server = with(
        &[
            "smtp vrfy drop after=7",
            "pop3 connect drop after=3",
            "imap capability drop after=12",
        ],
        &[],
    );
    let smtp = heard(&server, "smtp", "VRFY alice\r\nNOOP\r\n");
    assert!(smtp.ends_with("\r\n252 2.1"), "{smtp:?}");
    assert_eq!(heard(&server, "pop3", ""), "+OK");
    let imap = heard(&server, "imap", "a CAPABILITY\r\n");
    assert!(imap.ends_with("\r\n* CAPABILITY"), "{imap:?}");
}

/// A dropped connection ends as if nobody were to blame, a reset one is an error to who reads from it.
#[test]
fn an_end_is_a_fin_or_a_reset_as_the_rule_says() {
    let rules = [
        "smtp noop drop",
        "smtp help reset",
        "pop3 capa reset",
        "imap noop reset",
        "imap logout drop",
    ];
    let server = with(&rules, &[]);
    for (protocol, said, is_reset) in [
        ("smtp", "NOOP\r\n", false),
        ("smtp", "HELP\r\n", true),
        ("pop3", "CAPA\r\n", true),
        ("imap", "a NOOP\r\n", true),
        ("imap", "a LOGOUT\r\n", false),
    ] {
        let mut stream = TcpStream::connect(server.address(protocol)).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        stream.write_all(said.as_bytes()).expect("it reads");
        let mut heard = Vec::new();
        let end = stream.read_to_end(&mut heard).map_err(|error| error.kind());
        let wanted = std::io::ErrorKind::ConnectionReset;
        assert_eq!(end.err(), is_reset.then_some(wanted), "{protocol} {said:?}");
        // The greeting has come, and nothing else.
        assert_eq!(
            heard.iter().filter(|octet| **octet == b'\n').count(),
            1,
            "{heard:?}"
        );
    }
    assert!(server.log().contains("smtp help reset"), "{}", server.log());
}

/// As mox has it: taken, and refused when it is delivered from the queue; the sender gets a report.
#[test]
fn a_magic_name_fails_in_the_queue() {
    let server = with(&[], &["--faults", "--retry", "1s"]);
    let mut hand = TcpStream::connect(server.address("smtp")).expect("it listens");
    hand.set_read_timeout(Some(PATIENCE)).expect("a time");
    hand.write_all(
        b"EHLO x\r\nMAIL FROM:<bob@localhost>\r\nRCPT TO:<queue-550@localhost>\r\nRCPT TO:<alice@localhost>\r\n\
          RCPT TO:<queuetemperror@localhost>\r\nDATA\r\nSubject: off it goes\r\n\r\nHello\r\n.\r\nQUIT\r\n",
    )
    .expect("it reads");
    let mut said = String::new();
    hand.read_to_string(&mut said).expect("it ends");
    assert!(said.contains("250 2.0.0 Ok: "), "{said}");
    wait_for("a report", || {
        let reports = messages(&server.store(), "bob");
        let is_report = |text: &Vec<u8>| {
            contains(text, b"Status: 5.0.0") && contains(text, b"rfc822; queue-550@localhost")
        };
        reports.iter().any(is_report).then_some(())
    });
    wait_for("the message of alice", || {
        (messages(&server.store(), "alice").len() == 1).then_some(())
    });
    wait_for("what waits", || {
        let listed = succeeded(&queue(&server.store(), &["list", "--json"]));
        let waits = listed.contains("queuetemperror@localhost") && listed.contains("451 4.3.0");
        (waits && !listed.contains("queue-550@localhost\",\"state\":\"waiting")).then_some(())
    });
}

/// Those of the lab are asked for by number, and are not given away.
#[test]
fn the_faults_of_the_lab_are_kept_secret() {
    let server = with(&["lab:10"], &[]);
    let listed = succeeded(&fault(&server.store(), &["list"]));
    assert!(
        listed.contains("lab:10") && !listed.contains("count"),
        "{listed}"
    );
    assert!(server.log().contains("\n  lab:10\n"), "{}", server.log());
    succeeded(&fault(&server.store(), &["clear"]));
    let said = succeeded(&fault(&server.store(), &["add", "lab:2"]));
    assert!(said.contains("stands"), "{said}");
    let greeting = heard(&server, "smtp", "QUIT\r\n");
    assert!(greeting.starts_with("421 4.3.2 "), "{greeting}");
    let wrong = fault(&server.store(), &["add", "lab:12"]);
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert!(said.contains("lab:1 to lab:11"), "{said}");
}

#[test]
fn the_same_seed_makes_the_same_faults() {
    let rules = [
        "smtp noop chance=40% reply=451",
        "pop3 connect chance=30% drop",
        "smtp connect chance=20% reply=421",
    ];
    let met = |seed: &str| {
        let server = with(&rules, &["--fault-seed", seed]);
        let mut met = String::new();
        for _ in 0..12 {
            let said = heard(&server, "smtp", "NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nQUIT\r\n");
            met.extend(
                said.lines()
                    .filter_map(|line| line.get(..3))
                    .flat_map(|code| [code, " "]),
            );
            met += &heard(&server, "pop3", "QUIT\r\n").len().to_string();
            met += "\n";
        }
        met
    };
    let one = met("7");
    assert_eq!(one, met("7"));
    assert_ne!(one, met("8"));
    assert!(
        one.contains("451") && one.contains("421") && one.contains("250"),
        "{one}"
    );
}

#[test]
fn rules_come_and_go_while_the_server_runs() {
    let server = Server::start();
    let store = server.store();
    assert_eq!(
        succeeded(&fault(&store, &["list"])),
        "nothing goes wrong on purpose\n"
    );
    assert!(!server.log().contains("FAULTS"), "{}", server.log());
    let mut hand = Hand::to(server.address("smtp"));
    assert!(hand.say("NOOP").starts_with("250"));
    let added = succeeded(&fault(
        &store,
        &[
            "add",
            "smtp",
            "noop",
            "reply=450",
            "4.2.0",
            "busy",
            "times=2",
        ],
    ));
    assert_eq!(added, "rule 1 stands\n");
    // A connection that stood before meets it too.
    assert_eq!(hand.say("NOOP"), "450 4.2.0 busy");
    assert!(
        succeeded(&fault(&store, &["list"]))
            .contains("fired     1  smtp noop reply=450 4.2.0 busy times=2")
    );
    let json = succeeded(&fault(&store, &["list", "--json"]));
    assert!(
        json.contains(
            "{\"number\":1,\"fired\":1,\"rule\":\"smtp noop reply=450 4.2.0 busy times=2\"}"
        ),
        "{json}"
    );
    let wrong = fault(&store, &["add", "smtp rctp drop"]);
    let told = String::from_utf8_lossy(&wrong.stderr);
    assert!(
        wrong.status.code() == Some(64)
            && told.contains("\"rctp\"")
            && told.contains("is rcpt meant?"),
        "{told}"
    );
    assert!(succeeded(&fault(&store, &["clear"])).contains("1 cleared"));
    assert!(hand.say("NOOP").starts_with("250"));
    assert!(!fault(&store, &["clear", "1"]).status.success());
}

#[test]
fn they_are_said_on_the_screen_and_in_the_transcript() {
    let server = with(
        &["smtp mail reply=450 4.2.0 busy", "pop3 login reply=-ERR"],
        &["--faults", "--transcript", "dialogue"],
    );
    let log = server.log();
    assert!(
        log.contains("FAULTS ARE ON")
            && log.contains("  smtp mail reply=450 4.2.0 busy\n")
            && log.contains("...temperror"),
        "{log}"
    );
    let mut hand = Hand::to(server.address("smtp"));
    hand.say("HELO pc1");
    assert_eq!(hand.say("MAIL FROM:<bob@localhost>"), "450 4.2.0 busy");
    let pop = heard(&server, "pop3", "USER alice\r\nPASS alice\r\nQUIT\r\n");
    assert!(pop.contains("-ERR A fault, made on purpose"), "{pop}");
    let transcript = server.folder.path().join("dialogue");
    let shown = wait_for("the fault in the transcript", || {
        let text = fs::read_to_string(&transcript).unwrap_or_default();
        text.contains("rule 2 at PASS").then_some(text)
    });
    assert!(
        shown.contains("fault: rule 1 at MAIL: smtp mail reply=450 4.2.0 busy"),
        "{shown}"
    );
    assert!(
        shown.contains("S: 450 4.2.0 busy") && !shown.contains("PASS alice"),
        "{shown}"
    );
}

#[test]
fn a_wrong_rule_does_not_start_a_server() {
    for (rule, word, advice) in [
        ("smtp rctp drop", "\"rctp\"", "is rcpt meant?"),
        ("smtp rcpt", "does nothing yet", "reply"),
    ] {
        let refused = mailtool(
            &["serve", "--fault", rule, "--store", "tmp", "--smtp", "0"],
            "",
        );
        let told = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(64), "{told}");
        assert!(told.contains(word) && told.contains(advice), "{told}");
    }
    let page = succeeded(&mailtool(&["serve", "--fault", "help"], ""));
    assert!(
        page.contains("greylist=TIME") && page.contains("smtp rcpt to=alice@* reply=450"),
        "{page}"
    );
}

#[test]
fn the_manual_has_every_word_of_a_rule() {
    let page = succeeded(&mailtool(&["serve", "--fault", "help"], ""));
    let manual = include_str!("../man/serve.roff")
        .replace("\\-", "-")
        .replace("\\|", "");
    let forms = page
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter_map(|line| line.split(' ').next());
    for form in forms.filter(|form| form.contains('=')) {
        let name = form.split('=').next().unwrap_or(form);
        assert!(
            manual.contains(&format!("{name}=")),
            "{name}= is not in man/serve.roff"
        );
    }
}
