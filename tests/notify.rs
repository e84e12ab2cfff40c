//! NOTIFY (RFC 5465) over TCP, against the program: what is delivered, what other sessions do, and what other programs do to the same
//! files is told at once, of the selected mailbox and of others. And INPROGRESS (RFC 9585): who waits long is told so.
//!
//! How long it took is printed (`--nocapture`): from the last octet of a delivery that a server can know of, to the line in the
//! client's hands.

#[path = "support/program.rs"]
mod program;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use program::Server;

/// A connection that says lines, and hears them.
struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("connected");
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .expect("set");
        Self(BufReader::new(stream))
    }
    fn imap(server: &Server) -> Self {
        let mut client = Self::connect(server.address("imap"));
        client.hear("* OK");
        client.say("a LOGIN alice alice");
        client.hear("a OK");
        client
    }
    fn say(&mut self, line: &str) {
        write!(self.0.get_mut(), "{line}\r\n").expect("sent");
    }
    /// Lines up to one that begins with `last`.
    fn hear(&mut self, last: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let octets = self
                .0
                .read_line(&mut line)
                .unwrap_or_else(|error| panic!("{error}: {last} after {lines:?}"));
            assert!(octets > 0, "the end after {lines:?}");
            let is_last = line.starts_with(last);
            lines.push(line.trim_end().to_owned());
            if is_last {
                return lines;
            }
        }
    }
    /// Says a command, and hears its tagged OK.
    fn does(&mut self, tag: &str, command: &str) -> Vec<String> {
        self.say(&format!("{tag} {command}"));
        self.hear(&format!("{tag} OK"))
    }
}

/// Delivers by SMTP or LMTP; returns when the message was said to be there.
fn deliver(client: &mut Client, subject: &str) -> Instant {
    client.say("MAIL FROM:<bob@example.org>");
    client.hear("250");
    client.say("RCPT TO:<alice@mail.lab>");
    client.hear("250");
    client.say("DATA");
    client.hear("354");
    client.say(&format!("Subject: {subject}\r\n\r\nHello.\r\n."));
    client.hear("250");
    Instant::now()
}

/// As dovecot-lda does: written aside, then renamed.
fn drop_file(folder: &Path, name: &str) -> Instant {
    let draft = folder.join("tmp").join(name);
    fs::write(&draft, "Subject: foreign\n\nLF at the ends\n").expect("written");
    let begun = Instant::now();
    fs::rename(&draft, folder.join("new").join(name)).expect("delivered");
    begun
}

fn report(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let (middle, last) = (took[took.len() / 2], took[took.len() - 1]);
    println!(
        "{what}: {middle:?} in the middle, {last:?} at most, of {}",
        took.len()
    );
    // On a machine that others use too, the quickest.
    assert!(took[0] < Duration::from_millis(50), "{what}: {took:?}");
}

#[test]
fn deliveries_are_pushed() {
    let server = Server::start_with(&["--hostname", "mail.lab", "--lmtp", "127.0.0.1:0"]);
    let mut idler = Client::imap(&server);
    idler.does("b", "SELECT INBOX");
    idler.say("c IDLE");
    idler.hear("+");
    let mut told = Client::imap(&server);
    told.does(
        "b",
        "NOTIFY SET (SELECTED (MessageNew (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)]) MessageExpunge)) (PERSONAL (MessageNew MessageExpunge))",
    );
    told.does("c", "SELECT INBOX");
    let mut elsewhere = Client::imap(&server);
    elsewhere.does("b", "NOTIFY SET (INBOXES (MessageNew MessageExpunge))");
    let mut smtp = Client::connect(server.address("smtp"));
    smtp.hear("220");
    smtp.say("EHLO client.example");
    smtp.hear("250 ");
    let mut lmtp = Client::connect(server.address("lmtp"));
    lmtp.hear("220");
    lmtp.say("LHLO client.example");
    lmtp.hear("250 ");
    let (mut idle, mut notify, mut status) = (Vec::new(), Vec::new(), Vec::new());
    for number in 1..=10 {
        let by = match number % 2 {
            0 => &mut smtp,
            _ => &mut lmtp,
        };
        let said = deliver(by, &format!("number {number}"));
        idler.hear(&format!("* {number} EXISTS"));
        idle.push(said.elapsed());
        told.hear(&format!("* {number} EXISTS"));
        told.hear(&format!(
            "* {number} FETCH (UID {number} BODY[HEADER.FIELDS (SUBJECT)]"
        ));
        notify.push(said.elapsed());
        let field = told.hear(")").concat();
        assert!(field.contains(&format!("number {number}")), "{field}");
        let counts = elsewhere.hear("* STATUS INBOX").pop();
        assert_eq!(
            counts.as_deref(),
            Some(&*format!(
                "* STATUS INBOX (UIDNEXT {} MESSAGES {number})",
                number + 1
            ))
        );
        status.push(said.elapsed());
    }
    report("IDLE after 250", idle);
    report("NOTIFY with FETCH after 250", notify);
    report("NOTIFY with STATUS after 250", status);
}

