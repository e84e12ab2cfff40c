//! The text of a message: DATA (RFC 5321 §4.1.1.4), BDAT (RFC 3030 §2), and what becomes of it.
//!
//! | | DATA | BDAT |
//! |---|---|---|
//! | ends with | a dot alone on a line | a count of octets, and the word LAST |
//! | a bare CR or LF | becomes CRLF | becomes CRLF; with BODY=BINARYMIME it is content |
//! | what is refused | is read to the dot | is read to its last octet, and the message is forgotten |
//!
//! The two do not mix in one message, and after a BDAT that failed there is no message to go on with, so that the chunks that a client
//! has sent already are refused one by one (RFC 3030 §4.2).

use std::sync::Arc;
use std::time::Instant;

use super::commands::Verdict;
use super::envelope::Destination;
use super::header::Additions;
use super::message::{Checks, Incoming, Shape};
use super::trace::Trace;
use super::{Chunk, Ending, Mode, Place, Rigor, Server, State, Then, replies};
use crate::limits;
use crate::proto::smtp::Job;
use crate::proto::{self, Out, Spoil};
use crate::store::{Durable, Replies, Spool, StoreError};
use crate::tap::note;
use crate::wire::address::Address;
use crate::wire::date::DateTime;
use crate::wire::smtp::parameters::size;
use crate::wire::smtp::{Enhanced, Reply, Verb};

impl Server {
    pub(super) fn data(&mut self, now: Instant, arguments: &[u8]) -> Verdict {
        if !arguments.is_empty() {
            return Err(replies::no_arguments(Verb::Data));
        }
        if let Some(message) = &self.message {
            if message.begun.is_some() {
                // RFC 3030 §3
                return Err(replies::sequence(
                    "The text has begun with BDAT: go on with BDAT, or forget the message with RSET",
                ));
            }
            if message.is_binary() {
                // RFC 3030 §3
                return Err(replies::sequence(
                    "BODY=BINARYMIME has no lines that could end with a dot: send it with BDAT",
                ));
            }
        }
        self.begin_text(now, Shape::Lines)
            .map(|incoming| self.state = State::Text(incoming))?;
        Ok(Reply::basic(
            354,
            "Go ahead; end with a dot alone on a line",
        ))
    }

    /// Everything is there for a text, which begins with this server's trace.
    fn begin_text(&mut self, now: Instant, shape: Shape) -> Result<Box<Incoming>, Reply> {
        let (Some(message), Some(_)) = (&self.message, &self.hello) else {
            return Err(replies::sequence(
                "First say who sends it. Example: MAIL FROM:<bob@example.org>",
            ));
        };
        if message.places.is_empty() {
            // RFC 5321 §3.3; RFC 2033 §4.2 asks for 503 exactly.
            let text = "First say to whom. Example: RCPT TO:<alice@example.org>";
            return Err(match self.config.mode {
                Mode::Lmtp => replies::sequence(text),
                _ => Reply::new(554, Enhanced(5, 5, 1), text),
            });
        }
        if let Some(message) = self.message.take() {
            let ruling = self.rule(|policy, visit| policy.data(visit, &message.envelope));
            self.message = Some(message);
            ruling?;
        }
        let (Some(message), Some(hello)) = (&self.message, &self.hello) else {
            return Err(replies::sequence("First say who sends it"));
        };
        let envelope = &message.envelope;
        self.messages += 1;
        let unix = self.peer.accepted.unix(now);
        // Unique as long as no two connections of two runs have one second and one token.
        let id = format!("{unix:X}-{:X}-{:X}", self.peer.token, self.messages);
        let only = match &envelope.recipients[..] {
            [only] => Some(only.address.in_ascii()),
            _ => None,
        };
        let trace = Trace {
            hello,
            address: self.address(),
            hostname: &self.config.hostname,
            tls: self.tls.as_deref(),
            user: self.user.as_ref().map(|account| &*account.name),
            utf8: envelope.options.utf8,
            id: &id,
            only_recipient: only.as_deref(),
            date: DateTime::utc(unix),
        };
        let additions = match (self.config.mode, &self.user) {
            (Mode::Submission, Some(user)) => Additions {
                date: format!("Date: {}\r\n", trace.date.to_header()),
                message_id: format!("Message-ID: <{id}@{}>\r\n", self.config.hostname),
                from: Some(self.address_of(user)),
            },
            _ => Additions::default(),
        };
        let trace = trace.lines();
        let checks = Checks {
            max_octets: self.config.max_octets,
            max_hops: self.config.max_hops,
            rigor: self.config.rigor,
            body: envelope.options.body,
            utf8: envelope.options.utf8,
        };
        let replies = match self.config.mode {
            Mode::Lmtp => Replies::Each,
            _ => Replies::One,
        };
        let envelope = Arc::new(envelope.clone());
        Ok(Box::new(Incoming::new(
            id, trace, additions, checks, shape, envelope, replies,
        )))
    }

