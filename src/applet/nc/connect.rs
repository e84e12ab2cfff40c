//! The client: calls one port after another, and talks to each that answers.

use std::net::SocketAddr;
use std::thread;
use std::time::Instant;

use socket2::Socket;

use super::options::Task;
use super::{Complaint, Netcat, reason, say};
use crate::limits;
use crate::proto::raw::{Outcome, Policy, Role};
use crate::reactor::relay::{Link, relay};
use crate::reactor::resolver::ResolveError;
use crate::reactor::sockets::{DialError, dial, probe};
use crate::wire::services::Transport;

impl Netcat {
    /// Exit code 0 when any port was open, and its conversation ended as it should.
    pub(super) fn connect(&mut self) -> Result<u8, Complaint> {
        let Task::Connect {
            host,
            ports,
            only_probe,
            ..
        } = &self.options.task
        else {
            return Err(Complaint::Usage);
        };
        let (host, ports, only_probe) = (host.clone(), ports.clone(), *only_probe);
        let first = ports.first().copied().unwrap_or_default();
        let addresses = self
            .options
            .resolve(&host, first)
            .map_err(|error| unresolved(&host, first, error))?;
        let mut code = 1;
        for (at, port) in ports.into_iter().enumerate() {
            if let Some(interval) = self.options.interval.filter(|_| at > 0) {
                thread::sleep(interval);
            }
            let Some((socket, address)) = self.call(&host, port, &addresses)? else {
                continue;
            };
            if self.options.transport == Transport::Udp && (self.options.verbose || only_probe) {
                let patience = self.options.ends.idle.unwrap_or(limits::UDP_PROBE);
                if !probe(&socket, patience) {
                    code = 1;
                    continue;
                }
            }
            self.tell_success(&host, address);
            code = 0;
            if !only_probe && self.converse(&socket)? != Outcome::Done {
                code = 1;
            }
        }
        Ok(code)
    }

    /// The first of the addresses that takes the call.
    fn call(
        &self,
        host: &str,
        port: u16,
        addresses: &[SocketAddr],
    ) -> Result<Option<(Socket, SocketAddr)>, Complaint> {
        let Task::Connect { source, .. } = &self.options.task else {
            return Err(Complaint::Usage);
        };
        let options = &self.options;
        for address in addresses {
            let mut to = *address;
            to.set_port(port);
            let source = source.address(to)?;
            let called = dial(
                to,
                options.transport,
                source,
                options.ends.idle,
                options.settings,
            );
            let why = match called {
                Ok(socket) => return Ok(Some((socket, to))),
                Err(DialError::Bind(error)) => {
                    return Err(Complaint::Because(format!(
                        "bind failed: {}",
                        reason(&error)
                    )));
                }
                Err(DialError::Failed(error)) => format!("failed: {}", reason(&error)),
                // What errno happens to be then in Debian's nc.
                Err(DialError::TimedOut) => "timed out: Operation now in progress".to_owned(),
            };
            if options.verbose {
                let transport = options.transport.name();
                let number = self.number_beside(host, to);
                say(&format!(
                    "connect to {host}{number} port {port} ({transport}) {why}"
                ));
            }
        }
        Ok(None)
    }

    fn tell_success(&self, host: &str, address: SocketAddr) {
        let port = address.port();
        let transport = self.options.transport;
        let service = match self.options.numeric {
            true => None,
            false => self.services.name(port, transport),
        };
        self.tell(format_args!(
            "Connection to {host}{} {port} port [{}/{}] succeeded!",
            self.number_beside(host, address),
            transport.name(),
            service.unwrap_or("*"),
        ));
    }

    /// ` (192.0.2.1)` beside a host that was not given so.
    fn number_beside(&self, host: &str, address: SocketAddr) -> String {
        let number = address.ip().to_string();
        if self.options.numeric || number == host {
            return String::new();
        }
        format!(" ({number})")
    }

    fn converse(&mut self, socket: &Socket) -> Result<Outcome, Complaint> {
        let link = match self.options.transport {
            Transport::Tcp => Link::Stream(socket),
            Transport::Udp => Link::Datagrams(socket),
        };
        let keyboard = self.input.keyboard();
        let policy = Policy::new(Instant::now(), Role::Connect, keyboard, self.options.ends);
        let manner = self.manner();
        Ok(relay(
            &mut self.input,
            &mut self.output,
            link,
            policy,
            manner,
        )?)
    }
}

fn unresolved(host: &str, port: u16, error: ResolveError) -> Complaint {
    Complaint::Because(format!(
        "getaddrinfo for host \"{host}\" port {port}: {error}"
    ))
}
