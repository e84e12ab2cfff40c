//! SMTP by hand, and a look at what came of it.

#![allow(dead_code, reason = "each test uses the part that it needs")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use super::program::{MAILTOOL, PATIENCE, inbox};

/// Somebody who sends mail by hand.
pub struct Hand {
    stream: TcpStream,
    replies: BufReader<TcpStream>,
}

impl Hand {
    /// Connected, and nothing said yet.
    pub fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).expect("it listens"))
    }

    /// The same, from an address of this computer.
    pub fn connect_from(source: IpAddr, address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None);
        let socket = socket.expect("a socket");
        let source = SocketAddr::new(source, 0);
        socket.bind(&source.into()).expect("it is ours");
        socket.connect(&address.into()).expect("it listens");
        Self::over(socket.into())
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        stream.set_nodelay(true).expect("an option");
        let replies = BufReader::new(stream.try_clone().expect("a copy"));
        Self { stream, replies }
    }

    /// Greeted, and EHLO said.
    pub fn to(address: SocketAddr) -> Self {
        let mut hand = Self::connect(address);
        hand.reply();
        hand.say("EHLO client.example");
        hand
    }

    /// The lines of a reply; what there was when the server closed.
    pub fn lines(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            match self.replies.read_line(&mut line) {
                Ok(0) => return lines,
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return lines,
                Err(error) => panic!("no reply: {error}"),
            }
            let is_last = line.as_bytes().get(3) != Some(&b'-');
            lines.push(line.trim_end().to_owned());
            if is_last {
                return lines;
            }
        }
    }

    /// The last line of a reply; empty when the server closed.
    pub fn reply(&mut self) -> String {
        self.lines().pop().unwrap_or_default()
    }

    /// Sends octets as they are.
    pub fn send_raw(&mut self, octets: &[u8]) {
        // Whoever was shown out reads no more.
        let _ = self.stream.write_all(octets);
    }

    /// A command, and the last line of its reply.
    pub fn say(&mut self, line: &str) -> String {
        self.send_raw(format!("{line}\r\n").as_bytes());
        self.reply()
    }

    /// What is said to the end of the message, or to the command that was refused.
    pub fn send(&mut self, from: &str, to: &[&str], text: impl AsRef<[u8]>) -> String {
        let mut commands = vec![format!("MAIL FROM:{from}")];
        commands.extend(to.iter().map(|to| format!("RCPT TO:{to}")));
        commands.push("DATA".to_owned());
        for command in commands {
            let reply = self.say(&command);
            if !reply.starts_with('2') && !reply.starts_with("354") {
                return reply;
            }
        }
        self.finish(text.as_ref())
    }

    /// DATA with a text of lines, and what is said to it.
    pub fn send_text(&mut self, text: &[u8]) -> String {
        let reply = self.say("DATA");
        if reply.starts_with("354") {
            return self.finish(text);
        }
        reply
    }

    fn finish(&mut self, text: &[u8]) -> String {
        self.send_raw(&stuffed(text));
        self.send_raw(if text.ends_with(b"\n") {
            b".\r\n"
        } else {
            b"\r\n.\r\n"
        });
        self.reply()
    }

    /// Everything that is said until the server closes.
    pub fn rest(mut self) -> String {
        let mut all = Vec::new();
        let _ = self.replies.read_to_end(&mut all);
        String::from_utf8_lossy(&all).into_owned()
    }
}

/// A text of lines that end with CRLF, its leading dots doubled.
fn stuffed(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 16);
    for line in text.split_inclusive(|octet| *octet == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    out
}

/// Waits until `found` finds something.
pub fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: not in time");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The first message of a mailbox that has `word` in it.
pub fn message(store: &Path, account: &str, word: &str) -> Vec<u8> {
    wait_for(&format!("a message for {account} with {word}"), || {
        messages(store, account)
            .into_iter()
            .find(|message| contains(message, word.as_bytes()))
    })
}

/// The first message of a mailbox, whatever it is.
pub fn first_message(store: &Path, account: &str) -> String {
    wait_for(&format!("a message for {account}"), || {
        let message = messages(store, account).into_iter().next()?;
        Some(String::from_utf8(message).expect("text"))
    })
}

/// The messages of a mailbox.
pub fn messages(store: &Path, account: &str) -> Vec<Vec<u8>> {
    let files = inbox(store, account);
    files
        .iter()
        .filter_map(|file| fs::read(file).ok())
        .collect()
}

/// Whether `part` is in `whole`.
pub fn contains(whole: &[u8], part: &[u8]) -> bool {
    whole.windows(part.len()).any(|window| window == part)
}

/// `mailtool serve queue ...`
pub fn queue(store: &Path, words: &[&str]) -> Output {
    let output = Command::new(MAILTOOL)
        .args(["serve", "queue"])
        .args(words)
        .arg("--store")
        .arg(store)
        .output();
    output.expect("the program is built")
}

/// What `mailtool serve queue list` says.
pub fn queue_list(store: &Path) -> String {
    String::from_utf8_lossy(&queue(store, &["list"]).stdout).into_owned()
}

/// Until nothing is on its way.
pub fn wait_for_empty_queue(store: &Path) {
    wait_for("an empty queue", || {
        queue_list(store)
            .contains("the queue is empty")
            .then_some(())
    });
}
