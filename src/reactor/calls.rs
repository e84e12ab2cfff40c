//! The loop's side of a [`Driver`]: dials, answers its questions, has its jobs done, and tells it what came of all that.
//!
//! A connection that stands is a slot of the loop like any other; here is what comes before that and after it.
//!
//! What it keeps:
//! - an order is carried out after the driver has returned, and what comes of it is told in the same turn at the earliest after
//!   that, in the next if there is much: a driver that answers each event with another order starves nobody;
//! - each word of a connection has one [`Event::Ended`], after the session was dropped.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::time::{Instant, SystemTime};

use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Token};

use super::conn::Conn;
use super::driver::{Driver, Errand, Event, Order, Orders};
use super::limiter::Admission;
use super::lookup::{Found, Lookups, Question};
use super::outgoing::{End, Outgoing, Place};
use super::socket::Socket;
use super::tls::{Connector, TlsError};
use super::trouble::Trouble;
use super::{Reactor, Security, Slot, Stage};
use crate::proto::{Answer, Epoch, Job, Out, Peer, Takes, smtp};
use crate::tap::Side;

/// What the loop keeps for its driver.
pub(super) struct Calls {
    pub(super) driver: Option<Box<dyn Driver>>,
    /// Not told yet.
    events: VecDeque<Event>,
    /// For which there is no room yet.
    waiting: VecDeque<(u64, Box<Outgoing>)>,
    dialling: HashMap<u64, Dialling>,
    /// The tokens of those that are dialled or stand.
    tokens: HashMap<u64, u64>,
    /// The words of jobs that are outstanding.
    jobs: HashMap<u64, u64>,
    pub(super) lookups: Lookups,
    /// The deadline of which the driver has been told.
    told: Option<Instant>,
    /// [`Event::Wake`] is among the events.
    woken: bool,
}

/// A connection that does not stand yet.
struct Dialling {
    word: u64,
    outgoing: Box<Outgoing>,
    /// The place that is tried.
    at: usize,
    socket: Socket,
    until: Instant,
    attempts: Vec<(Place, io::Error)>,
}

/// How a connection came to be.
pub(super) enum Origin {
    /// Somebody called.
    Came(Admission),
    /// The driver did.
    Called(Box<Called>),
}

/// What the pool does.
pub(super) enum Work {
    Session(Job),
    Errand(Errand),
}

/// What came of it.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all of it is of sessions, and a box would cost each of them an allocation"
)]
pub(super) enum Brought {
    Answer(Answer),
    Result(Box<dyn Any + Send>),
}

/// What stands behind a connection that was called.
pub(super) struct Called {
    word: u64,
    host: String,
    tls: Option<Connector>,
}

impl Called {
    pub(super) fn start_tls(&self, conn: &mut Conn, now: Instant) {
        let none = || TlsError::Broken("no TLS is set up for calls".to_owned());
        let tls = self.tls.as_ref().ok_or_else(none);
        match tls.and_then(|tls| tls.connect(&self.host)) {
            Ok(tls) => conn.start_tls(tls, now),
            Err(error) => conn.refuse_tls(error),
        }
    }
}

impl Calls {
    pub(super) fn new(lookups: Lookups) -> Self {
        Self {
            driver: None,
            events: VecDeque::new(),
            waiting: VecDeque::new(),
            dialling: HashMap::new(),
            tokens: HashMap::new(),
            jobs: HashMap::new(),
            lookups,
            told: None,
            woken: false,
        }
    }

    /// Whether nothing is under way.
    pub(super) fn is_quiet(&self) -> bool {
        self.dialling.is_empty() && self.jobs.is_empty() && self.events.is_empty()
    }

    /// Whether there is something to tell the driver at once.
    pub(super) fn is_pressing(&self) -> bool {
        !self.events.is_empty()
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        let dialling = self.dialling.values().map(|dialling| dialling.until);
        dialling
            .chain(self.lookups.next_due())
            .chain(self.deadline())
            .min()
    }

    /// The driver's, if it has not been told of it.
    fn deadline(&self) -> Option<Instant> {
        let deadline = self.driver.as_ref()?.deadline()?;
        (self.told != Some(deadline)).then_some(deadline)
    }

