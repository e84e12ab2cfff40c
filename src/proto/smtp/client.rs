//! The client of one message to one server: the session for [relaying](super::relay) with a single message in its tray.
//!
//! Nothing is decided here that a user should know of: every reply that matters is in the [`Outcome`]. A server that
//! takes some recipients and not others gets the message for those that it takes.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use super::relay::{self, Fate, Message, Patience, Text, Tray};
use crate::proto::client::{Failure as DialogueFailure, GREETING, Upgrade};
use crate::proto::{Input, Out, Session};
use crate::wire::address::Address;
use crate::wire::envelope::{Body, Envelope, MailOptions, Recipient};
use crate::wire::lines::Want;
use crate::wire::sasl_client::{Exchange, Fault, Mechanism, Privacy};
use crate::wire::smtp::Reply;

/// How to talk to the server.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What to call oneself.
    pub name: String,
    /// SMTP or LMTP.
    pub protocol: Protocol,
    /// What to do about STARTTLS. [`Upgrade::Never`] when TLS is there from the first octet.
    pub upgrade: Upgrade,
    /// Who logs in, if anybody.
    pub login: Option<Login>,
    /// How long the server may be silent.
    pub patience: Duration,
}

/// Name and password. The password is not shown when printed for debugging.
#[derive(Clone)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password, in the clear.
    pub password: String,
    /// Printable, without commas, never used before: for SCRAM, which is not tried without.
    pub nonce: String,
    /// What the password is.
    pub with: With,
}

/// With what somebody logs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum With {
    /// A password.
    #[default]
    Password,
    /// A token (RFC 7628): OAUTHBEARER and XOAUTH2 only.
    Token,
}

impl Login {
    /// The best mechanism of those that are offered.
    pub(super) fn mechanism(&self, offered: &str, privacy: Privacy) -> Option<Mechanism> {
        if self.with == With::Token {
            let is_offered = |mechanism: &Mechanism| {
                let mut words = offered.split_ascii_whitespace();
                words.any(|word| word.eq_ignore_ascii_case(mechanism.name()))
            };
            // RFC 7628 §3.1: whoever hears a token has it.
            return match privacy {
                Privacy::Private => Mechanism::TOKENS.into_iter().find(is_offered),
                Privacy::Public => None,
            };
        }
        let able = |word: &&str| {
            !self.nonce.is_empty() || !word.eq_ignore_ascii_case(Mechanism::ScramSha256.name())
        };
        let able: Vec<_> = offered.split_ascii_whitespace().filter(able).collect();
        Mechanism::best(&able.join(" "), privacy)
    }

    pub(super) fn begin(&self, mechanism: Mechanism) -> (Exchange, Option<String>) {
        Exchange::begin(mechanism, &self.user, &self.password, &self.nonce)
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Login({:?}, ********)", self.user)
    }
}

/// Which protocol is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// RFC 5321
    Smtp,
    /// RFC 2033
    Lmtp,
}

/// A message with its envelope.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Where errors go back to; `None` is `<>`.
    pub reverse_path: Option<Address>,
    /// To whom; at least one.
    pub recipients: Vec<Address>,
    /// Header and body, any line ends.
    pub text: Vec<u8>,
}

/// What became of a message.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The recipients for whom the server took the message, and what it said at the end.
    pub taken: Vec<(Address, Reply)>,
    /// The recipients whom it refused, and how.
    pub refused: Vec<(Address, Reply)>,
    /// Why the message was not sent at all, when that was not for the recipients' sake.
    pub failure: Option<Failure>,
}

/// Why a message was not sent.
#[derive(Debug)]
pub enum Failure {
    /// The server refused a command, or the message.
    Refused {
        /// Which.
        stage: Stage,
        /// How.
        reply: Reply,
    },
    /// A login is wanted, and the server offers no way that is known here: what it offers.
    NoMechanism(String),
    /// The login could not come to its end.
    Sasl(Fault),
    /// The message cannot be given to this server as it is: why, in the words of a reply.
    Unfit(Reply),
    /// The message could not be read here.
    Text(io::Error),
    /// What can go wrong with any server.
    Dialogue(DialogueFailure),
}

