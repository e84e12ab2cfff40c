//! The client: calls one port after another, directly or through proxies, and has a conversation with each that answers.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use socket2::Socket;

use super::Netcat;
use super::complaint::{Complaint, reason};
use super::dialect::Dialect;
use super::hops::{Connection, Hop, Through, ask_password};
use super::options::{
    Begins, Carrier, Connect, Idle, Names, OnceConnected, Proxy, ProxyProtocol, Source, Task, To,
};
use super::secure::Whereabouts;
use super::witnesses::Among;
use super::words::{Note, Peer, Rest, Totals, UnixVerb, Way, WhyNot};
use crate::limits;
use crate::proto::raw::{Outcome, Role};
use crate::reactor::relay::Link;
use crate::reactor::resolver::{self, Family};
use crate::reactor::sockets::{
    self, DialError, UnixKind, UnixName, Unset, dial_seen, dial_unix, knock, pass_descriptor, probe,
};
use crate::tap::Side;
use crate::tap::dump::Cutting;

/// A host, as it is called.
pub(super) struct Host<'a> {
    /// As the user named it.
    pub(super) name: &'a str,
    /// Never none, unless a proxy looks it up.
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) source: &'a Source,
    /// What it is to the user.
    pub(super) kind: HostKind,
}

/// What a host is to the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HostKind {
    /// The one to talk to.
    Destination,
    /// A proxy.
    Proxy,
}

impl Netcat {
    /// Exit code 0 when any port was open, and its conversation ended as it should.
    pub(super) fn connect(&mut self) -> Result<u8, Complaint> {
        let Task::Connect(connect) = self.options.task.clone() else {
            return Err(Complaint::Usage);
        };
        self.look_at_tls()?;
        let (name, ports, source) = match &connect.to {
            To::Ports {
                host,
                ports,
                source,
            } => (host, ports, source),
            To::Unix { name, source } => return self.connect_unix(&connect, name, source.as_ref()),
        };
        let first = ports.first().copied().unwrap_or_default();
        let addresses = match connect.proxies.is_empty() {
            true => self
                .resolve(name, first)
                .map_err(|error| self.words.unresolved(name, first, &error.to_string()))?,
            false => Vec::new(),
        };
        let host = Host {
            name,
            addresses,
            source,
            kind: HostKind::Destination,
        };
        if let Some(address) = host
            .addresses
            .first()
            .filter(|_| name.parse::<IpAddr>().is_ok())
        {
            self.tell_nameless(*address);
        }
        if self.is_scan(&connect, ports) {
            let code = self.scan(&host, ports);
            self.tell_nothing_moved();
            return code;
        }
        let is_lenient = self.options.dialect == Dialect::Traditional && ports.len() > 1;
        let mut code = u8::from(!is_lenient);
        let mut anybody = false;
        for (at, &port) in ports.iter().enumerate() {
            if let Some(interval) = self.options.flow.interval.filter(|_| at > 0) {
                thread::sleep(interval);
            }
            if let Some(ended) = self.converse_at(&connect, &host, port)? {
                code = ended;
                anybody = true;
            }
        }
        if !anybody {
            self.tell_nothing_moved();
        }
        Ok(code)
    }

    /// netcat-traditional tells how much has moved where nothing could, too.
    fn tell_nothing_moved(&self) {
        if self.options.dialect == Dialect::Traditional {
            self.tell(&Note::Moved(Totals {
                sent: 0,
                received: 0,
                time: Duration::ZERO,
            }));
        }
    }

