//! The directory of addresses: whose mail goes where.
//!
//! An address of one of our domains is looked for as it stands, then without its tag (`user+tag` as `user`), each time first among
//! the aliases, then among the accounts; then come `postmaster` (RFC 5321 §4.5.1: always there), the catch-all, and, in development
//! mode, anybody. Case does not matter.
//!
//! All of it is in memory, so that whoever asks never blocks; the files of users and aliases are looked at again by [`Directory::refresh`],
//! on pool threads, and when they change, by `watch`.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::aliases::{Aliases, catch_all_key};
use super::fs::{self, Disk, Kernel, Stat, hold};
use super::{Account, Users};
use crate::limits;
use crate::wire::address::Address;
use crate::wire::envelope::{Envelope, OriginalRecipient, Recipient};

/// What becomes of an address here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// Its mail goes into these mailboxes, one at least.
    Mailboxes(Vec<Account>),
    /// An alias, and some of it is not here.
    Aliased {
        /// The mailboxes.
        local: Vec<Account>,
        /// The others, one at least.
        elsewhere: Vec<Address>,
    },
    /// The domain is ours, and has nobody of this name.
    Unknown,
    /// The domain is not ours.
    Elsewhere,
    /// The mailbox is over its quota.
    Full(Account),
}

/// How addresses are understood.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The file of aliases.
    pub aliases: Option<PathBuf>,
    /// What parts a name from a tag; none means that there are no tags.
    pub separator: Option<char>,
    /// Who gets the mail of the postmaster, a name or an address, when there is neither an account nor an alias of this name; the
    /// first account if this is not said.
    pub postmaster: Option<Address>,
    /// Who gets the mail of those who are not there, in all of our domains.
    pub catch_all: Option<Address>,
    /// Development mode: every recipient exists, and has a mailbox with its first message. Its password is its name.
    pub accept_any: bool,
    /// What a mailbox may hold.
    pub quota: super::Quota,
    /// The mailboxes are on a server behind this one: who is here is known here, but mail goes there by way of the queue.
    pub behind: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            aliases: None,
            separator: Some('+'),
            postmaster: None,
            catch_all: None,
            accept_any: false,
            quota: super::Quota::default(),
            behind: false,
        }
    }
}

/// The directory of a store.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) users: Users,
    pub(super) rules: Rules,
    aliases: RwLock<Arc<Aliases>>,
    /// When the files were looked at last, and what they looked like.
    looked: Mutex<Looked>,
    /// The mailboxes that development mode has made.
    made: Mutex<HashSet<Arc<str>>>,
}

#[derive(Debug, Default)]
struct Looked {
    when: Option<Instant>,
    users: Vec<Option<Stat>>,
    aliases: Option<Stat>,
}

/// See [`Directory::look`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BeingWritten;

impl Looked {
    /// Whether somebody wrote a moment ago, or cut a file off and has written nothing yet.
    fn is_being_written(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_nanos().cast_signed();
        self.users
            .iter()
            .chain([&self.aliases])
            .flatten()
            .any(|file| {
                let settles = match file.octets {
                    0 => limits::TABLE_CHECK,
                    _ => limits::TABLE_SETTLE,
                };
                // A clock that was set back says nothing.
                (0..settles.as_nanos().cast_signed()).contains(&(now - file.modified))
            })
    }
}

/// An envelope whose recipients are final.
#[derive(Debug)]
pub(super) struct Resolved {
    /// What was said of the message, without its recipients.
    rest: Envelope,
    pub(super) finals: Vec<Final>,
    /// For each recipient that was named, which of `finals` it stands for; one at least.
    pub(super) members: Vec<Vec<usize>>,
}

/// One to whom a message goes in the end.
#[derive(Debug)]
pub(super) struct Final {
    pub(super) recipient: Recipient,
    pub(super) destination: Destination,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    Here(Account),
    Elsewhere,
    /// The domain is ours, and has nobody of this name.
    Nobody,
}

impl Resolved {
    /// With those recipients that `keep` says.
    pub(super) fn envelope_of(&self, keep: impl Fn(usize) -> bool) -> Envelope {
        let recipients = self.finals.iter().enumerate();
        let recipients = recipients.filter(|(index, _)| keep(*index));
        Envelope {
            recipients: recipients.map(|(_, one)| one.recipient.clone()).collect(),
            ..self.rest.clone()
        }
    }
    pub(super) const fn reverse_path(&self) -> Option<&Address> {
        self.rest.reverse_path.as_ref()
    }
    /// With all of its final recipients.
    pub(super) fn into_envelope(self) -> Envelope {
        self.envelope_of(|_| true)
    }
}

