//! Which server, over which TLS, as whom: the arguments that all clients share, and where passwords come from.
//!
//! A password never comes from the command line, where everybody on the machine can read it: it comes from
//! `--password-file`, from `MAILTOOL_PASSWORD`, or from a prompt with the echo off. Nor does it cross a network in the
//! clear by accident: to a host that is not this machine, STARTTLS is required before login, until `--no-starttls` says
//! otherwise.
//!
//! ```ignore
//! #[derive(clap::Parser)]
//! struct Arguments {
//!     #[command(flatten)]
//!     server: ServerArguments,
//! }
//! let access = arguments.server.access(&Ports { local: 1110, local_tls: 1995, standard: 110, standard_tls: 995 })?;
//! ```

use std::env::VarError;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios};

use super::exit::{self, failure};
use super::route::RouteArguments;
use crate::wire::sasl_client::Mechanism;

/// The arguments that all clients share; flatten them into an applet's own.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Server and login")]
pub struct ServerArguments {
    /// Server to talk to; an IPv6 address with a port is written `[::1]:PORT`
    #[arg(
        long,
        value_name = "HOST[:PORT]",
        env = "MAILTOOL_SERVER",
        default_value = "localhost"
    )]
    pub server: String,
    /// Port, when it is not the usual one
    #[arg(long, env = "MAILTOOL_PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Name to log in with
    #[arg(short, long, value_name = "NAME", env = "MAILTOOL_USER")]
    pub user: Option<String>,
    /// File whose first line is the password; - is standard input. Else MAILTOOL_PASSWORD, else a prompt
    #[arg(long, value_name = "FILE", conflicts_with = "ask")]
    pub password_file: Option<PathBuf>,
    /// Ask for the password on the terminal, whatever MAILTOOL_PASSWORD says
    #[arg(long)]
    pub ask: bool,
    /// TLS from the first byte (smtps, pop3s, imaps)
    #[arg(long, conflicts_with_all = ["starttls", "no_starttls"])]
    pub tls: bool,
    /// Begin in the clear and require STARTTLS before anything else; the default with hosts other than this one
    #[arg(long, conflicts_with = "no_starttls")]
    pub starttls: bool,
    /// Stay in the clear, password and all; the default on this machine
    #[arg(long)]
    pub no_starttls: bool,
    /// Certificate authority to trust, in PEM; `mailtool serve` keeps its own in STORE/tls/ca.pem
    #[arg(long, value_name = "FILE", env = "MAILTOOL_CA")]
    pub ca: Option<PathBuf>,
    /// Take any certificate: anybody on the way can then read and change everything
    #[arg(long)]
    pub insecure: bool,
    /// Give up when the server is silent for so long
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub timeout: Duration,
    /// Show the dialogue on standard error, passwords hidden
    #[arg(short, long)]
    pub verbose: bool,
    /// Write what crosses the network to FILE, for Wireshark (pcapng). Passwords are NOT hidden in it, and with TLS the secrets that
    /// open it are inside
    #[arg(long, value_name = "FILE")]
    pub pcap: Option<PathBuf>,
    /// The way there.
    #[command(flatten)]
    pub route: RouteArguments,
}

/// The ports of a protocol: those of `mailtool serve`, which need no root, on this machine; the standard ones elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// On this machine, in the clear or with STARTTLS.
    pub local: u16,
    /// On this machine, TLS from the first byte.
    pub local_tls: u16,
    /// On any other, in the clear or with STARTTLS.
    pub standard: u16,
    /// On any other, TLS from the first byte.
    pub standard_tls: u16,
}

