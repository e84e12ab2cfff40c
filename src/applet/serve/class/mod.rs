//! A class: its accounts and its exercise; the page of credentials ([`cards`]), and the teacher's table ([`progress`]).
//!
//! In the store, for the server's user only:
//!
//! | file | has |
//! |---|---|
//! | `class/students` | login, password, name, group, mail, parted by tabs: so a restart makes no new passwords |
//! | `class/server` | the domain, and what listens where, at the last start |
//! | `class/progress` | what was done and tried, a line each, appended ([`crate::proto::exercise`]); what is done is on the disk at once, and each
//! start leaves out what later lines have overtaken |

mod cards;
mod progress;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use anyhow::Context;
use ring::rand::{SecureRandom, SystemRandom};

pub(super) use self::cards::{page_command, run_page};
pub(super) use self::progress::{progress_command, run_progress};
use super::options::{Endpoint, Options};
use super::protocols::Protocol;
use crate::applet::exit;
use crate::limits;
use crate::proto::exercise::{Class, Pupil, compacted};
use crate::store::Users;
use crate::wire::codes::{Lang, Text};
use crate::wire::exercise::{Exercise, LAB};
use crate::wire::glob::Glob;
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
        LAB.texts().to_owned()
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
    // A crash may have left half a line: it goes, too.
    let short = compacted(&kept);
    if short != kept {
        replace(place, PROGRESS, &short)?;
    }
    let mut options = OpenOptions::new();
    let file = options
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .with_context(tried)?;
    Ok(Some(Arc::new(Class::new(
        exercise,
        pupils,
        domains,
        &short,
        keeper(file)?,
    ))))
}

/// Appends lines to `file` on a thread of its own: the loop waits for no disk. What is done is there for good before the next is taken: a
/// mark that was given is not lost with the power.
fn keeper(mut file: File) -> anyhow::Result<crate::proto::exercise::Keep> {
    let (send, lines) = sync_channel::<String>(limits::PROGRESS_PENDING);
    std::thread::Builder::new()
        .name("progress".to_owned())
        .spawn(move || {
            let mut told = false;
            while let Ok(line) = lines.recv() {
                // What has come meanwhile goes the same way.
                let mut text = format!("{line}\n");
                for line in lines.try_iter() {
                    text.push_str(&line);
                    text.push('\n');
                }
                let is_done = text.lines().any(|line| line.starts_with("done "));
                let written = file.write_all(text.as_bytes());
                let written =
                    written.and_then(|()| if is_done { file.sync_data() } else { Ok(()) });
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

/// What is asked for is of none of them.
fn nobody() -> anyhow::Error {
    let why = "nobody of that login or group is in the class";
    exit::failure(exit::NEGATIVE, why)
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

const NAME: Text = Text::new("NAME", "NOM");
const GROUP: Text = Text::new("GROUP", "GROUPE");
const LOGIN: Text = Text::new("LOGIN", "IDENTIFIANT");
