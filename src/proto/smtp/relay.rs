//! The client's session: any number of messages to one server, over one connection (RFC 5321 §3, RFC 2033 for LMTP).
//!
//! Whoever orders the connection shares a [`Tray`] with the session: puts [`Message`]s into it, and finds an [`Outcome`] for each,
//! with a [`Fate`] for each recipient. What happens to the connection, and not to a message, is [`Tray::failure`]; messages
//! that were not begun then are [`Tray::undone`].
//!
//! | state | said | then |
//! |---|---|---|
//! | Greeting | | EHLO |
//! | Ehlo, Helo | `EHLO` (`HELO` where that is unknown; `LHLO`) | STARTTLS, AUTH or a message |
//! | StartTls | `STARTTLS` | TLS, and EHLO again: what was learnt before is forgotten (RFC 3207 §4.2) |
//! | Auth | `AUTH` with the best mechanism that is offered | a message |
//! | Looking | | the text has been looked at: what it is made of |
//! | Envelope | `RSET` if need be, `MAIL`, each `RCPT`, `DATA`: all at once with PIPELINING, else one by one | the text, or the next message |
//! | Text | the message, as fast as it is taken | |
//! | Final | a dot alone; or `BDAT` and all of it | the next message, after one reply (LMTP: one for each recipient) |
//! | Idle | | a message, when the tray has one; QUIT when its time is over |
//! | Quit | `QUIT` | closed |
//!
//! A server that takes some recipients and not others gets the message for those that it takes. BDAT is for what DATA cannot
//! carry, and for files: they go out as they are. DATA is for what is in memory: with PIPELINING a message that is refused is not
//! sent, and one that is taken costs one round trip.
//!
//! What it keeps:
//! - each message that was taken from the tray has one outcome, also when the session is dropped;
//! - a recipient is [`Fate::Taken`] only by the server's own 2yz to the end of the message;
//! - between messages nothing is left of the one before (RSET after one that did not come to its end).

mod halt;
mod hand;
pub mod manner;
mod message;
pub mod offers;
mod opening;
mod plan;
mod text;
mod transfer;
pub mod tray;
mod wishes;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use super::terms::{Failure, Protocol, Stage};
use crate::limits;
use crate::proto::client::{Failure as DialogueFailure, Upgrade};
use crate::proto::{self, Input, Out, Session, TlsInfo};
use crate::wire::lines::Want;
use crate::wire::sasl_client::Exchange;
use crate::wire::smtp::{Reply, ReplyReader};

use self::hand::{Command, Hand};
use self::manner::{Manner, Point};
pub use self::message::{Fate, Message, Outcome, PassedOn, Sent};
use self::offers::Offers;
pub use self::plan::{Patience, Plan};
pub use self::text::{Nature, Stuffed, Text};
pub use self::tray::{Heard, Server, Tray};

/// A client session. See the module.
pub struct Client {
    plan: Plan,
    tray: Tray,
    state: State,
    replies: ReplyReader,
    offers: Offers,
    manner: Option<Box<Manner>>,
    tls: Option<TlsInfo>,
    /// The login is under way, or over.
    exchange: Option<Exchange>,
    hand: Option<Hand>,
    /// The server holds an envelope that came to nothing.
    dirty: bool,
    /// Messages that were begun.
    begun: usize,
    stopping: bool,
    /// Seconds since 1970.
    unix: i64,
    /// Of the last input.
    now: Option<Instant>,
    deadline: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Not connected, or TLS is being started.
    Waiting(After),
    Greeting,
    Ehlo,
    Helo,
    StartTls,
    Xclient,
    /// The initial response waits for the server's leave to be sent.
    AuthBegin,
    Auth,
    /// A job looks at the text.
    Looking,
    Envelope,
    Text,
    /// A chunk that is not the last.
    Chunk,
    /// How many replies have come.
    Final(usize),
    Idle,
    Quit,
    Closed,
}

/// What is waited for while nothing is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Connecting,
    StartingTls,
}

