//! What `serve` can be told: on the command line, in `MAILTOOL_*`, in a TOML file; the first of these wins.

mod addresses;
mod class;
mod evidence;
mod faults;
mod file;
mod login;
mod relay;
mod sessions;
mod time;
#[cfg(test)]
mod twins;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

pub(super) use self::addresses::Addresses;
pub(super) use self::class::ClassOptions;
pub(super) use self::evidence::{Evidence, Explain};
pub(super) use self::faults::FaultOptions;
pub(super) use self::login::{LoginOptions, SystemUsers};
pub(super) use self::relay::Relay;
pub(super) use self::sessions::Sessions;
use super::protocols::Protocol;
use crate::limits;
use crate::wire::address::{self, AddressError};
use crate::wire::idna;

/// The options of `serve`; the keys of its file have the same names.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct Options {
    /// Address to listen on, with the usual port of each protocol [default: 127.0.0.1]
    #[arg(
        long,
        value_name = "ADDR",
        env = "MAILTOOL_LISTEN",
        value_delimiter = ',',
        value_parser = ip_address,
        help_heading = LISTENING
    )]
    pub(super) listen: Vec<IpAddr>,
    /// Listen at the ports of the standards (25, 587, 465, 110, 995, 143, 993), which need root
    #[arg(long, env = "MAILTOOL_STANDARD_PORTS", value_parser = clap::builder::FalseyValueParser::new(), help_heading = LISTENING)]
    pub(super) standard_ports: bool,

    /// Mail from other servers and from programs
    #[arg(long, value_name = "ADDR:PORT", env = "MAILTOOL_SMTP", value_delimiter = ',', help_heading = LISTENING)]
    pub(super) smtp: Vec<Endpoint>,
    /// Mail from users, who log in
    #[arg(long, value_name = "ADDR:PORT", env = "MAILTOOL_SUBMISSION", value_delimiter = ',', help_heading = LISTENING)]
    pub(super) submission: Vec<Endpoint>,
    /// Submission over TLS from the first byte
    #[arg(long, value_name = "ADDR:PORT", env = "MAILTOOL_SMTPS", value_delimiter = ',', help_heading = LISTENING)]
    pub(super) smtps: Vec<Endpoint>,
    /// Delivery from a mail server in front of this one; off unless given, may be unix:PATH
    #[arg(long, value_name = "ADDR:PORT", env = "MAILTOOL_LMTP", value_delimiter = ',', help_heading = LISTENING)]
    pub(super) lmtp: Vec<Endpoint>,
    /// Reading mail: download it
    #[arg(long, value_name = "ADDR:PORT", env = "MAILTOOL_POP3", value_delimiter = ',', help_heading = LISTENING)]
    pub(super) pop3: Vec<Endpoint>,
    /// POP3 over TLS from the first byte
    #[arg(long, value_name = "ADDR:PORT", env = "MAILTOOL_POP3S", value_delimiter = ',', help_heading = LISTENING)]
    pub(super) pop3s: Vec<Endpoint>,
    /// Reading mail: keep it on the server, in folders
    #[arg(long, value_name = "ADDR:PORT", env = "MAILTOOL_IMAP", value_delimiter = ',', help_heading = LISTENING)]
    pub(super) imap: Vec<Endpoint>,
    /// IMAP over TLS from the first byte
    #[arg(long, value_name = "ADDR:PORT", env = "MAILTOOL_IMAPS", value_delimiter = ',', help_heading = LISTENING)]
    pub(super) imaps: Vec<Endpoint>,

    /// Folder that keeps the mail; `tmp`: one that is thrown away at the end [default: the user's state folder]
    #[arg(long, value_name = "DIR", env = "MAILTOOL_STORE", help_heading = MAIL)]
    pub(super) store: Option<PathBuf>,
    /// Domain whose mail is delivered here; accounts without a domain belong to the first [default: localhost]
    #[arg(long, value_name = "NAME", env = "MAILTOOL_DOMAIN", value_delimiter = ',', help_heading = MAIL)]
    pub(super) domain: Vec<Domain>,
    /// Name that this server calls itself [default: the first domain]
    #[arg(long, value_name = "NAME", env = "MAILTOOL_HOSTNAME", help_heading = MAIL)]
    pub(super) hostname: Option<Domain>,
    /// An account; in MAILTOOL_USER one a line [default: STORE/users, else alice:alice and bob:bob, on loopback only]
    #[arg(long, value_name = "NAME:PASSWORD", help_heading = MAIL)]
    pub(super) user: Vec<Login>,
    /// Accounts in a passwd-file: NAME:{SCHEME}HASH, read again on SIGHUP
    #[arg(long, value_name = "FILE", env = "MAILTOOL_USERS", help_heading = MAIL)]
    pub(super) users: Option<PathBuf>,

    #[command(flatten)]
    pub(super) class: ClassOptions,
    #[command(flatten)]
    pub(super) system: SystemUsers,
    #[command(flatten)]
    pub(super) addresses: Addresses,
    #[command(flatten)]
    pub(super) sessions: Sessions,
    /// Largest message taken, in octets [default: 67108864]
    #[arg(long, value_name = "OCTETS", env = "MAILTOOL_MAX_SIZE", value_parser = octets, help_heading = sessions::SESSIONS)]
    pub(super) max_size: Option<NonZeroU64>,

    #[command(flatten)]
    pub(super) relay: Relay,
    #[command(flatten)]
    pub(super) login: LoginOptions,
    #[command(flatten)]
    pub(super) faults: FaultOptions,

    /// Certificate chain, in PEM [default: one of our own, made once; clients import STORE/tls/ca.pem]
    #[arg(
        long,
        value_name = "FILE",
        env = "MAILTOOL_TLS_CERT",
        help_heading = "TLS"
    )]
    pub(super) tls_cert: Option<PathBuf>,
    /// Its private key, in PEM
    #[arg(
        long,
        value_name = "FILE",
        env = "MAILTOOL_TLS_KEY",
        help_heading = "TLS"
    )]
    pub(super) tls_key: Option<PathBuf>,

    /// Connections served at the same time; file descriptors may allow fewer [default: 40000]
    #[arg(long, value_name = "N", env = "MAILTOOL_CONNECTIONS", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Running")]
    pub(super) connections: Option<u32>,
    /// The same from one address, but this computer and those of --proxy-from and --xclient-from [default: 200]
    #[arg(long, value_name = "N", env = "MAILTOOL_CONNECTIONS_EACH", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Running")]
    pub(super) connections_each: Option<u32>,
    /// Write every dialogue to FILE, passwords hidden; - is standard error
    #[arg(
        long,
        value_name = "FILE",
        env = "MAILTOOL_TRANSCRIPT",
        help_heading = EVIDENCE
    )]
    pub(super) transcript: Option<PathBuf>,
    /// Write what crosses the network to FILE, for Wireshark (pcapng). Passwords are NOT hidden in it, and with TLS the secrets that
    /// open it are inside
    #[arg(
        long,
        value_name = "FILE",
        env = "MAILTOOL_PCAP",
        help_heading = EVIDENCE
    )]
    pub(super) pcap: Option<PathBuf>,
    #[command(flatten)]
    pub(super) evidence: Evidence,
    /// Once ready, write what listens where, a line each, to this file descriptor, and close it
    #[arg(
        long,
        value_name = "N",
        env = "MAILTOOL_READY_FD",
        help_heading = RUNNING
    )]
    pub(super) ready_fd: Option<i32>,
    /// Read further options from a TOML file, whose keys are their names
    #[arg(
        long,
        value_name = "FILE.toml",
        env = "MAILTOOL_CONFIG",
        help_heading = RUNNING
    )]
    pub(super) config: Option<PathBuf>,
}

