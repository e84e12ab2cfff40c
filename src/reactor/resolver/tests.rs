//! The resolver against a name server on loopback that answers as each test wants.

use std::net::TcpListener;
use std::thread;

use super::*;

/// What the server does with a question that came over `Transport`.
type Answering = fn(&[u8], Transport) -> Option<Vec<u8>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    Udp,
    Tcp,
}

/// One port for both transports. The kernel chooses it for UDP, without a look at who has it for TCP.
fn sockets() -> (UdpSocket, TcpListener) {
    let free = (0..100).find_map(|_| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let listener = TcpListener::bind(socket.local_addr().unwrap()).ok()?;
        Some((socket, listener))
    });
    free.expect("a port that is free for both")
}

/// A server for the rest of the test; it answers at most so many questions.
fn server(questions: usize, answering: Answering) -> SocketAddr {
    let (socket, listener) = sockets();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 1500];
        for _ in 0..questions {
            let (octets, from) = socket.recv_from(&mut buffer).unwrap();
            if let Some(reply) = answering(&buffer[..octets], Transport::Udp) {
                socket.send_to(&reply, from).unwrap();
            }
        }
    });
    thread::spawn(move || {
        for stream in listener.incoming().take(questions) {
            let mut stream = stream.unwrap();
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut query = vec![0; u16::from_be_bytes(length).into()];
            stream.read_exact(&mut query).unwrap();
            if let Some(reply) = answering(&query, Transport::Tcp) {
                let length = u16::try_from(reply.len()).unwrap().to_be_bytes();
                stream.write_all(&[&length, &reply[..]].concat()).unwrap();
            }
        }
    });
    address
}

fn asking(servers: &[SocketAddr]) -> Resolver {
    Resolver {
        hosts: Hosts::parse("192.0.2.50 known.example\n"),
        conf: ResolvConf {
            servers: servers.to_vec(),
            timeout: Duration::from_millis(300),
            attempts: 1,
            ..ResolvConf::default()
        },
    }
}

/// The question of `query` without what follows it, and whether it is about A.
fn question(query: &[u8]) -> (&[u8], bool) {
    let end = 12 + query[12..].iter().position(|octet| *octet == 0).unwrap() + 5;
    (&query[..end], query[end - 3] == 1)
}

fn reply(query: &[u8], rcode: u8, addresses: &[[u8; 4]]) -> Vec<u8> {
    let mut reply = question(query).0.to_vec();
    (reply[2], reply[3]) = (0x81, 0x80 | rcode);
    (reply[7], reply[11]) = (u8::try_from(addresses.len()).unwrap(), 0);
    for address in addresses {
        reply.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        reply.extend_from_slice(address);
    }
    reply
}

/// One A record, and no AAAA.
fn one_address(query: &[u8], _: Transport) -> Option<Vec<u8>> {
    let addresses: &[[u8; 4]] = if question(query).1 {
        &[[192, 0, 2, 1]]
    } else {
        &[]
    };
    Some(reply(query, 0, addresses))
}

#[test]
fn numbers_are_addresses_however_they_are_spelt() {
    for (spelt, address) in [
        ("127.0.0.1", "127.0.0.1:25"),
        ("127.1", "127.0.0.1:25"),
        ("0x7f.1", "127.0.0.1:25"),
        ("2130706433", "127.0.0.1:25"),
        ("0", "0.0.0.0:25"),
        ("010.0.0.1", "8.0.0.1:25"),
        ("1.2.772", "1.2.3.4:25"),
        ("::1", "[::1]:25"),
        ("fe80::1%7", "[fe80::1%7]:25"),
    ] {
        let found = resolve(spelt, 25, Family::Any).unwrap();
        assert_eq!(found, [address.parse().unwrap()], "{spelt}");
    }
    for wrong in [
        "256.1.1.1",
        "1.2.3.4.5",
        "1.2.65536",
        "08.0.0.1",
        "",
        "1.",
        "0x",
    ] {
        assert_eq!(
            numeric(wrong, 25, Family::Any),
            Err(ResolveError::NotKnown),
            "{wrong}"
        );
    }
}

#[test]
fn an_address_is_spelled_with_its_scope() {
    for (host, expected) in [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%lo", "fe80::1%lo"),
        ("fe80::1%4000000000", "fe80::1%4000000000"),
    ] {
        let address = numeric(host, 25, Family::Any).unwrap();
        assert_eq!(spelled(address), expected);
    }
}

#[test]
fn an_address_of_the_other_family_is_refused() {
    for (host, family) in [("::1", Family::V4), ("127.0.0.1", Family::V6)] {
        assert_eq!(resolve(host, 25, family), Err(ResolveError::OtherFamily));
    }
}

