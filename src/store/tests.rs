//! The store from outside: what a session sees, with other programs at work on the same files.

mod addresses;
mod dates;
mod modseq;
mod notice;
mod sealed;
mod two_stores;

use std::fs::{self, read_dir};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::*;

struct Place {
    root: tempfile::TempDir,
    store: Store,
    alice: Account,
}

/// A store of alice and bob.
fn place() -> Place {
    let root = tempfile::tempdir().expect("a temporary directory");
    let store = open(root.path());
    let alice = account(&store, "alice");
    Place { root, store, alice }
}

/// Without the lock: some tests look at one folder through two stores, as through a restart.
fn open(root: &Path) -> Store {
    let accounts = ["alice", "bob", "carol"].map(|name| (name.to_owned(), name.to_owned()));
    let domains = ["mail.example".to_owned()];
    Store::open_on(
        Arc::new(Kernel),
        root,
        &domains,
        Users::plain(&accounts),
        Rules::default(),
    )
    .expect("a store")
}

fn account(store: &Store, name: &str) -> Account {
    store.users().find(name, None).expect("an account")
}

fn deliver(store: &Store, to: &[Account], text: &str) {
    let mut spool = store.spool(&to[0]).expect("a spool");
    spool.append(text.as_bytes()).expect("room");
    for outcome in store.deliver(spool, to) {
        outcome.expect("delivered");
    }
}

impl Place {
    fn inbox(&self) -> Arc<Mailbox> {
        self.store.mailbox(&self.alice, "inbox").expect("INBOX")
    }
    /// Another store on the same files, opened later.
    fn reopened(&self) -> Store {
        open(self.root.path())
    }
    fn files(&self, part: &str) -> Vec<String> {
        files(&self.alice.home.join(part))
    }
    fn path(&self, part: &str) -> PathBuf {
        self.alice.home.join(part)
    }
}

fn files(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = read_dir(path)
        .expect("a directory")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect();
    names.sort();
    names
}

fn uids(index: &Index) -> Vec<u32> {
    index.messages.iter().map(|entry| entry.uid).collect()
}

#[test]
fn a_message_is_delivered_read_flagged_and_expunged() {
    let place = place();
    deliver(
        &place.store,
        std::slice::from_ref(&place.alice),
        "Subject: a\r\n\r\nText\r\n",
    );
    assert_eq!(place.files("tmp"), [""; 0]);
    let new = place.files("new");
    assert!(new[0].ends_with(",S=20,W=20"), "{new:?}");

    let inbox = place.inbox();
    let index = inbox.sync().expect("a look");
    assert_eq!(uids(&index), [1]);
    assert_eq!((index.messages[0].size, index.uid_next), (20, 2));
    assert_eq!(place.files("new"), [""; 0], "seen messages move to cur");
    assert_eq!(inbox.recent(), [1]);
    assert_eq!(inbox.claim_recent(), [1]);
    assert_eq!(inbox.claim_recent(), [0; 0]);
    assert_eq!(inbox.read(1).expect("text"), b"Subject: a\r\n\r\nText\r\n");
    let extent = inbox.extent(1).expect("a look").expect("CRLF on disk");
    let mut buffer = [0; 64];
    assert_eq!(extent.read_at(&mut buffer, 9).expect("read"), 11);
    assert_eq!(&buffer[..11], b"a\r\n\r\nText\r\n");

    let flags = Flags::SEEN.union(Flags::FLAGGED);
    let index = inbox
        .change_flags(&[1, 99], FlagChange::Add, flags)
        .expect("flags");
    assert_eq!(index.messages[0].flags, flags);
    assert!(place.files("cur")[0].ends_with(":2,FS"));
    let index = inbox
        .change_flags(&[1], FlagChange::Remove, Flags::FLAGGED)
        .expect("flags");
    assert_eq!(index.messages[0].flags, Flags::SEEN);
    assert!(
        Arc::ptr_eq(&inbox.sync().expect("a look"), &index),
        "nothing changed"
    );

    assert_eq!(inbox.expunge(&[1, 1, 7]).expect("expunged"), [1]);
    assert_eq!(inbox.expunge(&[1]).expect("expunged"), [0; 0]);
    assert!(matches!(inbox.read(1), Err(StoreError::NoSuchMessage)));
    deliver(&place.store, std::slice::from_ref(&place.alice), "two\r\n");
    assert_eq!(uids(&inbox.sync().expect("a look")), [2]);
}

