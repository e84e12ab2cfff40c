//! Promises and crashes: whatever call is the last one, what was promised before it holds.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::super::fs::Kernel;
use super::super::{
    Account, Digest, FlagChange, Flags, Index, Mailbox, Rules, Store, StoreError, Users,
};
use super::{Accident, CrashDisk, Disk, Kept, KeptNames, KeptText};

/// What a session told its client.
#[derive(Debug, Default)]
struct Promises {
    /// By account and mailbox: texts that are there for good.
    durable: Vec<(&'static str, &'static str, String)>,
    /// Removed for good.
    removed: Vec<(&'static str, &'static str, String)>,
    /// Texts of which it was not said whether they are there.
    open: Vec<String>,
    /// What UIDs were shown for: by account, mailbox and UID, the UIDVALIDITY and the text.
    shown: HashMap<(&'static str, &'static str, u32), (u32, String)>,
    /// What was shown of flags, by account and mailbox: the last time, with the highest mod-sequence then.
    modseqs: HashMap<(&'static str, &'static str), Arc<Index>>,
}

pub(super) fn open(disk: Arc<dyn Disk>, root: &Path) -> Option<Store> {
    let accounts = ["alice", "bob"].map(|name| (name.to_owned(), name.to_owned()));
    let users = Users::plain(&accounts);
    Store::open_on(
        disk,
        root,
        &["mail.example".to_owned()],
        users,
        Rules::default(),
    )
    .ok()
}

pub(super) fn account(store: &Store, name: &str) -> Account {
    store.users().find(name, None).expect("an account")
}

/// Some are long enough to be written in two pieces.
pub(super) fn text(name: &str) -> String {
    let lines = if name.starts_with("two") { 4200 } else { 20 };
    let lines = "0123456789abcde\r\n".repeat(lines);
    format!("Subject: {name}\r\n\r\n{lines}")
}

/// In memory where that can be: what these tests sync is synced in the model, and the machine's disk need not be.
pub(in crate::store) fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a temporary directory")
}

