//! `--load`: the same message again and again, by many sessions at once.
//!
//! Always bounded, in number and time; other computers are left alone unless the user says that they may be loaded.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::trial::TrialArguments;
use crate::applet::conversation::target;
use crate::applet::credentials::Access;
use crate::applet::exit::{self, failure};
use crate::limits;
use crate::proto::client::Upgrade;
use crate::proto::smtp::client::{Mail, Plan};
use crate::proto::smtp::relay::{self, Patience, Text};
use crate::reactor::load::{Connections, Load, Orderly, Tally};
use crate::reactor::outgoing::Place;
use crate::reactor::sockets::UnixName;
use crate::reactor::{Connector, Options, Reactor, Security};
use crate::wire::address::Address;
use crate::wire::envelope::{Body, Envelope, MailOptions, Recipient};
use crate::wire::json::{object, string};

/// See the module.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Load")]
pub(super) struct LoadArguments {
    /// Send the message again and again, and tell how fast the server takes it
    #[arg(long, conflicts_with_all = ["serverinfo", "quit_after", "drop_after", "drop_after_send", "proxy", "proxy_protocol", "source", "pcap", "verbose"])]
    pub(super) load: bool,
    /// Sessions at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=limits::LOAD_SESSIONS))]
    sessions: u64,
    /// Messages in all
    #[arg(short, long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=limits::LOAD_MESSAGES))]
    messages: u64,
    /// Octets of the body that is made, where none is given
    #[arg(short, long, value_name = "OCTETS", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(..=limits::MESSAGE_SIZE))]
    pub(super) length: u64,
    /// Recipients of each message: 1alice@localhost, 2alice@localhost ... of alice@localhost
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=limits::LOAD_RECIPIENTS))]
    recipient_count: u64,
    /// Keep each connection for the next message
    #[arg(short = 'd', long)]
    reuse: bool,
    /// Messages a second at most, of all sessions together
    #[arg(long, value_name = "N")]
    rate: Option<f64>,
    /// Seconds that a session waits between two messages
    #[arg(short = 'w', long, value_name = "SECONDS", default_value_t = 0.0)]
    pause: f64,
    /// And up to so many seconds more, at random each time
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
    random_pause: f64,
    /// Show on standard error how many have been sent
    #[arg(long)]
    counter: bool,
    /// Seconds after which no message is begun any more
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=limits::LOAD_SECONDS))]
    duration: u64,
    /// Load a server that is not on this computer: yours, and whoever runs it knows
    #[arg(long)]
    load_remote: bool,
}

