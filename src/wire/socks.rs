//! SOCKS 4, 4a and 5: requests and replies, as octets. CONNECT, for TCP; what else there is can be read, and refused.
//!
//! Who says what when is in [`crate::proto::proxy`]; this is what each message looks like:
//!
//! | version | who | message | octets | section |
//! |---|---|---|---|---|
//! | 4 | client | [`Request4`] | `04 CD PORT IP USERID 00` | SOCKS4.protocol |
//! | 4a | client | [`Request4`] | `04 CD PORT 0.0.0.x USERID 00 NAME 00`, x not 0 | SOCKS 4A (Y. Lee) |
//! | 4, 4a | server | [`Answer4`] | `00 CD PORT IP` | SOCKS4.protocol |
//! | 5 | client | [`Greeting`] | `05 N METHOD...` | RFC 1928 §3 |
//! | 5 | server | [`Choice`] | `05 METHOD` | RFC 1928 §3 |
//! | 5 | client | [`UserPassword`] | `01 N USER... N PASSWORD...` | RFC 1929 §2 |
//! | 5 | server | [`Verdict`] | `01 STATUS` | RFC 1929 §2 |
//! | 5 | client | [`Request5`] | `05 CMD 00 ATYP ADDR PORT` | RFC 1928 §4 |
//! | 5 | server | [`Answer5`] | `05 REP 00 ATYP ADDR PORT` | RFC 1928 §6 |
//!
//! Each message is read by a `parse` from all octets of it that there are. It says how many it needs to get on, never more
//! than the message has, so that who reads exactly as many takes nothing of what comes behind it. The longest message has
//! 520 octets ([`LONGEST`]); one that cannot become whole within that is an error.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4};

use super::destination::{Destination, Host, NAME};

/// What the octets so far are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Partial<T> {
    /// The beginning of a message: there must be at least so many octets in all, and the message has that many or more.
    Needs(usize),
    /// A message, and how many octets it has.
    Whole(T, usize),
}

/// Octets that are no message of SOCKS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// The first octet is not the version that belongs there.
    Version(u8),
    /// An address of a kind that RFC 1928 §5 does not have.
    AddressType(u8),
    /// A user id or a name is too long, or a name is none.
    Name,
}

/// What a client wants done. BIND and UDP ASSOCIATE are not offered here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command(pub u8);

impl Command {
    /// Connect to the destination.
    pub const CONNECT: Self = Self(1);
    /// Wait for a connection from it.
    pub const BIND: Self = Self(2);
    /// Relay datagrams (version 5 only).
    pub const UDP_ASSOCIATE: Self = Self(3);
}

/// A way to log in (RFC 1928 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method(pub u8);

impl Method {
    /// No authentication required.
    pub const NONE: Self = Self(0);
    /// GSSAPI. RFC 1928 §3 demands it of every implementation; hardly any has it, and neither has this.
    pub const GSSAPI: Self = Self(1);
    /// User name and password (RFC 1929).
    pub const USER_PASSWORD: Self = Self(2);
    /// None of those that were offered.
    pub const NONE_ACCEPTABLE: Self = Self(0xff);
}

/// The result code of SOCKS 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code4(pub u8);

impl Code4 {
    /// Request granted.
    pub const GRANTED: Self = Self(90);
    /// Request rejected or failed: the protocol does not tell these apart.
    pub const REJECTED: Self = Self(91);

    /// What it means, to go on behind "the proxy".
    pub const fn words(self) -> &'static str {
        match self.0 {
            90 => "granted the request",
            91 => "rejected the request, or could not connect (SOCKS 4 does not say which)",
            92 => {
                "rejected the request: it wants to ask identd (port 113) on this machine who you are, and cannot"
            }
            93 => "rejected the request: identd on this machine says that you are somebody else",
            _ => "answered with a code that SOCKS 4 does not have",
        }
    }

    /// What OpenBSD's nc says, behind `connection failed, SOCKSv4 error: `.
    pub const fn netcat(self) -> &'static str {
        match self.0 {
            90 => "Succeeded",
            91 => "Request rejected or failed",
            92 => "SOCKS server cannot connect to identd on the client",
            93 => "Client program and identd report different user-ids",
            _ => "Unknown error",
        }
    }
}

