//! The AUTHORIZATION state: USER and PASS, APOP (RFC 1939 §7), AUTH (RFC 5034), STLS (RFC 2595 §4), UTF8 (RFC 6856 §2).

use std::time::Instant;

use super::super::{Job, LoginError, Maildrop};
use super::{Doing, Server, Transaction, Utf8, Words};
use crate::limits;
use crate::proto::login::{self, Outcome};
use crate::proto::{Out, StartTls};
use crate::store::{Account, AuthError, StoreError};
use crate::tap::note;
use crate::wire::pop3::Command;
use crate::wire::sasl::{
    Credentials, Exchange, Mechanism, Question, SaslError, Scene, ScramKeys, Step,
};

/// The states of RFC 1939 §3.
pub(super) enum Phase {
    /// Nobody is logged in; `name` is what USER said.
    Authorization { name: Option<String> },
    /// Somebody is.
    Transaction(Box<Transaction>),
    /// QUIT was said, and what DELE marked is being removed: so many messages.
    Update { deleted: usize },
}

/// What the store said beside keys, and what holds once they are proved.
pub(super) type Verdict = Option<Result<Account, AuthError>>;

/// What is said when the time has come.
pub(super) enum Waiting {
    Wrong(AuthError),
    Open(Box<Maildrop>),
    CannotOpen(StoreError),
}

impl Server {
    /// Commands of the AUTHORIZATION state.
    pub(super) fn authorization(&mut self, now: Instant, command: Command<'_>, out: &mut Out) {
        let is_open = self.may_log_in();
        let takes_passwords = self.takes_passwords();
        let Phase::Authorization { name } = &mut self.phase else {
            let complaint = match command {
                // RFC 2595 §4: STLS is for the AUTHORIZATION state only.
                Command::Stls => Words::TlsBeforeLogin,
                Command::Utf8 => Words::Utf8BeforeLogin,
                _ => Words::LoggedInAlready,
            };
            return self.refuse(complaint, out);
        };
        match command {
            Command::Stls => self.stls(out),
            Command::Utf8 => {
                self.utf8 = Utf8::On;
                self.say("+OK", Words::Utf8, out);
            }
            Command::Auth(None) => {
                self.say("+OK", Words::MechanismsFollow, out);
                if is_open {
                    for mechanism in self.mechanisms() {
                        out.line(mechanism.name().as_bytes());
                    }
                }
                out.line(b".");
            }
            _ if !is_open => {
                let complaint = match self.config.start_tls {
                    StartTls::Offered => Words::InsecureSoStls,
                    StartTls::Unavailable => Words::Insecure,
                };
                self.refuse(complaint, out);
            }
            Command::User(_) | Command::Pass(_) if !takes_passwords => {
                let names = self.names();
                self.refuse(Words::NoPasswords(&names), out);
            }
            Command::User(said) => match std::str::from_utf8(said) {
                Ok(said) => {
                    *name = Some(said.to_owned());
                    self.say("+OK", Words::NowPassword, out);
                }
                Err(_) => self.refuse(Words::NotUtf8, out),
            },
            Command::Pass(password) => match name.take() {
                Some(_) if std::str::from_utf8(password).is_err() => {
                    self.refuse(Words::NotUtf8, out);
                }
                Some(name) => {
                    let credentials = Credentials::new(name, password.to_vec());
                    self.ask(Job::Login(credentials), out);
                }
                None => self.refuse(Words::NameFirst, out),
            },
            Command::Apop { name, digest } => match (&self.timestamp, std::str::from_utf8(name)) {
                (Some(timestamp), Ok(name)) => {
                    let question = Question::Apop {
                        name: name.to_owned(),
                        timestamp: timestamp.clone(),
                        digest,
                    };
                    self.ask(Job::Ask(question), out);
                }
                (Some(_), Err(_)) => self.refuse(Words::NotUtf8, out),
                (None, _) => self.refuse(Words::NoApop, out),
            },
            Command::Auth(Some((mechanism, initial))) => self.auth(now, mechanism, initial, out),
            _ => {}
        }
    }

