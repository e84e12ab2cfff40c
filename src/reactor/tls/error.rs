//! Why there is no TLS, in words for a person.

use std::fmt;

/// Why TLS did not come about, or broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsError {
    /// A certificate or key file is not what it should be: what to do.
    Pem(String),
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
    /// Anything else, in a few words.
    Other(String),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(what) | Self::Broken(what) => f.write_str(what),
            Self::Certificate { host, fault } => match fault {
                CertificateFault::UnknownIssuer => write!(
                    f,
                    "nobody who is trusted here has signed the certificate of {host}; if it is a mailtool server, give \
                     its CA file (tls/ca.pem in its store), else the file of the authority that {host} uses"
                ),
                CertificateFault::WrongName(names) if names.is_empty() => write!(
                    f,
                    "the certificate is not for the name {host}; use the name that it is for"
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
                CertificateFault::Other(what) => {
                    write!(f, "the certificate of {host} is not acceptable: {what}")
                }
            },
        }
    }
}

impl std::error::Error for TlsError {}
