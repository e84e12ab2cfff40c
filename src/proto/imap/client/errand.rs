//! What can be asked for, and the stages that it takes: each is a command, or a few that belong together.
//!
//! Stages hand on which messages are meant: [`Stage::Choose`] and [`Stage::Search`] say it, those behind them act on it.

use std::collections::VecDeque;
use std::time::Duration;

use super::raw::Raw;

/// What can be asked for. Names of mailboxes are UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// `LIST`: writes a name a line.
    Folders,
    /// `STATUS`: writes `MESSAGES 3` and its like, one a line.
    Status(String),
    /// `FETCH 1:*`: writes a line for each message, of UID, flags, date, octets, sender and subject, with tabs between.
    List(String),
    /// `UID FETCH`: writes the octets as they come.
    Fetch {
        /// From which mailbox.
        mailbox: String,
        /// Which messages: a sequence set of UIDs, `*` the last.
        uids: String,
        /// What of them: empty is the whole message, `HEADER`, `1.TEXT` ...
        section: String,
    },
    /// `UID SEARCH`: writes a UID a line.
    Search {
        /// In which mailbox.
        mailbox: String,
        /// The words of the search, each quoted as it needs.
        keys: Vec<String>,
    },
    /// `CREATE`
    Create(String),
    /// `DELETE`
    Delete(String),
    /// `STORE` and `EXPUNGE` of everything: writes how many messages went.
    Empty(String),
    /// `APPEND`: writes the UID that the message got, when the server tells it.
    Append {
        /// To which mailbox.
        mailbox: String,
        /// With CRLF line ends.
        message: Vec<u8>,
    },
    /// These, one after the other.
    Stages(Vec<Stage>),
}

/// A part of an errand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// `EXAMINE`: what is done then marks nothing as seen or no longer recent.
    Examine(String),
    /// `SELECT`, to change something.
    Select(String),
    /// Messages with these UIDs are meant, a sequence set.
    Choose(String),
    /// `UID SEARCH`: those that it finds are meant. None is a failure, but where they are counted.
    Search {
        /// The words, each quoted as it needs.
        keys: Vec<String>,
        /// What is made of them.
        then: Found,
    },
    /// Only so many of those that are meant: the last ones.
    Newest(usize),
    /// A line for each message of the mailbox.
    List,
    /// The text of the messages that are meant.
    Fetch {
        /// What of them: empty is the whole message.
        section: String,
        /// What else is asked of each.
        with: With,
    },
    /// `LIST`: then these mailboxes, or all when there are none, are gone through, and what the sink does not have is fetched.
    Backup(Vec<String>),
    /// A mailbox of those, with what is between the levels of names: the flags of all its messages, then those that are lacking.
    Lacking(String, Option<char>),
    /// Sets flags of those that are meant, or only tells them: UID and flags, one message a line.
    Flags(Option<(Change, Vec<String>)>),
    /// All of the mailbox are marked as deleted.
    MarkAll,
    /// Those that are meant are marked as deleted.
    Mark,
    /// Copies or moves those that are meant; writes the UIDs that they got, when the server tells them.
    Copy {
        /// To which mailbox.
        to: String,
        /// Whether they stay as well.
        way: Way,
        /// What is done when there is no such mailbox.
        missing: Missing,
    },
    /// What is marked as deleted goes; how many is counted.
    Expunge,
    /// The same, of those that are meant, and no others.
    ExpungeChosen,
    /// Nothing that is marked as deleted may be there but what is meant: the next stage would take it along.
    OthersStay,
    /// Writes how many went.
    TellExpunged,
    /// A command with names of mailboxes.
    Plain(&'static str, Vec<String>),
    /// `LIST`
    Folders,
    /// `STATUS`
    Status(String),
    /// `APPEND`
    Append {
        /// To which mailbox.
        mailbox: String,
        /// Flags that it gets.
        flags: Vec<String>,
        /// When it came, as IMAP writes it; now, when empty.
        date: String,
        /// With CRLF line ends.
        message: Vec<u8>,
    },
    /// `ID`, `NAMESPACE`, `GETQUOTAROOT`: those that the server has, for [`Stage::TellServer`].
    Ask(&'static str),
    /// Writes what the server told about itself.
    TellServer,
    /// Commands as a person wrote them.
    Raw(Raw),
    /// Waits for messages.
    Idle(Idle),
}

/// What is made of what a search finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is what the next stages mean.
    Chosen,
    /// Its UIDs are written.
    Told,
    /// How many they are is written.
    Counted,
}

/// What is asked of messages beside their text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With {
    /// Nothing.
    Nothing,
    /// Flags and the time of arrival.
    Marks,
    /// The same, of messages that may be gone meanwhile.
    MarksOfSome,
}

/// How flags change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// These come to those that are there.
    Add,
    /// These go.
    Remove,
    /// These, and no others.
    Set,
}

/// Whether messages stay where they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// They do.
    Copy,
    /// They do not (RFC 6851).
    Move,
}

/// What is done when a mailbox is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is made.
    Made,
    /// Nothing.
    Refused,
}

/// For what is waited, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idle {
    /// Only messages that are so count.
    pub keys: Vec<String>,
    /// Whether those count that are there already.
    pub there: There,
    /// After how many all is done.
    pub count: Option<u32>,
    /// After how long it is given up.
    pub within: Option<Duration>,
    /// After how long IDLE begins anew.
    pub renew: Duration,
    /// How often a server without IDLE is asked.
    pub poll: Duration,
}

/// Whether messages count that came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum There {
    /// They do.
    Count,
    /// Only new ones do.
    DoNot,
}

impl Errand {
    /// What is done for it, in order.
    pub(super) fn stages(self) -> VecDeque<Stage> {
        let stages = match self {
            Self::Folders => vec![Stage::Folders],
            Self::Status(mailbox) => vec![Stage::Status(mailbox)],
            Self::List(mailbox) => vec![Stage::Examine(mailbox), Stage::List],
            Self::Fetch {
                mailbox,
                uids,
                section,
            } => vec![
                Stage::Examine(mailbox),
                Stage::Choose(uids),
                Stage::Fetch {
                    section,
                    with: With::Nothing,
                },
            ],
            Self::Search { mailbox, keys } => vec![
                Stage::Examine(mailbox),
                Stage::Search {
                    keys,
                    then: Found::Told,
                },
            ],
            Self::Create(mailbox) => vec![Stage::Plain("CREATE", vec![mailbox])],
            Self::Delete(mailbox) => vec![Stage::Plain("DELETE", vec![mailbox])],
            Self::Empty(mailbox) => vec![
                Stage::Select(mailbox),
                Stage::MarkAll,
                Stage::Expunge,
                Stage::TellExpunged,
            ],
            Self::Append { mailbox, message } => vec![Stage::Append {
                mailbox,
                flags: Vec::new(),
                date: String::new(),
                message,
            }],
            Self::Stages(stages) => stages,
        };
        stages.into()
    }
}
