//! The server: waits for a caller and serves it; with `-k` one after another, or many at once.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::SystemTime;

use rustix::io::Errno;
use socket2::{SockAddr, Socket};

use super::complaint::{Complaint, reason};
use super::dialect::Dialect;
use super::hops::nonce;
use super::options::{
    self, Carrier, Direction, Listen, Password, Place, ProxyServerKind, Service, Task,
};
use super::talk::LAST_WORDS;
use super::witnesses::{self, Among};
use super::words::{Handshake, Local, Note, Peer, UnixVerb, Words};
use super::{Netcat, eprint};
use crate::limits;
use crate::proto::TlsInfo;
use crate::proto::proxy::Login;
use crate::proto::proxy::server::{Kinds, ProxyServer};
use crate::proto::raw::{Crlf, Outcome, Pace, Role};
use crate::reactor::Acceptor;
use crate::reactor::child::Program;
use crate::reactor::hall::{self, Circle, Hall, Labels, Programs, Proxy, Speaker, Stdio};
use crate::reactor::relay::{Link, Manner};
use crate::reactor::resolver::Family;
use crate::reactor::sockets::{self, Callers, UnixKind, UnixName};
use crate::reactor::stdio::{Input, Output};
use crate::tap::Side;
use crate::tap::dump::Cutting;
use crate::wire::http_proxy::Nonces;

impl Netcat {
    /// Exit code 0 when the (last) conversation ended as it should.
    pub(super) fn listen(&mut self) -> Result<u8, Complaint> {
        let Task::Listen(listen) = self.options.task.clone() else {
            return Err(Complaint::Usage);
        };
        let acceptor = self.acceptor()?;
        if let Some(host) = listen
            .only_from
            .as_ref()
            .and_then(|only| only.address.as_ref())
        {
            self.resolve(host, 0)
                .map_err(|error| self.words.unresolved(host, 0, &error.to_string()))?;
        }
        let socket = self.open(&listen)?;
        let outcome = match self.options.carrier {
            Carrier::Udp | Carrier::UnixDatagram => self.hear(&listen, socket)?,
            _ if is_for_many(&listen) => self.entertain(&listen, socket, acceptor)?,
            // Who comes second is refused at once, rather than left to wait for what will not come.
            _ if listen.callers == options::Callers::One
                && self.options.dialect != Dialect::OpenBsd =>
            {
                let caller = self.next_caller(&listen, &socket)?;
                drop(socket);
                self.serve_caller(&listen, caller, acceptor.as_ref())?
            }
            _ => loop {
                let outcome = self.serve_next(&listen, &socket, acceptor.as_ref());
                if listen.callers == options::Callers::One {
                    break outcome?;
                }
                match outcome {
                    // Only a reader of stdout who has gone ends it for those who call later, too.
                    Ok(Outcome::Unheard) => break Outcome::Unheard,
                    Ok(_) => {}
                    Err(complaint) => eprint(&self.words.complaint(&complaint)),
                }
            },
        };
        Ok(u8::from(outcome != Outcome::Done))
    }

    /// Listens, at the first of the host's addresses that can be had.
    fn open(&self, listen: &Listen) -> Result<Socket, Complaint> {
        let callers = match listen.callers {
            options::Callers::One => Callers::One,
            options::Callers::InTurn | options::Callers::AtOnce { .. } => Callers::All,
        };
        let (host, port) = match &listen.at {
            Place::Unix(name) => return self.open_unix(name, callers),
            Place::Port { host, port } => (host.as_deref(), *port),
        };
        let everywhere: [SocketAddr; 2] = [
            (Ipv6Addr::UNSPECIFIED, port).into(),
            (Ipv4Addr::UNSPECIFIED, port).into(),
        ];
        let addresses = match (host, self.options.family, self.options.dialect) {
            (Some(host), _, _) => self
                .resolve(host, port)
                .map_err(|error| self.words.unresolved_here(host, &error.to_string()))?,
            (None, Family::V6, _) => everywhere[..1].to_vec(),
            // Linux's IPv6 sockets take IPv4 callers too.
            (None, Family::Any, Dialect::Ncat) => everywhere.to_vec(),
            (None, _, _) => everywhere[1..].to_vec(),
        };
        let settings = self.settings()?;
        let mut refused = Complaint::Usage;
        for address in addresses {
            match sockets::listen(address, self.ip_carrier(), callers, &settings) {
                Ok(socket) => {
                    let bound = socket.local_addr()?.as_socket().unwrap_or(address);
                    self.tell_place(bound, port == 0);
                    if host.is_none() && bound.is_ipv6() && self.options.family == Family::Any {
                        self.tell_place((Ipv4Addr::UNSPECIFIED, bound.port()).into(), false);
                    }
                    return Ok(socket);
                }
                Err(error) => refused = self.words.unbound(address, &reason(&error)),
            }
        }
        Err(refused)
    }

