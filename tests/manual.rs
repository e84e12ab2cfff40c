//! The manual: every applet has a page that says all it has to, agrees with the program, and that groff sets without a word
//! of warning.

#[path = "support/program.rs"]
mod program;

use std::collections::BTreeSet;
use std::process::Command;

use mailtool::wire::fault::words;
use program::{have, mailtool, run, succeeded};

/// The pages: "" is the program's own.
const PAGES: [&str; 8] = ["", "serve", "nc", "send", "pop", "imap", "mailq", "codes"];

/// The sections of man-pages(7), in its order.
const SECTIONS: [&str; 11] = [
    "NAME",
    "SYNOPSIS",
    "DESCRIPTION",
    "COMMANDS",
    "OPTIONS",
    "EXIT STATUS",
    "ENVIRONMENT",
    "FILES",
    "EXAMPLES",
    "STANDARDS",
    "SEE ALSO",
];

/// Those that every page has.
const NEEDED: [&str; 7] = [
    "NAME",
    "SYNOPSIS",
    "DESCRIPTION",
    "OPTIONS",
    "EXIT STATUS",
    "EXAMPLES",
    "SEE ALSO",
];

fn page(name: &str) -> String {
    let words: Vec<&str> = ["man", name]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect();
    succeeded(&mailtool(&words, ""))
}

/// The lines of a section.
fn section<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let lines = page
        .lines()
        .skip_while(|line| *line != format!(".SH {name}"));
    lines
        .skip(1)
        .take_while(|line| !line.starts_with(".SH "))
        .collect()
}

#[test]
fn every_page_has_its_sections_in_order() {
    for name in PAGES {
        let page = page(name);
        let sections: Vec<&str> = page
            .lines()
            .filter_map(|line| line.strip_prefix(".SH "))
            .collect();
        let places: Vec<Option<usize>> = sections
            .iter()
            .map(|section| SECTIONS.iter().position(|known| known == section))
            .collect();
        assert!(places.iter().all(Option::is_some), "{name}: {sections:?}");
        assert!(places.is_sorted(), "{name}: {sections:?}");
        for needed in NEEDED {
            assert!(!section(&page, needed).is_empty(), "{name}: no {needed}");
        }
    }
    // Every applet has a page: none is forgotten here.
    let listed = succeeded(&mailtool(&["--list"], ""));
    assert_eq!(listed.lines().collect::<Vec<_>>(), PAGES[1..]);
}