impl Directory {
    /// Reads what the rules name. The users know their place.
    pub(super) fn open(users: Users, rules: Rules, made: Vec<String>) -> io::Result<Self> {
        let directory = Self {
            users,
            aliases: RwLock::default(),
            looked: Mutex::default(),
            made: Mutex::new(made.into_iter().map(Into::into).collect()),
            rules,
        };
        let now = directory.stamps();
        directory.read_aliases()?;
        *hold(&directory.looked) = now;
        for (what, address) in [
            ("the catch-all", &directory.rules.catch_all),
            ("the postmaster", &directory.rules.postmaster),
        ] {
            if let Some(address) = address
                && directory.is_here(address)
                && !directory.rules.accept_any
                && directory.expand_one(address) == Destination::Nobody
            {
                let why = format!("{what} is {address}, and there is no such account or alias");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
            }
        }
        Ok(directory)
    }

    /// What becomes of an address.
    pub(super) fn whereabouts(&self, address: &Address) -> Whereabouts {
        if !self.is_here(address) {
            return Whereabouts::Elsewhere;
        }
        let (mut local, mut elsewhere) = (Vec::new(), Vec::new());
        for (address, destination) in self.expand(address) {
            match destination {
                Destination::Here(account) => local.push(account),
                Destination::Elsewhere => elsewhere.push(address),
                Destination::Nobody => {}
            }
        }
        match (local.is_empty(), elsewhere.is_empty()) {
            (true, true) => Whereabouts::Unknown,
            (false, true) => Whereabouts::Mailboxes(local),
            (_, false) => Whereabouts::Aliased { local, elsewhere },
        }
    }

    /// Whether the address is of one of our domains.
    pub(super) fn is_here(&self, address: &Address) -> bool {
        address
            .domain()
            .is_none_or(|domain| self.users.is_local(domain))
    }

    /// The mailbox of a recipient that is final: aliases are not looked at.
    pub(super) fn mailbox(&self, address: &Address) -> Option<Account> {
        let found = self
            .spellings(address)?
            .iter()
            .find_map(|key| self.users.named(key));
        found.or_else(|| self.anybody(address))
    }

    /// Whether the mailboxes are on a server behind this one.
    pub(super) const fn is_behind(&self) -> bool {
        self.rules.behind
    }

    /// Every recipient replaced by what it stands for, each once.
    pub(super) fn resolve(&self, envelope: Envelope) -> Resolved {
        let mut resolved = Resolved {
            finals: Vec::new(),
            members: Vec::new(),
            rest: Envelope {
                recipients: Vec::new(),
                ..envelope
            },
        };
        for recipient in envelope.recipients {
            let targets = if self.is_here(&recipient.address) {
                self.expand(&recipient.address)
            } else {
                vec![(recipient.address.clone(), Destination::Elsewhere)]
            };
            let mut members = Vec::new();
            for (address, destination) in targets {
                let destination = match destination {
                    Destination::Here(_) if self.rules.behind => Destination::Elsewhere,
                    other => other,
                };
                let same = |one: &Final| match &destination {
                    Destination::Here(_) => one.destination == destination,
                    _ => one.recipient.address == address,
                };
                let index = resolved.finals.iter().position(same).unwrap_or_else(|| {
                    resolved.finals.push(Final {
                        recipient: stand_in(&recipient, address, &self.users.first_domain()),
                        destination,
                    });
                    resolved.finals.len() - 1
                });
                members.push(index);
            }
            resolved.members.push(members);
        }
        resolved
    }

    /// What an address of ours stands for in the end, one thing at least, each once. In a circle every alias is followed once.
    fn expand(&self, address: &Address) -> Vec<(Address, Destination)> {
        let aliases = self.table();
        let mut followed: HashSet<String> = HashSet::new();
        let mut found: Vec<(Address, Destination)> = Vec::new();
        let mut open = vec![address.clone()];
        while let Some(next) = open.pop() {
            if found.len() + open.len() > limits::ALIAS_TARGETS {
                log::error!(
                    "alias {address}: more than {} targets; the others get nothing",
                    limits::ALIAS_TARGETS
                );
                break;
            }
            match self.step(&aliases, &next, &mut followed) {
                Step::Alias(targets) => open.extend(targets.iter().rev().cloned()),
                Step::End(destination) => {
                    let known = |one: &(Address, Destination)| match &destination {
                        Destination::Here(_) => one.1 == destination,
                        _ => one.0 == next,
                    };
                    if !found.iter().any(known) {
                        found.push((next, destination));
                    }
                }
                Step::Circle => {}
            }
        }
        if found.iter().any(|(_, one)| *one != Destination::Nobody) {
            for (target, _) in found.extract_if(.., |(_, one)| *one == Destination::Nobody) {
                log::warn!("alias {address}: there is no {target} here");
            }
            return found;
        }
        vec![(address.clone(), Destination::Nobody)]
    }

