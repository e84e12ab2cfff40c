//! LIST and LSUB (RFC 3501 §6.3.8, §6.3.9; RFC 3348 for children, RFC 5258, RFC 5819, RFC 6154,
//! RFC 8440, RFC 9590), also of the mailboxes of others.

use std::collections::BTreeMap;

use crate::proto::imap::{acl, metadata, status, uses};
use crate::store::{Account, OTHERS, Store, StoreError};
use crate::wire::imap::command::{Names, StatusItem};
use crate::wire::imap::pattern::Pattern;
use crate::wire::imap::response;
use crate::wire::imap::scan::Speech;
use crate::wire::utf7;

/// What to list.
pub struct List {
    /// Whose mailboxes.
    pub account: Account,
    /// Which of them.
    pub names: Names,
    /// References and patterns.
    pub patterns: Vec<Pattern>,
    /// Whether subscriptions are told.
    pub tell_subscribed: bool,
    /// STATUS of each.
    pub status: Vec<StatusItem>,
    /// MYRIGHTS of each.
    pub my_rights: bool,
    /// These entries of METADATA of each.
    pub metadata: Vec<String>,
    /// How names are told.
    pub speech: Speech,
    /// What a name is called that is no mailbox.
    pub parents: &'static str,
}

/// What is known of a name.
#[derive(Clone, Default)]
struct Node {
    exists: bool,
    subscribed: bool,
    uses: Vec<String>,
}

/// All names, those of parents included.
type Tree = BTreeMap<String, Node>;

/// Lists.
pub fn run(list: &List, store: &Store) -> Result<Vec<u8>, StoreError> {
    let asks_subscribed = list.tell_subscribed || list.names == Names::Lsub;
    let subscribed = if asks_subscribed {
        store.subscriptions(&list.account)?
    } else {
        Vec::new()
    };
    let mut mailboxes = match list.names {
        Names::Lsub => Vec::new(),
        _ => store.mailboxes(&list.account)?,
    };
    if list.names != Names::Lsub && list.patterns.iter().any(may_mean_others) {
        let others = store.others(&list.account);
        mailboxes.extend(others.into_iter().map(|other| other.name));
    }
    let mut tree = tree(list, mailboxes, subscribed);
    if list.names != Names::Lsub {
        assign(&mut tree, store.special_uses(&list.account)?);
    }
    let mut out = Vec::new();
    for (name, node) in in_order(&tree) {
        if !write(&mut out, list, &tree, name, node) || !node.exists {
            continue;
        }
        list.write_more(&mut out, store, name, node);
    }
    Ok(out)
}

/// Writes the LIST response of one name, whether it is a mailbox or not, with all that is to be known of it; `old` is what it was
/// called before (RFC 5465 §5.4).
pub fn write_one(
    out: &mut Vec<u8>,
    store: &Store,
    account: &Account,
    name: &str,
    old: Option<&str>,
    speech: Speech,
) -> Result<(), StoreError> {
    let pattern = match speech {
        Speech::Utf7 => Pattern::exact(&utf7::encode(name)),
        Speech::Utf8 | Speech::Utf8Only => Pattern::exact(name),
    };
    let list = List {
        account: account.clone(),
        names: Names::All,
        patterns: vec![pattern],
        tell_subscribed: true,
        status: Vec::new(),
        my_rights: false,
        metadata: Vec::new(),
        speech,
        parents: NON_EXISTENT,
    };
    let mut line = run(&list, store)?;
    if line.is_empty() {
        let subscribed = store.subscriptions(account)?;
        let is_subscribed = subscribed.iter().any(|known| known == name);
        let attributes = is_subscribed.then_some("\\Subscribed").into_iter();
        // RFC 5465 §5.9
        let why = match store.is_closed(account, name) {
            true => "\\NoAccess",
            false => NON_EXISTENT,
        };
        line.extend_from_slice(b"* LIST ");
        response::flag_list(&mut line, attributes.chain([why]));
        line.extend_from_slice(b" \"/\" ");
        response::mailbox(&mut line, name, speech);
        line.extend_from_slice(b"\r\n");
    }
    if let Some(old) = old {
        line.truncate(line.len() - 2);
        line.extend_from_slice(b" (\"OLDNAME\" (");
        response::mailbox(&mut line, old, speech);
        line.extend_from_slice(b"))\r\n");
    }
    out.append(&mut line);
    Ok(())
}

/// What a name is called that is no mailbox (RFC 5258 §3).
const NON_EXISTENT: &str = "\\NonExistent";

