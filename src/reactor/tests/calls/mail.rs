//! Mail over connections that a driver orders.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::proto::client::Upgrade;
use crate::proto::smtp::client::Protocol;
use crate::proto::smtp::relay;
use crate::wire::address::Address;
use crate::wire::envelope::{Envelope, Recipient};

/// An SMTP server of its own kind: answers each line with what is its turn, and swallows a message's text.
fn smtp_server(replies: &'static [&'static str], pause: Arc<AtomicBool>) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a caller");
        let mut wire = Wire(BufReader::new(stream));
        for reply in replies {
            if reply.starts_with("250 2.0.0") {
                while wire.line() != "." {}
                while pause.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(5));
                }
            } else if !reply.starts_with("220") {
                wire.line();
            }
            wire.say(reply.as_bytes());
            wire.say(b"\r\n");
        }
        if replies.last().is_some_and(|reply| reply.starts_with("221")) {
            wire.ends();
        }
    });
    address
}

fn relay_plan() -> relay::Plan {
    relay::Plan {
        name: "mx.b.example".into(),
        protocol: Protocol::Smtp,
        upgrade: Upgrade::IfOffered,
        login: None,
        patience: relay::Patience::of(Duration::from_secs(20)),
        idle: Duration::from_secs(20),
        epoch: None,
    }
}

fn letter(word: u64) -> relay::Message {
    let address = |text: &[u8]| Address::parse(text).expect("an address");
    relay::Message {
        word,
        envelope: Envelope {
            reverse_path: Some(address(b"bob@b.example")),
            recipients: vec![Recipient::new(address(b"alice@a.example"))],
            ..Envelope::default()
        },
        text: relay::Text::new(b"Subject: x\n\nHello\n"),
    }
}

#[test]
fn a_message_in_hand_is_finished_when_the_program_stops() {
    let pause = Arc::new(AtomicBool::new(true));
    let server = smtp_server(
        &[
            "220 a",
            "250 a",
            "250 Ok",
            "250 Ok",
            "354 Go",
            "250 2.0.0 Taken",
            "221 Bye",
        ],
        Arc::clone(&pause),
    );
    let stage = Stage::new(1, None);
    let tray = relay::Tray::new();
    tray.give(letter(1));
    tray.give(letter(2));
    let of_session = tray.clone();
    stage.want(move |orders| {
        let session = Box::new(relay::Client::new(relay_plan(), of_session));
        let places = vec![Place::Tcp(server)];
        orders.connect(1, Outgoing::new("localhost", places, session));
    });
    assert!(matches!(stage.next(), Event::Connected { .. }));
    std::thread::sleep(Duration::from_millis(100));
    stage.handle.stop();
    assert!(matches!(stage.next(), Event::Stop));
    // Nobody is called any more.
    let mut call = Call::to(server);
    call.lines.clear();
    call.make(&stage, 2);
    assert!(matches!(
        stage.next(),
        Event::Ended {
            word: 2,
            end: End::Stopping
        }
    ));
    pause.store(false, Ordering::SeqCst);
    assert!(matches!(stage.end(), End::Closed));
    let outcomes = tray.outcomes();
    assert!(
        matches!(&outcomes[..], [relay::Outcome { word: 1, fates, .. }]
        if matches!(&fates[..], [relay::Fate::Taken(_)]))
    );
    assert_eq!(tray.undone().len(), 1);
    assert!(tray.failure().is_none());
    stage.join();
}

#[test]
fn a_server_that_hangs_up_interrupts_what_is_in_hand() {
    let server = smtp_server(&["220 a", "250 a", "250 Ok"], Arc::default());
    let stage = Stage::new(1, None);
    let tray = relay::Tray::new();
    tray.give(letter(1));
    let of_session = tray.clone();
    stage.want(move |orders| {
        let session = Box::new(relay::Client::new(relay_plan(), of_session));
        let places = vec![Place::Tcp(server)];
        orders.connect(1, Outgoing::new("localhost", places, session));
    });
    assert!(matches!(stage.next(), Event::Connected { .. }));
    stage.end();
    let outcomes = tray.outcomes();
    assert!(
        matches!(&outcomes[..], [relay::Outcome { word: 1, fates, .. }]
        if matches!(&fates[..], [relay::Fate::Interrupted { sent: relay::Sent::InPart, .. }]))
    );
    assert!(tray.failure().is_some());
}

/// A text of 64 MiB, in a file or in memory.
fn long_text(stored: bool) -> relay::Text {
    let text = "..a line of text, which begins with dots\r\n".repeat(64 * 1024 * 1024 / 42);
    if !stored {
        return relay::Text::new(text.as_bytes());
    }
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(text.as_bytes()).expect("a write");
    let octets = text.len() as u64;
    relay::Text::Stored(crate::store::Extent::new(Arc::new(file), 0, octets))
}