    fn expand_one(&self, address: &Address) -> Destination {
        let first = self.expand(address).into_iter().next();
        first.map_or(Destination::Nobody, |(_, destination)| destination)
    }

    /// One look at an address.
    fn step(&self, aliases: &Aliases, address: &Address, followed: &mut HashSet<String>) -> Step {
        if !self.is_here(address) {
            return Step::End(Destination::Elsewhere);
        }
        let Some(spellings) = self.spellings(address) else {
            return Step::End(Destination::Nobody);
        };
        let mut circle = false;
        for key in &spellings {
            match aliases.find(key) {
                Some(targets) if followed.insert(key.clone()) => {
                    return Step::Alias(Arc::clone(targets));
                }
                // It stands in its own list: then the mailbox is meant.
                Some(_) => circle = true,
                None => {}
            }
            if let Some(account) = self.users.named(key) {
                return Step::End(Destination::Here(account));
            }
        }
        if circle {
            return Step::Circle;
        }
        let last = spellings.last().map_or("", String::as_str);
        let user = last.split_once('@').map_or(last, |(user, _)| user);
        if user == "postmaster" {
            return self.postmaster(address, followed);
        }
        let catch_all = catch_all_key(last);
        if let Some(targets) = aliases.find(&catch_all)
            && followed.insert(catch_all)
        {
            return Step::Alias(Arc::clone(targets));
        }
        if let Some(catch_all) = &self.rules.catch_all
            && followed.insert("@*".to_owned())
        {
            return Step::Alias([catch_all.clone()].into());
        }
        match self.anybody(address) {
            Some(account) => Step::End(Destination::Here(account)),
            None => Step::End(Destination::Nobody),
        }
    }

    /// Neither an account nor an alias has the name.
    fn postmaster(&self, address: &Address, followed: &mut HashSet<String>) -> Step {
        if let Some(named) = &self.rules.postmaster
            && followed.insert("@postmaster".to_owned())
        {
            return Step::Alias([named.clone()].into());
        }
        let account = self.users.find("postmaster", address.domain());
        match account.or_else(|| self.anybody(address)) {
            Some(account) => Step::End(Destination::Here(account)),
            None => Step::End(Destination::Nobody),
        }
    }

    /// In development mode, the mailbox that anybody has.
    fn anybody(&self, address: &Address) -> Option<Account> {
        if !self.rules.accept_any {
            return None;
        }
        let account = self.users.imagined(self.spellings(address)?.last()?)?;
        let made = hold(&self.made);
        let has_room = made.len() < limits::ANY_MAILBOXES || made.contains(&account.name);
        has_room.then_some(account)
    }

    /// All accounts, also those that development mode has made.
    pub(super) fn all_accounts(&self) -> Vec<Account> {
        let mut all = self.users.accounts();
        let made: Vec<Arc<str>> = hold(&self.made).iter().cloned().collect();
        let made = made.iter().filter_map(|name| self.users.imagined(name));
        let homes: HashSet<Arc<Path>> = all.iter().map(|one| Arc::clone(&one.home)).collect();
        all.extend(made.filter(|account| !homes.contains(&account.home)));
        all
    }

    /// One that development mode has made.
    pub(super) fn made(&self, name: &str) -> Option<Account> {
        let is_made = hold(&self.made).contains(name);
        self.users.imagined(name).filter(|_| is_made)
    }

    /// Whether mail for the postmaster goes to this account: who it does is taken for the one who runs the server.
    pub(super) fn is_postmaster(&self, account: &Account) -> bool {
        let Ok(address) = Address::parse(b"postmaster") else {
            return false;
        };
        self.expand(&address)
            .iter()
            .any(|(_, one)| *one == Destination::Here(account.clone()))
    }

    /// A mailbox gets its first message: in development mode they are counted.
    pub(super) fn has_delivered(&self, account: &Account) {
        if self.rules.accept_any {
            hold(&self.made).insert(Arc::clone(&account.name));
        }
    }

