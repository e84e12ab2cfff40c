//! What SEARCH has found: as RFC 3501 has it, or as RFC 4731 and RFC 9051 do; and what of it becomes `$` (RFC 5182).

use super::pending::{After, Pending, Seeking};
use super::reply::Reply;
use super::{Phase, Server};
use crate::proto::Out;
use crate::proto::imap::arrange::Arranged;
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
        let mut word = "SEARCH";
        match more.arranged {
            None => {}
            Some(Arranged::Sorted(uids)) => {
                word = "SORT";
                seeking.found = uids;
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
        let rev2 = self.switched.rev2 && word == "SEARCH";
        let returns = seeking.returns.or(rev2.then_some(all));
        if let Some(returns) = returns.filter(|returns| returns.save) {
            selected.view.save(saved(returns, &seeking.found));
        }
        let view = &selected.view;
        out.with(|bytes| match returns {
            None => write_search(bytes, word, view, &seeking),
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
    let mut uids: Vec<u32> = Vec::new();
    if returns.all || returns.count || !narrow {
        uids.extend_from_slice(found);
    }
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
    let write_set = |out: &mut Vec<u8>, uids: &[u32]| {
        let numbers: Vec<u32> = uids
            .iter()
            .filter_map(|&uid| number(view, seeking.numbering, uid))
            .collect();
        write_in_order(out, &numbers);
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
        write_set(out, found);
    }
    if count {
        out.extend_from_slice(b" COUNT ");
        response::number(out, found.len() as u64);
    }
    if let Some(partial) = partial {
        out.extend_from_slice(b" PARTIAL (");
        partial.write(out);
        out.push(b' ');
        match partial.of(found) {
            [] => out.extend_from_slice(b"NIL"),
            some => write_set(out, some),
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

/// Writes numbers as a set, in their order, which SORT's is (RFC 5267 §3.1): neighbours that ascend become a range.
fn write_in_order(out: &mut Vec<u8>, numbers: &[u32]) {
    let mut rest = numbers;
    while let Some(&first) = rest.first() {
        let run = rest
            .iter()
            .zip(first..)
            .take_while(|(number, expected)| *number == expected)
            .count()
            .max(1);
        if rest.len() < numbers.len() {
            out.push(b',');
        }
        let last = rest[run - 1];
        Ranges::one(first, last).write(out);
        rest = &rest[run..];
    }
}
