//! The built program as tests drive it: a server that is ready, and netcats that a student types into.

#![allow(dead_code, reason = "each test uses the part that it needs")]

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

#[path = "ports.rs"]
mod ports;
#[allow(unused_imports, reason = "each test uses the part that it needs")]
pub use ports::free_ports;

/// The program under test.
pub const MAILTOOL: &str = env!("CARGO_BIN_EXE_mailtool");

/// How long anything may take that should take no time: on a machine with much else to do, a process may get no turn for seconds.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running `mailtool serve` on free ports of loopback, stopped when dropped.
pub struct Server {
    /// The process.
    pub child: Child,
    ports: HashMap<String, SocketAddr>,
    /// Where its store and its output are.
    pub folder: TempDir,
}

impl Server {
    /// With the demo accounts, in a folder of its own.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With further options.
    pub fn start_with(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::start_in(folder, options)
    }

    /// With further options, and variables in its environment.
    pub fn start_in_environment(options: &[&str], variables: &[(&str, &Path)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = serve(&folder, options);
        command
            .args(["--store", "store"])
            .envs(variables.iter().copied());
        Self::launch(command, folder)
    }

    /// On what an earlier one left in `folder`.
    pub fn start_in(folder: TempDir, options: &[&str]) -> Self {
        let mut command = serve(&folder, options);
        command.args(["--store", "store"]);
        Self::launch(command, folder)
    }

    /// As root on a machine whose files are others: in a mount namespace of its own, after the commands of `prepare`.
    pub fn start_prepared(folder: TempDir, prepare: &str, options: &[&str]) -> Self {
        let inner = serve(&folder, options);
        let mut command = Command::new("unshare");
        let script = format!("set -e; {prepare}; exec \"$@\"");
        command
            .args([
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                &script,
                "sh",
            ])
            .arg(inner.get_program())
            .args(inner.get_args())
            .args(["--store", "store"])
            .current_dir(folder.path())
            .env_remove("MAILTOOL_USER")
            .stdin(Stdio::null());
        let log = || {
            let mut options = fs::OpenOptions::new();
            let path = folder.path().join("log");
            options.append(true).create(true).open(path).expect("a log")
        };
        command.stdout(log()).stderr(log());
        Self::launch(command, folder)
    }

    /// As somebody whose home folder is `home` starts it who speaks English: with the default store, and further options.
    pub fn start_at_home(home: &Path, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = serve(&folder, options);
        command
            .env("HOME", home)
            .env("LC_ALL", "C.UTF-8")
            .env_remove("XDG_STATE_HOME");
        Self::launch(command, folder)
    }

    fn launch(mut command: Command, folder: TempDir) -> Self {
        let ready = folder.path().join("ready");
        let _ = fs::remove_file(&ready);
        let mut child = command.spawn().expect("the program is built");
        let begun = Instant::now();
        let listening = loop {
            let listening = fs::read_to_string(&ready).unwrap_or_default();
            if listening.ends_with('\n') {
                break listening;
            }
            let ended = child.try_wait().expect("a child");
            if ended.is_some() || begun.elapsed() > PATIENCE {
                let said = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
                panic!("the server did not get ready ({ended:?}):\n{said}");
            }
            thread::sleep(Duration::from_millis(2));
        };
        let ports = listening
            .lines()
            .filter_map(|line| {
                // In a lab the server's name comes first.
                let (protocol, address) = line.rsplit_once(' ')?;
                Some((protocol.to_owned(), address.parse().ok()?))
            })
            .collect();
        Self {
            child,
            ports,
            folder,
        }
    }

    /// Where `protocol` listens; in a lab `mta1.lab smtp`.
    pub fn address(&self, protocol: &str) -> SocketAddr {
        self.ports[protocol]
    }

    /// The port of `protocol`, as a word for a command line.
    pub fn port(&self, protocol: &str) -> String {
        self.address(protocol).port().to_string()
    }

    /// The same, if it listens.
    pub fn known_port(&self, protocol: &str) -> Option<String> {
        let address = self.ports.get(protocol)?;
        Some(address.port().to_string())
    }

    /// The store's folder.
    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// The certificate authority that a client is to trust.
    pub fn authority(&self) -> PathBuf {
        self.store().join("tls/ca.pem")
    }

    /// What it printed so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The messages in an account's INBOX, as files.
    pub fn inbox(&self, account: &str) -> Vec<PathBuf> {
        inbox(&self.store(), account)
    }

    /// Resident memory, in octets.
    pub fn resident(&self) -> u64 {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap_or_default();
        let kilo = line
            .trim()
            .trim_end_matches(" kB")
            .parse::<u64>()
            .unwrap_or_default();
        kilo * 1024
    }

    /// `kill -9`; the folder stays for the next one.
    pub fn kill(mut self) -> TempDir {
        self.child.kill().expect("it was running");
        self.child.wait().expect("it ends");
        let empty = tempfile::tempdir().expect("a folder");
        std::mem::replace(&mut self.folder, empty)
    }

    /// Sends it a signal by name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(sent.is_ok_and(|status| status.success()), "no signal sent");
    }
}

