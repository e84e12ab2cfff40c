//! NOTIFY (RFC 5465): what is told between commands.
//!
//! A session that is woken remembers so ([`Server::stirred`]), and looks when it is at rest: not while a command is read or done, and
//! not while the client does not read. Then there is one look at all that may have changed, however often it was woken.
//!
//! | the selected mailbox | new | removed | flags |
//! |---|---|---|---|
//! | no NOTIFY | with a command | with a command that allows it | with a command |
//! | SELECTED | at once, and what is to be fetched | at once | at once |
//! | SELECTED-DELAYED | the same | with a command that allows it | at once |
//! | not named, or NONE | never: the view stands still | by the client itself only | never |

use std::sync::Arc;

use super::pending::{After, Again, Idling, Next, Pending};
use super::reply::Reply;
use super::{Doing, Ending, Phase, Selected, Server};
use crate::limits;
use crate::proto::Out;
use crate::proto::imap::awareness::Awareness;
use crate::proto::imap::fetch::Fetch;
use crate::proto::imap::message::Left;
use crate::proto::imap::notify::{Guest, Known, Own, Survey, Surveyed, others, wants_noted};
use crate::proto::imap::view::Removals;
use crate::proto::imap::work::{News, Outcome, Work};
use crate::store::{Account, Marks, Noted, StoreError, Subscription, Vigil};
use crate::wire::imap::command::{
    Access, BAD_EVENT, Depth, Group, Notify, Numbering, Status, Which,
};
use crate::wire::imap::fetch::Item;
use crate::wire::imap::response::Code;
use crate::wire::imap::set::Ranges;

/// What NOTIFY has asked for.
pub(super) struct Telling {
    /// Of the selected mailbox.
    pub(super) selected: Depth,
    /// Whether removals there are told at once.
    removals: Removals,
    /// What is told of new messages there.
    pub(super) fetch: Arc<Vec<Item>>,
    /// Of other mailboxes.
    groups: Arc<[Group]>,
    /// What was told of them.
    known: Vec<Known>,
    /// What the client did itself since.
    own: Vec<Own>,
    /// Tells when there is something new; none when nothing is asked of other mailboxes.
    vigil: Option<Vigil>,
    /// The same for those who have opened mailboxes to the user.
    guests: Vec<Guest>,
    /// What others note: up to which change it was told. None when nothing of it is asked.
    pub(super) noted: Option<u64>,
    /// Tells when there is something new of that.
    _notes: Option<Subscription>,
}

impl Telling {
    /// NOTIFY NONE
    fn nothing() -> Self {
        Self {
            selected: Depth::Nothing,
            removals: Removals::Deferred,
            fetch: Arc::default(),
            groups: Arc::new([]),
            known: Vec::new(),
            own: Vec::new(),
            vigil: None,
            guests: Vec::new(),
            noted: None,
            _notes: None,
        }
    }

    /// Whether the client is told of this.
    pub(super) fn wants_noted(&self, noted: &Noted) -> bool {
        self.noted.is_some() && wants_noted(&self.groups, &self.known, noted)
    }
}

impl Server {
    /// NOTIFY
    pub(super) fn notify(
        &mut self,
        tag: &str,
        account: Account,
        notify: Notify,
        out: &mut Out,
    ) -> Next {
        let (status, mut groups) = match notify {
            Notify::Unknown(name) => {
                return Err(Reply::no(
                    BAD_EVENT,
                    format!("there is no event {name} here; those in parentheses there are"),
                ));
            }
            Notify::Nothing => {
                self.notify = Some(Box::new(Telling::nothing()));
                self.watch_selected();
                return Ok(Some(Reply::ok(
                    "nothing is told unasked from now on, also not with other commands",
                )));
            }
            Notify::Set { status, groups } => (status, groups),
        };
        let mut telling = Telling::nothing();
        if let Some(group) = groups.iter_mut().find(|group| group.which.is_selected()) {
            telling.selected = group.events.messages;
            telling.fetch = Arc::new(std::mem::take(&mut group.events.fetch));
            if group.which == Which::Selected {
                telling.removals = Removals::Told;
            }
        }
        if telling.fetch.contains(&Item::Modseq) {
            self.become_aware(Awareness::Condstore);
        }
        telling.groups = others(groups);
        if !telling.groups.is_empty() {
            // First the vigil, then a look: nothing can come in between.
            telling.vigil = Some(self.store.hub().watch(&account, self.peer.token));
        }
        let of_notes = |group: &Group| group.events.notes || group.events.server_notes;
        if telling.groups.iter().any(of_notes) {
            telling._notes = Some(self.store.subscribe_to_notes(self.peer.token));
            telling.noted = Some(self.store.last_noted());
        }
        // RFC 5465 §3.1: what has come up so far is told at once, as before.
        let old = self.notify.take();
        let work = self.survey(account, &mut telling, Some(status));
        let new = Box::new(telling);
        self.begin(tag, work, After::Notify { new, old }, out)
    }

