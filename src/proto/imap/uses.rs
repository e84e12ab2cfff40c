//! What mailboxes are for (RFC 6154): as it was said at CREATE or by SETMETADATA, and where nothing was said, by the names that
//! clients give to such. A use is one mailbox's: who gets it takes it from another, and sessions that want to know of it are told
//! of both.

use std::collections::BTreeMap;

use crate::store::{Account, Store, StoreError};

/// Uses by the name of the mailbox; those that are for nothing are not in it.
type Uses = BTreeMap<String, Vec<String>>;

/// What each of these mailboxes is for, where it is known what was `said` of some.
pub fn assigned<'a>(
    names: impl Iterator<Item = &'a String> + Clone,
    said: Vec<(String, Vec<String>)>,
) -> Uses {
    let given: Vec<String> = said.iter().flat_map(|(_, uses)| uses.clone()).collect();
    let mut all = Uses::new();
    for name in names.clone() {
        let by_name = SPECIAL.iter().find(|row| row.0.eq_ignore_ascii_case(name));
        if let Some((_, usage)) = by_name
            && !given.iter().any(|given| given == usage)
        {
            all.insert(name.clone(), vec![(*usage).to_owned()]);
        }
    }
    for (name, uses) in said {
        if uses.is_empty() {
            all.remove(&name);
        } else if names.clone().any(|known| *known == name) {
            all.insert(name, uses);
        }
    }
    all
}

/// What a mailbox is for, as LIST tells it.
pub fn of(store: &Store, account: &Account, name: &String) -> Result<Vec<String>, StoreError> {
    if !store.is_own(account, name) {
        return Ok(Vec::new());
    }
    let mut all = assigned(std::iter::once(name), store.special_uses(account)?);
    Ok(all.remove(name).unwrap_or_default())
}

/// Says what `mailbox` is for by `say`. All sessions are told of other mailboxes whose use is another one for it, also the one that
/// said it; and of this one those that are not `session`, if one is given.
pub fn change(
    store: &Store,
    account: &Account,
    mailbox: &str,
    session: Option<u64>,
    say: impl FnOnce() -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let all = || -> Result<Uses, StoreError> {
        let names = store.mailboxes(account)?;
        Ok(assigned(names.iter(), store.special_uses(account)?))
    };
    let before = all()?;
    say()?;
    let after = all()?;
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        if before.get(name) == after.get(name) {
            continue;
        }
        match (name == mailbox, session) {
            (true, None) => {}
            (true, _) => store.announce_note(account, name, SPECIAL_USE, session)?,
            (false, _) => store.announce_note(account, name, SPECIAL_USE, None)?,
        }
    }
    Ok(())
}

/// The uses that a client names, as they are written; `Err` holds one that there is not.
pub fn parse(named: &[String]) -> Result<Vec<String>, String> {
    let mut uses: Vec<String> = Vec::new();
    for name in named {
        match USES.iter().find(|usage| usage.eq_ignore_ascii_case(name)) {
            Some(usage) if uses.iter().any(|known| known == usage) => {}
            Some(usage) => uses.push((*usage).to_owned()),
            None => return Err(name.clone()),
        }
    }
    Ok(uses)
}

/// What a mailbox is for, in METADATA (RFC 6154 §4): no note, but the same as LIST tells.
pub const SPECIAL_USE: &str = "/private/specialuse";

/// What mailboxes can be for. `\All` and `\Flagged` would have to hold mail that is elsewhere.
pub const USES: [&str; 5] = ["\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash"];

/// What clients call mailboxes that are for something (RFC 6154 §2).
const SPECIAL: [(&str, &str); 11] = [
    ("Archive", "\\Archive"),
    ("Archives", "\\Archive"),
    ("Drafts", "\\Drafts"),
    ("Junk", "\\Junk"),
    ("Spam", "\\Junk"),
    ("Sent", "\\Sent"),
    ("Sent Items", "\\Sent"),
    ("Sent Messages", "\\Sent"),
    ("Trash", "\\Trash"),
    ("Deleted Items", "\\Trash"),
    ("Deleted Messages", "\\Trash"),
];
