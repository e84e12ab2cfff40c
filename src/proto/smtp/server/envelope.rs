//! MAIL and RCPT: who may send what to whom (RFC 5321 §3.3, RFC 6409 §6, RFC 3461 and its like).
//!
//! Relaying is for nobody, unless it is switched on; then for who is logged in, and for the networks that are named. There is no other
//! way to it: an address such as `user%elsewhere@here` is a mailbox here or none, a source route is dropped, and where a client
//! says that it is (HELO, the sender's address) counts for nothing.

use std::net::IpAddr;
use std::time::Instant;

use super::commands::Verdict;
use super::message::Incoming;
use super::rates::Over;
use super::{
    Config, Mode, Relaying, Rigor, SenderDomains, Senders, Server, State, replies, strict,
};
use crate::proto::smtp::{Job, SenderDomain};
use crate::proto::{self, Out, Spoil};
use crate::store::{Account, Whereabouts};
use crate::wire::address::Address;
use crate::wire::envelope::{Body, Envelope, Notify, Recipient};
use crate::wire::idna;
use crate::wire::smtp::parameters::{mail_options, rcpt_options};
use crate::wire::smtp::{self as words, Enhanced, Reply, Verb, shown};

/// A message, from MAIL on.
pub(super) struct Transaction {
    pub(super) envelope: Envelope,
    /// Where each of the envelope's recipients is, in their order.
    pub(super) places: Vec<Destination>,
    /// The text, between two BDATs.
    pub(super) begun: Option<Box<Incoming>>,
}

/// Where a recipient is.
#[derive(Clone, Debug)]
pub(super) enum Destination {
    /// In these mailboxes.
    Here(Vec<Account>),
    /// Some of it elsewhere.
    Away,
}

impl Server {
    /// MAIL, and whether its sender can be answered, where that is asked for.
    pub(super) fn mail_from(&mut self, now: Instant, arguments: &[u8], out: &mut Out) {
        match (self.mail(now, arguments), self.domain_to_find()) {
            (Ok(reply), Some(domain)) => {
                out.job(proto::Job::Smtp(Job::Find(domain)));
                self.state = State::Finding(reply);
            }
            (Ok(reply) | Err(reply), _) => self.respond(now, reply, out),
        }
    }

    /// The domain of a sender who has not logged in, as the DNS has it.
    fn domain_to_find(&self) -> Option<String> {
        if self.config.sender_domains == SenderDomains::Believed || self.user.is_some() {
            return None;
        }
        let path = self.message.as_ref()?.envelope.reverse_path.as_ref()?;
        let domain = path.domain().filter(|domain| !domain.starts_with('['))?;
        if self.store.is_here(path) {
            return None;
        }
        idna::to_ascii(domain).map(|ascii| ascii.to_ascii_lowercase())
    }

    /// What the DNS says of the sender's domain.
    pub(super) fn found(&mut self, now: Instant, reply: Reply, found: SenderDomain, out: &mut Out) {
        let refusal = match found {
            SenderDomain::TakesMail => return self.respond(now, reply, out),
            // RFC 7505 §4.2, §7.2
            SenderDomain::NullMx => Reply::new(
                550,
                Enhanced(5, 7, 27),
                "The sender's domain takes no mail (null MX), so that nobody could answer",
            ),
            SenderDomain::Absent => Reply::new(
                550,
                Enhanced(5, 1, 8),
                "The sender's domain does not exist, so that nobody could answer",
            ),
            SenderDomain::Unknown(why) => Reply::new(
                451,
                Enhanced(4, 4, 3),
                format!("The sender's domain cannot be looked up now: {why}"),
            ),
        };
        self.message = None;
        self.respond(now, refusal, out);
    }

