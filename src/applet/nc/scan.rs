//! `-z` at several ports: all of them at once, told in order.

use std::net::SocketAddr;

use super::Netcat;
use super::complaint::{Complaint, reason};
use super::connect::Host;
use super::dialect::Dialect;
use super::options::{Carrier, Connect, Idle, OnceConnected};
use super::words::{Note, Rest, Way, WhyNot};
use crate::reactor::scan::{Found, Scan};
use crate::reactor::sockets::Unset;

impl Netcat {
    /// Whether it is only to be seen who listens, without anything in between.
    pub(super) fn is_scan(&self, connect: &Connect, ports: &[u16]) -> bool {
        connect.once_connected == OnceConnected::Probe
            && connect.proxies.is_empty()
            && connect.wait_port.is_none()
            && ports.len() > 1
    }

    /// Exit code 0 when any port was open.
    pub(super) fn scan(&self, host: &Host<'_>, ports: &[u16]) -> Result<u8, Complaint> {
        let mut places = Vec::new();
        for address in &host.addresses {
            places.push((*address, self.source(host.source, *address)?));
        }
        let settings = self.settings()?;
        let patience = match self.options.carrier {
            Carrier::Udp => self.options.timing.idle.map(Idle::after),
            _ => self.options.timing.connect,
        };
        let scan = Scan {
            places: &places,
            ports,
            carrier: self.ip_carrier(),
            settings: &settings,
            patience,
            // Debian's nc pauses between lines, and between conversations, but not here.
            interval: match self.options.dialect {
                Dialect::OpenBsd => None,
                Dialect::Ncat | Dialect::Traditional => self.options.flow.interval,
            },
            capture: self.witnesses.capture(),
        };
        let is_udp = self.options.carrier == Carrier::Udp;
        // netcat-traditional asked about several ports is content with any answer; Debian's nc takes the last one's of UDP.
        let mut code = u8::from(self.options.dialect != Dialect::Traditional);
        let mut stopped = None;
        scan.run(&mut |address, found| match found {
            Found::Open => {
                code = 0;
                self.tell_open(host, address);
            }
            Found::Refused => {
                if is_udp && self.options.dialect == Dialect::OpenBsd {
                    code = 1;
                }
                self.tell_closed(
                    host,
                    address,
                    WhyNot::Failed("Connection refused".to_owned()),
                );
            }
            Found::TimedOut => self.tell_closed(host, address, WhyNot::TimedOut),
            Found::Unbound(error) => {
                let from = places.iter().find(|(to, _)| to.ip() == address.ip());
                let from = from.and_then(|(_, from)| *from).unwrap_or(address);
                stopped.get_or_insert(self.words.unbound_source(from, &reason(&error)));
            }
            Found::Failed(error) if Unset::is(&error) => {
                stopped.get_or_insert(error.into());
            }
            Found::Failed(error) => {
                self.tell_closed(host, address, WhyNot::Failed(reason(&error)));
            }
        })?;
        match stopped {
            Some(complaint) => Err(complaint),
            None => Ok(code),
        }
    }

    fn tell_open(&self, host: &Host<'_>, address: SocketAddr) {
        let name = self.name_of(address);
        self.tell(&Note::Connected {
            host: host.name,
            peer: self.peer(address, &name),
            carrier: self.options.carrier.name(),
            way: Way::Direct,
        });
    }

    fn tell_closed(&self, host: &Host<'_>, address: SocketAddr, why: WhyNot) {
        // Of datagrams Debian's nc does not tell.
        if self.options.carrier == Carrier::Udp && self.options.dialect == Dialect::OpenBsd {
            return;
        }
        let is_last = host.addresses.last().map(SocketAddr::ip) == Some(address.ip());
        let name = self.name_of(address);
        self.tell(&Note::CallFailed {
            host: host.name,
            peer: self.peer(address, &name),
            carrier: self.options.carrier.name(),
            why: &why,
            rest: match is_last {
                true => Rest::Last,
                false => Rest::Another,
            },
        });
    }
}
