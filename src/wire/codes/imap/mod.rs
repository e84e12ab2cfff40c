//! The statuses of IMAP, the response codes in brackets that may follow them, by what they are about, and the data that a
//! server sends. RFC 9051 §7, RFC 3501 §7, RFC 5530, and the extensions that each row names.

mod data;
mod extension;
mod failure;
mod mailbox;
mod status;

use super::Entry;

pub use data::DATA;
pub use status::STATUSES;

/// Every response code, without its brackets: one slice for each file.
pub const CODES: &[&[Entry]] = &[mailbox::MAILBOX, failure::FAILURE, extension::EXTENSION];
