//! A world of the dispatcher's own: a queue, a resolver and servers that answer as a test says.

mod changes;
mod simulator;

use std::collections::HashMap;
use std::sync::Arc;

use super::policy::{Routes, Whose};
use super::*;
use crate::store::queue::{Change, Progress, Queued};
use crate::wire::address::Address;
use crate::wire::envelope::{Body, Envelope, MailOptions, Notify, Recipient};
use crate::wire::report::Action;
use crate::wire::smtp::{Enhanced, Reply};

/// A queued message; recipients of `here` are ours.
fn queued(id: &str, arrival: i64, to: &[&str]) -> Queued {
    let recipients: Vec<Recipient> = to
        .iter()
        .map(|to| Recipient::new(Address::parse(to.as_bytes()).unwrap()))
        .collect();
    Queued {
        id: id.parse().unwrap(),
        arrival,
        octets: 1000,
        preface: 0,
        recipients: recipients
            .iter()
            .map(|_| Progress {
                state: crate::store::queue::State::Waiting(arrival),
                attempts: 0,
                last_attempt: None,
                last_reply: None,
                delay_reported: false,
            })
            .collect(),
        envelope: Envelope {
            reverse_path: Some(Address::parse(b"alice@a.example").unwrap()),
            options: MailOptions {
                body: Body::SevenBit,
                ..MailOptions::default()
            },
            recipients,
        },
        held: false,
    }
}

fn entry(queued: &Queued) -> Event {
    let whose = queued
        .envelope
        .recipients
        .iter()
        .map(|one| match one.address.domain() {
            Some("here") => Whose::Ours,
            _ => Whose::Foreign,
        })
        .collect();
    Event::Entry {
        queued: Arc::new(queued.clone()),
        whose,
    }
}

fn reply(text: &str) -> Arc<Reply> {
    let mut reader = crate::wire::smtp::ReplyReader::default();
    Arc::new(reader.line(text.as_bytes()).unwrap().unwrap())
}

fn taken() -> Verdict {
    Verdict::Taken {
        reply: reply("250 2.0.0 Ok"),
        receipts: Receipts::Theirs,
    }
}

/// A policy with one way for everything, so that nothing is resolved.
fn direct() -> Policy {
    Policy {
        routes: Routes::new(
            vec![
                "b.example=192.0.2.2:25".parse().unwrap(),
                "c.example=192.0.2.3:25".parse().unwrap(),
            ],
            None,
            None,
        ),
        ..Policy::default()
    }
}

fn wishes(dispatcher: &mut Dispatcher, now: i64) -> Vec<Wish> {
    std::iter::from_fn(|| dispatcher.poll(now)).collect()
}

/// Connections and errands by their kinds of wish.
fn connects(wishes: &[Wish]) -> Vec<u64> {
    wishes
        .iter()
        .filter_map(|wish| match wish {
            Wish::Connect { connection, .. } => Some(*connection),
            _ => None,
        })
        .collect()
}

fn sends(wishes: &[Wish]) -> Vec<(u64, String)> {
    wishes
        .iter()
        .filter_map(|wish| match wish {
            Wish::Send { connection, id, .. } => Some((*connection, id.to_string())),
            _ => None,
        })
        .collect()
}

fn records(wishes: &[Wish]) -> Vec<(u64, String, Vec<Outcome>)> {
    wishes
        .iter()
        .filter_map(|wish| match wish {
            Wish::Record {
                errand,
                id,
                outcomes,
            } => Some((*errand, id.to_string(), outcomes.clone())),
            _ => None,
        })
        .collect()
}

/// Everything that is asked to be written down is, and what comes of it.
fn write_down(dispatcher: &mut Dispatcher, now: i64, wishes: &[Wish]) {
    for (errand, ..) in records(wishes) {
        let written = Written::Yes;
        dispatcher.handle(now, Event::Recorded { errand, written });
    }
}