#[test]
fn localhost_needs_no_file_and_no_server() {
    let resolver = Resolver::default();
    let both = resolver.resolve("localhost", 25, Family::Any).unwrap();
    assert_eq!(both.len(), 2);
    let v4 = resolver.resolve("Mail.LOCALHOST.", 25, Family::V4).unwrap();
    assert_eq!(v4, ["127.0.0.1:25".parse().unwrap()]);
    assert_eq!(resolver.reverse([127, 0, 0, 1].into()), None);
}

#[test]
fn the_hosts_file_goes_before_the_servers() {
    let known = asking(&[]).resolve("Known.example", 25, Family::Any);
    assert_eq!(known, Ok(vec!["192.0.2.50:25".parse().unwrap()]));
    let name = asking(&[]).reverse([192, 0, 2, 50].into());
    assert_eq!(name.as_deref(), Some("known.example"));
}

#[test]
fn nobody_to_ask_means_not_known() {
    let error = asking(&[]).resolve("mail.example", 25, Family::Any);
    assert_eq!(error, Err(ResolveError::NotKnown));
    assert_eq!(error.unwrap_err().to_string(), "Name or service not known");
}

#[test]
fn a_server_answers() {
    let resolver = asking(&[server(2, one_address)]);
    let found = resolver.resolve("mail.example", 25, Family::Any);
    assert_eq!(found, Ok(vec!["192.0.2.1:25".parse().unwrap()]));
}

#[test]
fn what_does_not_exist_is_told_from_what_has_no_address() {
    let nobody = asking(&[server(2, |query, _| Some(reply(query, 3, &[])))]);
    assert_eq!(
        nobody.resolve("x.example", 25, Family::Any),
        Err(ResolveError::NotKnown)
    );
    let only_v4 = asking(&[server(1, one_address)]);
    assert_eq!(
        only_v4.resolve("mail.example", 25, Family::V6),
        Err(ResolveError::NoAddress)
    );
    let no_name = asking(&[server(0, one_address)]);
    assert_eq!(
        no_name.resolve("a..b", 25, Family::Any),
        Err(ResolveError::NotKnown)
    );
}

#[test]
fn the_next_server_is_asked_when_one_is_silent_refuses_or_is_not_there() {
    let silent = server(2, |_, _| None);
    let refusing = server(2, |query, _| Some(reply(query, 5, &[])));
    let gone = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let resolver = asking(&[silent, refusing, gone, server(2, one_address)]);
    let found = resolver.resolve("mail.example", 25, Family::Any);
    assert_eq!(found, Ok(vec!["192.0.2.1:25".parse().unwrap()]));
    let resolver = asking(&[gone]);
    assert_eq!(
        resolver.resolve("mail.example", 25, Family::Any),
        Err(ResolveError::Temporary)
    );
}

#[test]
fn a_truncated_reply_is_asked_for_again_over_tcp() {
    let resolver = asking(&[server(1, |query, transport| {
        if transport == Transport::Tcp {
            return Some(reply(query, 0, &[[192, 0, 2, 7]; 60]));
        }
        let mut truncated = reply(query, 0, &[]);
        truncated[2] |= 2;
        Some(truncated)
    })]);
    let found = resolver.resolve("many.example", 25, Family::V4).unwrap();
    assert_eq!(found, vec!["192.0.2.7:25".parse().unwrap(); 60]);
}

#[test]
fn an_old_server_is_asked_again_without_edns() {
    let resolver = asking(&[server(2, |query, transport| {
        if query[11] == 1 {
            return Some(reply(query, 1, &[]));
        }
        one_address(query, transport)
    })]);
    let found = resolver.resolve("mail.example", 25, Family::V4);
    assert_eq!(found, Ok(vec!["192.0.2.1:25".parse().unwrap()]));
}

#[test]
fn a_forged_reply_is_not_taken() {
    let resolver = asking(&[server(1, |query, _| {
        let mut forged = reply(query, 0, &[[192, 0, 2, 66]]);
        forged[0] ^= 0xff;
        Some(forged)
    })]);
    assert_eq!(
        resolver.resolve("mail.example", 25, Family::V4),
        Err(ResolveError::Temporary)
    );
}

#[test]
fn the_search_list_is_walked() {
    let mut resolver = asking(&[server(2, |query, transport| {
        let name_is_long = query[12] == 4 && query[17] == 3;
        if name_is_long {
            return one_address(query, transport);
        }
        Some(reply(query, 3, &[]))
    })]);
    resolver.conf.search = vec!["no".into(), "lab".into()];
    let found = resolver.resolve("mail", 25, Family::V4);
    assert_eq!(found, Ok(vec!["192.0.2.1:25".parse().unwrap()]));
}

#[test]
fn ids_differ() {
    let ids: std::collections::HashSet<u16> = (0..100).map(|_| random_id()).collect();
    assert!(ids.len() > 80, "{} different ids of 100", ids.len());
}
