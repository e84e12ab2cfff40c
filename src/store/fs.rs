//! The one place of system calls on files: everything that the store does to a disk goes through [`Disk`].
//!
//! So a test can stop the world at each single call and take away what was not synced (`crash/`), and what the
//! store relies on is a short list. What it relies on, and no more:
//!
//! - a file's content survives a crash once [`Disk::sync_file`] has returned;
//! - a name (made by create, link, rename, mkdir; removed by unlink) survives once [`Disk::sync_directory`] of its
//!   directory has returned; until then either state may be found;
//! - a rename is atomic: whoever looks, also after a crash, finds the file under one of its names.
//!
//! Also here: [`Extent`] (part of a file on its way to a peer), and [`replace`] (a small file, whole or not).

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{lines, names};
use crate::sys;

use rustix::fs::Advice;

/// The system calls of the store. Paths are absolute or relative as the caller has them; nothing is followed or made
/// on the way.
pub(super) trait Disk: std::fmt::Debug + Send + Sync {
    /// Makes a file for reading and writing that only the owner may read; an error when the name is taken.
    fn create(&self, path: &Path) -> io::Result<Arc<File>>;
    /// Opens a file that is there, to write at its end.
    fn open_to_append(&self, path: &Path) -> io::Result<Arc<File>>;
    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<File>;
    /// Somebody will read this file soon: its content is fetched from the disk, and not waited for. Promises nothing.
    fn read_ahead(&self, path: &Path) -> io::Result<()> {
        let file = self.open(path)?;
        Ok(rustix::fs::fadvise(&file, 0, None, Advice::WillNeed)?)
    }
    /// Writes all of `bytes`.
    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<()>;
    /// These octets of the file will be synced soon: the disk may begin with them. Promises nothing.
    fn begin_sync(&self, file: &File, from: u64, octets: u64);
    /// Content and times are on disk when it returns.
    fn sync_file(&self, file: &File) -> io::Result<()>;
    /// All that was written to the file system of `path` is on disk when it returns: for when syncing each file would take longer.
    fn sync_file_system(&self, path: &Path) -> io::Result<()>;
    /// Sets the time of last modification, seconds since 1970.
    fn set_modified(&self, file: &File, seconds: i64) -> io::Result<()>;
    /// The names in a directory are on disk when it returns.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
    /// Gives a file or directory another name; takes the place of a file that has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Gives a file one more name; an error when it is taken.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Takes a name from a file.
    fn unlink(&self, path: &Path) -> io::Result<()>;
    /// Makes a directory that only the owner may enter.
    fn make_directory(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty directory.
    fn remove_directory(&self, path: &Path) -> io::Result<()>;
    /// The names in a directory, in no order; those that are not UTF-8 are passed over.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    /// What a name stands for; symbolic links are followed.
    fn stat(&self, path: &Path) -> io::Result<Stat>;
}

/// What is asked of a file without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) inode: u64,
    pub(super) octets: u64,
    /// Nanoseconds since 1970.
    pub(super) modified: i128,
    /// Nanoseconds since 1970 when anything about the file last changed; nobody can set it.
    pub(super) changed: i128,
    /// Nanoseconds since 1970 when the file was made, as far as the file system keeps it; 0 where not.
    pub(super) born: i128,
    pub(super) is_directory: bool,
}

impl Stat {
    /// Of an open file.
    pub(super) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::from_metadata(&file.metadata()?))
    }
    /// INTERNALDATE, as Dovecot's Maildir keeps it: the time of last modification.
    pub(super) fn seconds(&self) -> i64 {
        i64::try_from(self.modified.div_euclid(1_000_000_000)).unwrap_or(0)
    }
    fn from_metadata(metadata: &std::fs::Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            octets: metadata.len(),
            modified: i128::from(metadata.mtime()) * 1_000_000_000
                + i128::from(metadata.mtime_nsec()),
            changed: i128::from(metadata.ctime()) * 1_000_000_000
                + i128::from(metadata.ctime_nsec()),
            born: metadata
                .created()
                .ok()
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
                .and_then(|since| i128::try_from(since.as_nanos()).ok())
                .unwrap_or(0),
            is_directory: metadata.is_dir(),
        }
    }
}

/// The kernel's files.
#[derive(Debug)]
pub(super) struct Kernel;

impl Disk for Kernel {
    fn create(&self, path: &Path) -> io::Result<Arc<File>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        options.open(path).map(Arc::new)
    }
    fn open_to_append(&self, path: &Path) -> io::Result<Arc<File>> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).open(path).map(Arc::new)
    }
    fn open(&self, path: &Path) -> io::Result<File> {
        File::open(path)
    }
    fn write(&self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }
    fn begin_sync(&self, file: &File, from: u64, octets: u64) {
        sys::begin_write_back(file.as_fd(), from, octets);
    }
    fn sync_file(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }
    fn sync_file_system(&self, path: &Path) -> io::Result<()> {
        Ok(rustix::fs::syncfs(File::open(path)?)?)
    }
    fn set_modified(&self, file: &File, seconds: i64) -> io::Result<()> {
        let time = rustix::fs::Timespec {
            tv_sec: seconds,
            tv_nsec: 0,
        };
        let times = rustix::fs::Timestamps {
            last_access: time,
            last_modification: time,
        };
        Ok(rustix::fs::futimens(file, &times)?)
    }
    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::hard_link(from, to)
    }
    fn unlink(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }
    fn make_directory(&self, path: &Path) -> io::Result<()> {
        std::fs::DirBuilder::new().mode(0o700).create(path)
    }
    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_dir(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(path)? {
            match entry?.file_name().into_string() {
                Ok(name) => names.push(name),
                Err(name) => log::warn!("{path:?}: {name:?} is not UTF-8, and passed over"),
            }
        }
        Ok(names)
    }
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        Ok(Stat::from_metadata(&std::fs::metadata(path)?))
    }
}

