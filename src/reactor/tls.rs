//! TLS, behind types of our own: no rustls type leaves this file.
//!
//! rustls is used through its unbuffered interface: ciphertext is a slice that we own and of which it says how much may be
//! thrown away, plaintext is lent a record at a time, and ciphertext is appended to a `Vec` of ours. So an idle connection
//! holds no buffer at all, and records are decrypted in a scratch buffer that all connections of a thread share.
//!
//! What it keeps:
//! - rustls is always shown the whole of what it has not discarded, never an empty slice in its place: it may remember a part of a
//!   handshake message in there, and would panic;
//! - after an error it is asked once more, so that the peer gets the alert that says why;
//! - nothing is encrypted while earlier ciphertext is still unsent, so a slow peer costs one scratch buffer's worth.
//!
//! RFC 8446 (TLS 1.3), RFC 5246 (TLS 1.2); RFC 8314 for mail. One ticket is given to a client of TLS 1.3, and tickets are
//! encrypted to the server itself (RFC 5077), so sessions that could be resumed cost no memory.

mod error;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{UnbufferedClientConnection, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{NoServerSessionStorage, ParsedCertificate, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{
    CertificateError, ClientConfig, CommonState, DigitallySignedStruct, Error, RootCertStore,
    ServerConfig, SignatureScheme,
};

use crate::proto::TlsInfo;
use crate::wire::lines::LineReader;

pub use self::error::{CertificateFault, TlsError};

/// What a server needs for TLS: a certificate chain and its key. Cheap to clone.
#[derive(Clone)]
pub struct Acceptor(Arc<ServerConfig>);

impl Acceptor {
    /// From PEM texts: the server's certificate first, then those that lead to its root; and the key of the first.
    ///
    /// # Errors
    /// What is missing or does not fit, in [`TlsError::Pem`].
    pub fn new(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = certificates(chain)?;
        let key = private_key(key)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| TlsError::Pem(pem_fault(&error)))?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        if let Ok(ticketer) = ring::Ticketer::new() {
            config.ticketer = ticketer;
            config.send_tls13_tickets = 1;
        }
        Ok(Self(Arc::new(config)))
    }

    pub(super) fn accept(&self) -> Result<Tls, TlsError> {
        let connection = UnbufferedServerConnection::new(Arc::clone(&self.0))
            .map_err(|error| TlsError::Broken(error.to_string()))?;
        Ok(Tls::new(Connection::Server(connection), None))
    }
}

/// Whom a client trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The authorities that this machine knows, or those of the web where it knows none; and those in a PEM file.
    Authorities {
        /// A lab's own authority, such as `STORE/tls/ca.pem`.
        extra: Option<PathBuf>,
    },
    /// Anybody: the certificate is not looked at. Only for trying things out.
    Anybody,
}

/// What a client needs for TLS. Cheap to clone.
#[derive(Clone)]
pub struct Connector(Arc<ClientConfig>);

impl Connector {
    /// Reads the authorities.
    ///
    /// # Errors
    /// The extra file cannot be read or holds no certificate, in [`TlsError::Pem`].
    pub fn new(trust: &Trust) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Broken(error.to_string()))?;
        let config = match trust {
            Trust::Authorities { extra } => builder
                .with_root_certificates(authorities(extra.as_ref())?)
                .with_no_client_auth(),
            Trust::Anybody => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
                .with_no_client_auth(),
        };
        Ok(Self(Arc::new(config)))
    }

    pub(super) fn connect(&self, host: &str) -> Result<Tls, TlsError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            TlsError::Broken(format!(
                "\"{host}\" is neither a host name nor an address, so no certificate can be for it"
            ))
        })?;
        let connection = UnbufferedClientConnection::new(Arc::clone(&self.0), name)
            .map_err(|error| TlsError::Broken(error.to_string()))?;
        Ok(Tls::new(
            Connection::Client(connection),
            Some(host.to_owned()),
        ))
    }
}

