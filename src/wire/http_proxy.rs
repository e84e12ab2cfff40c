//! HTTP as far as a proxy needs it: heads of requests and responses, challenges and credentials, Basic and Digest.
//!
//! A head is gathered by [`HeadReader`], octet by octet if need be and never looked at twice, up to its empty line and no
//! further: what follows a `CONNECT` that went well is not HTTP. Then [`RequestHead`] or [`ResponseHead`] reads it.
//! RFC 9110 and 9112; Basic is RFC 7617, Digest RFC 7616 and, where `qop` is missing, RFC 2617.
//!
//! | in a head | from a proxy (response) | from a client (request) |
//! |---|---|---|
//! | LF without CR ends a line | taken (RFC 9112 §2.2) | taken |
//! | empty lines before it | passed over | passed over (RFC 9112 §2.2) |
//! | a folded line | joined to the one before (RFC 9112 §5.2) | the same |
//! | a line without a colon, or with a name that is none | passed over | refused |
//! | space before the colon | passed over | refused (RFC 9112 §5.1) |
//! | more than [`limits::PROXY_HEAD`] octets | refused | refused |

use std::fmt;

use super::destination::{Destination, Host};
use crate::limits;

mod body;
mod challenge;
mod digest;

pub use self::body::{Body, BodyError};
pub use self::challenge::{Challenge, challenges, quoted};
pub(crate) use self::digest::hex;
pub use self::digest::{Algorithm, Credentials, DigestChallenge, Nonces, Protection, Question};

/// Gathers a head.
#[derive(Debug, Default)]
pub struct HeadReader {
    head: Vec<u8>,
    /// Where the line begins that is being gathered.
    line: usize,
    /// Octets of empty lines before the head.
    skipped: usize,
}

impl HeadReader {
    /// Takes octets up to the end of the head; how many those were, once it is whole. Until then all of them are taken.
    ///
    /// ```
    /// use mailtool::wire::http_proxy::HeadReader;
    ///
    /// let mut reader = HeadReader::default();
    /// assert_eq!(reader.take(b"HTTP/1.1 200 OK\r\n\r"), Ok(None));
    /// assert_eq!(reader.take(b"\n220 mail.example.org ESMTP\r\n"), Ok(Some(1)));
    /// assert_eq!(reader.head(), b"HTTP/1.1 200 OK\r\n\r\n");
    /// ```
    pub fn take(&mut self, octets: &[u8]) -> Result<Option<usize>, HeadError> {
        let mut taken = 0;
        while taken < octets.len() {
            let rest = &octets[taken..];
            let line_end = memchr::memchr(b'\n', rest);
            let piece = &rest[..line_end.map_or(rest.len(), |at| at + 1)];
            if self.head.len() + self.skipped + piece.len() > limits::PROXY_HEAD {
                return Err(match self.line {
                    0 if self.skipped == 0 => HeadError::FirstLineTooLong,
                    _ => HeadError::TooLong,
                });
            }
            self.head.extend_from_slice(piece);
            taken += piece.len();
            if line_end.is_none() {
                break;
            }
            let is_empty = matches!(self.head[self.line..], [b'\n'] | [b'\r', b'\n']);
            if !is_empty {
                self.line = self.head.len();
            } else if self.line == 0 {
                self.skipped += self.head.len();
                self.head.clear();
            } else {
                return Ok(Some(taken));
            }
        }
        Ok(None)
    }

    /// What has been gathered.
    pub fn head(&self) -> &[u8] {
        &self.head
    }
}

/// Why octets are no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// More than [`limits::PROXY_HEAD`] octets.
    TooLong,
    /// The first line alone has more.
    FirstLineTooLong,
    /// The first line is none of HTTP/1.
    FirstLine,
    /// A line of the rest is no field.
    Field,
}

impl fmt::Display for HeadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong | Self::FirstLineTooLong => write!(
                formatter,
                "its header has more than {} octets",
                limits::PROXY_HEAD
            ),
            Self::FirstLine => formatter.write_str("its first line is not HTTP/1"),
            Self::Field => formatter.write_str("there is a line in its header that is no field"),
        }
    }
}