    pub(super) fn wake(&mut self) {
        if self.driver.is_some() && !std::mem::replace(&mut self.woken, true) {
            self.events.push_back(Event::Wake);
        }
    }

    pub(super) fn start(&mut self) {
        if self.driver.is_some() {
            self.events.push_back(Event::Start);
        }
    }

    /// A session has said that there is news.
    pub(super) fn news(&mut self, called: &Called) {
        self.events.push_back(Event::News { word: called.word });
    }

    /// The word of a job, if it is one of the driver's; it is not outstanding any more.
    pub(super) fn take_job(&mut self, token: u64) -> Option<u64> {
        self.jobs.remove(&token)
    }

    /// A job is done.
    pub(super) fn done(&mut self, word: u64, brought: Option<Brought>) {
        let result = match brought {
            Some(Brought::Result(result)) => Some(result),
            _ => None,
        };
        self.events.push_back(Event::Done { word, result });
    }

    /// A connection that stood is over.
    pub(super) fn ended(&mut self, called: &Called, trouble: Option<Trouble>) {
        let end = match trouble {
            None => End::Closed,
            Some(Trouble::Tls(error)) => End::Tls(error),
            Some(trouble @ (Trouble::LostInHandshake | Trouble::Injection(_))) => {
                End::Tls(TlsError::Broken(trouble.to_string()))
            }
            Some(Trouble::Io(error)) => End::Lost(error),
            Some(Trouble::Late(what)) => {
                let what = format!("the server took too long for {what}");
                End::Lost(io::Error::new(io::ErrorKind::TimedOut, what))
            }
            Some(
                trouble @ (Trouble::Header(_)
                | Trouble::Damaged
                | Trouble::Shortened
                | Trouble::NoAnswer),
            ) => End::Lost(io::Error::other(trouble.to_string())),
        };
        self.end(called.word, end);
    }

    fn end(&mut self, word: u64, end: End) {
        self.tokens.remove(&word);
        self.events.push_back(Event::Ended { word, end });
    }
}

impl Reactor {
    /// Lets time pass for what is dialled, asked and planned; then tells the driver what there is, and does what it orders.
    pub(super) fn drive_on(&mut self, now: Instant) {
        if self.calls.driver.is_none() {
            return;
        }
        self.give_up_dialling(now);
        self.calls
            .lookups
            .expire(now, self.poll.registry(), &mut self.next_token);
        if self.calls.deadline().is_some_and(|due| due <= now) {
            self.calls.told = self
                .calls
                .driver
                .as_ref()
                .and_then(|driver| driver.deadline());
            self.calls.events.push_back(Event::Timeout);
        }
        let mut orders = Orders::default();
        for _ in 0..=ROUNDS {
            self.collect_found();
            self.dial_waiting(now);
            if self.calls.events.is_empty() {
                return;
            }
            self.tell_driver(now, &mut orders);
        }
    }

    /// A session wants to know whether a domain takes mail.
    pub(super) fn find(&mut self, token: u64, domain: String, now: Instant) {
        if self.calls.driver.is_none() {
            // Nobody looks after the resolver.
            let answer = Answer::Smtp(smtp::Answer::Found(smtp::SenderDomain::TakesMail));
            return self.rouse(token, |conn| conn.answer(Some(answer)));
        }
        let (question, registry) = (Question::Exchangers(domain), self.poll.registry());
        self.calls.lookups.ask(
            OF_A_SESSION | token,
            question,
            now,
            registry,
            &mut self.next_token,
        );
        // It may have been known.
        self.collect_found();
    }

    /// What the resolver has found goes to who asked.
    fn collect_found(&mut self) {
        while let Some((word, found)) = self.calls.lookups.next_found() {
            if word & OF_A_SESSION == 0 {
                self.calls.events.push_back(Event::Resolved { word, found });
                continue;
            }
            let domain = match found {
                Found::NullMx => smtp::SenderDomain::NullMx,
                Found::NoName => smtp::SenderDomain::Absent,
                Found::Temporary(why) => smtp::SenderDomain::Unknown(why),
                Found::Exchangers(_) | Found::Itself | Found::Addresses(_) | Found::NoAddress => {
                    smtp::SenderDomain::TakesMail
                }
            };
            let answer = Answer::Smtp(smtp::Answer::Found(domain));
            self.rouse(word & !OF_A_SESSION, |conn| conn.answer(Some(answer)));
        }
    }

