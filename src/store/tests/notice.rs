//! What other programs do to a mailbox in which a session idles.

use std::sync::mpsc::{Receiver, channel};

use super::*;

/// A store that is served, INBOX, and what its sessions are told.
fn served(root: &Path) -> (Store, Arc<Mailbox>, Receiver<u64>) {
    let users = Users::plain(&[("alice".to_owned(), "alice".to_owned())]);
    let store = Store::open(root, &["mail.example".to_owned()], users).expect("a store");
    let (told, heard) = channel();
    let told = Mutex::new(told);
    store.hub().set_waker(Box::new(move |token| {
        let _ = hold(&told).send(token);
    }));
    let inbox = store
        .mailbox(&account(&store, "alice"), "INBOX")
        .expect("INBOX");
    inbox.sync().expect("a look");
    (store, inbox, heard)
}

/// Waits until nothing more is told; how often it was.
fn quiet(heard: &Receiver<u64>) -> usize {
    let mut count = 0;
    while heard.recv_timeout(Duration::from_millis(200)).is_ok() {
        count += 1;
    }
    count
}

#[test]
fn who_idles_is_told_of_changes_by_other_programs() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let (store, inbox, heard) = served(root.path());
    let home = root.path().join("mail/alice");
    let subscription = store.hub().subscribe(&inbox, 7);
    assert_eq!(quiet(&heard), 1, "the watch stands: look again");
    let soon = || heard.recv_timeout(Duration::from_secs(5));
    let begun = std::time::Instant::now();
    fs::write(home.join("new/1.x"), "Subject: x\n\n").expect("written");
    assert_eq!(soon(), Ok(7));
    println!("told after {:?}", begun.elapsed());
    let index = inbox.sync().expect("a look");
    assert_eq!(uids(&index), [1]);
    assert!(quiet(&heard) <= 2, "our own renaming may be told as well");
    inbox.sync().expect("a look");
    assert_eq!(quiet(&heard), 0, "and then there is an end");
    fs::rename(home.join("cur/1.x:2,"), home.join("cur/1.x:2,F")).expect("renamed");
    assert_eq!(soon(), Ok(7));
    let index = inbox.sync().expect("a look");
    assert_eq!(index.messages[0].flags, Flags::FLAGGED);
    quiet(&heard);
    for number in 0..300 {
        fs::write(home.join(format!("new/2.{number}")), "x").expect("written");
    }
    assert!(quiet(&heard) < 100, "not once for each");
    fs::remove_file(home.join("cur/1.x:2,F")).expect("removed");
    assert_eq!(soon(), Ok(7));
    drop(subscription);
    quiet(&heard);
    fs::write(home.join("new/3.x"), "x").expect("written");
    assert_eq!(quiet(&heard), 0, "nobody sits there");
}

#[test]
fn several_who_idle_are_told_and_a_store_that_is_dropped_ends() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let (store, inbox, heard) = served(root.path());
    let first = store.hub().subscribe(&inbox, 1);
    let second = store.hub().subscribe(&inbox, 2);
    quiet(&heard);
    drop(first);
    fs::write(root.path().join("mail/alice/new/1.x"), "x").expect("written");
    assert_eq!(heard.recv_timeout(Duration::from_secs(5)), Ok(2));
    drop((inbox, store));
    drop(second);
}
