//! The resolver against a name server on loopback that answers as each test wants.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use mio::{Events, Poll};

use super::*;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    Udp,
    Tcp,
}

/// What comes back for a question: any number of datagrams.
type Answering = dyn Fn(&[u8], Transport) -> Vec<Vec<u8>> + Send + Sync;

/// A name server for the rest of the test, and how many questions it has had.
struct Server {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Server {
    fn start(answering: impl Fn(&[u8], Transport) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Self {
        let answering: Arc<Answering> = Arc::new(answering);
        // The kernel chooses the port for UDP, without a look at who has it for TCP.
        let free = (0..100).find_map(|_| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let listener = TcpListener::bind(socket.local_addr().unwrap()).ok()?;
            Some((socket, listener))
        });
        let (socket, listener) = free.expect("a port that is free for both");
        let server = Self {
            address: socket.local_addr().unwrap(),
            asked: Arc::default(),
        };
        let (asked, udp) = (Arc::clone(&server.asked), Arc::clone(&answering));
        thread::spawn(move || {
            let mut buffer = [0; 1500];
            while let Ok((octets, from)) = socket.recv_from(&mut buffer) {
                asked.fetch_add(1, Ordering::SeqCst);
                for reply in udp(&buffer[..octets], Transport::Udp) {
                    socket.send_to(&reply, from).unwrap();
                }
            }
        });
        let asked = Arc::clone(&server.asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut length = [0; 2];
                stream.read_exact(&mut length).unwrap();
                let mut query = vec![0; u16::from_be_bytes(length).into()];
                stream.read_exact(&mut query).unwrap();
                asked.fetch_add(1, Ordering::SeqCst);
                for reply in answering(&query, Transport::Tcp) {
                    let length = u16::try_from(reply.len()).unwrap().to_be_bytes();
                    // In two pieces, as it may come.
                    stream.write_all(&length).unwrap();
                    thread::sleep(Duration::from_millis(5));
                    stream.write_all(&reply).unwrap();
                }
            }
        });
        server
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A server that is there and says nothing.
fn silent() -> SocketAddr {
    Server::start(|_, _| Vec::new()).address
}

const A: u16 = 1;
const CNAME: u16 = 5;
const SOA: u16 = 6;
const MX: u16 = 15;
const AAAA: u16 = 28;

/// Name (as dotted text) and kind that a query asks about, and where its question ends.
fn asked(query: &[u8]) -> (String, u16, usize) {
    let mut name = String::new();
    let mut at = 12;
    while query[at] > 0 {
        let label = &query[at + 1..][..usize::from(query[at])];
        name.push_str(std::str::from_utf8(label).unwrap());
        name.push('.');
        at += 1 + label.len();
    }
    let kind = u16::from_be_bytes([query[at + 1], query[at + 2]]);
    (name.trim_end_matches('.').to_owned(), kind, at + 5)
}

fn wire(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        out.push(u8::try_from(label.len()).unwrap());
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    out
}

/// Owner, kind, time to live, data.
type Record<'a> = (&'a str, u16, u32, Vec<u8>);

fn reply(query: &[u8], rcode: u8, answers: &[Record<'_>], authority: &[Record<'_>]) -> Vec<u8> {
    let mut reply = query[..asked(query).2].to_vec();
    (reply[2], reply[3]) = (0x81, 0x80 | rcode);
    reply[7] = u8::try_from(answers.len()).unwrap();
    reply[9] = u8::try_from(authority.len()).unwrap();
    reply[11] = 0;
    for (owner, kind, ttl, data) in answers.iter().chain(authority) {
        reply.extend_from_slice(&wire(owner));
        reply.extend_from_slice(&kind.to_be_bytes());
        reply.extend_from_slice(&[0, 1]);
        reply.extend_from_slice(&ttl.to_be_bytes());
        reply.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
        reply.extend_from_slice(data);
    }
    reply
}

fn mx(preference: u16, host: &str) -> Vec<u8> {
    [&preference.to_be_bytes(), &wire(host)[..]].concat()
}

fn soa(minimum: u32) -> Vec<u8> {
    let mut data = vec![0, 0];
    data.extend_from_slice(&[0; 16]);
    data.extend_from_slice(&minimum.to_be_bytes());
    data
}

fn address(last: u8) -> Vec<u8> {
    vec![192, 0, 2, last]
}

