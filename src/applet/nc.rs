//! `mailtool nc`: reads and writes over the network, in the dialect of three netcats, and knows mail.
//!
//! | part | what it knows |
//! |---|---|
//! | [`dialect`] | whose letters, words and exit codes: Debian's nc, Nmap's ncat, netcat-traditional |
//! | [`flags`] | every option, once |
//! | [`getopt`] | how a command line is cut |
//! | [`options`] | what it means: one value, complete |
//! | [`complaint`], [`words`], [`help`] | all that is said, and the exit code |
//! | `connect`, `hops`, `scan` | the client: calls, through proxies and up to STARTTLS, or only looks who listens |
//! | `listen` | the server |
//! | `talk`, `mail`, `program` | what a connection is joined to: stdin and stdout, in lock-step, a program |
//! | `secure`, `witnesses` | TLS; dumps, transcript, capture |
//!
//! Who ends when is decided in [`crate::proto::raw`], and octets are moved by [`crate::reactor::relay`]. What deliberately
//! differs from the three is in the manual (`man/nc.roff`), each with its reason.

pub mod complaint;
mod connect;
pub mod dialect;
pub mod flags;
pub mod getopt;
pub mod help;
mod hops;
mod listen;
mod mail;
pub mod options;
mod program;
mod scan;
mod secure;
mod talk;
mod witnesses;
pub mod words;

use std::cell::{OnceCell, RefCell};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Command;

use super::credentials;
use crate::proto::raw;
use crate::reactor::meter::{Meter, before_interruption};
use crate::reactor::resolver::{self, Family, ResolveError, Resolver};
use crate::reactor::sockets::{self, Settings};
use crate::reactor::stdio::{self, Input, Output};
use crate::wire::resolv::ResolvConf;
use crate::wire::services::Services;

use complaint::Complaint;
use dialect::{CompatError, Dialect};
use flags::Id;
use getopt::{CommandLine, Spelling};
use hops::Dialogue;
use options::{Callers, Carrier, Direction, Names, OnceConnected, Options, Surroundings, Task, To};
use witnesses::Witnesses;
use words::{Calls, Note, Peer, Words};

/// The options, in the dialect that `mailtool nc` speaks: for help, manual and completions.
pub fn command() -> Command {
    help::command(Dialect::OpenBsd)
}

/// Runs it. The first of the arguments is the name that it was called by.
pub fn run(arguments: &[OsString]) -> anyhow::Result<u8> {
    let name = arguments.first().cloned().unwrap_or_default();
    let name = name.to_string_lossy();
    let called = Path::new(&*name).file_name().unwrap_or_default();
    let mut words = Words {
        dialect: Dialect::of_name(called),
        called: called.to_string_lossy().into_owned(),
        verbose: 0,
        names: Names::LookedUp,
        calls: Calls::One,
    };
    match Dialect::of(arguments) {
        Ok(dialect) => words.dialect = dialect,
        Err(CompatError::Unknown(named)) => {
            let known = Dialect::ALL.map(Dialect::name).join(", ");
            let text = format!("--compat={named}: the dialects are {known}.");
            return Ok(end(&words, &Complaint::Refused(text)));
        }
        Err(CompatError::Missing(error)) => {
            eprint(&words.getopt(&name, &error));
            return Ok(Complaint::Usage.exit_code(words.dialect));
        }
    }
    let cut = CommandLine::cut(words.dialect, arguments.get(1..).unwrap_or_default());
    let (line, error) = match cut {
        Ok(line) => (line, None),
        Err((line, error)) => (line, Some(error)),
    };
    let services = Services::read_by(|| text_of("/etc/services"));
    let dialect = words.dialect;
    let looked = with_surroundings(&line, &services, |known| {
        options::look_in_order(dialect, &line, known)
    });
    if let Err(complaint) = looked {
        return Ok(end(&words, &complaint));
    }
    if let Some(error) = error {
        eprint(&words.getopt(&name, &error));
        return Ok(Complaint::Usage.exit_code(words.dialect));
    }
    if let Some(asked) = line.last_of(&[Id::Help, Id::Version]) {
        tell_about(&words, asked.flag.id, asked.spelling)?;
        return Ok(0);
    }
    words.verbose = line.count(Id::Verbose);
    eprint(&words.note(&Note::Begin).unwrap_or_default());
    let understood =
        with_surroundings(&line, &services, |known| Options::of(dialect, &line, known));
    let result = understood.and_then(|options| {
        words.names = options.names;
        words.calls = calls(&options);
        let mut netcat = Netcat::new(options, services, words.clone())?;
        if let Task::Listen(listen) = &netcat.options.task
            && listen.callers == Callers::One
            && line.has(Id::MaxConns)
        {
            netcat.tell(&Note::MaxConnsIgnored);
        }
        let ended = match netcat.options.task {
            Task::Connect(_) => netcat.connect(),
            Task::Listen(_) => netcat.listen(),
        };
        netcat.witnesses.close(&netcat.words);
        ended
    });
    Ok(result.unwrap_or_else(|complaint| end(&words, &complaint)))
}

