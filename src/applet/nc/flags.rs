//! The one table of options: each once, with its long name, its letter in each dialect, its value, what it does.
//!
//! [`getopt`](super::getopt) cuts command lines by it; help, the options of the manual, the completions, and the manual's table
//! of what a letter means where are drawn from it. The rows are in `table`.
//!
//! | dialect | letters | long options |
//! |---|---|---|
//! | openbsd | all of Debian's nc, and `-c -e -o`, which it has not | all |
//! | ncat | ncat's | all |
//! | traditional | netcat-traditional's | all |
//!
//! A letter that means different things is as many rows: `-k` is three.

mod table;

use clap::{Arg, ArgAction, Command};

use super::dialect::Dialect;

pub use table::{GROUPS, Id};

/// An option.
#[derive(Debug)]
pub struct Flag {
    /// Which it is.
    pub id: Id,
    /// What it is called: its long name, if it has one.
    pub name: &'static str,
    /// Whether `--name` works.
    pub has_long: bool,
    /// Other long names, which are not shown.
    pub also: &'static [&'static str],
    /// A letter for each of [`Dialect::ALL`], or `-`.
    pub letters: &'static str,
    /// What stands behind it.
    pub takes: Takes,
    /// Who thought of it.
    pub origin: Origin,
    /// Whether help tells of it.
    pub visibility: Visibility,
    /// What it does, in one line.
    pub help: &'static str,
}

/// What stands behind an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// A value; what help calls it.
    Value(&'static str),
    /// A value, or none: `--explain=fr` and `--explain`.
    Perhaps(&'static str),
}

/// Whose long option it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// ncat has it under this name.
    Ncat,
    /// It is of this program.
    Own,
}

/// Whether help tells of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// It does.
    Shown,
    /// Understood, so that scripts go on working; nobody needs it.
    Hidden,
}

/// Options that belong together, under the heading that help and manual give them.
#[derive(Debug)]
pub struct Group {
    /// The heading.
    pub heading: &'static str,
    /// The options.
    pub flags: &'static [Flag],
}

impl Flag {
    /// Its letter in a dialect.
    pub fn letter(&self, dialect: Dialect) -> Option<char> {
        let at = match dialect {
            Dialect::OpenBsd => 0,
            Dialect::Ncat => 1,
            Dialect::Traditional => 2,
        };
        let letter = self.letters.as_bytes().get(at).copied();
        letter.map(char::from).filter(|letter| *letter != '-')
    }

    /// All its long names.
    pub fn long_names(&self) -> impl Iterator<Item = &'static str> {
        let long = self.has_long.then_some(self.name);
        long.into_iter().chain(self.also.iter().copied())
    }

    /// Whether it can be given in a dialect, other than by a name that is not shown.
    pub fn exists_in(&self, dialect: Dialect) -> bool {
        self.has_long || self.letter(dialect).is_some()
    }
}

/// All options.
pub fn all() -> impl Iterator<Item = &'static Flag> {
    GROUPS.iter().flat_map(|group| group.flags)
}

/// The option of a letter.
pub fn of_letter(dialect: Dialect, letter: char) -> Option<&'static Flag> {
    all().find(|flag| flag.letter(dialect) == Some(letter))
}

/// The options of a dialect as clap knows them: for help, manual and completions.
pub fn arguments(dialect: Dialect) -> impl Iterator<Item = Arg> {
    GROUPS
        .iter()
        .flat_map(|group| group.flags.iter().map(move |flag| (group.heading, flag)))
        .filter(move |(_, flag)| flag.exists_in(dialect))
        .map(move |(heading, flag)| argument(dialect, heading, flag))
}

fn argument(dialect: Dialect, heading: &'static str, flag: &'static Flag) -> Arg {
    let mut argument = Arg::new(flag.name)
        .help(flag.help)
        .help_heading(heading)
        .hide(flag.visibility == Visibility::Hidden);
    if flag.has_long {
        argument = argument.long(flag.name);
    }
    if let Some(letter) = flag.letter(dialect) {
        argument = argument.short(letter);
    }
    match flag.takes {
        Takes::Nothing => argument.action(ArgAction::SetTrue),
        Takes::Value(name) => argument.value_name(name),
        Takes::Perhaps(name) => argument
            .value_name(name)
            .num_args(0..=1)
            .require_equals(true),
    }
}

/// `command` with the options of a dialect.
pub fn with_flags(command: Command, dialect: Dialect) -> Command {
    command
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(arguments(dialect))
}

/// What the letters mean that do not mean the same in all dialects: a block for the manual.
pub fn differences() -> String {
    let mut letters: Vec<char> = ('0'..='9').chain('A'..='Z').chain('a'..='z').collect();
    letters.retain(|letter| {
        let [first, others @ ..] = Dialect::ALL.map(|dialect| of_letter(dialect, *letter));
        let id = |flag: Option<&Flag>| flag.map(|flag| flag.id);
        others.into_iter().any(|other| id(other) != id(first))
    });
    let row = |cells: [&str; 4]| {
        let [letter, cells @ ..] = cells;
        let [bsd, ncat, traditional] = cells;
        let row = format!("{letter:<4}{bsd:<24}{ncat:<21}{traditional}");
        row.trim_end().replace('-', "\\-") + "\n"
    };
    let mut block = row(["", "openbsd", "ncat", "traditional"]);
    for letter in letters {
        let [bsd, ncat, traditional] = Dialect::ALL.map(|dialect| {
            of_letter(dialect, letter).map_or_else(|| "\u{2012}".to_owned(), meaning)
        });
        block += &row([&format!("-{letter}"), &bsd, &ncat, &traditional]);
    }
    block.replace('\u{2012}', "\\-")
}