    fn stls(&mut self, out: &mut Out) {
        if self.tls.is_some() {
            self.refuse(Words::TlsIsUp, out);
        } else if self.config.start_tls == StartTls::Unavailable {
            self.refuse(Words::NoTls, out);
        } else if self.utf8 == Utf8::On {
            self.refuse(Words::TlsBeforeUtf8, out);
        } else {
            self.say("+OK", Words::TlsBegins, out);
            out.start_tls();
        }
    }

    fn auth(&mut self, now: Instant, name: &[u8], initial: Option<&[u8]>, out: &mut Out) {
        let offered = |known: &Mechanism| self.mechanisms().any(|mechanism| mechanism == *known);
        let Some(mechanism) = Mechanism::named(name).filter(offered) else {
            let names = self.names();
            return self.refuse(Words::NoSuchMechanism(&names), out);
        };
        self.exchanges += 1;
        let nonce = login::nonce(&self.peer.seed, self.exchanges);
        let scene = Scene {
            nonce: &nonce,
            host: &self.config.hostname,
            end_point: self.end_point(),
        };
        let begun = Exchange::start(mechanism, initial, &scene);
        self.auth_step(now, begun, None, out);
    }

    /// A line that answers a challenge.
    pub(super) fn auth_answer(&mut self, now: Instant, line: &[u8], out: &mut Out) {
        if let Doing::Sasl(mut exchange, verdict) =
            std::mem::replace(&mut self.doing, Doing::Command)
        {
            let step = exchange.answer(line).map(|step| (exchange, step));
            self.auth_step(now, step, verdict, out);
        }
    }

    fn auth_step(
        &mut self,
        now: Instant,
        step: Result<(Exchange, Step), SaslError>,
        verdict: Verdict,
        out: &mut Out,
    ) {
        match step {
            Ok((exchange, Step::Challenge(challenge))) => {
                // RFC 5034 §4: the space stays even before an empty challenge.
                out.line(format!("+ {challenge}").as_bytes());
                self.doing = Doing::Sasl(exchange, verdict);
            }
            Ok((exchange, Step::Verify(credentials))) => {
                self.ask(Job::Login(credentials), out);
                self.doing = Doing::Asking(exchange);
            }
            Ok((exchange, Step::Ask(question))) => {
                self.ask(Job::Ask(question), out);
                self.doing = Doing::Asking(exchange);
            }
            Ok((_, Step::Proven)) => match verdict.unwrap_or(Err(AuthError::Credentials)) {
                Ok(account) => self.ask(Job::Enter(account), out),
                Err(error) => self.settled(now, Err(LoginError::Refused(error)), out),
            },
            // Whatever the store said of the name: without the proof it is nobody's business.
            Err(error) if error.is_refusal() => {
                self.settled(now, Err(LoginError::Refused(AuthError::Credentials)), out);
            }
            Err(error) => {
                self.refuse(Words::Sasl(error), out);
                if out.wish().is_none() {
                    self.rest(out);
                }
            }
        }
    }

    /// The store has told what a proof is to be checked with.
    pub(super) fn keys(
        &mut self,
        now: Instant,
        keys: ScramKeys,
        verdict: Result<Account, AuthError>,
        out: &mut Out,
    ) {
        if let Doing::Asking(mut exchange) = std::mem::replace(&mut self.doing, Doing::Command) {
            let step = exchange.keys(keys).map(|step| (exchange, step));
            self.auth_step(now, step, Some(verdict), out);
        }
    }

    /// The store has looked at a password, a digest or a token.
    pub(super) fn verified(
        &mut self,
        now: Instant,
        login: Result<Box<Maildrop>, LoginError>,
        out: &mut Out,
    ) {
        match (login, std::mem::replace(&mut self.doing, Doing::Command)) {
            (Err(LoginError::Refused(error)), Doing::Asking(mut exchange)) => {
                match exchange.refused() {
                    // RFC 7628 §3.2.3: why, in a challenge, and then the refusal.
                    Some(step) => self.auth_step(now, Ok((exchange, step)), Some(Err(error)), out),
                    None => self.settled(now, Err(LoginError::Refused(error)), out),
                }
            }
            (login, _) => self.settled(now, login, out),
        }
    }

