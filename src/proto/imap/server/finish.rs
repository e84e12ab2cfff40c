//! A job's outcome: its responses, what is new in the mailbox, and the tagged reply, in this order.

use std::time::Instant;

use crate::limits;
use crate::proto::Out;
use crate::proto::imap::condstore::{self, Awareness};
use crate::proto::imap::fetch::{Block, Fetch, Piece};
use crate::proto::imap::flags::{Recent, SYSTEM_FLAGS};
use crate::proto::imap::search::Found;
use crate::proto::imap::server::append::{Message, append_refusal, appended};
use crate::proto::imap::server::execute::Again;
use crate::proto::imap::server::reply::{self, Reply};
use crate::proto::imap::server::{Doing, Phase, Refused, Selected, Server};
use crate::proto::imap::view::{Change, Removals, View};
use crate::proto::imap::work::{
    self, Copied, CopyError, KeywordRoom, News, Opened, Outcome, Stored, Watched, Work,
};
use crate::store::{Account, AuthError, Index, StoreError, Subscription};
use crate::wire::imap::command::{Access, Numbering, Originals};
use crate::wire::imap::condstore::Resync;
use crate::wire::imap::response::{self, Code, Status};
use crate::wire::imap::set::Ranges;

/// The command that a job is for.
pub(super) struct Pending {
    pub(super) tag: String,
    pub(super) after: After,
}

/// What comes after a job.
pub(super) enum After {
    /// OK.
    Tagged {
        text: &'static str,
        removals: Removals,
    },
    Login,
    /// Of LIST and STATUS.
    Lines {
        name: String,
        text: &'static str,
    },
    /// OK, or why something could not be done with `name`.
    Manage {
        name: String,
        text: &'static str,
    },
    Delete {
        name: String,
    },
    Rename {
        from: String,
        to: String,
    },
    Create {
        name: String,
    },
    /// OK with HIGHESTMODSEQ, for who knows it.
    Expunge {
        name: String,
    },
    Select {
        mailbox: String,
        resync: Option<Resync>,
    },
    /// SELECT's reply waits until the client has caught up.
    CatchUp(Reply),
    Fetch {
        removals: Removals,
        gone: bool,
    },
    Search {
        numbering: Numbering,
        found: Vec<u32>,
        /// The highest mod-sequence of those found, if it is to be told.
        modseq: Option<u64>,
    },
    Store(Removals),
    Copy {
        mailbox: String,
        originals: Originals,
    },
    AppendBlock(Box<Message>),
    Append {
        mailbox: String,
    },
    Idle {
        subscription: Subscription,
        again: Again,
    },
}

impl Server {
    /// A job is done.
    pub(super) fn done(
        &mut self,
        now: Instant,
        outcome: Outcome,
        news: Option<Result<News, StoreError>>,
        out: &mut Out,
    ) {
        let Doing::Job(pending) = std::mem::replace(&mut self.doing, Doing::Command) else {
            return;
        };
        let Pending { tag, after } = *pending;
        let deletes = matches!(after, After::Delete { .. });
        let removes = matches!(
            after,
            After::Expunge { .. }
                | After::Copy {
                    originals: Originals::Go,
                    ..
                }
        );
        let (mut reply, removals) = match (after, outcome) {
            (After::Login, Outcome::Verified(result)) => {
                self.verified(now, tag, result, out);
                return;
            }
            (After::Select { mailbox, resync }, Outcome::Selected(result)) => {
                let reply = self.opened(&mailbox, result, out);
                if let Some(fetch) = resync.and_then(|resync| self.catch_up(&resync)) {
                    let after = After::CatchUp(reply);
                    self.job(Work::Fetch(Box::new(fetch)), Pending { tag, after }, out);
                    return;
                }
                (reply, Removals::Told)
            }
            (After::CatchUp(reply), Outcome::Fetched(Ok(block))) => {
                if let Some(rest) = self.say_block(block, out) {
                    let after = After::CatchUp(reply);
                    self.fetch_on(Box::new(Pending { tag, after }), rest, out);
                    return;
                }
                (reply, Removals::Told)
            }
            (After::Fetch { removals, gone }, Outcome::Fetched(Ok(block))) => {
                let gone = gone || block.gone;
                let rest = self.say_block(block, out);
                let after = After::Fetch { removals, gone };
                if let Some(rest) = rest {
                    self.fetch_on(Box::new(Pending { tag, after }), rest, out);
                    return;
                }
                (fetched(gone), removals)
            }
            (
                After::Search {
                    numbering,
                    found,
                    modseq,
                },
                Outcome::Found(Ok(more)),
            ) => {
                let Some(reply) = self.found(&tag, numbering, (found, modseq), more, out) else {
                    return;
                };
                let removals = match numbering {
                    Numbering::Sequence => Removals::Deferred,
                    Numbering::Uid => Removals::Told,
                };
                (reply, removals)
            }
            (After::AppendBlock(message), Outcome::Appending(opened, block)) => {
                self.block_appended(message, opened, block, out);
                return;
            }
            (
                After::Idle {
                    subscription,
                    again,
                },
                Outcome::Nothing,
            ) => {
                self.tell_news(news, Removals::Told, out);
                self.idle_on(tag, subscription, again, out);
                return;
            }
            (after, outcome) => self.simple(after, outcome, out),
        };
        if let (true, Phase::Selected(account, _), Some(Err(StoreError::NoSuchMailbox))) =
            (deletes, &self.phase, &news)
        {
            // What was deleted cannot stay selected (RFC 2180 §3.3 leaves this open).
            self.phase = Phase::Authenticated(account.clone());
        }
        self.tell_news(news, removals, out);
        self.announce(out);
        if let (true, Phase::Selected(_, selected)) =
            (removes && self.aware == Awareness::Qresync, &self.phase)
        {
            // RFC 7162 §3.2.7
            reply.add_highest_modseq(selected.view.told_modseq());
        }
        if out.wish().is_none() {
            self.refuse(Refused { tag, reply }, out);
        }
    }

