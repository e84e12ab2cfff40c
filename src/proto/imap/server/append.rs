//! APPEND and REPLACE: messages are streamed to the disk in blocks, and never held whole (RFC 3501 §6.3.11, RFC 3502,
//! RFC 8508).
//!
//! A message that fits into one block costs one job. A larger one that waits for `+` is not asked for before its mailbox
//! is open, so that nobody sends 50 MB to a mailbox that does not exist. Of several messages all come in, or none.

use std::sync::Arc;

use super::admin::needs;
use super::message::Message;
use super::pending::{After, Pending};
use super::reply::{Reply, append_refusal, check_flags};
use super::{Doing, Phase, Refused, Server};
use crate::limits;
use crate::proto::Out;
use crate::proto::imap::work::{Finish, Work};
use crate::store::{Mailbox, Spool, StoreError};
use crate::wire::imap::command::{Access, Append, Form, Head, Messages, scan_more};
use crate::wire::imap::rights::Rights;
use crate::wire::imap::scan::LiteralKind;

impl Server {
    /// APPEND up to its message was read.
    pub(super) fn append(&mut self, tag: &str, append: Append, out: &mut Out) {
        self.errors = 0;
        let account = match &self.phase {
            Phase::Authenticated(account) | Phase::Selected(account, _) => account.clone(),
            Phase::NotAuthenticated => {
                let reply = Reply::bad("log in first: a1 LOGIN alice password");
                self.refuse_message(tag, &append.head, reply, out);
                return;
            }
        };
        let replaces = append
            .replaces
            .map(|message| self.replaced(&message))
            .transpose();
        let checked = self.check(&append.head).and(replaces);
        let replaces = match checked {
            Ok(replaces) => replaces,
            Err(reply) => {
                self.refuse_message(tag, &append.head, reply, out);
                return;
            }
        };
        let message = Box::new(Message {
            tag: tag.to_owned(),
            account,
            mailbox: append.mailbox,
            replaces,
            left: append.head.message.octets,
            head: append.head,
            block: Vec::new(),
            after_cr: false,
            opened: None,
            spool: None,
            earlier: Vec::new(),
            next: None,
        });
        let waits = message.head.message.kind == LiteralKind::Synchronizing;
        if waits && message.left > limits::BLOCK as u64 {
            self.append_block(message, out);
        } else {
            self.take_message(message, out);
        }
    }

    /// The message that REPLACE replaces.
    fn replaced(&self, message: &Messages) -> Result<(Arc<Mailbox>, u32), Reply> {
        let Phase::Selected(_, selected) = &self.phase else {
            return Err(Reply::bad("select a mailbox first: a1 SELECT INBOX"));
        };
        if selected.watched.access == Access::ReadOnly {
            return Err(selected.read_only());
        }
        needs(
            selected.watched.rights,
            Rights::DELETED.union(Rights::EXPUNGE),
        )?;
        let uids = selected.uids(message)?;
        let Some(entry) = selected.view.entries(&uids, 0).next() else {
            return Err(Reply::no(
                "CANNOT",
                "there is no such message to be replaced; nothing is stored",
            ));
        };
        Ok((Arc::clone(&selected.watched.mailbox), entry.uid))
    }

    fn check(&self, head: &Head) -> Result<(), Reply> {
        if head.form == Form::Utf8 && !self.switched.utf8 {
            return Err(Reply::bad(
                "UTF8 (...) is for after ENABLE UTF8=ACCEPT (RFC 6855 section 4)",
            ));
        }
        if head.message.octets > limits::MESSAGE_SIZE {
            return Err(Reply::no(
                "TOOBIG",
                format!("a message may have {} octets at most", limits::MESSAGE_SIZE),
            ));
        }
        if head.message.octets == 0 {
            // RFC 3502 §6.3.11
            return Err(Reply::no(
                "CANNOT",
                "a message of no octets cancels APPEND; nothing is stored",
            ));
        }
        check_flags(&head.flags)
    }

    fn refuse_message(&mut self, tag: &str, head: &Head, reply: Reply, out: &mut Out) {
        let tag = tag.to_owned();
        self.refuse_literal(head.message, Refused { tag, reply }, out);
    }

    /// The mailbox is open, or will be when the message is there: asks for it, if it waits.
    fn take_message(&mut self, message: Box<Message>, out: &mut Out) {
        if message.head.message.kind == LiteralKind::Synchronizing {
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
            // RFC 3501 §9, CHAR8: any octet but NUL; RFC 3516 §4.4: what to say where it cannot be kept.
            let text = "a message cannot hold a NUL octet here; it is not stored";
            let reply = match message.head.form {
                Form::Binary => Reply::no("UNKNOWN-CTE", text),
                Form::Text | Form::Utf8 => Reply::bad(text),
            };
            let tag = message.tag;
            self.discard(message.left, Refused { tag, reply });
            return;
        }
        message.take(text);
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
        let waits = |message: &Message| message.head.message.kind == LiteralKind::Synchronizing;
        match opened {
            Ok((mailbox, spool)) => {
                let first = message.left == message.head.message.octets;
                message.opened = Some(mailbox);
                message.spool = Some(spool);
                message.block = block;
                if message.turn() || (first && waits(&message)) {
                    self.take_message(message, out);
                } else {
                    self.go_on(message);
                }
            }
            Err(error) => {
                let reply = append_refusal(&error, &message.mailbox);
                let tag = message.tag.clone();
                let head = message.next.as_ref().unwrap_or(&message.head);
                let first = message.next.is_some() || message.left == head.message.octets;
                let left = message
                    .next
                    .as_ref()
                    .map_or(message.left, |next| next.message.octets);
                if first && head.message.kind == LiteralKind::Synchronizing {
                    self.refuse(Refused { tag, reply }, out);
                } else {
                    self.discard(left, Refused { tag, reply });
                }
            }
        }
    }

    /// The message is whole; `line` is what stands after it.
    pub(super) fn message_ends(&mut self, mut message: Box<Message>, line: &[u8], out: &mut Out) {
        let after = match message.head.form {
            Form::Utf8 => line.strip_prefix(b")"),
            Form::Text | Form::Binary => Some(line),
        };
        let Some(Ok(next)) = after.map(scan_more) else {
            let text = "the line has to end after the message, or another has to follow as {octets}; is the number right? \
                        Nothing is stored";
            self.refuse_line(line, Refused::bad(&message.tag, text), out);
            return;
        };
        let Some(head) = next else {
            self.append_last(*message, out);
            return;
        };
        let many = message.replaces.is_some() || message.earlier.len() + 1 >= limits::IMAP_APPENDED;
        let checked = match many {
            true => Err(Reply::no(
                "LIMIT",
                format!(
                    "APPEND takes {} messages at once, REPLACE takes one",
                    limits::IMAP_APPENDED
                ),
            )),
            false => self.check(&head),
        };
        if let Err(reply) = checked {
            self.refuse_message(&message.tag, &head, reply, out);
            return;
        }
        message.next = Some(head);
        self.append_block(message, out);
    }

    fn append_last(&mut self, mut message: Message, out: &mut Out) {
        let part = message.part();
        let after = After::Append {
            mailbox: message.mailbox,
            replaces: message.replaces.is_some(),
        };
        let finish = Finish {
            earlier: message.earlier,
            flags: message.head.flags,
            received: message.head.received,
            replaces: message.replaces,
        };
        let tag = message.tag;
        self.job(Work::AppendLast(part, finish), Pending { tag, after }, out);
    }
}
