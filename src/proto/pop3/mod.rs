//! POP3: the sessions of both sides, and the slow work that the server's asks for.

pub mod client;
pub mod server;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::limits;
use crate::store::{
    Account, Ahead, AuthError, Extent, FlagChange, Flags, Index, Mailbox, MaildropLock, Store,
    StoreError, Told,
};
use crate::wire::pop3::Outgoing;
use crate::wire::sasl::{Credentials, Question, ScramKeys};

/// Slow work that a session asks for.
pub enum Job {
    /// Lets somebody in by a password, and opens the maildrop: answered by [`Answer::Login`].
    Login(Credentials),
    /// The same by what is no password: answered by [`Answer::Login`], or by [`Answer::Keys`] where more is to be said.
    Ask(Question),
    /// Opens the maildrop of who has proved who it is: answered by [`Answer::Login`].
    Enter(Account),
    /// Opens a message and reads its first block: answered by [`Answer::Block`].
    Open {
        /// Where it is.
        mailbox: Arc<Mailbox>,
        /// What else there is.
        index: Arc<Index>,
        /// What is read before its turn.
        ahead: Arc<Mutex<Ahead>>,
        /// Which it is.
        uid: u32,
        /// What of it goes out.
        outgoing: Outgoing,
    },
    /// Reads the next block: answered by [`Answer::Block`].
    Read(Reading),
    /// The UPDATE state (RFC 1939 §6), and the lock is let go: answered by [`Answer::Updated`].
    Update {
        /// The maildrop, which ends here.
        maildrop: Box<Maildrop>,
        /// UIDs of messages that were retrieved, ascending.
        seen: Vec<u32>,
        /// UIDs of messages that are to be removed, ascending.
        deleted: Vec<u32>,
    },
}

/// What a job brought.
#[derive(Debug)]
pub enum Answer {
    /// Of [`Job::Login`], [`Job::Ask`] and [`Job::Enter`].
    Login(Result<Box<Maildrop>, LoginError>),
    /// Of [`Job::Ask`]: what a proof is to be checked with, and what then holds.
    Keys(ScramKeys, Result<Account, AuthError>),
    /// Of [`Job::Open`] and [`Job::Read`].
    Block(Result<Block, StoreError>),
    /// Of [`Job::Update`].
    Updated(Result<(), StoreError>),
}

/// An account's INBOX as one session sees it: locked, and its messages numbered for good (RFC 1939 §4, §5).
#[derive(Debug)]
pub struct Maildrop {
    /// Whose it is.
    pub account: Account,
    /// What is in it.
    pub index: Arc<Index>,
    /// Where it is.
    pub mailbox: Arc<Mailbox>,
    /// What is read before its turn.
    pub ahead: Arc<Mutex<Ahead>>,
    /// Keeps other POP3 sessions out.
    _lock: MaildropLock,
}

/// Why there is no maildrop.
#[derive(Debug)]
pub enum LoginError {
    /// It is not who it says, or nobody that it may act as.
    Refused(AuthError),
    /// The maildrop cannot be opened.
    Store(StoreError),
}

/// Octets ready to be sent, dot-stuffed.
#[derive(Debug)]
pub struct Block {
    /// At least one octet: the last block ends with the dot alone.
    pub octets: Vec<u8>,
    /// What comes after them; `None` after the last.
    pub rest: Option<Reading>,
}

/// A message that is being sent.
#[derive(Debug)]
pub struct Reading {
    source: Source,
    at: u64,
    outgoing: Outgoing,
}

#[derive(Debug)]
enum Source {
    /// The file as it is: never more than a block of it in memory.
    Extent(Extent),
    /// A text that had to be made from the file.
    Memory(Vec<u8>),
}

impl Job {
    /// Whether it takes the processor more than the disk: passwords are hashed.
    pub const fn is_login(&self) -> bool {
        matches!(self, Self::Login(_) | Self::Ask(_))
    }

    /// Does the work, on a pool thread.
    pub fn run(self, store: &Store) -> Answer {
        match self {
            Self::Login(credentials) => {
                Answer::Login(enter(store, store.users().verify(&credentials)))
            }
            Self::Ask(question) => match store.users().tell(&question) {
                Told::Verdict(result) => Answer::Login(enter(store, result)),
                Told::Keys(keys, verdict) => Answer::Keys(keys, verdict),
            },
            Self::Enter(account) => Answer::Login(enter(store, Ok(account))),
            Self::Open {
                mailbox,
                index,
                ahead,
                uid,
                outgoing,
            } => {
                let next = |uid: u32, most: usize| {
                    let after = index.messages.partition_point(|entry| entry.uid <= uid);
                    let next = index.messages[after..].iter().take(most);
                    next.map(|entry| entry.uid).collect()
                };
                let load = || open(&mailbox, &index, uid, outgoing);
                // A session has one job at a time: nobody else holds it.
                let mut ahead = ahead.lock().unwrap_or_else(PoisonError::into_inner);
                Answer::Block(ahead.load(&mailbox, uid, next, load))
            }
            Self::Read(reading) => Answer::Block(reading.block().map_err(StoreError::Io)),
            Self::Update {
                maildrop,
                seen,
                deleted,
            } => Answer::Updated(update(&maildrop.mailbox, &seen, &deleted)),
        }
    }
}

