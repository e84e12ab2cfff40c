//! The TRANSACTION state: what is done with an open maildrop; and the UPDATE state, which ends it.

use super::super::{Block, Job};
use super::login::Phase;
use super::transaction::{Listed, Mark, Retrieving};
use super::{Doing, Server, Words};
use crate::limits;
use crate::proto::{self, Out};
use crate::store::StoreError;
use crate::wire::pop3::{Command, Outgoing};

impl Server {
    /// Commands of the TRANSACTION state.
    pub(super) fn transaction(&mut self, command: Command<'_>, out: &mut Out) {
        let Phase::Transaction(transaction) = &mut self.phase else {
            return self.refuse(Words::LogInFirst, out);
        };
        let done = match command {
            Command::Stat => {
                let left = transaction.left();
                out.line(format!("+OK {} {}", left.messages, left.octets).as_bytes());
                Ok(())
            }
            Command::List(None) => {
                self.doing = Doing::List {
                    what: Listed::Sizes,
                    next: 0,
                };
                self.say("+OK", Words::Listing(self.left()), out);
                Ok(())
            }
            Command::Uidl(None) => {
                self.doing = Doing::List {
                    what: Listed::Uids,
                    next: 0,
                };
                self.say("+OK", Words::UidsFollow, out);
                Ok(())
            }
            Command::List(Some(number)) => transaction.find(number).map(|index| {
                out.bytes(b"+OK ");
                out.with(|line| transaction.write(Listed::Sizes, index, line));
            }),
            Command::Uidl(Some(number)) => transaction.find(number).map(|index| {
                out.bytes(b"+OK ");
                out.with(|line| transaction.write(Listed::Uids, index, line));
            }),
            Command::Retr(number) => transaction.find(number).map(|index| {
                transaction.retrieving = Some(Retrieving {
                    index,
                    reply: Words::Octets(transaction.size(index)),
                    mark: Mark::Retrieved,
                });
                self.doing = Doing::Job;
                out.job(transaction.open(index, Outgoing::whole()));
            }),
            Command::Top { number, lines } => transaction.find(number).map(|index| {
                transaction.retrieving = Some(Retrieving {
                    index,
                    reply: Words::TopFollows,
                    mark: transaction.marks[index],
                });
                self.doing = Doing::Job;
                out.job(transaction.open(index, Outgoing::top(lines)));
            }),
            Command::Dele(number) => match transaction.find(number) {
                Ok(index) => {
                    let retrieved = transaction.marks[index] == Mark::Retrieved;
                    transaction.marks[index] = Mark::Deleted { retrieved };
                    self.say("+OK", Words::Marked(number), out);
                    Ok(())
                }
                Err(complaint) => Err(complaint),
            },
            Command::Rset => {
                transaction.reset();
                self.say("+OK", Words::NothingMarked(self.left()), out);
                Ok(())
            }
            Command::Last => {
                out.line(format!("+OK {}", transaction.last()).as_bytes());
                Ok(())
            }
            _ => {
                out.line(b"+OK");
                Ok(())
            }
        };
        match done {
            Ok(()) => self.proceed(out),
            Err(complaint) => self.refuse(complaint, out),
        }
    }

    pub(super) fn quit(&mut self, out: &mut Out) {
        let nobody = Phase::Authorization { name: None };
        match std::mem::replace(&mut self.phase, nobody) {
            Phase::Transaction(transaction) => {
                let (seen, deleted) = transaction.results();
                self.phase = Phase::Update {
                    deleted: deleted.len(),
                };
                let maildrop = transaction.maildrop;
                self.ask(
                    Job::Update {
                        maildrop,
                        seen,
                        deleted,
                    },
                    out,
                );
            }
            Phase::Authorization { .. } | Phase::Update { .. } => {
                self.say("+OK", Words::Bye, out);
                out.close();
            }
        }
    }

    pub(super) fn updated(&self, result: &Result<(), StoreError>, out: &mut Out) {
        let deleted = match self.phase {
            Phase::Update { deleted } => deleted,
            _ => 0,
        };
        match (result, deleted) {
            // Marking as seen is nobody's wish but ours: its failure is no failure of QUIT.
            (Ok(()) | Err(_), 0) => self.say("+OK", Words::ByeNothingDeleted, out),
            (Ok(()), deleted) => self.say("+OK", Words::ByeDeleted(deleted), out),
            // RFC 1939 §6
            (Err(_), _) => self.say("-ERR", Words::NotDeleted, out),
        }
        out.close();
    }

    /// A block of a message has come.
    pub(super) fn block(&mut self, block: Result<Block, StoreError>, out: &mut Out) {
        let begun = match &mut self.phase {
            Phase::Transaction(transaction) => transaction.retrieving.take().map(|retrieving| {
                if block.is_ok() {
                    transaction.begun(&retrieving);
                }
                retrieving.reply
            }),
            _ => None,
        };
        match (block, begun) {
            (Ok(block), begun) => {
                if let Some(reply) = begun {
                    self.say("+OK", reply, out);
                }
                out.block(block.octets);
                match block.rest {
                    Some(rest) => self.doing = Doing::Send(rest),
                    None => self.doing = Doing::Command,
                }
                self.proceed(out);
            }
            (Err(StoreError::NoSuchMessage), Some(_)) => {
                self.say("-ERR", Words::MessageGone, out);
                self.rest(out);
            }
            (Err(_), Some(_)) => {
                self.say("-ERR", Words::CannotRead, out);
                self.rest(out);
            }
            // Half of it is said. Whatever is said now would be taken for text, and the dot alone for its end.
            (Err(_), None) => out.close(),
        }
    }

    /// Says as much as there is room for of what the session is in the middle of.
    pub(super) fn proceed(&mut self, out: &mut Out) {
        if let (Doing::List { what, next }, Phase::Transaction(transaction)) =
            (&mut self.doing, &self.phase)
        {
            while *next < transaction.marks.len() {
                if out.is_full() {
                    return;
                }
                out.with(|lines| {
                    let end = lines.len() + limits::BLOCK;
                    while lines.len() < end && *next < transaction.marks.len() {
                        if !transaction.is_deleted(*next) {
                            transaction.write(*what, *next, lines);
                        }
                        *next += 1;
                    }
                });
            }
            out.line(b".");
            self.doing = Doing::Command;
        }
        if matches!(self.doing, Doing::Send(_))
            && !out.is_full()
            && let Doing::Send(reading) = std::mem::replace(&mut self.doing, Doing::Job)
        {
            out.job(proto::Job::Pop3(Job::Read(reading)));
        }
        if matches!(self.doing, Doing::Command) {
            self.rest(out);
        }
    }
}