    /// BDAT: what is refused is read, for what follows it must not be taken for commands.
    pub(super) fn bdat(&mut self, now: Instant, arguments: &[u8], out: &mut Out) {
        let mut words = arguments
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        let octets = words
            .next()
            .and_then(|word| size(std::str::from_utf8(word).ok()?));
        let Some(octets) = octets else {
            self.respond(now, replies::argument_missing(Verb::Bdat), out);
            if !arguments.is_empty() {
                // How much follows cannot be known, so nothing that follows can be believed to be a command.
                let text = "What follows cannot be told from commands; connect again";
                self.say(&Reply::new(421, Enhanced(4, 7, 0), text), out);
                self.close(out);
            }
            return;
        };
        let place = match (words.next(), words.next()) {
            (None, _) => Ok(Place::Within),
            (Some(word), None) if word.eq_ignore_ascii_case(b"LAST") => Ok(Place::Last),
            _ => Err(replies::argument_missing(Verb::Bdat)),
        };
        // RFC 2033 §4.2: after the last chunk LMTP has a reply for each recipient, whatever it says.
        let recipients = self.message.as_ref().map_or(0, |it| it.places.len());
        let times = match (self.config.mode, &place) {
            (Mode::Lmtp, Ok(Place::Last)) => recipients.max(1),
            _ => 1,
        };
        match place.and_then(|place| Ok((self.begin_chunk(now, octets)?, place))) {
            Ok((incoming, place)) => {
                let chunk = Chunk {
                    octets,
                    left: octets,
                    place,
                };
                self.go_on(incoming, Then::Chunk(chunk), out);
            }
            Err(reply) if self.dropped => self.respond(now, reply, out),
            Err(reply) => self.discard(octets, reply, times, out),
        }
    }

    /// The text so far, for one more chunk of it; an error ends the message.
    fn begin_chunk(&mut self, now: Instant, octets: u64) -> Result<Box<Incoming>, Reply> {
        let begun = match self.message.as_mut() {
            Some(message) => match message.begun.take() {
                Some(begun) => begun,
                None => {
                    let shape = match message.is_binary() {
                        true => Shape::Octets,
                        false => Shape::chunks(),
                    };
                    self.begin_text(now, shape)?
                }
            },
            None => {
                return Err(replies::sequence(
                    "There is no message to go on with: first MAIL and RCPT",
                ));
            }
        };
        if begun.octets().saturating_add(octets) > self.config.max_octets {
            self.message = None;
            return Err(replies::too_big(self.config.max_octets));
        }
        Ok(begun)
    }

    /// Reads so many octets more, and then refuses.
    pub(super) fn discard(&mut self, octets: u64, reply: Reply, times: usize, out: &mut Out) {
        if octets > 0 && octets <= limits::REFUSED_CHUNK {
            self.state = State::Discarding {
                octets,
                reply,
                times,
            };
            return;
        }
        self.refuse_for(times, &reply, out);
        if octets > 0 {
            self.close(out);
        }
    }

