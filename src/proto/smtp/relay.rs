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

pub mod offers;
mod text;
pub mod tray;
mod wishes;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::client::{Failure, Login, Protocol, Stage};
use super::{Answer, Job};
use crate::limits;
use crate::proto::client::{Failure as DialogueFailure, Upgrade};
use crate::proto::{self, Epoch, Input, Out, Session, TlsInfo};
use crate::wire::dots::Stuffer;
use crate::wire::envelope::Envelope;
use crate::wire::lines::Want;
use crate::wire::sasl_client::{Exchange, Privacy};
use crate::wire::smtp::{Enhanced, Reply, ReplyReader};

use self::offers::Offers;
pub use self::text::{Nature, Stuffed, Text};
pub use self::tray::{Server, Tray};
use self::wishes::{Hitch, Situation, Way, Wishes};

/// How to talk to the server.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What to call oneself.
    pub name: String,
    /// SMTP or LMTP.
    pub protocol: Protocol,
    /// What to do about STARTTLS. [`Upgrade::Never`] when TLS is there from the first octet, or was tried in vain.
    pub upgrade: Upgrade,
    /// Who logs in, if anybody.
    pub login: Option<Login>,
    /// How long the server may be silent.
    pub patience: Patience,
    /// How long the connection is kept for another message.
    pub idle: Duration,
    /// Both clocks at one moment, so that BY= can be told in seconds from now; not needed for messages without it.
    pub epoch: Option<Epoch>,
}

/// How long the server may be silent, by what it should answer (RFC 5321 §4.5.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Its greeting.
    pub greeting: Duration,
    /// EHLO, STARTTLS, AUTH, MAIL, RCPT, RSET.
    pub command: Duration,
    /// DATA.
    pub data: Duration,
    /// The end of a message.
    pub text: Duration,
    /// QUIT: nothing depends on it.
    pub quit: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            greeting: limits::RELAY_GREETING,
            command: limits::RELAY_COMMAND,
            data: limits::RELAY_DATA,
            text: limits::RELAY_TEXT,
            quit: limits::RELAY_QUIT,
        }
    }
}

impl Patience {
    /// The same for everything: for labs and tests.
    pub const fn of(all: Duration) -> Self {
        Self {
            greeting: all,
            command: all,
            data: all,
            text: all,
            quit: all,
        }
    }
}

/// A message for this server. What its envelope says is passed on as far as the server takes it.
#[derive(Clone, Debug)]
pub struct Message {
    /// The word of whoever gave it; comes back in its [`Outcome`].
    pub word: u64,
    /// With those recipients that this server is to be asked for, at least one.
    /// [`body`](crate::wire::envelope::MailOptions::body) and `utf8` say what the text really is, or more.
    pub envelope: Envelope,
    /// Header and body.
    pub text: Text,
}

/// What became of a message on this connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// [`Message::word`]
    pub word: u64,
    /// One for each recipient, in their order.
    pub fates: Vec<Fate>,
    /// What the next server was told of what its sender had asked for, where that matters for reports.
    pub passed_on: PassedOn,
}

/// Which wishes the next server took over, and so will report on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassedOn {
    /// NOTIFY, ORCPT, RET and ENVID. Without it, who asked for success is told `relayed` here (RFC 3461 §5.2.2).
    pub dsn: bool,
    /// BY.
    pub deliver_by: bool,
}

/// What became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The server has the message for this one, and answers for it.
    Taken(Reply),
    /// The server says no: for good (5yz) or for now (4yz).
    Refused {
        /// To what.
        stage: Stage,
        /// Its words.
        reply: Reply,
    },
    /// The message cannot be given to this server as it is: our own words, as a server's would be. Another server of the
    /// same domain may be better.
    Unfit(Reply),
    /// The connection ended before the server had answered. See [`Tray::failure`].
    Interrupted {
        /// What it had not answered.
        stage: Stage,
        /// Whether it may have the message all the same, so that trying again may make a second one.
        sent: Sent,
    },
}

/// How much of a message a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Not all of it: it cannot have taken it.
    InPart,
    /// All of it.
    Whole,
}

