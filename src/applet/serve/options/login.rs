//! Options that say who may log in how, whatever the protocol.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, anyhow};

use super::Endpoint;
use super::time::Time;
use crate::applet::serve::protocols::Protocol;
use crate::proto::login::{Door, Plaintext};
use crate::proto::pop3::server::LoginDelay;
use crate::wire::sasl::Mechanism;

/// The part of the options that makes a [`Door`].
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::applet::serve) struct LoginOptions {
    /// Take passwords without TLS from other computers too: whoever can listen on the network learns them
    #[arg(long, env = "MAILTOOL_ALLOW_PLAINTEXT", value_parser = clap::builder::FalseyValueParser::new(), help_heading = LOGIN)]
    allow_plaintext: bool,
    /// Mechanisms to offer, of those that all accounts can log in with; without PLAIN and LOGIN, POP3 has no USER either [default: all]
    #[arg(long, value_name = "NAME", env = "MAILTOOL_AUTH", value_delimiter = ',', help_heading = LOGIN)]
    auth: Vec<Mechanism>,
    /// A token that stands for a user's password (OAUTHBEARER, XOAUTH2)
    #[arg(long, value_name = "USER:TOKEN", env = "MAILTOOL_TOKEN", hide_env_values = true, value_delimiter = ',', help_heading = LOGIN)]
    token: Vec<Token>,
    /// Such tokens in a file, one a line
    #[arg(long, value_name = "FILE", env = "MAILTOOL_TOKENS", help_heading = LOGIN)]
    tokens: Option<PathBuf>,
    /// Time between two logins of an account by POP3; clients are told [default: none]
    #[arg(long, value_name = "TIME", env = "MAILTOOL_LOGIN_DELAY", help_heading = LOGIN)]
    login_delay: Option<Time>,
}

const LOGIN: &str = "Logging in";

/// Accounts that are the machine's.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub(in crate::applet::serve) struct SystemUsers {
    /// Accounts are the users of this machine (/etc/passwd, /etc/shadow), with mail in ~/Maildir; needs root
    #[arg(long, env = "MAILTOOL_SYSTEM_USERS", value_parser = clap::builder::FalseyValueParser::new(), conflicts_with_all = ["users", "user"], help_heading = super::MAIL)]
    pub(in crate::applet::serve) system_users: bool,
}

impl LoginOptions {
    /// The policy, for all listeners together.
    pub(in crate::applet::serve) fn door(&self) -> Door {
        let plaintext = match self.allow_plaintext {
            true => Plaintext::Anywhere,
            false => Plaintext::Loopback,
        };
        let mechanisms = match self.auth.is_empty() {
            true => Mechanism::ALL.to_vec(),
            false => self.auth.clone(),
        };
        Door::new(plaintext, mechanisms)
    }

    /// What to warn of, when others than this computer reach `endpoints`.
    pub(in crate::applet::serve) fn warning(
        &self,
        endpoints: &[(Protocol, Endpoint)],
    ) -> Option<String> {
        let (name, address) = reached(endpoints).filter(|_| self.allow_plaintext)?;
        Some(format!(
            "--allow-plaintext: {name} on {address} takes passwords that everybody on the way can read"
        ))
    }

    /// Whether others than this computer reach `endpoints`, and have to begin TLS before they log in.
    pub(in crate::applet::serve) fn wants_tls(&self, endpoints: &[(Protocol, Endpoint)]) -> bool {
        !self.allow_plaintext && reached(endpoints).is_some()
    }

    /// How often an account may log in by POP3, for all listeners together.
    pub(in crate::applet::serve) fn delay(&self) -> LoginDelay {
        let seconds = self.login_delay.map_or(0, |time| time.0.unsigned_abs());
        LoginDelay::new(Duration::from_secs(seconds))
    }

