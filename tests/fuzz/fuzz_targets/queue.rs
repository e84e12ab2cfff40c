//! Files that lie in the queue's folder, and the file of aliases: what is read is written and read again, and the store opens.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use mailtool::store::queue::{Read, read, write};
use mailtool::store::{Rules, Store, Users, Whereabouts};
use mailtool::wire::address::Address;
use mailtool_fuzz::stage::{HOST, folder};

fuzz_target!(|files: [&[u8]; 2]| {
    let id = || "Q1".parse().expect("a name");
    let entry = [
        b"mailtool queue 1\narrival 1\noctets 3\npreface 0\nfrom <>\nto <alice@x.example>\n"
            .as_slice(),
        files[0],
    ]
    .concat();
    for bytes in [files[0], &entry] {
        if let Read::Whole { queued, .. } = read(id(), bytes) {
            let text = write(&queued);
            let again = read(id(), text.as_bytes());
            let Read::Whole {
                queued: again,
                torn: false,
            } = again
            else {
                panic!("{again:?}");
            };
            assert_eq!(again, queued, "{text}");
        }
    }
    let folder = folder();
    let queue = folder.path().join("queue");
    fs::create_dir(&queue).expect("made");
    fs::write(queue.join("Q1.entry"), &entry).expect("written");
    fs::write(queue.join("Q1.text"), "a\r\n").expect("written");
    fs::write(queue.join("Q2.text"), "a\r\n").expect("written");
    let aliases = folder.path().join("aliases");
    fs::write(&aliases, files[1]).expect("written");
    let accounts = [("alice".to_owned(), "secret".to_owned())];
    let rules = Rules {
        aliases: Some(aliases),
        ..Rules::default()
    };
    let Ok(store) = Store::open_with(
        folder.path(),
        &[HOST.to_owned()],
        Users::plain(&accounts),
        rules,
    ) else {
        return;
    };
    for queued in store.queue().entries() {
        assert_eq!(
            store.queue().text(&queued.id).expect("text").octets(),
            queued.octets
        );
        assert!(!queued.is_done());
    }
    for name in ["alice", "a", "b", "postmaster"] {
        let address = Address::parse(name.as_bytes()).expect("a name");
        if let Whereabouts::Mailboxes(accounts) = store.whereabouts(&address) {
            assert!(!accounts.is_empty());
        }
    }
});
