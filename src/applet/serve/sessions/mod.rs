//! `mailtool serve sessions ...`: the sessions that a server has kept, and those that go on now.
//!
//! | file | what |
//! |---|---|
//! | `dialogue` | a session as its file has it |
//! | `explain` | what its lines are, and what they mean |
//! | `filter` | which sessions are meant |
//! | `view` | sessions on a terminal |
//! | `diagram` | one of them as a ladder |
//! | here | the words of the command line |
//!
//! All but `follow` works on the files, whether the server runs or not.

mod diagram;
mod dialogue;
mod explain;
mod filter;
mod view;

use std::io::{BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use anyhow::Context;
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand, ValueEnum};

use self::diagram::Ladder;
use self::dialogue::{Line, Session, numbered};
use super::StorePlace;
use super::control::{request, sockets};
use super::options::Explain;
use super::place::Place;
use crate::applet::{exit, print};
use crate::tap::record::{Name, names};
use crate::tap::{Side, note};
use crate::wire::codes::Lang;
use crate::wire::json;

pub(super) use self::filter::Filter;
pub(super) use self::view::{Look, View};

/// What files of sessions end in.
pub(super) const KIND: &str = "dialog";

/// Where sessions are kept, and how they are printed.
#[derive(Args)]
struct Archive {
    #[command(flatten)]
    place: Place,
    /// Folder of the sessions [default: STORE/sessions]
    #[arg(long, value_name = "DIR", env = "MAILTOOL_SESSIONS", global = true)]
    sessions: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Args)]
struct SessionsArguments {
    #[command(flatten)]
    archive: Archive,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Which sessions there are, the newest last
    List(ListArguments),
    /// What was said in one of them
    Show {
        /// Its name or number, `last`, or what a message is called that it brought
        id: String,
        /// Explain each line [values: en, fr]
        #[arg(long, value_name = "en|fr", num_args = 0..=1, default_missing_value = "")]
        explain: Option<Explain>,
    },
    /// What is said now
    Follow {
        /// Only of a protocol, user, mailbox, address or connection: smtp,alice
        #[arg(value_name = "WHICH")]
        which: Option<Filter>,
        /// Explain each line [values: en, fr]
        #[arg(long, value_name = "en|fr", num_args = 0..=1, default_missing_value = "")]
        explain: Option<Explain>,
    },
    /// Draw one of them as a ladder
    Diagram(DiagramArguments),
}

#[derive(Args, Default)]
struct ListArguments {
    /// Only those of a protocol, user, mailbox, address or connection: smtp,alice
    #[arg(value_name = "WHICH")]
    which: Option<Filter>,
    /// Only those in which something was refused, or went wrong
    #[arg(long)]
    failed: bool,
    /// Only the one that brought this message
    #[arg(long, value_name = "ID")]
    message: Option<String>,
    /// Only the newest N
    #[arg(long, value_name = "N")]
    last: Option<usize>,
}

#[derive(Args)]
struct DiagramArguments {
    /// Its name or number, `last`, what a message is called that it brought, or a file
    id: String,
    /// What is drawn [default: as the file's name says, else text]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Write to FILE
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Language of explanations [default: that of the environment]
    #[arg(long, value_name = "en|fr", value_parser = lang)]
    lang: Option<Lang>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// A picture
    Svg,
    /// A page that needs nothing from elsewhere
    Html,
}

fn lang(text: &str) -> Result<Lang, &'static str> {
    match text {
        "en" => Ok(Lang::En),
        "fr" => Ok(Lang::Fr),
        _ => Err("give en or fr"),
    }
}

/// `serve sessions`
pub(super) fn command() -> Command {
    SessionsArguments::augment_args(Command::new("sessions"))
        .about("Look at the sessions that a server has kept, and at those that go on now")
        .disable_help_subcommand(true)
        .after_help(
            "\
Examples:
  mailtool serve sessions list --failed
  mailtool serve sessions show last --explain
  mailtool serve sessions show 6B081562-1-1
      The session that brought this message: the server's reply names it
  mailtool serve sessions follow smtp,alice
  mailtool serve sessions diagram last -o session.html",
        )
}

/// `serve sessions`
pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<u8> {
    let SessionsArguments { archive, verb } = SessionsArguments::from_arg_matches(matches)?;
    match verb.unwrap_or(Verb::List(ListArguments::default())) {
        Verb::List(wanted) => list(&archive, &wanted),
        Verb::Show { id, explain } => show(&archive, &id, explain),
        Verb::Follow { which, explain } => follow(&archive, which.unwrap_or_default(), explain),
        Verb::Diagram(wanted) => draw(&archive, &wanted),
    }
}

