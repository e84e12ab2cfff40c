//! ESEARCH (RFC 7377): in the selected mailbox as SEARCH is, in others a job after the other.

use super::notify::inbox_in_capitals;
use super::pending::{After, Next, Pending};
use super::reply::Reply;
use super::selected::Told;
use super::{Phase, Server};
use crate::proto::Out;
use crate::proto::imap::multisearch::{Multisearch, Multisearched};
use crate::proto::imap::work::Work;
use crate::store::Account;
use crate::wire::imap::command::{Numbering, Which};
use crate::wire::imap::search::{Returns, Search};

impl Server {
    /// ESEARCH
    pub(super) fn esearch(
        &mut self,
        tag: &str,
        account: Account,
        sources: Option<Vec<Which>>,
        search: Search,
        out: &mut Out,
    ) -> Next {
        let sources = sources.unwrap_or_else(|| vec![Which::Selected]);
        let selected = match &self.phase {
            Phase::Selected(_, selected) => Some(inbox_in_capitals(&selected.name)),
            _ => None,
        };
        let asks_selected = sources.iter().any(Which::is_selected);
        if (asks_selected || search.update.is_some()) && selected.is_none() {
            // RFC 7377 §2.2
            return Err(Reply::bad(
                "no mailbox is selected: a1 ESEARCH IN (PERSONAL) UNSEEN looks into all",
            ));
        }
        if sources.iter().all(Which::is_selected) {
            return self.search(tag, Numbering::Uid, search, Told::Correlated, out);
        }
        // RFC 4731 §3.1: without RETURN all are told.
        let returns = search.returns.unwrap_or(Returns {
            all: true,
            ..Returns::default()
        });
        if returns.save {
            return Err(Reply::bad(
                "SAVE is for the selected mailbox alone (RFC 7377 section 2.2)",
            ));
        }
        let Some(key) = search.key else {
            return Err(Reply::bad_charset());
        };
        if search.update.is_some() {
            let text = "only changes of a search of the selected mailbox alone are told";
            Reply::no_update(tag, text).say(out, "*");
        }
        let work = Multisearch {
            account,
            tag: tag.to_owned(),
            sources,
            selected: selected.filter(|_| asks_selected),
            key,
            now: self.peer.accepted.unix(self.heard),
            returns,
            speech: self.speech(),
            left: None,
            going: None,
            count: 0,
        };
        self.begin(
            tag,
            Work::Multisearch(Box::new(work)),
            After::Multisearch,
            out,
        )
    }

    /// More was found; all of it, when nothing comes after.
    pub(super) fn multisearched(
        &mut self,
        tag: &str,
        more: Multisearched,
        out: &mut Out,
    ) -> Option<Reply> {
        out.block(more.lines);
        if let Some(rest) = more.rest {
            let pending = Pending {
                tag: tag.to_owned(),
                after: After::Multisearch,
            };
            self.job(Work::Multisearch(rest), pending, out);
            return None;
        }
        Some(Reply::ok(match more.count {
            0 => "none was found".to_owned(),
            1 => "one was found".to_owned(),
            count => format!("{count} were found"),
        }))
    }
}
