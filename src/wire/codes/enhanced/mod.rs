//! Enhanced status codes, by subject: RFC 3463 §3, and what the IANA registry (RFC 5248) has gained since, by RFC 4468, 4954,
//! 6531, 6710, 7293, 7372, 7505, 8617 and 8689.
//!
//! A row stands for all classes: `X.1.1` explains 5.1.1 as well as 4.1.1. What the class says is in [`super::digits`].

mod addressing;
mod content;
mod security;
mod transport;

use super::Entry;

/// Every enhanced status code, in order: one slice for each subject.
pub const STATUSES: &[&[Entry]] = &[
    addressing::OTHER,
    addressing::ADDRESS,
    addressing::MAILBOX,
    transport::SYSTEM,
    transport::NETWORK,
    transport::PROTOCOL,
    content::CONTENT,
    security::SECURITY,
];
