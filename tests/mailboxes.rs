//! `mailtool serve mailbox` and `serve user`: on the files of a store, beside a server that runs and without one.

#[path = "support/imap.rs"]
mod imap;
#[path = "support/program.rs"]
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, UNIX_EPOCH};

use imap::Imap;
use mailtool::store::{Account, FlagChange, Flags, Store, Users};
use program::{MAILTOOL, Server, mailtool, run};

/// `serve mailbox` on a store.
fn tool(store: &Path, words: &[&str], stdin: &str) -> Output {
    let store = store.to_str().expect("UTF-8");
    let words = [&["serve", "mailbox"], words, &["--store", store]].concat();
    mailtool(&words, stdin)
}

fn done(store: &Path, words: &[&str], stdin: &str) -> String {
    let output = tool(store, words, stdin);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {output:?}\n{errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn refused(output: &Output, code: i32, why: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(why) && said.lines().count() == 1, "{said}");
}

/// An empty store with alice and bob.
fn store() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    fs::create_dir_all(store.join("mail")).expect("a folder");
    (folder, store)
}

/// What a mailbox holds, as a server would show it: by UID flags and keywords, INTERNALDATE, text.
fn held(store: &Path, mailbox: &str) -> Vec<(u32, String, i64, String)> {
    let (store, alice) = opened(store);
    let mailbox = store.mailbox(&alice, mailbox).expect("a mailbox");
    let index = mailbox.sync().expect("a look");
    index
        .messages
        .iter()
        .map(|entry| {
            let system = [
                (Flags::SEEN, "S"),
                (Flags::ANSWERED, "A"),
                (Flags::FLAGGED, "F"),
                (Flags::DELETED, "D"),
                (Flags::DRAFT, "T"),
                (Flags::PASSED, "P"),
            ];
            let named: Vec<_> = index.named_keywords().collect();
            let mut flags: Vec<&str> = system
                .into_iter()
                .chain(named)
                .filter(|(flag, _)| entry.flags.contains(*flag))
                .map(|(_, name)| name)
                .collect();
            flags.sort_unstable();
            let text = String::from_utf8(mailbox.read(entry.uid).expect("text")).expect("UTF-8");
            assert_eq!(entry.size, text.len() as u64);
            (entry.uid, flags.join(" "), entry.received, text)
        })
        .collect()
}

fn opened(store: &Path) -> (Store, Account) {
    let users = Users::plain(&[("alice".to_owned(), "alice".to_owned())]);
    let rules = mailtool::store::Rules::default();
    let store =
        Store::open_beside(store, &["localhost".to_owned()], users, rules).expect("a store");
    let alice = store.users().find("alice", None).expect("alice");
    (store, alice)
}

const MBOX: &str = "From a@b Sun Nov  6 08:49:37 1994\nSubject: one\nStatus: RO\nX-Status: A\nX-Keywords: $Work\n\n>From me\n\n\
    From c@d Mon Nov  7 08:49:37 1994\nMessage-ID: <2@x>\nSubject: two\n\ntwo\n\n";

#[test]
fn an_mbox_comes_in_and_goes_out_as_it_was() {
    let (folder, store) = store();
    let path = folder.path().join("in.mbox");
    fs::write(&path, MBOX).expect("written");
    let path = path.to_str().expect("UTF-8");
    let said = done(
        &store,
        &["import", "--user", "alice", "-m", "Old/1994", path],
        "",
    );
    assert_eq!(said, "alice: 2 messages into Old/1994\n");
    let expected = [
        (
            1,
            "$Work A S".to_owned(),
            784_111_777,
            "Subject: one\r\n\r\nFrom me\r\n".to_owned(),
        ),
        (
            2,
            String::new(),
            784_198_177,
            "Message-ID: <2@x>\r\nSubject: two\r\n\r\ntwo\r\n".to_owned(),
        ),
    ];
    assert_eq!(held(&store, "Old/1994"), expected);
    assert_eq!(
        opened(&store)
            .0
            .subscriptions(&opened(&store).1)
            .expect("a list"),
        ["Old/1994"]
    );

    // Once more: only what is new.
    let more = format!("{MBOX}From e@f Tue Nov  8 08:49:37 1994\nSubject: three\n\nthree\n");
    let again = [
        "import",
        "--user",
        "alice",
        "-m",
        "Old/1994",
        "--skip-doubles",
        "--json",
        "-",
    ];
    let said = done(&store, &again, &more);
    assert_eq!(
        said,
        "[{\"user\":\"alice\",\"mailbox\":\"Old/1994\",\"messages\":1,\"octets\":25,\"doubles\":2,\"passed_over\":0,\
         \"too_long\":0,\"lost_keywords\":[]}]\n"
    );
    assert_eq!(held(&store, "Old/1994").len(), 3);

    let out = done(&store, &["export", "-u", "alice", "-m", "Old/1994"], "");
    let expected = MBOX
        .replace("From a@b", "From MAILER-DAEMON")
        .replace("From c@d", "From MAILER-DAEMON")
        .replace(
            "Message-ID: <2@x>\nSubject: two\n",
            "Message-ID: <2@x>\nSubject: two\nStatus: O\n",
        )
        + "From MAILER-DAEMON Tue Nov  8 08:49:37 1994\nSubject: three\nStatus: O\n\nthree\n\n";
    assert_eq!(out, expected);
    // What went out comes in the same.
    let (_other_folder, other) = self::store();
    done(
        &other,
        &["import", "--user", "alice", "-m", "Old/1994", "-"],
        &out,
    );
    assert_eq!(held(&other, "Old/1994"), held(&store, "Old/1994"));
}

