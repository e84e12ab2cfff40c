//! `mailtool serve` beside a Postfix that delivers into Maildirs on the same disk, both with their usual care: a message is
//! on disk before it is acknowledged. Postfix's smtp-source sends, on loopback.
//!
//! `cargo bench --bench mail` runs all; `-- short long disk observed untapped idle` some. MAILTOOL_BENCH_ROUNDS is how often (3),
//! MAILTOOL_BENCH_PROGRAM another build of ours, such as dist/mailtool. Postfix needs root; without it, ours runs alone.
//! The files are where TMPDIR says: a folder in memory measures nothing.
//!
//! The time of a run is from the first connection until the last message is in its mailbox. CPU time is that of the server
//! and all of its children, from start to end, as the kernel has counted it when it has ended.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitId, WaitIdOptions, getrlimit, kill_process, setrlimit,
    waitid,
};
use tempfile::TempDir;

const SHORT: usize = 4096;
const LONG: usize = 20 << 20;
const LONG_MESSAGES: usize = 10;
const IDLE: usize = 10_000;
/// What servers that have ended have left behind.
static KEPT: Mutex<Vec<TempDir>> = Mutex::new(Vec::new());
/// Ends what does not end by itself.
const AT_MOST: Duration = Duration::from_secs(120);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // Without it, it is `cargo test` that asks.
    if !words.iter().any(|word| word == "--bench") {
        return;
    }
    let wanted: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let limits = getrlimit(Resource::Nofile);
    let enough = Rlimit {
        current: limits.maximum,
        ..limits
    };
    let _ = setrlimit(Resource::Nofile, enough);
    for (name, bench) in [
        ("disk", disk as fn()),
        ("short", short),
        ("long", long),
        ("observed", observed),
        ("untapped", untapped),
        ("idle", idle),
    ] {
        if wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str())) {
            bench();
        }
    }
    KEPT.lock().expect("no panic").clear();
}

/// What the disk can do: files of 4 KiB created and synced, one after the other, and 64 threads at once.
fn disk() {
    println!("\nthe disk: files of 4 KiB, created and synced, each with its folder");
    for threads in [1, 8, 64] {
        let folder = tempfile::tempdir().expect("a folder");
        let each = 512 / threads;
        let begun = Instant::now();
        thread::scope(|scope| {
            for thread in 0..threads {
                let folder = folder.path();
                scope.spawn(move || {
                    for number in 0..each {
                        let path = folder.join(format!("{thread}.{number}"));
                        let mut file = File::create(path).expect("a file");
                        file.write_all(&[b'x'; SHORT]).expect("written");
                        file.sync_all().expect("synced");
                        File::open(folder)
                            .and_then(|f| f.sync_all())
                            .expect("synced");
                    }
                });
            }
        });
        let rate = real(each * threads) / begun.elapsed().as_secs_f64();
        println!("  {threads:>2} at once {rate:>10.0} a second");
    }
}

/// A load of smtp-source's.
#[derive(Clone, Copy)]
struct Load {
    sessions: usize,
    messages: usize,
    octets: usize,
    /// Whether a session sends one message after the other, or connects for each.
    stays: bool,
}

fn short() {
    let load = |sessions, messages, stays| Load {
        sessions,
        messages,
        octets: SHORT,
        stays,
    };
    for (load, asked) in [
        // Enough that neither the start of a server nor the clock's hundredths of a second are in what a message costs.
        (load(1, 3000, true), 1.0),
        (load(8, 3000, true), 3.0),
        (load(64, 6000, true), 3.0),
        (load(8, 3000, false), 3.0),
    ] {
        let staying = match load.stays {
            true => "",
            false => ", one message a connection",
        };
        println!(
            "\n{} messages of 4 KiB in {} sessions{staying}",
            load.messages, load.sessions
        );
        let (rates, costs) = side_by_side(load);
        verdict(
            "messages/s",
            &rates,
            |ratio| ratio >= asked,
            &format!("at least {asked} times"),
        );
        verdict(
            "CPU ms a message",
            &costs,
            |ratio| ratio <= 1.0 / 3.0,
            "at most 0.33 times",
        );
    }
}

