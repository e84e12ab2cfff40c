//! The texts that say how names are resolved: /etc/hosts and /etc/resolv.conf. Parsing only; the resolver reads the files.
//!
//! What cannot be understood in them is passed over, as the C library does.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::limits;

/// /etc/hosts: an address, its name, and other names for it, one address a line.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    entries: Vec<(IpAddr, Vec<String>)>,
}

impl Hosts {
    /// Reads the text of /etc/hosts.
    ///
    /// ```
    /// use mailtool::wire::resolv::Hosts;
    ///
    /// let hosts = Hosts::parse("192.0.2.1 mail.example.org mail # the lab\n");
    /// assert_eq!(hosts.addresses("MAIL").collect::<Vec<_>>(), ["192.0.2.1".parse::<std::net::IpAddr>().unwrap()]);
    /// assert_eq!(hosts.name("192.0.2.1".parse().unwrap()), Some("mail.example.org"));
    /// ```
    pub fn parse(text: &str) -> Self {
        let entries = text.lines().filter_map(|line| {
            let mut words = uncommented(line, "#").split_ascii_whitespace();
            let address = words.next()?.parse().ok()?;
            Some((address, words.map(str::to_owned).collect()))
        });
        Self {
            entries: entries.collect(),
        }
    }

    /// The addresses that `name` has there.
    pub fn addresses(&self, name: &str) -> impl Iterator<Item = IpAddr> {
        let named = move |known: &String| known.eq_ignore_ascii_case(name);
        self.entries
            .iter()
            .filter(move |(_, names)| names.iter().any(named))
            .map(|(address, _)| *address)
    }

    /// The first name that `address` has there.
    pub fn name(&self, address: IpAddr) -> Option<&str> {
        let entry = self.entries.iter().find(|(known, _)| *known == address)?;
        entry.1.first().map(String::as_str)
    }
}

/// /etc/resolv.conf: whom to ask, and how (resolv.conf(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvConf {
    /// The name servers, in the order in which they are asked.
    pub servers: Vec<SocketAddr>,
    /// Domains that are tried behind a name that has few dots.
    pub search: Vec<String>,
    /// A name with at least so many dots is first tried as it is.
    pub ndots: usize,
    /// How long one server is waited for.
    pub timeout: Duration,
    /// How often each server is asked.
    pub attempts: u32,
    /// Questions begin with one server after the other, so that all have a share of the work.
    pub rotate: bool,
}

impl Default for ResolvConf {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            search: Vec::new(),
            ndots: 1,
            timeout: limits::DNS_TIMEOUT,
            attempts: limits::DNS_ATTEMPTS,
            rotate: false,
        }
    }
}

impl ResolvConf {
    /// Reads the text of /etc/resolv.conf. A file that names no server leaves `servers` empty.
    pub fn parse(text: &str) -> Self {
        let mut conf = Self::default();
        for line in text.lines() {
            let mut words = uncommented(line, "#;").split_ascii_whitespace();
            match words.next() {
                Some("nameserver") => {
                    let server = words.next().and_then(name_server);
                    if conf.servers.len() < limits::DNS_SERVERS {
                        conf.servers.extend(server);
                    }
                }
                // The last of them counts.
                Some("domain" | "search") => {
                    conf.search = words.take(limits::DNS_SEARCH).map(str::to_owned).collect();
                }
                Some("options") => words.for_each(|option| conf.option(option)),
                _ => {}
            }
        }
        conf
    }

    /// The names to ask for, in order, when somebody says `name`. A dot at the end forbids the search list.
    pub fn candidates(&self, name: &str) -> Vec<String> {
        if let Some(absolute) = name.strip_suffix('.') {
            return vec![absolute.to_owned()];
        }
        let searched = self
            .search
            .iter()
            .map(|domain| domain.trim_matches('.'))
            .filter(|domain| !domain.is_empty())
            .map(|domain| format!("{name}.{domain}"));
        let itself = [name.to_owned()];
        if name.matches('.').count() >= self.ndots {
            itself.into_iter().chain(searched).collect()
        } else {
            searched.chain(itself).collect()
        }
    }

