//! `mailtool imap`: reads and keeps mailboxes by IMAP.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::conversation::{conclude, converse, plan};
use super::credentials::{Ports, ServerArguments};
use super::exit::{self, failure};
use super::output::{Form, Output};
use super::pop::FormArguments;
use crate::limits;
use crate::proto::client::Failure;
use crate::proto::imap::client::{Client, Errand};

/// Read and keep mailboxes by IMAP: list, search, fetch, make, empty and delete them
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
    Folders,
    /// Figures of a mailbox: MESSAGES, UNSEEN, RECENT, UIDNEXT, UIDVALIDITY
    Status {
        /// Name of the mailbox
        #[arg(default_value = "INBOX")]
        mailbox: String,
    },
    /// A line for each message: UID, flags, date, octets, sender, subject, with tabs between
    List {
        /// Name of the mailbox
        #[arg(default_value = "INBOX")]
        mailbox: String,
    },
    /// Messages, or a part of each, as they are
    #[command(override_usage = "mailtool imap fetch [OPTIONS] [MAILBOX] <UID[,UID...]|*>")]
    Fetch {
        /// Name of the mailbox (INBOX when left out), then UIDs: 7  7,9  7:12  * (the last)
        #[arg(required = true, num_args = 1..=2, value_name = "MAILBOX UID")]
        words: Vec<String>,
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
    },
    /// UIDs of the messages that are as the keys say; exit code 1 when there are none
    #[command(override_usage = "mailtool imap search [OPTIONS] [MAILBOX] [KEYS]...")]
    Search {
        /// Name of the mailbox (INBOX when the first word is a key), then keys: UNSEEN  FROM alice  SINCE 1-Feb-2026
        #[arg(value_name = "MAILBOX KEYS")]
        words: Vec<String>,
        /// Name of the mailbox, when it is called as a key is
        #[arg(long)]
        mailbox: Option<String>,
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
    /// Delete all messages of a mailbox; the mailbox stays. Prints how many went
    Empty {
        /// Its name
        mailbox: String,
    },
    /// Put a message into a mailbox; prints the UID that it got, when the server tells
    Append {
        /// Name of the mailbox
        mailbox: String,
        /// File with the message; - is standard input
        #[arg(default_value = "-")]
        file: PathBuf,
    },
}

/// The options.
pub fn command() -> Command {
    // Options may stand before the action or after it.
    Arguments::command().mut_args(|argument| argument.global(true))
}

/// Does it; the exit code.
pub fn run(matches: &ArgMatches) -> anyhow::Result<u8> {
    let arguments = Arguments::from_arg_matches(matches)?;
    if let Action::Append { file, .. } = &arguments.action
        && file == Path::new("-")
    {
        arguments.server.leave_stdin_to("the message")?;
    }
    let (errand, form) = errand(arguments.action)?;
    let access = arguments.server.access(&PORTS)?;
    let mut output = Output::stdout(form);
    let mut client = Client::new(plan(&access)?, errand, &mut output);
    let conversation = converse(&access, &mut client);
    let mut failures = client.into_failures();
    failures.extend(output.flush().err().map(Failure::Sink));
    conclude("IMAP", &access, conversation, failures)
}

fn errand(action: Action) -> anyhow::Result<(Errand, Form)> {
    let errand = match action {
        Action::Folders => Errand::Folders,
        Action::Status { mailbox } => Errand::Status(mailbox),
        Action::List { mailbox } => Errand::List(mailbox),
        Action::Fetch {
            words,
            section,
            form,
        } => return Ok((fetch(words, section)?, form.form())),
        Action::Search { words, mailbox } => search(words, mailbox),
        Action::Create { mailbox } => Errand::Create(mailbox),
        Action::Delete { mailbox } => Errand::Delete(mailbox),
        Action::Empty { mailbox } => Errand::Empty(mailbox),
        Action::Append { mailbox, file } => Errand::Append {
            mailbox,
            message: message(&file)?,
        },
    };
    Ok((errand, Form::Raw))
}

fn fetch(mut words: Vec<String>, section: String) -> anyhow::Result<Errand> {
    let uids = words.pop().unwrap_or_default();
    let mailbox = words.pop().unwrap_or_else(|| "INBOX".to_owned());
    let good = |element: &str| {
        element.split(':').count() <= 2
            && element
                .split(':')
                .all(|end| end == "*" || end.parse::<u32>().is_ok_and(|uid| uid > 0))
    };
    if !uids.split(',').all(good) {
        return Err(failure(
            exit::USAGE,
            format!(
                "fetch {uids}: UIDs are numbers from 1 on, ranges such as 3:7, and * for the last message, with \
                 commas between; `imap list` shows them"
            ),
        ));
    }
    Ok(Errand::Fetch {
        mailbox,
        uids,
        section,
    })
}

fn search(mut words: Vec<String>, mailbox: Option<String>) -> Errand {
    let begins_with_key = words.first().is_none_or(|word| is_search_key(word));
    let mailbox = match mailbox {
        Some(mailbox) => mailbox,
        None if begins_with_key => "INBOX".to_owned(),
        None => words.remove(0),
    };
    if words.is_empty() {
        words.push("ALL".to_owned());
    }
    Errand::Search {
        mailbox,
        keys: words,
    }
}

