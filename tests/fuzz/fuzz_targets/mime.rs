//! A message, whatever it is: structure, envelope and texts. Our own IMAP client reads what is written of it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtool::wire::imap::reply::{Data, Reply};
use mailtool::wire::mime::describe::{Detail, write_envelope, write_structure};
use mailtool::wire::mime::header::{
    Fields, Parameterized, end_of_header, header_octets, unfold, value,
};
use mailtool::wire::mime::html::to_text;
use mailtool::wire::mime::structure::{Content, Part};
use mailtool::wire::mime::text::{Needle, decoded_value};
use mailtool::wire::{date::DateTime, words};

fuzz_target!(|message: &[u8]| {
    let header = &message[..header_octets(message)];
    assert!(end_of_header(message).is_none_or(|end| end <= message.len()));
    let mut octets = 0;
    for field in Fields::new(header) {
        octets += field.raw.len();
        let _ = (unfold(field.value), Parameterized::parse(field.value));
        let _ = (words::decode(field.value), decoded_value(field.value));
        if let Some(date) = DateTime::from_header(field.value) {
            let written = date.to_header();
            let again = DateTime::from_header(written.as_bytes()).expect("a date");
            assert_eq!(again.unix(), date.unix(), "{written}");
            let written = date.to_imap();
            let again = DateTime::from_imap(written.as_bytes()).expect("a date");
            assert_eq!(again.unix(), date.unix(), "{written}");
        }
    }
    assert!(octets <= header.len());
    let _ = value(header, "Subject");
    let part = Part::parse(message);
    is_within(&part, 0..message.len());
    let _ = part.find(&[1, 2]);
    let mut line = b"* 1 FETCH (ENVELOPE ".to_vec();
    write_envelope(&mut line, header);
    for (name, detail) in [
        (" BODY ", Detail::Basic),
        (" BODYSTRUCTURE ", Detail::Extended),
    ] {
        line.extend_from_slice(name.as_bytes());
        write_structure(&mut line, message, &part, detail);
    }
    line.push(b')');
    let Some(Reply::Data(Data::Fetch(1, items))) = Reply::parse(&line) else {
        panic!("our client does not read {}", line.escape_ascii());
    };
    let names: Vec<_> = items.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, [&b"ENVELOPE"[..], b"BODY", b"BODYSTRUCTURE"]);
    assert_eq!(items[0].1.list().len(), 10, "{}", line.escape_ascii());
    let _ = items[0].1.envelope();
    let text = to_text(&String::from_utf8_lossy(message));
    // The character of a number that is none is longer than an octet that is none.
    assert!(text.len() <= 3 * message.len() + 1);
    let needle = Needle::new("Été");
    let _ = (
        needle.is_in_header(header),
        needle.is_in_body(message, &part),
    );
});

/// Parts lie in their whole, in their order.
fn is_within(part: &Part, whole: std::ops::Range<usize>) {
    assert!(whole.start <= part.header.start && part.header.start <= part.header.end);
    assert!(part.header.end <= part.body.start && part.body.start <= part.body.end);
    assert!(part.body.end <= whole.end);
    match &part.content {
        Content::Leaf => {}
        Content::Message(inner) => is_within(inner, part.body.clone()),
        Content::Multipart(parts) => {
            let mut from = part.body.start;
            for inner in parts {
                is_within(inner, from..part.body.end);
                from = inner.body.end;
            }
        }
    }
}
