//! The queue, and what a crash at each call leaves of it: nothing that was promised is lost, and nothing that was written down as done
//! is done again.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::crash::{Accident, CrashDisk, Kept, KeptNames, KeptText, directory, endings};
use super::super::fs::{Disk, Kernel};
use super::super::{Replies, Rules, Store, Users};
use super::*;
use crate::wire::address::Address;
use crate::wire::envelope::Recipient;

fn open(disk: Arc<dyn Disk>, root: &Path) -> Option<Store> {
    let accounts = ["alice", "bob"].map(|name| (name.to_owned(), name.to_owned()));
    let domains = ["mail.example".to_owned()];
    Store::open_on(
        disk,
        root,
        &domains,
        Users::plain(&accounts),
        Rules::default(),
    )
    .ok()
}

fn envelope(from: Option<&str>, to: &[&str]) -> Envelope {
    let address = |text: &str| Address::parse(text.as_bytes()).expect("an address");
    Envelope {
        reverse_path: from.map(address),
        recipients: to.iter().map(|to| Recipient::new(address(to))).collect(),
        ..Envelope::default()
    }
}

fn text(name: &str) -> String {
    // The first is written in two pieces.
    let lines = if name == "one" { 5000 } else { 3 };
    format!(
        "Subject: {name}\r\n\r\n{}",
        "0123456789abcde\r\n".repeat(lines)
    )
}

/// A message by its subject, and one of its recipients.
type Delivery = (String, String);

/// What was said by whom, through all lives of the program.
#[derive(Debug, Default)]
struct World {
    /// What was acknowledged.
    promised: HashSet<Delivery>,
    /// What was handed in, acknowledged or not.
    tried: HashSet<String>,
    /// How often each message arrived.
    arrived: HashMap<Delivery, usize>,
    /// What was written down as done.
    done: HashSet<Delivery>,
    /// What was done and may have been written down or not.
    doubtful: HashSet<Delivery>,
}

impl World {
    fn hand_in(&mut self, store: &Store, name: &str, envelope: &Envelope) {
        self.tried.insert(name.to_owned());
        let text = text(name);
        let Ok(mut spool) = store.draft(envelope, Replies::One) else {
            return;
        };
        if text
            .as_bytes()
            .chunks(50_000)
            .any(|part| spool.append(part).is_err())
        {
            return;
        }
        let outcomes = store.accept(spool, envelope.clone(), name);
        for (recipient, outcome) in envelope.recipients.iter().zip(outcomes) {
            if outcome.is_ok() {
                self.promised
                    .insert((name.to_owned(), recipient.address.to_string()));
            }
        }
    }

    /// Carries a message to one of its recipients, and writes that down.
    fn carry(&mut self, store: &Store, id: &QueueId, index: usize) {
        let Ok(queued) = store.queue().load(id) else {
            return;
        };
        if !queued.recipients[index].is_open() {
            return;
        }
        let address = &queued.envelope.recipients[index].address;
        let name = id.as_str().split("-2").next().unwrap_or("");
        let report = id.as_str().contains("-2");
        let name = if report { "report" } else { name }.to_owned();
        let delivery = (name.clone(), address.to_string());
        if store.is_here(address) {
            if !matches!(store.deliver_queued(id, &[index]).pop(), Some(Ok(_))) {
                return;
            }
        } else {
            let Ok(extent) = store.queue().text(id) else {
                return;
            };
            let read = extent.read().expect("text");
            assert!(
                read == text(&name).as_bytes() || report,
                "half a message, or a preface"
            );
            *self.arrived.entry(delivery.clone()).or_default() += 1;
        }
        let reply = "250 2.0.0 ok".to_owned();
        match store
            .queue()
            .record(id, &[Change::Delivered { index, reply }])
        {
            Ok(_) => self.done.insert(delivery),
            Err(_) => self.doubtful.insert(delivery),
        };
    }