/// A small zone: what most tests ask about.
fn zone(query: &[u8]) -> Vec<u8> {
    let (name, kind, _) = asked(query);
    let no = [("example", SOA, 300, soa(60))];
    match (name.as_str(), kind) {
        ("two.example", MX) => {
            let records = [
                ("two.example", MX, 60, mx(20, "mx2.example")),
                ("two.example", MX, 60, mx(10, "mx1.example")),
            ];
            reply(query, 0, &records, &[])
        }
        ("null.example", MX) => reply(query, 0, &[("null.example", MX, 60, mx(0, ""))], &[]),
        ("alias.example", _) => {
            // The chain ends outside of the reply.
            let target = wire("two.example");
            reply(query, 0, &[("alias.example", CNAME, 60, target)], &[])
        }
        ("loop.example", _) => reply(
            query,
            0,
            &[("loop.example", CNAME, 60, wire("pool.example"))],
            &[],
        ),
        ("pool.example", _) => reply(
            query,
            0,
            &[("pool.example", CNAME, 60, wire("loop.example"))],
            &[],
        ),
        ("mx1.example", A) => reply(query, 0, &[("mx1.example", A, 60, address(1))], &[]),
        ("mx1.example" | "two.example" | "bare.example", _) => reply(query, 0, &[], &no),
        _ => reply(query, 3, &[], &no),
    }
}

/// A resolver with a poll of its own.
struct Asker {
    poll: Poll,
    lookups: Lookups,
    next_token: u64,
    /// Added to the clock.
    later: Duration,
}

impl Asker {
    fn new(servers: &[SocketAddr]) -> Self {
        let conf = ResolvConf {
            servers: servers.to_vec(),
            timeout: Duration::from_millis(250),
            attempts: 1,
            ..ResolvConf::default()
        };
        let hosts = Hosts::parse("192.0.2.50 known.example\n");
        Self {
            poll: Poll::new().unwrap(),
            lookups: Lookups::new(Resolving {
                server: None,
                known: Some((hosts, conf)),
            }),
            next_token: 1,
            later: Duration::ZERO,
        }
    }

    fn now(&self) -> Instant {
        Instant::now() + self.later
    }

    fn ask(&mut self, word: u64, question: Question) {
        let now = self.now();
        let registry = self.poll.registry();
        self.lookups
            .ask(word, question, now, registry, &mut self.next_token);
    }

    /// Waits for the next answer.
    fn found(&mut self) -> (u64, Found) {
        let mut events = Events::with_capacity(64);
        let limit = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(found) = self.lookups.next_found() {
                return found;
            }
            assert!(Instant::now() < limit, "no answer");
            let due = self.lookups.next_due().expect("something is waited for");
            let wait = due.saturating_duration_since(self.now());
            self.poll.poll(&mut events, Some(wait)).unwrap();
            let now = Instant::now() + self.later;
            let registry = self.poll.registry();
            for event in &events {
                let token = event.token().0 as u64;
                self.lookups
                    .ready(token, now, registry, &mut self.next_token);
            }
            self.lookups.expire(now, registry, &mut self.next_token);
        }
    }

    fn exchangers(&mut self, name: &str) -> Found {
        self.ask(0, Question::Exchangers(name.to_owned()));
        self.found().1
    }

    fn addresses(&mut self, name: &str) -> Found {
        self.ask(0, Question::Addresses(name.to_owned()));
        self.found().1
    }
}

