//! One server with all that belongs to it: store, services, listeners, queue, control socket, loop.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};

use super::control::CONTROL;
use super::observers::Observers;
use super::options::{Domain, Endpoint, Options};
use super::protocols::Protocol;
use super::reach::{self, Names};
use super::screen::{Demo, Screen};
use super::{
    Services, accounts, certificate, class, domains, faults, listen, only_loopback, reload,
};
use crate::limits;
use crate::proto::control::{Board, ControlService, Journal};
use crate::proto::smtp::dispatch::policy::Route;
use crate::reactor::courier::{Courier, Settings};
use crate::reactor::lookup::Resolving;
use crate::reactor::{self, Connector, Reactor, Trust};
use crate::store::Store;

/// A server that listens, and does not serve yet.
pub(super) struct Site {
    options: Options,
    place: PathBuf,
    reactor: Reactor,
    observers: Observers,
    store: Arc<Store>,
    board: Board,
    /// What it calls itself.
    pub(super) hostname: String,
    domains: Vec<String>,
    demo: Demo,
    /// What listens where, with the real ports.
    pub(super) listening: Vec<(Protocol, Endpoint)>,
}

impl Site {
    /// Opens the store at `place`, and listens as the options say; steps of messages are noted in `journal`, and connections are numbered
    /// from `first` on.
    pub(super) fn open(
        options: &Options,
        place: &Path,
        journal: Journal,
        first: u64,
    ) -> anyhow::Result<Self> {
        let endpoints: Vec<(Protocol, Endpoint)> = Protocol::ALL
            .into_iter()
            .flat_map(|protocol| {
                options
                    .endpoints(protocol)
                    .into_iter()
                    .map(move |endpoint| (protocol, endpoint))
            })
            .collect();
        if endpoints.is_empty() {
            bail!(
                "every protocol is off, so there is nothing to serve: leave one on, such as --smtp 127.0.0.1:1025"
            );
        }
        options.relay.check(&endpoints)?;
        let faults = options.faults.faults()?;
        // Read when it is needed; but a wrong name is to be told now.
        if let Trust::Authorities { extra: Some(file) } = options.relay.trust() {
            Connector::new(&options.relay.trust())
                .with_context(|| format!("--relay-ca {}: cannot be used", file.display()))?;
        }
        let (users, demo) = accounts(options, place)?;
        if demo == Demo::Yes {
            only_loopback(
                &endpoints,
                "as alice or bob: give accounts of your own with --user NAME:PASSWORD or --users FILE",
            )?;
        }
        if options.addresses.accept_any {
            only_loopback(&endpoints, "with --accept-any as everybody: leave it out")?;
        }
        if let Some(warning) = options.login.warning(&endpoints) {
            ::log::warn!("{warning}");
        }
        let domains = domains(options);
        let hostname = options.hostname.as_ref().map(Domain::as_str);
        let hostname = hostname.unwrap_or(&domains[0]).to_owned();
        let mut rules = options.addresses.rules();
        rules.behind = options.relay.delivers_elsewhere();
        let aliases = rules.aliases.clone();
        let store = Store::open_with(place, &domains, users, rules).map_err(|error| match error.kind() {
            // The error begins with the file's name then.
            _ if aliases.is_some_and(|file| error.to_string().starts_with(&*file.to_string_lossy())) => {
                anyhow::Error::new(error).context("cannot use the file of --aliases")
            }
            io::ErrorKind::InvalidInput => anyhow::Error::new(error).context("cannot use the accounts"),
            _ => anyhow::Error::new(error).context(format!(
                "cannot use the store {} (--store DIR takes another folder, --store tmp a throw-away one)",
                place.display()
            )),
        })?;
        let store = Arc::new(store);
        let names = Names::of(&domains, &hostname, &endpoints);
        let mut board = Board::with(journal);
        board.faults = Arc::new(faults);
        board.class = class::exercise(options, place, &domains, store.users())?;
        let observers = Observers::open(options, place, &board)?;
        let certificate = certificate(options, place, &names, observers.keys.as_ref())?;

        let (connections, connections_per_address) = options.connections();
        let mut reactor = Reactor::new(
            reactor::Options {
                connections,
                connections_per_address,
                proxies: options.sessions.proxies(),
                headed: options.sessions.headed(),
                tls: Some(certificate),
                faulty_tls: Some(faulty_tls(options, place, &names.called)),
                tap: Some(observers.taps(options)?),
                wire: observers.wires(options),
                resolving: Resolving {
                    server: options.relay.resolver(),
                    ..Resolving::default()
                },
                first_token: first,
                outgoing: options.relay.policy().connections,
                ..reactor::Options::default()
            },
            Arc::clone(&store),
        )
        .context("the system gives no event loop")?;
        reactor
            .catch_signals(reload(
                options,
                &store,
                &names,
                place,
                observers.keys.clone(),
            ))
            .context("signals cannot be caught")?;

        let services = Services {
            hostname: hostname.clone(),
            domain: domains[0].clone(),
            max_octets: options
                .max_size
                .map_or(limits::MESSAGE_SIZE, NonZeroU64::get),
            relay: options.relay.clone(),
            sessions: options.sessions.clone(),
            rates: options.sessions.rates(),
            door: Arc::new(options.login.door()),
            login_delay: Arc::new(options.login.delay()),
            store: Arc::clone(&store),
            board: board.clone(),
        };
        let mut listening = Vec::new();
        for (protocol, endpoint) in endpoints {
            let real = listen(&mut reactor, protocol, &endpoint, services.of(protocol))?;
            listening.push((protocol, real));
        }
        if options.class.class().is_some() {
            let called = reach::called(&listening, &reach::addresses(&listening));
            class::announce(place, &domains[0], &called)?;
        }
        let control = place.join(CONTROL);
        let service = Arc::new(ControlService::new(Arc::clone(&store), board.clone()));
        if let Err(error) = reactor.listen_private(&control, service) {
            ::log::warn!(
                "no control socket {}: {error}; `mailtool serve queue` will not reach this server",
                control.display()
            );
        }
        Ok(Self {
            options: options.clone(),
            place: place.to_path_buf(),
            reactor,
            observers,
            store,
            board,
            hostname,
            domains,
            demo,
            listening,
        })
    }