    /// Outcomes that lead to a reply without further ado.
    fn simple(&mut self, after: After, outcome: Outcome, out: &mut Out) -> (Reply, Removals) {
        match (after, outcome) {
            (After::Tagged { text, removals }, Outcome::Nothing) => (Reply::ok(text), removals),
            (After::Lines { text, .. }, Outcome::Lines(Ok(lines))) => {
                out.block(lines);
                (Reply::ok(text), Removals::Told)
            }
            (After::Lines { name, .. }, Outcome::Lines(Err(error)))
            | (After::Manage { name, .. }, Outcome::Done(Err(error))) => {
                (Reply::refusal(&error, &name), Removals::Told)
            }
            (After::Manage { text, .. }, Outcome::Done(Ok(()))) => {
                (Reply::ok(text), Removals::Told)
            }
            (After::Create { name }, Outcome::Created(result)) => {
                let reply = match result {
                    Ok(id) => Reply::ok_coded(Code::MailboxId(id), "created"),
                    Err(error) => Reply::refusal(&error, &name),
                };
                (reply, Removals::Told)
            }
            (After::Expunge { name }, Outcome::Done(result)) => {
                let reply = match result {
                    Ok(()) => Reply::ok("messages with \\Deleted are gone"),
                    Err(error) => Reply::refusal(&error, &name),
                };
                (reply, Removals::Told)
            }
            (After::CatchUp(_), Outcome::Fetched(Err(error))) => {
                (Reply::refusal(&error, "that"), Removals::Told)
            }
            (After::Delete { name }, Outcome::Done(result)) => {
                let reply = match result {
                    Ok(()) => Reply::ok("deleted"),
                    Err(error) => Reply::refusal(&error, &name),
                };
                (reply, Removals::Told)
            }
            (After::Rename { from, to }, Outcome::Done(result)) => {
                let reply = match result {
                    Ok(()) => Reply::ok("renamed"),
                    Err(error @ StoreError::AlreadyExists) => Reply::refusal(&error, &to),
                    Err(error) => Reply::refusal(&error, &from),
                };
                (reply, Removals::Told)
            }
            (After::Store(removals), Outcome::Stored(result)) => {
                (self.stored(result, out), removals)
            }
            (After::Copy { mailbox, originals }, Outcome::Copied(result)) => {
                (copied(&mailbox, originals, result, out), Removals::Told)
            }
            (After::Append { mailbox }, Outcome::Appended(result)) => {
                let reply = match result {
                    Ok(message) => appended(message),
                    Err(error) => append_refusal(&error, &mailbox),
                };
                (reply, Removals::Told)
            }
            (After::Fetch { removals, .. }, Outcome::Fetched(Err(error))) => {
                (Reply::refusal(&error, "that"), removals)
            }
            (After::Search { .. }, Outcome::Found(Err(error))) => {
                (Reply::refusal(&error, "that"), Removals::Deferred)
            }
            _ => (
                Reply::no("SERVERBUG", "the server lost its thread; try again"),
                Removals::Deferred,
            ),
        }
    }

