//! ESEARCH's responses (RFC 4731, RFC 5267 §3, RFC 7377 §2.1, RFC 9394).

use crate::proto::imap::view::View;
use crate::wire::imap::command::Numbering;
use crate::wire::imap::response;
use crate::wire::imap::scan::Speech;
use crate::wire::imap::search::Returns;
use crate::wire::imap::set::Ranges;

/// Which search a response is of.
#[derive(Clone, Copy, Debug)]
pub struct Correlator<'a> {
    /// Its tag.
    pub tag: &'a str,
    /// The mailbox, its UIDVALIDITY, and how its name is told: to the command ESEARCH.
    pub mailbox: Option<(&'a str, u32, Speech)>,
    /// What the numbers are.
    pub numbering: Numbering,
}

impl Correlator<'_> {
    /// Writes `* ESEARCH (TAG "a1") UID`
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"* ESEARCH (TAG \"");
        out.extend_from_slice(self.tag.as_bytes());
        out.push(b'"');
        if let Some((name, uid_validity, speech)) = self.mailbox {
            out.extend_from_slice(b" MAILBOX ");
            response::mailbox(out, name, speech);
            out.extend_from_slice(b" UIDVALIDITY ");
            response::number(out, uid_validity.into());
        }
        out.push(b')');
        if self.numbering == Numbering::Uid {
            out.extend_from_slice(b" UID");
        }
    }

    /// How a message is told.
    pub fn number(&self, view: &View, uid: u32) -> Option<u32> {
        match self.numbering {
            Numbering::Uid => Some(uid),
            Numbering::Sequence => view.number(uid),
        }
    }
}

/// What was found.
#[derive(Clone, Copy, Debug)]
pub struct Results<'a> {
    /// UIDs, in the order that was asked for.
    pub found: &'a [u32],
    /// The highest mod-sequence of them, if it is told.
    pub modseq: Option<u64>,
}

/// Writes `* ESEARCH (TAG "a1") UID MIN 7 MAX 3800 COUNT 15`; nothing when what was found is only to be saved (RFC 5182 §2.1).
pub fn write(
    out: &mut Vec<u8>,
    correlator: &Correlator<'_>,
    view: &View,
    results: &Results<'_>,
    returns: Returns,
) {
    let Returns {
        min,
        max,
        all,
        count,
        partial,
        save,
    } = returns;
    if save && !(min || max || all || count || partial.is_some()) {
        return;
    }
    let found = results.found;
    let write_set = |out: &mut Vec<u8>, uids: &[u32]| {
        let numbers: Vec<u32> = uids
            .iter()
            .filter_map(|&uid| correlator.number(view, uid))
            .collect();
        write_in_order(out, &numbers);
    };
    correlator.write(out);
    // RFC 4731 §3.1: of nothing there is no lowest, no highest, and no set.
    let ends = [
        (min, &b" MIN "[..], found.first()),
        (max, b" MAX ", found.last()),
    ];
    for (wanted, word, uid) in ends {
        let uid = uid.filter(|_| wanted);
        if let Some(number) = uid.and_then(|&uid| correlator.number(view, uid)) {
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
    // RFC 7162 §3.1.10; RFC 4731 §3.2: the highest of those that are told.
    let highest = || {
        let told = told(returns, found);
        view.entries(&told, 0).map(|entry| entry.modseq).max()
    };
    if let Some(modseq) = results.modseq.and_then(|_| highest()) {
        out.extend_from_slice(b" MODSEQ ");
        response::number(out, modseq);
    }
    out.extend_from_slice(b"\r\n");
}

/// The UIDs of what is told of those found: `$` is these (RFC 5182 §2.4, RFC 9394 §3.2).
pub fn told(returns: Returns, found: &[u32]) -> Ranges {
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

/// Writes numbers as a set, in their order, which SORT's is (RFC 5267 §3.1): neighbours that ascend become a range.
pub fn write_in_order(out: &mut Vec<u8>, numbers: &[u32]) {
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
