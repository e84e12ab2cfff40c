//! Two ends of a TLS connection, without a socket between them.

use super::*;
use std::sync::Arc;

use rustls::crypto::cipher::{OutboundChunks, OutboundPlainMessage};
use rustls::crypto::ring;
use rustls::{ConnectionTrafficSecrets, ContentType, ProtocolVersion};

/// Gives `to` what `from` has to send; what `to` reads of it.
fn carry(from: &mut Tls, to: &mut Tls) -> Result<Vec<u8>, TlsError> {
    let octets = from.unsent().to_vec();
    from.advance(octets.len());
    receive(to, &octets)
}

fn receive(tls: &mut Tls, ciphertext: &[u8]) -> Result<Vec<u8>, TlsError> {
    let mut reader = LineReader::new();
    let mut scratch = vec![0; 64 * 1024];
    let mut text = Vec::new();
    let mut rest = ciphertext;
    loop {
        let read = |buffer: &mut [u8]| -> Result<_, TlsError> {
            let octets = rest.len().min(buffer.len());
            buffer[..octets].copy_from_slice(&rest[..octets]);
            rest = &rest[octets..];
            Ok(Some(octets).filter(|octets| *octets > 0))
        };
        let received = tls.receive(read, &mut reader, &mut scratch)?;
        let all = crate::wire::lines::Want::Octets(u64::MAX);
        while let Some(crate::wire::lines::Cut::Text(piece)) = reader.cut(all) {
            text.extend_from_slice(piece);
        }
        if received.moved == 0 || received.end {
            return Ok(text);
        }
    }
}

/// A server and a client whose handshake is done; the client's secrets may be had.
fn pair() -> (Tls, Tls) {
    let directory = tempfile::tempdir().expect("a directory");
    let acceptor = crate::reactor::certs::ensure(&directory.path().join("tls"), &[], &[]);
    let mut server = acceptor.expect("a certificate").accept().expect("a server");
    let mut connector = Connector::new(&Trust::Anybody).expect("a client");
    let config = Arc::get_mut(&mut connector.config).expect("the only one");
    config.enable_secret_extraction = true;
    let mut client = connector.connect("localhost").expect("a client");
    receive(&mut client, b"").expect("a ClientHello");
    receive(&mut server, b"").expect("nothing");
    while !(server.is_up() && client.is_up()) {
        carry(&mut client, &mut server).expect("a handshake");
        carry(&mut server, &mut client).expect("a handshake");
    }
    (server, client)
}

/// A certificate for `name` that signs itself.
fn identity(name: &str) -> Identity {
    let (chain, key) = crate::reactor::certs::generate(&[name.to_owned()]).expect("a name");
    Identity {
        chain: chain.into_bytes(),
        key: key.into_bytes(),
    }
}

fn server() -> ServerTls {
    ServerTls::new(identity("server.example"))
}

fn anybody() -> ClientTls {
    ClientTls {
        trust: Trust::Anybody,
        ..ClientTls::default()
    }
}

/// What both sides know after a handshake: the server, the client; or what the first of them to complain says.
fn agreed(
    server: &ServerTls,
    client: &ClientTls,
    host: &str,
) -> Result<(TlsInfo, TlsInfo), TlsError> {
    let mut server = Acceptor::with(server)?.accept()?;
    let mut client = Connector::with(client)?.connect(host)?;
    receive(&mut client, b"")?;
    receive(&mut server, b"")?;
    // A few steps more than it takes, for a server that complains of what a client of TLS 1.3 sent last.
    for _ in 0..6 {
        carry(&mut client, &mut server)?;
        carry(&mut server, &mut client)?;
    }
    assert!(server.is_up() && client.is_up());
    Ok((
        info::of(server.state(), &server.judge),
        info::of(client.state(), &client.judge),
    ))
}

