//! Proxies: those that are called through, one behind the other, and the one that we are.
//!
//! `-x` and `--proxy` may be given several times, also mixed: the first is called, and asked for the second, and so on; the
//! last is asked for the host. (Debian's nc takes the last `-x` only; ncat refuses a second `--proxy`.) The n-th `-X` or
//! `--proxy-type` is that of the n-th address, and the last one that of all behind it. The n-th `--proxy-auth` is for the n-th
//! address only: a password is never told to a proxy that it was not given for.

use std::fmt;

use crate::applet::nc::complaint::Complaint;
use crate::applet::nc::dialect::Dialect;
use crate::applet::nc::flags::Id;
use crate::applet::nc::getopt::{CommandLine, Given};

use super::numbers::strtonum;
use super::{Carrier, Surroundings};

/// A proxy to call through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// What it speaks.
    pub protocol: ProxyProtocol,
    /// Its name or address, without brackets.
    pub host: String,
    /// A number, or with `-x` the name of a service.
    pub port: u16,
    /// Who calls.
    pub login: Option<Login>,
    /// Who looks the next host up.
    pub lookup: Lookup,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyProtocol {
    /// SOCKS 4, and 4a for names.
    Socks4,
    /// SOCKS 5 (RFC 1928).
    Socks5,
    /// HTTP's CONNECT.
    Http,
}

impl ProxyProtocol {
    /// Where such a proxy usually listens.
    pub const fn port(self) -> u16 {
        match self {
            Self::Socks4 | Self::Socks5 => 1080,
            Self::Http => 3128,
        }
    }
}

/// Who looks up the name of the host behind a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The proxy.
    Remote,
    /// We do.
    Local,
    /// We do; the proxy, where we find nothing.
    Both,
    /// Nobody: it has to be an address.
    Nobody,
}

/// A name at a proxy, and how to show that it is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: Password,
}

/// A password, which no message and no debug output shows.
#[derive(Clone, PartialEq, Eq)]
pub enum Password {
    /// Here it is; empty where there is none.
    Known(String),
    /// To be asked for on the terminal, when the proxy wants it.
    Ask,
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Known(_) => "Known(********)",
            Self::Ask => "Ask",
        })
    }
}

/// The proxy that we are: `--proxy-type` with `-l`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyServer {
    /// What we speak.
    pub kind: ProxyServerKind,
    /// Who may use it; everybody where it is `None`.
    pub login: Option<Login>,
}

/// What our own proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyServerKind {
    /// SOCKS 4, 4a and 5, whichever the caller begins with.
    Socks,
    /// HTTP: CONNECT, and GET and the others for `http://`.
    Http,
}

impl ProxyServerKind {
    /// Where it listens unless told otherwise.
    pub const fn port(self) -> u16 {
        match self {
            Self::Socks => 1080,
            Self::Http => 3128,
        }
    }
}

