//! What a program that runs is asked and told through its control socket: `mailtool serve queue ...`, `serve trace`.
//!
//! One request a line, in words; `json ` before it asks for JSON. The answer is any number of lines that begin with a space, then
//! one that begins with `ok` or `no`, with a text for people:
//!
//! | request | answer |
//! |---|---|
//! | `list` | the queue |
//! | `show ID` | all about one message |
//! | `flush`, `flush ID`, `flush DOMAIN` | it is tried now |
//! | `hold ID`, `release ID`, `drop ID` | done; `ALL` in place of the ID: all of them |
//! | `trace ID` | its journey |
//! | `mark` | how many messages have come in: `ok: 17` |
//! | `arrivals`, `arrivals 17` | messages as they come in, those after the 17th that are still known first, without end |
//! | `follow` | the sessions as they are spoken, a line of the dialogue each, without end |
//! | `progress` | the class at its exercise, in fields parted by tabs ([`Class::lines`]) |
//! | `fault list`, `fault add RULE`, `fault clear`, `fault clear N` | the faults that are made on purpose |
//!
//! What is without end ends with the next line that is sent. `arrivals` begins with ` listening 17`; then comes, for each message,
//! ` message OCTETS {...}`, so many octets, and a line end.
//!
//! So it can be spoken by hand: `echo list | mailtool nc -U STORE/control.sock`. Who may connect decides the file's mode.

pub mod journal;
mod page;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub use self::journal::{Journal, Step};
use crate::limits;
use crate::proto::exercise::Class;
use crate::proto::fault::Faults;
use crate::proto::smtp::dispatch::Which;
use crate::proto::smtp::server::policy::{Turn, Turned, Witness};
use crate::proto::{self, Input, Out, Peer, Service, Session};
use crate::store::queue::{Change, Queued};
use crate::store::{Expecting, QueueId, Store, StoreError};
use crate::tap::record::{Feed, Follower};
use crate::wire::address::Address;
use crate::wire::fault::lab;
use crate::wire::lines::Want;

/// What sessions and the one who sends the queue's messages on have in common. Cheap to clone: all clones are the same.
#[derive(Clone, Default)]
pub struct Board {
    orders: Arc<Mutex<Vec<Order>>>,
    waker: Arc<Mutex<Option<Waker>>>,
    /// What happened to messages.
    pub journal: Journal,
    /// What sessions say.
    pub feed: Feed,
    /// What goes wrong on purpose.
    pub faults: Arc<Faults>,
    /// Whose exercise is checked.
    pub class: Option<Arc<Class>>,
}

type Waker = Box<dyn Fn() + Send + Sync>;

impl fmt::Debug for Board {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Board").finish_non_exhaustive()
    }
}

/// What the one who sends messages on is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Try these now.
    Flush(Which),
    /// This message was held, released or dropped: look at it again.
    Look(QueueId),
}

impl Board {
    /// One with a journal that others write in too.
    pub fn with(journal: Journal) -> Self {
        Self {
            journal,
            ..Self::default()
        }
    }

    /// Leaves an order.
    pub fn ask(&self, order: Order) {
        hold(&self.orders).push(order);
        if let Some(wake) = &*hold(&self.waker) {
            wake();
        }
    }

    /// Has everything tried that is for `domain` and not held, as ETRN asks for (RFC 1985); how many messages that are.
    pub fn flush_domain(&self, domain: &str, store: &Store) -> usize {
        let is_for = |queued: &&Arc<Queued>| {
            let recipients = queued.envelope.recipients.iter().zip(&queued.recipients);
            let mut open = recipients.filter(|(_, progress)| progress.is_open());
            !queued.held
                && open.any(|(recipient, _)| {
                    let of = recipient.address.domain();
                    of.is_some_and(|of| of.eq_ignore_ascii_case(domain))
                })
        };
        let entries = store.queue().entries();
        let ids = entries
            .iter()
            .filter(is_for)
            .map(|queued| queued.id.clone());
        let ids: Vec<QueueId> = ids.collect();
        let count = ids.len();
        hold(&self.orders).extend(ids.into_iter().map(|id| Order::Flush(Which::Message(id))));
        if let Some(wake) = &*hold(&self.waker) {
            wake();
        }
        count
    }

    /// Takes the orders.
    pub fn take(&self) -> Vec<Order> {
        std::mem::take(&mut *hold(&self.orders))
    }

    /// `wake` is called after each order; it must not block.
    pub fn on_order(&self, wake: Waker) {
        *hold(&self.waker) = Some(wake);
    }
}

/// ETRN (RFC 1985), answered by the board's owner.
#[derive(Debug)]
pub struct BoardTurn {
    store: Arc<Store>,
    board: Board,
}

