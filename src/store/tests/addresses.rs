//! Whose mail goes where, and what becomes of a message for several of them.

use super::super::queue::{self, Change};
use super::*;
use crate::limits;
use crate::wire::address::Address;
use crate::wire::envelope::{Envelope, MailOptions, Notify, Recipient};

fn address(text: &str) -> Address {
    Address::parse(text.as_bytes()).expect("an address")
}

fn envelope(to: &[&str]) -> Envelope {
    Envelope {
        reverse_path: Some(address("sender@elsewhere.example")),
        recipients: to.iter().map(|to| Recipient::new(address(to))).collect(),
        ..Envelope::default()
    }
}

struct Office {
    root: tempfile::TempDir,
    store: Store,
}

/// alice, bob and carol of mail.example, dave of other.example.
fn office(aliases: &str, rules: Rules) -> Office {
    let root = tempfile::tempdir().expect("a temporary directory");
    let file = root.path().join("aliases");
    fs::write(&file, aliases).expect("written");
    let rules = Rules {
        aliases: Some(file),
        ..rules
    };
    let store = open_with(root.path(), rules).expect("a store");
    Office { root, store }
}

fn open_with(root: &Path, rules: Rules) -> io::Result<Store> {
    let accounts = ["alice", "bob", "carol", "dave@other.example"]
        .map(|name| (name.to_owned(), name.to_owned()));
    let domains = ["mail.example", "other.example"].map(str::to_owned);
    Store::open_on(
        Arc::new(Kernel),
        root,
        &domains,
        Users::plain(&accounts),
        rules,
    )
}

impl Office {
    /// `alice bob | x@elsewhere.example`, `unknown`, `elsewhere`, `full`
    fn whereabouts(&self, of: &str) -> String {
        let names = |accounts: &[Account]| -> String {
            let names: Vec<&str> = accounts.iter().map(|account| &*account.name).collect();
            names.join(" ")
        };
        match self.store.whereabouts(&address(of)) {
            Whereabouts::Mailboxes(accounts) => names(&accounts),
            Whereabouts::Aliased { local, elsewhere } => {
                let elsewhere: Vec<String> = elsewhere.iter().map(ToString::to_string).collect();
                format!("{} | {}", names(&local), elsewhere.join(" "))
            }
            Whereabouts::Unknown => "unknown".to_owned(),
            Whereabouts::Elsewhere => "elsewhere".to_owned(),
            Whereabouts::Full(account) => format!("full: {}", account.name),
        }
    }
    fn hand_in(
        &self,
        to: &[&str],
        replies: Replies,
        text: &str,
    ) -> Vec<Result<Durable, StoreError>> {
        self.hand_in_as(envelope(to), replies, text)
    }
    fn hand_in_as(
        &self,
        envelope: Envelope,
        replies: Replies,
        text: &str,
    ) -> Vec<Result<Durable, StoreError>> {
        let mut spool = self.store.draft(&envelope, replies).expect("a draft");
        spool.append(text.as_bytes()).expect("room");
        self.store.accept(spool, envelope, "ID1")
    }
    fn home(&self, name: &str) -> PathBuf {
        self.root.path().join("mail").join(name)
    }
    /// What lies in a mailbox, as it lies there.
    fn texts(&self, name: &str) -> Vec<String> {
        let new = self.home(name).join("new");
        if !new.exists() {
            return Vec::new();
        }
        let read = |name: String| fs::read_to_string(new.join(name)).expect("a message");
        files(&new).into_iter().map(read).collect()
    }
    /// The recipients of the queued messages, and whom the sender named.
    fn queued(&self) -> Vec<String> {
        let show = |one: &Recipient| match &one.original {
            Some(original) => format!("{} for {};{}", one.address, original.kind, original.address),
            None => one.address.to_string(),
        };
        let entries = self.store.queue().entries();
        entries
            .iter()
            .flat_map(|queued| queued.envelope.recipients.iter().map(show))
            .collect()
    }
}

const TEXT: &str = "Message-ID: <1@x>\r\n\r\nText\r\n";
const ALIASES: &str = "\
sales: alice, Bob, x@elsewhere.example
staff: sales, carol, dave@other.example
alice: alice, copy@elsewhere.example
info@other.example: dave@other.example
circle: round
round: circle, carol
lost: nobody
half: nobody, carol
@other.example: dave@other.example
";

