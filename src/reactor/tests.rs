//! The loop, connections, TLS and the client over loopback, with a tiny echoing session.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread::JoinHandle;

use super::*;
use crate::proto::{Input, TlsInfo};
use crate::wire::lines::Want;

/// Greets, and says every line again; a few lines mean more.
struct Echo {
    refused: bool,
    tls: Option<TlsInfo>,
    deadline: Option<Instant>,
    patience: Duration,
}

impl Session for Echo {
    fn want(&self) -> Want {
        Want::Line { max: 64 * 1024 }
    }

    fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Out) {
        self.deadline = Some(now + self.patience);
        match input {
            Input::Open if self.refused => {
                out.line(b"too many");
                out.close();
            }
            Input::Open => out.line(b"hello"),
            Input::TlsUp(info) => self.tls = Some(info),
            Input::Line(b"tls") => {
                out.line(b"go ahead");
                out.start_tls();
            }
            Input::Line(b"version") => {
                let version = self.tls.as_ref().map_or("none", |tls| tls.version);
                out.line(version.as_bytes());
            }
            Input::Line(b"quit") => {
                out.line(b"bye");
                out.close();
            }
            Input::Line(b"flood") => out.block(vec![b'x'; 8 << 20]),
            Input::Line(line) => out.line(line),
            Input::Timeout => {
                out.line(b"too slow");
                out.close();
            }
            Input::Stop => {
                out.line(b"stopping");
                out.close();
            }
            Input::Eof => out.close(),
            _ => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

struct EchoService {
    patience: Duration,
}

impl Service for EchoService {
    fn name(&self) -> &'static str {
        "echo"
    }
    fn session(&self, peer: Peer) -> Box<dyn Session> {
        Box::new(Echo {
            refused: peer.refused.is_some(),
            tls: None,
            deadline: None,
            patience: self.patience,
        })
    }
}

/// A reactor in a thread of its own; stopped when dropped.
struct Server {
    plain: SocketAddr,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(patience: Duration) -> Self {
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let service: Arc<dyn Service> = Arc::new(EchoService { patience });
            let options = Options::default();
            let mut reactor =
                Reactor::with_worker(options, Box::new(|_| unreachable!("no jobs here")))
                    .expect("a reactor");
            let any = "127.0.0.1:0".parse().expect("an address");
            let plain = reactor
                .listen(any, Arc::clone(&service), Security::Plain)
                .expect("a listener");
            tell.send((plain, reactor.handle())).expect("a reader");
            reactor.run().expect("a run");
        });
        let (plain, handle) = told.recv().expect("a server");
        Self {
            plain,
            handle,
            thread: Some(thread),
        }
    }

    fn connect(&self) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(self.plain).expect("a connection");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a timeout");
        BufReader::new(stream)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("a clean end");
        }
    }
}

fn line(stream: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).expect("a line");
    line.trim_end().to_owned()
}

fn say(stream: &mut BufReader<TcpStream>, bytes: &[u8]) {
    stream.get_mut().write_all(bytes).expect("a write");
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn lines_come_back_and_the_last_word_arrives() {
    let server = Server::start(LONG);
    let mut stream = server.connect();
    assert_eq!(line(&mut stream), "hello");
    say(&mut stream, b"one\r\ntwo\r\n");
    assert_eq!(line(&mut stream), "one");
    assert_eq!(line(&mut stream), "two");
    say(&mut stream, b"quit\r\nthis is never read\r\n");
    assert_eq!(line(&mut stream), "bye");
    assert_eq!(stream.read(&mut [0; 8]).expect("an end, not a reset"), 0);
}
