//! `mailtool serve` beside Debian's Dovecot, on copies of the same Maildirs, on the same disk: what clients wait for.
//!
//! `cargo bench --bench mailbox` runs all; `-- select fetch body subject text sort store append copy move pop3 login idle` some (a row
//! is meant when its name begins with the word). MAILTOOL_BENCH_ROUNDS is how often (3), MAILTOOL_BENCH_PROGRAM another build
//! of ours, such as dist/mailtool, MAILTOOL_BENCH_SCALE divides all counts (1; 10 for a quick look). The files are where
//! TMPDIR says: a folder in memory measures nothing.
//!
//! Both servers do the same work in turns, round after round; what is told is the median. `first` is with neither's caches
//! made, and one round only; `warm` is after that; `cold` has the servers started anew and the kernel's caches dropped, which
//! needs root. How long a second connection waits meanwhile, which has the same mailbox selected, is asked in rounds of their own.
//! Dovecot has Debian's defaults: what it syncs and what it caches is as installed.

#[path = "mailbox/client.rs"]
mod client;
#[path = "mailbox/corpus.rs"]
mod corpus;
#[path = "mailbox/servers.rs"]
mod servers;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use client::{Client, connector};
use corpus::Corpus;
use servers::Peer;

/// What a client waits for.
struct Row {
    name: &'static str,
    about: &'static str,
    /// How many times as fast as Dovecot it has to be.
    asked: f64,
    run: fn(&Peer, &Sizes, u32) -> Duration,
}

/// How much there is to do.
struct Sizes {
    large: usize,
    many: usize,
    appended: usize,
    logins: usize,
    idle: usize,
}

const ROWS: [Row; 15] = [
    row("select", "SELECT of the large mailbox", 1.0, select),
    row(
        "fetch",
        "FETCH 1:* (FLAGS UID RFC822.SIZE ENVELOPE BODYSTRUCTURE)",
        2.0,
        fetch,
    ),
    row(
        "fetch-large",
        "the same in the large mailbox",
        2.0,
        fetch_large,
    ),
    row("body", "FETCH 1:* BODY.PEEK[]", 2.0, body),
    row("subject", "SEARCH SUBJECT", 1.0, subject),
    row("text", "SEARCH TEXT, in few of them", 1.0, text),
    row("sort", "SORT (SUBJECT)", 1.0, sort),
    row("sort-thread", "THREAD REFERENCES", 1.0, thread_references),
    row("store", "STORE 1:* +FLAGS (\\Flagged)", 1.0, store),
    row("append", "APPEND, one after the other", 1.0, append),
    row("copy", "COPY 1:*", 1.0, copy),
    row("move", "MOVE 1:*", 1.0, move_all),
    row("pop3", "POP3: STAT, and RETR of each", 1.0, pop3),
    row("login", "LOGIN, SELECT, LOGOUT", 2.0, login),
    row(
        "login-hashed",
        "the same with passwords in SHA512-CRYPT",
        2.0,
        login_hashed,
    ),
];

const fn row(
    name: &'static str,
    about: &'static str,
    asked: f64,
    run: fn(&Peer, &Sizes, u32) -> Duration,
) -> Row {
    Row {
        name,
        about,
        asked,
        run,
    }
}

/// The longest that a second connection may wait, in 99 of 100 cases.
const WAIT: Duration = Duration::from_millis(50);
/// For how long a second connection asks, or until the row is through once.
const ASKED_FOR: Duration = Duration::from_millis(1500);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // Without it, it is `cargo test` that asks.
    if !words.iter().any(|word| word == "--bench") {
        return;
    }
    let limits = getrlimit(Resource::Nofile);
    let enough = Rlimit {
        current: limits.maximum,
        ..limits
    };
    let _ = setrlimit(Resource::Nofile, enough);
    let wanted: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let is_wanted =
        |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.starts_with(word.as_str()));
    let scale = number("MAILTOOL_BENCH_SCALE", 1).max(1);
    let sizes = Sizes {
        large: 100_000 / scale,
        many: 10_000 / scale,
        appended: 1_000 / scale,
        logins: 1_000 / scale,
        idle: 10_000 / scale,
    };
    println!(
        "{} messages in the large mailbox, {} in the others; load of the machine {}",
        sizes.large,
        sizes.many,
        std::fs::read_to_string("/proc/loadavg")
            .unwrap_or_default()
            .trim()
    );
    let rows: Vec<&Row> = ROWS.iter().filter(|row| is_wanted(row.name)).collect();
    if !rows.is_empty() {
        let is_large = |row: &&Row| ["select", "fetch-large"].contains(&row.name);
        let large = if rows.iter().any(is_large) {
            sizes.large
        } else {
            1
        };
        let corpus = Corpus::write(large, sizes.many);
        let mut ours = Peer::mailtool(&corpus);
        let mut theirs = Peer::dovecot(&corpus);
        for row in rows {
            row.race(&mut ours, theirs.as_mut(), &sizes);
        }
    }
    if is_wanted("idle") {
        idle(&sizes);
    }
}

