//! Which flags of a message changed when: for STORE with UNCHANGEDSINCE (RFC 7162 §3.1.12), which need not fail because of a flag
//! that it does not touch. A message has one mod-sequence; so the last alterations of a mailbox are remembered here, in memory,
//! and of what is older only that it is not known.

use std::collections::VecDeque;

use super::{Entry, Flags, Index};
use crate::limits;

/// The last alterations of a mailbox's messages.
#[derive(Debug)]
pub(super) struct Alterations {
    /// By ascending mod-sequence.
    last: VecDeque<Alteration>,
    /// Up to this mod-sequence it is not known what was altered.
    forgotten: u64,
}

/// A message came, or has other flags.
#[derive(Clone, Copy, Debug)]
struct Alteration {
    modseq: u64,
    uid: u32,
    flags: Flags,
}

impl Alterations {
    /// Nothing is known.
    pub(super) const fn new() -> Self {
        Self {
            last: VecDeque::new(),
            forgotten: u64::MAX,
        }
    }

    /// Learns from what is known of a mailbox now, and was before.
    pub(super) fn learn(&mut self, old: &Index, new: &Index) {
        if old.uid_validity != new.uid_validity {
            self.last.clear();
            self.forgotten = new.highest_modseq;
            return;
        }
        let changed = |entry: &&Entry| entry.modseq > old.highest_modseq;
        for entry in new.messages.iter().filter(changed) {
            let before = old
                .messages
                .binary_search_by_key(&entry.uid, |entry| entry.uid)
                .map(|at| old.messages[at].flags);
            self.note(Alteration {
                modseq: entry.modseq,
                uid: entry.uid,
                flags: before.map_or(ALL, |before| Flags(before.0 ^ entry.flags.0)),
            });
        }
    }

    /// Whether one of these flags of a message was altered after `modseq`, as far as is known: if not known, yes.
    pub(super) fn any_of(&self, flags: Flags, uid: u32, modseq: u64) -> bool {
        if modseq < self.forgotten {
            return true;
        }
        let after = self.last.partition_point(|past| past.modseq <= modseq);
        self.last
            .range(after..)
            .any(|past| past.uid == uid && past.flags.0 & flags.0 != 0)
    }

    fn note(&mut self, alteration: Alteration) {
        if self.last.len() >= limits::FLAG_ALTERATIONS
            && let Some(oldest) = self.last.pop_front()
        {
            self.forgotten = oldest.modseq;
        }
        self.last.push_back(alteration);
    }
}

const ALL: Flags = Flags(u32::MAX);

#[cfg(test)]
mod tests {
    use super::*;

    fn index(validity: u32, highest_modseq: u64, messages: &[(u32, u32, u64)]) -> Index {
        let entry = |&(uid, flags, modseq): &(u32, u32, u64)| Entry {
            uid,
            flags: Flags(flags),
            size: 1,
            received: 1,
            modseq,
        };
        Index {
            uid_validity: validity,
            uid_next: 100,
            messages: messages.iter().map(entry).collect(),
            keywords: Vec::new(),
            highest_modseq,
        }
    }

    #[test]
    fn only_the_flags_that_changed_have_changed() {
        let mut past = Alterations::new();
        assert!(past.any_of(Flags::SEEN, 1, 5));
        let first = index(7, 10, &[(1, 0, 10), (2, 1, 9)]);
        past.learn(&index(0, 0, &[]), &first);
        assert!(past.any_of(Flags::SEEN, 1, 9), "that is not known");
        assert!(!past.any_of(Flags::SEEN, 1, 10));
        let second = index(7, 12, &[(1, 1, 11), (2, 1, 9), (3, 0, 12)]);
        past.learn(&first, &second);
        assert!(past.any_of(Flags::SEEN, 1, 10) && !past.any_of(Flags::DRAFT, 1, 10));
        assert!(!past.any_of(Flags::SEEN, 1, 11) && !past.any_of(Flags::SEEN, 2, 10));
        assert!(past.any_of(Flags::DRAFT, 3, 11), "it was not there");
        past.learn(&second, &index(8, 20, &[(1, 0, 20)]));
        assert!(past.any_of(Flags::DRAFT, 1, 12) && !past.any_of(Flags::DRAFT, 1, 20));
    }

    #[test]
    fn what_is_forgotten_is_not_known() {
        let mut past = Alterations::new();
        let mut old = index(7, 1, &[(1, 0, 1), (2, 0, 1)]);
        past.learn(&index(0, 0, &[]), &old);
        for modseq in 2..limits::FLAG_ALTERATIONS as u64 + 3 {
            let new = index(7, modseq, &[(1, modseq as u32 & 1, modseq), (2, 0, 1)]);
            past.learn(&old, &new);
            old = new;
        }
        assert_eq!(past.last.len(), limits::FLAG_ALTERATIONS);
        assert!(past.any_of(Flags::DRAFT, 2, 1));
        assert!(!past.any_of(Flags::DRAFT, 2, 2) && past.any_of(Flags::SEEN, 1, 2));
    }
}
