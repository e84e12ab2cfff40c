//! The queue: messages that are on their way elsewhere.

mod entry;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

pub use self::entry::{Change, NoQueueId, Progress, QueueId, Queued, State};

use super::fs::{Extent, hold};
use super::{Durable, StoreError};
use crate::wire::envelope::Envelope;

/// The messages that are on their way elsewhere. Shared by all threads.
#[derive(Default)]
pub struct Queue {
    entries: Mutex<HashMap<QueueId, Arc<Queued>>>,
    news: Mutex<Vec<QueueId>>,
    waker: Mutex<Option<Waker>>,
}

type Waker = Box<dyn Fn() + Send + Sync>;

impl std::fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl Queue {
    /// All messages, in the order of their arrival. Does not block.
    pub fn entries(&self) -> Vec<Arc<Queued>> {
        let mut entries: Vec<_> = hold(&self.entries).values().cloned().collect();
        entries.sort_by(|one, other| (one.arrival, &one.id).cmp(&(other.arrival, &other.id)));
        entries
    }
    /// One message; `NoSuchMessage` when it is not in the queue any more. Does not block.
    pub fn load(&self, id: &QueueId) -> Result<Arc<Queued>, StoreError> {
        hold(&self.entries)
            .get(id)
            .cloned()
            .ok_or(StoreError::NoSuchMessage)
    }
    /// The message's text as it goes on, with CRLF line ends. Blocks.
    ///
    /// # Errors
    /// `NotFound` when it is not in the queue any more.
    pub fn text(&self, _id: &QueueId) -> io::Result<Extent> {
        Err(io::ErrorKind::NotFound.into())
    }
    /// Writes down what happened to a message. Once nothing is left to be done about it, it leaves the queue. Blocks.
    ///
    /// # Errors
    /// `NoSuchMessage` when it is not in the queue any more; the disk's: then nothing has changed.
    pub fn record(&self, _id: &QueueId, _changes: &[Change]) -> Result<Durable, StoreError> {
        Err(StoreError::NoSuchMessage)
    }
    /// [`Self::record`], after the reports (each of them with CRLF line ends) about it are in the queue for good: a crash in
    /// between may send a report twice, but never loses one. Blocks.
    ///
    /// # Errors
    /// Of `record`, and of the reports; then no recipient is struck off.
    pub fn conclude(
        &self,
        id: &QueueId,
        changes: &[Change],
        _reports: Vec<(Envelope, Vec<u8>)>,
    ) -> Result<Durable, StoreError> {
        self.record(id, changes)
    }
    /// What has come into the queue, or was released or flushed, since this was asked last. Does not block.
    pub fn take_news(&self) -> Vec<QueueId> {
        std::mem::take(&mut hold(&self.news))
    }
    /// `wake` is called, on the thread that made them, whenever there are news after there were none: it must not block.
    pub fn on_news(&self, wake: Waker) {
        *hold(&self.waker) = Some(wake);
    }
}
