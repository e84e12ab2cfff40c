//! The courier: does what a [`Dispatcher`] wishes, with the store's queue, the resolver and connections of the loop.
//!
//! ```text
//!   queue --news--> Courier --Event--> Dispatcher
//!                      ^                   |
//!        jobs, answers |  Wish             v
//!   pool, resolver, connections <----- carried out here
//! ```
//!
//! Nothing is decided here but how a wish is carried out: which TLS, which words a failure has in a report. Every step of a message
//! is logged with its name, and noted in the journal.
//!
//! What it keeps: the disk is touched in jobs only; when the program stops, no new message is begun, and what has an answer is still
//! written down.

mod calls;
mod words;
mod work;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use self::words::{answer, arrival, next_text, outcome_text};
use self::work::{Brought, deliver, load, record};
use super::driver::{Driver, Event, Orders};
use super::lookup::{self, Question};
use super::outgoing::{End, Outgoing, Place};
use super::{Connector, Handle, Trust};
use crate::proto::control::{Board, Order, Step};
use crate::proto::smtp::dispatch::policy::{Dialect, Policy, Secret, Tls, Whose};
use crate::proto::smtp::dispatch::{self, Dispatcher, Found, Target, Which, Wish, Written};
use crate::proto::smtp::relay::{Message, Patience, Tray};
use crate::store::queue::Queued;
use crate::store::{QueueId, Store, StoreError};
use crate::wire::smtp::{Enhanced, Reply};

/// How a courier is set up.
pub struct Settings {
    /// What the server calls itself.
    pub hostname: String,
    /// What the dispatcher goes by.
    pub policy: Policy,
    /// Whom to believe where TLS has to be verified.
    pub trust: Trust,
    /// How long servers may be silent.
    pub patience: Patience,
    /// How long each address may take to answer.
    pub connect: Duration,
    /// How long a server may take nothing of a message's text.
    pub stall: Duration,
}

/// The courier. See the module.
pub struct Courier {
    store: Arc<Store>,
    board: Board,
    hostname: Arc<str>,
    trust: Trust,
    patience: Patience,
    connect: Duration,
    stall: Duration,
    dispatcher: Dispatcher,
    calls: HashMap<u64, Call>,
    questions: HashMap<u64, dispatch::Question>,
    jobs: HashMap<u64, Job>,
    next_word: u64,
    /// Takes any certificate: what is encrypted for nobody in particular is more than what is not (RFC 7435).
    anybody: Option<Connector>,
    verified: Verified,
    /// When the dispatcher is to be asked again.
    due: Option<Instant>,
    stopping: bool,
}

/// The authorities of this machine are read when they are first needed.
enum Verified {
    Unread,
    /// These connections wait for it.
    Reading(Vec<u64>),
    Ready(Connector),
}

/// A connection.
struct Call {
    target: Target,
    tls: Tls,
    dialect: Dialect,
    login: Option<Secret>,
    /// The password or token, where it had to be fetched.
    fetched: Option<String>,
    tray: Tray,
    /// A message can be given.
    ready: bool,
    /// What flies.
    busy: Option<(QueueId, Vec<usize>)>,
    /// TLS was tried in vain.
    in_the_clear: bool,
    /// We said that it shall end.
    closing: bool,
}

/// What a job is for.
enum Job {
    Authorities,
    /// What a connection logs in with.
    Fetch {
        connection: u64,
    },
    Load {
        connection: u64,
        id: QueueId,
    },
    Deliver {
        errand: u64,
        recipients: Vec<usize>,
    },
    Record {
        errand: u64,
        id: QueueId,
    },
}

impl Courier {
    /// One for this store's queue; `board` brings it orders, and `handle` is how it is woken.
    pub fn new(settings: Settings, store: Arc<Store>, board: Board, handle: Handle) -> Self {
        let wake = handle.clone();
        store.queue().on_news(Box::new(move || wake.wake()));
        board.on_order(Box::new(move || handle.wake()));
        Self {
            dispatcher: Dispatcher::new(settings.policy, chance()),
            store,
            board,
            hostname: settings.hostname.into(),
            trust: settings.trust,
            patience: settings.patience,
            connect: settings.connect,
            stall: settings.stall,
            calls: HashMap::new(),
            questions: HashMap::new(),
            jobs: HashMap::new(),
            next_word: 0,
            anybody: None,
            verified: Verified::Unread,
            due: None,
            stopping: false,
        }
    }

