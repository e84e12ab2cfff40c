//! The stage of a dialogue: a new store in a folder of its own, and the service that the dialogue talks to.
//!
//! What a dialogue of any protocol can ask of the store, `x-NAME=VALUE`:
//!
//! | setting | meaning |
//! |---|---|
//! | `token=USER:TOKEN` | a token that stands for a password |
//! | `quota-octets=N`, `quota-messages=N` | what an account may hold |

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mailtool::proto::fault::{Faults, FaultyService};
use mailtool::proto::imap::ImapService;
use mailtool::proto::login::{Door, Plaintext};
use mailtool::proto::pop3::server::{LoginDelay, Pop3Service};
use mailtool::proto::smtp::SmtpService;
use mailtool::proto::{Service, StartTls, imap, pop3, smtp};
use mailtool::store::{Quota, Rules, Store, Users};
use mailtool::wire::codes::Lang;
use mailtool::wire::fault::Rule;
use mailtool::wire::sasl::Mechanism;
use tempfile::TempDir;

use super::script::{Delivery, Dialog, Protocol};
use super::smtp_settings;

/// What a dialogue is played on. Gone when dropped.
pub struct Stage {
    pub service: Box<dyn Service>,
    /// `None` for services that store nothing.
    pub store: Option<Arc<Store>>,
    host: String,
    _folder: Option<TempDir>,
}

impl Stage {
    /// As the dialogue's `given:` lines have it.
    pub fn new(dialog: &Dialog) -> Result<Self, String> {
        let folder = folder()?;
        let store = Arc::new(store(dialog, folder.path())?);
        let stage = Self {
            service: faulty(dialog, service(dialog, &store)?)?,
            store: Some(store),
            host: dialog.given.host.clone(),
            _folder: Some(folder),
        };
        for delivery in &dialog.given.mail {
            stage.deliver(delivery)?;
        }
        Ok(stage)
    }

    /// A stage for a service that needs no store.
    pub fn bare(service: Box<dyn Service>) -> Self {
        Self {
            service,
            store: None,
            host: String::new(),
            _folder: None,
        }
    }

    /// Puts mail into an account's INBOX.
    pub fn deliver(&self, delivery: &Delivery) -> Result<(), String> {
        let store = self.store.as_ref().ok_or("there is no store here")?;
        deliver(store, &self.host, delivery)
    }
}

/// The store of a dialogue, in `folder`.
pub fn store(dialog: &Dialog, folder: &Path) -> Result<Store, String> {
    let given = &dialog.given;
    let domains = [given.host.clone()];
    let tokens: Vec<_> = given
        .extra
        .iter()
        .filter(|(name, _)| name == "token")
        .filter_map(|(_, value)| value.split_once(':'))
        .map(|(user, token)| (user.to_owned(), token.to_owned()))
        .collect();
    let users = Users::plain(&given.users).with_tokens(&tokens);
    let bound = |name: &str| {
        let found = given.extra.iter().find(|(known, _)| known == name);
        found.and_then(|(_, value)| value.parse().ok())
    };
    let rules = Rules {
        quota: Quota {
            octets: bound("quota-octets"),
            messages: bound("quota-messages"),
        },
        ..Rules::default()
    };
    Store::open_with(folder, &domains, users, rules).map_err(|e| e.to_string())
}

/// Puts mail into an account's INBOX.
pub fn deliver(store: &Store, host: &str, delivery: &Delivery) -> Result<(), String> {
    let account = store
        .users()
        .find(&delivery.user, Some(host))
        .ok_or_else(|| format!("mail= for {}, who is no user", delivery.user))?;
    let mut spool = store.spool(&account).map_err(|e| format!("{e:?}"))?;
    spool.append(&delivery.text).map_err(|e| format!("{e:?}"))?;
    for result in store.deliver(spool, &[account]) {
        result.map_err(|e| format!("{e:?}"))?;
    }
    Ok(())
}

/// A folder in memory where there is one: a dialogue is played some hundred times.
pub fn folder() -> Result<TempDir, String> {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.map_err(|e| format!("no temporary folder: {e}"))
}

