//! The words of POP3: commands, replies and listings, and messages on their way out.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtool::wire::pop3::{Command, Outgoing};
use mailtool::wire::pop3_reply::{Reply, two_numbers, unique_id};

fuzz_target!(|input: &[u8]| {
    for line in input.split(|&octet| octet == b'\n') {
        let _ = Command::parse(line);
        if let Some(secret) = Command::secret_in(line) {
            assert!(secret.end <= line.len());
        }
        if let Some(Reply::Positive(text)) = Reply::parse(line) {
            let _ = two_numbers(text);
        }
        if let Some((_, id)) = unique_id(line) {
            assert!(id.iter().all(u8::is_ascii_graphic));
        }
    }
    let lines = input.first().map_or(0, |&octet| u32::from(octet));
    for outgoing in [Outgoing::whole(), Outgoing::top(lines)] {
        let whole = sent(outgoing.clone(), input, usize::MAX);
        assert_eq!(whole, sent(outgoing, input, 1));
        assert!(whole.ends_with(b".\r\n"));
        let lone_dots = whole
            .split_inclusive(|&octet| octet == b'\n')
            .filter(|line| *line == b".\r\n");
        assert_eq!(lone_dots.count(), 1, "{}", whole.escape_ascii());
    }
});

fn sent(mut outgoing: Outgoing, text: &[u8], piece: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in text.chunks(piece.min(text.len().max(1))) {
        outgoing.pass(piece, &mut out);
    }
    outgoing.end(&mut out);
    out
}
