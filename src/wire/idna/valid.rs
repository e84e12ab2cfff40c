//! Which labels may be a domain's: RFC 5891 §4.2 and §5.4, by the rules of RFC 5892 for each letter, and of RFC 5893 for writing from
//! right to left.
//!
//! What a letter is, the standard library knows (alphabetic, numeric) and [`DISALLOWED`] corrects, so that letters of a later Unicode are
//! taken as soon as it knows them. Two rules are coarser than the standard's, which needs tables of its own for them: which letters join
//! (ZWNJ) and which way they are written goes by the blocks that they stand in.

use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

use crate::wire::runs;

/// Whether a label that is small and normalized, and has letters outside of ASCII, may be one.
pub(super) fn is_valid(label: &str) -> bool {
    let letters: Vec<char> = label.chars().collect();
    let [first, .., last] = letters[..] else {
        // A letter alone.
        return letters
            .iter()
            .all(|&letter| is_letter(letter) && !is_combining_mark(letter));
    };
    // RFC 5891 §4.2.3.1: hyphens there are for labels of another kind.
    let is_hyphened = first == '-' || last == '-' || matches!(letters[..], [_, _, '-', '-', ..]);
    !is_hyphened
        && !is_combining_mark(first)
        && (0..letters.len()).all(|place| is_fit(&letters, place))
        && is_of_one_direction(&letters)
}

/// RFC 5892 §3, and the rules of its appendix A for those that may stand in some places only.
fn is_fit(label: &[char], place: usize) -> bool {
    let letter = label[place];
    let before = place.checked_sub(1).map(|place| label[place]);
    let after = label.get(place + 1).copied();
    let is = |neighbour: Option<char>, wanted: fn(char) -> bool| neighbour.is_some_and(wanted);
    let has = |from: char, to: char| label.iter().any(|other| (from..=to).contains(other));
    match letter {
        '\u{200d}' => is(before, is_virama),
        '\u{200c}' => is(before, is_virama) || joins(&label[..place], &label[place + 1..]),
        '\u{b7}' => before == Some('l') && after == Some('l'),
        '\u{375}' => is(
            after,
            |next| matches!(next, '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}'),
        ),
        '\u{5f3}' | '\u{5f4}' => is(before, |last| matches!(last, '\u{591}'..='\u{5f4}')),
        '\u{30fb}' => label
            .iter()
            .any(|&other| other != letter && is_japanese(other)),
        '\u{660}'..='\u{669}' => !has('\u{6f0}', '\u{6f9}'),
        '\u{6f0}'..='\u{6f9}' => !has('\u{660}', '\u{669}'),
        letter => is_letter(letter),
    }
}

/// Whether it may stand anywhere.
fn is_letter(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_alphanumeric() || letter == '-';
    }
    let is_word = letter.is_alphanumeric() || is_combining_mark(letter);
    (is_word || matches!(letter, '\u{6fd}' | '\u{6fe}' | '\u{f0b}'))
        && !runs::has(&DISALLOWED, letter)
}

fn is_virama(letter: char) -> bool {
    canonical_combining_class(letter) == 9
}

/// Whether a letter before and one behind would join, in the scripts in which letters do.
fn joins(before: &[char], after: &[char]) -> bool {
    let joining = |letter: &char| {
        matches!(letter, '\u{620}'..='\u{6ff}' | '\u{710}'..='\u{77f}' | '\u{7ca}'..='\u{7ea}' | '\u{8a0}'..='\u{8c9}' | '\u{1820}'..='\u{18aa}')
            && letter.is_alphabetic()
    };
    let mut before = before.iter().rev();
    let mut after = after.iter();
    let is_mark = |letter: &&char| is_combining_mark(**letter);
    before.find(|letter| !is_mark(letter)).is_some_and(joining)
        && after.find(|letter| !is_mark(letter)).is_some_and(joining)
}

const fn is_japanese(letter: char) -> bool {
    matches!(letter, '\u{3005}' | '\u{3007}' | '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{323af}')
}

