//! APPEND: its message is streamed to the disk in blocks, and never held whole (RFC 3501 §6.3.11).
//!
//! A message that fits into one block costs one job. A larger one that waits for `+` is not asked for before its mailbox
//! is open, so that nobody sends 50 MB to a mailbox that does not exist.

use std::sync::Arc;

use crate::limits;
use crate::proto::Out;
use crate::proto::imap::server::finish::{After, Pending};
use crate::proto::imap::server::reply::Reply;
use crate::proto::imap::server::{Doing, Phase, Refused, Server};
use crate::proto::imap::work::{Appended, Finish, Part, Work};
use crate::store::{Account, Mailbox, Spool, StoreError};
use crate::wire::imap::command::Append;
use crate::wire::imap::response::Code;
use crate::wire::imap::scan::LiteralKind;
use crate::wire::utf7;

/// A message that is being appended.
pub(super) struct Message {
    tag: String,
    account: Account,
    append: Append,
    /// Octets that are still to come.
    pub(super) left: u64,
    /// Those that have come and are not on disk, with CRLF line ends.
    block: Vec<u8>,
    /// The last octet was a CR.
    after_cr: bool,
    opened: Option<(Arc<Mailbox>, Spool)>,
}

impl Server {
    /// APPEND up to its message was read.
    pub(super) fn append(&mut self, tag: &str, append: Append, out: &mut Out) {
        self.errors = 0;
        let refuse = |reply| Refused {
            tag: tag.to_owned(),
            reply,
        };
        let account = match &self.phase {
            Phase::Authenticated(account) | Phase::Selected(account, _) => account.clone(),
            Phase::NotAuthenticated => {
                let reply = Reply::bad("log in first: a1 LOGIN alice password");
                self.refuse_literal(append.message, refuse(reply), out);
                return;
            }
        };
        if let Err(reply) = check(&append) {
            self.refuse_literal(append.message, refuse(reply), out);
            return;
        }
        let message = Box::new(Message {
            tag: tag.to_owned(),
            account,
            left: append.message.octets,
            append,
            block: Vec::new(),
            after_cr: false,
            opened: None,
        });
        let waits = message.append.message.kind == LiteralKind::Synchronizing;
        if waits && message.left > limits::BLOCK as u64 {
            self.append_block(message, out);
        } else {
            self.take_message(message, out);
        }
    }

    /// The mailbox is open, or will be when the message is there: asks for it, if it waits.
    fn take_message(&mut self, message: Box<Message>, out: &mut Out) {
        if message.append.message.kind == LiteralKind::Synchronizing {
            out.line(b"+ go on with the message");
        }
        self.go_on(message);
    }

    fn go_on(&mut self, message: Box<Message>) {
        self.doing = if message.left > 0 {
            Doing::Message(message)
        } else {
            Doing::MessageEnd(message)
        };
    }

    pub(super) fn message_text(&mut self, mut message: Box<Message>, text: &[u8], out: &mut Out) {
        message.left = message.left.saturating_sub(text.len() as u64);
        if memchr::memchr(0, text).is_some() {
            // RFC 3501 §9, CHAR8: any octet but NUL.
            let refused = Refused::bad(
                &message.tag,
                "a message cannot hold a NUL octet; it is not stored",
            );
            self.discard(message.left, refused);
            return;
        }
        message.after_cr = push_with_crlf(&mut message.block, text, message.after_cr);
        if message.block.len() >= limits::BLOCK && message.left > 0 {
            self.append_block(message, out);
        } else {
            self.go_on(message);
        }
    }

    fn append_block(&mut self, mut message: Box<Message>, out: &mut Out) {
        let part = message.part();
        let pending = Pending {
            tag: message.tag.clone(),
            after: After::AppendBlock(message),
        };
        self.job(Work::Append(part), pending, out);
    }

    /// A block is on disk, or not.
    pub(super) fn block_appended(
        &mut self,
        mut message: Box<Message>,
        opened: Result<(Arc<Mailbox>, Spool), StoreError>,
        block: Vec<u8>,
        out: &mut Out,
    ) {
        let first = message.left == message.append.message.octets;
        let waits = message.append.message.kind == LiteralKind::Synchronizing;
        match opened {
            Ok(opened) => {
                message.opened = Some(opened);
                message.block = block;
                if first && waits {
                    self.take_message(message, out);
                } else {
                    self.go_on(message);
                }
            }
            Err(error) => {
                let refused = message.refused(&error);
                if first && waits {
                    self.refuse(refused, out);
                } else {
                    self.discard(message.left, refused);
                }
            }
        }
    }

    /// The message is whole; `line` is what stands after it.
    pub(super) fn message_ends(&mut self, mut message: Message, line: &[u8], out: &mut Out) {
        if !line.trim_ascii().is_empty() {
            let refused = Refused::bad(
                &message.tag,
                "the line has to end after the message; is the number in {octets} right? The message is not stored",
            );
            self.refuse_line(line, refused, out);
            return;
        }
        let part = message.part();
        let finish = Finish {
            flags: std::mem::take(&mut message.append.flags),
            received: message.append.received,
        };
        let pending = Pending {
            tag: message.tag,
            after: After::Append {
                mailbox: message.append.mailbox,
            },
        };
        self.job(Work::AppendLast(part, finish), pending, out);
    }
}

impl Message {
    /// What is to be written now.
    fn part(&mut self) -> Part {
        Part {
            account: self.account.clone(),
            mailbox: self.append.mailbox.clone(),
            opened: self.opened.take(),
            text: std::mem::take(&mut self.block),
        }
    }

    fn refused(&self, error: &StoreError) -> Refused {
        Refused {
            tag: self.tag.clone(),
            reply: append_refusal(error, &self.append.mailbox),
        }
    }
}

/// Why a message was not put into a mailbox. RFC 3501 §6.3.11: `TRYCREATE` when it can be created.
pub(super) fn append_refusal(error: &StoreError, mailbox: &str) -> Reply {
    match error {
        StoreError::NoSuchMailbox => Reply::no(
            "TRYCREATE",
            format!(
                "there is no mailbox {}; CREATE it first",
                utf7::encode(mailbox)
            ),
        ),
        _ => Reply::refusal(error, mailbox),
    }
}

/// OK to APPEND: there is no other way to say it than with the proof in hand.
pub(super) fn appended(appended: Appended) -> Reply {
    let Appended {
        uid_validity,
        uid,
        durable: _,
    } = appended;
    Reply::ok_coded(
        Code::AppendUid(uid_validity, uid),
        "the message is in the mailbox, and on disk",
    )
}

fn check(append: &Append) -> Result<(), Reply> {
    if append.message.octets > limits::MESSAGE_SIZE {
        return Err(Reply::no(
            "TOOBIG",
            format!("a message may have {} octets at most", limits::MESSAGE_SIZE),
        ));
    }
    super::execute::check_flags(&append.flags)
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
