//! What a relay does besides moving octets, and the ways on which it moves them.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::Seek;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use super::*;
use crate::proto::raw::{IdleEnd, PeerEnd};
use crate::reactor::{Acceptor, Connector, Trust, certs};
use crate::tap::{Closing, Piece, Side};

fn half_close() -> Options {
    Options {
        input_end: InputEnd::HalfClose,
        ..Options::default()
    }
}

fn policy(role: Role, options: Options) -> Policy {
    Policy::new(Instant::now(), role, Keyboard::Other, options)
}

fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (peer, _) = listener.accept().unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    (ours, peer)
}

fn file(octets: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(octets).unwrap();
    file.rewind().unwrap();
    file
}

fn read_all(mut from: impl Read) -> Vec<u8> {
    let mut octets = Vec::new();
    from.read_to_end(&mut octets).unwrap();
    octets
}

/// One relay to another: `octets` from the input of the first to what the second is given as output.
fn carried(octets: &[u8], input: impl Into<Input>, output: impl Into<Output>) -> [Report; 2] {
    let (ours, theirs) = sockets();
    let (mut input, mut output) = (input.into(), output.into());
    let length = octets.len() as u64;
    thread::scope(|scope| {
        let sender = scope.spawn(move || {
            let link = Link::stream(ours.into())?;
            let policy = policy(Role::Connect, half_close());
            relay(
                &mut input,
                &mut Output::none(),
                link,
                policy,
                Manner::default(),
            )
        });
        let link = Link::stream(theirs.into()).unwrap();
        let policy = policy(Role::Listen, Options::default());
        let receiver = relay(
            &mut Input::none(),
            &mut output,
            link,
            policy,
            Manner::default(),
        );
        drop(output);
        let reports = [sender.join().unwrap().unwrap(), receiver.unwrap()];
        assert_eq!(reports.map(|report| report.outcome), [Outcome::Done; 2]);
        assert_eq!((reports[0].sent, reports[1].received), (length, length));
        reports
    })
}

impl From<File> for Input {
    fn from(file: File) -> Self {
        Self::new(file.into()).unwrap()
    }
}

impl From<File> for Output {
    fn from(file: File) -> Self {
        Self::new(file.into()).unwrap()
    }
}

#[test]
fn from_file_to_file() {
    let noise = noise(5_000_000);
    let mut got = file(b"");
    let reports = carried(&noise, file(&noise), got.try_clone().unwrap());
    got.rewind().unwrap();
    assert!(read_all(&got) == noise);
    assert!(reports[0].duration > Duration::ZERO);
}

#[test]
fn a_file_is_read_from_where_it_stands_and_written_where_it_stands() {
    let mut source = file(b"not this, but this");
    source.seek(std::io::SeekFrom::Start(10)).unwrap();
    let mut got = file(b"before ");
    got.seek(std::io::SeekFrom::End(0)).unwrap();
    carried(
        b"but this",
        source.try_clone().unwrap(),
        got.try_clone().unwrap(),
    );
    assert_eq!(source.stream_position().unwrap(), 18, "as if it was read");
    got.rewind().unwrap();
    assert_eq!(read_all(&got), b"before but this");
}

#[test]
fn what_cannot_be_spliced_is_copied() {
    let noise = noise(3_000_000);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    std::fs::write(&path, b"before ").unwrap();
    let appended = OpenOptions::new().append(true).open(&path).unwrap();
    carried(&noise, file(&noise), appended);
    let log = std::fs::read(&path).unwrap();
    assert!(log.strip_prefix(b"before ") == Some(noise.as_slice()));
}

#[test]
fn devices_serve_as_both() {
    let zeros = File::open("/dev/zero").unwrap();
    let null = OpenOptions::new().write(true).open("/dev/null").unwrap();
    let (ours, mut peer) = sockets();
    let reading = thread::spawn(move || {
        let mut octets = vec![1; 3_000_000];
        peer.read_exact(&mut octets).unwrap();
        peer.write_all(b"enough").unwrap();
        octets.iter().all(|octet| *octet == 0)
    });
    let options = Options {
        peer_end: PeerEnd::Leave,
        ..Options::default()
    };
    let report = relay(
        &mut zeros.into(),
        &mut null.into(),
        Link::stream(ours.into()).unwrap(),
        policy(Role::Connect, options),
        Manner::default(),
    );
    assert!(reading.join().unwrap());
    // It went away with a lot unread.
    assert!(report.is_ok_and(|report| report.sent >= 3_000_000));
}

