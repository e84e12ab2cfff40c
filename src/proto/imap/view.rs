//! What a session has told its client about the selected mailbox: which message has which number.
//!
//! The mailbox moves on; the numbers may change only when the client is told, and removals may be told only at some moments
//! (RFC 3501 §7.4.1). So a view is the [`Index`] that was told last, and the ghosts: messages that are gone, and that the
//! client still counts. While there are none, which is nearly always, a view costs one shared pointer.
//!
//! Invariant: the client's list is the UIDs of `told` and `ghosts` together, ascending; number n is the n-th of them.
//! A new message has a UID above all that were told (RFC 3501 §2.3.1.1).

use std::sync::{Arc, LazyLock};

use crate::proto::imap::awareness::Awareness;
use crate::store::{Entry, Flags, Index};
use crate::wire::imap::command::{Messages, Numbering};
use crate::wire::imap::response;
use crate::wire::imap::set::Ranges;

/// The numbers of a session. A clone is cheap, and is what jobs work with.
#[derive(Clone, Debug)]
pub struct View {
    told: Arc<Index>,
    /// Ascending UIDs.
    ghosts: Vec<u32>,
    /// Ascending UIDs of the messages that are `\Recent` in this session.
    recent: Arc<Vec<u32>>,
    /// What `$` means (RFC 5182): UIDs, also of messages that are gone by now.
    saved: Arc<Ranges>,
    /// Flags that the client knows otherwise than from `told`: it was told them by FETCH, or changed them itself. With the
    /// mod-sequence that it knows for them, 0 for none.
    known: Vec<(u32, Flags, u64)>,
    aware: Awareness,
    /// What the client calls messages by: after UIDONLY there are no numbers.
    numbers: Numbering,
    told_modseq: u64,
}

/// What nearly all sessions have most of the time, once for all.
static NONE_RECENT: LazyLock<Arc<Vec<u32>>> = LazyLock::new(Arc::default);
/// See [`NONE_RECENT`].
static NONE_SAVED: LazyLock<Arc<Ranges>> = LazyLock::new(Arc::default);

/// Why message numbers cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotMeant {
    /// There are not so many messages.
    NoSuchNumber(u32),
    /// Messages have UIDs only (RFC 9586).
    UidRequired,
}

/// What the client has to be told, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// `* number EXPUNGE`
    Expunge(u32),
    /// `* VANISHED uids`, in its place
    Vanished(Ranges),
    /// `* count EXISTS`
    Exists(u32),
    /// `* count RECENT`
    Recent(u32),
    /// `* number FETCH (FLAGS ...)`
    Flags {
        /// Which.
        number: u32,
        /// Its UID.
        uid: u32,
        /// What it has now.
        flags: Flags,
        /// Since when.
        modseq: u64,
    },
}

/// Whether removals may be told now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removals {
    /// Yes.
    Told,
    /// No: the numbers of a command in progress would change their meaning.
    Deferred,
}

impl View {
    /// As the client is told at SELECT.
    pub fn new(told: Arc<Index>, recent: Vec<u32>) -> Self {
        Self {
            aware: Awareness::None,
            numbers: Numbering::Sequence,
            told_modseq: told.highest_modseq,
            told,
            ghosts: Vec::new(),
            recent: match recent.is_empty() {
                true => Arc::clone(&NONE_RECENT),
                false => Arc::new(recent),
            },
            saved: Arc::clone(&NONE_SAVED),
            known: Vec::new(),
        }
    }

    /// What the mailbox held when the client was last told.
    pub const fn told(&self) -> &Arc<Index> {
        &self.told
    }

    /// From now on `$` is these UIDs.
    pub fn save(&mut self, uids: Ranges) {
        self.saved = Arc::new(uids);
    }

    /// What the client is told from now on.
    pub const fn set_aware(&mut self, aware: Awareness) {
        self.aware = aware;
    }

    /// What the client calls messages by from now on.
    pub const fn set_numbers(&mut self, numbers: Numbering) {
        self.numbers = numbers;
    }

    /// Whether messages have UIDs only (RFC 9586).
    pub const fn is_uid_only(&self) -> bool {
        matches!(self.numbers, Numbering::Uid)
    }