#[test]
fn a_server_that_has_heard_enough_of_a_text_is_heard_itself() {
    for stored in [true, false] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = std::thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a caller");
            let mut wire = Wire(BufReader::new(stream));
            wire.say(b"220 a\r\n");
            for reply in ["250 a", "250 Ok", "250 Ok", "354 Go"] {
                wire.line();
                wire.say(format!("{reply}\r\n").as_bytes());
            }
            let mut some = vec![0; 100_000];
            wire.0.read_exact(&mut some).expect("text");
            wire.say(b"552 5.3.4 That is too much\r\n");
        });
        let stage = Stage::new(1, None);
        let tray = relay::Tray::new();
        let mut long = letter(1);
        long.text = long_text(stored);
        tray.give(long);
        let of_session = tray.clone();
        stage.want(move |orders| {
            let session = Box::new(relay::Client::new(relay_plan(), of_session));
            let places = vec![Place::Tcp(address)];
            orders.connect(1, Outgoing::new("localhost", places, session));
        });
        assert!(matches!(stage.next(), Event::Connected { .. }));
        stage.end();
        server.join().expect("no panic");
        let fate = tray.outcomes().remove(0).fates.remove(0);
        // What it said may be lost with the connection, but then nobody believes that it has the whole text.
        let right = match &fate {
            relay::Fate::Refused { reply, .. } => reply.code == 552,
            relay::Fate::Interrupted { sent, .. } => *sent == relay::Sent::InPart,
            _ => false,
        };
        assert!(right, "{fate:?}, stored: {stored}");
    }
}

#[test]
fn a_long_text_arrives_whole() {
    for stored in [true, false] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = std::thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a caller");
            let mut wire = Wire(BufReader::new(stream));
            wire.say(b"220 a\r\n");
            for reply in ["250 a", "250 Ok", "250 Ok", "354 Go"] {
                wire.line();
                wire.say(format!("{reply}\r\n").as_bytes());
            }
            let mut octets = 0;
            loop {
                match wire.line() {
                    line if line == "." => break,
                    line => octets += line.len() + 2,
                }
            }
            wire.say(b"250 2.0.0 Taken\r\n");
            octets
        });
        let stage = Stage::new(1, None);
        let tray = relay::Tray::new();
        let mut long = letter(1);
        long.text = long_text(stored);
        let expected = long.text.octets() / 42 * 43;
        tray.give(long);
        tray.close();
        let of_session = tray.clone();
        stage.want(move |orders| {
            let session = Box::new(relay::Client::new(relay_plan(), of_session));
            let places = vec![Place::Tcp(address)];
            orders.connect(1, Outgoing::new("localhost", places, session));
        });
        assert_eq!(server.join().expect("no panic") as u64, expected);
        stage.next();
        stage.end();
        let fates = &tray.outcomes()[0].fates;
        assert!(matches!(fates[..], [relay::Fate::Taken(_)]), "{fates:?}");
    }
}

/// The least that a server with STARTTLS says.
struct Mini {
    text: bool,
    secure: bool,
}

impl Session for Mini {
    fn want(&self) -> Want {
        match self.text {
            true => Want::DotText,
            false => Want::Line { max: 1000 },
        }
    }

    fn handle(&mut self, _now: Instant, input: Input<'_>, out: &mut Out) {
        match input {
            Input::Open => out.line(b"220 mail.example.org"),
            Input::TlsUp(_) => self.secure = true,
            Input::Line(line) => match &line[..4] {
                b"EHLO" if self.secure => out.line(b"250-mail.example.org\r\n250 REQUIRETLS"),
                b"EHLO" => out.line(b"250-mail.example.org\r\n250 STARTTLS"),
                b"STAR" => {
                    out.line(b"220 go ahead");
                    out.start_tls();
                }
                b"DATA" => {
                    self.text = true;
                    out.line(b"354 go ahead");
                }
                b"QUIT" => {
                    out.line(b"221 bye");
                    out.close();
                }
                _ => out.line(b"250 Ok"),
            },
            Input::TextEnd => {
                self.text = false;
                out.line(b"250 2.0.0 Taken");
            }
            Input::Stop | Input::Eof => out.close(),
            _ => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }
}

struct MiniService;

impl Service for MiniService {
    fn name(&self) -> &'static str {
        "smtp"
    }
    fn session(&self, _peer: Peer) -> Box<dyn Session> {
        Box::new(Mini {
            text: false,
            secure: false,
        })
    }
}

