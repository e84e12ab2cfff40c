//! SEARCH: one job reads up to [`limits::IMAP_READ`] octets of mail, and says where the next goes on.
//!
//! What the index knows is tested first, and a message is read only when nothing cheaper has decided.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use crate::limits;
use crate::proto::imap::arrange::{Arranged, Arranging};
use crate::proto::imap::digests::Known;
use crate::proto::imap::flags::system_flag;
use crate::proto::imap::message::{Depth, Left, Message};
use crate::proto::imap::view::{NotMeant, View};
use crate::store::{Ahead, Digest, Digests, Entry, Flags, Identity, Mailbox, StoreError};
use crate::wire::date::{Date, DateTime};
use crate::wire::imap::command::{Messages, Numbering};
use crate::wire::imap::search::{Key, When};
use crate::wire::imap::set::{Ranges, SequenceSet};
use crate::wire::mime::header;
use crate::wire::mime::kept::is_kept;
use crate::wire::mime::structure::Part;
use crate::wire::mime::text::Needle;

/// What is still to be searched.
#[derive(Debug)]
pub struct Search {
    /// Where.
    pub mailbox: Arc<Mailbox>,
    /// The numbers.
    pub view: View,
    /// What for.
    pub test: Arc<Test>,
    /// Messages with a smaller UID are done.
    pub from: u32,
    /// SORT, THREAD: what is kept of those found.
    pub arranging: Option<Arranging>,
    /// How THREAD's messages are told.
    pub numbering: Numbering,
    /// What the job before has left.
    pub left: Left,
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// Ascending.
    pub uids: Vec<u32>,
    /// The highest of their mod-sequences, when one was looked for.
    pub modseq: Option<u64>,
    /// SORT, THREAD: all of them in order, at the end.
    pub arranged: Option<Arranged>,
    /// What comes after; `None` at the end.
    pub rest: Option<Box<Search>>,
}

/// A [`Key`] made ready for a mailbox. The cheaper tests of an `All` come first.
#[derive(Debug)]
pub enum Test {
    /// All of these.
    All(Vec<Self>),
    /// One of these.
    Or(Box<(Self, Self)>),
    /// Not this.
    Not(Box<Self>),
    /// Has these flags.
    Flags(Flags),
    /// Has a keyword that nobody in the mailbox had at first.
    Keyword(String),
    /// Cannot be.
    Never,
    /// Is recent.
    Recent,
    /// Is among these.
    Uids(Ranges),
    /// INTERNALDATE's day.
    Received(When, Date),
    /// The Date field's day.
    Sent(When, Date),
    /// INTERNALDATE is not after this moment, seconds since 1970.
    Until(i64),
    /// INTERNALDATE is not before this moment.
    From(i64),
    /// More octets.
    Larger(u64),
    /// Fewer octets.
    Smaller(u64),
    /// Changed at this mod-sequence or later.
    Modseq(u64),
    /// The day on which it came into the mailbox.
    Saved(When, Date),
    /// Has this object id.
    EmailId(String),
    /// Such a field holds it.
    Header(String, Needle),
    /// The body holds it.
    Body(Needle),
    /// Header or body hold it.
    Text(Needle),
}

