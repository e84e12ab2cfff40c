//! `mailtool nc` beside the netcats whose place it takes: nc.openbsd, ncat, nc.traditional, socat with 128 KiB, busybox nc.
//! All that are installed run in turn, round after round, on loopback; what is told is the median of the rounds, how it
//! compares, and whether it is what is asked of ours.
//!
//! `cargo bench --bench netcat` runs all; `-- pipes files start ping scan callers` some. MAILTOOL_BENCH_GIB is how much is
//! moved (4), MAILTOOL_BENCH_ROUNDS how often (3), MAILTOOL_BENCH_PROGRAM another build of ours, such as dist/mailtool.
//!
//! CPU time is that of the program's processes alone, at both ends, as the kernel has counted it when they have ended. Who
//! feeds them and who takes what comes out is a thread of this one: the same for all.

#[path = "netcat/measure.rs"]
mod measure;
#[path = "netcat/table.rs"]
mod table;

use std::collections::HashSet;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitId, WaitIdOptions, getrlimit, kill_process, setrlimit,
    waitid,
};
use rustix::time::{ClockId, clock_gettime};
use socket2::{Domain, Socket, Type};

use measure::*;
use table::*;

const GIB: u64 = 1 << 30;
const MIB: usize = 1 << 20;
const STARTS: usize = 200;
const PINGS: usize = 100_000;
const SCANNED: u16 = 10_000;
const CALLERS: usize = 1_000;
const LINES: usize = 100;
/// Ends a program that does not end by itself.
const AT_MOST: Duration = Duration::from_secs(180);

type Arguments = fn(u16) -> String;

/// A netcat, and the words that make it do the same as the others.
#[derive(Clone, Copy, Debug)]
struct Netcat {
    name: &'static str,
    program: &'static str,
    called: &'static str,
    /// Listens, and shows what comes.
    listen: Arguments,
    /// Calls, and sends all of its input; leaves when that was taken.
    send: Arguments,
    /// Calls, and relays both ways.
    talk: Arguments,
}

const OURS: Netcat = Netcat {
    name: "mailtool nc",
    program: env!("CARGO_BIN_EXE_mailtool"),
    called: "nc",
    listen: |port| format!("-l 127.0.0.1 {port}"),
    send: |port| format!("-N 127.0.0.1 {port}"),
    talk: |port| format!("127.0.0.1 {port}"),
};

const OPENBSD: Netcat = Netcat {
    name: "nc.openbsd",
    program: "nc.openbsd",
    ..OURS
};

const NCAT: Netcat = Netcat {
    name: "ncat",
    program: "ncat",
    called: "ncat",
    send: |port| format!("127.0.0.1 {port}"),
    ..OURS
};

const TRADITIONAL: Netcat = Netcat {
    name: "nc.traditional",
    program: "nc.traditional",
    listen: |port| format!("-l -s 127.0.0.1 -p {port}"),
    send: |port| format!("-q 0 127.0.0.1 {port}"),
    ..OURS
};

const SOCAT: Netcat = Netcat {
    name: "socat -b131072",
    program: "socat",
    called: "socat",
    listen: |port| format!("-u -b131072 TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr STDOUT"),
    send: |port| format!("-u -b131072 STDIN TCP:127.0.0.1:{port}"),
    talk: |port| format!("-b131072 STDIO TCP:127.0.0.1:{port}"),
};

const BUSYBOX: Netcat = Netcat {
    name: "busybox nc",
    program: "busybox",
    called: "nc",
    listen: |port| format!("-l -p {port}"),
    send: |port| format!("127.0.0.1 {port}"),
    talk: |port| format!("127.0.0.1 {port}"),
};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // Without it, it is `cargo test` that asks.
    if !words.iter().any(|word| word == "--bench") {
        return;
    }
    let wanted: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let limits = getrlimit(Resource::Nofile);
    // 1,000 callers, and their sockets here.
    let enough = Rlimit {
        current: limits.maximum,
        ..limits
    };
    let _ = setrlimit(Resource::Nofile, enough);
    for (name, bench) in [
        ("pipes", pipes as fn()),
        ("files", files),
        ("start", start),
        ("ping", ping),
        ("scan", scan),
        ("callers", callers),
    ] {
        if wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str())) {
            bench();
        }
    }
}

