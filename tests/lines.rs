//! The line reader against a definition that is plainly right: it sees all bytes at once, one at a time.

use mailtool::wire::lines::{Cut, Ending, LineReader, Want};
use proptest::prelude::*;

/// What a reader gave. Neighbouring pieces of text are one: how it is cut is not defined, what it says is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Event {
    Line(Vec<u8>),
    LongLine,
    Text(Vec<u8>),
    TextEnd,
}

/// How the bytes of a test are to be read: first `lines` lines, then text to its end, then lines.
#[derive(Clone, Copy, Debug)]
struct Plan {
    lines: usize,
    max: usize,
}

/// The definition.
fn naive(plan: Plan, bytes: &[u8]) -> (Vec<Event>, Ending) {
    let mut events = Vec::new();
    let mut ending = Ending::Unsettled;
    let mut rest = bytes;
    let mut lines = 0;
    let mut text_over = false;
    loop {
        let more = if lines == plan.lines && !text_over {
            let (text, ended) = naive_text(&mut rest, &mut ending);
            if !text.is_empty() {
                events.push(Event::Text(text));
            }
            if ended {
                events.push(Event::TextEnd);
                text_over = true;
            }
            ended
        } else {
            lines += 1;
            let line = naive_line(&mut rest, &mut ending, plan.max);
            let read = line.is_some();
            events.extend(line);
            read
        };
        if !more {
            return (events, ending);
        }
    }
}

fn naive_line(rest: &mut &[u8], ending: &mut Ending, max: usize) -> Option<Event> {
    for at in 0..rest.len() {
        let crlf = at > 0 && rest[at - 1] == b'\r';
        if rest[at] != b'\n' || (!crlf && *ending == Ending::Crlf) {
            continue;
        }
        *ending = if crlf { Ending::Crlf } else { Ending::Lf };
        let line = &rest[..at - usize::from(crlf)];
        *rest = &rest[at + 1..];
        return Some(if at + 1 > max {
            Event::LongLine
        } else {
            Event::Line(line.to_vec())
        });
    }
    None
}

fn naive_text(rest: &mut &[u8], ending: &mut Ending) -> (Vec<u8>, bool) {
    let mut text = Vec::new();
    let mut line_start = true;
    while let Some(&byte) = rest.first() {
        if line_start && byte == b'.' {
            if rest.starts_with(b".\n") && *ending != Ending::Crlf {
                *ending = Ending::Lf;
                *rest = &rest[2..];
                return (text, true);
            }
            if rest.starts_with(b".\r\n") && *ending != Ending::Lf {
                *ending = Ending::Crlf;
                *rest = &rest[3..];
                return (text, true);
            }
            if *rest == b"." || (*rest == b".\r" && *ending != Ending::Lf) {
                break;
            }
            *rest = &rest[1..];
            line_start = false;
            continue;
        }
        line_start = false;
        let mut octets = 1;
        match byte {
            b'\r' if rest.starts_with(b"\r\n") => {
                octets = 2;
                *ending = Ending::Crlf;
                line_start = true;
                text.extend(b"\r\n");
            }
            b'\r' if rest.len() == 1 => break,
            b'\r' => text.extend(b"\r\n"),
            b'\n' => {
                text.extend(b"\r\n");
                if *ending != Ending::Crlf {
                    *ending = Ending::Lf;
                    line_start = true;
                }
            }
            _ => text.push(byte),
        }
        *rest = &rest[octets..];
    }
    (text, false)
}

/// What the reader gives for chunks that arrive one after the other.
fn read<'a>(
    plan: Plan,
    capacity: usize,
    chunks: impl Iterator<Item = &'a [u8]>,
) -> (Vec<Event>, Ending) {
    let mut reader = LineReader::with_capacity(capacity);
    let mut events: Vec<Event> = Vec::new();
    let mut lines = 0;
    let mut text_over = false;
    for mut chunk in chunks {
        while !chunk.is_empty() {
            let space = reader.space();
            assert!(!space.is_empty(), "full, and nothing can be cut");
            let octets = space.len().min(chunk.len());
            space[..octets].copy_from_slice(&chunk[..octets]);
            reader.filled(octets);
            chunk = &chunk[octets..];
            loop {
                let in_text = lines == plan.lines && !text_over;
                let want = if in_text {
                    Want::DotText
                } else {
                    Want::Line { max: plan.max }
                };
                let Some(cut) = reader.cut(want) else { break };
                lines += usize::from(!in_text);
                match (cut, events.last_mut()) {
                    (Cut::Line(line), _) => events.push(Event::Line(line.to_vec())),
                    (Cut::LongLine, _) => events.push(Event::LongLine),
                    (Cut::Text(text), Some(Event::Text(before))) => {
                        assert!(!text.is_empty());
                        before.extend_from_slice(text);
                    }
                    (Cut::Text(text), _) => events.push(Event::Text(text.to_vec())),
                    (Cut::TextEnd, _) => {
                        text_over = true;
                        events.push(Event::TextEnd);
                    }
                }
            }
        }
    }
    (events, reader.ending())
}

