//! Bad input on every port: memory stays bounded, whoever misbehaves is told and shown out, and everybody else is
//! served meanwhile.

#[path = "support/program.rs"]
mod program;

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use program::Server;

const CLEAR: [&str; 4] = ["smtp", "submission", "pop3", "imap"];
const ALL: [&str; 7] = [
    "smtp",
    "submission",
    "smtps",
    "pop3",
    "pop3s",
    "imap",
    "imaps",
];

/// What a server may grow by under any of this, in octets.
const GROWTH: u64 = 48 * 1024 * 1024;

/// Does something bad, while another client must be served and memory must stay bounded.
fn endure(what: &str, bad: impl Fn(&Server) + Sync) {
    let server = Server::start();
    assert_served(&server);
    let before = server.resident();
    let mut most = before;
    thread::scope(|scope| {
        let abuse = scope.spawn(|| bad(&server));
        while !abuse.is_finished() {
            assert_served(&server);
            most = most.max(server.resident());
            thread::sleep(Duration::from_millis(5));
        }
    });
    assert_served(&server);
    let after = server.resident();
    println!(
        "{what}: {} kB before, {} kB at most, {} kB after",
        before / 1024,
        most / 1024,
        after / 1024
    );
    assert!(
        most < before + GROWTH,
        "{what}: grew from {before} to {most} octets"
    );
}

/// Somebody who behaves gets answers soon, on each port.
fn assert_served(server: &Server) {
    for (protocol, ask, answer) in [
        ("smtp", "EHLO client.example\r\nQUIT\r\n", "221 2.0.0"),
        (
            "pop3",
            "USER alice\r\nPASS alice\r\nSTAT\r\nQUIT\r\n",
            "+OK 0 0",
        ),
        (
            "imap",
            "a LOGIN alice alice\r\nb STATUS INBOX (MESSAGES)\r\nc LOGOUT\r\n",
            "c OK",
        ),
    ] {
        let begun = Instant::now();
        let mut stream = connect(server.address(protocol));
        stream.write_all(ask.as_bytes()).expect("it listens");
        let mut said = String::new();
        stream
            .read_to_string(&mut said)
            .expect("it answers and closes");
        // Several POP3 sessions of one account exclude each other.
        let busy = said.contains("[IN-USE]");
        assert!(said.contains(answer) || busy, "{protocol}: {said}");
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{protocol}: served late"
        );
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it listens");
    stream
        .set_read_timeout(Some(program::PATIENCE))
        .expect("a timeout");
    stream
        .set_write_timeout(Some(program::PATIENCE))
        .expect("a timeout");
    stream
}

/// Sends `bytes` while reading whatever is said; what was said last. The server may close at any time.
fn send_and_drain(address: SocketAddr, chunks: impl Iterator<Item = Vec<u8>> + Send) -> String {
    let stream = connect(address);
    let mut reader = stream.try_clone().expect("a socket");
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut stream = stream;
            for chunk in chunks {
                if stream.write_all(&chunk).is_err() {
                    break;
                }
            }
            let _ = stream.shutdown(std::net::Shutdown::Write);
        });
        let mut tail = Vec::new();
        let mut buffer = [0; 65536];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    tail.extend_from_slice(&buffer[..count]);
                    let excess = tail.len().saturating_sub(4096);
                    tail.drain(..excess);
                }
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                Err(error) => panic!("neither answered nor closed: {error}"),
            }
        }
        String::from_utf8_lossy(&tail).into_owned()
    })
}

/// A small generator: the same octets in each run.
fn random(seed: u64) -> impl Iterator<Item = u8> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
}

#[test]
fn random_octets() {
    // At the same time, because whoever errs often is answered slowly.
    endure("random octets", |server| {
        thread::scope(|scope| {
            for (seed, protocol) in ALL.into_iter().enumerate() {
                for round in 0..4 {
                    let octets = random(seed as u64 * 100 + round).take(256 * 1024);
                    let octets: Vec<u8> = octets.collect();
                    let address = server.address(protocol);
                    scope.spawn(move || send_and_drain(address, std::iter::once(octets)));
                }
            }
        });
    });
}

