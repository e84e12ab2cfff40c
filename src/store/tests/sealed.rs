//! Opening a mailbox that has not changed since its cache was sealed, and one that has.

use super::*;
use crate::store::fs::hold;
use crate::store::{Outline, cache, keywords, uidlist};

impl Place {
    /// Four messages, of which two have names that another program made; looked at so late that all is settled.
    fn sealed() -> (Self, Arc<Index>) {
        let place = place();
        let alice = std::slice::from_ref(&place.alice);
        for number in 0..2 {
            deliver(&place.store, alice, &format!("Subject: {number}\r\n\r\n"));
        }
        let inbox = place.inbox();
        inbox.sync().expect("a look");
        let flag = inbox.keyword("Work").expect("room").expect("a letter");
        let flags = flag.union(Flags::SEEN);
        inbox
            .change_flags(&[1], FlagChange::Add, flags)
            .expect("flags");
        let cur = place.path("cur");
        fs::write(cur.join("1800000000.odd"), b"Subject: no info\n\n").expect("written");
        fs::write(
            cur.join("1800000001.odd:2,XS,more"),
            b"Subject: more\r\n\r\n",
        )
        .expect("written");
        let index = place.seal();
        assert_eq!(uids(&index), [1, 2, 3, 4]);
        (place, index)
    }

    /// Looks until there is a seal.
    fn seal(&self) -> Arc<Index> {
        for _ in 0..100 {
            std::thread::sleep(Duration::from_millis(120));
            let inbox = self.inbox();
            hold(&inbox.state).stamps = None;
            let index = inbox.sync().expect("a look");
            inbox.settle().expect("on disk");
            if self.outlined().1.is_some() {
                return index;
            }
        }
        panic!("the cache is never sealed");
    }

    /// In another life of the server.
    fn outlined(&self) -> (Arc<Mailbox>, Option<Outline>) {
        let store = self.reopened();
        let inbox = store.mailbox(&self.alice, "INBOX").expect("INBOX");
        let outline = inbox.outline();
        (inbox, outline)
    }
}

fn texts(inbox: &Mailbox, index: &Index) -> Vec<String> {
    let text = |uid| String::from_utf8(inbox.read(uid).expect("text")).expect("UTF-8");
    index.messages.iter().map(|entry| text(entry.uid)).collect()
}

#[test]
fn what_has_not_changed_is_not_looked_at() {
    let (place, before) = Place::sealed();
    let (inbox, outline) = place.outlined();
    let outline = outline.expect("it is sealed");
    assert_eq!((outline.exists, outline.unseen), (4, Some(2)));
    assert_eq!(outline.uid_next, before.uid_next);
    assert_eq!(outline.uid_validity, before.uid_validity);
    assert_eq!(outline.highest_modseq, before.highest_modseq);
    assert_eq!(outline.keywords, before.keywords);
    assert_eq!(outline.object_id, place.inbox().object_id().expect("an id"));
    let index = inbox.fill(&outline).expect("read").expect("the same");
    assert_eq!(*index, *before);
    assert!(
        hold(&inbox.state).is_sketch,
        "neither list nor names are read"
    );
    assert!(inbox.outline().is_none(), "it was looked at");
    assert_eq!(texts(&inbox, &index), texts(&place.inbox(), &before));
    assert!(!hold(&inbox.state).is_sketch);
    // The names are those that the files have.
    inbox
        .change_flags(&[1, 2, 3, 4], FlagChange::Add, Flags::FLAGGED)
        .expect("flags");
    let files = place.files("cur");
    assert!(
        files.contains(&"1800000000.odd:2,F".to_owned()),
        "{files:?}"
    );
    assert!(
        files.contains(&"1800000001.odd:2,FSX,more".to_owned()),
        "{files:?}"
    );
    let store = place.reopened();
    let again = store.mailbox(&place.alice, "INBOX").expect("INBOX");
    assert_eq!(
        *again.sync().expect("a look"),
        *inbox.sync().expect("a look")
    );
}

#[test]
fn what_comes_in_afterwards_gets_the_next_uid() {
    let (place, before) = Place::sealed();
    let alice = std::slice::from_ref(&place.alice);
    let store = place.reopened();
    deliver(&store, alice, "Subject: new\r\n\r\n");
    let inbox = store.mailbox(&place.alice, "INBOX").expect("INBOX");
    assert!(inbox.outline().is_none(), "new/ has changed");
    let index = inbox.sync().expect("a look");
    assert_eq!(uids(&index), [1, 2, 3, 4, before.uid_next]);
    assert_eq!(index.messages[..4], before.messages[..]);
    assert_eq!(texts(&inbox, &index)[4], "Subject: new\r\n\r\n");
    let (place, before) = Place::sealed();
    let (inbox, _) = place.outlined();
    let mut spool = inbox.spool().expect("a spool");
    spool.append(b"Subject: appended\r\n\r\n").expect("room");
    let (uid, _) = inbox.append(spool, Flags::SEEN, None).expect("appended");
    assert_eq!(uid, before.uid_next);
    inbox.expunge(&[2]).expect("removed");
    let store = place.reopened();
    let again = store.mailbox(&place.alice, "INBOX").expect("INBOX");
    assert_eq!(uids(&again.sync().expect("a look")), [1, 3, 4, 5]);
}

