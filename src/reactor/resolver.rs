//! Names to addresses and back, as getaddrinfo(3) and getnameinfo(3) would answer, without libc: a static binary must not call its
//! resolver, and in an empty chroot there is none.
//!
//! In order: numeric addresses (also `127.1` and `fe80::1%lo`), /etc/hosts, `localhost` (RFC 6761 §6.3), then the name
//! servers of /etc/resolv.conf over UDP, over TCP when a reply is truncated. The id of every query is random, and so is
//! its source port, which the kernel chooses (RFC 5452 §9.2). A and AAAA are asked at the same time.
//!
//! It blocks, for at most `attempts` x `timeout` for each server: for programs that do one thing. It keeps nothing.
//!
//! | outcome of the DNS | error |
//! |---|---|
//! | no name server is known, or the name does not exist | [`ResolveError::NotKnown`] |
//! | the name exists, with no address of this family | [`ResolveError::NoAddress`] |
//! | nobody answered, or nobody would | [`ResolveError::Temporary`] |

use std::fs;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use super::question::{Course, Question, Taken, random_id};
use crate::limits;
use crate::wire::dns::{self, Kind, Reply};
use crate::wire::resolv::{Hosts, ResolvConf};

/// Which addresses are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// All of them.
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// Why there is no address, in the words of getaddrinfo(3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// There is no such name.
    NotKnown,
    /// The name has no address of the family that is wanted.
    NoAddress,
    /// The address that was given is not of the family that is wanted.
    OtherFamily,
    /// No name server answered.
    Temporary,
}

impl std::fmt::Display for ResolveError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotKnown => "Name or service not known",
            Self::NoAddress => "No address associated with hostname",
            Self::OtherFamily => "Address family for hostname not supported",
            Self::Temporary => "Temporary failure in name resolution",
        })
    }
}

impl std::error::Error for ResolveError {}

impl From<ResolveError> for io::Error {
    fn from(error: ResolveError) -> Self {
        let kind = match error {
            ResolveError::Temporary => io::ErrorKind::TimedOut,
            _ => io::ErrorKind::NotFound,
        };
        Self::new(kind, error)
    }
}

/// The addresses of `host`, never none, in the order in which they should be tried.
pub fn resolve(host: &str, port: u16, family: Family) -> Result<Vec<SocketAddr>, ResolveError> {
    if let Some(address) = numeric_address(host) {
        return of_family(address, family).map(|address| vec![with_port(address, port)]);
    }
    Resolver::from_system().resolve(host, port, family)
}

/// The address that `host` spells; names are not looked up.
pub fn numeric(host: &str, port: u16, family: Family) -> Result<SocketAddr, ResolveError> {
    let address = numeric_address(host).ok_or(ResolveError::NotKnown)?;
    of_family(address, family).map(|address| with_port(address, port))
}

/// The address as getnameinfo(3) spells it: `fe80::1%eth0` where it has a scope.
pub fn spelled(address: SocketAddr) -> String {
    let scope = match address {
        SocketAddr::V6(address) => address.scope_id(),
        SocketAddr::V4(_) => 0,
    };
    let address = address.ip();
    match scope {
        0 => address.to_string(),
        _ => format!(
            "{address}%{}",
            interface_name(scope).unwrap_or_else(|| scope.to_string())
        ),
    }
}

/// A resolver: what it knows, and whom it asks.
#[derive(Clone, Debug, Default)]
pub struct Resolver {
    /// The names that are known without asking.
    pub hosts: Hosts,
    /// Whom to ask about the others.
    pub conf: ResolvConf,
}

