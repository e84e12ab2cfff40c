//! What dialogues cannot see: what lies in the mailbox afterwards, how many jobs it took, and any octets at all.

mod long;

use std::time::{Duration, SystemTime};

use super::super::{Job, SenderDomain};
use super::*;
use crate::proto::{Epoch, Front, Refused, Session, Wish, pump};
use crate::store::{StoreError, Users};
use crate::tap::Side;
use crate::wire::envelope::{Body, ByMode, Notify, Ret};
use crate::wire::lines::LineReader;
use proptest::prelude::*;
use tempfile::TempDir;

const HOST: &str = "mail.example.org";

/// A store with alice and bob in it, and a clock that stands still.
struct Stage {
    store: Arc<Store>,
    now: Instant,
    _folder: TempDir,
}

/// A connection to a server.
struct Talk<'a> {
    stage: &'a Stage,
    server: Server,
    reader: LineReader,
    out: Out,
    jobs: usize,
    /// The most memory that a job was handed.
    largest_part: usize,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let users = ["alice", "bob"].map(|name| (name.to_owned(), name.to_owned()));
        let store = Store::open(folder.path(), &[HOST.to_owned()], Users::plain(&users));
        Self {
            store: Arc::new(store.expect("a store")),
            now: Instant::now(),
            _folder: folder,
        }
    }

    fn talk(&self, mode: Mode) -> Talk<'_> {
        let peer = Peer {
            token: 7,
            remote: Some("127.0.0.1:40000".parse().expect("an address")),
            local: Some("127.0.0.1:1025".parse().expect("an address")),
            accepted: Epoch {
                instant: self.now,
                wall: SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777),
            },
            seed: [7; 16],
            refused: None,
            proxy: None,
        };
        let mut config = Config::new(HOST, HOST, mode);
        config.max_octets = 3_000_000;
        let mut talk = Talk {
            stage: self,
            server: Server::new(Arc::new(config), Arc::clone(&self.store), peer),
            reader: LineReader::new(),
            out: Out::new(Side::Server, self.now, None),
            jobs: 0,
            largest_part: 0,
        };
        talk.server.handle(self.now, Input::Open, &mut talk.out);
        talk
    }

    fn inbox(&self, name: &str) -> Vec<String> {
        let account = self.store.users().find(name, None).expect("an account");
        let mailbox = self.store.mailbox(&account, "INBOX").expect("an INBOX");
        let index = mailbox.sync().expect("an index");
        let text = |uid| String::from_utf8(mailbox.read(uid).expect("a message")).expect("text");
        index.messages.iter().map(|entry| text(entry.uid)).collect()
    }
}

impl Talk<'_> {
    /// Says octets, does the jobs, and returns what was answered.
    fn say(&mut self, mut octets: &[u8]) -> String {
        loop {
            let space = self.reader.space();
            let fits = space.len().min(octets.len());
            space[..fits].copy_from_slice(&octets[..fits]);
            self.reader.filled(fits);
            octets = &octets[fits..];
            let before = self.reader.pending();
            pump(
                &mut self.reader,
                &mut self.server,
                self.stage.now,
                &mut self.out,
            );
            let worked = self.work();
            let stuck = !worked && self.reader.pending() == before && fits == 0;
            if stuck || self.out.wish().is_some() {
                return self.answered();
            }
        }
    }

    fn work(&mut self) -> bool {
        let Some(job) = self.out.take_job() else {
            return false;
        };
        self.jobs += 1;
        if let proto::Job::Smtp(Job::Append(part) | Job::Deliver(part, _)) = &job {
            self.largest_part = self.largest_part.max(part.text.capacity());
        }
        let answer = job.run(&self.stage.store);
        self.server
            .handle(self.stage.now, Input::Done(answer), &mut self.out);
        true
    }

    fn answered(&mut self) -> String {
        let mut answered = Vec::new();
        while let Some(Front::Bytes(bytes)) = self.out.front() {
            let octets = bytes.len();
            answered.extend_from_slice(bytes);
            self.out.advance(octets);
        }
        String::from_utf8(answered).expect("replies are ASCII")
    }

    /// A message from bob to `to`, with this text and the dot behind it.
    fn send(&mut self, to: &[&str], text: &str) -> String {
        self.say(b"MAIL FROM:<bob@b.example>\r\n");
        for name in to {
            self.say(format!("RCPT TO:<{name}@{HOST}>\r\n").as_bytes());
        }
        self.say(b"DATA\r\n");
        self.say(format!("{text}.\r\n").as_bytes())
    }
}

