//! The server: waits for a caller and talks to it; with -k, to one after another.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use socket2::{SockAddr, Socket};

use super::options::Task;
use super::{Complaint, Netcat, reason};
use crate::proto::raw::{Outcome, Policy, Role};
use crate::reactor::relay::{Link, relay};
use crate::reactor::resolver::Family;
use crate::reactor::sockets::{self, Callers};
use crate::wire::services::Transport;

impl Netcat {
    /// Exit code 0 when the (last) conversation ended as it should.
    pub(super) fn listen(&mut self) -> Result<u8, Complaint> {
        let Task::Listen {
            host,
            port,
            keep_open,
        } = &self.options.task
        else {
            return Err(Complaint::Usage);
        };
        let callers = match keep_open {
            true => Callers::All,
            false => Callers::One,
        };
        let socket = self.open(host.as_deref(), *port, callers)?;
        let outcome = match (self.options.transport, callers) {
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
                self.tell_caller(&caller);
                socket
                    .connect(&caller)
                    .map_err(|error| named("connect", &error))?;
                self.serve(Link::Datagrams(&socket))?
            }
            (Transport::Udp, Callers::All) => self.serve(Link::Everybody(&socket, None))?,
        };
        Ok(u8::from(outcome != Outcome::Done))
    }

    /// Listens at the first of the host's addresses that can be had.
    fn open(&self, host: Option<&str>, port: u16, callers: Callers) -> Result<Socket, Complaint> {
        let addresses = match (host, self.options.family) {
            (Some(host), _) => self
                .options
                .resolve(host, port)
                .map_err(|error| Complaint::Because(format!("getaddrinfo: {error}")))?,
            (None, Family::V6) => vec![(Ipv6Addr::UNSPECIFIED, port).into()],
            (None, _) => vec![(Ipv4Addr::UNSPECIFIED, port).into()],
        };
        let mut refused = None;
        for address in addresses {
            let opened = sockets::listen(
                address,
                self.options.transport,
                callers,
                self.options.settings,
            );
            match opened {
                Ok(socket) => {
                    let bound = match self.options.transport {
                        Transport::Tcp => "Listening",
                        Transport::Udp => "Bound",
                    };
                    let at = self.shown(socket.local_addr()?.as_socket().unwrap_or(address));
                    self.tell(format_args!("{bound} on {at}"));
                    return Ok(socket);
                }
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.map_or(Complaint::Usage, Complaint::from))
    }

    fn serve_next(&mut self, listener: &Socket) -> Result<Outcome, Complaint> {
        let (socket, caller) =
            sockets::accept(listener).map_err(|error| named("accept", &error))?;
        self.tell_caller(&caller);
        self.serve(Link::Stream(&socket))
    }

    fn tell_caller(&self, caller: &SockAddr) {
        if let Some(caller) = caller.as_socket() {
            self.tell(format_args!(
                "Connection received on {}",
                self.shown(caller)
            ));
        }
    }

    fn serve(&mut self, link: Link<'_>) -> Result<Outcome, Complaint> {
        let keyboard = self.input.keyboard();
        let policy = Policy::new(Instant::now(), Role::Listen, keyboard, self.options.ends);
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

fn named(call: &str, error: &std::io::Error) -> Complaint {
    Complaint::Because(format!("{call}: {}", reason(error)))
}
