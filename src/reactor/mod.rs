//! The event loop: the only sockets, the only clock, the only TLS calls.
//!
//! ```text
//!  listeners --accept--> Conn <--bytes--> socket            doors.rs, conn.rs, socket.rs, tls.rs
//!                         |  ^
//!                   bytes |  | answers, Changed, Stop
//!                         v  |
//!                       Session --job--> Pool --letter--> LetterBox --wakes--> the loop      pool.rs
//!
//!  Driver --orders--> places --dialled--> Conn, and a Session of the driver's    driver.rs, outgoing.rs, calls.rs
//!     ^---- events, what the DNS knows, what jobs brought                        lookup.rs
//! ```
//!
//! One turn of the loop: wait for the poll, until the next timer at the latest; note what is ready; read the letters; give every
//! connection that has something to do one turn of bounded length. Whoever is not done has another turn after all others, so
//! no connection starves another. A [`client`], whose way to its server is [`reach`]'s, and a [`typist`] have the same connections in loops of
//! their own; [`load`] is a driver.
//!
//! What it keeps:
//! - a token is never used twice, so what comes too late for a connection finds nobody;
//! - without file descriptors it stops accepting, says so once, and goes on when there are some again;
//! - nothing of a loop is global, so that a program may run several over one store; a terminal is, for there is but one (`terminal.rs`).

mod calls;
pub mod certs;
pub mod child;
pub mod client;
mod conn;
pub mod courier;
mod descriptors;
mod doors;
pub mod driver;
mod gather;
pub mod hall;
mod limiter;
pub mod load;
pub mod lookup;
pub mod meter;
pub mod outgoing;
mod pool;
pub mod prelude;
mod question;
pub mod reach;
pub mod relay;
pub mod resolver;
pub mod scan;
mod signals;
mod socket;
pub mod sockets;
pub mod stdio;
mod terminal;
#[cfg(test)]
mod tests;
mod timers;
mod tls;
mod trouble;
pub mod typist;
mod watch;

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use ring::rand::{SecureRandom, SystemRandom};

use self::calls::{Brought, Calls, Origin, Work};
use self::conn::{Conn, Next, Scratch};
use self::descriptors::raise_descriptor_limit;
use self::doors::{Listener, Unheaded};
use self::driver::Driver;
use self::limiter::Limiter;
use self::lookup::{Lookups, Resolving};
use self::pool::{Letter, LetterBox, Pool};
use self::signals::{Asked, Signals};
use self::timers::Timers;
use self::trouble::Trouble;
pub use self::trouble::reason;
use crate::limits;
use crate::proto::smtp;
use crate::proto::{Answer, Job, Peer, Session};
use crate::store::Store;
use crate::tap::{Tap, Wire};
use crate::wire::fault::Showing;
use crate::wire::network::Network;

pub use self::tls::{
    Acceptor, CertificateFault, Ciphers, ClientCertificates, ClientTls, Connector, Identity,
    ServerTls, TlsError, Trust, certificate_of,
};

/// Makes the tap of a connection, given who it is and the name of the service.
pub type TapFactory = dyn Fn(&Peer, &str) -> Option<Box<dyn Tap>>;

/// Makes what sees the octets on a connection's socket, given who it is and the name of the service.
pub type WireFactory = dyn Fn(&Peer, &str) -> Option<Box<dyn Wire>>;

/// Makes what a server starts TLS with when something is to go wrong.
pub type FaultyTls = dyn Fn(Showing) -> Result<Acceptor, TlsError>;

/// What can be set about a [`Reactor`].
pub struct Options {
    /// Connections at the same time; file descriptors may allow fewer.
    pub connections: usize,
    /// Connections at the same time from one address. Loopback is exempt: everything on this machine comes from there.
    pub connections_per_address: usize,
    /// Proxies, which come for many others: they are exempt too.
    pub proxies: Vec<Network>,
    /// Those of them that say in a header before anything else, TLS too, whose connection it is.
    pub headed: Vec<Network>,
    /// For implicit TLS, and for sessions that wish STARTTLS.
    pub tls: Option<Acceptor>,
    /// What a session that shows itself otherwise starts TLS with; made when it is first asked for.
    pub faulty_tls: Option<Box<FaultyTls>>,
    /// Taps for connections.
    pub tap: Option<Box<TapFactory>>,
    /// Taps for their sockets.
    pub wire: Option<Box<WireFactory>>,
    /// Connections that a [`Driver`] has opened, at the same time.
    pub outgoing: usize,
    /// How its resolver works.
    pub resolving: Resolving,
    /// How long sessions may finish what they are in the middle of when the program stops.
    pub stop_grace: Duration,
    /// The number of the first connection: for several loops in one program, whose numbers are not to be mixed up.
    pub first_token: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: limits::CONNECTIONS,
            connections_per_address: limits::CONNECTIONS_PER_ADDRESS,
            proxies: Vec::new(),
            headed: Vec::new(),
            tls: None,
            faulty_tls: None,
            tap: None,
            wire: None,
            outgoing: limits::OUTGOING,
            resolving: Resolving::default(),
            stop_grace: limits::STOP_GRACE,
            first_token: 1,
        }
    }
}

