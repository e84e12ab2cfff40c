//! Being a proxy: one machine for one connection, up to the moment at which octets only have to be passed on.
//!
//! | [`Kinds`] | state | comes | we say | then |
//! |---|---|---|---|---|
//! | Socks | begin | 4 | | request 4 |
//! | | | 5 | | greeting |
//! | | | a letter, as in HTTP | 400 | close |
//! | | request 4 | CONNECT | | dial |
//! | | | BIND; anything when a login is asked for | 91 | close |
//! | | greeting | the method that will do | it | request 5, or login |
//! | | | others | FF | close |
//! | | login | right | 0 | request 5 |
//! | | | wrong | 1 | close |
//! | | request 5 | CONNECT | | dial |
//! | | | BIND, UDP ASSOCIATE ... | 7 | close |
//! | Http | begin | 4, 5, as in SOCKS | 91, FF | close |
//! | | head | CONNECT, `GET http://...` | | dial |
//! | | | no login, or a wrong one | 407 | close |
//! | | | anything else | 400, 414, 431 | close |
//! | both | dial | [`ProxyServer::connected`] | the reply | pass on, or close |
//!
//! Bounds: a message of SOCKS has at most [`LONGEST`](crate::wire::socks::LONGEST) octets, a head [`limits::PROXY_HEAD`](crate::limits::PROXY_HEAD);
//! there is never more than one of them, and a connection ends with the first that is wrong. How long a client may take is for the
//! caller to watch.
//!
//! A request in absolute form goes on in origin form, and asks the server to close: there is one request on a connection. What
//! comes behind its body is another one, which may be meant for another server, so it is not passed on: whoever sent it sees
//! the connection close, and asks again on the next one (RFC 9112 §9.3.2, §9.6).

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use subtle::ConstantTimeEq;

use super::{Destination, Held, Login};
use crate::wire::http_proxy::{
    Algorithm, Body, Credentials, HeadError, HeadReader, Nonces, RequestHead,
};
use crate::wire::socks::{
    Answer4, Answer5, Choice, Code4, Code5, Command, Greeting, Malformed, Method, Request4,
    Request5, UserPassword, Verdict,
};

/// What clients may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kinds {
    /// SOCKS 4, 4a and 5: each is known by its first octet.
    Socks,
    /// HTTP: CONNECT, and requests in absolute form.
    Http,
}

/// What follows from [`ProxyServer::hear`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// More has to come.
    More,
    /// Dial, and tell [`ProxyServer::connected`] what came of it.
    Connect {
        /// Where to.
        destination: Destination,
        /// The first `used` octets of this call's were the proxy's; the rest goes on to the destination.
        used: usize,
        /// What goes to the destination before that: a rewritten head, or nothing.
        first_words: Vec<u8>,
        /// What of the rest belongs to the request; without it, all of it does.
        body: Option<Body>,
    },
    /// Send what there is to send, and close. [`ProxyServer::complaint`] says why.
    Close,
}

/// Why the destination could not be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyFault {
    /// Nobody listens there.
    Refused,
    /// No way to its network.
    NetworkUnreachable,
    /// No way to it.
    HostUnreachable,
    /// No answer in time.
    TimedOut,
    /// Its name is not known.
    UnknownName,
    /// A rule of this proxy forbids it.
    NotAllowed,
    /// Something else.
    Other,
}

impl From<io::ErrorKind> for ProxyFault {
    fn from(kind: io::ErrorKind) -> Self {
        match kind {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::NetworkUnreachable => Self::NetworkUnreachable,
            io::ErrorKind::HostUnreachable => Self::HostUnreachable,
            io::ErrorKind::TimedOut => Self::TimedOut,
            io::ErrorKind::PermissionDenied => Self::NotAllowed,
            _ => Self::Other,
        }
    }
}

impl ProxyFault {
    /// SOCKS 5 has nothing for a name that is not known; "host unreachable" is what others say.
    const fn code5(self) -> Code5 {
        match self {
            Self::Refused => Code5::REFUSED,
            Self::NetworkUnreachable => Code5::NETWORK_UNREACHABLE,
            Self::HostUnreachable | Self::UnknownName => Code5::HOST_UNREACHABLE,
            Self::TimedOut => Code5::TTL_EXPIRED,
            Self::NotAllowed => Code5::NOT_ALLOWED,
            Self::Other => Code5::FAILURE,
        }
    }

