//! `mailtool codes`: what a reply, a status, a response code, a command or a mail service means, in English or French.
//!
//! It reads words off the command line, looks each up in [`crate::wire::codes`] and prints a page for it (`page.rs`) or an
//! object (`json.rs`). A word that holds spaces is a line out of a dialogue: what stands at its beginning is explained, and the text
//! after it is left alone. Without words it is a filter (`filter.rs`), or lists (`list.rs`), or asks (`quiz.rs`).
//! Of the machine it reads the environment's language, and `/etc/services` for a service.

mod filter;
mod json;
mod list;
mod markdown;
mod page;
mod quiz;
mod services;

use std::env;
use std::io::{self, IsTerminal};
use std::time::SystemTime;

use clap::builder::{EnumValueParser, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueEnum, value_parser};

use super::exit::{self, failure};
use super::print;
use crate::wire::codes::{Found, Hit, Kind, Lang, Table, digits_of, find, nearest, search};

use list::Form;
use page::{Page, Style};
use quiz::Quiz;
use services::Services;

/// How many near words are named when one is unknown.
const NEAREST: usize = 3;

/// What `--lang` takes.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Language {
    /// English
    En,
    /// French
    Fr,
}

/// The options.
pub fn command() -> Command {
    Command::new("codes")
        .about("Explain reply codes, statuses, commands and ports of mail, in English and French")
        .after_help(
            "Examples:\n  \
             mailtool codes 550              an SMTP reply code, digit by digit\n  \
             mailtool codes 550 5.7.1        with its enhanced status code\n  \
             mailtool codes 55x              all that begin with 55; also x5x, 5, 5.7\n  \
             mailtool codes NO -ERR +OK      statuses of IMAP and POP3\n  \
             mailtool codes '[TRYCREATE]'    a response code\n  \
             mailtool codes RCPT             a command\n  \
             mailtool codes SIZE NOTIFY      an extension of SMTP, and a parameter\n  \
             mailtool codes SCRAM-SHA-256    a mechanism of AUTH\n  \
             mailtool codes smtp 993         a mail service: port and transport\n  \
             mailtool codes CONDSTORE        what a server can do\n  \
             mailtool codes --lang fr 421    in French\n  \
             mailtool codes --list smtp      a whole table\n  \
             mailtool codes --search quota   all that speaks of it\n  \
             mailtool nc -C mx 25 | mailtool codes\n  \
             mailtool codes <bounce.eml      who could not be reached, and why\n  \
             mailtool codes --quiz smtp      questions\n\n\
             Exit status: 0 explained, 1 a word is unknown (the nearest ones are named).",
        )
        .arg(
            Arg::new("WORD")
                .help("A code, a pattern of one (x stands for any digit), a command, an extension, a service or port, or a line of a dialogue in quotes")
                .action(ArgAction::Append)
                .num_args(0..),
        )
        .arg(
            // `-ERR` is a word too. `allow_hyphen_values` on WORD would take options after a word for words as well.
            Arg::new("minus")
                .short('E')
                .short_alias('e')
                .action(ArgAction::Append)
                .allow_hyphen_values(true)
                .hide(true),
        )
        .arg(
            Arg::new("lang")
                .long("lang")
                .value_name("LANGUAGE")
                .help("Language of the explanations [default: from LC_ALL, LC_MESSAGES, LANG]")
                .value_parser(EnumValueParser::<Language>::new()),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .help("Print an array of JSON objects")
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("markdown")
                .long("markdown")
                .help("Print Markdown: sections for words, tables for lists")
                .action(ArgAction::SetTrue)
                .conflicts_with("json"),
        )
        .arg(
            Arg::new("list")
                .long("list")
                .value_name("TABLE")
                .help("Print a whole table")
                .value_parser(PossibleValuesParser::new(Table::ALL.map(Table::name)))
                .conflicts_with_all(["WORD", "minus", "search", "quiz"]),
        )
        .arg(
            Arg::new("search")
                .long("search")
                .value_name("WORD")
                .help("Print what speaks of WORD, in either language; accents do not count")
                .action(ArgAction::Append)
                .conflicts_with("quiz"),
        )
        .arg(
            Arg::new("quiz")
                .long("quiz")
                .value_name("TABLE")
                .help("Ask questions, of one table or of all, and keep the score; q ends")
                .num_args(0..=1)
                .default_missing_value("all")
                .value_parser(PossibleValuesParser::new(
                    std::iter::once("all").chain(Table::ALL.map(Table::name)),
                ))
                .conflicts_with_all(["json", "markdown"]),
        )
        .arg(
            Arg::new("count")
                .long("count")
                .value_name("N")
                .help("Questions of --quiz")
                .value_parser(value_parser!(u16).range(1..))
                .default_value("10")
                .requires("quiz"),
        )
        .arg(
            Arg::new("seed")
                .long("seed")
                .value_name("N")
                .help("The same questions again [default: others each time]")
                .value_parser(value_parser!(u64))
                .requires("quiz"),
        )
}

