//! What is told of mailboxes that others make, rename and delete.

use super::*;
use crate::store::Users;
use crate::wire::imap::command::Events;

fn store(folder: &std::path::Path) -> (Store, Account) {
    let users = Users::plain(&[("alice".to_owned(), "secret".to_owned())]);
    let store = Store::open(folder, &["example.org".to_owned()], users).unwrap();
    let account = store.users().find("alice", None).unwrap();
    (store, account)
}

fn look(account: &Account, known: Vec<Known>, first: bool) -> Survey {
    Survey {
        account: account.clone(),
        groups: Arc::from([Group {
            which: Which::Personal,
            events: Events {
                names: true,
                ..Events::default()
            },
        }]),
        known,
        guests: Vec::new(),
        token: 1,
        marks: Marks {
            names: !first,
            ..Marks::default()
        },
        own: Vec::new(),
        first: first.then_some(Status::Untold),
        selected: None,
        speech: Speech::default(),
        aware: Awareness::default(),
    }
}

#[test]
fn a_mailbox_renamed_before_anybody_told_is_told_with_its_old_name() {
    let folder = tempfile::tempdir().unwrap();
    let (store, account) = store(folder.path());
    store.create(&account, "One").unwrap();
    store.create(&account, "One/Below").unwrap();
    let surveyed = look(&account, Vec::new(), true).run(&store).unwrap();
    assert_eq!(surveyed.lines, b"");
    store.rename(&account, "One", "Two").unwrap();
    let surveyed = look(&account, surveyed.known, false).run(&store).unwrap();
    let lines = String::from_utf8(surveyed.lines).unwrap();
    assert_eq!(
        lines,
        "* LIST (\\HasChildren) \"/\" Two (\"OLDNAME\" (One))\r\n"
    );
    // A name that comes back is another mailbox, even on the same inode.
    store.delete(&account, "Two/Below").unwrap();
    store.create(&account, "Two/New").unwrap();
    let surveyed = look(&account, surveyed.known, false).run(&store).unwrap();
    let lines = String::from_utf8(surveyed.lines).unwrap();
    assert!(!lines.contains("OLDNAME"), "{lines}");
}

#[test]
fn mailboxes_of_ones_own_are_personal_whatever_another_program_called_them() {
    let folder = tempfile::tempdir().unwrap();
    let (store, account) = store(folder.path());
    let surveyed = look(&account, Vec::new(), true).run(&store).unwrap();
    for part in ["cur", "new", "tmp"] {
        let made = folder.path().join("mail/alice/.shared.bob.x").join(part);
        std::fs::create_dir_all(made).unwrap();
    }
    let surveyed = look(&account, surveyed.known, false).run(&store).unwrap();
    assert_eq!(
        String::from_utf8(surveyed.lines).unwrap(),
        "* LIST (\\HasNoChildren) \"/\" shared/bob/x\r\n"
    );
    std::fs::remove_dir_all(folder.path().join("mail/alice/.shared.bob.x")).unwrap();
    let surveyed = look(&account, surveyed.known, false).run(&store).unwrap();
    assert_eq!(
        String::from_utf8(surveyed.lines).unwrap(),
        "* LIST (\\NonExistent) \"/\" shared/bob/x\r\n"
    );
}