    fn tell(&mut self, event: dispatch::Event) {
        self.dispatcher.handle(unix(), event);
    }

    /// Logs a step of a message, and notes it in the journal.
    fn note(&self, id: &QueueId, text: String) {
        log::info!("{id}: {text}");
        self.board.journal.note(Step {
            moment: unix(),
            host: Arc::clone(&self.hostname),
            id: id.as_str().into(),
            text,
        });
    }

    /// A message is there, or looks different.
    fn look(&mut self, id: &QueueId) {
        let known = self.dispatcher.activity(id).is_some();
        match self.store.queue().load(id) {
            Ok(queued) => {
                if !known {
                    self.note(id, arrival(&queued));
                }
                self.enter(queued);
            }
            Err(_) if known => {
                self.note(id, "dropped".to_owned());
                self.tell(dispatch::Event::Gone(id.clone()));
            }
            Err(_) => {}
        }
    }

    fn enter(&mut self, queued: Arc<Queued>) {
        let whose = queued
            .envelope
            .recipients
            .iter()
            .map(|recipient| {
                if self.store.is_here(&recipient.address) {
                    Whose::Ours
                } else {
                    Whose::Foreign
                }
            })
            .collect();
        self.tell(dispatch::Event::Entry { queued, whose });
    }

    fn read_news(&mut self) {
        for id in self.store.queue().take_news() {
            self.look(&id);
        }
        for order in self.board.take() {
            match order {
                Order::Look(id) => {
                    let held = self.store.queue().load(&id).map(|queued| queued.held);
                    if let Ok(held) = held {
                        self.note(&id, if held { "held" } else { "released" }.to_owned());
                    }
                    self.look(&id);
                }
                Order::Flush(which) => {
                    match &which {
                        Which::All => log::info!("asked to try all that waits now"),
                        Which::Message(id) => log::info!("{id}: asked to try it now"),
                        Which::Domain(domain) => log::info!("{domain}: asked to try it now"),
                    }
                    self.tell(dispatch::Event::Flush(which));
                }
            }
        }
    }

    /// Carries out what the dispatcher wishes.
    fn pump(&mut self, orders: &mut Orders) {
        while let Some(wish) = self.dispatcher.poll(unix()) {
            match wish {
                // What has an answer is written down to the last.
                Wish::Record {
                    errand,
                    id,
                    outcomes,
                } => {
                    for outcome in &outcomes {
                        self.note(&id, outcome_text(&self.store, &id, outcome));
                    }
                    let store = Arc::clone(&self.store);
                    let (hostname, give_up) =
                        (Arc::clone(&self.hostname), self.dispatcher.policy().give_up);
                    let name = id.clone();
                    self.job(Job::Record { errand, id }, orders, move || {
                        record(&store, &hostname, &name, errand, &outcomes, unix(), give_up)
                    });
                }
                Wish::AskedNext {
                    id,
                    recipients,
                    reply,
                    remote,
                    next,
                } => {
                    let text = next_text(
                        &self.store,
                        &id,
                        &recipients,
                        remote.as_deref(),
                        &reply,
                        &next,
                    );
                    self.note(&id, text);
                }
                _ if self.stopping => {}
                Wish::Resolve(question) => self.resolve(question, orders),
                Wish::Connect {
                    connection,
                    target,
                    tls,
                    dialect,
                    login,
                } => {
                    let call = Call {
                        target,
                        tls,
                        dialect,
                        login,
                        fetched: None,
                        tray: Tray::new(),
                        ready: false,
                        busy: None,
                        in_the_clear: false,
                        closing: false,
                    };
                    self.calls.insert(connection, call);
                    self.call(connection, orders);
                }
                Wish::Send {
                    connection,
                    id,
                    recipients,
                } => {
                    if let Some(call) = self.calls.get_mut(&connection) {
                        call.busy = Some((id.clone(), recipients));
                    }
                    let store = Arc::clone(&self.store);
                    let name = id.clone();
                    self.job(Job::Load { connection, id }, orders, move || {
                        load(&store, &name)
                    });
                }
                Wish::Close { connection } => {
                    if let Some(call) = self.calls.get_mut(&connection) {
                        call.closing = true;
                        call.tray.close();
                        orders.nudge(connection);
                    }
                }
                Wish::Deliver {
                    errand,
                    id,
                    recipients,
                } => {
                    let store = Arc::clone(&self.store);
                    let indices = recipients.clone();
                    let magic = self.board.faults.has_magic();
                    self.job(Job::Deliver { errand, recipients }, orders, move || {
                        deliver(&store, &id, &indices, magic)
                    });
                }
            }
        }
    }

