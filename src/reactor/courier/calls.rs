//! The connections of a courier: how they are made, and what comes of them.

use std::time::{Instant, SystemTime};

use super::super::{Connector, Security, Trust, nonce};
use super::words::{failure_reply, verdicts};
use super::work::{Brought, fetch};
use super::{Courier, End, Job, Orders, Outgoing, Place, Verified, unix};
use crate::limits;
use crate::proto::Epoch;
use crate::proto::client::Upgrade;
use crate::proto::smtp::client::{Login, With};
use crate::proto::smtp::dispatch::policy::{Dialect, Source, Tls};
use crate::proto::smtp::dispatch::{self, Spot};
use crate::proto::smtp::relay::{Client, Plan, Tray};

impl Courier {
    /// Orders the connection of a call.
    pub(super) fn call(&mut self, word: u64, orders: &mut Orders) {
        let Some(call) = self.calls.get(&word) else {
            return;
        };
        let source = call.login.as_ref().and_then(|login| login.source.clone());
        if let Some(source) = source
            && call.fetched.is_none()
        {
            return self.job(Job::Fetch { connection: word }, orders, move || {
                Brought::Fetched(fetch(&source))
            });
        }
        let (place, port, loopback) = match &call.target.place {
            Spot::Tcp(address) => (
                Place::Tcp(*address),
                address.port(),
                address.ip().is_loopback(),
            ),
            Spot::Unix(path) => (Place::Unix(path.to_string().into()), 0, true),
        };
        // A password is for who can prove that it is meant for them; what stays on this machine is heard by nobody else.
        let strict = call.tls != Tls::IfOffered || (call.login.is_some() && !loopback);
        let tls = if strict {
            match &mut self.verified {
                Verified::Ready(connector) => Some(connector.clone()),
                Verified::Reading(waiting) => {
                    waiting.push(word);
                    return;
                }
                Verified::Unread => {
                    self.verified = Verified::Reading(vec![word]);
                    let trust = self.trust.clone();
                    self.job(Job::Authorities, orders, move || {
                        Brought::Authorities(Box::new(Connector::new(&trust)))
                    });
                    return;
                }
            }
        } else {
            if self.anybody.is_none() {
                self.anybody = Connector::new(&Trust::Anybody).ok();
            }
            self.anybody.clone()
        };
        let implicit = port == SUBMISSIONS;
        let upgrade = match () {
            () if implicit || call.in_the_clear => Upgrade::Never,
            () if strict => Upgrade::Required,
            () if call.dialect == Dialect::Lmtp && loopback => Upgrade::Never,
            () => Upgrade::IfOffered,
        };
        let tray = Tray::new();
        let plan = Plan {
            name: self.hostname.to_string(),
            protocol: call.dialect.into(),
            upgrade,
            login: call.login.as_ref().map(|login| Login {
                user: login.user.clone(),
                password: call.fetched.as_ref().unwrap_or(&login.password).clone(),
                nonce: nonce(),
                with: match &login.source {
                    Some(Source::TokenFile(_) | Source::TokenCommand(_)) => With::Token,
                    Some(Source::PasswordFile(_)) | None => With::Password,
                },
            }),
            patience: self.patience,
            // The dispatcher says when it ends; this is for when it does not.
            idle: limits::RELAY_IDLE.saturating_mul(10),
            epoch: Some(Epoch {
                instant: Instant::now(),
                wall: SystemTime::now(),
            }),
        };
        let mut outgoing = Outgoing::new(
            call.target.name.to_string(),
            vec![place],
            Box::new(Client::new(plan, tray.clone())),
        );
        outgoing.patience = self.connect;
        outgoing.stall = self.stall;
        outgoing.tls = tls;
        if implicit {
            outgoing.security = Security::Implicit;
        }
        if let Some(call) = self.calls.get_mut(&word) {
            call.tray = tray;
        }
        orders.connect(word, outgoing);
    }

    /// A session has put something into its tray.
    pub(super) fn news(&mut self, word: u64) {
        let Some(call) = self.calls.get_mut(&word) else {
            return;
        };
        if !call.ready && call.tray.is_idle() {
            call.ready = true;
            let server = call.tray.server();
            let tls = server.tls.as_ref().map_or_else(
                || "in the clear".to_owned(),
                |tls| format!("{} {}, {}", tls.version, tls.cipher, tls.verdict),
            );
            log::debug!("connected to {}, {tls}", call.target.name);
            self.tell(dispatch::Event::Connected { connection: word });
        }
        self.outcomes(word);
    }

    /// What became of messages, as far as a server said so.
    fn outcomes(&mut self, word: u64) {
        let Some(call) = self.calls.get_mut(&word) else {
            return;
        };
        for outcome in call.tray.outcomes() {
            let Some((id, recipients)) = call.busy.take() else {
                continue;
            };
            match verdicts(&outcome, &recipients, call.dialect) {
                Some(verdicts) => {
                    let event = dispatch::Event::Sent {
                        connection: word,
                        verdicts,
                    };
                    self.dispatcher.handle(unix(), event);
                }
                // Nobody has an answer: the end of the connection is told next.
                None => call.busy = Some((id, recipients)),
            }
        }
    }

    pub(super) fn ended(&mut self, word: u64, end: &End, orders: &mut Orders) {
        self.outcomes(word);
        let Some(mut call) = self.calls.remove(&word) else {
            return;
        };
        let failure = call.tray.failure();
        if !call.ready {
            // RFC 7435 §3: better in the clear than not at all, where nobody asked for more.
            let may_fall_back = call.tls == Tls::IfOffered && call.login.is_none();
            if matches!(end, End::Tls(_)) && may_fall_back && !call.in_the_clear {
                log::info!("{}: {end}; it is tried in the clear", call.target.name);
                call.in_the_clear = true;
                self.calls.insert(word, call);
                return self.call(word, orders);
            }
            let reply = failure_reply(&call.target, call.tls, failure.as_ref(), end);
            log::info!("{}: {reply}", call.target.name);
            return self.tell(dispatch::Event::NotConnected {
                connection: word,
                reply,
            });
        }
        let why = match (&failure, call.closing) {
            (Some(failure), _) => Some(failure.to_string()),
            (None, true) => None,
            (None, false) => Some(end.to_string()),
        };
        self.tell(dispatch::Event::Closed {
            connection: word,
            why,
        });
    }
}

/// RFC 8314 §7.3
const SUBMISSIONS: u16 = 465;
