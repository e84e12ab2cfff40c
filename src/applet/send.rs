//! `mailtool send`: sends a message by SMTP.

mod compose;
mod load;
mod raw;
mod report;
mod sendmail;
mod trial;

use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use anyhow::Context;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches, Parser};

use super::conversation::converse;
use super::credentials::{Ports, Secret, Security, ServerArguments};
use super::evidence;
use super::exit::{self, failure};
use crate::proto::client::Upgrade;
use crate::proto::smtp::client::{Client, Login, Mail, Plan, Protocol, Reports, With};
use crate::proto::smtp::relay::manner::Point;
use crate::store::own_name;
use crate::wire::address::Address;
use crate::wire::date::DateTime;
use crate::{limits, sys};
use compose::{Attachment, Letter, Person, no_control, read_people};
use load::LoadArguments;
use raw::{Style, raw_mail};
use report::{Report, Shows};
use sendmail::Called;
use trial::TrialArguments;

/// Send a message by SMTP
///
/// The body comes from --body, --body-file or standard input. Date, Message-ID and MIME are added; with --raw the
/// message is sent as it is, header and all.
#[derive(Debug, Parser)]
#[command(name = "send", after_help = EXAMPLES)]
struct Arguments {
    /// Recipients, as with --to
    #[arg(value_name = "ADDRESS")]
    recipients: Vec<String>,
    /// Who sends it, and gets it back when it cannot be delivered; <> for nobody, with --raw
    #[arg(
        short,
        short_alias = 'r',
        long,
        value_name = "ADDRESS",
        env = "MAILTOOL_FROM"
    )]
    from: Option<String>,
    /// Recipients: alice@example.org, or 'Alice <alice@example.org>'; several with commas
    #[arg(long, value_name = "ADDRESS")]
    to: Vec<String>,
    /// Recipients of a copy
    #[arg(long, value_name = "ADDRESS")]
    cc: Vec<String>,
    /// Recipients of a copy whom nobody sees
    #[arg(long, value_name = "ADDRESS")]
    bcc: Vec<String>,
    /// Subject
    #[arg(short, long, value_name = "TEXT")]
    subject: Option<String>,
    /// Body
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["body_file", "raw"])]
    body: Option<String>,
    /// File with the body, or with --raw the message; - is standard input
    #[arg(long, value_name = "FILE")]
    body_file: Option<PathBuf>,
    /// A header field more; may be repeated
    #[arg(long, value_name = "NAME: VALUE", conflicts_with = "raw")]
    header: Vec<String>,
    /// File to send along; may be repeated
    #[arg(short, long, value_name = "FILE", conflicts_with = "raw")]
    attach: Vec<PathBuf>,
    /// The input is the whole message, header and all, and is sent as it is
    #[arg(long, conflicts_with = "subject")]
    raw: bool,
    /// As --raw, and its To, Cc and Bcc fields are recipients too; Bcc is taken out (sendmail -t)
    #[arg(short = 't', conflicts_with_all = ["subject", "body", "header", "attach"])]
    recipients_from_header: bool,
    /// A line with a dot alone is text, which it is not when called as sendmail
    #[arg(short = 'i')]
    ignore_dots: bool,
    /// Options of sendmail's that change nothing here: -oi means -i
    #[arg(short = 'o', value_name = "OPTION", hide = true)]
    sendmail_options: Vec<String>,
    /// The name of the sender, for a From field that is missing (sendmail -F)
    #[arg(short = 'F', value_name = "NAME", hide = true)]
    full_name: Option<String>,
    /// What sendmail is told of the text, and is seen in it here: 7BIT, 8BITMIME
    #[arg(short = 'B', value_name = "TYPE", hide = true)]
    body_type: Option<String>,
    /// What sendmail is to do: m is to send, s to speak SMTP, p to show the queue, i to read aliases
    #[arg(short = 'b', value_name = "MODE", hide = true)]
    mode: Option<String>,
    /// Have the server of this machine try now what waits in its queue (sendmail -q)
    #[arg(short = 'q', value_name = "INTERVAL", num_args = 0..=1, default_missing_value = "", hide = true)]
    queue: Option<String>,
    /// Ask for reports: never, or some of success,failure,delay (DSN)
    #[arg(short = 'N', long, value_name = "WHEN")]
    notify: Option<String>,
    /// How much of the message a report of failure is to bring back: full or hdrs (DSN)
    #[arg(short = 'R', long = "return", value_name = "HOW-MUCH")]
    ret: Option<String>,
    /// What reports are to call this message (DSN)
    #[arg(short = 'V', long, value_name = "ID")]
    envelope_id: Option<String>,
    /// What to call this computer in EHLO
    #[arg(long, value_name = "NAME")]
    helo: Option<String>,
    /// Speak LMTP instead of SMTP
    #[arg(long)]
    lmtp: bool,
    #[command(flatten)]
    trial: TrialArguments,
    #[command(flatten)]
    load: LoadArguments,
    #[command(flatten)]
    server: ServerArguments,
}

