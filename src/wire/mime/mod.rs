//! A message as IMAP sees it: its structure, and its header values as they stand there.
//!
//! | file | what |
//! |---|---|
//! | [`header`] | fields, unfolding, parameters |
//! | [`kept`] | the fields that are asked for most |
//! | [`structure`] | where each part's header and body begin and end |
//! | [`address`] | addresses in a header, for ENVELOPE and SORT |
//! | [`subject`] | what a subject is about |
//! | [`describe`] | writes ENVELOPE, BODY and BODYSTRUCTURE |
//! | [`text`] | decoded texts, for SEARCH |
//! | [`html`] | the text of a part in HTML |
//! | [`preview`] | the first words |
//!
//! Why not `mail-parser` for the structure: it decodes every part to tell where it ends, gives header values decoded while
//! ENVELOPE and BODYSTRUCTURE want them raw, and nests messages without a bound, so that dropping what it makes of 64 MB of
//! `Content-Type: message/rfc822` overflows the stack. [`text`] uses its decoders, one part at a time.

pub mod address;
pub mod describe;
pub mod header;
pub mod html;
pub mod kept;
pub mod preview;
pub mod structure;
pub mod subject;
pub mod text;
