//! `mailtool serve deliver USER < message`: a message from a pipe into a mailbox, as dovecot-lda has it; what a mail server calls, a cron job,
//! a filter.
//!
//! It writes into the Maildir itself, beside a server that runs or without one, and tells how it went by its exit code, as
//! sysexits(3) has them: a mail server that gets 75 tries again later. Nothing that comes in decides who gets it but USER.

use std::io::{self, Read};

use anyhow::Context;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::options::Options;
use super::{StorePlace, accounts, domains};
use crate::applet::exit;
use crate::limits;
use crate::store::{Replies, Spool, Store, StoreError, Whereabouts};
use crate::wire::address::{self, Address};
use crate::wire::envelope::{Envelope, Recipient};

#[derive(Args)]
struct Arguments {
    /// Whose mailbox: a name, or an address of a domain of this server
    #[arg(value_name = "USER")]
    recipient: String,
    /// Who sent it, for Return-Path; <> is nobody [default: what its first line, Return-Path, says]
    #[arg(short, long, value_name = "ADDR")]
    from: Option<String>,
}

/// Those of the server's options that say where mail is, and whose.
const OF_SERVE: [&str; 13] = [
    "store",
    "domain",
    "users",
    "system-users",
    "user",
    "aliases",
    "separator",
    "postmaster",
    "catch-all",
    "accept-any",
    "quota",
    "quota-messages",
    "config",
];

/// The command.
pub(super) fn command() -> Command {
    Arguments::augment_args(Command::new("deliver"))
        .about("Put a message from standard input into a mailbox, as dovecot-lda does")
        .args(Options::some(&OF_SERVE))
        .after_help(EXAMPLES)
}

const EXAMPLES: &str = "\
Exit codes: 0 delivered, 64 usage, 65 not a message, 67 no such user, 75 try again later (disk or quota full, mailbox locked).

Examples:
  printf 'Subject: hi\\n\\nHello\\n' | mailtool serve deliver alice
  mailbox_command = mailtool serve deliver --store /srv/mail -f \"$SENDER\" \"$USER\"
      In Postfix's main.cf";

/// Delivers what comes from standard input.
pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<u8> {
    let arguments = Arguments::from_arg_matches(matches)?;
    let user = Address::parse(arguments.recipient.as_bytes()).map_err(|error| {
        exit::failure(exit::NO_USER, format!("{:?}: {error}", arguments.recipient))
    })?;
    let from = arguments.from.as_deref().map(sender).transpose()?;
    let options = Options::of_some(matches)?;
    let place = StorePlace::of(&options)?;
    let (users, _) = accounts(&options, place.path())?;
    let (domains, rules) = (domains(&options), options.addresses.rules());
    let store = Store::open_beside(place.path(), &domains, users, rules).map_err(|error| {
        temporary(&format!(
            "cannot use the store {}: {error}",
            place.path().display()
        ))
    })?;
    check(&store, &user)?;
    let mut message = Message::new(io::stdin().lock());
    let first = message.return_path().context("cannot read the message")?;
    let envelope = Envelope {
        reverse_path: from.or(first).flatten(),
        recipients: vec![Recipient::new(user.clone())],
        ..Envelope::default()
    };
    let spool = store
        .draft(&envelope, Replies::One)
        .and_then(|spool| message.copy_to(spool))
        .map_err(|error| failed(&user, &error))?;
    let spool = spool.ok_or_else(|| {
        let most = limits::FOREIGN_MESSAGE / (1024 * 1024);
        exit::failure(
            exit::DATA,
            format!("no message came, or one of more than {most} MiB"),
        )
    })?;
    for outcome in store.accept(spool, envelope, "deliver") {
        outcome.map_err(|error| failed(&user, &error))?;
    }
    Ok(exit::OK)
}