/// The service, with what the dialogue's `fault:` lines have go wrong.
fn faulty(dialog: &Dialog, service: Box<dyn Service>) -> Result<Box<dyn Service>, String> {
    if dialog.given.faults.is_empty() {
        return Ok(service);
    }
    let faults = Faults::default();
    for rule in &dialog.given.faults {
        if rule == "magic" {
            faults.allow_magic();
            continue;
        }
        let rule = rule.parse::<Rule>().map_err(|e| format!("fault: {e}"))?;
        faults.add(rule).map_err(|e| e.to_string())?;
    }
    Ok(Box::new(FaultyService::new(
        service.into(),
        Arc::new(faults),
    )))
}

/// What answers in a dialogue of this protocol.
fn service(dialog: &Dialog, store: &Arc<Store>) -> Result<Box<dyn Service>, String> {
    let given = &dialog.given;
    let start_tls = if given.tls {
        StartTls::Offered
    } else {
        StartTls::Unavailable
    };
    match dialog.protocol {
        Protocol::Smtp => {
            let mode = match given.mode.as_str() {
                "mta" => smtp::server::Mode::Mta,
                "submission" => smtp::server::Mode::Submission,
                "lmtp" => smtp::server::Mode::Lmtp,
                other => return Err(format!("mode={other}: there are mta, submission, lmtp")),
            };
            let mut config = smtp::server::Config::new(&given.host, &given.host, mode);
            config.start_tls = start_tls;
            smtp_settings::apply(&mut config, &given.extra)?;
            let name = match given.mode.as_str() {
                "mta" => "smtp",
                "submission" => "submission",
                _ => "lmtp",
            };
            Ok(Box::new(SmtpService::new(
                name,
                Arc::new(config),
                Arc::clone(store),
            )))
        }
        Protocol::Pop3 => {
            let mut config = pop3::server::Config::new(&given.host, start_tls);
            pop3_settings(&mut config, &given.extra)?;
            let name = if given.secure { "pop3s" } else { "pop3" };
            Ok(Box::new(Pop3Service::new(
                name,
                Arc::new(config),
                Arc::clone(store),
            )))
        }
        Protocol::Imap => {
            // Of IMAP: `auth=NAME,NAME` as of POP3; what else there is, is the store's.
            let auth = given.extra.iter().find(|(name, _)| name == "auth");
            let mechanisms = match auth {
                Some((_, names)) => names.split(',').map(str::parse).collect::<Result<_, _>>()?,
                None => Mechanism::ALL.to_vec(),
            };
            let config = imap::server::Config {
                hostname: given.host.clone(),
                start_tls,
                door: Arc::new(Door::new(Plaintext::Loopback, mechanisms)),
            };
            let name = if given.secure { "imaps" } else { "imap" };
            Ok(Box::new(ImapService::new(
                name,
                Arc::new(config),
                Arc::clone(store),
            )))
        }
    }
}

/// What a dialogue of POP3 can ask of its server, `x-NAME=VALUE`:
///
/// | setting | meaning |
/// |---|---|
/// | `auth=NAME,NAME` | the mechanisms that are offered, at most |
/// | `plaintext=anywhere` | passwords are taken without TLS from anywhere |
/// | `login-delay=SECONDS` | the time between two logins of one account |
/// | `lang=fr` | the language that `LANG *` means, and that it begins with |
/// | `token=USER:TOKEN` | a token that stands for a password |
fn pop3_settings(
    config: &mut pop3::server::Config,
    settings: &[(String, String)],
) -> Result<(), String> {
    let mut plaintext = Plaintext::Loopback;
    let mut mechanisms = Mechanism::ALL.to_vec();
    for (name, value) in settings {
        match (name.as_str(), value.as_str()) {
            ("auth", _) => {
                mechanisms = value.split(',').map(str::parse).collect::<Result<_, _>>()?;
            }
            ("plaintext", "anywhere") => plaintext = Plaintext::Anywhere,
            ("login-delay", _) => {
                let seconds = value.parse().map_err(|_| format!("x-{name}={value}"))?;
                config.login_delay = Arc::new(LoginDelay::new(Duration::from_secs(seconds)));
            }
            ("lang", _) => config.lang = Lang::of_locale(value),
            // The store's.
            ("token", _) => {}
            _ => return Err(format!("x-{name}={value} is not known")),
        }
    }
    config.door = Arc::new(Door::new(plaintext, mechanisms));
    Ok(())
}