/// Says what stops it; the exit code.
fn end(words: &Words, complaint: &Complaint) -> u8 {
    eprint(&words.complaint(complaint));
    complaint.exit_code(words.dialect)
}

/// Help and version, where each of the programs prints them.
fn tell_about(words: &Words, id: Id, spelling: Spelling) -> anyhow::Result<()> {
    let text = match (id, words.dialect, spelling) {
        (Id::Help, Dialect::Ncat, _) => help::ncat(),
        (Id::Help, Dialect::OpenBsd, Spelling::Long) => {
            super::meta::long_help_of("nc").unwrap_or_default()
        }
        (Id::Help, _, Spelling::Long) => {
            let mut command = help::command(words.dialect);
            command.render_long_help().to_string()
        }
        (Id::Help, Dialect::OpenBsd, _) => {
            eprint(&help::openbsd());
            return Ok(());
        }
        (Id::Help, Dialect::Traditional, _) => {
            eprint(&help::traditional());
            return Ok(());
        }
        (_, Dialect::Ncat, _) => {
            eprint(&words.error(&help::ncat_version()));
            return Ok(());
        }
        (_, Dialect::Traditional, _) => help::TRADITIONAL_VERSION.to_owned(),
        _ => help::OPENBSD_VERSION.to_owned(),
    };
    super::print(&text)
}

