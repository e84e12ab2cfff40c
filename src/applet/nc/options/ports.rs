//! Ports as each dialect reads them.
//!
//! | dialect | a port to call | a port of ours |
//! |---|---|---|
//! | openbsd | a service, a number, a range `20-25` in either order, and many of them | a service or a number; 0 is any free one |
//! | ncat | one number; here also a service | the same; 0 is any free one |
//! | traditional | as openbsd, `ftp\-data` for a name with a hyphen; a range is walked from its upper end | not 0 |

use crate::applet::nc::complaint::Complaint;
use crate::applet::nc::dialect::Dialect;
use crate::wire::services::{Services, Transport};

use super::numbers::strtonum;

/// How the ports of a command line are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct PortReader<'a> {
    /// Whose words.
    pub(super) dialect: Dialect,
    /// Names of ports.
    pub(super) services: &'a Services,
    /// Whose ports.
    pub(super) transport: Transport,
}

impl PortReader<'_> {
    /// One operand: a service, a number, or a range.
    pub(super) fn list(&self, operand: &str) -> Result<Vec<u16>, Complaint> {
        let name = match self.dialect {
            Dialect::Traditional => operand.replace("\\-", "-"),
            Dialect::OpenBsd | Dialect::Ncat => operand.to_owned(),
        };
        let is_escaped = name != operand;
        let is_name_with_hyphen = self.dialect == Dialect::Traditional && name.contains('-');
        if let Some(port) = self.services.port(&name, self.transport)
            && (is_escaped || !is_name_with_hyphen)
        {
            return Ok(vec![port]);
        }
        let is_range = self.dialect == Dialect::Traditional
            || operand.starts_with(|first: char| first.is_ascii_digit());
        if let Some((one, other)) = operand.split_once('-')
            && is_range
            && self.dialect != Dialect::Ncat
        {
            let (other, one) = (self.port(other)?, self.port(one)?);
            let ports = one.min(other)..=one.max(other);
            return Ok(match self.dialect {
                Dialect::Traditional => ports.rev().collect(),
                Dialect::OpenBsd | Dialect::Ncat => ports.collect(),
            });
        }
        Ok(vec![self.port(operand)?])
    }

    /// A number.
    fn port(&self, text: &str) -> Result<u16, Complaint> {
        let lowest = match self.dialect {
            // It calls port 0, and is refused there.
            Dialect::Ncat => 0,
            Dialect::OpenBsd | Dialect::Traditional => 1,
        };
        self.number(text, lowest).map_err(|why| match self.dialect {
            Dialect::OpenBsd => Complaint::Refused(format!("port number {why}: {text}")),
            Dialect::Ncat => Complaint::Refused(format!("Invalid port number \"{text}\".")),
            Dialect::Traditional => Complaint::Refused(format!("invalid port {text}")),
        })
    }

    /// A port of ours, to call from or to listen at.
    pub(super) fn local(&self, text: &str) -> Result<u16, Complaint> {
        if let Some(port) = self.services.port(text, self.transport) {
            return Ok(port);
        }
        // To getaddrinfo(3) it is 0.
        if text.is_empty() && self.dialect == Dialect::OpenBsd {
            return Ok(0);
        }
        let lowest = match self.dialect {
            Dialect::Traditional => 1,
            Dialect::OpenBsd | Dialect::Ncat => 0,
        };
        self.number(text, lowest).map_err(|why| {
            Complaint::Refused(match (self.dialect, why) {
                (Dialect::OpenBsd, "invalid" | "too small") => {
                    "getaddrinfo: Servname not supported for ai_socktype".to_owned()
                }
                (Dialect::OpenBsd, why) => format!("port number {why}: {text}"),
                (Dialect::Ncat, "invalid") => format!("Invalid source port number \"{text}\"."),
                (Dialect::Ncat, _) => format!("Invalid source port {text}."),
                (Dialect::Traditional, _) => format!("invalid local port {text}"),
            })
        })
    }

    fn number(&self, text: &str, lowest: i64) -> Result<u16, &'static str> {
        let port = strtonum(text, (lowest, u16::MAX.into()))?;
        u16::try_from(port).map_err(|_| "too large")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(dialect: Dialect, services: &Services) -> PortReader<'_> {
        PortReader {
            dialect,
            services,
            transport: Transport::Tcp,
        }
    }

    fn list(dialect: Dialect, operand: &str) -> Result<Vec<u16>, String> {
        let services = Services::default();
        reader(dialect, &services).list(operand).map_err(text)
    }

    fn local(dialect: Dialect, operand: &str) -> Result<u16, String> {
        let services = Services::default();
        reader(dialect, &services).local(operand).map_err(text)
    }

    fn text(complaint: Complaint) -> String {
        match complaint {
            Complaint::Refused(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn services_numbers_and_ranges() {
        use Dialect::{Ncat, OpenBsd, Traditional};
        for (dialect, operand, expected) in [
            (OpenBsd, "25", vec![25]),
            (OpenBsd, "smtp", vec![25]),
            (OpenBsd, "30-28", vec![28, 29, 30]),
            (OpenBsd, "ftp-data", vec![20]),
            (Ncat, "25", vec![25]),
            (Ncat, "0", vec![0]),
            (Ncat, "smtp", vec![25]),
            (Traditional, "20-22", vec![22, 21, 20]),
            (Traditional, "ftp\\-data", vec![20]),
        ] {
            assert_eq!(
                list(dialect, operand),
                Ok(expected),
                "{dialect:?} {operand}"
            );
        }
        assert_eq!(list(OpenBsd, "1-65535").map(|ports| ports.len()), Ok(65535));
    }

    /// Each was read off the programs, but where a comment says that they say something else.
    #[test]
    fn wrong_ports_are_named_in_each_dialect() {
        use Dialect::{Ncat, OpenBsd, Traditional};
        for (dialect, operand, expected) in [
            (OpenBsd, "x", "port number invalid: x"),
            (OpenBsd, "0", "port number too small: 0"),
            (OpenBsd, "-5", "port number too small: -5"),
            (OpenBsd, "99999", "port number too large: 99999"),
            (OpenBsd, "5-x", "port number invalid: x"),
            (OpenBsd, "5-", "port number invalid: "),
            (OpenBsd, "a-b", "port number invalid: a-b"),
            (Ncat, "x", "Invalid port number \"x\"."),
            (Ncat, "99999", "Invalid port number \"99999\"."),
            (Ncat, "-5", "Invalid port number \"-5\"."),
            (Ncat, "5x", "Invalid port number \"5x\"."),
            (Ncat, "20-25", "Invalid port number \"20-25\"."),
            (Traditional, "x", "invalid port x"),
            (Traditional, "0", "invalid port 0"),
            (Traditional, "5-x", "invalid port x"),
            // netcat-traditional takes it for 34463.
            (Traditional, "99999", "invalid port 99999"),
            (Traditional, "ftp-data", "invalid port data"),
        ] {
            let expected = Err(expected.to_owned());
            assert_eq!(list(dialect, operand), expected, "{dialect:?} {operand}");
        }
        for (dialect, operand, expected) in [
            (
                OpenBsd,
                "x",
                "getaddrinfo: Servname not supported for ai_socktype",
            ),
            (
                OpenBsd,
                "-1",
                "getaddrinfo: Servname not supported for ai_socktype",
            ),
            // Debian's takes it for 34463.
            (OpenBsd, "99999", "port number too large: 99999"),
            (Ncat, "x", "Invalid source port number \"x\"."),
            (Ncat, "99999", "Invalid source port 99999."),
            // ncat says 4294967295.
            (Ncat, "-1", "Invalid source port -1."),
            (Traditional, "x", "invalid local port x"),
            (Traditional, "0", "invalid local port 0"),
        ] {
            let expected = Err(expected.to_owned());
            assert_eq!(local(dialect, operand), expected, "{dialect:?} {operand}");
        }
        assert_eq!(local(OpenBsd, "0"), Ok(0));
        assert_eq!(local(OpenBsd, ""), Ok(0));
        assert_eq!(local(Ncat, "0"), Ok(0));
        assert_eq!(local(OpenBsd, "smtp"), Ok(25));
    }
}
