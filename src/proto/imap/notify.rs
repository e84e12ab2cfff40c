//! NOTIFY (RFC 5465): a look at the mailboxes of which a client is told, and what has changed since the last.
//!
//! The store marks what may have changed ([`Marks`]); what was told last is kept for each mailbox ([`Known`]), and only what differs
//! is told. So nothing is told twice, however often something is marked, and a client that does not read finds one line for a
//! mailbox, not a thousand. The selected mailbox is told by the session itself; here it is only kept up with.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::limits;
use crate::proto::imap::awareness::Awareness;
use crate::proto::imap::list;
use crate::proto::imap::status::{self, unseen};
use crate::store::{Account, Marks, Noted, OTHERS, Origin, Store, StoreError, Vigil};
use crate::wire::imap::command::{Depth, Group, Status, StatusItem, Which, Whose};
use crate::wire::imap::scan::Speech;

/// A look.
pub struct Survey {
    /// Whose mailboxes.
    pub account: Account,
    /// Which of them, and what is told of them.
    pub groups: Arc<[Group]>,
    /// What was told before, in order of names.
    pub known: Vec<Known>,
    /// What may have changed.
    pub marks: Marks,
    /// What happens in the accounts of others, of whose mailboxes the client is told.
    pub guests: Vec<Guest>,
    /// Who is woken when something does.
    pub token: u64,
    /// What the client did itself, and need not be told (RFC 5465 §5).
    pub own: Vec<Own>,
    /// The first look: of changes there are none yet.
    pub first: Option<Status>,
    /// The selected mailbox.
    pub selected: Option<String>,
    /// How names are told.
    pub speech: Speech,
    /// Whether mod-sequences are told.
    pub aware: Awareness,
}

/// What a look brought.
#[derive(Debug)]
pub struct Surveyed {
    /// The responses.
    pub lines: Vec<u8>,
    /// What is told now.
    pub known: Vec<Known>,
    /// Who is looked after from now on.
    pub guests: Vec<Guest>,
    /// Whether there are more mailboxes than are looked at.
    pub overflow: bool,
}

/// Somebody else who has opened mailboxes to the user.
#[derive(Debug)]
pub struct Guest {
    owner: Box<str>,
    vigil: Vigil,
}

/// What the client was told of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    name: Box<str>,
    /// There is such a mailbox; else it is only subscribed to.
    exists: bool,
    whose: Whose,
    subscribed: bool,
    /// What it is whatever it is called, when that is known.
    origin: Option<Origin>,
    messages: Option<Counts>,
}

/// What there is under a name at a look.
#[derive(Clone, Copy, Default)]
struct Now {
    exists: bool,
    whose: Option<Whose>,
    subscribed: bool,
    origin: Option<Origin>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    uid_validity: u32,
    uid_next: u32,
    messages: u32,
    unseen: u32,
    modseq: u64,
}

/// What the client did itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Own {
    /// CREATE
    Created(String),
    /// DELETE
    Deleted(String),
    /// RENAME: from, to
    Renamed(String, String),
    /// SUBSCRIBE
    Subscribed(String),
    /// UNSUBSCRIBE
    Unsubscribed(String),
    /// APPEND, COPY, MOVE: where to, and the first and the last UID there
    Added(String, u32, u32),
}

/// What a client wants to be told of one mailbox.
#[derive(Clone, Copy, Default)]
struct Interest {
    messages: Depth,
    names: bool,
    subscriptions: bool,
    notes: bool,
}

impl Interest {
    const fn is_any(self) -> bool {
        self.names || self.subscriptions || self.notes || !matches!(self.messages, Depth::Nothing)
    }
}

/// All groups that mean the mailbox together (RFC 5465 §6).
fn interest(groups: &[Group], name: &str, whose: Whose, subscribed: bool) -> Interest {
    let mut interest = Interest::default();
    for group in groups
        .iter()
        .filter(|group| group.which.means(name, whose, subscribed))
    {
        interest.messages = interest.messages.max(group.events.messages);
        interest.names |= group.events.names;
        interest.subscriptions |= group.events.subscriptions;
        interest.notes |= group.events.notes;
    }
    interest
}

/// Whose a mailbox is that is not there: new ones of one's own cannot be called as those of others are.
fn whose(name: &str) -> Whose {
    match name.strip_prefix(OTHERS) {
        Some(rest) if rest.starts_with('/') => Whose::Others,
        _ => Whose::Own,
    }
}

