//! Where a proxy is asked to connect to: a name or an address, and a port.
//!
//! A name is opaque here, and is looked up by the proxy. What a name may consist of is decided once, in [`Host::parse`],
//! so that none of them can end a line of HTTP, or the NUL-ended string of SOCKS 4a, before its time.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// A machine, as somebody called it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// To be looked up by the proxy.
    Name(String),
    /// Known already.
    Address(IpAddr),
}

impl Host {
    /// An address if it is written as one, with or without the brackets of IPv6, else a name: 1 to [`NAME`] octets, no
    /// control characters, no spaces, none of `/\?#@:[]"<>`. `None` for anything else.
    ///
    /// ```
    /// use mailtool::wire::destination::Host;
    ///
    /// assert_eq!(Host::parse("mail.example.org"), Some(Host::Name("mail.example.org".to_owned())));
    /// assert_eq!(Host::parse("192.0.2.1"), Some(Host::Address([192, 0, 2, 1].into())));
    /// assert_eq!(Host::parse("[2001:db8::1]"), Host::parse("2001:db8::1"));
    /// assert_eq!(Host::parse("mail.example.org\r\nX: y"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self::Address(address));
        }
        let bracketed = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(inside) = bracketed {
            let address: Ipv6Addr = inside.parse().ok()?;
            return Some(Self::Address(address.into()));
        }
        is_name(text).then(|| Self::Name(text.to_owned()))
    }

    /// Whether it is an address, or a name that [`Host::parse`] would let pass.
    pub(crate) fn is_sayable(&self) -> bool {
        match self {
            Self::Name(name) => is_name(name),
            Self::Address(_) => true,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Address(address) => address.fmt(formatter),
        }
    }
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The machine.
    pub host: Host,
    /// The TCP port there.
    pub port: u16,
}

impl Destination {
    /// Reads `host:port` (RFC 9110 §7.1, authority-form), an IPv6 address in brackets.
    ///
    /// ```
    /// use mailtool::wire::destination::Destination;
    ///
    /// let destination = Destination::parse("[2001:db8::1]:25").unwrap();
    /// assert_eq!((destination.to_string(), destination.port), ("[2001:db8::1]:25".to_owned(), 25));
    /// assert_eq!(Destination::parse("mail.example.org"), None);
    /// assert_eq!(Destination::parse("2001:db8::1:25"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let is_bracketed = host.starts_with('[');
        if host.contains(':') != is_bracketed || !port.bytes().all(|octet| octet.is_ascii_digit()) {
            return None;
        }
        Some(Self {
            host: Host::parse(host)?,
            port: port.parse().ok()?,
        })
    }
}

impl From<SocketAddr> for Destination {
    fn from(address: SocketAddr) -> Self {
        Self {
            host: Host::Address(address.ip()),
            port: address.port(),
        }
    }
}

/// As HTTP's CONNECT has it: `host:port`, an IPv6 address in brackets.
impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Name(name) => write!(formatter, "{name}:{}", self.port),
            Host::Address(address) => SocketAddr::new(*address, self.port).fmt(formatter),
        }
    }
}

/// Octets of a name: what the length octet of SOCKS 5 can tell (RFC 1928 §5), and DNS allows (RFC 1035 §2.3.4).
pub const NAME: usize = 255;

fn is_name(text: &str) -> bool {
    let fits = |letter: char| {
        !letter.is_control() && !letter.is_whitespace() && !r#"/\?#@:[]"<>"#.contains(letter)
    };
    (1..=NAME).contains(&text.len()) && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_break_out_are_none() {
        let long = "a".repeat(NAME + 1);
        for text in [
            "",
            " ",
            "a b",
            "a\0b",
            "a\tb",
            "a/b",
            "a@b",
            "a:b",
            "[a]",
            "[192.0.2.1]",
            "a\u{85}b",
            "<a>",
            &long,
        ] {
            assert_eq!(Host::parse(text), None, "{text:?}");
        }
        assert!(Host::parse(&long[1..]).is_some());
        assert!(Host::parse("m\u{fc}ller.example").is_some());
    }

    #[test]
    fn authorities_are_read_as_they_are_written() {
        for text in [
            "mail.example.org:25",
            "192.0.2.1:65535",
            "[::1]:0",
            "[fe80::1]:25",
        ] {
            let read = Destination::parse(text).map(|destination| destination.to_string());
            assert_eq!(read.as_deref(), Some(text));
        }
        for text in [
            ":25", "a:", "a:b", "a:+1", "a:65536", "a:1:2", "[::1]", "[::1:25", "::1]:25",
        ] {
            assert_eq!(Destination::parse(text), None, "{text:?}");
        }
    }
}
