//! The command line, understood: numbers in bounds, ports listed, contradictions refused, in Debian's words.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::time::Duration;

use clap::ArgMatches;

use super::Complaint;
use crate::proto::raw;
use crate::reactor::resolver::{self, Family};
use crate::reactor::sockets::Settings;
use crate::wire::services::{Services, Transport};

/// What was asked for.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) task: Task,
    pub(super) transport: Transport,
    pub(super) family: Family,
    pub(super) settings: Settings,
    /// -n
    pub(super) numeric: bool,
    /// -v
    pub(super) verbose: bool,
    /// -C
    pub(super) crlf: bool,
    /// -i
    pub(super) interval: Option<Duration>,
    /// -W
    pub(super) receive_at_most: Option<u32>,
    /// -w, -q, -N
    pub(super) ends: raw::Options,
    /// -d
    detached: bool,
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Task {
    /// Call `host` at each of `ports`.
    Connect {
        host: String,
        ports: Vec<u16>,
        /// -s and -p
        source: Source,
        /// -z
        only_probe: bool,
    },
    /// Wait for callers.
    Listen {
        host: Option<String>,
        port: u16,
        /// -k
        keep_open: bool,
    },
}

/// Where to call from.
#[derive(Debug, Default)]
pub(super) struct Source {
    address: Option<String>,
    port: u16,
}

impl Options {
    pub(super) fn parse(matches: &ArgMatches, services: &Services) -> Result<Self, Complaint> {
        for (letter, what) in LATER {
            if is_given(matches, letter) {
                return Err(Complaint::Because(format!("no {what} support available")));
            }
        }
        let transport = match matches.get_flag("u") {
            true => Transport::Udp,
            false => Transport::Tcp,
        };
        let seconds = |letter, what, range| -> Result<_, Complaint> {
            let number = number(matches, letter, what, range)?;
            Ok(number.map(|number| Duration::from_secs(number.unsigned_abs())))
        };
        let quit_after = number(
            matches,
            "q",
            "quit timer",
            (i32::MIN.into(), i32::MAX.into()),
        )?;
        let quit_after = quit_after.and_then(|after| u64::try_from(after).ok());
        let octets = |letter, what| -> Result<Option<usize>, Complaint> {
            let number = number(matches, letter, what, (1, 65536 << 14))?;
            Ok(number.and_then(|number| usize::try_from(number).ok()))
        };
        let ttl = number(matches, "M", "ttl", (0, 255))?;
        let packets = number(matches, "W", "receive limit", (1, i32::MAX.into()))?;
        Ok(Self {
            ends: raw::Options {
                half_close: matches.get_flag("N"),
                quit_after: quit_after.map(Duration::from_secs),
                idle: seconds("w", "timeout", (0, i64::from(i32::MAX) / 1000))?,
            },
            interval: seconds("i", "interval", (0, u32::MAX.into()))?
                .filter(|interval| !interval.is_zero()),
            receive_at_most: packets.and_then(|packets| u32::try_from(packets).ok()),
            settings: Settings {
                broadcast: matches.get_flag("b"),
                receive_buffer: octets("I", "TCP receive window")?,
                send_buffer: octets("O", "TCP send window")?,
                ttl: ttl.and_then(|ttl| u32::try_from(ttl).ok()),
            },
            family: match (matches.get_flag("4"), matches.get_flag("6")) {
                (true, _) => Family::V4,
                (_, true) => Family::V6,
                _ => Family::Any,
            },
            numeric: matches.get_flag("n"),
            verbose: matches.get_count("v") > 0,
            crlf: matches.get_flag("C"),
            detached: matches.get_flag("d"),
            task: task(matches, services, transport)?,
            transport,
        })
    }

    pub(super) const fn reads_input(&self) -> bool {
        !self.detached
    }