    /// Tells the events that there are, not those that come of it.
    fn tell_driver(&mut self, now: Instant, orders: &mut Orders) {
        let Some(mut driver) = self.calls.driver.take() else {
            return;
        };
        for event in std::mem::take(&mut self.calls.events) {
            if matches!(event, Event::Wake) {
                self.calls.woken = false;
            }
            driver.handle(now, event, orders);
            for order in orders.list.drain(..) {
                self.carry_out(order, now);
            }
        }
        self.calls.driver = Some(driver);
    }

    fn carry_out(&mut self, order: Order, now: Instant) {
        match order {
            Order::Connect(word, outgoing) => match self.stage {
                Stage::Serving => self.calls.waiting.push_back((word, outgoing)),
                _ => {
                    drop(outgoing);
                    self.calls.end(word, End::Stopping);
                }
            },
            Order::Resolve(word, question) => {
                let registry = self.poll.registry();
                self.calls
                    .lookups
                    .ask(word, question, now, registry, &mut self.next_token);
            }
            Order::Job(word, errand) => {
                let token = self.take_token();
                self.calls.jobs.insert(token, word);
                let work = Work::Errand(errand);
                if let Err(error) = self.pool.submit(token, Takes::Disk, work) {
                    log::error!("no thread for a job: {error}");
                    self.calls.jobs.remove(&token);
                    self.calls.done(word, None);
                }
            }
            Order::Nudge(word) => {
                if let Some(&token) = self.calls.tokens.get(&word) {
                    self.rouse(token, Conn::changed);
                }
            }
            Order::Stop(word) => self.stop_call(word),
        }
    }

    fn stop_call(&mut self, word: u64) {
        let end = || End::Lost(io::Error::other("given up before it stood"));
        if let Some(&token) = self.calls.tokens.get(&word) {
            if self.calls.dialling.remove(&token).is_some() {
                self.calls.end(word, end());
            } else {
                self.rouse(token, Conn::stop);
            }
        } else if let Some(at) = self
            .calls
            .waiting
            .iter()
            .position(|(other, _)| *other == word)
        {
            self.calls.waiting.remove(at);
            self.calls.end(word, end());
        }
    }

    /// The program stops: nobody is dialled any more.
    pub(super) fn stop_calls(&mut self) {
        if self.calls.driver.is_none() {
            return;
        }
        for (word, outgoing) in std::mem::take(&mut self.calls.waiting) {
            drop(outgoing);
            self.calls.end(word, End::Stopping);
        }
        for (_, dialling) in std::mem::take(&mut self.calls.dialling) {
            let word = dialling.word;
            drop(dialling);
            self.calls.end(word, End::Stopping);
        }
        self.calls.events.push_back(Event::Stop);
    }

    /// Dials as many of those that wait as there may be.
    fn dial_waiting(&mut self, now: Instant) {
        while self.calls.tokens.len() < self.options.outgoing {
            let Some((word, outgoing)) = self.calls.waiting.pop_front() else {
                return;
            };
            self.dial(word, outgoing, 0, Vec::new(), now);
        }
    }

    /// Tries the places from `at` on until one does not fail at once.
    fn dial(
        &mut self,
        word: u64,
        outgoing: Box<Outgoing>,
        mut at: usize,
        mut attempts: Vec<(Place, io::Error)>,
        now: Instant,
    ) {
        while let Some(place) = outgoing.places.get(at) {
            let token = self.take_token();
            let wanted = Interest::READABLE | Interest::WRITABLE;
            let registry = self.poll.registry();
            let socket = connect(place).and_then(|mut socket| {
                mio::event::Source::register(&mut socket, registry, Token(token as usize), wanted)?;
                Ok(socket)
            });
            match socket {
                Ok(socket) => {
                    self.calls.tokens.insert(word, token);
                    let dialling = Dialling {
                        word,
                        until: now + outgoing.patience,
                        outgoing,
                        at,
                        socket,
                        attempts,
                    };
                    self.calls.dialling.insert(token, dialling);
                    return;
                }
                Err(error) => attempts.push((place.clone(), error)),
            }
            at += 1;
        }
        drop(outgoing);
        self.calls.end(word, End::Unreachable(attempts));
    }

