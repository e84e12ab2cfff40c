//! Options that say how SMTP sessions go: what is overlooked, who is believed, how much is taken.

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
    /// Most messages a minute from one address, this computer's aside; 0: no limit [default: 1200]
    #[arg(long, value_name = "N", env = "MAILTOOL_RATE_PER_ADDRESS", value_parser = number, help_heading = SESSIONS)]
    rate_per_address: Option<u32>,
    /// Most messages a minute from one user; 0: no limit [default: 600]
    #[arg(long, value_name = "N", env = "MAILTOOL_RATE_PER_USER", value_parser = number, help_heading = SESSIONS)]
    rate_per_user: Option<u32>,
    /// How long an SMTP client may be silent [default: 5m]
    #[arg(long, value_name = "TIME", env = "MAILTOOL_SMTP_TIMEOUT", help_heading = SESSIONS)]
    smtp_timeout: Option<Time>,
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
        if let Some(time) = self.smtp_timeout {
            let patience = Duration::from_secs(time.0.unsigned_abs());
            config.timeouts.command = patience;
            config.timeouts.text = patience;
            config.timeouts.challenge = config.timeouts.challenge.min(patience);
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
             rate-per-user = 0\nsmtp-timeout = 11\n",
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
        assert_eq!(config.timeouts.challenge, Duration::from_secs(11));
        assert_eq!(config.senders, Senders::Oneself);
        let error = format!(
            "{:#}",
            of_file("xclient-from = 'lan'").expect_err("no network")
        );
        assert!(error.contains("192.0.2.0/24"), "{error}");
    }
}
