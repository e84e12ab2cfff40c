//! A client in IDLE, and other programs at work on its mailbox: what they do is told at once.

#[path = "support/program.rs"]
mod program;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use program::Server;

struct Client(BufReader<TcpStream>);

impl Client {
    fn say(&mut self, line: &str) {
        write!(self.0.get_mut(), "{line}\r\n").expect("sent");
    }
    /// Lines up to one that begins with `last`.
    fn hear(&mut self, last: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let octets = self.0.read_line(&mut line).expect("a line in time");
            assert!(octets > 0, "the end after {lines:?}");
            let is_last = line.starts_with(last);
            lines.push(line);
            if is_last {
                return lines;
            }
        }
    }
}

#[test]
fn what_another_program_does_is_told_within_50_ms() {
    let server = Server::start();
    let stream = TcpStream::connect(server.address("imap")).expect("connected");
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).expect("set");
    let mut client = Client(BufReader::new(stream));
    client.hear("* OK");
    client.say("a1 LOGIN alice alice");
    client.hear("a1 OK");
    client.say("a2 ENABLE QRESYNC");
    client.hear("a2 OK");
    client.say("a3 SELECT INBOX");
    client.hear("a3 OK");
    client.say("a4 IDLE");
    client.hear("+");
    let home = server.store().join("mail/alice");
    // The watch stands a moment after IDLE; a change before that is told as well, when it does.
    let mut quickest = Duration::MAX;
    for number in 1..=8 {
        let begun = Instant::now();
        let draft = home.join(format!("tmp/{number}.foreign"));
        fs::write(&draft, "Subject: foreign\n\nLF at the ends\n").expect("written");
        fs::rename(&draft, home.join(format!("new/{number}.foreign"))).expect("delivered");
        client.hear(&format!("* {number} EXISTS"));
        quickest = quickest.min(begun.elapsed());
        client.hear(&format!("* {number} RECENT"));
    }
    let flagged = home.join("cur/3.foreign:2,F");
    fs::rename(home.join("cur/3.foreign:2,"), &flagged).expect("renamed");
    let told = client.hear("* 3 FETCH").pop().unwrap_or_default();
    assert!(
        told.starts_with("* 3 FETCH (UID 3 FLAGS (\\Flagged \\Recent) MODSEQ ("),
        "{told}"
    );
    fs::remove_file(flagged).expect("removed");
    client.hear("* VANISHED 3\r\n");
    client.say("DONE");
    client.hear("a4 OK");
    // On a machine that others use too, the quickest of eight.
    assert!(quickest < Duration::from_millis(50), "{quickest:?}");
}