#[test]
fn from_the_exchangers_to_the_record() {
    let mut dispatcher = Dispatcher::new(Policy::default(), 1);
    let message = queued("m1", 0, &["x@B.example", "y@b.example"]);
    dispatcher.handle(0, entry(&message));
    let question = Question::Exchangers("b.example".into());
    assert_eq!(
        wishes(&mut dispatcher, 0),
        [Wish::Resolve(question.clone())]
    );
    let found = Found::Exchangers(vec![
        (20, "m2.example".to_owned()),
        (10, "m1.example".to_owned()),
    ]);
    dispatcher.handle(0, Event::Found { question, found });
    let questions: Vec<Question> = ["m1.example", "m2.example"]
        .map(|name| Question::Addresses(name.into()))
        .into();
    assert_eq!(
        wishes(&mut dispatcher, 0),
        questions
            .iter()
            .cloned()
            .map(Wish::Resolve)
            .collect::<Vec<_>>()
    );
    for (question, last) in questions.into_iter().zip([1, 2]) {
        let found = Found::Addresses(vec![[192, 0, 2, last].into()]);
        dispatcher.handle(0, Event::Found { question, found });
    }
    let wished = wishes(&mut dispatcher, 0);
    let Wish::Connect {
        connection,
        target,
        tls,
        ..
    } = &wished[0]
    else {
        panic!("{wished:?}")
    };
    assert_eq!((&*target.name, *tls), ("m1.example", Tls::IfOffered));
    // The best one does not answer: the next one does.
    let reply = Reply::new(451, Enhanced(4, 4, 1), "refused");
    dispatcher.handle(
        0,
        Event::NotConnected {
            connection: *connection,
            reply,
        },
    );
    let wished = wishes(&mut dispatcher, 0);
    let next =
        |wish: &Wish| matches!(wish, Wish::Connect { target, .. } if &*target.name == "m2.example");
    assert!(wished.iter().any(next), "{wished:?}");
    let connection = connects(&wished)[0];
    dispatcher.handle(0, Event::Connected { connection });
    let wished = wishes(&mut dispatcher, 0);
    let id = message.id.clone();
    assert_eq!(
        wished,
        [Wish::Send {
            connection,
            id: id.clone(),
            recipients: vec![0, 1]
        }]
    );
    let refused = Verdict::Refused(self::reply("550 5.1.1 No"));
    let verdicts = vec![(0, taken()), (1, refused)];
    dispatcher.handle(
        1,
        Event::Sent {
            connection,
            verdicts,
        },
    );
    assert!(dispatcher.is_busy());
    let wished = wishes(&mut dispatcher, 1);
    let recorded = records(&wished);
    let ends: Vec<End> = recorded[0].2.iter().map(|outcome| outcome.end).collect();
    assert_eq!(ends, [End::Taken(Receipts::Theirs), End::Failed]);
    assert_eq!(recorded[0].2[0].remote.as_deref(), Some("m2.example"));
    write_down(&mut dispatcher, 1, &wished);
    assert!(dispatcher.is_empty() && !dispatcher.is_busy());
    // The connection is kept for a moment, then closed.
    assert_eq!(wishes(&mut dispatcher, 2), []);
    assert_eq!(wishes(&mut dispatcher, 3), [Wish::Close { connection }]);
    dispatcher.handle(
        3,
        Event::Closed {
            connection,
            why: None,
        },
    );
    assert_eq!(wishes(&mut dispatcher, 3), []);
    assert!(dispatcher.destinations.is_empty() && dispatcher.keys.is_empty());
    assert_eq!(dispatcher.next_due(), None);
}

#[test]
fn one_connection_carries_many_messages_but_not_all() {
    let policy = Policy {
        messages: 3,
        connections_each: 1,
        ..direct()
    };
    let mut dispatcher = Dispatcher::new(policy, 1);
    for number in 0..5 {
        dispatcher.handle(
            0,
            entry(&queued(&format!("m{number}"), 0, &["x@b.example"])),
        );
    }
    let connection = connects(&wishes(&mut dispatcher, 0))[0];
    dispatcher.handle(0, Event::Connected { connection });
    let mut order = Vec::new();
    for _ in 0..3 {
        let wished = wishes(&mut dispatcher, 0);
        let sent = sends(&wished);
        assert_eq!((sent.len(), sent[0].0), (1, connection));
        order.push(sent[0].1.clone());
        write_down(&mut dispatcher, 0, &wished);
        dispatcher.handle(
            0,
            Event::Sent {
                connection,
                verdicts: vec![(0, taken())],
            },
        );
    }
    assert_eq!(order, ["m0", "m1", "m2"]);
    let wished = wishes(&mut dispatcher, 0);
    assert!(wished.contains(&Wish::Close { connection }), "{wished:?}");
    dispatcher.handle(
        0,
        Event::Closed {
            connection,
            why: None,
        },
    );
    assert_eq!(connects(&wishes(&mut dispatcher, 0)).len(), 1);
}