/// The minor version of HTTP/1: what a peer may be told, and whether it keeps a connection open unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Ten,
    /// HTTP/1.1, and whatever comes behind it.
    Eleven,
}

impl Version {
    /// `HTTP/1.1`
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ten => "HTTP/1.0",
            Self::Eleven => "HTTP/1.1",
        }
    }

    fn parse(word: &[u8]) -> Option<Self> {
        match word.strip_prefix(b"HTTP/1.")? {
            b"0" => Some(Self::Ten),
            [b'1'..=b'9'] => Some(Self::Eleven),
            _ => None,
        }
    }
}

/// The fields of a head, in order; folds are gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, Vec<u8>)>);

impl Fields {
    /// All of them: name, and value without the space around it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// The values of those of that name, whatever its case.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Whether a field whose value is a list of words (such as Connection) has `word` in it.
    pub fn has_word(&self, name: &str, word: &str) -> bool {
        self.words(name)
            .any(|other| other.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// The words of a field whose value is a list of them.
    pub fn words(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.named(name)
            .flat_map(|value| value.split(|&octet| octet == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|word| !word.is_empty())
    }

    /// `lines` are those behind the first, the empty last one included.
    fn parse(lines: &[u8], odd: Odd) -> Result<Self, HeadError> {
        let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
        for line in lines.split(|&octet| octet == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                continue;
            }
            if matches!(line[0], b' ' | b'\t') {
                match (fields.last_mut(), odd) {
                    (Some((_, value)), _) => {
                        value.push(b' ');
                        value.extend_from_slice(line.trim_ascii());
                    }
                    (None, Odd::Refused) => return Err(HeadError::Field),
                    (None, Odd::PassedOver) => {}
                }
                continue;
            }
            let colon = memchr::memchr(b':', line);
            let (name, value) = line.split_at(colon.unwrap_or(line.len()));
            let name = match odd {
                Odd::PassedOver => name.trim_ascii_end(),
                Odd::Refused => name,
            };
            // A NUL or a bare CR in a value would be read as a line's end by some (RFC 9110 §5.5).
            let is_field = !name.is_empty()
                && name.iter().copied().all(is_token)
                && colon.is_some()
                && !value.iter().any(|octet| matches!(octet, b'\0' | b'\r'));
            match (is_field, odd) {
                (true, _) => fields.push((
                    String::from_utf8_lossy(name).into_owned(),
                    value[1..].trim_ascii().to_vec(),
                )),
                (false, Odd::Refused) => return Err(HeadError::Field),
                (false, Odd::PassedOver) => {}
            }
        }
        Ok(Self(fields))
    }
}

/// What becomes of lines that are no field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Odd {
    PassedOver,
    Refused,
}

/// What a proxy answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// What the proxy speaks.
    pub version: Version,
    /// 200, 407 ...
    pub status: u16,
    /// The first line, without its end: what OpenBSD's nc shows.
    pub status_line: Vec<u8>,
    /// The rest.
    pub fields: Fields,
}

impl ResponseHead {
    /// Reads a whole head (RFC 9112 §4).
    ///
    /// ```
    /// use mailtool::wire::http_proxy::ResponseHead;
    ///
    /// let head = b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic\r\n realm=\"x\"\r\nnonsense\r\n\r\n";
    /// let head = ResponseHead::parse(head).unwrap();
    /// assert_eq!((head.status, head.reason()), (407, "Who?".into()));
    /// let challenge = head.fields.named("proxy-authenticate").next();
    /// assert_eq!(challenge, Some(&b"Basic realm=\"x\""[..]));
    /// ```
    pub fn parse(head: &[u8]) -> Result<Self, HeadError> {
        let (status_line, rest) = first_line(head);
        let mut words = status_line.splitn(3, |&octet| octet == b' ');
        let version = words.next().and_then(Version::parse);
        let status = words.next().and_then(|word| match word {
            [b'1'..=b'9', _, _] => std::str::from_utf8(word).ok()?.parse().ok(),
            _ => None,
        });
        let (Some(version), Some(status)) = (version, status) else {
            return Err(HeadError::FirstLine);
        };
        Ok(Self {
            version,
            status,
            status_line: status_line.to_vec(),
            fields: Fields::parse(rest, Odd::PassedOver)?,
        })
    }