impl Test {
    /// Makes a key ready at `now`, seconds since 1970; `Err`: message numbers cannot be meant. One that is larger than the largest
    /// is nothing (RFC 7377 §2), to SEARCH as well: RFC 3501 §9 would have it refused, but a question has an answer, as in Dovecot.
    pub fn new(key: Key, view: &View, now: i64) -> Result<Self, NotMeant> {
        let uids = |numbering, set: SequenceSet| {
            let messages = Messages { numbering, set };
            match view.uids(&messages) {
                Err(NotMeant::NoSuchNumber(_)) => Ok(view.uids_there(&messages)),
                uids => uids,
            }
        };
        Ok(match key {
            Key::All => Self::All(Vec::new()),
            Key::And(keys) => {
                let mut tests = keys
                    .into_iter()
                    .map(|key| Self::new(key, view, now))
                    .collect::<Result<Vec<_>, _>>()?;
                tests.sort_by_key(Self::cost);
                Self::All(tests)
            }
            Key::Or(keys) => {
                let (first, second) = *keys;
                let mut tests = (Self::new(first, view, now)?, Self::new(second, view, now)?);
                if tests.0.cost() > tests.1.cost() {
                    std::mem::swap(&mut tests.0, &mut tests.1);
                }
                Self::Or(Box::new(tests))
            }
            Key::Not(key) => Self::Not(Box::new(Self::new(*key, view, now)?)),
            Key::Flag(name) => system_flag(name).map_or(Self::Never, Self::Flags),
            Key::Keyword(name) => match view.told().keyword(&name) {
                Some(flag) => Self::Flags(flag),
                None => Self::Keyword(name),
            },
            Key::Recent => Self::Recent,
            Key::Sequence(set) => Self::Uids(uids(Numbering::Sequence, set)?),
            Key::Uid(set) => Self::Uids(uids(Numbering::Uid, set)?),
            Key::Received(when, date) => Self::Received(when, date),
            Key::Sent(when, date) => Self::Sent(when, date),
            Key::Older(seconds) => Self::Until(now.saturating_sub(seconds.into())),
            Key::Younger(seconds) => Self::From(now.saturating_sub(seconds.into())),
            Key::Larger(octets) => Self::Larger(octets),
            Key::Smaller(octets) => Self::Smaller(octets),
            Key::Modseq(modseq) => Self::Modseq(modseq),
            Key::Saved(when, date) => Self::Saved(when, date),
            Key::EmailId(id) => Self::EmailId(String::from_utf8_lossy(&id).into_owned()),
            // Nobody knows threads here (RFC 8474 §5.2).
            Key::ThreadId(_) => Self::Never,
            Key::Header(name, text) => Self::Header(name, Needle::new(&text)),
            Key::Body(text) => Self::Body(Needle::new(&text)),
            Key::Text(text) => Self::Text(Needle::new(&text)),
        })
    }

    /// 0: the index says it; 1: the header; 2: all of the message.
    fn cost(&self) -> u8 {
        match self {
            Self::All(tests) => tests.iter().map(Self::cost).max().unwrap_or(0),
            Self::Or(tests) => tests.0.cost().max(tests.1.cost()),
            Self::Not(test) => test.cost(),
            Self::Sent(..) | Self::Header(..) => 1,
            Self::Body(_) | Self::Text(_) => 2,
            _ => 0,
        }
    }

    /// Whether it looks for mod-sequences: then the highest is told (RFC 7162 §3.1.5).
    pub fn tells_modseq(&self) -> bool {
        match self {
            Self::Modseq(_) => true,
            Self::All(tests) => tests.iter().any(Self::tells_modseq),
            Self::Or(tests) => tests.0.tells_modseq() || tests.1.tells_modseq(),
            Self::Not(test) => test.tells_modseq(),
            _ => false,
        }
    }