/// The proxies to call through, the first to be called first.
pub(super) fn chain(
    dialect: Dialect,
    line: &CommandLine,
    surroundings: &Surroundings<'_>,
) -> Result<Vec<Proxy>, Complaint> {
    let addresses: Vec<&Given> = line
        .given()
        .iter()
        .filter(|given| matches!(given.flag.id, Id::ProxyAddress | Id::Proxy))
        .collect();
    let of_letter = |given: &&&Given| given.flag.id == Id::ProxyAddress;
    let by_letter = addresses.iter().filter(of_letter).count();
    let by_name = addresses.len() - by_letter;
    let letter_types = protocols_of_letter(line)?;
    let name_types: Vec<_> = line.all(Id::ProxyType).map(Given::text).collect();
    let logins: Vec<_> = line.all(Id::ProxyAuth).map(Given::text).collect();
    if name_types.len() > by_name.max(1) {
        return Err(Complaint::refused(
            "You can't specify more than one --proxy-type.",
        ));
    }
    if by_name == 0 && !name_types.is_empty() {
        return Err(Complaint::refused(
            "Proxy type (--proxy-type) specified without proxy address (--proxy).",
        ));
    }
    if logins.len() > addresses.len().max(1) {
        return Err(Complaint::refused(
            "You can't specify more than one --proxy-auth.",
        ));
    }
    let lookup = lookup(line)?;
    let mut proxies = Vec::new();
    let (mut letters, mut names) = (0, 0);
    for (at, given) in addresses.iter().enumerate() {
        let text = given.text();
        let mut proxy = if given.flag.id == Id::ProxyAddress {
            let protocol = nth(&letter_types, letters, by_letter).unwrap_or(ProxyProtocol::Socks5);
            letters += 1;
            openbsd(&text, protocol, surroundings)?
        } else {
            let protocol = nth(&name_types, names, by_name).map_or(Ok(ProxyProtocol::Http), named);
            names += 1;
            ncat(&text, protocol?)?
        };
        proxy.lookup = match (given.flag.id, proxy.protocol) {
            // Debian's nc has SOCKS 4 look up nothing: it knows no 4a.
            (Id::ProxyAddress, ProxyProtocol::Socks4) => Lookup::Local,
            (Id::ProxyAddress, _) => Lookup::Remote,
            _ => lookup,
        };
        proxy.login = match logins.get(at) {
            Some(login) => Some(login_of(login)),
            None if at > 0 => None,
            None => login_of_environment(line, surroundings),
        };
        proxies.push(proxy);
    }
    if dialect == Dialect::OpenBsd && by_letter > 0 {
        openbsd_contradictions(line)?;
    }
    Ok(proxies)
}

/// What each `-x` speaks.
pub(super) fn protocols_of_letter(line: &CommandLine) -> Result<Vec<ProxyProtocol>, Complaint> {
    line.all(Id::ProxyProtocol)
        .map(|given| match given.text().to_ascii_lowercase().as_str() {
            "4" | "4a" => Ok(ProxyProtocol::Socks4),
            "5" => Ok(ProxyProtocol::Socks5),
            "connect" => Ok(ProxyProtocol::Http),
            _ => Err(Complaint::refused("unsupported proxy protocol")),
        })
        .collect()
}

/// The one for the n-th of `count` addresses. Of several for one address the last counts, as everywhere.
fn nth<T: Clone>(given: &[T], at: usize, count: usize) -> Option<T> {
    let last = given.len().checked_sub(1)?;
    let at = if count == 1 { last } else { at.min(last) };
    given.get(at).cloned()
}

fn named(name: impl AsRef<str>) -> Result<ProxyProtocol, Complaint> {
    match name.as_ref() {
        "http" => Ok(ProxyProtocol::Http),
        "socks4" | "4" => Ok(ProxyProtocol::Socks4),
        "socks5" | "5" => Ok(ProxyProtocol::Socks5),
        other => Err(Complaint::Refused(format!(
            "Invalid proxy type \"{other}\"."
        ))),
    }
}

/// Who looks up names for `--proxy`.
pub(super) fn lookup(line: &CommandLine) -> Result<Lookup, Complaint> {
    match line.text(Id::ProxyDns).as_deref() {
        None | Some("remote") => Ok(Lookup::Remote),
        Some("local") => Ok(Lookup::Local),
        Some("both") => Ok(Lookup::Both),
        Some("none") => Ok(Lookup::Nobody),
        Some(_) => Err(Complaint::refused("Invalid proxy DNS type.")),
    }
}

/// `-x`: the last colon ends the host, unless it stands in brackets. `::1` so is the host `:` at port 1, as in Debian's nc.
fn openbsd(
    text: &str,
    protocol: ProxyProtocol,
    surroundings: &Surroundings<'_>,
) -> Result<Proxy, Complaint> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest
            .split_once(']')
            .ok_or_else(|| Complaint::refused("missing closing bracket in proxy"))?;
        match rest.strip_prefix(':') {
            Some(port) => (host, port),
            None if rest.is_empty() => (host, ""),
            None => return Err(Complaint::refused("garbage proxy port delimiter")),
        }
    } else {
        text.rsplit_once(':').unwrap_or((text, ""))
    };
    let port = match port {
        "" => protocol.port(),
        port => proxy_port(port, surroundings).ok_or_else(|| {
            Complaint::Refused(format!(
                "getaddrinfo for host \"{host}\" port {port}: Servname not supported for ai_socktype"
            ))
        })?,
    };
    Ok(proxy(protocol, host, port))
}

