//! Rights on a mailbox, a letter each (RFC 4314 §2.1).
//!
//! ```text
//! l lookup     r read      s seen     w write    i insert   p post
//! k create     x delete    t deleted  e expunge  a administer
//! c = k x      d = t e     the two of RFC 2086 that became several: taken, and told with the others (§2.1.1)
//! ```

use std::fmt;

/// A set of rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(u16);

impl Rights {
    /// None.
    pub const NONE: Self = Self(0);
    /// `l`: LIST shows the mailbox.
    pub const LOOKUP: Self = Self(1);
    /// `r`: SELECT and STATUS.
    pub const READ: Self = Self(1 << 1);
    /// `s`: `\Seen` is set and cleared.
    pub const SEEN: Self = Self(1 << 2);
    /// `w`: other flags, but `\Deleted`.
    pub const WRITE: Self = Self(1 << 3);
    /// `i`: APPEND, and COPY into it.
    pub const INSERT: Self = Self(1 << 4);
    /// `p`: mail may be sent to it; nothing here asks.
    pub const POST: Self = Self(1 << 5);
    /// `k`: mailboxes below it are made.
    pub const CREATE: Self = Self(1 << 6);
    /// `x`: DELETE, and RENAME of it.
    pub const DELETE: Self = Self(1 << 7);
    /// `t`: `\Deleted` is set and cleared.
    pub const DELETED: Self = Self(1 << 8);
    /// `e`: EXPUNGE.
    pub const EXPUNGE: Self = Self(1 << 9);
    /// `a`: the rights of others are seen and changed.
    pub const ADMINISTER: Self = Self(1 << 10);
    /// All of them.
    pub const ALL: Self = Self((1 << LETTERS.len()) - 1);
    /// What an owner always has, so that nobody locks himself out.
    pub const OWNERS: Self = Self::LOOKUP.union(Self::ADMINISTER);
    /// One of these is needed to ask which one has (RFC 4314 §4, MYRIGHTS).
    pub const KNOWN_TO_EXIST: Self = Self(
        Self::LOOKUP.0
            | Self::READ.0
            | Self::INSERT.0
            | Self::CREATE.0
            | Self::DELETE.0
            | Self::ADMINISTER.0,
    );
    /// With one of these a mailbox can be changed once it is selected (RFC 4314 §5.2).
    pub const CHANGES: Self =
        Self(Self::SEEN.0 | Self::WRITE.0 | Self::INSERT.0 | Self::DELETED.0 | Self::EXPUNGE.0);

    /// Of letters; `Err` with the first that is none.
    ///
    /// ```
    /// use mailtool::wire::imap::rights::Rights;
    ///
    /// assert_eq!(Rights::parse("lrd").unwrap().to_string(), "lrted");
    /// assert_eq!(Rights::parse("lq"), Err('q'));
    /// ```
    pub fn parse(letters: &str) -> Result<Self, char> {
        let mut rights = Self::NONE;
        for letter in letters.chars() {
            rights = rights.union(match letter {
                'c' => Self::CREATE.union(Self::DELETE),
                'd' => Self::DELETED.union(Self::EXPUNGE),
                letter => Self::of_letter(letter).ok_or(letter)?,
            });
        }
        Ok(rights)
    }

    /// Of one letter, or of one of Dovecot's words.
    pub fn of_word(word: &str) -> Option<Self> {
        let at = WORDS.iter().position(|known| *known == word)?;
        Some(Self(1 << at))
    }

    fn of_letter(letter: char) -> Option<Self> {
        let at = LETTERS.iter().position(|known| *known == letter)?;
        Some(Self(1 << at))
    }

    /// Both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// Those that are in both.
    #[must_use]
    pub const fn among(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
    /// Those that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
    /// Whether all of `other` are there.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Their letters without `c` and `d`: as `dovecot-acl` has them.
    pub fn letters(self) -> String {
        let there = |(at, _): &(usize, &char)| self.0 >> at & 1 == 1;
        let letters = LETTERS.iter().enumerate();
        letters.filter(there).map(|(_, letter)| *letter).collect()
    }
    /// What they are called, for people: `"i" (insert)`.
    pub fn in_words(self) -> String {
        let there = (0..LETTERS.len()).filter(|at| self.0 >> at & 1 == 1);
        let words: Vec<String> = there
            .map(|at| format!("\"{}\" ({})", LETTERS[at], WORDS[at]))
            .collect();
        words.join(" and ")
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.letters())?;
        let any = |of: Self| !self.among(of).is_empty();
        if any(Self::CREATE.union(Self::DELETE)) {
            formatter.write_str("c")?;
        }
        if any(Self::DELETED.union(Self::EXPUNGE)) {
            formatter.write_str("d")?;
        }
        Ok(())
    }
}

const LETTERS: [char; 11] = ['l', 'r', 's', 'w', 'i', 'p', 'k', 'x', 't', 'e', 'a'];
/// Dovecot's names for them.
const WORDS: [&str; 11] = [
    "lookup",
    "read",
    "write-seen",
    "write",
    "insert",
    "post",
    "create",
    "delete",
    "write-deleted",
    "expunge",
    "admin",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_stand_for_rights() {
        assert_eq!(Rights::ALL.to_string(), "lrswipkxteacd");
        assert_eq!(Rights::parse("lrswipkxtea"), Ok(Rights::ALL));
        assert_eq!(Rights::parse("cd").unwrap().letters(), "kxte");
        assert_eq!(Rights::parse("lr").unwrap().to_string(), "lr");
        assert_eq!(Rights::parse("R"), Err('R'));
        assert_eq!(Rights::parse(""), Ok(Rights::NONE));
        assert_eq!(Rights::of_word("write-seen"), Some(Rights::SEEN));
        assert_eq!(Rights::of_word("nothing"), None);
        let both = Rights::INSERT.union(Rights::EXPUNGE);
        assert_eq!(both.in_words(), "\"i\" (insert) and \"e\" (expunge)");
    }
}
