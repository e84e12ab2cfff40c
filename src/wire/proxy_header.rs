//! The header by which a load balancer tells whose connection it hands on: PROXY, versions 1 and 2 (haproxy's
//! `proxy-protocol.txt`). It comes before anything else, and only from balancers that were named.
//!
//! | version | looks like | octets at most |
//! |---|---|---|
//! | 1 | `PROXY TCP4 192.0.2.7 192.0.2.1 40000 25` CRLF | 107 |
//! | 2 | twelve octets of signature, command, family, length, addresses, more | 16 + 65535 by the form; here [`limits::PROXY_HEADER`] |
//!
//! Read with [`read`], which is given all octets so far and says how many more it needs: never one that belongs to what follows.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::limits;

/// Whose connection it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyHeader {
    /// Both ends; `None` when the balancer speaks for itself (`LOCAL`, a health check), or does not know (`UNKNOWN`).
    pub ends: Option<Ends>,
}

/// The ends of the connection that is handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The client.
    pub source: SocketAddr,
    /// What the client connected to.
    pub destination: SocketAddr,
}

/// How far the header is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many octets more are needed, at least one; perhaps more after those.
    More(usize),
    /// It is whole.
    Done(ProxyHeader),
}

/// What came is no such header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyError {
    /// It does not begin as one.
    NotOne,
    /// It begins as one, and goes on wrong.
    Malformed,
    /// It is longer than it may be.
    TooLong,
}

impl fmt::Display for ProxyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotOne => "a PROXY header was to come first",
            Self::Malformed => "the PROXY header cannot be read",
            Self::TooLong => "the PROXY header is too long",
        })
    }
}

/// The form of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// A line.
    One,
    /// Octets.
    Two,
}

/// The octets of a header; ends of which one is of IPv4 and the other of IPv6 cannot be told, and so are not known.
///
/// ```
/// use mailtool::wire::proxy_header::{Ends, ProxyHeader, Version, write};
///
/// let (source, destination) = ("192.0.2.7:40000".parse().unwrap(), "192.0.2.1:25".parse().unwrap());
/// let header = ProxyHeader { ends: Some(Ends { source, destination }) };
/// assert_eq!(write(Version::One, header), b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 25\r\n");
/// ```
pub fn write(version: Version, header: ProxyHeader) -> Vec<u8> {
    let same = |ends: &Ends| ends.source.is_ipv4() == ends.destination.is_ipv4();
    let ends = header.ends.filter(same);
    if version == Version::One {
        return match ends {
            None => b"PROXY UNKNOWN\r\n".to_vec(),
            Some(Ends {
                source,
                destination,
            }) => {
                let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
                let (from, to) = (source.ip(), destination.ip());
                let (port, to_port) = (source.port(), destination.port());
                format!("PROXY {family} {from} {to} {port} {to_port}\r\n").into_bytes()
            }
        };
    }
    let mut octets = SIGNATURE.to_vec();
    let Some(Ends {
        source,
        destination,
    }) = ends
    else {
        octets.extend([0x20, 0, 0, 0]);
        return octets;
    };
    octets.extend(match source {
        SocketAddr::V4(_) => [0x21, 0x11, 0, 12],
        SocketAddr::V6(_) => [0x21, 0x21, 0, 36],
    });
    for end in [source, destination] {
        match end.ip() {
            IpAddr::V4(address) => octets.extend(address.octets()),
            IpAddr::V6(address) => octets.extend(address.octets()),
        }
    }
    for end in [source, destination] {
        octets.extend(end.port().to_be_bytes());
    }
    octets
}

/// Reads the octets so far.
///
/// ```
/// use mailtool::wire::proxy_header::{Progress, read};
///
/// assert_eq!(read(b""), Ok(Progress::More(12)));
/// let Ok(Progress::Done(header)) = read(b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 25\r\n") else { panic!() };
/// assert_eq!(header.ends.unwrap().source.to_string(), "192.0.2.7:40000");
/// ```
pub fn read(octets: &[u8]) -> Result<Progress, ProxyError> {
    let begun = octets.len().min(SIGNATURE.len());
    if octets[..begun] == SIGNATURE[..begun] && octets.first() != Some(&b'P') {
        return match begun == SIGNATURE.len() {
            true => version_2(octets),
            false => Ok(Progress::More(SIGNATURE.len() - begun)),
        };
    }
    let begun = octets.len().min(VERSION_1.len());
    if octets[..begun] != VERSION_1[..begun] {
        return Err(ProxyError::NotOne);
    }
    if octets.len() < SIGNATURE.len() {
        // Both forms have twelve octets at least.
        return Ok(Progress::More(SIGNATURE.len() - octets.len()));
    }
    match octets {
        [line @ .., b'\r', b'\n'] => version_1(line),
        _ if octets.len() >= LINE => Err(ProxyError::TooLong),
        _ if octets.contains(&b'\n') => Err(ProxyError::Malformed),
        _ => Ok(Progress::More(1)),
    }
}

