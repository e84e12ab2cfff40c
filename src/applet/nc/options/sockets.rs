//! What carries the conversation, and what is asked of its socket.

use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::applet::nc::complaint::Complaint;
use crate::applet::nc::dialect::Dialect;
use crate::applet::nc::flags::Id;
use crate::applet::nc::getopt::{CommandLine, Spelling};
use crate::reactor::resolver::Family;
use crate::reactor::sockets::{Route, Settings, UnixName};
use crate::wire::services::Transport;

use super::Surroundings;
use super::numbers::{atoi, number, strtonum};

/// What carries the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// DCCP.
    Dccp,
    /// A UNIX stream socket.
    UnixStream,
    /// A UNIX datagram socket.
    UnixDatagram,
}

impl Carrier {
    pub(super) fn of(line: &CommandLine) -> Self {
        // -4 and -6 take back a -U before them.
        let family = line.last_of(&[Id::Unix, Id::V4, Id::V6]);
        let is_unix = family.is_some_and(|given| given.flag.id == Id::Unix);
        match (is_unix, line.has(Id::Udp)) {
            (true, true) => Self::UnixDatagram,
            (true, false) => Self::UnixStream,
            (false, true) => Self::Udp,
            (false, false) if line.has(Id::Dccp) => Self::Dccp,
            (false, false) => Self::Tcp,
        }
    }

    /// Whose names of ports count.
    pub const fn transport(self) -> Transport {
        match self {
            Self::Udp | Self::UnixDatagram => Transport::Udp,
            Self::Tcp | Self::Dccp | Self::UnixStream => Transport::Tcp,
        }
    }

    /// As messages name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dccp => "dccp",
            _ => self.transport().name(),
        }
    }

    /// Whether it is a UNIX socket.
    pub const fn is_unix(self) -> bool {
        matches!(self, Self::UnixStream | Self::UnixDatagram)
    }
}

/// The name of a UNIX socket that an operand spells.
///
/// # Errors
/// The kernel takes 107 octets; without this Debian's nc would say the same, and ncat cut it short.
pub(super) fn unix_name(operand: &OsStr) -> Result<UnixName, Complaint> {
    let octets = operand.as_bytes();
    if octets.len() > 107 {
        return Err(Complaint::Failed(format!(
            "{}: File name too long",
            operand.to_string_lossy()
        )));
    }
    Ok(match octets.strip_prefix(b"@") {
        Some(name) => UnixName::Abstract(name.to_vec()),
        None => UnixName::Path(PathBuf::from(operand)),
    })
}

/// What is asked of a socket, but for the key of -S, which nobody has been asked for yet.
pub(super) fn settings(
    dialect: Dialect,
    line: &CommandLine,
    family: Family,
    surroundings: &Surroundings<'_>,
) -> Result<Settings, Complaint> {
    if line.has(Id::RoutingTable) {
        return Err(Complaint::refused(
            "no alternate routing table support available",
        ));
    }
    let octets = |id, what| -> Result<Option<usize>, Complaint> {
        let Some(text) = line.text(id) else {
            return Ok(None);
        };
        let octets = number(what, &text, (1, 65536 << 14))?;
        Ok(usize::try_from(octets).ok())
    };
    Ok(Settings {
        broadcast: line.has(Id::Broadcast),
        keepalive: line.has(Id::KeepAlive),
        debug: line.has(Id::Debug),
        md5_key: None,
        receive_buffer: octets(Id::ReceiveBuffer, "TCP receive window")?,
        send_buffer: octets(Id::SendBuffer, "TCP send window")?,
        ttl: hops(line, Id::Ttl, "ttl")?,
        min_ttl: hops(line, Id::MinTtl, "minttl")?,
        tos: tos(dialect, line)?,
        route: route(dialect, line, family, surroundings)?,
        only_v6: dialect == Dialect::Ncat && family == Family::V6,
    })
}

fn hops(line: &CommandLine, id: Id, what: &str) -> Result<Option<u32>, Complaint> {
    let Some(text) = line.text(id) else {
        return Ok(None);
    };
    let hops =
        strtonum(&text, (0, 255)).map_err(|why| Complaint::Refused(format!("{what} is {why}")))?;
    Ok(u32::try_from(hops).ok())
}

fn tos(dialect: Dialect, line: &CommandLine) -> Result<Option<u8>, Complaint> {
    let Some(text) = line.text(Id::Tos) else {
        return Ok(None);
    };
    let names: &[(&str, u8)] = match dialect {
        Dialect::Traditional => &TRADITIONAL_TOS,
        Dialect::OpenBsd | Dialect::Ncat => &TOS,
    };
    if let Some((_, tos)) = names.iter().find(|(name, _)| *name == text) {
        return Ok(Some(*tos));
    }
    let number = match text.strip_prefix("0x") {
        Some(digits) => u8::from_str_radix(digits, 16).ok(),
        None => u8::try_from(strtonum(&text, (0, 255)).unwrap_or(-1)).ok(),
    };
    match number {
        Some(tos) => Ok(Some(tos)),
        None => Err(Complaint::Refused(format!("illegal tos value {text}"))),
    }
}