    /// Whoever lets the system choose a port is told which it is, asked or not.
    fn tell_place(&self, bound: SocketAddr, chosen: bool) {
        self.tell_nameless(bound);
        let name = self.name_of(bound);
        let local = Local::Port(self.peer(bound, &name));
        let note = match self.options.carrier {
            Carrier::Udp | Carrier::UnixDatagram => Note::Bound(local),
            _ => Note::Listening(local),
        };
        let words = Words {
            verbose: self.words.verbose.max(usize::from(chosen)),
            ..self.words.clone()
        };
        if let Some(text) = words.note(&note) {
            eprint(&text);
        }
    }

    fn open_unix(&self, name: &UnixName, callers: Callers) -> Result<Socket, Complaint> {
        let kind = match self.options.carrier {
            Carrier::UnixDatagram => UnixKind::Datagrams,
            _ => UnixKind::Stream,
        };
        let trouble = |error: &io::Error| {
            let why = reason(error);
            self.words.unix_trouble(name, UnixVerb::Listen, &why)
        };
        // Debian's nc replaces a socket that is there.
        if let (Dialect::Ncat, UnixName::Path(path)) = (self.options.dialect, name)
            && fs::symlink_metadata(path).is_ok()
        {
            return Err(trouble(&Errno::ADDRINUSE.into()));
        }
        let socket = sockets::listen_unix(name, kind, callers).map_err(|error| trouble(&error))?;
        if self.options.dialect == Dialect::OpenBsd || kind == UnixKind::Datagrams {
            self.tell(&Note::Bound(Local::Unix(name)));
        }
        if kind == UnixKind::Stream {
            self.tell(&Note::Listening(Local::Unix(name)));
        }
        Ok(socket)
    }

    /// The next caller who may come in, and what comes of it.
    fn serve_next(
        &mut self,
        listen: &Listen,
        listener: &Socket,
        acceptor: Option<&Acceptor>,
    ) -> Result<Outcome, Complaint> {
        let caller = self.next_caller(listen, listener)?;
        self.serve_caller(listen, caller, acceptor)
    }

    fn next_caller(&self, listen: &Listen, listener: &Socket) -> Result<Socket, Complaint> {
        loop {
            self.wait_for_call(listener)?;
            let (socket, caller) =
                sockets::accept(listener).map_err(|error| named("accept", &error))?;
            if self.admit(listen, &socket, &caller)? {
                return Ok(socket);
            }
        }
    }

    /// With -w netcat-traditional waits for a caller no longer than that.
    fn wait_for_call(&self, socket: &Socket) -> Result<(), Complaint> {
        match self.options.timing.connect {
            Some(patience)
                if self.options.dialect == Dialect::Traditional
                    && !sockets::is_called(socket, patience)? =>
            {
                Err(self.words.nobody_called())
            }
            _ => Ok(()),
        }
    }

    fn serve_caller(
        &mut self,
        listen: &Listen,
        socket: Socket,
        acceptor: Option<&Acceptor>,
    ) -> Result<Outcome, Complaint> {
        let (ours, theirs) = (local(&socket), remote(&socket));
        let carrier = self.options.carrier;
        let wire = self.witnesses.wire(carrier, theirs, ours, Among::Alone);
        let watched = |link: Link| match wire {
            Some(wire) => link.watched(wire, Side::Server),
            None => link,
        };
        let link = match acceptor {
            None => watched(Link::stream(socket)?),
            Some(acceptor) => {
                let link = Link::tls_server(socket, acceptor);
                let link = link.map_err(|error| self.tls_trouble("the caller", &error))?;
                let mut link = watched(link);
                self.shake_hands(&mut link, "the caller")?;
                link
            }
        };
        self.serve(listen, link)
    }

