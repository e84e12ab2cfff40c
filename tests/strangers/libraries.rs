//! Libraries of other languages, and the programs that people read their mail with: Perl's Mail::IMAPClient and Net::POP3,
//! Ruby's net/imap, Python's imapclient, offlineimap, mutt.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::program::{PATIENCE, Server, have, run, succeeded};
use super::{MESSAGE, only_message};

/// With three messages for alice: `message 1` to `message 3`.
fn server(options: &[&str]) -> Server {
    let server = Server::start_with(options);
    let new = server.store().join("mail/alice/new");
    fs::create_dir_all(&new).expect("a folder");
    for number in 1..=3 {
        let text = MESSAGE.replace("strangers", &format!("message {number}"));
        fs::write(new.join(format!("{number}.M1P1.host")), text).expect("a message");
    }
    server
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/strangers")
        .join(name)
}

#[test]
fn perl_mail_imapclient_and_net_pop3() {
    if !have(
        "/usr/share/perl5/Mail/IMAPClient.pm",
        "libmail-imapclient-perl",
    ) {
        return;
    }
    let server = server(&[]);
    let mut perl = Command::new("perl");
    perl.arg(script("perl.pl"));
    perl.args([server.port("imap"), server.port("pop3")]);
    let said = succeeded(&run(&mut perl, ""));
    assert_eq!(said, "Mail::IMAPClient ok\nNet::POP3 ok\n");
}

#[test]
fn ruby_net_imap() {
    if !have("ruby", "ruby") {
        return;
    }
    // Where nothing is limited, this library fails: it expects a QUOTA response in any case.
    let server = server(&["--quota", "500M"]);
    let mut ruby = Command::new("ruby");
    ruby.arg(script("ruby.rb")).arg(server.authority());
    ruby.args([server.port("imap"), server.port("imaps")]);
    assert_eq!(succeeded(&run(&mut ruby, "")), "net/imap ok\n");
}

/// Debian 12 has no package of it, so this is no program that has to be there.
#[test]
fn python_imapclient() {
    let mut asked = Command::new("python3");
    asked.args(["-c", "import imapclient"]);
    if !asked.output().is_ok_and(|answer| answer.status.success()) {
        eprintln!("SKIPPED python_imapclient: pip install imapclient");
        return;
    }
    let server = Server::start_with(&["--quota", "500M"]);
    let mut python = Command::new("python3");
    python.arg(script("client.py")).arg(server.authority());
    python.args([server.port("imap"), server.port("imaps")]);
    assert_eq!(succeeded(&run(&mut python, "")), "imapclient ok\n");
}

/// The messages of a Maildir, sorted.
fn texts(maildir: &Path) -> Vec<String> {
    let folders = ["cur", "new"].map(|part| fs::read_dir(maildir.join(part)));
    let files = folders.into_iter().flatten().flatten();
    let mut texts: Vec<String> = files
        .map(|file| fs::read_to_string(file.expect("an entry").path()).expect("UTF-8"))
        .collect();
    texts.sort();
    texts
}

