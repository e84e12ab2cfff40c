//! `mailtool serve --system-users`: the users of a machine, which is made up in a mount namespace. Only root can do that; for others the
//! tests say so and pass.

#[path = "support/imap.rs"]
mod imap;
#[path = "support/program.rs"]
mod program;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use imap::Imap;
use program::{MAILTOOL, Server, have, mailtool, run, succeeded};

/// Of `Hello world!`.
const HASH: &str = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";

const PREPARE: &str = "mount --bind passwd /etc/passwd; mount --bind shadow /etc/shadow";

/// Name, uid, password field, shell, day on which the account ends.
const PEOPLE: [(&str, u32, &str, &str, &str); 5] = [
    ("alice", 20_001, HASH, "/bin/bash", ""),
    ("bob", 20_002, HASH, "/bin/bash", ""),
    ("mailonly", 20_003, HASH, "/usr/sbin/nologin", ""),
    ("locked", 20_004, "!", "/bin/bash", ""),
    ("old", 20_005, HASH, "/bin/bash", "19000"),
];

/// A machine in a folder.
fn machine() -> Option<tempfile::TempDir> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can serve the users of a machine");
        return None;
    }
    let can = Command::new("unshare").args(["--mount", "true"]).output();
    if !can.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no mount namespace can be had here");
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("set");
    let (mut passwd, mut shadow) = ("root:x:0:0::/root:/bin/sh\n".to_owned(), String::new());
    for (name, uid, hash, shell, end) in PEOPLE {
        let home = folder.path().join("home").join(name);
        fs::create_dir_all(&home).expect("a home");
        chown(&home, Some(uid), Some(uid)).expect("given");
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).expect("set");
        passwd.push_str(&format!(
            "{name}:x:{uid}:{uid}::{}:{shell}\n",
            home.display()
        ));
        shadow.push_str(&format!("{name}:{hash}:18000:0:99999:7::{end}:\n"));
    }
    fs::write(folder.path().join("passwd"), passwd).expect("written");
    fs::write(folder.path().join("shadow"), shadow).expect("written");
    Some(folder)
}

fn send(server: &Server, to: &[&str], text: &str) {
    let mut words = vec!["send", "--server"];
    let address = server.address("smtp").to_string();
    words.extend([
        &*address,
        "--from",
        "x@client.example",
        "--subject",
        text,
        "--body",
        text,
    ]);
    for name in to {
        words.extend(["--to", name]);
    }
    succeeded(&mailtool(&words, ""));
}

/// All below a folder, but what links lead to.
fn all(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if fs::symlink_metadata(&path).expect("there").is_dir() {
            found.extend(all(&path));
        }
        found.push(path);
    }
    found
}

fn messages(folder: &Path) -> Vec<PathBuf> {
    let mut paths = all(folder);
    paths.retain(|path| {
        let above = path.parent().and_then(Path::file_name);
        above.is_some_and(|above| above == "cur" || above == "new") && !path.is_dir()
    });
    paths
}

