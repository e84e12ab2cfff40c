//! Options that say what is passed on, for whom, where to, and for how long it is tried.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::bail;

use super::Endpoint;
use super::time::Time;
use crate::applet::serve::protocols::Protocol;
use crate::applet::serve::screen::Passing;
use crate::limits;
use crate::proto::smtp::dispatch::policy::{Dialect, Pattern, Policy, Route, Routes, Source, Way};
use crate::proto::smtp::relay::Patience;
use crate::reactor::Trust;
use crate::wire::network::Network;

/// The part of the options that becomes a [`Policy`], and who may have mail passed on.
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::applet::serve) struct Relay {
    /// Pass on mail for other domains, for users who log in; --relay-from, --route, --smarthost and --lab-chain imply it [default: such
    /// mail is refused]
    #[arg(long, env = "MAILTOOL_RELAY", value_parser = clap::builder::FalseyValueParser::new(), help_heading = RELAY)]
    relay: bool,
    /// Networks whose mail for other domains is passed on without a login, such as 192.0.2.0/24
    #[arg(long, value_name = "NET", env = "MAILTOOL_RELAY_FROM", value_delimiter = ',', help_heading = RELAY)]
    relay_from: Vec<Network>,
    /// Where mail for DOMAIN goes: HOST:PORT, lmtp:HOST:PORT, mx (its mail exchangers) or nowhere; .DOMAIN is all below it, * all
    #[arg(long, value_name = "DOMAIN=HOST:PORT", env = "MAILTOOL_ROUTE", value_delimiter = ',', help_heading = RELAY)]
    route: Vec<Route>,
    /// Host that mail for all other domains goes through, in place of their mail exchangers; port 25, or 587 for who logs in
    #[arg(long, value_name = "[USER:PASSWORD@]HOST:PORT", env = "MAILTOOL_SMARTHOST", hide_env_values = true, help_heading = RELAY)]
    smarthost: Option<Smarthost>,
    /// Name to log in to the smarthost with, where the password or a token comes from elsewhere
    #[arg(long, value_name = "NAME", env = "MAILTOOL_SMARTHOST_USER", help_heading = RELAY)]
    smarthost_user: Option<String>,
    /// File whose first line is the password for it; read for each connection
    #[arg(long, value_name = "FILE", env = "MAILTOOL_SMARTHOST_PASSWORD_FILE", help_heading = RELAY)]
    smarthost_password_file: Option<PathBuf>,
    /// File whose first line is a token for it (OAUTHBEARER, XOAUTH2); read for each connection
    #[arg(long, value_name = "FILE", env = "MAILTOOL_SMARTHOST_TOKEN_FILE", help_heading = RELAY)]
    smarthost_token_file: Option<PathBuf>,
    /// Shell command that prints such a token, such as one that refreshes it; run for each connection
    #[arg(long, value_name = "COMMAND", env = "MAILTOOL_SMARTHOST_TOKEN_COMMAND", help_heading = RELAY)]
    smarthost_token_command: Option<String>,
    /// Host behind this one that has the mailboxes of our domains: lmtp:HOST:PORT, lmtp:/unix/socket [default: they are here]
    #[arg(long, value_name = "lmtp:HOST:PORT", env = "MAILTOOL_DELIVER", help_heading = RELAY)]
    deliver: Option<Way>,
    /// Send to DOMAIN over TLS with a valid certificate only; until then mail waits; .DOMAIN and * as in --route
    #[arg(long, value_name = "DOMAIN", env = "MAILTOOL_REQUIRE_TLS", value_delimiter = ',', help_heading = RELAY)]
    require_tls: Vec<Pattern>,
    /// Further authorities whose certificates are valid when sending, in PEM [default: those of this machine]
    #[arg(long, value_name = "FILE", env = "MAILTOOL_RELAY_CA", help_heading = RELAY)]
    relay_ca: Option<PathBuf>,
    /// Name server to ask, such as 127.0.0.1:5353 [default: those of /etc/resolv.conf]
    #[arg(long, value_name = "ADDR[:PORT]", env = "MAILTOOL_RESOLVER", help_heading = RELAY)]
    resolver: Option<NameServer>,
    /// Pause before the second attempt, such as 30s or 5m; each later one is twice as long [default: 5m, growing to 4h]
    #[arg(long, value_name = "TIME", env = "MAILTOOL_RETRY", help_heading = RELAY)]
    retry: Option<Time>,
    /// After so long in the queue a message goes back to its sender [default: 5d]
    #[arg(long, value_name = "TIME", env = "MAILTOOL_GIVE_UP", help_heading = RELAY)]
    give_up: Option<Time>,
    /// After so long its sender is told that it is late [default: 4h]
    #[arg(long, value_name = "TIME", env = "MAILTOOL_WARN_AFTER", help_heading = RELAY)]
    warn_after: Option<Time>,
    /// How long a server may be silent: TIME for every step, or STEP=TIME with connect, greeting, command, mail, rcpt, data, block, end or
    /// quit [default: connect 30s, data 2m, end 10m, quit 10s, others 5m]
    #[arg(long, value_name = "[STEP=]TIME", env = "MAILTOOL_RELAY_TIMEOUT", value_delimiter = ',', help_heading = RELAY)]
    relay_timeout: Vec<StepTime>,
    /// Most connections to other servers at the same time [default: 100]
    #[arg(long, value_name = "N", env = "MAILTOOL_RELAY_CONNECTIONS", value_parser = count, help_heading = RELAY)]
    relay_connections: Option<usize>,
    /// Most connections to one destination at the same time [default: 20]
    #[arg(long, value_name = "N", env = "MAILTOOL_RELAY_CONNECTIONS_EACH", value_parser = count, help_heading = RELAY)]
    relay_connections_each: Option<usize>,
    /// For a lab: N servers, mta1.lab to mtaN.lab, in one program; mail goes from one to the next, and never out
    #[arg(long, value_name = "N", env = "MAILTOOL_LAB_CHAIN", value_parser = clap::value_parser!(u16).range(1..=60), help_heading = RELAY)]
    pub(in crate::applet::serve) lab_chain: Option<u16>,
}

