//! The POP3 server's side of a session (RFC 1939, RFC 2449, RFC 2595 §4, RFC 3206, RFC 5034, RFC 6856).
//!
//! ```text
//!                  greeting
//!                     |
//!   STLS, CAPA  +-- AUTHORIZATION --- QUIT, lost, timeout ------> closed
//!   LANG, UTF8  |     |
//!               +---> |
//!                     | USER + PASS, APOP or AUTH; INBOX is locked
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
//! - Who may log in how is the business of [`crate::proto::login`].
//!
//! | file | what |
//! |---|---|
//! | `login` | the AUTHORIZATION state |
//! | `mailbox` | the commands of the TRANSACTION state, and UPDATE |
//! | `transaction` | an open maildrop, and what was done with it |
//! | `words` | all that is said to people, in each language |
//! | `delay` | the time between two logins |
//!
//! Each `-ERR` says what was wrong and what would be right. Codes in brackets stand where RFC 2449 §8 and RFC 3206 §4
//! define them.
//!
//! Beyond the RFCs, as Dovecot has it: what was retrieved is `\Seen` after QUIT; UIDL says UID and UIDVALIDITY, so that a
//! client that changes over from Dovecot downloads nothing again.
//!
//! A message that is UTF-8 outside of ASCII is sent as it is, whether UTF8 was said or not. RFC 6856 §2.1 wants it refused, or a
//! surrogate sent, before UTF8; but hardly any client says UTF8, all of them show such messages, and one that could not be had
//! would look lost. Dovecot does the same. What UTF8 is good for: names and passwords outside of ASCII are promised to work.

mod delay;
mod login;
mod mailbox;
mod transaction;
mod words;

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

pub use self::delay::LoginDelay;
use self::login::{Phase, Verdict, Waiting};
use self::transaction::{Listed, Transaction};
use self::words::{LANGUAGES, Left, Words, language};
use super::{Answer, Job, Reading};
use crate::limits;
use crate::proto::login::{Door, Origin};
use crate::proto::{self, Input, Out, Peer, Service, Session, Standing, StartTls};
use crate::store::Store;
use crate::wire::codes::Lang;
use crate::wire::lines::Want;
use crate::wire::pop3::{Command, SyntaxError};
use crate::wire::sasl::{Exchange, Mechanism};

/// What is the same for all sessions of a listener.
#[derive(Clone, Debug)]
pub struct Config {
    /// The server's name, as the greeting says it.
    pub hostname: String,
    /// Whether STLS is to be had.
    pub start_tls: StartTls,
    /// Who may log in how. Share one among all listeners, so that guessing is slow on all of them.
    pub door: Arc<Door>,
    /// How often an account may log in. Share one among all listeners of POP3.
    pub login_delay: Arc<LoginDelay>,
    /// The language that `LANG *` asks for (RFC 6856 §3.2).
    pub lang: Lang,
}

impl Config {
    /// With the policy that a server has by itself, in English.
    pub fn new(hostname: &str, start_tls: StartTls) -> Self {
        Self {
            hostname: hostname.to_owned(),
            start_tls,
            door: Arc::default(),
            login_delay: Arc::default(),
            lang: Lang::En,
        }
    }
}

/// Makes sessions.
pub struct Pop3Service {
    name: &'static str,
    config: Arc<Config>,
    store: Arc<Store>,
}

impl Pop3Service {
    /// `name` is `pop3` or `pop3s`.
    pub const fn new(name: &'static str, config: Arc<Config>, store: Arc<Store>) -> Self {
        Self {
            name,
            config,
            store,
        }
    }
}

impl Service for Pop3Service {
    fn name(&self) -> &'static str {
        self.name
    }

    fn session(&self, peer: Peer) -> Box<dyn Session> {
        let config = Arc::clone(&self.config);
        Box::new(Server::new(config, Arc::clone(&self.store), peer))
    }
}

/// One session. See the module.
pub struct Server {
    config: Arc<Config>,
    /// Only to ask what its users can log in with, which does not block.
    store: Arc<Store>,
    peer: Peer,
    /// `None` without TLS; in it, what a login can be bound to.
    tls: Option<Option<Box<[u8]>>>,
    phase: Phase,
    doing: Doing,
    lang: Lang,
    utf8: Utf8,
    /// What the greeting has for APOP.
    timestamp: Option<String>,
    /// Exchanges of AUTH that were begun.
    exchanges: u64,
    /// When the peer last did something.
    heard: Instant,
    /// Commands that were not understood, or not possible.
    errors: usize,
    /// Logins that failed.
    failures: usize,
    ending: Ending,
}

