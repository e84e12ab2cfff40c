//! `-e` and `-c`: a program talks to the peer in the user's place.

use std::ffi::{OsStr, OsString};

use super::Netcat;
use super::complaint::{Complaint, reason};
use super::options;
use super::talk::{LAST_WORDS, side};
use super::witnesses::Among;
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
        self.judge(role, served.report.outcome)
    }

    /// A program could not be started.
    pub(super) fn no_program(&self, file: &OsStr, error: &std::io::Error) -> Complaint {
        self.words
            .no_program(&file.to_string_lossy(), &reason(error))
    }
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