/// Does it; the exit code.
pub(super) fn run(
    arguments: &LoadArguments,
    trial: &TrialArguments,
    access: &Access,
    plan: Plan,
    mail: Mail,
) -> anyhow::Result<u8> {
    if !access.is_local() && access.route.socket.is_none() && !arguments.load_remote {
        let host = &access.host;
        return Err(failure(
            exit::USAGE,
            format!(
                "--load: {host} is not this computer; if it is yours, and whoever runs it knows, add --load-remote"
            ),
        ));
    }
    let time = |seconds: f64, option: &str, given: f64| {
        Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|time| time.as_secs() <= limits::LOAD_SECONDS)
            .ok_or_else(|| {
                failure(
                    exit::USAGE,
                    format!("{option} {given}: that cannot be kept"),
                )
            })
    };
    let interval = match arguments.rate {
        None => Duration::ZERO,
        Some(rate) => time(1.0 / rate, "--rate", rate)?,
    };
    let pause = time(arguments.pause, "--pause", arguments.pause)?;
    let random = arguments.random_pause;
    let random_pause = time(random, "--random-pause", random)?;
    let target = target(access)?;
    let places = match &target.way.socket {
        Some(UnixName::Path(path)) => vec![Place::Unix(path.clone())],
        Some(UnixName::Abstract(_)) => {
            return Err(failure(
                exit::USAGE,
                "--load: a socket that is no file cannot be loaded",
            ));
        }
        None => target.addresses.iter().copied().map(Place::Tcp).collect(),
    };
    let tls = match plan.upgrade {
        Upgrade::Never if target.security == Security::Plain => None,
        _ => Some(
            Connector::with(&target.tls)
                .map_err(|error| failure(exit::NO_INPUT, format!("TLS cannot be had: {error}")))?,
        ),
    };
    let sessions = usize::try_from(arguments.sessions.min(arguments.messages)).unwrap_or(1);
    let manner = trial.manner();
    let text = match Text::new(&mail.text) {
        Text::Bytes(text) => text,
        Text::Stored(_) => return Err(failure(exit::SOFTWARE, "--load: the message is no text")),
    };
    let patience = Patience::of(plan.patience);
    let orderly = Orderly {
        places,
        host: target.host.clone(),
        security: target.security,
        tls,
        plan: relay::Plan {
            name: plan.name,
            protocol: plan.protocol,
            upgrade: plan.upgrade,
            login: plan.login,
            patience,
            idle: Duration::from_secs(limits::LOAD_SECONDS),
            epoch: None,
        },
        manner: (manner != relay::manner::Manner::default()).then_some(manner),
        envelope: envelope(arguments, &mail),
        number_at: number_at(&text),
        text,
        sessions,
        messages: arguments.messages,
        connections: match arguments.reuse {
            true => Connections::Keep,
            false => Connections::EndEach,
        },
        interval,
        pause,
        random_pause,
        duration: Duration::from_secs(arguments.duration),
    };
    let options = Options {
        outgoing: sessions,
        stop_grace: access.timeout,
        ..Options::default()
    };
    let system = |error: io::Error| failure(exit::SYSTEM, format!("--load: {error}"));
    let mut reactor = Reactor::without_store(options).map_err(system)?;
    reactor.catch_signals(Box::new(|| None)).map_err(system)?;
    let tally = Arc::new(Mutex::new(Tally::default()));
    let handle = reactor.handle();
    reactor.drive(Box::new(Load::new(orderly, Arc::clone(&tally), handle)));
    let counter = arguments
        .counter
        .then(|| Counter::begin(Arc::clone(&tally)));
    let ran = reactor.run().map_err(system);
    drop(counter);
    ran?;
    let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    let told = match trial.json {
        true => json(&tally, sessions),
        false => words(&tally, sessions),
    };
    crate::applet::print(&told)?;
    match tally.failed {
        0 => Ok(exit::OK),
        // What went wrong is told above.
        _ => Ok(exit::TEMPORARY),
    }
}

/// Shows how far it is, until it is dropped.
struct Counter {
    is_over: Arc<AtomicBool>,
    shown: Option<JoinHandle<()>>,
}

impl Counter {
    fn begin(tally: Arc<Mutex<Tally>>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        let show = move || {
            loop {
                thread::park_timeout(A_MOMENT);
                let is_over = ends.load(Ordering::Relaxed);
                let (sent, failed) = {
                    let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                    (tally.sent, tally.failed)
                };
                let end = if is_over { "\n" } else { "" };
                // Nobody is helped when this cannot be said.
                let _ = write!(io::stderr(), "\r{sent} sent, {failed} failed{end}");
                if is_over {
                    return;
                }
            }
        };
        let shown = Some(thread::spawn(show));
        Self { is_over, shown }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(shown) = self.shown.take() {
            shown.thread().unpark();
            let _ = shown.join();
        }
    }
}

/// Between two looks at the tally.
const A_MOMENT: Duration = Duration::from_millis(200);

fn envelope(arguments: &LoadArguments, mail: &Mail) -> Envelope {
    let numbered = |address: &Address, number: u64| {
        let numbered = Address::parse_utf8(format!("{number}{address}").as_bytes());
        numbered.unwrap_or_else(|_| address.clone())
    };
    let recipients: Vec<Recipient> = match arguments.recipient_count {
        1 => mail
            .recipients
            .iter()
            .cloned()
            .map(Recipient::new)
            .collect(),
        count => (1..=count)
            .flat_map(|number| mail.recipients.iter().map(move |one| numbered(one, number)))
            .map(Recipient::new)
            .collect(),
    };
    Envelope {
        reverse_path: mail.reverse_path.clone(),
        options: MailOptions {
            body: match mail.text.is_ascii() {
                true => Body::SevenBit,
                false => Body::EightBit,
            },
            ..MailOptions::default()
        },
        recipients,
    }
}

