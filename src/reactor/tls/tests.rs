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
    let acceptor = crate::reactor::certs::ensure(&directory.path().join("tls"), &[]);
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
