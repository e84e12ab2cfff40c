//! The other end of the network, and the places of a case: its ports, its folder, its address.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::{RecvFlags, SendFlags, SocketAddrAny, recvfrom, sendto};
use socket2::{Domain, SockAddr, Socket, Type};

use super::Over;
use super::running::while_nothing_starts;
use super::stage::much_of;

/// What is different each time.
pub struct Places {
    folder: PathBuf,
    first_port: u16,
    listen: Option<u16>,
    here: Ipv4Addr,
    callers: Vec<u16>,
}

/// Below the ports that the kernel gives away.
const PORTS: std::ops::Range<u32> = 10_000..32_000;
/// How many a case has.
const PORTS_EACH: u32 = 8;

impl Places {
    /// Takes ports that nobody has, and nobody else will get.
    pub fn take(folder: &Path) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // Not where another run of the same tests on this machine begins.
        let begin = std::process::id() * 97 * PORTS_EACH;
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let offset = begin.wrapping_add(number * PORTS_EACH) % (PORTS.end - PORTS.start);
            let first = PORTS.start + offset / PORTS_EACH * PORTS_EACH;
            let first_port = u16::try_from(first).expect("below 32,000");
            if (first_port..first_port + 8).all(|port| is_free(port) && has_no_name(port)) {
                let [.., high, low] = number.to_be_bytes();
                return Self {
                    folder: folder.to_owned(),
                    first_port,
                    listen: None,
                    here: Ipv4Addr::new(127, 64 + high, low, 1),
                    callers: Vec::new(),
                };
            }
        }
    }

    /// Where it runs.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// An address of this case's own.
    pub const fn here(&self) -> Ipv4Addr {
        self.here
    }

    /// The port of this name.
    fn port(&self, name: &str) -> u16 {
        if let Some(listen) = self.listen.filter(|_| name == "listen") {
            return listen;
        }
        let at = NAMES.iter().position(|other| *other == name);
        self.first_port + u16::try_from(at.expect("it is in the table")).expect("there are few")
    }

    /// Names become what they stand for.
    pub fn fill(&self, text: &[u8]) -> Vec<u8> {
        let mut filled = text.to_vec();
        let port = self.port("port").to_be_bytes();
        filled = replace(&filled, b"{port, two octets}", &port);
        for (name, value) in self.names() {
            filled = replace(&filled, name.as_bytes(), value.as_bytes());
        }
        filled
    }

    /// What names stand for becomes names; and what is never the same twice, words.
    pub fn mask(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for (name, value) in self.names() {
            masked = replace_words(&masked, &value, &name);
        }
        for port in &self.callers {
            masked = replace_words(&masked, &port.to_string(), "{caller}");
        }
        let masked = without_number(&masked, "<user", "{n}");
        let masked = without_number(&masked, " on file descriptor ", "{n}");
        without_temporary_names(&without_times(&masked))
    }

    /// This is where it listens.
    pub fn learnt(&mut self, listen: u16) {
        self.listen = Some(listen);
    }

    fn names(&self) -> Vec<(String, String)> {
        let ports = NAMES.map(|name| (format!("{{{name}}}"), self.port(name).to_string()));
        let mut names = ports.to_vec();
        names.push(("{dir}".to_owned(), self.folder.display().to_string()));
        names.push(("{here}".to_owned(), self.here.to_string()));
        names
    }

    /// Whether somebody is about to call `{port}`, and has no answer yet.
    pub fn is_called(&self) -> bool {
        let port = format!(":{:04X}", self.port("port"));
        let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        table.lines().any(|line| {
            let mut fields = line.split_ascii_whitespace().skip(2);
            // SYN_SENT
            fields.next().is_some_and(|to| to.ends_with(&port)) && fields.next() == Some("02")
        })
    }

    /// This is who called.
    pub fn met(&mut self, line: &Line) {
        self.met_at(line.port());
    }

    /// This is whence somebody called.
    pub fn met_at(&mut self, port: Option<u16>) {
        self.callers.extend(port.filter(|port| {
            let ours = self.first_port..self.first_port + 8;
            !ours.contains(port)
        }));
    }
}

