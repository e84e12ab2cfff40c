//! POP3, the client's side: logs in, makes its requests, says QUIT (RFC 1939, RFC 2449, RFC 2595 §4, RFC 5034).
//!
//! | state | said | then |
//! |---|---|---|
//! | greeting | | `CAPA` |
//! | capabilities | `CAPA` | `STLS` if the plan asks for it and TLS is not up, else login |
//! | upgrade | `STLS` | TLS, `CAPA` again: what was learnt before is forgotten |
//! | login | the best mechanism of `AUTH`, else `USER` and `PASS`; or what was asked for by name, `APOP` too | the requests |
//! | transaction | the requests, many at once when the server has PIPELINING | `QUIT` |
//! | update | `QUIT` | closed |
//!
//! Which replies have more than one line is [`Request::is_multi_line`]: that table is what clients get wrong, and then
//! wait for a dot that never comes. Messages are written to the sink as they come, with CRLF line ends, and are never held.

mod collect;
mod request;

use std::collections::VecDeque;
use std::time::Instant;

use self::collect::Collection;
use crate::limits;
use crate::proto::client::{CONNECTING, Failure, GREETING, Lasting, Plan, Refusal, Sink, Upgrade};
use crate::proto::{Input, Out, Session};
use crate::wire::json;
use crate::wire::lines::Want;
use crate::wire::pop3_reply::{Code, Reply, two_numbers, unique_id};
use crate::wire::sasl::apop_digest;
use crate::wire::sasl_client::{Exchange, Mechanism, Privacy};

pub use self::collect::{Form, Listed, Pick, Picked, Then};
pub use self::request::Request;

/// How to log in.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// What was asked for; else the best that the server offers.
    pub way: Option<Way>,
    /// Printable, without commas, never used before: for SCRAM, which is not chosen without.
    pub nonce: String,
}

/// A way to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `USER` and `PASS`
    User,
    /// `APOP` (RFC 1939 §7). Never chosen by itself: a greeting promises it for all accounts, also where it fails for some.
    Apop,
    /// `AUTH` (RFC 5034)
    Mechanism(Mechanism),
}

impl std::str::FromStr for Way {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        if name.eq_ignore_ascii_case("USER") {
            return Ok(Self::User);
        }
        if name.eq_ignore_ascii_case("APOP") {
            return Ok(Self::Apop);
        }
        Mechanism::named(name).map(Self::Mechanism).ok_or_else(|| {
            let names: Vec<_> = Mechanism::every().map(Mechanism::name).collect();
            format!("there are USER, APOP, {}", names.join(", "))
        })
    }
}

/// A client session. Ask for [`Self::into_failures`] when the connection has ended.
pub struct Client<'a> {
    plan: Plan,
    login: Login,
    /// What the greeting has for APOP, brackets included.
    timestamp: Option<Vec<u8>>,
    /// What is under way, and its first response while that waits for the challenge.
    exchange: Option<(Exchange, Option<String>)>,
    sink: &'a mut dyn Sink,
    form: Form,
    state: State,
    capabilities: Capabilities,
    /// Not yet sent.
    to_send: VecDeque<Request>,
    /// Sent; the first is being answered.
    sent: VecDeque<Request>,
    /// A DELE was accepted: only the answer to QUIT makes it true.
    deletes: Deletes,
    collection: Collection<'a>,
    greeting: String,
    /// The version of TLS, if there is any.
    tls: &'static str,
    /// To which certificate a login over it can be bound.
    end_point: Option<Box<[u8]>>,
    /// Lines of CAPA's list.
    list: Vec<String>,
    /// Messages that are there, or that came.
    found: u64,
    /// Items of JSON that were written.
    items: u64,
    failures: Vec<Failure>,
    deadline: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not connected, or TLS is being started.
    Waiting,
    Greeting,
    /// The first line of CAPA's reply.
    Capa,
    /// The lines after it.
    CapaList,
    Stls,
    Auth,
    Apop,
    User,
    Pass,
    /// The first line of the first request's reply.
    Reply,
    /// The lines after it: a listing.
    Listing,
    /// The lines after it: a message.
    Message,
    Quit,
    Closed,
}

