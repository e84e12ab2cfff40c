//! What is about the applets rather than one of them: the overview, links, man pages, completions.

use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use super::exit::{self, failure};
use super::{APPLETS, Applet, find, french, manual, plain, print, refuse};
use crate::wire::codes::Lang;

/// Runs `mailtool` when its first word is no applet.
pub fn run(mut arguments: Vec<OsString>) -> anyhow::Result<u8> {
    if arguments.get(1).is_some_and(|word| word == LAB) {
        arguments.insert(1, "man".into());
    }
    let matches = match shown().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => return Ok(refuse(&error)),
    };
    if matches.get_flag("list") {
        print(
            &APPLETS
                .iter()
                .map(|applet| format!("{}\n", applet.name))
                .collect::<String>(),
        )?;
        return Ok(0);
    }
    let word = matches.get_one::<PathBuf>("DIR");
    if matches.get_flag("install") {
        let folder = word.ok_or_else(|| {
            failure(
                exit::USAGE,
                "--install needs the folder that the links are made in: mailtool --install -s ~/bin",
            )
        })?;
        return install(folder, &matches);
    }
    if let Some(word) = word {
        return Err(no_applet(&word.display().to_string()));
    }
    match matches.subcommand() {
        Some(("help", words)) => help(words),
        Some(("man", words)) => man(words),
        Some(("completions", words)) => {
            let shell = *words
                .get_one::<Shell>("SHELL")
                .context("no shell was named")?;
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut whole(), "mailtool", &mut script);
            print(&String::from_utf8_lossy(&script))?;
            Ok(0)
        }
        _ => {
            print(&super::set(shown().render_help().to_string()))?;
            Ok(exit::USAGE)
        }
    }
}

/// [`command`] in the language of the environment.
fn shown() -> Command {
    if super::lang() == Lang::En {
        return command();
    }
    let overview = overview(|applet| french::summary(applet.name).unwrap_or(applet.summary));
    french::translated("mailtool", command()).before_help(overview)
}

/// A line for each applet.
fn overview(summary: impl Fn(&Applet) -> &'static str) -> String {
    let lines = APPLETS
        .iter()
        .map(|applet| format!("\n  {:<7} {}", applet.name, summary(applet)));
    format!("Applets:{}", lines.collect::<String>())
}

/// `mailtool` without the applets' own options: quick to build.
pub(super) fn command() -> Command {
    let applet = || Arg::new("APPLET").help("One of the applets");
    Command::new("mailtool")
        .version(env!("CARGO_PKG_VERSION"))
        .about(
            "Mail on one PC: a local server, a netcat that knows mail, clients, and explanations",
        )
        .override_usage("mailtool APPLET [ARGUMENT]...\n       mailtool help APPLET\n       mailtool --install [-s] DIR")
        .before_help(overview(|applet| applet.summary))
        .after_help(
            "A link to this program that has an applet's name acts as that applet.\n\nExamples:\n  \
             mailtool serve                     a mail server on this PC\n  \
             mailtool nc 127.0.0.1 1025         talk to it by hand\n  \
             mailtool codes 550 5.1.1           what did it say?\n  \
             mailtool --install -s ~/bin        links: ~/bin/nc, ~/bin/sendmail ...",
        )
        .disable_help_subcommand(true)
        .subcommand_required(false)
        .arg(
            Arg::new("list")
                .long("list")
                .action(ArgAction::SetTrue)
                .help("List the applets, one a line"),
        )
        .arg(
            Arg::new("install")
                .long("install")
                .action(ArgAction::SetTrue)
                .help("Make a link in DIR for each name of each applet"),
        )
        .arg(
            Arg::new("DIR")
                .value_parser(value_parser!(PathBuf))
                .hide(true)
                .help("The folder that --install makes links in"),
        )
        .arg(
            Arg::new("soft")
                .short('s')
                .action(ArgAction::SetTrue)
                .requires("install")
                .help("With --install: symbolic links instead of hard ones"),
        )
        .arg(
            Arg::new("force")
                .long("force")
                .action(ArgAction::SetTrue)
                .requires("install")
                .help("With --install: replace files that are there"),
        )
        .subcommand(
            Command::new("help")
                .about("The options of an applet")
                .arg(applet()),
        )
        .subcommand(
            Command::new("man")
                .about("The manual page of an applet, or of the `lab`: on a terminal to be read, else as roff")
                .arg(Arg::new("APPLET").help("One of the applets, or lab"))
                .arg(
                    Arg::new("lang")
                        .long("lang")
                        .value_name("LANGUAGE")
                        .help("Language of the page [default: from LC_ALL, LC_MESSAGES, LANG]")
                        .value_parser(["en", "fr"]),
                )
                .arg(
                    Arg::new("text")
                        .long("text")
                        .action(ArgAction::SetTrue)
                        .help("As plain text, for a machine without man"),
                ),
        )
        .subcommand(
            Command::new("completions")
                .about("A completion script for a shell")
                .arg(
                    Arg::new("SHELL")
                        .help("bash, zsh, fish, elvish or powershell")
                        .hide_possible_values(true)
                        .required(true)
                        .value_parser(value_parser!(Shell)),
                ),
        )
}

