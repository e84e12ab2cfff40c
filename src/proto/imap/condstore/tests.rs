//! Several sessions on one mailbox, each of which is told in its own way, and a client that comes back now and then: all of
//! them know in the end what there is.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::proto::imap::awareness::Awareness;
use crate::proto::imap::fetch::Piece;
use crate::proto::imap::view::{Change, Removals};
use crate::store::{FlagChange, Flags, Mailbox, Store, Users};
use crate::wire::imap::rights::Rights;
use crate::wire::imap::scan::Scanner;
use crate::wire::imap::set::SequenceSet;

/// What happens to a mailbox, and who looks.
#[derive(Clone, Debug)]
enum Event {
    Append,
    Expunge(usize),
    Flag(usize, u32),
    /// Set and cleared again.
    Blink(usize),
    /// By this session, as STORE does it.
    Store(usize, usize, u32),
    Learn(usize, bool),
    /// The client that is away comes back, and leaves again.
    Return,
    /// The server is started anew.
    Restart,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        3 => Just(Event::Append),
        2 => any::<usize>().prop_map(Event::Expunge),
        2 => (any::<usize>(), 0u32..4).prop_map(|(at, flags)| Event::Flag(at, flags)),
        1 => any::<usize>().prop_map(Event::Blink),
        2 => (0..3usize, any::<usize>(), 0u32..4).prop_map(|(who, at, flags)| Event::Store(who, at, flags)),
        4 => (0..3usize, any::<bool>()).prop_map(|(who, all)| Event::Learn(who, all)),
        1 => Just(Event::Return),
        1 => Just(Event::Restart),
    ];
    proptest::collection::vec(event, 0..40)
}

/// A session and its client, which does what it is told.
struct Sitter {
    watched: Watched,
    view: View,
    client: Vec<(u32, Flags, u64)>,
}

impl Sitter {
    fn new(mailbox: &Arc<Mailbox>, aware: Awareness) -> Self {
        let watched = Watched {
            mailbox: Arc::clone(mailbox),
            access: Access::ReadWrite,
            aware,
            rights: Rights::ALL,
            guest: None,
        };
        let news = watched.news().expect("a look");
        let mut view = View::new(news.index, Vec::new());
        view.set_aware(aware);
        let all = view.told().messages.iter();
        let client = all.map(|it| (it.uid, it.flags, it.modseq)).collect();
        Self {
            watched,
            view,
            client,
        }
    }

    fn learn(&mut self, removals: Removals) -> Result<(), TestCaseError> {
        let news = self.watched.news().expect("a look");
        let now = Arc::clone(&news.index);
        let mut changes = Vec::new();
        self.view.learn(news.index, Vec::new(), removals, |change| {
            changes.push(change)
        });
        for change in changes {
            match change {
                Change::Expunge(number) => {
                    prop_assert!(self.watched.aware < Awareness::Qresync);
                    self.client.remove(number as usize - 1);
                }
                Change::Vanished(uids) => {
                    prop_assert_eq!(self.watched.aware, Awareness::Qresync);
                    let before = self.client.len() as u64;
                    self.client.retain(|known| !uids.contains(known.0));
                    let gone: u64 = uids.iter().map(|(a, b)| u64::from(b - a) + 1).sum();
                    prop_assert_eq!(before - self.client.len() as u64, gone);
                }
                Change::Exists(count) => {
                    for number in self.client.len() as u32 + 1..=count {
                        let uid = self.view.uid(number).expect("it counts so many");
                        let entry = now.messages.iter().find(|it| it.uid == uid);
                        let entry = entry.expect("it is there");
                        self.client.push((uid, entry.flags, entry.modseq));
                    }
                }
                Change::Recent(_) => {}
                Change::Flags {
                    number,
                    uid,
                    flags,
                    modseq,
                } => {
                    let known = &mut self.client[number as usize - 1];
                    prop_assert_eq!(known.0, uid);
                    let is_new = known.1 != flags || known.2 != modseq;
                    prop_assert!(is_new, "that was known");
                    *known = (uid, flags, modseq);
                }
            }
        }
        prop_assert_eq!(self.view.exists() as usize, self.client.len());
        for entry in &now.messages {
            let known = self.client.iter().find(|known| known.0 == entry.uid);
            let known = known.expect("it was told");
            prop_assert_eq!(known.1, entry.flags);
            if self.watched.aware > Awareness::None {
                prop_assert_eq!(known.2, entry.modseq);
            }
        }
        if removals == Removals::Told {
            prop_assert_eq!(self.client.len(), now.messages.len());
            prop_assert_eq!(self.view.told_modseq(), now.highest_modseq);
        }
        Ok(())
    }
}

/// A client that keeps what it knows while it is away.
#[derive(Default)]
struct Traveller {
    uid_validity: u32,
    modseq: u64,
    known: BTreeMap<u32, Flags>,
}

