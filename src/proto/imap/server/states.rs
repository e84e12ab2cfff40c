//! What a session is: who its client is, what it has switched on, which mailbox is selected, and what it is in the middle of.

use std::sync::Arc;
use std::time::Instant;

use super::message::Message;
use super::pending::{Pending, Rest, Verdict, Waking};
use super::reply::Reply;
use crate::proto::imap::awareness::Awareness;
use crate::proto::imap::context::Context;
use crate::proto::imap::view::View;
use crate::proto::imap::work::Watched;
use crate::proto::login::Origin;
use crate::proto::{Epoch, Refused as Refusal};
use crate::store::{Account, Subscription};
use crate::wire::imap::fetch::Item;
use crate::wire::imap::scan::{Fault, Problem, Speech};
use crate::wire::imap::set::Ranges;
use crate::wire::sasl::Exchange;

/// What is needed of who connected.
pub(super) struct Caller {
    pub(super) token: u64,
    pub(super) origin: Origin,
    pub(super) accepted: Epoch,
    pub(super) seed: [u8; 16],
    pub(super) refused: Option<Refusal>,
}

/// What the client has switched on by ENABLE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Switched {
    /// IMAP4rev2: nothing is recent any more, SEARCH answers with ESEARCH, names are UTF-8 (RFC 9051 appendix A).
    pub(super) rev2: bool,
    /// UTF8=ACCEPT (RFC 6855).
    pub(super) utf8: bool,
    /// UIDONLY (RFC 9586): there are no message numbers.
    pub(super) uid_only: bool,
    /// CONDSTORE, QRESYNC (RFC 7162).
    pub(super) aware: Awareness,
    /// METADATA: up to which change of notes the client was told (RFC 5464 §4.1).
    pub(super) notes: Option<u64>,
}

impl Switched {
    /// What the client's octets mean, and how names are told to it.
    pub(super) const fn speech(self) -> Speech {
        match self {
            Self { utf8: true, .. } => Speech::Utf8Only,
            Self { rev2: true, .. } => Speech::Utf8,
            Self { .. } => Speech::Utf7,
        }
    }
}

/// The states of RFC 3501 §3.
pub(super) enum Phase {
    NotAuthenticated,
    Authenticated(Account),
    Selected(Account, Box<Selected>),
}

/// The selected mailbox.
pub(super) struct Selected {
    pub(super) name: String,
    pub(super) watched: Watched,
    pub(super) view: View,
    /// NOTIFY: changes are told at once.
    pub(super) subscription: Option<Subscription>,
    /// New messages of which more is to be told, by UID: what NOTIFY and UPDATE ask for.
    pub(super) unfetched: Vec<(Ranges, Arc<Vec<Item>>)>,
    /// Searches whose changes are told; none while a job keeps up with them.
    pub(super) contexts: Vec<Context>,
    /// The flags that messages can have were told already, before STORE's responses named a new one.
    pub(super) flags_told: bool,
}

/// What the session is in the middle of.
pub(super) enum Doing {
    /// It waits for a line: a command, or the rest of one.
    Command,
    /// It gathers so many octets of a literal.
    Literal(u64),
    /// It throws away so many octets of a literal, and then the rest of the command.
    Discard(u64, Box<Refused>),
    /// It throws away the rest of a command whose literal was refused.
    DiscardLine(Box<Refused>),
    /// AUTHENTICATE: it waits for the client's response.
    Sasl(Box<Asked>),
    /// APPEND: it takes the message.
    Message(Box<Message>),
    /// APPEND: the message is there, and the line has to end.
    MessageEnd(Box<Message>),
    /// CATENATE: it gathers so many octets of a URL.
    UrlLiteral(Box<Message>, u64),
    /// A job.
    Job(Box<Pending>),
    /// FETCH: the peer has not read what was said, and there is more.
    Room(Box<Pending>, Rest),
    /// It holds back the answer to a wrong password until then.
    Pause(Instant, Box<Refused>),
    /// IDLE
    Idle { tag: Box<str>, waking: Waking },
}

/// What AUTHENTICATE has come to.
pub(super) struct Asked {
    pub(super) tag: String,
    pub(super) exchange: Exchange,
    pub(super) verdict: Verdict,
}

/// A command that was refused, and what will be said.
pub(super) struct Refused {
    pub(super) tag: String,
    pub(super) reply: Reply,
}

/// Whether the session shall end when it next comes to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    No,
    /// The peer says no more.
    PeerEnded,
    /// The program ends.
    Stop,
}

impl Refused {
    /// Of what cannot be read as a command.
    pub(super) fn problem(tag: &str, Problem(text, fault): Problem) -> Self {
        Self {
            tag: tag.to_owned(),
            reply: match fault {
                Fault::Grammar => Reply::bad(text),
                // RFC 5530 §3: it can never succeed.
                Fault::Name => Reply::no("CANNOT", text),
            },
        }
    }

    pub(super) fn bad(tag: &str, text: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self {
            tag: tag.to_owned(),
            reply: Reply::bad(text),
        }
    }
}
