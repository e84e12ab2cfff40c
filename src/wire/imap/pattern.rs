//! LIST's wildcards: `*` is anything, `%` anything within one level (RFC 3501 §6.3.8).

use crate::wire::lines::block::{BLOCK, Block};

/// A reference and a pattern, joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<u8>, Wildcards);

/// Whether `*` and `%` are more than letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wildcards {
    Meant,
    Letters,
}

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
        Self(pattern, Wildcards::Meant)
    }

    /// The pattern that fits this name only, whatever is in it.
    pub fn exact(name: &str) -> Self {
        Self(name.as_bytes().to_vec(), Wildcards::Letters)
    }

    /// The pattern.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether `name` is meant. Takes time in proportion to both lengths multiplied, divided by 64, at
    /// worst.
    ///
    /// ```
    /// use mailtool::wire::imap::pattern::Pattern;
    ///
    /// assert!(Pattern::new(b"", b"lists/%").matches("lists/rust"));
    /// assert!(!Pattern::new(b"", b"lists/%").matches("lists/rust/old"));
    /// assert!(Pattern::new(b"lists/", b"*").matches("lists/rust/old"));
    /// ```
    pub fn matches(&self, name: &str) -> bool {
        if self.1 == Wildcards::Letters {
            return self.0 == name.as_bytes();
        }
        self.matches_octets(name.as_bytes())
            || (name == "INBOX" && self.0.iter().any(u8::is_ascii_lowercase) && {
                let upper = Self(self.0.to_ascii_uppercase(), self.1);
                upper.matches_octets(b"INBOX")
            })
    }

    fn matches_octets(&self, name: &[u8]) -> bool {
        let mut places = Places::start(name);
        for &byte in &self.0 {
            match byte {
                b'*' => places.anything(),
                b'%' => places.one_level(),
                literal => places.literal(literal),
            }
            if places.reached.iter().all(|&word| word == 0) {
                return false;
            }
        }
        places.reached[name.len() / BLOCK] >> (name.len() % BLOCK) & 1 == 1
    }
}

/// Places in a name that the pattern so far can end at, a bit each: 64 places are a word, and one step.
struct Places<'n> {
    name: &'n [u8],
    /// Bit `i`: it can be `name[..i]`.
    reached: Vec<u64>,
}

impl<'n> Places<'n> {
    fn start(name: &'n [u8]) -> Self {
        let mut reached = vec![0; name.len() / BLOCK + 1];
        reached[0] = 1;
        Self { name, reached }
    }

    fn literal(&mut self, octet: u8) {
        let mut carry = 0;
        for (word, octets) in self.reached.iter_mut().zip(words(self.name)) {
            let next = *word & octets.load().positions(octet) & octets.bits();
            *word = next << 1 | carry;
            carry = next >> 63;
        }
    }

    /// All from the first one on.
    fn anything(&mut self) {
        let mut before = false;
        for (word, octets) in self.reached.iter_mut().zip(words(self.name)) {
            let from = match (before, *word) {
                (true, _) => u64::MAX,
                (false, 0) => 0,
                (false, word) => u64::MAX << word.trailing_zeros(),
            };
            before |= from != 0;
            // The end is a place as well.
            *word = from & (octets.bits() << 1 | 1);
        }
    }

    /// All from each on that no separator keeps apart: a sum carries each bit through the ones above it.
    fn one_level(&mut self) {
        let (mut sum_carry, mut carry) = (false, 0);
        for (word, octets) in self.reached.iter_mut().zip(words(self.name)) {
            let free = !octets.load().positions(SEPARATOR) & octets.bits();
            let begun = *word & free;
            let (sum, over) = free.overflowing_add(begun);
            let (sum, over_again) = sum.overflowing_add(u64::from(sum_carry));
            sum_carry = over || over_again;
            let passed = free & !sum | begun;
            *word |= passed << 1 | carry;
            carry = passed >> 63;
        }
    }
}

/// Up to 64 octets of a name; at the end of it, maybe none.
struct Word<'n>(&'n [u8]);

impl Word<'_> {
    fn load(&self) -> Block {
        Block::load(self.0)
    }

    /// A bit for each octet.
    const fn bits(&self) -> u64 {
        match self.0.len() {
            BLOCK => u64::MAX,
            octets => (1 << octets) - 1,
        }
    }
}

fn words(name: &[u8]) -> impl Iterator<Item = Word<'_>> {
    let end = name.len() / BLOCK * BLOCK;
    let whole = name[..end].chunks(BLOCK);
    whole.chain([&name[end..]]).map(Word)
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

    #[test]
    fn names_longer_than_a_word() {
        for octets in [62, 63, 64, 65, 127, 128, 129, 200] {
            let name = "a".repeat(octets);
            let nested = format!("{name}/{name}");
            for (pattern, one, two) in [
                ("%", true, false),
                ("*", true, true),
                ("%/%", false, true),
                ("a%a", true, false),
                ("a*a", true, true),
                ("%a%/%a%", false, true),
                ("%b", false, false),
                ("*b*", false, false),
            ] {
                let pattern = Pattern::new(b"", pattern.as_bytes());
                let found = (pattern.matches(&name), pattern.matches(&nested));
                assert_eq!(found, (one, two), "{pattern:?}, {octets}");
            }
            assert!(Pattern::new(b"", nested.as_bytes()).matches(&nested));
            assert!(!Pattern::new(b"", nested.as_bytes()).matches(&name));
        }
    }

    proptest! {
        #[test]
        fn as_defined_in_long_names(
            pattern in "[ab/*%]{0,6}",
            begins in "a{55,64}",
            name in "[ab/]{0,12}",
        ) {
            let (pattern, name) = (format!("{begins}{pattern}"), format!("{begins}{name}"));
            let found = Pattern::new(b"", pattern.as_bytes()).matches(&name);
            prop_assert_eq!(found, naive(pattern.as_bytes(), name.as_bytes()));
        }

        #[test]
        fn as_defined(pattern in "[ab/*%]{0,8}", name in "[ab/]{0,10}") {
            let found = Pattern::new(b"", pattern.as_bytes()).matches(&name);
            prop_assert_eq!(found, naive(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