fn long() {
    println!("\n{LONG_MESSAGES} messages of 20 MiB in one session, and dd conv=fsync");
    let load = Load {
        sessions: 1,
        messages: LONG_MESSAGES,
        octets: LONG,
        stays: true,
    };
    let mut raw = Vec::new();
    let mut rates = Vec::new();
    for _ in 0..rounds() {
        let folder = tempfile::tempdir().expect("a folder");
        let begun = Instant::now();
        for number in 0..LONG_MESSAGES {
            let written = Command::new("dd")
                .args(["if=/dev/zero", "bs=1M", "count=20", "conv=fsync"])
                .arg(format!(
                    "of={}",
                    folder.path().join(number.to_string()).display()
                ))
                .stderr(Stdio::null())
                .status();
            assert!(written.expect("dd is everywhere").success());
        }
        raw.push(real(LONG_MESSAGES * 20) / begun.elapsed().as_secs_f64());
        let (rate, _) = Peer::mailtool().run(load);
        rates.push(rate * 20.0);
    }
    verdict(
        "MiB/s",
        &[("mailtool", median(rates)), ("dd", median(raw))],
        |ratio| ratio >= 0.8,
        "at least 0.8 times",
    );
}

/// What it costs to be looked at: messages of 4 KiB in 8 sessions, with nobody looking, with sessions kept as they are by default, and with a
/// capture too.
fn observed() {
    let load = Load {
        sessions: 8,
        messages: 3000,
        octets: SHORT,
        stays: true,
    };
    println!("\n3000 messages of 4 KiB in 8 sessions, looked at by");
    let watched = ["--pcap", "all.pcapng"];
    let mut rates: [Vec<f64>; 3] = Default::default();
    let mut costs: [Vec<f64>; 3] = Default::default();
    let mut add = |at: usize, (rate, cost): (f64, f64)| {
        rates[at].push(rate);
        costs[at].push(cost);
    };
    // In turns: what else the machine does meets all of them.
    for _ in 0..rounds() {
        add(0, Peer::serve(&["--sessions", "off"]).run(load));
        add(1, Peer::serve(&[]).run(load));
        add(2, Peer::serve(&watched).run(load));
    }
    let [nobody, kept, all] = rates.map(median);
    // The disk, which everybody waits for, is in the rates; what looking costs the processor is not hidden by it here.
    let [unseen, session, both] = costs.map(median);
    let asked = "at least 0.85 times";
    let looked = |name, rate| {
        let values = [(name, rate), ("nobody", nobody)];
        verdict("messages/s", &values, |ratio| ratio >= 0.85, asked);
    };
    looked("sessions", kept);
    looked("and pcap", all);
    for (name, cost) in [("sessions", session), ("and pcap", both)] {
        let values = [(name, cost), ("nobody", unseen)];
        let asked = "at most 1.18 times";
        verdict(
            "CPU ms a message",
            &values,
            |ratio| ratio <= 1.0 / 0.85,
            asked,
        );
    }
}

/// What it costs that one could look: messages of 4 KiB in 8 sessions, with nobody looking, and of a program without the code for it, which
/// MAILTOOL_BENCH_UNTAPPED names: `make bench` builds it, with the same profile and `--no-default-features`.
fn untapped() {
    let Ok(program) = std::env::var("MAILTOOL_BENCH_UNTAPPED") else {
        return println!("\n  (a program without taps: MAILTOOL_BENCH_UNTAPPED, or make bench)");
    };
    let load = Load {
        sessions: 8,
        messages: 3000,
        octets: SHORT,
        stays: true,
    };
    println!("\n3000 messages of 4 KiB in 8 sessions, with taps that are off, and without");
    let mut off = (Vec::new(), Vec::new());
    let mut without = (Vec::new(), Vec::new());
    for _ in 0..rounds() {
        let (rate, cost) = Peer::serve(&["--sessions", "off"]).run(load);
        off.0.push(rate);
        off.1.push(cost);
        let (rate, cost) = Peer::serve_with(&program, &["--sessions", "off"]).run(load);
        without.0.push(rate);
        without.1.push(cost);
    }
    let spread = |values: &[f64]| {
        let most = values.iter().copied().fold(f64::MIN, f64::max);
        let least = values.iter().copied().fold(f64::MAX, f64::min);
        most / least
    };
    println!(
        "  from the slowest to the fastest round of one and the same: {:.2} and {:.2} times",
        spread(&off.0),
        spread(&without.0)
    );
    let rates = [("off", median(off.0)), ("without", median(without.0))];
    let asked = "within noise, at least 0.97 times";
    verdict("messages/s", &rates, |ratio| ratio >= 0.97, asked);
    let costs = [("off", median(off.1)), ("without", median(without.1))];
    let asked = "within noise, at most 1.03 times";
    verdict("CPU ms a message", &costs, |ratio| ratio <= 1.03, asked);
}

