//! A mail server that a test listens with: it takes everything, and keeps each octet that was said to it.

#![allow(dead_code, reason = "each test uses the part that it needs")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// The server. It ends data where RFC 5321 §4.1.1.4 says, and nowhere else.
pub struct NextHop {
    pub address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
}

/// What it was told.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// Connections.
    pub calls: usize,
    /// The command lines, without their CRLF.
    pub commands: Vec<String>,
    /// The texts, as they came: with DATA still dot-stuffed.
    pub texts: Vec<Vec<u8>>,
    /// Line ends that are none, in commands or texts.
    pub bare: usize,
}

impl NextHop {
    /// Listens at any port of loopback; `offers` are the keywords of its EHLO.
    pub fn start(offers: &'static [&'static str]) -> Self {
        Self::start_at("127.0.0.1:0", offers).expect("a port")
    }

    /// The same at one that is named; an error if it cannot be had.
    pub fn start_at(address: &str, offers: &'static [&'static str]) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let heard: Arc<Mutex<Heard>> = Arc::default();
        let shared = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let heard = Arc::clone(&shared);
                heard.lock().expect("no panic").calls += 1;
                thread::spawn(move || {
                    let mut call = Call {
                        stream,
                        pending: Vec::new(),
                        heard,
                        offers,
                    };
                    call.converse()
                });
            }
        });
        Ok(Self { address, heard })
    }

    /// What it was told up to now.
    pub fn heard(&self) -> Heard {
        self.heard.lock().expect("no panic").clone()
    }
}

struct Call {
    stream: TcpStream,
    pending: Vec<u8>,
    heard: Arc<Mutex<Heard>>,
    offers: &'static [&'static str],
}

impl Call {
    fn converse(&mut self) -> Option<()> {
        self.say("220 next.example")?;
        let mut chunks = Vec::new();
        loop {
            let line = self.until(b"\r\n")?;
            self.note_bare(&line);
            let command = String::from_utf8_lossy(&line).into_owned();
            let verb = command
                .split([' ', ':'])
                .next()
                .unwrap_or_default()
                .to_ascii_uppercase();
            self.heard
                .lock()
                .expect("no panic")
                .commands
                .push(command.clone());
            match verb.as_str() {
                "EHLO" | "LHLO" => {
                    let mut reply = String::from("250-next.example\r\n");
                    for offer in self.offers {
                        reply.push_str(&format!("250-{offer}\r\n"));
                    }
                    self.say(&format!("{reply}250 HELP"))?;
                }
                "DATA" => {
                    self.say("354 Go on")?;
                    let mut text = self.until(b"\r\n.\r\n")?;
                    text.extend(b"\r\n");
                    self.take(text);
                    self.say("250 2.0.0 Taken")?;
                }
                "BDAT" => {
                    let mut words = command.split(' ').skip(1);
                    let octets: usize = words.next()?.parse().ok()?;
                    chunks.extend(self.octets(octets)?);
                    if words.next().is_some() {
                        let text = std::mem::take(&mut chunks);
                        self.take(text);
                    }
                    self.say("250 2.0.0 Taken")?;
                }
                "QUIT" => return self.say("221 2.0.0 Bye"),
                _ => self.say("250 2.0.0 Ok")?,
            }
        }
    }

    fn take(&self, text: Vec<u8>) {
        self.note_bare(&text);
        self.heard.lock().expect("no panic").texts.push(text);
    }

    fn note_bare(&self, octets: &[u8]) {
        let mut bare = 0;
        for (place, octet) in octets.iter().enumerate() {
            let before = place.checked_sub(1).map(|place| octets[place]);
            match octet {
                b'\n' if before != Some(b'\r') => bare += 1,
                b'\r' if octets.get(place + 1) != Some(&b'\n') => bare += 1,
                _ => {}
            }
        }
        self.heard.lock().expect("no panic").bare += bare;
    }

    fn say(&mut self, reply: &str) -> Option<()> {
        self.stream
            .write_all(format!("{reply}\r\n").as_bytes())
            .ok()
    }

    /// What comes before `end`, which is taken too.
    fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            let found = self
                .pending
                .windows(end.len())
                .position(|window| window == end);
            if let Some(place) = found {
                let rest = self.pending.split_off(place + end.len());
                let mut before = std::mem::replace(&mut self.pending, rest);
                before.truncate(place);
                return Some(before);
            }
            self.more()?;
        }
    }

    fn octets(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.pending.len() < count {
            self.more()?;
        }
        let rest = self.pending.split_off(count);
        Some(std::mem::replace(&mut self.pending, rest))
    }

    fn more(&mut self) -> Option<()> {
        let mut buffer = [0; 4096];
        let count = self
            .stream
            .read(&mut buffer)
            .ok()
            .filter(|count| *count > 0)?;
        self.pending.extend_from_slice(&buffer[..count]);
        Some(())
    }
}
