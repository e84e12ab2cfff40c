//! IMAP, the client's side: logs in, does one [`Errand`], says LOGOUT (RFC 3501; RFC 9051 where both agree).
//!
//! | step | command | then |
//! |---|---|---|
//! | greeting | | `CAPABILITY`, unless the greeting told |
//! | capability | `CAPABILITY` | `STARTTLS` if the plan asks for it and TLS is not up, else login |
//! | upgrade | `STARTTLS` | TLS, `CAPABILITY` again: what was learnt before is forgotten |
//! | login | the best mechanism of `AUTHENTICATE`, else `LOGIN`; nothing without a name | the errand |
//! | errand | its stages, one after the other: see [`Stage`] | `LOGOUT` |
//!
//! A response is gathered whole before it is read, within [`limits::IMAP_REPLY`], but for the text of messages: that goes
//! to the sink as it comes, and an empty string stands in its place in what is read. A literal that nobody asked for is
//! data all the same: its octets are never taken for responses.

mod by_hand;
mod command;
mod errand;
mod idle;
mod login;
mod raw;
mod server;
mod stages;
mod told;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use self::command::{Asked, Capabilities, Command, Progress};
use self::idle::Watch;
use self::login::Door;
use self::server::Server;
use crate::limits;
use crate::proto::client::{
    CONNECTING, Failure, GREETING, Lasting, Place, Plan, Refusal, Sink, Upgrade,
};
use crate::proto::{Input, Out, Session};
use crate::wire::imap::reply::{self, Condition, Reply, Status};
use crate::wire::lines::Want;
use crate::wire::mbox::Marks;

pub use self::errand::{Change, Errand, Found, Idle, Missing, Stage, There, Way, With};
pub use self::login::Login;
pub use self::raw::{Fed, Line, Piece, Raw, Refused, Shown, read_line, read_lines};
pub use self::told::Form;

/// A client session. Ask for [`Self::into_failures`] when the connection has ended.
pub struct Client<'a> {
    plan: Plan,
    /// Still to be done.
    stages: VecDeque<Stage>,
    /// What is under way.
    stage: Option<Stage>,
    sink: &'a mut dyn Sink,
    form: Form,
    step: Step,
    capabilities: Capabilities,
    /// Number of the command under way: its tag is `a` and this, if it has none of its own.
    number: u32,
    own_tag: Option<String>,
    command: Command,
    /// What has come of a response.
    response: Vec<u8>,
    /// The literal that is coming.
    literal: Literal,
    mailbox: String,
    /// Of the mailbox: its UIDVALIDITY.
    validity: u32,
    /// Mailboxes were named that are to be gone through.
    named: bool,
    /// Messages in the mailbox.
    exists: u32,
    /// Which messages are meant: a sequence set of UIDs.
    chosen: String,
    /// What a search found.
    found: BTreeSet<u32>,
    /// UIDs and flags of all messages of the mailbox, where it is gone through.
    there: BTreeMap<u32, Marks>,
    /// UIDs that came.
    came: BTreeSet<u32>,
    expunged: u64,
    /// Items of JSON that were written.
    items: u64,
    server: Server,
    door: Door,
    watch: Watch,
    /// Where lines of commands come from that come one by one.
    source: Option<&'a mut dyn FnMut() -> Fed>,
    /// For what the next of them is waited for.
    thirst: Option<Thirst>,
    /// Why the server is about to close.
    bye: Option<String>,
    failures: Vec<Failure>,
    now: Option<Instant>,
    deadline: Option<Instant>,
}

/// What a line of a command is waited for that somebody writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thirst {
    /// To be the next command.
    Command,
    /// To be what the server asks for.
    Answer,
}

/// In the order in which they are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// Not connected, or TLS is being started.
    Waiting,
    Greeting,
    Capability,
    StartTls,
    Login,
    /// A stage of the errand.
    Errand,
    Logout,
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Literal {
    None,
    /// So many octets of message text are still to come.
    ToSink(u64),
    /// So many octets of the response.
    ToResponse(u64),
}

