//! `mailtool serve mailbox ...`: what one who keeps a store does to its mailboxes: list, import, export, check, dedup.
//!
//! It works on the files, whether a server runs on them or not; a server that does sees it at once.

mod print;

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand, ValueEnum};

use self::print::{Row, Table};
use super::options::SystemUsers;
use super::place::Accounts;
use super::{StorePlace, accounts, domains};
use crate::applet::{exit, print};
use crate::store::{
    Account, Condition, Doubles, Finding, Imported, Importer, Mailbox, Source, Store, StoreError,
    ToolError, maildirs,
};
use crate::wire::json;
use crate::wire::mbox::Dialect;

/// Which store, and how what is in it is printed.
#[derive(Args)]
struct Where {
    #[command(flatten)]
    accounts: Accounts,
    /// Accounts are the users of this machine, with mail in ~/Maildir; needs root
    #[arg(long, env = "MAILTOOL_SYSTEM_USERS", value_parser = clap::builder::FalseyValueParser::new(), global = true)]
    system_users: bool,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Args)]
struct Arguments {
    #[command(flatten)]
    place: Where,
    #[command(subcommand)]
    verb: Verb,
}

/// Which mailboxes of which users.
#[derive(Args)]
struct Which {
    /// Whose; may be repeated [default: everybody who has mail here]
    #[arg(short, long, value_name = "NAME")]
    user: Vec<String>,
    /// Only this one; may be repeated [default: all]
    #[arg(short, long, value_name = "NAME")]
    mailbox: Vec<String>,
}

#[derive(Subcommand)]
enum Verb {
    /// Mailboxes, and what is in them
    List(Which),
    /// Bring mail in: mbox files, Maildirs with all below them; - is an mbox from standard input
    #[command(after_help = IMPORT)]
    Import(Import),
    /// Take mail out: as an mbox to standard output or a file, or into a Maildir
    #[command(after_help = EXPORT)]
    Export(Export),
    /// Look for what is not as it should be, and mend it with --repair
    #[command(after_help = CHECK)]
    Check {
        #[command(flatten)]
        which: Which,
        /// Mend what can be mended; no message is removed, no UID is given twice
        #[arg(long)]
        repair: bool,
    },
    /// Find messages that are in a mailbox twice, and take them out with --delete
    #[command(after_help = DEDUP)]
    Dedup {
        #[command(flatten)]
        which: Which,
        /// Delete them for good; without it they are only told
        #[arg(long)]
        delete: bool,
    },
}

#[derive(Args)]
struct Import {
    /// Files and folders
    #[arg(value_name = "MBOX|MAILDIR", required = true)]
    sources: Vec<PathBuf>,
    /// Whose mailbox
    #[arg(short, long, value_name = "NAME")]
    user: String,
    /// Into this one, made if it is not there; what a Maildir has below it goes below it
    #[arg(short, long, value_name = "NAME", default_value = "INBOX")]
    mailbox: String,
    /// Pass over what is there already, by Message-ID and content: then it can be done again
    #[arg(long)]
    skip_doubles: bool,
    /// How lines that begin with `From ` were written; guess is right but for rare files
    #[arg(long, value_name = "KIND", value_enum, default_value = "guess")]
    dialect: Kind,
}

#[derive(Args)]
struct Export {
    /// Where to: - is standard output; a file that must not be there, or a folder
    #[arg(value_name = "PATH", default_value = "-")]
    target: PathBuf,
    /// Whose mailbox
    #[arg(short, long, value_name = "NAME")]
    user: String,
    /// This one; may be repeated [default: INBOX]
    #[arg(short, long, value_name = "NAME", conflicts_with = "all")]
    mailbox: Vec<String>,
    /// All of them, into a folder
    #[arg(long)]
    all: bool,
    /// As which
    #[arg(long, value_enum, default_value = "mbox")]
    format: Format,
    /// Add to a file that is there
    #[arg(long)]
    append: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Guess,
    Mboxo,
    Mboxrd,
    Mboxcl,
    Mboxcl2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Mbox,
    Maildir,
}

