//! Plays a dialogue over TCP against the program, as a stranger would.
//!
//! Here is a clock that nobody moves, so dialogues in which much time passes are not for here ([`why_not`]). `S: ...` before
//! a `C:` is what comes until the server is quiet for a moment.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

use super::pattern::Names;
use super::program::Server;
use super::script::{Action, Dialog, Protocol};
use super::services;
use super::sessions::{Failure, readable};

/// How long the server may take for what is expected of it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it has said nothing when it has said all.
const QUIET: Duration = Duration::from_millis(150);
/// A longer jump of the clock is not waited for.
const LONGEST_JUMP: Duration = Duration::from_secs(5);

/// Why a dialogue cannot be played here.
pub fn why_not(dialog: &Dialog) -> Option<&'static str> {
    if !dialog.given.tcp {
        return Some("tcp=no");
    }
    if !dialog.given.peer.is_loopback() {
        return Some("the client comes from elsewhere");
    }
    if !dialog.given.extra.is_empty() {
        return Some("x- settings");
    }
    dialog.steps.iter().find_map(|step| match &step.action {
        Action::Clock(jump) if *jump > LONGEST_JUMP => Some("much time passes"),
        Action::Stop => Some("the program ends"),
        Action::Mail(_) => Some("mail comes in from elsewhere"),
        _ => None,
    })
}

/// The program, serving as the dialogue's `given:` lines have it.
fn serve(dialog: &Dialog) -> Result<Server, String> {
    let given = &dialog.given;
    let folder = services::folder()?;
    if !given.mail.is_empty() {
        let path = folder.path().join("store");
        fs::create_dir(&path).map_err(|e| e.to_string())?;
        let store = services::store(dialog, &path)?;
        for delivery in &given.mail {
            services::deliver(&store, &given.host, delivery)?;
        }
    }
    let users = given
        .users
        .iter()
        .flat_map(|(name, password)| ["--user".to_owned(), format!("{name}:{password}")]);
    let faults = given.faults.iter().flat_map(|rule| match rule.as_str() {
        "magic" => vec!["--faults".to_owned()],
        rule => vec!["--fault".to_owned(), rule.to_owned()],
    });
    let options: Vec<_> = ["--domain", &given.host, "--lmtp", "127.0.0.1:0"]
        .map(str::to_owned)
        .into_iter()
        .chain(users)
        .chain(faults)
        .collect();
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    Ok(Server::start_in(folder, &options))
}

/// The listener that the dialogue talks to.
fn listener(dialog: &Dialog) -> &'static str {
    let given = &dialog.given;
    match (dialog.protocol, given.mode.as_str(), given.secure) {
        (Protocol::Smtp, "lmtp", _) => "lmtp",
        (Protocol::Smtp, _, true) => "smtps",
        (Protocol::Smtp, "submission", false) => "submission",
        (Protocol::Smtp, _, false) => "smtp",
        (Protocol::Pop3, _, false) => "pop3",
        (Protocol::Pop3, _, true) => "pop3s",
        (Protocol::Imap, _, false) => "imap",
        (Protocol::Imap, _, true) => "imaps",
    }
}

/// Plays it against a program of its own.
pub fn play(dialog: &Dialog) -> Result<(), Failure> {
    let server = serve(dialog).map_err(|problem| Failure {
        file: dialog.path.display().to_string(),
        line: 1,
        how: "over TCP".into(),
        expected: "a server as given".into(),
        got: problem,
    })?;
    let address = server.address(listener(dialog));
    let mut names = Names::new();
    let mut lines: BTreeMap<u32, Line> = BTreeMap::new();
    for (at, step) in dialog.steps.iter().enumerate() {
        let failure = |expected: &str, got: String| Failure {
            file: dialog.path.display().to_string(),
            line: step.line,
            how: "over TCP".into(),
            expected: expected.to_owned(),
            got,
        };
        let source = dialog.line(step.line);
        let broken = |e: io::Error| failure(source, e.to_string());
        for (number, other) in &mut lines {
            if *number != step.connection {
                other.say();
            }
        }
        let line = match lines.entry(step.connection) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Line::connect(dialog, address).map_err(broken)?),
        };
        // What the client says at a stretch is one write.
        if !step.action.is_said() {
            line.say();
        }
        match &step.action {
            Action::Line(pattern) => {
                let said = line.line(PATIENCE).map_err(broken)?;
                let matched = said
                    .as_deref()
                    .and_then(|said| said.strip_suffix(b"\r\n"))
                    .is_some_and(|said| pattern.matches(said, &mut names));
                if !matched {
                    return Err(failure(source, line.shown(said)));
                }
            }
            Action::AnyLines => {
                let next = dialog.steps[at + 1..]
                    .iter()
                    .find(|next| next.connection == step.connection);
                match next.map(|next| &next.action) {
                    Some(Action::Line(pattern)) => loop {
                        let said = line.line(PATIENCE).map_err(broken)?;
                        let Some(said) = said else {
                            return Err(failure(source, line.shown(None)));
                        };
                        let text = said.strip_suffix(b"\r\n").unwrap_or(&said);
                        if pattern.matches(text, &mut names.clone()) {
                            line.unread.splice(..0, said);
                            break;
                        }
                    },
                    _ => {
                        let mut patience = PATIENCE;
                        while line.line(patience).map_err(broken)?.is_some() {
                            patience = QUIET;
                        }
                    }
                }
            }
            Action::Exactly(octets) => {
                let said = line.octets(octets.len()).map_err(broken)?;
                if said != *octets {
                    return Err(failure(&readable(octets), readable(&said)));
                }
            }
            Action::ServerCloses => {
                let closed = line.fill(PATIENCE).map_err(broken)? == Filled::Closed;
                if !closed || !line.unread.is_empty() {
                    return Err(failure(source, line.shown(None)));
                }
            }
            Action::Say(pattern, end) => {
                let text = pattern
                    .fill(&names)
                    .map_err(|e| failure("something to say", e))?;
                line.unsaid.extend([&text, *end].concat());
            }
            Action::Send(octets) => line.unsaid.extend(octets),
            Action::ClientEnds => line.end().map_err(broken)?,
            Action::Lost => {
                line.lose().map_err(broken)?;
                lines.remove(&step.connection);
                // Until the server has noticed.
                std::thread::sleep(QUIET);
            }
            // What comes after is waited for.
            Action::Clock(_) => {}
            Action::TlsUp => line.start_tls(&dialog.given.host).map_err(broken)?,
            Action::Stop | Action::Mail(_) => {
                return Err(failure("a dialogue for TCP", "this step".into()));
            }
        }
    }
    Ok(())
}