impl<'a> Client<'a> {
    /// A session that logs in as `plan` says, does `errand`, and writes what it gets to `sink`.
    pub fn new(plan: Plan, errand: Errand, sink: &'a mut dyn Sink) -> Self {
        Self {
            plan,
            stages: errand.stages(),
            stage: None,
            sink,
            form: Form::Lines,
            step: Step::Waiting,
            capabilities: Capabilities::default(),
            number: 0,
            own_tag: None,
            command: Command::default(),
            response: Vec::new(),
            literal: Literal::None,
            mailbox: String::new(),
            validity: 0,
            named: false,
            exists: 0,
            chosen: String::new(),
            found: BTreeSet::new(),
            there: BTreeMap::new(),
            came: BTreeSet::new(),
            expunged: 0,
            items: 0,
            server: Server::default(),
            door: Door::default(),
            watch: Watch::default(),
            source: None,
            thirst: None,
            bye: None,
            failures: Vec::new(),
            now: None,
            deadline: None,
        }
    }

    /// The same, which writes what it gets so.
    #[must_use]
    pub fn writing(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// The same, which logs in like this.
    #[must_use]
    pub fn with_login(mut self, login: Login) -> Self {
        self.door.login = login;
        self
    }

    /// The same, in which [`Stage::Raw`] goes on with the lines that `source` has, and waits for them.
    #[must_use]
    pub fn fed_by(mut self, source: &'a mut dyn FnMut() -> Fed) -> Self {
        self.source = Some(source);
        self
    }

    /// What went wrong, in order; nothing when all went well.
    pub fn into_failures(mut self) -> Vec<Failure> {
        // What was asked for is done by then.
        if self.step != Step::Closed && self.step != Step::Logout {
            self.failures.push(Failure::Lost { step: self.name() });
        }
        self.failures
    }

    /// A line has come: the response goes on with a literal, or is whole.
    fn line(&mut self, line: &[u8], out: &mut Out) {
        if self.response.len() + line.len() > self.longest() {
            return self.give_up(Failure::protocol(self.name(), TOO_LONG), out);
        }
        if self.shows(Shown::All) && !(self.write(line, out) && self.write(b"\r\n", out)) {
            return;
        }
        self.response.extend_from_slice(line);
        if reply::may_hold_literals(&self.response)
            && let Some(octets) = reply::literal(line)
        {
            return self.announced(octets, out);
        }
        let response = std::mem::take(&mut self.response);
        self.respond(&response, out);
        self.response = response;
        self.response.clear();
    }

    fn announced(&mut self, octets: u64, out: &mut Out) {
        let passes = self.is_fetching() && reply::literal_is_body(&self.response);
        if passes || self.shows(Shown::All) || self.shows(Shown::Literals) {
            let brace = memchr::memrchr(b'{', &self.response).unwrap_or(0);
            self.response.truncate(brace);
            if self.response.ends_with(b"~") {
                self.response.pop();
            }
            self.response.extend_from_slice(b"\"\"");
            self.literal = Literal::ToSink(octets);
        } else if octets > self.longest().saturating_sub(self.response.len()) as u64 {
            self.give_up(Failure::protocol(self.name(), TOO_LONG), out);
        } else {
            self.response.extend_from_slice(b"\r\n");
            self.literal = Literal::ToResponse(octets);
        }
        self.text(&[], out);
    }

    /// Octets of the literal; none ends one of no octets.
    fn text(&mut self, text: &[u8], out: &mut Out) {
        let octets = text.len() as u64;
        self.literal = match self.literal {
            Literal::ToSink(left) => {
                if !self.write(text, out) {
                    return;
                }
                match left.saturating_sub(octets) {
                    0 => Literal::None,
                    left => Literal::ToSink(left),
                }
            }
            Literal::ToResponse(left) => {
                self.response.extend_from_slice(text);
                match left.saturating_sub(octets) {
                    0 => Literal::None,
                    left => Literal::ToResponse(left),
                }
            }
            Literal::None => Literal::None,
        };
    }

    /// Octets of a response that is gathered: where JSON is made of it, a whole message may be in it.
    fn longest(&self) -> usize {
        match self.shows(Shown::Json) {
            true => limits::MESSAGE_SIZE as usize + limits::IMAP_REPLY,
            false => limits::IMAP_REPLY,
        }
    }

    fn respond(&mut self, response: &[u8], out: &mut Out) {
        if self.is_raw() {
            return self.raw_response(response, out);
        }
        let Some(reply) = Reply::parse(response) else {
            return self.give_up(Failure::protocol(self.name(), response), out);
        };
        match reply {
            Reply::Untagged(condition) => self.untagged(&condition, response, out),
            Reply::Tagged(tag, condition) if tag == self.tag().as_bytes() => {
                self.tagged(&condition, out);
            }
            Reply::Continue(text) if self.step > Step::Greeting => {
                if !self.idles(out)
                    && self.command.go_on(self.capabilities, out) == Asked::ForNothing
                    && !self.challenged(text, out)
                {
                    self.give_up(Failure::protocol(self.name(), response), out);
                }
            }
            Reply::Data(data) if self.step > Step::Greeting => self.data(&data, response, out),
            Reply::Tagged(..) | Reply::Continue(_) | Reply::Data(_) => {
                self.give_up(Failure::protocol(self.name(), response), out);
            }
        }
    }

    fn untagged(&mut self, condition: &Condition<'_>, response: &[u8], out: &mut Out) {
        match (self.step, condition.status) {
            (Step::Greeting, Status::Ok) => {
                self.server.greeting = String::from_utf8_lossy(condition.text).into_owned();
                if self.learn(condition) {
                    self.upgrade_or_login(out);
                } else {
                    self.ask_capabilities(out);
                }
            }
            // Logged in without TLS, and STARTTLS is for before login only (RFC 9051 §7.1.4).
            (Step::Greeting, Status::PreAuth) if self.plan.upgrade == Upgrade::Required => {
                self.give_up(Failure::NoTls, out);
            }
            (Step::Greeting, Status::PreAuth) => {
                self.learn(condition);
                self.proceed(out);
            }
            (Step::Greeting, Status::Bye) => {
                let refusal = Refusal::new(self.name(), condition.text, lasting(condition));
                self.give_up(Failure::Refused(refusal), out);
            }
            (Step::Greeting, Status::No | Status::Bad) | (_, Status::PreAuth) => {
                self.give_up(Failure::protocol(self.name(), response), out);
            }
            (_, Status::Bye) => {
                self.bye = Some(String::from_utf8_lossy(condition.text).into_owned());
            }
            (_, Status::Ok | Status::No | Status::Bad) => {
                self.learn(condition);
                if let Some((name, number)) = condition.code
                    && name.eq_ignore_ascii_case(b"UIDVALIDITY")
                {
                    let number = std::str::from_utf8(number).ok();
                    self.validity = number.and_then(|number| number.parse().ok()).unwrap_or(0);
                }
                // RFC 6851 §4.3: MOVE tells it before the messages go.
                self.copied(condition, out);
            }
        }
    }

    /// Takes the capabilities out of a response code. False when there are none in it.
    fn learn(&mut self, condition: &Condition<'_>) -> bool {
        match condition.code {
            Some((name, list)) if name.eq_ignore_ascii_case(b"CAPABILITY") => {
                self.able(list.split(|&byte| byte == b' '));
                true
            }
            _ => false,
        }
    }

    fn able<'w>(&mut self, words: impl Iterator<Item = &'w [u8]> + Clone) {
        self.capabilities = Capabilities::read(words.clone());
        self.door.hear(words.clone());
        let words = words.filter(|word| !word.is_empty());
        let words = words.map(|word| String::from_utf8_lossy(word).into_owned());
        self.server.capabilities = words.collect();
    }