    /// Writes `* 3 FETCH (`, or with UIDs only `* 117 UIDFETCH (`; false when the client does not count the message.
    pub fn begin_fetch(&self, out: &mut Vec<u8>, uid: u32) -> bool {
        let (number, word): (_, &[u8]) = match self.numbers {
            Numbering::Sequence => (self.number(uid), b" FETCH ("),
            Numbering::Uid => (Some(uid), b" UIDFETCH ("),
        };
        let Some(number) = number else {
            return false;
        };
        out.extend_from_slice(b"* ");
        response::number(out, number.into());
        out.extend_from_slice(word);
        true
    }

    /// The client was told of all changes up to this mod-sequence.
    pub const fn told_modseq(&self) -> u64 {
        self.told_modseq
    }

    /// The client was told of changes up to this mod-sequence only: later ones were kept from it.
    pub const fn keep_told_modseq(&mut self, modseq: u64) {
        self.told_modseq = modseq;
    }

    /// What there is now, but for messages that came since the client was last told.
    pub fn without_new(&self, now: &Arc<Index>) -> Arc<Index> {
        let known = now
            .messages
            .partition_point(|entry| entry.uid < self.told.uid_next);
        if known == now.messages.len() {
            return Arc::clone(now);
        }
        let mut index = with_messages(now, now.messages[..known].to_vec());
        index.uid_next = self.told.uid_next;
        Arc::new(index)
    }

    /// What is known of the session, on what there is now: `recent` are its new recent messages.
    #[must_use]
    pub fn at(&self, now: &Arc<Index>, recent: &[u32]) -> Self {
        let mut view = self.clone();
        view.told = Arc::clone(now);
        if !recent.is_empty() {
            let all = Arc::make_mut(&mut view.recent);
            all.extend_from_slice(recent);
            all.sort_unstable();
        }
        view
    }

    /// The UIDs from `first` to `last` that the client counts, ascending.
    pub fn counted(&self, first: u32, last: u32) -> Vec<u32> {
        let messages = &self.told.messages;
        let start = messages.partition_point(|entry| entry.uid < first);
        let end = messages.partition_point(|entry| entry.uid <= last);
        let mut counted: Vec<u32> = messages[start..end].iter().map(|entry| entry.uid).collect();
        let is_meant = |uid: &&u32| (first..=last).contains(*uid);
        counted.extend(self.ghosts.iter().filter(is_meant));
        counted.sort_unstable();
        counted
    }

    /// How many messages the client counts.
    pub fn exists(&self) -> u32 {
        count(self.told.messages.len() + self.ghosts.len())
    }

    /// How many of them are recent.
    pub fn recent(&self) -> u32 {
        count(self.recent.len())
    }

    /// Whether this message is recent in this session.
    pub fn is_recent(&self, uid: u32) -> bool {
        self.recent.binary_search(&uid).is_ok()
    }

    /// The number of the message with this UID.
    pub fn number(&self, uid: u32) -> Option<u32> {
        let before = match self
            .told
            .messages
            .binary_search_by_key(&uid, |entry| entry.uid)
        {
            Ok(place) => place + self.ghosts.partition_point(|&ghost| ghost < uid),
            Err(place) => place + self.ghosts.binary_search(&uid).ok()?,
        };
        Some(count(before + 1))
    }

    /// The UID of the message with this number.
    pub fn uid(&self, number: u32) -> Option<u32> {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        let messages = &self.told.messages;
        // How many ghosts are among the first `place`: the g-th ghost (from 0) has g ghosts before it.
        let (mut low, mut high) = (0, self.ghosts.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let ghost = self.ghosts[middle];
            let before = messages.partition_point(|entry| entry.uid < ghost) + middle;
            if before < place {
                low = middle + 1;
            } else if before > place {
                high = middle;
            } else {
                return Some(ghost);
            }
        }
        messages.get(place - low).map(|entry| entry.uid)
    }

    /// The UIDs that a command means, as ranges; `Err` says which cannot be meant.
    pub fn uids(&self, messages: &Messages) -> Result<Ranges, NotMeant> {
        let exists = self.exists();
        if messages.set.is_saved() {
            let there = self.entries(&self.saved, 0).map(|entry| entry.uid);
            return Ok(Ranges::from_ascending(there));
        }
        match messages.numbering {
            Numbering::Uid => Ok(messages.set.ranges(self.uid(exists).unwrap_or(0))),
            Numbering::Sequence if self.is_uid_only() => Err(NotMeant::UidRequired),
            // `1:*` of an empty mailbox is nothing, and no mistake.
            Numbering::Sequence if exists == 0 && messages.set.has_largest() => {
                Ok(Ranges::default())
            }
            Numbering::Sequence => {
                let mut uids = Ranges::default();
                for (first, last) in messages.set.ranges(exists).iter() {
                    let (Some(first), Some(last_uid)) = (self.uid(first), self.uid(last)) else {
                        return Err(NotMeant::NoSuchNumber(last));
                    };
                    uids.push(first, last_uid);
                }
                Ok(uids)
            }
        }
    }