const EXAMPLES: &str = "\
It works beside a server that runs, which sees it at once, and without one.

Examples:
  mailtool serve mailbox list
  mailtool serve mailbox import --user alice --mailbox Archive old.mbox
  mailtool serve mailbox import --user alice --skip-doubles ~alice/Maildir
  mailtool serve mailbox export --user alice > alice.mbox
  mailtool serve mailbox check --repair
  mailtool serve mailbox dedup --user alice --mailbox INBOX --delete";

const IMPORT: &str = "\
What comes in keeps its time of arrival, its flags and its keywords: of an mbox those in Status, X-Status, X-Keywords, and Mozilla's;
of a Maildir those in the file names. When the program ends with 0, all of it is on disk.

Examples:
  mailtool serve mailbox import --user alice /var/mail/alice
  mailtool serve mailbox import --user alice --mailbox Old ~/Maildir
      ~/Maildir/.Lists.Debian becomes Old/Lists/Debian
  zcat 2019.mbox.gz | mailtool serve mailbox import --user alice -m 2019 -";

const EXPORT: &str = "\
An mbox is written as mboxrd: `import` reads it back without a difference. Into a Maildir that is there, what it lacks is added.

Examples:
  mailtool serve mailbox export --user alice > inbox.mbox
  mailtool serve mailbox export --user alice --all --format maildir backup/
  mailtool serve mailbox export --user alice --all mboxes/
      One file for each mailbox: mboxes/Lists/Debian.mbox";

const CHECK: &str = "\
Exit codes: 0 all is well, or was mended; 1 there are faults.

Examples:
  mailtool serve mailbox check
  mailtool serve mailbox check --user alice --repair --json";

const DEDUP: &str = "\
Two messages are the same when Message-ID, what the author wrote in the header, and the text are; what servers on the way added makes no
difference. The first one stays; what was done with the others (read, answered, flagged) is then true of it.

Examples:
  mailtool serve mailbox dedup --user alice
  mailtool serve mailbox dedup --user alice --delete";

/// `serve mailbox`
pub(super) fn command() -> Command {
    Arguments::augment_args(Command::new("mailbox"))
        .about("Look after mailboxes: list, import, export, check, find doubles")
        .disable_help_subcommand(true)
        .after_help(EXAMPLES)
}

/// Does it.
pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<u8> {
    let arguments = Arguments::from_arg_matches(matches)?;
    let keeper = Keeper::open(arguments.place)?;
    match arguments.verb {
        Verb::List(which) => keeper.list(&which),
        Verb::Import(import) => keeper.import(&import),
        Verb::Export(export) => keeper.export(&export),
        Verb::Check { which, repair } => keeper.check(&which, repair),
        Verb::Dedup { which, delete } => keeper.dedup(&which, delete),
    }
}

/// A store from outside.
struct Keeper {
    store: Store,
    json: bool,
}

impl Keeper {
    fn open(place: Where) -> anyhow::Result<Self> {
        let system = SystemUsers {
            system_users: place.system_users,
        };
        let options = place.accounts.options(system)?;
        let folder = StorePlace::of(&options)?;
        if !folder.path().join("mail").is_dir() && options.users.is_none() {
            return Err(exit::failure(
                exit::NO_INPUT,
                format!(
                    "{} is no store: --store DIR says where the mail is",
                    folder.path().display()
                ),
            ));
        }
        let (users, _) = accounts(&options, folder.path())?;
        let rules = options.addresses.rules();
        let store = Store::open_beside(folder.path(), &domains(&options), users, rules)
            .with_context(|| format!("cannot use the store {}", folder.path().display()))?;
        Ok(Self {
            store,
            json: place.json,
        })
    }

    fn user(&self, name: &str) -> anyhow::Result<Account> {
        self.store.holder(name).ok_or_else(|| {
            exit::failure(
                exit::NO_USER,
                format!("there is no user {name:?}: --users and --domain say who is here"),
            )
        })
    }

