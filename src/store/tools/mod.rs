//! What one who keeps a store does to its mailboxes from outside: look over, bring in, take out, check, mend.
//!
//! All of it works on the files, as any other program that shares a Maildir: beside a server that runs, which sees it at its next look,
//! and without one.
//!
//! | file | what it is about |
//! |---|---|
//! | `survey` | who has mail here, and what is in it, without touching anything |
//! | `import` | an mbox, a Maildir, a tree of them into a mailbox |
//! | `export` | a mailbox into an mbox or a Maildir |
//! | `check` | what is not as it should be, and mending it |
//! | `doubles` | messages that are there twice |

mod check;
mod doubles;
mod export;
mod import;
mod survey;

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::StoreError;

pub use self::check::{Finding, State};
pub use self::doubles::Double;
pub(super) use self::export::sender;
pub use self::import::{Doubles, Imported, Importer, Source, maildirs};
pub use self::survey::Survey;

/// Why mail was not brought in, or taken out.
#[derive(Debug)]
pub enum ToolError {
    /// The store's side.
    Store(StoreError),
    /// The other side: which file, and why.
    File(PathBuf, io::Error),
    /// It is not what it was taken for: which file, and what it is not.
    Foreign(PathBuf, &'static str),
}

impl fmt::Display for ToolError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(formatter),
            Self::File(path, error) => write!(formatter, "{}: {error}", path.display()),
            Self::Foreign(path, what) => write!(formatter, "{}: {what}", path.display()),
        }
    }
}

impl std::error::Error for ToolError {}

impl From<StoreError> for ToolError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// An error of the file at `path`.
fn at(path: &Path) -> impl Fn(io::Error) -> ToolError {
    |error| ToolError::File(path.to_path_buf(), error)
}

/// A directory that is not ours, held open: what is in it is reached from it, and never through a symbolic link. Root may be reading what
/// a user has laid out, who must not have somebody else's file read for them.
struct Foreign(File);

impl Foreign {
    /// The directory at `path`, which the one who runs the program has named; links in it are followed.
    fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?.into()))
    }
    /// A directory in it; `None` when there is none of the name.
    fn directory(&self, name: &str) -> io::Result<Option<Self>> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY | OFlags::NOFOLLOW;
        match rustix::fs::openat(&self.0, name, flags, Mode::empty()) {
            Ok(opened) => Ok(Some(Self(opened.into()))),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
    /// A regular file in it; `None` when the name stands for anything else, or for nothing.
    fn file(&self, name: &str) -> io::Result<Option<File>> {
        // Without NONBLOCK a FIFO would keep us waiting for ever.
        let flags = OFlags::CLOEXEC | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file: File = match rustix::fs::openat(&self.0, name, flags, Mode::empty()) {
            Ok(opened) => opened.into(),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::LOOP | rustix::io::Errno::NXIO) => {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        Ok(file.metadata()?.is_file().then_some(file))
    }
    /// The names in it, but `.` and `..`; those that are not UTF-8 are passed over, and counted.
    fn names(&self) -> io::Result<(Vec<String>, u64)> {
        let (mut names, mut odd) = (Vec::new(), 0);
        for entry in rustix::fs::Dir::read_from(&self.0)? {
            match entry?.file_name().to_str() {
                Ok("." | "..") => {}
                Ok(name) => names.push(name.to_owned()),
                Err(_) => odd += 1,
            }
        }
        Ok((names, odd))
    }
}