    fn serve(&mut self, listen: &Listen, link: Link) -> Result<Outcome, Complaint> {
        match &listen.service {
            Service::Run(program) => self.run_program(Role::Listen, program, link),
            _ => self.talk(Role::Listen, link),
        }
    }

    /// Tells of a caller, and whether it may come in.
    fn admit(
        &self,
        listen: &Listen,
        socket: &Socket,
        caller: &SockAddr,
    ) -> Result<bool, Complaint> {
        let Some(address) = caller.as_socket().map(canonical) else {
            if let Place::Unix(name) = &listen.at {
                self.tell(&Note::CalledAt(name));
            }
            return Ok(true);
        };
        if let Some(only) = &listen.only_from {
            self.is_the_one(only, address, local(socket))?;
        }
        self.tell_nameless(address);
        let name = self.name_of(address);
        self.tell(&Note::Called {
            by: self.peer(address, &name),
            at: local_to(socket, address),
            number: None,
        });
        let admitted = listen.access.admits(address.ip());
        if !admitted {
            self.tell(&Note::NotAllowed);
        }
        Ok(admitted)
    }

    /// netcat-traditional's operands behind -l: any other caller ends it.
    fn is_the_one(
        &self,
        only: &options::Source,
        caller: SocketAddr,
        here: Option<SocketAddr>,
    ) -> Result<(), Complaint> {
        let is_port = only.port == 0 || only.port == caller.port();
        let is_host = match &only.address {
            None => true,
            Some(host) => self
                .resolve(host, 0)
                .map_err(|error| self.words.unresolved(host, 0, &error.to_string()))?
                .iter()
                .any(|address| address.ip() == caller.ip()),
        };
        match is_port && is_host {
            true => Ok(()),
            false => {
                let name = self.name_of(caller);
                let by = self.peer(caller, &name);
                Err(self.words.wrong_caller(here, &by))
            }
        }
    }

    /// Datagrams: of the first who sends one; with -k of everybody.
    fn hear(&mut self, listen: &Listen, socket: Socket) -> Result<Outcome, Complaint> {
        if listen.callers != options::Callers::One && !matches!(listen.service, Service::Run(_)) {
            return self.talk(Role::Listen, Link::everybody(socket)?);
        }
        loop {
            // The one who is connected hears no others, so with -k there is a new socket for each.
            let socket = match listen.callers {
                options::Callers::One => socket.try_clone()?,
                _ => self.another(&socket)?,
            };
            self.wait_for_call(&socket)?;
            let caller =
                sockets::first_sender(&socket).map_err(|error| named("recvfrom", &error))?;
            if !self.admit(listen, &socket, &caller)? {
                // It is thrown away: else it would be the first for ever.
                socket.recv(&mut [])?;
                continue;
            }
            socket
                .connect(&caller)
                .map_err(|error| named("connect", &error))?;
            let theirs = remote(&socket);
            let carrier = self.options.carrier;
            let wire = self
                .witnesses
                .wire(carrier, theirs, local(&socket), Among::Alone);
            let link = Link::datagrams(socket)?;
            let link = match wire {
                Some(wire) => link.watched(wire, Side::Server),
                None => link,
            };
            let outcome = self.serve(listen, link)?;
            if listen.callers == options::Callers::One || outcome == Outcome::Unheard {
                return Ok(outcome);
            }
        }
    }

    fn another(&self, socket: &Socket) -> Result<Socket, Complaint> {
        match socket.local_addr()?.as_socket() {
            Some(at) => Ok(sockets::listen(
                at,
                self.ip_carrier(),
                Callers::All,
                &self.settings()?,
            )?),
            None => Ok(socket.try_clone()?),
        }
    }

