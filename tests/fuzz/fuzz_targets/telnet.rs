//! Any octets in any pieces through the telnet filter: what is text and what is answered does not depend on how they were cut, and
//! answers that go back and forth between two filters die out.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtool::wire::telnet::Telnet;

fuzz_target!(|input: ([u8; 4], &[u8])| {
    let (sizes, octets) = input;
    let (text, reply) = filtered(octets, &[]);
    assert_eq!(filtered(octets, &sizes), (text.clone(), reply.clone()));
    assert!(text.len() + reply.len() <= octets.len());
    assert_eq!(reply.len() % 3, 0);
    for answer in reply.chunks(3) {
        // WONT or DONT
        assert!(answer[0] == 255 && matches!(answer[1], 252 | 254));
    }
    assert_eq!(filtered(&reply, &sizes), (Vec::new(), Vec::new()));
});

fn filtered(mut octets: &[u8], sizes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (mut text, mut reply) = (Vec::new(), Vec::new());
    let mut telnet = Telnet::default();
    let mut sizes = sizes.iter().cycle();
    while !octets.is_empty() {
        let size = sizes.next().map_or(usize::MAX, |&size| usize::from(size));
        let (piece, rest) = octets.split_at(size.min(octets.len()).max(1));
        telnet.filter(piece, &mut text, &mut reply);
        octets = rest;
    }
    (text, reply)
}
