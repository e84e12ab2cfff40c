//! mailtool: mail protocols on one PC.
//!
//! Bytes come in through one reactor (mio), are cut by one line reader (no copying), and go to sessions that do no I/O
//! at all; a session answers with bytes, and asks for slow work as jobs that a small pool of threads does.
//!
//! ```text
//! applet/    serve nc send pop imap codes         clap arguments + a short driver; links, help, the manual
//! reactor/   event loop, connections, TLS,        the only sockets, the only clock, the only TLS calls
//!            timers, pool, resolver, courier
//! proto/     smtp (lmtp too) pop3 imap raw        sans-I/O sessions, server and client; who may log in; what goes
//!                                                 where and when (smtp/dispatch); the control socket's words
//!                                                 (control); what goes wrong on purpose (fault); who has shown what
//!                                                 of a lab (exercise)
//! store/     maildir, queue, addresses, users     blocking; runs on pool threads only
//! tap/       transcript, dump, pcapng, key log    observers of a connection
//! wire/      line reader, parsers, codes, MIME    bytes <-> words; no state of a dialogue, no I/O, no clock
//! ```
//!
//! The line reader is a package of its own, `src/wire/lines`, because it is built for speed and the rest to be small.
//!
//! Beside them, [`limits`] has every number that bounds something, and `sys` the few system calls that no safe crate offers.
//! Prose of the manual lies in `man/`; the build script, `src/build.rs`, packs it, as the texts of `wire/codes`. Dialogues are in
//! `tests/dialogs/`.
//!
//! A file may use what stands below it in this picture, never what stands above; `tests/layers.rs` holds the arrows.
//! Read on in [`proto`], then in any session, then in its dialogue under `tests/dialogs`.

#![deny(unsafe_code)]
#![warn(
    missing_docs,
    unreachable_pub,
    clippy::use_self,
    clippy::manual_let_else
)]

pub mod applet;
pub mod limits;
pub mod proto;
pub mod reactor;
pub mod store;
mod sys;
pub mod tap;
pub mod wire;
