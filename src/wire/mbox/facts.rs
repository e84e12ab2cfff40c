//! What programs keep in the header of a message in an mbox for themselves.

use super::is_field;
use crate::wire::date::DateTime;

/// What the header of a message in an mbox says besides the message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its flags.
    pub marks: Marks,
    /// Keywords, as they were written.
    pub keywords: Vec<String>,
    /// What the field Date says, seconds since 1970.
    pub date: Option<i64>,
    /// A program keeps its own state in it, and no message (`X-IMAP`, as c-client and Dovecot write it in the first one).
    pub is_internal: bool,
    /// It was deleted, and is only there because nobody has compacted the file (Thunderbird).
    pub is_expunged: bool,
    /// The subject is that of [`Self::is_internal`].
    pub(super) says_internal: bool,
}

/// The flags of a message in an mbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks(u8);

impl Marks {
    /// `R` of Status
    pub const SEEN: Self = Self(1);
    /// `A` of X-Status
    pub const ANSWERED: Self = Self(1 << 1);
    /// `F`
    pub const FLAGGED: Self = Self(1 << 2);
    /// `D`
    pub const DELETED: Self = Self(1 << 3);
    /// `T`
    pub const DRAFT: Self = Self(1 << 4);
    /// `P` of a Maildir's names, which an mbox has as Mozilla's flag only.
    pub const PASSED: Self = Self(1 << 5);

    /// Whether all of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those among flags as IMAP has them, `\\Seen`, with spaces between.
    pub fn of_flags(flags: &str) -> Self {
        let known = [
            ("\\Seen", Self::SEEN),
            ("\\Answered", Self::ANSWERED),
            ("\\Flagged", Self::FLAGGED),
            ("\\Deleted", Self::DELETED),
            ("\\Draft", Self::DRAFT),
        ];
        flags.split(' ').fold(Self::default(), |marks, flag| {
            let mut known = known.iter();
            let known = known.find(|(name, _)| name.eq_ignore_ascii_case(flag));
            known.map_or(marks, |(_, mark)| marks.with(*mark))
        })
    }

    fn of_letters(letters: &[u8]) -> Self {
        letters.iter().fold(Self::default(), |marks, letter| {
            let mark = match letter {
                b'R' => Self::SEEN,
                b'A' => Self::ANSWERED,
                b'F' => Self::FLAGGED,
                b'D' => Self::DELETED,
                b'T' => Self::DRAFT,
                // `O`: no longer new.
                _ => Self::default(),
            };
            marks.with(mark)
        })
    }

    /// `X-Mozilla-Status: 0005`, hexadecimal.
    fn of_mozilla(value: &[u8], facts: &mut Facts) -> Self {
        let number = std::str::from_utf8(value).unwrap_or_default();
        let bits = u32::from_str_radix(number, 16).unwrap_or(0);
        facts.is_expunged |= bits & 0x0008 != 0;
        let known = [
            (0x0001, Self::SEEN),
            (0x0002, Self::ANSWERED),
            (0x0004, Self::FLAGGED),
            (0x1000, Self::PASSED),
        ];
        let set = known.into_iter().filter(|(bit, _)| bits & bit != 0);
        set.fold(Self::default(), |marks, (_, mark)| marks.with(mark))
    }
}

/// What becomes of a field of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Kept,
    /// It is none of the message's.
    Dropped,
    /// So long is the text.
    Length(u64),
}

impl Facts {
    /// Looks at the first line of a field.
    pub(super) fn note(&mut self, line: &[u8]) -> Field {
        let Some(colon) = memchr::memchr(b':', line) else {
            return Field::Kept;
        };
        let value = line[colon + 1..].trim_ascii();
        let is = |name: &str| is_field(line, name);
        // One look at the first letter spares all the others nearly always.
        match line[0].to_ascii_lowercase() {
            b's' if is("Status") => self.marks = self.marks.with(Marks::of_letters(value)),
            b's' if is("Subject") => {
                self.says_internal = value.starts_with(b"DON'T DELETE THIS MESSAGE");
                return Field::Kept;
            }
            b'd' if is("Date") => {
                self.date = DateTime::from_header(value).map(DateTime::unix);
                return Field::Kept;
            }
            b'c' if is("Content-Length") => {
                let octets = std::str::from_utf8(value).ok();
                return match octets.and_then(|octets| octets.parse().ok()) {
                    Some(octets) => Field::Length(octets),
                    None => Field::Kept,
                };
            }
            b'x' if is("X-Status") => self.marks = self.marks.with(Marks::of_letters(value)),
            b'x' if is("X-Keywords") || is("X-Mozilla-Keys") => {
                let words = String::from_utf8_lossy(value);
                self.keywords
                    .extend(words.split_ascii_whitespace().map(str::to_owned));
            }
            b'x' if is("X-Mozilla-Status") => {
                let marks = Marks::of_mozilla(value, self);
                self.marks = self.marks.with(marks);
            }
            b'x' if is("X-IMAP") || is("X-IMAPbase") => self.is_internal = true,
            b'x' if is("X-UID") || is("X-Mozilla-Status2") => {}
            _ => return Field::Kept,
        }
        Field::Dropped
    }

    /// All of the header has been looked at.
    pub(super) fn settle(&mut self) {
        self.is_internal &= self.says_internal;
    }
}