#[test]
fn each_has_mail_at_home_which_is_theirs() {
    let Some(folder) = machine() else { return };
    let server = Server::start_prepared(folder, PREPARE, &["--system-users"]);
    let home = |name: &str| server.folder.path().join("home").join(name);
    send(&server, &["alice@localhost"], "for alice");
    send(
        &server,
        &["alice@localhost", "bob@localhost", "mailonly@localhost"],
        "for three",
    );
    for (name, count) in [("alice", 2), ("bob", 1), ("mailonly", 1), ("locked", 0)] {
        assert_eq!(messages(&home(name)).len(), count, "{name}");
    }

    let mut imap = Imap::to(server.address("imap"));
    let mut refusals = Vec::new();
    for (name, password) in [
        ("alice", "wrong"),
        ("mailonly", "Hello world!"),
        ("locked", "!"),
        ("old", "wrong"),
        ("root", "Hello world!"),
        ("nobody", "Hello world!"),
    ] {
        refusals.push(imap.says(&format!("LOGIN {name} \"{password}\"")).1);
        if refusals.len() == 3 {
            imap = Imap::to(server.address("imap"));
        }
    }
    assert!(
        refusals[0].starts_with("NO [AUTHENTICATIONFAILED]"),
        "{refusals:?}"
    );
    assert!(
        refusals.iter().all(|refusal| *refusal == refusals[0]),
        "{refusals:?}"
    );

    // That its time is over learns who knows its password.
    let mut imap = Imap::to(server.address("imap"));
    let old = imap.says("LOGIN old \"Hello world!\"").1;
    assert!(old.starts_with("NO [EXPIRED]"), "{old}");

    imap.ok("LOGIN Alice@localhost \"Hello world!\"");
    let selected = imap.ok("SELECT INBOX");
    assert!(
        selected.iter().any(|line| line == "* 2 EXISTS"),
        "{selected:?}"
    );
    imap.ok("CREATE Kept/Here");
    imap.ok("SUBSCRIBE Kept/Here");
    imap.ok("STORE 1 +FLAGS (\\Seen $Work)");
    imap.ok("COPY 1:2 Kept/Here");
    imap.ok("STORE 2 +FLAGS (\\Deleted)");
    imap.ok("EXPUNGE");
    imap.ok("RENAME Kept/Here Kept/There");
    imap.ok("LOGOUT");
    assert_eq!(messages(&home("alice")).len(), 3);
    for (name, uid, ..) in PEOPLE {
        for path in all(&home(name)) {
            let there = fs::symlink_metadata(&path).expect("there");
            assert_eq!((there.uid(), there.gid()), (uid, uid), "{}", path.display());
            assert_eq!(there.mode() & 0o077, 0, "{}", path.display());
            assert_eq!(there.nlink().min(1), 1);
        }
    }
    // Nothing is shared: what one changes, nobody else has.
    let bobs = messages(&home("bob"));
    assert_eq!(fs::metadata(&bobs[0]).expect("there").nlink(), 1);
}

#[test]
fn a_link_in_a_home_leads_nowhere_that_its_user_could_not_go() {
    let Some(folder) = machine() else { return };
    let server = Server::start_prepared(folder, PREPARE, &["--system-users"]);
    let home = |name: &str| server.folder.path().join("home").join(name);
    send(&server, &["alice@localhost", "bob@localhost"], "for both");
    let cur = home("bob").join("Maildir/cur");
    fs::create_dir_all(&cur).expect("a folder");
    chown(&cur, Some(20_002), Some(20_002)).expect("given");
    let mut bob = Imap::to(server.address("imap"));
    bob.ok("LOGIN bob \"Hello world!\"");
    bob.ok("SELECT INBOX");
    // Bob lays a link to what only root may read in the place of a message.
    let secret = server.folder.path().join("secret");
    fs::write(&secret, "Subject: root's\n\nsecret\n").expect("written");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("set");
    symlink(&secret, cur.join("1700000000.M1.x:2,S")).expect("a link");
    let (untagged, _) = bob.says("FETCH 1:* BODY.PEEK[]");
    assert!(
        untagged
            .iter()
            .all(|line| !line.contains("secret") && !line.contains("root's")),
        "{untagged:?}"
    );
    let (_, end) = bob.says("UID SEARCH BODY secret");
    assert!(!end.is_empty());
    // And another's mailbox in the place of his own.
    let alices = home("alice").join("Maildir");
    fs::remove_dir_all(home("bob").join("Maildir")).expect("gone");
    symlink(&alices, home("bob").join("Maildir")).expect("a link");
    let before = messages(&alices).len();
    let mut again = Imap::to(server.address("imap"));
    again.ok("LOGIN bob \"Hello world!\"");
    let (untagged, end) = again.says("SELECT INBOX");
    assert!(
        end.starts_with("NO") || untagged.iter().any(|line| line == "* 0 EXISTS"),
        "{untagged:?} {end}"
    );
    let (_, end) = again.says("CREATE Mine");
    assert!(end.starts_with("NO"), "{end}");
    assert!(!alices.join(".Mine").exists());
    // Mail for him waits, and comes into nobody else's mailbox.
    let message = "Subject: later\n\nx\n";
    let script =
        format!("{PREPARE}; exec {MAILTOOL} serve deliver bob --system-users --store store");
    let mut deliver = Command::new("unshare");
    deliver.args(["--mount", "--propagation", "private", "sh", "-c", &script]);
    let output = run(deliver.current_dir(server.folder.path()), message);
    assert_eq!(output.status.code(), Some(75), "{output:?}");
    assert_eq!(messages(&alices).len(), before);
    // Others are served meanwhile.
    let mut alice = Imap::to(server.address("imap"));
    alice.ok("LOGIN alice \"Hello world!\"");
    assert!(
        alice
            .ok("SELECT INBOX")
            .iter()
            .any(|line| line == "* 1 EXISTS")
    );
}

