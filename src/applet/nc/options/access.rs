//! Who may call: `--allow`, `--allowfile`, `--deny`, `--denyfile`.
//!
//! A host is written as ncat takes it, which is as nmap takes its targets:
//!
//! | | |
//! |---|---|
//! | `192.0.2.1`, `2001:db8::1` | an address |
//! | `192.0.2.0/24`, `2001:db8::/32` | a network |
//! | `192.0.2.1-20`, `10.*.0.1,3,5-`, `192.0.-.1` | IPv4, each octet a list of numbers and ranges, open at either end, or `*` |
//! | `10.0-1.0.0/16` | the same with a mask: all of these networks |
//! | `lab.example`, `lab.example/24` | all addresses of a name |
//!
//! On the command line a comma ends a host, so that lists within an octet are for files only, where white space ends one and
//! `#` begins a comment. An IPv4 address that comes as an IPv6 one (`::ffff:192.0.2.1`) is the IPv4 one. `--deny` wins: what
//! ncat's manual says of that (that `--allow` does) is not what ncat 7.93 does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use crate::applet::nc::complaint::{Complaint, reason};
use crate::applet::nc::dialect::Dialect;
use crate::applet::nc::flags::Id;
use crate::applet::nc::getopt::CommandLine;
use crate::reactor::resolver::Family;

use super::Surroundings;
use super::sockets::family;

/// Who may call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Only these, if it is there.
    pub allowed: Option<AddressList>,
    /// Never these.
    pub denied: AddressList,
}

impl Access {
    /// Whether `caller` may.
    pub fn admits(&self, caller: IpAddr) -> bool {
        let is_allowed = match &self.allowed {
            Some(allowed) => allowed.contains(caller),
            None => true,
        };
        is_allowed && !self.denied.contains(caller)
    }

    /// Whether anybody was named at all.
    pub fn is_open(&self) -> bool {
        self.allowed.is_none() && self.denied.entries.is_empty()
    }

    pub(super) fn of(
        dialect: Dialect,
        line: &CommandLine,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, Complaint> {
        let family = family(line);
        let wrong = |why: &str, of: &str| {
            Complaint::Refused(match dialect {
                Dialect::Ncat => format!("{why}\nNcat: error in {of}."),
                Dialect::OpenBsd | Dialect::Traditional => format!("{why} (in {of})"),
            })
        };
        let list = |hosts, file| -> Result<AddressList, Complaint> {
            let mut list = AddressList::default();
            for given in line.given() {
                let text = given.text();
                if given.flag.id == hosts {
                    for host in text.split(',').filter(|host| !host.is_empty()) {
                        list.add(host, family, surroundings).map_err(|why| {
                            wrong(&why, &format!("host specification \"{host}\""))
                        })?;
                    }
                } else if given.flag.id == file {
                    let path = Path::new(&given.value);
                    let shown = path.display();
                    let text = (surroundings.read)(path).map_err(|error| {
                        let why = reason(&error);
                        Complaint::Refused(format!("can't open {shown}: {why}."))
                    })?;
                    for host in hosts_of(&text) {
                        list.add(host, family, surroundings)
                            .map_err(|why| wrong(&why, &format!("hosts file {shown}")))?;
                    }
                }
            }
            Ok(list)
        };
        let allowed = list(Id::Allow, Id::AllowFile)?;
        let has_allowed = line.last_of(&[Id::Allow, Id::AllowFile]).is_some();
        Ok(Self {
            allowed: has_allowed.then_some(allowed),
            denied: list(Id::Deny, Id::DenyFile)?,
        })
    }
}

/// A set of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressList {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    /// These bits of the address are these.
    V4 { network: u32, mask: u32 },
    /// The same.
    V6 { network: u128, mask: u128 },
    /// Each octet is one of 256 bits; then those bits count that the mask has.
    Octets { octets: Box<[Octets; 4]>, mask: u32 },
}

/// A set of octets, a bit each.
type Octets = [u64; 4];

