//! One queued message: what is known of it, and what can happen to it. No I/O.

use std::fmt;
use std::str::FromStr;

use crate::limits;
use crate::wire::envelope::Envelope;

/// What a queued message is called: in the reply that took it, in the log, on disk. Letters, digits, `-`, `_` and dots,
/// never a dot first, at most [`limits::QUEUE_ID`] octets: it is a file name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueId(std::sync::Arc<str>);

impl QueueId {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QueueId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A word that cannot be a [`QueueId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoQueueId;

impl fmt::Display for NoQueueId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no message is called so: `mailtool serve queue list` shows the names")
    }
}

impl std::error::Error for NoQueueId {}

impl FromStr for QueueId {
    type Err = NoQueueId;

    fn from_str(text: &str) -> Result<Self, NoQueueId> {
        let fits = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
        let is_name = !text.is_empty()
            && text.len() <= limits::QUEUE_ID
            && !text.starts_with('.')
            && text.bytes().all(fits);
        if is_name {
            Ok(Self(text.into()))
        } else {
            Err(NoQueueId)
        }
    }
}

/// A message in the queue, as it stands now. Never changes: a change makes a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// Its name.
    pub id: QueueId,
    /// When it was taken, seconds since 1970.
    pub arrival: i64,
    /// Octets of the message as it goes on, CRLF line ends.
    pub octets: u64,
    /// Octets before it in its file that are for mailboxes here only (Return-Path, Delivered-To).
    pub preface: u64,
    /// For whom it is, and how. Every recipient is final: what an alias stood for is in its place.
    pub envelope: Envelope,
    /// How far each of the envelope's recipients is, in their order.
    pub recipients: Vec<Progress>,
    /// Nothing is tried until it is released.
    pub held: bool,
}

/// How far one recipient is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is to be done.
    pub state: State,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was tried last, seconds since 1970.
    pub last_attempt: Option<i64>,
    /// What the last attempt was answered; its lines are parted by `\n`. At most [`limits::QUEUE_REPLY`] octets.
    pub last_reply: Option<String>,
    /// The sender was told that it is late.
    pub delay_reported: bool,
}

/// What is to be done about a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// To be tried at this moment, seconds since 1970, or later.
    Waiting(i64),
    /// It is there.
    Delivered,
    /// It will never be there.
    Failed,
}

impl Progress {
    pub(super) const fn new(next: i64) -> Self {
        Self {
            state: State::Waiting(next),
            attempts: 0,
            last_attempt: None,
            last_reply: None,
            delay_reported: false,
        }
    }
    /// Whether something is still to be done.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Waiting(_))
    }
}

/// What happens to a queued message. `index` is a recipient's place in the envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was delivered, or passed on: who took it said `reply`.
    Delivered {
        /// The recipient.
        index: usize,
        /// What was said.
        reply: String,
    },
    /// It was refused for good.
    Failed {
        /// The recipient.
        index: usize,
        /// What was said.
        reply: String,
    },
    /// It was tried, and will be again.
    Deferred {
        /// The recipient.
        index: usize,
        /// When, seconds since 1970.
        next: i64,
        /// What was said.
        reply: String,
    },
    /// The sender was told that it is late.
    DelayReported {
        /// The recipient.
        index: usize,
    },
    /// Nothing is tried until it is released.
    Hold,
    /// It goes on, at once.
    Release,
    /// Everything that waits is tried at once.
    Flush,
    /// It is thrown away, and nobody is told.
    Drop,
}

impl Queued {
    /// The earliest moment at which something is to be done, seconds since 1970; `None` when nothing is, or it is held.
    pub fn next(&self) -> Option<i64> {
        if self.held {
            return None;
        }
        let open = self
            .recipients
            .iter()
            .filter_map(|progress| match progress.state {
                State::Waiting(next) => Some(next),
                State::Delivered | State::Failed => None,
            });
        open.min()
    }

    /// Whether nothing is left to be done: it leaves the queue.
    pub fn is_done(&self) -> bool {
        !self.recipients.iter().any(Progress::is_open)
    }

    /// Whether what the change ends has ended; `None` when it ends nothing.
    pub(super) fn has_ended(&self, change: &Change) -> Option<bool> {
        let of = |index: &usize| self.recipients.get(*index);
        match change {
            Change::Delivered { index, .. } | Change::Failed { index, .. } => {
                Some(of(index).is_some_and(|progress| !progress.is_open()))
            }
            Change::DelayReported { index } => {
                Some(of(index).is_some_and(|progress| progress.delay_reported))
            }
            _ => None,
        }
    }

    /// What a change at `moment` makes of it. One of a recipient that is not there, or is done, changes nothing.
    pub(super) fn apply(&mut self, moment: i64, change: &Change) {
        match change {
            Change::Delivered { index, reply } => {
                self.attempt(*index, moment, State::Delivered, reply);
            }
            Change::Failed { index, reply } => self.attempt(*index, moment, State::Failed, reply),
            Change::Deferred { index, next, reply } => {
                self.attempt(*index, moment, State::Waiting(*next), reply);
            }
            Change::DelayReported { index } => {
                if let Some(progress) = self.recipients.get_mut(*index) {
                    progress.delay_reported = true;
                }
            }
            Change::Hold => self.held = true,
            Change::Release => {
                self.held = false;
                self.hasten(moment);
            }
            Change::Flush => self.hasten(moment),
            Change::Drop => {
                for progress in &mut self.recipients {
                    if progress.is_open() {
                        progress.state = State::Failed;
                    }
                }
            }
        }
    }

    fn attempt(&mut self, index: usize, moment: i64, state: State, reply: &str) {
        let Some(progress) = self.recipients.get_mut(index).filter(|one| one.is_open()) else {
            return;
        };
        progress.state = state;
        progress.attempts = progress.attempts.saturating_add(1);
        progress.last_attempt = Some(moment);
        progress.last_reply = Some(bounded(reply).to_owned());
    }

    fn hasten(&mut self, moment: i64) {
        for progress in &mut self.recipients {
            if let State::Waiting(next) = &mut progress.state {
                *next = moment.min(*next);
            }
        }
    }
}

/// The beginning of a reply, as much as is kept.
fn bounded(reply: &str) -> &str {
    &reply[..reply.floor_char_boundary(limits::QUEUE_REPLY)]
}
