//! From what a connection says to what a dispatcher understands, and to words for people.

use std::sync::Arc;

use super::{End, Found, Target, Tls, lookup};
use crate::proto::client::Failure as DialogueFailure;
use crate::proto::smtp::client::{Failure, Stage};
use crate::proto::smtp::dispatch::policy::Dialect;
use crate::proto::smtp::dispatch::{End as Fate, Outcome, Receipts, Verdict};
use crate::proto::smtp::relay;
use crate::store::queue::Queued;
use crate::store::{QueueId, Store};
use crate::wire::date::DateTime;
use crate::wire::smtp::{Enhanced, Reply};

/// What the resolver says.
pub(super) fn answer(found: lookup::Found) -> Found {
    match found {
        lookup::Found::Exchangers(exchangers) => Found::Exchangers(
            exchangers
                .into_iter()
                .map(|exchanger| (exchanger.preference, exchanger.host))
                .collect(),
        ),
        lookup::Found::NullMx => Found::Exchangers(vec![(0, ".".to_owned())]),
        lookup::Found::Addresses(addresses) => Found::Addresses(addresses),
        lookup::Found::Itself | lookup::Found::NoAddress => Found::Nothing,
        lookup::Found::NoName => Found::NoSuchName,
        lookup::Found::Temporary(why) => Found::Trouble(why),
    }
}

/// What a server said of each recipient; `None` when it said nothing of any.
pub(super) fn verdicts(
    outcome: &relay::Outcome,
    recipients: &[usize],
    dialect: Dialect,
) -> Option<Vec<(usize, Verdict)>> {
    let interrupted = |fate: &relay::Fate| matches!(fate, relay::Fate::Interrupted { .. });
    if outcome.fates.iter().all(interrupted) {
        return None;
    }
    let receipts = match (outcome.passed_on.dsn, dialect) {
        (true, _) if outcome.passed_on.deliver_by => Receipts::Theirs,
        (true, _) => Receipts::Untimed,
        // Who speaks LMTP has the mailboxes (RFC 2033 §1).
        (false, Dialect::Lmtp) => Receipts::Here,
        (false, Dialect::Smtp) => Receipts::Ours,
    };
    let verdict = |fate: &relay::Fate| match fate {
        relay::Fate::Taken(reply) => Verdict::Taken {
            reply: Arc::new(reply.clone()),
            receipts,
        },
        // Their bound, whether they say so now or said it before we asked (RFC 9422 §4.2).
        relay::Fate::Refused { reply, .. } | relay::Fate::Unfit(reply) if is_too_many(reply) => {
            Verdict::Again(Arc::new(reply.clone()))
        }
        relay::Fate::Refused { reply, .. } | relay::Fate::Unfit(reply) => {
            let said = Arc::new(reply.clone());
            match fate {
                _ if said.class() == 5 => Verdict::Refused(said),
                relay::Fate::Refused { .. } => Verdict::NotHere(said),
                _ => Verdict::Later(said),
            }
        }
        relay::Fate::Interrupted { stage, .. } => {
            let text = format!("The connection ended before {stage} was answered");
            Verdict::Later(Arc::new(Reply::new(451, Enhanced(4, 4, 2), text)))
        }
    };
    Some(
        recipients
            .iter()
            .copied()
            .zip(outcome.fates.iter().map(verdict))
            .collect(),
    )
}

/// RFC 5321 §4.5.3.1.10: 452, and 552 from servers of before.
fn is_too_many(reply: &Reply) -> bool {
    matches!(
        (reply.code, reply.enhanced),
        (452 | 552, Some(Enhanced(_, 5, 3))) | (452, None)
    )
}