/// `mailtool` with all options of all applets: for completions.
fn whole() -> Command {
    APPLETS.iter().fold(command(), |whole, applet| {
        whole.subcommand(applet.options().about(applet.summary))
    })
}

fn no_applet(name: &str) -> anyhow::Error {
    failure(
        exit::USAGE,
        format!("no applet is named {name}; `mailtool --list` names them"),
    )
}

fn applet_named(name: &str) -> anyhow::Result<&'static Applet> {
    match find(name) {
        Some(applet) => Ok(applet),
        None => Err(no_applet(name)),
    }
}

fn command_of(applet: &Applet) -> Command {
    named(applet, applet.options())
}

fn named(applet: &Applet, command: Command) -> Command {
    command.bin_name(format!("mailtool {}", applet.name))
}

fn help(words: &ArgMatches) -> anyhow::Result<u8> {
    let command = match words.get_one::<String>("APPLET") {
        Some(name) => command_of(applet_named(name)?),
        None => shown(),
    };
    print(&long_help(command))?;
    Ok(0)
}

/// What `--help` says.
fn long_help(mut command: Command) -> String {
    super::set(command.render_long_help().to_string())
}

/// The same of one of the applets.
pub(super) fn long_help_of(applet: &str) -> Option<String> {
    find(applet).map(|applet| long_help(command_of(applet)))
}

/// The page that is of no applet; as the first word it is called for, too.
const LAB: &str = "lab";

fn man(words: &ArgMatches) -> anyhow::Result<u8> {
    let lang = match words.get_one::<String>("lang").map(String::as_str) {
        Some("fr") => Lang::Fr,
        Some(_) => Lang::En,
        None => super::lang(),
    };
    let name = words.get_one::<String>("APPLET");
    if name.is_some_and(|name| name == LAB) {
        return show(manual::lab(lang), words);
    }
    let page = match name.map(|name| applet_named(name)).transpose()? {
        // What is not written in French yet is better whole in English.
        Some(applet) if lang == Lang::Fr && french::prose(applet.name).is_some() => {
            manual::page(Some(applet), named(applet, applet.options_in(lang)), lang)?
        }
        Some(applet) => manual::page(
            Some(applet),
            named(applet, applet.options_in(Lang::En)),
            Lang::En,
        )?,
        None => manual::page(None, command(), Lang::En)?,
    };
    show(&page, words)
}

/// A page for programs; on a terminal for its reader, by way of man(1) where there is one.
fn show(page: &str, words: &ArgMatches) -> anyhow::Result<u8> {
    let is_read = io::stdout().is_terminal();
    if !words.get_flag("text") {
        if !is_read {
            print(page)?;
            return Ok(0);
        }
        let reader = process::Command::new("man")
            .args(["-l", "-"])
            .stdin(process::Stdio::piped())
            .spawn();
        if let Ok(mut reader) = reader {
            if let Some(mut input) = reader.stdin.take() {
                // Who leaves the page at its beginning misses nothing.
                let _ = input.write_all(page.as_bytes());
            }
            return Ok(u8::from(!reader.wait()?.success()));
        }
    }
    print(&plain::plain(page))?;
    Ok(0)
}

/// Makes a link for each name in `folder`; all are tried, and those that cannot be made are named.
fn install(folder: &Path, matches: &ArgMatches) -> anyhow::Result<u8> {
    let program = std::env::current_exe().context("this program does not know where it is")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut refused = Vec::new();
    for name in APPLETS
        .iter()
        .flat_map(|applet| std::iter::once(&applet.name).chain(applet.aliases))
    {
        let link = folder.join(name);
        let made = if matches.get_flag("force") {
            make_over(&program, &link, matches)
        } else {
            make(&program, &link, matches)
        };
        match made {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                refused.push(format!(
                    "{}: is there already; --force replaces it",
                    link.display()
                ));
            }
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                refused.push(format!(
                    "{}: on another file system than {}; -s makes symbolic links",
                    link.display(),
                    program.display()
                ));
            }
            Err(error) => refused.push(format!("{}: {error}", link.display())),
        }
    }
    if !refused.is_empty() {
        bail!("{}", refused.join("\nmailtool: "));
    }
    Ok(0)
}

fn make(program: &Path, link: &Path, matches: &ArgMatches) -> io::Result<()> {
    if matches.get_flag("soft") {
        symlink(program, link)
    } else {
        fs::hard_link(program, link)
    }
}

/// Replaces what stands at `link` in one step: at no moment is nothing there.
fn make_over(program: &Path, link: &Path, matches: &ArgMatches) -> io::Result<()> {
    if fs::canonicalize(link)
        .is_ok_and(|there| fs::canonicalize(program).is_ok_and(|here| there == here))
        && link == program
    {
        return Ok(());
    }
    let fresh = link.with_extension(format!("new{}", std::process::id()));
    make(program, &fresh, matches)?;
    fs::rename(&fresh, link).inspect_err(|_| {
        let _ = fs::remove_file(&fresh);
    })?;
    // Renaming one hard link over another of the same file leaves both.
    let _ = fs::remove_file(&fresh);
    Ok(())
}
