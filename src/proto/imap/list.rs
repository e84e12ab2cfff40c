//! LIST and LSUB (RFC 3501 §6.3.8, §6.3.9; RFC 3348 for children).

use std::collections::BTreeMap;

use crate::store::{Account, Store, StoreError};
use crate::wire::imap::command::Listing;
use crate::wire::imap::pattern::Pattern;
use crate::wire::imap::response;
use crate::wire::utf7;

/// What to list.
pub struct List {
    /// Whose mailboxes.
    pub account: Account,
    /// All, or those subscribed to.
    pub listing: Listing,
    /// Reference and pattern.
    pub pattern: Pattern,
}

/// What a name is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Mailbox,
    /// It is only there because something is below it.
    Parent,
}

/// Lists.
pub fn run(list: &List, store: &Store) -> Result<Vec<u8>, StoreError> {
    let names = match list.listing {
        Listing::List => store.mailboxes(&list.account)?,
        Listing::Lsub => store.subscriptions(&list.account)?,
    };
    // RFC 3501 §6.3.9: LSUB tells of parents only where % would hide what is below them.
    let parents = match list.listing {
        Listing::List => true,
        Listing::Lsub => list.pattern.as_bytes().contains(&b'%'),
    };
    Ok(written(names, list.listing, &list.pattern, parents))
}

fn written(names: Vec<String>, listing: Listing, pattern: &Pattern, parents: bool) -> Vec<u8> {
    let mut tree: BTreeMap<String, Kind> = BTreeMap::new();
    for name in names {
        if parents {
            for (slash, _) in name.match_indices('/') {
                tree.entry(name[..slash].to_owned()).or_insert(Kind::Parent);
            }
        }
        tree.insert(name, Kind::Mailbox);
    }
    let mut out = Vec::new();
    let inbox = tree.get_key_value("INBOX");
    let others = tree.iter().filter(|(name, _)| *name != "INBOX");
    for (name, kind) in inbox.into_iter().chain(others) {
        if !is_meant(pattern, name) {
            continue;
        }
        let below = format!("{name}/");
        let has_children = tree
            .range(below.clone()..)
            .next()
            .is_some_and(|(next, _)| next.starts_with(&below));
        let children = match (listing, has_children) {
            (Listing::Lsub, _) => None,
            (Listing::List, true) => Some("\\HasChildren"),
            (Listing::List, false) => Some("\\HasNoChildren"),
        };
        let noselect = (*kind == Kind::Parent).then_some("\\Noselect");
        let word: &[u8] = match listing {
            Listing::List => b"* LIST ",
            Listing::Lsub => b"* LSUB ",
        };
        out.extend_from_slice(word);
        response::flag_list(&mut out, noselect.into_iter().chain(children));
        out.extend_from_slice(b" \"/\" ");
        response::mailbox(&mut out, name);
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// A pattern is modified UTF-7, as names are; or UTF-8, as a person types it.
fn is_meant(pattern: &Pattern, name: &str) -> bool {
    if pattern.as_bytes().is_ascii() {
        pattern.matches(&utf7::encode(name))
    } else {
        pattern.matches(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(listing: Listing, pattern: &str, parents: bool) -> Vec<String> {
        let names = ["INBOX", "a/b/c", "Zoo", "Été", "a/b2"].map(str::to_owned);
        let pattern = Pattern::new(b"", pattern.as_bytes());
        let written = written(names.to_vec(), listing, &pattern, parents);
        let text = String::from_utf8(written).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn parents_and_children() {
        assert_eq!(
            listed(Listing::List, "%", true),
            [
                "* LIST (\\HasNoChildren) \"/\" INBOX",
                "* LIST (\\HasNoChildren) \"/\" Zoo",
                "* LIST (\\Noselect \\HasChildren) \"/\" a",
                "* LIST (\\HasNoChildren) \"/\" &AMk-t&AOk-",
            ]
        );
        assert_eq!(
            listed(Listing::List, "a/%", true),
            [
                "* LIST (\\Noselect \\HasChildren) \"/\" a/b",
                "* LIST (\\HasNoChildren) \"/\" a/b2",
            ]
        );
        assert_eq!(listed(Listing::List, "É*", true).len(), 1);
        assert_eq!(listed(Listing::List, "&AMk-*", true).len(), 1);
        assert_eq!(
            listed(Listing::Lsub, "a*", false),
            ["* LSUB () \"/\" a/b/c", "* LSUB () \"/\" a/b2"]
        );
    }
}
