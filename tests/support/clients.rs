//! The clients of a dialogue: what its `client:` line asks for (see `tests/dialogs/README.md`), played with the roles turned.

use std::time::Duration;

use mailtool::proto::client::{Plan, Upgrade};
use mailtool::proto::imap::client::{Change, Errand, Missing, Stage};
use mailtool::proto::pop3::client::{Request, Way};
use mailtool::proto::{imap, pop3, smtp};
use mailtool::wire::address::Address;
use mailtool::wire::envelope::{Envelope, Recipient};
use mailtool::wire::sasl_client::Mechanism;

use super::script::{Dialog, Protocol};
use super::sessions::{Feeding, readable};
use super::turned;

/// How long a client waits for its server.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plays the dialogue against the client that its `client:` line names, if it has one.
pub fn play_client(dialog: &Dialog, feeding: Feeding) -> Result<(), String> {
    let Some(errand) = &dialog.given.client else {
        return Ok(());
    };
    let (errand, expected) = match errand.split_once("=>") {
        Some((errand, file)) => (errand.trim(), Some(dialog.file(file.trim())?)),
        None => (errand.as_str(), None),
    };
    let mut sink = Vec::new();
    let failed = match dialog.protocol {
        Protocol::Pop3 => {
            let (upgrade, way, requests) = pop3_requests(errand)?;
            // Where nothing is asked for by name, SCRAM is not to be chosen: its proof hangs on what a server makes up.
            let login = pop3::client::Login {
                way,
                nonce: way.map_or_else(String::new, |_| "abcdef".to_owned()),
            };
            let plan = plan(dialog, upgrade);
            let mut client = pop3::client::Client::new(plan, requests, &mut sink).with_login(login);
            turned::play(dialog, Box::new(&mut client), feeding).map_err(|f| f.to_string())?;
            client.into_failures().first().map(ToString::to_string)
        }
        Protocol::Imap => {
            let (upgrade, mechanism, errand) = imap_errand(dialog, errand)?;
            let login = imap::client::Login {
                mechanism,
                nonce: mechanism.map_or_else(String::new, |_| "abcdef".to_owned()),
            };
            let mut client = imap::client::Client::new(plan(dialog, upgrade), errand, &mut sink)
                .with_login(login);
            turned::play(dialog, Box::new(&mut client), feeding).map_err(|f| f.to_string())?;
            client.into_failures().first().map(ToString::to_string)
        }
        Protocol::Smtp if errand.contains(';') => relay(dialog, errand, feeding)?,
        Protocol::Smtp => {
            let (plan, mail) = smtp_mail(dialog, errand)?;
            let mut client = smtp::client::Client::new(plan, mail);
            turned::play(dialog, Box::new(&mut client), feeding).map_err(|f| f.to_string())?;
            let outcome = client.into_outcome();
            outcome.failure.map(|failure| format!("{failure:?}"))
        }
    };
    if let Some(failure) = failed {
        return Err(format!("the client failed: {failure}"));
    }
    match expected {
        Some(expected) if expected != sink => {
            let got = readable(&sink);
            Err(format!("the client got something else:\n{got}"))
        }
        _ => Ok(()),
    }
}

/// Several messages over one connection; why that failed, which a message that is refused is not.
fn relay(dialog: &Dialog, errand: &str, feeding: Feeding) -> Result<Option<String>, String> {
    let tray = smtp::relay::Tray::new();
    let mut plan = None;
    for (word, errand) in (0..).zip(errand.split(';')) {
        let (of_message, mail) = smtp_mail(dialog, errand)?;
        plan.get_or_insert(of_message);
        let recipients = mail.recipients.into_iter().map(Recipient::new);
        tray.give(smtp::relay::Message {
            word,
            envelope: Envelope {
                reverse_path: mail.reverse_path,
                recipients: recipients.collect(),
                ..Envelope::default()
            },
            text: smtp::relay::Text::new(&mail.text),
        });
    }
    tray.close();
    let plan = plan.ok_or("client: no message")?;
    let plan = smtp::relay::Plan {
        name: plan.name,
        protocol: plan.protocol,
        upgrade: plan.upgrade,
        login: plan.login,
        patience: smtp::relay::Patience::of(plan.patience),
        idle: PATIENCE,
        epoch: None,
    };
    let client = smtp::relay::Client::new(plan, tray.clone());
    turned::play(dialog, Box::new(client), feeding).map_err(|f| f.to_string())?;
    Ok(tray.failure().map(|failure| failure.to_string()))
}

/// Logs in as the first user.
fn plan(dialog: &Dialog, upgrade: Upgrade) -> Plan {
    let (user, password) = dialog.given.users[0].clone();
    Plan {
        upgrade,
        user,
        password,
        patience: PATIENCE,
    }
}

