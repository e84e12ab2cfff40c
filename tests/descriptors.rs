//! A hall without file descriptors: it says so once, turns nobody away, and goes on when there are some again. In a process of
//! its own, for the limit is the process's.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mailtool::proto::raw::InputEnd;
use mailtool::reactor::hall::{Hall, Note, Notes, Service, Settings, Stdio};
use mailtool::reactor::sockets::{self, Callers, listen};
use mailtool::reactor::stdio::Output;
use mailtool::wire::services::Transport;
use rustix::process::{Resource, Rlimit, setrlimit};

struct Told(mpsc::Sender<String>);

impl Notes for Told {
    fn note(&mut self, note: &Note<'_>) {
        let line = match note {
            Note::Exhausted(..) => "exhausted",
            Note::Called(_) => "called",
            Note::Left(..) => "left",
            _ => "other",
        };
        // The test may be over.
        let _ = self.0.send(line.to_owned());
    }
}

#[test]
fn without_descriptors_callers_wait_and_come_in_later() {
    let limit = Rlimit {
        current: Some(60),
        maximum: Some(60),
    };
    setrlimit(Resource::Nofile, limit).expect("less is always allowed");
    let at = SocketAddr::from(([127, 0, 0, 1], 0));
    let door = listen(
        at,
        Transport::Tcp,
        Callers::All,
        &sockets::Settings::default(),
    );
    let door = door.expect("a port");
    let at = door.local_addr().expect("a port").as_socket();
    let at = at.expect("an address");
    let (sender, notes) = mpsc::channel();
    let (handles, handle) = mpsc::channel();
    let hall = thread::spawn(move || {
        let settings = Settings {
            notes: Box::new(Told(sender)),
            ..Settings::default()
        };
        let hall = Hall::new(vec![door], settings).expect("a hall");
        handles.send(hall.handle()).expect("somebody waits for it");
        let service = Stdio::new(None, InputEnd::HalfClose, Some(Output::none()));
        hall.run(Service::Talk(service))
    });
    let handle = handle.recv().expect("a hall");
    let mut callers = Vec::new();
    // Each takes two: its own, and the hall's. It ends when there is none for a caller, or has ended for the hall before.
    while let Ok(caller) = TcpStream::connect(at) {
        callers.push(caller);
        thread::sleep(Duration::from_millis(5));
    }
    callers.pop();
    thread::sleep(Duration::from_millis(1500));
    let told: Vec<_> = notes.try_iter().collect();
    let count = |told: &[String], what: &str| told.iter().filter(|line| *line == what).count();
    assert_eq!(count(&told, "exhausted"), 1, "{told:?}");
    let mut last = callers.pop().expect("there are some");
    callers.drain(..10);
    last.write_all(b"in").expect("it is open");
    last.shutdown(std::net::Shutdown::Write)
        .expect("it is open");
    last.set_read_timeout(Some(Duration::from_secs(60)))
        .expect("a socket");
    assert_eq!(last.read(&mut [0]).expect("the hall is there"), 0);
    handle.stop();
    hall.join().expect("no panic").expect("no error");
}