/// Whether UTF8 was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Utf8 {
    Off,
    On,
}

/// What the session is in the middle of.
enum Doing {
    /// Nothing: it waits for a command.
    Command,
    /// AUTH: it waits for the client's response.
    Sasl(Exchange, Verdict),
    /// AUTH: the store is asked.
    Asking(Exchange),
    /// A job.
    Job,
    /// It holds back the answer to a login until then.
    Pause(Instant, Waiting),
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
    pub const fn new(config: Arc<Config>, store: Arc<Store>, peer: Peer) -> Self {
        let heard = peer.accepted.instant;
        Self {
            config,
            store,
            peer,
            tls: None,
            phase: Phase::Authorization { name: None },
            doing: Doing::Command,
            lang: Lang::En,
            utf8: Utf8::Off,
            timestamp: None,
            exchanges: 0,
            heard,
            errors: 0,
            failures: 0,
            ending: Ending::No,
        }
    }

    fn open(&mut self, out: &mut Out) {
        if self.peer.refused.is_some() {
            self.say("-ERR", Words::TooManyConnections, out);
            out.close();
            return;
        }
        self.timestamp = self.new_timestamp();
        let ready = Words::Greeting(&self.config.hostname).text(self.lang);
        match &self.timestamp {
            // RFC 1939 §7: it promises APOP.
            Some(timestamp) => out.line(format!("+OK {ready} {timestamp}").as_bytes()),
            None => out.line(format!("+OK {ready}").as_bytes()),
        }
    }

    fn line(&mut self, now: Instant, line: &[u8], out: &mut Out) {
        if let Doing::Sasl(..) = &self.doing {
            return self.auth_answer(now, line, out);
        }
        let command = match Command::parse(line) {
            Ok(command) => command,
            Err(error) => return self.refuse(self.complaint(error), out),
        };
        match command {
            Command::Capa => self.capa(out),
            Command::Lang(range) => self.lang(range, out),
            Command::Quit => self.quit(out),
            Command::User(_)
            | Command::Pass(_)
            | Command::Apop { .. }
            | Command::Auth(_)
            | Command::Utf8
            | Command::Stls => self.authorization(now, command, out),
            Command::Stat
            | Command::List(_)
            | Command::Uidl(_)
            | Command::Top { .. }
            | Command::Retr(_)
            | Command::Dele(_)
            | Command::Rset
            | Command::Last
            | Command::Noop => self.transaction(command, out),
        }
    }

