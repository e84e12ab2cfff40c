//! Messages that are put into a mailbox by a client that wants to know their UIDs: APPEND and COPY.
//!
//! The files are whole in `tmp/`; they are given UIDs and names in `cur/` (`arrival`). Then, without locks, `cur/` is synced.

use std::sync::Arc;
use std::time::SystemTime;

use super::arrival::{Arrival, Enrolled};
use super::fs::hold;
use super::look::State;
use super::spool::{cannot_link, copy_file};
use super::{Durable, Flags, Mailbox, Spool, StoreError, names};
use crate::limits;

/// A whole message that is to be put into a mailbox.
#[derive(Debug)]
pub struct Incoming {
    /// Its octets.
    pub spool: Spool,
    /// With these flags.
    pub flags: Flags,
    /// INTERNALDATE, seconds since 1970; `None` for now.
    pub received: Option<i64>,
}

impl Mailbox {
    /// A spool for a message that will be appended here.
    pub fn spool(&self) -> Result<Spool, StoreError> {
        let place = self.place()?;
        let folder = self.folder(&place);
        let ready = self.shared.ready_folder(&place);
        ready
            .and_then(|()| Spool::create(&self.shared, &place))
            .map_err(|error| folder.blame(error))
    }

    /// Puts a whole message in: its UID, and that it is there for good. `received` is INTERNALDATE, seconds since 1970.
    pub fn append(
        &self,
        spool: Spool,
        flags: Flags,
        received: Option<i64>,
    ) -> Result<(u32, Durable), StoreError> {
        let incoming = Incoming {
            spool,
            flags,
            received,
        };
        let (uids, durable) = self.append_all(vec![incoming])?;
        match uids[..] {
            [uid] => Ok((uid, durable)),
            _ => Err(StoreError::NoSuchMessage),
        }
    }

    /// Puts whole messages in, all or none: their UIDs, and that they are there for good.
    pub fn append_all(
        &self,
        mut incoming: Vec<Incoming>,
    ) -> Result<(Vec<u32>, Durable), StoreError> {
        let mut arrivals = Vec::with_capacity(incoming.len());
        for Incoming {
            spool,
            flags,
            received,
        } in &mut incoming
        {
            let unsynced = spool.complete_soon(*received)?;
            arrivals.push(Arrival {
                unsynced,
                draft: spool.path.clone(),
                base: spool.name(),
                flags: *flags,
                guid: None,
                size: spool.size(),
                received: super::fs::Stat::of(&spool.file)?.seconds(),
            });
        }
        let (uids, durable) = self.admit(&arrivals)?;
        for one in &mut incoming {
            one.spool.has_moved();
        }
        Ok((uids, durable))
    }

    /// Copies messages to another mailbox (may be the same), flags, keywords and INTERNALDATE with them: pairs of old and new
    /// UID. All or none: `NoSuchMessage` when one of them is gone. Keywords for which `to` has no letter left are lost.
    pub fn copy(&self, uids: &[u32], to: &Self) -> Result<(Vec<(u32, u32)>, Durable), StoreError> {
        self.copy_with(uids, to, Flags(u32::MAX))
    }

    /// The same, and of the flags only those that are in `keep`; keywords are kept if any is.
    pub fn copy_with(
        &self,
        uids: &[u32],
        to: &Self,
        keep: Flags,
    ) -> Result<(Vec<(u32, u32)>, Durable), StoreError> {
        let target = to.place()?;
        self.shared
            .ready_folder(&target)
            .map_err(|error| to.folder(&target).blame(error))?;
        let keywords = match keep.without(Flags::SYSTEM) {
            Flags(0) => Vec::new(),
            _ => self.keywords_of(uids, to)?,
        };
        // Another program may have written the files and not synced them. Even where all is on disk, ext4 flushes the disk's
        // cache at each fsync (3 ms, measured), so that many are synced at once.
        let sync = if uids.len() > limits::SYNC_EACH {
            let place = self.place()?;
            self.shared.disk.sync_file_system(&place)?;
            SyncSource::Done
        } else {
            SyncSource::Each
        };
        let mut drafts = Drafts(self, Vec::new());
        for &uid in uids {
            let mut arrival = self.draft(uid, &target.join("tmp"), &keywords, sync)?;
            arrival.flags = Flags(arrival.flags.0 & (keep.0 | !Flags::SYSTEM.0));
            drafts.1.push(arrival);
        }
        let (new, durable) = to.admit(&drafts.1)?;
        drafts.1.clear();
        Ok((uids.iter().copied().zip(new).collect(), durable))
    }

