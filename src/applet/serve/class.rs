//! A class: its accounts, the page of credentials (`serve class`), its exercise, and the teacher's table (`serve progress`).
//!
//! In the store, for the server's user only:
//!
//! | file | has |
//! |---|---|
//! | `class/students` | login, password, name, group, mail, parted by tabs: so a restart makes no new passwords |
//! | `class/server` | the domain, and what listens where, at the last start |
//! | `class/progress` | what was done and tried, a line each, appended ([`crate::proto::exercise`]) |

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use anyhow::Context;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use ring::rand::{SecureRandom, SystemRandom};

use super::StorePlace;
use super::options::{Endpoint, Options};
use super::protocols::Protocol;
use super::queue::{Where, lines_of};
use crate::applet::{exit, print};
use crate::limits;
use crate::proto::exercise::{Class, Pupil};
use crate::store::Users;
use crate::wire::codes::{Lang, Text};
use crate::wire::exercise::{Exercise, LAB};
use crate::wire::glob::Glob;
use crate::wire::json;
use crate::wire::roster::{self, Student};

/// The accounts of the list `file`, with passwords made where there are none; kept in the store at `place`.
pub(super) fn enrol(file: &Path, place: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let named = || format!("--class {}", file.display());
    let octets = fs::read(file).with_context(named)?;
    let mut class = roster::parse(&octets).with_context(named)?;
    let known: HashMap<String, String> = students(place)
        .with_context(|| format!("{}: cannot be read", place.join(STUDENTS).display()))?
        .into_iter()
        .filter_map(|student| Some((student.login, student.password?)))
        .collect();
    let random = SystemRandom::new();
    for student in &mut class {
        if student.password.is_none() {
            student.password = Some(match known.get(&student.login) {
                Some(password) => password.clone(),
                None => password(&random)?,
            });
        }
    }
    let mut text = String::new();
    for student in &class {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}\t{}\t{}\t{}\t{}",
            student.login,
            student.password.as_deref().unwrap_or_default(),
            student.name,
            student.group,
            student.mail
        );
    }
    replace(place, STUDENTS, &text)?;
    Ok(class
        .into_iter()
        .filter_map(|student| Some((student.login, student.password?)))
        .collect())
}

/// Says in the store where the class finds its server.
pub(super) fn announce(
    place: &Path,
    domain: &str,
    listening: &[(Protocol, Endpoint)],
) -> anyhow::Result<()> {
    let mut text = format!("domain\t{domain}\n");
    for (protocol, endpoint) in listening {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}\t{endpoint}", protocol.name());
    }
    replace(place, SERVER, &text)
}

/// The exercise of the options, if there is one, for the class or else for all accounts.
pub(super) fn exercise(
    options: &Options,
    place: &Path,
    domains: &[String],
    users: &Users,
) -> anyhow::Result<Option<Arc<Class>>> {
    let Some(file) = options.class.exercise() else {
        return Ok(None);
    };
    let named = || format!("--exercise {}", file.display());
    let text = if file.as_os_str() == "lab" {
        LAB.to_owned()
    } else {
        fs::read_to_string(file).with_context(named)?
    };
    let exercise = Exercise::parse(&text).with_context(named)?;
    let pupils: Vec<Pupil> = match options.class.class() {
        Some(_) => students(place)?
            .into_iter()
            .map(|student| Pupil {
                login: student.login,
                name: student.name,
                group: student.group,
                mail: student.mail,
            })
            .collect(),
        None => users
            .accounts()
            .iter()
            .map(|account| Pupil {
                login: account.name.to_string(),
                ..Pupil::default()
            })
            .collect(),
    };
    make_folder(place)?;
    let path = place.join(PROGRESS);
    let tried = || format!("{}: cannot be used", path.display());
    let kept = match fs::read(&path) {
        Ok(octets) => String::from_utf8_lossy(&octets).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(tried),
    };
    let mut options = OpenOptions::new();
    let mut file = options
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .with_context(tried)?;
    if !kept.is_empty() && !kept.ends_with('\n') {
        // A crash left half a line.
        file.write_all(b"\n").with_context(tried)?;
    }
    Ok(Some(Arc::new(Class::new(
        exercise,
        pupils,
        domains,
        &kept,
        keeper(file)?,
    ))))
}