/// Three messages, one of them in `new/`, and a mailbox below.
fn maildir(root: &Path) {
    for place in [
        root.to_path_buf(),
        root.join(".Lists.D&AOk-bian"),
        root.join("Deep"),
    ] {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(place.join(part)).expect("a folder");
        }
    }
    let put = |name: &str, text: &str| {
        let path = root.join(name);
        fs::write(&path, text).expect("written");
        let file = fs::File::options().write(true).open(path).expect("a file");
        file.set_modified(UNIX_EPOCH + Duration::from_secs(981_173_106))
            .expect("set");
    };
    put("cur/100.M1.h:2,FSa", "Subject: lf\n\nlf\n");
    put("cur/99.M1.h,S=5:2,T", "Subject: crlf\r\n\r\ncrlf");
    put("new/101.M1.h", "Subject: new\n\nnew\n");
    put(".Lists.D&AOk-bian/cur/1.x:2,RP", "Subject: list\n\nlist\n");
    put("Deep/cur/1.x:2,D", "Subject: deep\n\ndeep\n");
    fs::write(root.join("dovecot-keywords"), "0 $Later\n").expect("written");
    // Whoever lays out a Maildir must not have the files of others read.
    fs::write(root.join("secret"), "root's").expect("written");
    std::os::unix::fs::symlink("../secret", root.join("cur/102.x:2,")).expect("a link");
    fs::create_dir(root.join("cur/103.x:2,")).expect("a folder");
    std::os::unix::fs::symlink(".Lists.D&AOk-bian", root.join(".Linked")).expect("a link");
}

#[test]
fn a_maildir_comes_in_with_all_below_it() {
    let (folder, store) = store();
    let source = folder.path().join("Maildir");
    maildir(&source);
    let path = source.to_str().expect("UTF-8");
    let said = done(&store, &["import", "--user", "ALICE@localhost", path], "");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines,
        [
            "alice: 3 messages into INBOX, without 2 that are no messages",
            "alice: 1 message into Deep",
            "alice: 1 message into Lists/Débian"
        ]
    );
    let when = 981_173_106;
    assert_eq!(
        held(&store, "INBOX"),
        [
            (
                1,
                "D".to_owned(),
                when,
                "Subject: crlf\r\n\r\ncrlf\r\n".to_owned()
            ),
            (
                2,
                "$Later F S".to_owned(),
                when,
                "Subject: lf\r\n\r\nlf\r\n".to_owned()
            ),
            (
                3,
                String::new(),
                when,
                "Subject: new\r\n\r\nnew\r\n".to_owned()
            ),
        ]
    );
    assert_eq!(held(&store, "Lists/Débian")[0].1, "A P");
    assert_eq!(held(&store, "Deep")[0].1, "T");

    let said = done(
        &store,
        &[
            "import",
            "-u",
            "alice",
            "-m",
            "Kept",
            "--skip-doubles",
            path,
            path,
        ],
        "",
    );
    assert!(said.contains("alice: 3 messages into Kept"), "{said}");
    assert!(
        said.contains("alice: 1 message into Kept/Lists/Débian"),
        "{said}"
    );
    let listed = done(&store, &["list", "--user", "alice", "--json"], "");
    let kept = listed
        .lines()
        .find(|line| line.contains("\"Kept\""))
        .expect("a row");
    assert!(
        kept.contains("\"messages\":3,\"unseen\":2,") && kept.contains("\"uidnext\":4"),
        "{kept}"
    );

    // Out, as a tree that keeps UIDs; what is there already stays.
    let target = folder.path().join("out");
    let out = target.to_str().expect("UTF-8");
    let words = ["export", "-u", "alice", "--all", "--format", "maildir", out];
    for count in [3, 0] {
        let said = done(&store, &words, "");
        let row = said
            .lines()
            .find(|line| line.contains("INBOX"))
            .expect("a row");
        assert!(row.ends_with(&format!(" {count}")), "{said}");
    }
    let (_other_folder, other) = self::store();
    done(&other, &["import", "-u", "alice", out], "");
    for name in ["INBOX", "Lists/Débian", "Kept/Deep"] {
        assert_eq!(held(&other, name), held(&store, name), "{name}");
    }
    let list = |root: &Path| {
        let list = fs::read_to_string(root.join("dovecot-uidlist")).expect("a list");
        let (head, lines) = list.split_once('\n').expect("a first line");
        // The next UID may lag behind in one of them.
        let validity = head.split_once(" N").expect("UIDVALIDITY").0;
        (validity.to_owned(), lines.to_owned())
    };
    assert_eq!(list(&target), list(&store.join("mail/alice")));
}

