//! Many callers at once, in one loop: `-k`, `--broker`, `--chat`, a program for each, a proxy.
//!
//! ```text
//!  Door --accept--> admission --> TLS --> Audience: stdio.rs      all that callers say to stdout, stdin to all of them
//!                                                   circle.rs     what one says to all others: broker, chat
//!                                                   programs.rs   a program for each: pair.rs
//!                                                   proxy.rs      a destination for each: pair.rs
//! ```
//!
//! One turn of the loop: wait for the poll, until the next timer at the latest; tell the ends of what happened to them; give
//! everybody who has something to do one turn of bounded length. Whoever is not done has another turn after all others, so no
//! caller starves another.
//!
//! What it keeps:
//! - a number of a caller is never used twice, so what comes too late for one finds nobody;
//! - nothing in the loop blocks: names are looked up on threads, and connecting is waited for like everything else;
//! - what waits for a caller, or came from it, is bounded; who is idle holds no buffer;
//! - without file descriptors it stops accepting, says so once, and goes on when there are some again.

mod agenda;
mod chat;
mod circle;
mod guests;
mod pair;
mod programs;
mod proxy;
mod settings;
mod speaker;
mod stdio;
mod tally;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use rustix::process::{Resource, Rlimit, getrlimit};
use socket2::Socket;

use self::agenda::Agenda;
use self::tally::Tally;
use super::descriptors::{is_exhaustion, raise_descriptor_limit};
use super::pool::{Letter, LetterBox};
use super::relay::{Handshake, HandshakeError, Link, Manner, Report};
use super::resolver::ResolveError;
use super::sockets;
use crate::limits;
use crate::proto::raw::Outcome;
use crate::tap::Side;

pub use self::circle::{Circle, Labels};
pub use self::programs::{Programs, Served, serve_one};
pub use self::proxy::Proxy;
pub use self::settings::{Caller, Idle, Note, Notes, Settings};
pub use self::speaker::Speaker;
pub use self::stdio::Stdio;

/// Doors, callers, and the loop that serves them.
pub struct Hall {
    poll: Poll,
    doors: Vec<Door>,
    /// Callers whose TLS does not stand yet.
    arriving: HashMap<u64, Arriving>,
    floor: Floor,
    numbers: Numbers,
    next_id: u64,
    /// There are no file descriptors left: until when accepting pauses.
    paused: Option<Instant>,
    /// When that was last told.
    complained: Option<Instant>,
    /// When anything happened last.
    stirred: Instant,
    stopped: bool,
}

/// Whom callers talk to.
pub enum Service {
    /// Stdin and stdout.
    Talk(Stdio),
    /// A program, one for each.
    Run(Programs),
    /// Each other.
    Meet(Circle),
    /// Whom they want.
    Proxy(Proxy),
}

/// Reaches a running hall from another thread.
#[derive(Clone)]
pub struct Handle(Arc<LetterBox<Found>>);

impl Handle {
    /// Ends it, now.
    pub fn stop(&self) {
        self.0.post(Letter::Stop);
    }
}

struct Door {
    socket: Socket,
    /// Only `WouldBlock` clears it.
    ready: bool,
}

struct Arriving {
    link: Link,
    manner: Manner,
    until: Instant,
}

/// Addresses of a name.
type Found = Result<Vec<SocketAddr>, ResolveError>;

/// What there is for whoever entertains the callers.
struct Floor {
    registry: Registry,
    agenda: Agenda,
    callers: HashMap<u64, Caller>,
    letters: Arc<LetterBox<Found>>,
    settings: Settings,
    tally: Tally,
    /// The limit of open files before we raised it: what programs expect.
    files: Option<Rlimit>,
    /// What was just heard.
    heard: Vec<u8>,
    scratch: Vec<u8>,
}

/// Whom callers talk to, as the loop sees it.
trait Audience {
    /// Its own descriptors are to be registered with parts of [`STDIO`].
    fn begin(&mut self, _floor: &mut Floor) -> io::Result<()> {
        Ok(())
    }

