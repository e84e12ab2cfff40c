//! APPEND and REPLACE: messages are streamed to the disk in blocks, and never held whole (RFC 3501 §6.3.11, RFC 3502,
//! RFC 8508, and RFC 4469 for messages that are put together).
//!
//! A message that fits into one block costs one job. A larger one that waits for `+` is not asked for before its mailbox
//! is open, so that nobody sends 50 MB to a mailbox that does not exist. Of several messages all come in, or none.
//!
//! CATENATE's parts come one after the other: URLs up to the next literal are a job, which appends what they name; then the literal is
//! asked for, and streamed like a message; then the line goes on.

use std::sync::Arc;

use super::admin::needs;
use super::message::Message;
use super::pending::{After, Pending};
use super::reply::{Reply, append_refusal, check_flags};
use super::{Doing, Phase, Refused, Server};
use crate::limits;
use crate::proto::Out;
use crate::proto::imap::alter::Finish;
use crate::proto::imap::urls::Fault;
use crate::proto::imap::work::Work;
use crate::store::{Mailbox, Spool};
use crate::wire::imap::command::{
    Access, Append, Form, Head, Messages, Parts, Then, scan_more, scan_parts,
};
use crate::wire::imap::rights::Rights;
use crate::wire::imap::scan::{Literal, LiteralKind, Stop, announced};

impl Server {
    /// APPEND up to its message was read.
    pub(super) fn append(&mut self, tag: &str, append: Append, out: &mut Out) {
        self.errors = 0;
        let account = match &self.phase {
            Phase::Authenticated(account) | Phase::Selected(account, _) => account.clone(),
            Phase::NotAuthenticated => {
                let reply = self.log_in_first();
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
            urls: Vec::new(),
            catenated: 0,
            then: None,
            binary_from: None,
            in_utf8: false,
            gathered: Vec::new(),
        });
        if message.head.parts.is_some() {
            self.begin_message(message, out);
            return;
        }
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
        if head.message.octets == 0 && head.form != Form::Catenate {
            // RFC 3502 §6.3.11
            return Err(Reply::no(
                "CANNOT",
                "a message of no octets cancels APPEND; nothing is stored",
            ));
        }
        check_flags(&head.flags)
    }

    fn refuse_message(&mut self, tag: &str, head: &Head, reply: Reply, out: &mut Out) {
        self.refuse_at(tag, head.literal(), reply, out);
    }

    /// The literal that follows, if one does, is not wanted.
    fn refuse_at(&mut self, tag: &str, literal: Option<Literal>, reply: Reply, out: &mut Out) {
        let tag = tag.to_owned();
        match literal {
            Some(literal) => self.refuse_literal(literal, Refused { tag, reply }, out),
            None => self.refuse(Refused { tag, reply }, out),
        }
    }

    /// The mailbox is open, or will be: takes the message, or its first parts.
    fn begin_message(&mut self, mut message: Box<Message>, out: &mut Out) {
        match message.head.parts.take() {
            Some(parts) => self.parts(message, *parts, out),
            None => self.take_message(message, out),
        }
    }

    /// Parts of a message up to a literal or the end.
    fn parts(&mut self, mut message: Box<Message>, parts: Parts, out: &mut Out) {
        if let Err(reply) = self.check_parts(&mut message, &parts) {
            self.refuse_at(&message.tag, parts.literal(), reply, out);
            return;
        }
        message.in_utf8 = matches!(parts.then, Then::Utf8(_));
        message.after_cr &= message.urls.is_empty();
        message.then = Some(parts.then);
        if message.urls.is_empty() && message.opened.is_some() {
            self.after_urls(message, out);
        } else {
            self.append_block(message, out);
        }
    }

