//! The client's session: one message to one server (RFC 5321 §3, RFC 2033 for LMTP).
//!
//! | state | said | then |
//! |---|---|---|
//! | Greeting | | EHLO |
//! | Hello | `EHLO` (`HELO` where that is unknown; `LHLO`) | STARTTLS, AUTH or the envelope |
//! | StartTls | `STARTTLS` | TLS, and EHLO again: what was learnt before is forgotten (RFC 3207 §4.2) |
//! | Auth | `AUTH PLAIN` or `AUTH LOGIN`, whichever is offered, in this order | the envelope |
//! | Envelope | `MAIL`, each `RCPT`, `DATA`: all at once with PIPELINING, else one by one | the text, or QUIT |
//! | Text | the message, as fast as it is taken | |
//! | Final | a dot alone | QUIT, after one reply (LMTP: one for each recipient) |
//! | Quit | `QUIT` | closed |
//!
//! Nothing is decided here that a user should know of: every reply that matters is in the [`Outcome`]. A server that
//! takes some recipients and not others gets the message for those that it takes.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use crate::limits;
use crate::proto::client::{Failure as DialogueFailure, GREETING, Upgrade};
use crate::proto::{Input, Out, Session};
use crate::wire::address::Address;
use crate::wire::dots::{Stuffer, with_crlf};
use crate::wire::lines::Want;
use crate::wire::sasl::{self, Mechanism};
use crate::wire::smtp::{Reply, ReplyReader};

/// How to talk to the server.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What to call oneself.
    pub name: String,
    /// SMTP or LMTP.
    pub protocol: Protocol,
    /// What to do about STARTTLS. [`Upgrade::Never`] when TLS is there from the first octet.
    pub upgrade: Upgrade,
    /// Who logs in, if anybody.
    pub login: Option<Login>,
    /// How long the server may be silent.
    pub patience: Duration,
}

/// Name and password. The password is not shown when printed for debugging.
#[derive(Clone)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password, in the clear.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Login({:?}, ********)", self.user)
    }
}

/// Which protocol is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// RFC 5321
    Smtp,
    /// RFC 2033
    Lmtp,
}

/// A message with its envelope.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Where errors go back to; `None` is `<>`.
    pub reverse_path: Option<Address>,
    /// To whom; at least one.
    pub recipients: Vec<Address>,
    /// Header and body, any line ends.
    pub text: Vec<u8>,
}

/// What became of a message.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The recipients for whom the server took the message, and what it said at the end.
    pub taken: Vec<(Address, Reply)>,
    /// The recipients whom it refused, and how.
    pub refused: Vec<(Address, Reply)>,
    /// Why the message was not sent at all, when that was not for the recipients' sake.
    pub failure: Option<Failure>,
}

/// Why a message was not sent.
#[derive(Debug)]
pub enum Failure {
    /// The server refused a command, or the message.
    Refused {
        /// Which.
        stage: Stage,
        /// How.
        reply: Reply,
    },
    /// A login is wanted, and the server offers no way that is known here: what it offers.
    NoMechanism(String),
    /// What can go wrong with any server.
    Dialogue(DialogueFailure),
}

/// Where in the dialogue it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The server's first reply.
    Greeting,
    /// EHLO and HELO, or LHLO
    Hello(Protocol),
    /// STARTTLS
    StartTls,
    /// AUTH
    Auth,
    /// MAIL
    Mail,
    /// RCPT
    Rcpt,
    /// DATA
    Data,
    /// The end of the message.
    Text,
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Greeting => GREETING,
            Self::Hello(Protocol::Smtp) => "EHLO",
            Self::Hello(Protocol::Lmtp) => "LHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Mail => "MAIL FROM",
            Self::Rcpt => "RCPT TO",
            Self::Data => "DATA",
            Self::Text => "the message",
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { stage, reply } => {
                write!(formatter, "the server refused {stage}: {reply}")
            }
            Self::NoMechanism(offered) if offered.is_empty() => formatter.write_str(
                "the server offers no login here; leave --user away, or try its submission port",
            ),
            Self::NoMechanism(offered) => write!(
                formatter,
                "the server offers login with {offered} only; PLAIN and LOGIN are known here"
            ),
            Self::Dialogue(failure) => failure.fmt(formatter),
        }
    }
}

