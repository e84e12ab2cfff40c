//! `mailtool serve queue ...`, `mailtool serve trace ID` and `mailq`: asks a server that runs, through its control socket.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};

use super::StorePlace;
use super::options::Options;
use super::site::CONTROL;
use crate::applet::{exit, print};
use crate::wire::json;

/// Which server, and how it is told. Others ask it too.
#[derive(Args)]
pub(super) struct Where {
    /// Folder of the server's store [default: the user's state folder]
    #[arg(long, value_name = "DIR", env = "MAILTOOL_STORE", global = true)]
    store: Option<PathBuf>,
    /// Read the store's folder from a TOML file, as the server does
    #[arg(long, value_name = "FILE.toml", env = "MAILTOOL_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Args)]
struct QueueArguments {
    #[command(flatten)]
    place: Where,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Args)]
struct TraceArguments {
    #[command(flatten)]
    place: Where,
    /// What a server called the message: it says so in its reply, and in its log
    id: String,
}

#[derive(Args)]
struct MailqArguments {
    #[command(flatten)]
    place: Where,
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
    ask(&arguments.place, &request, one)
}

/// `serve trace`
pub(super) fn run_trace(matches: &ArgMatches) -> anyhow::Result<u8> {
    let arguments = TraceArguments::from_arg_matches(matches)?;
    let request = format!("trace {}", word(&arguments.id)?);
    ask(&arguments.place, &request, false)
}

/// `mailq`
pub(crate) fn run_mailq(matches: &ArgMatches) -> anyhow::Result<u8> {
    let arguments = MailqArguments::from_arg_matches(matches)?;
    ask(&arguments.place, "list", false)
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

/// What a server answered.
struct Answer {
    lines: Vec<String>,
    /// What was said at the end, if it went well.
    end: Result<String, String>,
}

impl Where {
    /// What finds the store.
    pub(super) fn options(&self) -> anyhow::Result<Options> {
        let options = Options {
            store: self.store.clone(),
            config: self.config.clone(),
            ..Options::default()
        };
        options.complete()
    }

    /// Whether JSON is to be printed.
    pub(super) const fn json(&self) -> bool {
        self.json
    }
}

/// What the first of the servers of a store says that says yes.
pub(super) fn lines_of(place: &Where, request: &str) -> anyhow::Result<Vec<String>> {
    let store = StorePlace::of(&place.options()?)?;
    let mut no = None;
    for socket in sockets(store.path()) {
        let answer = talk(&socket, request, false)?;
        match answer.end {
            Ok(_) => return Ok(answer.lines),
            Err(why) => no = no.or(Some(why)),
        }
    }
    Err(exit::failure(exit::NEGATIVE, no.unwrap_or_default()))
}

/// Asks the servers of a store, and prints what they say.
pub(super) fn ask(place: &Where, request: &str, one: bool) -> anyhow::Result<u8> {
    let store = StorePlace::of(&place.options()?)?;
    let sockets = sockets(store.path());
    let mut answers = Vec::new();
    for socket in &sockets {
        answers.push(talk(socket, request, place.json)?);
    }
    // Of several servers of a lab one may know what the others do not.
    let well = answers.iter().any(|answer| answer.end.is_ok());
    let answers: Vec<Answer> = answers
        .into_iter()
        .filter(|answer| !well || answer.end.is_ok())
        .collect();
    if let Some(Err(why)) = answers.first().map(|answer| &answer.end) {
        return Err(exit::failure(exit::NEGATIVE, why.clone()));
    }
    // They share one journal.
    let shown = if request.starts_with("trace") {
        1
    } else {
        answers.len()
    };
    let lines: Vec<&str> = answers
        .iter()
        .take(shown)
        .flat_map(|answer| answer.lines.iter().map(String::as_str))
        .collect();
    let ends = || answers.iter().filter_map(|answer| answer.end.as_ref().ok());
    let said: Vec<&str> = ends()
        .map(String::as_str)
        .filter(|end| !end.is_empty())
        .collect();
    print(&if place.json {
        page_of_json(&lines, &said, one)
    } else {
        page_of_text(&lines, &said, request)
    })?;
    Ok(exit::OK)
}

fn page_of_json(lines: &[&str], said: &[&str], one: bool) -> String {
    match (lines, said) {
        (_, [text, ..]) => {
            let fields = [("ok", "true".to_owned()), ("text", json::string(text))];
            format!("{}\n", json::object(&fields))
        }
        ([object], []) if one => format!("{object}\n"),
        ([], []) => "[]\n".to_owned(),
        (objects, []) => format!("[\n  {}\n]\n", objects.join(",\n  ")),
    }
}

fn page_of_text(lines: &[&str], said: &[&str], request: &str) -> String {
    let mut page: String = lines.iter().map(|line| format!("{line}\n")).collect();
    if request == "list" {
        let messages = lines.iter().filter(|line| !line.starts_with(' ')).count();
        page.push_str(&match messages {
            0 => "the queue is empty\n".to_owned(),
            1 => "1 message\n".to_owned(),
            many => format!("{many} messages\n"),
        });
    }
    if request == "fault list" && lines.is_empty() {
        page.push_str("nothing goes wrong on purpose\n");
    }
    for text in said {
        page.push_str(text);
        page.push('\n');
    }
    page
}

/// The control socket of a store, or those of the servers of a lab: what a server left that was killed does not count where
/// others listen.
pub(super) fn sockets(store: &Path) -> Vec<PathBuf> {
    let own = store.join(CONTROL);
    let lab: Vec<PathBuf> = (1..)
        .map(|number| store.join(format!("mta{number}")).join(CONTROL))
        .take_while(|socket| socket.exists())
        .collect();
    let listens = |socket: &Path| match UnixStream::connect(socket) {
        Ok(_) => true,
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    };
    if lab.is_empty() || listens(&own) {
        return vec![own];
    }
    let live: Vec<PathBuf> = lab.into_iter().filter(|socket| listens(socket)).collect();
    if live.is_empty() { vec![own] } else { live }
}

fn talk(socket: &Path, request: &str, json: bool) -> anyhow::Result<Answer> {
    let mut stream = UnixStream::connect(socket).map_err(|error| unreachable(socket, &error))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let style = if json { "json " } else { "" };
    let broken = || format!("the server at {} does not answer", socket.display());
    stream
        .write_all(format!("{style}{request}\r\n").as_bytes())
        .with_context(broken)?;
    let mut lines = Vec::new();
    for line in BufReader::new(stream).lines() {
        let line = line.with_context(broken)?;
        let line = line.trim_end_matches('\r');
        if let Some(data) = line.strip_prefix(' ') {
            lines.push(data.to_owned());
            continue;
        }
        let (word, text) = line.split_once(": ").unwrap_or((line, ""));
        let end = match word {
            "ok" => Ok(text.to_owned()),
            _ => Err(text.to_owned()),
        };
        return Ok(Answer { lines, end });
    }
    Err(exit::failure(exit::PROTOCOL, broken()))
}

pub(super) fn unreachable(socket: &Path, error: &io::Error) -> anyhow::Error {
    let store = socket.parent().unwrap_or(Path::new("")).display();
    let message = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => format!(
            "no server runs on the store {store}: start one with `mailtool serve --store {store}`, or name the store of the \
             one that runs with --store DIR"
        ),
        io::ErrorKind::PermissionDenied => format!(
            "{} is for the user that the server runs as: ask as that one, or as root",
            socket.display()
        ),
        _ => format!("{}: {error}", socket.display()),
    };
    exit::failure(exit::UNAVAILABLE, message)
}

/// How long a server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(60);