    fn verified(
        &mut self,
        now: Instant,
        tag: String,
        result: Result<Account, AuthError>,
        out: &mut Out,
    ) {
        let reply = match result {
            Ok(account) => {
                self.phase = Phase::Authenticated(account);
                Reply::capabilities(self.capabilities(), "logged in")
            }
            Err(AuthError::Identity) => Reply::no(
                "AUTHORIZATIONFAILED",
                "nobody may act for somebody else here; leave the first name empty",
            ),
            Err(AuthError::Credentials) => {
                self.failures += 1;
                let reply = Reply::no("AUTHENTICATIONFAILED", "the name or the password is wrong");
                // Held back, so that guessing is slow.
                let until = now + limits::LOGIN_PAUSE;
                self.doing = Doing::Pause(until, Refused { tag, reply });
                return;
            }
        };
        self.refuse(Refused { tag, reply }, out);
    }

    /// SELECT and EXAMINE (RFC 3501 §6.3.1).
    fn opened(
        &mut self,
        mailbox: &str,
        result: Result<Opened, StoreError>,
        out: &mut Out,
    ) -> Reply {
        let opened = match result {
            Ok(opened) => opened,
            Err(error) => return Reply::refusal(&error, mailbox),
        };
        let Phase::Authenticated(account) = &self.phase else {
            return Reply::no("SERVERBUG", "the server lost its thread; log in again");
        };
        let account = account.clone();
        out.with(|bytes| write_selected(bytes, &opened));
        let (code, text) = match opened.access {
            Access::ReadWrite => ("READ-WRITE", "selected; it may be read and changed"),
            Access::ReadOnly => ("READ-ONLY", "selected; it may be read, and is not changed"),
        };
        let watched = Watched {
            mailbox: opened.mailbox,
            access: opened.access,
            aware: self.aware,
        };
        let mut view = View::new(opened.index, opened.recent);
        view.set_aware(self.aware);
        let selected = Selected {
            name: opened.name,
            watched,
            view,
        };
        self.phase = Phase::Selected(account, Box::new(selected));
        Reply::ok_coded(Code::Plain(code), text)
    }

    /// What a client that was here before is sent, if what it knows is of any use.
    fn catch_up(&self, resync: &Resync) -> Option<Fetch> {
        match &self.phase {
            Phase::Selected(_, selected) => {
                condstore::catch_up(resync, &selected.watched, &selected.view)
            }
            _ => None,
        }
    }

    /// Says a block of FETCH's responses; returns what is still to be fetched.
    fn say_block(&mut self, block: Block, out: &mut Out) -> Option<Box<Fetch>> {
        for piece in block.pieces {
            match piece {
                Piece::Bytes(bytes) => out.block(bytes),
                Piece::Extent(extent) => out.extent(extent),
            }
        }
        if let Phase::Selected(_, selected) = &mut self.phase {
            for (uid, flags) in block.known {
                selected.view.knows(uid, flags, 0);
            }
        }
        block.rest
    }

    /// The next block, now or when the peer has read.
    fn fetch_on(&mut self, pending: Box<Pending>, rest: Box<Fetch>, out: &mut Out) {
        if out.is_full() {
            self.doing = Doing::Room(pending, rest);
        } else {
            self.job(Work::Fetch(rest), *pending, out);
        }
    }

    /// The peer has read.
    pub(super) fn room(&mut self, out: &mut Out) {
        match std::mem::replace(&mut self.doing, Doing::Command) {
            Doing::Room(pending, rest) => self.fetch_on(pending, rest, out),
            other => self.doing = other,
        }
    }

    fn found(
        &mut self,
        tag: &str,
        numbering: Numbering,
        (mut found, mut modseq): (Vec<u32>, Option<u64>),
        more: Found,
        out: &mut Out,
    ) -> Option<Reply> {
        found.extend_from_slice(&more.uids);
        modseq = modseq.max(more.modseq);
        if let Some(rest) = more.rest {
            let pending = Pending {
                tag: tag.to_owned(),
                after: After::Search {
                    numbering,
                    found,
                    modseq,
                },
            };
            self.job(Work::Search(rest), pending, out);
            return None;
        }
        let Phase::Selected(_, selected) = &self.phase else {
            return Some(Reply::no("SERVERBUG", "no mailbox is selected"));
        };
        let view = &selected.view;
        out.with(|bytes| {
            bytes.extend_from_slice(b"* SEARCH");
            for uid in &found {
                let number = match numbering {
                    Numbering::Uid => Some(*uid),
                    Numbering::Sequence => view.number(*uid),
                };
                if let Some(number) = number {
                    bytes.push(b' ');
                    response::number(bytes, number.into());
                }
            }
            if let Some(modseq) = modseq.filter(|_| !found.is_empty()) {
                // RFC 7162 §3.1.5
                bytes.extend_from_slice(b" (MODSEQ ");
                response::number(bytes, modseq);
                bytes.push(b')');
            }
            bytes.extend_from_slice(b"\r\n");
        });
        Some(Reply::ok(match found.len() {
            0 => "none was found".to_owned(),
            1 => "one was found".to_owned(),
            count => format!("{count} were found"),
        }))
    }

