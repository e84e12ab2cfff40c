//! A client's command: scanned into a [`Command`] that borrows from its bytes.
//!
//! [`COMMANDS`] is the list of what is spoken, with an example each: `BAD` tells a person what would be right. A command
//! may announce a literal that has not come yet: [`Stop::Literal`](super::scan::Stop::Literal). APPEND's message is not gathered but streamed, so it
//! stops the scan on its own: [`Parsed::Append`].
//!
//! | file | what |
//! |---|---|
//! | here | what there is |
//! | `arguments` | what stands after a command's name |
//! | `list` | LIST, LSUB, and STATUS's items |
//! | `append` | APPEND and REPLACE, up to a message |
//! | `notify` | NOTIFY, and which mailboxes ESEARCH looks into |
//! | `acl`, `metadata` | rights; what is noted about mailboxes |
//! | `urls` | URLs of messages |

mod acl;
mod append;
mod arguments;
mod list;
mod metadata;
mod notify;
mod urls;

use std::borrow::Cow;

use crate::wire::imap::condstore::{FetchModifiers, Opening};
use crate::wire::imap::fetch::Item;
use crate::wire::imap::scan::{Fault, Problem, Scanner, is_astring_char};
use crate::wire::imap::search::Search;
use crate::wire::imap::set::SequenceSet;

pub use acl::{AclCommand, Amend};
pub use append::{Append, Form, Head, Parts, Then, scan_more, scan_parts};
pub use arguments::parse;
pub use list::{Listing, Names, StatusItem};
pub use metadata::{GetMetadata, Levels, SetMetadata};
pub use notify::{BAD_EVENT, Depth, Events, Group, Notify, Status, Which, Whose};
pub use urls::{UrlCommand, UrlData, UrlItems};

#[cfg(test)]
use crate::wire::imap::scan::Stop;

/// What a client asks for. Texts are lent from its bytes; mailbox names are decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// RFC 3501 §6.1.1
    Capability,
    /// RFC 3501 §6.1.2
    Noop,
    /// RFC 3501 §6.1.3
    Logout,
    /// RFC 2971
    Id,
    /// RFC 3501 §6.2.1
    StartTls,
    /// RFC 3501 §6.2.2
    Authenticate {
        /// The SASL mechanism.
        mechanism: &'a [u8],
        /// RFC 4959: the initial response, still in base64.
        initial: Option<&'a [u8]>,
    },
    /// RFC 3501 §6.2.3
    Login {
        /// Who.
        user: Cow<'a, [u8]>,
        /// In the clear.
        password: Cow<'a, [u8]>,
    },
    /// SELECT and EXAMINE, RFC 3501 §6.3.1
    Select {
        /// Which.
        mailbox: String,
        /// Whether it may be changed.
        access: Access,
        /// RFC 7162 §3.1.8, §3.2.5
        opening: Opening,
    },
    /// RFC 3501 §6.3.3
    Create {
        /// Its name.
        mailbox: String,
        /// What it is for (RFC 6154 §3).
        uses: Vec<String>,
    },
    /// RFC 3501 §6.3.4
    Delete(String),
    /// RFC 3501 §6.3.5
    Rename {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// RFC 3501 §6.3.6
    Subscribe(String),
    /// RFC 3501 §6.3.7
    Unsubscribe(String),
    /// LIST and LSUB, RFC 3501 §6.3.8, RFC 5258
    List(Listing<'a>),
    /// RFC 5161: names of extensions, in capitals.
    Enable(Vec<String>),
    /// GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208)
    Quota(QuotaCommand),
    /// What is about the rights on a mailbox (RFC 4314)
    Acl {
        /// Which.
        mailbox: String,
        /// What.
        command: AclCommand,
    },
    /// RFC 5464 §4.2
    GetMetadata(GetMetadata),
    /// RFC 5464 §4.3
    SetMetadata(SetMetadata<'a>),
    /// RFC 8437
    Unauthenticate,
    /// GENURLAUTH, URLFETCH and RESETKEY (RFC 4467)
    Urls(UrlCommand<'a>),
    /// RFC 4978: with which algorithm.
    Compress(&'a [u8]),
    /// RFC 2342
    Namespace,
    /// RFC 3501 §6.3.10
    Status {
        /// Of which.
        mailbox: String,
        /// What.
        items: Vec<StatusItem>,
    },
    /// RFC 2177
    Idle,
    /// RFC 3501 §6.4.1
    Check,
    /// RFC 3501 §6.4.2
    Close,
    /// RFC 3691
    Unselect,
    /// RFC 3501 §6.4.3; with a set UID EXPUNGE, RFC 4315 §2.1.
    Expunge(Option<SequenceSet>),
    /// SEARCH, SORT and THREAD, RFC 3501 §6.4.4, RFC 5256
    Search {
        /// What the numbers found are.
        numbering: Numbering,
        /// What for, and what is wanted of what is found.
        search: Search,
    },
    /// RFC 7377
    Esearch {
        /// Where; `None`: in the selected mailbox.
        sources: Option<Vec<Which>>,
        /// What for, and what is wanted of what is found.
        search: Search,
    },
    /// RFC 5267 §4.3.5: the tags of searches.
    CancelUpdate(Vec<String>),
    /// RFC 5465
    Notify(Notify),
    /// RFC 3501 §6.4.5
    Fetch {
        /// Whose.
        messages: Messages,
        /// What.
        items: Vec<Item>,
        /// RFC 7162 §3.1.4.1, §3.2.6, RFC 9394 §3.3
        modifiers: FetchModifiers,
    },
    /// RFC 3501 §6.4.6
    Store {
        /// Whose.
        messages: Messages,
        /// What to do with them.
        action: StoreAction,
        /// Whether the new flags are told.
        echo: Echo,
        /// Which.
        flags: Vec<&'a str>,
        /// RFC 7162 §3.1.3
        unchanged_since: Option<u64>,
    },
    /// COPY and MOVE, RFC 3501 §6.4.7, RFC 6851
    Copy {
        /// Which.
        messages: Messages,
        /// Where to.
        mailbox: String,
        /// Whether they stay here.
        originals: Originals,
    },
}

/// SELECT or EXAMINE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// SELECT
    ReadWrite,
    /// EXAMINE
    ReadOnly,
}

/// A command about quotas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuotaCommand {
    /// GETQUOTA: of this root.
    Of(String),
    /// GETQUOTAROOT: of this mailbox.
    OfMailbox(String),
    /// SETQUOTA: of this root.
    Set(String),
}

/// What numbers name messages by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// Their place in the mailbox.
    Sequence,
    /// Their UID: the command began with `UID`.
    Uid,
}

/// A set, and how it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Messages {
    /// Places or UIDs.
    pub numbering: Numbering,
    /// Which.
    pub set: SequenceSet,
}

