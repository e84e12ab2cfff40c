//! The server's session: SMTP (RFC 5321), submission (RFC 6409) and LMTP (RFC 2033) in one machine.
//!
//! ```text
//!              Open             line               AUTH                     job
//!  Greeting ----------> Command -----> Command   Command -> Challenge* -> Verifying -> Command (maybe Delayed first)
//!
//!             DATA          block full            written                 TextEnd               durable
//!  Command ---------> Text ------------> Storing ---------> Text  ...    ---------> Delivering ---------> Command
//!
//!             STARTTLS                TlsUp
//!  Command ----------> StartingTls ----------> Command, with all forgotten
//! ```
//!
//! | state | wants | a job runs |
//! |---|---|---|
//! | Greeting, StartingTls, Delayed, Closed | nothing | no |
//! | Command, Challenge | a line | no |
//! | Text | dot-text | no |
//! | Discarding | octets | no |
//! | Verifying, Storing, Delivering | nothing | yes |
//!
//! Invariants: a `250` after a message is made from [`Durable`] alone; what is refused is read first, and then
//! answered; what was learnt before TLS is forgotten (RFC 3207 §4.2). A message for several mailboxes of which some
//! cannot be written is answered with 451 as a whole: sent again it comes twice to some, but it is lost to nobody.
//! LMTP, which has a reply for each recipient, needs no such choice.

mod commands;
mod header;
mod login;
mod message;
mod replies;
mod trace;

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use super::{Answer, Job};
use crate::limits;
use crate::proto::{self, Input, Out, Peer, Refused, Session, StartTls, TlsInfo};
use crate::store::{Account, Durable, Store, StoreError};
use crate::wire::address::Address;
use crate::wire::lines::Want;
use crate::wire::sasl::Exchange;
use crate::wire::smtp::{self as words, Enhanced, Reply};
use message::Incoming;

/// What kind of server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Takes mail for its own domains from anybody (RFC 5321).
    Mta,
    /// Takes mail from its users, who log in first (RFC 6409).
    Submission,
    /// Takes mail from a server beside it, with a reply for each recipient (RFC 2033).
    Lmtp,
}

/// What all sessions of a listener share.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the server calls itself.
    pub hostname: String,
    /// Where an address without a domain belongs.
    pub domain: String,
    /// What kind of server it is.
    pub mode: Mode,
    /// The biggest message that is taken (RFC 1870).
    pub max_octets: u64,
    /// The most recipients of one message.
    pub max_recipients: usize,
    /// Whether STARTTLS is offered.
    pub start_tls: StartTls,
}

impl Config {
    /// With the bounds of [`limits`], without TLS.
    pub fn new(hostname: &str, domain: &str, mode: Mode) -> Self {
        Self {
            hostname: hostname.to_owned(),
            domain: domain.to_owned(),
            mode,
            max_octets: limits::MESSAGE_SIZE,
            max_recipients: limits::RECIPIENTS,
            start_tls: StartTls::Unavailable,
        }
    }
}

/// One connection's server.
pub struct Server {
    config: Arc<Config>,
    store: Arc<Store>,
    peer: Peer,
    state: State,
    deadline: Instant,
    tls: Option<TlsInfo>,
    hello: Option<Hello>,
    user: Option<Account>,
    envelope: Option<Envelope>,
    /// Messages taken: part of their names.
    messages: u64,
    errors: usize,
    idle_commands: usize,
    auth_failures: usize,
    /// How it ends when the message that comes in is answered, or the job that runs is done.
    ending: Ending,
}

enum State {
    /// The connection does not stand yet.
    Greeting,
    Command,
    Challenge(Exchange),
    Verifying,
    Delayed {
        until: Instant,
        reply: Reply,
    },
    StartingTls,
    Text(Incoming),
    Storing(Incoming),
    Delivering {
        id: String,
    },
    /// The text of a BDAT passes by.
    Discarding {
        octets: u64,
        reply: Reply,
    },
    Closed,
}