impl Session for Client {
    fn want(&self) -> Want {
        match self.state {
            State::Waiting(_) | State::Looking | State::Closed => Want::Nothing,
            _ => Want::Line {
                max: limits::SMTP_LINE,
            },
        }
    }

    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        if matches!(self.state, State::Closed) {
            return;
        }
        self.unix = self.plan.epoch.map_or(0, |epoch| epoch.unix(now));
        self.now = Some(now);
        match input {
            Input::Open => {
                self.state = State::Greeting;
                if self.tls.is_some() {
                    self.passed_before(Point::Tls, Point::Banner);
                }
                if self.is_to_drop_at(Point::Connect) {
                    self.halt(out);
                }
            }
            Input::TlsUp(tls) => {
                self.plan.upgrade = Upgrade::Never;
                self.tray.set_tls(&tls);
                self.tls = Some(tls);
                if matches!(self.state, State::Waiting(After::StartingTls))
                    && !self.halts_before(Point::Xclient, out)
                {
                    self.say_hello(out);
                }
            }
            Input::Line(line) => self.line(line, out),
            Input::LongLine => {
                let failure =
                    DialogueFailure::protocol(self.stage(), b"a line that is far too long");
                self.fail(failure.into(), out);
            }
            Input::Room => self.send_text(out),
            Input::Done(proto::Answer::Smtp(answer)) => self.answered(answer, out),
            Input::Changed if matches!(self.state, State::Idle) => self.next_message(out),
            Input::Timeout => self.timeout(out),
            Input::Eof => self.lost(out),
            Input::Stop => self.stop(out),
            Input::Text(_) | Input::TextEnd | Input::Done(_) | Input::Changed => {}
        }
        self.deadline = self.patience().map(|patience| now + patience);
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

impl Drop for Client {
    /// The connection is over: what is in hand has not come to its end.
    fn drop(&mut self) {
        self.interrupt();
        self.tray.set_idle(false);
    }
}

impl Client {
    /// A session that sends what comes into `tray`, as `plan` says.
    pub fn new(plan: Plan, tray: Tray) -> Self {
        Self {
            plan,
            tray,
            state: State::Waiting(After::Connecting),
            replies: ReplyReader::default(),
            offers: Offers::default(),
            manner: None,
            tls: None,
            exchange: None,
            hand: None,
            dirty: false,
            begun: 0,
            stopping: false,
            unix: 0,
            now: None,
            deadline: None,
        }
    }

    /// The same, in this manner.
    pub fn with_manner(mut self, manner: Manner) -> Self {
        self.manner = Some(Box::new(manner));
        self
    }

    fn line(&mut self, line: &[u8], out: &mut Out) {
        match self.replies.line(line) {
            Ok(None) => {}
            Ok(Some(reply)) => self.reply(reply, out),
            Err(_) => {
                let failure = DialogueFailure::protocol(self.stage(), line);
                self.fail(failure.into(), out);
            }
        }
    }

    fn reply(&mut self, reply: Reply, out: &mut Out) {
        let class = reply.class();
        self.keep(&reply);
        match self.state {
            State::Greeting if class == 2 => {
                self.tray.set_name(&reply);
                if !self.halts_before(Point::FirstHello, out) {
                    self.say_hello(out);
                }
            }
            State::Ehlo if class == 2 => {
                self.offers = Offers::read(&reply);
                self.tray.set_offers(&reply);
                self.upgrade(out);
            }
            // RFC 5321 §3.2: a server that does not know EHLO may know HELO.
            State::Ehlo if class == 5 && self.plan.protocol == Protocol::Smtp => {
                self.state = State::Helo;
                out.line(format!("HELO {}", self.plan.name).as_bytes());
            }
            State::Helo if class == 2 => self.upgrade(out),
            // It begins anew, as whoever it was told of.
            State::Xclient if class == 2 => self.say_hello(out),
            State::StartTls if class == 2 => {
                self.offers = Offers::default();
                self.state = State::Waiting(After::StartingTls);
                out.start_tls();
            }
            State::StartTls if self.plan.upgrade == Upgrade::IfOffered && reply.code != 421 => {
                self.introduce(out);
            }
            State::AuthBegin | State::Auth if reply.code == 334 => self.challenged(&reply, out),
            State::AuthBegin | State::Auth if class == 2 => self.logged_in(&reply, out),
            State::Envelope => self.envelope_reply(reply, out),
            State::Text if reply.code != 421 && class >= 4 => self.refused_in_text(reply, out),
            State::Chunk => self.chunk_reply(reply, out),
            State::Final(replies) if class != 3 => self.final_reply(replies, reply, out),
            // A server that hangs up while nothing is to be done breaks no promise.
            State::Idle | State::Quit => self.close(out),
            State::Waiting(_) | State::Looking | State::Closed => {}
            _ => {
                let stage = self.stage();
                self.fail(Failure::Refused { stage, reply }, out);
            }
        }
    }

