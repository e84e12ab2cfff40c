//! Plays a case with one program, and writes down what was to be seen, in words.
//!
//! The steps are made by one thread, in their order: what is written down is in an order too, and needs no clock. How long
//! is waited for something that does not come depends on whether it is expected: one who is expected to leave has all
//! the time that a busy machine needs, one who is expected to stay is believed after a moment.

use std::fmt::Write as _;
use std::fs::{self};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::peer::{Heard, Line, Listener, Places, Stop};
use super::running::Running;
use super::{Case, Dialect, Over, Peer, Step};

/// Which of the two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Ours,
    Theirs,
}

/// How long is waited for what should come.
pub const PATIENCE: Duration = Duration::from_secs(40);
/// How long is waited for what should not.
pub const BRIEF: Duration = Duration::from_millis(400);
/// How long is waited where it is not known.
const CURIOUS: Duration = Duration::from_millis(3000);
/// The same for what takes seconds.
const CURIOUS_OF_SECONDS: Duration = Duration::from_millis(4500);

/// How long is waited for something of the program's, until it is seen again whether it is still there. What somebody did
/// who is gone is there already.
const fn slice(has_ended: bool) -> Duration {
    match has_ended {
        true => Duration::from_millis(1),
        false => Duration::from_millis(50),
    }
}

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

const STARTING_AT_ONCE: usize = 4;
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
    /// When the step was begun that is made, or was made last.
    step_began: Instant,
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
        let step_began = Instant::now();
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
            step_began,
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
            // It is not as expected: what is still seen is for who reads about it.
            None if self.expected.is_some() => BRIEF,
            None => curious,
        }
    }

    fn make(&mut self, step: Step) -> Option<String> {
        let before = std::mem::replace(&mut self.step_began, Instant::now());
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
                let when = coarsely(begun.elapsed(), before.elapsed(), self.next());
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
            Step::LeavesAfter => {
                return Some(self.leaves(patience, Some((Instant::now(), before))));
            }
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
            let has_ended = self.running.has_ended(Duration::ZERO);
            let is_last = has_ended || Instant::now() > until;
            if let Some(line) = listener.accept(slice(has_ended)) {
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
            let has_ended = self.running.has_ended(Duration::ZERO);
            let is_last = has_ended || Instant::now() > until;
            let left = wanted.map(|wanted| wanted - octets.len());
            let slice = slice(has_ended).min(until.saturating_duration_since(Instant::now()));
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

    fn leaves(&mut self, patience: Duration, since: Option<(Instant, Instant)>) -> String {
        if !self.running.has_ended(patience) {
            return "stays".to_owned();
        }
        let (status, at) = self.running.ended.expect("just seen");
        let how = match (status.code(), status.signal()) {
            (Some(code), _) => code.to_string(),
            (None, signal) => format!("by signal {}", signal.unwrap_or_default()),
        };
        match since {
            Some((late, early)) => {
                let since = |begun| at.saturating_duration_since(begun);
                let when = coarsely(since(late), since(early), self.next());
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

/// `at once` or `after 2 s`. What is timed began between two instants that the test has seen, `long` and `short` ago: where
/// what is expected is possible, a machine that is busy gets most of a second.
fn coarsely(short: Duration, long: Duration, expected: Option<&str>) -> String {
    let phase = |seconds: u64| match seconds {
        0 => "at once".to_owned(),
        seconds => format!("after {seconds} s"),
    };
    let slack = Duration::from_millis(50);
    let is_possible = |seconds: &u64| {
        let timed = Duration::from_secs(*seconds);
        short + slack < timed + Duration::from_secs(1) && long + slack >= timed
    };
    let is_expected = |seconds: &u64| expected.is_some_and(|line| line.contains(&phase(*seconds)));
    let seconds = (0..10).find(|seconds| is_expected(seconds) && is_possible(seconds));
    phase(seconds.unwrap_or_else(|| (short + 4 * slack).as_secs()))
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