const RELAY: &str = "Relay and queue";

impl Relay {
    /// Whether mail for other domains is passed on at all.
    pub(in crate::applet::serve) fn is_on(&self) -> bool {
        self.relay
            || !self.relay_from.is_empty()
            || !self.route.is_empty()
            || self.smarthost.is_some()
    }

    /// What of it is shown when the server is ready.
    pub(in crate::applet::serve) fn passing(&self) -> Passing<'_> {
        Passing {
            is_on: self.is_on(),
            networks: &self.relay_from,
            routes: &self.route,
            smarthost: self
                .smarthost
                .as_ref()
                .map(|host| match self.smarthost_user {
                    Some(_) => &host.for_users,
                    None => &host.way,
                }),
            deliver: self.deliver.as_ref(),
        }
    }

    /// Whose mail is passed on without a login.
    pub(in crate::applet::serve) fn networks(&self) -> &[Network] {
        &self.relay_from
    }

    /// Whether mail for our own domains goes to a server behind us.
    pub(in crate::applet::serve) const fn delivers_elsewhere(&self) -> bool {
        self.deliver.is_some()
    }

    /// The name server to ask.
    pub(in crate::applet::serve) fn resolver(&self) -> Option<SocketAddr> {
        self.resolver.map(|server| server.0)
    }

    /// Who is to be believed where TLS has to be verified.
    pub(in crate::applet::serve) fn trust(&self) -> Trust {
        Trust::Authorities {
            extra: self.relay_ca.clone(),
        }
    }

    /// What the dispatcher goes by; who we are is for the caller to say.
    pub(in crate::applet::serve) fn policy(&self) -> Policy {
        let usual = Policy::default();
        let retry = self.retry.map_or(usual.retry, |time| time.0);
        let give_up = self.give_up.map_or(usual.give_up, |time| time.0);
        let retry_max = match self.retry {
            Some(_) => retry.saturating_mul(i64::from(limits::RETRY_GROWTH)),
            None => usual.retry_max,
        };
        Policy {
            retry,
            retry_max,
            give_up,
            // To be told that a message is late just when it comes back helps nobody.
            warn: self
                .warn_after
                .map(|time| time.0)
                .or(usual.warn)
                .filter(|warn| *warn < give_up),
            connections: self.relay_connections.unwrap_or(usual.connections),
            connections_each: self
                .relay_connections_each
                .unwrap_or(usual.connections_each),
            routes: Routes::new(self.route.clone(), self.smarthost(), self.deliver.clone()),
            require_tls: self.require_tls.clone(),
            ..usual
        }
    }

    /// The host that all other mail goes through, with who logs in there.
    fn smarthost(&self) -> Option<Way> {
        let Smarthost { way, for_users } = self.smarthost.clone()?;
        let source = self.sources().next();
        Some(match (&self.smarthost_user, source) {
            (Some(user), Some(source)) => for_users.with_login(user, source),
            _ => way,
        })
    }

    /// Where the password or token for it comes from: one, if [`Self::check`] found no fault.
    fn sources(&self) -> impl Iterator<Item = Source> {
        let file = |path: &PathBuf| path.display().to_string();
        let password = self.smarthost_password_file.as_ref().map(file);
        let token = self.smarthost_token_file.as_ref().map(file);
        let command = self.smarthost_token_command.clone();
        [
            password.map(Source::PasswordFile),
            token.map(Source::TokenFile),
            command.map(Source::TokenCommand),
        ]
        .into_iter()
        .flatten()
    }

    /// How long servers may be silent, by what they should answer.
    pub(in crate::applet::serve) fn patience(&self) -> RelayPatience {
        let mut patience = RelayPatience {
            connect: limits::CONNECT,
            stall: limits::SEND_STALL,
            replies: Patience::default(),
        };
        // What is said of one step counts more than what is said of all.
        let (all, some): (Vec<_>, Vec<_>) = self
            .relay_timeout
            .iter()
            .partition(|one| one.step.is_none());
        for StepTime { step, time } in all.into_iter().chain(some) {
            let time = Duration::from_secs(time.0.unsigned_abs());
            let replies = &mut patience.replies;
            match step {
                None => {
                    patience.connect = time;
                    patience.stall = time;
                    *replies = Patience::of(time);
                }
                Some(Step::Connect) => patience.connect = time,
                Some(Step::Greeting) => replies.greeting = time,
                Some(Step::Command) => replies.command = time,
                Some(Step::Mail) => replies.mail = time,
                Some(Step::Rcpt) => replies.rcpt = time,
                Some(Step::Data) => replies.data = time,
                Some(Step::Block) => patience.stall = time,
                Some(Step::End) => replies.text = time,
                Some(Step::Quit) => replies.quit = time,
            }
        }
        patience
    }

    /// A server that everybody reaches must not pass on mail for everybody.
    pub(in crate::applet::serve) fn check(
        &self,
        endpoints: &[(Protocol, Endpoint)],
    ) -> anyhow::Result<()> {
        let sources = self.sources().count();
        let (user, host) = (&self.smarthost_user, &self.smarthost);
        match (host, user) {
            (None, _) if user.is_some() || sources > 0 => {
                bail!(
                    "--smarthost-user and what goes with it need the host: --smarthost HOST:PORT"
                );
            }
            (Some(host), Some(_)) if host.way.login.is_some() => bail!(
                "--smarthost names a user already: give --smarthost HOST:PORT with --smarthost-user"
            ),
            (_, Some(user)) if sources == 0 => bail!(
                "--smarthost-user {user} needs one of --smarthost-password-file, --smarthost-token-file and \
                 --smarthost-token-command"
            ),
            (_, None) if sources > 0 => {
                bail!("a password or token for the smarthost is whose? Give --smarthost-user NAME");
            }
            _ if sources > 1 => bail!(
                "give one of --smarthost-password-file, --smarthost-token-file and --smarthost-token-command"
            ),
            _ => {}
        }
        let open = too_wide(&self.relay_from);
        for (protocol, endpoint) in endpoints {
            if let (Some(network), true, Endpoint::Tcp(address)) =
                (open, protocol.is_smtp(), endpoint)
                && !address.ip().is_loopback()
            {
                bail!(
                    "--relay-from {network} would have {} on {address} pass on mail for everybody, and spammers would find it \
                     within hours: name your own networks only, such as 192.168.1.0/24, or let users log in, or listen on 127.0.0.1",
                    protocol.name()
                );
            }
        }
        Ok(())
    }

    /// For one server of a lab.
    pub(in crate::applet::serve) fn in_lab(&self, route: Vec<Route>) -> Self {
        let network = |text: &str| text.parse().ok();
        let mut relay = self.clone();
        relay.lab_chain = None;
        relay.relay_from = ["127.0.0.0/8", "::1"]
            .into_iter()
            .filter_map(network)
            .collect();
        relay.route.extend(route);
        relay
    }
}

