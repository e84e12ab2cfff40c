//! The session against octets that no client would send: it never panics, and what it holds and says stays bounded.

use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;
use crate::proto::imap::fetch::Fetch;
use crate::proto::imap::message::Left;
use crate::proto::{Epoch, Front, pump};
use crate::store::Users;
use crate::tap::Side;
use crate::wire::imap::command::COMMANDS;
use crate::wire::lines::LineReader;

/// A connection without a socket.
pub(super) struct Wire {
    reader: LineReader,
    session: Server,
    out: Out,
    store: Arc<Store>,
    now: Instant,
    said: Vec<u8>,
    _folder: tempfile::TempDir,
}

impl Wire {
    pub(super) fn new() -> Self {
        // In memory where there is one: what is tested here is not the disk.
        let memory = std::path::Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::tempdir_in(memory).unwrap()
        } else {
            tempfile::tempdir().unwrap()
        };
        let users = Users::plain(&[("alice".to_owned(), "secret".to_owned())]);
        let store =
            Arc::new(Store::open(folder.path(), &["example.org".to_owned()], users).unwrap());
        let now = Instant::now();
        let config = Config {
            hostname: "mail.example.org".to_owned(),
            start_tls: StartTls::Unavailable,
            door: Arc::default(),
        };
        let peer = Peer {
            token: 1,
            remote: None,
            local: None,
            accepted: Epoch {
                instant: now,
                wall: SystemTime::UNIX_EPOCH,
            },
            seed: [7; 16],
            refused: None,
            proxy: None,
        };
        let mut wire = Self {
            reader: LineReader::new(),
            session: Server::new(Arc::new(config), Arc::clone(&store), peer),
            out: Out::new(Side::Server, now, None),
            store,
            now,
            said: Vec::new(),
            _folder: folder,
        };
        wire.session.handle(now, Input::Open, &mut wire.out);
        wire
    }

    /// Sends, and takes all that is said.
    pub(super) fn send(&mut self, mut octets: &[u8]) {
        while self.out.wish().is_none() {
            let space = self.reader.space();
            let count = space.len().min(octets.len());
            space[..count].copy_from_slice(&octets[..count]);
            self.reader.filled(count);
            octets = &octets[count..];
            let before = self.reader.pending();
            self.turn();
            if octets.is_empty() && (self.reader.pending() == before || before == 0) {
                break;
            }
        }
        self.turn();
    }

    fn turn(&mut self) {
        for _ in 0..1000 {
            pump(&mut self.reader, &mut self.session, self.now, &mut self.out);
            let full = self.out.is_full();
            self.read();
            if full {
                let Self {
                    session, out, now, ..
                } = self;
                session.handle(*now, Input::Room, out);
            }
            if let Some(job) = self.out.take_job() {
                let answer = job.run(&self.store);
                self.session
                    .handle(self.now, Input::Done(answer), &mut self.out);
            } else if let Doing::Pause(until, _) = self.session.doing {
                self.now = until.max(self.now + Duration::from_secs(1));
                self.session.handle(self.now, Input::Timeout, &mut self.out);
            } else if !full {
                break;
            }
        }
        self.read();
    }

    fn read(&mut self) {
        loop {
            let octets = match self.out.front() {
                None => break,
                Some(Front::Bytes(bytes)) => bytes.to_vec(),
                Some(Front::Extent(extent, from)) => {
                    let mut octets = vec![0; 64 * 1024];
                    let count = extent.read_at(&mut octets, from).unwrap();
                    assert!(count > 0, "the file is too short");
                    octets.truncate(count);
                    octets
                }
            };
            self.out.advance(octets.len());
            self.said.extend_from_slice(&octets);
        }
    }

    /// What was said since the last time.
    pub(super) fn take(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.said)).into_owned()
    }

    /// All files and directories of the store.
    pub(super) fn tree(&self) -> Vec<std::path::PathBuf> {
        let mut found = Vec::new();
        let mut open = vec![self._folder.path().to_path_buf()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path.clone());
                }
                found.push(path);
            }
        }
        found.sort_unstable();
        found
    }

    fn append(&mut self, text: &str) {
        let command = format!("x APPEND INBOX {{{}+}}\r\n{text}\r\n", text.len());
        self.send(command.as_bytes());
        let said = self.take();
        assert!(said.contains("x OK [APPENDUID"), "{said}");
    }
}

