//! What a dispatcher goes by: how long it tries, how much it does at once, and where mail goes.
//!
//! A recipient's next hop is the first of these that applies:
//!
//! | what | next hop |
//! |---|---|
//! | the domain is ours | the mailbox here, or what `--deliver` names |
//! | `--route DOMAIN=HOST:PORT` | the host; `example.org` wins over `.example.org` (what is below it), the longest over shorter ones, all over `*` |
//! | `--smarthost HOST:PORT` | the host |
//! | `user@[192.0.2.1]` | that address, port 25 |
//! | anything else | the domain's mail exchangers (RFC 5321 §5.1) |

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use crate::limits;
use crate::proto::smtp::client::Protocol;
use crate::wire::address::{self, Address};
use crate::wire::destination::{Destination, Host};
use crate::wire::idna;

/// What a dispatcher goes by. Times are in seconds.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Until the second attempt; each later pause is twice as long, up to [`Self::retry_max`].
    pub retry: i64,
    /// The longest pause.
    pub retry_max: i64,
    /// After so long a message is given up.
    pub give_up: i64,
    /// After so long its sender is told that it is late; `None`: never.
    pub warn: Option<i64>,
    /// Connections at the same time.
    pub connections: usize,
    /// Connections at the same time to one destination.
    pub connections_each: usize,
    /// Messages over one connection.
    pub messages: usize,
    /// How long a connection that has nothing to do is kept.
    pub idle: i64,
    /// What we are called: an MX of such a name is us.
    pub names: Vec<String>,
    /// Where we listen for mail: a target of such an address and port is us.
    pub own: Vec<SocketAddr>,
    /// Where mail goes.
    pub routes: Routes,
    /// Domains, and what is below `.DOMAIN`, that are sent to over verified TLS or not at all.
    pub require_tls: Vec<Pattern>,
}

impl Default for Policy {
    fn default() -> Self {
        let seconds = |duration: std::time::Duration| duration.as_secs().cast_signed();
        Self {
            retry: seconds(limits::RETRY),
            retry_max: seconds(limits::RETRY_MAX),
            give_up: seconds(limits::GIVE_UP),
            warn: Some(seconds(limits::WARN_DELAY)),
            connections: limits::OUTGOING,
            connections_each: limits::RELAY_CONNECTIONS_EACH,
            messages: limits::RELAY_MESSAGES,
            idle: seconds(limits::RELAY_IDLE),
            names: Vec::new(),
            own: Vec::new(),
            routes: Routes::default(),
            require_tls: Vec::new(),
        }
    }
}

impl Policy {
    /// How long after an attempt the next one comes, when `attempts` were made; `chance` spreads what failed together.
    pub fn pause(&self, attempts: u32, chance: u64) -> i64 {
        let doubled = 1i64 << attempts.saturating_sub(1).min(20);
        let pause = self.retry.saturating_mul(doubled);
        let pause = pause.min(self.retry_max.max(self.retry)).max(1);
        // Up to a tenth more.
        pause + (chance % (pause.unsigned_abs() / 10 + 1)).cast_signed()
    }

    /// What is wanted of TLS on the way to a domain.
    pub fn tls(&self, domain: &str, require: bool) -> Tls {
        if require {
            return Tls::Required;
        }
        let domain = &*a_labels(domain);
        let named = self
            .require_tls
            .iter()
            .any(|pattern| pattern.matches(domain));
        if named { Tls::Verified } else { Tls::IfOffered }
    }

    /// Whether that is us.
    pub fn is_us(&self, target: &SocketAddr) -> bool {
        self.own.iter().any(|own| {
            let same =
                own.ip() == target.ip() || (own.ip().is_unspecified() && target.ip().is_loopback());
            same && own.port() == target.port()
        })
    }

    /// Whether we are called so.
    pub fn is_our_name(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name);
        self.names
            .iter()
            .any(|ours| ours.eq_ignore_ascii_case(name))
    }
}

