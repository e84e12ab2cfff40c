//! Every dialogue under `tests/dialogs`, played (see `tests/dialogs/README.md`).
//!
//! `DIALOG=part-of-a-path cargo test --test dialogs` plays some only.

mod support;

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use mailtool::proto::{Input, Out, Peer, Service, Session};
use mailtool::wire::lines::Want;
use support::clients;
use support::script::{self, Dialog, Protocol};
use support::seeds;
use support::services::Stage;
use support::sessions::{Feeding, play_all};
use support::{tcp, turned};

#[test]
fn smtp_sessions() {
    play_folder(Protocol::Smtp);
}

#[test]
fn pop3_sessions() {
    play_folder(Protocol::Pop3);
}

#[test]
fn imap_sessions() {
    play_folder(Protocol::Imap);
}

#[test]
fn smtp_over_tcp() {
    play_folder_over_tcp(Protocol::Smtp);
}

#[test]
fn pop3_over_tcp() {
    play_folder_over_tcp(Protocol::Pop3);
}

#[test]
fn imap_over_tcp() {
    play_folder_over_tcp(Protocol::Imap);
}

/// What fuzz targets begin with.
#[test]
#[ignore = "it writes into tests/fuzz/corpus: `make fuzz` asks for it"]
fn seeds_for_fuzzing() {
    let corpus = script::root().with_file_name("fuzz").join("corpus");
    for protocol in [Protocol::Smtp, Protocol::Pop3, Protocol::Imap] {
        for path in script::find(protocol) {
            let dialog = Dialog::read(protocol, &path).expect("a dialogue");
            seeds::write(&dialog, &corpus).expect("written");
        }
    }
    seeds::write_mail(&corpus).expect("written");
}

/// Plays each dialogue of a protocol that needs no clock of its own against the program; several at a time, because what they do
/// most is wait.
fn play_folder_over_tcp(protocol: Protocol) {
    let files = Mutex::new(script::find(protocol).into_iter());
    let failures = Mutex::new(Vec::new());
    let next = || files.lock().expect("no panic inside").next();
    std::thread::scope(|scope| {
        for _ in 0..PLAYERS {
            scope.spawn(|| {
                while let Some(path) = next() {
                    if let Err(failure) = play_over_tcp(protocol, &path) {
                        failures.lock().expect("no panic inside").push(failure);
                    }
                }
            });
        }
    });
    report(&failures.into_inner().expect("no panic inside"));
}

/// Dialogues that are played over TCP at the same time.
const PLAYERS: usize = 6;

fn play_over_tcp(protocol: Protocol, path: &Path) -> Result<(), String> {
    // What is wrong with a file is reported by the test of the sessions.
    let Ok(dialog) = Dialog::read(protocol, path) else {
        return Ok(());
    };
    if let Some(reason) = tcp::why_not(&dialog) {
        println!("{}: not over TCP: {reason}", path.display());
        return Ok(());
    }
    tcp::play(&dialog).map_err(|failure| failure.to_string())
}

/// Plays each dialogue of a protocol against the server session, and against the client session that it names; on all processors.
fn play_folder(protocol: Protocol) {
    let files = Mutex::new(script::find(protocol).into_iter());
    let failures = Mutex::new(Vec::new());
    let next = || files.lock().expect("no panic inside").next();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(|| {
                while let Some(path) = next() {
                    let found = play_sessions(protocol, &path);
                    failures.lock().expect("no panic inside").extend(found);
                }
            });
        }
    });
    report(&failures.into_inner().expect("no panic inside"));
}

/// What went another way in one dialogue.
fn play_sessions(protocol: Protocol, path: &Path) -> Vec<String> {
    let dialog = match Dialog::read(protocol, path) {
        Ok(dialog) => dialog,
        Err(problem) => return vec![problem],
    };
    let mut failures = Vec::new();
    if let Err(failure) = play_all(&dialog, &Stage::new) {
        failures.push(failure.to_string());
    }
    for feeding in [Feeding::Whole, Feeding::Octets] {
        if let Err(problem) = clients::play_client(&dialog, feeding) {
            failures.push(format!("{}: {problem}", path.display()));
        }
    }
    failures
}

