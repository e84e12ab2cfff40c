//! What the dispatcher does about each [`super::Event`].

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::outcome::{Receipts, no_answer, too_late};
use super::policy::{Hop, Tls, Whose};
use super::{
    BTreeSet, Destination, Dispatcher, End, Errand, Found, Message, Outcome, Path, Question,
    RECORD_PAUSE, State, Step, Timer, Verdict, Which, Wish, Written, all, next_chance,
};
use crate::limits;
use crate::store::QueueId;
use crate::store::queue::{self, Queued};
use crate::wire::envelope::ByMode;
use crate::wire::smtp::{Enhanced, Reply};

impl Dispatcher {
    /// A message that is new here, or was held or released by somebody.
    pub(super) fn entry(&mut self, now: i64, queued: &Queued, whose: &[Whose]) {
        if queued.is_done() {
            return self.gone(&queued.id);
        }
        if self.messages.contains_key(&queued.id) {
            return self.changed(now, queued);
        }
        let options = &queued.envelope.options;
        let begin = options.hold_until.unwrap_or(0).max(queued.arrival);
        let message = Message {
            errands: Vec::new(),
            not_before: options.hold_until.unwrap_or(0),
            give_up: begin.saturating_add(self.policy.give_up),
            warn: self.policy.warn.map(|after| begin.saturating_add(after)),
            by: options.deliver_by,
            priority: options.priority,
            held: queued.held,
            gone: false,
        };
        self.messages.insert(queued.id.clone(), message);
        // Those that go the same way at the same time, in the order of the envelope.
        let mut groups: BTreeMap<(Hop, Tls, i64), Vec<usize>> = BTreeMap::new();
        for (index, (recipient, progress)) in queued
            .envelope
            .recipients
            .iter()
            .zip(&queued.recipients)
            .enumerate()
        {
            let queue::State::Waiting(next) = progress.state else {
                continue;
            };
            let whose = whose.get(index).copied().unwrap_or(Whose::Foreign);
            let hop = self.policy.routes.of(&recipient.address, whose);
            let tls = match hop {
                Hop::Here => Tls::IfOffered,
                _ => {
                    let domain = recipient.address.domain().unwrap_or("");
                    self.policy.tls(domain, options.require_tls)
                }
            };
            let due = next.max(options.hold_until.unwrap_or(0));
            groups.entry((hop, tls, due)).or_default().push(index);
        }
        for ((hop, tls, due), recipients) in groups {
            let destination = self.destination(hop, tls);
            for part in recipients.chunks(limits::RELAY_RECIPIENTS) {
                let progress = |index: &usize| queued.recipients.get(*index);
                let attempts = part.iter().filter_map(progress).map(|one| one.attempts);
                let warned = part
                    .iter()
                    .filter_map(progress)
                    .all(|one| one.delay_reported);
                let attempts = attempts.max().unwrap_or(0);
                self.add(
                    now,
                    &queued.id,
                    destination,
                    part.to_vec(),
                    attempts,
                    warned,
                    due,
                );
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "an errand has that much to it")]
    pub(super) fn add(
        &mut self,
        now: i64,
        id: &QueueId,
        destination: u64,
        recipients: Vec<usize>,
        attempts: u32,
        warned: bool,
        due: i64,
    ) {
        let name = self.name();
        let Some(message) = self.messages.get_mut(id) else {
            return;
        };
        message.errands.push(name);
        let due = match message.by {
            Some(by) if by.deadline > now => due.min(by.deadline),
            _ => due,
        };
        if let Some(destination) = self.destinations.get_mut(&destination) {
            destination.errands += 1;
        }
        let errand = Errand {
            id: id.clone(),
            destination,
            recipients,
            attempts,
            losses: 0,
            warned,
            state: State::Waiting(due),
            turned_away: None,
        };
        self.errands.insert(name, errand);
        self.set_waiting(now, name, due);
    }

    fn destination(&mut self, hop: Hop, tls: Tls) -> u64 {
        if let Some(key) = self.keys.get(&(hop.clone(), tls)) {
            return *key;
        }
        let key = self.name();
        self.keys.insert((hop.clone(), tls), key);
        let destination = Destination {
            hop,
            tls,
            ready: BTreeSet::new(),
            errands: 0,
            path: Path::Unknown,
            deliveries: 0,
            opening: 0,
            standing: 0,
            blocked: None,
            in_ring: false,
        };
        self.destinations.insert(key, destination);
        key
    }

    fn changed(&mut self, now: i64, queued: &Queued) {
        let Some(message) = self.messages.get_mut(&queued.id) else {
            return;
        };
        message.held = queued.held;
        let errands = message.errands.clone();
        for errand in errands {
            let Some(one) = self.errands.get(&errand) else {
                continue;
            };
            let due = one.recipients.iter().filter_map(|index| {
                let progress = queued.recipients.get(*index)?;
                match progress.state {
                    queue::State::Waiting(next) => Some(next),
                    queue::State::Delivered | queue::State::Failed => None,
                }
            });
            let due = due.min();
            match (&one.state, queued.held, due) {
                (State::Ready, true, _) => {
                    self.take_back(errand);
                    self.set_waiting(now, errand, now);
                }
                (State::Waiting(due), true, _) => {
                    let due = *due;
                    self.set_waiting(now, errand, due);
                }
                (State::Waiting(before), false, due) => {
                    let due = due.unwrap_or(now).min(*before);
                    self.hasten(now, errand, due);
                }
                (State::Recording { .. }, false, Some(due)) => {
                    if let Some(State::Recording { next, .. }) =
                        self.errands.get_mut(&errand).map(|one| &mut one.state)
                    {
                        *next = due.min(*next);
                    }
                }
                _ => {}
            }
        }
    }

    /// A ready errand is so no more.
    fn take_back(&mut self, errand: u64) {
        let Some(one) = self.errands.get(&errand) else {
            return;
        };
        let Some(message) = self.messages.get(&one.id) else {
            return;
        };
        if let Some(destination) = self.destinations.get_mut(&one.destination) {
            destination.ready.remove(&(-message.priority, errand));
        }
    }

    /// A waiting errand is due at `due`, if it may go then; if that is now, its destination is tried whatever happened there.
    fn hasten(&mut self, now: i64, errand: u64, due: i64) {
        let one = self.errands.get(&errand);
        let message = one.and_then(|one| self.messages.get(&one.id));
        let due = message.map_or(due, |message| due.max(message.not_before));
        if due <= now
            && let Some(one) = self.errands.get(&errand)
        {
            self.unblock(one.destination);
        }
        self.set_waiting(now, errand, due);
    }

    pub(super) fn flush(&mut self, now: i64, which: &Which) {
        let errands: Vec<u64> = match which {
            Which::All => self.errands.keys().copied().collect(),
            Which::Message(id) => self
                .messages
                .get(id)
                .map(|message| message.errands.clone())
                .unwrap_or_default(),
            // Only errands that go by MX know their domain; of the others the caller names the messages.
            Which::Domain(domain) => {
                let domain = domain.to_ascii_lowercase();
                let is_it = |one: &Errand| {
                    self.destinations
                        .get(&one.destination)
                        .is_some_and(|destination| matches!(&destination.hop, Hop::Exchangers(name) if **name == *domain))
                };
                self.errands
                    .iter()
                    .filter(|(_, one)| is_it(one))
                    .map(|(errand, _)| *errand)
                    .collect()
            }
        };
        for errand in errands {
            let Some(one) = self.errands.get_mut(&errand) else {
                continue;
            };
            match &mut one.state {
                State::Waiting(_) => self.hasten(now, errand, now),
                State::Ready => {
                    let destination = one.destination;
                    self.unblock(destination);
                }
                // It is being tried now.
                State::Flying => {}
                // It was tried, and that is being written down.
                State::Recording { next, .. } => {
                    *next = now;
                    let destination = one.destination;
                    self.unblock(destination);
                }
            }
        }
    }

    /// Somebody dropped it, or it is done: what flies comes down first.
    pub(super) fn gone(&mut self, id: &QueueId) {
        let Some(message) = self.messages.get_mut(id) else {
            return;
        };
        message.gone = true;
        for errand in message.errands.clone() {
            match self.errands.get(&errand).map(|one| &one.state) {
                Some(State::Waiting(_)) => self.remove(errand),
                Some(State::Ready) => {
                    self.take_back(errand);
                    self.remove(errand);
                }
                _ => {}
            }
        }
        self.forget_if_done(id);
    }

    fn forget_if_done(&mut self, id: &QueueId) {
        let done = |message: &Message| message.errands.is_empty();
        if self.messages.get(id).is_some_and(done) {
            self.messages.remove(id);
        }
    }

    fn remove(&mut self, errand: u64) {
        let Some(one) = self.errands.remove(&errand) else {
            return;
        };
        if let State::Waiting(due) = one.state {
            self.timers.remove(&(due, Timer::Errand(errand)));
        }
        if let Some(message) = self.messages.get_mut(&one.id) {
            message.errands.retain(|other| *other != errand);
        }
        if let Some(destination) = self.destinations.get_mut(&one.destination) {
            destination.errands -= 1;
        }
        self.forget_if_done(&one.id);
        self.forget_if_unused(one.destination);
    }

    // Ways.

    pub(super) fn found(&mut self, now: i64, question: &Question, found: &Found) {
        for key in self.asked.remove(question).unwrap_or_default() {
            let (policy, chance) = (&self.policy, &mut self.chance);
            let Some(destination) = self.destinations.get_mut(&key) else {
                continue;
            };
            let Path::Asking(search) = &mut destination.path else {
                continue;
            };
            let step = search.answer(question, found, policy, &mut || next_chance(chance));
            self.step(now, key, step);
        }
    }

    /// A search goes on, or ends.
    pub(super) fn step(&mut self, now: i64, key: u64, step: Step) {
        match step {
            Step::Wait => {}
            Step::Ask(questions) => {
                for question in questions {
                    let waiting = self.asked.entry(question.clone()).or_default();
                    if waiting.is_empty() {
                        self.wishes.push_back(Wish::Resolve(question));
                    }
                    waiting.push(key);
                }
            }
            Step::Known(targets) => {
                // A route may lead to where we listen.
                let ours = targets.iter().all(|target| match &target.place {
                    super::Spot::Tcp(address) => self.policy.is_us(address),
                    super::Spot::Unix(_) => false,
                });
                if ours && let Some(first) = targets.first() {
                    let text = format!(
                        "The way leads to {}, which is this server itself",
                        first.name
                    );
                    return self.fail(now, key, Reply::new(554, Enhanced(5, 4, 6), text), None);
                }
                if let Some(destination) = self.destinations.get_mut(&key) {
                    destination.path = Path::Known {
                        targets: targets.into(),
                        since: now,
                    };
                }
                self.ring_in(key);
            }
            Step::Failed(reply) => self.fail(now, key, reply, None),
        }
    }

    /// A destination cannot be reached, and all that waits there learns it.
    pub(super) fn fail(&mut self, now: i64, key: u64, reply: Reply, remote: Option<Arc<str>>) {
        let Some(destination) = self.destinations.get_mut(&key) else {
            return;
        };
        destination.path = Path::Unknown;
        let ready = std::mem::take(&mut destination.ready);
        let temporary = reply.class() == 4;
        let reply = Arc::new(reply);
        let verdict = if temporary {
            Verdict::Later(reply)
        } else {
            Verdict::Refused(reply)
        };
        if temporary {
            self.block(key, now.saturating_add(self.policy.retry.max(1)));
        }
        for (_, errand) in ready {
            let Some(one) = self.errands.get(&errand) else {
                continue;
            };
            let verdicts = all(&one.recipients, &verdict);
            self.settle(now, errand, verdicts, remote.clone());
        }
        self.forget_if_unused(key);
    }

    pub(super) fn delivered(&mut self, now: i64, errand: u64, verdicts: Vec<(usize, Verdict)>) {
        let Some(one) = self.errands.get(&errand) else {
            return;
        };
        let key = one.destination;
        if !matches!(one.state, State::Flying) {
            return;
        }
        if let Some(destination) = self.destinations.get_mut(&key) {
            destination.deliveries = destination.deliveries.saturating_sub(1);
        }
        self.ring_in(key);
        self.settle(now, errand, verdicts, None);
    }

    // Outcomes.

    /// Everybody in an errand has an answer, or counts as not answered.
    pub(super) fn settle(
        &mut self,
        now: i64,
        errand: u64,
        verdicts: Vec<(usize, Verdict)>,
        remote: Option<Arc<str>>,
    ) {
        let chance = next_chance(&mut self.chance);
        let Some(one) = self.errands.get_mut(&errand) else {
            return;
        };
        let message = match self.messages.get(&one.id) {
            Some(message) if !message.gone => message,
            _ => return self.remove(errand),
        };
        let any_taken = verdicts
            .iter()
            .any(|(_, verdict)| matches!(verdict, Verdict::Taken { .. }));
        let mut verdicts: HashMap<usize, Verdict> = verdicts.into_iter().collect();
        let late = message.by.filter(|by| by.deadline <= now);
        let warn_by = late.is_some_and(|by| by.mode == ByMode::Notify);
        let warn = !one.warned && (warn_by || message.warn.is_some_and(|at| at <= now));
        let mut next =
            now.saturating_add(self.policy.pause(one.attempts.saturating_add(1), chance));
        let ends = [
            Some(message.give_up),
            message.warn.filter(|_| !one.warned),
            message.by.map(|by| by.deadline),
        ];
        for end in ends.into_iter().flatten().filter(|end| *end > now) {
            next = next.min(end);
        }
        let (mut outcomes, mut left, mut again) = (Vec::new(), Vec::new(), Vec::new());
        for &index in &one.recipients {
            let verdict = verdicts.remove(&index);
            let (end, reply) = match verdict.unwrap_or_else(|| Verdict::Later(no_answer())) {
                Verdict::Taken { reply, receipts } => (End::Taken(receipts), reply),
                Verdict::Refused(reply) => (End::Failed, reply),
                Verdict::Again(_) if any_taken => {
                    again.push(index);
                    continue;
                }
                Verdict::Later(_) | Verdict::NotHere(_) | Verdict::Again(_)
                    if late.is_some_and(|by| by.mode == ByMode::Return) =>
                {
                    (End::Failed, Arc::new(too_late()))
                }
                Verdict::Later(reply) | Verdict::NotHere(reply) | Verdict::Again(reply)
                    if message.give_up <= now =>
                {
                    (End::Expired, reply)
                }
                Verdict::Later(reply) | Verdict::NotHere(reply) | Verdict::Again(reply) => {
                    left.push(index);
                    (End::Later { next, warn }, reply)
                }
            };
            outcomes.push(Outcome {
                index,
                end,
                reply,
                remote: remote.clone(),
            });
        }
        one.losses = 0;
        one.turned_away = None;
        one.warned |= warn && !left.is_empty();
        let (id, key, attempts, warned) =
            (one.id.clone(), one.destination, one.attempts, one.warned);
        // There is an outcome at least: `again` is not empty only if somebody was taken.
        one.state = State::Recording {
            outcomes,
            left,
            next,
        };
        self.to_record.push_back(errand);
        if !again.is_empty() {
            self.add(now, &id, key, again, attempts, warned, now);
        }
    }

    pub(super) fn next_record(&mut self) -> Option<Wish> {
        if self.recording >= limits::RELAY_RECORDS {
            return None;
        }
        let errand = self.to_record.pop_front()?;
        let one = self.errands.get(&errand)?;
        let State::Recording { outcomes, .. } = &one.state else {
            return None;
        };
        self.recording += 1;
        Some(Wish::Record {
            errand,
            id: one.id.clone(),
            outcomes: outcomes.clone(),
        })
    }

    pub(super) fn recorded(&mut self, now: i64, errand: u64, written: Written) {
        let Some(one) = self.errands.get_mut(&errand) else {
            return;
        };
        if !matches!(one.state, State::Recording { .. }) {
            return;
        }
        self.recording = self.recording.saturating_sub(1);
        if written == Written::No {
            let due = now.saturating_add(RECORD_PAUSE);
            self.timers.insert((due, Timer::Record(errand)));
            return;
        }
        let gone = self
            .messages
            .get(&one.id)
            .is_none_or(|message| message.gone);
        let State::Recording { left, next, .. } = std::mem::replace(&mut one.state, State::Flying)
        else {
            return;
        };
        if left.is_empty() || gone {
            return self.remove(errand);
        }
        one.recipients = left;
        one.attempts = one.attempts.saturating_add(1);
        self.set_waiting(now, errand, next);
    }
}

/// That a mailbox here took it is told by us, as delivered.
impl Verdict {
    /// Taken into a mailbox here.
    pub fn delivered() -> Self {
        Self::Taken {
            reply: Arc::new(Reply::new(250, Enhanced(2, 1, 5), "Delivered")),
            receipts: Receipts::Here,
        }
    }
}
