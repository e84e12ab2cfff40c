//! What is wrong with a command line, in French: the kinds of errors that clap tells of most. Others stay as clap says them.

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The text for stderr, with its line end.
pub(in crate::applet) fn error(error: &Error) -> Option<String> {
    let of = |kind| error.get(kind).map(spelt);
    let argument = of(ContextKind::InvalidArg);
    let value = of(ContextKind::InvalidValue).filter(|value| !value.is_empty());
    let mut text = match error.kind() {
        ErrorKind::UnknownArgument => format!("argument inconnu : « {} »", argument?),
        ErrorKind::InvalidSubcommand => {
            format!(
                "commande inconnue : « {} »",
                of(ContextKind::InvalidSubcommand)?
            )
        }
        ErrorKind::InvalidValue => match value {
            Some(value) => format!("« {value} » ne convient pas à « {} »", argument?),
            None => format!("il faut une valeur à « {} »", argument?),
        },
        ErrorKind::ValueValidation => {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            let value = value.unwrap_or_default();
            format!(
                "« {value} » ne convient pas à « {} » : {}",
                argument?, cause?
            )
        }
        ErrorKind::MissingRequiredArgument => format!("il manque : {}", argument?),
        ErrorKind::ArgumentConflict => {
            let other = of(ContextKind::PriorArg)?;
            format!("« {} » ne va pas avec « {other} »", argument?)
        }
        ErrorKind::TooManyValues => format!("« {} » est de trop pour « {} »", value?, argument?),
        _ => return None,
    };
    if let Some(values) = of(ContextKind::ValidValue).filter(|values| !values.is_empty()) {
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
    Some(format!("erreur : {text}\n\nPour en savoir plus : --help\n"))
}

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
            "erreur : argument inconnu : « --lits »\n\n  peut-être : « --list »\n\nPour en savoir plus : --help\n"
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
        assert!(told(&["--seed", "3"]).starts_with("erreur : il manque : --quiz"));
    }
}