impl Row {
    fn race(&self, ours: &mut Peer, mut theirs: Option<&mut Peer>, sizes: &Sizes) {
        println!("\n{}: {}", self.name, self.about);
        let rounds = u32::try_from(number("MAILTOOL_BENCH_ROUNDS", 3)).unwrap_or(3);
        let mut round = 0;
        for (temperature, rounds) in [("first", 1), ("warm", rounds), ("cold", rounds)] {
            let (mut mine, mut others) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                round += 1;
                let peers = [Some(&mut *ours), theirs.as_deref_mut()];
                let times = [&mut mine, &mut others];
                for (peer, times) in peers.into_iter().zip(times) {
                    let Some(peer) = peer else { continue };
                    if temperature == "cold" && !peer.cool_down() {
                        continue;
                    }
                    times.push((self.run)(peer, sizes, round).as_secs_f64() * 1e3);
                }
            }
            let best = (least(&mine), least(&others));
            let (Some(mine), others) = (median(mine), median(others)) else {
                println!("  {temperature:<5}  the kernel's caches are dropped by root only");
                continue;
            };
            match others {
                None => println!("  {temperature:<5} mailtool {mine:>10.2} ms"),
                Some(others) => {
                    let ratio = others / mine;
                    let verdict = match temperature {
                        "first" => "",
                        _ if ratio >= self.asked => "MET",
                        _ => "NOT MET",
                    };
                    println!(
                        "  {temperature:<5} mailtool {mine:>10.2} ms   Dovecot {others:>10.2} ms   {ratio:>6.2} times as fast (asked: {}) {verdict}   at best {:.2} and {:.2}",
                        self.asked, best.0, best.1
                    );
                }
            }
        }
        for peer in [Some(&mut *ours), theirs].into_iter().flatten() {
            let Some(wait) = self.second_connection(peer, sizes, &mut round) else {
                continue;
            };
            let verdict = match peer.name {
                "mailtool" if wait.1 <= WAIT => "MET",
                "mailtool" => "NOT MET",
                _ => "",
            };
            println!(
                "  a second connection waits {:>6.2} ms (p99 of {}, at worst {:.2}) in {} (asked: 50) {verdict}",
                wait.1.as_secs_f64() * 1e3,
                wait.0,
                wait.2.as_secs_f64() * 1e3,
                peer.name
            );
        }
    }

    /// How many answers a second connection got, and how long it waited in 99 of 100 cases, and at worst.
    fn second_connection(
        &self,
        peer: &Peer,
        sizes: &Sizes,
        round: &mut u32,
    ) -> Option<(usize, Duration, Duration)> {
        let done = AtomicBool::new(false);
        let mailbox = match self.name {
            "select" | "fetch-large" => "Large",
            _ => "Many",
        };
        let mut waits = thread::scope(|scope| {
            let asking = scope.spawn(|| {
                let mut client = Client::imap(peer.imap);
                client.login("bob");
                client.command(&format!("SELECT {mailbox}"));
                let mut waits = Vec::new();
                while !done.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    client.command("NOOP");
                    waits.push(begun.elapsed());
                    thread::sleep(Duration::from_millis(3));
                }
                waits
            });
            // It has selected by then.
            thread::sleep(Duration::from_millis(500));
            let begun = Instant::now();
            while begun.elapsed() < ASKED_FOR {
                *round += 1;
                (self.run)(peer, sizes, *round);
            }
            done.store(true, Ordering::Relaxed);
            asking.join().expect("no panic")
        });
        waits.sort_unstable();
        let at = (waits.len() * 99 / 100).min(waits.len().checked_sub(1)?);
        Some((waits.len(), waits[at], *waits.last()?))
    }
}

