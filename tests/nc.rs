//! `mailtool nc` as scripts and people use it: against plain sockets, against itself, and against Debian's nc where that is
//! installed (`netcat-openbsd`; where it is not, the tests that need it say so and pass).

#[path = "nc/datagrams.rs"]
mod datagrams;
#[path = "nc/endings.rs"]
mod endings;
#[path = "support/ports.rs"]
mod ports;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ports::free_ports;

const PATIENCE: Duration = Duration::from_secs(60);
const DEBIANS: &str = "/bin/nc.openbsd";

/// How a program ended.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn ours(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailtool"));
    command.arg("nc").args(arguments);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn debians(arguments: &[&str]) -> Option<Command> {
    if !fs::exists(DEBIANS).unwrap() {
        eprintln!("skipped: {DEBIANS} is not installed");
        return None;
    }
    let mut command = Command::new(DEBIANS);
    command
        .arg0("nc")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Some(command)
}

/// Waits for the end; a program that does not come to it is killed, and has no code.
fn end(mut child: Child) -> Ended {
    fn read(from: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
        thread::spawn(move || {
            let mut octets = Vec::new();
            if let Some(mut from) = from {
                from.read_to_end(&mut octets).unwrap();
            }
            String::from_utf8_lossy(&octets).into_owned()
        })
    }
    drop(child.stdin.take());
    let (stdout, stderr) = (read(child.stdout.take()), read(child.stderr.take()));
    let until = Instant::now() + PATIENCE;
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        if Instant::now() > until {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        thread::sleep(Duration::from_millis(5));
    };
    Ended {
        code,
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
    }
}

fn run(arguments: &[&str]) -> Ended {
    end(ours(arguments).spawn().unwrap())
}

/// A listener of ours, its port as -v prints it, and the lines that -v prints after.
fn listening(mut command: Command) -> (Child, u16, BufReader<std::process::ChildStderr>) {
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    let port = line.trim_end().rsplit(' ').next().unwrap().parse();
    (child, port.unwrap_or_else(|_| panic!("{line}")), stderr)
}

/// A server of the test's own.
fn server() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    (listener, port)
}

fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn call(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A port at which nobody listens.
fn closed_port() -> String {
    let [port] = free_ports();
    port.to_string()
}

fn read_exact(stream: &mut impl Read, length: usize) -> String {
    let mut octets = vec![0; length];
    stream.read_exact(&mut octets).unwrap();
    String::from_utf8(octets).unwrap()
}

fn read_all(stream: &mut impl Read) -> String {
    let mut octets = Vec::new();
    stream.read_to_end(&mut octets).unwrap();
    String::from_utf8(octets).unwrap()
}

#[test]
fn what_is_wrong_is_said_as_debians_nc_says_it() {
    let cases: &[(&[&str], &str)] = &[
        (&["127.0.0.1", "x"], "port number invalid: x"),
        (&["127.0.0.1", "0"], "port number too small: 0"),
        (&["127.0.0.1", "99999"], "port number too large: 99999"),
        (&["127.0.0.1", "5-x"], "port number invalid: x"),
        (&["127.0.0.1"], "missing port number"),
        (&["-l"], "missing port number"),
        (&["-l", "-z", "1"], "cannot use -z and -l"),
        (&["-k", "h", "1"], "must use -l with -k"),
        (&["-w", "x", "h", "1"], "timeout invalid: x"),
        (&["-w", "-1", "h", "1"], "timeout too small: -1"),
        (&["-q", "x", "h", "1"], "quit timer invalid: x"),
        (
            &["-l", "x"],
            "getaddrinfo: Servname not supported for ai_socktype",
        ),
        (
            &["-n", "localhost", "25"],
            "getaddrinfo for host \"localhost\" port 25: Name or service not known",
        ),
        (
            &["", "25"],
            "getaddrinfo for host \"\" port 25: Name or service not known",
        ),
        (
            &["-4", "::1", "25"],
            "getaddrinfo for host \"::1\" port 25: Address family for hostname not supported",
        ),
        (
            &["-s", "192.0.2.1", "127.0.0.1", "1"],
            "bind failed: Cannot assign requested address",
        ),
        (
            &["-l", "192.0.2.1", "4711"],
            "Cannot assign requested address",
        ),
    ];
    for (arguments, expected) in cases {
        let expected = Ended {
            code: Some(1),
            stdout: String::new(),
            stderr: format!("nc: {expected}\n"),
        };
        assert_eq!(run(arguments), expected, "{arguments:?}");
        if let Some(mut debians) = debians(arguments) {
            let theirs = end(debians.spawn().unwrap());
            assert_eq!(theirs, expected, "Debian's nc {arguments:?}");
        }
    }
}

#[test]
fn usage_is_that_of_debians_nc() {
    for arguments in [&[][..], &["-q"], &["-Q"], &["-vQ"], &["-l", "-p", "1", "2"]] {
        let ended = run(arguments);
        assert_eq!(ended.code, Some(1));
        let usage = "usage: nc [-46CDdFhklNnrStUuvZz] [-I length]";
        assert!(ended.stderr.contains(usage), "{}", ended.stderr);
        if let Some(mut debians) = debians(arguments) {
            let theirs = end(debians.spawn().unwrap());
            assert_eq!(theirs, ended, "{arguments:?}");
        }
    }
}

#[test]
fn the_two_probes_of_other_peoples_scripts() {
    // libvirt: nc -q 2>&1 | grep "requires an argument"
    let ended = run(&["-q"]);
    assert!(ended.stderr.contains("option requires an argument -- 'q'"));
    // OpenSSH's tests: nc -h 2>&1 | grep "proxy address"
    let ended = run(&["-h"]);
    assert!(ended.stderr.contains("proxy address"));
    assert_eq!(ended.code, Some(0));
}

#[test]
fn a_link_says_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("netcat");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_mailtool"), &link).unwrap();
    let ended = Command::new(link).args(["h", "x"]).output().unwrap();
    assert_eq!(
        String::from_utf8(ended.stderr).unwrap(),
        "netcat: port number invalid: x\n"
    );
}