    fn tagged(&mut self, condition: &Condition<'_>, out: &mut Out) {
        match (condition.status, self.command.abandon()) {
            (Status::Ok, Progress::Whole) => self.done(condition, out),
            (Status::Ok, Progress::Unfinished | Progress::WithinLiteral) => {
                let said = b"OK before all was sent";
                self.give_up(Failure::protocol(self.name(), said), out);
            }
            (Status::No | Status::Bad, Progress::WithinLiteral) => {
                // What came next would be read as the rest of the literal: nothing more can be said.
                let failure = negative(condition, self.refusal(condition));
                self.give_up(failure, out);
            }
            (Status::No | Status::Bad, _) => self.refused(condition, out),
            (Status::PreAuth | Status::Bye, _) => {
                self.give_up(Failure::protocol(self.name(), condition.text), out);
            }
        }
    }

    fn refused(&mut self, condition: &Condition<'_>, out: &mut Out) {
        let refusal = self.refusal(condition);
        match self.step {
            Step::Capability => self.upgrade_or_login(out),
            Step::StartTls => self.give_up(Failure::NoTls, out),
            Step::Login => self.give_up(Failure::Login(refusal), out),
            Step::Logout => self.close(out),
            _ => self.stage_refused(condition, refusal, out),
        }
    }

