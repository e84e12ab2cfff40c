//! How a client arrives: the greeting, the header of a proxy before it (`PROXY`), and what a proxy tells after it (XCLIENT).
//!
//! Both are believed from the addresses that the configuration names, and from nobody else: whoever can say where it comes from
//! can get around every limit and every permission. What is believed is what the socket says, not what an earlier header said.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::policy::Then;
use super::{Config, Hello, HelloKind, Mode, Server, State, commands, replies};
use crate::proto::{Out, Refused};
use crate::wire::lines::Want;
use crate::wire::proxy_header::{self, Progress};
use crate::wire::smtp::{Enhanced, Reply, Verb, shown, xclient};

impl Server {
    pub(super) fn open(&mut self, now: Instant, out: &mut Out) {
        self.first_address = self.address();
        self.proxied = self.peer.proxy.is_some();
        if Config::is_in(&self.config.proxy_from, self.first_address)
            && self.peer.refused.is_none()
            && !self.proxied
        {
            self.state = State::Proxied(Vec::new());
            return;
        }
        self.greet(now, out);
    }

    pub(super) fn greet(&mut self, now: Instant, out: &mut Out) {
        self.state = State::Command;
        let refusal = match self.peer.refused {
            None => return self.greeting(now, out),
            Some(Refused::Connections) => "too many connections now, try again later",
            Some(Refused::Address) => "too many connections from your address, close one first",
        };
        let text = format!("{}: {refusal}", self.config.hostname);
        self.say(&Reply::new(421, Enhanced(4, 7, 0), text), out);
        self.close(out);
    }

    fn greeting(&mut self, now: Instant, out: &mut Out) {
        let protocol = match self.config.mode {
            Mode::Lmtp => "LMTP",
            Mode::Mta | Mode::Submission => "ESMTP",
        };
        let ruling = match &self.config.policy {
            Some(policy) => policy.connect(&self.visit()),
            None => super::policy::Ruling::PROCEED,
        };
        self.held_back = ruling.delay;
        match ruling.then {
            Then::Drop => self.dropped = true,
            Then::Proceed => {}
            Then::Refuse(reply) => {
                // RFC 5321 §3.1: after a refusal here only QUIT would be taken; closing says the same.
                self.state = State::Closed;
                if self.held_back.is_zero() {
                    out.with(|bytes| reply.write(bytes));
                    return self.close(out);
                }
                return self.respond(now, reply, out);
            }
        }
        let greeting = format!("{} {protocol} mailtool", self.config.hostname);
        self.respond(now, Reply::basic(220, greeting), out);
    }

    pub(super) fn want_of_proxy(&self, header: &[u8]) -> Want {
        match proxy_header::read(header) {
            Ok(Progress::More(octets)) => Want::Octets(octets as u64),
            _ => Want::Nothing,
        }
    }

    /// More of the header of a proxy.
    pub(super) fn proxied(
        &mut self,
        now: Instant,
        mut header: Vec<u8>,
        more: &[u8],
        out: &mut Out,
    ) {
        header.extend_from_slice(more);
        match proxy_header::read(&header) {
            Ok(Progress::More(_)) => self.state = State::Proxied(header),
            Ok(Progress::Done(header)) => {
                if let Some(ends) = header.ends {
                    out.note_client(ends.source, self.peer.remote);
                    self.peer.remote = Some(ends.source);
                    self.peer.local = Some(ends.destination);
                    self.proxied = true;
                }
                self.greet(now, out);
            }
            Err(error) => {
                log::warn!(
                    "a proxy at {:?} was not understood: {error}",
                    self.first_address
                );
                self.state = State::Command;
                let text = format!("{}: {error}", self.config.hostname);
                self.say(&Reply::new(421, Enhanced(4, 7, 0), text), out);
                self.close(out);
            }
        }
    }

    /// Where the client is.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.peer.remote.map(|remote| remote.ip().to_canonical())
    }

    /// Whether this connection may say XCLIENT.
    pub(super) fn may_xclient(&self) -> bool {
        Config::is_in(&self.config.xclient_from, self.first_address)
    }

    /// A proxy tells whom it speaks for, and the session begins anew (Postfix's XCLIENT_README).
    pub(super) fn xclient(&mut self, now: Instant, arguments: &[u8], out: &mut Out) {
        match self.check_xclient(arguments) {
            Err(refusal) => self.respond(now, refusal, out),
            Ok(told) => {
                let before = self.peer.remote;
                self.believe(told);
                if let Some(client) = self.peer.remote.filter(|_| self.peer.remote != before) {
                    out.note_client(client, before);
                }
                self.greet(now, out);
            }
        }
    }

    fn check_xclient(&self, arguments: &[u8]) -> Result<xclient::Told, Reply> {
        if !self.may_xclient() {
            let text =
                "XCLIENT is for proxies that this server knows, and your address is none of them";
            return Err(Reply::new(550, Enhanced(5, 7, 0), text));
        }
        if self.message.is_some() {
            return Err(replies::sequence(
                "Not within a message: say XCLIENT before MAIL, or RSET first",
            ));
        }
        xclient::read(arguments).map_err(|word| match word.as_str() {
            "" => replies::argument_missing(Verb::Xclient),
            word => {
                let text = format!(
                    "XCLIENT does not know \"{}\". Example: {}",
                    shown(word.as_bytes()),
                    Verb::Xclient.info().example
                );
                Reply::new(501, Enhanced(5, 5, 4), text)
            }
        })
    }

    fn believe(&mut self, told: xclient::Told) {
        let end = |was: Option<SocketAddr>,
                   address: Option<Option<IpAddr>>,
                   port: Option<Option<u16>>| {
            let port = port.flatten().or(was.map(|was| was.port())).unwrap_or(0);
            match address {
                Some(None) => None,
                Some(Some(address)) => Some(SocketAddr::new(address, port)),
                None => was.map(|was| SocketAddr::new(was.ip(), port)),
            }
        };
        self.peer.remote = end(self.peer.remote, told.address, told.port);
        self.peer.local = end(self.peer.local, told.local_address, told.local_port);
        self.proxied = told.address.is_some() || self.proxied;
        self.hello = told.hello.flatten().map(|name| Hello {
            kind: match told.extended {
                Some(false) => HelloKind::Helo,
                _ => HelloKind::Ehlo,
            },
            name: commands::header_safe(name.as_bytes()),
        });
        let login = told.login.flatten();
        self.user = login.and_then(|login| self.account_named(&login));
    }
}