#[test]
fn aliases_tags_and_catch_alls_are_followed() {
    let office = office(ALIASES, Rules::default());
    for (of, expected) in [
        ("bob", "bob"),
        ("BOB+tag@Mail.Example", "bob"),
        ("carol+a+b", "carol"),
        ("dave", "unknown"),
        ("dave@other.example", "dave@other.example"),
        (
            "sales+may",
            "alice bob | copy@elsewhere.example x@elsewhere.example",
        ),
        ("alice", "alice | copy@elsewhere.example"),
        ("circle", "carol"),
        ("lost", "unknown"),
        ("half", "carol"),
        ("info@other.example", "dave@other.example"),
        ("anything@other.example", "dave@other.example"),
        ("anything@mail.example", "unknown"),
        ("bob@elsewhere.example", "elsewhere"),
        ("\"bob@mail.example\"@mail.example", "unknown"),
        ("+tag@mail.example", "unknown"),
        ("PostMaster", "alice"),
    ] {
        assert_eq!(office.whereabouts(of), expected, "{of}");
    }
    let staff = office.whereabouts("staff");
    let expected =
        "alice bob carol dave@other.example | copy@elsewhere.example x@elsewhere.example";
    assert_eq!(staff, expected);
}

#[test]
fn rules_say_how_addresses_are_understood() {
    let rules = Rules {
        separator: Some('-'),
        postmaster: Some(address("carol")),
        catch_all: Some(address("bob")),
        ..Rules::default()
    };
    let dashes = office("", rules);
    assert_eq!(dashes.whereabouts("alice-x"), "alice");
    assert_eq!(dashes.whereabouts("alice+x"), "bob");
    assert_eq!(dashes.whereabouts("postmaster@other.example"), "carol");
    let none = Rules {
        separator: None,
        ..Rules::default()
    };
    assert_eq!(office("", none).whereabouts("alice+x"), "unknown");
    let root = tempfile::tempdir().expect("a temporary directory");
    let nobody = Rules {
        catch_all: Some(address("nobody")),
        ..Rules::default()
    };
    let error = open_with(root.path(), nobody).expect_err("nobody catches");
    assert!(
        error.to_string().contains("the catch-all is nobody"),
        "{error}"
    );
}

#[test]
fn in_development_mode_everybody_is_there_from_the_first_message_on() {
    let rules = Rules {
        accept_any: true,
        ..Rules::default()
    };
    let office = office("sales: eve, alice\n", rules);
    assert_eq!(office.whereabouts("Eve+x"), "eve");
    assert_eq!(office.whereabouts("zoe@other.example"), "zoe@other.example");
    assert_eq!(office.whereabouts("sales"), "eve alice");
    assert_eq!(office.whereabouts("\"../x\"@mail.example"), "unknown");
    assert!(!office.home("eve").exists(), "asking makes nothing");
    assert!(office.hand_in(&["eve@mail.example"], Replies::One, TEXT)[0].is_ok());
    assert_eq!(office.texts("eve").len(), 1);
    let login = |name: &str, password: &str| {
        let credentials = crate::wire::sasl::Credentials {
            authorize_as: String::new(),
            name: name.to_owned(),
            password: password.as_bytes().into(),
        };
        office
            .store
            .users()
            .verify(&credentials)
            .map(|account| account.name.to_string())
    };
    assert_eq!(
        login("zoe@other.example", "zoe").as_deref(),
        Ok("zoe@other.example")
    );
    assert!(login("eve", "wrong").is_err() && login("alice", "x").is_err());
    assert_eq!(login("alice", "alice").as_deref(), Ok("alice"));
    for number in 0..limits::ANY_MAILBOXES {
        let account = office
            .store
            .users()
            .imagined(&format!("u{number}"))
            .expect("a name");
        office.store.directory.has_delivered(&account);
    }
    assert_eq!(office.whereabouts("onemore"), "unknown");
    assert_eq!(office.whereabouts("eve"), "eve");
}