/// Where in the dialogue it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The server's first reply.
    Greeting,
    /// EHLO and HELO, or LHLO
    Hello(Protocol),
    /// STARTTLS
    StartTls,
    /// AUTH
    Auth,
    /// MAIL
    Mail,
    /// RCPT
    Rcpt,
    /// DATA
    Data,
    /// The end of the message.
    Text,
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Greeting => GREETING,
            Self::Hello(Protocol::Smtp) => "EHLO",
            Self::Hello(Protocol::Lmtp) => "LHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Mail => "MAIL FROM",
            Self::Rcpt => "RCPT TO",
            Self::Data => "DATA",
            Self::Text => "the message",
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { stage, reply } => {
                write!(formatter, "the server refused {stage}: {reply}")
            }
            Self::NoMechanism(offered) if offered.is_empty() => formatter.write_str(
                "the server offers no login here; leave --user away, or try its submission port",
            ),
            Self::NoMechanism(offered) => write!(
                formatter,
                "the server offers login with {offered} only; SCRAM-SHA-256, PLAIN, LOGIN and CRAM-MD5 are known here"
            ),
            Self::Sasl(fault) => write!(formatter, "login failed: {fault}"),
            Self::Unfit(reply) => {
                write!(formatter, "the server cannot be given the message: {reply}")
            }
            Self::Text(error) => write!(formatter, "the message cannot be read: {error}"),
            Self::Dialogue(failure) => failure.fmt(formatter),
        }
    }
}

impl std::error::Error for Failure {}

/// A client session. Ask for [`Self::into_outcome`] when the connection has ended.
pub struct Client {
    session: relay::Client,
    tray: Tray,
    protocol: Protocol,
    recipients: Vec<Address>,
}

impl Session for Client {
    fn want(&self) -> Want {
        self.session.want()
    }

    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        self.session.handle(now, input, out);
    }

    fn deadline(&self) -> Option<Instant> {
        self.session.deadline()
    }
}

impl From<DialogueFailure> for Failure {
    fn from(failure: DialogueFailure) -> Self {
        Self::Dialogue(failure)
    }
}

impl Client {
    /// A session that sends `mail` as `plan` says.
    pub fn new(plan: Plan, mail: Mail) -> Self {
        let body = if mail.text.is_ascii() {
            Body::SevenBit
        } else {
            Body::EightBit
        };
        let recipients = mail.recipients.iter().cloned().map(Recipient::new);
        let tray = Tray::new();
        tray.give(Message {
            word: 0,
            envelope: Envelope {
                reverse_path: mail.reverse_path,
                options: MailOptions {
                    body,
                    ..MailOptions::default()
                },
                recipients: recipients.collect(),
            },
            text: Text::new(&mail.text),
        });
        tray.close();
        let protocol = plan.protocol;
        let plan = relay::Plan {
            name: plan.name,
            protocol,
            upgrade: plan.upgrade,
            login: plan.login,
            patience: Patience::of(plan.patience),
            idle: Duration::ZERO,
            epoch: None,
        };
        Self {
            session: relay::Client::new(plan, tray.clone()),
            tray,
            protocol,
            recipients: mail.recipients,
        }
    }

    /// What became of the message.
    pub fn into_outcome(self) -> Outcome {
        let step = self.session.stage().to_string();
        // What is not over is so now.
        drop(self.session);
        let lost = || DialogueFailure::Lost { step: step.clone() }.into();
        let mut failure = self.tray.failure();
        let mut outcome = Outcome::default();
        let fates = self.tray.outcomes().into_iter().flat_map(|one| one.fates);
        let mut any = false;
        for (address, fate) in self.recipients.into_iter().zip(fates) {
            any = true;
            let of_one = self.protocol == Protocol::Lmtp;
            match fate {
                Fate::Taken(reply) => outcome.taken.push((address, reply)),
                Fate::Refused { stage, reply }
                    if stage == Stage::Rcpt || of_one && stage == Stage::Text =>
                {
                    outcome.refused.push((address, reply));
                }
                Fate::Refused { stage, reply } => {
                    failure.get_or_insert(Failure::Refused { stage, reply });
                }
                Fate::Unfit(reply) => {
                    failure.get_or_insert(Failure::Unfit(reply));
                }
                Fate::Interrupted { .. } => {
                    failure.get_or_insert_with(lost);
                }
            }
        }
        outcome.failure = if any {
            failure
        } else {
            failure.or_else(|| Some(lost()))
        };
        outcome
    }
}

#[cfg(test)]
mod tests;
