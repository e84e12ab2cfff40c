//! The POP3 server's side of a session (RFC 1939, RFC 2449, RFC 2595 §4, RFC 3206, RFC 5034).
//!
//! ```text
//!                  greeting
//!                     |
//!   STLS, CAPA  +-- AUTHORIZATION --- QUIT, lost, timeout ------> closed
//!               +---> |
//!                     | USER + PASS, or AUTH; INBOX is locked
//!                     v
//!   STAT LIST   +-- TRANSACTION ----- lost, timeout ------------> closed, nothing is deleted
//!   RETR DELE   +---> |
//!   ...               | QUIT
//!                     v
//!                  UPDATE: what DELE marked is removed, the lock let go, +OK
//! ```
//!
//! What it keeps:
//! - Messages are numbered when the maildrop is opened, and keep their number and size until the end (RFC 1939 §5).
//! - Nothing is deleted but in UPDATE, which only QUIT leads to.
//! - Lists and messages are said in blocks, each when the peer has taken the one before: memory is bounded.
//! - A password is taken inside TLS or from this machine only.
//!
//! Each `-ERR` says what was wrong and what would be right. Codes in brackets stand where RFC 2449 §8 and RFC 3206 §4
//! define them.
//!
//! Beyond the RFCs, as Dovecot has it: what was retrieved is `\Seen` after QUIT; UIDL says UID and UIDVALIDITY, so that a
//! client that changes over from Dovecot downloads nothing again.

mod transaction;

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use self::transaction::{Count, Listed, Mark, Retrieving, Transaction};
use super::{Answer, Block, Job, LoginError, Maildrop, Reading};
use crate::limits;
use crate::proto::{self, Input, Out, Peer, Service, Session, StartTls};
use crate::store::StoreError;
use crate::wire::lines::Want;
use crate::wire::pop3::{Command, Outgoing, SyntaxError};
use crate::wire::sasl::{Credentials, Exchange, Mechanism, SaslError, Step};

/// What is the same for all sessions of a listener.
#[derive(Clone, Debug)]
pub struct Config {
    /// The server's name, as the greeting says it.
    pub hostname: String,
    /// Whether STLS is to be had.
    pub start_tls: StartTls,
}

/// Makes sessions.
pub struct Pop3Service {
    name: &'static str,
    config: Arc<Config>,
}

impl Pop3Service {
    /// `name` is `pop3` or `pop3s`.
    pub const fn new(name: &'static str, config: Arc<Config>) -> Self {
        Self { name, config }
    }
}

impl Service for Pop3Service {
    fn name(&self) -> &'static str {
        self.name
    }

    fn session(&self, peer: Peer) -> Box<dyn Session> {
        Box::new(Server::new(Arc::clone(&self.config), peer))
    }
}

/// One session. See the module.
pub struct Server {
    config: Arc<Config>,
    peer: Peer,
    secure: bool,
    phase: Phase,
    doing: Doing,
    /// When the peer last did something.
    heard: Instant,
    /// Commands that were not understood, or not possible.
    errors: usize,
    /// Logins that failed.
    failures: usize,
    ending: Ending,
}

/// The states of RFC 1939 §3.
enum Phase {
    /// Nobody is logged in; `name` is what USER said.
    Authorization { name: Option<String> },
    /// Somebody is.
    Transaction(Box<Transaction>),
    /// QUIT was said, and what DELE marked is being removed: so many messages.
    Update { deleted: usize },
}

/// What the session is in the middle of.
enum Doing {
    /// Nothing: it waits for a command.
    Command,
    /// AUTH: it waits for the client's response.
    Sasl(Exchange),
    /// A job.
    Job,
    /// It holds back the answer to a wrong password until then.
    Pause(Instant),
    /// LIST or UIDL: the next line is that of `next`, counted from 0.
    List { what: Listed, next: usize },
    /// RETR or TOP: a block was said, and the peer has not taken it yet.
    Send(Reading),
}

/// Whether the session shall end when it next comes to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    No,
    /// The peer says no more.
    PeerEnded,
    /// The program ends.
    Stop,
}

impl Server {
    /// A session for a connection that was just accepted.
    pub const fn new(config: Arc<Config>, peer: Peer) -> Self {
        let heard = peer.accepted.instant;
        Self {
            config,
            peer,
            secure: false,
            phase: Phase::Authorization { name: None },
            doing: Doing::Command,
            heard,
            errors: 0,
            failures: 0,
            ending: Ending::No,
        }
    }