/// What is wanted of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tls {
    /// If the server offers it, whatever certificate it shows (RFC 7435).
    IfOffered,
    /// With a certificate that is right: our own policy.
    Verified,
    /// The same, and the next server has to promise it too (RFC 8689).
    Required,
}

/// Where a recipient's mail goes next.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hop {
    /// Into a mailbox here.
    Here,
    /// To the mail exchangers of this domain (lower case).
    Exchangers(Arc<str>),
    /// To this host and no other.
    Host(Arc<Way>),
    /// Back: there is no way to this domain.
    Nowhere(Arc<str>),
}

/// A host to which mail is sent without asking for mail exchangers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Way {
    /// Where it is.
    pub place: Place,
    /// What it speaks.
    pub dialect: Dialect,
    /// Who logs in there.
    pub login: Option<Secret>,
}

/// Where a host is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A name to be looked up, and a port.
    Name(String, u16),
    /// An address.
    Address(SocketAddr),
    /// A socket in the file system.
    Unix(String),
}

/// [`Protocol`], as part of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// RFC 5321
    Smtp,
    /// RFC 2033
    Lmtp,
}

impl From<Dialect> for Protocol {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Smtp => Self::Smtp,
            Dialect::Lmtp => Self::Lmtp,
        }
    }
}

/// Name and password for a smarthost; not shown when printed.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Secret {
    /// The name.
    pub user: String,
    /// The password, in the clear; empty where it is to be fetched.
    pub password: String,
    /// Where it is fetched from, for each connection anew.
    pub source: Option<Source>,
}

/// Where a password or a token is to be had. Files and commands are for others to read and run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// The first line of a file is the password.
    PasswordFile(String),
    /// The first line of a file is the token.
    TokenFile(String),
    /// The first line that a command writes is the token.
    TokenCommand(String),
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:********", self.user)
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here => formatter.write_str("a mailbox here"),
            Self::Exchangers(domain) => write!(formatter, "the mail exchangers of {domain}"),
            Self::Host(way) => way.fmt(formatter),
            Self::Nowhere(domain) => write!(formatter, "nowhere, for {domain}"),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dialect == Dialect::Lmtp {
            formatter.write_str("lmtp:")?;
        }
        match &self.place {
            Place::Name(name, port) => write!(formatter, "{name}:{port}"),
            Place::Address(address) => address.fmt(formatter),
            Place::Unix(path) => formatter.write_str(path),
        }
    }
}

impl Way {
    /// The same, where `user` logs in with what comes from `source`.
    #[must_use]
    pub fn with_login(self, user: &str, source: Source) -> Self {
        let login = Secret {
            user: user.to_owned(),
            password: String::new(),
            source: Some(source),
        };
        Self {
            login: Some(login),
            ..self
        }
    }
}

impl FromStr for Way {
    type Err = String;

    /// `HOST`, `HOST:PORT`, `USER:PASSWORD@HOST:PORT`, `lmtp:HOST:PORT`, `lmtp:/unix/socket`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (dialect, rest) = match text.strip_prefix("lmtp:") {
            Some(rest) => (Dialect::Lmtp, rest),
            None => (Dialect::Smtp, text),
        };
        if rest.starts_with('/') {
            if dialect == Dialect::Smtp {
                return Err(
                    "a socket in the file system is spoken to in LMTP: lmtp:/run/mail/lmtp"
                        .to_owned(),
                );
            }
            return Ok(Self {
                place: Place::Unix(rest.to_owned()),
                dialect,
                login: None,
            });
        }
        // A password may have an @ in it; a host has none.
        let (login, host) = match rest.rsplit_once('@') {
            Some((login, host)) => (Some(login), host),
            None => (None, rest),
        };
        let login = login
            .map(|login| match login.split_once(':') {
                Some((user, password)) if !user.is_empty() && !password.is_empty() => Ok(Secret {
                    user: user.to_owned(),
                    password: password.to_owned(),
                    source: None,
                }),
                _ => Err("before the @ stands USER:PASSWORD".to_owned()),
            })
            .transpose()?;
        let standard = match dialect {
            Dialect::Smtp if login.is_some() => SUBMISSION,
            Dialect::Smtp => SMTP,
            Dialect::Lmtp => LMTP,
        };
        Ok(Self {
            place: place(host, standard)?,
            dialect,
            login,
        })
    }
}