/// Explains, and returns 0; or 1 when a word is in no table.
pub fn run(matches: &ArgMatches) -> anyhow::Result<u8> {
    let lang = match matches.get_one::<Language>("lang") {
        Some(Language::En) => Lang::En,
        Some(Language::Fr) => Lang::Fr,
        None => super::lang(),
    };
    let form = match (matches.get_flag("json"), matches.get_flag("markdown")) {
        (true, _) => Form::Json,
        (_, true) => Form::Markdown,
        _ => Form::Text,
    };
    if let Some(topic) = matches.get_one::<String>("quiz") {
        return quiz(topic, matches, lang);
    }
    if let Some(table) = matches.get_one::<String>("list") {
        let services = Services::none();
        let hits: Vec<Hit> = tables(table)
            .iter()
            .flat_map(|table| table.rows())
            .collect();
        print(&list::rows(
            &hits,
            form,
            lang,
            Page::new(lang, style(), &services),
        ))?;
        return Ok(exit::OK);
    }
    if let Some(words) = matches.get_many::<String>("search") {
        // `--search mailbox full`: operands are more words.
        let mut sought: Vec<String> = words.cloned().collect();
        sought.extend(operands(matches));
        let sought = sought.join(" ");
        let hits = search(&sought);
        let services = Services::none();
        print(&list::rows(
            &hits,
            form,
            lang,
            Page::new(lang, style(), &services),
        ))?;
        return if hits.is_empty() {
            Err(failure(exit::NEGATIVE, nothing(&sought, lang)))
        } else {
            Ok(exit::OK)
        };
    }
    let operands = operands(matches);
    let is_filter = operands.is_empty() && !io::stdin().is_terminal() || operands == ["-"];
    if is_filter && form == Form::Json {
        print(&json::array(&filter::found(&mut io::stdin().lock())?, lang))?;
        return Ok(exit::OK);
    }
    if is_filter
        && filter::run(
            &mut io::stdin().lock(),
            &mut io::stdout().lock(),
            lang,
            style(),
        )?
    {
        return Ok(exit::OK);
    }
    if operands.is_empty() {
        print(&page::overview(lang))?;
        return Ok(exit::OK);
    }
    let (found, unknown) = look_up(operands.iter().map(String::as_str));
    let text = match form {
        Form::Json => json::array(&found, lang),
        Form::Markdown => markdown::pages(&found, lang),
        Form::Text => {
            // The file is read for a service only: all else is quick.
            let is_service = |hit: &Hit| matches!(hit, Hit::Service(_));
            let services = match found.iter().any(|one| one.hits.iter().any(is_service)) {
                true => Services::of_this_machine(),
                false => Services::none(),
            };
            let mut page = Page::new(lang, style(), &services);
            for one in &found {
                page.found(one);
            }
            page.finish()
        }
    };
    print(&text)?;
    if unknown.is_empty() {
        return Ok(exit::OK);
    }
    let complaints: Vec<String> = unknown.iter().map(|word| complaint(word, lang)).collect();
    Err(failure(exit::NEGATIVE, complaints.join("\n")))
}

/// The table of this name; every table for `all`.
fn tables(name: &str) -> Vec<Table> {
    let is_meant = |table: &Table| name == "all" || table.name() == name;
    Table::ALL.into_iter().filter(is_meant).collect()
}

fn quiz(topic: &str, matches: &ArgMatches, lang: Lang) -> anyhow::Result<u8> {
    let seed = matches.get_one::<u64>("seed").copied().unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        // Any number will do.
        now.map_or(0, |now| now.as_nanos() as u64)
    });
    let quiz = Quiz {
        tables: tables(topic),
        count: usize::from(*matches.get_one::<u16>("count").unwrap_or(&10)),
        seed,
        lang,
        style: style(),
    };
    quiz.run(&mut io::stdin().lock(), &mut io::stdout().lock())?;
    Ok(exit::OK)
}

fn nothing(sought: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("nothing speaks of {sought:?}; try a shorter word"),
        Lang::Fr => format!("rien ne parle de « {sought} » ; essayer un mot plus court"),
    }
}

/// The words in the order in which they were typed, `-ERR` among them.
fn operands(matches: &ArgMatches) -> Vec<String> {
    let placed = |id: &'static str, lead: &'static str| {
        let words = matches.get_many::<String>(id).into_iter().flatten();
        let places = matches.indices_of(id).into_iter().flatten();
        places.zip(words.map(move |word| format!("{lead}{word}")))
    };
    let mut operands: Vec<(usize, String)> =
        placed("WORD", "").chain(placed("minus", "-E")).collect();
    operands.sort();
    operands.into_iter().map(|operand| operand.1).collect()
}

