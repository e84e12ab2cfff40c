//! All that is said on stderr while it runs, in the words of each dialect: scripts look for them.
//!
//! Who has something to tell makes a [`Note`] or a [`Complaint`]; [`Words`] knows whose words are spoken, whether `-v` asks for
//! this one, and how addresses look:
//!
//! | | openbsd | ncat | traditional |
//! |---|---|---|---|
//! | an address | `NAME PORT` | `ADDRESS:PORT`, `[ADDRESS]:PORT` | `NAME [ADDRESS] PORT (SERVICE)`, `(UNKNOWN)` and `(?)` where there is none |
//! | a line begins with | `nc: ` if it is an error | `Ncat: ` | nothing |
//! | a call that failed | with `-v` | always; with `-z`, with `-v` | one port: always; several: with `-vv` |
//!
//! The texts were read off nc.openbsd 1.219-1, ncat 7.93 and netcat-traditional 1.10-47; where ncat 7.94 or later says
//! something better, it is that, and the test beside it tells. What none of them says is in plain words, after the
//! dialect's own beginning of a line.

mod notes;

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use super::complaint::Complaint;
use super::dialect::Dialect;
use super::help;
use super::options::Names;
use crate::proto::raw::Role;
use crate::reactor::sockets::UnixName;
use crate::reactor::{CertificateFault, resolver};

pub use self::notes::{Handshake, Local, Note, Peer, Rest, Totals, Way, WhyNot};

/// Whose words are spoken, and how much is told.
#[derive(Clone, Debug)]
pub struct Words {
    /// Whose.
    pub dialect: Dialect,
    /// The name that it was called by.
    pub called: String,
    /// How often `-v` was given.
    pub verbose: usize,
    /// Whether names are looked up, and so shown beside addresses.
    pub names: Names,
    /// What a call is for.
    pub calls: Calls,
}

/// What calls are for: it decides whether one that failed is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// To talk, at one port.
    One,
    /// To talk, at several ports.
    Several,
    /// To see whether somebody listens at one port.
    Probe,
    /// The same at several ports.
    Scan,
}

impl Words {
    /// What there is to say of it, with its line ends; nothing where this dialect does not, or `-v` was not given often enough.
    pub fn note(&self, note: &Note<'_>) -> Option<String> {
        let told = match self.dialect {
            Dialect::OpenBsd => self.openbsd(note),
            Dialect::Ncat => self.ncat(note),
            Dialect::Traditional => self.traditional(note),
        };
        told.or_else(|| self.of_nobody(note))
    }

    fn openbsd(&self, note: &Note<'_>) -> Option<String> {
        if let Note::CallFailed {
            host,
            peer,
            carrier,
            why,
            ..
        } = note
        {
            let port = peer.address.port();
            let host = self.beside(host, peer);
            let why = match why {
                WhyNot::Failed(why) => format!("failed: {why}"),
                // What errno happens to be then.
                WhyNot::TimedOut => "timed out: Operation now in progress".to_owned(),
            };
            let text = format!("connect to {host} port {port} ({carrier}) {why}");
            return (self.verbose > 0).then(|| self.error(&text));
        }
        let text = match note {
            Note::Listening(local) => format!("Listening on {}", openbsd_local(local)),
            Note::Bound(local) => format!("Bound on {}", openbsd_local(local)),
            Note::CallsFrom(ours) => format!("Bound on {}", unix(ours)),
            Note::Called { by, .. } => format!("Connection received on {}", openbsd_peer(by)),
            Note::CalledAt(name) => format!("Connection received on {}", unix(name)),
            Note::Connected {
                host,
                peer,
                carrier,
                way,
            } => {
                let port = peer.address.port();
                let service = peer.service.unwrap_or("*");
                let host = match way {
                    Way::Direct => self.beside(host, peer),
                    Way::Proxied => (*host).to_owned(),
                };
                format!("Connection to {host} {port} port [{carrier}/{service}] succeeded!")
            }
            _ => return None,
        };
        (self.verbose > 0).then(|| text + "\n")
    }