/// The reply code of SOCKS 5 (RFC 1928 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code5(pub u8);

impl Code5 {
    /// Succeeded.
    pub const SUCCEEDED: Self = Self(0);
    /// General SOCKS server failure.
    pub const FAILURE: Self = Self(1);
    /// Connection not allowed by ruleset.
    pub const NOT_ALLOWED: Self = Self(2);
    /// Network unreachable.
    pub const NETWORK_UNREACHABLE: Self = Self(3);
    /// Host unreachable; also what is left to say of a name that is not known.
    pub const HOST_UNREACHABLE: Self = Self(4);
    /// Connection refused.
    pub const REFUSED: Self = Self(5);
    /// TTL expired, which servers say of a connection that timed out.
    pub const TTL_EXPIRED: Self = Self(6);
    /// Command not supported.
    pub const COMMAND_NOT_SUPPORTED: Self = Self(7);
    /// Address type not supported.
    pub const ADDRESS_TYPE_NOT_SUPPORTED: Self = Self(8);

    /// What it means, to go on behind "the proxy".
    pub const fn words(self) -> &'static str {
        match self.0 {
            0 => "connected",
            1 => "failed, and does not say why (perhaps it does not know that name)",
            2 => "does not allow that connection",
            3 => "cannot reach the network of that host",
            4 => "cannot reach that host, or does not know its name",
            5 => "was refused the connection: nobody listens at that port there",
            6 => "got no answer from that host in time",
            7 => "does not connect for others (command not supported)",
            8 => "does not take that kind of address",
            _ => "answered with a code that SOCKS 5 does not have",
        }
    }

    /// What ncat says, behind `Error: `.
    pub const fn ncat(self) -> &'static str {
        match self.0 {
            1 => "general SOCKS server failure",
            2 => "connection not allowed by ruleset",
            0 | 3..=8 => self.netcat(),
            _ => "unassigned value in the reply",
        }
    }

    /// What OpenBSD's nc says, behind `connection failed, SOCKSv5 error: `.
    pub const fn netcat(self) -> &'static str {
        match self.0 {
            0 => "Succeeded",
            1 => "General SOCKS server failure",
            2 => "Connection not allowed by ruleset",
            3 => "Network unreachable",
            4 => "Host unreachable",
            5 => "Connection refused",
            6 => "TTL expired",
            7 => "Command not supported",
            8 => "Address type not supported",
            _ => "Unknown error",
        }
    }
}

/// What a client of SOCKS 4 or 4a asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request4 {
    /// What to do.
    pub command: Command,
    /// With an IPv4 address (4) or a name (4a).
    pub destination: Destination,
    /// Who asks; whatever the client likes, without NUL.
    pub user: Vec<u8>,
}

impl Request4 {
    /// Appends it. `false`, and nothing, where version 4 cannot say it: an IPv6 address, an address that 4a takes for the
    /// announcement of a name, a name that is none, a NUL in the user, or one that is too long.
    ///
    /// ```
    /// use mailtool::wire::destination::Destination;
    /// use mailtool::wire::socks::{Command, Partial, Request4};
    ///
    /// let destination = Destination::parse("mail.example.org:25").unwrap();
    /// let request = Request4 { command: Command::CONNECT, destination, user: b"alice".to_vec() };
    /// let mut octets = Vec::new();
    /// assert!(request.encode(&mut octets));
    /// assert_eq!(octets, b"\x04\x01\0\x19\0\0\0\x01alice\0mail.example.org\0");
    /// assert_eq!(Request4::parse(&octets), Ok(Partial::Whole(request, octets.len())));
    /// assert_eq!(Request4::parse(&octets[..3]), Ok(Partial::Needs(9)));
    /// ```
    pub fn encode(&self, out: &mut Vec<u8>) -> bool {
        let (address, name) = match &self.destination.host {
            Host::Address(IpAddr::V4(address)) if !announces_name(*address) => (*address, None),
            Host::Name(name) if self.destination.host.is_sayable() => {
                (Ipv4Addr::new(0, 0, 0, 1), Some(name))
            }
            _ => return false,
        };
        if self.user.contains(&0) || self.user.len() > NAME {
            return false;
        }
        out.extend_from_slice(&[4, self.command.0]);
        out.extend_from_slice(&self.destination.port.to_be_bytes());
        out.extend_from_slice(&address.octets());
        out.extend_from_slice(&self.user);
        out.push(0);
        if let Some(name) = name {
            out.extend_from_slice(name.as_bytes());
            out.push(0);
        }
        true
    }

