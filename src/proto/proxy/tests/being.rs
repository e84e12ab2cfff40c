use super::*;

/// What a client says to a proxy, and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Served {
    said: Vec<u8>,
    asked: Asked,
    used: usize,
}

fn serve<'a>(server: &mut ProxyServer, pieces: impl IntoIterator<Item = &'a [u8]>) -> Served {
    let mut said = Vec::new();
    let mut before = 0;
    let mut asked = Asked::More;
    let mut whole = 0;
    for piece in pieces {
        asked = server.hear(piece, &mut said);
        if let Asked::Connect { used, .. } = &mut asked {
            whole = before + *used;
            *used = 0;
        }
        if asked != Asked::More {
            break;
        }
        before += piece.len();
    }
    Served {
        said,
        asked,
        used: whole,
    }
}

/// What a client gets dialled: the same whole, octet by octet, and cut anywhere; and it ends just before the payload.
fn dialled(begin: impl Fn() -> ProxyServer, request: &[u8]) -> (String, Destination, String) {
    let glued = [request, PAYLOAD].concat();
    let whole = serve(&mut begin(), [&*glued]);
    assert_eq!(whole.used, request.len(), "{whole:?}");
    assert_eq!(serve(&mut begin(), request.chunks(1)), whole);
    for cut in 0..request.len() {
        let (first, second) = glued.split_at(cut);
        assert_eq!(
            serve(&mut begin(), [first]).asked,
            Asked::More,
            "only {cut} octets"
        );
        assert_eq!(serve(&mut begin(), [first, second]), whole, "cut at {cut}");
    }
    let Asked::Connect {
        destination,
        first_words,
        ..
    } = whole.asked
    else {
        unreachable!()
    };
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    (text(&whole.said), destination, text(&first_words))
}

/// What a client is told that gets nothing, and what the log says; the same wherever it is cut.
fn turned_away(begin: impl Fn() -> ProxyServer, request: &[u8]) -> (Vec<u8>, String) {
    let mut server = begin();
    let whole = serve(&mut server, [request]);
    assert_eq!(whole.asked, Asked::Close, "{whole:?}");
    for cut in 0..request.len() {
        let (first, second) = request.split_at(cut);
        assert_eq!(serve(&mut begin(), [first, second]), whole, "cut at {cut}");
    }
    (
        whole.said,
        server.complaint().expect("it says why").to_owned(),
    )
}

fn socks_server() -> ProxyServer {
    ProxyServer::new(Kinds::Socks, None)
}

fn strict_socks_server() -> ProxyServer {
    ProxyServer::new(Kinds::Socks, Some(login()))
}

fn http_server() -> ProxyServer {
    ProxyServer::new(Kinds::Http, None)
}

pub(super) fn strict_http_server() -> ProxyServer {
    ProxyServer::new(Kinds::Http, Some(login())).with_digest(Nonces::new([1; 16], 1000))
}

#[test]
fn a_socks_server_knows_its_clients_by_their_first_octet() {
    let address = |text: &str| Destination::parse(text).unwrap();
    let (said, asked, _) = dialled(socks_server, b"\x04\x01\0\x19\x7f\0\0\x01alice\0");
    assert_eq!((&*said, asked), ("", address("127.0.0.1:25")));
    let (said, asked, _) = dialled(
        socks_server,
        b"\x04\x01\0\x19\0\0\0\x01\0mail.example.org\0",
    );
    assert_eq!((&*said, asked), ("", destination()));
    let (said, asked, _) = dialled(
        socks_server,
        b"\x05\x01\0\x05\x01\0\x03\x10mail.example.org\0\x19",
    );
    assert_eq!((&*said, asked), ("\x05\0", destination()));
    let (said, asked, _) = dialled(
        socks_server,
        b"\x05\x02\x02\0\x05\x01\0\x03\x09127.0.0.1\0\x19",
    );
    assert_eq!((&*said, asked), ("\x05\0", address("127.0.0.1:25")));
    let six = b"\x05\x01\0\x05\x01\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\x19";
    assert_eq!(dialled(socks_server, six).1, address("[::1]:25"));
    let (said, asked, _) = dialled(
        strict_socks_server,
        b"\x05\x02\0\x02\x01\x05alice\x06secret\x05\x01\0\x03\x10mail.example.org\0\x19",
    );
    assert_eq!((&*said, asked), ("\x05\x02\x01\0", destination()));
}

