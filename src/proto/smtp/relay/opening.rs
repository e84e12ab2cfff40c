//! What comes before the first message: EHLO, STARTTLS, AUTH.

use super::manner::Point;
use super::{Client, State};
use crate::proto::client::{Failure as DialogueFailure, Upgrade};
use crate::proto::smtp::terms::{Failure, Protocol, With};
use crate::proto::{Out, TlsInfo};
use crate::wire::sasl_client::Privacy;
use crate::wire::smtp::Reply;

impl Client {
    pub(super) fn say_hello(&mut self, out: &mut Out) {
        let verb = match self.plan.protocol {
            Protocol::Smtp => "EHLO",
            Protocol::Lmtp => "LHLO",
        };
        self.state = State::Ehlo;
        out.line(format!("{verb} {}", self.plan.name).as_bytes());
        // Before TLS it is not known to be the last one, but where TLS is to come.
        if !self.drops_behind(Point::FirstHello, out)
            && self.plan.upgrade == Upgrade::Never
            && !self.has_xclient()
        {
            self.drops_behind(Point::Hello, out);
        }
    }

    fn has_xclient(&self) -> bool {
        let manner = self.manner.as_ref();
        manner.is_some_and(|manner| !manner.xclient.is_empty())
    }

    /// Says whose connection it is, if it is to be somebody else's (Postfix's XCLIENT_README).
    pub(super) fn introduce(&mut self, out: &mut Out) {
        if !self.has_xclient() {
            return self.log_in(out);
        }
        if self.halts_before(Point::Xclient, out) {
            return;
        }
        if !self.offers.xclient {
            return self.fail(Failure::NotOffered("XCLIENT"), out);
        }
        if let Some(manner) = &mut self.manner {
            let arguments = manner.xclient.remove(0);
            self.state = State::Xclient;
            out.line(format!("XCLIENT {arguments}").as_bytes());
        }
        self.drops_behind(Point::Xclient, out);
    }

    pub(super) fn upgrade(&mut self, out: &mut Out) {
        match (self.plan.upgrade, self.offers.start_tls) {
            (Upgrade::Required | Upgrade::IfOffered, true) => {
                if !self.halts_before(Point::Tls, out) {
                    self.state = State::StartTls;
                    out.line(b"STARTTLS");
                    self.drops_behind(Point::Tls, out);
                }
            }
            (Upgrade::Required, false) => self.fail(DialogueFailure::NoTls.into(), out),
            (Upgrade::IfOffered, false) | (Upgrade::Never, _) => self.introduce(out),
        }
    }

    pub(super) fn log_in(&mut self, out: &mut Out) {
        if self.halts_before(Point::Auth, out) {
            return;
        }
        let Some(login) = &self.plan.login else {
            return self.ready(out);
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
            } else if let With::Mechanism(mechanism) = login.with {
                Failure::NotOffered(mechanism.name())
            } else {
                Failure::NoMechanism(offered.clone())
            };
            return self.fail(failure, out);
        };
        let (exchange, initial) = login.begin(mechanism, end_point(self.tls.as_ref()));
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
        if matches!(self.state, State::Auth) {
            self.drops_behind(Point::Auth, out);
        }
    }

    /// All that comes before mail is done.
    fn ready(&mut self, out: &mut Out) {
        if !self.halts_before(Point::Mail, out) {
            self.next_message(out);
        }
    }

    pub(super) fn challenged(&mut self, reply: &Reply, out: &mut Out) {
        let (Some(login), Some(exchange)) = (&self.plan.login, &mut self.exchange) else {
            return;
        };
        if matches!(self.state, State::AuthBegin) {
            self.state = State::Auth;
            let (begun, initial) = login.begin(exchange.mechanism(), end_point(self.tls.as_ref()));
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

    pub(super) fn logged_in(&mut self, reply: &Reply, out: &mut Out) {
        let text = reply.lines.concat();
        let accepted = self
            .exchange
            .as_ref()
            .map(|exchange| exchange.accepted(&text));
        match accepted {
            Some(Err(fault)) => self.fail(Failure::Sasl(fault), out),
            _ => self.ready(out),
        }
    }
}

/// What a login over this TLS can be bound to.
fn end_point(tls: Option<&TlsInfo>) -> &[u8] {
    tls.and_then(|tls| tls.end_point.as_deref())
        .unwrap_or_default()
}
