//! Help and manual in French: a table of texts for each applet that has them, keyed by option, laid over the command that clap
//! has built. What has no row stays English.
//!
//! A row's key is the long name of an option (`list`), its letter where there is none, the name of an operand, a heading as it
//! stands in English, `^` and the beginning of a line below the options, or one of [`ABOUT`], [`LONG_ABOUT`], [`USAGE`], [`AFTER`].
//! Commands within a command have rows of their own, `@queue` for what it does and `queue.json` for an option of it and of what is
//! within it; `*.json` is for any of them.

mod errors;
mod keys;
mod said;

use clap::{Arg, ArgAction, Command};

use super::pages;
use crate::wire::packed::{Block, Packed};
use keys::{ABOUT, AFTER, LONG_ABOUT, Table, USAGE};

pub(super) use errors::{error, sentence};
pub(super) use said::said;

/// What the manual says in French.
pub(super) struct Prose {
    /// One line.
    pub(super) summary: &'static str,
    /// As roff: `man/fr/NAME.roff`.
    pub(super) text: &'static Packed,
}

/// The French manual of an applet, where there is one.
pub(super) fn prose(applet: &str) -> Option<Prose> {
    let (summary, text) = match applet {
        "codes" => (
            "expliquer codes de réponse, états, commandes et ports du courrier",
            &pages::FR_CODES,
        ),
        "nc" => (
            "lire et écrire sur le réseau, sonder des ports, parler aux serveurs",
            &pages::FR_NC,
        ),
        "serve" => (
            "un serveur de courrier local : SMTP, dépôt, LMTP, POP3, IMAP",
            &pages::FR_SERVE,
        ),
        _ => return None,
    };
    Some(Prose { summary, text })
}

/// What an applet does, in a line of the overview.
pub(super) fn summary(applet: &str) -> Option<&'static str> {
    let rows = table("mailtool")?;
    let mut rows = rows.into_iter();
    rows.find_map(|(key, text)| (key.strip_prefix('+') == Some(applet)).then_some(text))
}

/// Keys and texts.
type Rows = Vec<(&'static str, &'static str)>;

/// The rows of one of the files beside this one, which the build script packs.
fn table(applet: &str) -> Option<Rows> {
    let (_, packed) = TABLES.iter().find(|table| table.0 == applet)?;
    let mut words = packed.text().split_terminator('\0');
    let rows = std::iter::from_fn(|| Some((words.next()?, words.next()?)));
    Some(rows.collect())
}

include!(concat!(env!("OUT_DIR"), "/french.rs"));

/// Its own first, then what others have too.
fn tables(applet: &str) -> Vec<Rows> {
    let is_client = matches!(applet, "send" | "pop" | "imap");
    let shared = if is_client { table("clients") } else { None };
    table(applet).into_iter().chain(shared).collect()
}

/// The text of `key` of the command whose names are `within`.
fn row(tables: &[Rows], within: &str, key: &str) -> Option<&'static str> {
    let find = |wanted: &str| {
        let mut rows = tables.iter().flatten();
        rows.find(|row| row.0 == wanted).map(|row| row.1)
    };
    if within.is_empty() {
        return find(key);
    }
    let is_of_one = key.starts_with('@');
    let mut place = within;
    loop {
        if let Some(text) = find(&format!("{place}.{key}")) {
            return Some(text);
        }
        match place.rsplit_once('.') {
            Some((outer, _)) if !is_of_one => place = outer,
            _ => break,
        }
    }
    match is_of_one {
        true => None,
        false => find(&format!("*.{key}")),
    }
}

/// A line below the options, of which a row has the beginning.
fn below(tables: &[Rows], line: &str) -> Option<&'static str> {
    let mut rows = tables.iter().flatten();
    let begins = |key: &str| {
        key.strip_prefix('^')
            .is_some_and(|key| line.starts_with(key))
    };
    rows.find(|row| begins(row.0)).map(|row| row.1)
}

/// The text of an argument; one with a variable means the same within a command as outside.
fn row_of(tables: &[Rows], within: &str, argument: &Arg) -> Option<&'static str> {
    let key = key(argument);
    row(tables, within, &key).or_else(|| {
        argument.get_env()?;
        row(tables, "", &key)
    })
}

/// `command` in French, as far as there are texts for it.
pub(super) fn translated(applet: &str, command: Command) -> Command {
    let tables = tables(applet);
    match tables.is_empty() {
        true => command,
        false => translate(command, &tables, ""),
    }
}