#[test]
fn a_socks_server_turns_away_by_the_rfc() {
    for (request, said, complaint) in [
        (
            &b"\x04\x02\0\x19\x7f\0\0\x01\0"[..],
            &b"\0\x5b\0\0\0\0\0\0"[..],
            "BIND",
        ),
        (
            b"\x04\x01\0\x19\0\0\0\x01\0a b\0",
            b"\0\x5b\0\0\0\0\0\0",
            "name",
        ),
        (
            b"\x05\x01\0\x05\x02\0\x01\x7f\0\0\x01\0\x19",
            b"\x05\0\x05\x07\0\x01\0\0\0\0\0\0",
            "BIND",
        ),
        (
            b"\x05\x01\0\x05\x03\0\x01\x7f\0\0\x01\0\x19",
            b"\x05\0\x05\x07\0\x01\0\0\0\0\0\0",
            "UDP",
        ),
        (
            b"\x05\x01\0\x05\x09\0\x01\x7f\0\0\x01\0\x19",
            b"\x05\0\x05\x07\0\x01\0\0\0\0\0\0",
            "(9)",
        ),
        (
            b"\x05\x01\0\x05\x01\0\x02",
            b"\x05\0\x05\x08\0\x01\0\0\0\0\0\0",
            "address",
        ),
        (
            b"\x05\x01\0\x05\x01\0\x03\0\0\x19",
            b"\x05\0\x05\x04\0\x01\0\0\0\0\0\0",
            "name",
        ),
        (
            b"\x05\x01\0\x01",
            b"\x05\0\x05\x01\0\x01\0\0\0\0\0\0",
            "SOCKS 5",
        ),
        (b"\x05\x01\x02", b"\x05\xff", "login"),
        (b"\x05\0", b"\x05\xff", "login"),
        (b"\x16\x03\x01", b"", "octet 22"),
    ] {
        let (answer, why) = turned_away(socks_server, request);
        assert_eq!(answer, said, "{request:?}");
        assert!(why.contains(complaint), "{why}");
    }
    for (request, said, complaint) in [
        (
            &b"\x04\x01\0\x19\x7f\0\0\x01alice\0"[..],
            &b"\0\x5b\0\0\0\0\0\0"[..],
            "no passwords",
        ),
        (b"\x05\x01\0", b"\x05\xff", "no user name"),
        (
            b"\x05\x01\x02\x01\x05alice\x06Secret",
            b"\x05\x02\x01\x01",
            "wrong",
        ),
        (
            b"\x05\x01\x02\x01\x04alic\x06secret",
            b"\x05\x02\x01\x01",
            "wrong",
        ),
        (b"\x05\x01\x02\x05", b"\x05\x02\x01\x01", "wrong"),
    ] {
        let (answer, why) = turned_away(strict_socks_server, request);
        assert_eq!(answer, said, "{request:?}");
        assert!(why.contains(complaint), "{why}");
    }
    let (answer, _) = turned_away(socks_server, b"GET http://a/ HTTP/1.1\r\n\r\n");
    assert!(
        answer.starts_with(b"HTTP/1.1 400 Bad Request\r\n")
            && answer.ends_with(b"not an HTTP proxy.\n")
    );
}