/// Calls `check` with every string over `a . CR LF` of at most `longest` octets.
fn all_strings(longest: u32, mut check: impl FnMut(&[u8])) {
    let mut string = Vec::new();
    for length in 0..=longest {
        for number in 0..4_u32.pow(length) {
            string.clear();
            string.extend((0..length).map(|at| b"a.\r\n"[(number >> (2 * at)) as usize & 3]));
            check(&string);
        }
    }
}

/// The pieces of `bytes`, cut after each octet whose bit is set in `cuts`.
fn chunks(bytes: &[u8], cuts: u32) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    (0..bytes.len()).filter_map(move |at| {
        let cut = at + 1 == bytes.len() || cuts >> at & 1 == 1;
        let piece = &bytes[start..=at];
        start = if cut { at + 1 } else { start };
        cut.then_some(piece)
    })
}

fn exhaustive(plan: Plan, prefix: &[u8]) {
    let mut cases = 0_u64;
    all_strings(7, |string| {
        let bytes = [prefix, string].concat();
        let expected = naive(plan, &bytes);
        for cuts in 0..1 << string.len().saturating_sub(1) {
            let pieces = std::iter::once(prefix).chain(chunks(string, cuts));
            let given = read(plan, 8, pieces);
            assert_eq!(
                given,
                expected,
                "{:?} cut at {cuts:b}",
                bytes.escape_ascii().to_string()
            );
            cases += 1;
        }
    });
    assert_eq!(
        cases,
        1 + (1..=7)
            .map(|length| 4_u64.pow(length) << (length - 1))
            .sum::<u64>()
    );
}

#[test]
fn lines_exhaustively() {
    exhaustive(
        Plan {
            lines: usize::MAX,
            max: 4,
        },
        b"",
    );
}

#[test]
fn text_on_an_unsettled_connection_exhaustively() {
    exhaustive(Plan { lines: 0, max: 4 }, b"");
}

#[test]
fn text_on_an_lf_connection_exhaustively() {
    exhaustive(Plan { lines: 1, max: 4 }, b"D\n");
}

#[test]
fn text_on_a_crlf_connection_exhaustively() {
    exhaustive(Plan { lines: 1, max: 4 }, b"D\r\n");
}

/// The strings that smuggled a second message through real servers in 2023: none ends the text here.
/// A strict session is lent what is bare as it came, and only CRLF ends a line of text.
#[test]
fn strict_text_exhaustively() {
    fn naive(mut rest: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        while !rest.starts_with(b".\r\n") {
            rest = rest.strip_prefix(b".").unwrap_or(rest);
            let end = rest.windows(2).position(|two| two == b"\r\n").unwrap() + 2;
            text.extend_from_slice(&rest[..end]);
            rest = &rest[end..];
        }
        text
    }
    all_strings(6, |bytes| {
        let whole = [bytes, b"\r\n.\r\n"].concat();
        for cut in 0..whole.len() {
            let mut reader = LineReader::with_capacity(64);
            let mut text = Vec::new();
            let mut ended = false;
            for piece in [&whole[..cut], &whole[cut..]] {
                reader.push(piece);
                while !ended {
                    match reader.cut(Want::StrictText) {
                        Some(Cut::Text(piece)) => text.extend_from_slice(piece),
                        Some(Cut::TextEnd) => ended = true,
                        Some(other) => panic!("{other:?}"),
                        None => break,
                    }
                }
            }
            assert!(ended, "{whole:?}");
            assert_eq!(text, naive(&whole), "{whole:?} cut at {cut}");
        }
    });
}

/// And a command that ends with a bare LF, with it.
#[test]
fn strict_lines_exhaustively() {
    all_strings(6, |bytes| {
        let expected: Vec<&[u8]> = bytes
            .split_inclusive(|octet| *octet == b'\n')
            .filter(|line| line.ends_with(b"\n"))
            .map(|line| line.strip_suffix(b"\r\n").unwrap_or(line))
            .collect();
        for cut in 0..=bytes.len() {
            let mut reader = LineReader::with_capacity(64);
            let mut lines = Vec::new();
            for piece in [&bytes[..cut], &bytes[cut..]] {
                reader.push(piece);
                while let Some(cut) = reader.cut(Want::StrictLine { max: 64 }) {
                    let Cut::Line(line) = cut else {
                        panic!("{cut:?}");
                    };
                    lines.push(line.to_vec());
                }
            }
            assert_eq!(lines, expected, "{bytes:?} cut at {cut}");
        }
    });
}

