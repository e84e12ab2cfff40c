//! `mailtool serve mailbox ...`: what one who keeps a store does to its mailboxes: list, import, export, check, dedup.
//!
//! It works on the files, whether a server runs on them or not; a server that does sees it at once.

mod print;
mod transfer;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand, ValueEnum};

use self::print::{Row, Table};
use super::options::SystemUsers;
use super::place::Accounts;
use super::{StorePlace, accounts, domains};
use crate::applet::{exit, print, told};
use crate::store::{Account, Condition, Finding, Mailbox, Store, StoreError, ToolError};

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
            text.push_str(&told(&match (count, delete) {
                (0, _) => "No message is there twice.".to_owned(),
                (count, true) => format!("{count} deleted, {octets} octets."),
                (count, false) => {
                    format!("{count} could be deleted, {octets} octets: --delete does it.")
                }
            }));
            text.push('\n');
        }
        print(&text)?;
        Ok(exit::OK)
    }
}

/// INBOX is one in any case (RFC 3501 §5.1).
fn same_name(one: &str, other: &str) -> bool {
    one == other || (one.eq_ignore_ascii_case("INBOX") && other.eq_ignore_ascii_case("INBOX"))
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