/// Appends lines to `file` on a thread of its own: the loop waits for no disk.
fn keeper(mut file: File) -> anyhow::Result<crate::proto::exercise::Keep> {
    let (send, lines) = sync_channel::<String>(limits::PROGRESS_PENDING);
    std::thread::Builder::new()
        .name("progress".to_owned())
        .spawn(move || {
            let mut told = false;
            for line in lines {
                let written = file.write_all(format!("{line}\n").as_bytes());
                if let Err(error) = written
                    && !std::mem::replace(&mut told, true)
                {
                    ::log::error!("progress of the class is not kept: {error}");
                }
            }
        })
        .context("the system gives no thread")?;
    Ok(Box::new(move |line| {
        if send.try_send(line).is_err() {
            ::log::warn!("a line of the class's progress is not kept: the disk is too slow");
        }
    }))
}

/// Eight letters and digits that nobody takes for others: some 39 bits, for a lab.
fn password(random: &SystemRandom) -> anyhow::Result<String> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut octets = [0; 8];
    random
        .fill(&mut octets)
        .map_err(|_| anyhow::anyhow!("the system gives no random octets for passwords"))?;
    Ok(octets
        .iter()
        .map(|octet| char::from(LETTERS[usize::from(*octet) % LETTERS.len()]))
        .collect())
}