    fn stored(&mut self, result: Result<Stored, StoreError>, out: &mut Out) -> Reply {
        let stored = match result {
            Ok(stored) => stored,
            Err(error) => return Reply::refusal(&error, "that"),
        };
        if let Phase::Selected(_, selected) = &mut self.phase {
            for (uid, flags, modseq) in stored.known {
                selected.view.knows(uid, flags, modseq);
            }
        }
        out.block(stored.lines);
        if !stored.modified.is_empty() {
            return Reply::modified(stored.modified, stored.gone);
        }
        match (stored.keywords, stored.gone) {
            (KeywordRoom::Full, _) => Reply::no(
                "LIMIT",
                "the mailbox has 26 keywords already, and cannot take more; the other flags are stored",
            ),
            (_, true) => Reply::no(
                "EXPUNGEISSUED",
                "another session has removed some of these; the flags of the others are stored",
            ),
            _ => Reply::ok("the flags are stored"),
        }
    }

    /// Tells what is new in the selected mailbox.
    fn tell_news(
        &mut self,
        news: Option<Result<News, StoreError>>,
        removals: Removals,
        out: &mut Out,
    ) {
        let (Some(news), Phase::Selected(_, selected)) = (news, &mut self.phase) else {
            return;
        };
        let News { index, recent } = match news {
            Ok(news) => news,
            Err(StoreError::NoSuchMailbox) => {
                reply::bye(
                    out,
                    "the selected mailbox was deleted by another session; log in again",
                );
                return;
            }
            Err(error) => {
                Reply::refusal(&error, &selected.name).say(out, "*");
                return;
            }
        };
        if index.uid_validity != selected.view.told().uid_validity {
            // RFC 3501 §2.3.1.1: UIDs keep their meaning for a session. Another program has made a new list of them.
            reply::bye(
                out,
                "all messages have new UIDs, for another program has changed the mailbox; log in again",
            );
            return;
        }
        out.with(|bytes| {
            if index.keywords != selected.view.told().keywords {
                write_flags_line(bytes, &index);
                write_permanent_flags(bytes, &index, selected.watched.access);
            }
            let mut changes = Vec::new();
            let now = std::sync::Arc::clone(&index);
            selected
                .view
                .learn(now, recent, removals, |change| changes.push(change));
            for change in changes {
                write_change(bytes, change, &index, &selected.view, self.aware);
            }
        });
    }

    /// A mailbox that was subscribed to has changed.
    pub(super) fn changed(&mut self, out: &mut Out) {
        match std::mem::replace(&mut self.doing, Doing::Command) {
            Doing::Idle {
                tag,
                subscription: Some(subscription),
            } => self.idle_on(tag, subscription, Again::Yes, out),
            Doing::Job(mut pending) => {
                if let After::Idle { again, .. } = &mut pending.after {
                    *again = Again::Yes;
                }
                self.doing = Doing::Job(pending);
            }
            other => self.doing = other,
        }
    }

    /// Looks again, or waits.
    fn idle_on(&mut self, tag: String, subscription: Subscription, again: Again, out: &mut Out) {
        if out.wish().is_some() {
            return;
        }
        match again {
            Again::No => {
                self.doing = Doing::Idle {
                    tag,
                    subscription: Some(subscription),
                };
            }
            Again::Yes => {
                let after = After::Idle {
                    subscription,
                    again: Again::No,
                };
                self.job(Work::Nothing, Pending { tag, after }, out);
            }
        }
    }
}

fn fetched(gone: bool) -> Reply {
    if gone {
        Reply::no(
            "EXPUNGEISSUED",
            "another session has removed some of these; NOOP tells which",
        )
    } else {
        Reply::ok("that is all")
    }
}

