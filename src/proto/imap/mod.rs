//! IMAP: the sessions of both sides.

pub mod client;

use crate::store::Store;

/// Slow work that a session asks for.
pub enum Job {}

/// What a job brought.
#[derive(Debug)]
pub enum Answer {}

impl Job {
    /// Does the work, on a pool thread.
    pub fn run(self, _store: &Store) -> Answer {
        match self {}
    }
}
