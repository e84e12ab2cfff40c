//! Fault rules as a teacher types them: where something goes wrong, and what.
//!
//! ```text
//! smtp rcpt to=alice@* reply=450 4.2.0 busy times=2
//! ---- ---- ---------- --------------------- -------
//! |    |    |          what happens          another condition
//! |    |    a condition
//! |    the stage: a command, or connect, tls, login, text, message, any
//! the protocol: smtp, submission, lmtp, pop3, imap, any
//! ```
//!
//! This is the words only; when a rule fires, and what then is done, decides `proto::fault`. [`words`] is the table of all
//! words, in both languages: the help, the manual and the errors are made from it.

pub mod lab;
mod parse;
pub mod words;

use std::fmt;
use std::time::Duration;

use super::glob::Glob;
use super::network::Network;
use super::smtp::Reply;

/// One rule, read with [`str::parse`].
///
/// ```
/// use mailtool::wire::fault::Rule;
///
/// let rule: Rule = "smtp rcpt to=alice@* reply=450 4.2.0 busy times=2".parse().unwrap();
/// assert_eq!(rule.when.times, Some(2));
/// let error = "smtp rctp drop".parse::<Rule>().unwrap_err();
/// assert!(error.to_string().contains("rcpt"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// As it was typed, with single spaces.
    pub text: String,
    /// Where: in which protocol.
    pub scope: Scope,
    /// Where: at which point of a session.
    pub stage: Stage,
    /// When.
    pub when: Conditions,
    /// What.
    pub what: Actions,
    /// It is a part of this fault of the lab, [`lab`]: lists do not give away what it does.
    pub lab: Option<usize>,
}

/// Which protocols a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    Any,
    /// SMTP, submission and LMTP.
    Smtp,
    /// Submission only.
    Submission,
    /// LMTP only.
    Lmtp,
    /// POP3.
    Pop3,
    /// IMAP.
    Imap,
}

/// At which point of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before the greeting.
    Connect,
    /// When TLS starts, by STARTTLS or from the first octet on.
    Tls,
    /// Whenever a password or its like is given.
    Login,
    /// While the text of a message comes in.
    Text,
    /// When a message is whole, before it is taken.
    Message,
    /// At every command.
    Any,
    /// At this command, in capitals.
    Command(String),
}

/// When a rule fires: where all of these hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conditions {
    /// Where the client is.
    pub address: Option<Network>,
    /// Who is logged in, or about to.
    pub user: Option<Glob>,
    /// The sender of the message.
    pub from: Option<Glob>,
    /// The recipient, or one of them.
    pub to: Option<Glob>,
    /// How far the session is.
    pub phase: Option<Phase>,
    /// The how many-th connection it is, of those that the rule could be for.
    pub connection: Option<Nth>,
    /// The how many-th message it is: of the connection (SMTP), of the mailbox (POP3, IMAP).
    pub message: Option<Nth>,
    /// The how many-th time all of this holds.
    pub nth: Option<Nth>,
    /// In how many of a million cases.
    pub chance: Option<u32>,
    /// What chance begins with, in place of the server's.
    pub seed: Option<u64>,
    /// How often it fires at most.
    pub times: Option<u32>,
    /// Counted apart for each of these.
    pub per: Option<Per>,
    /// Until a sender and recipient have been known for so long.
    pub greylist: Option<Duration>,
    /// When there were more than so many in such a time.
    pub limit: Option<(u32, Duration)>,
}

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nobody is logged in.
    Anonymous,
    /// Somebody is.
    User,
    /// A mailbox is selected (IMAP).
    Selected,
    /// Without TLS.
    Clear,
    /// With TLS.
    Tls,
}

/// Counted from 1: `3`, `2-4`, `3-`, `/5` (every fifth).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nth {
    /// From the first to the last of these.
    Between(u64, u64),
    /// Each time that the count can be divided by it.
    Every(u64),
}

impl Nth {
    /// Whether the count is one of them.
    pub const fn has(self, count: u64) -> bool {
        match self {
            Self::Between(first, last) => first <= count && count <= last,
            Self::Every(step) => count > 0 && count.is_multiple_of(step),
        }
    }
}

/// What counts of a rule are kept apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// The connection.
    Connection,
    /// The client's address.
    Address,
    /// The user.
    User,
    /// The sender.
    From,
    /// The recipient.
    To,
}

