//! Mail mode: one connection, and somebody who types into its session.
//!
//! ```text
//!   stdin, a script's files --typed--> LockStep --bytes--> Conn --> socket
//!                                        |  ^                        |
//!   stdout, stderr <---- Display <-shown-+  +--------- octets -------+
//! ```
//!
//! It is a [client](super::client) whose session needs more than the network: [`LockStep::needs`] is asked before
//! anything is read from stdin, so that what is typed ahead of the server stays where it is; and while [`Display`] is
//! full, the session hears nothing, so that the server waits for whoever reads our output.
//!
//! Stdin, stdout and the socket share one poll. Only a script's files are read where they stand, for they never make anybody wait.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mio::net::{TcpStream, UnixStream};
use mio::{Events, Interest, Poll, Token};
use socket2::Domain;

use super::Security;
use super::conn::{Conn, Next, Scratch};
use super::socket::Socket;
use super::stdio::{Input, Output, Readiness};
use super::tls::{CertificateFault, Connector, TlsError};
use super::trouble::Trouble;
use crate::limits;
use crate::proto::raw::lockstep::{Ending, LockStep, Needs, Options, Screen};
use crate::proto::{Input as Heard, Out, Session};
use crate::tap::{Piece, Side, Tap, Wire};
use crate::wire::secret::printable;

/// A connection that stands, and how it is to begin.
pub struct Call {
    /// A connected stream: TCP or UNIX.
    pub socket: socket2::Socket,
    /// What was read from it already, and belongs to the session.
    pub first: Vec<u8>,
    /// Whether TLS comes first. Else it is the session's wish.
    pub security: Security,
    /// The host as the user named it: the certificate must be for it.
    pub host: String,
    /// Makes what TLS needs, when it is first wanted: reading all authorities takes a while.
    pub connector: Box<dyn FnOnce() -> Result<Connector, TlsError>>,
    /// Sees what crosses the socket.
    pub wire: Option<Box<dyn Wire>>,
}

/// What came of it.
#[derive(Debug)]
pub enum Conclusion {
    /// The session came to its end.
    Ended(Ending),
    /// Nobody reads our output any more.
    Unheard,
    /// Nobody who is trusted here has signed the server's certificate.
    Untrusted,
    /// The connection did not hold, or TLS did not come about: why.
    Trouble(String),
}

/// Drives a session to its end.
///
/// # Errors
/// What is wrong with stdin, stdout, or this machine.
pub fn converse(
    call: Call,
    options: Options,
    display: Display,
    input: &mut Input,
    output: &mut Output,
    tap: Option<Box<dyn Tap>>,
) -> io::Result<Conclusion> {
    let now = Instant::now();
    let out = Out::new(Side::Client, now, tap);
    let mut conn = Conn::new(stream(call.socket)?, Side::Client, out, now);
    if let Some(wire) = call.wire {
        conn.watch(wire);
    }
    if !call.first.is_empty() {
        if call.security == Security::Implicit {
            return Ok(Conclusion::Trouble(
                "octets came where TLS was to begin".to_owned(),
            ));
        }
        conn.heard_before(&call.first);
    }
    let poll = Poll::new()?;
    let registry = poll.registry();
    let interest = Interest::READABLE | Interest::WRITABLE;
    registry.register(conn.socket(), NETWORK, interest)?;
    let ready = Ready {
        input: input.register(registry, INPUT)? == Readiness::Always,
        output: output.register(registry, OUTPUT)? == Readiness::Always,
    };
    let mut typist = Typist {
        poll,
        conn,
        is_gone: false,
        is_late: false,
        session: LockStep::new(now, options, display),
        input,
        output,
        ready,
        typed: Vec::with_capacity(limits::TYPED),
        file: None,
        host: call.host,
        connector: Some(call.connector),
    };
    if call.security == Security::Implicit {
        typist.start_tls(now);
    }
    typist.run()
}

struct Typist<'a> {
    poll: Poll,
    conn: Conn,
    /// The connection is over; the session may have something left to read.
    is_gone: bool,
    /// A deadline has passed.
    is_late: bool,
    session: LockStep<Display>,
    input: &'a mut Input,
    output: &'a mut Output,
    ready: Ready,
    typed: Vec<u8>,
    file: Option<File>,
    host: String,
    connector: Option<Box<dyn FnOnce() -> Result<Connector, TlsError>>>,
}