#[test]
fn trace_lines_stand_before_what_was_sent() {
    let stage = Stage::new();
    let mut talk = stage.talk(Mode::Mta);
    talk.say(b"EHLO pc(1).example\r\n");
    let reply = talk.send(&["alice"], "Subject: x\r\n\r\n..dot\r\n");
    assert_eq!(reply, "250 2.0.0 Ok: 2EBC98A1-7-1 delivered to alice\r\n");
    assert_eq!(
        stage.inbox("alice"),
        ["Return-Path: <bob@b.example>\r\n\
          Delivered-To: alice@mail.example.org\r\n\
          Received: from pc?1?.example ([127.0.0.1])\r\n\
          \tby mail.example.org with ESMTP\r\n\
          \tid 2EBC98A1-7-1 for <alice@mail.example.org>;\r\n\
          \tSun, 06 Nov 1994 08:49:37 +0000\r\n\
          Subject: x\r\n\r\n.dot\r\n"]
    );
    assert_eq!(talk.jobs, 1, "a short message costs one job");
}

#[test]
fn several_recipients_do_not_learn_of_each_other() {
    let stage = Stage::new();
    let mut talk = stage.talk(Mode::Mta);
    talk.say(b"HELO pc1.example\r\n");
    let reply = talk.send(&["alice", "bob", "alice"], "Subject: x\r\n\r\n");
    assert!(reply.ends_with(" delivered to alice, bob\r\n"), "{reply}");
    for name in ["alice", "bob"] {
        let inbox = stage.inbox(name);
        assert_eq!(inbox.len(), 1, "{name} gets it once");
        assert!(
            !inbox[0].contains(" for <") && inbox[0].contains(" with SMTP\r\n"),
            "{}",
            inbox[0]
        );
    }
}

#[test]
fn a_body_that_was_typed_without_a_header_gets_its_empty_line() {
    let stage = Stage::new();
    let mut talk = stage.talk(Mode::Mta);
    talk.say(b"HELO pc1\r\n");
    for (text, ending) in [
        ("line1\r\nline2\r\n", "+0000\r\n\r\nline1\r\nline2\r\n"),
        (
            "Subject: a\r\nline1\r\n",
            "+0000\r\nSubject: a\r\n\r\nline1\r\n",
        ),
        ("", "+0000\r\n"),
    ] {
        talk.send(&["alice"], text);
        let inbox = stage.inbox("alice");
        assert!(
            inbox.last().is_some_and(|last| last.ends_with(ending)),
            "{inbox:?}"
        );
    }
}

#[test]
fn submission_adds_what_is_missing_and_nothing_else() {
    let stage = Stage::new();
    let mut talk = stage.talk(Mode::Submission);
    talk.say(b"EHLO pc1\r\nAUTH PLAIN AGJvYgBib2I=\r\n");
    talk.send(&["alice"], "Subject: a\r\n\r\nx\r\n");
    talk.send(
        &["alice"],
        "DATE: never\r\nMessage-Id: <1@x>\r\nfrom: Bob@mail.example.org\r\n\r\nDate: y\r\n",
    );
    let inbox = stage.inbox("alice");
    assert!(
        inbox[0].contains(
            " with ESMTPA\r\n\tid 2EBC98A1-7-1 for <alice@mail.example.org>;\r\n\tSun, 06 Nov 1994 08:49:37 +0000\r\n\
             Subject: a\r\nDate: Sun, 06 Nov 1994 08:49:37 +0000\r\nMessage-ID: <2EBC98A1-7-1@mail.example.org>\r\n\
             From: <bob@mail.example.org>\r\n\r\nx\r\n"
        ),
        "{}",
        inbox[0]
    );
    assert!(
        inbox[1].contains(
            "+0000\r\nDATE: never\r\nMessage-Id: <1@x>\r\nfrom: Bob@mail.example.org\r\n\r\n"
        ),
        "{}",
        inbox[1]
    );
}