fn translate(mut command: Command, tables: &[Rows], within: &str) -> Command {
    let of = |key: &str| row(tables, within, key);
    if let Some(text) = of(ABOUT) {
        command = command.about(text);
    }
    if let Some(text) = of(LONG_ABOUT) {
        command = command.long_about(text);
    }
    if let Some(text) = of(USAGE) {
        command = command.override_usage(text);
    }
    if let Some(text) = of(AFTER) {
        command = command.after_help(text);
    } else if let Some(text) = command.get_after_help().map(ToString::to_string) {
        let lines = text.lines().map(|line| {
            let own = line.trim_start();
            let french = below(tables, own).unwrap_or(own);
            format!("{}{french}", &line[..line.len() - own.len()])
        });
        command = command.after_help(lines.collect::<Vec<_>>().join("\n"));
    }
    command = command.mut_args(|argument| {
        let heading = argument
            .get_help_heading()
            .and_then(|heading| row(tables, "", heading));
        let help =
            row_of(tables, within, &argument).map(|text| format!("{text}{}", appended(&argument)));
        let argument = match heading {
            Some(heading) => argument.help_heading(heading),
            None => argument,
        };
        match help {
            Some(help) => {
                let takes_values = argument.get_action().takes_values();
                let argument = argument.help(help).hide_env(true);
                match takes_values {
                    true => argument.hide_default_value(true).hide_possible_values(true),
                    false => argument,
                }
            }
            None => argument,
        }
    });
    if !command
        .get_arguments()
        .any(|argument| argument.get_id() == "help")
    {
        let help = Arg::new("help")
            .short('h')
            .long("help")
            .action(ArgAction::Help)
            .help_heading(None::<&str>);
        command = command
            .disable_help_flag(true)
            .arg(help.help("Afficher cette aide"));
    }
    if let Some(text) = of("version").filter(|_| command.get_version().is_some()) {
        let version = Arg::new("version")
            .short('V')
            .long("version")
            .action(ArgAction::Version);
        command = command.disable_version_flag(true).arg(version.help(text));
    }
    command = command.mut_subcommands(|inner| {
        let name = inner.get_name().to_owned();
        let about = of(&format!("@{name}"));
        let inner = match about {
            Some(about) => inner.about(about),
            None => inner,
        };
        let within = if within.is_empty() {
            name
        } else {
            format!("{within}.{name}")
        };
        translate(inner, tables, &within)
    });
    command.subcommand_help_heading("Commandes").help_template(
        "{before-help}{about-with-newline}\nUtilisation : {usage}\n\n{all-args}{after-help}",
    )
}

/// Help as French writes it, once it is in lines: a space before the colon of a heading, forms of usage below one another.
pub(super) fn typeset(help: &str) -> String {
    let help = help.replace('\u{a0}', " ");
    help.split_inclusive('\n')
        .map(|line| match line.strip_suffix(":\n") {
            Some(heading) if !heading.starts_with(' ') && !heading.ends_with(' ') => {
                format!("{heading} :\n")
            }
            _ if line.starts_with("       mailtool ") => format!("       {line}"),
            _ => line.replace(HELP_OF_CLAP, "Afficher cette aide, ou celle d'une commande"),
        })
        .collect()
}

/// What clap says of the command `help`, which it makes itself.
const HELP_OF_CLAP: &str = "Print this message or the help of the given subcommand(s)";

/// What a row is found by.
fn key(argument: &Arg) -> String {
    let letter = || argument.get_short().map(String::from);
    let long = argument.get_long().map(str::to_owned);
    long.or_else(letter)
        .unwrap_or_else(|| argument.get_id().to_string())
}

/// What clap appends in English: values, the default, the variable.
fn appended(argument: &Arg) -> String {
    let mut text = String::new();
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| value.get_name().to_owned())
        .collect();
    let takes_values = argument.get_action().takes_values();
    if takes_values && !values.is_empty() && !argument.is_hide_possible_values_set() {
        text.push_str(&format!(" [valeurs\u{a0}: {}]", values.join(", ")));
    }
    let defaults: Vec<String> = argument
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    if takes_values && !defaults.is_empty() && !argument.is_hide_default_value_set() {
        text.push_str(&format!(" [par défaut\u{a0}: {}]", defaults.join(" ")));
    }
    let english = argument
        .get_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let told = english
        .split_once("[default: ")
        .and_then(|(_, rest)| rest.split_once(']'));
    if let Some((told, _)) = told {
        let row = DEFAULTS.iter().find(|row| row.0 == told);
        let told = row.map_or(told, |row| row.1);
        if !told.is_empty() {
            text.push_str(&format!(" [par défaut\u{a0}: {told}]"));
        }
    }
    if let Some(name) = argument.get_env() {
        text.push_str(&format!(" [env\u{a0}: {}]", name.to_string_lossy()));
    }
    text
}