fn version_1(line: &[u8]) -> Result<Progress, ProxyError> {
    let text = std::str::from_utf8(line).map_err(|_| ProxyError::Malformed)?;
    let words: Vec<&str> = text.split(' ').collect();
    match words[..] {
        ["PROXY", "UNKNOWN", ..] => Ok(Progress::Done(ProxyHeader { ends: None })),
        [
            "PROXY",
            family @ ("TCP4" | "TCP6"),
            source,
            destination,
            source_port,
            port,
        ] => {
            let end = |address: &str, port: &str| {
                let address: IpAddr = address.parse().ok()?;
                let digits = port.bytes().all(|octet| octet.is_ascii_digit());
                let port: u16 = port.parse().ok().filter(|_| digits)?;
                (address.is_ipv4() == (family == "TCP4")).then_some(SocketAddr::new(address, port))
            };
            let ends = end(source, source_port)
                .zip(end(destination, port))
                .map(|(source, destination)| Ends {
                    source,
                    destination,
                })
                .ok_or(ProxyError::Malformed)?;
            Ok(Progress::Done(ProxyHeader { ends: Some(ends) }))
        }
        _ => Err(ProxyError::Malformed),
    }
}

/// `octets` begin with the signature.
fn version_2(octets: &[u8]) -> Result<Progress, ProxyError> {
    let Some(&[version_and_command, family, high, low]) = octets.get(12..16) else {
        return Ok(Progress::More(16 - octets.len()));
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if version_and_command >> 4 != 2 || version_and_command & 0x0f > 1 {
        return Err(ProxyError::Malformed);
    }
    if 16 + length > limits::PROXY_HEADER {
        return Err(ProxyError::TooLong);
    }
    let Some(rest) = octets.get(16..16 + length) else {
        return Ok(Progress::More(16 + length - octets.len()));
    };
    let local = version_and_command & 0x0f == 0;
    let ends = match family {
        _ if local => None,
        0x11 => Some(ends_4(rest).ok_or(ProxyError::Malformed)?),
        0x21 => Some(ends_6(rest).ok_or(ProxyError::Malformed)?),
        // UDP, UNIX sockets, unspecified: to be taken as not known.
        _ => None,
    };
    Ok(Progress::Done(ProxyHeader { ends }))
}

fn ends_4(octets: &[u8]) -> Option<Ends> {
    let (source, rest) = octets.split_first_chunk::<4>()?;
    let (destination, rest) = rest.split_first_chunk::<4>()?;
    ends(
        Ipv4Addr::from(*source).into(),
        Ipv4Addr::from(*destination).into(),
        rest,
    )
}

fn ends_6(octets: &[u8]) -> Option<Ends> {
    let (source, rest) = octets.split_first_chunk::<16>()?;
    let (destination, rest) = rest.split_first_chunk::<16>()?;
    ends(
        Ipv6Addr::from(*source).into(),
        Ipv6Addr::from(*destination).into(),
        rest,
    )
}

fn ends(source: IpAddr, destination: IpAddr, ports: &[u8]) -> Option<Ends> {
    let [a, b, c, d, ..] = *ports else {
        return None;
    };
    Some(Ends {
        source: SocketAddr::new(source, u16::from_be_bytes([a, b])),
        destination: SocketAddr::new(destination, u16::from_be_bytes([c, d])),
    })
}

const VERSION_1: &[u8] = b"PROXY ";
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The longest line of version 1, CRLF included.
const LINE: usize = 107;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Octet by octet as it asks for them; what was read, and what was left.
    fn fed(all: &[u8]) -> (Result<ProxyHeader, ProxyError>, usize) {
        let mut taken = 0;
        loop {
            match read(&all[..taken]) {
                Ok(Progress::Done(header)) => return (Ok(header), all.len() - taken),
                Err(error) => return (Err(error), all.len() - taken),
                Ok(Progress::More(more)) => {
                    assert!(more > 0);
                    if taken + more > all.len() {
                        return (Err(ProxyError::NotOne), usize::MAX);
                    }
                    taken += more;
                }
            }
        }
    }

    fn second(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    fn source(octets: &[u8]) -> Option<String> {
        let all = [octets, b"EHLO x\r\n"].concat();
        let (header, left) = fed(&all);
        assert_eq!(left, 8, "nothing of what follows is taken");
        header.unwrap().ends.map(|ends| ends.source.to_string())
    }

    #[test]
    fn both_versions_are_read_and_no_octet_more() {
        let line = b"PROXY TCP6 2001:db8::7 2001:db8::1 40000 25\r\n";
        assert_eq!(source(line).as_deref(), Some("[2001:db8::7]:40000"));
        assert_eq!(source(b"PROXY UNKNOWN\r\n"), None);
        assert_eq!(source(b"PROXY UNKNOWN a b c d\r\n"), None);
        let four = [192, 0, 2, 7, 192, 0, 2, 1, 0x9c, 0x40, 0, 25, 4, 0, 1, 9];
        assert_eq!(
            source(&second(0x21, 0x11, &four)).as_deref(),
            Some("192.0.2.7:40000")
        );
        let six = [&[0x20, 1, 0x0d, 0xb8][..], &[0; 28], &[0, 80, 0, 25]].concat();
        assert_eq!(
            source(&second(0x21, 0x21, &six)).as_deref(),
            Some("[2001:db8::]:80")
        );
        assert_eq!(source(&second(0x20, 0, b"")), None);
        assert_eq!(source(&second(0x21, 0x31, &[0; 216])), None);
    }

    #[test]
    fn what_is_wrong_is_refused_in_time() {
        let error = |octets: &[u8]| fed(octets).0.unwrap_err();
        assert_eq!(error(b"EHLO pc1.example\r\n"), ProxyError::NotOne);
        assert_eq!(
            error(b"PROXY TCP4 192.0.2.7 192.0.2.1 4000\r\n"),
            ProxyError::Malformed
        );
        assert_eq!(
            error(b"PROXY TCP4 ::1 ::1 4000 25\r\n"),
            ProxyError::Malformed
        );
        assert_eq!(
            error(b"PROXY TCP4 192.0.2.7 192.0.2.1 +1 25\r\n"),
            ProxyError::Malformed
        );
        assert_eq!(error(b"PROXY TCP4 1\nHELO x\r\n"), ProxyError::Malformed);
        assert_eq!(
            error(&[b"PROXY UNKNOWN ".as_slice(), &[b'x'; 200]].concat()),
            ProxyError::TooLong
        );
        assert_eq!(error(&second(0x11, 0x11, &[0; 12])), ProxyError::Malformed);
        assert_eq!(error(&second(0x22, 0x11, &[0; 12])), ProxyError::Malformed);
        assert_eq!(error(&second(0x21, 0x11, &[0; 11])), ProxyError::Malformed);
        assert_eq!(
            error(&second(0x21, 0x11, &[0; 60_000])),
            ProxyError::TooLong
        );
    }

    #[test]
    fn what_is_written_is_read() {
        for (source, destination) in [
            ("192.0.2.7:40000", "192.0.2.1:25"),
            ("[2001:db8::7]:40000", "[2001:db8::1]:25"),
        ] {
            let header = ProxyHeader {
                ends: Some(Ends {
                    source: source.parse().unwrap(),
                    destination: destination.parse().unwrap(),
                }),
            };
            for version in [Version::One, Version::Two] {
                assert_eq!(fed(&write(version, header)), (Ok(header), 0));
            }
        }
        let mixed = Some(Ends {
            source: "192.0.2.7:1".parse().unwrap(),
            destination: "[::1]:1".parse().unwrap(),
        });
        for version in [Version::One, Version::Two] {
            for ends in [None, mixed] {
                let unknown = Ok(ProxyHeader { ends: None });
                assert_eq!(fed(&write(version, ProxyHeader { ends })).0, unknown);
            }
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_refused_or_read(tail: Vec<u8>, which in 0usize..3) {
            let front: &[u8] = [&b""[..], b"PROXY TCP4 ", SIGNATURE][which];
            let _ = fed(&[front, &tail].concat());
        }
    }
}
