//! The keys that sign URLs of messages (RFC 4467 §5): one for each mailbox and each user who may read it, made when it is first
//! needed. Without it all URLs that it signed are void.
//!
//! | file in a mailbox | whose key |
//! |---|---|
//! | `mailtool-url-key` | its owner's |
//! | `mailtool-url-key-NAME` | of NAME, to whom the owner has opened it |

use std::io;
use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};

use super::{Account, Mailbox, Store, StoreError, fs};

/// The key of a user for a mailbox.
pub type UrlKey = [u8; 32];

impl Store {
    /// The key of `account` for the mailbox of this name, if there is one.
    ///
    /// # Errors
    /// As [`Self::mailbox`]: who may not read it has no key, also none from before.
    pub fn url_key(&self, account: &Account, name: &str) -> Result<Option<UrlKey>, StoreError> {
        let (mailbox, file) = self.key_file(account, name)?;
        let place = mailbox.place()?;
        let folder = mailbox.folder(&place);
        let read = fs::read_whole(folder.disk(), &folder.part(&file));
        let read = read.map_err(|error| folder.blame(error))?;
        // One that is damaged is none.
        Ok(read.and_then(|(bytes, _)| bytes.try_into().ok()))
    }

    /// The same, made now if there is none.
    pub fn make_url_key(&self, account: &Account, name: &str) -> Result<UrlKey, StoreError> {
        if let Some(key) = self.url_key(account, name)? {
            return Ok(key);
        }
        let mut key = UrlKey::default();
        SystemRandom::new()
            .fill(&mut key)
            .map_err(|_| io::Error::other("the system has no random numbers"))?;
        let (mailbox, file) = self.key_file(account, name)?;
        let place = mailbox.place()?;
        let folder = mailbox.folder(&place);
        fs::replace(
            folder.disk(),
            &folder.part("tmp"),
            &folder.part(&file),
            &key,
        )
        .map_err(|error| folder.blame(error))?;
        Ok(key)
    }

    /// From now on `account` has no key for the mailbox, and what it signed is void.
    pub fn forget_url_key(&self, account: &Account, name: &str) -> Result<(), StoreError> {
        let (mailbox, file) = self.key_file(account, name)?;
        let place = mailbox.place()?;
        let folder = mailbox.folder(&place);
        match folder.disk().unlink(&folder.part(&file)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(folder.blame(error)),
            Ok(()) => folder
                .disk()
                .sync_directory(&place)
                .map_err(|error| folder.blame(error)),
        }
    }

    /// The same for all mailboxes, those of others too.
    pub fn forget_url_keys(&self, account: &Account) -> Result<(), StoreError> {
        let mut names = self.mailboxes(account)?;
        names.extend(self.others(account).into_iter().map(|other| other.name));
        for name in names {
            match self.forget_url_key(account, &name) {
                // Gone just now, or opened for something else than reading: then there is no key.
                Err(StoreError::NoSuchMailbox | StoreError::NoPermission(_)) => {}
                forgotten => forgotten?,
            }
        }
        Ok(())
    }

    fn key_file(
        &self,
        account: &Account,
        name: &str,
    ) -> Result<(Arc<Mailbox>, String), StoreError> {
        let mailbox = self.mailbox(account, name)?;
        let file = match self.is_own(account, name) {
            true => FILE.to_owned(),
            false => format!("{FILE}-{}", account.name),
        };
        Ok((mailbox, file))
    }
}

const FILE: &str = "mailtool-url-key";