    /// What is said about a line that is no command.
    const fn complaint(&self, error: SyntaxError) -> Words<'static> {
        match error {
            SyntaxError::Empty => Words::Empty,
            SyntaxError::Usage(usage) => Words::Usage(usage),
            SyntaxError::Number(usage) => Words::Number(usage),
            SyntaxError::Unknown => match &self.phase {
                Phase::Authorization { .. } => Words::UnknownBeforeLogin,
                Phase::Transaction(_) | Phase::Update { .. } => Words::UnknownAfterLogin,
            },
        }
    }

    /// RFC 2449 §5: what works, and no more.
    fn capa(&self, out: &mut Out) {
        self.say("+OK", Words::Capabilities, out);
        out.line(b"TOP");
        out.line(b"UIDL");
        if self.may_log_in() {
            if self.takes_passwords() {
                out.line(b"USER");
            }
            let names: Vec<_> = self.mechanisms().map(Mechanism::name).collect();
            if !names.is_empty() {
                out.line(format!("SASL {}", names.join(" ")).as_bytes());
            }
        }
        let authorization = matches!(self.phase, Phase::Authorization { .. });
        if authorization && self.tls.is_none() && self.config.start_tls == StartTls::Offered {
            out.line(b"STLS");
        }
        out.line(b"RESP-CODES");
        out.line(b"AUTH-RESP-CODE");
        out.line(b"PIPELINING");
        out.line(b"EXPIRE NEVER");
        if let Some(seconds) = self.config.login_delay.seconds() {
            out.line(format!("LOGIN-DELAY {seconds}").as_bytes());
        }
        out.line(b"UTF8 USER");
        out.line(b"LANG");
        out.line(concat!("IMPLEMENTATION mailtool-", env!("CARGO_PKG_VERSION")).as_bytes());
        out.line(b".");
    }

    /// RFC 6856 §3.
    fn lang(&mut self, range: Option<&[u8]>, out: &mut Out) {
        let Some(range) = range else {
            self.say("+OK", Words::LanguagesFollow, out);
            for (_, tag, name) in LANGUAGES {
                out.line(format!("{tag} {name}").as_bytes());
            }
            return out.line(b".");
        };
        match language(range, self.config.lang) {
            Some((lang, tag)) => {
                self.lang = lang;
                let changed = Words::LanguageChanged.text(lang);
                out.line(format!("+OK {tag} {changed}").as_bytes());
            }
            None => self.refuse(Words::NoSuchLanguage, out),
        }
    }

    /// Nothing is under way any more: the moment for a goodbye that waits.
    fn rest(&mut self, out: &mut Out) {
        self.doing = Doing::Command;
        match self.ending {
            Ending::No => {}
            Ending::PeerEnded => out.close(),
            Ending::Stop => {
                self.say("-ERR", Words::ShuttingDown, out);
                out.close();
            }
        }
    }

    fn end(&mut self, ending: Ending, out: &mut Out) {
        self.ending = ending;
        if matches!(self.doing, Doing::Command | Doing::Sasl(..)) {
            self.rest(out);
        }
    }

    fn timeout(&mut self, now: Instant, out: &mut Out) {
        match std::mem::replace(&mut self.doing, Doing::Command) {
            Doing::Pause(until, waiting) if now < until => {
                self.doing = Doing::Pause(until, waiting);
            }
            Doing::Pause(_, waiting) => self.answered(waiting, out),
            // RFC 1939 §3: no UPDATE state, and no reply either.
            _ => out.close(),
        }
    }

    fn ask(&mut self, job: Job, out: &mut Out) {
        self.doing = Doing::Job;
        out.job(proto::Job::Pop3(job));
    }

    /// A line for people.
    fn say(&self, status: &str, words: Words<'_>, out: &mut Out) {
        let text = words.text(self.lang);
        match words.code() {
            Some(code) => out.line(format!("{status} [{code}] {text}").as_bytes()),
            None => out.line(format!("{status} {text}").as_bytes()),
        }
    }

    /// `-ERR`; whoever does nothing right for long is sent away.
    fn refuse(&mut self, complaint: Words<'_>, out: &mut Out) {
        self.errors += 1;
        self.say("-ERR", complaint, out);
        if self.errors >= limits::ERRORS {
            self.say("-ERR", Words::TooManyErrors, out);
            out.close();
        }
    }

    fn left(&self) -> Left {
        match &self.phase {
            Phase::Transaction(transaction) => transaction.left(),
            _ => Left {
                messages: 0,
                octets: 0,
            },
        }
    }

    fn origin(&self) -> Origin {
        Origin::of(&self.peer)
    }
}

impl Session for Server {
    fn want(&self) -> Want {
        match self.doing {
            Doing::Command | Doing::Sasl(..) => Want::Line {
                max: limits::POP3_LINE,
            },
            _ => Want::Nothing,
        }
    }

    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        self.heard = now;
        match input {
            Input::Open => self.open(out),
            Input::Line(line) => self.line(now, line, out),
            Input::LongLine => {
                self.doing = Doing::Command;
                self.refuse(Words::LongLine, out);
            }
            Input::TlsUp(info) => {
                // RFC 2595 §4: what was said before does not count.
                self.tls = Some(info.end_point);
                self.phase = Phase::Authorization { name: None };
                self.utf8 = Utf8::Off;
                self.lang = Lang::En;
            }
            Input::Done(proto::Answer::Pop3(answer)) => match answer {
                Answer::Login(login) => self.verified(now, login, out),
                Answer::Keys(keys, verdict) => self.keys(now, keys, verdict, out),
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
        match &self.doing {
            Doing::Job | Doing::Asking(_) => None,
            Doing::Pause(until, _) => Some(*until),
            _ if matches!(self.phase, Phase::Authorization { .. }) => {
                Some(self.heard + limits::LOGIN_IDLE)
            }
            _ => Some(self.heard + limits::POP3_IDLE),
        }
    }

    fn secret_in(&self, piece: &[u8]) -> Option<Range<usize>> {
        match self.doing {
            Doing::Sasl(..) => Some(0..piece.len()),
            _ => Command::secret_in(piece),
        }
    }

    fn standing(&self) -> Standing<'_> {
        Standing {
            user: match &self.phase {
                Phase::Transaction(transaction) => Some(transaction.user()),
                _ => None,
            },
            awaits_command: matches!(self.doing, Doing::Command),
            selected: false,
        }
    }
}

#[cfg(test)]
mod tests;