#[test]
fn nul_octets_are_not_given_out() {
    let place = place();
    let alice = std::slice::from_ref(&place.alice);
    deliver(&place.store, alice, "A: b\r\n\r\na\0\0b\r\n");
    let inbox = place.inbox();
    assert_eq!(uids(&inbox.sync().expect("a look")), [1]);
    fs::write(place.path("new/foreign"), "A: b\n\na\0\0b\n").expect("a file");
    assert_eq!(uids(&inbox.sync().expect("a look")), [1, 2]);
    let shown = b"A: b\r\n\r\na\x80\x80b\r\n";
    for uid in [1, 2] {
        assert_eq!(inbox.read(uid).expect("text"), shown);
    }
    let extent = inbox.extent(1).expect("a look").expect("CRLF on disk");
    let mut buffer = [0; 64];
    assert_eq!(extent.read_at(&mut buffer, 1).expect("read"), 13);
    assert_eq!(&buffer[..13], &shown[1..]);
    assert_eq!(&buffer[13..], [0; 51], "past the end nothing is touched");
}

#[test]
fn uids_and_uidvalidity_outlive_the_store() {
    let first = place();
    for text in ["one\r\n", "two\r\n", "three\r\n"] {
        deliver(&first.store, std::slice::from_ref(&first.alice), text);
    }
    let before = first.inbox().sync().expect("a look");
    assert_eq!(uids(&before), [1, 2, 3]);
    first.inbox().expunge(&[3]).expect("expunged");
    let second = first.reopened();
    deliver(&second, std::slice::from_ref(&first.alice), "four\r\n");
    let inbox = second.mailbox(&first.alice, "INBOX").expect("INBOX");
    let after = inbox.sync().expect("a look");
    assert_eq!(uids(&after), [1, 2, 4], "3 is never given again");
    assert_eq!(after.uid_validity, before.uid_validity);
    assert_eq!(inbox.read(2).expect("text"), b"two\r\n");
}

#[test]
fn one_delivery_to_many_is_one_file() {
    let place = place();
    let bob = account(&place.store, "bob");
    let mut spool = place.store.spool(&place.alice).expect("a spool");
    spool.append(b"text\r\n").expect("room");
    assert_eq!(spool.octets(), 6);
    let to = [place.alice.clone(), bob.clone(), place.alice.clone()];
    let outcomes = place.store.deliver(spool, &to);
    assert!(outcomes.len() == 3 && outcomes.iter().all(Result::is_ok));
    assert_eq!(place.files("new").len(), 1, "named twice, delivered once");
    let stat = |account: &Account| {
        let name = &files(&account.home.join("new"))[0];
        Kernel
            .stat(&account.home.join("new").join(name))
            .expect("a file")
    };
    assert_eq!(stat(&place.alice), stat(&bob));
    assert_eq!(files(&bob.home.join("tmp")), [""; 0]);
}

#[test]
fn a_dropped_spool_leaves_nothing() {
    let place = place();
    let mut spool = place.store.spool(&place.alice).expect("a spool");
    spool.append(&vec![b'x'; 200_000]).expect("room");
    assert_eq!(place.files("tmp").len(), 1);
    drop(spool);
    assert_eq!(place.files("tmp"), [""; 0]);
}

#[test]
fn files_of_other_programs_are_read_with_crlf() {
    let place = place();
    let inbox = place.inbox();
    fs::write(place.path("new/1000000001.foreign"), "a\nb\n").expect("written");
    fs::write(place.path("cur/1000000000.x,S=3:2,SXk"), "c\r\n").expect("written");
    let index = inbox.sync().expect("a look");
    assert_eq!(uids(&index), [1, 2]);
    let sizes: Vec<u64> = index.messages.iter().map(|entry| entry.size).collect();
    assert_eq!(sizes, [3, 6]);
    assert_eq!(index.messages[0].flags, Flags::SEEN, "k has no name");
    assert_eq!(inbox.read(2).expect("text"), b"a\r\nb\r\n");
    assert!(inbox.extent(2).expect("a look").is_none());
    assert!(inbox.extent(1).expect("a look").is_some());
    inbox
        .change_flags(&[1], FlagChange::Replace, Flags::DRAFT)
        .expect("flags");
    assert_eq!(place.files("cur")[0], "1000000000.x,S=3:2,DXk");
    let list = fs::read_to_string(place.path("dovecot-uidlist")).expect("a list");
    assert!(
        list.ends_with("\n1 W3 :1000000000.x,S=3\n2 W6 :1000000001.foreign\n"),
        "{list}"
    );
}