#[test]
fn no_smuggling_sequence_ends_text_on_a_crlf_connection() {
    for sequence in [
        "\n.\n",
        "\n.\r\n",
        "\r\n.\n",
        "\r.\r",
        "\r\n.\r",
        "\r\n\0.\r\n",
        "\n\n.\r\r\n",
        "\r\r\n.\r\r\n",
    ] {
        let bytes = format!("DATA\r\nbody{sequence}MAIL FROM:<evil>\r\n.\r\nQUIT\r\n");
        let (events, _) = naive(Plan { lines: 1, max: 512 }, bytes.as_bytes());
        assert_eq!(
            read(
                Plan { lines: 1, max: 512 },
                64,
                std::iter::once(bytes.as_bytes())
            )
            .0,
            events
        );
        let [
            Event::Line(_),
            Event::Text(text),
            Event::TextEnd,
            Event::Line(quit),
        ] = &events[..]
        else {
            panic!("{sequence:?}: {events:?}");
        };
        assert!(text.ends_with(b"MAIL FROM:<evil>\r\n"), "{sequence:?}");
        assert_eq!(quit, b"QUIT");
        let bare = (0..text.len()).any(|at| match text[at] {
            b'\n' => at == 0 || text[at - 1] != b'\r',
            b'\r' => text.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        assert!(
            !bare,
            "{sequence:?} left a bare CR or LF: {:?}",
            text.escape_ascii().to_string()
        );
    }
}

#[test]
fn a_line_may_be_as_long_as_max_and_no_longer() {
    let plan = Plan {
        lines: usize::MAX,
        max: 512,
    };
    for (octets, ending) in [(510, "\r\n"), (511, "\n")] {
        let fits = ["x".repeat(octets), ending.into()].concat();
        let long = [
            "x".repeat(octets + 1),
            ending.into(),
            "ok".into(),
            ending.into(),
        ]
        .concat();
        for capacity in [16, 512, 4096] {
            let line = Event::Line("x".repeat(octets).into_bytes());
            assert_eq!(
                read(plan, capacity, std::iter::once(fits.as_bytes())).0,
                [line]
            );
            let after = [Event::LongLine, Event::Line(b"ok".to_vec())];
            assert_eq!(
                read(plan, capacity, std::iter::once(long.as_bytes())).0,
                after
            );
        }
    }
}

#[test]
fn ten_megabytes_without_a_line_end_take_no_more_than_the_buffer() {
    let mut reader = LineReader::new();
    for _ in 0..10 * 1024 {
        let space = reader.space();
        assert!(space.len() >= 1024);
        space[..1024].fill(b'x');
        reader.filled(1024);
        assert_eq!(reader.cut(Want::Line { max: 512 }), None);
        assert_eq!(reader.pending(), 0);
    }
    reader.push(b"\r\nNOOP\r\n");
    assert_eq!(reader.cut(Want::Line { max: 512 }), Some(Cut::LongLine));
    assert_eq!(
        reader.cut(Want::Line { max: 512 }),
        Some(Cut::Line(b"NOOP"))
    );
}

#[test]
fn nothing_is_cut_while_nothing_is_wanted_and_text_goes_on_after_it() {
    let mut reader = LineReader::new();
    reader.push(b"one\r\n");
    assert_eq!(reader.cut(Want::DotText), Some(Cut::Text(b"one\r\n")));
    reader.push(b".\r\nNOOP\r\n");
    assert_eq!(reader.cut(Want::Nothing), None);
    assert_eq!(reader.cut(Want::DotText), Some(Cut::TextEnd));
    assert_eq!(
        reader.cut(Want::Line { max: 512 }),
        Some(Cut::Line(b"NOOP"))
    );
}

#[test]
fn a_line_end_at_the_end_of_a_block_may_be_followed_by_a_move() {
    let mut reader = LineReader::with_capacity(128);
    let line = [b'x'; 63];
    reader.push(&[&line[..], b"\n", &line, b"y"].concat());
    assert_eq!(reader.cut(Want::Line { max: 512 }), Some(Cut::Line(&line)));
    assert_eq!(reader.space().len(), 64);
    reader.push(b"\n");
    let next = [&line[..], b"y"].concat();
    assert_eq!(reader.cut(Want::Line { max: 512 }), Some(Cut::Line(&next)));
}

#[test]
fn a_reader_that_is_released_or_reset_forgets_only_what_it_should() {
    let mut reader = LineReader::new();
    reader.push(b"NOOP\r\nQU");
    assert_eq!(
        reader.cut(Want::Line { max: 512 }),
        Some(Cut::Line(b"NOOP"))
    );
    reader.release();
    assert_eq!(reader.pending(), 2, "what is pending is kept");
    reader.push(b"IT\n");
    assert_eq!(
        reader.cut(Want::Line { max: 512 }),
        None,
        "a CRLF connection stays one"
    );
    reader.reset();
    assert_eq!((reader.pending(), reader.ending()), (0, Ending::Unsettled));
}

/// Text as a careful sender stuffs it (RFC 5321 §4.5.2).
fn stuff(lines: &[String]) -> Vec<u8> {
    let mut text = Vec::new();
    for line in lines {
        text.extend(line.starts_with('.').then_some(b'.'));
        text.extend(line.as_bytes());
        text.extend(b"\r\n");
    }
    text.extend(b".\r\n");
    text
}

/// Lines that were looked for long ago leave their block behind; a full buffer moves all the same.
#[test]
fn text_after_lines_moves_in_a_full_buffer() {
    for capacity in [64, 128, 200, 1000] {
        let mut reader = LineReader::with_capacity(capacity);
        reader.push(b"DATA\r\n");
        assert_eq!(
            reader.cut(Want::Line { max: 512 }),
            Some(Cut::Line(b"DATA"))
        );
        let (mut sent, mut got) = (0, 0);
        while sent < 10 * capacity {
            let space = reader.space();
            space.fill(b'x');
            let octets = space.len();
            reader.filled(octets);
            sent += octets;
            // Something is left over each time.
            while reader.pending() > 3 {
                let want = Want::Octets(reader.pending() as u64 - 3);
                let Some(Cut::Text(text)) = reader.cut(want) else {
                    panic!("text is there");
                };
                got += text.len();
            }
        }
        assert_eq!(sent - got, reader.pending());
    }
}

/// Something that means something in lines or in text, or a run of what does not.
fn word() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => proptest::sample::select(vec!["\r\n", "\r\n.", "\r\n..", "\n", "\r", "+\r\n", "."]).prop_map(Vec::from),
        4 => Just(b"\r\n".to_vec()),
        3 => proptest::collection::vec(any::<u8>(), 0..5),
        4 => (0_usize..90).prop_map(|octets| vec![b'x'; octets]),
        1 => (0_usize..900).prop_map(|octets| vec![b'x'; octets]),
    ]
}

