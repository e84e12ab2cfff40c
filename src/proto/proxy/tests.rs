mod asking;
mod being;

use std::net::SocketAddr;

use self::asking::{http, play, socks4, socks5};
use self::being::strict_http_server;
use super::client::{HttpConnect, Socks4, Socks5};
use super::server::{Asked, Kinds, ProxyFault, ProxyServer};
use super::*;
use crate::limits;
use crate::proto::prelude::{Heard, Prelude, PreludeError};
use crate::wire::http_proxy::{Credentials, Nonces, challenges};

const CONNECT: &str = "CONNECT mail.example.org:25 HTTP/1.0\r\n";
const PAYLOAD: &[u8] = b"220 mail.example.org ESMTP\r\n";

fn destination() -> Destination {
    Destination::parse("mail.example.org:25").expect("a destination")
}

fn login() -> Login {
    Login::parse("alice:secret")
}

#[test]
fn both_sides_agree_on_digest_and_on_what_is_stale() {
    // The client's answer to a challenge of a server at that time, given to a server at another.
    let exchange = |secret: u8, asked: u64, password: &str| {
        let server = move |secret, now| {
            ProxyServer::new(Kinds::Http, Some(login())).with_digest(Nonces::new([secret; 16], now))
        };
        let mut challenge = Vec::new();
        let mut client = HttpConnect::new(
            destination(),
            Some(Login::parse(&format!("alice:{password}"))),
            [3; 16],
        )
        .unwrap();
        let mut request = Vec::new();
        client.begin(&mut request);
        assert_eq!(server(1, 1000).hear(&request, &mut challenge), Asked::Close);
        assert_eq!(client.hear(&challenge, &mut Vec::new()), Ok(Heard::Again));
        request.clear();
        client.begin(&mut request);
        let mut answer = Vec::new();
        let asked = server(secret, asked).hear(&request, &mut answer);
        (asked != Asked::Close, String::from_utf8(answer).unwrap())
    };
    assert!(exchange(1, 1000, "secret").0);
    assert!(exchange(1, 1300, "secret").0);
    for (secret, now) in [(1, 1301), (2, 1000)] {
        let (dialled, answer) = exchange(secret, now, "secret");
        assert!(!dialled && answer.contains(", stale=true"), "{answer}");
        let field = answer
            .lines()
            .find_map(|line| line.strip_prefix("Proxy-Authenticate: "))
            .unwrap();
        assert_eq!(
            challenges(field.as_bytes())[0].parameter("stale"),
            Some("true")
        );
    }
    let (dialled, answer) = exchange(1, 1301, "Secret");
    assert!(!dialled && !answer.contains("stale"), "{answer}");
}

#[test]
fn both_sides_understand_each_other() {
    for (kinds, machine, login) in [
        (Kinds::Socks, socks4(), None),
        (Kinds::Socks, socks5(None), None),
        (Kinds::Socks, socks5(Some(login())), Some(login())),
        (Kinds::Http, http(None), None),
    ] {
        let mut client = machine;
        let mut server = ProxyServer::new(kinds, login);
        let (mut up, mut down) = (Vec::new(), Vec::new());
        client.begin(&mut up);
        let done = loop {
            let asked = server.hear(&std::mem::take(&mut up), &mut down);
            if let Asked::Connect {
                destination: asked, ..
            } = &asked
            {
                assert_eq!(*asked, destination());
                server.connected(Ok("127.0.0.1:4000".parse().unwrap()), &mut down);
            }
            let all = down.len();
            match client
                .hear(&std::mem::take(&mut down), &mut up)
                .expect("no refusal")
            {
                Heard::Done { used } => break used == all,
                _ => assert_ne!(all, 0, "both wait"),
            }
        };
        assert!(done, "octets were left over");
    }
}

#[test]
fn passwords_are_not_printed() {
    let mut client =
        HttpConnect::new(destination(), Some(login()), [7; 16]).expect("it can be asked for");
    let wants = b"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic\r\n\r\n";
    assert_eq!(play(&mut client, [&wants[..]]).result, Ok(Heard::Again));
    let five = Socks5::new(destination(), Some(login())).expect("it can be asked for");
    let sent = format!(
        "{:?} {:?}",
        b"secret",
        Credentials::basic("alice", "secret")
    );
    let all = format!(
        "{:?} {:?} {client:?} {five:?}",
        login(),
        strict_http_server()
    );
    for sent in sent.split(['[', ']', '"']).filter(|sent| sent.len() > 3) {
        assert!(!all.contains(sent), "{sent}: {all}");
    }
    assert!(all.contains("alice") && !all.contains("secret"), "{all}");
}
