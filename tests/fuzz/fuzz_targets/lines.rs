//! Any bytes in any pieces, read in any way: the reader never panics, lends no bare CR or LF in text, and what it gives
//! does not depend on how the bytes were cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtool::wire::lines::{Cut, LineReader, Want};

fuzz_target!(|input: (Vec<u8>, Vec<u8>, u8)| {
    let (bytes, sizes, plan) = input;
    let whole = read(&bytes, &[], plan);
    assert_eq!(whole, read(&bytes, &sizes, plan));
    let text = whole
        .iter()
        .filter_map(|(kind, text)| (*kind == 't').then_some(text));
    for text in text {
        let pairs = text
            .windows(2)
            .all(|pair| (pair[0] == b'\r') == (pair[1] == b'\n'));
        assert!(pairs && text.first() != Some(&b'\n') && text.last() != Some(&b'\r'));
    }
});

/// What each cut was and said; neighbouring text is one.
fn read(mut bytes: &[u8], sizes: &[u8], plan: u8) -> Vec<(char, Vec<u8>)> {
    let mut reader = LineReader::with_capacity(3 + usize::from(plan >> 2));
    let mut cuts: Vec<(char, Vec<u8>)> = Vec::new();
    let mut sizes = sizes.iter().cycle();
    while !bytes.is_empty() {
        let size = sizes
            .next()
            .map_or(usize::MAX, |&size| usize::from(size).max(1));
        let count = size.min(bytes.len()).min(reader.space().len());
        reader.push(&bytes[..count]);
        bytes = &bytes[count..];
        loop {
            // Every fourth line is followed by text.
            let lines = cuts.iter().filter(|(kind, _)| *kind != 't').count();
            let in_text = lines % 4 == usize::from(plan & 3);
            let want = if in_text {
                Want::DotText
            } else {
                Want::Line { max: 20 }
            };
            let (kind, said) = match reader.cut(want) {
                None => break,
                Some(Cut::Line(line)) => ('l', line.to_vec()),
                Some(Cut::LongLine) => ('o', Vec::new()),
                Some(Cut::TextEnd) => ('e', Vec::new()),
                Some(Cut::Text(text)) => ('t', text.to_vec()),
            };
            match cuts.last_mut() {
                Some(('t', before)) if kind == 't' => before.extend(said),
                _ => cuts.push((kind, said)),
            }
        }
    }
    cuts
}