    /// Whether a message is one of those that are looked for.
    pub(super) fn holds(&self, message: &Candidate<'_, '_>) -> Result<bool, StoreError> {
        Ok(match self {
            Self::All(tests) => {
                for test in tests {
                    if !test.holds(message)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Or(tests) => tests.0.holds(message)? || tests.1.holds(message)?,
            Self::Not(test) => !test.holds(message)?,
            Self::Flags(flags) => message.entry.flags.contains(*flags),
            Self::Keyword(name) => (message.view.told().keyword(name))
                .is_some_and(|flag| message.entry.flags.contains(flag)),
            Self::Never => false,
            Self::Recent => message.view.is_recent(message.entry.uid),
            Self::Uids(uids) => uids.contains(message.entry.uid),
            Self::Received(when, date) => {
                when_holds(*when, DateTime::utc(message.received()).date(), *date)
            }
            Self::Sent(when, date) => {
                let sent = message.with(&[Digest::Fields], |fields| {
                    header::value(fields, "Date").and_then(|value| DateTime::from_header(&value))
                })?;
                sent.is_some_and(|sent| when_holds(*when, sent.date(), *date))
            }
            Self::Until(unix) => message.received() <= *unix,
            Self::From(unix) => message.received() >= *unix,
            Self::Larger(octets) => message.entry.size > *octets,
            Self::Smaller(octets) => message.entry.size < *octets,
            Self::Modseq(modseq) => message.entry.modseq >= *modseq,
            Self::Saved(when, date) => message
                .identity()
                .and_then(|identity| identity.saved)
                .is_some_and(|saved| when_holds(*when, DateTime::utc(saved).date(), *date)),
            Self::EmailId(id) => message
                .identity()
                .is_some_and(|identity| identity.email_id == *id),
            Self::Header(name, needle) if name.eq_ignore_ascii_case("Subject") => message
                .with(&[Digest::Subject], |fields| {
                    needle.is_in_field(fields, name)
                })?,
            Self::Header(name, needle) if is_kept(name.as_bytes()) => {
                message.with(&[Digest::Fields], |fields| needle.is_in_field(fields, name))?
            }
            Self::Header(name, needle) => needle.is_in_field(message.header()?, name),
            Self::Body(needle) => message.body_holds(needle)?,
            Self::Text(needle) => {
                needle.is_in_header(message.header()?) || message.text_holds(needle)?
            }
        })
    }
}

fn when_holds(when: When, day: Date, asked: Date) -> bool {
    match when {
        When::Before => day < asked,
        When::On => day == asked,
        When::Since => day >= asked,
    }
}

/// A message, read when a test first needs it, and only its header while that suffices.
pub(super) struct Candidate<'a, 'm> {
    mailbox: &'a Mailbox,
    view: &'a View,
    entry: &'a Entry,
    head: OnceCell<Message>,
    whole: OnceCell<Message>,
    desk: &'a RefCell<Desk<'m>>,
}

/// What serves one message after the other.
pub(super) struct Desk<'m> {
    digests: Digests<'m>,
    /// One for each set of kinds that is asked for: two at most, as a rule.
    filed: Vec<Filed>,
    /// All that is made of a header at once when it has to be read.
    made: Known,
    ahead: Ahead,
}

impl<'m> Desk<'m> {
    /// Of a mailbox whose UIDs are valid.
    pub(super) fn new(mailbox: &'m Mailbox, uid_validity: u32, left: Left) -> RefCell<Self> {
        RefCell::new(Self {
            digests: mailbox.digests_with(uid_validity, left.learnt),
            filed: Vec::new(),
            made: Known::new(OF_HEADER.into_iter()),
            ahead: left.ahead,
        })
    }

    /// What was learnt is kept.
    pub(super) fn finish(desk: RefCell<Self>) {
        desk.into_inner().digests.finish();
    }

    /// The job ends, and the command goes on.
    fn pause(desk: RefCell<Self>) -> Left {
        let Self { digests, ahead, .. } = desk.into_inner();
        Left {
            ahead,
            learnt: digests.pause(),
        }
    }
}

/// What SEARCH, SORT and THREAD ask for most, which takes little room.
const OF_HEADER: [Digest; 4] = [
    Digest::Subject,
    Digest::Order,
    Digest::People,
    Digest::Links,
];

/// Digests, and of which message they are: none has UID 0.
struct Filed {
    uid: u32,
    known: Known,
}

impl Filed {
    fn of(kinds: &[Digest]) -> Self {
        Self {
            uid: 0,
            known: Known::new(kinds.iter().copied()),
        }
    }
}

impl<'a, 'd> Candidate<'a, 'd> {
    pub(super) const fn new(
        mailbox: &'a Mailbox,
        view: &'a View,
        entry: &'a Entry,
        desk: &'a RefCell<Desk<'d>>,
    ) -> Self {
        Self {
            mailbox,
            view,
            entry,
            head: OnceCell::new(),
            whole: OnceCell::new(),
            desk,
        }
    }

    /// INTERNALDATE
    fn received(&self) -> i64 {
        self.mailbox.received(self.entry)
    }

    fn identity(&self) -> Option<Identity> {
        self.mailbox.identity(self.entry.uid)
    }

    fn header(&self) -> Result<&[u8], StoreError> {
        let message = match self.whole.get() {
            Some(whole) => whole,
            None => self.load(&self.head, Depth::Header, &mut self.desk.borrow_mut().ahead)?,
        };
        Ok(&message.octets[..header::header_octets(&message.octets)])
    }

