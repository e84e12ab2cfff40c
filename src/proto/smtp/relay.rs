//! The client's session for relaying: any number of messages to one server, over one connection.
//!
//! Whoever orders the connection shares a [`Tray`] with the session: puts [`Message`]s into it, and finds an [`Outcome`] for each,
//! with a [`Fate`] for each recipient. What happens to the connection, and not to a message, is [`Tray::failure`]; messages
//! that were not begun then are [`Tray::undone`].

pub mod tray;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::client::{Login, Protocol, Stage};
use crate::limits;
use crate::proto::client::Upgrade;
use crate::proto::{Epoch, Input, Out, Session};
use crate::store::Extent;
use crate::wire::dots::with_crlf;
use crate::wire::envelope::Envelope;
use crate::wire::lines::Want;
use crate::wire::smtp::Reply;

pub use self::tray::Tray;

/// How to talk to the server.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What to call oneself.
    pub name: String,
    /// SMTP or LMTP.
    pub protocol: Protocol,
    /// What to do about STARTTLS. [`Upgrade::Never`] when TLS is there from the first octet, or was tried in vain.
    pub upgrade: Upgrade,
    /// Who logs in, if anybody.
    pub login: Option<Login>,
    /// How long the server may be silent.
    pub patience: Patience,
    /// How long the connection is kept for another message.
    pub idle: Duration,
    /// Both clocks at one moment, so that BY= can be told in seconds from now.
    pub epoch: Epoch,
}

/// How long the server may be silent, by what it should answer (RFC 5321 §4.5.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Its greeting.
    pub greeting: Duration,
    /// EHLO, STARTTLS, AUTH, MAIL, RCPT, RSET.
    pub command: Duration,
    /// DATA.
    pub data: Duration,
    /// The end of a message.
    pub text: Duration,
    /// QUIT: nothing depends on it.
    pub quit: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            greeting: limits::RELAY_GREETING,
            command: limits::RELAY_COMMAND,
            data: limits::RELAY_DATA,
            text: limits::RELAY_TEXT,
            quit: limits::RELAY_QUIT,
        }
    }
}

impl Patience {
    /// The same for everything: for labs and tests.
    pub const fn of(all: Duration) -> Self {
        Self {
            greeting: all,
            command: all,
            data: all,
            text: all,
            quit: all,
        }
    }
}

/// A message for this server. What its envelope says is passed on as far as the server takes it.
#[derive(Clone, Debug)]
pub struct Message {
    /// The word of whoever gave it; comes back in its [`Outcome`].
    pub word: u64,
    /// With those recipients that this server is to be asked for, at least one.
    /// [`body`](crate::wire::envelope::MailOptions::body) and `utf8` say what the text really is, or more.
    pub envelope: Envelope,
    /// Header and body.
    pub text: Text,
}

/// A message's text, with CRLF line ends.
#[derive(Clone, Debug)]
pub enum Text {
    /// In memory.
    Bytes(Arc<[u8]>),
    /// In a file, of which some blocks are in memory at a time.
    File(Extent),
}

impl Text {
    /// From octets with any line ends.
    pub fn new(text: &[u8]) -> Self {
        Self::Bytes(with_crlf(text).into())
    }

    /// How many octets it has.
    pub fn octets(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(extent) => extent.octets(),
        }
    }
}

/// What became of a message on this connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// [`Message::word`]
    pub word: u64,
    /// One for each recipient, in their order.
    pub fates: Vec<Fate>,
    /// What the next server was told of what its sender had asked for, where that matters for reports.
    pub passed_on: PassedOn,
}

/// Which wishes the next server took over, and so will report on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassedOn {
    /// NOTIFY, ORCPT, RET and ENVID. Without it, who asked for success is told `relayed` here (RFC 3461 §5.2.2).
    pub dsn: bool,
    /// BY.
    pub deliver_by: bool,
}

/// What became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The server has the message for this one, and answers for it.
    Taken(Reply),
    /// The server says no: for good (5yz) or for now (4yz).
    Refused {
        /// To what.
        stage: Stage,
        /// Its words.
        reply: Reply,
    },
    /// The message cannot be given to this server as it is: our own words, as a server's would be. Another server of the
    /// same domain may be better.
    Unfit(Reply),
    /// The connection ended before the server had answered. See [`Tray::failure`].
    Interrupted {
        /// What it had not answered.
        stage: Stage,
        /// Whether it may have the message all the same, so that trying again may make a second one.
        sent: Sent,
    },
}

/// How much of a message a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Not all of it: it cannot have taken it.
    InPart,
    /// All of it.
    Whole,
}

/// A client session. See the module.
pub struct Client {
    plan: Plan,
    tray: Tray,
}

impl Client {
    /// A session that sends what comes into `tray`, as `plan` says.
    pub fn new(plan: Plan, tray: Tray) -> Self {
        Self { plan, tray }
    }
}

impl Session for Client {
    fn want(&self) -> Want {
        Want::Nothing
    }

    fn handle(&mut self, _now: Instant, _input: Input<'_>, out: &mut Out) {
        let _ = (&self.plan, &self.tray);
        out.close();
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }
}
