//! What is in the selected mailbox: all of it at SELECT, and later what has changed.

use std::sync::Arc;

use super::pending::{After, Again, Pending, Waking};
use super::reply::{self, Reply};
use super::{Doing, Phase, Server};
use crate::proto::Out;
use crate::proto::imap::alter;
use crate::proto::imap::awareness::{self, Awareness};
use crate::proto::imap::flags::{Recent, SYSTEM_FLAGS, may_change};
use crate::proto::imap::view::{Change, Removals, View};
use crate::proto::imap::work::{News, Opened, Watched, Work};
use crate::store::{Index, StoreError};
use crate::wire::imap::command::{Access, Depth, Numbering};
use crate::wire::imap::response::{self, Code, Status};
use crate::wire::imap::rights::Rights;
use crate::wire::imap::scan::Speech;

impl Server {
    /// Tells what is new in the selected mailbox.
    pub(super) fn tell_news(
        &mut self,
        news: Option<Result<News, StoreError>>,
        removals: Removals,
        out: &mut Out,
    ) {
        let (Some(news), Phase::Selected(_, selected)) = (news, &mut self.phase) else {
            return;
        };
        let News {
            index,
            mut recent,
            rights,
        } = match news {
            Ok(news) => news,
            Err(StoreError::NoSuchMailbox) if selected.watched.guest.is_some() => {
                reply::bye(
                    out,
                    "the selected mailbox is gone, or its owner lets you read it no more; log in again",
                );
                return;
            }
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
        if self.switched.rev2 {
            // RFC 9051 appendix A: nothing is recent.
            recent.clear();
        }
        let (depth, fetches) = match &self.notify {
            Some(notify) => (notify.selected, !notify.fetch.is_empty()),
            None => (Depth::Flags, false),
        };
        let frozen = depth == Depth::Nothing;
        let index = match frozen {
            true => selected.view.without_new(&index),
            false => index,
        };
        let (uid_next, told_modseq) = (selected.view.told().uid_next, selected.view.told_modseq());
        let mut kept = false;
        // RFC 4314 §5.1.1: they are told again when rights have changed.
        let before = std::mem::replace(&mut selected.watched.rights, rights);
        let other_rights = may_change(before) != may_change(rights);
        let mut contexts = std::mem::take(&mut selected.contexts);
        out.with(|bytes| {
            for context in &mut contexts {
                context.write_gone(bytes, &selected.view);
            }
            let told = std::mem::take(&mut selected.flags_told);
            if other_rights || (!told && index.keywords != selected.view.told().keywords) {
                write_flags_line(bytes, &index);
                write_permanent_flags(bytes, &index, selected.watched.access, rights);
            }
            let mut changes = Vec::new();
            let now = Arc::clone(&index);
            selected
                .view
                .learn(now, recent, removals, |change| changes.push(change));
            for change in changes {
                if depth < Depth::Flags && matches!(change, Change::Flags { .. }) {
                    kept = true;
                    continue;
                }
                write_change(bytes, change, &index, &selected.view, self.switched.aware);
            }
            for context in &mut contexts {
                let new = context.write_changes(bytes, &selected.view, uid_next);
                let items = Arc::clone(&context.items);
                selected.fetch_soon(new, &items);
            }
        });
        selected.contexts = contexts;
        if kept || frozen {
            selected.view.keep_told_modseq(told_modseq);
        }
        if fetches && !frozen {
            self.note_new(uid_next);
        }
    }

    /// Tells which flags there are before a response names one that is new: clients look them up (RFC 3501 §7.2.6).
    pub(super) fn tell_new_keywords(
        &mut self,
        news: Option<&Result<News, StoreError>>,
        out: &mut Out,
    ) {
        let (Some(Ok(news)), Phase::Selected(_, selected)) = (news, &mut self.phase) else {
            return;
        };
        let told = selected.view.told();
        // Else `tell_news` says that all is over.
        let valid = news.index.uid_validity == told.uid_validity;
        if valid && news.index.keywords != told.keywords {
            let access = selected.watched.access;
            out.with(|bytes| {
                write_flags_line(bytes, &news.index);
                write_permanent_flags(bytes, &news.index, access, news.rights);
            });
            selected.flags_told = true;
        }
    }

    /// While removals are held back, what is told of later changes must not have the client believe that it knows all up to them:
    /// when it resynchronizes it would never learn of those removals (RFC 7162 §3.2, §6).
    pub(super) fn tell_held_back(&self, out: &mut Out) {
        let Phase::Selected(_, selected) = &self.phase else {
            return;
        };
        let told = selected.view.told_modseq();
        if self.switched.aware == Awareness::Qresync && told < selected.view.told().highest_modseq {
            let code = Code::HighestModseq(told);
            Reply::ok_coded(code, "there are removals that cannot be told yet").say(out, "*");
        }
    }

    /// A mailbox that was subscribed to has changed.
    pub(super) fn changed(&mut self, out: &mut Out) {
        self.stirred = true;
        match std::mem::replace(&mut self.doing, Doing::Command) {
            // With NOTIFY the same is told as without IDLE, by `tell_unasked`.
            Doing::Idle { tag, waking } if self.notify.is_none() => {
                self.idle_on(tag.into(), waking, Again::Yes, out);
            }
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
    pub(super) fn idle_on(&mut self, tag: String, waking: Waking, again: Again, out: &mut Out) {
        if out.wish().is_some() {
            return;
        }
        match again {
            Again::No => {
                self.doing = Doing::Idle {
                    tag: tag.into(),
                    waking,
                };
            }
            Again::Yes => {
                let after = After::Idle {
                    waking,
                    again: Again::No,
                };
                self.job(Work::Nothing, Pending { tag, after }, out);
            }
        }
    }
}

/// What SELECT tells first. To IMAP4rev2, whose names are in this speech: what the mailbox is called, and nothing of what is recent
/// or unseen (RFC 9051 §6.3.2).
/// Nor is a message number told after UIDONLY (RFC 9586).
pub(super) fn write_selected(
    out: &mut Vec<u8>,
    opened: &Opened,
    rev2: Option<Speech>,
    numbers: Numbering,
) {
    let index = &opened.index;
    write_flags_line(out, index);
    let Watched { access, rights, .. } = opened.watched;
    write_permanent_flags(out, index, access, rights);
    write_count(out, opened.exists, "EXISTS");
    if rev2.is_none() {
        write_count(out, opened.recent.len(), "RECENT");
    }
    if rev2.is_none()
        && numbers == Numbering::Sequence
        && let Some(place) = opened.unseen
    {
        let code = Code::Number("UNSEEN", place);
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
    if let Some(speech) = rev2 {
        out.extend_from_slice(b"* LIST () \"/\" ");
        response::mailbox(out, &opened.name, speech);
        out.extend_from_slice(b"\r\n");
    }
}

/// `* FLAGS (...)`
fn write_flags_line(out: &mut Vec<u8>, index: &Index) {
    out.extend_from_slice(b"* FLAGS ");
    let keywords = index.named_keywords().map(|(_, name)| name);
    let system = SYSTEM_FLAGS.iter().map(|(name, _)| *name);
    response::flag_list(out, system.chain(keywords));
    out.extend_from_slice(b"\r\n");
}

fn write_permanent_flags(out: &mut Vec<u8>, index: &Index, access: Access, rights: Rights) {
    let mut flags: Vec<String> = Vec::new();
    if access == Access::ReadWrite {
        let may = may_change(rights);
        let system = SYSTEM_FLAGS.iter().copied();
        let all = system.chain(index.named_keywords().map(|(flag, name)| (name, flag)));
        let changed = all.filter(|(_, flag)| may.contains(*flag));
        flags.extend(changed.map(|(name, _)| name.to_owned()));
        if rights.contains(Rights::WRITE) && index.named_keywords().count() < 26 {
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
        Change::Vanished(uids) => awareness::write_vanished(out, &uids),
        Change::Exists(count) => write_count(out, count as usize, "EXISTS"),
        Change::Recent(count) => write_count(out, count as usize, "RECENT"),
        Change::Flags {
            number: _,
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
            alter::write_flags_response(out, view, uid, Some(uid), flags, modseq, index);
        }
    }
}