#[test]
fn a_small_pipe_between_slow_ends_loses_nothing() {
    let noise = noise(400_000);
    let mut running = start(Role::Connect, half_close(), Manner::default);
    let mut peer = running.peer.try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            for (at, piece) in noise.chunks(7001).enumerate() {
                running.stdin.write_all(piece).unwrap();
                thread::sleep(Duration::from_millis((at % 3) as u64));
            }
            let (_, closed) = io::pipe().unwrap();
            running.stdin = closed;
        });
        scope.spawn(|| {
            for piece in noise.chunks(50_001) {
                running.peer.write_all(piece).unwrap();
                thread::sleep(Duration::from_millis(3));
            }
            assert!(read_all(&running.peer) == noise, "up");
            running.peer.shutdown(std::net::Shutdown::Both).unwrap();
        });
        let mut got = Vec::new();
        let mut piece = [0; 3001];
        while let Ok(octets @ 1..) = running.stdout.read(&mut piece) {
            got.extend_from_slice(&piece[..octets]);
            if got.len() % 5 == 0 {
                thread::sleep(Duration::from_millis(1));
            }
        }
        assert!(got == noise, "down");
        assert!(peer.read(&mut [0]).is_ok_and(|octets| octets == 0));
    });
    let report = running.relay.join().unwrap().unwrap();
    let length = noise.len() as u64;
    assert_eq!((report.sent, report.received), (length, length));
}

#[test]
fn what_a_prelude_left_over_comes_first() {
    let (ours, mut peer) = sockets();
    peer.write_all(b" and after").unwrap();
    drop(peer);
    let (stdout, writer) = io::pipe().unwrap();
    let report = relay(
        &mut Input::none(),
        &mut Output::new(writer.into()).unwrap(),
        Link::stream(ours.into())
            .unwrap()
            .with_left_over(b"before".to_vec()),
        policy(Role::Connect, Options::default()),
        Manner::default(),
    );
    assert_eq!(report.unwrap().received, 16);
    assert_eq!(read_all(stdout), b"before and after");
}

#[test]
fn telnet_is_answered_and_taken_out() {
    let mut running = start(Role::Connect, Options::default(), || Manner {
        telnet: Some(Telnet::default()),
        ..Manner::default()
    });
    running.peer.write_all(b"\xff\xfd\x18login: ").unwrap();
    let mut answer = [0; 3];
    running.peer.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"\xff\xfc\x18");
    running.stdin.write_all(b"alice\n").unwrap();
    let mut login = [0; 6];
    running.peer.read_exact(&mut login).unwrap();
    assert_eq!(&login, b"alice\n");
    drop(running.peer);
    drop(running.stdin);
    assert_eq!(read_all(&mut running.stdout), b"login: ");
    running.relay.join().unwrap().unwrap();
}

#[test]
fn a_rate_is_kept_both_ways() {
    let begin = Instant::now();
    let mut running = start(Role::Connect, half_close(), || Manner {
        rate: NonZeroU64::new(100_000),
        ..Manner::default()
    });
    running.peer.write_all(&[b'd'; 50_000]).unwrap();
    running.stdin.write_all(&[b'u'; 50_000]).unwrap();
    drop(running.stdin);
    assert_eq!(read_all(&running.peer).len(), 50_000);
    let up = begin.elapsed();
    drop(running.peer);
    assert_eq!(read_all(&mut running.stdout).len(), 50_000);
    for took in [up, begin.elapsed()] {
        assert!(took >= Duration::from_millis(400), "{took:?}");
        assert!(took < Duration::from_secs(3), "{took:?}");
    }
    running.relay.join().unwrap().unwrap();
}

#[test]
fn progress_is_shown_once_a_second() {
    static SHOWN: Mutex<Vec<Progress>> = Mutex::new(Vec::new());
    let mut running = start(Role::Connect, Options::default(), || Manner {
        progress: Some(Box::new(|progress| SHOWN.lock().unwrap().push(progress))),
        ..Manner::default()
    });
    running.peer.write_all(b"eleven octs").unwrap();
    thread::sleep(Duration::from_millis(2300));
    drop((running.peer, running.stdin));
    running.relay.join().unwrap().unwrap();
    let shown = SHOWN.lock().unwrap();
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert_eq!((shown[0].received, shown[0].sent), (11, 0));
    assert!(shown[1].duration >= Duration::from_secs(2));
}

