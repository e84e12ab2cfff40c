use std::net::TcpListener;

use super::*;
use crate::proto::proxy::server::{Kinds, ProxyServer};
use crate::proto::proxy::{Destination, Host};
use crate::reactor::hall::Proxy;
use crate::reactor::resolver::Family;

fn proxy(kinds: Kinds, allows: fn(&Destination) -> bool) -> Running {
    let settings = || Settings {
        patience: Duration::from_millis(700),
        ..Settings::default()
    };
    start(settings, move || {
        let machine = move || ProxyServer::new(kinds, None);
        Service::Proxy(Proxy::new(machine, allows, Family::Any))
    })
}

fn everything(_: &Destination) -> bool {
    true
}

/// Somebody who sends back what comes, one connection after another, and each until its end.
fn echo() -> SocketAddr {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = door.local_addr().unwrap();
    thread::spawn(move || {
        for socket in door.incoming() {
            let Ok(mut socket) = socket else { return };
            thread::spawn(move || {
                let mut from = socket.try_clone()?;
                io::copy(&mut from, &mut socket)?;
                socket.shutdown(Shutdown::Write)
            });
        }
    });
    at
}

/// A port at which nobody listens.
fn closed() -> SocketAddr {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    door.local_addr().unwrap()
}

/// SOCKS 5's request for an address, with the greeting before it.
fn socks(to: SocketAddr, words: &[u8]) -> Vec<u8> {
    let mut request = b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01".to_vec();
    request.extend_from_slice(&to.port().to_be_bytes());
    request.extend_from_slice(words);
    request
}

fn head(caller: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        caller.read_exact(&mut octet).unwrap();
        head.push(octet[0]);
    }
    String::from_utf8(head).unwrap()
}

