//! The server: waits for a caller and talks to it; with -k, to one after another.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Instant;

use socket2::{SockAddr, Socket};

use super::Netcat;
use super::complaint::{Complaint, reason};
use super::dialect::Dialect;
use super::options::{self, Place, Task};
use super::words::{Local, Note};
use crate::proto::raw::{Outcome, Policy, Role};
use crate::reactor::relay::{Link, relay};
use crate::reactor::resolver::Family;
use crate::reactor::sockets::{self, Callers};
use crate::wire::services::Transport;

impl Netcat {
    /// Exit code 0 when the (last) conversation ended as it should.
    pub(super) fn listen(&mut self) -> Result<u8, Complaint> {
        let Task::Listen(listen) = self.options.task.clone() else {
            return Err(Complaint::Usage);
        };
        let Place::Port { host, port } = listen.at else {
            return Err(Complaint::Usage);
        };
        let callers = match listen.callers {
            options::Callers::One => Callers::One,
            options::Callers::InTurn | options::Callers::AtOnce { .. } => Callers::All,
        };
        let socket = self.open(host.as_deref(), port, callers)?;
        let outcome = match (self.options.carrier.transport(), callers) {
            (Transport::Tcp, Callers::One) => self.serve_next(&socket)?,
            (Transport::Tcp, Callers::All) => loop {
                let outcome = self.serve_next(&socket)?;
                if outcome == Outcome::Unheard {
                    break outcome;
                }
            },
            (Transport::Udp, Callers::One) => {
                let caller =
                    sockets::first_sender(&socket).map_err(|error| named("recvfrom", &error))?;
                self.tell_caller(&socket, &caller);
                socket
                    .connect(&caller)
                    .map_err(|error| named("connect", &error))?;
                self.serve(Link::datagrams(socket)?)?
            }
            (Transport::Udp, Callers::All) => self.serve(Link::everybody(socket)?)?,
        };
        Ok(u8::from(outcome != Outcome::Done))
    }

    /// Listens at the first of the host's addresses that can be had.
    fn open(&self, host: Option<&str>, port: u16, callers: Callers) -> Result<Socket, Complaint> {
        let transport = self.options.carrier.transport();
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
        let mut refused = Complaint::Usage;
        for address in addresses {
            match sockets::listen(address, transport, callers, self.settings()) {
                Ok(socket) => {
                    let bound = socket.local_addr()?.as_socket().unwrap_or(address);
                    let name = self.name_of(bound);
                    let local = Local::Port(self.peer(bound, &name));
                    self.tell(&match transport {
                        Transport::Tcp => Note::Listening(local),
                        Transport::Udp => Note::Bound(local),
                    });
                    return Ok(socket);
                }
                Err(error) => refused = self.words.unbound(address, &reason(&error)),
            }
        }
        Err(refused)
    }

    fn serve_next(&mut self, listener: &Socket) -> Result<Outcome, Complaint> {
        let (socket, caller) =
            sockets::accept(listener).map_err(|error| named("accept", &error))?;
        self.tell_caller(&socket, &caller);
        self.serve(Link::stream(socket)?)
    }

    fn tell_caller(&self, socket: &Socket, caller: &SockAddr) {
        let here = socket.local_addr().ok().and_then(|here| here.as_socket());
        if let Some(caller) = caller.as_socket() {
            let caller = canonical(caller);
            let name = self.name_of(caller);
            self.tell(&Note::Called {
                by: self.peer(caller, &name),
                at: here.map(canonical),
                number: None,
            });
        }
    }

    fn serve(&mut self, link: Link) -> Result<Outcome, Complaint> {
        let keyboard = self.input.keyboard();
        let policy = Policy::new(Instant::now(), Role::Listen, keyboard, self.ends());
        let manner = self.manner();
        let (input, output) = (&mut self.input, &mut self.output);
        Ok(relay(input, output, link, policy, manner)?.outcome)
    }
}

/// An IPv4 address that came as an IPv6 one is shown as what it is.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn named(call: &str, error: &std::io::Error) -> Complaint {
    Complaint::Failed(format!("{call}: {}", reason(error)))
}
