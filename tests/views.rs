//! Several IMAP sessions on one mailbox, against plain vectors: each client keeps one, does to it what it is told and nothing else,
//! and must be right at every moment.
//!
//! The sessions are those of the server, without sockets; a command's job is run whenever chance says so, so that deliveries and what
//! the others do come between a command and its end. What is asked of them (RFC 3501 §5.5, §7.4.1, RFC 9051 §5.2):
//!
//! - a number means the message that the client counts there: it is that one that is fetched, flagged, moved;
//! - EXPUNGE comes with no command in progress never, nor during FETCH, STORE and SEARCH; and names a message that is gone;
//! - EXISTS never makes the mailbox smaller; numbers are of messages that the client counts;
//! - in the end all know the same messages with the same flags.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};

use mailtool::proto::imap::ImapService;
use mailtool::proto::imap::server::Config;
use mailtool::proto::{Epoch, Front, Input, Job, Out, Peer, Service, Session, StartTls, pump};
use mailtool::store::{Flags, Store, Users};
use mailtool::tap::Side;
use mailtool::wire::lines::LineReader;
use proptest::prelude::*;

/// What happens next. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Event {
    Deliver,
    /// A session says something, or runs the job of what it said before.
    Say(usize, Said),
    Run(usize),
}

#[derive(Clone, Debug)]
enum Said {
    Noop,
    Check,
    Status,
    Idle,
    Search,
    UidSearch,
    Fetch(usize, usize),
    UidFetch(usize, usize),
    /// `\Deleted`, given or taken.
    Store(usize, usize, bool),
    Expunge,
    UidExpunge(usize, usize),
    Move(usize, usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let place = || 0usize..12;
    let range = || (place(), place());
    let said = prop_oneof![
        3 => Just(Said::Noop),
        1 => Just(Said::Check),
        1 => Just(Said::Status),
        2 => Just(Said::Idle),
        1 => Just(Said::Search),
        1 => Just(Said::UidSearch),
        3 => range().prop_map(|(from, to)| Said::Fetch(from, to)),
        1 => range().prop_map(|(from, to)| Said::UidFetch(from, to)),
        4 => (place(), place(), proptest::bool::weighted(0.8))
            .prop_map(|(from, to, on)| Said::Store(from, to, on)),
        2 => Just(Said::Expunge),
        1 => range().prop_map(|(from, to)| Said::UidExpunge(from, to)),
        1 => range().prop_map(|(from, to)| Said::Move(from, to)),
    ];
    let event = prop_oneof![
        3 => Just(Event::Deliver),
        8 => (0..SESSIONS, said).prop_map(|(session, said)| Event::Say(session, said)),
        8 => (0..SESSIONS).prop_map(Event::Run),
    ];
    proptest::collection::vec(event, 0..90)
}

/// The last of them knows QRESYNC.
const SESSIONS: usize = 3;

/// A message as a client knows it: what it was not told it does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counted {
    uid: Option<u32>,
    deleted: Option<bool>,
}

/// A command in progress.
#[derive(Clone, Debug)]
struct Going {
    said: Said,
    /// The UIDs of the messages that it means.
    means: BTreeSet<u32>,
}

/// A session of the server, and its client.
struct Client {
    session: Box<dyn Session>,
    reader: LineReader,
    out: Out,
    job: Option<Job>,
    number: usize,
    tag: String,
    going: Option<Going>,
    idles: bool,
    list: Vec<Counted>,
    /// What was said, for who has to find a fault.
    dialogue: Vec<String>,
}

