//! i;unicode-casemap: texts as they are compared, whatever their case and however their letters are put together
//! (RFC 5051 §2).

use unicode_normalization::char::decompose_compatible;

/// A text of which two are equal when the collation calls them so; in its order they are sorted.
///
/// ```
/// use mailtool::wire::casemap::casemap;
///
/// assert_eq!(casemap("Été"), casemap("E\u{301}TÉ"));
/// assert_ne!(casemap("ete"), casemap("été"));
/// ```
pub fn casemap(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_uppercase();
    }
    let mut mapped = String::with_capacity(text.len());
    for letter in text.chars() {
        decompose_compatible(titlecase(letter), |part| mapped.push(part));
    }
    mapped
}

/// The letter's titlecase, where that is one letter.
fn titlecase(letter: char) -> char {
    match letter {
        // Three letters in one: the second of each is the titlecase.
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        // Georgian has capitals, but no titlecase.
        '\u{10d0}'..='\u{10ff}' => letter,
        // With an iota that std writes as a letter of its own.
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
            char::from_u32(letter as u32 + 8).unwrap_or(letter)
        }
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => char::from_u32(letter as u32 + 9).unwrap_or(letter),
        _ => {
            let mut upper = letter.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(one), None) => one,
                _ => letter,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_are_the_same() {
        for (one, other) in [
            ("straße", "STRAßE"),
            ("ǆ", "ǅ"),
            ("\u{212a}", "k"),
            ("ﬁ", "ﬁ"),
            ("ᾳ", "ᾼ"),
            ("Ω", "ω"),
        ] {
            assert_eq!(casemap(one), casemap(other), "{one} {other}");
        }
        assert_ne!(casemap("ß"), casemap("ss"));
        assert!(casemap("a") < casemap("B"));
    }
}
