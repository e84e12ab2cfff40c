//! The manual: a page for the program, one for each applet, and the lab, which is whole in `man/mailtool-lab.7`. In French for
//! those that have a `man/fr/NAME.roff`.
//!
//! What clap knows is taken from there, and what only people can tell from `man/NAME.roff`, so that each thing is said in
//! one place. The order is that of man-pages(7):
//!
//! | section | from |
//! |---|---|
//! | NAME | the table of applets |
//! | SYNOPSIS | clap's usage |
//! | DESCRIPTION | the first section of the file |
//! | COMMANDS | clap's subcommands, with their own arguments |
//! | OPTIONS | clap's arguments, a subsection for each of its headings |
//! | EXIT STATUS, ENVIRONMENT, FILES, EXAMPLES ... | the other sections of the file; clap's variables begin ENVIRONMENT |

use std::fmt::Write;
use std::io;

use clap::{Arg, Command};
use clap_mangen::Man;

use super::{APPLETS, Applet, french, pages};
use crate::wire::codes::{Lang, Text};

/// The page of `applet`, whose options are in `command`, as roff; or that of the program.
pub(super) fn page(
    applet: Option<&Applet>,
    mut command: Command,
    lang: Lang,
) -> io::Result<String> {
    command.build();
    let (name, summary, prose) = match applet {
        Some(applet) => (
            format!("mailtool-{}", applet.name),
            applet.summary.to_owned(),
            applet.prose,
        ),
        None => (
            "mailtool".to_owned(),
            "mail on one PC: server, netcat, clients, explanations".to_owned(),
            &pages::MAILTOOL,
        ),
    };
    let french = applet.and_then(|applet| french::prose(applet.name));
    let (summary, prose) = match french.filter(|_| lang == Lang::Fr) {
        Some(french) => (french.summary.to_owned(), french.text),
        None => (summary, prose),
    };
    // A server is for the administrator (man-pages(7)).
    let (section, title) = match applet {
        Some(applet) if applet.name == "serve" => (8, "System Administration"),
        _ => (1, "User Commands"),
    };
    let mut page = format!(
        "{APOSTROPHE}.TH {} {section} \"\" \"mailtool {}\" \"{title}\"\n{RAGGED}",
        escape(&name),
        env!("CARGO_PKG_VERSION")
    );
    say(
        &mut page,
        &format!(
            ".SH {}\n{} \\- {}",
            NAME.of(lang),
            escape(&name),
            escape(&summary)
        ),
    );
    synopsis(&mut page, &mut command);
    let prose = prose.text();
    let (description, others) = split(prose);
    page.push_str(description);
    commands(&mut page, &mut command, applet.is_none(), lang);
    let mut options = Vec::new();
    Man::new(command.clone()).render_options_section(&mut options)?;
    let options = String::from_utf8(options).map_err(io::Error::other)?;
    page.push_str(&with_subsections(&options, &command));
    let variables = variables(&command, lang);
    let heading = ENVIRONMENT.of(lang);
    match others.split_once(heading) {
        Some((before, after)) => page.extend([before, heading, &variables, after]),
        None => page.push_str(others),
    }
    Ok(page)
}

/// The page of the lab, whole as it was written.
pub(super) fn lab(lang: Lang) -> &'static str {
    let page = match lang {
        Lang::En => &pages::MAILTOOL_LAB,
        Lang::Fr => &pages::FR_MAILTOOL_LAB,
    };
    page.text()
}

const NAME: Text = Text::new("NAME", "NOM");
const COMMANDS: Text = Text::new("COMMANDS", "COMMANDES");
const ENVIRONMENT: Text = Text::new(".SH ENVIRONMENT\n", ".SH ENVIRONNEMENT\n");
const VARIABLES: Text = Text::new(
    "Each of these stands for the option of the same name, which wins over it:",
    "Chacune vaut pour l'option du même nom, qui l'emporte sur elle\u{a0}:",
);

