//! What a login proves without showing the password: keyed hashes, SCRAM's keys, tokens.
//!
//! Keeps what `users.rs` keeps: an unknown name is refused as a wrong password is, in the same time and with the same salt each
//! time that it is asked for; no token shows in `Debug`.

use std::fmt;
use std::num::NonZeroU32;

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;

use super::{Account, AuthError, Secret, Table, Users, same};
use crate::limits;
use crate::wire::sasl::{Means, Question, ScramKeys, apop_digest, cram_digest, decode};

/// What the table of users says to a [`Question`].
#[derive(Debug)]
pub enum Told {
    /// Whose proof it is, if it is one.
    Verdict(Result<Account, AuthError>),
    /// The keys that a proof is to be checked with, and what then holds. Of nobody when there is no such user.
    Keys(ScramKeys, Result<Account, AuthError>),
}

/// Who may come with which token.
#[derive(Default)]
pub(super) struct Tokens(Vec<(String, Box<[u8]>)>);

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} tokens", self.0.len())
    }
}

impl Users {
    /// Tokens that stand for a password (XOAUTH2, OAUTHBEARER): a user's name and a token; one user may have several.
    #[must_use]
    pub fn with_tokens(mut self, tokens: &[(String, String)]) -> Self {
        let tokens = tokens.iter();
        self.tokens = Tokens(
            tokens
                .map(|(name, token)| (name.clone(), token.as_bytes().into()))
                .collect(),
        );
        self
    }

    /// What all accounts that can log in can be checked by. Does not block.
    pub fn means(&self) -> Means {
        let tokens = !self.tokens.0.is_empty();
        // Those whom only development mode knows have their password shown.
        if self.anybody {
            return Means {
                tokens,
                ..Means::default()
            };
        }
        let table = self.table();
        // Asked for by each connection: looked for once.
        let means = *table.means.get_or_init(|| table.look_for_means());
        Means { tokens, ..means }
    }

    /// Answers what a login asks. Blocks: keys are made of a password in milliseconds.
    pub fn tell(&self, question: &Question) -> Told {
        match question {
            Question::Cram {
                name,
                challenge,
                digest,
            } => {
                let of = |secret: &Secret| match secret {
                    Secret::Plain(password) => Some(cram_digest(password, challenge.as_bytes())),
                    Secret::Cram(keys) => Some(keys.digest(challenge.as_bytes())),
                    _ => None,
                };
                let nobody = || cram_digest(&self.seed, challenge.as_bytes());
                Told::Verdict(self.digest(name, of, nobody, digest))
            }
            Question::Apop {
                name,
                timestamp,
                digest,
            } => {
                let of = |secret: &Secret| match secret {
                    Secret::Plain(password) => Some(apop_digest(timestamp.as_bytes(), password)),
                    _ => None,
                };
                let nobody = || apop_digest(timestamp.as_bytes(), &self.seed);
                Told::Verdict(self.digest(name, of, nobody, digest))
            }
            Question::Token { name, token } => Told::Verdict(self.token(name.as_deref(), token)),
            Question::Keys { name, authorize_as } => self.keys(name, authorize_as),
        }
    }

    /// Compares with the digest `of` the secret; where there is none, with that of `nobody`.
    fn digest(
        &self,
        name: &str,
        of: impl Fn(&Secret) -> Option<[u8; 16]>,
        nobody: impl Fn() -> [u8; 16],
        digest: &[u8; 16],
    ) -> Result<Account, AuthError> {
        let (table, place) = (self.table(), self.place());
        let name = place.account_name(name).and_then(|name| table.name(&name));
        let secret = name.as_ref().and_then(|name| table.secrets.get(name));
        let expected = secret.and_then(of);
        let proved = bool::from(expected.unwrap_or_else(nobody).ct_eq(digest));
        match name {
            Some(name) if proved && expected.is_some() => Ok(table.account(&place, &name)),
            _ => Err(AuthError::Credentials),
        }
    }

    fn token(&self, name: Option<&str>, token: &[u8]) -> Result<Account, AuthError> {
        if token.len() > limits::PASSWORD {
            return Err(AuthError::Credentials);
        }
        let (table, place) = (self.table(), self.place());
        let wanted = name.map(|name| place.account_name(name));
        let mut found = None;
        for (owner, known) in &self.tokens.0 {
            let owner = place.account_name(owner);
            let fits = wanted.as_ref().is_none_or(|wanted| *wanted == owner);
            if same(known, token) && fits {
                found = owner;
            }
        }
        let account = found.and_then(|name| table.name(&name));
        let account = account.ok_or(AuthError::Credentials)?;
        match table.has_ended(&account) {
            true => Err(AuthError::Expired),
            false => Ok(table.account(&place, &account)),
        }
    }