/// Which server, over which TLS, as whom.
#[derive(Clone, Debug)]
pub struct Access {
    /// A name or an address, without brackets.
    pub host: String,
    /// Where it listens.
    pub port: u16,
    /// How TLS comes in.
    pub security: Security,
    /// A file with the certificate authority to trust instead of the system's.
    pub ca: Option<PathBuf>,
    /// Whether a certificate has to be good.
    pub certificate: Certificate,
    /// How long the server may be silent.
    pub timeout: Duration,
    /// Whether the dialogue is shown.
    pub dialogue: Dialogue,
    /// A file for a capture, if there is to be one.
    pub pcap: Option<PathBuf>,
    /// Who logs in, if anybody.
    pub login: Option<Login>,
    /// The way there, where it is not the straight one.
    pub route: RouteArguments,
}

/// What somebody needs to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    /// A password, or a token.
    Password,
    /// Nothing that is said: a client certificate does it.
    None,
}

/// How TLS comes into a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// From the first byte.
    Implicit,
    /// STARTTLS, or nothing: a server that does not offer it is left before any password is sent.
    StartTls,
    /// STARTTLS where it is offered. Chosen only when there is no password to lose.
    StartTlsIfOffered,
    /// Never.
    Plain,
}

/// Whether a certificate has to be good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// It has to be, for this host name.
    Checked,
    /// Any will do: the user said so.
    Unchecked,
}

/// Whether the dialogue is shown on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialogue {
    /// It is.
    Shown,
    /// It is not.
    Hidden,
}

/// Name and password.
#[derive(Clone)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password, in the clear.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Login")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Secret {
    /// What a login by this mechanism needs; of none that is named, a password.
    pub fn of(mechanism: Option<Mechanism>) -> Self {
        match mechanism {
            Some(Mechanism::External) => Self::None,
            _ => Self::Password,
        }
    }
}

/// The mechanism that an option `--auth` names.
///
/// # Errors
/// Which there are.
pub fn mechanism(text: &str) -> Result<Mechanism, String> {
    Mechanism::named(text).ok_or_else(|| {
        let names: Vec<_> = Mechanism::every().map(Mechanism::name).collect();
        format!("there are {}", names.join(", "))
    })
}

impl ServerArguments {
    /// What the arguments mean, for a protocol with these `ports`. Reads the password, and may ask for it on the
    /// terminal. Fails with the exit codes of [`exit`].
    pub fn access(&self, ports: &Ports) -> anyhow::Result<Access> {
        self.access_with(ports, Secret::Password)
    }

    /// The same where a login needs this secret.
    pub fn access_with(&self, ports: &Ports, secret: Secret) -> anyhow::Result<Access> {
        let (host, port_in_server) = host_and_port(&self.server, "--server")?;
        let local = is_this_machine(&host);
        let usual = match (local, self.tls) {
            (true, false) => ports.local,
            (true, true) => ports.local_tls,
            (false, false) => ports.standard,
            (false, true) => ports.standard_tls,
        };
        let login = match secret {
            Secret::Password => self.login()?,
            Secret::None => Some(Login {
                user: self.user.clone().unwrap_or_default(),
                password: String::new(),
            }),
        };
        let security = if self.tls {
            Security::Implicit
        } else if self.starttls {
            Security::StartTls
        } else if self.no_starttls || local {
            Security::Plain
        } else if login.is_some() {
            Security::StartTls
        } else {
            Security::StartTlsIfOffered
        };
        Ok(Access {
            host,
            port: self.port.or(port_in_server).unwrap_or(usual),
            security,
            ca: self.ca.clone(),
            certificate: if self.insecure {
                Certificate::Unchecked
            } else {
                Certificate::Checked
            },
            timeout: self.timeout,
            dialogue: if self.verbose {
                Dialogue::Shown
            } else {
                Dialogue::Hidden
            },
            pcap: self.pcap.clone(),
            login,
            route: self.route.clone(),
        })
    }

    /// Whether the server is on this machine. Of a server that cannot be read, no.
    pub fn is_local(&self) -> bool {
        host_and_port(&self.server, "--server").is_ok_and(|(host, _)| is_this_machine(&host))
    }