#[test]
fn what_cannot_be_is_told_and_changes_nothing() {
    let (folder, store) = store();
    let file = folder.path().join("file");
    fs::write(&file, "Subject: no mbox\n\nx\n").expect("written");
    let file = file.to_str().expect("UTF-8");
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).expect("a folder");
    let empty = empty.to_str().expect("UTF-8");
    let import = |words: &[&str], stdin: &str| {
        tool(
            &store,
            &[&["import", "--user", "alice"], words].concat(),
            stdin,
        )
    };
    refused(
        &import(&[file], ""),
        65,
        "does not begin with a line `From ",
    );
    refused(&import(&["/nowhere/x"], ""), 66, "/nowhere/x");
    refused(&import(&[empty], ""), 65, "without a Maildir");
    refused(&import(&["-", "-m", "a.b"], MBOX), 64, "dot");
    refused(
        &tool(&store, &["import", "-u", "nobody", "-"], MBOX),
        67,
        "no user \"nobody\"",
    );
    refused(
        &tool(&store, &["list", "-u", "alice", "-m", "No"], ""),
        1,
        "no mailbox \"No\"",
    );
    refused(
        &tool(&store, &["export", "-u", "alice", "-m", "No"], ""),
        1,
        "no mailbox",
    );
    refused(&tool(folder.path(), &["list"], ""), 66, "is no store");
    let own = store.join("mail/alice");
    done(&store, &["import", "-u", "alice", "-"], MBOX);
    refused(
        &import(&[own.to_str().expect("UTF-8")], ""),
        65,
        "the mailbox itself",
    );
    refused(
        &tool(&store, &["export", "-u", "alice", file], ""),
        74,
        "--append adds to it",
    );
    let whole = fs::read(file).expect("a file");
    done(&store, &["export", "-u", "alice", "--append", file], "");
    let longer = fs::read(file).expect("a file");
    assert!(longer.starts_with(&whole) && longer.len() > whole.len());
    assert_eq!(held(&store, "INBOX").len(), 2);
}

#[test]
fn a_server_that_runs_sees_what_came_in_and_what_was_taken_out() {
    let server = Server::start();
    let mut imap = Imap::login(server.address("imap"), "alice");
    assert!(
        imap.ok("SELECT INBOX")
            .iter()
            .any(|line| line == "* 0 EXISTS")
    );
    done(&server.store(), &["import", "-u", "alice", "-"], MBOX);
    assert!(imap.ok("NOOP").iter().any(|line| line == "* 2 EXISTS"));
    done(&server.store(), &["import", "-u", "alice", "-"], MBOX);
    assert!(imap.ok("NOOP").iter().any(|line| line == "* 4 EXISTS"));
    imap.ok("STORE 3 +FLAGS (\\Flagged $Late)");
    imap.ok("STORE 2 +FLAGS (\\Deleted)");

    let told = done(&server.store(), &["dedup", "-u", "alice", "--json"], "");
    // Of two the first stays; but not one that is about to be expunged.
    assert!(
        told.contains("\"uid\":3,\"same_as\":1") && told.contains("\"uid\":2,\"same_as\":4"),
        "{told}"
    );
    assert!(
        imap.ok("NOOP").iter().all(|line| !line.contains("EXPUNGE")),
        "only told"
    );
    let said = done(
        &server.store(),
        &["dedup", "-u", "alice", "-m", "inbox", "--delete"],
        "",
    );
    assert!(said.ends_with("2 deleted, 65 octets.\n"), "{said}");
    let news = imap.ok("NOOP");
    assert_eq!(
        news.iter()
            .filter(|line| line.ends_with(" EXPUNGE"))
            .count(),
        2,
        "{news:?}"
    );
    let left = imap.ok("UID FETCH 1:* (FLAGS)");
    let one = left
        .iter()
        .find(|line| line.contains("UID 1 "))
        .expect("the first stays");
    for flag in ["\\Seen", "\\Answered", "\\Flagged", "$Work", "$Late"] {
        assert!(one.contains(flag), "{flag}: {one}");
    }
    let said = done(&server.store(), &["dedup", "--delete"], "");
    assert_eq!(said, "No message is there twice.\n");
}

