//! CONDSTORE and QRESYNC (RFC 7162): who is told of mod-sequences, and how a client that was away catches up.
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
use crate::wire::imap::response;
use crate::wire::imap::set::Ranges;

/// What a session has switched on; each is more than the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Awareness {
    /// Nothing.
    #[default]
    None,
    /// Mod-sequences are told with flags.
    Condstore,
    /// Also, removals are told by UID.
    Qresync,
}

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

/// Writes `* VANISHED (EARLIER) ...`: of `uids`, those from `lowest` on that went after `modseq`, and that the client does not count.
pub fn write_vanished_earlier(out: &mut Vec<u8>, fetch: &Fetch, modseq: u64, lowest: u32) {
    let mut vanished = Ranges::default();
    let gone = fetch.mailbox.vanished(modseq);
    let asked: Vec<(u32, u32)> = fetch.uids.iter().collect();
    for (first, last) in gone {
        let start = asked.partition_point(|asked| asked.1 < first);
        for &(from, to) in asked[start..].iter().take_while(|asked| asked.0 <= last) {
            let (from, to) = (from.max(first).max(lowest), to.min(last));
            if from > to {
                continue;
            }
            // What it still counts is told as gone when that may be said.
            let mut next = from;
            for counted in fetch.view.counted(from, to) {
                if counted > next {
                    vanished.push(next, counted - 1);
                }
                next = counted + 1;
            }
            if next <= to {
                vanished.push(next, to);
            }
        }
    }
    if !vanished.is_empty() {
        out.extend_from_slice(b"* VANISHED (EARLIER) ");
        vanished.write(out);
        out.extend_from_slice(b"\r\n");
    }
}

/// Writes `* VANISHED ...`.
pub fn write_vanished(out: &mut Vec<u8>, uids: &Ranges) {
    out.extend_from_slice(b"* VANISHED ");
    uids.write(out);
    out.extend_from_slice(b"\r\n");
}

/// Writes ` MODSEQ (1)` and its like.
pub fn write_modseq(out: &mut Vec<u8>, modseq: u64) {
    out.extend_from_slice(b"MODSEQ (");
    response::number(out, modseq);
    out.push(b')');
}