#[test]
fn both_sides_know_what_was_agreed_on() {
    let server = ServerTls {
        alpn: vec!["imap".to_owned(), "pop3".to_owned()],
        ..server()
    };
    let client = ClientTls {
        alpn: vec!["x".to_owned(), "pop3".to_owned()],
        ..anybody()
    };
    let (theirs, ours) = agreed(&server, &client, "localhost").expect("a handshake");
    assert_eq!(theirs.alpn.as_deref(), Some("pop3"));
    assert_eq!(ours.alpn, theirs.alpn);
    assert_eq!((ours.version, theirs.peer), ("TLSv1.3", None));
    let peer = ours.peer.expect("the server has a certificate");
    assert_eq!(peer.names.subject.organization(), Some("mailtool"));
    assert_eq!(peer.names.subject.common_name(), Some("server.example"));
    assert_eq!(peer.names.issuer, peer.names.subject);
    let stranger = ClientTls {
        alpn: vec!["http/1.1".to_owned()],
        ..anybody()
    };
    let error = agreed(&server, &stranger, "localhost").expect_err("nothing in common");
    assert!(matches!(error, TlsError::Broken(_)), "{error:?}");
    let (theirs, _) = agreed(&server, &anybody(), "localhost").expect("who offers none");
    assert_eq!(theirs.alpn, None);
}

#[test]
fn a_certificate_is_described_as_openssl_does() {
    let server = server();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cert.pem");
    std::fs::write(&file, &server.identity.chain).expect("written");
    let (_, ours) = agreed(&server, &anybody(), "localhost").expect("a handshake");
    let peer = ours.peer.expect("the server has a certificate");
    let openssl = |words: &[&str]| {
        let output = std::process::Command::new("openssl")
            .args(["x509", "-noout", "-in"])
            .arg(&file)
            .args(words)
            .output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).replace(':', ""))
    };
    let Ok(subject) = openssl(&["-subject"]) else {
        eprintln!("skipped: there is no openssl here");
        return;
    };
    assert_eq!(
        subject.replace(" = ", "="),
        format!("subject={}\n", peer.names.subject)
    );
    for (option, digest) in [("-sha1", &peer.sha1[..]), ("-sha256", &peer.sha256)] {
        let theirs = openssl(&["-fingerprint", option]).expect("it was here a moment ago");
        let (_, theirs) = theirs.split_once('=').expect("a fingerprint");
        let ours = crate::wire::x509::fingerprint(digest).replace(' ', "");
        assert_eq!(theirs.trim_end(), ours);
    }
}

#[test]
fn cipher_lists_are_obeyed_on_both_sides() {
    let list = |list: &str| Ciphers::parse(list).expect("a list");
    for (theirs, ours, version, cipher) in [
        (
            "ALL",
            "HIGH:!TLSv1.3",
            "TLSv1.2",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        ),
        (
            "ALL",
            "CHACHA20:!TLSv1.3",
            "TLSv1.2",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        ),
        (
            "ALL",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLSv1.3",
            "TLS13_CHACHA20_POLY1305_SHA256",
        ),
        (
            "TLS_AES_128_GCM_SHA256",
            "ALL",
            "TLSv1.3",
            "TLS13_AES_128_GCM_SHA256",
        ),
        (
            "AES128:!TLSv1.3",
            "ALL",
            "TLSv1.2",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        ),
    ] {
        let server = ServerTls {
            ciphers: list(theirs),
            ..server()
        };
        let client = ClientTls {
            ciphers: list(ours),
            ..anybody()
        };
        let (theirs, ours) = agreed(&server, &client, "localhost").expect("a handshake");
        assert_eq!((ours.version, ours.cipher), (version, cipher));
        assert_eq!((theirs.version, theirs.cipher), (version, cipher));
    }
}

