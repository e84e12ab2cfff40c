//! TLS: when it begins, and whether the certificate of the other side has to be good.
//!
//! | | the server's certificate |
//! |---|---|
//! | `--ssl` | is not checked: so ncat does it, and scripts rely on it; with `-v` one is told about it |
//! | `--ssl-verify`, `--ssl-trustfile`, `--ca` | has to be good |
//! | `--starttls`, `--mail` and its kin | has to be good; on this machine itself, one that is not is told of and taken |
//! | `--insecure` | is not checked |
//!
//! Why: a netcat of old scripts goes on doing what it did; where passwords are typed, nobody may listen in unseen, as with
//! `mailtool send`, `pop` and `imap`. A server on the same machine cannot be stood in the way of, and the one of a
//! student who follows the first page of a manual has an authority that nothing trusts yet.

use std::ffi::OsStr;
use std::path::PathBuf;

use crate::applet::nc::complaint::Complaint;
use crate::applet::nc::flags::Id;
use crate::applet::nc::getopt::{CommandLine, Given};
use crate::proto::raw::Protocol;

/// What was asked for of TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// When it begins.
    pub begins: Begins,
    /// Whether the certificate of a server has to be good.
    pub check: Check,
    /// The authorities to trust, instead of the system's.
    pub trust_file: Option<PathBuf>,
    /// Our own certificate. A server that has none makes one.
    pub identity: Option<Identity>,
    /// Cipher suites, by OpenSSL's names, a colon between them.
    pub ciphers: Option<String>,
    /// The name to ask for and to find in the certificate, instead of the host's.
    pub server_name: Option<String>,
    /// Application protocols to offer, the best first.
    pub alpn: Vec<String>,
}

/// When TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    /// Never.
    Never,
    /// When the user has typed STARTTLS or STLS, and the server agrees: in mail mode.
    WhenAgreed,
    /// With the first octet.
    AtOnce,
    /// After the upgrade of this protocol, which is asked for without the user.
    After(Protocol),
}

/// Whether the certificate of a server has to be good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It is not looked at.
    Nothing,
    /// It has to, unless the server is on this machine.
    UnlessLoopback,
    /// It has to.
    Always,
}

/// A certificate and its private key, both files in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, and those that lead to its authority.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// Options of ncat's that mean TLS from the first octet, even without `--ssl`.
const IMPLY_TLS: [Id; 8] = [
    Id::Ssl,
    Id::SslVerify,
    Id::SslTrustFile,
    Id::SslCert,
    Id::SslKey,
    Id::SslCiphers,
    Id::SslServerName,
    Id::SslAlpn,
];

/// What makes a conversation one of mail.
const OF_MAIL: [Id; 7] = [
    Id::Mail,
    Id::Check,
    Id::Smtp,
    Id::Lmtp,
    Id::Pop3,
    Id::Imap,
    Id::Explain,
];

impl Tls {
    pub(super) fn of(line: &CommandLine) -> Result<Self, Complaint> {
        let is_mail = line.last_of(&OF_MAIL).is_some();
        let begins = match line.last(Id::StartTls) {
            Some(_) if line.has(Id::Ssl) => {
                return Err(Complaint::refused(
                    "--ssl and --starttls: TLS begins with the first octet, or with an upgrade, not both",
                ));
            }
            Some(given) => Begins::After(starttls(given)?),
            None if line.last_of(&IMPLY_TLS).is_some() => Begins::AtOnce,
            None if is_mail => Begins::WhenAgreed,
            None => Begins::Never,
        };
        if line.count(Id::SslTrustFile) > 1 {
            return Err(Complaint::refused(
                "The --ssl-trustfile option may be given only once.",
            ));
        }
        let trust_file = [Id::Ca, Id::SslTrustFile];
        let trust_file = line
            .last_of(&trust_file)
            .map(|given| PathBuf::from(&given.value));
        let wants_check = trust_file.is_some() || line.has(Id::SslVerify);
        let check = match (wants_check, line.has(Id::Insecure)) {
            (true, true) => {
                return Err(Complaint::refused(
                    "--insecure takes any certificate, but another option wants a good one",
                ));
            }
            (true, false) => Check::Always,
            (false, true) => Check::Nothing,
            (false, false) if is_mail || line.has(Id::StartTls) => Check::UnlessLoopback,
            (false, false) => Check::Nothing,
        };
        if begins == Begins::Never && (wants_check || line.has(Id::Insecure)) {
            return Err(Complaint::refused(
                "--ca and --insecure say something about TLS, but nothing asks for it: --ssl, --starttls or --mail would",
            ));
        }
        let path = |id| line.value(id).map(PathBuf::from);
        let identity = match (path(Id::SslCert), path(Id::SslKey)) {
            (Some(certificate), Some(key)) => Some(Identity { certificate, key }),
            (None, None) => None,
            _ => {
                return Err(Complaint::refused(
                    "The --ssl-key and --ssl-cert options must be used together.",
                ));
            }
        };
        let text = |id| line.value(id).map(OsStr::to_string_lossy);
        let alpn = text(Id::SslAlpn).unwrap_or_default();
        let alpn: Vec<String> = alpn.split(',').map(str::to_owned).collect();
        let offers = line.has(Id::SslAlpn);
        if offers && alpn.iter().any(|name| name.is_empty() || name.len() > 255) {
            return Err(Complaint::refused("Could not parse ALPN string"));
        }
        Ok(Self {
            begins,
            check,
            trust_file,
            identity,
            ciphers: text(Id::SslCiphers).map(Into::into),
            server_name: text(Id::SslServerName).map(Into::into),
            alpn: if offers { alpn } else { Vec::new() },
        })
    }
}

fn starttls(given: &Given) -> Result<Protocol, Complaint> {
    match given.text().to_ascii_lowercase().as_str() {
        "smtp" | "submission" => Ok(Protocol::Smtp),
        "lmtp" => Ok(Protocol::Lmtp),
        "pop3" | "pop" => Ok(Protocol::Pop3),
        "imap" => Ok(Protocol::Imap),
        "ftp" => Ok(Protocol::Ftp),
        _ => Err(Complaint::Refused(format!(
            "--starttls {}: it can upgrade smtp, lmtp, pop3, imap and ftp",
            given.text()
        ))),
    }
}
