//! Domains with letters outside of ASCII: from `bücher.example`, as people write it (U-labels), to `xn--bcher-kva.example`, as the DNS
//! has it (A-labels; RFC 5890, RFC 3492).
//!
//! A label is put into small letters, normalized (NFKC), looked at ([`valid`]: RFC 5891, 5892, 5893) and encoded.

mod valid;

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// The domain in A-labels, in small letters where it had others than ASCII's; as it stands where it is ASCII. `None` when it can be no
/// domain.
///
/// ```
/// use mailtool::wire::idna::to_ascii;
///
/// assert_eq!(to_ascii("B\u{fc}cher.example").as_deref(), Some("xn--bcher-kva.example"));
/// assert_eq!(to_ascii("Mail.example").as_deref(), Some("Mail.example"));
/// assert_eq!(to_ascii("a\u{ff20}b.example"), None);
/// ```
pub fn to_ascii(domain: &str) -> Option<Cow<'_, str>> {
    if domain.is_ascii() {
        return Some(Cow::Borrowed(domain));
    }
    let mut ascii = String::with_capacity(domain.len() + 8);
    // RFC 3490 §3.1: dots of other scripts part labels too.
    let is_dot = |letter| matches!(letter, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}');
    for (place, label) in domain.split(is_dot).enumerate() {
        if place > 0 {
            ascii.push('.');
        }
        let small = label.nfkc().flat_map(small).nfkc();
        let small: String = small.collect();
        if small.is_ascii() {
            let is_fit = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
            if !small.chars().all(is_fit) {
                return None;
            }
            ascii.push_str(&small);
            continue;
        }
        if !valid::is_valid(&small) {
            return None;
        }
        let start = ascii.len();
        ascii.push_str("xn--");
        encode(&small, &mut ascii)?;
        if ascii.len() - start > LABEL {
            return None;
        }
    }
    (ascii.len() <= DOMAIN).then_some(Cow::Owned(ascii))
}

/// Appends the letters of a label in Punycode (RFC 3492 §6.3).
fn encode(label: &str, out: &mut String) -> Option<()> {
    let basic = label.chars().filter(char::is_ascii);
    out.extend(basic.clone());
    let basic = basic.count();
    if basic > 0 {
        out.push('-');
    }
    let letters: u32 = label.chars().count().try_into().ok()?;
    let mut handled: u32 = basic.try_into().ok()?;
    let (mut point, mut delta, mut bias, mut is_first) = (128u32, 0u32, 72u32, true);
    while handled < letters {
        let next = label
            .chars()
            .map(u32::from)
            .filter(|&at| at >= point)
            .min()?;
        delta = delta.checked_add((next - point).checked_mul(handled + 1)?)?;
        point = next;
        for letter in label.chars().map(u32::from) {
            if letter < point {
                delta = delta.checked_add(1)?;
            }
            if letter == point {
                let mut left = delta;
                let mut digit_at = BASE;
                loop {
                    let threshold = digit_at.saturating_sub(bias).clamp(1, 26);
                    if left < threshold {
                        break;
                    }
                    let span = BASE - threshold;
                    out.push(digit(threshold + (left - threshold) % span));
                    left = (left - threshold) / span;
                    digit_at += BASE;
                }
                out.push(digit(left));
                handled += 1;
                bias = adapt(delta, handled, is_first);
                (delta, is_first) = (0, false);
            }
        }
        delta += 1;
        point += 1;
    }
    Some(())
}

/// RFC 3492 §6.1
const fn adapt(delta: u32, letters: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / 700 } else { delta / 2 };
    delta += delta / letters;
    let mut bias = 0;
    while delta > 455 {
        delta /= BASE - 1;
        bias += BASE;
    }
    bias + BASE * delta / (delta + 38)
}

/// `a` to `z`, then `0` to `9`.
fn digit(value: u32) -> char {
    match u8::try_from(value) {
        Ok(letter @ 0..26) => char::from(b'a' + letter),
        Ok(number @ 26..36) => char::from(b'0' + number - 26),
        // No digit is as large as the base.
        _ => '-',
    }
}

/// In small letters; of Cherokee those that were there first (RFC 5892 §2.2, as Unicode folds it).
fn small(letter: char) -> impl Iterator<Item = char> {
    let is_cherokee = matches!(letter, '\u{13a0}'..='\u{13fd}' | '\u{ab70}'..='\u{abbf}');
    let upper = is_cherokee.then(|| letter.to_uppercase());
    let lower = (!is_cherokee).then(|| letter.to_lowercase());
    upper
        .into_iter()
        .flatten()
        .chain(lower.into_iter().flatten())
}

/// RFC 3492 §5
const BASE: u32 = 36;
/// Octets of a label (RFC 1035 §2.3.4).
const LABEL: usize = 63;
/// Octets of a domain (RFC 5321 §4.5.3.1.2).
const DOMAIN: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_standard() {
        // RFC 3492 §7.1
        for (letters, encoded) in [
            (
                "\u{644}\u{64a}\u{647}\u{645}\u{627}\u{628}\u{62a}\u{643}\u{644}\u{645}\u{648}\u{634}\u{639}\u{631}\u{628}\u{64a}\u{61f}",
                "egbpdaj6bu4bxfgehfvwxn",
            ),
            (
                "\u{4ed6}\u{4eec}\u{4e3a}\u{4ec0}\u{4e48}\u{4e0d}\u{8bf4}\u{4e2d}\u{6587}",
                "ihqwcrb4cv8a8dqg056pqjye",
            ),
            (
                "porqu\u{e9}nopuedensimplementehablarenespa\u{f1}ol",
                "porqunopuedensimplementehablarenespaol-fmd56a",
            ),
            (
                "3\u{5e74}b\u{7d44}\u{91d1}\u{516b}\u{5148}\u{751f}",
                "3b-ww4c5e180e575a65lsy2b",
            ),
            (
                "\u{305d}\u{306e}\u{30b9}\u{30d4}\u{30fc}\u{30c9}\u{3067}",
                "d9juau41awczczp",
            ),
            ("-> $1.00 <-", "-> $1.00 <--"),
        ] {
            let mut out = String::new();
            encode(letters, &mut out).expect("short");
            assert_eq!(out, encoded);
        }
    }

    #[test]
    fn labels_are_made_small_and_whole() {
        let ascii = |domain: &'static str| to_ascii(domain).map(Cow::into_owned);
        assert_eq!(
            ascii("M\u{dc}NCHEN.Example").as_deref(),
            Some("xn--mnchen-3ya.example")
        );
        assert_eq!(
            ascii("mu\u{308}nchen.example").as_deref(),
            Some("xn--mnchen-3ya.example")
        );
        assert_eq!(
            ascii("b\u{fc}cher\u{3002}example").as_deref(),
            Some("xn--bcher-kva.example")
        );
        assert_eq!(
            ascii("stra\u{df}e.example").as_deref(),
            Some("xn--strae-oqa.example")
        );
        for wrong in [
            "\u{e9} .example",
            "\u{e9}\u{ff0f}x",
            "\u{202e}x.example",
            "\u{2603}.example",
        ] {
            assert_eq!(ascii(wrong), None, "{wrong:?}");
        }
        let long = "\u{fc}".repeat(80);
        assert_eq!(to_ascii(&long), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_ascii_or_nothing(domain in "\\PC{0,80}") {
            if let Some(ascii) = to_ascii(&domain) {
                prop_assert!(ascii.is_ascii());
                let again = to_ascii(&ascii);
                prop_assert_eq!(again.as_deref(), Some(&*ascii));
            }
        }
    }
}