    /// Many callers at once.
    fn entertain(
        &mut self,
        listen: &Listen,
        socket: Socket,
        acceptor: Option<Acceptor>,
    ) -> Result<Outcome, Complaint> {
        let at_most = match listen.callers {
            options::Callers::AtOnce { at_most } => at_most,
            options::Callers::One | options::Callers::InTurn => limits::HALL_CALLERS,
        };
        let access = listen.access.clone();
        let settings = hall::Settings {
            at_most,
            admits: Box::new(move |caller| access.admits(caller.ip().to_canonical())),
            tls: acceptor,
            idle: match self.options.timing.idle {
                None => hall::Idle::Never,
                Some(options::Idle::Leave(after)) => hall::Idle::Caller(after),
                Some(options::Idle::Fail(after)) => hall::Idle::Everybody(after),
            },
            options: self.ends(),
            progress: self.options.evidence.progress.then(witnesses::progress),
            meter: self.meter.clone(),
            manner: self.manners(),
            notes: Box::new(Said {
                words: self.words.clone(),
                numbers_are_told: listen.service == Service::Chat,
                at: match &listen.at {
                    Place::Unix(name) => Some(name.clone()),
                    Place::Port { .. } => None,
                },
            }),
            ..hall::Settings::default()
        };
        let hall = Hall::new(vec![socket], settings)?;
        let service = self.service(&listen.service);
        let report = hall.run(service).map_err(|error| self.trouble(&error))?;
        self.tell_totals(Role::Listen, &report);
        self.judge(Role::Listen, report.outcome)
    }

    /// Whom the callers talk to.
    fn service(&mut self, service: &Service) -> hall::Service {
        match service {
            Service::Talk => {
                let output = std::mem::replace(&mut self.output, Output::none());
                let heard = self.options.flow.direction != Direction::SendOnly;
                let input_end = self.ends().input_end;
                hall::Service::Talk(Stdio::new(
                    self.speaker(),
                    input_end,
                    heard.then_some(output),
                ))
            }
            Service::Run(program) => hall::Service::Run(Programs::new(Program::from(program))),
            Service::Broker => self.circle(Labels::None),
            Service::Chat => self.circle(Labels::Names),
            Service::Proxy(proxy) => hall::Service::Proxy(self.proxy(proxy)),
        }
    }

    fn circle(&mut self, labels: Labels) -> hall::Service {
        let circle = Circle::new(self.speaker(), labels);
        hall::Service::Meet(match self.options.flow.direction {
            Direction::Both => circle,
            Direction::SendOnly | Direction::ReceiveOnly => circle.that_passes_nothing(),
        })
    }

    fn speaker(&mut self) -> Option<Speaker> {
        if self.options.flow.direction == Direction::ReceiveOnly {
            return None;
        }
        let speaker = Speaker::new(std::mem::replace(&mut self.input, Input::none()));
        let flow = self.options.flow;
        let speaker = match flow.crlf {
            true => speaker.with_crlf(Crlf::default()),
            false => speaker,
        };
        Some(match self.pace() {
            Some(pace) => speaker.with_pace(pace),
            None => speaker,
        })
    }

    fn proxy(&self, proxy: &options::ProxyServer) -> Proxy {
        let kinds = match proxy.kind {
            ProxyServerKind::Socks => Kinds::Socks,
            ProxyServerKind::Http => Kinds::Http,
        };
        let login = proxy.login.as_ref().map(|login| Login {
            user: login.user.clone(),
            password: match &login.password {
                Password::Known(password) => password.clone(),
                Password::Ask => String::new(),
            },
        });
        let secret = nonce();
        let machine = move || {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let seconds = now.map_or(0, |now| now.as_secs());
            let server = match kinds {
                Kinds::Socks => ProxyServer::new(Kinds::Socks, login.clone()),
                Kinds::Http => ProxyServer::new(Kinds::Http, login.clone()),
            };
            server.with_digest(Nonces::new(secret, seconds))
        };
        Proxy::new(machine, |_| true, self.options.family)
    }

    /// What each caller's octets go through.
    fn manners(&self) -> Box<dyn FnMut(&hall::Caller) -> Manner> {
        let flow = self.options.flow;
        let carrier = self.options.carrier;
        let witnesses = self.witnesses.clone();
        let mut number = 0;
        Box::new(move |caller| {
            number += 1;
            let among = Among::Many(number);
            Manner {
                crlf: flow.crlf.then(Crlf::default),
                pace: flow.interval.map(Pace::new),
                telnet: flow.telnet.then(Default::default),
                rate: flow.rate.and_then(std::num::NonZeroU64::new),
                tap: witnesses.tap(Side::Server, among, Cutting::Pieces),
                wire: witnesses.wire(carrier, caller.remote, caller.local, among),
                linger: Some(LAST_WORDS),
                ..Manner::default()
            }
        })
    }
}

