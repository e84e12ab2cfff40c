//! One tree, two programs: what the store writes, Debian's Dovecot reads, and the other way round, also at the same time.
//!
//! Needs `doveadm` (dovecot-core, dovecot-imapd). No daemon is started: doveadm opens the Maildir itself. As root it runs
//! as nobody, because Dovecot refuses root.

#[path = "support/program.rs"]
mod program;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use program::have;

use mailtool::store::{Account, FlagChange, Flags, Index, Mailbox, Store, Users};
use mailtool::wire::imap::rights::Rights;

const NOBODY: u32 = 65534;

struct Tree {
    directory: tempfile::TempDir,
    store: Store,
    alice: Account,
}

impl Tree {
    fn plant() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().join("store");
        // dave is in a group, erin in two.
        let file = directory.path().join("users");
        let lines = "alice:{PLAIN}alice\nbob:{PLAIN}bob\ndave:{PLAIN}x::::::userdb_acl_groups=staff\n\
                     erin:{PLAIN}x::::::userdb_quota=1 userdb_acl_groups=staff,lab\n";
        std::fs::write(&file, lines).expect("written");
        let users = Users::read(&file).expect("users");
        let store = Store::open(&root, &["mail.example".to_owned()], users).expect("a store");
        let alice = store.users().find("alice", None).expect("alice");
        let configuration = format!(
            "log_path = /dev/stderr\nssl = no\nmail_location = maildir:{}\nfirst_valid_uid = 1\n\
             namespace inbox {{\n  inbox = yes\n  separator = /\n}}\n",
            alice.home.display()
        );
        std::fs::write(directory.path().join("dovecot.conf"), configuration).expect("written");
        let tree = Self {
            directory,
            store,
            alice,
        };
        tree.deliver("first");
        tree
    }

    fn deliver(&self, subject: &str) {
        let mut spool = self.store.spool(&self.alice).expect("a spool");
        let text = format!("Subject: {subject}\r\n\r\nText\r\n");
        spool.append(text.as_bytes()).expect("room");
        let outcome = self
            .store
            .deliver(spool, std::slice::from_ref(&self.alice))
            .pop();
        outcome.expect("one outcome").expect("delivered");
    }
    fn mailbox(&self, name: &str) -> std::sync::Arc<Mailbox> {
        self.store.mailbox(&self.alice, name).expect("open")
    }

    /// Everything in the tree belongs to whom doveadm runs as.
    fn hand_over(&self) {
        if is_root() {
            let mut above = self.directory.path().to_path_buf();
            std::os::unix::fs::chown(&above, Some(NOBODY), None).expect("root may");
            above.push("store");
            hand_over(&above);
        }
    }

    fn dovecot(&self, arguments: &[&str], stdin: &str) -> String {
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args([
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "doveadm",
            ]);
            command
        } else {
            Command::new("doveadm")
        };
        let mut child = command
            .arg("-c")
            .arg(self.directory.path().join("dovecot.conf"))
            .args(arguments)
            .env("USER", "alice")
            .env("HOME", &*self.alice.home)
            .current_dir(self.directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("doveadm starts");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(stdin.as_bytes()).expect("doveadm reads");
        drop(input);
        let output = child.wait_with_output().expect("doveadm ends");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "doveadm {arguments:?}: {errors}");
        assert!(
            !errors.contains("Error") && !errors.contains("Warning"),
            "{errors}"
        );
        String::from_utf8(output.stdout).expect("UTF-8")
    }
    /// As Dovecot sees a mailbox: `uid flags subject`, one a line.
    fn seen_by_dovecot(&self, mailbox: &str) -> Vec<String> {
        let fields = "uid flags hdr.subject";
        let shown = self.dovecot(
            &["-f", "tab", "fetch", fields, "mailbox", mailbox, "all"],
            "",
        );
        shown.lines().skip(1).map(words).collect()
    }
    fn validity_by_dovecot(&self, mailbox: &str) -> String {
        let arguments = [
            "-f",
            "flow",
            "mailbox",
            "status",
            "uidvalidity uidnext",
            mailbox,
        ];
        let shown = self.dovecot(&arguments, "");
        shown.trim().trim_start_matches(mailbox).trim().to_owned()
    }
    fn seen_by_us(&self, mailbox: &Mailbox) -> Vec<String> {
        let index = mailbox.sync().expect("a look");
        let line = |uid, flags: String| {
            let text = mailbox.read(uid).expect("text");
            let text = String::from_utf8(text).expect("UTF-8");
            assert!(!text.replace("\r\n", "").contains('\n'), "bare line feeds");
            let subject = text
                .strip_prefix("Subject: ")
                .and_then(|text| text.lines().next());
            words(&format!("{uid} {flags} {}", subject.expect("a subject")))
        };
        index
            .messages
            .iter()
            .map(|entry| line(entry.uid, flag_names(&index, entry.flags)))
            .collect()
    }
}

