//! What a session and whoever gives it messages share: messages one way, outcomes the other.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Message, Outcome};
use crate::proto::TlsInfo;
use crate::proto::smtp::client::Failure;

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

    /// Takes the messages that were not begun.
    pub fn undone(&self) -> Vec<Message> {
        self.papers().waiting.drain(..).collect()
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
