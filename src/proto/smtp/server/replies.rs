//! What the server says: the replies whose words do not depend on the session. Each says what was wrong, and what would
//! be right; codes after RFC 5321 §4.2.3 and RFC 3463.

use super::Mode;
use crate::limits;
use crate::store::StoreError;
use crate::wire::address::AddressError;
use crate::wire::smtp::{Enhanced, Reply, SyntaxError, VERBS, Verb, command, shown};

/// MAIL's or RCPT's arguments cannot be read.
pub(super) fn syntax(verb: Verb, error: &SyntaxError) -> Reply {
    let (keyword, whose, bad_address) = match verb {
        Verb::Rcpt => ("TO", "recipient", Enhanced(5, 1, 3)),
        _ => ("FROM", "sender", Enhanced(5, 1, 7)),
    };
    let info = verb.info();
    let (name, example) = (info.name, info.example);
    let wrong = match error {
        SyntaxError::Address(AddressError::NonAscii) => {
            let text = format!("The {whose}'s address: {}", AddressError::NonAscii);
            return Reply::new(553, Enhanced(5, 6, 7), text);
        }
        SyntaxError::Address(error) => {
            let text = format!("The {whose}'s address: {error}. Example: {example}");
            return Reply::new(501, bad_address, text);
        }
        SyntaxError::NothingFollows => {
            format!("{name} alone says nothing: {keyword}:<address> must follow")
        }
        SyntaxError::NothingAfterKeyword => {
            format!("{name} {keyword} names nobody: a colon and the {whose}'s address must follow")
        }
        SyntaxError::Keyword => format!("after {name} must come {keyword}:<address>"),
        SyntaxError::Colon => format!("after {name} {keyword} there must be a colon"),
        SyntaxError::NullRecipient => "<> is nobody: only a sender may be empty".to_owned(),
        SyntaxError::Parameter(word) => {
            format!("after the address only KEYWORD=value may stand, and \"{word}\" is none")
        }
    };
    Reply::new(
        501,
        Enhanced(5, 5, 4),
        format!("Syntax: {wrong}. Example: {example}"),
    )
}

/// A line that is no command.
pub(super) fn unknown(line: &[u8]) -> Reply {
    let text = match line.trim_ascii() {
        [] => "An empty line is no command; HELP lists those that are".to_owned(),
        [0x16, 0x03, ..] => {
            "That is TLS, and this port begins in clear text: use STARTTLS here, or a port for TLS"
                .to_owned()
        }
        line => {
            let word = line.split(u8::is_ascii_whitespace).next().unwrap_or(line);
            format!(
                "\"{}\" is no command here; HELP lists those that are",
                shown(word)
            )
        }
    };
    Reply::new(500, Enhanced(5, 5, 2), text)
}

/// A control character in a command line, which no command has; `None` when there is none.
pub(super) fn control_character(line: &[u8]) -> Option<Reply> {
    let stray = line
        .iter()
        .find(|octet| octet.is_ascii_control() && **octet != b'\t')?;
    let text = match stray {
        b'\r' | b'\n' => {
            "A bare CR or LF in a command; lines end with CR LF, as all those before did".to_owned()
        }
        0 => "A NUL in a command".to_owned(),
        8 | 127 => {
            "A backspace came over too: your terminal sends corrections; type the line again"
                .to_owned()
        }
        0x1b => "An escape (a cursor key?) came over too; type the line again".to_owned(),
        0x16 if line.starts_with(&[0x16, 0x03]) => return Some(unknown(line)),
        other => format!("A control character (code {other}) in a command; type the line again"),
    };
    Some(Reply::new(500, Enhanced(5, 5, 2), text))
}

/// Nothing may stand behind this verb.
pub(super) fn no_arguments(verb: Verb) -> Reply {
    let text = format!("Syntax: {} stands alone on its line", verb.info().name);
    Reply::new(501, Enhanced(5, 5, 4), text)
}

/// Something must stand behind this verb.
pub(super) fn argument_missing(verb: Verb) -> Reply {
    let info = verb.info();
    let text = format!("Syntax: {}. Example: {}", info.syntax, info.example);
    Reply::new(501, Enhanced(5, 5, 4), text)
}

/// The order of commands: what must come first.
pub(super) fn sequence(text: &'static str) -> Reply {
    Reply::new(503, Enhanced(5, 5, 1), text)
}

/// The message is over SIZE (RFC 1870 §6).
pub(super) fn too_big(max_octets: u64) -> Reply {
    let text = format!("The message is too big: this server takes {max_octets} octets at most");
    Reply::new(552, Enhanced(5, 3, 4), text)
}

/// The message runs in a circle (RFC 5321 §6.3).
pub(super) fn too_many_hops() -> Reply {
    let text = format!(
        "More than {} Received lines: the message seems to run in a circle between servers",
        limits::HOPS
    );
    Reply::new(554, Enhanced(5, 4, 6), text)
}

/// The store could not take the message.
pub(super) fn store_error(error: &StoreError) -> Reply {
    match error {
        StoreError::Full => Reply::new(
            452,
            Enhanced(4, 3, 1),
            "No room left on this server's disk; the message was not taken, try again later",
        ),
        StoreError::OverQuota => Reply::new(
            452,
            Enhanced(4, 2, 2),
            "The mailbox is over its quota; the message was not taken, try again later",
        ),
        _ => Reply::new(
            451,
            Enhanced(4, 3, 0),
            "This server could not write the message; it was not taken, try again later",
        ),
    }
}

/// HELP, and HELP with a word.
pub(super) fn help(argument: &[u8], mode: Mode) -> Reply {
    let hello = match mode {
        Mode::Lmtp => Verb::Lhlo,
        Mode::Mta | Mode::Submission => Verb::Ehlo,
    };
    let mut lines = Vec::new();
    if argument.is_empty() {
        let done = VERBS.iter().filter(|info| is_done(info.verb, mode));
        let names: Vec<_> = done.map(|info| info.name).collect();
        lines.push(format!("Commands: {}", names.join(" ")).into());
        lines.push("HELP and a command explains it. A whole message goes like this:".into());
        for verb in [hello, Verb::Mail, Verb::Rcpt, Verb::Data] {
            lines.push(format!("    {}", verb.info().example).into());
        }
        let text = [
            "    Subject: Hello",
            "",
            "    Hello Alice",
            "    .",
            "    QUIT",
        ];
        lines.extend(text.map(Into::into));
    } else {
        let word = argument.split(u8::is_ascii_whitespace).next();
        let word = word.unwrap_or(argument);
        let Some((verb, _)) = command(word) else {
            let text = format!(
                "There is no command \"{}\"; HELP alone lists them",
                shown(word)
            );
            return Reply::new(504, Enhanced(5, 5, 4), text);
        };
        let info = verb.info();
        lines.push(format!("{} - {}", info.syntax, info.meaning).into());
        lines.push(format!("Example: {}", info.example).into());
        if !is_done(verb, mode) {
            lines.push("Not done by this server".into());
        }
    }
    Reply {
        code: 214,
        enhanced: Some(Enhanced(2, 0, 0)),
        lines,
    }
}

/// Whether a verb is more than known.
const fn is_done(verb: Verb, mode: Mode) -> bool {
    match verb {
        Verb::Expn | Verb::Etrn | Verb::Turn | Verb::Bdat => false,
        Verb::Lhlo => matches!(mode, Mode::Lmtp),
        Verb::Helo | Verb::Ehlo | Verb::Auth => !matches!(mode, Mode::Lmtp),
        _ => true,
    }
}