#[test]
fn a_message_for_mailboxes_here_goes_straight_into_them() {
    let office = office("", Rules::default());
    let outcomes = office.hand_in(&["alice+x@mail.example"], Replies::One, TEXT);
    assert!(outcomes.len() == 1 && outcomes[0].is_ok());
    let expected = format!(
        "Return-Path: <sender@elsewhere.example>\r\nDelivered-To: alice+x@mail.example\r\n{TEXT}"
    );
    assert_eq!(office.texts("alice"), [expected]);
    // None of several learns of the others; one file serves all.
    let to = ["bob@mail.example", "carol", "BOB@mail.example"];
    let outcomes = office.hand_in(&to, Replies::One, TEXT);
    assert!(outcomes.len() == 3 && outcomes.iter().all(Result::is_ok));
    let expected = format!("Return-Path: <sender@elsewhere.example>\r\n{TEXT}");
    assert_eq!(
        (office.texts("bob"), office.texts("carol")),
        (vec![expected.clone()], vec![expected])
    );
    use std::os::unix::fs::MetadataExt;
    let file = office
        .home("bob/new")
        .join(&files(&office.home("bob/new"))[0]);
    assert_eq!(fs::metadata(file).expect("a file").nlink(), 2);
    assert_eq!(office.queued(), [""; 0]);
    assert_eq!(files(&office.home("bob/tmp")), [""; 0]);
}

#[test]
fn as_soon_as_one_is_elsewhere_all_are_queued_once() {
    let office = office(ALIASES, Rules::default());
    let mut wanted = envelope(&[
        "bob@mail.example",
        "sales@mail.example",
        "y@elsewhere.example",
    ]);
    wanted.recipients[1].notify = Notify::Never;
    let outcomes = office.hand_in_as(wanted, Replies::One, TEXT);
    assert!(outcomes.len() == 3 && outcomes.iter().all(Result::is_ok));
    assert_eq!(
        office.queued(),
        [
            "bob@mail.example",
            "alice@mail.example for rfc822;sales@mail.example",
            "copy@elsewhere.example for rfc822;sales@mail.example",
            "x@elsewhere.example for rfc822;sales@mail.example",
            "y@elsewhere.example",
        ]
    );
    let queue = office.store.queue();
    let queued = queue.entries().pop().expect("one message");
    assert_eq!(queued.id.as_str(), "ID1");
    assert_eq!(queue.take_news(), std::slice::from_ref(&queued.id));
    assert_eq!(queued.envelope.recipients[3].notify, Notify::Never);
    assert_eq!(office.texts("bob"), [""; 0]);
    let text = queue.text(&queued.id).expect("text").read().expect("text");
    assert_eq!(
        text,
        TEXT.as_bytes(),
        "Return-Path is not passed on (RFC 5321 §4.4)"
    );
    // alice's alias is not followed again.
    for _ in 0..2 {
        let outcomes = office.store.deliver_queued(&queued.id, &[0, 1, 2]);
        assert!(outcomes[0].is_ok() && outcomes[1].is_ok());
        assert!(matches!(outcomes[2], Err(StoreError::NoSuchMailbox)));
    }
    assert_eq!(
        office.texts("alice"),
        [format!("Return-Path: <sender@elsewhere.example>\r\n{TEXT}")]
    );
    queue.record(&queued.id, &[Change::Drop]).expect("dropped");
    assert!(queue.entries().is_empty() && queue.text(&queued.id).is_err());
    assert!(matches!(
        queue.record(&queued.id, &[]),
        Err(StoreError::NoSuchMessage)
    ));
}

#[test]
fn what_is_to_be_held_is_queued_until_then() {
    let office = office("", Rules::default());
    let later = queue::now() + 3600;
    let held = Envelope {
        options: MailOptions {
            hold_until: Some(later),
            ..MailOptions::default()
        },
        ..envelope(&["bob@mail.example"])
    };
    assert!(office.hand_in_as(held, Replies::One, TEXT)[0].is_ok());
    let queue = office.store.queue();
    let queued = queue.entries().pop().expect("one message");
    assert_eq!(queued.next(), Some(later));
    queue.record(&queued.id, &[Change::Hold]).expect("held");
    assert_eq!(queue.load(&queued.id).expect("there").next(), None);
    queue.take_news();
    queue
        .record(&queued.id, &[Change::Release])
        .expect("released");
    assert!(
        queue
            .load(&queued.id)
            .expect("there")
            .next()
            .is_some_and(|next| next < later)
    );
    assert_eq!(queue.take_news(), std::slice::from_ref(&queued.id));
}

