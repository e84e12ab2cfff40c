//! Looking at a folder: what is in `new/` and `cur/`, and which UID each message has.
//!
//! The order of things is what keeps UIDs right (RFC 3501 §2.3.1.1: never given twice, ascending in order of arrival):
//!
//! 1. `dovecot-uidlist` is read first: a message that has a UID there has a file, so a lower UID never turns up late. But
//!    the last one may be on its way to its name; then the lock is waited for, and all is read anew.
//! 2. `new/` is read and its messages are renamed into `cur/`; then `cur/` is read. Whatever moves meanwhile moves in
//!    that direction, or is missed once; so a message that was known and is not found is looked for a second time.
//! 3. Names without a UID get one under `dovecot-uidlist.lock`. When others have written the list meanwhile, both
//!    directories are read anew under the lock.
//! 4. `dovecot-uidlist` is on disk before anybody is shown a UID: otherwise a crash would give it to another message.
//!
//! All is skipped while the times of both directories are those of the last look - unless they were so young then that a
//! change in the same tick of the clock would not show. When only `new/` has changed, only it is read (`arrival`).

mod gather;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};
use std::time::SystemTime;

use super::alterations::Alterations;
use super::cache::{Cache, Cached};
use super::dates::NOT_ASKED;
use super::fs::{self, Disk, Stat};
use super::keywords::{self, Keywords};
use super::lock::DotLock;
use super::shared::Shared;
use super::uidlist::{self, UidList};
use super::{Entry, Index, StoreError, lines, names};
use crate::limits;

use gather::{Found, gather};

pub(super) use gather::{is_settled, sweep};

/// Where a message's file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It could not be moved on to `cur/`: a folder that we may only read.
    New,
    Cur,
}

/// A message's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) part: Part,
    /// With its flags.
    pub(super) name: Box<str>,
}

impl Place {
    pub(super) fn path(&self, folder: &Path) -> PathBuf {
        let part = match self.part {
            Part::New => "new",
            Part::Cur => "cur",
        };
        folder.join(part).join(&*self.name)
    }
}

/// One folder and what surrounds it, for the length of a call.
#[derive(Debug)]
pub(super) struct Folder<'a> {
    pub(super) shared: &'a Shared,
    pub(super) home: &'a Path,
    pub(super) path: &'a Path,
}

