//! Messages that are in a mailbox twice: found by their [`Likeness`], and taken out.

use std::collections::HashMap;
use std::io::Read;

use crate::limits;
use crate::store::{FlagChange, Flags, Mailbox, StoreError};
use crate::wire::likeness::{Likeness, Reading};

/// A message that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Double {
    /// Its UID.
    pub uid: u32,
    /// The UID of the one that stays.
    pub of: u32,
    /// Octets of it.
    pub octets: u64,
}

impl Mailbox {
    /// What tells a message from those that are not the same; read in blocks.
    ///
    /// # Errors
    /// `NoSuchMessage` when it is gone, and the disk's.
    pub fn likeness(&self, uid: u32) -> Result<Likeness, StoreError> {
        let (mut file, _) = self.open(uid)?;
        let mut reading = Reading::default();
        let mut block = vec![0; limits::BLOCK];
        loop {
            let octets = file.read(&mut block)?;
            if octets == 0 {
                return Ok(reading.finish());
            }
            reading.feed(&block[..octets]);
        }
    }

    /// The messages that are here twice, by ascending UID. Of several that are the same the first stays that is not marked `\Deleted`.
    ///
    /// # Errors
    /// The disk's.
    pub fn doubles(&self) -> Result<Vec<Double>, StoreError> {
        let index = self.sync()?;
        let mut first: HashMap<Likeness, u32> = HashMap::with_capacity(index.messages.len());
        let mut doubles = Vec::new();
        let deleted = |flags: Flags| flags.contains(Flags::DELETED);
        let (marked, unmarked): (Vec<_>, Vec<_>) = index
            .messages
            .iter()
            .partition(|entry| deleted(entry.flags));
        for entry in unmarked.into_iter().chain(marked) {
            let likeness = match self.likeness(entry.uid) {
                Ok(likeness) => likeness,
                Err(StoreError::NoSuchMessage) => continue,
                Err(error) => return Err(error),
            };
            match first.get(&likeness) {
                Some(&of) => doubles.push(Double {
                    uid: entry.uid,
                    of,
                    octets: entry.size,
                }),
                None => {
                    first.insert(likeness, entry.uid);
                }
            }
        }
        doubles.sort_by_key(|double| double.uid);
        Ok(doubles)
    }

    /// Takes them out for good; what was done with one of them (read, answered, flagged, keywords) is then true of the one that stays.
    /// Returns how many there were still.
    ///
    /// # Errors
    /// The disk's.
    pub fn drop_doubles(&self, doubles: &[Double]) -> Result<usize, StoreError> {
        let index = self.sync()?;
        let flags_of = |uid: u32| {
            let at = index
                .messages
                .binary_search_by_key(&uid, |entry| entry.uid)
                .ok()?;
            Some(index.messages[at].flags)
        };
        let never = Flags::DELETED.union(Flags::DRAFT);
        let mut merged: HashMap<u32, Flags> = HashMap::new();
        for double in doubles {
            if let Some(flags) = flags_of(double.uid) {
                let all = merged.entry(double.of).or_default();
                *all = all.union(flags.without(never));
            }
        }
        let mut by_flags: HashMap<Flags, Vec<u32>> = HashMap::new();
        let mut gone = Vec::new();
        for (uid, flags) in merged {
            match flags_of(uid) {
                Some(old) if old.contains(flags) => {}
                Some(_) => by_flags.entry(flags).or_default().push(uid),
                // The one that was to stay has gone meanwhile: then its double is no double.
                None => gone.push(uid),
            }
        }
        for (flags, mut uids) in by_flags {
            uids.sort_unstable();
            self.change_flags(&uids, FlagChange::Add, flags)?;
        }
        let uids: Vec<u32> = doubles
            .iter()
            .filter(|double| !gone.contains(&double.of))
            .map(|double| double.uid)
            .collect();
        Ok(self.expunge(&uids)?.len())
    }
}