#[test]
fn mail_goes_over_tls_as_far_as_was_ordered() {
    let directory = tempfile::tempdir().expect("a directory");
    let certificates = directory.path().join("tls");
    let ca = certificates.join("ca.pem");
    let (tell, told) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let mut reactor = reactor(&Setup::default(), &certificates);
        let any = "127.0.0.1:0".parse().expect("an address");
        let address = reactor.listen(any, Arc::new(MiniService), Security::Plain);
        tell.send((address.expect("a listener"), reactor.handle()))
            .expect("a reader");
        reactor.run().expect("a run");
    });
    let (address, server) = told.recv().expect("a server");
    let stage = Stage::new(2, None);
    let send = |trust: &Trust, upgrade: Upgrade| {
        let tray = relay::Tray::new();
        let mut secret = letter(2);
        secret.envelope.options.require_tls = true;
        tray.give(letter(1));
        tray.give(secret);
        tray.close();
        let (of_session, tls) = (tray.clone(), connector(trust));
        stage.want(move |orders| {
            let plan = relay::Plan {
                upgrade,
                ..relay_plan()
            };
            let session = Box::new(relay::Client::new(plan, of_session));
            let places = vec![Place::Tcp(address)];
            let mut outgoing = Outgoing::new("mail.example.org", places, session);
            outgoing.tls = tls;
            orders.connect(1, outgoing);
        });
        assert!(matches!(stage.next_but_news(), Event::Connected { .. }));
        (stage.end(), tray)
    };
    let fates = |tray: &relay::Tray| {
        let fates = tray
            .outcomes()
            .into_iter()
            .flat_map(|outcome| outcome.fates);
        let words = fates.map(|fate| match fate {
            relay::Fate::Taken(_) => "taken".to_owned(),
            relay::Fate::Unfit(reply) => reply.code.to_string(),
            other => panic!("{other:?}"),
        });
        words.collect::<Vec<_>>()
    };
    // Verified: what needs that goes too.
    let (end, tray) = send(&Trust::Only(ca), Upgrade::Required);
    assert!(matches!(end, End::Closed), "{end:?}");
    assert_eq!(fates(&tray), ["taken", "taken"]);
    // Opportunistic: whatever certificate, and told so.
    let (end, tray) = send(&Trust::Tolerant { extra: None }, Upgrade::IfOffered);
    assert!(matches!(end, End::Closed), "{end:?}");
    assert_eq!(fates(&tray), ["taken", "550"]);
    let tls = tray.server().tls.expect("TLS");
    assert!(matches!(tls.verdict, Verdict::Tolerated(_)));
    assert_eq!(tray.server().offers, ["REQUIRETLS"]);
    // Required, and the certificate is no good: nothing was begun.
    let (end, tray) = send(&Trust::Authorities { extra: None }, Upgrade::Required);
    assert!(
        matches!(end, End::Tls(TlsError::Certificate { .. })),
        "{end:?}"
    );
    assert_eq!(tray.undone().len(), 2);
    // In the clear, when the driver decides so.
    let (end, tray) = send(&Trust::Anybody, Upgrade::Never);
    assert!(matches!(end, End::Closed), "{end:?}");
    assert_eq!(fates(&tray), ["taken", "550"]);
    assert_eq!(tray.server().tls, None);
    server.stop();
    thread.join().expect("no panic");
}

/// Postfix's own sink, where it is installed.
#[test]
fn many_messages_go_to_postfix_sink_over_one_connection() {
    const SINK: &str = "/usr/sbin/smtp-sink";
    if !Path::new(SINK).exists() {
        return;
    }
    let port = closed().port();
    let place = format!("127.0.0.1:{port}");
    let mut arguments = vec!["-c", &place, "10"];
    if rustix::process::getuid().is_root() {
        arguments.splice(0..0, ["-u", "nobody"]);
    }
    let mut sink = Command::new(SINK)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a sink");
    let address = place.parse().expect("an address");
    let limit = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(address).is_err() && Instant::now() < limit {
        std::thread::sleep(Duration::from_millis(20));
    }
    let stage = Stage::new(1, None);
    let tray = relay::Tray::new();
    for word in 0..200 {
        tray.give(letter(word));
    }
    tray.close();
    let of_session = tray.clone();
    stage.want(move |orders| {
        let session = Box::new(relay::Client::new(relay_plan(), of_session));
        orders.connect(
            1,
            Outgoing::new("localhost", vec![Place::Tcp(address)], session),
        );
    });
    let connected = stage.next();
    let end = stage.end();
    sink.kill().ok();
    sink.wait().ok();
    assert!(matches!(connected, Event::Connected { .. }) && matches!(end, End::Closed));
    let outcomes = tray.outcomes();
    assert_eq!(outcomes.len(), 200);
    let taken = |outcome: &relay::Outcome| matches!(outcome.fates[..], [relay::Fate::Taken(_)]);
    assert!(outcomes.iter().all(taken), "{outcomes:?}");
}
