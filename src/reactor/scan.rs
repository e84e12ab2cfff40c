//! Who listens at which of many ports: asked at the same time, told in order.
//!
//! A window of calls is under way, bounded by file descriptors; each port's addresses are tried one after the other, as a client
//! would. What is known of a port is told once all before it are.
//!
//! **This machine.** A loopback call is answered before connect(2) has returned, but a socket that does not block is told so only when it
//! asks: so it asks at once, and never gets to the poll. After a refusal Linux lets the same socket call again. Then one port
//! costs two system calls and nothing else, all of it spent in the kernel's TCP (3.6 µs a port, 10,000 of them, 36 ms; OpenBSD's nc: 80 to
//! 90 ms); and because that has no more to give, several processors are put to it. A socket that blocks (one system call a port), and one
//! bound to a port or an address of its own (no search for one), one bound to the device, SO_DONTROUTE and MSG_FASTOPEN were measured and
//! cost the same within 5 in 100; a socket for each port costs half as much again. 10,000 bare calls of connect(2) take 43 ms of
//! processor where OpenBSD's nc takes 81: on two processors that is 0.27 of its time, and there is no less to be had. To read the kernel's table of listeners instead
//! would cost nothing, and be wrong where packets are filtered or redirected.
//!
//! **UDP.** Nobody answers a probe; a port is closed when a datagram is refused (ICMP port unreachable), and taken for open when
//! none was for as long as patience lasts. Two octets go at once, then one a second, as OpenBSD's nc does it.

mod seen;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::io::Errno;
use socket2::Socket;

use super::sockets::{Carrier, DialError, Settings, is_under_way, open};
use crate::limits;
use crate::tap::pcapng::Capture;
use seen::Seen;

/// What is to be asked.
#[derive(Clone, Copy)]
pub struct Scan<'a> {
    /// The addresses of the host, tried in this order for each port until one is open; whatever ports these have is ignored. Beside
    /// each is where to call from, if that matters.
    pub places: &'a [(SocketAddr, Option<SocketAddr>)],
    /// The ports, in the order in which they are told.
    pub ports: &'a [u16],
    /// TCP, UDP ...
    pub carrier: Carrier,
    /// What is asked of the sockets.
    pub settings: &'a Settings,
    /// How long each call may take; the kernel's own patience where it is `None`, and [`limits::UDP_PROBE`] with UDP.
    pub patience: Option<Duration>,
    /// One port after the other, and so long between them.
    pub interval: Option<Duration>,
    /// Sees what crosses the sockets; with the comment on each call.
    pub capture: Option<(&'a Capture, &'a str)>,
}

/// What was found at a port of an address.
#[derive(Debug)]
pub enum Found {
    /// Somebody listens there, or, with UDP, seems to.
    Open,
    /// Nobody does.
    Refused,
    /// No answer within the patience.
    TimedOut,
    /// The source that was asked for cannot be had.
    Unbound(io::Error),
    /// Anything else.
    Failed(io::Error),
}

impl Scan<'_> {
    /// Tells what was found, port after port, and of each port address after address.
    ///
    /// # Errors
    /// The kernel gives no poll.
    pub fn run(&self, told: &mut dyn FnMut(SocketAddr, Found)) -> io::Result<()> {
        if let Some(interval) = self.interval {
            for (at, port) in self.ports.iter().enumerate() {
                if at > 0 {
                    thread::sleep(interval);
                }
                self.ask(std::slice::from_ref(port), 1, told)?;
            }
            return Ok(());
        }
        let here = self.places.iter().all(|(to, _)| to.ip().is_loopback());
        let window = match self.carrier {
            Carrier::Udp if !here => limits::SCAN_UDP_WINDOW,
            _ => window(),
        };
        let batches = self.ports.len().div_ceil(limits::SCAN_BATCH);
        let threads = match here && self.carrier != Carrier::Udp {
            true => thread::available_parallelism().map_or(1, usize::from),
            false => 1,
        };
        match threads.min(limits::SCAN_THREADS).min(batches) {
            0 | 1 => self.ask(self.ports, window, told),
            threads => self.divide(threads, window, told),
        }
    }

    /// Batches of ports go to several threads, and what they find is put in order.
    fn divide(
        &self,
        threads: usize,
        window: usize,
        told: &mut dyn FnMut(SocketAddr, Found),
    ) -> io::Result<()> {
        let batches: Vec<&[u16]> = self.ports.chunks(limits::SCAN_BATCH).collect();
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..threads {
                let sender = sender.clone();
                let (batches, next) = (&batches, &next);
                scope.spawn(move || {
                    while let at = next.fetch_add(1, Ordering::Relaxed)
                        && let Some(ports) = batches.get(at)
                    {
                        let mut found = Vec::with_capacity(ports.len());
                        let mut keep = |address, what| found.push((address, what));
                        let result = self.ask(ports, (window / threads).max(1), &mut keep);
                        // Nobody is there to hear it after an error of another thread.
                        let _ = sender.send((at, result.map(|()| found)));
                    }
                });
            }
            drop(sender);
            let mut early = HashMap::new();
            let mut expected = 0;
            for (at, found) in receiver {
                early.insert(at, found?);
                while let Some(found) = early.remove(&expected) {
                    for (address, what) in found {
                        told(address, what);
                    }
                    expected += 1;
                }
            }
            Ok(())
        })
    }

    fn ask(
        &self,
        ports: &[u16],
        window: usize,
        told: &mut dyn FnMut(SocketAddr, Found),
    ) -> io::Result<()> {
        let mut round = Round {
            scan: self,
            ports,
            next_port: 0,
            again: Vec::new(),
            found: ports.iter().map(|_| Answers::default()).collect(),
            told: 0,
            waiting: HashMap::new(),
            due: VecDeque::new(),
            next_token: 0,
            spare: None,
            poll: None,
        };
        round.run(window, told)
    }
}