fn enter(store: &Store, who: Result<Account, AuthError>) -> Result<Box<Maildrop>, LoginError> {
    let account = who.map_err(LoginError::Refused)?;
    let lock = store.lock_maildrop(&account).map_err(LoginError::Store)?;
    let mailbox = store
        .mailbox(&account, "INBOX")
        .map_err(LoginError::Store)?;
    let index = mailbox.sync().map_err(LoginError::Store)?;
    Ok(Box::new(Maildrop {
        account,
        index,
        mailbox,
        ahead: Arc::default(),
        _lock: lock,
    }))
}

fn open(
    mailbox: &Mailbox,
    index: &Index,
    uid: u32,
    outgoing: Outgoing,
) -> Result<Block, StoreError> {
    let at = index.messages.binary_search_by_key(&uid, |entry| entry.uid);
    let is_short = at.is_ok_and(|at| index.messages[at].size < limits::IMAP_EXTENT);
    let source = if is_short {
        let mut text = Vec::new();
        mailbox.read_onto(uid, &mut text, |_, _| {})?;
        Source::Memory(text)
    } else {
        match mailbox.extent(uid)? {
            Some(extent) => Source::Extent(extent),
            None => Source::Memory(mailbox.read(uid)?),
        }
    };
    let reading = Reading {
        source,
        at: 0,
        outgoing,
    };
    reading.block().map_err(StoreError::Io)
}

/// Removes first: should marking fail, what the client was promised is done.
fn update(mailbox: &Mailbox, seen: &[u32], deleted: &[u32]) -> Result<(), StoreError> {
    if !deleted.is_empty() {
        mailbox.expunge(deleted)?;
    }
    if !seen.is_empty() {
        mailbox.change_flags(seen, FlagChange::Add, Flags::SEEN)?;
    }
    Ok(())
}

impl Reading {
    /// The next block: at most [`limits::SEND_HIGH`] octets of the message, and their dots.
    fn block(mut self) -> io::Result<Block> {
        let mut octets = Vec::new();
        let left = match &self.source {
            Source::Extent(extent) => {
                let left = extent.octets().saturating_sub(self.at);
                let mut text = vec![0; block_octets(left)];
                let mut filled = 0;
                while filled < text.len() {
                    let room = &mut text[filled..];
                    match extent.read_at(room, self.at + filled as u64)? {
                        0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                        read => filled += read,
                    }
                }
                octets.reserve_exact(filled + filled / 64 + END_OCTETS);
                self.outgoing.pass(&text, &mut octets);
                self.at += filled as u64;
                left - filled as u64
            }
            Source::Memory(text) => {
                let rest = usize::try_from(self.at).map_or(&[][..], |at| &text[at..]);
                let piece = &rest[..block_octets(rest.len() as u64)];
                octets.reserve_exact(piece.len() + piece.len() / 64 + END_OCTETS);
                self.outgoing.pass(piece, &mut octets);
                self.at += piece.len() as u64;
                (rest.len() - piece.len()) as u64
            }
        };
        let rest = if left == 0 || self.outgoing.is_enough() {
            self.outgoing.end(&mut octets);
            None
        } else {
            Some(self)
        };
        Ok(Block { octets, rest })
    }
}

fn block_octets(left: u64) -> usize {
    usize::try_from(left).map_or(limits::SEND_HIGH, |left| left.min(limits::SEND_HIGH))
}

/// Octets of the longest end of a text: a line end, and the dot alone.
const END_OCTETS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(text: &[u8], outgoing: Outgoing) -> (Vec<u8>, usize) {
        let mut reading = Some(Reading {
            source: Source::Memory(text.to_vec()),
            at: 0,
            outgoing,
        });
        let (mut all, mut blocks) = (Vec::new(), 0);
        while let Some(more) = reading {
            let block = more.block().expect("memory can be read");
            assert!(!block.octets.is_empty());
            assert!(block.octets.len() <= 2 * limits::SEND_HIGH + END_OCTETS);
            all.extend(block.octets);
            blocks += 1;
            reading = block.rest;
        }
        (all, blocks)
    }

    #[test]
    fn a_long_message_comes_in_blocks_and_whole() {
        let line = b".............................................................\r\n";
        let text = [b"A: b\r\n\r\n", &line.repeat(20_000)[..]].concat();
        let (all, blocks) = sent(&text, Outgoing::whole());
        assert_eq!(blocks, text.len().div_ceil(limits::SEND_HIGH));
        assert_eq!(all.len(), text.len() + 20_000 + 3);
        assert!(all.ends_with(b"...\r\n.\r\n"));
    }

    #[test]
    fn top_reads_no_further_than_it_needs() {
        let text = [b"A: b\r\n\r\n", &b"line\r\n".repeat(200_000)[..]].concat();
        let (all, blocks) = sent(&text, Outgoing::top(1));
        assert_eq!(all, b"A: b\r\n\r\nline\r\n.\r\n");
        assert_eq!(blocks, 1);
    }

    #[test]
    fn an_empty_message_is_a_dot() {
        assert_eq!(sent(b"", Outgoing::whole()), (b".\r\n".to_vec(), 1));
    }
}