    /// One port: the exit code of the conversation, if somebody answered.
    fn converse_at(
        &mut self,
        connect: &Connect,
        host: &Host<'_>,
        port: u16,
    ) -> Result<Option<u8>, Complaint> {
        let Some((mut connection, address)) = self.reach(connect, host, port)? else {
            return Ok(None);
        };
        let begun = Instant::now();
        let only_probe = connect.once_connected == OnceConnected::Probe;
        let name = self.name_of(address);
        let shown = self.peer(address, &name);
        let knocks = self.options.dialect == Dialect::Ncat;
        if self.options.carrier == Carrier::Udp
            && !knocks
            && self.is_probed(only_probe)
            && !probe(&connection.socket, self.probe_patience(address))
        {
            self.tell_refusal(host.name, shown);
            self.tell_nothing_moved();
            return Ok(Some(1));
        }
        let way = match connect.proxies.is_empty() {
            true => Way::Direct,
            false => Way::Proxied,
        };
        // To ncat it is none before TLS stands.
        let waits_for_tls = knocks && self.options.tls.begins == Begins::AtOnce && !only_probe;
        let told = Note::Connected {
            host: host.name,
            peer: shown,
            carrier: self.options.carrier.name(),
            way,
        };
        if !waits_for_tls {
            self.tell(&told);
        }
        if only_probe && knocks {
            connection.is_left();
            return self.knock(host.name, shown, &connection, begun).map(Some);
        }
        let server = match way == Way::Direct && address.ip().is_loopback() {
            true => Whereabouts::Here,
            false => Whereabouts::Elsewhere,
        };
        self.carry_on(connect, connection, host.name, server)
            .map(Some)
    }

    /// ncat's -z, once it has told of the connection: exit code 0 when somebody is there.
    fn knock(
        &self,
        host: &str,
        peer: Peer<'_>,
        connection: &Connection,
        begun: Instant,
    ) -> Result<u8, Complaint> {
        let (mut sent, mut received) = (0, 0);
        if self.options.carrier == Carrier::Udp {
            let idle = self.options.timing.idle.map(Idle::after);
            let Some(answer) = knock(&connection.socket, idle.unwrap_or(limits::UDP_KNOCK))? else {
                self.tell_refusal(host, peer);
                return Ok(1);
            };
            (sent, received) = (1, answer as u64);
            self.tell(&Note::Knocked);
        }
        self.tell(&Note::Moved(Totals {
            sent,
            received,
            time: begun.elapsed(),
        }));
        Ok(0)
    }

    /// What is done with a connection, and the exit code of it.
    fn carry_on(
        &mut self,
        connect: &Connect,
        mut connection: Connection,
        host: &str,
        server: Whereabouts,
    ) -> Result<u8, Complaint> {
        if connect.once_connected == OnceConnected::Probe {
            connection.is_left();
            return Ok(0);
        }
        if connect.once_connected == OnceConnected::PassDescriptor {
            return match pass_descriptor(&connection.socket, io::stdout()) {
                Ok(()) => Ok(0),
                Err(error) => Err(Complaint::Failed(format!("sendmsg: {}", reason(&error)))),
            };
        }
        if let Begins::After(protocol) = self.options.tls.begins {
            let agreed = self.start_tls(&mut connection, protocol);
            if agreed.is_err() {
                let mut tap = self
                    .witnesses
                    .tap(Side::Client, Among::Alone, Cutting::Pieces);
                self.show_prelude(&mut tap);
            }
            agreed?;
        }
        if let Some(mail) = self.options.mail {
            return self.talk_mail(mail, connection, host, server);
        }
        let link = self.link(connection, host, server)?;
        let outcome = match &connect.once_connected {
            OnceConnected::Run(program) => self.run_program(Role::Connect, program, link)?,
            _ => self.talk(Role::Connect, link)?,
        };
        Ok(u8::from(outcome != Outcome::Done))
    }

