//! What is written of what a server told: lines for people and scripts, JSON for programs.

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::proto::client::About;
use crate::wire::imap::reply::Value;
use crate::wire::{json, utf7, words};

/// How it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Lines.
    #[default]
    Lines,
    /// JSON
    Json,
}

/// What a FETCH response tells of a message.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) uid: u32,
    flags: Vec<String>,
    date: String,
    octets: u64,
    sender: String,
    subject: String,
}

impl Told {
    /// What the items tell; `None` where there is no UID.
    pub(super) fn read(items: &[(&[u8], Value<'_>)]) -> Option<Self> {
        let flags = item(items, "FLAGS").map(Value::list).unwrap_or_default();
        let flags = flags.iter().filter_map(Value::octets).map(words::decode);
        let date = item(items, "INTERNALDATE").and_then(Value::octets);
        let date = words::decode(date.unwrap_or_default());
        let mut told = Self {
            uid: uid(items)?,
            flags: flags.collect(),
            date: date.trim().to_owned(),
            octets: item(items, "RFC822.SIZE")
                .and_then(Value::number)
                .unwrap_or(0),
            ..Self::default()
        };
        if let Some(envelope) = item(items, "ENVELOPE").map(Value::envelope) {
            let mailbox = words::decode(envelope.mailbox);
            let host = words::decode(envelope.host);
            told.sender = match (words::decode(envelope.name), mailbox.is_empty()) {
                (name, true) => name,
                (name, false) if name.is_empty() => format!("{mailbox}@{host}"),
                (name, false) => format!("{name} <{mailbox}@{host}>"),
            };
            told.subject = words::decode(envelope.subject);
        }
        Some(told)
    }

    /// Of whom nothing else is told.
    pub(super) fn only(uid: u32) -> Self {
        Self {
            uid,
            ..Self::default()
        }
    }

    /// A line of `imap list`, with its end.
    pub(super) fn line(&self) -> String {
        let (flags, date, octets) = (self.flags(), &self.date, self.octets);
        let (uid, sender, subject) = (self.uid, &self.sender, &self.subject);
        format!("{uid}\t{flags}\t{date}\t{octets}\t{sender}\t{subject}\n")
    }

    /// UID and flags, with a line end.
    pub(super) fn flags_line(&self) -> String {
        format!("{}\t{}\n", self.uid, self.flags())
    }

    /// The whole as an object.
    pub(super) fn json(&self) -> String {
        json::object(&[
            ("uid", self.uid.to_string()),
            ("flags", strings(&self.flags)),
            ("date", json::string(&self.date)),
            ("octets", self.octets.to_string()),
            ("sender", json::string(&self.sender)),
            ("subject", json::string(&self.subject)),
        ])
    }

    /// UID and flags as an object.
    pub(super) fn flags_json(&self) -> String {
        json::object(&[
            ("uid", self.uid.to_string()),
            ("flags", strings(&self.flags)),
        ])
    }

    /// Calls `then` with what a sink is told of the message.
    pub(super) fn about<T>(&self, then: impl FnOnce(&About<'_>) -> T) -> T {
        then(&About {
            id: &self.uid.to_string(),
            flags: &self.flags.join(" "),
            date: &self.date,
            sender: &self.sender,
            subject: &self.subject,
            octets: self.octets,
        })
    }

    fn flags(&self) -> String {
        match self.flags.is_empty() {
            true => "-".to_owned(),
            false => self.flags.join(" "),
        }
    }
}

/// The value of an item.
pub(super) fn item<'i, 'v>(
    items: &'i [(&'v [u8], Value<'v>)],
    wanted: &str,
) -> Option<&'i Value<'v>> {
    let mut items = items.iter();
    let found = items.find(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()));
    found.map(|(_, value)| value)
}

/// The UID that a FETCH response tells.
pub(super) fn uid(items: &[(&[u8], Value<'_>)]) -> Option<u32> {
    u32::try_from(item(items, "UID")?.number()?).ok()
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

/// UIDs as a sequence set.
pub(super) fn set(uids: &BTreeSet<u32>) -> String {
    let mut set = String::new();
    let mut uids = uids.iter().copied().peekable();
    while let Some(first) = uids.next() {
        let mut last = first;
        while let Some(next) = uids.next_if(|&next| Some(next) == last.checked_add(1)) {
            last = next;
        }
        if !set.is_empty() {
            set.push(',');
        }
        set.push_str(&first.to_string());
        if last > first {
            set.push_str(&format!(":{last}"));
        }
    }
    set
}

/// A mailbox's name as people write it.
pub(super) fn mailbox(raw: &[u8]) -> String {
    let raw = String::from_utf8_lossy(raw);
    utf7::decode(&raw).unwrap_or_else(|| raw.into_owned())
}

/// An array of strings.
pub(super) fn strings(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| json::string(text)).collect();
    format!("[{}]", texts.join(","))
}

/// Values as an array: `NIL` is null, an atom of digits a number, another one a string; octets that are no UTF-8 are
/// `{"base64":"..."}`.
pub(super) fn values(values: &[Value<'_>]) -> String {
    let values: Vec<String> = values.iter().map(value).collect();
    format!("[{}]", values.join(","))
}

fn value(value: &Value<'_>) -> String {
    match value {
        Value::Nil => "null".to_owned(),
        Value::List(list) => values(list),
        Value::Atom(atom) => match value.number() {
            // Not so a number that begins with 0, which JSON does not have.
            Some(number) if number.to_string().as_bytes() == *atom => number.to_string(),
            _ => octets(atom),
        },
        Value::Text(text) => octets(text),
    }
}

/// Octets as a string, if they are UTF-8.
pub(super) fn octets(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) => json::string(text),
        Err(_) => {
            let base64 = BASE64_STANDARD.encode(octets);
            json::object(&[("base64", json::string(&base64))])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_short() {
        let of = |uids: &[u32]| set(&uids.iter().copied().collect());
        assert_eq!(of(&[3, 1, 2, 7, u32::MAX]), "1:3,7,4294967295");
        assert_eq!((of(&[]), of(&[9])), (String::new(), "9".to_owned()));
    }

    #[test]
    fn values_are_json() {
        let list = [
            Value::Nil,
            Value::Atom(b"12"),
            Value::Atom(b"012"),
            Value::Atom(b"\\Seen"),
            Value::Text(b"a\"\xff"[..].into()),
            Value::List(vec![Value::Text(b"7\r\n"[..].into())]),
        ];
        assert_eq!(
            values(&list),
            r#"[null,12,"012","\\Seen",{"base64":"YSL/"},["7\r\n"]]"#
        );
    }
}