#[test]
fn only_our_return_path_is_left() {
    let stage = Stage::new();
    let mut talk = stage.talk(Mode::Mta);
    talk.say(b"HELO pc1\r\n");
    talk.send(
        &["alice"],
        "Return-Path: <mallory@m.example>\r\nBcc: carol\r\n\r\nx\r\n",
    );
    let inbox = stage.inbox("alice");
    assert_eq!(inbox[0].matches("Return-Path: ").count(), 1, "{}", inbox[0]);
    assert!(inbox[0].starts_with("Return-Path: <bob@b.example>\r\n"));
    assert!(inbox[0].ends_with("+0000\r\nBcc: carol\r\n\r\nx\r\n"));
}

#[test]
fn a_full_disk_and_a_broken_one_are_told_apart() {
    let stage = Stage::new();
    for (mode, error, reply) in [
        (Mode::Mta, StoreError::Full, "452 4.3.1 "),
        (
            Mode::Mta,
            StoreError::Io(std::io::ErrorKind::Other.into()),
            "451 4.3.0 ",
        ),
        (Mode::Lmtp, StoreError::Full, "452 4.3.1 "),
    ] {
        let mut talk = stage.talk(mode);
        talk.say(b"HELO pc1\r\nLHLO pc1\r\nMAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\n");
        talk.reader.push(b"Subject: x\r\n.\r\n");
        pump(&mut talk.reader, &mut talk.server, stage.now, &mut talk.out);
        assert!(talk.out.take_job().is_some());
        let answer = Answer::Delivered(vec![Err(error)]);
        let answer = proto::Answer::Smtp(answer);
        talk.server
            .handle(stage.now, Input::Done(answer), &mut talk.out);
        let answered = talk.answered();
        assert!(answered.starts_with(reply), "{answered}");
        assert!(talk.say(b"NOOP\r\n").starts_with("250 "), "and it goes on");
    }
    assert_eq!(stage.inbox("alice").len(), 0);
}

#[test]
fn who_comes_when_there_is_no_room_is_told_so() {
    let stage = Stage::new();
    let mut talk = stage.talk(Mode::Mta);
    talk.answered();
    let mut peer = talk.server.peer.clone();
    peer.refused = Some(Refused::Address);
    let config = Arc::clone(&talk.server.config);
    talk.server = Server::new(config, Arc::clone(&stage.store), peer);
    talk.server.handle(stage.now, Input::Open, &mut talk.out);
    let answered = talk.answered();
    assert!(
        answered.starts_with("421 4.7.0 mail.example.org: too many connections from your address")
    );
    assert_eq!(talk.out.wish(), Some(Wish::Close));
}

#[test]
fn useless_commands_are_bounded() {
    let stage = Stage::new();
    let mut talk = stage.talk(Mode::Mta);
    let answered = talk.say("NOOP\r\n".repeat(2 * limits::IDLE_COMMANDS).as_bytes());
    let replies: Vec<_> = answered.lines().skip(1).collect();
    assert_eq!(replies.len(), limits::IDLE_COMMANDS + 1);
    assert!(replies[limits::IDLE_COMMANDS].starts_with("421 4.7.0 "));
    assert_eq!(talk.out.wish(), Some(Wish::Close));
}

#[test]
fn secrets_are_known_before_they_are_read() {
    let stage = Stage::new();
    let mut talk = stage.talk(Mode::Mta);
    talk.say(b"EHLO pc1\r\n");
    let secret = |talk: &Talk<'_>, line: &[u8]| {
        let range = talk.server.secret_in(line);
        range.map(|range| String::from_utf8_lossy(&line[range]).into_owned())
    };
    assert_eq!(
        secret(&talk, b" auth  PLAIN  AGEAYg==  ").as_deref(),
        Some("AGEAYg==")
    );
    assert_eq!(
        secret(&talk, b"AUTH LOGIN alice wonder").as_deref(),
        Some("alice wonder")
    );
    assert_eq!(secret(&talk, b"AUTH PLAIN"), None);
    assert_eq!(
        secret(&talk, b"AUTH PLAINAGFsaWNlAGFsaWNl").as_deref(),
        Some("PLAINAGFsaWNlAGFsaWNl")
    );
    assert_eq!(secret(&talk, b"NOOP AUTH PLAIN x"), None);
    talk.say(b"AUTH LOGIN\r\n");
    assert_eq!(secret(&talk, b"YWxpY2U=").as_deref(), Some("YWxpY2U="));
    assert_eq!(secret(&talk, b"*"), None);
}