    /// Where it takes mail from other servers.
    pub(super) fn smtp(&self) -> Option<SocketAddr> {
        self.listening
            .iter()
            .find_map(|(protocol, endpoint)| match endpoint {
                Endpoint::Tcp(address) if *protocol == Protocol::Smtp => Some(*address),
                _ => None,
            })
    }

    /// What is said when it is ready.
    pub(super) fn screen(&self) -> String {
        let accounts: Vec<String> = self
            .store
            .users()
            .accounts()
            .iter()
            .map(|account| account.name.to_string())
            .collect();
        let authority = self.place.join("tls/ca.pem");
        let sessions = self.options.evidence.kept(&self.place);
        let own = reach::addresses(&self.listening);
        let screen = Screen {
            listening: &self.listening,
            called: &reach::called(&self.listening, &own),
            own: &own,
            tls_first: self.options.login.wants_tls(&self.listening),
            domains: &self.domains,
            accounts: &accounts,
            demo: self.demo,
            anybody: self.options.addresses.accept_any,
            passing: self.options.relay.passing(),
            store: &self.place,
            sessions: sessions.as_deref(),
            authority: self
                .options
                .tls_cert
                .is_none()
                .then_some(authority.as_path()),
        };
        let lang = crate::applet::lang();
        let faults = faults::shown(&self.board.faults, &self.listening, lang);
        screen.show(&faults, lang)
    }

    /// Begins to send on what is in the queue, by further `routes` too, and serves until it is told to stop.
    pub(super) fn run(mut self, routes: Vec<Route>) -> anyhow::Result<()> {
        let relay = if routes.is_empty() {
            self.options.relay.clone()
        } else {
            self.options.relay.in_lab(routes)
        };
        let mut policy = relay.policy();
        policy.names = self.domains.clone();
        policy.names.push(self.hostname.clone());
        policy.own = self
            .listening
            .iter()
            .filter_map(|(protocol, endpoint)| match endpoint {
                Endpoint::Tcp(address) if *protocol == Protocol::Smtp => Some(*address),
                _ => None,
            })
            .collect();
        let patience = relay.patience();
        let settings = Settings {
            hostname: self.hostname.clone(),
            policy,
            trust: relay.trust(),
            patience: patience.replies,
            connect: patience.connect,
            stall: patience.stall,
        };
        let handle = self.reactor.handle();
        let courier = Courier::new(
            settings,
            Arc::clone(&self.store),
            self.board.clone(),
            handle,
        );
        self.reactor.drive(Box::new(courier));
        let enough = self.options.evidence.exit_after().map(|enough| {
            let handle = self.reactor.handle();
            let stop = move |count| {
                // Once: a second time means at once.
                if count == enough.get() {
                    ::log::info!("{count} messages were taken: that is enough (--exit-after)");
                    handle.stop();
                }
            };
            self.store.arrivals().subscribe(Arc::new(stop))
        });
        let served = self.reactor.run().context("the event loop failed");
        drop(enough);
        self.observers.close();
        served
    }
}

/// What TLS starts with when something is to go wrong: of our own authority, where that is ours.
fn faulty_tls(options: &Options, place: &Path, names: &[String]) -> Box<reactor::FaultyTls> {
    let (own, names) = (place.join("tls"), names.to_vec());
    let own = options.tls_cert.is_none().then_some(own);
    Box::new(move |showing| {
        reactor::certs::faulty(showing, own.as_deref(), &names)
            .map_err(|error| reactor::TlsError::Pem(error.to_string()))
    })
}
