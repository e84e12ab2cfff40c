//! What the dispatcher does when a connection stands, does not come about, has sent a message, or ends.

use std::sync::Arc;

use super::{Connection, Dispatcher, Stage, Target, Timer, TurnedAway, Verdict, Wish, all};
use crate::limits;
use crate::wire::smtp::{Enhanced, Reply};

impl Dispatcher {
    pub(super) fn connected(&mut self, now: i64, connection: u64) {
        let Some(one) = self.connections.get_mut(&connection) else {
            return;
        };
        if one.stage != Stage::Opening {
            return;
        }
        one.stage = Stage::Idle;
        let key = one.destination;
        if let Some(destination) = self.destinations.get_mut(&key) {
            destination.opening -= 1;
            destination.standing += 1;
        }
        self.rest(now, connection);
    }

    /// It has nothing to do for now.
    fn rest(&mut self, now: i64, connection: u64) {
        let Some(one) = self.connections.get_mut(&connection) else {
            return;
        };
        one.stage = Stage::Idle;
        let key = one.destination;
        self.idle.push_back(connection);
        let due = now.saturating_add(self.policy.idle);
        one.idle_until = due;
        self.timers.insert((due, Timer::Idle(connection)));
        self.ring_in(key);
    }

    pub(super) fn not_connected(&mut self, now: i64, connection: u64, reply: Reply) {
        let is_opening = |one: &Connection| one.stage == Stage::Opening;
        if !self.connections.get(&connection).is_some_and(is_opening) {
            return;
        }
        let Some(one) = self.connections.remove(&connection) else {
            return;
        };
        let key = one.destination;
        let Some(destination) = self.destinations.get_mut(&key) else {
            return;
        };
        destination.opening -= 1;
        let more = one.at + 1 < one.targets.len();
        if more && !destination.ready.is_empty() {
            self.tell_of_next(key, reply, &one.targets[one.at + 1]);
            return self.open(key, one.targets, one.at + 1, one.is_second);
        }
        if one.is_second {
            // The one before answers, only that it does not take these now: the destination is not to be blamed.
            self.settle_turned_away(now, key);
            return self.forget_if_unused(key);
        }
        // Those that stand carry on; it takes no more of them now.
        if destination.standing > 0 || more {
            return self.forget_if_unused(key);
        }
        let remote = one
            .targets
            .get(one.at)
            .map(|target| Arc::clone(&target.name));
        // What we say of ourselves (nobody answers) was said by no server.
        let remote = remote.filter(|_| {
            reply
                .enhanced
                .is_none_or(|Enhanced(_, subject, _)| subject != 4)
        });
        self.fail(now, key, reply, remote);
    }

    /// Those that would go there first are told that the next server is tried.
    fn tell_of_next(&mut self, key: u64, reply: Reply, next: &Target) {
        let Some(destination) = self.destinations.get(&key) else {
            return;
        };
        let reply = Arc::new(reply);
        for (_, errand) in destination.ready.iter().take(limits::RELAY_TOLD) {
            if let Some(one) = self.errands.get(errand) {
                self.wishes.push_back(Wish::AskedNext {
                    id: one.id.clone(),
                    recipients: one.recipients.clone(),
                    reply: Arc::clone(&reply),
                    remote: None,
                    next: next.clone(),
                });
            }
        }
    }

    pub(super) fn sent(&mut self, now: i64, connection: u64, verdicts: Vec<(usize, Verdict)>) {
        let Some(one) = self.connections.get_mut(&connection) else {
            return;
        };
        let Stage::Busy(errand) = one.stage else {
            return;
        };
        let remote = one
            .targets
            .get(one.at)
            .map(|target| Arc::clone(&target.name));
        let (served, key) = (one.served, one.destination);
        // Others wait, and there is no room for them.
        let crowded = self.connections.len() >= self.policy.connections && !self.ring.is_empty();
        if served >= self.policy.messages || (crowded && served >= limits::RELAY_MESSAGES_CROWDED) {
            if let Some(one) = self.connections.get_mut(&connection) {
                one.stage = Stage::Closing;
            }
            self.wishes.push_back(Wish::Close { connection });
            self.ring_in(key);
        } else {
            self.rest(now, connection);
        }
        self.ask_the_next(now, connection, errand, verdicts, remote);
    }

