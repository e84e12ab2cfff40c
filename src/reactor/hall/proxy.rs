//! A proxy: each caller says where to, and is then joined to it: `-l --proxy-type`.
//!
//! | stage | | then |
//! |---|---|---|
//! | asking | what comes is for the [`ProxyServer`]; it has [`Settings::patience`](super::Settings::patience) | looking up, or refusing |
//! | looking up | a thread asks the resolver, which blocks | dialling, or refusing |
//! | dialling | one address after the other, each for [`limits::HALL_DIAL`] | answering, or refusing |
//! | answering | the reply is on its way | joined |
//! | joined | a [`Pair`] | gone |
//! | refusing | the reply is on its way, and the caller is given [`limits::LINGER`] to read it | gone |
//!
//! What may be asked for is the user's to say: of each destination as it was asked for, and of each address of a name before it
//! is dialled, so that no name gets around a rule about addresses.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use mio::Interest;
use mio::unix::SourceFd;
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};

use super::pair::{Pair, Went};
use super::{Audience, Floor, Found, Next, Note, Part, token};
use crate::limits;
use crate::proto::Takes;
use crate::proto::proxy::server::{Asked, ProxyFault, ProxyServer};
use crate::proto::proxy::{Destination, Host};
use crate::proto::raw::Outcome;
use crate::reactor::pool::Pool;
use crate::reactor::relay::{Discarded, Link, Manner, is_broken};
use crate::reactor::resolver::{self, Family, ResolveError};
use crate::reactor::stdio::{Input, Output};

/// A proxy for each caller.
pub struct Proxy {
    machine: Box<dyn FnMut() -> ProxyServer>,
    allows: Box<dyn Fn(&Destination) -> bool>,
    family: Family,
    clients: HashMap<u64, Client>,
    /// Threads, once there is something to look up.
    lookups: Option<Pool<Lookup, Found>>,
}

struct Lookup {
    name: String,
    port: u16,
    family: Family,
}

enum Client {
    Fronted(Box<Front>, Stage),
    Joined(Box<Pair>),
}

/// A caller that is not joined yet.
struct Front {
    link: Link,
    manner: Manner,
    machine: ProxyServer,
    /// On its way to the caller.
    out: Vec<u8>,
    /// What goes to the destination first.
    rest: Vec<u8>,
    can_receive: bool,
    can_send: bool,
    /// The caller is gone for good.
    is_lost: bool,
}

enum Stage {
    Asking {
        until: Instant,
    },
    LookingUp {
        destination: Destination,
        /// `Some(None)`: the lookup failed by a bug.
        found: Option<Option<Found>>,
    },
    Dialling(Dial),
    Answering {
        upstream: Socket,
        until: Instant,
    },
    Refusing {
        until: Instant,
    },
}

/// Connecting to a destination.
struct Dial {
    destination: Destination,
    /// Its addresses that were not tried yet.
    left: VecDeque<SocketAddr>,
    /// To this one, until then.
    current: Option<(Socket, SocketAddr, Instant)>,
    /// An event came for it.
    is_told: bool,
    /// Why the last one failed.
    fault: ProxyFault,
}

/// What follows from a step of a caller.
enum Step {
    /// Another one, at once.
    On(Stage),
    Wait(Stage, Option<Instant>),
    Join(Socket),
    Gone(Outcome),
}

impl Proxy {
    /// A proxy that has a `machine` for each caller, and connects to what `allows` says yes to, over addresses of `family`.
    pub fn new(
        machine: impl FnMut() -> ProxyServer + 'static,
        allows: impl Fn(&Destination) -> bool + 'static,
        family: Family,
    ) -> Self {
        Self {
            machine: Box::new(machine),
            allows: Box::new(allows),
            family,
            clients: HashMap::new(),
            lookups: None,
        }
    }

