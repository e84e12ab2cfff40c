//! The table of users: who gets mail here, and whose password is right.
//!
//! It is read from a passwd-file as Dovecot has it (one account a line, `name:{SCHEME}hash`; of further fields, the groups of
//! `userdb_acl_groups=staff,lab`), or
//! made of names and passwords in the clear. It lives in memory and is replaced as a whole by [`Users::reload`].
//!
//! What a login proves without showing the password (CRAM-MD5, APOP, SCRAM, tokens) is checked in `users/proof.rs`; what a password is
//! checked against is in `users/secret.rs`. New passwords are hashed in `users/make.rs`, the file is changed in `users/file.rs`.
//!
//! What it keeps:
//! - a name can never lead out of `STORE/mail` (no `/`, no leading dot, no control character);
//! - an unknown name takes as long to refuse as a wrong password: it is given the hash of some account, the same each time;
//! - hashes and passwords never show in `Debug`, nor in an error;
//! - a hash that would take the machine down to check (gigabytes of Argon2, minutes of SHA-crypt) is refused when it is read.

mod file;
mod make;
mod proof;
mod secret;
mod system;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use ring::hmac;
use subtle::ConstantTimeEq;

use super::fs::{self, hold};
use super::owners::{Owner, Owners};
use crate::limits;
use crate::wire::sasl::{Credentials, Means};
use crate::wire::{idna, saslprep};
pub use file::{EditError, Edited, Listed, UsersFile};
pub use make::{HashError, Scheme};
pub use proof::Told;
use secret::Secret;
pub use system::{SystemFiles, own_name};

/// Somebody who has mail here. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Account {
    /// `alice` in the first domain, `alice@other.example` in the others.
    pub name: Arc<str>,
    /// The Maildir++.
    pub home: Arc<Path>,
}

/// Why nobody was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthError {
    /// No such account, or the password is wrong: which one is nobody's business.
    Credentials,
    /// Name and password are right, but were given to act as somebody else.
    Identity,
    /// Name and password are right, but the time of the account, or of its password, is over.
    Expired,
}

/// The table of users, in memory.
#[derive(Debug)]
pub struct Users {
    table: RwLock<Arc<Table>>,
    source: Source,
    /// Whose the homes are, when they are not ours.
    owners: Arc<Owners>,
    /// Who is not in the table logs in with the name as password.
    anybody: bool,
    /// Where the accounts' Maildirs are, and the domains, the plain one first: known once the store is open.
    place: Mutex<Arc<Place>>,
    tokens: proof::Tokens,
    /// Not to be foreseen, and the same while the program runs: salts are made from it.
    seed: [u8; 16],
}

/// Where the table comes from.
#[derive(Debug)]
enum Source {
    /// It was given.
    Given,
    /// A passwd-file.
    File(PathBuf),
    /// The machine's own.
    System(SystemFiles),
}

#[derive(Debug, Default)]
struct Place {
    mail: PathBuf,
    domains: Vec<String>,
    /// The same accounts in each of the domains.
    is_system: bool,
}

#[derive(Debug, Default)]
struct Table {
    /// In the order of the file: `postmaster` goes to the first.
    names: Vec<Arc<str>>,
    secrets: HashMap<Arc<str>, Secret>,
    /// The names that cannot be accounts, and why: an error when the store is opened.
    refused: Option<String>,
    /// What all of them can be checked by, once somebody has asked.
    means: OnceLock<Means>,
    /// They are the machine's.
    is_system: bool,
    /// Of those whose home is not where the others' are: the Maildir.
    homes: HashMap<Arc<str>, Arc<Path>>,
    /// Whose these are.
    owners: HashMap<PathBuf, Owner>,
    /// The last day, since 1970, on which somebody can log in.
    last_days: HashMap<Arc<str>, i64>,
    /// The groups that accounts are in, for the rights on mailboxes.
    groups: HashMap<Arc<str>, Arc<[Box<str>]>>,
}

