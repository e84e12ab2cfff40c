//! `-e` and `-c`: a program talks to the peer in the user's place.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::Netcat;
use super::complaint::{Complaint, reason};
use super::dialect::Dialect;
use super::options;
use super::talk::{LAST_WORDS, side};
use super::witnesses::Among;
use crate::applet::FAILURE;
use crate::proto::raw::{Outcome, Role};
use crate::reactor::child::Program;
use crate::reactor::hall::serve_one;
use crate::reactor::relay::{Link, Manner};
use crate::tap::dump::Cutting;

impl Netcat {
    /// The one peer behind `link` is served by `program`.
    pub(super) fn run_program(
        &self,
        role: Role,
        program: &options::Program,
        link: Link,
    ) -> Result<Outcome, Complaint> {
        let program = Program::from(program);
        let manner = Manner {
            tap: self
                .witnesses
                .tap(side(role), Among::Alone, Cutting::Pieces),
            linger: Some(LAST_WORDS),
            ..self.manner()
        };
        let served = serve_one(&program, link, self.ends().of_program(), manner);
        let served = served.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => {
                self.no_program(program.file(), &error)
            }
            _ => self.trouble(&error),
        })?;
        self.tell_totals(role, &served.report);
        let outcome = self.judge(role, served.report.outcome)?;
        match served.status.map(code_of) {
            // There the program takes netcat's place, and its exit code is all that is left.
            Some(code) if code != 0 && self.options.dialect == Dialect::Traditional => {
                Err(Complaint::OfProgram(code))
            }
            _ => Ok(outcome),
        }
    }

    /// A program could not be started.
    pub(super) fn no_program(&self, file: &OsStr, error: &std::io::Error) -> Complaint {
        self.words
            .no_program(&file.to_string_lossy(), &reason(error))
    }
}

/// As a shell has it: who was ended by a signal has 128 and its number.
fn code_of(status: ExitStatus) -> u8 {
    let code = status.code();
    let code = code.or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(FAILURE)
}

impl From<&options::Program> for Program {
    fn from(program: &options::Program) -> Self {
        match program {
            options::Program::Shell(line) => Self::shell(line),
            options::Program::Plain(words) => {
                let mut words = words.iter();
                let file = words.next().cloned().unwrap_or_default();
                Self::new(file, words.cloned().collect::<Vec<OsString>>())
            }
        }
    }
}
