//! Mail that is passed on: somebody who hands it in, a server that says what a test wants, and a look at the queue.

#![allow(dead_code, reason = "each test uses the part that it needs")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::program::{MAILTOOL, PATIENCE, inbox};

/// Somebody who sends mail by hand.
pub struct Hand {
    stream: TcpStream,
    replies: BufReader<TcpStream>,
}

impl Hand {
    pub fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        let replies = BufReader::new(stream.try_clone().expect("a copy"));
        let mut hand = Self { stream, replies };
        hand.reply();
        hand.say("EHLO client.example");
        hand
    }

    /// The last line of a reply.
    pub fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.replies.read_line(&mut line).expect("a reply");
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }

    pub fn say(&mut self, line: &str) -> String {
        self.stream
            .write_all(format!("{line}\r\n").as_bytes())
            .expect("it reads");
        self.reply()
    }

    /// What is said to the end of the message, or to the command that was refused.
    pub fn send(&mut self, from: &str, to: &[&str], text: &str) -> String {
        let mut commands = vec![format!("MAIL FROM:{from}")];
        commands.extend(to.iter().map(|to| format!("RCPT TO:{to}")));
        commands.push("DATA".to_owned());
        for command in commands {
            let reply = self.say(&command);
            if !reply.starts_with('2') && !reply.starts_with("354") {
                return reply;
            }
        }
        self.say(&format!("{text}\r\n."))
    }
}

/// A server that says what a test wants: to each command, the reply of the function, if it has one.
pub struct Fake {
    pub address: SocketAddr,
    /// Everything that was said to it, a line each.
    heard: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// `answer` gets the line, and how many messages were taken before.
    pub fn start(answer: impl Fn(&str, usize) -> Option<String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let (all, taken, answer) = (
            Arc::clone(&heard),
            Arc::new(AtomicUsize::new(0)),
            Arc::new(answer),
        );
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (all, taken, answer) =
                    (Arc::clone(&all), Arc::clone(&taken), Arc::clone(&answer));
                thread::spawn(move || converse(&stream, &all, &taken, &*answer));
            }
        });
        Self { address, heard }
    }

    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no panic").clone()
    }

    pub fn route(&self, domain: &str) -> String {
        format!("{domain}={}", self.address)
    }
}

pub fn converse(
    mut stream: &TcpStream,
    all: &Mutex<Vec<String>>,
    taken: &AtomicUsize,
    answer: &dyn Fn(&str, usize) -> Option<String>,
) -> Option<()> {
    let lines = BufReader::new(stream.try_clone().ok()?).lines();
    stream.write_all(b"220 fake.example\r\n").ok()?;
    let (mut in_text, mut mail, mut recipients) = (false, false, 0);
    for line in lines {
        let line = line.ok()?;
        all.lock().expect("no panic").push(line.clone());
        if in_text && line != "." {
            continue;
        }
        let usual = match line.get(..4) {
            Some("EHLO") => "250-fake.example\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES",
            Some("DATA") if recipients == 0 => "503 5.5.1 For whom?",
            Some("DATA") => "354 go on",
            Some("QUIT") => "221 bye",
            _ => "250 2.0.0 Ok",
        };
        let reply = answer(&line, taken.load(Ordering::SeqCst)).unwrap_or_else(|| usual.to_owned());
        in_text = reply.starts_with("354");
        if line.starts_with("MAIL") {
            (mail, recipients) = (reply.starts_with('2'), 0);
        } else if line.starts_with("RCPT") && mail && reply.starts_with('2') {
            recipients += 1;
        }
        if line == "." && reply.starts_with('2') {
            taken.fetch_add(1, Ordering::SeqCst);
        }
        stream.write_all(format!("{reply}\r\n").as_bytes()).ok()?;
    }
    None
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

/// The one message of a mailbox.
pub fn message(store: &Path, account: &str) -> String {
    wait_for(&format!("a message for {account}"), || {
        let files = inbox(store, account);
        files
            .first()
            .map(|file| fs::read_to_string(file).expect("text"))
    })
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

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The name of a message in the reply that took it.
pub fn name(reply: &str) -> &str {
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    reply
        .split(' ')
        .find(|word| word.contains('-') && word.len() > 8)
        .expect("a name")
}

/// Whoever is on this machine may have mail passed on.
pub const TO_US: [&str; 2] = ["--relay-from", "127.0.0.0/8"];
