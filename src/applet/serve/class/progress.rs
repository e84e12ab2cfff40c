//! `mailtool serve progress`: who has done what of the exercise, as text, CSV, JSON.

use std::fmt::Write as _;

use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::{GROUP, LOGIN, NAME, is_meant, lang};
use crate::applet::serve::control::{Server, lines_of};
use crate::applet::{exit, print};
use crate::wire::codes::{Lang, Text};
use crate::wire::json;

#[derive(Args)]
struct ProgressArguments {
    #[command(flatten)]
    server: Server,
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
pub(in crate::applet::serve) fn progress_command() -> Command {
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
pub(in crate::applet::serve) fn run_progress(matches: &ArgMatches) -> anyhow::Result<u8> {
    let arguments = ProgressArguments::from_arg_matches(matches)?;
    let lines = lines_of(&arguments.server, "progress")?;
    let lang = lang(arguments.lang.as_deref());
    let mut progress = Progress::of(&lines, lang);
    let who = arguments.who.as_deref();
    progress
        .students
        .retain(|student| is_meant(who, &student.login, &student.group));
    if progress.students.is_empty() {
        return Err(super::nobody());
    }
    print(&if arguments.server.json() {
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
        signs => format!("{} {signs}", MISSING.of(lang)),
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
const MISSING: Text = Text::new("missing:", "manque :");
