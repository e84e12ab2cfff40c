//! Names of services: `smtp` is port 25. The text of /etc/services where there is one, and a table of our own beside it, because
//! in a container or an empty chroot there is none. Parsing only: who wants the file says how it is read, and it is read when
//! first a name is asked for or about. A number is no name (RFC 6335 §5.1: there is a letter in each).
//!
//! What the file says goes before the table, in both directions: it is what the other programs of that machine say.

use std::cell::LazyCell;

/// What carries a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Transport {
    /// `tcp` or `udp`, as /etc/services spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// What /etc/services says, and the built-in table.
///
/// ```
/// use mailtool::wire::services::{Services, Transport};
///
/// let services = Services::parse("lab 4711/tcp laboratory # ours\n");
/// assert_eq!(services.port("laboratory", Transport::Tcp), Some(4711));
/// assert_eq!(services.port("smtp", Transport::Tcp), Some(25));
/// assert_eq!(services.name(993, Transport::Tcp), Some("imaps"));
/// ```
#[derive(Debug)]
pub struct Services {
    entries: LazyCell<Vec<Entry>, Box<dyn FnOnce() -> Vec<Entry>>>,
}

impl Default for Services {
    fn default() -> Self {
        Self::read_by(String::new)
    }
}

#[derive(Debug)]
struct Entry {
    port: u16,
    transport: Transport,
    /// The official name first, then the aliases.
    names: Vec<String>,
}

impl Services {
    /// Of the text of /etc/services: `name port/transport alias... # comment`. What is not understood is passed over.
    pub fn parse(text: &str) -> Self {
        let text = text.to_owned();
        Self::read_by(move || text)
    }

    /// The same, of the text that `read` brings when it is needed, once at most.
    pub fn read_by(read: impl FnOnce() -> String + 'static) -> Self {
        Self {
            entries: LazyCell::new(Box::new(|| entries(&read()))),
        }
    }

