//! Asking a proxy for a connection: three machines, each a [`Prelude`].
//!
//! | machine | we say | the proxy | then |
//! |---|---|---|---|
//! | [`Socks4`] | the request | 90 | done |
//! | | | 91, 92, 93 ... | refused |
//! | [`Socks5`] | the methods that we have | 0: none needed | the request |
//! | | | 2: user and password | those, then as below |
//! | | | anything else | refused |
//! | | user and password | 0 | the request |
//! | | | anything else | refused |
//! | | the request | 0 | done |
//! | | | 1 to 8 ... | refused |
//! | [`HttpConnect`] | `CONNECT` | 1xx | wait on |
//! | | | 2xx | done |
//! | | | 407 | the best of what it offers, once; for Digest with a stale nonce, once more (1) |
//! | | | anything else | refused |
//!
//! "Refused" is an error that says who refused what, and what to do.
//!
//! (1) On the same connection, behind the body of the 407, if the proxy says that it keeps it open, and tells the body's length by a number of at
//! most [`limits::PROXY_BODY`]; else [`Heard::Again`]. The order is Digest with SHA-256, Digest with MD5, Basic.
//!
//! Every octet is taken only when it is known to be the proxy's, so what comes glued to its last answer is left to whom it is for.
//! A machine holds at most one message or head; none can be kept waiting by octets without end.

use std::fmt;
use std::mem;

use super::{Destination, Held, Host, Login};
use crate::limits;
use crate::proto::prelude::{Heard, Prelude, PreludeError, SocksProgress};
use crate::wire::http_proxy::{
    Challenge, Credentials, DigestChallenge, HeadReader, ResponseHead, challenges, connect, hex,
};
use crate::wire::smtp::shown;
use crate::wire::socks::{
    Answer4, Answer5, Choice, Code4, Code5, Command, Greeting, Malformed, Method, Request4,
    Request5, UserPassword, Verdict,
};

/// A connection by SOCKS 4, or 4a for a destination that is a name.
#[derive(Debug)]
pub struct Socks4 {
    destination: Destination,
    request: Vec<u8>,
    held: Held,
}

impl Socks4 {
    /// `user` is sent along, as whoever the proxy may know; there are no passwords in SOCKS 4.
    pub fn new(destination: Destination, user: &str) -> Result<Self, PreludeError> {
        let request = Request4 {
            command: Command::CONNECT,
            destination,
            user: user.as_bytes().to_vec(),
        };
        let mut octets = Vec::new();
        if request.encode(&mut octets) {
            return Ok(Self {
                destination: request.destination,
                request: octets,
                held: Held::default(),
            });
        }
        let Destination { host, port } = &request.destination;
        let in_netcat = format!(
            "getaddrinfo(\"{host}\", \"{port}\"): Address family for hostname not supported"
        );
        let error = PreludeError::new(match host {
            Host::Address(address) => format!(
                "SOCKS 4 cannot ask for the address {address}, only for IPv4 and for names: use SOCKS 5"
            ),
            Host::Name(name) if !request.destination.host.is_sayable() => no_name(name),
            Host::Name(_) => {
                "the user name for SOCKS 4 must have at most 255 octets, and no NUL".to_owned()
            }
        });
        Err(match host {
            Host::Address(_) => error.in_netcat(in_netcat),
            Host::Name(_) => error,
        })
    }
}

impl Prelude for Socks4 {
    fn begin(&mut self, out: &mut Vec<u8>) {
        self.held = Held::default();
        out.extend_from_slice(&self.request);
    }

    fn hear(&mut self, octets: &[u8], _out: &mut Vec<u8>) -> Result<Heard, PreludeError> {
        let mut rest = octets;
        let answer = self.held.read(&mut rest, Answer4::parse);
        match answer.map_err(|malformed| not_socks(4, malformed))? {
            None => Ok(Heard::More),
            Some(Answer4 {
                code: Code4::GRANTED,
                ..
            }) => Ok(done(octets, rest)),
            Some(Answer4 { code, .. }) => Err(PreludeError::new(format!(
                "the SOCKS proxy {}: {} (code {})",
                code.words(),
                self.destination,
                code.0
            ))
            .in_netcat(format!(
                "connection failed, SOCKSv4 error: {}",
                code.netcat()
            ))
            .in_ncat("Proxy connection failed.")),
        }
    }