/// The ports of a case, from the first on.
const NAMES: [&str; 6] = ["port", "closed", "other", "end", "listen", "source"];

/// Bound without listening, which stands in nobody's way should a process that is being started hold it a moment longer.
fn is_free(port: u16) -> bool {
    let socket = socket(Over::Tcp);
    socket.set_reuse_address(true).expect("a socket");
    let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    socket.bind(&address.into()).is_ok() && !has_datagram_socket(port)
}

/// A service's name would be seen in what is said.
fn has_no_name(port: u16) -> bool {
    static SERVICES: LazyLock<String> =
        LazyLock::new(|| fs::read_to_string("/etc/services").unwrap_or_default());
    let number = port.to_string();
    SERVICES
        .lines()
        .filter_map(|line| line.split_ascii_whitespace().nth(1)?.split('/').next())
        .all(|named| named != number)
}

fn replace(text: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(what.len()).position(|window| window == what) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(with);
        rest = &rest[at + what.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// Not within a longer number.
fn replace_words(text: &str, what: &str, with: &str) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(what) {
        let (before, after) = (&rest[..at], &rest[at + what.len()..]);
        let is_word = !before.ends_with(|c: char| c.is_ascii_digit())
            && !after.starts_with(|c: char| c.is_ascii_digit());
        replaced.push_str(before);
        replaced.push_str(if is_word { with } else { what });
        rest = after;
    }
    replaced + rest
}

/// Digits that follow `before`, as in `<user5>`, which are numbers of descriptors.
fn without_number(text: &str, before: &str, name: &str) -> String {
    let mut pieces = text.split(before);
    let mut masked = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit());
        masked.push_str(before);
        masked.push_str(if rest.len() < piece.len() { name } else { "" });
        masked.push_str(rest);
    }
    masked
}

/// `in 0.01 seconds`, as ncat ends.
fn without_times(text: &str) -> String {
    let Some((before, rest)) = text.split_once(" in ") else {
        return text.to_owned();
    };
    let Some((time, after)) = rest.split_once(" seconds") else {
        return text.to_owned();
    };
    match time.parse::<f64>() {
        Ok(_) => format!("{before} in {{time}} seconds{after}"),
        Err(_) => text.to_owned(),
    }
}

/// `/tmp/nc-0aBcDe/recv.sock`, at which OpenBSD's nc receives datagrams.
fn without_temporary_names(text: &str) -> String {
    let Some((before, after)) = text.split_once("/tmp/nc-") else {
        return text.to_owned();
    };
    let rest = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
    format!("{before}/tmp/nc-{{name}}{rest}")
}

/// Where the peer is called.
pub struct Listener {
    over: Over,
    socket: Socket,
    /// A second port, so that there are two to be found; or who fills the queue of the deaf.
    _other: Option<Socket>,
}

impl Listener {
    /// From now on.
    pub fn new(over: Over, places: &Places) -> Self {
        let second = matches!(over, Over::Tcp | Over::Udp);
        Self {
            over,
            socket: bound(over, places, "port"),
            _other: second.then(|| bound(over, places, "other")),
        }
    }

    /// At a port that has a name.
    pub fn at(here: Ipv4Addr, port: u16) -> Self {
        let listener = socket(Over::Tcp);
        listener.set_reuse_address(true).expect("a socket");
        listener
            .bind(&SocketAddr::from((here, port)).into())
            .expect("nobody else has it");
        listener.listen(16).expect("it is bound");
        Self {
            over: Over::Tcp,
            socket: listener,
            _other: None,
        }
    }

