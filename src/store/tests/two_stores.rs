//! Two stores on the same files, as two programs have them (we and Dovecot): each sees the other only on the disk.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::*;

/// A mailbox that is looked at again and again: whether what comes keeps the promises about UIDs.
struct Watcher {
    seen: BTreeSet<u32>,
    uid_next: u32,
}

impl Watcher {
    /// RFC 3501 §2.3.1.1: UIDs ascend as messages are added, and a new one is never below a UIDNEXT that was told.
    fn look(&mut self, mailbox: &Mailbox) {
        let index = mailbox.sync().expect("a look");
        for uid in uids(&index) {
            assert!(
                self.seen.contains(&uid) || uid >= self.uid_next,
                "message {uid} comes late: the next UID was {}",
                self.uid_next
            );
            self.seen.insert(uid);
        }
        assert!(index.uid_next >= self.uid_next);
        self.uid_next = index.uid_next;
    }
}

#[test]
fn messages_of_another_server_never_come_late() {
    let place = place();
    let other = place.reopened();
    let over = AtomicBool::new(false);
    let mailboxes =
        [&place.store, &other].map(|store| store.mailbox(&place.alice, "INBOX").expect("INBOX"));
    thread::scope(|scope| {
        for mailbox in &mailboxes {
            scope.spawn(|| {
                let mut watcher = Watcher {
                    seen: BTreeSet::new(),
                    uid_next: 1,
                };
                while !over.load(Ordering::Relaxed) {
                    watcher.look(mailbox);
                }
                watcher.look(mailbox);
                assert_eq!(watcher.seen.len(), 4 * MESSAGES);
            });
        }
        let senders: Vec<_> = [(&place.store, &mailboxes[0]), (&other, &mailboxes[1])]
            .into_iter()
            .flat_map(|(store, mailbox)| {
                let alice = std::slice::from_ref(&place.alice);
                let deliverer = scope.spawn(move || {
                    for _ in 0..MESSAGES {
                        deliver(store, alice, "delivered\r\n");
                    }
                });
                let appender = scope.spawn(move || {
                    for _ in 0..MESSAGES {
                        let mut spool = mailbox.spool().expect("a spool");
                        spool.append(b"appended\r\n").expect("room");
                        mailbox
                            .append(spool, Flags::default(), None)
                            .expect("appended");
                    }
                });
                [deliverer, appender]
            })
            .collect();
        for sender in senders {
            sender.join().expect("no panic");
        }
        over.store(true, Ordering::Relaxed);
    });
}

/// Each of four threads puts so many in.
const MESSAGES: usize = 50;

#[test]
fn subscriptions_made_at_the_same_time_are_all_kept() {
    let place = place();
    thread::scope(|scope| {
        for thread in 0..8 {
            let (store, alice) = (&place.store, &place.alice);
            scope.spawn(move || {
                for number in 0..25 {
                    let name = format!("box-{thread}-{number}");
                    store.subscribe(alice, &name).expect("subscribed");
                }
            });
        }
    });
    let subscribed = place.store.subscriptions(&place.alice).expect("a list");
    assert_eq!(subscribed.len(), 8 * 25);
}

#[test]
fn a_mailbox_that_is_renamed_meanwhile_is_listed_under_one_of_its_names() {
    let place = place();
    let (store, alice) = (&place.store, &place.alice);
    store.create(alice, "One").expect("created");
    let origin = |names: &[(String, Option<Origin>)]| {
        let folders: Vec<_> = names.iter().filter(|(name, _)| name != "INBOX").collect();
        assert_eq!(folders.len(), 1, "{names:?}");
        folders[0].1.expect("a folder has one")
    };
    let first = origin(&store.mailboxes_and_origins(alice).expect("a list"));
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..200 {
                let names = ["One", "Other"];
                let (from, to) = (names[number % 2], names[(number + 1) % 2]);
                store.rename(alice, from, to).expect("renamed");
                thread::sleep(Duration::from_micros(200));
            }
            ended.store(true, Ordering::Relaxed);
        });
        while !ended.load(Ordering::Relaxed) {
            let names = store.mailboxes_and_origins(alice).expect("a list");
            assert_eq!(origin(&names), first);
        }
    });
}