impl Users {
    /// Accounts with passwords in the clear (`--user NAME:PASSWORD`, the demo accounts). A name is `alice` (in the first domain)
    /// or `alice@other.example`. A name that cannot be an account's makes [`super::Store::open`] fail.
    pub fn plain(accounts: &[(String, String)]) -> Self {
        let mut table = Table::default();
        for (name, password) in accounts {
            let secret = Secret::Plain(password.as_bytes().into());
            if let Err(why) = table.add(name, secret) {
                table.refused = Some(format!("user {name:?}: {why}"));
            }
        }
        Self::new(table, Source::Given)
    }
    /// Reads a passwd-file: `name:{SCHEME}hash` and more fields, as Dovecot has it. Errors name the line and what would
    /// be right.
    pub fn read(file: &Path) -> io::Result<Self> {
        Ok(Self::new(
            Table::read(file)?,
            Source::File(file.to_path_buf()),
        ))
    }
    /// The users of the machine, with mail in `~/Maildir`, in each of the domains. Only root can be of use to them.
    ///
    /// # Errors
    /// Those of the files, which are named; `PermissionDenied` for who is not root.
    pub fn system(files: SystemFiles) -> io::Result<Self> {
        if !rustix::process::geteuid().is_root() {
            let why = "only root can serve the users of the machine: passwords are in /etc/shadow, and mail is theirs";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        crate::sys::leave_groups()?;
        let table = files.read()?;
        Ok(Self::new(table, Source::System(files)))
    }
    /// Reads the passwd-file again. After an error the table is what it was. Blocks.
    pub fn reload(&self) -> io::Result<()> {
        let mut table = match &self.source {
            Source::Given => return Ok(()),
            Source::File(file) => Table::read(file)?,
            Source::System(files) => files.read()?,
        };
        table.settle(&self.place()).map_err(invalid)?;
        self.owners.set(table.owners.clone());
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
        Ok(())
    }
    /// The groups that an account is in (Dovecot's `acl_groups`).
    pub(super) fn groups(&self, account: &Account) -> Arc<[Box<str>]> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let groups = table.groups.get(&account.name);
        groups.map_or_else(|| Arc::new([]), Arc::clone)
    }
    /// All accounts, in the order in which they were given.
    pub fn accounts(&self) -> Vec<Account> {
        let (table, place) = (self.table(), self.place());
        table
            .names
            .iter()
            .map(|name| table.account(&place, name))
            .collect()
    }
    /// Who gets mail for this address: any case, `user+tag` as `user`, `postmaster` always. No domain means the first.
    /// Does not block.
    pub fn find(&self, local_part: &str, domain: Option<&str>) -> Option<Account> {
        let (table, place) = (self.table(), self.place());
        let domain = domain.map(fold_case);
        let suffix = match domain.as_deref() {
            Some(domain) => place.suffix(domain)?,
            None => String::new(),
        };
        if local_part.contains('@') {
            // `"bob@other.example"@first.example` is not bob of the other domain.
            return None;
        }
        let local_part = fold_case(local_part);
        let untagged = local_part.split('+').next().filter(|user| !user.is_empty());
        let name = [Some(local_part.as_str()), untagged]
            .into_iter()
            .flatten()
            .find_map(|user| table.name(&format!("{user}{suffix}")))
            .or_else(|| {
                // RFC 5321 §4.5.1: mail for the postmaster must be taken, in each domain.
                (untagged == Some("postmaster"))
                    .then(|| table.postmaster(&suffix))
                    .flatten()
            })?;
        Some(table.account(&place, &name))
    }
    /// What an address is called in the tables: `alice`, `bob@other.example`. `None` when its domain is not ours, or it can be
    /// nobody's.
    pub(super) fn key(&self, local_part: &str, domain: Option<&str>) -> Option<String> {
        // `"bob@other.example"@first.example` is not bob of the other domain.
        if local_part.contains('@') {
            return None;
        }
        let suffix = match domain {
            Some(domain) => self.place().suffix(&fold_case(domain))?,
            None => String::new(),
        };
        Some(format!("{}{suffix}", fold_case(local_part)))
    }
    /// The account with this key.
    pub(super) fn named(&self, key: &str) -> Option<Account> {
        let table = self.table();
        let name = table.name(key)?;
        Some(table.account(&self.place(), &name))
    }
    /// The account that logs in by this name; where anybody may, the one that could.
    pub(super) fn known_as(&self, login: &str) -> Option<Account> {
        let key = self.place().account_name(login)?;
        let known = self.named(&key);
        known.or_else(|| self.imagined(&key).filter(|_| self.anybody))
    }
    /// The account that would have this key, if it could be one.
    pub(super) fn imagined(&self, key: &str) -> Option<Account> {
        let name = account_name(key).ok()?;
        let place = self.place();
        // Nobody is imagined among the machine's users.
        (!place.is_system).then(|| place.account(&name.into()))
    }
    /// Where the accounts' Maildirs are, when all are in one folder.
    pub(super) fn mail(&self) -> Option<PathBuf> {
        let mail = self.place().mail.clone();
        (!mail.as_os_str().is_empty() && !self.place().is_system).then_some(mail)
    }
    /// The plain one.
    pub(super) fn first_domain(&self) -> String {
        self.place().domains.first().cloned().unwrap_or_default()
    }
    /// The files that it is read from.
    pub(super) fn files(&self) -> Vec<&Path> {
        match &self.source {
            Source::Given => Vec::new(),
            Source::File(file) => vec![file],
            Source::System(files) => vec![&files.passwd, &files.shadow],
        }
    }
    /// Whose the homes are; `None` when all are ours.
    pub(super) fn owners(&self) -> Option<Arc<Owners>> {
        let is_system = matches!(self.source, Source::System(_));
        is_system.then(|| Arc::clone(&self.owners))
    }
    /// From now on everybody is there, with the name as password, who is not in the table (development mode).
    pub(super) fn admit_anybody(&mut self) {
        self.anybody = true;
    }
    /// Whether mail for this domain is delivered here. Does not block.
    pub fn is_local(&self, domain: &str) -> bool {
        self.place().suffix(&fold_case(domain)).is_some()
    }
    /// Whose name and password these are. Blocks: hashing takes milliseconds.
    pub fn verify(&self, credentials: &Credentials) -> Result<Account, AuthError> {
        let password = &credentials.password[..];
        if password.len() > limits::PASSWORD {
            return Err(AuthError::Credentials);
        }
        let (table, place) = (self.table(), self.place());
        let key = place.account_name(&credentials.name);
        let name = key.as_deref().and_then(|key| table.name(key));
        if let (true, None, Some(key)) = (self.anybody, &name, &key)
            && ["", key].contains(&&*credentials.authorize_as)
            && let Some(account) = self.imagined(key)
            && same(key.split('@').next().unwrap_or(key).as_bytes(), password)
        {
            return Ok(account);
        }
        let secret = name.as_ref().and_then(|name| table.secrets.get(name));
        let Some((name, secret)) = name.as_ref().zip(secret) else {
            table.pretend(&credentials.name, password, &self.seed);
            return Err(AuthError::Credentials);
        };
        match secret {
            Secret::Locked => {
                table.pretend(&credentials.name, password, &self.seed);
                Err(AuthError::Credentials)
            }
            secret if !secret.matches(password) => Err(AuthError::Credentials),
            // Only who knows the password learns it.
            _ if table.has_ended(name) => Err(AuthError::Expired),
            _ => match &*credentials.authorize_as {
                "" => Ok(table.account(&place, name)),
                other if place.account_name(other).as_deref() == Some(name) => {
                    Ok(table.account(&place, name))
                }
                _ => Err(AuthError::Identity),
            },
        }
    }