/// `HOST` or `HOST:PORT`.
fn place(text: &str, standard: u16) -> Result<Place, String> {
    let example = "give HOST:PORT, such as mail.example.org:25, 192.0.2.1:25 or [2001:db8::1]:25";
    let destination = match Destination::parse(text) {
        Some(destination) => destination,
        None => Destination {
            host: Host::parse(text).ok_or(example)?,
            port: standard,
        },
    };
    match destination.host {
        _ if destination.port == 0 => Err(example.to_owned()),
        Host::Address(address) => Ok(Place::Address(SocketAddr::new(address, destination.port))),
        Host::Name(name) => match address::domain(name.as_bytes()) {
            Ok(name) => Ok(Place::Name(name.to_ascii_lowercase(), destination.port)),
            Err(_) => Err(example.to_owned()),
        },
    }
}

/// Which domains something is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// `*`
    All,
    /// `.example.org`: all below it, not itself; kept with its dot, in lower case.
    Below(String),
    /// `example.org`, in lower case.
    Exactly(String),
}

impl Pattern {
    /// Whether `domain`, in any case, is one of them.
    pub fn matches(&self, domain: &str) -> bool {
        match self {
            Self::All => true,
            Self::Exactly(name) => name.eq_ignore_ascii_case(domain),
            Self::Below(suffix) => {
                domain.len() > suffix.len()
                    && domain
                        .get(domain.len() - suffix.len()..)
                        .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
            }
        }
    }

    /// The higher, the more it says.
    fn weight(&self) -> usize {
        match self {
            Self::All => 0,
            Self::Below(suffix) => suffix.len(),
            Self::Exactly(_) => usize::MAX,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::All => "*",
            Self::Below(name) | Self::Exactly(name) => name,
        })
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = |text: &str| {
            address::domain(a_labels(text).as_bytes())
                .map(|name| name.to_ascii_lowercase())
                .map_err(|_| {
                    format!("{text}: give a domain, .DOMAIN for all below it, or * for all")
                })
        };
        match text {
            "*" => Ok(Self::All),
            _ => match text.strip_prefix('.') {
                Some(rest) => Ok(Self::Below(format!(".{}", name(rest)?))),
                None => Ok(Self::Exactly(name(text)?)),
            },
        }
    }
}

/// One `--route`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// For which domains.
    pub pattern: Pattern,
    /// Where to.
    pub goal: Goal,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// To a host.
    Host(Arc<Way>),
    /// `mx`: to the domain's mail exchangers, past the smarthost.
    Exchangers,
    /// `nowhere`: mail goes back.
    Nowhere,
}

impl FromStr for Route {
    type Err = String;

    /// `example.org=mail.example.net:25`, `.lab=127.0.0.1:2525`, `*=gateway`, `example.net=mx`, `*=nowhere`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (pattern, way) = text
            .split_once('=')
            .ok_or("give DOMAIN=HOST:PORT, such as example.org=192.0.2.1:25")?;
        Ok(Self {
            pattern: pattern.parse()?,
            goal: match way {
                "mx" => Goal::Exchangers,
                "nowhere" => Goal::Nowhere,
                way => Goal::Host(Arc::new(way.parse()?)),
            },
        })
    }
}

/// Where mail goes, but for what is ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    routes: Vec<Route>,
    smarthost: Option<Arc<Way>>,
    deliver: Option<Arc<Way>>,
}

impl Routes {
    /// Of what was asked for. Of two routes for the same domain the first counts.
    pub fn new(routes: Vec<Route>, smarthost: Option<Way>, deliver: Option<Way>) -> Self {
        let mut routes = routes;
        routes.sort_by_key(|route| std::cmp::Reverse(route.pattern.weight()));
        Self {
            routes,
            smarthost: smarthost.map(Arc::new),
            deliver: deliver.map(Arc::new),
        }
    }

