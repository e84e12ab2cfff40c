//! The loop, connections, TLS and the client over loopback, with a tiny echoing session.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;

use super::client::{ClientError, Target, converse};
use super::*;
use crate::proto::{Input, Refused, TlsInfo, pop3};
use crate::wire::lines::Want;

/// Greets, and says every line again; a few lines mean more.
struct Echo {
    refused: Option<Refused>,
    tls: Option<TlsInfo>,
    deadline: Option<Instant>,
    patience: Duration,
    /// Waits for a job.
    working: bool,
    /// Does not stop when it is told to, as in the middle of a message.
    busy: bool,
}

impl Session for Echo {
    fn want(&self) -> Want {
        if self.working {
            return Want::Nothing;
        }
        Want::Line { max: 64 * 1024 }
    }

    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        self.deadline = Some(now + self.patience);
        match input {
            Input::Open if self.refused == Some(Refused::Connections) => {
                out.line(b"too many");
                out.close();
            }
            Input::Open => out.line(b"hello"),
            Input::TlsUp(info) => self.tls = Some(info),
            Input::Line(b"tls") => {
                out.line(b"go ahead");
                out.start_tls();
            }
            Input::Line(b"version") => {
                let version = self.tls.as_ref().map_or("none", |tls| tls.version);
                out.line(version.as_bytes());
            }
            Input::Line(b"quit") => {
                out.line(b"bye");
                out.close();
            }
            Input::Line(b"work") => {
                self.working = true;
                out.job(Job::Pop3(pop3::Job::Login {
                    name: "somebody".to_owned(),
                    password: Vec::new(),
                }));
            }
            Input::Done(answer) => {
                assert!(matches!(
                    answer,
                    Answer::Pop3(pop3::Answer::Updated(Ok(())))
                ));
                self.working = false;
                out.line(b"worked");
            }
            Input::Line(b"busy") => self.busy = true,
            Input::Stop if self.busy => {}
            Input::Line(b"pieces") => {
                out.line(b"first");
                out.block(b"second\r\n".to_vec());
                out.extent(extent(b"third\r\n"));
                out.line(b"fourth");
            }
            Input::Line(line) => out.line(line),
            Input::Timeout => {
                out.line(b"too slow");
                out.close();
            }
            Input::Stop => {
                out.line(b"stopping");
                out.close();
            }
            Input::Eof => {
                out.line(b"end");
                out.close();
            }
            _ => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

fn extent(text: &[u8]) -> crate::store::Extent {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(b"before").expect("a write");
    file.write_all(text).expect("a write");
    file.write_all(b"after").expect("a write");
    crate::store::Extent::new(Arc::new(file), 6, text.len() as u64)
}

struct EchoService {
    patience: Duration,
}

impl Service for EchoService {
    fn name(&self) -> &'static str {
        "echo"
    }
    fn session(&self, peer: Peer) -> Box<dyn Session> {
        Box::new(Echo {
            refused: peer.refused,
            tls: None,
            deadline: None,
            patience: self.patience,
            working: false,
            busy: false,
        })
    }
}

/// A reactor in a thread of its own; stopped when dropped.
struct Server {
    plain: SocketAddr,
    tls: SocketAddr,
    /// Of its certificate.
    ca: PathBuf,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
    _directory: tempfile::TempDir,
}

struct Setup {
    patience: Duration,
    connections: usize,
    socket: Option<PathBuf>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(60),
            connections: limits::CONNECTIONS,
            socket: None,
        }
    }
}

