use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

/// What a reader found.
#[derive(Debug, Default, PartialEq)]
struct Found {
    messages: Vec<(FromLine, String, Facts)>,
    file: Vec<u8>,
}

impl Sink for Found {
    type Error = Infallible;
    fn begin(&mut self, line: FromLine) -> Result<(), Infallible> {
        self.messages.push((line, String::new(), Facts::default()));
        Ok(())
    }
    fn text(&mut self, text: &[u8]) -> Result<(), Infallible> {
        let last = self.messages.last_mut().expect("one has begun");
        last.1.push_str(&String::from_utf8_lossy(text));
        Ok(())
    }
    fn end(&mut self, facts: Facts) -> Result<(), Infallible> {
        self.messages.last_mut().expect("one has begun").2 = facts;
        Ok(())
    }
    fn claim(&mut self, from: u64, octets: u64) -> Claim {
        claim(&self.file, from, octets)
    }
}

/// As one sees it who has the file.
fn claim(file: &[u8], from: u64, octets: u64) -> Claim {
    let end = (from + octets) as usize;
    let Some(text) = file.get(from as usize..end) else {
        return Claim::False;
    };
    let rest = &file[end..];
    if !(rest.is_empty()
        || rest == b"\n"
        || rest.starts_with(b"\nFrom ")
        || rest.starts_with(b"From "))
    {
        return Claim::False;
    }
    match text.starts_with(b"From ") || text.windows(6).any(|six| six == b"\nFrom ") {
        true => Claim::AsIs,
        false => Claim::Quoted,
    }
}

fn read(dialect: Dialect, file: &str, step: usize) -> Option<Vec<(FromLine, String, Facts)>> {
    let mut found = Found {
        file: file.as_bytes().to_vec(),
        ..Found::default()
    };
    let mut reader = Reader::new(dialect);
    for piece in file.as_bytes().chunks(step) {
        let Ok(()) = reader.feed(piece, &mut found);
    }
    let Ok(()) = reader.finish(&mut found);
    (!reader.is_foreign()).then_some(found.messages)
}

fn texts(dialect: Dialect, file: &str) -> Vec<String> {
    let found = read(dialect, file, file.len().max(1)).expect("an mbox");
    for step in 1..9 {
        assert_eq!(read(dialect, file, step).as_ref(), Some(&found), "{step}");
    }
    found.into_iter().map(|(_, text, _)| text).collect()
}

const LINE: &str = "From a@b Sun Nov  6 08:49:37 1994\n";

#[test]
fn lines_that_begin_a_message_are_known_in_every_form() {
    for (line, sender, received) in [
        ("From a@b Sun Nov  6 08:49:37 1994", "a@b", 784_111_777),
        ("From a@b Sun Nov 06 08:49:37 1994\r\n", "a@b", 784_111_777),
        ("From - Sun Nov  6 08:49:37 1994", "-", 784_111_777),
        (
            "From a@b Sun Nov  6 08:49:37 1994 +0100",
            "a@b",
            784_108_177,
        ),
        (
            "From a@b Sun Nov  6 08:49:37 +0100 1994",
            "a@b",
            784_108_177,
        ),
        ("From a@b Sun Nov  6 08:49:37 EST 1994", "a@b", 784_129_777),
        (
            "From a@b Sun Nov  6 08:49:37 MET DST 1994",
            "a@b",
            784_108_177,
        ),
        (
            "From a@b Sun Nov  6 08:49:37 1994 remote from uunet",
            "a@b",
            784_111_777,
        ),
        ("From a@b  Sun Nov  6 08:49 1994", "a@b", 784_111_740),
        (
            "From a@b Sun, 6 Nov 1994 08:49:37 +0000",
            "a@b",
            784_111_777,
        ),
        ("From Sun Nov  6 08:49:37 1994", "", 784_111_777),
        (
            "From \"Jo Do\"@x Sun Nov  6 08:49:37 1994",
            "\"Jo Do\"@x",
            784_111_777,
        ),
        ("From Sun@x Sun Nov  6 08:49:60 1994", "Sun@x", 784_111_799),
    ] {
        let read = FromLine::parse(line.as_bytes());
        let read = read.unwrap_or_else(|| panic!("{line}"));
        assert_eq!((&*read.sender, read.received), (sender, received), "{line}");
    }
    for none in [
        "From now on it is Sunday",
        "From here: Sun Nov 6, at 08:49:37",
        "From a@b Sun Nov 31 08:49:37 1994",
        "From a@b Sun Nov  6 24:49:37 1994",
        "From a@b Sun Nov  6 08:49:37 94",
        "From a@b",
        "from a@b Sun Nov  6 08:49:37 1994",
        " From a@b Sun Nov  6 08:49:37 1994",
    ] {
        assert_eq!(FromLine::parse(none.as_bytes()), None, "{none}");
    }
    let long = format!("From {}@b Sun Nov  6 08:49:37 1994", "a".repeat(2000));
    assert_eq!(FromLine::parse(long.as_bytes()), None);
}

