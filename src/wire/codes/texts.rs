//! The texts of the tables, in packed blocks: each is unpacked when the first of its texts is asked for.

use super::{Lang, Text};

/// A text of a row, in every language of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowText {
    /// Which of the blocks.
    pub(super) block: u8,
    /// Which of its texts. They are in English and in French by turns, a NUL after each.
    pub(super) number: u16,
}

impl RowText {
    /// The text in `lang`.
    pub fn of(self, lang: Lang) -> &'static str {
        self.both().of(lang)
    }

    /// The text in both languages.
    pub fn both(self) -> Text {
        let block = super::BLOCKS.get(usize::from(self.block));
        let block = block.map_or("", |block| block.texts());
        let mut texts = block.split('\0').skip(2 * usize::from(self.number));
        let en = texts.next().unwrap_or_default();
        let fr = texts.next().unwrap_or_default();
        Text { en, fr }
    }
}