#[test]
fn silence_may_be_a_failure() {
    let options = Options {
        idle: Some(Duration::from_millis(200)),
        idle_end: IdleEnd::Idle,
        ..Options::default()
    };
    let running = start(Role::Connect, options, Manner::default);
    assert_eq!(
        running.relay.join().unwrap().unwrap().outcome,
        Outcome::Idle
    );
}

#[test]
fn a_program_is_told_of_the_peers_end_and_its_last_words_arrive() {
    let options = Options::default().of_program();
    let mut running = start(Role::Listen, options, || Manner {
        linger: Some(Duration::from_secs(5)),
        ..Manner::default()
    });
    running.peer.write_all(b"question").unwrap();
    running.peer.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(read_all(&mut running.stdout), b"question", "and the end");
    running.stdin.write_all(&[b'a'; 200_000]).unwrap();
    drop(running.stdin);
    assert_eq!(read_all(&running.peer).len(), 200_000);
    drop(running.peer);
    let report = running.relay.join().unwrap().unwrap();
    assert_eq!((report.outcome, report.sent), (Outcome::Done, 200_000));
}

#[test]
fn a_program_that_does_not_read_is_listened_to_all_the_same() {
    let options = Options::default().of_program();
    let mut running = start(Role::Listen, options, || Manner {
        linger: Some(Duration::from_secs(5)),
        ..Manner::default()
    });
    drop(running.stdout);
    running.peer.write_all(&[b'q'; 100_000]).unwrap();
    thread::sleep(Duration::from_millis(100));
    running.peer.write_all(&[b'q'; 100_000]).unwrap();
    running.stdin.write_all(b"date").unwrap();
    drop(running.stdin);
    assert_eq!(read_all(&running.peer), b"date", "no RST took it away");
    drop(running.peer);
    running.relay.join().unwrap().unwrap();
}

/// What a tap and a wire saw.
#[derive(Clone, Default)]
struct Seen(Rc<RefCell<Vec<String>>>);

impl Tap for Seen {
    fn saw(&mut self, _now: Instant, side: Side, piece: Piece<'_>) {
        let what = match piece {
            Piece::Bytes(octets) => String::from_utf8_lossy(octets).into_owned(),
            Piece::Closed => "closed".to_owned(),
            Piece::Note { text, .. } => text.to_owned(),
            Piece::Tls(words) => words[..3].to_owned(),
            other => format!("{other:?}"),
        };
        self.0.borrow_mut().push(format!("{side:?} {what}"));
    }
}

impl Wire for Seen {
    fn crossed(&mut self, _at: SystemTime, side: Side, octets: &[u8]) {
        let what = String::from_utf8_lossy(octets);
        self.0.borrow_mut().push(format!("{side:?} {what}"));
    }

    fn closed(&mut self, _at: SystemTime, side: Side, how: Closing) {
        self.0.borrow_mut().push(format!("{side:?} {how:?}"));
    }
}

#[test]
fn a_tap_and_a_wire_see_both_sides_to_their_ends() {
    let (ours, mut peer) = sockets();
    let (tap, wire) = (Seen::default(), Seen::default());
    let manner = Manner {
        tap: Some(Box::new(tap.clone())),
        wire: Some(Box::new(wire.clone())),
        ..Manner::default()
    };
    let answering = thread::spawn(move || {
        let mut question = [0; 4];
        peer.read_exact(&mut question).unwrap();
        peer.write_all(b"221 bye").unwrap();
        assert_eq!(read_all(&peer), b"");
    });
    relay(
        &mut file(b"QUIT").into(),
        &mut Output::none(),
        Link::stream(ours.into()).unwrap(),
        policy(Role::Connect, half_close()),
        manner,
    )
    .unwrap();
    answering.join().unwrap();
    let seen = tap.0.borrow().join(", ");
    let order = [
        "Client QUIT, Client closed, Server 221 bye, Server closed",
        "Client QUIT, Server 221 bye, Client closed, Server closed",
    ];
    assert!(order.contains(&seen.as_str()), "{seen}");
    let crossed = wire.0.borrow().join(", ");
    assert_eq!(crossed, seen.replace("closed", "End"));
}

