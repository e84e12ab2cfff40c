//! `mailtool serve`: a mail server that needs no configuration.
//!
//! [`options`] says what can be asked for; this file turns it into a store, services, listeners and a reactor, in an order in
//! which every mistake is told before anything is listening.

mod class;
mod control;
mod deliver;
mod faults;
mod lab;
mod log;
mod mailbox;
mod observers;
mod options;
mod place;
mod protocols;
pub(super) mod queue;
mod reach;
mod ready;
mod screen;
mod sessions;
mod site;
mod user;
mod wait;

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context, bail};
use clap::{ArgMatches, Args, Command};

use self::options::{Endpoint, Options, Relay, Sessions, THROW_AWAY};
use self::protocols::Protocol;
use self::reach::Names;
use self::ready::Waiting;
use self::screen::Demo;
use self::site::Site;
use super::print;
use crate::proto::control::{Board, BoardTurn, Journal, JournalWitness};
use crate::proto::fault::FaultyService;
use crate::proto::login::Door;
use crate::proto::pop3::server::{LoginDelay, Pop3Service};
use crate::proto::smtp::SmtpService;
use crate::proto::{Service, StartTls, imap, pop3, smtp};
use crate::reactor::{self, Acceptor, Reactor, Security};
use crate::store::{Store, SystemFiles, Users};
use crate::tap::Tap;
use crate::tap::keylog::KeySink;
use crate::tap::transcript::{Folding, Sink, Transcript};

/// The options of `serve`.
pub fn command() -> Command {
    Options::augment_args(Command::new("serve"))
        .about("A local mail server: SMTP, submission, LMTP, POP3, IMAP; nothing to configure")
        .after_help(EXAMPLES)
        .subcommand(deliver::command())
        .subcommand(mailbox::command())
        .subcommand(user::command())
        .subcommand(faults::command())
        .subcommand(queue::command())
        .subcommand(queue::trace_command())
        .subcommand(sessions::command())
        .subcommand(wait::command())
        .subcommand(class::page_command())
        .subcommand(class::progress_command())
        .disable_help_subcommand(true)
        .args_conflicts_with_subcommands(true)
}

const EXAMPLES: &str = "\
Mail for other domains is refused unless an option of \"Relay and queue\" has it passed on.
MAILTOOL_SMTP in the environment stands for --smtp, and so on; options win.
A comma parts values where an option may be given several times.

Examples:
  mailtool serve
      For alice and bob, on this PC only, at ports above 1024
  mailtool serve --store tmp --smtp 0 --pop3 off --ready-fd 3 3>ports
      For a test: mail is thrown away at the end, the system chooses the port
  mailtool serve --watch smtp,alice --explain fr
      What alice's SMTP sessions say, and what it means, in French
  mailtool serve --listen 0.0.0.0 --domain lab.example --user eve:secret
      For a classroom: eve can log in from everywhere on the network
  mailtool serve --fault 'smtp rcpt reply=450 4.2.0 busy times=2'
      For a lesson: two recipients are refused; see --fault help
  mailtool serve --listen 0.0.0.0 --class class.csv --exercise lab
      For a class: an account each, and who has done what (serve progress)
  mailtool serve --lab-chain 3
      A message's way from server to server, to be watched on one PC
  mailtool serve --relay-from 127.0.0.0/8 --smarthost smtp.example.org:587
      Null client: programs of this machine hand in mail, another host sends it
  mailtool serve --standard-ports --listen 0.0.0.0 --domain example.org \\
      --users /etc/mailtool.users --relay
      As root: a server of a domain, whose users send to everywhere
  mailtool serve --smtp 0.0.0.0:25 --domain example.org \\
      --users /etc/dovecot/users --deliver lmtp:/run/dovecot/lmtp
      In front of a Dovecot that has the mailboxes";

