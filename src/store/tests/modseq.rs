//! Mod-sequences, and the file that keeps them, with other programs at work and without.

use super::*;
use crate::limits;
use crate::store::cache;

impl Place {
    /// What a session that looks now may show.
    fn shown(&self, mailbox: &Mailbox) -> Arc<Index> {
        let index = mailbox.sync().expect("a look");
        mailbox.settle().expect("on disk");
        index
    }
    fn filled(messages: usize) -> Self {
        let place = place();
        let alice = std::slice::from_ref(&place.alice);
        for number in 0..messages {
            deliver(&place.store, alice, &format!("Subject: {number}\r\n\r\n"));
        }
        place
    }
    /// In another life of the server.
    fn again(&self) -> Arc<Index> {
        let store = self.reopened();
        let inbox = store.mailbox(&self.alice, "INBOX").expect("INBOX");
        self.shown(&inbox)
    }
}

fn modseqs(index: &Index) -> Vec<u64> {
    index.messages.iter().map(|entry| entry.modseq).collect()
}

#[test]
fn each_change_gets_the_next_modseq_and_keeps_it() {
    let place = place();
    let inbox = place.inbox();
    assert_eq!(
        place.shown(&inbox).highest_modseq,
        1,
        "RFC 7162 §3.1: never 0"
    );
    drop(inbox);
    let place = Place::filled(3);
    let inbox = place.inbox();
    let index = place.shown(&inbox);
    assert_eq!((modseqs(&index), index.highest_modseq), (vec![2, 2, 2], 2));
    let index = inbox
        .change_flags(&[1, 3], FlagChange::Add, Flags::SEEN)
        .expect("flags");
    assert_eq!((modseqs(&index), index.highest_modseq), (vec![3, 2, 3], 3));
    let index = inbox
        .change_flags(&[1], FlagChange::Add, Flags::SEEN)
        .expect("flags");
    assert_eq!(index.highest_modseq, 3, "nothing has changed");
    inbox.expunge(&[2]).expect("removed");
    let index = place.shown(&inbox);
    assert_eq!((modseqs(&index), index.highest_modseq), (vec![3, 3], 4));
    assert_eq!(inbox.vanished(3), [(2, 2)]);
    assert_eq!(inbox.vanished(4), []);
    let mut spool = inbox.spool().expect("a spool");
    spool.append(b"more\r\n").expect("room");
    inbox
        .append(spool, Flags::default(), None)
        .expect("appended");
    let index = place.shown(&inbox);
    assert_eq!(modseqs(&index), [3, 3, 5]);
    assert_eq!(*place.again(), *index, "the next life knows the same");
}

#[test]
fn what_others_changed_while_we_were_away_is_seen() {
    let place = Place::filled(3);
    let before = place.again();
    let files = place.files("cur");
    let rename = |from: &str, to: &str| {
        fs::rename(place.path("cur").join(from), place.path("cur").join(to)).expect("renamed");
    };
    rename(&files[0], &format!("{}F", files[0]));
    fs::remove_file(place.path("cur").join(&files[1])).expect("removed");
    fs::write(place.path("new/1.foreign"), "Subject: LF\n\ntext\n").expect("written");
    let store = place.reopened();
    let inbox = store.mailbox(&place.alice, "INBOX").expect("INBOX");
    let index = place.shown(&inbox);
    let high = before.highest_modseq;
    assert_eq!(uids(&index), [1, 3, 4]);
    assert_eq!(modseqs(&index), [high + 1, high, high + 1]);
    assert_eq!(index.messages[2].size, 21, "with CRLF line ends");
    assert_eq!(inbox.vanished(high), [(2, 2)]);
    assert_eq!(*place.again(), *index);
}

#[test]
fn a_file_that_is_ruined_deleted_or_old_never_takes_a_modseq_back() {
    let place = Place::filled(3);
    let inbox = place.inbox();
    let first = place.shown(&inbox);
    let path = place.path(cache::FILE);
    let whole = fs::read(&path).expect("a file");
    let flagged = |store: &Store| {
        let inbox = store.mailbox(&place.alice, "INBOX").expect("INBOX");
        inbox
            .change_flags(&[1], FlagChange::Add, Flags::FLAGGED)
            .expect("flags");
        place.shown(&inbox)
    };
    let mut last = flagged(&place.store);
    let ruin: [&dyn Fn(); 5] = [
        &|| fs::remove_file(&path).expect("removed"),
        &|| fs::write(&path, b"").expect("written"),
        &|| fs::write(&path, &whole[..whole.len() - 3]).expect("written"),
        &|| {
            let mut bytes = whole.clone();
            bytes[30] ^= 4;
            fs::write(&path, bytes).expect("written");
        },
        &|| fs::write(&path, [0xff; 4000]).expect("written"),
    ];
    for ruin in ruin {
        ruin();
        let index = place.again();
        assert!(index.highest_modseq > last.highest_modseq);
        for entry in &index.messages {
            assert!(entry.modseq > last.highest_modseq, "who knew it asks again");
        }
        assert_eq!(*place.again(), *index, "it was made anew");
        last = index;
    }
    assert_eq!(first.messages[1].received, last.messages[1].received);
}

#[test]
fn a_file_that_goes_under_us_is_made_anew_with_what_we_know() {
    let place = Place::filled(2);
    let inbox = place.inbox();
    place.shown(&inbox);
    fs::remove_file(place.path(cache::FILE)).expect("removed");
    let change = |flags| {
        inbox
            .change_flags(&[2], FlagChange::Add, flags)
            .expect("flags");
        place.shown(&inbox)
    };
    let index = change(Flags::SEEN);
    assert_eq!(modseqs(&index), [2, 3]);
    assert_eq!(*place.again(), *index);
    // Whoever else writes it has given mod-sequences that are not given again.
    let other = place.reopened();
    let theirs = other.mailbox(&place.alice, "INBOX").expect("INBOX");
    theirs
        .change_flags(&[1], FlagChange::Add, Flags::DRAFT)
        .expect("flags");
    let index = change(Flags::FLAGGED);
    assert!(index.highest_modseq >= 4);
    assert!(place.again().highest_modseq >= index.highest_modseq);
}

#[test]
fn the_file_stays_small_however_often_flags_change() {
    let place = Place::filled(2);
    let inbox = place.inbox();
    place.shown(&inbox);
    for _ in 0..limits::CACHE_HISTORY {
        for change in [FlagChange::Add, FlagChange::Remove] {
            inbox
                .change_flags(&[1], change, Flags::SEEN)
                .expect("flags");
        }
    }
    let octets = fs::metadata(place.path(cache::FILE)).expect("a file").len();
    assert!(octets < 50_000, "{octets}");
    let index = place.shown(&inbox);
    assert_eq!(index.highest_modseq, 2 + 2 * limits::CACHE_HISTORY as u64);
    assert_eq!(*place.again(), *index);
    assert_eq!(place.files("tmp"), [""; 0]);
}

#[test]
fn a_mailbox_whose_uids_begin_anew_tells_nothing_of_the_old_ones() {
    let place = Place::filled(2);
    let inbox = place.inbox();
    let before = place.shown(&inbox);
    inbox.expunge(&[1]).expect("removed");
    fs::remove_file(place.path("dovecot-uidlist")).expect("removed");
    let index = place.again();
    assert_ne!(index.uid_validity, before.uid_validity);
    assert_eq!(uids(&index), [1]);
    assert!(index.highest_modseq > before.highest_modseq);
}