const LISTENING: &str = "Listening (ADDR:PORT, PORT or off; repeatable; 0 is a free port)";
const MAIL: &str = "Mail and accounts";
const EVIDENCE: &str = "Evidence";
const RUNNING: &str = "Running";

impl Options {
    /// The options of these names, for another command that has them too; see [`Self::of_some`].
    pub(super) fn some(names: &[&str]) -> Vec<Arg> {
        let all = Self::augment_args(Command::new("serve"));
        let named = |argument: &&Arg| {
            argument
                .get_long()
                .is_some_and(|name| names.contains(&name))
        };
        all.get_arguments().filter(named).cloned().collect()
    }

    /// What the command line and the environment said, completed by the file that `--config` names.
    pub(super) fn of(said: &ArgMatches) -> anyhow::Result<Self> {
        match said.contains_id("config") {
            true => Self::of_some(said),
            false => Self::from_arg_matches(said)?.with_accounts(said),
        }
    }

    /// The same for a command that has some of the options only.
    pub(super) fn of_some(said: &ArgMatches) -> anyhow::Result<Self> {
        let options = match said.get_one::<PathBuf>("config") {
            None => file::completed(said, "", Path::new(""))?,
            Some(path) => Self::of_file(said, path)?,
        };
        options.with_accounts(said)
    }

