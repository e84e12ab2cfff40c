//! The keys that sign URLs of messages (RFC 4467 §5): one a mailbox, in a file of its own that only its owner reads, made when it is
//! first needed. Without it all URLs that it signed are void.

use std::io;

use ring::rand::{SecureRandom, SystemRandom};

use super::{Account, Mailbox, Store, StoreError, fs};

/// A mailbox's key.
pub type UrlKey = [u8; 32];

impl Mailbox {
    /// Its key, if it has one.
    pub fn url_key(&self) -> Result<Option<UrlKey>, StoreError> {
        let place = self.place()?;
        let folder = self.folder(&place);
        let read = fs::read_whole(folder.disk(), &folder.part(FILE));
        let read = read.map_err(|error| folder.blame(error))?;
        // One that is damaged is none.
        Ok(read.and_then(|(bytes, _)| bytes.try_into().ok()))
    }

    /// Its key, made now if it has none.
    pub fn make_url_key(&self) -> Result<UrlKey, StoreError> {
        if let Some(key) = self.url_key()? {
            return Ok(key);
        }
        let mut key = UrlKey::default();
        SystemRandom::new()
            .fill(&mut key)
            .map_err(|_| io::Error::other("the system has no random numbers"))?;
        let place = self.place()?;
        let folder = self.folder(&place);
        fs::replace(folder.disk(), &folder.part("tmp"), &folder.part(FILE), &key)
            .map_err(|error| folder.blame(error))?;
        Ok(key)
    }

    /// From now on it has none, and what it signed is void.
    pub fn forget_url_key(&self) -> Result<(), StoreError> {
        let place = self.place()?;
        let folder = self.folder(&place);
        let path = folder.part(FILE);
        match folder.disk().unlink(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(folder.blame(error)),
            Ok(()) => folder
                .disk()
                .sync_directory(&place)
                .map_err(|error| folder.blame(error)),
        }
    }
}

impl Store {
    /// From now on no mailbox of the account has a key.
    pub fn forget_url_keys(&self, account: &Account) -> Result<(), StoreError> {
        for name in self.mailboxes(account)? {
            self.mailbox(account, &name)?.forget_url_key()?;
        }
        Ok(())
    }
}

const FILE: &str = "mailtool-url-key";