/// How many calls may be under way.
fn window() -> usize {
    let descriptors = super::descriptors::raise_descriptor_limit();
    let free = descriptors.saturating_sub(limits::SPARE_DESCRIPTORS);
    free.clamp(1, limits::SCAN_WINDOW)
}

/// Some ports, asked on one thread.
struct Round<'a> {
    scan: &'a Scan<'a>,
    ports: &'a [u16],
    /// The first port that was not called yet.
    next_port: usize,
    /// Ports of which another address is to be called.
    again: Vec<Call>,
    found: Vec<Answers>,
    /// How many ports were told.
    told: usize,
    waiting: HashMap<usize, Waiting>,
    /// When to look at which of them again. All wait equally long, so it is in order.
    due: VecDeque<(Instant, usize)>,
    next_token: usize,
    /// A socket that was refused, and may call another port of the address with this number.
    spare: Option<(usize, Socket)>,
    /// Made when it is first needed.
    poll: Option<Poll>,
}

/// Port and address, by their numbers.
#[derive(Clone, Copy)]
struct Call {
    port: usize,
    place: usize,
}

/// What the addresses of a port said.
#[derive(Default)]
struct Answers {
    all: Vec<(SocketAddr, Found)>,
    /// None is left to be asked.
    complete: bool,
}

/// A call under way.
struct Waiting {
    call: Call,
    socket: Socket,
    /// Datagrams that are still to be sent before it is taken for open.
    datagrams: u64,
    seen: Seen,
}

