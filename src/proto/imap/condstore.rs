//! CONDSTORE and QRESYNC (RFC 7162): how a client that was away catches up.
//!
//! A mod-sequence is shown only when the store has it on disk ([`Mailbox::settle`](crate::store::Mailbox::settle)), and HIGHESTMODSEQ
//! never promises more than was told: while a removal is held back, it stays what it was before ([`View::told_modseq`]).

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::proto::imap::fetch::Fetch;
use crate::proto::imap::message::Left;
use crate::proto::imap::view::View;
use crate::proto::imap::work::Watched;
use crate::wire::imap::command::{Access, Numbering};
use crate::wire::imap::condstore::Resync;
use crate::wire::imap::fetch::Item;
use crate::wire::imap::set::Ranges;

/// How a client catches up at SELECT: what it is sent before the tagged reply (RFC 7162 §3.2.5). `None` when what it knows is of
/// another UIDVALIDITY.
pub fn catch_up(resync: &Resync, watched: &Watched, view: &View) -> Option<Fetch> {
    let told = view.told();
    if resync.uid_validity != told.uid_validity {
        return None;
    }
    let largest = told.uid_next.saturating_sub(1);
    let uids = match &resync.known {
        Some(known) => known.ranges(largest),
        None if largest == 0 => Ranges::default(),
        None => Ranges::one(1, largest),
    };
    Some(Fetch {
        mailbox: Arc::clone(&watched.mailbox),
        access: Access::ReadOnly,
        view: view.clone(),
        uids,
        from: 0,
        done: 0,
        numbering: Numbering::Uid,
        items: Arc::new(vec![Item::Flags, Item::Modseq]),
        changed_since: Some(resync.modseq),
        vanished: Some(agreed(resync, view) + 1),
        left: Left::default(),
    })
}

/// The highest UID up to which the client's numbers are ours (RFC 7162 §3.2.5.2): it knows what went before.
fn agreed(resync: &Resync, view: &View) -> u32 {
    let Some((numbers, uids)) = &resync.matches else {
        return 0;
    };
    let each = |ranges: Ranges| ranges.iter().collect::<Vec<_>>().into_iter();
    let numbers = each(numbers.ranges(view.exists())).flat_map(|(first, last)| first..=last);
    let uids = each(uids.ranges(view.told().uid_next)).flat_map(|(first, last)| first..=last);
    numbers
        .zip(uids)
        .take_while(|&(number, uid)| view.uid(number) == Some(uid))
        .last()
        .map_or(0, |(_, uid)| uid)
}