#[test]
fn the_name_decides_the_dialect_and_compat_overrules_it() {
    let called = |name: &str, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mailtool"));
        command.arg0(name).args(arguments);
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        end(command.spawn().unwrap())
    };
    for (name, arguments, code, stderr) in [
        (
            "ncat",
            &["h", "x"][..],
            2,
            "Ncat: Invalid port number \"x\". QUITTING.\n",
        ),
        (
            "nc",
            &["h", "x", "--compat=ncat"],
            2,
            "Ncat: Invalid port number \"x\". QUITTING.\n",
        ),
        ("nc", &["h", "x"], 1, "nc: port number invalid: x\n"),
        (
            "ncat",
            &["--compat", "openbsd", "h", "x"],
            1,
            "ncat: port number invalid: x\n",
        ),
        ("nc.traditional", &["h", "x"], 1, "invalid port x\n"),
        (
            "nc",
            &["--compat=gnu", "h", "x"],
            1,
            "nc: --compat=gnu: the dialects are openbsd, ncat, traditional.\n",
        ),
    ] {
        let ended = called(name, arguments);
        assert_eq!(
            (ended.code, &*ended.stderr),
            (Some(code), stderr),
            "{name} {arguments:?}"
        );
    }
    let version = called("ncat", &["--version"]);
    assert!(
        version.stderr.starts_with("Ncat: Version 7."),
        "{}",
        version.stderr
    );
    assert_eq!(version.code, Some(0));
    // Scripts ask whether an option is there.
    let help = called("ncat", &["--help"]);
    assert!(help.stdout.contains("  --ssl "), "{}", help.stdout);
    assert_eq!((help.code, &*help.stderr), (Some(0), ""));
}

#[test]
fn ncat_tells_what_happens_in_its_own_words() {
    let closed = closed_port();
    let ended = run(&["--compat=ncat", "127.0.0.1", &closed]);
    let expected = (Some(1), "Ncat: Connection refused.\n");
    assert_eq!((ended.code, &*ended.stderr), expected, "without -v too");
    let ended = run(&["--compat=ncat", "-z", "127.0.0.1", &closed]);
    assert_eq!((ended.code, &*ended.stderr), (Some(1), ""));
    let (listener, port) = server();
    let mut child = ours(&["--compat=ncat", "-v", "127.0.0.1", &port])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"question").unwrap();
    let mut peer = accept(&listener);
    assert_eq!(read_all(&mut peer), "question", "the end of stdin is told");
    peer.write_all(b"answer").unwrap();
    drop(peer);
    let ended = end(child);
    assert_eq!((ended.code, &*ended.stdout), (Some(0), "answer"));
    let connected = format!("\nNcat: Connected to 127.0.0.1:{port}.\n");
    assert!(
        ended.stderr.starts_with("Ncat: Version 7."),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains(&connected), "{}", ended.stderr);
}