thread_local! {
    /// One for all cases: a store is slow to make.
    static STAGE: Stage = Stage::new();
}

/// Words that mean something, in any order, and octets that do not.
fn anything() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let words = vec![
        "EHLO pc1\r\n",
        "HELO pc1\r\n",
        "LHLO pc1\r\n",
        "MAIL FROM:<>\r\n",
        "RCPT TO:<alice>\r\n",
        "DATA\r\n",
        "Subject: x\r\n",
        "\r\n",
        ".\r\n",
        ".\n",
        "\n.\n",
        "RSET\r\n",
        "AUTH PLAIN\r\n",
        "AUTH LOGIN\r\n",
        "AGJvYgBib2I=\r\n",
        "Ym9i\r\n",
        "*\r\n",
        "BDAT 5\r\n",
        "STARTTLS\r\n",
        "NOOP\n",
        "\r",
        "\n",
        ":",
        " ",
    ];
    let word = prop::sample::select(words).prop_map(|word| word.as_bytes().to_vec());
    let octets = prop::collection::vec(any::<u8>(), 0..8);
    prop::collection::vec(prop_oneof![4 => word, 1 => octets], 0..40)
}

fn any_mode() -> impl Strategy<Value = Mode> {
    prop::sample::select(vec![Mode::Mta, Mode::Submission, Mode::Lmtp])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn anything_at_all_is_answered_or_ends(mode in any_mode(), words in anything()) {
        STAGE.with(|stage| {
            let mut talk = stage.talk(mode);
            for word in &words {
                if talk.out.wish().is_some() {
                    break;
                }
                talk.say(word);
                if matches!(talk.server.state, State::Delayed { .. }) {
                    let deadline = talk.server.deadline().expect("a delay ends");
                    talk.server.handle(deadline, Input::Timeout, &mut talk.out);
                }
            }
            if talk.out.wish().is_none() {
                talk.say(b"\r\n.\r\n*\r\nxxxxxx\r\nQUIT\r\nQUIT\r\n");
                let delayed = matches!(talk.server.state, State::Delayed { .. });
                prop_assert!(talk.out.wish().is_some() || delayed, "{:?}", talk.server.want());
            }
            Ok(())
        })?;
    }

    #[test]
    fn where_packets_end_makes_no_difference(mode in any_mode(), words in anything(), size in 1usize..9) {
        STAGE.with(|stage| {
            let said = words.concat();
            let (mut whole, mut pieces) = (stage.talk(mode), stage.talk(mode));
            let answered = whole.say(&said);
            let mut in_pieces = pieces.say(b"");
            for piece in said.chunks(size) {
                in_pieces.push_str(&pieces.say(piece));
            }
            prop_assert_eq!(answered, in_pieces);
            Ok(())
        })?;
    }
}

