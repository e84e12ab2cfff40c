//! What the real programs do, as it was seen: `theirs.txt`. It is what ours is compared with where they are not installed,
//! or are installed in another version.
//!
//! A case is its title in brackets and what was seen, line by line. The first lines say whom it was seen of.

use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use super::Dialect;
use super::stage::version;

/// What was seen, by the titles of cases.
pub struct Record {
    versions: HashMap<String, String>,
    cases: HashMap<String, Vec<String>>,
}

impl Record {
    /// As it was kept.
    pub fn read() -> Self {
        let text = fs::read_to_string(path()).expect("the record is here");
        let (mut versions, mut cases) = (HashMap::new(), HashMap::new());
        let mut title = None;
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(version) = line.strip_prefix("# ") {
                let (program, version) = version.split_once(": ").expect("program: version");
                versions.insert(program.to_owned(), version.to_owned());
            } else if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                title = Some(name.to_owned());
                cases.insert(name.to_owned(), Vec::new());
            } else if let Some(lines) = title.as_ref().and_then(|title| cases.get_mut(title)) {
                lines.push(line.to_owned());
            }
        }
        Self { versions, cases }
    }

    /// Replaces what was kept.
    pub fn write(cases: &[(String, Vec<String>)]) {
        let mut text = String::new();
        for dialect in Dialect::ALL {
            let version = version(dialect).expect("to be seen it must be installed");
            writeln!(text, "# {}: {version}", dialect.program()).expect("a String takes it");
        }
        for (title, lines) in cases {
            write!(text, "\n[{title}]\n{}\n", lines.join("\n")).expect("a String takes it");
        }
        fs::write(path(), text).expect("the folder is writable");
    }

    /// What was seen of the real program.
    pub fn of(&self, title: &str) -> Option<&[String]> {
        self.cases.get(title).map(Vec::as_slice)
    }

    /// The titles of all cases.
    pub fn titles(&self) -> impl Iterator<Item = &str> {
        self.cases.keys().map(String::as_str)
    }

    /// Whether the program that is installed is the one that was seen.
    pub fn is_of_this_version(&self, dialect: Dialect) -> bool {
        self.versions.get(dialect.program()) == version(dialect).as_ref()
    }
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/netcats/theirs.txt")
}
