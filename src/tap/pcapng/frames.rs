//! Ethernet frames with IPv4 or IPv6, and TCP or UDP in them: headers, checksums, nothing else.
//!
//! RFC 791, RFC 8200, RFC 9293 §3.1, RFC 768; checksums RFC 1071.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::tap::Side;

/// The two ends of a connection, as the headers show them.
pub(super) struct Ends {
    client: End,
    server: End,
}

#[derive(Clone, Copy)]
struct End {
    mac: [u8; 6],
    ip: IpAddr,
    port: u16,
}

/// The same, for packets in one direction.
pub(super) struct Direction {
    from: End,
    to: End,
}

impl Ends {
    /// An IPv4 address that is mapped into IPv6 is shown as what it is; of two families, IPv4 is mapped.
    pub(super) fn new(client: SocketAddr, server: SocketAddr) -> Self {
        let addresses = (client.ip().to_canonical(), server.ip().to_canonical());
        let (client_ip, server_ip) = match addresses {
            (IpAddr::V4(four), six @ IpAddr::V6(_)) => (IpAddr::V6(four.to_ipv6_mapped()), six),
            (six @ IpAddr::V6(_), IpAddr::V4(four)) => (six, IpAddr::V6(four.to_ipv6_mapped())),
            same => same,
        };
        Self {
            client: End::new(CLIENT, client_ip, client.port()),
            server: End::new(SERVER, server_ip, server.port()),
        }
    }

    pub(super) const fn from(&self, side: Side) -> Direction {
        let (from, to) = match side {
            Side::Client => (self.client, self.server),
            Side::Server => (self.server, self.client),
        };
        Direction { from, to }
    }

    /// Octets of data in a TCP segment at most: what an IP packet of 65535 has room for, as on a loopback interface.
    pub(super) const fn segment_octets(&self) -> usize {
        match self.client.ip {
            IpAddr::V4(_) => 65535 - 20 - 20,
            IpAddr::V6(_) => 65535 - 40 - 20,
        }
    }
}

impl End {
    /// A locally administered MAC address (the 2 of the first octet), made of the role and the end of the IP address.
    const fn new(role: u8, ip: IpAddr, port: u16) -> Self {
        let [a, b, c, d] = match ip {
            IpAddr::V4(four) => four.octets(),
            IpAddr::V6(six) => {
                let [.., a, b, c, d] = six.octets();
                [a, b, c, d]
            }
        };
        Self {
            mac: [2, role, a, b, c, d],
            ip,
            port,
        }
    }
}

/// Roles in a MAC address: loopback has the same IP address at both ends.
const CLIENT: u8 = 0;
const SERVER: u8 = 1;

/// What a TCP segment does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flags {
    Syn,
    SynAck,
    Ack,
    /// The last of a write.
    PushAck,
    FinAck,
    ResetAck,
}

impl Flags {
    const fn bits(self) -> u8 {
        match self {
            Self::Syn => SYN,
            Self::SynAck => SYN | ACK,
            Self::Ack => ACK,
            Self::PushAck => PSH | ACK,
            Self::FinAck => FIN | ACK,
            Self::ResetAck => RST | ACK,
        }
    }
}

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// One TCP segment.
pub(super) struct Segment<'a> {
    pub(super) id: u16,
    pub(super) sequence: u32,
    pub(super) acknowledged: u32,
    pub(super) flags: Flags,
    pub(super) payload: &'a [u8],
}