#[test]
fn parameters_reach_the_envelope() {
    let stage = Stage::new();
    let mut talk = stage.talk(Mode::Submission);
    let config = Arc::get_mut(&mut talk.server.config).expect("its own");
    config.queueing = Queueing::Present;
    talk.server.tls = Some(Box::default());
    talk.say(b"EHLO pc1\r\nAUTH PLAIN AGJvYgBib2I=\r\n");
    talk.say(
        b"MAIL FROM:<bob@b.example> SIZE=9 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=a+2Bb AUTH=<> REQUIRETLS BY=120;NT \
          HOLDFOR=60 MT-PRIORITY=4\r\n",
    );
    let said = talk.say(b"RCPT TO:<alice> NOTIFY=DELAY,FAILURE ORCPT=rfc822;A+2B1@x.example\r\n");
    assert!(said.starts_with("250 2.1.5 "), "{said}");
    let envelope = &talk.server.message.as_ref().expect("a message").envelope;
    let options = &envelope.options;
    assert_eq!(
        (options.size, options.body, options.utf8),
        (Some(9), Body::EightBit, true)
    );
    assert_eq!(
        (options.ret, options.envelope_id.as_deref()),
        (Some(Ret::Full), Some("a+b"))
    );
    assert_eq!(
        (options.submitter.as_deref(), options.require_tls),
        (Some(""), true)
    );
    let by = options.deliver_by.expect("a deadline");
    assert_eq!(
        (by.deadline, by.mode, by.trace),
        (784_111_777 + 120, ByMode::Notify, true)
    );
    assert_eq!(
        (options.hold_until, options.priority),
        (Some(784_111_777 + 60), 4)
    );
    let [recipient] = &envelope.recipients[..] else {
        panic!("{envelope:?}");
    };
    assert_eq!(recipient.address.to_string(), "alice@mail.example.org");
    let on = Notify::On {
        success: false,
        failure: true,
        delay: true,
    };
    assert_eq!(recipient.notify, on);
    let original = recipient.original.as_ref().expect("an ORCPT");
    assert_eq!(
        (&*original.kind, &*original.address),
        ("rfc822", "A+1@x.example")
    );
}

#[test]
fn chunks_are_stored_with_crlf_and_binary_ones_as_they_are() {
    let stage = Stage::new();
    let mut talk = stage.talk(Mode::Mta);
    talk.say(b"EHLO pc1\r\n");
    for body in ["", " BODY=BINARYMIME"] {
        talk.say(format!("MAIL FROM:<>{body}\r\nRCPT TO:<alice>\r\n").as_bytes());
        talk.say(b"BDAT 16\r\nSubject: x\n\r\n\na\r");
        let said = talk.say(b"BDAT 4 LAST\r\n\n.\rb");
        assert!(said.ends_with(" delivered to alice\r\n"), "{said}");
    }
    let inbox = stage.inbox("alice");
    assert!(
        inbox[0].ends_with("Subject: x\r\n\r\n\r\na\r\n.\r\nb"),
        "{inbox:?}"
    );
    // Whoever reads it is given lines; what lies there is what came.
    let new = stage._folder.path().join("mail/alice/new");
    let cur = stage._folder.path().join("mail/alice/cur");
    let files = [new, cur]
        .into_iter()
        .flat_map(|folder| std::fs::read_dir(folder).expect("a Maildir"));
    let texts: Vec<_> = files
        .map(|file| std::fs::read(file.expect("a file").path()).expect("a text"))
        .collect();
    let binary = b"Subject: x\n\r\n\na\r\n.\rb";
    assert_eq!(
        texts.iter().filter(|text| text.ends_with(binary)).count(),
        1
    );
}

#[test]
fn what_was_not_declared_goes_on_as_what_it_is() {
    let stage = Stage::new();
    let mut talk = stage.talk(Mode::Mta);
    talk.say(b"EHLO pc1\r\nMAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\n");
    talk.reader
        .push("Subject: x\r\n\r\n\u{e9}\r\n.\r\n".as_bytes());
    pump(&mut talk.reader, &mut talk.server, stage.now, &mut talk.out);
    let Some(proto::Job::Smtp(Job::Deliver(part, _))) = talk.out.take_job() else {
        panic!("no delivery");
    };
    assert_eq!(part.envelope.options.body, Body::EightBit);
}