impl Resolver {
    /// As this machine is set up. A file that cannot be read counts as empty.
    pub fn from_system() -> Self {
        let text = |path| {
            let bytes = fs::read(path).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Self {
            hosts: Hosts::parse(&text("/etc/hosts")),
            conf: ResolvConf::parse(&text("/etc/resolv.conf")),
        }
    }

    /// As [`resolve`].
    pub fn resolve(
        &self,
        host: &str,
        port: u16,
        family: Family,
    ) -> Result<Vec<SocketAddr>, ResolveError> {
        let known = self.without_asking(host, family);
        let mut addresses = if known.is_empty() {
            self.ask_for_addresses(host, family)?
        } else {
            known
        };
        in_order(&mut addresses);
        Ok(addresses
            .into_iter()
            .map(|address| (address, port).into())
            .collect())
    }

    /// The name of `address`, if it has one.
    pub fn reverse(&self, address: IpAddr) -> Option<String> {
        let address = address.to_canonical();
        if let Some(name) = self.hosts.name(address) {
            return Some(name.to_owned());
        }
        // No server knows these, and getnameinfo(3) makes no name up.
        if address.is_loopback() || address.is_unspecified() {
            return None;
        }
        let replies = self.ask(&dns::reverse_name(address), &[Kind::Ptr]);
        replies.into_iter().flatten().find_map(|reply| match reply {
            Reply::Name(name) => Some(name),
            _ => None,
        })
    }

    /// What is known of `host` without asking anybody.
    pub(super) fn without_asking(&self, host: &str, family: Family) -> Vec<IpAddr> {
        let name = host.strip_suffix('.').unwrap_or(host);
        let wanted = |address: &IpAddr| of_family((*address, 0), family).is_ok();
        let known: Vec<_> = self.hosts.addresses(name).filter(wanted).collect();
        let is_localhost = {
            let last = name.rsplit('.').next().unwrap_or(name);
            last.eq_ignore_ascii_case("localhost")
        };
        if !known.is_empty() || !is_localhost {
            return known;
        }
        let loopback = [Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()];
        loopback.into_iter().filter(wanted).collect()
    }

    fn ask_for_addresses(&self, host: &str, family: Family) -> Result<Vec<IpAddr>, ResolveError> {
        if self.conf.servers.is_empty() {
            return Err(ResolveError::NotKnown);
        }
        let kinds: &[Kind] = match family {
            Family::Any => &[Kind::A, Kind::Aaaa],
            Family::V4 => &[Kind::A],
            Family::V6 => &[Kind::Aaaa],
        };
        let mut error = ResolveError::NotKnown;
        for name in self.conf.candidates(host) {
            let mut addresses = Vec::new();
            for reply in self.ask(&name, kinds) {
                match reply {
                    Some(Reply::Addresses(found)) => addresses.extend(found),
                    Some(Reply::NoData) => error = ResolveError::NoAddress,
                    Some(_) => {}
                    None => return found_or(addresses, ResolveError::Temporary),
                }
            }
            if !addresses.is_empty() {
                return Ok(addresses);
            }
        }
        Err(error)
    }

    /// Asks one server after another until each question is settled; `None` for one that nobody answered.
    fn ask(&self, name: &str, kinds: &[Kind]) -> Vec<Option<Reply>> {
        let mut questions: Vec<_> = kinds
            .iter()
            .map(|&kind| Asked {
                question: Question::new(name, kind, random_id()),
                reply: None,
            })
            .collect();
        for asked in &mut questions {
            if asked.question.is_hopeless() {
                asked.reply = Some(Reply::NoName);
            }
        }
        let mut course = Course::new(&self.conf, 0);
        while let Some(server) = course.next() {
            if questions.iter().all(|asked| asked.reply.is_some()) {
                break;
            }
            if course.is_again() {
                for asked in &mut questions {
                    asked.question.give_up_edns();
                    asked.question.write(random_id());
                }
            }
            let until = Instant::now() + self.conf.timeout;
            // A server that cannot be reached is one that does not answer: the next one is asked.
            let _ = ask_server(server, &mut questions, until);
            // Half an answer now is better than both halves much later.
            let found = |asked: &Asked| matches!(asked.reply, Some(Reply::Addresses(_)));
            if course.is_round() && questions.iter().any(found) {
                break;
            }
        }
        questions.into_iter().map(|asked| asked.reply).collect()
    }
}

/// A question, and what is known of it.
struct Asked {
    question: Question,
    reply: Option<Reply>,
}

impl Asked {
    /// Takes a datagram, if it answers this question.
    fn take(&mut self, datagram: &[u8]) -> Taken {
        if self.reply.is_some() {
            return Taken::NotMine;
        }
        self.question.take(datagram, random_id())
    }
}

/// Asks one server all that is not settled, from one fresh port, until all is settled or refused.
fn ask_server(server: SocketAddr, questions: &mut [Asked], until: Instant) -> io::Result<()> {
    let socket = UdpSocket::bind(unspecified(server))?;
    // Only datagrams of this server get in, and an ICMP refusal comes as an error at once.
    socket.connect(server)?;
    let mut open = 0;
    for asked in questions.iter().filter(|asked| asked.reply.is_none()) {
        socket.send(asked.question.message())?;
        open += 1;
    }
    let mut buffer = [0; limits::DNS_DATAGRAM as usize];
    while open > 0 {
        socket.set_read_timeout(Some(remaining(until)?))?;
        let octets = socket.recv(&mut buffer)?;
        for asked in questions.iter_mut() {
            let mut taken = asked.take(&buffer[..octets]);
            if matches!(taken, Taken::AskByTcp) {
                let reply = ask_by_tcp(server, asked.question.message(), until)?;
                taken = asked.take(&reply);
            }
            match taken {
                Taken::NotMine => continue,
                Taken::Settled(reply) => {
                    asked.reply = Some(reply);
                    open -= 1;
                }
                Taken::AskAgain => {
                    socket.send(asked.question.message())?;
                }
                Taken::Failed | Taken::AskByTcp => open -= 1,
            }
            break;
        }
    }
    Ok(())
}

/// RFC 1035 §4.2.2: the same message, with its length in two octets before it.
fn ask_by_tcp(server: SocketAddr, query: &[u8], until: Instant) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&server, remaining(until)?)?;
    stream.set_write_timeout(Some(remaining(until)?))?;
    stream.set_read_timeout(Some(remaining(until)?))?;
    let length = u16::try_from(query.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), query].concat())?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut reply = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut reply)?;
    Ok(reply)
}