/// STORE's sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreAction {
    /// `FLAGS`
    Replace,
    /// `+FLAGS`
    Add,
    /// `-FLAGS`
    Remove,
}

/// `.SILENT` or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// Tell the new flags.
    Tell,
    /// `.SILENT`
    Silent,
}

/// COPY or MOVE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Originals {
    /// COPY
    Stay,
    /// MOVE
    Go,
}

/// A command, or APPEND up to its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// Whole.
    Command(Command<'a>),
    /// APPEND or REPLACE: the message is to be streamed; after it the line goes on.
    Append(Append),
}

/// One command that is spoken.
#[derive(Debug)]
pub struct Syntax {
    /// `FETCH`
    pub name: &'static str,
    /// What follows the tag, as an example.
    pub example: &'static str,
}

/// All commands that are spoken here.
pub const COMMANDS: &[Syntax] = &[
    syntax("CAPABILITY", "CAPABILITY"),
    syntax("NOOP", "NOOP"),
    syntax("LOGOUT", "LOGOUT"),
    syntax("ID", "ID NIL"),
    syntax("STARTTLS", "STARTTLS"),
    syntax("AUTHENTICATE", "AUTHENTICATE PLAIN"),
    syntax("LOGIN", "LOGIN alice password"),
    syntax("ENABLE", "ENABLE IMAP4rev2"),
    syntax("UNAUTHENTICATE", "UNAUTHENTICATE"),
    syntax("COMPRESS", "COMPRESS DEFLATE"),
    syntax("SELECT", "SELECT INBOX"),
    syntax("EXAMINE", "EXAMINE INBOX"),
    syntax("CREATE", "CREATE lists/rust"),
    syntax("DELETE", "DELETE lists/rust"),
    syntax("RENAME", "RENAME old new"),
    syntax("SUBSCRIBE", "SUBSCRIBE lists/rust"),
    syntax("UNSUBSCRIBE", "UNSUBSCRIBE lists/rust"),
    syntax("LIST", "LIST \"\" *"),
    syntax("LSUB", "LSUB \"\" *"),
    syntax("NAMESPACE", "NAMESPACE"),
    syntax("STATUS", "STATUS INBOX (MESSAGES UNSEEN)"),
    syntax("GETQUOTA", "GETQUOTA \"\""),
    syntax("GETQUOTAROOT", "GETQUOTAROOT INBOX"),
    syntax("SETQUOTA", "SETQUOTA \"\" (STORAGE 512)"),
    syntax("GETACL", "GETACL lists/rust"),
    syntax("SETACL", "SETACL lists/rust bob lrs"),
    syntax("DELETEACL", "DELETEACL lists/rust bob"),
    syntax("LISTRIGHTS", "LISTRIGHTS lists/rust bob"),
    syntax("MYRIGHTS", "MYRIGHTS lists/rust"),
    syntax("GETMETADATA", "GETMETADATA INBOX /private/comment"),
    syntax(
        "SETMETADATA",
        "SETMETADATA INBOX (/private/comment \"a note\")",
    ),
    syntax("APPEND", "APPEND INBOX (\\Seen) {310}"),
    syntax("REPLACE", "REPLACE 4 Drafts (\\Seen) {310}"),
    syntax("IDLE", "IDLE"),
    syntax(
        "GENURLAUTH",
        "GENURLAUTH \"imap://alice@localhost/INBOX/;UID=20;URLAUTH=user+bob\" INTERNAL",
    ),
    syntax(
        "URLFETCH",
        "URLFETCH \"imap://alice@localhost/INBOX/;UID=20;URLAUTH=user+bob:INTERNAL:01ab\"",
    ),
    syntax("RESETKEY", "RESETKEY INBOX"),
    syntax(
        "NOTIFY",
        "NOTIFY SET (SELECTED (MessageNew MessageExpunge))",
    ),
    syntax("CHECK", "CHECK"),
    syntax("CLOSE", "CLOSE"),
    syntax("UNSELECT", "UNSELECT"),
    syntax("EXPUNGE", "EXPUNGE"),
    syntax("SEARCH", "SEARCH UNSEEN FROM alice"),
    syntax("ESEARCH", "ESEARCH IN (PERSONAL) UNSEEN FROM alice"),
    syntax("CANCELUPDATE", "CANCELUPDATE \"a1\""),
    syntax("SORT", "SORT (REVERSE DATE) UTF-8 UNSEEN"),
    syntax("THREAD", "THREAD REFERENCES UTF-8 ALL"),
    syntax("FETCH", "FETCH 1:* (FLAGS BODY.PEEK[HEADER])"),
    syntax("STORE", "STORE 1:3 +FLAGS (\\Deleted)"),
    syntax("COPY", "COPY 1:3 lists/rust"),
    syntax("MOVE", "MOVE 1:3 lists/rust"),
    syntax("UID", "UID FETCH 1:* FLAGS"),
];

