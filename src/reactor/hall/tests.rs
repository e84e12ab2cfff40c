//! Halls on threads, and callers who are plain sockets of this process.

mod circle;
mod programs;
mod proxy;
mod stdio;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Mutex, mpsc};
use std::thread::{self, JoinHandle};

use rustix::time::{ClockId, clock_gettime};

use super::*;
use crate::reactor::sockets::{Callers, listen};
use crate::wire::services::Transport;

const PATIENCE: Duration = Duration::from_secs(20);

/// A hall on a thread; stopped when dropped.
struct Running {
    at: SocketAddr,
    handle: Handle,
    thread: Option<JoinHandle<(io::Result<Outcome>, Duration)>>,
    notes: Heard,
}

/// What the notes said, a line each.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Notes for Heard {
    fn note(&mut self, note: &Note<'_>) {
        let line = match note {
            Note::Called(_) => "called".to_owned(),
            Note::NotAllowed(_) => "not allowed".to_owned(),
            Note::Full(_, here) => format!("full: {here}"),
            Note::Secured(_, tls) => format!("secured: {}", tls.version),
            Note::NotSecured(_, error) => format!("not secured: {error}"),
            Note::NoProgram(_, file, error) => format!("no program: {file:?} {:?}", error.kind()),
            Note::Joined(_, destination, _) => format!("joined: {destination}"),
            Note::NotJoined(_, why) => format!("not joined: {why}"),
            Note::TooSlow(_) => "too slow".to_owned(),
            Note::Left(_, report) => {
                let Report {
                    outcome,
                    sent,
                    received,
                    ..
                } = report;
                format!("left: {outcome:?} {sent} {received}")
            }
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(line);
    }
}

impl Heard {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn count(&self, beginning: &str) -> usize {
        let lines = self.lines();
        let told = lines.iter().filter(|line| line.starts_with(beginning));
        told.count()
    }

    fn wait_for(&self, beginning: &str, times: usize) {
        let told = || self.count(beginning) >= times;
        wait_until(told, &format!("{times} of {beginning:?}"));
    }
}

fn wait_until(condition: impl Fn() -> bool, what: &str) {
    let until = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < until, "in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn start(
    settings: impl FnOnce() -> Settings + Send + 'static,
    service: impl FnOnce() -> Service + Send + 'static,
) -> Running {
    start_with(sockets::Settings::default(), settings, service)
}

fn start_with(
    of_sockets: sockets::Settings,
    settings: impl FnOnce() -> Settings + Send + 'static,
    service: impl FnOnce() -> Service + Send + 'static,
) -> Running {
    let at = SocketAddr::from(([127, 0, 0, 1], 0));
    let door = listen(at, Transport::Tcp, Callers::All, &of_sockets).unwrap();
    let at = door.local_addr().unwrap().as_socket().unwrap();
    let notes = Heard::default();
    let told = notes.clone();
    let (sender, handle) = mpsc::channel();
    let thread = thread::spawn(move || {
        let settings = Settings {
            at_most: 2000,
            notes: Box::new(told),
            ..settings()
        };
        let hall = Hall::new(vec![door], settings).unwrap();
        sender.send(hall.handle()).unwrap();
        let outcome = hall.run(service()).map(|report| report.outcome);
        let spent = clock_gettime(ClockId::ThreadCPUTime);
        let spent = Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32);
        (outcome, spent)
    });
    Running {
        at,
        handle: handle.recv().unwrap(),
        thread: Some(thread),
        notes,
    }
}

impl Running {
    fn call(&self) -> TcpStream {
        let caller = TcpStream::connect(self.at).unwrap();
        caller.set_read_timeout(Some(PATIENCE)).unwrap();
        caller.set_write_timeout(Some(PATIENCE)).unwrap();
        caller
    }

    /// Somebody who is known to be in.
    fn guest(&self) -> TcpStream {
        let before = self.notes.count("called");
        let caller = self.call();
        self.notes.wait_for("called", before + 1);
        caller
    }

    fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// How it ends by itself.
    fn outcome(mut self) -> Outcome {
        wait_until(|| self.is_over(), "its end");
        self.thread.take().unwrap().join().unwrap().0.unwrap()
    }

    /// The time of a processor that it took.
    fn stop(mut self) -> Duration {
        self.handle.stop();
        self.thread.take().unwrap().join().unwrap().1
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().0.unwrap();
        }
    }
}

fn read(caller: &mut TcpStream, octets: usize) -> String {
    let mut buffer = vec![0; octets];
    caller.read_exact(&mut buffer).unwrap();
    String::from_utf8(buffer).unwrap()
}

fn rest(mut caller: impl Read) -> Vec<u8> {
    let mut rest = Vec::new();
    caller.read_to_end(&mut rest).unwrap();
    rest
}

/// What comes within a moment.
fn whatever_comes(caller: &mut TcpStream) -> String {
    caller
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(octets @ 1..) = caller.read(&mut buffer) {
        all.extend_from_slice(&buffer[..octets]);
    }
    caller.set_read_timeout(Some(PATIENCE)).unwrap();
    String::from_utf8(all).unwrap()
}

fn noise(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    };
    (0..length).map(next).collect()
}

#[test]
fn numbers_are_given_as_the_kernel_gives_descriptors() {
    let mut numbers = Numbers::behind(1);
    let take = |numbers: &mut Numbers| {
        let lowest = numbers.lowest();
        numbers.take(lowest);
        lowest
    };
    assert_eq!([0; 3].map(|_| take(&mut numbers)), [4, 5, 6]);
    numbers.give_back(6);
    numbers.give_back(4);
    assert_eq!([0; 3].map(|_| take(&mut numbers)), [4, 6, 7]);
}
