//! What the program says when something goes wrong, in French: its own sentences, with what they are about in their places.
//!
//! A row of `sentences.rs`, `mistakes.rs` or `reports.rs` is a text as it stands in the source. `{}` is a place that stays as it is: a name, a path, a server's words; `{:}` one in which a
//! text of the table may stand. Where no row fits all of it, what stands before the first `: ` is looked for alone, and what follows
//! alone: so context is laid around an error. What has no row stays English.

use std::sync::OnceLock;

use super::{Rows, table};

/// `text` in French, as far as there are rows for it.
pub(in crate::applet) fn said(text: &str) -> String {
    // Several are told in lines of their own.
    let lines: Vec<String> = text.split("\n  ").map(|line| one(line, DEEP)).collect();
    lines.join("\n  ")
}

/// Of sentences within sentences.
const DEEP: usize = 6;

fn one(text: &str, deep: usize) -> String {
    let Some(deep) = deep.checked_sub(1) else {
        return text.to_owned();
    };
    if let Some(french) = row(text, deep) {
        return french;
    }
    let Some((before, after)) = text.split_once(": ") else {
        return text.to_owned();
    };
    let (head, tail) = (row(before, deep), one(after, deep));
    match head {
        None if tail == after => text.to_owned(),
        head => format!("{} : {tail}", head.as_deref().unwrap_or(before)),
    }
}

/// `text`, where a row is all of it.
fn row(text: &str, deep: usize) -> Option<String> {
    sentences().iter().find_map(|(english, french)| {
        let found = fit(english, text)?;
        Some(filled(english, french, &found, deep))
    })
}

/// The rows of `sentences.rs`, then those of `mistakes.rs`, then those of `reports.rs`: the first that fits is taken.
fn sentences() -> &'static Rows {
    static SENTENCES: OnceLock<Rows> = OnceLock::new();
    SENTENCES.get_or_init(|| {
        let tables = ["sentences", "mistakes", "reports"].into_iter();
        tables.filter_map(table).flatten().collect()
    })
}

/// What stands in the places of `pattern` in `text`.
fn fit<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut pieces = pieces(pattern);
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut found = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let at = match pieces.peek() {
            // The last one is the end.
            None => rest
                .len()
                .checked_sub(piece.len())
                .filter(|at| rest.get(*at..) == Some(piece))?,
            Some(_) => rest.find(piece)?,
        };
        found.push(&rest[..at]);
        rest = &rest[at + piece.len()..];
    }
    rest.is_empty().then_some(found)
}

/// What stands between the places.
fn pieces(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split("{}").flat_map(|piece| piece.split("{:}"))
}

fn filled(english: &str, french: &str, found: &[&str], deep: usize) -> String {
    let mut text = String::new();
    // In both languages the places are in the same order.
    let mut kinds = english
        .match_indices('{')
        .map(|(at, _)| english[at..].starts_with("{:}"));
    for (number, piece) in pieces(french).enumerate() {
        if let Some(found) = number.checked_sub(1).and_then(|at| found.get(at)) {
            match kinds.next() {
                Some(true) => text.push_str(&one(found, deep)),
                _ => text.push_str(found),
            }
        }
        text.push_str(piece);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_sentence_has_its_parts_in_their_places() {
        for (english, french) in [
            (
                "SMTP at localhost:1025: the server refused the greeting: 421 4.3.2 the message",
                "SMTP à localhost:1025 : le serveur a refusé l'accueil : 421 4.3.2 the message",
            ),
            (
                "SMTP at [::1]:25: the greeting: no answer in time; --timeout SECONDS waits longer; a server that waits for TLS says nothing first: if this is one, add --tls",
                "SMTP à [::1]:25 : l'accueil : pas de réponse à temps ; --timeout SECONDS attend plus longtemps ; un serveur qui attend TLS ne dit rien le premier : si c'en est un, ajouter --tls",
            ),
            (
                "the message: lost the connection to localhost (127.0.0.1 port 25): broken; all of it was sent, so it may have been taken all the same",
                "le message : connexion perdue avec localhost (127.0.0.1 port 25) : broken ; tout a été envoyé, et il se peut qu'il ait été pris quand même",
            ),
            (
                "SMTP at a: the message was not sent\n  <b> refused: 550 no\n  <c> refused: 450 later",
                "SMTP à a : le message n'a pas été envoyé\n  <b> refusé : 550 no\n  <c> refusé : 450 later",
            ),
            (
                "cannot use the store /x: Permission denied (os error 13)",
                "le dossier /x ne peut servir : permission refusée",
            ),
            (
                "what has no row: and none here",
                "what has no row: and none here",
            ),
            ("", ""),
        ] {
            assert_eq!(said(english), french);
        }
    }

    #[test]
    fn both_languages_have_the_same_places() {
        for (english, french) in sentences() {
            let places = |text: &str| -> Vec<bool> {
                let places = text.match_indices('{');
                places
                    .map(|(at, _)| text[at..].starts_with("{:}"))
                    .collect()
            };
            assert_eq!(places(english), places(french), "{english}");
        }
    }

    /// A text that was changed has its row changed with it.
    #[test]
    fn every_row_is_said_somewhere() {
        let mut source = String::new();
        read(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut source,
        );
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let source = words(&source.replace("\\\n", "").replace("\\\"", "\""));
        for (english, _) in sentences() {
            let system = english.contains("os error") || english.contains("reset by peer");
            // The names of protocols are put in.
            let english = english
                .split_once(" at {}: ")
                .map_or(*english, |(_, rest)| rest);
            for piece in pieces(english) {
                for part in piece.split([':', ';']) {
                    let part = words(part);
                    assert!(
                        system || source.contains(&part),
                        "nothing says {part:?} of {english:?}"
                    );
                }
            }
        }
    }

    fn read(folder: &Path, source: &mut String) {
        for entry in std::fs::read_dir(folder).expect("the sources are here") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                if !path.ends_with("french") {
                    read(&path, source);
                }
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                source.push_str(&std::fs::read_to_string(&path).expect("text"));
            }
        }
    }

    proptest::proptest! {
        /// A server's words are a part of what is said.
        #[test]
        fn whatever_is_said_there_is_an_answer(words in proptest::collection::vec(
            proptest::sample::select(&["SMTP at ", ": ", "the message", "\n  ", "{}", "; ", "é", "<", "> refused: ", "line ", " (later it may go)"][..]), 0..20,
        )) {
            said(&words.concat());
        }
    }
}
