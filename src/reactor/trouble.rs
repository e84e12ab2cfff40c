//! Why a connection ended otherwise than by a goodbye.

use std::fmt;
use std::io;

use super::tls::TlsError;
use crate::wire::proxy_header::ProxyError;

/// Why a connection ended otherwise than by a goodbye.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The socket.
    Io(io::Error),
    /// TLS could not be agreed on, or was broken.
    Tls(TlsError),
    /// The peer went away in the middle of the TLS handshake.
    LostInHandshake,
    /// What came first is no header of a load balancer.
    Header(ProxyError),
    /// This many octets came in the clear after the command that starts TLS (RFC 3207 §6).
    Injection(usize),
    /// What came is not what COMPRESS=DEFLATE makes (RFC 4978).
    Damaged,
    /// A file that was being sent is shorter than it was.
    Shortened,
    /// The peer took too long: for what.
    Late(&'static str),
    /// A job panicked, or could not be started.
    NoAnswer,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => f.write_str(&reason(error)),
            Self::Tls(error) => write!(f, "TLS: {error}"),
            Self::LostInHandshake => {
                f.write_str("TLS: the other side closed in the middle of the handshake")
            }
            Self::Header(error) => write!(f, "closed: {error}"),
            Self::Injection(octets) => write!(
                f,
                "closed: {octets} octets came in the clear where TLS was to begin (RFC 3207 section 6)"
            ),
            Self::Damaged => f.write_str(
                "closed: what the other side sent is not compressed with DEFLATE (RFC 4978)",
            ),
            Self::Shortened => f.write_str("closed: a file that was being sent became shorter"),
            Self::Late(what) => write!(f, "closed: the other side took too long for {what}"),
            Self::NoAnswer => f.write_str("closed: a job failed badly; this is a bug in mailtool"),
        }
    }
}

/// What errno says, without Rust's `(os error 111)`.
pub fn reason(error: &io::Error) -> String {
    let mut text = error.to_string();
    if let Some(end) = text.rfind(" (os error ") {
        text.truncate(end);
    }
    text
}

impl From<TlsError> for Trouble {
    fn from(error: TlsError) -> Self {
        Self::Tls(error)
    }
}
