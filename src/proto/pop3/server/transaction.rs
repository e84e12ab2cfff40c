//! An open maildrop, and what was done with its messages.
//!
//! Messages keep the number and the size that they had when the maildrop was opened (RFC 1939 §5). Here is only what the
//! client wishes; the store learns of it in the UPDATE state.

use std::io::Write;
use std::sync::Arc;

use super::words::{Left, Words};
use crate::proto;
use crate::proto::pop3::{Job, Maildrop};
use crate::store::{Entry, Flags};
use crate::wire::pop3::Outgoing;

/// An open maildrop, and what was done with it.
pub(super) struct Transaction {
    pub(super) maildrop: Box<Maildrop>,
    /// One for each message of the index.
    pub(super) marks: Vec<Mark>,
    /// The message that is being retrieved, counted from 0, and how its reply begins.
    pub(super) retrieving: Option<Retrieving>,
    /// The highest number that was ever retrieved, before this session began and now: LAST.
    last: (usize, usize),
}

/// A message that RETR or TOP asked for, before its first block has come.
pub(super) struct Retrieving {
    pub(super) index: usize,
    pub(super) reply: Words<'static>,
    pub(super) mark: Mark,
}

/// What the client has done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    None,
    Retrieved,
    /// Marked by DELE; RSET takes it back to what it was before.
    Deleted {
        retrieved: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
/// What the lines of a list say.
pub(super) enum Listed {
    Sizes,
    Uids,
}

impl Transaction {
    pub(super) fn new(maildrop: Box<Maildrop>) -> Self {
        let seen = |entry: &Entry| entry.flags.contains(Flags::SEEN);
        let last = maildrop.index.messages.iter().rposition(seen);
        let last = last.map_or(0, |index| index + 1);
        Self {
            marks: vec![Mark::None; maildrop.index.messages.len()],
            maildrop,
            retrieving: None,
            last: (last, last),
        }
    }

    /// Whose maildrop it is.
    pub(super) fn user(&self) -> &str {
        &self.maildrop.account.name
    }

    /// The index of a message that is there and not marked as deleted; else what to tell.
    pub(super) fn find(&self, number: u32) -> Result<usize, Words<'static>> {
        let messages = self.marks.len();
        let index = usize::try_from(number)
            .ok()
            .and_then(|number| number.checked_sub(1))
            .filter(|index| *index < messages);
        match index {
            Some(index) if self.is_deleted(index) => Err(Words::MarkedAlready(number)),
            Some(index) => Ok(index),
            None if messages == 0 => Err(Words::NoMessages),
            None => Err(Words::NoSuchMessage(messages)),
        }
    }

    pub(super) fn is_deleted(&self, index: usize) -> bool {
        matches!(self.marks[index], Mark::Deleted { .. })
    }

    pub(super) fn size(&self, index: usize) -> u64 {
        self.maildrop.index.messages[index].size
    }

    /// What is not marked as deleted.
    pub(super) fn left(&self) -> Left {
        let nothing = Left {
            messages: 0,
            octets: 0,
        };
        (0..self.marks.len())
            .filter(|&index| !self.is_deleted(index))
            .fold(nothing, |left, index| Left {
                messages: left.messages + 1,
                octets: left.octets + self.size(index),
            })
    }

    /// The highest number that was retrieved, in this session or one before; 0: none.
    pub(super) const fn last(&self) -> usize {
        self.last.1
    }

    /// A message is on its way: its mark is what was wished.
    pub(super) fn begun(&mut self, retrieving: &Retrieving) {
        self.marks[retrieving.index] = retrieving.mark;
        if retrieving.mark == Mark::Retrieved {
            self.last.1 = self.last.1.max(retrieving.index + 1);
        }
    }

    /// A line of LIST or UIDL.
    pub(super) fn write(&self, what: Listed, index: usize, line: &mut Vec<u8>) {
        let number = index + 1;
        let entry = &self.maildrop.index.messages[index];
        // Writing into a vector cannot fail.
        let _ = match what {
            Listed::Sizes => write!(line, "{number} {}\r\n", entry.size),
            // Dovecot: pop3_uidl_format = %08Xu%08Xv, which prints small letters.
            Listed::Uids => write!(
                line,
                "{number} {:08x}{:08x}\r\n",
                entry.uid, self.maildrop.index.uid_validity
            ),
        };
    }

    pub(super) fn open(&self, index: usize, outgoing: Outgoing) -> proto::Job {
        proto::Job::Pop3(Job::Open {
            mailbox: Arc::clone(&self.maildrop.mailbox),
            index: Arc::clone(&self.maildrop.index),
            ahead: Arc::clone(&self.maildrop.ahead),
            uid: self.maildrop.index.messages[index].uid,
            outgoing,
        })
    }

    /// RSET (RFC 1460 for LAST: as it was when the session began).
    pub(super) fn reset(&mut self) {
        self.last.1 = self.last.0;
        for mark in &mut self.marks {
            *mark = match *mark {
                Mark::Deleted { retrieved: true } => Mark::Retrieved,
                Mark::Deleted { retrieved: false } => Mark::None,
                other => other,
            };
        }
    }

    /// UIDs of the messages that were only retrieved, and of those that are to go.
    pub(super) fn results(&self) -> (Vec<u32>, Vec<u32>) {
        let uids = |wanted: fn(Mark) -> bool| {
            self.maildrop
                .index
                .messages
                .iter()
                .zip(&self.marks)
                .filter(|(_, mark)| wanted(**mark))
                .map(|(entry, _)| entry.uid)
                .collect()
        };
        (
            uids(|mark| mark == Mark::Retrieved),
            uids(|mark| matches!(mark, Mark::Deleted { .. })),
        )
    }
}