/// How the session ends once the job that runs is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    No,
    /// The peer says no more.
    Eof,
    /// The program ends.
    Stop,
}

/// How the client introduced itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HelloKind {
    Helo,
    Ehlo,
    Lhlo,
}

#[derive(Clone, Debug)]
struct Hello {
    kind: HelloKind,
    /// Fit for a header and a reply.
    name: String,
}

/// A message's envelope, from MAIL on.
#[derive(Debug)]
struct Envelope {
    reverse_path: Option<Address>,
    recipients: Vec<Recipient>,
}

#[derive(Debug)]
struct Recipient {
    address: Address,
    account: Account,
}

impl Session for Server {
    fn want(&self) -> Want {
        match &self.state {
            State::Command | State::Challenge(_) => Want::Line {
                max: limits::SMTP_LINE,
            },
            State::Text(_) => Want::DotText,
            State::Discarding { octets, .. } => Want::Octets(*octets),
            _ => Want::Nothing,
        }
    }

    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        if !matches!(input, Input::Timeout | Input::Changed | Input::Room) {
            self.deadline = now + limits::SMTP_IDLE;
        }
        match input {
            Input::Open => self.greet(out),
            Input::TlsUp(info) => self.tls_up(info),
            Input::Line(line) => self.line(now, line, out),
            Input::LongLine => self.long_line(out),
            Input::Text(text) => self.text(text, out),
            Input::TextEnd => {
                self.text_end(out);
                if self.ending != Ending::No {
                    self.end(self.ending, out);
                }
            }
            Input::Done(proto::Answer::Smtp(answer)) => self.done(now, answer, out),
            Input::Done(other) => {
                log::error!("an SMTP session got another's answer: {other:?}");
                self.close(out);
            }
            Input::Timeout => self.timeout(now, out),
            Input::Eof => self.end(Ending::Eof, out),
            Input::Stop => self.end(Ending::Stop, out),
            Input::Changed | Input::Room => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Delayed { until, .. } => Some(*until),
            State::Verifying | State::Storing(_) | State::Delivering { .. } | State::Closed => None,
            _ => Some(self.deadline),
        }
    }

    fn secret_in(&self, piece: &[u8]) -> Option<Range<usize>> {
        match &self.state {
            State::Challenge(_) => (piece != b"*").then_some(0..piece.len()),
            State::Command => words::secret_in(piece),
            _ => None,
        }
    }
}

impl Server {
    /// A session for a new connection.
    pub fn new(config: Arc<Config>, store: Arc<Store>, peer: Peer) -> Self {
        Self {
            deadline: peer.accepted.instant + limits::SMTP_IDLE,
            config,
            store,
            peer,
            state: State::Greeting,
            tls: None,
            hello: None,
            user: None,
            envelope: None,
            messages: 0,
            errors: 0,
            idle_commands: 0,
            auth_failures: 0,
            ending: Ending::No,
        }
    }

    fn greet(&mut self, out: &mut Out) {
        let refusal = match self.peer.refused {
            None => {
                let protocol = match self.config.mode {
                    Mode::Lmtp => "LMTP",
                    Mode::Mta | Mode::Submission => "ESMTP",
                };
                let greeting = format!("{} {protocol} mailtool", self.config.hostname);
                self.state = State::Command;
                return out.with(|bytes| Reply::basic(220, greeting).write(bytes));
            }
            Some(Refused::Connections) => "too many connections now, try again later",
            Some(Refused::Address) => "too many connections from your address, close one first",
        };
        let text = format!("{}: {refusal}", self.config.hostname);
        self.say(&Reply::new(421, Enhanced(4, 7, 0), text), out);
        self.close(out);
    }

    /// RFC 3207 §4.2: whatever was learnt in the clear is forgotten.
    fn tls_up(&mut self, info: TlsInfo) {
        self.tls = Some(info);
        self.hello = None;
        self.user = None;
        self.envelope = None;
        if matches!(self.state, State::StartingTls) {
            self.state = State::Command;
        }
    }