    /// The same of message numbers, as far as there are such.
    pub fn uids_there(&self, messages: &Messages) -> Ranges {
        let exists = self.exists();
        let mut uids = Ranges::default();
        for (first, last) in messages.set.ranges(exists).iter() {
            if let (Some(first), Some(last)) = (self.uid(first), self.uid(last.min(exists))) {
                uids.push(first, last);
            }
        }
        uids
    }

    /// The messages among `uids` that are there, from UID `from` on.
    pub fn entries<'a>(
        &'a self,
        uids: &'a Ranges,
        from: u32,
    ) -> impl Iterator<Item = &'a Entry> + 'a {
        let messages = &self.told.messages;
        uids.iter().flat_map(move |(first, last)| {
            let start = messages.partition_point(|entry| entry.uid < first.max(from));
            messages[start..]
                .iter()
                .take_while(move |entry| entry.uid <= last)
        })
    }

    /// Whether one of `uids` is a ghost: the client asks for what is no more.
    pub fn has_ghost(&self, uids: &Ranges) -> bool {
        self.ghosts.iter().any(|&ghost| uids.contains(ghost))
    }

    /// The client knows the flags of a message: [`Self::learn`] need not tell them again.
    /// `modseq` is 0 when it does not know since when.
    pub fn knows(&mut self, uid: u32, flags: Flags, modseq: u64) {
        match self.known.binary_search_by_key(&uid, |known| known.0) {
            Ok(place) => self.known[place] = (uid, flags, modseq),
            Err(place) => self.known.insert(place, (uid, flags, modseq)),
        }
    }

    /// What there is in the mailbox now, and which messages are recent here (those known to be so may be among them): tells
    /// what is to be told.
    pub fn learn(
        &mut self,
        now: Arc<Index>,
        mut recent: Vec<u32>,
        removals: Removals,
        mut tell: impl FnMut(Change),
    ) {
        if !Arc::ptr_eq(&self.told, &now) {
            self.find_ghosts(&now);
        }
        let exists_before = self.exists() as usize;
        if removals == Removals::Told && !self.ghosts.is_empty() {
            self.tell_removals(&mut tell);
        }
        let exists_told = exists_before.min(self.exists() as usize);
        let before = std::mem::replace(&mut self.told, now);
        let known = std::mem::take(&mut self.known);
        recent.retain(|&uid| self.has(uid) && !self.is_recent(uid));
        if !recent.is_empty() {
            let all = Arc::make_mut(&mut self.recent);
            all.append(&mut recent);
            all.sort_unstable();
            tell(Change::Exists(self.exists()));
            tell(Change::Recent(self.recent()));
        } else if self.exists() as usize > exists_told {
            tell(Change::Exists(self.exists()));
        }
        if !Arc::ptr_eq(&before, &self.told) || !known.is_empty() {
            self.tell_flags(&before, &known, &mut tell);
        }
        if self.ghosts.is_empty() {
            self.told_modseq = self.told.highest_modseq;
        }
    }

    fn has(&self, uid: u32) -> bool {
        let messages = &self.told.messages;
        messages
            .binary_search_by_key(&uid, |entry| entry.uid)
            .is_ok()
    }

    /// Messages of `told` that are not in `now` become ghosts; `told` is left as it was but for them.
    fn find_ghosts(&mut self, now: &Index) {
        // What another program took away and put back is no ghost.
        let is_there = |uid: u32| now.messages.binary_search_by_key(&uid, |e| e.uid).is_ok();
        if self.ghosts.iter().any(|&ghost| is_there(ghost)) {
            self.forget_ghosts(now);
        }
        let mut rest = now.messages.iter().peekable();
        let mut gone = Vec::new();
        for entry in &self.told.messages {
            while rest.next_if(|other| other.uid < entry.uid).is_some() {}
            if rest.peek().is_none_or(|other| other.uid != entry.uid) {
                gone.push(entry.uid);
            }
        }
        if gone.is_empty() {
            return;
        }
        let mut messages = self.told.messages.clone();
        messages.retain(|entry| gone.binary_search(&entry.uid).is_err());
        self.told = Arc::new(with_messages(&self.told, messages));
        self.ghosts.append(&mut gone);
        self.ghosts.sort_unstable();
    }

    /// Ghosts that are in `now` are messages again.
    fn forget_ghosts(&mut self, now: &Index) {
        let mut messages = self.told.messages.clone();
        for entry in &now.messages {
            if let Ok(place) = self.ghosts.binary_search(&entry.uid) {
                self.ghosts.remove(place);
                messages.push(entry.clone());
            }
        }
        messages.sort_unstable_by_key(|entry| entry.uid);
        self.told = Arc::new(with_messages(&self.told, messages));
    }

    /// From the last to the first, so that each number is what the client counts at that moment, and stays small.
    fn tell_removals(&mut self, tell: &mut impl FnMut(Change)) {
        if self.ghosts.iter().any(|&ghost| self.is_recent(ghost)) {
            let ghosts = &self.ghosts;
            let stays = |uid: &u32| ghosts.binary_search(uid).is_err();
            Arc::make_mut(&mut self.recent).retain(stays);
        }
        if self.aware == Awareness::Qresync || self.is_uid_only() {
            let ghosts = std::mem::take(&mut self.ghosts);
            tell(Change::Vanished(Ranges::from_ascending(ghosts)));
            return;
        }
        while let Some(&ghost) = self.ghosts.last() {
            if let Some(number) = self.number(ghost) {
                tell(Change::Expunge(number));
            }
            self.ghosts.pop();
        }
    }

    fn tell_flags(
        &self,
        before: &Index,
        known: &[(u32, Flags, u64)],
        tell: &mut impl FnMut(Change),
    ) {
        let mut old = before.messages.iter().peekable();
        let mut known = known.iter().peekable();
        for (place, entry) in self.told.messages.iter().enumerate() {
            while old.next_if(|old| old.uid < entry.uid).is_some() {}
            while known.next_if(|known| known.0 < entry.uid).is_some() {}
            let Some(old) = old.peek().filter(|old| old.uid == entry.uid) else {
                // New: the client will ask.
                continue;
            };
            let (flags, modseq) = match known.peek() {
                Some(known) if known.0 == entry.uid => (known.1, known.2),
                _ => (old.flags, old.modseq),
            };
            let told_since = self.aware >= Awareness::Condstore && modseq != entry.modseq;
            if flags != entry.flags || told_since {
                let ghosts = self.ghosts.partition_point(|&ghost| ghost < entry.uid);
                tell(Change::Flags {
                    number: count(place + ghosts + 1),
                    uid: entry.uid,
                    flags: entry.flags,
                    modseq: entry.modseq,
                });
            }
        }
    }
}

