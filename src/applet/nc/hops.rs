//! What is said on a connection before it is the user's: through proxies, one behind the other, and up to STARTTLS.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use socket2::Socket;

use super::complaint::{Complaint, reason};
use super::dialect::Dialect;
use super::options::{Login, Lookup, Password, Proxy, ProxyProtocol};
use super::words::Note;
use super::{Netcat, eprint};
use crate::applet::credentials;
use crate::limits;
use crate::proto::prelude::{Prelude, PreludeError};
use crate::proto::proxy::client::{HttpConnect, Socks4, Socks5};
use crate::proto::proxy::{Destination, Host, Login as ProxyLogin};
use crate::proto::raw::Protocol;
use crate::proto::raw::starttls::StartTls;
use crate::reactor::prelude::{Spoken, Unspoken, speak};
use crate::reactor::resolver::{self, Family};
use crate::tap::{Closing, Side, Wire};

/// What was said before TLS, when, and by whom.
pub(super) type Dialogue = Vec<(Instant, Side, Vec<u8>)>;

/// Keeps what is said, for the witnesses.
struct Recording {
    inner: Option<Box<dyn Wire>>,
    said: Dialogue,
}

impl Wire for Recording {
    fn crossed(&mut self, at: SystemTime, side: Side, octets: &[u8]) {
        let kept: usize = self.said.iter().map(|said| said.2.len()).sum();
        let room = limits::HEARD_LINE.saturating_sub(kept);
        let begun = &octets[..room.min(octets.len())];
        self.said.push((Instant::now(), side, begun.to_owned()));
        if let Some(wire) = &mut self.inner {
            wire.crossed(at, side, octets);
        }
    }

    fn closed(&mut self, at: SystemTime, side: Side, how: Closing) {
        if let Some(wire) = &mut self.inner {
            wire.closed(at, side, how);
        }
    }
}

/// A connection, and what came on it behind a prelude.
pub(super) struct Connection {
    pub(super) socket: Socket,
    /// Octets that were read already, and are the user's.
    pub(super) left_over: Vec<u8>,
    /// Sees what crosses the socket.
    pub(super) wire: Option<Box<dyn Wire>>,
}

impl Connection {
    /// Nothing was said on it.
    pub(super) const fn new(socket: Socket, wire: Option<Box<dyn Wire>>) -> Self {
        Self {
            socket,
            left_over: Vec::new(),
            wire,
        }
    }

    /// It is about to be closed, and nothing was said on it: so it is seen.
    pub(super) fn is_left(&mut self) {
        if let Some(wire) = &mut self.wire {
            wire.closed(SystemTime::now(), Side::Client, Closing::End);
        }
    }
}

/// How far the preludes have come.
pub(super) enum Through {
    /// All of them are spoken.
    Done,
    /// It has to be begun anew, on a new connection: says the proxy at this place of the chain.
    Again {
        /// Its place, the first one's is 0.
        at: usize,
    },
    /// The proxy at this place wants a user name and a password, and they were not given yet.
    WantsLogin {
        /// Its place.
        at: usize,
        /// In its words.
        refusal: Complaint,
    },
}

/// What came of one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Spoke {
    ToItsEnd,
    Again,
    WithoutLogin(Complaint),
}

/// What is to be said to a proxy.
pub(super) struct Hop {
    pub(super) prelude: Box<dyn Prelude>,
    /// Who looked the next host up, until that is told.
    found: Option<Found>,
}

/// Who looks a name up.
enum Found {
    ByProxy(String),
    Here(String, SocketAddr),
}

impl Hop {
    /// The same said to another connection: what was told once is not told again.
    pub(super) fn begin_anew(&mut self, anew: Self) {
        self.prelude = anew.prelude;
    }
}

impl Netcat {
    /// What is to be said to each proxy, in this order, so that the last one calls `host`.
    pub(super) fn hops(
        &self,
        proxies: &[Proxy],
        host: &str,
        port: u16,
    ) -> Result<Vec<Hop>, Complaint> {
        let behind = proxies.iter().skip(1);
        let behind = behind.map(|proxy| (proxy.host.as_str(), proxy.port));
        let targets = behind.chain([(host, port)]);
        proxies
            .iter()
            .zip(targets)
            .map(|(proxy, (host, port))| self.hop(proxy, host, port))
            .collect()
    }

