//! SETACL, DELETEACL, GETACL, LISTRIGHTS and MYRIGHTS (RFC 4314 §3).

use crate::store::{Account, Store, StoreError};
use crate::wire::imap::command::{AclCommand, Amend};
use crate::wire::imap::response;
use crate::wire::imap::rights::Rights;
use crate::wire::imap::scan::Speech;

/// What to do, or to tell.
pub struct Acl {
    /// Who asks.
    pub account: Account,
    /// Of which mailbox.
    pub mailbox: String,
    /// What.
    pub command: AclCommand,
    /// How names are told.
    pub speech: Speech,
}

impl Acl {
    /// The responses; none where something was done.
    pub fn run(self, store: &Store) -> Result<Vec<u8>, StoreError> {
        let Self {
            account,
            mailbox,
            command,
            speech,
        } = self;
        let mut out = Vec::new();
        match command {
            AclCommand::Mine => {
                let rights = store.rights(&account, &mailbox)?;
                write_my_rights(&mut out, &mailbox, rights, speech);
            }
            AclCommand::Get => {
                let all = store.acl(&account, &mailbox)?;
                out.extend_from_slice(b"* ACL ");
                response::mailbox(&mut out, &mailbox, speech);
                for (identifier, rights) in all {
                    out.push(b' ');
                    response::astring(&mut out, identifier.as_bytes());
                    out.push(b' ');
                    write_rights(&mut out, rights);
                }
                out.extend_from_slice(b"\r\n");
            }
            AclCommand::List(identifier) => {
                let is_owners = store.is_owners(&account, &mailbox, &identifier)?;
                out.extend_from_slice(b"* LISTRIGHTS ");
                response::mailbox(&mut out, &mailbox, speech);
                out.push(b' ');
                response::astring(&mut out, identifier.as_bytes());
                // What is always granted; then what can be, each by itself (RFC 4314 §3.7).
                out.extend_from_slice(match is_owners {
                    true => b" la r s w i p k x t e c d\r\n",
                    false => b" \"\" l r s w i p k x t e a c d\r\n",
                });
            }
            AclCommand::Set(identifier, amend, rights) => {
                store.change_acl(&account, &mailbox, &identifier, |now| {
                    Some(amended(now.unwrap_or(Rights::NONE), amend, rights))
                })?;
            }
            AclCommand::Delete(identifier) => {
                store.change_acl(&account, &mailbox, &identifier, |_| None)?;
            }
        }
        Ok(out)
    }
}

fn amended(now: Rights, amend: Amend, rights: Rights) -> Rights {
    match amend {
        Amend::Replace => rights,
        Amend::Add => now.union(rights),
        Amend::Remove => now.without(rights),
    }
}

/// Writes `* MYRIGHTS name rights`.
pub fn write_my_rights(out: &mut Vec<u8>, name: &str, rights: Rights, speech: Speech) {
    out.extend_from_slice(b"* MYRIGHTS ");
    response::mailbox(out, name, speech);
    out.push(b' ');
    write_rights(out, rights);
    out.extend_from_slice(b"\r\n");
}

fn write_rights(out: &mut Vec<u8>, rights: Rights) {
    response::astring(out, rights.to_string().as_bytes());
}
