//! The records of `mailtool-cache`, and the blocks that they stand in.

use super::super::Entry;
use super::super::Flags;
use super::super::seal::{self, Seal};
use super::{Cache, Cached, Gone};

pub(super) fn write_message(out: &mut Vec<u8>, entry: &Entry) {
    out.push(MESSAGE);
    out.extend_from_slice(&entry.uid.to_le_bytes());
    out.extend_from_slice(&entry.modseq.to_le_bytes());
    out.extend_from_slice(&entry.flags.0.to_le_bytes());
    out.extend_from_slice(&entry.size.to_le_bytes());
    out.extend_from_slice(&entry.received.to_le_bytes());
}

pub(super) fn write_gone(out: &mut Vec<u8>, gone: &Gone) {
    out.push(GONE);
    out.extend_from_slice(&gone.modseq.to_le_bytes());
    out.extend_from_slice(&gone.first.to_le_bytes());
    out.extend_from_slice(&gone.last.to_le_bytes());
}

pub(super) fn block(records: &[u8]) -> Vec<u8> {
    let mut block = Vec::with_capacity(records.len() + 12);
    // Records are bounded by CACHE_OCTETS; a longer block is damage, and leads to a new file.
    let octets = u32::try_from(records.len()).unwrap_or(u32::MAX);
    block.extend_from_slice(&octets.to_le_bytes());
    block.extend_from_slice(&checksum(records).to_le_bytes());
    block.extend_from_slice(records);
    block
}

/// Finds every damage within eight octets, and all but one in 2^64 of the others: each step can be undone.
pub(in crate::store) fn checksum(bytes: &[u8]) -> u64 {
    let mix = |sum: u64, word: u64| {
        let mixed = (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ (mixed >> 32)
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let sum = words.iter().fold(bytes.len() as u64, |sum, word| {
        mix(sum, u64::from_le_bytes(*word))
    });
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(sum, u64::from_le_bytes(last))
}

/// All of a file, or nothing of one that is damaged anywhere.
pub(super) fn parse(bytes: &[u8]) -> Option<(Cache, Vec<Cached>)> {
    let mut cache = Cache::default();
    let mut messages: Vec<Cached> = Vec::with_capacity(bytes.len() / 33);
    let mut rest = Reader(bytes);
    let mut is_first = true;
    while !rest.0.is_empty() {
        let octets = u32::from_le_bytes(rest.take()?);
        let sum = u64::from_le_bytes(rest.take()?);
        let (records, after) = rest.0.split_at_checked(usize::try_from(octets).ok()?)?;
        if checksum(records) != sum {
            return None;
        }
        rest = Reader(after);
        let mut records = Reader(records);
        let mut odd = Vec::new();
        while let Some([kind]) = records.take() {
            if is_first != (kind == HEAD) {
                return None;
            }
            is_first = false;
            cache.seal = None;
            match kind {
                HEAD => {
                    cache.validity = u32::from_le_bytes(records.take()?);
                    cache.highest = u64::from_le_bytes(records.take()?);
                    cache.forgotten = u64::from_le_bytes(records.take()?);
                }
                MESSAGE => {
                    let message = Cached {
                        uid: u32::from_le_bytes(records.take()?),
                        modseq: u64::from_le_bytes(records.take()?),
                        flags: Flags(u32::from_le_bytes(records.take()?)),
                        size: u64::from_le_bytes(records.take()?),
                        received: i64::from_le_bytes(records.take()?),
                    };
                    cache.highest = cache.highest.max(message.modseq);
                    messages.push(message);
                }
                GONE => {
                    let modseq = u64::from_le_bytes(records.take()?);
                    let first = u32::from_le_bytes(records.take()?);
                    let last = u32::from_le_bytes(records.take()?);
                    cache.highest = cache.highest.max(modseq);
                    cache.gone.push(Gone {
                        modseq,
                        first,
                        last,
                    });
                }
                seal::SEAL => {
                    let seal = Seal::read(&mut records, std::mem::take(&mut odd))?;
                    cache.highest = cache.highest.max(seal.highest);
                    cache.seal = Some(seal);
                }
                seal::ODD => odd.push(Seal::read_odd(&mut records)?),
                _ => return None,
            }
            cache.records += 1;
        }
    }
    if is_first || cache.highest == 0 || cache.highest >= 1 << 62 {
        return None;
    }
    cache.gone.sort_by_key(|gone| gone.modseq);
    // Of what is told of a message twice the last counts.
    messages.reverse();
    messages.sort_by_key(|message| message.uid);
    messages.dedup_by_key(|message| message.uid);
    let mut lives = vec![true; messages.len()];
    for gone in &cache.gone {
        let from = messages.partition_point(|message| message.uid < gone.first);
        for (message, lives) in messages[from..].iter().zip(&mut lives[from..]) {
            if message.uid > gone.last {
                break;
            }
            *lives &= message.modseq > gone.modseq;
        }
    }
    let mut lives = lives.into_iter();
    messages.retain(|_| lives.next().unwrap_or(true));
    cache.forget();
    Some((cache, messages))
}

/// Octets that are still to be read.
pub(in crate::store) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(in crate::store) fn take_some(&mut self, octets: usize) -> Option<&'a [u8]> {
        let (some, rest) = self.0.split_at_checked(octets)?;
        self.0 = rest;
        Some(some)
    }
    pub(in crate::store) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }
}

