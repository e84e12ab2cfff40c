//! GETQUOTA and GETQUOTAROOT (RFC 9208): one root, called `""`, has all mailboxes of an account, if anything is limited.

use crate::store::{Account, Held, Store, StoreError};
use crate::wire::imap::response;
use crate::wire::imap::scan::Speech;

/// What to tell.
pub struct Quota {
    /// Whose.
    pub account: Account,
    /// Also of which root this mailbox is.
    pub mailbox: Option<String>,
    /// How names are told.
    pub speech: Speech,
}

impl Quota {
    /// The responses. Where nothing is limited there is no quota root, and who asks for it is told `NoSuchMailbox`: its list of
    /// resources cannot be empty (RFC 9208 §7).
    pub fn run(&self, store: &Store) -> Result<Vec<u8>, StoreError> {
        let held = store.held(&self.account)?;
        let is_limited =
            held.is_some_and(|held| held.quota.octets.or(held.quota.messages).is_some());
        if self.mailbox.is_none() && !is_limited {
            return Err(StoreError::NoSuchMailbox);
        }
        let mut out = Vec::new();
        let mut is_of_root = is_limited;
        if let Some(name) = &self.mailbox {
            // RFC 9208 §4.1.2: of which root a mailbox would be that is not there can be asked, too.
            match store.mailbox(&self.account, name) {
                Ok(_) => {}
                Err(StoreError::NoSuchMailbox) if store.is_own(&self.account, name) => {}
                Err(error) => return Err(error),
            }
            // What another user has is of no root here.
            is_of_root &= store.is_own(&self.account, name);
            out.extend_from_slice(b"* QUOTAROOT ");
            response::mailbox(&mut out, name, self.speech);
            out.extend_from_slice(if is_of_root { b" \"\"\r\n" } else { b"\r\n" });
        }
        if is_of_root {
            write(&mut out, held);
        }
        Ok(out)
    }
}

/// Writes `* QUOTA "" (STORAGE 10 512 MESSAGE 20 100)`; octets are told in units of 1024 (RFC 9208 §5.1).
fn write(out: &mut Vec<u8>, held: Option<Held>) {
    let resources = held.into_iter().flat_map(|held| {
        let units = |octets: u64| octets.div_ceil(1024);
        let storage = held
            .quota
            .octets
            .map(|limit| ("STORAGE", units(held.octets), limit / 1024));
        let message = held
            .quota
            .messages
            .map(|limit| ("MESSAGE", held.messages, limit));
        storage.into_iter().chain(message)
    });
    out.extend_from_slice(b"* QUOTA \"\" (");
    for (position, (name, used, limit)) in resources.enumerate() {
        if position > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(format!("{name} {used} {limit}").as_bytes());
    }
    out.extend_from_slice(b")\r\n");
}