#[test]
fn a_refusal_is_silent_unless_asked() {
    let port = closed_port();
    let ended = run(&["127.0.0.1", &port]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
    let ended = run(&["-v", "127.0.0.1", &port]);
    let expected =
        format!("nc: connect to 127.0.0.1 port {port} (tcp) failed: Connection refused\n");
    assert_eq!((ended.code, ended.stderr), (Some(1), expected));
    let ended = run(&["-4v", "localhost", &port]);
    let expected = format!(
        "nc: connect to localhost (127.0.0.1) port {port} (tcp) failed: Connection refused\n"
    );
    assert_eq!((ended.code, ended.stderr), (Some(1), expected));
}

#[test]
fn ports_are_probed_in_order() {
    let (_open, port) = server();
    let closed = closed_port();
    let ended = run(&["-zv", "127.0.0.1", &closed, &port]);
    let expected = format!(
        "nc: connect to 127.0.0.1 port {closed} (tcp) failed: Connection refused\n\
         Connection to 127.0.0.1 {port} port [tcp/*] succeeded!\n"
    );
    assert_eq!((ended.code, &ended.stderr), (Some(0), &expected));
    let ended = run(&["-z", "127.0.0.1", &port, &closed]);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), ""),
        "one of them is open"
    );
    let ended = run(&["-z", "127.0.0.1", &closed]);
    assert_eq!(ended.code, Some(1));
    let ended = run(&["-4zv", "localhost", &port]);
    let expected = format!("Connection to localhost (127.0.0.1) {port} port [tcp/*] succeeded!\n");
    assert_eq!(ended.stderr, expected);
}

#[test]
fn a_listener_tells_its_port_and_its_caller() {
    for arguments in [
        &["-lvn", "127.0.0.1", "0"][..],
        &["-l", "-v", "-n", "-s", "127.0.0.1", "-p", "0"],
    ] {
        let (child, port, mut stderr) = listening(ours(arguments));
        let mut peer = call(port);
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let caller = peer.local_addr().unwrap();
        assert_eq!(
            line,
            format!("Connection received on 127.0.0.1 {}\n", caller.port())
        );
        peer.write_all(b"hello\n").unwrap();
        drop(peer);
        let ended = end(child);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "hello\n"));
    }
}

#[test]
fn a_port_in_use_is_said_to_be() {
    let (_listener, port) = server();
    let ended = run(&["-l", "127.0.0.1", &port]);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(1), "nc: Address already in use\n")
    );
}