fn meaning(flag: &Flag) -> String {
    match flag.has_long {
        true => format!("--{}", flag.name),
        false => flag.name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The letters that each program's own getopt string has: nc.openbsd 1.219-1, ncat 7.93 and -q of 7.96, and
    /// netcat-traditional 1.10-47, but for its -a, which only says that it is not yet there.
    const THEIRS: [(Dialect, &str); 3] = [
        (
            Dialect::OpenBsd,
            "46bCDdFhI:i:klM:m:NnO:P:p:q:rSs:T:tUuV:vW:w:X:x:Zz",
        ),
        (Dialect::Ncat, "46UCc:e:g:G:i:km:hp:q:d:lo:x:ts:uvw:nz"),
        (Dialect::Traditional, "bc:e:g:G:hi:klno:p:q:rs:T:tuvw:zC"),
    ];

    #[test]
    fn every_letter_of_theirs_is_there_and_takes_what_it_takes() {
        for (dialect, letters) in THEIRS {
            let mut letters = letters.chars().peekable();
            while let Some(letter) = letters.next() {
                let takes_value = letters.next_if_eq(&':').is_some();
                let flag = of_letter(dialect, letter);
                let flag = flag.unwrap_or_else(|| panic!("{dialect:?} has no -{letter}"));
                let takes = matches!(flag.takes, Takes::Value(_));
                assert_eq!(takes, takes_value, "{dialect:?} -{letter}");
            }
        }
    }

    #[test]
    fn the_openbsd_dialect_has_three_letters_more_and_the_others_none() {
        for (dialect, theirs) in THEIRS {
            let ours = all().filter_map(|flag| flag.letter(dialect));
            let more: String = ours.filter(|letter| !theirs.contains(*letter)).collect();
            let expected = match dialect {
                Dialect::OpenBsd => "ceo",
                _ => "",
            };
            let mut more: Vec<char> = more.chars().collect();
            more.sort_unstable();
            assert_eq!(more.into_iter().collect::<String>(), expected);
        }
    }

    #[test]
    fn every_long_option_of_ncats_is_there_and_takes_what_it_takes() {
        let with_value = "sh-exec exec lua-exec max-conns delay output hex-dump idle-timeout source-port source \
             allow allowfile deny denyfile wait proxy proxy-type proxy-auth proxy-dns ssl-cert ssl-key ssl-trustfile \
             ssl-ciphers ssl-servername ssl-alpn nsock-engine g G";
        let without = "4 6 unixsock vsock crlf help listen append-output keep-open recv-only send-only no-shutdown \
             broker chat talk telnet udp sctp version verbose nodns ssl ssl-verify test";
        for (names, takes_value) in [(with_value, true), (without, false)] {
            for name in names.split_ascii_whitespace() {
                let flag = all().find(|flag| flag.long_names().any(|long| long == name));
                let flag = flag.unwrap_or_else(|| panic!("there is no --{name}"));
                assert_eq!(flag.origin, Origin::Ncat, "--{name}");
                assert_eq!(
                    matches!(flag.takes, Takes::Value(_)),
                    takes_value,
                    "--{name}"
                );
            }
        }
    }

    #[test]
    fn nothing_is_there_twice_or_out_of_reach() {
        let mut ids = Vec::new();
        let mut names = BTreeSet::new();
        for flag in all() {
            assert!(!ids.contains(&flag.id), "{:?} twice", flag.id);
            ids.push(flag.id);
            assert_eq!(flag.letters.len(), 3, "{:?}", flag.id);
            assert!(
                Dialect::ALL.iter().any(|dialect| flag.exists_in(*dialect)),
                "{:?}",
                flag.id
            );
            for name in flag.long_names().chain(std::iter::once(flag.name)) {
                let is_new = names.insert(name);
                assert!(is_new || name == flag.name, "{name} twice");
            }
            assert!(
                !flag.help.is_empty() && !flag.help.ends_with('.'),
                "{:?}",
                flag.id
            );
        }
        for dialect in Dialect::ALL {
            let mut letters = BTreeSet::new();
            for letter in all().filter_map(|flag| flag.letter(dialect)) {
                assert!(letters.insert(letter), "{dialect:?} -{letter} twice");
            }
        }
    }

    #[test]
    fn clap_takes_the_table_of_each_dialect() {
        for dialect in Dialect::ALL {
            with_flags(Command::new("nc"), dialect).debug_assert();
        }
    }

    #[test]
    fn the_manual_has_the_table_as_it_is() {
        let page = include_str!("../../../man/nc.roff");
        let table = differences();
        assert!(
            page.contains(&table),
            "man/nc.roff does not have this in it:\n{table}"
        );
    }
}
