//! Sets of numbers: as a client writes them (`1:3,7,*`), and as they are worked with.
//!
//! [`SequenceSet`] is what was written. What `*` is depends on the mailbox, so it becomes a [`Ranges`] only there:
//! ascending, without overlap, as short as can be. `1:*` is one range however many messages there are.

use crate::wire::imap::response;
use crate::wire::imap::scan::{Scan, Scanner, problem};

/// A sequence-set as it was written (RFC 3501 §9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequenceSet(Written);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Written {
    /// Numbers and ranges.
    Numbers(Vec<(Number, Number)>),
    /// `$`: what the last SEARCH with SAVE has found (RFC 5182).
    Saved,
}

/// A number in a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Is(u32),
    /// `*`: the largest in use.
    Largest,
}

impl SequenceSet {
    /// Scans one.
    pub fn scan(scanner: &mut Scanner<'_>) -> Scan<Self> {
        if scanner.eat(b'$') {
            return Ok(Self(Written::Saved));
        }
        let mut parts = Vec::new();
        loop {
            let first = Number::scan(scanner)?;
            let last = if scanner.eat(b':') {
                Number::scan(scanner)?
            } else {
                first
            };
            parts.push((first, last));
            if !scanner.eat(b',') {
                return Ok(Self(Written::Numbers(parts)));
            }
        }
    }

    /// Whether `*` is in it.
    pub fn has_largest(&self) -> bool {
        self.parts()
            .iter()
            .any(|part| part.0 == Number::Largest || part.1 == Number::Largest)
    }

    /// Whether it is `$`, which the session knows.
    pub fn is_saved(&self) -> bool {
        self.0 == Written::Saved
    }

    /// Whether it is one number, or `*`.
    pub fn is_single(&self) -> bool {
        matches!(self.parts(), [(first, last)] if first == last)
    }

    fn parts(&self) -> &[(Number, Number)] {
        match &self.0 {
            Written::Numbers(parts) => parts,
            Written::Saved => &[],
        }
    }

    /// The numbers that are meant when `largest` is the largest in use (0: none is). `5:*` holds `largest` even when that
    /// is under 5 (RFC 3501 §9: the order in a range does not matter).
    pub fn ranges(&self, largest: u32) -> Ranges {
        let value = |number| match number {
            Number::Is(number) => number,
            Number::Largest => largest.max(1),
        };
        let parts = self.parts().iter().map(|&(first, last)| {
            let (first, last) = (value(first), value(last));
            (first.min(last), first.max(last))
        });
        Ranges::from_unordered(parts.collect())
    }
}

impl Number {
    fn scan(scanner: &mut Scanner<'_>) -> Scan<Self> {
        if scanner.eat(b'*') {
            return Ok(Self::Largest);
        }
        match scanner.peek() {
            Some(b'0'..=b'9') => scanner.nz_number().map(Self::Is),
            _ => problem("expected message numbers such as 1 or 2:4 or 1,3:* or * or $"),
        }
    }
}

/// Ascending ranges of numbers, both ends included; they neither touch nor overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    /// The numbers from `first` to `last`.
    pub fn one(first: u32, last: u32) -> Self {
        Self(vec![(first, last)])
    }

    /// Those of an ascending sequence.
    pub fn from_ascending(numbers: impl IntoIterator<Item = u32>) -> Self {
        let mut ranges = Self::default();
        for number in numbers {
            ranges.push(number, number);
        }
        ranges
    }

    fn from_unordered(mut parts: Vec<(u32, u32)>) -> Self {
        parts.sort_unstable();
        let mut ranges = Self::default();
        for (first, last) in parts {
            ranges.push(first, last);
        }
        ranges
    }

    /// Adds a range that begins no sooner than the last one.
    pub fn push(&mut self, first: u32, last: u32) {
        match self.0.last_mut() {
            Some(range) if first <= range.1.saturating_add(1) => range.1 = range.1.max(last),
            _ => self.0.push((first, last)),
        }
    }

    /// Whether there is no number in it.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `number` is in it.
    pub fn contains(&self, number: u32) -> bool {
        let after = self.0.partition_point(|range| range.0 <= number);
        after > 0 && self.0[after - 1].1 >= number
    }

    /// The ranges, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.0.iter().copied()
    }

    /// Writes it as a sequence-set; nothing when it is empty.
    pub fn write(&self, out: &mut Vec<u8>) {
        for (position, &(first, last)) in self.0.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            response::number(out, first.into());
            if last > first {
                out.push(b':');
                response::number(out, last.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn scan(text: &str) -> Option<SequenceSet> {
        let mut scanner = Scanner::new(text.as_bytes());
        let set = SequenceSet::scan(&mut scanner).ok()?;
        scanner.end().ok()?;
        Some(set)
    }

    fn written(ranges: &Ranges) -> String {
        let mut out = Vec::new();
        ranges.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn sets_in_a_mailbox_of_nine() {
        for (text, meant) in [
            ("1", "1"),
            ("*", "9"),
            ("1:*", "1:9"),
            ("*:4", "4:9"),
            ("12:*", "9:12"),
            ("5,3:4,2:3", "2:5"),
            ("4294967295", "4294967295"),
            ("7,1,1", "1,7"),
        ] {
            assert_eq!(written(&scan(text).unwrap().ranges(9)), meant, "{text}");
        }
    }

    #[test]
    fn no_sets() {
        for text in [
            "",
            "0",
            "1:",
            ",1",
            "1,,2",
            "1:2:3",
            "a",
            "4294967296",
            "-1",
        ] {
            assert_eq!(scan(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn ranges_are_a_set(parts in proptest::collection::vec((1u32..60, 1u32..60), 1..12)) {
            let plain: BTreeSet<u32> =
                parts.iter().flat_map(|&(a, b)| a.min(b)..=a.max(b)).collect();
            let text: Vec<String> = parts.iter().map(|(a, b)| format!("{a}:{b}")).collect();
            let ranges = scan(&text.join(",")).unwrap().ranges(60);
            for number in 0..70 {
                prop_assert_eq!(ranges.contains(number), plain.contains(&number));
            }
            prop_assert_eq!(&Ranges::from_ascending(plain), &ranges);
            prop_assert_eq!(scan(&written(&ranges)).unwrap().ranges(60), ranges);
        }
    }
}