impl Promises {
    fn deliver(&mut self, store: &Store, to: &[&'static str], name: &str) {
        let accounts: Vec<Account> = to.iter().map(|name| account(store, name)).collect();
        let text = text(name);
        let Ok(mut spool) = store.spool(&accounts[0]) else {
            return;
        };
        self.open.push(text.clone());
        if text
            .as_bytes()
            .chunks(50_000)
            .any(|chunk| spool.append(chunk).is_err())
        {
            return;
        }
        for (to, outcome) in to.iter().zip(store.deliver(spool, &accounts)) {
            if outcome.is_ok() {
                self.durable.push((to, "INBOX", text.clone()));
            }
        }
    }

    fn sync(&mut self, mailbox: &Mailbox, account: &'static str, name: &'static str) {
        let Ok(index) = mailbox.sync() else {
            return;
        };
        if mailbox.settle().is_ok() {
            let before = self.modseqs.insert((account, name), Arc::clone(&index));
            if let Some(before) = before {
                check_modseqs(&before, &index, mailbox);
            }
        }
        check_digests(mailbox, &index);
        for entry in &index.messages {
            if let Ok(text) = mailbox.read(entry.uid) {
                let text = String::from_utf8(text).expect("UTF-8");
                let shown = (index.uid_validity, text);
                let before = self.shown.insert((account, name, entry.uid), shown.clone());
                assert!(
                    before.is_none_or(|before| before == shown),
                    "a UID changed its meaning"
                );
            }
        }
    }

    fn append(&mut self, mailbox: &Mailbox, name: &str) -> Result<(), StoreError> {
        let text = text(name);
        let mut spool = mailbox.spool()?;
        self.open.push(text.clone());
        spool.append(text.as_bytes())?;
        let (uid, _durable) = mailbox.append(spool, Flags::SEEN, Some(1_000_000_000))?;
        self.durable.push(("alice", "Sent", text.clone()));
        if let Ok(index) = mailbox.sync() {
            self.shown
                .insert(("alice", "Sent", uid), (index.uid_validity, text));
        }
        Ok(())
    }

    /// A day in the life of a server; it goes on as long as it can.
    fn play(&mut self, store: &Store) {
        self.play_again(store, "");
    }

    /// The same day with other messages, which have `mark` in their names.
    fn play_again(&mut self, store: &Store, mark: &str) {
        let named = |name: &str| format!("{name}{mark}");
        let alice = account(store, "alice");
        self.deliver(store, &["alice"], &named("one"));
        self.deliver(store, &["alice", "bob"], &named("two"));
        let Ok(inbox) = store.mailbox(&alice, "INBOX") else {
            return;
        };
        self.sync(&inbox, "alice", "INBOX");
        let mut uids: Vec<u32> = self
            .shown
            .iter()
            .filter(|(at, (_, text))| {
                let subject = text.lines().next().unwrap_or("");
                (at.0, at.1) == ("alice", "INBOX") && subject.ends_with(mark)
            })
            .map(|(at, _)| at.2)
            .collect();
        uids.sort_unstable();
        let _ = store.create(&alice, "Sent");
        if let Ok(sent) = store.mailbox(&alice, "Sent") {
            let _ = self.append(&sent, &named("three"));
            let _ = self.append(&sent, &named("four"));
            if let Ok((pairs, _durable)) = inbox.copy(&uids, &sent)
                && let Ok(index) = sent.sync()
            {
                for (old, new) in pairs {
                    let (_, text) = self.shown[&("alice", "INBOX", old)].clone();
                    self.durable.push(("alice", "Sent", text.clone()));
                    self.shown
                        .insert(("alice", "Sent", new), (index.uid_validity, text));
                }
            }
            self.sync(&sent, "alice", "Sent");
        }
        if let Ok(Some(work)) = inbox.keyword("Work") {
            let _ = inbox.change_flags(&uids, FlagChange::Add, work.union(Flags::FLAGGED));
            self.sync(&inbox, "alice", "INBOX");
            // Set and cleared again: a client that saw it in between must be told.
            let _ = inbox.change_flags(&uids, FlagChange::Remove, Flags::FLAGGED);
        }
        if let Some(&second) = uids.get(1)
            && let Some((_, text)) = self.shown.get(&("alice", "INBOX", second)).cloned()
        {
            let place = ("alice", "INBOX", text.clone());
            match inbox.expunge(&[second]) {
                Ok(gone) if gone == [second] => self.removed.push(place.clone()),
                _ => {}
            }
            // After an error it may be there or not.
            self.durable.retain(|durable| *durable != place);
        }
        self.deliver(store, &["alice"], &named("five"));
        self.sync(&inbox, "alice", "INBOX");
    }

    /// Whether all of it holds in the store as it is found.
    fn check(&self, root: &Path) {
        let store = open(Arc::new(Kernel), root).expect("a store");
        for name in ["alice", "bob"] {
            let account = account(&store, name);
            for mailbox in store.mailboxes(&account).expect("a list") {
                self.check_mailbox(&store, name, &mailbox);
            }
        }
        for (name, mailbox, _) in &self.durable {
            let account = account(&store, name);
            assert!(
                store.mailbox(&account, mailbox).is_ok(),
                "{mailbox} is lost"
            );
        }
    }

    fn check_mailbox(&self, store: &Store, name: &'static str, mailbox: &str) {
        let account = account(store, name);
        let open = store.mailbox(&account, mailbox).expect("open");
        let index = open.sync().expect("a look");
        let mut texts = HashMap::<u32, String>::new();
        for entry in &index.messages {
            let text = String::from_utf8(open.read(entry.uid).expect("text")).expect("UTF-8");
            let attempted = self.open.contains(&text);
            assert!(attempted, "half a message: {} octets", text.len());
            assert_eq!(entry.size, text.len() as u64);
            texts.insert(entry.uid, text);
        }
        if let Some(shown) = self.modseqs.get(&(name, mailbox)) {
            check_modseqs(shown, &index, &open);
        }
        check_digests(&open, &index);
        let count = |wanted: &str| texts.values().filter(|text| *text == wanted).count();
        for (_, _, text) in self
            .durable
            .iter()
            .filter(|at| at.0 == name && at.1 == mailbox)
        {
            assert_eq!(count(text), 1, "promised: {}", &text[..20]);
        }
        for (_, _, text) in self
            .removed
            .iter()
            .filter(|at| at.0 == name && at.1 == mailbox)
        {
            assert_eq!(count(text), 0, "came back: {}", &text[..20]);
        }
        let shown = self
            .shown
            .iter()
            .filter(|(at, _)| at.0 == name && at.1 == mailbox);
        for ((_, _, uid), (validity, text)) in shown {
            assert_eq!(index.uid_validity, *validity, "UIDVALIDITY changed");
            assert!(*uid < index.uid_next, "UID {uid} will be given again");
            if let Some(now) = texts.get(uid) {
                assert_eq!(now, text, "UID {uid} means another message");
            }
        }
    }
}

/// Whether what is known of a message is of that message; what is not known is made.
fn check_digests(mailbox: &Mailbox, index: &Index) {
    let mut digests = mailbox.digests(index.uid_validity);
    for entry in &index.messages {
        let Ok(text) = mailbox.read(entry.uid) else {
            continue;
        };
        let kinds = [Digest::Envelope, Digest::Structure];
        let (mut known, mut ends) = (Vec::new(), Vec::new());
        if digests.take(entry.uid, &kinds, &mut known, &mut ends) {
            assert_eq!(ends, [text.len() / 2, known.len()]);
            assert_eq!(known, text, "a digest of another message");
        } else {
            let (first, second) = text.split_at(text.len() / 2);
            digests.add(entry.uid, Digest::Envelope, first);
            digests.add(entry.uid, Digest::Structure, second);
        }
    }
    digests.finish();
}

/// Whether a client that knows `shown` learns all that is different `now` from what has changed since.
fn check_modseqs(shown: &Index, now: &Index, mailbox: &Mailbox) {
    assert!(
        now.highest_modseq >= shown.highest_modseq,
        "HIGHESTMODSEQ goes back"
    );
    let vanished = mailbox.vanished(shown.highest_modseq);
    for entry in &shown.messages {
        let Some(later) = now.messages.iter().find(|later| later.uid == entry.uid) else {
            let uid = entry.uid;
            let told = vanished
                .iter()
                .any(|range| (range.0..=range.1).contains(&uid));
            assert!(told, "message {uid} vanished, and nobody is told");
            continue;
        };
        assert!(later.modseq >= entry.modseq, "a mod-sequence goes back");
        assert!(
            later.flags == entry.flags || later.modseq > shown.highest_modseq,
            "flags changed, and nobody is told"
        );
    }
    for entry in &now.messages {
        let known = shown.messages.iter().any(|known| known.uid == entry.uid);
        assert!(
            known || entry.modseq > shown.highest_modseq,
            "a message came, and nobody is told"
        );
    }
}

/// All ways in which a crash at this call can end.
pub(in crate::store) fn endings(call: usize) -> Vec<Kept> {
    let seed = call as u64 + 1;
    let names = [
        KeptNames::None,
        KeptNames::All,
        KeptNames::Some(seed),
        KeptNames::Some(seed << 20),
    ];
    let texts = [KeptText::None, KeptText::Half, KeptText::All];
    names
        .into_iter()
        .flat_map(|names| texts.map(|text| Kept { names, text }))
        .collect()
}

/// Does `day` with an accident at each of its calls, and a few more; several at a time.
fn at_each_call(prepare: fn(&Path), day: impl Fn(usize) + Sync) {
    let root = directory();
    prepare(root.path());
    let disk = CrashDisk::new(root.path(), Accident::None);
    let mut promises = Promises::default();
    let store = open(Arc::clone(&disk) as Arc<dyn Disk>, root.path()).expect("a store");
    promises.play(&store);
    assert_eq!(
        promises.durable.len(),
        7,
        "without an accident all is promised"
    );
    let calls = disk.calls() + 10;
    assert!(calls > 100, "the whole day went by in {calls} calls");
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
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

/// Plays on a directory that `prepare` has filled, with a crash at each call in turn.
fn crash_at_each_call(prepare: fn(&Path)) {
    at_each_call(prepare, |call| {
        let root = directory();
        prepare(root.path());
        let disk = CrashDisk::new(root.path(), Accident::PowerLoss(call));
        let mut promises = Promises::default();
        if let Some(store) = open(Arc::clone(&disk) as Arc<dyn Disk>, root.path()) {
            promises.play(&store);
        }
        for kept in endings(call) {
            let found = directory();
            disk.wake_up(found.path(), kept);
            let checked = catch_unwind(AssertUnwindSafe(|| promises.check(found.path())));
            assert!(checked.is_ok(), "{kept:?} kept");
        }
    });
}

#[test]
fn promises_hold_after_a_crash_at_each_call() {
    crash_at_each_call(|_| {});
}

#[test]
fn promises_hold_where_the_uid_list_must_be_written_anew() {
    crash_at_each_call(|root| {
        let home = root.join("mail/alice");
        for part in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(home.join(part)).expect("made");
        }
        // A torn line, and one of a message that is gone.
        let list = "3 V1000 N5 G00000000000000000000000000000001\n4 :1.gone\n";
        std::fs::write(home.join("dovecot-uidlist"), format!("{list}5 :to")).expect("written");
    });
}

#[test]
fn promises_hold_after_a_kill_at_each_call_and_then_a_crash() {
    at_each_call(
        |_| {},
        |call| {
            let root = directory();
            let disk = CrashDisk::new(root.path(), Accident::Kill(call));
            let mut promises = Promises::default();
            if let Some(store) = open(Arc::clone(&disk) as Arc<dyn Disk>, root.path()) {
                promises.play(&store);
            }
            disk.restart();
            // What the first life left lies there and may not be on disk.
            let store = open(Arc::clone(&disk) as Arc<dyn Disk>, root.path()).expect("a store");
            promises.play_again(&store, " again");
            let found = directory();
            let (names, text) = (KeptNames::None, KeptText::None);
            disk.wake_up(found.path(), Kept { names, text });
            promises.check(found.path());
        },
    );
}

#[test]
fn a_full_disk_at_each_call_leaves_no_remains() {
    at_each_call(
        |_| {},
        |call| {
            let root = directory();
            let disk = CrashDisk::new(root.path(), Accident::NoRoom(call));
            let mut promises = Promises::default();
            if let Some(store) = open(Arc::clone(&disk) as Arc<dyn Disk>, root.path()) {
                promises.play(&store);
                promises.check(root.path());
                let left = remains(root.path());
                assert!(left.is_empty(), "left: {left:?}");
            }
        },
    );
}

/// What lies in a `tmp/`, and locks.
fn remains(root: &Path) -> Vec<std::path::PathBuf> {
    let mut left = Vec::new();
    let mut directories = vec![root.to_path_buf()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.parent().is_some_and(|above| above.ends_with("tmp"))
                || path.extension().is_some_and(|name| name == "lock")
            {
                left.push(path);
            }
        }
    }
    left
}