    /// Reads it.
    pub fn parse(octets: &[u8]) -> Result<Partial<Self>, Malformed> {
        expect_version(octets, &[4])?;
        let Some((head, rest)) = octets.split_first_chunk::<8>() else {
            return Ok(Partial::Needs(9));
        };
        let [_, command, port @ .., a, b, c, d] = *head;
        let address = Ipv4Addr::new(a, b, c, d);
        let Some((user, rest)) = until_nul(rest)? else {
            return Ok(Partial::Needs(octets.len() + 1));
        };
        let mut used = octets.len() - rest.len();
        let host = if announces_name(address) {
            let Some((name, rest)) = until_nul(rest)? else {
                return Ok(Partial::Needs(octets.len() + 1));
            };
            used = octets.len() - rest.len();
            named(name)?
        } else {
            Host::Address(address.into())
        };
        let request = Self {
            command: Command(command),
            destination: Destination {
                host,
                port: u16::from_be_bytes(port),
            },
            user: user.to_vec(),
        };
        Ok(Partial::Whole(request, used))
    }
}

/// The reply of SOCKS 4 and 4a.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer4 {
    /// What came of it.
    pub code: Code4,
    /// Means nothing after CONNECT.
    pub bound: SocketAddrV4,
}

impl Answer4 {
    /// Appends it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0, self.code.0]);
        out.extend_from_slice(&self.bound.port().to_be_bytes());
        out.extend_from_slice(&self.bound.ip().octets());
    }

    /// Reads it. A refusal is whole with its second octet: some servers close after it.
    ///
    /// ```
    /// use mailtool::wire::socks::{Answer4, Code4, Partial};
    ///
    /// let Ok(Partial::Whole(answer, 8)) = Answer4::parse(b"\0\x5a\0\x19\x7f\0\0\x01") else { panic!() };
    /// assert_eq!((answer.code, answer.bound.to_string()), (Code4::GRANTED, "127.0.0.1:25".to_owned()));
    /// ```
    pub fn parse(octets: &[u8]) -> Result<Partial<Self>, Malformed> {
        // QUIRK: it is the version of the reply, 0; some servers write the version of the protocol.
        expect_version(octets, &[0, 4])?;
        let code = octets.get(1).map(|code| Code4(*code));
        match (code, octets.first_chunk::<8>()) {
            (Some(code), _) if code != Code4::GRANTED => {
                let bound = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);
                Ok(Partial::Whole(Self { code, bound }, octets.len().min(8)))
            }
            (Some(code), Some([_, _, port @ .., a, b, c, d])) => {
                let bound =
                    SocketAddrV4::new(Ipv4Addr::new(*a, *b, *c, *d), u16::from_be_bytes(*port));
                Ok(Partial::Whole(Self { code, bound }, 8))
            }
            (Some(_), None) => Ok(Partial::Needs(8)),
            (None, _) => Ok(Partial::Needs(2)),
        }
    }
}

/// The first message of a SOCKS 5 client: how it can log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// At most 255.
    pub methods: Vec<Method>,
}