impl Archive {
    /// The store, and the folders of sessions: in a lab each server has one.
    fn folders(&self) -> anyhow::Result<(PathBuf, Vec<PathBuf>)> {
        let options = self.place.options()?;
        let store = StorePlace::of(&options)?.path().to_path_buf();
        let own = match &self.sessions {
            Some(path) => path.clone(),
            None => options
                .evidence
                .sessions(&store)
                .context("sessions are off, by the file of --config")?,
        };
        let inner = own.file_name().unwrap_or_default().to_os_string();
        let lab = |number: u32| match &self.sessions {
            Some(path) => path.join(format!("mta{number}")),
            None => store.join(format!("mta{number}")).join(&inner),
        };
        let mut folders = vec![own];
        folders.extend((1..).map(lab).take_while(|folder| folder.is_dir()));
        Ok((store, folders))
    }

    /// All sessions there are, the oldest first.
    fn all(&self) -> anyhow::Result<Vec<(Name, PathBuf)>> {
        let (_, folders) = self.folders()?;
        let mut all = Vec::new();
        for folder in &folders {
            let names = names(folder, KIND)
                .with_context(|| format!("cannot look into {}", folder.display()))?;
            all.extend(names.into_iter().map(|name| {
                let path = folder.join(name.file(KIND));
                (name, path)
            }));
        }
        all.sort_unstable();
        Ok(all)
    }

