//! Our client with our server, openssl with our server, and what is said when it does not work.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;
use crate::tap::transcript::{Folding, Transcript};

/// A client that says its lines one after another; `-` stands for saying nothing, and hearing one more line.
#[derive(Default)]
struct Script {
    say: VecDeque<String>,
    heard: Vec<String>,
    tls: Option<TlsInfo>,
    eof: bool,
}

impl Script {
    fn go_on(&mut self, out: &mut Out) {
        match self.say.pop_front().as_deref() {
            None => out.close(),
            Some("-") => {}
            Some(line) => out.line(line.as_bytes()),
        }
    }
}

impl Session for Script {
    fn want(&self) -> Want {
        Want::Line { max: 64 * 1024 }
    }
    fn handle(&mut self, _now: Instant, input: Input<'_>, out: &mut Out) {
        match input {
            Input::Line(b"go ahead") => out.start_tls(),
            Input::Line(line) => {
                self.heard.push(String::from_utf8_lossy(line).into_owned());
                self.go_on(out);
            }
            Input::TlsUp(info) => {
                self.tls = Some(info);
                if !self.heard.is_empty() {
                    self.go_on(out);
                }
            }
            Input::Eof => {
                self.eof = true;
                out.close();
            }
            _ => {}
        }
    }
    fn deadline(&self) -> Option<Instant> {
        None
    }
}

fn converse_with(target: &Target, say: &[&str]) -> (Script, Result<(), ClientError>) {
    let mut script = Script {
        say: say.iter().map(|line| (*line).to_owned()).collect(),
        ..Script::default()
    };
    let result = converse(target, &mut script, Observers::default());
    (script, result)
}

pub(super) fn talk(target: &Target, say: &[&str]) -> (Vec<String>, Option<TlsInfo>) {
    let (script, result) = converse_with(target, say);
    result.expect("a conversation");
    (script.heard, script.tls)
}

#[test]
fn implicit_tls_from_our_client_to_our_server() {
    let server = Server::start(Setup::default());
    let target = server.target(server.tls, Security::Implicit);
    let (heard, tls) = talk(&target, &["version", "work", "quit"]);
    assert_eq!(heard, ["hello", "TLSv1.3", "worked", "bye"]);
    assert_eq!(tls.expect("TLS").version, "TLSv1.3");
}

#[test]
fn starttls_from_our_client_to_our_server() {
    let server = Server::start(Setup::default());
    let target = server.target(server.plain, Security::Plain);
    let (heard, tls) = talk(&target, &["version", "tls", "version", "quit"]);
    assert_eq!(heard, ["hello", "none", "TLSv1.3", "bye"]);
    assert!(tls.is_some());
}

#[test]
fn long_lines_pass_tls_whole() {
    let server = Server::start(Setup::default());
    let target = server.target(server.tls, Security::Implicit);
    let long = "x".repeat(60_000);
    let (heard, _) = talk(&target, &[&long, &long, &long, "quit"]);
    assert_eq!(heard.len(), 5);
    assert!(heard[1..4].iter().all(|line| *line == long));
}

#[test]
fn octets_before_tls_close_the_connection() {
    let server = Server::start(Setup::default());
    let mut wire = server.connect();
    assert_eq!(wire.line(), "hello");
    wire.say(b"tls\r\ninjected\r\n");
    assert_eq!(wire.line(), "go ahead");
    wire.ends();
}

#[test]
fn who_speaks_no_tls_gets_an_alert() {
    let server = Server::start(Setup::default());
    let mut wire = Wire::connect(server.tls);
    wire.say(b"EHLO example.org\r\n");
    let mut answer = Vec::new();
    wire.0.read_to_end(&mut answer).expect("an alert");
    // RFC 8446 §5.1: content type 21 is an alert.
    assert_eq!(answer.first(), Some(&21), "{answer:?}");
}

#[test]
fn a_fragment_of_a_handshake_message_harms_nobody() {
    let server = Server::start(Setup::default());
    let mut wire = Wire::connect(server.tls);
    // RFC 8446 §5.1: a record of type handshake, with the first octets of a ClientHello of 512.
    wire.say(&[22, 3, 1, 0, 6, 1, 0, 2, 0, 3, 3]);
    std::thread::sleep(Duration::from_millis(50));
    wire.say(&[22, 3, 1, 0, 1, 7, 22, 3, 1]);
    std::thread::sleep(Duration::from_millis(50));
    drop(wire);
    assert_eq!(server.connect().line(), "hello");
}

