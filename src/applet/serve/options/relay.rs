//! Options that say what is passed on, for whom, where to, and for how long it is tried.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::bail;

use super::Endpoint;
use super::time::Time;
use crate::applet::serve::protocols::Protocol;
use crate::applet::serve::screen::Passing;
use crate::limits;
use crate::proto::smtp::dispatch::policy::{Pattern, Policy, Route, Routes, Way};
use crate::reactor::Trust;
use crate::wire::network::Network;

/// The part of the options that becomes a [`Policy`], and who may have mail passed on.
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::applet::serve) struct Relay {
    /// Pass on mail for other domains, for users who log in; --relay-from, --route, --smarthost and --lab-chain imply it [default: such
    /// mail is refused]
    #[arg(long, env = "MAILTOOL_RELAY", value_parser = clap::builder::FalseyValueParser::new(), help_heading = RELAY)]
    relay: bool,
    /// Networks whose mail for other domains is passed on without a login, such as 192.0.2.0/24
    #[arg(long, value_name = "NET", env = "MAILTOOL_RELAY_FROM", value_delimiter = ',', help_heading = RELAY)]
    relay_from: Vec<Network>,
    /// Where mail for DOMAIN goes: HOST:PORT, lmtp:HOST:PORT, mx (its mail exchangers) or nowhere; .DOMAIN is all below it, * all
    #[arg(long, value_name = "DOMAIN=HOST:PORT", env = "MAILTOOL_ROUTE", value_delimiter = ',', help_heading = RELAY)]
    route: Vec<Route>,
    /// Host that mail for all other domains goes through, in place of their mail exchangers
    #[arg(long, value_name = "[USER:PASSWORD@]HOST:PORT", env = "MAILTOOL_SMARTHOST", hide_env_values = true, help_heading = RELAY)]
    smarthost: Option<Way>,
    /// Host behind this one that has the mailboxes of our domains: lmtp:HOST:PORT, lmtp:/unix/socket [default: they are here]
    #[arg(long, value_name = "lmtp:HOST:PORT", env = "MAILTOOL_DELIVER", help_heading = RELAY)]
    deliver: Option<Way>,
    /// Send to DOMAIN over TLS with a valid certificate only; until then mail waits; .DOMAIN and * as in --route
    #[arg(long, value_name = "DOMAIN", env = "MAILTOOL_REQUIRE_TLS", value_delimiter = ',', help_heading = RELAY)]
    require_tls: Vec<Pattern>,
    /// Further authorities whose certificates are valid when sending, in PEM [default: those of this machine]
    #[arg(long, value_name = "FILE", env = "MAILTOOL_RELAY_CA", help_heading = RELAY)]
    relay_ca: Option<PathBuf>,
    /// Name server to ask, such as 127.0.0.1:5353 [default: those of /etc/resolv.conf]
    #[arg(long, value_name = "ADDR[:PORT]", env = "MAILTOOL_RESOLVER", help_heading = RELAY)]
    resolver: Option<NameServer>,
    /// Pause before the second attempt, such as 30s or 5m; each later one is twice as long [default: 5m, growing to 4h]
    #[arg(long, value_name = "TIME", env = "MAILTOOL_RETRY", help_heading = RELAY)]
    retry: Option<Time>,
    /// After so long in the queue a message goes back to its sender [default: 5d]
    #[arg(long, value_name = "TIME", env = "MAILTOOL_GIVE_UP", help_heading = RELAY)]
    give_up: Option<Time>,
    /// After so long its sender is told that it is late [default: 4h]
    #[arg(long, value_name = "TIME", env = "MAILTOOL_WARN_AFTER", help_heading = RELAY)]
    warn_after: Option<Time>,
    /// Most connections to other servers at the same time [default: 100]
    #[arg(long, value_name = "N", env = "MAILTOOL_RELAY_CONNECTIONS", value_parser = count, help_heading = RELAY)]
    relay_connections: Option<usize>,
    /// Most connections to one destination at the same time [default: 20]
    #[arg(long, value_name = "N", env = "MAILTOOL_RELAY_CONNECTIONS_EACH", value_parser = count, help_heading = RELAY)]
    relay_connections_each: Option<usize>,
    /// For a lab: N servers, mta1.lab to mtaN.lab, in one program; mail goes from one to the next, and never out
    #[arg(long, value_name = "N", env = "MAILTOOL_LAB_CHAIN", value_parser = clap::value_parser!(u16).range(1..=60), help_heading = RELAY)]
    pub(in crate::applet::serve) lab_chain: Option<u16>,
}

