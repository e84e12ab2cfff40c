//! The applets: clap arguments and a short driver each.
//!
//! [`APPLETS`] is the one table of them: a new applet is one row and one file. The program is called as
//! `mailtool APPLET ...`, or through a link that has an applet's name or one of its aliases (`nc`, `sendmail` ...), as
//! busybox does it. What is not an applet but about them - `--list`, `--install`, `help`, `man`, `completions` - is in
//! [`meta`]; their pages are put together in `manual`.

pub mod codes;
pub mod conversation;
pub mod credentials;
pub mod evidence;
pub mod exit;
mod french;
pub mod imap;
mod manual;
pub mod meta;
pub mod nc;
mod outlet;
pub mod output;
mod pages;
mod plain;
pub mod pop;
pub mod route;
pub mod send;
pub mod serve;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap::builder::Resettable;
use clap::{ArgMatches, Command};

use crate::wire::codes::Lang;
use crate::wire::packed::Packed;

/// One applet.
pub struct Applet {
    /// `mailtool NAME`
    pub name: &'static str,
    /// Other names, for links above all.
    pub aliases: &'static [&'static str],
    /// One line for the overview.
    pub summary: &'static str,
    /// What its manual page says besides its options, as roff: `man/NAME.roff`, woven in by the manual.
    pub prose: &'static Packed,
    /// Its options.
    pub command: fn() -> Command,
    /// What runs it.
    pub driver: Driver,
}

/// What runs an applet: the exit code, or an error, which is printed and exits with the code of the [`exit::failure`] in it,
/// or else [`FAILURE`].
pub enum Driver {
    /// clap understands the command line; [`refuse`] says what is wrong with it.
    Clap(fn(&ArgMatches) -> anyhow::Result<u8>),
    /// The applet understands its command line itself, its first word the name that it was called by.
    Own(fn(&[OsString]) -> anyhow::Result<u8>),
}

impl Applet {
    /// Its options. Help names variables of the environment, but not what they hold: that is nobody else's business. An
    /// empty variable says nothing, as if it were not there.
    fn options(&self) -> Command {
        self.options_in(lang())
    }

    /// The same in a language.
    fn options_in(&self, lang: Lang) -> Command {
        let command = (self.command)().name(self.name);
        of_environment(match lang {
            Lang::En => command,
            Lang::Fr => french::translated(self.name, command),
        })
    }
}

/// A command, and those within it, whose help does not show the environment's values, and that take an empty one for none.
fn of_environment(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        let argument = argument.hide_env_values(true);
        let value = argument.get_env().and_then(std::env::var_os);
        if value.is_some_and(|value| value.is_empty()) {
            return argument.env(Resettable::Reset);
        }
        argument
    });
    command.mut_subcommands(of_environment)
}

/// All of them, in the order of the overview.
pub static APPLETS: &[Applet] = &[
    Applet {
        name: "serve",
        aliases: &[],
        summary: "a local mail server: SMTP, submission, LMTP, POP3, IMAP",
        prose: &pages::SERVE,
        command: serve::command,
        driver: Driver::Clap(serve::run),
    },
    Applet {
        name: "nc",
        aliases: &["netcat", "ncat", "nc.openbsd", "nc.traditional"],
        summary: "read and write over the network, probe ports, talk to mail servers",
        prose: &pages::NC,
        command: nc::command,
        driver: Driver::Own(nc::run),
    },
    Applet {
        name: "send",
        aliases: &["sendmail", "newaliases"],
        summary: "send a message by SMTP",
        prose: &pages::SEND,
        command: send::command,
        driver: Driver::Clap(send::run),
    },
    Applet {
        name: "pop",
        aliases: &[],
        summary: "read a mailbox by POP3",
        prose: &pages::POP,
        command: pop::command,
        driver: Driver::Clap(pop::run),
    },
    Applet {
        name: "imap",
        aliases: &[],
        summary: "read and keep mailboxes by IMAP",
        prose: &pages::IMAP,
        command: imap::command,
        driver: Driver::Clap(imap::run),
    },
    Applet {
        name: "mailq",
        aliases: &[],
        summary: "what is in the queue of a server that runs",
        prose: &pages::MAILQ,
        command: serve::queue::mailq_command,
        driver: Driver::Clap(serve::queue::run_mailq),
    },
    Applet {
        name: "codes",
        aliases: &[],
        summary: "explain reply codes, statuses, commands and ports",
        prose: &pages::CODES,
        command: codes::command,
        driver: Driver::Clap(codes::run),
    },
];

