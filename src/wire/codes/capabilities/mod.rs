//! What the servers of POP3 and IMAP say they can do: the lines of CAPA's answer, the words of CAPABILITY's.
//!
//! A code that ends with `=` or `-` begins a word whose rest is chosen by the server: `AUTH=` stands for `AUTH=PLAIN`. Those of
//! SMTP, which EHLO lists, are in [`super::extensions`]: parameters come with them.

mod imap;
mod imap_search;
mod pop3;

use super::Entry;

pub use pop3::POP3;

/// Capabilities of IMAP: of sessions and mailboxes, then of messages and searching; each in alphabetic order.
pub const IMAP: &[&[Entry]] = &[imap::SESSION, imap_search::MESSAGES];