#[test]
fn ten_megabytes_without_a_line_end() {
    endure("10 MB without a line end", |server| {
        for protocol in ALL {
            send_and_drain(
                server.address(protocol),
                std::iter::repeat_n(vec![b'x'; 64 * 1024], 160),
            );
        }
    });
}

#[test]
fn a_hundred_thousand_bad_commands() {
    endure("100,000 bad commands", |server| {
        for (protocol, goodbye) in
            CLEAR
                .into_iter()
                .zip(["421 4.7.0 ", "421 4.7.0 ", "-ERR ", "* BYE "])
        {
            let commands = std::iter::repeat_n(b"XYZZY now\r\n".repeat(1000), 100);
            let said = send_and_drain(server.address(protocol), commands);
            let last = said.lines().last().unwrap_or_default();
            assert!(last.starts_with(goodbye), "{protocol}: {last:?}");
        }
    });
}

#[test]
fn literals_that_no_memory_holds() {
    endure("huge literals", |server| {
        for size in [
            "9223372036854775808",
            "18446744073709551616",
            "4294967296",
            "1000000000",
        ] {
            for command in [
                format!("a LOGIN {{{size}}}\r\n"),
                format!("a LOGIN alice {{{size}+}}\r\n"),
                format!("a LOGIN alice alice\r\nb APPEND INBOX {{{size}}}\r\n"),
            ] {
                let said = send_and_drain(
                    server.address("imap"),
                    std::iter::once(command.clone().into_bytes()),
                );
                let refused = ["a BAD", "a NO", "b BAD", "b NO", "* BYE"]
                    .iter()
                    .any(|word| said.contains(word));
                assert!(refused && !said.contains("\n+ "), "{command:?}: {said}");
            }
        }
    });
}

#[test]
fn nul_octets() {
    endure("NUL octets", |server| {
        for (protocol, refusal) in CLEAR.into_iter().zip(["50", "50", "-ERR", "BAD"]) {
            let said = send_and_drain(
                server.address(protocol),
                std::iter::once(b"NO\0OP\r\n\0\r\n".to_vec()),
            );
            assert!(said.contains(refusal), "{protocol}: {said}");
        }
    });
}

#[test]
fn a_client_that_never_reads() {
    endure("clients that never read", |server| {
        // 16 MB of mail, asked for a hundred times by each of eight clients.
        let mut smtp = connect(server.address("smtp"));
        let text = ["x".repeat(98), "\r\n".into()].concat().repeat(160_000);
        let dialogue = "HELO client.example\r\nMAIL FROM:<>\r\nRCPT TO:<bob@localhost>\r\nDATA\r\n";
        smtp.write_all(format!("{dialogue}Subject: big\r\n\r\n{text}.\r\nQUIT\r\n").as_bytes())
            .expect("it reads");
        let mut said = String::new();
        smtp.read_to_string(&mut said).expect("it answers");
        assert!(said.contains("\n250 2.0.0 "), "{said}");

        let greedy: Vec<TcpStream> = (0..8)
            .map(|_| {
                let mut imap = connect(server.address("imap"));
                let fetches = "f FETCH 1 BODY.PEEK[]\r\n".repeat(100);
                let all = format!("a LOGIN bob bob\r\ns SELECT INBOX\r\n{fetches}");
                imap.write_all(all.as_bytes()).expect("it listens");
                imap
            })
            .collect();
        let noops: Vec<TcpStream> = ["smtp", "pop3"]
            .into_iter()
            .map(|protocol| {
                let mut stream = connect(server.address(protocol));
                stream.set_nonblocking(true).expect("a socket");
                // Until neither side has room left: replies that nobody reads hold the commands up.
                for _ in 0..2000 {
                    if stream.write(&b"NOOP\r\n".repeat(1000)).is_err() {
                        break;
                    }
                }
                stream
            })
            .collect();
        thread::sleep(Duration::from_millis(500));

        // One of them reads after all: nothing was lost, and nothing is out of order.
        let mut lines = BufReader::new(greedy.into_iter().next().expect("eight of them")).lines();
        let fetched = lines
            .by_ref()
            .map_while(Result::ok)
            .take_while(|line| !line.starts_with("f OK"));
        assert_eq!(fetched.filter(|line| line.len() == 98).count(), 160_000);
        drop(noops);
    });
}