/// The TLS of one connection, with the octets that are between it and the socket, and between it and the reader.
pub(super) struct Tls {
    connection: Connection,
    /// The host that was meant, for a client.
    host: Option<String>,
    /// Ciphertext that is not decrypted yet: part of a record, or what the reader had no room for.
    incoming: Vec<u8>,
    /// Plaintext that the reader had no room for.
    plain: Vec<u8>,
    /// Ciphertext to be sent, from `sent` on.
    unsent: Vec<u8>,
    sent: usize,
    /// More has to come from the socket before anything can be decrypted.
    hungry: bool,
    up: bool,
    end: End,
    said_goodbye: bool,
    /// After an error rustls must not be asked anything.
    broken: bool,
}

enum Connection {
    Client(UnbufferedClientConnection),
    Server(UnbufferedServerConnection),
}

impl Connection {
    /// Takes rustls one state further; after an error once more, for the alert that says why. Not to be called after that.
    fn step(
        &mut self,
        ciphertext: &mut [u8],
        outgoing: Outgoing<'_>,
        unsent: &mut Vec<u8>,
        text: &mut dyn FnMut(&[u8]),
    ) -> Settled {
        let first = self.settle(ciphertext, outgoing, unsent, text);
        if first.result.is_err() {
            let rest = &mut ciphertext[first.discard..];
            // Whatever else comes of it, the first error is the one to tell.
            let _ = self.settle(rest, Outgoing::Nothing, unsent, text);
        }
        first
    }

    fn settle(
        &mut self,
        ciphertext: &mut [u8],
        outgoing: Outgoing<'_>,
        unsent: &mut Vec<u8>,
        text: &mut dyn FnMut(&[u8]),
    ) -> Settled {
        match self {
            Self::Client(connection) => {
                let status = connection.process_tls_records(ciphertext);
                settle(status, outgoing, unsent, text)
            }
            Self::Server(connection) => {
                let status = connection.process_tls_records(ciphertext);
                settle(status, outgoing, unsent, text)
            }
        }
    }
}

/// How far the peer's stream is at its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    /// The socket is: without a close_notify.
    Socket,
    /// The peer said close_notify.
    Said,
}

/// What [`Tls::receive`] did.
#[derive(Default)]
pub(super) struct Received {
    /// About how many octets moved; 0 if nothing did.
    pub(super) moved: usize,
    /// The peer's stream is at its end, and all of it is in the reader.
    pub(super) end: bool,
    /// TLS stands since now.
    pub(super) up: Option<TlsInfo>,
}

impl Tls {
    fn new(connection: Connection, host: Option<String>) -> Self {
        Self {
            connection,
            host,
            incoming: Vec::new(),
            plain: Vec::new(),
            unsent: Vec::new(),
            sent: 0,
            hungry: false,
            up: false,
            end: End::Open,
            said_goodbye: false,
            broken: false,
        }
    }

    /// Whether data can be encrypted.
    pub(super) const fn is_up(&self) -> bool {
        self.up
    }

    /// Whether [`Self::receive`] could do anything without the socket.
    pub(super) const fn is_hungry(&self) -> bool {
        self.hungry && self.plain.is_empty()
    }

    /// Ciphertext to be sent; then [`Self::advance`].
    pub(super) fn unsent(&self) -> &[u8] {
        &self.unsent[self.sent..]
    }

    /// The first `octets` of [`Self::unsent`] are sent.
    pub(super) fn advance(&mut self, octets: usize) {
        self.sent += octets;
        if self.sent == self.unsent.len() {
            self.unsent.clear();
            self.sent = 0;
        }
    }

    /// Gives memory back that is not in use.
    pub(super) fn release(&mut self) {
        for buffer in [&mut self.incoming, &mut self.plain, &mut self.unsent] {
            if buffer.is_empty() {
                *buffer = Vec::new();
            }
        }
    }