/// Whether somebody is told that others have noted something.
pub fn wants_noted(groups: &[Group], known: &[Known], noted: &Noted) -> bool {
    if noted.mailbox.is_empty() {
        return groups.iter().any(|group| group.events.server_notes);
    }
    let place = known.binary_search_by(|known| (*known.name).cmp(&*noted.mailbox));
    let (whose, subscribed) = match place {
        Ok(place) => (known[place].whose, known[place].subscribed),
        Err(_) => (whose(&noted.mailbox), false),
    };
    interest(groups, &noted.mailbox, whose, subscribed).notes
}

impl Survey {
    /// Looks.
    pub fn run(mut self, store: &Store) -> Result<Surveyed, StoreError> {
        let mut surveyed = Surveyed {
            lines: Vec::new(),
            known: Vec::new(),
            guests: Vec::new(),
            overflow: false,
        };
        if self.groups.is_empty() {
            return Ok(surveyed);
        }
        self.ask_guests();
        let own = std::mem::take(&mut self.own);
        for own in &own {
            self.know_own(own);
        }
        if self.first.is_some() || self.marks.names || self.marks.subscriptions {
            self.look_at_names(store, &mut surveyed)?;
        }
        let mut known = std::mem::take(&mut self.known);
        if known.len() > limits::IMAP_NOTIFIED {
            surveyed.overflow = true;
            return Ok(surveyed);
        }
        for one in &mut known {
            self.look_at_messages(store, one, &own, &mut surveyed.lines)?;
        }
        known.shrink_to_fit();
        surveyed.known = known;
        surveyed.guests = self.guests;
        Ok(surveyed)
    }

    /// What may have changed in the mailboxes of others.
    fn ask_guests(&mut self) {
        for guest in &self.guests {
            let marks = guest.vigil.take();
            let name = |name: String| format!("{OTHERS}/{}/{name}", guest.owner);
            self.marks.names |= marks.names;
            let renamed = marks.renamed.into_iter();
            let renamed = renamed.map(|(from, to)| (name(from), name(to)));
            self.marks.renamed.extend(renamed);
            self.marks
                .mailboxes
                .extend(marks.mailboxes.into_iter().map(name));
            if marks.all {
                let top = name(String::new());
                let known = self.known.iter().map(|known| &known.name);
                let theirs = known.filter(|name| name.starts_with(&top));
                self.marks
                    .mailboxes
                    .extend(theirs.map(|name| name.to_string()));
            }
        }
    }

    /// The mailboxes of others that may be looked up, if the client wants to be told of such; who has opened them is looked after
    /// from now on.
    fn names_of_others(&mut self, store: &Store) -> Vec<String> {
        let reaches = |group: &Group| group.which.reaches(OTHERS);
        if !self.groups.iter().any(reaches) {
            self.guests.clear();
            return Vec::new();
        }
        loop {
            let others = store.others(&self.account);
            let mut new = false;
            for other in &others {
                if self.guests.iter().any(|guest| guest.owner == other.owner) {
                    continue;
                }
                // First the vigil, then a look: nothing can come in between.
                if let Some(vigil) = store.watch_other(&self.account, &other.name, self.token) {
                    new = true;
                    self.guests.push(Guest {
                        owner: other.owner.clone(),
                        vigil,
                    });
                }
            }
            if !new {
                self.guests
                    .retain(|guest| others.iter().any(|other| other.owner == guest.owner));
                return others.into_iter().map(|other| other.name).collect();
            }
        }
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.known.binary_search_by(|known| (*known.name).cmp(name))
    }

    /// Where `name` is known; made known when it is not.
    fn entry(&mut self, name: &str) -> &mut Known {
        let place = self.place(name).unwrap_or_else(|place| {
            let known = Known {
                name: name.into(),
                exists: false,
                whose: whose(name),
                subscribed: false,
                origin: None,
                messages: None,
            };
            self.known.insert(place, known);
            place
        });
        &mut self.known[place]
    }

