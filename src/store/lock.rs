//! Locks between programs: on a whole store ([`StoreLock`]), and on a file, as Dovecot knows them ([`DotLock`]).
//!
//! A file's is `PATH.lock`, which holds `pid:host`. It is between processes; the threads of this one wait for each other
//! without it ([`Turn`]), so whoever has the turn and finds a file that names our pid knows that it was left by a former life
//! of that pid (in a container every server is process 1).
//!
//! | the file | is taken over |
//! |---|---|
//! | of a process of this machine that is gone, or of ours | at once |
//! | says nothing | after [`limits::DOTLOCK_EMPTY`]: its owner was killed between making and filling it |
//! | of another machine, or says something else | after [`limits::DOTLOCK_STALE`] without a change |

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::fs::{self, Disk, Stat, hold};
use super::names;
use crate::limits;

/// The lock on a whole store, the file `STORE/lock`: one program serves it at a time. Two would not know of each other's POP3
/// locks, open mailboxes and changes. The kernel lets go of it when the program ends, however that comes about.
#[derive(Debug)]
pub(super) struct StoreLock(File);

impl StoreLock {
    /// Takes the lock on the store at `root`, which must be there; `ResourceBusy` while another program has it.
    pub(super) fn acquire(root: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.mode(0o600).open(root.join("lock"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                // Its number is there for people: without it the message says less, and no more.
                let _ = (&file).take(32).read_to_string(&mut owner);
                let owner = match owner.trim_end() {
                    "" => String::new(),
                    pid => format!(" (process {pid})"),
                };
                let why = format!(
                    "another mailtool{owner} serves it: stop that one, or take another folder"
                );
                return Err(io::Error::new(io::ErrorKind::ResourceBusy, why));
            }
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                log::warn!(
                    "{root:?}: this file system has no locks; see to it that one program alone serves it"
                );
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self(file))
    }
}

impl Drop for StoreLock {
    fn drop(&mut self) {
        // Closing it is not enough: a child that another thread is about to start has it open too.
        let _ = self.0.unlock();
    }
}

/// A lock that is held; let go on drop.
#[derive(Debug)]
pub(super) struct DotLock<'a> {
    disk: &'a dyn Disk,
    /// Dropped after the file is gone.
    turn: Turn,
}

impl<'a> DotLock<'a> {
    /// Waits for the lock on `path`; `TimedOut` after [`limits::DOTLOCK_WAIT`].
    pub(super) fn acquire(disk: &'a dyn Disk, path: &Path) -> io::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let until = Instant::now() + limits::DOTLOCK_WAIT;
        let turn = Turn::take(PathBuf::from(name), until)?;
        loop {
            match disk.create(&turn.0) {
                Ok(file) => {
                    let lock = Self { disk, turn };
                    let owner = format!("{}:{}", std::process::id(), names::host());
                    disk.write(&file, owner.as_bytes())?;
                    return Ok(lock);
                }
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Err(_) => {}
            }
            if is_stale(disk, &turn.0) {
                let _ = disk.unlink(&turn.0);
            } else if Instant::now() >= until {
                return Err(timed_out(&turn.0));
            }
            // Also after unlinking: two who see the same dead lock must not unlink each other's new one.
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for DotLock<'_> {
    fn drop(&mut self) {
        let _ = self.disk.unlink(&self.turn.0);
    }
}

/// One thread of this process may deal with the lock file of this path.
#[derive(Debug)]
struct Turn(PathBuf);

/// The paths whose turn somebody has.
static TAKEN: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
/// Somebody's turn has ended.
static ENDED: Condvar = Condvar::new();

impl Turn {
    fn take(path: PathBuf, until: Instant) -> io::Result<Self> {
        let mut taken = hold(&TAKEN);
        while taken.contains(&path) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(timed_out(&path));
            }
            taken = ENDED
                .wait_timeout(taken, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        taken.push(path.clone());
        Ok(Self(path))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        hold(&TAKEN).retain(|taken| *taken != self.0);
        ENDED.notify_all();
    }
}

fn timed_out(path: &Path) -> io::Error {
    let why = format!("{path:?} is held by another program");
    io::Error::new(io::ErrorKind::TimedOut, why)
}

/// Whether the owner of the lock file is gone; asked by whoever has the turn. When in doubt, it is not.
fn is_stale(disk: &dyn Disk, path: &Path) -> bool {
    let Ok(Some((bytes, stat))) = fs::read_whole(disk, path) else {
        return false;
    };
    // A lock that was let go and taken anew while it was judged is not that one.
    let is_same = |now: Stat| now.inode == stat.inode;
    is_abandoned(&bytes, &stat) && disk.stat(path).is_ok_and(is_same)
}

fn is_abandoned(bytes: &[u8], stat: &Stat) -> bool {
    let owner = String::from_utf8_lossy(bytes);
    if let Some((pid, host)) = owner.trim_end().split_once(':')
        && host == names::host()
        && let Ok(pid) = pid.parse::<i32>()
    {
        let Some(process) = rustix::process::Pid::from_raw(pid) else {
            return true;
        };
        return u32::try_from(pid) == Ok(std::process::id())
            || rustix::process::test_kill_process(process) == Err(rustix::io::Errno::SRCH);
    }
    let patience = if bytes.is_empty() {
        limits::DOTLOCK_EMPTY
    } else {
        limits::DOTLOCK_STALE
    };
    let age = fs::nanoseconds(SystemTime::now()) - stat.modified;
    age > patience.as_nanos().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_let_go_is_free_though_a_child_has_inherited_it() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let lock = StoreLock::acquire(root.path()).expect("free");
        // Between fork and exec a child has all descriptors of its parent.
        let inherited = lock.0.try_clone().expect("a descriptor");
        let busy = StoreLock::acquire(root.path()).expect_err("it is held");
        assert_eq!(busy.kind(), io::ErrorKind::ResourceBusy);
        drop(lock);
        StoreLock::acquire(root.path()).expect("free again");
        drop(inherited);
    }
}
