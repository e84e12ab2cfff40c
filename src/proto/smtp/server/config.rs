//! What all sessions of a listener share: who the server is, what it offers to whom, and its bounds.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::policy::{Policy, Turn, Witness};
use super::rates::Rates;
use crate::limits;
use crate::proto::StartTls;
use crate::proto::login::Door;
use crate::wire::network::Network;

/// What kind of server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Takes mail for its own domains from anybody (RFC 5321).
    Mta,
    /// Takes mail from its users, who log in first (RFC 6409).
    Submission,
    /// Takes mail from a server beside it, with a reply for each recipient (RFC 2033).
    Lmtp,
}

/// What is overlooked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rigor {
    /// What people type and old programs send, as far as it is clear what is meant.
    #[default]
    Lenient,
    /// Nothing: the reply cites the section.
    Strict,
}

/// Whether mail for other domains is passed on, for those who may (see [`Config::relay_from`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Relaying {
    /// For nobody.
    #[default]
    Off,
    /// For who is logged in, and for the networks that are named.
    On,
}

/// What VRFY and EXPN tell (RFC 5321 §7.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Disclosure {
    /// Nothing: 252.
    #[default]
    Nothing,
    /// Whether there is such a mailbox.
    Mailboxes,
}

/// Whether messages can wait here: for what DSN, DELIVERBY and FUTURERELEASE promise, there has to be a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Queueing {
    /// They go into mailboxes at once, or nowhere.
    #[default]
    Absent,
    /// There is a queue.
    Present,
}

/// As whom a user may send, in submission (RFC 6409 §6.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Senders {
    /// As anybody; who it was is said in Sender.
    #[default]
    Anybody,
    /// As oneself.
    Oneself,
}

/// Whether the domains of senders are looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SenderDomains {
    /// They are not.
    #[default]
    Believed,
    /// One that takes no mail (RFC 7505 §4.2), or is none, is refused.
    LookedUp,
}

/// How long is waited, and for what (RFC 5321 §4.5.3.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the next command.
    pub command: Duration,
    /// For more of a message's text.
    pub text: Duration,
    /// For the answer to a challenge of AUTH.
    pub challenge: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            command: limits::SMTP_IDLE,
            text: limits::SMTP_TEXT_IDLE,
            challenge: limits::SMTP_CHALLENGE_IDLE,
        }
    }
}

/// What all sessions of a listener share. [`Config::new`] has the defaults of each field.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the server calls itself.
    pub hostname: String,
    /// Where an address without a domain belongs.
    pub domain: String,
    /// What kind of server it is.
    pub mode: Mode,
    /// The biggest message that is taken (RFC 1870).
    pub max_octets: u64,
    /// The most recipients of one message.
    pub max_recipients: usize,
    /// Received fields at which a message runs in a circle.
    pub max_hops: usize,
    /// Commands that failed before the connection is closed.
    pub max_errors: usize,
    /// Commands that failed before each refusal is held back.
    pub soft_errors: usize,
    /// Commands that do no mail work before the connection is closed.
    pub max_idle_commands: usize,
    /// Octets of a command line, or of an answer to a challenge.
    pub max_line: usize,
    /// Wrong passwords before the connection is closed.
    pub max_login_failures: usize,
    /// How long is waited.
    pub timeouts: Timeouts,
    /// Whether STARTTLS is offered.
    pub start_tls: StartTls,
    /// What is overlooked.
    pub rigor: Rigor,
    /// Whether mail for other domains is passed on.
    pub relaying: Relaying,
    /// Whose mail is passed on without a login, if any is.
    pub relay_from: Vec<Network>,
    /// Who may say XCLIENT.
    pub xclient_from: Vec<Network>,
    /// Who comes with a PROXY header, and has to.
    pub proxy_from: Vec<Network>,
    /// What VRFY and EXPN tell.
    pub disclosure: Disclosure,
    /// Whether messages can wait.
    pub queueing: Queueing,
    /// The longest time that FUTURERELEASE holds a message, in seconds; `None`: it is not offered. In submission, with a
    /// queue.
    pub future_release: Option<u32>,
    /// The shortest time in which DELIVERBY may ask for a message to be delivered or come back, in seconds. With a queue.
    pub deliver_by: u32,
    /// As whom a user may send.
    pub senders: Senders,
    /// Whether the domains of senders who have not logged in are looked up.
    pub sender_domains: SenderDomains,
    /// Who may log in how. Share one among all listeners, so that guessing is slow on all of them.
    pub door: Arc<Door>,
    /// Who is counted how often. Share one among listeners to count over all of them.
    pub rates: Arc<Rates>,
    /// What decides beside this configuration, if anything does.
    pub policy: Option<Arc<dyn Policy>>,
    /// What ETRN asks, if there is anything to ask.
    pub turn: Option<Arc<dyn Turn>>,
    /// Who is told of deliveries.
    pub witness: Option<Arc<dyn Witness>>,
}

impl Config {
    /// With the bounds of [`limits`], without TLS, relaying for nobody.
    pub fn new(hostname: &str, domain: &str, mode: Mode) -> Self {
        Self {
            hostname: hostname.to_owned(),
            domain: domain.to_owned(),
            mode,
            max_octets: limits::MESSAGE_SIZE,
            max_recipients: limits::RECIPIENTS,
            max_hops: limits::HOPS,
            max_errors: limits::ERRORS,
            soft_errors: limits::SOFT_ERRORS,
            max_idle_commands: limits::IDLE_COMMANDS,
            max_line: limits::SMTP_LINE,
            max_login_failures: limits::SMTP_LOGIN_FAILURES,
            timeouts: Timeouts::default(),
            start_tls: StartTls::Unavailable,
            rigor: Rigor::Lenient,
            relaying: Relaying::Off,
            relay_from: Vec::new(),
            xclient_from: Vec::new(),
            proxy_from: Vec::new(),
            disclosure: Disclosure::Nothing,
            queueing: Queueing::Absent,
            future_release: Some(limits::FUTURE_RELEASE),
            deliver_by: limits::DELIVER_BY,
            senders: Senders::Anybody,
            sender_domains: SenderDomains::Believed,
            door: Arc::default(),
            rates: Arc::default(),
            policy: None,
            turn: None,
            witness: None,
        }
    }

    /// Whether an address is in one of the networks. A UNIX socket has none, and is in none.
    pub(super) fn is_in(networks: &[Network], address: Option<IpAddr>) -> bool {
        address.is_some_and(|address| networks.iter().any(|network| network.contains(address)))
    }
}