    fn refusal(&self, condition: &Condition<'_>) -> Refusal {
        let said = match condition.code {
            Some((code, _)) if condition.text.is_empty() => code,
            _ => condition.text,
        };
        Refusal::new(self.name(), said, lasting(condition))
    }

    fn done(&mut self, condition: &Condition<'_>, out: &mut Out) {
        match self.step {
            Step::Capability => self.upgrade_or_login(out),
            Step::StartTls => {
                self.step = Step::Waiting;
                out.start_tls();
            }
            Step::Login => self.logged_in(condition, out),
            Step::Errand => self.stage_done(condition, out),
            Step::Logout => self.close(out),
            Step::Waiting | Step::Greeting | Step::Closed => {}
        }
    }

    fn ask_capabilities(&mut self, out: &mut Out) {
        self.capabilities = Capabilities::default();
        self.door.forget();
        self.send(Step::Capability, Command::new("CAPABILITY"), out);
    }

    fn upgrade_or_login(&mut self, out: &mut Out) {
        if self.plan.upgrade == Upgrade::Never {
            return self.login(out);
        }
        if self.plan.upgrade == Upgrade::IfOffered && !self.capabilities.starttls {
            return self.login(out);
        }
        if !self.capabilities.starttls {
            return self.give_up(Failure::NoTls, out);
        }
        self.send(Step::StartTls, Command::new("STARTTLS"), out);
    }

    fn logout(&mut self, out: &mut Out) {
        self.send(Step::Logout, Command::new("LOGOUT"), out);
    }

    fn send(&mut self, step: Step, command: Command, out: &mut Out) {
        self.step = step;
        self.number += 1;
        self.own_tag = None;
        self.command = command;
        self.command.begin(&self.tag(), self.capabilities, out);
    }

    fn tag(&self) -> String {
        match &self.own_tag {
            Some(tag) => tag.clone(),
            None => format!("a{}", self.number),
        }
    }