#[test]
fn files_that_move_are_found_and_those_that_go_are_gone() {
    let place = place();
    let inbox = place.inbox();
    for text in ["one\r\n", "two\r\n"] {
        deliver(&place.store, std::slice::from_ref(&place.alice), text);
    }
    inbox.sync().expect("a look");
    let cur = place.files("cur");
    fs::rename(
        place.path("cur").join(&cur[0]),
        place.path("cur").join(format!("{}R", cur[0])),
    )
    .expect("renamed");
    assert_eq!(inbox.read(1).expect("text"), b"one\r\n");
    fs::rename(
        place.path("cur").join(format!("{}R", cur[0])),
        place.path("cur").join(format!("{}RT", cur[0])),
    )
    .expect("renamed");
    let index = inbox
        .change_flags(&[1], FlagChange::Add, Flags::SEEN)
        .expect("flags");
    let all = Flags::SEEN.union(Flags::ANSWERED).union(Flags::DELETED);
    assert_eq!(
        index.messages[0].flags, all,
        "what the other program set stays"
    );
    fs::remove_file(place.path("cur").join(&cur[1])).expect("removed");
    assert!(matches!(inbox.read(2), Err(StoreError::NoSuchMessage)));
    assert_eq!(uids(&inbox.sync().expect("a look")), [1]);
}

#[test]
fn two_files_of_one_base_become_two_messages() {
    let place = place();
    fs::write(place.root.path().join("other"), "").expect("written");
    let inbox = place.inbox();
    fs::write(place.path("cur/5.twin:2,"), "a\r\n").expect("written");
    fs::write(place.path("cur/5.twin:2,S"), "b\r\n").expect("written");
    fs::hard_link(place.path("cur/5.twin:2,S"), place.path("cur/6.link:2,")).expect("linked");
    let index = inbox.sync().expect("a look");
    let mut texts: Vec<Vec<u8>> = uids(&index)
        .into_iter()
        .map(|uid| inbox.read(uid).expect("text"))
        .collect();
    texts.sort();
    assert_eq!(texts, [b"a\r\n", b"b\r\n", b"b\r\n"]);
    assert_eq!(uids(&inbox.sync().expect("a look")).len(), 3);
}

#[test]
fn keywords_have_letters() {
    let place = place();
    deliver(&place.store, std::slice::from_ref(&place.alice), "one\r\n");
    let inbox = place.inbox();
    inbox.sync().expect("a look");
    let work = inbox.keyword("Work").expect("a list").expect("a letter");
    assert_eq!(work, Flags::keyword(0));
    assert_eq!(inbox.keyword("wORK").expect("a list"), Some(work));
    assert_eq!(inbox.keyword("two words").expect("a list"), None);
    let index = inbox
        .change_flags(&[1], FlagChange::Add, work)
        .expect("flags");
    assert_eq!(
        (index.keywords[0].as_str(), index.messages[0].flags),
        ("Work", work)
    );
    assert!(place.files("cur")[0].ends_with(":2,a"));
    // Dovecot gives the next letter.
    fs::write(place.path("dovecot-keywords"), "0 Work\n1 $Later\n").expect("written");
    let index = inbox.sync().expect("a look");
    assert_eq!(index.keywords, ["Work", "$Later"]);
    assert_eq!(
        inbox.keyword("$later").expect("a list"),
        Some(Flags::keyword(1))
    );
}

#[test]
fn appended_messages_have_uid_flags_and_date() {
    let place = place();
    place.store.create(&place.alice, "Sent").expect("created");
    let sent = place.store.mailbox(&place.alice, "Sent").expect("Sent");
    let mut spool = sent.spool().expect("a spool");
    spool.append(b"text\r\n").expect("room");
    let (uid, _durable) = sent
        .append(spool, Flags::SEEN, Some(1_000_000_000))
        .expect("appended");
    assert_eq!(uid, 1);
    let index = sent.sync().expect("a look");
    let entry = &index.messages[0];
    assert_eq!(
        (entry.flags, entry.received, entry.size),
        (Flags::SEEN, 1_000_000_000, 6)
    );
    assert_eq!(sent.claim_recent(), [1]);
    let fresh = place.reopened();
    let again = fresh.mailbox(&place.alice, "Sent").expect("Sent");
    assert_eq!(*again.sync().expect("a look"), *index);
    assert_eq!(files(&place.path(".Sent/tmp")), [""; 0]);
}