#[test]
fn a_caller_is_joined_and_words_glued_to_its_request_go_on() {
    let running = proxy(Kinds::Socks, everything);
    let mut caller = running.call();
    let words = noise(100_000, 1);
    caller.write_all(&socks(echo(), &words)).unwrap();
    let mut reply = [0; 12];
    caller.read_exact(&mut reply).unwrap();
    assert_eq!(reply[..9], *b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00");
    let mut heard = vec![0; words.len()];
    caller.read_exact(&mut heard).unwrap();
    assert!(heard == words);
    caller.write_all(b"and more").unwrap();
    caller.shutdown(Shutdown::Write).unwrap();
    assert_eq!(
        rest(caller),
        b"and more",
        "and the end goes through, both ways"
    );
    running.notes.wait_for("left: Done 100008 100008", 1);
    assert_eq!(running.notes.count("joined: 127.0.0.1:"), 1);
}

#[test]
fn one_who_reads_slowly_holds_up_nobody_and_loses_nothing() {
    let running = proxy(Kinds::Http, everything);
    let to = echo();
    let words = noise(20_000_000, 1);
    let begin = |to: SocketAddr| {
        let mut caller = running.call();
        write!(caller, "CONNECT {to} HTTP/1.1\r\n\r\n").unwrap();
        assert!(head(&mut caller).starts_with("HTTP/1.1 200 "));
        caller
    };
    thread::scope(|scope| {
        let mut slow = begin(to);
        let mut talker = slow.try_clone().unwrap();
        let words = &words;
        let spoken = scope.spawn(move || {
            let result = talker.write_all(words);
            talker.shutdown(Shutdown::Write).unwrap();
            result
        });
        thread::sleep(Duration::from_millis(200));
        for _ in 0..20 {
            let mut quick = begin(to);
            quick.write_all(b"quick").unwrap();
            quick.shutdown(Shutdown::Write).unwrap();
            assert_eq!(rest(quick), b"quick");
        }
        let mut heard = Vec::new();
        slow.read_to_end(&mut heard).unwrap();
        assert!(heard == *words);
        spoken.join().unwrap().unwrap();
    });
}

#[test]
fn what_cannot_be_reached_is_told_in_the_callers_protocol() {
    let running = proxy(Kinds::Socks, |to| to.port != 25);
    let mut caller = running.call();
    caller.write_all(&socks(closed(), b"")).unwrap();
    assert_eq!(rest(&caller)[2..4], [5, 5], "refused");
    let mut caller = running.call();
    let forbidden = SocketAddr::from(([127, 0, 0, 1], 25));
    caller.write_all(&socks(forbidden, b"too early")).unwrap();
    assert_eq!(rest(&caller)[2..4], [5, 2], "not allowed");
    let mut caller = running.call();
    caller.write_all(b"HELP\r\n").unwrap();
    assert!(rest(&caller).starts_with(b"HTTP/1.1 400 "));
    let silent = running.call();
    assert_eq!(rest(silent), b"");
    running.notes.wait_for("not joined: it took too long", 1);
    running.notes.wait_for("left", 4);
    assert!(
        running
            .notes
            .count("not joined: cannot connect to 127.0.0.1:25: ")
            == 1
    );
}

#[test]
fn no_name_gets_around_a_rule_about_addresses() {
    fn no_loopback(to: &Destination) -> bool {
        match &to.host {
            Host::Address(address) => !address.is_loopback(),
            Host::Name(_) => true,
        }
    }
    let running = proxy(Kinds::Http, no_loopback);
    let port = echo().port();
    for host in ["127.0.0.1", "localhost", "127.1"] {
        let mut caller = running.call();
        write!(caller, "CONNECT {host}:{port} HTTP/1.1\r\n\r\n").unwrap();
        let reply = String::from_utf8(rest(caller)).unwrap();
        assert!(reply.starts_with("HTTP/1.1 403 "), "{host}: {reply}");
    }
}

#[test]
fn a_name_is_looked_up_and_all_its_addresses_are_tried() {
    // `localhost` has ::1, too, where nobody listens.
    let running = proxy(Kinds::Http, everything);
    let port = echo().port();
    let mut caller = running.call();
    write!(caller, "CONNECT localhost:{port} HTTP/1.1\r\n\r\nhello").unwrap();
    assert!(head(&mut caller).starts_with("HTTP/1.1 200 "));
    assert_eq!(read(&mut caller, 5), "hello");
}

#[test]
fn a_request_goes_on_rewritten_before_the_callers_own_words() {
    let running = proxy(Kinds::Http, everything);
    let to = echo();
    let mut caller = running.call();
    write!(
        caller,
        "POST http://{to}/form HTTP/1.1\r\nHost: elsewhere\r\nContent-Length: 4\r\n\r\nbody"
    )
    .unwrap();
    caller.shutdown(Shutdown::Write).unwrap();
    let echoed = String::from_utf8(rest(caller)).unwrap();
    assert!(echoed.starts_with("POST /form HTTP/1.1\r\n"), "{echoed}");
    assert!(echoed.ends_with("\r\n\r\nbody"), "{echoed}");
}

#[test]
fn what_a_destination_said_before_it_broke_arrives() {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = door.local_addr().unwrap();
    let running = proxy(Kinds::Socks, everything);
    let mut caller = running.call();
    caller.write_all(&socks(to, b"")).unwrap();
    let (mut destination, _) = door.accept().unwrap();
    destination.write_all(b"last words").unwrap();
    let mut reply = [0; 22];
    caller.read_exact(&mut reply).unwrap();
    assert!(reply.ends_with(b"last words"));
    destination.write_all(b"indeed").unwrap();
    thread::sleep(Duration::from_millis(50));
    let destination = Socket::from(destination);
    destination.set_linger(Some(Duration::ZERO)).unwrap();
    drop(destination);
    assert_eq!(rest(&caller), b"indeed");
    drop(caller);
    running.notes.wait_for("left", 1);
}

#[test]
fn a_caller_who_leaves_while_it_waits_is_forgotten() {
    // Who listens and takes nobody lets callers wait once its queue is full.
    let busy = Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    busy.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    busy.listen(0).unwrap();
    let to = busy.local_addr().unwrap().as_socket().unwrap();
    let patience = Duration::from_millis(300);
    let mut queue = Vec::new();
    while let Ok(caller) = TcpStream::connect_timeout(&to, patience) {
        queue.push(caller);
    }
    let running = proxy(Kinds::Http, everything);
    let mut caller = running.call();
    write!(caller, "CONNECT {to} HTTP/1.1\r\n\r\n").unwrap();
    let mut other = running.call();
    write!(other, "CONNECT {} HTTP/1.1\r\n\r\n", echo()).unwrap();
    assert!(head(&mut other).starts_with("HTTP/1.1 200 "), "meanwhile");
    thread::sleep(Duration::from_millis(50));
    let caller = Socket::from(caller);
    caller.set_linger(Some(Duration::ZERO)).unwrap();
    drop(caller);
    running.notes.wait_for("left: Broken", 1);
}

#[test]
fn joined_callers_that_wait_cost_nothing() {
    let running = proxy(Kinds::Socks, everything);
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = door.local_addr().unwrap();
    let mut callers = Vec::new();
    for _ in 0..50 {
        let mut caller = running.call();
        caller.write_all(&socks(to, b"")).unwrap();
        let (destination, _) = door.accept().unwrap();
        read_reply(&mut caller);
        caller.shutdown(Shutdown::Write).unwrap();
        callers.push((caller, destination));
    }
    for (_, destination) in &mut callers {
        assert_eq!(destination.read(&mut [0]).unwrap(), 0);
    }
    thread::sleep(Duration::from_millis(1500));
    let spent = running.stop();
    assert!(spent < Duration::from_millis(150), "{spent:?}");
}

fn read_reply(caller: &mut TcpStream) {
    let mut reply = [0; 12];
    caller.read_exact(&mut reply).unwrap();
    assert_eq!(reply[3], 0);
}

#[test]
fn a_second_request_does_not_reach_the_server_of_the_first() {
    let origin = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = origin.local_addr().unwrap();
    let running = proxy(Kinds::Http, everything);
    let second = "GET http://192.0.2.1/secret HTTP/1.1\r\nCookie: for another\r\n\r\n";
    for (fields, body) in [
        ("", ""),
        ("Content-Length: 5\r\n", "a=1&b"),
        ("Transfer-Encoding: chunked\r\n", "3\r\na=1\r\n0\r\n\r\n"),
    ] {
        let mut caller = running.call();
        let first = format!("POST http://{at}/a HTTP/1.1\r\n{fields}\r\n{body}");
        caller.write_all((first + second).as_bytes()).unwrap();
        let (mut server, _) = origin.accept().unwrap();
        server.set_read_timeout(Some(PATIENCE)).unwrap();
        let asked = head(&mut server);
        assert!(asked.starts_with("POST /a HTTP/1.1\r\n"), "{asked}");
        assert!(asked.ends_with("Connection: close\r\n\r\n"), "{asked}");
        // Some of it comes late.
        caller.write_all(second.as_bytes()).unwrap();
        assert_eq!(whatever_comes(&mut server), body);
        let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
        server.write_all(answer.as_bytes()).unwrap();
        drop(server);
        let all = String::from_utf8(rest(caller)).unwrap();
        assert_eq!(all, answer, "one answer, and the end");
    }
}

#[test]
fn a_body_without_a_known_end_reaches_nobody() {
    let running = proxy(Kinds::Http, everything);
    let origin = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = origin.local_addr().unwrap();
    let mut caller = running.call();
    let fields = "Content-Length: 4\r\nTransfer-Encoding: chunked";
    let request = format!("POST http://{at}/ HTTP/1.1\r\n{fields}\r\n\r\n0\r\n\r\n");
    caller.write_all(request.as_bytes()).unwrap();
    let answer = String::from_utf8(rest(caller)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("both Content-Length and Transfer-Encoding"));

    let mut caller = running.call();
    let head = format!("POST http://{at}/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    caller
        .write_all((head + "2\r\nab\r\nnot a size\r\n").as_bytes())
        .unwrap();
    let (server, _) = origin.accept().unwrap();
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    let came = String::from_utf8_lossy(&rest_or_reset(server)).into_owned();
    assert!(!came.contains("not a size"), "{came}");
}

fn rest_or_reset(mut from: TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut octets = [0; 1000];
    while let Ok(count @ 1..) = from.read(&mut octets) {
        all.extend_from_slice(&octets[..count]);
    }
    all
}
