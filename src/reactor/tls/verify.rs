//! Whom to trust, and what is wrong with a certificate.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ring::digest::{SHA256, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};

use crate::proto::Verdict;
use crate::wire::x509::{Purpose, is_for};

use super::pem::certificates;
use super::{CertificateFault, TlsError, roots};

/// The authorities that this machine knows, or those of the web where it knows none.
pub(super) fn authorities() -> RootCertStore {
    let mut known = RootCertStore::empty();
    // Files that cannot be read are no reason to stop: others may hold the one that is needed.
    let (usable, _) =
        known.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if usable == 0 {
        known.extend(roots::of_the_web());
    }
    known
}

/// Adds the authorities in a PEM file, and tells which certificates it has.
pub(super) fn add_file(
    roots: &mut RootCertStore,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let fault = |what: &dyn fmt::Display| {
        TlsError::Authorities(format!("the CA file {}: {what}", path.display()))
    };
    let pem = std::fs::read(path).map_err(|error| fault(&error))?;
    let found = certificates(&pem).map_err(|error| fault(&error))?;
    for certificate in &found {
        roots
            .add(certificate.clone())
            .map_err(|error| fault(&error))?;
    }
    Ok(found)
}

/// Whether the first certificate of a PEM text is for all of `names`; those that it is not for.
pub(in crate::reactor) fn missing_names(
    pem: &[u8],
    names: &[String],
) -> Result<Vec<String>, TlsError> {
    let chain = certificates(pem)?;
    let parsed = ParsedCertificate::try_from(&chain[0])
        .map_err(|error| TlsError::Pem(format!("this is no certificate: {error}")))?;
    let is_for = |name: &String| {
        ServerName::try_from(name.as_str())
            .is_ok_and(|name| verify_server_name(&parsed, &name).is_ok())
    };
    Ok(names.iter().filter(|name| !is_for(name)).cloned().collect())
}

/// What is wrong with a server's certificate, of what rustls says.
pub(super) fn certificate_fault(error: CertificateError) -> CertificateFault {
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
            OF_AUTHORITY => CertificateFault::OfAuthority,
            "UnsupportedCertVersion" => CertificateFault::Other(
                "it is of X.509 version 1, which has no names of servers; make one of version 3"
                    .to_owned(),
            ),
            name => CertificateFault::Other(name.to_owned()),
        },
        CertificateError::ApplicationVerificationFailure => {
            CertificateFault::Other("it is another one than --tls-fingerprint names".to_owned())
        }
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

/// webpki's name of it.
const OF_AUTHORITY: &str = "CaUsedAsEndEntity";

/// As strict as any, but the other side may show one of the `named` certificates itself, also where it is an authority's own: so
/// OpenSSL takes it, and `openssl req -x509` makes such.
#[derive(Debug)]
pub(super) struct Named<V> {
    pub(super) strict: V,
    pub(super) named: Vec<CertificateDer<'static>>,
}

impl<V> Named<V> {
    /// What `error` is where one of these was shown: webpki has looked at its time then, and at nothing behind that.
    fn unless_named(
        &self,
        shown: &CertificateDer<'_>,
        purpose: Purpose,
        error: Error,
    ) -> Result<(), Error> {
        match &error {
            Error::InvalidCertificate(CertificateError::Other(other))
                if other.to_string() == OF_AUTHORITY && self.named.contains(shown) => {}
            _ => return Err(error),
        }
        match is_for(shown, purpose) {
            true => Ok(()),
            false => Err(Error::InvalidCertificate(CertificateError::InvalidPurpose)),
        }
    }
}

/// What two traits of rustls ask for alike: the signatures of a handshake are those of `strict` to judge.
macro_rules! signatures_as_strict {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            self.strict
                .verify_tls12_signature(message, certificate, signature)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            self.strict
                .verify_tls13_signature(message, certificate, signature)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.strict.supported_verify_schemes()
        }
    };
}

impl ServerCertVerifier for Named<Arc<WebPkiServerVerifier>> {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found = self.strict.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        found.or_else(|error| {
            self.unless_named(end_entity, Purpose::Server, error)?;
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            Ok(ServerCertVerified::assertion())
        })
    }

    signatures_as_strict!();
}

impl ClientCertVerifier for Named<Arc<dyn ClientCertVerifier>> {
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let found = self
            .strict
            .verify_client_cert(end_entity, intermediates, now);
        found.or_else(|error| {
            self.unless_named(end_entity, Purpose::Client, error)?;
            Ok(ClientCertVerified::assertion())
        })
    }

    fn client_auth_mandatory(&self) -> bool {
        self.strict.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.strict.root_hint_subjects()
    }

    signatures_as_strict!();
}

/// Takes any certificate; only that the server has its key is still checked. May remember what is wrong with it.
#[derive(Debug)]
pub(super) struct Lenient {
    provider: Arc<CryptoProvider>,
    /// Who would know.
    strict: Option<Arc<dyn ServerCertVerifier>>,
    /// The only one that is taken, by its SHA-256.
    pin: Option<[u8; 32]>,
    /// Of the certificate that was looked at last.
    fault: Mutex<Option<CertificateFault>>,
}

impl Lenient {
    /// One who tells what `strict` would have said.
    pub(super) fn new(
        provider: Arc<CryptoProvider>,
        strict: Option<Arc<dyn ServerCertVerifier>>,
        pin: Option<[u8; 32]>,
    ) -> Self {
        Self {
            provider,
            strict,
            pin,
            fault: Mutex::new(None),
        }
    }

    /// Another one, that has not seen anything.
    pub(super) fn again(&self) -> Self {
        Self::new(Arc::clone(&self.provider), self.strict.clone(), self.pin)
    }

    pub(super) fn verdict(&self) -> Verdict {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match &*fault {
            None => Verdict::Good,
            Some(fault) => Verdict::Tolerated(fault.to_string()),
        }
    }
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let is_pinned = |pin: [u8; 32]| digest(&SHA256, end_entity).as_ref() == pin;
        if self.pin.is_some_and(|pin| !is_pinned(pin)) {
            let error = CertificateError::ApplicationVerificationFailure;
            return Err(Error::InvalidCertificate(error));
        }
        let found = self.strict.as_ref().map(|strict| {
            strict.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        });
        let fault = match found {
            None | Some(Ok(_)) => None,
            Some(Err(Error::InvalidCertificate(error))) => Some(certificate_fault(error)),
            Some(Err(error)) => Some(CertificateFault::Other(error.to_string())),
        };
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