    fn option(&mut self, option: &str) {
        self.rotate |= option == "rotate";
        let Some((name, value)) = option.split_once(':') else {
            return;
        };
        let Ok(value) = value.parse::<u32>() else {
            return;
        };
        // The bounds are those of resolv.conf(5).
        match name {
            "ndots" => self.ndots = value.min(15) as usize,
            "timeout" => self.timeout = Duration::from_secs(value.clamp(1, 30).into()),
            "attempts" => self.attempts = value.clamp(1, 5),
            _ => {}
        }
    }
}

fn uncommented<'a>(line: &'a str, signs: &str) -> &'a str {
    let end = line.find(|c| signs.contains(c)).unwrap_or(line.len());
    &line[..end]
}

/// An address, or an IPv6 address with the number of its interface: `fe80::1%2`.
fn name_server(word: &str) -> Option<SocketAddr> {
    const DOMAIN: u16 = 53;
    if let Some((address, scope)) = word.split_once('%') {
        let scope = scope.parse().ok()?;
        let address = address.parse().ok()?;
        return Some(std::net::SocketAddrV6::new(address, DOMAIN, 0, scope).into());
    }
    let address: IpAddr = word.parse().ok()?;
    // `nameserver 0.0.0.0` means this machine.
    let this_machine = address == IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let address = if this_machine {
        Ipv4Addr::LOCALHOST.into()
    } else {
        address
    };
    Some((address, DOMAIN).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_with_all_their_habits() {
        let hosts = Hosts::parse(
            "127.0.0.1\tlocalhost\n::1 localhost ip6-localhost\n#192.0.2.9 no\nrubbish x\n\n  192.0.2.1 a b#c\n",
        );
        let localhost: Vec<_> = hosts.addresses("LocalHost").collect();
        let expected: [IpAddr; 2] = [[127, 0, 0, 1].into(), "::1".parse().unwrap()];
        assert_eq!(localhost, expected);
        assert_eq!(hosts.addresses("b").count(), 1);
        assert_eq!(hosts.addresses("c").count(), 0);
        assert_eq!(hosts.addresses("no").count(), 0);
        assert_eq!(hosts.name("::1".parse().unwrap()), Some("localhost"));
        assert_eq!(hosts.name([192, 0, 2, 9].into()), None);
    }

    #[test]
    fn resolv_conf_with_all_its_words() {
        let conf = ResolvConf::parse(
            "; made by hand\ndomain old.example\nnameserver 192.0.2.1 # first\nnameserver fe80::1%3\n\
             nameserver x\nnameserver 0.0.0.0\nnameserver 192.0.2.4\nsearch a.example b.example.\n\
             options ndots:2 timeout:99 attempts:0 rotate edns0\n",
        );
        assert_eq!(
            conf.servers,
            [
                "192.0.2.1:53".parse().unwrap(),
                "[fe80::1%3]:53".parse().unwrap(),
                "127.0.0.1:53".parse().unwrap()
            ]
        );
        assert_eq!(conf.ndots, 2);
        assert_eq!(conf.timeout, Duration::from_secs(30));
        assert_eq!(conf.attempts, 1);
        assert!(conf.rotate);
        assert_eq!(
            conf.candidates("x.y"),
            ["x.y.a.example", "x.y.b.example", "x.y"]
        );
        assert_eq!(conf.candidates("x.y.z")[0], "x.y.z");
        assert_eq!(conf.candidates("x."), ["x"]);
    }

    #[test]
    fn nothing_said_means_nobody_to_ask() {
        assert_eq!(ResolvConf::parse(""), ResolvConf::default());
        assert_eq!(ResolvConf::default().candidates("x"), ["x"]);
    }
}