    /// The words behind the status, fit to be shown.
    pub fn reason(&self) -> String {
        let reason = self.status_line.splitn(3, |&octet| octet == b' ').nth(2);
        super::smtp::shown(reason.unwrap_or_default().trim_ascii())
    }

    /// Whether the proxy goes on listening behind this response and its body (RFC 9112 §9.3).
    pub fn keeps_open(&self) -> bool {
        // QUIRK: Proxy-Connection was never a standard, and is still what many proxies say.
        let says = |word| {
            self.fields.has_word("connection", word)
                || self.fields.has_word("proxy-connection", word)
        };
        match self.version {
            Version::Eleven => !says("close"),
            Version::Ten => says("keep-alive") && !says("close"),
        }
    }

    /// Whether the connection stays open behind the answer to a request in HTTP/1.0, which has to be said (RFC 9112 §9.3).
    pub fn keeps_open_for_ten(&self) -> bool {
        let asked = Self {
            version: Version::Ten,
            ..self.clone()
        };
        asked.keeps_open()
    }

    /// Octets of the body, where they are told by a number (RFC 9112 §6.3).
    pub fn body_length(&self) -> Option<u64> {
        if matches!(self.status, 100..200 | 204 | 304) {
            return Some(0);
        }
        if self.fields.named("transfer-encoding").next().is_some() {
            return None;
        }
        let mut lengths = self.fields.words("content-length");
        let first = lengths.next()?;
        if !lengths.all(|other| other == first) || !first.iter().all(u8::is_ascii_digit) {
            return None;
        }
        std::str::from_utf8(first).ok()?.parse().ok()
    }
}

/// What a client asks of a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// `CONNECT`, `GET` ...
    pub method: String,
    /// What is behind it, as it came.
    pub target: String,
    /// What the client speaks.
    pub version: Version,
    /// The rest.
    pub fields: Fields,
}