/// Why no message could be given to a server, as a server would say it.
pub(super) fn failure_reply(
    target: &Target,
    tls: Tls,
    failure: Option<&Failure>,
    end: &End,
) -> Reply {
    let name = &target.name;
    let later = |enhanced, text: String| Reply::new(451, enhanced, text);
    // RFC 8689 §4.2.1: what has to be secret goes back when it cannot be; what our own policy asks for may be repaired.
    let secrecy = |text: String| match tls {
        Tls::Required => Reply::new(550, Enhanced(5, 7, 30), text),
        Tls::Verified | Tls::IfOffered => later(Enhanced(4, 7, 5), text),
    };
    match (failure, end) {
        (Some(Failure::Refused { stage, reply }), _) => match stage {
            Stage::Auth | Stage::StartTls => later(
                Enhanced(4, 7, 0),
                format!("{name} refused {stage}: {reply}"),
            ),
            _ => reply.clone(),
        },
        (Some(Failure::Dialogue(DialogueFailure::NoTls)), _) => secrecy(format!(
            "{name} offers no TLS, and the message may not go without"
        )),
        (Some(failure @ Failure::NoMechanism(_)), _) => {
            later(Enhanced(4, 7, 0), format!("{name}: {failure}"))
        }
        (_, End::Tls(error)) => secrecy(format!(
            "There is no TLS with {name} that can be relied on: {error}"
        )),
        (Some(failure), _) => later(Enhanced(4, 4, 2), format!("{name}: {failure}")),
        (None, End::Unreachable(_)) => {
            later(Enhanced(4, 4, 1), format!("{name} does not answer: {end}"))
        }
        (None, end) => later(Enhanced(4, 4, 2), format!("{name}: {end}")),
    }
}

/// What is said when a message comes in.
pub(super) fn arrival(queued: &Queued) -> String {
    let from = queued
        .envelope
        .reverse_path
        .as_ref()
        .map_or_else(String::new, ToString::to_string);
    let everybody: Vec<usize> = (0..queued.envelope.recipients.len()).collect();
    let (to, octets) = (named(queued, &everybody), queued.octets);
    format!("queued, from <{from}> to {to}, {octets} octets")
}

/// What is said when a server did not take a message, and another one is asked.
pub(super) fn next_text(
    store: &Store,
    id: &QueueId,
    recipients: &[usize],
    remote: Option<&str>,
    reply: &Reply,
    next: &Target,
) -> String {
    let queued = store.queue().load(id).ok();
    let to = queued.map_or_else(String::new, |queued| named(&queued, recipients));
    let who = remote.map_or_else(String::new, |remote| format!("{remote}: "));
    format!("{to}: not there: {who}{reply}; asked next is {next}")
}

/// The first of these recipients by name, and how many more there are.
fn named(queued: &Queued, recipients: &[usize]) -> String {
    let mut names: Vec<String> = recipients
        .iter()
        .filter_map(|index| queued.envelope.recipients.get(*index))
        .take(SHOWN)
        .map(|recipient| format!("<{}>", recipient.address))
        .collect();
    let more = recipients.len().saturating_sub(SHOWN);
    if more > 0
        && let Some(last) = names.last_mut()
    {
        last.push_str(&format!(" and {more} more"));
    }
    names.join(", ")
}

/// An outcome in the log.
pub(super) fn outcome_text(store: &Store, id: &QueueId, outcome: &Outcome) -> String {
    let queued = store.queue().load(id).ok();
    let to = queued
        .as_ref()
        .and_then(|queued| queued.envelope.recipients.get(outcome.index))
        .map_or_else(String::new, |recipient| recipient.address.to_string());
    let who = outcome
        .remote
        .as_ref()
        .map_or_else(String::new, |remote| format!("{remote}: "));
    let reply = &outcome.reply;
    match outcome.end {
        Fate::Taken(Receipts::Here) if outcome.remote.is_none() => {
            format!("<{to}>: delivered into the mailbox")
        }
        Fate::Taken(_) => format!("<{to}>: passed on, {who}{reply}"),
        Fate::Failed => format!("<{to}>: failed, {who}{reply}"),
        Fate::Expired => format!("<{to}>: given up, {who}{reply}"),
        Fate::Later { next, .. } => {
            let next = DateTime::utc(next).to_internet();
            format!("<{to}>: not now, next attempt {next}: {who}{reply}")
        }
    }
}

/// Recipients that are named in the log.
const SHOWN: usize = 5;