    /// As many replies, which are one error.
    fn refuse_for(&mut self, times: usize, reply: &Reply, out: &mut Out) {
        for _ in 1..times {
            out.with(|bytes| reply.write(bytes));
        }
        self.say(reply, out);
    }

    /// A piece of text was taken: to the disk with it, when there is enough.
    pub(super) fn take_text(
        &mut self,
        mut incoming: Box<Incoming>,
        chunk: Option<Chunk>,
        out: &mut Out,
    ) {
        if let Some(part) = incoming.full_block() {
            out.job(proto::Job::Smtp(Job::Append(part)));
        }
        self.go_on(incoming, chunk.map_or(Then::Text, Then::Chunk), out);
    }

    /// On with the text, or with what comes after it: as soon as there is room, and a worker done.
    pub(super) fn go_on(&mut self, incoming: Box<Incoming>, then: Then, out: &mut Out) {
        match then {
            Then::Text if incoming.has_room() => self.state = State::Text(incoming),
            Then::Chunk(chunk) if chunk.left > 0 && incoming.has_room() => {
                self.state = State::Chunk(incoming, chunk);
            }
            then if incoming.is_writing() => self.state = State::Storing(incoming, then),
            Then::Text => self.state = State::Text(incoming),
            Then::End => self.whole(incoming, out),
            Then::Chunk(chunk) => {
                self.chunk_end(incoming, chunk, out);
                // Who was waited for has got its answer.
                if self.ending != Ending::No && matches!(self.state, State::Command) {
                    self.end(self.ending, out);
                }
            }
        }
    }

    /// A worker has written a block, or could not; the next one may be full already.
    pub(super) fn written(
        &mut self,
        mut incoming: Box<Incoming>,
        then: Then,
        result: Result<Spool, StoreError>,
        buffer: Vec<u8>,
        out: &mut Out,
    ) {
        let spool = result.map_err(|error| {
            log::error!("message {} could not be written: {error}", incoming.id);
            replies::store_error(&error)
        });
        incoming.written(spool, buffer);
        match then {
            Then::End => self.go_on(incoming, then, out),
            Then::Text => self.take_text(incoming, None, out),
            Then::Chunk(chunk) => self.take_text(incoming, Some(chunk), out),
        }
    }

    fn chunk_end(&mut self, mut incoming: Box<Incoming>, chunk: Chunk, out: &mut Out) {
        if chunk.place == Place::Last {
            return self.whole(incoming, out);
        }
        if let Some(refusal) = incoming.take_refusal() {
            self.message = None;
            return self.say(&refusal, out);
        }
        let text = format!("Ok, {} octets, {} in all", chunk.octets, incoming.octets());
        if let Some(message) = &mut self.message {
            message.begun = Some(incoming);
        }
        self.say(&Reply::new(250, Enhanced(2, 0, 0), text), out);
    }

    pub(super) fn text_end(&mut self, out: &mut Out) {
        match std::mem::replace(&mut self.state, State::Command) {
            State::Text(incoming) => self.go_on(incoming, Then::End, out),
            other => self.state = other,
        }
    }

    /// The message is whole: it is delivered, or refused.
    fn whole(&mut self, mut incoming: Box<Incoming>, out: &mut Out) {
        let part = incoming.last_block();
        if self.config.mode == Mode::Submission {
            self.check_from(&mut incoming);
        }
        if let Some(Spoil::Message(reply)) = self.spoilt.take() {
            incoming.refuse(reply);
        }
        let Some(refusal) = incoming.take_refusal() else {
            let id = incoming.id;
            out.job(proto::Job::Smtp(Job::Deliver(part, id.clone())));
            self.state = State::Delivering { id };
            return;
        };
        let recipients = self
            .message
            .take()
            .map_or(0, |message| message.places.len());
        // RFC 2033 §4.2: as many replies as recipients, and still one error.
        let times = match self.config.mode {
            Mode::Lmtp => recipients,
            Mode::Mta | Mode::Submission => 1,
        };
        self.refuse_for(times, &refusal, out);
    }

