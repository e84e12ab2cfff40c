//! Patterns as shells have them, for names and addresses: `*` is any text, `?` any one letter; case does not count.

use std::fmt;

/// A pattern.
///
/// ```
/// use mailtool::wire::glob::Glob;
///
/// let pattern = Glob::new("alice@*");
/// assert!(pattern.matches("Alice@example.org"));
/// assert!(!pattern.matches("malice@example.org"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Box<str>);

impl Glob {
    /// Every text is a pattern.
    pub fn new(pattern: &str) -> Self {
        Self(pattern.into())
    }

    /// Whether all of `text` is as the pattern says. Takes at most as many steps as the product of both lengths.
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        let (mut at, mut star) = (0, None);
        let mut pos = 0;
        while pos < text.len() {
            match pattern.get(at) {
                Some(b'*') => {
                    star = Some((at, pos));
                    at += 1;
                    continue;
                }
                Some(&one) if one == b'?' || one.eq_ignore_ascii_case(&text[pos]) => {
                    at += 1;
                    pos += 1;
                    continue;
                }
                _ => {}
            }
            // The last star takes one octet more; those before it need not.
            let Some((star_at, taken)) = star else {
                return false;
            };
            star = Some((star_at, taken + 1));
            at = star_at + 1;
            pos = taken + 1;
        }
        pattern[at..].iter().all(|&octet| octet == b'*')
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.first(), text.first()) {
            (None, None) => true,
            (Some(b'*'), _) => {
                naive(&pattern[1..], text) || !text.is_empty() && naive(pattern, &text[1..])
            }
            (Some(b'?'), Some(_)) => naive(&pattern[1..], &text[1..]),
            (Some(one), Some(other)) => one == other && naive(&pattern[1..], &text[1..]),
            _ => false,
        }
    }

    fn words(letters: &[u8], length: usize) -> Vec<Vec<u8>> {
        let mut all = vec![Vec::new()];
        let mut from = 0;
        for _ in 0..length {
            let end = all.len();
            for at in from..end {
                for letter in letters {
                    let mut longer = all[at].clone();
                    longer.push(*letter);
                    all.push(longer);
                }
            }
            from = end;
        }
        all
    }

    #[test]
    fn it_is_what_the_definition_says() {
        for pattern in words(b"ab*?", 4) {
            let shown = String::from_utf8(pattern.clone()).unwrap();
            for text in words(b"ab", 5) {
                let text = String::from_utf8(text).unwrap();
                let expected = naive(&pattern, text.as_bytes());
                assert_eq!(Glob::new(&shown).matches(&text), expected, "{shown} {text}");
            }
        }
    }
}