/// `mailtool serve OPTIONS` in `folder`, on free ports but for those that the options name, its log beside it.
fn serve(folder: &TempDir, options: &[&str]) -> Command {
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.path().join("log"))
        .expect("a log");
    // The shell opens the file descriptor that a Rust program cannot pass on without unsafe code.
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "exec \"$0\" serve \"$@\" --ready-fd 3 3>ready",
            MAILTOOL,
        ])
        .args(options)
        .current_dir(folder.path())
        .env_remove("MAILTOOL_USER")
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a log"))
        .stderr(log);
    for protocol in [
        "smtp",
        "submission",
        "smtps",
        "pop3",
        "pop3s",
        "imap",
        "imaps",
    ] {
        if !options.contains(&format!("--{protocol}").as_str()) {
            command.arg(format!("--{protocol}")).arg("0");
        }
    }
    command
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the server printed:\n{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The messages in the INBOX of `account` in `store`, as files.
pub fn inbox(store: &Path, account: &str) -> Vec<PathBuf> {
    ["new", "cur"]
        .into_iter()
        .filter_map(|part| fs::read_dir(store.join("mail").join(account).join(part)).ok())
        .flat_map(|folder| folder.map(|entry| entry.expect("an entry").path()))
        .collect()
}

/// What a student's netcat ends lines with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// As the Enter key gives it.
    Lf,
    /// With `nc -C`.
    Crlf,
}

/// `mailtool nc`, typed into.
pub struct Netcat {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Netcat {
    /// Connects.
    pub fn to(address: SocketAddr, line_end: LineEnd) -> Self {
        let mut command = Command::new(MAILTOOL);
        command
            .arg("nc")
            .args((line_end == LineEnd::Crlf).then_some("-C"));
        command
            .arg(address.ip().to_string())
            .arg(address.port().to_string());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program is built");
        let stdout = child.stdout.take().expect("a pipe");
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n') {
                let Ok(line) = line else { break };
                if sender
                    .send(String::from_utf8_lossy(&line).into_owned())
                    .is_err()
                {
                    break;
                }
            }
        });
        let stdin = child.stdin.take();
        Self {
            child,
            stdin,
            lines,
        }
    }

    /// Types a line and Enter.
    pub fn type_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("not yet closed");
        stdin
            .write_all(format!("{line}\n").as_bytes())
            .expect("nc reads what is typed");
    }

    /// The next line on the screen; every server ends its lines with CRLF.
    pub fn read_line(&self) -> String {
        let line = self.lines.recv_timeout(PATIENCE).expect("a line in time");
        line.strip_suffix('\r')
            .map(str::to_owned)
            .unwrap_or_else(|| panic!("no CRLF: {line:?}"))
    }

    /// Types a line and reads one.
    pub fn say(&mut self, line: &str) -> String {
        self.type_line(line);
        self.read_line()
    }

    /// Reads up to a line that `is_last`; all of them.
    pub fn read_until(&self, is_last: impl Fn(&str) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            lines.push(self.read_line());
            if is_last(lines.last().expect("just pushed")) {
                return lines;
            }
        }
    }

    /// The server has closed: netcat ends when nothing more is typed, and succeeds.
    pub fn ends(mut self) {
        drop(self.stdin.take());
        assert_eq!(
            self.lines.recv_timeout(PATIENCE).ok(),
            None,
            "nothing more is said"
        );
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("a child") {
                assert!(status.success(), "nc: {status}");
                return;
            }
            thread::sleep(Duration::from_millis(2));
        }
        panic!("nc does not end");
    }
}