    fn ncat(&self, note: &Note<'_>) -> Option<String> {
        let (text, is_always_told) = match note {
            Note::Begin => (help::ncat_version(), false),
            Note::MaxConnsIgnored => (
                "Warning: Maximum connections ignored, since it does not take effect without -k or --broker.".to_owned(),
                true,
            ),
            Note::Listening(local) | Note::Bound(local) => {
                (format!("Listening on {}", ncat_local(local)), false)
            }
            Note::Called { by, number, .. } => {
                let number = number.map(|number| format!(" on file descriptor {number}"));
                let number = number.unwrap_or_default();
                // The second line is all that later ones say.
                let text = format!(
                    "Connection from {}{number}.\nNcat: Connection from {}.",
                    by.address.ip(),
                    by.address
                );
                (text, false)
            }
            Note::CalledAt(_) => (
                "Connection from a client on Unix domain socket.".to_owned(),
                false,
            ),
            Note::NotAllowed => ("New connection denied: not allowed".to_owned(), false),
            Note::TooMany(count) => (
                format!("New connection denied: connection limit reached ({count})"),
                false,
            ),
            Note::Connected {
                peer,
                way: Way::Direct,
                ..
            } => (format!("Connected to {}.", peer.address), false),
            Note::Knocked => ("UDP packet sent successfully".to_owned(), false),
            Note::ConnectedTo(name) => (format!("Connected to {}.", unix(name)), false),
            Note::CallsFrom(ours) => (
                format!("[{}] used as source DGRAM Unix domain socket.", unix(ours)),
                false,
            ),
            Note::LeavesName(ours) => (
                format!("Deleting source DGRAM Unix domain socket. [{}]", unix(ours)),
                false,
            ),
            Note::CallFailed {
                peer, why, rest, ..
            } => {
                let why = match why {
                    WhyNot::Failed(why) => why,
                    WhyNot::TimedOut => "TIMEOUT",
                };
                match rest {
                    Rest::Another => (
                        format!(
                            "Connection to {} failed: {why}.\nNcat: Trying next address...",
                            peer.address.ip()
                        ),
                        false,
                    ),
                    Rest::Last => (
                        format!("{why}."),
                        !matches!(self.calls, Calls::Probe | Calls::Scan),
                    ),
                }
            }
            Note::Tls(handshake) => {
                let mut text = format!("SSL connection to {}.", handshake.address);
                if let Some(organisation) = handshake.organisation {
                    // Writing to a string cannot fail.
                    let _ = write!(text, " {organisation}");
                }
                let fingerprint = fingerprint(handshake.sha1);
                let _ = write!(text, "\nNcat: SHA-1 fingerprint: {fingerprint}");
                (text, false)
            }
            Note::Made { sha1 } => (
                format!(
                    "Generating a temporary key. Use --ssl-key and --ssl-cert to use a permanent one.\n\
                     Ncat: SHA-1 fingerprint: {}",
                    fingerprint(sha1)
                ),
                false,
            ),
            Note::AtProxy(proxy) => (format!("Connected to proxy {proxy}"), false),
            Note::LoggingIn { wants_password } => {
                let text = match wants_password {
                    true => "Doing username and password authentication.",
                    false => "No authentication needed.",
                };
                (text.to_owned(), false)
            }
            Note::ProxyConnected => ("connection succeeded.".to_owned(), false),
            Note::LookedUpByProxy(host) => {
                (format!("Host {host} will be resolved by the proxy."), false)
            }
            Note::LookedUpHere { host, address } => (
                format!("Host {host} locally resolved to {}.", address.ip()),
                false,
            ),
            Note::Moved(totals) => (
                format!(
                    "{} bytes sent, {} bytes received in {:.2} seconds.",
                    totals.sent,
                    totals.received,
                    totals.time.as_secs_f64()
                ),
                false,
            ),
            // Who is behind a proxy it has told before.
            Note::Distrusted { .. } | Note::Connected { .. } => return None,
        };
        (is_always_told || self.verbose > 0).then(|| format!("Ncat: {text}\n"))
    }

    fn traditional(&self, note: &Note<'_>) -> Option<String> {
        let (text, least) = match note {
            Note::Listening(Local::Port(at)) | Note::Bound(Local::Port(at)) => {
                let address = match at.address.ip() {
                    any if any.is_unspecified() => "any".to_owned(),
                    address => address.to_string(),
                };
                let port = at.address.port();
                (format!("listening on [{address}] {port} ..."), 1)
            }
            Note::Called {
                by, at: Some(at), ..
            } => {
                let name = by.name.unwrap_or("(UNKNOWN)");
                let (here, address) = (at.ip(), by.address.ip());
                let port = by.address.port();
                let text = format!("connect to [{here}] from {name} [{address}] {port}");
                (text, 1)
            }
            Note::Connected { peer, .. } => (format!("{} open", traditional_peer(peer)), 1),
            Note::CallFailed { peer, why, .. } => {
                let why = match why {
                    WhyNot::Failed(why) => why,
                    WhyNot::TimedOut => "Connection timed out",
                };
                let least = match self.calls {
                    Calls::One | Calls::Probe => usize::from(self.calls == Calls::Probe),
                    Calls::Several | Calls::Scan => 2,
                };
                (format!("{} : {why}", traditional_peer(peer)), least)
            }
            Note::Moved(totals) => (
                format!(" sent {}, rcvd {}", totals.sent, totals.received),
                2,
            ),
            _ => return None,
        };
        (self.verbose >= least).then(|| text + "\n")
    }