/// Asks what needs to know this machine.
fn with_surroundings<T>(
    line: &CommandLine,
    services: &Services,
    ask: impl FnOnce(&Surroundings<'_>) -> Result<T, Complaint>,
) -> Result<T, Complaint> {
    let is_numeric = line.has(Id::Numeric);
    let resolve = |host: &str, family: Family| -> Result<_, ResolveError> {
        let found = match is_numeric {
            true => vec![resolver::numeric(host, 0, family)?],
            false => resolver::resolve(host, 0, family)?,
        };
        Ok(found.into_iter().map(|address| address.ip()).collect())
    };
    let surroundings = Surroundings {
        services,
        lang: super::lang(),
        variable: &|name| env::var(name).ok(),
        resolve: &resolve,
        read: &|path| fs::read_to_string(path),
    };
    ask(&surroundings)
}

fn calls(options: &Options) -> Calls {
    let Task::Connect(connect) = &options.task else {
        return Calls::One;
    };
    let is_one = match &connect.to {
        To::Ports { ports, .. } => ports.len() == 1,
        To::Unix { .. } => true,
    };
    match (is_one, connect.once_connected == OnceConnected::Probe) {
        (true, false) => Calls::One,
        (false, false) => Calls::Several,
        (true, true) => Calls::Probe,
        (false, true) => Calls::Scan,
    }
}

/// The running program: what was asked for, and the user's ends, which outlive a conversation.
struct Netcat {
    options: Options,
    services: Services,
    words: Words,
    witnesses: Witnesses,
    /// Typed once, for all calls.
    md5_key: OnceCell<Vec<u8>>,
    /// The address that a name was looked up for last, and its name.
    name: RefCell<Option<(IpAddr, Option<String>)>>,
    /// --stats: how far it is, for when a signal ends it.
    meter: Option<Meter>,
    input: Input,
    output: Output,
    /// What was said before TLS, until the witnesses have seen it.
    prelude: Dialogue,
    /// Somebody waits for the signals that end the program.
    is_guarded: bool,
}

impl Netcat {
    fn new(options: Options, services: Services, words: Words) -> Result<Self, Complaint> {
        let (input, output) = match options.flow.direction {
            Direction::Both => (Input::stdin()?, Output::stdout()?),
            Direction::SendOnly => (Input::stdin()?, Output::none()),
            Direction::ReceiveOnly => (Input::none(), Output::stdout()?),
        };
        // ncat will not have a stdin that cannot be read.
        let input = match options.dialect {
            Dialect::OpenBsd | Dialect::Traditional => input.or_at_its_end(),
            Dialect::Ncat => input,
        };
        Ok(Self {
            prelude: Dialogue::new(),
            is_guarded: options.evidence.stats,
            witnesses: Witnesses::of(&options, &words)?,
            md5_key: OnceCell::new(),
            name: RefCell::new(None),
            meter: meter(&options, &words)?,
            input,
            output,
            options,
            services,
            words,
        })
    }

    fn tell(&self, note: &Note<'_>) {
        self.tell_as(self.words.clone(), note);
    }

    fn tell_as(&self, mut words: Words, note: &Note<'_>) {
        // Debian's nc is silent where nobody listens. No script of its has mail mode or a terminal, and whoever uses those is to know.
        let is_told = self.options.mail.is_some() || self.is_for_a_person();
        if is_told && matches!(note, Note::CallFailed { .. }) {
            words.verbose = words.verbose.max(1);
        }
        if let Some(text) = words.note(note) {
            eprint(&text);
        }
    }

    /// Whether somebody sits before a terminal and wants to talk: a script has one of its streams elsewhere, or only looks who listens.
    fn is_for_a_person(&self) -> bool {
        self.words.calls == Calls::One && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// The name of an address, where it is to be shown.
    fn name_of(&self, address: SocketAddr) -> Option<String> {
        let is_shown = match self.options.dialect {
            Dialect::OpenBsd | Dialect::Traditional => self.options.verbose > 0,
            Dialect::Ncat => false,
        };
        if self.options.names == Names::Numeric || !is_shown {
            return None;
        }
        let address = address.ip();
        let mut known = self.name.borrow_mut();
        if known.as_ref().is_none_or(|(of, _)| *of != address) {
            *known = Some((address, quick_resolver().reverse(address)));
        }
        known.as_ref().and_then(|(_, name)| name.clone())
    }

    /// netcat-traditional tells with -v of an address that has no name.
    fn tell_nameless(&self, address: SocketAddr) {
        if self.options.dialect == Dialect::Traditional
            && self.options.names == Names::LookedUp
            && self.options.verbose > 0
            && !address.ip().is_unspecified()
            && self.name_of(address).is_none()
        {
            eprint(&self.words.nameless(address.ip()));
        }
    }

    /// What is shown of an address.
    fn peer<'a>(&'a self, address: SocketAddr, name: &'a Option<String>) -> Peer<'a> {
        let transport = self.options.carrier.transport();
        let service = match (self.options.names, self.options.dialect) {
            // Then nothing is said, and nothing need be looked up.
            (_, Dialect::OpenBsd | Dialect::Ncat) if self.options.verbose == 0 => None,
            (Names::LookedUp, _) | (_, Dialect::Traditional) => {
                self.services.name(address.port(), transport)
            }
            (Names::Numeric, _) => None,
        };
        Peer {
            address,
            name: name.as_deref(),
            service,
        }
    }

    /// The addresses of `host`, or only what it spells (-n).
    fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ResolveError> {
        match self.options.names {
            Names::Numeric => Ok(vec![resolver::numeric(host, port, self.options.family)?]),
            // netcat-traditional knows IPv4 only: where there is that, it is what is meant.
            Names::LookedUp
                if self.options.dialect == Dialect::Traditional
                    && self.options.family == Family::Any =>
            {
                resolver::resolve(host, port, Family::V4)
                    .or_else(|_| resolver::resolve(host, port, Family::Any))
            }
            Names::LookedUp => resolver::resolve(host, port, self.options.family),
        }
    }

    fn ends(&self) -> raw::Options {
        let timing = self.options.timing;
        raw::Options {
            input_end: match (self.options.flow.direction, timing.half_close) {
                (options::Direction::SendOnly, _) => raw::InputEnd::Leave,
                (_, true) => raw::InputEnd::HalfClose,
                (_, false) => raw::InputEnd::Untold,
            },
            quit_after: timing.quit_after,
            peer_end: match self.options.dialect {
                // What is piped in is sent to its end: a peer may only have half-closed. (So ncat until 7.95.)
                Dialect::OpenBsd | Dialect::Ncat => raw::PeerEnd::FinishInput,
                Dialect::Traditional => raw::PeerEnd::Leave,
            },
            idle: timing.idle.map(options::Idle::after),
            idle_end: match timing.idle {
                Some(options::Idle::Fail(_)) => raw::IdleEnd::Idle,
                // "Final net reads", says its manual: who is still typing is waited for.
                Some(options::Idle::Leave(_)) if self.options.dialect == Dialect::Traditional => {
                    raw::IdleEnd::DoneOnceInputIsOver
                }
                _ => raw::IdleEnd::Done,
            },
            near: raw::Near::User,
        }
    }

    /// Has lines edited while somebody types on a terminal; [`stdio::edit_no_more`] ends it.
    fn edit_lines(&mut self) -> Result<(), Complaint> {
        let can_draw = env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
        // The line that --progress writes over and over again has no place for another.
        if !can_draw || self.options.evidence.progress {
            return Ok(());
        }
        if stdio::edit(&mut self.input, &mut self.output) && !self.is_guarded {
            self.is_guarded = true;
            before_interruption(|| {})?;
        }
        Ok(())
    }

    /// What is asked of a socket.
    fn settings(&self) -> Result<Settings, Complaint> {
        let mut settings = self.options.socket.clone();
        if self.options.tcp_md5 {
            settings.md5_key = Some(self.md5_key()?);
        }
        Ok(settings)
    }

    /// -S: asked for on the terminal, as Debian's nc does, once.
    fn md5_key(&self) -> Result<Vec<u8>, Complaint> {
        if let Some(key) = self.md5_key.get() {
            return Ok(key.clone());
        }
        let unread = "Unable to read TCP MD5SIG password";
        let typed = credentials::ask("TCP MD5SIG password", unread.to_owned())
            .map_err(|_| Complaint::failed(unread))?;
        Ok(self.md5_key.get_or_init(|| typed.into_bytes()).clone())
    }

    /// What carries octets, over IP.
    const fn ip_carrier(&self) -> sockets::Carrier {
        match self.options.carrier {
            Carrier::Udp | Carrier::UnixDatagram => sockets::Carrier::Udp,
            Carrier::Dccp => sockets::Carrier::Dccp,
            Carrier::Tcp | Carrier::UnixStream => sockets::Carrier::Tcp,
        }
    }
}

/// --stats, whose figures are told also when SIGINT or SIGTERM ends the program; those are what they were then.
fn meter(options: &Options, words: &Words) -> Result<Option<Meter>, Complaint> {
    if !options.evidence.stats {
        return Ok(None);
    }
    let meter = Meter::default();
    let (read, words) = (meter.clone(), words.clone());
    let begun_line = options.evidence.progress;
    before_interruption(move || {
        if begun_line {
            eprint("\n");
        }
        if let Some(progress) = read.read(Instant::now()) {
            eprint(&words.error(&witnesses::stats(progress)));
        }
    })?;
    Ok(Some(meter))
}

/// A name in a message is worth no long wait: one server, one second.
fn quick_resolver() -> Resolver {
    let resolver = Resolver::from_system();
    Resolver {
        conf: ResolvConf {
            timeout: Duration::from_secs(1),
            attempts: 1,
            servers: resolver.conf.servers.into_iter().take(1).collect(),
            ..resolver.conf
        },
        hosts: resolver.hosts,
    }
}

fn text_of(path: &str) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// Nobody is left to tell when stderr is gone.
fn eprint(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
