//! Relays between pipes and sockets of this process. What the user sees of them is tested on the program, in tests/nc.rs.

mod manners;

use std::io::{PipeReader, PipeWriter, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::Socket;

use super::*;
use crate::proto::raw::{InputEnd, Keyboard, Options, Role};

/// A relay that runs on a thread, and both its ends.
struct Running {
    peer: TcpStream,
    stdin: PipeWriter,
    stdout: PipeReader,
    relay: JoinHandle<io::Result<Report>>,
}

fn start(role: Role, options: Options, manner: fn() -> Manner) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (peer, _) = listener.accept().unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let (stdin_reader, stdin) = io::pipe().unwrap();
    let (stdout, stdout_writer) = io::pipe().unwrap();
    let relay = thread::spawn(move || {
        relay(
            &mut Input::new(stdin_reader.into())?,
            &mut Output::new(stdout_writer.into())?,
            Link::stream(ours.into())?,
            Policy::new(Instant::now(), role, Keyboard::Other, options),
            manner(),
        )
    });
    Running {
        peer,
        stdin,
        stdout,
        relay,
    }
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    };
    (0..length).map(next).collect()
}

#[test]
fn both_directions_at_once_are_intact_although_nobody_waits_for_the_other() {
    let half_close = Options {
        input_end: InputEnd::HalfClose,
        ..Options::default()
    };
    let mut running = start(Role::Connect, half_close, Manner::default);
    let noise = noise(5_000_000);
    let mut peer = running.peer.try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            running.stdin.write_all(&noise).unwrap();
            let (_, closed) = io::pipe().unwrap();
            running.stdin = closed;
        });
        scope.spawn(|| {
            running.peer.write_all(&noise).unwrap();
        });
        let stdout = scope.spawn(|| {
            let mut octets = Vec::new();
            running.stdout.read_to_end(&mut octets).unwrap();
            octets
        });
        let mut octets = Vec::new();
        peer.read_to_end(&mut octets).unwrap();
        assert!(octets == noise, "up");
        peer.shutdown(std::net::Shutdown::Both).unwrap();
        assert!(stdout.join().unwrap() == noise, "down");
    });
    assert_eq!(
        running.relay.join().unwrap().unwrap().outcome,
        Outcome::Done
    );
}

#[test]
fn what_came_before_a_reset_is_written() {
    let mut running = start(Role::Connect, Options::default(), Manner::default);
    running.peer.write_all(b"last words").unwrap();
    thread::sleep(Duration::from_millis(50));
    let peer = Socket::from(running.peer);
    peer.set_linger(Some(Duration::ZERO)).unwrap();
    drop(peer);
    assert_eq!(
        running.relay.join().unwrap().unwrap().outcome,
        Outcome::Broken
    );
    let mut octets = Vec::new();
    running.stdout.read_to_end(&mut octets).unwrap();
    assert_eq!(octets, b"last words");
}

#[test]
fn a_reader_that_went_away_ends_it() {
    let mut running = start(Role::Connect, Options::default(), Manner::default);
    drop(running.stdout);
    running.peer.write_all(b"unheard").unwrap();
    assert_eq!(
        running.relay.join().unwrap().unwrap().outcome,
        Outcome::Unheard
    );
}

#[test]
fn it_sends_on_to_a_peer_that_half_closed() {
    let mut running = start(Role::Connect, Options::default(), Manner::default);
    running.peer.shutdown(std::net::Shutdown::Write).unwrap();
    thread::sleep(Duration::from_millis(50));
    running.stdin.write_all(b"still here").unwrap();
    drop(running.stdin);
    let mut octets = Vec::new();
    running.peer.read_to_end(&mut octets).unwrap();
    assert_eq!(octets, b"still here");
    assert_eq!(
        running.relay.join().unwrap().unwrap().outcome,
        Outcome::Done
    );
}

#[test]
fn it_ends_when_nothing_more_can_be_sent_to_a_peer_that_is_gone() {
    let mut running = start(Role::Connect, Options::default(), Manner::default);
    drop(running.peer);
    thread::sleep(Duration::from_millis(50));
    running.stdin.write_all(b"one").unwrap();
    assert_eq!(
        running.relay.join().unwrap().unwrap().outcome,
        Outcome::Done,
        "the RST to the first line tells, no second one is needed"
    );
}

