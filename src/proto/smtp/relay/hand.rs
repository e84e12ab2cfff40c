//! The message that is being sent, and how far it has come.

use std::collections::VecDeque;

use super::text::Nature;
use super::wishes::Wishes;
use super::{Fate, Message, Outcome};
use crate::wire::dots::Stuffer;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Rset,
    Mail,
    /// By its place in the envelope.
    Rcpt(usize),
    Data,
    Bdat,
}

/// The message that is being sent.
pub(super) struct Hand {
    pub(super) message: Message,
    pub(super) fates: Vec<Option<Fate>>,
    pub(super) wishes: Wishes,
    pub(super) nature: Option<Nature>,
    /// The commands of the envelope that are not sent yet.
    pub(super) to_send: VecDeque<Command>,
    /// Sent; the first is being answered.
    pub(super) sent: VecDeque<Command>,
    /// The recipients that the server took, by their place in the envelope.
    pub(super) accepted: Vec<usize>,
    /// Octets of a chunk, where it goes in several.
    pub(super) chunk_octets: u64,
    /// The server has no use for the text: sender or message were refused.
    pub(super) refused: bool,
    /// Octets of the text that have been given to the connection.
    pub(super) octets: u64,
    pub(super) stuffer: Stuffer,
}

impl Hand {
    pub(super) fn new(message: Message) -> Self {
        let recipients = message.envelope.recipients.len();
        Self {
            message,
            fates: vec![None; recipients],
            wishes: Wishes::default(),
            nature: None,
            to_send: VecDeque::new(),
            sent: VecDeque::new(),
            accepted: Vec::new(),
            chunk_octets: u64::MAX,
            refused: false,
            octets: 0,
            stuffer: Stuffer::new(),
        }
    }

    pub(super) fn line(&self, command: Command) -> String {
        let envelope = &self.message.envelope;
        match command {
            Command::Rset => "RSET".to_owned(),
            Command::Mail => self.wishes.mail(envelope.reverse_path.as_ref()),
            Command::Rcpt(place) => self.wishes.rcpt(&envelope.recipients[place]),
            Command::Data | Command::Bdat => "DATA".to_owned(),
        }
    }

    /// Whether there is one that does not get it.
    pub(super) fn is_anybody_refused(&self) -> bool {
        self.fates.iter().any(Option::is_some)
    }

    /// The same for all whose fate is not known yet.
    pub(super) fn settle_rest(&mut self, fate: &Fate) {
        for unknown in self.fates.iter_mut().filter(|fate| fate.is_none()) {
            *unknown = Some(fate.clone());
        }
    }

    pub(super) fn outcome(self, rest: impl Fn() -> Fate) -> Outcome {
        let fates = self.fates.into_iter();
        Outcome {
            word: self.message.word,
            fates: fates.map(|fate| fate.unwrap_or_else(&rest)).collect(),
            passed_on: self.wishes.passed_on,
        }
    }
}
