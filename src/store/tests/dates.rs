//! INTERNALDATE, which is found out late.

use super::*;

#[test]
fn when_messages_came_is_found_out_when_somebody_asks() {
    let place = place();
    let inbox = place.inbox();
    for (name, seconds) in [("1.a", 1_000_000_000), ("2.b", 1_000_000_001)] {
        let path = place.path("cur").join(name);
        fs::write(&path, "Subject: x\n\ny\n").expect("written");
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        let file = fs::File::options().write(true).open(&path);
        file.and_then(|file| file.set_modified(time)).expect("set");
    }
    let before = inbox.sync().expect("a look");
    let known = |index: &Index| -> Vec<i64> {
        let messages = index.messages.iter();
        messages.map(|entry| entry.received).collect()
    };
    assert_eq!(known(&before), [NOT_ASKED; 2]);
    let moved = place.path("cur").join("2.b:2,S");
    fs::rename(place.path("cur").join("2.b"), moved).expect("renamed");
    let dates = [1_000_000_000, 1_000_000_001];
    for (entry, date) in before.messages.iter().zip(dates) {
        assert_eq!(inbox.received(entry), date, "UID {}", entry.uid);
    }
    let after = inbox.sync().expect("a look");
    assert_eq!(after.messages[0].modseq, before.messages[0].modseq);
    inbox.received(&after.messages[1]);
    assert_eq!(known(&inbox.sync().expect("a look")), dates);
    let again = place.reopened();
    let again = again.mailbox(&place.alice, "INBOX").expect("INBOX");
    let index = again.sync().expect("a look");
    assert_eq!(known(&index), dates, "it was kept");
    fs::remove_file(place.path("cur").join("1.a")).expect("removed");
    let mut entry = index.messages[0].clone();
    entry.received = NOT_ASKED;
    again.sync().expect("a look");
    assert_eq!(again.received(&entry), 0, "it is gone");
}
