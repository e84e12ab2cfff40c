//! Connections that a driver orders, over loopback.

mod mail;

use std::sync::Mutex;

use super::*;
use crate::proto::{Verdict, smtp};
use crate::reactor::driver::{Driver, Event, Orders};
use crate::reactor::lookup::{Found, Question};
use crate::reactor::outgoing::{End, Outgoing, Place};

/// What a test wants ordered.
type Wanted = Box<dyn FnOnce(&mut Orders) + Send>;

/// Orders what the test wants, and tells it what came of it.
struct Puppet {
    wanted: Arc<Mutex<Vec<Wanted>>>,
    tell: mpsc::Sender<Event>,
    deadline: Option<Instant>,
}

impl Driver for Puppet {
    fn handle(&mut self, _now: Instant, event: Event, orders: &mut Orders) {
        for want in self.wanted.lock().expect("no panic").drain(..) {
            want(orders);
        }
        if !matches!(event, Event::Wake) {
            self.tell.send(event).ok();
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

/// A reactor without listeners, and its puppet.
struct Stage {
    wanted: Arc<Mutex<Vec<Wanted>>>,
    events: mpsc::Receiver<Event>,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Stage {
    fn new(outgoing: usize, deadline: Option<Duration>) -> Self {
        let wanted: Arc<Mutex<Vec<Wanted>>> = Arc::default();
        let puppet_wanted = Arc::clone(&wanted);
        let (tell, events) = mpsc::channel();
        let (give, given) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let options = Options {
                outgoing,
                ..Options::default()
            };
            let work = |job| match job {
                Job::Smtp(smtp::Job::Stuff(text, from, stuffer)) => {
                    let stuffed = smtp::relay::Stuffed::read(&text, from, stuffer);
                    Answer::Smtp(smtp::Answer::Stuffed(stuffed))
                }
                _ => Answer::Pop3(pop3::Answer::Updated(Ok(()))),
            };
            let mut reactor = Reactor::with_worker(options, Box::new(work)).expect("a reactor");
            reactor.drive(Box::new(Puppet {
                wanted: puppet_wanted,
                tell,
                deadline: deadline.map(|after| Instant::now() + after),
            }));
            give.send(reactor.handle()).expect("a reader");
            reactor.run().expect("a run");
        });
        let stage = Self {
            wanted,
            events,
            handle: given.recv().expect("a handle"),
            thread: Some(thread),
        };
        assert!(matches!(stage.next(), Event::Start));
        stage
    }

    fn want(&self, want: impl FnOnce(&mut Orders) + Send + 'static) {
        self.wanted.lock().expect("no panic").push(Box::new(want));
        self.handle.wake();
    }

    fn next(&self) -> Event {
        let patience = Duration::from_secs(20);
        self.events.recv_timeout(patience).expect("an event")
    }

    /// The next that is no news.
    fn next_but_news(&self) -> Event {
        loop {
            match self.next() {
                Event::News { .. } => {}
                other => return other,
            }
        }
    }

    fn end(&self) -> End {
        match self.next_but_news() {
            Event::Ended { end, .. } => end,
            other => panic!("{other:?}"),
        }
    }

    fn join(mut self) {
        self.thread
            .take()
            .expect("a thread")
            .join()
            .expect("no panic");
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.handle.stop();
        self.handle.stop();
    }
}

/// Talks with [`Echo`]: says the lines one by one, upgrades after `tls`, and keeps what it hears.
struct Caller {
    lines: Vec<&'static str>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Caller {
    fn say(&mut self, out: &mut Out) {
        if self.lines.is_empty() {
            out.notify();
        } else {
            out.line(self.lines.remove(0).as_bytes());
        }
    }
}

impl Session for Caller {
    fn want(&self) -> Want {
        Want::Line { max: 1000 }
    }

    fn handle(&mut self, _now: Instant, input: Input<'_>, out: &mut Out) {
        match input {
            Input::Line(b"go ahead") => out.start_tls(),
            Input::Line(b"bye") => out.close(),
            Input::Line(line) => {
                let line = String::from_utf8_lossy(line).into_owned();
                self.heard.lock().expect("no panic").push(line);
                self.say(out);
            }
            Input::TlsUp(tls) => {
                let verdict = tls.verdict.to_string();
                self.heard.lock().expect("no panic").push(verdict);
                // With TLS from the first octet the server greets now.
                if !self.heard.lock().expect("no panic")[0].contains("certificate") {
                    self.say(out);
                }
            }
            Input::Changed => out.line(b"quit"),
            Input::Eof | Input::Stop => out.close(),
            _ => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }
}

struct Call {
    places: Vec<Place>,
    lines: Vec<&'static str>,
    tls: Option<Connector>,
    security: Security,
    patience: Duration,
}

impl Call {
    fn to(address: SocketAddr) -> Self {
        Self {
            places: vec![Place::Tcp(address)],
            lines: vec!["one", "quit"],
            tls: None,
            security: Security::Plain,
            patience: Duration::from_secs(20),
        }
    }

    fn make(self, stage: &Stage, word: u64) -> Arc<Mutex<Vec<String>>> {
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let of_session = Arc::clone(&heard);
        stage.want(move |orders| {
            let session = Caller {
                lines: self.lines,
                heard: of_session,
            };
            let mut outgoing = Outgoing::new("mail.example.org", self.places, Box::new(session));
            outgoing.tls = self.tls;
            outgoing.security = self.security;
            outgoing.patience = self.patience;
            orders.connect(word, outgoing);
        });
        heard
    }
}

/// Nobody listens there.
fn closed() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

#[test]
fn places_are_tried_in_order_until_one_takes_it() {
    let server = Server::start(Setup::default());
    let stage = Stage::new(10, None);
    let mut call = Call::to(closed());
    call.places.push(Place::Tcp(server.plain));
    let heard = call.make(&stage, 7);
    let Event::Connected { word: 7, place } = stage.next() else {
        panic!("not connected");
    };
    assert_eq!(place, Place::Tcp(server.plain));
    assert!(matches!(stage.end(), End::Closed));
    assert_eq!(*heard.lock().unwrap(), ["hello", "one"]);
}

#[test]
fn where_nobody_is_each_attempt_is_told() {
    let stage = Stage::new(10, None);
    let mut call = Call::to(closed());
    call.places.push(Place::Unix("/no/such/socket".into()));
    call.make(&stage, 1);
    let End::Unreachable(attempts) = stage.end() else {
        panic!("somebody was there");
    };
    let kinds: Vec<_> = attempts.iter().map(|(_, error)| error.kind()).collect();
    assert_eq!(kinds, [ErrorKind::ConnectionRefused, ErrorKind::NotFound]);
    let mut nowhere = Call::to(closed());
    nowhere.places.clear();
    nowhere.make(&stage, 1);
    assert!(matches!(stage.end(), End::Unreachable(attempts) if attempts.is_empty()));
}

#[test]
fn a_place_that_does_not_answer_has_its_time() {
    // A listener whose queue is full answers nobody.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(0).unwrap();
    let full = socket.local_addr().unwrap().as_socket().unwrap();
    let _waiting: Vec<_> = (0..3)
        .map(|_| TcpStream::connect_timeout(&full, Duration::from_millis(200)))
        .collect();
    let server = Server::start(Setup::default());
    let stage = Stage::new(10, None);
    let mut call = Call::to(full);
    call.places.push(Place::Tcp(server.plain));
    call.patience = Duration::from_millis(100);
    call.make(&stage, 1);
    assert!(matches!(stage.next(), Event::Connected { .. }));
    assert!(matches!(stage.end(), End::Closed));
    let mut call = Call::to(full);
    call.patience = Duration::from_millis(100);
    call.make(&stage, 1);
    assert!(
        matches!(stage.end(), End::Unreachable(attempts) if attempts[0].1.kind() == ErrorKind::TimedOut)
    );
}

#[test]
fn a_unix_socket_is_called_too() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("socket");
    let _server = Server::start(Setup {
        socket: Some(path.clone()),
        ..Setup::default()
    });
    let stage = Stage::new(10, None);
    let mut call = Call::to(closed());
    call.places = vec![Place::Unix(path)];
    let heard = call.make(&stage, 1);
    assert!(matches!(stage.next(), Event::Connected { .. }));
    assert!(matches!(stage.end(), End::Closed));
    assert_eq!(*heard.lock().unwrap(), ["hello", "one"]);
}

fn connector(trust: &Trust) -> Option<Connector> {
    Some(Connector::new(trust).expect("authorities"))
}

#[test]
fn tls_is_as_strict_as_was_ordered() {
    let server = Server::start(Setup::default());
    let stage = Stage::new(10, None);
    let lab = Trust::Only(server.ca.clone());
    let tolerant = |extra| Trust::Tolerant { extra };
    let strict = Trust::Authorities { extra: None };
    for (trust, verdict) in [
        (lab, Some(Verdict::Good.to_string())),
        (
            tolerant(Some(server.ca.clone())),
            Some(Verdict::Good.to_string()),
        ),
        (tolerant(None), Some("certificate NOT verified".to_owned())),
        (Trust::Anybody, Some(Verdict::Unchecked.to_string())),
        (strict, None),
    ] {
        for (security, address) in [
            (Security::Plain, server.plain),
            (Security::Implicit, server.tls),
        ] {
            let mut call = Call::to(address);
            call.security = security;
            call.tls = connector(&trust);
            call.lines = match security {
                Security::Plain => vec!["tls", "version", "quit"],
                Security::Implicit => vec!["version", "quit"],
            };
            let heard = call.make(&stage, 1);
            assert!(matches!(stage.next(), Event::Connected { .. }));
            let end = stage.end();
            let heard = heard.lock().unwrap();
            match &verdict {
                Some(verdict) => {
                    assert!(matches!(end, End::Closed), "{end:?}");
                    assert!(
                        heard.iter().any(|line| line.starts_with(verdict)),
                        "{heard:?}"
                    );
                    assert_eq!(heard.last().map(String::as_str), Some("TLSv1.3"));
                }
                None => assert!(
                    matches!(&end, End::Tls(TlsError::Certificate { host, .. }) if host == "mail.example.org"),
                    "{end:?}"
                ),
            }
        }
    }
    // A certificate is for its name only, and verdicts of connections at the same time are not mixed up.
    let tolerant = connector(&Trust::Tolerant {
        extra: Some(server.ca.clone()),
    });
    let names = ["mail.example.org", "other.example"];
    let heard = names.map(|name| {
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let (of_session, tls) = (Arc::clone(&heard), tolerant.clone());
        let address = server.plain;
        stage.want(move |orders| {
            let session = Caller {
                lines: vec!["tls", "version"],
                heard: of_session,
            };
            let mut outgoing = Outgoing::new(name, vec![Place::Tcp(address)], Box::new(session));
            outgoing.tls = tls;
            orders.connect(name.len() as u64, outgoing);
        });
        heard
    });
    let mut news = 0;
    while news < 2 {
        news += usize::from(matches!(stage.next(), Event::News { .. }));
    }
    let verdicts = heard.map(|heard| heard.lock().unwrap()[1].clone());
    assert_eq!(verdicts[0], Verdict::Good.to_string());
    assert!(
        verdicts[1].contains("NOT verified: it is for "),
        "{verdicts:?}"
    );
}

#[test]
fn tls_that_was_not_ordered_ends_the_connection() {
    let server = Server::start(Setup::default());
    let stage = Stage::new(10, None);
    let mut call = Call::to(server.plain);
    call.lines = vec!["tls"];
    call.make(&stage, 1);
    assert!(matches!(stage.next(), Event::Connected { .. }));
    assert!(matches!(stage.end(), End::Tls(_)));
}

#[test]
fn there_are_never_more_than_may_be_and_an_idle_one_is_nudged() {
    let server = Server::start(Setup::default());
    let stage = Stage::new(1, None);
    for word in [1, 2] {
        let mut call = Call::to(server.plain);
        call.lines = Vec::new();
        call.make(&stage, word);
    }
    assert!(matches!(stage.next(), Event::Connected { word: 1, .. }));
    assert!(matches!(stage.next(), Event::News { word: 1 }));
    let more = stage.events.recv_timeout(Duration::from_millis(100));
    assert!(more.is_err(), "{more:?}");
    stage.want(|orders| orders.nudge(1));
    assert!(matches!(stage.next(), Event::Ended { word: 1, .. }));
    assert!(matches!(stage.next(), Event::Connected { word: 2, .. }));
    assert!(matches!(stage.next(), Event::News { word: 2 }));
    stage.want(|orders| orders.stop(2));
    assert!(matches!(
        stage.next(),
        Event::Ended {
            word: 2,
            end: End::Closed
        }
    ));
}

#[test]
fn jobs_questions_and_deadlines_are_answered() {
    let stage = Stage::new(1, Some(Duration::from_millis(50)));
    stage.want(|orders| {
        orders.job(3, || 6 * 7);
        orders.resolve(4, Question::Addresses("[192.0.2.1]".into()));
    });
    let (mut result, mut found, mut late) = (None, None, 0);
    while result.is_none() || found.is_none() || late == 0 {
        match stage.next() {
            Event::Done {
                word: 3,
                result: Some(brought),
            } => result = brought.downcast::<i32>().ok(),
            Event::Resolved {
                word: 4,
                found: what,
            } => found = Some(what),
            Event::Timeout => late += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(result.as_deref(), Some(&42));
    assert_eq!(found, Some(Found::Addresses(vec![[192, 0, 2, 1].into()])));
    // A deadline that does not move is told once.
    let more = stage.events.recv_timeout(Duration::from_millis(100));
    assert!(more.is_err(), "{more:?}");
    stage.want(|orders| orders.job(5, || panic!("a bug, made for this test")));
    assert!(matches!(
        stage.next(),
        Event::Done {
            word: 5,
            result: None
        }
    ));
}