#[test]
fn what_other_programs_do_is_pushed() {
    let server = Server::start();
    let mut client = Client::imap(&server);
    client.does("b", "CREATE Lists/Rust");
    let home = server.store().join("mail/alice");
    let folder = home.join(".Lists.Rust");
    client.does(
        "c",
        "NOTIFY SET (PERSONAL (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))",
    );
    let mut took = Vec::new();
    for number in 1..=8 {
        let begun = drop_file(&folder, &format!("{number}.foreign"));
        let told = client.hear("* STATUS Lists/Rust").concat();
        took.push(begun.elapsed());
        let counts = format!("UIDNEXT {} MESSAGES {number}", number + 1);
        assert!(told.contains(&counts), "{told}");
    }
    report("NOTIFY after a file was dropped", took);
    fs::rename(
        folder.join("cur/1.foreign:2,"),
        folder.join("cur/1.foreign:2,S"),
    )
    .expect("renamed");
    let told = client.hear("* STATUS Lists/Rust").concat();
    assert!(told.contains("(UNSEEN 7 UIDVALIDITY "), "{told}");
    fs::remove_file(folder.join("cur/1.foreign:2,S")).expect("removed");
    let told = client.hear("* STATUS Lists/Rust").concat();
    assert!(told.contains("(UIDNEXT 9 MESSAGES 7 "), "{told}");
    // Folders that come, are renamed, and go; and what comes into them.
    let draft = home.join("tmp/made");
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(draft.join(part)).expect("made");
    }
    fs::rename(&draft, home.join(".Foreign")).expect("renamed");
    client.hear("* LIST (\\HasNoChildren) \"/\" Foreign");
    fs::rename(home.join(".Foreign"), home.join(".Stranger")).expect("renamed");
    client.hear("* LIST (\\HasNoChildren) \"/\" Stranger (\"OLDNAME\" (Foreign))");
    drop_file(&home.join(".Stranger"), "1.x");
    client.hear("* STATUS Stranger");
    fs::write(home.join("tmp/subscriptions"), "Stranger\n").expect("written");
    fs::rename(home.join("tmp/subscriptions"), home.join("subscriptions")).expect("renamed");
    client.hear("* LIST (\\Subscribed \\HasNoChildren) \"/\" Stranger");
    fs::remove_dir_all(home.join(".Stranger")).expect("removed");
    client.hear("* LIST (\\Subscribed \\NonExistent) \"/\" Stranger");
    client.does("d", "NOOP");
}