impl Round<'_> {
    fn run(&mut self, window: usize, told: &mut dyn FnMut(SocketAddr, Found)) -> io::Result<()> {
        let mut events = None;
        loop {
            while self.waiting.len() < window
                && let Some(call) = self.next_call()
            {
                self.call(call)?;
                self.tell(told);
            }
            if self.waiting.is_empty() && self.again.is_empty() {
                return Ok(());
            }
            let events = events.get_or_insert_with(|| Events::with_capacity(limits::SCAN_WINDOW));
            self.wait(events)?;
            self.tell(told);
        }
    }

    fn next_call(&mut self) -> Option<Call> {
        self.again.pop().or_else(|| {
            let port = self.next_port;
            self.next_port += usize::from(port < self.ports.len());
            (port < self.ports.len()).then_some(Call { port, place: 0 })
        })
    }

    /// Where a call goes, and from where.
    fn place(&self, call: Call) -> Option<(SocketAddr, Option<SocketAddr>)> {
        let (mut to, source) = *self.scan.places.get(call.place)?;
        to.set_port(self.ports[call.port]);
        Some((to, source))
    }

    fn call(&mut self, call: Call) -> io::Result<()> {
        let Some((to, source)) = self.place(call) else {
            self.found[call.port].complete = true;
            return Ok(());
        };
        let spare = self.spare.take().filter(|(place, _)| *place == call.place);
        let socket = match spare {
            Some((_, socket)) => Ok(socket),
            None => open(to, self.scan.carrier, source, self.scan.settings),
        };
        let socket = match socket {
            Ok(socket) => socket,
            Err(DialError::Bind(error)) => {
                self.answer(call, to, Found::Unbound(error));
                return Ok(());
            }
            Err(DialError::Failed(error)) if is_scarce(&error) && !self.waiting.is_empty() => {
                self.again.push(call);
                return self.wait(&mut Events::with_capacity(limits::SCAN_WINDOW));
            }
            Err(DialError::Failed(error)) => {
                self.answer(call, to, Found::Failed(error));
                return Ok(());
            }
            Err(DialError::TimedOut) => {
                self.answer(call, to, Found::TimedOut);
                return Ok(());
            }
        };
        if self.scan.carrier == Carrier::Udp {
            return self.probe(call, to, socket);
        }
        let mut result = socket.connect(&to.into());
        let seen = self.seen(&socket, to);
        if result.as_ref().is_err_and(is_under_way) && to.ip().is_loopback() {
            // The answer is there, and is given to whoever asks.
            result = socket.connect(&to.into());
        }
        let found = match result {
            Ok(()) => Found::Open,
            Err(error) if is_under_way(&error) => {
                let patience = self.scan.patience;
                return self.watch(call, socket, Interest::WRITABLE, 0, patience, seen);
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                self.spare = Some((call.place, socket));
                Found::Refused
            }
            Err(error) => Found::Failed(error),
        };
        seen.answered(&found);
        self.answer(call, to, found);
        Ok(())
    }

    /// What the capture sees of a call that was made.
    fn seen(&self, socket: &Socket, to: SocketAddr) -> Seen {
        let Some((capture, comment)) = self.scan.capture else {
            return Seen::Nothing;
        };
        // None where it found no way to leave this machine.
        let Some(from) = socket.local_addr().ok().and_then(|from| from.as_socket()) else {
            return Seen::Nothing;
        };
        if self.scan.carrier == Carrier::Udp {
            return Seen::Datagrams(capture.datagrams(from, to, comment));
        }
        let call = capture.call(SystemTime::now(), from, to, comment);
        call.filter(|_| from.port() != 0)
            .map_or(Seen::Nothing, |call| Seen::Call(Box::new(call)))
    }

    /// The first datagrams to a port.
    fn probe(&mut self, call: Call, to: SocketAddr, socket: Socket) -> io::Result<()> {
        let mut seen = Seen::Nothing;
        let mut send = || -> io::Result<()> {
            socket.connect(&to.into())?;
            seen = self.seen(&socket, to);
            for _ in 0..2 {
                socket.send(PROBE)?;
                seen.sent();
            }
            Ok(())
        };
        let sent = send();
        let patience = self.scan.patience.unwrap_or(limits::UDP_PROBE);
        match (sent, patience.as_secs()) {
            // On the loopback the first one's refusal is there when the second one is sent.
            (Err(error), _) => self.answer(call, to, of_error(error)),
            (Ok(()), 0) => self.answer(call, to, Found::Open),
            (Ok(()), seconds) => {
                let readable = Interest::READABLE;
                self.watch(call, socket, readable, seconds, Some(BETWEEN), seen)?;
            }
        }
        Ok(())
    }

    fn watch(
        &mut self,
        call: Call,
        socket: Socket,
        interest: Interest,
        datagrams: u64,
        patience: Option<Duration>,
        seen: Seen,
    ) -> io::Result<()> {
        let token = self.next_token;
        self.next_token += 1;
        let poll = match &self.poll {
            Some(poll) => poll,
            None => self.poll.insert(Poll::new()?),
        };
        let mut source = SourceFd(&socket.as_raw_fd());
        poll.registry()
            .register(&mut source, Token(token), interest)?;
        if let Some(patience) = patience {
            self.due.push_back((Instant::now() + patience, token));
        }
        let waiting = Waiting {
            call,
            socket,
            datagrams,
            seen,
        };
        self.waiting.insert(token, waiting);
        Ok(())
    }

    /// Waits until something is known of one of those that wait.
    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        while let Some((_, token)) = self.due.front()
            && !self.waiting.contains_key(token)
        {
            self.due.pop_front();
        }
        let until = self.due.front().map(|(until, _)| *until);
        let patience = until.map(|until| until.saturating_duration_since(Instant::now()));
        let Some(poll) = &mut self.poll else {
            return Ok(());
        };
        match poll.poll(events, patience) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        for event in &*events {
            if let Some(waiting) = self.waiting.remove(&event.token().0) {
                self.heard(waiting);
            }
        }
        let now = Instant::now();
        while let Some((until, token)) = self.due.front().copied()
            && until <= now
        {
            self.due.pop_front();
            self.expired(now, token);
        }
        Ok(())
    }

    /// An event came for it.
    fn heard(&mut self, waiting: Waiting) {
        let Some((to, _)) = self.place(waiting.call) else {
            return;
        };
        let found = match waiting.socket.take_error() {
            Ok(None) => Found::Open,
            Ok(Some(error)) | Err(error) => of_error(error),
        };
        waiting.seen.answered(&found);
        self.answer(waiting.call, to, found);
    }

    /// Its time is over: it has been silent too long, or another datagram is due.
    fn expired(&mut self, now: Instant, token: usize) {
        let Some(waiting) = self.waiting.get_mut(&token) else {
            return;
        };
        let call = waiting.call;
        let found = match waiting.datagrams {
            0 => Found::TimedOut,
            left => {
                waiting.datagrams = left - 1;
                let sent = waiting.socket.send(PROBE);
                if sent.is_ok() {
                    waiting.seen.sent();
                }
                match sent {
                    Ok(_) if left > 1 => {
                        self.due.push_back((now + BETWEEN, token));
                        return;
                    }
                    Ok(_) => Found::Open,
                    Err(error) => of_error(error),
                }
            }
        };
        self.waiting.remove(&token);
        if let Some((to, _)) = self.place(call) {
            self.answer(call, to, found);
        }
    }

    /// What an address said; unless it is open, the next one is asked.
    fn answer(&mut self, call: Call, to: SocketAddr, found: Found) {
        let answers = &mut self.found[call.port];
        let last = call.place + 1 == self.scan.places.len();
        answers.complete = last || matches!(found, Found::Open);
        answers.all.push((to, found));
        if !answers.complete {
            self.again.push(Call {
                place: call.place + 1,
                ..call
            });
        }
    }

    /// Tells what is known, in order.
    fn tell(&mut self, told: &mut dyn FnMut(SocketAddr, Found)) {
        while let Some(answers) = self.found.get_mut(self.told)
            && answers.complete
        {
            self.told += 1;
            for (address, found) in std::mem::take(&mut answers.all) {
                told(address, found);
            }
        }
    }
}

