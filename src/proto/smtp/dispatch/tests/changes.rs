//! What people do to the queue, connections that are lost, and what is written down.

use super::*;

#[test]
fn held_mail_waits_released_mail_goes_and_dropped_mail_is_forgotten() {
    let mut dispatcher = Dispatcher::new(direct(), 1);
    let mut message = queued("m", 0, &["x@b.example"]);
    message.held = true;
    dispatcher.handle(0, entry(&message));
    assert_eq!(wishes(&mut dispatcher, 10_000), []);
    message.held = false;
    dispatcher.handle(10_000, entry(&message));
    let connection = connects(&wishes(&mut dispatcher, 10_000))[0];
    // Held again while a connection is being made for it.
    message.held = true;
    dispatcher.handle(10_000, entry(&message));
    dispatcher.handle(10_000, Event::Connected { connection });
    assert_eq!(wishes(&mut dispatcher, 10_000), []);
    message.held = false;
    dispatcher.handle(10_000, entry(&message));
    assert_eq!(sends(&wishes(&mut dispatcher, 10_000)).len(), 1);
    // Dropped while it flies: what becomes of it is nobody's business any more.
    dispatcher.handle(10_000, Event::Gone(message.id.clone()));
    assert_eq!(dispatcher.len(), 1);
    dispatcher.handle(
        10_000,
        Event::Sent {
            connection,
            verdicts: vec![(0, taken())],
        },
    );
    assert!(dispatcher.is_empty());
    assert_eq!(records(&wishes(&mut dispatcher, 10_000)), []);
    // Dropped while it waits.
    dispatcher.handle(10_000, entry(&queued("n", 20_000, &["x@b.example"])));
    dispatcher.handle(10_000, Event::Gone("n".parse().unwrap()));
    assert!(dispatcher.is_empty());
}

#[test]
fn a_flush_tries_at_once_what_waits_whatever_happened_there() {
    for which in [
        Which::All,
        Which::Message("m".parse().unwrap()),
        Which::Domain("B.Example".to_owned()),
    ] {
        let mut dispatcher = Dispatcher::new(Policy::default(), 1);
        dispatcher.handle(0, entry(&queued("m", 0, &["x@b.example"])));
        let wished = wishes(&mut dispatcher, 0);
        let [Wish::Resolve(question)] = &wished[..] else {
            panic!("{wished:?}")
        };
        let found = Found::Trouble("time-out".to_owned());
        dispatcher.handle(
            0,
            Event::Found {
                question: question.clone(),
                found,
            },
        );
        let wished = wishes(&mut dispatcher, 0);
        write_down(&mut dispatcher, 0, &wished);
        assert_eq!(wishes(&mut dispatcher, 1), []);
        dispatcher.handle(1, Event::Flush(which));
        assert_eq!(
            wishes(&mut dispatcher, 1),
            [Wish::Resolve(question.clone())]
        );
    }
}

