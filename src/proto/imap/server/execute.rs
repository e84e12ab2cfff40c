//! A command: is it for this state, and what does it take? Here are those on mailboxes, and those of any state.

use super::admin::no_such_use;
use super::pending::{After, Again, Next, Pending, Waking, tagged};
use super::reply::{self, Reply};
use super::selected::uid_required;
use super::{Doing, Phase, Refused, Server};
use crate::limits;
use crate::proto::Out;
use crate::proto::imap::awareness::Awareness;
use crate::proto::imap::list::List;
use crate::proto::imap::notify::Own;
use crate::proto::imap::quota::Quota;
use crate::proto::imap::status::Status;
use crate::proto::imap::uses;
use crate::proto::imap::view::Removals;
use crate::proto::imap::work::{Manage, Work};
use crate::store::{Account, OTHERS};
use crate::wire::imap::command::{Command, Listing, Names, QuotaCommand, StatusItem};
use crate::wire::imap::condstore::Resync;
use crate::wire::imap::pattern::Pattern;
use crate::wire::imap::response::Code;

impl Server {
    /// Does a command, or begins to.
    pub(super) fn execute(&mut self, tag: &str, command: Command<'_>, out: &mut Out) {
        let result = match command {
            Command::Capability => {
                out.line(format!("* CAPABILITY {}", self.capabilities()).as_bytes());
                Ok(Some(Reply::ok("these are the capabilities")))
            }
            Command::Id => {
                let id = concat!(
                    "* ID (\"name\" \"mailtool\" \"version\" \"",
                    env!("CARGO_PKG_VERSION"),
                    "\")"
                );
                out.line(id.as_bytes());
                Ok(Some(Reply::ok("pleased to meet you")))
            }
            Command::Logout => {
                // RFC 3501 §6.1.3: BYE first, then OK.
                reply::bye(out, "until next time");
                Ok(Some(Reply::ok("logged out")))
            }
            Command::Noop => {
                if matches!(self.phase, Phase::Selected(..)) || self.switched.notes.is_some() {
                    self.begin(tag, Work::Nothing, tagged("done", Removals::Told), out)
                } else {
                    Ok(Some(Reply::ok("done")))
                }
            }
            Command::StartTls | Command::Login { .. } | Command::Authenticate { .. } => {
                self.not_authenticated(tag, command, out)
            }
            Command::Unauthenticate => self.unauthenticate(out),
            Command::Check
            | Command::Close
            | Command::Unselect
            | Command::Expunge(_)
            | Command::Search { .. }
            | Command::CancelUpdate(_)
            | Command::Fetch { .. }
            | Command::Store { .. }
            | Command::Copy { .. } => self.selected(tag, command, out),
            _ => self.authenticated(tag, command, out),
        };
        match result {
            Ok(None) => {}
            Ok(Some(reply)) => {
                reply.say(out, tag);
                self.rest(out);
            }
            Err(reply) => self.refuse(
                Refused {
                    tag: tag.to_owned(),
                    reply,
                },
                out,
            ),
        }
    }

