//! What the server says: the replies whose words do not depend on the session. Each says what was wrong, and what would
//! be right; codes after RFC 5321 §4.2.3 and RFC 3463.

use crate::store::StoreError;
use crate::wire::address::AddressError;
use crate::wire::smtp::parameters::ParameterError;
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
pub(super) fn too_many_hops(max: usize) -> Reply {
    let text = format!(
        "More than {max} Received lines: the message seems to run in a circle between servers"
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

/// HELP, and HELP with a word. `is_done` says whether a command is more than known here.
pub(super) fn help(argument: &[u8], is_done: impl Fn(Verb) -> bool) -> Reply {
    let hello = match is_done(Verb::Lhlo) {
        true => Verb::Lhlo,
        false => Verb::Ehlo,
    };
    let mut lines = Vec::new();
    if argument.is_empty() {
        let done = VERBS.iter().filter(|info| is_done(info.verb));
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
        lines.extend(more_help(verb).iter().map(|line| (*line).into()));
        if !is_done(verb) {
            lines.push("Not done by this server".into());
        }
    }
    Reply {
        code: 214,
        enhanced: Some(Enhanced(2, 0, 0)),
        lines,
    }
}

/// What else can stand behind a command.
const fn more_help(verb: Verb) -> &'static [&'static str] {
    match verb {
        Verb::Mail => &[
            "Where EHLO lists their extensions, there may follow:",
            "    SIZE=octets BODY=7BIT|8BITMIME|BINARYMIME SMTPUTF8 AUTH=<> MT-PRIORITY=3",
            "    RET=FULL|HDRS ENVID=name BY=seconds;R HOLDFOR=seconds REQUIRETLS",
        ],
        Verb::Rcpt => &[
            "Where EHLO lists DSN, there may follow:",
            "    NOTIFY=NEVER|SUCCESS,FAILURE,DELAY ORCPT=rfc822;alice@example.org",
        ],
        Verb::Data => &["A line of the text that begins with a dot is sent with two"],
        Verb::Bdat => {
            &["The octets follow at once: no answer comes before them, and no dot after them"]
        }
        Verb::Auth => &[
            "For PLAIN: printf '\\0alice\\0secret' | base64",
            "A * alone on the line cancels",
        ],
        _ => &[],
    }
}

/// What is wrong with a parameter of MAIL or RCPT.
pub(super) fn parameter(verb: Verb, error: ParameterError, max_octets: u64) -> Reply {
    let (code, enhanced, text) = match error {
        // RFC 5321 §4.1.1.11
        ParameterError::Unknown(keyword) => {
            let keyword = shown(keyword.as_bytes());
            let name = verb.info().name;
            let text = format!(
                "{name} has no parameter {keyword} here; EHLO lists what this server knows"
            );
            (555, Enhanced(5, 5, 4), text)
        }
        ParameterError::Twice(keyword) => {
            let text = format!("{} stands there twice", shown(keyword.as_bytes()));
            (501, Enhanced(5, 5, 4), text)
        }
        ParameterError::Value(should_be) => (501, Enhanced(5, 5, 4), should_be.to_owned()),
        ParameterError::TooBig => return too_big(max_octets),
        // RFC 8689 §2: it is offered within TLS only.
        ParameterError::NeedsTls => {
            let text = "REQUIRETLS is for messages that come over TLS: say STARTTLS first";
            (530, Enhanced(5, 7, 10), text.to_owned())
        }
        ParameterError::TooLate(seconds) => {
            let text = format!("That is too far away: a message is held {seconds} seconds at most");
            (501, Enhanced(5, 5, 4), text)
        }
        // RFC 2852 §4.1
        ParameterError::TooSoon(seconds) => {
            let text = format!("That is too soon: BY with R takes {seconds} seconds at least");
            (455, Enhanced(4, 4, 7), text)
        }
    };
    Reply::new(code, enhanced, text)
}

/// A line ended with a bare CR or LF, and nothing is overlooked.
pub(super) fn bare_line_end() -> Reply {
    let text =
        "A line ended with a bare CR or LF: every line ends with CR LF (RFC 5321 section 2.3.8)";
    Reply::new(500, Enhanced(5, 5, 2), text)
}
