//! What all mailboxes of a store have in common: the disk, the commits, who is told, which mailboxes are open.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::SystemTime;

use super::ahead::Scouts;
use super::commit::Commits;
use super::fs::{self, Disk, hold};
use super::quota::{Quota, Quotas};
use super::vigil::Mark;
use super::{Hub, Mailbox, StoreError, cache, folders};
use crate::limits;

/// One a store.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) commits: Commits,
    pub(super) hub: Hub,
    pub(super) quotas: Quotas,
    pub(super) scouts: Scouts,
    registry: Mutex<Registry>,
    /// Maildirs that are there, with their names on disk, as far as we know.
    ready: Mutex<HashSet<PathBuf>>,
    /// The last UIDVALIDITY that was given.
    validity: Mutex<u32>,
}

/// The mailboxes that somebody has open, so that all who do have the same one.
#[derive(Debug, Default)]
struct Registry {
    open: HashMap<PathBuf, Weak<Mailbox>>,
    /// The last ones used stay in memory.
    warm: VecDeque<Arc<Mailbox>>,
}

impl Shared {
    pub(super) fn new(disk: Arc<dyn Disk>, quota: Quota) -> Self {
        Self {
            disk,
            commits: Commits::default(),
            hub: Hub::default(),
            quotas: Quotas::new(quota),
            scouts: Scouts::default(),
            registry: Mutex::default(),
            ready: Mutex::default(),
            validity: Mutex::default(),
        }
    }

    /// The mailbox in `place`, which must be there.
    pub(super) fn open(self: &Arc<Self>, home: &Path, place: &Path) -> Arc<Mailbox> {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let mut registry = hold(&self.registry);
        let open = registry.open.get(place).and_then(Weak::upgrade);
        let mailbox = open.unwrap_or_else(|| {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let mailbox = Arc::new(Mailbox::new(number, Arc::clone(self), home, place));
            registry
                .open
                .retain(|_, mailbox| mailbox.strong_count() > 0);
            registry
                .open
                .insert(place.to_path_buf(), Arc::downgrade(&mailbox));
            mailbox
        });
        registry.warm.retain(|warm| !Arc::ptr_eq(warm, &mailbox));
        registry.warm.push_back(Arc::clone(&mailbox));
        if registry.warm.len() > limits::WARM_MAILBOXES {
            registry.warm.pop_front();
        }
        // Those that were used last stay, as far as there is room.
        let mut messages = 0;
        let stays: Vec<bool> = registry
            .warm
            .iter()
            .rev()
            .map(|warm| {
                messages += warm.weight().unwrap_or(0);
                messages <= limits::WARM_MESSAGES
            })
            .collect();
        let mut stays = stays.into_iter().rev();
        registry.warm.retain(|_| stays.next().unwrap_or(false));
        mailbox
    }

    /// No mailbox stays in memory that nobody has open.
    pub(super) fn cool_down(&self) {
        let warm = std::mem::take(&mut hold(&self.registry).warm);
        drop(warm);
    }

    /// Whoever sits in the mailbox in `place` is told that it changed.
    pub(super) fn changed(&self, home: &Path, place: &Path) {
        let mailbox = hold(&self.registry).open.get(place).and_then(Weak::upgrade);
        if let Some(mailbox) = mailbox {
            self.hub.changed(mailbox.number());
        }
        self.hub
            .mark(home, || folders::name_at(home, place).map(Mark::Mailbox));
    }

    /// The mailbox in `from` is in `to` now, or gone: whoever has it open goes with it.
    pub(super) fn moved(&self, from: &Path, to: Option<&Path>) {
        let mut registry = hold(&self.registry);
        hold(&self.ready).remove(from);
        let Some(mailbox) = registry.open.remove(from) else {
            return;
        };
        let Some(open) = mailbox.upgrade() else {
            return;
        };
        open.move_to(to);
        match to {
            Some(to) => {
                registry.open.insert(to.to_path_buf(), mailbox);
            }
            None => registry.warm.retain(|warm| !Arc::ptr_eq(warm, &open)),
        }
        drop(registry);
        self.hub.changed(open.number());
    }

    /// An account's Maildir is there when it returns, and will be after a crash.
    pub(super) fn ready_account(&self, home: &Path) -> io::Result<()> {
        if hold(&self.ready).contains(home) {
            return Ok(());
        }
        fs::make_directories(&*self.disk, home)?;
        self.ready_folder(home)
    }

    /// `cur`, `new` and `tmp` of a folder are there when it returns, and will be after a crash. The folder must be there.
    pub(super) fn ready_folder(&self, place: &Path) -> io::Result<()> {
        if hold(&self.ready).contains(place) {
            return Ok(());
        }
        let mut made = false;
        for part in ["cur", "new", "tmp"] {
            match self.disk.make_directory(&place.join(part)) {
                Ok(()) => made = true,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        // Also what was there already: another thread, or a run that crashed, may not have come so far. Whoever made the cache had.
        if made || self.disk.stat(&place.join(cache::FILE)).is_err() {
            self.disk.sync_directory(place)?;
            if let Some(above) = place.parent() {
                self.disk.sync_directory(above)?;
            }
        }
        hold(&self.ready).insert(place.to_path_buf());
        Ok(())
    }

    /// The Maildir was found missing.
    pub(super) fn forget_ready(&self, place: &Path) {
        hold(&self.ready).remove(place);
    }

    /// A UIDVALIDITY that no mailbox of the account has had (RFC 3501 §2.3.1.1), and greater than all of them.
    ///
    /// The time, or more: the last one is kept as Dovecot keeps it, in `dovecot-uidvalidity` and in the name of the
    /// empty file `dovecot-uidvalidity.XXXXXXXX`, so that it rises even when the clock does not.
    pub(super) fn next_validity(&self, home: &Path) -> Result<u32, StoreError> {
        let disk = &*self.disk;
        let mut last = hold(&self.validity);
        let seconds = fs::nanoseconds(SystemTime::now()) / 1_000_000_000;
        let now = u32::try_from(seconds).unwrap_or(1).max(1);
        let marks: Vec<(u32, String)> = disk
            .list(home)?
            .into_iter()
            .filter_map(|name| {
                Some((
                    hexadecimal(name.strip_prefix(VALIDITY)?.strip_prefix('.')?)?,
                    name,
                ))
            })
            .collect();
        let kept = fs::read_whole(disk, &home.join(VALIDITY))?
            .and_then(|(bytes, _)| hexadecimal(std::str::from_utf8(&bytes).ok()?.trim_end()));
        let highest = marks
            .iter()
            .max()
            .map(|(value, _)| *value)
            .max(kept)
            .unwrap_or(0);
        let next = now
            .max(highest.saturating_add(1))
            .max(last.saturating_add(1));
        let text = format!("{next:08x}");
        let mark = home.join(format!("{VALIDITY}.{text}"));
        match marks.iter().max() {
            Some((_, name)) => disk.rename(&home.join(name), &mark)?,
            None => drop(disk.create(&mark)?),
        }
        fs::replace(
            disk,
            &home.join("tmp"),
            &home.join(VALIDITY),
            text.as_bytes(),
        )?;
        *last = next;
        Ok(next)
    }
}

/// Dovecot's name for the file.
const VALIDITY: &str = "dovecot-uidvalidity";

fn hexadecimal(text: &str) -> Option<u32> {
    (text.len() == 8).then(|| u32::from_str_radix(text, 16).ok())?
}