/// A line without what only one of the two shows.
fn words(line: &str) -> String {
    let words: Vec<&str> = line
        .split_whitespace()
        .filter(|word| *word != "\\Recent")
        .collect();
    words.join(" ")
}

fn flag_names(index: &Index, flags: Flags) -> String {
    let system = [
        (Flags::ANSWERED, "\\Answered"),
        (Flags::FLAGGED, "\\Flagged"),
        (Flags::DELETED, "\\Deleted"),
        (Flags::SEEN, "\\Seen"),
        (Flags::DRAFT, "\\Draft"),
    ];
    let keywords = (0..).zip(&index.keywords);
    let keywords = keywords.map(|(number, name)| (Flags::keyword(number), name.as_str()));
    let names: Vec<&str> = system
        .into_iter()
        .chain(keywords)
        .filter(|(flag, _)| flags.contains(*flag))
        .map(|(_, name)| name)
        .collect();
    names.join(" ")
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn hand_over(path: &Path) {
    let _ = std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY));
    let inside: Vec<PathBuf> = std::fs::read_dir(path)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    for path in inside {
        hand_over(&path);
    }
}

/// Runs one test of this program as nobody: two programs that share a Maildir at the same time must be one user.
fn as_nobody(test: &str) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let program = directory.path().join("test");
    std::fs::copy(std::env::current_exe().expect("a program"), &program).expect("copied");
    std::os::unix::fs::chown(directory.path(), Some(NOBODY), None).expect("root may");
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .args(["--exact", test])
        .env("TMPDIR", directory.path())
        .current_dir(directory.path())
        .output()
        .expect("setpriv starts");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "as nobody: {shown}");
    assert!(shown.contains("1 passed"), "{shown}");
}

#[test]
fn dovecot_reads_what_we_write() {
    if !have("doveadm", "dovecot-imapd") {
        return;
    }
    let tree = Tree::plant();
    tree.deliver("second");
    let inbox = tree.mailbox("INBOX");
    inbox.sync().expect("a look");
    let work = inbox.keyword("$Work").expect("a list").expect("a letter");
    let flags = work.union(Flags::SEEN);
    inbox
        .change_flags(&[2], FlagChange::Add, flags)
        .expect("flags");
    for name in ["Envoyés & lus", "Lists/Debian"] {
        tree.store.create(&tree.alice, name).expect("created");
        tree.store.subscribe(&tree.alice, name).expect("subscribed");
    }
    let lists = tree.mailbox("Lists/Debian");
    inbox.copy(&[2], &lists).expect("copied");
    tree.hand_over();

    assert_eq!(
        tree.seen_by_dovecot("INBOX"),
        ["1 first", "2 \\Seen $Work second"]
    );
    assert_eq!(
        tree.seen_by_dovecot("Lists/Debian"),
        ["1 \\Seen $Work second"]
    );
    let index = inbox.sync().expect("a look");
    let expected = format!(
        "uidnext={} uidvalidity={}",
        index.uid_next, index.uid_validity
    );
    assert_eq!(tree.validity_by_dovecot("INBOX"), expected);
    let mut subscribed: Vec<String> = tree
        .dovecot(&["mailbox", "list", "-s"], "")
        .lines()
        .map(str::to_owned)
        .collect();
    subscribed.sort();
    assert!(
        subscribed.contains(&"Envoyés & lus".to_owned()),
        "{subscribed:?}"
    );
    assert!(
        subscribed.contains(&"Lists/Debian".to_owned()),
        "{subscribed:?}"
    );
}

