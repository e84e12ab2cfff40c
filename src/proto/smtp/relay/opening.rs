//! What comes before the first message: EHLO, STARTTLS, AUTH.

use super::{Client, State};
use crate::proto::Out;
use crate::proto::client::{Failure as DialogueFailure, Upgrade};
use crate::proto::smtp::terms::{Failure, Protocol};
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
    }

    pub(super) fn upgrade(&mut self, out: &mut Out) {
        match (self.plan.upgrade, self.offers.start_tls) {
            (Upgrade::Required | Upgrade::IfOffered, true) => {
                self.state = State::StartTls;
                out.line(b"STARTTLS");
            }
            (Upgrade::Required, false) => self.fail(DialogueFailure::NoTls.into(), out),
            (Upgrade::IfOffered, false) | (Upgrade::Never, _) => self.log_in(out),
        }
    }

    pub(super) fn log_in(&mut self, out: &mut Out) {
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

    pub(super) fn challenged(&mut self, reply: &Reply, out: &mut Out) {
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

    pub(super) fn logged_in(&mut self, reply: &Reply, out: &mut Out) {
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
}
