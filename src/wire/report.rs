//! Delivery reports: what a sender is told of the recipients of a message (RFC 3464, RFC 6522; RFC 6533 for SMTPUTF8).
//!
//! | part | type | what stands in it |
//! |---|---|---|
//! | 1 | `text/plain` | what happened, what it means, what to do, for people |
//! | 2 | `message/delivery-status` | the same, for programs: fields about the message, then a group for each recipient |
//! | 3 | `message/rfc822` or `text/rfc822-headers` | the message, or its header |
//!
//! With SMTPUTF8 the types are `message/global-delivery-status`, `message/global` and `message/global-headers`.
//!
//! What it keeps: a report goes to the reverse-path and comes from `<>`, so that no report is ever made of a report
//! (RFC 5321 §4.5.5), and there is none at all for `<>`; whoever asked not to be told is not told ([`is_asked`]); what a peer said
//! can end no line and no field; a report has a size that is bounded.
//!
//! No clock, no randomness: dates and the name of the report come from the caller.

mod compose;
mod read;
#[cfg(test)]
mod tests;

use super::envelope::{Notify, Recipient};
use super::smtp::{Enhanced, Reply};

pub use compose::{Original, Report};
pub use read::{Fortune, Reported};

/// What became of a recipient (RFC 3464 §2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is given up.
    Failed,
    /// It is still tried.
    Delayed,
    /// It is in the mailbox.
    Delivered,
    /// It went on to a server that reports nothing of success.
    Relayed,
    /// It went on to several other addresses.
    Expanded,
}

impl Action {
    /// As it stands in the field.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
            Self::Expanded => "expanded",
        }
    }
}

/// What is told of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// Who it is.
    pub recipient: Recipient,
    /// What became of the recipient.
    pub action: Action,
    /// Why.
    pub status: Enhanced,
    /// The server that said so; `None` when it was us.
    pub remote: Option<String>,
    /// What it said, or what we say.
    pub diagnostic: Option<String>,
    /// When it was last tried, seconds since 1970.
    pub last_attempt: Option<i64>,
    /// Until when it is tried, seconds since 1970.
    pub retry_until: Option<i64>,
}

/// Whether the one who asked for `notify` is told of `action` (RFC 3461 §5.2.1 to §5.2.6, §6).
///
/// Nothing asked means failure; and delay, which RFC 3461 §4.1 leaves to us. Success is told only when it was asked for.
///
/// ```
/// use mailtool::wire::envelope::Notify;
/// use mailtool::wire::report::{Action, is_asked};
///
/// assert!(is_asked(Notify::Unsaid, Action::Failed));
/// assert!(!is_asked(Notify::Unsaid, Action::Delivered));
/// assert!(!is_asked(Notify::Never, Action::Failed));
/// ```
pub const fn is_asked(notify: Notify, action: Action) -> bool {
    match (notify, action) {
        (Notify::Unsaid, Action::Failed | Action::Delayed) => true,
        (Notify::Unsaid | Notify::Never, _) => false,
        (Notify::On { failure, .. }, Action::Failed) => failure,
        (Notify::On { delay, .. }, Action::Delayed) => delay,
        (Notify::On { success, .. }, _) => success,
    }
}

/// The status of a reply: its enhanced code, or what its class says (RFC 3461 §6.1: `X.0.0`).
pub fn status_of(reply: &Reply) -> Enhanced {
    let class = match reply.class() {
        2 => 2,
        4 => 4,
        _ => 5,
    };
    reply.enhanced.unwrap_or(Enhanced(class, 0, 0))
}