    /// Begins the next message, or waits for one.
    fn next_message(&mut self, out: &mut Out) {
        loop {
            let most = self.offers.mail_max.unwrap_or(usize::MAX);
            if self.stopping || self.begun >= most {
                return self.quit(out);
            }
            match self.tray.next() {
                tray::Next::Message(message) => self.hand = Some(Hand::new(*message)),
                tray::Next::Wait => {
                    self.state = State::Idle;
                    return out.notify();
                }
                tray::Next::Over => return self.quit(out),
            }
            self.begun += 1;
            if self.begin(out) {
                return;
            }
            self.conclude(out);
        }
    }

    /// The message in hand has come to its end.
    fn conclude(&mut self, out: &mut Out) {
        if let Some(hand) = self.hand.take() {
            self.tray.put(hand.outcome(|| Fate::Interrupted {
                stage: Stage::Mail,
                sent: Sent::InPart,
            }));
            out.notify();
        }
    }

    /// The message in hand comes to no end.
    fn interrupt(&mut self) {
        let (stage, sent) = match self.state {
            State::Final(_) => (Stage::Text, Sent::Whole),
            _ => (self.stage(), Sent::InPart),
        };
        if let Some(hand) = self.hand.take() {
            self.tray
                .put(hand.outcome(|| Fate::Interrupted { stage, sent }));
        }
    }

    fn quit(&mut self, out: &mut Out) {
        self.tray.set_idle(false);
        self.state = State::Quit;
        out.line(b"QUIT");
    }

    fn close(&mut self, out: &mut Out) {
        self.tray.set_idle(false);
        self.state = State::Closed;
        out.close();
    }

    /// Says goodbye as long as the server listens, and goes.
    fn fail(&mut self, failure: Failure, out: &mut Out) {
        if matches!(self.state, State::Quit | State::Idle) {
            return self.close(out);
        }
        let polite = match &failure {
            Failure::Refused { reply, .. } => reply.code != 421,
            Failure::NoMechanism(_)
            | Failure::NotOffered(_)
            | Failure::Dialogue(DialogueFailure::NoTls | DialogueFailure::TlsFirst) => true,
            _ => false,
        };
        let in_text = matches!(self.state, State::Text);
        self.interrupt();
        self.tray.set_failure(failure);
        out.notify();
        if polite && !in_text {
            return self.quit(out);
        }
        self.close(out);
    }

    fn lost(&mut self, out: &mut Out) {
        let step = self.stage().to_string();
        self.fail(DialogueFailure::Lost { step }.into(), out);
    }

    fn timeout(&mut self, out: &mut Out) {
        match self.state {
            State::Idle => self.quit(out),
            State::Quit => self.close(out),
            _ => {
                let step = self.stage().to_string();
                self.fail(DialogueFailure::Silent { step }.into(), out);
            }
        }
    }

    /// The first time: no more messages. The second time: not this one either.
    fn stop(&mut self, out: &mut Out) {
        if std::mem::replace(&mut self.stopping, true) {
            return self.lost(out);
        }
        match self.state {
            State::Idle => self.quit(out),
            _ if self.hand.is_none() && !matches!(self.state, State::Quit) => self.lost(out),
            _ => {}
        }
    }

    /// What a reply that comes now would answer.
    pub(super) fn stage(&self) -> Stage {
        match self.state {
            State::Waiting(After::Connecting) | State::Greeting => Stage::Greeting,
            State::Ehlo | State::Helo => Stage::Hello(self.plan.protocol),
            State::StartTls | State::Waiting(After::StartingTls) => Stage::StartTls,
            State::Xclient => Stage::Xclient,
            State::AuthBegin | State::Auth => Stage::Auth,
            State::Envelope => match self.hand.as_ref().and_then(|hand| hand.sent.front()) {
                Some(Command::Data) => Stage::Data,
                Some(Command::Rcpt(_)) => Stage::Rcpt,
                _ => Stage::Mail,
            },
            State::Looking | State::Idle => Stage::Mail,
            State::Text | State::Chunk | State::Final(_) | State::Quit | State::Closed => {
                Stage::Text
            }
        }
    }

    fn patience(&self) -> Option<Duration> {
        let patience = &self.plan.patience;
        Some(match self.state {
            State::Closed | State::Looking => return None,
            State::Waiting(_) | State::Greeting => patience.greeting,
            State::Envelope => match self.stage() {
                Stage::Data => patience.data,
                Stage::Rcpt => patience.rcpt,
                _ => patience.mail,
            },
            State::Idle => self.plan.idle,
            State::Text | State::Chunk | State::Final(_) => patience.text,
            State::Quit => patience.quit,
            _ => patience.command,
        })
    }
}
