//! The way to a server, and what is particular about TLS with it: arguments that all clients share, beside
//! [`ServerArguments`](super::credentials::ServerArguments).

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use super::credentials::host_and_port;
use super::exit::{self, failure};
use crate::proto::proxy::Login;
use crate::reactor::reach::{Header, Via, ViaKind, Way};
use crate::reactor::sockets::UnixName;
use crate::reactor::{self, Identity};
use crate::wire::proxy_header::Version;

/// See the module.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "The way there")]
pub struct RouteArguments {
    /// UNIX socket to call, as LMTP servers have; @NAME for one that is no file
    #[arg(long, value_name = "PATH", conflicts_with_all = ["port", "proxy", "source"])]
    pub socket: Option<String>,
    /// Address of this computer to call from
    #[arg(long, value_name = "ADDRESS")]
    pub source: Option<IpAddr>,
    /// Proxy to go through, also as socks5://HOST:PORT; repeated, one behind the other
    #[arg(long, value_name = "HOST[:PORT]")]
    pub proxy: Vec<String>,
    /// What the proxy speaks: http (CONNECT), socks4 (4a for names), socks5; of several the n-th is for the n-th --proxy
    #[arg(long, value_name = "TYPE", requires = "proxy", value_parser = kind)]
    pub proxy_type: Vec<ViaKind>,
    /// Who we are to the first proxy
    #[arg(
        long,
        value_name = "USER:PASSWORD",
        env = "MAILTOOL_PROXY_AUTH",
        hide_env_values = true
    )]
    pub proxy_auth: Option<String>,
    /// Begin with the header of a load balancer, version 1 or 2 (PROXY): whose connection it is, and where to; ours unless they are named
    #[arg(long, value_name = "VERSION[,CLIENT:PORT[,SERVER:PORT]]", value_parser = header)]
    pub proxy_protocol: Option<Header>,
    /// Certificate to show to a server that asks for one, in PEM
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// Its key, where that is not in the same file
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// Take the certificate with this SHA-256, and no other, whoever signed it; `mailtool send --serverinfo` prints it
    #[arg(long, value_name = "SHA-256", conflicts_with_all = ["ca", "insecure"], value_parser = fingerprint)]
    pub tls_fingerprint: Option<[u8; 32]>,
    /// Name to ask for (SNI) and to find in the certificate, in place of the server's
    #[arg(long, value_name = "NAME")]
    pub sni: Option<String>,
}

impl RouteArguments {
    /// The UNIX socket, if it is one.
    pub fn unix_name(&self) -> Option<UnixName> {
        let socket = self.socket.as_deref()?;
        Some(match socket.strip_prefix('@') {
            Some(name) => UnixName::Abstract(name.as_bytes().to_vec()),
            None => UnixName::Path(socket.into()),
        })
    }

    /// The way to a server that listens at `port`.
    ///
    /// # Errors
    /// A proxy that is none.
    pub fn way(&self, port: u16) -> anyhow::Result<Way> {
        let mut proxies = Vec::new();
        for (at, text) in self.proxy.iter().enumerate() {
            let (scheme, place) = match text.split_once("://") {
                Some((scheme, place)) => (Some(scheme), place.trim_end_matches('/')),
                None => (None, text.as_str()),
            };
            let kind = match scheme {
                Some(scheme) => kind(scheme)
                    .map_err(|why| failure(exit::USAGE, format!("--proxy {text}: {why}")))?,
                None => {
                    let given = self.proxy_type.get(at).or(self.proxy_type.last());
                    given.copied().unwrap_or(ViaKind::Http)
                }
            };
            let (host, port) = host_and_port(place, "--proxy")?;
            let usual = match kind {
                ViaKind::Socks4 | ViaKind::Socks5 => 1080,
                ViaKind::Http => 3128,
            };
            proxies.push(Via {
                kind,
                host,
                port: port.unwrap_or(usual),
                login: self
                    .proxy_auth
                    .as_deref()
                    .filter(|_| at == 0)
                    .map(Login::parse),
                nonce: reactor::seed(),
            });
        }
        Ok(Way {
            socket: self.unix_name(),
            source: self.source,
            proxies,
            port,
            header: self.proxy_protocol,
        })
    }

