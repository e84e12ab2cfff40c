//! `kill -9` while mail is handed in and passed on: of the server that passes it on, of the one it goes to, of both. Whatever was acknowledged
//! arrives; and each message that arrives twice is one that SMTP cannot help.
//!
//! ```text
//! sessions, smtp-source --> middle (middle.example) --> last (last.example)
//! ```
//!
//! A message comes twice when the middle did not learn, or did not write down, that the last one has it: RFC 5321 §4.5.4.1 wants it sent
//! again. So between its first copy and its second there is a kill, and the first copy is hardly older than that kill.

#[path = "support/by_hand.rs"]
mod by_hand;
#[path = "support/debian.rs"]
mod debian;
#[path = "support/program.rs"]
mod program;

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use by_hand::{queue_list, wait_for};
use program::{PATIENCE, Server, free_ports, have, inbox};

const ROUNDS: usize = 10;
const SESSIONS: usize = 6;
/// Messages that can be under way at a kill: on the connections to one destination, and those whose outcome is being written down
/// (`RELAY_CONNECTIONS_EACH` and `RELAY_RECORDS` of limits.rs).
const UNDER_WAY: usize = 20 + 64;
/// How long before a kill the first copy of a message may have come that is sent again: the middle had a batch of outcomes to write.
const FRESH: Duration = Duration::from_secs(10);

#[test]
fn what_was_acknowledged_arrives_and_what_comes_twice_had_to() {
    let has_source = have("smtp-source", "postfix");
    let ports: [u16; 2] = free_ports();
    let [middle_at, last_at] = ports.map(|port| format!("127.0.0.1:{port}"));
    let route = format!("last.example={last_at}");
    let middle_options = [
        "--domain",
        "middle.example",
        "--smtp",
        &middle_at,
        "--route",
        &route,
        "--relay-from",
        "127.0.0.0/8",
        "--retry",
        "1",
    ];
    let last_options = ["--domain", "last.example", "--smtp", &last_at];
    let mut middle = Server::start_with(&middle_options);
    let mut last = Server::start_with(&last_options);
    let (acknowledged, numbers) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    let mut kills = Vec::new();
    for round in 0..ROUNDS {
        let address = middle.address("smtp");
        let over = AtomicBool::new(false);
        let source = has_source.then(|| smtp_source(&middle_at));
        let (a, b) = thread::scope(|scope| {
            for _ in 0..SESSIONS {
                scope.spawn(|| hand_in(address, &numbers, &acknowledged, &over));
            }
            thread::sleep(Duration::from_millis(60 + (round as u64 * 97) % 400));
            let (mut a, mut b) = (middle, last);
            if round % 3 != 1 {
                a = Server::start_in(a.kill(), &middle_options);
            }
            if round % 3 != 0 {
                b = Server::start_in(b.kill(), &last_options);
            }
            kills.push(SystemTime::now());
            // Where the middle lives on, the sessions do too, for a while.
            thread::sleep(Duration::from_millis(50));
            over.store(true, Ordering::Relaxed);
            (a, b)
        });
        (middle, last) = (a, b);
        if let Some(mut source) = source {
            // It ends by itself when its server is gone, or when it has sent all.
            let _ = source.kill();
            let _ = source.wait();
        }
    }
    wait_for("an empty queue", || {
        let list = queue_list(&middle.store());
        list.contains("the queue is empty").then_some(())
    });
    let acknowledged = acknowledged.into_inner().expect("no panic");
    assert!(acknowledged.len() > 10 * ROUNDS, "there was a load");
    for (store, account) in [(last.store(), "bob"), (middle.store(), "alice")] {
        let found = found(&store, account);
        let lost: Vec<_> = acknowledged
            .iter()
            .filter(|number| !found.contains_key(number))
            .collect();
        assert!(
            lost.is_empty(),
            "{account}: acknowledged, and not there: {lost:?}"
        );
        let doubled: Vec<_> = found
            .iter()
            .filter(|(_, copies)| copies.len() > 1)
            .collect();
        println!(
            "{account}: {} acknowledged, {} found, {} of them more than once",
            acknowledged.len(),
            found.len(),
            doubled.len()
        );
        assert!(
            doubled.len() <= ROUNDS * UNDER_WAY,
            "{account}: {}",
            doubled.len()
        );
        // Into a mailbox beside the queue nothing comes twice: the file has the same name.
        assert!(account != "alice" || doubled.is_empty(), "{doubled:?}");
        for (number, copies) in doubled {
            for pair in copies.windows(2) {
                let [(first, id), (second, other)] = pair else {
                    continue;
                };
                assert_eq!(id, other, "{number} was queued twice");
                let why = kills.iter().any(|kill| {
                    // A server is up again some time after its kill.
                    let restart = Duration::from_secs(3);
                    *first <= *kill
                        && *second + restart >= *kill
                        && *first + FRESH + restart >= *kill
                });
                assert!(why, "{number} came twice, and nobody was killed in between");
            }
        }
    }
}

/// Rounds of SIGTERM.
const ENDS: usize = 4;