/// Whether callers are served at once rather than in turn.
const fn is_for_many(listen: &Listen) -> bool {
    match listen.service {
        Service::Broker | Service::Chat | Service::Proxy(_) => true,
        Service::Talk | Service::Run(_) => {
            matches!(listen.callers, options::Callers::AtOnce { .. })
        }
    }
}

/// Says what happens in a hall, in the words of the dialect. Names are not looked up: everybody would wait for that.
struct Said {
    words: Words,
    /// In a chat they are names.
    numbers_are_told: bool,
    /// Where UNIX callers call.
    at: Option<UnixName>,
}

impl Said {
    fn say(&self, note: &Note<'_>) {
        if let Some(text) = self.words.note(note) {
            eprint(&text);
        }
    }

    fn complain(&self, complaint: &Complaint) {
        eprint(&self.words.complaint(complaint));
    }

    fn secured(&self, caller: &hall::Caller, info: &TlsInfo) {
        if let (Some(peer), Some(address)) = (&info.peer, caller.remote) {
            self.say(&Note::Tls(Handshake {
                address: canonical(address),
                organisation: peer.names.subject.organization(),
                sha1: &peer.sha1,
            }));
        }
    }
}

impl hall::Notes for Said {
    fn note(&mut self, note: &hall::Note<'_>) {
        match note {
            hall::Note::Called(caller) => match (caller.remote, &self.at) {
                (Some(address), _) => self.say(&Note::Called {
                    by: Peer {
                        address: canonical(address),
                        name: None,
                        service: None,
                    },
                    at: caller.local.map(canonical),
                    number: self.numbers_are_told.then_some(caller.number),
                }),
                (None, Some(name)) => self.say(&Note::CalledAt(name)),
                (None, None) => {}
            },
            hall::Note::NotAllowed(_) => self.say(&Note::NotAllowed),
            hall::Note::Full(_, count) => self.say(&Note::TooMany(*count)),
            hall::Note::Secured(caller, info) => self.secured(caller, info),
            hall::Note::NotSecured(_, error) if self.words.verbose > 0 => {
                self.complain(&Complaint::Failed(format!("no TLS: {error}")));
            }
            hall::Note::NoTls(_, error) => {
                self.complain(&Complaint::Failed(format!("no TLS: {error}")));
            }
            hall::Note::NoProgram(_, file, error) => {
                let file = file.to_string_lossy();
                self.complain(&self.words.no_program(&file, &reason(error)));
            }
            hall::Note::NotJoined(_, why) if self.words.verbose > 0 => {
                self.complain(&Complaint::failed(why));
            }
            hall::Note::TooSlow(_) => self.complain(&Complaint::failed(
                "a caller took nothing for too long and is dropped, so that the others can go on",
            )),
            hall::Note::Trouble(_, error) if self.words.verbose > 0 => {
                self.complain(&Complaint::Failed(reason(error)));
            }
            hall::Note::Exhausted(error, count) => self.complain(&Complaint::Failed(format!(
                "no more callers until some of these {count} leave: {}",
                reason(error)
            ))),
            _ => {}
        }
    }
}

fn local(socket: &Socket) -> Option<SocketAddr> {
    socket.local_addr().ok()?.as_socket().map(canonical)
}

/// The same, as whoever is at `peer` knows us: a socket for datagrams from everywhere has no address of its own.
fn local_to(socket: &Socket, peer: SocketAddr) -> Option<SocketAddr> {
    let at = local(socket)?;
    if !at.ip().is_unspecified() {
        return Some(at);
    }
    let any: IpAddr = match peer {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let found = UdpSocket::bind((any, 0)).and_then(|socket| {
        // Nothing is sent: the kernel only chooses the way.
        socket.connect(peer)?;
        socket.local_addr()
    });
    Some(found.map_or(at, |found| SocketAddr::new(found.ip(), at.port())))
}

fn remote(socket: &Socket) -> Option<SocketAddr> {
    socket.peer_addr().ok()?.as_socket().map(canonical)
}

/// An IPv4 address that came as an IPv6 one is shown as what it is.
fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(v4) => (v4, address.port()).into(),
        // Its scope stays.
        IpAddr::V6(_) => address,
    }
}

fn named(call: &str, error: &io::Error) -> Complaint {
    Complaint::Failed(format!("{call}: {}", reason(error)))
}
