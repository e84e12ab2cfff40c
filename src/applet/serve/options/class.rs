//! Options for a class at its exercise.

use std::path::{Path, PathBuf};

/// The part of the options that is about a class.
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::applet::serve) struct ClassOptions {
    /// An account for each student of a list (CSV: name, login, password, group, mail); missing passwords are made and kept
    #[arg(long, value_name = "FILE.csv", env = "MAILTOOL_CLASS", help_heading = CLASS)]
    class: Option<PathBuf>,
    /// What sessions have to show, checked as they are spoken; `lab`: the 18 manipulations of the mail lab
    #[arg(long, value_name = "FILE", env = "MAILTOOL_EXERCISE", help_heading = CLASS)]
    exercise: Option<PathBuf>,
}

const CLASS: &str = "A class (see mailtool serve class and serve progress)";

impl ClassOptions {
    /// The list of students.
    pub(in crate::applet::serve) fn class(&self) -> Option<&Path> {
        self.class.as_deref()
    }

    /// The file of the exercise.
    pub(in crate::applet::serve) fn exercise(&self) -> Option<&Path> {
        self.exercise.as_deref()
    }
}