    fn ended(&self) -> PreludeError {
        hung_up("SOCKS", &self.destination)
            .in_netcat(cut_short(&self.held, 8))
            .in_ncat("Error: short response from proxy.")
    }
}

/// A connection by SOCKS 5. Not all of it is shown when printed for debugging: it holds a password.
pub struct Socks5 {
    destination: Destination,
    /// Encoded by the constructor, where it can still be refused.
    request: Vec<u8>,
    user_password: Option<Vec<u8>>,
    state: State5,
    wants_password: Option<bool>,
    held: Held,
}

#[derive(Clone, Copy, Debug)]
enum State5 {
    Choice,
    Verdict,
    Answer,
}

impl Socks5 {
    /// Without `login`, only a proxy that asks for none will do.
    pub fn new(destination: Destination, login: Option<Login>) -> Result<Self, PreludeError> {
        let request = Request5 {
            command: Command::CONNECT,
            destination,
        };
        let mut octets = Vec::new();
        if !request.encode(&mut octets) {
            return Err(PreludeError::new(no_name(
                &request.destination.host.to_string(),
            )));
        }
        Ok(Self {
            destination: request.destination,
            request: octets,
            user_password: login.map(user_password).transpose()?,
            state: State5::Choice,
            wants_password: None,
            held: Held::default(),
        })
    }

    fn chosen(&mut self, method: Method, out: &mut Vec<u8>) -> Result<(), PreludeError> {
        match (method, &self.user_password) {
            (Method::NONE, _) => {
                self.wants_password = Some(false);
                self.state = State5::Answer;
                out.extend_from_slice(&self.request);
                Ok(())
            }
            (Method::USER_PASSWORD, Some(user_password)) => {
                self.wants_password = Some(true);
                self.state = State5::Verdict;
                out.extend_from_slice(user_password);
                Ok(())
            }
            (Method::USER_PASSWORD, None) => Err(PreludeError::new(WANTS_LOGIN)
                .in_netcat(NO_METHOD)
                .in_ncat("Error: proxy requested to do authentication, but no credentials were provided.")
                .for_want_of_login()),
            (Method::NONE_ACCEPTABLE, None) => Err(PreludeError::new(WANTS_LOGIN)
                .in_netcat(NO_METHOD)
                .in_ncat(NOTHING_ACCEPTABLE)
                .for_want_of_login()),
            (Method::NONE_ACCEPTABLE, Some(_)) => Err(PreludeError::new(
                "the SOCKS proxy takes neither a user name and a password nor nobody at all: it may want GSSAPI, \
                 which is not done here, or connections from elsewhere",
            )
            .in_netcat(NO_METHOD)
            .in_ncat(NOTHING_ACCEPTABLE)),
            (Method(other), _) => Err(PreludeError::new(format!(
                "the SOCKS proxy chose a way to log in that it was not offered (method {other})"
            ))
            .in_netcat(NO_METHOD)
            .in_ncat("Error - can't choose any authentication method.")),
        }
    }
}

impl fmt::Debug for Socks5 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Socks5({}, {:?})", self.destination, self.state)
    }
}

impl Prelude for Socks5 {
    fn begin(&mut self, out: &mut Vec<u8>) {
        self.held = Held::default();
        self.state = State5::Choice;
        self.wants_password = None;
        let mut methods = vec![Method::NONE];
        methods.extend(self.user_password.as_ref().map(|_| Method::USER_PASSWORD));
        Greeting { methods }.encode(out);
    }