    /// The store says where it is, and what its domains are.
    pub(super) fn settle(&mut self, mail: &Path, domains: &[String]) -> io::Result<()> {
        let place = Place {
            mail: mail.to_path_buf(),
            domains: domains
                .iter()
                .map(|domain| {
                    let ascii = idna::to_ascii(domain).map(|ascii| fold_case(&ascii));
                    ascii.unwrap_or_else(|| fold_case(domain))
                })
                .collect(),
            is_system: matches!(self.source, Source::System(_)),
        };
        let table = self.table.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = &table.refused {
            return Err(invalid(why.clone()));
        }
        if let Some(table) = Arc::get_mut(table) {
            table.settle(&place).map_err(invalid)?;
            self.owners.set(table.owners.clone());
        }
        *hold(&self.place) = Arc::new(place);
        Ok(())
    }

    fn new(table: Table, source: Source) -> Self {
        Self {
            table: RwLock::new(Arc::new(table)),
            source,
            owners: Arc::default(),
            anybody: false,
            place: Mutex::default(),
            tokens: proof::Tokens::default(),
            seed: proof::seed(),
        }
    }
    fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }
    fn place(&self) -> Arc<Place> {
        Arc::clone(&hold(&self.place))
    }
}

impl Place {
    fn account(&self, name: &Arc<str>) -> Account {
        Account {
            name: Arc::clone(name),
            home: self.mail.join(&**name).into(),
        }
    }
    /// The name of the account that somebody logs in to as `login`: in any case, with or without the first domain.
    /// `None` when its domain is not ours.
    fn account_name(&self, login: &str) -> Option<String> {
        let login = fold_case(login);
        match login.split_once('@') {
            Some((user, domain)) => Some(format!("{user}{}", self.suffix(domain)?)),
            None => Some(login),
        }
    }
    /// What follows the user in the names of this domain's accounts; `None` when it is not ours.
    fn suffix(&self, domain: &str) -> Option<String> {
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        let domain = idna::to_ascii(domain)?;
        let at = self.domains.iter().position(|ours| *ours == domain)?;
        Some(if at == 0 || self.is_system {
            String::new()
        } else {
            format!("@{domain}")
        })
    }
}