#[test]
fn a_server_that_is_asked_to_end_loses_nothing_and_sends_nothing_twice() {
    let ports: [u16; 2] = free_ports();
    let [middle_at, last_at] = ports.map(|port| format!("127.0.0.1:{port}"));
    let route = format!("last.example={last_at}");
    let middle_options = [
        "--domain",
        "middle.example",
        "--smtp",
        &middle_at,
        "--route",
        &route,
        "--relay-from",
        "127.0.0.0/8",
        "--retry",
        "1",
    ];
    let last_options = ["--domain", "last.example", "--smtp", &last_at];
    let mut middle = Server::start_with(&middle_options);
    let mut last = Server::start_with(&last_options);
    let (acknowledged, numbers) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    for round in 0..ENDS {
        let address = middle.address("smtp");
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..SESSIONS {
                scope.spawn(|| hand_in(address, &numbers, &acknowledged, &over));
            }
            thread::sleep(Duration::from_millis(100 + 70 * round as u64));
            let ending = if round % 2 == 0 {
                &mut middle
            } else {
                &mut last
            };
            ending.signal("TERM");
            let ended = wait_for("its end", || ending.child.try_wait().expect("a child"));
            assert!(ended.success(), "{ended}");
            over.store(true, Ordering::Relaxed);
        });
        if round % 2 == 0 {
            middle = Server::start_in(middle.kill(), &middle_options);
        } else {
            last = Server::start_in(last.kill(), &last_options);
        }
    }
    wait_for("an empty queue", || {
        let list = queue_list(&middle.store());
        list.contains("the queue is empty").then_some(())
    });
    let acknowledged = acknowledged.into_inner().expect("no panic");
    assert!(acknowledged.len() > 10 * ENDS, "there was a load");
    let found = found(&last.store(), "bob");
    let lost = acknowledged
        .iter()
        .filter(|number| !found.contains_key(number));
    assert_eq!(lost.count(), 0);
    let doubled: Vec<_> = found
        .iter()
        .filter(|(_, copies)| copies.len() > 1)
        .collect();
    assert!(doubled.is_empty(), "{doubled:?}");
}

/// The copies of each numbered message, oldest first: when each came, and what the middle called it. Half a message is none.
fn found(store: &Path, account: &str) -> HashMap<usize, Vec<(SystemTime, String)>> {
    let mut found: HashMap<usize, Vec<(SystemTime, String)>> = HashMap::new();
    for file in inbox(store, account) {
        let text = fs::read_to_string(&file).expect("a message");
        let word_after = |marks: &[&str]| {
            let after =
                |text, mark: &&str| str::split_once(text, *mark).map_or("", |(_, rest)| rest);
            let rest = marks.iter().fold(&text[..], after);
            rest.split_ascii_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        assert!(
            text.ends_with("the end\r\n"),
            "half a message: {}",
            file.display()
        );
        let number = word_after(&["Subject: "]).parse().expect("a number");
        let id = word_after(&["by middle.example", "\tid "]);
        let came = fs::metadata(&file)
            .expect("a file")
            .modified()
            .expect("a time");
        found.entry(number).or_default().push((came, id));
    }
    found.values_mut().for_each(|copies| copies.sort());
    found
}

/// More load, in sessions of five; what it sends goes to another mailbox.
fn smtp_source(address: &str) -> std::process::Child {
    Command::new("/usr/sbin/smtp-source")
        .args([
            "-s",
            "5",
            "-m",
            "300",
            "-l",
            "3000",
            "-f",
            "load@client.example",
        ])
        .args(["-t", "postmaster@last.example", address])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it is installed")
}

/// Hands in numbered messages, each for a mailbox here and one there, until the server is gone.
fn hand_in(
    address: SocketAddr,
    numbers: &AtomicUsize,
    acknowledged: &Mutex<Vec<usize>>,
    over: &AtomicBool,
) -> Option<()> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_nodelay(true).ok()?;
    let mut replies = BufReader::new(stream.try_clone().ok()?).lines();
    let mut reply = move || replies.next()?.ok();
    reply()?;
    stream.write_all(b"HELO load.example\r\n").ok()?;
    reply()?;
    while !over.load(Ordering::Relaxed) {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        stream
            .write_all(
                b"MAIL FROM:<>\r\nRCPT TO:<bob@last.example>\r\nRCPT TO:<alice@middle.example>\r\nDATA\r\n",
            )
            .ok()?;
        for expected in ["250", "250", "250", "354"] {
            let reply = reply()?;
            if reply.starts_with("421 ") {
                return None;
            }
            assert!(reply.starts_with(expected), "{reply}");
        }
        // Every tenth is longer than what is held in memory.
        let lines = if number.is_multiple_of(10) { 3000 } else { 3 };
        let filling = "a line of some length, as mail has them\r\n".repeat(lines);
        let text = format!("Subject: {number} \r\n\r\n{filling}the end\r\n.\r\n");
        stream.write_all(text.as_bytes()).ok()?;
        let last = reply()?;
        if last.starts_with("421 ") || last.starts_with("451 ") {
            return None;
        }
        assert!(last.starts_with("250 2.0.0"), "{last}");
        acknowledged.lock().expect("no panic").push(number);
    }
    None
}
