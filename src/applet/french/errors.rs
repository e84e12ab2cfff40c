//! What is wrong with a command line, in French: every kind of error that clap has but those of its own making.

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::said;

/// The text for stderr, with its line end.
pub(in crate::applet) fn error(error: &Error) -> Option<String> {
    let mut text = format!("erreur : {}", sentence(error)?);
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        let usage = usage.to_string();
        let usage = usage.trim_start_matches("Usage:").trim();
        text.push_str(
            &format!("\n\nUtilisation : {usage}").replace("\n       ", "\n              "),
        );
    }
    text.push_str("\n\nPour en savoir plus : --help\n");
    Some(text)
}

/// What is wrong, and what would be right.
pub(in crate::applet) fn sentence(error: &Error) -> Option<String> {
    let of = |kind| error.get(kind).map(spelt).filter(|text| !text.is_empty());
    let argument = of(ContextKind::InvalidArg);
    let value = of(ContextKind::InvalidValue);
    let number = |kind| of(kind).unwrap_or_default();
    let mut text = match error.kind() {
        ErrorKind::UnknownArgument => format!("argument inconnu : « {} »", argument?),
        ErrorKind::InvalidSubcommand => {
            let command = of(ContextKind::InvalidSubcommand)?;
            format!("commande inconnue : « {command} »")
        }
        ErrorKind::MissingSubcommand => "il manque une commande".to_owned(),
        ErrorKind::InvalidValue => match value {
            Some(value) => format!("« {value} » ne convient pas à « {} »", argument?),
            None => format!("il faut une valeur à « {} »", argument?),
        },
        ErrorKind::ValueValidation => {
            let cause = std::error::Error::source(error)?.to_string();
            let value = value.unwrap_or_default();
            let (argument, cause) = (argument?, about_value(&cause));
            format!("« {value} » ne convient pas à « {argument} » : {cause}")
        }
        ErrorKind::MissingRequiredArgument => format!("il manque : {}", argument?),
        ErrorKind::ArgumentConflict => {
            let argument = argument.or_else(|| of(ContextKind::InvalidSubcommand))?;
            match of(ContextKind::PriorArg) {
                Some(other) if other == argument => format!("« {argument} » est là deux fois"),
                Some(other) => format!("« {argument} » ne va pas avec « {other} »"),
                None => format!("« {argument} » ne va pas avec le reste"),
            }
        }
        ErrorKind::NoEquals => format!("il faut « = » entre « {} » et sa valeur", argument?),
        ErrorKind::TooManyValues => format!("« {} » est de trop pour « {} »", value?, argument?),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => format!(
            "« {} » veut {}{} valeurs, et en a {}",
            argument?,
            number(ContextKind::ExpectedNumValues),
            number(ContextKind::MinValues),
            number(ContextKind::ActualNumValues),
        ),
        ErrorKind::InvalidUtf8 => "un argument n'est pas en UTF-8".to_owned(),
        _ => return None,
    };
    if let Some(values) = of(ContextKind::ValidValue).or_else(|| of(ContextKind::ValidSubcommand)) {
        text.push_str(&format!("\n  [valeurs : {values}]"));
    }
    let near = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ];
    if let Some(near) = near.into_iter().find_map(of) {
        text.push_str(&format!("\n\n  peut-être : « {near} »"));
    }
    Some(text)
}

/// What a value lacks: our own sentences, and those of the parsers of numbers.
fn about_value(cause: &str) -> String {
    if let Some((number, range)) = cause.split_once(" is not in ") {
        return format!("{number} n'est pas dans {range}");
    }
    let found = NUMBERS.iter().find(|(english, _)| *english == cause);
    found.map_or_else(|| said(cause), |(_, french)| (*french).to_owned())
}

/// What `std` says of a number.
const NUMBERS: [(&str, &str); 4] = [
    (
        "cannot parse integer from empty string",
        "ce n'est pas un nombre",
    ),
    ("invalid digit found in string", "ce n'est pas un nombre"),
    (
        "number too large to fit in target type",
        "ce nombre est trop grand",
    ),
    (
        "number too small to fit in target type",
        "ce nombre est trop petit",
    ),
];

fn spelt(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join(", "),
        ContextValue::StyledStr(text) => text.to_string(),
        ContextValue::StyledStrs(texts) => {
            let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
            texts.join(", ")
        }
        ContextValue::Number(number) => number.to_string(),
        ContextValue::Bool(_) | ContextValue::None => String::new(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(words: &[&str]) -> String {
        let command = super::super::translated("codes", crate::applet::codes::command());
        let words = ["codes"].into_iter().chain(words.iter().copied());
        let refused = command
            .try_get_matches_from(words)
            .expect_err("a wrong command line");
        error(&refused).expect("a French text")
    }

    #[test]
    fn mistakes_are_told_in_french() {
        assert_eq!(
            told(&["--lits", "smtp"]),
            "erreur : argument inconnu : « --lits »\n\n  peut-être : « --list »\n\nUtilisation : codes --list <TABLE> [WORD]...\n\nPour en savoir plus : --help\n"
        );
        let text = told(&["--list", "nothing"]);
        assert!(text.starts_with("erreur : « nothing » ne convient pas à « --list <TABLE> »\n  [valeurs : smtp, enhanced"), "{text}");
        let text = told(&["--quiz", "--json"]);
        assert!(text.contains(" ne va pas avec "), "{text}");
        let text = told(&["--quiz", "--seed", "x"]);
        assert!(
            text.starts_with("erreur : « x » ne convient pas à « --seed <N> » : "),
            "{text}"
        );
        let text = told(&["--quiz", "--seed", "x"]);
        assert!(text.contains(" : ce n'est pas un nombre\n"), "{text}");
        let text = told(&["--seed", "3"]);
        assert!(
            text.starts_with("erreur : il manque : --quiz")
                && text.contains("\n\nUtilisation : codes --quiz"),
            "{text}"
        );
    }

    /// Everything that can be wrong with an option of `serve`, and nothing of it in English.
    #[test]
    fn what_is_wrong_with_a_value_is_told_in_french_too() {
        for (words, expected) in [
            (&["--lab-chain", "61"][..], "61 n'est pas dans 1..=60"),
            (
                &["--smtp", "x"],
                "donner ADRESSE:PORT, comme 127.0.0.1:2525",
            ),
            (&["--smtp-timeout", "soon"], "donner un temps comme 30s"),
            (
                &["--max-size", "much"],
                "donner un nombre d'octets, comme 10000000",
            ),
            (
                &["--fault", "smtp rcpt"],
                "la règle ne fait encore rien : dire l'un de",
            ),
            (
                &["--fault", "ftp get drop"],
                "une règle commence par un protocole : smtp",
            ),
            (&["--store"], "il faut une valeur à « --store <DIR> »"),
            (
                &["--store", "a", "--store", "b"],
                "« --store <DIR> » est là deux fois",
            ),
            (&["--store", "a", "queue"], "« queue » ne va pas avec"),
            (&["frobnicate"], "« frobnicate »"),
        ] {
            let command = super::super::translated("serve", crate::applet::serve::command());
            let words = ["serve"].into_iter().chain(words.iter().copied());
            let refused = command.try_get_matches_from(words).expect_err("wrong");
            let text = error(&refused).expect("a French text");
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
}
