//! What servers say, explained: reply codes, enhanced status codes, POP3 and IMAP statuses and response codes, the
//! commands of the three protocols, the ports of the mail services; each in English and in French.
//!
//! The tables are constants, sorted by code; their texts are kept packed ([`RowText`]): the build script, `src/build.rs`, compiles the
//! files of rows in, and writes the tables that are here. [`find`] looks a word up as a person would type it
//! (`550`, `55x`, `5.7`, `NO`, `[TRYCREATE]`, `smtp`, `rcpt`), [`nearest`] says what may have been meant. How it is printed is no
//! business of this module, and neither is what `/etc/services` of a machine says.
//!
//! | table | one row is | defined in |
//! |---|---|---|
//! | [`smtp`] | a reply code of three digits | RFC 5321 §4.2, and extensions |
//! | [`enhanced`] | subject and detail of an enhanced status code | RFC 3463, RFC 5248, IANA |
//! | [`digits`] | what one digit of either means | RFC 5321 §4.2.1, RFC 3463 §2 |
//! | [`pop3`] | `+OK`, `-ERR`, a response code | RFC 1939, RFC 2449, RFC 3206 |
//! | [`imap`] | a status, a response code, a kind of data | RFC 9051 §7, RFC 5530, and extensions |
//! | [`commands`] | a command of SMTP, POP3 or IMAP | RFC 5321, RFC 1939, RFC 9051, and extensions |
//! | [`capabilities`] | what CAPA or CAPABILITY lists | RFC 2449, RFC 9051, and one RFC each |
//! | [`extensions`] | a keyword of EHLO, a parameter of MAIL or RCPT, a mechanism of AUTH | RFC 5321 §2.2, and one RFC each |
//! | [`ports`] | a service with its port and transport | RFC 6409, RFC 8314 |
//!
//! A text without one of its languages does not compile: [`Text`] has a field for each.

pub mod digits;
pub mod ports;

mod look_up;
mod rows;
mod spot;
mod tables;
mod texts;

pub(crate) use look_up::distance;
pub use look_up::{Found, Hit, digits_of, find, nearest};
pub use rows::{Kind, Lang, Protocol, Text};
pub use spot::{Spotted, Spotter};
pub use tables::{Table, search};
pub use texts::RowText;

use super::packed::Block;

/// A code and all that is to be said about it.
pub type Entry = rows::Entry<RowText>;

/// A command of a client.
pub type Command = rows::Command<RowText>;

// The modules smtp, enhanced, pop3, imap, commands, capabilities and extensions.
include!(concat!(env!("OUT_DIR"), "/codes.rs"));
