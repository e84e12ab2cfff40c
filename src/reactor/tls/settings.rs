//! What a client and a server can be told about TLS, and what is made of it: a [`Connector`] and an [`Acceptor`], once for
//! all connections.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, UnbufferedClientConnection, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::{
    ClientHello, NoServerSessionStorage, ResolvesServerCert, UnbufferedServerConnection,
    WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, KeyLog, RootCertStore, ServerConfig};

use super::binding::end_point;
use super::pem::{self, certificates, private_key};
use super::verify::{Lenient, Named, add_file, authorities};
use super::{Ciphers, Connection, Tls, TlsError};
use crate::proto::Verdict;
use crate::tap::keylog::KeySink;

/// Whom a client trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The authorities that this machine knows, or those of the web where it knows none; and those in a PEM file.
    Authorities {
        /// A lab's own authority, such as `STORE/tls/ca.pem`.
        extra: Option<PathBuf>,
    },
    /// The authorities in a PEM file, and no others; and a server that shows one of these certificates itself.
    Only(PathBuf),
    /// As [`Self::Authorities`], but a certificate that is not good is told of ([`Verdict::Tolerated`]) and taken.
    Tolerant {
        /// As there.
        extra: Option<PathBuf>,
    },
    /// The certificate of this SHA-256, and no other.
    Pinned([u8; 32]),
    /// Anybody: the certificate is not looked at. Only for trying things out.
    Anybody,
}

impl Default for Trust {
    fn default() -> Self {
        Self::Authorities { extra: None }
    }
}

/// A certificate and its key, PEM texts.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate first, then those that lead to its root.
    pub chain: Vec<u8>,
    /// The key of the first.
    pub key: Vec<u8>,
}

/// Without the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// What a client can be told about TLS. By default it trusts the usual authorities, and nobody else.
#[derive(Clone, Default)]
pub struct ClientTls {
    /// Whose certificates are good.
    pub trust: Trust,
    /// The name to ask for (SNI, RFC 6066 §3) and to be found in the certificate, in place of the host's.
    pub server_name: Option<String>,
    /// Application protocols to offer (ALPN, RFC 7301), those that are preferred first.
    pub alpn: Vec<String>,
    /// Shown to a server that asks who we are.
    pub identity: Option<Identity>,
    /// Offered in this order.
    pub ciphers: Ciphers,
    /// Gets the secrets of each connection.
    pub key_log: Option<Arc<dyn KeySink>>,
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls")
            .field("trust", &self.trust)
            .field("server_name", &self.server_name)
            .field("alpn", &self.alpn)
            .field("identity", &self.identity)
            .field("ciphers", &self.ciphers)
            .field("key_log", &self.key_log.is_some())
            .finish()
    }
}

/// Whether a server asks its clients for certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// It does not.
    #[default]
    NotAsked,
    /// Who has one shows it, and it must be of an authority in this PEM text; who has none comes in as well.
    Asked(Vec<u8>),
    /// Nobody comes in without one of an authority in this PEM text.
    Required(Vec<u8>),
    /// Nobody comes in without one of an authority that this machine knows.
    RequiredOfKnown,
}

/// What a server can be told about TLS.
#[derive(Clone)]
pub struct ServerTls {
    /// Who it is.
    pub identity: Identity,
    /// Application protocols that it speaks (ALPN, RFC 7301), those that are preferred first. A client that offers some, none of
    /// which is here, is turned away.
    pub alpn: Vec<String>,
    /// Whether clients have to say who they are.
    pub clients: ClientCertificates,
    /// Of these the client's first one is taken.
    pub ciphers: Ciphers,
    /// Gets the secrets of each connection.
    pub key_log: Option<Arc<dyn KeySink>>,
}

impl ServerTls {
    /// A server with this identity that asks nobody for anything.
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            alpn: Vec::new(),
            clients: ClientCertificates::NotAsked,
            ciphers: Ciphers::default(),
            key_log: None,
        }
    }
}

/// What a server needs for TLS: a certificate chain and its key. Cheap to clone.
#[derive(Clone)]
pub struct Acceptor(Arc<ServerConfig>, Option<Arc<[u8]>>);

impl Acceptor {
    /// From PEM texts: the server's certificate first, then those that lead to its root; and the key of the first.
    ///
    /// # Errors
    /// What is missing or does not fit, in [`TlsError::Pem`].
    pub fn new(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        Self::with(&ServerTls::new(Identity {
            chain: chain.to_vec(),
            key: key.to_vec(),
        }))
    }

