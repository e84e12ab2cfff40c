//! The machines of proxies, both sides: any octets in any pieces. Nothing panics, nothing grows without bound, and what is said, what
//! comes of it, and how many octets were the machine's do not depend on how they were cut. Last, client and server are
//! put together, for a destination of any kind.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtool::limits;
use mailtool::proto::prelude::{Heard, Prelude};
use mailtool::proto::proxy::client::{HttpConnect, Socks4, Socks5};
use mailtool::proto::proxy::server::{Asked, Kinds, ProxyFault, ProxyServer};
use mailtool::proto::proxy::{Destination, Host, Login};
use mailtool::wire::http_proxy::{Body, Nonces};

// The octets come last, where they are taken as they are, and words of the dictionary stay whole.
fuzz_target!(|input: (u8, [u8; 4], &[u8])| {
    let (plan, sizes, octets) = input;
    let login = (plan & 1 == 1).then(|| Login::parse("alice:secret"));
    let destination = destination(octets, plan >> 4);
    match (plan >> 1) & 7 {
        0 => client(octets, &sizes, || {
            Socks4::new(destination.clone(), "alice").ok()
        }),
        1 => client(octets, &sizes, || {
            Socks5::new(destination.clone(), login.clone()).ok()
        }),
        2 | 3 => client(octets, &sizes, || {
            HttpConnect::new(destination.clone(), login.clone(), [7; 16]).ok()
        }),
        4 => server(octets, &sizes, || {
            ProxyServer::new(Kinds::Socks, login.clone())
        }),
        5 | 6 => server(octets, &sizes, || {
            ProxyServer::new(Kinds::Http, login.clone()).with_digest(Nonces::new([1; 16], 1000))
        }),
        _ => together(&destination, login.as_ref(), plan >> 4),
    }
});

/// A name made of the input, fit or not, or an address.
fn destination(octets: &[u8], plan: u8) -> Destination {
    let address: [u8; 4] = octets.first_chunk().copied().unwrap_or_default();
    let wide: [u8; 16] = octets.first_chunk().copied().unwrap_or_default();
    let host = match plan & 3 {
        0 => Host::Name(String::from_utf8_lossy(&octets[..octets.len().min(300)]).into_owned()),
        1 => Host::Address(address.into()),
        2 => Host::Address(wide.into()),
        _ => Host::Name("mail.example.org".to_owned()),
    };
    Destination { host, port: 25 }
}

