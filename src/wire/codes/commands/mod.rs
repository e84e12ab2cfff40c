//! What clients say: the commands of SMTP, POP3 and IMAP, with their arguments, when they are allowed, and an example.

mod imap;
mod imap_extension;
mod imap_rare;
mod pop3;
mod smtp;

use super::Command;

/// Every command: a slice for each protocol, three for IMAP.
pub const COMMANDS: &[&[Command]] = &[
    smtp::SMTP,
    pop3::POP3,
    imap::IMAP,
    imap_extension::IMAP_EXTENSION,
    imap_rare::IMAP_RARE,
];