    fn line(&mut self, now: Instant, line: &[u8], out: &mut Out) {
        match std::mem::replace(&mut self.state, State::Command) {
            State::Challenge(mut exchange) => {
                let step = exchange.answer(line);
                self.auth_step(step.map(|step| (exchange, step)), out);
            }
            _ => self.command(now, line, out),
        }
    }

    fn long_line(&mut self, out: &mut Out) {
        let was = std::mem::replace(&mut self.state, State::Command);
        let (enhanced, what) = match was {
            // RFC 4954 §6
            State::Challenge(_) => (Enhanced(5, 5, 6), "This answer"),
            _ => (Enhanced(5, 5, 2), "That line"),
        };
        let text = format!("{what} is longer than {} octets", limits::SMTP_LINE);
        self.say(&Reply::new(500, enhanced, text), out);
    }

    fn text(&mut self, text: &[u8], out: &mut Out) {
        match std::mem::replace(&mut self.state, State::Command) {
            State::Text(mut incoming) => {
                incoming.text(text);
                let first = self
                    .envelope
                    .as_ref()
                    .and_then(|envelope| envelope.recipients.first());
                let part = first.and_then(|first| incoming.full_block(&first.account));
                self.state = match part {
                    None => State::Text(incoming),
                    Some(part) => {
                        out.job(proto::Job::Smtp(Job::Append(part)));
                        State::Storing(incoming)
                    }
                };
            }
            State::Discarding { octets, reply } => match octets.saturating_sub(text.len() as u64) {
                0 => self.say(&reply, out),
                octets => self.state = State::Discarding { octets, reply },
            },
            other => self.state = other,
        }
    }

    fn text_end(&mut self, out: &mut Out) {
        let State::Text(mut incoming) = std::mem::replace(&mut self.state, State::Command) else {
            return;
        };
        let recipients = match &self.envelope {
            Some(envelope) => &envelope.recipients[..],
            None => &[],
        };
        let Some(first) = recipients.first() else {
            return;
        };
        if let Some(refusal) = incoming.take_refusal() {
            // RFC 2033 §4.2: as many replies as recipients, and still one error.
            let more = match self.config.mode {
                Mode::Lmtp => recipients.len() - 1,
                Mode::Mta | Mode::Submission => 0,
            };
            self.envelope = None;
            for _ in 0..more {
                out.with(|bytes| refusal.write(bytes));
            }
            return self.say(&refusal, out);
        }
        let part = incoming.last_block(&first.account);
        let to = recipients
            .iter()
            .map(|recipient| recipient.account.clone())
            .collect();
        out.job(proto::Job::Smtp(Job::Deliver(part, to)));
        self.state = State::Delivering { id: incoming.id };
    }

    fn done(&mut self, now: Instant, answer: Answer, out: &mut Out) {
        match (std::mem::replace(&mut self.state, State::Command), answer) {
            (State::Verifying, Answer::Verified(result)) => self.verified(now, result, out),
            (State::Storing(mut incoming), Answer::Appended(result, buffer)) => {
                match result {
                    Ok(spool) => incoming.written(spool, buffer),
                    Err(error) => {
                        log::error!("message {} could not be written: {error}", incoming.id);
                        incoming.refuse(replies::store_error(&error));
                    }
                }
                self.state = State::Text(incoming);
            }
            (State::Delivering { id }, Answer::Delivered(results)) => {
                self.delivered(&id, results, out)
            }
            (_, answer) => {
                log::error!("an SMTP session got an answer that it did not ask for: {answer:?}");
                return self.close(out);
            }
        }
        if self.ending != Ending::No {
            self.end(self.ending, out);
        }
    }

