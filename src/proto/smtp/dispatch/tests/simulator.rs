//! Whatever the order of events, every recipient has one end.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

/// A world in which everything that was wished is answered some time, in any order, with any answer.
struct World {
    dispatcher: Dispatcher,
    now: i64,
    /// What is not answered yet.
    open: Vec<Wish>,
    /// Connections that stand, and what flies over them.
    standing: HashMap<u64, Option<(QueueId, Vec<usize>)>>,
    /// Each recipient's end, and who is in the air.
    ended: HashMap<(QueueId, usize), End>,
    flying: HashSet<(QueueId, usize)>,
    dropped: HashSet<QueueId>,
    chances: Box<dyn Iterator<Item = u8>>,
}

impl World {
    fn chance(&mut self) -> u8 {
        self.chances.next().unwrap_or(0)
    }

    /// Collects wishes; what they promise is checked.
    fn listen(&mut self) {
        while let Some(wish) = self.dispatcher.poll(self.now) {
            match &wish {
                Wish::Send {
                    connection,
                    id,
                    recipients,
                } => {
                    let place = self.standing.get_mut(connection).expect("it stands");
                    assert!(
                        place.replace((id.clone(), recipients.clone())).is_none(),
                        "one at a time"
                    );
                    self.fly(id, recipients);
                }
                Wish::Deliver { id, recipients, .. } => self.fly(id, recipients),
                _ => {}
            }
            self.open.push(wish);
        }
    }

    fn fly(&mut self, id: &QueueId, recipients: &[usize]) {
        for index in recipients {
            let who = (id.clone(), *index);
            assert!(
                !self.ended.contains_key(&who),
                "tried after its end: {who:?}"
            );
            assert!(self.flying.insert(who), "tried twice at once");
        }
    }

    fn land(&mut self, id: &QueueId, recipients: &[usize]) -> Vec<(usize, Verdict)> {
        let mut verdicts = Vec::new();
        for index in recipients {
            self.flying.remove(&(id.clone(), *index));
            let verdict = match self.chance() % 8 {
                0..=2 => taken(),
                3 => Verdict::Refused(reply("550 5.1.1 No")),
                4 => Verdict::Again(reply("452 4.5.3 Too many")),
                5 => continue,
                6 => Verdict::NotHere(reply("450 4.2.1 Not here")),
                _ => Verdict::Later(reply("451 4.3.0 Busy")),
            };
            verdicts.push((*index, verdict));
        }
        verdicts
    }

