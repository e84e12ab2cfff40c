//! Files that lie in a store and may have been written by others: the store opens, and keeps its word.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use mailtool::store::{Digest, FlagChange, Flags, Store, Users};
use mailtool_fuzz::stage::{HOST, folder};

fuzz_target!(|files: [&[u8]; 5]| {
    let folder = folder();
    let passwords = folder.path().join("users");
    fs::write(&passwords, files[2]).expect("written");
    let _ = Users::read(&passwords);
    let maildir = folder.path().join("mail/alice");
    for name in ["cur", "new", "tmp"] {
        fs::create_dir_all(maildir.join(name)).expect("made");
    }
    for (name, at) in [
        ("1.M1.host:2,Sa", "cur"),
        ("2.M2.host,S=30", "new"),
        ("3", "new"),
    ] {
        fs::write(maildir.join(at).join(name), b"Subject: x\n\ny\n").expect("written");
    }
    fs::write(maildir.join("dovecot-uidlist"), files[0]).expect("written");
    fs::write(maildir.join("mailtool-cache"), files[3]).expect("written");
    fs::write(maildir.join("mailtool-digests"), files[4]).expect("written");
    fs::write(maildir.join("dovecot-keywords"), files[1]).expect("written");
    fs::write(maildir.join("subscriptions"), files[1]).expect("written");
    let accounts = [("alice".to_owned(), "secret".to_owned())];
    let open =
        || Store::open(folder.path(), &[HOST.to_owned()], Users::plain(&accounts)).expect("opened");
    let store = open();
    let account = store.users().find("alice", None).expect("alice");
    let _ = (store.mailboxes(&account), store.subscriptions(&account));
    let Ok(mailbox) = store.mailbox(&account, "INBOX") else {
        return;
    };
    let Ok(index) = mailbox.sync() else {
        return;
    };
    let uids: Vec<_> = index.messages.iter().map(|entry| entry.uid).collect();
    assert_eq!(uids.len(), 3);
    assert!(index.uid_validity > 0 && uids[0] > 0);
    assert!(
        uids.is_sorted_by(|a, b| a < b) && uids[2] < index.uid_next,
        "{uids:?}"
    );
    let _ = mailbox.change_flags(&uids[..1], FlagChange::Add, Flags::SEEN);
    for &uid in &uids {
        assert_eq!(mailbox.read(uid).expect("read").len(), 17);
    }
    // What is not known is made, and then known; damage that is found late costs what was known before.
    let kinds = [Digest::Envelope, Digest::Order];
    for round in 0..3 {
        let mut digests = mailbox.digests(index.uid_validity);
        for &uid in &uids {
            let (mut known, mut ends) = (Vec::new(), Vec::new());
            let is_known = digests.take(uid, &kinds, &mut known, &mut ends);
            assert_eq!(ends.len(), if is_known { kinds.len() } else { 0 });
            assert_eq!(ends.last().copied().unwrap_or(0), known.len());
            assert!(is_known || round < 2, "{uid}");
            if !is_known {
                for kind in kinds {
                    digests.add(uid, kind, &uid.to_le_bytes());
                }
            }
        }
        digests.finish();
    }
    // The next program sees the same; one at a time serves a store.
    drop((mailbox, account, store));
    let other = open();
    let account = other.users().find("alice", None).expect("alice");
    let again = other
        .mailbox(&account, "INBOX")
        .and_then(|mailbox| mailbox.sync())
        .expect("opened");
    let uids_again: Vec<_> = again.messages.iter().map(|entry| entry.uid).collect();
    assert_eq!((uids_again, again.uid_validity), (uids, index.uid_validity));
});