    /// Who it is, or that it is nobody. The answer may have to wait: right and wrong ones alike.
    fn settled(&mut self, now: Instant, login: Result<Box<Maildrop>, LoginError>, out: &mut Out) {
        let (outcome, waiting) = match login {
            Ok(maildrop) => match self.config.login_delay.admit(now, &maildrop.account.name) {
                Ok(()) => {
                    out.note(note::USER, &maildrop.account.name);
                    (Outcome::Right, Waiting::Open(maildrop))
                }
                Err(seconds) => {
                    self.say("-ERR", Words::LoginDelay(seconds), out);
                    return self.rest(out);
                }
            },
            Err(LoginError::Refused(error)) => {
                self.failures += 1;
                (Outcome::Wrong, Waiting::Wrong(error))
            }
            Err(LoginError::Store(error)) => (Outcome::Right, Waiting::CannotOpen(error)),
        };
        let pause = self.config.door.judge(now, self.origin(), outcome);
        if pause.is_zero() {
            self.answered(waiting, out);
        } else {
            self.doing = Doing::Pause(now + pause, waiting);
        }
    }

    /// The answer to a login.
    pub(super) fn answered(&mut self, waiting: Waiting, out: &mut Out) {
        match waiting {
            Waiting::Open(maildrop) => {
                let transaction = Transaction::new(maildrop);
                self.say("+OK", Words::Open(transaction.left()), out);
                self.phase = Phase::Transaction(Box::new(transaction));
            }
            // RFC 2449 §8.1.2
            Waiting::CannotOpen(StoreError::Busy) => self.say("-ERR", Words::InUse, out),
            Waiting::CannotOpen(_) => self.say("-ERR", Words::CannotOpen, out),
            Waiting::Wrong(_) if self.failures >= limits::LOGIN_FAILURES => {
                self.say("-ERR", Words::WrongForTheLastTime, out);
                return out.close();
            }
            Waiting::Wrong(AuthError::Credentials) => self.say("-ERR", Words::Wrong, out),
            Waiting::Wrong(AuthError::Identity) => self.say("-ERR", Words::NotAsAnother, out),
            Waiting::Wrong(AuthError::Expired) => self.say("-ERR", Words::Expired, out),
        }
        self.rest(out);
    }

    /// Passwords go over TLS, or stay on this computer.
    pub(super) fn may_log_in(&self) -> bool {
        self.config.door.is_open(self.tls.is_some(), self.origin())
    }

    /// What can be logged in with, the better first.
    pub(super) fn mechanisms(&self) -> impl Iterator<Item = Mechanism> {
        let means = self.store.users().means();
        self.config.door.mechanisms(means, self.end_point())
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.mechanisms().map(Mechanism::name).collect();
        names.join(", ")
    }

    /// USER and PASS show what PLAIN shows: where no mechanism that does is wanted, neither are they.
    pub(super) fn takes_passwords(&self) -> bool {
        self.mechanisms().any(Mechanism::is_password)
    }

    /// The greeting's `<...>` where APOP works: each password is known, and what is as weak, CRAM-MD5, is wanted.
    pub(super) fn new_timestamp(&self) -> Option<String> {
        let works = self.may_log_in()
            && self.store.users().means().passwords
            && self.mechanisms().any(|it| it == Mechanism::CramMd5);
        let nonce = login::nonce(&self.peer.seed, 0);
        works.then(|| format!("<{nonce}@{}>", self.config.hostname))
    }

    /// What a login can be bound to.
    fn end_point(&self) -> Option<&[u8]> {
        self.tls.as_ref()?.as_deref()
    }
}