    fn open(&self, out: &mut Out) {
        if self.peer.refused.is_some() {
            out.line(b"-ERR [SYS/TEMP] too many connections now; close some, or try again later");
            out.close();
            return;
        }
        // No <timestamp>: it would promise APOP (RFC 1939 §7).
        out.line(format!("+OK {} POP3 server ready", self.config.hostname).as_bytes());
    }

    fn line(&mut self, line: &[u8], out: &mut Out) {
        if let Doing::Sasl(exchange) = &mut self.doing {
            let step = exchange.answer(line);
            self.doing = Doing::Command;
            self.sasl(step, out);
            return;
        }
        let command = match Command::parse(line) {
            Ok(command) => command,
            Err(error) => {
                let complaint = self.complaint(error);
                self.refuse(&complaint, out);
                return;
            }
        };
        match command {
            Command::Capa => self.capa(out),
            Command::Quit => self.quit(out),
            Command::User(_) | Command::Pass(_) | Command::Auth(_) | Command::Stls => {
                self.authorization(command, out);
            }
            Command::Stat
            | Command::List(_)
            | Command::Uidl(_)
            | Command::Top { .. }
            | Command::Retr(_)
            | Command::Dele(_)
            | Command::Rset
            | Command::Noop => self.transaction(command, out),
        }
    }

    /// What is said about a line that is no command.
    fn complaint(&self, error: SyntaxError) -> String {
        match error {
            SyntaxError::Empty => "an empty line is no command; QUIT ends the session".to_owned(),
            SyntaxError::Usage(usage) => format!("this is written: {usage}"),
            SyntaxError::Number(usage) => {
                format!("a number has digits only, nine at most; this is written: {usage}")
            }
            SyntaxError::Unknown => match &self.phase {
                Phase::Authorization { .. } => {
                    "unknown command; log in with USER name, then PASS password. Also known here: AUTH \
                     CAPA STLS QUIT"
                }
                Phase::Transaction(_) | Phase::Update { .. } => {
                    "unknown command; known here: STAT LIST UIDL TOP RETR DELE RSET NOOP CAPA QUIT"
                }
            }
            .to_owned(),
        }
    }

    /// Commands of the AUTHORIZATION state.
    fn authorization(&mut self, command: Command<'_>, out: &mut Out) {
        let password_is_safe = self.may_take_password();
        let Phase::Authorization { name } = &mut self.phase else {
            let complaint = match command {
                // RFC 2595 §4: STLS is for the AUTHORIZATION state only.
                Command::Stls => "TLS must come before the login: QUIT, connect again, STLS",
                _ => "you are logged in already; to log in again, QUIT and connect again",
            };
            self.refuse(complaint, out);
            return;
        };
        match command {
            Command::Stls => self.stls(out),
            Command::Auth(None) => {
                out.line(b"+OK mechanisms follow");
                if password_is_safe {
                    out.line(Mechanism::Plain.name().as_bytes());
                }
                out.line(b".");
            }
            _ if !password_is_safe => {
                let complaint = self.insecure();
                self.refuse(complaint, out);
            }
            Command::User(said) => {
                *name = Some(String::from_utf8_lossy(said).into_owned());
                out.line(b"+OK now PASS and the password");
            }
            Command::Pass(password) => match name.take() {
                Some(name) => {
                    let credentials = Credentials::new(name, password.to_vec());
                    self.ask(Job::Login(credentials), out);
                }
                None => self.refuse("USER and your name come first, then PASS", out),
            },
            Command::Auth(Some((mechanism, initial))) => match Mechanism::named(mechanism) {
                Some(Mechanism::Plain) => match Exchange::begin(Mechanism::Plain, initial) {
                    Ok((exchange, Step::Challenge(challenge))) => {
                        out.line(format!("+ {challenge}").as_bytes());
                        self.doing = Doing::Sasl(exchange);
                    }
                    Ok((_, step)) => self.sasl(Ok(step), out),
                    Err(error) => self.sasl(Err(error), out),
                },
                _ => self.refuse("no such mechanism here; AUTH PLAIN works", out),
            },
            _ => {}
        }
    }

    /// RFC 8314 §3, RFC 2595 §2.2: a password crosses no network in the clear. From this machine to itself it crosses none.
    fn may_take_password(&self) -> bool {
        let here = self
            .peer
            .remote
            .is_none_or(|remote| remote.ip().to_canonical().is_loopback());
        self.secure || here
    }

