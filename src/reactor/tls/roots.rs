//! The authorities of the web, for machines that know none: those that Mozilla trusts, as the crate webpki-roots has them. The build
//! script packs them, as most machines know some themselves.

use miniz_oxide::inflate::decompress_to_vec;
use rustls::pki_types::{Der, TrustAnchor};

/// All of them.
pub(super) fn of_the_web() -> Vec<TrustAnchor<'static>> {
    // What the build script packed unpacks.
    let octets = decompress_to_vec(include_bytes!(concat!(env!("OUT_DIR"), "/roots")));
    let octets = octets.unwrap_or_default();
    let mut rest = &octets[..];
    // Each field has its octets (2) before it.
    let mut field = || {
        let (length, after) = rest.split_first_chunk()?;
        let (field, after) = after.split_at_checked(u16::from_le_bytes(*length).into())?;
        rest = after;
        Some(Der::from(field.to_vec()))
    };
    std::iter::from_fn(|| {
        Some(TrustAnchor {
            subject: field()?,
            subject_public_key_info: field()?,
            // None is an empty one, which no certificate has.
            name_constraints: field().filter(|constraints| !constraints.is_empty()),
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_those_of_the_crate() {
        assert!(webpki_roots::TLS_SERVER_ROOTS.len() > 50);
        assert_eq!(of_the_web(), webpki_roots::TLS_SERVER_ROOTS);
    }
}