#[test]
fn copies_keep_flags_keywords_and_dates() {
    let place = place();
    let inbox = place.inbox();
    for text in ["one\r\n", "two\r\n"] {
        deliver(&place.store, std::slice::from_ref(&place.alice), text);
    }
    inbox.sync().expect("a look");
    let work = inbox.keyword("Work").expect("a list").expect("a letter");
    let flags = work.union(Flags::FLAGGED);
    inbox
        .change_flags(&[2], FlagChange::Add, flags)
        .expect("flags");
    place
        .store
        .create(&place.alice, "Archive")
        .expect("created");
    let archive = place
        .store
        .mailbox(&place.alice, "Archive")
        .expect("Archive");
    archive.keyword("First").expect("a list");
    let (pairs, _durable) = inbox.copy(&[1, 2], &archive).expect("copied");
    assert_eq!(pairs, [(1, 1), (2, 2)]);
    let index = archive.sync().expect("a look");
    assert_eq!(
        index.messages[1].flags,
        Flags::FLAGGED.union(Flags::keyword(1))
    );
    let original = &inbox.sync().expect("a look").messages[1];
    assert_eq!(
        archive.received(&index.messages[1]),
        inbox.received(original)
    );
    assert_eq!(archive.read(2).expect("text"), b"two\r\n");
    assert!(matches!(
        inbox.copy(&[1, 3], &archive),
        Err(StoreError::NoSuchMessage)
    ));
    assert_eq!(
        uids(&archive.sync().expect("a look")),
        [1, 2],
        "all or none"
    );
    assert_eq!(files(&place.path(".Archive/tmp")), [""; 0]);
    let (pairs, _durable) = inbox.copy(&[1], &inbox).expect("copied onto itself");
    assert_eq!(pairs, [(1, 3)]);
    assert_eq!(inbox.read(3).expect("text"), b"one\r\n");
}

#[test]
fn folders_are_made_listed_renamed_and_deleted() {
    let place = place();
    let (store, alice) = (&place.store, &place.alice);
    for name in ["Sent", "Lists/Debian", "Envoyés & lus", "Lists"] {
        store.create(alice, name).expect("created");
    }
    assert!(matches!(
        store.create(alice, "Sent"),
        Err(StoreError::AlreadyExists)
    ));
    assert!(matches!(
        store.create(alice, "inBOX"),
        Err(StoreError::AlreadyExists)
    ));
    assert_eq!(
        store.mailboxes(alice).expect("a list"),
        ["INBOX", "Envoyés & lus", "Lists", "Lists/Debian", "Sent"]
    );
    assert!(place.path(".Envoy&AOk-s &- lus/maildirfolder").is_file());

    let debian = store.mailbox(alice, "Lists/Debian").expect("open");
    let validity = debian.sync().expect("a look").uid_validity;
    store.rename(alice, "Lists", "Old/Lists").expect("renamed");
    assert_eq!(
        store.mailboxes(alice).expect("a list"),
        [
            "INBOX",
            "Envoyés & lus",
            "Old/Lists",
            "Old/Lists/Debian",
            "Sent"
        ]
    );
    assert_eq!(debian.sync().expect("still open").uid_validity, validity);
    let moved = store.mailbox(alice, "Old/Lists/Debian").expect("open");
    assert!(Arc::ptr_eq(&debian, &moved));
    assert!(matches!(
        store.rename(alice, "Sent", "Old/Lists"),
        Err(StoreError::AlreadyExists)
    ));
    assert!(matches!(
        store.rename(alice, "Nothing", "X"),
        Err(StoreError::NoSuchMailbox)
    ));
    assert!(matches!(
        store.rename(alice, "Sent", "Sent/x"),
        Err(StoreError::Forbidden(_))
    ));

    store.delete(alice, "Old/Lists").expect("deleted");
    assert!(
        store.mailbox(alice, "Old/Lists/Debian").is_ok(),
        "children stay"
    );
    assert!(matches!(
        store.delete(alice, "Old/Lists"),
        Err(StoreError::NoSuchMailbox)
    ));
    assert!(matches!(
        store.delete(alice, "INBOX"),
        Err(StoreError::Forbidden(_))
    ));
    store.delete(alice, "Old/Lists/Debian").expect("deleted");
    assert!(matches!(debian.sync(), Err(StoreError::NoSuchMailbox)));
    store
        .create(alice, "Old/Lists/Debian")
        .expect("created again");
    let new = store.mailbox(alice, "Old/Lists/Debian").expect("open");
    assert!(
        new.sync().expect("a look").uid_validity > validity,
        "UIDVALIDITY rises"
    );
    assert!(matches!(debian.sync(), Err(StoreError::NoSuchMailbox)));
    assert!(!files(&alice.home).iter().any(|name| name.starts_with("..")));
}

