//! Messages that a client fetched, on their way to where programs here look for them: a Maildir, an mbox, or a plain file.
//!
//! | kind | while it comes | [`Deposit::keep`] | after a crash |
//! |---|---|---|---|
//! | Maildir | a file in `tmp/` | fsync, rename into `new/` or `cur/`, fsync of that | a file in `tmp/` that nobody reads |
//! | mbox | in memory | lock (`PATH.lock`, and fcntl), append, fsync | part of a message behind the whole ones, if at all |
//! | file | in the file | fsync | part of a message behind the whole ones |
//!
//! What [`Deposit::keep`] has said of a message is so after a power cut. What was not kept is taken back when the next one begins, or
//! on drop. In a Maildir and an mbox lines end with LF, as programs here have it; in a plain file they stay.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::fs::Kernel;
use super::lock::DotLock;
use super::names;
use super::tools::sender;
use crate::limits;
use crate::wire::mbox::{FromLine, Marks, Text};

/// Where messages are put.
#[derive(Debug)]
pub struct Deposit {
    kind: Kind,
    /// The name of the next message's file in a Maildir, before its flags, if it is to have one of its own.
    base: Option<String>,
    /// A CR that came last: it is written unless an LF follows.
    cr: bool,
    begun: bool,
}

#[derive(Debug)]
enum Kind {
    Maildir {
        folder: PathBuf,
        draft: Option<(PathBuf, File)>,
    },
    Mbox {
        path: PathBuf,
        text: Vec<u8>,
    },
    Plain {
        file: File,
        /// Octets of whole messages.
        whole: u64,
    },
}

/// What is written of a message beside its text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kept {
    /// Its flags.
    pub marks: Marks,
    /// When it came, seconds since 1970; now, if nobody knows.
    pub received: Option<i64>,
}

impl Deposit {
    /// Into the Maildir at `folder`, made if it is not there.
    pub fn maildir(folder: &Path) -> io::Result<Self> {
        let mut is_new = false;
        for part in ["", "cur", "new", "tmp"] {
            let mut builder = DirBuilder::new();
            let made = builder
                .recursive(part.is_empty())
                .mode(0o700)
                .create(folder.join(part));
            match made {
                Ok(()) => is_new |= !part.is_empty(),
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Err(_) => {}
            }
        }
        if is_new {
            sync_folders(folder)?;
        }
        Ok(Self::new(Kind::Maildir {
            folder: folder.to_owned(),
            draft: None,
        }))
    }

    /// Behind what is in the mbox at `path`, made if it is not there.
    pub fn mbox(path: &Path) -> io::Result<Self> {
        // That it cannot be written is better known before anything is fetched.
        open_mbox(path)?;
        sync_folders(path.parent().unwrap_or(Path::new("")))?;
        Ok(Self::new(Kind::Mbox {
            path: path.to_owned(),
            text: Vec::new(),
        }))
    }

    /// Into a file, one after the other as they come. What was in it is gone.
    pub fn plain(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        sync_folders(path.parent().unwrap_or(Path::new("")))?;
        Ok(Self::new(Kind::Plain { file, whole: 0 }))
    }

    const fn new(kind: Kind) -> Self {
        Self {
            kind,
            base: None,
            cr: false,
            begun: false,
        }
    }

    /// In a Maildir the next message is called so: a name that no other one has, without what a file's name may not hold.
    pub fn name(&mut self, base: String) {
        self.base = Some(base);
    }

    /// The message that was written is whole. It is on disk, to be found, when this returns.
    pub fn keep(&mut self, kept: Kept) -> io::Result<()> {
        if self.cr {
            self.cr = false;
            self.put(b"\r")?;
        }
        // A message may have no octet.
        self.begin()?;
        self.begun = false;
        match &mut self.kind {
            Kind::Maildir { folder, draft } => {
                let Some((path, file)) = draft.take() else {
                    return Ok(());
                };
                let base = self.base.take();
                let done = settle(folder, &path, &file, base, kept);
                if done.is_err() {
                    let _ = fs::remove_file(&path);
                }
                done
            }
            Kind::Mbox { path, text } => {
                let done = append(path, text, kept);
                *text = Vec::new();
                done
            }
            Kind::Plain { file, whole } => {
                file.sync_all()?;
                *whole = file.stream_position()?;
                Ok(())
            }
        }
    }