#[test]
fn an_unknown_authority_is_explained() {
    let server = Server::start(Setup::default());
    let mut target = server.target(server.tls, Security::Implicit);
    target.tls.trust = Trust::Authorities { extra: None };
    let (script, result) = converse_with(&target, &["quit"]);
    assert!(script.heard.is_empty());
    let error = result.expect_err("no trust");
    let said = error.to_string();
    assert!(
        matches!(
            &error,
            ClientError::Tls {
                source: TlsError::Certificate {
                    fault: CertificateFault::UnknownIssuer,
                    ..
                },
                ..
            }
        ),
        "{error:?}"
    );
    assert!(said.contains("nobody who is trusted here"), "{said}");
    target.tls.trust = Trust::Anybody;
    assert_eq!(talk(&target, &["quit"]).0, ["hello", "bye"]);
}

#[test]
fn a_certificate_for_another_name_is_explained() {
    let server = Server::start(Setup::default());
    let mut target = server.target(server.tls, Security::Implicit);
    target.host = "other.example".to_owned();
    let said = converse_with(&target, &[]).1.expect_err("no trust");
    let said = said.to_string();
    assert!(said.contains("not for the name other.example"), "{said}");
    assert!(said.contains("mail.example.org"), "{said}");
    for host in ["127.0.0.1", "mail.example.org", "localhost"] {
        target.host = host.to_owned();
        assert_eq!(talk(&target, &["quit"]).0, ["hello", "bye"]);
    }
}

#[test]
fn tls_with_a_server_that_has_none_is_explained() {
    let server = Server::start(Setup::default());
    let target = server.target(server.plain, Security::Implicit);
    let error = converse_with(&target, &[]).1.expect_err("no TLS");
    let said = error.to_string();
    assert!(said.contains("is this the right port"), "{said}");
}

#[test]
fn what_was_tried_is_said_when_nobody_listens() {
    let server = Server::start(Setup::default());
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port");
    let mut target = Target::new("mail.example.org", vec![free], Security::Plain);
    let said = converse_with(&target, &[]).1.expect_err("nobody");
    let expected = format!(
        "cannot connect to mail.example.org: 127.0.0.1 port {}: connection refused: nothing listens there",
        free.port()
    );
    assert!(said.to_string().starts_with(&expected), "{said}");
    // The next address is tried.
    target.addresses.push(server.plain);
    assert_eq!(talk(&target, &["quit"]).0, ["hello", "bye"]);
}

#[test]
fn a_server_that_goes_away_is_told_to_the_session() {
    let server = Server::start(Setup::default());
    let handle = server.handle.clone();
    let target = server.target(server.plain, Security::Plain);
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        handle.stop();
    });
    let (script, result) = converse_with(&target, &["-", "-"]);
    result.expect("no error of the connection");
    stopper.join().expect("a stop");
    assert_eq!(script.heard, ["hello", "stopping"]);
    assert!(script.eof);
}

#[test]
fn the_end_is_shown_after_what_came_before_it() {
    let server = Server::start(Setup::default());
    let target = server.target(server.tls, Security::Implicit);
    // Often enough that goodbye and close_notify come in one read.
    for _ in 0..20 {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let transcript = Transcript::new(shown.clone(), Folding::Never);
        let mut script = Script {
            say: ["quit".to_owned(), "-".to_owned()].into(),
            ..Script::default()
        };
        let observers = Observers {
            tap: Some(Box::new(transcript)),
            ..Observers::default()
        };
        converse(&target, &mut script, observers).expect("a conversation");
        let shown = String::from_utf8(shown.lock().expect("no panic").clone()).expect("text");
        assert!(shown.contains("\nS: bye\nS: [eof]\n"), "{shown}");
    }
}

#[test]
fn openssl_is_served() {
    let server = Server::start(Setup::default());
    for version in ["-tls1_2", "-tls1_3"] {
        let child = Command::new("openssl")
            .args(["s_client", "-quiet", "-verify_return_error", version])
            .args(["-verify_hostname", "mail.example.org"])
            .arg("-CAfile")
            .arg(&server.ca)
            .args(["-connect", &server.tls.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            eprintln!("skipped: there is no openssl here");
            return;
        };
        let input = child.stdin.as_mut().expect("a pipe");
        input.write_all(b"version\r\nquit\r\n").expect("a write");
        let output = child.wait_with_output().expect("output");
        let heard = String::from_utf8_lossy(&output.stdout);
        let expected = version.replace("-tls1_", "TLSv1.");
        assert_eq!(
            heard,
            format!("hello\r\n{expected}\r\nbye\r\n"),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
