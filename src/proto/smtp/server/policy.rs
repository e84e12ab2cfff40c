//! The hooks: what else has a say in a session, beside its configuration. The default does nothing.
//!
//! A policy is asked after the session's own checks, at five points; it answers at once, and has neither clock nor disk. What it
//! must remember, it keeps behind its own lock, for sessions run on several threads.

use std::fmt::Debug;
use std::net::IpAddr;
use std::time::Duration;

use super::Mode;
use crate::proto::TlsInfo;
use crate::wire::address::Address;
use crate::wire::envelope::{Envelope, Recipient};
use crate::wire::smtp::Reply;

/// Whose session it is, and how far.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// Unique while the program runs.
    pub token: u64,
    /// Where the client is; `None` for a UNIX socket.
    pub address: Option<IpAddr>,
    /// What kind of server it came to.
    pub mode: Mode,
    /// The TLS below, when there is one.
    pub tls: Option<&'a TlsInfo>,
    /// What it called itself, once it did.
    pub hello: Option<&'a str>,
    /// Whom it logged in as, once it did.
    pub user: Option<&'a str>,
}

/// What a policy decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruling {
    /// How long the answer is held back: at most [`crate::limits::POLICY_DELAY`].
    pub delay: Duration,
    /// What happens then.
    pub then: Then,
}

/// What happens to a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Then {
    /// What would happen without the policy.
    #[default]
    Proceed,
    /// This is answered instead, and nothing is done. At the connection: and it is closed.
    Refuse(Reply),
    /// The connection is closed without a word.
    Drop,
}

impl Ruling {
    /// What would happen without the policy.
    pub const PROCEED: Self = Self {
        delay: Duration::ZERO,
        then: Then::Proceed,
    };

    /// At once, this reply.
    pub const fn refuse(reply: Reply) -> Self {
        Self {
            delay: Duration::ZERO,
            then: Then::Refuse(reply),
        }
    }
}

/// What decides at each stage. See the module.
pub trait Policy: Debug + Send + Sync {
    /// A client has connected (after a PROXY header, when there is one).
    fn connect(&self, _visit: &Visit<'_>) -> Ruling {
        Ruling::PROCEED
    }
    /// It says HELO, EHLO or LHLO.
    fn hello(&self, _visit: &Visit<'_>, _name: &str) -> Ruling {
        Ruling::PROCEED
    }
    /// It says MAIL; the envelope has no recipients yet.
    fn mail(&self, _visit: &Visit<'_>, _envelope: &Envelope) -> Ruling {
        Ruling::PROCEED
    }
    /// It names one recipient more; the envelope has those before.
    fn rcpt(&self, _visit: &Visit<'_>, _envelope: &Envelope, _recipient: &Recipient) -> Ruling {
        Ruling::PROCEED
    }
    /// It says DATA, or its first BDAT.
    fn data(&self, _visit: &Visit<'_>, _envelope: &Envelope) -> Ruling {
        Ruling::PROCEED
    }
}

/// Who is told of messages that went into mailboxes here at once; those that go through the queue are told of by whoever sends them on.
pub trait Witness: Debug + Send + Sync {
    /// The message `id` is in the mailboxes of `to`; `unix` is the moment, in seconds since 1970. Must not block.
    fn delivered(&self, unix: i64, id: &str, from: Option<&Address>, to: &[&Address]);
}

/// What ETRN (RFC 1985) asks: that mail which waits for a domain is sent now.
pub trait Turn: Debug + Send + Sync {
    /// Asks for `node`: a domain, `@domain` for it and those below it, `#name` for a queue of that name.
    fn etrn(&self, node: &str) -> Turned;
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// 250: sending begins.
    Started,
    /// 251: nothing waits.
    Nothing,
    /// 458: not now.
    Unable,
    /// 459: not for this one.
    NotAllowed,
}
