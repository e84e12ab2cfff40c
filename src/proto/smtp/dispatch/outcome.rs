//! What becomes of recipients, and what is written down and told of it.

use std::sync::Arc;

use crate::store::queue::{Change, Queued};
use crate::wire::envelope::Notify;
use crate::wire::report::{Action, Fate, is_asked, status_of};
use crate::wire::smtp::{Enhanced, Reply};

/// What a server, or a mailbox here, said of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is theirs now.
    Taken {
        /// What was said.
        reply: Arc<Reply>,
        /// Who tells of success.
        receipts: Receipts,
    },
    /// Never.
    Refused(Arc<Reply>),
    /// Not now.
    Later(Arc<Reply>),
    /// Not now, says this server: another one of the same domain may take it (RFC 5321 §5.1).
    NotHere(Arc<Reply>),
    /// Not together with so many others (452 4.5.3): at once again, without those that were taken (RFC 5321 §4.5.3.1.10).
    Again(Arc<Reply>),
}

/// Who tells a sender who asked for it that a message has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipts {
    /// The next server, which was told what was asked for (RFC 3461 §5.2.1).
    Theirs,
    /// The next server too, but it was not told by when a message has to be there.
    Untimed,
    /// We, that it was passed on: the next server knows nothing of it (RFC 3461 §5.2.2).
    Ours,
    /// We, that it is there.
    Here,
}

/// What became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The place in the envelope.
    pub index: usize,
    /// What.
    pub end: End,
    /// What was said last.
    pub reply: Arc<Reply>,
    /// Who said so; `None` when it was us.
    pub remote: Option<Arc<str>>,
}

/// See [`Outcome`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Somebody else's now.
    Taken(Receipts),
    /// Refused.
    Failed,
    /// Given up after many attempts.
    Expired,
    /// It is tried again.
    Later {
        /// When, seconds since 1970.
        next: i64,
        /// The sender is told that it is late.
        warn: bool,
    },
}

/// What is written down of outcomes, and what is told: the fates of each report. `retry_until` is when the message is given up.
pub fn conclude(
    queued: &Queued,
    outcomes: &[Outcome],
    now: i64,
    retry_until: i64,
) -> (Vec<Change>, Vec<Vec<Fate>>) {
    let mut changes = Vec::new();
    let (mut failed, mut delayed, mut succeeded) = (Vec::new(), Vec::new(), Vec::new());
    for outcome in outcomes {
        let index = outcome.index;
        let reply = match &outcome.remote {
            Some(remote) => format!("{remote}: {}", outcome.reply),
            None => outcome.reply.to_string(),
        };
        let Some(recipient) = queued.envelope.recipients.get(index) else {
            continue;
        };
        // A recipient that is done already: nothing to write, nobody to tell again.
        if !queued
            .recipients
            .get(index)
            .is_some_and(|one| one.is_open())
        {
            continue;
        }
        let fate = |action, status| Fate {
            recipient: recipient.clone(),
            action,
            status,
            remote: outcome.remote.as_ref().map(ToString::to_string),
            diagnostic: Some(outcome.reply.to_string()),
            last_attempt: Some(now),
            retry_until: Some(retry_until),
        };
        // RFC 2852 §4: who asked for a trace is told of each hop, and whoever named a time, where nobody watches over it any more.
        let is_untimed = matches!(outcome.end, End::Taken(Receipts::Untimed | Receipts::Ours));
        let by = queued.envelope.options.deliver_by;
        let traced = by.is_some_and(|by| by.trace || is_untimed);
        let mut told = |action: Action, status: Enhanced| {
            let traced = traced && action == Action::Relayed && recipient.notify != Notify::Never;
            if is_asked(recipient.notify, action) || traced {
                match action {
                    Action::Failed => &mut failed,
                    Action::Delayed => &mut delayed,
                    _ => &mut succeeded,
                }
                .push(fate(action, status));
            }
        };
        let status = status_of(&outcome.reply);
        match outcome.end {
            End::Taken(receipts) => {
                match receipts {
                    Receipts::Here => told(Action::Delivered, status),
                    Receipts::Ours => told(Action::Relayed, status),
                    Receipts::Theirs | Receipts::Untimed if traced => {
                        told(Action::Relayed, status);
                    }
                    Receipts::Theirs | Receipts::Untimed => {}
                }
                changes.push(Change::Delivered { index, reply });
            }
            End::Failed => {
                told(Action::Failed, status);
                changes.push(Change::Failed { index, reply });
            }
            End::Expired => {
                // RFC 3464 §2.3.3: given up, for what may have been temporary.
                told(Action::Failed, Enhanced(4, 4, 7));
                changes.push(Change::Failed { index, reply });
            }
            End::Later { next, warn } => {
                changes.push(Change::Deferred { index, next, reply });
                if warn {
                    told(Action::Delayed, status);
                    changes.push(Change::DelayReported { index });
                }
            }
        }
    }
    let reports = [failed, delayed, succeeded];
    let reports = reports.into_iter().filter(|fates| !fates.is_empty());
    (changes, reports.collect())
}

/// RFC 2852 §4.1.4
pub(super) fn too_late() -> Reply {
    Reply::new(
        554,
        Enhanced(5, 4, 7),
        "It could not be delivered by the time that was asked for",
    )
}

/// Whoever was to answer for a recipient did not.
pub(super) fn no_answer() -> Arc<Reply> {
    Arc::new(Reply::new(451, Enhanced(4, 4, 2), "There was no answer"))
}