#[test]
fn a_sender_who_wants_to_be_told_of_success_is_served_by_the_queue() {
    let office = office("", Rules::default());
    let asking = |reverse_path: Option<Address>| {
        let mut envelope = envelope(&["bob@mail.example", "alice@mail.example"]);
        envelope.recipients[1].notify = Notify::On {
            success: true,
            failure: true,
            delay: false,
        };
        Envelope {
            reverse_path,
            ..envelope
        }
    };
    // For <> there is nobody to tell.
    assert!(office.hand_in_as(asking(None), Replies::One, TEXT)[0].is_ok());
    assert!(office.queued().is_empty() && office.texts("bob").len() == 1);
    let sender = Some(address("sender@elsewhere.example"));
    assert!(office.hand_in_as(asking(sender), Replies::One, TEXT)[0].is_ok());
    assert_eq!(office.queued(), ["bob@mail.example", "alice@mail.example"]);
    assert_eq!(office.texts("bob").len(), 1);
}

#[test]
fn whoever_waits_for_news_is_woken_once() {
    let office = office("", Rules::default());
    let woken = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&woken);
    office.store.queue().on_news(Box::new(move || {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }));
    for _ in 0..3 {
        assert!(office.hand_in(&["x@elsewhere.example"], Replies::One, TEXT)[0].is_ok());
    }
    let names: Vec<String> = office
        .store
        .queue()
        .take_news()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(names, ["ID1", "ID1-2", "ID1-3"]);
    assert_eq!(woken.load(std::sync::atomic::Ordering::Relaxed), 1);
}

/// No message can be put in there.
fn block(office: &Office, name: &str) {
    fs::create_dir_all(office.home(name)).expect("made");
    fs::write(office.home(name).join("new"), "no directory").expect("written");
}

#[test]
fn a_mailbox_that_fails_beside_others_is_served_from_the_queue() {
    let office = office("", Rules::default());
    block(&office, "bob");
    let to = [
        "alice@mail.example",
        "bob@mail.example",
        "carol@mail.example",
    ];
    let outcomes = office.hand_in(&to, Replies::One, TEXT);
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(office.queued(), ["bob@mail.example"]);
    assert_eq!(
        (office.texts("alice").len(), office.texts("carol").len()),
        (1, 1)
    );
    fs::remove_file(office.home("bob/new")).expect("removed");
    let id = office.store.queue().entries()[0].id.clone();
    assert!(office.store.deliver_queued(&id, &[0])[0].is_ok());
    assert_eq!(office.texts("bob"), office.texts("alice"));
}

#[test]
fn lmtp_is_told_of_each_failure() {
    let office = office("both: alice, bob\n", Rules::default());
    block(&office, "bob");
    let outcomes = office.hand_in(
        &["bob@mail.example", "carol@mail.example"],
        Replies::Each,
        TEXT,
    );
    assert!(outcomes[0].is_err() && outcomes[1].is_ok(), "{outcomes:?}");
    assert_eq!(office.queued(), [""; 0]);
    // Of an alias, some were served: the client must not send it again.
    let outcomes = office.hand_in(&["both@mail.example"], Replies::Each, TEXT);
    assert!(outcomes[0].is_ok(), "{outcomes:?}");
    assert_eq!(
        office.queued(),
        ["bob@mail.example for rfc822;both@mail.example"]
    );
}

#[test]
fn when_all_fail_nothing_is_kept() {
    let office = office("", Rules::default());
    let outcomes = {
        let wanted = envelope(&["bob@mail.example", "carol@mail.example"]);
        let mut spool = office.store.draft(&wanted, Replies::One).expect("a draft");
        spool.append(TEXT.as_bytes()).expect("room");
        for name in ["bob", "carol"] {
            let _ = fs::remove_dir(office.home(name).join("new"));
            block(&office, name);
        }
        office.store.accept(spool, wanted, "ID1")
    };
    assert!(
        outcomes.len() == 2 && outcomes.iter().all(Result::is_err),
        "{outcomes:?}"
    );
    assert_eq!(office.queued(), [""; 0]);
    assert_eq!(files(&office.home("bob/tmp")), [""; 0]);
}

