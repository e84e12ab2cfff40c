//! `mailtool imap`: reads and keeps mailboxes by IMAP.

mod backup;
mod chosen;
mod hook;
mod task;
mod typed;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use self::backup::Backup;
use self::chosen::Chosen;
use self::hook::Hooked;
use self::task::errand;
use super::conversation::{conclude, converse, converse_fed, plan};
use super::credentials::{Access, Ports, Secret, Security, ServerArguments, mechanism, seconds};
use super::exit::printable;
use super::outlet::Place;
use super::pop::FormArguments;
use super::print;
use crate::limits;
use crate::proto::client::{Failure, Plan, Upgrade};
use crate::proto::imap::client::{Client, Errand, Login};
use crate::wire::date::{self, DateTime};
use crate::wire::sasl_client::Mechanism;

/// Read and keep mailboxes by IMAP: list, search, fetch, flag, move, wait, or any command
///
/// One errand a session. Messages are named by their UID, which stays the same in every session. Looking changes nothing:
/// no message becomes \Seen by it. Names of mailboxes are as people write them; IMAP's own encoding is done for you.
#[derive(Debug, Parser)]
#[command(name = "imap", after_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments,
    /// How to log in: SCRAM-SHA-256-PLUS, SCRAM-SHA-256, SCRAM-SHA-1, PLAIN, LOGIN, CRAM-MD5; OAUTHBEARER and XOAUTH2 with a token in
    /// place of the password; EXTERNAL with a client certificate [default: the best that the server offers, else the command LOGIN]
    #[arg(long, value_name = "NAME", value_parser = mechanism, help_heading = "Server and login")]
    auth: Option<Mechanism>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Names of all mailboxes, one a line
    Folders(AsJson),
    /// Figures of a mailbox: MESSAGES, UNSEEN, RECENT, UIDNEXT, UIDVALIDITY
    Status {
        /// Name of the mailbox
        #[arg(default_value = "INBOX")]
        mailbox: String,
        #[command(flatten)]
        json: AsJson,
    },
    /// How many messages are unseen, or are as the keys say: a bare number
    #[command(override_usage = "mailtool imap count [OPTIONS] [MAILBOX] [KEYS]...")]
    Count(Keys),
    /// A line a message: UID, flags, date, octets, sender, subject, with tabs between
    List {
        /// Name of the mailbox
        #[arg(default_value = "INBOX")]
        mailbox: String,
        #[command(flatten)]
        json: AsJson,
    },
    /// Messages, or a part of each, as they are
    #[command(override_usage = "mailtool imap fetch [OPTIONS] [MAILBOX] <UIDS | KEYS...>")]
    Fetch {
        #[command(flatten)]
        chosen: Chosen,
        /// Only this: HEADER, TEXT, 1, 2.1, 1.MIME, HEADER.FIELDS (SUBJECT DATE) ...
        #[arg(
            long,
            value_name = "SECTION",
            default_value = "",
            hide_default_value = true
        )]
        section: String,
        #[command(flatten)]
        form: FormArguments,
        #[command(flatten)]
        place: Place,
    },
    /// UIDs of messages that are as the keys say; exit code 1 when there are none
    #[command(override_usage = "mailtool imap search [OPTIONS] [MAILBOX] [KEYS]...")]
    Search {
        #[command(flatten)]
        keys: Keys,
        #[command(flatten)]
        json: AsJson,
    },
    /// Wait for a message, and print its line; exit code 1 when none comes in --timeout
    #[command(override_usage = "mailtool imap idle [OPTIONS] [MAILBOX] [KEYS]...")]
    Idle {
        #[command(flatten)]
        keys: Keys,
        /// Go on until N messages have come; 0 is for ever
        #[arg(long, value_name = "N", default_value = "1")]
        count: u32,
        /// Messages count, too, that are there already
        #[arg(long)]
        existing: bool,
        /// Run this with sh for each message; MAIL_UID, MAIL_MAILBOX, MAIL_FROM, MAIL_SUBJECT, MAIL_DATE, MAIL_FLAGS and MAIL_SIZE
        /// tell of it
        #[arg(long, value_name = "COMMAND")]
        exec: Option<String>,
        /// Ask anew with NOOP so often, where the server has no IDLE
        #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
        poll: Duration,
        /// Begin IDLE anew so often: servers may close after 30 minutes, and some routers forget sooner
        #[arg(long, value_name = "SECONDS", default_value = "1680", value_parser = seconds)]
        renew: Duration,
        #[command(flatten)]
        json: AsJson,
    },
    /// Set flags of messages, or show them: a line of UID and flags for each
    #[command(override_usage = "mailtool imap flags [OPTIONS] [MAILBOX] <UIDS | KEYS...>")]
    Flags {
        #[command(flatten)]
        chosen: Chosen,
        /// Flags that come to those that are there: seen, flagged, deleted, answered, draft, or a keyword of your own
        #[arg(long, value_name = "FLAG,...", value_delimiter = ',', conflicts_with_all = ["remove", "set"])]
        add: Vec<String>,
        /// Flags that go
        #[arg(
            long,
            value_name = "FLAG,...",
            value_delimiter = ',',
            conflicts_with = "set"
        )]
        remove: Vec<String>,
        /// These flags, and no others
        #[arg(long, value_name = "FLAG,...", value_delimiter = ',')]
        set: Vec<String>,
        /// Then expunge those of these messages that are marked as deleted, and no others
        #[arg(long)]
        expunge: bool,
        #[command(flatten)]
        json: AsJson,
    },
    /// Copy messages to another mailbox; prints their UIDs there, when the server tells
    #[command(
        override_usage = "mailtool imap copy [OPTIONS] --to MAILBOX [MAILBOX] <UIDS | KEYS...>"
    )]
    Copy(Elsewhere),
    /// Move messages to another mailbox; prints their UIDs there, when the server tells
    #[command(
        override_usage = "mailtool imap move [OPTIONS] --to MAILBOX [MAILBOX] <UIDS | KEYS...>"
    )]
    Move(Elsewhere),
    /// Take away for good what is marked as deleted; prints how many went
    Expunge {
        /// Name of the mailbox
        #[arg(default_value = "INBOX")]
        mailbox: String,
        /// Of these UIDs only
        uids: Option<String>,
    },
    /// Make a mailbox
    Create {
        /// Its name
        mailbox: String,
    },
    /// Delete a mailbox, and all that is in it
    Delete {
        /// Its name
        mailbox: String,
    },
    /// Give a mailbox another name
    Rename {
        /// Its name
        from: String,
        /// The new one
        to: String,
    },
    /// Put a mailbox on the list of those that clients show
    Subscribe {
        /// Its name
        mailbox: String,
    },
    /// Take it off that list
    Unsubscribe {
        /// Its name
        mailbox: String,
    },
    /// Delete all messages of a mailbox; the mailbox stays. Prints how many went
    Empty {
        /// Its name
        mailbox: String,
    },
    /// Put a message into a mailbox; prints its UID, when the server tells
    Append {
        /// Name of the mailbox
        mailbox: String,
        /// File with the message; - is standard input
        #[arg(default_value = "-")]
        file: PathBuf,
        /// Flags that it gets: seen, flagged, draft ...
        #[arg(long, value_name = "FLAG,...", value_delimiter = ',')]
        flags: Vec<String>,
        /// When it came: seconds since 1970, 2026-02-01T08:00:00Z, or as in a header; else now
        #[arg(long, value_name = "DATE", value_parser = arrival)]
        date: Option<i64>,
    },
    /// Save mailboxes as Maildirs; run again, it brings them up to date. Prints how much
    Backup {
        /// Folder of the Maildirs, made if it is not there
        folder: PathBuf,
        /// Names of the mailboxes; all, when left out
        mailboxes: Vec<String>,
        /// Take away here the messages that are gone there
        #[arg(long)]
        prune: bool,
    },
    /// What the server is and can; without --user, before login
    #[command(visible_alias = "capabilities")]
    Serverinfo(AsJson),
    /// Any commands, one session, from arguments or standard input; prints what comes
    #[command(after_help = RAW)]
    Raw {
        /// Commands, with or without tags. {5} at a line's end: a literal, the next 5 octets. {@FILE}: a literal from a file
        #[arg(value_name = "COMMAND")]
        commands: Vec<String>,
        /// Write the octets of literals, and nothing else
        #[arg(long, conflicts_with = "json")]
        literals: bool,
        /// Go on when a command is refused; the exit code tells it all the same
        #[arg(long)]
        keep_going: bool,
        #[command(flatten)]
        json: AsJson,
    },
}