    /// Makes ready for a message.
    fn begin(&mut self) -> io::Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        self.cr = false;
        match &mut self.kind {
            Kind::Maildir { folder, draft } => {
                let path = folder.join("tmp").join(names::unique(SystemTime::now()));
                let mut options = OpenOptions::new();
                let file = options
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(&path)?;
                *draft = Some((path, file));
            }
            Kind::Mbox { text, .. } => text.clear(),
            Kind::Plain { .. } => {}
        }
        Ok(())
    }

    /// Takes back what is not whole.
    fn forget(&mut self) {
        match &mut self.kind {
            Kind::Maildir { draft, .. } => {
                if let Some((path, _)) = draft.take() {
                    let _ = fs::remove_file(path);
                }
            }
            Kind::Mbox { .. } => {}
            Kind::Plain { file, whole } if self.begun => {
                let _ = file.set_len(*whole);
            }
            Kind::Plain { .. } => {}
        }
        self.begun = false;
    }

    fn put(&mut self, octets: &[u8]) -> io::Result<()> {
        match &mut self.kind {
            Kind::Maildir { draft, .. } => match draft {
                Some((_, file)) => file.write_all(octets),
                None => Ok(()),
            },
            Kind::Mbox { text, .. } => {
                if text.len() as u64 + octets.len() as u64 > limits::FOREIGN_MESSAGE {
                    return Err(io::Error::other("a message too long for an mbox"));
                }
                text.extend_from_slice(octets);
                Ok(())
            }
            Kind::Plain { file, .. } => file.write_all(octets),
        }
    }
}

impl Write for Deposit {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.begin()?;
        // The mbox sees to its line ends when it writes.
        if !matches!(self.kind, Kind::Maildir { .. }) {
            self.put(octets)?;
            return Ok(octets.len());
        }
        let mut clean = Vec::with_capacity(octets.len() + 1);
        let mut rest = octets;
        while let Some(&first) = rest.first() {
            if std::mem::take(&mut self.cr) && first != b'\n' {
                clean.push(b'\r');
            }
            let cr = memchr::memchr(b'\r', rest);
            clean.extend_from_slice(&rest[..cr.unwrap_or(rest.len())]);
            self.cr = cr.is_some();
            rest = &rest[cr.map_or(rest.len(), |cr| cr + 1)..];
        }
        self.put(&clean)?;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Deposit {
    fn drop(&mut self) {
        self.forget();
    }
}

/// Gives a whole draft its name.
fn settle(
    folder: &Path,
    draft: &Path,
    file: &File,
    base: Option<String>,
    kept: Kept,
) -> io::Result<()> {
    if let Some(received) = kept
        .received
        .and_then(|seconds| u64::try_from(seconds).ok())
    {
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(received))?;
    }
    file.sync_all()?;
    let unique = draft.file_name().unwrap_or_default().to_string_lossy();
    let base = base.unwrap_or_else(|| unique.into_owned());
    let letters = letters(kept.marks);
    let (part, name) = match letters.is_empty() {
        true => ("new", base),
        false => ("cur", format!("{base}:2,{letters}")),
    };
    let directory = folder.join(part);
    fs::rename(draft, directory.join(name))?;
    File::open(directory)?.sync_all()
}

/// The letters of a Maildir for these marks, in their order.
pub fn letters(marks: Marks) -> String {
    [
        (Marks::DRAFT, 'D'),
        (Marks::FLAGGED, 'F'),
        (Marks::ANSWERED, 'R'),
        (Marks::SEEN, 'S'),
        (Marks::DELETED, 'T'),
    ]
    .into_iter()
    .filter(|(mark, _)| marks.contains(*mark))
    .map(|(_, letter)| letter)
    .collect()
}