/// Who is kept in the store.
fn students(place: &Path) -> io::Result<Vec<Student>> {
    let text = match fs::read_to_string(place.join(STUDENTS)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let student = |line: &str| {
        let mut fields = line.split('\t').map(str::to_owned);
        let mut next = || fields.next().unwrap_or_default();
        Student {
            login: next(),
            password: Some(next()),
            name: next(),
            group: next(),
            mail: next(),
        }
    };
    Ok(text.lines().map(student).collect())
}

fn make_folder(place: &Path) -> anyhow::Result<()> {
    let folder = place.join("class");
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .with_context(|| format!("{}: cannot be made", folder.display()))
}

/// The old file, or the new one: whole, and on the disk.
fn replace(place: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    make_folder(place)?;
    let path = place.join(name);
    let written = || -> io::Result<()> {
        let new = path.with_extension("new");
        let _ = fs::remove_file(&new);
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(place.join("class"))?.sync_all()
    };
    written().with_context(|| format!("{}: cannot be written", path.display()))
}

const STUDENTS: &str = "class/students";
const SERVER: &str = "class/server";
const PROGRESS: &str = "class/progress";

#[derive(Args)]
struct PageArguments {
    #[command(flatten)]
    place: Where,
    /// A page for the printer, one slip a student
    #[arg(long)]
    html: bool,
    /// In English or French [default: that of the environment]
    #[arg(long, value_name = "en|fr", value_parser = ["en", "fr"])]
    lang: Option<String>,
    /// Those of this login or group only; * is any text
    who: Option<String>,
}

/// `serve class`
pub(super) fn page_command() -> Command {
    PageArguments::augment_args(Command::new("class"))
        .about("Print how each student of the class logs in: passwords are shown")
        .after_help(
            "\
Examples:
  mailtool serve class
  mailtool serve class --html --lang fr > class.html
  mailtool serve class TP1",
        )
}

/// `serve class`
pub(super) fn run_page(matches: &ArgMatches) -> anyhow::Result<u8> {
    let arguments = PageArguments::from_arg_matches(matches)?;
    let store = StorePlace::of(&arguments.place.options()?)?;
    let place = store.path();
    let class = students(place)
        .with_context(|| format!("{}: cannot be read", place.join(STUDENTS).display()))?;
    if class.is_empty() {
        let why = format!(
            "there is no class in the store {}: start a server with --class FILE.csv, or name its store with --store DIR",
            place.display()
        );
        return Err(exit::failure(exit::NO_INPUT, why));
    }
    let class: Vec<Student> = class
        .into_iter()
        .filter(|student| is_meant(arguments.who.as_deref(), &student.login, &student.group))
        .collect();
    let server = fs::read_to_string(place.join(SERVER)).unwrap_or_default();
    let lang = lang(arguments.lang.as_deref());
    print(&if arguments.place.json() {
        page_of_json(&class, &server)
    } else if arguments.html {
        page_of_html(&class, &server, lang)
    } else {
        page_of_text(&class, &server, lang)
    })?;
    Ok(exit::OK)
}

fn lang(asked: Option<&str>) -> Lang {
    match asked {
        Some("fr") => Lang::Fr,
        Some(_) => Lang::En,
        None => crate::applet::lang(),
    }
}

fn is_meant(who: Option<&str>, login: &str, group: &str) -> bool {
    who.is_none_or(|who| {
        let glob = Glob::new(who);
        glob.matches(login) || glob.matches(group)
    })
}

/// The domain, and what listens where.
fn server_of(server: &str) -> (&str, Vec<(&str, &str)>) {
    let mut lines: Vec<(&str, &str)> = server
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect();
    if lines.is_empty() {
        return ("localhost", lines);
    }
    let (_, domain) = lines.remove(0);
    (domain, lines)
}

fn page_of_text(class: &[Student], server: &str, lang: Lang) -> String {
    let (domain, listening) = server_of(server);
    let mut page = format!("{}\n", SERVICES.of(lang));
    // Writing to a string cannot fail, here and below.
    for (protocol, endpoint) in listening {
        let _ = writeln!(page, "  {protocol:<11} {endpoint}");
    }
    let titles = [NAME, GROUP, LOGIN, PASSWORD, ADDRESS].map(|title| title.of(lang).to_owned());
    let mut rows = vec![titles];
    for student in class {
        rows.push([
            student.name.clone(),
            student.group.clone(),
            student.login.clone(),
            student.password.clone().unwrap_or_default(),
            format!("{}@{domain}", student.login),
        ]);
    }
    page.push('\n');
    page.push_str(&table(&rows));
    page
}

/// Columns, each as wide as its widest.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |at: usize| {
        rows.iter()
            .map(|row| row[at].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut page = String::new();
    for row in rows {
        let mut line = String::new();
        for (field, width) in row.iter().zip(widths) {
            // Writing to a string cannot fail.
            let _ = write!(line, "{field:<width$}  ");
        }
        page.push_str(&exit::printable(line.trim_end()));
        page.push('\n');
    }
    page
}

fn page_of_json(class: &[Student], server: &str) -> String {
    let (domain, _) = server_of(server);
    let object = |student: &Student| {
        json::object(&[
            ("login", json::string(&student.login)),
            ("password", json::optional(student.password.as_deref())),
            ("name", json::string(&student.name)),
            ("group", json::string(&student.group)),
            (
                "address",
                json::string(&format!("{}@{domain}", student.login)),
            ),
        ])
    };
    let objects: Vec<String> = class.iter().map(object).collect();
    format!("[{}]\n", objects.join(",\n "))
}

fn page_of_html(class: &[Student], server: &str, lang: Lang) -> String {
    let (domain, listening) = server_of(server);
    let code = if lang == Lang::Fr { "fr" } else { "en" };
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\">\n<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        TITLE.of(lang)
    );
    let services: Vec<String> = listening
        .iter()
        .map(|(protocol, endpoint)| format!("{} {}", escaped(protocol), escaped(endpoint)))
        .collect();
    let services = services.join("<br>");
    for student in class {
        // Writing to a string cannot fail.
        let _ = write!(
            page,
            "<section>\n<h2>{}",
            escaped(if student.name.is_empty() {
                &student.login
            } else {
                &student.name
            })
        );
        if !student.group.is_empty() {
            let _ = write!(page, " <small>{}</small>", escaped(&student.group));
        }
        page.push_str("</h2>\n<dl>\n");
        let address = format!("{}@{domain}", student.login);
        for (title, value) in [
            (LOGIN, student.login.as_str()),
            (PASSWORD, student.password.as_deref().unwrap_or_default()),
            (ADDRESS, &address),
        ] {
            let _ = writeln!(
                page,
                "<dt>{}</dt><dd>{}</dd>",
                title.of(lang),
                escaped(value)
            );
        }
        let _ = writeln!(
            page,
            "<dt>{}</dt><dd>{services}</dd>\n</dl>\n</section>",
            SERVICES.of(lang)
        );
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn escaped(text: &str) -> String {
    let mut page = String::new();
    for letter in text.chars() {
        match letter {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            letter => page.push(letter),
        }
    }
    page
}

const STYLE: &str = "body{font:14px sans-serif;columns:2}section{break-inside:avoid;border:1px dashed #888;padding:0 1em 1em;margin:0 0 1em}\
dl{display:grid;grid-template-columns:auto 1fr;gap:.2em 1em;margin:0}dd{margin:0;font-family:monospace}h2{font-size:1.1em}";

const TITLE: Text = Text::new("How to log in", "Comment s'identifier");
const SERVICES: Text = Text::new("Server", "Serveur");
const NAME: Text = Text::new("NAME", "NOM");
const GROUP: Text = Text::new("GROUP", "GROUPE");
const LOGIN: Text = Text::new("LOGIN", "IDENTIFIANT");
const PASSWORD: Text = Text::new("PASSWORD", "MOT DE PASSE");
const ADDRESS: Text = Text::new("ADDRESS", "ADRESSE");
const STUDENT: Text = Text::new("STUDENT", "ÉLÈVE");
const DONE: Text = Text::new("DONE", "FAIT");
const BY_HAND: Text = Text::new(
    "all of it, but not typed by hand",
    "tout, mais pas tapé à la main",
);
const TO_SELF: Text = Text::new("all of it, but not to oneself", "tout, mais pas à soi-même");
const LEGEND: Text = Text::new(
    "x done   ~ begun   . not yet   = on paper, nothing that a server sees",
    "x fait   ~ commencé   . pas encore   = sur la copie, rien qu'un serveur voie",
);
const MISSING: Text = Text::new("missing", "manque");

#[derive(Args)]
struct ProgressArguments {
    #[command(flatten)]
    place: Where,
    /// Print CSV: a row a student, a column a step
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// In English or French [default: that of the environment]
    #[arg(long, value_name = "en|fr", value_parser = ["en", "fr"])]
    lang: Option<String>,
    /// Those of this login or group only, * is any text; of one student, each step with what is missing
    who: Option<String>,
}

/// `serve progress`
pub(super) fn progress_command() -> Command {
    ProgressArguments::augment_args(Command::new("progress"))
        .about("Who of the class has done what of the exercise: asks a server that runs with --exercise")
        .after_help(
            "\
Examples:
  mailtool serve progress
  mailtool serve progress zoe.martin --lang fr
      Each step, and what is missing
  mailtool serve progress TP1 --csv > tp1.csv",
        )
}

/// `serve progress`
pub(super) fn run_progress(matches: &ArgMatches) -> anyhow::Result<u8> {
    let arguments = ProgressArguments::from_arg_matches(matches)?;
    let lines = lines_of(&arguments.place, "progress")?;
    let lang = lang(arguments.lang.as_deref());
    let mut progress = Progress::of(&lines, lang);
    let who = arguments.who.as_deref();
    progress
        .students
        .retain(|student| is_meant(who, &student.login, &student.group));
    if progress.students.is_empty() {
        return Err(exit::failure(
            exit::NEGATIVE,
            "nobody of that login or group is in the class",
        ));
    }
    print(&if arguments.place.json() {
        progress.json()
    } else if arguments.csv {
        progress.csv(lang)
    } else if who.is_some() && progress.students.len() == 1 {
        progress.of_one(lang)
    } else {
        progress.table(lang)
    })?;
    Ok(exit::OK)
}

/// What a server told.
struct Progress {
    title: String,
    /// Id and text.
    steps: Vec<(String, String)>,
    students: Vec<Row>,
}

struct Row {
    login: String,
    name: String,
    group: String,
    marks: Vec<Mark>,
}

/// As `proto::exercise` writes it.
enum Mark {
    Done { unix: String, session: String },
    Tried(String),
    Open,
    Elsewhere,
}

impl Mark {
    fn parse(text: &str) -> Self {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match word {
            "done" => {
                let (unix, session) = rest.split_once(' ').unwrap_or((rest, ""));
                Self::Done {
                    unix: unix.to_owned(),
                    session: session.to_owned(),
                }
            }
            "tried" => Self::Tried(rest.to_owned()),
            "elsewhere" => Self::Elsewhere,
            _ => Self::Open,
        }
    }

    const fn sign(&self) -> &'static str {
        match self {
            Self::Done { .. } => "x",
            Self::Tried(_) => "~",
            Self::Open => ".",
            Self::Elsewhere => "=",
        }
    }

    const fn word(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Tried(_) => "tried",
            Self::Open => "open",
            Self::Elsewhere => "elsewhere",
        }
    }
}

