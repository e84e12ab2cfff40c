//! A command: is it for this state, and what does it take?

use crate::proto::StartTls;
use std::sync::Arc;

use crate::limits;
use crate::proto::Out;
use crate::proto::imap::condstore::Awareness;
use crate::proto::imap::fetch::Fetch;
use crate::proto::imap::flags;
use crate::proto::imap::list::List;
use crate::proto::imap::search::{Search, Test};
use crate::proto::imap::server::finish::{After, Pending};
use crate::proto::imap::server::reply::{self, Reply};
use crate::proto::imap::server::{Doing, Phase, Refused, Selected, Server};
use crate::proto::imap::view::Removals;
use crate::proto::imap::work::{self, Manage, StoreFlags, Work};
use crate::store::Account;
use crate::wire::imap::command::{
    Access, Command, Listing, Messages, Numbering, Originals, StatusItem,
};
use crate::wire::imap::condstore::FetchModifiers;
use crate::wire::imap::fetch::Item;
use crate::wire::imap::pattern::Pattern;
use crate::wire::imap::response::Code;
use crate::wire::imap::search as keys;
use crate::wire::imap::set::Ranges;
use crate::wire::sasl::{Credentials, Exchange, Mechanism, Step};

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
                if matches!(self.phase, Phase::Selected(..)) {
                    self.begin(tag, Work::Nothing, tagged("done", Removals::Told), out)
                } else {
                    Ok(Some(Reply::ok("done")))
                }
            }
            Command::StartTls | Command::Login { .. } | Command::Authenticate { .. } => {
                self.not_authenticated(tag, command, out)
            }
            Command::Check
            | Command::Close
            | Command::Unselect
            | Command::Expunge(_)
            | Command::Search { .. }
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

    /// Commands of the not authenticated state.
    fn not_authenticated(&mut self, tag: &str, command: Command<'_>, out: &mut Out) -> Next {
        if !matches!(self.phase, Phase::NotAuthenticated) {
            return Err(Reply::bad(
                "you are logged in already; to be somebody else: a1 LOGOUT, and connect again",
            ));
        }
        if let Command::StartTls = command {
            return self.start_tls(tag, out);
        }
        if !self.may_take_password() {
            return Err(Reply::no(
                "PRIVACYREQUIRED",
                match self.config.start_tls {
                    StartTls::Offered => {
                        "your password would cross the network in the clear: STARTTLS first"
                    }
                    StartTls::Unavailable => {
                        "your password would cross the network in the clear, and there is no TLS here: connect from the \
                         server's own machine"
                    }
                },
            ));
        }
        match command {
            Command::Login { user, password } => {
                let Ok(name) = String::from_utf8(user.into_owned()) else {
                    return Err(Reply::bad("the user name is not UTF-8"));
                };
                let credentials = Credentials::new(name, password.into_owned());
                self.begin(tag, Work::Verify(credentials), After::Login, out)
            }
            Command::Authenticate { mechanism, initial } => {
                let mechanism = Mechanism::named(mechanism).filter(|it| it.is_password());
                let Some(mechanism) = mechanism else {
                    return Err(Reply::no(
                        "CANNOT",
                        "that mechanism is not spoken here; there are PLAIN and LOGIN",
                    ));
                };
                match Exchange::begin(mechanism, initial) {
                    Ok((exchange, step)) => {
                        self.sasl(tag.to_owned(), exchange, step, out);
                        Ok(None)
                    }
                    Err(error) => Err(Reply::bad(error.to_string())),
                }
            }
            _ => Ok(None),
        }
    }

    fn start_tls(&self, tag: &str, out: &mut Out) -> Next {
        if self.secure {
            return Err(Reply::bad("TLS is there already"));
        }
        if self.config.start_tls == StartTls::Unavailable {
            return Err(Reply::no("CANNOT", "there is no certificate, so no TLS"));
        }
        Reply::ok("begin TLS now").say(out, tag);
        out.start_tls();
        Ok(None)
    }

    /// A step of AUTHENTICATE.
    pub(super) fn sasl(&mut self, tag: String, exchange: Exchange, step: Step, out: &mut Out) {
        match step {
            Step::Challenge(challenge) => {
                out.line(format!("+ {challenge}").as_bytes());
                self.doing = Doing::Sasl { tag, exchange };
            }
            Step::Verify(credentials) => {
                let pending = Pending {
                    tag,
                    after: After::Login,
                };
                self.job(Work::Verify(credentials), pending, out);
            }
            // Not by the mechanisms that are begun with here.
            Step::Ask(_) | Step::Proven => Reply::bad("that cannot be answered").say(out, &tag),
        }
    }

    /// Commands that need an account.
    fn authenticated(&mut self, tag: &str, command: Command<'_>, out: &mut Out) -> Next {
        let account = match &self.phase {
            Phase::Authenticated(account) | Phase::Selected(account, _) => account.clone(),
            Phase::NotAuthenticated => {
                return Err(Reply::bad("log in first: a1 LOGIN alice password"));
            }
        };
        match command {
            Command::Enable(names) => self.enable(tag, &names, out),
            Command::Select {
                mailbox,
                access,
                opening,
            } => {
                if opening.resync.is_some() && self.aware < Awareness::Qresync {
                    return Err(Reply::bad(
                        "QRESYNC has to be switched on first: a1 ENABLE QRESYNC (RFC 7162 section 3.2.5)",
                    ));
                }
                if opening.condstore {
                    self.become_aware(Awareness::Condstore);
                }
                if matches!(self.phase, Phase::Selected(..)) {
                    // RFC 7162 §3.2.11
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
            Command::Create(name) => {
                let name = name.strip_suffix('/').map(str::to_owned).unwrap_or(name);
                let work = Work::Create(account, name.clone());
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
                self.manage(tag, account, manage, name, "subscribed to", out)
            }
            Command::Unsubscribe(name) => {
                let manage = Manage::Unsubscribe(name.clone());
                self.manage(tag, account, manage, name, "no longer subscribed to", out)
            }
            Command::List {
                listing,
                reference,
                pattern,
            } => self.list(tag, account, listing, &reference, &pattern, out),
            Command::Namespace => {
                out.line(b"* NAMESPACE ((\"\" \"/\")) NIL NIL");
                Ok(Some(Reply::ok("all mailboxes are your own")))
            }
            Command::Status { mailbox, items } => self.status(tag, account, mailbox, items, out),
            Command::Idle => self.idle(tag, out),
            _ => Ok(None),
        }
    }

    fn manage(
        &mut self,
        tag: &str,
        account: Account,
        manage: Manage,
        name: String,
        text: &'static str,
        out: &mut Out,
    ) -> Next {
        let after = After::Manage { name, text };
        self.begin(tag, Work::Manage(account, manage), after, out)
    }

    fn list(
        &mut self,
        tag: &str,
        account: Account,
        listing: Listing,
        reference: &[u8],
        pattern: &[u8],
        out: &mut Out,
    ) -> Next {
        if pattern.is_empty() {
            // RFC 3501 §6.3.8: an empty pattern asks for the separator.
            out.line(match listing {
                Listing::List => b"* LIST (\\Noselect) \"/\" \"\"",
                Listing::Lsub => b"* LSUB (\\Noselect) \"/\" \"\"",
            });
            return Ok(Some(Reply::ok("that is the separator")));
        }
        if reference.len() + pattern.len() > limits::IMAP_PATTERN {
            return Err(Reply::no(
                "LIMIT",
                format!("a pattern may have {} octets at most", limits::IMAP_PATTERN),
            ));
        }
        let list = List {
            account,
            listing,
            pattern: Pattern::new(reference, pattern),
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
        let after = After::Lines {
            name: name.clone(),
            text: "that is the status",
        };
        self.begin(tag, Work::Status(account, name, items), after, out)
    }

    /// IDLE (RFC 2177): what changes is told at once. Without a mailbox there is nothing to tell, but it may be said.
    fn idle(&mut self, tag: &str, out: &mut Out) -> Next {
        out.line(b"+ idling; say DONE to end it");
        let tag = tag.to_owned();
        let Phase::Selected(_, selected) = &self.phase else {
            self.doing = Doing::Idle {
                tag,
                subscription: None,
            };
            return Ok(None);
        };
        // First the subscription, then a look: nothing can come in between.
        let subscription = self
            .store
            .hub()
            .subscribe(&selected.watched.mailbox, self.peer.token);
        let after = After::Idle {
            subscription,
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

    /// Commands that need a selected mailbox.
    fn selected(&mut self, tag: &str, command: Command<'_>, out: &mut Out) -> Next {
        let Phase::Selected(account, selected) = &self.phase else {
            return Err(Reply::bad(match self.phase {
                Phase::NotAuthenticated => "log in first: a1 LOGIN alice password",
                _ => "select a mailbox first: a1 SELECT INBOX",
            }));
        };
        let account = account.clone();
        let read_only = selected.watched.access == Access::ReadOnly;
        let refuse_read_only = || match read_only {
            true => Err(Reply::no(
                "CANNOT",
                "the mailbox was opened by EXAMINE, for reading only; SELECT it to change it",
            )),
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
            Command::Close if read_only => {
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
                let (work, after) = selected.search(numbering, search)?;
                if let After::Search {
                    modseq: Some(_), ..
                } = after
                {
                    self.become_aware(Awareness::Condstore);
                }
                self.begin(tag, work, after, out)
            }
            Command::Fetch {
                messages,
                mut items,
                modifiers,
            } => {
                check_modifiers(modifiers, messages.numbering, self.aware)?;
                if modifiers.changed_since.is_some() && !items.contains(&Item::Modseq) {
                    // RFC 7162 §3.1.4.1: it is told as if it were asked for.
                    items.push(Item::Modseq);
                }
                let aware = items.contains(&Item::Modseq);
                let fetch = Fetch {
                    mailbox: Arc::clone(&selected.watched.mailbox),
                    access: selected.watched.access,
                    view: selected.view.clone(),
                    uids: selected.uids(&messages)?,
                    from: 0,
                    done: 0,
                    numbering: messages.numbering,
                    items: Arc::new(items),
                    changed_since: modifiers.changed_since,
                    vanished: modifiers.vanished.then_some(1),
                };
                let after = After::Fetch {
                    removals: removals(messages.numbering),
                    gone: false,
                };
                if aware {
                    self.become_aware(Awareness::Condstore);
                }
                self.begin(tag, Work::Fetch(Box::new(fetch)), after, out)
            }
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
                        Some(_) => self.aware.max(Awareness::Condstore),
                        None => self.aware,
                    },
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
                }
                let uids = selected.uids(&messages)?;
                if selected.view.has_ghost(&uids) && messages.numbering == Numbering::Sequence {
                    return Err(Reply::no(
                        "EXPUNGEISSUED",
                        "another session has removed a message of these; NOOP tells which",
                    ));
                }
                let copy = work::Copy {
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

    pub(super) fn begin(&mut self, tag: &str, work: Work, after: After, out: &mut Out) -> Next {
        let tag = tag.to_owned();
        self.job(work, Pending { tag, after }, out);
        Ok(None)
    }
}

impl Selected {
    fn uids(&self, messages: &Messages) -> Result<Ranges, Reply> {
        self.view
            .uids(messages)
            .map_err(|number| no_such_number(number, self.view.exists()))
    }

    fn search(&self, numbering: Numbering, search: keys::Search) -> Result<(Work, After), Reply> {
        let keys::Search::Keys(key) = search else {
            return Err(Reply::bad_charset());
        };
        let test = Test::new(key, &self.view)
            .map_err(|number| no_such_number(number, self.view.exists()))?;
        let search = Search {
            mailbox: Arc::clone(&self.watched.mailbox),
            view: self.view.clone(),
            test: Arc::new(test),
            from: 0,
        };
        let modseq = search.test.tells_modseq().then_some(0);
        let after = After::Search {
            numbering,
            found: Vec::new(),
            modseq,
        };
        Ok((Work::Search(Box::new(search)), after))
    }
}

/// VANISHED is for UIDs, after ENABLE QRESYNC, and with CHANGEDSINCE (RFC 7162 §3.2.6).
fn check_modifiers(
    modifiers: FetchModifiers,
    numbering: Numbering,
    aware: Awareness,
) -> Result<(), Reply> {
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

/// A reply that can be said now, none when a job was begun; or a refusal.
pub(super) type Next = Result<Option<Reply>, Reply>;

/// Whether a mailbox changed while it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    No,
    Yes,
}

pub(super) fn tagged(text: &'static str, removals: Removals) -> After {
    After::Tagged { text, removals }
}

/// Removals are not told while the client may use sequence numbers (RFC 3501 §7.4.1).
const fn removals(numbering: Numbering) -> Removals {
    match numbering {
        Numbering::Sequence => Removals::Deferred,
        Numbering::Uid => Removals::Told,
    }
}

fn no_such_number(number: u32, exists: u32) -> Reply {
    Reply::bad(match exists {
        0 => "the mailbox is empty: there is no message 1".to_owned(),
        1 => format!("there is no message {number}: there is only message 1"),
        _ => format!("there is no message {number}: there are 1 to {exists}"),
    })
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
