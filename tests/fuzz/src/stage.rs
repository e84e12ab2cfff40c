//! The servers that are fuzzed: over a new store each time, so that an input does the same in each run.

use std::path::Path;
use std::sync::Arc;

use mailtool::proto::fault::{Faults, FaultyService};
use mailtool::proto::imap::ImapService;
use mailtool::proto::pop3::server::Pop3Service;
use mailtool::proto::smtp::SmtpService;
use mailtool::proto::smtp::server::Mode;
use mailtool::proto::{Service, StartTls, imap, pop3, smtp};
use mailtool::store::{Store, Users};
use mailtool::wire::fault::Rule;
use tempfile::TempDir;

use crate::conversation::Plan;

/// The host and its domain, in the dialogues too.
pub const HOST: &str = "mail.example.org";

/// A server and its store. Gone when dropped.
pub struct Stage {
    pub service: Box<dyn Service>,
    pub store: Arc<Store>,
    _folder: TempDir,
}

impl Stage {
    pub fn smtp(plan: Plan) -> Self {
        let (store, folder) = store();
        let mode = [Mode::Mta, Mode::Submission, Mode::Lmtp][plan.variant() % 3];
        let mut config = smtp::server::Config::new(HOST, HOST, mode);
        config.start_tls = start_tls(plan);
        let service = SmtpService::new("smtp", Arc::new(config), Arc::clone(&store));
        Self::new(Box::new(service), store, folder)
    }

    pub fn pop3(plan: Plan) -> Self {
        let (store, folder) = store();
        let config = pop3::server::Config::new(HOST, start_tls(plan));
        let service = Pop3Service::new("pop3", Arc::new(config), Arc::clone(&store));
        Self::new(Box::new(service), store, folder)
    }

    pub fn imap(plan: Plan) -> Self {
        let (store, folder) = store();
        let config = imap::server::Config {
            hostname: HOST.into(),
            start_tls: start_tls(plan),
            door: Arc::default(),
        };
        let service = ImapService::new("imap", Arc::new(config), Arc::clone(&store));
        Self::new(Box::new(service), store, folder)
    }

    fn new(service: Box<dyn Service>, store: Arc<Store>, folder: TempDir) -> Self {
        Self {
            service,
            store,
            _folder: folder,
        }
    }

    /// The same, with what goes wrong as the rules say.
    pub fn with_faults(self, rules: &[Rule]) -> Self {
        let faults = Faults::default();
        for rule in rules {
            // More than there can be are left out.
            let _ = faults.add(rule.clone());
        }
        let service = FaultyService::new(self.service.into(), Arc::new(faults));
        Self {
            service: Box::new(service),
            ..self
        }
    }

    /// Puts mail into the first account's INBOX.
    pub fn deliver(&self, text: &[u8]) {
        let account = self.store.users().find("alice", Some(HOST)).expect("alice");
        let mut spool = self.store.spool(&account).expect("a spool");
        spool.append(text).expect("room");
        for result in self.store.deliver(spool, &[account]) {
            result.expect("delivered");
        }
    }
}

const fn start_tls(plan: Plan) -> StartTls {
    if plan.tls() {
        StartTls::Offered
    } else {
        StartTls::Unavailable
    }
}

/// A folder in memory where there is one.
pub fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a temporary folder")
}

fn store() -> (Arc<Store>, TempDir) {
    let folder = folder();
    let accounts = [("alice", "secret"), ("bob", "secret")]
        .map(|(name, password)| (name.to_owned(), password.to_owned()));
    let store = Store::open(folder.path(), &[HOST.to_owned()], Users::plain(&accounts))
        .expect("a new store");
    (Arc::new(store), folder)
}
