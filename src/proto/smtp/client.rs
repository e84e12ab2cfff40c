//! The client of one message to one server: the session for [relaying](super::relay) with a single message in its tray.
//!
//! Nothing is decided here that a user should know of: every reply that matters is in the [`Outcome`]. A server that
//! takes some recipients and not others gets the message for those that it takes.

use std::time::{Duration, Instant};

use super::relay::manner::{Manner, OnRefusal};
use super::relay::{self, Fate, Heard, Message, Patience, Sent, Server, Text, Tray};
pub use super::terms::{Failure, Login, Protocol, Stage, With};
use crate::proto::client::{Failure as DialogueFailure, Upgrade};
use crate::proto::{Input, Out, Session};
use crate::wire::address::Address;
use crate::wire::envelope::{Body, Envelope, MailOptions, Notify, Recipient, Ret};
use crate::wire::lines::Want;
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

/// Which reports the sender asks for (RFC 3461). A server that does not know them is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reports {
    /// When, for each of the recipients.
    pub notify: Notify,
    /// How much of the message they bring back.
    pub ret: Option<Ret>,
    /// What they call the message: 100 octets at most, as xtext.
    pub envelope_id: Option<String>,
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
    /// All of it was sent, and there was no answer: the server may have taken it.
    pub in_doubt: bool,
    /// The server knows reports, and so was asked for those that were wanted.
    pub reports_asked: bool,
    /// The recipients whom the server would have taken, where the message was not to be sent: because another one was refused, or because
    /// the dialogue was to end before that.
    pub spared: Vec<Address>,
    /// It ended where it was to end before its time.
    pub halted: bool,
    /// What is known of the server.
    pub server: Server,
    /// All that it answered, where the session has a manner.
    pub heard: Vec<Heard>,
}

/// A client session. Ask for [`Self::into_outcome`] when the connection has ended.
pub struct Client {
    session: relay::Client,
    tray: Tray,
    protocol: Protocol,
    on_refusal: OnRefusal,
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

impl Client {
    /// A session that sends `mail` as `plan` says.
    pub fn new(plan: Plan, mail: Mail) -> Self {
        Self::asking(plan, mail, Reports::default())
    }

    /// The same, which asks for `reports`.
    pub fn asking(plan: Plan, mail: Mail, reports: Reports) -> Self {
        let body = if mail.text.is_ascii() {
            Body::SevenBit
        } else {
            Body::EightBit
        };
        let recipients = mail.recipients.iter().cloned().map(|address| Recipient {
            notify: reports.notify,
            ..Recipient::new(address)
        });
        let in_ascii = |address: &Address| address.is_ascii();
        let utf8 = !mail.reverse_path.iter().all(in_ascii) || !mail.recipients.iter().all(in_ascii);
        let tray = Tray::new();
        tray.give(Message {
            word: 0,
            envelope: Envelope {
                reverse_path: mail.reverse_path,
                options: MailOptions {
                    body,
                    utf8,
                    ret: reports.ret,
                    envelope_id: reports.envelope_id,
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
            on_refusal: OnRefusal::Send,
            recipients: mail.recipients,
        }
    }

    /// The same in this manner; all replies are kept.
    pub fn with_manner(mut self, manner: Manner) -> Self {
        self.on_refusal = manner.on_refusal;
        self.tray.keep_replies();
        self.session = self.session.with_manner(manner);
        self
    }

    /// What became of the message.
    pub fn into_outcome(self) -> Outcome {
        let step = self.session.stage().to_string();
        // What is not over is so now.
        drop(self.session);
        let lost = || DialogueFailure::Lost { step: step.clone() }.into();
        let mut failure = self.tray.failure();
        let mut outcome = Outcome {
            halted: self.tray.is_halted(),
            server: self.tray.server(),
            heard: self.tray.heard(),
            ..Outcome::default()
        };
        let outcomes = self.tray.outcomes();
        outcome.reports_asked = outcomes.iter().any(|one| one.passed_on.dsn);
        let fates = outcomes.into_iter().flat_map(|one| one.fates);
        let fates: Vec<_> = fates.collect();
        let aborted = self.on_refusal == OnRefusal::Abort
            && fates
                .iter()
                .any(|fate| !matches!(fate, Fate::Interrupted { .. }));
        let was_taken = |place| {
            let of_this = |heard: &&Heard| heard.place == Some(place);
            let reply = outcome.heard.iter().find(of_this);
            reply.is_some_and(|heard| heard.reply.class() == 2)
        };
        let taken: Vec<bool> = (0..fates.len()).map(was_taken).collect();
        let mut any = outcome.halted;
        let all = self.recipients.into_iter().zip(fates).zip(taken);
        for ((address, fate), is_taken) in all {
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
                Fate::Unfit(reply) if aborted => outcome.refused.push((address, reply)),
                Fate::Unfit(reply) => {
                    failure.get_or_insert(Failure::Unfit(reply));
                }
                Fate::Interrupted { .. } if outcome.halted || aborted => {
                    if is_taken {
                        outcome.spared.push(address);
                    }
                }
                Fate::Interrupted { sent, .. } => {
                    outcome.in_doubt |= sent == Sent::Whole;
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