#[test]
fn exit_codes_are_those_of_the_program() {
    let known: BTreeSet<u8> = include_str!("../src/applet/exit.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("pub const "))
        .filter_map(|line| {
            line.split_once(": u8 = ")?
                .1
                .trim_end_matches(';')
                .parse()
                .ok()
        })
        .collect();
    assert!(known.len() > 10, "{known:?}");
    for name in PAGES {
        let page = page(name);
        let told: BTreeSet<u8> = section(&page, "EXIT STATUS")
            .iter()
            .filter_map(|line| line.strip_prefix(".B ")?.parse().ok())
            .collect();
        assert!(
            told.contains(&0) && told.is_subset(&known),
            "{name}: {told:?}"
        );
        if name.is_empty() {
            continue;
        }
        // What the help tells in short is in the page as well.
        let help = succeeded(&mailtool(&["help", name], ""));
        let short = ["Exit codes:", "Exit code:", "Exit status:"]
            .iter()
            .find_map(|title| help.split_once(title))
            .map_or("", |(_, rest)| {
                rest.split("\n\nExamples").next().unwrap_or_default()
            });
        let words = short.split(|c: char| !c.is_ascii_digit());
        let in_help: BTreeSet<u8> = words.filter_map(|word| word.parse().ok()).collect();
        assert!(
            in_help.is_subset(&told),
            "{name}: {in_help:?}, but {told:?}"
        );
    }
}

#[test]
fn every_option_and_command_of_the_help_is_in_the_page() {
    for name in &PAGES[1..] {
        let (page, help) = (
            page(name).replace("\\-", "-"),
            succeeded(&mailtool(&["help", name], "")),
        );
        let options = help.lines().filter_map(|line| {
            let line = line.trim_start();
            line.starts_with('-')
                .then(|| line.split([' ', ',', '.', '[']).next().unwrap_or_default())
        });
        for option in options {
            assert!(page.contains(option), "{name}: no {option}");
        }
        let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        for command in commands.take_while(|line| !line.is_empty()) {
            let command = command
                .strip_prefix("  ")
                .filter(|line| !line.starts_with(' '));
            let command = command
                .and_then(|line| line.split(' ').next())
                .unwrap_or_default();
            assert!(
                command == "help" || page.contains(&format!(".TP\n\\fB{command}\\fR")),
                "{name}: no {command}"
            );
        }
    }
}

/// The page of `serve` and the program speak of the same options: none is missing in the one, none is left over in the other.
#[test]
fn the_page_of_serve_has_the_options_of_serve_and_no_others() {
    let page = page("serve").replace("\\-", "-").replace("\\fR", " ");
    let of_page = options(&page);
    let mut of_program = options(&succeeded(&mailtool(&["serve", "--help"], "")));
    for command in [
        "deliver",
        "fault",
        "queue",
        "trace",
        "mailbox list",
        "mailbox import",
        "mailbox export",
        "mailbox check",
        "mailbox dedup",
        "user add",
        "user list",
        "sessions",
        "sessions list",
        "sessions diagram",
        "wait",
        "class",
        "progress",
    ] {
        let words: Vec<&str> = ["serve"]
            .into_iter()
            .chain(command.split(' '))
            .chain(["--help"])
            .collect();
        of_program.extend(options(&succeeded(&mailtool(&words, ""))));
    }
    assert!(of_program.len() > 55, "{of_program:?}");
    assert_eq!(of_page, of_program);
    // And the commands within its commands.
    let help = succeeded(&mailtool(&["serve", "queue", "--help"], ""));
    let (_, verbs) = help.split_once("Commands:\n").expect("commands");
    let verbs = verbs.lines().take_while(|line| !line.is_empty());
    for verb in verbs.filter_map(|line| line.split_whitespace().next()) {
        assert!(page.contains(&format!(".TP\n\\fB{verb} ")), "no {verb}");
    }
}

/// `--NAME`, wherever it stands.
fn options(text: &str) -> BTreeSet<String> {
    let pieces = text.split("--").skip(1).map(|piece| {
        let is_name = |letter: char| letter.is_ascii_lowercase() || letter == '-';
        piece
            .chars()
            .take_while(|letter| is_name(*letter))
            .collect()
    });
    pieces.filter(|name: &String| !name.is_empty()).collect()
}

/// A server's page is in section 8, and is referred to so.
#[test]
fn pages_are_in_their_sections() {
    for name in PAGES {
        let (page, section) = (page(name), if name == "serve" { 8 } else { 1 });
        let title = page.lines().find(|line| line.starts_with(".TH "));
        let title = title.expect("a title");
        assert!(title.contains(&format!(" {section} \"")), "{title}");
        assert!(!page.contains("mailtool\\-serve (1)"), "{name}");
    }
}

#[test]
fn groff_has_nothing_to_complain_of() {
    if !have("groff", "groff-base") {
        return;
    }
    for name in PAGES {
        let mut groff = Command::new("groff");
        groff.args(["-Tutf8", "-man", "-ww", "-rLL=80n", "-P-cbou"]);
        let output = run(&mut groff, &page(name));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
        for line in succeeded(&output).lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
}

/// The French pages have the sections of man-pages(7) in French, every option that the program has, and nothing that groff
/// complains of.
#[test]
fn the_french_pages_are_as_whole() {
    const SECTIONS: [&str; 11] = [
        "NOM",
        "SYNOPSIS",
        "DESCRIPTION",
        "COMMANDES",
        "OPTIONS",
        "CODE DE RETOUR",
        "ENVIRONNEMENT",
        "FICHIERS",
        "EXEMPLES",
        "NORMES",
        "VOIR AUSSI",
    ];
    for name in ["codes", "nc", "serve"] {
        let french = succeeded(&mailtool(&["man", "--lang", "fr", name], ""));
        let english = succeeded(&mailtool(&["man", "--lang", "en", name], ""));
        let sections: Vec<&str> = french
            .lines()
            .filter_map(|line| line.strip_prefix(".SH "))
            .collect();
        let places: Vec<Option<usize>> = sections
            .iter()
            .map(|section| SECTIONS.iter().position(|known| known == section))
            .collect();
        assert!(places.iter().all(Option::is_some), "{name}: {sections:?}");
        assert!(places.is_sorted(), "{name}: {sections:?}");
        let of_english = english
            .lines()
            .filter(|line| line.starts_with(".SH "))
            .count();
        assert_eq!(sections.len(), of_english, "{name}: {sections:?}");
        let (french, english) = (french.replace("\\-", "-"), english.replace("\\-", "-"));
        // What the prose of one page alone speaks of is its own affair; options are headers.
        let headers = |page: &str| -> BTreeSet<String> {
            let lines = page.lines().filter(|line| line.starts_with("\\fB-"));
            lines.flat_map(options).collect()
        };
        assert_eq!(headers(&french), headers(&english), "{name}");
        if have("groff", "groff-base") {
            let mut groff = Command::new("groff");
            groff.args(["-Tutf8", "-Kutf8", "-man", "-ww", "-rLL=80n", "-P-cbou"]);
            let output = run(
                &mut groff,
                &succeeded(&mailtool(&["man", "--lang", "fr", name], "")),
            );
            assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
        }
    }
    // The environment chooses too; what has no French page is English.
    let mut command = Command::new(program::MAILTOOL);
    command
        .args(["man", "nc"])
        .env_remove("LC_ALL")
        .env_remove("LC_MESSAGES");
    assert!(succeeded(&run(command.env("LANG", "fr_FR.UTF-8"), "")).contains(".SH NOM\n"));
    assert!(succeeded(&mailtool(&["man", "--lang", "fr", "send"], "")).contains(".SH NAME\n"));
}

#[test]
fn examples_in_the_help_fit_a_terminal() {
    for name in PAGES {
        let mut command = Command::new(program::MAILTOOL);
        let words = ["help", name].into_iter().filter(|word| !word.is_empty());
        let help = succeeded(&run(command.args(words).env("COLUMNS", "200"), ""));
        let (_, examples) = help
            .split_once("Examples:")
            .unwrap_or_else(|| panic!("{name}: {help}"));
        for line in examples.lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
}

/// The French pages have as many sections as the English ones, and speak of the same options: nothing that came later was left out.
#[test]
fn the_french_pages_say_as_much() {
    for name in ["serve", "nc", "codes"] {
        let english = page(name);
        let french = succeeded(&mailtool(&["man", "--lang", "fr", name], ""));
        for heading in [".SH ", ".SS "] {
            let count = |page: &str| page.lines().filter(|it| it.starts_with(heading)).count();
            assert_eq!(count(&french), count(&english), "{name}: {heading}");
        }
        let options = |page: &str| options(&page.replace("\\-", "-").replace("\\fR", " "));
        let missing: Vec<String> = options(&english)
            .difference(&options(&french))
            .cloned()
            .collect();
        assert!(
            missing.is_empty(),
            "{name}: the French page has no {missing:?}"
        );
    }
    // All words of a fault rule, with their meaning.
    let plain = |text: &str| -> String {
        let text = text.replace("\\-", "-").replace("\\~", " ");
        text.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase()
    };
    let french = plain(&succeeded(&mailtool(&["man", "--lang", "fr", "serve"], "")));
    let tables = [
        words::SCOPES,
        words::STAGES,
        words::CONDITIONS,
        words::ACTIONS,
    ];
    for word in tables.into_iter().flatten() {
        let meaning = plain(word.meaning.fr);
        assert!(french.contains(&meaning), "{}: {meaning}", word.name);
        assert!(french.contains(&plain(word.form)), "{}", word.form);
    }
}

/// A machine without man(1) has the pages too, and `lab` is a word of its own.
#[test]
fn a_page_can_be_read_without_man() {
    let lab = succeeded(&mailtool(&["man", "--text", "lab", "--lang", "fr"], ""));
    for line in [
        "MISE EN PLACE",
        "   7. MAIL FROM sans adresse",
        "       > MAIL FROM",
        "       $ printf '\\0alice\\0alice' | base64",
    ] {
        assert!(
            lab.lines().any(|it| it == line),
            "{line:?} is not in\n{lab}"
        );
    }
    assert_eq!(
        succeeded(&mailtool(&["lab", "--text", "--lang", "fr"], "")),
        lab
    );
    let roff = succeeded(&mailtool(&["lab"], ""));
    assert!(roff.starts_with(".TH mailtool"), "{roff}");
    if !have("script", "bsdutils") {
        return;
    }
    // On a terminal nobody wants roff; here there is no man, and so no pager.
    let mut command = Command::new("script");
    let line = format!("PATH=/nonexistent {} man codes", program::MAILTOOL);
    command
        .args(["-qec", &line, "/dev/null"])
        .env("SHELL", "/bin/sh")
        .env("LC_ALL", "C.UTF-8");
    let page = succeeded(&run(&mut command, ""));
    assert!(page.contains("\nNAME") && !page.contains(".SH"), "{page}");
}
