//! `mailtool nc` and people it has to get on with: OpenSSL and ncat over TLS, tshark, and somebody at a terminal. What it
//! prints and when it leaves, without TLS, is in `netcats.rs`.

#[path = "support/program.rs"]
mod program;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use program::{MAILTOOL, PATIENCE, free_ports, have, run};
use tempfile::TempDir;

/// A certificate authority of the test's own, in a folder: `ca.pem`; and what it has signed: `NAME.pem`, `NAME.key`.
struct Authority {
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Self { folder };
        authority.openssl("-keyout ca.key -out ca.pem -subj /CN=authority");
        authority.sign("localhost", "DNS:localhost,IP:127.0.0.1");
        authority
    }

    fn sign(&self, name: &str, alternative: &str) {
        self.openssl(&format!(
            "-CA ca.pem -CAkey ca.key -keyout {name}.key -out {name}.pem -subj /CN={name} \
             -addext subjectAltName={alternative} -addext basicConstraints=critical,CA:FALSE"
        ));
    }

    fn openssl(&self, words: &str) {
        let made = Command::new("openssl")
            .args("req -x509 -nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:P-256".split(' '))
            .args(words.split_ascii_whitespace())
            .current_dir(self.folder.path())
            .output()
            .expect("openssl runs");
        assert!(made.status.success(), "openssl req {words}: {made:?}");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A program in the authority's folder, typed into and read, ended when dropped.
struct Talker {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Talker {
    fn start(folder: &Path, program: &str, words: &str) -> Self {
        Self::start_with(folder, program, words, &[])
    }

    fn start_with(
        folder: &Path,
        program: &str,
        words: &str,
        environment: &[(&str, &Path)],
    ) -> Self {
        let mut child = Command::new(program)
            .args(words.split_ascii_whitespace())
            .envs(environment.iter().copied())
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it is installed");
        Self {
            stdin: child.stdin.take(),
            stdout: lines(child.stdout.take().expect("a pipe")),
            stderr: lines(child.stderr.take().expect("a pipe")),
            child,
        }
    }

    /// `mailtool nc`, which tells the end of what is typed.
    fn ours(authority: &Authority, words: &str) -> Self {
        Self::start(authority.folder.path(), MAILTOOL, &format!("nc -N {words}"))
    }

    /// The same where that is told without being asked for.
    fn ncat(authority: &Authority, words: &str) -> Self {
        Self::start(authority.folder.path(), MAILTOOL, &format!("nc {words}"))
    }

    /// A listener of ours, and its port.
    fn listening(authority: &Authority, words: &str) -> (Self, u16) {
        let talker = Self::ours(authority, &format!("-lvn {words} 127.0.0.1 0"));
        let line = next_with(&talker.stderr, "Listening on");
        let port = line
            .rsplit([' ', ':'])
            .next()
            .and_then(|word| word.parse().ok());
        (talker, port.expect("a port"))
    }

    /// `openssl s_server`, which sends each line back reversed, and its port.
    fn s_server(authority: &Authority, words: &str) -> (Self, u16) {
        let talker = Self::start(
            authority.folder.path(),
            "openssl",
            &format!(
                "s_server -accept 127.0.0.1:0 -cert localhost.pem -key localhost.key -rev {words}"
            ),
        );
        let line = next_with(&talker.stdout, "ACCEPT");
        let port = line.rsplit(':').next().and_then(|word| word.parse().ok());
        (talker, port.expect("a port"))
    }

    /// `openssl s_client`, which ends with what is typed; for that it takes lines that begin with Q or R for commands.
    fn s_client(authority: &Authority, port: u16, words: &str) -> Self {
        Self::start(
            authority.folder.path(),
            "openssl",
            &format!("s_client -quiet -no_ign_eof -connect 127.0.0.1:{port} {words}"),
        )
    }

    fn type_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("not yet closed");
        // Who refuses the connection reads nothing.
        let _ = stdin.write_all(format!("{line}\n").as_bytes());
    }

    fn hears(&self, line: &str) {
        assert_eq!(
            next(&self.stdout).as_deref(),
            Some(line),
            "{:?}",
            self.complaints()
        );
    }

    /// What stderr has had so far.
    fn complaints(&self) -> Vec<String> {
        self.stderr.try_iter().collect()
    }

    /// Closes stdin, and waits for its end: its exit code, and what it says on stderr.
    fn ends(mut self) -> (Option<i32>, String) {
        drop(self.stdin.take());
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().expect("a child") {
                let said: Vec<String> = self.stderr.iter().collect();
                return (status.code(), said.join("\n"));
            }
            thread::sleep(Duration::from_millis(2));
        }
        panic!("it does not end; it said {:?}", self.complaints());
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn next(lines: &Receiver<String>) -> Option<String> {
    lines.recv_timeout(PATIENCE).ok()
}

fn next_with(lines: &Receiver<String>, words: &str) -> String {
    let mut passed = Vec::new();
    while let Some(line) = next(lines) {
        if line.contains(words) {
            return line;
        }
        passed.push(line);
    }
    panic!("no {words:?} in {passed:?}");
}

/// Says a line to who reverses it, hears it, and ends.
fn a_line_is_reversed(mut client: Talker) {
    client.type_line("hello");
    client.hears("olleh");
    let (code, said) = client.ends();
    assert_eq!(code, Some(0), "{said}");
}

/// The connection fails over the certificate, and the user is told.
fn is_refused(mut client: Talker) {
    client.type_line("hello");
    let (code, said) = client.ends();
    assert!(code.is_some_and(|code| code != 0), "{code:?} {said}");
    assert!(said.to_ascii_lowercase().contains("certificate"), "{said}");
}

#[test]
fn a_server_whose_certificate_nobody_asks_about() {
    if !have("openssl", "openssl") {
        return;
    }
    let authority = Authority::new();
    let (_server, port) = Talker::s_server(&authority, "");
    a_line_is_reversed(Talker::ours(&authority, &format!("--ssl 127.0.0.1 {port}")));
}

#[test]
fn a_certificate_is_verified() {
    if !have("openssl", "openssl") {
        return;
    }
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (_server, port) = Talker::s_server(&authority, "");
    let verify = "--ssl --ssl-verify --ssl-trustfile";
    let trusted = authority.path("ca.pem");
    let trusted = trusted.display();
    let client = Talker::ours(&authority, &format!("{verify} {trusted} localhost {port}"));
    a_line_is_reversed(client);
    // --ssl-verify alone means --ssl too, and the authority is not one of the system's.
    is_refused(Talker::ours(
        &authority,
        &format!("--ssl-verify localhost {port}"),
    ));
    let client = format!(
        "{verify} {} localhost {port}",
        stranger.path("ca.pem").display()
    );
    is_refused(Talker::ours(&authority, &client));
    let client = format!("{verify} {trusted} --ssl-servername other.example localhost {port}");
    is_refused(Talker::ours(&authority, &client));
}

/// What `openssl req -x509` makes unless told otherwise: an authority's own.
#[test]
fn a_certificate_that_was_named_itself_is_good() {
    if !have("openssl", "openssl") {
        return;
    }
    let authority = Authority::new();
    authority.openssl(
        "-keyout self.key -out self.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost",
    );
    let (_server, port) = Talker::s_server(&authority, "-cert self.pem -key self.key");
    let verify = "--compat=ncat --ssl-verify --ssl-trustfile";
    a_line_is_reversed(Talker::ncat(
        &authority,
        &format!("{verify} self.pem localhost {port}"),
    ));
    // ncat tells who signed by another exit code than the name.
    for (words, expected) in [
        (format!("{verify} self.pem 127.0.0.1 {port}"), 2),
        (format!("{verify} ca.pem localhost {port}"), 1),
        (format!("--compat=ncat --ssl-verify localhost {port}"), 1),
    ] {
        let (code, said) = Talker::ncat(&authority, &words).ends();
        assert_eq!(code, Some(expected), "{words}: {said}");
        assert!(
            said.contains("Ncat: Certificate verification failed ("),
            "{said}"
        );
    }
}

#[test]
fn the_server_is_told_which_name_is_meant() {
    if !have("openssl", "openssl") {
        return;
    }
    let authority = Authority::new();
    authority.sign("other.example", "DNS:other.example");
    let (_server, port) = Talker::s_server(
        &authority,
        "-servername other.example -cert2 other.example.pem -key2 other.example.key",
    );
    let ca = authority.path("ca.pem");
    let verify = format!("--ssl-verify --ssl-trustfile {}", ca.display());
    // The name brings the other certificate, which is the one that is verified.
    for name in ["--ssl-servername other.example 127.0.0.1", "localhost"] {
        let client = Talker::ours(&authority, &format!("{verify} {name} {port}"));
        a_line_is_reversed(client);
    }
}

#[test]
fn a_protocol_is_negotiated() {
    if !have("openssl", "openssl") {
        return;
    }
    let authority = Authority::new();
    let (server, port) = Talker::s_server(&authority, "-alpn imap,smtp -naccept 1");
    let words = format!("--ssl --ssl-alpn pop3,smtp 127.0.0.1 {port}");
    a_line_is_reversed(Talker::ours(&authority, &words));
    let line = next_with(&server.stdout, "ALPN protocols selected");
    assert!(line.ends_with(": smtp"), "{line}");
}

#[test]
fn the_client_shows_a_certificate() {
    if !have("openssl", "openssl") {
        return;
    }
    let authority = Authority::new();
    authority.sign("alice", "email:alice@localhost");
    let (_server, port) =
        Talker::s_server(&authority, "-Verify 1 -verify_return_error -CAfile ca.pem");
    let words = format!("--ssl --ssl-cert alice.pem --ssl-key alice.key 127.0.0.1 {port}");
    a_line_is_reversed(Talker::ours(&authority, &words));
    let mut client = Talker::ours(&authority, &format!("--ssl 127.0.0.1 {port}"));
    client.type_line("hello");
    let (code, said) = client.ends();
    assert!(code.is_some_and(|code| code != 0), "{code:?} {said}");
}

#[test]
fn a_listener_has_a_certificate_of_its_own() {
    if !have("openssl", "openssl") {
        return;
    }
    let authority = Authority::new();
    let words = "--ssl --ssl-cert localhost.pem --ssl-key localhost.key --ssl-alpn imap,smtp";
    let (mut listener, port) = Talker::listening(&authority, words);
    let mut client = Talker::s_client(
        &authority,
        port,
        "-CAfile ca.pem -verify_return_error -verify_hostname localhost -alpn smtp",
    );
    client.type_line("to the listener");
    listener.hears("to the listener");
    listener.type_line("RCPT TO:<a@example>");
    client.hears("RCPT TO:<a@example>");
    assert_eq!(client.ends().0, Some(0));
    let (code, said) = listener.ends();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_listener_without_a_certificate_makes_one() {
    if !have("openssl", "openssl") {
        return;
    }
    let authority = Authority::new();
    let (mut listener, port) = Talker::listening(&authority, "--ssl");
    let mut client = Talker::s_client(&authority, port, "");
    client.type_line("to the listener");
    listener.hears("to the listener");
    listener.type_line("to the client");
    client.hears("to the client");
    assert_eq!(client.ends().0, Some(0));
    let (code, said) = listener.ends();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_listener_that_asks_for_a_certificate() {
    if !have("openssl", "openssl") {
        return;
    }
    let authority = Authority::new();
    authority.sign("alice", "email:alice@localhost");
    let words =
        "-k --ssl-cert localhost.pem --ssl-key localhost.key --ssl-verify --ssl-trustfile ca.pem";
    let (listener, port) = Talker::listening(&authority, words);
    let mut nobody = Talker::s_client(&authority, port, "-ign_eof");
    nobody.type_line("from nobody");
    next_with(&nobody.stderr, "alert certificate required");
    assert_ne!(nobody.ends().0, Some(0));
    let mut alice = Talker::s_client(&authority, port, "-cert alice.pem -key alice.key");
    alice.type_line("from alice");
    listener.hears("from alice");
}

/// Of `openssl req -x509`, once more: OpenSSL takes a client that shows one of the certificates in the file, and so do we.
#[test]
fn a_client_whose_certificate_was_named_itself_is_good() {
    if !have("openssl", "openssl") {
        return;
    }
    let authority = Authority::new();
    authority.openssl("-keyout self.key -out self.pem -subj /CN=alice");
    authority.openssl("-keyout other.key -out other.pem -subj /CN=alice");
    authority.openssl(
        "-keyout server.key -out server.pem -subj /CN=alice -addext extendedKeyUsage=serverAuth",
    );
    let files = ["self.pem", "server.pem"]
        .map(|file| std::fs::read_to_string(authority.path(file)).expect("openssl has written it"));
    std::fs::write(authority.path("named.pem"), files.concat()).expect("a folder of ours");
    let words = "-Verify 1 -verify_return_error -CAfile named.pem";
    let (_theirs, their_port) = Talker::s_server(&authority, words);
    let words = "-k --ssl-cert localhost.pem --ssl-key localhost.key --ssl-verify --ssl-trustfile named.pem";
    let (ours, our_port) = Talker::listening(&authority, words);
    for shown in ["other", "server", "self"] {
        for (whose, port) in [("OpenSSL", their_port), ("ours", our_port)] {
            let identity = format!("-ign_eof -cert {shown}.pem -key {shown}.key");
            let mut client = Talker::s_client(&authority, port, &identity);
            client.type_line("it is me");
            match (shown, whose) {
                ("self", "ours") => ours.hears("it is me"),
                ("self", _) => client.hears("em si ti"),
                _ => assert_ne!(client.ends().0, Some(0), "{whose}, {shown}"),
            }
        }
    }
}

#[test]
fn a_listener_that_trusts_whom_the_machine_trusts() {
    if !have("openssl", "openssl") {
        return;
    }
    let authority = Authority::new();
    authority.sign("alice", "email:alice@localhost");
    let words = "-k --ssl-cert localhost.pem --ssl-key localhost.key --ssl-verify";
    let (_listener, port) = Talker::listening(&authority, words);
    for (shown, alert) in [
        ("", "alert certificate required"),
        ("-cert alice.pem -key alice.key", "alert unknown ca"),
    ] {
        let mut client = Talker::s_client(&authority, port, &format!("-ign_eof {shown}"));
        client.type_line("hello");
        next_with(&client.stderr, alert);
        assert_ne!(client.ends().0, Some(0));
    }
}

#[test]
fn who_speaks_no_tls_is_no_end_of_a_listener() {
    if !have("openssl", "openssl") {
        return;
    }
    let authority = Authority::new();
    let (listener, port) = Talker::listening(&authority, "-k --ssl");
    let mut plain = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
    plain
        .write_all(b"GET / HTTP/1.0\r\n\r\n")
        .expect("it listens");
    plain.set_read_timeout(Some(PATIENCE)).expect("a socket");
    // An alert or nothing, then the end or a reset; never silence.
    let mut answer = Vec::new();
    if let Err(error) = plain.read_to_end(&mut answer) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
    let mut client = Talker::s_client(&authority, port, "");
    client.type_line("still there");
    listener.hears("still there");
}

#[test]
fn ncat_calls_us_and_we_call_ncat() {
    if !have("openssl", "openssl") || !have("ncat", "ncat") {
        return;
    }
    let authority = Authority::new();
    let words = "--ssl --ssl-cert localhost.pem --ssl-key localhost.key";
    let (mut listener, port) = Talker::listening(&authority, words);
    let folder = authority.folder.path();
    let verify = "--ssl-verify --ssl-trustfile ca.pem";
    let mut client = Talker::start(folder, "ncat", &format!("{verify} localhost {port}"));
    talk(&mut client, &mut listener);
    assert_eq!(client.ends().0, Some(0));
    assert_eq!(listener.ends().0, Some(0));

    let [port] = free_ports();
    let words = format!("-lv {words} 127.0.0.1 {port}");
    let mut listener = Talker::start(folder, "ncat", &words);
    next_with(&listener.stderr, "Listening on");
    let mut client = Talker::ours(&authority, &format!("{verify} localhost {port}"));
    talk(&mut client, &mut listener);
    let (code, said) = client.ends();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(listener.ends().0, Some(0));
}

fn talk(one: &mut Talker, other: &mut Talker) {
    one.type_line("there");
    other.hears("there");
    other.type_line("and back");
    one.hears("and back");
}

#[test]
fn both_sides_log_the_same_secrets() {
    if !have("openssl", "openssl") {
        return;
    }
    let authority = Authority::new();
    let (server, port) = Talker::s_server(&authority, "-keylogfile theirs");
    let words = format!("nc -N --ssl 127.0.0.1 {port}");
    let ours = authority.path("ours");
    let environment = [("SSLKEYLOGFILE", ours.as_path())];
    let folder = authority.folder.path();
    a_line_is_reversed(Talker::start_with(folder, MAILTOOL, &words, &environment));
    next_with(&server.stderr, "CONNECTION CLOSED");
    let secrets = |name: &str| -> BTreeSet<String> {
        let text = fs::read_to_string(authority.path(name)).expect("it is logged");
        let secrets = text.lines().filter(|line| line.contains("_TRAFFIC_SECRET"));
        secrets.map(str::to_ascii_lowercase).collect()
    };
    let (ours, theirs) = (secrets("ours"), secrets("theirs"));
    assert!(theirs.len() >= 4, "{theirs:?}");
    assert_eq!(ours, theirs);
}

#[test]
fn tshark_reads_what_was_said_in_a_capture() {
    if !have("openssl", "openssl") || !have("tshark", "tshark") {
        return;
    }
    let authority = Authority::new();
    let (_server, port) = Talker::s_server(&authority, "");
    let words = format!("--ssl --pcap capture.pcapng 127.0.0.1 {port}");
    a_line_is_reversed(Talker::ours(&authority, &words));
    let capture = authority.path("capture.pcapng");
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(&capture);
    tshark.args(["-d", &format!("tcp.port=={port},tls")]);
    tshark.args(["-q", "-z", "follow,tls,ascii,0"]);
    let output = run(&mut tshark, "");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("hello") && text.contains("olleh"), "{text}");
    // A stream that begins, goes on and ends as one should: nothing that Wireshark marks.
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(&capture);
    tshark.args(["-Y", "tcp.analysis.flags || _ws.malformed"]);
    let output = run(&mut tshark, "");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}

/// What tshark sees of ports: flags of TCP's segments, or octets of UDP's, to and from each.
fn seen_at(capture: &Path, ports: &[u16]) -> Vec<String> {
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(capture);
    tshark.args(["-T", "fields", "-E", "separator=/t"]);
    for field in [
        "tcp.dstport",
        "tcp.srcport",
        "tcp.flags.str",
        "udp.dstport",
        "udp.length",
    ] {
        tshark.args(["-e", field]);
    }
    let output = run(&mut tshark, "");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let seen = |port: &u16| -> String {
        let port = port.to_string();
        let lines = text.lines().filter_map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [to, from, flags, datagram_to, length] = fields[..] else {
                panic!("{line}");
            };
            let flags = flags.replace('·', "");
            match () {
                () if to == port => Some(format!(">{flags}")),
                () if from == port => Some(format!("<{flags}")),
                () if datagram_to == port => Some(format!(">{length}")),
                () => None,
            }
        });
        lines.collect::<Vec<_>>().join(" ")
    };
    ports.iter().map(seen).collect()
}

#[test]
fn tshark_sees_what_a_scan_has_done() {
    if !have("tshark", "tshark") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let capture = folder.path().join("scan.pcapng");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let datagrams = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let open = listener.local_addr().expect("it is bound").port();
    let open_udp = datagrams.local_addr().expect("it is bound").port();
    let [closed] = free_ports();
    let nc = |words: &str, ports: &[u16]| {
        let mut nc = Command::new(MAILTOOL);
        nc.args(["nc", "-z"]).args(words.split_ascii_whitespace());
        nc.args(["--pcap"]).arg(&capture).arg("127.0.0.1");
        nc.args(ports.iter().map(u16::to_string));
        run(&mut nc, "");
        seen_at(&capture, ports)
    };
    let refused = ">S <AR";
    let taken = ">S <AS >A >AF <A";
    assert_eq!(
        nc("", &[closed, open, closed]),
        [
            &format!("{refused} {refused}"),
            taken,
            &format!("{refused} {refused}")
        ]
    );
    assert_eq!(nc("", &[closed]), [refused]);
    assert_eq!(nc("", &[open]), [taken]);
    assert_eq!(nc("--compat=ncat", &[open]), [taken]);
    // Two at once, and one a second; the refusal is no datagram.
    let seen = nc("-u -w 1", &[closed, open_udp]);
    assert!(seen[0].starts_with(">9"), "{seen:?}");
    assert_eq!(seen[1], ">9 >9 >9");
    // Many of them, by several threads: each call is whole, and Wireshark finds nothing odd.
    let ports: Vec<u16> = (1..1500).map(|at| 20_000 + at).collect();
    let seen = nc("", &ports);
    for (port, seen) in ports.iter().zip(seen) {
        assert!(seen == refused || seen == taken, "{port}: {seen}");
    }
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(&capture);
    tshark.args(["-Y", "tcp.analysis.flags || _ws.malformed"]);
    let output = run(&mut tshark, "");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}

/// Runs words on a pseudo-terminal that controls them; types the last of them and Enter when `: ` is shown.
const TERMINAL: &str = r"
import os, pty, sys
pid, master = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[3:])
shown, typed = b'', False
while True:
    try:
        octets = os.read(master, 1000)
    except OSError:
        break
    if not octets:
        break
    shown += octets
    if not typed and b': ' in shown:
        os.write(master, sys.argv[1].encode() + b'\n')
        typed = True
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