#[test]
fn when_the_queue_fails_too_what_was_delivered_is_taken_back() {
    let office = office("", Rules::default());
    block(&office, "bob");
    let place = office.root.path().join("queue");
    let wanted = envelope(&["alice@mail.example", "bob@mail.example"]);
    let mut spool = office.store.draft(&wanted, Replies::One).expect("a draft");
    spool.append(TEXT.as_bytes()).expect("room");
    fs::remove_dir_all(&place).expect("removed");
    let outcomes = office.store.accept(spool, wanted, "ID1");
    assert!(outcomes.iter().all(Result::is_err), "{outcomes:?}");
    assert_eq!(
        office.texts("alice"),
        [""; 0],
        "or the client's next try doubles it"
    );
}

#[test]
fn an_lmtp_delivery_that_comes_again_is_not_doubled() {
    let office = office("", Rules::default());
    let text = |trace: &str| format!("Received: {trace}\r\n{TEXT}");
    for trace in ["one", "another"] {
        let outcomes = office.hand_in(&["alice@mail.example"], Replies::Each, &text(trace));
        assert!(outcomes[0].is_ok());
        assert_eq!(office.texts("alice").len(), 1);
    }
    // To somebody else as well: only that one gets it.
    let to = ["alice@mail.example", "bob@mail.example"];
    assert!(
        office
            .hand_in(&to, Replies::Each, &text("third"))
            .iter()
            .all(Result::is_ok)
    );
    assert_eq!(
        (office.texts("alice").len(), office.texts("bob").len()),
        (1, 1)
    );
    // Whoever says it twice by SMTP means it twice.
    for count in [2, 3] {
        assert!(office.hand_in(&["alice@mail.example"], Replies::One, &text("one"))[0].is_ok());
        assert_eq!(office.texts("alice").len(), count);
    }
}

#[test]
fn a_quota_is_kept_and_shared_with_other_programs() {
    let quota = Quota {
        octets: Some(1000),
        messages: Some(3),
    };
    let rules = Rules {
        quota,
        ..Rules::default()
    };
    let office = office("", rules);
    let send = |text: &str| {
        office
            .hand_in(&["alice@mail.example"], Replies::One, text)
            .pop()
            .expect("one")
    };
    assert!(send(TEXT).is_ok());
    let sizes = || fs::read_to_string(office.home("alice/maildirsize")).expect("a file");
    let octets = office.texts("alice")[0].len();
    assert_eq!(sizes(), format!("1000S,3C\n0 0\n{octets} 1\n"));
    assert!(matches!(
        send(&format!("{TEXT}{}", "x".repeat(990))),
        Err(StoreError::OverQuota)
    ));
    assert!(send(TEXT).is_ok() && send(TEXT).is_ok());
    assert_eq!(office.whereabouts("alice"), "full: alice");
    assert!(matches!(send(TEXT), Err(StoreError::OverQuota)));
    assert_eq!(office.texts("alice").len(), 3);
    // Somebody else removes a message, and says so.
    let new = office.home("alice/new");
    fs::remove_file(new.join(&files(&new)[0])).expect("removed");
    let mut said = sizes();
    said.push_str(&format!("-{octets} -1\n"));
    fs::write(office.home("alice/maildirsize"), said).expect("written");
    assert!(send(TEXT).is_ok());
    // Somebody removes one and does not say so: before anybody is refused, it is counted.
    fs::remove_file(new.join(&files(&new)[0])).expect("removed");
    assert!(send(TEXT).is_ok(), "{}", sizes());
    // So it is with a file of another quota, and with one that is damaged.
    for damaged in ["9S\n0 0\n", "1000S,3C\nx\n", ""] {
        fs::write(office.home("alice/maildirsize"), damaged).expect("written");
        assert!(
            matches!(send(TEXT), Err(StoreError::OverQuota)),
            "{damaged:?}"
        );
        assert_eq!(sizes(), format!("1000S,3C\n{} 3\n", 3 * octets));
    }
    // What a client does with the mailbox counts.
    let alice = office.store.users().find("alice", None).expect("alice");
    let inbox = office.store.mailbox(&alice, "INBOX").expect("open");
    let uids = uids(&inbox.sync().expect("a look"));
    assert!(matches!(
        inbox.copy(&uids[..1], &inbox),
        Err(StoreError::OverQuota)
    ));
    let mut spool = inbox.spool().expect("a spool");
    spool.append(TEXT.as_bytes()).expect("room");
    assert!(matches!(
        inbox.append(spool, Flags::SEEN, None),
        Err(StoreError::OverQuota)
    ));
    inbox.expunge(&uids[..2]).expect("expunged");
    assert_eq!(
        sizes(),
        format!("1000S,3C\n{} 3\n-{} -2\n", 3 * octets, 2 * octets)
    );
    let other = {
        office.store.create(&alice, "Other").expect("created");
        office.store.mailbox(&alice, "Other").expect("open")
    };
    inbox.copy(&uids[2..], &other).expect("room for two more");
    assert!(send(TEXT).is_ok() && send(TEXT).is_err());
    office.store.delete(&alice, "Other").expect("deleted");
    assert!(send(TEXT).is_ok() && send(TEXT).is_err());
}

