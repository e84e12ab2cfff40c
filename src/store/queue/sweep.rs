//! What is found in the queue's folder at start: see the table in the module above.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::codec::{self, Read};
use super::{ENTRY, EntryFile, Held, Queue, QueueId, Queued, Slot, TEXT};
use crate::store::directory::Directory;
use crate::store::fs;
use crate::store::shared::Shared;

impl Queue {
    /// Opens the queue of the store at `root`, made if it is not there; removes what nobody was promised.
    pub(in crate::store) fn open(
        shared: Arc<Shared>,
        directory: Arc<Directory>,
        root: &Path,
    ) -> io::Result<Self> {
        let place = root.join("queue");
        let disk = &*shared.disk;
        for folder in [&place, &place.join("tmp")] {
            match disk.make_directory(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        for name in disk.list(&place.join("tmp"))? {
            disk.unlink(&place.join("tmp").join(name))?;
        }
        let names = disk.list(&place)?;
        let mut queue = Self::new(Arc::clone(&shared), directory, place);
        let mut slots = HashMap::new();
        for name in &names {
            if let Some(id) = id_of(name, ENTRY) {
                if let Some((queued, torn)) = queue.judge(&id)? {
                    slots.insert(id, Slot::Message(Arc::new(held(queued, torn))));
                }
            } else if let Some(id) = id_of(name, TEXT)
                && !names.contains(&format!("{id}{ENTRY}"))
            {
                disk.unlink(&queue.text_path(&id))?;
            }
        }
        // A program before this one may have been killed between writing and syncing.
        if slots.is_empty() {
            disk.sync_directory(&queue.place)?;
        } else {
            disk.sync_file_system(&queue.place)?;
        }
        if let Some(above) = queue.place.parent() {
            disk.sync_directory(above)?;
        }
        queue.slots = Mutex::new(slots);
        Ok(queue)
    }

    /// For a program that has not locked the store: the folder is not touched.
    #[expect(clippy::unnecessary_wraps, reason = "it stands beside `open`")]
    pub(in crate::store) fn beside(
        shared: Arc<Shared>,
        directory: Arc<Directory>,
        root: &Path,
    ) -> io::Result<Self> {
        let queue = Self::new(shared, directory, root.join("queue"));
        Ok(Self {
            is_foreign: true,
            ..queue
        })
    }

    fn new(shared: Arc<Shared>, directory: Arc<Directory>, place: PathBuf) -> Self {
        Self {
            shared,
            directory,
            place,
            slots: Mutex::default(),
            news: Mutex::default(),
            waker: Mutex::default(),
            is_foreign: false,
        }
    }

    /// What an entry stands for; what stands for nothing is removed.
    fn judge(&self, id: &QueueId) -> io::Result<Option<(Queued, bool)>> {
        let disk = &*self.shared.disk;
        let path = self.entry_path(id);
        let Some((bytes, _)) = fs::read_whole(disk, &path)? else {
            return Ok(None);
        };
        let text = self.text_path(id);
        let has_text = match disk.stat(&text) {
            Ok(_) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        match codec::read(id.clone(), &bytes) {
            Read::Whole { queued, torn } if has_text && !queued.is_done() => {
                return Ok(Some((*queued, torn)));
            }
            Read::Unreadable(line, why) if has_text => {
                log::error!(
                    "queue: {path:?}:{line}: {why}: the message is left where it is, and not sent"
                );
                return Ok(None);
            }
            _ => {}
        }
        disk.unlink(&path)?;
        if has_text {
            disk.unlink(&text)?;
        }
        Ok(None)
    }
}

fn id_of(name: &str, ending: &str) -> Option<QueueId> {
    name.strip_suffix(ending)?.parse().ok()
}

fn held(queued: Queued, torn: bool) -> Held {
    Held {
        now: Mutex::new(Arc::new(queued)),
        file: Mutex::new(EntryFile {
            // What is there already counts from the next start on.
            journal: 0,
            stale: torn,
            gone: false,
        }),
        recovered: true,
    }
}