#[test]
fn without_links_messages_are_copied() {
    let root = directory();
    let disk = CrashDisk::new(root.path(), Accident::NoLinks);
    let store = open(Arc::clone(&disk) as Arc<dyn Disk>, root.path()).expect("a store");
    let mut promises = Promises::default();
    promises.play(&store);
    assert_eq!(promises.durable.len(), 7);
    promises.check(root.path());
    assert!(remains(root.path()).is_empty());
    let found = directory();
    let (names, text) = (KeptNames::None, KeptText::None);
    disk.wake_up(found.path(), Kept { names, text });
    promises.check(found.path());
}

#[test]
fn a_full_disk_is_called_full() {
    let root = directory();
    let store = open(CrashDisk::new(root.path(), Accident::None), root.path()).expect("a store");
    let alice = account(&store, "alice");
    drop(store.spool(&alice).expect("a spool"));
    let disk = CrashDisk::new(root.path(), Accident::None);
    let store = open(Arc::clone(&disk) as Arc<dyn Disk>, root.path()).expect("a store");
    drop(store.spool(&alice).expect("a spool"));
    let calls = disk.calls();
    let mut full = 0;
    for call in 0..calls + 10 {
        let disk = CrashDisk::new(root.path(), Accident::NoRoom(call));
        let Some(store) = open(disk, root.path()) else {
            continue;
        };
        let delivered = store.spool(&alice).and_then(|mut spool| {
            spool.append(b"text\r\n")?;
            store
                .deliver(spool, std::slice::from_ref(&alice))
                .pop()
                .expect("one outcome")
        });
        match delivered {
            Ok(_) => {}
            Err(StoreError::Full) => full += 1,
            Err(error) => panic!("call {call}: {error:?}"),
        }
    }
    assert!(full >= 5, "create, write, fsync, rename, fsync: {full}");
}

