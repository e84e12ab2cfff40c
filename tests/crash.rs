//! `kill -9` under load: what got its 250 is in a mailbox, once and whole; nothing that is half a message is.

#[path = "support/program.rs"]
mod program;

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use program::Server;

const ROUNDS: usize = 20;
const SESSIONS: usize = 20;

#[test]
fn what_got_its_250_survives_kill_9_exactly_once() {
    let acknowledged = Mutex::new(Vec::new());
    let sent = AtomicUsize::new(0);
    let mut server = Server::start();
    for round in 0..ROUNDS {
        let address = server.address("smtp");
        let over = AtomicBool::new(false);
        // No moment is like another: whatever the machine is doing, some kills hit each step of a delivery.
        let moment = Duration::from_millis(10 + (round as u64 * 37) % 190);
        let folder = thread::scope(|scope| {
            for _ in 0..SESSIONS {
                scope.spawn(|| deliver_until_cut_off(address, &sent, &acknowledged, &over));
            }
            thread::sleep(moment);
            let folder = server.kill();
            over.store(true, Ordering::Relaxed);
            folder
        });
        server = Server::start_in(folder, &[]);
    }

    let mut found: HashMap<usize, usize> = HashMap::new();
    for file in server.inbox("alice").into_iter().chain(server.inbox("bob")) {
        let text = fs::read_to_string(&file).expect("a message");
        let number = text
            .split_once("Subject: ")
            .and_then(|(_, rest)| rest.split_once("\r\n"));
        let number: usize = number
            .and_then(|(number, _)| number.parse().ok())
            .expect("its number");
        assert!(
            text.ends_with(&body(number)),
            "half a message: {}",
            file.display()
        );
        *found.entry(number).or_default() += 1;
    }
    let acknowledged = acknowledged.into_inner().expect("no panic");
    println!(
        "{} sent, {} acknowledged, {} found",
        sent.into_inner(),
        acknowledged.len(),
        found.len()
    );
    assert!(acknowledged.len() > ROUNDS, "there was a load");
    let lost: Vec<&usize> = acknowledged
        .iter()
        .filter(|number| found.get(number) != Some(&1))
        .collect();
    assert!(
        lost.is_empty(),
        "acknowledged, and not there once: {lost:?}"
    );
    let doubled: Vec<_> = found.iter().filter(|(_, times)| **times > 1).collect();
    assert!(doubled.is_empty(), "there more than once: {doubled:?}");
}

/// One session that delivers numbered messages until the server is gone.
fn deliver_until_cut_off(
    address: SocketAddr,
    numbers: &AtomicUsize,
    acknowledged: &Mutex<Vec<usize>>,
    over: &AtomicBool,
) -> Option<()> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(program::PATIENCE)).ok()?;
    let mut replies = BufReader::new(stream.try_clone().ok()?).lines();
    let mut reply = move || replies.next()?.ok();
    reply()?;
    stream.write_all(b"HELO load.example\r\n").ok()?;
    reply()?;
    while !over.load(Ordering::Relaxed) {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        let to = if number.is_multiple_of(3) {
            "bob"
        } else {
            "alice"
        };
        let envelope = format!("MAIL FROM:<>\r\nRCPT TO:<{to}@localhost>\r\nDATA\r\n");
        stream.write_all(envelope.as_bytes()).ok()?;
        for expected in ["250", "250", "354"] {
            let reply = reply()?;
            assert!(reply.starts_with(expected), "{reply}");
        }
        stream
            .write_all(format!("Subject: {number}\r\n\r\n{}.\r\n", body(number)).as_bytes())
            .ok()?;
        let last = reply()?;
        assert!(last.starts_with("250 2.0.0"), "{last}");
        acknowledged.lock().expect("no panic").push(number);
    }
    None
}

/// A body of its own for each number, of 100 octets to 100 kB.
fn body(number: usize) -> String {
    let lines = 1 + number * number % 1000;
    format!(
        "{}end of {number}\r\n",
        format!("{number} {}\r\n", "x".repeat(90)).repeat(lines)
    )
}