#[test]
fn offlineimap_keeps_a_tree_the_same_both_ways() {
    if !have("offlineimap", "offlineimap3") {
        return;
    }
    let server = server(&[]);
    let home = tempfile::tempdir().expect("a folder");
    let at = home.path().display();
    let configuration = format!(
        "[general]\naccounts = here\nmetadata = {at}/state\nui = basic\n\n\
         [Account here]\nlocalrepository = near\nremoterepository = far\n\n\
         [Repository near]\ntype = Maildir\nlocalfolders = {at}/mail\nsep = /\n\n\
         [Repository far]\ntype = IMAP\nremotehost = localhost\nremoteport = {}\nremoteuser = alice\nremotepass = alice\n\
         ssl = yes\nstarttls = no\nsslcacertfile = {}\nauth_mechanisms = CRAM-MD5, PLAIN, LOGIN\n",
        server.port("imaps"),
        server.authority().display(),
    );
    let file = home.path().join("offlineimaprc");
    fs::write(&file, configuration).expect("a file");
    let sync = || {
        let mut offlineimap = Command::new("offlineimap");
        offlineimap.args(["-o", "-c"]).arg(&file);
        succeeded(&run(offlineimap.env("HOME", home.path()), ""))
    };
    sync();
    let inbox = home.path().join("mail/INBOX");
    let wanted: Vec<String> = (1..=3)
        .map(|number| {
            let text = MESSAGE.replace("strangers", &format!("message {number}"));
            text.replace("\r\n", "\n")
        })
        .collect();
    assert_eq!(texts(&inbox), wanted);

    // Near: one arrives, one is read, one goes, a folder comes.
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(home.path().join("mail/Near").join(part)).expect("a folder");
    }
    let written = home.path().join("mail/Near/new/1.M1P1.near");
    fs::write(written, "Subject: from near\n\n.text\n").expect("written");
    let mut marked = 0;
    for part in ["cur", "new"] {
        for entry in fs::read_dir(inbox.join(part)).expect("a folder") {
            let path = entry.expect("an entry").path();
            let text = fs::read_to_string(&path).expect("UTF-8");
            if text.contains("message 1") {
                fs::remove_file(&path).expect("removed");
            } else if text.contains("message 2") {
                let name = path.file_name().expect("a name").to_string_lossy();
                let name = name.split(":2,").next().expect("the first");
                let read = inbox.join("cur").join(format!("{name}:2,FS"));
                fs::rename(&path, read).expect("read");
                marked += 1;
            }
        }
    }
    assert_eq!(marked, 1);
    sync();
    assert_eq!(server.inbox("alice").len(), 2);
    let files = server.inbox("alice");
    let read = files
        .iter()
        .find(|file| file.to_string_lossy().ends_with(":2,FS"));
    let read = fs::read_to_string(read.expect("flags went over")).expect("UTF-8");
    assert!(read.contains("Subject: message 2\r\n"), "{read}");
    let far = texts(&server.store().join("mail/alice/.Near"));
    let [far] = far.as_slice() else {
        panic!("{far:?}")
    };
    assert!(far.starts_with("Subject: from near\r\n"), "{far}");
    assert!(far.ends_with("\r\n\r\n.text\r\n"), "{far}");

    // And again: nothing changes any more.
    let before = texts(&inbox);
    sync();
    assert_eq!(texts(&inbox), before);
    assert_eq!(server.inbox("alice"), files);
}

/// What mutt is to know, and does when it is open.
fn mutt(server: &Server, home: &Path, commands: &str) -> PathBuf {
    let rc = format!(
        "set ssl_force_tls=no\nset ssl_starttls=no\nset imap_pass=alice\nset pop_pass=alice\nset pop_authenticators=user\n\
         set imap_authenticators=login\nset certificate_file={}\nset confirmappend=no\nset confirmcreate=no\n\
         set quit=yes\nset delete=yes\nset move=no\nset sleep_time=0\nset wait_key=no\nset mark_old=no\nset resolve=no\n\
         set from=bob@localhost\nset sort=mailbox-order\nset pop_delete=no\nset copy=no\nset charset=utf-8\n\
         set smtp_url=smtp://localhost:{}/\nset folder={}\npush \"{commands}\"\n",
        server.authority().display(),
        server.port("smtp"),
        home.display(),
    );
    let file = home.join("muttrc");
    fs::write(&file, rc).expect("a file");
    file
}

/// Opens a mailbox with mutt and types `commands`; the last one must leave.
fn type_into_mutt(server: &Server, home: &Path, mailbox: &str, commands: &str) {
    let rc = mutt(server, home, commands);
    type_with(&rc, home, mailbox, commands);
}

/// The same, with what it is to know.
fn type_with(rc: &Path, home: &Path, mailbox: &str, commands: &str) {
    // It wants a terminal: script(1) has one. Its end would be typed as a Control-D.
    let mut script = Command::new("script");
    script
        .args(["--quiet", "--return", "--command"])
        .arg(format!("mutt -n -F {} -f {mailbox}", rc.display()))
        .arg("/dev/null")
        .env("HOME", home)
        .env("TERM", "vt100")
        .env("LC_ALL", "C.UTF-8");
    let mut mutt = script
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("script starts");
    let keyboard = mutt.stdin.take();
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = mutt.try_wait().expect("a child") {
            break status;
        }
        if begun.elapsed() > 3 * PATIENCE {
            let _ = mutt.kill();
            panic!("mutt does not end: {commands}");
        }
        thread::sleep(Duration::from_millis(10));
    };
    drop(keyboard);
    assert!(status.success(), "{status}");
}

