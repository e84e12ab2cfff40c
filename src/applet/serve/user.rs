//! `mailtool serve user add|passwd|del|list`: the file of users.
//!
//! A password is never on the command line, where everybody on the machine can read it: it is typed, or read from a file.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};

use super::StorePlace;
use super::options::SystemUsers;
use super::place::Accounts;
use crate::applet::{credentials, exit, print, told};
use crate::store::{EditError, Edited, Scheme, UsersFile};
use crate::wire::json;

#[derive(Args)]
struct Arguments {
    #[command(flatten)]
    place: Accounts,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// A new account
    Add(Password),
    /// Another password for an account
    Passwd(Password),
    /// Take an account out; its mail stays
    Del {
        /// Its name
        name: String,
    },
    /// The accounts, and how their passwords are kept
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
struct Password {
    /// Its name: alice, or alice@example.org where the server has several domains
    name: String,
    /// The password is the first line of FILE; - is standard input [default: it is asked for]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// How it is kept: argon2id, scram-sha-256, sha512-crypt, blf-crypt, cram-md5, plain
    #[arg(long, value_name = "NAME", default_value = "argon2id")]
    scheme: Scheme,
}

/// `serve user`
pub(super) fn command() -> Command {
    Arguments::augment_args(Command::new("user"))
        .about("Look after the file of users: add, passwd, del, list")
        .disable_help_subcommand(true)
        .after_help(
            "\
Comments and everything else in the file stay as they are. A server that runs with the file takes a change up at once.
With scram-sha-256 users can also log in by SCRAM, with cram-md5 by CRAM-MD5, with plain by these and APOP: none of these shows the
password to who listens, and cram-md5 and plain show it to who reads the file.

Examples:
  mailtool serve user add alice
  mailtool serve user add bob@lab.example --password-file - < secret
  mailtool serve user passwd alice --scheme scram-sha-256
  mailtool serve user list --users /etc/dovecot/users",
        )
}

/// Does it.
pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<u8> {
    let arguments = Arguments::from_arg_matches(matches)?;
    let options = arguments.place.options(SystemUsers::default())?;
    let path = match &options.users {
        Some(path) => path.clone(),
        None => StorePlace::of(&options)?.path().join("users"),
    };
    let domains = super::domains(&options);
    let file = UsersFile::new(&path, &domains[0]);
    match arguments.verb {
        Verb::List { json } => list(&file, &path, json),
        Verb::Del { name } => {
            let removed = file.remove(&name);
            removed.map_err(|error| failed(&path, &name, &error))?;
            say(&format!("{name} is gone; its mail is still there."))
        }
        Verb::Passwd(password) => {
            // Before anything is typed.
            let known = file
                .list()
                .map_err(|error| failed(&path, &password.name, &EditError::Io(error)))?;
            drop(known);
            let field = field(&password)?;
            let set = file.set_password(&password.name, &field);
            set.map_err(|error| failed(&path, &password.name, &error))?;
            say(&format!("{} has another password.", password.name))
        }
        Verb::Add(password) => {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            if let Some(folder) = folder
                && options.users.is_none()
            {
                std::fs::create_dir_all(folder)
                    .map_err(|error| failed(&path, &password.name, &EditError::Io(error)))?;
            }
            let field = field(&password)?;
            let added = file
                .add(&password.name, &field)
                .map_err(|error| failed(&path, &password.name, &error))?;
            let made = match added {
                Edited::Made => format!(
                    " {} has been made: a server that is running without it is to be started again.",
                    path.display()
                ),
                Edited::Changed => String::new(),
            };
            say(&format!("{} has an account.{made}", password.name))
        }
    }
}

/// The password, hashed.
fn field(password: &Password) -> anyhow::Result<String> {
    let name = &password.name;
    let typed = match &password.password_file {
        Some(file) => credentials::password_from(file)?,
        None => {
            let no_terminal = || {
                format!(
                    "no password for {name}, and no terminal to ask on: give --password-file FILE, or - for standard input"
                )
            };
            let first = credentials::ask(&format!("New password for {name}"), no_terminal())?;
            let again = credentials::ask("The same again", no_terminal())?;
            if first != again {
                return Err(exit::failure(
                    exit::DATA,
                    "these were two different passwords: nothing is changed",
                ));
            }
            first
        }
    };
    let hashed = password.scheme.hash(&typed);
    hashed.map_err(|error| exit::failure(exit::DATA, format!("{name}: {error}")))
}

fn list(file: &UsersFile, path: &Path, as_json: bool) -> anyhow::Result<u8> {
    let accounts = file
        .list()
        .map_err(|error| failed(path, "", &EditError::Io(error)))?;
    let mut text = String::new();
    if as_json {
        let objects: Vec<String> = accounts
            .iter()
            .map(|account| {
                json::object(&[
                    ("name", json::string(&account.name)),
                    ("scheme", json::optional(account.scheme.as_deref())),
                    ("fault", json::optional(account.fault.as_deref())),
                ])
            })
            .collect();
        text = format!("[{}]\n", objects.join(",\n "));
    } else {
        let width = accounts.iter().map(|account| account.name.chars().count());
        let width = width.max().unwrap_or(0);
        for account in &accounts {
            let kept = account.scheme.as_deref().unwrap_or("nobody can log in");
            let fault = account
                .fault
                .as_ref()
                .map_or_else(String::new, |fault| format!("  {fault}"));
            let line = format!("{:width$}  {kept}{fault}", account.name);
            text.push_str(&exit::printable(&line));
            text.push('\n');
        }
    }
    print(&text)?;
    Ok(exit::OK)
}

fn say(text: &str) -> anyhow::Result<u8> {
    print(&format!("{}\n", exit::printable(&told(text))))?;
    Ok(exit::OK)
}

fn failed(path: &Path, name: &str, error: &EditError) -> anyhow::Error {
    let file = path.display();
    match error {
        EditError::Name(why) => exit::failure(exit::USAGE, format!("{name:?}: {why}")),
        EditError::Exists => exit::failure(
            exit::NEGATIVE,
            format!(
                "{name} has an account in {file} already; `passwd {name}` sets another password"
            ),
        ),
        EditError::Missing => {
            exit::failure(exit::NO_USER, format!("{name} has no account in {file}"))
        }
        EditError::Io(error) => {
            let code = match error.kind() {
                ErrorKind::NotFound => exit::NO_INPUT,
                ErrorKind::TimedOut => exit::TEMPORARY,
                _ => exit::IO,
            };
            exit::failure(code, format!("{file}: {error}"))
        }
    }
}