fn report(failures: &[String]) {
    assert!(
        failures.is_empty(),
        "{} dialogues went another way:\n\n{}\n",
        failures.len(),
        failures.join("\n\n")
    );
}

/// A server that repeats what it is told, to test the runner with.
struct Echo {
    deadline: Option<Instant>,
    secure: bool,
}

impl Session for Echo {
    fn want(&self) -> Want {
        Want::Line { max: 100 }
    }

    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        self.deadline = Some(now + Duration::from_secs(10));
        match input {
            Input::Open => out.line(b"hello 17 times"),
            Input::Line(b"tls") => {
                out.line(b"now");
                out.start_tls();
            }
            Input::Line(b"bye") => {
                out.line(b"bye");
                out.close();
            }
            Input::Line(line) => {
                out.bytes(if self.secure { b"secretly " } else { b"" });
                out.line(line);
            }
            Input::LongLine => out.line(b"too long"),
            Input::TlsUp(_) => self.secure = true,
            Input::Timeout => {
                out.line(b"are you there?");
                out.close();
            }
            Input::Eof => {
                out.line(b"no more?");
                out.close();
            }
            Input::Stop => {
                out.line(b"stopping");
                out.close();
            }
            _ => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

struct EchoService;

impl Service for EchoService {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn session(&self, _peer: Peer) -> Box<dyn Session> {
        Box::new(Echo {
            deadline: None,
            secure: false,
        })
    }
}

/// Plays `source` against [`Echo`]; the failure as text.
fn echo(source: &str) -> Result<(), String> {
    let dialog = Dialog::parse(Protocol::Smtp, Path::new("made-up.dialog"), source)?;
    play_all(&dialog, &|_| Ok(Stage::bare(Box::new(EchoService)))).map_err(|f| f.to_string())
}

/// The failure of `source`, which must fail.
fn wrong(source: &str) -> String {
    echo(source).expect_err("this dialogue is wrong")
}

#[test]
fn every_notation_is_played() {
    let played = echo(concat!(
        "# a comment\n",
        "given: host=a.example tls=yes   # another\n",
        "S: hello [n] times\n",
        "C: one [n]\nC: [x*3]\\x41\\[b]\\Seen\n",
        "S: one [n]\nS: xxxA[b]\\\\Seen\n",
        "C| no end\nC|  yet\\r\\n\nS: no end yet\n",
        "C: [y*200]\nS: too [..]\n",
        "C: 1\nC: 2\nC: 3\nS: ...\nS: 3\n",
        "2S: hello [..]\n2C: bye\n2S: bye\n2S: [eof]\n",
        "C: tls\nS: now\nT: tls\nC: x\nS: secretly x\n",
        "T: +9s\nC: y\nS: secretly y\nT: +10s\nS: are you there?\nS: [eof]\n",
        "3S: hello 17 times\n3C| unfinished\n3C: [eof]\n3S: no more?\n3S: [eof]\n",
        "4S: ...\n4C: [lost]\n5S: hello 17 times\nT: stop\n5S: stopping\n",
    ));
    assert_eq!(played, Ok(()));
}

#[test]
fn a_wrong_line_is_reported_with_its_place_and_both_sides() {
    let failure = wrong("S: hello [..]\nC: one\n\nS: two\n");
    assert!(
        failure.starts_with("made-up.dialog:4 (fed whole)"),
        "{failure}"
    );
    assert!(failure.contains("expected: S: two"), "{failure}");
    assert!(failure.contains("got:      one\\r\\n"), "{failure}");
}

#[test]
fn silence_and_too_much_are_reported() {
    assert!(wrong("S: hello [..]\nS: more\n").contains("got:      nothing"));
    let failure = wrong("S: hello [..]\nC: one\n");
    assert!(failure.contains("expected: nothing more"), "{failure}");
    assert!(wrong("S: ...\nC: bye\nS: bye\nC: x\n").contains("got:      it has closed"));
    assert!(wrong("S: ...\nS: [eof]\n").contains("got:      nothing"));
    assert!(wrong("S: ...\nT: tls\n").contains("got:      it did not ask for TLS"));
}

#[test]
fn a_bound_name_must_match_after() {
    let failure = wrong("S: hello [n] times\nC: 18\nS: [n]\n");
    assert!(failure.contains("made-up.dialog:3"), "{failure}");
}

#[test]
fn bytes_that_come_before_tls_close_the_connection() {
    assert_eq!(
        echo("S: ...\nC: tls\nC: injected\nS: now\nS: [eof]\n"),
        Ok(())
    );
}

#[test]
fn a_server_that_minds_where_packets_end_is_found_out() {
    struct Minding(bool);
    impl Session for Minding {
        fn want(&self) -> Want {
            Want::Octets(1000)
        }
        fn handle(&mut self, _: Instant, input: Input<'_>, out: &mut Out) {
            if let Input::Text(text) = input {
                out.line(if text.len() == 4 || self.0 {
                    b"ok"
                } else {
                    b"no"
                });
                self.0 = true;
            }
        }
        fn deadline(&self) -> Option<Instant> {
            None
        }
    }
    struct MindingService;
    impl Service for MindingService {
        fn name(&self) -> &'static str {
            "minding"
        }
        fn session(&self, _peer: Peer) -> Box<dyn Session> {
            Box::new(Minding(false))
        }
    }
    let source = "C: ab\nS: ok\n";
    let dialog = Dialog::parse(Protocol::Smtp, Path::new("made-up.dialog"), source);
    let failure = play_all(&dialog.expect("well formed"), &|_| {
        Ok(Stage::bare(Box::new(MindingService)))
    });
    let failure = failure.expect_err("it fails when cut").to_string();
    assert!(failure.contains("fed octet by octet"), "{failure}");
}

#[test]
fn what_is_not_known_is_an_error() {
    for (source, problem) in [
        (
            "S: a\nX: b\n",
            "made-up.dialog:2: \"X: b\" begins with no known directive",
        ),
        ("given: color=red\nS: a\n", "no setting is called \"color\""),
        ("given: tls=perhaps\nS: a\n", "tls= is yes or no"),
        ("S: a\ngiven: tls=yes\n", "stands before the first step"),
        ("T: later\n", "is none of +DURATION"),
        ("T: +5parsecs\n", "the unit \"parsecs\""),
        ("C: \\xZZ\n", "two hexadecimal digits"),
        ("C> no-such-file\n", "no-such-file"),
        ("# nothing\n", "no dialogue in it"),
    ] {
        let failure = wrong(source);
        assert!(failure.contains(problem), "{source:?}: {failure}");
    }
    assert!(wrong("S: ...\nC: [never]\n").contains("[never] is not bound"));
}

#[test]
fn a_client_is_played_with_the_roles_turned() {
    struct Caller(Want);
    impl Session for Caller {
        fn want(&self) -> Want {
            self.0
        }
        fn handle(&mut self, _: Instant, input: Input<'_>, out: &mut Out) {
            match input {
                Input::Line(line) if line.starts_with(b"hello") => out.line(b"how are you?"),
                Input::Line(_) => {
                    out.line(b"bye");
                    out.close();
                }
                _ => {}
            }
        }
        fn deadline(&self) -> Option<Instant> {
            None
        }
    }
    let play = |source: &str| {
        let dialog = Dialog::parse(Protocol::Smtp, Path::new("made-up.dialog"), source)?;
        for feeding in [Feeding::Whole, Feeding::Octets] {
            let session = Box::new(Caller(Want::Line { max: 100 }));
            turned::play(&dialog, session, feeding).map_err(|f| f.to_string())?;
        }
        Ok::<_, String>(())
    };
    let well = "S: hello [..]\nC: how are you?\nS: fine\nC: bye\nC: [eof]\n";
    assert_eq!(play(well), Ok(()));
    let failure = play("S: hello\nC: who are you?\n").expect_err("it says something else");
    assert!(failure.contains("made-up.dialog:2"), "{failure}");
    assert!(failure.contains("got:      how are you?"), "{failure}");
}