impl Row {
    fn done(&self) -> usize {
        let is_done = |mark: &&Mark| matches!(mark, Mark::Done { .. });
        self.marks.iter().filter(is_done).count()
    }
}

impl Progress {
    fn of(lines: &[String], lang: Lang) -> Self {
        let mut progress = Self {
            title: String::new(),
            steps: Vec::new(),
            students: Vec::new(),
        };
        let choose = |en: &str, fr: &str| if lang == Lang::Fr { fr } else { en }.to_owned();
        for line in lines {
            let fields: Vec<&str> = line.split('\t').collect();
            match fields[..] {
                ["exercise", en, fr] => progress.title = choose(en, fr),
                ["step", id, _, en, fr] => progress.steps.push((id.to_owned(), choose(en, fr))),
                ["student", login, name, group, ref marks @ ..] => progress.students.push(Row {
                    login: login.to_owned(),
                    name: name.to_owned(),
                    group: group.to_owned(),
                    marks: marks.iter().map(|mark| Mark::parse(mark)).collect(),
                }),
                _ => {}
            }
        }
        progress
    }

    fn gradable(&self) -> usize {
        let Some(first) = self.students.first() else {
            return 0;
        };
        let seen = |mark: &&Mark| !matches!(mark, Mark::Elsewhere);
        first.marks.iter().filter(seen).count()
    }