/// A connection.
struct Line {
    stream: Stream,
    unread: Vec<u8>,
    unsaid: Vec<u8>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Filled {
    More,
    Closed,
    Quiet,
}

impl Line {
    fn connect(dialog: &Dialog, address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut line = Self {
            stream: Stream::Plain(stream),
            unread: Vec::new(),
            unsaid: Vec::new(),
        };
        if dialog.given.secure {
            line.start_tls(&dialog.given.host)?;
        }
        Ok(line)
    }

    /// The server may have closed: what it said before tells more than that nobody listens.
    fn say(&mut self) {
        let octets = std::mem::take(&mut self.unsaid);
        if octets.is_empty() {
            return;
        }
        let _ = match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(&octets),
            Stream::Tls(stream) => stream.write_all(&octets).and_then(|()| stream.flush()),
        };
    }

    /// The next line with its end, or what there is of it when the server closes; `None` when nothing comes.
    fn line(&mut self, patience: Duration) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(end) = self.unread.iter().position(|&octet| octet == b'\n') {
                return Ok(Some(self.unread.drain(..=end).collect()));
            }
            if self.fill(patience)? != Filled::More {
                return Ok(None);
            }
        }
    }

    fn octets(&mut self, octets: usize) -> io::Result<Vec<u8>> {
        while self.unread.len() < octets && self.fill(PATIENCE)? == Filled::More {}
        let octets = octets.min(self.unread.len());
        Ok(self.unread.drain(..octets).collect())
    }

    fn fill(&mut self, patience: Duration) -> io::Result<Filled> {
        let mut buffer = [0; 16 * 1024];
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Filled::Quiet);
            }
            let socket = match &self.stream {
                Stream::Plain(stream) => stream,
                Stream::Tls(stream) => &stream.sock,
            };
            socket.set_read_timeout(Some(left))?;
            let read = match &mut self.stream {
                Stream::Plain(stream) => stream.read(&mut buffer),
                Stream::Tls(stream) => stream.read(&mut buffer),
            };
            match read {
                Ok(0) => return Ok(Filled::Closed),
                Ok(octets) => {
                    self.unread.extend_from_slice(&buffer[..octets]);
                    return Ok(Filled::More);
                }
                Err(e) => match e.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {}
                    io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                        return Ok(Filled::Closed);
                    }
                    io::ErrorKind::Interrupted => {}
                    _ => return Err(e),
                },
            }
        }
    }

    fn shown(&self, said: Option<Vec<u8>>) -> String {
        match said {
            Some(said) => readable(&said),
            None if self.unread.is_empty() => "nothing".into(),
            None => readable(&self.unread),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.shutdown(Shutdown::Write),
            Stream::Tls(stream) => {
                stream.conn.send_close_notify();
                stream.flush()?;
                stream.sock.shutdown(Shutdown::Write)
            }
        }
    }

    /// A reset, as when a cable is pulled and somebody trips over the other end.
    fn lose(&mut self) -> io::Result<()> {
        let socket = match &self.stream {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => &stream.sock,
        };
        socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO))
    }

    fn start_tls(&mut self, host: &str) -> io::Result<()> {
        let Stream::Plain(stream) = &self.stream else {
            return Err(io::Error::other("TLS is up already"));
        };
        let stream = stream.try_clone()?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let connection =
            ClientConnection::new(Arc::new(client_config()?), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        self.stream = Stream::Tls(Box::new(stream));
        Ok(())
    }
}

fn client_config() -> io::Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate))
        .with_no_client_auth();
    Ok(config)
}

/// Dialogues are about mail: who signed the certificate is tested elsewhere.
#[derive(Debug)]
struct AnyCertificate;

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
