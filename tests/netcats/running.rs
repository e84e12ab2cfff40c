//! The program while it runs, what is typed into it, and what it prints.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::peer::Places;
use super::stage::{BRIEF, PATIENCE, Whose, installed, much_of};
use super::{Case, Dialect, Input, Output, Words};

/// The program, and its ends.
pub struct Running {
    pid: Pid,
    status: Receiver<(ExitStatus, Instant)>,
    pub ended: Option<(ExitStatus, Instant)>,
    pub keyboard: Keyboard,
    pub stdout: Captured,
    pub stderr: Captured,
}

impl Running {
    pub fn start(case: &Case, whose: Whose, places: &mut Places) -> Self {
        let folder = places.folder().to_owned();
        let program = match whose {
            Whose::Ours => PathBuf::from(env!("CARGO_BIN_EXE_mailtool")),
            Whose::Theirs => installed(case.dialect.program()).expect("it is installed"),
        };
        let programs = folder.join("bin");
        fs::create_dir(&programs).expect("a folder");
        symlink(program, programs.join(case.dialect.called())).expect("a link");
        let mut command = Command::new("sh");
        command
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", &folder)
            .env("OPTION", case.option)
            .current_dir(&folder)
            .process_group(0);
        match case.words {
            Words::Shell(line) => {
                let line = places.fill(line.as_bytes());
                command
                    .arg("-c")
                    .arg(String::from_utf8(line).expect("UTF-8"));
            }
            Words::Arguments(arguments) => {
                let mut line = "exec \"$@\"".to_owned();
                if case.input == Input::Closed {
                    line.push_str(" <&-");
                }
                if case.output == Output::Closed {
                    line.push_str(" >&-");
                }
                command.args(["-c", &line, "sh", case.dialect.called()]);
                if whose == Whose::Ours && case.dialect == Dialect::Traditional {
                    command.arg("--compat=traditional");
                }
                for word in arguments.split_ascii_whitespace() {
                    let word = match word {
                        "''" => String::new(),
                        word => word.replace('~', " "),
                    };
                    let word = places.fill(word.as_bytes());
                    command.arg(String::from_utf8(word).expect("UTF-8"));
                }
            }
        }
        let terminal = (case.input == Input::Terminal).then(Terminal::open);
        match (case.input, &terminal) {
            (Input::File(content), _) => {
                let path = folder.join("input");
                fs::write(&path, content).expect("a file");
                command.stdin(File::open(path).expect("just written"));
            }
            (_, Some(terminal)) => {
                command.stdin(terminal.slave.try_clone().expect("a terminal"));
            }
            (Input::Pipe, _) => {
                command.stdin(Stdio::piped());
            }
            _ => {
                command.stdin(Stdio::null());
            }
        }
        match case.output {
            Output::Full => {
                let full = OpenOptions::new().write(true).open("/dev/full");
                command.stdout(full.expect("it is there"));
            }
            Output::Unread => {
                command.stdout(unread_pipe());
            }
            Output::Pipe | Output::Closed => {
                command.stdout(Stdio::piped());
            }
        }
        command.stderr(Stdio::piped());
        let mut child = while_nothing_starts(|| command.spawn()).expect("a shell");
        let pid = Pid::from_child(&child);
        let keyboard = match terminal {
            Some(terminal) => Keyboard::Terminal(terminal.master),
            None => child.stdin.take().map_or(Keyboard::None, |pipe| {
                Keyboard::Pipe(OwnedFd::from(pipe).into())
            }),
        };
        Self {
            pid,
            keyboard,
            stdout: Captured::of(child.stdout.take()),
            stderr: Captured::of(child.stderr.take()),
            status: watch(child),
            ended: None,
        }
    }

    pub fn has_ended(&mut self, patience: Duration) -> bool {
        if self.ended.is_none() {
            self.ended = self.status.recv_timeout(patience).ok();
        }
        self.ended.is_some()
    }

    pub fn terminate(&mut self) {
        if !self.has_ended(Duration::ZERO) {
            // It may end by itself in this moment.
            let _ = kill_process(self.pid, Signal::TERM);
        }
    }

    /// The end of it and of its children.
    pub fn kill(&mut self) {
        self.keyboard = Keyboard::None;
        let ended = self.has_ended(Duration::ZERO);
        // Who still has its stdout or stderr is in its group, which is why the number is not anybody else's.
        if !ended || !self.stdout.is_over(BRIEF) || !self.stderr.is_over(BRIEF) {
            let _ = kill_process_group(self.pid, Signal::KILL);
            self.has_ended(PATIENCE);
            self.stdout.is_over(PATIENCE);
            self.stderr.is_over(PATIENCE);
        }
    }
}

/// A pipe whose reader is gone.
fn unread_pipe() -> io::PipeWriter {
    let (reader, writer) = io::pipe().expect("a pipe");
    while_nothing_starts(|| drop(reader));
    writer
}

/// A process that is being started has a copy of all that is open here, until it becomes the program: what is closed in
/// that moment is not closed for those at its other end.
pub fn while_nothing_starts<T>(what: impl FnOnce() -> T) -> T {
    static STARTS: Mutex<()> = Mutex::new(());
    let _one_at_a_time = STARTS.lock().unwrap_or_else(PoisonError::into_inner);
    what()
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended(Duration::ZERO) {
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
    }
}