/// A client session. See the module.
pub struct Client {
    plan: Plan,
    tray: Tray,
    state: State,
    replies: ReplyReader,
    offers: Offers,
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
    /// The initial response waits for the server's leave to be sent.
    AuthBegin,
    Auth,
    /// A job looks at the text.
    Looking,
    Envelope,
    Text,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Rset,
    Mail,
    /// By its place in the envelope.
    Rcpt(usize),
    Data,
    Bdat,
}

/// The message that is being sent.
struct Hand {
    message: Message,
    fates: Vec<Option<Fate>>,
    wishes: Wishes,
    nature: Option<Nature>,
    /// The commands of the envelope that are not sent yet.
    to_send: VecDeque<Command>,
    /// Sent; the first is being answered.
    sent: VecDeque<Command>,
    /// The recipients that the server took, by their place in the envelope.
    accepted: Vec<usize>,
    /// The server has no use for the text: sender or message were refused.
    refused: bool,
    /// Octets of the text that have been given to the connection.
    octets: u64,
    stuffer: Stuffer,
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
        match input {
            Input::Open => self.state = State::Greeting,
            Input::TlsUp(tls) => {
                self.plan.upgrade = Upgrade::Never;
                self.tray.set_tls(&tls);
                self.tls = Some(tls);
                if matches!(self.state, State::Waiting(After::StartingTls)) {
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
            tls: None,
            exchange: None,
            hand: None,
            dirty: false,
            begun: 0,
            stopping: false,
            unix: 0,
            deadline: None,
        }
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
        match self.state {
            State::Greeting if class == 2 => {
                self.tray.set_name(&reply);
                self.say_hello(out);
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
            State::StartTls if class == 2 => {
                self.offers = Offers::default();
                self.state = State::Waiting(After::StartingTls);
                out.start_tls();
            }
            State::StartTls if self.plan.upgrade == Upgrade::IfOffered && reply.code != 421 => {
                self.log_in(out);
            }
            State::AuthBegin | State::Auth if reply.code == 334 => self.challenged(&reply, out),
            State::AuthBegin | State::Auth if class == 2 => self.logged_in(&reply, out),
            State::Envelope => self.envelope_reply(reply, out),
            State::Text if reply.code != 421 && class >= 4 => self.refused_in_text(reply, out),
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

    fn say_hello(&mut self, out: &mut Out) {
        let verb = match self.plan.protocol {
            Protocol::Smtp => "EHLO",
            Protocol::Lmtp => "LHLO",
        };
        self.state = State::Ehlo;
        out.line(format!("{verb} {}", self.plan.name).as_bytes());
    }

    fn upgrade(&mut self, out: &mut Out) {
        match (self.plan.upgrade, self.offers.start_tls) {
            (Upgrade::Required | Upgrade::IfOffered, true) => {
                self.state = State::StartTls;
                out.line(b"STARTTLS");
            }
            (Upgrade::Required, false) => self.fail(DialogueFailure::NoTls.into(), out),
            (Upgrade::IfOffered, false) | (Upgrade::Never, _) => self.log_in(out),
        }
    }

    fn log_in(&mut self, out: &mut Out) {
        let Some(login) = &self.plan.login else {
            return self.next_message(out);
        };
        // Without TLS a password is sent only where it was said that there will be none.
        let privacy = match (&self.tls, self.plan.upgrade) {
            (None, Upgrade::IfOffered | Upgrade::Required) => Privacy::Public,
            _ => Privacy::Private,
        };
        let offered = &self.offers.auth;
        let Some(mechanism) = login.mechanism(offered, privacy) else {
            let failure = if offered.is_empty() && self.offers.start_tls {
                DialogueFailure::TlsFirst.into()
            } else if login.mechanism(offered, Privacy::Private).is_some() {
                DialogueFailure::NoTls.into()
            } else {
                Failure::NoMechanism(offered.clone())
            };
            return self.fail(failure, out);
        };
        let (exchange, initial) = login.begin(mechanism);
        self.exchange = Some(exchange);
        let command = format!("AUTH {}", mechanism.name());
        match initial {
            // RFC 4954 §4: with a line that would be too long, the response waits for the challenge.
            Some(initial) if initial.len() <= 450 => {
                self.state = State::Auth;
                out.secret_line(format!("{command} ").as_bytes(), initial.as_bytes());
            }
            Some(_) => {
                self.state = State::AuthBegin;
                out.line(command.as_bytes());
            }
            None => {
                self.state = State::Auth;
                out.line(command.as_bytes());
            }
        }
    }

    fn challenged(&mut self, reply: &Reply, out: &mut Out) {
        let (Some(login), Some(exchange)) = (&self.plan.login, &mut self.exchange) else {
            return;
        };
        if matches!(self.state, State::AuthBegin) {
            self.state = State::Auth;
            let (begun, initial) = login.begin(exchange.mechanism());
            *exchange = begun;
            return out.secret_line(b"", initial.unwrap_or_default().as_bytes());
        }
        match exchange.answer(&reply.lines.concat()) {
            Ok(answer) => out.secret_line(b"", answer.as_bytes()),
            Err(fault) => {
                // RFC 4954 §4: `*` cancels; what the server says to that does not matter.
                out.line(b"*");
                self.fail(Failure::Sasl(fault), out);
            }
        }
    }

    fn logged_in(&mut self, reply: &Reply, out: &mut Out) {
        let text = reply.lines.concat();
        let accepted = self
            .exchange
            .as_ref()
            .map(|exchange| exchange.accepted(&text));
        match accepted {
            Some(Err(fault)) => self.fail(Failure::Sasl(fault), out),
            _ => self.next_message(out),
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

    /// Whether there is anything to be done about the message in hand: it is not unfit for all of its recipients.
    fn begin(&mut self, out: &mut Out) -> bool {
        let Some(hand) = &mut self.hand else {
            return false;
        };
        let situation = Situation {
            offers: &self.offers,
            tls: self.tls.as_ref(),
            logged_in: self.exchange.is_some(),
            unix: self.unix,
            nature: hand.nature,
        };
        match situation.wishes(&hand.message) {
            Ok(wishes) => hand.wishes = wishes,
            Err(Hitch::Look) => {
                if let Text::File(extent) = &hand.message.text {
                    out.job(proto::Job::Smtp(Job::Look(extent.clone())));
                }
                self.state = State::Looking;
                return true;
            }
            Err(Hitch::Unfit(reply)) => {
                hand.settle_rest(&Fate::Unfit(reply));
                return false;
            }
        }
        for (place, recipient) in hand.message.envelope.recipients.iter().enumerate() {
            let asked = hand.to_send.len();
            match situation.recipient(recipient, asked) {
                Some(reply) => hand.fates[place] = Some(Fate::Unfit(reply)),
                None => hand.to_send.push_back(Command::Rcpt(place)),
            }
        }
        if hand.to_send.is_empty() {
            return false;
        }
        hand.to_send.push_front(Command::Mail);
        if std::mem::take(&mut self.dirty) {
            hand.to_send.push_front(Command::Rset);
        }
        hand.to_send.push_back(match hand.wishes.way {
            Way::Dots => Command::Data,
            Way::Chunk => Command::Bdat,
        });
        self.state = State::Envelope;
        self.send_commands(out);
        true
    }

    fn send_commands(&mut self, out: &mut Out) {
        let Some(hand) = &mut self.hand else {
            return;
        };
        // RFC 2920 §3.1: DATA may be the last of a group.
        let window = match self.offers.pipelining {
            true => usize::MAX,
            false => 1,
        };
        while hand.sent.len() < window {
            match hand.to_send.front() {
                // Nothing is sent after it before it is known who gets it.
                Some(Command::Bdat) if !hand.sent.is_empty() => return,
                Some(Command::Bdat) => {
                    hand.to_send.pop_front();
                    return self.send_chunk(out);
                }
                Some(&command) => {
                    hand.to_send.pop_front();
                    out.line(hand.line(command).as_bytes());
                    hand.sent.push_back(command);
                }
                None => return,
            }
        }
    }

    fn envelope_reply(&mut self, reply: Reply, out: &mut Out) {
        let stage = self.stage();
        if reply.code == 421 {
            return self.fail(Failure::Refused { stage, reply }, out);
        }
        let Some(hand) = &mut self.hand else {
            return;
        };
        let command = hand.sent.pop_front();
        let fits = match (command, reply.class()) {
            (None, _) => false,
            (Some(Command::Data), class) => class > 3 || reply.code == 354,
            (Some(_), class) => class != 3,
        };
        if !fits {
            hand.sent.extend(command);
            let failure = DialogueFailure::protocol(stage, reply.to_string().as_bytes());
            return self.fail(failure.into(), out);
        }
        let ok = reply.class() == 2;
        match command {
            // What it was that it did not forget cannot be known.
            Some(Command::Rset) if !ok => {
                return self.fail(Failure::Refused { stage, reply }, out);
            }
            None | Some(Command::Rset | Command::Bdat) => {}
            Some(Command::Mail) if ok => self.dirty = true,
            Some(Command::Mail) => {
                hand.to_send.clear();
                hand.refused = true;
                hand.settle_rest(&Fate::Refused { stage, reply });
            }
            // The sender was refused: what the server says of the recipients means nothing.
            Some(Command::Rcpt(_)) if hand.refused => {}
            Some(Command::Rcpt(place)) if ok => hand.accepted.push(place),
            Some(Command::Rcpt(place)) => {
                hand.fates[place] = Some(Fate::Refused { stage, reply });
            }
            Some(Command::Data) if reply.code == 354 => return self.begin_text(out),
            // If no recipient was taken, DATA was not either: as it must be.
            Some(Command::Data) => hand.settle_rest(&Fate::Refused { stage, reply }),
        }
        let last = matches!(hand.to_send.front(), Some(Command::Data | Command::Bdat));
        if last && hand.sent.is_empty() && hand.accepted.is_empty() {
            hand.to_send.clear();
        }
        self.send_commands(out);
        let over = |hand: &Hand| hand.sent.is_empty() && hand.to_send.is_empty();
        if matches!(self.state, State::Envelope) && self.hand.as_ref().is_some_and(over) {
            self.conclude(out);
            self.next_message(out);
        }
    }

    fn begin_text(&mut self, out: &mut Out) {
        let Some(hand) = &mut self.hand else {
            return;
        };
        self.dirty = false;
        if hand.accepted.is_empty() || hand.refused {
            // RFC 2920 §3.1: the server waits for text that nobody shall get: an empty one.
            self.state = State::Final(0);
            return out.line(b".");
        }
        self.state = State::Text;
        self.send_text(out);
    }

    /// Sends as much as there is room for.
    fn send_text(&mut self, out: &mut Out) {
        let (State::Text, Some(hand)) = (self.state, &mut self.hand) else {
            return;
        };
        let bytes = match &hand.message.text {
            Text::Bytes(bytes) => bytes,
            Text::File(extent) => {
                if !out.is_full() {
                    let text = extent.clone();
                    let (from, stuffer) = (hand.octets, hand.stuffer);
                    out.job(proto::Job::Smtp(Job::Stuff(text, from, stuffer)));
                }
                return;
            }
        };
        while !out.is_full() {
            let rest = &bytes[hand.octets as usize..];
            if rest.is_empty() {
                let stuffer = hand.stuffer;
                out.with(|bytes| stuffer.end(bytes));
                self.state = State::Final(0);
                return;
            }
            let piece = &rest[..rest.len().min(PIECE)];
            let stuffer = &mut hand.stuffer;
            out.with(|bytes| stuffer.text(piece, bytes));
            hand.octets += piece.len() as u64;
        }
    }

    fn send_chunk(&mut self, out: &mut Out) {
        let Some(hand) = &mut self.hand else {
            return;
        };
        let octets = hand.message.text.octets();
        out.line(format!("BDAT {octets} LAST").as_bytes());
        match &hand.message.text {
            Text::Bytes(bytes) => out.bytes(bytes),
            Text::File(extent) => out.extent(extent.clone()),
        }
        hand.octets = octets;
        self.dirty = false;
        self.state = State::Final(0);
    }

    /// What a job has brought.
    fn answered(&mut self, answer: Answer, out: &mut Out) {
        let Some(hand) = &mut self.hand else {
            return;
        };
        match (answer, self.state) {
            (Answer::Looked(Ok(nature)), State::Looking) => {
                hand.nature = Some(nature);
                if !self.begin(out) {
                    self.conclude(out);
                    self.next_message(out);
                }
            }
            (Answer::Looked(Err(error)), State::Looking) => {
                let what = format!("The message cannot be read here: {error}");
                hand.settle_rest(&Fate::Unfit(Reply::new(451, Enhanced(4, 3, 0), what)));
                self.conclude(out);
                self.next_message(out);
            }
            (Answer::Stuffed(Ok(stuffed)), State::Text) => {
                hand.octets = stuffed.next;
                hand.stuffer = stuffed.stuffer;
                let whole = stuffed.next == hand.message.text.octets();
                out.block(stuffed.block);
                if whole {
                    self.state = State::Final(0);
                } else {
                    self.send_text(out);
                }
            }
            (Answer::Stuffed(Err(error)), State::Text) => self.fail(Failure::Text(error), out),
            _ => {}
        }
    }

    /// The server does not want the message. If not all of it is sent, the rest would be read as commands: the connection is over.
    fn refused_in_text(&mut self, reply: Reply, out: &mut Out) {
        let stage = Stage::Text;
        if let Some(hand) = &mut self.hand {
            hand.settle_rest(&Fate::Refused {
                stage,
                reply: reply.clone(),
            });
        }
        self.fail(Failure::Refused { stage, reply }, out);
    }

    fn final_reply(&mut self, replies: usize, reply: Reply, out: &mut Out) {
        let stage = Stage::Text;
        if reply.code == 421 {
            // The server has said that it goes, and so that it has not taken it.
            return self.refused_in_text(reply, out);
        }
        let Some(hand) = &mut self.hand else {
            return;
        };
        // RFC 3030 §2: after a chunk that was refused nothing is known of the state but by RSET.
        self.dirty = hand.wishes.way == Way::Chunk && reply.class() != 2;
        let ok = reply.class() == 2;
        let fate = match ok {
            true => Fate::Taken(reply),
            false => Fate::Refused { stage, reply },
        };
        // RFC 2033 §4.2: LMTP has a reply for each recipient that was taken.
        if self.plan.protocol == Protocol::Lmtp && !hand.accepted.is_empty() && !hand.refused {
            let place = hand.accepted[replies];
            hand.fates[place] = Some(fate);
            if replies + 1 < hand.accepted.len() {
                self.state = State::Final(replies + 1);
                return;
            }
        } else {
            hand.settle_rest(&fate);
        }
        self.conclude(out);
        self.next_message(out);
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
            State::AuthBegin | State::Auth => Stage::Auth,
            State::Envelope => match self.hand.as_ref().and_then(|hand| hand.sent.front()) {
                Some(Command::Data) => Stage::Data,
                Some(Command::Rcpt(_)) => Stage::Rcpt,
                _ => Stage::Mail,
            },
            State::Looking | State::Idle => Stage::Mail,
            State::Text | State::Final(_) | State::Quit | State::Closed => Stage::Text,
        }
    }

    fn patience(&self) -> Option<Duration> {
        let patience = &self.plan.patience;
        Some(match self.state {
            State::Closed | State::Looking => return None,
            State::Waiting(_) | State::Greeting => patience.greeting,
            State::Envelope if self.stage() == Stage::Data => patience.data,
            State::Idle => self.plan.idle,
            State::Text | State::Final(_) => patience.text,
            State::Quit => patience.quit,
            _ => patience.command,
        })
    }
}

impl Hand {
    fn new(message: Message) -> Self {
        let recipients = message.envelope.recipients.len();
        Self {
            message,
            fates: vec![None; recipients],
            wishes: Wishes::default(),
            nature: None,
            to_send: VecDeque::new(),
            sent: VecDeque::new(),
            accepted: Vec::new(),
            refused: false,
            octets: 0,
            stuffer: Stuffer::new(),
        }
    }

    fn line(&self, command: Command) -> String {
        let envelope = &self.message.envelope;
        match command {
            Command::Rset => "RSET".to_owned(),
            Command::Mail => self.wishes.mail(envelope.reverse_path.as_ref()),
            Command::Rcpt(place) => self.wishes.rcpt(&envelope.recipients[place]),
            Command::Data | Command::Bdat => "DATA".to_owned(),
        }
    }

    /// The same for all whose fate is not known yet.
    fn settle_rest(&mut self, fate: &Fate) {
        for unknown in self.fates.iter_mut().filter(|fate| fate.is_none()) {
            *unknown = Some(fate.clone());
        }
    }

    fn outcome(self, rest: impl Fn() -> Fate) -> Outcome {
        let fates = self.fates.into_iter();
        Outcome {
            word: self.message.word,
            fates: fates.map(|fate| fate.unwrap_or_else(&rest)).collect(),
            passed_on: self.wishes.passed_on,
        }
    }
}

/// Octets of text in memory that are stuffed at once.
const PIECE: usize = 16 * 1024;
