//! What getopt says of a command line that it cannot cut.

use std::fmt;

/// What is wrong with a command line, before any of it is understood. Its text is getopt's, without the program's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GetoptError {
    /// There is no such letter.
    UnknownLetter(char),
    /// The letter's value is missing.
    LetterNeedsValue(char),
    /// There is no such long option; with all that stood behind it.
    UnknownLong(String),
    /// Its value is missing.
    LongNeedsValue(String),
    /// It takes none.
    LongTakesNoValue(String),
    /// It is the beginning of several.
    Ambiguous {
        /// What was written.
        written: String,
        /// What it may mean.
        possibilities: Vec<&'static str>,
    },
}

impl fmt::Display for GetoptError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownLetter(letter) => write!(formatter, "invalid option -- '{letter}'"),
            Self::LetterNeedsValue(letter) => {
                write!(formatter, "option requires an argument -- '{letter}'")
            }
            Self::UnknownLong(word) => write!(formatter, "unrecognized option '--{word}'"),
            Self::LongNeedsValue(name) => {
                write!(formatter, "option '--{name}' requires an argument")
            }
            Self::LongTakesNoValue(name) => {
                write!(formatter, "option '--{name}' doesn't allow an argument")
            }
            Self::Ambiguous {
                written,
                possibilities,
            } => {
                write!(
                    formatter,
                    "option '--{written}' is ambiguous; possibilities:"
                )?;
                for name in possibilities {
                    write!(formatter, " '--{name}'")?;
                }
                Ok(())
            }
        }
    }
}