#[test]
fn scram_logs_in_and_is_bound_to_its_tls() {
    use crate::wire::sasl::{decode, encode};
    use ring::{digest, hmac, pbkdf2};
    let stage = Stage::new();
    for (header, end_point) in [("n,,", None), ("p=tls-server-end-point,,", Some([9; 32]))] {
        let mut talk = stage.talk(Mode::Submission);
        talk.server.tls = end_point.map(|hash| {
            Box::new(TlsInfo {
                end_point: Some(Box::new(hash)),
                ..TlsInfo::default()
            })
        });
        talk.say(b"EHLO pc1\r\n");
        let name = match end_point {
            Some(_) => "SCRAM-SHA-256-PLUS",
            None => "SCRAM-SHA-256",
        };
        let first = encode(format!("{header}n=bob,r=abc").as_bytes());
        let said = talk.say(format!("AUTH {name} {first}\r\n").as_bytes());
        let challenge = said.trim_end().strip_prefix("334 ").expect(&said);
        let server_first = String::from_utf8(decode(challenge.as_bytes()).unwrap()).unwrap();
        let fields: Vec<&str> = server_first.split(',').collect();
        let salt = decode(&fields[1].as_bytes()[2..]).unwrap();
        let rounds = fields[2][2..].parse().unwrap();
        let mut salted = [0; 32];
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            rounds,
            &salt,
            b"bob",
            &mut salted,
        );
        let mac = |key: &[u8], text: &[u8]| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text)
                .as_ref()
                .to_vec()
        };
        let client_key = mac(&salted, b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, &client_key);
        let bound = [
            header.as_bytes(),
            &end_point.map_or(Vec::new(), |hash| hash.to_vec()),
        ];
        let last = format!("c={},{}", encode(&bound.concat()), fields[0]);
        let all = format!("n=bob,r=abc,{server_first},{last}");
        let mut proof = mac(stored_key.as_ref(), all.as_bytes());
        for (octet, with) in proof.iter_mut().zip(&client_key) {
            *octet ^= with;
        }
        let last = encode(format!("{last},p={}", encode(&proof)).as_bytes());
        let said = talk.say(format!("{last}\r\n").as_bytes());
        let signature = mac(&mac(&salted, b"Server Key"), all.as_bytes());
        let expected = encode(format!("v={}", encode(&signature)).as_bytes());
        assert_eq!(said, format!("334 {expected}\r\n"));
        assert_eq!(talk.say(b"\r\n"), "235 2.7.0 Welcome bob\r\n");
    }
}

#[test]
fn a_sender_whom_nobody_could_answer_is_refused_where_that_is_asked_for() {
    let stage = Stage::new();
    for (found, said) in [
        (
            SenderDomain::TakesMail,
            "250 2.1.0 Sender <bob@b.example> ok",
        ),
        (SenderDomain::NullMx, "550 5.7.27 "),
        (SenderDomain::Absent, "550 5.1.8 "),
        (SenderDomain::Unknown("time-out".to_owned()), "451 4.4.3 "),
    ] {
        let mut talk = stage.talk(Mode::Mta);
        let mut config = Config::clone(&talk.server.config);
        config.sender_domains = SenderDomains::LookedUp;
        talk.server.config = Arc::new(config);
        talk.say(b"EHLO pc1\r\n");
        talk.reader
            .push(b"MAIL FROM:<bob@B.example>\r\nRCPT TO:<alice>\r\n");
        pump(&mut talk.reader, &mut talk.server, stage.now, &mut talk.out);
        let Some(proto::Job::Smtp(Job::Find(domain))) = talk.out.take_job() else {
            panic!("it is not looked up");
        };
        assert_eq!(domain, "b.example");
        assert_eq!(talk.answered(), "", "nothing before it is known");
        let is_good = found == SenderDomain::TakesMail;
        let answer = proto::Answer::Smtp(Answer::Found(found));
        talk.server
            .handle(stage.now, Input::Done(answer), &mut talk.out);
        let answered = talk.answered();
        assert!(
            answered.to_lowercase().starts_with(&said.to_lowercase()),
            "{answered}"
        );
        pump(&mut talk.reader, &mut talk.server, stage.now, &mut talk.out);
        let rcpt = if is_good { "250 " } else { "503 5.5.1 " };
        let answered = talk.answered();
        assert!(answered.starts_with(rcpt), "{answered}");
        // Our own, a literal, and nobody at all.
        for sender in ["bob@mail.example.org", "bob@[192.0.2.1]", "", "bob"] {
            talk.say(b"RSET\r\n");
            talk.reader
                .push(format!("MAIL FROM:<{sender}>\r\n").as_bytes());
            pump(&mut talk.reader, &mut talk.server, stage.now, &mut talk.out);
            assert!(talk.out.take_job().is_none(), "{sender}");
            assert!(talk.answered().starts_with("250 "), "{sender}");
        }
    }
}
