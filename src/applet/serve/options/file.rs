//! The file of `--config`: TOML whose keys are the options' names.
//!
//! It is turned into words of a command line, and what the command line and the environment said is put in front: then everything is
//! understood at one place, clap, and no option is written down twice.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use toml::de::{DeTable, DeValue};

use super::evidence::OFF;
use super::{Options, THROW_AWAY};

/// What `said` (by the command line and the environment) says, completed by the text of a file that is in `folder`.
///
/// # Errors
/// With what is wrong at which key, and what would be right.
pub(super) fn completed(said: &ArgMatches, text: &str, folder: &Path) -> anyhow::Result<Options> {
    let command = Options::augment_args(Command::new("--config").no_binary_name(true));
    let table = DeTable::parse(text).map_err(|error| anyhow!("{error}"))?;
    let mut words = Vec::new();
    for argument in command.get_arguments() {
        repeat(argument, said, &mut words);
    }
    for (key, value) in table.get_ref() {
        let key = key.get_ref();
        let argument = command
            .get_arguments()
            .find(|argument| argument.get_long() == Some(key));
        if argument.is_some_and(|argument| is_said(argument, said)) {
            continue;
        }
        if matches!(&**key, "config" | "help") {
            bail!("{key}: not an option for a file");
        }
        write(key, argument, value.get_ref(), folder, &mut words)
            .with_context(|| format!("key {key}"))?;
    }
    let understood = command.try_get_matches_from(words).map_err(|error| {
        // Without how `serve` is used, and where more is told.
        if let Some(text) = crate::applet::sentence(&error) {
            return anyhow!("{text}");
        }
        let text = error.to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        let text = text.split("\n\nUsage:").next().unwrap_or_default();
        anyhow!(
            "{}",
            text.split("\n\nFor more")
                .next()
                .unwrap_or_default()
                .trim_end()
        )
    })?;
    Ok(Options::from_arg_matches(&understood)?)
}

/// A command may have some of the options only.
fn is_said(argument: &Arg, said: &ArgMatches) -> bool {
    let id = argument.get_id().as_str();
    said.try_contains_id(id).is_ok()
        && matches!(
            said.value_source(id),
            Some(ValueSource::CommandLine | ValueSource::EnvVariable)
        )
}

/// The words for what has been said of an option.
fn repeat(argument: &Arg, said: &ArgMatches, words: &mut Vec<OsString>) {
    let (Some(name), true) = (argument.get_long(), is_said(argument, said)) else {
        return;
    };
    let id = argument.get_id().as_str();
    if is_switch(argument) {
        words.extend(said.get_flag(id).then(|| format!("--{name}").into()));
        return;
    }
    for value in said.get_raw(id).into_iter().flatten() {
        words.push(word(name, value));
    }
}

/// The words for what a file says.
fn write(
    key: &str,
    argument: Option<&Arg>,
    value: &DeValue<'_>,
    folder: &Path,
    words: &mut Vec<OsString>,
) -> anyhow::Result<()> {
    match (argument, value) {
        (Some(argument), DeValue::Boolean(on)) if is_switch(argument) => {
            words.extend(on.then(|| format!("--{key}").into()));
        }
        (Some(argument), _) if is_switch(argument) => bail!("give true or false"),
        // A switch that may have a value.
        (Some(argument), DeValue::Boolean(on)) if needs_no_value(argument) => {
            words.extend(on.then(|| format!("--{key}").into()));
        }
        (_, DeValue::Array(values)) => {
            for value in values {
                if value.get_ref().is_array() {
                    bail!("give a list of texts");
                }
                write(key, argument, value.get_ref(), folder, words)?;
            }
        }
        (_, DeValue::String(text))
            if argument.is_some_and(is_path) && !matches!(&**text, THROW_AWAY | OFF) =>
        {
            words.push(word(key, folder.join(&**text).as_os_str()));
        }
        (_, DeValue::String(text)) => words.push(word(key, OsStr::new(&**text))),
        // Signs and underscores between digits are TOML's.
        (_, DeValue::Integer(number)) => {
            let number = i64::from_str_radix(number.as_str(), number.radix())
                .context("the number is too large")?;
            words.push(word(key, OsStr::new(&number.to_string())));
        }
        (_, other) => bail!("give a text or a number, not a {}", other.type_str()),
    }
    Ok(())
}

fn needs_no_value(argument: &Arg) -> bool {
    argument
        .get_num_args()
        .is_some_and(|range| range.min_values() == 0)
}

fn word(name: &str, value: &OsStr) -> OsString {
    let mut word = OsString::from(format!("--{name}="));
    word.push(value);
    word
}

fn is_switch(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::SetTrue)
}

/// Paths in a file are meant from where the file is.
fn is_path(argument: &Arg) -> bool {
    argument.get_value_parser().type_id() == clap::builder::ValueParser::path_buf().type_id()
}