    /// Decrypts what there is, or else what `read` brings (`None`: nothing now; 0: the end), into the reader.
    pub(super) fn receive<E: From<TlsError>>(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> Result<Option<usize>, E>,
        reader: &mut LineReader,
        scratch: &mut [u8],
    ) -> Result<Received, E> {
        let mut received = Received {
            moved: self.deliver(reader),
            ..Received::default()
        };
        if !self.plain.is_empty() {
            return Ok(received);
        }
        let kept = self.incoming.len();
        let mut end = kept;
        if self.hungry && self.end == End::Open {
            if kept == scratch.len() {
                let what = "the peer's TLS handshake message is longer than 64 KiB";
                return Err(TlsError::Broken(what.to_owned()).into());
            }
            match read(&mut scratch[kept..])? {
                None => return Ok(received),
                Some(0) => self.end = End::Socket,
                Some(octets) => {
                    end += octets;
                    received.moved += octets;
                }
            }
        }
        scratch[..kept].copy_from_slice(&self.incoming);
        self.incoming.clear();
        let used = self.decrypt(&mut scratch[..end], reader)?;
        self.incoming.extend_from_slice(&scratch[used..end]);
        received.moved += used;
        if !self.up && !self.state().is_handshaking() {
            self.up = true;
            received.up = Some(self.info());
        }
        received.end = self.end != End::Open && self.is_hungry();
        received.moved += usize::from(received.end);
        Ok(received)
    }

    /// Encrypts one piece of data behind [`Self::unsent`].
    pub(super) fn encrypt(&mut self, data: &[u8]) -> Result<(), TlsError> {
        self.write(Outgoing::Data(data))
    }

    /// Puts close_notify (RFC 8446 §6.1) behind [`Self::unsent`]; false if it was there already.
    pub(super) fn say_goodbye(&mut self) -> bool {
        if std::mem::replace(&mut self.said_goodbye, true) || !self.up || self.broken {
            return false;
        }
        // If that fails, the end of the stream must do.
        self.write(Outgoing::CloseNotify).is_ok()
    }

    /// Moves left-over plaintext into the reader.
    fn deliver(&mut self, reader: &mut LineReader) -> usize {
        if self.plain.is_empty() {
            return 0;
        }
        let octets = copy(&self.plain, reader);
        self.plain.drain(..octets);
        octets
    }

    /// Decrypts records until the reader is full or there is no whole record; says how much ciphertext is used up.
    fn decrypt(
        &mut self,
        ciphertext: &mut [u8],
        reader: &mut LineReader,
    ) -> Result<usize, TlsError> {
        let mut used = 0;
        self.hungry = false;
        loop {
            let plain = &mut self.plain;
            let step = self.connection.step(
                &mut ciphertext[used..],
                Outgoing::Nothing,
                &mut self.unsent,
                &mut |text| {
                    let octets = copy(text, reader);
                    plain.extend_from_slice(&text[octets..]);
                },
            );
            used += step.discard;
            match step.result {
                Ok(Event::Hungry) => {
                    self.hungry = true;
                    return Ok(used);
                }
                Ok(Event::Closed) => self.end = End::Said,
                Ok(Event::Text) if !self.plain.is_empty() => return Ok(used),
                Ok(Event::Text | Event::Working) => {}
                Err(error) => return Err(self.fault(error)),
            }
        }
    }

    fn write(&mut self, outgoing: Outgoing<'_>) -> Result<(), TlsError> {
        loop {
            let plain = &mut self.plain;
            let step = self.connection.step(
                &mut self.incoming,
                outgoing,
                &mut self.unsent,
                &mut |text| plain.extend_from_slice(text),
            );
            self.incoming.drain(..step.discard);
            match step.result {
                Ok(Event::Hungry) => return Ok(()),
                Ok(Event::Closed) => self.end = End::Said,
                Ok(Event::Text | Event::Working) => {}
                Err(error) => return Err(self.fault(error)),
            }
        }
    }

    fn state(&self) -> &CommonState {
        match &self.connection {
            Connection::Client(connection) => connection,
            Connection::Server(connection) => connection,
        }
    }

    fn info(&self) -> TlsInfo {
        let state = self.state();
        let version = state.protocol_version();
        let cipher = state.negotiated_cipher_suite();
        TlsInfo {
            version: match version {
                Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
                Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
                _ => "TLS",
            },
            cipher: cipher
                .and_then(|suite| suite.suite().as_str())
                .unwrap_or("unknown cipher"),
        }
    }