/// The options.
pub fn command() -> Command {
    Arguments::command()
}

/// Does it; the exit code.
pub fn run(matches: &ArgMatches) -> anyhow::Result<u8> {
    let mut arguments = Arguments::from_arg_matches(matches)?;
    arguments.ignore_dots |= arguments
        .sendmail_options
        .iter()
        .any(|option| option == "i");
    if let Some(code) = sendmail::another_mode(&arguments)? {
        return Ok(code);
    }
    let reports = sendmail::reports(&arguments)?;
    let host = host_name();
    let trial = &arguments.trial;
    trial.check(arguments.server.user.is_some())?;
    let mail = mail(&arguments, &host)?;
    let name = arguments.helo.clone().unwrap_or(host);
    no_control(&name, "--helo")?;
    let access = (arguments.server).access_with(&PORTS, Secret::of(trial.auth))?;
    let upgrade = match access.security {
        Security::StartTls => Upgrade::Required,
        Security::StartTlsIfOffered => Upgrade::IfOffered,
        Security::Implicit | Security::Plain => Upgrade::Never,
    };
    let plan = Plan {
        name,
        protocol: if arguments.lmtp {
            Protocol::Lmtp
        } else {
            Protocol::Smtp
        },
        upgrade: match access.security {
            Security::Implicit => Upgrade::Never,
            _ if trial.is_about(Point::Tls) => Upgrade::Required,
            _ => upgrade,
        },
        login: access.login.as_ref().map(|login| Login {
            user: login.user.clone(),
            password: login.password.clone(),
            nonce: crate::reactor::nonce(),
            with: trial.auth.map_or(With::Password, With::Mechanism),
        }),
        patience: access.timeout,
    };
    if arguments.load.load {
        return load::run(&arguments.load, trial, &access, plan, mail);
    }
    let asks = reports != Reports::default();
    let mut client = Client::asking(plan, mail, reports).with_manner(trial.manner());
    let began = Instant::now();
    let conversation = converse(&access, &mut client);
    let protocol = if arguments.lmtp { "LMTP" } else { "SMTP" };
    let outcome = client.into_outcome();
    if asks && !outcome.taken.is_empty() && !outcome.reports_asked {
        evidence::note("the server does not know DSN: it was not asked for reports");
    }
    let report = Report {
        protocol,
        access: &access,
        outcome: &outcome,
        on_refusal: trial.on_refusal,
        shows: match (
            trial.json || trial.drop_after_send.is_some(),
            trial.serverinfo,
        ) {
            (true, _) => Shows::Nothing,
            (false, true) => Shows::Server,
            // Whoever calls sendmail shows its user what that says, as cron and PHP do: as elsewhere, nothing when all is well.
            (false, false) if Called::now() == Called::Sendmail => Shows::Nothing,
            (false, false) => Shows::LastWords,
        },
    };
    let result = report.conclude(conversation);
    if trial.json {
        super::print(&format!("{}\n", report.json(began, &result)))?;
    }
    result
}

/// What is to be sent: a whole message, or as much of one as the dialogue comes to.
fn mail(arguments: &Arguments, host: &str) -> anyhow::Result<Mail> {
    let nothing = Mail {
        reverse_path: None,
        recipients: Vec::new(),
        text: Vec::new(),
    };
    let last = arguments.trial.stop().map_or(Point::Dot, |stop| stop.point);
    if last < Point::Mail {
        return Ok(nothing);
    }
    let has_text = last == Point::Dot
        || arguments.body.is_some()
        || arguments.body_file.is_some()
        || arguments.recipients_from_header;
    let mail = match style(arguments) {
        _ if !has_text => Mail {
            reverse_path: match arguments.from.as_deref() {
                Some("<>" | "") => None,
                Some(from) => Some(one_person(from)?.address),
                None => Some(myself(arguments, host)?.address),
            },
            recipients: unique(
                [
                    all_people(&arguments.to, "--to")?,
                    all_people(&arguments.recipients, "recipient")?,
                    all_people(&arguments.cc, "--cc")?,
                    all_people(&arguments.bcc, "--bcc")?,
                ]
                .into_iter()
                .flatten()
                .map(|person| person.address),
            ),
            ..nothing
        },
        Some(style) => raw_mail(arguments, style, host)?,
        None => composed_mail(arguments, host)?,
    };
    if mail.recipients.is_empty() && last > Point::Mail {
        return Err(failure(exit::USAGE, "to whom? Add --to alice@example.org"));
    }
    Ok(mail)
}

