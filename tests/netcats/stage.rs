//! Plays a case with one program, and writes down what was to be seen, in words.
//!
//! The steps are made by one thread, in their order: what is written down is in an order too, and needs no clock. How long
//! is waited for something that does not come depends on whether it is expected: one who is expected to leave has ten
//! seconds to do it, one who is expected to stay is believed after a moment.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tempfile::TempDir;

use super::peer::{Heard, Line, Listener, Places, Stop};
use super::{Case, Dialect, Input, Output, Over, Peer, Step, Words};

/// Which of the two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Ours,
    Theirs,
}

/// How long is waited for what should come.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long is waited for what should not.
const BRIEF: Duration = Duration::from_millis(400);
/// How long is waited where it is not known.
const CURIOUS: Duration = Duration::from_millis(2000);
/// The same for what takes seconds.
const CURIOUS_OF_SECONDS: Duration = Duration::from_millis(4500);

/// How often is looked whether the program is still there, while something of it is waited for.
const SLICE: Duration = Duration::from_millis(50);

/// Where Debian's program is.
pub fn installed(program: &str) -> Option<PathBuf> {
    ["/bin", "/usr/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(program))
        .find(|path| path.exists())
}

/// What it says that it is.
pub fn version(dialect: Dialect) -> Option<String> {
    let option = match dialect {
        Dialect::Ncat => "--version",
        Dialect::OpenBsd | Dialect::Traditional => "-h",
    };
    let output = Command::new(installed(dialect.program())?)
        .arg(option)
        .output()
        .ok()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().next().map(str::to_owned)
}

/// What is seen of it, line by line. `expected` is not looked at but for how long to wait.
pub fn play(case: &Case, whose: Whose, expected: Option<&[String]>) -> Vec<String> {
    let turn = Turn::to_start();
    let mut stage = Stage::set(case, whose, expected);
    let mut steps = case.steps.iter();
    if case.steps.first().is_some_and(Step::is_quick) {
        let line = steps.next().and_then(|step| stage.make(*step));
        stage.seen.extend(line);
    }
    if case.peer == Peer::Deaf {
        stage.wait_for_a_call();
    }
    drop(turn);
    for step in steps {
        let line = stage.make(*step);
        if let Some(line) = line {
            stage.see(line);
        }
    }
    stage.end();
    stage.seen
}

/// Only so many programs start at once: ncat is busy for a tenth of a second before it does anything, and what is measured
/// in seconds should not be spent on waiting for others.
struct Turn;

const STARTING_AT_ONCE: usize = 2;
static STARTING: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

impl Turn {
    fn to_start() -> Self {
        let (lock, changed) = &STARTING;
        let starting = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let mut starting = changed
            .wait_while(starting, |starting| *starting >= STARTING_AT_ONCE)
            .unwrap_or_else(PoisonError::into_inner);
        *starting += 1;
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (lock, changed) = &STARTING;
        *lock.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        changed.notify_one();
    }
}

struct Stage<'a> {
    case: &'a Case,
    places: Places,
    folder: TempDir,
    running: Running,
    listener: Option<Listener>,
    lines: Vec<Line>,
    current: usize,
    seen: Vec<String>,
    expected: Option<&'a [String]>,
}