/// Whether a word begins a search, and so is not the name of a mailbox: a key of RFC 3501 §6.4.4 or RFC 5032, a set of
/// message numbers, a parenthesis.
fn is_search_key(word: &str) -> bool {
    word.starts_with(|first: char| first == '(' || first == '*' || first.is_ascii_digit())
        || SEARCH_KEYS
            .split(' ')
            .any(|key| key.eq_ignore_ascii_case(word))
}

/// Reads a message, and gives it CRLF line ends (RFC 3501 §2.3.1.2: what is stored is an RFC 5322 message).
fn message(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    let most = limits::MESSAGE_SIZE + 1;
    let read = if file == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut text)
    } else {
        File::open(file).and_then(|file| file.take(most).read_to_end(&mut text))
    };
    read.map_err(|error| failure(exit::NO_INPUT, format!("{}: {error}", file.display())))?;
    if text.len() as u64 == most {
        let most = limits::MESSAGE_SIZE;
        return Err(failure(
            exit::DATA,
            format!("{}: longer than {most} octets", file.display()),
        ));
    }
    if text.is_empty() {
        return Err(failure(
            exit::DATA,
            format!("{}: no message in it", file.display()),
        ));
    }
    Ok(with_crlf(&text))
}

fn with_crlf(text: &[u8]) -> Vec<u8> {
    let mut crlf = Vec::with_capacity(text.len() + text.len() / 32 + 2);
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        crlf.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        crlf.extend_from_slice(b"\r\n");
    }
    crlf
}

const PORTS: Ports = Ports {
    local: 1143,
    local_tls: 1993,
    standard: 143,
    standard_tls: 993,
};

const SEARCH_KEYS: &str = "ALL ANSWERED BCC BEFORE BODY CC DELETED DRAFT FLAGGED FROM HEADER KEYWORD LARGER NEW NOT OLD \
    ON OR RECENT SEEN SENTBEFORE SENTON SENTSINCE SINCE SMALLER SUBJECT TEXT TO UID UNANSWERED UNDELETED UNDRAFT \
    UNFLAGGED UNKEYWORD UNSEEN OLDER YOUNGER MODSEQ";

const EXAMPLES: &str = "\
Examples:
  mailtool imap --user alice folders   asks for the password
  mailtool imap -u alice -v list       INBOX, and the dialogue on stderr
  mailtool imap -u alice fetch '*'     the last message, whole
  mailtool imap -u alice fetch Work 7,9 --section HEADER
  mailtool imap -u alice search UNSEEN FROM bob SUBJECT 'two words'
  mailtool imap -u alice append Sent letter.eml
  mailtool imap --server imap.example.org --tls -u alice \\
      --password-file p.txt status

Exit codes:
   0  done                             1  no such message or mailbox, none found
  64  wrong usage                     65  wrong input
  66  a file cannot be read           68  no such host
  69  not reachable, or refused       74  cannot write what was received
  75  try again later                 76  the server breaks the protocol
  77  login refused";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> anyhow::Result<Errand> {
        let words = ["imap"].iter().chain(words).copied();
        let matches = command().try_get_matches_from(words)?;
        Ok(errand(Arguments::from_arg_matches(&matches)?.action)?.0)
    }

    #[test]
    fn the_command_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn a_mailbox_may_be_left_out() {
        let fetch = |mailbox: &str, uids: &str, section: &str| Errand::Fetch {
            mailbox: mailbox.into(),
            uids: uids.into(),
            section: section.into(),
        };
        assert_eq!(
            parse(&["fetch", "*"]).expect("good"),
            fetch("INBOX", "*", "")
        );
        assert_eq!(
            parse(&["fetch", "Work", "7,9:*", "--section", "HEADER"]).expect("good"),
            fetch("Work", "7,9:*", "HEADER")
        );
        let search = |mailbox: &str, keys: &[&str]| Errand::Search {
            mailbox: mailbox.into(),
            keys: keys.iter().map(|&key| key.into()).collect(),
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
            Errand::List("INBOX".into())
        );
    }

    #[test]
    fn uids_are_looked_at_before_anybody_is_called() {
        for uids in ["0", "x", "1,,2", "1:2:3", "", "-1", "1) (FLAGS"] {
            let error = parse(&["fetch", "--", uids]).expect_err(uids);
            assert_eq!(exit::code_of(&error), Some(exit::USAGE), "{uids}");
        }
    }

    #[test]
    fn messages_get_crlf_and_nothing_else() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), b"A: b\r\n\nc\rd\nlast").expect("written");
        let path = file.path().to_str().expect("UTF-8");
        let appended = Errand::Append {
            mailbox: "Sent".into(),
            message: b"A: b\r\n\r\nc\rd\r\nlast\r\n".to_vec(),
        };
        assert_eq!(parse(&["append", "Sent", path]).expect("good"), appended);
        let error = parse(&["append", "Sent", "/nonexistent"]).expect_err("no file");
        assert_eq!(exit::code_of(&error), Some(exit::NO_INPUT));
        std::fs::write(file.path(), b"").expect("written");
        let error = parse(&["append", "Sent", path]).expect_err("an empty file");
        assert_eq!(exit::code_of(&error), Some(exit::DATA));
    }
}