#[test]
fn a_server_may_ask_for_certificates_and_require_them() {
    let good = identity("client.example");
    let bad = identity("stranger.example");
    let authority = good.chain.clone();
    let meets = |clients: ClientCertificates, identity: Option<&Identity>| {
        let server = ServerTls {
            clients,
            ..server()
        };
        let client = ClientTls {
            identity: identity.cloned(),
            ..anybody()
        };
        agreed(&server, &client, "localhost").map(|(theirs, _)| {
            let peer = theirs.peer?;
            peer.names.subject.common_name().map(str::to_owned)
        })
    };
    let name = Ok(Some("client.example".to_owned()));
    let required = || ClientCertificates::Required(authority.clone());
    let asked = || ClientCertificates::Asked(authority.clone());
    assert_eq!(meets(required(), Some(&good)), name);
    assert_eq!(meets(asked(), Some(&good)), name);
    assert_eq!(meets(asked(), None), Ok(None));
    assert_eq!(meets(ClientCertificates::NotAsked, Some(&good)), Ok(None));
    let error = meets(required(), None).expect_err("it has none");
    assert!(error.to_string().contains("no certificate"), "{error}");
    let error = meets(required(), Some(&bad)).expect_err("it is another's");
    assert!(
        error.to_string().ends_with("certificate of the client"),
        "{error}"
    );
    meets(asked(), Some(&bad)).expect_err("it is another's");
    let nonsense = ClientCertificates::Required(b"nonsense".to_vec());
    let error = meets(nonsense, None).expect_err("no authority");
    assert!(matches!(error, TlsError::Authorities(_)), "{error:?}");
    let mixed = Identity {
        chain: good.chain.clone(),
        key: bad.key.clone(),
    };
    let error = meets(required(), Some(&mixed)).expect_err("not a pair");
    assert!(error.to_string().contains("made together"), "{error}");
}

/// A certificate as `openssl req -x509` makes it, an authority's own, but for what is changed; of the key that is given.
fn of_authority(
    name: &str,
    key: &rcgen::KeyPair,
    change: impl FnOnce(&mut rcgen::CertificateParams),
) -> Identity {
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    change(&mut params);
    let chain = params.self_signed(key).expect("a certificate").pem();
    Identity {
        chain: chain.into_bytes(),
        key: key.serialize_pem().into_bytes(),
    }
}

