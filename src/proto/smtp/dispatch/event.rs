//! What a dispatcher is told, and what it wishes.

use std::sync::Arc;

use super::outcome::{Outcome, Verdict};
use super::path::{Found, Question, Target};
use super::policy::{Dialect, Secret, Tls, Whose};
use crate::store::QueueId;
use crate::store::queue::Queued;
use crate::wire::smtp::Reply;

/// What happens.
#[derive(Clone, Debug)]
pub enum Event {
    /// A message is in the queue, or was changed there by somebody else (held, released).
    Entry {
        /// As it stands now.
        queued: Arc<Queued>,
        /// Whose domain each recipient's is, in their order.
        whose: Vec<Whose>,
    },
    /// A message is not in the queue any more.
    Gone(QueueId),
    /// What waits is tried now.
    Flush(Which),
    /// The resolver has an answer.
    Found {
        /// To what.
        question: Question,
        /// What.
        found: Found,
    },
    /// A connection stands, and the server is ready for a message.
    Connected {
        /// Which.
        connection: u64,
    },
    /// It does not come to that.
    NotConnected {
        /// Which.
        connection: u64,
        /// Why, as a server would say it, or did.
        reply: Reply,
    },
    /// A message has been sent, or refused; the connection is ready for another one, unless it is closed next.
    Sent {
        /// Which.
        connection: u64,
        /// By the recipients' places in the envelope.
        verdicts: Vec<(usize, Verdict)>,
    },
    /// A connection has ended, whoever ended it.
    Closed {
        /// Which.
        connection: u64,
        /// Why, if not because we wished so.
        why: Option<String>,
    },
    /// A message has been put into mailboxes here, or not.
    Delivered {
        /// Of [`Wish::Deliver`].
        errand: u64,
        /// By the recipients' places in the envelope.
        verdicts: Vec<(usize, Verdict)>,
    },
    /// What became of an errand is written down, or could not be.
    Recorded {
        /// Of [`Wish::Record`].
        errand: u64,
        /// Whether it is.
        written: Written,
    },
}

/// Whether something is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// For good; or there was nothing left to write about.
    Yes,
    /// The disk refused.
    No,
}

/// Which messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// This one.
    Message(QueueId),
    /// Those with recipients of this domain.
    Domain(String),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Find this out.
    Resolve(Question),
    /// Connect, and get ready for a message.
    Connect {
        /// What it is called from now on; never used twice.
        connection: u64,
        /// Where to.
        target: Target,
        /// What is wanted of TLS.
        tls: Tls,
        /// What is spoken.
        dialect: Dialect,
        /// Who logs in.
        login: Option<Secret>,
    },
    /// Send a message over a connection that is ready.
    Send {
        /// Which.
        connection: u64,
        /// The message.
        id: QueueId,
        /// For whom: places in the envelope.
        recipients: Vec<usize>,
    },
    /// Tell whoever asks for a message's journey that a server did not take it, and that the next one is asked.
    AskedNext {
        /// The message.
        id: QueueId,
        /// Whom it was for: places in the envelope.
        recipients: Vec<usize>,
        /// What the server said, or what became of the way to it.
        reply: Arc<Reply>,
        /// Who said so, if a server did.
        remote: Option<Arc<str>>,
        /// Who is asked now.
        next: Target,
    },
    /// Say goodbye.
    Close {
        /// To which.
        connection: u64,
    },
    /// Put a message into mailboxes here.
    Deliver {
        /// What it is called.
        errand: u64,
        /// The message.
        id: QueueId,
        /// For whom: places in the envelope.
        recipients: Vec<usize>,
    },
    /// Write down what became of recipients, and tell who is to be told.
    Record {
        /// What it is called.
        errand: u64,
        /// The message.
        id: QueueId,
        /// What became of them.
        outcomes: Vec<Outcome>,
    },
}