/// How connections of a listener begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// In the clear; the session may wish STARTTLS.
    Plain,
    /// With TLS (RFC 8314 §3).
    Implicit,
}

/// What SIGHUP calls: a new certificate for connections from now on, if there is one.
pub type Reload = Box<dyn FnMut() -> Option<Acceptor>>;

/// Listeners, connections, and the loop that serves them.
pub struct Reactor {
    poll: Poll,
    options: Options,
    listeners: Vec<Listener>,
    /// Boxed: a map keeps room for more than it has.
    slots: HashMap<u64, Box<Slot>>,
    /// Tokens of connections that have something to do, each once.
    ready: VecDeque<u64>,
    timers: Timers,
    limiter: Limiter,
    /// Connections of which a load balancer has not said yet whose they are.
    unheaded: HashMap<u64, Unheaded>,
    pool: Pool<Work, Brought>,
    letters: Arc<LetterBox<Brought>>,
    scratch: Scratch,
    signals: Option<(Signals, Reload)>,
    next_token: u64,
    stage: Stage,
    /// There are no file descriptors left: until when accepting pauses.
    paused: Option<Instant>,
    /// When that was last logged.
    complained: Option<Instant>,
    calls: Calls,
    /// What [`Options::faulty_tls`] has made so far.
    faulty: Vec<(Showing, Acceptor)>,
}

/// A connection, its session, and what the loop knows about it.
struct Slot {
    conn: Conn,
    /// Dropped as soon as it has said its last word, with all that it locks.
    session: Option<Box<dyn Session>>,
    service: &'static str,
    remote: Option<SocketAddr>,
    origin: Origin,
    /// Whether its token is in `ready`.
    queued: bool,
    /// The earliest timer that is set for it.
    armed: Option<Instant>,
}

/// Who watches a connection.
type Observers = (Option<Box<dyn Tap>>, Option<Box<dyn Wire>>);

enum Stage {
    Serving,
    /// Whoever is in the middle of something may finish it.
    Stopping {
        until: Instant,
    },
    /// Whoever has not finished it is told that it is over.
    Goodbye {
        until: Instant,
    },
    Stopped,
}

/// Reaches a running reactor from another thread.
#[derive(Clone)]
pub struct Handle(Arc<LetterBox<Brought>>);

impl Handle {
    /// Stops it gracefully; called again, at once.
    pub fn stop(&self) {
        self.0.post(Letter::Stop);
    }

    /// Tells the driver [`Event::Wake`](driver::Event::Wake).
    pub fn wake(&self) {
        self.0.post(Letter::Wake);
    }
}

impl Reactor {
    /// A reactor whose sessions have their jobs done on `store`. Raises the limit of open files to what is allowed.
    ///
    /// # Errors
    /// The system has no poll or no file descriptors for it.
    pub fn new(options: Options, store: Arc<Store>) -> io::Result<Self> {
        let worker = Arc::clone(&store);
        let reactor = Self::with_worker(options, Box::new(move |job| job.run(&worker)))?;
        let letters = Arc::clone(&reactor.letters);
        store
            .hub()
            .set_waker(Box::new(move |token| letters.post(Letter::Changed(token))));
        Ok(reactor)
    }

