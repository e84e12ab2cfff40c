//! What stops it: a message on stderr, and the exit code.

use std::fmt;
use std::io;

use super::dialect::Dialect;
use crate::applet::{FAILURE, exit, in_language, lang};
pub use crate::reactor::reason;

/// Why it stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// The operands make no sense: say how it is called.
    Usage,
    /// The command line asks for what cannot be.
    Refused(String),
    /// It was tried, and went wrong.
    Failed(String),
    /// It went wrong, and there is nothing to say about it.
    Silent,
    /// A program in our place has ended so, and so do we.
    OfProgram(u8),
}

impl Complaint {
    /// The command line asks for what cannot be.
    pub fn refused(text: impl fmt::Display) -> Self {
        Self::Refused(text.to_string())
    }

    /// It went wrong.
    pub fn failed(text: impl fmt::Display) -> Self {
        Self::Failed(text.to_string())
    }

    /// Of what no netcat has words for: ours are in the user's language.
    pub fn in_our_words(self) -> Self {
        match self {
            Self::Failed(text) => Self::Failed(in_language(lang(), text)),
            other => other,
        }
    }

    /// ncat tells a wrong command line, and what it cannot begin at all (2), from a network that failed (1).
    pub const fn exit_code(&self, dialect: Dialect) -> u8 {
        match (dialect, self) {
            (Dialect::Ncat, Self::Usage | Self::Refused(_)) => exit::NCAT_QUITS,
            (_, Self::OfProgram(code)) => *code,
            _ => FAILURE,
        }
    }
}

impl From<io::Error> for Complaint {
    fn from(error: io::Error) -> Self {
        Self::Failed(reason(&error))
    }
}
