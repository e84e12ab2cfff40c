//! AUTH (RFC 4954): who may ask for it, the exchange, and what wrong passwords cost.

use std::time::Instant;

use super::commands::not_done;
use super::{HelloKind, Mode, Server, State, replies};
use crate::proto::login::{self, Origin, Outcome};
use crate::proto::smtp::Job;
use crate::proto::{self, Out};
use crate::store::{Account, AuthError, Told};
use crate::tap::note;
use crate::wire::sasl::{Exchange, Mechanism, SaslError, Scene, Step};
use crate::wire::smtp::{Enhanced, Reply, Verb, shown};

/// What the store said beside keys, and what holds once they are proved.
type Verdict = Option<Result<Account, AuthError>>;

impl Server {
    pub(super) fn auth(&mut self, now: Instant, arguments: &[u8], out: &mut Out) {
        match self.auth_begin(arguments) {
            Ok(begun) => self.auth_step(now, begun, None, out),
            Err(refusal) => self.respond(now, refusal, out),
        }
    }

    /// The order and the mechanism are checked before anything is decoded.
    fn auth_begin(
        &mut self,
        arguments: &[u8],
    ) -> Result<Result<(Exchange, Step), SaslError>, Reply> {
        let mut arguments = arguments.splitn(2, u8::is_ascii_whitespace);
        let name = arguments.next().unwrap_or_default();
        let initial = arguments.next().map(<[u8]>::trim_ascii);
        if name.is_empty() {
            return Err(replies::argument_missing(Verb::Auth));
        }
        if !matches!(&self.hello, Some(hello) if hello.kind != HelloKind::Helo) {
            return Err(replies::sequence(
                "AUTH is an extension: say EHLO first, which lists what there is",
            ));
        }
        if self.user.is_some() {
            // RFC 4954 §4
            return Err(replies::sequence("You are logged in already"));
        }
        if self.message.is_some() {
            return Err(replies::sequence(
                "Not within a message: log in before MAIL, or say RSET first",
            ));
        }
        if !self.may_authenticate() {
            return Err(match self.config.mode {
                Mode::Lmtp => not_done("AUTH is not done in LMTP here"),
                _ => {
                    let text = "A password needs encryption: say STARTTLS first, then EHLO again";
                    Reply::new(538, Enhanced(5, 7, 11), text)
                }
            });
        }
        let known = Mechanism::named(name);
        let Some(mechanism) = known.filter(|known| self.mechanisms().any(|it| it == *known)) else {
            let names: Vec<_> = self.mechanisms().map(Mechanism::name).collect();
            let names = names.join(", ");
            let example = Verb::Auth.info().example;
            let text = if Mechanism::is_name(name) {
                format!("\"{}\" is not known here: there are {names}", shown(name))
            } else {
                format!(
                    "After AUTH comes a mechanism, which is one of {names}, and a space. Example: {example}"
                )
            };
            return Err(Reply::new(504, Enhanced(5, 5, 4), text));
        };
        let nonce = self.nonce();
        let scene = Scene {
            nonce: &nonce,
            host: &self.config.hostname,
            end_point: self.end_point(),
        };
        let initial = initial.filter(|word| !word.is_empty());
        Ok(Exchange::start(mechanism, initial, &scene))
    }

    pub(super) fn auth_step(
        &mut self,
        now: Instant,
        step: Result<(Exchange, Step), SaslError>,
        verdict: Verdict,
        out: &mut Out,
    ) {
        match step {
            Ok((exchange, Step::Challenge(challenge))) => {
                self.state = State::Challenge(exchange, verdict);
                // RFC 4954 §4: no enhanced code, and the space stays even before an empty challenge.
                out.line(format!("334 {challenge}").as_bytes());
            }
            Ok((exchange, Step::Verify(credentials))) => {
                self.state = State::Verifying(exchange);
                out.job(proto::Job::Smtp(Job::Verify(credentials)));
            }
            Ok((exchange, Step::Ask(question))) => {
                self.state = State::Verifying(exchange);
                out.job(proto::Job::Smtp(Job::Ask(question)));
            }
            Ok((_, Step::Proven)) => {
                self.settled(now, verdict.unwrap_or(Err(AuthError::Credentials)), out);
            }
            Err(SaslError::Cancelled) => {
                self.say(
                    &Reply::new(501, Enhanced(5, 7, 0), "Cancelled, as you asked"),
                    out,
                );
            }
            // Whatever the store said of the name: without the proof it is nobody's business.
            Err(error) if error.is_refusal() => {
                self.settled(now, Err(AuthError::Credentials), out);
            }
            Err(error @ (SaslError::Binding | SaslError::Downgrade)) => {
                let text = format!("No login: {error}");
                self.say(&Reply::new(535, Enhanced(5, 7, 8), text), out);
            }
            Err(error) => {
                let text = format!("The answer cannot be read: {error}");
                self.say(&Reply::new(501, Enhanced(5, 5, 2), text), out);
            }
        }
    }

