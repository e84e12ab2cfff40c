//! A mailbox: one Maildir folder, shared by all sessions that have it open.
//!
//! It can be changed at any time by other programs (Dovecot, mutt, `rm`). What is known of it is therefore always a past
//! look: a file that is not where it was is looked for again by the base of its name, and is gone only when that fails.
//! One lock a mailbox; it is never held together with another mailbox's.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use super::digests::Ledger;
use super::fs::{self, Extent, hold};
use super::look::{Folder, Part, Place, State};
use super::shared::Shared;
use super::vigil::Mark;
use super::{Entry, FlagChange, Flags, Index, StoreError, folders, keywords, lines, names};
use crate::limits;

/// A mailbox, shared by all sessions that have it open.
#[derive(Debug)]
pub struct Mailbox {
    number: u64,
    pub(super) shared: Arc<Shared>,
    home: Arc<Path>,
    /// Renaming moves it; deleted, it has none.
    place: Mutex<Option<Arc<Path>>>,
    pub(super) state: Mutex<State>,
    /// Who waits for it, and will not keep it for long.
    waiting: AtomicUsize,
    /// Never held while `state` is waited for.
    pub(super) ledger: Mutex<Ledger>,
}

impl Mailbox {
    pub(super) fn new(number: u64, shared: Arc<Shared>, home: &Path, place: &Path) -> Self {
        Self {
            number,
            shared,
            home: home.into(),
            place: Mutex::new(Some(place.into())),
            state: Mutex::new(State::new()),
            waiting: AtomicUsize::new(0),
            ledger: Mutex::default(),
        }
    }

    /// Looks at the directories, gives UIDs to what is new, and returns what there is now. Cheap when nothing changed: the
    /// same `Arc` again.
    pub fn sync(&self) -> Result<Arc<Index>, StoreError> {
        let place = self.place()?;
        let mut state = self.state();
        let before = Arc::clone(&state.index);
        state.look(&self.folder(&place))?;
        let index = Arc::clone(&state.index);
        drop(state);
        if !Arc::ptr_eq(&before, &index) {
            self.tell_changed();
        }
        Ok(index)
    }

    /// Messages that nobody claimed yet become the caller's `\Recent` ones (RFC 3501 §2.3.2): ascending UIDs.
    pub fn claim_recent(&self) -> Vec<u32> {
        std::mem::take(&mut self.state().recent)
    }
    /// What [`Self::claim_recent`] would give, and stays for it to give.
    pub fn recent(&self) -> Vec<u32> {
        self.state().recent.clone()
    }

    /// A message's text with CRLF line ends, whoever wrote the file. Found again when another program renamed it.
    pub fn read(&self, uid: u32) -> Result<Vec<u8>, StoreError> {
        let (file, entry) = self.open(uid)?;
        let mut text = Vec::with_capacity(usize::try_from(entry.size).unwrap_or(0).min(1 << 20));
        file.take(limits::FOREIGN_MESSAGE + 1)
            .read_to_end(&mut text)?;
        if text.len() as u64 > limits::FOREIGN_MESSAGE {
            let why = "a message of more than 512 MiB, which another program put here";
            return Err(StoreError::Io(io::Error::other(why)));
        }
        lines::hide_nul(&mut text);
        Ok(lines::to_crlf(text))
    }

    /// Appends to `out` what [`Self::read`] gives, after what `head` writes of how many octets it is. After an error `out` is as it was.
    pub fn read_onto(
        &self,
        uid: u32,
        out: &mut Vec<u8>,
        head: impl Fn(&mut Vec<u8>, u64),
    ) -> Result<(), StoreError> {
        let (file, entry) = self.open(uid)?;
        let before = out.len();
        head(out, entry.size);
        let from = out.len();
        // A name can say anything.
        let octets = entry.size.min(limits::IMAP_EXTENT) as usize;
        if let Err(error) = fs::append_start(&file, octets + 1, out) {
            out.truncate(before);
            return Err(error.into());
        }
        let read = out.len() - from;
        if read as u64 == entry.size {
            // CRLF line ends throughout are when counting them as CRLF adds nothing.
            lines::hide_nul(&mut out[from..]);
            return Ok(());
        }
        let text = match read < octets {
            // That was all of the file.
            true => {
                let mut text = out.split_off(from);
                lines::hide_nul(&mut text);
                lines::to_crlf(text)
            }
            false => {
                out.truncate(before);
                self.read(uid)?
            }
        };
        out.truncate(before);
        head(out, text.len() as u64);
        out.extend_from_slice(&text);
        Ok(())
    }

