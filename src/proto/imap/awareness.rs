//! CONDSTORE and QRESYNC (RFC 7162): who is told of mod-sequences and UIDs, and in which words.

use crate::wire::imap::response;
use crate::wire::imap::set::Ranges;

/// What a session has switched on; each is more than the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Awareness {
    /// Nothing.
    #[default]
    None,
    /// Mod-sequences are told with flags.
    Condstore,
    /// Also, removals are told by UID.
    Qresync,
}

/// Writes `* VANISHED ...`.
pub fn write_vanished(out: &mut Vec<u8>, uids: &Ranges) {
    out.extend_from_slice(b"* VANISHED ");
    uids.write(out);
    out.extend_from_slice(b"\r\n");
}

/// Writes ` MODSEQ (1)` and its like.
pub fn write_modseq(out: &mut Vec<u8>, modseq: u64) {
    out.extend_from_slice(b"MODSEQ (");
    response::number(out, modseq);
    out.push(b')');
}
