//! What the user wants of a socket: options of the kernel, in one place.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;

use socket2::Socket;

use crate::sys;

/// What the user wants of a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// SO_BROADCAST, if true.
    pub broadcast: bool,
    /// SO_KEEPALIVE, if true.
    pub keepalive: bool,
    /// SO_DEBUG, if true. The kernel lets only the administrator.
    pub debug: bool,
    /// The key of TCP MD5 signatures (RFC 2385), 80 octets at most.
    pub md5_key: Option<Vec<u8>>,
    /// SO_RCVBUF, in octets.
    pub receive_buffer: Option<usize>,
    /// SO_SNDBUF, in octets.
    pub send_buffer: Option<usize>,
    /// Hops that a packet may take.
    pub ttl: Option<u32>,
    /// Packets that come with fewer hops left are dropped (RFC 5082).
    pub min_ttl: Option<u32>,
    /// IPv4's type of service, IPv6's traffic class.
    pub tos: Option<u8>,
    /// The way that IPv4 packets go.
    pub route: Option<Route>,
    /// IPV6_V6ONLY, if true: an IPv6 listener takes no IPv4 callers.
    pub only_v6: bool,
}

/// A loose source route (RFC 791 §3.1). Linux takes it only with its pointer at the first hop, 4, and most routers drop packets
/// that have one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The hops, 8 at most.
    pub hops: Vec<Ipv4Addr>,
    /// Where to begin: 4 is the first of them.
    pub pointer: u8,
}

/// The kernel does not take a setting: which, where OpenBSD's nc names it, and why. So it is told from a peer who cannot be reached.
#[derive(Debug)]
pub struct Unset {
    what: &'static str,
    why: io::Error,
}

impl Unset {
    /// Whether that is what went wrong.
    pub fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }

    fn of(what: &'static str) -> impl Fn(io::Error) -> io::Error {
        move |why| io::Error::new(why.kind(), Self { what, why })
    }
}

impl fmt::Display for Unset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.what.is_empty() { "" } else { ": " };
        write!(formatter, "{}{colon}{}", self.what, self.why)
    }
}

impl Error for Unset {}

impl Settings {
    /// Sets all of it on a socket that is to be used with `address`.
    pub(super) fn apply(&self, socket: &Socket, address: SocketAddr) -> io::Result<()> {
        if self.only_v6 && address.is_ipv6() {
            socket.set_only_v6(true).map_err(Unset::of(""))?;
        }
        if self.broadcast {
            socket.set_broadcast(true).map_err(Unset::of(""))?;
        }
        if self.keepalive {
            socket.set_keepalive(true).map_err(Unset::of(""))?;
        }
        if self.debug {
            set(socket, libc::SOL_SOCKET, libc::SO_DEBUG, 1).map_err(Unset::of(""))?;
        }
        if let Some(key) = &self.md5_key {
            let value = md5_signature(address, key)?;
            sys::set_socket_option(socket.as_fd(), libc::IPPROTO_TCP, TCP_MD5SIG, &value)
                .map_err(Unset::of(""))?;
        }
        if let Some(octets) = self.receive_buffer {
            socket
                .set_recv_buffer_size(octets)
                .map_err(Unset::of("set TCP receive buffer size"))?;
        }
        if let Some(octets) = self.send_buffer {
            socket
                .set_send_buffer_size(octets)
                .map_err(Unset::of("set TCP send buffer size"))?;
        }
        if let Some(ttl) = self.ttl {
            match address {
                SocketAddr::V4(_) => socket.set_ttl_v4(ttl).map_err(Unset::of("set IP TTL"))?,
                SocketAddr::V6(_) => socket
                    .set_unicast_hops_v6(ttl)
                    .map_err(Unset::of("set IPv6 unicast hops"))?,
            }
        }
        if let Some(ttl) = self.min_ttl {
            let (level, name, what) = match address {
                SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_MINTTL, "set IP min TTL"),
                SocketAddr::V6(_) => (
                    libc::IPPROTO_IPV6,
                    IPV6_MINHOPCOUNT,
                    "set IPv6 min hop count",
                ),
            };
            set(socket, level, name, ttl).map_err(Unset::of(what))?;
        }
        if let Some(tos) = self.tos {
            match address {
                SocketAddr::V4(_) => socket
                    .set_tos_v4(tos.into())
                    .map_err(Unset::of("set IP ToS"))?,
                SocketAddr::V6(_) => socket
                    .set_tclass_v6(tos.into())
                    .map_err(Unset::of("set IPv6 traffic class"))?,
            }
        }
        if let (Some(route), SocketAddr::V4(_)) = (&self.route, address) {
            let option = route.option()?;
            sys::set_socket_option(socket.as_fd(), libc::IPPROTO_IP, libc::IP_OPTIONS, &option)?;
        }
        Ok(())
    }
}