    /// Where this recipient's mail goes next; `whose` says whether the domain is ours.
    pub fn of(&self, address: &Address, whose: Whose) -> Hop {
        let domain = match (whose, address.domain()) {
            (Whose::Ours, _) | (_, None) => {
                return self.deliver.clone().map_or(Hop::Here, Hop::Host);
            }
            (Whose::Foreign, Some(domain)) => domain,
        };
        let domain = &*a_labels(domain);
        let named = self
            .routes
            .iter()
            .find(|route| route.pattern.matches(domain));
        match (named.map(|route| &route.goal), &self.smarthost) {
            (Some(Goal::Host(way)), _) | (None, Some(way)) => return Hop::Host(Arc::clone(way)),
            (Some(Goal::Nowhere), _) => return Hop::Nowhere(domain.to_ascii_lowercase().into()),
            (Some(Goal::Exchangers), _) | (None, None) => {}
        }
        match literal(domain) {
            Some(address) => Hop::Host(Arc::new(Way {
                place: Place::Address(SocketAddr::new(address, SMTP)),
                dialect: Dialect::Smtp,
                login: None,
            })),
            None => Hop::Exchangers(domain.to_ascii_lowercase().into()),
        }
    }
}

/// Whose domain it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Its mailboxes are here.
    Ours,
    /// Somebody else's.
    Foreign,
}

/// A domain as the DNS has it (RFC 5890); one that can be none as it is: it will not be found.
fn a_labels(domain: &str) -> Cow<'_, str> {
    idna::to_ascii(domain).unwrap_or(Cow::Borrowed(domain))
}

/// `[192.0.2.1]`, `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3).
fn literal(domain: &str) -> Option<IpAddr> {
    let inside = domain.strip_prefix('[')?.strip_suffix(']')?;
    match inside.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => inside[5..].parse().ok(),
        _ => inside.parse().ok(),
    }
}