    /// One for calls only, of sessions that ask for no jobs.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn without_store(options: Options) -> io::Result<Self> {
        let none = |_| Answer::Smtp(smtp::Answer::Found(smtp::SenderDomain::TakesMail));
        Self::with_worker(options, Box::new(none))
    }

    /// The same with any other way to have jobs done.
    fn with_worker(
        mut options: Options,
        worker: Box<dyn Fn(Job) -> Answer + Send + Sync>,
    ) -> io::Result<Self> {
        let descriptors = raise_descriptor_limit();
        let spare = limits::SPARE_DESCRIPTORS + limits::REFUSALS + options.outgoing;
        let spare = spare.min(descriptors / 2);
        options.connections = options.connections.min(descriptors - spare);
        let poll = Poll::new()?;
        let waker = mio::Waker::new(poll.registry(), WAKER)?;
        let letters = Arc::new(LetterBox::new(waker));
        let calls = Calls::new(Lookups::new(options.resolving.clone()));
        let worker = Box::new(move |work| match work {
            Work::Session(job) => Brought::Answer(worker(job)),
            Work::Errand(errand) => Brought::Result(errand()),
        });
        Ok(Self {
            poll,
            limiter: Limiter::new(
                options.connections,
                options.connections_per_address,
                options.proxies.clone(),
            ),
            next_token: options.first_token.clamp(1, 1 << 32),
            options,
            listeners: Vec::new(),
            slots: HashMap::new(),
            ready: VecDeque::new(),
            timers: Timers::default(),
            unheaded: HashMap::new(),
            pool: Pool::new(worker, Arc::clone(&letters)),
            letters,
            scratch: Scratch::new(),
            signals: None,
            stage: Stage::Serving,
            paused: None,
            complained: None,
            calls,
            faulty: Vec::new(),
        })
    }

    /// Catches SIGINT and SIGTERM to stop gracefully, the second one at once; and SIGHUP to call `reload`.
    ///
    /// # Errors
    /// The system's.
    pub fn catch_signals(&mut self, reload: Reload) -> io::Result<()> {
        let signals = Signals::catch(self.poll.registry(), SIGNALS)?;
        self.signals = Some((signals, reload));
        Ok(())
    }

    /// Has `driver` decide whom to call. One for each reactor.
    pub fn drive(&mut self, driver: Box<dyn Driver>) {
        self.calls.driver = Some(driver);
    }

    /// A way to stop it from another thread.
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.letters))
    }

    /// Serves until it is told to stop, and everybody has had a last word.
    ///
    /// # Errors
    /// The poll's: a bug, or a system in a bad way. Errors of one connection end that connection only.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        self.calls.start();
        while !self.is_done() {
            let wait = self.wait(Instant::now());
            match self.poll.poll(&mut events, wait) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            }
            let now = Instant::now();
            for event in &events {
                self.notice(event, now);
            }
            self.expire(now);
            self.accept(now);
            self.take_turns(now);
            self.drive_on(now);
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        match self.stage {
            Stage::Serving => false,
            Stage::Stopping { .. } | Stage::Goodbye { .. } => {
                self.slots.is_empty() && self.calls.is_quiet()
            }
            Stage::Stopped => true,
        }
    }

    /// How long the poll may wait.
    fn wait(&self, now: Instant) -> Option<Duration> {
        let waiting = self.listeners.iter().any(|listener| listener.ready);
        let can_accept = waiting && self.paused.is_none();
        if can_accept || !self.ready.is_empty() || self.calls.is_pressing() {
            return Some(Duration::ZERO);
        }
        let until = match self.stage {
            Stage::Stopping { until } | Stage::Goodbye { until } => Some(until),
            _ => self.paused,
        };
        let calls = self.calls.next_due();
        let due = self.timers.next_due().into_iter();
        let due = due.chain(until).chain(calls).min()?;
        // epoll counts in milliseconds, mio rounds up: never woken too early.
        Some(due.saturating_duration_since(now))
    }

    fn notice(&mut self, event: &mio::event::Event, now: Instant) {
        match event.token() {
            WAKER => self.read_letters(now),
            SIGNALS => self.obey_signals(now),
            Token(token) if token >= LISTENERS => {
                if let Some(listener) = self.listeners.get_mut(token - LISTENERS) {
                    listener.ready = true;
                }
            }
            Token(token) if self.slots.contains_key(&(token as u64)) => {
                self.rouse(token as u64, |conn| conn.ready(event));
            }
            Token(token) => self.notice_call(token as u64, now),
        }
    }

    /// Tells a connection something, and gives it a turn.
    fn rouse(&mut self, token: u64, tell: impl FnOnce(&mut Conn)) {
        let Some(slot) = self.slots.get_mut(&token) else {
            return;
        };
        tell(&mut slot.conn);
        if !std::mem::replace(&mut slot.queued, true) {
            self.ready.push_back(token);
        }
    }

    fn read_letters(&mut self, now: Instant) {
        for letter in self.letters.take() {
            match letter {
                Letter::Done(token, brought) => {
                    if let Some(word) = self.calls.take_job(token) {
                        self.calls.done(word, brought);
                        continue;
                    }
                    let answer = match brought {
                        Some(Brought::Answer(answer)) => Some(answer),
                        _ => None,
                    };
                    self.rouse(token, |conn| conn.answer(answer));
                }
                Letter::Changed(token) => self.rouse(token, Conn::changed),
                Letter::Stop => self.stop(now),
                Letter::Wake => self.calls.wake(),
            }
        }
    }

    fn obey_signals(&mut self, now: Instant) {
        let Some((signals, reload)) = &mut self.signals else {
            return;
        };
        let mut stops = 0;
        for asked in signals.asked() {
            match asked {
                Asked::Stop => stops += 1,
                Asked::Reload => {
                    if let Some(tls) = reload() {
                        self.options.tls = Some(tls);
                    }
                }
            }
        }
        for _ in 0..stops {
            self.stop(now);
        }
    }

    /// The first time: closes the doors and has everybody say goodbye. The second time: at once.
    fn stop(&mut self, now: Instant) {
        if !matches!(self.stage, Stage::Serving) {
            self.stage = Stage::Stopped;
            return self.pool.abandon();
        }
        log::info!("stopping: {} connections to close", self.slots.len());
        self.stage = Stage::Stopping {
            until: now + self.options.stop_grace,
        };
        self.listeners.clear();
        self.ask_to_stop();
        self.stop_calls();
    }

    fn ask_to_stop(&mut self) {
        let tokens: Vec<u64> = self.slots.keys().copied().collect();
        for token in tokens {
            self.rouse(token, Conn::stop);
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some((due, token)) = self.timers.expired(now) {
            let Some(slot) = self.slots.get_mut(&token) else {
                continue;
            };
            if slot.armed != Some(due) {
                continue;
            }
            slot.armed = None;
            match slot.conn.due(slot.session.as_deref()) {
                Some(due) if due <= now => {
                    let session = slot.session.as_deref_mut();
                    slot.conn.expire(session.map(|s| s as _), now);
                    self.rouse(token, |_| {});
                }
                due => self.arm(token, due),
            }
        }
        match self.stage {
            Stage::Stopping { until } if until <= now => {
                log::warn!("{} connections did not end in time", self.slots.len());
                let until = now + limits::STOP_GOODBYE;
                self.stage = Stage::Goodbye { until };
                self.ask_to_stop();
            }
            Stage::Goodbye { until } if until <= now => self.stage = Stage::Stopped,
            _ => {}
        }
    }

    /// Sets a timer for a connection, unless an earlier one will look at it anyway.
    fn arm(&mut self, token: u64, due: Option<Instant>) {
        let (Some(due), Some(slot)) = (due, self.slots.get_mut(&token)) else {
            return;
        };
        if slot.armed.is_none_or(|armed| due < armed) {
            slot.armed = Some(due);
            self.timers.set(due, token);
            let slots = &self.slots;
            self.timers.sweep(slots.len(), |due, token| {
                slots
                    .get(&token)
                    .is_some_and(|slot| slot.armed == Some(due))
            });
        }
    }

    /// Who watches a connection.
    fn observers(&self, peer: &Peer, service: &str) -> Observers {
        let tap = self.options.tap.as_ref();
        let wire = self.options.wire.as_ref();
        (
            tap.and_then(|tap| tap(peer, service)),
            wire.and_then(|wire| wire(peer, service)),
        )
    }

    /// One that was never used.
    const fn take_token(&mut self) -> u64 {
        let token = self.next_token;
        self.next_token += 1;
        token
    }

    /// One turn for everybody who is ready now; who becomes ready meanwhile comes after the next poll.
    fn take_turns(&mut self, now: Instant) {
        for _ in 0..self.ready.len() {
            let Some(token) = self.ready.pop_front() else {
                return;
            };
            self.take_turn(token, now);
        }
    }

    fn take_turn(&mut self, token: u64, now: Instant) {
        let Some(slot) = self.slots.get_mut(&token) else {
            return;
        };
        slot.queued = false;
        let session = slot.session.as_deref_mut();
        let next = slot
            .conn
            .turn(session.map(|s| s as _), now, &mut self.scratch);
        if !slot.conn.is_talking() {
            slot.session = None;
        }
        let mut sought = None;
        match slot.conn.take_job() {
            None => {}
            Some(Job::Smtp(smtp::Job::Find(domain))) => sought = Some(domain),
            Some(job) => {
                if let Err(error) = self.pool.submit(token, job.takes(), Work::Session(job)) {
                    log::error!("session {token}: no thread for its job: {error}");
                    slot.conn.answer(None);
                }
            }
        }
        if slot.conn.take_news()
            && let Origin::Called(called) = &slot.origin
        {
            self.calls.news(called);
        }
        match next {
            Next::Gone => return self.remove(token),
            Next::Again => self.rouse(token, |_| {}),
            Next::StartTls => {
                if let Origin::Called(called) = &slot.origin {
                    called.start_tls(&mut slot.conn, now);
                } else if let Some(mut slot) = self.slots.remove(&token) {
                    self.start_tls(&mut slot, now);
                    self.slots.insert(token, slot);
                }
                self.rouse(token, |_| {});
            }
            Next::Headed(header) => self.headed(token, &header, now),
            Next::Wait => {}
        }
        if let Some(domain) = sought {
            self.find(token, domain, now);
        }
        let Some(slot) = self.slots.get(&token) else {
            return;
        };
        let due = slot.conn.due(slot.session.as_deref());
        self.arm(token, due);
    }

    /// Starts TLS on a connection that came, as its session shows itself.
    fn start_tls(&mut self, slot: &mut Slot, now: Instant) {
        let mut showing = Showing::Itself;
        if let Some(session) = &mut slot.session {
            slot.conn
                .speak(now, |out| showing = session.showing(now, out));
        }
        let tls = match showing {
            Showing::Itself => match &self.options.tls {
                Some(acceptor) => acceptor.accept(),
                None => Err(TlsError::Pem(
                    "TLS was wished, but there is no certificate".to_owned(),
                )),
            },
            other => self.faulty(other).and_then(|acceptor| acceptor.accept()),
        };
        match tls {
            Ok(tls) => slot.conn.start_tls(tls, now),
            Err(error) => slot.conn.refuse_tls(error),
        }
    }

    /// With what TLS is started when something is to go wrong.
    fn faulty(&mut self, showing: Showing) -> Result<Acceptor, TlsError> {
        let mut known = self.faulty.iter();
        if let Some((_, acceptor)) = known.find(|(known, _)| *known == showing) {
            return Ok(acceptor.clone());
        }
        let acceptor = match &self.options.faulty_tls {
            Some(make) => make(showing)?,
            None => Acceptor::failing()?,
        };
        self.faulty.push((showing, acceptor.clone()));
        Ok(acceptor)
    }

    fn remove(&mut self, token: u64) {
        let Some(mut slot) = self.slots.remove(&token) else {
            return;
        };
        self.unheaded.remove(&token);
        let trouble = slot.conn.take_trouble();
        if let Some(trouble) = &trouble {
            report(token, &slot, trouble);
            slot.conn.note_trouble(trouble);
        }
        // What it says as its last goes into the driver's hands before it is told.
        slot.session = None;
        match slot.origin {
            Origin::Came(admission) => self.limiter.leave(admission),
            Origin::Called(called) => self.calls.ended(&called, trouble),
        }
        self.paused = None;
        // Closing the socket takes it out of the poll.
    }
}