impl std::error::Error for Failure {}

/// A client session. Ask for [`Self::into_outcome`] when the connection has ended.
#[derive(Debug)]
pub struct Client {
    plan: Plan,
    mail: Mail,
    state: State,
    replies: ReplyReader,
    extensions: Extensions,
    /// The commands of the envelope that are not sent yet.
    to_send: VecDeque<Command>,
    /// Sent; the first is being answered.
    sent: VecDeque<Command>,
    /// The recipients that the server took, by their place in the mail.
    recipients: Vec<usize>,
    outcome: Outcome,
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
    /// The password is sent with the answer to this one, or was.
    AuthPlain,
    AuthLoginName,
    AuthLoginPassword,
    AuthDone,
    Envelope,
    Text {
        stuffer: Stuffer,
        sent_octets: usize,
    },
    /// How many replies have come.
    Final(usize),
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
    Mail,
    Rcpt(usize),
    Data,
}

/// What EHLO's reply offers (RFC 5321 §4.1.1.1).
#[derive(Clone, Debug, Default)]
struct Extensions {
    start_tls: bool,
    pipelining: bool,
    size: bool,
    eight_bit: bool,
    /// The names behind AUTH.
    auth: String,
}

impl Session for Client {
    fn want(&self) -> Want {
        match self.state {
            State::Waiting(_) | State::Closed => Want::Nothing,
            _ => Want::Line {
                max: limits::SMTP_LINE,
            },
        }
    }

    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        if matches!(self.state, State::Closed) {
            return;
        }
        self.deadline = Some(now + self.plan.patience);
        match input {
            Input::Open => self.state = State::Greeting,
            Input::TlsUp(_) => {
                self.plan.upgrade = Upgrade::Never;
                if matches!(self.state, State::Waiting(After::StartingTls)) {
                    self.say_hello(out);
                }
            }
            Input::Line(line) => self.line(line, out),
            Input::LongLine => self.give_up(
                DialogueFailure::protocol(self.stage(), b"a line that is far too long").into(),
                out,
            ),
            Input::Room => self.send_text(out),
            Input::Timeout => {
                let step = self.stage().to_string();
                self.give_up(DialogueFailure::Silent { step }.into(), out);
            }
            Input::Eof | Input::Stop => self.lost(out),
            Input::Text(_) | Input::TextEnd | Input::Done(_) | Input::Changed => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

impl From<DialogueFailure> for Failure {
    fn from(failure: DialogueFailure) -> Self {
        Self::Dialogue(failure)
    }
}

impl Client {
    /// A session that sends `mail` as `plan` says.
    pub fn new(plan: Plan, mut mail: Mail) -> Self {
        if let std::borrow::Cow::Owned(text) = with_crlf(&mail.text) {
            mail.text = text;
        }
        let recipients = (0..mail.recipients.len()).map(Command::Rcpt);
        let to_send = std::iter::once(Command::Mail)
            .chain(recipients)
            .chain([Command::Data])
            .collect();
        Self {
            plan,
            mail,
            state: State::Waiting(After::Connecting),
            replies: ReplyReader::default(),
            extensions: Extensions::default(),
            to_send,
            sent: VecDeque::new(),
            recipients: Vec::new(),
            outcome: Outcome::default(),
            deadline: None,
        }
    }

    /// What became of the message.
    pub fn into_outcome(mut self) -> Outcome {
        if !matches!(self.state, State::Closed | State::Quit) && self.outcome.failure.is_none() {
            let step = self.stage().to_string();
            self.outcome.failure = Some(DialogueFailure::Lost { step }.into());
        }
        self.outcome
    }

    fn line(&mut self, line: &[u8], out: &mut Out) {
        match self.replies.line(line) {
            Ok(None) => {}
            Ok(Some(reply)) => self.reply(reply, out),
            Err(_) => {
                let failure = DialogueFailure::protocol(self.stage(), line);
                self.give_up(failure.into(), out);
            }
        }
    }

    fn reply(&mut self, reply: Reply, out: &mut Out) {
        let class = reply.class();
        match self.state {
            State::Greeting if class == 2 => self.say_hello(out),
            State::Ehlo if class == 2 => {
                self.extensions = Extensions::read(&reply);
                self.upgrade(out);
            }
            // RFC 5321 §3.2: a server that does not know EHLO may know HELO.
            State::Ehlo if class == 5 && self.plan.protocol == Protocol::Smtp => {
                self.state = State::Helo;
                out.line(format!("HELO {}", self.plan.name).as_bytes());
            }
            State::Helo if class == 2 => self.upgrade(out),
            State::StartTls if class == 2 => {
                self.extensions = Extensions::default();
                self.state = State::Waiting(After::StartingTls);
                out.start_tls();
            }
            State::StartTls if self.plan.upgrade == Upgrade::IfOffered && reply.code != 421 => {
                self.log_in(out);
            }
            State::AuthPlain | State::AuthLoginName | State::AuthLoginPassword
                if reply.code == 334 =>
            {
                self.answer_challenge(out);
            }
            State::AuthPlain | State::AuthDone if class == 2 => self.begin_envelope(out),
            State::Envelope => self.envelope_reply(reply, out),
            State::Final(replies) => self.final_reply(replies, reply, out),
            State::Quit => {
                self.state = State::Closed;
                out.close();
            }
            State::Waiting(_) | State::Closed => {}
            // A reply in the middle of the text can only be the server's goodbye.
            _ => {
                let stage = self.stage();
                self.give_up(Failure::Refused { stage, reply }, out);
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
        match (self.plan.upgrade, self.extensions.start_tls) {
            (Upgrade::Required | Upgrade::IfOffered, true) => {
                self.state = State::StartTls;
                out.line(b"STARTTLS");
            }
            (Upgrade::Required, false) => self.give_up(DialogueFailure::NoTls.into(), out),
            (Upgrade::IfOffered, false) | (Upgrade::Never, _) => self.log_in(out),
        }
    }

    fn log_in(&mut self, out: &mut Out) {
        let Some(login) = &self.plan.login else {
            return self.begin_envelope(out);
        };
        let offered = &self.extensions.auth;
        let known = |mechanism: &Mechanism| {
            let same = |word: &str| word.eq_ignore_ascii_case(mechanism.name());
            offered.split_ascii_whitespace().any(same)
        };
        match Mechanism::ALL.into_iter().find(known) {
            None if offered.is_empty() && self.extensions.start_tls => {
                self.give_up(DialogueFailure::TlsFirst.into(), out);
            }
            None => self.give_up(Failure::NoMechanism(offered.clone()), out),
            Some(Mechanism::Plain) => {
                self.state = State::AuthDone;
                let response = sasl::plain_response(&login.user, login.password.as_bytes());
                // RFC 4954 §4: with a line that would be too long, the response waits for the challenge.
                if response.len() > 450 {
                    self.state = State::AuthPlain;
                    return out.line(b"AUTH PLAIN");
                }
                out.secret_line(b"AUTH PLAIN ", response.as_bytes());
            }
            Some(Mechanism::Login) => {
                self.state = State::AuthLoginName;
                out.line(b"AUTH LOGIN");
            }
        }
    }

    fn answer_challenge(&mut self, out: &mut Out) {
        let Some(login) = &self.plan.login else {
            return;
        };
        let (user, password) = (&login.user, login.password.as_bytes());
        let (next, answer) = match self.state {
            State::AuthPlain => (State::AuthDone, sasl::plain_response(user, password)),
            State::AuthLoginName => (State::AuthLoginPassword, sasl::encode(user.as_bytes())),
            _ => (State::AuthDone, sasl::encode(password)),
        };
        self.state = next;
        out.secret_line(b"", answer.as_bytes());
    }

    fn begin_envelope(&mut self, out: &mut Out) {
        self.state = State::Envelope;
        self.send_commands(out);
    }

    fn send_commands(&mut self, out: &mut Out) {
        // RFC 2920 §3.1: DATA may be the last of a group.
        let window = if self.extensions.pipelining {
            usize::MAX
        } else {
            1
        };
        while self.sent.len() < window {
            let Some(command) = self.to_send.pop_front() else {
                return;
            };
            out.line(self.command_line(command).as_bytes());
            self.sent.push_back(command);
        }
    }

    fn command_line(&self, command: Command) -> String {
        match command {
            Command::Mail => {
                let mut line = match &self.mail.reverse_path {
                    Some(address) => format!("MAIL FROM:<{address}>"),
                    None => "MAIL FROM:<>".to_owned(),
                };
                if self.extensions.size {
                    line.push_str(&format!(" SIZE={}", self.mail.text.len()));
                }
                if self.extensions.eight_bit && !self.mail.text.is_ascii() {
                    line.push_str(" BODY=8BITMIME");
                }
                line
            }
            Command::Rcpt(at) => match self.mail.recipients.get(at) {
                Some(address) => format!("RCPT TO:<{address}>"),
                None => "NOOP".to_owned(),
            },
            Command::Data => "DATA".to_owned(),
        }
    }

    fn envelope_reply(&mut self, reply: Reply, out: &mut Out) {
        let Some(command) = self.sent.pop_front() else {
            let failure = DialogueFailure::protocol(Stage::Mail, reply.to_string().as_bytes());
            return self.give_up(failure.into(), out);
        };
        if reply.code == 421 {
            let stage = match command {
                Command::Data => Stage::Data,
                _ => Stage::Mail,
            };
            return self.give_up(Failure::Refused { stage, reply }, out);
        }
        let ok = reply.class() == 2;
        match command {
            Command::Mail if !ok => {
                self.to_send.clear();
                self.fail(Stage::Mail, reply);
            }
            Command::Mail => {}
            // The sender was refused: what the server says of the recipients means nothing.
            Command::Rcpt(_) if self.outcome.failure.is_some() => {}
            Command::Rcpt(at) if ok => self.recipients.push(at),
            Command::Rcpt(at) => {
                if let Some(address) = self.mail.recipients.get(at) {
                    self.outcome.refused.push((address.clone(), reply));
                }
            }
            Command::Data if reply.code == 354 => return self.begin_text(out),
            Command::Data if !self.recipients.is_empty() => self.fail(Stage::Data, reply),
            // No recipient was taken, and so DATA was not either: as it must be.
            Command::Data => {}
        }
        if self.to_send.front() == Some(&Command::Data) && self.recipients.is_empty() {
            self.to_send.clear();
        }
        self.send_commands(out);
        if self.sent.is_empty() {
            self.quit(out);
        }
    }

    fn begin_text(&mut self, out: &mut Out) {
        if self.recipients.is_empty() || self.outcome.failure.is_some() {
            // RFC 2920 §3.1: the server waits for text that nobody shall get: an empty one.
            self.state = State::Final(0);
            return out.line(b".");
        }
        self.state = State::Text {
            stuffer: Stuffer::new(),
            sent_octets: 0,
        };
        self.send_text(out);
    }

    /// Sends as much as there is room for.
    fn send_text(&mut self, out: &mut Out) {
        let State::Text {
            mut stuffer,
            mut sent_octets,
        } = self.state
        else {
            return;
        };
        while !out.is_full() {
            let rest = &self.mail.text[sent_octets..];
            if rest.is_empty() {
                out.with(|bytes| stuffer.end(bytes));
                self.state = State::Final(0);
                return;
            }
            let piece = &rest[..rest.len().min(PIECE)];
            out.with(|bytes| stuffer.text(piece, bytes));
            sent_octets += piece.len();
        }
        self.state = State::Text {
            stuffer,
            sent_octets,
        };
    }

    fn final_reply(&mut self, replies: usize, reply: Reply, out: &mut Out) {
        if self.recipients.is_empty() || self.outcome.failure.is_some() {
            return self.quit(out);
        }
        // RFC 2033 §4.2: LMTP has a reply for each recipient that was taken.
        let (answered, expected) = match self.plan.protocol {
            Protocol::Lmtp => (&self.recipients[replies..=replies], self.recipients.len()),
            Protocol::Smtp => (&self.recipients[..], 1),
        };
        let ok = reply.class() == 2;
        for address in answered
            .iter()
            .filter_map(|&at| self.mail.recipients.get(at))
        {
            let result = (address.clone(), reply.clone());
            match (ok, self.plan.protocol) {
                (true, _) => self.outcome.taken.push(result),
                (false, Protocol::Lmtp) => self.outcome.refused.push(result),
                (false, Protocol::Smtp) => {}
            }
        }
        if !ok && self.plan.protocol == Protocol::Smtp {
            self.fail(Stage::Text, reply);
        }
        if replies + 1 < expected {
            self.state = State::Final(replies + 1);
            return;
        }
        self.quit(out);
    }

    fn fail(&mut self, stage: Stage, reply: Reply) {
        if self.outcome.failure.is_none() {
            self.outcome.failure = Some(Failure::Refused { stage, reply });
        }
    }

    fn quit(&mut self, out: &mut Out) {
        self.state = State::Quit;
        out.line(b"QUIT");
    }

    /// Says goodbye as long as the server listens, and goes.
    fn give_up(&mut self, failure: Failure, out: &mut Out) {
        if matches!(self.state, State::Quit) {
            self.state = State::Closed;
            return out.close();
        }
        let polite = match &failure {
            Failure::Refused { reply, .. } => reply.code != 421,
            Failure::NoMechanism(_)
            | Failure::Dialogue(DialogueFailure::NoTls | DialogueFailure::TlsFirst) => true,
            Failure::Dialogue(_) => false,
        };
        let in_text = matches!(self.state, State::Text { .. });
        self.outcome.failure.get_or_insert(failure);
        if polite && !in_text {
            return self.quit(out);
        }
        self.state = State::Closed;
        out.close();
    }

    fn lost(&mut self, out: &mut Out) {
        let step = self.stage().to_string();
        self.give_up(DialogueFailure::Lost { step }.into(), out);
    }

    /// What a reply that comes now would answer.
    fn stage(&self) -> Stage {
        match self.state {
            State::Waiting(After::Connecting) | State::Greeting => Stage::Greeting,
            State::Ehlo | State::Helo => Stage::Hello(self.plan.protocol),
            State::StartTls | State::Waiting(After::StartingTls) => Stage::StartTls,
            State::AuthPlain
            | State::AuthLoginName
            | State::AuthLoginPassword
            | State::AuthDone => Stage::Auth,
            State::Envelope => match self.sent.front() {
                Some(Command::Data) => Stage::Data,
                _ => Stage::Mail,
            },
            State::Text { .. } | State::Final(_) | State::Quit | State::Closed => Stage::Text,
        }
    }
}

impl Extensions {
    fn read(reply: &Reply) -> Self {
        let mut extensions = Self::default();
        // The first line is the server's name.
        for line in reply.lines.iter().skip(1) {
            let (keyword, parameters) = line.split_once(' ').unwrap_or((line, ""));
            match keyword.to_ascii_uppercase().as_str() {
                "STARTTLS" => extensions.start_tls = true,
                "PIPELINING" => extensions.pipelining = true,
                "SIZE" => extensions.size = true,
                "8BITMIME" => extensions.eight_bit = true,
                "AUTH" => extensions.auth = parameters.to_owned(),
                _ => {}
            }
        }
        extensions
    }
}

/// Octets of text that are stuffed at once.
const PIECE: usize = 16 * 1024;

#[cfg(test)]
mod tests;
