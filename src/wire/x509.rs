//! Who an X.509 certificate says it is for, who made it, and what its key is for; nothing else of it.
//!
//! Whether it is to be trusted is not decided here. The certificate is what a peer sent: it may be anything, and may say anything
//! about itself.
//!
//! RFC 5280 §4.1 (the certificate), §4.1.2.4 (names), §4.2.1.3 and §4.2.1.12 (usages); X.690 (DER).

use std::fmt;

use super::date;

/// The names in a certificate, and its time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Whom it is for.
    pub subject: Name,
    /// Who signed it.
    pub issuer: Name,
    /// From when until when it is good, in seconds since 1970, where that can be read.
    pub validity: Option<(i64, i64)>,
}

/// A distinguished name: attributes in the order in which they are in the certificate, such as `("O", "Example")`. Values are
/// text as the peer wrote it; [`Display`](fmt::Display) shows them fit for a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name(pub Vec<(String, String)>);

impl Name {
    /// The name of the organisation, if there is one.
    pub fn organization(&self) -> Option<&str> {
        self.value("O")
    }

    /// The common name, if there is one.
    pub fn common_name(&self) -> Option<&str> {
        self.value("CN")
    }

    fn value(&self, wanted: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(attribute, _)| attribute == wanted)?;
        Some(value)
    }
}

/// `C=FR, O=Example, CN=mail.example.org`
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (attribute, value)) in self.0.iter().enumerate() {
            let before = if index == 0 { "" } else { ", " };
            write!(f, "{before}{attribute}=")?;
            for letter in value.chars() {
                // RFC 4514 §2.4: escaped as a backslash and two digits for each octet.
                if letter.is_control() {
                    for octet in letter.encode_utf8(&mut [0; 4]).bytes() {
                        write!(f, "\\{octet:02X}")?;
                    }
                } else {
                    write!(f, "{letter}")?;
                }
            }
        }
        Ok(())
    }
}

/// A digest as netcats and people write it.
///
/// ```
/// assert_eq!(mailtool::wire::x509::fingerprint(&[0xab, 0x12, 0xcd]), "AB12 CD");
/// ```
pub fn fingerprint(digest: &[u8]) -> String {
    let mut text = String::with_capacity(digest.len() * 5 / 2);
    for (index, octet) in digest.iter().enumerate() {
        if index > 0 && index % 2 == 0 {
            text.push(' ');
        }
        text.push_str(&format!("{octet:02X}"));
    }
    text
}

/// The names in a DER certificate; `None` if it is none.
///
/// ```
/// use mailtool::wire::x509::names;
///
/// assert_eq!(names(b"certificate"), None);
/// ```
pub fn names(certificate: &[u8]) -> Option<Names> {
    let mut certificate = Der(Der(certificate).value(SEQUENCE)?);
    let mut to_be_signed = Der(certificate.value(SEQUENCE)?);
    if to_be_signed.tag() == Some(VERSION) {
        to_be_signed.value(VERSION)?;
    }
    to_be_signed.value(INTEGER)?;
    to_be_signed.value(SEQUENCE)?;
    let issuer = name(to_be_signed.value(SEQUENCE)?)?;
    let validity = validity(to_be_signed.value(SEQUENCE)?);
    let subject = name(to_be_signed.value(SEQUENCE)?)?;
    Some(Names {
        subject,
        issuer,
        validity,
    })
}

/// RFC 5280 §4.1.2.5
fn validity(octets: &[u8]) -> Option<(i64, i64)> {
    let mut times = Der(octets);
    let mut time = || {
        let (tag, text) = times.next()?;
        let text = std::str::from_utf8(text)
            .ok()
            .filter(|text| text.is_ascii())?;
        // Two digits are a year from 1950 to 2049.
        let century = match tag {
            UTC_TIME if text < "5" => "20",
            UTC_TIME => "19",
            _ => "",
        };
        let all = format!("{century}{text}");
        let part = |at: usize| all.get(at..at + 2);
        date::from_internet(&format!(
            "{}{}-{}-{}T{}:{}:{}Z",
            part(0)?,
            part(2)?,
            part(4)?,
            part(6)?,
            part(8)?,
            part(10)?,
            part(12)?
        ))
    };
    Some((time()?, time()?))
}