    /// What a command beside the server was told of where mail is, and whose, completed by the file that it was told.
    pub(super) fn complete(mut self) -> anyhow::Result<Self> {
        if let Some(path) = self.config.take() {
            let file = Self::of_file(&ArgMatches::default(), &path)?;
            self.store = self.store.or(file.store);
            self.users = self.users.or(file.users);
            self.evidence = file.evidence;
            self.system.system_users |= file.system.system_users;
            if self.domain.is_empty() {
                self.domain = file.domain;
            }
            if self.user.is_empty() {
                self.user = file.user;
            }
        }
        Ok(self)
    }

    fn of_file(said: &ArgMatches, path: &Path) -> anyhow::Result<Self> {
        let tried = |what| format!("--config {}: {what}", path.display());
        let text = std::fs::read_to_string(path).with_context(|| tried("cannot be read"))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        file::completed(said, &text, folder).with_context(|| tried("not understood"))
    }

    /// Those of the environment win over the file's, and those of the command line over them.
    fn with_accounts(mut self, said: &ArgMatches) -> anyhow::Result<Self> {
        if !said.contains_id("user") {
            let variable = std::env::var("MAILTOOL_USER").ok();
            let accounts = accounts_of_environment(variable.as_deref())?;
            if !accounts.is_empty() {
                self.user = accounts;
            }
        }
        Ok(self)
    }

    /// Connections at the same time, in all and from one address.
    pub(super) fn connections(&self) -> (usize, usize) {
        let number = |given: Option<u32>, usual| given.map_or(usual, |given| given as usize);
        (
            number(self.connections, limits::CONNECTIONS),
            number(self.connections_each, limits::CONNECTIONS_PER_ADDRESS),
        )
    }

    /// Where `protocol` listens.
    pub(super) fn endpoints(&self, protocol: Protocol) -> Vec<Endpoint> {
        let given = match protocol {
            Protocol::Smtp => &self.smtp,
            Protocol::Submission => &self.submission,
            Protocol::Smtps => &self.smtps,
            Protocol::Lmtp => &self.lmtp,
            Protocol::Pop3 => &self.pop3,
            Protocol::Pop3s => &self.pop3s,
            Protocol::Imap => &self.imap,
            Protocol::Imaps => &self.imaps,
        };
        let port = protocol.port(self.standard_ports);
        let default = port.map(Endpoint::Port).into_iter().collect();
        let endpoints = if given.is_empty() {
            default
        } else {
            given.clone()
        };
        let listen: &[IpAddr] = if self.listen.is_empty() {
            &[IpAddr::V4(Ipv4Addr::LOCALHOST)]
        } else {
            &self.listen
        };
        endpoints
            .into_iter()
            .flat_map(|endpoint| match endpoint {
                Endpoint::Off => Vec::new(),
                Endpoint::Port(port) => listen
                    .iter()
                    .map(|&address| Endpoint::Tcp(SocketAddr::new(address, port)))
                    .collect(),
                other => vec![other],
            })
            .collect()
    }
}

fn ip_address(text: &str) -> Result<IpAddr, &'static str> {
    text.parse()
        .map_err(|_| "give an IP address of this machine, such as 127.0.0.1 or ::1; 0.0.0.0 and :: are all of them")
}