#[test]
fn what_came_of_dialling_is_told_in_the_clients_own_protocol() {
    let four = b"\x04\x01\0\x19\x7f\0\0\x01\0";
    let five = b"\x05\x01\0\x05\x01\0\x01\x7f\0\0\x01\0\x19";
    let tunnel = b"CONNECT mail:25 HTTP/1.1\r\n\r\n";
    let reply = |kinds, request: &[u8], result| {
        let mut server = ProxyServer::new(kinds, None);
        let mut out = Vec::new();
        assert!(matches!(
            server.hear(request, &mut out),
            Asked::Connect { .. }
        ));
        out.clear();
        server.connected(result, &mut out);
        out
    };
    let bound: SocketAddr = "192.0.2.1:258".parse().unwrap();
    let bound6: SocketAddr = "[::1]:258".parse().unwrap();
    assert_eq!(
        reply(Kinds::Socks, four, Ok(bound)),
        b"\0\x5a\x01\x02\xc0\0\x02\x01"
    );
    assert_eq!(reply(Kinds::Socks, four, Ok(bound6)), b"\0\x5a\0\0\0\0\0\0");
    assert_eq!(
        reply(Kinds::Socks, five, Ok(bound)),
        b"\x05\0\0\x01\xc0\0\x02\x01\x01\x02"
    );
    let six = b"\x05\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x01\x02";
    assert_eq!(reply(Kinds::Socks, five, Ok(bound6)), six);
    assert_eq!(
        reply(Kinds::Http, tunnel, Ok(bound)),
        b"HTTP/1.1 200 Connection established\r\n\r\n"
    );
    for (fault, code, status) in [
        (ProxyFault::Refused, 5, "502"),
        (ProxyFault::NetworkUnreachable, 3, "502"),
        (ProxyFault::HostUnreachable, 4, "502"),
        (ProxyFault::UnknownName, 4, "502"),
        (ProxyFault::TimedOut, 6, "504"),
        (ProxyFault::NotAllowed, 2, "403"),
        (ProxyFault::Other, 1, "502"),
    ] {
        assert_eq!(reply(Kinds::Socks, four, Err(fault)), b"\0\x5b\0\0\0\0\0\0");
        assert_eq!(
            reply(Kinds::Socks, five, Err(fault)),
            [5, code, 0, 1, 0, 0, 0, 0, 0, 0]
        );
        let answer = String::from_utf8(reply(Kinds::Http, tunnel, Err(fault))).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(body.starts_with("Cannot connect to mail:25: "), "{answer}");
        assert!(
            head.contains(&format!("Content-Length: {}", body.len())),
            "{answer}"
        );
    }
    assert_eq!(
        ProxyFault::from(std::io::ErrorKind::TimedOut),
        ProxyFault::TimedOut
    );
}

#[test]
fn an_http_server_tunnels_and_forwards() {
    let (said, asked, first) = dialled(
        http_server,
        b"CONNECT mail.example.org:25 HTTP/1.0\r\nUser-Agent: x\r\n\r\n",
    );
    assert_eq!((&*said, asked, &*first), ("", destination(), ""));
    let post = b"POST http://www.example.org/a HTTP/1.1\r\nContent-Length: 28\r\nProxy-Connection: x\r\n\r\n";
    let (said, asked, first) = dialled(http_server, post);
    assert_eq!(
        (&*said, asked.to_string()),
        ("", "www.example.org:80".to_owned())
    );
    assert_eq!(
        first,
        "POST /a HTTP/1.1\r\nHost: www.example.org\r\nContent-Length: 28\r\nVia: 1.1 mailtool\r\nConnection: close\r\n\r\n"
    );
    let mut server = http_server();
    let mut out = Vec::new();
    server.hear(post, &mut out);
    server.connected(Ok("192.0.2.1:258".parse().unwrap()), &mut out);
    assert_eq!(out, b"", "the answer is the other server's");
    let mut server = http_server();
    server.hear(b"HEAD http://www.example.org/ HTTP/1.1\r\n\r\n", &mut out);
    server.connected(Err(ProxyFault::Refused), &mut out);
    assert!(
        out.starts_with(b"HTTP/1.1 502 ") && out.ends_with(b"\r\n\r\n"),
        "{out:?}"
    );
}