impl Traveller {
    fn comes_back(&mut self, mailbox: &Arc<Mailbox>) -> Result<(), TestCaseError> {
        let Sitter { watched, view, .. } = Sitter::new(mailbox, Awareness::Qresync);
        let set =
            |text: &str| SequenceSet::scan(&mut Scanner::new(text.as_bytes())).expect("a set");
        let resync = Resync {
            uid_validity: self.uid_validity,
            modseq: self.modseq,
            known: None,
            // The lowest that it knows, if it is still the first.
            matches: self
                .known
                .keys()
                .next()
                .map(|uid| (set("1"), set(&uid.to_string()))),
        };
        let mut rest = catch_up(&resync, &watched, &view).map(Box::new);
        if rest.is_none() {
            self.known.clear();
            let all = view.told().messages.iter();
            self.known.extend(all.map(|entry| (entry.uid, entry.flags)));
        }
        while let Some(fetch) = rest.take() {
            let block = fetch.run().expect("fetched");
            for piece in block.pieces {
                let Piece::Bytes(bytes) = piece else {
                    continue;
                };
                for line in String::from_utf8(bytes).expect("UTF-8").lines() {
                    self.hear(line);
                }
            }
            rest = block.rest;
        }
        self.uid_validity = view.told().uid_validity;
        self.modseq = view.told_modseq();
        let there: BTreeMap<u32, Flags> = view
            .told()
            .messages
            .iter()
            .map(|it| (it.uid, it.flags))
            .collect();
        prop_assert_eq!(&self.known, &there);
        Ok(())
    }

    /// `* VANISHED (EARLIER) 1:3,5`, `* 1 FETCH (UID 4 FLAGS (\\Seen) MODSEQ (7))`
    fn hear(&mut self, line: &str) {
        if let Some(gone) = line.strip_prefix("* VANISHED (EARLIER) ") {
            let mut scanner = Scanner::new(gone.as_bytes());
            let gone = SequenceSet::scan(&mut scanner).expect("a set").ranges(0);
            self.known.retain(|uid, _| !gone.contains(*uid));
            return;
        }
        let (_, rest) = line.split_once("(UID ").expect("a FETCH with its UID");
        let (uid, rest) = rest.split_once(' ').expect("more");
        let mut flags = Flags::default();
        for (name, flag) in [("Seen", Flags::SEEN), ("Answered", Flags::ANSWERED)] {
            if rest.contains(name) {
                flags = flags.union(flag);
            }
        }
        self.known.insert(uid.parse().expect("a number"), flags);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn sessions_of_all_kinds_agree_and_who_was_away_catches_up(events in events()) {
        let memory = std::path::Path::new("/dev/shm");
        let folder = match memory.is_dir() {
            true => tempfile::tempdir_in(memory).unwrap(),
            false => tempfile::tempdir().unwrap(),
        };
        let open = || {
            let users = Users::plain(&[("alice".to_owned(), "secret".to_owned())]);
            Store::open(folder.path(), &["example.org".to_owned()], users).unwrap()
        };
        let mut store = open();
        let alice = store.users().find("alice", None).unwrap();
        let mut mailbox = store.mailbox(&alice, "INBOX").unwrap();
        let kinds = [Awareness::None, Awareness::Condstore, Awareness::Qresync];
        let sit = |mailbox: &Arc<Mailbox>| kinds.map(|aware| Sitter::new(mailbox, aware));
        let mut sitters = sit(&mailbox);
        let mut traveller = Traveller::default();
        let last = [0, 1, 2].map(|who| Event::Learn(who, true));
        for event in events.into_iter().chain(last).chain([Event::Return]) {
            let uids: Vec<u32> = mailbox.sync().unwrap().messages.iter().map(|it| it.uid).collect();
            let pick = |at: usize| uids.get(at.checked_rem(uids.len()).unwrap_or(0)).copied();
            match event {
                Event::Append => {
                    let mut spool = mailbox.spool().unwrap();
                    spool.append(b"text\r\n").unwrap();
                    mailbox.append(spool, Flags::default(), None).unwrap();
                }
                Event::Expunge(at) => {
                    mailbox.expunge(pick(at).as_slice()).unwrap();
                }
                Event::Flag(at, flags) => {
                    mailbox.change_flags(pick(at).as_slice(), FlagChange::Replace, Flags(flags & 3)).unwrap();
                }
                Event::Blink(at) => for change in [FlagChange::Add, FlagChange::Remove] {
                    mailbox.change_flags(pick(at).as_slice(), change, Flags::SEEN).unwrap();
                },
                Event::Store(who, at, flags) => {
                    let Sitter { view, client, .. } = &mut sitters[who];
                    let at = at.checked_rem(client.len()).unwrap_or(0);
                    let Some(known) = client.get_mut(at) else {
                        continue;
                    };
                    let changed = mailbox
                        .change_flags_unless(&[known.0], FlagChange::Replace, Flags(flags & 3), known.2)
                        .unwrap();
                    if let (index, modified) = changed && modified.is_empty()
                        && let Some(entry) = index.messages.iter().find(|it| it.uid == known.0)
                    {
                        *known = (entry.uid, entry.flags, entry.modseq);
                        view.knows(entry.uid, entry.flags, entry.modseq);
                    }
                }
                Event::Learn(who, all) => {
                    let removals = if all { Removals::Told } else { Removals::Deferred };
                    sitters[who].learn(removals)?;
                }
                Event::Return => traveller.comes_back(&mailbox)?,
                Event::Restart => {
                    drop((mailbox, sitters, store));
                    store = open();
                    mailbox = store.mailbox(&alice, "INBOX").unwrap();
                    sitters = sit(&mailbox);
                }
            }
        }
    }
}
