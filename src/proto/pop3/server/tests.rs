//! What dialogues cannot say: large mailboxes, peers that do not read, octets at random.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::SystemTime;

use proptest::prelude::*;

use super::*;
use crate::proto::{Epoch, Front, Refused, Wish, pump};
use crate::store::{Store, Users};
use crate::tap::Side;
use crate::wire::lines::LineReader;

/// A session, its store, and a peer that reads when it is told to.
struct Stage {
    folder: tempfile::TempDir,
    store: Arc<Store>,
    now: Instant,
    session: Server,
    reader: LineReader,
    out: Out,
    /// The most that ever waited to be sent.
    most_queued: u64,
}

impl Stage {
    fn new() -> Self {
        Self::refused(None)
    }

    fn refused(refused: Option<Refused>) -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        }
        .unwrap();
        let users = Users::plain(&[("alice".into(), "secret".into())]);
        let store = Store::open(folder.path(), &["a.example".to_owned()], users).unwrap();
        let now = Instant::now();
        let store = Arc::new(store);
        let config = Config::new("a.example", StartTls::Offered);
        let peer = Peer {
            token: 1,
            remote: Some(SocketAddr::from(([127, 0, 0, 1], 40_000))),
            local: None,
            accepted: Epoch {
                instant: now,
                wall: SystemTime::UNIX_EPOCH,
            },
            seed: [7; 16],
            refused,
            proxy: None,
        };
        let mut stage = Self {
            folder,
            store: Arc::clone(&store),
            now,
            session: Server::new(Arc::new(config), store, peer),
            reader: LineReader::new(),
            out: Out::new(Side::Server, now, None),
            most_queued: 0,
        };
        stage.session.handle(now, Input::Open, &mut stage.out);
        stage
    }

    /// Puts a file into alice's INBOX, as another program does.
    fn put(&self, name: usize, text: &[u8]) {
        let account = self.store.users().find("alice", None).unwrap();
        let new = account.home.join("new");
        fs::create_dir_all(&new).unwrap();
        fs::write(new.join(format!("17{name:08}.M1P1.host")), text).unwrap();
    }

    fn say(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() && self.out.wish().is_none() {
            let space = self.reader.space();
            let room = space.len().min(octets.len());
            space[..room].copy_from_slice(&octets[..room]);
            self.reader.filled(room);
            octets = &octets[room..];
            self.turn();
            if room == 0 {
                return;
            }
        }
    }

    /// Does all that can be done while the peer does not read.
    fn turn(&mut self) {
        loop {
            pump(&mut self.reader, &mut self.session, self.now, &mut self.out);
            self.most_queued = self.most_queued.max(self.out.queued());
            let Some(job) = self.out.take_job() else {
                return;
            };
            let answer = job.run(&self.store);
            self.session
                .handle(self.now, Input::Done(answer), &mut self.out);
        }
    }

    /// The peer reads at most so many octets.
    fn read(&mut self, octets: usize) -> Vec<u8> {
        let mut read = Vec::new();
        while read.len() < octets {
            let Some(Front::Bytes(bytes)) = self.out.front() else {
                break;
            };
            let some = bytes.len().min(octets - read.len());
            read.extend_from_slice(&bytes[..some]);
            let was_full = self.out.is_full();
            self.out.advance(some);
            if was_full && !self.out.is_full() {
                self.session.handle(self.now, Input::Room, &mut self.out);
            }
            self.turn();
        }
        read
    }

    fn read_all(&mut self) -> String {
        String::from_utf8(self.read(usize::MAX)).unwrap()
    }

    fn logged_in() -> Self {
        let stage = Self::new();
        stage.with_login()
    }

    fn with_login(mut self) -> Self {
        self.say(b"USER alice\r\nPASS secret\r\n");
        let said = self.read_all();
        assert!(said.contains("+OK mailbox open"), "{said}");
        self
    }
}

#[test]
fn ten_thousand_messages_are_listed_in_bounded_memory() {
    let stage = Stage::new();
    for message in 0..10_000 {
        stage.put(message, b"Subject: x\n\n");
    }
    let mut stage = stage.with_login();
    let mut said = String::new();
    stage.say(b"UIDL\r\nUIDL\r\nLIST\r\nSTAT\r\n");
    let most = limits::SEND_HIGH as u64 + 2 * limits::BLOCK as u64;
    assert!(stage.most_queued <= most, "{}", stage.most_queued);
    loop {
        let read = stage.read(10_000);
        if read.is_empty() {
            break;
        }
        said.push_str(&String::from_utf8(read).unwrap());
    }
    assert!(stage.most_queued <= most, "{}", stage.most_queued);
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 3 * 10_002 + 1);
    assert_eq!(lines[0], "+OK unique ids follow");
    assert!(lines[1].starts_with("1 00000001"), "{}", lines[1]);
    assert!(
        lines[10_000].starts_with("10000 00002710"),
        "{}",
        lines[10_000]
    );
    assert_eq!(lines[10_001], ".");
    assert_eq!(lines[20_004], "+OK 10000 messages (140000 octets)");
    assert_eq!(lines[20_005], "1 14");
    assert_eq!(lines[30_006], "+OK 10000 140000");
}

