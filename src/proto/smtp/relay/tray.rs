//! What a session and whoever gives it messages share: messages one way, outcomes the other.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::{Message, Outcome};
use crate::proto::TlsInfo;
use crate::proto::smtp::terms::{Failure, Stage};
use crate::wire::smtp::Reply;

/// Messages for a session, and what it has to tell. Cheap to clone; all clones are the same tray.
///
/// The session says [`Out::notify`](crate::proto::Out::notify) whenever it has put something in; whoever puts a message in while the
/// connection stands says [`Orders::nudge`](crate::reactor::driver::Orders::nudge).
#[derive(Clone, Default)]
pub struct Tray(Arc<Mutex<Papers>>);

#[derive(Default)]
struct Papers {
    waiting: VecDeque<Message>,
    outcomes: Vec<Outcome>,
    closed: bool,
    idle: bool,
    server: Server,
    failure: Option<Failure>,
    /// All replies, where somebody wants to see them.
    heard: Option<Vec<Heard>>,
    halted: bool,
}

/// A reply, and what it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// To what.
    pub stage: Stage,
    /// To the RCPT of this recipient of the message.
    pub place: Option<usize>,
    /// What was said.
    pub reply: Reply,
    /// When.
    pub at: Option<Instant>,
}

/// What a session does next.
pub(super) enum Next {
    Message(Box<Message>),
    /// There may come more.
    Wait,
    /// There comes no more.
    Over,
}

/// What is known of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// What it calls itself in its greeting; empty before that.
    pub name: String,
    /// The TLS between us.
    pub tls: Option<TlsInfo>,
    /// What it offered, a line each, as it stood after EHLO.
    pub offers: Vec<String>,
}

impl Tray {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a message in, behind the others.
    pub fn give(&self, message: Message) {
        let mut papers = self.papers();
        papers.idle = false;
        papers.waiting.push_back(message);
    }

    /// No more will come: the session says QUIT after the last.
    pub fn close(&self) {
        self.papers().closed = true;
    }

    /// Takes the outcomes that there are, in the order in which the messages were given.
    pub fn outcomes(&self) -> Vec<Outcome> {
        std::mem::take(&mut self.papers().outcomes)
    }

    /// Whether the session is logged in and ready, and has nothing to do.
    pub fn is_idle(&self) -> bool {
        self.papers().idle
    }

    /// What is known of the server.
    pub fn server(&self) -> Server {
        self.papers().server.clone()
    }

    /// Takes the reason why the session ended otherwise than by its own QUIT, as far as it was said in the dialogue.
    pub fn failure(&self) -> Option<Failure> {
        self.papers().failure.take()
    }

    /// Has all replies kept.
    pub fn keep_replies(&self) {
        self.papers().heard.get_or_insert_default();
    }

    /// Takes the replies that were kept.
    pub fn heard(&self) -> Vec<Heard> {
        let mut papers = self.papers();
        papers
            .heard
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Whether the session ended where it was to end before its time.
    pub fn is_halted(&self) -> bool {
        self.papers().halted
    }

    /// Takes the messages that were not begun.
    pub fn undone(&self) -> Vec<Message> {
        self.papers().waiting.drain(..).collect()
    }

    /// What the session does next.
    pub(super) fn next(&self) -> Next {
        let mut papers = self.papers();
        match papers.waiting.pop_front() {
            Some(message) => Next::Message(Box::new(message)),
            None if papers.closed => Next::Over,
            None => {
                papers.idle = true;
                Next::Wait
            }
        }
    }

    pub(super) fn put(&self, outcome: Outcome) {
        self.papers().outcomes.push(outcome);
    }

    pub(super) fn set_idle(&self, idle: bool) {
        self.papers().idle = idle;
    }

    pub(super) fn set_halted(&self) {
        self.papers().halted = true;
    }

    pub(super) fn hear(&self, heard: Heard) {
        if let Some(all) = &mut self.papers().heard {
            all.push(heard);
        }
    }

    /// The first one counts.
    pub(super) fn set_failure(&self, failure: Failure) {
        self.papers().failure.get_or_insert(failure);
    }

    pub(super) fn set_tls(&self, tls: &TlsInfo) {
        self.papers().server.tls = Some(tls.clone());
    }

    /// RFC 5321 §4.2: the first word of a greeting is the server's name.
    pub(super) fn set_name(&self, greeting: &Reply) {
        let first = greeting.lines.first();
        let word = first.and_then(|line| line.split_ascii_whitespace().next());
        word.unwrap_or_default()
            .clone_into(&mut self.papers().server.name);
    }

    pub(super) fn set_offers(&self, reply: &Reply) {
        let offers = reply.lines.iter().skip(1).map(ToString::to_string);
        self.papers().server.offers = offers.collect();
    }

    /// No panic can leave it halfway changed, so poison means nothing here.
    fn papers(&self) -> MutexGuard<'_, Papers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tray {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let papers = self.papers();
        formatter
            .debug_struct("Tray")
            .field("waiting", &papers.waiting.len())
            .field("outcomes", &papers.outcomes)
            .field("failure", &papers.failure)
            .finish_non_exhaustive()
    }
}
