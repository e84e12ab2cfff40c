//! What clients say: the commands of SMTP, POP3 and IMAP, with their arguments, when they are allowed, and an example.

mod imap;
mod pop3;
mod smtp;

use super::Command;

/// Every command: one slice for each protocol.
pub const COMMANDS: &[&[Command]] = &[smtp::SMTP, pop3::POP3, imap::IMAP];
