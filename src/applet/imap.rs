//! `mailtool imap`: reads and keeps mailboxes by IMAP.

mod backup;
mod chosen;
mod hook;
mod typed;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use self::backup::Backup;
use self::chosen::{Chosen, flag, good_uids, in_mailbox};
use self::hook::Hooked;
use super::conversation::{conclude, converse, plan};
use super::credentials::{Access, Ports, Security, ServerArguments, seconds};
use super::exit::printable;
use super::outlet::Place;
use super::output::Form;
use super::pop::FormArguments;
use super::print;
use crate::limits;
use crate::proto::client::{Failure, Plan, Upgrade};
use crate::proto::imap::client::{
    self, Change, Client, Errand, Found, Idle, Missing, Raw, Refused, Shown, Stage, There, Way,
    With,
};
use crate::wire::date::{self, DateTime};

/// Read and keep mailboxes by IMAP: list, search, fetch, flag, move, wait, or any command
///
/// One errand a session. Messages are named by their UID, which stays the same in every session. Looking changes nothing:
/// no message becomes \Seen by it. Names of mailboxes are as people write them; IMAP's own encoding is done for you.
#[derive(Debug, Parser)]
#[command(name = "imap", after_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments,
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
    /// Save mailboxes as Maildirs; run again, it fetches what is new. Prints how much
    Backup {
        /// Folder of the Maildirs, made if it is not there
        folder: PathBuf,
        /// Names of the mailboxes; all, when left out
        mailboxes: Vec<String>,
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
    let waits = matches!(arguments.action, Action::Idle { .. });
    let told = matches.value_source("timeout") == Some(ValueSource::CommandLine);
    let within = (waits && told).then_some(arguments.server.timeout);
    let needs_login = !matches!(arguments.action, Action::Serverinfo(_) | Action::Raw { .. });
    let errand = errand(arguments.action, within)?;
    let mut access = arguments.server.access(&PORTS)?;
    if waits {
        access.timeout = access.timeout.min(limits::CLIENT_ANSWER);
    }
    let plan = match access.login.is_some() || needs_login {
        true => plan(&access)?,
        false => nobody(&access),
    };
    if let Some(folder) = errand.backup {
        let mut sink = Backup::new(folder);
        let mut client = Client::new(plan, Errand::Stages(errand.stages), &mut sink);
        let conversation = converse(&access, &mut client);
        let failures = client.into_failures();
        let done = sink.done().into_iter();
        let lines: String = done
            .map(|(mailbox, count)| format!("{mailbox}\t{count}\n"))
            .collect();
        print(&printable(&lines))?;
        return conclude("IMAP", &access, conversation, failures);
    }
    let mut output = errand.place.open(errand.form)?;
    let mut sink = Hooked::new(&mut output, errand.exec, errand.mailbox);
    let mut client =
        Client::new(plan, Errand::Stages(errand.stages), &mut sink).writing(errand.written);
    let conversation = converse(&access, &mut client);
    let mut failures = client.into_failures();
    let code = sink.code();
    failures.extend(output.flush().err().map(Failure::Sink));
    conclude("IMAP", &access, conversation, failures).map(|done| done.max(code))
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

/// What is done, and how it is written.
#[derive(Debug)]
struct Task {
    stages: Vec<Stage>,
    form: Form,
    place: Place,
    written: client::Form,
    mailbox: String,
    exec: Option<String>,
    backup: Option<PathBuf>,
}

impl Task {
    fn new(stages: Vec<Stage>) -> Self {
        Self {
            stages,
            form: Form::Raw,
            place: Place::default(),
            written: client::Form::Lines,
            mailbox: String::new(),
            exec: None,
            backup: None,
        }
    }

    fn json(mut self, json: AsJson) -> Self {
        if json.json {
            self.written = client::Form::Json;
        }
        self
    }
}

fn errand(action: Action, within: Option<Duration>) -> anyhow::Result<Task> {
    let plain = |verb, mailboxes| vec![Stage::Plain(verb, mailboxes)];
    let mut form = Form::Raw;
    let mut place = Place::default();
    let stages = match action {
        Action::Folders(json) => return Ok(Task::new(vec![Stage::Folders]).json(json)),
        Action::Status { mailbox, json } => {
            return Ok(Task::new(vec![Stage::Status(mailbox)]).json(json));
        }
        Action::Count(keys) => {
            let (mailbox, keys) = keys.or("UNSEEN");
            let then = Found::Counted;
            vec![Stage::Examine(mailbox), Stage::Search { keys, then }]
        }
        Action::List { mailbox, json } => {
            let stages = vec![Stage::Examine(mailbox), Stage::List];
            return Ok(Task::new(stages).json(json));
        }
        Action::Fetch {
            chosen,
            section,
            form: lines,
            place: to,
        } => {
            form = lines.form();
            let (_, mut stages) = chosen.stages(Stage::Examine)?;
            let with = match to.keeps() {
                true => With::Marks,
                false => With::Nothing,
            };
            place = to;
            stages.push(Stage::Fetch { section, with });
            stages
        }
        Action::Search { keys, json } => {
            let (mailbox, keys) = keys.or("ALL");
            let then = Found::Told;
            let stages = vec![Stage::Examine(mailbox), Stage::Search { keys, then }];
            return Ok(Task::new(stages).json(json));
        }
        Action::Idle {
            keys,
            count,
            existing,
            exec,
            poll,
            renew,
            json,
        } => {
            let (mailbox, keys) = in_mailbox(keys.words, keys.mailbox);
            let idle = Idle {
                keys,
                there: if existing { There::Count } else { There::DoNot },
                count: Some(count).filter(|&count| count > 0),
                within,
                renew,
                poll,
            };
            let stages = vec![Stage::Examine(mailbox.clone()), Stage::Idle(idle)];
            let task = Task {
                mailbox,
                exec,
                ..Task::new(stages)
            };
            return Ok(task.json(json));
        }
        Action::Flags {
            chosen,
            add,
            remove,
            set,
            expunge,
            json,
        } => {
            let changes = [
                (Change::Add, add),
                (Change::Remove, remove),
                (Change::Set, set),
            ];
            let change = changes.into_iter().find(|(_, flags)| !flags.is_empty());
            let change = change
                .map(|(change, flags)| (change, flags.iter().map(|word| flag(word)).collect()));
            let open = match (&change, expunge) {
                (None, false) => Stage::Examine,
                _ => Stage::Select,
            };
            let (_, mut stages) = chosen.stages(open)?;
            stages.push(Stage::Flags(change));
            stages.extend(expunge.then_some(Stage::ExpungeChosen));
            return Ok(Task::new(stages).json(json));
        }
        Action::Copy(elsewhere) => elsewhere.stages(Stage::Examine, Way::Copy)?,
        Action::Move(elsewhere) => elsewhere.stages(Stage::Select, Way::Move)?,
        Action::Expunge { mailbox, uids } => {
            let mut stages = vec![Stage::Select(mailbox)];
            match uids {
                None => stages.push(Stage::Expunge),
                Some(uids) => {
                    stages.push(Stage::Choose(good_uids(&uids)?));
                    stages.push(Stage::ExpungeChosen);
                }
            }
            stages.push(Stage::TellExpunged);
            stages
        }
        Action::Create { mailbox } => plain("CREATE", vec![mailbox]),
        Action::Delete { mailbox } => plain("DELETE", vec![mailbox]),
        Action::Rename { from, to } => plain("RENAME", vec![from, to]),
        Action::Subscribe { mailbox } => plain("SUBSCRIBE", vec![mailbox]),
        Action::Unsubscribe { mailbox } => plain("UNSUBSCRIBE", vec![mailbox]),
        Action::Empty { mailbox } => vec![
            Stage::Select(mailbox),
            Stage::MarkAll,
            Stage::Expunge,
            Stage::TellExpunged,
        ],
        Action::Append {
            mailbox,
            file,
            flags,
            date,
        } => vec![Stage::Append {
            mailbox,
            flags: flags.iter().map(|word| flag(word)).collect(),
            date: date.map_or_else(String::new, |unix| DateTime::utc(unix).to_imap()),
            message: typed::message(&file)?,
        }],
        Action::Backup { folder, mailboxes } => {
            return Ok(Task {
                backup: Some(folder),
                ..Task::new(vec![Stage::Backup(mailboxes)])
            });
        }
        Action::Serverinfo(json) => {
            let asked = ["CAPABILITY", "ID", "NAMESPACE", "QUOTA"].map(Stage::Ask);
            let mut stages = asked.to_vec();
            stages.push(Stage::TellServer);
            return Ok(Task::new(stages).json(json));
        }
        Action::Raw {
            commands,
            literals,
            keep_going,
            json,
        } => vec![Stage::Raw(Raw {
            lines: typed::lines(&commands)?.into(),
            shown: match (literals, json.json) {
                (true, _) => Shown::Literals,
                (_, true) => Shown::Json,
                _ => Shown::All,
            },
            refused: if keep_going {
                Refused::Stays
            } else {
                Refused::Ends
            },
        })],
    };
    Ok(Task {
        form,
        place,
        ..Task::new(stages)
    })
}

impl Keys {
    /// The mailbox and the keys; `usual` when there are none.
    fn or(self, usual: &str) -> (String, Vec<String>) {
        let (mailbox, mut keys) = in_mailbox(self.words, self.mailbox);
        if keys.is_empty() {
            keys.push(usual.to_owned());
        }
        (mailbox, keys)
    }
}

impl Elsewhere {
    fn stages(self, open: fn(String) -> Stage, way: Way) -> anyhow::Result<Vec<Stage>> {
        let (_, mut stages) = self.chosen.stages(open)?;
        stages.push(Stage::Copy {
            to: self.to,
            way,
            missing: if self.create {
                Missing::Made
            } else {
                Missing::Refused
            },
        });
        Ok(stages)
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

#[cfg(test)]
mod tests {
    use super::super::exit;
    use super::*;

    fn parse(words: &[&str]) -> anyhow::Result<Vec<Stage>> {
        let words = ["imap"].iter().chain(words).copied();
        let matches = command().try_get_matches_from(words)?;
        Ok(errand(Arguments::from_arg_matches(&matches)?.action, None)?.stages)
    }

    #[test]
    fn the_command_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn a_mailbox_may_be_left_out() {
        let fetch = |mailbox: &str, uids: &str, section: &str| {
            vec![
                Stage::Examine(mailbox.into()),
                Stage::Choose(uids.into()),
                Stage::Fetch {
                    section: section.into(),
                    with: With::Nothing,
                },
            ]
        };
        assert_eq!(
            parse(&["fetch", "*"]).expect("good"),
            fetch("INBOX", "*", "")
        );
        assert_eq!(
            parse(&["fetch", "Work", "7,9:*", "--section", "HEADER"]).expect("good"),
            fetch("Work", "7,9:*", "HEADER")
        );
        let search = |mailbox: &str, keys: &[&str]| {
            let keys = keys.iter().map(|&key| key.into()).collect();
            let then = Found::Told;
            vec![Stage::Examine(mailbox.into()), Stage::Search { keys, then }]
        };
        for (words, expected) in [
            (&["search"][..], search("INBOX", &["ALL"])),
            (&["search", "unseen"], search("INBOX", &["unseen"])),
            (&["search", "Work"], search("Work", &["ALL"])),
            (
                &["search", "Work", "FROM", "x y"],
                search("Work", &["FROM", "x y"]),
            ),
            (
                &["search", "1:3", "SEEN"],
                search("INBOX", &["1:3", "SEEN"]),
            ),
            (
                &["search", "--mailbox", "New", "NEW"],
                search("New", &["NEW"]),
            ),
        ] {
            assert_eq!(parse(words).expect("good"), expected, "{words:?}");
        }
        assert_eq!(
            parse(&["list"]).expect("good"),
            [Stage::Examine("INBOX".into()), Stage::List]
        );
    }

    #[test]
    fn uids_are_looked_at_before_anybody_is_called() {
        for uids in ["0", "x", "1,,2", "1:2:3", "", "-1", "1) (FLAGS"] {
            let error = parse(&["fetch", "INBOX", "--", uids]);
            let Err(error) = error else {
                // It is a search, which the session quotes.
                assert!(["x", "", "-1", "1) (FLAGS"].contains(&uids), "{uids}");
                continue;
            };
            assert_eq!(exit::code_of(&error), Some(exit::USAGE), "{uids}");
        }
    }

    #[test]
    fn flags_and_dates_are_as_people_write_them() {
        let stages = parse(&["flags", "7", "--add", "seen,work"]).expect("good");
        let expected = Stage::Flags(Some((Change::Add, vec!["\\Seen".into(), "work".into()])));
        assert_eq!(stages[2], expected);
        assert!(parse(&["flags", "7", "--add", "a", "--set", "b"]).is_err());
        assert_eq!(arrival("1770000000"), arrival("2026-02-02T02:40:00Z"));
        assert_eq!(arrival("Mon, 2 Feb 2026 03:40:00 +0100"), Ok(1_770_000_000));
        assert!(arrival("yesterday").is_err());
    }

    #[test]
    fn messages_get_crlf_and_nothing_else() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), b"A: b\r\n\nc\rd\nlast").expect("written");
        let path = file.path().to_str().expect("UTF-8");
        let appended = Stage::Append {
            mailbox: "Sent".into(),
            flags: Vec::new(),
            date: String::new(),
            message: b"A: b\r\n\r\nc\rd\r\nlast\r\n".to_vec(),
        };
        assert_eq!(parse(&["append", "Sent", path]).expect("good"), [appended]);
        let error = parse(&["append", "Sent", "/nonexistent"]).expect_err("no file");
        assert_eq!(exit::code_of(&error), Some(exit::NO_INPUT));
        std::fs::write(file.path(), b"").expect("written");
        let error = parse(&["append", "Sent", path]).expect_err("an empty file");
        assert_eq!(exit::code_of(&error), Some(exit::DATA));
    }
}