    /// The message as it will be sent, when its file has CRLF line ends already; `None` when it must be [`Self::read`].
    pub fn extent(&self, uid: u32) -> Result<Option<Extent>, StoreError> {
        let (file, entry) = self.open(uid)?;
        // CRLF line ends throughout are when counting them as CRLF adds nothing.
        let same = file.metadata()?.len() == entry.size;
        Ok(same.then(|| Extent::new(Arc::new(file), 0, entry.size)))
    }

    /// Changes the flags of `uids` (ascending); those that are gone are passed over.
    ///
    /// [`FlagChange::Replace`] leaves [`Flags::PASSED`] as it is: it has no name in IMAP, so no client means it.
    pub fn change_flags(
        &self,
        uids: &[u32],
        change: FlagChange,
        flags: Flags,
    ) -> Result<Arc<Index>, StoreError> {
        let all = u64::MAX;
        let (index, _) = self.change_flags_unless(uids, change, flags, all)?;
        Ok(index)
    }

    /// The same, but for messages that have changed since `modseq`, which are left alone: and which those are (RFC 7162 §3.1.3). To
    /// have other flags now than those to be added or removed is no change (§3.1.12).
    pub fn change_flags_unless(
        &self,
        uids: &[u32],
        change: FlagChange,
        flags: Flags,
        modseq: u64,
    ) -> Result<(Arc<Index>, Vec<u32>), StoreError> {
        let place = self.place()?;
        let folder = self.folder(&place);
        if modseq != u64::MAX {
            // Also by another program, just now.
            hold(&self.state).look(&folder)?;
        }
        let mut modified = Vec::new();
        let mut is_changed = false;
        let mut rest = uids;
        while !rest.is_empty() {
            let mut state = hold(&self.state);
            let (some, done) =
                state.change_flags(&folder, rest, change, flags, modseq, &mut modified)?;
            drop(state);
            is_changed |= some;
            rest = &rest[done..];
            self.let_others(rest);
        }
        if is_changed {
            self.tell_changed();
        }
        Ok((Arc::clone(&hold(&self.state).index), modified))
    }

    /// Whoever waits for the mailbox has it before `rest` is done: who lets go of a lock and takes it again is mostly faster than
    /// they wake up. Not for ever, for there may be many.
    fn let_others(&self, rest: &[u32]) {
        let begun = Instant::now();
        while !rest.is_empty()
            && self.waiting.load(Ordering::Relaxed) > 0
            && begun.elapsed() < limits::LOCK_WAIT
        {
            std::thread::sleep(limits::LOCK_PAUSE);
        }
    }