fn pieces<'a>(mut octets: &'a [u8], sizes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut sizes = sizes.iter().cycle();
    std::iter::from_fn(move || {
        let size = sizes.next().map_or(usize::MAX, |&size| usize::from(size));
        let (piece, rest) =
            octets.split_at(size.min(octets.len()).max(usize::from(!octets.is_empty())));
        octets = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// What was said, what came of it, and how many octets were the machine's.
type Outcome = (Vec<u8>, Result<&'static str, ()>, usize);

fn play(machine: &mut dyn Prelude, octets: &[u8], sizes: &[u8]) -> Outcome {
    let mut said = Vec::new();
    machine.begin(&mut said);
    let mut before = 0;
    for piece in pieces(octets, sizes) {
        match machine.hear(piece, &mut said) {
            Ok(Heard::More) => before += piece.len(),
            Ok(Heard::Done { used }) => {
                assert!(used <= piece.len());
                return (said, Ok("done"), before + used);
            }
            Ok(Heard::Again) => return (said, Ok("again"), 0),
            Err(error) => {
                assert!(
                    !error.to_string().chars().any(char::is_control),
                    "{error:?}"
                );
                assert!(!error.netcat().chars().any(char::is_control), "{error:?}");
                return (said, Err(()), 0);
            }
        }
    }
    (said, Ok("more"), 0)
}

fn client<P: Prelude>(octets: &[u8], sizes: &[u8], begin: impl Fn() -> Option<P>) {
    let (Some(mut whole), Some(mut cut)) = (begin(), begin()) else {
        return;
    };
    let outcome = play(&mut whole, octets, &[]);
    assert_eq!(play(&mut cut, octets, sizes), outcome);
    assert!(
        outcome.0.len() < 64 * 1024,
        "{} octets said",
        outcome.0.len()
    );
    let _ = whole.ended();
    // Dialling anew asks once more, and not for ever.
    let mut rounds = 0;
    while play(&mut whole, octets, sizes).1 == Ok("again") {
        rounds += 1;
        assert!(rounds < 4);
    }
    if sizes.first() == Some(&0) && !octets.is_empty() {
        let endless = octets.repeat(limits::PROXY_HEAD * 32 / octets.len() + 1);
        assert_ne!(play(&mut whole, &endless, &[]).1, Ok("more"));
    }
}

fn asked(server: &mut ProxyServer, octets: &[u8], sizes: &[u8]) -> (Vec<u8>, Asked, usize) {
    let mut said = Vec::new();
    let mut before = 0;
    for piece in pieces(octets, sizes) {
        match server.hear(piece, &mut said) {
            Asked::More => before += piece.len(),
            Asked::Connect {
                destination,
                used,
                first_words,
                body,
            } => {
                assert!(used <= piece.len());
                assert!(first_words.len() <= limits::PROXY_HEAD + 1000);
                assert_eq!(
                    Host::parse(&destination.host.to_string()).as_ref(),
                    Some(&destination.host)
                );
                let asked = Asked::Connect {
                    destination,
                    used: 0,
                    first_words,
                    body,
                };
                return (said, asked, before + used);
            }
            Asked::Close => {
                let complaint = server.complaint().expect("it says why");
                assert!(!complaint.chars().any(char::is_control), "{complaint:?}");
                return (said, Asked::Close, 0);
            }
        }
    }
    (said, Asked::More, 0)
}

/// How much belongs to a request, or that its end cannot be known.
fn passed(mut body: Body, octets: &[u8], sizes: &[u8]) -> Option<(usize, bool)> {
    let mut passed = 0;
    for piece in pieces(octets, sizes) {
        let taken = body.take(piece).ok()?;
        assert!(taken <= piece.len());
        assert!(taken == piece.len() || body.is_over());
        passed += taken;
    }
    Some((passed, body.is_over()))
}

fn server(octets: &[u8], sizes: &[u8], begin: impl Fn() -> ProxyServer) {
    let (mut whole, mut cut) = (begin(), begin());
    let outcome = asked(&mut whole, octets, &[]);
    assert_eq!(asked(&mut cut, octets, sizes), outcome);
    assert!(outcome.0.len() < 2000, "{} octets said", outcome.0.len());
    if let Asked::Connect {
        body: Some(body), ..
    } = &outcome.1
    {
        let rest = &octets[outcome.2..];
        let whole = passed(body.clone(), rest, &[]);
        assert_eq!(passed(body.clone(), rest, sizes), whole);
    }
    let (mut granted, mut refused) = (Vec::new(), Vec::new());
    whole.connected(Ok("[::1]:4000".parse().expect("an address")), &mut granted);
    cut.connected(Err(ProxyFault::TimedOut), &mut refused);
    let is_dialled = matches!(outcome.1, Asked::Connect { .. });
    assert!(is_dialled || granted.is_empty());
    assert_eq!(is_dialled, !refused.is_empty());
    if sizes.first() == Some(&0) && !octets.is_empty() {
        let endless = octets.repeat(limits::PROXY_HEAD * 2 / octets.len() + 1);
        assert_ne!(asked(&mut begin(), &endless, &[]).1, Asked::More);
    }
}

/// What a client asks for is what the server is asked for, and both come to an end.
fn together(destination: &Destination, login: Option<&Login>, plan: u8) {
    let kinds = if plan & 4 == 0 {
        Kinds::Socks
    } else {
        Kinds::Http
    };
    let client: Option<Box<dyn Prelude>> = match (kinds, plan & 8) {
        (Kinds::Http, _) => HttpConnect::new(destination.clone(), login.cloned(), [7; 16])
            .ok()
            .map(|client| Box::new(client) as _),
        (Kinds::Socks, 0) if login.is_none() => Socks4::new(destination.clone(), "")
            .ok()
            .map(|client| Box::new(client) as _),
        (Kinds::Socks, _) => Socks5::new(destination.clone(), login.cloned())
            .ok()
            .map(|client| Box::new(client) as _),
    };
    let Some(mut client) = client else { return };
    for _ in 0..3 {
        let mut server =
            ProxyServer::new(kinds, login.cloned()).with_digest(Nonces::new([1; 16], 1000));
        let (mut up, mut down) = (Vec::new(), Vec::new());
        client.begin(&mut up);
        loop {
            match server.hear(&std::mem::take(&mut up), &mut down) {
                Asked::Connect {
                    destination: asked, ..
                } => {
                    assert_eq!(asked.to_string(), destination.to_string());
                    server.connected(Ok("127.0.0.1:4000".parse().expect("an address")), &mut down);
                }
                Asked::More | Asked::Close => {}
            }
            let said = std::mem::take(&mut down);
            assert!(!said.is_empty(), "both wait for each other");
            match client.hear(&said, &mut up) {
                Ok(Heard::More) => {}
                Ok(Heard::Again) => break,
                Ok(Heard::Done { used }) => {
                    assert_eq!(used, said.len());
                    return;
                }
                // HTTP cannot say a name that is not ASCII in its first line.
                Err(_) => {
                    assert!(kinds == Kinds::Http && !destination.to_string().is_ascii());
                    return;
                }
            }
        }
    }
    panic!("the client is never satisfied");
}