    fn insecure(&self) -> &'static str {
        match self.config.start_tls {
            StartTls::Offered => "your password would cross the network in the clear: STLS first",
            StartTls::Unavailable => {
                "your password would cross the network in the clear, and there is no TLS here: connect from the \
                 same machine"
            }
        }
    }

    fn stls(&mut self, out: &mut Out) {
        if self.secure {
            self.refuse("TLS is up already", out);
        } else if self.config.start_tls == StartTls::Unavailable {
            self.refuse("no certificate here, so no TLS", out);
        } else {
            out.line(b"+OK begin TLS now");
            out.start_tls();
        }
    }

    fn sasl(&mut self, step: Result<Step, SaslError>, out: &mut Out) {
        match step {
            Ok(Step::Challenge(_) | Step::Ask(_) | Step::Proven) => {
                self.refuse("AUTH PLAIN has one response only", out)
            }
            Ok(Step::Verify(credentials)) => self.ask(Job::Login(credentials), out),
            Err(error) => self.refuse(&error.to_string(), out),
        }
    }

    /// The answer comes later: that makes guessing slow.
    fn login_failed(&mut self, now: Instant) {
        self.failures += 1;
        self.doing = Doing::Pause(now + limits::LOGIN_PAUSE);
    }

    fn logged_in(&mut self, now: Instant, login: Result<Box<Maildrop>, LoginError>, out: &mut Out) {
        match login {
            Ok(maildrop) => {
                let transaction = Transaction::new(maildrop);
                out.line(format!("+OK mailbox open: {}", transaction.summary()).as_bytes());
                self.phase = Phase::Transaction(Box::new(transaction));
                self.rest(out);
            }
            Err(LoginError::Credentials) => self.login_failed(now),
            Err(error) => {
                out.line(match error {
                    // RFC 2449 §8.1.2
                    LoginError::Store(StoreError::Busy) => {
                        b"-ERR [IN-USE] another POP3 session has this mailbox open: QUIT there, or try again later"
                    }
                    // RFC 3206 §4
                    _ => &b"-ERR [SYS/TEMP] the mailbox cannot be opened now: not your fault, try again later"[..],
                });
                self.rest(out);
            }
        }
    }

    /// Commands of the TRANSACTION state.
    fn transaction(&mut self, command: Command<'_>, out: &mut Out) {
        let Phase::Transaction(transaction) = &mut self.phase else {
            self.refuse("log in first: USER name, then PASS password", out);
            return;
        };
        let done = match command {
            Command::Stat => {
                let (messages, octets) = transaction.left();
                out.line(format!("+OK {messages} {octets}").as_bytes());
                Ok(())
            }
            Command::List(None) => {
                out.line(format!("+OK {}", transaction.summary()).as_bytes());
                self.doing = Doing::List {
                    what: Listed::Sizes,
                    next: 0,
                };
                Ok(())
            }
            Command::Uidl(None) => {
                out.line(b"+OK unique ids follow");
                self.doing = Doing::List {
                    what: Listed::Uids,
                    next: 0,
                };
                Ok(())
            }
            Command::List(Some(number)) => transaction.find(number).map(|index| {
                out.bytes(b"+OK ");
                out.with(|line| transaction.write(Listed::Sizes, index, line));
            }),
            Command::Uidl(Some(number)) => transaction.find(number).map(|index| {
                out.bytes(b"+OK ");
                out.with(|line| transaction.write(Listed::Uids, index, line));
            }),
            Command::Retr(number) => transaction.find(number).map(|index| {
                let octets = transaction.size(index);
                transaction.retrieving = Some(Retrieving {
                    index,
                    reply: format!("+OK {octets} octets"),
                    mark: Mark::Retrieved,
                });
                self.doing = Doing::Job;
                out.job(transaction.open(index, Outgoing::whole()));
            }),
            Command::Top { number, lines } => transaction.find(number).map(|index| {
                transaction.retrieving = Some(Retrieving {
                    index,
                    reply: "+OK top of the message follows".to_owned(),
                    mark: transaction.marks[index],
                });
                self.doing = Doing::Job;
                out.job(transaction.open(index, Outgoing::top(lines)));
            }),
            Command::Dele(number) => transaction.find(number).map(|index| {
                let retrieved = transaction.marks[index] == Mark::Retrieved;
                transaction.marks[index] = Mark::Deleted { retrieved };
                let reply =
                    format!("+OK message {number} goes when you QUIT; RSET takes that back");
                out.line(reply.as_bytes());
            }),
            Command::Rset => {
                transaction.reset();
                let reply = format!("+OK nothing is marked: {}", transaction.summary());
                out.line(reply.as_bytes());
                Ok(())
            }
            _ => {
                out.line(b"+OK");
                Ok(())
            }
        };
        match done {
            Ok(()) => self.proceed(out),
            Err(complaint) => self.refuse(&complaint, out),
        }
    }

    /// RFC 2449 §5: what works, and no more.
    fn capa(&self, out: &mut Out) {
        out.line(b"+OK this works here");
        out.line(b"TOP");
        out.line(b"UIDL");
        if self.may_take_password() {
            out.line(b"USER");
            out.line(b"SASL PLAIN");
        }
        let authorization = matches!(self.phase, Phase::Authorization { .. });
        if authorization && !self.secure && self.config.start_tls == StartTls::Offered {
            out.line(b"STLS");
        }
        out.line(b"RESP-CODES");
        out.line(b"AUTH-RESP-CODE");
        out.line(b"PIPELINING");
        out.line(b"EXPIRE NEVER");
        out.line(concat!("IMPLEMENTATION mailtool-", env!("CARGO_PKG_VERSION")).as_bytes());
        out.line(b".");
    }

    fn quit(&mut self, out: &mut Out) {
        let nobody = Phase::Authorization { name: None };
        match std::mem::replace(&mut self.phase, nobody) {
            Phase::Transaction(transaction) => {
                let (seen, deleted) = transaction.results();
                self.phase = Phase::Update {
                    deleted: deleted.len(),
                };
                let maildrop = transaction.maildrop;
                self.ask(
                    Job::Update {
                        maildrop,
                        seen,
                        deleted,
                    },
                    out,
                );
            }
            Phase::Authorization { .. } | Phase::Update { .. } => {
                out.line(b"+OK bye");
                out.close();
            }
        }
    }

    fn updated(&self, result: &Result<(), StoreError>, out: &mut Out) {
        let deleted = match self.phase {
            Phase::Update { deleted } => deleted,
            _ => 0,
        };
        let reply = match (result, deleted) {
            (Ok(()), 0) => "+OK bye; nothing was deleted".to_owned(),
            (Ok(()), _) => format!("+OK bye; {} deleted", Count(deleted)),
            // Marking as seen is nobody's wish but ours: its failure is no failure of QUIT.
            (Err(_), 0) => "+OK bye; nothing was deleted".to_owned(),
            // RFC 1939 §6
            (Err(_), _) => {
                "-ERR [SYS/TEMP] some messages were not deleted: not your fault, try again later"
                    .to_owned()
            }
        };
        out.line(reply.as_bytes());
        out.close();
    }

    /// A block of a message has come.
    fn block(&mut self, block: Result<Block, StoreError>, out: &mut Out) {
        let begun = match &mut self.phase {
            Phase::Transaction(transaction) => transaction.retrieving.take().map(|retrieving| {
                if block.is_ok() {
                    transaction.marks[retrieving.index] = retrieving.mark;
                }
                retrieving.reply
            }),
            _ => None,
        };
        match (block, begun) {
            (Ok(block), begun) => {
                if let Some(reply) = begun {
                    out.line(reply.as_bytes());
                }
                out.block(block.octets);
                match block.rest {
                    Some(rest) => self.doing = Doing::Send(rest),
                    None => self.doing = Doing::Command,
                }
                self.proceed(out);
            }
            (Err(StoreError::NoSuchMessage), Some(_)) => {
                out.line(b"-ERR another program has deleted this message; QUIT and connect again to see what is left");
                self.rest(out);
            }
            (Err(_), Some(_)) => {
                out.line(b"-ERR [SYS/TEMP] the message cannot be read now: not your fault, try again later");
                self.rest(out);
            }
            // Half of it is said. Whatever is said now would be taken for text, and the dot alone for its end.
            (Err(_), None) => out.close(),
        }
    }

    /// Says as much as there is room for of what the session is in the middle of.
    fn proceed(&mut self, out: &mut Out) {
        if let (Doing::List { what, next }, Phase::Transaction(transaction)) =
            (&mut self.doing, &self.phase)
        {
            while *next < transaction.marks.len() {
                if out.is_full() {
                    return;
                }
                out.with(|lines| {
                    let end = lines.len() + limits::BLOCK;
                    while lines.len() < end && *next < transaction.marks.len() {
                        if !transaction.is_deleted(*next) {
                            transaction.write(*what, *next, lines);
                        }
                        *next += 1;
                    }
                });
            }
            out.line(b".");
            self.doing = Doing::Command;
        }
        if matches!(self.doing, Doing::Send(_))
            && !out.is_full()
            && let Doing::Send(reading) = std::mem::replace(&mut self.doing, Doing::Job)
        {
            out.job(proto::Job::Pop3(Job::Read(reading)));
        }
        if matches!(self.doing, Doing::Command) {
            self.rest(out);
        }
    }

    /// Nothing is under way any more: the moment for a goodbye that waits.
    fn rest(&mut self, out: &mut Out) {
        self.doing = Doing::Command;
        match self.ending {
            Ending::No => {}
            Ending::PeerEnded => out.close(),
            Ending::Stop => {
                out.line(b"-ERR [SYS/TEMP] the server shuts down, and nothing was deleted: connect again later");
                out.close();
            }
        }
    }

    fn end(&mut self, ending: Ending, out: &mut Out) {
        self.ending = ending;
        if matches!(self.doing, Doing::Command | Doing::Sasl(_)) {
            self.rest(out);
        }
    }

    fn timeout(&mut self, now: Instant, out: &mut Out) {
        match self.doing {
            Doing::Pause(until) if now < until => {}
            Doing::Pause(_) if self.failures >= limits::LOGIN_FAILURES => {
                out.line(
                    b"-ERR [AUTH] name or password is wrong, for the last time here: connect again",
                );
                out.close();
            }
            Doing::Pause(_) => {
                // RFC 3206 §4: the credentials are the problem. Which of both is nobody's business.
                out.line(b"-ERR [AUTH] name or password is wrong; begin again with USER");
                self.rest(out);
            }
            // RFC 1939 §3: no UPDATE state, and no reply either.
            _ => out.close(),
        }
    }

    fn ask(&mut self, job: Job, out: &mut Out) {
        self.doing = Doing::Job;
        out.job(proto::Job::Pop3(job));
    }

    /// `-ERR`; whoever does nothing right for long is sent away.
    fn refuse(&mut self, complaint: &str, out: &mut Out) {
        self.errors += 1;
        out.line(format!("-ERR {complaint}").as_bytes());
        if self.errors >= limits::ERRORS {
            out.line(b"-ERR too many commands went wrong here; nothing was deleted, connect again");
            out.close();
        }
    }
}