#[test]
fn a_destination_has_one_connection_until_it_stands_then_more_up_to_a_bound() {
    let policy = Policy {
        connections_each: 3,
        ..direct()
    };
    let mut dispatcher = Dispatcher::new(policy, 1);
    for number in 0..10 {
        dispatcher.handle(
            0,
            entry(&queued(&format!("m{number}"), 0, &["x@b.example"])),
        );
    }
    let first = connects(&wishes(&mut dispatcher, 0));
    assert_eq!(first.len(), 1);
    dispatcher.handle(
        0,
        Event::Connected {
            connection: first[0],
        },
    );
    let wished = wishes(&mut dispatcher, 0);
    assert_eq!((sends(&wished).len(), connects(&wished).len()), (1, 1));
    dispatcher.handle(
        0,
        Event::Connected {
            connection: connects(&wished)[0],
        },
    );
    let wished = wishes(&mut dispatcher, 0);
    assert_eq!((sends(&wished).len(), connects(&wished).len()), (1, 1));
    dispatcher.handle(
        0,
        Event::Connected {
            connection: connects(&wished)[0],
        },
    );
    let wished = wishes(&mut dispatcher, 0);
    assert_eq!((sends(&wished).len(), connects(&wished).len()), (1, 0));
}

#[test]
fn whoever_has_much_mail_leaves_room_for_others() {
    let policy = Policy {
        connections: 1,
        messages: 1000,
        ..direct()
    };
    let mut dispatcher = Dispatcher::new(policy, 1);
    for number in 0..100 {
        dispatcher.handle(
            0,
            entry(&queued(&format!("b{number}"), 0, &["x@b.example"])),
        );
    }
    let connection = connects(&wishes(&mut dispatcher, 0))[0];
    dispatcher.handle(0, entry(&queued("c", 0, &["x@c.example"])));
    dispatcher.handle(0, Event::Connected { connection });
    let mut sent = 0;
    loop {
        let wished = wishes(&mut dispatcher, 0);
        write_down(&mut dispatcher, 0, &wished);
        if wished.contains(&Wish::Close { connection }) {
            break;
        }
        sent += sends(&wished).len();
        dispatcher.handle(
            0,
            Event::Sent {
                connection,
                verdicts: vec![(0, taken())],
            },
        );
    }
    assert_eq!(sent, limits::RELAY_MESSAGES_CROWDED);
    dispatcher.handle(
        0,
        Event::Closed {
            connection,
            why: None,
        },
    );
    let wished = wishes(&mut dispatcher, 0);
    assert!(
        matches!(&wished[..], [Wish::Connect { target, .. }] if &*target.name == "192.0.2.3"),
        "{wished:?}"
    );
}

/// What happens to a message whose destination does not answer, until nothing is wished any more: when something was written down, and what.
fn unanswered(policy: Policy, message: &Queued) -> Vec<(i64, End)> {
    let mut dispatcher = Dispatcher::new(policy, 1);
    dispatcher.handle(message.arrival, entry(message));
    let mut now = message.arrival;
    let mut story = Vec::new();
    loop {
        for wish in wishes(&mut dispatcher, now) {
            match wish {
                Wish::Connect { connection, .. } => {
                    let reply = Reply::new(451, Enhanced(4, 4, 1), "nobody answers");
                    dispatcher.handle(now, Event::NotConnected { connection, reply });
                }
                Wish::Record {
                    errand, outcomes, ..
                } => {
                    story.extend(outcomes.iter().map(|outcome| (now, outcome.end)));
                    dispatcher.handle(
                        now,
                        Event::Recorded {
                            errand,
                            written: Written::Yes,
                        },
                    );
                }
                other => panic!("{other:?}"),
            }
        }
        if dispatcher.is_busy() {
            continue;
        }
        match dispatcher.next_due() {
            Some(due) => now = due,
            None => {
                assert!(dispatcher.is_empty());
                return story;
            }
        }
    }
}

#[test]
fn pauses_grow_the_sender_is_told_once_and_it_ends() {
    let policy = Policy {
        retry: 10,
        retry_max: 80,
        give_up: 400,
        warn: Some(100),
        ..direct()
    };
    let story = unanswered(policy, &queued("m", 1000, &["x@b.example"]));
    let warned: Vec<i64> = story
        .iter()
        .filter(|(_, end)| matches!(end, End::Later { warn: true, .. }))
        .map(|(now, _)| *now - 1000)
        .collect();
    assert_eq!(warned, [100]);
    assert_eq!(story.last(), Some(&(1400, End::Expired)));
    let attempts: Vec<i64> = story.iter().map(|(now, _)| now - 1000).collect();
    assert_eq!(attempts[0], 0);
    assert!((10..=11).contains(&attempts[1]), "{attempts:?}");
    assert!((30..=33).contains(&attempts[2]), "{attempts:?}");
    assert!(attempts.windows(2).all(|pair| pair[1] - pair[0] <= 88));
    assert!(story.iter().filter(|(_, end)| *end == End::Expired).count() == 1);
}

