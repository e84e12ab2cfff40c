//! Files about a mailbox that others may have written: who may do what (`dovecot-acl`), notes, keys of URLs, what is held
//! (`maildirsize`). Nobody gets more than is written, what is changed is read back, and what else there is stays.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use mailtool::store::{Quota, Rules, Store, Users};
use mailtool::wire::imap::rights::Rights;
use mailtool_fuzz::stage::{HOST, folder};

/// What its owner calls it, and what the other user does.
const OWN: &str = "b";
const OTHERS: &str = "shared/alice/b";

fuzz_target!(|files: [&[u8]; 4]| {
    let folder = folder();
    let home = folder.path().join("mail/alice");
    let maildir = home.join(".b");
    for place in [&home, &maildir] {
        for name in ["cur", "new", "tmp"] {
            fs::create_dir_all(place.join(name)).expect("made");
        }
    }
    fs::write(maildir.join("maildirfolder"), b"").expect("written");
    fs::write(maildir.join("cur/1,S=14:2,"), b"Subject: x\n\ny\n").expect("written");
    for (name, octets) in [
        ("dovecot-acl", files[0]),
        ("mailtool-metadata", files[1]),
        ("mailtool-url-key", files[2]),
    ] {
        fs::write(maildir.join(name), octets).expect("written");
    }
    fs::write(home.join("maildirsize"), files[3]).expect("written");
    let people = ["alice", "bob"].map(|name| (name.to_owned(), "secret".to_owned()));
    let quota = Quota {
        octets: Some(1000),
        messages: Some(10),
    };
    let rules = Rules {
        quota,
        ..Rules::default()
    };
    let domains = [HOST.to_owned()];
    let store =
        Store::open_with(folder.path(), &domains, Users::plain(&people), rules).expect("opened");
    let [alice, bob] = ["alice", "bob"].map(|name| store.users().find(name, None).expect(name));

    // Whoever may look it up sees it, and nobody else does.
    let before = store.acl(&alice, OWN).expect("its owner may always ask");
    let seen = store
        .others(&bob)
        .into_iter()
        .find(|one| one.name == OTHERS);
    let may = store.rights_now(&bob, OTHERS);
    assert_eq!(
        seen.map(|one| one.rights),
        may.contains(Rights::LOOKUP).then_some(may)
    );
    assert_eq!(
        store.mailbox(&bob, OTHERS).is_ok(),
        may.contains(Rights::READ)
    );
    // One line changes, and no other.
    let given = Rights::parse("lr").expect("rights");
    store
        .change_acl(&alice, OWN, "bob", |_| Some(given))
        .expect("changed");
    let after = store.acl(&alice, OWN).expect("asked");
    let without = |all: &[(String, Rights)]| {
        let mut all = all.to_vec();
        all.retain(|(name, _)| name != "bob");
        all
    };
    assert_eq!(without(&after), without(&before));
    assert!(after.contains(&("bob".to_owned(), given)), "{after:?}");
    assert!(given.contains(store.rights_now(&bob, OTHERS)));

    let held = store
        .held(&alice)
        .expect("counted")
        .expect("there is a quota");
    assert_eq!(held.quota.octets, Some(1000));
    // An owner can deny himself everything but to see it and to give it back.
    if !store.rights_now(&alice, OWN).contains(Rights::READ) {
        assert!(store.url_key(&alice, OWN).is_err());
        return;
    }
    // A note is read back, and those of before are still there.
    let entry = "/private/comment".to_owned();
    let notes = store.notes(&alice, OWN, |_| true).expect("read");
    let change = [(entry.clone(), Some(b"\tx\r\n".to_vec()))];
    if store.note(&alice, OWN, &change, 0).is_ok() {
        let mut now = store.notes(&alice, OWN, |_| true).expect("read");
        assert!(
            now.contains(&(entry.clone(), b"\tx\r\n".to_vec())),
            "{now:?}"
        );
        now.retain(|(name, _)| *name != entry);
        let kept: Vec<_> = notes
            .into_iter()
            .filter(|(name, _)| *name != entry)
            .collect();
        assert_eq!(now, kept);
    }
    // What is not a key is none; the one that is made stays.
    let known = store.url_key(&alice, OWN).expect("read");
    assert_eq!(known.is_some(), files[2].len() == 32);
    let key = store.make_url_key(&alice, OWN).expect("made");
    assert!(known.is_none_or(|known| known == key));
    assert_eq!(store.url_key(&alice, OWN).expect("read"), Some(key));
});