/// A client that was told to wait for nothing hears everything, and nothing in the middle of a command's responses.
#[test]
fn nothing_is_told_in_the_middle_of_a_command() {
    let server = Server::start();
    let mut client = Client::imap(&server);
    client.does("b", "SELECT INBOX");
    client.does(
        "c",
        "NOTIFY SET (SELECTED (MessageNew (UID) MessageExpunge FlagChange))",
    );
    let mut other = Client::imap(&server);
    other.does("b", "SELECT INBOX");
    for number in 1..=20 {
        other.say(&format!(
            "c{number} APPEND INBOX {{15+}}\r\nSubject: many\r\n"
        ));
        other.hear(&format!("c{number} OK"));
    }
    client.hear("* 20 FETCH (UID 20)");
    // Half of a command: what happens meanwhile waits until it is whole and answered.
    write!(client.0.get_mut(), "d SEARCH SUBJECT {{4+}}\r\nma").expect("sent");
    std::thread::sleep(Duration::from_millis(100));
    other.does("d", "STORE 1:10 +FLAGS.SILENT (\\Deleted)");
    other.does("e", "EXPUNGE");
    std::thread::sleep(Duration::from_millis(100));
    write!(client.0.get_mut(), "ny 1:20\r\n").expect("sent");
    let heard = client.hear("d OK");
    let found = "* SEARCH 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20";
    assert!(
        heard[0] == found || heard[0] == "* SEARCH 11 12 13 14 15 16 17 18 19 20",
        "the numbers of before: {heard:?}"
    );
    assert!(
        heard.iter().all(|line| !line.ends_with("EXPUNGE")),
        "{heard:?}"
    );
    let gone = client.hear("* 1 EXPUNGE");
    let removed = gone.iter().filter(|line| line.ends_with("EXPUNGE")).count();
    assert_eq!(removed, 10, "{gone:?}");
}

/// RFC 5465 §3.1 and §5.8: who asks for too much is refused, and for whom it becomes too much hears so, and then nothing.
#[test]
fn more_mailboxes_than_can_be_told_of() {
    let server = Server::start();
    let home = server.store().join("mail/alice");
    let make = |number: usize| {
        let folder = home.join(format!(".m{number:04}"));
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(folder.join(part)).expect("made");
        }
    };
    let set = "NOTIFY SET (PERSONAL (MailboxName)) (MAILBOXES INBOX (MessageNew MessageExpunge))";
    // With INBOX, one too many.
    (1..=1000).for_each(make);
    let mut client = Client::imap(&server);
    client.say(&format!("b {set}"));
    let refused = client.hear("b ").concat();
    assert!(
        refused.starts_with("b NO [NOTIFICATIONOVERFLOW] "),
        "{refused}"
    );
    let mut other = Client::imap(&server);
    other.does("b", "DELETE m1000");
    client.does("c", set);
    other.does("c", "CREATE m1000");
    let overflow = client.hear("* OK [NOTIFICATIONOVERFLOW] ");
    assert!(
        overflow.iter().all(|line| !line.contains("STATUS")),
        "{overflow:?}"
    );
    // As if NOTIFY NONE had been said.
    other.does("d", "CREATE n");
    other.does("e", "DELETE n");
    let deaf = client.does("d", "NOOP");
    assert_eq!(deaf.len(), 1, "{deaf:?}");
    // It may be asked for again, for less.
    client.does("e", "NOTIFY SET (SUBTREE n (MailboxName))");
    other.does("f", "CREATE n");
    client.hear("* LIST (\\HasNoChildren) \"/\" n");
}

/// Another program holds the two locks that a command needs, one after the other; each for less than is waited for it.
#[test]
fn who_waits_long_is_told() {
    let server = Server::start();
    let mut client = Client::imap(&server);
    client.does("b", "SETMETADATA \"\" (/private/vendor/x \"1\")");
    let first = server
        .store()
        .join("mail/alice/mailtool-metadata-server.lock");
    let second = server.store().join("metadata.lock");
    for lock in [&first, &second] {
        // It says something, and not whose it is: so it is not taken for forgotten.
        fs::write(lock, "somebody\n").expect("locked");
    }
    let begun = Instant::now();
    client.say("c SETMETADATA \"\" (/private/vendor/x \"2\" /shared/vendor/y \"3\")");
    std::thread::sleep(Duration::from_secs(6));
    fs::remove_file(&first).expect("unlocked");
    let told = client.hear("* OK [INPROGRESS (\"c\" NIL NIL)] ");
    assert_eq!(told.len(), 1, "{told:?}");
    // RFC 9585 §4 leaves it open; no sooner than is promised.
    assert!(begun.elapsed() >= Duration::from_secs(10));
    fs::remove_file(&second).expect("unlocked");
    client.hear("c OK");
    let noted = client.does("d", "GETMETADATA \"\" (/private/vendor/x /shared/vendor/y)");
    assert_eq!(
        noted[0],
        "* METADATA \"\" (/private/vendor/x \"2\" /shared/vendor/y \"3\")"
    );
}