/// Not 0: to clients that would mean that there is no bound (RFC 1870 §4).
fn octets(text: &str) -> Result<NonZeroU64, &'static str> {
    text.parse()
        .map_err(|_| "give a number of octets, such as 10000000")
}

/// `--store tmp`
pub(super) const THROW_AWAY: &str = "tmp";

/// `MAILTOOL_USER`: one account a line. Without a colon it is what the clients take it for, a name to log in with.
fn accounts_of_environment(value: Option<&str>) -> anyhow::Result<Vec<Login>> {
    let lines = value
        .unwrap_or_default()
        .lines()
        .filter(|line| line.contains(':'));
    lines
        .map(|line| {
            line.parse()
                .map_err(anyhow::Error::msg)
                .context("MAILTOOL_USER")
        })
        .collect()
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// Not at all.
    Off,
    /// This port of every address of `--listen`.
    Port(u16),
    /// Just here.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        if let Some(path) = text.strip_prefix("unix:") {
            return match path {
                // The system would choose a name that is in no folder, and that nobody knows.
                "" => Err("give the path of the socket, as in unix:/run/mail/lmtp".to_owned()),
                path => Ok(Self::Unix(PathBuf::from(path))),
            };
        }
        if let Ok(port) = text.strip_prefix(':').unwrap_or(text).parse() {
            return Ok(Self::Port(port));
        }
        let resolved = text
            .strip_prefix("localhost:")
            .map(|port| format!("127.0.0.1:{port}"));
        resolved
            .as_deref()
            .unwrap_or(text)
            .parse()
            .map(Self::Tcp)
            .map_err(|_| {
                "give ADDRESS:PORT, such as 127.0.0.1:2525 or [::1]:2525, a PORT alone, or off"
                    .to_owned()
            })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => formatter.write_str("off"),
            Self::Port(port) => write!(formatter, "{port}"),
            Self::Tcp(address) => write!(formatter, "{address}"),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

/// The name of a domain, or of a computer: nothing that could end a line of a reply, or a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Domain(String);

impl Domain {
    /// The name, without a dot at its end.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Domain {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // In the form in which the DNS has it, and other servers name it.
        let ascii = idna::to_ascii(text).unwrap_or_default();
        match address::domain(ascii.as_bytes()) {
            Ok(name) => Ok(Self(name)),
            Err(AddressError::LongDomain) => {
                Err("a name has 255 octets at most, and 63 between dots".to_owned())
            }
            Err(_) => Err("give a name such as mail.example.org".to_owned()),
        }
    }
}

/// An account and its password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Login {
    /// `alice`, or `alice@other.example`
    pub(super) name: String,
    /// In the clear.
    pub(super) password: String,
}

impl FromStr for Login {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some((name, password)) if !name.is_empty() && !password.is_empty() => Ok(Self {
                name: name.to_owned(),
                password: password.to_owned(),
            }),
            _ => Err("give NAME:PASSWORD, such as alice:secret".to_owned()),
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:********", self.name)
    }
}

