//! How a session talks to its server, and how long it waits for it.

use std::time::Duration;

use crate::limits;
use crate::proto::Epoch;
use crate::proto::client::Upgrade;
use crate::proto::smtp::terms::{Login, Protocol};

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
    /// Both clocks at one moment, so that BY= can be told in seconds from now; not needed for messages without it.
    pub epoch: Option<Epoch>,
}

/// How long the server may be silent, by what it should answer (RFC 5321 §4.5.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Its greeting.
    pub greeting: Duration,
    /// EHLO, STARTTLS, AUTH, RSET.
    pub command: Duration,
    /// MAIL.
    pub mail: Duration,
    /// RCPT.
    pub rcpt: Duration,
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
            mail: limits::RELAY_COMMAND,
            rcpt: limits::RELAY_COMMAND,
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
            mail: all,
            rcpt: all,
            data: all,
            text: all,
            quit: all,
        }
    }
}
