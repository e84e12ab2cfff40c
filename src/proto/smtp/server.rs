//! The server's session: SMTP (RFC 5321), submission (RFC 6409) and LMTP (RFC 2033) in one machine.
//!
//! ```text
//!              Open             line               AUTH                     job
//!  Greeting ----------> Command -----> Command   Command -> Challenge* -> Verifying -> Command (maybe Delayed first)
//!
//!             DATA       two blocks full         one written              TextEnd               durable
//!  Command ---------> Text ------------> Storing ---------> Text  ...    ---------> Delivering ---------> Command
//!
//!             BDAT       two blocks full         one written              last octet
//!  Command ---------> Chunk -----------> Storing ---------> Chunk ...    ---------> Command (LAST: Delivering)
//!
//!             STARTTLS                TlsUp
//!  Command ----------> StartingTls ----------> Command, with all forgotten
//! ```
//!
//! | state | wants | a job runs |
//! |---|---|---|
//! | Greeting, StartingTls, Delayed, Closed | nothing | no |
//! | Proxied | octets, as many as its header still needs | no |
//! | Command, Challenge | a line | no |
//! | Text | dot-text | one that writes the block before, maybe |
//! | Chunk | octets | the same |
//! | Discarding | octets | no |
//! | Verifying, Finding, Storing, Delivering | nothing | yes |
//!
//! An answer that is held back (a wrong password, a tarpit, a policy) waits in Delayed with the state that comes after it.
//!
//! | file | what |
//! |---|---|
//! | `config`, `policy`, `rates` | what all sessions of a listener share, the hooks, who is counted how often |
//! | `arrival` | the greeting, the PROXY header, XCLIENT |
//! | `commands`, `login` | the commands that are not about a message; AUTH |
//! | `envelope` | MAIL and RCPT: who may send what to whom |
//! | `text` | DATA, BDAT, and what becomes of the message |
//! | `message`, `header`, `trace` | the text on its way in, its header, the lines before it |
//! | `strict` | what a strict session does not overlook |
//! | `replies` | what is said |
//!
//! Invariants: a `250` after a message is made from [`Durable`](crate::store::Durable) alone; what is refused is read first, and then
//! answered; what was learnt before TLS is forgotten (RFC 3207 §4.2). A message for several mailboxes of which some
//! cannot be written is answered with 451 as a whole: sent again it comes twice to some, but it is lost to nobody.
//! LMTP, which has a reply for each recipient, needs no such choice.

mod arrival;
mod commands;
mod config;
mod envelope;
mod header;
mod login;
mod message;
pub mod policy;
mod rates;
mod replies;
mod strict;
mod text;
mod trace;

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Answer;
use crate::limits;
use crate::proto::{self, Input, Out, Peer, Session, Spoil, Standing, TlsInfo};
use crate::store::{Account, AuthError, Store};
use crate::wire::lines::Want;
use crate::wire::sasl::Exchange;
use crate::wire::smtp::{self as words, Enhanced, Reply};
use message::Incoming;

pub use config::{
    Config, Disclosure, Mode, Queueing, Relaying, Rigor, SenderDomains, Senders, Timeouts,
};
pub use rates::Rates;

/// One connection's server.
pub struct Server {
    config: Arc<Config>,
    store: Arc<Store>,
    peer: Peer,
    state: State,
    deadline: Instant,
    tls: Option<Box<TlsInfo>>,
    hello: Option<Hello>,
    user: Option<Account>,
    /// Boxed, as all that an idle connection has no use for.
    message: Option<Box<envelope::Transaction>>,
    /// Where the connection itself comes from, whatever a proxy says.
    first_address: Option<IpAddr>,
    /// A proxy has said where the client is.
    proxied: bool,
    /// Messages taken: part of their names.
    messages: u64,
    /// Exchanges begun: part of their nonces.
    exchanges: u64,
    errors: usize,
    idle_commands: usize,
    auth_failures: usize,
    /// How long a policy holds back the answer to this command.
    held_back: Duration,
    /// A policy closes the connection without a word.
    dropped: bool,
    /// What is to go wrong with this command, or with the message that it ends.
    spoilt: Option<Spoil>,
    /// How it ends when the message that comes in is answered, or the job that runs is done.
    ending: Ending,
}

enum State {
    /// The connection does not stand yet.
    Greeting,
    /// The header of a proxy is to come: the octets of it so far.
    Proxied(Vec<u8>),
    Command,
    /// An answer to a challenge of AUTH is to come. The verdict is what the store said beside keys: it holds once they are
    /// proved, or why a token was refused.
    Challenge(Exchange, Option<Result<Account, AuthError>>),
    Verifying(Exchange),
    /// The sender's domain is looked up; if it takes mail, this is said.
    Finding(Reply),
    /// A reply is held back.
    Delayed {
        until: Instant,
        reply: Reply,
        then: Box<Self>,
    },
    StartingTls,
    Text(Box<Incoming>),
    Chunk(Box<Incoming>, Chunk),
    /// A worker has a block, and there is no room for more, or no more to come.
    Storing(Box<Incoming>, Then),
    Delivering {
        id: String,
    },
    /// The octets of a BDAT pass by.
    Discarding {
        octets: u64,
        reply: Reply,
        /// As many replies: LMTP has one for each recipient.
        times: usize,
    },
    Closed,
}