/// Ours first, then those that are installed; the others are named.
fn installed(others: &[Netcat]) -> Vec<Netcat> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = |netcat: &Netcat| {
        std::env::split_paths(&path).any(|folder| folder.join(netcat.program).exists())
    };
    let missing: Vec<_> = others.iter().filter(|other| !found(other)).collect();
    for netcat in missing {
        println!("  ({} is not installed)", netcat.program);
    }
    let others = others.iter().copied().filter(found);
    [OURS].into_iter().chain(others).collect()
}

fn from_environment<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    let value = std::env::var(name).ok();
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(otherwise)
}

fn rounds() -> usize {
    from_environment("MAILTOOL_BENCH_ROUNDS", 3)
}

fn octets() -> u64 {
    let gib: f64 = from_environment("MAILTOOL_BENCH_GIB", 4.0);
    let mib = (gib * 1024.0).round();
    assert!((1.0..1e6).contains(&mib), "MAILTOOL_BENCH_GIB is a number");
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between 1 and a million"
    )]
    let mib = mib as u64;
    mib << 20
}

// What is measured.

fn pipes() {
    let octets = octets();
    println!("\n{} from a pipe to a pipe", shown(octets));
    throughput(octets, |netcat| {
        let (fed, input) = io::pipe().expect("a pipe");
        let (output, taken) = io::pipe().expect("a pipe");
        transfer(netcat, fed.into(), taken.into(), || {
            let feeder = thread::spawn(move || feed(input, octets));
            let took = take(output);
            assert_eq!(took, octets, "{}: not all of it arrived", netcat.name);
            feeder.join().expect("no panic");
        })
    });
}

fn files() {
    let octets = octets();
    let Some(folder) = roomy_folder(2 * octets) else {
        println!("\nfiles: there is no room for two of {}", shown(octets));
        return;
    };
    println!(
        "\n{} from a file to a file, in {}",
        shown(octets),
        folder.path().display()
    );
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let mut file = File::create(&from).expect("there is room");
    let block = block();
    for _ in 0..octets >> 20 {
        file.write_all(&block).expect("there is room");
    }
    drop(file);
    throughput(octets, |netcat| {
        let input = File::open(&from).expect("just written");
        let output = File::create(&to).expect("there is room");
        let measured = transfer(netcat, input.into(), output.into(), || {});
        same(&from, &to, octets);
        measured
    });
    println!(
        "  {:<16} {:>18.3}  CPU s/GiB: from file to file without a network, which nobody can do for less",
        "the kernel alone",
        copied(&from, &to, octets)
    );
}

/// CPU seconds for a GiB from file to file, where the kernel does all of it.
fn copied(from: &Path, to: &Path, octets: u64) -> f64 {
    let costs = (0..rounds()).map(|_| {
        // As each netcat does: into a file that is new.
        fs::remove_file(to).expect("it is here");
        let (mut input, mut output) = (
            File::open(from).expect("it is here"),
            File::create(to).expect("there is room"),
        );
        let begun = clock_gettime(ClockId::ThreadCPUTime);
        io::copy(&mut input, &mut output).expect("there is room");
        let spent = clock_gettime(ClockId::ThreadCPUTime) - begun;
        Duration::try_from(spent).expect("it goes up").as_secs_f64() / gib(octets)
    });
    medians(vec![costs.collect()])[0]
}

/// Of each: GiB/s, and CPU seconds for a GiB.
fn throughput(octets: u64, mut run: impl FnMut(&Netcat) -> (Duration, Duration)) {
    let netcats = installed(&[OPENBSD, NCAT, SOCAT, BUSYBOX]);
    let gib = gib(octets);
    let mut rates = vec![Vec::new(); netcats.len()];
    let mut costs = rates.clone();
    for round in 0..rounds() {
        for turn in 0..netcats.len() {
            let at = (round + turn) % netcats.len();
            let (took, cpu) = run(&netcats[at]);
            rates[at].push(gib / took.as_secs_f64());
            costs[at].push(cpu.as_secs_f64() / gib);
        }
    }
    let rates = medians(rates);
    let costs = medians(costs);
    table(&netcats, "GiB/s", &rates, Asked::Least(1.0));
    table(&netcats, "CPU s/GiB", &costs, Asked::Most(0.5));
}

