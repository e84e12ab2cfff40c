//! One question on its way: its socket, over UDP first, and over TCP where a reply does not fit.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::{TcpStream, UdpSocket};
use mio::{Interest, Registry, Token};

use super::cache::Key;
use crate::limits;
use crate::reactor::question::{Course, Question, Taken, random_id};
use crate::reactor::resolver::unspecified;
use crate::wire::dns::{Reply, time_to_live};
use crate::wire::resolv::ResolvConf;

/// One question on its way.
pub(super) struct Asking {
    question: Question,
    course: Course,
    patience: Duration,
    link: Option<Link>,
    /// Who wants to know.
    pub(super) wishes: Vec<u64>,
    /// Why the last server was no help.
    why: String,
}

struct Link {
    token: u64,
    server: SocketAddr,
    until: Instant,
    way: Way,
}

enum Way {
    Udp(UdpSocket),
    Tcp {
        stream: TcpStream,
        /// The message with its length before it (RFC 1035 §4.2.2), as far as it is not sent.
        unsent: Vec<u8>,
        received: Vec<u8>,
    },
}

/// What sockets are registered with.
pub(super) struct Watch<'a> {
    pub(super) registry: &'a Registry,
    pub(super) next_token: &'a mut u64,
}

/// How far a question has come.
pub(super) enum Progress {
    Waiting,
    /// What is known, and for how long it is good.
    Settled(Reply, Duration),
    /// No server could tell.
    Failed(String),
}

impl Asking {
    pub(super) fn new((name, kind): &Key, conf: &ResolvConf, turn: usize) -> Self {
        Self {
            question: Question::new(name, *kind, random_id()),
            course: Course::new(conf, turn),
            patience: conf.timeout,
            link: None,
            wishes: Vec::new(),
            why: "no name server answered in time".to_owned(),
        }
    }

    /// The token of its socket.
    pub(super) fn token(&self) -> Option<u64> {
        Some(self.link.as_ref()?.token)
    }

    /// When [`Self::give_up`] is to be called.
    pub(super) fn until(&self) -> Option<Instant> {
        Some(self.link.as_ref()?.until)
    }

    /// Asks the first server.
    pub(super) fn begin(&mut self, now: Instant, watch: &mut Watch<'_>) -> Progress {
        if self.question.is_hopeless() {
            return Progress::Settled(Reply::NoName, Duration::ZERO);
        }
        self.ask_next(now, watch)
    }

    /// The server has not answered in time.
    pub(super) fn give_up(&mut self, now: Instant, watch: &mut Watch<'_>) -> Progress {
        if let Some(link) = &self.link {
            self.why = format!("the name server {} did not answer in time", link.server);
        }
        self.ask_next(now, watch)
    }

    /// The socket is ready for something.
    pub(super) fn ready(&mut self, now: Instant, watch: &mut Watch<'_>) -> Progress {
        let Some(mut link) = self.link.take() else {
            return Progress::Waiting;
        };
        let step = match &mut link.way {
            Way::Udp(socket) => take_datagrams(socket, &mut self.question),
            Way::Tcp {
                stream,
                unsent,
                received,
            } => exchange(stream, unsent, received, &mut self.question),
        };
        match step {
            Ok(Step::Waiting) => {
                self.link = Some(link);
                Progress::Waiting
            }
            Ok(Step::Settled(reply, ttl)) => Progress::Settled(reply, ttl),
            Ok(Step::AskAgain) => self.ask_or_next(link.server, udp, now, watch),
            Ok(Step::AskByTcp) => self.ask_or_next(link.server, tcp, now, watch),
            Ok(Step::Failed) => {
                self.why = format!("the name server {} could not tell", link.server);
                self.ask_next(now, watch)
            }
            Err(error) => {
                self.why = format!("the name server {}: {error}", link.server);
                self.ask_next(now, watch)
            }
        }
    }

    fn ask_next(&mut self, now: Instant, watch: &mut Watch<'_>) -> Progress {
        self.link = None;
        while let Some(server) = self.course.next() {
            if self.course.is_again() {
                self.question.give_up_edns();
            }
            self.question.write(random_id());
            match self.ask(server, udp, now, watch) {
                Ok(()) => return Progress::Waiting,
                // A server that cannot be reached is one that does not answer.
                Err(error) => self.why = format!("the name server {server}: {error}"),
            }
        }
        Progress::Failed(std::mem::take(&mut self.why))
    }