    /// As it is told.
    ///
    /// # Errors
    /// [`TlsError::Pem`] for its own certificate and key, [`TlsError::Authorities`] for that of its clients.
    pub fn with(settings: &ServerTls) -> Result<Self, TlsError> {
        let chain = certificates(&settings.identity.chain)?;
        let key = private_key(&settings.identity.key)?;
        let end_point = chain.first().and_then(|first| end_point(first));
        let provider = provider(&settings.ciphers);
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Broken(error.to_string()))?;
        let (clients, needed) = match &settings.clients {
            ClientCertificates::NotAsked => (None, false),
            ClientCertificates::Asked(pem) => (Some(client_authorities(pem)?), false),
            ClientCertificates::Required(pem) => (Some(client_authorities(pem)?), true),
            ClientCertificates::RequiredOfKnown => (Some((authorities(), Vec::new())), true),
        };
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some((roots, named)) => {
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = if needed {
                    verifier
                } else {
                    verifier.allow_unauthenticated()
                };
                let strict = verifier
                    .build()
                    .map_err(|error| authorities_fault(&error))?;
                builder.with_client_cert_verifier(Arc::new(Named { strict, named }))
            }
        };
        let mut config = builder
            .with_single_cert(chain, key)
            .map_err(|error| TlsError::Pem(pem::fault(&error)))?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.alpn_protocols = octets(&settings.alpn);
        if let Ok(ticketer) = ring::Ticketer::new() {
            config.ticketer = ticketer;
            config.send_tls13_tickets = 1;
        }
        let acceptor = Self(Arc::new(config), end_point);
        Ok(match &settings.key_log {
            Some(sink) => acceptor.with_key_log(Arc::clone(sink)),
            None => acceptor,
        })
    }

    /// One whose every handshake fails, with an alert that says so.
    ///
    /// # Errors
    /// The library has no cipher suites: a bug.
    pub fn failing() -> Result<Self, TlsError> {
        let config = ServerConfig::builder_with_provider(provider(&Ciphers::default()))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Broken(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(NoCertificate));
        Ok(Self(Arc::new(config), None))
    }

    /// The same, with the secrets of each connection to `sink`.
    pub fn with_key_log(mut self, sink: Arc<dyn KeySink>) -> Self {
        Arc::make_mut(&mut self.0).key_log = Arc::new(Logger(sink));
        self
    }

    pub(in crate::reactor) fn accept(&self) -> Result<Tls, TlsError> {
        let connection = UnbufferedServerConnection::new(Arc::clone(&self.0))
            .map_err(|error| TlsError::Broken(error.to_string()))?;
        Ok(Tls::new(
            Connection::Server(connection),
            None,
            Judge::Own(self.1.clone()),
        ))
    }
}

/// Has none for anybody.
#[derive(Debug)]
struct NoCertificate;

impl ResolvesServerCert for NoCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

/// What a client needs for TLS. Cheap to clone.
#[derive(Clone)]
pub struct Connector {
    pub(super) config: Arc<ClientConfig>,
    server_name: Option<String>,
    judge: Judge,
}

/// Who looks at certificates.
#[derive(Clone)]
pub(super) enum Judge {
    Strict,
    /// On a server, whose own certificate has this `tls-server-end-point`: as strict with those of its clients.
    Own(Option<Arc<[u8]>>),
    Lenient(Arc<Lenient>),
    Nobody,
}

impl Judge {
    /// Of a connection that stands.
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Strict | Self::Own(_) => Verdict::Good,
            Self::Lenient(lenient) => lenient.verdict(),
            Self::Nobody => Verdict::Unchecked,
        }
    }
}

impl Connector {
    /// A client that trusts so, and is told nothing else.
    ///
    /// # Errors
    /// A file of authorities cannot be read or holds none, in [`TlsError::Authorities`].
    pub fn new(trust: &Trust) -> Result<Self, TlsError> {
        Self::with(&ClientTls {
            trust: trust.clone(),
            ..ClientTls::default()
        })
    }