/// A BDAT that is being received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chunk {
    /// Octets in all.
    octets: u64,
    /// Octets still to come.
    left: u64,
    place: Place,
}

/// Where a BDAT stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// More come.
    Within,
    /// It is the last one.
    Last,
}

/// What comes once a worker is done with its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// More text, after DATA.
    Text,
    /// More of a chunk, or its end.
    Chunk(Chunk),
    /// Text has ended with its dot.
    End,
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

impl Session for Server {
    fn want(&self) -> Want {
        let max = self.config.max_line;
        match &self.state {
            State::Command | State::Challenge(..) => match self.config.rigor {
                Rigor::Lenient => Want::Line { max },
                Rigor::Strict => Want::StrictLine { max },
            },
            State::Text(_) => match self.config.rigor {
                Rigor::Lenient => Want::DotText,
                Rigor::Strict => Want::StrictText,
            },
            State::Chunk(_, chunk) => Want::Octets(chunk.left),
            State::Discarding { octets, .. } => Want::Octets(*octets),
            State::Proxied(header) => self.want_of_proxy(header),
            _ => Want::Nothing,
        }
    }

    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        let passive = matches!(input, Input::Timeout | Input::Changed | Input::Room);
        match input {
            Input::Open => self.open(now, out),
            Input::TlsUp(info) => self.tls_up(info),
            Input::Line(line) => self.line(now, line, out),
            Input::LongLine => self.long_line(out),
            Input::Text(text) => self.text(now, text, out),
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
        if !passive {
            self.deadline = now + self.patience();
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Delayed { until, .. } => Some(*until),
            State::Verifying(_)
            | State::Finding(_)
            | State::Storing(..)
            | State::Delivering { .. }
            | State::Closed => None,
            _ => Some(self.deadline),
        }
    }

    fn reads_on(&self) -> bool {
        matches!(self.state, State::Text(_) | State::Chunk(..))
    }

    fn secret_in(&self, piece: &[u8]) -> Option<Range<usize>> {
        match &self.state {
            State::Challenge(..) => (piece != b"*").then_some(0..piece.len()),
            State::Command => words::secret_in(piece),
            _ => None,
        }
    }

    fn standing(&self) -> Standing<'_> {
        Standing {
            user: self.user.as_ref().map(|account| &*account.name),
            awaits_command: matches!(self.state, State::Command),
            selected: false,
        }
    }

    fn spoil(&mut self, spoil: Spoil) {
        self.spoilt = Some(spoil);
    }
}

impl Server {
    /// A session for a new connection.
    pub fn new(config: Arc<Config>, store: Arc<Store>, peer: Peer) -> Self {
        Self {
            deadline: peer.accepted.instant + config.timeouts.command,
            config,
            store,
            peer,
            state: State::Greeting,
            tls: None,
            hello: None,
            user: None,
            message: None,
            first_address: None,
            proxied: false,
            messages: 0,
            exchanges: 0,
            errors: 0,
            idle_commands: 0,
            auth_failures: 0,
            held_back: Duration::ZERO,
            dropped: false,
            spoilt: None,
            ending: Ending::No,
        }
    }

    /// RFC 3207 §4.2: whatever was learnt in the clear is forgotten.
    fn tls_up(&mut self, info: TlsInfo) {
        self.tls = Some(Box::new(info));
        self.hello = None;
        self.user = None;
        self.message = None;
        if matches!(self.state, State::StartingTls) {
            self.state = State::Command;
        }
    }

    fn line(&mut self, now: Instant, line: &[u8], out: &mut Out) {
        match std::mem::replace(&mut self.state, State::Command) {
            State::Challenge(mut exchange, verdict) => {
                let step = exchange.answer(line);
                self.auth_step(now, step.map(|step| (exchange, step)), verdict, out);
            }
            _ => {
                self.command(now, line, out);
                if matches!(self.state, State::Command) {
                    self.spoilt = None;
                }
            }
        }
    }

    fn long_line(&mut self, out: &mut Out) {
        let was = std::mem::replace(&mut self.state, State::Command);
        let (enhanced, what) = match was {
            // RFC 4954 §6
            State::Challenge(..) => (Enhanced(5, 5, 6), "This answer"),
            _ => (Enhanced(5, 5, 2), "That line"),
        };
        let text = format!("{what} is longer than {} octets", self.config.max_line);
        self.say(&Reply::new(500, enhanced, text), out);
    }

    fn text(&mut self, now: Instant, text: &[u8], out: &mut Out) {
        match std::mem::replace(&mut self.state, State::Command) {
            State::Text(mut incoming) => {
                incoming.text(text);
                self.take_text(incoming, None, out);
            }
            State::Chunk(mut incoming, mut chunk) => {
                chunk.left = chunk.left.saturating_sub(text.len() as u64);
                incoming.text(text);
                self.take_text(incoming, Some(chunk), out);
            }
            State::Discarding {
                octets,
                reply,
                times,
            } => self.discard(octets.saturating_sub(text.len() as u64), reply, times, out),
            State::Proxied(header) => self.proxied(now, header, text, out),
            other => self.state = other,
        }
    }