impl Greeting {
    /// Appends it, with the first 255 methods.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let count = u8::try_from(self.methods.len()).unwrap_or(u8::MAX);
        out.extend_from_slice(&[5, count]);
        out.extend(
            self.methods
                .iter()
                .take(count.into())
                .map(|method| method.0),
        );
    }

    /// Reads it.
    ///
    /// ```
    /// use mailtool::wire::socks::{Greeting, Method, Partial};
    ///
    /// let methods = vec![Method::NONE, Method::USER_PASSWORD];
    /// assert_eq!(Greeting::parse(b"\x05\x02\0\x02"), Ok(Partial::Whole(Greeting { methods }, 4)));
    /// assert_eq!(Greeting::parse(b"\x05\x02"), Ok(Partial::Needs(4)));
    /// ```
    pub fn parse(octets: &[u8]) -> Result<Partial<Self>, Malformed> {
        expect_version(octets, &[5])?;
        let Some(&count) = octets.get(1) else {
            return Ok(Partial::Needs(2));
        };
        let whole = 2 + usize::from(count);
        let Some(methods) = octets.get(2..whole) else {
            return Ok(Partial::Needs(whole));
        };
        let methods = methods.iter().map(|&method| Method(method)).collect();
        Ok(Partial::Whole(Self { methods }, whole))
    }
}

/// The server's answer to [`Greeting`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice(pub Method);

impl Choice {
    /// Appends it.
    pub fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[5, self.0.0]);
    }

    /// Reads it.
    pub fn parse(octets: &[u8]) -> Result<Partial<Self>, Malformed> {
        expect_version(octets, &[5])?;
        Ok(match octets {
            [_, method, ..] => Partial::Whole(Self(Method(*method)), 2),
            _ => Partial::Needs(2),
        })
    }
}

/// RFC 1929: in the clear, so no better than the network between.
#[derive(Clone, PartialEq, Eq)]
pub struct UserPassword {
    /// 1 to 255 octets.
    pub user: Vec<u8>,
    /// At most 255 octets. RFC 1929 §2 has at least one, but clients and servers alike let it be empty.
    pub password: Vec<u8>,
}

impl UserPassword {
    /// Appends it. `false`, and nothing, where it does not fit.
    pub fn encode(&self, out: &mut Vec<u8>) -> bool {
        let (Ok(user @ 1..), Ok(password)) = (
            u8::try_from(self.user.len()),
            u8::try_from(self.password.len()),
        ) else {
            return false;
        };
        out.extend_from_slice(&[1, user]);
        out.extend_from_slice(&self.user);
        out.push(password);
        out.extend_from_slice(&self.password);
        true
    }

    /// Reads it.
    ///
    /// ```
    /// use mailtool::wire::socks::{Partial, UserPassword};
    ///
    /// let Ok(Partial::Whole(login, 11)) = UserPassword::parse(b"\x01\x05alice\x03abc") else { panic!() };
    /// assert_eq!((login.user, login.password), (b"alice".to_vec(), b"abc".to_vec()));
    /// ```
    pub fn parse(octets: &[u8]) -> Result<Partial<Self>, Malformed> {
        expect_version(octets, &[1])?;
        let Some(&user_length) = octets.get(1) else {
            return Ok(Partial::Needs(2));
        };
        let user_end = 2 + usize::from(user_length);
        let (Some(user), Some(&password_length)) = (octets.get(2..user_end), octets.get(user_end))
        else {
            return Ok(Partial::Needs(user_end + 1));
        };
        let whole = user_end + 1 + usize::from(password_length);
        let Some(password) = octets.get(user_end + 1..whole) else {
            return Ok(Partial::Needs(whole));
        };
        let login = Self {
            user: user.to_vec(),
            password: password.to_vec(),
        };
        Ok(Partial::Whole(login, whole))
    }
}

impl fmt::Debug for UserPassword {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = String::from_utf8_lossy(&self.user);
        write!(formatter, "UserPassword({user:?}, ********)")
    }
}

/// The server's answer to [`UserPassword`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Status 0.
    Accepted,
    /// Any other status; the server closes.
    Refused,
}