fn remaining(until: Instant) -> io::Result<Duration> {
    match until.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
        remaining => Ok(remaining),
    }
}

fn found_or(addresses: Vec<IpAddr>, error: ResolveError) -> Result<Vec<IpAddr>, ResolveError> {
    if addresses.is_empty() {
        return Err(error);
    }
    Ok(addresses)
}

/// RFC 6724 in short: what can be reached first, then IPv6 first; else as the servers gave them.
pub(super) fn in_order(addresses: &mut [IpAddr]) {
    addresses.sort_by_key(|address| (!is_reachable(*address), address.is_ipv4()));
}

/// Whether there is a route: connecting a UDP socket sends nothing.
fn is_reachable(address: IpAddr) -> bool {
    const DISCARD: u16 = 9;
    let to = SocketAddr::new(address, DISCARD);
    UdpSocket::bind(unspecified(to)).is_ok_and(|socket| socket.connect(to).is_ok())
}

pub(super) fn unspecified(like: SocketAddr) -> SocketAddr {
    match like {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

/// An address and the number of its interface, 0 for none.
type Scoped = (IpAddr, u32);

fn of_family(address: Scoped, family: Family) -> Result<Scoped, ResolveError> {
    match (family, address.0) {
        (Family::V4, IpAddr::V6(_)) | (Family::V6, IpAddr::V4(_)) => Err(ResolveError::OtherFamily),
        _ => Ok(address),
    }
}

fn with_port((address, scope): Scoped, port: u16) -> SocketAddr {
    match address {
        IpAddr::V4(v4) => (v4, port).into(),
        IpAddr::V6(v6) => SocketAddrV6::new(v6, port, 0, scope).into(),
    }
}

fn numeric_address(host: &str) -> Option<Scoped> {
    if let Some((address, scope)) = host.split_once('%') {
        let address: Ipv6Addr = address.parse().ok()?;
        return Some((address.into(), interface(scope)?));
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some((address, 0));
    }
    inet_aton(host).map(|address| (address.into(), 0))
}

/// The number of a network interface that is given by number or by name.
fn interface(scope: &str) -> Option<u32> {
    if let Ok(index) = scope.parse() {
        return Some(index);
    }
    if scope.contains('/') {
        return None;
    }
    let index = fs::read_to_string(format!("/sys/class/net/{scope}/ifindex")).ok()?;
    index.trim().parse().ok()
}

fn interface_name(index: u32) -> Option<String> {
    let interfaces = fs::read_dir("/sys/class/net").ok()?;
    let names = interfaces.flatten().map(|entry| entry.file_name());
    names
        .filter_map(|name| name.into_string().ok())
        .find(|name| interface(name) == Some(index))
}

/// The old spellings of an IPv4 address, as inet_aton(3) takes them: `127.1`, `0x7f.0.0.1`, `2130706433`.
fn inet_aton(host: &str) -> Option<Ipv4Addr> {
    let number = |word: &str| match word {
        "0" => Some(0),
        _ if word.starts_with("0x") || word.starts_with("0X") => {
            u32::from_str_radix(&word[2..], 16).ok()
        }
        _ if !word.bytes().all(|octet| octet.is_ascii_digit()) => None,
        _ if word.starts_with('0') => u32::from_str_radix(word, 8).ok(),
        _ => word.parse().ok(),
    };
    let words = host.split('.').map(number).collect::<Option<Vec<u32>>>()?;
    let (&last, octets) = words.split_last()?;
    if octets.len() > 3 || octets.iter().any(|octet| *octet > 255) {
        return None;
    }
    let bits_of_last = 32 - 8 * octets.len();
    if bits_of_last < 32 && last >> bits_of_last != 0 {
        return None;
    }
    let address = octets
        .iter()
        .enumerate()
        .fold(last, |address, (at, octet)| {
            address | octet << (24 - 8 * at)
        });
    Some(address.into())
}

#[cfg(test)]
mod tests;