impl Session for Server {
    fn want(&self) -> Want {
        match self.doing {
            Doing::Command | Doing::Sasl(_) => Want::Line {
                max: limits::POP3_LINE,
            },
            _ => Want::Nothing,
        }
    }

    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        self.heard = now;
        match input {
            Input::Open => self.open(out),
            Input::Line(line) => self.line(line, out),
            Input::LongLine => {
                self.doing = Doing::Command;
                let complaint = format!("a line has {} octets at most", limits::POP3_LINE);
                self.refuse(&complaint, out);
            }
            Input::TlsUp(_) => {
                // RFC 2595 §4: what was said before does not count.
                self.secure = true;
                self.phase = Phase::Authorization { name: None };
            }
            Input::Done(proto::Answer::Pop3(answer)) => match answer {
                Answer::Login(login) => self.logged_in(now, login, out),
                Answer::Block(block) => self.block(block, out),
                Answer::Updated(result) => self.updated(&result, out),
            },
            Input::Room => self.proceed(out),
            Input::Timeout => self.timeout(now, out),
            Input::Eof => self.end(Ending::PeerEnded, out),
            Input::Stop => self.end(Ending::Stop, out),
            Input::Text(_) | Input::TextEnd | Input::Changed | Input::Done(_) => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.doing {
            Doing::Job => None,
            Doing::Pause(until) => Some(until),
            _ if matches!(self.phase, Phase::Authorization { .. }) => {
                Some(self.heard + limits::LOGIN_IDLE)
            }
            _ => Some(self.heard + limits::POP3_IDLE),
        }
    }

    fn secret_in(&self, piece: &[u8]) -> Option<Range<usize>> {
        match self.doing {
            Doing::Sasl(_) => Some(0..piece.len()),
            _ => Command::secret_in(piece),
        }
    }
}

#[cfg(test)]
mod tests;
