//! What a session is given, and what it gives back.

use super::Text;
use crate::proto::smtp::terms::Stage;
use crate::wire::envelope::Envelope;
use crate::wire::smtp::Reply;

/// A message for this server. What its envelope says is passed on as far as the server takes it.
#[derive(Clone, Debug)]
pub struct Message {
    /// The word of whoever gave it; comes back in its [`Outcome`].
    pub word: u64,
    /// With those recipients that this server is to be asked for, at least one.
    /// [`body`](crate::wire::envelope::MailOptions::body) and `utf8` say what the text really is, or more.
    pub envelope: Envelope,
    /// Header and body.
    pub text: Text,
}

/// What became of a message on this connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// [`Message::word`]
    pub word: u64,
    /// One for each recipient, in their order.
    pub fates: Vec<Fate>,
    /// What the next server was told of what its sender had asked for, where that matters for reports.
    pub passed_on: PassedOn,
}

/// Which wishes the next server took over, and so will report on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassedOn {
    /// NOTIFY, ORCPT, RET and ENVID. Without it, who asked for success is told `relayed` here (RFC 3461 §5.2.2).
    pub dsn: bool,
    /// BY.
    pub deliver_by: bool,
}

/// What became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The server has the message for this one, and answers for it.
    Taken(Reply),
    /// The server says no: for good (5yz) or for now (4yz).
    Refused {
        /// To what.
        stage: Stage,
        /// Its words.
        reply: Reply,
    },
    /// The message cannot be given to this server as it is: our own words, as a server's would be. Another server of the
    /// same domain may be better.
    Unfit(Reply),
    /// The connection ended before the server had answered. See [`Tray::failure`](super::Tray::failure).
    Interrupted {
        /// What it had not answered.
        stage: Stage,
        /// Whether it may have the message all the same, so that trying again may make a second one.
        sent: Sent,
    },
}

/// How much of a message a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Not all of it: it cannot have taken it.
    InPart,
    /// All of it.
    Whole,
}