const fn syntax(name: &'static str, example: &'static str) -> Syntax {
    Syntax { name, example }
}

/// The command of this name, in any case.
pub fn named(name: &[u8]) -> Option<&'static Syntax> {
    COMMANDS
        .iter()
        .find(|command| command.name.as_bytes().eq_ignore_ascii_case(name))
}

/// The first word of a line, which should be a tag, and the scanner after it and its space.
pub fn scan_tag(bytes: &[u8]) -> Result<(&str, Scanner<'_>), Problem> {
    let mut scanner = Scanner::new(bytes);
    let word = scanner.take_while(|byte| is_astring_char(byte) && byte != b'+' && byte < 0x80);
    let example = "each command begins with a tag, a word of your choice that its reply will carry";
    if word.is_empty() {
        return Err(Problem(
            format!("{example}: a1 CAPABILITY (the next could be a2)").into(),
            Fault::Grammar,
        ));
    }
    let at_end = !scanner.skip_spaces() || scanner.peek().is_none();
    if let Some(command) = named(word) {
        // `LOGIN alice secret`: the tag was forgotten. `noop noop` is well-formed.
        let mut ahead = scanner.clone();
        let second = ahead.take_while(|byte| byte.is_ascii_alphanumeric());
        if at_end || named(second).is_none() {
            return Err(Problem(
                format!("{example}: a1 {}", command.example).into(),
                Fault::Grammar,
            ));
        }
    }
    if at_end {
        return Err(Problem(
            format!("a command has to follow; {example}: a1 CAPABILITY").into(),
            Fault::Grammar,
        ));
    }
    // Only ASCII was taken.
    let tag = std::str::from_utf8(word).unwrap_or_default();
    Ok((tag, scanner))
}

#[cfg(test)]
mod tests;