/// Kinds of records; those of a seal are in `seal`.
pub(super) const HEAD: u8 = 0;
const MESSAGE: u8 = 1;
const GONE: u8 = 2;

#[cfg(test)]
mod tests {
    use super::super::super::Index;
    use super::*;
    use crate::limits;
    use proptest::prelude::*;

    fn entry(uid: u32, modseq: u64) -> Entry {
        Entry {
            uid,
            flags: Flags::SEEN,
            size: 10,
            received: -5,
            modseq,
        }
    }

    fn index(uids: &[u32]) -> Index {
        Index {
            uid_validity: 7,
            uid_next: 100,
            messages: uids.iter().map(|&uid| entry(uid, 1)).collect(),
            keywords: Vec::new(),
            highest_modseq: 1,
        }
    }

    fn sample() -> Vec<u8> {
        let mut head = vec![HEAD];
        head.extend_from_slice(&7_u32.to_le_bytes());
        head.extend_from_slice(&9_u64.to_le_bytes());
        head.extend_from_slice(&2_u64.to_le_bytes());
        write_message(&mut head, &entry(3, 5));
        write_message(&mut head, &entry(4, 6));
        let mut bytes = block(&head);
        let mut more = Vec::new();
        write_message(&mut more, &entry(3, 10));
        let (modseq, first, last) = (11, 4, 5);
        write_gone(
            &mut more,
            &Gone {
                modseq,
                first,
                last,
            },
        );
        bytes.extend(block(&more));
        bytes
    }

    #[test]
    fn what_was_written_last_counts() {
        let (cache, messages) = parse(&sample()).expect("whole");
        assert_eq!((cache.validity, cache.highest, cache.forgotten), (7, 11, 2));
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert_eq!((messages[0].uid, messages[0].modseq), (3, 10));
        assert_eq!((messages[0].size, messages[0].received), (10, -5));
    }

    #[test]
    fn what_vanished() {
        let (mut cache, _) = parse(&sample()).expect("whole");
        cache.removed(12, &[1, 2, 8, 9]);
        let index = index(&[3, 6, 9]);
        assert_eq!(cache.vanished(11, &index), [(1, 2), (8, 8)]);
        assert_eq!(cache.vanished(10, &index), [(1, 2), (4, 5), (8, 8)]);
        assert_eq!(cache.vanished(12, &index), []);
        // That is too long ago: all that there are not.
        assert_eq!(
            cache.vanished(1, &index),
            [(1, 2), (4, 5), (7, 8), (10, 99)]
        );
    }

    #[test]
    fn too_many_removals_are_forgotten_and_then_told_too_much() {
        let mut cache = Cache::default();
        for modseq in 1..=limits::CACHE_GONE as u64 + 1 {
            cache.removed(modseq, &[2 * modseq as u32]);
        }
        assert!(cache.gone.len() <= limits::CACHE_GONE);
        let index = index(&[1]);
        assert_eq!(cache.vanished(5, &index), [(2, 99)]);
        assert_eq!(cache.vanished(cache.highest - 1, &index).len(), 1);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
            let _ = parse(&block(&bytes));
        }

        #[test]
        fn damage_is_found(at in 0..sample().len(), bit in 0..8) {
            let mut bytes = sample();
            bytes[at] ^= 1_u8 << bit;
            prop_assert!(parse(&bytes).is_none());
        }

        #[test]
        fn a_torn_end_is_found(at in 1..sample().len()) {
            let bytes = &sample()[..at];
            let first = 12 + 21 + 2 * 33;
            prop_assert_eq!(parse(bytes).is_some(), at == first);
        }
    }
}