#[test]
fn we_read_what_dovecot_writes() {
    if !have("doveadm", "dovecot-imapd") {
        return;
    }
    let tree = Tree::plant();
    let inbox = tree.mailbox("INBOX");
    tree.deliver("second");
    inbox.sync().expect("a look");
    tree.hand_over();
    tree.dovecot(&["save", "-m", "INBOX"], "Subject: third\n\nLF on disk\n");
    tree.dovecot(
        &[
            "flags",
            "add",
            "\\Flagged $Later",
            "mailbox",
            "INBOX",
            "uid",
            "2",
        ],
        "",
    );
    tree.dovecot(&["expunge", "mailbox", "INBOX", "uid", "1"], "");
    tree.dovecot(&["mailbox", "create", "-s", "Neuf/Été"], "");
    tree.dovecot(&["copy", "Neuf/Été", "mailbox", "INBOX", "uid", "3"], "");

    assert_eq!(
        tree.seen_by_us(&inbox),
        ["2 \\Flagged $Later second", "3 third"]
    );
    assert_eq!(tree.seen_by_us(&tree.mailbox("Neuf/Été")), ["1 third"]);
    assert_eq!(
        tree.store.mailboxes(&tree.alice).expect("a list"),
        ["INBOX", "Neuf/Été"]
    );
    assert_eq!(
        tree.store.subscriptions(&tree.alice).expect("a list"),
        ["Neuf/Été"]
    );
    // And on: the next UID is the same for both.
    tree.deliver("fourth");
    assert_eq!(tree.seen_by_us(&inbox)[2], "4 fourth");
    tree.hand_over();
    assert_eq!(tree.seen_by_dovecot("INBOX"), tree.seen_by_us(&inbox));
}

/// As Dovecot sees a mailbox: what must outlive that another program had it.
fn kept_by_dovecot(tree: &Tree, mailbox: &str) -> Vec<String> {
    let fields = "uid date.received flags hdr.subject";
    let shown = tree.dovecot(
        &["-f", "tab", "fetch", fields, "mailbox", mailbox, "all"],
        "",
    );
    shown.lines().skip(1).map(words).collect()
}

#[test]
fn a_tree_of_dovecots_is_served_changed_and_given_back() {
    if !have("doveadm", "dovecot-imapd") {
        return;
    }
    let tree = Tree::plant();
    tree.hand_over();
    let save = |subject: &str| {
        let text = format!("Subject: {subject}\n\ntext\n");
        tree.dovecot(&["save", "-m", "INBOX"], &text);
    };
    for subject in ["two", "three", "four"] {
        save(subject);
    }
    // They came long ago.
    for part in ["new", "cur"] {
        for file in std::fs::read_dir(tree.alice.home.join(part)).expect("a directory") {
            let file = std::fs::File::open(file.expect("an entry").path()).expect("a file");
            let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(981_173_106);
            file.set_modified(long_ago).expect("set");
        }
    }
    let flag = |flags: &str, uid: &str| {
        tree.dovecot(&["flags", "add", flags, "mailbox", "INBOX", "uid", uid], "");
    };
    flag("\\Seen $Later", "2");
    let before = kept_by_dovecot(&tree, "INBOX");
    let validity = tree.validity_by_dovecot("INBOX");

    let inbox = tree.mailbox("INBOX");
    let index = inbox.sync().expect("a look");
    inbox.settle().expect("mod-sequences are on disk");
    let high = index.highest_modseq;
    inbox
        .change_flags(&[4], FlagChange::Add, Flags::FLAGGED)
        .expect("flags");
    inbox.expunge(&[3]).expect("removed");
    tree.store.create(&tree.alice, "Archive").expect("created");
    let archive = tree.mailbox("Archive");
    inbox.copy(&[2], &archive).expect("copied");
    let email_id = inbox.identity(2).expect("there").email_id;
    tree.hand_over();

    // All is as it was, but for what was changed.
    let mut expected = before;
    expected.remove(2);
    expected[2] = expected[2].replace(" four", " \\Flagged four");
    assert_eq!(kept_by_dovecot(&tree, "INBOX"), expected);
    assert_eq!(tree.validity_by_dovecot("INBOX"), validity);
    let copy = kept_by_dovecot(&tree, "Archive");
    assert_eq!(copy, [expected[1].replacen("2 ", "1 ", 1)]);
    let guid = |mailbox: &str, uid: &str| {
        let query = [
            "-f", "flow", "fetch", "guid", "mailbox", mailbox, "uid", uid,
        ];
        tree.dovecot(&query, "").trim().to_owned()
    };
    assert_eq!(guid("INBOX", "2"), guid("Archive", "1"), "one message");

    // And back: what Dovecot does now has new mod-sequences, and nothing else has.
    flag("\\Answered", "2");
    tree.dovecot(&["expunge", "mailbox", "INBOX", "uid", "4"], "");
    save("five");
    let index = inbox.sync().expect("a look");
    let changed: Vec<u32> = index
        .messages
        .iter()
        .filter(|entry| entry.modseq > high + 2)
        .map(|entry| entry.uid)
        .collect();
    assert_eq!(changed, [2, 5]);
    assert_eq!(inbox.vanished(high), [(3, 3), (4, 4)]);
    assert_eq!(inbox.identity(2).expect("there").email_id, email_id);
    assert_eq!(archive.identity(1).expect("there").email_id, email_id);
}