    fn survey(&self, account: Account, telling: &mut Telling, first: Option<Status>) -> Work {
        let Some(vigil) = &telling.vigil else {
            return match first {
                // An outcome of the same kind.
                Some(_) => Work::Survey(Box::new(self.look(account, telling, first))),
                None => Work::Nothing,
            };
        };
        let mut survey = self.look(account, telling, first);
        survey.marks = vigil.take();
        survey.known = std::mem::take(&mut telling.known);
        survey.own = std::mem::take(&mut telling.own);
        survey.guests = std::mem::take(&mut telling.guests);
        Work::Survey(Box::new(survey))
    }

    fn look(&self, account: Account, telling: &Telling, first: Option<Status>) -> Survey {
        let selected = match &self.phase {
            Phase::Selected(_, selected) => Some(selected.name.clone()),
            _ => None,
        };
        Survey {
            account,
            groups: Arc::clone(&telling.groups),
            known: Vec::new(),
            marks: Marks::default(),
            guests: Vec::new(),
            token: self.peer.token,
            own: Vec::new(),
            first,
            selected: selected.as_deref().map(inbox_in_capitals),
            speech: self.speech(),
            aware: self.switched.aware,
        }
    }

    /// NOTIFY SET: the first look is done. The settings hold from now on, and not for what came before.
    pub(super) fn notified(
        &mut self,
        mut new: Box<Telling>,
        old: Option<Box<Telling>>,
        result: Result<Surveyed, StoreError>,
        news: Option<Result<News, StoreError>>,
        out: &mut Out,
    ) -> Reply {
        self.tell_news(news, Removals::Told, out);
        let surveyed = match result {
            Ok(surveyed) => surveyed,
            Err(error) => {
                self.notify = old;
                return Reply::refusal(&error, "that");
            }
        };
        if surveyed.overflow {
            self.notify = old;
            return Reply::no(
                "NOTIFICATIONOVERFLOW",
                format!(
                    "more than {} mailboxes; name fewer, and all is as it was",
                    limits::IMAP_NOTIFIED
                ),
            );
        }
        out.block(surveyed.lines);
        new.known = surveyed.known;
        new.guests = surveyed.guests;
        self.notify = Some(new);
        self.watch_selected();
        Reply::ok("you will be told")
    }

    /// Whether the view stands still.
    pub(super) fn is_frozen(&self) -> bool {
        let selected = self.notify.as_ref().map(|notify| notify.selected);
        selected == Some(Depth::Nothing)
    }

    /// Changes of the selected mailbox are told at once, or not.
    pub(super) fn watch_selected(&mut self) {
        let wanted = self
            .notify
            .as_ref()
            .is_some_and(|notify| notify.selected > Depth::Nothing);
        let token = self.peer.token;
        let Phase::Selected(_, selected) = &mut self.phase else {
            return;
        };
        if !wanted {
            selected.subscription = None;
        } else if selected.subscription.is_none() {
            let mailbox = &selected.watched.mailbox;
            selected.subscription = Some(self.store.hub().subscribe(mailbox, token));
            self.stirred = true;
        }
    }

