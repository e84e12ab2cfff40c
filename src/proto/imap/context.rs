//! Searches that are kept up with (RFC 5267 §4.3): whenever the mailbox is looked at, what has come to be found and what is found no
//! longer.
//!
//! Only what has changed is tried: messages that are new, or have another mod-sequence than when they were last looked at. A search
//! has its own last look, for while NOTIFY lets the view stand still nothing is kept up with.

use std::sync::Arc;

use crate::proto::imap::arrange::Sorted;
use crate::proto::imap::esearch::Correlator;
use crate::proto::imap::message::Left;
use crate::proto::imap::search::{Candidate, Desk, Test};
use crate::proto::imap::view::View;
use crate::proto::imap::work::News;
use crate::store::{Index, Mailbox, StoreError};
use crate::wire::imap::command::Numbering;
use crate::wire::imap::fetch::Item;
use crate::wire::imap::response;
use crate::wire::imap::set::Ranges;

/// A search that is kept up with.
#[derive(Debug)]
pub struct Context {
    /// Of the command.
    pub tag: String,
    /// What the numbers are.
    pub numbering: Numbering,
    /// What is looked for.
    pub test: Arc<Test>,
    /// What is found now.
    pub members: Members,
    /// What is told of new messages that are found.
    pub items: Arc<Vec<Item>>,
    /// What there was when it was last looked at.
    pub seen: Arc<Index>,
    /// What is to be told.
    pub update: Update,
}

/// What is found.
#[derive(Debug)]
pub enum Members {
    /// UIDs, in the order of the mailbox.
    Set(Ranges),
    /// In another order.
    Sorted(Sorted),
}

impl Members {
    fn uids(&self) -> Ranges {
        match self {
            Self::Set(set) => set.clone(),
            Self::Sorted(sorted) => {
                let mut uids: Vec<u32> = sorted.uids().collect();
                uids.sort_unstable();
                Ranges::from_ascending(uids)
            }
        }
    }
}

/// What has changed; places are counted from 1, and 0 in the order of the mailbox.
#[derive(Debug, Default)]
pub struct Update {
    /// Messages that are no more.
    gone: Vec<(usize, u32)>,
    /// Messages that are not found any more.
    removed: Vec<(usize, u32)>,
    /// Messages that are found now.
    added: Vec<(usize, u32)>,
}

/// All the searches of a session.
#[derive(Debug)]
pub struct Contexts {
    /// The session's numbers, as they were told last.
    pub view: View,
    /// The searches.
    pub all: Vec<Context>,
}

impl Contexts {
    /// What has changed since the last time.
    pub fn keep_up(&mut self, mailbox: &Mailbox, news: &News) {
        let view = self.view.at(&news.index, &news.recent);
        for context in &mut self.all {
            if !Arc::ptr_eq(&context.seen, &news.index) {
                context.keep_up(mailbox, &view);
                context.seen = Arc::clone(&news.index);
            }
        }
    }
}

impl Context {
    /// How many messages are kept in order.
    pub const fn sorted(&self) -> usize {
        match &self.members {
            Members::Set(_) => 0,
            Members::Sorted(sorted) => sorted.len(),
        }
    }