#[test]
fn both_at_once_lose_nothing_and_agree() {
    const EACH: usize = 25;
    if !have("doveadm", "dovecot-imapd") {
        return;
    }
    let tree = Tree::plant();
    if is_root() {
        return as_nobody("both_at_once_lose_nothing_and_agree");
    }
    let inbox = tree.mailbox("INBOX");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..EACH {
                tree.dovecot(
                    &["save", "-m", "INBOX"],
                    &format!("Subject: d{number}\n\nx\n"),
                );
            }
        });
        for number in 0..EACH {
            tree.deliver(&format!("m{number}"));
            let index = inbox.sync().expect("a look");
            let last = index
                .messages
                .last()
                .map(|entry| entry.uid)
                .expect("a message");
            inbox
                .change_flags(&[last], FlagChange::Add, Flags::SEEN)
                .expect("flags");
        }
    });
    let ours = tree.seen_by_us(&inbox);
    assert_eq!(ours.len(), 2 * EACH + 1);
    assert_eq!(tree.seen_by_dovecot("INBOX"), ours);
}

/// What Dovecot says of the rights on a mailbox: `identifier rights`, in its words.
fn rights_by_dovecot(tree: &Tree, mailbox: &str) -> Vec<String> {
    let shown = tree.dovecot(&["-f", "tab", "acl", "get", mailbox], "");
    let mut rights: Vec<String> = shown.lines().skip(1).map(words).collect();
    rights.sort();
    rights
}

