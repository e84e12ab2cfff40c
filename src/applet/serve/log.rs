//! Where log messages go: to standard error, a line each, with nothing in them that a terminal would obey.
//!
//! Who sits before a terminal reads them in the language of the environment. A file, a pipe or the journal gets them in English whatever
//! that is: programs read those (a filter, fail2ban), and they are what is shown to others who look for the same trouble.

use std::io::{self, IsTerminal, Write};

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::applet::{in_language, lang};
use crate::wire::codes::Lang;

/// Log messages are printed from now on; `MAILTOOL_LOG` names the least level: error, warn, info (the default), debug.
pub(super) fn start() {
    let level = std::env::var("MAILTOOL_LOG")
        .ok()
        .and_then(|level| level.parse().ok());
    // The only error is that there is a sink already; then that one is used.
    let lang = match io::stderr().is_terminal() {
        true => lang(),
        false => Lang::En,
    };
    let sink = match lang {
        Lang::En => &Stderr { lang: Lang::En },
        Lang::Fr => &Stderr { lang: Lang::Fr },
    };
    if log::set_logger(sink).is_ok() {
        log::set_max_level(level.unwrap_or(LevelFilter::Info));
    }
}

struct Stderr {
    lang: Lang,
}

impl Log for Stderr {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = line(self.lang, record.level(), record.args().to_string());
        // Nobody is left to tell when standard error is gone.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    fn flush(&self) {}
}

fn line(lang: Lang, level: Level, words: String) -> String {
    let level = match (level, lang) {
        (Level::Error, Lang::En) => "error: ",
        (Level::Error, Lang::Fr) => "erreur : ",
        (Level::Warn, Lang::En) => "warning: ",
        (Level::Warn, Lang::Fr) => "attention : ",
        (Level::Info | Level::Debug | Level::Trace, _) => "",
    };
    format!("{level}{}", tame(&in_language(lang, words)))
}

/// What peers sent may be in a message: control characters become visible escapes.
fn tame(message: &str) -> String {
    let escape = |character: char| character.is_control() && character != '\t';
    if !message.contains(escape) {
        return message.to_owned();
    }
    message
        .chars()
        .map(|c| {
            if escape(c) {
                c.escape_default().to_string()
            } else {
                c.to_string()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_told_in_its_language() {
        for (lang, level, expected) in [
            (Lang::En, Level::Info, "stopping: 3 connections to close"),
            (Lang::Fr, Level::Info, "arrêt : 3 connexions à fermer"),
            (
                Lang::Fr,
                Level::Warn,
                "attention : arrêt : 3 connexions à fermer",
            ),
        ] {
            let words = "stopping: 3 connections to close".to_owned();
            assert_eq!(line(lang, level, words), expected);
        }
    }

    #[test]
    fn a_terminal_has_nothing_to_obey() {
        assert_eq!(
            tame("HELO \u{1b}[2J\r\nx\u{9b}é"),
            "HELO \\u{1b}[2J\\r\\nx\\u{9b}é"
        );
    }
}