/// Tells how it ended, and when.
fn watch(mut child: Child) -> Receiver<(ExitStatus, Instant)> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let status = child.wait().expect("it is a child");
        // The case may be over.
        let _ = sender.send((status, Instant::now()));
    });
    receiver
}

/// What is typed on.
pub enum Keyboard {
    None,
    Pipe(File),
    Terminal(File),
}

impl Keyboard {
    /// A reader that went away is not what is tested here: what it did is seen elsewhere.
    pub fn type_in(&mut self, octets: &[u8]) {
        match self {
            Self::None => panic!("there is nothing to type on"),
            Self::Pipe(file) | Self::Terminal(file) => {
                let _ = file.write_all(octets);
            }
        }
    }

    pub fn type_much(&mut self, octets: usize) {
        let Self::Pipe(mut file) = std::mem::replace(self, Self::None) else {
            panic!("much is typed into a pipe");
        };
        thread::spawn(move || file.write_all(&much_of(octets)));
    }

    pub fn end(&mut self) {
        match self {
            Self::None => {}
            Self::Pipe(_) => while_nothing_starts(|| *self = Self::None),
            Self::Terminal(_) => self.type_in(b"\x04"),
        }
    }
}

struct Terminal {
    master: File,
    slave: File,
}

impl Terminal {
    fn open() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .expect("a pseudo-terminal");
        grantpt(&master).expect("it is ours");
        unlockpt(&master).expect("it is ours");
        let name = ptsname(&master, Vec::new()).expect("it has a name");
        let slave = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(rustix::fs::OFlags::NOCTTY.bits().cast_signed())
            .open(name.to_str().expect("ASCII"))
            .expect("the other side");
        Self {
            master: master.into(),
            slave,
        }
    }
}

/// What it prints, read as it comes.
pub struct Captured {
    state: Arc<(Mutex<Print>, Condvar)>,
    taken: usize,
}

#[derive(Default)]
struct Print {
    octets: Vec<u8>,
    over: bool,
    unwanted: bool,
}

impl Captured {
    fn of(from: Option<impl Read + Send + 'static>) -> Self {
        let state = Arc::new((Mutex::new(Print::default()), Condvar::new()));
        let print = Arc::clone(&state);
        thread::spawn(move || {
            let mut from = from;
            let mut buffer = [0; 65536];
            loop {
                let read = match &mut from {
                    Some(from) => from.read(&mut buffer),
                    None => Ok(0),
                };
                let (lock, changed) = &*print;
                let mut print = lock.lock().unwrap_or_else(PoisonError::into_inner);
                match read {
                    Ok(octets) if octets > 0 => print.octets.extend_from_slice(&buffer[..octets]),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    _ => print.over = true,
                }
                if print.over || print.unwanted {
                    print.over = true;
                    while_nothing_starts(|| drop(from.take()));
                }
                changed.notify_all();
                if print.over {
                    return;
                }
            }
        });
        Self { state, taken: 0 }
    }

    fn wait<T>(
        &self,
        patience: Duration,
        mut ready: impl FnMut(&Print) -> bool,
        then: impl FnOnce(&Print) -> T,
    ) -> T {
        let (lock, changed) = &*self.state;
        let print = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let (print, _) = changed
            .wait_timeout_while(print, patience, |print| !ready(print))
            .unwrap_or_else(PoisonError::into_inner);
        then(&print)
    }

    /// The next so many octets, and whether there are no more.
    pub fn take(&mut self, wanted: usize, patience: Duration) -> (Vec<u8>, bool) {
        let from = self.taken;
        let until = from + wanted;
        let taken = self.wait(
            patience,
            |print| print.over || print.octets.len() >= until,
            |print| {
                let until = until.min(print.octets.len());
                (print.octets[from..until].to_vec(), print.over)
            },
        );
        self.taken += taken.0.len();
        taken
    }

    pub fn has(&self, wanted: &[u8], patience: Duration) -> bool {
        let found = |print: &Print| print.octets.windows(wanted.len()).any(|w| w == wanted);
        self.wait(patience, |print| print.over || found(print), found)
    }

    /// The line with `words` in it.
    pub fn line(&self, words: &[&str], patience: Duration) -> Option<String> {
        let found = |print: &Print| {
            let text = String::from_utf8_lossy(&print.octets).into_owned();
            let lines = text
                .split_inclusive('\n')
                .filter(|line| line.ends_with('\n'));
            let mut lines = lines.filter(|line| words.iter().any(|word| line.contains(word)));
            lines.next().map(|line| line.trim_end().to_owned())
        };
        self.wait(
            patience,
            |print| print.over || found(print).is_some(),
            found,
        )
    }

    fn is_over(&self, patience: Duration) -> bool {
        self.wait(patience, |print| print.over, |print| print.over)
    }

    pub fn all(&self) -> Vec<u8> {
        self.wait(BRIEF, |print| print.over, |print| print.octets.clone())
    }

    /// The reader goes away with the next octets that come, which are lost.
    pub fn close(&self) {
        let (lock, _) = &*self.state;
        lock.lock().unwrap_or_else(PoisonError::into_inner).unwanted = true;
    }
}