impl Route {
    /// The IP option. The last hop's place is taken by the destination when the kernel sends it, and the first goes where that
    /// was: so there are as many places as hops.
    fn option(&self) -> io::Result<Vec<u8>> {
        let length = u8::try_from(3 + 4 * self.hops.len()).ok();
        let Some(length) = length.filter(|length| *length < MAX_IP_OPTIONS) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let mut option = vec![NO_OPERATION, LOOSE_SOURCE_ROUTE, length, self.pointer];
        for hop in &self.hops {
            option.extend_from_slice(&hop.octets());
        }
        Ok(option)
    }
}

fn set(socket: &Socket, level: i32, name: i32, value: u32) -> io::Result<()> {
    sys::set_socket_option(socket.as_fd(), level, name, &value.to_ne_bytes())
}

/// `struct tcp_md5sig` of Linux's tcp(7): for which peer, and the key.
fn md5_signature(peer: SocketAddr, key: &[u8]) -> io::Result<[u8; MD5_LENGTH]> {
    let mut value = [0; MD5_LENGTH];
    let length = u16::try_from(key.len()).unwrap_or(u16::MAX);
    let Some(room) = value[MD5_KEY..].get_mut(..key.len()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    room.copy_from_slice(key);
    value[MD5_KEY_LENGTH..MD5_KEY_LENGTH + 2].copy_from_slice(&length.to_ne_bytes());
    let family = match peer {
        SocketAddr::V4(peer) => {
            value[4..8].copy_from_slice(&peer.ip().octets());
            libc::AF_INET
        }
        SocketAddr::V6(peer) => {
            value[8..24].copy_from_slice(&peer.ip().octets());
            libc::AF_INET6
        }
    };
    value[2..4].copy_from_slice(&peer.port().to_be_bytes());
    let family = u16::try_from(family).unwrap_or_default();
    value[..2].copy_from_slice(&family.to_ne_bytes());
    Ok(value)
}

const TCP_MD5SIG: i32 = 14;
const IPV6_MINHOPCOUNT: i32 = 73;
/// An address (sockaddr_storage), two octets of flags, the key's length, an interface, the key.
const MD5_KEY_LENGTH: usize = 128 + 2;
const MD5_KEY: usize = MD5_KEY_LENGTH + 2 + 4;
const MD5_LENGTH: usize = MD5_KEY + 80;
/// RFC 791 §3.1
const NO_OPERATION: u8 = 1;
const LOOSE_SOURCE_ROUTE: u8 = 131;
const MAX_IP_OPTIONS: u8 = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use socket2::{Domain, Type};

    fn applied(settings: &Settings, address: &str) -> io::Result<Socket> {
        let address: SocketAddr = address.parse().unwrap();
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        settings.apply(&socket, address).map(|()| socket)
    }

    #[test]
    fn the_kernel_takes_each_of_them_for_both_families() {
        let settings = Settings {
            broadcast: true,
            keepalive: true,
            receive_buffer: Some(50_000),
            send_buffer: Some(50_000),
            ttl: Some(9),
            min_ttl: Some(3),
            tos: Some(0x20),
            ..Settings::default()
        };
        let socket = applied(&settings, "127.0.0.1:1").unwrap();
        assert_eq!(
            (socket.ttl_v4().unwrap(), socket.tos_v4().unwrap()),
            (9, 0x20)
        );
        assert!(socket.broadcast().unwrap() && socket.keepalive().unwrap());
        let socket = applied(&settings, "[::1]:1").unwrap();
        assert_eq!(socket.unicast_hops_v6().unwrap(), 9);
        assert_eq!(socket.tclass_v6().unwrap(), 0x20);
    }

    #[test]
    fn what_is_out_of_bounds_is_refused() {
        let settings = Settings {
            md5_key: Some(vec![b'k'; 81]),
            ..Settings::default()
        };
        assert!(applied(&settings, "127.0.0.1:1").is_err());
        let settings = Settings {
            route: Some(Route {
                hops: vec![Ipv4Addr::LOCALHOST; 10],
                pointer: 4,
            }),
            ..Settings::default()
        };
        assert!(applied(&settings, "127.0.0.1:1").is_err());
    }

    #[test]
    fn a_route_is_an_ip_option() {
        let route = Route {
            hops: vec![Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)],
            pointer: 4,
        };
        let option = route.option().unwrap();
        assert_eq!(option, [1, 131, 11, 4, 192, 0, 2, 1, 192, 0, 2, 2]);
        let settings = Settings {
            route: Some(route),
            ..Settings::default()
        };
        assert!(applied(&settings, "127.0.0.1:1").is_ok(), "Linux takes it");
        assert!(applied(&settings, "[::1]:1").is_ok(), "of IPv4 only");
    }

    #[test]
    fn a_signature_names_the_peer_and_the_key() {
        let value = md5_signature("192.0.2.7:25".parse().unwrap(), b"secret").unwrap();
        assert_eq!(value.len(), 216, "sizeof(struct tcp_md5sig)");
        assert_eq!(value[..8], [2, 0, 0, 25, 192, 0, 2, 7]);
        assert_eq!(value[130..132], 6_u16.to_ne_bytes());
        assert_eq!(&value[136..142], b"secret");
        let value = md5_signature("[::1]:25".parse().unwrap(), b"").unwrap();
        assert_eq!((value[0], value[23]), (10, 1));
    }
}