impl Table {
    fn read(file: &Path) -> io::Result<Self> {
        let bytes = fs::read_whole(&fs::Kernel, file)
            .and_then(|read| {
                read.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no such file"))
            })
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))?
            .0;
        Self::parse(&bytes).map_err(|(line, why)| {
            let text = format!("{}:{line}: {why}", file.display());
            io::Error::new(io::ErrorKind::InvalidData, text)
        })
    }

    /// An error is the number of a line and what is wrong with it.
    fn parse(bytes: &[u8]) -> Result<Self, (usize, String)> {
        let mut table = Self::default();
        for (line, number) in bytes.split(|&byte| byte == b'\n').zip(1..) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let line = std::str::from_utf8(line)
                .map_err(|_| (number, "not UTF-8: save the file as UTF-8".to_owned()))?;
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, rest) = line.split_once(':').ok_or_else(|| {
                let why = "no colon: write `name:{SCHEME}hash`, as in `alice:{PLAIN}secret`";
                (number, why.to_owned())
            })?;
            let password = rest.split(':').next().unwrap_or("");
            Secret::parse(password)
                .and_then(|secret| table.add(name, secret))
                .map_err(|why| (number, why))?;
            // password:uid:gid:gecos:home:shell:extra fields
            let extra = rest.splitn(7, ':').nth(6).unwrap_or("");
            let groups = extra
                .split_ascii_whitespace()
                .find_map(|field| field.strip_prefix("userdb_acl_groups="));
            if let (Some(groups), Some(name)) = (groups, table.names.last()) {
                let groups = groups.split(',').filter(|group| !group.is_empty());
                let groups = groups.map(Box::from).collect();
                table.groups.insert(Arc::clone(name), groups);
            }
        }
        Ok(table)
    }

    fn add(&mut self, name: &str, secret: Secret) -> Result<(), String> {
        let name: Arc<str> = account_name(name)?.into();
        if self.secrets.contains_key(&name) {
            return Err(format!("{name} is there twice: keep one of them"));
        }
        self.secrets.insert(Arc::clone(&name), secret);
        self.names.push(name);
        Ok(())
    }

    /// Names as accounts of `place` have them: `alice@first.example` is `alice`.
    fn settle(&mut self, place: &Place) -> Result<(), String> {
        if self.is_system {
            return Ok(());
        }
        let mut settled = Self::default();
        for name in std::mem::take(&mut self.names) {
            let Some(secret) = self.secrets.remove(&name) else {
                continue;
            };
            let account = place.account_name(&name).ok_or_else(|| {
                format!(
                    "{name} is of a domain that this server has no mail for (it has {}): add the domain, or take the \
                     account out",
                    place.domains.join(", ")
                )
            })?;
            settled.add(&account, secret)?;
            if let (Some(groups), Some(account)) = (self.groups.remove(&name), settled.names.last())
            {
                settled.groups.insert(Arc::clone(account), groups);
            }
        }
        *self = settled;
        Ok(())
    }

    fn account(&self, place: &Place, name: &Arc<str>) -> Account {
        match self.homes.get(name) {
            Some(home) => Account {
                name: Arc::clone(name),
                home: Arc::clone(home),
            },
            None => place.account(name),
        }
    }

    /// Whether the account, or its password, was good for a time that is over.
    fn has_ended(&self, name: &Arc<str>) -> bool {
        let Some(last) = self.last_days.get(name) else {
            return false;
        };
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let today = now.map_or(0, |now| now.as_secs() / 86_400);
        i64::try_from(today).is_ok_and(|today| today > *last)
    }

    fn name(&self, name: &str) -> Option<Arc<str>> {
        self.secrets
            .get_key_value(name)
            .map(|(name, _)| Arc::clone(name))
    }

    fn postmaster(&self, suffix: &str) -> Option<Arc<str>> {
        self.name("postmaster")
            .or_else(|| {
                let same_domain = |name: &&Arc<str>| name.ends_with(suffix);
                self.names.iter().find(same_domain).cloned()
            })
            .or_else(|| self.names.first().cloned())
    }

    /// Takes the time that checking a password takes in this table, and learns nothing.
    fn pretend(&self, name: &str, password: &[u8], seed: &[u8; 16]) {
        if let Some(secret) = self.stand_in(name, seed, |secret| !matches!(secret, Secret::Locked))
        {
            std::hint::black_box(secret.matches(password));
        }
    }

    /// The secret of some account that `fits`, in place of that of a name that has none: always the same one for a name, so that
    /// where hashes differ in their cost unknown names do as well; which one cannot be foreseen.
    fn stand_in(
        &self,
        name: &str,
        seed: &[u8; 16],
        fits: impl Fn(&Secret) -> bool,
    ) -> Option<&Secret> {
        let fitting: Vec<&Secret> = self
            .names
            .iter()
            .filter_map(|name| self.secrets.get(name))
            .filter(|secret| fits(secret))
            .collect();
        let key = hmac::Key::new(hmac::HMAC_SHA256, seed);
        let drawn = hmac::sign(&key, fold_case(name).as_bytes());
        let drawn = drawn.as_ref().iter().take(4);
        let drawn = drawn.fold(0, |drawn, &octet| drawn << 8 | usize::from(octet));
        let count = fitting.len().max(1);
        fitting.get(drawn % count).copied()
    }
}