    /// Who we are to servers that ask.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn identity(&self) -> anyhow::Result<Option<Identity>> {
        let read = |option: &str, path: &Path| {
            std::fs::read(path).map_err(|error| {
                let path = path.display();
                failure(exit::NO_INPUT, format!("{option} {path}: {error}"))
            })
        };
        let Some(cert) = &self.cert else {
            return Ok(None);
        };
        let chain = read("--cert", cert)?;
        let key = match &self.key {
            Some(key) => read("--key", key)?,
            None => chain.clone(),
        };
        Ok(Some(Identity { chain, key }))
    }
}

fn kind(text: &str) -> Result<ViaKind, String> {
    match text.to_ascii_lowercase().as_str() {
        "http" => Ok(ViaKind::Http),
        "socks4" | "socks4a" => Ok(ViaKind::Socks4),
        "socks5" | "socks5h" => Ok(ViaKind::Socks5),
        _ => Err("there are http, socks4 and socks5".to_owned()),
    }
}

/// `1`, `v2,192.0.2.7:40000`, `2,192.0.2.7:40000,192.0.2.1:25`
fn header(text: &str) -> Result<Header, String> {
    let mut words = text.split(',');
    let version = match words.next() {
        Some("1" | "v1") => Version::One,
        Some("2" | "v2") => Version::Two,
        _ => return Err("the version is 1 or 2".to_owned()),
    };
    let mut end = || {
        let word = words.next();
        word.map(|word| {
            let wrong = |_| {
                format!("{word}: an address with its port, 192.0.2.7:40000 or [2001:db8::7]:40000")
            };
            word.parse::<SocketAddr>().map_err(wrong)
        })
        .transpose()
    };
    let (source, destination) = (end()?, end()?);
    if words.next().is_some() {
        return Err("a version, and two addresses at most".to_owned());
    }
    Ok(Header {
        version,
        source,
        destination,
    })
}

/// 64 hexadecimal digits, with or without colons or spaces.
fn fingerprint(text: &str) -> Result<[u8; 32], String> {
    let wrong = || "64 hexadecimal digits, with colons or without".to_owned();
    let text = text.strip_prefix("SHA256:").unwrap_or(text);
    let digits: String = text
        .chars()
        .filter(|letter| !matches!(letter, ':' | ' '))
        .collect();
    let mut octets = [0; 32];
    if digits.len() != 64 || !digits.is_ascii() {
        return Err(wrong());
    }
    for (at, octet) in octets.iter_mut().enumerate() {
        *octet = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).map_err(|_| wrong())?;
    }
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_fingerprints_are_read() {
        let whole = header("v2,192.0.2.7:40000,192.0.2.1:25").expect("good");
        assert_eq!(whole.version, Version::Two);
        assert_eq!(whole.source, "192.0.2.7:40000".parse().ok());
        assert_eq!(whole.destination, "192.0.2.1:25".parse().ok());
        assert_eq!(header("1").map(|header| header.source), Ok(None));
        for bad in ["", "3", "1,192.0.2.7", "1,192.0.2.7:1,192.0.2.7:1,x"] {
            assert!(header(bad).is_err(), "{bad}");
        }
        let digits = "ab".repeat(32);
        let pairs = vec!["AB"; 32].join(":");
        assert_eq!(fingerprint(&digits), Ok([0xab; 32]));
        assert_eq!(fingerprint(&pairs), Ok([0xab; 32]));
        for bad in ["", "ab", &digits[1..], &"xy".repeat(32), &"é".repeat(32)] {
            assert!(fingerprint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn proxies_are_read_one_behind_the_other() {
        let arguments = RouteArguments {
            proxy: vec!["a.example".into(), "socks5://[::1]:9".into()],
            proxy_type: vec![ViaKind::Socks4],
            proxy_auth: Some("bob:x:y".into()),
            ..RouteArguments::default()
        };
        let way = arguments.way(25).expect("good");
        let told: Vec<_> = way
            .proxies
            .iter()
            .map(|via| (via.kind, via.host.as_str(), via.port, via.login.is_some()))
            .collect();
        assert_eq!(
            told,
            [
                (ViaKind::Socks4, "a.example", 1080, true),
                (ViaKind::Socks5, "::1", 9, false)
            ]
        );
        let none = RouteArguments {
            proxy: vec!["ftp://a.example".into()],
            ..RouteArguments::default()
        };
        assert!(none.way(25).is_err());
    }
}
