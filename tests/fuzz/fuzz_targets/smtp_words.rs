//! The words of SMTP: commands and addresses, replies, SASL and dots. What is written is read back as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtool::wire::address::{self, Address};
use mailtool::wire::dots::{Stuffer, with_crlf};
use mailtool::wire::lines::{Cut, LineReader, Want};
use mailtool::wire::sasl::{Exchange, Mechanism, Step, decode, encode};
use mailtool::wire::smtp::{ReplyReader, command, mail, rcpt, shown};

fuzz_target!(|input: &[u8]| {
    let mut replies = ReplyReader::default();
    for line in input.split(|&octet| octet == b'\n') {
        let arguments = command(line).map_or(line, |(_, arguments)| arguments);
        if let Ok((Some(reverse_path), _)) = mail(arguments) {
            address_is_itself(&reverse_path);
        }
        if let Ok((forward_path, _)) = rcpt(arguments) {
            address_is_itself(&forward_path);
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
});

fn address_is_itself(address: &Address) {
    let text = address.to_string();
    assert!(text.is_ascii() && !text.bytes().any(|octet| octet.is_ascii_control()));
    assert_eq!(Address::parse(text.as_bytes()).as_ref(), Ok(address));
    let path = format!("<{text}>");
    let read = address::path(path.as_bytes());
    assert_eq!(read, Ok((Some(address.clone()), &b""[..])));
}

fn exchange(words: &[u8]) {
    for mechanism in [Mechanism::Plain, Mechanism::Login] {
        let mut answers = words.split(|&octet| octet == b' ');
        let Ok((mut exchange, mut step)) = Exchange::begin(mechanism, answers.next()) else {
            continue;
        };
        while let (Step::Challenge(_), Some(answer)) = (&step, answers.next()) {
            match exchange.answer(answer) {
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
