//! Networks as people write them: `192.0.2.0/24`, `2001:db8::/32`, `127.0.0.1` (RFC 4632 §3.1, RFC 4291 §2.3).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Addresses that begin alike.
///
/// ```
/// use mailtool::wire::network::Network;
///
/// let network: Network = "192.0.2.0/24".parse().unwrap();
/// assert!(network.contains("192.0.2.77".parse().unwrap()));
/// assert!(network.contains("::ffff:192.0.2.77".parse().unwrap()));
/// assert!(!network.contains("192.0.3.1".parse().unwrap()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// At most as many bits as the address has.
    prefix: u8,
}

/// What is no network. Its text says what would be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkError {
    /// Not an address, or not a number of bits behind the `/`.
    Syntax,
    /// The address has bits behind the prefix: a slip, such as `192.0.2.1/24`. What was meant, perhaps.
    HostBits(Network),
}

impl fmt::Display for NetworkError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => formatter
                .write_str("a network is written as 192.0.2.0/24, 2001:db8::/32 or 127.0.0.1"),
            Self::HostBits(network) => write!(
                formatter,
                "the address goes on behind the prefix: is {network} meant?"
            ),
        }
    }
}

impl std::error::Error for NetworkError {}

impl Network {
    /// Whether the address is in it. An IPv4 address that came through an IPv6 socket is its IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                masked(u128::from(network.to_bits()), 32, self.prefix)
                    == masked(u128::from(address.to_bits()), 32, self.prefix)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                masked(network.to_bits(), 128, self.prefix)
                    == masked(address.to_bits(), 128, self.prefix)
            }
            _ => false,
        }
    }

    /// Whether every address is in it.
    pub const fn is_everything(&self) -> bool {
        self.prefix == 0
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Syntax)?;
        let address = address.to_canonical();
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(digits) if digits.bytes().all(|octet| octet.is_ascii_digit()) => digits
                .parse()
                .ok()
                .filter(|prefix| *prefix <= bits)
                .ok_or(NetworkError::Syntax)?,
            Some(_) => return Err(NetworkError::Syntax),
        };
        let first: IpAddr = match address {
            IpAddr::V4(address) => {
                // It fits: it was 32 bits, and some of them are 0 now.
                let first = masked(u128::from(address.to_bits()), 32, prefix) as u32;
                std::net::Ipv4Addr::from_bits(first).into()
            }
            IpAddr::V6(address) => {
                std::net::Ipv6Addr::from_bits(masked(address.to_bits(), 128, prefix)).into()
            }
        };
        let network = Self {
            address: first,
            prefix,
        };
        if first == address {
            Ok(network)
        } else {
            Err(NetworkError::HostBits(network))
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix)
    }
}

/// An address of `bits` bits with those behind the first `prefix` as 0.
fn masked(address: u128, bits: u8, prefix: u8) -> u128 {
    let dropped = u32::from(bits - prefix);
    let kept = address.checked_shr(dropped).unwrap_or(0);
    kept.checked_shl(dropped).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_and_hold_what_they_should() {
        let holds = |network: &str, address: &str| {
            let network: Network = network.parse().unwrap();
            network.contains(address.parse().unwrap())
        };
        assert!(holds("10.0.0.0/8", "10.255.1.2") && !holds("10.0.0.0/8", "11.0.0.0"));
        assert!(holds("0.0.0.0/0", "203.0.113.9") && !holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("2001:db8::/32", "2001:db8:1::") && !holds("2001:db8::/32", "2001:db9::"));
        assert!(holds("::/0", "2001:db8::") && !holds("::/0", "192.0.2.1"));
        assert!(holds("127.0.0.1", "::ffff:127.0.0.1") && !holds("127.0.0.1", "127.0.0.2"));
        assert!(holds("192.0.2.128/25", "192.0.2.200") && !holds("192.0.2.128/25", "192.0.2.127"));
        assert_eq!(
            "127.0.0.1".parse::<Network>().unwrap().to_string(),
            "127.0.0.1/32"
        );
    }

    #[test]
    fn slips_are_told() {
        for text in [
            "",
            "lan",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0/8",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError::Syntax), "{text}");
        }
        let slip = "192.0.2.1/24".parse::<Network>().unwrap_err().to_string();
        assert!(slip.contains("192.0.2.0/24"), "{slip}");
    }
}