#[test]
fn mutt_reads_flags_copies_deletes_and_sends() {
    if !have("mutt", "mutt") || !have("script", "bsdutils") {
        return;
    }
    let server = server(&[]);
    let home = tempfile::tempdir().expect("a folder");
    let at = home.path().display();
    let imap = format!("imap://alice@localhost:{}/", server.port("imap"));
    // The second is flagged and read; the third goes into a new mailbox; the first into a file, and is deleted.
    let commands = format!(
        "<first-entry><next-entry><flag-message><display-message><exit><last-entry><copy-message><kill-line>{imap}Lab/Kept<enter>\
         <first-entry><copy-message><kill-line>{at}/file<enter><delete-message><quit>"
    );
    type_into_mutt(&server, home.path(), &format!("{imap}INBOX"), &commands);
    let mut names: Vec<String> = server
        .inbox("alice")
        .iter()
        .map(|file| file.file_name().expect("a name").to_string_lossy().into())
        .collect();
    names.sort();
    assert_eq!(names, ["2.M1P1.host:2,FS", "3.M1P1.host:2,"]);
    let kept = texts(&server.store().join("mail/alice/.Lab.Kept"));
    assert_eq!(kept, [MESSAGE.replace("strangers", "message 3")]);
    let file = fs::read_to_string(home.path().join("file")).expect("copied");
    assert!(file.contains("Subject: message 1\n"), "{file}");
    let (_, body) = MESSAGE.split_once("\r\n\r\n").expect("an empty line");
    assert!(file.contains(&body.replace("\r\n", "\n")), "{file}");

    // By POP3: one of the two goes.
    let pop = format!("pop://alice@localhost:{}/", server.port("pop3"));
    type_into_mutt(
        &server,
        home.path(),
        &pop,
        "<first-entry><delete-message><quit>",
    );
    let files = server.inbox("alice");
    let [file] = files.as_slice() else {
        panic!("{files:?}")
    };
    let left = fs::read_to_string(file).expect("a message");
    assert_eq!(left, MESSAGE.replace("strangers", "message 3"));

    let rc = mutt(&server, home.path(), "<quit>");
    let mut send = Command::new("mutt");
    send.args(["-n", "-F"]).arg(rc);
    send.args(["-s", "said by mutt \u{e9}", "bob@localhost"]);
    send.env("HOME", home.path()).env("LC_ALL", "C.UTF-8");
    succeeded(&run(&mut send, ".dot\n..two\nlast\n"));
    let sent = only_message(&server, "bob");
    assert!(
        sent.ends_with("\r\n\r\n.dot\r\n..two\r\nlast\r\n"),
        "{sent}"
    );
    assert!(
        sent.contains("Subject: said by mutt =?iso-8859-1?Q?=E9?=\r\n"),
        "{sent}"
    );
}

/// With what it is told of logging in: by itself Debian's takes SCRAM-SHA-256-PLUS where that is listed, has nothing to bind it to, and fails.
#[test]
fn mutt_fetches_and_sends_over_tls() {
    if !have("mutt", "mutt") || !have("script", "bsdutils") {
        return;
    }
    let server = server(&[]);
    let home = tempfile::tempdir().expect("a folder");
    let over_tls = |commands: &str| {
        let rc = mutt(&server, home.path(), commands);
        let told = fs::read_to_string(&rc).expect("just written");
        let kept = told
            .lines()
            .filter(|line| !line.contains("pop_authenticators=") && !line.contains("smtp_url="));
        let more = format!(
            "set smtp_authenticators=scram-sha-256\nset pop_authenticators=scram-sha-256\nset ssl_ca_certificates_file={}\nset smtp_pass=bob\nset smtp_url=smtps://bob@localhost:{}/\n",
            server.authority().display(),
            server.port("smtps"),
        );
        let lines: Vec<&str> = more.lines().chain(kept).collect();
        fs::write(&rc, lines.join("\n") + "\n").expect("a file");
        rc
    };
    let pops = format!("pops://alice@localhost:{}/", server.port("pop3s"));
    let commands = "<first-entry><delete-message><quit>";
    type_with(&over_tls(commands), home.path(), &pops, commands);
    assert_eq!(server.inbox("alice").len(), 2, "one of three is gone");

    let mut send = Command::new("mutt");
    send.args(["-n", "-F"]).arg(over_tls("<quit>"));
    send.args(["-s", "over TLS", "bob@localhost"]);
    send.env("HOME", home.path()).env("LC_ALL", "C.UTF-8");
    succeeded(&run(&mut send, "last\n"));
    let sent = only_message(&server, "bob");
    assert!(sent.contains("with ESMTPSA (TLSv1.3 "), "{sent}");
    assert!(sent.ends_with("\r\n\r\nlast\r\n"), "{sent}");
}
