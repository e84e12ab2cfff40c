//! The server's own certificate: made once with an authority of its own, kept, and used again. And one that is [made](generate)
//! for the moment, in memory.
//!
//! A lab imports `ca.pem` once and then trusts the server. The authority's key is thrown away as soon as it has signed the one
//! certificate: whoever steals the server's files cannot sign anything else that the lab would believe.
//!
//! The three files appear together or not at all (they are written elsewhere and renamed into place), so a crash never leaves a
//! certificate without its key.

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

use super::tls::{Acceptor, TlsError, missing_names};
use crate::wire::date::DateTime;
use crate::wire::fault::Showing;

/// The certificate in `directory`, made now for localhost, `names` and `also` if there is none yet. That one made before is not for some of
/// `names` is told; addresses come and go.
///
/// # Errors
/// Files are missing or unusable; the error names them and says what to do.
pub fn ensure(directory: &Path, names: &[String], also: &[String]) -> Result<Acceptor, CertError> {
    let [ca, certificate, key] = FILES.map(|name| directory.join(name));
    let there = [&ca, &certificate, &key].map(|path| path.exists());
    if there == [false; 3] {
        make(directory, &[names, also].concat())?;
    }
    let acceptor = load(&certificate, &key)?;
    let missing = missing_names(&read(&certificate)?, names).unwrap_or_default();
    if !missing.is_empty() {
        log::warn!(
            "the certificate {} is not for {}; remove {} to have a new one made, and import its ca.pem again",
            certificate.display(),
            missing.join(", "),
            directory.display()
        );
    }
    Ok(acceptor)
}

/// The user's own certificate chain and key, PEM files.
///
/// # Errors
/// A file cannot be read, or is not what it should be, or they do not belong together.
pub fn load(certificate: &Path, key: &Path) -> Result<Acceptor, CertError> {
    Acceptor::new(&read(certificate)?, &read(key)?).map_err(|fault| CertError::Unusable {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        fault,
    })
}

/// A certificate for `names` that nobody has signed but itself, and its key, both PEM texts: for one run of a program whose
/// clients do not look at it, or are shown its fingerprint.
///
/// # Errors
/// No certificate can be for these names.
pub fn generate(names: &[String]) -> Result<(String, String), CertError> {
    let subject = names.first().map_or("localhost", String::as_str);
    let mut params = params(names.to_vec(), subject)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// A certificate that something is wrong with, for lessons: of the authority in `directory`, if it was made there, so that a client
/// that trusts it finds just that fault; else signed by itself.
///
/// # Errors
/// As [`load`] and [`generate`].
pub fn faulty(
    showing: Showing,
    directory: Option<&Path>,
    names: &[String],
) -> Result<Acceptor, CertError> {
    if matches!(showing, Showing::Failing | Showing::Itself) {
        return Acceptor::failing().map_err(|fault| CertError::Make(fault.to_string()));
    }
    let name = MISFITS.iter().find(|(_, misfit)| *misfit == showing);
    let place = directory.and_then(|directory| {
        let chain = directory.join(name?.0);
        chain.exists().then(|| (chain, directory.join(FILES[2])))
    });
    if let Some((chain, key)) = place {
        return load(&chain, &key);
    }
    let key = KeyPair::generate()?;
    let certificate = match showing {
        Showing::SelfSigned => server(names)?,
        other => misfit(other, names)?,
    };
    let chain = certificate.self_signed(&key)?.pem();
    let made = Acceptor::new(chain.as_bytes(), key.serialize_pem().as_bytes());
    made.map_err(|fault| CertError::Make(fault.to_string()))
}

/// Why there is no certificate to serve TLS with.
#[derive(Debug)]
pub enum CertError {
    /// A file cannot be read or written.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The files are not what they should be.
    Unusable {
        /// The certificate chain.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
        /// What is wrong, and what to do.
        fault: TlsError,
    },
    /// A certificate for these names cannot be made.
    Make(String),
}

impl fmt::Display for CertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Unusable {
                certificate,
                key,
                fault,
            } => write!(
                f,
                "the certificate {} with the key {}: {fault}",
                certificate.display(),
                key.display()
            ),
            Self::Make(what) => write!(f, "cannot make a certificate: {what}"),
        }
    }
}

