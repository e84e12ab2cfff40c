//! What is said in place of a reply, and what is said of a fault to who looks on.

use super::Family;
use super::moment::{At, Moment};
use crate::wire::fault::{Conditions, Outcome, Rule, Said, Showing};
use crate::wire::smtp::{Enhanced, Reply};

/// A reply as it goes over the wire, and what comes after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) octets: Vec<u8>,
    pub(super) then: Then,
}

/// What comes after a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// The session goes on.
    GoOn,
    /// The connection closes.
    Close,
}

impl Answer {
    /// To a command, with IMAP's tag; `*` is no tag: to the connection itself.
    pub(super) fn of(said: &Said, tag: &str) -> Self {
        match said {
            Said::Smtp(reply) => {
                let mut octets = Vec::new();
                reply.write(&mut octets);
                let closes = reply.code == 421;
                Self::new(octets, closes)
            }
            Said::Pop3(line) => Self::new(format!("{line}\r\n").into_bytes(), false),
            Said::Imap(line) => {
                let bye = line.starts_with("BYE");
                let tag = if bye { "*" } else { tag };
                Self::new(format!("{tag} {line}\r\n").into_bytes(), bye)
            }
        }
    }

    /// To a connection, in place of the greeting: what greets leaves it open.
    pub(super) fn greeting(said: &Said) -> Self {
        let mut answer = Self::of(said, "*");
        let greets = match said {
            Said::Smtp(reply) => reply.code == 220,
            Said::Pop3(line) => line.starts_with("+OK"),
            Said::Imap(line) => line.starts_with("OK") || line.starts_with("PREAUTH"),
        };
        answer.then = if greets { Then::GoOn } else { Then::Close };
        answer
    }

    const fn new(octets: Vec<u8>, closes: bool) -> Self {
        Self {
            octets,
            then: if closes { Then::Close } else { Then::GoOn },
        }
    }
}

/// What the protocol says when the disk is full.
pub(super) fn full(family: Family) -> Said {
    let text = "No room left on this server's disk; try again later";
    match family {
        // RFC 5321 §4.2.2
        Family::Smtp | Family::Submission | Family::Lmtp => {
            Said::Smtp(Reply::new(452, Enhanced(4, 3, 1), text))
        }
        // RFC 3206 §4
        Family::Pop3 => Said::Pop3(format!("-ERR [SYS/TEMP] {text}")),
        // RFC 5530 §3
        Family::Imap => Said::Imap(format!("NO [OVERQUOTA] {text}")),
    }
}

/// What a rule answers that says only when: greylisted, too often.
pub(super) fn usual(family: Family, when: &Conditions) -> Said {
    let (reply, text) = match when.greylist {
        Some(_) => (451, "Greylisted: try again later"),
        None => (450, "Too often: try again later"),
    };
    match family {
        Family::Smtp | Family::Submission | Family::Lmtp => {
            Said::Smtp(Reply::new(reply, Enhanced(4, 7, 1), text))
        }
        Family::Pop3 => Said::Pop3(format!("-ERR [SYS/TEMP] {text}")),
        Family::Imap => Said::Imap(format!("NO [LIMIT] {text}")),
    }
}

/// A fault in one line: which rule, at what, and what it does.
pub(super) fn told(number: u32, rule: &Rule, moment: &Moment<'_>, settled: bool) -> String {
    let at = place(moment);
    let settled = if settled {
        "; an earlier rule settled the answer"
    } else {
        ""
    };
    format!("rule {number} at {at}: {}{settled}", rule.text)
}

/// The same of a magic address.
pub(super) fn told_magic(address: &str, moment: &str, reply: Option<u16>) -> String {
    match reply {
        Some(code) => format!("the magic address <{address}> asks for {code} at {moment}"),
        None => format!("the magic address <{address}> asks for no answer at {moment}"),
    }
}

fn place(moment: &Moment<'_>) -> String {
    match moment.at {
        At::Connect => "connect".to_owned(),
        At::Tls => "tls".to_owned(),
        At::Text => "text".to_owned(),
        At::Message => "message".to_owned(),
        At::Command { verb, .. } => verb.chars().filter(|letter| !letter.is_control()).collect(),
    }
}

/// What an outcome answers, unless it is garbage or TLS.
pub(super) fn said(outcome: &Outcome, family: Family) -> Option<Said> {
    match outcome {
        Outcome::Reply(said) => Some(said.clone()),
        Outcome::Full => Some(full(family)),
        Outcome::Garbage(_) | Outcome::Tls(_) => None,
    }
}

/// So many octets that are no reply, the same ones for the same dice; they end like a line.
pub(super) fn garbage(length: u32, dice: u64) -> Vec<u8> {
    let mut octets = Vec::new();
    for at in 0..u64::from(length) {
        // Above 127: no reply of any protocol begins so, and no line ends within.
        octets.push(0x80 | u8::try_from(super::mix(dice ^ at) & 0x7f).unwrap_or(0));
    }
    octets.extend_from_slice(b"\r\n");
    octets
}

/// How a server shows itself, in a few words.
pub(super) const fn shown(showing: Showing) -> &'static str {
    match showing {
        Showing::Itself => "nothing",
        Showing::Expired => "a certificate that has expired",
        Showing::OtherName => "a certificate for another name",
        Showing::SelfSigned => "a certificate that nobody has signed but itself",
        Showing::Failing => "a handshake that fails",
    }
}