fn timed(client: &mut Client, command: &str) -> Duration {
    let begun = Instant::now();
    client.command(command);
    begun.elapsed()
}

/// Logged in, and with this mailbox selected.
fn selected(peer: &Peer, mailbox: &str) -> Client {
    let mut client = Client::imap(peer.imap);
    client.login("bob");
    client.command(&format!("SELECT {mailbox}"));
    client
}

/// All FETCH responses must have come.
fn fetched(peer: &Peer, mailbox: &str, command: &str, count: usize) -> Duration {
    let mut client = selected(peer, mailbox);
    client.count = Some((b" FETCH (", 0));
    let took = timed(&mut client, command);
    assert_eq!(
        client.count,
        Some((&b" FETCH ("[..], count)),
        "{}",
        peer.name
    );
    took
}

/// Numbers must have been found.
fn found(peer: &Peer, command: &str, count: usize) -> Duration {
    let mut client = selected(peer, "Many");
    client.count = Some((b" ", 0));
    let took = timed(&mut client, command);
    let spaces = client.count.map_or(0, |(_, spaces)| spaces);
    // `* SEARCH`, then one before each number, and some in the tagged response.
    assert!(
        spaces > count && spaces <= count + 40,
        "{}: {command}: {spaces} spaces, and {count} were to be found",
        peer.name
    );
    took
}

fn select(peer: &Peer, _: &Sizes, _: u32) -> Duration {
    let mut client = Client::imap(peer.imap);
    client.login("bob");
    timed(&mut client, "SELECT Large")
}

const WHOLE: &str = "FETCH 1:* (FLAGS UID RFC822.SIZE ENVELOPE BODYSTRUCTURE)";

fn fetch(peer: &Peer, sizes: &Sizes, _: u32) -> Duration {
    fetched(peer, "Many", WHOLE, sizes.many)
}

fn fetch_large(peer: &Peer, sizes: &Sizes, _: u32) -> Duration {
    fetched(peer, "Large", WHOLE, sizes.large)
}

fn body(peer: &Peer, sizes: &Sizes, _: u32) -> Duration {
    fetched(peer, "Many", "FETCH 1:* BODY.PEEK[]", sizes.many)
}

fn subject(peer: &Peer, sizes: &Sizes, _: u32) -> Duration {
    found(
        peer,
        "SEARCH SUBJECT \"harvest\"",
        corpus::with_word(sizes.many, corpus::IN_SUBJECT),
    )
}

fn text(peer: &Peer, sizes: &Sizes, _: u32) -> Duration {
    found(
        peer,
        "SEARCH TEXT \"quixotic\"",
        corpus::with_word(sizes.many, corpus::IN_TEXT),
    )
}

fn sort(peer: &Peer, sizes: &Sizes, _: u32) -> Duration {
    found(peer, "SORT (SUBJECT) UTF-8 ALL", sizes.many)
}

fn thread_references(peer: &Peer, _: &Sizes, _: u32) -> Duration {
    let mut client = selected(peer, "Many");
    timed(&mut client, "THREAD REFERENCES UTF-8 ALL")
}

fn store(peer: &Peer, sizes: &Sizes, round: u32) -> Duration {
    let mut client = selected(peer, "Many");
    let sign = if round.is_multiple_of(2) { '-' } else { '+' };
    client.count = Some((b" FETCH (", 0));
    let took = timed(&mut client, &format!("STORE 1:* {sign}FLAGS (\\Flagged)"));
    let told = client.count.map_or(0, |(_, told)| told);
    assert!(
        told == sizes.many || told == 0,
        "{}: {told} of {}",
        peer.name,
        sizes.many
    );
    took
}

fn append(peer: &Peer, sizes: &Sizes, round: u32) -> Duration {
    let mut client = Client::imap(peer.imap);
    client.login("bob");
    let mailbox = format!("Appended{round}");
    client.command(&format!("CREATE {mailbox}"));
    let message = corpus::message(7);
    let begun = Instant::now();
    for _ in 0..sizes.appended {
        client.append(&mailbox, &message);
    }
    begun.elapsed()
}

