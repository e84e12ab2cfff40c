//! The mailboxes of others: `shared/NAME/...` is what NAME has opened to somebody (RFC 4314, RFC 2342).
//!
//! `shared/` and not `user/`, for it is the prefix in Dovecot's own documentation of shared mailboxes: where a Dovecot takes over,
//! the names and subscriptions that clients hold stay right. `shared/NAME/INBOX` is the INBOX; `shared/NAME` is no mailbox.
//!
//! All that IMAP does by a mailbox's name comes through here, also in one's own mailboxes, whose owner may have fewer rights than all.
//! Who has no right to look a mailbox up is told that there is none. A mailbox of one's own that is called so already stays reachable;
//! new ones cannot be called so.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};

use super::acl::{self, Acl, Whom};
use super::folders::FolderName;
use super::fs::{self, hold};
use super::look::is_settled;
use super::vigil::Mark;
use super::{Account, Mailbox, Store, StoreError, Vigil};
use crate::limits;
use crate::wire::imap::rights::Rights;

/// Before the names of others' mailboxes.
pub const OTHERS: &str = "shared";

/// A mailbox's place, whoever's it is.
pub(super) struct Located {
    pub(super) owner: Account,
    pub(super) folder: FolderName,
    pub(super) is_own: bool,
}

/// A mailbox of somebody else that may be looked up.
#[derive(Clone, Debug)]
pub struct Other {
    /// As it is called for who looks.
    pub name: String,
    /// What its owner is called.
    pub owner: Box<str>,
    /// What may be done with it.
    pub rights: Rights,
}

/// Which mailboxes have a file of rights, by the homes they are in.
#[derive(Debug, Default)]
pub(super) struct Opened {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    looked: Option<Instant>,
    homes: HashMap<Arc<Path>, Home>,
}

/// Of one home.
#[derive(Debug, Default)]
struct Home {
    /// When a folder there came, went or was renamed, if a later change would show in that.
    modified: Option<i128>,
    folders: Vec<FolderName>,
}

impl Store {
    /// The mailbox of this name, for reading: [`Self::reach`].
    pub fn mailbox(&self, account: &Account, name: &str) -> Result<Arc<Mailbox>, StoreError> {
        let (mailbox, _) = self.reach(account, name, Rights::READ)?;
        Ok(mailbox)
    }

    /// The mailbox that `account` knows by this name (UTF-8, `/` between levels, INBOX in any case), and what it may do there. The
    /// same `Arc` for all who have it open.
    ///
    /// # Errors
    /// `NoPermission` when one of the rights in `needs` is missing, `NoSuchMailbox` when it may not even be known of.
    pub fn reach(
        &self,
        account: &Account,
        name: &str,
        needs: Rights,
    ) -> Result<(Arc<Mailbox>, Rights), StoreError> {
        let located = self.locate(account, name)?;
        let rights = self.rights_in(account, &located)?;
        allow(rights, needs)?;
        let mailbox = self.open_folder(&located.owner, &located.folder)?;
        Ok((mailbox, rights))
    }

    /// What `account` may do in a mailbox that is there.
    pub fn rights(&self, account: &Account, name: &str) -> Result<Rights, StoreError> {
        let (located, rights) = self.located(account, name)?;
        if rights.among(Rights::KNOWN_TO_EXIST).is_empty() || !self.is_there(&located) {
            return Err(StoreError::NoSuchMailbox);
        }
        Ok(rights)
    }

    /// What `account` may do in a mailbox that it has open by this name, now.
    pub fn rights_now(&self, account: &Account, name: &str) -> Rights {
        let rights = self.located(account, name).map(|(_, rights)| rights);
        rights.unwrap_or(Rights::NONE)
    }

    /// Whether the mailbox of this name is the account's own.
    pub fn is_own(&self, account: &Account, name: &str) -> bool {
        self.locate(account, name)
            .is_ok_and(|located| located.is_own)
    }

