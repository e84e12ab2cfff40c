//! IMAP, the client's side: logs in, does one [`Errand`], says LOGOUT (RFC 3501; RFC 9051 where both agree).
//!
//! | step | command | then |
//! |---|---|---|
//! | greeting | | `CAPABILITY`, unless the greeting told |
//! | capability | `CAPABILITY` | `STARTTLS` if the plan asks for it and TLS is not up, else login |
//! | upgrade | `STARTTLS` | TLS, `CAPABILITY` again: what was learnt before is forgotten |
//! | login | `AUTHENTICATE PLAIN`, or `LOGIN` | opens the mailbox, if the errand has one |
//! | open | `EXAMINE`, or `SELECT` to empty it | the errand |
//! | errand | see [`Errand`] | `LOGOUT` |
//!
//! A response is gathered whole before it is read, within [`limits::IMAP_REPLY`], but for the text of messages: that goes
//! to the sink as it comes, and an empty string stands in its place in what is read. A literal that nobody asked for is
//! data all the same: its octets are never taken for responses.

mod command;
mod fetched;

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Instant;

use self::command::{Asked, Capabilities, Command, Progress};
use self::fetched::{missing, summary, uid};
use crate::limits;
use crate::proto::client::{Failure, GREETING, Lasting, Plan, Refusal, Upgrade};
use crate::proto::{Input, Out, Session};
use crate::wire::imap::reply::{self, Condition, Data, Reply, Status, Value};
use crate::wire::lines::Want;
use crate::wire::{sasl, utf7, words};

/// What can be asked for. Names of mailboxes are UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// `LIST`: writes a name a line.
    Folders,
    /// `STATUS`: writes `MESSAGES 3` and its like, one a line.
    Status(String),
    /// `FETCH 1:*`: writes a line for each message, of UID, flags, date, octets, sender and subject, with tabs between.
    List(String),
    /// `UID FETCH`: writes the octets as they come.
    Fetch {
        /// From which mailbox.
        mailbox: String,
        /// Which messages: a sequence set of UIDs, `*` the last.
        uids: String,
        /// What of them: empty is the whole message, `HEADER`, `1.TEXT` ...
        section: String,
    },
    /// `UID SEARCH`: writes a UID a line.
    Search {
        /// In which mailbox.
        mailbox: String,
        /// The words of the search, each quoted as it needs.
        keys: Vec<String>,
    },
    /// `CREATE`
    Create(String),
    /// `DELETE`
    Delete(String),
    /// `STORE` and `EXPUNGE` of everything: writes how many messages went.
    Empty(String),
    /// `APPEND`: writes the UID that the message got, when the server tells it.
    Append {
        /// To which mailbox.
        mailbox: String,
        /// With CRLF line ends.
        message: Vec<u8>,
    },
}