    fn is_fetching(&self) -> bool {
        self.step == Step::Errand && matches!(self.stage, Some(Stage::Fetch { .. }))
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

    fn ended(&mut self, out: &mut Out) {
        match self.bye.take() {
            // The errand is done; a server in a hurry need not say OK as well.
            _ if self.step == Step::Logout => self.close(out),
            Some(_) if self.said_logout() => self.close(out),
            Some(said) => {
                let refusal = Refusal::new(self.name(), said.as_bytes(), Lasting::Temporary);
                self.give_up(Failure::Refused(refusal), out);
            }
            None => self.give_up(Failure::Lost { step: self.name() }, out),
        }
    }

    fn give_up(&mut self, failure: Failure, out: &mut Out) {
        self.failures.push(failure);
        self.close(out);
    }

    fn close(&mut self, out: &mut Out) {
        self.step = Step::Closed;
        self.deadline = None;
        out.close();
    }

    /// What the server is to answer now, for messages. Never a secret.
    fn name(&self) -> String {
        match self.step {
            Step::Waiting => CONNECTING.into(),
            Step::Greeting => GREETING.into(),
            Step::Closed => "the end".into(),
            _ => self.command.name(),
        }
    }
}

impl Session for Client<'_> {
    fn want(&self) -> Want {
        match (self.step, self.literal) {
            (Step::Waiting | Step::Closed, _) => Want::Nothing,
            (_, Literal::ToSink(octets) | Literal::ToResponse(octets)) => Want::Octets(octets),
            (_, Literal::None) => Want::Line {
                max: limits::IMAP_REPLY,
            },
        }
    }

    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        if self.step == Step::Closed {
            return;
        }
        self.now = Some(now);
        self.deadline = Some(now + self.plan.patience);
        match input {
            Input::Open => self.step = Step::Greeting,
            // Before `Open` it is TLS from the first byte: there is nothing to ask yet.
            Input::TlsUp(tls) => {
                self.server.tls = tls.version;
                self.door.end_point = tls.end_point;
                if self.step == Step::Waiting && self.stage.is_some() {
                    self.step = Step::Errand;
                    self.proceed_raw(out);
                } else if self.plan.upgrade != Upgrade::Never {
                    self.plan.upgrade = Upgrade::Never;
                    self.ask_capabilities(out);
                }
            }
            Input::Line(line) => self.line(line, out),
            Input::LongLine => self.give_up(Failure::protocol(self.name(), TOO_LONG), out),
            Input::Text(text) => self.text(text, out),
            Input::Room => self.command.more(self.capabilities, out),
            Input::Timeout => {
                if self.step == Step::Logout {
                    self.close(out);
                } else if !self.is_due(now, out) {
                    self.give_up(Failure::Silent { step: self.name() }, out);
                }
            }
            Input::Eof => self.ended(out),
            Input::Stop => self.give_up(Failure::Lost { step: self.name() }, out),
            Input::Changed => self.fed(out),
            Input::Done(_) | Input::TextEnd => {}
        }
        self.rest(now);
        if self.thirst.is_some() {
            // It is the user who is waited for, who may be waiting for what was said.
            self.deadline = None;
            if let Err(error) = self.sink.flush() {
                self.give_up(Failure::Sink(error), out);
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

/// What a tagged NO or BAD to an errand means.
fn negative(condition: &Condition<'_>, refusal: Refusal) -> Failure {
    // RFC 5530 §3: the mailbox is there, and something else stands in the way.
    let reasons = ["OVERQUOTA", "NOPERM", "CORRUPTION", "CONTACTADMIN"];
    match (condition.status, refusal.duration) {
        (Status::Bad, _) => Failure::Misunderstood(refusal),
        (_, Lasting::Temporary) => Failure::Command(refusal),
        _ if reasons.iter().any(|code| condition.has_code(code)) => Failure::Command(refusal),
        (_, Lasting::Permanent) => Failure::Negative(refusal),
    }
}

fn lasting(condition: &Condition<'_>) -> Lasting {
    // RFC 5530 §3
    let temporary = ["UNAVAILABLE", "INUSE", "SERVERBUG", "LIMIT"];
    if temporary.iter().any(|code| condition.has_code(code)) {
        Lasting::Temporary
    } else {
        Lasting::Permanent
    }
}

const TOO_LONG: &[u8] = b"a response longer than any that was asked for";

#[cfg(test)]
mod tests;