    /// Has `look` at digests, one after the other.
    pub(super) fn with<T>(
        &self,
        kinds: &[Digest],
        look: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, StoreError> {
        let mut desk = self.desk.borrow_mut();
        let Desk {
            digests,
            filed,
            made,
            ahead,
        } = &mut *desk;
        let at = filed.iter().position(|filed| filed.known.kinds() == kinds);
        let at = at.unwrap_or_else(|| {
            filed.push(Filed::of(kinds));
            filed.len() - 1
        });
        let filed = &mut filed[at];
        let uid = self.entry.uid;
        if filed.uid != uid {
            filed.uid = 0;
            if !filed.known.take(digests, uid) {
                let message = match self.whole.get() {
                    Some(whole) => whole,
                    None => self.load(&self.head, Depth::Header, ahead)?,
                };
                // They are of the header alone.
                let structure = OnceCell::new();
                let part = || structure.get_or_init(|| Part::parse(&message.octets));
                if kinds.iter().all(|kind| made.kinds().contains(kind)) {
                    made.make(message, part);
                    made.keep(digests, uid);
                    filed.known.pick(made);
                } else {
                    filed.known.make(message, part);
                    filed.known.keep(digests, uid);
                }
            }
            filed.uid = uid;
        }
        Ok(look(filed.known.all()))
    }

    fn body_holds(&self, needle: &Needle) -> Result<bool, StoreError> {
        let octets = &self.whole()?.octets;
        Ok(needle.is_in_body(octets, &Part::parse(octets)))
    }

    fn text_holds(&self, needle: &Needle) -> Result<bool, StoreError> {
        let octets = &self.whole()?.octets;
        Ok(needle.is_in_text(octets, &Part::parse(octets)))
    }

    fn whole(&self) -> Result<&Message, StoreError> {
        self.load(&self.whole, Depth::Whole, &mut self.desk.borrow_mut().ahead)
    }

    fn load<'m>(
        &self,
        cell: &'m OnceCell<Message>,
        depth: Depth,
        ahead: &mut Ahead,
    ) -> Result<&'m Message, StoreError> {
        if let Some(message) = cell.get() {
            return Ok(message);
        }
        let next = |uid: u32, most: usize| {
            let all = Ranges::one(uid.saturating_add(1), u32::MAX);
            let next = self.view.entries(&all, 0).take(most);
            next.map(|entry| entry.uid).collect()
        };
        let load = || Message::load(self.mailbox, self.entry, depth);
        let message = ahead.load(self.mailbox, self.entry.uid, next, load)?;
        Ok(cell.get_or_init(|| message))
    }

    /// Octets that were read.
    fn read(&self) -> u64 {
        [&self.head, &self.whole]
            .into_iter()
            .filter_map(OnceCell::get)
            .map(|message| message.octets.len() as u64)
            .chain([KNOWN_COSTS])
            .sum()
    }
}

/// What looking at a message that need not be read is taken to cost, in octets read.
const KNOWN_COSTS: u64 = 512;

impl Search {
    /// Searches on.
    pub fn run(mut self) -> Result<Found, StoreError> {
        let mut uids = Vec::new();
        let mut read = 0;
        let mut next = None;
        let mut modseq = self.test.tells_modseq().then_some(0);
        if modseq.is_some() {
            self.mailbox.settle()?;
        }
        let all = Ranges::one(1, u32::MAX);
        let left = std::mem::take(&mut self.left);
        let desk = Desk::new(&self.mailbox, self.view.told().uid_validity, left);
        for entry in self.view.entries(&all, self.from) {
            if read >= limits::IMAP_READ {
                next = Some(entry.uid);
                break;
            }
            let message = Candidate::new(&self.mailbox, &self.view, entry, &desk);
            match self.test.holds(&message) {
                Ok(true) => {
                    if let Some(arranging) = &mut self.arranging {
                        let number = match self.numbering {
                            Numbering::Uid => entry.uid,
                            Numbering::Sequence => self.view.number(entry.uid).unwrap_or(0),
                        };
                        let received = || self.mailbox.received(entry);
                        let added = match arranging.digests() {
                            [] => Ok(arranging.add(entry, number, &[], &received)),
                            kinds => message.with(kinds, |order| {
                                arranging.add(entry, number, order, &received)
                            }),
                        };
                        match added {
                            Ok(added) => added?,
                            Err(StoreError::NoSuchMessage) => continue,
                            Err(error) => return Err(error),
                        }
                    }
                    uids.push(entry.uid);
                    modseq = modseq.map(|modseq: u64| modseq.max(entry.modseq));
                }
                Ok(false) | Err(StoreError::NoSuchMessage) => {}
                Err(error) => return Err(error),
            }
            read += message.read();
        }
        let Some(from) = next else {
            Desk::finish(desk);
            return Ok(Found {
                uids,
                modseq,
                arranged: self.arranging.map(Arranging::arranged),
                rest: None,
            });
        };
        self.left = Desk::pause(desk);
        self.from = from;
        Ok(Found {
            uids,
            modseq,
            arranged: None,
            rest: Some(Box::new(self)),
        })
    }
}