impl Server {
    fn start(setup: Setup) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let certificates = directory.path().join("tls");
        let ca = certificates.join("ca.pem");
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut reactor = reactor(&setup, &certificates);
            let patience = setup.patience;
            let service: Arc<dyn Service> = Arc::new(EchoService { patience });
            let any = "127.0.0.1:0".parse().expect("an address");
            let mut listen = |security| {
                reactor
                    .listen(any, Arc::clone(&service), security)
                    .expect("a listener")
            };
            let (plain, tls) = (listen(Security::Plain), listen(Security::Implicit));
            if let Some(path) = &setup.socket {
                reactor
                    .listen_unix(path, Arc::clone(&service))
                    .expect("a listener");
            }
            tell.send((plain, tls, reactor.handle())).expect("a reader");
            reactor.run().expect("a run");
        });
        let (plain, tls, handle) = told.recv().expect("a server");
        Self {
            plain,
            tls,
            ca,
            handle,
            thread: Some(thread),
            _directory: directory,
        }
    }

    fn connect(&self) -> Wire {
        Wire::connect(self.plain)
    }

    fn target(&self, address: SocketAddr, security: Security) -> Target {
        let mut target = Target::new("localhost", vec![address], security);
        target.trust = Trust::Authorities {
            extra: Some(self.ca.clone()),
        };
        target
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the server panicked");
        }
    }
}

fn reactor(setup: &Setup, certificates: &Path) -> Reactor {
    let names = ["mail.example.org".to_owned()];
    let options = Options {
        connections: setup.connections,
        tls: Some(certs::ensure(certificates, &names).expect("a certificate")),
        ..Options::default()
    };
    let work = |_| {
        std::thread::sleep(Duration::from_millis(20));
        Answer::Pop3(pop3::Answer::Updated(Ok(())))
    };
    Reactor::with_worker(options, Box::new(work)).expect("a reactor")
}

/// A blocking connection in the clear.
struct Wire(BufReader<TcpStream>);

impl Wire {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).expect("a timeout");
        Self(BufReader::new(stream))
    }

    fn say(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).expect("a write");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line");
        assert!(line.is_empty() || line.ends_with("\r\n"), "{line:?}");
        line.trim_end().to_owned()
    }

    /// The peer has closed in good order: no reset.
    fn ends(&mut self) {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).expect("an end, not a reset");
        assert_eq!(rest, b"", "after the last word");
    }
}

#[test]
fn lines_come_back_and_the_last_word_arrives() {
    let server = Server::start(Setup::default());
    let mut wire = server.connect();
    assert_eq!(wire.line(), "hello");
    wire.say(b"one\r\ntwo\r\n");
    assert_eq!(wire.line(), "one");
    assert_eq!(wire.line(), "two");
    wire.say(b"quit\r\nthis is never read\r\n");
    assert_eq!(wire.line(), "bye");
    wire.ends();
}

#[test]
fn lines_in_a_unix_socket_too() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("socket");
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a stale socket"));
    let setup = Setup {
        socket: Some(path.clone()),
        ..Setup::default()
    };
    let server = Server::start(setup);
    let mut stream = std::os::unix::net::UnixStream::connect(&path).expect("a connection");
    stream.write_all(b"one\r\nquit\r\n").expect("a write");
    let mut all = String::new();
    stream.read_to_string(&mut all).expect("text");
    assert_eq!(all, "hello\r\none\r\nbye\r\n");
    drop(server);
    assert!(!path.exists(), "removed at the end");
}

#[test]
fn replies_to_pipelined_lines_go_out_in_one_write() {
    let server = Server::start(Setup::default());
    let mut wire = server.connect();
    assert_eq!(wire.line(), "hello");
    let many = "a line\r\n".repeat(100);
    wire.say(many.as_bytes());
    let mut buffer = [0; 4096];
    let octets = wire.0.read(&mut buffer).expect("octets");
    assert_eq!(octets, many.len(), "all of it in one segment");
}

#[test]
fn pieces_of_every_kind_stay_in_order() {
    let server = Server::start(Setup::default());
    let mut wire = server.connect();
    wire.say(b"pieces\r\nquit\r\n");
    let heard: Vec<_> = (0..6).map(|_| wire.line()).collect();
    assert_eq!(
        heard,
        ["hello", "first", "second", "third", "fourth", "bye"]
    );
    let (heard, _) = talk(
        &server.target(server.tls, Security::Implicit),
        &["pieces", "-", "-", "-", "quit"],
    );
    assert_eq!(
        heard,
        ["hello", "first", "second", "third", "fourth", "bye"]
    );
}