    pub(super) fn mail(&mut self, now: Instant, arguments: &[u8]) -> Verdict {
        let (reverse_path, parameters) =
            words::mail(arguments).map_err(|error| replies::syntax(Verb::Mail, &error))?;
        if self.config.rigor == Rigor::Strict {
            strict::path(Verb::Mail, arguments, reverse_path.as_ref())?;
        }
        if self.hello.is_none() {
            return Err(replies::sequence(match self.config.mode {
                Mode::Lmtp => "First say who you are. Example: LHLO pc1.example.org",
                _ => "First say who you are. Example: HELO pc1.example.org",
            }));
        }
        if self.message.is_some() {
            return Err(replies::sequence(
                "A message was begun already: go on with RCPT or DATA, or forget it with RSET",
            ));
        }
        self.check_authenticated()?;
        let unix = self.peer.accepted.unix(now);
        let mut options = mail_options(&parameters, &self.offered(), unix)
            .map_err(|error| replies::parameter(Verb::Mail, error, self.config.max_octets))?;
        if reverse_path.as_ref().is_some_and(|path| !path.is_ascii()) && !options.utf8 {
            return Err(needs_utf8("sender", "MAIL FROM:<address> SMTPUTF8"));
        }
        self.check_sender(reverse_path.as_ref())?;
        self.check_rate(now)?;
        let mut lowered = false;
        if options.priority > 0 && !self.is_trusted() {
            // RFC 6710 §5: who is not known may not go before others; the message is taken all the same.
            options.priority = 0;
            lowered = true;
        }
        let said = match &reverse_path {
            Some(address) => format!("Sender <{address}> ok"),
            None => "Sender <> ok: a message that is never answered".to_owned(),
        };
        let domain = &self.config.domain;
        let envelope = Envelope {
            reverse_path: reverse_path.map(|address| address.or_in(domain)),
            options,
            recipients: Vec::new(),
        };
        self.rule(|policy, visit| policy.mail(visit, &envelope))?;
        self.message = Some(Box::new(Transaction {
            envelope,
            places: Vec::new(),
            begun: None,
        }));
        if lowered {
            let text = format!("{said}, with priority 0: a higher one is for those who log in");
            return Ok(Reply::new(250, Enhanced(2, 3, 6), text));
        }
        Ok(Reply::new(250, Enhanced(2, 1, 0), said))
    }

    /// RFC 6409 §4.3
    fn check_authenticated(&self) -> Result<(), Reply> {
        if self.config.mode != Mode::Submission || self.user.is_some() {
            return Ok(());
        }
        Err(Reply::new(
            530,
            Enhanced(5, 7, 0),
            match self.may_authenticate() {
                true => {
                    "Log in first: this port takes mail from its users only. Example: AUTH PLAIN"
                }
                false => "Say STARTTLS first, then EHLO again, and log in with AUTH",
            },
        ))
    }

    /// RFC 6409 §6.1
    fn check_sender(&self, reverse_path: Option<&Address>) -> Result<(), Reply> {
        let (Mode::Submission, Senders::Oneself, Some(user), Some(path)) = (
            self.config.mode,
            self.config.senders,
            &self.user,
            reverse_path,
        ) else {
            return Ok(());
        };
        if self.is_of(user, path) {
            return Ok(());
        }
        let text = format!(
            "<{path}> is not your address: you are logged in as {}. Example: MAIL FROM:<{}>",
            user.name,
            self.address_of(user)
        );
        Err(Reply::new(553, Enhanced(5, 7, 1), text))
    }

    /// Whether mail for this address comes to this account.
    pub(super) fn is_of(&self, user: &Account, address: &Address) -> bool {
        match self.store.whereabouts(&self.canonical(address.clone())) {
            Whereabouts::Mailboxes(accounts)
            | Whereabouts::Aliased {
                local: accounts, ..
            } => accounts.contains(user),
            Whereabouts::Full(account) => account == *user,
            Whereabouts::Unknown | Whereabouts::Elsewhere => false,
        }
    }

    fn check_rate(&self, now: Instant) -> Result<(), Reply> {
        let user = self.user.as_ref().map(|account| &account.name);
        let rates = &self.config.rates;
        let Err(over) = rates.count(now, self.address(), user) else {
            return Ok(());
        };
        let seconds = rates.window().as_secs();
        let text = match over {
            Over::Address(bound) => {
                format!(
                    "Your address sends more than {bound} messages in {seconds} seconds: go on later"
                )
            }
            Over::User(bound) => {
                format!("You send more than {bound} messages in {seconds} seconds: go on later")
            }
        };
        Err(Reply::new(450, Enhanced(4, 7, 1), text))
    }