    /// A caller is in, and TLS stands if there is any.
    fn welcome(
        &mut self,
        floor: &mut Floor,
        now: Instant,
        id: u64,
        link: Link,
        manner: Manner,
    ) -> Next;

    /// An event came for a part of a caller, or of [`STDIO`]; a turn follows.
    fn told(&mut self, id: u64, part: Part, event: &mio::event::Event);

    /// What was looked up is here; a turn follows. `None`: the lookup failed by a bug.
    fn answered(&mut self, _id: u64, _found: Option<Found>) {}

    /// Does for a caller, or for [`STDIO`], what can be done without waiting, within bounds.
    ///
    /// # Errors
    /// Of what all have in common: then it is over for everybody.
    fn turn(&mut self, floor: &mut Floor, now: Instant, id: u64) -> io::Result<Next>;

    /// Whether it is over for everybody.
    fn outcome(&self) -> Option<Outcome> {
        None
    }
}

/// What follows from a turn.
enum Next {
    /// Another one, after the others.
    Again,
    /// An event, or this time.
    Wait(Option<Instant>),
    /// The caller is gone.
    Gone(Report),
}

/// What can be registered for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Link,
    Input,
    Output,
    /// The end of its program.
    Exit,
}

/// The number of the user's own ends, and of `<user0>`.
const STDIO: u64 = 0;

fn token(id: u64, part: Part) -> Token {
    let part = match part {
        Part::Link => 0,
        Part::Input => 1,
        Part::Output => 2,
        Part::Exit => 3,
    };
    Token((id as usize) << 2 | part)
}

const fn part_of(token: Token) -> (u64, Part) {
    let part = match token.0 & 3 {
        0 => Part::Link,
        1 => Part::Input,
        2 => Part::Output,
        _ => Part::Exit,
    };
    ((token.0 >> 2) as u64, part)
}

/// Above all tokens of callers, which count up.
const DOORS: usize = 1 << 62;
const WAKER: Token = Token(usize::MAX - 1);

impl Hall {
    /// A hall with `doors`, which listen already. Raises the limit of open files to what is allowed, for all but programs.
    ///
    /// # Errors
    /// The system has no poll, or no descriptors for it.
    pub fn new(doors: Vec<Socket>, settings: Settings) -> io::Result<Self> {
        let poll = Poll::new()?;
        let letters = Arc::new(LetterBox::new(mio::Waker::new(poll.registry(), WAKER)?));
        let mut files = None;
        if !doors.is_empty() {
            files = Some(getrlimit(Resource::Nofile));
            raise_descriptor_limit();
        }
        for (index, door) in doors.iter().enumerate() {
            door.set_nonblocking(true)?;
            let source = &mut SourceFd(&door.as_raw_fd());
            let token = Token(DOORS + index);
            poll.registry()
                .register(source, token, Interest::READABLE)?;
        }
        Ok(Self {
            floor: Floor {
                registry: poll.registry().try_clone()?,
                agenda: Agenda::default(),
                callers: HashMap::new(),
                letters,
                tally: Tally::new(Instant::now(), settings.meter.clone()),
                settings,
                files,
                heard: Vec::new(),
                scratch: Vec::new(),
            },
            numbers: Numbers::behind(doors.len()),
            doors: doors
                .into_iter()
                .map(|socket| Door {
                    socket,
                    ready: false,
                })
                .collect(),
            poll,
            arriving: HashMap::new(),
            next_id: STDIO + 1,
            paused: None,
            complained: None,
            stirred: Instant::now(),
            stopped: false,
        })
    }

