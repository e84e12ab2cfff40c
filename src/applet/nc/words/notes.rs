//! What there is to tell while it runs, whoever's words it is told in.

use std::net::SocketAddr;
use std::time::Duration;

use crate::reactor::sockets::UnixName;

/// Something to tell.
#[derive(Clone, Debug)]
pub enum Note<'a> {
    /// It begins.
    Begin,
    /// `--max-conns` bounds nothing, for one caller only is taken.
    MaxConnsIgnored,
    /// Streams can be called here.
    Listening(Local<'a>),
    /// Datagrams can be sent here.
    Bound(Local<'a>),
    /// Somebody called.
    Called {
        /// Who.
        by: Peer<'a>,
        /// Where; netcat-traditional tells.
        at: Option<SocketAddr>,
        /// Its number among many, where ncat's chat tells it.
        number: Option<usize>,
    },
    /// Somebody called at a UNIX socket.
    CalledAt(&'a UnixName),
    /// A caller was not let in.
    NotAllowed,
    /// A caller was one too many; so many are there.
    TooMany(usize),
    /// A call was answered.
    Connected {
        /// The host as it was given.
        host: &'a str,
        /// Who answered: through a proxy the host that was asked for, as far as it is known.
        peer: Peer<'a>,
        /// `tcp`, `udp` or `dccp`.
        carrier: &'a str,
        /// The way to it.
        way: Way,
    },
    /// A datagram was sent to see whether anybody is there, and nobody refused it.
    Knocked,
    /// A call to a UNIX socket was answered.
    ConnectedTo(&'a UnixName),
    /// This name is ours, for datagrams to be answered to.
    CallsFrom(&'a UnixName),
    /// It is no more.
    LeavesName(&'a UnixName),
    /// A call was not answered.
    CallFailed {
        /// The host as it was given.
        host: &'a str,
        /// Who was called.
        peer: Peer<'a>,
        /// `tcp`, `udp` or `dccp`.
        carrier: &'a str,
        /// Why.
        why: &'a WhyNot,
        /// Whether another address of the host is left.
        rest: Rest,
    },
    /// TLS is up.
    Tls(Handshake<'a>),
    /// The certificate is not good, and it goes on.
    Distrusted {
        /// Whose it is.
        host: &'a str,
        /// What is wrong with it.
        why: &'a str,
    },
    /// A certificate of our own was made; its SHA-1 fingerprint.
    Made {
        /// In octets.
        sha1: &'a [u8],
    },
    /// A SOCKS proxy has answered.
    AtProxy(SocketAddr),
    /// A SOCKS proxy has said whether it wants to know who calls.
    LoggingIn {
        /// Whether it does.
        wants_password: bool,
    },
    /// A SOCKS 5 proxy has called the host.
    ProxyConnected,
    /// The proxy will look up the host.
    LookedUpByProxy(&'a str),
    /// We have looked up the host for the proxy.
    LookedUpHere {
        /// The host.
        host: &'a str,
        /// Its address.
        address: SocketAddr,
    },
    /// The conversation is over.
    Moved(Totals),
}

/// Where we are.
#[derive(Clone, Copy, Debug)]
pub enum Local<'a> {
    /// At a port.
    Port(Peer<'a>),
    /// At a UNIX socket.
    Unix(&'a UnixName),
}

/// An address, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// The address and port.
    pub address: SocketAddr,
    /// The name of the address, where it was looked up.
    pub name: Option<&'a str>,
    /// The name of the port, where it was looked up.
    pub service: Option<&'a str>,
}

/// The way to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It was called at its address.
    Direct,
    /// A proxy called it.
    Proxied,
}

/// Whether another address is left to be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// It will be.
    Another,
    /// This was the last.
    Last,
}

/// Why a call was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhyNot {
    /// In the words of errno.
    Failed(String),
    /// The user's patience ended before the kernel's.
    TimedOut,
}

/// TLS as it was agreed.
#[derive(Clone, Copy, Debug)]
pub struct Handshake<'a> {
    /// With whom.
    pub address: SocketAddr,
    /// The organisation of the certificate, if it tells one.
    pub organisation: Option<&'a str>,
    /// The SHA-1 fingerprint of the certificate, in octets.
    pub sha1: &'a [u8],
}

/// How much was moved.
#[derive(Clone, Copy, Debug)]
pub struct Totals {
    /// Octets to the peer.
    pub sent: u64,
    /// Octets from it.
    pub received: u64,
    /// In so long.
    pub time: Duration,
}