/// A proxy that wants a password, answers who has one, and closes: what it heard.
fn proxy_with_a_password() -> (u16, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("it is bound").port();
    let heard = thread::spawn(move || {
        let mut heard = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().expect("a caller");
            stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut octet = [0];
                if stream.read_exact(&mut octet).is_err() {
                    return heard;
                }
                request.extend_from_slice(&octet);
            }
            heard.push(String::from_utf8_lossy(&request).into_owned());
            let is_known = heard[heard.len() - 1].contains("Authorization");
            let answer = match is_known {
                true => "HTTP/1.0 200 OK\r\n\r\nwelcome\n",
                false => {
                    "HTTP/1.0 407 Proxy Authentication Required\r\n\
                     Proxy-Authenticate: Basic realm=\"x\"\r\n\r\n"
                }
            };
            stream.write_all(answer.as_bytes()).expect("it is read");
            if is_known {
                return heard;
            }
        }
    });
    (port, heard)
}

#[test]
fn a_password_is_asked_for_at_the_terminal() {
    if !have("python3", "python3") {
        return;
    }
    let ask = |program: &str| {
        let (port, heard) = proxy_with_a_password();
        let words = format!("nc -N -X connect -P me -x 127.0.0.1:{port} far.example 25");
        let mut python = Command::new("python3");
        python.args(["-c", TERMINAL, "secret", program]);
        python.args(words.split(' '));
        let output = run(&mut python, "");
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        // The name of who asks, for a program that is not called by an applet's name.
        assert!(!shown.contains("secret"), "{shown}");
        assert!(shown.contains("welcome"), "{shown}");
        (shown, output.status.code(), heard.join().expect("no panic"))
    };
    let links = tempfile::tempdir().expect("a folder");
    let link = links.path().join("nc");
    std::os::unix::fs::symlink(MAILTOOL, &link).expect("a link");
    let ours = ask(link.to_str().expect("UTF-8"));
    assert_eq!(ours.0, "Proxy password for me@127.0.0.1: \r\nwelcome\r\n");
    assert_eq!(ours.1, Some(0));
    assert_eq!(
        ours.2,
        [
            "CONNECT far.example:25 HTTP/1.0\r\n\r\n",
            "CONNECT far.example:25 HTTP/1.0\r\n\
                 Proxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n",
        ]
    );
}