const RELAY: &str = "Relay and queue";

impl Relay {
    /// Whether mail for other domains is passed on at all.
    pub(in crate::applet::serve) fn is_on(&self) -> bool {
        self.relay
            || !self.relay_from.is_empty()
            || !self.route.is_empty()
            || self.smarthost.is_some()
    }

    /// What of it is shown when the server is ready.
    pub(in crate::applet::serve) fn passing(&self) -> Passing<'_> {
        Passing {
            is_on: self.is_on(),
            networks: &self.relay_from,
            routes: &self.route,
            smarthost: self.smarthost.as_ref(),
            deliver: self.deliver.as_ref(),
        }
    }

    /// Whose mail is passed on without a login.
    pub(in crate::applet::serve) fn networks(&self) -> &[Network] {
        &self.relay_from
    }

    /// Whether mail for our own domains goes to a server behind us.
    pub(in crate::applet::serve) const fn delivers_elsewhere(&self) -> bool {
        self.deliver.is_some()
    }

    /// The name server to ask.
    pub(in crate::applet::serve) fn resolver(&self) -> Option<SocketAddr> {
        self.resolver.map(|server| server.0)
    }

    /// Who is to be believed where TLS has to be verified.
    pub(in crate::applet::serve) fn trust(&self) -> Trust {
        Trust::Authorities {
            extra: self.relay_ca.clone(),
        }
    }

    /// What the dispatcher goes by; who we are is for the caller to say.
    pub(in crate::applet::serve) fn policy(&self) -> Policy {
        let usual = Policy::default();
        let retry = self.retry.map_or(usual.retry, |time| time.0);
        let give_up = self.give_up.map_or(usual.give_up, |time| time.0);
        let retry_max = match self.retry {
            Some(_) => retry.saturating_mul(i64::from(limits::RETRY_GROWTH)),
            None => usual.retry_max,
        };
        Policy {
            retry,
            retry_max,
            give_up,
            // To be told that a message is late just when it comes back helps nobody.
            warn: self
                .warn_after
                .map(|time| time.0)
                .or(usual.warn)
                .filter(|warn| *warn < give_up),
            connections: self.relay_connections.unwrap_or(usual.connections),
            connections_each: self
                .relay_connections_each
                .unwrap_or(usual.connections_each),
            routes: Routes::new(
                self.route.clone(),
                self.smarthost.clone(),
                self.deliver.clone(),
            ),
            require_tls: self.require_tls.clone(),
            ..usual
        }
    }

    /// A server that everybody reaches must not pass on mail for everybody.
    pub(in crate::applet::serve) fn check(
        &self,
        endpoints: &[(Protocol, Endpoint)],
    ) -> anyhow::Result<()> {
        let open = too_wide(&self.relay_from);
        for (protocol, endpoint) in endpoints {
            if let (Some(network), true, Endpoint::Tcp(address)) =
                (open, protocol.is_smtp(), endpoint)
                && !address.ip().is_loopback()
            {
                bail!(
                    "--relay-from {network} would have {} on {address} pass on mail for everybody, and spammers would find it \
                     within hours: name your own networks only, such as 192.168.1.0/24, or let users log in, or listen on 127.0.0.1",
                    protocol.name()
                );
            }
        }
        Ok(())
    }

    /// For one server of a lab.
    pub(in crate::applet::serve) fn in_lab(&self, route: Vec<Route>) -> Self {
        let network = |text: &str| text.parse().ok();
        let mut relay = self.clone();
        relay.lab_chain = None;
        relay.relay_from = ["127.0.0.0/8", "::1"]
            .into_iter()
            .filter_map(network)
            .collect();
        relay.route.extend(route);
        relay
    }
}