    /// Commands that need an account.
    fn authenticated(&mut self, tag: &str, command: Command<'_>, out: &mut Out) -> Next {
        let account = match &self.phase {
            Phase::Authenticated(account) | Phase::Selected(account, _) => account.clone(),
            Phase::NotAuthenticated => {
                return Err(self.log_in_first());
            }
        };
        match command {
            Command::Compress(algorithm) => self.compress(algorithm, out),
            Command::Urls(command) => self.urls(tag, account, command, out),
            Command::Enable(names) => self.enable(tag, &names, out),
            Command::Select {
                mailbox,
                access,
                opening,
            } => {
                if opening.resync.is_some() && self.switched.aware < Awareness::Qresync {
                    return Err(Reply::bad(
                        "QRESYNC has to be switched on first: a1 ENABLE QRESYNC (RFC 7162 section 3.2.5)",
                    ));
                }
                let numbers = |resync: &Resync| resync.matches.is_some();
                if self.switched.uid_only && opening.resync.as_ref().is_some_and(numbers) {
                    return Err(uid_required());
                }
                if opening.condstore {
                    self.become_aware(Awareness::Condstore);
                }
                if matches!(self.phase, Phase::Selected(..)) {
                    // RFC 7162 §3.2.11, RFC 9051 §7.1: what comes after is of another mailbox.
                    let code = Code::Plain("CLOSED");
                    Reply::ok_coded(code, "the mailbox selected before is no longer").say(out, "*");
                }
                // RFC 3501 §6.3.1: the mailbox selected before is so no more, whatever comes of this.
                self.phase = Phase::Authenticated(account.clone());
                let work = Work::Select(account, mailbox.clone(), access);
                let after = After::Select {
                    mailbox,
                    resync: opening.resync,
                };
                self.begin(tag, work, after, out)
            }
            Command::Create { mailbox, uses } => {
                let name = mailbox.strip_suffix('/').map(str::to_owned);
                let name = name.unwrap_or(mailbox);
                let uses = uses::parse(&uses).map_err(|other| no_such_use(&other))?;
                let work = Work::Create(account, name.clone(), uses);
                self.begin(tag, work, After::Create { name }, out)
            }
            Command::Delete(name) => {
                let work = Work::Manage(account, Manage::Delete(name.clone()));
                self.begin(tag, work, After::Delete { name }, out)
            }
            Command::Rename { from, to } => {
                let manage = Manage::Rename(from.clone(), to.clone());
                let after = After::Rename { from, to };
                self.begin(tag, Work::Manage(account, manage), after, out)
            }
            Command::Subscribe(name) => {
                let manage = Manage::Subscribe(name.clone());
                let own = Own::Subscribed(name.clone());
                let text = "subscribed to";
                let after = After::Subscription { name, text, own };
                self.begin(tag, Work::Manage(account, manage), after, out)
            }
            Command::Unsubscribe(name) => {
                let manage = Manage::Unsubscribe(name.clone());
                let own = Own::Unsubscribed(name.clone());
                let text = "no longer subscribed to";
                let after = After::Subscription { name, text, own };
                self.begin(tag, Work::Manage(account, manage), after, out)
            }
            Command::List(listing) => self.list(tag, account, listing, out),
            Command::Namespace => {
                out.line(
                    format!("* NAMESPACE ((\"\" \"/\")) ((\"{OTHERS}/\" \"/\")) NIL").as_bytes(),
                );
                Ok(Some(Reply::ok(
                    "your own mailboxes, and those that others have opened to you: shared/NAME/...",
                )))
            }
            Command::Status { mailbox, items } => self.status(tag, account, mailbox, items, out),
            Command::Acl { mailbox, command } => self.acl(tag, account, mailbox, command, out),
            Command::GetMetadata(get) => self.metadata(tag, account, get, out),
            Command::SetMetadata(set) => self.set_metadata(tag, account, set, out),
            Command::Quota(quota) => self.quota(tag, account, quota, out),
            Command::Idle => self.idle(tag, out),
            Command::Esearch { sources, search } => {
                self.esearch(tag, account, sources, search, out)
            }
            Command::Notify(notify) => self.notify(tag, account, notify, out),
            _ => Ok(None),
        }
    }

    fn list(&mut self, tag: &str, account: Account, listing: Listing<'_>, out: &mut Out) -> Next {
        let basic = matches!(listing.names, Names::All | Names::Lsub);
        if basic && matches!(&listing.patterns[..], [pattern] if pattern.is_empty()) {
            // RFC 3501 §6.3.8: an empty pattern asks for the separator.
            out.line(match listing.names {
                Names::Lsub => b"* LSUB (\\Noselect) \"/\" \"\"",
                _ => b"* LIST (\\Noselect) \"/\" \"\"",
            });
            return Ok(Some(Reply::ok("that is the separator")));
        }
        let octets: usize = listing.patterns.iter().map(|pattern| pattern.len()).sum();
        if listing.reference.len() + octets > limits::IMAP_PATTERN {
            return Err(Reply::no(
                "LIMIT",
                format!("a pattern may have {} octets at most", limits::IMAP_PATTERN),
            ));
        }
        let patterns = listing.patterns.iter();
        let list = List {
            account,
            names: listing.names,
            patterns: patterns
                .map(|pattern| Pattern::new(&listing.reference, pattern))
                .collect(),
            tell_subscribed: listing.tell_subscribed,
            status: listing.status,
            my_rights: listing.my_rights,
            metadata: listing.metadata,
            speech: self.speech(),
            parents: match (listing.names, self.switched.rev2) {
                (Names::All | Names::Lsub, false) => "\\Noselect",
                // RFC 5258 §3: it says that, too.
                _ => "\\NonExistent",
            },
        };
        let after = After::Lines {
            name: String::new(),
            text: "these are all",
        };
        self.begin(tag, Work::List(list), after, out)
    }