#[test]
fn it_keeps_listening() {
    let (mut child, port, _stderr) = listening(ours(&["-lkvn", "127.0.0.1", "0"]));
    // The second caller waits while the first is served.
    let mut callers: Vec<_> = (0..3).map(|_| call(port)).collect();
    for (at, mut caller) in callers.drain(..).enumerate() {
        caller.write_all(format!("{at}\n").as_bytes()).unwrap();
        drop(caller);
    }
    let mut stdout = child.stdout.take().unwrap();
    assert_eq!(read_exact(&mut stdout, 6), "0\n1\n2\n");
    call(port).write_all(b"3\n").unwrap();
    assert_eq!(read_exact(&mut stdout, 2), "3\n");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn minus_c_sends_crlf_once() {
    let (listener, port) = server();
    let mut command = ours(&["-C", "-N", "127.0.0.1", &port]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut peer = accept(&listener);
    stdin.write_all(b"EHLO a\nNOOP\r").unwrap();
    assert_eq!(read_exact(&mut peer, 13), "EHLO a\r\nNOOP\r");
    stdin.write_all(b"\nQUIT\n").unwrap();
    drop(stdin);
    assert_eq!(read_all(&mut peer), "\nQUIT\r\n");
    drop(peer);
    assert_eq!(end(child).code, Some(0));
}

#[test]
fn minus_i_sends_a_line_at_a_time() {
    let (listener, port) = server();
    let mut command = ours(&["-i", "1", "-N", "127.0.0.1", &port]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut peer = accept(&listener);
    let begin = Instant::now();
    stdin.write_all(b"one\ntwo\n").unwrap();
    drop(stdin);
    assert_eq!(read_exact(&mut peer, 4), "one\n");
    assert_eq!(read_all(&mut peer), "two\n");
    assert!(begin.elapsed() > Duration::from_millis(900));
    drop(peer);
    assert_eq!(end(child).code, Some(0));
}

#[test]
fn stdin_may_be_a_file_or_closed() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"from a file").unwrap();
    let program = env!("CARGO_BIN_EXE_mailtool");
    for (redirection, option, expected) in [
        (format!("<{}", file.path().display()), "-N", "from a file"),
        ("<&-".to_owned(), "-N", ""),
        ("</dev/null".to_owned(), "-N", ""),
    ] {
        let (listener, port) = server();
        let line = format!("exec {program} nc {option} 127.0.0.1 {port} {redirection}");
        let child = Command::new("sh")
            .args(["-c", &line])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut peer = accept(&listener);
        assert_eq!(read_all(&mut peer), expected, "{redirection}");
        peer.write_all(b"answer").unwrap();
        drop(peer);
        let ended = end(child);
        assert_eq!(ended.code, Some(0), "{redirection}");
        assert_eq!(ended.stdout, "answer", "{redirection}");
    }
}

/// 64 MB that do not repeat.
fn noise(seed: u32) -> Vec<u8> {
    let mut state = seed;
    let words = 16 * 1024 * 1024;
    let mut octets = Vec::with_capacity(4 * words);
    for _ in 0..words {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        octets.extend_from_slice(&state.to_le_bytes());
    }
    octets
}

#[test]
fn much_goes_both_ways_at_once_and_arrives_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("up"), noise(1)).unwrap();
    fs::write(path("down"), noise(2)).unwrap();
    let files = |command: &mut Command, stdin: &str, stdout: &str| {
        command
            .stdin(File::open(path(stdin)).unwrap())
            .stdout(File::create(path(stdout)).unwrap());
    };
    let theirs = |arguments: &[&str]| debians(arguments).unwrap_or_else(|| ours(arguments));
    let listen = &["-lvn", "-N", "127.0.0.1", "0"];
    for we_listen in [true, false] {
        let mut listener = match we_listen {
            true => ours(listen),
            false => theirs(listen),
        };
        files(&mut listener, "down", "got up");
        let (listener, port, _stderr) = listening(listener);
        let port = port.to_string();
        let mut caller = match we_listen {
            true => theirs(&["-N", "127.0.0.1", &port]),
            // Debian's listener leaves when its caller half-closes, whatever it still had to send.
            false => ours(&["127.0.0.1", &port]),
        };
        files(&mut caller, "up", "got down");
        let (caller, listener) = (end(caller.spawn().unwrap()), end(listener));
        assert_eq!((caller.code, listener.code), (Some(0), Some(0)));
        for (sent, got) in [("up", "got up"), ("down", "got down")] {
            let intact = fs::read(path(sent)).unwrap() == fs::read(path(got)).unwrap();
            assert!(intact, "{sent}, we listen: {we_listen}");
        }
    }
}

#[test]
fn debians_nc_talks_to_it_and_it_to_debians() {
    let Some(_) = debians(&[]) else { return };
    let (child, port, _stderr) = listening(ours(&["-lvn", "127.0.0.1", "0"]));
    let port = port.to_string();
    let mut command = debians(&["-N", "127.0.0.1", &port]).unwrap();
    let mut theirs = command.stdin(Stdio::piped()).spawn().unwrap();
    theirs.stdin.take().unwrap().write_all(b"to us\n").unwrap();
    let (theirs, listener) = (end(theirs), end(child));
    assert_eq!(
        (listener.code, listener.stdout.as_str()),
        (Some(0), "to us\n")
    );
    assert_eq!(theirs.code, Some(0));

    let listener = debians(&["-lvn", "-N", "127.0.0.1", "0"]).unwrap();
    let (child, port, _stderr) = listening(listener);
    let port = port.to_string();
    let mut command = ours(&["-N", "127.0.0.1", &port]);
    let mut caller = command.stdin(Stdio::piped()).spawn().unwrap();
    caller
        .stdin
        .take()
        .unwrap()
        .write_all(b"to them\n")
        .unwrap();
    let (caller, listener) = (end(caller), end(child));
    assert_eq!(
        (listener.code, listener.stdout.as_str()),
        (Some(0), "to them\n")
    );
    assert_eq!(caller.code, Some(0));
}
