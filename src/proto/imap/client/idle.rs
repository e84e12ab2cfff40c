//! Waiting for messages: IDLE (RFC 2177), or NOOP now and then where a server has no IDLE.
//!
//! | phase | the server | left when |
//! |---|---|---|
//! | `Asked` | was sent IDLE | it says `+` |
//! | `Idling` | tells what happens, when it likes | there is something new, IDLE is to begin anew, or the time is over: `DONE` |
//! | `Ending` | was sent DONE | it says OK |
//! | `Resting` | cannot IDLE | it is time to ask: `NOOP`; or the time is over |
//! | `Asking` | was sent NOOP, SEARCH or FETCH | it says OK |
//!
//! Behind each of those that ends in OK stands the same question ([`Client::watch_on`]): are there messages that were not looked at?
//! They are named by message numbers, of which the client keeps the count as the server tells it, EXPUNGE included: so none is told
//! twice, nor missed, also where a server does not tell UIDs before.

use std::time::{Duration, Instant};

use super::command::Command;
use super::stages::SUMMARY;
use super::told::{Told, item, set};
use super::*;
use crate::wire::imap::reply::Value;

/// How far the waiting is.
#[derive(Debug, Default)]
pub(super) struct Watch {
    phase: Phase,
    /// The first messages of the mailbox, so many, were looked at.
    seen: u32,
    /// So many are still waited for; for ever, if none.
    left: Option<u32>,
    /// When it is given up.
    until: Option<Instant>,
    /// When IDLE is to begin anew, or the next NOOP is due.
    due: Option<Instant>,
    /// The server has said that it cannot.
    refused: bool,
    /// What was searched for is being looked for.
    searching: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    None,
    Asked,
    Idling,
    Ending,
    Resting,
    Asking,
}

impl Watch {
    /// A message is gone.
    pub(super) const fn expunged(&mut self, message: u32) {
        if message > 0 && message <= self.seen {
            self.seen -= 1;
        }
    }
}

impl Client<'_> {
    fn idle(&self) -> Option<&Idle> {
        match &self.stage {
            Some(Stage::Idle(idle)) if self.step == Step::Errand => Some(idle),
            _ => None,
        }
    }

    /// Begins to wait.
    pub(super) fn watch(&mut self, out: &mut Out) {
        let Some(idle) = self.idle() else { return };
        let seen = match idle.there {
            There::Count => 0,
            There::DoNot => self.exists,
        };
        let until = idle.within.and_then(|within| self.now?.checked_add(within));
        self.watch = Watch {
            seen,
            until,
            left: idle.count,
            ..Watch::default()
        };
        self.watch_on(out);
    }

    /// Does what is to be done next: looks at what is new, or waits.
    pub(super) fn watch_on(&mut self, out: &mut Out) {
        let (Some(idle), Some(now)) = (self.idle(), self.now) else {
            return;
        };
        let (renew, poll, keys) = (idle.renew, idle.poll, idle.keys.clone());
        if std::mem::take(&mut self.watch.searching) && !self.found.is_empty() {
            let found = set(&self.found);
            self.found.clear();
            return self.ask(Command::new(&format!("UID FETCH {found} {SUMMARY}")), out);
        }
        if self.watch.left == Some(0) {
            return self.proceed(out);
        }
        if self.exists > self.watch.seen {
            let news = format!("{}:{}", self.watch.seen + 1, self.exists);
            self.watch.seen = self.exists;
            if keys.is_empty() {
                return self.ask(Command::new(&format!("FETCH {news} {SUMMARY}")), out);
            }
            let keys = match &keys[..] {
                // The whole search as the protocol has it.
                [whole] if whole.contains(' ') => vec![format!("{news} {whole}")],
                words => [&[news], words].concat(),
            };
            let command = Command::search("UID SEARCH", &keys);
            self.found.clear();
            self.watch.searching = true;
            return self.ask(command, out);
        }
        if self.watch.until.is_some_and(|until| until <= now) {
            return self.too_late(out);
        }
        if self.capabilities.idle && !self.watch.refused {
            self.watch.phase = Phase::Asked;
            self.watch.due = now.checked_add(renew);
            self.send(Step::Errand, Command::new("IDLE"), out);
        } else {
            self.watch.phase = Phase::Resting;
            self.watch.due = now.checked_add(poll);
        }
    }

    fn ask(&mut self, command: Command, out: &mut Out) {
        self.watch.phase = Phase::Asking;
        self.send(Step::Errand, command, out);
    }

    /// The server said `+`; false where that is no answer to IDLE.
    pub(super) fn idles(&mut self, out: &mut Out) -> bool {
        if self.idle().is_none() || self.watch.phase != Phase::Asked {
            return false;
        }
        self.watch.phase = Phase::Idling;
        self.noticed(out);
        true
    }

    /// There may be new messages.
    pub(super) fn noticed(&mut self, out: &mut Out) {
        if self.watch.phase == Phase::Idling && self.exists > self.watch.seen {
            self.done_idling(out);
        }
    }

    fn done_idling(&mut self, out: &mut Out) {
        self.watch.phase = Phase::Ending;
        out.line(b"DONE");
    }

    /// Whether IDLE was refused, so that NOOP has to do.
    pub(super) fn cannot_idle(&mut self, condition: &Condition<'_>) -> bool {
        let refused = self.watch.phase == Phase::Asked && condition.status != Status::Ok;
        self.watch.refused |= refused;
        refused
    }

    /// A message that was looked at.
    pub(super) fn arrived(&mut self, items: &[(&[u8], Value<'_>)], out: &mut Out) {
        let asked = self.watch.phase == Phase::Asking && item(items, "ENVELOPE").is_some();
        let Some(told) = Told::read(items).filter(|_| asked && self.watch.left != Some(0)) else {
            return;
        };
        if let Some(left) = &mut self.watch.left {
            *left -= 1;
        }
        let line = match self.form {
            Form::Lines => told.line(),
            Form::Json => told.json() + "\n",
        };
        if !self.write(line.as_bytes(), out) {
            return;
        }
        let ended = self.sink.flush();
        let ended = ended.and_then(|()| told.about(|about| self.sink.ended(about)));
        if let Err(error) = ended {
            self.give_up(Failure::Sink(error), out);
        }
    }

    /// While it is waited on purpose, the server may be silent for longer.
    pub(super) fn rest(&mut self, now: Instant) {
        if self.idle().is_none() {
            return;
        }
        let watch = &self.watch;
        if matches!(watch.phase, Phase::Idling | Phase::Resting) {
            let due = watch.due.unwrap_or(now + A_DAY);
            self.deadline = Some(watch.until.map_or(due, |until| until.min(due)));
        }
    }

    /// Whether the time that has passed was waited for on purpose.
    pub(super) fn is_due(&mut self, now: Instant, out: &mut Out) -> bool {
        if self.idle().is_none() {
            return false;
        }
        match self.watch.phase {
            Phase::Idling => self.done_idling(out),
            Phase::Resting if self.watch.until.is_some_and(|until| until <= now) => {
                self.too_late(out);
            }
            Phase::Resting => self.ask(Command::new("NOOP"), out),
            _ => return false,
        }
        true
    }

    fn too_late(&mut self, out: &mut Out) {
        self.watch.phase = Phase::None;
        let why = format!("no new message in {} in time", self.mailbox);
        let refusal = Refusal::new("idle", why.as_bytes(), Lasting::Permanent);
        self.failures.push(Failure::Negative(refusal));
        self.logout(out);
    }
}

/// Longer than any IDLE.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