// Its text says why already: a source would have it said twice.
impl std::error::Error for CertError {}

impl From<rcgen::Error> for CertError {
    fn from(error: rcgen::Error) -> Self {
        Self::Make(error.to_string())
    }
}

/// The authority's certificate, the server's, and the server's key.
const FILES: [&str; 3] = ["ca.pem", "cert.pem", "key.pem"];
/// Chains of the same authority for the same key, which nobody should take: see [`faulty`].
const MISFITS: [(&str, Showing); 2] = [
    ("expired.pem", Showing::Expired),
    ("other-name.pem", Showing::OtherName),
];
/// The name that no server has (RFC 6761 §6.4).
const NOBODY: &str = "nobody.invalid";
/// How long both are valid. There is no key left to renew the second one with.
const YEARS: i32 = 10;

fn make(directory: &Path, names: &[String]) -> Result<(), CertError> {
    let (texts, misfits) = generate_with_authority(names)?;
    let scratch = directory.with_extension(format!("new-{}", std::process::id()));
    let result = write_all(&scratch, &texts, &misfits).and_then(|()| {
        // Takes the place of an empty directory; one with anything in it is not ours to replace.
        at(directory, fs::rename(&scratch, directory))
    });
    if result.is_err() {
        fs::remove_dir_all(&scratch).ok();
    }
    result
}

fn generate_with_authority(names: &[String]) -> Result<([String; 3], [String; 2]), CertError> {
    let mut ca = params(Vec::new(), "mailtool CA")?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;

    let key = KeyPair::generate()?;
    // The chain holds the authority too, so that a client that shows it lets its user compare and import it.
    let chain = |mut params: CertificateParams| {
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &ca)?;
        Ok::<String, CertError>(certificate.pem() + &ca.pem())
    };
    let misfits = [
        chain(misfit(Showing::Expired, names)?)?,
        chain(misfit(Showing::OtherName, names)?)?,
    ];
    let good = chain(server(names)?)?;
    Ok(([ca.pem(), good, key.serialize_pem()], misfits))
}

/// A server's, for localhost and `names`.
fn server(names: &[String]) -> Result<CertificateParams, CertError> {
    let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    for name in names {
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    let subject = names.first().map_or("localhost", String::as_str);
    let mut server = params(all, subject)?;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(server)
}

/// One that something is wrong with.
fn misfit(showing: Showing, names: &[String]) -> Result<CertificateParams, CertError> {
    if showing == Showing::OtherName {
        return server_named(NOBODY);
    }
    let mut expired = server(names)?;
    expired.not_before = date_time_ymd(2010, 1, 1);
    expired.not_after = date_time_ymd(2011, 1, 1);
    Ok(expired)
}

fn server_named(name: &str) -> Result<CertificateParams, CertError> {
    let mut server = params(vec![name.to_owned()], name)?;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(server)
}

fn params(names: Vec<String>, subject: &str) -> Result<CertificateParams, CertError> {
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::OrganizationName, "mailtool");
    params.distinguished_name.push(DnType::CommonName, subject);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs().cast_signed());
    let year = i32::from(DateTime::utc(now).date().year());
    // From the first of last year's last month: clocks of lab machines are often wrong.
    params.not_before = date_time_ymd(year - 1, 12, 1);
    params.not_after = date_time_ymd(year + YEARS, 12, 31);
    Ok(params)
}

