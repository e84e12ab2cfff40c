//! `mailtool serve fault add|list|clear`, and what the first screen says of faults.

use std::fmt::Write;

use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};

use super::control::{Server, ask};
use super::options::Endpoint;
use super::protocols::Protocol;
use crate::applet::exit;
use crate::proto::fault::Faults;
use crate::wire::codes::{Lang, Text};
use crate::wire::fault::lab;

#[derive(Args)]
struct Arguments {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// One rule more, from now on
    Add {
        /// The rule, in one word or in several; `mailtool serve --fault help` has all that it can say
        #[arg(value_name = "RULE", required = true, num_args = 1..)]
        rule: Vec<String>,
    },
    /// The rules that stand, and how often each has fired
    List,
    /// Take away one rule; all of them unless a number says which, and magic recipients too
    Clear {
        /// Its number, as list shows it
        #[arg(value_name = "N")]
        number: Option<u32>,
    },
}

/// `serve fault`
pub(super) fn command() -> Command {
    Arguments::augment_args(Command::new("fault"))
        .about("Have something go wrong on purpose in a server that runs")
        .disable_help_subcommand(true)
        .after_help(
            "\
Examples:
  mailtool serve fault add smtp rcpt to=alice@* reply=450 4.2.0 busy times=2
  mailtool serve fault add 'imap fetch drop after=500'
  mailtool serve fault list
  mailtool serve fault clear",
        )
}

/// `serve fault`
pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<u8> {
    let arguments = Arguments::from_arg_matches(matches)?;
    let request = match arguments.verb.unwrap_or(Verb::List) {
        Verb::Add { rule } => {
            let rule = rule.join(" ");
            // A slip is told without a server.
            match lab::rules(&rule).as_deref() {
                Ok([one]) if one.lab.is_none() => format!("fault add {}", one.text),
                Ok(_) => format!("fault add {}", rule.trim()),
                Err(error) => return Err(exit::failure(exit::USAGE, error.to_string())),
            }
        }
        Verb::List => "fault list".to_owned(),
        Verb::Clear { number: None } => "fault clear".to_owned(),
        Verb::Clear {
            number: Some(number),
        } => format!("fault clear {number}"),
    };
    ask(&arguments.server, &request, false)
}

/// What the first screen says of the faults that are on; nothing if none is.
pub(super) fn shown(faults: &Faults, listening: &[(Protocol, Endpoint)], lang: Lang) -> String {
    if !faults.is_on() {
        return String::new();
    }
    let mut page = format!("\n{}\n", ON.of(lang));
    let mut texts: Vec<String> = faults.list().into_iter().map(|one| one.text).collect();
    // One of the lab may be several rules.
    texts.dedup_by(|next, one| next == one && one.starts_with(lab::PREFIX));
    for text in texts {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "  {text}");
    }
    if faults.has_magic() {
        let _ = writeln!(page, "  {}", MAGIC.of(lang));
    }
    let beyond = listening.iter().any(
        |(_, endpoint)| matches!(endpoint, Endpoint::Tcp(address) if !address.ip().is_loopback()),
    );
    if beyond {
        let _ = writeln!(page, "  {}", BEYOND.of(lang));
    }
    page
}

const ON: Text = Text {
    en: "FAULTS ARE ON: things go wrong here on purpose",
    fr: "DES PANNES SONT ACTIVES : des choses échouent ici exprès",
};
const MAGIC: Text = Text {
    en: "recipients named ...temperror, ...permerror, ...550, ...timeout get what they say",
    fr: "les destinataires nommés ...temperror, ...permerror, ...550, ...timeout ont ce qu'ils disent",
};
const BEYOND: Text = Text {
    en: "(other machines meet them too: not all listeners are on loopback)",
    fr: "(d'autres machines les rencontrent aussi : tout n'écoute pas sur la boucle locale)",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_screen_says_that_faults_are_on() {
        let faults = Faults::default();
        assert_eq!(shown(&faults, &[], Lang::En), "");
        faults.add("smtp rcpt drop".parse().unwrap()).unwrap();
        let local = [(Protocol::Smtp, Endpoint::Tcp(([127, 0, 0, 1], 25).into()))];
        assert_eq!(
            shown(&faults, &local, Lang::En),
            "\nFAULTS ARE ON: things go wrong here on purpose\n  smtp rcpt drop\n"
        );
        faults.allow_magic();
        let all = [(Protocol::Smtp, Endpoint::Tcp(([0, 0, 0, 0], 25).into()))];
        let page = shown(&faults, &all, Lang::Fr);
        assert!(
            page.contains("DES PANNES SONT ACTIVES")
                && page.contains("...temperror")
                && page.contains("d'autres machines"),
            "{page}"
        );
    }
}