#[test]
fn what_is_broken_is_found_and_mended_and_uids_never_go_back() {
    let (_folder, store) = store();
    let text =
        |number: u32| format!("From a@b Sun Nov  6 08:49:37 1994\nSubject: {number}\n\nx\n\n");
    let mbox: String = (1..=6).map(text).collect();
    done(&store, &["import", "-u", "alice", "-"], &mbox);
    assert_eq!(done(&store, &["check"], ""), "All is well.\n");
    let home = store.join("mail/alice");
    let identities = |uids: &[u32]| {
        let (store, alice) = opened(&store);
        let inbox = store.mailbox(&alice, "INBOX").expect("open");
        inbox.sync().expect("a look");
        let ids = uids
            .iter()
            .map(|uid| inbox.identity(*uid).map(|one| one.email_id));
        ids.collect::<Vec<_>>()
    };
    let before = identities(&[1, 3, 4]);
    let path = home.join("dovecot-uidlist");
    let list = fs::read_to_string(&path).expect("a list");
    let mut lines: Vec<String> = list.lines().map(str::to_owned).collect();
    // UID 2 twice; a line that is garbage but for its UID, 40; UID 5 behind.
    let name = |line: &str| line.split_once(" :").expect("a name").1.to_owned();
    let (second, fifth) = (name(&lines[2]), name(&lines[5]));
    let sixth = lines.pop().expect("six");
    lines.push(format!("2 :{}", name(&sixth)));
    lines.push("40 garbage".to_owned());
    let moved = lines.remove(5);
    lines.push(moved);
    fs::write(&path, lines.join("\n") + "\n").expect("written");
    // A file that is longer than its name says, and one that is shorter; a draft of long ago; a cache of nonsense.
    let file = |name: &str| {
        let cur = fs::read_dir(home.join("cur")).expect("a folder");
        let mut cur = cur.map(|entry| entry.expect("an entry").path());
        cur.find(|path| path.to_string_lossy().contains(name))
            .expect("a file")
    };
    let third = name(&lines[3]);
    fs::write(file(&third), "Subject: 3\n\nlonger, with LF\n").expect("written");
    fs::write(file(&fifth), "Subject: 5\r\n\r\n").expect("written");
    fs::write(home.join("mailtool-cache"), "nonsense").expect("written");
    fs::create_dir(home.join("..mailtool.left")).expect("a folder");
    fs::remove_dir(home.join("tmp")).expect("empty");

    let output = tool(&store, &["check", "--user", "alice"], "");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for fault in [
        "1 UIDs that two messages have in dovecot-uidlist",
        "1 lines that cannot be read in dovecot-uidlist",
        "UIDs that do not ascend",
        "2 messages whose size is not what their name",
        "1 damaged caches",
        "1 folders left of a mailbox that was deleted",
        "1 directories that a Maildir must have and that are missing, such as tmp",
    ] {
        assert!(said.contains(fault), "{fault}: {said}");
    }
    assert!(said.contains("kinds of faults: --repair"), "{said}");
    let mended = done(&store, &["check", "--user", "alice", "--repair"], "");
    assert!(
        mended.contains("mended: alice INBOX: 2 messages whose size"),
        "{mended}"
    );
    assert!(!mended.contains("fault: "), "{mended}");
    assert_eq!(done(&store, &["check"], ""), "All is well.\n");

    let held: BTreeMap<u32, String> = held(&store, "INBOX")
        .into_iter()
        .map(|(uid, _, _, text)| (uid, text))
        .collect();
    let subjects: Vec<_> = held
        .iter()
        .map(|(uid, text)| (*uid, text.lines().next().unwrap_or_default()))
        .collect();
    assert_eq!(
        subjects,
        [
            (1, "Subject: 1"),
            (2, "Subject: 2"),
            (3, "Subject: 3"),
            (4, "Subject: 4"),
            (5, "Subject: 5"),
            // It had lost its UID, and gets one that nobody has had.
            (41, "Subject: 6")
        ]
    );
    assert_eq!(held[&3], "Subject: 3\r\n\r\nlonger, with LF\r\n");
    assert!(file(&second).exists(), "names that were right stay");
    assert_eq!(
        identities(&[1, 3, 4]),
        before,
        "a message stays the same one"
    );
}