/// What a certificate is shown for in TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A server.
    Server,
    /// A client.
    Client,
}

/// Whether the key of a DER certificate may be used so: where the certificate says what it is for, it has to sign (RFC 8446
/// §4.4.2.2), and this has to be named. Not so of what is no certificate.
///
/// ```
/// use mailtool::wire::x509::{Purpose, is_for};
///
/// assert!(!is_for(b"certificate", Purpose::Client));
/// ```
pub fn is_for(certificate: &[u8], purpose: Purpose) -> bool {
    says_it_is_for(certificate, purpose) == Some(true)
}

fn says_it_is_for(certificate: &[u8], purpose: Purpose) -> Option<bool> {
    let mut certificate = Der(Der(certificate).value(SEQUENCE)?);
    let mut to_be_signed = Der(certificate.value(SEQUENCE)?);
    while !to_be_signed.0.is_empty() {
        let (tag, value) = to_be_signed.next()?;
        if tag != EXTENSIONS {
            continue;
        }
        let mut extensions = Der(Der(value).value(SEQUENCE)?);
        while !extensions.0.is_empty() {
            let mut extension = Der(extensions.value(SEQUENCE)?);
            let object = extension.value(OBJECT)?;
            if extension.tag() == Some(BOOLEAN) {
                extension.next()?;
            }
            let mut value = Der(extension.value(OCTET_STRING)?);
            let fits = match object {
                // The first octet counts the bits that are none.
                KEY_USAGE => {
                    matches!(value.value(BIT_STRING)?, [_, bits, ..] if bits & DIGITAL_SIGNATURE != 0)
                }
                EXTENDED_KEY_USAGE => {
                    let mut named = Der(value.value(SEQUENCE)?);
                    let mut found = false;
                    while !named.0.is_empty() {
                        found |= named.value(OBJECT)? == purpose.object();
                    }
                    found
                }
                _ => true,
            };
            if !fits {
                return Some(false);
            }
        }
    }
    Some(true)
}

impl Purpose {
    /// RFC 5280 §4.2.1.12: id-kp-serverAuth, id-kp-clientAuth
    const fn object(self) -> &'static [u8] {
        match self {
            Self::Server => &[0x2b, 6, 1, 5, 5, 7, 3, 1],
            Self::Client => &[0x2b, 6, 1, 5, 5, 7, 3, 2],
        }
    }
}

/// 2.5.29.15
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
/// Its first bit.
const DIGITAL_SIGNATURE: u8 = 0x80;
/// 2.5.29.37
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];

/// The hash that stands for a certificate where something is bound to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndPointHash {
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

/// Which hash makes the `tls-server-end-point` of a DER certificate (RFC 5929 §4.1): that of its signature, and SHA-256 where
/// that is weaker. `None` for signatures that have no hash of their own, and for what is no certificate.
pub fn end_point_hash(certificate: &[u8]) -> Option<EndPointHash> {
    let mut certificate = Der(Der(certificate).value(SEQUENCE)?);
    certificate.value(SEQUENCE)?;
    let algorithm = Der(certificate.value(SEQUENCE)?).value(OBJECT)?;
    match algorithm.strip_prefix(RSA) {
        // With MD5, SHA-1, SHA-256.
        Some([4 | 5 | 11]) => return Some(EndPointHash::Sha256),
        Some([12]) => return Some(EndPointHash::Sha384),
        Some([13]) => return Some(EndPointHash::Sha512),
        Some(_) => return None,
        None => {}
    }
    match algorithm.strip_prefix(ECDSA)? {
        [1] | [3, 2] => Some(EndPointHash::Sha256),
        [3, 3] => Some(EndPointHash::Sha384),
        [3, 4] => Some(EndPointHash::Sha512),
        _ => None,
    }
}