    /// What the client did itself is as if it had been told.
    fn know_own(&mut self, own: &Own) {
        match own {
            Own::Created(name) => self.entry(name).exists = true,
            Own::Deleted(name) => {
                if let Ok(place) = self.place(name) {
                    self.known[place].exists = false;
                    self.known[place].messages = None;
                }
            }
            // INBOX stays, and its mail is in a new mailbox (RFC 9051 §6.3.6).
            Own::Renamed(from, to) if from.eq_ignore_ascii_case("INBOX") => {
                self.entry(to).exists = true;
            }
            Own::Renamed(from, to) => self.rename(from, to),
            Own::Subscribed(name) => self.entry(name).subscribed = true,
            Own::Unsubscribed(name) => {
                if let Ok(place) = self.place(name) {
                    self.known[place].subscribed = false;
                }
            }
            Own::Added(..) => {}
        }
    }

    /// A mailbox and those below it are called otherwise. A subscription stays with the name that it was made for.
    fn rename(&mut self, from: &str, to: &str) {
        let mut moved = Vec::new();
        for known in &mut self.known {
            let below = known.name.strip_prefix(from);
            let Some(rest) = below.filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
                continue;
            };
            if known.exists {
                let name = format!("{to}{rest}");
                moved.push((name, known.origin.take(), known.messages.take()));
                known.exists = false;
            }
        }
        for (name, origin, messages) in moved {
            let known = self.entry(&name);
            known.exists = true;
            known.origin = origin;
            known.messages = messages;
        }
    }

    /// Mailboxes and subscriptions that came and went.
    fn look_at_names(&mut self, store: &Store, surveyed: &mut Surveyed) -> Result<(), StoreError> {
        let mut mailboxes = store.mailboxes_and_origins(&self.account)?;
        let own = mailboxes.len();
        let others = self.names_of_others(store).into_iter();
        mailboxes.extend(others.map(|name| (name, None)));
        let subscribed = store.subscriptions(&self.account)?;
        let mut told: BTreeMap<String, Option<String>> = BTreeMap::new();
        let marked = std::mem::take(&mut self.marks.renamed);
        self.tell_renamed(marked, &mut told);
        let unmarked = self.renamed_unmarked(&mailboxes);
        self.tell_renamed(unmarked, &mut told);
        let mut now: BTreeMap<&str, Now> = BTreeMap::new();
        let mut whose_is = Whose::Own;
        for (place, (name, origin)) in mailboxes.iter().enumerate() {
            if place == own {
                whose_is = Whose::Others;
            }
            let one = now.entry(name).or_default();
            // One's own hides what somebody else has opened under the same name.
            if !one.exists {
                (one.exists, one.whose, one.origin) = (true, Some(whose_is), *origin);
            }
        }
        for name in &subscribed {
            now.entry(name).or_default().subscribed = true;
        }
        let mut before = std::mem::take(&mut self.known).into_iter().peekable();
        let mut known = Vec::new();
        let first = self.first.is_some();
        for (&name, one) in &now {
            let (exists, subscribed, origin) = (one.exists, one.subscribed, one.origin);
            let whose = one.whose.unwrap_or_else(|| whose(name));
            while let Some(gone) = before.next_if(|known| *known.name < *name) {
                self.tell_name(&gone, Now::default(), &now, &mut told);
            }
            let old = before.next_if(|known| *known.name == *name);
            if !first {
                let none = Known {
                    name: name.into(),
                    exists: false,
                    whose,
                    subscribed: false,
                    origin: None,
                    messages: None,
                };
                let old = old.as_ref().unwrap_or(&none);
                self.tell_name(old, *one, &now, &mut told);
            }
            let interest = interest(&self.groups, name, whose, subscribed);
            let counts = old.and_then(|old| old.messages);
            if interest.is_any() {
                known.push(Known {
                    name: name.into(),
                    exists,
                    whose,
                    subscribed,
                    origin,
                    messages: counts.filter(|_| exists && interest.messages > Depth::Nothing),
                });
            }
        }
        for gone in before {
            self.tell_name(&gone, Now::default(), &now, &mut told);
        }
        self.known = known;
        for (name, old) in told {
            let (lines, old) = (&mut surveyed.lines, old.as_deref());
            list::write_one(lines, store, &self.account, &name, old, self.speech)?;
        }
        Ok(())
    }

    /// Notes that mailboxes are called otherwise: the old names and the new ones, in whatever order it was seen.
    fn tell_renamed(
        &mut self,
        mut renamed: Vec<(String, String)>,
        told: &mut BTreeMap<String, Option<String>>,
    ) {
        let all = renamed.clone();
        // What follows its parent is not told (RFC 5465 §5.4).
        let follows = |(from, to): &(String, String)| {
            all.iter().any(|(top, new)| {
                let below = from
                    .strip_prefix(&**top)
                    .filter(|rest| rest.starts_with('/'));
                below.is_some_and(|rest| to.strip_prefix(&**new) == Some(rest))
            })
        };
        renamed.retain(|pair| !follows(pair));
        for (from, to) in renamed {
            let moves = |known: &Known| {
                let below = known.name.strip_prefix(&*from);
                known.exists && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            if !self.known.iter().any(moves) {
                continue;
            }
            let names = |name: &str| self.interest(name).names;
            if names(&from) || names(&to) {
                told.insert(to.clone(), Some(from.clone()));
            }
            self.rename(&from, &to);
        }
    }

    /// Renamed a moment ago, and nobody has told yet.
    fn renamed_unmarked(&self, mailboxes: &[(String, Option<Origin>)]) -> Vec<(String, String)> {
        let is_there = |name: &str| mailboxes.iter().any(|(known, _)| known == name);
        let is_known = |name: &str| self.place(name).is_ok_and(|at| self.known[at].exists);
        let gone = |known: &&Known| known.exists && !is_there(&known.name);
        let gone: BTreeMap<Origin, &str> = self
            .known
            .iter()
            .filter(gone)
            .filter_map(|known| Some((known.origin?, &*known.name)))
            .collect();
        if gone.is_empty() {
            return Vec::new();
        }
        mailboxes
            .iter()
            .filter(|(name, _)| !is_known(name))
            .filter_map(|(name, origin)| {
                let from = *gone.get(origin.as_ref()?)?;
                Some((from.to_owned(), name.clone()))
            })
            .take(limits::HUB_MARKS)
            .collect()
    }

    /// What the client wants to be told of a name, as far as it is known.
    fn interest(&self, name: &str) -> Interest {
        let (whose, subscribed) = match self.place(name) {
            Ok(place) => (self.known[place].whose, self.known[place].subscribed),
            Err(_) => (whose(name), false),
        };
        interest(&self.groups, name, whose, subscribed)
    }

    /// Notes that a name is to be told, and its parent, if it is not as it was.
    fn tell_name(
        &self,
        old: &Known,
        new: Now,
        all: &BTreeMap<&str, Now>,
        told: &mut BTreeMap<String, Option<String>>,
    ) {
        let (exists, subscribed) = (new.exists, new.subscribed);
        let subscribes = subscribed || old.subscribed;
        let meant = interest(&self.groups, &old.name, old.whose, subscribes);
        if old.exists != exists && meant.names {
            told.entry(old.name.to_string()).or_default();
        }
        if old.exists != exists
            && let Some((parent, _)) = old.name.rsplit_once('/')
            && let Some((whose, subscribed)) = is_shown(parent, all)
            && interest(&self.groups, parent, whose, subscribed).names
        {
            // RFC 5465 §5.4
            told.entry(parent.to_owned()).or_default();
        }
        if old.subscribed != subscribed && meant.subscriptions {
            told.entry(old.name.to_string()).or_default();
        }
    }

    /// What there is in a mailbox now.
    fn look_at_messages(
        &self,
        store: &Store,
        known: &mut Known,
        own: &[Own],
        out: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        let wanted = interest(&self.groups, &known.name, known.whose, known.subscribed);
        let depth = wanted.messages;
        let marked = self.marks.all
            || self
                .marks
                .mailboxes
                .iter()
                .any(|name| **name == *known.name);
        if depth == Depth::Nothing || !known.exists || !(marked || known.messages.is_none()) {
            return Ok(());
        }
        let counts = match self.count(store, &known.name) {
            Ok(counts) => counts,
            // Deleted just now, or opened no more: that is told as the names are. Or it may be looked up only.
            Err(StoreError::NoSuchMailbox | StoreError::NoPermission(_)) => return Ok(()),
            Err(error) => {
                log::warn!("{}: {}: {error}", self.account.name, known.name);
                return Ok(());
            }
        };
        let before = known.messages.replace(counts);
        let is_selected = self.selected.as_deref() == Some(&*known.name);
        let items = match (self.first, before) {
            _ if is_selected => Vec::new(),
            (Some(Status::Untold), _) => Vec::new(),
            (Some(Status::Told), _) => first_items(depth),
            // One that was just made is told with its first message.
            (None, None) if counts.messages == 0 => Vec::new(),
            (None, None) => first_items(depth),
            (None, Some(before)) => {
                let mut added = own.iter().filter_map(|own| match own {
                    Own::Added(name, first, last) if **name == *known.name => Some((*first, *last)),
                    _ => None,
                });
                match added.any(|(first, last)| is_only(before, counts, first, last)) {
                    true => Vec::new(),
                    false => changed_items(depth, before, counts, self.aware),
                }
            }
        };
        if items.is_empty() {
            return Ok(());
        }
        let (account, name) = (&self.account, &known.name);
        match status::write(out, store, account, name, &items, self.speech) {
            Err(StoreError::NoSuchMailbox) => Ok(()),
            written => written,
        }
    }

    fn count(&self, store: &Store, name: &str) -> Result<Counts, StoreError> {
        let mailbox = store.mailbox(&self.account, name)?;
        let index = mailbox.sync()?;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(Counts {
            uid_validity: index.uid_validity,
            uid_next: index.uid_next,
            messages: count(index.messages.len()),
            unseen: count(index.messages.iter().filter(unseen).count()),
            modseq: index.highest_modseq,
        })
    }
}