    fn step(
        &mut self,
        floor: &mut Floor,
        now: Instant,
        id: u64,
        front: &mut Front,
        stage: Stage,
    ) -> Step {
        if front.send().is_err() || front.is_lost && !matches!(stage, Stage::Asking { .. }) {
            return Step::Gone(Outcome::Broken);
        }
        match stage {
            Stage::Asking { until } if until <= now => {
                let why = "it took too long to say where to";
                floor.tell(id, |caller| Note::NotJoined(caller, why));
                Step::Gone(Outcome::Broken)
            }
            Stage::Asking { until } => self.ask(floor, now, id, front, until),
            Stage::LookingUp {
                destination,
                found: None,
            } => Step::Wait(
                Stage::LookingUp {
                    destination,
                    found: None,
                },
                None,
            ),
            Stage::LookingUp {
                destination,
                found: Some(found),
            } => match found.unwrap_or(Err(ResolveError::Temporary)) {
                Ok(addresses) => Step::On(Stage::Dialling(Dial {
                    destination,
                    left: addresses.into(),
                    current: None,
                    is_told: false,
                    fault: ProxyFault::UnknownName,
                })),
                Err(_) => refuse(floor, now, id, front, ProxyFault::UnknownName),
            },
            Stage::Dialling(dial) => self.dial(floor, now, id, front, dial),
            Stage::Answering { upstream, until } => match front.has_sent_all() {
                true => Step::Join(upstream),
                false if until <= now => Step::Gone(Outcome::Broken),
                false => Step::Wait(Stage::Answering { upstream, until }, Some(until)),
            },
            Stage::Refusing { until } => {
                if front.has_sent_all() {
                    front.link.half_close();
                    if front.link.discard(&mut floor.scratch) == Discarded::End {
                        return Step::Gone(Outcome::Done);
                    }
                }
                match until <= now {
                    true => Step::Gone(Outcome::Done),
                    false => Step::Wait(Stage::Refusing { until }, Some(until)),
                }
            }
        }
    }

    /// What the caller says goes to its machine.
    fn ask(
        &mut self,
        floor: &mut Floor,
        now: Instant,
        id: u64,
        front: &mut Front,
        until: Instant,
    ) -> Step {
        let asking = Stage::Asking { until };
        if !front.can_receive && !front.link.holds_octets() || !front.has_sent_all() {
            return Step::Wait(asking, Some(until));
        }
        floor.heard.clear();
        floor.heard.reserve(limits::PROXY_HEAD);
        match front.link.receive(&mut floor.heard, &mut floor.scratch) {
            Ok(0) => return Step::Gone(Outcome::Done),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                front.can_receive = false;
                return Step::Wait(asking, Some(until));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Step::On(asking),
            Err(error) => {
                if !is_broken(&error) {
                    floor.tell(id, |caller| Note::Trouble(caller, &error));
                }
                return Step::Gone(Outcome::Broken);
            }
        }
        match front.machine.hear(&floor.heard, &mut front.out) {
            Asked::More => Step::On(asking),
            Asked::Close => give_up(floor, now, id, front),
            Asked::Connect {
                destination,
                used,
                first_words,
                body,
            } => {
                front.manner.body = body.map(|body| body.behind(first_words.len()));
                front.rest = first_words;
                front.rest.extend_from_slice(&floor.heard[used..]);
                self.find(floor, now, id, front, destination)
            }
        }
    }

    fn find(
        &mut self,
        floor: &mut Floor,
        now: Instant,
        id: u64,
        front: &mut Front,
        destination: Destination,
    ) -> Step {
        if !(self.allows)(&destination) {
            return refuse(floor, now, id, front, ProxyFault::NotAllowed);
        }
        let (port, family) = (destination.port, self.family);
        let name = destination.host.to_string();
        let found = match destination.host {
            Host::Address(_) => Some(resolver::numeric(&name, port, family)),
            // `127.1` is no name, either.
            Host::Name(_) => resolver::numeric(&name, port, family).ok().map(Ok),
        };
        if let Some(found) = found {
            let found = Some(Some(found.map(|address| vec![address])));
            return Step::On(Stage::LookingUp { destination, found });
        }
        let letters = &floor.letters;
        let lookups = self.lookups.get_or_insert_with(|| {
            let work = |lookup: Lookup| resolver::resolve(&lookup.name, lookup.port, lookup.family);
            Pool::new(Box::new(work), Arc::clone(letters))
        });
        let lookup = Lookup { name, port, family };
        if lookups.submit(id, Takes::Disk, lookup).is_err() {
            return refuse(floor, now, id, front, ProxyFault::Other);
        }
        let found = None;
        Step::Wait(Stage::LookingUp { destination, found }, None)
    }

