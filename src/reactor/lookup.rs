//! Names to addresses and to mail exchangers, within the loop: it never blocks, and keeps what it has learnt.

use std::net::{IpAddr, SocketAddr};

use std::time::Instant;

use mio::Registry;

use crate::wire::dns::Exchanger;
use crate::wire::resolv::{Hosts, ResolvConf};

/// What a driver can ask.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// Who takes mail for this domain (RFC 5321 §5.1)? /etc/hosts has no say in it.
    Exchangers(String),
    /// Where is this host? A name, or an address with or without brackets (`[192.0.2.1]`, `[IPv6:2001:db8::1]`). Never
    /// completed from a search list: names in mail are whole.
    Addresses(String),
}

/// What is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Never none; the smallest preference first, in random order where they are equal.
    Exchangers(Vec<Exchanger>),
    /// The domain exists and names no exchanger: mail goes to the host of its own name (RFC 5321 §5.1), whose addresses
    /// are to be asked for.
    Itself,
    /// The domain says that it takes no mail (RFC 7505): 556 5.1.10.
    NullMx,
    /// Never none, in the order in which they should be tried.
    Addresses(Vec<IpAddr>),
    /// The host exists and has no address.
    NoAddress,
    /// There is no such name: 550 5.1.2.
    NoName,
    /// Nobody would or could tell now: 451 4.4.3. Why, in a few words.
    Temporary(String),
}

/// How the resolver of a loop is set up.
#[derive(Clone, Debug, Default)]
pub struct Resolving {
    /// The name server to ask in place of those of /etc/resolv.conf: for labs.
    pub server: Option<SocketAddr>,
    /// In place of /etc/hosts and /etc/resolv.conf, which are read when needed: for tests.
    pub known: Option<(Hosts, ResolvConf)>,
}

/// The resolver of a loop.
pub(super) struct Lookups {
    resolving: Resolving,
}

impl Lookups {
    pub(super) fn new(resolving: Resolving) -> Self {
        Self { resolving }
    }
    pub(super) fn next_due(&self) -> Option<Instant> {
        let _ = &self.resolving;
        None
    }
    pub(super) fn expire(&mut self, _now: Instant, _registry: &Registry, _next_token: &mut u64) {}
    pub(super) fn next_found(&mut self, _now: Instant) -> Option<(u64, Found)> {
        None
    }
    pub(super) fn ask(
        &mut self,
        _word: u64,
        _question: Question,
        _now: Instant,
        _registry: &Registry,
        _next_token: &mut u64,
    ) {
    }
    pub(super) fn ready(
        &mut self,
        _token: u64,
        _now: Instant,
        _registry: &Registry,
        _next_token: &mut u64,
    ) {
    }
}
