//! Names and passwords in one form, whatever keyboard they were typed on: SASLprep (RFC 4013), as SCRAM (RFC 5802 §5.1) and PLAIN
//! (RFC 4616 §2) want it.
//!
//! | step | what |
//! |---|---|
//! | map | spaces of any kind become a space (RFC 3454 C.1.2); what is commonly nothing goes (B.1) |
//! | normalize | NFKC |
//! | prohibit | controls, private use, what is no letter, what changes the direction of writing (C.2 to C.9) |
//! | direction | letters of both directions may not stand in one text; one from right to left begins and ends with such a letter (§6) |
//! | unassigned | code points that Unicode 3.2 did not have (A.1) may be asked for, but are not stored: [`unassigned`] |

mod tables;

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use crate::wire::runs;

/// The form in which `text` is compared; `None` when it may be no name and no password.
///
/// ```
/// use mailtool::wire::saslprep::prepare;
///
/// // RFC 4013 §3
/// assert_eq!(prepare("I\u{ad}X").as_deref(), Some("IX"));
/// assert_eq!(prepare("USER").as_deref(), Some("USER"));
/// assert_eq!(prepare("\u{aa}").as_deref(), Some("a"));
/// assert_eq!(prepare("\u{2168}").as_deref(), Some("IX"));
/// assert_eq!(prepare("\u{7}"), None);
/// ```
pub fn prepare(text: &str) -> Option<Cow<'_, str>> {
    if text.is_ascii() {
        let fits = !text.bytes().any(|octet| octet.is_ascii_control());
        return fits.then_some(Cow::Borrowed(text));
    }
    let mapped = text.chars().filter_map(|letter| match letter {
        space if is_space(space) => Some(' '),
        nothing if is_nothing(nothing) => None,
        letter => Some(letter),
    });
    let prepared: String = mapped.nfkc().collect();
    let fits = !prepared.chars().any(is_prohibited) && is_of_one_direction(&prepared);
    fits.then_some(Cow::Owned(prepared))
}

/// The first code point that is not to be part of what is stored (RFC 4013 §2.5), as a later Unicode may say that it is the same as
/// others.
///
/// ```
/// use mailtool::wire::saslprep::unassigned;
///
/// assert_eq!(unassigned("stra\u{df}e"), None);
/// assert_eq!(unassigned("a\u{1f600}"), Some('\u{1f600}'));
/// ```
pub fn unassigned(text: &str) -> Option<char> {
    let mut letters = text.chars().filter(|letter| !letter.is_ascii());
    letters.find(|letter| runs::has(&tables::UNASSIGNED, *letter))
}

/// The form in which a password is hashed; one that has none (it is no text, or holds what is prohibited) as it is: it was taken once,
/// and is not to be refused now.
pub fn password(octets: &[u8]) -> Cow<'_, [u8]> {
    if octets.is_ascii() {
        return Cow::Borrowed(octets);
    }
    match std::str::from_utf8(octets).ok().and_then(prepare) {
        Some(prepared) => Cow::Owned(prepared.into_owned().into_bytes()),
        None => Cow::Borrowed(octets),
    }
}

/// RFC 3454 §6
fn is_of_one_direction(text: &str) -> bool {
    let to_left = |letter: char| runs::has(&tables::RIGHT_TO_LEFT, letter);
    if !text.chars().any(to_left) {
        return true;
    }
    let mut letters = text.chars();
    let (first, last) = (letters.next(), text.chars().next_back());
    first.is_some_and(to_left)
        && last.is_some_and(to_left)
        && !text
            .chars()
            .any(|letter| runs::has(&tables::LEFT_TO_RIGHT, letter))
}

/// RFC 3454 C.1.2
const fn is_space(letter: char) -> bool {
    matches!(
        letter,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200b}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// RFC 3454 B.1
const fn is_nothing(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}'
            | '\u{34f}'
            | '\u{1806}'
            | '\u{180b}'..='\u{180d}'
            | '\u{200c}'
            | '\u{200d}'
            | '\u{2060}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
    )
}

