//! Where log messages go: to standard error, a line each, with nothing in them that a terminal would obey.

use std::io::{self, Write};

use log::{Level, LevelFilter, Log, Metadata, Record};

/// Log messages are printed from now on; `MAILTOOL_LOG` names the least level: error, warn, info (the default), debug.
pub(super) fn start() {
    let level = std::env::var("MAILTOOL_LOG")
        .ok()
        .and_then(|level| level.parse().ok());
    // The only error is that there is a sink already; then that one is used.
    if log::set_logger(&Stderr).is_ok() {
        log::set_max_level(level.unwrap_or(LevelFilter::Info));
    }
}

struct Stderr;

impl Log for Stderr {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let level = match record.level() {
            Level::Error => "error: ",
            Level::Warn => "warning: ",
            Level::Info | Level::Debug | Level::Trace => "",
        };
        // Nobody is left to tell when standard error is gone.
        let _ = writeln!(
            io::stderr().lock(),
            "{level}{}",
            tame(&record.args().to_string())
        );
    }

    fn flush(&self) {}
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
    fn a_terminal_has_nothing_to_obey() {
        assert_eq!(
            tame("HELO \u{1b}[2J\r\nx\u{9b}é"),
            "HELO \\u{1b}[2J\\r\\nx\\u{9b}é"
        );
    }
}