    fn word(&mut self) -> u64 {
        self.next_word += 1;
        self.next_word
    }

    fn job(
        &mut self,
        job: Job,
        orders: &mut Orders,
        work: impl FnOnce() -> Brought + Send + 'static,
    ) {
        let word = self.word();
        self.jobs.insert(word, job);
        orders.job(word, work);
    }

    fn resolve(&mut self, question: dispatch::Question, orders: &mut Orders) {
        let word = self.word();
        orders.resolve(
            word,
            match &question {
                dispatch::Question::Exchangers(domain) => Question::Exchangers(domain.to_string()),
                dispatch::Question::Addresses(name) => Question::Addresses(name.to_string()),
            },
        );
        self.questions.insert(word, question);
    }

    fn done(&mut self, word: u64, brought: Option<Brought>, orders: &mut Orders) {
        let Some(job) = self.jobs.remove(&word) else {
            return;
        };
        match (job, brought) {
            (Job::Authorities, brought) => self.authorities(brought, orders),
            (Job::Fetch { connection }, brought) => self.fetched(connection, brought, orders),
            (Job::Load { connection, id }, brought) => {
                self.loaded(connection, &id, brought, orders);
            }
            (Job::Deliver { errand, .. }, Some(Brought::Delivered(verdicts))) => {
                self.tell(dispatch::Event::Delivered { errand, verdicts });
            }
            (Job::Deliver { errand, recipients }, _) => {
                let verdict = dispatch::Verdict::Later(Arc::new(bug()));
                let verdicts = recipients
                    .into_iter()
                    .map(|index| (index, verdict.clone()))
                    .collect();
                self.tell(dispatch::Event::Delivered { errand, verdicts });
            }
            (Job::Record { errand, id }, brought) => {
                let written = match brought {
                    Some(Brought::Recorded { written, reports }) => {
                        for report in reports {
                            self.note(&id, report);
                        }
                        written
                    }
                    _ => Written::No,
                };
                if written == Written::Yes && self.store.queue().load(&id).is_err() {
                    self.note(&id, "done, and out of the queue".to_owned());
                }
                self.tell(dispatch::Event::Recorded { errand, written });
            }
        }
    }

    /// What a connection logs in with is there, or cannot be had now.
    fn fetched(&mut self, connection: u64, brought: Option<Brought>, orders: &mut Orders) {
        let fetched = match brought {
            Some(Brought::Fetched(fetched)) => fetched,
            _ => Err("it could not be read".to_owned()),
        };
        let Some(call) = self.calls.get_mut(&connection) else {
            return;
        };
        let why = match fetched {
            Ok(secret) => {
                call.fetched = Some(secret);
                return self.call(connection, orders);
            }
            Err(why) => why,
        };
        let name = Arc::clone(&call.target.name);
        self.calls.remove(&connection);
        log::error!("there is nothing to log in to {name} with: {why}");
        let text = format!("There is nothing to log in to {name} with now");
        let reply = Reply::new(451, Enhanced(4, 7, 0), text);
        self.tell(dispatch::Event::NotConnected { connection, reply });
    }