    /// Makes a mailbox; parents are not made. It takes the rights of the mailbox above it (RFC 4314 §4, CREATE).
    pub fn create(&self, account: &Account, name: &str) -> Result<(), StoreError> {
        let located = self.locate_new(account, name)?;
        let disk = &*self.shared.disk;
        let (above, rights) = self.above(account, &located)?;
        if !rights.contains(Rights::CREATE) {
            return Err(not_open(denied(rights, Rights::CREATE)));
        }
        // What the owner makes at the top is the owner's alone, whoever may read INBOX.
        let inherits = above != FolderName::Inbox || !located.is_own;
        let acl = match inherits {
            true => Acl::read(disk, &above.place(&located.owner.home))?.render(),
            false => String::new(),
        };
        self.make(&located.owner, &located.folder, acl.as_bytes())?;
        self.opened.forget(&located.owner.home);
        Ok(())
    }

    /// Deletes a mailbox with its mail; its children stay.
    pub fn delete(&self, account: &Account, name: &str) -> Result<(), StoreError> {
        let (located, rights) = self.located(account, name)?;
        allow(rights, Rights::DELETE)?;
        self.remove(&located.owner, &located.folder)?;
        self.opened.forget(&located.owner.home);
        Ok(())
    }

    /// Renames a mailbox and its children. INBOX: its mail moves, the mailbox stays (RFC 9051 §6.3.6).
    pub fn rename(&self, account: &Account, from: &str, to: &str) -> Result<(), StoreError> {
        let (old, rights) = self.located(account, from)?;
        allow(rights, Rights::DELETE)?;
        let new = self.locate_new(account, to)?;
        if old.owner.home != new.owner.home {
            return Err(StoreError::Forbidden(
                "a mailbox cannot be given to another user by RENAME; CREATE one there, and COPY the messages",
            ));
        }
        if !old.is_own && old.folder == FolderName::Inbox {
            return Err(StoreError::Forbidden(
                "INBOX can be renamed by its owner only",
            ));
        }
        let (_, above) = self.above(account, &new)?;
        if !above.contains(Rights::CREATE) {
            return Err(not_open(denied(above, Rights::CREATE)));
        }
        self.move_folder(&old.owner, &old.folder, &new.folder)?;
        self.opened.forget(&old.owner.home);
        Ok(())
    }

    /// Who has which rights on a mailbox: identifiers, as IMAP has them. Needs `a`.
    pub fn acl(&self, account: &Account, name: &str) -> Result<Vec<(String, Rights)>, StoreError> {
        let located = self.administered(account, name)?;
        let place = located.folder.place(&located.owner.home);
        Ok(acl::told(&*self.shared.disk, &place)?)
    }

    /// Changes the rights of an identifier: `change` is given those it has, if any, and says those it gets. Needs `a`.
    pub fn change_acl(
        &self,
        account: &Account,
        name: &str,
        identifier: &str,
        change: impl FnOnce(Option<Rights>) -> Option<Rights>,
    ) -> Result<(), StoreError> {
        let located = self.administered(account, name)?;
        let (negative, whom) = self.whom(identifier)?;
        let place = located.folder.place(&located.owner.home);
        let disk = &*self.shared.disk;
        acl::change(disk, &place, &located.owner.home, (&whom, negative), change)?;
        self.opened.forget(&located.owner.home);
        self.shared.changed(&located.owner.home, &place);
        // Whose it is opened to is not looked for: whoever wants to know of mailboxes looks.
        self.shared.hub.mark_everybody(&Mark::Names);
        Ok(())
    }

    /// Whether a mailbox's rights may be asked for (LISTRIGHTS), and whether `identifier` is its owner.
    pub fn is_owners(
        &self,
        account: &Account,
        name: &str,
        identifier: &str,
    ) -> Result<bool, StoreError> {
        let located = self.administered(account, name)?;
        let (negative, whom) = self.whom(identifier)?;
        let owner = Whom::User(located.owner.name.to_string());
        Ok(!negative && (whom == Whom::Owner || whom == owner))
    }

