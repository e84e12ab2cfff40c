//! Options that say how SMTP sessions go: what is overlooked, who is believed, how much is taken.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::time::Time;
use crate::limits;
use crate::proto::smtp::server::{Config, Disclosure, Rates, Rigor, SenderDomains, Senders};
use crate::wire::network::Network;

/// The part of the options that changes a [`Config`].
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::applet::serve) struct Sessions {
    /// Refuse what departs from the standards, and cite the section
    #[arg(long, env = "MAILTOOL_STRICT", value_parser = clap::builder::FalseyValueParser::new(), help_heading = SESSIONS)]
    strict: bool,
    /// Let VRFY and EXPN tell which mailboxes exist [default: they answer 252]
    #[arg(long, env = "MAILTOOL_VRFY", value_parser = clap::builder::FalseyValueParser::new(), help_heading = SESSIONS)]
    vrfy: bool,
    /// Users who log in send as themselves only, in MAIL FROM and in the field From
    #[arg(long, env = "MAILTOOL_OWN_SENDERS", value_parser = clap::builder::FalseyValueParser::new(), help_heading = SESSIONS)]
    own_senders: bool,
    /// Refuse senders whose domain does not exist or says that it takes no mail (null MX), unless they log in [default: no domain is looked
    /// up]
    #[arg(long, env = "MAILTOOL_CHECK_SENDER_DOMAINS", value_parser = clap::builder::FalseyValueParser::new(), help_heading = SESSIONS)]
    check_sender_domains: bool,
    /// Networks of proxies that may use XCLIENT to say whose connection they hand on
    #[arg(long, value_name = "NET", env = "MAILTOOL_XCLIENT_FROM", value_delimiter = ',', help_heading = SESSIONS)]
    xclient_from: Vec<Network>,
    /// Networks of load balancers that have to begin with a PROXY header (version 1 or 2), which says it: on every port, before TLS
    #[arg(long, value_name = "NET", env = "MAILTOOL_PROXY_FROM", value_delimiter = ',', help_heading = SESSIONS)]
    proxy_from: Vec<Network>,
    /// Most recipients of one message [default: 1000]
    #[arg(long, value_name = "N", env = "MAILTOOL_MAX_RECIPIENTS", value_parser = at_least_one, help_heading = SESSIONS)]
    max_recipients: Option<u32>,
    /// Most Received lines of a message; one with more runs in a circle [default: 25]
    #[arg(long, value_name = "N", env = "MAILTOOL_MAX_HOPS", value_parser = at_least_one, help_heading = SESSIONS)]
    max_hops: Option<u32>,
    /// Refused commands after which a connection is closed; from half of them on, each costs a second [default: 20]
    #[arg(long, value_name = "N", env = "MAILTOOL_MAX_ERRORS", value_parser = at_least_one, help_heading = SESSIONS)]
    max_errors: Option<u32>,
    /// Most commands that send no mail (NOOP, RSET, VRFY ...) on one connection between two messages [default: 1000]
    #[arg(long, value_name = "N", env = "MAILTOOL_MAX_COMMANDS", value_parser = at_least_one, help_heading = SESSIONS)]
    max_commands: Option<u32>,
    /// Longest command line, in octets; AUTH needs all of the default [default: 12800]
    #[arg(long, value_name = "OCTETS", env = "MAILTOOL_MAX_LINE", value_parser = line_length, help_heading = SESSIONS)]
    max_line: Option<usize>,
    /// Longest time that FUTURERELEASE may have a message wait [default: 30d]
    #[arg(long, value_name = "TIME", env = "MAILTOOL_MAX_HOLD", help_heading = SESSIONS)]
    max_hold: Option<Time>,
    /// Shortest time in which DELIVERBY may ask for a message to be delivered or come back [default: 60s]
    #[arg(long, value_name = "TIME", env = "MAILTOOL_MIN_DELIVER_BY", help_heading = SESSIONS)]
    min_deliver_by: Option<Time>,
    /// Most messages a minute from one address, this computer's aside; 0: no limit [default: 1200]
    #[arg(long, value_name = "N", env = "MAILTOOL_RATE_PER_ADDRESS", value_parser = number, help_heading = SESSIONS)]
    rate_per_address: Option<u32>,
    /// Most messages a minute from one user; 0: no limit [default: 600]
    #[arg(long, value_name = "N", env = "MAILTOOL_RATE_PER_USER", value_parser = number, help_heading = SESSIONS)]
    rate_per_user: Option<u32>,
    /// How long an SMTP client may be silent: TIME in every phase, or PHASE=TIME with command, text or login [default: 5m, login 2m]
    #[arg(long, value_name = "[PHASE=]TIME", env = "MAILTOOL_SMTP_TIMEOUT", value_delimiter = ',', help_heading = SESSIONS)]
    smtp_timeout: Vec<PhaseTime>,
}

/// The heading, which the largest size of a message has too.
pub(super) const SESSIONS: &str = "SMTP sessions and limits";