fn with_messages(index: &Index, messages: Vec<Entry>) -> Index {
    Index {
        uid_validity: index.uid_validity,
        uid_next: index.uid_next,
        messages,
        keywords: index.keywords.clone(),
        highest_modseq: index.highest_modseq,
    }
}

/// Numbers of messages have 32 bits (RFC 3501 §9).
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::scan::Scanner;
    use crate::wire::imap::set::SequenceSet;
    use proptest::prelude::*;

    fn index(messages: &[(u32, Flags)]) -> Arc<Index> {
        let entry = |&(uid, flags): &(u32, Flags)| Entry {
            uid,
            flags,
            size: 0,
            received: 0,
            modseq: 1,
        };
        Arc::new(Index {
            uid_validity: 1,
            uid_next: messages.last().map_or(1, |last| last.0 + 1),
            messages: messages.iter().map(entry).collect(),
            keywords: Vec::new(),
            highest_modseq: 1,
        })
    }

    fn meant(view: &View, numbering: Numbering, text: &str) -> Result<Vec<u32>, NotMeant> {
        let set = SequenceSet::scan(&mut Scanner::new(text.as_bytes())).unwrap();
        let uids = view.uids(&Messages { numbering, set })?;
        Ok(view.entries(&uids, 0).map(|entry| entry.uid).collect())
    }

    #[test]
    fn sets_of_numbers_and_of_uids() {
        let none = Flags::default();
        let view = View::new(index(&[(3, none), (5, none), (9, none)]), vec![9]);
        assert_eq!(meant(&view, Numbering::Sequence, "2:*"), Ok(vec![5, 9]));
        assert_eq!(
            meant(&view, Numbering::Sequence, "1,4"),
            Err(NotMeant::NoSuchNumber(4))
        );
        assert_eq!(meant(&view, Numbering::Uid, "4:6,100:*"), Ok(vec![5, 9]));
        assert_eq!(meant(&view, Numbering::Uid, "4"), Ok(vec![]));
        let empty = View::new(index(&[]), Vec::new());
        assert_eq!(meant(&empty, Numbering::Sequence, "1:*"), Ok(vec![]));
        assert_eq!(
            meant(&empty, Numbering::Sequence, "1"),
            Err(NotMeant::NoSuchNumber(1))
        );
    }

    /// What happens to a mailbox, and when the client is told.
    #[derive(Clone, Debug)]
    enum Event {
        Deliver,
        Expunge(usize),
        Flag(usize, u32),
        StoredHere(usize, u32),
        Learn(bool),
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            3 => Just(Event::Deliver),
            2 => any::<usize>().prop_map(Event::Expunge),
            1 => (any::<usize>(), 0u32..4).prop_map(|(at, flags)| Event::Flag(at, flags)),
            1 => (any::<usize>(), 0u32..4).prop_map(|(at, flags)| Event::StoredHere(at, flags)),
            3 => any::<bool>().prop_map(Event::Learn),
        ];
        proptest::collection::vec(event, 0..60)
    }

    proptest! {
        /// The client is played with a plain vector: what it is told is all that it does.
        #[test]
        fn a_client_that_does_as_it_is_told_agrees(events in events()) {
            let mut mailbox: Vec<(u32, Flags)> = Vec::new();
            let mut next = 1;
            let mut view = View::new(index(&mailbox), Vec::new());
            let mut client: Vec<(u32, Flags)> = Vec::new();
            for event in events.into_iter().chain([Event::Learn(true)]) {
                match event {
                    Event::Deliver => {
                        mailbox.push((next, Flags::default()));
                        next += 1;
                    }
                    Event::Expunge(at) if !mailbox.is_empty() => {
                        mailbox.remove(at % mailbox.len());
                    }
                    Event::Flag(at, flags) if !mailbox.is_empty() => {
                        let at = at % mailbox.len();
                        mailbox[at].1 = Flags(flags);
                    }
                    Event::StoredHere(at, flags) if !mailbox.is_empty() => {
                        let at = at % mailbox.len();
                        mailbox[at].1 = Flags(flags);
                        let uid = mailbox[at].0;
                        if let Some(known) = client.iter_mut().find(|known| known.0 == uid) {
                            known.1 = Flags(flags);
                            view.knows(uid, Flags(flags), 0);
                        }
                    }
                    Event::Learn(all) => {
                        let removals = if all { Removals::Told } else { Removals::Deferred };
                        let mut changes = Vec::new();
                        view.learn(index(&mailbox), Vec::new(), removals, |change| changes.push(change));
                        for change in changes {
                            match change {
                                Change::Expunge(number) => {
                                    prop_assert!(all);
                                    client.remove(number as usize - 1);
                                }
                                Change::Exists(count) => {
                                    prop_assert!(count as usize > client.len());
                                    for number in client.len() as u32 + 1..=count {
                                        let uid = view.uid(number).unwrap();
                                        let flags = mailbox.iter().find(|m| m.0 == uid).unwrap().1;
                                        client.push((uid, flags));
                                    }
                                }
                                Change::Recent(_) => {}
                                Change::Vanished(_) => prop_assert!(false, "nobody has asked for that"),
                                Change::Flags { number, uid, flags, .. } => {
                                    let known = &mut client[number as usize - 1];
                                    prop_assert_eq!(known.0, uid);
                                    prop_assert_ne!(known.1, flags);
                                    known.1 = flags;
                                }
                            }
                        }
                        prop_assert_eq!(view.exists() as usize, client.len());
                        for (place, (uid, flags)) in client.iter().enumerate() {
                            let number = place as u32 + 1;
                            prop_assert_eq!(view.uid(number), Some(*uid));
                            prop_assert_eq!(view.number(*uid), Some(number));
                            if let Some(now) = mailbox.iter().find(|now| now.0 == *uid) {
                                prop_assert_eq!(now.1, *flags);
                            }
                        }
                        prop_assert_eq!(view.uid(0), None);
                        prop_assert_eq!(view.uid(client.len() as u32 + 1), None);
                        if all {
                            prop_assert_eq!(&client, &mailbox);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}