    /// Fails where the password comes from standard input as well as `what`.
    pub fn leave_stdin_to(&self, what: &str) -> anyhow::Result<()> {
        if self.password_file.as_deref() != Some(Path::new("-")) {
            return Ok(());
        }
        Err(failure(
            exit::USAGE,
            format!(
                "--password-file - and {what} cannot both be read from standard input: give one of them in a file"
            ),
        ))
    }

    fn login(&self) -> anyhow::Result<Option<Login>> {
        let Some(user) = self.user.clone() else {
            if self.password_file.is_some() || self.ask {
                return Err(failure(
                    exit::USAGE,
                    "a password, but for whom? Add --user NAME",
                ));
            }
            return Ok(None);
        };
        if user.is_empty() {
            return Err(failure(
                exit::USAGE,
                "--user is empty: give the name of the account, such as --user alice",
            ));
        }
        let password = match (&self.password_file, self.ask) {
            (Some(file), _) => password_from(file)?,
            (None, true) => prompt(&user)?,
            (None, false) => match password_of_environment()? {
                Some(password) => password,
                None => prompt(&user)?,
            },
        };
        Ok(Some(Login { user, password }))
    }
}

impl Access {
    /// `localhost:1110`, for messages; of a UNIX socket its name.
    pub fn address(&self) -> String {
        if let Some(socket) = &self.route.socket {
            return socket.clone();
        }
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Whether the server is on this machine.
    pub fn is_local(&self) -> bool {
        is_this_machine(&self.host)
    }

    /// Who logs in; where nobody was named, a failure that says how.
    pub fn required_login(&self) -> anyhow::Result<&Login> {
        self.login.as_ref().ok_or_else(|| {
            failure(
                exit::USAGE,
                "whose mail? Add --user NAME; the password comes from --password-file FILE, from MAILTOOL_PASSWORD, \
                 or is asked for (`mailtool serve` without users has alice with password alice, and bob with bob)",
            )
        })
    }
}

/// `HOST`, `HOST:PORT`, `[ADDRESS]`, `[ADDRESS]:PORT`, or a bare IPv6 address.
pub fn host_and_port(server: &str, option: &str) -> anyhow::Result<(String, Option<u16>)> {
    let wrong = || {
        failure(
            exit::USAGE,
            format!("{option} {server}: write HOST, HOST:PORT, or [IPv6 address]:PORT"),
        )
    };
    let (host, port) = if let Some(rest) = server.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or_else(wrong)?;
        match after {
            "" => (host, None),
            _ => (host, Some(after.strip_prefix(':').ok_or_else(wrong)?)),
        }
    } else if server.matches(':').count() > 1 {
        (server, None)
    } else {
        match server.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        }
    };
    let port = port
        .map(|port| port.parse().map_err(|_| wrong()))
        .transpose()?;
    if host.is_empty() || host.contains(|letter: char| letter.is_whitespace()) {
        return Err(wrong());
    }
    Ok((host.to_owned(), port))
}

/// Whether the host is this machine by name or address: what is said to it crosses no network (RFC 6761 §6.3).
fn is_this_machine(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    text.parse::<f64>()
        .ok()
        .filter(|seconds| *seconds > 0.0 && *seconds <= MOST_SECONDS)
        .map(Duration::from_secs_f64)
        .ok_or_else(|| format!("a number of seconds, more than 0 and at most {MOST_SECONDS}"))
}

/// What MAILTOOL_PASSWORD holds, if anything.
fn password_of_environment() -> anyhow::Result<Option<String>> {
    match std::env::var("MAILTOOL_PASSWORD") {
        Ok(password) => Ok(Some(password).filter(|password| !password.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(failure(exit::DATA, "MAILTOOL_PASSWORD is not UTF-8")),
    }
}

/// The first line of a file, without its line end.
pub fn password_from(file: &Path) -> anyhow::Result<String> {
    let mut content = Vec::new();
    let most = MOST_PASSWORD + 1;
    let read = if file == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut content)
    } else {
        File::open(file).and_then(|file| file.take(most).read_to_end(&mut content))
    };
    let name = file.display();
    read.map_err(|error| failure(exit::NO_INPUT, format!("--password-file {name}: {error}")))?;
    first_line(&content).map_err(|why| {
        failure(
            exit::DATA,
            format!("--password-file {name}: its first line {why}"),
        )
    })
}

