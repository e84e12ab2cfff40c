//! Bytes to words and back: the line reader, parsers, tables of codes. No state of a dialogue, no I/O, no clock.

pub mod address;
pub mod casemap;
pub mod codes;
pub mod date;
pub mod deflate;
pub mod destination;
pub mod dns;
pub mod dots;
pub mod envelope;
pub mod exercise;
pub mod fault;
pub mod glob;
pub mod http_proxy;
pub mod idna;
pub mod imap;
pub mod json;
pub mod likeness;
pub mod line_ends;
pub mod mailboxes;
pub mod mbox;
pub mod mime;
pub mod network;
pub mod packed;
pub mod pop3;
pub mod pop3_reply;
pub mod proxy_header;
pub mod report;
pub mod resolv;
pub mod roster;
mod runs;
pub mod sasl;
pub mod sasl_client;
pub mod saslprep;
pub mod secret;
pub mod services;
pub mod smtp;
pub mod socks;
pub mod telnet;
pub mod utf7;
pub mod words;
pub mod x509;
pub mod xtext;

#[doc(inline)]
pub use mailtool_lines as lines;