/// How far the input is left alone, when it is a whole message. A program that calls `sendmail` always writes one.
fn style(arguments: &Arguments) -> Option<Style> {
    if arguments.raw {
        return Some(Style::AsItIs);
    }
    let sendmail = arguments.recipients_from_header || Called::now() == Called::Sendmail;
    sendmail.then_some(Style::Sendmail)
}

/// A message made of the arguments.
fn composed_mail(arguments: &Arguments, host: &str) -> anyhow::Result<Mail> {
    let from = match &arguments.from {
        Some(from) => one_person(from)?,
        None => myself(arguments, host)?,
    };
    let mut to = all_people(&arguments.to, "--to")?;
    to.extend(all_people(&arguments.recipients, "recipient")?);
    let cc = all_people(&arguments.cc, "--cc")?;
    let bcc = all_people(&arguments.bcc, "--bcc")?;
    if to.is_empty() && cc.is_empty() && bcc.is_empty() {
        return Err(failure(exit::USAGE, "to whom? Add --to alice@example.org"));
    }
    let attachments = arguments.attach.iter().map(|file| attachment(file));
    let attachments = attachments.collect::<anyhow::Result<_>>()?;
    let body = match &arguments.body {
        Some(body) => body.clone(),
        None if arguments.load.load && arguments.body_file.is_none() => {
            load::body(arguments.load.length)
        }
        None => String::from_utf8(input(arguments)?).map_err(|_| {
            failure(
                exit::DATA,
                "the body is not UTF-8 text; send it with --attach FILE",
            )
        })?,
    };
    let letter = Letter {
        from: &from,
        to: &to,
        cc: &cc,
        subject: arguments.subject.as_deref(),
        fields: &arguments.header,
        body,
        attachments,
        date: now(),
        message_id: message_id(host),
    };
    let text = letter.write()?;
    let recipients = to.into_iter().chain(cc).chain(bcc);
    Ok(Mail {
        reverse_path: Some(from.address),
        recipients: unique(recipients.map(|person| person.address)),
        text,
    })
}

fn all_people(given: &[String], option: &str) -> anyhow::Result<Vec<Person>> {
    let mut people = Vec::new();
    for text in given {
        people.extend(read_people(text, option)?);
    }
    Ok(people)
}

fn one_person(from: &str) -> anyhow::Result<Person> {
    let people = read_people(from, "--from")?;
    <[Person; 1]>::try_from(people)
        .map(|[person]| person)
        .map_err(|people| {
            let count = people.len();
            failure(
                exit::USAGE,
                format!("--from {from}: one address, not {count}"),
            )
        })
}

/// Who sends it when nobody says: who logs in there, or else who is logged in here, at this computer. A server on this
/// computer is asked to deliver for `localhost`, and so an answer finds its way back.
fn myself(arguments: &Arguments, host: &str) -> anyhow::Result<Person> {
    let user = arguments.server.user.clone();
    let variable = |name| std::env::var(name).ok().filter(|name| !name.is_empty());
    let user = user
        .or_else(|| variable("USER"))
        .or_else(|| variable("LOGNAME"))
        // A service of the machine has neither.
        .or_else(own_name)
        .unwrap_or_else(|| "nobody".to_owned());
    one_person(&qualified(&user, here(arguments, host)))
}

/// The domain of whoever is named without one.
fn here<'a>(arguments: &Arguments, host: &'a str) -> &'a str {
    match arguments.server.is_local() {
        true => "localhost",
        false => host,
    }
}

/// `root@localhost` of `root`; what has a domain stays as it is.
fn qualified(address: &str, domain: &str) -> String {
    match address.is_empty() || address.contains(['@', '<']) {
        true => address.to_owned(),
        false => format!("{address}@{domain}"),
    }
}