#[test]
fn renaming_inbox_moves_its_mail() {
    let place = place();
    deliver(&place.store, std::slice::from_ref(&place.alice), "one\r\n");
    place
        .store
        .rename(&place.alice, "INBOX", "Old")
        .expect("renamed");
    let old = place.store.mailbox(&place.alice, "Old").expect("open");
    assert_eq!(
        old.read(uids(&old.sync().expect("a look"))[0])
            .expect("text"),
        b"one\r\n"
    );
    assert_eq!(uids(&place.inbox().sync().expect("a look")), [0; 0]);
}

#[test]
fn names_that_cannot_be_are_refused_with_the_reason() {
    let place = place();
    for (name, why) in [
        ("", "empty"),
        ("..", "dot"),
        ("a.b", "dot"),
        ("../bob", "dot"),
        ("/a", "begin or end"),
        ("a/", "begin or end"),
        ("a//b", "side by side"),
        ("a\0b", "control"),
        ("~bob", "~"),
        (&"x".repeat(255), "too long"),
        (&"é".repeat(120), "too long"),
        (&"x/".repeat(101), "begin or end"),
        (&format!("{}x", "x/".repeat(100)), "100 levels"),
    ] {
        match place.store.create(&place.alice, name) {
            Err(StoreError::BadName(text)) => assert!(text.contains(why), "{name:?}: {text}"),
            other => panic!("{name:?}: {other:?}"),
        }
    }
    place
        .store
        .create(&place.alice, &"x".repeat(253))
        .expect("as long as can be");
}

#[test]
fn subscriptions_are_as_dovecot_writes_them() {
    let place = place();
    let (store, alice) = (&place.store, &place.alice);
    for name in ["Lists/Debian", "inbox", "Envoyés", "INBOX"] {
        store.subscribe(alice, name).expect("subscribed");
    }
    store.unsubscribe(alice, "Nothing").expect("no error");
    assert_eq!(
        fs::read_to_string(place.path("subscriptions")).expect("a file"),
        "V\t2\n\nLists\tDebian\nINBOX\nEnvoy&AOk-s\n"
    );
    let names = store.subscriptions(alice).expect("a list");
    assert_eq!(names, ["Envoyés", "INBOX", "Lists/Debian"]);
    store.unsubscribe(alice, "INBOX").expect("unsubscribed");
    fs::write(place.path("subscriptions"), "INBOX\nA.B\n").expect("written");
    assert_eq!(
        store.subscriptions(alice).expect("version 1"),
        ["A/B", "INBOX"]
    );
}

#[test]
fn a_maildrop_is_locked_once() {
    let place = place();
    let lock = place.store.lock_maildrop(&place.alice).expect("free");
    assert!(matches!(
        place.store.lock_maildrop(&place.alice),
        Err(StoreError::Busy)
    ));
    drop(lock);
    place.store.lock_maildrop(&place.alice).expect("free again");
}

#[test]
fn a_store_that_is_dropped_is_gone() {
    let Place { store, alice, .. } = place();
    store
        .mailbox(&alice, "INBOX")
        .expect("open")
        .sync()
        .expect("a look");
    let shared = Arc::downgrade(&store.shared);
    drop(store);
    assert!(shared.upgrade().is_none());
}