#[test]
fn each_dialect_gives_back_what_was_written() {
    let body = |text: &str| format!("{LINE}Subject: x\n\n{text}\n");
    let plain = body("one\n\n\n") + &body(">From me\n>>From you\nFrom nobody\n");
    let x = "Subject: x\n\n";
    for (dialect, second) in [
        (Dialect::Guess, "From me\n>From you\nFrom nobody\n"),
        (Dialect::Rd, "From me\n>From you\nFrom nobody\n"),
        (Dialect::O, "From me\n>>From you\nFrom nobody\n"),
    ] {
        assert_eq!(
            texts(dialect, &plain),
            [format!("{x}one\n\n\n"), format!("{x}{second}")],
            "{dialect:?}: the blank line between two is nobody's"
        );
    }
    // Length counts: the text holds what looks like the next message.
    let within = format!("a\n\n{LINE}>From b\n");
    let counted = |length: usize, text: &str| {
        format!("{LINE}Subject: x\nContent-Length: {length}\n\n{text}\n")
    };
    let cl2 = counted(within.len(), &within) + &body("two\n");
    let expected = [format!("{x}{within}"), format!("{x}two\n")];
    assert_eq!(texts(Dialect::Guess, &cl2), expected);
    assert_eq!(texts(Dialect::Cl2, &cl2), expected);
    let cl = counted(8, ">From b\n") + &body("two\n");
    let expected = [format!("{x}From b\n"), format!("{x}two\n")];
    assert_eq!(texts(Dialect::Guess, &cl), expected);
    assert_eq!(texts(Dialect::Cl, &cl), expected);
    // A length that leads nowhere is not believed.
    for wrong in [1, 3, 4, 5000] {
        let file = counted(wrong, "a\nbcd\n") + &body("two\n");
        let expected = [format!("{x}a\nbcd\n"), format!("{x}two\n")];
        assert_eq!(texts(Dialect::Guess, &file), expected, "{wrong}");
        assert_eq!(texts(Dialect::Rd, &file), expected, "{wrong}");
    }
}

#[test]
fn flags_are_told_and_leave_the_header() {
    let file = format!(
        "\n\n{LINE}>From old@uucp Sun Nov  6 08:49:37 1994\nStatus: RO\nX-Status: AF\n\
         X-Keywords: $Work later   \n  x\nX-UID: 7\nDate: Sun, 6 Nov 1994 08:49:38 +0000\nSubject: y\n z\n\nt\n\n\
         {LINE}X-Mozilla-Status: 1003\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: $label1 \n\nt\n\
         {LINE}X-Mozilla-Status: 0009\nA: b\n{LINE}"
    );
    let found = read(Dialect::Guess, &file, 10).expect("an mbox");
    let [first, second, third, fourth] = &found[..] else {
        panic!("{found:?}")
    };
    let marks = Marks::SEEN.with(Marks::ANSWERED).with(Marks::FLAGGED);
    assert_eq!(first.2.marks, marks);
    assert_eq!(first.2.keywords, ["$Work", "later"]);
    assert_eq!(first.2.date, Some(784_111_778));
    let header = "Date: Sun, 6 Nov 1994 08:49:38 +0000\nSubject: y\n z\n";
    assert_eq!(first.1, format!("{header}\nt\n"));
    let marks = Marks::SEEN.with(Marks::ANSWERED).with(Marks::PASSED);
    assert_eq!((second.2.marks, &*second.1), (marks, "\nt\n"));
    assert_eq!(second.2.keywords, ["$label1"]);
    assert!(third.2.is_expunged && !second.2.is_expunged);
    assert_eq!((&*third.1, &*fourth.1), ("A: b\n", ""));
}

