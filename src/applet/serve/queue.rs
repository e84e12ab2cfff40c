//! `mailtool serve queue ...`, `mailtool serve trace ID` and `mailq`: ask a server that runs what is on its way, and decide about it.

use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};

use super::control::{Server, ask};
use crate::applet::exit;

#[derive(Args)]
struct QueueArguments {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Args)]
struct TraceArguments {
    #[command(flatten)]
    server: Server,
    /// What a server called the message: it says so in its reply, and in its log
    id: String,
}

#[derive(Args)]
struct MailqArguments {
    #[command(flatten)]
    server: Server,
}

#[derive(Subcommand)]
enum Verb {
    /// What is in the queue
    List,
    /// All about one message
    Show {
        /// What it is called
        id: String,
    },
    /// Try now: everything, one message, or what is for a domain
    Flush {
        /// What it is called, or where it goes
        #[arg(value_name = "ID|DOMAIN")]
        what: Option<String>,
    },
    /// Try no more until it is released
    Hold {
        /// What it is called; ALL: all of them
        id: String,
    },
    /// Let go what was held
    Release {
        /// What it is called; ALL: all of them
        id: String,
    },
    /// Throw away; nobody is told
    Drop {
        /// What it is called; ALL: all of them
        id: String,
    },
}

/// `serve queue`
pub(super) fn command() -> Command {
    QueueArguments::augment_args(Command::new("queue"))
        .about("Look at the queue of a server that runs, and decide about what is in it")
        .disable_help_subcommand(true)
        .after_help(
            "\
Examples:
  mailtool serve queue list
  mailtool serve queue flush example.org
  mailtool serve queue list --json | jq '.[].recipients[].last_reply'",
        )
}

/// `serve trace`
pub(super) fn trace_command() -> Command {
    TraceArguments::augment_args(Command::new("trace"))
        .about("Tell a message's journey, step by step, as far as the server remembers")
        .after_help(
            "\
Examples:
  mailtool serve trace 6B081562-1-1
      ID stands in the server's reply: 250 2.0.0 Ok: 6B081562-1-1 queued",
        )
}

/// `mailq`
pub(crate) fn mailq_command() -> Command {
    MailqArguments::augment_args(Command::new("mailq"))
        .about("What is in the queue of a server that runs: the same as serve queue list")
        .after_help(
            "\
Examples:
  mailtool mailq
  mailtool mailq --store /var/lib/mailtool --json",
        )
}

/// `serve queue`
pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<u8> {
    let arguments = QueueArguments::from_arg_matches(matches)?;
    let request = match arguments.verb.unwrap_or(Verb::List) {
        Verb::List => "list".to_owned(),
        Verb::Show { id } => format!("show {}", word(&id)?),
        Verb::Flush { what: None } => "flush".to_owned(),
        Verb::Flush { what: Some(what) } => format!("flush {}", word(&what)?),
        Verb::Hold { id } => format!("hold {}", word(&id)?),
        Verb::Release { id } => format!("release {}", word(&id)?),
        Verb::Drop { id } => format!("drop {}", word(&id)?),
    };
    let one = request.starts_with("show");
    ask(&arguments.server, &request, one)
}

/// `serve trace`
pub(super) fn run_trace(matches: &ArgMatches) -> anyhow::Result<u8> {
    let arguments = TraceArguments::from_arg_matches(matches)?;
    let request = format!("trace {}", word(&arguments.id)?);
    ask(&arguments.server, &request, false)
}

/// `mailq`
pub(crate) fn run_mailq(matches: &ArgMatches) -> anyhow::Result<u8> {
    let arguments = MailqArguments::from_arg_matches(matches)?;
    ask(&arguments.server, "list", false)
}

/// `sendmail -q`: has the server of the usual store, or that of the environment, try now what waits.
pub(crate) fn flush_everything() -> anyhow::Result<u8> {
    run(&command().try_get_matches_from(["queue", "flush"])?)
}

/// `sendmail -bp`
pub(crate) fn list_everything() -> anyhow::Result<u8> {
    run_mailq(&mailq_command().try_get_matches_from(["mailq"])?)
}

/// One word of a request.
fn word(text: &str) -> anyhow::Result<&str> {
    if text.is_empty()
        || text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
    {
        return Err(exit::failure(
            exit::USAGE,
            format!("{text:?} is no name of a message, nor a domain"),
        ));
    }
    Ok(text)
}
