//! A message on its way in by APPEND or REPLACE: what of it has come, with CRLF line ends.

use std::sync::Arc;

use crate::limits;
use crate::proto::imap::alter::Part;
use crate::proto::imap::urls::Named;
use crate::store::{Account, Incoming, Mailbox, Spool};
use crate::wire::imap::command::{Form, Head, Then};

/// A message that is being appended, and those before it in the same command.
pub(super) struct Message {
    pub(super) tag: String,
    pub(super) account: Account,
    /// Where to.
    pub(super) mailbox: String,
    /// REPLACE: where the message is that goes, and its UID.
    pub(super) replaces: Option<(Arc<Mailbox>, u32)>,
    /// What was said of this one.
    pub(super) head: Head,
    /// Octets that are still to come.
    pub(super) left: u64,
    /// Those that have come and are not on disk, with CRLF line ends.
    pub(super) block: Vec<u8>,
    /// The last octet was a CR.
    pub(super) after_cr: bool,
    pub(super) opened: Option<Arc<Mailbox>>,
    pub(super) spool: Option<Spool>,
    /// Whole messages, with the names of their flags.
    pub(super) earlier: Vec<(Incoming, Vec<String>)>,
    /// The next one, once this one is written.
    pub(super) next: Option<Head>,
    /// CATENATE: what is to be written after the block.
    pub(super) urls: Vec<Named>,
    /// How many there were.
    pub(super) catenated: usize,
    /// What comes after those.
    pub(super) then: Option<Then>,
    /// The part that comes is binary content, and begins after so many octets.
    pub(super) binary_from: Option<u64>,
    /// The next line has to begin with the `)` of UTF8.
    pub(super) in_utf8: bool,
    /// The line so far, when a URL in it is a literal.
    pub(super) gathered: Vec<u8>,
}

impl Message {
    /// What is to be written now.
    pub(super) fn part(&mut self) -> Box<Part> {
        Box::new(Part {
            account: self.account.clone(),
            mailbox: self.mailbox.clone(),
            opened: self.opened.take(),
            spool: self.spool.take(),
            text: std::mem::take(&mut self.block),
            urls: std::mem::take(&mut self.urls),
            most: match self.head.form {
                Form::Catenate => limits::MESSAGE_SIZE,
                // What was announced was not too large, and CRLF for LF is no reason to refuse it.
                Form::Text | Form::Binary | Form::Utf8 => u64::MAX,
            },
        })
    }

    /// Octets so far, with CRLF line ends.
    pub(super) fn octets(&self) -> u64 {
        self.spool.as_ref().map_or(0, Spool::octets) + self.block.len() as u64
    }

    /// Takes what has come.
    pub(super) fn take(&mut self, text: &[u8]) {
        self.after_cr = push_with_crlf(&mut self.block, text, self.after_cr);
    }

    /// This one is written: on to the next, if there is one.
    pub(super) fn turn(&mut self) -> bool {
        let Some(head) = self.next.take() else {
            return false;
        };
        let last = std::mem::replace(&mut self.head, head);
        if let Some(spool) = self.spool.take() {
            let incoming = Incoming {
                spool,
                flags: Default::default(),
                received: last.received,
            };
            self.earlier.push((incoming, last.flags));
        }
        self.left = self.head.message.octets;
        self.after_cr = false;
        self.catenated = 0;
        true
    }
}

/// Appends `text` with every line end CRLF, bare CRs and LFs included; returns whether its last octet was a CR.
fn push_with_crlf(block: &mut Vec<u8>, text: &[u8], mut after_cr: bool) -> bool {
    let mut rest = text;
    while let Some(&first) = rest.first() {
        if after_cr {
            // The CR is in the block already, and so is its LF.
            after_cr = false;
            if first == b'\n' {
                rest = &rest[1..];
                continue;
            }
        }
        let run = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        block.extend_from_slice(&rest[..run]);
        if let Some(&end) = rest.get(run) {
            block.extend_from_slice(b"\r\n");
            after_cr = end == b'\r';
            rest = &rest[run + 1..];
        } else {
            rest = &rest[run..];
        }
    }
    after_cr
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn line_ends_become_crlf() {
        let mut block = Vec::new();
        push_with_crlf(&mut block, b"a\nb\r\nc\rd\r\r\n\n", false);
        assert_eq!(block, b"a\r\nb\r\nc\r\nd\r\n\r\n\r\n");
    }

    proptest! {
        #[test]
        fn pieces_make_the_same(text in "[a\r\n]{0,12}", cut in 0usize..12) {
            let text = text.as_bytes();
            let (first, second) = text.split_at(cut.min(text.len()));
            let mut whole = Vec::new();
            push_with_crlf(&mut whole, text, false);
            let mut pieces = Vec::new();
            let after_cr = push_with_crlf(&mut pieces, first, false);
            push_with_crlf(&mut pieces, second, after_cr);
            prop_assert_eq!(pieces, whole);
        }
    }
}