    fn hop(&self, proxy: &Proxy, host: &str, port: u16) -> Result<Hop, Complaint> {
        let (destination, found) = self.destination(proxy, host, port)?;
        let prelude = match proxy.protocol {
            ProxyProtocol::Socks4 => {
                let user = proxy.login.as_ref().map_or("", |login| &login.user);
                Socks4::new(destination, user).map(|prelude| Box::new(prelude) as Box<dyn Prelude>)
            }
            ProxyProtocol::Socks5 => Socks5::new(destination, login(proxy))
                .map(|prelude| Box::new(prelude) as Box<dyn Prelude>),
            ProxyProtocol::Http => HttpConnect::new(destination, login(proxy), nonce())
                .map(|prelude| Box::new(prelude) as Box<dyn Prelude>),
        };
        let prelude = prelude.map_err(|error| self.refused(&error))?;
        Ok(Hop { prelude, found })
    }

    /// What the proxy is asked for, looked up by whom it was wanted.
    fn destination(
        &self,
        proxy: &Proxy,
        host: &str,
        port: u16,
    ) -> Result<(Destination, Option<Found>), Complaint> {
        let spelt = Host::parse(host).unwrap_or_else(|| Host::Name(host.to_owned()));
        let by_proxy = |name: String| (Host::Name(name.clone()), Some(Found::ByProxy(name)));
        let (host, found) = match (spelt, proxy.lookup) {
            (Host::Address(address), _) => (Host::Address(address), None),
            (Host::Name(name), Lookup::Remote) => by_proxy(name),
            (Host::Name(name), lookup) => {
                let family = match proxy.protocol {
                    ProxyProtocol::Socks4 => Family::V4,
                    ProxyProtocol::Socks5 | ProxyProtocol::Http => self.options.family,
                };
                let found = match lookup {
                    Lookup::Nobody => resolver::numeric(&name, port, family).map(|one| vec![one]),
                    _ => resolver::resolve(&name, port, family),
                };
                match found {
                    Ok(found) => match found.first() {
                        None => (Host::Name(name), None),
                        Some(&address) => (
                            Host::Address(address.ip()),
                            Some(Found::Here(name, address)),
                        ),
                    },
                    Err(_) if lookup == Lookup::Both => by_proxy(name),
                    Err(error) => {
                        return Err(self.words.unresolved(&name, port, &error.to_string()));
                    }
                }
            }
        };
        Ok((Destination { host, port }, found))
    }

    fn tell_found(&self, found: &mut Option<Found>) {
        match found.take() {
            Some(Found::ByProxy(host)) => self.tell(&Note::LookedUpByProxy(&host)),
            Some(Found::Here(host, address)) => self.tell(&Note::LookedUpHere {
                host: &host,
                address,
            }),
            None => {}
        }
    }

    /// Speaks to the proxies.
    pub(super) fn go_through(
        &self,
        connection: &mut Connection,
        hops: &mut [Hop],
    ) -> Result<Through, Complaint> {
        for (at, Hop { prelude, found }) in hops.iter_mut().enumerate() {
            if prelude.socks().is_none() {
                self.tell_found(found);
            }
            let mut wire = connection.wire.take();
            let spoke = self.speak(connection, prelude.as_mut(), wire.as_deref_mut());
            connection.wire = wire;
            if let Some(progress) = prelude.socks() {
                if let Some(wants_password) = progress.wants_password {
                    self.tell(&Note::LoggingIn { wants_password });
                }
                if progress.asked {
                    self.tell_found(found);
                }
                if matches!(spoke, Ok(Spoke::ToItsEnd)) {
                    self.tell(&Note::ProxyConnected);
                }
            }
            match spoke? {
                Spoke::ToItsEnd => {}
                Spoke::Again => return Ok(Through::Again { at }),
                Spoke::WithoutLogin(refusal) => return Ok(Through::WantsLogin { at, refusal }),
            }
        }
        Ok(Through::Done)
    }