/// What every operand stands for, and the words that are unknown.
fn look_up<'a>(operands: impl Iterator<Item = &'a str>) -> (Vec<Found>, Vec<&'a str>) {
    let mut known: Vec<Found> = Vec::new();
    let mut unknown = Vec::new();
    let mut before = "";
    for operand in operands {
        let line = line(operand);
        if !line.is_empty() {
            known.extend(line);
        } else if !completes(before, operand) {
            unknown.push(operand);
        }
        before = operand;
    }
    (known, unknown)
}

/// Whether `word` is the second word of the command before it: `MAIL FROM`, `RCPT TO`.
fn completes(before: &str, word: &str) -> bool {
    let second = word.split(':').next().unwrap_or_default();
    [("MAIL", "FROM"), ("RCPT", "TO")]
        .iter()
        .any(|pair| before.eq_ignore_ascii_case(pair.0) && second.eq_ignore_ascii_case(pair.1))
}

/// What the beginning of a line out of a dialogue stands for: `550 5.7.1 Relaying denied`, `a1 NO [TRYCREATE] ...`.
fn line(line: &str) -> Vec<Found> {
    let mut tokens = tokens(line).into_iter();
    // A tag, or the `S:` of a transcript, may come first.
    let Some(first) = tokens.by_ref().take(2).find_map(find) else {
        return Vec::new();
    };
    let kind = match first.hits.first() {
        Some(Hit::Entry(entry)) => Some(entry.kind),
        _ => None,
    };
    if first.word == "*" {
        return untagged(first, tokens);
    }
    let second = tokens.next().filter(|second| match kind {
        Some(Kind::Reply) => second.contains('.'),
        Some(Kind::ImapStatus | Kind::PopStatus) => second.starts_with('['),
        _ => false,
    });
    let second = second.and_then(find);
    std::iter::once(first).chain(second).collect()
}

/// `* OK [UIDVALIDITY 7] ...`, `* 3 EXISTS`: what a server says, which is never a command.
fn untagged<'a>(star: Found, tokens: impl Iterator<Item = &'a str>) -> Vec<Found> {
    let mut tokens = tokens.skip_while(|token| token.bytes().all(|byte| byte.is_ascii_digit()));
    let word = tokens.next().and_then(find).map(|mut found| {
        found.hits.retain(
            |hit| matches!(hit, Hit::Entry(entry) if matches!(entry.kind, Kind::ImapStatus | Kind::ImapData)),
        );
        found
    });
    let word = word.filter(|found| !found.hits.is_empty());
    let code = tokens
        .next()
        .filter(|code| word.is_some() && code.starts_with('['));
    let code = code.and_then(find);
    std::iter::once(star).chain(word).chain(code).collect()
}

/// Words, without the punctuation that surrounds them in a dialogue; `[UIDVALIDITY 7]` is one, `250-SIZE` is `250`.
fn tokens(line: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let end = if rest.starts_with('[') {
            rest.find(']').map_or(rest.len(), |end| end + 1)
        } else {
            rest.find(char::is_whitespace).unwrap_or(rest.len())
        };
        let (word, tail) = rest.split_at(end);
        let is_continued = word
            .split_once('-')
            .is_some_and(|(code, _)| code.len() == 3 && code.parse::<u16>().is_ok());
        tokens.push(if is_continued {
            &word[..3]
        } else {
            word.trim_end_matches([':', ',', ';'])
        });
        rest = tail.trim_start();
    }
    tokens
}

/// What is said about a word that is in no table.
fn complaint(word: &str, lang: Lang) -> String {
    let digits: Vec<String> = digits_of(word)
        .iter()
        .map(|(drawn, digit)| format!("{drawn} {}", digit.meaning.of(lang)))
        .collect();
    let near = nearest(word, NEAREST).join(", ");
    let mut text = match lang {
        Lang::En => format!("{word:?} is in no table"),
        Lang::Fr => format!("« {word} » ne figure dans aucune table"),
    };
    if !digits.is_empty() {
        text.push_str(match lang {
            Lang::En => "; its digits still say: ",
            Lang::Fr => " ; ses chiffres disent tout de même : ",
        });
        text.push_str(&digits.join("; "));
    }
    let hint = match (lang, near.is_empty()) {
        (Lang::En, false) => format!(". Nearest: {near}"),
        (Lang::Fr, false) => format!(". Les plus proches : {near}"),
        (Lang::En, true) => ". `mailtool codes` alone shows what can be asked".to_owned(),
        (Lang::Fr, true) => ". `mailtool codes` seul montre ce qu'on peut demander".to_owned(),
    };
    text.push_str(&hint);
    text
}

/// Colour for a terminal only, and not where `NO_COLOR` is set (no-color.org).
fn style() -> Style {
    let is_refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    if io::stdout().is_terminal() && !is_refused {
        Style::Terminal
    } else {
        Style::Plain
    }
}

#[cfg(test)]
mod tests;