    /// A day in the life of a relay; it goes on as long as it can.
    fn play(&mut self, store: &Store) {
        let queue = store.queue();
        let id = |name: &str| name.parse::<QueueId>().expect("a name");
        let several = envelope(
            Some("bob@mail.example"),
            &[
                "x@one.example",
                "alice@mail.example",
                "y@two.example",
                "z@three.example",
            ],
        );
        self.hand_in(store, "one", &several);
        let one = id("one");
        let reply = "451 4.3.0 later".to_owned();
        let _ = queue.record(
            &one,
            &[Change::Deferred {
                index: 2,
                next: 5,
                reply,
            }],
        );
        self.carry(store, &one, 1);
        self.hand_in(store, "two", &envelope(None, &["x@one.example"]));
        let _ = queue.record(&id("two"), &[Change::Hold]);
        self.carry(store, &one, 0);
        // Refused for good: the sender is told.
        let failed = Change::Failed {
            index: 3,
            reply: "550 5.1.1 nobody".to_owned(),
        };
        let report = (
            envelope(None, &["bob@mail.example"]),
            text("report").into_bytes(),
        );
        let refused = ("one".to_owned(), "z@three.example".to_owned());
        match queue.conclude(&one, &[failed], vec![report]) {
            Ok(_) => {
                self.promised
                    .insert(("report".to_owned(), "bob@mail.example".to_owned()));
                self.done.insert(refused);
            }
            Err(_) => {
                self.doubtful.insert(refused);
            }
        }
        self.tried.insert("report".to_owned());
        let _ = queue.record(&id("two"), &[Change::Release]);
        self.carry(store, &id("two"), 0);
        self.carry(store, &one, 2);
        self.hand_in(
            store,
            "here",
            &envelope(None, &["alice@mail.example", "bob@mail.example"]),
        );
        self.hand_in(
            store,
            "three",
            &envelope(None, &["x@one.example", "bob@mail.example"]),
        );
    }

    /// The next life: everything that is left is carried, and all that was promised is there.
    fn finish(&mut self, root: &Path) {
        let store = open(Arc::new(Kernel), root).expect("a store");
        for queued in store.queue().entries() {
            for index in 0..queued.recipients.len() {
                self.carry(&store, &queued.id, index);
            }
        }
        assert!(store.queue().entries().is_empty());
        let left: Vec<_> = ["queue", "queue/tmp"]
            .iter()
            .flat_map(|folder| Kernel.list(&root.join(folder)).expect("a folder"))
            .filter(|name| name != "tmp")
            .collect();
        assert!(left.is_empty(), "left in the queue: {left:?}");
        for name in ["alice", "bob"] {
            let account = store.users().find(name, None).expect("an account");
            let inbox = store.mailbox(&account, "INBOX").expect("open");
            let index = inbox.sync().expect("a look");
            let mut subjects = HashSet::new();
            for entry in &index.messages {
                let read = inbox.read(entry.uid).expect("text");
                let read = String::from_utf8(read).expect("UTF-8");
                assert!(read.starts_with("Return-Path: <"), "{}", &read[..40]);
                let (_, body) = read.split_once("Subject: ").expect("a subject");
                let subject = body.lines().next().expect("a line").to_owned();
                assert!(text(&subject).ends_with(body), "half a message");
                let to = format!("{name}@mail.example");
                *self.arrived.entry((subject.clone(), to)).or_default() += 1;
                // A report may come twice, when a crash came between it and its recipient.
                assert!(
                    subjects.insert(subject.clone()) || subject == "report",
                    "{subject} twice"
                );
            }
        }
        for promised in &self.promised {
            let refused = ("one".to_owned(), "z@three.example".to_owned());
            let arrived = self.arrived.get(promised).copied().unwrap_or(0);
            let report = ("report".to_owned(), "bob@mail.example".to_owned());
            if *promised == refused && arrived == 0 {
                // It was struck off: then its sender knows.
                assert!(
                    self.arrived.contains_key(&report),
                    "neither sent nor reported"
                );
                continue;
            }
            assert!(arrived >= 1, "{promised:?} is lost");
            if self.done.contains(promised) && !self.doubtful.contains(promised) {
                assert_eq!(arrived, 1, "{promised:?} was done, and done again");
            }
        }
        for (delivery, times) in &self.arrived {
            assert!(
                *times <= 2 && self.tried.contains(&delivery.0),
                "{delivery:?}: {times}"
            );
        }
    }
}

fn calls_of_a_day() -> usize {
    let root = directory();
    let disk = CrashDisk::new(root.path(), Accident::None);
    let store = open(Arc::clone(&disk) as Arc<dyn Disk>, root.path()).expect("a store");
    let mut world = World::default();
    world.play(&store);
    assert_eq!(world.promised.len(), 10, "{:?}", world.promised);
    assert_eq!(world.doubtful.len(), 0);
    drop(store);
    world.finish(root.path());
    assert!(
        world.arrived.values().all(|&times| times == 1),
        "{:?}",
        world.arrived
    );
    let calls = disk.calls() + 5;
    assert!(calls > 80, "{calls}");
    calls
}

fn at_each_call(day: impl Fn(usize) + Sync) {
    let (calls, next) = (calls_of_a_day(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let call = next.fetch_add(1, Ordering::Relaxed);
                    if call >= calls {
                        break;
                    }
                    let checked = catch_unwind(AssertUnwindSafe(|| day(call)));
                    assert!(checked.is_ok(), "after an accident at call {call}");
                }
            });
        }
    });
}

