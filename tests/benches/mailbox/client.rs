//! A client that does as little as can be: it sends a command, and reads until the tagged response has come.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use memchr::memmem;

/// One connection.
pub struct Client {
    stream: TcpStream,
    tls: Option<Box<rustls::ClientConnection>>,
    buffer: Vec<u8>,
    tag: u32,
    /// How often this was heard since it was set.
    pub count: Option<(&'static [u8], usize)>,
}

const PATIENCE: Duration = Duration::from_secs(300);
const BUFFER: usize = 256 * 1024;

impl Client {
    /// Connected and greeted.
    pub fn imap(port: u16) -> Self {
        let mut client = Self::connect(port, None);
        client.hear_until(b"* OK", |text| text.ends_with(b"\r\n"));
        client
    }

    /// The same with TLS from the start.
    pub fn imaps(port: u16, config: &Arc<rustls::ClientConfig>) -> Self {
        let name = "localhost".try_into().expect("a name");
        let mut tls = rustls::ClientConnection::new(Arc::clone(config), name).expect("TLS");
        tls.set_buffer_limit(Some(64 * 1024));
        let mut client = Self::connect(port, Some(Box::new(tls)));
        client.hear_until(b"* OK", |text| text.ends_with(b"\r\n"));
        client
    }

    /// Connected and greeted.
    pub fn pop3(port: u16) -> Self {
        let mut client = Self::connect(port, None);
        client.hear_until(b"+OK", |text| text.ends_with(b"\r\n"));
        client
    }

    fn connect(port: u16, tls: Option<Box<rustls::ClientConnection>>) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        Self {
            stream,
            tls,
            buffer: Vec::new(),
            tag: 0,
            count: None,
        }
    }

    /// Its password is its name.
    pub fn login(&mut self, user: &str) {
        self.command(&format!("LOGIN {user} {user}"));
    }

    /// Returns when it is answered; anything but OK ends it all.
    pub fn command(&mut self, command: &str) {
        self.tag += 1;
        let tag = format!("zq{}", self.tag);
        self.say(format!("{tag} {command}\r\n").as_bytes());
        self.hear_tagged(&tag, command);
    }

    /// APPEND with a literal that is not waited for.
    pub fn append(&mut self, mailbox: &str, message: &[u8]) {
        self.tag += 1;
        let tag = format!("zq{}", self.tag);
        let mut octets = format!("{tag} APPEND {mailbox} {{{}+}}\r\n", message.len()).into_bytes();
        octets.extend_from_slice(message);
        octets.extend_from_slice(b"\r\n");
        self.say(&octets);
        self.hear_tagged(&tag, "APPEND");
    }

    /// Returns when the server waits.
    pub fn idle(&mut self) {
        self.say(b"zz IDLE\r\n");
        self.hear_until(b"+", |text| text.ends_with(b"\r\n"));
    }

    /// Without a buffer.
    pub fn slim(mut self) -> Self {
        self.buffer = Vec::new();
        self
    }

    /// A command of POP3's with a one-line answer.
    pub fn pop3_line(&mut self, command: &str) {
        self.say(format!("{command}\r\n").as_bytes());
        self.hear_until(b"+OK", |text| text.ends_with(b"\r\n"));
    }

    /// A command of POP3's with a text.
    pub fn pop3_text(&mut self, command: &str) {
        self.say(format!("{command}\r\n").as_bytes());
        self.hear_until(b"+OK", |text| text.ends_with(b"\r\n.\r\n"));
    }

    fn hear_tagged(&mut self, tag: &str, command: &str) {
        let tagged = format!("{tag} ");
        let at_start = tagged.as_bytes().to_vec();
        let within = [b"\r\n", &at_start[..]].concat();
        let answer = self.hear(|text, end| {
            if !end {
                return None;
            }
            let tail = &text[text.len().saturating_sub(4096)..];
            match memmem::rfind(tail, &within) {
                Some(at) => Some(tail[at + within.len()..].starts_with(b"OK")),
                None if text.starts_with(&at_start) => {
                    Some(text[at_start.len()..].starts_with(b"OK"))
                }
                None => None,
            }
        });
        assert!(answer, "{command}: {}", self.last());
    }

    fn hear_until(&mut self, good: &[u8], is_all: impl Fn(&[u8]) -> bool) {
        let good = good.to_vec();
        let mut is_good = None;
        let all = self.hear(|text, _| {
            is_good.get_or_insert_with(|| text.starts_with(&good));
            is_all(text).then_some(true)
        });
        assert!(all && is_good == Some(true), "{}", self.last());
    }

    fn last(&self) -> String {
        String::from_utf8_lossy(&self.buffer[self.buffer.len().saturating_sub(300)..]).into_owned()
    }

    /// Reads until `is_all` says something. It is shown what there is, at most what fits, and whether that ends with a line.
    fn hear(&mut self, mut is_all: impl FnMut(&[u8], bool) -> Option<bool>) -> bool {
        self.buffer.clear();
        let mut counted = 0;
        loop {
            let before = self.buffer.len();
            if before > BUFFER {
                // The end is kept: it may be the beginning of what is waited for.
                let from = before - 4096;
                counted = counted.max(from) - from;
                self.buffer.drain(..from);
            }
            let before = self.buffer.len();
            self.buffer.resize(before + BUFFER, 0);
            let octets = self.read(before);
            self.buffer.truncate(before + octets);
            assert!(octets > 0, "the end after {}", self.last());
            if let Some((what, count)) = &mut self.count {
                let from = counted;
                let finder = memmem::find_iter(&self.buffer[from..], what);
                for at in finder {
                    *count += 1;
                    counted = from + at + what.len();
                }
                counted = counted.max(self.buffer.len().saturating_sub(what.len() - 1));
            }
            if let Some(done) = is_all(&self.buffer, self.buffer.ends_with(b"\r\n")) {
                return done;
            }
        }
    }

    fn read(&mut self, from: usize) -> usize {
        let room = &mut self.buffer[from..];
        let Some(tls) = &mut self.tls else {
            return self.stream.read(room).expect("it answers");
        };
        loop {
            if tls.wants_write() {
                tls.write_tls(&mut self.stream).expect("it reads");
                continue;
            }
            match tls.reader().read(room) {
                Ok(octets) if octets > 0 => return octets,
                _ => {}
            }
            if tls.read_tls(&mut self.stream).expect("it answers") == 0 {
                return 0;
            }
            tls.process_new_packets().expect("TLS");
        }
    }

    fn say(&mut self, octets: &[u8]) {
        match &mut self.tls {
            None => self.stream.write_all(octets).expect("it reads"),
            Some(tls) => {
                tls.writer().write_all(octets).expect("room");
                while tls.wants_write() {
                    tls.write_tls(&mut self.stream).expect("it reads");
                }
            }
        }
    }
}

/// Trusts who signed the server's certificate.
pub fn connector(authority: &Path) -> Arc<rustls::ClientConfig> {
    let text = std::fs::read(authority).expect("made at the start");
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls_pemfile::certs(&mut &text[..]) {
        roots.add(certificate.expect("PEM")).expect("a certificate");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Arc::new(config)
}