    /// Those whom this server does not take now are given to the next one, if there is one; the others are settled.
    fn ask_the_next(
        &mut self,
        now: i64,
        connection: u64,
        errand: u64,
        mut verdicts: Vec<(usize, Verdict)>,
        remote: Option<Arc<str>>,
    ) {
        let (Some(connection), Some(one)) =
            (self.connections.get(&connection), self.errands.get(&errand))
        else {
            return self.settle(now, errand, verdicts, remote);
        };
        let here = connection.targets.get(connection.at);
        // Another address of the same server would say the same.
        let next = here.and_then(|here| {
            let mut targets = connection.targets.iter().enumerate();
            let is_next =
                |(at, target): &(usize, &Target)| *at > connection.at && target.name != here.name;
            targets.find(is_next).map(|(at, _)| at)
        });
        let servers = one.turned_away.as_ref().map_or(1, |away| away.servers + 1);
        let is_away = |verdict: &(usize, Verdict)| matches!(verdict.1, Verdict::NotHere(_));
        let is_gone = self
            .messages
            .get(&one.id)
            .is_none_or(|message| message.gone);
        let (Some(next), false) = (next, is_gone || servers >= limits::RELAY_SERVERS) else {
            return self.settle(now, errand, verdicts, remote);
        };
        let away: Vec<(usize, Verdict)> = verdicts.extract_if(.., |one| is_away(one)).collect();
        let Some((_, Verdict::NotHere(reply))) = away.first() else {
            return self.settle(now, errand, verdicts, remote);
        };
        let (id, key, attempts, warned) =
            (one.id.clone(), one.destination, one.attempts, one.warned);
        let recipients: Vec<usize> = away.iter().map(|(index, _)| *index).collect();
        self.wishes.push_back(Wish::AskedNext {
            id: id.clone(),
            recipients: recipients.clone(),
            reply: Arc::clone(reply),
            remote: remote.clone(),
            next: connection.targets[next].clone(),
        });
        let turned_away = Some(Box::new(TurnedAway {
            servers,
            next,
            verdicts: away,
            remote: remote.clone(),
        }));
        let Some(one) = self.errands.get_mut(&errand) else {
            return;
        };
        if recipients.len() == one.recipients.len() {
            one.turned_away = turned_away;
            return self.set_ready(now, errand);
        }
        one.recipients.retain(|index| !recipients.contains(index));
        self.settle(now, errand, verdicts, remote);
        self.add(now, &id, key, recipients, attempts, warned, now);
        // The last that was named.
        if let Some(one) = self.errands.get_mut(&self.next) {
            one.turned_away = turned_away;
        }
    }

    /// No other server can be reached: what the one before said counts.
    fn settle_turned_away(&mut self, now: i64, key: u64) {
        let Some(destination) = self.destinations.get_mut(&key) else {
            return;
        };
        let mut away = Vec::new();
        destination.ready.retain(|(_, errand)| {
            let one = self.errands.get_mut(errand);
            match one.and_then(|one| one.turned_away.take()) {
                Some(said) => {
                    away.push((*errand, said));
                    false
                }
                None => true,
            }
        });
        for (errand, said) in away {
            self.settle(now, errand, said.verdicts, said.remote);
        }
    }

    pub(super) fn closed(&mut self, now: i64, connection: u64, why: Option<String>) {
        let Some(one) = self.connections.get(&connection) else {
            return;
        };
        let why = why.unwrap_or_else(|| "the connection was closed".to_owned());
        let name = one
            .targets
            .get(one.at)
            .map(|target| Arc::clone(&target.name));
        let text = match &name {
            Some(name) => format!("The connection to {name} was lost: {why}"),
            None => why,
        };
        let lost = Reply::new(451, Enhanced(4, 4, 2), text);
        if one.stage == Stage::Opening {
            return self.not_connected(now, connection, lost);
        }
        let Some(one) = self.connections.remove(&connection) else {
            return;
        };
        self.idle.retain(|idle| *idle != connection);
        let key = one.destination;
        if let Some(destination) = self.destinations.get_mut(&key) {
            destination.standing -= 1;
        }
        if let Stage::Busy(errand) = one.stage {
            // A server may end a connection after any message (RFC 9422's MAILMAX, or its own idea of idle): that says nothing about the next
            // one, which gets a connection of its own.
            let reused = one.served > 1;
            let again = self.errands.get_mut(&errand).is_some_and(|lost| {
                lost.losses += 1;
                lost.losses < one.targets.len() + usize::from(reused)
            });
            let gone = self
                .errands
                .get(&errand)
                .and_then(|lost| self.messages.get(&lost.id))
                .is_none_or(|message| message.gone);
            if again && !gone {
                // RFC 5321 §5.1: the next address is tried, before it is called a failure.
                self.set_ready(now, errand);
                let crowded = self.connections.len() >= self.policy.connections;
                if one.at + 1 < one.targets.len() && !crowded && !reused {
                    self.open(key, one.targets, one.at + 1, one.is_second);
                }
            } else if let Some(recipients) = self
                .errands
                .get(&errand)
                .map(|lost| lost.recipients.clone())
            {
                let verdicts = all(&recipients, &Verdict::Later(Arc::new(lost)));
                self.settle(now, errand, verdicts, None);
            }
        }
        self.ring_in(key);
        self.forget_if_unused(key);
    }
}