    /// The mailboxes that are meant, by user.
    fn mailboxes(&self, which: &Which) -> anyhow::Result<Vec<(Account, Vec<String>)>> {
        let users = match which.user.is_empty() {
            true => self.store.holders()?,
            false => {
                let users = which.user.iter().map(|name| self.user(name));
                users.collect::<anyhow::Result<Vec<_>>>()?
            }
        };
        let mut all = Vec::with_capacity(users.len());
        for user in users {
            let there = match self.store.has_mail(&user) {
                true => self.store.existing(&user)?,
                false => vec!["INBOX".to_owned()],
            };
            let meant: Vec<String> = match which.mailbox.is_empty() {
                true => there,
                false => there
                    .into_iter()
                    .filter(|name| which.mailbox.iter().any(|meant| same_name(meant, name)))
                    .collect(),
            };
            for name in &which.mailbox {
                let found = meant.iter().any(|there| same_name(name, there));
                if !found && !which.user.is_empty() {
                    return Err(exit::failure(
                        exit::NEGATIVE,
                        format!("{}: there is no mailbox {name:?}", user.name),
                    ));
                }
            }
            all.push((user, meant));
        }
        Ok(all)
    }

    fn list(&self, which: &Which) -> anyhow::Result<u8> {
        let mut table = Table::new(&[
            "user",
            "mailbox",
            "messages",
            "unseen",
            "octets",
            "uidvalidity",
            "uidnext",
        ]);
        for (user, mailboxes) in self.mailboxes(which)? {
            for name in mailboxes {
                let survey = match self.store.survey(&user, &name) {
                    // Deleted just now.
                    Err(StoreError::NoSuchMailbox) => continue,
                    survey => survey.with_context(|| format!("{} of {}", name, user.name))?,
                };
                table.add(Row::new(&user.name, &name).numbers(&[
                    survey.messages,
                    survey.unseen,
                    survey.octets,
                    u64::from(survey.uid_validity),
                    u64::from(survey.uid_next),
                ]));
            }
        }
        print(&table.show(self.json))?;
        Ok(exit::OK)
    }

    fn open_mailbox(&self, user: &Account, name: &str) -> anyhow::Result<Arc<Mailbox>> {
        let opened = self.store.mailbox(user, name);
        opened.map_err(|error| failed(user, name, &error))
    }

    fn import(&self, import: &Import) -> anyhow::Result<u8> {
        let user = self.user(&import.user)?;
        let dialect = match import.dialect {
            Kind::Guess => Dialect::Guess,
            Kind::Mboxo => Dialect::O,
            Kind::Mboxrd => Dialect::Rd,
            Kind::Mboxcl => Dialect::Cl,
            Kind::Mboxcl2 => Dialect::Cl2,
        };
        // All sources are looked at before anything is made.
        let mut plan: Vec<(Source, String)> = Vec::new();
        for path in &import.sources {
            plan.extend(sources(path, &import.mailbox)?);
        }
        let doubles = match import.skip_doubles {
            true => Doubles::Skipped,
            false => Doubles::Taken,
        };
        let mut told = Vec::new();
        let mut plan = plan.into_iter().peekable();
        while let Some((source, name)) = plan.next() {
            let mailbox = self.made(&user, &name)?;
            let mut importer =
                Importer::new(mailbox, doubles).map_err(|error| tool_failed(&user, &error))?;
            let mut taken = importer.take(source, dialect);
            // Files that go into one mailbox are taken together, so that it is read once only.
            while taken.is_ok()
                && let Some((source, _)) = plan.next_if(|(_, other)| same_name(other, &name))
            {
                taken = importer.take(source, dialect);
            }
            let finished = importer.finish();
            let (done, error) = match (finished, taken) {
                (Ok(done), Ok(())) => (done, None),
                (Ok(done), Err(error)) | (Err((error, done)), _) => (done, Some(error)),
            };
            let so_far = done.messages;
            told.push((name.clone(), done));
            if let Some(error) = error {
                self.tell_imported(&user, &told)?;
                let error = tool_failed(&user, &error);
                let advice = "what was told is there for good; --skip-doubles goes on from here";
                return Err(match so_far {
                    0 if told.len() == 1 => error,
                    _ => exit::failure(
                        exit::code_of(&error).unwrap_or(exit::TEMPORARY),
                        format!("{error:#}; {advice}"),
                    ),
                });
            }
        }
        self.tell_imported(&user, &told)?;
        Ok(exit::OK)
    }