/// 1.2.840.113549.1.1 (RFC 8017, appendix A.2.4)
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
/// 1.2.840.10045.4 (RFC 5758 §3.2)
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4];

/// Name ::= SEQUENCE OF SET OF SEQUENCE { type, value }
fn name(sets: &[u8]) -> Option<Name> {
    let mut attributes = Vec::new();
    let mut sets = Der(sets);
    while !sets.0.is_empty() {
        let mut set = Der(sets.value(SET)?);
        while !set.0.is_empty() {
            let mut pair = Der(set.value(SEQUENCE)?);
            let attribute = attribute(pair.value(OBJECT)?);
            let (tag, value) = pair.next()?;
            attributes.push((attribute, text(tag, value)));
        }
    }
    Some(Name(attributes))
}

/// The short name of an attribute; its numbers where it has none.
fn attribute(object: &[u8]) -> String {
    let known = ATTRIBUTES.iter().find(|(octets, _)| *octets == object);
    known.map_or_else(|| numbers(object), |(_, name)| (*name).to_owned())
}

/// RFC 4519 §2 and RFC 2985 §5.2.1, as OpenSSL abbreviates them.
const ATTRIBUTES: [(&[u8], &str); 14] = [
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 4], "SN"),
    (&[0x55, 4, 5], "serialNumber"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 9], "street"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x55, 4, 12], "title"),
    (&[0x55, 4, 42], "GN"),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1],
        "emailAddress",
    ),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1],
        "UID",
    ),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25],
        "DC",
    ),
];

/// `2.5.4.17`: X.690 §8.19; numbers that are too long count modulo 2^32, as nobody has any.
fn numbers(object: &[u8]) -> String {
    let mut text = String::new();
    let mut number = 0_u32;
    for octet in object {
        number = number << 7 | u32::from(octet & 0x7f);
        if octet & 0x80 != 0 {
            continue;
        }
        if text.is_empty() {
            let first = (number / 40).min(2);
            text = format!("{first}.{}", number - 40 * first);
        } else {
            text.push_str(&format!(".{number}"));
        }
        number = 0;
    }
    text
}

