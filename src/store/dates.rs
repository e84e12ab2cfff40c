//! INTERNALDATE: the time of last modification of a message's file. It takes a system call a message to find out, so it is left until
//! somebody asks; then those of all messages are found out, for who asks for one asks for many, and kept.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::look::{Folder, State};
use super::{Entry, Index, Mailbox, StoreError};

/// What stands for INTERNALDATE where nobody wanted to know it yet.
pub const NOT_ASKED: i64 = i64::MIN;

impl Mailbox {
    /// INTERNALDATE of a message, seconds since 1970; 0 of one that is gone.
    pub fn received(&self, entry: &Entry) -> i64 {
        if entry.received != NOT_ASKED {
            return entry.received;
        }
        if let Some(received) = self.received_as_known(entry.uid) {
            return received;
        }
        if let Err(error) = self.find_dates() {
            log::debug!("when messages came: {error}");
        }
        let known = self.received_as_known(entry.uid);
        known
            .or_else(|| self.look_when(entry.uid).ok())
            .unwrap_or(0)
    }

    fn received_as_known(&self, uid: u32) -> Option<i64> {
        let state = self.state();
        let received = state.index.messages[state.position(uid)?].received;
        (received != NOT_ASKED).then_some(received)
    }

    /// Of one message, whose file has another name by now.
    fn look_when(&self, uid: u32) -> Result<i64, StoreError> {
        let place = self.place()?;
        let folder = self.folder(&place);
        self.state().with_file(&folder, uid, |state, at| {
            let stat = folder.disk().stat(&state.places[at].path(folder.path))?;
            Ok(stat.seconds())
        })
    }

    /// Finds out what is not known. Others have the mailbox meanwhile.
    fn find_dates(&self) -> Result<(), StoreError> {
        let place = self.place()?;
        let folder = self.folder(&place);
        let mut found = Vec::new();
        let mut after = 0;
        loop {
            let mut state = self.state();
            state
                .fill_in(&folder)
                .map_err(|error| folder.blame(error))?;
            let some = state.undated(&folder, after);
            drop(state);
            let Some((last, _)) = some.last() else { break };
            after = *last;
            for (uid, path) in &some {
                match folder.disk().stat(path) {
                    Ok(stat) => found.push((*uid, stat.seconds())),
                    // It is gone, or has another name.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(folder.blame(error)),
                }
            }
        }
        if found.is_empty() {
            return Ok(());
        }
        self.state().date(&folder, &found);
        // As safe as the one before it: the next SELECT after a restart relies on that.
        self.settle()
    }
}

impl State {
    /// Some messages with a larger UID whose INTERNALDATE is not known, and where their files are.
    fn undated(&self, folder: &Folder<'_>, after: u32) -> Vec<(u32, PathBuf)> {
        let from = (self.index.messages).partition_point(|entry| entry.uid <= after);
        let entries = self.index.messages[from..].iter();
        entries
            .zip(self.places.iter().skip(from))
            .filter(|(entry, _)| entry.received == NOT_ASKED)
            .map(|(entry, place)| (entry.uid, place.path(folder.path)))
            .take(AT_ONCE)
            .collect()
    }

    /// Takes note of what was found out.
    fn date(&mut self, folder: &Folder<'_>, found: &[(u32, i64)]) {
        let mut index = Index::clone(&self.index);
        for (uid, received) in found {
            if let Some(at) = self.position(*uid) {
                index.messages[at].received = *received;
            }
        }
        self.index = Arc::new(index);
        self.renew_cache(folder);
    }
}

/// Files that are looked at before it is asked again which they are.
const AT_ONCE: usize = 512;
