//! ESEARCH (RFC 7377): one search of many mailboxes, a few megabytes of mail a job, as [`search`](super::search) has it.
//!
//! Mailboxes that vanish meanwhile are passed over. Each is told on its own, and only if something was found in it.

use crate::limits;
use crate::proto::imap::esearch::{self, Correlator, Results};
use crate::proto::imap::message::Left;
use crate::proto::imap::search::{Search, Test};
use crate::proto::imap::view::View;
use crate::store::{Account, OTHERS, Store, StoreError};
use crate::wire::imap::command::{Numbering, Which, Whose};
use crate::wire::imap::rights::Rights;
use crate::wire::imap::scan::Speech;
use crate::wire::imap::search::{Key, Returns};

/// What is still to be searched.
pub struct Multisearch {
    /// Whose mailboxes.
    pub account: Account,
    /// The command's.
    pub tag: String,
    /// Which mailboxes.
    pub sources: Vec<Which>,
    /// The selected mailbox, if it is among them.
    pub selected: Option<String>,
    /// What for.
    pub key: Key,
    /// Seconds since 1970.
    pub now: i64,
    /// What is told.
    pub returns: Returns,
    /// How names are told.
    pub speech: Speech,
    /// Those that are not done, the next one last; `None` before the first job.
    pub left: Option<Vec<String>>,
    /// One that is in the middle.
    pub going: Option<Going>,
    /// How many were found.
    pub count: usize,
}

/// A mailbox that is being searched.
pub struct Going {
    name: String,
    view: View,
    search: Box<Search>,
    found: Vec<u32>,
    modseq: Option<u64>,
}

/// What was found.
pub struct Multisearched {
    /// The responses.
    pub lines: Vec<u8>,
    /// How many messages so far.
    pub count: usize,
    /// What comes after; `None` at the end.
    pub rest: Option<Box<Multisearch>>,
}

impl std::fmt::Debug for Multisearched {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Multisearched")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl Multisearch {
    /// Searches on.
    pub fn run(mut self: Box<Self>, store: &Store) -> Result<Multisearched, StoreError> {
        let mut lines = Vec::new();
        if self.left.is_none() {
            self.left = Some(self.names(store)?);
        }
        // As many as a job can look into without keeping others waiting.
        for _ in 0..limits::IMAP_SEARCHED {
            let going = match self.going.take() {
                Some(going) => going,
                None => match self.left.as_mut().and_then(Vec::pop) {
                    None => {
                        let count = self.count;
                        let rest = None;
                        return Ok(Multisearched { lines, count, rest });
                    }
                    Some(name) => match self.begin(store, name) {
                        Ok(going) => going,
                        Err(StoreError::NoSuchMailbox) => continue,
                        Err(error) => return Err(error),
                    },
                },
            };
            self.search_on(going, &mut lines)?;
            if self.going.is_some() || lines.len() >= limits::IMAP_RESPONSE {
                break;
            }
        }
        Ok(Multisearched {
            lines,
            count: self.count,
            rest: Some(self),
        })
    }

    /// The mailboxes that are meant, the first last, each once.
    fn names(&self, store: &Store) -> Result<Vec<String>, StoreError> {
        let subscribed = match self.sources.contains(&Which::Subscribed) {
            true => store.subscriptions(&self.account)?,
            false => Vec::new(),
        };
        let is_meant = |name: &String, whose: Whose| {
            let is_subscribed = subscribed.binary_search(name).is_ok();
            self.selected.as_ref() == Some(name)
                || self
                    .sources
                    .iter()
                    .any(|source| source.means(name, whose, is_subscribed))
        };
        let mut names = store.mailboxes(&self.account)?;
        names.retain(|name| is_meant(name, Whose::Own));
        if self.selected.is_some() || self.sources.iter().any(|source| source.reaches(OTHERS)) {
            let mut others = store.others(&self.account);
            others.retain(|other| {
                other.rights.contains(Rights::READ) && is_meant(&other.name, Whose::Others)
            });
            names.extend(others.into_iter().map(|other| other.name));
        }
        names.reverse();
        Ok(names)
    }

    fn begin(&self, store: &Store, name: String) -> Result<Going, StoreError> {
        let mailbox = store.mailbox(&self.account, &name)?;
        let view = View::new(mailbox.sync()?, mailbox.recent());
        let key = self.key.clone();
        // There is none that is too large.
        let test = Test::new(key, &view, self.now).unwrap_or(Test::Never);
        let modseq = test.tells_modseq().then_some(0);
        let search = Box::new(Search {
            mailbox,
            view: view.clone(),
            test: std::sync::Arc::new(test),
            from: 0,
            arranging: None,
            left: Left::default(),
            numbering: Numbering::Uid,
        });
        Ok(Going {
            name,
            view,
            search,
            found: Vec::new(),
            modseq,
        })
    }

    fn search_on(&mut self, mut going: Going, lines: &mut Vec<u8>) -> Result<(), StoreError> {
        let found = match going.search.run() {
            Ok(found) => found,
            Err(StoreError::NoSuchMailbox) => return Ok(()),
            Err(error) => return Err(error),
        };
        going.found.extend_from_slice(&found.uids);
        going.modseq = going.modseq.max(found.modseq);
        if let Some(search) = found.rest {
            going.search = search;
            self.going = Some(going);
            return Ok(());
        }
        self.count += going.found.len();
        if going.found.is_empty() {
            return Ok(());
        }
        let correlator = Correlator {
            tag: &self.tag,
            mailbox: Some((&going.name, going.view.told().uid_validity, self.speech)),
            numbering: Numbering::Uid,
        };
        let results = Results {
            found: &going.found,
            modseq: going.modseq,
        };
        esearch::write(lines, &correlator, &going.view, &results, self.returns);
        Ok(())
    }
}