/// A string of any of the kinds that RFC 5280 §4.1.2.4 knows.
fn text(tag: u8, value: &[u8]) -> String {
    match tag {
        BMP_STRING => {
            let (units, _) = value.as_chunks::<2>();
            let units: Vec<u16> = units.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
            String::from_utf16_lossy(&units)
        }
        UNIVERSAL_STRING => {
            let (letters, _) = value.as_chunks::<4>();
            let letter = |letter: &[u8; 4]| char::from_u32(u32::from_be_bytes(*letter));
            let letters = letters.iter().map(letter);
            letters
                .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
        // QUIRK: it is of Teletex by name, and of ISO 8859-1 in every certificate.
        TELETEX_STRING => value.iter().map(|octet| char::from(*octet)).collect(),
        _ => String::from_utf8_lossy(value).into_owned(),
    }
}

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT: u8 = 0x06;
const TELETEX_STRING: u8 = 0x14;
const UTC_TIME: u8 = 0x17;
const UNIVERSAL_STRING: u8 = 0x1c;
const BMP_STRING: u8 = 0x1e;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// Values one behind the other.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next value, which must have this tag.
    fn value(&mut self, wanted: u8) -> Option<&'a [u8]> {
        let (tag, value) = self.next()?;
        (tag == wanted).then_some(value)
    }

    /// X.690 §8.1: tag, length, value. Certificates have no tags of more than one octet.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, first], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match first {
            0..=0x7f => (first.into(), rest),
            // 0x80 stands for a length that is not known: that is not DER.
            0x81..=0x84 => {
                let (octets, rest) = rest.split_at_checked(usize::from(first) - 0x80)?;
                let length = octets
                    .iter()
                    .fold(0, |length, octet| length << 8 | usize::from(*octet));
                (length, rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rcgen::{
        CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, KeyPair,
        KeyUsagePurpose,
    };

    fn certificate() -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["mail.example".to_owned()]).expect("a name");
        params.distinguished_name = DistinguishedName::new();
        let name = &mut params.distinguished_name;
        name.push(DnType::CountryName, "FR");
        let bmp = "Éxample\n".try_into().expect("letters");
        name.push(DnType::OrganizationName, DnValue::BmpString(bmp));
        name.push(DnType::CustomDnType(vec![2, 5, 4, 300]), "x");
        name.push(DnType::CommonName, "mail.example");
        let key = KeyPair::generate().expect("a key");
        params
            .self_signed(&key)
            .expect("a certificate")
            .der()
            .to_vec()
    }

    #[test]
    fn both_names_are_found() {
        let names = names(&certificate()).expect("it is a certificate");
        assert_eq!(names.subject.organization(), Some("Éxample\n"));
        assert_eq!(names.subject.common_name(), Some("mail.example"));
        assert_eq!(names.issuer, names.subject);
        let shown = names.subject.to_string();
        assert_eq!(shown, "C=FR, O=Éxample\\0A, 2.5.4.300=x, CN=mail.example");
        assert_eq!(Name::default().organization(), None);
    }

    #[test]
    fn a_key_is_for_what_its_certificate_names_or_for_anything() {
        use ExtendedKeyUsagePurpose::{Any, ClientAuth, EmailProtection, ServerAuth};
        use KeyUsagePurpose::{CrlSign, DigitalSignature, KeyAgreement, KeyCertSign};
        let key = KeyPair::generate().expect("a key");
        let may = |usages: &[KeyUsagePurpose], named: &[ExtendedKeyUsagePurpose]| {
            let mut params = CertificateParams::new(Vec::new()).expect("no name");
            params.key_usages = usages.to_vec();
            params.extended_key_usages = named.to_vec();
            let made = params.self_signed(&key).expect("a certificate");
            [Purpose::Server, Purpose::Client].map(|purpose| is_for(made.der(), purpose))
        };
        assert_eq!(may(&[], &[]), [true, true]);
        assert_eq!(may(&[DigitalSignature], &[]), [true, true]);
        assert_eq!(may(&[KeyCertSign, DigitalSignature], &[]), [true, true]);
        assert_eq!(may(&[KeyCertSign, CrlSign], &[]), [false, false]);
        assert_eq!(may(&[KeyAgreement], &[ClientAuth]), [false, false]);
        assert_eq!(may(&[], &[ServerAuth]), [true, false]);
        assert_eq!(may(&[], &[EmailProtection, ClientAuth]), [false, true]);
        assert_eq!(may(&[], &[ServerAuth, ClientAuth]), [true, true]);
        assert_eq!(may(&[], &[Any]), [false, false], "as OpenSSL and webpki");
        let whole = certificate();
        let there = (0..whole.len()).find(|end| is_for(&whole[..*end], Purpose::Server));
        assert_eq!(there, None, "part of one is none");
    }

    #[test]
    fn part_of_a_certificate_is_none_until_its_names_are_whole() {
        let whole = certificate();
        let there = (0..whole.len()).find(|end| names(&whole[..*end]).is_some());
        assert_eq!(there, None, "the outermost length tells");
    }

    proptest! {
        #[test]
        fn anything_can_come(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            names(&octets);
            is_for(&octets, Purpose::Client);
        }

        #[test]
        fn a_certificate_may_be_changed_anywhere(changes in prop::collection::vec((0_usize..600, any::<u8>()), 1..4)) {
            let mut octets = CERTIFICATE.with(Clone::clone);
            for (at, octet) in changes {
                let at = at % octets.len();
                octets[at] = octet;
            }
            is_for(&octets, Purpose::Server);
            if let Some(names) = names(&octets) {
                let _ = names.subject.to_string();
            }
        }
    }

    thread_local! {
        static CERTIFICATE: Vec<u8> = certificate();
    }
}