    /// What no other netcat says, where it matters enough.
    fn of_nobody(&self, note: &Note<'_>) -> Option<String> {
        let text = match note {
            Note::Distrusted { host, why } => format!(
                "the certificate of {host} is not good ({why}); going on. --ca FILE trusts its authority, --insecure is silent"
            ),
            Note::NotAllowed if self.verbose > 0 => "caller turned away: not allowed".to_owned(),
            Note::TooMany(count) if self.verbose > 0 => {
                format!("caller turned away: {count} are there already")
            }
            Note::Made { sha1 } if self.verbose > 0 => format!(
                "made a certificate, SHA-1 fingerprint {}; --ssl-cert and --ssl-key give a lasting one",
                fingerprint(sha1)
            ),
            Note::Tls(handshake) if self.verbose > 0 => format!(
                "TLS with {}, SHA-1 fingerprint {}",
                handshake.address,
                fingerprint(handshake.sha1)
            ),
            _ => return None,
        };
        Some(self.error(&text))
    }

    /// `HOST (ADDRESS)`; the host alone, where it is the address, or has to be.
    fn beside(&self, host: &str, peer: &Peer<'_>) -> String {
        let address = resolver::spelled(peer.address);
        match self.names {
            Names::LookedUp if address != host => format!("{host} ({address})"),
            _ => host.to_owned(),
        }
    }

    /// A line with the beginning that an error of this dialect has.
    pub fn error(&self, text: &str) -> String {
        match self.dialect {
            Dialect::OpenBsd => format!("{}: {text}\n", self.called),
            Dialect::Ncat => format!("Ncat: {text}\n"),
            Dialect::Traditional => format!("{text}\n"),
        }
    }

    /// What stops it, as it is said.
    pub fn complaint(&self, complaint: &Complaint) -> String {
        match (self.dialect, complaint) {
            (_, Complaint::Silent | Complaint::OfProgram(_)) => String::new(),
            (Dialect::OpenBsd, Complaint::Usage) => help::OPENBSD_USAGE.to_owned(),
            (Dialect::Ncat, Complaint::Usage) => self.error(&format!("{TRY_NCAT} QUITTING.")),
            (Dialect::Traditional, Complaint::Usage) => format!("{}\n", help::TRADITIONAL_USAGE),
            (Dialect::Ncat, Complaint::Refused(text)) => {
                // Its own sentences have a full stop, but for one.
                let has_stop = text.ends_with('.') || text.ends_with("used with -z");
                let stop = if has_stop { "" } else { "." };
                self.error(&format!("{text}{stop} QUITTING."))
            }
            (_, Complaint::Refused(text) | Complaint::Failed(text)) => self.error(text),
        }
    }

    /// getopt's words, which begin with the name of the program as it was called, in every dialect.
    pub fn getopt(&self, name: &str, error: &super::getopt::error::GetoptError) -> String {
        format!("{name}: {error}\n{}", self.complaint(&Complaint::Usage))
    }

    /// A host has no address.
    pub fn unresolved(&self, host: &str, port: u16, why: &str) -> Complaint {
        match self.dialect {
            Dialect::OpenBsd => Complaint::Failed(format!(
                "getaddrinfo for host \"{host}\" port {port}: {why}"
            )),
            Dialect::Ncat => {
                Complaint::Refused(format!("Could not resolve hostname \"{host}\": {why}."))
            }
            Dialect::Traditional if self.names == Names::Numeric => {
                Complaint::Failed(format!("Can't parse {host} as an IP address"))
            }
            Dialect::Traditional => Complaint::Failed(unknown_host(host)),
        }
    }

    /// The same of where to listen.
    pub fn unresolved_here(&self, host: &str, why: &str) -> Complaint {
        match self.dialect {
            Dialect::Traditional => self.unresolved(host, 0, why),
            Dialect::OpenBsd => Complaint::Failed(format!("getaddrinfo: {why}")),
            Dialect::Ncat => {
                Complaint::Refused(format!("Could not resolve hostname \"{host}\": {why}."))
            }
        }
    }

