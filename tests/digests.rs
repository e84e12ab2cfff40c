//! What is answered from `mailtool-digests` is what the messages themselves say, whatever has become of the file.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use mailtool::proto::imap::arrange::{Arranged, Arranging};
use mailtool::proto::imap::fetch::{Fetch, Piece};
use mailtool::proto::imap::message::Left;
use mailtool::proto::imap::search::{Search, Test};
use mailtool::proto::imap::view::View;
use mailtool::store::{Account, Flags, Mailbox, Store, Users};
use mailtool::wire::imap::arrange::{Arrangement, Criterion, Direction, SortKey, Threading};
use mailtool::wire::imap::command::{Access, Numbering};
use mailtool::wire::imap::fetch::{Item, Name, Reading, Section, SectionText, Text};
use mailtool::wire::imap::search::Key;
use mailtool::wire::imap::set::Ranges;

struct Tree {
    folder: tempfile::TempDir,
    store: Store,
    alice: Account,
}

impl Tree {
    fn plant(messages: &[Vec<u8>]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(&folder);
        let alice = store.users().find("alice", None).expect("alice");
        drop(store.mailbox(&alice, "INBOX").expect("INBOX"));
        for (message, number) in messages.iter().zip(1..) {
            // As another program may have written them, LF at the ends and all.
            let name = format!("{}.{number}.odd:2,S", 1_700_000_000 + number);
            fs::create_dir_all(alice.home.join("cur")).expect("a folder");
            fs::write(alice.home.join("cur").join(name), message).expect("written");
        }
        Self {
            folder,
            store,
            alice,
        }
    }

    fn inbox(&self) -> Arc<Mailbox> {
        self.store.mailbox(&self.alice, "INBOX").expect("INBOX")
    }

    fn file(&self) -> PathBuf {
        self.alice.home.join("mailtool-digests")
    }

    /// The server's next life.
    fn again(self) -> Self {
        let Self { folder, store, .. } = self;
        drop(store);
        let store = open(&folder);
        let alice = store.users().find("alice", None).expect("alice");
        Self {
            folder,
            store,
            alice,
        }
    }

    fn answers(&self) -> String {
        self.answers_to(&items(), &KEYS)
    }

    /// All that comes from digests, and nothing else.
    fn answers_from_digests(&self) -> String {
        let mut items = items();
        items.truncate(5);
        let last = items
            .pop()
            .into_iter()
            .chain([fields(&["Message-ID", "Content-Type"])]);
        items.extend(last);
        self.answers_to(&items, &KEYS[..5])
    }

    fn answers_to(&self, items: &[Item], keys: &[(&str, &str)]) -> String {
        let inbox = self.inbox();
        let index = inbox.sync().expect("a look");
        let view = View::new(index, Vec::new());
        let mut said = Vec::new();
        // Each of them alone, and all at once.
        for items in items.chunks(1).chain([items]) {
            said.extend(fetched(&inbox, &view, items));
        }
        let arrangements = [
            Criterion::Subject,
            Criterion::Date,
            Criterion::From,
            Criterion::To,
            Criterion::Cc,
            Criterion::DisplayFrom,
            Criterion::DisplayTo,
        ];
        let by = |criterion| SortKey {
            criterion,
            direction: Direction::Descending,
        };
        let arrangements = arrangements
            .map(|criterion| Arrangement::Sort(vec![by(criterion), by(Criterion::Size)]))
            .into_iter()
            .chain([
                Arrangement::Thread(Threading::References),
                Arrangement::Thread(Threading::OrderedSubject),
            ]);
        for arrangement in arrangements {
            said.extend(searched(&inbox, &view, Key::All, Some(arrangement)));
        }
        for (name, text) in keys {
            let key = Key::Header((*name).to_owned(), (*text).to_owned());
            said.extend(searched(&inbox, &view, key, None));
        }
        String::from_utf8_lossy(&said).into_owned()
    }
}