proptest! {
    #[test]
    fn what_was_stuffed_comes_out_as_it_was(
        lines in proptest::collection::vec("[.a-c]{0,9}", 0..40),
        sizes in proptest::collection::vec(1_usize..30, 1..9),
        capacity in 3_usize..100,
    ) {
        let wire = [b"D\r\n".as_slice(), &stuff(&lines)].concat();
        let mut rest = wire.as_slice();
        let mut size = sizes.iter().cycle();
        let pieces = std::iter::from_fn(|| {
            let octets = rest.len().min(*size.next()?);
            let (piece, after) = rest.split_at(octets);
            rest = after;
            (octets > 0).then_some(piece)
        });
        let (events, ending) = read(Plan { lines: 1, max: 512 }, capacity, pieces);
        let text: Vec<u8> = lines.iter().flat_map(|line| [line.as_bytes(), b"\r\n"].concat()).collect();
        let expected: Vec<Event> = [Event::Line(b"D".to_vec())]
            .into_iter()
            .chain((!text.is_empty()).then_some(Event::Text(text)))
            .chain([Event::TextEnd])
            .collect();
        prop_assert_eq!(events, expected);
        prop_assert_eq!(ending, Ending::Crlf);
    }

    #[test]
    fn any_bytes_any_pieces(
        bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), any::<u8>()], 0..300),
        size in 1_usize..40,
        capacity in 3_usize..64,
        lines in 0_usize..4,
        max in 1_usize..60,
    ) {
        let plan = Plan { lines, max };
        prop_assert_eq!(read(plan, capacity, bytes.chunks(size)), naive(plan, &bytes));
    }

    /// Enough for line feeds to be looked for in many blocks at once.
    #[test]
    fn long_stretches_in_large_pieces(
        words in proptest::collection::vec(word(), 0..400),
        size in 1_usize..9000,
        capacity in 64_usize..9000,
        lines in 0_usize..200,
        max in 1_usize..600,
    ) {
        let plan = Plan { lines, max };
        let bytes = words.concat();
        prop_assert_eq!(read(plan, capacity, bytes.chunks(size)), naive(plan, &bytes));
    }

    /// As IMAP does: what was found of the lines to come is still right after the octets between them.
    #[test]
    fn lines_and_octets_in_turn(
        words in proptest::collection::vec(word(), 0..400),
        turns in proptest::collection::vec(prop_oneof![Just(0), 1..9_usize, 1..300_usize, 1..5000_usize], 1..30),
        size in 1_usize..9000,
        capacity in 64_usize..9000,
        max in 1_usize..600,
    ) {
        let bytes = words.concat();
        // The definition: a turn of 0 is a line, any other is so many octets.
        let (mut rest, mut ending, mut expected) = (bytes.as_slice(), Ending::Unsettled, Vec::new());
        for &turn in turns.iter().cycle() {
            let event = match turn {
                0 => naive_line(&mut rest, &mut ending, max),
                octets => rest.split_off(..octets).map(|octets| Event::Text(octets.to_vec())),
            };
            let Some(event) = event else { break };
            expected.push(event);
        }

        let mut reader = LineReader::with_capacity(capacity);
        let (mut events, mut text) = (Vec::new(), Vec::new());
        let mut turn = turns.iter().cycle();
        let mut octets = *turn.next().unwrap();
        for mut piece in bytes.chunks(size) {
            while !piece.is_empty() {
                let count = reader.space().len().min(piece.len());
                reader.push(&piece[..count]);
                piece = &piece[count..];
                loop {
                    let want = match octets - text.len() {
                        0 => Want::Line { max },
                        octets => Want::Octets(octets as u64),
                    };
                    let Some(cut) = reader.cut(want) else { break };
                    match cut {
                        Cut::Line(line) => events.push(Event::Line(line.to_vec())),
                        Cut::LongLine => events.push(Event::LongLine),
                        Cut::Text(piece) => text.extend_from_slice(piece),
                        Cut::TextEnd => prop_assert!(false, "no text was wanted"),
                    }
                    if text.len() == octets {
                        events.extend((octets > 0).then(|| Event::Text(std::mem::take(&mut text))));
                        octets = *turn.next().unwrap();
                    }
                }
            }
        }
        prop_assert_eq!(events, expected);
        prop_assert_eq!(reader.ending(), ending);
    }

    #[test]
    fn literals_are_counted_in_octets_whatever_they_hold(
        literal in proptest::collection::vec(any::<u8>(), 1..200),
        size in 1_usize..40,
    ) {
        let wire = [literal.as_slice(), b"tail\r\n"].concat();
        let mut reader = LineReader::with_capacity(16);
        let (mut got, mut after) = (Vec::new(), None);
        for mut piece in wire.chunks(size) {
            while !piece.is_empty() {
                let octets = reader.space().len().min(piece.len());
                reader.push(&piece[..octets]);
                piece = &piece[octets..];
                loop {
                    let left = literal.len() - got.len();
                    let want = if left > 0 { Want::Octets(left as u64) } else { Want::Line { max: 16 } };
                    match reader.cut(want) {
                        Some(Cut::Text(text)) => got.extend_from_slice(text),
                        Some(Cut::Line(line)) => after = Some(line.to_vec()),
                        Some(other) => prop_assert!(false, "{other:?}"),
                        None => break,
                    }
                }
            }
        }
        prop_assert_eq!(got, literal);
        prop_assert_eq!(after.as_deref(), Some(b"tail".as_slice()));
    }
}

/// Text that fills the buffer many times over moves what waits in it long after the last line was looked for.
#[test]
fn text_that_fills_the_buffer_after_a_line_comes_out_whole() {
    let text = "0123456789abcde\r\n".repeat(20_000).into_bytes();
    let mut rest = [b"DATA\r\n", &text[..], b".\r\n"].concat();
    let mut reader = LineReader::new();
    let mut want = Want::Line { max: 512 };
    let mut got = Vec::new();
    while want != Want::Nothing {
        let space = reader.space();
        let octets = space.len().min(rest.len());
        space[..octets].copy_from_slice(&rest[..octets]);
        reader.filled(octets);
        rest.drain(..octets);
        while let Some(cut) = reader.cut(want) {
            match cut {
                Cut::Line(line) => assert_eq!(line, b"DATA"),
                Cut::Text(text) => got.extend_from_slice(text),
                Cut::TextEnd => want = Want::Nothing,
                Cut::LongLine => panic!("no line is long"),
            }
            if want != Want::Nothing {
                want = Want::DotText;
            }
        }
    }
    assert!(got == text);
}