    /// The mailboxes of others that `account` may look up, sorted. Changes of rights that other programs made are seen after
    /// [`limits::ACL_LOOK`].
    pub fn others(&self, account: &Account) -> Vec<Other> {
        let mut found = Vec::new();
        let disk = &*self.shared.disk;
        for (owner, folder) in self.opened_folders() {
            if owner.home == account.home {
                continue;
            }
            let place = folder.place(&owner.home);
            let rights = match acl::rights(disk, &place, self.users(), account, &owner) {
                Ok(rights) if rights.contains(Rights::LOOKUP) => rights,
                _ => continue,
            };
            if let Some(name) = folder.to_name() {
                found.push(Other {
                    name: format!("{OTHERS}/{}/{name}", owner.name),
                    owner: (*owner.name).into(),
                    rights,
                });
            }
        }
        found.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        found
    }

    /// Whether a mailbox of somebody else is there, and may not be looked up by `account`.
    pub fn is_closed(&self, account: &Account, name: &str) -> bool {
        self.located(account, name).is_ok_and(|(located, rights)| {
            !located.is_own && !rights.contains(Rights::LOOKUP) && self.is_there(&located)
        })
    }

    /// From now on `token` is woken when anything happens in the account whose mailbox `account` calls `name`.
    pub fn watch_other(&self, account: &Account, name: &str, token: u64) -> Option<Vigil> {
        let located = self.locate(account, name).ok()?;
        Some(self.shared.hub.watch(&located.owner, token))
    }

    /// The mailboxes that have a file of rights.
    fn opened_folders(&self) -> Vec<(Account, FolderName)> {
        let disk = &*self.shared.disk;
        let mut known = hold(&self.opened.known);
        if known
            .looked
            .is_none_or(|looked| looked.elapsed() >= limits::ACL_LOOK)
        {
            known.homes.clear();
            known.looked = Some(Instant::now());
        }
        let mut all = Vec::new();
        for owner in self.directory.all_accounts() {
            let now = fs::nanoseconds(SystemTime::now());
            let modified = disk.stat(&owner.home).map(|stat| stat.modified).ok();
            let home = known.homes.entry(Arc::clone(&owner.home)).or_default();
            if home.modified.is_none() || home.modified != modified {
                let has_file = |folder: &FolderName| {
                    let file = folder.place(&owner.home).join(acl::FILE);
                    disk.stat(&file).is_ok()
                };
                let mut folders = self.folders(&owner).unwrap_or_default();
                folders.push(FolderName::Inbox);
                folders.retain(has_file);
                *home = Home {
                    modified: modified.filter(|&modified| is_settled(modified, now)),
                    folders,
                };
            }
            let folders = &home.folders;
            all.extend(folders.iter().map(|folder| (owner.clone(), folder.clone())));
        }
        all
    }

    /// Where the mailbox of this name is, if there is one.
    pub(super) fn locate(&self, account: &Account, name: &str) -> Result<Located, StoreError> {
        let own = FolderName::parse(name);
        if let Some((user, below)) = of_other(name) {
            let is_own_already = own.as_ref().is_ok_and(|own| self.exists(account, own));
            if !is_own_already {
                let owner = self
                    .users()
                    .named(user)
                    .or_else(|| self.directory.made(user))
                    .filter(|owner| owner.home != account.home && !below.is_empty())
                    .ok_or(StoreError::NoSuchMailbox)?;
                return Ok(Located {
                    owner,
                    folder: FolderName::parse(below)?,
                    is_own: false,
                });
            }
        }
        Ok(Located {
            owner: account.clone(),
            folder: own?,
            is_own: true,
        })
    }