    /// What is known of it, for a short time: whoever does long work lets those go first who wait here.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let state = hold(&self.state);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        state
    }

    /// The flag that stands for keyword `name`, which joins the mailbox's list; `None` when all 26 are taken, or when it is
    /// no keyword (empty, with spaces or control characters).
    pub fn keyword(&self, name: &str) -> Result<Option<Flags>, StoreError> {
        if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Ok(None);
        }
        let place = self.place()?;
        let folder = self.folder(&place);
        let mut state = hold(&self.state);
        state.read_keywords(&folder)?;
        if let Some(flag) = state.keywords.find(name) {
            return Ok(Some(flag));
        }
        let lock = folder.lock().map_err(|error| folder.blame(error))?;
        state.read_keywords(&folder)?;
        let flag = state.keywords.find(name);
        let Some(flag) = flag.or_else(|| state.keywords.add(name)) else {
            return Ok(None);
        };
        let path = folder.part(keywords::FILE);
        let old = folder.disk().stat(&path).ok();
        let text = state.keywords.render();
        let new = fs::replace(folder.disk(), &folder.part("tmp"), &path, text.as_bytes())?;
        if let Some(old) = old.filter(|old| old.seconds() >= new.seconds()) {
            // QUIRK: Dovecot tells a changed list by the whole seconds of its time.
            let file = folder.disk().open(&path)?;
            folder.disk().set_modified(&file, old.seconds() + 1)?;
        }
        drop(lock);
        // Letters that had no name until now have one.
        state.look_anyway(&folder)?;
        Ok(Some(flag))
    }

    /// Removes messages for good; returns those that were there.
    pub fn expunge(&self, uids: &[u32]) -> Result<Vec<u32>, StoreError> {
        let place = self.place()?;
        let folder = self.folder(&place);
        let mut gone = Vec::new();
        let mut rest = uids;
        while !rest.is_empty() {
            let (removed, octets, error, done) = hold(&self.state).unlink(&folder, rest);
            rest = &rest[done..];
            let messages = removed.len() as i64;
            let quotas = &self.shared.quotas;
            quotas.change(folder.disk(), &self.home, -octets.cast_signed(), -messages);
            gone.extend(removed);
            if let Some(error) = error {
                self.tell_changed();
                return Err(error);
            }
            self.let_others(rest);
        }
        if gone.is_empty() {
            return Ok(gone);
        }
        gone.sort_unstable();
        self.tell_changed();
        self.shared
            .commits
            .commit(folder.disk(), &folder.part("cur"))?;
        Ok(gone)
    }

    /// Its messages are not what they were.
    pub(super) fn tell_changed(&self) {
        self.shared.hub.changed(self.number);
        let name = || folders::name_at(&self.home, &self.place().ok()?).map(Mark::Mailbox);
        self.shared.hub.mark(&self.home, name);
    }
    /// What tells it from all other mailboxes that are open.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }
    /// How many messages it has; `None` while somebody works in it.
    pub(super) fn weight(&self) -> Option<usize> {
        self.state
            .try_lock()
            .ok()
            .map(|state| state.index.messages.len())
    }
    /// Renamed, or deleted.
    pub(super) fn move_to(&self, place: Option<&Path>) {
        *hold(&self.place) = place.map(Into::into);
    }
    pub(super) fn home(&self) -> &Path {
        &self.home
    }
    pub(super) fn place(&self) -> Result<Arc<Path>, StoreError> {
        hold(&self.place).clone().ok_or(StoreError::NoSuchMailbox)
    }
    pub(super) fn folder<'a>(&'a self, place: &'a Path) -> Folder<'a> {
        Folder {
            shared: &self.shared,
            home: &self.home,
            path: place,
        }
    }

    pub(super) fn open(&self, uid: u32) -> Result<(File, Entry), StoreError> {
        let place = self.place()?;
        let folder = self.folder(&place);
        let mut state = self.state();
        if state.stamps.is_none() {
            state.look(&folder)?;
        }
        state.with_file(&folder, uid, |state, at| {
            let file = folder.disk().open(&state.places[at].path(folder.path))?;
            Ok((file, state.index.messages[at].clone()))
        })
    }
}