impl Verdict {
    /// Appends it.
    pub fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[1, u8::from(self == Self::Refused)]);
    }

    /// Reads it.
    pub fn parse(octets: &[u8]) -> Result<Partial<Self>, Malformed> {
        // QUIRK: 1 is the version of this negotiation; some servers write the version of SOCKS.
        expect_version(octets, &[1, 5])?;
        Ok(match octets {
            [_, 0, ..] => Partial::Whole(Self::Accepted, 2),
            [_, _, ..] => Partial::Whole(Self::Refused, 2),
            _ => Partial::Needs(2),
        })
    }
}

/// What a client of SOCKS 5 asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request5 {
    /// What to do.
    pub command: Command,
    /// With a name, or an address of either kind.
    pub destination: Destination,
}

impl Request5 {
    /// Appends it. `false`, and nothing, for a name that is none.
    ///
    /// ```
    /// use mailtool::wire::destination::Destination;
    /// use mailtool::wire::socks::{Command, Partial, Request5};
    ///
    /// let destination = Destination::parse("mail.example.org:25").unwrap();
    /// let request = Request5 { command: Command::CONNECT, destination };
    /// let mut octets = Vec::new();
    /// assert!(request.encode(&mut octets));
    /// assert_eq!(octets, b"\x05\x01\0\x03\x10mail.example.org\0\x19");
    /// assert_eq!(Request5::parse(&octets), Ok(Partial::Whole(request, octets.len())));
    /// ```
    pub fn encode(&self, out: &mut Vec<u8>) -> bool {
        if !self.destination.host.is_sayable() {
            return false;
        }
        out.extend_from_slice(&[5, self.command.0, 0]);
        encode_address(&self.destination, out);
        true
    }

    /// Reads it.
    pub fn parse(octets: &[u8]) -> Result<Partial<Self>, Malformed> {
        expect_version(octets, &[5])?;
        let parsed = parse_address(octets)?;
        let command = Command(octets.get(1).copied().unwrap_or_default());
        Ok(match parsed {
            Partial::Needs(octets) => Partial::Needs(octets),
            Partial::Whole((host, port), used) => {
                let host = match host {
                    Bound::Address(address) => Host::Address(address),
                    Bound::Name(name) => named(&name)?,
                };
                let destination = Destination { host, port };
                Partial::Whole(
                    Self {
                        command,
                        destination,
                    },
                    used,
                )
            }
        })
    }
}

/// The reply of SOCKS 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer5 {
    /// What came of it.
    pub code: Code5,
    /// Where the proxy connected from; `None` when it said so by name, or failed.
    pub bound: Option<SocketAddr>,
}

impl Answer5 {
    /// Appends it; zeros for no address.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let none = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        out.extend_from_slice(&[5, self.code.0, 0]);
        encode_address(&self.bound.unwrap_or(none).into(), out);
    }

    /// Reads it. A failure is whole with its second octet: some servers close after it, or write no address.
    ///
    /// ```
    /// use mailtool::wire::socks::{Answer5, Code5, Partial};
    ///
    /// let Ok(Partial::Whole(answer, 10)) = Answer5::parse(b"\x05\0\0\x01\x7f\0\0\x01\0\x19") else { panic!() };
    /// assert_eq!((answer.code, answer.bound), (Code5::SUCCEEDED, Some("127.0.0.1:25".parse().unwrap())));
    /// ```
    pub fn parse(octets: &[u8]) -> Result<Partial<Self>, Malformed> {
        expect_version(octets, &[5])?;
        let Some(code) = octets.get(1).map(|code| Code5(*code)) else {
            return Ok(Partial::Needs(2));
        };
        if code != Code5::SUCCEEDED {
            return Ok(Partial::Whole(Self { code, bound: None }, octets.len()));
        }
        Ok(match parse_address(octets)? {
            Partial::Needs(octets) => Partial::Needs(octets),
            Partial::Whole((host, port), used) => {
                let bound = match host {
                    Bound::Address(address) => Some(SocketAddr::new(address, port)),
                    Bound::Name(_) => None,
                };
                Partial::Whole(Self { code, bound }, used)
            }
        })
    }
}