    /// A way to stop it from another thread.
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.floor.letters))
    }

    /// Serves until it is over, and tells how much was moved for all together: [`Outcome::Unheard`] when nobody reads stdout any more, [`Outcome::Idle`] when nothing happened
    /// for too long, [`Outcome::Done`] when it was stopped, or has said all that it was there to say.
    ///
    /// # Errors
    /// What concerns all callers: stdin cannot be read, there is no space on the disk that stdout goes to ... Errors of one
    /// caller end that one only.
    pub fn run(mut self, service: Service) -> io::Result<Report> {
        let outcome = match service {
            Service::Talk(mut stdio) => self.entertain(&mut stdio),
            Service::Run(mut programs) => self.entertain(&mut programs),
            Service::Meet(mut circle) => self.entertain(&mut circle),
            Service::Proxy(mut proxy) => self.entertain(&mut proxy),
        };
        Ok(self.floor.tally.report(Instant::now(), outcome?))
    }

    fn entertain(&mut self, audience: &mut dyn Audience) -> io::Result<Outcome> {
        let mut events = Events::with_capacity(1024);
        audience.begin(&mut self.floor)?;
        self.stirred = Instant::now();
        loop {
            if let Some(outcome) = audience.outcome() {
                return Ok(outcome);
            }
            if self.stopped || self.doors.is_empty() && self.floor.callers.is_empty() {
                return Ok(Outcome::Done);
            }
            let wait = self.wait(Instant::now());
            match self.poll.poll(&mut events, wait) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            }
            let now = Instant::now();
            if !events.is_empty() || self.floor.agenda.waiting() > 0 {
                self.stirred = now;
            } else if self.idle_until().is_some_and(|until| until <= now) {
                return Ok(Outcome::Idle);
            }
            for event in &events {
                self.notice(event, audience);
            }
            if let Some(show) = &mut self.floor.settings.progress {
                self.floor.tally.tick(now, show);
            }
            self.floor.agenda.ring(now);
            self.accept(now, audience);
            self.take_turns(now, audience)?;
        }
    }

    fn idle_until(&self) -> Option<Instant> {
        let idle = self.floor.settings.idle.of_everybody();
        idle.map(|idle| self.stirred + idle)
    }

    /// How long the poll may wait.
    fn wait(&self, now: Instant) -> Option<Duration> {
        let at_door = self.doors.iter().any(|door| door.ready) && self.paused.is_none();
        if at_door || self.floor.agenda.waiting() > 0 {
            return Some(Duration::ZERO);
        }
        let shows = self.floor.settings.progress.is_some();
        let due = [
            self.floor.agenda.due(),
            self.paused,
            self.idle_until(),
            self.floor.tally.due().filter(|_| shows),
        ];
        let due = due.into_iter().flatten().min()?;
        Some(due.saturating_duration_since(now))
    }

    fn notice(&mut self, event: &mio::event::Event, audience: &mut dyn Audience) {
        match event.token() {
            WAKER => self.read_letters(audience),
            Token(token) if token >= DOORS => {
                if let Some(door) = self.doors.get_mut(token - DOORS) {
                    door.ready = true;
                }
            }
            token => {
                let (id, part) = part_of(token);
                if !self.arriving.contains_key(&id) {
                    audience.told(id, part, event);
                }
                self.floor.agenda.wake(id);
            }
        }
    }

    fn read_letters(&mut self, audience: &mut dyn Audience) {
        for letter in self.floor.letters.take() {
            match letter {
                Letter::Done(id, found) => {
                    audience.answered(id, found);
                    self.floor.agenda.wake(id);
                }
                Letter::Stop => self.stopped = true,
                Letter::Changed(_) | Letter::Wake => {}
            }
        }
    }

    fn accept(&mut self, now: Instant, audience: &mut dyn Audience) {
        if self.paused.is_some_and(|until| until > now) {
            return;
        }
        self.paused = None;
        for index in 0..self.doors.len() {
            for _ in 0..limits::ACCEPTS {
                let door = &mut self.doors[index];
                if !door.ready {
                    break;
                }
                match sockets::accept(&door.socket) {
                    Ok((socket, remote)) => self.admit(now, socket, remote.as_socket(), audience),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => door.ready = false,
                    Err(error) if is_exhaustion(&error) => return self.exhaust(now, &error),
                    // The connection was gone before it was accepted: none of our business.
                    Err(_) => {}
                }
            }
        }
    }

    fn exhaust(&mut self, now: Instant, error: &io::Error) {
        self.paused = Some(now + limits::ACCEPT_PAUSE);
        let is_news = |at: Instant| now - at > limits::COMPLAINT_PAUSE;
        if self.complained.is_none_or(is_news) {
            self.complained = Some(now);
            let Floor {
                settings, callers, ..
            } = &mut self.floor;
            settings.notes.note(&Note::Exhausted(error, callers.len()));
        }
    }

    fn admit(
        &mut self,
        now: Instant,
        socket: Socket,
        remote: Option<SocketAddr>,
        audience: &mut dyn Audience,
    ) {
        let caller = Caller {
            remote,
            local: socket.local_addr().ok().and_then(|local| local.as_socket()),
            number: self.numbers.lowest(),
            since: now,
        };
        let here = self.floor.callers.len();
        let Settings {
            notes,
            at_most,
            admits,
            ..
        } = &mut self.floor.settings;
        notes.note(&Note::Called(&caller));
        if here >= *at_most {
            return notes.note(&Note::Full(&caller, here));
        }
        if remote.is_some_and(|remote| !admits(remote)) {
            return notes.note(&Note::NotAllowed(&caller));
        }
        self.let_in(now, caller, socket, audience);
    }

    fn let_in(
        &mut self,
        now: Instant,
        caller: Caller,
        socket: Socket,
        audience: &mut dyn Audience,
    ) {
        let settings = &mut self.floor.settings;
        let link = match &settings.tls {
            Some(acceptor) => match Link::tls_server(socket, acceptor) {
                Ok(link) => Ok(link),
                Err(error) => return settings.notes.note(&Note::NoTls(&caller, &error)),
            },
            None => Link::stream(socket),
        };
        let mut manner = (settings.manner)(&caller);
        let link = link.map(|link| match manner.wire.take() {
            Some(wire) => link.watched(wire, Side::Server),
            None => link,
        });
        let link = match link {
            Ok(link) => link,
            Err(error) => return settings.notes.note(&Note::Trouble(&caller, &error)),
        };
        let id = self.next_id;
        self.next_id += 1;
        self.numbers.take(caller.number);
        self.floor.callers.insert(id, caller);
        if self.floor.settings.tls.is_none() {
            let next = audience.welcome(&mut self.floor, now, id, link, manner);
            return self.follow(id, next);
        }
        if let Err(error) = self.floor.register_link(id, &link) {
            self.floor.tell(id, |caller| Note::Trouble(caller, &error));
            return self.remove(id, None);
        }
        let arriving = Arriving {
            link,
            manner,
            until: now + self.floor.settings.patience,
        };
        self.arriving.insert(id, arriving);
        self.floor.agenda.wake(id);
    }

    /// One turn for everybody who is in line now; who is woken meanwhile comes after the next poll.
    fn take_turns(&mut self, now: Instant, audience: &mut dyn Audience) -> io::Result<()> {
        for _ in 0..self.floor.agenda.waiting() {
            let Some(id) = self.floor.agenda.next() else {
                break;
            };
            let next = match self.arriving.remove(&id) {
                Some(arriving) => self.arrive(now, id, arriving, audience),
                None if id == STDIO || self.floor.callers.contains_key(&id) => {
                    Some(audience.turn(&mut self.floor, now, id)?)
                }
                None => None,
            };
            match next {
                Some(next) => self.follow(id, next),
                None => self.remove(id, None),
            }
        }
        Ok(())
    }

    /// TLS, one step further. `None`: it will not stand.
    fn arrive(
        &mut self,
        now: Instant,
        id: u64,
        mut arriving: Arriving,
        audience: &mut dyn Audience,
    ) -> Option<Next> {
        let floor = &mut self.floor;
        let error = match arriving.link.shake_hands(&mut floor.scratch) {
            Ok(Handshake::Waits) if arriving.until > now => {
                let until = arriving.until;
                self.arriving.insert(id, arriving);
                return Some(Next::Wait(Some(until)));
            }
            Ok(Handshake::Waits) => HandshakeError::TimedOut,
            Ok(Handshake::Over) => {
                let Arriving { link, manner, .. } = arriving;
                if let Some(tls) = link.tls() {
                    floor.tell(id, |caller| Note::Secured(caller, tls));
                }
                floor.deregister_link(&link);
                return Some(audience.welcome(floor, now, id, link, manner));
            }
            Err(error) => error,
        };
        floor.tell(id, |caller| Note::NotSecured(caller, &error));
        None
    }

    fn follow(&mut self, id: u64, next: Next) {
        match next {
            Next::Again => self.floor.agenda.wake(id),
            Next::Wait(Some(due)) => self.floor.agenda.arm(id, due),
            Next::Wait(None) => {}
            Next::Gone(report) => self.remove(id, Some(report)),
        }
    }

    fn remove(&mut self, id: u64, report: Option<Report>) {
        let Some(caller) = self.floor.callers.remove(&id) else {
            return;
        };
        if let Some(report) = report {
            let notes = &mut self.floor.settings.notes;
            notes.note(&Note::Left(&caller, report));
        }
        self.numbers.give_back(caller.number);
        self.floor.agenda.forget(id);
        // A descriptor is free.
        self.paused = None;
    }
}