impl<'a> Stage<'a> {
    fn set(case: &'a Case, whose: Whose, expected: Option<&'a [String]>) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("netcats-")
            .tempdir()
            .expect("a folder");
        let mut places = Places::take(folder.path());
        for (name, content) in &case.files {
            let content = places.fill(content.as_bytes());
            fs::write(folder.path().join(name), content).expect("a file");
        }
        let listener = match case.peer {
            Peer::Listens(over) => Some(Listener::new(over, &places)),
            Peer::Deaf => Some(Listener::deaf(&places)),
            Peer::Serves(port) => Some(Listener::at(places.here(), port)),
            Peer::Calls(Over::Tcp) => Some(Listener::new(Over::Tcp, &places)),
            Peer::Calls(_) => None,
        };
        let running = Running::start(case, whose, &mut places);
        Self {
            case,
            places,
            folder,
            running,
            listener,
            lines: Vec::new(),
            current: 0,
            seen: Vec::new(),
            expected,
        }
    }

    fn see(&mut self, line: String) {
        self.seen.push(line);
    }

    /// What should be seen next.
    fn next(&self) -> Option<&str> {
        let expected = self.expected?;
        let so_far = expected.get(..self.seen.len())?;
        if so_far != self.seen {
            return None;
        }
        expected.get(self.seen.len()).map(String::as_str)
    }

    fn patience(&self, curious: Duration) -> Duration {
        match self.next() {
            Some(line) if line.ends_with("nothing") || line.starts_with("stays") => BRIEF,
            Some(line) if line.starts_with("does not say") => BRIEF,
            Some(_) => PATIENCE,
            None => curious,
        }
    }

    fn make(&mut self, step: Step) -> Option<String> {
        let patience = self.patience(match step {
            Step::Accept | Step::Call => PATIENCE,
            Step::LeavesAfter | Step::HearsAfter(_) => CURIOUS_OF_SECONDS,
            _ => CURIOUS,
        });
        if step.is_for_a_line() && !self.has_line() {
            return Some("has nobody to talk to, nothing".to_owned());
        }
        match step {
            Step::Accept => return Some(self.accept(patience)),
            Step::Call => return Some(self.call(patience)),
            Step::As(number) => self.current = number,
            Step::Send(octets) => return self.send(octets),
            Step::SendMuch(octets) => self.line().send_much(octets),
            Step::Hears(octets) => return Some(self.hears(octets, patience)),
            Step::HearsAfter(octets) => {
                let begun = Instant::now();
                let heard = self.hears(octets, patience);
                let when = coarsely(begun.elapsed(), self.next());
                return Some(format!("{heard}, {when}"));
            }
            Step::HearsEnd => {
                let heard = self.hear(None, patience);
                return Some(self.heard(&heard));
            }
            Step::HearsMuch(octets) => {
                let heard = self.hear(Some(octets), patience);
                return Some(much("hears", &heard.octets));
            }
            Step::HalfClose => self.line().half_close(),
            Step::Close => self.line().close(),
            Step::Reset => self.line().reset(),
            Step::Type(octets) => {
                let octets = self.places.fill(octets);
                self.running.keyboard.type_in(&octets);
            }
            Step::TypeMuch(octets) => self.running.keyboard.type_much(octets),
            Step::EndInput => self.running.keyboard.end(),
            Step::CloseOutput => self.running.stdout.close(),
            Step::Shows(octets) => {
                let wanted = self.places.fill(octets).len();
                let (shown, over) = self.running.stdout.take(wanted, patience);
                let how = match shown.len() == wanted {
                    true => "",
                    false if over => ", then the end",
                    false => ", then nothing",
                };
                return Some(format!("shows {}{how}", self.quoted(&shown)));
            }
            Step::ShowsMuch(octets) => {
                let (shown, _) = self.running.stdout.take(octets, patience);
                return Some(much("shows", &shown));
            }
            Step::Says(text) => {
                let wanted = self.places.fill(text.as_bytes());
                let said = self.running.stderr.has(&wanted, patience);
                let verb = match said {
                    true => "says",
                    false => "does not say",
                };
                return Some(format!("{verb} {text}"));
            }
            Step::SaysPort => {
                let line = self
                    .running
                    .stderr
                    .line(&["istening on", "Bound on"], patience);
                let line = line.unwrap_or_default();
                // Behind netcat-traditional's there are dots.
                let port = line
                    .rsplit([' ', ':'])
                    .find_map(|word| word.parse::<u16>().ok());
                let Some(port) = port.filter(|port| *port != 0) else {
                    return Some(format!("says no port, but {line:?}"));
                };
                self.places.learnt(port);
                return Some("says a port".to_owned());
            }
            Step::Stays => {
                if self.running.has_ended(BRIEF) {
                    return Some(self.leaves(BRIEF, None));
                }
                return Some("stays".to_owned());
            }
            Step::Leaves => return Some(self.leaves(patience, None)),
            Step::LeavesAfter => return Some(self.leaves(patience, Some(Instant::now()))),
            Step::Terminate => self.running.terminate(),
            Step::Reads(name) => {
                let content = fs::read(self.folder.path().join(name)).unwrap_or_default();
                return Some(format!("{name} has {}", self.quoted(&content)));
            }
        }
        None
    }

    /// Who is seen to have left, or not; and all that was printed.
    fn end(&mut self) {
        if self.running.ended.is_none() || self.case.steps.is_empty() {
            let said = matches!(
                self.case.steps.last(),
                Some(Step::Leaves | Step::LeavesAfter | Step::Stays)
            );
            if !said {
                let line = self.leaves(self.patience(CURIOUS), None);
                self.see(line);
            }
        }
        self.running.kill();
        let shown = self.running.stdout.all();
        let is_much = |step: &Step| matches!(step, Step::ShowsMuch(_));
        let shown = match self.case.steps.iter().any(is_much) {
            true => much("stdout:", &shown),
            false => format!("stdout {}", self.quoted(&shown)),
        };
        if shown != "stdout \"\"" {
            self.see(shown);
        }
        let said = self.running.stderr.all();
        for line in String::from_utf8_lossy(&said).lines() {
            let line = self.places.mask(line);
            let line = match line.split_once("Ncat: Version ") {
                Some(("", _)) => "Ncat: Version {version}",
                _ => &line,
            };
            self.see(format!("stderr {line}"));
        }
    }

    fn accept(&mut self, patience: Duration) -> String {
        let listener = self
            .listener
            .as_ref()
            .expect("the case has a peer that listens");
        let until = Instant::now() + patience;
        loop {
            // Who has ended has called before that, or never will.
            let is_last = self.running.has_ended(Duration::ZERO) || Instant::now() > until;
            if let Some(line) = listener.accept(SLICE) {
                self.places.met(&line);
                self.current = self.lines.len();
                self.lines.push(line);
                return "is called".to_owned();
            }
            if is_last {
                return "is not called, nothing".to_owned();
            }
        }
    }

    /// The deaf see nobody call; the kernel does.
    fn wait_for_a_call(&mut self) {
        let until = Instant::now() + PATIENCE;
        while !self.places.is_called() && Instant::now() < until {
            if self.running.has_ended(Duration::from_millis(2)) {
                return;
            }
        }
    }

    fn call(&mut self, patience: Duration) -> String {
        let Peer::Calls(over) = self.case.peer else {
            panic!("{}: a peer that listens does not call", self.case.name);
        };
        let until = Instant::now() + patience;
        loop {
            if let Some(line) = Line::call(over, &self.places) {
                self.places.met(&line);
                self.current = self.lines.len();
                self.lines.push(line);
                return "is answered".to_owned();
            }
            if self.running.has_ended(Duration::from_millis(2)) || Instant::now() > until {
                return "is not answered, nothing".to_owned();
            }
        }
    }

    fn has_line(&self) -> bool {
        let datagrams = matches!(self.case.peer, Peer::Listens(over) if !over.is_stream());
        match self.lines.get(self.current) {
            Some(line) => line.is_open(),
            None => datagrams && self.listener.is_some(),
        }
    }

    /// The current line; a datagram listener is its own.
    fn line(&mut self) -> &mut Line {
        if self.lines.is_empty() {
            let listener = self.listener.as_ref().expect("nobody was called");
            self.lines.push(listener.datagrams());
        }
        &mut self.lines[self.current]
    }

    fn send(&mut self, octets: &[u8]) -> Option<String> {
        let octets = self.places.fill(octets);
        let error = self.line().send(&octets).err()?;
        let text = error.to_string();
        let text = text.split(" (os error").next().unwrap_or_default();
        Some(format!("cannot send: {text}"))
    }

    fn hears(&mut self, octets: &[u8], patience: Duration) -> String {
        let wanted = self.places.fill(octets).len();
        let heard = self.hear(Some(wanted), patience);
        let caller = self.line().port();
        self.places.met_at(caller);
        self.heard(&heard)
    }

    fn hear(&mut self, wanted: Option<usize>, patience: Duration) -> Heard {
        let until = Instant::now() + patience;
        let mut octets = Vec::new();
        loop {
            // Who has ended has sent all of it.
            let is_last = self.running.has_ended(Duration::ZERO) || Instant::now() > until;
            let left = wanted.map(|wanted| wanted - octets.len());
            let slice = SLICE.min(until.saturating_duration_since(Instant::now()));
            let more = self.line().hear(left, slice);
            octets.extend_from_slice(&more.octets);
            if is_last || more.end != Some(Stop::Silence) {
                return Heard {
                    octets,
                    end: more.end,
                };
            }
        }
    }

    fn heard(&self, heard: &Heard) -> String {
        let how = match heard.end {
            None => "",
            Some(Stop::End) => ", then the end",
            Some(Stop::Reset) => ", then a reset",
            Some(Stop::Silence) => ", then nothing",
        };
        format!("hears {}{how}", self.quoted(&heard.octets))
    }

    fn leaves(&mut self, patience: Duration, since: Option<Instant>) -> String {
        if !self.running.has_ended(patience) {
            return "stays".to_owned();
        }
        let (status, at) = self.running.ended.expect("just seen");
        let how = match (status.code(), status.signal()) {
            (Some(code), _) => code.to_string(),
            (None, signal) => format!("by signal {}", signal.unwrap_or_default()),
        };
        match since {
            Some(since) => {
                let when = coarsely(at.saturating_duration_since(since), self.next());
                format!("leaves {when}: {how}")
            }
            None => format!("leaves: {how}"),
        }
    }

    fn quoted(&self, octets: &[u8]) -> String {
        format!(
            "\"{}\"",
            self.places.mask(&octets.escape_ascii().to_string())
        )
    }
}

