//! AUTH (RFC 4954): who may ask for it, the exchange, and what wrong passwords cost.

use std::net::IpAddr;
use std::time::Instant;

use super::commands::not_done;
use super::{HelloKind, Mode, Server, State, replies};
use crate::limits;
use crate::proto::smtp::Job;
use crate::proto::{self, Out};
use crate::store::{Account, AuthError};
use crate::wire::sasl::{Exchange, Mechanism, SaslError, Step};
use crate::wire::smtp::{Enhanced, Reply, Verb, shown};

impl Server {
    pub(super) fn auth(&mut self, arguments: &[u8], out: &mut Out) {
        match self.auth_begin(arguments) {
            Ok(begun) => self.auth_step(begun, out),
            Err(refusal) => self.say(&refusal, out),
        }
    }

    /// The order and the mechanism are checked before anything is decoded.
    fn auth_begin(&self, arguments: &[u8]) -> Result<Result<(Exchange, Step), SaslError>, Reply> {
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
        if self.envelope.is_some() {
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
        let Some(mechanism) = Mechanism::named(name) else {
            let [one, other] = Mechanism::ALL.map(Mechanism::name);
            let example = Verb::Auth.info().example;
            let text = if Mechanism::is_name(name) {
                format!(
                    "\"{}\" is not known here: there are {one} and {other}",
                    shown(name)
                )
            } else {
                format!(
                    "After AUTH comes a mechanism, which is {one} or {other}, and a space. Example: {example}"
                )
            };
            return Err(Reply::new(504, Enhanced(5, 5, 4), text));
        };
        Ok(Exchange::begin(
            mechanism,
            initial.filter(|word| !word.is_empty()),
        ))
    }

    pub(super) fn auth_step(&mut self, step: Result<(Exchange, Step), SaslError>, out: &mut Out) {
        match step {
            Ok((exchange, Step::Challenge(challenge))) => {
                self.state = State::Challenge(exchange);
                // RFC 4954 §4: no enhanced code, and the space stays even before an empty challenge.
                out.line(format!("334 {challenge}").as_bytes());
            }
            Ok((_, Step::Verify(credentials))) => {
                self.state = State::Verifying;
                out.job(proto::Job::Smtp(Job::Verify(credentials)));
            }
            Err(SaslError::Cancelled) => {
                self.say(
                    &Reply::new(501, Enhanced(5, 7, 0), "Cancelled, as you asked"),
                    out,
                );
            }
            Err(error) => {
                let text = format!("The answer cannot be read: {error}");
                self.say(&Reply::new(501, Enhanced(5, 5, 2), text), out);
            }
        }
    }

    pub(super) fn verified(
        &mut self,
        now: Instant,
        result: Result<Account, AuthError>,
        out: &mut Out,
    ) {
        let refusal = match result {
            Ok(account) => {
                let text = format!("Welcome {}", account.name);
                self.user = Some(account);
                return self.say(&Reply::new(235, Enhanced(2, 7, 0), text), out);
            }
            Err(AuthError::Identity) => {
                "Nobody may act as somebody else here: leave the first field of PLAIN empty"
            }
            Err(AuthError::Credentials) => "Name or password is wrong",
        };
        self.auth_failures += 1;
        let reply = Reply::new(535, Enhanced(5, 7, 8), refusal);
        let until = now + limits::LOGIN_PAUSE;
        self.state = State::Delayed { until, reply };
    }

    /// Passwords go over TLS, or stay on this computer.
    pub(super) fn may_authenticate(&self) -> bool {
        let loopback = |ip: IpAddr| ip.to_canonical().is_loopback();
        let private =
            self.tls.is_some() || self.peer.remote.is_none_or(|remote| loopback(remote.ip()));
        private && self.config.mode != Mode::Lmtp
    }
}