    fn fault(&mut self, error: Error) -> TlsError {
        self.broken = true;
        let host = self.host.clone().unwrap_or_default();
        match error {
            Error::InvalidCertificate(error) => TlsError::Certificate {
                host,
                fault: certificate_fault(error),
            },
            Error::InvalidMessage(_) if !self.up && self.host.is_none() => TlsError::Broken(
                "the client goes on in the clear where TLS begins".to_owned(),
            ),
            Error::InvalidMessage(_) if !self.up => TlsError::Broken(
                "what came is not TLS: is this the right port, or does the connection begin in the clear (leave --tls \
                 away, or try --starttls)?"
                    .to_owned(),
            ),
            error => TlsError::Broken(error.to_string()),
        }
    }
}

/// What is to be encrypted once rustls can.
#[derive(Clone, Copy)]
enum Outgoing<'a> {
    Nothing,
    Data(&'a [u8]),
    CloseNotify,
}

/// One state of rustls, dealt with.
struct Settled {
    discard: usize,
    result: Result<Event, Error>,
}

enum Event {
    /// A record was decrypted.
    Text,
    /// The peer said close_notify.
    Closed,
    /// There may be more to do.
    Working,
    /// Nothing to do without more ciphertext; what was outgoing is encrypted.
    Hungry,
}

fn settle<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    outgoing: Outgoing<'_>,
    unsent: &mut Vec<u8>,
    text: &mut dyn FnMut(&[u8]),
) -> Settled {
    let mut discard = status.discard;
    let result = status.state.and_then(|state| match state {
        ConnectionState::ReadTraffic(mut traffic) => {
            while let Some(record) = traffic.next_record() {
                let record = record?;
                discard += record.discard;
                text(record.payload);
            }
            Ok(Event::Text)
        }
        ConnectionState::PeerClosed => Ok(Event::Closed),
        ConnectionState::EncodeTlsData(mut handshake) => {
            append(unsent, 0, |room| match handshake.encode(room) {
                Ok(octets) => Ok(octets),
                Err(EncodeError::InsufficientSize(need)) => Err(Some(need.required_size)),
                Err(EncodeError::AlreadyEncoded) => Err(None),
            })?;
            Ok(Event::Working)
        }
        ConnectionState::TransmitTlsData(transmit) => {
            transmit.done();
            Ok(Event::Working)
        }
        ConnectionState::WriteTraffic(mut traffic) => {
            let need = |error| match error {
                EncryptError::InsufficientSize(need) => Some(need.required_size),
                EncryptError::EncryptExhausted => None,
            };
            match outgoing {
                Outgoing::Nothing => {}
                Outgoing::Data(data) => {
                    let guess = data.len() + (data.len() / RECORD + 1) * RECORD_OVERHEAD;
                    append(unsent, guess, |room| {
                        traffic.encrypt(data, room).map_err(need)
                    })?;
                }
                Outgoing::CloseNotify => append(unsent, RECORD_OVERHEAD, |room| {
                    traffic.queue_close_notify(room).map_err(need)
                })?,
            }
            Ok(Event::Hungry)
        }
        // `BlockedHandshake` and `Closed`. Early data is never offered, and what a later rustls adds is not asked for.
        _ => Ok(Event::Hungry),
    });
    Settled { discard, result }
}

/// Octets of plaintext in a record at most (RFC 8446 §5.1).
const RECORD: usize = 16 * 1024;
/// Octets that a record adds: its header, content type and tag, and an explicit nonce in TLS 1.2.
const RECORD_OVERHEAD: usize = 32;

/// Has `write` append to `buffer`, first with `room` octets, then with as many as it asks for.
fn append(
    buffer: &mut Vec<u8>,
    mut room: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Option<usize>>,
) -> Result<(), Error> {
    let start = buffer.len();
    loop {
        buffer.resize(start + room, 0);
        match write(&mut buffer[start..]) {
            Ok(octets) => {
                buffer.truncate(start + octets);
                return Ok(());
            }
            Err(Some(need)) if need > room => room = need,
            Err(_) => {
                buffer.truncate(start);
                return Err(Error::EncryptError);
            }
        }
    }
}

