//! Programs that keep two places the same: mbsync both ways, with a thousand messages, against `serve`.

#[path = "support/imap.rs"]
mod imap;
#[path = "support/program.rs"]
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use imap::Imap;
use program::{Server, have, mailtool, run, succeeded};

const COUNT: usize = 1000;

/// Of each message in a Maildir, by subject: flags and body.
type Kept = BTreeMap<String, (String, String)>;

fn kept(folder: &Path) -> Kept {
    let mut kept = BTreeMap::new();
    for part in ["cur", "new"] {
        for entry in fs::read_dir(folder.join(part)).expect("a folder") {
            let path = entry.expect("an entry").path();
            let text = fs::read_to_string(&path).expect("UTF-8");
            let subject = text.lines().find_map(|line| line.strip_prefix("Subject: "));
            let name = path.to_string_lossy().into_owned();
            let flags = name.rsplit_once(":2,").map_or("", |(_, flags)| flags);
            // The one side has LF on disk.
            let text = text.replace("\r\n", "\n");
            let (_, body) = text.split_once("\n\n").expect("a body");
            let subject = subject.expect("a subject").to_owned();
            let before = kept.insert(subject, (flags.to_owned(), body.to_owned()));
            assert_eq!(before, None, "twice");
        }
    }
    kept
}

/// The same of a mailbox at the server.
fn served(server: &Server, mailbox: &str) -> Kept {
    let out = tempfile::tempdir().expect("a folder");
    let store = server.store();
    let words = [
        "serve",
        "mailbox",
        "export",
        "--user",
        "alice",
        "--mailbox",
        mailbox,
        "--format",
        "maildir",
        out.path().to_str().expect("UTF-8"),
        "--store",
        store.to_str().expect("UTF-8"),
    ];
    succeeded(&mailtool(&words, ""));
    match mailbox {
        "INBOX" => kept(out.path()),
        other => kept(&out.path().join(format!(".{other}"))),
    }
}

#[test]
fn mbsync_keeps_a_thousand_messages_the_same_both_ways() {
    if !have("mbsync", "isync") {
        return;
    }
    let server = Server::start();
    let mbox: String = (0..COUNT)
        .map(|number| {
            let seen = if number % 3 == 0 { "Status: RO\n" } else { "" };
            format!(
                "From a@b Sun Nov  6 08:49:37 1994\nSubject: m{number}\nMessage-ID: <{number}@x>\n{seen}\ntext {number}\n\n"
            )
        })
        .collect();
    let store = server.store();
    let store = store.to_str().expect("UTF-8");
    let words = [
        "serve", "mailbox", "import", "-u", "alice", "--store", store, "-",
    ];
    succeeded(&mailtool(&words, &mbox));
    let home = tempfile::tempdir().expect("a folder");
    let at = home.path().display();
    let configuration = format!(
        "FSync no\n\nIMAPAccount here\nHost 127.0.0.1\nPort {}\nUser alice\nPass alice\nSSLType None\nAuthMechs LOGIN\n\n\
         IMAPStore far\nAccount here\n\nMaildirStore near\nPath {at}/mail/\nInbox {at}/mail/INBOX\n\n\
         Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\nSync All\nSyncState *\n",
        server.port("imap")
    );
    fs::create_dir(home.path().join("mail")).expect("a folder");
    fs::write(home.path().join("mbsyncrc"), configuration).expect("written");
    let sync = || {
        let mut mbsync = Command::new("mbsync");
        mbsync
            .arg("-c")
            .arg(home.path().join("mbsyncrc"))
            .arg("all");
        succeeded(&run(mbsync.env("HOME", home.path()), ""))
    };
    sync();
    let near = home.path().join("mail/INBOX");
    let first = kept(&near);
    assert_eq!(first.len(), COUNT);
    assert_eq!(first["m999"], ("S".to_owned(), "text 999\n".to_owned()));
    assert_eq!(first, served(&server, "INBOX"));

    // Both sides change: flags, removals, arrivals, a mailbox.
    let mut imap = Imap::login(server.address("imap"), "alice");
    imap.ok("SELECT INBOX");
    imap.ok("STORE 1:100 +FLAGS (\\Flagged)");
    imap.ok("STORE 101:150 +FLAGS (\\Deleted)");
    imap.ok("EXPUNGE");
    imap.ok("CREATE Far");
    imap.ok("COPY 1:10 Far");
    let gone_far: Vec<String> = (100..150).map(|number| format!("m{number}")).collect();
    let mut gone_near = Vec::new();
    for entry in fs::read_dir(near.join("cur")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("UTF-8");
        let subject = text.lines().find_map(|line| line.strip_prefix("Subject: "));
        let subject = subject.expect("a subject").to_owned();
        // Those of which more is asked below stay.
        let stays = gone_far.contains(&subject) || ["m1", "m999"].contains(&subject.as_str());
        if gone_near.len() < 30 && name.ends_with(":2,S") && !stays {
            fs::remove_file(&path).expect("removed");
            gone_near.push(subject);
        } else if let Some(base) = name.strip_suffix(":2,S") {
            fs::rename(&path, format!("{base}:2,RS")).expect("answered");
        }
    }
    fs::write(
        near.join("new/1.near"),
        "Subject: from near\nMessage-ID: <near@x>\n\nwritten near\n",
    )
    .expect("written");
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(home.path().join("mail/Near").join(part)).expect("a folder");
    }
    fs::write(
        home.path().join("mail/Near/cur/1.near:2,F"),
        "Subject: kept near\n\nx\n",
    )
    .expect("written");
    sync();
    let both = kept(&near);
    assert_eq!(both, served(&server, "INBOX"));
    assert_eq!(
        both["from near"],
        (String::new(), "written near\n".to_owned())
    );
    for gone in gone_far.iter().chain(&gone_near) {
        assert!(!both.contains_key(gone), "{gone} is back");
    }
    assert_eq!(both.len(), COUNT - 50 - 30 + 1);
    assert_eq!(both["m1"].0, "F", "flagged far");
    assert_eq!(both["m999"].0, "RS", "answered near");
    let copies = kept(&home.path().join("mail/Far"));
    assert_eq!(copies.len(), 10);
    assert_eq!(copies, served(&server, "Far"));
    assert_eq!(served(&server, "Near").len(), 1);

    // Nothing is left to do.
    let mut status = || {
        let mut told = imap.ok("STATUS INBOX (HIGHESTMODSEQ UIDNEXT)");
        told.retain(|line| line.starts_with("* STATUS"));
        told
    };
    let before = status();
    sync();
    assert_eq!(kept(&near), both);
    assert_eq!(served(&server, "INBOX"), both);
    assert_eq!(status(), before, "no message was touched");
}
