//! IMAP: the sessions of both sides.
//!
//! | file | what |
//! |---|---|
//! | [`server`] | the server's session: reading commands, states, replies |
//! | [`client`] | the client's session |
//! | [`view`] | which message has which number, as this session's client was told |
//! | [`work`] | the server's slow work, but for: |
//! | [`alter`] | STORE, COPY, MOVE, EXPUNGE, APPEND |
//! | [`awareness`], [`condstore`] | who is told of mod-sequences, and clients that catch up |
//! | [`fetch`] | FETCH, a block of responses a job |
//! | [`search`] | SEARCH, a few megabytes of mail a job |
//! | [`arrange`] | SORT and THREAD: the order of what SEARCH finds |
//! | [`esearch`], [`context`], [`multisearch`] | how ESEARCH tells it; searches that are kept up with; searches of many mailboxes |
//! | [`list`], [`status`], [`quota`] | LIST and LSUB, STATUS, GETQUOTA |
//! | [`uses`] | what mailboxes are for |
//! | [`notify`] | NOTIFY: what changed in other mailboxes |
//! | [`acl`], [`metadata`] | who may do what in a mailbox; what is noted about it |
//! | [`binary`] | parts without their transfer encoding |
//! | [`urls`] | messages that URLs name: CATENATE, GENURLAUTH, URLFETCH |
//! | [`flags`] | flags and their names |
//! | [`message`] | what FETCH and SEARCH read of a message |
//! | [`digests`] | what they know of it without reading it |
//!
//! A job that belongs to a selected mailbox ends by looking at what is new there ([`work::News`]); so a command costs one
//! trip to a pool thread, and its reply tells what others did meanwhile.

pub mod acl;
pub mod alter;
pub mod arrange;
pub mod awareness;
pub mod binary;
pub mod client;
pub mod condstore;
pub mod context;
pub mod digests;
pub mod esearch;
pub mod fetch;
pub mod flags;
pub mod list;
pub mod message;
pub mod metadata;
pub mod multisearch;
pub mod notify;
pub mod quota;
pub mod search;
pub mod server;
pub mod status;
pub mod urls;
pub mod uses;
pub mod view;
pub mod work;

use std::sync::Arc;

use crate::proto::{Peer, Service, Session};
use crate::store::{Account, Noted, Store, StoreError};
use context::Contexts;
use server::{Config, Server};
use work::{News, Outcome, Watched, Work};

/// Slow work that a session asks for.
pub struct Job {
    /// What is to be done.
    pub work: Work,
    /// The mailbox that the session has selected: what is new in it is looked at in the end.
    pub watched: Option<Watched>,
    /// Who wants to know what others have noted (METADATA), in which session, and up to which change it does.
    pub notes: Option<(Account, u64, u64)>,
    /// Searches there that are kept up with.
    pub contexts: Option<Box<Contexts>>,
}

/// What a job brought.
#[derive(Debug)]
pub struct Answer {
    /// Of the work.
    pub outcome: Outcome,
    /// What there is now in the mailbox that was watched; `None` while the work is not at its end.
    pub news: Option<Result<News, StoreError>>,
    /// What others have noted, if that was asked, and the number of the last change.
    pub noted: Option<Box<(u64, Vec<Noted>)>>,
    /// The searches, with what has changed of them.
    pub contexts: Option<Box<Contexts>>,
}

impl Job {
    /// Whether it checks a password.
    pub const fn is_login(&self) -> bool {
        matches!(self.work, Work::Login(_))
    }

    /// Does the work, on a pool thread.
    pub fn run(self, store: &Store) -> Answer {
        let mut watched = self.watched;
        let has_lost = watched
            .as_mut()
            .is_some_and(|watched| watched.renew_rights(store));
        let outcome = match has_lost && self.work.is_in_selected() {
            true => Outcome::Revoked,
            false => self.work.run(store),
        };
        let watched = watched.filter(|_| outcome.is_final());
        let mailbox = watched.as_ref().map(|watched| Arc::clone(&watched.mailbox));
        let news = watched.map(|watched| watched.news());
        let noted = self
            .notes
            .filter(|(.., known)| outcome.is_final() && *known != store.last_noted())
            .map(|(account, session, known)| Box::new(store.noted_since(&account, session, known)));
        let mut contexts = self.contexts;
        if let (Some(contexts), Some(mailbox), Some(Ok(news))) = (&mut contexts, &mailbox, &news) {
            contexts.keep_up(mailbox, news);
        }
        Answer {
            outcome,
            news,
            noted,
            contexts,
        }
    }
}

/// Makes sessions.
pub struct ImapService {
    name: &'static str,
    config: Arc<Config>,
    store: Arc<Store>,
}

impl ImapService {
    /// `name` is `imap` or `imaps`.
    pub const fn new(name: &'static str, config: Arc<Config>, store: Arc<Store>) -> Self {
        Self {
            name,
            config,
            store,
        }
    }
}

impl Service for ImapService {
    fn name(&self) -> &'static str {
        self.name
    }

    fn session(&self, peer: Peer) -> Box<dyn Session> {
        Box::new(Server::new(
            Arc::clone(&self.config),
            Arc::clone(&self.store),
            peer,
        ))
    }
}
