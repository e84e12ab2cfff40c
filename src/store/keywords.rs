//! `dovecot-keywords`: which keyword a letter `a` to `z` in a file name stands for. Lines `N name`, N from 0 to 25.

use std::fmt::Write;

use super::Flags;
use crate::wire::imap::scan::is_atom_char;

/// The file's name in a mailbox.
pub(super) const FILE: &str = "dovecot-keywords";
/// How many letters there are.
const LETTERS: usize = 26;

/// The names of keywords 0 to 25, `""` where a letter has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Keywords(pub(super) Vec<String>);

impl Keywords {
    /// Reads a file; lines that make no sense are passed over.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let mut names: Vec<String> = Vec::new();
        for line in String::from_utf8_lossy(bytes).lines() {
            let Some((number, name)) = line.split_once(' ') else {
                continue;
            };
            let Some(index) = number.parse().ok().filter(|&index| index < LETTERS) else {
                continue;
            };
            if name.is_empty() || names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                continue;
            }
            if names.len() <= index {
                names.resize(index + 1, String::new());
            }
            name.clone_into(&mut names[index]);
        }
        Self(names)
    }

    /// The whole file.
    pub(super) fn render(&self) -> String {
        let mut text = String::new();
        for (index, name) in self
            .0
            .iter()
            .enumerate()
            .filter(|(_, name)| !name.is_empty())
        {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{index} {name}");
        }
        text
    }

    /// The flag of a name, in any case (RFC 3501 §2.3.2: keywords are atoms, compared without case).
    pub(super) fn find(&self, name: &str) -> Option<Flags> {
        let at = self
            .0
            .iter()
            .position(|known| known.eq_ignore_ascii_case(name))?;
        u8::try_from(at).ok().map(Flags::keyword)
    }

    /// Gives a letter to a name; `None` when all are taken.
    pub(super) fn add(&mut self, name: &str) -> Option<Flags> {
        let at = match self.0.iter().position(String::is_empty) {
            Some(hole) => hole,
            None if self.0.len() < LETTERS => {
                self.0.push(String::new());
                self.0.len() - 1
            }
            None => return None,
        };
        name.clone_into(&mut self.0[at]);
        u8::try_from(at).ok().map(Flags::keyword)
    }

    /// The six flags of the system, and the keywords that have a name: what we may set, and show.
    pub(super) fn known(&self) -> Flags {
        (0..)
            .zip(self.shown())
            .filter(|(_, name)| !name.is_empty())
            .map(|(index, _)| Flags::keyword(index))
            .fold(Flags::SYSTEM, Flags::union)
    }

    /// The names, `""` also for those that are no atoms, as every keyword of IMAP is (RFC 3501 §9): other programs may have
    /// written anything into the file, and keep it.
    pub(super) fn shown(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|name| {
            let is_atom = name
                .bytes()
                .all(|byte| byte.is_ascii() && is_atom_char(byte));
            if is_atom { name.as_str() } else { "" }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_holes_are_kept_and_filled() {
        let mut keywords = Keywords::parse(b"0 $Forwarded\n2 Work\nx y\n26 far\n3\n4 work\n5 \n");
        assert_eq!(keywords.0, ["$Forwarded", "", "Work"]);
        assert_eq!(keywords.find("WORK"), Some(Flags::keyword(2)));
        assert_eq!(keywords.find("nothing"), None);
        assert_eq!(keywords.known(), Flags(0x3f | 1 << 6 | 1 << 8));
        assert_eq!(keywords.add("Hole"), Some(Flags::keyword(1)));
        assert_eq!(keywords.render(), "0 $Forwarded\n1 Hole\n2 Work\n");
    }

    #[test]
    fn names_that_are_no_atoms_are_kept_and_not_shown() {
        let text = "0 two words\n1 a(b\n2 \\Seen\n3 \u{e9}t\u{e9}\n4 $Fine\n";
        let mut keywords = Keywords::parse(text.as_bytes());
        assert_eq!(
            keywords.shown().collect::<Vec<_>>(),
            ["", "", "", "", "$Fine"]
        );
        assert_eq!(keywords.known(), Flags(0x3f | 1 << 10));
        assert_eq!(keywords.add("new"), Some(Flags::keyword(5)));
        assert_eq!(keywords.render(), format!("{text}5 new\n"));
    }

    #[test]
    fn there_are_26() {
        let mut keywords = Keywords::default();
        for index in 0..26 {
            assert_eq!(
                keywords.add(&format!("k{index}")),
                Some(Flags::keyword(index))
            );
        }
        assert_eq!(keywords.add("one more"), None);
    }
}