    /// RFC 9110 §15.6.3 and §15.6.5.
    const fn status(self) -> &'static str {
        match self {
            Self::TimedOut => "504 Gateway Timeout",
            Self::NotAllowed => "403 Forbidden",
            _ => "502 Bad Gateway",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Refused => "connection refused: nobody listens at that port there",
            Self::NetworkUnreachable => "network unreachable",
            Self::HostUnreachable => "host unreachable",
            Self::TimedOut => "no answer in time",
            Self::UnknownName => "that name is not known here",
            Self::NotAllowed => "this proxy does not allow it",
            Self::Other => "it failed",
        }
    }
}

/// The machine. See the module.
#[derive(Debug)]
pub struct ProxyServer {
    kinds: Kinds,
    login: Option<Login>,
    digest: Option<Nonces>,
    state: State,
    held: Held,
    complaint: Option<String>,
}

#[derive(Debug)]
enum State {
    Begin,
    Request4,
    Greeting,
    Login,
    Request5,
    Head(HeadReader),
    Dial(Reply, Destination),
    Over,
}

/// How the client is told what came of dialling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    Socks4,
    Socks5,
    Tunnel,
    /// The server's own answer is the reply, and only a failure is ours.
    Forward(Shown),
}

/// Whether a response has its body (RFC 9110 §9.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    All,
    /// It answers HEAD.
    Head,
}

/// What a step made of what there is.
enum Step {
    /// There is not enough.
    More,
    /// Go on with what is left.
    Next(State),
    Dial(Reply, Destination, Vec<u8>, Option<Body>),
    /// Why.
    Close(String),
}

impl ProxyServer {
    /// For a new connection. With `login`, everybody must log in: with a password in SOCKS 5, with Basic in HTTP.
    pub const fn new(kinds: Kinds, login: Option<Login>) -> Self {
        Self {
            kinds,
            login,
            digest: None,
            state: State::Begin,
            held: Held::new(),
            complaint: None,
        }
    }

    /// Offers Digest, too, with SHA-256 and with MD5.
    pub fn with_digest(self, nonces: Nonces) -> Self {
        Self {
            digest: Some(nonces),
            ..self
        }
    }

