//! What was agreed on in a handshake, and with whom.

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use rustls::{CommonState, ProtocolVersion};

use crate::proto::{PeerCertificate, TlsInfo, Verdict};
use crate::wire::x509;

use super::TlsError;
use super::binding::end_point;
use super::pem::certificates;
use super::settings::Judge;

/// Of a connection whose handshake is done.
pub(super) fn of(state: &CommonState, judge: &Judge) -> TlsInfo {
    let version = state.protocol_version();
    let cipher = state.negotiated_cipher_suite();
    let certificates = state.peer_certificates().unwrap_or_default();
    TlsInfo {
        version: match version {
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
            _ => "TLS",
        },
        cipher: cipher
            .and_then(|suite| suite.suite().as_str())
            .unwrap_or("unknown cipher"),
        alpn: state
            .alpn_protocol()
            .map(|name| String::from_utf8_lossy(name).into_owned()),
        verdict: match certificates {
            [] => Verdict::Unchecked,
            _ => judge.verdict(),
        },
        peer: certificates.first().map(|first| Box::new(peer(first))),
        end_point: match judge {
            Judge::Own(own) => own.as_deref().map(Into::into),
            _ => certificates
                .first()
                .and_then(|first| end_point(first))
                .map(|end_point| end_point.as_ref().into()),
        },
    }
}

/// What the first certificate of a PEM text says.
///
/// # Errors
/// [`TlsError::Pem`]: there is none.
pub fn certificate_of(chain: &[u8]) -> Result<PeerCertificate, TlsError> {
    let chain = certificates(chain)?;
    Ok(peer(chain.first().map_or(&[][..], |first| first)))
}

fn peer(certificate: &[u8]) -> PeerCertificate {
    let mut peer = PeerCertificate {
        names: x509::names(certificate).unwrap_or_default(),
        ..PeerCertificate::default()
    };
    // Not for security: people compare what two programs show, and netcats show SHA-1.
    let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate);
    peer.sha1.copy_from_slice(sha1.as_ref());
    peer.sha256
        .copy_from_slice(digest(&SHA256, certificate).as_ref());
    peer
}
