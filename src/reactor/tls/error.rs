//! Why there is no TLS, in words for a person.

use std::fmt;

/// Why TLS did not come about, or broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsError {
    /// A certificate or key file is not what it should be: what to do.
    Pem(String),
    /// The authorities that a client or a server was given cannot be read as such: which, and why.
    Authorities(String),
    /// A list of cipher suites leaves none: what there are.
    Ciphers(String),
    /// The server's certificate is not to be trusted.
    Certificate {
        /// Which server was meant.
        host: String,
        /// What is wrong with it.
        fault: CertificateFault,
    },
    /// The peer broke the protocol, or said that we did.
    Broken(String),
}

/// What is wrong with a server's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateFault {
    /// No authority that is trusted here has signed it.
    UnknownIssuer,
    /// It is for other names, as far as they are known.
    WrongName(Vec<String>),
    /// Its time is over, or has not come.
    Time,
    /// It is an authority's own, which may sign others but stand for no server (RFC 5280 §4.2.1.9).
    OfAuthority,
    /// Anything else, in a few words.
    Other(String),
}

/// A few words, for a line that has the host in it already.
impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownIssuer => f.write_str("nobody who is trusted here has signed it"),
            Self::WrongName(names) if names.is_empty() => f.write_str("it is for no name"),
            Self::WrongName(names) => write!(f, "it is for {}", names.join(", ")),
            Self::Time => f.write_str("it has expired or is not valid yet"),
            Self::OfAuthority => f.write_str("it is an authority's own"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(what)
            | Self::Authorities(what)
            | Self::Ciphers(what)
            | Self::Broken(what) => f.write_str(what),
            Self::Certificate { host, fault } => match fault {
                CertificateFault::UnknownIssuer => write!(
                    f,
                    "nobody who is trusted here has signed the certificate of {host}"
                ),
                CertificateFault::WrongName(names) if names.is_empty() => write!(
                    f,
                    "the certificate is not for the name {host}, nor for any other: it has no subjectAltName, and \
                     its CN does not count"
                ),
                CertificateFault::WrongName(names) => write!(
                    f,
                    "the certificate is not for the name {host} but for {}; use one of these names",
                    names.join(", ")
                ),
                CertificateFault::Time => write!(
                    f,
                    "the certificate of {host} has expired or is not valid yet; look at this machine's clock, then ask \
                     whoever runs the server to renew it"
                ),
                CertificateFault::OfAuthority => write!(
                    f,
                    "the certificate of {host} is one of an authority (CA:TRUE), which may sign others but not stand \
                     for a server; `openssl req -x509` makes one for a server with -addext \
                     basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:{host}"
                ),
                CertificateFault::Other(what) => {
                    write!(f, "the certificate of {host} is not acceptable: {what}")
                }
            },
        }
    }
}

impl std::error::Error for TlsError {}