    /// The mailbox, made and subscribed to if it was not there.
    fn made(&self, user: &Account, name: &str) -> anyhow::Result<Arc<Mailbox>> {
        match self.store.mailbox(user, name) {
            Err(StoreError::NoSuchMailbox) => {}
            opened => return opened.map_err(|error| failed(user, name, &error)),
        }
        match self.store.create(user, name) {
            Ok(()) => self
                .store
                .subscribe(user, name)
                .map_err(|error| failed(user, name, &error))?,
            Err(StoreError::AlreadyExists) => {}
            Err(error) => return Err(failed(user, name, &error)),
        }
        self.open_mailbox(user, name)
    }

    fn tell_imported(&self, user: &Account, told: &[(String, Imported)]) -> anyhow::Result<()> {
        let mut text = String::new();
        if self.json {
            let objects: Vec<String> = told
                .iter()
                .map(|(name, done)| {
                    let lost: Vec<String> = done
                        .lost_keywords
                        .iter()
                        .map(|name| json::string(name))
                        .collect();
                    json::object(&[
                        ("user", json::string(&user.name)),
                        ("mailbox", json::string(name)),
                        ("messages", done.messages.to_string()),
                        ("octets", done.octets.to_string()),
                        ("doubles", done.doubles.to_string()),
                        ("passed_over", done.passed_over.to_string()),
                        ("too_long", done.too_long.to_string()),
                        ("lost_keywords", format!("[{}]", lost.join(","))),
                    ])
                })
                .collect();
            text = format!("[{}]\n", objects.join(",\n "));
        } else {
            for (name, done) in told {
                let s = if done.messages == 1 { "" } else { "s" };
                let mut line = format!("{}: {} message{s} into {name}", user.name, done.messages);
                for (count, what) in [
                    (done.doubles, "that were there already"),
                    (done.passed_over, "that are no messages"),
                    (done.too_long, "that are too long"),
                ] {
                    if count > 0 {
                        line.push_str(&format!(", without {count} {what}"));
                    }
                }
                if !done.lost_keywords.is_empty() {
                    let names: Vec<&str> = done.lost_keywords.iter().map(String::as_str).collect();
                    line.push_str(&format!(
                        "; keywords for which there is no room: {}",
                        names.join(" ")
                    ));
                }
                text.push_str(&exit::printable(&line));
                text.push('\n');
            }
        }
        print(&text)
    }