/// The exit code of an error that has none of its own.
pub const FAILURE: u8 = 1;
/// The applet of this name or alias.
pub fn find(name: &str) -> Option<&'static Applet> {
    APPLETS
        .iter()
        .find(|applet| applet.name == name || applet.aliases.contains(&name))
}

/// Runs the program with the arguments of a process, the first of them its name; returns its exit code.
pub fn main(arguments: Vec<OsString>) -> u8 {
    crate::sys::tell_of_own_mistakes(crate::reactor::stdio::give_back_at_once);
    let called = arguments.first().map(Path::new).and_then(Path::file_name);
    let called = called.unwrap_or_default().to_string_lossy().into_owned();
    let result = if let Some(applet) = find(&called) {
        run(applet, called.clone(), arguments)
    } else {
        let word = arguments
            .get(1)
            .map(|word| word.to_string_lossy().into_owned());
        match word.as_deref().and_then(find) {
            Some(applet) => {
                let arguments = arguments.into_iter().skip(1).collect();
                run(applet, format!("mailtool {}", applet.name), arguments)
            }
            None => meta::run(arguments),
        }
    };
    result.unwrap_or_else(|error| complain(&called, &error))
}

fn run(applet: &Applet, shown: String, arguments: Vec<OsString>) -> anyhow::Result<u8> {
    let run = match applet.driver {
        Driver::Clap(run) => run,
        Driver::Own(run) => return run(&arguments),
    };
    let command = applet.options().bin_name(shown);
    match command.try_get_matches_from(arguments) {
        Ok(matches) => run(&matches),
        Err(error) => Ok(refuse(&error)),
    }
}

/// What a usage error says: what clap does. Help and version come here too, and succeed; the rest is [`exit::USAGE`].
pub fn refuse(error: &clap::Error) -> u8 {
    // A reader of help or of a complaint that went away misses nothing.
    match (lang(), error.use_stderr()) {
        (Lang::En, _) => drop(error.print()),
        (Lang::Fr, false) => drop(print(&french::typeset(&error.to_string()))),
        (Lang::Fr, true) => {
            let text = french::error(error).unwrap_or_else(|| french::typeset(&error.to_string()));
            drop(io::stderr().write_all(text.as_bytes()));
        }
    }
    if error.use_stderr() { exit::USAGE } else { 0 }
}

/// What a usage error is, and nothing else, where the environment asks for another language than clap's.
fn sentence(error: &clap::Error) -> Option<String> {
    match lang() {
        Lang::En => None,
        Lang::Fr => french::sentence(error),
    }
}

/// Prints an error and what led to it on one line. A reader of our output who went away is not told so.
fn complain(called: &str, error: &anyhow::Error) -> u8 {
    if !is_broken_pipe(error) {
        // Nobody is left to tell when stderr is gone too.
        let text = exit::printable(&in_language(lang(), format!("{error:#}")));
        let _ = writeln!(io::stderr(), "{called}: {text}");
    }
    exit::code_of(error).unwrap_or(FAILURE)
}

/// Whether the reader of our output has gone away.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Prints `text` on stdout as it is. `println!` would panic when its reader has gone away; this is an error that
/// [`main`] keeps quiet about.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes());
    written
        .and_then(|()| stdout.flush())
        .map_err(exit::unwritable)
}

/// What is said when something goes wrong, or is done, in a language: as far as there is a row for it.
fn in_language(lang: Lang, text: String) -> String {
    match lang {
        Lang::En => text,
        Lang::Fr => french::said(&text),
    }
}

/// What a command has to say when it is done, in the language that the environment asks for.
fn told(text: &str) -> String {
    in_language(lang(), text.to_owned())
}

/// Help for a terminal, in the language that the environment asks for.
fn set(help: String) -> String {
    match lang() {
        Lang::En => help,
        Lang::Fr => french::typeset(&help),
    }
}

/// The language that the environment asks for.
pub fn lang() -> Lang {
    let values = ["LC_ALL", "LC_MESSAGES", "LANG"].map(|name| std::env::var(name).ok());
    Lang::of_environment(values.iter().map(Option::as_deref))
}