impl Segment<'_> {
    /// Sequence numbers that it takes: SYN and FIN take one (RFC 9293 §3.4).
    pub(super) const fn length(&self) -> u32 {
        let marks = match self.flags {
            Flags::Syn | Flags::SynAck | Flags::FinAck => 1,
            Flags::Ack | Flags::PushAck | Flags::ResetAck => 0,
        };
        self.payload.len() as u32 + marks
    }

    pub(super) fn append(&self, ends: &Direction, frame: &mut Vec<u8>) {
        let segment_octets = match ends.from.ip {
            IpAddr::V4(_) => 65535 - 40_u16,
            IpAddr::V6(_) => 65535 - 60,
        };
        let [high, low] = segment_octets.to_be_bytes();
        let options: &[u8] = match self.flags {
            // Maximum segment size; SACK permitted; windows count in 16 KiB (a shift of 14, the largest that there is).
            Flags::Syn | Flags::SynAck => &[2, 4, high, low, 1, 1, 4, 2, 1, 3, 3, 14],
            _ => &[],
        };
        let acknowledged = match self.flags {
            Flags::Syn => 0,
            _ => self.acknowledged,
        };
        let header = 20 + options.len();
        begin(ends, TCP, self.id, header + self.payload.len(), frame);
        let start = frame.len();
        frame.extend(ends.from.port.to_be_bytes());
        frame.extend(ends.to.port.to_be_bytes());
        frame.extend(self.sequence.to_be_bytes());
        frame.extend(acknowledged.to_be_bytes());
        frame.push((header / 4 * 16) as u8);
        frame.push(self.flags.bits());
        frame.extend(u16::MAX.to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(options);
        frame.extend(self.payload);
        let sum = checksum(ends, TCP, &frame[start..]);
        frame[start + 16..start + 18].copy_from_slice(&sum.to_be_bytes());
    }
}

/// Octets of a UDP datagram at most, over IPv4.
pub(super) const DATAGRAM: usize = 65535 - 20 - 8;

/// One UDP datagram, of [`DATAGRAM`] octets at most.
pub(super) fn append_datagram(ends: &Direction, payload: &[u8], frame: &mut Vec<u8>) {
    let length = 8 + payload.len();
    begin(ends, UDP, 0, length, frame);
    let start = frame.len();
    frame.extend(ends.from.port.to_be_bytes());
    frame.extend(ends.to.port.to_be_bytes());
    frame.extend((length as u16).to_be_bytes());
    frame.extend([0; 2]);
    frame.extend(payload);
    // RFC 768: 0 would say that there is none.
    let sum = match checksum(ends, UDP, &frame[start..]) {
        0 => u16::MAX,
        sum => sum,
    };
    frame[start + 6..start + 8].copy_from_slice(&sum.to_be_bytes());
}

const TCP: u8 = 6;
const UDP: u8 = 17;

/// The Ethernet and IP headers before `length` octets.
fn begin(ends: &Direction, protocol: u8, id: u16, length: usize, frame: &mut Vec<u8>) {
    frame.extend(ends.to.mac);
    frame.extend(ends.from.mac);
    match (ends.from.ip, ends.to.ip) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            frame.extend([0x08, 0x00]);
            let start = frame.len();
            frame.extend([0x45, 0]);
            frame.extend(((20 + length) as u16).to_be_bytes());
            frame.extend(id.to_be_bytes());
            // Not to be fragmented; 64 hops.
            frame.extend([0x40, 0, 64, protocol, 0, 0]);
            frame.extend(from.octets());
            frame.extend(to.octets());
            let sum = fold(sum(&frame[start..]));
            frame[start + 10..start + 12].copy_from_slice(&sum.to_be_bytes());
        }
        (from, to) => {
            frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            frame.extend((length as u16).to_be_bytes());
            frame.extend([protocol, 64]);
            frame.extend(six(from).octets());
            frame.extend(six(to).octets());
        }
    }
}

const fn six(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(four) => four.to_ipv6_mapped(),
        IpAddr::V6(six) => six,
    }
}

/// Of a TCP or UDP segment whose own checksum is 0 still: RFC 9293 §3.1, RFC 8200 §8.1.
fn checksum(ends: &Direction, protocol: u8, segment: &[u8]) -> u16 {
    let addresses = match (ends.from.ip, ends.to.ip) {
        (IpAddr::V4(from), IpAddr::V4(to)) => sum(&from.octets()) + sum(&to.octets()),
        (from, to) => sum(&six(from).octets()) + sum(&six(to).octets()),
    };
    fold(addresses + u64::from(protocol) + segment.len() as u64 + sum(segment))
}

/// Of 16-bit words, an odd octet followed by 0.
fn sum(octets: &[u8]) -> u64 {
    let (words, odd) = octets.as_chunks::<2>();
    let sum: u64 = words
        .iter()
        .map(|word| u64::from(u16::from_be_bytes(*word)))
        .sum();
    sum + odd.first().map_or(0, |octet| u64::from(*octet) << 8)
}

/// The complement of the sum in one's complement arithmetic.
const fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !(sum as u16)
}
