//! What SEARCH has found: as RFC 3501 has it, or as RFC 4731 and RFC 9051 do; and what of it becomes `$` (RFC 5182).

use super::pending::{After, Pending, Seeking};
use super::reply::Reply;
use super::{Phase, Server};
use crate::proto::Out;
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
        // RFC 9051 §6.4.4: there it is as if RETURN () had been said.
        let all = Returns {
            all: true,
            ..Returns::default()
        };
        let returns = seeking.returns.or(self.switched.rev2.then_some(all));
        if let Some(returns) = returns.filter(|returns| returns.save) {
            selected.view.save(saved(returns, &seeking.found));
        }
        let view = &selected.view;
        out.with(|bytes| match returns {
            None => write_search(bytes, view, &seeking),
            Some(returns) => write_esearch(bytes, tag, view, &seeking, returns),
        });
        Some(Reply::ok(match seeking.found.len() {
            0 => "none was found".to_owned(),
            1 => "one was found".to_owned(),
            count => format!("{count} were found"),
        }))
    }
}

/// What `$` is (RFC 5182 §2.4, RFC 9394 §3.2).
fn saved(returns: Returns, found: &[u32]) -> Ranges {
    let narrow = returns.min || returns.max || returns.partial.is_some();
    if returns.all || returns.count || !narrow {
        return Ranges::from_ascending(found.iter().copied());
    }
    let mut uids: Vec<u32> = Vec::new();
    uids.extend(found.first().filter(|_| returns.min));
    uids.extend(found.last().filter(|_| returns.max));
    if let Some(partial) = returns.partial {
        uids.extend_from_slice(partial.of(found));
    }
    uids.sort_unstable();
    Ranges::from_ascending(uids)
}

fn number(view: &View, numbering: Numbering, uid: u32) -> Option<u32> {
    match numbering {
        Numbering::Uid => Some(uid),
        Numbering::Sequence => view.number(uid),
    }
}

/// `* SEARCH 2 84 882`
fn write_search(out: &mut Vec<u8>, view: &View, seeking: &Seeking) {
    out.extend_from_slice(b"* SEARCH");
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

/// `* ESEARCH (TAG "a1") UID MIN 7 MAX 3800 COUNT 15`; nothing when only SAVE was asked for.
fn write_esearch(out: &mut Vec<u8>, tag: &str, view: &View, seeking: &Seeking, returns: Returns) {
    let Returns {
        min,
        max,
        all,
        count,
        partial,
        save: _,
    } = returns;
    if !(min || max || all || count || partial.is_some()) {
        return;
    }
    let found = &seeking.found;
    let in_numbers = |uids: &[u32]| {
        let numbers = uids
            .iter()
            .filter_map(|&uid| number(view, seeking.numbering, uid));
        Ranges::from_ascending(numbers)
    };
    out.extend_from_slice(b"* ESEARCH (TAG \"");
    out.extend_from_slice(tag.as_bytes());
    out.extend_from_slice(b"\")");
    if seeking.numbering == Numbering::Uid {
        out.extend_from_slice(b" UID");
    }
    // RFC 4731 §3.1: of nothing there is no lowest, no highest, and no set.
    let ends = [
        (min, &b" MIN "[..], found.first()),
        (max, b" MAX ", found.last()),
    ];
    for (wanted, word, uid) in ends {
        let uid = uid.filter(|_| wanted);
        if let Some(number) = uid.and_then(|&uid| number(view, seeking.numbering, uid)) {
            out.extend_from_slice(word);
            response::number(out, number.into());
        }
    }
    if all && !found.is_empty() {
        out.extend_from_slice(b" ALL ");
        in_numbers(found).write(out);
    }
    if count {
        out.extend_from_slice(b" COUNT ");
        response::number(out, found.len() as u64);
    }
    if let Some(partial) = partial {
        out.extend_from_slice(b" PARTIAL (");
        partial.write(out);
        out.push(b' ');
        let some = in_numbers(partial.of(found));
        if some.is_empty() {
            out.extend_from_slice(b"NIL");
        } else {
            some.write(out);
        }
        out.push(b')');
    }
    if let Some(modseq) = seeking.highest() {
        // RFC 7162 §3.1.10
        out.extend_from_slice(b" MODSEQ ");
        response::number(out, modseq);
    }
    out.extend_from_slice(b"\r\n");
}