    fn check_parts(&self, message: &mut Message, parts: &Parts) -> Result<(), Reply> {
        let (account, selected) = match &self.phase {
            Phase::Selected(account, selected) => (account, Some(&*selected.name)),
            Phase::Authenticated(account) => (account, None),
            Phase::NotAuthenticated => return Err(Reply::bug()),
        };
        let asking = self.asking(account);
        message.catenated += parts.urls.len();
        if message.catenated > limits::IMAP_CATENATED {
            let text = format!("more than {} URLs in one message", limits::IMAP_CATENATED);
            return Err(Reply::no("LIMIT", text));
        }
        for url in &parts.urls {
            let named = asking.to_catenate(url, selected);
            message
                .urls
                .push(named.map_err(|bad| Reply::bad_url(url, bad.0))?);
        }
        match &parts.then {
            Then::Utf8(_) if !self.switched.utf8 => Err(Reply::bad(
                "UTF8 (...) is for after ENABLE UTF8=ACCEPT (RFC 6855 section 4)",
            )),
            Then::Text(literal) | Then::Binary(literal) | Then::Utf8(literal)
                if literal.octets > limits::MESSAGE_SIZE =>
            {
                Err(Reply::fault(&Fault::TooBig, ""))
            }
            Then::Closed(Some(next)) => self.check_next(message, next),
            _ => Ok(()),
        }
    }

    /// What the URLs name is there: now what comes after them.
    fn after_urls(&mut self, mut message: Box<Message>, out: &mut Out) {
        let written = message.octets();
        message.binary_from = matches!(message.then, Some(Then::Binary(_))).then_some(written);
        match message.then.take() {
            Some(Then::Text(literal) | Then::Binary(literal) | Then::Utf8(literal)) => {
                message.left = literal.octets;
                message.head.message = literal;
                self.take_message(message, out);
            }
            Some(Then::Closed(next)) if written == 0 => {
                let reply = Reply::no(
                    "CANNOT",
                    "a message of no octets is none; nothing is stored",
                );
                let literal = next.and_then(|next| next.literal());
                self.refuse_at(&message.tag, literal, reply, out);
            }
            Some(Then::Closed(Some(next))) => {
                message.next = Some(*next);
                self.append_block(message, out);
            }
            Some(Then::Closed(None)) => self.append_last(*message, out),
            None => self.go_on(message),
        }
    }

    /// A literal of CATENATE is whole; `line` is what stands after it.
    fn part_ends(&mut self, mut message: Box<Message>, line: &[u8], out: &mut Out) {
        let expected = message.binary_from.take();
        let expected = expected.map(|from| from + message.head.message.octets);
        if expected.is_some_and(|expected| message.octets() != expected) {
            let tag = message.tag;
            let reply = bare_in_binary();
            self.refuse_line(line, Refused { tag, reply }, out);
            return;
        }
        let mut text = std::mem::take(&mut message.gathered);
        text.extend_from_slice(line);
        if announced(line).is_some() {
            text.extend_from_slice(b"\r\n");
        }
        let scanned = match message.in_utf8 {
            true => text.strip_prefix(b")").map(scan_parts),
            false => Some(scan_parts(&text)),
        };
        match scanned {
            Some(Ok(parts)) => self.parts(message, parts, out),
            Some(Err(Stop::Literal(literal))) => {
                // A URL.
                let room = limits::IMAP_COMMAND.saturating_sub(text.len()) as u64;
                if literal.octets > room {
                    let reply = Reply::bad_coded("TOOBIG", "that URL is too long");
                    self.refuse_at(&message.tag, Some(literal), reply, out);
                    return;
                }
                if literal.kind == LiteralKind::Synchronizing {
                    out.line(b"+ go on with the literal");
                }
                message.gathered = text;
                self.url_literal(message, literal.octets);
            }
            Some(Err(Stop::Problem(problem))) => {
                self.refuse_line(line, Refused::problem(&message.tag, problem), out);
            }
            None => {
                let text = "the ) of UTF8 has to follow the octets; is the number right? Nothing is stored";
                self.refuse_line(line, Refused::bad(&message.tag, text), out);
            }
        }
    }

