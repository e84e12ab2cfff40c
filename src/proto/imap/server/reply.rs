//! Status replies: what a command came to, and a code for programs (RFC 3501 §7.1, RFC 5530).

use std::borrow::Cow;

use crate::limits;
use crate::proto::Out;
use crate::proto::imap::alter::Appended;
use crate::proto::imap::flags;
use crate::proto::imap::urls::Fault;
use crate::store::{NoteError, StoreError};
use crate::wire::imap::response::{self, Code, Status};
use crate::wire::imap::rights::Rights;
use crate::wire::imap::set::Ranges;
use crate::wire::utf7;

/// What is said after a tag.
#[derive(Debug)]
pub(super) struct Reply {
    status: Status,
    code: Option<Code>,
    text: Cow<'static, str>,
}

impl Reply {
    pub(super) fn ok(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Status::Ok, None, text)
    }

    pub(super) fn ok_coded(code: Code, text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Status::Ok, Some(code), text)
    }

    pub(super) fn capabilities(capabilities: String, text: impl Into<Cow<'static, str>>) -> Self {
        Self::ok_coded(Code::Capability(capabilities), text)
    }

    pub(super) fn no(code: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Status::No, Some(Code::Plain(code)), text)
    }

    /// What the client should not have said: in this form, or now (RFC 5530 §3, CLIENTBUG).
    pub(super) fn bad(text: impl Into<Cow<'static, str>>) -> Self {
        Self::bad_coded("CLIENTBUG", text)
    }

    /// The client has changed its mind: there is no code for what is nobody's mistake.
    pub(super) fn cancelled(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Status::Bad, None, text)
    }

    pub(super) fn bad_coded(code: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Status::Bad, Some(Code::Plain(code)), text)
    }

    pub(super) fn bad_charset() -> Self {
        Self::new(
            Status::No,
            Some(Code::BadCharset),
            "no charset of this name is known here; texts to look for are best sent in UTF-8",
        )
    }

    pub(super) fn read_only() -> Self {
        Self::no(
            "CANNOT",
            "the mailbox was opened by EXAMINE, for reading only; SELECT it to change it",
        )
    }

    pub(super) fn bug() -> Self {
        Self::no("SERVERBUG", "the server lost its thread; try again")
    }

    /// Why the store did not do something with the mailbox `name`, which is shown in modified UTF-7: a text has seven bits,
    /// and that is how the client writes it.
    pub(super) fn refusal(error: &StoreError, name: &str) -> Self {
        let name = utf7::encode(name);
        match error {
            StoreError::NoSuchMailbox => Self::no(
                "NONEXISTENT",
                format!("there is no mailbox {name}; LIST \"\" * shows which there are"),
            ),
            StoreError::AlreadyExists => Self::no(
                "ALREADYEXISTS",
                format!("there is a mailbox {name} already"),
            ),
            StoreError::BadName(why) | StoreError::Forbidden(why) => Self::no("CANNOT", *why),
            StoreError::NoPermission(missing) => Self::missing(*missing),
            StoreError::NoSuchUser => Self::no(
                "NONEXISTENT",
                "there is no user of this name; there are also anyone, authenticated and owner",
            ),
            StoreError::TooManyRights => Self::no(
                "LIMIT",
                format!(
                    "the list of rights may have {} lines at most; DELETEACL makes room",
                    limits::ACL_LINES
                ),
            ),
            StoreError::Note(why) => Self::not_noted(*why),
            StoreError::NoSuchMessage => Self::no(
                "EXPUNGEISSUED",
                "another session has removed a message of these; NOOP tells which",
            ),
            StoreError::Busy => Self::no("INUSE", "the mailbox is locked by another program"),
            StoreError::Full => Self::no("OVERQUOTA", "there is no room left on the disk"),
            StoreError::OverQuota => Self::no("OVERQUOTA", "the mailbox is over its quota"),
            StoreError::Io(error) => Self::no(
                "UNAVAILABLE",
                format!("the disk did not do it, and nothing is changed: {error}"),
            ),
        }
    }

    /// The user lacks these rights.
    pub(super) fn missing(rights: Rights) -> Self {
        Self::no(
            "NOPERM",
            format!(
                "you do not have the right {} here; MYRIGHTS tells which you have, and who has \"a\" (admin) can give more: SETACL",
                rights.in_words()
            ),
        )
    }

    /// Why SETMETADATA did nothing (RFC 5464 §4.3).
    fn not_noted(why: NoteError) -> Self {
        match why {
            NoteError::TooLong => Self::new(
                Status::No,
                Some(Code::Metadata("MAXSIZE", limits::METADATA_VALUE as u64)),
                format!(
                    "a value may have {} octets at most; nothing is noted",
                    limits::METADATA_VALUE
                ),
            ),
            NoteError::TooMany => Self::new(
                Status::No,
                Some(Code::Metadata("TOOMANY", 0)),
                format!(
                    "there may be {} entries of yours and {} for all, and {} octets together; take one away with NIL",
                    limits::METADATA_ENTRIES,
                    limits::METADATA_ENTRIES,
                    limits::METADATA_FILE
                ),
            ),
            NoteError::Postmasters => Self::no(
                "NOPERM",
                "what is noted about the server for all users only the postmaster changes; /private/... is your own",
            ),
            NoteError::ReadOnly => Self::no(
                "CANNOT",
                "/shared/admin is how the postmaster is reached: the server says it, and nobody changes it",
            ),
        }
    }

    const fn new_parts(status: Status, code: Option<Code>, text: Cow<'static, str>) -> Self {
        Self { status, code, text }
    }

    fn new(status: Status, code: Option<Code>, text: impl Into<Cow<'static, str>>) -> Self {
        Self::new_parts(status, code, text.into())
    }

    /// A URL names nothing that can be had.
    pub(super) fn bad_url(url: &[u8], why: &'static str) -> Self {
        let code = Code::BadUrl(String::from_utf8_lossy(url).into_owned());
        Self::new(Status::No, Some(code), why)
    }

    /// What URLs name cannot be had.
    pub(super) fn fault(fault: &Fault, mailbox: &str) -> Self {
        match fault {
            Fault::BadUrl(url) => Self::bad_url(
                url.as_bytes(),
                "there is no such mailbox, message or part of one",
            ),
            Fault::TooBig => Self::no(
                "TOOBIG",
                format!("a message may have {} octets at most", limits::MESSAGE_SIZE),
            ),
            Fault::Store(error) => Self::refusal(error, mailbox),
        }
    }

    /// STORE left messages alone, for they had changed (RFC 7162 §3.1.3).
    pub(super) fn modified(messages: Ranges, gone: bool) -> Self {
        let (status, text) = match gone {
            false => (
                Status::Ok,
                "these have changed meanwhile, and are left alone",
            ),
            true => (
                Status::No,
                "these have changed meanwhile, and are left alone; others were removed",
            ),
        };
        Self::new(status, Some(Code::Modified(messages)), text)
    }

    /// The changes of a search are not told (RFC 5267 §4.3.1).
    pub(super) fn no_update(tag: &str, text: &'static str) -> Self {
        Self::new(Status::No, Some(Code::NoUpdate(tag.to_owned())), text)
    }

    /// To an OK that says nothing else for programs.
    pub(super) fn add_highest_modseq(&mut self, modseq: u64) {
        if self.status == Status::Ok && self.code.is_none() {
            self.code = Some(Code::HighestModseq(modseq));
        }
    }

    pub(super) fn is_bad(&self) -> bool {
        self.status == Status::Bad
    }

    /// Says it.
    pub(super) fn say(&self, out: &mut Out, tag: &str) {
        out.with(|bytes| {
            response::status(bytes, tag, self.status, self.code.as_ref(), &self.text);
        });
    }
}