/// Octets of the longest message: SOCKS 4a with the longest user and the longest name.
pub const LONGEST: usize = 8 + 2 * (NAME + 1);

/// An address field as it came; a server's own name may be anything, even empty.
enum Bound {
    Address(IpAddr),
    Name(Vec<u8>),
}

/// The port and address behind the first three octets of a version 5 request or reply.
fn parse_address(octets: &[u8]) -> Result<Partial<(Bound, u16)>, Malformed> {
    let address_type = octets.get(3).copied();
    let (from, length) = match (address_type, octets.get(4)) {
        (None, _) => return Ok(Partial::Needs(4)),
        (Some(ATYP_V4), _) => (4, 4),
        (Some(ATYP_V6), _) => (4, 16),
        (Some(ATYP_NAME), None) => return Ok(Partial::Needs(5)),
        (Some(ATYP_NAME), Some(&length)) => (5, usize::from(length)),
        (Some(other), _) => return Err(Malformed::AddressType(other)),
    };
    let whole = from + length + 2;
    let field = octets.get(from..whole);
    let Some((address, port)) = field.and_then(|field| field.split_last_chunk::<2>()) else {
        return Ok(Partial::Needs(whole));
    };
    let host = match (<[u8; 4]>::try_from(address), <[u8; 16]>::try_from(address)) {
        _ if address_type == Some(ATYP_NAME) => Bound::Name(address.to_vec()),
        (Ok(four), _) => Bound::Address(four.into()),
        (_, Ok(sixteen)) => Bound::Address(Ipv6Addr::from(sixteen).into()),
        // The two other types have exactly these lengths.
        _ => return Err(Malformed::AddressType(0)),
    };
    Ok(Partial::Whole((host, u16::from_be_bytes(*port)), whole))
}

fn encode_address(destination: &Destination, out: &mut Vec<u8>) {
    match &destination.host {
        Host::Address(IpAddr::V4(address)) => {
            out.push(ATYP_V4);
            out.extend_from_slice(&address.octets());
        }
        Host::Address(IpAddr::V6(address)) => {
            out.push(ATYP_V6);
            out.extend_from_slice(&address.octets());
        }
        Host::Name(name) => {
            let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
            out.extend_from_slice(&[ATYP_NAME, length]);
            out.extend_from_slice(&name.as_bytes()[..length.into()]);
        }
    }
    out.extend_from_slice(&destination.port.to_be_bytes());
}

/// SOCKS 4A: an address 0.0.0.x that nobody can have says that a name follows.
const fn announces_name(address: Ipv4Addr) -> bool {
    matches!(address.octets(), [0, 0, 0, 1..=255])
}

/// What is before a NUL, and what is behind it.
type Ended<'a> = (&'a [u8], &'a [u8]);

/// At the first NUL; `None` if it has yet to come.
fn until_nul(octets: &[u8]) -> Result<Option<Ended<'_>>, Malformed> {
    match memchr::memchr(0, octets) {
        Some(end) if end <= NAME => Ok(Some((&octets[..end], &octets[end + 1..]))),
        None if octets.len() <= NAME => Ok(None),
        _ => Err(Malformed::Name),
    }
}

/// QUIRK: clients say addresses as names, too.
fn named(name: &[u8]) -> Result<Host, Malformed> {
    let text = std::str::from_utf8(name).ok();
    text.and_then(Host::parse).ok_or(Malformed::Name)
}

fn expect_version(octets: &[u8], versions: &[u8]) -> Result<(), Malformed> {
    match octets.first() {
        Some(version) if !versions.contains(version) => Err(Malformed::Version(*version)),
        _ => Ok(()),
    }
}

const ATYP_V4: u8 = 1;
const ATYP_NAME: u8 = 3;
const ATYP_V6: u8 = 4;

#[cfg(test)]
mod tests;