#[test]
fn a_long_message_waits_for_a_slow_reader_in_bounded_memory() {
    for line_end in ["\r\n", "\n"] {
        let stage = Stage::new();
        let line = format!(".{}{line_end}", "x".repeat(59));
        let text = format!("Subject: long{line_end}{line_end}{}", line.repeat(50_000));
        stage.put(0, text.as_bytes());
        let mut stage = stage.with_login();
        stage.say(b"RETR 1\r\nNOOP\r\n");
        let mut said = Vec::new();
        loop {
            let read = stage.read(7_000);
            if read.is_empty() {
                break;
            }
            said.extend(read);
        }
        let most = 3 * limits::SEND_HIGH as u64;
        assert!(stage.most_queued <= most, "{}", stage.most_queued);
        let crlf = text.replace("\r\n", "\n").replace('\n', "\r\n");
        let expected = format!(
            "+OK {} octets\r\n{}.\r\n+OK\r\n",
            crlf.len(),
            crlf.replace("\r\n.", "\r\n..")
        );
        assert!(said == expected.as_bytes(), "{line_end:?}");
    }
}

#[test]
fn a_message_that_another_program_deleted_is_said_to_be_gone() {
    let stage = Stage::new();
    stage.put(0, b"Subject: 1\r\n\r\n");
    stage.put(1, b"Subject: 2\r\n\r\n");
    let mut stage = stage.with_login();
    for folder in ["new", "cur"] {
        let home = stage.store.users().find("alice", None).unwrap().home;
        for entry in fs::read_dir(home.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.to_string_lossy().contains("1700000000") {
                fs::remove_file(path).unwrap();
            }
        }
    }
    stage.say(b"RETR 1\r\nRETR 2\r\nDELE 1\r\nDELE 2\r\nQUIT\r\n");
    let said = stage.read_all();
    let mut lines = said.lines();
    let first = lines.next().unwrap();
    assert!(
        first.starts_with("-ERR another program has deleted"),
        "{said}"
    );
    assert_eq!(lines.next(), Some("+OK 14 octets"));
    assert_eq!(lines.last(), Some("+OK bye; 2 messages deleted"));
}

#[test]
fn what_was_retrieved_is_seen_after_quit_only() {
    let stage = Stage::new();
    stage.put(0, b"Subject: 1\r\n\r\n");
    stage.put(1, b"Subject: 2\r\n\r\n");
    let mut stage = stage.with_login();
    stage.say(b"RETR 1\r\nTOP 2 0\r\n");
    let account = stage.store.users().find("alice", None).unwrap();
    let seen = |stage: &Stage| -> Vec<bool> {
        let index = stage
            .store
            .mailbox(&account, "INBOX")
            .unwrap()
            .sync()
            .unwrap();
        let seen = |entry: &crate::store::Entry| entry.flags.contains(crate::store::Flags::SEEN);
        index.messages.iter().map(seen).collect()
    };
    assert_eq!(seen(&stage), [false, false]);
    stage.say(b"QUIT\r\n");
    assert_eq!(seen(&stage), [true, false]);
    assert_eq!(stage.out.wish(), Some(Wish::Close));
}

#[test]
fn a_connection_too_many_is_told_so() {
    let mut stage = Stage::refused(Some(Refused::Address));
    assert_eq!(
        stage.read_all(),
        "-ERR [SYS/TEMP] too many connections now; close some, or try again later\r\n"
    );
    assert_eq!(stage.out.wish(), Some(Wish::Close));
}

#[test]
fn passwords_are_told_from_what_may_be_shown() {
    let mut stage = Stage::new();
    assert_eq!(stage.session.secret_in(b"PASS secret"), Some(5..11));
    assert_eq!(stage.session.secret_in(b"USER alice"), None);
    stage.say(b"AUTH PLAIN\r\n");
    assert_eq!(stage.session.secret_in(b"AGEAYg=="), Some(0..8));
    stage.say(b"*\r\n");
    assert_eq!(stage.session.secret_in(b"AGEAYg=="), None);
}

