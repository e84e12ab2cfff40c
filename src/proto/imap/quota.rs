//! GETQUOTA and GETQUOTAROOT (RFC 9208): one root, called `""`, has all mailboxes of an account.

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
    /// The responses.
    pub fn run(&self, store: &Store) -> Result<Vec<u8>, StoreError> {
        let held = store.held(&self.account)?;
        let mut out = Vec::new();
        if let Some(name) = &self.mailbox {
            store.mailbox(&self.account, name)?;
            if !store.is_own(&self.account, name) {
                // What another user has is of no root here.
                out.extend_from_slice(b"* QUOTAROOT ");
                response::mailbox(&mut out, name, self.speech);
                out.extend_from_slice(b"\r\n");
                return Ok(out);
            }
            out.extend_from_slice(b"* QUOTAROOT ");
            response::mailbox(&mut out, name, self.speech);
            out.extend_from_slice(b" \"\"\r\n");
        }
        write(&mut out, held);
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