/// Serves until SIGINT or SIGTERM.
pub fn run(matches: &ArgMatches) -> anyhow::Result<u8> {
    match matches.subcommand() {
        Some(("deliver", matches)) => return deliver::run(matches),
        Some(("mailbox", matches)) => return mailbox::run(matches),
        Some(("user", matches)) => return user::run(matches),
        Some(("fault", matches)) => return faults::run(matches),
        Some(("queue", matches)) => return queue::run(matches),
        Some(("trace", matches)) => return queue::run_trace(matches),
        Some(("sessions", matches)) => return sessions::run(matches),
        Some(("wait", matches)) => return wait::run(matches),
        Some(("class", matches)) => return class::run_page(matches),
        Some(("progress", matches)) => return class::run_progress(matches),
        _ => {}
    }
    let options = Options::of(matches)?;
    if options.faults.wants_help() {
        print(&crate::wire::fault::words::page(crate::applet::lang()))?;
        return Ok(0);
    }
    let waiting = Waiting::on(options.ready_fd)?;
    log::start();
    read_program();

    let place = StorePlace::of(&options)?;
    if options.relay.lab_chain.is_some()
        && (options.class.class().or(options.class.exercise())).is_some()
    {
        bail!("--lab-chain excludes --class and --exercise: a class has one server");
    }
    if let Some(count) = options.relay.lab_chain {
        return lab::run(&options, count, place.path(), waiting);
    }
    let site = Site::open(&options, place.path(), Journal::default(), 1)?;
    // The screen is for people; a reader who left does not stop the server.
    let _ = print(&site.screen());
    waiting.tell(&site.listening)?;
    site.run(Vec::new())?;
    Ok(0)
}

/// Has the kernel read the program from the disk, without waiting for it: else each command would wait for its part when it is first given.
fn read_program() {
    if let Ok(program) = std::fs::File::open("/proc/self/exe") {
        // It is a hint.
        let _ = rustix::fs::fadvise(&program, 0, None, rustix::fs::Advice::WillNeed);
    }
}

/// The folder of the store, and whether it outlives us.
enum StorePlace {
    Kept(PathBuf),
    ThrownAway(tempfile::TempDir),
}