/// RFC 3454 C.2 to C.9
const fn is_prohibited(letter: char) -> bool {
    letter.is_ascii_control()
        || matches!(
            letter,
            '\u{80}'..='\u{9f}'
                | '\u{340}'
                | '\u{341}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{180e}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2061}'..='\u{2063}'
                | '\u{206a}'..='\u{206f}'
                | '\u{2ff0}'..='\u{2ffb}'
                | '\u{e000}'..='\u{f8ff}'
                | '\u{fdd0}'..='\u{fdef}'
                | '\u{fff9}'..='\u{fffd}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0001}'
                | '\u{e0020}'..='\u{e007f}'
                | '\u{f0000}'..='\u{10ffff}'
        )
        || letter as u32 & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_looks_the_same_is_the_same() {
        let prepared = |text: &'static str| prepare(text).map(Cow::into_owned);
        assert_eq!(prepared("cafe\u{301}").as_deref(), Some("caf\u{e9}"));
        assert_eq!(prepared("a\u{a0}b\u{3000}c").as_deref(), Some("a b c"));
        assert_eq!(prepared("\u{ff41}\u{fb01}").as_deref(), Some("afi"));
        assert_eq!(prepared("user").as_deref(), Some("user"));
        for wrong in ["\u{e9}\n", "\u{e9}\u{202e}", "\u{e000}", "\u{1ffff}", "\r"] {
            assert_eq!(prepared(wrong), None, "{wrong:?}");
        }
        assert_eq!(&*password(b"\xff\xfe"), b"\xff\xfe");
        assert_eq!(&*password("e\u{301}".as_bytes()), "\u{e9}".as_bytes());
        assert_eq!(
            &*password("\u{e9}\u{202e}".as_bytes()),
            "\u{e9}\u{202e}".as_bytes()
        );
    }

    #[test]
    fn a_text_goes_in_one_direction() {
        let fits = |text: &str| prepare(text).is_some();
        // RFC 4013 §3: an Arabic letter and a digit.
        assert!(!fits("\u{627}1"));
        assert!(fits("\u{627}1\u{628}"));
        assert!(!fits("\u{627}a\u{628}"));
        assert!(!fits("a\u{627}"));
        assert!(fits("\u{5d0} \u{5d1}"));
        // One that is taken as it is: nobody is kept out who was let in.
        assert_eq!(&*password("\u{627}1".as_bytes()), "\u{627}1".as_bytes());
    }

    #[test]
    fn the_tables_are_those_of_the_standard() {
        let script = "import stringprep as s\nfor f in (s.in_table_a1, s.in_table_d1, s.in_table_d2):\n print(''.join('1' if not 0xd800 <= c <= 0xdfff and f(chr(c)) else '0' for c in range(0x110000)))\n";
        let python = std::process::Command::new("python3")
            .args(["-c", script])
            .output();
        let Ok(output) = python else {
            eprintln!("SKIPPED: there is no python3");
            return;
        };
        let mut lines = output.stdout.split(|octet| *octet == b'\n');
        let tables: [&[u8]; 3] = [
            &tables::UNASSIGNED,
            &tables::RIGHT_TO_LEFT,
            &tables::LEFT_TO_RIGHT,
        ];
        for table in tables {
            let line = lines.next().expect("three lines");
            assert_eq!(line.len(), 0x11_0000);
            for letter in '\0'..=char::MAX {
                let expected = line[letter as usize] == b'1';
                assert_eq!(runs::has(table, letter), expected, "{letter:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn once_is_enough(text in "\\PC{0,20}") {
            if let Some(prepared) = prepare(&text) {
                let again = prepare(&prepared);
                prop_assert_eq!(again.as_deref(), Some(&*prepared));
            }
        }
    }
}