/// Whose a name above others is, and whether it is subscribed to; none where LIST does not show it: `shared`, `shared/NAME`.
fn is_shown(name: &str, all: &BTreeMap<&str, Now>) -> Option<(Whose, bool)> {
    let known = all.get(name);
    let subscribed = known.is_some_and(|known| known.subscribed);
    if let Some(whose) = known.and_then(|known| known.whose) {
        return Some((whose, subscribed));
    }
    let whose = whose(name);
    let is_above_all = name == OTHERS || (whose == Whose::Others && name.matches('/').count() < 2);
    (!is_above_all).then_some((whose, subscribed))
}

/// What NOTIFY SET STATUS tells (RFC 5465 §3.1).
fn first_items(depth: Depth) -> Vec<StatusItem> {
    let mut items = vec![
        StatusItem::Messages,
        StatusItem::UidNext,
        StatusItem::UidValidity,
    ];
    if depth == Depth::Flags {
        items.extend([StatusItem::HighestModseq, StatusItem::Unseen]);
    }
    items
}

/// What is told of a change (RFC 5465 §5.1 to §5.3).
fn changed_items(depth: Depth, before: Counts, now: Counts, aware: Awareness) -> Vec<StatusItem> {
    let flags = depth == Depth::Flags;
    let counts = (before.messages, before.uid_next) != (now.messages, now.uid_next);
    let mut items = Vec::new();
    if before.uid_validity != now.uid_validity {
        items.extend([
            StatusItem::UidValidity,
            StatusItem::UidNext,
            StatusItem::Messages,
        ]);
    } else if counts {
        items.extend([StatusItem::UidNext, StatusItem::Messages]);
    }
    let changed = !items.is_empty() || (flags && before.modseq != now.modseq);
    if changed && aware > Awareness::None {
        items.push(StatusItem::HighestModseq);
    }
    if flags && before.unseen != now.unseen {
        items.push(StatusItem::Unseen);
    }
    if flags && !items.is_empty() && !items.contains(&StatusItem::UidValidity) {
        items.push(StatusItem::UidValidity);
    }
    items
}

/// Whether nothing happened but that messages of these UIDs came.
fn is_only(before: Counts, now: Counts, first: u32, last: u32) -> bool {
    before.uid_validity == now.uid_validity
        && before.uid_next <= first
        && now.uid_next == last.saturating_add(1)
        && now.messages == before.messages.saturating_add(last - first + 1)
}

/// Those that are not the selected mailbox.
pub fn others(groups: Vec<Group>) -> Arc<[Group]> {
    let is_other = |group: &Group| {
        !matches!(group.which, Which::Selected | Which::SelectedDelayed)
            && (group.events.messages > Depth::Nothing
                || group.events.names
                || group.events.subscriptions
                || group.events.notes
                || group.events.server_notes)
    };
    groups.into_iter().filter(is_other).collect()
}