    fn dial(
        &self,
        floor: &mut Floor,
        now: Instant,
        id: u64,
        front: &mut Front,
        mut dial: Dial,
    ) -> Step {
        loop {
            let Some((socket, address, until)) = dial.current.take() else {
                let Some(address) = dial.left.pop_front() else {
                    return refuse(floor, now, id, front, dial.fault);
                };
                // RFC 9110 §7.6: no request is passed on to ourselves. A tunnel is nobody's request but the caller's: as with ncat, it may.
                let called = floor.callers.get(&id).and_then(|caller| caller.local);
                let is_here = called.is_some_and(|called| {
                    (called.ip().to_canonical(), called.port()) == (address.ip(), address.port())
                });
                if is_here && front.manner.body.is_some()
                    || !(self.allows)(&Destination::from(address))
                {
                    dial.fault = ProxyFault::NotAllowed;
                    continue;
                }
                dial.is_told = false;
                match begin_to_connect(floor, id, address) {
                    Ok(socket) => {
                        dial.current = Some((socket, address, now + limits::HALL_DIAL));
                    }
                    Err(error) => dial.fault = error.kind().into(),
                }
                continue;
            };
            let connected = match dial.is_told {
                true => is_connected(&socket),
                false => Ok(false),
            };
            match connected {
                Ok(true) => {
                    deregister(floor, &socket);
                    let local = socket.local_addr().ok().and_then(|local| local.as_socket());
                    // It is a socket of the internet, so it has one.
                    let local = local.unwrap_or(address);
                    front.machine.connected(Ok(local), &mut front.out);
                    let destination = &dial.destination;
                    floor.tell(id, |caller| Note::Joined(caller, destination, address));
                    return Step::On(Stage::Answering {
                        upstream: socket,
                        until: now + floor.settings.patience,
                    });
                }
                Ok(false) if until > now => {
                    dial.is_told = false;
                    dial.current = Some((socket, address, until));
                    return Step::Wait(Stage::Dialling(dial), Some(until));
                }
                Ok(false) => dial.fault = ProxyFault::TimedOut,
                Err(error) => dial.fault = error.kind().into(),
            }
        }
    }

    /// A turn of a caller that is not joined yet.
    fn serve(
        &mut self,
        floor: &mut Floor,
        now: Instant,
        id: u64,
        mut front: Box<Front>,
        mut stage: Stage,
    ) -> Next {
        loop {
            match self.step(floor, now, id, &mut front, stage) {
                Step::On(next) => stage = next,
                Step::Wait(stage, due) => {
                    self.clients.insert(id, Client::Fronted(front, stage));
                    return Next::Wait(due);
                }
                Step::Join(upstream) => {
                    let joined = join(floor, now, id, *front, upstream);
                    return match joined {
                        Ok(pair) => {
                            self.clients.insert(id, Client::Joined(Box::new(pair)));
                            Next::Again
                        }
                        Err(error) => {
                            floor.tell(id, |caller| Note::Trouble(caller, &error));
                            Next::Gone(floor.report(now, id, Outcome::Broken, 0, 0))
                        }
                    };
                }
                Step::Gone(outcome) => {
                    return Next::Gone(floor.report(now, id, outcome, 0, 0));
                }
            }
        }
    }
}

/// Tells the caller that it will not be connected.
fn refuse(floor: &mut Floor, now: Instant, id: u64, front: &mut Front, fault: ProxyFault) -> Step {
    front.machine.connected(Err(fault), &mut front.out);
    give_up(floor, now, id, front)
}

/// The last words are in `out`.
fn give_up(floor: &mut Floor, now: Instant, id: u64, front: &Front) -> Step {
    let why = front.machine.complaint().unwrap_or("it was not asked for");
    floor.tell(id, |caller| Note::NotJoined(caller, why));
    let until = now + limits::LINGER;
    Step::On(Stage::Refusing { until })
}

fn begin_to_connect(floor: &Floor, id: u64, address: SocketAddr) -> io::Result<Socket> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    match socket.connect(&address.into()) {
        Err(error) if Errno::from_io_error(&error) != Some(Errno::INPROGRESS) => {
            return Err(error);
        }
        _ => {}
    }
    let source = &mut SourceFd(&socket.as_raw_fd());
    let token = token(id, Part::Output);
    floor.registry.register(source, token, Interest::WRITABLE)?;
    Ok(socket)
}

