//! Rights (RFC 4314) and notes about mailboxes (RFC 5464).

use super::pending::{After, Next};
use super::reply::Reply;
use super::{Phase, Server};
use crate::proto::Out;
use crate::proto::imap::acl::Acl;
use crate::proto::imap::metadata::{GetNotes, SetNotes, Values, write_noted};
use crate::proto::imap::uses::{self as special_uses, SPECIAL_USE};
use crate::proto::imap::work::Work;
use crate::store::{Account, Noted, StoreError};
use crate::wire::imap::command::{AclCommand, GetMetadata, SetMetadata};
use crate::wire::imap::response::Code;
use crate::wire::imap::rights::Rights;

impl Server {
    /// SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS
    pub(super) fn acl(
        &mut self,
        tag: &str,
        account: Account,
        mailbox: String,
        command: AclCommand,
        out: &mut Out,
    ) -> Next {
        let text = match command {
            AclCommand::Get => "those are the rights of all; owner is who the mailbox belongs to",
            AclCommand::Mine => "those are your rights",
            AclCommand::List(_) => "those rights can be given",
            AclCommand::Set(..) => "the rights are changed",
            AclCommand::Delete(_) => "the list of rights names it no more",
        };
        let after = After::Lines {
            name: mailbox.clone(),
            text,
        };
        let acl = Acl {
            account,
            mailbox,
            command,
            speech: self.speech(),
        };
        self.begin(tag, Work::Acl(acl), after, out)
    }

    pub(super) fn metadata(
        &mut self,
        tag: &str,
        account: Account,
        get: GetMetadata,
        out: &mut Out,
    ) -> Next {
        let name = get.mailbox.clone();
        let notes = GetNotes {
            account,
            get,
            speech: self.speech(),
        };
        self.begin(tag, Work::Notes(notes), After::Notes { name }, out)
    }

    pub(super) fn set_metadata(
        &mut self,
        tag: &str,
        account: Account,
        set: SetMetadata<'_>,
        out: &mut Out,
    ) -> Next {
        let name = set.mailbox.clone();
        let (mut changes, mut uses) = (Vec::new(), None);
        for (entry, value) in set.entries {
            if entry == SPECIAL_USE && !name.is_empty() {
                let value = value.unwrap_or_default();
                let named = String::from_utf8_lossy(&value);
                let named: Vec<String> = named.split_whitespace().map(str::to_owned).collect();
                uses = Some(special_uses::parse(&named).map_err(|other| no_such_use(&other))?);
                continue;
            }
            changes.push((entry, value.map(|value| value.into_owned())));
        }
        let notes = SetNotes {
            account,
            mailbox: set.mailbox,
            changes,
            uses,
            session: self.peer.token,
        };
        let text = "noted";
        self.begin(tag, Work::Note(notes), After::Manage { name, text }, out)
    }

    /// GETMETADATA is done.
    pub(super) fn values(
        &self,
        name: &str,
        result: Result<Values, StoreError>,
        out: &mut Out,
    ) -> Reply {
        let Values { lines, longest } = match result {
            Ok(values) => values,
            Err(error) => return Reply::refusal(&error, name),
        };
        out.block(lines);
        match longest {
            // RFC 5464 §4.2.1
            Some(octets) => Reply::ok_coded(
                Code::Metadata("LONGENTRIES", octets),
                "there are longer values than MAXSIZE allows",
            ),
            None => Reply::ok("that is what is noted"),
        }
    }

    /// What is asked of the store with each job by a client that has said ENABLE METADATA, or NOTIFY with what others note.
    pub(super) fn wants_notes(&self) -> Option<(Account, u64, u64)> {
        let told = self.notify.as_ref().and_then(|notify| notify.noted);
        let known = match (self.switched.notes, told) {
            (Some(one), Some(other)) => one.min(other),
            (one, other) => one.or(other)?,
        };
        match &self.phase {
            Phase::Authenticated(account) | Phase::Selected(account, _) => {
                Some((account.clone(), self.peer.token, known))
            }
            Phase::NotAuthenticated => None,
        }
    }

    /// Tells what others have noted.
    pub(super) fn tell_noted(&mut self, noted: Option<Box<(u64, Vec<Noted>)>>, out: &mut Out) {
        let Some((newest, mut noted)) = noted.map(|noted| *noted) else {
            return;
        };
        let notify = self.notify.as_mut();
        if self.switched.notes.is_none() {
            noted.retain(|noted| {
                notify
                    .as_ref()
                    .is_some_and(|notify| notify.wants_noted(noted))
            });
        }
        if let Some(known) = &mut self.switched.notes {
            *known = newest;
        }
        if let Some(known) = notify.and_then(|notify| notify.noted.as_mut()) {
            *known = newest;
        }
        let speech = self.speech();
        out.with(|bytes| write_noted(bytes, &noted, speech));
    }
}

/// Refuses a use that no mailbox can have here (RFC 6154 §3).
pub(super) fn no_such_use(other: &str) -> Reply {
    let uses = special_uses::USES.join(" ");
    Reply::no(
        "USEATTR",
        format!("{other} is no use that a mailbox can have here; there are {uses}"),
    )
}

/// Refuses what needs a right in the selected mailbox that the user does not have.
pub(super) fn needs(rights: Rights, needed: Rights) -> Result<(), Reply> {
    match rights.contains(needed) {
        true => Ok(()),
        false => Err(Reply::missing(needed.without(rights))),
    }
}
