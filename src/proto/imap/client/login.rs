//! Logging in: AUTHENTICATE with the best mechanism that the server offers (RFC 3501 §6.2.2, RFC 4959), else LOGIN.

use super::*;
use crate::wire::sasl_client::{Exchange, Mechanism, Privacy};

/// How to log in, where it is not by what is best.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// What was asked for; else the best that the server offers. LOGIN is the command of that name, but where that is disabled and the mechanism is
    /// offered.
    pub mechanism: Option<Mechanism>,
    /// Printable, without commas, never used before: for SCRAM, which is not chosen without.
    pub nonce: String,
}

/// What is known of it on the way.
#[derive(Default)]
pub(super) struct Door {
    pub(super) login: Login,
    /// Names of mechanisms, with spaces between them.
    offered: String,
    exchange: Option<Exchange>,
    /// To which certificate a login over this TLS can be bound.
    pub(super) end_point: Option<Box<[u8]>>,
}

impl Door {
    /// Takes the mechanisms out of the words of CAPABILITY.
    pub(super) fn hear<'w>(&mut self, words: impl Iterator<Item = &'w [u8]>) {
        self.offered.clear();
        for word in words {
            if let Some((head, name)) = word.split_at_checked(5)
                && head.eq_ignore_ascii_case(b"AUTH=")
            {
                self.offered.push_str(&String::from_utf8_lossy(name));
                self.offered.push(' ');
            }
        }
    }

    /// What was learnt before is forgotten.
    pub(super) fn forget(&mut self) {
        self.offered.clear();
    }

    fn mechanism(&self) -> Option<Mechanism> {
        let able = |name: &&str| {
            !self.login.nonce.is_empty() || !Mechanism::named(name).is_some_and(Mechanism::is_scram)
        };
        match self.login.mechanism {
            None => {
                let able: Vec<_> = self.offered.split(' ').filter(able).collect();
                Mechanism::best(&able.join(" "), Privacy::Private)
            }
            Some(asked) => asked.is_among(&self.offered).then_some(asked),
        }
    }
}

impl Client<'_> {
    pub(super) fn login(&mut self, out: &mut Out) {
        let asked = self.door.login.mechanism;
        if self.plan.user.is_empty() && asked != Some(Mechanism::External) {
            return self.proceed(out);
        }
        let in_the_clear = self.server.tls.is_empty() && self.capabilities.login_disabled;
        // As mbsync's LOGIN: some servers (GNU Mailutils) never answer to the mechanism, and all know the command.
        let is_command = asked == Some(Mechanism::Login) && !self.capabilities.login_disabled;
        match self.door.mechanism().filter(|_| !is_command) {
            Some(mechanism) => self.authenticate(mechanism, out),
            None if in_the_clear => self.give_up(Failure::TlsFirst, out),
            None if !matches!(asked, None | Some(Mechanism::Login)) => {
                let why = "the server does not offer this mechanism (`imap serverinfo` lists those that it does, as AUTH=)";
                self.give_up(Failure::Unsendable(why), out);
            }
            None if self.capabilities.login_disabled => {
                let offered = self.door.offered.trim_end();
                let said = match offered.is_empty() {
                    true => "the server takes no login here".to_owned(),
                    false => format!("the server offers login with {offered} only"),
                };
                let refusal = Refusal::new("LOGIN", said.as_bytes(), Lasting::Permanent);
                self.give_up(Failure::Command(refusal), out);
            }
            None => {
                let command = Command::new("LOGIN ")
                    .string(self.plan.user.as_bytes())
                    .text(" ")
                    .secret_string(self.plan.password.as_bytes());
                self.send(Step::Login, command, out);
            }
        }
    }

    fn authenticate(&mut self, mechanism: Mechanism, out: &mut Out) {
        let end_point = self.door.end_point.as_deref().unwrap_or_default();
        let (user, password) = (&self.plan.user, &self.plan.password);
        let nonce = &self.door.login.nonce;
        let (exchange, initial) = Exchange::bound(mechanism, user, password, nonce, end_point);
        self.door.exchange = Some(exchange);
        let command = Command::new(&format!("AUTHENTICATE {}", mechanism.name()));
        let command = match initial {
            None => command,
            // RFC 4959 §3
            Some(initial) if self.capabilities.sasl_ir => {
                command.text(" ").secret(initial.into_bytes())
            }
            // An equals sign says nothing only where it stands in the command.
            Some(initial) if initial == "=" => command.when_asked().secret(Vec::new()),
            Some(initial) => command.when_asked().secret(initial.into_bytes()),
        };
        self.send(Step::Login, command, out);
    }

    /// Answers a challenge; false where nobody waits for one.
    pub(super) fn challenged(&mut self, challenge: &[u8], out: &mut Out) -> bool {
        let exchange = self.door.exchange.as_mut();
        let Some(exchange) = exchange.filter(|_| self.step == Step::Login) else {
            return false;
        };
        match exchange.answer(&String::from_utf8_lossy(challenge)) {
            Ok(answer) => out.secret_line(b"", answer.as_bytes()),
            Err(fault) => {
                // RFC 3501 §6.2.2: it cancels; what the server says to that does not matter.
                out.line(b"*");
                self.mistrust(&fault.to_string(), out);
            }
        }
        true
    }

    /// The server says yes: it has to have proved itself, where the mechanism has it do so.
    pub(super) fn logged_in(&mut self, condition: &Condition<'_>, out: &mut Out) {
        let text = String::from_utf8_lossy(condition.text);
        let exchange = self.door.exchange.take();
        match exchange.and_then(|exchange| exchange.accepted(&text).err()) {
            Some(fault) => self.mistrust(&fault.to_string(), out),
            None => {
                self.learn(condition);
                self.proceed(out);
            }
        }
    }

    fn mistrust(&mut self, said: &str, out: &mut Out) {
        let refusal = Refusal::new(self.name(), said.as_bytes(), Lasting::Permanent);
        self.give_up(Failure::Login(refusal), out);
    }
}
