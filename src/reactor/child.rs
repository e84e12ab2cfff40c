//! Programs that talk to a peer in our place (`-e`, `-c`).
//!
//! A program has two pipes, its stdin and its stdout; stderr stays ours, as with ncat and netcat-traditional. It never sees
//! the socket: so TLS, -C and dumps work as they do for the user, and a program that leaves something running behind it does not
//! hold the connection open. All that this process opens is closed on exec, and SIGPIPE, which Rust's programs ignore, is
//! as it should be in the child: the standard library sees to it.
//!
//! | variable | |
//! |---|---|
//! | `NCAT_REMOTE_ADDR`, `NCAT_REMOTE_PORT` | the peer's address and port |
//! | `NCAT_LOCAL_ADDR`, `NCAT_LOCAL_PORT` | ours |
//! | `NCAT_PROTO` | `TCP` or `UDP` |
//!
//! For a UNIX socket the addresses are `localhost`, the ports empty, and the protocol is `TCP` or `UDP` too, as ncat has it.
//!
//! The end of a program:
//!
//! | what happens | what follows |
//! |---|---|
//! | it closes its stdout, or ends | all that it wrote is sent, then the connection is closed |
//! | the peer ends its half | stdin ends; what the program still writes is sent |
//! | the connection is over | stdin ends, stdout has no reader (SIGPIPE) |
//! | it goes on for [`CHILD_GRACE`](crate::limits::CHILD_GRACE) after that | SIGTERM |
//! | and for as long again | it is left alone: SIGKILL would not let it clean up, and is for a person to decide on |
//!
//! Whenever it ends, it is reaped: a pidfd tells of it. Linux before 5.3 has none; there it is looked at while it is waited for.

use std::ffi::{OsStr, OsString};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, kill_process, pidfd_open, prlimit,
};

use super::relay::Link;
use super::stdio::{Input, Output};

/// A program to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    file: OsString,
    name: Option<&'static str>,
    arguments: Vec<OsString>,
}

impl Program {
    /// A file and its arguments. A name without a slash is looked for in PATH.
    pub fn new(file: impl Into<OsString>, arguments: Vec<OsString>) -> Self {
        Self {
            file: file.into(),
            name: None,
            arguments,
        }
    }

    /// A line for /bin/sh.
    pub fn shell(line: impl Into<OsString>) -> Self {
        Self {
            file: "/bin/sh".into(),
            // So that its complaints begin with `sh:`.
            name: Some("sh"),
            arguments: vec!["-c".into(), line.into()],
        }
    }

    /// The file.
    pub fn file(&self) -> &OsStr {
        &self.file
    }

    /// Starts it for whoever is at the other end of `link`. `files` is its limit of open files, if not ours.
    pub(super) fn start(
        &self,
        link: &Link,
        files: Option<Rlimit>,
    ) -> io::Result<(Running, Input, Output)> {
        let mut command = Command::new(&self.file);
        if let Some(name) = self.name {
            command.arg0(name);
        }
        let socket = link.socket();
        let address = |address: io::Result<socket2::SockAddr>| address.ok()?.as_socket();
        let [remote_host, remote_port] = variables(address(socket.peer_addr()));
        let [local_host, local_port] = variables(address(socket.local_addr()));
        let protocol = match link.is_stream() {
            true => "TCP",
            false => "UDP",
        };
        let mut child = command
            .args(&self.arguments)
            .env("NCAT_REMOTE_ADDR", remote_host)
            .env("NCAT_REMOTE_PORT", remote_port)
            .env("NCAT_LOCAL_ADDR", local_host)
            .env("NCAT_LOCAL_PORT", local_port)
            .env("NCAT_PROTO", protocol)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take().map(OwnedFd::from);
        let stdout = child.stdout.take().map(OwnedFd::from);
        let running = Running::new(child, files);
        let input = stdout.map_or(Ok(Input::none()), Input::new)?;
        let output = stdin.map_or(Ok(Output::none()), Output::new)?;
        Ok((running, input, output))
    }
}

fn variables(address: Option<SocketAddr>) -> [String; 2] {
    match address {
        Some(address) => [
            address.ip().to_canonical().to_string(),
            address.port().to_string(),
        ],
        None => ["localhost".to_owned(), String::new()],
    }
}

/// A program that was started.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    /// Readable when it has ended.
    pidfd: Option<OwnedFd>,
    status: Option<ExitStatus>,
}

impl Running {
    fn new(child: Child, files: Option<Rlimit>) -> Self {
        let pid = Pid::from_child(&child);
        if let Some(files) = files {
            // It may have ended already.
            let _ = prlimit(Some(pid), Resource::Nofile, files);
        }
        Self {
            pidfd: pidfd_open(pid, PidfdFlags::empty()).ok(),
            child,
            status: None,
        }
    }

    /// Asks to be told by an event with `token` when it has ended: whether it will be.
    pub(super) fn register(&self, registry: &Registry, token: Token) -> io::Result<bool> {
        let Some(pidfd) = &self.pidfd else {
            return Ok(false);
        };
        registry.register(&mut SourceFd(&pidfd.as_raw_fd()), token, Interest::READABLE)?;
        Ok(true)
    }

    /// How it ended, if it has.
    pub(super) fn reap(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            // Where whoever started us had SIGCHLD ignored, so have we, and the kernel reaps: its status is lost, not its end.
            self.status = self
                .child
                .try_wait()
                .unwrap_or_else(|_| Some(ExitStatus::default()));
        }
        self.status
    }

    /// SIGTERM. Its number cannot be somebody else's yet, for it has not been reaped.
    pub(super) fn ask_to_end(&mut self) {
        if self.reap().is_none() {
            // It may be another user's by now (a setuid program): then it goes on.
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        }
    }
}
