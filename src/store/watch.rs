//! A thread that reads the files of users and aliases again when they change, so that whoever asks the directory never waits for a disk.
//!
//! It watches the folders that they are in (an editor puts a new file in the place of the old one), and sleeps until something
//! happens there, and then until nobody has written for a moment: of a file that is cut off and written anew, half is not taken for
//! the whole. Where the kernel does not tell (no inotify left, or a network file system that others write to), changes are
//! seen by [`Directory::refresh`] before the next delivery or login, and on SIGHUP.

use std::io::{self, PipeWriter};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

use super::directory::Directory;
use crate::limits;

/// The thread; dropped, it ends.
#[derive(Debug)]
pub(super) struct Watch {
    /// Closing it tells the thread.
    end: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Watches the files of `directory`; `None` when it has none.
    pub(super) fn start(directory: &Arc<Directory>) -> io::Result<Option<Self>> {
        let folders = folders(&directory.files());
        if folders.is_empty() {
            return Ok(None);
        }
        let kernel = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let changes = WatchFlags::CLOSE_WRITE
            | WatchFlags::MOVED_TO
            | WatchFlags::CREATE
            | WatchFlags::DELETE;
        for folder in &folders {
            inotify::add_watch(&kernel, folder, changes)?;
        }
        let (told, end) = io::pipe()?;
        let directory = Arc::clone(directory);
        let thread = std::thread::Builder::new()
            .name("tables".to_owned())
            .spawn(move || watch(&kernel, &told.into(), &directory))?;
        Ok(Some(Self {
            end: Some(end),
            thread: Some(thread),
        }))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell.
            let _ = thread.join();
        }
    }
}

fn folders(files: &[&Path]) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = files
        .iter()
        .filter_map(|file| file.parent())
        .map(|folder| match folder.as_os_str().is_empty() {
            true => PathBuf::from("."),
            false => folder.to_path_buf(),
        })
        .collect();
    folders.sort();
    folders.dedup();
    folders
}

fn watch(kernel: &OwnedFd, told: &OwnedFd, directory: &Directory) {
    // At once, while there is something that was not to be read yet.
    let mut timeout = None;
    loop {
        let mut ready = [
            PollFd::new(kernel, PollFlags::IN),
            PollFd::new(told, PollFlags::IN),
        ];
        match poll(&mut ready, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => {
                log::warn!("changes of users and aliases are only seen on use: {error}");
                return;
            }
        }
        if !ready[1].revents().is_empty() {
            return;
        }
        if ready[0].revents().is_empty() && timeout.is_none() {
            continue;
        }
        std::thread::sleep(limits::TABLE_SETTLE);
        drain(kernel);
        timeout = directory.look().is_err().then_some(Timespec::default());
    }
}

/// Which file it was is of no matter.
fn drain(kernel: &OwnedFd) {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut events = inotify::Reader::new(kernel, &mut buffer);
    while events.next().is_ok() {}
}