impl StorePlace {
    fn of(options: &Options) -> anyhow::Result<Self> {
        if let Some(path) = &options.store {
            if path.as_os_str() != THROW_AWAY {
                return Ok(Self::Kept(std::path::absolute(path).context("--store")?));
            }
            let folder = tempfile::Builder::new().prefix("mailtool-").tempdir();
            return folder
                .map(Self::ThrownAway)
                .context("cannot make a temporary folder; TMPDIR says where");
        }
        let state = std::env::var_os("XDG_STATE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute());
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
        match state.or_else(home) {
            Some(state) => Ok(Self::Kept(state.join("mailtool"))),
            None => bail!(
                "neither XDG_STATE_HOME nor HOME is set: say where the mail goes with --store DIR, or --store tmp"
            ),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::ThrownAway(folder) => folder.path(),
        }
    }
}

/// The domains whose mail is delivered here, the plain one first.
fn domains(options: &Options) -> Vec<String> {
    let mut domains = Vec::new();
    for domain in &options.domain {
        let domain = domain.as_str().to_owned();
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    if domains.is_empty() {
        domains.push("localhost".to_owned());
    }
    domains
}

/// Who has mail here, and which tokens stand for whose password.
fn accounts(options: &Options, store: &Path) -> anyhow::Result<(Users, Demo)> {
    let (users, demo) = named_accounts(options, store)?;
    Ok((users.with_tokens(&options.login.tokens()?), demo))
}

/// Who was named, else who is in the store's own file, else alice and bob.
fn named_accounts(options: &Options, store: &Path) -> anyhow::Result<(Users, Demo)> {
    let kept = store.join("users");
    let read = |file: &Path| Users::read(file).context("cannot use the accounts");
    if let Some(file) = options.class.class() {
        if options.users.is_some() || options.system.system_users {
            bail!(
                "--class excludes --users and --system-users: the list says who is here; --user adds the teacher"
            );
        }
        let mut pairs = class::enrol(file, store)?;
        for login in &options.user {
            if pairs.iter().any(|(name, _)| *name == login.name) {
                bail!("--user {}: is a student of --class already", login.name);
            }
            pairs.push((login.name.clone(), login.password.clone()));
        }
        return Ok((Users::plain(&pairs), Demo::No));
    }
    if options.system.system_users {
        if options.users.is_some() || !options.user.is_empty() {
            bail!("--system-users excludes --users and --user: the machine says who is here");
        }
        let users = Users::system(SystemFiles::default());
        return Ok((users.context("--system-users")?, Demo::No));
    }
    match (&options.users, options.user.as_slice()) {
        (Some(_), [_, ..]) => {
            bail!("--user and --users exclude each other: put all accounts into the file")
        }
        (Some(file), []) => Ok((read(file)?, Demo::No)),
        (None, []) if kept.exists() => Ok((read(&kept)?, Demo::No)),
        (None, []) => {
            let same = |name: &str| (name.to_owned(), name.to_owned());
            Ok((Users::plain(&[same("alice"), same("bob")]), Demo::Yes))
        }
        (None, logins) => {
            let pairs: Vec<_> = logins
                .iter()
                .map(|login| (login.name.clone(), login.password.clone()))
                .collect();
            Ok((Users::plain(&pairs), Demo::No))
        }
    }
}

/// Accounts whose passwords everybody knows are for this machine only.
fn only_loopback(endpoints: &[(Protocol, Endpoint)], advice: &str) -> anyhow::Result<()> {
    for (protocol, endpoint) in endpoints {
        if let Endpoint::Tcp(address) = endpoint
            && !address.ip().is_loopback()
        {
            bail!(
                "{} on {address} could be reached from other machines, where anybody could log in {advice}, or listen on 127.0.0.1",
                protocol.name()
            );
        }
    }
    Ok(())
}

/// The certificate that was named, or our own; the secrets of connections go to `keys`.
fn certificate(
    options: &Options,
    store: &Path,
    names: &Names,
    keys: Option<&Arc<dyn KeySink>>,
) -> anyhow::Result<Acceptor> {
    let acceptor = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => reactor::certs::load(certificate, key)
            .context("cannot use what --tls-cert and --tls-key name")?,
        (None, None) => reactor::certs::ensure(&store.join("tls"), &names.called, &names.reached)?,
        _ => bail!(
            "--tls-cert and --tls-key belong together: a certificate is of no use without its key"
        ),
    };
    Ok(match keys {
        Some(keys) => acceptor.with_key_log(Arc::clone(keys)),
        None => acceptor,
    })
}

/// What SIGHUP does: users and certificate are read again; what cannot be read stays as it was.
fn reload(
    options: &Options,
    store: &Arc<Store>,
    names: &Names,
    place: &Path,
    keys: Option<Arc<dyn KeySink>>,
) -> reactor::Reload {
    let (options, store, names, place) = (
        options.clone(),
        Arc::clone(store),
        names.clone(),
        place.to_path_buf(),
    );
    Box::new(move || {
        match store.reload() {
            Ok(()) => ::log::info!("SIGHUP: {} accounts", store.users().accounts().len()),
            Err(error) => ::log::error!("SIGHUP: users and aliases stay as they were: {error}"),
        }
        match certificate(&options, &place, &names, keys.as_ref()) {
            Ok(certificate) => Some(certificate),
            Err(error) => {
                ::log::error!("SIGHUP: the certificate stays as it was: {error:#}");
                None
            }
        }
    })
}

/// A tap for each connection that writes what is said to `path`.
fn transcripts(path: &Path) -> anyhow::Result<Box<reactor::TapFactory>> {
    let sink: Sink = if path.as_os_str() == "-" {
        Arc::new(Mutex::new(io::stderr()))
    } else {
        let file = OpenOptions::new().create(true).append(true).open(path);
        Arc::new(Mutex::new(file.with_context(|| {
            format!("cannot write the transcript {}", path.display())
        })?))
    };
    Ok(Box::new(move |peer, _| {
        let transcript = Transcript::numbered(Arc::clone(&sink), peer.token, Folding::Never);
        Some(Box::new(transcript) as Box<dyn Tap>)
    }))
}

/// The port that is shown for connections over UNIX sockets, so that Wireshark knows what is spoken.
fn standard_port(service: &str) -> u16 {
    const LMTP: u16 = 24;
    let mut protocols = Protocol::ALL.into_iter();
    let protocol = protocols.find(|protocol| protocol.name() == service);
    protocol
        .and_then(|protocol| protocol.port(true))
        .unwrap_or(LMTP)
}

/// What answers on the listeners.
struct Services {
    hostname: String,
    domain: String,
    max_octets: u64,
    relay: Relay,
    sessions: Sessions,
    rates: Arc<smtp::server::Rates>,
    door: Arc<Door>,
    login_delay: Arc<LoginDelay>,
    store: Arc<Store>,
    board: Board,
}

impl Services {
    /// What answers, with faults before it: while there are none, that costs a look at whether there are.
    fn of(&self, protocol: Protocol) -> Arc<dyn Service> {
        let faults = Arc::clone(&self.board.faults);
        Arc::new(FaultyService::new(self.faultless(protocol), faults))
    }