#[test]
fn what_another_program_changes_is_seen() {
    type Change<'c> = (&'c str, &'c dyn Fn(&Place));
    let changes: [Change<'_>; 6] = [
        ("a name", &|place| {
            let name = &place.files("cur")[0];
            let cur = place.path("cur");
            fs::rename(cur.join(name), cur.join(format!("{name}T"))).expect("renamed");
        }),
        ("a file less", &|place| {
            fs::remove_file(place.path("cur").join(&place.files("cur")[1])).expect("removed");
        }),
        ("a file more", &|place| {
            fs::write(place.path("new/1.x"), "Subject: x\r\n\r\n").expect("written");
        }),
        ("the list", &|place| {
            let path = place.path(uidlist::FILE);
            let text = fs::read(&path).expect("a list");
            fs::write(place.path("tmp/list"), text).expect("written");
            fs::rename(place.path("tmp/list"), path).expect("renamed");
        }),
        ("keywords", &|place| {
            fs::write(place.path(keywords::FILE), "0 Play\n").expect("written");
        }),
        ("another folder in its place", &|place| {
            let (cur, copy) = (place.path("cur"), place.path("copy"));
            fs::create_dir(&copy).expect("made");
            for name in place.files("cur") {
                fs::copy(cur.join(&name), copy.join(name)).expect("copied");
            }
            fs::remove_dir_all(&cur).expect("removed");
            fs::rename(copy, cur).expect("renamed");
        }),
    ];
    for (name, change) in changes {
        let (place, _) = Place::sealed();
        change(&place);
        let (inbox, outline) = place.outlined();
        assert!(outline.is_none(), "{name}");
        let index = inbox.sync().expect("a look");
        let all = texts(&inbox, &index);
        assert_eq!(all.len(), index.messages.len(), "{name}");
        fs::remove_file(place.path(cache::FILE)).expect("removed");
        let store = place.reopened();
        let anew = store.mailbox(&place.alice, "INBOX").expect("INBOX");
        let anew = anew.sync().expect("a look");
        assert_eq!(uids(&index), uids(&anew), "{name}");
        let flags = |index: &Index| -> Vec<Flags> {
            index.messages.iter().map(|entry| entry.flags).collect()
        };
        assert_eq!(flags(&index), flags(&anew), "{name}");
        assert_eq!(index.keywords, anew.keywords, "{name}");
    }
}

#[test]
fn a_seal_that_is_damaged_is_none() {
    let (place, before) = Place::sealed();
    let path = place.path(cache::FILE);
    let whole = fs::read(&path).expect("a file");
    for at in (0..260).step_by(7) {
        let mut ruined = whole.clone();
        let at = ruined.len() - 1 - at;
        ruined[at] ^= 4;
        fs::write(&path, &ruined).expect("written");
        let (inbox, outline) = place.outlined();
        // The inode is the same: but for the damage all is as it was.
        if let Some(outline) = outline {
            assert_eq!(outline.exists, 4, "{at}");
        }
        let index = inbox.sync().expect("a look");
        assert_eq!(uids(&index), uids(&before), "{at}");
        assert_eq!(
            texts(&inbox, &index),
            texts(&place.inbox(), &before),
            "{at}"
        );
    }
}

#[test]
fn an_outline_is_filled_with_what_it_was_made_of_or_not_at_all() {
    let (place, before) = Place::sealed();
    // Another session is faster, and changes something.
    let (inbox, outline) = place.outlined();
    let outline = outline.expect("it is sealed");
    inbox.sync().expect("a look");
    inbox.expunge(&[2]).expect("removed");
    let index = inbox.fill(&outline).expect("read").expect("the same");
    assert_eq!(*index, *before);
    assert_eq!(uids(&inbox.sync().expect("a look")), [1, 3, 4]);
    // Another program puts something in: the client was told of the others.
    let (place, before) = Place::sealed();
    let (inbox, outline) = place.outlined();
    fs::write(place.path("cur/1900000000.x:2,"), "x\r\n").expect("written");
    let index = inbox.fill(&outline.expect("it is sealed")).expect("read");
    assert_eq!(uids(&index.expect("the same")), uids(&before));
    assert_eq!(inbox.sync().expect("a look").messages.len(), 5);
    // Another program takes something out.
    let (place, _) = Place::sealed();
    let (inbox, outline) = place.outlined();
    fs::remove_file(place.path("cur").join(&place.files("cur")[0])).expect("removed");
    let index = inbox.fill(&outline.expect("it is sealed")).expect("read");
    assert!(index.is_none(), "numbers of messages would mean others");
}