/// Defaults that are told in words; a number is the same in both languages. What the French text tells itself is empty here.
const DEFAULTS: Table = &[
    (
        "the user's state folder",
        "le dossier d'état de l'utilisateur",
    ),
    ("they answer 252", "ils répondent 252"),
    ("they are here", "elles sont ici"),
    ("no domain is looked up", "aucun domaine n'est cherché"),
    ("5m, login 2m", "5m, mais 2m pour login"),
    (
        "connect 30s, data 2m, end 10m, quit 10s, others 5m",
        "connect 30s, data 2m, end 10m, quit 10s, les autres 5m",
    ),
    ("such mail is refused", "ce courrier est refusé"),
    ("those of this machine", "celles de cette machine"),
    ("those of /etc/resolv.conf", "ceux de /etc/resolv.conf"),
    ("5m, growing to 4h", "5m, jusqu'à 4h"),
    ("the first account", "le premier compte"),
    ("the first domain", "le premier domaine"),
    ("it is refused", "il est refusé"),
    ("no limit", "sans limite"),
    ("all", "tous"),
    ("none", "aucun"),
    (
        "STORE/users, else alice:alice and bob:bob, on loopback only",
        "STORE/users, sinon alice:alice et bob:bob, en boucle locale seulement",
    ),
    (
        "one of our own, made once; clients import STORE/tls/ca.pem",
        "la nôtre, faite une fois ; les clients importent STORE/tls/ca.pem",
    ),
    ("from LC_ALL, LC_MESSAGES, LANG", ""),
    ("others each time", ""),
    ("what its first line, Return-Path, says", ""),
    (
        "STORE/users, or else alice and bob",
        "STORE/users, sinon alice et bob",
    ),
    (
        "everybody who has mail here",
        "tous ceux qui ont du courrier ici",
    ),
    ("it is asked for", "il est demandé"),
    ("that of the environment", "celle de l'environnement"),
    (
        "as the file's name says, else text",
        "selon le nom du fichier, sinon text",
    ),
    (
        "the best that the server offers",
        "le meilleur que le serveur propose",
    ),
    (
        "the best that the server offers, else the command LOGIN",
        "le meilleur qu'offre le serveur, sinon la commande LOGIN",
    ),
    (
        "the best mechanism that the server offers, else USER",
        "le meilleur mécanisme que le serveur propose, sinon USER",
    ),
    (
        "what the server called it",
        "le nom que le serveur lui a donné",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Something that is to have a text: within which commands, by which key, and the argument that it is of.
    type Wanted = (String, String, Option<Arg>);

    /// All of what `command` shows, and of what is within it.
    fn wanted(command: &Command, within: &str) -> Vec<Wanted> {
        let shown = command
            .get_arguments()
            .filter(|it| !it.is_hide_set() && it.get_id() != "help");
        let mut all: Vec<Wanted> = shown
            .map(|it| (within.to_owned(), key(it), Some(it.clone())))
            .collect();
        let headings = command.get_arguments().filter_map(Arg::get_help_heading);
        all.extend(headings.map(|it| (String::new(), it.to_owned(), None)));
        for inner in command.get_subcommands() {
            let name = inner.get_name();
            all.push((within.to_owned(), format!("@{name}"), None));
            let below = inner.get_after_help().map(ToString::to_string);
            let below = below.unwrap_or_default();
            let is_prose = |line: &&str| !line.is_empty() && !line.starts_with("  ");
            let is_told = |line: &&str| {
                line.trim()
                    .starts_with(|first: char| first.is_uppercase() || first == '~')
            };
            let lines = below.lines().filter(|it| is_prose(it) || is_told(it));
            all.extend(lines.map(|line| (name.to_owned(), line.trim().to_owned(), None)));
            let within = match within {
                "" => name.to_owned(),
                outer => format!("{outer}.{name}"),
            };
            all.extend(wanted(inner, &within));
        }
        all
    }

    fn command_of(applet: &str) -> Command {
        (super::super::find(applet).expect("an applet").command)()
    }

    /// Applets whose help is in both languages: all that speak mail.
    const BILINGUAL: [&str; 7] = ["codes", "nc", "serve", "mailq", "send", "pop", "imap"];

    /// Nothing is left in English: neither an option, an operand, a heading, a default, nor what a command within a command is.
    #[test]
    fn every_option_has_its_text() {
        let mut missing = Vec::new();
        for applet in BILINGUAL {
            let tables = tables(applet);
            let mut all = wanted(&command_of(applet), "");
            all.extend([ABOUT, AFTER].map(|key| (String::new(), key.to_owned(), None)));
            for (within, key, argument) in all {
                let text = match &argument {
                    Some(argument) => row_of(&tables, &within, argument),
                    // All that stands below the options, or this line of it.
                    None => row(&tables, &within, &key)
                        .or_else(|| below(&tables, &key))
                        .or_else(|| row(&tables, &within, AFTER)),
                };
                if text.is_none() {
                    missing.push(format!("{applet} {within} {key}"));
                }
                if let Some(argument) = argument
                    && let Some((_, told)) = appended(&argument).split_once("[par défaut\u{a0}: ")
                    && let Some((told, _)) = told.split_once(']')
                    && let english = argument.get_help().map(ToString::to_string)
                    && english
                        .is_some_and(|english| english.contains(&format!("[default: {told}]")))
                    && told.contains(' ')
                {
                    missing.push(format!("{applet} {within} {key} [default: {told}]"));
                }
            }
        }
        assert!(missing.is_empty(), "nothing for\n{}", missing.join("\n"));
    }

    #[test]
    fn the_overview_is_whole_in_french() {
        for applet in crate::applet::APPLETS {
            let french = summary(applet.name);
            assert!(french.is_some(), "{}", applet.name);
            for text in [applet.summary, french.unwrap_or_default()] {
                assert!(text.chars().count() <= 70, "wider than a terminal: {text}");
            }
        }
        let command = crate::applet::meta::command();
        let missing: Vec<String> = wanted(&command, "")
            .into_iter()
            .filter(|(within, key, _)| row(&tables("mailtool"), within, key).is_none())
            .map(|(within, key, _)| format!("{within} {key}"))
            .collect();
        assert!(missing.is_empty(), "nothing for {missing:?}");
        let help = translated("mailtool", command).render_help().to_string();
        for english in [
            "Usage:",
            "Commands:",
            "[possible",
            "[default",
            "Print ",
            "Examples",
        ] {
            assert!(!help.contains(english), "{english} in {help}");
        }
    }

    #[test]
    fn every_row_is_of_something_that_exists() {
        for applet in BILINGUAL {
            let all = wanted(&command_of(applet), "");
            for (row, text) in tables(applet).into_iter().flatten() {
                let (place, name) = row.rsplit_once('.').unwrap_or(("", row));
                let is_of_all = [ABOUT, LONG_ABOUT, USAGE, AFTER, "help"].contains(&name);
                let known = all.iter().any(|(within, key, _)| {
                    let is_there = place == "*" && !within.is_empty()
                        || within == place
                        || within
                            .strip_prefix(place)
                            .is_some_and(|rest| rest.starts_with('.'));
                    let begins = row
                        .strip_prefix('^')
                        .is_some_and(|row| key.starts_with(row));
                    is_there && (is_of_all || key == name) || key == row || begins
                });
                assert!(
                    known || is_of_all && place.is_empty(),
                    "{applet}: nothing is called {row}"
                );
                assert!(
                    !text.is_empty() && !text.contains("  ") || is_of_all,
                    "{applet}: {text}"
                );
            }
        }
    }

    /// Headings apply to what is declared below them; help and version are of no heading.
    #[test]
    fn nothing_stands_under_a_heading_in_english() {
        for applet in ["send", "pop", "imap"] {
            let mut command = translated(applet, command_of(applet));
            let help = typeset(&command.render_help().to_string());
            for line in help.lines() {
                assert!(!line.contains("The way there"), "{applet}: {line}");
                let first = line.trim_start().chars().next();
                let is_mark = first.is_some_and(|first| ";:?!»".contains(first));
                assert!(!is_mark, "{applet}: {line}");
            }
            assert!(!help.contains("Print this"), "{help}");
        }
    }

    #[test]
    fn help_is_in_french_and_says_what_clap_would() {
        let mut command = translated("serve", command_of("serve").bin_name("mailtool serve"));
        command.clone().debug_assert();
        let help = command.render_long_help().to_string();
        assert!(help.contains("\nUtilisation : mailtool serve"), "{help}");
        let set = typeset(&help);
        for heading in ["Commandes :", "Options :", "Adresses :"] {
            assert!(set.contains(&format!("\n{heading}\n")), "{set}");
        }
        assert!(
            set.contains("\n              mailtool serve <COMMAND>\n"),
            "{set}"
        );
        // Wherever its lines break.
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            help.contains("Commandes:") && help.contains("Afficher cette aide"),
            "{help}"
        );
        assert!(
            help.contains("[env : MAILTOOL_LISTEN]") && help.contains("[par défaut : 127.0.0.1]"),
            "{help}"
        );
        assert!(!help.contains("Print help"), "{help}");
        let mut codes = translated("codes", command_of("codes").bin_name("mailtool codes"));
        let help = codes.render_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains("[valeurs : smtp, enhanced, pop"), "{help}");
        assert!(
            !help.contains("[default") && !help.contains("[possible"),
            "{help}"
        );
    }
}