#[test]
fn what_programs_keep_for_themselves_is_no_message() {
    let file = format!(
        "{LINE}Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1 2\n\nThis text\n\n\
         {LINE}X-IMAPbase: 1 2\nSubject: hello\n\nt\n"
    );
    let found = read(Dialect::Guess, &file, 99).expect("an mbox");
    let internal: Vec<bool> = found
        .iter()
        .map(|(_, _, facts)| facts.is_internal)
        .collect();
    assert_eq!(internal, [true, false]);
    assert_eq!(found[1].1, "Subject: hello\n\nt\n");
}

#[test]
fn other_files_are_told_apart() {
    for file in ["Subject: a message\n\nx\n", "x", "From here\n", "\n x\n"] {
        assert_eq!(read(Dialect::Guess, file, 5), None, "{file:?}");
    }
    for empty in ["", "\n", "\r\n\n"] {
        assert_eq!(
            read(Dialect::Guess, empty, 5),
            Some(Vec::new()),
            "{empty:?}"
        );
    }
}

#[test]
fn long_lines_go_through_in_pieces() {
    let long = "x".repeat(3 * PIECE + 5);
    let text = format!("Subject: {long}\n {long}\n\n{long}From a\n{long}\n");
    let file = format!("{LINE}{text}\n");
    for step in [1000, file.len()] {
        assert_eq!(texts_of(&file, step), std::slice::from_ref(&text));
    }
}

fn texts_of(file: &str, step: usize) -> Vec<String> {
    let found = read(Dialect::Rd, file, step).expect("an mbox");
    found.into_iter().map(|(_, text, _)| text).collect()
}

fn written(from: &FromLine, marks: Marks, keywords: &[&str], text: &[u8], step: usize) -> Vec<u8> {
    let mut mbox = Vec::new();
    let mut writer = Text::begin(from, marks, keywords, &mut mbox);
    for piece in text.chunks(step) {
        writer.feed(piece, &mut mbox);
    }
    writer.finish(&mut mbox);
    mbox
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        messages in proptest::collection::vec(
            ("(Subject: [a-z]{0,5}\n( x\n)?){0,2}", "[ax>\n]{0,6}(>{0,3}From [a-z]{0,3}\n|From a@b Sun Nov  6 08:49:37 1994\n|\n){0,4}", 0_u8..32, 0_i64..2_000_000_000),
            0..4,
        ),
        step in 1_usize..50,
    ) {
        let mut file = Vec::new();
        let mut expected = Vec::new();
        for (header, body, marks, received) in &messages {
            let from = FromLine { sender: "joe@example.org".into(), received: *received };
            let mut text = format!("{header}\n{body}");
            if !text.ends_with('\n') {
                text.push('\n');
            }
            let marks = [Marks::SEEN, Marks::ANSWERED, Marks::FLAGGED, Marks::DELETED, Marks::DRAFT]
                .into_iter()
                .enumerate()
                .filter(|(bit, _)| marks & 1 << bit != 0)
                .fold(Marks::default(), |all, (_, mark)| all.with(mark));
            let crlf = text.replace('\n', "\r\n");
            file.extend(written(&from, marks, &["$Work"], crlf.as_bytes(), step));
            let facts = Facts { marks, keywords: vec!["$Work".to_owned()], says_internal: false, ..Facts::default() };
            expected.push((from, text, facts));
        }
        let file = String::from_utf8(file).expect("ASCII");
        prop_assert_eq!(read(Dialect::Rd, &file, step), Some(expected.clone()));
        prop_assert_eq!(read(Dialect::Guess, &file, step), Some(expected));
    }

    #[test]
    fn no_octets_make_it_panic(text in "(From |From a@b Sun Nov  6 08:49:37 1994\n|Content-Length: [0-9]{1,20}\n|[\r\n>: a-z]){0,40}", step in 1_usize..20) {
        for dialect in [Dialect::Guess, Dialect::O, Dialect::Rd, Dialect::Cl, Dialect::Cl2] {
            let _ = read(dialect, &text, step);
        }
    }
}