impl Floor {
    fn register_link(&self, id: u64, link: &Link) -> io::Result<()> {
        self.registry.register(
            &mut SourceFd(&link.socket().as_raw_fd()),
            token(id, Part::Link),
            Interest::READABLE | Interest::WRITABLE,
        )
    }

    /// It may be registered anew by somebody else.
    fn deregister_link(&self, link: &Link) {
        let socket = link.socket().as_raw_fd();
        // It was registered, so this cannot fail.
        let _ = self.registry.deregister(&mut SourceFd(&socket));
    }

    fn tell<'a>(&'a mut self, id: u64, note: impl FnOnce(&'a Caller) -> Note<'a>) {
        if let Some(caller) = self.callers.get(&id) {
            self.settings.notes.note(&note(caller));
        }
    }

    /// How it went with a caller who leaves.
    fn report(&self, now: Instant, id: u64, outcome: Outcome, sent: u64, received: u64) -> Report {
        let since = self.callers.get(&id).map_or(now, |caller| caller.since);
        Report {
            outcome,
            sent,
            received,
            duration: now.saturating_duration_since(since),
        }
    }
}

impl fmt::Debug for Hall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Hall")
            .field("settings", &self.floor.settings)
            .field("callers", &self.floor.callers)
            .finish_non_exhaustive()
    }
}

/// Numbers as the kernel gives them to descriptors: always the lowest that is free.
struct Numbers {
    free: BinaryHeap<Reverse<usize>>,
    /// This one and all above it are free.
    next: usize,
}

impl Numbers {
    /// Behind stdin, stdout, stderr and so many doors.
    const fn behind(doors: usize) -> Self {
        Self {
            free: BinaryHeap::new(),
            next: 3 + doors,
        }
    }

    fn lowest(&self) -> usize {
        self.free
            .peek()
            .map_or(self.next, |Reverse(number)| *number)
    }

    /// Takes what [`Self::lowest`] said.
    fn take(&mut self, number: usize) {
        match self.free.peek() {
            Some(Reverse(lowest)) if *lowest == number => {
                self.free.pop();
            }
            _ => self.next = number + 1,
        }
    }

    fn give_back(&mut self, number: usize) {
        self.free.push(Reverse(number));
    }
}