/// What each mailbox is for.
fn assign(tree: &mut Tree, said: Vec<(String, Vec<String>)>) {
    let exists = tree.iter().filter(|(_, node)| node.exists);
    let assigned = uses::assigned(exists.map(|(name, _)| name), said);
    for (name, uses) in assigned {
        tree.entry(name).or_default().uses = uses;
    }
}

fn tree(list: &List, mailboxes: Vec<String>, subscribed: Vec<String>) -> Tree {
    let mut tree = Tree::new();
    for name in mailboxes {
        tree.entry(name).or_default().exists = true;
    }
    for name in subscribed {
        tree.entry(name).or_default().subscribed = true;
    }
    // RFC 3501 §6.3.9: LSUB tells of parents only where % would hide what is below them.
    let hides = |pattern: &Pattern| pattern.as_bytes().contains(&b'%');
    if list.names != Names::Lsub || list.patterns.iter().any(hides) {
        let names: Vec<String> = tree.keys().cloned().collect();
        for name in names {
            for (slash, _) in name.match_indices('/') {
                tree.entry(name[..slash].to_owned()).or_default();
            }
        }
    }
    tree
}

/// INBOX first.
fn in_order(tree: &Tree) -> impl Iterator<Item = (&String, &Node)> {
    let inbox = tree.get_key_value("INBOX");
    let others = tree.iter().filter(|(name, _)| *name != "INBOX");
    inbox.into_iter().chain(others)
}

/// Those below a name.
fn below<'t>(tree: &'t Tree, name: &str) -> impl Iterator<Item = (&'t String, &'t Node)> {
    let prefix = format!("{name}/");
    tree.range(prefix.clone()..)
        .take_while(move |(below, _)| below.starts_with(&prefix))
}

/// Writes the response of a name that is meant; returns whether it is.
fn write(out: &mut Vec<u8>, list: &List, tree: &Tree, name: &str, node: &Node) -> bool {
    if !list.is_meant(name) {
        return false;
    }
    let mut children_match = false;
    match list.names {
        Names::Selected { recursive, .. } => {
            // RFC 5258 §3.5: children that are listed themselves need no mention.
            children_match = recursive
                && below(tree, name)
                    .any(|(below, node)| list.selects(node) && !list.is_meant(below));
            if !list.selects(node) && !children_match {
                return false;
            }
        }
        // A subscription alone makes no mailbox, and no parent of one.
        Names::All if !node.exists && !below(tree, name).any(|(_, node)| node.exists) => {
            return false;
        }
        Names::All | Names::Lsub => {}
    }
    let mut attributes: Vec<&str> = Vec::new();
    if list.tell_subscribed && node.subscribed {
        attributes.push("\\Subscribed");
    }
    let is_there = match list.names {
        Names::Lsub => node.subscribed,
        _ => node.exists,
    };
    if !is_there {
        attributes.push(list.parents);
    }
    if list.names != Names::Lsub {
        let has_children = below(tree, name).any(|(_, node)| node.exists);
        attributes.push(match has_children {
            true => "\\HasChildren",
            false => "\\HasNoChildren",
        });
        attributes.extend(node.uses.iter().map(String::as_str));
    }
    let word: &[u8] = match list.names {
        Names::Lsub => b"* LSUB ",
        _ => b"* LIST ",
    };
    out.extend_from_slice(word);
    response::flag_list(out, attributes);
    out.extend_from_slice(b" \"/\" ");
    response::mailbox(out, name, list.speech);
    if children_match {
        out.extend_from_slice(match list.names {
            Names::Selected {
                subscribed: true, ..
            } => b" (\"CHILDINFO\" (\"SUBSCRIBED\"))",
            _ => b" (\"CHILDINFO\" (\"SPECIAL-USE\"))",
        });
    }
    out.extend_from_slice(b"\r\n");
    true
}

/// Whether names of others' mailboxes can fit: only then are they looked for.
fn may_mean_others(pattern: &Pattern) -> bool {
    let pattern = pattern.as_bytes();
    let fixed = pattern
        .iter()
        .take_while(|byte| !b"*%".contains(byte))
        .count();
    let known = fixed.min(OTHERS.len());
    pattern[..known] == OTHERS.as_bytes()[..known]
        && (fixed < pattern.len() || fixed > OTHERS.len())
        || pattern == OTHERS.as_bytes()
}