/// Compares without telling by the time taken where they differ, nor how long the secret is.
fn same(secret: &[u8], password: &[u8]) -> bool {
    let padded = |text: &[u8]| {
        let mut padded = [0; limits::PASSWORD];
        let length = text.len().min(limits::PASSWORD);
        padded[..length].copy_from_slice(&text[..length]);
        padded
    };
    let same_octets = padded(secret).ct_eq(&padded(password));
    let same_length = secret.len().ct_eq(&password.len());
    bool::from(same_octets & same_length)
}

/// The name of an account as it stands in the table and on disk, or why it cannot be one.
fn account_name(name: &str) -> Result<String, String> {
    let name = fold_case(name.trim());
    let why = if name.is_empty() {
        "the name is empty"
    } else if name.starts_with('.') {
        "a name cannot begin with a dot"
    } else if name.contains('/') {
        "a name cannot hold a `/`"
    } else if name.chars().any(char::is_control) {
        "a name cannot hold control characters"
    } else if name.len() > 200 {
        "a name cannot be longer than 200 octets"
    } else if name.starts_with('@') || name.ends_with('@') || name.matches('@').count() > 1 {
        "write `alice`, or `alice@other.example`"
    } else {
        return Ok(name);
    };
    Err(why.to_owned())
}

/// Accounts that cannot be.
fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// The form in which names are compared: any case, and any way to write the same letters (RFC 4013).
fn fold_case(text: &str) -> String {
    match saslprep::prepare(text) {
        Some(prepared) => prepared.to_lowercase(),
        None => text.to_lowercase(),
    }
}