    /// RFC 6409 §6.1, §8.1: what stands in From is compared with who sends.
    fn check_from(&self, incoming: &mut Incoming) {
        let from = incoming.from();
        let refusal = match (from, &self.user) {
            (None, _) if self.config.rigor == Rigor::Strict => {
                let text = "The message has no From: field (RFC 5322 section 3.6)";
                Reply::new(554, Enhanced(5, 6, 0), text)
            }
            (Some(from), Some(user)) if self.config.senders == super::Senders::Oneself => {
                let own = |address: &Address| self.is_of(user, address);
                if from.iter().any(own) {
                    return;
                }
                let text = format!(
                    "From: is not your address: you are logged in as {}. Example: From: <{}>",
                    user.name,
                    self.address_of(user)
                );
                Reply::new(550, Enhanced(5, 7, 1), text)
            }
            _ => return,
        };
        incoming.refuse(refusal);
    }

    pub(super) fn delivered(
        &mut self,
        now: Instant,
        id: &str,
        results: Vec<Result<Durable, StoreError>>,
        out: &mut Out,
    ) {
        let Some(message) = self.message.take() else {
            return;
        };
        let failures: Vec<_> = results.iter().filter_map(|it| it.as_ref().err()).collect();
        if let Some(error) = failures.first() {
            let (failed, all) = (failures.len(), results.len());
            log::error!(
                "message {id} could not be delivered to {failed} of {all} recipients: {error}"
            );
        }
        let envelope = &message.envelope;
        if failures.len() < results.len() {
            out.note(note::MESSAGE, id);
        }
        let held = envelope.options.hold_until.is_some() || envelope.wants_receipt();
        let places = message.places;
        let is_through = !held
            && !places
                .iter()
                .any(|place| matches!(place, Destination::Away));
        if let Some(witness) = self.config.witness.as_ref().filter(|_| is_through) {
            let recipients = message.envelope.recipients.iter().zip(&results);
            let there = recipients.filter(|(_, result)| result.is_ok());
            let there: Vec<&Address> = there.map(|(recipient, _)| &recipient.address).collect();
            let from = message.envelope.reverse_path.as_ref();
            witness.delivered(self.peer.accepted.unix(now), id, from, &there);
        }
        if self.config.mode == Mode::Lmtp {
            for (place, result) in places.iter().zip(results) {
                let reply = match result {
                    Ok(durable) => taken(&[durable], id, std::slice::from_ref(place), held),
                    Err(error) => replies::store_error(&error),
                };
                self.say(&reply, out);
            }
            return self.work_was_done();
        }
        let durable: Result<Vec<Durable>, StoreError> = results.into_iter().collect();
        let reply = match durable {
            Ok(durable) => {
                self.work_was_done();
                taken(&durable, id, &places, held)
            }
            Err(error) => replies::store_error(&error),
        };
        self.say(&reply, out);
    }
}

/// The one reply that takes responsibility for a message, and what it is made of.
fn taken(durable: &[Durable], id: &str, places: &[Destination], held: bool) -> Reply {
    debug_assert_eq!(durable.len(), places.len(), "one proof for each recipient");
    let mut names: Vec<&str> = Vec::new();
    for place in places {
        let Destination::Here(accounts) = place else {
            continue;
        };
        for account in accounts {
            if !names.contains(&&*account.name) {
                names.push(&account.name);
            }
        }
    }
    let away = places
        .iter()
        .any(|place| matches!(place, Destination::Away));
    let text = match &names[..] {
        _ if away || held => format!("Ok: {id} queued"),
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!(
                "Ok: {id} delivered to {first}, {second}, {third} and {} more",
                rest.len()
            )
        }
        names => format!("Ok: {id} delivered to {}", names.join(", ")),
    };
    Reply::new(250, Enhanced(2, 0, 0), text)
}
