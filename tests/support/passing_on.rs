//! Mail that is passed on: a server that says what a test wants. Who hands it in, and the look at the queue, are in `by_hand.rs`.

#![allow(dead_code, reason = "each test uses the part that it needs")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

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
