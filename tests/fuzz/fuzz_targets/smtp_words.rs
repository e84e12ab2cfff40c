//! The words of SMTP: commands and addresses, replies, SASL and dots. What is written is read back as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtool::wire::address::{self, Address};
use mailtool::wire::dots::{Stuffer, with_crlf};
use mailtool::wire::line_ends::LineEnds;
use mailtool::wire::lines::{Cut, LineReader, Want};
use mailtool::wire::mailboxes::mailboxes;
use mailtool::wire::sasl::{Exchange, Mechanism, Scene, ScramKeys, Step, decode, encode};
use mailtool::wire::smtp::parameters::{Offered, mail_options, rcpt_options};
use mailtool::wire::smtp::{ReplyReader, command, mail, rcpt, shown, xclient};
use mailtool::wire::{network::Network, xtext};

fuzz_target!(|input: &[u8]| {
    let mut replies = ReplyReader::default();
    for line in input.split(|&octet| octet == b'\n') {
        let arguments = command(line).map_or(line, |(_, arguments)| arguments);
        if let Ok((reverse_path, parameters)) = mail(arguments) {
            if let Some(reverse_path) = reverse_path {
                address_is_itself(&reverse_path);
            }
            if let Ok(options) = mail_options(&parameters, &OFFERED, 1_800_000_000) {
                assert!(
                    options
                        .size
                        .is_none_or(|octets| octets <= OFFERED.max_octets)
                );
                assert!((-9..=9).contains(&options.priority));
                let id = options.envelope_id.unwrap_or_default();
                assert!(!id.contains(char::is_control));
            }
        }
        if let Ok((forward_path, parameters)) = rcpt(arguments) {
            address_is_itself(&forward_path);
            if let Ok((_, Some(original))) = rcpt_options(&parameters, &OFFERED) {
                assert!(!original.address.contains(char::is_control));
            }
        }
        let _ = xclient::read(arguments);
        mailboxes(arguments).iter().for_each(address_is_itself);
        if let Ok(text) = std::str::from_utf8(arguments) {
            if let Ok(network) = text.parse::<Network>() {
                assert_eq!(network.to_string().parse(), Ok(network));
            }
            if !text.contains(char::is_control) {
                assert_eq!(xtext::decode(&xtext::encode(text)).as_deref(), Some(text));
            }
        }
        if let Ok((Some(address), rest)) = address::path(arguments) {
            assert!(rest.len() < arguments.len());
            address_is_itself(&address);
        }
        if let Ok(address) = Address::parse(arguments) {
            address_is_itself(&address);
        }
        assert!(!shown(line).chars().any(char::is_control));
        if let Ok(Some(reply)) = replies.line(line) {
            assert!((200..600).contains(&reply.code) && !reply.lines.is_empty());
        }
        exchange(arguments);
    }
    dots(input);
    line_ends(input);
});

const OFFERED: Offered = Offered {
    max_octets: 1000,
    dsn: true,
    deliver_by: Some(60),
    future_release: Some(86_400),
    require_tls: true,
};

fn address_is_itself(address: &Address) {
    let text = address.to_string();
    assert!(!text.contains(char::is_control));
    assert_eq!(text.is_ascii(), address.is_ascii());
    let path = format!("<{text}>");
    let read = address::path_utf8(path.as_bytes());
    assert_eq!(read, Ok((Some(address.clone()), &b""[..])));
}

fn exchange(words: &[u8]) {
    for mechanism in Mechanism::ALL {
        let mut answers = words.split(|&octet| octet == b' ');
        let scene = Scene {
            nonce: "n0nce",
            host: "mail.example",
            end_point: Some(&[7; 32]),
        };
        let initial = answers.next().filter(|_| mechanism != Mechanism::CramMd5);
        let Ok((mut exchange, mut step)) = Exchange::start(mechanism, initial, &scene) else {
            continue;
        };
        loop {
            let next = match step {
                Step::Challenge(_) => match answers.next() {
                    Some(answer) => exchange.answer(answer),
                    None => break,
                },
                Step::Ask(_) => match exchange.refused() {
                    Some(step) => Ok(step),
                    // Nobody can prove to know what these are of.
                    None => exchange.keys(ScramKeys {
                        salt: vec![1],
                        iterations: std::num::NonZeroU32::MIN,
                        stored_key: [0; 32],
                        server_key: [0; 32],
                    }),
                },
                Step::Proven => panic!("proved to be somebody"),
                Step::Verify(_) => break,
            };
            match next {
                Ok(next) => step = next,
                Err(_) => break,
            }
        }
    }
    assert_eq!(decode(encode(words).as_bytes()).as_deref(), Ok(words));
}

/// What is stuffed comes out of the reader as it went in, and ends where it ended.
fn dots(text: &[u8]) {
    let crlf = with_crlf(text);
    let mut wire = Vec::new();
    let mut stuffer = Stuffer::new();
    for piece in crlf.chunks(7) {
        stuffer.text(piece, &mut wire);
    }
    stuffer.end(&mut wire);
    let mut reader = LineReader::with_capacity(wire.len() + 10);
    reader.push(b"DATA\r\n");
    assert!(matches!(
        reader.cut(Want::Line { max: 20 }),
        Some(Cut::Line(b"DATA"))
    ));
    reader.push(&wire);
    let mut read = Vec::new();
    while let Some(Cut::Text(text)) = reader.cut(Want::DotText) {
        read.extend_from_slice(text);
    }
    assert_eq!(reader.pending(), 0, "text ended before its end");
    let mut whole = crlf.into_owned();
    if !whole.is_empty() && !whole.ends_with(b"\r\n") {
        whole.extend_from_slice(b"\r\n");
    }
    assert_eq!(read, whole);
}

/// Line ends are CRLF afterwards, and cuts make no difference.
fn line_ends(text: &[u8]) {
    let mended = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut ends, mut out) = (LineEnds::new(), Vec::new());
        for piece in pieces {
            ends.text(piece, |text| out.extend_from_slice(text));
        }
        out
    };
    let whole = mended(&mut std::iter::once(text));
    assert_eq!(whole, mended(&mut text.chunks(3)));
    assert_eq!(whole, with_crlf_everywhere(text));
}

fn with_crlf_everywhere(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut after_cr = false;
    for &octet in text {
        match octet {
            b'\n' if after_cr => {}
            b'\r' | b'\n' => out.extend_from_slice(b"\r\n"),
            other => out.push(other),
        }
        after_cr = octet == b'\r';
    }
    out
}