#[test]
fn who_is_named_a_hundred_times_costs_one_sync() {
    let root = directory();
    let disk = CrashDisk::slow(root.path(), Duration::ZERO);
    let store = open(Arc::clone(&disk) as Arc<dyn Disk>, root.path()).expect("a store");
    let (alice, bob) = (account(&store, "alice"), account(&store, "bob"));
    for (to, syncs) in [(alice.clone(), 1), (bob, 2)] {
        let mut everybody = vec![alice.clone(); 100];
        everybody.push(to);
        // The Maildirs are made before it is counted.
        for round in 0..2 {
            let before = disk.directory_syncs();
            let mut spool = store.spool(&alice).expect("a spool");
            spool.append(b"text\r\n").expect("room");
            let outcomes = store.deliver(spool, &everybody);
            assert!(outcomes.len() == 101 && outcomes.iter().all(Result::is_ok));
            if round > 0 {
                assert_eq!(disk.directory_syncs() - before, syncs);
            }
        }
    }
}

#[test]
fn deliveries_that_meet_share_their_syncs_and_lose_nothing() {
    const THREADS: usize = 16;
    const EACH: usize = 12;
    let root = directory();
    let disk = CrashDisk::slow(root.path(), Duration::from_millis(3));
    let store = open(Arc::clone(&disk) as Arc<dyn Disk>, root.path()).expect("a store");
    let alice = account(&store, "alice");
    let before = disk.directory_syncs();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (store, alice) = (&store, &alice);
            scope.spawn(move || {
                for number in 0..EACH {
                    let mut spool = store.spool(alice).expect("a spool");
                    let text = format!("{thread} {number}\r\n");
                    spool.append(text.as_bytes()).expect("room");
                    let outcome = store.deliver(spool, std::slice::from_ref(alice)).pop();
                    assert!(matches!(outcome, Some(Ok(_))));
                }
            });
        }
        // Somebody reads meanwhile.
        let inbox = store.mailbox(&alice, "INBOX").expect("open");
        for _ in 0..20 {
            inbox.sync().expect("a look");
        }
    });
    let syncs = disk.directory_syncs() - before;
    assert!(syncs < THREADS * EACH / 2, "{syncs} directory syncs");

    let found = directory();
    let (names, text) = (KeptNames::None, KeptText::None);
    disk.wake_up(found.path(), Kept { names, text });
    let store = open(Arc::new(Kernel), found.path()).expect("a store");
    let inbox = store
        .mailbox(&account(&store, "alice"), "INBOX")
        .expect("open");
    let index = inbox.sync().expect("a look");
    let mut texts: Vec<Vec<u8>> = index
        .messages
        .iter()
        .map(|entry| inbox.read(entry.uid).expect("text"))
        .collect();
    texts.sort();
    texts.dedup();
    assert_eq!(
        (texts.len(), index.messages.len()),
        (THREADS * EACH, THREADS * EACH)
    );
}