/// Where the smarthost is: who logs in does so at port 587 (RFC 6409), unless another one is named.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Smarthost {
    /// As it was given.
    way: Way,
    /// For a user who is named elsewhere.
    for_users: Way,
}

impl FromStr for Smarthost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let way: Way = text.parse()?;
        let for_users = match (way.dialect, &way.login) {
            (Dialect::Smtp, None) => Way {
                login: None,
                ..format!("user:password@{text}").parse()?
            },
            _ => way.clone(),
        };
        Ok(Self { way, for_users })
    }
}

/// The network that makes it too many, if together they hold more than a sixteenth of all addresses of their kind.
fn too_wide(networks: &[Network]) -> Option<&Network> {
    let (mut four, mut six) = (0u64, 0u64);
    networks.iter().find(|network| {
        let shown = network.to_string();
        let Some((address, prefix)) = shown.split_once('/') else {
            return true;
        };
        let Ok(prefix) = prefix.parse::<u32>() else {
            return true;
        };
        // In 2^-32 of all addresses.
        let part = 1u64 << 32u32.saturating_sub(prefix);
        let sum = if address.contains(':') {
            &mut six
        } else {
            &mut four
        };
        *sum = sum.saturating_add(part);
        *sum > 1 << 28
    })
}

/// How long servers may be silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::applet::serve) struct RelayPatience {
    /// Until an address answers.
    pub(in crate::applet::serve) connect: Duration,
    /// While they take nothing of a text.
    pub(in crate::applet::serve) stall: Duration,
    /// Until they reply.
    pub(in crate::applet::serve) replies: Patience,
}