#[test]
fn rights_that_either_gives_are_the_others() {
    if !have("doveadm", "dovecot-imapd") {
        return;
    }
    let tree = Tree::plant();
    let configuration = tree.directory.path().join("dovecot.conf");
    let mut configuration = std::fs::File::options()
        .append(true)
        .open(configuration)
        .expect("written before");
    configuration
        .write_all(b"mail_plugins = acl\nplugin {\n  acl = vfile\n}\n")
        .expect("written");
    let rights = |letters| Rights::parse(letters).expect("letters");
    let give = |mailbox: &str, identifier: &str, letters| {
        let given = |_| Some(rights(letters));
        let changed = tree
            .store
            .change_acl(&tree.alice, mailbox, identifier, given);
        changed.expect("an owner may");
    };
    tree.store.create(&tree.alice, "Lab").expect("created");
    give("Lab", "bob", "lrs");
    give("Lab", "-anyone", "t");
    give("Lab", "$staff", "lri");
    tree.hand_over();
    let shown = rights_by_dovecot(&tree, "Lab");
    for wanted in [
        "user=bob lookup read write-seen",
        "anyone -write-deleted",
        "group=staff insert lookup read",
    ] {
        assert!(shown.contains(&wanted.to_owned()), "{wanted}: {shown:?}");
    }

    // And back: one is changed, one taken away, one given.
    let set = |words: &[&str]| tree.dovecot(&[&["acl"], words].concat(), "");
    set(&["set", "Lab", "user=bob", "lookup", "read", "insert", "post"]);
    set(&["delete", "Lab", "group=staff"]);
    set(&["set", "Lab", "authenticated", "lookup"]);
    let told = tree.store.acl(&tree.alice, "Lab").expect("readable");
    let of = |identifier: &str| {
        let mut found = told.iter().filter(|(known, _)| known == identifier);
        let letters = found.next().map(|(_, rights)| rights.letters());
        assert!(found.next().is_none(), "twice: {told:?}");
        letters
    };
    assert_eq!(of("bob"), Some(rights("lrip").letters()), "{told:?}");
    assert_eq!(of("$staff"), None, "{told:?}");
    assert_eq!(of("authenticated"), Some("l".to_owned()), "{told:?}");
    assert_eq!(of("-anyone"), Some("t".to_owned()), "{told:?}");
    // What it wrote, changed by us, is its own again.
    give("Lab", "bob", "l");
    tree.hand_over();
    let shown = rights_by_dovecot(&tree, "Lab");
    assert!(shown.contains(&"user=bob lookup".to_owned()), "{shown:?}");
}

/// What each may do, as Dovecot says: groups, owners, what is taken away, and which of the lines that fit counts.
#[test]
fn rights_mean_what_dovecot_means() {
    if !have("doveadm", "dovecot-imapd") {
        return;
    }
    let tree = Tree::plant();
    tree.store.create(&tree.alice, "Lab").expect("created");
    let configuration = tree.directory.path().join("dovecot.conf");
    let mut text = std::fs::read_to_string(&configuration).expect("written before");
    text.push_str("mail_plugins = acl\nplugin {\n  acl = vfile\n}\n");
    std::fs::write(configuration, text).expect("written");
    for file in [
        "group=staff lr\nuser=erin i\n",
        "group=staff lr\ngroup=lab i\n",
        "anyone lrs\ngroup=staff i\n",
        "anyone lr\nauthenticated lrs\n-group=staff r\n",
        "group=staff lrsi\n-user=erin i\n",
        "user=erin l\ngroup-override=staff lrs\n",
        "user=erin lrs\n-group-override=lab s\n",
        "group-override=staff lr\ngroup-override=lab i\n",
        "group=staff lrs\n-group=staff r\n-group=lab s\n",
        "-anyone r\n-user=erin i\nuser=erin lri\n",
        "-anyone r\n-group=staff s\ngroup=staff lrsi\nauthenticated lrt\n",
        "owner lra\n-anyone r\ngroup=staff lrs\n",
        "user=erin lr\n-group-override=staff l\ngroup-override=staff i\n",
        "user=erin\ngroup=staff lr\n",
    ] {
        let lab = tree.alice.home.join(".Lab");
        std::fs::write(lab.join("dovecot-acl"), file).expect("written");
        tree.hand_over();
        for (name, groups) in [
            ("alice", ""),
            ("bob", ""),
            ("dave", "staff"),
            ("erin", "staff,lab"),
        ] {
            let account = tree.store.users().find(name, None).expect("an account");
            let (mut options, mut mailbox) = (Vec::new(), "Lab");
            let user = format!("plugin/acl_user={name}");
            let groups = format!("plugin/acl_groups={groups}");
            if name != "alice" {
                options.extend(["-o", &user, "-o", &groups]);
                mailbox = "shared/alice/Lab";
            }
            let shown = tree.dovecot(
                &[&options[..], &["-f", "tab", "acl", "rights", "Lab"]].concat(),
                "",
            );
            let theirs = shown.lines().nth(1).expect("rights").split_whitespace();
            let theirs = theirs.map(|word| Rights::of_word(word).expect("a right"));
            let theirs = theirs.fold(Rights::NONE, Rights::union);
            let ours = tree.store.rights_now(&account, mailbox);
            assert_eq!(ours.letters(), theirs.letters(), "{name}: {file:?}");
        }
    }
}