impl Sessions {
    /// Tells a listener's sessions; `rates` are those of all of them.
    pub(in crate::applet::serve) fn apply(&self, config: &mut Config, rates: &Arc<Rates>) {
        if self.strict {
            config.rigor = Rigor::Strict;
        }
        if self.vrfy {
            config.disclosure = Disclosure::Mailboxes;
        }
        if self.own_senders {
            config.senders = Senders::Oneself;
        }
        if self.check_sender_domains {
            config.sender_domains = SenderDomains::LookedUp;
        }
        config.xclient_from.clone_from(&self.xclient_from);
        config.proxy_from.clone_from(&self.proxy_from);
        let number = |given: Option<u32>, usual: usize| given.map_or(usual, |given| given as usize);
        config.max_recipients = number(self.max_recipients, config.max_recipients);
        config.max_hops = number(self.max_hops, config.max_hops);
        if let Some(errors) = self.max_errors {
            config.max_errors = errors as usize;
            config.soft_errors = errors.div_ceil(2) as usize;
        }
        config.max_idle_commands = number(self.max_commands, config.max_idle_commands);
        config.max_line = self.max_line.unwrap_or(config.max_line);
        let seconds = |time: Time| u32::try_from(time.0).unwrap_or(u32::MAX);
        if let Some(longest) = self.max_hold {
            config.future_release = Some(seconds(longest));
        }
        if let Some(shortest) = self.min_deliver_by {
            config.deliver_by = seconds(shortest);
        }
        // What is said of one phase counts more than what is said of all.
        let (all, some): (Vec<_>, Vec<_>) = self
            .smtp_timeout
            .iter()
            .partition(|one| one.phase.is_none());
        let timeouts = &mut config.timeouts;
        for PhaseTime { phase, time } in all.into_iter().chain(some) {
            let patience = Duration::from_secs(time.0.unsigned_abs());
            match phase {
                None => {
                    timeouts.command = patience;
                    timeouts.text = patience;
                    timeouts.challenge = timeouts.challenge.min(patience);
                }
                Some(Phase::Command) => timeouts.command = patience,
                Some(Phase::Text) => timeouts.text = patience,
                Some(Phase::Login) => timeouts.challenge = patience,
            }
        }
        config.rates = Arc::clone(rates);
    }

    /// Those who come for many others.
    pub(in crate::applet::serve) fn proxies(&self) -> Vec<Network> {
        [&self.proxy_from[..], &self.xclient_from].concat()
    }

    /// Those of them that begin with a PROXY header.
    pub(in crate::applet::serve) fn headed(&self) -> Vec<Network> {
        self.proxy_from.clone()
    }

    /// Who is counted, for all listeners together.
    pub(in crate::applet::serve) fn rates(&self) -> Arc<Rates> {
        Arc::new(Rates::new(
            self.rate_per_address.unwrap_or(limits::RATE_PER_ADDRESS),
            self.rate_per_user.unwrap_or(limits::RATE_PER_USER),
            limits::RATE_WINDOW,
        ))
    }
}

/// What a client is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Command,
    Text,
    Login,
}

/// `30s`: every phase; `text=10m`: one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PhaseTime {
    phase: Option<Phase>,
    time: Time,
}

impl FromStr for PhaseTime {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (phase, time) = match text.split_once('=') {
            None => (None, text),
            Some((phase, time)) => {
                let phase = match phase.to_ascii_lowercase().as_str() {
                    "command" => Phase::Command,
                    "text" => Phase::Text,
                    "login" => Phase::Login,
                    _ => return Err("give a time, or command=TIME, text=TIME or login=TIME"),
                };
                (Some(phase), time)
            }
        };
        let time = time.parse()?;
        Ok(Self { phase, time })
    }
}

/// What a receive buffer has room for, and RFC 5321 §4.5.3.1.4 asks for.
fn line_length(text: &str) -> Result<usize, &'static str> {
    let octets = text.parse().ok();
    let octets = octets.filter(|octets| (512..=16_000).contains(octets));
    octets.ok_or("give a number of octets from 512 to 16000")
}

fn at_least_one(text: &str) -> Result<u32, &'static str> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or("give a number, 1 or more")
}

fn number(text: &str) -> Result<u32, &'static str> {
    text.parse().map_err(|_| "give a number; 0 is no limit")
}

#[cfg(test)]
mod tests {
    use super::super::of_file;
    use super::*;
    use crate::proto::smtp::server::Mode;

    #[test]
    fn a_file_says_what_the_command_line_can() {
        let options = of_file(
            "strict = true\nvrfy = true\nown-senders = true\nxclient-from = '192.0.2.1'\n\
             proxy-from = ['10.0.0.0/8', '::1']\nmax-recipients = 7\nmax-hops = 8\nmax-errors = 9\nrate-per-address = 1\n\
             rate-per-user = 0\nsmtp-timeout = ['text=13', '11']\nmax-commands = 4\nmax-line = 600\nmax-hold = '2h'\nmin-deliver-by = 5\n",
        )
        .expect("understood");
        let sessions = &options.sessions;
        let mut config = Config::new("mail.example", "mail.example", Mode::Mta);
        sessions.apply(&mut config, &sessions.rates());
        assert_eq!(
            (config.rigor, config.disclosure),
            (Rigor::Strict, Disclosure::Mailboxes)
        );
        assert_eq!((config.max_recipients, config.max_hops), (7, 8));
        assert_eq!((config.max_errors, config.soft_errors), (9, 5));
        assert_eq!((config.xclient_from.len(), config.proxy_from.len()), (1, 2));
        let seconds = Duration::from_secs;
        let timeouts = config.timeouts;
        assert_eq!(
            (timeouts.command, timeouts.text, timeouts.challenge),
            (seconds(11), seconds(13), seconds(11))
        );
        assert_eq!((config.max_idle_commands, config.max_line), (4, 600));
        assert_eq!((config.future_release, config.deliver_by), (Some(7200), 5));
        assert_eq!(config.senders, Senders::Oneself);
        let error = format!(
            "{:#}",
            of_file("xclient-from = 'lan'").expect_err("no network")
        );
        assert!(error.contains("192.0.2.0/24"), "{error}");
    }
}