/// `STLS; AUTH LOGIN; STAT; RETR 1`
fn pop3_requests(errand: &str) -> Result<(Upgrade, Option<Way>, Vec<Request>), String> {
    let mut upgrade = Upgrade::Never;
    let mut way = None;
    let mut requests = Vec::new();
    for command in errand.split(';') {
        let words: Vec<_> = command.split_whitespace().collect();
        let number = |at: usize| {
            let word = words.get(at).ok_or("a number is missing")?;
            word.parse().map_err(|_| format!("{word} is no number"))
        };
        requests.push(match (words.first().copied(), words.len()) {
            (Some("STLS"), 1) => {
                upgrade = Upgrade::Required;
                continue;
            }
            (Some("AUTH"), 2) => {
                way = Some(words[1].parse()?);
                continue;
            }
            (Some("STAT"), 1) => Request::Stat,
            (Some("LIST"), 1) => Request::List(None),
            (Some("LIST"), 2) => Request::List(Some(number(1)?)),
            (Some("UIDL"), 1) => Request::Uidl(None),
            (Some("UIDL"), 2) => Request::Uidl(Some(number(1)?)),
            (Some("TOP"), 3) => Request::Top {
                message: number(1)?,
                lines: number(2)?,
            },
            (Some("RETR"), 2) => Request::Retr(number(1)?),
            (Some("DELE"), 2) => Request::Dele(number(1)?),
            _ => return Err(format!("client: {command:?} is no request of POP3")),
        });
    }
    Ok((upgrade, way, requests))
}

/// `STARTTLS; AUTH CRAM-MD5; fetch INBOX 1 HEADER`
fn imap_errand(
    dialog: &Dialog,
    errand: &str,
) -> Result<(Upgrade, Option<Mechanism>, Errand), String> {
    let (upgrade, errand) = match errand.strip_prefix("STARTTLS;") {
        Some(errand) => (Upgrade::Required, errand.trim_start()),
        None => (Upgrade::Never, errand),
    };
    let (mechanism, errand) = match errand.strip_prefix("AUTH ") {
        Some(rest) => {
            let (name, errand) = rest.split_once(';').ok_or("client: AUTH, and then?")?;
            let named = Mechanism::named(name);
            (Some(named.ok_or("client: no such mechanism")?), errand)
        }
        None => (None, errand),
    };
    let words: Vec<_> = errand.split_whitespace().map(str::to_owned).collect();
    let errand = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["folders"] => Errand::Folders,
        ["status", mailbox] => Errand::Status(mailbox.into()),
        ["list", mailbox] => Errand::List(mailbox.into()),
        ["fetch", mailbox, uids, ref section @ ..] => Errand::Fetch {
            mailbox: mailbox.into(),
            uids: uids.into(),
            section: section.join(" "),
        },
        ["search", mailbox, ref keys @ ..] => Errand::Search {
            mailbox: mailbox.into(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        },
        ["create", mailbox] => Errand::Create(mailbox.into()),
        ["delete", mailbox] => Errand::Delete(mailbox.into()),
        ["empty", mailbox] => Errand::Empty(mailbox.into()),
        ["move", mailbox, uids, to] => Errand::Stages(vec![
            Stage::Select(mailbox.into()),
            Stage::Choose(uids.into()),
            Stage::Copy {
                to: to.into(),
                way: imap::client::Way::Move,
                missing: Missing::Made,
            },
        ]),
        ["flag", mailbox, uids, flag] => Errand::Stages(vec![
            Stage::Select(mailbox.into()),
            Stage::Choose(uids.into()),
            Stage::Flags(Some((Change::Add, vec![flag.into()]))),
            Stage::ExpungeChosen,
        ]),
        ["append", mailbox, file] => Errand::Append {
            mailbox: mailbox.into(),
            message: dialog.file(file)?,
        },
        _ => return Err(format!("client: {errand:?} is no errand of IMAP")),
    };
    Ok((upgrade, mechanism, errand))
}

/// `name=client.example from=bob@example.org to=alice@mail.example.org mail=short.eml login=yes starttls=yes`
fn smtp_mail(
    dialog: &Dialog,
    errand: &str,
) -> Result<(smtp::client::Plan, smtp::client::Mail), String> {
    let address = |text: &str| {
        Address::parse(text.as_bytes()).map_err(|_| format!("client: {text:?} is no address"))
    };
    let mut plan = smtp::client::Plan {
        name: "client.example".into(),
        protocol: match dialog.given.mode.as_str() {
            "lmtp" => smtp::client::Protocol::Lmtp,
            _ => smtp::client::Protocol::Smtp,
        },
        upgrade: Upgrade::Never,
        login: None,
        patience: PATIENCE,
    };
    let mut mail = smtp::client::Mail {
        reverse_path: None,
        recipients: Vec::new(),
        text: Vec::new(),
    };
    for word in errand.split_whitespace() {
        match word.split_once('=') {
            Some(("name", name)) => plan.name = name.into(),
            Some(("from", from)) => mail.reverse_path = Some(address(from)?),
            Some(("to", to)) => mail.recipients.push(address(to)?),
            Some(("mail", file)) => mail.text = dialog.file(file)?,
            Some(("starttls", "yes")) => plan.upgrade = Upgrade::Required,
            Some(("login", "yes")) => {
                let (user, password) = dialog.given.users[0].clone();
                plan.login = Some(smtp::client::Login {
                    user,
                    password,
                    nonce: "abcdef".into(),
                    with: smtp::client::With::Password,
                });
            }
            _ => {
                return Err(format!(
                    "client: {word:?} is nothing that SMTP can be asked"
                ));
            }
        }
    }
    Ok((plan, mail))
}