/// See the test of connections in `reactor`.
#[test]
fn a_session_is_small() {
    assert!(size_of::<Server>() <= 384, "{}", size_of::<Server>());
    assert!(size_of::<Selected>() <= 224, "{}", size_of::<Selected>());
}

#[test]
fn a_large_message_is_streamed_both_ways() {
    let mut wire = Wire::new();
    wire.send(b"a LOGIN alice secret\r\nb SELECT INBOX\r\n");
    let text = format!("Subject: large\r\n\r\n{}", "0123456789\r\n".repeat(100_000));
    wire.append(&text);
    wire.append("Subject: small\r\n\r\nx\r\n");
    wire.send(b"c FETCH 1:2 (BODY.PEEK[] UID)\r\n");
    let said = wire.take();
    assert!(said.starts_with(&format!(
        "* 1 FETCH (BODY[] {{{}}}\r\n{text} UID 1)\r\n",
        text.len()
    )));
    assert!(said.ends_with("UID 2)\r\nc OK that is all\r\n"));
    wire.send(b"d FETCH 1 BODY.PEEK[TEXT]<600000.100000>\r\n");
    let part = &text["Subject: large\r\n\r\n".len() + 600_000..][..100_000];
    assert_eq!(
        wire.take(),
        format!("* 1 FETCH (BODY[TEXT]<600000> {{100000}}\r\n{part})\r\nd OK that is all\r\n")
    );
}

#[test]
fn a_long_fetch_goes_on_in_blocks() {
    let mut wire = Wire::new();
    wire.send(b"a LOGIN alice secret\r\nb SELECT INBOX\r\n");
    let text = format!("Subject: x\r\n\r\n{}\r\n", "y".repeat(40_000));
    for _ in 0..20 {
        wire.append(&text);
    }
    let Phase::Selected(_, selected) = &wire.session.phase else {
        panic!("nothing is selected");
    };
    let fetch = Fetch {
        mailbox: Arc::clone(&selected.watched.mailbox),
        access: selected.watched.access,
        view: selected.view.clone(),
        uids: crate::wire::imap::set::Ranges::one(1, 20),
        from: 0,
        done: 0,
        numbering: crate::wire::imap::command::Numbering::Sequence,
        items: Arc::new(
            crate::wire::imap::fetch::scan_items(&mut crate::wire::imap::scan::Scanner::new(
                b"BODY[]",
            ))
            .unwrap(),
        ),
        changed_since: None,
        vanished: None,
        left: Left::default(),
    };
    let block = fetch.run().unwrap();
    assert_eq!(block.rest.map(|rest| rest.from), Some(6));
    wire.send(b"c FETCH 1:* BODY[]\r\n");
    let said = wire.take();
    assert_eq!(said.matches(" FETCH (BODY[] {40").count(), 20);
    assert!(said.ends_with("c OK that is all\r\n"));
    assert!(said.len() > 800_000);
}

#[test]
fn literals_have_the_octets_that_they_announce_whatever_became_of_the_files() {
    let mut wire = Wire::new();
    wire.send(b"a LOGIN alice secret\r\nb SELECT INBOX\r\n");
    for number in 1..=5 {
        wire.append(&format!("Subject: {number}\r\n\r\nsome text\r\n"));
    }
    wire.send(b"c NOOP\r\n");
    wire.take();
    let cur = wire._folder.path().join("mail/alice/cur");
    for entry in std::fs::read_dir(cur).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        match &text[..10] {
            "Subject: 2" => std::fs::write(&path, text.replace('\r', "")).unwrap(),
            "Subject: 3" => std::fs::write(&path, &text[..12]).unwrap(),
            "Subject: 4" => std::fs::write(&path, format!("{text}and\nmore\0\r\n")).unwrap(),
            "Subject: 5" => std::fs::remove_file(&path).unwrap(),
            _ => {}
        }
    }
    wire.send(b"d FETCH 1:5 (BODY.PEEK[] RFC822.SIZE)\r\n");
    let said = std::mem::take(&mut wire.said);
    let mut expected = Vec::new();
    for (number, text) in [
        (1, &b"Subject: 1\r\n\r\nsome text\r\n"[..]),
        (2, b"Subject: 2\r\n\r\nsome text\r\n"),
        (3, b"Subject: 3\r\n"),
        (4, b"Subject: 4\r\n\r\nsome text\r\nand\r\nmore\x80\r\n"),
    ] {
        let head = format!("* {number} FETCH (BODY[] {{{}}}\r\n", text.len());
        expected.extend_from_slice(head.as_bytes());
        expected.extend_from_slice(text);
        expected.extend_from_slice(b" RFC822.SIZE 25)\r\n");
    }
    expected.extend_from_slice(b"d OK [EXPUNGEISSUED]");
    assert!(
        said.starts_with(&expected),
        "{}",
        String::from_utf8_lossy(&said)
    );
}