    /// Whose queue is full: on Linux, one more than the backlog.
    pub fn deaf(places: &Places) -> Self {
        let over = Over::Tcp;
        let listener = socket(over);
        listener.set_reuse_address(true).expect("a socket");
        listener
            .bind(&address(over, places, "port"))
            .expect("nobody else has it");
        listener.listen(0).expect("it is bound");
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, places.port("port")));
        let caller = socket(over);
        caller.connect(&to.into()).expect("there is room for one");
        Self {
            over,
            socket: listener,
            _other: Some(caller),
        }
    }

    /// The next call.
    pub fn accept(&self, patience: Duration) -> Option<Line> {
        // On Linux the time to receive is the time to accept, too.
        self.socket.set_read_timeout(Some(patience)).ok()?;
        let (socket, _) = self.socket.accept().ok()?;
        Some(Line {
            over: self.over,
            called: false,
            socket: Some(socket),
            from: None,
        })
    }

    /// Datagrams have no calls.
    pub fn datagrams(&self) -> Line {
        Line {
            over: self.over,
            called: false,
            socket: Some(self.socket.try_clone().expect("a socket")),
            from: None,
        }
    }
}

fn bound(over: Over, places: &Places, port: &str) -> Socket {
    let socket = socket(over);
    socket.set_reuse_address(true).expect("a socket");
    socket
        .bind(&address(over, places, port))
        .expect("nobody else has it");
    if over.is_stream() {
        socket.listen(16).expect("it is bound");
    }
    socket
}

fn socket(over: Over) -> Socket {
    let kind = match over.is_stream() {
        true => Type::STREAM,
        false => Type::DGRAM,
    };
    let domain = match over {
        Over::Tcp | Over::Udp => Domain::IPV4,
        Over::Tcp6 | Over::Udp6 => Domain::IPV6,
        _ => Domain::UNIX,
    };
    Socket::new(domain, kind, None).expect("a socket")
}

/// Of the peer, or of the program.
fn address(over: Over, places: &Places, port: &str) -> SockAddr {
    match over {
        Over::Tcp | Over::Udp => {
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, places.port(port))).into()
        }
        Over::Tcp6 | Over::Udp6 => {
            SocketAddr::from((Ipv6Addr::LOCALHOST, places.port(port))).into()
        }
        Over::Unix | Over::UnixDatagrams => {
            SockAddr::unix(places.folder().join("socket")).expect("it is short")
        }
        Over::Abstract | Over::AbstractDatagrams => {
            let name = format!("\0{}/socket", places.folder().display());
            SockAddr::unix(name).expect("it is short")
        }
    }
}

/// One conversation of the peer's.
pub struct Line {
    over: Over,
    socket: Option<Socket>,
    /// Whether the peer has called, and was not called.
    called: bool,
    /// Of datagrams, who spoke last.
    from: Option<SocketAddrAny>,
}

/// What came, and why no more.
pub struct Heard {
    pub octets: Vec<u8>,
    /// None: all that was waited for is there.
    pub end: Option<Stop>,
}

/// Why nothing more comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    End,
    Reset,
    Silence,
}

impl Line {
    /// Calls the program; `None` if nobody listens yet.
    pub fn call(over: Over, places: &Places) -> Option<Self> {
        let to = match over {
            Over::Tcp => {
                // Whatever it listens at, it hears this.
                SocketAddr::from((Ipv4Addr::LOCALHOST, places.port("listen"))).into()
            }
            Over::Udp => {
                if !has_datagram_socket(places.port("listen")) {
                    return None;
                }
                SocketAddr::from((Ipv4Addr::LOCALHOST, places.port("listen"))).into()
            }
            Over::Udp6 if !has_datagram_socket(places.port("listen")) => return None,
            _ => address(over, places, "listen"),
        };
        let socket = socket(over);
        match over {
            Over::UnixDatagrams => {
                let name = format!("peer{}", places.callers.len());
                let name = places.folder().join(name);
                // A call that was not answered has left its name.
                let _ = fs::remove_file(&name);
                socket
                    .bind(&SockAddr::unix(name).expect("it is short"))
                    .expect("a folder of our own");
            }
            Over::AbstractDatagrams => {
                let name = format!("\0{}/peer", places.folder().display());
                socket
                    .bind(&SockAddr::unix(name).expect("it is short"))
                    .expect("nobody else has it");
            }
            _ => {}
        }
        socket.connect(&to).ok()?;
        Some(Self {
            over,
            called: true,
            from: None,
            socket: Some(socket),
        })
    }

