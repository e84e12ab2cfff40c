//! LIST's wildcards: `*` is anything, `%` anything within one level (RFC 3501 §6.3.8).

/// A reference and a pattern, joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<u8>);

/// Between the levels of a mailbox's name.
pub const SEPARATOR: u8 = b'/';

impl Pattern {
    /// The pattern that a `reference` and a `mailbox` pattern make together: one after the other, as if typed so.
    pub fn new(reference: &[u8], mailbox: &[u8]) -> Self {
        let mut pattern: Vec<u8> = Vec::with_capacity(reference.len() + mailbox.len());
        for &byte in reference.iter().chain(mailbox) {
            // A run of wildcards is one of them.
            match (pattern.last(), byte) {
                (Some(b'*'), b'*' | b'%') | (Some(b'%'), b'%') => {}
                (Some(b'%'), b'*') => {
                    pattern.pop();
                    pattern.push(b'*');
                }
                _ => pattern.push(byte),
            }
        }
        // INBOX is INBOX in any case, as a whole level at the top only (RFC 3501 §5.1).
        let top = pattern
            .iter()
            .position(|&byte| matches!(byte, SEPARATOR | b'*' | b'%'))
            .unwrap_or(pattern.len());
        let whole = pattern.get(top).is_none_or(|&byte| byte == SEPARATOR);
        if whole && pattern[..top].eq_ignore_ascii_case(b"INBOX") {
            pattern[..top].copy_from_slice(b"INBOX");
        }
        Self(pattern)
    }

    /// The pattern.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether `name` is meant. Takes time in proportion to both lengths multiplied, at worst.
    ///
    /// ```
    /// use mailtool::wire::imap::pattern::Pattern;
    ///
    /// assert!(Pattern::new(b"", b"lists/%").matches("lists/rust"));
    /// assert!(!Pattern::new(b"", b"lists/%").matches("lists/rust/old"));
    /// assert!(Pattern::new(b"lists/", b"*").matches("lists/rust/old"));
    /// ```
    pub fn matches(&self, name: &str) -> bool {
        self.matches_octets(name.as_bytes())
            || (name == "INBOX" && self.0.iter().any(u8::is_ascii_lowercase) && {
                let upper = Self(self.0.to_ascii_uppercase());
                upper.matches_octets(b"INBOX")
            })
    }

    fn matches_octets(&self, name: &[u8]) -> bool {
        // reached[i]: the first i octets of the pattern can match what has been read of the name.
        let pattern = &self.0;
        let mut reached = vec![false; pattern.len() + 1];
        reached[0] = true;
        skip_wildcards(pattern, &mut reached);
        for &byte in name {
            for at in (0..pattern.len()).rev() {
                let (here, stays) = match pattern[at] {
                    b'*' => (false, reached[at] || reached[at + 1]),
                    b'%' => (false, (reached[at] || reached[at + 1]) && byte != SEPARATOR),
                    literal => (literal == byte, false),
                };
                reached[at + 1] = (here && reached[at]) || stays;
            }
            reached[0] = false;
            skip_wildcards(pattern, &mut reached);
        }
        reached[pattern.len()]
    }
}

/// A wildcard may stand for nothing.
fn skip_wildcards(pattern: &[u8], reached: &mut [bool]) {
    for (at, &byte) in pattern.iter().enumerate() {
        if matches!(byte, b'*' | b'%') && reached[at] {
            reached[at + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition.
    fn naive(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*', rest)) => (0..=name.len()).any(|skip| naive(rest, &name[skip..])),
            Some((b'%', rest)) => (0..=name.len())
                .take_while(|&skip| !name[..skip].contains(&b'/'))
                .any(|skip| naive(rest, &name[skip..])),
            Some((byte, rest)) => name.first() == Some(byte) && naive(rest, &name[1..]),
        }
    }

    #[test]
    fn inbox_in_any_case() {
        for pattern in ["inbox", "iNb%", "*", "%", "INBOX", "in*x"] {
            assert!(
                Pattern::new(b"", pattern.as_bytes()).matches("INBOX"),
                "{pattern}"
            );
        }
        assert!(Pattern::new(b"inbox/", b"%").matches("INBOX/a"));
        assert!(!Pattern::new(b"", b"work").matches("Work"));
    }

    proptest! {
        #[test]
        fn as_defined(pattern in "[ab/*%]{0,8}", name in "[ab/]{0,10}") {
            let found = Pattern::new(b"", pattern.as_bytes()).matches(&name);
            prop_assert_eq!(found, naive(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