fn start() {
    println!("\nfrom the start to the first octet at the peer, {STARTS} times");
    let netcats = installed(&[OPENBSD, NCAT, TRADITIONAL, SOCAT, BUSYBOX]);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("it is bound").port();
    let mut times = vec![Vec::new(); netcats.len()];
    for round in 0..STARTS {
        for turn in 0..netcats.len() {
            let at = (round + turn) % netcats.len();
            let (fed, mut input) = io::pipe().expect("a pipe");
            input.write_all(b"x").expect("it has room");
            let mut command = command(&netcats[at], netcats[at].talk, port);
            command.stdin(fed).stdout(Stdio::null());
            let begun = Instant::now();
            let running = Running::start(&mut command);
            let mut stream = accept(&listener);
            stream.read_exact(&mut [0]).expect("it sends");
            times[at].push(begun.elapsed().as_secs_f64() * 1e3);
            drop(running);
        }
    }
    table(&netcats, "ms", &medians(times), Asked::Most(1.0));
}

fn ping() {
    println!("\none octet there and back, {PINGS} times");
    let netcats = installed(&[OPENBSD, NCAT, TRADITIONAL, SOCAT, BUSYBOX]);
    let rounds = rounds().max(1) * 2;
    let mut times = vec![Vec::new(); netcats.len()];
    for round in 0..rounds {
        for turn in 0..netcats.len() {
            let at = (round + turn) % netcats.len();
            times[at].push(pings(&netcats[at], PINGS / rounds));
        }
    }
    table(
        &netcats,
        "us there and back",
        &medians(times),
        Asked::Most(1.0),
    );
}

/// Microseconds for each.
fn pings(netcat: &Netcat, count: usize) -> f64 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("it is bound").port();
    let (fed, mut input) = io::pipe().expect("a pipe");
    let (mut output, taken) = io::pipe().expect("a pipe");
    let mut command = command(netcat, netcat.talk, port);
    command.stdin(fed).stdout(taken);
    let running = Running::start(&mut command);
    drop(command);
    let mut stream = accept(&listener);
    stream.set_nodelay(true).expect("a socket");
    let echo = thread::spawn(move || {
        let mut octet = [0];
        while stream.read_exact(&mut octet).is_ok() && stream.write_all(&octet).is_ok() {}
    });
    let mut octet = *b"x";
    let begun = Instant::now();
    for _ in 0..count {
        input.write_all(&octet).expect("it reads");
        output.read_exact(&mut octet).expect("it answers");
    }
    let took = begun.elapsed();
    drop(running);
    echo.join().expect("no panic");
    #[expect(clippy::cast_precision_loss, reason = "it is a hundred thousand")]
    let count = count as f64;
    took.as_secs_f64() * 1e6 / count
}

