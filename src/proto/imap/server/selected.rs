//! Commands of the selected state, but for REPLACE.

use std::sync::Arc;

use super::admin::needs;
use super::pending::{After, Fetching, Next, Seeking, removals, tagged};
use super::reply::{Reply, check_flags};
use super::{Phase, Selected, Server};
use crate::proto::Out;
use crate::proto::imap::alter::{self, StoreFlags};
use crate::proto::imap::arrange::Arranging;
use crate::proto::imap::awareness::Awareness;
use crate::proto::imap::fetch::Fetch;
use crate::proto::imap::flags;
use crate::proto::imap::message::Left;
use crate::proto::imap::search::{Search, Test};
use crate::proto::imap::view::{NotMeant, Removals};
use crate::proto::imap::work::Work;
use crate::store::Flags;
use crate::wire::imap::command::{Access, Command, Messages, Numbering, Originals, StoreAction};
use crate::wire::imap::condstore::FetchModifiers;
use crate::wire::imap::fetch::Item;
use crate::wire::imap::rights::Rights;
use crate::wire::imap::search as keys;
use crate::wire::imap::set::Ranges;

impl Server {
    /// Commands that need a selected mailbox.
    pub(super) fn selected(&mut self, tag: &str, command: Command<'_>, out: &mut Out) -> Next {
        let Phase::Selected(account, selected) = &self.phase else {
            return Err(match self.phase {
                Phase::NotAuthenticated => self.log_in_first(),
                _ => Reply::bad("select a mailbox first: a1 SELECT INBOX"),
            });
        };
        let account = account.clone();
        let read_only = selected.watched.access == Access::ReadOnly;
        let rights = selected.watched.rights;
        let refuse_read_only = || match read_only {
            true => Err(selected.read_only()),
            false => Ok(()),
        };
        match command {
            Command::Check => {
                self.begin(tag, Work::Nothing, tagged("checked", Removals::Told), out)
            }
            Command::Unselect => {
                self.phase = Phase::Authenticated(account);
                Ok(Some(Reply::ok(
                    "no mailbox is selected; nothing was removed",
                )))
            }
            // RFC 4314 §4: without "e" nothing is removed, and the mailbox is closed all the same.
            Command::Close if read_only || !rights.contains(Rights::EXPUNGE) => {
                self.phase = Phase::Authenticated(account);
                Ok(Some(Reply::ok("no mailbox is selected")))
            }
            Command::Close => {
                let work = Work::Expunge(Arc::clone(&selected.watched.mailbox), None);
                let name = selected.name.clone();
                // RFC 3501 §6.4.2: what is removed is not told.
                self.phase = Phase::Authenticated(account);
                let text = "no mailbox is selected, and messages with \\Deleted are gone";
                self.begin(tag, work, After::Manage { name, text }, out)
            }
            Command::Expunge(set) => {
                refuse_read_only()?;
                needs(rights, Rights::EXPUNGE)?;
                let uids = match set {
                    None => None,
                    Some(set) => Some(selected.uids(&Messages {
                        numbering: Numbering::Uid,
                        set,
                    })?),
                };
                let work = Work::Expunge(Arc::clone(&selected.watched.mailbox), uids);
                let after = After::Expunge {
                    name: selected.name.clone(),
                };
                self.begin(tag, work, after, out)
            }
            Command::Search { numbering, search } => {
                self.search(tag, numbering, search, Told::Plain, out)
            }
            Command::CancelUpdate(tags) => self.cancel_update(&tags),
            Command::Fetch {
                messages,
                items,
                modifiers,
            } => self.fetch(tag, &messages, items, modifiers, out),
            Command::Store {
                messages,
                action,
                echo,
                flags,
                unchanged_since,
            } => {
                refuse_read_only()?;
                let flags: Vec<String> = flags.into_iter().map(str::to_owned).collect();
                check_flags(&flags)?;
                may_store(rights, action, &flags)?;
                let store = StoreFlags {
                    mailbox: Arc::clone(&selected.watched.mailbox),
                    view: selected.view.clone(),
                    uids: selected.uids(&messages)?,
                    numbering: messages.numbering,
                    action,
                    echo,
                    flags,
                    unchanged_since,
                    aware: match unchanged_since {
                        Some(_) => self.switched.aware.max(Awareness::Condstore),
                        None => self.switched.aware,
                    },
                    rights,
                };
                self.become_aware(store.aware);
                let after = After::Store(removals(messages.numbering));
                self.begin(tag, Work::Store(Box::new(store)), after, out)
            }
            Command::Copy {
                messages,
                mailbox,
                originals,
            } => {
                if originals == Originals::Go {
                    refuse_read_only()?;
                    // RFC 6851 §4: as if each message were copied, marked and expunged.
                    needs(rights, Rights::DELETED.union(Rights::EXPUNGE))?;
                }
                let uids = selected.uids(&messages)?;
                if selected.view.has_ghost(&uids) && messages.numbering == Numbering::Sequence {
                    return Err(Reply::no(
                        "EXPUNGEISSUED",
                        "another session has removed a message of these; NOOP tells which",
                    ));
                }
                let copy = alter::Copy {
                    account,
                    mailbox: Arc::clone(&selected.watched.mailbox),
                    uids: selected
                        .view
                        .entries(&uids, 0)
                        .map(|entry| entry.uid)
                        .collect(),
                    to: mailbox.clone(),
                    originals,
                };
                let after = After::Copy { mailbox, originals };
                self.begin(tag, Work::Copy(Box::new(copy)), after, out)
            }
            _ => Ok(None),
        }
    }

