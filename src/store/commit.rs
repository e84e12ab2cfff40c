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
use std::io;
use std::path::{Path, PathBuf};
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
    directories: Mutex<HashMap<PathBuf, Rounds>>,
}

/// The rounds of one directory; forgotten when nobody waits.
#[derive(Debug, Default)]
struct Rounds {
    begun: u64,
    ended: u64,
    /// The last round that failed, and why.
    failed: Option<(u64, io::ErrorKind)>,
    waiting: usize,
    /// A round has ended. Nobody who waits for another directory is woken.
    told: Arc<Condvar>,
}

impl Commits {
    /// For what was added to a file that had its name on disk before, once that file is synced.
    pub(super) const fn synced(&self) -> Durable {
        Durable(())
    }

    /// Waits until the names that the caller has put into `directory` are on disk. The file must have been synced
    /// before it got its name there.
    pub(super) fn commit(&self, disk: &dyn Disk, directory: &Path) -> io::Result<Durable> {
        let mut directories = hold(&self.directories);
        let rounds = directories.entry(directory.to_path_buf()).or_default();
        rounds.waiting += 1;
        let mine = rounds.begun + 1;
        loop {
            let rounds = directories.entry(directory.to_path_buf()).or_default();
            if rounds.ended >= mine {
                break;
            }
            if rounds.begun > rounds.ended {
                let told = Arc::clone(&rounds.told);
                directories = told
                    .wait(directories)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            rounds.begun += 1;
            let round = rounds.begun;
            drop(directories);
            let synced = disk.sync_directory(directory);
            directories = hold(&self.directories);
            let rounds = directories.entry(directory.to_path_buf()).or_default();
            rounds.ended = round;
            if let Err(error) = synced {
                log::error!("{directory:?} cannot be synced: {error}");
                rounds.failed = Some((round, error.kind()));
            }
            rounds.told.notify_all();
        }
        let rounds = directories.entry(directory.to_path_buf()).or_default();
        rounds.waiting -= 1;
        let failed = rounds.failed.filter(|&(round, _)| round >= mine);
        if rounds.waiting == 0 {
            directories.remove(directory);
        }
        match failed {
            Some((_, kind)) => Err(io::Error::new(kind, "a directory could not be synced")),
            None => Ok(Durable(())),
        }
    }
}