/// Whether the user has a mailbox here, and nothing of its mail is to go elsewhere.
fn check(store: &Store, user: &Address) -> anyhow::Result<()> {
    match store.whereabouts(user) {
        Whereabouts::Mailboxes(_) => Ok(()),
        Whereabouts::Full(_) => Err(failed(user, &StoreError::OverQuota)),
        Whereabouts::Unknown => Err(exit::failure(
            exit::NO_USER,
            format!("there is no mailbox {user}: --users, --user and --domain say who is here"),
        )),
        Whereabouts::Elsewhere => Err(exit::failure(
            exit::NO_USER,
            format!("{user} is of no domain of this server; --domain adds one"),
        )),
        Whereabouts::Aliased { elsewhere, .. } => Err(temporary(&format!(
            "{user} is also {}, which is elsewhere: only the server sends on, hand it in by SMTP",
            elsewhere[0]
        ))),
    }
}

fn sender(text: &str) -> anyhow::Result<Option<Address>> {
    let text = if text.is_empty() { "<>" } else { text };
    match address::path(text.as_bytes()) {
        Ok((sender, [])) => Ok(sender),
        Ok(_) => Err(exit::failure(
            exit::USAGE,
            format!("--from {text:?}: give one address"),
        )),
        Err(error) => Err(exit::failure(
            exit::USAGE,
            format!("--from {text:?}: {error}"),
        )),
    }
}

fn failed(user: &Address, error: &StoreError) -> anyhow::Error {
    match error {
        StoreError::NoSuchMailbox => exit::failure(exit::NO_USER, format!("{user}: {error}")),
        error => temporary(&format!(
            "{user}: {error}; nothing was delivered, try again later"
        )),
    }
}

fn temporary(why: &str) -> anyhow::Error {
    exit::failure(exit::TEMPORARY, why)
}

/// A message in whatever line ends it has; a line `From ` of an mbox before it is left out.
struct Message<R> {
    source: R,
    /// Read, and not given on.
    ahead: Vec<u8>,
    last: u8,
}

impl<R: Read> Message<R> {
    fn new(source: R) -> Self {
        Self {
            source,
            ahead: Vec::new(),
            last: 0,
        }
    }

    /// What its first line says, if that is Return-Path; the line is taken away: delivery writes its own.
    fn return_path(&mut self) -> io::Result<Option<Option<Address>>> {
        while self.ahead.len() < limits::BLOCK {
            let mut block = [0; 4096];
            let octets = self.source.read(&mut block)?;
            if octets == 0 {
                break;
            }
            self.ahead.extend_from_slice(&block[..octets]);
        }
        if self.ahead.starts_with(b"From ") {
            self.skip_line();
        }
        let line = self
            .ahead
            .split(|&octet| octet == b'\n')
            .next()
            .unwrap_or_default();
        let Some(value) = line
            .get(..NAME.len())
            .filter(|name| name.eq_ignore_ascii_case(NAME))
        else {
            return Ok(None);
        };
        let path = address::path(line[value.len()..].trim_ascii());
        let Ok((path, [])) = path else {
            return Ok(None);
        };
        self.skip_line();
        Ok(Some(path))
    }

    fn skip_line(&mut self) {
        let end = self.ahead.iter().position(|&octet| octet == b'\n');
        let end = end.map_or(self.ahead.len(), |at| at + 1);
        self.ahead.drain(..end);
    }

    /// All of it, with CRLF line ends; `None` when there is nothing, or too much.
    fn copy_to(mut self, mut spool: Spool) -> Result<Option<Spool>, StoreError> {
        let preface = spool.octets();
        let mut block = std::mem::take(&mut self.ahead);
        loop {
            let text = self.with_crlf(&block);
            spool.append(&text)?;
            if spool.octets() > limits::FOREIGN_MESSAGE {
                return Ok(None);
            }
            block.resize(limits::BLOCK, 0);
            let octets = self.source.read(&mut block)?;
            if octets == 0 {
                break;
            }
            block.truncate(octets);
        }
        if spool.octets() == preface {
            return Ok(None);
        }
        // RFC 5321 §2.3.8: a message is lines.
        if self.last != b'\n' {
            spool.append(b"\r\n")?;
        }
        Ok(Some(spool))
    }

    fn with_crlf(&mut self, text: &[u8]) -> Vec<u8> {
        let mut lines = Vec::with_capacity(text.len() + text.len() / 16);
        for &octet in text {
            if octet == b'\n' && self.last != b'\r' {
                lines.push(b'\r');
            }
            lines.push(octet);
            self.last = octet;
        }
        lines
    }
}

const NAME: &[u8] = b"return-path:";