    /// What an address may be called in the tables: as it stands, then without its tag. `None` when it can be nobody's.
    fn spellings(&self, address: &Address) -> Option<Vec<String>> {
        let local = address.local_part();
        let mut spellings = vec![self.users.key(local, address.domain())?];
        if let Some(separator) = self.rules.separator
            && let Some((user, _)) = local.split_once(separator)
            && !user.is_empty()
        {
            spellings.push(self.users.key(user, address.domain())?);
        }
        Some(spellings)
    }

    /// Reads the users and the aliases again. What cannot be read stays as it was. Blocks.
    pub(super) fn reload(&self) -> io::Result<()> {
        let now = self.stamps();
        let users = self.users.reload();
        let aliases = self.read_aliases();
        *hold(&self.looked) = now;
        users.and(aliases)
    }

    /// [`Self::look`], at most every [`limits::TABLE_CHECK`]. Blocks.
    pub(super) fn refresh(&self) {
        let is_fresh = |when: Instant| when.elapsed() < limits::TABLE_CHECK;
        if !hold(&self.looked).when.is_some_and(is_fresh) {
            // It will be looked at again.
            let _ = self.look();
        }
    }

    /// Looks at the files, and reads them again when they have changed. Blocks.
    ///
    /// # Errors
    /// One has changed, and somebody may still be writing: nothing was read.
    pub(super) fn look(&self) -> Result<(), BeingWritten> {
        let mut looked = hold(&self.looked);
        let now = self.stamps();
        if now.users == looked.users && now.aliases == looked.aliases {
            looked.when = now.when;
            return Ok(());
        }
        if now.is_being_written() {
            looked.when = now.when;
            return Err(BeingWritten);
        }
        drop(looked);
        self.read_again();
        Ok(())
    }

    /// Reads them again, and says in the log what came of it.
    fn read_again(&self) {
        match self.reload() {
            Ok(()) => log::info!(
                "users and aliases are read again: {} accounts",
                self.users.accounts().len()
            ),
            Err(error) => log::error!("users and aliases stay as they were: {error}"),
        }
    }

    /// The files that are read.
    pub(super) fn files(&self) -> Vec<&Path> {
        let aliases = self.rules.aliases.as_deref();
        self.users.files().into_iter().chain(aliases).collect()
    }

    fn read_aliases(&self) -> io::Result<()> {
        let Some(file) = &self.rules.aliases else {
            return Ok(());
        };
        let named = |why: &dyn std::fmt::Display| format!("{}: {why}", file.display());
        let bytes = match fs::read_whole(&Kernel, file) {
            Ok(Some((bytes, _))) => bytes,
            Ok(None) => {
                let why = named(&"there is no such file");
                return Err(io::Error::new(io::ErrorKind::NotFound, why));
            }
            Err(error) => return Err(io::Error::new(error.kind(), named(&error))),
        };
        let key = |local: &str, domain: Option<&str>| self.users.key(local, domain);
        let aliases = Aliases::parse(&bytes, key).map_err(|(line, why)| {
            let text = format!("{}:{line}: {why}", file.display());
            io::Error::new(io::ErrorKind::InvalidData, text)
        })?;
        *self.aliases.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(aliases);
        Ok(())
    }

    fn stamps(&self) -> Looked {
        let stat = |file: Option<&Path>| file.and_then(|file| Kernel.stat(file).ok());
        Looked {
            when: Some(Instant::now()),
            users: self
                .users
                .files()
                .into_iter()
                .map(|file| stat(Some(file)))
                .collect(),
            aliases: stat(self.rules.aliases.as_deref()),
        }
    }

    fn table(&self) -> Arc<Aliases> {
        Arc::clone(&self.aliases.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What one look at an address brings.
enum Step {
    Alias(Arc<[Address]>),
    End(Destination),
    /// An alias that was followed already.
    Circle,
}

/// The recipient with another address in its place: whom the sender named is kept (RFC 3461 §5.2.7.1).
fn stand_in(recipient: &Recipient, address: Address, first_domain: &str) -> Recipient {
    let address = address.or_in(first_domain);
    if recipient.address == address {
        return recipient.clone();
    }
    let named = || OriginalRecipient {
        kind: if recipient.address.is_ascii() {
            "rfc822".to_owned()
        } else {
            "utf-8".to_owned()
        },
        address: recipient.address.clone().or_in(first_domain).to_string(),
    };
    Recipient {
        original: Some(recipient.original.clone().unwrap_or_else(named)),
        notify: recipient.notify,
        address,
    }
}
