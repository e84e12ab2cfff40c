//! Arrivals: whole files that are given UIDs, and names in `cur/`.
//!
//! The order, under the mailbox's lock and `dovecot-uidlist.lock`: UIDs are given; the list of UIDs is on disk, and with it what
//! short files hold (one commit of the file system's journal does for both); the files get their names, in the order of their UIDs. A crash in between leaves UIDs that nobody has, or messages that nobody was
//! promised, never a UID that means something else.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::fs;
use super::keywords::Keywords;
use super::look::{Folder, Part, Place, State, is_settled};
use super::{Entry, Flags, Index, StoreError, names};

/// A whole message, about to get its UID and its name.
pub(super) struct Arrival {
    /// The file, if it is not synced yet.
    pub(super) unsynced: Option<Arc<File>>,
    /// Where it is.
    pub(super) draft: PathBuf,
    pub(super) base: String,
    pub(super) flags: Flags,
    /// Of what it is a copy.
    pub(super) guid: Option<String>,
    /// Octets with CRLF line ends.
    pub(super) size: u64,
    /// INTERNALDATE, seconds since 1970.
    pub(super) received: i64,
}

/// What became of arrivals.
pub(super) enum Enrolled {
    /// They are in `cur/` and in the index, with these UIDs.
    Uids(Vec<u32>),
    /// Nothing: another program has written the list of UIDs. Look, and try again.
    ListHasChanged,
}

impl Arrival {
    /// Where it will be.
    pub(super) fn place(&self, keywords: &Keywords) -> Place {
        Place {
            part: Part::Cur,
            name: names::with_flags(&self.base, self.flags, keywords.known()).into(),
        }
    }
}

impl State {
    /// Gives UIDs and names to whole files, which are the next in the mailbox. After an error some may have their names.
    pub(super) fn enroll(
        &mut self,
        folder: &Folder<'_>,
        arrivals: &[Arrival],
    ) -> io::Result<Enrolled> {
        let disk = folder.disk();
        self.fill_in(folder)?;
        let lock = folder.lock()?;
        if !self.knows_list(folder)? {
            return Ok(Enrolled::ListHasChanged);
        }
        let validity = self.list.validity;
        let first = self.list.records.len();
        for arrival in arrivals {
            self.give(folder, &arrival.base, None)?;
            if let (Some(guid), Some(record)) = (&arrival.guid, self.list.records.last_mut()) {
                record.fields = format!("G{guid}").into();
            }
        }
        let unsynced = arrivals
            .iter()
            .filter_map(|arrival| arrival.unsynced.as_deref());
        if let Err(error) = self.write_list(folder, first, unsynced) {
            // The file may hold part of it: what it says is read anew.
            self.stamps = None;
            return Err(error);
        }
        let new = self.list.records.get(first..).unwrap_or_default();
        let uids: Vec<u32> = new.iter().map(|record| record.uid).collect();
        let before = disk.stat(&folder.part("cur"));
        let mut places: Vec<Place> = Vec::with_capacity(arrivals.len());
        for arrival in arrivals {
            let place = arrival.place(&self.keywords);
            if let Err(error) = disk.rename(&arrival.draft, &place.path(folder.path)) {
                self.stamps = None;
                return Err(error);
            }
            places.push(place);
        }
        drop(lock);
        if self.list.validity != validity {
            // All UIDs were used up, and all messages have new ones.
            self.look_again(folder)?;
            return Ok(Enrolled::Uids(uids));
        }
        let known = self.keywords.known();
        let modseq = self.next_modseq();
        let mut index = Index::clone(&self.index);
        index.uid_next = self.list.next;
        for (arrival, &uid) in arrivals.iter().zip(&uids) {
            index.messages.push(Entry {
                uid,
                flags: Flags(arrival.flags.0 & known.0),
                size: arrival.size,
                received: arrival.received,
                modseq,
            });
        }
        let all = index.messages.len();
        let new = all - arrivals.len()..all;
        self.places.append(&mut places);
        self.recent.extend(&uids);
        self.remember(folder, &mut index, new);
        self.index = Arc::new(index);
        self.changed_cur(folder, before);
        Ok(Enrolled::Uids(uids))
    }

    /// Takes in what came into `new/` while nothing else changed. `false`: it takes a look at everything.
    pub(super) fn take_new(&mut self, folder: &Folder<'_>) -> Result<bool, StoreError> {
        // Read until nothing more is moved out of it, so that its time is not our own doing; not for ever.
        for _ in 0..3 {
            let now = fs::nanoseconds(SystemTime::now());
            let stat = folder.disk().stat(&folder.part("new"));
            let new = stat.map_err(|error| folder.blame(error))?.modified;
            let Some(arrivals) = self.arrivals(folder)? else {
                return Ok(false);
            };
            if arrivals.is_empty() {
                let Some(stamps) = &mut self.stamps else {
                    return Ok(false);
                };
                stamps.new = new;
                self.new_settled = is_settled(new, now);
                return Ok(true);
            }
            match self.enroll(folder, &arrivals) {
                Ok(Enrolled::Uids(_)) => {}
                Ok(Enrolled::ListHasChanged) => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(error.into()),
                // Another program was faster, or the folder may not be written to.
                Err(_) => return Ok(false),
            }
        }
        Ok(true)
    }

    /// What is in `new/`, in order of arrival; `None` when there is something unusual about it.
    fn arrivals(&mut self, folder: &Folder<'_>) -> Result<Option<Vec<Arrival>>, StoreError> {
        let disk = folder.disk();
        let new = folder.part("new");
        let mut names = disk.list(&new).map_err(|error| folder.blame(error))?;
        names.retain(|name| !name.starts_with('.'));
        if !names.is_empty() {
            self.fill_in(folder).map_err(|error| folder.blame(error))?;
        }
        names.sort_by(|one, other| names::arrival(one).cmp(&names::arrival(other)));
        let mut arrivals = Vec::with_capacity(names.len());
        for name in &names {
            let draft = new.join(name);
            let (Some(size), Ok(stat)) = (names::size(name), disk.stat(&draft)) else {
                return Ok(None);
            };
            if names::base(name) != name {
                return Ok(None);
            }
            arrivals.push(Arrival {
                unsynced: None,
                draft,
                base: name.clone(),
                flags: Flags::default(),
                guid: None,
                size,
                received: stat.seconds(),
            });
        }
        let bases: HashSet<&str> = names.iter().map(String::as_str).collect();
        let is_known = |base: &str| bases.contains(base);
        let known = !bases.is_empty() && self.list.records.iter().any(|r| is_known(&r.base));
        Ok((!known).then_some(arrivals))
    }
}