/// RFC 5893 §2: a label from right to left begins with such a letter, ends with one or a digit, and has none of the other direction, nor
/// digits of two kinds.
fn is_of_one_direction(label: &[char]) -> bool {
    let to_left = |letter: &char| {
        matches!(letter, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
            && (letter.is_alphabetic() || matches!(letter, '\u{5f3}' | '\u{5f4}'))
            && !is_combining_mark(*letter)
    };
    if !label.iter().any(to_left) {
        return true;
    }
    let arabic_digit = |letter: &char| matches!(letter, '\u{660}'..='\u{669}');
    let european_digit =
        |letter: &char| letter.is_ascii_digit() || matches!(letter, '\u{6f0}'..='\u{6f9}');
    let is_digit = |letter: &char| arabic_digit(letter) || european_digit(letter);
    let other_way =
        |letter: &char| letter.is_alphabetic() && !to_left(letter) && !is_combining_mark(*letter);
    let last = label
        .iter()
        .rev()
        .find(|letter| !is_combining_mark(**letter));
    label.first().is_some_and(to_left)
        && last.is_some_and(|last| to_left(last) || is_digit(last))
        && !label.iter().any(other_way)
        && !(label.iter().any(arabic_digit) && label.iter().any(european_digit))
}

/// Code points that look like letters, digits or marks to the standard library, and are DISALLOWED (RFC 5892 §2, §3): numbers that are
/// no digits, marks that cannot be seen, Hangul of before, signs of music; see [`runs`].
#[rustfmt::skip]
const DISALLOWED: [u8; 273] = [
    197, 6, 1, 9, 1, 184, 2, 2, 182, 3, 1, 185, 3, 1, 249, 3, 6, 248, 2, 6, 120, 3, 133, 1, 7, 217, 1, 7, 17, 9, 177,
    3, 10, 204, 3, 128, 2, 233, 2, 20, 123, 6, 240, 5, 3, 195, 1, 2, 58, 10, 17, 3, 1, 1, 202, 3, 1, 227, 1, 1, 193,
    3, 9, 247, 5, 8, 8, 8, 8, 8, 10, 3, 2, 1, 10, 3, 2, 1, 42, 3, 2, 1, 216, 1, 33, 143, 1, 3, 2, 4, 226, 6, 21, 246,
    4, 30, 233, 10, 1, 163, 6, 9, 4, 2, 1, 5, 5, 1, 140, 4, 8, 160, 232, 1, 3, 115, 10, 192, 2, 6, 170, 2, 29, 243, 3,
    80, 240, 87, 23, 4, 49, 132, 76, 16, 247, 5, 45, 12, 57, 17, 2, 213, 2, 27, 36, 4, 29, 1, 8, 1, 134, 1, 5, 130, 9,
    8, 25, 7, 39, 9, 75, 5, 22, 6, 160, 1, 2, 2, 16, 2, 46, 64, 9, 52, 2, 30, 3, 75, 5, 104, 8, 24, 8, 41, 7, 202, 2,
    6, 224, 2, 31, 158, 1, 10, 42, 4, 112, 7, 134, 1, 20, 251, 2, 20, 197, 10, 2, 174, 3, 9, 231, 6, 19, 211, 6, 21,
    171, 8, 111, 236, 141, 1, 7, 158, 6, 23, 206, 197, 1, 5, 3, 6, 8, 8, 2, 7, 30, 4, 148, 1, 3, 123, 20, 12, 20, 108,
    25, 206, 42, 9, 161, 7, 59, 1, 3, 1, 4, 76, 45, 1, 15, 205, 7, 2, 67, 26, 6, 26, 246, 158, 48, 240, 1,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_keeps_the_rules_of_its_script() {
        for label in [
            "b\u{fc}cher",
            "\u{e4}",
            // Catalan
            "l\u{b7}l\u{e0}",
            // a letter, a virama, a joiner
            "\u{915}\u{94d}\u{200d}\u{937}",
            // Persian, with its non-joiner
            "\u{646}\u{627}\u{645}\u{647}\u{200c}\u{627}\u{6cc}",
            "\u{375}\u{3b1}",
            "\u{5d0}\u{5f3}",
            "\u{30a2}\u{30fb}\u{30a4}",
            "\u{627}\u{628}1",
            "\u{627}\u{628}\u{661}",
            "\u{4e8c}\u{3007}",
        ] {
            assert!(is_valid(label), "{label}");
        }
        for label in [
            "-\u{fc}",
            "\u{fc}-",
            "ab--\u{fc}",
            "\u{301}a\u{fc}",
            "a\u{b7}l\u{e0}",
            "\u{915}\u{200d}\u{937}",
            "a\u{200c}\u{e4}",
            "\u{375}a",
            "a\u{5f3}\u{e4}",
            "a\u{30fb}\u{e4}",
            "\u{627}a",
            "1\u{627}",
            "\u{627}\u{661}\u{6f1}",
            "\u{627}1\u{661}",
            // a number that is no digit, an old jamo, a variation selector
            "a\u{2180}",
            "\u{1100}",
            "a\u{fe0f}\u{e4}",
            "\u{2603}",
        ] {
            assert!(!is_valid(label), "{label:?}");
        }
    }

    /// Against the tables of Python's idna, as far as it is installed and its Unicode reaches.
    #[test]
    fn letters_are_those_of_the_tables() {
        let script = "import idna.idnadata as d, unicodedata as u\n\
                      s = set()\n\
                      for n in ('PVALID', 'CONTEXTJ', 'CONTEXTO'):\n for r in d.codepoint_classes[n]: s.update(range(r >> 32, r & 0xffffffff))\n\
                      print(''.join('?' if 0xd800 <= c < 0xe000 or u.category(chr(c)) in ('Cn', 'Co') else '1' if c in s else '0' for c in range(0x110000)))\n";
        let python = std::process::Command::new("python3")
            .args(["-c", script])
            .output();
        let tables = python.map(|output| output.stdout).unwrap_or_default();
        if tables.len() < 0x11_0000 {
            return eprintln!("SKIPPED: Python's idna is not installed");
        }
        let in_some_places = "\u{b7}\u{375}\u{5f3}\u{5f4}\u{200c}\u{200d}\u{30fb}";
        for letter in '\u{80}'..=char::MAX {
            let known = tables[letter as usize];
            let small: String = letter.to_lowercase().collect();
            // Others do not come here: they are made small and normalized before.
            if known == b'?' || small != letter.to_string() || in_some_places.contains(letter) {
                continue;
            }
            let normal: String =
                unicode_normalization::UnicodeNormalization::nfkc(small.chars()).collect();
            if normal == small {
                assert_eq!(is_letter(letter), known == b'1', "{:x}", u32::from(letter));
            }
        }
    }
}