    fn hear(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Result<Heard, PreludeError> {
        let mut rest = octets;
        loop {
            let malformed = |malformed| not_socks(5, malformed);
            match self.state {
                State5::Choice => {
                    let choice = self.held.read(&mut rest, Choice::parse);
                    let Some(Choice(method)) = choice.map_err(malformed)? else {
                        return Ok(Heard::More);
                    };
                    self.chosen(method, out)?;
                }
                State5::Verdict => {
                    let verdict = self.held.read(&mut rest, Verdict::parse);
                    match verdict.map_err(malformed)? {
                        None => return Ok(Heard::More),
                        Some(Verdict::Accepted) => {
                            self.state = State5::Answer;
                            out.extend_from_slice(&self.request);
                        }
                        Some(Verdict::Refused) => {
                            return Err(PreludeError::new(
                                "the SOCKS proxy refuses this user name and password: check --proxy-auth",
                            )
                            .in_netcat("Proxy authentication failed")
                            .in_ncat("Error: authentication failed."));
                        }
                    }
                }
                State5::Answer => {
                    let answer = self.held.read(&mut rest, Answer5::parse);
                    return match answer.map_err(malformed)? {
                        None => Ok(Heard::More),
                        Some(Answer5 {
                            code: Code5::SUCCEEDED,
                            ..
                        }) => Ok(done(octets, rest)),
                        Some(Answer5 { code, .. }) => Err(PreludeError::new(format!(
                            "the SOCKS proxy {}: {} (code {})",
                            code.words(),
                            self.destination,
                            code.0
                        ))
                        .in_netcat(format!(
                            "connection failed, SOCKSv5 error: {}",
                            code.netcat()
                        ))
                        .in_ncat(format!("Error: {}.", code.ncat()))),
                    };
                }
            }
        }
    }

    fn log_in(&mut self, user: String, password: String) -> Result<(), PreludeError> {
        self.user_password = Some(user_password(Login { user, password })?);
        Ok(())
    }

    fn socks(&self) -> Option<SocksProgress> {
        Some(SocksProgress {
            wants_password: self.wants_password,
            asked: matches!(self.state, State5::Answer),
        })
    }

    fn ended(&self) -> PreludeError {
        let error = match self.state {
            // Some close instead of saying that no method will do.
            State5::Choice if self.user_password.is_none() => PreludeError::new(
                "the SOCKS proxy closed the connection at once: perhaps it is none, takes nobody from this machine, \
                 or wants a user name and a password (--proxy-auth USER:PASSWORD)",
            )
            .in_netcat(cut_short(&self.held, 3))
            .for_want_of_login(),
            State5::Verdict => PreludeError::new(
                "the SOCKS proxy closed the connection when it was given the user name and the password: check --proxy-auth",
            ),
            State5::Choice => {
                hung_up("SOCKS", &self.destination).in_netcat(cut_short(&self.held, 3))
            }
            State5::Answer => {
                hung_up("SOCKS", &self.destination).in_netcat(cut_short(&self.held, 4))
            }
        };
        error.in_ncat(match self.state {
            State5::Choice => "Error: malformed first response from proxy.",
            State5::Verdict => "Error: malformed proxy authentication response.",
            State5::Answer => "Error: malformed request response from proxy.",
        })
    }
}

fn user_password(login: Login) -> Result<Vec<u8>, PreludeError> {
    let login = UserPassword {
        user: login.user.into_bytes(),
        password: login.password.into_bytes(),
    };
    let mut octets = Vec::new();
    let fits = login.encode(&mut octets);
    fits.then_some(octets).ok_or_else(|| {
        PreludeError::new(
            "SOCKS 5 takes a user name of 1 to 255 octets, and a password of at most 255",
        )
        .in_netcat("Proxy username/password too long")
    })
}

/// A connection by HTTP's CONNECT. Not all of it is shown when printed for debugging: it holds a password.
pub struct HttpConnect {
    destination: Destination,
    login: Option<Login>,
    client_nonce: String,
    /// What the next request says about who we are.
    authorization: Option<String>,
    /// A 407 that could not be answered for want of a login.
    unanswered: Option<ResponseHead>,
    /// What the proxy has been told so far.
    tried: Tried,
    state: StateHttp,
}

#[derive(Debug)]
enum StateHttp {
    Head {
        reader: HeadReader,
        interim: usize,
    },
    /// Octets of a 407's body that have still to come, before the next request's answer.
    Body(u64),
}

impl StateHttp {
    fn head() -> Self {
        Self::Head {
            reader: HeadReader::default(),
            interim: 0,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tried {
    Nothing,
    Once,
    /// Again, after it had said that the nonce was stale.
    Fresh,
}

impl HttpConnect {
    /// `client_nonce` is random; it is used for Digest.
    pub fn new(
        destination: Destination,
        login: Option<Login>,
        client_nonce: [u8; 16],
    ) -> Result<Self, PreludeError> {
        if !destination.host.is_sayable() {
            let error = PreludeError::new(no_name(&destination.host.to_string()));
            return Err(error.in_netcat("Invalid hostname"));
        }
        if let Some(login) = &login {
            check(login)?;
        }
        Ok(Self {
            destination,
            login,
            client_nonce: hex(&client_nonce),
            authorization: None,
            unanswered: None,
            tried: Tried::Nothing,
            state: StateHttp::head(),
        })
    }

    /// Takes a whole head; `Some` once it is decided.
    fn answered(
        &mut self,
        head: &ResponseHead,
        out: &mut Vec<u8>,
    ) -> Result<Option<Heard>, PreludeError> {
        match head.status {
            // RFC 9110 §9.3.6: behind the empty line it is the other side that speaks, whatever the fields say of a body.
            200..=299 => Ok(Some(Heard::Done { used: 0 })),
            407 => {
                self.authorization = Some(self.authorize(head)?);
                let body = head
                    .body_length()
                    .filter(|length| *length <= limits::PROXY_BODY);
                let (true, Some(body)) = (head.keeps_open_for_ten(), body) else {
                    return Ok(Some(Heard::Again));
                };
                self.state = StateHttp::Body(body);
                self.say(out);
                Ok(None)
            }
            // QUIRK: tinyproxy (1.11) says so of a wrong login; that none was given it tells by 407.
            401 if self.tried != Tried::Nothing => Err(login_refused(head)),
            status => Err(PreludeError::new(format!(
                "the HTTP proxy does not connect to {}: {status} {}{}",
                self.destination,
                head.reason(),
                advice(status)
            ))
            .in_netcat(proxy_error(&head.status_line))
            .in_ncat(status_code(head))),
        }
    }

    /// The value of Proxy-Authorization that answers a 407.
    fn authorize(&mut self, head: &ResponseHead) -> Result<String, PreludeError> {
        let offered: Vec<_> = head
            .fields
            .named("proxy-authenticate")
            .flat_map(challenges)
            .collect();
        let Some(login) = &self.login else {
            let error = match login_would_do(&offered) {
                true => WANTS_LOGIN.to_owned(),
                false => unknown_schemes(&offered),
            };
            let error = PreludeError::new(error)
                .in_netcat(proxy_error(&head.status_line))
                .in_ncat(status_code(head));
            self.unanswered = Some(head.clone());
            return Err(match login_would_do(&offered) {
                true => error.for_want_of_login(),
                false => error,
            });
        };
        let digest = offered
            .iter()
            .filter_map(DigestChallenge::read)
            .max_by_key(|challenge| challenge.algorithm);
        self.tried = match (self.tried, &digest) {
            (Tried::Nothing, _) => Tried::Once,
            (Tried::Once, Some(challenge)) if challenge.stale => Tried::Fresh,
            _ => return Err(login_refused(head)),
        };
        if let Some(challenge) = digest {
            let uri = self.destination.to_string();
            let question = challenge.question("CONNECT", &uri, 1, &self.client_nonce);
            return Ok(challenge.answer(&question, &login.user, &login.password));
        }
        if offered.iter().any(|challenge| challenge.is("basic")) {
            return Ok(Credentials::basic(&login.user, &login.password));
        }
        Err(PreludeError::new(unknown_schemes(&offered))
            .in_netcat(proxy_error(&head.status_line))
            .in_ncat("Error getting Proxy-Authenticate challenge."))
    }

    fn say(&self, out: &mut Vec<u8>) {
        let request = connect(&self.destination, self.authorization.as_deref());
        out.extend_from_slice(request.as_bytes());
    }
}

impl fmt::Debug for HttpConnect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "HttpConnect({}, {:?}, {:?})",
            self.destination, self.tried, self.state
        )
    }
}

impl Prelude for HttpConnect {
    fn begin(&mut self, out: &mut Vec<u8>) {
        self.state = StateHttp::head();
        self.say(out);
    }

