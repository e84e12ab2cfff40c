//! Any bytes as SMTP's words: the parsers never panic, and an address that was read is written so that it is read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtool::wire::address::{self, Address};
use mailtool::wire::smtp::{self, ReplyReader};

fuzz_target!(|bytes: &[u8]| {
    let mut replies = ReplyReader::default();
    for line in bytes.split(|&octet| octet == b'\n') {
        let _ = replies.line(line);
        if let Some((_, arguments)) = smtp::command(line) {
            let _ = (smtp::mail(arguments), smtp::rcpt(arguments));
        }
        if let Ok((Some(address), _)) = address::path(line) {
            let written = address.to_string();
            assert!(written.bytes().all(|octet| (b' '..=b'~').contains(&octet)));
            assert_eq!(Address::parse(written.as_bytes()), Ok(address));
        }
    }
});
