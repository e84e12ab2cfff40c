//! `mailtool serve class`: who logs in how, as text, as slips for the printer, as JSON.

use std::fmt::Write as _;
use std::fs;

use anyhow::Context;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::{GROUP, LOGIN, NAME, SERVER, STUDENTS, is_meant, lang, students};
use crate::applet::serve::StorePlace;
use crate::applet::serve::control::Server;
use crate::applet::{exit, print};
use crate::wire::codes::{Lang, Text};
use crate::wire::json;
use crate::wire::roster::Student;

#[derive(Args)]
struct PageArguments {
    #[command(flatten)]
    server: Server,
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
pub(in crate::applet::serve) fn page_command() -> Command {
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
pub(in crate::applet::serve) fn run_page(matches: &ArgMatches) -> anyhow::Result<u8> {
    let arguments = PageArguments::from_arg_matches(matches)?;
    let store = StorePlace::of(&arguments.server.options()?)?;
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
    if class.is_empty() {
        return Err(super::nobody());
    }
    let server = fs::read_to_string(place.join(SERVER)).unwrap_or_default();
    let lang = lang(arguments.lang.as_deref());
    print(&if arguments.server.json() {
        page_of_json(&class, &server)
    } else if arguments.html {
        page_of_html(&class, &server, lang)
    } else {
        page_of_text(&class, &server, lang)
    })?;
    Ok(exit::OK)
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
const PASSWORD: Text = Text::new("PASSWORD", "MOT DE PASSE");
const ADDRESS: Text = Text::new("ADDRESS", "ADRESSE");