    fn ask_or_next(
        &mut self,
        server: SocketAddr,
        open: fn(SocketAddr, &[u8]) -> io::Result<Way>,
        now: Instant,
        watch: &mut Watch<'_>,
    ) -> Progress {
        match self.ask(server, open, now, watch) {
            Ok(()) => Progress::Waiting,
            Err(error) => {
                self.why = format!("the name server {server}: {error}");
                self.ask_next(now, watch)
            }
        }
    }

    /// Sends the message from a fresh port.
    fn ask(
        &mut self,
        server: SocketAddr,
        open: fn(SocketAddr, &[u8]) -> io::Result<Way>,
        now: Instant,
        watch: &mut Watch<'_>,
    ) -> io::Result<()> {
        let mut way = open(server, self.question.message())?;
        let token = *watch.next_token;
        *watch.next_token += 1;
        let name = Token(token as usize);
        match &mut way {
            Way::Udp(socket) => watch.registry.register(socket, name, Interest::READABLE)?,
            Way::Tcp { stream, .. } => {
                let wanted = Interest::READABLE | Interest::WRITABLE;
                watch.registry.register(stream, name, wanted)?;
            }
        }
        self.link = Some(Link {
            token,
            server,
            until: now + self.patience,
            way,
        });
        Ok(())
    }
}

enum Step {
    Waiting,
    Settled(Reply, Duration),
    AskAgain,
    AskByTcp,
    Failed,
}

impl Step {
    fn after(taken: Taken, reply: &[u8]) -> Self {
        match taken {
            Taken::NotMine => Self::Waiting,
            Taken::Settled(settled) => Self::Settled(settled, time_to_live(reply)),
            Taken::AskAgain => Self::AskAgain,
            Taken::AskByTcp => Self::AskByTcp,
            Taken::Failed => Self::Failed,
        }
    }
}

fn udp(server: SocketAddr, message: &[u8]) -> io::Result<Way> {
    let socket = UdpSocket::bind(unspecified(server))?;
    // Only datagrams of this server get in, and an ICMP refusal comes as an error at once.
    socket.connect(server)?;
    socket.send(message)?;
    Ok(Way::Udp(socket))
}

fn tcp(server: SocketAddr, message: &[u8]) -> io::Result<Way> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    Ok(Way::Tcp {
        stream: TcpStream::connect(server)?,
        unsent: [&length.to_be_bytes(), message].concat(),
        received: Vec::new(),
    })
}

/// Takes what has come, until something answers.
fn take_datagrams(socket: &UdpSocket, question: &mut Question) -> io::Result<Step> {
    let mut buffer = [0; limits::DNS_DATAGRAM as usize];
    loop {
        let octets = match socket.recv(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Step::Waiting),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => result?,
        };
        let reply = &buffer[..octets];
        match Step::after(question.take(reply, random_id()), reply) {
            Step::Waiting => {}
            step => return Ok(step),
        }
    }
}

/// Sends and receives what can be now. At most 64 KiB come: the length has two octets.
fn exchange(
    stream: &mut TcpStream,
    unsent: &mut Vec<u8>,
    received: &mut Vec<u8>,
    question: &mut Question,
) -> io::Result<Step> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    while !unsent.is_empty() {
        match stream.write(unsent) {
            Ok(octets) => drop(unsent.drain(..octets)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if is_not_now(&error) => return Ok(Step::Waiting),
            Err(error) => return Err(error),
        }
    }
    let mut buffer = [0; 4096];
    loop {
        if let Some((length, rest)) = received.split_first_chunk()
            && let Some(reply) = rest.get(..u16::from_be_bytes(*length).into())
        {
            return Ok(match question.take(reply, random_id()) {
                // What does not answer over TCP never will, nor is there a longer way.
                Taken::NotMine | Taken::AskByTcp => Step::Failed,
                taken => Step::after(taken, reply),
            });
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(octets) => received.extend_from_slice(&buffer[..octets]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if is_not_now(&error) => return Ok(Step::Waiting),
            Err(error) => return Err(error),
        }
    }
}

fn is_not_now(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected
    )
}