#[test]
fn an_http_server_turns_away_by_the_rfc() {
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        ("GET https://a/ HTTP/1.1\r\n\r\n", "400"),
        ("CONNECT mail.example.org HTTP/1.1\r\n\r\n", "400"),
        ("CONNECT http://a:25/ HTTP/1.1\r\n\r\n", "400"),
        ("GET http://a/ HTTP/1.1\r\nA : b\r\n\r\n", "400"),
        ("EHLO client.example\r\n\r\n", "400"),
    ] {
        let (answer, _) = turned_away(http_server, request.as_bytes());
        let answer = String::from_utf8(answer).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request}: {answer}"
        );
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
    }
    assert_eq!(turned_away(http_server, b"\x05\x01\0").0, b"\x05\xff");
    assert_eq!(
        turned_away(http_server, b"\x04\x01").0,
        b"\0\x5b\0\0\0\0\0\0"
    );
    for (unit, status) in [("a", "414"), ("\r\n", "431"), ("A: b\r\n", "431")] {
        let endless = unit.repeat(limits::PROXY_HEAD + 1);
        for at_once in [100, endless.len()] {
            let served = serve(&mut http_server(), endless.as_bytes().chunks(at_once));
            let said = String::from_utf8_lossy(&served.said);
            assert!(
                said.starts_with(&format!("HTTP/1.1 {status} ")),
                "{unit:?}: {said}"
            );
        }
    }
}

/// The status that a request with a certain Proxy-Authorization gets, 200 if it is dialled, and the rest of the answer.
fn asked_with(server: impl Fn() -> ProxyServer, authorization: &str) -> (String, String) {
    let request = format!("{CONNECT}Proxy-Authorization: {authorization}\r\n\r\n");
    let mut out = Vec::new();
    match server().hear(request.as_bytes(), &mut out) {
        Asked::Connect { .. } => ("200".to_owned(), String::new()),
        _ => {
            let answer = String::from_utf8(out).unwrap();
            (answer[9..12].to_owned(), answer)
        }
    }
}

#[test]
fn a_login_is_asked_for_and_checked() {
    let (answer, why) = turned_away(strict_http_server, format!("{CONNECT}\r\n").as_bytes());
    let answer = String::from_utf8(answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 407 ") && why.contains("yet"),
        "{answer} {why}"
    );
    let offered: Vec<_> = answer
        .lines()
        .filter_map(|line| line.strip_prefix("Proxy-Authenticate: "))
        .collect();
    assert_eq!(offered.len(), 3, "{offered:?}");
    assert!(
        offered[0].contains("MD5")
            && offered[1].contains("SHA-256")
            && offered[2].starts_with("Basic")
    );
    let status = |authorization: &str| asked_with(strict_http_server, authorization).0;
    assert_eq!(status(&Credentials::basic("alice", "secret")), "200");
    assert_eq!(status(&Credentials::basic("alice", "Secret")), "407");
    assert_eq!(status("Basic ???"), "407");
    assert_eq!(status("Bearer x"), "407");
    assert_eq!(status("Digest username=\"alice\""), "407");
}

#[test]
fn a_digest_of_a_forwarded_request_may_name_either_form_of_its_target() {
    let nonce = Nonces::new([1; 16], 1000).fresh();
    for (uri, dials) in [("http://a/b?c", true), ("/b?c", true), ("/b", false)] {
        let challenge = format!("Digest realm=\"mailtool\", nonce=\"{nonce}\", qop=\"auth\"");
        let challenge =
            crate::wire::http_proxy::DigestChallenge::read(&challenges(challenge.as_bytes())[0])
                .unwrap();
        let sent = challenge.answer(&challenge.question("GET", uri, 1, "c"), "alice", "secret");
        let request = format!("GET http://a/b?c HTTP/1.1\r\nProxy-Authorization: {sent}\r\n\r\n");
        let asked = strict_http_server().hear(request.as_bytes(), &mut Vec::new());
        assert_eq!(matches!(asked, Asked::Connect { .. }), dials, "{uri}");
    }
}