#[test]
fn lines_become_crlf_and_are_paced() {
    let manner = || Manner {
        crlf: Some(Crlf::default()),
        pace: Some(Pace::new(Duration::from_millis(100))),
        ..Manner::default()
    };
    let mut running = start(Role::Connect, Options::default(), manner);
    let begin = Instant::now();
    running.stdin.write_all(b"one\ntwo\r\nthree\n").unwrap();
    let mut octets = [0; 17];
    running.peer.read_exact(&mut octets).unwrap();
    assert_eq!(&octets, b"one\r\ntwo\r\nthree\r\n");
    assert!(begin.elapsed() >= Duration::from_millis(200));
    drop(running.peer);
    drop(running.stdin);
    running.relay.join().unwrap().unwrap();
}

#[test]
fn enough_is_enough() {
    let manner = || Manner {
        receive_at_most: Some(2),
        ..Manner::default()
    };
    let mut running = start(Role::Connect, Options::default(), manner);
    for word in ["one", "two", "three"] {
        // The third may meet a closed connection.
        let _ = running.peer.write_all(word.as_bytes());
        thread::sleep(Duration::from_millis(50));
    }
    let mut octets = Vec::new();
    running.stdout.read_to_end(&mut octets).unwrap();
    assert_eq!(octets, b"onetwo");
    assert_eq!(
        running.relay.join().unwrap().unwrap().outcome,
        Outcome::Done
    );
}

#[test]
fn datagrams_keep_their_bounds_and_empty_ones_end_nothing() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let ours = UdpSocket::bind("127.0.0.1:0").unwrap();
    ours.connect(peer.local_addr().unwrap()).unwrap();
    peer.connect(ours.local_addr().unwrap()).unwrap();
    let (stdin_reader, mut stdin) = io::pipe().unwrap();
    let (mut stdout, stdout_writer) = io::pipe().unwrap();
    let relay = thread::spawn(move || {
        relay(
            &mut Input::new(stdin_reader.into())?,
            &mut Output::new(stdout_writer.into())?,
            Link::datagrams(ours.into())?,
            Policy::new(
                Instant::now(),
                Role::Connect,
                Keyboard::Other,
                Options {
                    quit_after: Some(Duration::from_millis(200)),
                    ..Options::default()
                },
            ),
            Manner::default(),
        )
    });
    stdin.write_all(&[b'x'; 40_000]).unwrap();
    let mut sizes = Vec::new();
    while sizes.iter().sum::<usize>() < 40_000 {
        sizes.push(peer.recv(&mut [0; 65_536]).unwrap());
    }
    assert!(sizes.iter().all(|size| *size <= limits::RELAY_DATAGRAM));
    for datagram in [&b""[..], b"one", &[b'y'; 60_000], b"", b"end"] {
        peer.send(datagram).unwrap();
    }
    drop(stdin);
    let mut octets = Vec::new();
    stdout.read_to_end(&mut octets).unwrap();
    assert_eq!(octets.len(), 3 + 60_000 + 3);
    assert!(octets.ends_with(b"yend"));
    assert_eq!(relay.join().unwrap().unwrap().outcome, Outcome::Done);
}

#[test]
fn who_always_has_something_to_send_still_listens() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let ours = UdpSocket::bind("127.0.0.1:0").unwrap();
    ours.connect(peer.local_addr().unwrap()).unwrap();
    peer.connect(ours.local_addr().unwrap()).unwrap();
    let (mut stdout, stdout_writer) = io::pipe().unwrap();
    let relay = thread::spawn(move || {
        // Neither of these ever makes it wait: nothing but a look around in between lets it hear.
        let zeros = std::fs::File::open("/dev/zero")?;
        relay(
            &mut Input::new(zeros.into())?,
            &mut Output::new(stdout_writer.into())?,
            Link::datagrams(ours.into())?,
            Policy::new(
                Instant::now(),
                Role::Connect,
                Keyboard::Other,
                Options::default(),
            ),
            Manner {
                receive_at_most: Some(1),
                ..Manner::default()
            },
        )
    });
    peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    peer.recv(&mut [0; 10]).unwrap();
    peer.send(b"enough").unwrap();
    let until = Instant::now() + Duration::from_secs(5);
    while !relay.is_finished() {
        assert!(Instant::now() < until, "it does not listen");
        thread::sleep(Duration::from_millis(10));
    }
    let mut octets = Vec::new();
    stdout.read_to_end(&mut octets).unwrap();
    assert_eq!(octets, b"enough");
}