/// How it is written.
#[derive(Args, Clone, Copy, Debug)]
struct AsJson {
    /// Write JSON, for programs
    #[arg(long)]
    json: bool,
}

/// A mailbox, and keys of a search.
#[derive(Args, Clone, Debug)]
struct Keys {
    /// Name of the mailbox (INBOX when the first word is a key), then keys: UNSEEN  FROM alice  SINCE 1-Feb-2026
    #[arg(value_name = "MAILBOX KEYS")]
    words: Vec<String>,
    /// Name of the mailbox, when it is called as a key is
    #[arg(long)]
    mailbox: Option<String>,
}

/// Messages, and where they go.
#[derive(Args, Clone, Debug)]
struct Elsewhere {
    #[command(flatten)]
    chosen: Chosen,
    /// Where they go
    #[arg(long, value_name = "MAILBOX")]
    to: String,
    /// Make that mailbox, if it is not there
    #[arg(long)]
    create: bool,
}

/// The options.
pub fn command() -> Command {
    // Options may stand before the action or after it.
    Arguments::command().mut_args(|argument| argument.global(true))
}

/// Does it; the exit code.
pub fn run(matches: &ArgMatches) -> anyhow::Result<u8> {
    let arguments = Arguments::from_arg_matches(matches)?;
    match &arguments.action {
        Action::Append { file, .. } if file == Path::new("-") => {
            arguments.server.leave_stdin_to("the message")?;
        }
        Action::Raw { commands, .. } if commands.is_empty() => {
            arguments.server.leave_stdin_to("the commands")?;
        }
        _ => {}
    }
    // For who waits, the option is how long; a server that does not answer is waited for as long as ever.
    let reads = matches!(&arguments.action, Action::Raw { commands, .. } if commands.is_empty());
    let waits = matches!(arguments.action, Action::Idle { .. });
    let told = matches.value_source("timeout") == Some(ValueSource::CommandLine);
    let within = (waits && told).then_some(arguments.server.timeout);
    let needs_login = !matches!(arguments.action, Action::Serverinfo(_) | Action::Raw { .. });
    let errand = errand(arguments.action, within)?;
    let mut access = (arguments.server).access_with(&PORTS, Secret::of(arguments.auth))?;
    if waits {
        access.timeout = access.timeout.min(limits::CLIENT_ANSWER);
    }
    let plan = match access.login.is_some() || needs_login {
        true => plan(&access)?,
        false => nobody(&access),
    };
    let login = Login {
        mechanism: arguments.auth,
        nonce: crate::reactor::nonce(),
    };
    if let Some((folder, gone)) = errand.backup {
        let mut sink = Backup::new(folder, gone);
        let client = Client::new(plan, Errand::Stages(errand.stages), &mut sink);
        let mut client = client.with_login(login);
        let conversation = converse(&access, &mut client);
        let failures = client.into_failures();
        print(&printable(&sink.lines()))?;
        return conclude("IMAP", &access, conversation, failures);
    }
    let mut output = errand.place.open(errand.form)?;
    let mut sink = Hooked::new(&mut output, errand.exec, errand.mailbox);
    let client = Client::new(plan, Errand::Stages(errand.stages), &mut sink);
    let mut client = client.with_login(login).writing(errand.written);
    let wrong = typed::Wrong::default();
    let (feed, mut source) = typed::stdin(Arc::clone(&wrong));
    if reads {
        client = client.fed_by(&mut source);
    }
    let conversation = converse_fed(&access, &mut client, reads.then_some(feed));
    let mut failures = client.into_failures();
    let code = sink.code();
    failures.extend(output.flush().err().map(Failure::Sink));
    let done = conclude("IMAP", &access, conversation, failures)?;
    match wrong.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(wrong) => Err(wrong),
        None => Ok(done.max(code)),
    }
}