#[test]
fn a_fetch_of_many_large_items_is_told_in_several_responses() {
    let mut wire = Wire::new();
    wire.send(b"a LOGIN alice secret\r\nb SELECT INBOX\r\n");
    wire.append(&format!("Subject: {}\r\n\r\ny\r\n", "x".repeat(100_000)));
    wire.take();
    let items = "BODY[HEADER.FIELDS (Subject)] ".repeat(10);
    wire.send(format!("c UID FETCH 1 ({items}FLAGS)\r\n").as_bytes());
    let said = wire.take();
    assert_eq!(
        said.matches("BODY[HEADER.FIELDS (Subject)] {10").count(),
        10
    );
    // Two are more than a block.
    assert_eq!(said.matches("* 1 FETCH (UID 1 BODY[").count(), 5);
    assert_eq!(said.matches(" FLAGS (\\Seen").count(), 1);
    assert!(
        said.ends_with("c OK that is all\r\n"),
        "{}",
        &said[said.len() - 200..]
    );
    let much = "FLAGS ".repeat(1 + limits::IMAP_ITEMS);
    wire.send(format!("d FETCH 1 ({much})\r\n").as_bytes());
    assert!(
        wire.take()
            .starts_with("d BAD [CLIENTBUG] FETCH: more than 500 items at once")
    );
}

#[test]
fn searches_and_flags_have_an_end() {
    let mut wire = Wire::new();
    wire.send(b"a LOGIN alice secret\r\nb SELECT INBOX\r\n");
    wire.take();
    let keys = "ALL ".repeat(1 + limits::IMAP_KEYS);
    wire.send(format!("c SEARCH {keys}\r\n").as_bytes());
    assert!(
        wire.take()
            .starts_with("c BAD [CLIENTBUG] SEARCH: more than 200 keys in one search")
    );
    let flags = "k ".repeat(1 + limits::IMAP_FLAGS);
    wire.send(format!("d STORE 1 +FLAGS ({flags})\r\ne STORE 1 FLAGS {flags}\r\n").as_bytes());
    assert_eq!(
        wire.take()
            .matches(" BAD [CLIENTBUG] STORE: more than 100 flags")
            .count(),
        2
    );
}

#[test]
fn a_session_whose_uids_mean_nothing_any_more_ends() {
    let mut wire = Wire::new();
    wire.send(b"a LOGIN alice secret\r\nb SELECT INBOX\r\n");
    wire.append("Subject: x\r\n\r\ny\r\n");
    wire.send(b"c NOOP\r\n");
    assert!(wire.take().ends_with("c OK done\r\n"));
    let list = wire._folder.path().join("mail/alice/dovecot-uidlist");
    let guid = "0".repeat(32);
    std::fs::write(list, format!("3 V5 N9 G{guid}\n")).unwrap();
    let cur = wire._folder.path().join("mail/alice/cur");
    std::fs::write(cur.join("another"), "Subject: y\n\n").unwrap();
    wire.send(b"d FETCH 1 UID\r\n");
    let said = wire.take();
    assert!(said.contains("* BYE all messages have new UIDs"), "{said}");
    assert_eq!(wire.out.wish(), Some(proto::Wish::Close));
}