fn deregister(floor: &Floor, socket: &Socket) {
    // It was registered, so this cannot fail.
    let _ = floor
        .registry
        .deregister(&mut SourceFd(&socket.as_raw_fd()));
}

/// Whether it is connected by now.
fn is_connected(socket: &Socket) -> io::Result<bool> {
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    match socket.peer_addr() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}

fn join(floor: &Floor, now: Instant, id: u64, front: Front, upstream: Socket) -> io::Result<Pair> {
    upstream.set_tcp_nodelay(true)?;
    floor.deregister_link(&front.link);
    let upstream = OwnedFd::from(upstream);
    let input = Input::new(upstream.try_clone()?)?;
    let output = Output::new(upstream)?;
    let link = front.link.with_heard(front.rest);
    let options = floor.options().of_joined();
    let (ends, piece) = ((input, output), limits::HALL_BUFFER);
    let pair = Pair::new(now, link, ends, options, front.manner, piece);
    pair.register(floor, id)?;
    Ok(pair)
}

impl Front {
    /// Sends what there is room for.
    fn send(&mut self) -> io::Result<()> {
        while self.can_send && !self.has_sent_all() {
            let result = match self.out.is_empty() {
                true => self.link.flush().map(|()| 0),
                false => self.link.send(&self.out),
            };
            match result {
                Ok(sent) => {
                    self.out.drain(..sent);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.can_send = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn has_sent_all(&self) -> bool {
        self.out.is_empty() && !self.link.has_unsent()
    }
}

impl Audience for Proxy {
    fn welcome(
        &mut self,
        floor: &mut Floor,
        now: Instant,
        id: u64,
        link: Link,
        manner: Manner,
    ) -> Next {
        if let Err(error) = floor.register_link(id, &link) {
            floor.tell(id, |caller| Note::Trouble(caller, &error));
            return Next::Gone(floor.report(now, id, Outcome::Broken, 0, 0));
        }
        let front = Front {
            link,
            manner,
            machine: (self.machine)(),
            out: Vec::new(),
            rest: Vec::new(),
            can_receive: true,
            can_send: true,
            is_lost: false,
        };
        let until = now + floor.settings.patience;
        let client = Client::Fronted(Box::new(front), Stage::Asking { until });
        self.clients.insert(id, client);
        Next::Again
    }

    fn told(&mut self, id: u64, part: Part, event: &mio::event::Event) {
        match self.clients.get_mut(&id) {
            Some(Client::Joined(pair)) => pair.told(part, event),
            Some(Client::Fronted(_, Stage::Dialling(dial))) if part == Part::Output => {
                dial.is_told = true;
            }
            Some(Client::Fronted(front, _)) if part == Part::Link => {
                let in_trouble = event.is_error();
                let ends = event.is_read_closed() || in_trouble;
                front.can_receive |= event.is_readable() || ends;
                front.can_send |= event.is_writable() || event.is_write_closed() || in_trouble;
                front.is_lost |= in_trouble || event.is_read_closed() && event.is_write_closed();
            }
            Some(Client::Fronted(..)) | None => {}
        }
    }

    fn answered(&mut self, id: u64, answer: Option<Found>) {
        if let Some(Client::Fronted(_, Stage::LookingUp { found, .. })) = self.clients.get_mut(&id)
        {
            *found = Some(answer);
        }
    }

    fn turn(&mut self, floor: &mut Floor, now: Instant, id: u64) -> io::Result<Next> {
        let mut pair = match self.clients.remove(&id) {
            Some(Client::Joined(pair)) => pair,
            Some(Client::Fronted(front, stage)) => {
                return Ok(self.serve(floor, now, id, front, stage));
            }
            None => return Ok(Next::Wait(None)),
        };
        let next = match pair.turn(floor, now) {
            Went::Again => Next::Again,
            Went::Wait(due) => Next::Wait(due),
            Went::Over(report) => return Ok(Next::Gone(report)),
            Went::Failed(error) => {
                floor.tell(id, |caller| Note::Trouble(caller, &error));
                return Ok(Next::Gone(floor.report(now, id, Outcome::Broken, 0, 0)));
            }
        };
        self.clients.insert(id, Client::Joined(pair));
        Ok(next)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Nobody waits for what is still looked up.
        if let Some(lookups) = &mut self.lookups {
            lookups.abandon();
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Proxy")
            .field("family", &self.family)
            .finish_non_exhaustive()
    }
}