impl BoardTurn {
    /// For the queue of this store.
    pub const fn new(store: Arc<Store>, board: Board) -> Self {
        Self { store, board }
    }
}

impl Turn for BoardTurn {
    fn etrn(&self, node: &str) -> Turned {
        let domain = match node.as_bytes().first() {
            // Queues have no names of their own here.
            Some(b'#') => return Turned::NotAllowed,
            Some(b'@') => &node[1..],
            _ => node,
        };
        match self.board.flush_domain(domain, &self.store) {
            0 => Turned::Nothing,
            _ => Turned::Started,
        }
    }
}

/// Notes in the journal what went into mailboxes without the queue.
#[derive(Debug)]
pub struct JournalWitness {
    host: Arc<str>,
    journal: Journal,
}

impl JournalWitness {
    /// For the server of this name.
    pub fn new(host: &str, journal: Journal) -> Self {
        Self {
            host: host.into(),
            journal,
        }
    }
}

impl Witness for JournalWitness {
    fn delivered(&self, unix: i64, id: &str, from: Option<&Address>, to: &[&Address]) {
        let from = from.map_or_else(String::new, ToString::to_string);
        // As many as a person reads.
        const NAMED: usize = 10;
        let mut named: Vec<String> = to.iter().take(NAMED).map(|to| format!("<{to}>")).collect();
        if to.len() > NAMED {
            named.push(format!("{} more", to.len() - NAMED));
        }
        if named.is_empty() {
            return;
        }
        let text = format!(
            "from <{from}> to {}: delivered into the mailbox",
            named.join(", ")
        );
        log::debug!("{id}: {text}");
        self.journal.note(Step {
            moment: unix,
            host: Arc::clone(&self.host),
            id: id.into(),
            text,
        });
    }
}

/// No panic can leave these halfway changed.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Slow work: what is written into the queue.
pub struct Job {
    ids: Vec<QueueId>,
    change: Change,
}

/// What it brought: for each message, in order.
#[derive(Debug)]
pub struct Answer(Vec<(QueueId, Result<(), StoreError>)>);

impl Job {
    /// Does the work, on a pool thread.
    pub fn run(self, store: &Store) -> Answer {
        let record = |id: QueueId| {
            let result = store
                .queue()
                .record(&id, std::slice::from_ref(&self.change))
                .map(drop);
            (id, result)
        };
        Answer(self.ids.into_iter().map(record).collect())
    }
}

/// How an answer looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Text,
    Json,
}

/// A request, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Request<'a> {
    List,
    Show(&'a str),
    Flush(Option<&'a str>),
    Change(Change, &'a str),
    Trace(&'a str),
    Mark,
    Progress,
    Arrivals(u64),
    Follow,
}

impl<'a> Request<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (verb, what, more) = (words.next()?, words.next(), words.next());
        if more.is_some() {
            return None;
        }
        Some(match (verb, what) {
            ("list", None) => Self::List,
            ("show", Some(id)) => Self::Show(id),
            ("flush", what) => Self::Flush(what),
            ("hold", Some(id)) => Self::Change(Change::Hold, id),
            ("release", Some(id)) => Self::Change(Change::Release, id),
            ("drop", Some(id)) => Self::Change(Change::Drop, id),
            ("trace", Some(id)) => Self::Trace(id),
            ("mark", None) => Self::Mark,
            ("progress", None) => Self::Progress,
            ("arrivals", None) => Self::Arrivals(u64::MAX),
            ("arrivals", Some(number)) => Self::Arrivals(number.parse().ok()?),
            ("follow", None) => Self::Follow,
            _ => return None,
        })
    }
}

/// What answers on the control socket.
pub struct ControlService {
    store: Arc<Store>,
    board: Board,
}

impl ControlService {
    /// About this store; orders go to `board`.
    pub const fn new(store: Arc<Store>, board: Board) -> Self {
        Self { store, board }
    }
}

impl Service for ControlService {
    fn name(&self) -> &'static str {
        "control"
    }

    fn session(&self, peer: Peer) -> Box<dyn Session> {
        Box::new(Control {
            store: Arc::clone(&self.store),
            board: self.board.clone(),
            token: peer.token,
            live: None,
            style: Style::Text,
            listing: None,
            working: false,
            deadline: peer.accepted.instant + limits::CONTROL_IDLE,
            refused: peer.refused.is_some(),
            done: None,
        })
    }
}

/// What goes on without end.
enum Live {
    /// Messages behind this number.
    Arrivals {
        _expecting: Expecting,
        after: u64,
    },
    Sessions(Follower),
}

/// The session.
struct Control {
    store: Arc<Store>,
    board: Board,
    token: u64,
    live: Option<Live>,
    style: Style,
    /// What is still to be listed, as fast as it is read.
    listing: Option<std::vec::IntoIter<Arc<Queued>>>,
    working: bool,
    deadline: Instant,
    refused: bool,
    /// What was done to messages, in a word.
    done: Option<&'static str>,
}