#[test]
fn who_waits_long_is_told_how_far_it_is() {
    let mut wire = Wire::new();
    wire.send(b"a LOGIN alice secret\r\n");
    let octets = limits::IMAP_READ as usize;
    for _ in 0..2 {
        wire.send(format!("b APPEND INBOX {{{octets}+}}\r\n").as_bytes());
        wire.send(&b"some words\r\n".repeat(octets / 12 + 1)[..octets]);
        wire.send(b"\r\n");
    }
    wire.send(b"c SELECT INBOX\r\n");
    wire.take();
    let begin = |wire: &mut Wire, line: &[u8]| {
        wire.reader.push(line);
        pump(&mut wire.reader, &mut wire.session, wire.now, &mut wire.out);
        wire.out.take_job().expect("a job")
    };
    let late = |wire: &mut Wire| {
        let due = wire
            .session
            .deadline_at_work()
            .expect("it has something to say");
        assert_eq!(due, wire.session.reported + limits::IMAP_PROGRESS);
        wire.now = due;
        wire.session.handle(due, Input::Timeout, &mut wire.out);
        wire.read();
        wire.take()
    };
    let job = begin(&mut wire, b"d SEARCH TEXT nothing\r\n");
    let said = late(&mut wire);
    assert_eq!(
        said,
        "* OK [INPROGRESS (\"d\" 0 2)] 0 of 2 messages are searched\r\n"
    );
    let answer = job.run(&wire.store);
    wire.session
        .handle(wire.now, Input::Done(answer), &mut wire.out);
    let job = wire.out.take_job().expect("the second message");
    let said = late(&mut wire);
    assert_eq!(
        said,
        "* OK [INPROGRESS (\"d\" 1 2)] 1 of 2 messages are searched\r\n"
    );
    let answer = job.run(&wire.store);
    wire.session
        .handle(wire.now, Input::Done(answer), &mut wire.out);
    wire.send(b"");
    assert_eq!(wire.take(), "* SEARCH\r\nd OK none was found\r\n");
    assert_eq!(wire.session.deadline_at_work(), None);
    let job = begin(&mut wire, b"e COPY 1 INBOX\r\n");
    assert_eq!(
        late(&mut wire),
        "* OK [INPROGRESS (\"e\" NIL NIL)] still at it\r\n"
    );
    let answer = job.run(&wire.store);
    wire.session
        .handle(wire.now, Input::Done(answer), &mut wire.out);
    // IDLE's look at the mailbox is nothing to speak of.
    wire.send(b"");
    let _ = begin(&mut wire, b"f IDLE\r\n");
    assert_eq!(wire.session.deadline_at_work(), None);
}

/// Lines that go far into the session, with what random octets lack: names of commands, literals that fit.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let command = (0..COMMANDS.len()).prop_map(|at| format!("a {}\r\n", COMMANDS[at].example));
    let cut = (0..COMMANDS.len(), 0usize..30).prop_map(|(at, length)| {
        let example = COMMANDS[at].example;
        format!("a {}\r\n", &example[..length.min(example.len())])
    });
    let words = "(a |b )?(UID )?(FETCH|STORE|SEARCH|COPY|APPEND|SELECT|LIST|IDLE|CLOSE|EXPUNGE) [1:*, ]{0,5}(INBOX|FLAGS|\\(BODY\\[1.MIME\\]\\)|\\+FLAGS \\\\Deleted|NOT|TEXT x|\\{3\\}|\\{3\\+\\}|\\{99999999\\+\\}| |\\(|\\)|\"){0,4}\r?\n";
    prop_oneof![
        3 => command.prop_map(String::into_bytes),
        2 => cut.prop_map(String::into_bytes),
        4 => words.prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..80),
        1 => Just(b"DONE\r\n".to_vec()),
        1 => Just(b"x LOGIN alice secret\r\ny SELECT INBOX\r\n".to_vec()),
        1 => Just(b"z APPEND INBOX {20+}\r\nSubject: x\r\n\r\nhello\n\r\n".to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn nothing_that_is_sent_breaks_it(lines in proptest::collection::vec(line(), 0..25)) {
        let mut wire = Wire::new();
        wire.send(b"x LOGIN alice secret\r\n");
        for line in &lines {
            wire.send(line);
            prop_assert!(wire.session.gathered.len() <= limits::IMAP_COMMAND + limits::IMAP_LINE);
        }
        let said = wire.take();
        // Whatever was sent, the server spoke in whole lines.
        prop_assert!(said.ends_with("\r\n"));
        // Each refusal says for programs why.
        for line in said.lines().filter(|line| !line.starts_with(['*', '+'])) {
            let reason = line.split_once(" NO ").or(line.split_once(" BAD "));
            if let Some((tag, reason)) = reason.filter(|(tag, _)| !tag.contains(' ')) {
                prop_assert!(reason.starts_with('['), "{tag} {reason}");
            }
        }
    }
}