fn hosts(found: &Found) -> Vec<(u16, &str)> {
    match found {
        Found::Exchangers(exchangers) => exchangers
            .iter()
            .map(|exchanger| (exchanger.preference, exchanger.host.as_str()))
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn one(last: u8) -> Found {
    Found::Addresses(vec![[192, 0, 2, last].into()])
}

#[test]
fn who_takes_mail_for_a_domain() {
    let server = Server::start(|query, _| vec![zone(query)]);
    let mut asker = Asker::new(&[server.address]);
    let found = asker.exchangers("Two.Example.");
    assert_eq!(hosts(&found), [(10, "mx1.example"), (20, "mx2.example")]);
    assert_eq!(asker.exchangers("null.example"), Found::NullMx);
    assert_eq!(asker.exchangers("bare.example"), Found::Itself);
    assert_eq!(asker.exchangers("none.example"), Found::NoName);
    assert_eq!(asker.exchangers("a..b"), Found::NoName);
    assert_eq!(
        hosts(&asker.exchangers("alias.example"))[0],
        (10, "mx1.example")
    );
    assert!(matches!(
        asker.exchangers("loop.example"),
        Found::Temporary(_)
    ));
    assert_eq!(asker.addresses("mx1.example"), one(1));
    assert_eq!(asker.addresses("bare.example"), Found::NoAddress);
    assert_eq!(asker.addresses("none.example"), Found::NoName);
}

#[test]
fn what_needs_no_question_is_not_asked() {
    let server = Server::start(|_, _| panic!("nobody is asked"));
    let mut asker = Asker::new(&[server.address]);
    let loopback: Vec<IpAddr> = vec!["::1".parse().unwrap()];
    for name in ["[IPv6:::1]", "::1", "[ipv6:::1]"] {
        assert_eq!(asker.addresses(name), Found::Addresses(loopback.clone()));
    }
    assert_eq!(asker.addresses("[192.0.2.7]"), one(7));
    assert_eq!(asker.addresses("known.example"), one(50));
    assert!(matches!(
        asker.addresses("a.localhost"),
        Found::Addresses(_)
    ));
    assert_eq!(asker.exchangers("[192.0.2.7]"), Found::Itself);
    assert_eq!(asker.exchangers("localhost"), Found::Itself);
    let mut alone = Asker::new(&[]);
    assert!(matches!(
        alone.exchangers("two.example"),
        Found::Temporary(_)
    ));
    assert_eq!(alone.exchangers("known.example"), Found::Itself);
}

#[test]
fn a_domain_that_only_the_hosts_file_knows_is_its_own_exchanger() {
    let server = Server::start(|query, _| vec![zone(query)]);
    let mut asker = Asker::new(&[server.address]);
    assert_eq!(asker.exchangers("known.example"), Found::Itself);
}

#[test]
fn answers_are_kept_for_their_time_the_noes_too() {
    let server = Server::start(|query, _| vec![zone(query)]);
    let mut asker = Asker::new(&[server.address]);
    for _ in 0..3 {
        asker.exchangers("two.example");
        asker.exchangers("none.example");
    }
    assert_eq!(server.asked(), 2);
    asker.later = Duration::from_secs(61);
    asker.exchangers("two.example");
    asker.exchangers("none.example");
    assert_eq!(server.asked(), 4, "both were good for 60 seconds");
}

#[test]
fn the_same_question_is_asked_once_at_a_time() {
    let server = Server::start(|query, _| {
        thread::sleep(Duration::from_millis(30));
        vec![zone(query)]
    });
    let mut asker = Asker::new(&[server.address]);
    for word in 0..5 {
        asker.ask(word, Question::Exchangers("two.example".into()));
    }
    let mut words: Vec<_> = (0..5).map(|_| asker.found().0).collect();
    words.sort_unstable();
    assert_eq!(words, [0, 1, 2, 3, 4]);
    assert_eq!(server.asked(), 1);
}

#[test]
fn more_questions_than_sockets_wait_their_turn() {
    let server = Server::start(|query, _| vec![zone(query)]);
    let mut asker = Asker::new(&[server.address]);
    asker.lookups.resolving.known.as_mut().unwrap().1.timeout = Duration::from_secs(10);
    let count = limits::DNS_QUERIES as u64 * 2 + 7;
    for word in 0..count {
        asker.ask(word, Question::Exchangers(format!("{word}.example")));
        assert!(asker.lookups.tokens.len() <= limits::DNS_QUERIES);
    }
    let mut words: Vec<_> = (0..count).map(|_| asker.found().0).collect();
    words.sort_unstable();
    assert_eq!(words, (0..count).collect::<Vec<_>>());
    assert!(asker.lookups.asking.is_empty() && asker.lookups.wishes.is_empty());
}

#[test]
fn what_is_truncated_comes_over_tcp() {
    let server = Server::start(|query, transport| {
        let mut whole = zone(query);
        if transport == Transport::Udp {
            whole = reply(query, 0, &[], &[]);
            whole[2] |= 2;
        }
        vec![whole]
    });
    let mut asker = Asker::new(&[server.address]);
    let found = asker.exchangers("two.example");
    assert_eq!(hosts(&found), [(10, "mx1.example"), (20, "mx2.example")]);
    assert_eq!(server.asked(), 2);
}

#[test]
fn an_old_server_is_asked_again_without_edns() {
    let server = Server::start(|query, _| {
        let has_edns = query[11] == 1;
        vec![if has_edns {
            reply(query, 1, &[], &[])
        } else {
            zone(query)
        }]
    });
    let mut asker = Asker::new(&[server.address]);
    assert_eq!(hosts(&asker.exchangers("two.example")).len(), 2);
    assert_eq!(server.asked(), 2);
}

#[test]
fn a_server_that_is_silent_about_edns_is_asked_without_the_second_time() {
    let server = Server::start(|query, _| match query[11] {
        1 => Vec::new(),
        _ => vec![zone(query)],
    });
    let mut asker = Asker::new(&[server.address]);
    asker.lookups.resolving.known.as_mut().unwrap().1.attempts = 2;
    assert_eq!(hosts(&asker.exchangers("two.example")).len(), 2);
    assert_eq!(server.asked(), 2);
}

#[test]
fn a_server_that_is_given_is_asked_in_place_of_the_machines_own() {
    let server = Server::start(|query, _| vec![zone(query)]);
    let mut asker = Asker::new(&[]);
    asker.lookups = Lookups::new(Resolving {
        server: Some(server.address),
        known: None,
    });
    assert_eq!(hosts(&asker.exchangers("two.example")).len(), 2);
}

#[test]
fn servers_take_turns_where_that_is_wanted() {
    let servers = [(); 2].map(|()| Server::start(|query, _| vec![zone(query)]));
    let mut asker = Asker::new(&[servers[0].address, servers[1].address]);
    asker.lookups.resolving.known.as_mut().unwrap().1.rotate = true;
    for n in 0..10 {
        asker.exchangers(&format!("{n}.example"));
    }
    assert_eq!([servers[0].asked(), servers[1].asked()], [5, 5]);
}

#[test]
fn what_was_not_asked_is_passed_over() {
    let server = Server::start(|query, _| {
        let evil = |query: &[u8]| {
            reply(
                query,
                0,
                &[("two.example", MX, 60, mx(1, "evil.example"))],
                &[],
            )
        };
        let mut wrong_id = evil(query);
        wrong_id[0] ^= 0xff;
        let mut wrong_question = evil(query);
        wrong_question[13] ^= 1;
        vec![
            wrong_id,
            wrong_question,
            b"rubbish".to_vec(),
            query.to_vec(),
            zone(query),
        ]
    });
    let mut asker = Asker::new(&[server.address]);
    assert_eq!(hosts(&asker.exchangers("two.example")).len(), 2);
}

#[test]
fn one_server_stands_in_for_another() {
    let good = Server::start(|query, _| vec![zone(query)]);
    let broken = Server::start(|query, _| vec![reply(query, 2, &[], &[])]);
    let closed = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for bad in [silent(), broken.address, closed] {
        let mut asker = Asker::new(&[bad, good.address]);
        assert_eq!(hosts(&asker.exchangers("two.example")).len(), 2);
        assert_eq!(asker.addresses("mx1.example"), one(1));
    }
}

#[test]
fn when_nobody_can_tell_it_is_for_now_and_not_kept() {
    let broken = Server::start(|query, _| vec![reply(query, 2, &[], &[])]);
    for (server, why) in [
        (silent(), "did not answer in time"),
        (broken.address, "could not tell"),
    ] {
        let mut asker = Asker::new(&[server]);
        for question in [
            Question::Exchangers("two.example".into()),
            Question::Addresses("mx1.example".into()),
        ] {
            asker.ask(0, question);
            match asker.found().1 {
                Found::Temporary(said) => assert!(said.contains(why), "{said}"),
                other => panic!("{other:?}"),
            }
        }
    }
    let asked = broken.asked();
    let mut asker = Asker::new(&[broken.address]);
    asker.exchangers("two.example");
    asker.exchangers("two.example");
    assert_eq!(broken.asked(), asked + 2);
}

#[test]
fn half_an_answer_is_an_address() {
    let server = Server::start(|query, _| match asked(query).1 {
        AAAA => Vec::new(),
        _ => vec![zone(query)],
    });
    let mut asker = Asker::new(&[server.address]);
    assert_eq!(asker.addresses("mx1.example"), one(1));
}

#[test]
fn equals_come_in_any_order() {
    let server = Server::start(|query, _| {
        let hosts = ["a", "b", "c", "d"];
        let records: Vec<Record<'_>> = hosts.map(|host| ("x", MX, 0, mx(5, host))).to_vec();
        vec![reply(query, 0, &records, &[])]
    });
    let mut asker = Asker::new(&[server.address]);
    let mut orders = std::collections::HashSet::new();
    for _ in 0..50 {
        let found = asker.exchangers("x");
        orders.insert(
            hosts(&found)
                .iter()
                .map(|(_, host)| *host)
                .collect::<String>(),
        );
    }
    assert!(orders.len() > 3, "{orders:?}");
}