    /// The port of the service of this name or alias. Case counts, as in getservbyname(3).
    pub fn port(&self, name: &str, transport: Transport) -> Option<u16> {
        if !name.contains(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let listed = self
            .entries
            .iter()
            .filter(|entry| entry.transport == transport)
            .find(|entry| entry.names.iter().any(|known| known == name))
            .map(|entry| entry.port);
        let built_in = || {
            BUILT_IN
                .iter()
                .find(|(_, carried, known, alias)| {
                    carried.by(transport) && (*known == name || *alias == name)
                })
                .map(|(port, ..)| *port)
        };
        listed.or_else(built_in)
    }

    /// The official name of what listens on `port`.
    pub fn name(&self, port: u16, transport: Transport) -> Option<&str> {
        let listed = self
            .entries
            .iter()
            .find(|entry| entry.port == port && entry.transport == transport)
            .and_then(|entry| entry.names.first())
            .map(String::as_str);
        let built_in = || {
            BUILT_IN
                .iter()
                .find(|(known, carried, ..)| *known == port && carried.by(transport))
                .map(|(_, _, name, _)| *name)
        };
        listed.or_else(built_in)
    }
}

fn entries(text: &str) -> Vec<Entry> {
    let entry = |line: &str| {
        let line = line.split('#').next()?;
        let mut words = line.split_ascii_whitespace();
        let name = words.next()?;
        let (port, transport) = words.next()?.split_once('/')?;
        Some(Entry {
            port: port.parse().ok()?,
            transport: match transport {
                "tcp" => Transport::Tcp,
                "udp" => Transport::Udp,
                _ => return None,
            },
            names: std::iter::once(name)
                .chain(words)
                .map(str::to_owned)
                .collect(),
        })
    };
    text.lines().filter_map(entry).collect()
}

#[derive(Clone, Copy)]
enum Carried {
    Tcp,
    Udp,
    Both,
}

impl Carried {
    const fn by(self, transport: Transport) -> bool {
        matches!(
            (self, transport),
            (Self::Both, _) | (Self::Tcp, Transport::Tcp) | (Self::Udp, Transport::Udp)
        )
    }
}

/// The services of mail, and those that people probe for; names as Debian's netbase has them, aliases ("" for none) too.
static BUILT_IN: &[(u16, Carried, &str, &str)] = &[
    (7, Carried::Both, "echo", ""),
    (9, Carried::Both, "discard", "sink"),
    (13, Carried::Both, "daytime", ""),
    (19, Carried::Both, "chargen", "ttytst"),
    (20, Carried::Tcp, "ftp-data", ""),
    (21, Carried::Tcp, "ftp", ""),
    (22, Carried::Tcp, "ssh", ""),
    (23, Carried::Tcp, "telnet", ""),
    (24, Carried::Tcp, "lmtp", ""),
    (25, Carried::Tcp, "smtp", "mail"),
    (37, Carried::Both, "time", "timserver"),
    (43, Carried::Tcp, "whois", "nicname"),
    (53, Carried::Both, "domain", ""),
    (67, Carried::Udp, "bootps", ""),
    (68, Carried::Udp, "bootpc", ""),
    (69, Carried::Udp, "tftp", ""),
    (70, Carried::Tcp, "gopher", ""),
    (79, Carried::Tcp, "finger", ""),
    (80, Carried::Tcp, "http", "www"),
    (88, Carried::Both, "kerberos", "kerberos5"),
    (110, Carried::Tcp, "pop3", "pop-3"),
    (111, Carried::Both, "sunrpc", "portmapper"),
    (113, Carried::Tcp, "auth", "ident"),
    (119, Carried::Tcp, "nntp", "untp"),
    (123, Carried::Udp, "ntp", ""),
    (143, Carried::Tcp, "imap2", "imap"),
    (161, Carried::Both, "snmp", ""),
    (179, Carried::Tcp, "bgp", ""),
    (389, Carried::Both, "ldap", ""),
    (443, Carried::Both, "https", ""),
    (445, Carried::Tcp, "microsoft-ds", ""),
    (465, Carried::Tcp, "submissions", "smtps"),
    (514, Carried::Udp, "syslog", ""),
    (514, Carried::Tcp, "shell", "cmd"),
    (515, Carried::Tcp, "printer", "spooler"),
    (563, Carried::Tcp, "nntps", "snntp"),
    (587, Carried::Tcp, "submission", ""),
    (636, Carried::Both, "ldaps", ""),
    (853, Carried::Both, "domain-s", ""),
    (873, Carried::Tcp, "rsync", ""),
    (993, Carried::Tcp, "imaps", ""),
    (995, Carried::Tcp, "pop3s", ""),
    (1080, Carried::Tcp, "socks", ""),
    (1194, Carried::Both, "openvpn", ""),
    (2049, Carried::Both, "nfs", ""),
    (3128, Carried::Tcp, "squid", ""),
    (3306, Carried::Tcp, "mysql", ""),
    (3389, Carried::Tcp, "ms-wbt-server", ""),
    (4190, Carried::Tcp, "sieve", ""),
    (5060, Carried::Both, "sip", ""),
    (5222, Carried::Tcp, "xmpp-client", "jabber-client"),
    (5353, Carried::Udp, "mdns", ""),
    (5432, Carried::Tcp, "postgresql", "postgres"),
    (6667, Carried::Tcp, "ircd", ""),
    (6697, Carried::Tcp, "ircs-u", ""),
    (8080, Carried::Tcp, "http-alt", "webcache"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_is_known_without_a_file() {
        let none = Services::default();
        for (name, port) in [
            ("smtp", 25),
            ("pop3", 110),
            ("imap", 143),
            ("imap2", 143),
            ("submission", 587),
            ("submissions", 465),
            ("smtps", 465),
            ("imaps", 993),
            ("pop3s", 995),
            ("lmtp", 24),
            ("sieve", 4190),
        ] {
            assert_eq!(none.port(name, Transport::Tcp), Some(port), "{name}");
        }
        assert_eq!(none.name(25, Transport::Tcp), Some("smtp"));
        assert_eq!(none.name(465, Transport::Tcp), Some("submissions"));
    }

    #[test]
    fn transports_are_told_apart() {
        let none = Services::default();
        assert_eq!(none.port("smtp", Transport::Udp), None);
        assert_eq!(none.name(514, Transport::Udp), Some("syslog"));
        assert_eq!(none.name(514, Transport::Tcp), Some("shell"));
        assert_eq!(none.port("domain", Transport::Udp), Some(53));
    }

    #[test]
    fn the_file_goes_before_the_table() {
        let services = Services::parse(
            "# all ours\nletters 25/tcp\nsmtp 2525/tcp post#x\nsmtp 1/sctp\nrubbish\nx y/tcp\n",
        );
        assert_eq!(services.name(25, Transport::Tcp), Some("letters"));
        assert_eq!(services.port("smtp", Transport::Tcp), Some(2525));
        assert_eq!(services.port("post", Transport::Tcp), Some(2525));
        assert_eq!(services.port("rubbish", Transport::Tcp), None);
        assert_eq!(services.port("pop3", Transport::Tcp), Some(110));
    }

    #[test]
    fn an_empty_name_is_no_service() {
        assert_eq!(Services::default().port("", Transport::Tcp), None);
        assert_eq!(Services::default().port("SMTP", Transport::Tcp), None);
        assert_eq!(
            Services::parse("25 26/tcp").port("25", Transport::Tcp),
            None
        );
    }

    #[test]
    fn the_table_is_in_order() {
        assert!(BUILT_IN.is_sorted_by_key(|(port, ..)| *port));
    }

    #[test]
    fn nothing_is_read_for_a_number() {
        let unread = || Services::read_by(|| panic!("it was read"));
        assert_eq!(unread().port("25", Transport::Tcp), None);
        assert_eq!(unread().port("20-25", Transport::Tcp), None);
        assert_eq!(unread().port("", Transport::Tcp), None);
        let read = Services::read_by(|| "lab 4711/tcp".to_owned());
        assert_eq!(read.port("lab", Transport::Tcp), Some(4711));
        assert_eq!(read.name(4711, Transport::Tcp), Some("lab"));
    }
}