    /// Which flag in `to` each keyword that these messages have becomes.
    fn keywords_of(&self, uids: &[u32], to: &Self) -> Result<Vec<(Flags, Flags)>, StoreError> {
        let index = Arc::clone(&hold(&self.state).index);
        let used = uids
            .iter()
            .filter_map(|uid| {
                let at = index.messages.binary_search_by_key(uid, |entry| entry.uid);
                at.ok().map(|at| index.messages[at].flags)
            })
            .fold(Flags::default(), Flags::union);
        let mut pairs = Vec::new();
        for (flag, name) in index.named_keywords() {
            if used.contains(flag)
                && let Some(there) = to.keyword(name)?
            {
                pairs.push((flag, there));
            }
        }
        Ok(pairs)
    }

    /// A second name for a message's file in a `tmp/`; a copy where there can be none.
    fn draft(
        &self,
        uid: u32,
        tmp: &std::path::Path,
        keywords: &[(Flags, Flags)],
        sync: SyncSource,
    ) -> Result<Arrival, StoreError> {
        let place = self.place()?;
        let folder = self.folder(&place);
        let disk = folder.disk();
        let unique = names::unique(SystemTime::now());
        let mut state = hold(&self.state);
        state.with_file(&folder, uid, |state, at| {
            let entry = &state.index.messages[at];
            let path = state.places[at].path(folder.path);
            let file = disk.open(&path)?;
            let stat = super::fs::Stat::of(&file)?;
            let base = format!("{unique},S={},W={}", stat.octets, entry.size);
            let draft = tmp.join(&base);
            if sync == SyncSource::Each {
                disk.sync_file(&file)?;
            }
            match disk.link(&path, &draft) {
                Err(error) if cannot_link(&error) => {
                    copy_file(disk, &path, &draft, Some(stat.seconds()))?;
                }
                linked => linked?,
            }
            let system = Flags(entry.flags.0 & Flags::SYSTEM.0);
            let flags = keywords
                .iter()
                .filter(|(here, _)| entry.flags.contains(*here))
                .fold(system, |flags, (_, there)| flags.union(*there));
            Ok(Arrival {
                unsynced: None,
                draft,
                base,
                flags,
                guid: state.record(uid).map(|record| record.guid().to_owned()),
                size: entry.size,
                received: stat.seconds(),
            })
        })
    }

    /// Gives UIDs and names to whole files; all or none.
    fn admit(&self, arrivals: &[Arrival]) -> Result<(Vec<u32>, Durable), StoreError> {
        let place = self.place()?;
        let folder = self.folder(&place);
        let disk = folder.disk();
        let octets = |arrival: &Arrival| names::octets(&arrival.base).unwrap_or(arrival.size);
        let (octets, count): (u64, u64) =
            (arrivals.iter().map(octets).sum(), arrivals.len() as u64);
        let quotas = &self.shared.quotas;
        quotas.admit(disk, self.home(), octets, count)?;
        let mut state = hold(&self.state);
        let take_back = |state: &mut State| {
            for arrival in arrivals {
                let _ = disk.unlink(&arrival.place(&state.keywords).path(folder.path));
            }
            state.stamps = None;
        };
        let mut uids = None;
        for _ in 0..ATTEMPTS {
            // What came before gets the lower UIDs.
            state.look(&folder)?;
            match state.enroll(&folder, arrivals) {
                Ok(Enrolled::Uids(given)) => {
                    uids = Some(given);
                    break;
                }
                Ok(Enrolled::ListHasChanged) => {}
                Err(error) => {
                    take_back(&mut state);
                    return Err(folder.blame(error));
                }
            }
        }
        let uids = uids.ok_or(StoreError::Busy)?;
        drop(state);
        self.tell_changed();
        match self.shared.commits.commit(disk, &folder.part("cur")) {
            Ok(durable) => {
                quotas.change(disk, self.home(), octets.cast_signed(), count.cast_signed());
                Ok((uids, durable))
            }
            Err(error) => {
                take_back(&mut hold(&self.state));
                Err(error.into())
            }
        }
    }
}

/// How often other programs may be faster with the list of UIDs, before the mailbox is called busy.
const ATTEMPTS: u32 = 100;

/// Whether the file that is copied must yet be synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SyncSource {
    Each,
    Done,
}

/// Drafts in a `tmp/` that go when they were not admitted; those that were have left it.
struct Drafts<'a>(&'a Mailbox, Vec<Arrival>);

impl Drop for Drafts<'_> {
    fn drop(&mut self) {
        for arrival in &self.1 {
            let _ = self.0.shared.disk.unlink(&arrival.draft);
        }
    }
}