fn first_line(content: &[u8]) -> Result<String, String> {
    // QUIRK: editors of Windows put a byte order mark first, and end lines with CRLF.
    let content = content
        .strip_prefix("\u{feff}".as_bytes())
        .unwrap_or(content);
    let line = content.split(|&byte| byte == b'\n').next().unwrap_or(&[]);
    if line.len() as u64 > MOST_PASSWORD {
        return Err(format!(
            "is longer than {MOST_PASSWORD} octets: is it the right file?"
        ));
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok("") => Err("is empty, where the password should be".to_owned()),
        // RFC 4616 §2: NUL is what parts the name from the password.
        Ok(line) if line.contains('\0') => Err("holds a NUL, which no password can".to_owned()),
        Ok(line) => Ok(line.to_owned()),
        Err(_) => Err("is not UTF-8".to_owned()),
    }
}

/// Asks on the controlling terminal, so that it works while stdin is a message.
pub fn prompt(user: &str) -> anyhow::Result<String> {
    let no_terminal = format!(
        "no password for {user}, and no terminal to ask on: give --password-file FILE, or set MAILTOOL_PASSWORD"
    );
    ask(&format!("Password for {user}"), no_terminal)
}

/// The same for what is not a password of the mail server's: `what` is shown, and `no_terminal` is the error where there is none.
pub fn ask(what: &str, no_terminal: String) -> anyhow::Result<String> {
    let mut terminal = File::options()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .map_err(|_| failure(exit::USAGE, no_terminal))?;
    let typed = {
        // Before the prompt: what is typed after it, however fast, must neither be shown nor be thrown away.
        let silent = SilentTerminal::new(&terminal).context("/dev/tty: turning the echo off")?;
        let prompt = super::told(&format!("{}: ", exit::printable(what)));
        write!(&terminal, "{prompt}").context("/dev/tty")?;
        read_typed(&terminal, &silent.before)
    };
    let _ = terminal.write_all(b"\n");
    match typed.context("/dev/tty")? {
        Some(password) if !password.is_empty() => Ok(password),
        _ => Err(failure(exit::USAGE, "no password was typed")),
    }
}

