//! Who is let in: so many connections in all, so many for one address.
//!
//! Who comes after that is let in to be told, and nothing else ([`Peer::refused`](crate::proto::Peer)); who comes while
//! [`limits::REFUSALS`] are being told already is not let in at all.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::limits;
use crate::proto::Refused;
use crate::wire::network::Network;

/// Counts connections. See the module.
pub(super) struct Limiter {
    connections: usize,
    per_address: usize,
    /// Who comes for many others.
    proxies: Vec<Network>,
    served: usize,
    refused: usize,
    /// Never holds a 0.
    addresses: HashMap<IpAddr, usize>,
}

/// The place that a connection takes; given back with [`Limiter::leave`].
pub(super) enum Admission {
    Served(Option<IpAddr>),
    Refused(Refused),
}

impl Admission {
    /// Why it is not served, if so.
    pub(super) const fn refused(&self) -> Option<Refused> {
        match self {
            Self::Served(_) => None,
            Self::Refused(why) => Some(*why),
        }
    }
}

impl Limiter {
    /// So many connections in all, so many for one address that is not in one of the networks of `proxies`.
    pub(super) fn new(connections: usize, per_address: usize, proxies: Vec<Network>) -> Self {
        Self {
            connections,
            per_address,
            proxies,
            served: 0,
            refused: 0,
            addresses: HashMap::new(),
        }
    }

    /// A place for a connection from `address`; `None` if it is to be closed without a word.
    pub(super) fn admit(&mut self, address: Option<IpAddr>) -> Option<Admission> {
        let address = address.filter(|a| self.is_counted(*a)).map(canonical);
        let held = address.and_then(|a| self.addresses.get(&a)).copied();
        let why = if self.served >= self.connections {
            Some(Refused::Connections)
        } else if held.unwrap_or(0) >= self.per_address {
            Some(Refused::Address)
        } else {
            None
        };
        match why {
            None => {
                self.served += 1;
                if let Some(address) = address {
                    *self.addresses.entry(address).or_insert(0) += 1;
                }
                Some(Admission::Served(address))
            }
            Some(why) if self.refused < limits::REFUSALS => {
                self.refused += 1;
                Some(Admission::Refused(why))
            }
            Some(_) => None,
        }
    }

    /// This computer is everybody on it, and a proxy everybody behind it.
    fn is_counted(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        !address.is_loopback() && !self.proxies.iter().any(|network| network.contains(address))
    }

    /// Gives a place back.
    pub(super) fn leave(&mut self, admission: Admission) {
        let Admission::Served(address) = admission else {
            self.refused -= 1;
            return;
        };
        self.served -= 1;
        let Some(address) = address else { return };
        if let Some(held) = self.addresses.get_mut(&address) {
            *held -= 1;
            if *held == 0 {
                self.addresses.remove(&address);
            }
        }
    }
}

/// One IPv4 address, however it was written; of IPv6 the /64, which one customer has whole.
fn canonical(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(network.into())
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn one_address_cannot_take_all_places() {
        let mut limiter = Limiter::new(10, 2, Vec::new());
        let served: Vec<_> = (0..2)
            .filter_map(|_| limiter.admit(address("192.0.2.1")))
            .collect();
        assert!(served.iter().all(|place| place.refused().is_none()));
        let third = limiter.admit(address("::ffff:192.0.2.1")).expect("a place");
        assert_eq!(third.refused(), Some(Refused::Address));
        let other = limiter.admit(address("192.0.2.2")).expect("a place");
        assert_eq!(other.refused(), None);
        for place in served {
            limiter.leave(place);
        }
        let again = limiter.admit(address("192.0.2.1")).expect("a place");
        assert_eq!(again.refused(), None);
        limiter.leave(third);
        limiter.leave(other);
        limiter.leave(again);
        assert_eq!((limiter.served, limiter.refused), (0, 0));
        assert!(limiter.addresses.is_empty());
    }

    #[test]
    fn one_ipv6_network_counts_as_one() {
        let mut limiter = Limiter::new(10, 1, Vec::new());
        let first = limiter.admit(address("2001:db8::1")).expect("a place");
        assert_eq!(first.refused(), None);
        let second = limiter.admit(address("2001:db8::2")).expect("a place");
        assert_eq!(second.refused(), Some(Refused::Address));
    }

    #[test]
    fn loopback_is_bounded_in_all_only() {
        let mut limiter = Limiter::new(3, 1, Vec::new());
        for text in ["127.0.0.1", "127.0.0.1", "::1"] {
            let place = limiter.admit(address(text)).expect("a place");
            assert_eq!(place.refused(), None);
        }
        let place = limiter.admit(None).expect("a place");
        assert_eq!(place.refused(), Some(Refused::Connections));
    }

    #[test]
    fn a_proxy_is_bounded_in_all_only() {
        let proxies = ["192.0.2.0/24", "2001:db8::5"].map(|text| text.parse().expect("a network"));
        let mut limiter = Limiter::new(5, 1, proxies.into());
        for text in ["192.0.2.1", "192.0.2.1", "2001:db8::5", "2001:db8::5"] {
            let place = limiter.admit(address(text)).expect("a place");
            assert_eq!(place.refused(), None, "{text}");
        }
        // What is beside it in its /64 is not it.
        let places = [(); 2].map(|()| limiter.admit(address("2001:db8::6")).expect("a place"));
        let refused = places.map(|place| place.refused());
        assert_eq!(refused, [None, Some(Refused::Connections)]);
    }

    #[test]
    fn even_refusals_are_bounded() {
        let mut limiter = Limiter::new(0, 1, Vec::new());
        let told = (0..limits::REFUSALS + 10)
            .filter_map(|_| limiter.admit(None))
            .count();
        assert_eq!(told, limits::REFUSALS);
    }
}