impl RequestHead {
    /// Reads a whole head (RFC 9112 §3).
    ///
    /// ```
    /// use mailtool::wire::http_proxy::RequestHead;
    ///
    /// let head = RequestHead::parse(b"CONNECT mail.example.org:25 HTTP/1.0\n\n").unwrap();
    /// assert_eq!((&*head.method, &*head.target), ("CONNECT", "mail.example.org:25"));
    /// ```
    pub fn parse(head: &[u8]) -> Result<Self, HeadError> {
        let (request_line, rest) = first_line(head);
        let line = std::str::from_utf8(request_line).map_err(|_| HeadError::FirstLine)?;
        let mut words = line.split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(HeadError::FirstLine);
        };
        let fits = |octet: u8| octet.is_ascii_graphic();
        let version = Version::parse(version.as_bytes()).ok_or(HeadError::FirstLine)?;
        if method.is_empty()
            || !method.bytes().all(is_token)
            || target.is_empty()
            || !target.bytes().all(fits)
        {
            return Err(HeadError::FirstLine);
        }
        Ok(Self {
            method: method.to_owned(),
            target: target.to_owned(),
            version,
            fields: Fields::parse(rest, Odd::Refused)?,
        })
    }

    /// Reads a target in absolute form (RFC 9112 §3.2.2), as proxies are sent for everything but CONNECT: where to, and
    /// the target in origin form. `None` for every scheme but http, and for an address with a user in it (RFC 9110 §4.2.4).
    ///
    /// ```
    /// use mailtool::wire::http_proxy::RequestHead;
    ///
    /// let head = RequestHead::parse(b"GET http://www.example.org?q HTTP/1.1\r\n\r\n").unwrap();
    /// let (destination, target) = head.absolute().unwrap();
    /// assert_eq!((destination.to_string(), target), ("www.example.org:80".to_owned(), "/?q".to_owned()));
    /// ```
    pub fn absolute(&self) -> Option<(Destination, String)> {
        let (scheme, rest) = self.target.split_once("://")?;
        if !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let destination = Destination::parse(authority).or_else(|| {
            // RFC 3986 §3.2.3: the colon may be there, and nothing behind it.
            let host = authority.strip_suffix(':').unwrap_or(authority);
            let host =
                Host::parse(host).filter(|_| host.starts_with('[') || !host.contains(':'))?;
            Some(Destination { host, port: 80 })
        })?;
        let slash = if path.starts_with('/') { "" } else { "/" };
        // A fragment is no business of a server (RFC 9110 §7.1).
        let path = path.split('#').next().unwrap_or_default();
        Some((destination, format!("{slash}{path}")))
    }

    /// What belongs to this request behind its head.
    ///
    /// # Errors
    /// That cannot be known, or two programs might read it in two ways.
    pub fn body(&self) -> Result<Body, BodyError> {
        Body::of(self.version, &self.fields)
    }

    /// The head that goes on to the server named by an [`RequestHead::absolute`] target: in origin form, without what was
    /// meant for the proxy (RFC 9110 §7.6.1), and with a Host field that names the same server (RFC 9112 §3.2.2). It asks
    /// the server to close behind its answer: there is one request on a connection, and what comes behind its
    /// [`Self::body`] is not passed on.
    pub fn forwarded(&self, destination: &Destination, target: &str) -> Vec<u8> {
        let mut out = format!("{} {target} {}\r\n", self.method, self.version.name()).into_bytes();
        let mut field = |name: &str, value: &[u8]| {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        };
        let authority = destination.to_string();
        let authority = match destination.port {
            80 => authority.strip_suffix(":80").unwrap_or(&authority),
            _ => &authority,
        };
        field("Host", authority.as_bytes());
        for (name, value) in self.fields.iter() {
            let is_named =
                |names: &[&str]| names.iter().any(|other| name.eq_ignore_ascii_case(other));
            // A client that has Connection name one of these would have the server see where the body ends otherwise.
            let is_framing = is_named(&["content-length", "transfer-encoding"]);
            let is_ours = is_named(&HOP_BY_HOP) || self.fields.has_word("connection", name);
            if is_framing || !is_ours {
                field(name, value);
            }
        }
        field(
            "Via",
            format!("{} mailtool", &self.version.name()[5..]).as_bytes(),
        );
        field("Connection", b"close");
        out.extend_from_slice(b"\r\n");
        out
    }
}

/// A request for a connection (RFC 9110 §9.3.6), with the value of Proxy-Authorization if there is one. It is in HTTP/1.0, as
/// OpenBSD's nc and ncat ask: every proxy understands that.
///
/// ```
/// use mailtool::wire::{destination::Destination, http_proxy::connect};
///
/// let destination = Destination::parse("[::1]:25").unwrap();
/// assert_eq!(connect(&destination, None), "CONNECT [::1]:25 HTTP/1.0\r\n\r\n");
/// ```
pub fn connect(destination: &Destination, authorization: Option<&str>) -> String {
    let mut head = format!("CONNECT {destination} HTTP/1.0\r\n");
    if let Some(authorization) = authorization {
        head.push_str("Proxy-Authorization: ");
        head.push_str(authorization);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head
}

/// Without these two of RFC 9110 §7.6.1: Transfer-Encoding and Trailer, for the body goes on as it came.
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "upgrade",
];

fn first_line(head: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'\n', head).map_or(head.len(), |at| at + 1);
    let (line, rest) = head.split_at(end);
    (line.trim_ascii_end(), rest)
}

/// RFC 9110 §5.6.2.
const fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

#[cfg(test)]
mod tests;