    fn done(&mut self, now: Instant, answer: Answer, out: &mut Out) {
        match (std::mem::replace(&mut self.state, State::Command), answer) {
            (State::Verifying(exchange), Answer::Verified(result)) => {
                self.verified(now, exchange, result, out);
            }
            (State::Verifying(exchange), Answer::Told(told)) => {
                self.told(now, exchange, told, out);
            }
            (State::Finding(reply), Answer::Found(found)) => self.found(now, reply, found, out),
            (State::Storing(incoming, then), Answer::Appended(result, buffer)) => {
                self.written(incoming, then, result, buffer, out);
            }
            (State::Text(incoming), Answer::Appended(result, buffer)) => {
                self.written(incoming, Then::Text, result, buffer, out);
            }
            (State::Chunk(incoming, chunk), Answer::Appended(result, buffer)) => {
                self.written(incoming, Then::Chunk(chunk), result, buffer, out);
            }
            (State::Delivering { id }, Answer::Delivered(results)) => {
                self.delivered(now, &id, results, out);
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

    /// A client that sends mail may err as often as one that has just come.
    const fn work_was_done(&mut self) {
        self.errors = 0;
        self.idle_commands = 0;
    }

    /// How long is waited for what is to come.
    fn patience(&self) -> Duration {
        let timeouts = &self.config.timeouts;
        match &self.state {
            State::Text(_) | State::Chunk(..) | State::Discarding { .. } => timeouts.text,
            State::Challenge(..) => timeouts.challenge,
            State::Proxied(_) => limits::PROXY_WAIT,
            _ => timeouts.command,
        }
    }

    fn timeout(&mut self, now: Instant, out: &mut Out) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        let patience = self.patience();
        match std::mem::replace(&mut self.state, State::Command) {
            State::Delayed { reply, then, .. } => {
                self.state = *then;
                self.deadline = now + self.patience();
                let closes = matches!(self.state, State::Closed);
                if closes {
                    out.with(|bytes| reply.write(bytes));
                    return self.close(out);
                }
                self.say(&reply, out);
                if self.auth_failures >= self.config.max_login_failures {
                    let text = "Too many wrong passwords; connect again to go on";
                    self.say(&Reply::new(421, Enhanced(4, 7, 0), text), out);
                    self.close(out);
                }
                if self.ending != Ending::No {
                    self.end(self.ending, out);
                }
            }
            State::Greeting | State::Proxied(_) | State::StartingTls | State::Closed => {
                self.close(out);
            }
            _ => {
                let text = format!(
                    "{} heard nothing for {} seconds, and hangs up",
                    self.config.hostname,
                    patience.as_secs()
                );
                self.say(&Reply::new(421, Enhanced(4, 4, 2), text), out);
                self.close(out);
            }
        }
    }

    /// Ends now, or when the job that runs is done: what a worker has is never told from what was lost.
    fn end(&mut self, ending: Ending, out: &mut Out) {
        match &self.state {
            State::Verifying(_)
            | State::Finding(_)
            | State::Storing(..)
            | State::Delivering { .. } => {
                self.ending = ending;
                return;
            }
            // Whoever is in the middle of a message may finish it, as long as the program waits.
            State::Text(_) | State::Chunk(..)
                if ending == Ending::Stop && self.ending != Ending::Stop =>
            {
                self.ending = ending;
                return;
            }
            // Who hangs up at once must not learn sooner that the password was wrong.
            State::Delayed { .. } if ending == Ending::Eof => {
                self.ending = ending;
                return;
            }
            State::Closed | State::StartingTls | State::Greeting | State::Proxied(_) => {}
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
        self.message = None;
        out.close();
    }

    /// Answers a command: at once, or after the time that a policy, or too many errors, hold it back.
    fn respond(&mut self, now: Instant, reply: Reply, out: &mut Out) {
        if std::mem::take(&mut self.dropped) {
            return self.close(out);
        }
        let tarpit = match self.errors >= self.config.soft_errors && reply.class() == 5 {
            true => limits::TARPIT_PAUSE,
            false => Duration::ZERO,
        };
        let held_back = std::mem::take(&mut self.held_back).max(tarpit);
        if held_back.is_zero() {
            return self.say(&reply, out);
        }
        self.state = State::Delayed {
            until: now + held_back.min(limits::POLICY_DELAY),
            reply,
            then: Box::new(std::mem::replace(&mut self.state, State::Command)),
        };
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
        if self.errors == self.config.max_errors {
            let text = "Too many errors; connect again to go on";
            out.with(|bytes| Reply::new(421, Enhanced(4, 7, 0), text).write(bytes));
            self.close(out);
        }
    }
}

#[cfg(test)]
mod tests;