#[test]
fn a_store_is_mended_while_its_server_runs() {
    let server = Server::start();
    done(&server.store(), &["import", "-u", "alice", "-"], MBOX);
    let mut imap = Imap::login(server.address("imap"), "alice");
    imap.ok("SELECT INBOX");
    let cur = server.store().join("mail/alice/cur");
    let files: Vec<PathBuf> = fs::read_dir(&cur)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    for file in &files {
        fs::write(file, "Subject: other\r\n\r\nof another size\r\n").expect("written");
    }
    let said = done(&server.store(), &["check", "--repair"], "");
    assert!(
        said.contains("mended: alice INBOX: 2 messages whose size"),
        "{said}"
    );
    // In a session a message never changes (RFC 9051 §2.3.4): the next one sees.
    imap.ok("SELECT INBOX");
    let news = imap.ok("UID FETCH 1:* (RFC822.SIZE)");
    let sizes: Vec<&String> = news
        .iter()
        .filter(|line| line.contains("RFC822.SIZE 35"))
        .collect();
    assert_eq!(sizes.len(), 2, "{news:?}");
    assert!(
        sizes[0].contains("UID 1 ") && sizes[1].contains("UID 2 "),
        "{news:?}"
    );
}

#[test]
fn many_messages_come_in_batches_and_none_is_lost_when_it_is_cut_off() {
    const COUNT: u32 = 450;
    let (_folder, store) = store();
    let mbox: String = (0..COUNT)
        .map(|number| {
            format!(
                "From a@b Sun Nov  6 08:49:37 1994\nMessage-ID: <{number}@x>\n\n{}\n\n",
                "x".repeat(200)
            )
        })
        .collect();
    // A pipe that breaks off in the middle, as a disk that fails.
    let script =
        format!("printf '%s' \"$1\" | {MAILTOOL} serve mailbox import -u alice --store \"$2\" -");
    let cut = &mbox[..mbox.len() / 2 + 37];
    let mut shell = Command::new("sh");
    shell.args(["-c", &script, "sh", cut]).arg(&store);
    assert!(run(&mut shell, "").status.success());
    let said = done(
        &store,
        &["import", "-u", "alice", "--skip-doubles", "-"],
        &mbox,
    );
    assert!(said.contains("that were there already"), "{said}");
    let held = held(&store, "INBOX");
    let mut ids: Vec<&str> = held
        .iter()
        .filter_map(|(_, _, _, text)| text.lines().next())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), COUNT as usize);
    let order: Vec<u32> = held.iter().map(|(uid, ..)| *uid).collect();
    assert!(order.windows(2).all(|two| two[0] < two[1]));
}

#[test]
fn flags_of_a_double_are_kept_by_the_library_too() {
    let (_folder, store) = store();
    done(
        &store,
        &["import", "-u", "alice", "-"],
        &format!("{MBOX}{MBOX}"),
    );
    let (store, alice) = opened(&store);
    let inbox = store.mailbox(&alice, "INBOX").expect("open");
    inbox.sync().expect("a look");
    inbox
        .change_flags(&[4], FlagChange::Replace, Flags::SEEN.union(Flags::DRAFT))
        .expect("flags");
    let doubles = inbox.doubles().expect("read");
    let pairs: Vec<(u32, u32)> = doubles
        .iter()
        .map(|double| (double.uid, double.of))
        .collect();
    assert_eq!(pairs, [(3, 1), (4, 2)]);
    // The one that stays went meanwhile: its double is the only one left.
    inbox.expunge(&[1]).expect("removed");
    assert_eq!(inbox.drop_doubles(&doubles).expect("removed"), 1);
    let index = inbox.sync().expect("a look");
    let left: Vec<_> = index
        .messages
        .iter()
        .map(|entry| (entry.uid, entry.flags))
        .collect();
    assert_eq!(left[0], (2, Flags::SEEN), "read, and no draft");
    assert_eq!(left[1].0, 3);
}