/// What there is.
struct World {
    store: Arc<Store>,
    clients: Vec<Client>,
    /// Tokens of sessions that are to be woken.
    woken: Arc<Mutex<BTreeSet<u64>>>,
    /// UIDs, and whether they are to be expunged: the plain vector that all of them must know in the end.
    truth: BTreeMap<u32, bool>,
    next: u32,
    now: Instant,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let memory = std::path::Path::new("/dev/shm");
        let folder = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        let folder = folder.expect("a folder");
        let users = Users::plain(&[("alice".to_owned(), "secret".to_owned())]);
        let domains = ["example.org".to_owned()];
        let store = Arc::new(Store::open(folder.path(), &domains, users).expect("a store"));
        let woken: Arc<Mutex<BTreeSet<u64>>> = Arc::default();
        let wakes = Arc::clone(&woken);
        store.hub().set_waker(Box::new(move |token| {
            wakes.lock().expect("not poisoned").insert(token);
        }));
        let config = Config {
            hostname: "mail.example.org".to_owned(),
            start_tls: StartTls::Unavailable,
            door: Arc::default(),
        };
        let service = ImapService::new("imap", Arc::new(config), Arc::clone(&store));
        let now = Instant::now();
        let clients = (1..=SESSIONS).map(|number| Client::new(&service, number, now));
        let mut world = Self {
            clients: clients.collect(),
            store,
            woken,
            truth: BTreeMap::new(),
            next: 1,
            now,
            _folder: folder,
        };
        world.deliver();
        world.deliver();
        for at in 0..SESSIONS {
            world.at_once(at, "LOGIN alice secret");
            if at == 0 {
                world.at_once(at, "CREATE Other");
            }
            if at == SESSIONS - 1 {
                world.at_once(at, "ENABLE QRESYNC");
            }
            world.at_once(at, "SELECT INBOX");
            world.at_once(at, "FETCH 1:* (UID FLAGS)");
        }
        world
    }

    fn deliver(&mut self) {
        let alice = self.store.users().find("alice", None).expect("alice");
        let mut spool = self.store.spool(&alice).expect("a spool");
        spool.append(b"Subject: x\r\n\r\ny\r\n").expect("room");
        let outcome = self.store.deliver(spool, &[alice]).pop();
        outcome.expect("one outcome").expect("delivered");
        self.truth.insert(self.next, false);
        self.next += 1;
        self.wake();
    }

    /// Sessions that have something to look at are told so.
    fn wake(&mut self) {
        let woken = std::mem::take(&mut *self.woken.lock().expect("not poisoned"));
        for token in woken {
            let at = usize::try_from(token).expect("small") - 1;
            let (now, truth) = (self.now, &self.truth);
            let client = &mut self.clients[at];
            client.session.handle(now, Input::Changed, &mut client.out);
            client.listen(now, truth);
        }
    }

    fn at_once(&mut self, at: usize, line: &str) {
        let (now, truth) = (self.now, &self.truth);
        self.clients[at].going = Some(Going {
            said: match line.starts_with("FETCH") {
                true => Said::Fetch(0, 0),
                false => Said::Noop,
            },
            means: BTreeSet::new(),
        });
        self.clients[at].say(now, line, truth);
        while self.clients[at].job.is_some() {
            self.run(at);
        }
        let client = &self.clients[at];
        let done = client.dialogue.last();
        let ok = format!("S: {} OK", client.tag);
        assert!(
            done.is_some_and(|line| line.starts_with(&ok)),
            "{line}: {done:?}"
        );
    }

    fn say(&mut self, at: usize, said: Said) {
        let (now, truth) = (self.now, &self.truth);
        let client = &mut self.clients[at];
        if client.idles {
            client.idles = false;
            client.send(now, "DONE\r\n", truth);
            return;
        }
        if client.going.is_some() || client.job.is_some() {
            return;
        }
        let Some((line, means)) = client.meant(&said) else {
            return;
        };
        client.going = Some(Going { said, means });
        client.say(now, &line, truth);
        self.wake();
    }

    /// Runs the outstanding job of a session: that is the moment at which its command does something.
    fn run(&mut self, at: usize) {
        let Some(job) = self.clients[at].job.take() else {
            return;
        };
        if let Some(going) = &mut self.clients[at].going {
            going.happens(&mut self.truth);
        }
        let answer = job.run(&self.store);
        let (now, truth) = (self.now, &self.truth);
        let client = &mut self.clients[at];
        client
            .session
            .handle(now, Input::Done(answer), &mut client.out);
        client.listen(now, truth);
        self.wake();
        self.check_truth();
    }

    /// The store has what the vector has.
    fn check_truth(&self) {
        let alice = self.store.users().find("alice", None).expect("alice");
        let inbox = self.store.mailbox(&alice, "INBOX").expect("INBOX");
        let index = inbox.sync().expect("a look");
        let messages = index.messages.iter();
        let stored = messages.map(|entry| (entry.uid, entry.flags.contains(Flags::DELETED)));
        let stored: BTreeMap<u32, bool> = stored.collect();
        assert_eq!(stored, self.truth, "\n{}", self.dialogues());
    }

    fn end(mut self) {
        for at in 0..SESSIONS {
            if self.clients[at].idles {
                self.say(at, Said::Noop);
            }
            while self.clients[at].job.is_some() {
                self.run(at);
            }
        }
        for at in 0..SESSIONS {
            self.at_once(at, "NOOP");
            let told = self.clients[at].list.clone();
            let all: Vec<_> = self.truth.iter().collect();
            assert_eq!(told.len(), all.len(), "{at}:\n{}", self.dialogues());
            for (counted, (uid, deleted)) in told.iter().zip(all) {
                let agrees = counted.uid.is_none_or(|known| known == *uid)
                    && counted.deleted.is_none_or(|known| known == *deleted);
                assert!(
                    agrees,
                    "{at}: {counted:?} is {uid} {deleted}\n{}",
                    self.dialogues()
                );
            }
            if !self.truth.is_empty() {
                self.at_once(at, "FETCH 1:* (UID FLAGS)");
            }
            let whole = |(&uid, &deleted): (&u32, &bool)| Counted {
                uid: Some(uid),
                deleted: Some(deleted),
            };
            let truth: Vec<Counted> = self.truth.iter().map(whole).collect();
            assert_eq!(self.clients[at].list, truth, "{at}:\n{}", self.dialogues());
        }
    }

    fn dialogues(&self) -> String {
        let one = |client: &Client| client.dialogue.join("\n");
        self.clients
            .iter()
            .map(one)
            .collect::<Vec<_>>()
            .join("\n\n")
    }
}