/// RFC 5321 §4.5.4.2
pub(super) const SMTP: u16 = 25;
/// RFC 6409 §3.1
const SUBMISSION: u16 = 587;
/// Not assigned; what Postfix and Dovecot use.
const LMTP: u16 = 24;

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(routes: &[&str], smarthost: Option<&str>, deliver: Option<&str>) -> Routes {
        let routes = routes.iter().map(|text| text.parse().unwrap()).collect();
        Routes::new(
            routes,
            smarthost.map(|text| text.parse().unwrap()),
            deliver.map(|text| text.parse().unwrap()),
        )
    }

    fn of(routes: &Routes, address: &str, whose: Whose) -> String {
        let address = Address::parse(address.as_bytes()).unwrap();
        routes.of(&address, whose).to_string()
    }

    #[test]
    fn the_most_particular_route_wins() {
        let table = routes(
            &[
                "*=192.0.2.9",
                ".example.org=192.0.2.1:2525",
                ".b.example.org=Mail.Example.NET",
                "example.org=[2001:db8::1]:26",
                "direct.example=mx",
                "lost.example=nowhere",
            ],
            None,
            None,
        );
        for (domain, hop) in [
            ("example.org", "[2001:db8::1]:26"),
            ("EXAMPLE.org", "[2001:db8::1]:26"),
            ("a.example.org", "192.0.2.1:2525"),
            ("a.B.example.org", "mail.example.net:25"),
            ("b.example.org", "192.0.2.1:2525"),
            ("notexample.org", "192.0.2.9:25"),
            ("direct.example", "the mail exchangers of direct.example"),
            ("lost.example", "nowhere, for lost.example"),
        ] {
            assert_eq!(of(&table, &format!("x@{domain}"), Whose::Foreign), hop);
        }
    }

    #[test]
    fn without_a_route_the_smarthost_then_the_exchangers() {
        let foreign = Whose::Foreign;
        let none = Routes::default();
        assert_eq!(
            of(&none, "x@A.example", foreign),
            "the mail exchangers of a.example"
        );
        assert_eq!(of(&none, "x@[192.0.2.7]", foreign), "192.0.2.7:25");
        assert_eq!(
            of(&none, "x@[IPv6:2001:db8::7]", foreign),
            "[2001:db8::7]:25"
        );
        assert_eq!(of(&none, "x@a.example", Whose::Ours), "a mailbox here");
        assert_eq!(of(&none, "postmaster", foreign), "a mailbox here");
        let smart = routes(
            &["lab=127.0.0.1:2525"],
            Some("me:p@ss:w@relay.example"),
            None,
        );
        assert_eq!(of(&smart, "x@a.example", foreign), "relay.example:587");
        assert_eq!(of(&smart, "x@lab", foreign), "127.0.0.1:2525");
        let way: Way = "me:p@ss:w@relay.example".parse().unwrap();
        let secret = way.login.unwrap();
        assert_eq!((&*secret.user, &*secret.password), ("me", "p@ss:w"));
        assert_eq!(format!("{secret:?}"), "me:********");
        let umlauts = routes(&["b\u{fc}cher.example=192.0.2.1:25"], None, None);
        for domain in [
            "B\u{dc}CHER.example",
            "bu\u{308}cher.example",
            "xn--bcher-kva.example",
        ] {
            let path = format!("<x@{domain}>");
            let (address, _) = address::path_utf8(path.as_bytes()).unwrap();
            let hop = |routes: &Routes| routes.of(&address.clone().unwrap(), foreign).to_string();
            assert_eq!(hop(&umlauts), "192.0.2.1:25");
            assert_eq!(hop(&none), "the mail exchangers of xn--bcher-kva.example");
        }
        let front = routes(&[], None, Some("lmtp:/run/dovecot/lmtp"));
        assert_eq!(
            of(&front, "x@a.example", Whose::Ours),
            "lmtp:/run/dovecot/lmtp"
        );
        assert_eq!(
            of(&front, "x@a.example", foreign),
            "the mail exchangers of a.example"
        );
    }

    #[test]
    fn what_is_no_route_is_refused_with_an_example() {
        for text in [
            "example.org",
            "a b=host",
            "example.org=",
            "example.org=host:0",
            "x=/socket",
            "x=a@h:25",
            "x=h:99999",
        ] {
            let error = text.parse::<Route>().unwrap_err();
            assert!(!error.is_empty(), "{text}");
        }
    }

    #[test]
    fn pauses_grow_and_end() {
        let policy = Policy::default();
        let pauses: Vec<i64> = (1..10).map(|attempts| policy.pause(attempts, 0)).collect();
        assert_eq!(
            pauses,
            [300, 600, 1200, 2400, 4800, 9600, 14400, 14400, 14400]
        );
        assert!((300..=330).contains(&policy.pause(1, u64::MAX)));
        let lab = Policy {
            retry: 1,
            retry_max: 48,
            ..Policy::default()
        };
        assert_eq!(
            (lab.pause(1, 7), lab.pause(3, 0), lab.pause(u32::MAX, 0)),
            (1, 4, 48)
        );
    }

    #[test]
    fn we_are_known_by_name_and_by_address() {
        let policy = Policy {
            names: vec!["mail.example.org".to_owned()],
            own: vec![
                "0.0.0.0:25".parse().unwrap(),
                "192.0.2.1:25".parse().unwrap(),
            ],
            ..Policy::default()
        };
        assert!(policy.is_our_name("MAIL.example.org."));
        assert!(policy.is_us(&"192.0.2.1:25".parse().unwrap()));
        assert!(policy.is_us(&"127.0.0.1:25".parse().unwrap()));
        assert!(!policy.is_us(&"127.0.0.1:2525".parse().unwrap()));
        assert_eq!(policy.tls("a.example", false), Tls::IfOffered);
        let strict = Policy {
            require_tls: vec![".example".parse().unwrap()],
            ..policy
        };
        assert_eq!(strict.tls("a.example", false), Tls::Verified);
        assert_eq!(strict.tls("a.example", true), Tls::Required);
    }
}