/// A session in which nobody logs in.
pub(super) fn nobody(access: &Access) -> Plan {
    Plan {
        upgrade: match access.security {
            Security::StartTls => Upgrade::Required,
            Security::StartTlsIfOffered => Upgrade::IfOffered,
            Security::Implicit | Security::Plain => Upgrade::Never,
        },
        user: String::new(),
        password: String::new(),
        patience: access.timeout,
    }
}

/// A moment as people write it.
fn arrival(text: &str) -> Result<i64, String> {
    let moment = match text.parse::<i64>() {
        Ok(unix) => Some(unix),
        Err(_) => date::from_internet(text)
            .or_else(|| DateTime::from_header(text.as_bytes()).map(DateTime::unix)),
    };
    moment.ok_or_else(|| {
        "seconds since 1970, 2026-02-01T08:00:00Z, or Sun, 1 Feb 2026 08:00:00 +0000".to_owned()
    })
}

const PORTS: Ports = Ports {
    local: 1143,
    local_tls: 1993,
    standard: 143,
    standard_tls: 993,
};

const EXAMPLES: &str = "\
Examples:
  mailtool imap --user alice folders   asks for the password
  mailtool imap -u alice -v list       INBOX, and the dialogue on stderr
  mailtool imap -u alice fetch '*'     the last message, whole
  mailtool imap -u alice fetch Work 7,9 --section HEADER
  mailtool imap -u alice search UNSEEN FROM bob SUBJECT 'two words'
  mailtool imap -u alice append Sent letter.eml
  mailtool imap -u alice count         how many are unseen
  mailtool imap -u alice idle --timeout 60 SUBJECT token \\
      --exec 'mailtool imap -u alice fetch $MAIL_UID'
  mailtool imap -u alice fetch ALL --output Mail/   into a Maildir
  mailtool imap -u alice backup Backup/
  mailtool imap -u alice move FROM list --to Lists --create
  mailtool imap -u alice raw 'SELECT INBOX' 'UID FETCH 1:* (FLAGS)'
  mailtool imap --server imap.example.org --tls -u alice \\
      --password-file p.txt status

Exit codes:
   0  done                             1  no such message, none found or in time
  64  wrong usage                     65  wrong input
  66  a file cannot be read           68  no such host
  69  not reachable, or refused       70  --exec failed
  74  cannot write what was received  75  try again later
  76  the server breaks the protocol  77  login refused";

const RAW: &str = "\
Examples:
  mailtool imap -u alice raw 'EXAMINE INBOX' 'FETCH 1 (BODY[])'
  mailtool imap -u alice raw --literals 'EXAMINE INBOX' \\
      'FETCH 1 (BODY[])' >one.eml      the message, to the octet
  mailtool imap -u alice raw 'APPEND Drafts (\\Draft) {@letter.eml}'
  mailtool imap -u alice raw --json <commands.txt | jq .data";