/// The first line that differs is told: all of them are megabytes.
#[track_caller]
fn assert_same(now: &str, before: &str, when: &str) {
    for (now, before) in now.lines().zip(before.lines()) {
        let beginning = |line: &str| line.chars().take(300).collect::<String>();
        assert!(
            now == before,
            "{when}: {:?} was {:?}",
            beginning(now),
            beginning(before)
        );
    }
    assert_eq!(now.len(), before.len(), "{when}");
}

fn open(folder: &tempfile::TempDir) -> Store {
    let users = Users::plain(&[("alice".to_owned(), "alice".to_owned())]);
    Store::open(folder.path(), &["mail.example".to_owned()], users).expect("a store")
}

/// Where texts are looked for; the last is in no digest.
const KEYS: [(&str, &str); 6] = [
    ("Subject", "été"),
    ("Subject", "second"),
    ("Subject", ""),
    ("From", "alice"),
    ("References", "@"),
    ("X-Odd", "x"),
];

fn fields(names: &[&str]) -> Item {
    let names = names.iter().map(|name| name.as_bytes().to_vec());
    Item::Text(Text {
        section: Section {
            part: Vec::new(),
            what: SectionText::HeaderFields(names.collect()),
        },
        partial: None,
        reading: Reading::Peeks,
        name: Name::Body,
    })
}

fn items() -> Vec<Item> {
    vec![
        Item::Envelope,
        Item::BodyStructure,
        Item::Body,
        Item::Preview,
        fields(&["subject", "DATE", "From", "To"]),
        fields(&["X-Odd", "Subject"]),
        fields(&["Message-ID", "References", "Content-Type"]),
    ]
}

fn fetched(mailbox: &Arc<Mailbox>, view: &View, items: &[Item]) -> Vec<u8> {
    let mut next = Some(Box::new(Fetch {
        mailbox: Arc::clone(mailbox),
        access: Access::ReadOnly,
        view: view.clone(),
        uids: Ranges::one(1, u32::MAX),
        from: 0,
        done: 0,
        numbering: Numbering::Uid,
        items: Arc::new(items.to_vec()),
        changed_since: None,
        vanished: None,
        left: Left::default(),
    }));
    let mut said = Vec::new();
    while let Some(fetch) = next {
        let block = fetch.run().expect("fetched");
        for piece in block.pieces {
            match piece {
                Piece::Bytes(bytes) => said.extend(bytes),
                Piece::Extent(extent) => said.extend(extent.read().expect("a file")),
            }
        }
        next = block.rest;
    }
    said
}

fn searched(
    mailbox: &Arc<Mailbox>,
    view: &View,
    key: Key,
    arrangement: Option<Arrangement>,
) -> Vec<u8> {
    let mut next = Some(Box::new(Search {
        mailbox: Arc::clone(mailbox),
        view: view.clone(),
        test: Arc::new(Test::new(key, view, 0).expect("a test")),
        from: 0,
        arranging: arrangement.map(Arranging::new),
        left: Left::default(),
        numbering: Numbering::Uid,
    }));
    let mut said = Vec::new();
    while let Some(search) = next {
        let found = search.run().expect("searched");
        said.extend(match found.arranged {
            None => format!("{:?}", found.uids).into_bytes(),
            Some(Arranged::Sorted(uids)) => format!("{uids:?}").into_bytes(),
            Some(Arranged::Threads(threads)) => threads,
        });
        next = found.rest;
    }
    said.push(b'\n');
    said
}