/// A client session. Ask for [`Self::into_failures`] when the connection has ended.
pub struct Client<'a> {
    plan: Plan,
    errand: Errand,
    sink: &'a mut dyn Write,
    step: Step,
    capabilities: Capabilities,
    /// Number of the command under way: its tag is `a` and this.
    tag: u32,
    command: Command,
    /// What has come of a response.
    response: Vec<u8>,
    /// The literal that is coming.
    literal: Literal,
    /// Messages in the mailbox.
    exists: u32,
    /// UIDs whose text came, or that were found.
    found: BTreeSet<u32>,
    expunged: u64,
    /// Why the server is about to close.
    bye: Option<String>,
    failures: Vec<Failure>,
    deadline: Option<Instant>,
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
    Open,
    /// The errand's own command.
    Errand,
    /// The second command of [`Errand::Empty`].
    Expunge,
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
    pub fn new(plan: Plan, errand: Errand, sink: &'a mut dyn Write) -> Self {
        Self {
            plan,
            errand,
            sink,
            step: Step::Waiting,
            capabilities: Capabilities::default(),
            tag: 0,
            command: Command::default(),
            response: Vec::new(),
            literal: Literal::None,
            exists: 0,
            found: BTreeSet::new(),
            expunged: 0,
            bye: None,
            failures: Vec::new(),
            deadline: None,
        }
    }

    /// What went wrong, in order; nothing when all went well.
    pub fn into_failures(mut self) -> Vec<Failure> {
        if self.step != Step::Closed {
            self.failures.push(Failure::Lost { step: self.name() });
        }
        self.failures
    }

    /// A line has come: the response goes on with a literal, or is whole.
    fn line(&mut self, line: &[u8], out: &mut Out) {
        if self.response.len() + line.len() > limits::IMAP_REPLY {
            return self.give_up(Failure::protocol(self.name(), TOO_LONG), out);
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
        if self.is_fetching() && reply::literal_is_body(&self.response) {
            let brace = memchr::memrchr(b'{', &self.response).unwrap_or(0);
            self.response.truncate(brace);
            if self.response.ends_with(b"~") {
                self.response.pop();
            }
            self.response.extend_from_slice(b"\"\"");
            self.literal = Literal::ToSink(octets);
        } else if octets > (limits::IMAP_REPLY - self.response.len().min(limits::IMAP_REPLY)) as u64
        {
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

    fn respond(&mut self, response: &[u8], out: &mut Out) {
        let Some(reply) = Reply::parse(response) else {
            return self.give_up(Failure::protocol(self.name(), response), out);
        };
        match reply {
            Reply::Untagged(condition) => self.untagged(&condition, response, out),
            Reply::Tagged(tag, condition) if tag == self.tag().as_bytes() => {
                self.tagged(&condition, out);
            }
            Reply::Continue(_) if self.step > Step::Greeting => {
                if self.command.go_on(self.capabilities, out) == Asked::ForNothing {
                    self.give_up(Failure::protocol(self.name(), response), out);
                }
            }
            Reply::Data(data) if self.step > Step::Greeting => self.data(&data, out),
            Reply::Tagged(..) | Reply::Continue(_) | Reply::Data(_) => {
                self.give_up(Failure::protocol(self.name(), response), out);
            }
        }
    }

    fn untagged(&mut self, condition: &Condition<'_>, response: &[u8], out: &mut Out) {
        match (self.step, condition.status) {
            (Step::Greeting, Status::Ok) => {
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
                self.open(out);
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
            }
        }
    }

    /// Takes the capabilities out of a response code. False when there are none in it.
    fn learn(&mut self, condition: &Condition<'_>) -> bool {
        match condition.code {
            Some((name, list)) if name.eq_ignore_ascii_case(b"CAPABILITY") => {
                self.capabilities = Capabilities::read(list.split(|&byte| byte == b' '));
                true
            }
            _ => false,
        }
    }

    fn data(&mut self, data: &Data<'_>, out: &mut Out) {
        match (data, &self.errand) {
            (Data::Capability(list), _) => {
                self.capabilities = Capabilities::read(list.iter().copied());
            }
            (Data::Exists(messages), _) => self.exists = *messages,
            (Data::Expunge(_), _) => self.expunged += 1,
            (
                Data::List {
                    attributes, name, ..
                },
                Errand::Folders,
            ) => {
                let no_mailbox = |attribute: &&[u8]| {
                    attribute.eq_ignore_ascii_case(b"\\Noselect")
                        || attribute.eq_ignore_ascii_case(b"\\NonExistent")
                };
                if !attributes.iter().any(no_mailbox) {
                    let raw = String::from_utf8_lossy(name);
                    let name = utf7::decode(&raw).unwrap_or_else(|| raw.into_owned());
                    let line = words::decode(name.as_bytes()) + "\n";
                    self.write(line.as_bytes(), out);
                }
            }
            (Data::Status(items), Errand::Status(_)) => {
                let lines = items
                    .iter()
                    .map(|(name, number)| format!("{} {number}\n", String::from_utf8_lossy(name)));
                let lines: String = lines.collect();
                self.write(lines.as_bytes(), out);
            }
            (Data::Search(uids), Errand::Search { .. }) if self.step == Step::Errand => {
                self.found.extend(uids);
                let lines: String = uids.iter().map(|uid| format!("{uid}\n")).collect();
                self.write(lines.as_bytes(), out);
            }
            (Data::Fetch(_, items), Errand::List(_)) => {
                if let Some(line) = summary(items) {
                    self.write(line.as_bytes(), out);
                }
            }
            (Data::Fetch(message, items), Errand::Fetch { .. }) => {
                self.fetched(*message, items, out);
            }
            _ => {}
        }
    }

    /// A FETCH response whose text is in the sink already, unless it came as a quoted string, or is not there.
    fn fetched(&mut self, message: u32, items: &[(&[u8], Value<'_>)], out: &mut Out) {
        let is_body = |name: &[u8]| name.len() > 5 && name[..5].eq_ignore_ascii_case(b"BODY[");
        let Some((_, body)) = items.iter().find(|(name, _)| is_body(name)) else {
            // A change of flags.
            return;
        };
        let uid = uid(items).unwrap_or(message);
        self.found.insert(uid);
        match body {
            Value::Text(text) => {
                self.write(text, out);
            }
            _ => self.failures.push(Failure::Negative(Refusal::new(
                format_args!("UID FETCH {uid}"),
                b"the message has no such section",
                Lasting::Permanent,
            ))),
        }
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
            _ => {
                self.failures.push(negative(condition, refusal));
                self.logout(out);
            }
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
            Step::Login => {
                self.learn(condition);
                self.open(out);
            }
            Step::Open => self.begin_errand(out),
            Step::Errand if matches!(self.errand, Errand::Empty(_)) => {
                self.send(Step::Expunge, Command::new("EXPUNGE"), out);
            }
            Step::Errand => self.end_errand(condition, out),
            Step::Expunge => {
                let line = format!("{}\n", self.expunged);
                if self.write(line.as_bytes(), out) {
                    self.logout(out);
                }
            }
            Step::Logout => self.close(out),
            Step::Waiting | Step::Greeting | Step::Closed => {}
        }
    }

    fn ask_capabilities(&mut self, out: &mut Out) {
        self.capabilities = Capabilities::default();
        self.send(Step::Capability, Command::new("CAPABILITY"), out);
    }

    fn upgrade_or_login(&mut self, out: &mut Out) {
        if self.plan.upgrade == Upgrade::Never {
            return self.login(out);
        }
        if !self.capabilities.starttls {
            return self.give_up(Failure::NoTls, out);
        }
        self.send(Step::StartTls, Command::new("STARTTLS"), out);
    }

    fn login(&mut self, out: &mut Out) {
        let command = if self.capabilities.auth_plain {
            let response =
                sasl::plain_response(&self.plan.user, self.plan.password.as_bytes()).into_bytes();
            if self.capabilities.sasl_ir {
                // RFC 4959 §3
                Command::new("AUTHENTICATE PLAIN ").secret(response)
            } else {
                Command::new("AUTHENTICATE PLAIN")
                    .when_asked()
                    .secret(response)
            }
        } else if self.capabilities.login_disabled {
            return self.give_up(Failure::TlsFirst, out);
        } else {
            Command::new("LOGIN ")
                .string(self.plan.user.as_bytes())
                .text(" ")
                .secret_string(self.plan.password.as_bytes())
        };
        self.send(Step::Login, command, out);
    }

    /// Opens the mailbox, or begins the errand that needs none open.
    fn open(&mut self, out: &mut Out) {
        let (verb, mailbox) = match &self.errand {
            // EXAMINE marks nothing as seen or no longer recent: looking changes nothing.
            Errand::List(mailbox)
            | Errand::Fetch { mailbox, .. }
            | Errand::Search { mailbox, .. } => ("EXAMINE ", mailbox),
            Errand::Empty(mailbox) => ("SELECT ", mailbox),
            _ => return self.begin_errand(out),
        };
        let command = Command::new(verb).mailbox(mailbox);
        self.send(Step::Open, command, out);
    }

    fn begin_errand(&mut self, out: &mut Out) {
        let command = match &mut self.errand {
            Errand::Folders => Command::new("LIST \"\" \"*\""),
            Errand::Status(mailbox) => Command::new("STATUS ")
                .mailbox(mailbox)
                .text(" (MESSAGES UNSEEN RECENT UIDNEXT UIDVALIDITY)"),
            // `1:*` of an empty mailbox is a BAD to some servers.
            Errand::List(_) | Errand::Empty(_) if self.exists == 0 => {
                return self.nothing_there(out);
            }
            Errand::List(_) => {
                Command::new("FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)")
            }
            Errand::Empty(_) => Command::new("STORE 1:* +FLAGS.SILENT (\\Deleted)"),
            Errand::Fetch { uids, section, .. } => {
                // Else it could end the command, and begin another.
                if !uids.bytes().all(is_of_set)
                    || section.contains(|c: char| c.is_control() || matches!(c, '[' | ']'))
                {
                    let why = "a section is what stands in BODY[...], such as HEADER or 1.TEXT; UIDs are numbers, \
                               ranges 3:7 and *, with commas between";
                    self.failures.push(Failure::Unsendable(why));
                    return self.logout(out);
                }
                // PEEK: reading here does not make a message \Seen.
                Command::new(&format!("UID FETCH {uids} (UID BODY.PEEK[{section}])"))
            }
            Errand::Search { keys, .. } => Command::search(keys),
            Errand::Create(mailbox) => Command::new("CREATE ").mailbox(mailbox),
            Errand::Delete(mailbox) => Command::new("DELETE ").mailbox(mailbox),
            Errand::Append { mailbox, message } => Command::new("APPEND ")
                .mailbox(mailbox)
                .text(" ")
                .literal(std::mem::take(message)),
        };
        self.send(Step::Errand, command, out);
    }

    fn nothing_there(&mut self, out: &mut Out) {
        if matches!(self.errand, Errand::Empty(_)) && !self.write(b"0\n", out) {
            return;
        }
        self.logout(out);
    }

    /// The errand's command was answered OK: which need not mean that there was anything.
    fn end_errand(&mut self, condition: &Condition<'_>, out: &mut Out) {
        match &self.errand {
            Errand::Fetch { uids, mailbox, .. } => {
                let missing = missing(uids, &self.found);
                for uid in missing {
                    self.failures.push(Failure::Negative(Refusal::new(
                        format_args!("UID FETCH {uid}"),
                        format!("there is no such message in {mailbox}").as_bytes(),
                        Lasting::Permanent,
                    )));
                }
            }
            Errand::Search { mailbox, .. } if self.found.is_empty() => {
                self.failures.push(Failure::Negative(Refusal::new(
                    "UID SEARCH",
                    format!("no message in {mailbox} is like that").as_bytes(),
                    Lasting::Permanent,
                )));
            }
            Errand::Append { .. } => {
                // RFC 4315 §3: the mailbox's UIDVALIDITY, and the UID.
                let uid = condition.code.and_then(|(name, arguments)| {
                    let uid = arguments.split(|&byte| byte == b' ').nth(1)?;
                    let uid = std::str::from_utf8(uid).ok()?.parse::<u32>().ok()?;
                    name.eq_ignore_ascii_case(b"APPENDUID").then_some(uid)
                });
                if let Some(uid) = uid
                    && !self.write(format!("{uid}\n").as_bytes(), out)
                {
                    return;
                }
            }
            _ => {}
        }
        self.logout(out);
    }

    fn logout(&mut self, out: &mut Out) {
        self.send(Step::Logout, Command::new("LOGOUT"), out);
    }

    fn send(&mut self, step: Step, command: Command, out: &mut Out) {
        self.step = step;
        self.tag += 1;
        self.command = command;
        self.command.begin(&self.tag(), self.capabilities, out);
    }

    fn tag(&self) -> String {
        format!("a{}", self.tag)
    }

    fn is_fetching(&self) -> bool {
        self.step == Step::Errand && matches!(self.errand, Errand::Fetch { .. })
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
            Step::Waiting => "connecting".into(),
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
        self.deadline = Some(now + self.plan.patience);
        match input {
            Input::Open => self.step = Step::Greeting,
            // Before `Open` it is TLS from the first byte: there is nothing to ask yet.
            Input::TlsUp(_) => {
                if self.plan.upgrade == Upgrade::Required {
                    self.plan.upgrade = Upgrade::Never;
                    self.ask_capabilities(out);
                }
            }
            Input::Line(line) => self.line(line, out),
            Input::LongLine => self.give_up(Failure::protocol(self.name(), TOO_LONG), out),
            Input::Text(text) => self.text(text, out),
            Input::Room => self.command.more(self.capabilities, out),
            Input::Timeout => self.give_up(Failure::Silent { step: self.name() }, out),
            Input::Eof => self.ended(out),
            Input::Stop => self.give_up(Failure::Lost { step: self.name() }, out),
            Input::Done(_) | Input::Changed | Input::TextEnd => {}
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

const fn is_of_set(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b':' | b',' | b'*')
}

const TOO_LONG: &[u8] = b"a response longer than any that was asked for";

#[cfg(test)]
mod tests;