/// A figure of each server.
type Figures = Vec<(&'static str, f64)>;

/// Messages a second, and milliseconds of CPU time for each.
fn side_by_side(load: Load) -> (Figures, Figures) {
    let (mut ours, mut theirs) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for _ in 0..rounds() {
        let (rate, cost) = Peer::mailtool().run(load);
        ours.0.push(rate);
        ours.1.push(cost);
        if let Some(postfix) = Peer::postfix() {
            let (rate, cost) = postfix.run(load);
            theirs.0.push(rate);
            theirs.1.push(cost);
        }
    }
    let both = |ours, theirs: Vec<f64>| {
        let mut both = vec![("mailtool", median(ours))];
        if !theirs.is_empty() {
            both.push(("Postfix", median(theirs)));
        }
        both
    };
    (both(ours.0, theirs.0), both(ours.1, theirs.1))
}

/// A server under load.
struct Peer {
    child: Child,
    folder: TempDir,
    port: u16,
    /// Where the mail of bob comes to lie, below the folder.
    mailbox: &'static str,
    recipient: &'static str,
}

impl Peer {
    fn mailtool() -> Self {
        Self::serve(&[])
    }

    fn serve(options: &[&str]) -> Self {
        let program = std::env::var("MAILTOOL_BENCH_PROGRAM");
        let program = program.unwrap_or_else(|_| env!("CARGO_BIN_EXE_mailtool").to_owned());
        Self::serve_with(&program, options)
    }

    fn serve_with(program: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // The shell opens the file descriptor that a Rust program cannot pass on without unsafe code.
        let child = Command::new("sh")
            .args(["-c", "exec \"$0\" serve \"$@\" --ready-fd 3 3>ready"])
            .arg(program)
            .args(["--store", "store", "--smtp", "0", "--smtps", "off"])
            .args(["--submission", "off", "--pop3", "off", "--pop3s", "off"])
            .args(["--imap", "off", "--imaps", "off"])
            .args(options)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a shell");
        let begun = Instant::now();
        let port = loop {
            let text = fs::read_to_string(folder.path().join("ready")).unwrap_or_default();
            let address = text.lines().find_map(|line| line.strip_prefix("smtp "));
            if let Some(Ok(address)) = address.map(str::parse::<SocketAddr>) {
                break address.port();
            }
            assert!(begun.elapsed() < AT_MOST, "it does not get ready");
            thread::sleep(Duration::from_millis(2));
        };
        Self {
            child,
            folder,
            port,
            mailbox: "store/mail/bob/new",
            recipient: "bob@localhost",
        }
    }

    /// `None` where it is not installed, or we are not root.
    fn postfix() -> Option<Self> {
        const MASTER: &str = "/usr/lib/postfix/sbin/master";
        if !rustix::process::geteuid().is_root() || !Path::new(MASTER).exists() {
            println!("  (Postfix needs to be installed, and root)");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("ours");
        let at = folder.path().display();
        let postfix = id_of("postfix")?;
        for made in ["spool/pid", "conf"] {
            fs::create_dir_all(folder.path().join(made)).expect("a folder");
        }
        let queues = "active bounce corrupt defer deferred flush hold incoming maildrop private public saved trace";
        let owned = queues.split(' ').map(|name| format!("spool/{name}"));
        for name in owned.chain(["data".to_owned(), "mail".to_owned()]) {
            let path = folder.path().join(name);
            fs::create_dir_all(&path).expect("a folder");
            chown(&path, Some(postfix), None).expect("root may");
        }
        let port = free_port();
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {at}/spool\ndata_directory = {at}/data\n\
             maillog_file = {at}/log\nmaillog_file_prefixes = {at}\nmessage_size_limit = 100000000\n\
             virtual_mailbox_limit = 0\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmyhostname = mail.example.test\nmydestination =\n\
             virtual_mailbox_domains = example.test\nvirtual_mailbox_maps = inline:{{bob@example.test=bob/}}\n\
             virtual_mailbox_base = {at}/mail\nvirtual_uid_maps = static:{postfix}\nvirtual_gid_maps = static:{postfix}\n\
             virtual_minimum_uid = 1\n\
             default_transport = error:5.1.2 nothing leaves this bench\nsmtpd_relay_restrictions = reject_unauth_destination\n"
        );
        let master = format!(
            "127.0.0.1:{port} inet n - n - - smtpd\n\
             cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\nrewrite unix - - n - - trivial-rewrite\n\
             bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\nerror unix - - n - - error\n\
             virtual unix - n n - - virtual\nproxymap unix - - n - - proxymap\nanvil unix - - n - 1 anvil\n\
             postlog unix-dgram n - n - 1 postlogd\n"
        );
        fs::write(folder.path().join("conf/main.cf"), main).expect("written");
        fs::write(folder.path().join("conf/master.cf"), master).expect("written");
        let child = Command::new(MASTER)
            .arg("-d")
            .arg("-c")
            .arg(folder.path().join("conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it is installed");
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(begun.elapsed() < AT_MOST, "Postfix does not listen");
            thread::sleep(Duration::from_millis(5));
        }
        Some(Self {
            child,
            folder,
            port,
            mailbox: "mail/bob/new",
            recipient: "bob@example.test",
        })
    }

    /// Messages a second, and milliseconds of CPU time for each.
    fn run(mut self, load: Load) -> (f64, f64) {
        let mut source = Command::new("smtp-source");
        let path = std::env::var("PATH").unwrap_or_default();
        source.env("PATH", format!("{path}:/usr/sbin"));
        source.args(load.stays.then_some("-d"));
        for (letter, number) in [
            ("-s", load.sessions),
            ("-m", load.messages),
            ("-l", load.octets),
        ] {
            source.arg(letter).arg(number.to_string());
        }
        source
            .args(["-f", "alice@example.org", "-t", self.recipient])
            .arg(format!("127.0.0.1:{}", self.port));
        let begun = Instant::now();
        let status = source.status();
        let status = status.expect("smtp-source comes with Postfix");
        assert!(status.success(), "smtp-source failed");
        let mailbox = self.folder.path().join(self.mailbox);
        while count(&mailbox) < load.messages {
            assert!(
                begun.elapsed() < AT_MOST,
                "{} of {} messages came",
                count(&mailbox),
                load.messages
            );
            thread::sleep(Duration::from_millis(2));
        }
        let took = begun.elapsed();
        let spent = self.stop();
        // Deleted at the end of all: a file system may look for long at what was deleted of late, before it makes a file.
        let kept = std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"));
        KEPT.lock().expect("no panic").push(kept);
        (
            real(load.messages) / took.as_secs_f64(),
            spent.as_secs_f64() * 1e3 / real(load.messages),
        )
    }

    /// Ends it: the CPU time of it and its children.
    fn stop(&mut self) -> Duration {
        let pid = Pid::from_child(&self.child);
        let _ = kill_process(pid, Signal::TERM);
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(pid), options).expect("it is a child");
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.expect("it is not reaped yet");
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        // utime, stime, cutime and cstime, the 14th to 17th of all, in hundredths of a second.
        let ticks: u64 = fields
            .skip(11)
            .take(4)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        self.child.wait().expect("it has ended");
        Duration::from_millis(10 * ticks)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How much memory each idle connection costs the server.
fn idle() {
    println!("\n{IDLE} idle connections, memory of the server (RSS)");
    let limit = usize::try_from(getrlimit(Resource::Nofile).current.unwrap_or(0)).unwrap_or(0);
    if limit < IDLE + 100 {
        return println!("  (only {limit} descriptors may be open)");
    }
    for (name, is_secure, most) in [("in the clear", false, 2.0), ("with TLS", true, 8.0)] {
        let mut server = Peer::serve(&[]);
        let authority = server.folder.path().join("store/tls/ca.pem");
        let connect = connector(&authority);
        let hold = |count: usize| -> Vec<Idle> {
            (0..count)
                .map(|_| Idle::open(server.port, is_secure.then_some(&connect)))
                .collect()
        };
        let warm = hold(100);
        let before = resident(server.child.id());
        let held = hold(IDLE);
        // Buffers are given back a moment after the last octet.
        thread::sleep(Duration::from_secs(2));
        let after = resident(server.child.id());
        let each = real(after.saturating_sub(before)) / real(IDLE);
        let verdict = if each <= most { "pass" } else { "below" };
        println!(
            "  {name:<14} {each:>6.2} KiB each (at most {most}: {verdict}); {after} KiB in all"
        );
        drop((warm, held));
        server.stop();
    }
}

/// A connection that has been greeted, and says nothing more.
struct Idle {
    _stream: TcpStream,
    _tls: Option<rustls::ClientConnection>,
}

impl Idle {
    fn open(port: u16, tls: Option<&Arc<rustls::ClientConfig>>) -> Self {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a socket");
        let greeted = |text: &[u8]| text.starts_with(b"220") && text.ends_with(b"\n");
        let mut text = [0; 512];
        let octets = stream.read(&mut text).expect("it greets");
        assert!(greeted(&text[..octets]), "no greeting");
        let tls = tls.map(|config| {
            stream.write_all(b"STARTTLS\r\n").expect("it reads");
            let octets = stream.read(&mut text).expect("it answers");
            assert!(greeted(&text[..octets]), "no STARTTLS");
            let name = "localhost".try_into().expect("a name");
            let mut tls = rustls::ClientConnection::new(Arc::clone(config), name).expect("TLS");
            while tls.is_handshaking() {
                tls.complete_io(&mut stream).expect("TLS");
            }
            tls.writer().write_all(b"NOOP\r\n").expect("room");
            tls.complete_io(&mut stream).expect("TLS");
            let mut answer = Vec::new();
            while !answer.ends_with(b"\n") {
                if tls.wants_read() {
                    tls.read_tls(&mut stream).expect("it answers");
                    tls.process_new_packets().expect("TLS");
                }
                let mut piece = [0; 512];
                if let Ok(octets) = tls.reader().read(&mut piece) {
                    answer.extend_from_slice(&piece[..octets]);
                }
            }
            tls
        });
        Self {
            _stream: stream,
            _tls: tls,
        }
    }
}

fn connector(authority: &PathBuf) -> Arc<rustls::ClientConfig> {
    let text = fs::read(authority).expect("made at the start");
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls_pemfile::certs(&mut &text[..]) {
        roots.add(certificate.expect("PEM")).expect("a certificate");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Arc::new(
        rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has them")
            .with_root_certificates(roots)
            .with_no_client_auth(),
    )
}

/// KiB.
fn resident(pid: u32) -> usize {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or_default()
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

fn id_of(user: &str) -> Option<u32> {
    let text = fs::read_to_string("/etc/passwd").ok()?;
    let line = text
        .lines()
        .find(|line| line.split(':').next() == Some(user))?;
    line.split(':').nth(2)?.parse().ok()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("it is bound").port()
}

fn rounds() -> usize {
    let value = std::env::var("MAILTOOL_BENCH_ROUNDS").ok();
    value.and_then(|value| value.parse().ok()).unwrap_or(3)
}

/// Ours comes first; the second is who it is compared with.
fn verdict(unit: &str, values: &[(&str, f64)], passes: impl Fn(f64) -> bool, asked: &str) {
    for (name, value) in values {
        println!("  {name:<10} {value:>12.2} {unit}");
    }
    if let [(_, ours), (other, theirs)] = values {
        let ratio = ours / theirs;
        let word = if passes(ratio) { "pass" } else { "below" };
        println!("  asked: {asked} that of {other}; it is {ratio:.2} times: {word}");
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
const fn real(number: usize) -> f64 {
    number as f64
}
