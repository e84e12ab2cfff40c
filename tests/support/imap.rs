//! IMAP typed by a test: a command, and what is answered. No literals of more than a line.

#![allow(dead_code, reason = "each test uses the part that it needs")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A connection.
pub struct Imap {
    stream: BufReader<TcpStream>,
    tag: usize,
}

impl Imap {
    /// Connects, and reads the greeting.
    pub fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        let patience = Some(Duration::from_secs(60));
        stream.set_read_timeout(patience).expect("a socket");
        let mut imap = Self {
            stream: BufReader::new(stream),
            tag: 0,
        };
        let greeting = imap.line();
        assert!(greeting.starts_with("* OK"), "{greeting}");
        imap
    }

    /// The same, logged in with the name as password.
    pub fn login(address: SocketAddr, name: &str) -> Self {
        let mut imap = Self::to(address);
        imap.ok(&format!("LOGIN {name} {name}"));
        imap
    }

    /// What comes untagged, and the rest of the tagged line.
    pub fn says(&mut self, command: &str) -> (Vec<String>, String) {
        self.tag += 1;
        let tag = format!("t{} ", self.tag);
        let line = format!("{tag}{command}\r\n");
        let sent = self.stream.get_mut().write_all(line.as_bytes());
        sent.expect("it reads");
        let mut untagged = Vec::new();
        loop {
            let line = self.line();
            match line.strip_prefix(&tag) {
                Some(end) => return (untagged, end.to_owned()),
                None => untagged.push(line),
            }
        }
    }

    /// The same, of a command that must go well.
    pub fn ok(&mut self, command: &str) -> Vec<String> {
        let (untagged, end) = self.says(command);
        assert!(end.starts_with("OK"), "{command}: {end}");
        untagged
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let octets = self.stream.read_line(&mut line).expect("an answer in time");
        assert!(octets > 0, "the server has closed");
        line.trim_end_matches(['\r', '\n']).to_owned()
    }
}