    fn table(&self, lang: Lang) -> String {
        let mut page = format!("{}\n\n", self.title);
        let widths = self.students.iter().map(|row| row.login.chars().count());
        let width = widths.max().unwrap_or(0).max(7);
        // Writing to a string cannot fail, here and below.
        let _ = write!(page, "{:<width$}", STUDENT.of(lang));
        for (id, _) in &self.steps {
            let _ = write!(page, " {id:>2}");
        }
        let _ = writeln!(page, "  {}", DONE.of(lang));
        for row in &self.students {
            let _ = write!(page, "{:<width$}", row.login);
            for ((id, _), mark) in self.steps.iter().zip(&row.marks) {
                let column = id.chars().count().max(2);
                let _ = write!(page, " {:>column$}", mark.sign());
            }
            let _ = writeln!(page, "  {}/{}", row.done(), self.gradable());
        }
        let _ = write!(page, "{:<width$}", DONE.of(lang));
        for (at, (id, _)) in self.steps.iter().enumerate() {
            let is_done = |row: &&Row| matches!(row.marks.get(at), Some(Mark::Done { .. }));
            let column = id.chars().count().max(2);
            let _ = write!(
                page,
                " {:>column$}",
                self.students.iter().filter(is_done).count()
            );
        }
        let _ = writeln!(page, "\n\n{}", LEGEND.of(lang));
        exit::printable(&page)
    }