/// A step of a conversation with a server (RFC 5321 §4.5.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Connect,
    Greeting,
    Command,
    Mail,
    Rcpt,
    Data,
    Block,
    End,
    Quit,
}

/// `30s`: every step; `data=2m`: one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StepTime {
    step: Option<Step>,
    time: Time,
}

impl FromStr for StepTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (step, time) = match text.split_once('=') {
            None => (None, text),
            Some((step, time)) => (Some(step), time),
        };
        let steps = [
            ("connect", Step::Connect),
            ("greeting", Step::Greeting),
            ("command", Step::Command),
            ("mail", Step::Mail),
            ("rcpt", Step::Rcpt),
            ("data", Step::Data),
            ("block", Step::Block),
            ("end", Step::End),
            ("quit", Step::Quit),
        ];
        let known = |word: &str| {
            let named = steps
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(word));
            named.map(|(_, step)| *step).ok_or_else(|| {
                let names: Vec<&str> = steps.iter().map(|(name, _)| *name).collect();
                format!("{word} is no step: give one of {}", names.join(", "))
            })
        };
        Ok(Self {
            step: step.map(known).transpose()?,
            time: time.parse()?,
        })
    }
}

/// `127.0.0.1`, `127.0.0.1:5353`, `[::1]:53`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NameServer(SocketAddr);

impl FromStr for NameServer {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const DOMAIN: u16 = 53;
        let address = text.parse::<IpAddr>();
        let address = address.map(|address| SocketAddr::new(address, DOMAIN));
        address
            .or_else(|_| text.parse())
            .map(Self)
            .map_err(|_| "give the address of a name server, such as 192.0.2.53 or 127.0.0.1:5353")
    }
}

fn count(text: &str) -> Result<usize, &'static str> {
    text.parse()
        .ok()
        .filter(|count| (1..=10_000).contains(count))
        .ok_or("give a number from 1 to 10000")
}

#[cfg(test)]
mod tests {
    use super::super::{Options, of_file};
    use super::*;

    #[test]
    fn a_file_says_what_the_command_line_can() {
        let options = of_file(
            "relay-from = ['192.168.0.0/16', '::1']\nroute = 'example.org=127.0.0.1:2525'\n\
             smarthost = 'me:secret@relay.example:587'\ndeliver = 'lmtp:/run/lmtp'\nrequire-tls = ['.bank.example']\n\
             retry = 1\ngive-up = '2h'\nwarn-after = '30m'\nresolver = '127.0.0.1:5353'\n",
        )
        .expect("understood");
        let relay = &options.relay;
        assert!(relay.is_on() && relay.delivers_elsewhere());
        let policy = relay.policy();
        assert_eq!(
            (policy.retry, policy.retry_max, policy.give_up, policy.warn),
            (1, 48, 7200, Some(1800))
        );
        assert!(!format!("{options:?}").contains("secret"), "{options:?}");
        for (text, why) in [
            ("retry = '5x'", "30s, 5m"),
            ("route = 'example.org'", "DOMAIN=HOST:PORT"),
            ("relay-from = '192.0.2.1/24'", "192.0.2.0/24"),
            ("relayfrom = '::1'", "unexpected argument"),
        ] {
            let error = format!("{:#}", of_file(text).expect_err(text));
            assert!(error.contains(why), "{error}");
        }
        assert!(!Options::default().relay.is_on());
    }