    fn export(&self, export: &Export) -> anyhow::Result<u8> {
        let user = self.user(&export.user)?;
        let names = match (export.all, export.mailbox.is_empty()) {
            (true, _) => self.store.mailboxes(&user)?,
            (false, true) => vec!["INBOX".to_owned()],
            (false, false) => export.mailbox.clone(),
        };
        let mailboxes: Vec<(String, Arc<Mailbox>)> = names
            .into_iter()
            .map(|name| Ok((name.clone(), self.open_mailbox(&user, &name)?)))
            .collect::<anyhow::Result<_>>()?;
        let to_stdout = export.target == Path::new("-");
        let mut table = Table::new(&["user", "mailbox", "messages"]);
        let done = |error: ToolError| tool_failed(&user, &error);
        for (name, mailbox) in &mailboxes {
            let count = match export.format {
                Format::Maildir if to_stdout => {
                    return Err(exit::failure(
                        exit::USAGE,
                        "a Maildir is a folder: say which one, as in `export --format maildir --user alice backup/`",
                    ));
                }
                Format::Maildir => {
                    let folder = maildir_of(&export.target, name);
                    mailbox.export_maildir(&folder).map_err(done)?
                }
                Format::Mbox if to_stdout => {
                    let mut stdout = BufWriter::new(io::stdout().lock());
                    let written = mailbox.export_mbox(&mut stdout, Path::new("standard output"));
                    written.map_err(|error| match error {
                        ToolError::File(_, error) => exit::unwritable(error),
                        error => done(error),
                    })?
                }
                Format::Mbox => {
                    let path = match export.all {
                        true => export.target.join(format!("{name}.mbox")),
                        false => export.target.clone(),
                    };
                    // Several mailboxes that were named go into the one file.
                    let append = export.append || (!export.all && table.has_rows());
                    write_mbox(mailbox, &path, append).map_err(done)?
                }
            };
            table.add(Row::new(&user.name, name).numbers(&[count]));
        }
        if !to_stdout {
            print(&table.show(self.json))?;
        }
        Ok(exit::OK)
    }

    fn check(&self, which: &Which, repair: bool) -> anyhow::Result<u8> {
        let mut all = Vec::new();
        for (user, mailboxes) in self.mailboxes(which)? {
            if !self.store.has_mail(&user) {
                continue;
            }
            for name in mailboxes {
                let found = match repair {
                    true => self.store.repair(&user, &name),
                    false => self.store.check(&user, &name),
                };
                match found {
                    Err(StoreError::NoSuchMailbox) => {}
                    found => {
                        let found = found.map_err(|error| failed(&user, &name, &error))?;
                        all.extend(
                            found
                                .into_iter()
                                .map(|one| (user.clone(), name.clone(), one)),
                        );
                    }
                }
            }
            if which.mailbox.is_empty() {
                let found = match repair {
                    true => self.store.repair_account(&user),
                    false => self.store.check_account(&user),
                };
                let found = found.map_err(|error| failed(&user, "", &error))?;
                all.extend(
                    found
                        .into_iter()
                        .map(|one| (user.clone(), String::new(), one)),
                );
            }
        }
        print(&print::findings(&all, self.json))?;
        let faulty =
            |(_, _, finding): &(Account, String, Finding)| finding.state == Condition::Fault;
        Ok(match all.iter().any(faulty) {
            true => exit::NEGATIVE,
            false => exit::OK,
        })
    }

    fn dedup(&self, which: &Which, delete: bool) -> anyhow::Result<u8> {
        let mut table = Table::new(&["user", "mailbox", "uid", "same_as", "octets"]);
        let (mut count, mut octets) = (0, 0);
        for (user, mailboxes) in self.mailboxes(which)? {
            if !self.store.has_mail(&user) {
                continue;
            }
            for name in mailboxes {
                let failed = |error: StoreError| failed(&user, &name, &error);
                let mailbox = self.open_mailbox(&user, &name)?;
                let doubles = mailbox.doubles().map_err(failed)?;
                for double in &doubles {
                    table.add(Row::new(&user.name, &name).numbers(&[
                        u64::from(double.uid),
                        u64::from(double.of),
                        double.octets,
                    ]));
                    octets += double.octets;
                }
                count += match delete {
                    true => mailbox.drop_doubles(&doubles).map_err(failed)?,
                    false => doubles.len(),
                };
            }
        }
        let mut text = table.show(self.json);
        if !self.json {
            text.push_str(&match (count, delete) {
                (0, _) => "No message is there twice.\n".to_owned(),
                (count, true) => format!("{count} deleted, {octets} octets.\n"),
                (count, false) => {
                    format!("{count} could be deleted, {octets} octets: --delete does it.\n")
                }
            });
        }
        print(&text)?;
        Ok(exit::OK)
    }
}

/// INBOX is one in any case (RFC 3501 §5.1).
fn same_name(one: &str, other: &str) -> bool {
    one == other || (one.eq_ignore_ascii_case("INBOX") && other.eq_ignore_ascii_case("INBOX"))
}