    fn status(
        &mut self,
        tag: &str,
        account: Account,
        name: String,
        items: Vec<StatusItem>,
        out: &mut Out,
    ) -> Next {
        if items.contains(&StatusItem::HighestModseq) {
            self.become_aware(Awareness::Condstore);
        }
        let status = Status {
            account,
            name: name.clone(),
            items,
            speech: self.speech(),
        };
        let after = After::Lines {
            name,
            text: "that is the status",
        };
        self.begin(tag, Work::Status(status), after, out)
    }

    /// Quotas (RFC 9208).
    fn quota(&mut self, tag: &str, account: Account, command: QuotaCommand, out: &mut Out) -> Next {
        let mailbox = match command {
            QuotaCommand::Set(_) => {
                return Err(Reply::no(
                    "NOPERM",
                    "quotas are set by who runs the server: serve --quota",
                ));
            }
            QuotaCommand::Of(root) if !root.is_empty() => {
                return Err(Reply::no(
                    "NONEXISTENT",
                    "there is one quota root, and it is called \"\": a1 GETQUOTA \"\"",
                ));
            }
            QuotaCommand::Of(_) => None,
            QuotaCommand::OfMailbox(mailbox) => Some(mailbox),
        };
        let after = After::Lines {
            name: mailbox.clone().unwrap_or_default(),
            text: "that is what may be kept here, and what is",
        };
        let quota = Quota {
            account,
            mailbox,
            speech: self.speech(),
        };
        self.begin(tag, Work::Quota(quota), after, out)
    }

    /// IDLE (RFC 2177): what changes is told at once. Without a mailbox there is nothing to tell, but it may be said.
    fn idle(&mut self, tag: &str, out: &mut Out) -> Next {
        out.line(b"+ idling; say DONE to end it");
        let tag = tag.to_owned();
        // RFC 5465 §4: with NOTIFY, the same is told as without IDLE.
        self.stirred = true;
        let token = self.peer.token;
        let mut waking = Waking::default();
        if self.switched.notes.is_some() && self.notify.is_none() {
            waking.notes = Some(Box::new(self.store.subscribe_to_notes(token)));
        }
        // First the subscription, then a look: nothing can come in between.
        match &self.phase {
            Phase::Selected(_, selected) if self.notify.is_none() => {
                let mailbox = &selected.watched.mailbox;
                waking.mailbox = Some(self.store.hub().subscribe(mailbox, token));
            }
            _ if waking.notes.is_none() => {
                self.doing = Doing::Idle {
                    tag: tag.into(),
                    waking,
                };
                return Ok(None);
            }
            _ => {}
        }
        let after = After::Idle {
            waking,
            again: Again::No,
        };
        self.job(Work::Nothing, Pending { tag, after }, out);
        Ok(None)
    }

    pub(super) fn idle_line(&mut self, tag: &str, line: &[u8], out: &mut Out) {
        if line.trim_ascii().eq_ignore_ascii_case(b"DONE") {
            Reply::ok("no longer idle").say(out, tag);
            self.rest(out);
        } else {
            let text = "while idle only DONE can be said; IDLE is ended now";
            self.refuse_line(line, Refused::bad(tag, text), out);
        }
    }

    pub(super) fn begin(&mut self, tag: &str, work: Work, after: After, out: &mut Out) -> Next {
        let tag = tag.to_owned();
        self.job(work, Pending { tag, after }, out);
        Ok(None)
    }
}