#[test]
fn what_is_queued_survives_a_power_loss_at_each_call() {
    at_each_call(|call| {
        for kept in endings(call) {
            let root = directory();
            let disk = CrashDisk::new(root.path(), Accident::PowerLoss(call));
            let mut world = World::default();
            if let Some(store) = open(Arc::clone(&disk) as Arc<dyn Disk>, root.path()) {
                world.play(&store);
            }
            let found = directory();
            disk.wake_up(found.path(), kept);
            let checked = catch_unwind(AssertUnwindSafe(|| world.finish(found.path())));
            assert!(checked.is_ok(), "{kept:?} kept");
        }
    });
}

#[test]
fn what_is_queued_survives_a_kill_at_each_call_and_then_a_power_loss() {
    at_each_call(|call| {
        let root = directory();
        let disk = CrashDisk::new(root.path(), Accident::Kill(call));
        let mut world = World::default();
        if let Some(store) = open(Arc::clone(&disk) as Arc<dyn Disk>, root.path()) {
            world.play(&store);
        }
        disk.restart();
        drop(open(Arc::clone(&disk) as Arc<dyn Disk>, root.path()).expect("a store"));
        let found = directory();
        let (names, text) = (KeptNames::None, KeptText::None);
        disk.wake_up(found.path(), Kept { names, text });
        world.finish(found.path());
    });
}

#[test]
fn a_full_disk_at_each_call_loses_nothing_and_leaves_nothing() {
    an_error_at_each_call(Accident::NoRoom);
}

#[test]
fn a_disk_that_is_read_only_at_each_call_loses_nothing_and_leaves_nothing() {
    an_error_at_each_call(Accident::ReadOnly);
}

fn an_error_at_each_call(accident: fn(usize) -> Accident) {
    at_each_call(|call| {
        let root = directory();
        let disk = CrashDisk::new(root.path(), accident(call));
        let mut world = World::default();
        let Some(store) = open(Arc::clone(&disk) as Arc<dyn Disk>, root.path()) else {
            return;
        };
        world.play(&store);
        // What could not be written down is, when it is asked for again; nothing that was done is doubtful then.
        for queued in store.queue().entries() {
            store.queue().record(&queued.id, &[]).expect("room again");
        }
        world.done.extend(world.doubtful.drain());
        drop(store);
        world.finish(root.path());
    });
}

#[test]
fn without_links_and_across_disks_it_is_copied() {
    let root = directory();
    let disk = CrashDisk::new(root.path(), Accident::NoLinks);
    let store = open(disk, root.path()).expect("a store");
    let mut world = World::default();
    world.play(&store);
    assert_eq!(world.promised.len(), 10);
    drop(store);
    world.finish(root.path());
    assert!(world.arrived.values().all(|&times| times == 1));
}

#[test]
fn a_report_that_is_concluded_again_after_an_error_comes_once() {
    let mut refused = 0;
    for call in 0.. {
        let root = directory();
        let disk = CrashDisk::new(root.path(), Accident::NoRoom(call));
        let Some(store) = open(Arc::clone(&disk) as Arc<dyn Disk>, root.path()) else {
            continue;
        };
        let mut world = World::default();
        let to = ["x@one.example", "y@two.example"];
        world.hand_in(&store, "one", &envelope(Some("z@one.example"), &to));
        if world.promised.is_empty() {
            continue;
        }
        let before = disk.calls();
        let id = store.queue().entries()[0].id.clone();
        let conclude = || {
            let reply = "550 5.1.1 nobody".to_owned();
            let report = |to| (envelope(None, &[to]), text("report").into_bytes());
            let reports = vec![report("z@one.example"), report("w@one.example")];
            store
                .queue()
                .conclude(&id, &[Change::Failed { index: 0, reply }], reports)
        };
        if conclude().is_err() {
            refused += 1;
            conclude().expect("room again");
        }
        let names: Vec<String> = store
            .queue()
            .entries()
            .iter()
            .map(|one| one.id.to_string())
            .collect();
        assert_eq!(names.len(), 3, "after an error at call {call}: {names:?}");
        drop(store);
        let store = open(Arc::new(Kernel), root.path()).expect("a store");
        assert_eq!(store.queue().entries().len(), 3);
        let one = store.queue().load(&id).expect("it has another recipient");
        assert_eq!(one.recipients[0].state, State::Failed);
        if call > before + 60 {
            break;
        }
    }
    assert!(refused > 10, "{refused}");
}