    /// Whether the job that runs is for nobody's command.
    pub(super) fn tells_unasked(&self) -> bool {
        matches!(&self.doing, Doing::Job(pending) if matches!(pending.after, After::Unasked(_)))
    }

    /// The moment to tell what has changed, if it is one.
    pub(super) fn tell_unasked(&mut self, out: &mut Out) {
        let at_rest = match &self.doing {
            Doing::Command => self.gathered.is_empty(),
            Doing::Idle { .. } => true,
            _ => false,
        };
        let may = at_rest && out.wish().is_none() && !out.is_full() && self.ending == Ending::No;
        if !may {
            return;
        }
        let work = if self.notify.is_some() && std::mem::take(&mut self.stirred) {
            let account = match &self.phase {
                Phase::Authenticated(account) | Phase::Selected(account, _) => account.clone(),
                Phase::NotAuthenticated => return,
            };
            let Some(mut notify) = self.notify.take() else {
                return;
            };
            let work = self.survey(account, &mut notify, None);
            notify.own = Vec::new();
            self.notify = Some(notify);
            work
        } else if let Some(fetch) = self.fetch_new() {
            Work::Fetch(Box::new(fetch))
        } else {
            return;
        };
        let (tag, idle) = match std::mem::replace(&mut self.doing, Doing::Command) {
            Doing::Idle { tag, waking } => {
                let tag = String::from(tag);
                (tag.clone(), Some(Idling { tag, waking }))
            }
            _ => (String::new(), None),
        };
        let after = After::Unasked(idle);
        self.job(work, Pending { tag, after }, out);
    }

    /// A look, or a FETCH of new messages, is done.
    pub(super) fn told_unasked(
        &mut self,
        tag: String,
        idle: Option<Idling>,
        outcome: Outcome,
        (news, noted): (Option<Result<News, StoreError>>, Option<NotedSince>),
        out: &mut Out,
    ) {
        let removals = match &self.notify {
            _ if self.is_frozen() => Removals::Deferred,
            _ if idle.is_some() => Removals::Told,
            Some(notify) => notify.removals,
            None => Removals::Deferred,
        };
        match outcome {
            Outcome::Fetched(Ok(block)) => {
                if let Some(rest) = self.say_block(block, out) {
                    let after = After::Unasked(idle);
                    self.fetch_on(Box::new(Pending { tag, after }), rest, out);
                    return;
                }
                self.tell_news(news, removals, out);
            }
            Outcome::Surveyed(result) => {
                self.tell_news(news, removals, out);
                self.surveyed(result, out);
            }
            _ => self.tell_news(news, removals, out),
        }
        // What is subscribed to is known again only now.
        self.tell_noted(noted, out);
        match idle {
            Some(Idling { tag, waking }) if waking.mailbox.is_some() => {
                self.idle_on(tag, waking, Again::Yes, out)
            }
            Some(Idling { tag, waking }) if out.wish().is_none() => {
                self.doing = Doing::Idle {
                    tag: tag.into(),
                    waking,
                };
            }
            _ => {}
        }
    }

    fn surveyed(&mut self, result: Result<Surveyed, StoreError>, out: &mut Out) {
        let text = match result {
            Ok(surveyed) if surveyed.overflow => format!(
                "more than {} mailboxes; nothing is told any more",
                limits::IMAP_NOTIFIED
            ),
            Ok(surveyed) => {
                out.block(surveyed.lines);
                if let Some(notify) = &mut self.notify {
                    notify.known = surveyed.known;
                    notify.guests = surveyed.guests;
                }
                return;
            }
            Err(error) => format!("{error}; nothing is told any more"),
        };
        // RFC 5465 §5.8: as if NOTIFY NONE had been said.
        self.notify = Some(Box::new(Telling::nothing()));
        self.watch_selected();
        Reply::ok_coded(Code::Plain("NOTIFICATIONOVERFLOW"), text).say(out, "*");
    }