fn secured(role: Role) -> (Link, TcpStream, Connector, Acceptor) {
    let (chain, key) = certs::generate(&["localhost".to_owned()]).unwrap();
    let acceptor = Acceptor::new(chain.as_bytes(), key.as_bytes()).unwrap();
    let connector = Connector::new(&Trust::Anybody).unwrap();
    let (ours, peer) = sockets();
    let link = match role {
        Role::Connect => Link::tls_client(ours.into(), &connector, "localhost"),
        Role::Listen => Link::tls_server(ours.into(), &acceptor),
    };
    (link.unwrap(), peer, connector, acceptor)
}

#[test]
fn tls_carries_much_both_ways_at_once_and_ends_in_order() {
    let (link, peer, _, acceptor) = secured(Role::Connect);
    let noise = Arc::new(noise(3_000_000));
    let sent = Arc::clone(&noise);
    let server = thread::spawn(move || {
        let mut link = Link::tls_server(peer.into(), &acceptor).unwrap();
        link.handshake(Some(Duration::from_secs(5))).unwrap();
        let mut got = file(b"");
        let report = relay(
            &mut file(&sent).into(),
            &mut got.try_clone().unwrap().into(),
            link,
            policy(Role::Listen, half_close()),
            Manner::default(),
        );
        got.rewind().unwrap();
        (report.unwrap(), read_all(&got))
    });
    let mut got = file(b"");
    let tap = Seen::default();
    let report = relay(
        &mut file(&noise).into(),
        &mut got.try_clone().unwrap().into(),
        link,
        policy(Role::Connect, half_close()),
        Manner {
            tap: Some(Box::new(tap.clone())),
            ..Manner::default()
        },
    )
    .unwrap();
    let (theirs, theirs_got) = server.join().unwrap();
    got.rewind().unwrap();
    assert!(read_all(&got) == *noise, "down");
    assert!(theirs_got == *noise, "up");
    let length = noise.len() as u64;
    for report in [report, theirs] {
        assert_eq!(
            (report.outcome, report.sent, report.received),
            (Outcome::Done, length, length)
        );
    }
}

#[test]
fn a_handshake_that_does_not_come_about_says_why() {
    let (mut link, peer, ..) = secured(Role::Connect);
    let silent = link.handshake(Some(Duration::from_millis(100)));
    assert!(
        matches!(silent, Err(HandshakeError::TimedOut)),
        "{silent:?}"
    );
    drop(peer);
    let closed = link.handshake(Some(Duration::from_secs(5)));
    let gone = matches!(closed, Err(HandshakeError::Closed | HandshakeError::Io(_)));
    assert!(gone, "{closed:?}");

    let (mut link, mut peer, ..) = secured(Role::Connect);
    peer.write_all(b"220 mail.example.org ESMTP\r\n").unwrap();
    let plain = link.handshake(Some(Duration::from_secs(5)));
    assert!(matches!(plain, Err(HandshakeError::Tls(_))), "{plain:?}");
    let mut said = vec![0; 2000];
    let octets = peer.read(&mut said).unwrap();
    assert_eq!(said[0], 22, "a ClientHello");
    assert!(octets > 100);
}

#[test]
fn tls_in_a_relay_is_begun_by_it() {
    let (link, peer, connector, _) = secured(Role::Listen);
    let client = thread::spawn(move || {
        let (stdout, writer) = io::pipe().unwrap();
        let mut link = Link::tls_client(peer.into(), &connector, "localhost").unwrap();
        link.handshake(None).unwrap();
        assert!(link.tls().is_some());
        let report = relay(
            &mut file(b"question").into(),
            &mut Output::new(writer.into()).unwrap(),
            link,
            policy(Role::Connect, half_close()),
            Manner::default(),
        );
        report.unwrap();
        read_all(stdout)
    });
    let (stdout, writer) = io::pipe().unwrap();
    relay(
        &mut file(b"answer").into(),
        &mut Output::new(writer.into()).unwrap(),
        link,
        policy(Role::Listen, half_close()),
        Manner::default(),
    )
    .unwrap();
    assert_eq!(read_all(stdout), b"question");
    assert_eq!(client.join().unwrap(), b"answer");
}