fn of_error(error: io::Error) -> Found {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Found::Refused,
        _ => Found::Failed(error),
    }
}

/// Whether others have to close theirs first.
fn is_scarce(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM]
        .into_iter()
        .any(|errno| code == Some(errno.raw_os_error()))
}

/// What OpenBSD's nc sends.
const PROBE: &[u8] = b"X";
/// Between two of them.
const BETWEEN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv6Addr, TcpListener, UdpSocket};

    fn here(ports: &[u16], carrier: Carrier, patience: Option<Duration>) -> Vec<(u16, String)> {
        let loopback = ([127, 0, 0, 1], 0).into();
        scanned(&[(loopback, None)], ports, carrier, patience)
    }

    fn scanned(
        places: &[(SocketAddr, Option<SocketAddr>)],
        ports: &[u16],
        carrier: Carrier,
        patience: Option<Duration>,
    ) -> Vec<(u16, String)> {
        let mut found = Vec::new();
        let scan = Scan {
            places,
            ports,
            carrier,
            settings: &Settings::default(),
            patience,
            interval: None,
            capture: None,
        };
        scan.run(&mut |address, what| {
            let what = format!("{what:?}");
            let word = what.split('(').next().unwrap_or_default();
            found.push((address.port(), word.to_owned()));
        })
        .unwrap();
        found
    }

    /// Ports in the range from which the kernel gives none, with some listeners among them.
    fn some_open(every: usize) -> (Vec<u16>, Vec<TcpListener>) {
        let ports: Vec<u16> = (20_000..22_000).collect();
        let listeners = ports
            .iter()
            .step_by(every)
            .filter_map(|port| TcpListener::bind(("127.0.0.1", *port)).ok())
            .collect();
        (ports, listeners)
    }

    fn closed_port() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    }

    #[test]
    fn many_ports_are_told_in_order() {
        let (ports, listeners) = some_open(97);
        let found = here(&ports, Carrier::Tcp, None);
        let told: Vec<u16> = found.iter().map(|(port, _)| *port).collect();
        assert_eq!(told, ports, "each once, in order");
        assert!(listeners.len() > 10);
        for listener in &listeners {
            let port = listener.local_addr().unwrap().port();
            let at = usize::from(port - ports[0]);
            assert_eq!(found[at].1, "Open", "{port}");
        }
        let refused = found.iter().filter(|(_, what)| what == "Refused").count();
        assert!(refused > 1500, "{refused}");
    }

    #[test]
    fn the_next_address_is_asked_where_one_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap().port();
        let closed = closed_port();
        let places = [
            ((Ipv6Addr::LOCALHOST, 0).into(), None),
            (([127, 0, 0, 1], 0).into(), None),
        ];
        let found = scanned(&places, &[closed, open], Carrier::Tcp, None);
        let expected = [
            (closed, "Refused"),
            (closed, "Refused"),
            (open, "Refused"),
            (open, "Open"),
        ];
        let expected = expected.map(|(port, what)| (port, what.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn who_takes_nobody_costs_the_others_nothing() {
        // Linux leaves calls unanswered when all who may wait for a listener do.
        let full =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        full.bind(&any.into()).unwrap();
        full.listen(0).unwrap();
        let at = full.local_addr().unwrap();
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let caller = open(any, Carrier::Tcp, None, &Settings::default()).unwrap();
                let _ = caller.connect(&at);
                caller
            })
            .collect();
        let port = at.as_socket().unwrap().port();
        let closed = closed_port();
        let begin = Instant::now();
        let found = here(
            &[port, closed, port],
            Carrier::Tcp,
            Some(Duration::from_millis(300)),
        );
        let took = begin.elapsed();
        drop(waiting);
        let words: Vec<_> = found.iter().map(|(_, what)| what.as_str()).collect();
        assert_eq!(words, ["TimedOut", "Refused", "TimedOut"]);
        assert!(
            took >= Duration::from_millis(300) && took < Duration::from_millis(580),
            "{took:?}"
        );
    }

    #[test]
    fn udp_ports_are_probed_together() {
        let open: Vec<_> = (0..20)
            .map(|_| UdpSocket::bind("127.0.0.1:0").unwrap())
            .collect();
        let mut ports: Vec<u16> = open
            .iter()
            .map(|socket| socket.local_addr().unwrap().port())
            .collect();
        let closed = UdpSocket::bind("127.0.0.1:0").unwrap();
        ports.insert(7, closed.local_addr().unwrap().port());
        drop(closed);
        let begin = Instant::now();
        let found = here(&ports, Carrier::Udp, Some(Duration::from_secs(1)));
        let took = begin.elapsed();
        assert!(
            took >= Duration::from_millis(950) && took < Duration::from_secs(3),
            "{took:?}"
        );
        for (at, (port, what)) in found.iter().enumerate() {
            assert_eq!(*port, ports[at]);
            assert_eq!(what, if at == 7 { "Refused" } else { "Open" });
        }
        open[0].set_nonblocking(true).unwrap();
        let mut octets = [0; 10];
        let heard = std::iter::from_fn(|| open[0].recv(&mut octets).ok()).count();
        assert_eq!(heard, 3, "two at once, and one a second");
    }

    #[test]
    fn an_interval_keeps_them_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let begin = Instant::now();
        let mut open = 0;
        let scan = Scan {
            places: &[(([127, 0, 0, 1], 0).into(), None)],
            ports: &[port; 3],
            carrier: Carrier::Tcp,
            settings: &Settings::default(),
            patience: None,
            interval: Some(Duration::from_millis(100)),
            capture: None,
        };
        scan.run(&mut |_, found| open += usize::from(matches!(found, Found::Open)))
            .unwrap();
        assert_eq!(open, 3);
        assert!(begin.elapsed() >= Duration::from_millis(200));
    }

    #[test]
    fn a_source_that_cannot_be_had_is_told() {
        let elsewhere = Some(([192, 0, 2, 1], 0).into());
        let places = [(([127, 0, 0, 1], 0).into(), elsewhere)];
        let found = scanned(&places, &[1], Carrier::Tcp, None);
        assert_eq!(found, [(1, "Unbound".to_owned())]);
    }

    #[test]
    fn what_cannot_be_reached_has_its_reason() {
        // Class E is nobody's.
        let places = [(([255, 255, 255, 255], 0).into(), None)];
        let found = scanned(&places, &[9], Carrier::Tcp, Some(Duration::from_secs(1)));
        assert_eq!(found, [(9, "Failed".to_owned())]);
    }
}