    /// Takes what arrived (only octets not seen before), and appends what is to be said to the client. Not to be called again once
    /// it has said [`Asked::Connect`] or [`Asked::Close`].
    pub fn hear(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Asked {
        let mut rest = octets;
        loop {
            match self.step(&mut rest, out) {
                Step::More => return Asked::More,
                Step::Next(state) => self.state = state,
                Step::Dial(reply, destination, first_words, body) => {
                    self.state = State::Dial(reply, destination.clone());
                    return Asked::Connect {
                        destination,
                        used: octets.len() - rest.len(),
                        first_words,
                        body,
                    };
                }
                Step::Close(complaint) => {
                    self.state = State::Over;
                    self.complaint = Some(complaint);
                    return Asked::Close;
                }
            }
        }
    }

    /// What came of dialling: this end's address on the way to the destination, or why there is none. Appends the reply; after a
    /// failure, the connection is to be closed behind it (RFC 1928 §6: within ten seconds).
    pub fn connected(&mut self, result: Result<SocketAddr, ProxyFault>, out: &mut Vec<u8>) {
        let State::Dial(reply, destination) = std::mem::replace(&mut self.state, State::Over)
        else {
            return;
        };
        if let Err(fault) = result {
            self.complaint = Some(format!(
                "cannot connect to {destination}: {}",
                fault.words()
            ));
        }
        match (reply, result) {
            (Reply::Socks4, Ok(SocketAddr::V4(bound))) => {
                let code = Code4::GRANTED;
                Answer4 { code, bound }.encode(out);
            }
            (Reply::Socks4, Ok(_)) => answer4(Code4::GRANTED, out),
            (Reply::Socks4, Err(_)) => answer4(Code4::REJECTED, out),
            (Reply::Socks5, Ok(bound)) => Answer5 {
                code: Code5::SUCCEEDED,
                bound: Some(bound),
            }
            .encode(out),
            (Reply::Socks5, Err(fault)) => answer5(fault.code5(), out),
            // QUIRK: OpenBSD's nc takes no other status than 200, and wants the space behind it.
            (Reply::Tunnel, Ok(_)) => {
                out.extend_from_slice(b"HTTP/1.1 200 Connection established\r\n\r\n");
            }
            (Reply::Forward(_), Ok(_)) => {}
            (Reply::Tunnel | Reply::Forward(_), Err(fault)) => {
                let shown = match reply {
                    Reply::Forward(shown) => shown,
                    _ => Shown::All,
                };
                let words = format!("Cannot connect to {destination}: {}.", fault.words());
                respond(fault.status(), &[], &words, shown, out);
            }
        }
    }

    /// Why the connection is closed, for a log; free of what a terminal would obey.
    pub fn complaint(&self) -> Option<&str> {
        self.complaint.as_deref()
    }

    fn step(&mut self, rest: &mut &[u8], out: &mut Vec<u8>) -> Step {
        match &mut self.state {
            State::Begin => match rest.first() {
                Some(first) => self.begin(*first, out),
                None => Step::More,
            },
            State::Request4 => match self.held.read(rest, Request4::parse) {
                Ok(None) => Step::More,
                Ok(Some(request)) => self.request4(request, out),
                Err(_) => {
                    answer4(Code4::REJECTED, out);
                    Step::Close("a SOCKS 4 request for a name that is none".to_owned())
                }
            },
            State::Greeting => match self.held.read(rest, Greeting::parse) {
                Ok(None) => Step::More,
                Ok(Some(greeting)) => self.greeting(&greeting, out),
                Err(_) => Step::Close("a greeting that is not SOCKS 5".to_owned()),
            },
            State::Login => match self.held.read(rest, UserPassword::parse) {
                Ok(None) => Step::More,
                Ok(Some(sent)) if self.is_login(&sent) => {
                    Verdict::Accepted.encode(out);
                    Step::Next(State::Request5)
                }
                Ok(Some(_)) | Err(_) => {
                    Verdict::Refused.encode(out);
                    Step::Close("a wrong user name or password".to_owned())
                }
            },
            State::Request5 => match self.held.read(rest, Request5::parse) {
                Ok(None) => Step::More,
                Ok(Some(request)) => request5(request, out),
                Err(malformed) => {
                    let (code, why) = match malformed {
                        Malformed::AddressType(_) => (
                            Code5::ADDRESS_TYPE_NOT_SUPPORTED,
                            "an address of a kind that SOCKS does not have",
                        ),
                        Malformed::Name => (Code5::HOST_UNREACHABLE, "a name that is none"),
                        Malformed::Version(_) => (Code5::FAILURE, "not a request of SOCKS 5"),
                    };
                    answer5(code, out);
                    Step::Close(why.to_owned())
                }
            },
            State::Head(reader) => match reader.take(rest) {
                Ok(None) => Step::More,
                Ok(Some(used)) => {
                    *rest = &rest[used..];
                    let head = RequestHead::parse(reader.head());
                    match head {
                        Ok(head) => self.request(&head, out),
                        Err(error) => bad_head(error, out),
                    }
                }
                Err(error) => bad_head(error, out),
            },
            State::Dial(..) | State::Over => Step::More,
        }
    }

    /// The first octet tells what a client speaks.
    fn begin(&self, first: u8, out: &mut Vec<u8>) -> Step {
        match (self.kinds, first) {
            (Kinds::Socks, 4) => Step::Next(State::Request4),
            (Kinds::Socks, 5) => Step::Next(State::Greeting),
            (Kinds::Socks, b'A'..=b'Z') => {
                let words = "This is a SOCKS proxy, not an HTTP proxy.";
                respond("400 Bad Request", &[], words, Shown::All, out);
                Step::Close("a request that looks like HTTP".to_owned())
            }
            (Kinds::Socks, _) => Step::Close(format!("not SOCKS: begins with octet {first}")),
            (Kinds::Http, 4) => {
                answer4(Code4::REJECTED, out);
                Step::Close("SOCKS 4, and this is an HTTP proxy".to_owned())
            }
            (Kinds::Http, 5) => {
                Choice(Method::NONE_ACCEPTABLE).encode(out);
                Step::Close("SOCKS 5, and this is an HTTP proxy".to_owned())
            }
            (Kinds::Http, _) => Step::Next(State::Head(HeadReader::default())),
        }
    }

    fn request4(&self, request: Request4, out: &mut Vec<u8>) -> Step {
        if self.login.is_some() {
            answer4(Code4::REJECTED, out);
            return Step::Close("SOCKS 4, which has no passwords, and one is asked for".to_owned());
        }
        if request.command != Command::CONNECT {
            answer4(Code4::REJECTED, out);
            return Step::Close(not_done(request.command));
        }
        Step::Dial(Reply::Socks4, request.destination, Vec::new(), None)
    }

    fn greeting(&self, greeting: &Greeting, out: &mut Vec<u8>) -> Step {
        let (method, next) = match self.login {
            Some(_) => (Method::USER_PASSWORD, State::Login),
            None => (Method::NONE, State::Request5),
        };
        if greeting.methods.contains(&method) {
            Choice(method).encode(out);
            return Step::Next(next);
        }
        Choice(Method::NONE_ACCEPTABLE).encode(out);
        Step::Close(match self.login {
            Some(_) => "no user name and password were offered".to_owned(),
            None => "a login was insisted on, and there is none here".to_owned(),
        })
    }

    fn is_login(&self, sent: &UserPassword) -> bool {
        self.login.as_ref().is_some_and(|login| {
            let user = sent.user.ct_eq(login.user.as_bytes());
            bool::from(user & sent.password.ct_eq(login.password.as_bytes()))
        })
    }

    fn request(&self, head: &RequestHead, out: &mut Vec<u8>) -> Step {
        let shown = match &*head.method {
            "HEAD" => Shown::Head,
            _ => Shown::All,
        };
        let absolute = head.absolute();
        let origin_form = absolute.as_ref().map(|(_, target)| target.as_str());
        if let Err(stale) = self.authorize(head, origin_form) {
            let fields = self.challenge(stale);
            let words = "This proxy wants a user name and a password.";
            respond(
                "407 Proxy Authentication Required",
                &fields,
                words,
                shown,
                out,
            );
            return Step::Close(match (stale, head.fields.named(AUTHORIZATION).next()) {
                (Stale::Yes, _) => "a login with an old nonce".to_owned(),
                (Stale::No, Some(_)) => "a wrong user name or password".to_owned(),
                (Stale::No, None) => "no user name and password yet".to_owned(),
            });
        }
        let refuse = |words: &str, out: &mut Vec<u8>| {
            respond("400 Bad Request", &[], words, shown, out);
            Step::Close(words.to_owned())
        };
        if head.method == "CONNECT" {
            return match Destination::parse(&head.target) {
                Some(destination) => Step::Dial(Reply::Tunnel, destination, Vec::new(), None),
                None => refuse("CONNECT takes HOST:PORT, and this is none.", out),
            };
        }
        match absolute {
            Some((destination, target)) => {
                let request_body = match head.body() {
                    Ok(body) => body,
                    Err(error) => {
                        let words = format!("The end of that request cannot be known: {error}.");
                        return refuse(&words, out);
                    }
                };
                let first_words = head.forwarded(&destination, &target);
                let reply = Reply::Forward(shown);
                Step::Dial(reply, destination, first_words, Some(request_body))
            }
            None => refuse(
                "This is a proxy: ask it for http://HOST/..., or CONNECT for anything else.",
                out,
            ),
        }
    }

    /// RFC 9110 §11.7. A client may name the target of a Digest in either form: curl writes the origin form.
    fn authorize(&self, head: &RequestHead, origin_form: Option<&str>) -> Result<(), Stale> {
        let Some(Login { user, password }) = &self.login else {
            return Ok(());
        };
        let mut sent = head.fields.named(AUTHORIZATION);
        let Some(sent) = sent.next().and_then(Credentials::parse) else {
            return Err(Stale::No);
        };
        if sent.is_basic_of(user, password) {
            return Ok(());
        }
        let targets = [&head.target, origin_form.unwrap_or(&head.target)];
        let is_digest = sent.is_digest_of(user, password, REALM, &head.method, &targets);
        match (is_digest, &self.digest, sent.nonce()) {
            (true, Some(nonces), Some(nonce)) if nonces.is_fresh(nonce) => Ok(()),
            // RFC 7616 §3.3: only for who knows the password, whatever nonce it was.
            (true, Some(_), Some(_)) => Err(Stale::Yes),
            _ => Err(Stale::No),
        }
    }

    /// Fields of a 407. A client takes the strongest, as ours does, or the first of a scheme.
    ///
    /// QUIRK: ncat (7.93) and curl (7.88) look at no second Digest, and ncat fails if the first is not MD5. RFC 7616 §3.7 has the
    /// order of preference, which would be SHA-256 first; here who knows both is asked to choose.
    fn challenge(&self, stale: Stale) -> Vec<String> {
        let mut fields = Vec::new();
        if let Some(nonces) = &self.digest {
            let stale = match stale {
                Stale::Yes => ", stale=true",
                Stale::No => "",
            };
            let nonce = nonces.fresh();
            fields.extend([Algorithm::Md5, Algorithm::Sha256].map(|algorithm| {
                format!(
                    "Proxy-Authenticate: Digest realm=\"{REALM}\", qop=\"auth\", algorithm={}, nonce=\"{nonce}\"{stale}",
                    algorithm.name()
                )
            }));
        }
        fields.push(format!(
            "Proxy-Authenticate: Basic realm=\"{REALM}\", charset=\"UTF-8\""
        ));
        fields
    }
}

/// Whether a Digest was right but for its nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stale {
    Yes,
    No,
}