    /// New messages in the selected mailbox, those from `uid_next` on: what is to be fetched of them is told soon.
    pub(super) fn note_new(&mut self, uid_next: u32) {
        let (Phase::Selected(_, selected), Some(notify)) = (&mut self.phase, &self.notify) else {
            return;
        };
        let new = Ranges::one(uid_next, u32::MAX);
        let mut unfetched = Ranges::default();
        let own = |uid: u32| {
            // RFC 5465 §5.2: not of what the client put there itself.
            notify.own.iter().any(|own| match own {
                Own::Added(name, first, last) => {
                    name.eq_ignore_ascii_case(&selected.name) && (*first..=*last).contains(&uid)
                }
                _ => false,
            })
        };
        for entry in selected.view.entries(&new, 0) {
            if !own(entry.uid) {
                unfetched.push(entry.uid, entry.uid);
            }
        }
        selected.fetch_soon(unfetched, &notify.fetch);
    }

    fn fetch_new(&mut self) -> Option<Fetch> {
        let Phase::Selected(_, selected) = &mut self.phase else {
            return None;
        };
        if selected.unfetched.is_empty() {
            return None;
        }
        let (uids, items) = selected.unfetched.remove(0);
        Some(Fetch {
            mailbox: Arc::clone(&selected.watched.mailbox),
            // What was not asked for is not seen yet.
            access: Access::ReadOnly,
            view: selected.view.clone(),
            uids,
            from: 0,
            done: 0,
            numbering: match self.switched.aware {
                Awareness::Qresync => Numbering::Uid,
                _ => Numbering::Sequence,
            },
            items,
            changed_since: None,
            vanished: None,
            left: Left::default(),
        })
    }

    /// Remembers what the client did itself, of which it need not be told.
    pub(super) fn note_own(&mut self, after: &After, outcome: &Outcome) {
        let Some(notify) = &mut self.notify else {
            return;
        };
        let own = match (after, outcome) {
            (After::Create { name }, Outcome::Created(Ok(_))) => Own::Created(name.clone()),
            (After::Delete { name }, Outcome::Done(Ok(()))) => Own::Deleted(name.clone()),
            (After::Rename { from, to }, Outcome::Done(Ok(()))) => {
                Own::Renamed(from.clone(), to.clone())
            }
            (After::Subscription { own, .. }, Outcome::Done(Ok(()))) => own.clone(),
            (After::Append { mailbox, .. }, Outcome::Appended(Ok(appended))) => {
                let (Some(first), Some(last)) = (appended.uids.first(), appended.uids.last())
                else {
                    return;
                };
                Own::Added(inbox_in_capitals(mailbox), *first, *last)
            }
            (After::Copy { mailbox, .. }, Outcome::Copied(Ok(Some(copied)))) => {
                let (Some(first), Some(last)) = (copied.pairs.first(), copied.pairs.last()) else {
                    return;
                };
                Own::Added(inbox_in_capitals(mailbox), first.1, last.1)
            }
            _ => return,
        };
        if notify.own.len() < limits::HUB_MARKS {
            notify.own.push(own);
        }
        self.stirred = true;
    }
}

/// What others have noted, and the number of the last change.
type NotedSince = Box<(u64, Vec<Noted>)>;

impl Selected {
    /// Of these messages more is to be told soon. Who asks twice of the same messages is told once (RFC 5465 §5.2).
    pub(super) fn fetch_soon(&mut self, uids: Ranges, items: &Arc<Vec<Item>>) {
        if uids.is_empty() || items.is_empty() {
            return;
        }
        if let Some((_, known)) = self.unfetched.iter_mut().find(|(known, _)| *known == uids) {
            let new = items.iter().filter(|item| !known.contains(item));
            let new: Vec<Item> = new.cloned().collect();
            Arc::make_mut(known).extend(new);
            return;
        }
        self.unfetched.push((uids, Arc::clone(items)));
    }
}

/// As the store names it.
pub(super) fn inbox_in_capitals(name: &str) -> String {
    match name.eq_ignore_ascii_case("INBOX") {
        true => "INBOX".to_owned(),
        false => name.to_owned(),
    }
}
