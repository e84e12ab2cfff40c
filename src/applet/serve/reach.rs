//! By which addresses others reach this server: for its certificate, its screen, and what a class is told.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::options::Endpoint;
use super::protocols::Protocol;
use crate::sys;

/// What our own certificate is for.
#[derive(Clone)]
pub(super) struct Names {
    /// Domains, the name of the machine, and addresses that were named.
    pub(super) called: Vec<String>,
    /// Addresses that this machine has where it listens on all of them.
    pub(super) reached: Vec<String>,
}

impl Names {
    /// Those of a server that listens at `endpoints`.
    pub(super) fn of(
        domains: &[String],
        hostname: &str,
        endpoints: &[(Protocol, Endpoint)],
    ) -> Self {
        let named = endpoints.iter().filter_map(|(_, endpoint)| match endpoint {
            Endpoint::Tcp(at) if !at.ip().is_loopback() && !at.ip().is_unspecified() => {
                Some(at.ip().to_string())
            }
            _ => None,
        });
        let mut called = domains.to_vec();
        for name in std::iter::once(hostname.to_owned()).chain(named) {
            if !called.contains(&name) {
                called.push(name);
            }
        }
        Self {
            called,
            reached: addresses(endpoints)
                .iter()
                .map(Ipv4Addr::to_string)
                .collect(),
        }
    }
}

/// The addresses that this machine has, where it listens on all of IPv4.
pub(super) fn addresses(endpoints: &[(Protocol, Endpoint)]) -> Vec<Ipv4Addr> {
    let is_all =
        |(_, endpoint): &(Protocol, Endpoint)| matches!(endpoint, Endpoint::Tcp(at) if is_all(at));
    match endpoints.iter().any(is_all) {
        true => sys::own_addresses(),
        false => Vec::new(),
    }
}

/// `endpoints` as others call them: all of IPv4 is the first of `own`, where there is one.
pub(super) fn called(
    endpoints: &[(Protocol, Endpoint)],
    own: &[Ipv4Addr],
) -> Vec<(Protocol, Endpoint)> {
    let called = |endpoint: &Endpoint| match (endpoint, own) {
        (Endpoint::Tcp(at), [own, ..]) if is_all(at) => {
            Endpoint::Tcp(SocketAddr::from((*own, at.port())))
        }
        (other, _) => other.clone(),
    };
    let each = endpoints.iter();
    each.map(|(protocol, endpoint)| (*protocol, called(endpoint)))
        .collect()
}

fn is_all(at: &SocketAddr) -> bool {
    at.ip() == IpAddr::V4(Ipv4Addr::UNSPECIFIED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(all: &[&str]) -> Vec<(Protocol, Endpoint)> {
        let tcp = |at: &&str| (Protocol::Pop3, Endpoint::Tcp(at.parse().unwrap()));
        all.iter().map(tcp).collect()
    }

    #[test]
    fn all_of_ipv4_is_called_by_an_address() {
        let own = [Ipv4Addr::new(10, 0, 0, 7), Ipv4Addr::new(192, 0, 2, 1)];
        let listening = endpoints(&["0.0.0.0:1110", "127.0.0.1:1143", "[::]:1025"]);
        assert_eq!(
            called(&listening, &own),
            endpoints(&["10.0.0.7:1110", "127.0.0.1:1143", "[::]:1025"])
        );
        assert_eq!(called(&listening, &[]), listening);
    }

    #[test]
    fn a_certificate_is_for_addresses_that_were_named() {
        let names = |all: &[&str]| {
            let domains = ["lab.example".to_owned()];
            Names::of(&domains, "mail.lab.example", &endpoints(all)).called
        };
        assert_eq!(
            names(&[
                "127.0.0.1:1",
                "0.0.0.0:2",
                "10.0.0.7:3",
                "[2001:db8::7]:4",
                "10.0.0.7:5"
            ]),
            ["lab.example", "mail.lab.example", "10.0.0.7", "2001:db8::7"]
        );
    }

    /// What they are differs from machine to machine; of a machine that has none, there are none.
    #[test]
    fn no_address_of_this_machine_is_its_own_loopback() {
        for address in addresses(&endpoints(&["0.0.0.0:1"])) {
            assert!(
                !address.is_loopback() && !address.is_unspecified(),
                "{address}"
            );
        }
        assert!(addresses(&endpoints(&["127.0.0.1:1"])).is_empty());
    }
}