#[test]
fn half_closed_connections_get_all_their_answers() {
    let server = Server::start(Setup::default());
    let mut wire = server.connect();
    wire.say(b"one\r\nwork\r\ntwo\r\nhalf a line");
    wire.0
        .get_ref()
        .shutdown(Shutdown::Write)
        .expect("half a close");
    let heard: Vec<_> = (0..5).map(|_| wire.line()).collect();
    assert_eq!(heard, ["hello", "one", "worked", "two", "end"]);
    wire.ends();
}

#[test]
fn jobs_of_many_connections_are_answered_to_each() {
    let server = Server::start(Setup::default());
    let mut wires: Vec<_> = (0..50).map(|_| server.connect()).collect();
    for (index, wire) in wires.iter_mut().enumerate() {
        wire.say(format!("work\r\n{index}\r\n").as_bytes());
    }
    // One goes before its answer comes: nobody else gets it.
    drop(wires.remove(0));
    for (index, wire) in wires.iter_mut().enumerate() {
        assert_eq!(wire.line(), "hello");
        assert_eq!(wire.line(), "worked");
        assert_eq!(wire.line(), (index + 1).to_string());
    }
}

#[test]
fn who_says_nothing_is_told_in_the_end() {
    let setup = Setup {
        patience: Duration::from_millis(200),
        ..Setup::default()
    };
    let server = Server::start(setup);
    let start = Instant::now();
    let mut wire = server.connect();
    assert_eq!(wire.line(), "hello");
    assert_eq!(wire.line(), "too slow");
    wire.ends();
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(200), "{took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_stop_says_goodbye_to_everybody_and_ends() {
    let server = Server::start(Setup::default());
    let mut wires: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for wire in &mut wires {
        assert_eq!(wire.line(), "hello");
    }
    wires[0].say(b"work\r\n");
    server.handle.stop();
    for (index, wire) in wires.iter_mut().enumerate() {
        // A job that was accepted is finished before the goodbye.
        if index == 0 && wire.line() == "stopping" {
            panic!("stopped in the middle of a job");
        }
        assert_eq!(wire.line(), "stopping");
        wire.ends();
    }
    drop(wires);
    let start = Instant::now();
    drop(server);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_stop_waits_for_who_is_busy_and_a_second_one_does_not() {
    let server = Server::start(Setup::default());
    let mut busy = server.connect();
    busy.say(b"busy\r\nyes\r\n");
    assert_eq!([busy.line(), busy.line()], ["hello", "yes"]);
    server.handle.stop();
    std::thread::sleep(Duration::from_millis(100));
    busy.say(b"still\r\n");
    assert_eq!(busy.line(), "still");
    let nobody = TcpStream::connect(server.plain).expect_err("the door is closed");
    assert_eq!(nobody.kind(), ErrorKind::ConnectionRefused);
    let start = Instant::now();
    drop(server);
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn who_comes_when_it_is_full_is_told_so() {
    let setup = Setup {
        connections: 2,
        ..Setup::default()
    };
    let server = Server::start(setup);
    let mut first = server.connect();
    let mut second = server.connect();
    assert_eq!(first.line(), "hello");
    assert_eq!(second.line(), "hello");
    let mut third = server.connect();
    assert_eq!(third.line(), "too many");
    third.ends();
    first.say(b"quit\r\n");
    assert_eq!(first.line(), "bye");
    drop(first);
    // The place is free as soon as the server has seen our end.
    let again = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        server.connect().line() == "hello"
    });
    assert!(again);
}

