//! The words of IMAP: commands with their sets, searches and sections; LIST's patterns, modified UTF-7, and responses.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtool::proto::imap::client::read_lines;
use mailtool::wire::imap::command::{Command, Parsed, parse, scan_parts, scan_tag};
use mailtool::wire::imap::pattern::Pattern;
use mailtool::wire::imap::reply::{self, Data, Reply, Value};
use mailtool::wire::imap::response;
use mailtool::wire::imap::scan::{Scanner, announced};
use mailtool::wire::imap::set::{Ranges, SequenceSet};
use mailtool::wire::imap::url::MessageUrl;
use mailtool::wire::utf7;

fuzz_target!(|input: &[u8]| {
    let _ = announced(input);
    if let Ok((_, scanner)) = scan_tag(input) {
        if let Ok(Parsed::Command(command)) = parse(scanner) {
            let _ = format!("{command:?}");
            if let Command::List { .. } = command {
                pattern(input);
            }
        }
    }
    let _ = scan_parts(input);
    url(input);
    let _ = reply::literal(input);
    let _ = reply::values(input);
    let _ = read_lines(input, &mut |name| Ok(name.as_bytes().to_vec()));
    let _ = reply::literal_is_body(input);
    if let Some(Reply::Data(Data::Fetch(_, items))) = Reply::parse(input) {
        for (_, value) in &items {
            let _ = (
                value.octets(),
                value.number(),
                value.list(),
                value.envelope(),
            );
        }
    }
    set(input);
    strings(input);
    names(input);
});

/// What is signed of a URL is its beginning, and by itself it is the same URL.
fn url(input: &[u8]) {
    let Ok(url) = MessageUrl::parse(input) else {
        return;
    };
    let _ = url.mailbox_in(Some("a/b"));
    if let Some(authorization) = &url.authorization {
        let rump = MessageUrl::parse(&input[..authorization.rump]).expect("a URL");
        assert_eq!((&rump.mailbox, rump.uid), (&url.mailbox, url.uid));
        let alone = rump.authorization.expect("it ends in it");
        assert_eq!(alone.access, authorization.access);
    }
}

/// Ranges ascend and do not touch, and what is written is the same set.
fn set(input: &[u8]) {
    let mut scanner = Scanner::new(input);
    let Ok(set) = SequenceSet::scan(&mut scanner) else {
        return;
    };
    for largest in [0, 1, 17, u32::MAX] {
        let ranges = set.ranges(largest);
        let mut before: Option<u32> = None;
        for (first, last) in ranges.iter() {
            assert!(first <= last && before.is_none_or(|before| before < first));
            assert!(ranges.contains(first) && ranges.contains(last));
            before = Some(last);
        }
        let mut written = Vec::new();
        ranges.write(&mut written);
        if ranges.is_empty() {
            continue;
        }
        let again = SequenceSet::scan(&mut Scanner::new(&written)).expect("a set");
        assert_eq!(again.ranges(largest), ranges, "{}", written.escape_ascii());
    }
    let _ = Ranges::from_ascending(input.iter().map(|&octet| u32::from(octet)).scan(
        0,
        |sum, octet| {
            *sum += octet + 1;
            Some(*sum)
        },
    ));
}

/// Our client reads the strings that our server writes.
fn strings(input: &[u8]) {
    let text: Vec<u8> = input.iter().copied().filter(|&octet| octet != 0).collect();
    for write in [response::string, response::astring] {
        let mut line = b"* 1 FETCH (X ".to_vec();
        write(&mut line, &text);
        line.push(b')');
        let Some(Reply::Data(Data::Fetch(1, items))) = Reply::parse(&line) else {
            panic!("not read back: {}", line.escape_ascii());
        };
        let [(b"X", value)] = &items[..] else {
            panic!("other items: {}", line.escape_ascii());
        };
        let is_nil = *value == Value::Nil && text.eq_ignore_ascii_case(b"NIL");
        assert!(
            is_nil || value.octets() == Some(&text[..]),
            "{value:?} from {}",
            line.escape_ascii()
        );
    }
}

/// A name has one spelling.
fn names(input: &[u8]) {
    if let Ok(name) = std::str::from_utf8(input) {
        assert_eq!(utf7::decode(&utf7::encode(name)).as_deref(), Some(name));
        if let Some(decoded) = utf7::decode(name) {
            assert_eq!(utf7::encode(&decoded), name);
        }
    }
}

/// Against the definition, where that is not too slow.
fn pattern(input: &[u8]) {
    let input = &input[..input.len().min(24)];
    let Some(split) = input.iter().position(|&octet| octet == b' ') else {
        return;
    };
    let (pattern, name) = (Pattern::new(b"", &input[..split]), &input[split..]);
    let Ok(name) = std::str::from_utf8(name) else {
        return;
    };
    assert_eq!(
        pattern.matches(name),
        fits(pattern.as_bytes(), name.as_bytes())
    );
}

fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match pattern {
        [] => name.is_empty(),
        [wild @ (b'*' | b'%'), rest @ ..] => (0..=name.len())
            .take_while(|&taken| taken == 0 || *wild == b'*' || name[taken - 1] != b'/')
            .any(|taken| fits(rest, &name[taken..])),
        [octet, rest @ ..] => name.first() == Some(octet) && fits(rest, &name[1..]),
    }
}