/// What can be done without waiting, as far as is known. Set by events, cleared by `WouldBlock` only.
struct Ready {
    input: bool,
    output: bool,
}

const INPUT: Token = Token(0);
const OUTPUT: Token = Token(1);
const NETWORK: Token = Token(2);

impl Typist<'_> {
    fn run(&mut self) -> io::Result<Conclusion> {
        let mut scratch = Scratch::new();
        let mut events = Events::with_capacity(8);
        loop {
            let now = Instant::now();
            let mut moved = self.read(now)?;
            if !self.is_gone {
                match self.conn.turn(Some(&mut self.session), now, &mut scratch) {
                    Next::Again => moved = true,
                    // The time that was given for it is over: no more is given for a goodbye.
                    Next::Wait if self.is_late && self.conn.is_lingering() => self.is_gone = true,
                    Next::Wait | Next::Headed(_) => {}
                    Next::StartTls => {
                        self.start_tls(now);
                        moved = true;
                    }
                    Next::Gone => self.is_gone = true,
                }
            }
            match self.write() {
                Ok(written) => moved |= written,
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return Ok(Conclusion::Unheard);
                }
                Err(error) => return Err(error),
            }
            if self.is_gone && self.session.screen().is_empty() {
                if let Some(ending) = self.session.ending() {
                    return Ok(Conclusion::Ended(ending.clone()));
                }
                if let Some(trouble) = self.conn.take_trouble() {
                    return Ok(match trouble {
                        Trouble::Tls(TlsError::Certificate {
                            fault: CertificateFault::UnknownIssuer,
                            ..
                        }) => Conclusion::Untrusted,
                        trouble => Conclusion::Trouble(trouble.to_string()),
                    });
                }
            }
            let due = match self.is_gone {
                true => self.session.deadline(),
                false => self.conn.due(Some(&self.session)),
            };
            if due.is_some_and(|due| due <= now) {
                self.expire(now);
                continue;
            }
            let patience = match moved {
                true => Some(Duration::ZERO),
                false => due.map(|due| due - now),
            };
            self.wait(patience, &mut events)?;
        }
    }

    fn expire(&mut self, now: Instant) {
        if self.is_gone {
            let session = &mut self.session;
            self.conn
                .speak(now, |out| session.handle(now, Heard::Timeout, out));
        } else {
            self.is_late = true;
            self.conn.expire(Some(&mut self.session), now);
        }
    }

    /// Gives the session what it needs, if that is there. Whether anything came.
    fn read(&mut self, now: Instant) -> io::Result<bool> {
        let session = &mut self.session;
        match session.needs() {
            Needs::Nothing => Ok(false),
            Needs::Typed if !self.ready.input => Ok(false),
            Needs::Typed => {
                self.typed.clear();
                match self.input.read(&mut self.typed) {
                    Ok(0) => {
                        self.ready.input = false;
                        self.conn.speak(now, |out| session.typed_end(now, out));
                    }
                    Ok(_) => {
                        let typed = &self.typed;
                        self.conn.speak(now, |out| session.typed(now, typed, out));
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        self.ready.input = false;
                        return Ok(false);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
                Ok(true)
            }
            Needs::Open(name) => {
                let opened = File::open(OsStr::from_bytes(name));
                match opened {
                    Ok(file) => {
                        self.file = Some(file);
                        self.read_file(now);
                    }
                    Err(error) => self.give_file(now, Err(error)),
                }
                Ok(true)
            }
            Needs::Content => {
                self.read_file(now);
                Ok(true)
            }
        }
    }

    fn read_file(&mut self, now: Instant) {
        let mut octets = vec![0; limits::TYPED];
        let read = match &mut self.file {
            Some(file) => file.read(&mut octets),
            None => Ok(0),
        };
        self.give_file(
            now,
            read.map(|read| {
                octets.truncate(read);
                octets
            }),
        );
    }

    fn give_file(&mut self, now: Instant, octets: io::Result<Vec<u8>>) {
        let session = &mut self.session;
        let octets = match &octets {
            Ok(octets) => Ok(octets.as_slice()),
            Err(error) => Err(error.to_string()),
        };
        self.conn
            .speak(now, |out| session.content(now, octets, out));
    }

    /// What waits on the screen, as far as there is room. Whether anything went.
    fn write(&mut self) -> io::Result<bool> {
        let mut written = false;
        let queue = Rc::clone(&self.session.screen().queue);
        let mut queue = queue.borrow_mut();
        while let Some((to, octets)) = queue.first() {
            let took = match to {
                To::Stdout if !self.ready.output => return Ok(written),
                To::Stdout => self.output.write(octets),
                To::Stderr => {
                    self.output.aside(octets);
                    Ok(octets.len())
                }
            };
            match took {
                Ok(octets) => {
                    queue.took(octets);
                    written = true;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.ready.output = false;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }

    fn start_tls(&mut self, now: Instant) {
        let connector = match self.connector.take() {
            Some(connector) => connector(),
            None => Err(TlsError::Broken("TLS stands already".to_owned())),
        };
        match connector.and_then(|connector| connector.connect(&self.host)) {
            Ok(tls) => self.conn.start_tls(tls, now),
            Err(error) => self.conn.refuse_tls(error),
        }
    }

    fn wait(&mut self, patience: Option<Duration>, events: &mut Events) -> io::Result<()> {
        match self.poll.poll(events, patience) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        for event in events.iter() {
            let in_trouble = event.is_error();
            match event.token() {
                INPUT => {
                    self.ready.input |= event.is_readable() || event.is_read_closed() || in_trouble;
                }
                OUTPUT => {
                    self.ready.output |=
                        event.is_writable() || event.is_write_closed() || in_trouble;
                }
                _ => self.conn.ready(event),
            }
        }
        Ok(())
    }
}

fn stream(socket: socket2::Socket) -> io::Result<Socket> {
    socket.set_nonblocking(true)?;
    if socket.domain()? == Domain::UNIX {
        let stream = StdUnixStream::from(OwnedFd::from(socket));
        return Ok(Socket::Unix(UnixStream::from_std(stream)));
    }
    socket.set_tcp_nodelay(true).ok();
    Ok(Socket::Tcp(TcpStream::from_std(socket.into())))
}

/// The user's screen: what waits for stdout and for stderr, in order.
///
/// Octets of the server go to stdout, and nothing else does, but for explanations that are to stand in place: on a terminal.
#[derive(Debug)]
pub struct Display {
    queue: Rc<RefCell<Queue>>,
    /// What messages begin with: `nc`.
    name: String,
    explanations: Explanations,
    tags: Tags,
    /// Messages, as the user is to read them.
    say: fn(&str) -> String,
}

/// Where explanations are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explanations {
    /// On stdout, under the reply: it is a terminal.
    InPlace(Style),
    /// On stderr, under the reply's line, which is repeated there.
    Aside(Style),
}

/// How they are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// No escape sequences.
    Plain,
    /// Dimmed.
    Dimmed,
}

/// Whether somebody is told of tags that were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tags {
    /// On stderr.
    Told,
    /// Nobody is.
    Untold,
}

impl Display {
    /// An empty one, whose messages begin with `name`, and are what `say` makes of them: in the user's language.
    pub fn new(
        name: impl Into<String>,
        explanations: Explanations,
        tags: Tags,
        say: fn(&str) -> String,
    ) -> Self {
        Self {
            queue: Rc::default(),
            name: name.into(),
            explanations,
            tags,
            say,
        }
    }

    /// A tap that shows what the client says on stderr, between what the server says: `> EHLO pc1`.
    pub fn echo(&self) -> Box<dyn Tap> {
        Box::new(Echo {
            queue: Rc::clone(&self.queue),
            line: Vec::new(),
        })
    }

    fn is_empty(&self) -> bool {
        self.queue.borrow().octets == 0
    }
}

impl Screen for Display {
    fn received(&mut self, octets: &[u8]) {
        self.queue.borrow_mut().push(To::Stdout, octets);
    }

    fn explain(&mut self, reply: &[u8], lines: &str) {
        let mut queue = self.queue.borrow_mut();
        let (to, style) = match self.explanations {
            Explanations::InPlace(style) => (To::Stdout, style),
            Explanations::Aside(style) => {
                let reply = format!("{}\n", printable(reply));
                queue.push(To::Stderr, reply.as_bytes());
                (To::Stderr, style)
            }
        };
        match style {
            Style::Plain => queue.push(to, lines.as_bytes()),
            Style::Dimmed => {
                queue.push(to, b"\x1b[2m");
                queue.push(to, lines.trim_end().as_bytes());
                queue.push(to, b"\x1b[0m\n");
            }
        }
    }

    fn note(&mut self, text: &str) {
        let line = format!("{}: {}\n", self.name, (self.say)(text));
        self.queue.borrow_mut().push(To::Stderr, line.as_bytes());
    }

    fn tagged(&mut self, tag: &str) {
        if self.tags == Tags::Told {
            self.note(&format!("sent with the tag {tag}"));
        }
    }

    fn is_full(&self) -> bool {
        self.queue.borrow().octets >= limits::SCREEN
    }
}

/// Octets that wait to be written, in order.
#[derive(Debug, Default)]
struct Queue {
    runs: VecDeque<(To, Vec<u8>)>,
    /// Octets of the first run that are written.
    written: usize,
    octets: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Stdout,
    Stderr,
}

impl Queue {
    fn push(&mut self, to: To, octets: &[u8]) {
        self.octets += octets.len();
        match self.runs.back_mut() {
            Some((last, run)) if *last == to => run.extend_from_slice(octets),
            _ if octets.is_empty() => {}
            _ => self.runs.push_back((to, octets.to_owned())),
        }
    }

    fn first(&self) -> Option<(To, &[u8])> {
        let (to, run) = self.runs.front()?;
        Some((*to, &run[self.written..]))
    }

    fn took(&mut self, octets: usize) {
        self.written += octets;
        self.octets -= octets;
        if self
            .runs
            .front()
            .is_some_and(|(_, run)| run.len() == self.written)
        {
            self.runs.pop_front();
            self.written = 0;
        }
    }
}

/// See [`Display::echo`].
struct Echo {
    queue: Rc<RefCell<Queue>>,
    line: Vec<u8>,
}

impl Echo {
    fn show(&mut self) {
        let line = std::mem::take(&mut self.line);
        let text = printable(line.trim_ascii_end());
        let mut queue = self.queue.borrow_mut();
        queue.push(To::Stderr, format!("> {text}\n").as_bytes());
    }
}

impl Tap for Echo {
    fn saw(&mut self, _now: Instant, side: Side, piece: Piece<'_>) {
        match (side, piece) {
            (Side::Client, Piece::Bytes(octets)) => {
                for part in octets.split_inclusive(|&octet| octet == b'\n') {
                    self.line.extend_from_slice(part);
                    if part.ends_with(b"\n") || self.line.len() > limits::TRANSCRIPT_LINE {
                        self.show();
                    }
                }
            }
            (Side::Client, Piece::Secret) => self.line.extend_from_slice(b"********"),
            (Side::Client, Piece::Closed) if !self.line.is_empty() => self.show(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_stays_in_order() {
        let style = Style::Dimmed;
        let mut display = Display::new("nc", Explanations::Aside(style), Tags::Told, str::to_owned);
        let mut echo = display.echo();
        let now = Instant::now();
        display.received(b"220 hi\r\n");
        display.explain(b"220 hi", "    220\n");
        echo.saw(now, Side::Client, Piece::Bytes(b"PASS "));
        echo.saw(now, Side::Client, Piece::Secret);
        echo.saw(now, Side::Client, Piece::Bytes(b"\r\n"));
        display.received(b"250 ");
        display.received(b"ok\r\n");
        display.tagged("A1");
        let mut shown: Vec<(To, String)> = Vec::new();
        let mut queue = display.queue.borrow_mut();
        while let Some((to, octets)) = queue.first() {
            // A pipe may take as little as it likes.
            let octet = char::from(octets[0]);
            match shown.last_mut() {
                Some((last, text)) if *last == to => text.push(octet),
                _ => shown.push((to, octet.into())),
            }
            queue.took(1);
        }
        let shown: Vec<(To, &str)> = shown
            .iter()
            .map(|(to, text)| (*to, text.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                (To::Stdout, "220 hi\r\n"),
                (
                    To::Stderr,
                    "220 hi\n\u{1b}[2m    220\u{1b}[0m\n> PASS ********\n"
                ),
                (To::Stdout, "250 ok\r\n"),
                (To::Stderr, "nc: sent with the tag A1\n"),
            ]
        );
        drop(queue);
        assert!(display.is_empty());
    }
}