    /// The place that was tried is none; the next one is.
    fn dial_next(&mut self, dialling: Dialling, error: io::Error, now: Instant) {
        let Dialling {
            word,
            outgoing,
            at,
            mut attempts,
            ..
        } = dialling;
        attempts.push((outgoing.places[at].clone(), error));
        self.dial(word, outgoing, at + 1, attempts, now);
    }

    fn give_up_dialling(&mut self, now: Instant) {
        let late = |(token, dialling): (&u64, &Dialling)| (dialling.until <= now).then_some(*token);
        let late: Vec<u64> = self.calls.dialling.iter().filter_map(late).collect();
        for token in late {
            if let Some(dialling) = self.calls.dialling.remove(&token) {
                self.dial_next(dialling, io::ErrorKind::TimedOut.into(), now);
            }
        }
    }

    /// The poll has said something about a token that is no slot's.
    pub(super) fn notice_call(&mut self, token: u64, now: Instant) {
        let Some(dialling) = self.calls.dialling.get_mut(&token) else {
            let registry = self.poll.registry();
            return self
                .calls
                .lookups
                .ready(token, now, registry, &mut self.next_token);
        };
        match dialling.socket.is_connected() {
            Ok(false) => {}
            Ok(true) => {
                if let Some(dialling) = self.calls.dialling.remove(&token) {
                    self.connected(token, dialling, now);
                }
            }
            Err(error) => {
                if let Some(dialling) = self.calls.dialling.remove(&token) {
                    self.dial_next(dialling, error, now);
                }
            }
        }
    }

    /// Makes a slot of it.
    fn connected(&mut self, token: u64, dialling: Dialling, now: Instant) {
        let Dialling {
            word,
            outgoing,
            at,
            mut socket,
            ..
        } = dialling;
        // The edges that came with the connection are used up: registering anew brings them again.
        let wanted = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        let name = Token(token as usize);
        if let Err(error) = mio::event::Source::reregister(&mut socket, registry, name, wanted) {
            return self.calls.end(word, End::Lost(error));
        }
        let place = outgoing.places[at].clone();
        let remote = match place {
            Place::Tcp(address) => Some(address),
            Place::Unix(_) => None,
        };
        let peer = Peer {
            token,
            remote,
            local: socket.local_address(),
            accepted: Epoch {
                instant: now,
                wall: SystemTime::now(),
            },
            seed: super::seed(),
            refused: None,
            proxy: None,
        };
        let (tap, wire) = self.observers(&peer, SERVICE);
        let mut conn = Conn::new(socket, Side::Client, Out::new(Side::Client, now, tap), now);
        if let Some(wire) = wire {
            conn.watch(wire);
        }
        let Outgoing {
            host,
            security,
            stall,
            tls,
            session,
            ..
        } = *outgoing;
        conn.set_stall(stall);
        let called = Called { word, host, tls };
        if security == Security::Implicit {
            called.start_tls(&mut conn, now);
        }
        let slot = Slot {
            conn,
            session: Some(session),
            service: SERVICE,
            remote,
            origin: Origin::Called(Box::new(called)),
            queued: false,
            armed: None,
        };
        self.slots.insert(token, Box::new(slot));
        self.calls
            .events
            .push_back(Event::Connected { word, place });
        self.rouse(token, |_| {});
    }
}

fn connect(place: &Place) -> io::Result<Socket> {
    match place {
        Place::Tcp(address) => tcp(*address),
        Place::Unix(path) => UnixStream::connect(path).map(Socket::Unix),
    }
}

fn tcp(address: SocketAddr) -> io::Result<Socket> {
    let stream = TcpStream::connect(address)?;
    // What is said is gathered here already; to wait for more would only be late.
    stream.set_nodelay(true).ok();
    Ok(Socket::Tcp(stream))
}

/// What logs and taps call a connection of ours.
const SERVICE: &str = "relay";

/// In the word of a question: a session has asked, whose token the rest is.
const OF_A_SESSION: u64 = 1 << 63;
/// How often in one turn of the loop the driver is told what came of its last orders.
const ROUNDS: usize = 16;
