//! What SEARCH has found: as RFC 3501 has it, or as RFC 4731 and RFC 9051 do; and what of it becomes `$` (RFC 5182).

use std::sync::Arc;

use super::pending::{After, Pending, Seeking};
use super::reply::Reply;
use super::{Phase, Server};
use crate::limits;
use crate::proto::Out;
use crate::proto::imap::arrange::{Arranged, Sorted};
use crate::proto::imap::context::{Context, Members, Update};
use crate::proto::imap::esearch::{self, Correlator, Results};
use crate::proto::imap::search::Found;
use crate::proto::imap::view::View;
use crate::proto::imap::work::Work;
use crate::wire::imap::command::Numbering;
use crate::wire::imap::response;
use crate::wire::imap::search::Returns;
use crate::wire::imap::set::Ranges;

impl Server {
    /// More was found; all of it, when nothing comes after.
    pub(super) fn found(
        &mut self,
        tag: &str,
        mut seeking: Seeking,
        more: Found,
        out: &mut Out,
    ) -> Option<Reply> {
        seeking.found.extend_from_slice(&more.uids);
        seeking.modseq = seeking.modseq.max(more.modseq);
        if let Some(rest) = more.rest {
            seeking.from = rest.from;
            let pending = Pending {
                tag: tag.to_owned(),
                after: After::Search(seeking),
            };
            self.job(Work::Search(rest), pending, out);
            return None;
        }
        let Phase::Selected(_, selected) = &mut self.phase else {
            return Some(Reply::bug());
        };
        let mut word = "SEARCH";
        let mut sorted = None;
        match more.arranged {
            None => {}
            Some(Arranged::Sorted(all)) => {
                word = "SORT";
                seeking.found = all.uids().collect();
                sorted = Some(all);
            }
            Some(Arranged::Threads(threads)) => {
                out.with(|bytes| write_threads(bytes, &threads));
                return Some(Reply::ok("those are the threads"));
            }
        }
        // RFC 9051 §6.4.4: there it is as if RETURN () had been said.
        let all = Returns {
            all: true,
            ..Returns::default()
        };
        let correlated = seeking.correlated;
        let rev2 = (self.switched.rev2 && word == "SEARCH") || correlated;
        let returns = seeking.returns.or(rev2.then_some(all));
        if let Some(returns) = returns.filter(|returns| returns.save) {
            selected.view.save(esearch::told(returns, &seeking.found));
        }
        let speech = self.switched.speech();
        let view = &selected.view;
        let correlator = Correlator {
            tag,
            mailbox: correlated.then_some((&selected.name, view.told().uid_validity, speech)),
            numbering: seeking.numbering,
        };
        let results = Results {
            found: &seeking.found,
            modseq: seeking.highest(),
        };
        out.with(|bytes| match returns {
            None => write_search(bytes, word, view, &seeking),
            // RFC 7377 §2.1: to ESEARCH nothing is said of a mailbox in which nothing was found.
            Some(_) if correlated && seeking.found.is_empty() => {}
            Some(returns) => esearch::write(bytes, &correlator, view, &results, returns),
        });
        self.keep_up(tag, &mut seeking, sorted, out);
        Some(Reply::ok(match seeking.found.len() {
            0 => "none was found".to_owned(),
            1 => "one was found".to_owned(),
            count => format!("{count} were found"),
        }))
    }
}

impl Server {
    /// UPDATE (RFC 5267 §4.3): what changes of what was found is told from now on.
    fn keep_up(&mut self, tag: &str, seeking: &mut Seeking, sorted: Option<Sorted>, out: &mut Out) {
        let (Some((items, test)), Phase::Selected(_, selected)) =
            (seeking.update.take(), &mut self.phase)
        else {
            return;
        };
        let kept: usize = selected.contexts.iter().map(Context::sorted).sum();
        let more = sorted.as_ref().map_or(0, Sorted::len);
        let refusal = if selected.contexts.len() >= limits::IMAP_CONTEXTS {
            Some("so many searches are kept up with already; CANCELUPDATE ends one")
        } else if kept + more > limits::IMAP_SORTED {
            Some("so many messages are not kept in order; search for fewer, or without SORT")
        } else {
            None
        };
        if let Some(text) = refusal {
            Reply::no_update(tag, text).say(out, "*");
            return;
        }
        selected.contexts.push(Context {
            tag: tag.to_owned(),
            numbering: seeking.numbering,
            test,
            members: match sorted {
                Some(sorted) => Members::Sorted(sorted),
                None => Members::Set(Ranges::from_ascending(seeking.found.iter().copied())),
            },
            items: Arc::new(items),
            seen: Arc::clone(selected.view.told()),
            update: Update::default(),
        });
    }
}

fn number(view: &View, numbering: Numbering, uid: u32) -> Option<u32> {
    match numbering {
        Numbering::Uid => Some(uid),
        Numbering::Sequence => view.number(uid),
    }
}

/// `* THREAD (2)(3 6 (4 23)(44 7 96))`
fn write_threads(out: &mut Vec<u8>, threads: &[u8]) {
    out.extend_from_slice(b"* THREAD");
    if !threads.is_empty() {
        out.push(b' ');
        out.extend_from_slice(threads);
    }
    out.extend_from_slice(b"\r\n");
}

/// `* SEARCH 2 84 882`, `* SORT 84 2 882`
fn write_search(out: &mut Vec<u8>, word: &str, view: &View, seeking: &Seeking) {
    out.extend_from_slice(b"* ");
    out.extend_from_slice(word.as_bytes());
    for &uid in &seeking.found {
        if let Some(number) = number(view, seeking.numbering, uid) {
            out.push(b' ');
            response::number(out, number.into());
        }
    }
    if let Some(modseq) = seeking.highest() {
        // RFC 7162 §3.1.5
        out.extend_from_slice(b" (MODSEQ ");
        response::number(out, modseq);
        out.push(b')');
    }
    out.extend_from_slice(b"\r\n");
}