/// What a rule does; something of it, at least.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Actions {
    /// What becomes of the command.
    pub outcome: Option<Outcome>,
    /// The connection is closed: without a word, or after the reply.
    pub drop: bool,
    /// And that is a TCP RST, not a FIN.
    pub reset: bool,
    /// How much of the reply, or of the incoming text, passes before that.
    pub after: Option<u64>,
    /// How long the command waits before it is done: between these two.
    pub delay: Option<(Duration, Duration)>,
    /// Octets a second in each direction from now on: between these two.
    pub throttle: Option<(u64, u64)>,
    /// Capabilities that the client is not told of, in capitals.
    pub hide: Vec<String>,
    /// So many octets are missing at the end of the message or literal that is said.
    pub short: Option<u64>,
    /// So many more than there are is said, of messages or octets.
    pub count: Option<i64>,
}

impl Actions {
    /// Whether nothing is said of what happens: there are conditions that have a usual answer.
    pub const fn is_bare(&self) -> bool {
        self.outcome.is_none()
            && !self.drop
            && self.delay.is_none()
            && self.throttle.is_none()
            && self.hide.is_empty()
            && self.short.is_none()
            && self.count.is_none()
    }
}

/// What becomes of a command in place of what would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This is said, and nothing done.
    Reply(Said),
    /// What the protocol says when the disk is full, and nothing is done.
    Full,
    /// So many octets that are no reply, and nothing is done.
    Garbage(u32),
    /// TLS is started wrong.
    Tls(Showing),
}

/// A reply in a protocol's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Of SMTP and its like.
    Smtp(Reply),
    /// Of POP3: a whole line.
    Pop3(String),
    /// Of IMAP: a line without its tag.
    Imap(String),
}

/// How a server shows itself when TLS starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Showing {
    /// As it is.
    #[default]
    Itself,
    /// With a certificate that has expired.
    Expired,
    /// With a certificate for somebody else.
    OtherName,
    /// With a certificate that nobody has signed but itself.
    SelfSigned,
    /// Not at all: the handshake fails with an alert.
    Failing,
}

/// Why a text is no rule: which word is wrong, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The word; empty when one is missing.
    pub word: String,
    /// What would be right.
    pub advice: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.word.is_empty() {
            true => formatter.write_str(&self.advice),
            false => write!(formatter, "\"{}\": {}", self.word, self.advice),
        }
    }
}

impl std::error::Error for RuleError {}

/// What a recipient's name asks for, where magic recipients are on: the end of the local part says what happens, its beginning when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Magic {
    /// When.
    pub at: MagicAt,
    /// What: this reply, or none at all.
    pub reply: Option<(u16, &'static str)>,
}

/// When a magic address works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MagicAt {
    /// `mailfrom...` as the sender, at MAIL.
    Mail,
    /// `rcptto...`, at RCPT.
    Rcpt,
    /// When the message is whole.
    Message,
    /// `queue...`: it is taken, and its delivery from the queue fails.
    Queue,
}

impl Magic {
    /// Whether a local part is magic.
    ///
    /// ```
    /// use mailtool::wire::fault::{Magic, MagicAt};
    ///
    /// let magic = Magic::of("rcptto-bob550").unwrap();
    /// assert_eq!((magic.at, magic.reply.unwrap().0), (MagicAt::Rcpt, 550));
    /// assert_eq!(Magic::of("queue-temperror").unwrap().at, MagicAt::Queue);
    /// assert_eq!(Magic::of("bob"), None);
    /// ```
    pub fn of(local_part: &str) -> Option<Self> {
        let name = local_part.to_ascii_lowercase();
        let at = if name.starts_with("mailfrom") {
            MagicAt::Mail
        } else if name.starts_with("rcptto") {
            MagicAt::Rcpt
        } else if name.starts_with("queue") {
            MagicAt::Queue
        } else {
            MagicAt::Message
        };
        let reply = if name.ends_with("temperror") {
            Some((451, "4.3.0"))
        } else if name.ends_with("permerror") {
            Some((554, "5.3.0"))
        } else if name.ends_with("timeout") {
            None
        } else {
            let digits = name.get(name.len().checked_sub(3)?..)?;
            let code: u16 = digits.parse().ok()?;
            let plain = digits.bytes().all(|octet| octet.is_ascii_digit());
            match code {
                400..=499 if plain => Some((code, "4.0.0")),
                500..=599 if plain => Some((code, "5.0.0")),
                _ => return None,
            }
        };
        Some(Self { at, reply })
    }
}

#[cfg(test)]
mod tests;
