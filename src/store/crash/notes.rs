//! SETACL and SETMETADATA with a crash at each call: the old file or the new one, whole.

use std::path::Path;
use std::sync::Arc;

use super::super::Store;
use super::super::fs::Kernel;
use super::tests::{account, directory, endings, open};
use super::{Accident, CrashDisk, Disk};
use crate::wire::imap::rights::Rights;

/// What is known of bob's rights, and of the notes: after the first and after the second time.
const OLD: (&str, &str) = ("lr", "the old note");
const NEW: (&str, &str) = ("lrswi", "the new note, which is longer than the old one");

/// How many of the changes were promised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Done {
    rights: bool,
    note: bool,
    server: bool,
}

fn set(store: &Store, (letters, note): (&str, &str)) -> Done {
    let alice = account(store, "alice");
    let rights = Rights::parse(letters).expect("letters");
    let value = || Some(note.as_bytes().to_vec());
    let shared = [("/shared/comment".to_owned(), value())];
    let private = [("/private/comment".to_owned(), value())];
    Done {
        rights: store
            .change_acl(&alice, "Lab", "bob", |_| Some(rights))
            .is_ok(),
        note: store.note(&alice, "Lab", &shared, 1).is_ok(),
        server: store.note(&alice, "", &private, 1).is_ok(),
    }
}

fn noted(store: &Store, mailbox: &str) -> String {
    let alice = account(store, "alice");
    let notes = store.notes(&alice, mailbox, |entry| entry.ends_with("/comment"));
    let notes = notes.expect("readable");
    let [(_, value)] = notes.as_slice() else {
        panic!("{mailbox:?}: {notes:?}")
    };
    String::from_utf8(value.clone()).expect("UTF-8")
}

fn rights(store: &Store) -> String {
    let acl = store.acl(&account(store, "alice"), "Lab");
    let acl = acl.expect("readable");
    let bobs: Vec<_> = acl.iter().filter(|(name, _)| name == "bob").collect();
    assert!(bobs.len() == 1 && acl.len() == 2, "{acl:?}");
    bobs[0].1.letters()
}

/// A tree with the old state.
fn prepare(root: &Path) {
    let store = open(Arc::new(Kernel), root).expect("a store");
    store
        .create(&account(&store, "alice"), "Lab")
        .expect("created");
    let done = set(&store, OLD);
    assert!(done.rights && done.note && done.server, "{done:?}");
}

/// The new one where it was promised, else that or the old one.
fn check(done: Done, root: &Path) -> [bool; 3] {
    let store = open(Arc::new(Kernel), root).expect("a store");
    let found = [rights(&store), noted(&store, "Lab"), noted(&store, "")];
    let promised = [done.rights, done.note, done.server];
    let known = [(OLD.0, NEW.0), (OLD.1, NEW.1), (OLD.1, NEW.1)];
    let mut is_new = [false; 3];
    for (at, (old, new)) in known.into_iter().enumerate() {
        is_new[at] = found[at] == new;
        assert!(is_new[at] || found[at] == old, "neither: {:?}", found[at]);
        assert!(is_new[at] || !promised[at], "promised, and gone: {new:?}");
    }
    // And it can be changed again, whatever was left lying about.
    let done = set(&store, NEW);
    assert!(done.rights && done.note && done.server, "{done:?}");
    assert_eq!(rights(&store), NEW.0);
    assert_eq!([noted(&store, "Lab"), noted(&store, "")], [NEW.1, NEW.1]);
    is_new
}

#[test]
fn rights_and_notes_are_the_old_or_the_new_ones_after_a_crash_at_each_call() {
    let play = |accident| {
        let root = directory();
        prepare(root.path());
        let disk = CrashDisk::new(root.path(), accident);
        let store = open(Arc::clone(&disk) as Arc<dyn Disk>, root.path());
        let done = store.map_or_else(Done::default, |store| set(&store, NEW));
        (root, disk, done)
    };
    let (_root, disk, done) = play(Accident::None);
    assert!(done.rights && done.note && done.server, "{done:?}");
    let calls = disk.calls();
    assert!(calls > 15, "all went by in {calls} calls");
    // Each was seen in both states: what cannot fail is no test.
    let mut seen = [[false; 2]; 3];
    for call in 0..calls + 2 {
        let (_root, disk, done) = play(Accident::PowerLoss(call));
        for kept in endings(call) {
            let after = directory();
            disk.wake_up(after.path(), kept);
            let checked = std::panic::catch_unwind(|| check(done, after.path()));
            let Ok(is_new) = checked else {
                panic!("after a crash at call {call} of {calls}, {kept:?}: {done:?}")
            };
            for (seen, is_new) in seen.iter_mut().zip(is_new) {
                seen[usize::from(is_new)] = true;
            }
        }
    }
    assert_eq!(seen, [[true; 2]; 3]);
    // A full disk: what is refused is as it was.
    for call in 0..calls + 2 {
        let (root, disk, done) = play(Accident::NoRoom(call));
        drop(disk);
        check(done, root.path());
    }
}
