//! Who makes the server call others: a [`Driver`], that the loop asks what to do, and tells what came of it.
//!
//! A driver is to the loop what a session is to a connection: it owns no socket, reads no clock, and never blocks. It is told an
//! [`Event`], and answers into [`Orders`], which are carried out when it returns:
//!
//! | order | what comes of it |
//! |---|---|
//! | [`Orders::connect`] | [`Event::Connected`] perhaps, [`Event::News`] as often as its session says so, then once [`Event::Ended`] |
//! | [`Orders::resolve`] | once [`Event::Resolved`] |
//! | [`Orders::job`] | once [`Event::Done`] |
//! | [`Orders::nudge`] | the session of that connection gets [`Input::Changed`](crate::proto::Input) |
//! | [`Orders::stop`] | the session of that connection gets [`Input::Stop`](crate::proto::Input) |
//!
//! Words (`u64`) are the driver's own, and come back as they were; those of connections, of questions and of jobs are apart from each other.
//! A word of a connection may be used again after its [`Event::Ended`].

use std::any::Any;
use std::time::Instant;

use super::lookup::{Found, Question};
use super::outgoing::{End, Outgoing, Place};

/// Who orders connections. See the module.
pub trait Driver {
    /// Takes one event, and orders what is to be done.
    fn handle(&mut self, now: Instant, event: Event, orders: &mut Orders);
    /// When [`Event::Timeout`] is due; asked anew after each event.
    fn deadline(&self) -> Option<Instant>;
}

/// What can happen to a driver.
#[derive(Debug)]
pub enum Event {
    /// The loop begins. Comes first, and once.
    Start,
    /// Somebody called [`Handle::wake`](super::Handle::wake), once or several times.
    Wake,
    /// The deadline has passed.
    Timeout,
    /// A connection stands, in the clear; its session is told now.
    Connected {
        /// Of the connection.
        word: u64,
        /// Which of the places took it.
        place: Place,
    },
    /// A session said [`Out::notify`](crate::proto::Out::notify).
    News {
        /// Of the connection.
        word: u64,
    },
    /// A connection is over, and its session has been dropped.
    Ended {
        /// Of the connection.
        word: u64,
        /// How it came.
        end: End,
    },
    /// A question is answered.
    Resolved {
        /// Of the question.
        word: u64,
        /// What is known.
        found: Found,
    },
    /// A job is done: what it brought. `None` if it panicked, which is a bug.
    Done {
        /// Of the job.
        word: u64,
        /// What the closure returned.
        result: Option<Box<dyn Any + Send>>,
    },
    /// The program stops. All sessions have been told; connections that are ordered from now on end at once
    /// ([`End::Stopping`]), and the loop ends when the last of those that are there has.
    Stop,
}

/// Slow work of a driver, for a thread of the pool.
pub type Errand = Box<dyn FnOnce() -> Box<dyn Any + Send> + Send>;

/// What a driver wants done when it returns.
#[derive(Default)]
pub struct Orders {
    pub(super) list: Vec<Order>,
}

pub(super) enum Order {
    Connect(u64, Box<Outgoing>),
    Resolve(u64, Question),
    Job(u64, Errand),
    Nudge(u64),
    Stop(u64),
}

impl Orders {
    /// Calls somebody. When there are as many outgoing connections as may be
    /// ([`Options::outgoing`](super::Options::outgoing)), it waits until one of them has ended.
    pub fn connect(&mut self, word: u64, outgoing: Outgoing) {
        self.list.push(Order::Connect(word, Box::new(outgoing)));
    }

    /// Asks the resolver. What it knows already is answered in the same turn of the loop.
    pub fn resolve(&mut self, word: u64, question: Question) {
        self.list.push(Order::Resolve(word, question));
    }

    /// Has work done that blocks. Any number may be outstanding.
    pub fn job<T: Any + Send>(&mut self, word: u64, work: impl FnOnce() -> T + Send + 'static) {
        let errand: Errand = Box::new(move || Box::new(work()));
        self.list.push(Order::Job(word, errand));
    }

    /// Tells the session of a connection that there is something for it; nothing when the connection is over.
    pub fn nudge(&mut self, word: u64) {
        self.list.push(Order::Nudge(word));
    }

    /// Has the session of a connection say goodbye as soon as nothing would be lost; the second time: at once. A
    /// connection that does not stand yet is given up.
    pub fn stop(&mut self, word: u64) {
        self.list.push(Order::Stop(word));
    }
}