    /// The same of where to call from.
    pub fn unresolved_source(&self, host: &str, why: &str) -> Complaint {
        match self.dialect {
            Dialect::OpenBsd => Complaint::Failed(format!("getaddrinfo: {why}")),
            Dialect::Ncat => Complaint::Refused(format!(
                "Could not resolve source address \"{host}\": {why}."
            )),
            Dialect::Traditional => self.unresolved(host, 0, why),
        }
    }

    /// The address to call from cannot be had.
    pub fn unbound_source(&self, source: SocketAddr, why: &str) -> Complaint {
        match self.dialect {
            Dialect::OpenBsd => Complaint::Failed(format!("bind failed: {why}")),
            Dialect::Ncat => Complaint::Failed(format!("bind to {source}: {why}.")),
            Dialect::Traditional => Complaint::Failed(cannot_grab(source, why)),
        }
    }

    /// The address to listen at cannot be had.
    pub fn unbound(&self, at: SocketAddr, why: &str) -> Complaint {
        match self.dialect {
            Dialect::OpenBsd => Complaint::Failed(why.to_owned()),
            Dialect::Ncat => Complaint::Refused(format!("bind to {at}: {why}.")),
            Dialect::Traditional => Complaint::Failed(cannot_grab(at, why)),
        }
    }

    /// A UNIX socket cannot be called, or its name cannot be had.
    pub fn unix_trouble(&self, name: &UnixName, verb: UnixVerb, why: &str) -> Complaint {
        let name = unix(name);
        match (self.dialect, verb) {
            (Dialect::OpenBsd, UnixVerb::Listen) => Complaint::Failed(why.to_owned()),
            // As of a port.
            (Dialect::Ncat, UnixVerb::Call) if self.calls == Calls::Probe && self.verbose == 0 => {
                Complaint::Silent
            }
            (Dialect::Ncat, UnixVerb::Call) => Complaint::Failed(format!("{why}.")),
            (Dialect::Ncat, UnixVerb::Listen) => {
                Complaint::Refused(format!("bind to {name}: {why}."))
            }
            (Dialect::OpenBsd | Dialect::Traditional, _) => {
                Complaint::Failed(format!("{name}: {why}"))
            }
        }
    }

    /// A file for a dump, transcript or capture cannot be written.
    pub fn no_file(&self, path: &Path, why: &str) -> Complaint {
        let path = path.display();
        match self.dialect {
            // ncat says `open:` and not which.
            Dialect::OpenBsd | Dialect::Ncat => {
                Complaint::Refused(format!("can't open {path}: {why}"))
            }
            Dialect::Traditional => Complaint::Refused(format!("can't open {path} : {why}")),
        }
    }

    /// Nothing has moved for so long, and that is an error.
    pub fn idle(&self, role: Role, after: Duration) -> Complaint {
        let text = format!("Idle timeout expired ({} ms).", after.as_millis());
        match role {
            Role::Connect => Complaint::Failed(text),
            // ncat has another exit code for it then.
            Role::Listen => Complaint::Refused(text),
        }
    }

    /// What reads our output cannot take it.
    pub fn unwritten(&self, why: &str) -> Complaint {
        match self.dialect {
            Dialect::OpenBsd | Dialect::Traditional => Complaint::failed(why),
            Dialect::Ncat => Complaint::Refused(format!("write: {why}")),
        }
    }

    /// Nobody called within the time of -w: netcat-traditional's listener.
    pub fn nobody_called(&self) -> Complaint {
        Complaint::failed("no connection : Connection timed out")
    }

    /// Somebody called whom netcat-traditional's operands behind -l do not name; `here` is where.
    pub fn wrong_caller(&self, here: Option<SocketAddr>, by: &Peer<'_>) -> Complaint {
        let here = here.map(|here| format!("to [{}] ", here.ip()));
        let here = here.unwrap_or_default();
        let name = by.name.unwrap_or("(UNKNOWN)");
        let (address, port) = (by.address.ip(), by.address.port());
        Complaint::Failed(format!(
            "invalid connection {here}from {name} [{address}] {port}"
        ))
    }

    /// Something went wrong with octets on their way.
    pub fn failed(&self, why: &str) -> Complaint {
        match self.dialect {
            Dialect::OpenBsd | Dialect::Traditional => Complaint::failed(why),
            Dialect::Ncat => Complaint::Failed(format!("{why}.")),
        }
    }