fn report(token: u64, slot: &Slot, trouble: &Trouble) {
    let service = slot.service;
    let remote = slot
        .remote
        .map_or_else(|| "a UNIX socket".to_owned(), |remote| remote.to_string());
    match trouble {
        // Peers go away all the time.
        Trouble::Io(error) => log::debug!("{service} session {token}, {remote}: {error}"),
        Trouble::NoAnswer | Trouble::Shortened => {
            log::error!("{service} session {token}, {remote}: {trouble}");
        }
        trouble => log::info!("{service} session {token}, {remote}: {trouble}"),
    }
}

/// What [`Peer::seed`] is: from the system.
pub fn seed() -> [u8; 16] {
    let mut seed = [0; 16];
    if SystemRandom::new().fill(&mut seed).is_err() {
        log::error!(
            "the system has no random octets: logins with CRAM-MD5 and SCRAM can be replayed"
        );
    }
    seed
}

/// Thirty-two hexadecimal digits that nobody can foresee: our half of what is hashed with a password.
pub fn nonce() -> String {
    // The standard library keys its hash maps from the kernel's random numbers: a hash under a fresh key cannot be guessed.
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}

/// Tokens of connections count up from 1; these stand above all of them.
const LISTENERS: usize = 1 << 62;
const WAKER: Token = Token(usize::MAX - 1);
const SIGNALS: Token = Token(usize::MAX - 2);
