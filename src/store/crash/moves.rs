//! MOVE, RENAME and DELETE, with a crash at each call.

use std::path::Path;
use std::sync::Arc;

use super::super::fs::Kernel;
use super::super::{Flags, Mailbox, Store};
use super::tests::{account, directory, endings, open, text};
use super::{Accident, CrashDisk, Disk};

/// How far a day came.
#[derive(Debug, Default, PartialEq, Eq)]
struct Done {
    appended: Vec<String>,
    copied: bool,
    removed: bool,
    renamed: bool,
    deleted: bool,
}

/// Messages come, are moved from one mailbox to another, and that is renamed, and the first one deleted.
fn play(store: &Store) -> Done {
    let mut done = Done::default();
    let alice = account(store, "alice");
    let Ok(()) = store.create(&alice, "From") else {
        return done;
    };
    let _ = store.create(&alice, "To");
    let (Ok(from), Ok(to)) = (store.mailbox(&alice, "From"), store.mailbox(&alice, "To")) else {
        return done;
    };
    let mut uids = Vec::new();
    for name in ["one", "two", "three"] {
        let text = text(name);
        let Ok(mut spool) = from.spool() else {
            continue;
        };
        if spool.append(text.as_bytes()).is_ok()
            && let Ok((uid, _durable)) = from.append(spool, Flags::SEEN, Some(5))
        {
            uids.push(uid);
            done.appended.push(text);
        }
    }
    let Ok(_) = from.sync() else { return done };
    done.copied = !uids.is_empty() && from.copy(&uids, &to).is_ok();
    if !done.copied {
        return done;
    }
    done.removed = from.expunge(&uids).is_ok();
    done.renamed = store.rename(&alice, "To", "Archive/Old").is_ok();
    done.deleted = done.removed && store.delete(&alice, "From").is_ok();
    done
}

fn texts(mailbox: &Mailbox) -> Vec<String> {
    let index = mailbox.sync().expect("a look");
    let read = |uid| String::from_utf8(mailbox.read(uid).expect("text")).expect("UTF-8");
    index.messages.iter().map(|entry| read(entry.uid)).collect()
}

fn check(done: &Done, root: &Path) {
    let store = open(Arc::new(Kernel), root).expect("a store");
    let alice = account(&store, "alice");
    let there = |name: &str| {
        let mailbox = store.mailbox(&alice, name).ok()?;
        Some(texts(&mailbox))
    };
    let (from, to, old) = (there("From"), there("To"), there("Archive/Old"));
    assert!(to.is_none() || old.is_none(), "it is there twice");
    let target = to.clone().or_else(|| old.clone());
    for text in &done.appended {
        let count = |texts: &Option<Vec<String>>| {
            let texts = texts.iter().flatten();
            texts.filter(|there| *there == text).count()
        };
        assert!(count(&from) + count(&target) > 0, "a message is lost");
        assert!(
            count(&from) <= 1 && count(&target) <= 1,
            "a message is there twice"
        );
        if done.copied {
            assert_eq!(count(&target), 1, "what was copied is not there");
        }
        if done.removed {
            assert_eq!(count(&from), 0, "what was removed is there");
        }
    }
    if done.renamed {
        assert!(old.is_some() && to.is_none(), "it has its old name");
    }
    if done.deleted {
        assert!(from.is_none(), "what was deleted is there");
    }
}

#[test]
fn moved_messages_and_renamed_mailboxes_are_there_once_after_a_crash_at_each_call() {
    let root = directory();
    let disk = CrashDisk::new(root.path(), Accident::None);
    let store = open(Arc::clone(&disk) as Arc<dyn Disk>, root.path()).expect("a store");
    let done = play(&store);
    assert_eq!(done.appended.len(), 3);
    assert!(
        done.copied && done.removed && done.renamed && done.deleted,
        "{done:?}"
    );
    drop(store);
    for call in 0..disk.calls() + 5 {
        let root = directory();
        let disk = CrashDisk::new(root.path(), Accident::PowerLoss(call));
        let done = match open(Arc::clone(&disk) as Arc<dyn Disk>, root.path()) {
            Some(store) => play(&store),
            None => Done::default(),
        };
        for kept in endings(call) {
            let after = directory();
            disk.wake_up(after.path(), kept);
            let checked = std::panic::catch_unwind(|| check(&done, after.path()));
            assert!(
                checked.is_ok(),
                "after a crash at call {call}, {kept:?}: {done:?}"
            );
        }
    }
}