/// A terminal that neither echoes nor sends signals, until this is dropped: an interrupt at the prompt must not leave the
/// user's shell without an echo, so `^C` is read as a byte.
struct SilentTerminal<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> SilentTerminal<'a> {
    fn new(terminal: &'a File) -> io::Result<Self> {
        let before = rustix::termios::tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes -= LocalModes::ECHO
            | LocalModes::ECHONL
            | LocalModes::ICANON
            | LocalModes::ISIG
            | LocalModes::IEXTEN;
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        rustix::termios::tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for SilentTerminal<'_> {
    fn drop(&mut self) {
        // Nothing more can be done about a terminal that is gone.
        let _ = rustix::termios::tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// Reads what is typed until Enter, with the user's own erase and kill keys; `None` for `^C`, and for `^D` on nothing.
fn read_typed(mut input: impl Read, keys: &Termios) -> io::Result<Option<String>> {
    let key = |index| keys.special_codes[index];
    let mut typed = Vec::new();
    let mut byte = [0; 1];
    while input.read(&mut byte)? == 1 {
        match byte[0] {
            b'\r' | b'\n' => return Ok(Some(String::from_utf8_lossy(&typed).into_owned())),
            byte if byte == key(SpecialCodeIndex::VINTR) => return Ok(None),
            byte if byte == key(SpecialCodeIndex::VEOF) => break,
            byte if byte == key(SpecialCodeIndex::VKILL) => typed.clear(),
            byte if byte == key(SpecialCodeIndex::VERASE) || byte == 0x08 || byte == 0x7f => {
                erase_letter(&mut typed);
            }
            _ if typed.len() as u64 >= MOST_PASSWORD => {}
            byte => typed.push(byte),
        }
    }
    Ok((!typed.is_empty()).then(|| String::from_utf8_lossy(&typed).into_owned()))
}

/// Takes the last letter away, all octets of its UTF-8.
fn erase_letter(typed: &mut Vec<u8>) {
    while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
}

/// Octets of a password that is read: a token is some thousands, and a wrong file must not fill the memory.
const MOST_PASSWORD: u64 = 64 * 1024;
/// A week: longer is a mistake.
const MOST_SECONDS: f64 = 604_800.0;

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    const POP3: Ports = Ports {
        local: 1110,
        local_tls: 1995,
        standard: 110,
        standard_tls: 995,
    };

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        server: ServerArguments,
    }

    fn access(words: &[&str]) -> anyhow::Result<Access> {
        let words = ["x"].iter().chain(words).copied();
        Arguments::try_parse_from(words)?.server.access(&POP3)
    }

    #[test]
    fn this_machine_is_plain_and_high_others_are_standard_and_secure() {
        let here = access(&[]).expect("defaults are good");
        assert_eq!((here.host.as_str(), here.port), ("localhost", 1110));
        assert_eq!(here.security, Security::Plain);
        let there = access(&["--server", "pop.example.org"]).expect("a host");
        assert_eq!(
            (there.port, there.security),
            (110, Security::StartTlsIfOffered)
        );
        let tls = access(&["--server", "pop.example.org", "--tls"]).expect("a host");
        assert_eq!((tls.port, tls.security), (995, Security::Implicit));
        assert_eq!(access(&["--tls"]).expect("defaults").port, 1995);
        let six = access(&["--server", "[::1]:7"]).expect("an address");
        assert_eq!((six.host.as_str(), six.port), ("::1", 7));
        assert_eq!(six.address(), "[::1]:7");
    }

    #[test]
    fn a_password_for_a_stranger_requires_starttls() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), "sécret\r\nsecond line\n").expect("written");
        let path = file.path().to_str().expect("UTF-8");
        let words = [
            "--server",
            "pop.example.org:2",
            "-u",
            "alice",
            "--password-file",
            path,
        ];
        let there = access(&words).expect("all is there");
        assert_eq!((there.port, there.security), (2, Security::StartTls));
        let login = there.required_login().expect("a user is given");
        assert_eq!(
            (login.user.as_str(), login.password.as_str()),
            ("alice", "sécret")
        );
        assert!(!format!("{there:?}").contains("sécret"));
        let clear = access(&[&words[..], &["--no-starttls"]].concat()).expect("as told");
        assert_eq!(clear.security, Security::Plain);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_exit_code() {
        for words in [
            &["--server", "host:port"][..],
            &["--server", "[::1"],
            &["--server", ""],
            &["--password-file", "/dev/null"],
        ] {
            let error = access(words).expect_err("wrong arguments");
            assert_eq!(exit::code_of(&error), Some(exit::USAGE), "{words:?}");
        }
        let error = access(&["-u", "a", "--password-file", "/nonexistent"]).expect_err("no file");
        assert_eq!(exit::code_of(&error), Some(exit::NO_INPUT));
        assert!(access(&["--tls", "--starttls"]).is_err());
        assert!(access(&["--timeout", "0"]).is_err());
        let nobody = access(&[]).expect("defaults are good");
        let error = nobody.required_login().expect_err("nobody was named");
        assert!(format!("{error}").contains("--user NAME"));
    }

    #[test]
    fn erasing_takes_whole_letters() {
        let mut typed = "aé".as_bytes().to_vec();
        erase_letter(&mut typed);
        assert_eq!(typed, b"a");
        erase_letter(&mut typed);
        erase_letter(&mut typed);
        assert_eq!(typed, b"");
    }
}
