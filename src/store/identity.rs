//! What tells a message and a mailbox from all others, for ever (RFC 8474), and when a message came into its mailbox (RFC 8514).
//!
//! Nothing of it needs a place of its own. A mailbox has a GUID in the head of `dovecot-uidlist`. A message is known by the
//! base of its first file's name, which nobody else makes; copies have that one as a field `G` in the list, where Dovecot
//! keeps it too. The name of a file begins with the second in which it was made, here or wherever the message was delivered.

use sha2::{Digest, Sha256};

use super::fs::hold;
use super::look::State;
use super::uidlist::Record;
use super::{Mailbox, StoreError};

/// Of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// EMAILID: the same for all copies of it.
    pub email_id: String,
    /// SAVEDATE, seconds since 1970; `None` when the file's name does not say it.
    pub saved: Option<i64>,
}

impl Mailbox {
    /// MAILBOXID: it stays when the mailbox is renamed.
    pub fn object_id(&self) -> Result<String, StoreError> {
        if hold(&self.state).list.guid.is_empty() {
            self.sync()?;
        }
        Ok(format!("F{}", hold(&self.state).list.guid))
    }

    /// Of the message of this UID; `None` when there is none.
    pub fn identity(&self, uid: u32) -> Option<Identity> {
        let place = self.place().ok()?;
        let mut state = self.state();
        state.fill_in(&self.folder(&place)).ok()?;
        let record = state.record(uid)?;
        let digest = Sha256::digest(record.guid());
        let email_id = digest
            .iter()
            .take(16)
            .fold("M".to_owned(), |id, byte| id + &format!("{byte:02x}"));
        let seconds = record.base.split_once('.');
        let saved = seconds.and_then(|(seconds, _)| seconds.parse().ok());
        drop(state);
        Some(Identity { email_id, saved })
    }
}

impl State {
    pub(super) fn record(&self, uid: u32) -> Option<&Record> {
        let records = &self.list.records;
        let place = records.binary_search_by_key(&uid, |record| record.uid);
        place.ok().map(|place| &records[place])
    }
}

impl Record {
    /// What tells the message from others, as Dovecot has it.
    pub(super) fn guid(&self) -> &str {
        let field = self
            .fields
            .split(' ')
            .find_map(|field| field.strip_prefix('G'));
        field.filter(|guid| !guid.is_empty()).unwrap_or(&self.base)
    }
}
