//! Certificates and keys in text. The only use of the PEM crate.

use std::io;

use rustls::Error;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::TlsError;

/// The certificates in a PEM text, one at least.
pub(super) fn certificates(mut pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
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

/// The first private key in a PEM text.
pub(super) fn private_key(mut pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
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

/// Why a chain and its key cannot be used.
pub(super) fn fault(error: &Error) -> String {
    match error {
        Error::InconsistentKeys(_) => {
            "the key is not the key of the (first) certificate; give the pair that was made together".to_owned()
        }
        error => format!("the certificate and its key cannot be used: {error}"),
    }
}