#[test]
fn aliases_are_read_again_and_a_mistake_keeps_the_old_ones() {
    let office = office("sales: alice\n", Rules::default());
    let file = office.root.path().join("aliases");
    fs::write(&file, "sales: bob\n").expect("written");
    office.store.reload().expect("good");
    assert_eq!(office.whereabouts("sales"), "bob");
    fs::write(&file, "sales: carol\nx: |program\n").expect("written");
    let error = office.store.reload().expect_err("a program").to_string();
    assert!(
        error.contains("aliases:2: \"|program\" is a program"),
        "{error}"
    );
    assert_eq!(office.whereabouts("sales"), "bob");
    let rules = Rules {
        aliases: Some(office.root.path().join("none")),
        ..Rules::default()
    };
    let error = open_with(office.root.path(), rules)
        .expect_err("no file")
        .to_string();
    assert!(error.contains("none: there is no such file"), "{error}");
}

#[test]
fn changed_files_are_seen_without_being_asked_for() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (users, aliases) = (folder.path().join("users"), folder.path().join("aliases"));
    fs::write(&users, "alice:{PLAIN}a\n").expect("written");
    fs::write(&aliases, "sales: alice\n").expect("written");
    let rules = Rules {
        aliases: Some(aliases.clone()),
        ..Rules::default()
    };
    let domains = ["mail.example".to_owned()];
    let table = Users::read(&users).expect("good");
    let store = Store::open_with(root.path(), &domains, table, rules).expect("a store");
    let soon = |what: &str, is_so: &dyn Fn() -> bool| {
        let begun = std::time::Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let knows = |name: &str| store.whereabouts(&address(name)) != Whereabouts::Unknown;
    assert!(!knows("bob") && !knows("info"));
    fs::write(&users, "alice:{PLAIN}a\nbob:{PLAIN}b\n").expect("written");
    soon("a file that was written", &|| knows("bob"));
    let draft = folder.path().join("draft");
    fs::write(&draft, "info: bob\n").expect("written");
    fs::rename(&draft, &aliases).expect("renamed");
    soon("a file that was put in its place", &|| {
        knows("info") && !knows("sales")
    });
    // What is wrong changes nothing, and costs nobody their mail.
    fs::write(&aliases, "info: |program\n").expect("written");
    fs::write(&users, "alice:{PLAIN}a\nbob:{PLAIN}b\ncarol:{PLAIN}c\n").expect("written");
    soon("the other file", &|| knows("carol"));
    assert!(knows("info"));
    // Who writes a file anew cuts it off first; nobody is unknown meanwhile.
    let begun = std::time::Instant::now();
    let mut file = fs::File::create(&users).expect("cut off");
    std::thread::sleep(Duration::from_millis(100));
    let known = knows("carol");
    if begun.elapsed() < Duration::from_millis(800) {
        assert!(known, "half of a file was taken for the whole");
    }
    std::io::Write::write_all(&mut file, b"dave:{PLAIN}d\n").expect("written");
    drop(file);
    soon("what was written then", &|| knows("dave"));
    assert!(!knows("carol"));
    // One that stays empty is meant to be.
    fs::write(&users, "").expect("written");
    soon("an empty file", &|| !knows("dave"));
}