    fn faultless(&self, protocol: Protocol) -> Arc<dyn Service> {
        let name = protocol.name();
        match protocol {
            Protocol::Smtp => self.smtp(name, smtp::server::Mode::Mta),
            Protocol::Submission | Protocol::Smtps => {
                self.smtp(name, smtp::server::Mode::Submission)
            }
            Protocol::Lmtp => self.smtp(name, smtp::server::Mode::Lmtp),
            Protocol::Pop3 | Protocol::Pop3s => {
                let config = pop3::server::Config {
                    hostname: self.hostname.clone(),
                    start_tls: StartTls::Offered,
                    door: Arc::clone(&self.door),
                    login_delay: Arc::clone(&self.login_delay),
                    lang: crate::applet::lang(),
                };
                let store = Arc::clone(&self.store);
                Arc::new(Pop3Service::new(name, Arc::new(config), store))
            }
            Protocol::Imap | Protocol::Imaps => {
                let config = imap::server::Config {
                    hostname: self.hostname.clone(),
                    start_tls: StartTls::Offered,
                    door: Arc::clone(&self.door),
                };
                let store = Arc::clone(&self.store);
                Arc::new(imap::ImapService::new(name, Arc::new(config), store))
            }
        }
    }

    fn smtp(&self, name: &'static str, mode: smtp::server::Mode) -> Arc<dyn Service> {
        let mut config = smtp::server::Config::new(&self.hostname, &self.domain, mode);
        config.max_octets = self.max_octets;
        config.start_tls = StartTls::Offered;
        config.door = Arc::clone(&self.door);
        config.queueing = smtp::server::Queueing::Present;
        config.relay_from = self.relay.networks().to_vec();
        if self.relay.is_on() {
            config.relaying = smtp::server::Relaying::On;
        }
        self.sessions.apply(&mut config, &self.rates);
        let turn = BoardTurn::new(Arc::clone(&self.store), self.board.clone());
        config.turn = Some(Arc::new(turn));
        let witness = JournalWitness::new(&self.hostname, self.board.journal.clone());
        config.witness = Some(Arc::new(witness));
        Arc::new(SmtpService::new(
            name,
            Arc::new(config),
            Arc::clone(&self.store),
        ))
    }
}

fn listen(
    reactor: &mut Reactor,
    protocol: Protocol,
    endpoint: &Endpoint,
    service: Arc<dyn Service>,
) -> anyhow::Result<Endpoint> {
    let security = if protocol.is_implicit_tls() {
        Security::Implicit
    } else {
        Security::Plain
    };
    let real = match endpoint {
        Endpoint::Tcp(address) => reactor
            .listen(*address, service, security)
            .map(Endpoint::Tcp),
        Endpoint::Unix(path) => reactor
            .listen_unix(path, service)
            .map(|()| endpoint.clone()),
        Endpoint::Off | Endpoint::Port(_) => {
            bail!("{}: {endpoint} is not an address", protocol.name())
        }
    };
    real.map_err(|error| {
        let advice = match error.kind() {
            io::ErrorKind::AddrInUse => {
                format!(": another program listens there, perhaps another mailtool serve; --{} ADDR:PORT takes another port, 0 any that is free", protocol.name())
            }
            io::ErrorKind::PermissionDenied => ": ports below 1024 need root, or the capability CAP_NET_BIND_SERVICE".to_owned(),
            io::ErrorKind::AddrNotAvailable => ": no network interface of this machine has this address".to_owned(),
            _ => String::new(),
        };
        anyhow::anyhow!("cannot listen on {endpoint} for {}: {error}{advice}", protocol.name())
    })
}