    /// The addresses of `host`, or only what it spells (-n).
    pub(super) fn resolve(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, resolver::ResolveError> {
        if self.numeric {
            return Ok(vec![resolver::numeric(host, port, self.family)?]);
        }
        resolver::resolve(host, port, self.family)
    }
}

impl Source {
    /// The address to bind to before calling `to`, if any was asked for.
    pub(super) fn address(&self, to: SocketAddr) -> Result<Option<SocketAddr>, Complaint> {
        let family = match to {
            SocketAddr::V4(_) => Family::V4,
            SocketAddr::V6(_) => Family::V6,
        };
        let any = match to {
            SocketAddr::V4(_) => "0.0.0.0",
            SocketAddr::V6(_) => "::",
        };
        if self.address.is_none() && self.port == 0 {
            return Ok(None);
        }
        let host = self.address.as_deref().unwrap_or(any);
        let addresses = resolver::resolve(host, self.port, family)
            .map_err(|error| Complaint::Because(format!("getaddrinfo: {error}")))?;
        Ok(addresses.first().copied())
    }
}

/// What Debian's nc has, and this one has not yet.
const LATER: [(&str, &str); 12] = [
    ("D", "socket debug"),
    ("F", "descriptor passing"),
    ("S", "TCP MD5 signature"),
    ("t", "TELNET"),
    ("U", "UNIX socket"),
    ("Z", "DCCP"),
    ("m", "minimum TTL"),
    ("P", "proxy"),
    ("T", "TOS"),
    ("V", "alternate routing table"),
    ("X", "proxy"),
    ("x", "proxy"),
];

fn is_given(matches: &ArgMatches, letter: &str) -> bool {
    matches.value_source(letter) == Some(clap::parser::ValueSource::CommandLine)
}

/// Which operand is what: as Debian's nc decides it.
fn task(
    matches: &ArgMatches,
    services: &Services,
    transport: Transport,
) -> Result<Task, Complaint> {
    let operands: Vec<&str> = matches
        .get_many::<String>("operands")
        .unwrap_or_default()
        .map(String::as_str)
        .collect();
    let text = |letter| matches.get_one::<String>(letter).map(String::as_str);
    let (source, local_port) = (text("s"), text("p"));
    let (listens, keep_open) = (matches.get_flag("l"), matches.get_flag("k"));
    let (host, ports): (Option<&str>, &[&str]) = match operands.as_slice() {
        [] if listens => (source, local_port.as_slice()),
        [port] if listens && local_port.is_none() && source.is_none() => {
            (None, std::slice::from_ref(port))
        }
        [_] if local_port.is_none() && source.is_none() => (None, &[]),
        [_, _] if listens && (local_port.is_some() || source.is_some()) => {
            return Err(Complaint::Usage);
        }
        [_, _, _, ..] if listens => return Err(Complaint::Usage),
        [host, ports @ ..] if !ports.is_empty() => (Some(host), ports),
        _ => return Err(Complaint::Usage),
    };
    let [first, ..] = ports else {
        return Err(Complaint::because("missing port number"));
    };
    if listens && matches.get_flag("z") {
        return Err(Complaint::because("cannot use -z and -l"));
    }
    if keep_open && !listens {
        return Err(Complaint::because("must use -l with -k"));
    }
    if listens {
        return Ok(Task::Listen {
            host: host.map(str::to_owned),
            port: local(first, services, transport)?,
            keep_open,
        });
    }
    let mut listed = Vec::new();
    for operand in ports {
        listed.extend(port_list(operand, services, transport)?);
    }
    if matches.get_flag("r") {
        let order = RandomState::new();
        listed.sort_by_cached_key(|port| order.hash_one(port));
    }
    Ok(Task::Connect {
        host: host.unwrap_or_default().to_owned(),
        ports: listed,
        source: Source {
            address: source.map(str::to_owned),
            port: local_port.map_or(Ok(0), |port| local(port, services, transport))?,
        },
        only_probe: matches.get_flag("z"),
    })
}

/// One operand: a service, a number, or a range in either order.
fn port_list(
    operand: &str,
    services: &Services,
    transport: Transport,
) -> Result<Vec<u16>, Complaint> {
    if let Some(port) = services.port(operand, transport) {
        return Ok(vec![port]);
    }
    let is_range = operand.starts_with(|first: char| first.is_ascii_digit());
    if let Some((one, other)) = operand.split_once('-').filter(|_| is_range) {
        let (other, one) = (port(other)?, port(one)?);
        return Ok((one.min(other)..=one.max(other)).collect());
    }
    Ok(vec![port(operand)?])
}

fn port(text: &str) -> Result<u16, Complaint> {
    let port = strtonum(text, (1, u16::MAX.into()))
        .map_err(|why| Complaint::Because(format!("port number {why}: {text}")))?;
    u16::try_from(port).map_err(Complaint::because)
}

/// A port of ours: 0 is any that is free.
fn local(text: &str, services: &Services, transport: Transport) -> Result<u16, Complaint> {
    if let Some(port) = services.port(text, transport) {
        return Ok(port);
    }
    match strtonum(text, (0, u16::MAX.into())) {
        Ok(port) => u16::try_from(port).map_err(Complaint::because),
        Err("invalid") => Err(Complaint::because(
            "getaddrinfo: Servname not supported for ai_socktype",
        )),
        Err(why) => Err(Complaint::Because(format!("port number {why}: {text}"))),
    }
}

fn number(
    matches: &ArgMatches,
    letter: &str,
    what: &str,
    bounds: (i64, i64),
) -> Result<Option<i64>, Complaint> {
    let Some(text) = matches.get_one::<String>(letter) else {
        return Ok(None);
    };
    strtonum(text, bounds)
        .map(Some)
        .map_err(|why| Complaint::Because(format!("{what} {why}: {text}")))
}

/// A number as strtonum(3) reads it: blanks and a sign before it, nothing behind it.
fn strtonum(text: &str, (lowest, highest): (i64, i64)) -> Result<i64, &'static str> {
    let trimmed = text.trim_start();
    let digits = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
    if digits.is_empty() || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err("invalid");
    }
    let beyond = match trimmed.starts_with('-') {
        true => i64::MIN,
        false => i64::MAX,
    };
    let number = trimmed.parse().unwrap_or(beyond);
    if number < lowest {
        return Err("too small");
    }
    if number > highest {
        return Err("too large");
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, Complaint> {
        let words = line.split_ascii_whitespace();
        let matches = super::super::command()
            .try_get_matches_from(words)
            .expect("clap takes it");
        Options::parse(&matches, &Services::default())
    }

    fn ports(line: &str) -> Vec<u16> {
        match parse(line).expect("it is right").task {
            Task::Connect { ports, .. } => ports,
            Task::Listen { port, .. } => vec![port],
        }
    }

    fn complaint(line: &str) -> String {
        match parse(line).expect_err("it is wrong") {
            Complaint::Usage => "usage".to_owned(),
            Complaint::Because(text) => text,
        }
    }

    #[test]
    fn ports_are_listed_in_order() {
        assert_eq!(ports("nc h 25"), [25]);
        assert_eq!(ports("nc h smtp 30-28 pop3"), [25, 28, 29, 30, 110]);
        assert_eq!(ports("nc h ftp-data"), [20]);
        assert_eq!(ports("nc -l smtp"), [25]);
        assert_eq!(ports("nc -l -p 0"), [0]);
        assert_eq!(ports("nc -lp4711"), [4711]);
        assert_eq!(ports("nc h 1-65535").len(), 65535);
    }

    #[test]
    fn random_order_loses_no_port() {
        let mut random = ports("nc -r h 1-1000");
        assert_ne!(random, ports("nc h 1-1000"));
        random.sort_unstable();
        assert_eq!(random, ports("nc h 1-1000"));
    }

    #[test]
    fn wrong_ports_are_named() {
        for (line, expected) in [
            ("nc h x", "port number invalid: x"),
            ("nc h 0", "port number too small: 0"),
            ("nc h -- -5", "port number too small: -5"),
            ("nc h 99999", "port number too large: 99999"),
            ("nc h 5-x", "port number invalid: x"),
            ("nc h 5-", "port number invalid: "),
            ("nc h 1 a-b", "port number invalid: a-b"),
            (
                "nc h 99999999999999999999",
                "port number too large: 99999999999999999999",
            ),
            (
                "nc -l x",
                "getaddrinfo: Servname not supported for ai_socktype",
            ),
            ("nc -l 99999", "port number too large: 99999"),
            (
                "nc -p x h 1",
                "getaddrinfo: Servname not supported for ai_socktype",
            ),
            ("nc h", "missing port number"),
            ("nc -l", "missing port number"),
        ] {
            assert_eq!(complaint(line), expected, "{line}");
        }
    }

    #[test]
    fn wrong_numbers_are_named() {
        for (line, expected) in [
            ("nc -q x h 1", "quit timer invalid: x"),
            ("nc -w x h 1", "timeout invalid: x"),
            ("nc -w -1 h 1", "timeout too small: -1"),
            ("nc -w 99999999 h 1", "timeout too large: 99999999"),
            ("nc -i 1.5 h 1", "interval invalid: 1.5"),
            ("nc -W 0 h 1", "receive limit too small: 0"),
            ("nc -I 0 h 1", "TCP receive window too small: 0"),
        ] {
            assert_eq!(complaint(line), expected, "{line}");
        }
    }

    #[test]
    fn contradictions_are_refused() {
        for (line, expected) in [
            ("nc", "usage"),
            ("nc -l -p 1 2", "usage"),
            ("nc -l -p 1 2 3", "usage"),
            ("nc -l h 1 2", "usage"),
            ("nc -s 127.0.0.1 h", "usage"),
            ("nc -l -z 1", "cannot use -z and -l"),
            ("nc -k h 1", "must use -l with -k"),
            ("nc -x a h 1", "no proxy support available"),
            ("nc -U h", "no UNIX socket support available"),
        ] {
            assert_eq!(complaint(line), expected, "{line}");
        }
    }

    #[test]
    fn letters_cluster_and_the_last_one_counts() {
        let options = parse("nc -4vvnuw3 -6 -q-1 -w 5 h 53 -N").expect("it is right");
        assert_eq!(options.family, Family::V6);
        assert_eq!(options.transport, Transport::Udp);
        assert!(options.verbose && options.numeric);
        assert_eq!(options.ends.idle, Some(Duration::from_secs(5)));
        assert_eq!(options.ends.quit_after, None, "negative: for ever");
        assert!(options.ends.half_close);
    }

    #[test]
    fn a_listener_has_a_host_or_a_source() {
        for (line, expected) in [
            ("nc -l 25", None),
            ("nc -l ::1 25", Some("::1")),
            ("nc -l -s 127.0.0.1 -p 25", Some("127.0.0.1")),
        ] {
            let Task::Listen { host, port, .. } = parse(line).expect("it is right").task else {
                panic!("{line} does not listen");
            };
            assert_eq!((host.as_deref(), port), (expected, 25), "{line}");
        }
    }
}