impl Folder<'_> {
    pub(super) fn disk(&self) -> &dyn Disk {
        &*self.shared.disk
    }
    pub(super) fn part(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
    fn stat_file(&self, name: &str) -> io::Result<Option<Stat>> {
        match self.disk().stat(&self.part(name)) {
            Ok(stat) => Ok(Some(stat)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
    /// Takes the lock under which UIDs and keywords are given.
    pub(super) fn lock(&self) -> io::Result<DotLock<'_>> {
        DotLock::acquire(self.disk(), &self.part(uidlist::FILE))
    }
    /// NotFound is said of the mailbox: it was deleted, here or by another program.
    pub(super) fn blame(&self, error: io::Error) -> StoreError {
        if error.kind() == io::ErrorKind::NotFound && self.disk().stat(self.path).is_err() {
            self.shared.forget_ready(self.path);
            return StoreError::NoSuchMailbox;
        }
        error.into()
    }
}

/// What tells that nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamps {
    pub(super) new: i128,
    pub(super) cur: i128,
    pub(super) list: Option<Stat>,
    pub(super) keywords: Option<Stat>,
}

/// What is known of a folder. Guarded by the mailbox's lock.
#[derive(Debug)]
pub(super) struct State {
    pub(super) list: UidList,
    pub(super) keywords: Keywords,
    /// `None` until the first look.
    pub(super) cache: Option<Cache>,
    pub(super) alterations: Alterations,
    /// `list` has no records yet, and there are no `places`: see `seal`.
    pub(super) is_sketch: bool,
    /// Who waits for the index that the first look finds.
    pub(super) promises: Vec<Weak<OnceLock<Arc<Index>>>>,
    /// What was read of the cache at the first look.
    pub(super) unused: Option<(Cache, Vec<Cached>)>,
    /// One a message of `index`, in its order.
    pub(super) places: Vec<Place>,
    pub(super) index: Arc<Index>,
    /// UIDs that nobody claimed yet, ascending.
    pub(super) recent: Vec<u32>,
    /// As they were at the last look; `None` asks for a look.
    pub(super) stamps: Option<Stamps>,
    /// `new/` was read late enough after its last change to have seen all of it.
    pub(super) new_settled: bool,
    /// The same of `cur/`.
    cur_settled: bool,
    /// When `cur/` was last read, nanoseconds since 1970.
    listed: i128,
    /// When we last changed it ourselves.
    changed: i128,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            list: UidList::default(),
            keywords: Keywords::default(),
            cache: None,
            alterations: Alterations::new(),
            is_sketch: false,
            promises: Vec::new(),
            unused: None,
            places: Vec::new(),
            index: Arc::new(Index {
                uid_validity: 0,
                uid_next: 1,
                messages: Vec::new(),
                keywords: Vec::new(),
                highest_modseq: 0,
            }),
            recent: Vec::new(),
            stamps: None,
            new_settled: false,
            cur_settled: false,
            listed: i128::MIN,
            changed: i128::MIN,
        }
    }

    /// Where the message of this UID stands in `index` and `places`.
    pub(super) fn position(&self, uid: u32) -> Option<usize> {
        self.index
            .messages
            .binary_search_by_key(&uid, |entry| entry.uid)
            .ok()
    }

    /// Looks at the folder if it may have changed. Afterwards `index` is what there is; a new one only when it differs.
    pub(super) fn look(&mut self, folder: &Folder<'_>) -> Result<(), StoreError> {
        let stamps = read_stamps(folder).map_err(|error| folder.blame(error))?;
        let now = fs::nanoseconds(SystemTime::now());
        if self.stamps.is_none() {
            sweep(folder, now);
            if self.cache.is_none() {
                self.recall(folder, stamps)
                    .map_err(|error| folder.blame(error))?;
            }
        }
        let all_but_new = Stamps {
            new: stamps.new,
            ..self.stamps.unwrap_or(NOTHING_SEEN)
        };
        if all_but_new == stamps && self.trusts_cur(now) {
            if self.stamps == Some(stamps) && self.new_settled {
                return Ok(());
            }
            if self.take_new(folder)? {
                return Ok(());
            }
        }
        self.look_anyway(folder)
    }

    /// Whether `cur/`, whose time is as we know it, need not be read: it can hold nothing that we have not seen; or it might,
    /// since we changed it ourselves at the same tick of the clock, but it was read so recently that doing so after each
    /// change of ours would take most of the time.
    fn trusts_cur(&self, now: i128) -> bool {
        let messages = self.index.messages.len() as i128;
        let pause = messages * limits::LISTING_PAUSE.as_nanos().cast_signed();
        let since = |then: i128| now.saturating_sub(then);
        let most = pause + limits::LISTING_WAIT.as_nanos().cast_signed();
        self.cur_settled
            || (0..pause).contains(&since(self.listed))
            || ((0..pause).contains(&since(self.changed))
                && (0..most).contains(&since(self.listed)))
    }

    /// Whether all that there is was seen.
    pub(super) const fn is_settled(&self) -> bool {
        self.new_settled && self.cur_settled
    }

    /// All that there is was seen, but for what may be in `new/`.
    pub(super) fn seen_settled(&mut self, is_new_known: bool) {
        if let (false, Some(stamps)) = (is_new_known, &mut self.stamps) {
            stamps.new = i128::MIN;
        }
        self.new_settled = is_new_known;
        self.cur_settled = true;
    }

    /// As [`Self::look`], whatever the times say: a file was not where it should be.
    pub(super) fn look_anyway(&mut self, folder: &Folder<'_>) -> Result<(), StoreError> {
        self.look_again(folder).map_err(|error| {
            // What was given may not be on disk: all is read again.
            self.stamps = None;
            folder.blame(error)
        })
    }

    /// After a change of our own in `cur/`, which began when its time was `before`: spares the next look, when nobody
    /// else changed anything before.
    pub(super) fn changed_cur(&mut self, folder: &Folder<'_>, before: io::Result<Stat>) {
        let after = folder.disk().stat(&folder.part("cur"));
        self.cur_settled = false;
        self.changed = fs::nanoseconds(SystemTime::now());
        match (&mut self.stamps, before, after) {
            (Some(stamps), Ok(before), Ok(after)) if stamps.cur == before.modified => {
                stamps.cur = after.modified;
            }
            _ => self.stamps = None,
        }
    }

    pub(super) fn look_again(&mut self, folder: &Folder<'_>) -> io::Result<()> {
        // The list before the files: whoever has a UID in it is there, and will be found.
        self.read_list(folder)?;
        self.read_keywords(folder)?;
        let (mut cache, cached) = match self.cache.take() {
            Some(cache) => (cache, Vec::new()),
            None if let Some(read) = self.unused.take()
                && read.0.validity() == self.list.validity =>
            {
                read
            }
            None => Cache::read(folder, self.list.validity),
        };
        let rebuilt = self.look_for_files(folder, &mut cache, &cached);
        // When not all went well, the first look is yet to come.
        if rebuilt.is_ok() || cached.is_empty() {
            self.cache = Some(cache);
        }
        rebuilt
    }

    fn look_for_files(
        &mut self,
        folder: &Folder<'_>,
        cache: &mut Cache,
        cached: &[Cached],
    ) -> io::Result<()> {
        let mut found = gather(folder)?;
        let lost = |place: &Place| !found.files.contains_key(names::base(&place.name));
        if self.places.iter().any(lost) {
            found = found.and_again(folder)?;
        }
        let on_its_way = self.last_is_on_its_way(&found.files);
        if on_its_way || self.needs_writing(&found.files) {
            let lock = folder.lock()?;
            if on_its_way || !self.knows_list(folder)? {
                // Another program has given UIDs, perhaps to files that came after we had looked. Now it cannot.
                self.read_list(folder)?;
                found = found.and_again(folder)?;
            }
            if self.needs_writing(&found.files) {
                self.give_uids(folder, &found.files)?;
            }
            drop(lock);
        }
        let stamps = self.stamps.get_or_insert(NOTHING_SEEN);
        stamps.new = found.new;
        stamps.cur = found.cur;
        self.new_settled = found.new_settled;
        self.cur_settled = found.cur_settled;
        self.listed = found.listed;
        let times = (found.new, found.cur);
        self.rebuild(folder, &mut found, cache, cached);
        if self.is_settled() {
            self.seal(folder, cache, times);
        }
        Ok(())
    }

    /// Reads `dovecot-uidlist` if it is not as we know it.
    pub(super) fn read_list(&mut self, folder: &Folder<'_>) -> io::Result<()> {
        let stat = folder.stat_file(uidlist::FILE)?;
        let is_known = self.stamps.is_some_and(|stamps| stamps.list == stat);
        if stat.is_some() && is_known && !self.is_sketch {
            return Ok(());
        }
        let read = fs::read_whole(folder.disk(), &folder.part(uidlist::FILE))?;
        let mut list = UidList::parse(read.as_ref().map_or(&[][..], |(bytes, _)| bytes));
        if list.validity == self.list.validity {
            // Whatever happened to the file: what we gave once is not given again.
            list.may_append &= list.next >= self.list.next;
            list.next = list.next.max(self.list.next);
        } else if list.validity == 0 && self.list.validity != 0 {
            // The file was removed or ruined under us; we still know what it said.
            list = UidList {
                may_append: false,
                ..std::mem::take(&mut self.list)
            };
        }
        self.list = list;
        self.note_list(read.map(|(_, stat)| stat));
        Ok(())
    }

    /// Whether nobody has written `dovecot-uidlist` since we read or wrote it.
    pub(super) fn knows_list(&self, folder: &Folder<'_>) -> io::Result<bool> {
        let stat = folder.stat_file(uidlist::FILE)?;
        Ok(self.stamps.is_some_and(|stamps| stamps.list == stat))
    }

    fn note_list(&mut self, stat: Option<Stat>) {
        let stamps = self.stamps.get_or_insert(NOTHING_SEEN);
        stamps.list = stat;
    }

    pub(super) fn read_keywords(&mut self, folder: &Folder<'_>) -> io::Result<()> {
        let stat = folder.stat_file(keywords::FILE)?;
        if stat.is_some() && self.stamps.is_some_and(|stamps| stamps.keywords == stat) {
            return Ok(());
        }
        let read = fs::read_whole(folder.disk(), &folder.part(keywords::FILE))?;
        self.keywords = Keywords::parse(read.as_ref().map_or(&[][..], |(bytes, _)| bytes));
        let stamps = self.stamps.get_or_insert(NOTHING_SEEN);
        stamps.keywords = read.map(|(_, stat)| stat);
        Ok(())
    }

    /// Whether the message with the highest UID is new to us and has no file: it was removed already, or another program
    /// holds the lock and is about to give it its name (`arrival` does it in this order, and the last one last).
    fn last_is_on_its_way(&self, files: &HashMap<Box<str>, Place>) -> bool {
        self.list.records.last().is_some_and(|record| {
            record.uid >= self.index.uid_next && !files.contains_key(&record.base)
        })
    }

    /// Whether a message has no UID yet, or no size, or the mailbox no UIDVALIDITY.
    fn needs_writing(&self, files: &HashMap<Box<str>, Place>) -> bool {
        let known = self
            .list
            .records
            .iter()
            .filter(|record| files.contains_key(&record.base));
        let complete = known.filter(|record| names::size(&record.base).or(record.size()).is_some());
        let on_disk = self.stamps.is_some_and(|stamps| stamps.list.is_some());
        !on_disk || self.list.validity == 0 || complete.count() < files.len()
    }

    /// Gives UIDs to names that have none, in order of arrival, and puts the list, which must be locked, on disk.
    fn give_uids(
        &mut self,
        folder: &Folder<'_>,
        files: &HashMap<Box<str>, Place>,
    ) -> io::Result<()> {
        let mut known = HashSet::new();
        for record in &mut self.list.records {
            let Some((base, place)) = files.get_key_value(&record.base) else {
                continue;
            };
            known.insert(&**base);
            if names::size(base).or(record.size()).is_none() {
                let size = count(folder, place);
                record.fields = format!("W{size} {}", record.fields).trim_end().into();
                self.list.may_append = false;
            }
        }
        let files_there = files.iter().map(|(base, place)| (&**base, place));
        let mut unknown: Vec<(&str, &Place)> = files_there
            .filter(|(base, _)| !known.contains(base))
            .collect();
        unknown.sort_by_cached_key(|(base, _)| names::arrival(base));
        let first = self.list.records.len();
        for (base, place) in unknown {
            let size = names::size(base).is_none().then(|| count(folder, place));
            self.give(folder, base, size)?;
        }
        let present = files.len();
        if self.list.records.len() > present * 2 + 200 {
            self.list
                .records
                .retain(|record| files.contains_key(&record.base));
            self.list.may_append = false;
        }
        self.write_list(folder, first, std::iter::empty())
    }

    /// Gives a UID; when there are none left, all messages get new ones under a new UIDVALIDITY. The list must be locked,
    /// and written afterwards.
    pub(super) fn give(
        &mut self,
        folder: &Folder<'_>,
        base: &str,
        size: Option<u64>,
    ) -> io::Result<u32> {
        if let Some(uid) = self.list.give(base, size) {
            return Ok(uid);
        }
        self.list.validity = 0;
        self.list.may_append = false;
        for (record, uid) in self.list.records.iter_mut().zip(1..) {
            record.uid = uid;
            self.list.next = uid + 1;
        }
        self.recent.clear();
        log::warn!("{:?}: out of UIDs, all messages get new ones", folder.path);
        let given = self.list.give(base, size);
        given.ok_or_else(|| io::Error::other("a mailbox of 2^32 messages"))
    }

    /// Puts the records from `first` on, which are new, on disk: appended, or with the whole list. It must be locked. What is in
    /// the files of `with` is on disk then too.
    pub(super) fn write_list<'f>(
        &mut self,
        folder: &Folder<'_>,
        first: usize,
        mut with: impl Iterator<Item = &'f File>,
    ) -> io::Result<()> {
        let disk = folder.disk();
        let path = folder.part(uidlist::FILE);
        if self.list.validity == 0 {
            let validity = folder.shared.next_validity(folder.home);
            self.list.validity = validity.map_err(|error| match error {
                StoreError::Io(error) => error,
                other => io::Error::other(other),
            })?;
            self.list.may_append = false;
        }
        if self.list.guid.is_empty() {
            self.list.guid = new_guid();
            self.list.may_append = false;
        }
        let new = self.list.records.get(first..).unwrap_or_default();
        let stat = if self.list.may_append {
            let file = disk.open_to_append(&path)?;
            disk.write(&file, uidlist::render_lines(new).as_bytes())?;
            // What is written before the first of these waits is in the same commit as what it waits for.
            disk.begin_sync(&file, 0, 0);
            with.try_for_each(|file| disk.sync_file(file))?;
            disk.sync_file(&file)?;
            Stat::of(&file)?
        } else {
            with.try_for_each(|file| disk.sync_file(file))?;
            let whole = self.list.render();
            fs::replace(disk, &folder.part("tmp"), &path, whole.as_bytes())?
        };
        self.list.may_append = true;
        self.note_list(Some(stat));
        Ok(())
    }

    /// Makes `places` and `index` of what was found.
    fn rebuild(
        &mut self,
        folder: &Folder<'_>,
        found: &mut Found,
        cache: &mut Cache,
        cached: &[Cached],
    ) {
        if cache.validity() != self.list.validity {
            cache.begin(self.list.validity);
        }
        let modseq = cache.next();
        let known = self.keywords.known();
        let old = Arc::clone(&self.index);
        let same_validity = old.uid_validity == self.list.validity;
        let since = |same: bool, before: u64| if same { before } else { modseq };
        let mut cached_rest = cached.iter().peekable();
        let mut cached_as = |uid: u32| {
            while cached_rest.next_if(|cached| cached.uid < uid).is_some() {}
            cached_rest.next_if(|cached| cached.uid == uid)
        };
        let mut places = Vec::with_capacity(found.files.len());
        let mut messages = Vec::with_capacity(found.files.len());
        for record in &self.list.records {
            let Some(place) = found.files.remove(&record.base) else {
                continue;
            };
            let before = self
                .position(record.uid)
                .filter(|&at| {
                    let place = self.places.get(at);
                    let is_same = |place: &Place| names::base(&place.name) == &*record.base;
                    // A sketch has no names.
                    same_validity && place.is_none_or(is_same)
                })
                .map(|at| &old.messages[at]);
            let flags = super::Flags(names::flags(&place.name).0 & known.0);
            let entry = match before {
                Some(entry) => Entry {
                    flags,
                    modseq: since(flags == entry.flags, entry.modseq),
                    ..entry.clone()
                },
                None if let Some(entry) = cached_as(record.uid) => Entry {
                    uid: record.uid,
                    flags,
                    size: names::size(&record.base)
                        .or(record.size())
                        .unwrap_or(entry.size),
                    received: entry.received,
                    modseq: since(flags == entry.flags, entry.modseq),
                },
                None => Entry {
                    uid: record.uid,
                    flags,
                    // Whoever is in the list without a size was counted, or could not be read.
                    size: names::size(&record.base).or(record.size()).unwrap_or(0),
                    received: NOT_ASKED,
                    modseq,
                },
            };
            if entry.modseq == modseq {
                cache.changed(&entry);
            }
            if found.moved.contains(&record.base) {
                self.recent.push(record.uid);
            }
            places.push(place);
            messages.push(entry);
        }
        let present = |uid: &u32| {
            messages
                .binary_search_by_key(uid, |entry: &Entry| entry.uid)
                .is_ok()
        };
        let before = old.messages.iter().map(|entry| entry.uid);
        let gone: Vec<u32> = before
            .filter(|_| same_validity)
            .chain(cached.iter().map(|cached| cached.uid))
            .filter(|uid| !present(uid))
            .collect();
        if !gone.is_empty() {
            cache.removed(modseq, &gone);
        }
        self.recent.retain(present);
        self.recent.sort_unstable();
        self.recent.dedup();
        self.places = places;
        self.is_sketch = false;
        let index = Index {
            uid_validity: self.list.validity,
            uid_next: self.list.next,
            messages,
            keywords: self.keywords.shown().map(str::to_owned).collect(),
            highest_modseq: cache.highest(),
        };
        cache.write(folder, &index);
        if *old != index {
            self.alterations.learn(&old, &index);
            self.index = Arc::new(index);
        }
    }
}

pub(super) fn read_stamps(folder: &Folder<'_>) -> io::Result<Stamps> {
    Ok(Stamps {
        new: folder.disk().stat(&folder.part("new"))?.modified,
        cur: folder.disk().stat(&folder.part("cur"))?.modified,
        list: folder.stat_file(uidlist::FILE)?,
        keywords: folder.stat_file(keywords::FILE)?,
    })
}

/// Octets with CRLF line ends of a file whose name does not say so.
fn count(folder: &Folder<'_>, place: &Place) -> u64 {
    let path = place.path(folder.path);
    let counted = folder.disk().open(&path).and_then(lines::count_crlf);
    counted.unwrap_or_else(|error| {
        log::warn!("{path:?} cannot be read: {error}");
        0
    })
}

/// 128 bits that no other mailbox has: it must be unique, not secret.
fn new_guid() -> String {
    let half = || {
        use std::hash::BuildHasher;
        std::hash::RandomState::new().hash_one(names::unique(SystemTime::now()))
    };
    format!("{:016x}{:016x}", half(), half())
}

/// Times that no directory has.
const NOTHING_SEEN: Stamps = Stamps {
    new: i128::MIN,
    cur: i128::MIN,
    list: None,
    keywords: None,
};