    fn of_one(&self, lang: Lang) -> String {
        let mut page = String::new();
        for row in &self.students {
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(
                page,
                "{} {} {}  {}/{}\n",
                row.login,
                row.name,
                row.group,
                row.done(),
                self.gradable()
            );
            for ((id, text), mark) in self.steps.iter().zip(&row.marks) {
                let _ = writeln!(page, "{} {id:>2}  {text}", mark.sign());
                let _ = match mark {
                    Mark::Done { session, .. } => {
                        writeln!(page, "        mailtool serve sessions show {session}")
                    }
                    Mark::Tried(why) => writeln!(page, "        {}", missing(why, lang)),
                    _ => Ok(()),
                };
            }
            let _ = writeln!(page, "\n{}", LEGEND.of(lang));
        }
        exit::printable(&page)
    }

    fn csv(&self, lang: Lang) -> String {
        let titles = [LOGIN, NAME, GROUP].map(|title| title.of(lang).to_lowercase());
        let mut fields: Vec<String> = titles.into();
        fields.extend(self.steps.iter().map(|(id, _)| id.clone()));
        fields.push(DONE.of(lang).to_lowercase());
        let mut page = csv_row(&fields);
        for row in &self.students {
            let mut fields = vec![row.login.clone(), row.name.clone(), row.group.clone()];
            fields.extend(row.marks.iter().map(|mark| mark.word().to_owned()));
            fields.push(row.done().to_string());
            page.push_str(&csv_row(&fields));
        }
        page
    }

    fn json(&self) -> String {
        let student = |row: &Row| {
            let steps: Vec<String> = self
                .steps
                .iter()
                .zip(&row.marks)
                .map(|((id, _), mark)| {
                    let mut fields = vec![
                        ("step", json::string(id)),
                        ("state", json::string(mark.word())),
                    ];
                    match mark {
                        Mark::Done { unix, session } => {
                            fields.push(("unix", unix.clone()));
                            fields.push(("session", json::string(session)));
                        }
                        Mark::Tried(why) => fields.push(("missing", json::string(why))),
                        Mark::Open | Mark::Elsewhere => {}
                    }
                    json::object(&fields)
                })
                .collect();
            json::object(&[
                ("login", json::string(&row.login)),
                ("name", json::string(&row.name)),
                ("group", json::string(&row.group)),
                ("done", row.done().to_string()),
                ("of", self.gradable().to_string()),
                ("steps", format!("[{}]", steps.join(","))),
            ])
        };
        let students: Vec<String> = self.students.iter().map(student).collect();
        format!("[{}]\n", students.join(",\n "))
    }
}

fn missing(why: &str, lang: Lang) -> String {
    match why {
        "hand" => BY_HAND.of(lang).to_owned(),
        "self" => TO_SELF.of(lang).to_owned(),
        signs => format!("{}: {signs}", MISSING.of(lang)),
    }
}

/// Quoted where it must be (RFC 4180 §2); what a spreadsheet would take for a formula is made text.
fn csv_row(fields: &[String]) -> String {
    let quoted = |field: &String| {
        let field = match field.starts_with(['=', '+', '-', '@']) {
            true => format!("'{field}"),
            false => field.clone(),
        };
        match field.contains([',', '"', ';', '\n']) {
            true => format!("\"{}\"", field.replace('"', "\"\"")),
            false => field,
        }
    };
    let fields: Vec<String> = fields.iter().map(quoted).collect();
    format!("{}\r\n", fields.join(","))
}