    /// The text of the session that is called so.
    fn find(&self, id: &str) -> anyhow::Result<String> {
        let file = Path::new(id);
        if (id.contains('/') || id.ends_with(".dialog")) && file.is_file() {
            return read(file);
        }
        let all = self.all()?;
        let number = id.trim_start_matches('#').parse::<u64>().ok();
        let name = id.parse::<Name>().ok();
        let found = all.iter().rev().find(|(known, _)| {
            id == "last" || name.as_ref() == Some(known) || number == Some(known.number())
        });
        if let Some((_, path)) = found {
            return read(path);
        }
        let brought = format!("\n# {}: {id}\n", note::MESSAGE);
        for (_, path) in all.iter().rev() {
            // It may have been removed just now, as too old.
            if let Ok(text) = read(path)
                && text.contains(&brought)
            {
                return Ok(text);
            }
        }
        Err(exit::failure(
            exit::NEGATIVE,
            format!(
                "no session is called {id}, and none brought such a message: `mailtool serve sessions list` shows what there is"
            ),
        ))
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    let octets = std::fs::read(path)
        .map_err(|error| exit::failure(exit::NO_INPUT, format!("{}: {error}", path.display())))?;
    // What is written is UTF-8; a crash may have cut it.
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// A session with its service, which a dialogue that no server wrote does not say.
fn session(text: &str) -> Session {
    let session = Session::parse(text);
    if !session.service.is_empty() {
        return session;
    }
    let greeting = text.lines().find_map(|line| match Line::parse(line)? {
        Line::Said {
            side: Side::Server,
            text,
            ..
        } => Some(text),
        _ => None,
    });
    let service = match greeting.unwrap_or_default() {
        greeting if greeting.starts_with("+OK") => "pop3",
        greeting if greeting.starts_with('*') => "imap",
        _ => "smtp",
    };
    Session::parse(&format!("# service: {service}\n{text}"))
}

fn list(archive: &Archive, wanted: &ListArguments) -> anyhow::Result<u8> {
    let mut rows = Vec::new();
    for (name, path) in archive.all()? {
        let Ok(text) = read(&path) else { continue };
        let session = session(&text);
        if let Some(filter) = &wanted.which
            && !is_meant(filter, name.number(), &session, &text)
        {
            continue;
        }
        if wanted.failed && !session.has_failed() {
            continue;
        }
        if let Some(message) = &wanted.message
            && !session.messages.contains(message)
        {
            continue;
        }
        rows.push(if archive.json {
            session.json(false)
        } else {
            session.row()
        });
    }
    let first = wanted
        .last
        .map_or(0, |last| rows.len().saturating_sub(last));
    let rows = &rows[first..];
    print(&match (archive.json, rows) {
        (true, []) => "[]\n".to_owned(),
        (true, rows) => format!("[\n  {}\n]\n", rows.join(",\n  ")),
        (false, []) => match crate::applet::lang() {
            Lang::En => "no sessions\n".to_owned(),
            Lang::Fr => "pas de session\n".to_owned(),
        },
        (false, rows) => rows.iter().map(|row| format!("{row}\n")).collect(),
    })?;
    Ok(if rows.is_empty() {
        exit::NEGATIVE
    } else {
        exit::OK
    })
}

fn is_meant(filter: &Filter, number: u64, session: &Session, text: &str) -> bool {
    match filter.admits(number, &session.service, &session.client) {
        filter::Meant::Yes => true,
        filter::Meant::No => false,
        filter::Meant::Perhaps => text
            .lines()
            .filter_map(Line::parse)
            .any(|line| filter.names(&line)),
    }
}

fn show(archive: &Archive, id: &str, explain: Option<Explain>) -> anyhow::Result<u8> {
    let text = archive.find(id)?;
    let session = session(&text);
    if archive.json {
        print(&format!("{}\n", session.json(true)))?;
        return Ok(exit::OK);
    }
    let explain = explain.map(Explain::lang);
    if explain.is_none() && !std::io::stdout().is_terminal() {
        print(&text)?;
        return Ok(exit::OK);
    }
    let name = session.name.parse::<Name>();
    let number = name.map_or(1, |name| name.number());
    let mut view = View::new(Filter::default(), Look::of_stdout(explain));
    for (kind, value) in [
        ("session", &session.name),
        ("service", &session.service),
        ("client", &session.client),
        ("server", &session.server),
    ] {
        view.line_of(number, &format!("# {kind}: {value}"));
    }
    let heads = ["# session: ", "# service: ", "# client: ", "# server: "];
    for line in text.lines() {
        if !heads.iter().any(|head| line.starts_with(head)) {
            view.line_of(number, line);
        }
    }
    print(&view.take())?;
    Ok(exit::OK)
}

fn draw(archive: &Archive, wanted: &DiagramArguments) -> anyhow::Result<u8> {
    let text = archive.find(&wanted.id)?;
    let lang = wanted.lang.unwrap_or_else(crate::applet::lang);
    let ladder = Ladder::of(&session(&text), lang);
    let named = wanted.output.as_ref().and_then(|path| path.extension());
    let format = wanted
        .format
        .unwrap_or_else(|| match named.and_then(|kind| kind.to_str()) {
            Some("svg") => Format::Svg,
            Some("html" | "htm") => Format::Html,
            _ => Format::Text,
        });
    let drawn = match format {
        Format::Svg => diagram::svg(&ladder),
        Format::Html => diagram::page(&ladder, &text),
        Format::Text => {
            let look = Look::of_stdout(None);
            let colours = look.colours() && wanted.output.is_none();
            diagram::text(&ladder, look.columns(), colours)
        }
    };
    match &wanted.output {
        None => print(&drawn)?,
        Some(path) => std::fs::write(path, drawn)
            .map_err(|error| exit::failure(exit::IO, format!("{}: {error}", path.display())))?,
    }
    Ok(exit::OK)
}

/// Shows what is said until the server ends, or nobody reads any more.
fn follow(archive: &Archive, filter: Filter, explain: Option<Explain>) -> anyhow::Result<u8> {
    let (store, _) = archive.folders()?;
    let (tell, told) = channel();
    for socket in sockets(&store) {
        let stream = request(&socket, "follow")?;
        let tell = tell.clone();
        std::thread::Builder::new()
            .spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let line = line.trim_end_matches('\r').strip_prefix(' ');
                    let line = line.filter(|line| *line != "listening");
                    if let Some(line) = line
                        && tell.send(line.to_owned()).is_err()
                    {
                        break;
                    }
                }
            })
            .context("the system gives no thread")?;
    }
    drop(tell);
    let explain = explain.map(Explain::lang);
    let mut view = View::new(filter, Look::of_stdout(explain));
    while let Ok(line) = told.recv() {
        if archive.json {
            if let Some(object) = event(&line) {
                print(&object)?;
            }
            continue;
        }
        // What has come at the same time goes out at once.
        for line in std::iter::once(line).chain(told.try_iter().take(1000)) {
            match line.strip_prefix("# lost: ") {
                Some(lost) => {
                    let lines = lost.split(' ').next().and_then(|lines| lines.parse().ok());
                    view.lost(lines.unwrap_or(1));
                }
                None => view.line(&line),
            }
        }
        let page = view.take();
        if !page.is_empty() {
            print(&page)?;
        }
    }
    Ok(exit::OK)
}

/// A line of a session that goes on, in JSON.
fn event(line: &str) -> Option<String> {
    let (number, line) = numbered(line)?;
    let (what, kind, text) = match Line::parse(&line)? {
        Line::Said { side, text, .. } => (
            match side {
                Side::Client => "client",
                Side::Server => "server",
            },
            None,
            text.to_owned(),
        ),
        Line::Tls(words) => ("tls", None, words.to_owned()),
        Line::Closed(Side::Client) => ("closed", None, "client".to_owned()),
        Line::Closed(Side::Server) => ("closed", None, "server".to_owned()),
        Line::Time(milliseconds) => ("time", None, format!("{milliseconds} ms")),
        Line::Note { kind, text } => ("note", Some(kind), text.to_owned()),
        Line::Remark(text) => ("note", None, text.to_owned()),
    };
    let mut fields = vec![
        ("connection", number.to_string()),
        ("what", json::string(what)),
    ];
    if let Some(kind) = kind {
        fields.push(("kind", json::string(kind)));
    }
    fields.push(("text", json::string(&text)));
    Some(format!("{}\n", json::object(&fields)))
}