    pub(super) fn rcpt(&mut self, arguments: &[u8]) -> Verdict {
        let (address, parameters) =
            words::rcpt(arguments).map_err(|error| replies::syntax(Verb::Rcpt, &error))?;
        if self.config.rigor == Rigor::Strict {
            strict::path(Verb::Rcpt, arguments, Some(&address))?;
        }
        let Some(message) = &self.message else {
            return Err(replies::sequence(
                "First say who sends it. Example: MAIL FROM:<bob@example.org>",
            ));
        };
        if message.begun.is_some() {
            return Err(replies::sequence(
                "The text has begun: go on with BDAT, or forget the message with RSET",
            ));
        }
        let (notify, original) = rcpt_options(&parameters, &self.offered())
            .map_err(|error| replies::parameter(Verb::Rcpt, error, self.config.max_octets))?;
        let utf8 = message.envelope.options.utf8;
        let ascii = original.as_ref().is_none_or(|it| it.address.is_ascii());
        if !(utf8 || address.is_ascii() && ascii) {
            return Err(needs_utf8(
                "recipient",
                "SMTPUTF8 behind MAIL FROM:<address>",
            ));
        }
        let final_address = self.canonical(address.clone());
        let place = match self.spoilt {
            // Nothing will be delivered.
            Some(Spoil::Recipient | Spoil::Queued) => Destination::Away,
            _ => self.place(&address, &final_address)?,
        };
        if message.places.len() >= self.config.max_recipients {
            // RFC 5321 §4.5.3.1.10
            let text = format!(
                "A message has {} recipients at most: send it again to the others",
                self.config.max_recipients
            );
            return Err(Reply::new(452, Enhanced(4, 5, 3), text));
        }
        let recipient = Recipient {
            address: final_address,
            notify,
            original,
        };
        let Some(mut message) = self.message.take() else {
            return Err(replies::sequence("First say who sends it"));
        };
        let ruling = self.rule(|policy, visit| policy.rcpt(visit, &message.envelope, &recipient));
        if ruling.is_ok() {
            message.envelope.recipients.push(recipient);
            message.places.push(place);
            if self.spoilt == Some(Spoil::Queued) {
                // What is held goes by the queue, even if its time has come.
                let begun = self.peer.accepted.unix(self.peer.accepted.instant);
                message.envelope.options.hold_until.get_or_insert(begun);
            }
        }
        self.message = Some(message);
        ruling?;
        let text = match notify {
            Notify::Never => format!("Recipient <{address}> ok: you will hear nothing of it"),
            _ => format!("Recipient <{address}> ok"),
        };
        Ok(Reply::new(250, Enhanced(2, 1, 5), text))
    }

    /// Where mail for an address goes, or why it is not taken. `said` is the address as it was said.
    fn place(&self, said: &Address, address: &Address) -> Result<Destination, Reply> {
        match self.store.whereabouts(address) {
            // Known here, and delivered elsewhere.
            Whereabouts::Mailboxes(_) if self.store.is_behind() => Ok(Destination::Away),
            Whereabouts::Mailboxes(accounts) => Ok(Destination::Here(accounts)),
            Whereabouts::Aliased { .. } => Ok(Destination::Away),
            Whereabouts::Unknown => {
                let text = format!("There is no mailbox <{said}> here");
                Err(Reply::new(550, Enhanced(5, 1, 1), text))
            }
            Whereabouts::Full(_) => {
                let text = format!("The mailbox <{said}> is full; try again later");
                Err(Reply::new(452, Enhanced(4, 2, 2), text))
            }
            Whereabouts::Elsewhere if self.may_relay() => Ok(Destination::Away),
            Whereabouts::Elsewhere => {
                let domain = shown(address.domain().unwrap_or_default().as_bytes());
                let mine = &self.config.domain;
                let text = match self.config.relaying {
                    Relaying::Off => format!(
                        "{domain} is not a domain of this server, and it does not relay: it takes mail for its own, such as {mine}"
                    ),
                    Relaying::On => format!(
                        "{domain} is not a domain of this server: it relays for those who log in; from others it takes mail for its own, such as {mine}"
                    ),
                };
                Err(Reply::new(550, Enhanced(5, 7, 1), text))
            }
        }
    }

    /// Whether mail for other domains is taken from this client.
    fn may_relay(&self) -> bool {
        self.config.relaying == Relaying::On && self.is_trusted()
    }

    /// Whether the client is somebody: logged in, or in a network that is named.
    pub(super) fn is_trusted(&self) -> bool {
        self.user.is_some() || Config::is_in(&self.config.relay_from, self.address())
    }

    /// An address as the store knows it: with a domain; the computer itself stands for its first one.
    pub(super) fn canonical(&self, address: Address) -> Address {
        let local = address
            .domain()
            .is_some_and(|domain| self.store.users().is_local(domain));
        let here = |domain: &str| self.is_this_host(domain);
        if local || address.domain().is_some_and(|domain| !here(domain)) {
            return address;
        }
        address.in_domain(&self.config.domain)
    }

    /// The computer itself: by name, as `localhost`, by the address that was connected to.
    fn is_this_host(&self, domain: &str) -> bool {
        if let Some(literal) = domain.strip_prefix('[') {
            let address = literal.trim_end_matches(']');
            let address = match address.get(..5) {
                Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => &address[5..],
                _ => address,
            };
            let local = self.peer.local.map(|local| local.ip().to_canonical());
            return local.is_some() && address.parse::<IpAddr>().ok() == local;
        }
        [&self.config.hostname, &self.config.domain, "localhost"]
            .iter()
            .any(|name| name.eq_ignore_ascii_case(domain))
    }
}

impl Transaction {
    /// Whether the text comes as octets without lines.
    pub(super) fn is_binary(&self) -> bool {
        self.envelope.options.body == Body::Binary
    }
}

/// RFC 6531 §3.5
fn needs_utf8(whose: &str, what: &str) -> Reply {
    let text = format!("The {whose}'s address has letters outside of ASCII, and those need {what}");
    Reply::new(553, Enhanced(5, 6, 7), text)
}