    /// Has the server of `protocol` agree on TLS. What was said for it waits for the witnesses.
    pub(super) fn start_tls(
        &mut self,
        connection: &mut Connection,
        protocol: Protocol,
    ) -> Result<(), Complaint> {
        let mut prelude = StartTls::new(protocol, hello());
        let mut recording = Recording {
            inner: connection.wire.take(),
            said: Dialogue::new(),
        };
        let spoken = self.speak(connection, &mut prelude, Some(&mut recording));
        connection.wire = recording.inner;
        self.prelude = recording.said;
        if self.words.verbose > 0 {
            let heard = String::from_utf8_lossy(prelude.heard());
            for line in heard.lines() {
                eprint(&format!(
                    "{}\n",
                    crate::wire::secret::printable(line.as_bytes())
                ));
            }
        }
        spoken.map(|_| ()).map_err(Complaint::in_our_words)
    }

    fn speak(
        &self,
        connection: &mut Connection,
        prelude: &mut dyn Prelude,
        wire: Option<&mut (dyn Wire + 'static)>,
    ) -> Result<Spoke, Complaint> {
        let first = std::mem::take(&mut connection.left_over);
        let patience = self.options.timing.connect.or(Some(PATIENCE));
        match speak(&connection.socket, prelude, first, patience, wire) {
            Ok(Spoken::Done(octets)) => {
                connection.left_over = octets;
                Ok(Spoke::ToItsEnd)
            }
            Ok(Spoken::Again) => Ok(Spoke::Again),
            Err(Unspoken::Refused(error)) if error.wants_login() => {
                Ok(Spoke::WithoutLogin(self.refused(&error)))
            }
            Err(Unspoken::Refused(error)) => Err(self.refused(&error)),
            Err(Unspoken::TimedOut) => Err(Complaint::failed(
                "the other side says nothing; is it what it was taken for?",
            )),
            // To ncat that is an end like any other.
            Err(Unspoken::Io(error))
                if self.options.dialect == Dialect::Ncat
                    && error.kind() == ErrorKind::ConnectionReset =>
            {
                Err(self.refused(&prelude.ended()))
            }
            Err(Unspoken::Io(error)) => Err(Complaint::Failed(reason(&error))),
        }
    }

    pub(super) fn refused(&self, error: &PreludeError) -> Complaint {
        match self.options.dialect {
            Dialect::OpenBsd => Complaint::failed(error.netcat()),
            Dialect::Ncat => Complaint::failed(error.ncat()),
            Dialect::Traditional => Complaint::failed(error),
        }
    }

    /// Where the first proxy is.
    pub(super) fn proxy_addresses(&self, proxy: &Proxy) -> Result<Vec<SocketAddr>, Complaint> {
        self.resolve(&proxy.host, proxy.port).map_err(|error| {
            self.words
                .unresolved_proxy(&proxy.host, proxy.port, &error.to_string())
        })
    }
}

/// Who we are to it, as far as that is known without asking the user.
fn login(proxy: &Proxy) -> Option<ProxyLogin> {
    match &proxy.login {
        Some(Login {
            user,
            password: Password::Known(password),
        }) => Some(ProxyLogin {
            user: user.clone(),
            password: password.clone(),
        }),
        Some(Login {
            password: Password::Ask,
            ..
        })
        | None => None,
    }
}

/// Asks for the password of `proxy`, if that was still to be asked for.
pub(super) fn ask_password(proxy: &mut Proxy) -> Result<Option<ProxyLogin>, Complaint> {
    let host = &proxy.host;
    let Some(Login { user, password }) = &mut proxy.login else {
        return Ok(None);
    };
    if *password != Password::Ask {
        return Ok(None);
    }
    let unread = "Unable to read proxy passphrase";
    let typed = credentials::ask(
        &format!("Proxy password for {user}@{host}"),
        unread.to_owned(),
    )
    .map_err(|_| Complaint::failed(unread))?;
    *password = Password::Known(typed);
    Ok(login(proxy))
}

/// Enough that nobody at the other end can foresee it: it is our half of what is hashed with a password.
pub(super) fn nonce() -> [u8; 16] {
    let half = || RandomState::new().build_hasher().finish();
    (u128::from(half()) << 64 | u128::from(half())).to_ne_bytes()
}

/// Who we say that we are before TLS, which counts for nothing once it stands.
fn hello() -> &'static str {
    "localhost"
}

/// How long a proxy, or a server before TLS, is waited for unless -w tells.
const PATIENCE: Duration = limits::TLS_HANDSHAKE;
