//! Flags between the store's bits and the names that IMAP has for them (RFC 3501 §2.3.2).

use crate::store::{Flags, Index};
use crate::wire::imap::response;
use crate::wire::imap::rights::Rights;

/// Writes flags as FETCH tells them.
pub fn write_flags(out: &mut Vec<u8>, flags: Flags, recent: Recent, index: &Index) {
    let system = SYSTEM_FLAGS
        .iter()
        .filter(|(_, flag)| flags.contains(*flag))
        .map(|(name, _)| *name);
    let keywords = index
        .named_keywords()
        .filter(|(keyword, _)| flags.contains(*keyword))
        .map(|(_, name)| name);
    let recent = matches!(recent, Recent::Yes).then_some("\\Recent");
    response::flag_list(out, system.chain(keywords).chain(recent));
}

/// Whether a message is `\Recent` in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recent {
    /// It is.
    Yes,
    /// It is not.
    No,
}

/// The flags of the system that a client may change (RFC 3501 §2.3.2).
pub const SYSTEM_FLAGS: [(&str, Flags); 5] = [
    ("\\Answered", Flags::ANSWERED),
    ("\\Flagged", Flags::FLAGGED),
    ("\\Deleted", Flags::DELETED),
    ("\\Seen", Flags::SEEN),
    ("\\Draft", Flags::DRAFT),
];

/// The flag of the system of this name.
pub fn system_flag(name: &str) -> Option<Flags> {
    SYSTEM_FLAGS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, flag)| *flag)
}

/// The flags that may be changed with these rights (RFC 4314 §4).
pub fn may_change(rights: Rights) -> Flags {
    let others = Flags(u32::MAX).without(Flags::SEEN.union(Flags::DELETED));
    let each = [
        (Rights::SEEN, Flags::SEEN),
        (Rights::DELETED, Flags::DELETED),
        (Rights::WRITE, others),
    ];
    let may = each
        .into_iter()
        .filter(|(right, _)| rights.contains(*right));
    may.fold(Flags::default(), |all, (_, flags)| all.union(flags))
}
