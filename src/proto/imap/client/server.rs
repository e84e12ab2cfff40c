//! What a server tells about itself: its greeting, ID (RFC 2971), capabilities, namespaces (RFC 2342), quota (RFC 9208).

use super::told::{mailbox, strings};
use crate::wire::imap::reply::{self, Value};
use crate::wire::{json, words};

/// What a server told about itself.
#[derive(Debug, Default)]
pub(super) struct Server {
    pub(super) greeting: String,
    /// The version of TLS, if there is any.
    pub(super) tls: &'static str,
    pub(super) capabilities: Vec<String>,
    /// Name and value.
    id: Vec<(String, String)>,
    /// Kind, prefix and delimiter.
    namespaces: Vec<(&'static str, String, String)>,
    /// Root, resource, used and limit.
    quotas: Vec<(String, String, u64, u64)>,
}

impl Server {
    /// What an answer to ID, NAMESPACE or GETQUOTAROOT tells.
    pub(super) fn hear(&mut self, response: &[u8]) {
        let heard = reply::values(response.get(2..).unwrap_or_default());
        let Some([Value::Atom(name), rest @ ..]) = heard.as_deref() else {
            return;
        };
        let text = |value: &Value<'_>| {
            String::from_utf8_lossy(value.octets().unwrap_or_default()).into_owned()
        };
        match (name.to_ascii_uppercase().as_slice(), rest) {
            (b"ID", [list, ..]) => {
                let pairs = list.list().chunks_exact(2);
                self.id = pairs.map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
            }
            (b"NAMESPACE", kinds) => {
                for (kind, list) in ["personal", "other users", "shared"].iter().zip(kinds) {
                    for space in list.list() {
                        if let [prefix, delimiter, ..] = space.list() {
                            let prefix = mailbox(prefix.octets().unwrap_or_default());
                            self.namespaces.push((kind, prefix, text(delimiter)));
                        }
                    }
                }
            }
            (b"QUOTA", [root, list, ..]) => {
                for resource in list.list().chunks_exact(3) {
                    if let [name, used, limit] = resource
                        && let (Some(used), Some(limit)) = (used.number(), limit.number())
                    {
                        self.quotas.push((text(root), text(name), used, limit));
                    }
                }
            }
            _ => {}
        }
    }

    pub(super) fn lines(&self) -> String {
        let clean = |text: &str| words::decode(text.as_bytes());
        let mut lines = format!("greeting: {}\n", clean(&self.greeting));
        if !self.tls.is_empty() {
            lines.push_str(&format!("tls: {}\n", self.tls));
        }
        for (name, value) in &self.id {
            lines.push_str(&format!("id: {} {}\n", clean(name), clean(value)));
        }
        for word in &self.capabilities {
            lines.push_str(&format!("capability: {}\n", clean(word)));
        }
        for (kind, prefix, delimiter) in &self.namespaces {
            let (prefix, delimiter) = (clean(prefix), clean(delimiter));
            lines.push_str(&format!("namespace: {kind} \"{prefix}\" \"{delimiter}\"\n"));
        }
        for (root, name, used, limit) in &self.quotas {
            let (root, name) = (clean(root), clean(name));
            lines.push_str(&format!("quota: {name} {used} of {limit} (\"{root}\")\n"));
        }
        lines
    }

    pub(super) fn json(&self) -> String {
        let array = |objects: Vec<String>| format!("[{}]", objects.join(","));
        let id: Vec<_> = self
            .id
            .iter()
            .map(|(name, value)| (name.as_str(), json::string(value)))
            .collect();
        let namespaces = self.namespaces.iter().map(|(kind, prefix, delimiter)| {
            json::object(&[
                ("kind", json::string(kind)),
                ("prefix", json::string(prefix)),
                ("delimiter", json::string(delimiter)),
            ])
        });
        let quotas = self.quotas.iter().map(|(root, name, used, limit)| {
            json::object(&[
                ("root", json::string(root)),
                ("resource", json::string(name)),
                ("used", used.to_string()),
                ("limit", limit.to_string()),
            ])
        });
        let tls = Some(self.tls).filter(|tls| !tls.is_empty());
        let object = json::object(&[
            ("greeting", json::string(&self.greeting)),
            ("tls", json::optional(tls)),
            ("id", json::object(&id)),
            ("capabilities", strings(&self.capabilities)),
            ("namespaces", array(namespaces.collect())),
            ("quotas", array(quotas.collect())),
        ]);
        object + "\n"
    }
}
