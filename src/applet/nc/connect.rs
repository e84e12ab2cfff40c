//! The client: calls one port after another, and talks to each that answers.

use std::net::SocketAddr;
use std::thread;
use std::time::Instant;

use socket2::Socket;

use super::Netcat;
use super::complaint::{Complaint, reason};
use super::dialect::Dialect;
use super::options::{Carrier, Idle, OnceConnected, Source, Task, To};
use super::words::{Note, Peer, Rest, Way, WhyNot};
use crate::limits;
use crate::proto::raw::{Outcome, Policy, Role};
use crate::reactor::relay::{Link, relay};
use crate::reactor::resolver::{self, Family};
use crate::reactor::sockets::{DialError, dial, probe};
use crate::wire::services::Transport;

impl Netcat {
    /// Exit code 0 when any port was open, and its conversation ended as it should.
    pub(super) fn connect(&mut self) -> Result<u8, Complaint> {
        let Task::Connect(connect) = self.options.task.clone() else {
            return Err(Complaint::Usage);
        };
        let To::Ports {
            host,
            ports,
            source,
        } = connect.to
        else {
            return Err(Complaint::Usage);
        };
        let only_probe = connect.once_connected == OnceConnected::Probe;
        let first = ports.first().copied().unwrap_or_default();
        let addresses = self
            .resolve(&host, first)
            .map_err(|error| self.words.unresolved(&host, first, &error.to_string()))?;
        let mut code = 1;
        for (at, port) in ports.into_iter().enumerate() {
            if let Some(interval) = self.options.flow.interval.filter(|_| at > 0) {
                thread::sleep(interval);
            }
            let Some((socket, address)) = self.call(&host, port, &source, &addresses)? else {
                continue;
            };
            let name = self.name_of(address);
            if self.options.carrier == Carrier::Udp && self.is_probed(only_probe) {
                let idle = self.options.timing.idle.map(Idle::after);
                if !probe(&socket, idle.unwrap_or(limits::UDP_PROBE)) {
                    code = 1;
                    self.tell_refusal(&host, self.peer(address, &name));
                    continue;
                }
            }
            self.tell(&Note::Connected {
                host: &host,
                peer: self.peer(address, &name),
                carrier: self.options.carrier.transport().name(),
                way: Way::Direct,
            });
            code = 0;
            if !only_probe && self.converse(socket)? != Outcome::Done {
                code = 1;
            }
        }
        Ok(code)
    }

    /// Whether datagrams are sent to see who is there, before any of the user's.
    fn is_probed(&self, only_probe: bool) -> bool {
        only_probe || self.options.dialect == Dialect::OpenBsd && self.options.verbose > 0
    }

    /// Nobody is there for datagrams: Debian's nc does not tell.
    fn tell_refusal(&self, host: &str, peer: Peer<'_>) {
        if self.options.dialect != Dialect::OpenBsd {
            self.tell(&Note::CallFailed {
                host,
                peer,
                carrier: self.options.carrier.transport().name(),
                why: &WhyNot::Failed("Connection refused".to_owned()),
                rest: Rest::Last,
            });
        }
    }

    /// The first of the addresses that takes the call.
    fn call(
        &self,
        host: &str,
        port: u16,
        source: &Source,
        addresses: &[SocketAddr],
    ) -> Result<Option<(Socket, SocketAddr)>, Complaint> {
        let transport = self.options.carrier.transport();
        for (at, address) in addresses.iter().enumerate() {
            let mut to = *address;
            to.set_port(port);
            let source = self.source(source, to)?;
            let patience = self.options.timing.connect;
            let called = dial(to, transport, source, patience, self.settings());
            let why = match called {
                Ok(socket) => return Ok(Some((socket, to))),
                Err(DialError::Bind(error)) => {
                    let from = source.unwrap_or(to);
                    return Err(self.words.unbound_source(from, &reason(&error)));
                }
                Err(DialError::Failed(error)) => WhyNot::Failed(reason(&error)),
                Err(DialError::TimedOut) => WhyNot::TimedOut,
            };
            let name = self.name_of(to);
            self.tell(&Note::CallFailed {
                host,
                peer: self.peer(to, &name),
                carrier: transport.name(),
                why: &why,
                rest: match at + 1 < addresses.len() {
                    true => Rest::Another,
                    false => Rest::Last,
                },
            });
        }
        Ok(None)
    }

    /// The address to bind to before calling `to`, if any was asked for.
    fn source(&self, source: &Source, to: SocketAddr) -> Result<Option<SocketAddr>, Complaint> {
        let (family, any) = match to {
            SocketAddr::V4(_) => (Family::V4, "0.0.0.0"),
            SocketAddr::V6(_) => (Family::V6, "::"),
        };
        if source.address.is_none() && source.port == 0 {
            return Ok(None);
        }
        let host = source.address.as_deref().unwrap_or(any);
        let addresses = resolver::resolve(host, source.port, family)
            .map_err(|error| self.words.unresolved_source(host, &error.to_string()))?;
        Ok(addresses.first().copied())
    }

    fn converse(&mut self, socket: Socket) -> Result<Outcome, Complaint> {
        let link = match self.options.carrier.transport() {
            Transport::Tcp => Link::stream(socket),
            Transport::Udp => Link::datagrams(socket),
        }?;
        let keyboard = self.input.keyboard();
        let policy = Policy::new(Instant::now(), Role::Connect, keyboard, self.ends());
        let manner = self.manner();
        let (input, output) = (&mut self.input, &mut self.output);
        Ok(relay(input, output, link, policy, manner)?.outcome)
    }
}
