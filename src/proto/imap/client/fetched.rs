//! What a FETCH response tells a client: a line of a list, a UID, and so which messages did not come.

use std::collections::BTreeSet;

use crate::wire::imap::reply::Value;
use crate::wire::words;

/// A line of `imap list`; `None` for a FETCH response that has no envelope: a change of flags.
pub(super) fn summary(items: &[(&[u8], Value<'_>)]) -> Option<String> {
    let item = |wanted: &str| {
        items
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()))
            .map(|(_, value)| value)
    };
    let envelope = item("ENVELOPE")?.envelope();
    let flags: Vec<_> = item("FLAGS")?
        .list()
        .iter()
        .filter_map(Value::octets)
        .map(words::decode)
        .collect();
    let flags = if flags.is_empty() {
        "-".to_owned()
    } else {
        flags.join(" ")
    };
    let date = item("INTERNALDATE").and_then(Value::octets);
    let date = words::decode(date.unwrap_or_default());
    let octets = item("RFC822.SIZE").and_then(Value::number).unwrap_or(0);
    let (mailbox, host) = (
        words::decode(envelope.mailbox),
        words::decode(envelope.host),
    );
    let sender = match (words::decode(envelope.name), mailbox.is_empty()) {
        (name, true) => name,
        (name, false) if name.is_empty() => format!("{mailbox}@{host}"),
        (name, false) => format!("{name} <{mailbox}@{host}>"),
    };
    let subject = words::decode(envelope.subject);
    Some(format!(
        "{}\t{flags}\t{}\t{octets}\t{sender}\t{subject}\n",
        uid(items)?,
        date.trim(),
    ))
}

/// The UID that a FETCH response tells.
pub(super) fn uid(items: &[(&[u8], Value<'_>)]) -> Option<u32> {
    let value = items
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(b"UID"))?;
    u32::try_from(value.1.number()?).ok()
}

/// Which messages of the set did not come: those that it names one by one, or all of it when nothing came.
pub(super) fn missing<'s>(uids: &'s str, found: &BTreeSet<u32>) -> Vec<&'s str> {
    if found.is_empty() {
        return vec![uids];
    }
    let is_missing = |uid: &&str| {
        uid.parse::<u32>()
            .is_ok_and(|number| !found.contains(&number))
    };
    uids.split(',').filter(is_missing).collect()
}