/// `at once` or `after 2 s`. A machine that is busy may take most of a second longer, where that is what is expected.
fn coarsely(took: Duration, expected: Option<&str>) -> String {
    let phase = |took: Duration| match took.as_secs() {
        0 => "at once".to_owned(),
        seconds => format!("after {seconds} s"),
    };
    let early = phase(took + Duration::from_millis(200));
    let late = phase(took + Duration::from_millis(50));
    match expected.is_some_and(|line| line.contains(&late)) {
        true => late,
        false => early,
    }
}

/// The octet at `at` of much.
fn octet_of_much(at: usize) -> u8 {
    (at.wrapping_mul(0x9e37_79b1) >> 11).to_le_bytes()[0]
}

/// So many octets that do not repeat soon.
pub fn much_of(octets: usize) -> Vec<u8> {
    (0..octets).map(octet_of_much).collect()
}

fn much(verb: &str, octets: &[u8]) -> String {
    let wrong = octets
        .iter()
        .enumerate()
        .position(|(at, octet)| *octet != octet_of_much(at));
    let mut text = format!("{verb} {} octets", octets.len());
    if let Some(at) = wrong {
        write!(text, ", wrong from the {at}th on").expect("a String takes it");
    }
    text
}

/// The program, and its ends.
struct Running {
    pid: Pid,
    status: Receiver<(ExitStatus, Instant)>,
    ended: Option<(ExitStatus, Instant)>,
    keyboard: Keyboard,
    stdout: Captured,
    stderr: Captured,
}

