//! STATUS, also as LIST asks for it (RFC 3501 §6.3.10, RFC 7162, RFC 8438, RFC 8474, RFC 7889).

use crate::limits;
use crate::store::{Account, Entry, Flags, Store, StoreError};
use crate::wire::imap::command::StatusItem;
use crate::wire::imap::response;
use crate::wire::imap::scan::Speech;

/// What to tell of which mailbox.
pub struct Status {
    /// Whose.
    pub account: Account,
    /// Which.
    pub name: String,
    /// What.
    pub items: Vec<StatusItem>,
    /// How names are told.
    pub speech: Speech,
}

impl Status {
    /// The response.
    pub fn run(&self, store: &Store) -> Result<Vec<u8>, StoreError> {
        let mut out = Vec::new();
        write(
            &mut out,
            store,
            &self.account,
            &self.name,
            &self.items,
            self.speech,
        )?;
        Ok(out)
    }
}

/// Writes `* STATUS name (...)`.
pub fn write(
    out: &mut Vec<u8>,
    store: &Store,
    account: &Account,
    name: &str,
    items: &[StatusItem],
    speech: Speech,
) -> Result<(), StoreError> {
    let mailbox = store.mailbox(account, name)?;
    let index = mailbox.sync()?;
    out.extend_from_slice(b"* STATUS ");
    response::mailbox(out, name, speech);
    out.extend_from_slice(b" (");
    let messages = || index.messages.iter();
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(item.name().as_bytes());
        out.push(b' ');
        let value = match item {
            StatusItem::Messages => index.messages.len() as u64,
            StatusItem::Recent => mailbox.recent().len() as u64,
            StatusItem::UidNext => index.uid_next.into(),
            StatusItem::UidValidity => index.uid_validity.into(),
            StatusItem::Unseen => messages().filter(unseen).count() as u64,
            StatusItem::HighestModseq => {
                mailbox.settle()?;
                index.highest_modseq
            }
            StatusItem::MailboxId => {
                out.extend_from_slice(format!("({})", mailbox.object_id()?).as_bytes());
                continue;
            }
            StatusItem::Deleted => messages().filter(deleted).count() as u64,
            StatusItem::DeletedStorage => octets(messages().filter(deleted)),
            StatusItem::Size => octets(messages()),
            StatusItem::AppendLimit => limits::MESSAGE_SIZE,
        };
        response::number(out, value);
    }
    out.extend_from_slice(b")\r\n");
    Ok(())
}

/// Whether a message is not `\Seen`.
pub fn unseen(entry: &&Entry) -> bool {
    !entry.flags.contains(Flags::SEEN)
}

fn deleted(entry: &&Entry) -> bool {
    entry.flags.contains(Flags::DELETED)
}

fn octets<'a>(messages: impl Iterator<Item = &'a Entry>) -> u64 {
    messages.map(|entry| entry.size).sum()
}