    fn keys(&self, name: &str, authorize_as: &str) -> Told {
        let (table, place) = (self.table(), self.place());
        let account = place.account_name(name).and_then(|name| table.name(&name));
        let secret = account.as_ref().and_then(|name| table.secrets.get(name));
        let salt_of = |name: &str| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &self.seed);
            hmac::sign(&key, name.as_bytes()).as_ref()[..16].to_vec()
        };
        match (account, secret) {
            (Some(account), Some(secret @ (Secret::Plain(_) | Secret::Scram(_)))) => {
                let keys = match secret {
                    Secret::Scram(keys) => keys.as_ref().clone(),
                    Secret::Plain(password) => {
                        ScramKeys::derive(password, salt_of(&account), OWN_ROUNDS)
                    }
                    _ => return self.nobody(&table, name, salt_of(name)),
                };
                let other = Some(authorize_as).filter(|other| !other.is_empty());
                let itself = other
                    .is_none_or(|other| place.account_name(other).as_deref() == Some(&*account));
                let verdict = match itself {
                    true => Ok(table.account(&place, &account)),
                    false => Err(AuthError::Identity),
                };
                Told::Keys(keys, verdict)
            }
            _ => self.nobody(&table, name, salt_of(&name.to_lowercase())),
        }
    }

    /// Keys that no proof fits, as those of the table's accounts look.
    fn nobody(&self, table: &Table, name: &str, salt: Vec<u8>) -> Told {
        let fits = |secret: &Secret| matches!(secret, Secret::Plain(_) | Secret::Scram(_));
        let keys = match table.stand_in(name, &self.seed, fits) {
            Some(Secret::Scram(keys)) => ScramKeys {
                salt,
                iterations: keys.iterations,
                stored_key: [0; 32],
                server_key: [0; 32],
            },
            _ => ScramKeys::derive(&seed(), salt, OWN_ROUNDS),
        };
        Told::Keys(keys, Err(AuthError::Credentials))
    }
}

impl Table {
    fn look_for_means(&self) -> Means {
        let secrets = || {
            let all = self.secrets.values();
            all.filter(|secret| !matches!(secret, Secret::Locked))
        };
        let some = secrets().next().is_some();
        let plain = |secret: &Secret| matches!(secret, Secret::Plain(_));
        let cram = |secret: &Secret| matches!(secret, Secret::Plain(_) | Secret::Cram(_));
        let keys = |secret: &Secret| matches!(secret, Secret::Plain(_) | Secret::Scram(_));
        Means {
            passwords: some && secrets().all(plain),
            cram: some && secrets().all(cram),
            keys: some && secrets().all(keys),
            tokens: false,
        }
    }
}

/// `4096,c2FsdA==,STORED,SERVER`: what `doveadm pw -s SCRAM-SHA-256` makes. Never says what was in it.
pub(super) fn parse_scram(value: &str) -> Result<ScramKeys, String> {
    let broken = "a broken SCRAM-SHA-256 secret: `4096,salt,storedkey,serverkey` would be right, the last three in base64";
    let fields: Vec<&str> = value.split(',').collect();
    let [rounds, salt, stored_key, server_key] = fields[..] else {
        return Err(broken.to_owned());
    };
    let iterations = rounds.parse::<NonZeroU32>().map_err(|_| broken)?;
    if iterations.get() > limits::SCRAM_ROUNDS {
        let most = limits::SCRAM_ROUNDS;
        return Err(format!(
            "{iterations} rounds are more than {most}: hash the password again"
        ));
    }
    let key = |text: &str| decode(text.as_bytes()).ok()?.try_into().ok();
    Ok(ScramKeys {
        salt: decode(salt.as_bytes()).map_err(|_| broken)?,
        iterations,
        stored_key: key(stored_key).ok_or(broken)?,
        server_key: key(server_key).ok_or(broken)?,
    })
}

/// Octets that nobody can foresee, from the system.
pub(super) fn seed() -> [u8; 16] {
    let mut seed = [0; 16];
    if SystemRandom::new().fill(&mut seed).is_err() {
        log::error!("the system has no random octets: salts can be foreseen");
    }
    seed
}