    #[test]
    fn times_are_for_one_step_or_for_all() {
        let patience = |text: &str| of_file(text).expect(text).relay.patience();
        let usual = patience("");
        assert_eq!(usual.replies, Patience::default());
        let told = patience("relay-timeout = ['data=1m', '7s', 'END=2h', 'block=9', 'connect=3']");
        let seconds = Duration::from_secs;
        assert_eq!((told.connect, told.stall), (seconds(3), seconds(9)));
        let expected = Patience {
            data: seconds(60),
            text: seconds(7200),
            ..Patience::of(seconds(7))
        };
        assert_eq!(told.replies, expected);
        for (text, why) in [("dat=1m", "give one of connect,"), ("data=0", "30s, 5m")] {
            let error = of_file(&format!("relay-timeout = '{text}'")).expect_err(text);
            assert!(format!("{error:#}").contains(why), "{error:#}");
        }
    }

    #[test]
    fn a_smarthost_is_logged_in_to_with_what_lies_elsewhere() {
        let relay = |text: &str| of_file(text).expect(text).relay;
        let asked = "smarthost = 'mx.example:587'\nsmarthost-user = 'me'\nsmarthost-token-file = '/run/token'\n";
        let asked = relay(asked);
        assert!(asked.check(&[]).is_ok());
        let login = asked
            .smarthost()
            .and_then(|way| way.login)
            .expect("a login");
        assert_eq!(login.user, "me");
        assert_eq!(
            login.source,
            Some(Source::TokenFile("/run/token".to_owned()))
        );
        // Who logs in does so at port 587, wherever the password comes from.
        let port = |host: &str, user: &str| {
            let text = format!("smarthost = '{host}'\n{user}");
            let way = relay(&text).smarthost().expect(&text);
            way.to_string()
        };
        let user = "smarthost-user = 'me'\nsmarthost-password-file = '/run/password'\n";
        assert_eq!(port("mx.example", ""), "mx.example:25");
        assert_eq!(port("mx.example", user), "mx.example:587");
        assert_eq!(port("me:secret@mx.example", ""), "mx.example:587");
        assert_eq!(port("mx.example:25", user), "mx.example:25");
        assert_eq!(port("[2001:db8::1]", user), "[2001:db8::1]:587");
        for (text, why) in [
            ("smarthost-user = 'me'", "--smarthost HOST:PORT"),
            ("smarthost-token-command = 'x'", "--smarthost HOST:PORT"),
            ("smarthost = 'mx'\nsmarthost-user = 'me'", "needs one of"),
            (
                "smarthost = 'mx'\nsmarthost-token-file = 'x'",
                "--smarthost-user NAME",
            ),
            (
                "smarthost = 'me:x@mx'\nsmarthost-user = 'me'\nsmarthost-token-file = 'x'",
                "a user already",
            ),
            (
                "smarthost = 'mx'\nsmarthost-user = 'me'\nsmarthost-token-file = 'x'\nsmarthost-password-file = 'x'",
                "give one of",
            ),
        ] {
            let error = relay(text).check(&[]).expect_err(text).to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn nobody_becomes_an_open_relay_by_accident() {
        let relay = |networks: &[&str]| Relay {
            relay_from: networks.iter().map(|text| text.parse().unwrap()).collect(),
            ..Relay::default()
        };
        let on = |address: &str| vec![(Protocol::Smtp, Endpoint::Tcp(address.parse().unwrap()))];
        let public = on("0.0.0.0:25");
        for networks in [
            &["0.0.0.0/0"][..],
            &["::/0"],
            &["0.0.0.0/1", "128.0.0.0/1"],
            &["192.168.0.0/16", "0.0.0.0/2"],
            &["2000::/3"],
        ] {
            let error = relay(networks).check(&public).unwrap_err().to_string();
            assert!(error.contains("for everybody"), "{error}");
            assert!(relay(networks).check(&on("127.0.0.1:25")).is_ok());
        }
        for networks in [
            &["10.0.0.0/8", "192.168.0.0/16", "127.0.0.0/8"][..],
            &["2001:db8::/32"],
            &["fe80::/10"],
            &[],
        ] {
            assert!(relay(networks).check(&public).is_ok(), "{networks:?}");
        }
        // IMAP passes nothing on.
        let imap = vec![(
            Protocol::Imap,
            Endpoint::Tcp("0.0.0.0:143".parse().unwrap()),
        )];
        assert!(relay(&["0.0.0.0/0"]).check(&imap).is_ok());
    }
}