    /// Answers one wish, or lets time pass.
    fn step(&mut self) {
        let chance = usize::from(self.chance());
        if self.open.is_empty() || chance % 16 == 15 {
            let due = self.dispatcher.next_due().unwrap_or(self.now);
            self.now = due.max(self.now);
            return;
        }
        let wish = self.open.swap_remove(chance % self.open.len());
        let now = self.now;
        let bad = self.chance().is_multiple_of(4);
        let event = match wish {
            Wish::Resolve(question) => {
                let found = match (&question, bad) {
                    (_, true) => Found::Trouble("time-out".to_owned()),
                    (Question::Exchangers(_), false) => {
                        Found::Exchangers(vec![(1, "m1".to_owned()), (1, "m2".to_owned())])
                    }
                    (Question::Addresses(_), false) => {
                        Found::Addresses(vec![[192, 0, 2, 1].into()])
                    }
                };
                Event::Found { question, found }
            }
            Wish::Connect { connection, .. } if bad => {
                let reply = Reply::new(451, Enhanced(4, 4, 1), "refused");
                Event::NotConnected { connection, reply }
            }
            Wish::Connect { connection, .. } => {
                self.standing.insert(connection, None);
                Event::Connected { connection }
            }
            Wish::Send {
                connection,
                id,
                recipients,
            } => {
                if !self.standing.contains_key(&connection) {
                    return;
                }
                let verdicts = self.land(&id, &recipients);
                if bad {
                    self.standing.remove(&connection);
                    Event::Closed {
                        connection,
                        why: Some("reset".to_owned()),
                    }
                } else {
                    self.standing.insert(connection, None);
                    Event::Sent {
                        connection,
                        verdicts,
                    }
                }
            }
            Wish::AskedNext { .. } => return,
            Wish::Close { connection } => {
                self.standing.remove(&connection);
                Event::Closed {
                    connection,
                    why: None,
                }
            }
            Wish::Deliver {
                errand,
                id,
                recipients,
            } => {
                let verdicts = self.land(&id, &recipients);
                Event::Delivered { errand, verdicts }
            }
            Wish::Record { errand, .. } if bad => Event::Recorded {
                errand,
                written: Written::No,
            },
            Wish::Record {
                errand,
                id,
                outcomes,
            } => {
                for outcome in outcomes {
                    if !matches!(outcome.end, End::Later { .. }) {
                        let before = self.ended.insert((id.clone(), outcome.index), outcome.end);
                        assert_eq!(before, None, "one end");
                    }
                }
                Event::Recorded {
                    errand,
                    written: Written::Yes,
                }
            }
        };
        self.dispatcher.handle(now, event);
        self.listen();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_recipient_has_one_end(
        chances in prop::collection::vec(any::<u8>(), 64..512),
        messages in prop::collection::vec(prop::collection::vec(0usize..4, 1..6), 1..20),
        holds in prop::collection::vec(any::<u8>(), 0..4),
        drops in prop::collection::vec(any::<u8>(), 0..3),
    ) {
        let policy = Policy {
            retry: 10,
            retry_max: 100,
            give_up: 500,
            connections: 3,
            connections_each: 2,
            messages: 2,
            ..direct()
        };
        let mut chances = chances.into_iter().cycle();
        // A cycle that answers everything badly would never end well: the number moves it on.
        let mut number = 0u8;
        let chances = std::iter::from_fn(move || {
            number = number.wrapping_add(1);
            chances.next().map(|chance| chance.wrapping_add(number.wrapping_mul(31)))
        });
        let mut world = World {
            dispatcher: Dispatcher::new(policy, 7),
            now: 0,
            open: Vec::new(),
            standing: HashMap::new(),
            ended: HashMap::new(),
            flying: HashSet::new(),
            dropped: HashSet::new(),
            chances: Box::new(chances),
        };
        let domains = ["here", "b.example", "c.example", "d.example"];
        let mut all = Vec::new();
        for (number, to) in messages.iter().enumerate() {
            let to: Vec<String> = to.iter().enumerate().map(|(at, domain)| format!("u{at}@{}", domains[*domain])).collect();
            let to: Vec<&str> = to.iter().map(String::as_str).collect();
            let message = queued(&format!("m{number}"), 0, &to);
            world.dispatcher.handle(0, entry(&message));
            world.listen();
            world.step();
            all.push(message);
        }
        let pick = |chance: &u8| usize::from(*chance) % all.len();
        for held in &holds {
            let mut message = all[pick(held)].clone();
            // One that is done is not in the queue any more, and nobody can hold it.
            if world.dispatcher.activity(&message.id).is_none() {
                continue;
            }
            message.held = true;
            world.dispatcher.handle(world.now, entry(&message));
            world.listen();
            world.step();
        }
        for dropped in &drops {
            let id = all[pick(dropped)].id.clone();
            world.dispatcher.handle(world.now, Event::Gone(id.clone()));
            world.dropped.insert(id);
            world.listen();
            world.step();
        }
        for held in &holds {
            let message = &all[pick(held)];
            if world.dispatcher.activity(&message.id).is_some() {
                world.dispatcher.handle(world.now, entry(message));
                world.listen();
            }
        }
        let mut steps = 0;
        while !world.dispatcher.is_empty() || !world.open.is_empty() || world.dispatcher.next_due().is_some() {
            world.step();
            world.listen();
            steps += 1;
            prop_assert!(steps < 200_000, "it does not come to an end");
        }
        for message in &all {
            for index in 0..message.recipients.len() {
                let end = world.ended.get(&(message.id.clone(), index));
                prop_assert!(end.is_some() || world.dropped.contains(&message.id), "{} {index}", message.id);
            }
        }
        prop_assert!(world.dispatcher.destinations.is_empty(), "{:?}", world.dispatcher.destinations);
        prop_assert!(world.dispatcher.connections.is_empty() && world.dispatcher.errands.is_empty());
    }
}
