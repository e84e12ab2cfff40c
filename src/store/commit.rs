//! Group commit: the one place where mail becomes [`Durable`].
//!
//! Those who have put a name into a directory wait here until the directory is synced. Per directory, one of them leads:
//! it syncs for all who stood there when it began; whoever comes while it syncs cannot know whether it was still
//! covered, and waits for the next round, which again takes all together. So N deliveries that meet cost a few
//! fsyncs, not N, and a single one waits for nobody.
//!
//! The files themselves are synced before that, each by its own thread at the same time: the kernel puts what comes together
//! into one commit of its journal, so that it helps when many threads may wait ([`crate::limits::WORKERS`]). A leader who calls syncfs(2) for
//! all of them was tried: on a quiet disk twice as fast in batches of 64, and slower wherever somebody else writes to the same
//! file system, for it waits for their data as well (4 KiB files on ext4 beside compilers, 64 at a time, messages a second: fsync each
//! 5000 in the median and 2000 at worst, syncfs 3600 and 1400). `tests/speed.rs` measures it.
//!
//! | round | who | may count on it |
//! |---|---|---|
//! | not begun | anybody arrives | yes: the sync begins after the name is there |
//! | under way | arrives | no: joins the next round |
//! | ended well | joined it, or one before | is durable |
//! | failed | joined it | told the error; Linux reports a lost write once, so nobody may ask again |

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::fs::{Disk, hold};

/// Proof that mail is on disk for good: written, fsynced, renamed into place, its directory fsynced.
/// Only the store can make one; every reply that takes responsibility for mail is built from it.
#[derive(Debug)]
pub struct Durable(());

impl Durable {
    /// The same proof once more: for a recipient that was named twice.
    pub(super) const fn again(&self) -> Self {
        Self(())
    }
}

/// Who waits for which directory.
#[derive(Debug, Default)]
pub(super) struct Commits {
    /// By path; one of whom nobody waits is forgotten.
    directories: Mutex<HashMap<OsString, Arc<Directory>>>,
}

/// One of them. Nobody who waits for another one is woken, or kept from asking.
#[derive(Debug, Default)]
struct Directory {
    rounds: Mutex<Rounds>,
    /// A round has ended.
    told: Condvar,
}

#[derive(Debug, Default)]
struct Rounds {
    begun: u64,
    ended: u64,
    /// The last round that failed, and why.
    failed: Option<(u64, io::ErrorKind)>,
}

impl Commits {
    /// For what was added to a file that had its name on disk before, once that file is synced.
    pub(super) const fn synced(&self) -> Durable {
        Durable(())
    }

    /// Waits until the names that the caller has put into `directory` are on disk. The file must have been synced
    /// before it got its name there.
    pub(super) fn commit(&self, disk: &dyn Disk, path: &Path) -> io::Result<Durable> {
        let directory = self.directory(path);
        let failed = directory.wait_for_a_round(disk, path);
        let mut directories = hold(&self.directories);
        // The map's and mine: nobody else waits, and while the map is held nobody comes.
        if Arc::strong_count(&directory) == 2 {
            directories.remove(path.as_os_str());
        }
        // While it is held, so that the last one to leave sees that it is.
        drop(directory);
        drop(directories);
        match failed {
            Some(kind) => Err(io::Error::new(kind, "a directory could not be synced")),
            None => Ok(Durable(())),
        }
    }

    fn directory(&self, path: &Path) -> Arc<Directory> {
        let mut directories = hold(&self.directories);
        if let Some(known) = directories.get(path.as_os_str()) {
            return Arc::clone(known);
        }
        let directory = Arc::<Directory>::default();
        directories.insert(path.into(), Arc::clone(&directory));
        directory
    }
}

impl Directory {
    /// Why the round failed that was to sync what was there when this was called.
    fn wait_for_a_round(&self, disk: &dyn Disk, path: &Path) -> Option<io::ErrorKind> {
        let mut rounds = hold(&self.rounds);
        let mine = rounds.begun + 1;
        while rounds.ended < mine {
            if rounds.begun > rounds.ended {
                rounds = self
                    .told
                    .wait(rounds)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            rounds.begun += 1;
            let round = rounds.begun;
            drop(rounds);
            let synced = disk.sync_directory(path);
            rounds = hold(&self.rounds);
            rounds.ended = round;
            if let Err(error) = synced {
                log::error!("{path:?} cannot be synced: {error}");
                rounds.failed = Some((round, error.kind()));
            }
            self.told.notify_all();
        }
        let failed = rounds.failed.filter(|&(round, _)| round >= mine);
        failed.map(|(_, kind)| kind)
    }
}