fn write_all(
    directory: &Path,
    texts: &[String; 3],
    misfits: &[String; 2],
) -> Result<(), CertError> {
    if let Some(parent) = directory.parent() {
        at(parent, fs::create_dir_all(parent))?;
    }
    at(directory, DirBuilder::new().mode(0o755).create(directory))?;
    let misfits = MISFITS.iter().map(|(name, _)| name).zip(misfits);
    for (name, text) in FILES.iter().zip(texts).chain(misfits) {
        let path = directory.join(name);
        let mode = if *name == "key.pem" { 0o600 } else { 0o644 };
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        at(&path, write())?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, CertError> {
    at(path, fs::read(path))
}

fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, CertError> {
    result.map_err(|source| CertError::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn it_is_made_once_and_its_key_is_private() {
        let parent = tempfile::tempdir().expect("a directory");
        let directory = parent.path().join("store/tls");
        let wanted = names(&["mail.example.org", "localhost"]);
        ensure(&directory, &wanted, &[]).expect("a certificate");
        let before = FILES.map(|name| fs::read(directory.join(name)).expect("a file"));
        let key = fs::metadata(directory.join("key.pem")).expect("a key");
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
        ensure(&directory, &wanted, &[]).expect("the same certificate");
        let after = FILES.map(|name| fs::read(directory.join(name)).expect("a file"));
        assert!(before == after);
        let missing = missing_names(&before[1], &names(&["::1", "other.example"]));
        assert_eq!(missing, Ok(names(&["other.example"])));
        let left: Vec<_> = fs::read_dir(parent.path().join("store"))
            .expect("a directory")
            .collect();
        assert_eq!(left.len(), 1, "no scratch directory is left: {left:?}");
    }

    #[test]
    fn it_is_for_addresses_too() {
        let parent = tempfile::tempdir().expect("a directory");
        let directory = parent.path().join("tls");
        let also = names(&["10.0.0.7", "192.0.2.1"]);
        ensure(&directory, &names(&["lab.example"]), &also).expect("a certificate");
        let made = fs::read(directory.join("cert.pem")).expect("a file");
        let asked = names(&["10.0.0.7", "lab.example", "10.0.0.8", "192.0.2.1"]);
        assert_eq!(missing_names(&made, &asked), Ok(names(&["10.0.0.8"])));
    }

    #[test]
    fn what_does_not_belong_together_is_told() {
        let parent = tempfile::tempdir().expect("a directory");
        let [one, two] = ["one", "two"].map(|name| parent.path().join(name));
        ensure(&one, &[], &[]).expect("a certificate");
        ensure(&two, &[], &[]).expect("a certificate");
        let said = |certificate: &Path, key: &Path| match load(certificate, key) {
            Ok(_) => panic!("{} with {}", certificate.display(), key.display()),
            Err(error) => error.to_string(),
        };
        let error = said(&one.join("cert.pem"), &two.join("key.pem"));
        assert!(
            error.contains("give the pair that was made together"),
            "{error}"
        );
        let error = said(&one.join("key.pem"), &one.join("key.pem"));
        assert!(error.contains("BEGIN CERTIFICATE"), "{error}");
        let error = said(&one.join("cert.pem"), &one.join("cert.pem"));
        assert!(error.contains("BEGIN PRIVATE KEY"), "{error}");
        let error = said(&one.join("nothing.pem"), &one.join("key.pem"));
        assert!(error.contains("nothing.pem: No such file"), "{error}");
    }

    #[test]
    fn one_for_the_moment_is_for_its_names() {
        let (chain, key) = generate(&names(&["mail.example.org", "192.0.2.1"])).expect("names");
        Acceptor::new(chain.as_bytes(), key.as_bytes()).expect("they belong together");
        let asked = names(&["mail.example.org", "192.0.2.1", "localhost"]);
        let missing = missing_names(chain.as_bytes(), &asked);
        assert_eq!(missing, Ok(names(&["localhost"])));
        assert!(
            generate(&names(&["ü"])).is_err(),
            "no certificate can have it"
        );
    }

    #[test]
    fn half_of_it_is_never_replaced() {
        let parent = tempfile::tempdir().expect("a directory");
        let directory = parent.path().join("tls");
        ensure(&directory, &[], &[]).expect("a certificate");
        fs::remove_file(directory.join("key.pem")).expect("a file");
        let Err(error) = ensure(&directory, &[], &[]) else {
            panic!("there is no key");
        };
        assert!(error.to_string().contains("key.pem"), "{error}");
    }
}