    fn hear(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Result<Heard, PreludeError> {
        let mut rest = octets;
        loop {
            match &mut self.state {
                StateHttp::Body(left) => {
                    let take = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    rest = &rest[take..];
                    *left -= take as u64;
                    if *left > 0 {
                        return Ok(Heard::More);
                    }
                    self.state = StateHttp::head();
                }
                StateHttp::Head { reader, interim } => {
                    let taken = reader.take(rest).map_err(|error| {
                        not_http(&error.to_string()).in_netcat("proxy read too long")
                    })?;
                    let Some(taken) = taken else {
                        // The first octets tell a server of another kind, which may never end a line.
                        let begins = reader.head();
                        let length = begins.len().min(HTTP.len());
                        if begins[..length] != HTTP[..length] && !begins.starts_with(b"\r") {
                            return Err(not_http(&format!("it says {:?}", shown(begins))));
                        }
                        return Ok(Heard::More);
                    };
                    rest = &rest[taken..];
                    let head = mem::take(reader);
                    let head = ResponseHead::parse(head.head()).map_err(|error| {
                        let line = head.head().split(|&octet| octet == b'\n').next();
                        let line = line.unwrap_or_default().trim_ascii_end();
                        not_http(&format!("{error}, it says {:?}", shown(head.head())))
                            .in_netcat(proxy_error(line))
                    })?;
                    if matches!(head.status, 100..=199) {
                        *interim += 1;
                        if head.status != 101 && *interim <= limits::PROXY_INTERIM {
                            continue;
                        }
                    }
                    match self.answered(&head, out)? {
                        Some(Heard::Done { .. }) => return Ok(done(octets, rest)),
                        Some(heard) => return Ok(heard),
                        None => {}
                    }
                }
            }
        }
    }

    fn log_in(&mut self, user: String, password: String) -> Result<(), PreludeError> {
        let login = Login { user, password };
        check(&login)?;
        self.login = Some(login);
        if let Some(head) = self.unanswered.take() {
            self.authorization = Some(self.authorize(&head)?);
        }
        Ok(())
    }

    fn ended(&self) -> PreludeError {
        let has_begun = match &self.state {
            StateHttp::Head { reader, .. } => !reader.head().is_empty(),
            StateHttp::Body(_) => false,
        };
        hung_up("HTTP", &self.destination)
            .in_netcat("proxy read: Broken pipe")
            .in_ncat(match has_begun {
                true => "Error reading proxy response header.",
                false => "Error reading proxy response Status-Line.",
            })
    }
}

fn check(login: &Login) -> Result<(), PreludeError> {
    let is_odd = login.user.contains(|c: char| c == ':' || c.is_control());
    match is_odd {
        false => Ok(()),
        true => Err(PreludeError::new(
            "a user name for an HTTP proxy can have no colon and no control character (RFC 7617 §2)",
        )),
    }
}

const fn done(octets: &[u8], rest: &[u8]) -> Heard {
    Heard::Done {
        used: octets.len() - rest.len(),
    }
}

fn no_name(name: &str) -> String {
    format!(
        "{:?} is no name of a host that a proxy could be asked for",
        shown(name.as_bytes())
    )
}

fn hung_up(kind: &str, destination: &Destination) -> PreludeError {
    PreludeError::new(format!(
        "the {kind} proxy closed the connection instead of answering whether it connects to {destination}"
    ))
}

fn not_socks(version: u8, malformed: Malformed) -> PreludeError {
    match malformed {
        Malformed::AddressType(kind) => PreludeError::new(format!(
            "the SOCKS proxy says that it connected, from an address of a kind that SOCKS does not have ({kind})"
        ))
        .in_netcat("connection failed, unsupported address type"),
        Malformed::Version(b'H') => PreludeError::new(format!(
            "that is no SOCKS {version} proxy: it answers in HTTP; try --proxy-type http"
        )),
        Malformed::Version(first @ (0 | 4 | 5)) => PreludeError::new(format!(
            "that is no SOCKS {version} proxy: its answer begins with {first}; try --proxy-type socks{}",
            if version == 4 { 5 } else { 4 }
        )),
        Malformed::Version(first) => PreludeError::new(format!(
            "that is no SOCKS {version} proxy: its answer begins with octet {first}"
        )),
        Malformed::Name => PreludeError::new(format!("that is no SOCKS {version} proxy")),
    }
}

fn not_http(why: &str) -> PreludeError {
    PreludeError::new(format!("that is no HTTP proxy: {why}"))
        .in_ncat("Proxy returned status code -1.")
}

fn login_refused(head: &ResponseHead) -> PreludeError {
    PreludeError::new("the HTTP proxy refuses this user name and password: check --proxy-auth")
        .in_netcat("Too many authentication failures")
        .in_ncat(status_code(head))
}

/// `Proxy error: "HTTP/1.1 403 Forbidden"`
fn proxy_error(line: &[u8]) -> String {
    format!("Proxy error: \"{}\"", shown(line))
}

/// What OpenBSD's nc says when an answer ends before that part of it which it reads at once, and errno happens to be so.
fn cut_short(held: &Held, part: usize) -> String {
    format!("read failed ({}/{part}): Broken pipe", held.0.len())
}

/// The same as ncat says it.
fn status_code(head: &ResponseHead) -> String {
    format!("Proxy returned status code {}.", head.status)
}

const fn advice(status: u16) -> &'static str {
    match status {
        400 => " (it did not understand the request: perhaps it is a web server)",
        401 => " (that is how a web server asks for a password: perhaps it is no proxy)",
        403 => " (it does not allow that destination, or connections from here)",
        404 | 405 | 501 => " (it does not do CONNECT: perhaps it is a web server, and no proxy)",
        502 | 503 => " (it cannot reach that host, or nobody listens at that port there)",
        504 => " (it got no answer from there in time)",
        _ => "",
    }
}

/// Whether a user name and a password would help with any of these; nothing at all is taken for Basic.
fn login_would_do(offered: &[Challenge]) -> bool {
    let known =
        |challenge: &Challenge| challenge.is("basic") || DigestChallenge::read(challenge).is_some();
    offered.is_empty() || offered.iter().any(known)
}

fn unknown_schemes(offered: &[Challenge]) -> String {
    let schemes: Vec<_> = offered
        .iter()
        .map(|challenge| shown(challenge.scheme.as_bytes()))
        .collect();
    let schemes = match schemes.len() {
        0 => "nothing".to_owned(),
        _ => shown(schemes.join(", ").as_bytes()),
    };
    format!(
        "the HTTP proxy wants a login, and offers {schemes}; Basic and Digest (MD5, SHA-256) are done here"
    )
}

const WANTS_LOGIN: &str =
    "the proxy wants a user name and a password: give --proxy-auth USER:PASSWORD";
const NO_METHOD: &str = "authentication method negotiation failed";
const NOTHING_ACCEPTABLE: &str = "Error: no acceptable authentication method proposed.";
const HTTP: &[u8] = b"HTTP/";
