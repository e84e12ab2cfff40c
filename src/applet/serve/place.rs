//! Which store the commands beside the server mean, and whose mail is in it: options that they have in common.

use std::path::PathBuf;

use clap::Args;

use super::options::{Domain, Options, SystemUsers};

/// A store, and how it is told.
#[derive(Args)]
pub(super) struct Place {
    /// Folder of the server's store [default: the user's state folder]
    #[arg(long, value_name = "DIR", env = "MAILTOOL_STORE", global = true)]
    store: Option<PathBuf>,
    /// Read further options from a TOML file, as the server does
    #[arg(long, value_name = "FILE.toml", env = "MAILTOOL_CONFIG", global = true)]
    config: Option<PathBuf>,
}

impl Place {
    /// What finds the store.
    pub(super) fn options(&self) -> anyhow::Result<Options> {
        self.stated().complete()
    }

    fn stated(&self) -> Options {
        Options {
            store: self.store.clone(),
            config: self.config.clone(),
            ..Options::default()
        }
    }
}

/// A store, and who has mail in it.
#[derive(Args)]
pub(super) struct Accounts {
    #[command(flatten)]
    place: Place,
    /// Accounts in a passwd-file [default: STORE/users, or else alice and bob]
    #[arg(long, value_name = "FILE", env = "MAILTOOL_USERS", global = true)]
    users: Option<PathBuf>,
    /// Domain whose mail is delivered here; accounts without a domain belong to the first [default: localhost]
    #[arg(
        long,
        value_name = "NAME",
        env = "MAILTOOL_DOMAIN",
        value_delimiter = ',',
        global = true
    )]
    domain: Vec<Domain>,
}

impl Accounts {
    /// What finds the store and those who have mail in it: perhaps the users of this machine.
    pub(super) fn options(&self, system: SystemUsers) -> anyhow::Result<Options> {
        let options = Options {
            users: self.users.clone(),
            domain: self.domain.clone(),
            system,
            ..self.place.stated()
        };
        options.complete()
    }
}