fn copy(peer: &Peer, _: &Sizes, round: u32) -> Duration {
    let mut client = selected(peer, "Many");
    client.command(&format!("CREATE Copies{round}"));
    let took = timed(&mut client, &format!("COPY 1:* Copies{round}"));
    client.command(&format!("DELETE Copies{round}"));
    took
}

fn move_all(peer: &Peer, _: &Sizes, round: u32) -> Duration {
    let mut client = selected(peer, "Many");
    let (from, to) = (format!("From{round}"), format!("To{round}"));
    client.command(&format!("CREATE {from}"));
    client.command(&format!("CREATE {to}"));
    client.command(&format!("COPY 1:* {from}"));
    client.command(&format!("SELECT {from}"));
    let took = timed(&mut client, &format!("MOVE 1:* {to}"));
    client.command("SELECT INBOX");
    client.command(&format!("DELETE {from}"));
    client.command(&format!("DELETE {to}"));
    took
}

fn pop3(peer: &Peer, sizes: &Sizes, _: u32) -> Duration {
    let mut client = Client::pop3(peer.pop3);
    client.pop3_line("USER carol");
    client.pop3_line("PASS carol");
    let begun = Instant::now();
    client.pop3_line("STAT");
    for number in 1..=sizes.many {
        client.pop3_text(&format!("RETR {number}"));
    }
    let took = begun.elapsed();
    client.pop3_line("QUIT");
    took
}

fn login(peer: &Peer, sizes: &Sizes, _: u32) -> Duration {
    logins(peer, sizes, "bob")
}

fn login_hashed(peer: &Peer, sizes: &Sizes, _: u32) -> Duration {
    logins(peer, sizes, "dora")
}

fn logins(peer: &Peer, sizes: &Sizes, user: &str) -> Duration {
    let begun = Instant::now();
    for _ in 0..sizes.logins {
        let mut client = Client::imap(peer.imap);
        client.login(user);
        client.command("SELECT INBOX");
        client.command("LOGOUT");
    }
    begun.elapsed()
}

/// How much memory each session in IDLE costs the server.
fn idle(sizes: &Sizes) {
    let limit = usize::try_from(getrlimit(Resource::Nofile).current.unwrap_or(0)).unwrap_or(0);
    let warm = 100;
    // Those of the server are counted apart from ours.
    let sessions = sizes.idle.min(limit.saturating_sub(3 * warm + 200));
    println!("\nidle: {sessions} sessions in IDLE, memory of the server (RSS)");
    if sessions < sizes.idle {
        println!(
            "  ({limit} descriptors may be open: {} were to be)",
            sizes.idle
        );
    }
    let corpus = Corpus::write(1, 1);
    for (name, is_secure, most) in [("in the clear", false, 4.0), ("with TLS", true, 10.0)] {
        let peer = Peer::mailtool(&corpus);
        let connect = connector(&peer.authority());
        let hold = |count: usize| -> Vec<Client> {
            (0..count)
                .map(|_| {
                    let mut client = if is_secure {
                        Client::imaps(peer.imaps, &connect)
                    } else {
                        Client::imap(peer.imap)
                    };
                    client.login("bob");
                    client.command("SELECT INBOX");
                    client.idle();
                    client.slim()
                })
                .collect()
        };
        let held = hold(warm);
        // Buffers are given back a moment after the last octet.
        thread::sleep(Duration::from_secs(2));
        let before = peer.resident();
        let more = hold(sessions);
        thread::sleep(Duration::from_secs(2));
        let after = peer.resident();
        let each = real(after.saturating_sub(before)) / real(sessions);
        let verdict = if each <= most { "MET" } else { "NOT MET" };
        println!(
            "  {name:<14} {each:>6.2} KiB each (asked: at most {most}) {verdict}; {after} KiB in all"
        );
        drop((held, more));
    }
}

fn number(variable: &str, usual: usize) -> usize {
    let value = std::env::var(variable).ok();
    value.and_then(|value| value.parse().ok()).unwrap_or(usual)
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
const fn real(number: usize) -> f64 {
    number as f64
}