    /// So many octets of a URL are still to come.
    fn url_literal(&mut self, message: Box<Message>, left: u64) {
        self.doing = match left {
            0 => Doing::MessageEnd(message),
            left => Doing::UrlLiteral(message, left),
        };
    }

    pub(super) fn url_text(&mut self, mut message: Box<Message>, left: u64, text: &[u8]) {
        message.gathered.extend_from_slice(text);
        self.url_literal(message, left.saturating_sub(text.len() as u64));
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
                Form::Catenate if message.binary_from.is_some() => Reply::no("UNKNOWN-CTE", text),
                Form::Binary => Reply::no("UNKNOWN-CTE", text),
                Form::Text | Form::Utf8 | Form::Catenate => Reply::bad(text),
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
        opened: Result<(Arc<Mailbox>, Spool), Fault>,
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
                if message.then.is_some() {
                    self.after_urls(message, out);
                } else if message.turn() {
                    self.begin_message(message, out);
                } else if first && waits(&message) {
                    self.take_message(message, out);
                } else {
                    self.go_on(message);
                }
            }
            Err(fault) => {
                let reply = match &fault {
                    Fault::Store(error) => append_refusal(error, &message.mailbox),
                    fault => Reply::fault(fault, &message.mailbox),
                };
                let first = message.left == message.head.message.octets;
                let (then, next) = (message.then.take(), message.next.take());
                let tag = message.tag.clone();
                if let Some(then) = then {
                    let urls = Vec::new();
                    self.refuse_at(&tag, Parts { urls, then }.literal(), reply, out);
                } else if let Some(next) = next {
                    self.refuse_at(&tag, next.literal(), reply, out);
                } else if first && waits(&message) {
                    self.refuse(Refused { tag, reply }, out);
                } else {
                    self.discard(message.left, Refused { tag, reply });
                }
            }
        }
    }

    /// The message is whole; `line` is what stands after it.
    pub(super) fn message_ends(&mut self, mut message: Box<Message>, line: &[u8], out: &mut Out) {
        let after = match message.head.form {
            Form::Catenate => return self.part_ends(message, line, out),
            Form::Utf8 => line.strip_prefix(b")"),
            Form::Text | Form::Binary => Some(line),
        };
        let Some(Ok(next)) = after.map(scan_more) else {
            let text = "the line has to end after the message, or another has to follow as {octets}; is the number right? \
                        Nothing is stored";
            self.refuse_line(line, Refused::bad(&message.tag, text), out);
            return;
        };
        if message.head.form == Form::Binary && message.octets() != message.head.message.octets {
            let tag = message.tag;
            let reply = bare_in_binary();
            self.refuse_line(line, Refused { tag, reply }, out);
            return;
        }
        let Some(head) = next else {
            self.append_last(*message, out);
            return;
        };
        let checked = self.check_next(&message, &head);
        if let Err(reply) = checked {
            self.refuse_message(&message.tag, &head, reply, out);
            return;
        }
        message.next = Some(head);
        self.append_block(message, out);
    }

    /// Another message may follow those that came.
    fn check_next(&self, message: &Message, head: &Head) -> Result<(), Reply> {
        if message.replaces.is_some() || message.earlier.len() + 1 >= limits::IMAP_APPENDED {
            return Err(Reply::no(
                "LIMIT",
                format!(
                    "APPEND takes {} messages at once, REPLACE takes one",
                    limits::IMAP_APPENDED
                ),
            ));
        }
        self.check(head)
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

/// RFC 3516 §4.4: what cannot be kept as it is, is refused. Line ends are CRLF here.
fn bare_in_binary() -> Reply {
    Reply::no(
        "UNKNOWN-CTE",
        "a bare CR or LF in binary content cannot be kept here; with base64 it can. Nothing is stored",
    )
}