    /// CANCELUPDATE (RFC 5267 §4.3.5)
    fn cancel_update(&mut self, tags: &[String]) -> Next {
        let Phase::Selected(_, selected) = &mut self.phase else {
            return Err(Reply::bug());
        };
        let known = |tag: &String| selected.contexts.iter().any(|known| known.tag == *tag);
        let unknown = tags.iter().find(|tag| !known(tag)).cloned();
        selected.contexts.retain(|known| !tags.contains(&known.tag));
        match unknown {
            None => Ok(Some(Reply::ok("its changes are not told any more"))),
            Some(tag) => Err(Reply::bad(format!(
                "there is no search {tag} whose changes are told; what else was named is ended"
            ))),
        }
    }

    fn fetch(
        &mut self,
        tag: &str,
        messages: &Messages,
        mut items: Vec<Item>,
        modifiers: FetchModifiers,
        out: &mut Out,
    ) -> Next {
        check_modifiers(modifiers, messages.numbering, self.switched.aware)?;
        let Phase::Selected(_, selected) = &self.phase else {
            return Err(Reply::bug());
        };
        if modifiers.changed_since.is_some() && !items.contains(&Item::Modseq) {
            // RFC 7162 §3.1.4.1: it is told as if it were asked for.
            items.push(Item::Modseq);
        }
        let aware = items.contains(&Item::Modseq);
        let mut uids = selected.uids(messages)?;
        if let Some(partial) = modifiers.partial {
            let entries = selected.view.entries(&uids, 0);
            let there: Vec<u32> = entries.map(|entry| entry.uid).collect();
            uids = Ranges::from_ascending(partial.of(&there).iter().copied());
        }
        let fetch = Fetch {
            mailbox: Arc::clone(&selected.watched.mailbox),
            // RFC 4314 §4: FETCH sets \Seen only for who may set it.
            access: match selected.watched.rights.contains(Rights::SEEN) {
                true => selected.watched.access,
                false => Access::ReadOnly,
            },
            view: selected.view.clone(),
            uids,
            from: 0,
            done: 0,
            numbering: messages.numbering,
            items: Arc::new(items),
            changed_since: modifiers.changed_since,
            vanished: modifiers.vanished.then_some(1),
            left: Left::default(),
        };
        let after = After::Fetch(Fetching {
            removals: removals(messages.numbering),
            gone: false,
            undecoded: false,
        });
        if aware {
            self.become_aware(Awareness::Condstore);
        }
        self.begin(tag, Work::Fetch(Box::new(fetch)), after, out)
    }

    pub(super) fn search(
        &mut self,
        tag: &str,
        numbering: Numbering,
        search: keys::Search,
        told: Told,
        out: &mut Out,
    ) -> Next {
        let now = self.peer.accepted.unix(self.heard);
        let Phase::Selected(_, selected) = &mut self.phase else {
            return Err(Reply::bug());
        };
        if numbering == Numbering::Sequence && selected.view.is_uid_only() {
            return Err(uid_required());
        }
        if search.update.is_some() && selected.contexts.iter().any(|known| known.tag == tag) {
            // RFC 5267 §4.3
            return Err(Reply::bad(format!(
                "the changes of another search called {tag} are told; take another tag",
            )));
        }
        let Some(key) = search.key else {
            if search.returns.is_some_and(|returns| returns.save) {
                // RFC 5182 §2.1: what is to be saved of a search that fails is nothing.
                selected.view.save(Ranges::default());
            }
            return Err(Reply::bad_charset());
        };
        let test = Test::new(key, &selected.view, now)
            .map_err(|fault| not_meant(fault, selected.view.exists()))?;
        let work = Search {
            mailbox: Arc::clone(&selected.watched.mailbox),
            view: selected.view.clone(),
            test: Arc::new(test),
            from: 0,
            arranging: search.arrangement.map(Arranging::new),
            left: Left::default(),
            numbering,
        };
        let modseq = work.test.tells_modseq().then_some(0);
        let after = After::Search(Seeking {
            numbering,
            returns: search.returns,
            found: Vec::new(),
            modseq,
            update: search.update.map(|items| (items, Arc::clone(&work.test))),
            correlated: told == Told::Correlated,
            from: 0,
        });
        if modseq.is_some() {
            self.become_aware(Awareness::Condstore);
        }
        self.begin(tag, Work::Search(Box::new(work)), after, out)
    }
}