fn proxy_port(text: &str, surroundings: &Surroundings<'_>) -> Option<u16> {
    let transport = crate::wire::services::Transport::Tcp;
    surroundings
        .services
        .port(text, transport)
        .or_else(|| u16::try_from(strtonum(text, (0, u16::MAX.into())).ok()?).ok())
}

/// `--proxy`: a single colon ends the host; an address with more of them needs brackets to have a port.
fn ncat(text: &str, protocol: ProxyProtocol) -> Result<Proxy, Complaint> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(rest) => rest
            .split_once(']')
            .ok_or_else(|| Complaint::Refused(format!("Invalid proxy IPv6 address \"{text}\".")))?,
        None => match text.find(':') {
            Some(colon) if colon == text.rfind(':').unwrap_or(colon) => text.split_at(colon),
            _ => (text, ""),
        },
    };
    let port = match rest.split_once(':') {
        None => protocol.port(),
        Some((_, port)) => strtonum(port, (0, u16::MAX.into()))
            .ok()
            .and_then(|port| u16::try_from(port).ok())
            .ok_or_else(|| Complaint::Refused(format!("Invalid proxy port number \"{port}\".")))?,
    };
    Ok(proxy(protocol, host, port))
}

fn proxy(protocol: ProxyProtocol, host: &str, port: u16) -> Proxy {
    Proxy {
        protocol,
        host: host.to_owned(),
        port,
        login: None,
        lookup: Lookup::Remote,
    }
}

/// `user:password`, or a user alone.
fn login_of(text: &str) -> Login {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    Login {
        user: user.to_owned(),
        password: Password::Known(password.to_owned()),
    }
}

/// That of the first proxy, where the command line has no `--proxy-auth`: -P, whose password comes from a variable or
/// the terminal; or a variable for both, as ncat has it.
fn login_of_environment(line: &CommandLine, surroundings: &Surroundings<'_>) -> Option<Login> {
    if let Some(user) = line.text(Id::ProxyUser) {
        let password = (surroundings.variable)("MAILTOOL_PROXY_PASSWORD");
        return Some(Login {
            user: user.into_owned(),
            password: password.map_or(Password::Ask, Password::Known),
        });
    }
    (surroundings.variable)("NCAT_PROXY_AUTH").map(|login| login_of(&login))
}

fn openbsd_contradictions(line: &CommandLine) -> Result<(), Complaint> {
    let with = match Carrier::of(line) {
        Carrier::UnixStream | Carrier::UnixDatagram => "unix sockets",
        Carrier::Udp => "UDP mode",
        Carrier::Dccp => "DCCP mode",
        Carrier::Tcp if line.has(Id::Listen) => "listen",
        Carrier::Tcp if line.has(Id::Source) => "local source address",
        Carrier::Tcp => return Ok(()),
    };
    Err(Complaint::Refused(format!("no proxy support for {with}")))
}

/// The proxy that we are to be, when `-l` was given.
pub(super) fn server(
    dialect: Dialect,
    line: &CommandLine,
    surroundings: &Surroundings<'_>,
) -> Result<Option<ProxyServer>, Complaint> {
    let Some(kind) = line.text(Id::ProxyType) else {
        return Ok(None);
    };
    let kind = match kind.as_ref() {
        "http" => ProxyServerKind::Http,
        "socks" | "socks4" | "socks5" | "4" | "5" => ProxyServerKind::Socks,
        other => {
            let only = match dialect {
                Dialect::Ncat => "Ncat proxy server",
                Dialect::OpenBsd | Dialect::Traditional => "the proxy server",
            };
            return Err(Complaint::Refused(format!(
                "Invalid proxy type \"{other}\"; {only} only supports \"http\" and \"socks5\"."
            )));
        }
    };
    let login = line.text(Id::ProxyAuth).map(|login| login_of(&login));
    let from_environment =
        || (surroundings.variable)("NCAT_PROXY_AUTH").map(|login| login_of(&login));
    Ok(Some(ProxyServer {
        kind,
        login: login.or_else(from_environment),
    }))
}