    /// The same for a name that shall become a mailbox's.
    fn locate_new(&self, account: &Account, name: &str) -> Result<Located, StoreError> {
        let located = self.locate(account, name).map_err(not_open)?;
        let top = name.split('/').next();
        if located.is_own && top == Some(OTHERS) && !self.exists(account, &located.folder) {
            return Err(NOT_OPEN);
        }
        Ok(located)
    }

    fn located(&self, account: &Account, name: &str) -> Result<(Located, Rights), StoreError> {
        let located = self.locate(account, name)?;
        let rights = self.rights_in(account, &located)?;
        Ok((located, rights))
    }

    fn rights_in(&self, account: &Account, located: &Located) -> Result<Rights, StoreError> {
        let place = located.folder.place(&located.owner.home);
        let rights = acl::rights(
            &*self.shared.disk,
            &place,
            self.users(),
            account,
            &located.owner,
        );
        Ok(rights?)
    }

    /// A mailbox whose rights `account` may see and change.
    fn administered(&self, account: &Account, name: &str) -> Result<Located, StoreError> {
        let (located, rights) = self.located(account, name)?;
        allow(rights, Rights::ADMINISTER)?;
        if !self.is_there(&located) {
            return Err(StoreError::NoSuchMailbox);
        }
        Ok(located)
    }

    fn is_there(&self, located: &Located) -> bool {
        (located.is_own && located.folder == FolderName::Inbox)
            || self.exists(&located.owner, &located.folder)
    }

    /// The nearest mailbox above that is there, INBOX in the end, and the rights there: it is they that let mailboxes be made
    /// (RFC 4314 §4, CREATE).
    fn above(
        &self,
        account: &Account,
        located: &Located,
    ) -> Result<(FolderName, Rights), StoreError> {
        let mut above = located.folder.above();
        while above != FolderName::Inbox && !self.exists(&located.owner, &above) {
            above = above.above();
        }
        let place = above.place(&located.owner.home);
        let rights = acl::rights(
            &*self.shared.disk,
            &place,
            self.users(),
            account,
            &located.owner,
        )?;
        Ok((above, rights))
    }

    fn whom(&self, identifier: &str) -> Result<(bool, Whom), StoreError> {
        let (negative, whom) = Whom::of_identifier(identifier);
        let whom = match whom {
            Ok(whom) => whom,
            Err(name) => {
                let account = self.users().known_as(name).ok_or(StoreError::NoSuchUser)?;
                Whom::User(account.name.to_string())
            }
        };
        Ok((negative, whom))
    }
}

impl Opened {
    /// Which mailboxes there have a file of rights may have changed.
    fn forget(&self, home: &Path) {
        hold(&self.known).homes.remove(home);
    }
}

/// Whether all that is needed is there.
fn allow(rights: Rights, needs: Rights) -> Result<(), StoreError> {
    match rights.contains(needs) {
        true => Ok(()),
        false => Err(denied(rights, needs)),
    }
}

/// RFC 4314 §6: who may not look a mailbox up is not told that it is there.
fn denied(rights: Rights, needs: Rights) -> StoreError {
    if rights.contains(Rights::LOOKUP) {
        StoreError::NoPermission(needs.without(rights))
    } else {
        StoreError::NoSuchMailbox
    }
}

/// Why a name below `shared/` cannot become a mailbox's: the same whether there is such a user or not.
const NOT_OPEN: StoreError = StoreError::Forbidden(
    "names that begin with shared are for what others have opened to you: shared/NAME/INBOX is the INBOX of NAME",
);

fn not_open(error: StoreError) -> StoreError {
    match error {
        StoreError::NoSuchMailbox => NOT_OPEN,
        other => other,
    }
}

/// The user, and the name of the mailbox there.
fn of_other(name: &str) -> Option<(&str, &str)> {
    let rest = name.strip_prefix(OTHERS)?.strip_prefix('/')?;
    Some(rest.split_once('/').unwrap_or((rest, "")))
}