    /// As it is told; reads the authorities.
    ///
    /// # Errors
    /// [`TlsError::Authorities`] for those; [`TlsError::Pem`] for its own certificate and key.
    pub fn with(settings: &ClientTls) -> Result<Self, TlsError> {
        let provider = provider(&settings.ciphers);
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Broken(error.to_string()))?;
        let (builder, judge) = match &settings.trust {
            Trust::Authorities { extra } => {
                let verifier = strict(authorities(), extra.as_deref(), provider)?;
                let builder = builder
                    .dangerous()
                    .with_custom_certificate_verifier(verifier);
                (builder, Judge::Strict)
            }
            Trust::Only(path) => {
                let verifier = strict(RootCertStore::empty(), Some(path), provider)?;
                let builder = builder
                    .dangerous()
                    .with_custom_certificate_verifier(verifier);
                (builder, Judge::Strict)
            }
            Trust::Tolerant { extra } => {
                let strict = strict(authorities(), extra.as_deref(), Arc::clone(&provider))?;
                let lenient = Arc::new(Lenient::new(provider, Some(strict), None));
                let builder = builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::<Lenient>::clone(&lenient));
                (builder, Judge::Lenient(lenient))
            }
            Trust::Anybody | Trust::Pinned(_) => {
                let (pin, judge) = match settings.trust {
                    Trust::Pinned(pin) => (Some(pin), Judge::Strict),
                    _ => (None, Judge::Nobody),
                };
                let verifier = Arc::new(Lenient::new(provider, None, pin));
                let builder = builder
                    .dangerous()
                    .with_custom_certificate_verifier(verifier);
                (builder, judge)
            }
        };
        let mut config = match &settings.identity {
            None => builder.with_no_client_auth(),
            Some(Identity { chain, key }) => builder
                .with_client_auth_cert(certificates(chain)?, private_key(key)?)
                .map_err(|error| TlsError::Pem(pem::fault(&error)))?,
        };
        config.alpn_protocols = octets(&settings.alpn);
        if matches!(judge, Judge::Lenient(_)) {
            // Nobody looks at a certificate when a session is resumed: then there would be no verdict.
            config.resumption = Resumption::disabled();
        }
        if let Some(sink) = &settings.key_log {
            config.key_log = Arc::new(Logger(Arc::clone(sink)));
        }
        Ok(Self {
            config: Arc::new(config),
            server_name: settings.server_name.clone(),
            judge,
        })
    }

    pub(in crate::reactor) fn connect(&self, host: &str) -> Result<Tls, TlsError> {
        let host = self.server_name.as_deref().unwrap_or(host);
        let name = match ServerName::try_from(host.to_owned()) {
            Ok(name) => name,
            // A UNIX socket has none. An address is a name that is not sent.
            // Then nobody looks at the name in a certificate, or it is wrong in any case.
            Err(_) if !matches!(self.judge, Judge::Strict) => ServerName::IpAddress(NOWHERE.into()),
            Err(_) => {
                return Err(TlsError::Broken(format!(
                    "\"{host}\" is neither a host name nor an address, so no certificate can be for it"
                )));
            }
        };
        let (config, judge) = self.for_one();
        let connection = UnbufferedClientConnection::new(config, name)
            .map_err(|error| TlsError::Broken(error.to_string()))?;
        Ok(Tls::new(
            Connection::Client(connection),
            Some(host.to_owned()),
            judge,
        ))
    }
}

impl Connector {
    /// What one connection needs: who tolerates has to remember for each what was wrong.
    fn for_one(&self) -> (Arc<ClientConfig>, Judge) {
        let Judge::Lenient(lenient) = &self.judge else {
            return (Arc::clone(&self.config), self.judge.clone());
        };
        let lenient = Arc::new(lenient.again());
        let mut config = ClientConfig::clone(&self.config);
        let verifier = Arc::<Lenient>::clone(&lenient);
        config.dangerous().set_certificate_verifier(verifier);
        (Arc::new(config), Judge::Lenient(lenient))
    }
}

const NOWHERE: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

fn provider(ciphers: &Ciphers) -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: ciphers.suites(),
        ..ring::default_provider()
    })
}

fn octets(names: &[String]) -> Vec<Vec<u8>> {
    names.iter().map(|name| name.clone().into_bytes()).collect()
}

/// Trusts these, and those in the file, which a server may also show itself.
fn strict(
    mut roots: RootCertStore,
    file: Option<&Path>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let named = match file {
        Some(path) => add_file(&mut roots, path)?,
        None => Vec::new(),
    };
    let strict = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| TlsError::Authorities(error.to_string()))?;
    Ok(Arc::new(Named { strict, named }))
}

/// The authorities, and their certificates, which a client may also show itself.
fn client_authorities(
    pem: &[u8],
) -> Result<(RootCertStore, Vec<CertificateDer<'static>>), TlsError> {
    let mut roots = RootCertStore::empty();
    let named = certificates(pem).map_err(|error| authorities_fault(&error))?;
    for certificate in &named {
        roots
            .add(certificate.clone())
            .map_err(|error| authorities_fault(&error))?;
    }
    Ok((roots, named))
}

fn authorities_fault(what: &dyn fmt::Display) -> TlsError {
    TlsError::Authorities(format!("the authority of clients' certificates: {what}"))
}

/// Writes the secrets that rustls tells, as NSS does.
struct Logger(Arc<dyn KeySink>);

impl KeyLog for Logger {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut line = String::from(label);
        for octets in [client_random, secret] {
            line.push(' ');
            for octet in octets {
                line.push_str(&format!("{octet:02x}"));
            }
        }
        self.0.line(&line);
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Logger")
    }
}