    /// The network's end of a conversation, TLS and all.
    fn link(
        &self,
        connection: Connection,
        host: &str,
        server: Whereabouts,
    ) -> Result<Link, Complaint> {
        let Connection {
            socket,
            left_over,
            wire,
        } = connection;
        let watched = |link: Link| match wire {
            Some(wire) => link.watched(wire, Side::Client),
            None => link,
        };
        if !matches!(self.options.tls.begins, Begins::AtOnce | Begins::After(_)) {
            let link = match self.options.carrier {
                Carrier::Udp | Carrier::UnixDatagram => Link::datagrams(socket),
                Carrier::Tcp | Carrier::Dccp | Carrier::UnixStream => Link::stream(socket),
            }?;
            return Ok(watched(link.with_left_over(left_over)));
        }
        let connector = self.connector(server)?;
        let link = Link::tls_client(socket, &connector, host);
        let link = link.map_err(|error| self.tls_trouble(host, &error))?;
        let mut link = watched(link.with_left_over(left_over));
        self.shake_hands(&mut link, host)?;
        Ok(link)
    }

    /// A connection to the host, through all the proxies.
    fn reach(
        &self,
        connect: &Connect,
        host: &Host<'_>,
        port: u16,
    ) -> Result<Option<(Connection, SocketAddr)>, Complaint> {
        let until = connect.wait_port.map(|patience| Instant::now() + patience);
        let Some(proxy) = connect.proxies.first() else {
            let called = self.call(host, port, until)?;
            return Ok(called.map(|(socket, address)| {
                let connection = Connection::new(socket, None);
                (self.watched(connection), address)
            }));
        };
        let first = Host {
            name: &proxy.host,
            addresses: self.proxy_addresses(proxy)?,
            source: host.source,
            kind: HostKind::Proxy,
        };
        let mut proxies = connect.proxies.clone();
        let mut hops = self.hops(&proxies, host.name, port)?;
        for _ in 0..limits::PROXY_CALLS {
            let Some((socket, address)) = self.call(&first, proxy.port, until)? else {
                return Ok(None);
            };
            if proxy.protocol != ProxyProtocol::Http {
                self.tell(&Note::AtProxy(address));
            }
            let mut connection = self.watched(Connection::new(socket, None));
            match self.go_through(&mut connection, &mut hops)? {
                Through::Done => {
                    let shown = match resolver::numeric(host.name, port, Family::Any) {
                        Ok(address) => address,
                        Err(_) => SocketAddr::new(address.ip(), port),
                    };
                    return Ok(Some((connection, shown)));
                }
                Through::Again { at } => {
                    self.begin_others_anew(&mut hops, at, &proxies, host, port)?
                }
                Through::WantsLogin { at, refusal } => {
                    let (Some(proxy), Some(hop)) = (proxies.get_mut(at), hops.get_mut(at)) else {
                        return Err(refusal);
                    };
                    let Some(login) = ask_password(proxy)? else {
                        return Err(refusal);
                    };
                    let taken = hop.prelude.log_in(login.user, login.password);
                    taken.map_err(|error| self.refused(&error))?;
                    self.begin_others_anew(&mut hops, at, &proxies, host, port)?;
                }
            }
        }
        Err(Complaint::failed(
            "the proxy closes each connection instead of taking the user name and password on it",
        ))
    }

    /// Only the proxy that wants to be called again goes on where it was: to the others it is a new connection.
    fn begin_others_anew(
        &self,
        hops: &mut [Hop],
        at: usize,
        proxies: &[Proxy],
        host: &Host<'_>,
        port: u16,
    ) -> Result<(), Complaint> {
        let anew = self.hops(proxies, host.name, port)?;
        for (index, (hop, anew)) in hops.iter_mut().zip(anew).enumerate() {
            if index != at {
                hop.begin_anew(anew);
            }
        }
        Ok(())
    }

    fn watched(&self, connection: Connection) -> Connection {
        let socket = &connection.socket;
        let ours = socket.local_addr().ok().and_then(|at| at.as_socket());
        let theirs = socket.peer_addr().ok().and_then(|at| at.as_socket());
        let carrier = self.options.carrier;
        Connection {
            wire: self.witnesses.wire(carrier, ours, theirs, Among::Alone),
            ..connection
        }
    }

