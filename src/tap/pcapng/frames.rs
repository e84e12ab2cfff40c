//! Ethernet frames with IPv4 or IPv6, and TCP or UDP in them: headers, checksums, nothing else.
//!
//! RFC 791, RFC 8200, RFC 9293 §3.1, RFC 768; checksums RFC 1071.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::tap::Side;

/// The two ends of a connection, as the headers of packets in each direction show them.
pub(super) struct Ends {
    client: Headers,
    server: Headers,
}

impl Ends {
    /// Of TCP. An IPv4 address that is mapped into IPv6 is shown as what it is; of two families, IPv4 is mapped.
    pub(super) fn of_stream(client: SocketAddr, server: SocketAddr) -> Self {
        Self::new(client, server, TCP)
    }

    /// The same of UDP.
    pub(super) fn of_datagrams(client: SocketAddr, server: SocketAddr) -> Self {
        Self::new(client, server, UDP)
    }

    fn new(client: SocketAddr, server: SocketAddr, protocol: u8) -> Self {
        let addresses = (client.ip().to_canonical(), server.ip().to_canonical());
        let (client_ip, server_ip) = match addresses {
            (IpAddr::V4(four), six @ IpAddr::V6(_)) => (IpAddr::V6(four.to_ipv6_mapped()), six),
            (six @ IpAddr::V6(_), IpAddr::V4(four)) => (six, IpAddr::V6(four.to_ipv6_mapped())),
            same => same,
        };
        let client = End::new(CLIENT, client_ip, client.port());
        let server = End::new(SERVER, server_ip, server.port());
        Self {
            client: Headers::new(client, server, protocol),
            server: Headers::new(server, client, protocol),
        }
    }

    /// Of packets that `side` sends.
    pub(super) const fn from(&self, side: Side) -> &Headers {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    /// Octets of data in a TCP segment at most: what an IP packet of 65535 has room for, as on a loopback interface.
    pub(super) const fn segment_octets(&self) -> usize {
        self.client.segment_octets() as usize
    }
}

#[derive(Clone, Copy)]
struct End {
    mac: [u8; 6],
    ip: IpAddr,
    port: u16,
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

/// What all packets in one direction have in common: Ethernet and IP headers, and the ports; with what that adds to checksums.
pub(super) struct Headers {
    octets: [u8; MOST],
    /// Where TCP or UDP begins.
    transport: usize,
    /// Of the IPv4 header without its length and its id.
    ip_sum: u64,
    /// Of the pseudo-header without its length (RFC 9293 §3.1, RFC 8200 §8.1).
    pseudo_sum: u64,
}

/// Ethernet, IPv6, TCP with options.
const MOST: usize = 14 + 40 + 20 + 12;
const ETHERNET: usize = 14;
const IPV4: usize = 20;
const IPV6: usize = 40;

/// The headers of one packet.
pub(super) struct Head {
    octets: [u8; MOST],
    length: usize,
}

impl Head {
    pub(super) fn octets(&self) -> &[u8] {
        &self.octets[..self.length]
    }
}

impl Headers {
    fn new(from: End, to: End, protocol: u8) -> Self {
        let mut octets = Vec::with_capacity(MOST);
        octets.extend_from_slice(&to.mac);
        octets.extend_from_slice(&from.mac);
        let addresses = match (from.ip, to.ip) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                // Not to be fragmented; 64 hops.
                octets.extend_from_slice(&[0x08, 0, 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, protocol]);
                octets.extend_from_slice(&[0, 0]);
                octets.extend_from_slice(&from.octets());
                octets.extend_from_slice(&to.octets());
                8
            }
            (from, to) => {
                octets.extend_from_slice(&[0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, protocol, 64]);
                octets.extend_from_slice(&six(from).octets());
                octets.extend_from_slice(&six(to).octets());
                32
            }
        };
        let transport = octets.len();
        octets.extend_from_slice(&from.port.to_be_bytes());
        octets.extend_from_slice(&to.port.to_be_bytes());
        let ip_sum = sum(&octets[ETHERNET..transport]);
        let pseudo_sum = sum(&octets[transport - addresses..transport]) + u64::from(protocol);
        octets.resize(MOST, 0);
        let mut common = [0; MOST];
        common.copy_from_slice(&octets);
        Self {
            octets: common,
            transport,
            ip_sum,
            pseudo_sum,
        }
    }

    const fn is_ipv4(&self) -> bool {
        self.transport == ETHERNET + IPV4
    }

    const fn segment_octets(&self) -> u16 {
        match self.is_ipv4() {
            true => u16::MAX - IPV4 as u16 - 20,
            false => u16::MAX - IPV6 as u16 - 20,
        }
    }