impl Running {
    fn start(case: &Case, whose: Whose, places: &mut Places) -> Self {
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

    fn has_ended(&mut self, patience: Duration) -> bool {
        if self.ended.is_none() {
            self.ended = self.status.recv_timeout(patience).ok();
        }
        self.ended.is_some()
    }

    fn terminate(&mut self) {
        if !self.has_ended(Duration::ZERO) {
            // It may end by itself in this moment.
            let _ = kill_process(self.pid, Signal::TERM);
        }
    }

    /// The end of it and of its children.
    fn kill(&mut self) {
        self.keyboard = Keyboard::None;
        let ended = self.has_ended(Duration::ZERO);
        // Who still has its stdout or stderr is in its group, which is why the number is not anybody else's.
        if !ended || !self.stdout.is_over(BRIEF) || !self.stderr.is_over(BRIEF) {
            let _ = kill_process_group(self.pid, Signal::KILL);
            self.has_ended(PATIENCE);
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
enum Keyboard {
    None,
    Pipe(File),
    Terminal(File),
}

impl Keyboard {
    /// A reader that went away is not what is tested here: what it did is seen elsewhere.
    fn type_in(&mut self, octets: &[u8]) {
        match self {
            Self::None => panic!("there is nothing to type on"),
            Self::Pipe(file) | Self::Terminal(file) => {
                let _ = file.write_all(octets);
            }
        }
    }

    fn type_much(&mut self, octets: usize) {
        let Self::Pipe(mut file) = std::mem::replace(self, Self::None) else {
            panic!("much is typed into a pipe");
        };
        thread::spawn(move || file.write_all(&much_of(octets)));
    }

    fn end(&mut self) {
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
struct Captured {
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
    fn take(&mut self, wanted: usize, patience: Duration) -> (Vec<u8>, bool) {
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

    fn has(&self, wanted: &[u8], patience: Duration) -> bool {
        let found = |print: &Print| print.octets.windows(wanted.len()).any(|w| w == wanted);
        self.wait(patience, |print| print.over || found(print), found)
    }

    /// The line with `words` in it.
    fn line(&self, words: &[&str], patience: Duration) -> Option<String> {
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

    fn all(&self) -> Vec<u8> {
        self.wait(BRIEF, |print| print.over, |print| print.octets.clone())
    }

    /// The reader goes away with the next octets that come, which are lost.
    fn close(&self) {
        let (lock, _) = &*self.state;
        lock.lock().unwrap_or_else(PoisonError::into_inner).unwanted = true;
    }
}