    /// All tokens, with whose they are. Reads the file.
    pub(in crate::applet::serve) fn tokens(&self) -> anyhow::Result<Vec<(String, String)>> {
        let mut tokens: Vec<_> = self
            .token
            .iter()
            .map(|token| (token.user.clone(), token.token.clone()))
            .collect();
        if let Some(path) = &self.tokens {
            let tried = || format!("--tokens {}: cannot be used", path.display());
            let text = std::fs::read_to_string(path).with_context(tried)?;
            for (line, number) in text.lines().zip(1..) {
                if line.trim().is_empty() || line.starts_with('#') {
                    continue;
                }
                let token = line.trim_end().parse::<Token>();
                let token = token
                    .map_err(|why| anyhow!("line {number}: {why}"))
                    .with_context(tried)?;
                tokens.push((token.user, token.token));
            }
        }
        Ok(tokens)
    }
}

/// `alice:ya29.a0Af`. Not shown when printed for debugging.
#[derive(Clone)]
struct Token {
    user: String,
    token: String,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Token({:?}, ********)", self.user)
    }
}

impl FromStr for Token {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some((user, token)) if !user.is_empty() && !token.is_empty() => Ok(Self {
                user: user.to_owned(),
                token: token.to_owned(),
            }),
            _ => Err("give USER:TOKEN"),
        }
    }
}

/// Where others than this computer may begin in the clear.
fn reached(endpoints: &[(Protocol, Endpoint)]) -> Option<(&'static str, SocketAddr)> {
    endpoints
        .iter()
        .find_map(|(protocol, endpoint)| match endpoint {
            Endpoint::Tcp(address)
                if !address.ip().is_loopback() && !protocol.is_implicit_tls() =>
            {
                Some((protocol.name(), *address))
            }
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::super::of_file;
    use super::*;
    use crate::proto::login::Origin;
    use crate::wire::sasl::Means;

    #[test]
    fn a_file_says_what_the_command_line_can() {
        let options = of_file(
            "allow-plaintext = true\nauth = ['plain', 'SCRAM-SHA-256']\ntoken = 'alice:t0ken'\nlogin-delay = 3\n",
        )
        .expect("understood");
        let login = &options.login;
        let means = Means {
            passwords: true,
            cram: true,
            keys: true,
            tokens: true,
        };
        let afar = Origin::at("192.0.2.7".parse().expect("an address"));
        assert!(login.door().is_open(false, afar));
        assert!(!LoginOptions::default().door().is_open(false, afar));
        let offered: Vec<_> = login.door().mechanisms(means, None).collect();
        assert_eq!(offered, [Mechanism::ScramSha256, Mechanism::Plain]);
        assert!(format!("{:?}", login.delay()).contains("delay: 3s"));
        assert_eq!(
            login.tokens().unwrap(),
            [("alice".to_owned(), "t0ken".to_owned())]
        );
        assert!(!format!("{options:?}").contains("t0ken"));
        let listens = |address: &str| {
            let endpoint = Endpoint::Tcp(address.parse().expect("an address"));
            login.warning(&[(Protocol::Pop3, endpoint)])
        };
        assert_eq!(listens("127.0.0.1:1110"), None);
        let warning = listens("0.0.0.0:1110").expect("a warning");
        assert!(warning.contains("pop3 on 0.0.0.0:1110"), "{warning}");
        for (text, why) in [
            ("token = 'alice'", "USER:TOKEN"),
            ("auth = 'NTLM'", "SCRAM-SHA-256, CRAM-MD5"),
        ] {
            let error = format!("{:#}", of_file(text).expect_err(text));
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn tokens_come_from_a_file_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tokens");
        std::fs::write(&path, "# whose\n\nalice:one\nbob:two:three\n").expect("written");
        let login = LoginOptions {
            tokens: Some(path.clone()),
            ..LoginOptions::default()
        };
        let tokens = login.tokens().expect("read");
        assert_eq!(tokens[1], ("bob".to_owned(), "two:three".to_owned()));
        std::fs::write(&path, "alice\n").expect("written");
        let error = format!("{:#}", login.tokens().expect_err("no token"));
        assert!(error.contains("line 1: give USER:TOKEN"), "{error}");
    }
}