    /// Those of a packet with a header of TCP or UDP and a payload, `length` octets together.
    fn begin(&self, id: u16, length: u16) -> Head {
        let mut octets = self.octets;
        if self.is_ipv4() {
            let total = length + IPV4 as u16;
            octets[16..18].copy_from_slice(&total.to_be_bytes());
            octets[18..20].copy_from_slice(&id.to_be_bytes());
            let sum = fold(self.ip_sum + u64::from(total) + u64::from(id));
            octets[24..26].copy_from_slice(&sum.to_be_bytes());
        } else {
            octets[18..20].copy_from_slice(&length.to_be_bytes());
        }
        Head {
            octets,
            length: self.transport,
        }
    }

    /// Of what is in `head` from the ports on, its own checksum 0 still, and of the payload.
    fn checksum(&self, head: &Head, payload: &[u8]) -> u16 {
        let header = &head.octets[self.transport..head.length];
        let length = (header.len() + payload.len()) as u64;
        fold(self.pseudo_sum + length + sum(header) + sum(payload))
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

    /// The headers before its payload.
    pub(super) fn head(&self, headers: &Headers) -> Head {
        let [high, low] = headers.segment_octets().to_be_bytes();
        // Maximum segment size; SACK permitted; windows count in 16 KiB (a shift of 14, the largest that there is).
        let options = [2, 4, high, low, 1, 1, 4, 2, 1, 3, 3, 14];
        let options: &[u8] = match self.flags {
            Flags::Syn | Flags::SynAck => &options,
            _ => &[],
        };
        let acknowledged = match self.flags {
            Flags::Syn => 0,
            _ => self.acknowledged,
        };
        let header = 20 + options.len();
        let mut head = headers.begin(self.id, (header + self.payload.len()) as u16);
        head.length += header;
        let tcp = &mut head.octets[headers.transport..];
        tcp[4..8].copy_from_slice(&self.sequence.to_be_bytes());
        tcp[8..12].copy_from_slice(&acknowledged.to_be_bytes());
        tcp[12] = (header / 4 * 16) as u8;
        tcp[13] = self.flags.bits();
        tcp[14..16].copy_from_slice(&u16::MAX.to_be_bytes());
        tcp[20..header].copy_from_slice(options);
        let sum = headers.checksum(&head, self.payload);
        let at = headers.transport + 16;
        head.octets[at..at + 2].copy_from_slice(&sum.to_be_bytes());
        head
    }
}

/// Octets of a UDP datagram at most, over IPv4.
pub(super) const DATAGRAM: usize = 65535 - IPV4 - 8;

/// The headers of a UDP datagram, of [`DATAGRAM`] octets at most.
pub(super) fn datagram_head(headers: &Headers, payload: &[u8]) -> Head {
    let length = (8 + payload.len()) as u16;
    let mut head = headers.begin(0, length);
    head.length += 8;
    let at = headers.transport + 4;
    head.octets[at..at + 2].copy_from_slice(&length.to_be_bytes());
    // RFC 768: 0 would say that there is none.
    let sum = match headers.checksum(&head, payload) {
        0 => u16::MAX,
        sum => sum,
    };
    head.octets[at + 2..at + 4].copy_from_slice(&sum.to_be_bytes());
    head
}

const TCP: u8 = 6;
const UDP: u8 = 17;

const fn six(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(four) => four.to_ipv6_mapped(),
        IpAddr::V6(six) => six,
    }
}

/// Of 16-bit words in the order of the network, the last one filled up with 0. It is taken in words as the machine has them, and turned at
/// the end (RFC 1071 §2): a capture makes one of every octet that is sent.
fn sum(octets: &[u8]) -> u64 {
    let halves = |word: u64| (word & 0xffff_ffff) + (word >> 32);
    let (words, rest) = octets.as_chunks::<8>();
    let mut total: u64 = words
        .iter()
        .map(|word| halves(u64::from_ne_bytes(*word)))
        .sum();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    total += halves(u64::from_ne_bytes(last));
    u64::from(u16::from_be(!fold(total)))
}

/// The complement of the sum in one's complement arithmetic.
const fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_definition() {
        let octets: Vec<u8> = (0..70_000_u32).map(|n| (n * 7 + n / 256) as u8).collect();
        for length in (0..40).chain([1000, 1001, 65_535, 70_000]) {
            let octets = &octets[octets.len() - length..];
            let defined: u64 = octets
                .chunks(2)
                .map(|word| {
                    let low = word.get(1).copied().unwrap_or(0);
                    u64::from(u16::from_be_bytes([word[0], low]))
                })
                .sum();
            assert_eq!(fold(sum(octets)), fold(defined), "of {length}");
        }
        assert_eq!(fold(sum(&[0xff; 64])), 0);
    }
}