#[test]
fn a_server_that_hangs_up_after_each_message_gets_each_over_a_connection_of_its_own() {
    let policy = Policy {
        connections_each: 1,
        ..direct()
    };
    let mut dispatcher = Dispatcher::new(policy, 1);
    for name in ["m1", "m2", "m3"] {
        dispatcher.handle(0, entry(&queued(name, 0, &["x@b.example"])));
    }
    let (mut opened, mut sent, mut over) = (0, Vec::new(), Vec::new());
    let mut outcomes = Vec::new();
    for _ in 0..40 {
        for wish in wishes(&mut dispatcher, 0) {
            match wish {
                Wish::Resolve(question) => {
                    let found = Found::Addresses(vec![[192, 0, 2, 1].into()]);
                    dispatcher.handle(0, Event::Found { question, found });
                }
                Wish::Connect { connection, .. } => {
                    opened += 1;
                    dispatcher.handle(0, Event::Connected { connection });
                }
                Wish::Send { connection, .. } if over.contains(&connection) => {
                    let why = Some("closed".to_owned());
                    dispatcher.handle(0, Event::Closed { connection, why });
                }
                Wish::Send { connection, id, .. } => {
                    sent.push(id);
                    over.push(connection);
                    let verdicts = vec![(0, taken())];
                    dispatcher.handle(
                        0,
                        Event::Sent {
                            connection,
                            verdicts,
                        },
                    );
                }
                Wish::Record {
                    errand,
                    outcomes: more,
                    ..
                } => {
                    outcomes.extend(more);
                    let written = Written::Yes;
                    dispatcher.handle(0, Event::Recorded { errand, written });
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!((opened, sent.len()), (3, 3));
    assert!(
        outcomes.len() == 3 && outcomes.iter().all(|one| matches!(one.end, End::Taken(_))),
        "{outcomes:?}"
    );
}

#[test]
fn a_lost_connection_is_followed_by_the_next_address_and_then_by_a_pause() {
    let mut dispatcher = Dispatcher::new(Policy::default(), 1);
    dispatcher.handle(0, entry(&queued("m", 0, &["x@b.example"])));
    let mut answers: HashMap<Question, Found> = HashMap::new();
    answers.insert(Question::Exchangers("b.example".into()), Found::Nothing);
    let two = vec![[192, 0, 2, 1].into(), [192, 0, 2, 2].into()];
    answers.insert(
        Question::Addresses("b.example".into()),
        Found::Addresses(two),
    );
    let mut places = Vec::new();
    let mut outcomes = Vec::new();
    for _ in 0..20 {
        for wish in wishes(&mut dispatcher, 0) {
            match wish {
                Wish::Resolve(question) => {
                    let found = answers[&question].clone();
                    dispatcher.handle(0, Event::Found { question, found });
                }
                Wish::Connect {
                    connection, target, ..
                } => {
                    places.push(target.place);
                    dispatcher.handle(0, Event::Connected { connection });
                }
                Wish::Send { connection, .. } => {
                    let why = Some("reset".to_owned());
                    dispatcher.handle(0, Event::Closed { connection, why });
                }
                Wish::Record {
                    errand,
                    outcomes: more,
                    ..
                } => {
                    outcomes.extend(more);
                    dispatcher.handle(
                        0,
                        Event::Recorded {
                            errand,
                            written: Written::Yes,
                        },
                    );
                }
                other => panic!("{other:?}"),
            }
        }
    }
    let at = |last| Spot::Tcp(([192, 0, 2, last], 25).into());
    assert_eq!(places, [at(1), at(2)]);
    assert_eq!(outcomes.len(), 1);
    assert!(matches!(outcomes[0].end, End::Later { .. }));
    assert!(
        outcomes[0].reply.to_string().contains("reset"),
        "{}",
        outcomes[0].reply
    );
}

#[test]
fn recipients_that_were_too_many_are_tried_again_at_once() {
    let mut dispatcher = Dispatcher::new(direct(), 1);
    dispatcher.handle(0, entry(&queued("m", 0, &["x@b.example", "y@b.example"])));
    let connection = connects(&wishes(&mut dispatcher, 0))[0];
    dispatcher.handle(0, Event::Connected { connection });
    wishes(&mut dispatcher, 0);
    let many = Verdict::Again(reply("452 4.5.3 Too many"));
    dispatcher.handle(
        0,
        Event::Sent {
            connection,
            verdicts: vec![(0, taken()), (1, many.clone())],
        },
    );
    let wished = wishes(&mut dispatcher, 0);
    write_down(&mut dispatcher, 0, &wished);
    assert!(
        wished
            .iter()
            .any(|wish| matches!(wish, Wish::Send { recipients, .. } if recipients == &[1])),
        "{wished:?}"
    );
    // Nobody was taken: then it is an answer like any other.
    dispatcher.handle(
        0,
        Event::Sent {
            connection,
            verdicts: vec![(1, many)],
        },
    );
    let wished = wishes(&mut dispatcher, 0);
    assert!(matches!(records(&wished)[0].2[0].end, End::Later { .. }));
}

#[test]
fn more_recipients_than_a_server_must_take_go_in_parts() {
    let names: Vec<String> = (0..250)
        .map(|number| format!("u{number}@b.example"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut dispatcher = Dispatcher::new(direct(), 1);
    dispatcher.handle(0, entry(&queued("m", 0, &names)));
    let sizes: Vec<usize> = {
        let mut sizes: Vec<usize> = dispatcher
            .errands
            .values()
            .map(|one| one.recipients.len())
            .collect();
        sizes.sort_unstable();
        sizes
    };
    assert_eq!(sizes, [50, 100, 100]);
}

#[test]
fn what_the_disk_refuses_is_written_down_later_and_nothing_is_sent_again() {
    let mut dispatcher = Dispatcher::new(direct(), 1);
    dispatcher.handle(0, entry(&queued("m", 0, &["x@b.example"])));
    let connection = connects(&wishes(&mut dispatcher, 0))[0];
    dispatcher.handle(0, Event::Connected { connection });
    wishes(&mut dispatcher, 0);
    dispatcher.handle(
        0,
        Event::Sent {
            connection,
            verdicts: vec![(0, taken())],
        },
    );
    let errand = records(&wishes(&mut dispatcher, 0))[0].0;
    dispatcher.handle(
        0,
        Event::Recorded {
            errand,
            written: Written::No,
        },
    );
    dispatcher.handle(0, Event::Flush(Which::All));
    assert_eq!(records(&wishes(&mut dispatcher, 1)), []);
    let wished = wishes(&mut dispatcher, RECORD_PAUSE);
    assert_eq!((records(&wished).len(), sends(&wished).len()), (1, 0));
    write_down(&mut dispatcher, RECORD_PAUSE, &wished);
    assert!(dispatcher.is_empty());
}

#[test]
fn a_way_that_leads_to_ourselves_is_a_loop() {
    let policy = Policy {
        own: vec!["192.0.2.2:25".parse().unwrap()],
        ..direct()
    };
    let mut dispatcher = Dispatcher::new(policy, 1);
    dispatcher.handle(0, entry(&queued("m", 0, &["x@b.example"])));
    let wished = wishes(&mut dispatcher, 0);
    let outcome = &records(&wished)[0].2[0];
    assert_eq!(
        (outcome.end, outcome.reply.enhanced),
        (End::Failed, Some(Enhanced(5, 4, 6)))
    );
}

#[test]
fn a_long_queue_is_small_and_quick() {
    let mut dispatcher = Dispatcher::new(direct(), 1);
    let message = queued("m", 0, &["x@b.example"]);
    for number in 0..100_000 {
        let mut message = message.clone();
        message.id = format!("m{number}").parse().unwrap();
        dispatcher.handle(0, entry(&message));
    }
    assert!(
        size_of::<Errand>() + size_of::<Message>() < 300,
        "{} {}",
        size_of::<Errand>(),
        size_of::<Message>()
    );
    // Nobody answers there: all of them have their pause, and what is written down at once is bounded.
    let connection = connects(&wishes(&mut dispatcher, 0))[0];
    let reply = Reply::new(451, Enhanced(4, 4, 1), "nobody answers");
    dispatcher.handle(0, Event::NotConnected { connection, reply });
    let mut written = 0;
    loop {
        let wished = wishes(&mut dispatcher, 0);
        let records = records(&wished).len();
        assert!(records <= limits::RELAY_RECORDS);
        if records == 0 {
            break;
        }
        written += records;
        write_down(&mut dispatcher, 0, &wished);
    }
    assert_eq!((written, dispatcher.len()), (100_000, 100_000));
}

#[test]
fn who_is_told_of_what_and_what_is_written_down() {
    let on = |success, failure, delay| Notify::On {
        success,
        failure,
        delay,
    };
    let mut message = queued(
        "m",
        0,
        &[
            "a@b.example",
            "b@b.example",
            "c@b.example",
            "d@b.example",
            "e@b.example",
            "f@b.example",
        ],
    );
    let notify = [
        on(true, false, false),
        on(true, true, true),
        Notify::Unsaid,
        Notify::Never,
        Notify::Unsaid,
        on(true, false, false),
    ];
    for (recipient, notify) in message.envelope.recipients.iter_mut().zip(notify) {
        recipient.notify = notify;
    }
    let outcome = |index, end, text: &str| Outcome {
        index,
        end,
        reply: reply(text),
        remote: Some("mx.b.example".into()),
    };
    let later = End::Later {
        next: 500,
        warn: true,
    };
    let outcomes = [
        outcome(0, End::Taken(Receipts::Ours), "250 Ok"),
        outcome(1, later, "451 4.3.0 Busy"),
        outcome(2, End::Expired, "451 4.3.0 Busy"),
        outcome(3, End::Failed, "550 5.1.1 No"),
        outcome(4, End::Failed, "550 5.1.1 No"),
        outcome(5, End::Taken(Receipts::Theirs), "250 2.0.0 Ok"),
    ];
    let (changes, reports) = conclude(&message, &outcomes, 100, 1000);
    let said = |text: &str| format!("mx.b.example: {text}");
    assert_eq!(
        changes,
        [
            Change::Delivered {
                index: 0,
                reply: said("250 Ok")
            },
            Change::Deferred {
                index: 1,
                next: 500,
                reply: said("451 4.3.0 Busy")
            },
            Change::DelayReported { index: 1 },
            Change::Failed {
                index: 2,
                reply: said("451 4.3.0 Busy")
            },
            Change::Failed {
                index: 3,
                reply: said("550 5.1.1 No")
            },
            Change::Failed {
                index: 4,
                reply: said("550 5.1.1 No")
            },
            Change::Delivered {
                index: 5,
                reply: said("250 2.0.0 Ok")
            },
        ]
    );
    let told: Vec<Vec<(String, Action, String)>> = reports
        .iter()
        .map(|fates| {
            fates
                .iter()
                .map(|fate| {
                    (
                        fate.recipient.address.to_string(),
                        fate.action,
                        fate.status.to_string(),
                    )
                })
                .collect()
        })
        .collect();
    let fate =
        |name: &str, action, status: &str| (format!("{name}@b.example"), action, status.to_owned());
    assert_eq!(
        told,
        [
            vec![
                fate("c", Action::Failed, "4.4.7"),
                fate("e", Action::Failed, "5.1.1")
            ],
            vec![fate("b", Action::Delayed, "4.3.0")],
            vec![fate("a", Action::Relayed, "2.0.0")],
        ]
    );
}

#[test]
fn who_named_a_time_is_told_where_nobody_watches_over_it_any_more() {
    let mut message = queued("m", 0, &["a@b.example", "b@b.example"]);
    message.envelope.recipients[1].notify = Notify::Never;
    let told = |message: &Queued, receipts| -> Vec<(String, Action)> {
        let outcome = |index| Outcome {
            index,
            end: End::Taken(receipts),
            reply: reply("250 Ok"),
            remote: Some("mx.b.example".into()),
        };
        let (_, reports) = conclude(message, &[outcome(0), outcome(1)], 100, 1000);
        let fates = reports.iter().flatten();
        fates
            .map(|fate| (fate.recipient.address.to_string(), fate.action))
            .collect()
    };
    let by = |trace| DeliverBy {
        deadline: 1000,
        mode: ByMode::Notify,
        trace,
    };
    let relayed = [("a@b.example".to_owned(), Action::Relayed)];
    for receipts in [Receipts::Theirs, Receipts::Untimed, Receipts::Ours] {
        message.envelope.options.deliver_by = None;
        assert!(told(&message, receipts).is_empty(), "nobody asked");
        message.envelope.options.deliver_by = Some(by(false));
        let is_told = receipts != Receipts::Theirs;
        assert_eq!(!told(&message, receipts).is_empty(), is_told);
        message.envelope.options.deliver_by = Some(by(true));
        assert_eq!(told(&message, receipts), relayed);
    }
}

#[test]
fn no_flush_lets_mail_of_the_future_go() {
    let mut dispatcher = Dispatcher::new(direct(), 1);
    let mut message = queued("m", 0, &["x@b.example"]);
    message.envelope.options.hold_until = Some(500);
    dispatcher.handle(0, entry(&message));
    let id: QueueId = "m".parse().unwrap();
    for which in [Which::All, Which::Message(id)] {
        dispatcher.handle(10, Event::Flush(which));
        assert!(wishes(&mut dispatcher, 10).is_empty());
    }
    // Nor does whoever holds it and lets it go again.
    message.held = true;
    dispatcher.handle(20, entry(&message));
    message.held = false;
    dispatcher.handle(30, entry(&message));
    assert!(wishes(&mut dispatcher, 499).is_empty());
    assert_eq!(dispatcher.next_due(), Some(500));
    assert!(!wishes(&mut dispatcher, 500).is_empty());
}

#[test]
fn a_flush_is_heard_while_an_outcome_is_written_down() {
    let mut dispatcher = Dispatcher::new(direct(), 1);
    dispatcher.handle(0, entry(&queued("m", 0, &["x@b.example"])));
    let connection = connects(&wishes(&mut dispatcher, 0))[0];
    dispatcher.handle(0, Event::Connected { connection });
    wishes(&mut dispatcher, 0);
    let later = Verdict::Later(reply("451 4.3.0 Busy"));
    let verdicts = vec![(0, later)];
    let sent = Event::Sent {
        connection,
        verdicts,
    };
    dispatcher.handle(0, sent);
    let wished = wishes(&mut dispatcher, 0);
    dispatcher.handle(0, Event::Flush(Which::All));
    write_down(&mut dispatcher, 0, &wished);
    assert_eq!(sends(&wishes(&mut dispatcher, 0)).len(), 1);
}

/// A dispatcher with two servers for b.example, and what it wishes once the first one stands.
fn with_two_servers(messages: &[Queued]) -> (Dispatcher, Vec<Wish>) {
    let mut dispatcher = Dispatcher::new(Policy::default(), 1);
    for message in messages {
        dispatcher.handle(0, entry(message));
    }
    loop {
        let wished = wishes(&mut dispatcher, 0);
        if let Some(&connection) = connects(&wished).first() {
            dispatcher.handle(0, Event::Connected { connection });
            let wished = wishes(&mut dispatcher, 0);
            return (dispatcher, wished);
        }
        assert!(!wished.is_empty(), "it asks, or connects");
        for wish in wished {
            let Wish::Resolve(question) = wish else {
                panic!("{wish:?}");
            };
            let found = match &question {
                Question::Exchangers(_) => {
                    Found::Exchangers(vec![(1, "m1".to_owned()), (2, "m2".to_owned())])
                }
                Question::Addresses(name) if &**name == "m1" => {
                    Found::Addresses(vec![[192, 0, 2, 1].into(), [192, 0, 2, 11].into()])
                }
                Question::Addresses(_) => Found::Addresses(vec![[192, 0, 2, 2].into()]),
            };
            dispatcher.handle(0, Event::Found { question, found });
        }
    }
}

fn not_here() -> Verdict {
    Verdict::NotHere(reply("451 4.7.1 Greylisted"))
}

#[test]
fn whom_the_first_server_turns_away_the_second_is_asked_for() {
    let (mut dispatcher, wished) = with_two_servers(&[queued(
        "m",
        0,
        &["x@b.example", "y@b.example", "z@b.example"],
    )]);
    let (connection, _) = sends(&wished)[0].clone();
    let verdicts = vec![
        (0, taken()),
        (1, not_here()),
        (2, Verdict::Refused(reply("550 5.1.1 No"))),
    ];
    dispatcher.handle(
        0,
        Event::Sent {
            connection,
            verdicts,
        },
    );
    let wished = wishes(&mut dispatcher, 0);
    let ends = |wished: &[Wish]| -> Vec<(usize, String, Option<String>)> {
        let outcomes = records(wished)
            .into_iter()
            .flat_map(|(_, _, outcomes)| outcomes);
        let shown = |one: Outcome| {
            let remote = one.remote.map(|remote| remote.to_string());
            (one.index, one.reply.to_string(), remote)
        };
        outcomes.map(shown).collect()
    };
    let said = |index, said: &str, by: &str| (index, said.to_owned(), Some(by.to_owned()));
    assert_eq!(
        ends(&wished),
        [said(0, "250 2.0.0 Ok", "m1"), said(2, "550 5.1.1 No", "m1")]
    );
    // Not the other address of the same server.
    let targets: Vec<_> = wished
        .iter()
        .filter_map(|wish| match wish {
            Wish::Connect { target, .. } => Some(target.name.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(targets, ["m2"]);
    let told = wished.iter().find_map(|wish| match wish {
        Wish::AskedNext {
            recipients,
            reply,
            remote,
            next,
            ..
        } => Some((recipients.clone(), reply.to_string(), remote.clone(), next)),
        _ => None,
    });
    let (recipients, said_first, remote, next) = told.expect("it is told");
    assert_eq!(
        (recipients, said_first.as_str()),
        (vec![1], "451 4.7.1 Greylisted")
    );
    assert_eq!((remote.as_deref(), &*next.name), (Some("m1"), "m2"));
    write_down(&mut dispatcher, 0, &wished);
    let second = connects(&wished)[0];
    dispatcher.handle(0, Event::Connected { connection: second });
    let wished = wishes(&mut dispatcher, 0);
    assert_eq!(sends(&wished), [(second, "m".to_owned())]);
    let verdicts = vec![(1, not_here())];
    dispatcher.handle(
        0,
        Event::Sent {
            connection: second,
            verdicts,
        },
    );
    // Two servers are enough for once; the next attempt begins with the first one again.
    let wished = wishes(&mut dispatcher, 0);
    assert_eq!(ends(&wished), [said(1, "451 4.7.1 Greylisted", "m2")]);
    let End::Later { next, .. } = records(&wished)[0].2[0].end else {
        panic!("{wished:?}");
    };
    write_down(&mut dispatcher, 0, &wished);
    for connection in [connection, second] {
        dispatcher.handle(
            next,
            Event::Closed {
                connection,
                why: None,
            },
        );
    }
    let wished = wishes(&mut dispatcher, next);
    assert!(
        wished.iter().any(|wish| matches!(wish, Wish::Resolve(_))
            || matches!(wish, Wish::Connect { target, .. } if &*target.name == "m1")),
        "{wished:?}"
    );
}

#[test]
fn a_second_server_that_is_not_there_keeps_nobody_from_the_first() {
    let (mut dispatcher, wished) = with_two_servers(&[queued("m", 0, &["x@b.example"])]);
    let (first, _) = sends(&wished)[0].clone();
    let sent = |connection, verdict| Event::Sent {
        connection,
        verdicts: vec![(0, verdict)],
    };
    dispatcher.handle(0, sent(first, not_here()));
    let wished = wishes(&mut dispatcher, 0);
    assert!(records(&wished).is_empty(), "the next is asked first");
    let second = connects(&wished)[0];
    // Another message goes over the connection that stands, while the second server is dialled.
    dispatcher.handle(0, entry(&queued("n", 0, &["x@b.example"])));
    assert_eq!(
        sends(&wishes(&mut dispatcher, 0)),
        [(first, "n".to_owned())]
    );
    let reply_of_nobody = Reply::new(451, Enhanced(4, 4, 1), "nobody answers");
    dispatcher.handle(
        0,
        Event::NotConnected {
            connection: second,
            reply: reply_of_nobody,
        },
    );
    let wished = wishes(&mut dispatcher, 0);
    let recorded = records(&wished);
    assert_eq!(recorded.len(), 1, "{wished:?}");
    assert_eq!(recorded[0].1, "m");
    assert_eq!(recorded[0].2[0].reply, reply("451 4.7.1 Greylisted"));
    assert_eq!(recorded[0].2[0].remote.as_deref(), Some("m1"));
    write_down(&mut dispatcher, 0, &wished);
    dispatcher.handle(0, sent(first, taken()));
    let wished = wishes(&mut dispatcher, 0);
    write_down(&mut dispatcher, 0, &wished);
    // The destination is tried for others at once.
    dispatcher.handle(0, entry(&queued("o", 0, &["x@b.example"])));
    assert_eq!(
        sends(&wishes(&mut dispatcher, 0)),
        [(first, "o".to_owned())]
    );
}