impl Session for Control {
    fn want(&self) -> Want {
        if self.working || self.listing.is_some() {
            return Want::Nothing;
        }
        Want::Line {
            max: limits::CONTROL_LINE,
        }
    }

    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        self.deadline = now + limits::CONTROL_IDLE;
        match input {
            Input::Open if self.refused => {
                out.line(b"no: too many connections");
                out.close();
            }
            Input::Line(_) if self.live.take().is_some() => out.line(b"ok"),
            Input::Line(line) => self.request(line, out),
            Input::LongLine => out.line(b"no: that line is too long for a request"),
            Input::Room => {
                self.list(out);
                self.go_on(out);
            }
            Input::Changed => self.go_on(out),
            Input::Done(proto::Answer::Control(answer)) => {
                self.working = false;
                self.changed(answer, out);
            }
            Input::Eof | Input::Timeout | Input::Stop => out.close(),
            _ => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.live.is_none().then_some(self.deadline)
    }
}

impl Control {
    fn request(&mut self, line: &[u8], out: &mut Out) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        let (style, request) = match line.strip_prefix("json ") {
            Some(rest) => (Style::Json, rest),
            None => (Style::Text, line),
        };
        self.style = style;
        if let Some(request) = request.strip_prefix("fault ") {
            return self.fault(request.trim(), out);
        }
        match Request::parse(request) {
            Some(Request::List) => {
                self.listing = Some(self.store.queue().entries().into_iter());
                self.list(out);
            }
            Some(Request::Show(id)) => match self.find(id) {
                Ok(queued) => {
                    for line in page::show(&queued, self.style) {
                        say(&line, out);
                    }
                    out.line(b"ok");
                }
                Err(why) => no(&why, out),
            },
            Some(Request::Flush(what)) => self.flush(what, out),
            Some(Request::Change(change, id)) => self.change(change, id, out),
            Some(Request::Trace(id)) => {
                let journey = self.board.journal.journey(id);
                if journey.is_empty() {
                    return no(
                        &format!("nothing is known here of a message {id}: the log may have more"),
                        out,
                    );
                }
                for step in journey {
                    say(&page::step(&step, self.style), out);
                }
                out.line(b"ok");
            }
            Some(Request::Mark) => {
                let count = self.store.arrivals().count();
                out.line(format!("ok: {count}").as_bytes());
            }
            Some(Request::Progress) => match &self.board.class {
                Some(class) => {
                    for line in class.lines() {
                        say(&line, out);
                    }
                    out.line(b"ok");
                }
                None => no(
                    "this server has no exercise: start it with --exercise FILE, or --exercise lab",
                    out,
                ),
            },
            Some(Request::Arrivals(after)) => {
                let arrivals = self.store.arrivals();
                let wake = self.store.hub().waker(self.token);
                let expecting = arrivals.subscribe(Arc::new(move |_| wake()));
                let count = arrivals.count();
                say(&format!("listening {count}"), out);
                self.live = Some(Live::Arrivals {
                    _expecting: expecting,
                    after: after.min(count),
                });
                self.go_on(out);
            }
            Some(Request::Follow) => {
                let wake = self.store.hub().waker(self.token);
                let follower = self.board.feed.follow(Box::new(wake));
                say("listening", out);
                self.live = Some(Live::Sessions(follower));
            }
            None => no(
                "requests are list, show ID, flush [ID|DOMAIN], hold ID, release ID, drop ID, trace ID, mark, arrivals [NUMBER], follow, progress, fault list, fault add RULE, fault clear [N]",
                out,
            ),
        }
    }

    fn fault(&self, request: &str, out: &mut Out) {
        let faults = &self.board.faults;
        let (verb, rest) = request.split_once(' ').unwrap_or((request, ""));
        match (verb, rest.trim()) {
            ("list", "") => {
                for listed in faults.list() {
                    say(&page::fault(&listed, self.style), out);
                }
                if faults.has_magic() && self.style == Style::Text {
                    say("magic recipients are on", out);
                }
                out.line(b"ok");
            }
            ("add", rule) => {
                let rules = match lab::rules(rule) {
                    Ok(rules) => rules,
                    Err(error) => return no(&error.to_string(), out),
                };
                let mut numbers = Vec::new();
                for rule in rules {
                    match faults.add(rule) {
                        Ok(number) => numbers.push(number.to_string()),
                        Err(error) => return no(&error.to_string(), out),
                    }
                }
                let (plural, verb) = match numbers.len() {
                    1 => ("", "stands"),
                    _ => ("s", "stand"),
                };
                let numbers = numbers.join(" and ");
                log::warn!("rule{plural} {numbers} {verb}: faults are made on purpose: {request}");
                out.line(format!("ok: rule{plural} {numbers} {verb}").as_bytes());
            }
            ("clear", "") => {
                let count = faults.clear(None);
                out.line(
                    format!("ok: {count} cleared, nothing goes wrong on purpose any more")
                        .as_bytes(),
                );
            }
            ("clear", number) => match number.parse().map(|number| faults.clear(Some(number))) {
                Ok(1) => out.line(format!("ok: rule {number} is cleared").as_bytes()),
                _ => no(
                    &format!("there is no rule {number}; `fault list` shows which there are"),
                    out,
                ),
            },
            _ => no(
                "requests are fault list, fault add RULE, fault clear [N]",
                out,
            ),
        }
    }

    /// Goes on with what is without end, as long as there is room.
    fn go_on(&mut self, out: &mut Out) {
        match &mut self.live {
            Some(Live::Arrivals { after, .. }) => {
                for one in self.store.arrivals().after(*after) {
                    if out.is_full() {
                        break;
                    }
                    *after = one.number;
                    let octets = one.text.octets();
                    say(&format!("message {octets} {}", page::arrived(&one)), out);
                    out.extent(one.text.exact());
                    out.bytes(b"\r\n");
                }
            }
            Some(Live::Sessions(follower)) if !out.is_full() => {
                let (text, lost) = follower.take();
                if lost > 0 {
                    say(&format!("# lost: {lost} lines"), out);
                }
                for line in text.lines() {
                    say(line, out);
                }
            }
            Some(Live::Sessions(_)) | None => {}
        }
    }

    /// Goes on with the list, as long as there is room.
    fn list(&mut self, out: &mut Out) {
        let style = self.style;
        let Some(listing) = &mut self.listing else {
            return;
        };
        while !out.is_full() {
            match listing.next() {
                Some(queued) => {
                    for line in page::entry(&queued, style) {
                        say(&line, out);
                    }
                }
                None => {
                    self.listing = None;
                    return out.line(b"ok");
                }
            }
        }
    }

    fn find(&self, id: &str) -> Result<Arc<Queued>, String> {
        let missing =
            || format!("there is no message {id} in the queue; `queue list` shows what is");
        let id: QueueId = id.parse().map_err(|_| missing())?;
        self.store.queue().load(&id).map_err(|_| missing())
    }

    fn flush(&self, what: Option<&str>, out: &mut Out) {
        let Some(what) = what else {
            self.board.ask(Order::Flush(Which::All));
            return out.line(b"ok: everything that waits is tried now");
        };
        if let Ok(queued) = self.find(what) {
            if queued.held {
                return no(&format!("{what} is held: release it first"), out);
            }
            self.board
                .ask(Order::Flush(Which::Message(queued.id.clone())));
            return out.line(format!("ok: {what} is tried now").as_bytes());
        }
        match self.board.flush_domain(what, &self.store) {
            0 => no(
                &format!(
                    "no message that waits in the queue is called {what} or goes to a domain {what}"
                ),
                out,
            ),
            count => {
                let (messages, are) = (messages(count), if count == 1 { "is" } else { "are" });
                out.line(format!("ok: {messages} for {what} {are} tried now").as_bytes());
            }
        }
    }

    fn change(&mut self, change: Change, id: &str, out: &mut Out) {
        self.done = Some(match change {
            Change::Hold => "held",
            Change::Release => "released",
            _ => "dropped",
        });
        let ids = if id == "ALL" {
            let entries = self.store.queue().entries();
            entries.iter().map(|queued| queued.id.clone()).collect()
        } else {
            match self.find(id) {
                Ok(queued) => vec![queued.id.clone()],
                Err(why) => return no(&why, out),
            }
        };
        self.working = true;
        out.job(proto::Job::Control(Job { ids, change }));
    }

    fn changed(&mut self, answer: Answer, out: &mut Out) {
        let done = self.done.take().unwrap_or("changed");
        let mut count = 0;
        for (id, result) in answer.0 {
            match result {
                Ok(()) => {
                    count += 1;
                    self.board.ask(Order::Look(id));
                }
                // It has just left.
                Err(StoreError::NoSuchMessage) => {}
                Err(error) => return no(&format!("{id} cannot be {done}: {error}"), out),
            }
        }
        out.line(format!("ok: {} {done}", messages(count)).as_bytes());
    }
}

/// `no message`, `1 message`, `2 messages`
fn messages(count: usize) -> String {
    match count {
        0 => "no message".to_owned(),
        1 => "1 message".to_owned(),
        many => format!("{many} messages"),
    }
}

/// A line of an answer.
fn say(line: &str, out: &mut Out) {
    out.line(format!(" {line}").as_bytes());
}

fn no(why: &str, out: &mut Out) {
    out.line(format!("no: {why}").as_bytes());
}
