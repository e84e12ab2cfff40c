//! Channel binding: what ties a login to the TLS connection that it comes over.

use std::sync::Arc;

use ring::digest::{SHA256, SHA384, SHA512, digest};

use crate::wire::x509::{self, EndPointHash};

/// The `tls-server-end-point` of a certificate (RFC 5929 §4.1), when it has one.
pub(super) fn end_point(certificate: &[u8]) -> Option<Arc<[u8]>> {
    let hash = match x509::end_point_hash(certificate)? {
        EndPointHash::Sha256 => &SHA256,
        EndPointHash::Sha384 => &SHA384,
        EndPointHash::Sha512 => &SHA512,
    };
    Some(digest(hash, certificate).as_ref().into())
}
