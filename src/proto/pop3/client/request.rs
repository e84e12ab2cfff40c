//! What can be asked of a POP3 server, and which replies have more than one line.

use std::fmt;

/// What can be asked for. Messages have the numbers of this session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// How many messages, and their octets: writes `2 320`.
    Stat,
    /// Number and octets of each message, or of one: writes `1 120` lines.
    List(Option<u64>),
    /// Number and unique id of each message, or of one: writes `1 whqtswO00WBw418f9t5JxYwZ` lines.
    Uidl(Option<u64>),
    /// The header of a message and so many lines of its body.
    Top {
        /// Of which message.
        message: u64,
        /// Of its body.
        lines: u64,
    },
    /// A message.
    Retr(u64),
    /// Deletes a message, when the session ends well.
    Dele(u64),
    /// Nothing: whether one can log in.
    Noop,
    /// What was deleted in this session is not.
    Rset,
    /// What the server is and can: writes it.
    Capa,
}

impl Request {
    /// Whether lines and a dot follow `+OK` (RFC 1939 §5 and §7).
    pub const fn is_multi_line(self) -> bool {
        match self {
            Self::List(None) | Self::Uidl(None) | Self::Top { .. } | Self::Retr(_) | Self::Capa => {
                true
            }
            Self::Stat
            | Self::List(Some(_))
            | Self::Uidl(Some(_))
            | Self::Dele(_)
            | Self::Noop
            | Self::Rset => false,
        }
    }

    /// Whether the answer no means that there is no such message.
    pub(super) const fn names_message(self) -> bool {
        !matches!(
            self,
            Self::Stat | Self::List(None) | Self::Uidl(None) | Self::Noop | Self::Rset | Self::Capa
        )
    }
}

/// The command line.
impl fmt::Display for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stat => formatter.write_str("STAT"),
            Self::List(None) => formatter.write_str("LIST"),
            Self::List(Some(message)) => write!(formatter, "LIST {message}"),
            Self::Uidl(None) => formatter.write_str("UIDL"),
            Self::Uidl(Some(message)) => write!(formatter, "UIDL {message}"),
            Self::Top { message, lines } => write!(formatter, "TOP {message} {lines}"),
            Self::Retr(message) => write!(formatter, "RETR {message}"),
            Self::Dele(message) => write!(formatter, "DELE {message}"),
            Self::Noop => formatter.write_str("NOOP"),
            Self::Rset => formatter.write_str("RSET"),
            Self::Capa => formatter.write_str("CAPA"),
        }
    }
}