fn scan() {
    let Some(first) = closed_ports(SCANNED) else {
        println!("\nscan: there are no {SCANNED} closed ports in a row");
        return;
    };
    let last = first + SCANNED - 1;
    println!("\nports {first}-{last} of 127.0.0.1, closed, looked at with -z");
    let netcats = installed(&[OPENBSD, TRADITIONAL]);
    let mut times = vec![Vec::new(); netcats.len()];
    for round in 0..rounds() * 2 + 1 {
        for turn in 0..netcats.len() {
            let at = (round + turn) % netcats.len();
            let mut command = bare(&netcats[at]);
            command
                .args(["-nz", "127.0.0.1"])
                .arg(format!("{first}-{last}"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let begun = Instant::now();
            Running::start(&mut command).end();
            times[at].push(begun.elapsed().as_secs_f64() * 1e3);
        }
    }
    table(
        &netcats,
        "ms",
        &medians(times),
        Asked::MostOf("nc.openbsd", 0.2),
    );
    let bare = (0..=rounds() * 2).map(|_| knocked(first).as_secs_f64() * 1e3);
    println!(
        "  {:<16} {:>18.3}  ms: one socket a processor, one connect(2) a port, nothing else: who has fewer calls does not \
         know whether a port is closed",
        "the kernel alone",
        medians(vec![bare.collect()])[0]
    );
}

/// How long the smallest loop of system calls takes that learns of each port that it is closed: on all processors, a socket that blocks,
/// and is used again after it was refused.
fn knocked(first: u16) -> Duration {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let ports: Vec<u16> = (first..first + SCANNED).collect();
    let begun = Instant::now();
    thread::scope(|scope| {
        for ports in ports.chunks(ports.len().div_ceil(threads)) {
            scope.spawn(move || {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
                for port in ports {
                    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
                    let refused = socket.connect(&to.into()).map_err(|error| error.kind());
                    assert_eq!(refused, Err(io::ErrorKind::ConnectionRefused), "{port}");
                }
            });
        }
    });
    begun.elapsed()
}

fn callers() {
    println!("\n{CALLERS} callers at once of -l -k, {LINES} lines of each");
    let ours = Netcat {
        name: "mailtool ncat",
        called: "ncat",
        ..OURS
    };
    let mut netcats = installed(&[NCAT]);
    netcats[0] = ours;
    let mut times = vec![Vec::new(); netcats.len()];
    let mut lost = vec![0; netcats.len()];
    for round in 0..rounds() {
        for turn in 0..netcats.len() {
            let at = (round + turn) % netcats.len();
            // With its queue of ten, ncat takes a minute.
            if at > 0 && round > 0 {
                continue;
            }
            let (took, missing) = called(&netcats[at]);
            times[at].push(match missing {
                0 => took.as_secs_f64(),
                _ => f64::NAN,
            });
            lost[at] = lost[at].max(missing);
        }
    }
    table(&netcats, "s", &medians(times), Asked::Most(1.0));
    for (netcat, lost) in netcats.iter().zip(lost) {
        let verdict = match lost {
            0 => "pass",
            _ => "below",
        };
        println!("  {:<16} {lost:>6} lines lost (0: {verdict})", netcat.name);
    }
}

/// How long it took until all had come, and how many lines had not when nothing came any more.
fn called(netcat: &Netcat) -> (Duration, usize) {
    let port = free_port();
    let (mut output, taken) = io::pipe().expect("a pipe");
    let mut command = bare(netcat);
    command
        .args(["-l", "-k", "-m", "1000", "127.0.0.1"])
        .arg(port.to_string())
        .stdin(Stdio::null())
        .stdout(taken)
        .stderr(Stdio::null());
    let running = Running::start(&mut command);
    drop(command);
    if !running.listens(port) {
        return (Duration::ZERO, CALLERS * LINES);
    }
    let (sender, pieces) = channel();
    thread::spawn(move || {
        let mut buffer = vec![0; MIB];
        while let Ok(octets) = output.read(&mut buffer) {
            if octets == 0 || sender.send(buffer[..octets].to_vec()).is_err() {
                break;
            }
        }
    });
    let begun = Instant::now();
    let sending = thread::spawn(move || {
        let call = |_| TcpStream::connect((Ipv4Addr::LOCALHOST, port));
        let mut streams: Vec<_> = (0..CALLERS).map(call).collect();
        for line in 0..LINES {
            for (caller, stream) in streams.iter_mut().enumerate() {
                if let Ok(stream) = stream {
                    // Who is not served loses its lines: they will be missing.
                    let _ = stream.write_all(format!("caller {caller} line {line}\n").as_bytes());
                }
            }
        }
        streams
    });
    let (mut text, mut last) = (Vec::new(), begun);
    let all: usize = (0..CALLERS)
        .flat_map(|caller| (0..LINES).map(move |line| (caller, line)))
        .map(|(caller, line)| format!("caller {caller} line {line}\n").len())
        .sum();
    while text.len() < all {
        match pieces.recv_timeout(Duration::from_secs(1)) {
            Ok(piece) => {
                text.extend_from_slice(&piece);
                last = Instant::now();
            }
            // Who has a short queue of callers keeps some of them waiting for seconds.
            Err(RecvTimeoutError::Timeout) => {
                let is_quiet = last.elapsed() > Duration::from_secs(5);
                if sending.is_finished() && is_quiet {
                    break;
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    drop(running);
    drop(sending.join().expect("no panic"));
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines: HashSet<&str> = text.lines().collect();
    let missing = (0..CALLERS)
        .flat_map(|caller| (0..LINES).map(move |line| format!("caller {caller} line {line}")))
        .filter(|line| !lines.contains(line.as_str()))
        .count();
    (last - begun, missing)
}