#[test]
fn an_authoritys_own_certificate_is_good_for_whoever_was_named_by_it() {
    use rcgen::{ExtendedKeyUsagePurpose, KeyUsagePurpose};
    let key = rcgen::KeyPair::generate().expect("a key");
    let own = of_authority("peer.example", &key, |_| {});
    let meets = |shown: &Identity, named: &Identity| {
        let server = ServerTls {
            clients: ClientCertificates::Required(named.chain.clone()),
            ..server()
        };
        let client = ClientTls {
            identity: Some(shown.clone()),
            ..anybody()
        };
        let as_client = agreed(&server, &client, "localhost").map(drop);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("named.pem");
        std::fs::write(&file, &named.chain).expect("written");
        let as_server = |trust: Trust| {
            let client = ClientTls {
                trust,
                ..ClientTls::default()
            };
            agreed(&ServerTls::new(shown.clone()), &client, "peer.example").map(drop)
        };
        let only = as_server(Trust::Only(file.clone()));
        let extra = as_server(Trust::Authorities { extra: Some(file) });
        assert_eq!(only, extra);
        (as_client, only)
    };
    assert_eq!(meets(&own, &own), (Ok(()), Ok(())));
    let because = |(as_client, as_server): (Result<(), TlsError>, Result<(), TlsError>)| {
        let TlsError::Certificate { fault, .. } = as_server.expect_err("no server") else {
            panic!("it is about the certificate");
        };
        (as_client.expect_err("no client").to_string(), fault)
    };
    // The same key and name, but it is not the one in the file.
    let again = of_authority("peer.example", &key, |params| {
        params.serial_number = Some(7.into());
    });
    let (_, fault) = because(meets(&again, &own));
    assert_eq!(fault, CertificateFault::OfAuthority);
    // Its time is over, or has not come.
    for (from, until) in [(1980, 1990), (2100, 2110)] {
        let old = of_authority("peer.example", &key, |params| {
            params.not_before = rcgen::date_time_ymd(from, 1, 1);
            params.not_after = rcgen::date_time_ymd(until, 1, 1);
        });
        let (_, fault) = because(meets(&old, &old));
        assert_eq!(fault, CertificateFault::Time);
    }
    // It is for something else, and so it says.
    let signer = of_authority("peer.example", &key, |params| {
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    });
    because(meets(&signer, &signer));
    let for_client = of_authority("peer.example", &key, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let (as_client, as_server) = meets(&for_client, &for_client);
    assert_eq!(as_client, Ok(()));
    as_server.expect_err("it says that it is a client's");
    let for_server = of_authority("peer.example", &key, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    let (as_client, as_server) = meets(&for_server, &for_server);
    assert_eq!(as_server, Ok(()));
    as_client.expect_err("it says that it is a server's");
    // Whoever shows it has to have its key.
    let other = rcgen::KeyPair::generate().expect("a key");
    let thief = of_authority("peer.example", &other, |_| {});
    because(meets(&thief, &own));
    // It is for one name, which is still looked at.
    let elsewhere = of_authority("other.example", &key, |_| {});
    let (as_client, as_server) = meets(&elsewhere, &elsewhere);
    assert_eq!(as_client, Ok(()), "clients have no name here");
    let error = as_server.expect_err("it is for another name").to_string();
    assert!(error.contains("other.example"), "{error}");
}

#[test]
fn a_name_may_be_given_in_place_of_the_hosts() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    let server = server();
    std::fs::write(&file, &server.identity.chain).expect("written");
    let only = |name: Option<&str>| ClientTls {
        trust: Trust::Only(file.clone()),
        server_name: name.map(str::to_owned),
        ..ClientTls::default()
    };
    agreed(&server, &only(None), "server.example").expect("its own name");
    agreed(&server, &only(Some("server.example")), "192.0.2.1").expect("the name that was given");
    let error = agreed(&server, &only(None), "192.0.2.1").expect_err("not its name");
    assert!(error.to_string().contains("server.example"), "{error}");
    let error = agreed(&server, &only(None), "/run/socket").expect_err("no name at all");
    assert!(error.to_string().contains("neither a host name"), "{error}");
    agreed(&server, &anybody(), "/run/socket").expect("nobody looks at the name");
}

#[derive(Default)]
struct Lines(std::sync::Mutex<Vec<String>>);

impl crate::tap::keylog::KeySink for Lines {
    fn line(&self, line: &str) {
        self.0
            .lock()
            .expect("no test holds it")
            .push(line.to_owned());
    }
}

#[test]
fn both_sides_log_the_same_secrets() {
    for (list, labels) in [
        ("HIGH:!TLSv1.3", &["CLIENT_RANDOM"][..]),
        (
            "TLSv1.3",
            &[
                "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                "CLIENT_TRAFFIC_SECRET_0",
                "EXPORTER_SECRET",
                "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                "SERVER_TRAFFIC_SECRET_0",
            ],
        ),
    ] {
        let (theirs, ours) = (Arc::new(Lines::default()), Arc::new(Lines::default()));
        let server = ServerTls {
            key_log: Some(theirs.clone()),
            ..server()
        };
        let client = ClientTls {
            ciphers: Ciphers::parse(list).expect("a list"),
            key_log: Some(ours.clone()),
            ..anybody()
        };
        agreed(&server, &client, "localhost").expect("a handshake");
        let [theirs, ours] = [theirs, ours].map(|lines| {
            let mut lines = lines.0.lock().expect("no test holds it").clone();
            lines.sort();
            lines
        });
        assert_eq!(theirs, ours);
        let seen: Vec<_> = ours
            .iter()
            .map(|line| {
                let words: Vec<_> = line.split(' ').collect();
                let [label, random, secret] = words[..] else {
                    panic!("{line}");
                };
                let is_hex = |text: &str| text.bytes().all(|octet| octet.is_ascii_hexdigit());
                assert!(
                    random.len() == 64 && [64, 96].contains(&secret.len()),
                    "{line}"
                );
                assert!(is_hex(random) && is_hex(secret), "{line}");
                label
            })
            .collect();
        assert_eq!(seen, labels);
    }
}

#[test]
fn settings_are_shown_without_what_is_secret() {
    let client = ClientTls {
        identity: Some(identity("client.example")),
        key_log: Some(Arc::new(Lines::default())),
        ..anybody()
    };
    let shown = format!("{client:?}");
    assert!(shown.contains("Anybody") && shown.contains("key_log: true"));
    assert!(!shown.contains("45, 45"), "no PEM: {shown}");
}

#[test]
fn data_passes_in_any_pieces() {
    let (mut server, mut client) = pair();
    let long: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    server.encrypt(&long).expect("ciphertext");
    assert_eq!(carry(&mut server, &mut client), Ok(long.clone()));
    client.encrypt(&long).expect("ciphertext");
    let mut text = Vec::new();
    for piece in client.unsent().chunks(997) {
        text.extend(receive(&mut server, piece).expect("text"));
    }
    assert!(text == long);
}

#[test]
fn a_reader_that_is_full_loses_nothing() {
    let (mut server, mut client) = pair();
    client.encrypt(&[b'x'; 50_000]).expect("ciphertext");
    let octets = client.unsent().to_vec();
    let mut reader = LineReader::new();
    let mut scratch = vec![0; 64 * 1024];
    let once = |buffer: &mut [u8]| -> Result<_, TlsError> {
        buffer[..octets.len()].copy_from_slice(&octets);
        Ok(Some(octets.len()))
    };
    let nothing = |_: &mut [u8]| -> Result<_, TlsError> { Ok(None) };
    let first = server.receive(once, &mut reader, &mut scratch);
    assert!(first.expect("text").moved > 0);
    // While nothing is taken out, nothing more comes in; but it may be answered.
    for _ in 0..3 {
        let idle = server.receive(nothing, &mut reader, &mut scratch);
        assert_eq!(idle.expect("nothing").moved, 0);
    }
    server.encrypt(b"an answer").expect("ciphertext");
    let mut length = 0;
    loop {
        let all = crate::wire::lines::Want::Octets(u64::MAX);
        while let Some(crate::wire::lines::Cut::Text(text)) = reader.cut(all) {
            length += text.len();
        }
        let more = server.receive(nothing, &mut reader, &mut scratch);
        if more.expect("text").moved == 0 {
            break;
        }
    }
    assert_eq!(length, 50_000);
}

#[test]
fn a_close_is_heard_and_what_came_before_it_too() {
    let (mut server, mut client) = pair();
    client.encrypt(b"last").expect("ciphertext");
    assert!(client.say_goodbye());
    assert!(!client.say_goodbye(), "once");
    assert_eq!(carry(&mut client, &mut server), Ok(b"last".to_vec()));
    assert!(server.end == End::Said);
    server.encrypt(b"bye").expect("the other direction is open");
    assert_eq!(carry(&mut server, &mut client), Ok(b"bye".to_vec()));
}

#[test]
fn what_was_changed_on_the_way_is_answered_by_an_alert() {
    let (mut server, mut client) = pair();
    client.encrypt(b"a line").expect("ciphertext");
    let mut octets = client.unsent().to_vec();
    let last = octets.len() - 1;
    octets[last] ^= 1;
    let error = receive(&mut server, &octets).expect_err("it was changed");
    assert!(matches!(error, TlsError::Broken(_)), "{error:?}");
    let heard = carry(&mut server, &mut client).expect_err("an alert");
    assert!(heard.to_string().contains("BadRecordMac"), "{heard}");
    assert!(!server.say_goodbye(), "nothing more can be said");
}

#[test]
fn part_of_a_handshake_message_does_not_keep_us_from_answering() {
    let (mut server, client) = pair();
    let Connection::Client(client) = client.connection else {
        panic!("it is a client");
    };
    #[expect(
        deprecated,
        reason = "for this one record its successor would be a lot of code"
    )]
    let secrets = client.dangerous_extract_secrets().expect("secrets");
    let (sequence, ConnectionTrafficSecrets::Aes256Gcm { key, iv }) = secrets.tx else {
        panic!("ring prefers AES-256");
    };
    let suite = ring::cipher_suite::TLS13_AES_256_GCM_SHA384.tls13();
    let suite = suite.expect("a suite of TLS 1.3");
    // The first two octets of a KeyUpdate (RFC 8446 §4.6.3), which go on in a record that does not come.
    let part = OutboundPlainMessage {
        typ: ContentType::Handshake,
        version: ProtocolVersion::TLSv1_2,
        payload: OutboundChunks::Single(&[24, 0]),
    };
    let record = suite
        .aead_alg
        .encrypter(key, iv)
        .encrypt(part, sequence)
        .expect("a record")
        .encode();
    assert_eq!(receive(&mut server, &record), Ok(Vec::new()));
    assert!(!server.incoming.is_empty(), "rustls still needs it");
    for _ in 0..3 {
        server.encrypt(b"an answer").expect("ciphertext");
    }
    assert!(server.say_goodbye());
}