    fn authorities(&mut self, brought: Option<Brought>, orders: &mut Orders) {
        let waiting = match std::mem::replace(&mut self.verified, Verified::Unread) {
            Verified::Reading(waiting) => waiting,
            _ => Vec::new(),
        };
        match brought {
            Some(Brought::Authorities(connector)) => match *connector {
                Ok(connector) => {
                    self.verified = Verified::Ready(connector);
                    for word in waiting {
                        self.call(word, orders);
                    }
                    return;
                }
                Err(error) => log::error!("no certificate can be verified: {error}"),
            },
            _ => log::error!("no certificate can be verified"),
        }
        for connection in waiting {
            self.calls.remove(&connection);
            let text = "No certificate can be verified here now";
            let reply = Reply::new(451, Enhanced(4, 7, 5), text);
            self.tell(dispatch::Event::NotConnected { connection, reply });
        }
    }

    /// A message is at hand, and goes over its connection if that still stands.
    fn loaded(
        &mut self,
        connection: u64,
        id: &QueueId,
        brought: Option<Brought>,
        orders: &mut Orders,
    ) {
        let Some(call) = self.calls.get_mut(&connection) else {
            return;
        };
        let Some((_, recipients)) = &call.busy else {
            return;
        };
        let error = match brought {
            Some(Brought::Loaded(Ok((queued, text)))) => {
                let mut envelope = queued.envelope.clone();
                envelope.recipients = recipients
                    .iter()
                    .filter_map(|index| queued.envelope.recipients.get(*index).cloned())
                    .collect();
                call.tray.give(Message {
                    word: connection,
                    envelope,
                    text,
                });
                orders.nudge(connection);
                return;
            }
            Some(Brought::Loaded(Err(error))) => error,
            _ => StoreError::Busy,
        };
        let verdicts = recipients
            .iter()
            .map(|index| {
                let text = format!("The message cannot be read here now: {error}");
                let reply = Reply::new(451, Enhanced(4, 3, 0), text);
                (*index, dispatch::Verdict::Later(Arc::new(reply)))
            })
            .collect();
        call.busy = None;
        if matches!(error, StoreError::NoSuchMessage) {
            self.tell(dispatch::Event::Gone(id.clone()));
        } else {
            log::error!("{id}: cannot be read: {error}");
        }
        self.tell(dispatch::Event::Sent {
            connection,
            verdicts,
        });
    }
}

impl Driver for Courier {
    fn handle(&mut self, _now: Instant, event: Event, orders: &mut Orders) {
        match event {
            Event::Start => {
                // What comes while they are read is news, and the same message twice changes nothing.
                let entries = self.store.queue().entries();
                if !entries.is_empty() {
                    log::info!("{} messages are in the queue", entries.len());
                }
                for queued in entries {
                    self.enter(queued);
                }
                self.read_news();
            }
            Event::Wake => self.read_news(),
            Event::Timeout | Event::Connected { .. } => {}
            Event::News { word } => self.news(word),
            Event::Ended { word, end } => self.ended(word, &end, orders),
            Event::Resolved { word, found } => {
                if let Some(question) = self.questions.remove(&word) {
                    let found = answer(found);
                    self.tell(dispatch::Event::Found { question, found });
                }
            }
            Event::Done { word, result } => {
                let brought = result.and_then(|result| result.downcast::<Brought>().ok());
                self.done(word, brought.map(|brought| *brought), orders);
            }
            Event::Stop => self.stopping = true,
        }
        self.pump(orders);
        self.due = self.dispatcher.next_due().map(instant);
    }

    fn deadline(&self) -> Option<Instant> {
        self.due
    }
}

/// When the clock on the wall will show so many seconds since 1970.
fn instant(due: i64) -> Instant {
    let due = SystemTime::UNIX_EPOCH + Duration::from_secs(due.max(0).unsigned_abs());
    Instant::now() + due.duration_since(SystemTime::now()).unwrap_or_default()
}

/// Seconds since 1970.
fn unix() -> i64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        })
}

/// Different in each run: which of equal exchangers comes first need not be a secret.
fn chance() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0u8)
}

fn bug() -> Reply {
    Reply::new(451, Enhanced(4, 3, 0), "It could not be delivered now")
}