#[test]
fn sessions_are_told_of_changes() {
    let place = place();
    let (told, heard) = std::sync::mpsc::channel();
    let told = Mutex::new(told);
    place.store.hub().set_waker(Box::new(move |token| {
        let _ = hold(&told).send(token);
    }));
    let inbox = place.inbox();
    inbox.sync().expect("a look");
    let subscription = place.store.hub().subscribe(&inbox, 42);
    deliver(&place.store, std::slice::from_ref(&place.alice), "one\r\n");
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), [42]);
    inbox.sync().expect("a look");
    assert_eq!(
        heard.try_iter().count(),
        1,
        "the others in the mailbox learn what one saw"
    );
    inbox.sync().expect("a look");
    assert_eq!(heard.try_iter().count(), 0);
    drop(subscription);
    inbox.expunge(&[1]).expect("expunged");
    assert_eq!(heard.try_iter().count(), 0);
}

#[test]
fn what_lies_in_tmp_for_long_is_swept_away() {
    let place = place();
    place
        .store
        .shared
        .ready_account(&place.alice.home)
        .expect("made");
    let file = fs::File::create(place.path("tmp/found")).expect("made");
    file.set_modified(SystemTime::UNIX_EPOCH).expect("set");
    let inbox = place.inbox();
    inbox.sync().expect("a look");
    assert_eq!(place.files("tmp"), ["found"], "INTERNALDATE is not its age");
    let folder = inbox.folder(&place.alice.home);
    let hours =
        |hours: u64| super::fs::nanoseconds(SystemTime::now() + Duration::from_secs(hours * 3600));
    look::sweep(&folder, hours(35));
    assert_eq!(place.files("tmp"), ["found"]);
    look::sweep(&folder, hours(37));
    assert_eq!(place.files("tmp"), [""; 0]);
}

#[test]
fn locks_of_the_dead_are_taken_over() {
    let place = place();
    let inbox = place.inbox();
    let lock = place.path("dovecot-uidlist.lock");
    // Of a former life of this pid, and of a process that is gone (pid_max is below 2^22).
    for pid in [std::process::id(), 4_194_305] {
        fs::write(&lock, format!("{pid}:{}", names::host())).expect("written");
        deliver(&place.store, std::slice::from_ref(&place.alice), "one\r\n");
        inbox.sync().expect("taken over");
        assert!(!lock.exists());
    }
}

#[test]
fn copies_in_both_directions_do_not_wait_for_each_other() {
    let place = place();
    place.store.create(&place.alice, "Other").expect("created");
    let inbox = place.inbox();
    let other = place.store.mailbox(&place.alice, "Other").expect("open");
    deliver(&place.store, std::slice::from_ref(&place.alice), "one\r\n");
    inbox.sync().expect("a look");
    inbox.copy(&[1], &other).expect("copied");
    std::thread::scope(|scope| {
        for (from, to) in [(&inbox, &other), (&other, &inbox)] {
            scope.spawn(move || {
                for _ in 0..10 {
                    from.copy(&[1], to).expect("copied");
                    to.change_flags(&[1], FlagChange::Add, Flags::SEEN)
                        .expect("flags");
                    to.change_flags(&[1], FlagChange::Remove, Flags::SEEN)
                        .expect("flags");
                }
            });
        }
    });
    let expected: Vec<u32> = (1..=11).collect();
    for mailbox in [&inbox, &other] {
        let index = mailbox.sync().expect("a look");
        assert_eq!(uids(&index), expected);
        for uid in uids(&index) {
            assert_eq!(mailbox.read(uid).expect("text"), b"one\r\n");
        }
    }
}

#[test]
fn users_are_read_again() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let file = root.path().join("users");
    fs::write(&file, "alice:{PLAIN}a\n").expect("written");
    let users = Users::read(&file).expect("good");
    let store = Store::open(root.path(), &["mail.example".to_owned()], users).expect("a store");
    let known = |name| store.users().find(name, None).is_some();
    assert!(known("alice") && !known("bob"));
    fs::write(&file, "alice:{PLAIN}a\nbob@mail.example:{PLAIN}b\n").expect("written");
    store.users().reload().expect("good");
    assert!(known("bob"));
    fs::write(&file, "bob:{PLAIN}b\nalice:{ROT13}n\n").expect("written");
    let error = store
        .users()
        .reload()
        .expect_err("unknown scheme")
        .to_string();
    assert!(error.contains("users:2: unknown scheme {ROT13}"), "{error}");
    assert!(known("alice"), "the old table stays");
    assert!(Users::read(&root.path().join("none")).is_err());
}
