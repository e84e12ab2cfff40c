//! IMAP's words: what a client's bytes mean, and how a server's are written (RFC 3501 §9, RFC 9051 §9).
//!
//! | file | what |
//! |---|---|
//! | [`scan`] | bytes to atoms, strings, literals, numbers, flags, dates |
//! | [`set`] | sequence sets, and sets of numbers |
//! | [`command`] | a command's line to a [`command::Command`], and what is right when it is wrong |
//! | [`condstore`] | what CONDSTORE and QRESYNC add |
//! | [`fetch`] | what FETCH asks for |
//! | [`search`] | what SEARCH asks for |
//! | [`arrange`], [`thread`] | what SORT and THREAD ask for; how threads come about |
//! | [`pattern`] | LIST's wildcards |
//! | [`response`] | words to bytes |
//! | [`reply`] | what a server says, for clients |
//! | [`rights`] | what may be done with a mailbox |
//! | [`url`] | URLs of messages |
//! | [`secret`] | where passwords stand |

pub mod arrange;
pub mod command;
pub mod condstore;
pub mod fetch;
pub mod pattern;
pub mod reply;
pub mod response;
pub mod rights;
pub mod scan;
pub mod search;
pub mod secret;
pub mod set;
pub mod thread;
pub mod url;
