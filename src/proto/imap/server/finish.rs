//! A job's outcome: its responses, what is new in the mailbox, and the tagged reply, in this order.

use std::sync::Arc;

use super::news::write_selected;
use super::pending::{After, Fetching, Pending, Rest, removals};
use super::reply::{self, Reply, append_refusal, appended};
use super::{Doing, Phase, Refused, Selected, Server};
use crate::limits;
use crate::proto::Out;
use crate::proto::imap::alter::{Appended, Copied, CopyError, KeywordRoom, Stored};
use crate::proto::imap::awareness::Awareness;
use crate::proto::imap::condstore;
use crate::proto::imap::fetch::{Block, Fetch, Piece};
use crate::proto::imap::urls::Fault;
use crate::proto::imap::view::{Removals, View};
use crate::proto::imap::work::{News, Opened, Outcome, Watched, Work};
use crate::store::{Index, Noted, StoreError};
use crate::tap::note;
use crate::wire::imap::command::{Access, Numbering, Originals};
use crate::wire::imap::condstore::Resync;
use crate::wire::imap::response::Code;
use crate::wire::imap::set::Ranges;

impl Server {
    /// A job is done.
    pub(super) fn done(
        &mut self,
        outcome: Outcome,
        mut news: Option<Result<News, StoreError>>,
        noted: Option<Box<(u64, Vec<Noted>)>>,
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
                | After::Append { replaces: true, .. }
        );
        self.note_own(&after, &outcome);
        let mut tag = tag;
        let (mut reply, removals) = match (after, outcome) {
            (After::Urls { mailbox, reply }, Outcome::Urls(Ok(done))) => {
                let Some(said) = self.say_urls(tag, mailbox, reply, done, out) else {
                    return;
                };
                tag = said.0;
                (said.1, Removals::Told)
            }
            (After::Login(exchange), Outcome::Told(told)) => {
                self.told(tag, exchange, told, out);
                return;
            }
            (After::Select { mailbox, resync }, Outcome::Selected(result)) => {
                let mut result = result;
                let outline = result
                    .as_mut()
                    .ok()
                    .and_then(|opened| opened.outline.take());
                let reply = self.opened(&mailbox, result, out);
                if let (Some(outline), Phase::Selected(_, selected)) = (outline, &self.phase) {
                    let work = Work::Fill(Arc::clone(&selected.watched.mailbox), outline);
                    let waits = match resync {
                        Some(resync) => Some((reply, resync)),
                        None => {
                            self.announce(out);
                            reply.say(out, &tag);
                            None
                        }
                    };
                    let after = After::Fill(waits);
                    self.job(work, Pending { tag, after }, out);
                    return;
                }
                if let Some(fetch) = resync.and_then(|resync| self.catch_up(&resync)) {
                    let after = After::CatchUp(reply);
                    self.job(Work::Fetch(Box::new(fetch)), Pending { tag, after }, out);
                    return;
                }
                (reply, Removals::Told)
            }
            (After::Fill(waits), Outcome::Filled(Ok(Some(index)))) => {
                self.filled(index);
                let Some((reply, resync)) = waits else {
                    self.tell_news(news, Removals::Deferred, out);
                    self.tell_noted(noted, out);
                    return;
                };
                if let Some(fetch) = self.catch_up(&resync) {
                    let after = After::CatchUp(reply);
                    self.job(Work::Fetch(Box::new(fetch)), Pending { tag, after }, out);
                    return;
                }
                (reply, Removals::Told)
            }
            (After::Fill(_), Outcome::Filled(Err(_))) => {
                reply::bye(out, "the selected mailbox cannot be read; log in again");
                return;
            }
            (After::Fill(_), _) => {
                reply::bye(
                    out,
                    "the mailbox was changed by another program while it was opened; log in again",
                );
                return;
            }
            (After::CatchUp(reply), Outcome::Fetched(Ok(block))) => {
                if let Some(rest) = self.say_block(block, out) {
                    let after = After::CatchUp(reply);
                    self.fetch_on(Box::new(Pending { tag, after }), rest, out);
                    return;
                }
                // It is selected with the OK: clients take no removal before.
                (reply, Removals::Deferred)
            }
            (After::Fetch(mut fetching), Outcome::Fetched(Ok(block))) => {
                fetching.gone |= block.gone;
                fetching.undecoded |= block.undecoded;
                let rest = self.say_block(block, out);
                if let Some(rest) = rest {
                    let after = After::Fetch(fetching);
                    self.fetch_on(Box::new(Pending { tag, after }), rest, out);
                    return;
                }
                (fetched(&fetching), fetching.removals)
            }
            (After::Search(seeking), Outcome::Found(Ok(more))) => {
                let removals = removals(seeking.numbering);
                let Some(reply) = self.found(&tag, seeking, more, out) else {
                    return;
                };
                (reply, removals)
            }
            (After::Store(removals), Outcome::Stored(result)) => {
                self.tell_new_keywords(news.as_ref(), out);
                (self.stored(result, out), removals)
            }
            (After::Multisearch, Outcome::Multisearched(Ok(more))) => {
                let Some(reply) = self.multisearched(&tag, more, out) else {
                    return;
                };
                (reply, Removals::Told)
            }
            (After::AppendBlock(message), Outcome::Appending(opened, block)) => {
                self.block_appended(message, opened, block, out);
                return;
            }
            (After::Notify { new, old }, Outcome::Surveyed(result)) => {
                let reply = self.notified(new, old, result, news.take(), out);
                (reply, Removals::Told)
            }
            (After::Unasked(idle), outcome) => {
                self.told_unasked(tag, idle, outcome, (news, noted), out);
                return;
            }
            (After::Idle { waking, again }, Outcome::Nothing) => {
                self.tell_news(news, Removals::Told, out);
                self.tell_noted(noted, out);
                self.idle_on(tag, waking, again, out);
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
        let removals = match self.is_frozen() && !removes {
            true => Removals::Deferred,
            false => removals,
        };
        self.tell_news(news, removals, out);
        self.tell_held_back(out);
        self.tell_noted(noted, out);
        self.announce(out);
        if let (true, Phase::Selected(_, selected)) = (
            removes && self.switched.aware == Awareness::Qresync,
            &self.phase,
        ) {
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
            (_, Outcome::Revoked) => {
                let reply = Reply::no(
                    "NOPERM",
                    "a right of yours on this mailbox was just taken away, and nothing was done; MYRIGHTS tells which are left",
                );
                (reply, Removals::Deferred)
            }
            (After::Notes { name }, Outcome::Values(result)) => {
                (self.values(&name, result, out), Removals::Told)
            }
            (After::Tagged { text, removals }, Outcome::Nothing) => (Reply::ok(text), removals),
            (After::Lines { text, .. }, Outcome::Lines(Ok(lines))) => {
                out.block(lines);
                (Reply::ok(text), Removals::Told)
            }
            // The one name that may be empty is the quota root's.
            (After::Lines { name, .. }, Outcome::Lines(Err(StoreError::NoSuchMailbox)))
                if name.is_empty() =>
            {
                let text = "nothing is limited here, so there is no quota root";
                (Reply::no("NONEXISTENT", text), Removals::Told)
            }
            (After::Lines { name, .. }, Outcome::Lines(Err(error)))
            | (After::Manage { name, .. }, Outcome::Done(Err(error)))
            | (After::Subscription { name, .. }, Outcome::Done(Err(error))) => {
                (Reply::refusal(&error, &name), Removals::Told)
            }
            (
                After::Manage { text, .. } | After::Subscription { text, .. },
                Outcome::Done(Ok(())),
            ) => (Reply::ok(text), Removals::Told),
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
            (After::Multisearch, Outcome::Multisearched(Err(error))) => {
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
            (After::Copy { mailbox, originals }, Outcome::Copied(result)) => {
                (copied(&mailbox, originals, result, out), Removals::Told)
            }
            (After::Append { mailbox, replaces }, Outcome::Appended(result)) => {
                if let Ok(message) = &result
                    && out.is_tapped()
                {
                    for uid in message.uids.iter().take(limits::APPEND_NOTES) {
                        out.note(note::MESSAGE, &format!("{mailbox}/{uid}"));
                    }
                }
                let reply = match result {
                    Ok(message) if replaces => replaced(message, &mailbox, out),
                    Ok(message) => appended(message),
                    Err(Fault::Store(error)) => append_refusal(&error, &mailbox),
                    Err(fault) => Reply::fault(&fault, &mailbox),
                };
                (reply, Removals::Told)
            }
            (After::Urls { mailbox, .. }, Outcome::Urls(Err(fault))) => {
                (Reply::fault(&fault, &mailbox), Removals::Told)
            }
            (After::Fetch(fetching), Outcome::Fetched(Err(error))) => {
                (Reply::refusal(&error, "that"), fetching.removals)
            }
            (After::Search(seeking), Outcome::Found(Err(error))) => {
                if let (Some(true), Phase::Selected(_, selected)) =
                    (seeking.returns.map(|returns| returns.save), &mut self.phase)
                {
                    selected.view.save(Ranges::default());
                }
                (Reply::refusal(&error, "that"), Removals::Deferred)
            }
            _ => (Reply::bug(), Removals::Deferred),
        }
    }

    /// SELECT and EXAMINE (RFC 3501 §6.3.1).
    fn opened(
        &mut self,
        mailbox: &str,
        result: Result<Box<Opened>, StoreError>,
        out: &mut Out,
    ) -> Reply {
        let opened = match result {
            Ok(opened) => *opened,
            Err(error) => return Reply::refusal(&error, mailbox),
        };
        out.note(note::MAILBOX, mailbox);
        let Phase::Authenticated(account) = &self.phase else {
            return Reply::bug();
        };
        let account = account.clone();
        let mut opened = opened;
        if self.switched.rev2 {
            opened.recent.clear();
        }
        let (rev2, speech) = (self.switched.rev2, self.speech());
        let numbers = match self.switched.uid_only {
            true => Numbering::Uid,
            false => Numbering::Sequence,
        };
        out.with(|bytes| write_selected(bytes, &opened, rev2.then_some(speech), numbers));
        let (code, text) = match opened.watched.access {
            Access::ReadWrite => ("READ-WRITE", "selected; it may be read and changed"),
            Access::ReadOnly => ("READ-ONLY", "selected; it may be read, and is not changed"),
        };
        let watched = Watched {
            aware: self.switched.aware,
            ..opened.watched
        };
        let mut view = View::new(opened.index, opened.recent);
        view.set_aware(self.switched.aware);
        view.set_numbers(numbers);
        let selected = Selected {
            name: opened.name,
            watched,
            view,
            subscription: None,
            unfetched: Vec::new(),
            contexts: Vec::new(),
            flags_told: false,
        };
        self.phase = Phase::Selected(account, Box::new(selected));
        self.watch_selected();
        Reply::ok_coded(Code::Plain(code), text)
    }

    /// The messages of the selected mailbox are known.
    fn filled(&mut self, index: Arc<Index>) {
        if let Phase::Selected(_, selected) = &mut self.phase {
            let mut view = View::new(index, Vec::new());
            view.set_aware(self.switched.aware);
            view.set_numbers(match self.switched.uid_only {
                true => Numbering::Uid,
                false => Numbering::Sequence,
            });
            selected.view = view;
        }
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
    pub(super) fn say_block(&mut self, block: Block, out: &mut Out) -> Option<Rest> {
        Self::say_pieces(block.pieces, out);
        if let Phase::Selected(_, selected) = &mut self.phase {
            for (uid, flags) in block.known {
                selected.view.knows(uid, flags, 0);
            }
        }
        block.rest.map(Rest::Fetch)
    }

    pub(super) fn say_pieces(pieces: Vec<Piece>, out: &mut Out) {
        for piece in pieces {
            match piece {
                Piece::Bytes(bytes) => out.block(bytes),
                Piece::Extent(extent) => out.extent(extent),
            }
        }
    }

    /// The next block, now or when the peer has read.
    pub(super) fn fetch_on(&mut self, pending: Box<Pending>, rest: Rest, out: &mut Out) {
        if out.is_full() {
            self.doing = Doing::Room(pending, rest);
        } else {
            self.job(rest.work(), *pending, out);
        }
    }

    /// The peer has read.
    pub(super) fn room(&mut self, out: &mut Out) {
        match std::mem::replace(&mut self.doing, Doing::Command) {
            Doing::Room(pending, rest) => self.fetch_on(pending, rest, out),
            other => self.doing = other,
        }
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
            // RFC 2180 §4.2.1
            (_, true) => Reply::ok_coded(
                Code::Plain("EXPUNGEISSUED"),
                "another session has removed some of these; the flags of the others are stored",
            ),
            _ => Reply::ok("the flags are stored"),
        }
    }
}

fn fetched(fetching: &Fetching) -> Reply {
    if fetching.undecoded {
        // RFC 3516 §4.3
        Reply::no(
            "UNKNOWN-CTE",
            "a part's Content-Transfer-Encoding cannot be undone; BODY[...] gives it as it is",
        )
    } else if fetching.gone {
        // RFC 2180 §4.1.2 allows NO too, for which clients throw away what they got.
        Reply::ok_coded(
            Code::Plain("EXPUNGEISSUED"),
            "another session has removed some of these; NOOP tells which",
        )
    } else {
        Reply::ok("that is all")
    }
}

/// RFC 8508 §3.3: the UID comes untagged, before the EXPUNGE.
fn replaced(mut message: Appended, mailbox: &str, out: &mut Out) -> Reply {
    let removed = std::mem::replace(&mut message.removed, Ok(()));
    appended(message).say(out, "*");
    match removed {
        Ok(()) => Reply::ok("replaced"),
        Err(error) => Reply::refusal(&error, mailbox),
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