impl Going {
    /// What the command does to the mailbox, once.
    fn happens(&mut self, truth: &mut BTreeMap<u32, bool>) {
        match self.said {
            Said::Store(_, _, on) => {
                for uid in &self.means {
                    if let Some(deleted) = truth.get_mut(uid) {
                        *deleted = on;
                    }
                }
            }
            Said::Expunge => truth.retain(|_, deleted| !*deleted),
            Said::UidExpunge(..) => {
                truth.retain(|uid, deleted| !(*deleted && self.means.contains(uid)))
            }
            // All of it or nothing (RFC 9051 §6.4.7, RFC 6851 §3.3).
            Said::Move(..) if self.means.iter().all(|uid| truth.contains_key(uid)) => {
                truth.retain(|uid, _| !self.means.contains(uid));
            }
            _ => {}
        }
        // Of what is looked for, only what is there then can be found.
        self.means.retain(|uid| truth.contains_key(uid));
    }

    const fn uses_numbers(&self) -> bool {
        matches!(self.said, Said::Fetch(..) | Said::Store(..) | Said::Search)
    }
}

impl Client {
    fn new(service: &ImapService, number: usize, now: Instant) -> Self {
        let peer = Peer {
            token: number as u64,
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
        let mut client = Self {
            session: service.session(peer),
            reader: LineReader::new(),
            out: Out::new(Side::Server, now, None),
            job: None,
            number: 0,
            tag: String::new(),
            going: None,
            idles: false,
            list: Vec::new(),
            dialogue: Vec::new(),
        };
        client.session.handle(now, Input::Open, &mut client.out);
        client.listen(now, &BTreeMap::new());
        client
    }

    /// The line, and the UIDs of what it means; none when the client does not know enough to say it.
    fn meant(&self, said: &Said) -> Option<(String, BTreeSet<u32>)> {
        let range = |from: &usize, to: &usize| {
            let count = self.list.len();
            let (from, to) = (from.checked_rem(count)?, to.checked_rem(count)?);
            let (first, last) = (from.min(to), from.max(to));
            let uids: Option<BTreeSet<u32>> = self.list[first..=last]
                .iter()
                .map(|counted| counted.uid)
                .collect();
            Some((first + 1, last + 1, uids))
        };
        let known = |from: &usize, to: &usize| {
            let (first, last, uids) = range(from, to)?;
            Some((first, last, uids?))
        };
        let by_uid = |from, to| {
            let (_, _, uids) = known(from, to)?;
            Some((*uids.first()?, *uids.last()?, uids))
        };
        let nothing = BTreeSet::new();
        Some(match said {
            Said::Noop => ("NOOP".to_owned(), nothing),
            Said::Check => ("CHECK".to_owned(), nothing),
            Said::Status => ("STATUS INBOX (MESSAGES)".to_owned(), nothing),
            Said::Idle => ("IDLE".to_owned(), nothing),
            Said::Search => ("SEARCH ALL".to_owned(), nothing),
            Said::UidSearch => ("UID SEARCH ALL".to_owned(), nothing),
            Said::Expunge => ("EXPUNGE".to_owned(), nothing),
            Said::Fetch(from, to) => {
                let (first, last, uids) = range(from, to)?;
                let line = format!("FETCH {first}:{last} (UID FLAGS)");
                (line, uids.unwrap_or_default())
            }
            Said::UidFetch(from, to) => {
                let (first, last, uids) = by_uid(from, to)?;
                (format!("UID FETCH {first}:{last} FLAGS"), uids)
            }
            Said::Store(from, to, on) => {
                let (first, last, uids) = known(from, to)?;
                let sign = if *on { '+' } else { '-' };
                (
                    format!("STORE {first}:{last} {sign}FLAGS (\\Deleted)"),
                    uids,
                )
            }
            Said::UidExpunge(from, to) => {
                let (first, last, uids) = by_uid(from, to)?;
                (format!("UID EXPUNGE {first}:{last}"), uids)
            }
            Said::Move(from, to) => {
                let (first, last, uids) = known(from, to)?;
                (format!("MOVE {first}:{last} Other"), uids)
            }
        })
    }

    fn say(&mut self, now: Instant, line: &str, truth: &BTreeMap<u32, bool>) {
        self.number += 1;
        self.tag = format!("t{}", self.number);
        self.idles = line == "IDLE";
        let line = format!("{} {line}\r\n", self.tag);
        self.send(now, &line, truth);
    }

    fn send(&mut self, now: Instant, line: &str, truth: &BTreeMap<u32, bool>) {
        self.dialogue.push(format!("C: {}", line.trim_end()));
        self.reader.push(line.as_bytes());
        self.listen(now, truth);
    }

    /// Takes what is said.
    fn listen(&mut self, now: Instant, truth: &BTreeMap<u32, bool>) {
        pump(&mut self.reader, &mut *self.session, now, &mut self.out);
        if self.job.is_none() {
            self.job = self.out.take_job();
        }
        let mut said = Vec::new();
        while let Some(front) = self.out.front() {
            let Front::Bytes(bytes) = front else {
                panic!("no message is asked for");
            };
            said.extend_from_slice(bytes);
            let octets = bytes.len();
            self.out.advance(octets);
        }
        let said = String::from_utf8(said).expect("UTF-8");
        for line in said.lines() {
            self.dialogue.push(format!("S: {line}"));
            self.hear(line, truth);
        }
    }

    fn hear(&mut self, line: &str, truth: &BTreeMap<u32, bool>) {
        let fail = |why: &str, dialogue: &[String]| -> ! {
            panic!("{why}: {line}\n{}", dialogue.join("\n"))
        };
        let Some(rest) = line.strip_prefix("* ") else {
            if let Some(rest) = line.strip_prefix(&format!("{} ", self.tag)) {
                if !rest.starts_with("OK") && !rest.starts_with("NO [EXPUNGEISSUED]") {
                    fail("refused", &self.dialogue);
                }
                if let Some(Going {
                    said: Said::Fetch(..) | Said::UidFetch(..),
                    means,
                }) = self.going.take()
                    && !means.is_empty()
                {
                    fail("not all were fetched", &self.dialogue);
                }
            }
            return;
        };
        let may_remove = self
            .going
            .as_ref()
            .is_some_and(|going| !going.uses_numbers());
        if let Some(uids) = rest.strip_prefix("VANISHED ") {
            if !may_remove {
                fail("removals may not be told now", &self.dialogue);
            }
            let gone = parse_set(uids);
            if gone.iter().any(|uid| truth.contains_key(uid)) {
                fail("it is there", &self.dialogue);
            }
            for uid in gone {
                let is_above = |counted: &Counted| counted.uid.is_some_and(|known| known > uid);
                let end = self.list.iter().position(is_above);
                let below = &self.list[..end.unwrap_or(self.list.len())];
                // Else it is one that was counted and never looked at.
                let is_it = |counted: &Counted| counted.uid == Some(uid);
                let at = below.iter().position(is_it);
                match at.or_else(|| below.iter().rposition(|counted| counted.uid.is_none())) {
                    Some(at) => drop(self.list.remove(at)),
                    None => fail("that was not counted", &self.dialogue),
                }
            }
            return;
        }
        if let (Some(found), Some(Said::Search)) = (
            rest.strip_prefix("SEARCH "),
            self.going.as_ref().map(|going| &going.said),
        ) {
            for number in found.split(' ') {
                let number: usize = number.parse().expect("a number");
                if number == 0 || number > self.list.len() {
                    fail("there are not so many", &self.dialogue);
                }
            }
            return;
        }
        let Some((number, word)) = rest.split_once(' ') else {
            return;
        };
        let Ok(number) = number.parse::<usize>() else {
            return;
        };
        match word.split(' ').next() {
            Some("EXISTS") => {
                if self.going.is_none() {
                    fail("nobody asked", &self.dialogue);
                }
                if number < self.list.len() {
                    fail("smaller by EXISTS", &self.dialogue);
                }
                self.list.resize(number, Counted::default());
            }
            Some("EXPUNGE") => {
                if !may_remove {
                    fail("removals may not be told now", &self.dialogue);
                }
                if number == 0 || number > self.list.len() {
                    fail("there are not so many", &self.dialogue);
                }
                let gone = self.list.remove(number - 1);
                if gone.uid.is_some_and(|uid| truth.contains_key(&uid)) {
                    fail("it is there", &self.dialogue);
                }
            }
            Some("FETCH") => {
                let Some(counted) = number.checked_sub(1).and_then(|at| self.list.get_mut(at))
                else {
                    fail("there are not so many", &self.dialogue);
                };
                let uid = after(word, "UID ").map(|text| text.parse().expect("a UID"));
                if let (Some(known), Some(uid)) = (counted.uid, uid)
                    && known != uid
                {
                    fail("another message", &self.dialogue);
                }
                counted.uid = counted.uid.or(uid);
                if word.contains("FLAGS (") {
                    counted.deleted = Some(word.contains("\\Deleted"));
                }
                if let (Some(going), Some(uid)) = (&mut self.going, counted.uid) {
                    going.means.remove(&uid);
                }
            }
            _ => {}
        }
    }
}

/// The digits after a word.
fn after<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let rest = &text[text.find(word)? + word.len()..];
    let end = rest.find(|character: char| !character.is_ascii_digit());
    Some(&rest[..end.unwrap_or(rest.len())])
}

/// `3,5:7`
fn parse_set(text: &str) -> BTreeSet<u32> {
    let number = |digits: &str| digits.parse::<u32>().expect("a number");
    let ranges = text.split(',').map(|range| match range.split_once(':') {
        Some((first, last)) => number(first)..=number(last),
        None => number(range)..=number(range),
    });
    ranges.flatten().collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        // PROPTEST_CASES makes them more.
        cases: ProptestConfig::default().cases / 4,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn clients_that_do_as_they_are_told_agree(events in events()) {
        let mut world = World::new();
        for event in events {
            match event {
                Event::Deliver => world.deliver(),
                Event::Say(at, said) => world.say(at, said),
                Event::Run(at) => world.run(at),
            }
        }
        world.end();
    }
}
