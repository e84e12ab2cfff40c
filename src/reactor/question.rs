//! One question to name servers as a machine without sockets: what is sent, what a reply means for it, and whom to ask next.
//! The [resolver](super::resolver) that blocks and the [one in the loop](super::lookup) both drive it.
//!
//! | what came | [`Taken`] | what its owner does |
//! |---|---|---|
//! | nothing in time, an ICMP error | | asks the next server of the [`Course`]; when all have been asked, without EDNS |
//! | another id, another question, rubbish | `NotMine` | goes on waiting |
//! | records, or that there are none | `Settled` | is done |
//! | FORMERR, NOTIMP | `AskAgain` | sends the message again, which is without EDNS now |
//! | only an alias | `AskAgain` | sends the message again, which asks about the other name now |
//! | truncated | `AskByTcp` | sends the same over TCP |
//! | SERVFAIL, REFUSED, ... | `Failed` | asks the next server |

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::SocketAddr;

use crate::limits;
use crate::wire::dns::{self, Edns, Kind, Reply};
use crate::wire::resolv::ResolvConf;

/// One question. See the module.
pub(super) struct Question {
    name: String,
    kind: Kind,
    edns: Edns,
    /// What is sent; empty for a name that cannot stand in the DNS.
    message: Vec<u8>,
    /// Names that may still stand for one another.
    aliases: usize,
}

/// What a reply means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    NotMine,
    Settled(Reply),
    AskAgain,
    AskByTcp,
    /// This server will not tell.
    Failed,
}

impl Question {
    pub(super) fn new(name: &str, kind: Kind, id: u16) -> Self {
        let mut question = Self {
            name: name.to_owned(),
            kind,
            edns: Edns::With,
            message: Vec::new(),
            aliases: limits::DNS_ALIASES,
        };
        question.write(id);
        question
    }

    /// Whether the name cannot stand in the DNS, and so does not exist.
    pub(super) const fn is_hopeless(&self) -> bool {
        self.message.is_empty()
    }

    /// What to send.
    pub(super) fn message(&self) -> &[u8] {
        &self.message
    }

    /// There are servers, and walls before them, that do not answer a query with EDNS at all (RFC 6891 §6.2.5).
    pub(super) const fn give_up_edns(&mut self) {
        self.edns = Edns::Without;
    }

    /// For another server: a new id.
    pub(super) fn write(&mut self, id: u16) {
        self.message = dns::query(&self.name, self.kind, id, self.edns).unwrap_or_default();
    }

    /// Takes a reply; `id` is for the message that may be sent then.
    pub(super) fn take(&mut self, reply: &[u8], id: u16) -> Taken {
        match dns::reply(&self.message, reply) {
            None => Taken::NotMine,
            Some(Reply::Truncated) => Taken::AskByTcp,
            Some(Reply::NotUnderstood) if self.edns == Edns::With => {
                self.edns = Edns::Without;
                self.write(id);
                Taken::AskAgain
            }
            Some(Reply::Alias(name)) if self.aliases > 0 => {
                self.aliases -= 1;
                self.name = name;
                self.write(id);
                if self.is_hopeless() {
                    return Taken::Settled(Reply::NoName);
                }
                Taken::AskAgain
            }
            Some(Reply::NotUnderstood | Reply::Failed | Reply::Alias(_)) => Taken::Failed,
            Some(reply) => Taken::Settled(reply),
        }
    }
}

/// Whom to ask, in order: each server once, and all of them again for each attempt.
pub(super) struct Course {
    servers: Vec<SocketAddr>,
    /// How many have been asked.
    asked: usize,
    asks: usize,
}

impl Course {
    /// `turn` says with which server to begin, where they take turns.
    pub(super) fn new(conf: &ResolvConf, turn: usize) -> Self {
        let mut servers = conf.servers.clone();
        if conf.rotate && !servers.is_empty() {
            let first = turn % servers.len();
            servers.rotate_left(first);
        }
        Self {
            asks: servers.len() * conf.attempts as usize,
            servers,
            asked: 0,
        }
    }

    pub(super) fn next(&mut self) -> Option<SocketAddr> {
        if self.asked == self.asks {
            return None;
        }
        let server = self.servers[self.asked % self.servers.len()];
        self.asked += 1;
        Some(server)
    }

    /// Whether all have been asked equally often.
    pub(super) fn is_round(&self) -> bool {
        self.servers.is_empty() || self.asked.is_multiple_of(self.servers.len())
    }

    /// Whether the one that was named last has been asked before.
    pub(super) const fn is_again(&self) -> bool {
        self.asked > self.servers.len()
    }
}

/// The standard library keys its hash maps from the kernel's random numbers: a hash under a fresh key cannot be guessed.
pub(super) fn random_id() -> u16 {
    RandomState::new().build_hasher().finish() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_asked_in_turn_each_as_often_as_is_said() {
        let address = |last: u8| SocketAddr::from(([192, 0, 2, last], 53));
        let mut conf = ResolvConf {
            servers: vec![address(1), address(2)],
            attempts: 2,
            ..ResolvConf::default()
        };
        let all = |conf: &ResolvConf, turn| {
            let mut course = Course::new(conf, turn);
            let next = || course.next();
            std::iter::from_fn(next).collect::<Vec<_>>()
        };
        let straight = [address(1), address(2), address(1), address(2)];
        assert_eq!(all(&conf, 3), straight);
        conf.rotate = true;
        assert_eq!(all(&conf, 2), straight);
        assert_eq!(all(&conf, 3)[..2], [address(2), address(1)]);
        conf.servers.clear();
        assert_eq!(all(&conf, 1), []);
    }

    #[test]
    fn a_name_that_cannot_be_is_not_asked_for() {
        assert!(Question::new("a..b", Kind::Mx, 1).is_hopeless());
        assert!(!Question::new("a.b", Kind::Mx, 1).is_hopeless());
    }
}