const OWN_ROUNDS: NonZeroU32 = match NonZeroU32::new(limits::SCRAM_OWN_ROUNDS) {
    Some(rounds) => rounds,
    None => NonZeroU32::MIN,
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const SCRAM: &str = "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

    fn users(text: &str) -> Users {
        let mut users = Users::new(
            Table::parse(text.as_bytes()).expect("a good table"),
            super::super::Source::Given,
        );
        let domains = ["mail.example".to_owned()];
        users
            .settle(Path::new("/mail"), &domains)
            .expect("good accounts");
        users
    }

    fn verdict(users: &Users, question: &Question) -> Result<String, AuthError> {
        match users.tell(question) {
            Told::Verdict(result) | Told::Keys(_, result) => {
                result.map(|account| account.name.to_string())
            }
        }
    }

    #[test]
    fn what_each_account_can_is_offered() {
        let means = |text: &str| {
            let means = users(text).means();
            (means.passwords, means.keys, means.tokens)
        };
        let hashed = "{CRAM-MD5}cd3ba7deaad6e5ca23448ba42e379747a9e0f7f1fbc00c8a81bbaac395731b56";
        let cram = users(&format!("a:{{PLAIN}}x\nb:{hashed}\n")).means();
        assert!(cram.cram && !cram.passwords && !cram.keys);
        assert_eq!(means("a:{PLAIN}x\nb:!\n"), (true, true, false));
        assert_eq!(
            means(&format!("a:{{PLAIN}}x\nb:{SCRAM}\n")),
            (false, true, false)
        );
        assert_eq!(
            means(&format!("a:{{PLAIN}}x\nb:$6$salt${}\n", "x".repeat(86))),
            (false, false, false)
        );
        assert_eq!(means("a:!\n"), (false, false, false));
        let mut anybody = users("a:{PLAIN}x\n");
        anybody.admit_anybody();
        assert!(!anybody.means().passwords && !anybody.means().keys);
    }

    #[test]
    fn a_scram_secret_takes_its_password_and_no_other() {
        let users = users(&format!("user:{SCRAM}\n"));
        let credentials = |password: &str| {
            crate::wire::sasl::Credentials::new("user".to_owned(), password.into())
        };
        assert!(users.verify(&credentials("pencil")).is_ok());
        assert_eq!(
            users.verify(&credentials("pencils")),
            Err(AuthError::Credentials)
        );
        let question = Question::Keys {
            name: "User@mail.example".to_owned(),
            authorize_as: String::new(),
        };
        let Told::Keys(keys, Ok(account)) = users.tell(&question) else {
            panic!("no keys");
        };
        assert_eq!((&*account.name, keys.salt[0]), ("user", 0x5b));
        assert!(parse_scram("4096,x").is_err() && parse_scram("0,eA==,eA==,eA==").is_err());
        assert!(
            parse_scram(&SCRAM[15..].replace("4096", "9000000"))
                .is_err_and(|why| why.contains("2000000"))
        );
    }

    #[test]
    fn keys_of_a_password_fit_it_and_nobody_has_some_too() {
        let users = users("alice:{PLAIN}secret\nlocked:!\n");
        let keys = |name: &str, authorize_as: &str| {
            let question = Question::Keys {
                name: name.to_owned(),
                authorize_as: authorize_as.to_owned(),
            };
            let Told::Keys(keys, verdict) = users.tell(&question) else {
                panic!("no keys");
            };
            (keys, verdict.map(|account| account.name.to_string()))
        };
        let (alice, verdict) = keys("alice", "");
        assert_eq!(verdict.as_deref(), Ok("alice"));
        assert_eq!(
            alice,
            ScramKeys::derive(b"secret", alice.salt.clone(), OWN_ROUNDS)
        );
        assert_eq!(
            keys("alice", "ALICE@mail.example").1.as_deref(),
            Ok("alice")
        );
        assert_eq!(keys("alice", "bob").1, Err(AuthError::Identity));
        for name in ["nobody", "locked", "bob@elsewhere.example"] {
            let (first, verdict) = keys(name, "");
            assert_eq!(verdict, Err(AuthError::Credentials));
            assert_eq!(first.salt, keys(name, "").0.salt, "the same salt again");
            assert_eq!(first.iterations, alice.iterations);
        }
    }

    #[test]
    fn hashes_and_tokens_are_of_whom_they_are() {
        let tokens = [
            ("alice".to_owned(), "t0ken".to_owned()),
            ("gone".to_owned(), "old".to_owned()),
        ];
        let users = users("alice:{PLAIN}secret\nbob:{PLAIN}secret\n").with_tokens(&tokens);
        let cram = |name: &str, password: &[u8]| {
            let challenge = "<1@mail.example>".to_owned();
            let digest = cram_digest(password, challenge.as_bytes());
            let name = name.to_owned();
            verdict(
                &users,
                &Question::Cram {
                    name,
                    challenge,
                    digest,
                },
            )
        };
        assert_eq!(cram("Alice", b"secret").as_deref(), Ok("alice"));
        assert_eq!(cram("alice", b"Secret"), Err(AuthError::Credentials));
        assert_eq!(cram("nobody", &users.seed), Err(AuthError::Credentials));
        let token = |name: Option<&str>, token: &str| {
            let name = name.map(str::to_owned);
            let token = token.as_bytes().to_vec();
            verdict(&users, &Question::Token { name, token })
        };
        assert_eq!(
            token(Some("alice@mail.example"), "t0ken").as_deref(),
            Ok("alice")
        );
        assert_eq!(token(None, "t0ken").as_deref(), Ok("alice"));
        for (name, wrong) in [
            (Some("bob"), "t0ken"),
            (Some("alice"), "t0ke"),
            (None, ""),
            (Some("gone"), "old"),
        ] {
            assert_eq!(token(name, wrong), Err(AuthError::Credentials));
        }
        assert!(users.means().tokens && !format!("{users:?}").contains("t0ken"));
    }
}
