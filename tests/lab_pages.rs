//! The pages of the lab are true: each command in `man/mailtool-lab.7` and `man/fr/mailtool-lab.7` is run, in order, on the
//! built program, and what it says is compared.
//!
//! An example between `.EX` and `.EE` that has a line beginning with `$` is a block as `tests/readme.rs` knows them; others are
//! shown only.

#[path = "support/pattern.rs"]
#[expect(dead_code, reason = "dialogues use more of it")]
mod pattern;
#[path = "support/program.rs"]
mod program;
#[path = "support/tour.rs"]
mod tour;

use std::fmt::Write as _;
use std::process::Command;

use program::{have, mailtool, succeeded};
use tour::Tour;

const ENGLISH: &str = include_str!("../man/mailtool-lab.7");
const FRENCH: &str = include_str!("../man/fr/mailtool-lab.7");

/// The page's examples as blocks, each line at its own number.
fn examples(page: &str) -> String {
    let mut text = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line != ".EX" {
            text.push('\n');
            continue;
        }
        let block: Vec<String> = lines
            .by_ref()
            .take_while(|line| *line != ".EE")
            .map(plain)
            .collect();
        let is_run = block.iter().any(|line| line.starts_with("$ "));
        let (open, close) = if is_run {
            ("```console", "```")
        } else {
            ("", "")
        };
        let _ = writeln!(text, "{open}");
        for line in block {
            let _ = writeln!(text, "{}", if is_run { &line } else { "" });
        }
        let _ = writeln!(text, "{close}");
    }
    text
}

/// A line of roff as it is shown.
fn plain(line: &str) -> String {
    line.replace("\\-", "-")
        .replace("\\(aq", "'")
        .replace("\\&", "")
        .replace("\\(ti", "~")
        .replace("\\(ha", "^")
        .replace("\\e", "\\")
}

fn follow(page: &str, lang: &'static str, name: &str) {
    let mut tour = Tour::begin(lang);
    if let Err(error) = tour.follow(&examples(page)) {
        panic!("{}", error.replace("README.md", name));
    }
    assert!(tour.commands > 20, "only {} commands", tour.commands);
}

#[test]
fn the_english_page_is_true() {
    follow(ENGLISH, "C.UTF-8", "man/mailtool-lab.7");
}

#[test]
fn the_french_page_is_true() {
    follow(FRENCH, "fr_FR.UTF-8", "man/fr/mailtool-lab.7");
}

/// Both have the eighteen questions in their order, and the same commands.
#[test]
fn the_two_pages_are_one_lab() {
    let numbers = |page: &str| -> Vec<u32> {
        page.lines()
            .filter_map(|line| line.strip_prefix(".SS ")?.split('.').next()?.parse().ok())
            .collect()
    };
    assert_eq!(numbers(ENGLISH), (1..=18).collect::<Vec<u32>>());
    assert_eq!(numbers(FRENCH), numbers(ENGLISH));
    let typed = |page: &str| -> Vec<String> {
        examples(page)
            .lines()
            .filter(|line| line.starts_with("$ mailtool") || line.starts_with("> "))
            .map(|line| {
                line.replace("--lang fr", "--lang en")
                    .split(" # ")
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
            .filter(|line| {
                !line.starts_with("> Subject")
                    && !line.starts_with("> Hello")
                    && !line.starts_with("> Bonjour")
            })
            .collect()
    };
    let (english, french) = (typed(ENGLISH), typed(FRENCH));
    for (one, other) in english.iter().zip(&french) {
        assert_eq!(one, other);
    }
    assert_eq!(english.len(), french.len());
}

#[test]
fn the_pages_are_printed_and_groff_sets_them() {
    assert_eq!(succeeded(&mailtool(&["man", "lab"], "")), ENGLISH);
    assert_eq!(
        succeeded(&mailtool(&["man", "--lang", "fr", "lab"], "")),
        FRENCH
    );
    if !have("groff", "groff") {
        return;
    }
    for file in ["man/mailtool-lab.7", "man/fr/mailtool-lab.7"] {
        let root = env!("CARGO_MANIFEST_DIR");
        let output = Command::new("groff")
            .args(["-man", "-Tutf8", "-Kutf8", "-ww", "-z", file])
            .current_dir(root)
            .output();
        let output = output.expect("groff is here");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "{file}: {said}");
    }
}