/// The network that makes it too many, if together they hold more than a sixteenth of all addresses of their kind.
fn too_wide(networks: &[Network]) -> Option<&Network> {
    let (mut four, mut six) = (0u64, 0u64);
    networks.iter().find(|network| {
        let shown = network.to_string();
        let Some((address, prefix)) = shown.split_once('/') else {
            return true;
        };
        let Ok(prefix) = prefix.parse::<u32>() else {
            return true;
        };
        // In 2^-32 of all addresses.
        let part = 1u64 << 32u32.saturating_sub(prefix);
        let sum = if address.contains(':') {
            &mut six
        } else {
            &mut four
        };
        *sum = sum.saturating_add(part);
        *sum > 1 << 28
    })
}

/// `127.0.0.1`, `127.0.0.1:5353`, `[::1]:53`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NameServer(SocketAddr);

impl FromStr for NameServer {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const DOMAIN: u16 = 53;
        let address = text.parse::<IpAddr>();
        let address = address.map(|address| SocketAddr::new(address, DOMAIN));
        address
            .or_else(|_| text.parse())
            .map(Self)
            .map_err(|_| "give the address of a name server, such as 192.0.2.53 or 127.0.0.1:5353")
    }
}

fn count(text: &str) -> Result<usize, &'static str> {
    text.parse()
        .ok()
        .filter(|count| (1..=10_000).contains(count))
        .ok_or("give a number from 1 to 10000")
}

#[cfg(test)]
mod tests {
    use super::super::{Options, of_file};
    use super::*;

    #[test]
    fn a_file_says_what_the_command_line_can() {
        let options = of_file(
            "relay-from = ['192.168.0.0/16', '::1']\nroute = 'example.org=127.0.0.1:2525'\n\
             smarthost = 'me:secret@relay.example:587'\ndeliver = 'lmtp:/run/lmtp'\nrequire-tls = ['.bank.example']\n\
             retry = 1\ngive-up = '2h'\nwarn-after = '30m'\nresolver = '127.0.0.1:5353'\n",
        )
        .expect("understood");
        let relay = &options.relay;
        assert!(relay.is_on() && relay.delivers_elsewhere());
        let policy = relay.policy();
        assert_eq!(
            (policy.retry, policy.retry_max, policy.give_up, policy.warn),
            (1, 48, 7200, Some(1800))
        );
        assert!(!format!("{options:?}").contains("secret"), "{options:?}");
        for (text, why) in [
            ("retry = '5x'", "30s, 5m"),
            ("route = 'example.org'", "DOMAIN=HOST:PORT"),
            ("relay-from = '192.0.2.1/24'", "192.0.2.0/24"),
            ("relayfrom = '::1'", "unexpected argument"),
        ] {
            let error = format!("{:#}", of_file(text).expect_err(text));
            assert!(error.contains(why), "{error}");
        }
        assert!(!Options::default().relay.is_on());
    }

    #[test]
    fn nobody_becomes_an_open_relay_by_accident() {
        let relay = |networks: &[&str]| Relay {
            relay_from: networks.iter().map(|text| text.parse().unwrap()).collect(),
            ..Relay::default()
        };
        let on = |address: &str| vec![(Protocol::Smtp, Endpoint::Tcp(address.parse().unwrap()))];
        let public = on("0.0.0.0:25");
        for networks in [
            &["0.0.0.0/0"][..],
            &["::/0"],
            &["0.0.0.0/1", "128.0.0.0/1"],
            &["192.168.0.0/16", "0.0.0.0/2"],
            &["2000::/3"],
        ] {
            let error = relay(networks).check(&public).unwrap_err().to_string();
            assert!(error.contains("for everybody"), "{error}");
            assert!(relay(networks).check(&on("127.0.0.1:25")).is_ok());
        }
        for networks in [
            &["10.0.0.0/8", "192.168.0.0/16", "127.0.0.0/8"][..],
            &["2001:db8::/32"],
            &["fe80::/10"],
            &[],
        ] {
            assert!(relay(networks).check(&public).is_ok(), "{networks:?}");
        }
        // IMAP passes nothing on.
        let imap = vec![(
            Protocol::Imap,
            Endpoint::Tcp("0.0.0.0:143".parse().unwrap()),
        )];
        assert!(relay(&["0.0.0.0/0"]).check(&imap).is_ok());
    }
}