fn route(
    dialect: Dialect,
    line: &CommandLine,
    family: Family,
    surroundings: &Surroundings<'_>,
) -> Result<Option<Route>, Complaint> {
    let mut hops = Vec::new();
    for given in line.all(Id::Route) {
        let text = given.text();
        // netcat-traditional takes one hop a -g.
        for hop in text.split(',').filter(|hop| !hop.is_empty()) {
            hops.push(hop_address(dialect, hop, surroundings)?);
        }
    }
    if hops.len() > 8 {
        return Err(Complaint::refused(match dialect {
            Dialect::Traditional => "too many -g hops",
            Dialect::OpenBsd | Dialect::Ncat => "Sorry, you gave too many source route hops.",
        }));
    }
    let pointer = line.text(Id::RoutePointer).map(|text| atoi(&text));
    let pointer = match pointer.map(u8::try_from) {
        None => 4,
        Some(Ok(pointer @ 4..=28)) if pointer.is_multiple_of(4) => pointer,
        Some(_) => {
            let pointer = pointer.unwrap_or_default();
            return Err(Complaint::Refused(match dialect {
                Dialect::Traditional => {
                    format!("invalid hop pointer {pointer}, must be multiple of 4 <= 28")
                }
                Dialect::OpenBsd | Dialect::Ncat => {
                    format!("Invalid source-route hop pointer {pointer}.")
                }
            }));
        }
    };
    if hops.is_empty() {
        return Ok(None);
    }
    if line.has(Id::Unix) {
        return Err(Complaint::refused(
            "Loose source routing not allowed when using Unix domain sockets.",
        ));
    }
    // ncat looks at -4, not at the address.
    let calls_as_ncat = dialect == Dialect::Ncat && !line.has(Id::Listen);
    if family == Family::V6 || calls_as_ncat && family != Family::V4 {
        return Err(Complaint::refused(
            "Sorry, -g can only currently be used with IPv4.",
        ));
    }
    Ok(Some(Route { hops, pointer }))
}

fn hop_address(
    dialect: Dialect,
    hop: &str,
    surroundings: &Surroundings<'_>,
) -> Result<Ipv4Addr, Complaint> {
    let found = (surroundings.resolve)(hop, Family::V4);
    let address = found.as_ref().ok().and_then(|found| {
        found.iter().find_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        })
    });
    address.ok_or_else(|| {
        let why = match found {
            Err(error) => error.to_string(),
            Ok(_) => "No address associated with hostname".to_owned(),
        };
        Complaint::Refused(match dialect {
            Dialect::Traditional => format!("{hop}: forward host lookup failed: Unknown host"),
            Dialect::OpenBsd | Dialect::Ncat => {
                format!("Sorry, could not resolve source route hop \"{hop}\": {why}.")
            }
        })
    })
}

/// -4 or -6, whichever stood last.
pub(super) fn family(line: &CommandLine) -> Family {
    match line.last_of(&[Id::V4, Id::V6]).map(|given| given.flag.id) {
        Some(Id::V4) => Family::V4,
        Some(_) => Family::V6,
        None => Family::Any,
    }
}

/// Whether a numeric option of OpenBSD's was written by its letter, and so follows that dialect.
pub(super) fn is_letter_of(line: &CommandLine, id: Id, dialect: Dialect, wanted: Dialect) -> bool {
    dialect == wanted
        && line
            .last(id)
            .is_some_and(|given| given.spelling == Spelling::Letter)
}

/// What nc.openbsd 1.219-1 passes to setsockopt(2) for each of its keywords: read off with a library that stood between.
const TOS: [(&str, u8); 28] = [
    ("af11", 0x28),
    ("af12", 0x30),
    ("af13", 0x38),
    ("af21", 0x48),
    ("af22", 0x50),
    ("af23", 0x58),
    ("af31", 0x68),
    ("af32", 0x70),
    ("af33", 0x78),
    ("af41", 0x88),
    ("af42", 0x90),
    ("af43", 0x98),
    ("critical", 0xa0),
    ("cs0", 0x00),
    ("cs1", 0x20),
    ("cs2", 0x40),
    ("cs3", 0x60),
    ("cs4", 0x80),
    ("cs5", 0xa0),
    ("cs6", 0xc0),
    ("cs7", 0xe0),
    ("ef", 0xb8),
    ("inetcontrol", 0xc0),
    ("lowcost", 0x02),
    ("lowdelay", 0x10),
    ("netcontrol", 0xe0),
    ("reliability", 0x04),
    ("throughput", 0x08),
];

/// The same of netcat-traditional 1.10-47.
const TRADITIONAL_TOS: [(&str, u8); 4] = [
    ("Minimize-Delay", 0x10),
    ("Maximize-Throughput", 0x08),
    ("Maximize-Reliability", 0x04),
    ("Minimize-Cost", 0x02),
];