/// What a path that was named holds, and into which mailboxes that goes.
fn sources(path: &Path, mailbox: &str) -> anyhow::Result<Vec<(Source, String)>> {
    let unreadable =
        |error: io::Error| exit::failure(exit::NO_INPUT, format!("{}: {error}", path.display()));
    if path == Path::new("-") {
        let stdin = std::os::fd::AsFd::as_fd(&io::stdin())
            .try_clone_to_owned()
            .map_err(unreadable)?;
        let source = Source::Mbox(stdin.into(), PathBuf::from("standard input"));
        return Ok(vec![(source, mailbox.to_owned())]);
    }
    let file = File::open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_dir() {
        let source = Source::Mbox(file, path.to_path_buf());
        return Ok(vec![(source, mailbox.to_owned())]);
    }
    let found = maildirs(path).map_err(|error| exit::failure(exit::NO_INPUT, error.to_string()))?;
    if found.is_empty() {
        return Err(exit::failure(
            exit::DATA,
            format!(
                "{}: a folder without a Maildir in it (cur, new, tmp); mbox files are to be named one by one",
                path.display()
            ),
        ));
    }
    let into_inbox = mailbox.eq_ignore_ascii_case("INBOX");
    Ok(found
        .into_iter()
        .map(|(path, below)| {
            let name = match (&*below, into_inbox) {
                ("", _) => mailbox.to_owned(),
                (below, true) => below.to_owned(),
                (below, false) => format!("{mailbox}/{below}"),
            };
            (Source::Maildir(path), name)
        })
        .collect())
}

/// Where a mailbox goes in a Maildir++ at `root`.
fn maildir_of(root: &Path, name: &str) -> PathBuf {
    match name.eq_ignore_ascii_case("INBOX") {
        true => root.to_path_buf(),
        false => {
            let levels: Vec<String> = name.split('/').map(crate::wire::utf7::encode).collect();
            root.join(format!(".{}", levels.join(".")))
        }
    }
}

/// Writes an mbox file, and has it on disk.
fn write_mbox(mailbox: &Mailbox, path: &Path, append: bool) -> Result<u64, ToolError> {
    let named = |error: io::Error| ToolError::File(path.to_path_buf(), error);
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(named)?;
    }
    let mut options = OpenOptions::new();
    options
        .append(true)
        .create(append)
        .create_new(!append)
        .mode(0o600);
    let file = options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => named(io::Error::new(
            error.kind(),
            "is there already: --append adds to it",
        )),
        _ => named(error),
    })?;
    let length = file.metadata().map_err(named)?.len();
    let mut writer = BufWriter::new(&file);
    let written = mailbox.export_mbox(&mut writer, path);
    let written = written.and_then(|count| {
        writer
            .flush()
            .and_then(|()| file.sync_all())
            .map_err(named)?;
        Ok(count)
    });
    drop(writer);
    if written.is_err() {
        // Half an mbox is worse than none; what was there before stays.
        let _ = match append {
            true => file.set_len(length),
            false => std::fs::remove_file(path),
        };
    }
    written
}

fn failed(user: &Account, mailbox: &str, error: &StoreError) -> anyhow::Error {
    let code = match error {
        StoreError::NoSuchMailbox => exit::NEGATIVE,
        StoreError::BadName(_) | StoreError::Forbidden(_) => exit::USAGE,
        _ => exit::TEMPORARY,
    };
    let place = match mailbox {
        "" => user.name.to_string(),
        mailbox => format!("{}, mailbox {mailbox:?}", user.name),
    };
    exit::failure(code, format!("{place}: {error}"))
}

fn tool_failed(user: &Account, error: &ToolError) -> anyhow::Error {
    let code = match error {
        ToolError::Store(_) => exit::TEMPORARY,
        ToolError::File(..) => exit::IO,
        ToolError::Foreign(..) => exit::DATA,
    };
    exit::failure(code, format!("{}: {error}", user.name))
}