#[test]
fn mail_that_had_to_be_there_by_a_time_goes_back_or_its_sender_is_told() {
    let policy = Policy {
        retry: 10,
        retry_max: 1000,
        warn: None,
        give_up: 2000,
        ..direct()
    };
    let mut message = queued("m", 0, &["x@b.example"]);
    message.envelope.options.deliver_by = Some(DeliverBy {
        deadline: 100,
        mode: ByMode::Return,
        trace: false,
    });
    let story = unanswered(policy.clone(), &message);
    assert_eq!(story.last(), Some(&(100, End::Failed)));
    message.envelope.options.deliver_by = Some(DeliverBy {
        deadline: 100,
        mode: ByMode::Notify,
        trace: false,
    });
    let story = unanswered(policy, &message);
    let warned: Vec<i64> = story
        .iter()
        .filter(|(_, end)| matches!(end, End::Later { warn: true, .. }))
        .map(|(now, _)| *now)
        .collect();
    assert_eq!(
        (warned, story.last()),
        (vec![100], Some(&(2000, End::Expired)))
    );
}

#[test]
fn urgent_mail_goes_first_and_mail_of_the_future_waits() {
    let policy = Policy {
        connections_each: 1,
        ..direct()
    };
    let mut dispatcher = Dispatcher::new(policy, 1);
    for (id, priority, hold_until) in [
        ("slow", -3, None),
        ("plain", 0, None),
        ("urgent", 4, None),
        ("later", 9, Some(50)),
    ] {
        let mut message = queued(id, 0, &["x@b.example"]);
        message.envelope.options.priority = priority;
        message.envelope.options.hold_until = hold_until;
        dispatcher.handle(0, entry(&message));
    }
    let connection = connects(&wishes(&mut dispatcher, 0))[0];
    dispatcher.handle(0, Event::Connected { connection });
    let mut order = Vec::new();
    for _ in 0..3 {
        let wished = wishes(&mut dispatcher, 0);
        write_down(&mut dispatcher, 0, &wished);
        order.extend(sends(&wished).into_iter().map(|(_, id)| id));
        dispatcher.handle(
            0,
            Event::Sent {
                connection,
                verdicts: vec![(0, taken())],
            },
        );
    }
    assert_eq!(order, ["urgent", "plain", "slow"]);
    let wished = wishes(&mut dispatcher, 0);
    assert_eq!(sends(&wished), []);
    write_down(&mut dispatcher, 0, &wished);
    assert_eq!(wishes(&mut dispatcher, 2), [Wish::Close { connection }]);
    dispatcher.handle(
        2,
        Event::Closed {
            connection,
            why: None,
        },
    );
    assert_eq!(wishes(&mut dispatcher, 49), []);
    assert_eq!(connects(&wishes(&mut dispatcher, 50)).len(), 1);
}

#[test]
fn what_is_ours_goes_into_mailboxes_or_to_the_server_behind_us() {
    let mut dispatcher = Dispatcher::new(direct(), 1);
    let message = queued("m", 0, &["x@here", "y@here", "z@b.example"]);
    dispatcher.handle(0, entry(&message));
    let wished = wishes(&mut dispatcher, 0);
    let deliver = wished.iter().find_map(|wish| match wish {
        Wish::Deliver {
            errand, recipients, ..
        } => Some((*errand, recipients.clone())),
        _ => None,
    });
    let (errand, recipients) = deliver.unwrap();
    assert_eq!(recipients, [0, 1]);
    let full = Verdict::Later(reply("452 4.2.2 Full"));
    dispatcher.handle(
        0,
        Event::Delivered {
            errand,
            verdicts: vec![(0, Verdict::delivered()), (1, full)],
        },
    );
    let wished = wishes(&mut dispatcher, 0);
    let ends: Vec<End> = records(&wished)[0].2.iter().map(|one| one.end).collect();
    assert!(matches!(
        ends[..],
        [End::Taken(Receipts::Here), End::Later { .. }]
    ));
    let behind = Policy {
        routes: Routes::new(Vec::new(), None, Some("lmtp:/run/lmtp".parse().unwrap())),
        ..Policy::default()
    };
    let mut dispatcher = Dispatcher::new(behind, 1);
    dispatcher.handle(0, entry(&queued("m", 0, &["x@here"])));
    let wished = wishes(&mut dispatcher, 0);
    assert!(
        matches!(&wished[..], [Wish::Connect { target, dialect: Dialect::Lmtp, .. }] if target.place == Spot::Unix("/run/lmtp".into()))
    );
}