#[test]
fn two_thousand_quick_connections() {
    let server = Server::start(Setup::default());
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let mut wire = server.connect();
                    wire.say(b"quit\r\n");
                    assert_eq!(wire.line(), "hello");
                    assert_eq!(wire.line(), "bye");
                }
            });
        }
    });
    let took = start.elapsed();
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[test]
fn a_client_that_never_reads_is_held_back() {
    let server = Server::start(Setup::default());
    let mut wire = server.connect();
    let stream = wire.0.get_mut();
    let wait = Some(Duration::from_millis(500));
    stream.set_write_timeout(wait).expect("a timeout");
    let text = "x".repeat(1022) + "\r\n";
    let block = text.repeat(64);
    let mut taken = 0;
    while taken < 256 << 20 {
        match stream.write(block.as_bytes()) {
            Ok(octets) => taken += octets,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
    }
    // What the two sockets' buffers take (some MB on loopback), and the server's bounded part.
    assert!(taken < 32 << 20, "the server took {taken} octets");
    let mut other = server.connect();
    assert_eq!(other.line(), "hello");
    // And it goes on where it was once the client reads.
    assert_eq!(wire.line(), "hello");
    for _ in 0..1000 {
        assert_eq!(wire.line().len(), 1022);
    }
}

#[test]
fn a_flood_does_not_starve_the_others() {
    let server = Server::start(Setup::default());
    let mut flood = server.connect();
    let mut reading = flood.0.get_ref().try_clone().expect("a clone");
    let sink = std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 20];
        while reading.read(&mut buffer).is_ok_and(|octets| octets > 0) {}
    });
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let source = std::thread::spawn(move || {
        let block = "flood\r\n".repeat(10_000);
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            flood.say(block.as_bytes());
        }
        flood.0.get_ref().shutdown(Shutdown::Both).ok();
    });
    let mut other = server.connect();
    assert_eq!(other.line(), "hello");
    let start = Instant::now();
    for _ in 0..100 {
        other.say(b"ping\r\n");
        assert_eq!(other.line(), "ping");
    }
    let took = start.elapsed();
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    source.join().expect("a source");
    sink.join().expect("a sink");
    assert!(took < Duration::from_secs(10), "{took:?}");
}

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
    let result = converse(target, &mut script, None);
    (script, result)
}

fn talk(target: &Target, say: &[&str]) -> (Vec<String>, Option<TlsInfo>) {
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
    target.trust = Trust::Authorities { extra: None };
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
    assert!(said.contains("give its CA file (tls/ca.pem"), "{said}");
    target.trust = Trust::Anybody;
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

/// Runs an ignored test of this file in a process of its own; its output.
fn child(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .args(["--exact", &format!("reactor::tests::{test}")])
        .args(["--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// The part of the next test that runs in a process of its own, where it may take all file descriptors.
#[test]
#[ignore = "run by without_file_descriptors_it_waits_and_goes_on"]
fn child_without_file_descriptors() {
    let few = Some(64);
    let limit = Rlimit {
        current: few,
        maximum: few,
    };
    setrlimit(Resource::Nofile, limit).expect("a limit");
    let server = Server::start(Setup::default());
    let mut held = Vec::new();
    // Connections succeed in the backlog even when they cannot be accepted.
    while let Ok(stream) = TcpStream::connect(server.plain) {
        held.push(stream);
    }
    let last = held.pop().expect("many connections");
    assert!(held.len() > 20, "{}", held.len());
    let wait = |milliseconds| Some(Duration::from_millis(milliseconds));
    last.set_read_timeout(wait(300)).expect("a timeout");
    let early = (&last).read(&mut [0; 1]).expect_err("not accepted yet");
    assert_eq!(early.kind(), ErrorKind::WouldBlock);
    drop(held);
    last.set_read_timeout(wait(20_000)).expect("a timeout");
    let mut wire = Wire(BufReader::new(last));
    assert!(["hello", "too many"].contains(&wire.line().as_str()));
    println!("went on");
}

#[test]
fn without_file_descriptors_it_waits_and_goes_on() {
    let output = child("child_without_file_descriptors")
        .output()
        .expect("a child");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("went on"),
        "{said}"
    );
}

/// Sends signals to itself, which other tests must not feel.
#[test]
#[ignore = "run by signals_reload_and_stop"]
fn child_with_signals() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut reactor = reactor(&Setup::default(), &directory.path().join("tls"));
    let any = "127.0.0.1:0".parse().expect("an address");
    let patience = Duration::from_secs(60);
    let plain = reactor
        .listen(any, Arc::new(EchoService { patience }), Security::Plain)
        .expect("a listener");
    let (tell, told) = mpsc::channel();
    let reload = move || {
        tell.send(()).expect("a reader");
        None
    };
    reactor
        .catch_signals(Box::new(reload))
        .expect("signals are caught");
    let user = std::thread::spawn(move || {
        let mut wire = Wire::connect(plain);
        assert_eq!(wire.line(), "hello");
        let raise = |signal| signal_hook::low_level::raise(signal).expect("a signal");
        raise(signal_hook::consts::SIGHUP);
        told.recv_timeout(Duration::from_secs(20))
            .expect("a reload");
        wire.say(b"still here\r\n");
        assert_eq!(wire.line(), "still here");
        raise(signal_hook::consts::SIGTERM);
        assert_eq!(wire.line(), "stopping");
        wire.ends();
    });
    reactor.run().expect("a run");
    user.join().expect("a user");
    println!("stopped");
}

#[test]
fn signals_reload_and_stop() {
    let output = child("child_with_signals").output().expect("a child");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("stopped"),
        "{said}"
    );
}

/// Serves until its stdin ends, so that its memory can be looked at from outside.
#[test]
#[ignore = "run by idle_connections_cost_little"]
fn child_that_serves() {
    let server = Server::start(Setup::default());
    println!(
        "serving {} {} {}",
        server.plain,
        server.tls,
        server.ca.display()
    );
    std::io::stdin().read_to_end(&mut Vec::new()).ok();
}

/// A TLS connection without a loop, that has had its greeting; kept by a client who is in no hurry.
fn tls_wire(connector: &Connector, address: SocketAddr) -> (TcpStream, tls::Tls) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let mut tls = connector.connect("localhost").expect("a client");
    let mut reader = crate::wire::lines::LineReader::new();
    let mut scratch = vec![0; limits::SCRATCH];
    while reader.pending() == 0 {
        let read = |buffer: &mut [u8]| stream.read(buffer).map(Some).map_err(Trouble::Io);
        tls.receive(read, &mut reader, &mut scratch).expect("TLS");
        stream.write_all(tls.unsent()).expect("a write");
        tls.advance(tls.unsent().len());
    }
    (stream, tls)
}