    /// The store has looked at a password, a keyed hash or a token.
    pub(super) fn verified(
        &mut self,
        now: Instant,
        mut exchange: Exchange,
        result: Result<Account, AuthError>,
        out: &mut Out,
    ) {
        match (result, exchange.refused()) {
            // RFC 7628 §3.2.3: why, in a challenge, and then the refusal.
            (Err(error), Some(step)) => {
                self.auth_step(now, Ok((exchange, step)), Some(Err(error)), out);
            }
            (result, _) => self.settled(now, result, out),
        }
    }

    /// The store has answered what was asked.
    pub(super) fn told(&mut self, now: Instant, mut exchange: Exchange, told: Told, out: &mut Out) {
        match told {
            Told::Verdict(result) => self.verified(now, exchange, result, out),
            Told::Keys(keys, verdict) => {
                let step = exchange.keys(keys).map(|step| (exchange, step));
                self.auth_step(now, step, Some(verdict), out);
            }
        }
    }

    /// Who it is, or that it is nobody. What is held back is the answer: right and wrong ones alike.
    fn settled(&mut self, now: Instant, result: Result<Account, AuthError>, out: &mut Out) {
        let (outcome, reply) = match result {
            Ok(account) => {
                let text = format!("Welcome {}", account.name);
                out.note(note::USER, &account.name);
                self.user = Some(account);
                (Outcome::Right, Reply::new(235, Enhanced(2, 7, 0), text))
            }
            Err(error) => {
                let refusal = match error {
                    AuthError::Identity => {
                        "Nobody may act as somebody else here: leave the name to act as empty"
                    }
                    AuthError::Credentials => "Name or password is wrong",
                    AuthError::Expired => {
                        "The time of this account, or of its password, is over: ask who runs the server"
                    }
                };
                // RFC 5248, the registry's X.7.13
                let (code, enhanced) = match error {
                    AuthError::Expired => (525, Enhanced(5, 7, 13)),
                    _ => (535, Enhanced(5, 7, 8)),
                };
                self.auth_failures += 1;
                (Outcome::Wrong, Reply::new(code, enhanced, refusal))
            }
        };
        let pause = self.config.door.judge(now, self.origin(), outcome);
        if pause.is_zero() {
            return self.say(&reply, out);
        }
        self.state = State::Delayed {
            until: now + pause,
            reply,
            then: Box::new(State::Command),
        };
    }

    /// What can be logged in with, the better first.
    pub(super) fn mechanisms(&self) -> impl Iterator<Item = Mechanism> {
        let means = self.store.users().means();
        self.config.door.mechanisms(means, self.end_point())
    }

    /// What a login can be bound to.
    fn end_point(&self) -> Option<&[u8]> {
        self.tls.as_ref()?.end_point.as_deref()
    }

    fn nonce(&mut self) -> String {
        self.exchanges += 1;
        login::nonce(&self.peer.seed, self.exchanges)
    }

    fn origin(&self) -> Origin {
        match self.peer.remote {
            None if self.proxied => Origin::Unknown,
            _ => Origin::of(&self.peer),
        }
    }

    /// Passwords go over TLS, or stay on this computer.
    pub(super) fn may_authenticate(&self) -> bool {
        let open = self.config.door.is_open(self.tls.is_some(), self.origin());
        open && self.config.mode != Mode::Lmtp
    }
}
