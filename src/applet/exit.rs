//! How an applet ends: exit codes in the words of sysexits(3), and errors that carry one.
//!
//! An applet's `run` returns `anyhow::Result<u8>`. Where a failure has a code of its own, it is made with [`failure`];
//! context may be laid around it, the code stays. It is printed at the end, on one line, through [`printable`]: a
//! server's words are part of it, and terminals obey control bytes.

use std::fmt;
use std::io;

/// All went well.
pub const OK: u8 = 0;
/// The answer is no: no such message, nothing found.
pub const NEGATIVE: u8 = 1;
/// `nc` in the dialect of ncat: the command line is wrong, a host is not known, or a port cannot be had.
pub const NCAT_QUITS: u8 = 2;
/// `nc`: a script in mail mode was answered otherwise than it expects.
pub const SCRIPT: u8 = 3;
/// The command line is wrong.
pub const USAGE: u8 = 64;
/// The input is wrong.
pub const DATA: u8 = 65;
/// An input file cannot be read.
pub const NO_INPUT: u8 = 66;
/// The address is unknown to the server.
pub const NO_USER: u8 = 67;
/// The host is unknown.
pub const NO_HOST: u8 = 68;
/// The server cannot be reached, or refuses for good.
pub const UNAVAILABLE: u8 = 69;
/// A bug, or the machine.
pub const SOFTWARE: u8 = 70;
/// The system would not do something that it usually does.
pub const SYSTEM: u8 = 71;
/// Reading or writing failed here.
pub const IO: u8 = 74;
/// It may go well later.
pub const TEMPORARY: u8 = 75;
/// The server says what its protocol has no room for.
pub const PROTOCOL: u8 = 76;
/// Login was refused.
pub const NO_PERMISSION: u8 = 77;

/// A failure with an exit code of its own.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// An error that ends the program with `code`. The message says what was tried, on what, why it failed, what to do.
pub fn failure(code: u8, message: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Failure {
        code,
        message: message.into(),
    })
}

/// What was to go to standard output could not be written. When its reader has gone away, nothing is said about it: it is
/// still in the chain of the error.
pub fn unwritable(error: io::Error) -> anyhow::Error {
    anyhow::Error::new(error).context(Failure {
        code: IO,
        message: "cannot write the output".to_owned(),
    })
}

/// The exit code of the [`failure`] in an error, if there is one.
pub fn code_of(error: &anyhow::Error) -> Option<u8> {
    error.downcast_ref::<Failure>().map(|failure| failure.code)
}

/// `text` with control characters escaped (`\r`, `\x1b`), but for line feeds: fit for a terminal.
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => safe.push('\n'),
            '\t' => safe.push('\t'),
            '\r' => safe.push_str("\\r"),
            control if control.is_control() => {
                safe.push_str(&format!("\\x{:02x}", u32::from(control)));
            }
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn the_code_survives_context() {
        let error = Err::<(), _>(failure(NO_HOST, "no such host"))
            .context("tried mail.example")
            .expect_err("made above");
        assert_eq!(code_of(&error), Some(NO_HOST));
        assert_eq!(format!("{error:#}"), "tried mail.example: no such host");
        assert_eq!(code_of(&anyhow::anyhow!("a bug")), None);
    }

    #[test]
    fn control_bytes_do_not_reach_the_terminal() {
        assert_eq!(printable("a\x1b[2J\r\u{9b}é\nb"), "a\\x1b[2J\\r\\x9bé\nb");
    }
}