/// What a file in `/etc/mailtool` is understood as, when nothing else is said.
#[cfg(test)]
fn of_file(text: &str) -> anyhow::Result<Options> {
    let command = Options::augment_args(Command::new("serve"));
    let said = command.try_get_matches_from(["serve"]).expect("nothing");
    file::completed(&said, text, Path::new("/etc/mailtool"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Options {
        of_file(text).unwrap_or_else(|error| panic!("{error:#}"))
    }

    #[test]
    fn what_the_command_line_says_wins_over_the_file() {
        let text = "domain = ['a.example', 'b.example']\nsmtp = 2525\nuser = 'carol:pass:word'\nstore = 'mail'\nstrict = false";
        let said = Options::augment_args(Command::new("serve"))
            .try_get_matches_from(["serve", "--domain", "c.example,d.example", "--strict"])
            .expect("understood");
        let both = file::completed(&said, text, Path::new("/etc/mailtool")).expect("understood");
        let names: Vec<_> = both.domain.iter().map(Domain::as_str).collect();
        assert_eq!(names, ["c.example", "d.example"]);
        assert_eq!(both.smtp, [Endpoint::Port(2525)]);
        assert_eq!(both.store.as_deref(), Some(Path::new("/etc/mailtool/mail")));
        assert_eq!(
            (both.user[0].name.as_str(), both.user[0].password.as_str()),
            ("carol", "pass:word")
        );
        assert!(format!("{:?}", both.sessions).contains("strict: true"));
        let thrown_away = parse("store = 'tmp'").store;
        assert_eq!(thrown_away.as_deref(), Some(Path::new("tmp")));
    }

    #[test]
    fn what_a_file_cannot_say_is_an_error_that_names_the_key() {
        for (text, why) in [
            ("smpt = 25", "a similar argument exists: '--smtp'"),
            ("config = 'x'", "config: not an option for a file"),
            ("help = true", "help: not an option for a file"),
            ("relay = 'yes'", "key relay: give true or false"),
            (
                "smtp = 1.5",
                "key smtp: give a text or a number, not a float",
            ),
            ("smtp = [[25]]", "key smtp: give a list of texts"),
            ("max-errors = 99999999999999999999", "too large"),
            ("store = ['a', 'b']", "cannot be used multiple times"),
            ("smtp = ", "line 1"),
            (
                "[smtp]\nport = 1",
                "key smtp: give a text or a number, not a table",
            ),
        ] {
            let error = format!("{:#}", of_file(text).expect_err(text));
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn endpoints_are_the_default_port_of_each_address_or_what_was_given() {
        let options =
            parse("listen = ['127.0.0.1', '::1']\npop3 = 'off'\nimap = ['[::1]:9143', '9144']");
        let shown = |protocol| {
            options
                .endpoints(protocol)
                .iter()
                .map(Endpoint::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(shown(Protocol::Smtp), ["127.0.0.1:1025", "[::1]:1025"]);
        assert_eq!(shown(Protocol::Pop3), [""; 0]);
        assert_eq!(shown(Protocol::Lmtp), [""; 0]);
        assert_eq!(
            shown(Protocol::Imap),
            ["[::1]:9143", "127.0.0.1:9144", "[::1]:9144"]
        );
    }

    #[test]
    fn what_is_no_endpoint_is_refused_with_an_example() {
        assert_eq!(
            "localhost:25".parse(),
            Ok(Endpoint::Tcp(([127, 0, 0, 1], 25).into()))
        );
        assert!(
            "example:25x"
                .parse::<Endpoint>()
                .is_err_and(|error| error.contains("127.0.0.1:2525"))
        );
    }

    #[test]
    fn names_that_no_domain_has_are_refused() {
        let domain = |text: &str| text.parse::<Domain>();
        assert_eq!(domain("Lab.example.").unwrap().as_str(), "Lab.example");
        for text in [
            "",
            "a b",
            "a\r\nb",
            "../x",
            ".",
            "a..b",
            "[127.0.0.1]",
            "a@b",
        ] {
            assert!(
                domain(text).is_err_and(|error| error.contains("mail.example.org")),
                "{text}"
            );
        }
        assert_eq!(
            domain("B\u{fc}cher.example").unwrap().as_str(),
            "xn--bcher-kva.example"
        );
        assert!(domain("\u{e9} .example").is_err_and(|error| error.contains("mail.example.org")));
        let error = format!("{:#}", of_file("hostname = 'a b'").unwrap_err());
        assert!(error.contains("mail.example.org"), "{error}");
        assert!("unix:".parse::<Endpoint>().is_err());
    }

    #[test]
    fn a_login_name_in_the_environment_is_no_account() {
        assert_eq!(accounts_of_environment(Some("alice")).unwrap(), []);
        assert_eq!(
            accounts_of_environment(Some("alice:a\nbob:b"))
                .unwrap()
                .len(),
            2
        );
        assert!(accounts_of_environment(Some("alice:")).is_err());
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(
            format!("{:?}", "alice:secret".parse::<Login>()),
            "Ok(alice:********)"
        );
    }
}
