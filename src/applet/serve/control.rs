//! Asks a server that runs, through the control socket in its store: what commands beside the server have to say to it.
//!
//! A request is a line; the answer is lines that begin with a space, and one that ends it, `ok: ...` or `no: ...`
//! ([`proto::control`](crate::proto::control)). The servers of a lab have a socket each, and all of them are asked.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use super::StorePlace;
use super::options::Options;
use super::place::Place;
use crate::applet::{exit, print, told};
use crate::wire::json;

/// The control socket, in the store.
pub(super) const CONTROL: &str = "control.sock";

/// Which server, and how its answer is printed.
#[derive(Args)]
pub(super) struct Server {
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

impl Server {
    /// What finds its store.
    pub(super) fn options(&self) -> anyhow::Result<Options> {
        self.place.options()
    }

    /// Whether JSON is to be printed.
    pub(super) const fn json(&self) -> bool {
        self.json
    }
}

/// What the first of the servers of a store says that says yes.
pub(super) fn lines_of(server: &Server, request: &str) -> anyhow::Result<Vec<String>> {
    let store = StorePlace::of(&server.options()?)?;
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
pub(super) fn ask(server: &Server, request: &str, one: bool) -> anyhow::Result<u8> {
    let store = StorePlace::of(&server.options()?)?;
    let sockets = sockets(store.path());
    let mut answers = Vec::new();
    for socket in &sockets {
        answers.push(talk(socket, request, server.json)?);
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
    print(&if server.json {
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
    let is_journey = request.starts_with("trace");
    let shown = |line: &&str| match is_journey {
        true => format!("{}\n", step(line)),
        false => format!("{line}\n"),
    };
    let mut page: String = lines.iter().map(shown).collect();
    if request == "list" {
        let messages = lines.iter().filter(|line| !line.starts_with(' ')).count();
        page.push_str(&match messages {
            0 => told("the queue is empty"),
            1 => "1 message".to_owned(),
            many => format!("{many} messages"),
        });
        page.push('\n');
    }
    if request == "fault list" && lines.is_empty() {
        page.push_str(&told("nothing goes wrong on purpose"));
        page.push('\n');
    }
    for text in said {
        page.push_str(&told(text));
        page.push('\n');
    }
    page
}

/// A step of a journey, `DATE  HOST  ID  TEXT`: its text in the language that the environment asks for.
fn step(line: &str) -> String {
    let mut fields = line.splitn(4, "  ");
    match [fields.next(), fields.next(), fields.next(), fields.next()] {
        [Some(date), Some(host), Some(id), Some(text)] => {
            format!("{date}  {host}  {id}  {}", told(text))
        }
        _ => line.to_owned(),
    }
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

/// What a server answered.
struct Answer {
    lines: Vec<String>,
    /// What was said at the end, if it went well.
    end: Result<String, String>,
}

fn talk(socket: &Path, words: &str, json: bool) -> anyhow::Result<Answer> {
    let style = if json { "json " } else { "" };
    let stream = request(socket, &format!("{style}{words}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut lines = Vec::new();
    for line in BufReader::new(stream).lines() {
        let line = line.with_context(|| unanswered(socket))?;
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
    Err(exit::failure(exit::PROTOCOL, unanswered(socket)))
}

/// Sends a request to a server that runs; what it answers may go on for ever.
pub(super) fn request(socket: &Path, request: &str) -> anyhow::Result<UnixStream> {
    let mut stream = UnixStream::connect(socket).map_err(|error| unreachable(socket, &error))?;
    stream
        .write_all(format!("{request}\r\n").as_bytes())
        .with_context(|| unanswered(socket))?;
    Ok(stream)
}

fn unanswered(socket: &Path) -> String {
    format!("the server at {} does not answer", socket.display())
}

fn unreachable(socket: &Path, error: &io::Error) -> anyhow::Error {
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