/// The folder's name is on disk, and those above it: else a message may be there, and no way to it. What may not be opened is somebody
/// else's, and was there before.
pub fn sync_folders(folder: &Path) -> io::Result<()> {
    for folder in folder.ancestors() {
        let here = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        match File::open(here).and_then(|folder| folder.sync_all()) {
            Ok(()) => {}
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput
                ) =>
            {
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn open_mbox(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    options.mode(0o600).open(path)
}

/// Appends a message, or nothing.
fn append(path: &Path, text: &[u8], kept: Kept) -> io::Result<()> {
    let now = || {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        i64::try_from(since.unwrap_or_default().as_secs()).unwrap_or(i64::MAX)
    };
    let from = FromLine {
        sender: sender(text).into(),
        received: kept.received.unwrap_or_else(now),
    };
    let mut out = Vec::with_capacity(text.len() + 256);
    let mut writer = Text::begin(&from, kept.marks, &[], &mut out);
    writer.feed(text, &mut out);
    writer.finish(&mut out);
    // Both locks that Debian's policy asks for (11.6). Where no file can be made beside it, as in a spool of root's, the other has to do.
    let dot = match DotLock::acquire(&Kernel, path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => None,
        lock => Some(lock?),
    };
    let mut file = open_mbox(path)?;
    lock(&file)?;
    let length = file.seek(SeekFrom::End(0))?;
    let done = (|| {
        // Somebody's message may lack the empty line behind it.
        let mut end = [0; 2];
        let most = length.min(2);
        file.seek(SeekFrom::Start(length - most))?;
        let last = &mut end[..usize::try_from(most).unwrap_or(2)];
        file.read_exact(last)?;
        let between: &[u8] = match &*last {
            [] | [b'\n', b'\n'] => b"",
            [.., b'\n'] => b"\n",
            _ => b"\n\n",
        };
        file.write_all(&[between, &out].concat())?;
        file.sync_all()
    })();
    if done.is_err() {
        let _ = file.set_len(length);
    }
    drop(dot);
    done
}

/// The lock of fcntl(2), which goes with the file.
fn lock(file: &File) -> io::Result<()> {
    let until = Instant::now() + limits::DOTLOCK_WAIT;
    loop {
        match rustix::fs::fcntl_lock(file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => {}
            Err(error) => return Err(error.into()),
        }
        if Instant::now() >= until {
            let why = "the mbox is locked by another program";
            return Err(io::Error::new(io::ErrorKind::TimedOut, why));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path, part: &str) -> Vec<(String, String)> {
        let entries = fs::read_dir(folder.join(part)).expect("a folder");
        let mut files: Vec<_> = entries
            .map(|entry| {
                let entry = entry.expect("an entry");
                let text = fs::read_to_string(entry.path()).expect("UTF-8");
                (entry.file_name().to_string_lossy().into_owned(), text)
            })
            .collect();
        files.sort();
        files
    }

    #[test]
    fn a_maildir_gets_whole_messages_only() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("a/b");
        let mut deposit = Deposit::maildir(&folder).expect("made");
        for piece in [&b"A: b\r"[..], b"\n\r", b"\nx\ry\r"] {
            deposit.write_all(piece).expect("written");
        }
        assert_eq!(
            (files(&folder, "tmp").len(), files(&folder, "new").len()),
            (1, 0)
        );
        deposit.keep(Kept::default()).expect("kept");
        assert_eq!(files(&folder, "new")[0].1, "A: b\n\nx\ry\r");
        deposit.write_all(b"half").expect("written");
        drop(deposit);
        assert_eq!(
            (files(&folder, "tmp").len(), files(&folder, "new").len()),
            (0, 1)
        );
        let mut deposit = Deposit::maildir(&folder).expect("there");
        let marks = Marks::SEEN.with(Marks::FLAGGED);
        let received = Some(1_000_000_000);
        deposit.write_all(b"B: c\r\n").expect("written");
        deposit.keep(Kept { marks, received }).expect("kept");
        let (name, text) = &files(&folder, "cur")[0];
        assert!(name.ends_with(":2,FS"), "{name}");
        assert_eq!(text, "B: c\n");
        let stat = fs::metadata(folder.join("cur").join(name)).expect("there");
        let since = stat
            .modified()
            .expect("known")
            .duration_since(SystemTime::UNIX_EPOCH);
        assert_eq!(since.expect("after 1970").as_secs(), 1_000_000_000);
    }

    #[test]
    fn an_mbox_is_locked_and_quoted() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("mbox");
        fs::write(&path, "From x Thu Jan  1 00:00:00 1970\nno end").expect("written");
        let mut deposit = Deposit::mbox(&path).expect("there");
        deposit
            .write_all(b"Return-Path: <a@b>\r\n\r\nFrom here\r\n")
            .expect("written");
        let received = Some(0);
        let marks = Marks::default();
        deposit.keep(Kept { marks, received }).expect("kept");
        deposit.write_all(b"half").expect("written");
        drop(deposit);
        let expected = "From x Thu Jan  1 00:00:00 1970\nno end\n\n\
                        From a@b Thu Jan  1 00:00:00 1970\nReturn-Path: <a@b>\nStatus: O\n\n>From here\n\n";
        assert_eq!(fs::read_to_string(&path).expect("UTF-8"), expected);
        assert!(!root.path().join("mbox.lock").exists());
    }

    #[test]
    fn a_plain_file_has_no_half_message() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("file");
        let mut deposit = Deposit::plain(&path).expect("made");
        deposit.write_all(b"A: b\r\n").expect("written");
        deposit.keep(Kept::default()).expect("kept");
        deposit.write_all(b"half").expect("written");
        drop(deposit);
        assert_eq!(fs::read(&path).expect("there"), b"A: b\r\n");
        let error = Deposit::plain(root.path()).expect_err("a folder is no file");
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
    }
}