    /// netcat-traditional, where an address has no name.
    pub fn nameless(&self, address: IpAddr) -> String {
        self.error(&format!(
            "{address}: inverse host lookup failed: Unknown host"
        ))
    }

    /// An exchange broke off: what errno says, where this dialect says it at all.
    pub fn broken(&self, why: &str) -> Complaint {
        match self.dialect {
            Dialect::OpenBsd | Dialect::Traditional => Complaint::Silent,
            Dialect::Ncat => Complaint::Failed(format!("{why}.")),
        }
    }

    /// A certificate is not good, and it has to be.
    pub fn bad_certificate(&self, host: &str, fault: &CertificateFault) -> Complaint {
        let why = fault.to_string();
        match self.dialect {
            // It looks at names last, and has another exit code for them.
            Dialect::Ncat if matches!(fault, CertificateFault::WrongName(_)) => {
                Complaint::Refused(format!(
                    "Certificate verification failed ({why}).\nNcat: Certificate verification error."
                ))
            }
            Dialect::Ncat => Complaint::Failed(format!("Certificate verification failed ({why}).")),
            Dialect::OpenBsd | Dialect::Traditional => Complaint::Failed(format!(
                "the certificate of {host} is not good: {why}; --ca FILE trusts its authority, --insecure takes any"
            )),
        }
    }

    /// A program cannot be run.
    pub fn no_program(&self, program: &str, why: &str) -> Complaint {
        match self.dialect {
            Dialect::Traditional => Complaint::Failed(format!("exec {program} failed : {why}")),
            Dialect::OpenBsd | Dialect::Ncat => {
                Complaint::Refused(format!("cannot run {program}: {why}"))
            }
        }
    }

    /// The proxy has no address.
    pub fn unresolved_proxy(&self, host: &str, port: u16, why: &str) -> Complaint {
        match self.dialect {
            Dialect::OpenBsd => self.unresolved(host, port, why),
            Dialect::Ncat | Dialect::Traditional => {
                Complaint::Failed(format!("Could not resolve proxy \"{host}\": {why}."))
            }
        }
    }

    /// The proxy cannot be called: ncat's words; in the other dialects a note tells, as of any call.
    pub fn proxy_not_called(&self, why: &WhyNot) -> Complaint {
        let why = match why {
            WhyNot::Failed(why) => why,
            WhyNot::TimedOut => "TIMEOUT",
        };
        Complaint::Failed(format!("Proxy connection failed: {why}."))
    }
}

/// What was to be done with a UNIX socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnixVerb {
    /// Call it, or take a name to call from.
    Call,
    /// Listen there.
    Listen,
}

/// What ncat says behind getopt's complaint.
const TRY_NCAT: &str = "Try `--help' or man(1) ncat for more information, usage options and help.";

fn unknown_host(host: &str) -> String {
    format!("{host}: forward host lookup failed: Unknown host")
}

fn cannot_grab(at: SocketAddr, why: &str) -> String {
    format!("Can't grab {at} with bind : {why}")
}

fn openbsd_peer(peer: &Peer<'_>) -> String {
    let address = resolver::spelled(peer.address);
    format!("{} {}", peer.name.unwrap_or(&address), peer.address.port())
}

fn openbsd_local(local: &Local<'_>) -> String {
    match local {
        Local::Port(peer) => openbsd_peer(peer),
        Local::Unix(name) => unix(name),
    }
}

fn ncat_local(local: &Local<'_>) -> String {
    match local {
        Local::Port(peer) => peer.address.to_string(),
        Local::Unix(name) => unix(name),
    }
}

fn traditional_peer(peer: &Peer<'_>) -> String {
    format!(
        "{} [{}] {} ({})",
        peer.name.unwrap_or("(UNKNOWN)"),
        peer.address.ip(),
        peer.address.port(),
        peer.service.unwrap_or("?")
    )
}

fn unix(name: &UnixName) -> String {
    match name {
        UnixName::Path(path) => path.display().to_string(),
        UnixName::Abstract(name) => format!("@{}", String::from_utf8_lossy(name)),
    }
}

/// `C48A A68D ...`
fn fingerprint(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len() * 3);
    for (at, octet) in octets.iter().enumerate() {
        if at > 0 && at % 2 == 0 {
            text.push(' ');
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{octet:02X}");
    }
    text
}

#[cfg(test)]
mod tests;