/// Messages as nobody should write them, and some as everybody does.
fn odd() -> Vec<Vec<u8>> {
    let mut odd: Vec<Vec<u8>> = [
        "",
        "\r\n",
        "\n\nbody",
        "no header at all",
        "Subject: only a header",
        "Subject: first\r\nSubject: second\r\n\r\ntwo subjects\r\n",
        "Subject: LF\nFrom: Alice <alice@example.org>\nDate: Tue, 1 Apr 2025 10:00:00 +0200\n\nline\nline\n",
        "subject : =?utf-8?q?=C3=A9t=C3=A9?=\r\n =?utf-8?q?_2?=\r\nTo:\r\n\t\"A \\\"B\\\" C\" <a@b>,\r\n\t<c@d>\r\n\r\nfolded\r\n",
        "Subject: =?x-nothing?q?=E9?=\r\nFrom: =?iso-8859-1?q?=C9va?= <eva@example.org>\r\n\r\nx\r\n",
        "Subject: Re: [list] Fwd: lunch\r\nMessage-ID: <1@x>\r\n\r\n",
        "Subject: Re: lunch\r\nMessage-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\n\r\n",
        "Subject: lunch\r\nMessage-ID: <3@x>\r\nReferences: <1@x>\r\n <2@x> <\r\nX-Odd: x\r\n\r\n",
        "From: group: a@b, c@d;\r\nTo: undisclosed-recipients:;\r\nDate: not a date\r\nCc: @@@, <>, \"\r\n\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninside\r\n--b--\r\n",
        "Content-Type: multipart/mixed; boundary=never\r\n\r\nno boundary comes\r\n",
        "Content-Type: text/plain; name*0*=utf-8''%C3%A9; name*1=x; charset=\"quo\\\"ted\"\r\nContent-Disposition: attachment; filename=a\r\nContent-Language: en, fr\r\n\r\nx\r\n",
        "Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>one &amp; two =C3=A9</p>\r\n",
        "A line without a colon\r\nSubject: after it\r\n\r\nx\r\n",
        " begins folded\r\nSubject: s\r\n\r\nx\r\n",
        "Date: Tue, 1 Apr 2025 10:00:00 +0200\r\nSubject: \r\nReply-To: r@x\r\nSender: s@x\r\nBcc: b@x\r\n\r\n\0nul\0\r\n",
    ]
    .into_iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    odd.push(b"Subject: raw \xe9\xff octets\r\nFrom: \xc3\xa9 <e@x>\r\n\r\n\xff\xfe\r\n".to_vec());
    odd.push(
        [
            b"Subject: long\r\nX-Odd: ".to_vec(),
            vec![b'x'; 100_000],
            b"\r\nTo: z@x\r\n\r\nx".to_vec(),
        ]
        .concat(),
    );
    odd.push(
        [
            b"Message-ID: <many@x>\r\nReferences:".to_vec(),
            (0..5000)
                .map(|n| format!(" <{n}@x>\r\n"))
                .collect::<String>()
                .into_bytes(),
            b"\r\n\r\nx".to_vec(),
        ]
        .concat(),
    );
    odd.push(
        [
            b"Subject: large\r\n\r\n".to_vec(),
            b"0123456789\r\n".repeat(20_000),
        ]
        .concat(),
    );
    let parts = "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nx\r\n".repeat(1500);
    odd.push(
        format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n").into_bytes(),
    );
    odd
}

#[test]
fn answers_from_digests_are_those_of_the_messages() {
    let tree = Tree::plant(&odd());
    let read = tree.answers();
    assert!(
        read.contains("\"first\"") && read.contains("inner"),
        "{read}"
    );
    assert_same(&tree.answers(), &read, "the second time");
    let read = tree.answers_from_digests();
    let octets = fs::metadata(tree.file()).expect("it was written").len();
    let tree = tree.again();
    // What the files say now is not looked at: a message does not change.
    for entry in fs::read_dir(tree.alice.home.join("cur")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let size = fs::metadata(&path).expect("a file").len();
        fs::write(&path, vec![b'?'; usize::try_from(size).expect("small")]).expect("written");
    }
    assert_same(&tree.answers_from_digests(), &read, "in another life");
    assert_eq!(
        fs::metadata(tree.file()).expect("a file").len(),
        octets,
        "all was known"
    );
}