impl AddressList {
    /// Whether the address is in the set.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.entries.iter().any(|entry| entry.contains(address))
    }

    /// Adds one host: an address, a network, ranges, or a name.
    ///
    /// # Errors
    /// Why it is none of these.
    fn add(
        &mut self,
        host: &str,
        family: Family,
        surroundings: &Surroundings<'_>,
    ) -> Result<(), String> {
        let (name, bits) = match host.split_once('/') {
            Some((name, bits)) => {
                let is_number = !bits.is_empty() && bits.bytes().all(|bit| bit.is_ascii_digit());
                let bits = is_number.then(|| bits.parse::<u32>().unwrap_or(u32::MAX));
                let bits = bits.ok_or_else(|| format!("Error parsing netmask in \"{host}\"."))?;
                (name, Some(bits))
            }
            None => (host, None),
        };
        let too_long =
            || format!("Illegal netmask in \"{host}\". Must be smaller than address bit length.");
        if let Ok(address) = name.parse() {
            self.entries
                .push(Entry::network(address, bits).ok_or_else(too_long)?);
            return Ok(());
        }
        if let Some(octets) = octets_of(name) {
            let mask = mask_v4(bits).ok_or_else(too_long)?;
            self.entries.push(Entry::Octets {
                octets: Box::new(octets),
                mask,
            });
            return Ok(());
        }
        let addresses = (surroundings.resolve)(name, family)
            .map_err(|error| format!("Error resolving name \"{name}\": {error}"))?;
        for address in addresses {
            self.entries
                .push(Entry::network(address, bits).ok_or_else(too_long)?);
        }
        Ok(())
    }
}

/// The hosts in a file: white space ends one, `#` begins a comment.
fn hosts_of(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter_map(|line| line.split('#').next())
        .flat_map(str::split_ascii_whitespace)
}

impl Entry {
    fn network(address: IpAddr, bits: Option<u32>) -> Option<Self> {
        match address {
            IpAddr::V4(address) => {
                let mask = mask_v4(bits)?;
                let network = u32::from(address) & mask;
                Some(Self::V4 { network, mask })
            }
            IpAddr::V6(address) => {
                let mask = match bits.unwrap_or(Ipv6Addr::BITS) {
                    0 => 0,
                    bits @ 1..=Ipv6Addr::BITS => u128::MAX << (Ipv6Addr::BITS - bits),
                    _ => return None,
                };
                let network = u128::from(address) & mask;
                Some(Self::V6 { network, mask })
            }
        }
    }

    fn contains(&self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4 { network, mask }, IpAddr::V4(address)) => {
                u32::from(address) & mask == *network
            }
            (Self::V6 { network, mask }, IpAddr::V6(address)) => {
                u128::from(address) & mask == *network
            }
            (Self::Octets { octets, mask }, IpAddr::V4(address)) => {
                let masks = mask.to_be_bytes();
                let each = address.octets().into_iter().zip(masks).zip(octets.iter());
                each.into_iter()
                    .all(|((octet, mask), set)| has_masked(set, octet, mask))
            }
            _ => false,
        }
    }
}

/// Whether an octet that equals `octet` in the bits of `mask` is in the set.
fn has_masked(set: &Octets, octet: u8, mask: u8) -> bool {
    (0..=u8::MAX)
        .filter(|other| other & mask == octet & mask)
        .any(|other| set[usize::from(other / 64)] & (1 << (other % 64)) != 0)
}

fn mask_v4(bits: Option<u32>) -> Option<u32> {
    match bits.unwrap_or(Ipv4Addr::BITS) {
        0 => Some(0),
        bits @ 1..=Ipv4Addr::BITS => Some(u32::MAX << (Ipv4Addr::BITS - bits)),
        _ => None,
    }
}

/// `10.*.0-3.1,5-`
fn octets_of(text: &str) -> Option<[Octets; 4]> {
    let mut octets = [[0; 4]; 4];
    let mut parts = text.split('.');
    for set in &mut octets {
        add_octets(set, parts.next()?)?;
    }
    parts.next().is_none().then_some(octets)
}

fn add_octets(set: &mut Octets, part: &str) -> Option<()> {
    if part == "*" {
        *set = [u64::MAX; 4];
        return Some(());
    }
    for range in part.split(',') {
        let number = |text: &str, open: u8| match text {
            "" => Some(open),
            text if text.bytes().all(|octet| octet.is_ascii_digit()) => text.parse().ok(),
            _ => None,
        };
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (number(first, 0)?, number(last, u8::MAX)?),
            None if range.is_empty() => return None,
            None => (number(range, 0)?, number(range, 0)?),
        };
        if first > last {
            return None;
        }
        for octet in first..=last {
            set[usize::from(octet / 64)] |= 1 << (octet % 64);
        }
    }
    Some(())
}