/// The apostrophe of a keyboard, which clap_mangen writes as a string that has to be defined first.
const APOSTROPHE: &str = "\\
.ie \\n(.g .ds Aq \\(aq
.el .ds Aq '
";

/// Names of options and variables are not to be broken, nor lines to be stretched.
/// Paragraphs ask the register HY, so that .nh alone would last until the next one.
const RAGGED: &str = ".nr HY 0\n.nh\n.ad l\n";

/// The first section of a file, and the others.
fn split(prose: &str) -> (&str, &str) {
    let second = prose.match_indices("\n.SH ").map(|(at, _)| at + 1).next();
    prose.split_at(second.unwrap_or(prose.len()))
}

fn synopsis(page: &mut String, command: &mut Command) {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:");
    say(page, ".SH SYNOPSIS");
    for (at, form) in usage.lines().map(str::trim).enumerate() {
        if at > 0 {
            say(page, ".br");
        }
        // Words that are typed as they stand come first.
        let is_typed = |word: &str| word.starts_with(|first: char| first.is_ascii_lowercase());
        let words = form.split_inclusive(' ');
        let typed: String = words.take_while(|word| is_typed(word)).collect();
        let (typed, rest) = (typed.trim_end(), &form[typed.len()..]);
        say(page, &format!("\\fB{}\\fR {}", escape(typed), escape(rest)));
    }
}

fn commands(page: &mut String, command: &mut Command, of_program: bool, lang: Lang) {
    if !command.has_subcommands() {
        return;
    }
    say(page, &format!(".SH {}", COMMANDS.of(lang)));
    if of_program {
        for applet in APPLETS {
            let section = if applet.name == "serve" { 8 } else { 1 };
            say(
                page,
                &format!(".TP\n.BR mailtool\\-{} ({section})", applet.name),
            );
            say(page, &escape(&sentence(applet.summary)));
        }
    }
    command_list(page, command, of_program);
}

/// The commands within `command`, each with its arguments, and the commands within it.
fn command_list(page: &mut String, command: &mut Command, of_program: bool) {
    for inner in command.get_subcommands_mut() {
        let name = inner.get_name().to_owned();
        // What clap adds by itself.
        if name == "help" && !of_program {
            continue;
        }
        let usage = inner.render_usage().to_string().replace(" [OPTIONS]", "");
        let operands = usage
            .split_once(&format!(" {name} "))
            .map_or("", |(_, operands)| operands);
        say(
            page,
            &format!(".TP\n\\fB{}\\fR {}", escape(&name), escape(operands)),
        );
        let about = inner.get_about().map(ToString::to_string);
        say(page, &escape(&about.unwrap_or_default()));
        let own = |argument: &&Arg| {
            !argument.is_global_set() && !argument.is_hide_set() && argument.get_id() != "help"
        };
        let own: Vec<Arg> = inner.get_arguments().filter(own).cloned().collect();
        // Those for all commands within it are told here.
        let has_commands = inner.has_subcommands();
        let global = inner
            .get_arguments()
            .filter(|argument| argument.is_global_set());
        let global: Vec<Arg> = global.filter(|_| has_commands).cloned().collect();
        let own: Vec<Arg> = own.into_iter().chain(global).collect();
        if own.is_empty() && !has_commands {
            continue;
        }
        say(page, ".RS");
        command_list(page, inner, of_program);
        for argument in own {
            let help = argument.get_help().map(ToString::to_string);
            let header = argument.to_string();
            say(page, &format!(".TP\n{}", escape(&header)));
            say(page, &escape(&help.unwrap_or_default()));
        }
        say(page, ".RE");
    }
}

/// clap_mangen makes a section of each heading; here they are parts of OPTIONS.
fn with_subsections(options: &str, command: &Command) -> String {
    let headings: Vec<&str> = command
        .get_arguments()
        .filter_map(Arg::get_help_heading)
        .collect();
    let mut page = String::new();
    for line in options.lines().filter(|line| !APOSTROPHE.contains(line)) {
        let section = line.strip_prefix(".SH ").map(|name| name.trim_matches('"'));
        let heading = section.and_then(|section| {
            headings
                .iter()
                .find(|heading| heading.to_uppercase() == section)
        });
        match heading {
            Some(heading) => say(&mut page, &format!(".SS {}", escape(heading))),
            None => say(&mut page, line),
        }
    }
    page
}

/// The variables that stand for options.
fn variables(command: &Command, lang: Lang) -> String {
    let names: Vec<String> = command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set())
        .filter_map(Arg::get_env)
        .map(|name| format!("\\fB{}\\fR", name.to_string_lossy()))
        .collect();
    let mut text = String::new();
    if !names.is_empty() {
        say(&mut text, VARIABLES.of(lang));
        say(&mut text, &format!("{}.", names.join(",\n")));
    }
    text
}

fn say(page: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(page, "{}", text.trim_end());
}

/// `text` as roff that shows it as it is.
fn escape(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line
            .replace('\\', "\\e")
            .replace('-', "\\-")
            .replace('\'', "\\(aq");
        match line.starts_with('.') {
            true => format!("\\&{line}"),
            false => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
