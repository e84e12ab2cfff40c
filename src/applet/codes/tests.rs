//! The pages word for word, in both languages, and what counts as a word.

use super::*;

const SERVICES: &str = "# comment\nsmtp\t\t25/tcp\t\tmail\nimaps\t\t993/tcp\t\t\t# IMAP over SSL\n";

/// The pages of these words, on a machine with `services` as its `/etc/services`.
fn pages(words: &[&str], lang: Lang, services: Option<&str>) -> String {
    let services = Services::of(services);
    let mut page = Page::new(lang, Style::Plain, &services);
    let (found, unknown) = look_up(words.iter().copied());
    assert_eq!(unknown, Vec::<&str>::new());
    for one in &found {
        page.found(one);
    }
    page.finish()
}

/// The headings that these words lead to.
fn known(words: &[&str]) -> Vec<String> {
    let (found, _) = look_up(words.iter().copied());
    found.into_iter().map(|one| one.word).collect()
}

fn matches(arguments: &[&str]) -> ArgMatches {
    let arguments = ["codes"].iter().chain(arguments);
    command()
        .try_get_matches_from(arguments)
        .expect("a command line that is right")
}