#[test]
fn damage_changes_no_answer() {
    let tree = Tree::plant(&odd()[..20]);
    let read = tree.answers();
    let good = fs::read(tree.file()).expect("it was written");
    let mut tree = tree.again();
    let mut cases: Vec<(String, Vec<u8>)> = vec![
        ("empty".to_owned(), Vec::new()),
        ("foreign".to_owned(), b"something else\n".repeat(1000)),
        ("twice".to_owned(), [&good[..], &good[..]].concat()),
        ("longer".to_owned(), [&good[..], &[0; 100]].concat()),
    ];
    for at in (0..good.len()).step_by(good.len() / 60 + 1) {
        cases.push((format!("cut at {at}"), good[..at].to_vec()));
        let mut flipped = good.clone();
        flipped[at] ^= 0x10;
        cases.push((format!("bit {at}"), flipped));
    }
    for at in 0..40 {
        let mut flipped = good.clone();
        flipped[at] ^= 0x81;
        cases.push((format!("head {at}"), flipped));
    }
    for (name, octets) in cases {
        fs::write(tree.file(), octets).expect("written");
        tree = tree.again();
        assert_same(&tree.answers(), &read, &name);
        // And what was made of it is good.
        assert_same(&tree.answers(), &read, &format!("{name}, then"));
    }
    fs::remove_file(tree.file()).expect("removed");
    assert_same(&tree.answers(), &read, "removed under it");
    fs::create_dir(tree.file()).expect("made");
    tree = tree.again();
    assert_same(&tree.answers(), &read, "a folder in its place");
}

#[test]
fn new_uids_have_no_old_digests() {
    let tree = Tree::plant(&odd()[..20]);
    let before = tree.answers();
    fs::remove_file(tree.alice.home.join("dovecot-uidlist")).expect("removed");
    // In another order of arrival, so that each UID means another message.
    let cur = tree.alice.home.join("cur");
    let mut names: Vec<_> = fs::read_dir(&cur)
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect();
    names.sort();
    for (name, number) in names.iter().zip(0..) {
        let renamed = format!("{}.again:2,S", 1_800_000_000 - number);
        fs::rename(cur.join(name), cur.join(renamed)).expect("renamed");
    }
    let tree = tree.again();
    let after = tree.answers();
    assert_ne!(before, after);
    fs::remove_file(tree.file()).expect("it was written");
    let tree = tree.again();
    assert_same(&tree.answers(), &after, "removed");
}

#[test]
fn what_is_gone_leaves_the_file() {
    let text = |number: usize| {
        format!(
            "Subject: {number}\r\nX: {}\r\n\r\ntext\r\n",
            "x".repeat(100)
        )
        .into_bytes()
    };
    let tree = Tree::plant(&(0..50).map(text).collect::<Vec<_>>());
    let before = tree.answers();
    let inbox = tree.inbox();
    // Each round new messages come, are asked for and go.
    for round in 0..60 {
        let mut came = Vec::new();
        for number in 0..40 {
            let mut spool = inbox.spool().expect("a spool");
            let subject = format!("Subject: {round} {number} {}\r\n\r\n", "s".repeat(300));
            spool.append(subject.as_bytes()).expect("room");
            came.push(
                inbox
                    .append(spool, Flags::SEEN, Some(0))
                    .expect("appended")
                    .0,
            );
        }
        let view = View::new(inbox.sync().expect("a look"), Vec::new());
        let said = fetched(&inbox, &view, &[Item::Envelope, Item::BodyStructure]);
        assert!(String::from_utf8_lossy(&said).contains(&format!("{round} 39 sss")));
        inbox.expunge(&came).expect("removed");
    }
    let octets = fs::metadata(tree.file()).expect("it was written").len();
    assert!(octets < 1_000_000, "{octets}");
    drop(inbox);
    assert_same(&tree.answers(), &before, "after all");
    assert_same(&tree.again().answers(), &before, "in another life");
}