/// Where the Message-ID has its random digits, if we have made it.
fn number_at(text: &[u8]) -> Option<usize> {
    let field = memchr::memmem::find(text, b"\r\nMessage-ID: <")?;
    let begin = field + b"\r\nMessage-ID: <".len();
    let dot = begin + memchr::memchr(b'.', text.get(begin..)?)?;
    let digits = text.get(dot + 1..dot + 17)?;
    let is_ours = digits.iter().all(u8::is_ascii_hexdigit) && text.get(dot + 17) == Some(&b'@');
    is_ours.then_some(dot + 1)
}

/// A body of so many octets, line ends counted as two.
pub(super) fn body(octets: u64) -> String {
    const LINE: usize = 78;
    let octets = usize::try_from(octets).unwrap_or(0);
    let mut body = String::with_capacity(octets);
    let line = "X".repeat(LINE - 2);
    for _ in 0..octets / LINE {
        body.push_str(&line);
        body.push('\n');
    }
    let rest = octets % LINE;
    if rest >= 2 {
        body.push_str(&line[..rest - 2]);
        body.push('\n');
    }
    body
}

/// Messages a second, octets a second.
fn rates(tally: &Tally) -> (f64, f64) {
    let seconds = tally.took().as_secs_f64().max(1e-9);
    (tally.sent as f64 / seconds, tally.octets as f64 / seconds)
}

fn words(tally: &Tally, sessions: usize) -> String {
    let (messages, octets) = rates(tally);
    let milliseconds = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1000.0);
    let spread = &tally.spread;
    let mut told = format!(
        "messages     {} sent, {} failed, {} recipients\n\
         time         {:.3} s, {messages:.1} messages/s, {:.2} MB/s\n\
         sessions     {sessions} at once, {} connections\n\
         per message  p50 {}, p90 {}, p99 {}, max {}\n",
        tally.sent,
        tally.failed,
        tally.recipients,
        tally.took().as_secs_f64(),
        octets / 1e6,
        tally.connections,
        milliseconds(spread.within(50)),
        milliseconds(spread.within(90)),
        milliseconds(spread.within(99)),
        milliseconds(spread.longest()),
    );
    for (what, count) in &tally.errors {
        told.push_str(&format!("error        {count} {}\n", exit::printable(what)));
    }
    told
}

fn json(tally: &Tally, sessions: usize) -> String {
    let (messages, octets) = rates(tally);
    let seconds = |time: Duration| format!("{:.6}", time.as_secs_f64());
    let spread = &tally.spread;
    let errors: Vec<(&str, String)> = tally
        .errors
        .iter()
        .map(|(what, count)| (what.as_str(), count.to_string()))
        .collect();
    let latency = object(&[
        ("p50", seconds(spread.within(50))),
        ("p90", seconds(spread.within(90))),
        ("p99", seconds(spread.within(99))),
        ("max", seconds(spread.longest())),
    ]);
    let told = object(&[
        (
            "result",
            string(if tally.failed == 0 { "sent" } else { "failed" }),
        ),
        ("sent", tally.sent.to_string()),
        ("failed", tally.failed.to_string()),
        ("recipients", tally.recipients.to_string()),
        ("octets", tally.octets.to_string()),
        ("sessions", sessions.to_string()),
        ("connections", tally.connections.to_string()),
        ("seconds", seconds(tally.took())),
        ("messages_per_second", format!("{messages:.3}")),
        ("octets_per_second", format!("{octets:.0}")),
        ("seconds_per_message", latency),
        ("errors", object(&errors)),
    ]);
    format!("{told}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_the_octets_that_were_asked_for() {
        for octets in [0, 2, 77, 78, 79, 80, 1024, 4096] {
            let body = body(octets);
            let sent = body.len() + body.matches('\n').count();
            assert_eq!(
                sent as u64,
                octets - u64::from(octets % 78 == 1),
                "{octets}"
            );
        }
    }

    #[test]
    fn our_own_message_ids_can_be_changed() {
        let text = b"Date: x\r\nMessage-ID: <6b08c9de.774b5304c8035668@vm>\r\n\r\n";
        let at = number_at(text).expect("ours");
        assert_eq!(&text[at..at + 16], b"774b5304c8035668");
        assert_eq!(number_at(b"Date: x\r\nMessage-ID: <1.2@vm>\r\n\r\n"), None);
        assert_eq!(number_at(b""), None);
    }
}