#[test]
fn scram_proves_both_sides_and_opens_the_maildrop() {
    use crate::wire::sasl_client::{Exchange, Mechanism};
    let log_in = |password: &str| {
        let mut stage = Stage::new();
        stage.put(0, b"Subject: x\r\n\r\n");
        stage.read_all();
        let (mut client, initial) =
            Exchange::begin(Mechanism::ScramSha256, "alice", password, "abcdef");
        let initial = initial.expect("the client speaks first");
        stage.say(format!("AUTH SCRAM-SHA-256 {initial}\r\n").as_bytes());
        let mut said = stage.read_all();
        // The proof, and then an empty line that takes the server's own.
        for _ in 0..2 {
            let Some(challenge) = said.strip_prefix("+ ") else {
                break;
            };
            let answer = client.answer(challenge).expect("what SCRAM says here");
            stage.say(format!("{answer}\r\n").as_bytes());
            said = stage.read_all();
        }
        (stage, said)
    };
    let (_, said) = log_in("secret");
    assert_eq!(said, "+OK mailbox open: 1 message (14 octets)\r\n");
    let (mut stage, said) = log_in("Secret");
    assert_eq!(said, "");
    let due = stage.session.deadline().expect("a pause has an end");
    assert_eq!(due, stage.now + limits::LOGIN_PAUSE);
    stage.session.handle(due, Input::Timeout, &mut stage.out);
    assert!(stage.read_all().starts_with("-ERR [AUTH] "));
}

#[test]
fn who_never_reads_is_let_go() {
    let stage = Stage::new();
    stage.put(0, &b"Subject: x\r\n\r\n".repeat(100_000));
    let mut stage = stage.with_login();
    stage.say(b"RETR 1\r\n");
    let deadline = stage.session.deadline().unwrap();
    assert_eq!(deadline, stage.now + limits::POP3_IDLE);
    stage
        .session
        .handle(deadline, Input::Timeout, &mut stage.out);
    assert_eq!(stage.out.wish(), Some(Wish::Close));
}

#[test]
fn a_goodbye_waits_for_the_end_of_a_message() {
    let stage = Stage::new();
    stage.put(0, &b"Subject: x\r\n\r\n".repeat(100_000));
    let mut stage = stage.with_login();
    stage.say(b"RETR 1\r\n");
    stage.session.handle(stage.now, Input::Stop, &mut stage.out);
    assert_eq!(stage.out.wish(), None);
    let said = stage.read_all();
    assert!(said.contains("\r\n.\r\n-ERR [SYS/TEMP] the server shuts down"));
    assert_eq!(stage.out.wish(), Some(Wish::Close));
    assert!(stage.folder.path().exists());
}

/// Lines that are nearly commands.
fn nearly_commands() -> impl Strategy<Value = Vec<u8>> {
    let keyword = prop::sample::select(vec![
        "USER",
        "PASS",
        "STAT",
        "LIST",
        "UIDL",
        "TOP",
        "RETR",
        "DELE",
        "RSET",
        "NOOP",
        "QUIT",
        "CAPA",
        "STLS",
        "AUTH",
        "APOP",
        "LAST",
        "UTF8",
        "LANG",
        "LANG fr",
        "APOP alice 0123456789abcdef0123456789abcdef",
        "AUTH CRAM-MD5",
        "AUTH SCRAM-SHA-256",
        "USER alice",
        "PASS secret",
        "AUTH PLAIN",
        "*",
        "AGFsaWNlAHNlY3JldA==",
    ]);
    let argument = prop_oneof![
        Just(Vec::new()),
        "( [0-9]{1,12}){0,3}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..20),
    ];
    let end = prop::sample::select(vec!["\r\n", "\n", "\r", ""]);
    (keyword, argument, end).prop_map(|(keyword, argument, end)| {
        [keyword.as_bytes(), &argument, end.as_bytes()].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_octets_are_answered(
        lines in prop::collection::vec(
            prop_oneof![nearly_commands(), prop::collection::vec(any::<u8>(), 0..60)],
            0..40,
        ),
        logged_in: bool,
    ) {
        let mut stage = if logged_in {
            let stage = Stage::new();
            stage.put(0, b".\n\n.\n..\n");
            stage.put(1, b"Subject: 2\r\n\r\nx");
            stage.with_login()
        } else {
            Stage::new()
        };
        for line in lines {
            stage.say(&line);
            prop_assert!(stage.most_queued < 2 * limits::SEND_HIGH as u64);
            let said = stage.read(usize::MAX);
            prop_assert!(said.is_empty() || said.ends_with(b"\r\n"));
            if stage.session.want() == Want::Nothing && stage.out.wish().is_none() {
                let due = stage.session.deadline().expect("a pause has an end");
                stage.now = due;
                stage.session.handle(due, Input::Timeout, &mut stage.out);
            }
        }
    }
}

#[test]
fn a_hundred_thousand_bad_commands_are_not_heard_to_the_end() {
    let mut stage = Stage::logged_in();
    stage.say(&b"XYZZY\r\n".repeat(100_000));
    assert_eq!(stage.read_all().lines().count(), limits::ERRORS + 1);
    assert_eq!(stage.out.wish(), Some(Wish::Close));
}
