//! Which netcat is spoken: three programs of one name that agree on little more than `HOST PORT`.
//!
//! The name that it is called by says it, and `--compat` overrules that: wherever it stands before `--`, for the letters in
//! front of it are its dialect's too.
//!
//! | called as | dialect |
//! |---|---|
//! | `nc`, `netcat`, `nc.openbsd`, and `mailtool nc` | Debian's nc, OpenBSD's: what `nc` is on most machines |
//! | `ncat` | Nmap's ncat |
//! | `nc.traditional` | Debian's netcat-traditional |

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::getopt::error::GetoptError;

/// A dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Debian's nc (OpenBSD's, patchlevel 1.219-1).
    OpenBsd,
    /// Nmap's ncat.
    Ncat,
    /// Debian's netcat-traditional (1.10-47).
    Traditional,
}

impl Dialect {
    /// All of them, in the order of the table of flags.
    pub const ALL: [Self; 3] = [Self::OpenBsd, Self::Ncat, Self::Traditional];

    /// The dialect of the name that the program is called by.
    pub fn of_name(name: &OsStr) -> Self {
        match Path::new(name).file_name().and_then(OsStr::to_str) {
            Some("ncat") => Self::Ncat,
            Some("nc.traditional") => Self::Traditional,
            _ => Self::OpenBsd,
        }
    }

    /// The dialect of a command line, its first word the name of the program. The last `--compat` counts.
    ///
    /// # Errors
    /// A `--compat` that names no dialect, or has no value.
    pub fn of(arguments: &[OsString]) -> Result<Self, CompatError> {
        let mut dialect = arguments
            .first()
            .map_or(Self::OpenBsd, |name| Self::of_name(name));
        let mut words = arguments.iter().skip(1);
        while let Some(word) = words.next().and_then(|word| word.to_str()) {
            let value = match word.split_once('=') {
                _ if word == "--" => break,
                Some(("--compat", value)) => value,
                None if word == "--compat" => match words.next() {
                    Some(value) => value.to_str().unwrap_or_default(),
                    None => {
                        let missing = GetoptError::LongNeedsValue("compat".to_owned());
                        return Err(CompatError::Missing(missing));
                    }
                },
                _ => continue,
            };
            dialect = Self::named(value).ok_or_else(|| CompatError::Unknown(value.to_owned()))?;
        }
        Ok(dialect)
    }

    /// The dialect that `--compat` names so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }

    /// What `--compat` calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenBsd => "openbsd",
            Self::Ncat => "ncat",
            Self::Traditional => "traditional",
        }
    }
}

/// What is wrong with a `--compat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompatError {
    /// There is no such dialect.
    Unknown(String),
    /// Nothing stands behind it.
    Missing(GetoptError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Dialect, CompatError> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        Dialect::of(&words)
    }

    #[test]
    fn the_name_says_it_and_compat_overrules_it() {
        for (line, expected) in [
            ("nc -z h 1", Dialect::OpenBsd),
            ("netcat", Dialect::OpenBsd),
            ("nc.openbsd", Dialect::OpenBsd),
            ("/usr/bin/ncat --ssl h 1", Dialect::Ncat),
            ("nc.traditional -l -p 1", Dialect::Traditional),
            ("nc -i 1 --compat=ncat h 1", Dialect::Ncat),
            ("nc h 1 --compat traditional", Dialect::Traditional),
            ("ncat --compat=openbsd h 1", Dialect::OpenBsd),
            ("nc --compat=ncat --compat=openbsd", Dialect::OpenBsd),
            ("nc h -- --compat=ncat", Dialect::OpenBsd),
        ] {
            assert_eq!(of(line), Ok(expected), "{line}");
        }
        assert_eq!(
            of("nc --compat=gnu"),
            Err(CompatError::Unknown("gnu".to_owned()))
        );
        assert!(matches!(of("nc --compat"), Err(CompatError::Missing(_))));
    }
}
