//! Tests that need a process of their own: for its limits, its signals, its memory.

use rustix::process::{Resource, Rlimit, setrlimit};

use super::*;

/// Runs an ignored test of this file in a process of its own; its output.
fn child(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .args(["--exact", &format!("reactor::tests::children::{test}")])
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
    // Both sides take from the same few, and the last may go to the server: one socket is kept to come when there are none.
    let last = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let last = last.expect("a socket");
    let mut held = Vec::new();
    while let Ok(stream) = TcpStream::connect(server.plain) {
        held.push(stream);
    }
    // It succeeds in the backlog, though it cannot be accepted.
    last.connect(&server.plain.into()).expect("a connection");
    let last = TcpStream::from(last);
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