#[test]
fn who_is_locked_or_let_in_again_is_taken_up() {
    let Some(folder) = machine() else { return };
    let server = Server::start_prepared(folder, PREPARE, &["--system-users"]);
    let login = |name: &str| {
        let mut imap = Imap::to(server.address("imap"));
        imap.says(&format!("LOGIN {name} \"Hello world!\""))
            .1
            .starts_with("OK")
    };
    assert!(login("alice") && !login("locked"));
    let shadow = server.folder.path().join("shadow");
    let text = fs::read_to_string(&shadow).expect("a file");
    // In its place, as the file is bound.
    let text = text
        .replace("alice:$6$", "alice:!$6$")
        .replace("locked:!", &format!("locked:{HASH}"));
    fs::write(&shadow, text).expect("written");
    // The kernel tells of changes in /etc, which this is not; a signal stands for that.
    server.signal("HUP");
    let begun = std::time::Instant::now();
    while login("alice") || !login("locked") {
        assert!(begun.elapsed() < Duration::from_secs(60), "not taken up");
        std::thread::sleep(Duration::from_millis(300));
    }
}

#[test]
fn only_root_can_and_others_are_told() {
    if !have("setpriv", "util-linux") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("set");
    let program = folder.path().join("mailtool");
    fs::copy(MAILTOOL, &program).expect("copied");
    let mut command = match rustix::process::geteuid().is_root() {
        true => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
            command.arg(&program);
            command
        }
        false => Command::new(&program),
    };
    command.args(["serve", "--system-users", "--store", "store", "--smtp", "0"]);
    let output = run(command.current_dir(folder.path()), "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        said.contains("--system-users: only root can serve the users of the machine"),
        "{said}"
    );
    let both = mailtool(&["serve", "--system-users", "--user", "a:b"], "");
    assert_eq!(both.status.code(), Some(64));
}

#[test]
fn root_in_the_store_of_another_makes_files_that_are_the_others() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root may");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("set");
    let store = folder.path().join("store");
    fs::create_dir_all(store.join("mail")).expect("a folder");
    for path in [&store, &store.join("mail")] {
        chown(path, Some(20_001), Some(20_002)).expect("given");
    }
    let words = [
        "serve", "mailbox", "import", "-u", "alice", "-m", "Old", "-", "--store",
    ];
    let mbox = "From a@b Sun Nov  6 08:49:37 1994\nX-Keywords: $Work\n\nx\n";
    succeeded(&mailtool(
        &[&words[..], &[store.to_str().expect("UTF-8")]].concat(),
        mbox,
    ));
    let words = [
        "serve",
        "user",
        "add",
        "alice",
        "--password-file",
        "-",
        "--store",
    ];
    succeeded(&mailtool(
        &[&words[..], &[store.to_str().expect("UTF-8")]].concat(),
        "secret\n",
    ));
    let made = all(&store);
    assert!(made.contains(&store.join("users")), "{made:?}");
    assert!(made.len() > 8, "{made:?}");
    for path in made {
        let there = fs::symlink_metadata(&path).expect("there");
        assert_eq!(
            (there.uid(), there.gid()),
            (20_001, 20_002),
            "{}",
            path.display()
        );
    }
}
