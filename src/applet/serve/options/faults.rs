//! Options that have things go wrong on purpose.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::proto::fault::Faults;
use crate::wire::fault::{Rule, RuleError, lab};
use anyhow::Context;

/// The part of the options that is about faults.
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::applet::serve) struct FaultOptions {
    /// Have something go wrong on purpose, such as 'smtp rcpt to=alice@* reply=450 4.2.0 busy times=2'; repeatable; `--fault help`
    /// has all words
    #[arg(long, value_name = "RULE", env = "MAILTOOL_FAULT", value_delimiter = '\n', help_heading = FAULTS)]
    fault: Vec<Asked>,
    /// The same from a file, a rule a line; # begins a comment
    #[arg(long, value_name = "FILE", env = "MAILTOOL_FAULT_FILE", help_heading = FAULTS)]
    fault_file: Option<PathBuf>,
    /// Have names of recipients make faults: ...temperror@, ...permerror@, ...550@, ...timeout@; and rules from FILE
    #[arg(long, value_name = "FILE", env = "MAILTOOL_FAULTS", num_args = 0..=1, default_missing_value = "yes", help_heading = FAULTS)]
    faults: Option<PathBuf>,
    /// What the chance in rules begins with: the same seed, the same faults [default: 1]
    #[arg(long, value_name = "N", env = "MAILTOOL_FAULT_SEED", help_heading = FAULTS)]
    fault_seed: Option<u64>,
}

const FAULTS: &str = "Faults (see mailtool serve --fault help)";

/// A rule, or the page about them.
#[derive(Clone, Debug, PartialEq)]
enum Asked {
    Help,
    Rules(Vec<Rule>),
}

impl FromStr for Asked {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        match text.trim() {
            "help" => Ok(Self::Help),
            rule => lab::rules(rule).map(Self::Rules),
        }
    }
}

impl FaultOptions {
    /// Whether the page about rules is asked for.
    pub(in crate::applet::serve) fn wants_help(&self) -> bool {
        self.fault.contains(&Asked::Help)
    }

    /// The rules that stand from the beginning.
    pub(in crate::applet::serve) fn faults(&self) -> anyhow::Result<Faults> {
        let faults = Faults::new(self.fault_seed.unwrap_or(1));
        for asked in &self.fault {
            if let Asked::Rules(rules) = asked {
                for rule in rules {
                    faults.add(rule.clone())?;
                }
            }
        }
        let more = self.faults.as_ref().filter(|file| is_file(file));
        for (option, file) in [
            ("--fault-file", self.fault_file.as_ref()),
            ("--faults", more),
        ] {
            let Some(file) = file else { continue };
            let named = || format!("{option} {}", file.display());
            let text = std::fs::read_to_string(file).with_context(named)?;
            for (number, line) in text.lines().enumerate() {
                let line = line.trim();
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                let place = || format!("{}, line {}", named(), number + 1);
                for rule in lab::rules(line).with_context(place)? {
                    faults.add(rule).with_context(place)?;
                }
            }
        }
        if self.faults.as_ref().is_some_and(|file| !is_off(file)) {
            faults.allow_magic();
        }
        Ok(faults)
    }
}

/// What `--faults` and its variable say when they name no file.
fn is_file(word: &Path) -> bool {
    !is_off(word)
        && !["yes", "on", "true", "1"]
            .iter()
            .any(|on| word.as_os_str() == *on)
}

fn is_off(word: &Path) -> bool {
    ["", "no", "off", "false", "0"]
        .iter()
        .any(|off| word.as_os_str() == *off)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_file(text: &str, folder: &str) -> FaultOptions {
        let text = text.replace("FOLDER", folder);
        super::super::of_file(&text)
            .unwrap_or_else(|error| panic!("{text}: {error:#}"))
            .faults
    }

    #[test]
    fn rules_come_from_all_sides() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("rules");
        std::fs::write(
            &file,
            "# of the week\n\npop3 retr drop\n  imap fetch delay=1s\nlab:10\n",
        )
        .expect("a file");
        let options = of_file(
            "fault = ['smtp rcpt full', 'smtp mail chance=5% reply=451']\nfaults = 'FOLDER/rules'\nfault-seed = 7\n",
            &folder.path().to_string_lossy(),
        );
        let faults = options.faults().expect("rules");
        let listed: Vec<String> = faults
            .list()
            .into_iter()
            .map(|listed| listed.text)
            .collect();
        assert_eq!(
            listed,
            [
                "smtp rcpt full",
                "smtp mail chance=5% reply=451",
                "pop3 retr drop",
                "imap fetch delay=1s",
                "lab:10",
                "lab:10"
            ]
        );
        assert!(faults.has_magic() && faults.is_on());
        std::fs::write(&file, "pop3 retr drop\npop3 rter drop\n").expect("a file");
        let error = format!("{:#}", options.faults().expect_err("no rule"));
        assert!(
            error.contains("--faults")
                && error.contains("line 2")
                && error.contains("is retr meant?"),
            "{error}"
        );
    }

    #[test]
    fn nothing_is_on_by_itself() {
        let faults = FaultOptions::default().faults().expect("no rules");
        assert!(!faults.is_on() && !faults.has_magic());
        let off = of_file("faults = false", "").faults().expect("no rules");
        assert!(!off.is_on());
        assert!(
            of_file("faults = true", "")
                .faults()
                .expect("magic")
                .is_on()
        );
        assert!(of_file("fault = 'help'", "").wants_help());
    }
}