impl List {
    /// What else was asked for of a mailbox that is listed. What cannot be told is left out (RFC 5819 §2, RFC 8440 §3, RFC 9590).
    fn write_more(&self, out: &mut Vec<u8>, store: &Store, name: &str, node: &Node) {
        let (account, speech) = (&self.account, self.speech);
        // RFC 8440 §4: not of what is listed for its children's sake.
        let is_itself = self.selects(node);
        if self.my_rights
            && is_itself
            && let Ok(rights) = store.rights(account, name)
        {
            acl::write_my_rights(out, name, rights, speech);
        }
        let mut line = Vec::new();
        if !self.metadata.is_empty()
            && is_itself
            && metadata::write_listed(&mut line, store, account, name, &self.metadata, speech)
                .is_ok()
        {
            out.append(&mut line);
        }
        let mut line = Vec::new();
        if !self.status.is_empty()
            && status::write(&mut line, store, account, name, &self.status, speech).is_ok()
        {
            out.append(&mut line);
        }
    }

    /// Whether a pattern fits. It is modified UTF-7, as names are; or UTF-8, as a person types it.
    fn is_meant(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| {
            if pattern.as_bytes().is_ascii() && self.speech == Speech::Utf7 {
                pattern.matches(&utf7::encode(name))
            } else {
                pattern.matches(name)
            }
        })
    }

    /// Whether the selection options hold.
    fn selects(&self, node: &Node) -> bool {
        match self.names {
            Names::Selected {
                subscribed: false,
                special_use: false,
                ..
            } => node.exists,
            Names::Selected {
                subscribed,
                special_use: special,
                ..
            } => (!subscribed || node.subscribed) && (!special || !node.uses.is_empty()),
            Names::All => node.exists,
            Names::Lsub => node.subscribed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(names: Names, pattern: &str) -> Vec<String> {
        let mailboxes = ["INBOX", "a/b/c", "Zoo", "Été", "a/b2", "sent"].map(str::to_owned);
        let subscribed = ["a/b/c", "a/b2", "gone/x"].map(str::to_owned);
        let list = List {
            account: crate::store::Users::plain(&[("alice".to_owned(), "x".to_owned())])
                .accounts()
                .remove(0),
            names,
            patterns: vec![Pattern::new(b"", pattern.as_bytes())],
            tell_subscribed: matches!(names, Names::Selected { .. }),
            status: Vec::new(),
            my_rights: false,
            metadata: Vec::new(),
            speech: Speech::Utf7,
            parents: "\\Noselect",
        };
        let mailboxes = match names {
            Names::Lsub => Vec::new(),
            _ => mailboxes.to_vec(),
        };
        let mut tree = tree(&list, mailboxes, subscribed.to_vec());
        assign(&mut tree, Vec::new());
        let mut out = Vec::new();
        for (name, node) in in_order(&tree) {
            write(&mut out, &list, &tree, name, node);
        }
        let text = String::from_utf8(out).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn parents_and_children() {
        assert_eq!(
            listed(Names::All, "%"),
            [
                "* LIST (\\HasNoChildren) \"/\" INBOX",
                "* LIST (\\HasNoChildren) \"/\" Zoo",
                "* LIST (\\Noselect \\HasChildren) \"/\" a",
                "* LIST (\\HasNoChildren \\Sent) \"/\" sent",
                "* LIST (\\HasNoChildren) \"/\" &AMk-t&AOk-",
            ]
        );
        assert_eq!(
            listed(Names::All, "a/%"),
            [
                "* LIST (\\Noselect \\HasChildren) \"/\" a/b",
                "* LIST (\\HasNoChildren) \"/\" a/b2",
            ]
        );
        assert_eq!(listed(Names::All, "É*").len(), 1);
        assert_eq!(listed(Names::All, "&AMk-*").len(), 1);
        assert_eq!(
            listed(Names::Lsub, "a*"),
            ["* LSUB () \"/\" a/b/c", "* LSUB () \"/\" a/b2"]
        );
    }

    #[test]
    fn selections_narrow_it_down() {
        let selected = |subscribed, special_use, recursive| Names::Selected {
            subscribed,
            special_use,
            recursive,
        };
        assert_eq!(
            listed(selected(true, false, false), "*"),
            [
                "* LIST (\\Subscribed \\HasNoChildren) \"/\" a/b/c",
                "* LIST (\\Subscribed \\HasNoChildren) \"/\" a/b2",
                "* LIST (\\Subscribed \\Noselect \\HasNoChildren) \"/\" gone/x",
            ]
        );
        assert_eq!(
            listed(selected(true, false, true), "%"),
            [
                "* LIST (\\Noselect \\HasChildren) \"/\" a (\"CHILDINFO\" (\"SUBSCRIBED\"))",
                "* LIST (\\Noselect \\HasNoChildren) \"/\" gone (\"CHILDINFO\" (\"SUBSCRIBED\"))",
            ]
        );
        assert_eq!(
            listed(selected(false, true, false), "*"),
            ["* LIST (\\HasNoChildren \\Sent) \"/\" sent"]
        );
    }
}
