//! Who has mail in a store, and what is in each mailbox: read from the files, nothing is made or moved.

use std::io;

use crate::store::fs;
use crate::store::uidlist::{self, UidList};
use crate::store::{Account, Flags, Store, StoreError, names};

/// A mailbox, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Messages in it.
    pub messages: u64,
    /// Of these, those without `\Seen`.
    pub unseen: u64,
    /// Of these, those that no session has seen yet: in `new/`.
    pub new: u64,
    /// Octets of their files.
    pub octets: u64,
    /// RFC 3501 §2.3.1.1; 0 when nobody has opened the mailbox yet.
    pub uid_validity: u32,
    /// The UID that the next message gets, as far as it is known; those in `new/` may get it first.
    pub uid_next: u32,
}

impl Store {
    /// Everybody who has an account, in the order of the file; then whoever has mail here and none.
    ///
    /// # Errors
    /// The disk's.
    pub fn holders(&self) -> Result<Vec<Account>, StoreError> {
        let mut holders = self.users().accounts();
        let Some(mail) = self.users().mail() else {
            return Ok(holders);
        };
        let mut names = self.shared.disk.list(&mail)?;
        names.sort_unstable();
        for name in names {
            let known = holders.iter().any(|holder| *holder.name == *name);
            if let Some(account) = self.users().imagined(&name)
                && !known
                && *account.name == *name
                && self.has_mail(&account)
            {
                holders.push(account);
            }
        }
        Ok(holders)
    }

    /// Whose name this is, with an account or with mail only: `alice`, `alice@example.org`, in any case.
    pub fn holder(&self, name: &str) -> Option<Account> {
        let (local, domain) = match name.split_once('@') {
            Some((local, domain)) => (local, Some(domain)),
            None => (name, None),
        };
        let key = self.users().key(local, domain)?;
        let account = self.users().named(&key);
        account.or_else(|| {
            let account = self.users().imagined(&key)?;
            (self.directory.rules.accept_any || self.has_mail(&account)).then_some(account)
        })
    }

    /// Whether the account has a Maildir.
    pub fn has_mail(&self, account: &Account) -> bool {
        let is_directory = |part| {
            let stat = self.shared.disk.stat(&account.home.join(part));
            stat.is_ok_and(|stat| stat.is_directory)
        };
        is_directory("cur") || is_directory("new")
    }

    /// What is in a mailbox.
    ///
    /// # Errors
    /// `NoSuchMailbox`, and the disk's.
    pub fn survey(&self, account: &Account, mailbox: &str) -> Result<Survey, StoreError> {
        let place = Self::place_of(account, mailbox)?;
        let disk = &*self.shared.disk;
        if disk.stat(&place).is_err() {
            return match mailbox.eq_ignore_ascii_case("INBOX") {
                true => Ok(Survey::default()),
                false => Err(StoreError::NoSuchMailbox),
            };
        }
        let read = fs::read_whole(disk, &place.join(uidlist::FILE))?;
        let list = UidList::parse(read.as_ref().map_or(&[][..], |(bytes, _)| bytes));
        let mut survey = Survey {
            uid_validity: list.validity,
            uid_next: list.next,
            ..Survey::default()
        };
        for part in ["new", "cur"] {
            let folder = place.join(part);
            let names = match disk.list(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                names => names?,
            };
            for name in names.iter().filter(|name| !name.starts_with('.')) {
                survey.messages += 1;
                survey.new += u64::from(part == "new");
                survey.unseen += u64::from(!names::flags(name).contains(Flags::SEEN));
                survey.octets += match names::octets(name) {
                    Some(octets) => octets,
                    None => disk.stat(&folder.join(name)).map_or(0, |stat| stat.octets),
                };
            }
        }
        Ok(survey)
    }
}