    fn delivered(&mut self, id: &str, results: Vec<Result<Durable, StoreError>>, out: &mut Out) {
        let Some(envelope) = self.envelope.take() else {
            return;
        };
        let failures: Vec<_> = results.iter().filter_map(|it| it.as_ref().err()).collect();
        if let Some(error) = failures.first() {
            let (failed, all) = (failures.len(), results.len());
            log::error!(
                "message {id} could not be delivered to {failed} of {all} recipients: {error}"
            );
        }
        let recipients = envelope.recipients.into_iter();
        if self.config.mode == Mode::Lmtp {
            for (recipient, result) in recipients.zip(results) {
                let reply = match result {
                    Ok(durable) => taken(&[durable], id, &[recipient.account]),
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
                let accounts: Vec<_> = recipients.map(|recipient| recipient.account).collect();
                taken(&durable, id, &accounts)
            }
            Err(error) => replies::store_error(&error),
        };
        self.say(&reply, out);
    }

    /// A client that sends mail may err as often as one that has just come.
    const fn work_was_done(&mut self) {
        self.errors = 0;
        self.idle_commands = 0;
    }

    fn timeout(&mut self, now: Instant, out: &mut Out) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match std::mem::replace(&mut self.state, State::Command) {
            State::Delayed { reply, .. } => {
                self.say(&reply, out);
                if self.auth_failures >= limits::LOGIN_FAILURES {
                    let text = "Too many wrong passwords; connect again to go on";
                    self.say(&Reply::new(421, Enhanced(4, 7, 0), text), out);
                    self.close(out);
                }
                if self.ending != Ending::No {
                    self.end(self.ending, out);
                }
            }
            State::Greeting | State::StartingTls | State::Closed => self.close(out),
            _ => {
                let text = format!(
                    "{} heard nothing for {} seconds, and hangs up",
                    self.config.hostname,
                    limits::SMTP_IDLE.as_secs()
                );
                self.say(&Reply::new(421, Enhanced(4, 4, 2), text), out);
                self.close(out);
            }
        }
    }

    /// Ends now, or when the job that runs is done: what a worker has is never told from what was lost.
    fn end(&mut self, ending: Ending, out: &mut Out) {
        match &self.state {
            State::Verifying | State::Storing(_) | State::Delivering { .. } => {
                self.ending = ending;
                return;
            }
            // Whoever is in the middle of a message may finish it, as long as the program waits.
            State::Text(_) if ending == Ending::Stop && self.ending != Ending::Stop => {
                self.ending = ending;
                return;
            }
            // Who hangs up at once must not learn sooner that the password was wrong.
            State::Delayed { .. } if ending == Ending::Eof => {
                self.ending = ending;
                return;
            }
            State::Closed | State::StartingTls => {}
            _ if ending == Ending::Stop => {
                let text = format!("{} is shutting down; try again later", self.config.hostname);
                self.say(&Reply::new(421, Enhanced(4, 3, 2), text), out);
            }
            _ => {}
        }
        self.close(out);
    }

    fn close(&mut self, out: &mut Out) {
        self.state = State::Closed;
        self.envelope = None;
        out.close();
    }

    /// Says a reply, and counts it when it refuses: who errs too often is sent away.
    fn say(&mut self, reply: &Reply, out: &mut Out) {
        if matches!(self.state, State::Closed) {
            return;
        }
        out.with(|bytes| reply.write(bytes));
        if reply.class() != 5 {
            return;
        }
        self.errors += 1;
        if self.errors == limits::ERRORS {
            let text = "Too many errors; connect again to go on";
            out.with(|bytes| Reply::new(421, Enhanced(4, 7, 0), text).write(bytes));
            self.close(out);
        }
    }
}

/// The one reply that takes responsibility for a message, and what it is made of.
fn taken(durable: &[Durable], id: &str, accounts: &[Account]) -> Reply {
    debug_assert_eq!(durable.len(), accounts.len(), "one proof for each mailbox");
    let mut names: Vec<&str> = Vec::new();
    for account in accounts {
        if !names.contains(&&*account.name) {
            names.push(&account.name);
        }
    }
    let text = match &names[..] {
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

#[cfg(test)]
mod tests;
