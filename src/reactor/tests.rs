//! The loop, connections, TLS and the client over loopback, with a tiny echoing session.

mod calls;
mod children;
mod conversations;

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;

use super::client::{ClientError, Observers, Target, converse};
use super::*;
use crate::proto::{Input, Out, Refused, Service, TlsInfo, pop3};
use crate::wire::lines::Want;
use crate::wire::sasl::Credentials;

/// Greets, and says every line again; a few lines mean more.
struct Echo {
    refused: Option<Refused>,
    tls: Option<TlsInfo>,
    deadline: Option<Instant>,
    patience: Duration,
    /// Waits for a job.
    working: bool,
    /// Does not stop when it is told to once, as in the middle of a message.
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
                out.job(Job::Pop3(pop3::Job::Login(Credentials::new(
                    "somebody".to_owned(),
                    Vec::new(),
                ))));
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
            Input::Stop if self.busy => self.busy = false,
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

/// Tens of thousands of idle ones must fit in a small machine; an allocation of 513 octets takes 640. mio counts 16 more for itself where
/// it looks for mistakes.
#[test]
fn a_connection_is_small() {
    let most = if cfg!(debug_assertions) { 528 } else { 512 };
    let octets = size_of::<Slot>();
    assert!(octets <= most, "{octets}");
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
    stop_grace: Duration,
    socket: Option<PathBuf>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(60),
            connections: limits::CONNECTIONS,
            stop_grace: limits::STOP_GRACE,
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
        target.tls.trust = Trust::Authorities {
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
        stop_grace: setup.stop_grace,
        tls: Some(certs::ensure(certificates, &names, &[]).expect("a certificate")),
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
    let (heard, _) = conversations::talk(
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
fn who_is_busy_for_too_long_is_told_that_it_is_over() {
    let server = Server::start(Setup {
        stop_grace: Duration::from_millis(100),
        ..Setup::default()
    });
    let mut busy = server.connect();
    busy.say(b"busy\r\nyes\r\n");
    assert_eq!([busy.line(), busy.line()], ["hello", "yes"]);
    server.handle.stop();
    assert_eq!(busy.line(), "stopping");
    busy.ends();
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

/// With the rest that the map and the allocator need, an idle connection stays below 2 KiB.
#[test]
fn what_is_kept_for_an_idle_connection_is_small() {
    let slot = size_of::<super::Slot>();
    let session = size_of::<crate::proto::smtp::server::Server>();
    assert!(slot + session <= 1700, "{slot} + {session} octets");
}