/// Says goodbye, and closes.
pub(super) fn bye(out: &mut Out, text: &str) {
    out.with(|bytes| response::status(bytes, "*", Status::Bye, None, text));
    out.close();
}

/// The same, with a code.
pub(super) fn bye_coded(out: &mut Out, code: &'static str, text: &str) {
    let code = Code::Plain(code);
    out.with(|bytes| response::status(bytes, "*", Status::Bye, Some(&code), text));
    out.close();
}

/// Why a message was not put into a mailbox. RFC 3501 §6.3.11: `TRYCREATE` when it can be created.
pub(super) fn append_refusal(error: &StoreError, mailbox: &str) -> Reply {
    match error {
        StoreError::NoSuchMailbox => Reply::no(
            "TRYCREATE",
            format!(
                "there is no mailbox {}; CREATE it first",
                utf7::encode(mailbox)
            ),
        ),
        _ => Reply::refusal(error, mailbox),
    }
}

/// OK to APPEND: there is no other way to say it than with the proof in hand.
pub(super) fn appended(appended: Appended) -> Reply {
    let Appended {
        uid_validity,
        uids,
        durable: _,
        removed: _,
    } = appended;
    let text = match uids.len() {
        1 => "the message is in the mailbox, and on disk",
        _ => "the messages are in the mailbox, and on disk",
    };
    Reply::ok_coded(
        Code::AppendUid(uid_validity, Ranges::from_ascending(uids)),
        text,
    )
}

/// Flags that a client may set: those of the system but `\Recent`, and keywords.
pub(super) fn check_flags(flags: &[String]) -> Result<(), Reply> {
    for flag in flags {
        if flag.eq_ignore_ascii_case("\\Recent") {
            return Err(Reply::no(
                "CANNOT",
                "\\Recent is the server's own: nobody else can set or clear it",
            ));
        }
        if flag.starts_with('\\') && flags::system_flag(flag).is_none() {
            return Err(Reply::bad(format!(
                "there is no flag {flag}; there are \\Answered \\Flagged \\Deleted \\Seen \\Draft, and keywords without a \\"
            )));
        }
        if flag.len() > limits::IMAP_KEYWORD {
            return Err(Reply::no(
                "LIMIT",
                format!("a keyword may have {} octets at most", limits::IMAP_KEYWORD),
            ));
        }
    }
    Ok(())
}