#[test]
fn idle_connections_cost_little() {
    const COUNT: usize = 400;
    let mut child = child("child_that_serves").spawn().expect("a child");
    let id = child.id();
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let told = lines
        .by_ref()
        .map(|line| line.expect("a line"))
        .find_map(|line| Some(line.split_once("serving ")?.1.to_owned()))
        .expect("an address");
    let mut words = told.split(' ');
    let mut word = || words.next().expect("three words");
    let plain: SocketAddr = word().parse().expect("an address");
    let secure: SocketAddr = word().parse().expect("an address");
    let trust = Trust::Authorities {
        extra: Some(word().into()),
    };
    let connector = Connector::new(&trust).expect("authorities");
    let resident = || {
        let text = std::fs::read_to_string(format!("/proc/{id}/status")).expect("a status");
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        1024 * number.and_then(|n| n.parse().ok()).unwrap_or(0usize)
    };
    let greeted = || {
        let mut wire = Wire::connect(plain);
        assert_eq!(wire.line(), "hello");
        wire
    };
    // What a first connection of each kind takes once and for all is not theirs.
    let warm = (greeted(), tls_wire(&connector, secure));
    let before = resident();
    let plain: Vec<_> = (0..COUNT).map(|_| greeted()).collect();
    let between = resident();
    let secure: Vec<_> = (0..COUNT).map(|_| tls_wire(&connector, secure)).collect();
    let after = resident();
    let each = |octets: usize| octets / COUNT;
    let (in_clear, in_tls) = (each(between - before), each(after - between));
    println!("an idle connection: {in_clear} octets in the clear, {in_tls} with TLS");
    drop((warm, plain, secure));
    drop(child.stdin.take());
    child.wait().expect("an end");
    // One receive buffer alone would be 16384.
    assert!(in_clear < 4096, "{in_clear} octets each");
    assert!(in_tls < 14_000, "{in_tls} octets each");
}