/// The whole of a small file of ours; `None` when there is none.
pub(super) fn read_whole(disk: &dyn Disk, path: &Path) -> io::Result<Option<(Vec<u8>, Stat)>> {
    let mut file = match disk.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // Before reading: a line appended meanwhile then shows as a change, never as seen.
    let stat = Stat::of(&file)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some((bytes, stat)))
}

/// The first octets of a small file that others may have written, `most` of them at most; `None` when there is none.
pub(super) fn read_start(disk: &dyn Disk, path: &Path, most: usize) -> io::Result<Option<Vec<u8>>> {
    let file = match disk.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(most as u64).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Appends the first octets of a file to `out`: `most` of them at least if there are so many, and then no more than `out` has room for.
pub(super) fn append_start(file: &File, most: usize, out: &mut Vec<u8>) -> io::Result<()> {
    let from = out.len();
    out.reserve(most);
    while out.len() - from < most {
        let at = (out.len() - from) as u64;
        match rustix::io::pread(file, rustix::buffer::spare_capacity(out), at) {
            Ok(0) => break,
            // Of a file that is at its end there is less than was asked for.
            Ok(_) if out.len() < out.capacity() => break,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Puts `bytes` in the place of `path`, wholly or not at all, also after a crash; written in directory `temporary` of
/// the same file system. Returns what the new file looks like.
pub(super) fn replace(
    disk: &dyn Disk,
    temporary: &Path,
    path: &Path,
    bytes: &[u8],
) -> io::Result<Stat> {
    let draft = temporary.join(names::unique(SystemTime::now()));
    let file = disk.create(&draft)?;
    let written = disk
        .write(&file, bytes)
        .and_then(|()| disk.sync_file(&file))
        .and_then(|()| disk.rename(&draft, path));
    if let Err(error) = written {
        let _ = disk.unlink(&draft);
        return Err(error);
    }
    if let Some(directory) = path.parent() {
        disk.sync_directory(directory)?;
    }
    Stat::of(&file)
}

/// Makes a directory and what is missing above it, and puts each new name on disk.
pub(super) fn make_directories(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    match disk.make_directory(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let above = path.parent().ok_or(error)?;
            make_directories(disk, above)?;
            match disk.make_directory(path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Err(error) => return Err(error),
    }
    path.parent()
        .map_or(Ok(()), |above| disk.sync_directory(above))
}

/// Removes a directory and all that is in it; what is gone already is no error.
pub(super) fn remove_tree(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    for name in disk.list(path)? {
        let inside = path.join(name);
        match disk.unlink(&inside) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) if disk.stat(&inside)?.is_directory => remove_tree(disk, &inside)?,
            Err(error) => return Err(error),
        }
    }
    disk.remove_directory(path)
}

/// Part of an open file, sent to a peer without being held in memory.
#[derive(Clone, Debug)]
pub struct Extent {
    file: Arc<File>,
    offset: u64,
    octets: u64,
    nul: Nul,
}

/// What becomes of NULs in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nul {
    /// See `lines`.
    Hidden,
    Kept,
}

impl Extent {
    /// `octets` octets of `file` from `offset` on.
    pub const fn new(file: Arc<File>, offset: u64, octets: u64) -> Self {
        Self {
            file,
            offset,
            octets,
            nul: Nul::Hidden,
        }
    }
    /// The same with every octet as it is in the file: for a server, which gets the message that was sent (RFC 3030).
    #[must_use]
    pub fn exact(&self) -> Self {
        Self {
            nul: Nul::Kept,
            ..self.clone()
        }
    }
    /// How many octets it is.
    pub const fn octets(&self) -> u64 {
        self.octets
    }
    /// `octets` of it from `from` on, as far as it reaches.
    #[must_use]
    pub fn part(&self, from: u64, octets: u64) -> Self {
        let from = from.min(self.octets);
        Self {
            file: Arc::clone(&self.file),
            offset: self.offset + from,
            octets: octets.min(self.octets - from),
            nul: self.nul,
        }
    }
    /// Reads into `buffer` what stands `from` octets after the beginning of the extent; never past its end. 0 means that
    /// the file is shorter than it was. There is no NUL in it (see `lines`), unless it is [exact](Self::exact).
    pub fn read_at(&self, buffer: &mut [u8], from: u64) -> io::Result<usize> {
        let left = usize::try_from(self.octets.saturating_sub(from)).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        let read = self
            .file
            .read_at(&mut buffer[..length], self.offset + from)?;
        self.hide_nul(&mut buffer[..read]);
        Ok(read)
    }
    /// All of it in memory; `None` if the file is shorter than it was, or cannot be read.
    pub fn read(&self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(self.octets).ok()?];
        self.file.read_exact_at(&mut bytes, self.offset).ok()?;
        self.hide_nul(&mut bytes);
        Some(bytes)
    }
    fn hide_nul(&self, text: &mut [u8]) {
        if self.nul == Nul::Hidden {
            lines::hide_nul(text);
        }
    }
}

/// Nanoseconds since 1970.
pub(super) fn nanoseconds(time: SystemTime) -> i128 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos().cast_signed())
}

/// Locks, whatever became of a thread that held it: what it guards is changed only in steps that are whole.
pub(super) fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