fn request5(request: Request5, out: &mut Vec<u8>) -> Step {
    if request.command != Command::CONNECT {
        answer5(Code5::COMMAND_NOT_SUPPORTED, out);
        return Step::Close(not_done(request.command));
    }
    Step::Dial(Reply::Socks5, request.destination, Vec::new(), None)
}

fn not_done(command: Command) -> String {
    match command {
        Command::BIND => "BIND, which is not done here".to_owned(),
        Command::UDP_ASSOCIATE => "UDP ASSOCIATE, which is not done here".to_owned(),
        Command(other) => format!("a command that SOCKS does not have ({other})"),
    }
}

fn bad_head(error: HeadError, out: &mut Vec<u8>) -> Step {
    // RFC 6585 §5, RFC 9112 §3
    let status = match error {
        HeadError::FirstLineTooLong => "414 URI Too Long",
        HeadError::TooLong => "431 Request Header Fields Too Large",
        HeadError::FirstLine | HeadError::Field => "400 Bad Request",
    };
    respond(
        status,
        &[],
        &format!("That is no request of HTTP/1: {error}."),
        Shown::All,
        out,
    );
    Step::Close(format!("no request: {error}"))
}

fn answer4(code: Code4, out: &mut Vec<u8>) {
    let bound = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);
    Answer4 { code, bound }.encode(out);
}

fn answer5(code: Code5, out: &mut Vec<u8>) {
    Answer5 { code, bound: None }.encode(out);
}

/// A response of our own, with a line for people. The connection closes behind it.
fn respond(status: &str, fields: &[String], words: &str, shown: Shown, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("HTTP/1.1 {status}\r\n").as_bytes());
    for field in fields {
        out.extend_from_slice(field.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    let length = words.len() + 1;
    out.extend_from_slice(
        format!(
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        )
        .as_bytes(),
    );
    if shown == Shown::All {
        out.extend_from_slice(words.as_bytes());
        out.push(b'\n');
    }
}

const REALM: &str = "mailtool";
const AUTHORIZATION: &str = "proxy-authorization";
