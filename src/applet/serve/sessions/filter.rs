//! Which sessions are meant: `smtp,alice`, `192.0.2.0/24`, `12`.
//!
//! Words of the same sort widen, words of different sorts narrow: `smtp,pop3,alice` are those of alice by SMTP or POP3.

use std::net::SocketAddr;
use std::str::FromStr;

use super::dialogue::Line;
use crate::tap::{Side, note};
use crate::wire::network::Network;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::applet::serve) struct Filter {
    services: Vec<String>,
    networks: Vec<Network>,
    numbers: Vec<u64>,
    /// Users, mailboxes, addresses in an envelope.
    people: Vec<String>,
}

const SERVICES: [&str; 8] = [
    "smtp",
    "submission",
    "smtps",
    "lmtp",
    "pop3",
    "pop3s",
    "imap",
    "imaps",
];

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut filter = Self::default();
        for word in text.split(',').map(str::trim) {
            let lower = word.to_ascii_lowercase();
            if word.is_empty() {
                continue;
            } else if lower == "pop" {
                filter.services.push("pop3".to_owned());
            } else if SERVICES.contains(&lower.as_str()) {
                filter.services.push(lower);
            } else if let Ok(number) = word.trim_start_matches('#').parse() {
                filter.numbers.push(number);
            } else if let Ok(network) = word.parse() {
                filter.networks.push(network);
            } else if word.contains(char::is_whitespace) {
                return Err(format!(
                    "{word:?} is no protocol, user, mailbox, address or number: give such as smtp,alice or 192.0.2.7"
                ));
            } else {
                filter.people.push(lower);
            }
        }
        Ok(filter)
    }
}

/// How far a session is known to be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    Yes,
    No,
    /// It depends on who it will be.
    Perhaps,
}

impl Filter {
    /// Of a session of this number and service, whose client is at this address.
    pub(super) fn admits(&self, number: u64, service: &str, client: &str) -> Meant {
        // `imap` is both ports of IMAP; `imaps` is the one with TLS only.
        let of_service = |wanted: &String| {
            wanted == service || service.strip_suffix('s') == Some(wanted.as_str())
        };
        let address = client.parse::<SocketAddr>().ok();
        let within = |network: &Network| {
            address.is_some_and(|address| network.contains(address.ip().to_canonical()))
        };
        if !(self.services.is_empty() || self.services.iter().any(of_service))
            || !(self.networks.is_empty() || self.networks.iter().any(within))
            || !(self.numbers.is_empty() || self.numbers.contains(&number))
        {
            return Meant::No;
        }
        if self.people.is_empty() {
            Meant::Yes
        } else {
            Meant::Perhaps
        }
    }

    /// Whether a line shows that it is somebody who is meant.
    pub(super) fn names(&self, line: &Line<'_>) -> bool {
        match line {
            Line::Note { kind, text } if matches!(*kind, note::USER | note::MAILBOX) => {
                self.is_for(text)
            }
            Line::Said {
                side: Side::Client,
                text,
                ..
            } => {
                let verb = text.get(..5).unwrap_or_default();
                if !(verb.eq_ignore_ascii_case("mail ") || verb.eq_ignore_ascii_case("rcpt ")) {
                    return false;
                }
                let inside = text.split_once('<').map(|(_, rest)| rest);
                let address = inside.and_then(|rest| rest.split_once('>'));
                address.is_some_and(|(address, _)| self.is_for(address))
            }
            _ => false,
        }
    }

    fn is_for(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let local = name
            .split_once('@')
            .map_or(name.as_str(), |(local, _)| local);
        self.people
            .iter()
            .any(|wanted| *wanted == name || *wanted == local)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Filter {
        text.parse().expect("understood")
    }

    #[test]
    fn words_of_one_sort_widen_and_those_of_several_narrow() {
        let admits =
            |text: &str, service: &str| filter(text).admits(12, service, "127.0.0.1:50000");
        assert_eq!(admits("", "smtp"), Meant::Yes);
        assert_eq!(admits("smtp,imap", "imaps"), Meant::Yes);
        assert_eq!(admits("imaps", "imap"), Meant::No);
        assert_eq!(admits("smtp, alice", "smtp"), Meant::Perhaps);
        assert_eq!(admits("pop,alice", "smtp"), Meant::No);
        assert_eq!(admits("127.0.0.0/8,#12", "smtp"), Meant::Yes);
        assert_eq!(admits("127.0.0.1,13", "smtp"), Meant::No);
        assert_eq!(admits("::1", "smtp"), Meant::No);
        assert!("a b".parse::<Filter>().is_err());
    }

    #[test]
    fn people_are_users_mailboxes_and_who_is_in_an_envelope() {
        let alice = filter("Alice");
        let names = |line| alice.names(&Line::parse(line).expect("a line"));
        assert!(names("# user: alice"));
        assert!(names("# user: alice@other.example"));
        assert!(names("C: RCPT TO:<alice@localhost> NOTIFY=NEVER"));
        assert!(names("# mailbox: ALICE"));
        assert!(!names("# fault: alice"));
        assert!(!names("C: RCPT TO:<alice2@localhost>"));
        assert!(!names("S: rcpt <alice@localhost>"));
    }
}