impl Drop for Netcat {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `mailtool WORDS`, with `input` on standard input, to its end.
pub fn mailtool(words: &[&str], input: &str) -> Output {
    let mut command = Command::new(MAILTOOL);
    command.args(words);
    run(&mut command, input)
}

/// Runs a command with `input` on standard input, to its end, which must come in time.
pub fn run(command: &mut Command, input: &str) -> Output {
    let program = command.get_program().to_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program:?}: {error}"));
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    let writer = thread::spawn(move || {
        // Some programs do not read what they are given.
        let _ = stdin.write_all(input.as_bytes());
    });
    let (mut stdout, mut stderr) = (
        child.stdout.take().expect("a pipe"),
        child.stderr.take().expect("a pipe"),
    );
    let errors = thread::spawn(move || {
        let mut said = Vec::new();
        stderr.read_to_end(&mut said).map(|_| said)
    });
    let reader = thread::spawn(move || {
        let mut said = Vec::new();
        stdout.read_to_end(&mut said).map(|_| said)
    });
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        if begun.elapsed() > 3 * PATIENCE {
            let _ = child.kill();
            panic!("{program:?} does not end");
        }
        thread::sleep(Duration::from_millis(1));
    };
    writer.join().expect("no panic");
    let stdout = reader.join().expect("no panic").expect("output");
    let stderr = errors.join().expect("no panic").expect("output");
    Output {
        status,
        stdout,
        stderr,
    }
}

/// The standard output of a command that succeeded.
pub fn succeeded(output: &Output) -> String {
    let (said, complained) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{}\n{said}\n{complained}",
        output.status
    );
    said.into_owned()
}

/// What a command said on stdout, and on stderr; it must have ended with `code`.
pub fn ended(output: &Output, code: i32) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{said:?}");
    said
}

/// A server that answers each line with the next of `replies`, the first unasked, and then closes.
pub fn scripted(replies: &[&str]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let replies: Vec<String> = replies.iter().map(|&reply| reply.to_owned()).collect();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut lines = BufReader::new(stream.try_clone().expect("a socket")).lines();
        for (index, reply) in replies.iter().enumerate() {
            if index > 0 && lines.next().is_none() {
                return;
            }
            stream.write_all(reply.as_bytes()).expect("it is read");
        }
    });
    address
}

/// Whether a Debian program is here. Where it is not, the test that needs it says so and passes (`make test` installs it), or
/// fails if MAILTOOL_TEST_ALL is set, as CI does.
pub fn have(program: &str, package: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.push("/usr/sbin".into());
    let found = folders.iter().any(|folder| folder.join(program).exists());
    if !found {
        assert!(
            std::env::var_os("MAILTOOL_TEST_ALL").is_none(),
            "{program} is missing: install {package}"
        );
        let test = thread::current();
        eprintln!(
            "SKIPPED {}: {program} is missing (Debian: {package})",
            test.name().unwrap_or("a test")
        );
    }
    found
}