    /// The first of the addresses that takes the call; again and again until then, if that is wanted.
    fn call(
        &self,
        host: &Host<'_>,
        port: u16,
        until: Option<Instant>,
    ) -> Result<Option<(Socket, SocketAddr)>, Complaint> {
        loop {
            let mut failed = Vec::new();
            for address in &host.addresses {
                let mut to = *address;
                to.set_port(port);
                match self.call_address(host.source, to)? {
                    Ok(socket) => {
                        self.tell_failures(host, &failed);
                        return Ok(Some((socket, to)));
                    }
                    Err(why) => failed.push((to, why)),
                }
            }
            if until.is_some_and(|until| Instant::now() < until) {
                thread::sleep(BETWEEN_CALLS);
                continue;
            }
            if host.kind == HostKind::Proxy
                && self.options.dialect == Dialect::Ncat
                && let Some((_, why)) = failed.last()
            {
                return Err(self.words.proxy_not_called(why));
            }
            self.tell_failures(host, &failed);
            return Ok(None);
        }
    }

    fn call_address(
        &self,
        source: &Source,
        to: SocketAddr,
    ) -> Result<Result<Socket, WhyNot>, Complaint> {
        let source = self.source(source, to)?;
        let carrier = self.ip_carrier();
        let patience = self.options.timing.connect;
        let capture = self.witnesses.capture();
        let mut attempt = None;
        let mut called = |socket: &Socket| {
            let (capture, comment) = capture?;
            let from = socket.local_addr().ok()?.as_socket()?;
            attempt = Some((capture, comment, SystemTime::now(), from));
            Some(())
        };
        let settings = self.settings()?;
        let dialled = dial_seen(to, carrier, source, patience, &settings, &mut |socket| {
            called(socket);
        });
        if let Some((capture, comment, at, from)) = attempt
            && let Err(error) = &dialled
            && carrier != sockets::Carrier::Udp
            // Else it found no way to leave this machine.
            && from.port() != 0
            && let Some(call) = capture.call(at, from, to, comment)
            && matches!(error, DialError::Failed(error) if error.kind() == io::ErrorKind::ConnectionRefused)
        {
            call.refused(SystemTime::now());
        }
        match dialled {
            Ok(socket) => Ok(Ok(socket)),
            Err(DialError::Bind(error)) => {
                let from = source.unwrap_or(to);
                Err(self.words.unbound_source(from, &reason(&error)))
            }
            Err(DialError::Failed(error)) if Unset::is(&error) => Err(error.into()),
            Err(DialError::Failed(error)) => Ok(Err(WhyNot::Failed(reason(&error)))),
            Err(DialError::TimedOut) => Ok(Err(WhyNot::TimedOut)),
        }
    }

    fn tell_failures(&self, host: &Host<'_>, failed: &[(SocketAddr, WhyNot)]) {
        let mut words = self.words.clone();
        if host.kind == HostKind::Proxy && words.dialect == Dialect::OpenBsd {
            // The address of a proxy is not told.
            words.names = Names::Numeric;
        }
        for (at, (to, why)) in failed.iter().enumerate() {
            let name = self.name_of(*to);
            let note = Note::CallFailed {
                host: host.name,
                peer: self.peer(*to, &name),
                carrier: self.options.carrier.name(),
                why,
                rest: match at + 1 < host.addresses.len() {
                    true => Rest::Another,
                    false => Rest::Last,
                },
            };
            self.tell_as(words.clone(), &note);
        }
    }

    /// Whether datagrams are sent to see who is there, before any of the user's.
    fn is_probed(&self, only_probe: bool) -> bool {
        only_probe || self.options.dialect == Dialect::OpenBsd && self.options.verbose > 0
    }