    fn keep_up(&mut self, mailbox: &Mailbox, view: &View) {
        let now = view.told();
        let seen = Arc::clone(&self.seen);
        let (mut added, mut removed, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        let members = self.members.uids();
        let desk = Desk::new(mailbox, now.uid_validity, Left::default());
        let mut before = seen.messages.iter().peekable();
        for entry in &now.messages {
            while let Some(old) = before.next_if(|old| old.uid < entry.uid) {
                gone.push(old.uid);
            }
            let old = before.next_if(|old| old.uid == entry.uid);
            if old.is_some_and(|old| old == entry) {
                continue;
            }
            let message = Candidate::new(mailbox, view, entry, &desk);
            let holds = self.test.holds(&message).unwrap_or_else(|error| {
                if !matches!(error, StoreError::NoSuchMessage) {
                    log::warn!("message {}: {error}", entry.uid);
                }
                false
            });
            let known = members.contains(entry.uid);
            if holds && !known {
                let order = match &self.members {
                    Members::Sorted(sorted) => message
                        .with(sorted.digests(), <[u8]>::to_vec)
                        .unwrap_or_default(),
                    Members::Set(_) => Vec::new(),
                };
                added.push((entry, order));
            } else if known && !holds {
                removed.push((0, entry.uid));
            }
        }
        Desk::finish(desk);
        gone.extend(before.map(|old| old.uid));
        gone.retain(|&uid| members.contains(uid));
        let mut gone: Vec<(usize, u32)> = gone.into_iter().map(|uid| (0, uid)).collect();
        match &mut self.members {
            Members::Sorted(sorted) => {
                // They are told in this order: each place is that of its moment.
                for (place, uid) in gone.iter_mut().chain(&mut removed) {
                    *place = sorted.remove(*uid).unwrap_or(0);
                }
                for (entry, order) in added {
                    let place = sorted.insert(entry, &order, &|| mailbox.received(entry));
                    self.update
                        .added
                        .extend(place.map(|place| (place, entry.uid)));
                }
            }
            Members::Set(set) => {
                let is = |pairs: &[(usize, u32)], uid: &u32| {
                    pairs.binary_search_by_key(uid, |pair| pair.1).is_ok()
                };
                let stays = |uid: &u32| !is(&gone, uid) && !is(&removed, uid);
                let old = set.iter().flat_map(|(first, last)| first..=last);
                let mut uids: Vec<u32> = old.filter(stays).collect();
                uids.extend(added.iter().map(|(entry, _)| entry.uid));
                uids.sort_unstable();
                *set = Ranges::from_ascending(uids);
                let added = added.into_iter().map(|(entry, _)| (0, entry.uid));
                self.update.added.extend(added);
            }
        }
        self.update.gone.append(&mut gone);
        self.update.removed.append(&mut removed);
    }

    fn correlator(&self) -> Correlator<'_> {
        Correlator {
            tag: &self.tag,
            mailbox: None,
            numbering: self.numbering,
        }
    }

    /// Writes REMOVEFROM for messages that are no more: before their numbers go (RFC 5267 §4.3.4).
    pub fn write_gone(&mut self, out: &mut Vec<u8>, view: &View) {
        let gone = std::mem::take(&mut self.update.gone);
        if !gone.is_empty() {
            let correlator = self.correlator();
            correlator.write(out);
            write_pairs(out, b" REMOVEFROM (", &gone, &correlator, view);
            out.extend_from_slice(b"\r\n");
        }
    }

    /// Writes REMOVEFROM and ADDTO, once the client knows all numbers; returns the new messages, those from `uid_next` on, of which
    /// more is to be told (RFC 5465 §7).
    pub fn write_changes(&mut self, out: &mut Vec<u8>, view: &View, uid_next: u32) -> Ranges {
        let Update { removed, added, .. } = std::mem::take(&mut self.update);
        if removed.is_empty() && added.is_empty() {
            return Ranges::default();
        }
        let correlator = self.correlator();
        correlator.write(out);
        if !removed.is_empty() {
            write_pairs(out, b" REMOVEFROM (", &removed, &correlator, view);
        }
        if !added.is_empty() {
            write_pairs(out, b" ADDTO (", &added, &correlator, view);
        }
        out.extend_from_slice(b"\r\n");
        let mut new: Vec<u32> = added.iter().map(|pair| pair.1).collect();
        new.retain(|&uid| uid >= uid_next && !self.items.is_empty());
        new.sort_unstable();
        Ranges::from_ascending(new)
    }
}

/// Writes ` ADDTO (0 32768:32769)`: neighbours become a range.
fn write_pairs(
    out: &mut Vec<u8>,
    word: &[u8],
    pairs: &[(usize, u32)],
    correlator: &Correlator<'_>,
    view: &View,
) {
    out.extend_from_slice(word);
    let removes = word.starts_with(b" REMOVE");
    let mut numbers = pairs
        .iter()
        .filter_map(|&(place, uid)| Some((place, correlator.number(view, uid)?)))
        .peekable();
    let mut is_first = true;
    let mut last_place = None;
    while let Some((place, first)) = numbers.next() {
        let mut last = first;
        // What is taken from a place makes the next one take it; what is put there has the next one after it.
        let follows = |place: usize, count: u32| match (place, removes) {
            (0, _) => 0,
            (place, true) => place,
            (place, false) => place + count as usize,
        };
        while numbers
            .next_if(|&(next, number)| {
                next == follows(place, last - first + 1) && Some(number) == last.checked_add(1)
            })
            .is_some()
        {
            last += 1;
        }
        if place == 0 && last_place == Some(0) {
            out.push(b',');
        } else {
            if !is_first {
                out.push(b' ');
            }
            response::number(out, place as u64);
            out.push(b' ');
        }
        Ranges::one(first, last).write(out);
        last_place = Some(place);
        is_first = false;
    }
    out.push(b')');
}