impl State {
    /// Does something to a message's file. When the file is not where it was, looks for it, and tries again.
    pub(super) fn with_file<T>(
        &mut self,
        folder: &Folder<'_>,
        uid: u32,
        mut action: impl FnMut(&mut Self, usize) -> io::Result<T>,
    ) -> Result<T, StoreError> {
        self.fill_in(folder).map_err(|error| folder.blame(error))?;
        // A file that another program renames again and again is not chased for ever.
        for _ in 0..4 {
            let at = self.position(uid).ok_or(StoreError::NoSuchMessage)?;
            match action(self, at) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.look_anyway(folder)?
                }
                done => return Ok(done?),
            }
        }
        Err(StoreError::NoSuchMessage)
    }

    /// Renames the files of messages whose flags change, for [`limits::LOCK_HELD`]: whether there were any, and how many of `uids` are
    /// done. Those that changed after `modseq` are added to `modified`, and left alone.
    fn change_flags(
        &mut self,
        folder: &Folder<'_>,
        uids: &[u32],
        change: FlagChange,
        flags: Flags,
        modseq: u64,
        modified: &mut Vec<u32>,
    ) -> Result<(bool, usize), StoreError> {
        let begun = Instant::now();
        let mut done = 0;
        let known = self.keywords.known();
        let cur = folder.part("cur");
        let before = folder.disk().stat(&cur);
        let mut changed = Vec::new();
        for &uid in uids {
            if done % LOOKS_AT_CLOCK == LOOKS_AT_CLOCK - 1 && begun.elapsed() >= limits::LOCK_HELD {
                break;
            }
            done += 1;
            let renamed = self.with_file(folder, uid, |state, at| {
                let entry = &state.index.messages[at];
                if entry.modseq > modseq
                    && (change == FlagChange::Replace
                        || state.alterations.any_of(flags, uid, modseq))
                {
                    modified.push(uid);
                    return Ok(());
                }
                let new = change.apply(entry.flags, flags);
                if new == entry.flags {
                    return Ok(());
                }
                let old = &state.places[at];
                let name = names::with_flags(&old.name, new, known);
                let from = match old.part {
                    Part::Cur => cur.join(&*old.name),
                    Part::New => old.path(folder.path),
                };
                folder.disk().rename(&from, &cur.join(&name))?;
                state.places[at] = Place {
                    part: Part::Cur,
                    name: name.into(),
                };
                changed.push((uid, Flags(new.0 & known.0)));
                Ok(())
            });
            match renamed {
                Err(StoreError::NoSuchMessage) => {}
                other => other?,
            }
        }
        if changed.is_empty() {
            return Ok((false, done));
        }
        let modseq = self.next_modseq();
        let mut index = Index::clone(&self.index);
        let mut places = Vec::with_capacity(changed.len());
        for (uid, flags) in changed {
            if let Ok(at) = index.messages.binary_search_by_key(&uid, |entry| entry.uid) {
                index.messages[at].flags = flags;
                index.messages[at].modseq = modseq;
                places.push(at);
            }
        }
        self.remember(folder, &mut index, places);
        self.index = Arc::new(index);
        self.changed_cur(folder, before);
        Ok((true, done))
    }

    /// Removes the files of messages, for [`limits::LOCK_HELD`]: which were there, their octets, the error that ended it, and how many of
    /// `uids` are done.
    fn unlink(
        &mut self,
        folder: &Folder<'_>,
        uids: &[u32],
    ) -> (Vec<u32>, u64, Option<StoreError>, usize) {
        let begun = Instant::now();
        let mut done = 0;
        let before = folder.disk().stat(&folder.part("cur"));
        let (mut gone, mut octets) = (Vec::new(), 0);
        for &uid in uids {
            if done % LOOKS_AT_CLOCK == LOOKS_AT_CLOCK - 1 && begun.elapsed() >= limits::LOCK_HELD {
                break;
            }
            done += 1;
            let removed = self.with_file(folder, uid, |state, at| {
                let place = &state.places[at];
                folder.disk().unlink(&place.path(folder.path))?;
                Ok(names::octets(&place.name).unwrap_or(state.index.messages[at].size))
            });
            match removed {
                Ok(freed) => {
                    gone.push(uid);
                    octets += freed;
                }
                Err(StoreError::NoSuchMessage) => {}
                Err(error) => {
                    self.stamps = None;
                    return (gone, octets, Some(error), done);
                }
            }
        }
        if !gone.is_empty() {
            gone.sort_unstable();
            gone.dedup();
            self.remove(folder, &gone);
            self.changed_cur(folder, before);
        }
        (gone, octets, None, done)
    }

    /// Takes messages out of the index; ascending UIDs.
    fn remove(&mut self, folder: &Folder<'_>, gone: &[u32]) {
        let stays = |uid: u32| gone.binary_search(&uid).is_err();
        let mut index = Index::clone(&self.index);
        let mut uids = self.index.messages.iter().map(|entry| entry.uid);
        self.places.retain(|_| uids.next().is_some_and(stays));
        index.messages.retain(|entry| stays(entry.uid));
        self.recent.retain(|&uid| stays(uid));
        drop(uids);
        let modseq = self.next_modseq();
        if let Some(cache) = &mut self.cache {
            cache.removed(modseq, gone);
            index.highest_modseq = cache.highest();
            cache.write(folder, &index);
        }
        self.index = Arc::new(index);
    }
}

/// Files that are renamed or removed before it is asked again how late it is.
const LOOKS_AT_CLOCK: usize = 16;

impl FlagChange {
    fn apply(self, old: Flags, flags: Flags) -> Flags {
        match self {
            Self::Replace => flags.union(Flags(old.0 & Flags::PASSED.0)),
            Self::Add => old.union(flags),
            Self::Remove => old.without(flags),
            Self::ReplaceAmong(among) => {
                let new = Self::Replace.apply(old, flags);
                old.without(among).union(Flags(new.0 & among.0))
            }
        }
    }
}