#[derive(Clone, Debug, Default)]
struct Capabilities {
    stls: bool,
    user: bool,
    /// Names of mechanisms, with spaces between them.
    sasl: String,
    pipelining: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deletes {
    None,
    Pending,
}

impl<'a> Client<'a> {
    /// A session that logs in as `plan` says, makes `requests` in their order, and writes what it gets to `sink`.
    pub fn new(
        plan: Plan,
        requests: impl IntoIterator<Item = Request>,
        sink: &'a mut dyn Sink,
    ) -> Self {
        Self {
            plan,
            login: Login::default(),
            timestamp: None,
            exchange: None,
            sink,
            form: Form::Lines,
            state: State::Waiting,
            capabilities: Capabilities::default(),
            to_send: requests.into_iter().collect(),
            sent: VecDeque::new(),
            deletes: Deletes::None,
            collection: Collection::default(),
            greeting: String::new(),
            tls: "",
            end_point: None,
            list: Vec::new(),
            found: 0,
            items: 0,
            failures: Vec::new(),
            deadline: None,
        }
    }

    /// The same, which logs in like this.
    #[must_use]
    pub fn with_login(mut self, login: Login) -> Self {
        self.login = login;
        self
    }

    /// The same, which writes what it gets so.
    #[must_use]
    pub const fn writing(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// How many messages there are, or came: the number of STAT, the lines of LIST and UIDL, the messages that were whole.
    pub const fn found(&self) -> u64 {
        self.found
    }

    /// What went wrong, in order; nothing when all went well.
    pub fn into_failures(mut self) -> Vec<Failure> {
        if self.state != State::Closed && !self.is_done() {
            self.failures.push(Failure::Lost { step: self.step() });
        }
        self.failures
    }

    fn line(&mut self, line: &[u8], out: &mut Out) {
        match self.state {
            State::CapaList => return self.capability(line, out),
            State::Listing => return self.listed(line, out),
            State::Waiting | State::Message | State::Closed => return,
            _ => {}
        }
        let Some(reply) = Reply::parse(line) else {
            return self.give_up(Failure::protocol(self.step(), line), out);
        };
        match (self.state, reply) {
            (State::Greeting, Reply::Positive(text)) => {
                self.timestamp = timestamp(text);
                self.greeting = String::from_utf8_lossy(text).into_owned();
                self.ask_capabilities(out);
            }
            (State::Greeting, Reply::Negative { code, text }) => {
                let refusal = Refusal::new(self.step(), text, lasting(code));
                self.give_up(Failure::Refused(refusal), out);
            }
            (State::Capa, Reply::Positive(_)) => self.state = State::CapaList,
            // A server older than CAPA (RFC 2449 §5).
            (State::Capa, Reply::Negative { .. }) => self.upgrade_or_login(out),
            (State::Stls, Reply::Positive(_)) => {
                self.state = State::Waiting;
                out.start_tls();
            }
            (State::Stls, Reply::Negative { .. }) => self.give_up(Failure::NoTls, out),
            (State::User, Reply::Positive(_)) => {
                self.state = State::Pass;
                out.secret_line(b"PASS ", self.plan.password.as_bytes());
            }
            (State::Auth, Reply::Continue(challenge)) => self.respond(challenge, out),
            (State::Auth, Reply::Positive(text)) => self.accepted(text, out),
            (State::Apop | State::Pass, Reply::Positive(_)) => self.send_requests(out),
            (
                State::User | State::Pass | State::Apop | State::Auth,
                Reply::Negative { code, text },
            ) => {
                let refusal = Refusal::new(self.step(), text, lasting(code));
                self.give_up(Failure::Login(refusal), out);
            }
            (State::Reply, Reply::Positive(text)) => self.positive(text, out),
            (State::Reply, Reply::Negative { code, text }) => self.negative(code, text, out),
            (State::Quit, Reply::Positive(_)) => self.close(out),
            (State::Quit, Reply::Negative { code, text }) => {
                // RFC 1939 §6: some of the messages marked as deleted may still be there.
                let refusal = Refusal::new("QUIT", text, lasting(code));
                self.give_up(Failure::Command(refusal), out);
            }
            _ => self.give_up(Failure::protocol(self.step(), line), out),
        }
    }

    fn ask_capabilities(&mut self, out: &mut Out) {
        self.capabilities = Capabilities::default();
        self.list.clear();
        self.state = State::Capa;
        out.line(b"CAPA");
    }

    /// One line of CAPA's list (RFC 2449 §6): a keyword and its parameters.
    fn capability(&mut self, line: &[u8], out: &mut Out) {
        if line == b"." {
            return self.upgrade_or_login(out);
        }
        let mut words = line
            .split(|&byte| byte == b' ')
            .filter(|word| !word.is_empty());
        let keyword = words.next().unwrap_or_default();
        self.keep_line(line);
        if keyword.eq_ignore_ascii_case(b"STLS") {
            self.capabilities.stls = true;
        } else if keyword.eq_ignore_ascii_case(b"USER") {
            self.capabilities.user = true;
        } else if keyword.eq_ignore_ascii_case(b"PIPELINING") {
            self.capabilities.pipelining = true;
        } else if keyword.eq_ignore_ascii_case(b"SASL") {
            let names: Vec<_> = words.map(String::from_utf8_lossy).collect();
            self.capabilities.sasl = names.join(" ");
        }
    }

    fn upgrade_or_login(&mut self, out: &mut Out) {
        let may_stay = self.plan.upgrade == Upgrade::IfOffered && !self.capabilities.stls;
        if self.plan.upgrade == Upgrade::Never || may_stay {
            return self.login(out);
        }
        if !self.capabilities.stls {
            return self.give_up(Failure::NoTls, out);
        }
        self.state = State::Stls;
        out.line(b"STLS");
    }

    fn login(&mut self, out: &mut Out) {
        let external = Some(Way::Mechanism(Mechanism::External));
        if self.plan.user.is_empty() && self.login.way != external {
            return self.send_requests(out);
        }
        let offered = self.capabilities.sasl.split(' ');
        let able = offered.filter(|name| {
            let scram = Mechanism::named(name).is_some_and(Mechanism::is_scram);
            !scram || !self.login.nonce.is_empty()
        });
        let able = able.collect::<Vec<_>>().join(" ");
        match (self.login.way, Mechanism::best(&able, Privacy::Private)) {
            (Some(Way::Mechanism(mechanism)), _) => {
                if mechanism.is_among(&self.capabilities.sasl) {
                    self.auth(mechanism, out);
                } else {
                    let why = "the server does not offer this mechanism (CAPA lists those that it does, after SASL)";
                    self.give_up(Failure::Unsendable(why), out);
                }
            }
            (Some(Way::Apop), _) => self.apop(out),
            (None, Some(mechanism)) => self.auth(mechanism, out),
            (Some(Way::User), _) | (None, None) => self.user(out),
        }
    }

    fn auth(&mut self, mechanism: Mechanism, out: &mut Out) {
        let (user, password) = (&self.plan.user, &self.plan.password);
        let end_point = self.end_point.as_deref().unwrap_or_default();
        let (exchange, initial) =
            Exchange::bound(mechanism, user, password, &self.login.nonce, end_point);
        let command = format!("AUTH {} ", mechanism.name());
        self.state = State::Auth;
        match initial {
            // RFC 5034 §4 gives the whole command the 255 octets of RFC 2449 §4.
            Some(initial) if command.len() + initial.len() + 2 <= COMMAND_LINE => {
                out.secret_line(command.as_bytes(), initial.as_bytes());
                self.exchange = Some((exchange, None));
            }
            initial => {
                out.line(command.trim_ascii_end().as_bytes());
                self.exchange = Some((exchange, initial));
            }
        }
    }

    /// A challenge.
    fn respond(&mut self, challenge: &[u8], out: &mut Out) {
        let Some((exchange, initial)) = &mut self.exchange else {
            return self.give_up(Failure::protocol(self.step(), challenge), out);
        };
        let challenge = String::from_utf8_lossy(challenge);
        let response = match initial.take() {
            Some(initial) => Ok(initial),
            None => exchange.answer(&challenge),
        };
        match response {
            Ok(response) => out.secret_line(b"", response.as_bytes()),
            Err(fault) => {
                out.line(b"*");
                let said = fault.to_string();
                let refusal = Refusal::new(self.step(), said.as_bytes(), Lasting::Permanent);
                self.give_up(Failure::Login(refusal), out);
            }
        }
    }

    fn accepted(&mut self, text: &[u8], out: &mut Out) {
        let text = String::from_utf8_lossy(text);
        let fault = self
            .exchange
            .take()
            .and_then(|(exchange, _)| exchange.accepted(&text).err());
        match fault {
            None => self.send_requests(out),
            Some(fault) => {
                let said = fault.to_string();
                let refusal = Refusal::new(self.step(), said.as_bytes(), Lasting::Permanent);
                self.give_up(Failure::Login(refusal), out);
            }
        }
    }

    fn apop(&mut self, out: &mut Out) {
        let Some(timestamp) = &self.timestamp else {
            let why =
                "the greeting has no <...> to hash with the password: APOP does not work there";
            return self.give_up(Failure::Unsendable(why), out);
        };
        if unsayable(&self.plan.user) || self.plan.user.contains(' ') {
            let why = "APOP cannot carry a name with a space, a line end or a NUL in it";
            return self.give_up(Failure::Unsendable(why), out);
        }
        let digest = apop_digest(timestamp, self.plan.password.as_bytes());
        let digest: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
        self.state = State::Apop;
        let command = format!("APOP {} ", self.plan.user);
        out.secret_line(command.as_bytes(), digest.as_bytes());
    }

    fn user(&mut self, out: &mut Out) {
        // RFC 2595 §4: such a server does not offer USER. One without CAPA offers nothing at all.
        if self.capabilities.stls && !self.capabilities.user {
            return self.give_up(Failure::TlsFirst, out);
        }
        if unsayable(&self.plan.user) || unsayable(&self.plan.password) {
            let why =
                "USER and PASS cannot carry a name or a password with a line end or a NUL in it";
            return self.give_up(Failure::Unsendable(why), out);
        }
        self.state = State::User;
        out.line(format!("USER {}", self.plan.user).as_bytes());
    }

    /// Sends as many requests as may be under way, and QUIT after the last answer.
    fn send_requests(&mut self, out: &mut Out) {
        let window = if self.capabilities.pipelining {
            limits::PIPELINE
        } else {
            1
        };
        while self.sent.len() < window
            && let Some(request) = self.to_send.pop_front()
        {
            out.line(request.to_string().as_bytes());
            self.sent.push_back(request);
        }
        if self.sent.is_empty() {
            if self.collect(out) {
                return;
            }
            self.state = State::Quit;
            out.line(b"QUIT");
        } else {
            self.state = State::Reply;
        }
    }

    fn positive(&mut self, text: &[u8], out: &mut Out) {
        let Some(&request) = self.sent.front() else {
            return self.give_up(Failure::protocol("nothing", text), out);
        };
        match request {
            Request::List(None) | Request::Uidl(None) => self.state = State::Listing,
            Request::Capa => {
                self.list.clear();
                self.state = State::Listing;
            }
            Request::Noop | Request::Rset => {
                if request == Request::Rset {
                    self.deletes = Deletes::None;
                }
                self.answered(out);
            }
            Request::Top { .. } | Request::Retr(_) => self.state = State::Message,
            Request::Dele(_) => {
                self.deletes = Deletes::Pending;
                self.answered(out);
            }
            Request::Stat | Request::List(Some(_)) | Request::Uidl(Some(_)) => {
                if self.write_entry(request, text, out) {
                    self.answered(out);
                }
            }
        }
    }

    fn negative(&mut self, code: Option<Code>, text: &[u8], out: &mut Out) {
        if let Some(&request) = self.sent.front()
            && !self.does_without(request)
        {
            let refusal = Refusal::new(request, text, lasting(code));
            self.failures
                .push(if request.names_message() && code.is_none() {
                    Failure::Negative(refusal)
                } else {
                    Failure::Command(refusal)
                });
        }
        self.answered(out);
    }

    /// A line of a listing. Dots were stuffed there too (RFC 1939 §3), though no number begins with one.
    fn listed(&mut self, line: &[u8], out: &mut Out) {
        let Some(&request) = self.sent.front() else {
            return self.give_up(Failure::protocol("nothing", line), out);
        };
        if line == b"." {
            return self.list_ends(request, out);
        }
        if request == Request::Capa {
            self.keep_line(line);
        } else {
            self.write_entry(request, line, out);
        }
    }

    /// Writes numbers and ids as they were understood, never as they came. False when the session is over.
    fn write_entry(&mut self, request: Request, text: &[u8], out: &mut Out) -> bool {
        let number = match request {
            Request::Uidl(_) => unique_id(text).map(|(number, id)| {
                let id = String::from_utf8_lossy(id);
                (number, id.clone().into_owned(), json::string(&id))
            }),
            _ => two_numbers(text)
                .map(|(first, second)| (first, second.to_string(), second.to_string())),
        };
        let Some((number, value, as_json)) = number else {
            self.give_up(Failure::protocol(request, text), out);
            return false;
        };
        self.found = match request {
            Request::Stat => number,
            _ => self.found + 1,
        };
        if self.collects(request, number, &value) {
            return true;
        }
        let (first, second) = match request {
            Request::Stat => ("messages", "octets"),
            Request::Uidl(_) => ("message", "id"),
            _ => ("message", "octets"),
        };
        let entry = match (self.form, request) {
            (Form::Lines, _) => format!("{number} {value}\n"),
            (Form::Json, _) => {
                let object = json::object(&[(first, number.to_string()), (second, as_json)]);
                match request {
                    Request::Stat => object + "\n",
                    Request::List(Some(_)) | Request::Uidl(Some(_)) => format!("[{object}]\n"),
                    _ => {
                        let before = if self.items == 0 { "[" } else { ",\n " };
                        self.items += 1;
                        format!("{before}{object}")
                    }
                }
            }
        };
        self.write(entry.as_bytes(), out)
    }

    /// False when the session is over.
    fn write(&mut self, bytes: &[u8], out: &mut Out) -> bool {
        match self.sink.write_all(bytes) {
            Ok(()) => true,
            Err(error) => {
                self.give_up(Failure::Sink(error), out);
                false
            }
        }
    }

    /// The first request is done.
    fn answered(&mut self, out: &mut Out) {
        self.sent.pop_front();
        self.send_requests(out);
    }

    /// Whether a server that no longer answers has done all that was asked for: not where it still has to delete.
    fn is_done(&self) -> bool {
        self.state == State::Quit && self.deletes == Deletes::None
    }

    fn ended(&mut self, out: &mut Out) {
        if self.is_done() {
            self.close(out);
        } else if self.state != State::Closed {
            self.give_up(Failure::Lost { step: self.step() }, out);
        }
    }

    fn give_up(&mut self, failure: Failure, out: &mut Out) {
        self.failures.push(failure);
        self.close(out);
    }

    fn close(&mut self, out: &mut Out) {
        self.state = State::Closed;
        self.deadline = None;
        out.close();
    }

    /// What the server is to answer now, for messages. Never a secret.
    fn step(&self) -> String {
        match self.state {
            State::Waiting => CONNECTING.into(),
            State::Greeting => GREETING.into(),
            State::Capa | State::CapaList => "CAPA".into(),
            State::Stls => "STLS".into(),
            State::Auth => self.exchange.as_ref().map_or_else(
                || "AUTH".into(),
                |(exchange, _)| format!("AUTH {}", exchange.mechanism().name()),
            ),
            State::Apop => format!("APOP {}", self.plan.user),
            State::User => format!("USER {}", self.plan.user),
            State::Pass => "PASS".into(),
            State::Reply | State::Listing | State::Message => self
                .sent
                .front()
                .map_or_else(String::new, Request::to_string),
            State::Quit => "QUIT".into(),
            State::Closed => "the end".into(),
        }
    }
}

impl Session for Client<'_> {
    fn want(&self) -> Want {
        match self.state {
            State::Waiting | State::Closed => Want::Nothing,
            State::Message => Want::DotText,
            _ => Want::Line {
                max: limits::POP3_LINE,
            },
        }
    }

    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        if self.state == State::Closed {
            return;
        }
        self.deadline = Some(now + self.plan.patience);
        match input {
            Input::Open => self.state = State::Greeting,
            // Before `Open` it is TLS from the first byte: there is nothing to ask yet.
            Input::TlsUp(tls) => {
                self.tls = tls.version;
                self.end_point = tls.end_point;
                if self.plan.upgrade != Upgrade::Never {
                    self.plan.upgrade = Upgrade::Never;
                    self.ask_capabilities(out);
                }
            }
            Input::Line(line) => self.line(line, out),
            Input::LongLine => {
                self.give_up(Failure::protocol(self.step(), b"a line without end"), out);
            }
            Input::Text(text) => {
                self.write(text, out);
            }
            Input::TextEnd => self.message_ends(out),
            Input::Timeout if self.is_done() => self.close(out),
            Input::Timeout => self.give_up(Failure::Silent { step: self.step() }, out),
            Input::Eof => self.ended(out),
            Input::Stop => self.give_up(Failure::Lost { step: self.step() }, out),
            Input::Done(_) | Input::Changed | Input::Room => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

fn lasting(code: Option<Code>) -> Lasting {
    if code.is_some_and(Code::is_temporary) {
        Lasting::Temporary
    } else {
        Lasting::Permanent
    }
}

/// RFC 1939 §7: a message id within the greeting.
fn timestamp(greeting: &[u8]) -> Option<Vec<u8>> {
    let begin = greeting.iter().position(|&octet| octet == b'<')?;
    let length = greeting[begin..].iter().position(|&octet| octet == b'>')? + 1;
    let timestamp = &greeting[begin..begin + length];
    timestamp.contains(&b'@').then(|| timestamp.to_vec())
}

fn unsayable(text: &str) -> bool {
    text.contains(['\r', '\n', '\0'])
}

/// Octets of a command line, CRLF included (RFC 2449 §4).
const COMMAND_LINE: usize = 255;

#[cfg(test)]
mod tests;