fn copied(
    mailbox: &str,
    originals: Originals,
    result: Result<Option<Copied>, CopyError>,
    out: &mut Out,
) -> Reply {
    let copied = match result {
        Ok(Some(copied)) => copied,
        Ok(None) => return Reply::ok("there was no such message; nothing to do"),
        Err(CopyError::Target(error)) => return append_refusal(&error, mailbox),
        Err(CopyError::Copy(error)) => return Reply::refusal(&error, mailbox),
    };
    // The proof that the copies are on disk is in hand.
    let Copied {
        uid_validity,
        pairs,
        durable: _,
        removed,
    } = copied;
    let old = Ranges::from_ascending(pairs.iter().map(|pair| pair.0));
    let new = Ranges::from_ascending(pairs.iter().map(|pair| pair.1));
    let code = Code::CopyUid(uid_validity, old, new);
    match (originals, removed) {
        (Originals::Stay, _) => Reply::ok_coded(code, "copied, and on disk"),
        (Originals::Go, removed) => {
            // RFC 6851 §4.3: COPYUID comes untagged, before the EXPUNGEs.
            Reply::ok_coded(code, "copied, and on disk").say(out, "*");
            match removed {
                Ok(()) => Reply::ok("moved"),
                Err(error) => Reply::refusal(&error, mailbox),
            }
        }
    }
}

fn write_selected(out: &mut Vec<u8>, opened: &Opened) {
    let index = &opened.index;
    write_flags_line(out, index);
    write_permanent_flags(out, index, opened.access);
    write_count(out, index.messages.len(), "EXISTS");
    write_count(out, opened.recent.len(), "RECENT");
    let unseen = index.messages.iter().position(|entry| work::unseen(&entry));
    if let Some(place) = unseen.and_then(|place| u32::try_from(place).ok()) {
        let code = Code::Number("UNSEEN", place + 1);
        let text = "the first that is not \\Seen";
        response::status(out, "*", Status::Ok, Some(&code), text);
    }
    for (name, value, text) in [
        ("UIDVALIDITY", index.uid_validity, "UIDs are valid"),
        ("UIDNEXT", index.uid_next, "the next UID"),
    ] {
        let code = Code::Number(name, value);
        response::status(out, "*", Status::Ok, Some(&code), text);
    }
    let (code, text) = if opened.settled {
        let code = Code::HighestModseq(index.highest_modseq);
        (code, "the last change has this number")
    } else {
        let code = Code::Plain("NOMODSEQ");
        (
            code,
            "changes cannot be numbered, for the disk does not keep the numbers",
        )
    };
    response::status(out, "*", Status::Ok, Some(&code), text);
    let code = Code::MailboxId(opened.object_id.clone());
    response::status(out, "*", Status::Ok, Some(&code), "it keeps that for ever");
}

/// `* FLAGS (...)`
fn write_flags_line(out: &mut Vec<u8>, index: &Index) {
    out.extend_from_slice(b"* FLAGS ");
    let keywords = index.named_keywords().map(|(_, name)| name);
    let system = SYSTEM_FLAGS.iter().map(|(name, _)| *name);
    response::flag_list(out, system.chain(keywords));
    out.extend_from_slice(b"\r\n");
}

fn write_permanent_flags(out: &mut Vec<u8>, index: &Index, access: Access) {
    let mut flags: Vec<String> = Vec::new();
    if access == Access::ReadWrite {
        flags.extend(SYSTEM_FLAGS.iter().map(|(name, _)| (*name).to_owned()));
        flags.extend(index.named_keywords().map(|(_, name)| name.to_owned()));
        if index.named_keywords().count() < 26 {
            flags.push("\\*".to_owned());
        }
    }
    let text = match access {
        Access::ReadWrite => "flags that can be changed; \\* means that new keywords can be made",
        Access::ReadOnly => "nothing can be changed",
    };
    let code = Code::PermanentFlags(flags);
    response::status(out, "*", Status::Ok, Some(&code), text);
}

fn write_count(out: &mut Vec<u8>, count: usize, word: &str) {
    out.extend_from_slice(b"* ");
    response::number(out, count as u64);
    out.push(b' ');
    out.extend_from_slice(word.as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn write_change(out: &mut Vec<u8>, change: Change, index: &Index, view: &View, aware: Awareness) {
    match change {
        Change::Expunge(number) => write_count(out, number as usize, "EXPUNGE"),
        Change::Vanished(uids) => condstore::write_vanished(out, &uids),
        Change::Exists(count) => write_count(out, count as usize, "EXISTS"),
        Change::Recent(count) => write_count(out, count as usize, "RECENT"),
        Change::Flags {
            number,
            uid,
            flags,
            modseq,
        } => {
            let recent = if view.is_recent(uid) {
                Recent::Yes
            } else {
                Recent::No
            };
            let modseq = (aware > Awareness::None).then_some(modseq);
            let flags = Some((flags, recent));
            work::write_flags_response(out, number, Some(uid), flags, modseq, index);
        }
    }
}