/// Copies as much as the reader has room for; says how much.
fn copy(mut text: &[u8], reader: &mut LineReader) -> usize {
    let length = text.len();
    while !text.is_empty() {
        let space = reader.space();
        let octets = space.len().min(text.len());
        if octets == 0 {
            break;
        }
        space[..octets].copy_from_slice(&text[..octets]);
        reader.filled(octets);
        text = &text[octets..];
    }
    length - text.len()
}

fn certificate_fault(error: CertificateError) -> CertificateFault {
    match error {
        // The signature is bad when an authority has the name of the one that signed, but not its key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            CertificateFault::UnknownIssuer
        }
        CertificateError::NotValidForName => CertificateFault::WrongName(Vec::new()),
        CertificateError::NotValidForNameContext { presented, .. } => {
            CertificateFault::WrongName(presented.iter().map(|name| plain_name(name)).collect())
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => CertificateFault::Time,
        // rustls has no word for these; the names are those of webpki.
        CertificateError::Other(error) => match error.to_string().as_str() {
            "CaUsedAsEndEntity" => CertificateFault::OfAuthority,
            "UnsupportedCertVersion" => CertificateFault::Other(
                "it is of X.509 version 1, which has no names of servers; make one of version 3"
                    .to_owned(),
            ),
            name => CertificateFault::Other(name.to_owned()),
        },
        error => CertificateFault::Other(error.to_string()),
    }
}

/// `mail.example.org` of `DnsName("mail.example.org")`, `192.0.2.1` of `IpAddress(192.0.2.1)`.
fn plain_name(name: &str) -> String {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"').to_owned()
}

fn pem_fault(error: &Error) -> String {
    match error {
        Error::InconsistentKeys(_) => {
            "the key is not the key of the (first) certificate; give the pair that was made together".to_owned()
        }
        error => format!("the certificate and its key cannot be used: {error}"),
    }
}

/// The certificates in a PEM text; the only use of the PEM crate, with [`private_key`].
fn certificates(mut pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Vec<_> = rustls_pemfile::certs(&mut pem)
        .collect::<Result<_, io::Error>>()
        .map_err(|error| TlsError::Pem(format!("this is no PEM text: {error}")))?;
    if certificates.is_empty() {
        return Err(TlsError::Pem(
            "there is no certificate in it; a line \"-----BEGIN CERTIFICATE-----\" is expected"
                .to_owned(),
        ));
    }
    Ok(certificates)
}

fn private_key(mut pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    rustls_pemfile::private_key(&mut pem)
        .map_err(|error| TlsError::Pem(format!("this is no PEM text: {error}")))?
        .ok_or_else(|| {
            TlsError::Pem(
                "there is no private key in it that can be used; a line \"-----BEGIN PRIVATE KEY-----\" is expected \
                 (a key with a passphrase must be decrypted first: openssl pkey -in KEY -out PLAIN_KEY)"
                    .to_owned(),
            )
        })
}

/// Whether the first certificate of a PEM text is for all of `names`; those that it is not for.
pub(super) fn missing_names(pem: &[u8], names: &[String]) -> Result<Vec<String>, TlsError> {
    let chain = certificates(pem)?;
    let parsed = ParsedCertificate::try_from(&chain[0])
        .map_err(|error| TlsError::Pem(format!("this is no certificate: {error}")))?;
    let is_for = |name: &String| {
        ServerName::try_from(name.as_str())
            .is_ok_and(|name| verify_server_name(&parsed, &name).is_ok())
    };
    Ok(names.iter().filter(|name| !is_for(name)).cloned().collect())
}

fn authorities(extra: Option<&PathBuf>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    // Files that cannot be read are no reason to stop: others may hold the one that is needed.
    let (usable, _) =
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if usable == 0 {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if let Some(path) = extra {
        let fault = |what: &dyn fmt::Display| {
            TlsError::Authorities(format!("the CA file {}: {what}", path.display()))
        };
        let pem = std::fs::read(path).map_err(|error| fault(&error))?;
        for certificate in certificates(&pem).map_err(|error| fault(&error))? {
            roots.add(certificate).map_err(|error| fault(&error))?;
        }
    }
    Ok(roots)
}

/// Takes any certificate; only that the server has its key is still checked.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