fn unique(addresses: impl IntoIterator<Item = Address>) -> Vec<Address> {
    let mut unique = Vec::new();
    for address in addresses {
        if !unique.contains(&address) {
            unique.push(address);
        }
    }
    unique
}

/// Reads the body, or with --raw the message.
fn input(arguments: &Arguments) -> anyhow::Result<Vec<u8>> {
    match arguments.body_file.as_deref() {
        Some(file) if file != Path::new("-") => read_file(file, "--body-file"),
        _ => {
            arguments.server.leave_stdin_to("the message")?;
            let stdin = io::stdin();
            if stdin.is_terminal() {
                // Nobody is helped when this cannot be said.
                let _ = writeln!(
                    io::stderr(),
                    "{}",
                    super::told("Type the message, and end it with Ctrl-D:")
                );
            }
            bounded(stdin.lock(), "standard input")
                .map_err(|error| error.context("reading the message from standard input"))
        }
    }
}

fn read_file(file: &Path, option: &str) -> anyhow::Result<Vec<u8>> {
    let name = file.display();
    let opened = File::open(file)
        .map_err(|error| failure(exit::NO_INPUT, format!("{option} {name}: {error}")))?;
    bounded(opened, &name.to_string()).with_context(|| format!("{option} {name}"))
}

fn bounded(reader: impl Read, name: &str) -> anyhow::Result<Vec<u8>> {
    let mut octets = Vec::new();
    let read = reader
        .take(limits::SENT_MESSAGE + 1)
        .read_to_end(&mut octets);
    match read {
        Err(error) => Err(failure(exit::NO_INPUT, error.to_string())),
        Ok(read) if read as u64 > limits::SENT_MESSAGE => Err(failure(
            exit::DATA,
            format!("{name} holds more than {} octets", limits::SENT_MESSAGE),
        )),
        Ok(_) => Ok(octets),
    }
}

fn attachment(file: &Path) -> anyhow::Result<Attachment> {
    let octets = read_file(file, "--attach")?;
    let name = file.file_name().unwrap_or(file.as_os_str());
    Ok(Attachment {
        name: name.to_string_lossy().into_owned(),
        octets,
    })
}

/// What this computer calls itself, fit for EHLO and an address.
fn host_name() -> String {
    let uname = rustix::system::uname();
    let name = uname.nodename().to_string_lossy();
    match Address::parse(format!("x@{name}").as_bytes()) {
        Ok(_) => name.into_owned(),
        Err(_) => "localhost".to_owned(),
    }
}

/// The time, as the clock on the wall here has it.
fn now() -> DateTime {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs().cast_signed());
    DateTime::new(now, sys::east_of_utc(now))
}

/// Without its brackets. No two may be the same, so a random number is part of it.
fn message_id(host: &str) -> String {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    format!("{:x}.{:016x}@{host}", now().unix(), hasher.finish())
}

const PORTS: Ports = Ports {
    local: 1025,
    local_tls: 1465,
    standard: 25,
    standard_tls: 465,
};

const EXAMPLES: &str = "\
Examples:
  mailtool send --to alice@localhost --subject Hello --body 'Hello Alice'
      To `mailtool serve` on this computer
  mailtool send -v alice@localhost < letter.txt
      The body from a file, and the dialogue on standard error
  mailtool send --port 1587 -u alice bob@localhost -s Cat -a cat.jpg --body ''
      Logged in, with an attachment; the password comes from MAILTOOL_PASSWORD
  mailtool send --server mail.example.org --tls -u me@example.org -t < mail.eml
      A whole message, to those whom its header names
  mailtool send --port 1587 -u alice --quit-after auth
      Is the password right? And --quit-after rcpt: would he get it?
  mailtool send --server mail.example.org --serverinfo
      What it offers, its TLS and certificate; nothing is sent
  mailtool send --socket /run/dovecot/lmtp --lmtp alice < mail.txt
      To a UNIX socket; --proxy socks5://gate.example:1080 goes round
  mailtool send --load --sessions 20 -m 10000 -d alice@localhost
      How fast is it? 10000 messages by 20 connections

Exit codes: 0 taken; 64 wrong usage; 65 message refused; 66 no such file;
67 no such recipient; 68 no such host; 69 not reachable, or refused;
75 try again later; 76 not the protocol; 77 login refused, or not allowed";

#[cfg(test)]
mod tests;
