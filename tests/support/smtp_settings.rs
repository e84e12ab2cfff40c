//! What a dialogue of SMTP can ask of its server, `x-NAME=VALUE`:
//!
//! | setting | meaning |
//! |---|---|
//! | `max-octets`, `max-recipients`, `max-hops`, `max-errors`, `soft-errors`, `max-idle` | the bound of this name |
//! | `strict=yes` | nothing is overlooked |
//! | `relay=on`, `relay-from=NETWORK` | mail for others is passed on, for these networks too |
//! | `xclient-from=NETWORK`, `proxy-from=NETWORK` | who is believed |
//! | `vrfy=mailboxes` | VRFY and EXPN tell |
//! | `queue=no` | messages cannot wait: no DSN, DELIVERBY, FUTURERELEASE, ETRN |
//! | `senders=oneself` | users send as themselves |
//! | `rate-address=N`, `rate-user=N` | messages in a minute |
//! | `policy=NAME` | `teaching` decides by names, see below; `closed` refuses everybody; `silent` hangs up on everybody |
//! | `auth=NAME,NAME` | the mechanisms that are offered, at most |
//! | `token=USER:TOKEN` | a token that stands for a password |

use std::sync::Arc;
use std::time::Duration;

use mailtool::proto::login::{Door, Plaintext};
use mailtool::proto::smtp::server::policy::{Policy, Ruling, Then, Turn, Turned, Visit};
use mailtool::proto::smtp::server::{
    Config, Disclosure, Queueing, Rates, Relaying, Rigor, Senders,
};
use mailtool::wire::envelope::{Envelope, Recipient};
use mailtool::wire::smtp::{Enhanced, Reply};

/// Changes the configuration as the dialogue has it.
pub fn apply(config: &mut Config, settings: &[(String, String)]) -> Result<(), String> {
    let (mut per_address, mut per_user) = (0, 0);
    // As the program has it.
    config.queueing = Queueing::Present;
    config.turn = Some(Arc::new(Waiting));
    for (name, value) in settings {
        let unknown = || format!("x-{name}={value} is not known");
        let number = || value.parse::<u64>().map_err(|_| unknown());
        let network = || value.parse().map_err(|error| format!("x-{name}: {error}"));
        match (name.as_str(), value.as_str()) {
            ("max-octets", _) => config.max_octets = number()?,
            ("max-recipients", _) => config.max_recipients = number()? as usize,
            ("max-hops", _) => config.max_hops = number()? as usize,
            ("max-errors", _) => config.max_errors = number()? as usize,
            ("soft-errors", _) => config.soft_errors = number()? as usize,
            ("max-idle", _) => config.max_idle_commands = number()? as usize,
            ("strict", "yes") => config.rigor = Rigor::Strict,
            ("relay", "on") => config.relaying = Relaying::On,
            ("relay-from", _) => config.relay_from.push(network()?),
            ("xclient-from", _) => config.xclient_from.push(network()?),
            ("proxy-from", _) => config.proxy_from.push(network()?),
            ("vrfy", "mailboxes") => config.disclosure = Disclosure::Mailboxes,
            ("queue", "no") => {
                config.queueing = Queueing::Absent;
                config.turn = None;
            }
            ("senders", "oneself") => config.senders = Senders::Oneself,
            ("rate-address", _) => per_address = number()? as u32,
            ("rate-user", _) => per_user = number()? as u32,
            ("policy", "teaching") => config.policy = Some(Arc::new(Teaching)),
            ("policy", "closed") => config.policy = Some(Arc::new(Closed)),
            ("policy", "silent") => config.policy = Some(Arc::new(Silent)),
            ("auth", _) => {
                let names = value.split(',').map(str::parse);
                let names = names.collect::<Result<_, _>>()?;
                config.door = Arc::new(Door::new(Plaintext::Loopback, names));
            }
            // The store's.
            ("token", _) => {}
            _ => return Err(unknown()),
        }
    }
    config.rates = Arc::new(Rates::new(per_address, per_user, Duration::from_secs(60)));
    Ok(())
}

/// ETRN: something waits for `waiting.example`, nothing for `idle.example`; `busy.example` has to wait itself.
#[derive(Debug)]
struct Waiting;

impl Turn for Waiting {
    fn etrn(&self, node: &str) -> Turned {
        match node.trim_start_matches(['@', '#']) {
            "waiting.example" => Turned::Started,
            "idle.example" => Turned::Nothing,
            "busy.example" => Turned::Unable,
            _ => Turned::NotAllowed,
        }
    }
}

/// By name: `slow.example` is answered after 10 seconds, `refused.example` with 550, `dropped.example` not at all; each as the
/// name behind EHLO, as the domain of the sender, and as that of the sender whose text is asked about (`text.` before it);
/// recipients by their tag.
#[derive(Debug)]
struct Teaching;

fn ruled(name: &str) -> Ruling {
    match name {
        "slow.example" | "slow" => Ruling {
            delay: Duration::from_secs(10),
            then: Then::Proceed,
        },
        "refused.example" | "refused" => {
            Ruling::refuse(Reply::new(550, Enhanced(5, 7, 1), "Not today"))
        }
        "later.example" | "later" => Ruling {
            delay: Duration::from_secs(5),
            then: Then::Refuse(Reply::new(451, Enhanced(4, 7, 1), "Come again")),
        },
        "dropped.example" | "dropped" => Ruling {
            delay: Duration::ZERO,
            then: Then::Drop,
        },
        _ => Ruling::PROCEED,
    }
}

impl Policy for Teaching {
    fn hello(&self, _: &Visit<'_>, name: &str) -> Ruling {
        ruled(name)
    }
    fn mail(&self, visit: &Visit<'_>, envelope: &Envelope) -> Ruling {
        assert!(visit.hello.is_some() && envelope.recipients.is_empty());
        let path = envelope.reverse_path.as_ref();
        ruled(path.and_then(|path| path.domain()).unwrap_or_default())
    }
    fn rcpt(&self, _: &Visit<'_>, _: &Envelope, recipient: &Recipient) -> Ruling {
        let local_part = recipient.address.local_part();
        ruled(local_part.split_once('+').map_or("", |(_, tag)| tag))
    }
    fn data(&self, _: &Visit<'_>, envelope: &Envelope) -> Ruling {
        assert!(!envelope.recipients.is_empty());
        let path = envelope.reverse_path.as_ref();
        let domain = path.and_then(|path| path.domain()).unwrap_or_default();
        ruled(domain.strip_prefix("text.").unwrap_or_default())
    }
}

/// Takes no mail (RFC 7504).
#[derive(Debug)]
struct Closed;

impl Policy for Closed {
    fn connect(&self, _: &Visit<'_>) -> Ruling {
        let text = "mail.example.org takes no mail";
        Ruling::refuse(Reply::basic(521, text))
    }
}

#[derive(Debug)]
struct Silent;

impl Policy for Silent {
    fn connect(&self, _: &Visit<'_>) -> Ruling {
        ruled("dropped")
    }
}