/// STORE by who may change none of the flags named; whom some are forbidden, those are passed over for (RFC 4314 §4).
fn may_store(rights: Rights, action: StoreAction, flags: &[String]) -> Result<(), Reply> {
    let right_for = |name: &String| match flags::system_flag(name) {
        Some(Flags::SEEN) => Rights::SEEN,
        Some(Flags::DELETED) => Rights::DELETED,
        _ => Rights::WRITE,
    };
    let all = Rights::SEEN.union(Rights::DELETED).union(Rights::WRITE);
    let needed = match (action, flags) {
        // All that are not named are cleared.
        (StoreAction::Replace, _) => all,
        (_, []) => return Ok(()),
        (_, flags) => flags
            .iter()
            .map(right_for)
            .fold(Rights::NONE, Rights::union),
    };
    match rights.among(needed).is_empty() {
        true => Err(Reply::missing(needed)),
        false => Ok(()),
    }
}

/// How what is found is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// As to SEARCH and SORT.
    Plain,
    /// As to ESEARCH: with the mailbox.
    Correlated,
}

impl Selected {
    /// Why nothing is changed in a mailbox that is only read.
    pub(super) fn read_only(&self) -> Reply {
        match self.watched.rights.among(Rights::CHANGES).is_empty() {
            true => Reply::missing(Rights::WRITE),
            false => Reply::read_only(),
        }
    }

    /// The UIDs that a command means.
    pub(super) fn uids(&self, messages: &Messages) -> Result<Ranges, Reply> {
        if messages.numbering == Numbering::Sequence && self.view.is_uid_only() {
            // Also of `$`.
            return Err(uid_required());
        }
        self.view
            .uids(messages)
            .map_err(|fault| not_meant(fault, self.view.exists()))
    }
}

/// RFC 9586 §3
pub(super) fn uid_required() -> Reply {
    Reply::bad_coded(
        "UIDREQUIRED",
        "messages have UIDs only since ENABLE UIDONLY, and no numbers: a1 UID FETCH 4:8 FLAGS",
    )
}

fn not_meant(fault: NotMeant, exists: u32) -> Reply {
    let NotMeant::NoSuchNumber(number) = fault else {
        return uid_required();
    };
    Reply::bad(match exists {
        0 => "the mailbox is empty: there is no message 1".to_owned(),
        1 => format!("there is no message {number}: there is only message 1"),
        _ => format!("there is no message {number}: there are 1 to {exists}"),
    })
}

/// VANISHED is for UIDs, after ENABLE QRESYNC, and with CHANGEDSINCE (RFC 7162 §3.2.6); PARTIAL is for UIDs.
fn check_modifiers(
    modifiers: FetchModifiers,
    numbering: Numbering,
    aware: Awareness,
) -> Result<(), Reply> {
    if modifiers.partial.is_some() && numbering == Numbering::Sequence {
        return Err(Reply::bad(
            "PARTIAL goes with UID FETCH (RFC 9394 section 3.3)",
        ));
    }
    if !modifiers.vanished {
        return Ok(());
    }
    let example = "a1 UID FETCH 1:* FLAGS (CHANGEDSINCE 12345 VANISHED)";
    Err(Reply::bad(
        match (numbering, aware, modifiers.changed_since) {
            (Numbering::Sequence, ..) => {
                format!("VANISHED tells UIDs, so it goes with UID FETCH: {example}")
            }
            (_, Awareness::None | Awareness::Condstore, _) => {
                "VANISHED needs QRESYNC to be switched on: a1 ENABLE QRESYNC".to_owned()
            }
            (.., None) => format!("VANISHED goes with CHANGEDSINCE: {example}"),
            (Numbering::Uid, Awareness::Qresync, Some(_)) => return Ok(()),
        },
    ))
}