    /// How long a refusal of datagrams is waited for.
    fn probe_patience(&self, to: SocketAddr) -> Duration {
        match (self.options.dialect, self.options.timing.idle) {
            // That one goes by how long the way there and back takes. Here the first datagram's refusal is there before the second.
            (Dialect::Traditional, None) if to.ip().is_loopback() => Duration::ZERO,
            (_, idle) => idle.map_or(limits::UDP_PROBE, Idle::after),
        }
    }

    /// Nobody is there for datagrams: Debian's nc does not tell.
    fn tell_refusal(&self, host: &str, peer: Peer<'_>) {
        if self.options.dialect != Dialect::OpenBsd {
            self.tell(&Note::CallFailed {
                host,
                peer,
                carrier: self.options.carrier.name(),
                why: &WhyNot::Failed("Connection refused".to_owned()),
                rest: Rest::Last,
            });
        }
    }

    /// The address to bind to before calling `to`, if any was asked for.
    pub(super) fn source(
        &self,
        source: &Source,
        to: SocketAddr,
    ) -> Result<Option<SocketAddr>, Complaint> {
        let (family, any) = match to {
            SocketAddr::V4(_) => (Family::V4, "0.0.0.0"),
            SocketAddr::V6(_) => (Family::V6, "::"),
        };
        if source.address.is_none() && source.port == 0 {
            return Ok(None);
        }
        let host = source.address.as_deref().unwrap_or(any);
        let addresses = match (self.options.names, self.options.dialect) {
            (Names::Numeric, Dialect::Ncat | Dialect::Traditional) => {
                resolver::numeric(host, source.port, family).map(|address| vec![address])
            }
            // Debian's nc looks this one up, -n or not.
            _ => resolver::resolve(host, source.port, family),
        };
        let addresses =
            addresses.map_err(|error| self.words.unresolved_source(host, &error.to_string()))?;
        Ok(addresses.first().copied())
    }

    fn connect_unix(
        &mut self,
        connect: &Connect,
        name: &UnixName,
        source: Option<&UnixName>,
    ) -> Result<u8, Complaint> {
        let kind = match self.options.carrier {
            Carrier::UnixDatagram => UnixKind::Datagrams,
            _ => UnixKind::Stream,
        };
        let until = connect.wait_port.map(|patience| Instant::now() + patience);
        let patience = self.options.timing.connect;
        let bound = RefCell::new(None);
        let (socket, _temporary) = loop {
            let called = dial_unix(name, kind, source, patience, |ours| {
                if bound.replace(Some(ours.clone())).is_none() {
                    self.tell(&Note::CallsFrom(ours));
                }
            });
            let (why, of) = match called {
                Ok(called) => break called,
                Err(DialError::Bind(error)) => (reason(&error), source.unwrap_or(name)),
                Err(DialError::Failed(error)) => (reason(&error), name),
                Err(DialError::TimedOut) => ("Connection timed out".to_owned(), name),
            };
            if until.is_none_or(|until| Instant::now() >= until) {
                return Err(self.words.unix_trouble(of, UnixVerb::Call, &why));
            }
            thread::sleep(BETWEEN_CALLS);
        };
        let begun = Instant::now();
        self.tell(&Note::ConnectedTo(name));
        let connection = self.watched(Connection::new(socket, None));
        let ended = self.carry_on(connect, connection, &name.to_string(), Whereabouts::Here);
        if self.options.dialect == Dialect::Ncat && connect.once_connected == OnceConnected::Probe {
            self.tell(&Note::Moved(Totals {
                sent: 0,
                received: 0,
                time: begun.elapsed(),
            }));
        }
        if let Some(ours) = bound.take() {
            self.tell(&Note::LeavesName(&ours));
            // Debian's nc leaves it there.
            if let (Dialect::Ncat, UnixName::Path(path)) = (self.options.dialect, &ours) {
                let _ = fs::remove_file(path);
            }
        }
        ended
    }
}

/// --wait-port: who starts a server waits about so long for it.
const BETWEEN_CALLS: Duration = Duration::from_millis(50);
