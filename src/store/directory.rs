//! The directory of addresses: whose mail goes where.

use super::Account;
use crate::wire::address::Address;

/// What becomes of an address here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// Its mail goes into these mailboxes, one at least.
    Mailboxes(Vec<Account>),
    /// An alias, and some of it is not here.
    Aliased {
        /// The mailboxes.
        local: Vec<Account>,
        /// The others, one at least.
        elsewhere: Vec<Address>,
    },
    /// The domain is ours, and has nobody of this name.
    Unknown,
    /// The domain is not ours.
    Elsewhere,
    /// The mailbox is over its quota.
    Full(Account),
}