    /// Whence it called, or from where it was called.
    pub fn port(&self) -> Option<u16> {
        let socket = self.socket.as_ref()?;
        let other = match self.from.clone() {
            Some(from) => SocketAddr::try_from(from).ok(),
            None => socket.peer_addr().ok()?.as_socket(),
        };
        let local = socket.local_addr().ok()?.as_socket();
        let port = |address: Option<SocketAddr>| address.map(|address| address.port());
        match self.called {
            true => port(local),
            false => port(other),
        }
    }

    /// Not closed by the peer.
    pub const fn is_open(&self) -> bool {
        self.socket.is_some()
    }

    fn socket(&self) -> &Socket {
        self.socket.as_ref().expect("it was closed before")
    }

    pub fn send(&self, octets: &[u8]) -> io::Result<()> {
        let socket = self.socket();
        socket.set_write_timeout(Some(Duration::from_secs(10)))?;
        match &self.from {
            Some(to) => Ok(sendto(socket, octets, SendFlags::empty(), to).map(drop)?),
            _ => {
                let mut socket = socket;
                socket.write_all(octets)
            }
        }
    }

    pub fn send_much(&self, octets: usize) {
        let mut socket = self.socket().try_clone().expect("a socket");
        thread::spawn(move || socket.write_all(&much_of(octets)));
    }

    /// So many octets, or one datagram, or all to the end.
    pub fn hear(&mut self, wanted: Option<usize>, patience: Duration) -> Heard {
        let until = Instant::now() + patience;
        let mut octets = Vec::new();
        let mut buffer = vec![0; 65536];
        loop {
            if wanted.is_some_and(|wanted| octets.len() >= wanted) && self.over.is_stream() {
                return Heard { octets, end: None };
            }
            let left = until.saturating_duration_since(Instant::now());
            let socket = self.socket();
            socket
                .set_read_timeout(Some(left.max(Duration::from_millis(1))))
                .expect("a socket");
            let end = if self.over.is_stream() {
                let room = wanted.map_or(usize::MAX, |wanted| wanted - octets.len());
                let mut piece = vec![0; room.min(65536)];
                let mut socket = socket;
                match socket.read(&mut piece) {
                    Ok(0) => Stop::End,
                    Ok(count) => {
                        octets.extend_from_slice(&piece[..count]);
                        continue;
                    }
                    Err(error) => match end_of(&error) {
                        Some(end) => end,
                        None => continue,
                    },
                }
            } else {
                match recvfrom(socket, &mut buffer, RecvFlags::empty()) {
                    Ok((count, _, from)) => {
                        octets.extend_from_slice(&buffer[..count]);
                        self.from = from;
                        return Heard { octets, end: None };
                    }
                    Err(error) => match end_of(&error.into()) {
                        Some(end) => end,
                        None => continue,
                    },
                }
            };
            return Heard {
                octets,
                end: Some(end),
            };
        }
    }

    pub fn half_close(&self) {
        // It may be over already.
        let _ = self.socket().shutdown(Shutdown::Write);
    }

    pub fn close(&mut self) {
        while_nothing_starts(|| self.socket = None);
    }

    pub fn reset(&mut self) {
        self.socket()
            .set_linger(Some(Duration::ZERO))
            .expect("a socket");
        self.close();
    }
}

fn end_of(error: &io::Error) -> Option<Stop> {
    match error.kind() {
        io::ErrorKind::Interrupted => None,
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Some(Stop::Silence),
        _ => Some(Stop::Reset),
    }
}

impl Over {
    /// Whether it has calls and ends.
    pub const fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::Tcp6 | Self::Unix | Self::Abstract)
    }
}

/// Whether a datagram socket has this port.
fn has_datagram_socket(port: u16) -> bool {
    let wanted = format!(":{port:04X}");
    ["/proc/net/udp", "/proc/net/udp6"].iter().any(|table| {
        let table = fs::read_to_string(table).unwrap_or_default();
        table
            .lines()
            .filter_map(|line| line.split_ascii_whitespace().nth(1))
            .any(|local| local.ends_with(&wanted))
    })
}
