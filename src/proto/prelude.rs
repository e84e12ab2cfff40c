//! What must be said on a connection before what it is for begins: to a proxy, or to a mail server before TLS.
//!
//! A [`Prelude`] does no I/O. Whoever drives it does this, and hands on what it left over:
//!
//! | step | |
//! |---|---|
//! | 1 | [`Prelude::begin`], and send what it appended |
//! | 2 | read, [`Prelude::hear`] with what came, and send what it appended |
//! | 3 | [`Heard::More`]: step 2. [`Heard::Done`]: octets from `used` on belong to what follows. [`Heard::Again`]: dial anew, step 1 with the same machine |
//! | | the peer ended instead: [`Prelude::ended`] has the words |
//!
//! What was appended is sent whatever came of the call, an error too: it may be a goodbye.

use std::fmt;

/// Words that must be exchanged on a connection before what it is for begins.
pub trait Prelude {
    /// Appends what is to be said first (may be nothing).
    fn begin(&mut self, out: &mut Vec<u8>);
    /// Takes what arrived (only octets not seen before), appends what is to be said next.
    fn hear(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Result<Heard, PreludeError>;
    /// Takes a user name and a password, where it ended [for want of them](PreludeError::for_want_of_login) and is about to be said anew.
    fn log_in(&mut self, _user: String, _password: String) -> Result<(), PreludeError> {
        Ok(())
    }
    /// How far a SOCKS 5 proxy has come; of any other there is nothing to tell.
    fn socks(&self) -> Option<SocksProgress> {
        None
    }
    /// The peer has closed the connection before the prelude was done: what that means, in words.
    fn ended(&self) -> PreludeError {
        PreludeError::new("the other side closed the connection before it was ready")
    }
}

/// How far a SOCKS 5 proxy has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocksProgress {
    /// Whether it wants a user name and a password; it has not said that yet, or cannot do without another way, where it is `None`.
    pub wants_password: Option<bool>,
    /// Whether it was asked for the host.
    pub asked: bool,
}

/// What came of [`Prelude::hear`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// More has to come.
    More,
    /// Done: the first `used` octets of this call's were the prelude's; the rest belongs to what follows.
    Done {
        /// How many of the octets of this call were the prelude's.
        used: usize,
    },
    /// The peer wants it said anew on a new connection (HTTP 407 with Connection: close).
    Again,
}

/// What the peer refused, in words: by whom, what, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreludeError {
    words: String,
    netcat: Option<String>,
    ncat: Option<String>,
    wants_login: bool,
}

impl PreludeError {
    /// In our words.
    pub fn new(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            netcat: None,
            ncat: None,
            wants_login: false,
        }
    }

    /// It is for want of a user name and a password: said anew with them ([`Prelude::log_in`]), on a new connection, it may go well.
    pub fn for_want_of_login(self) -> Self {
        Self {
            wants_login: true,
            ..self
        }
    }

    /// See [`PreludeError::for_want_of_login`].
    pub const fn wants_login(&self) -> bool {
        self.wants_login
    }

    /// Adds what OpenBSD's nc prints after `nc: ` in the same case, which scripts look for.
    pub fn in_netcat(self, words: impl Into<String>) -> Self {
        Self {
            netcat: Some(words.into()),
            ..self
        }
    }

    /// The same for Nmap's ncat, after `Ncat: `.
    pub fn in_ncat(self, words: impl Into<String>) -> Self {
        Self {
            ncat: Some(words.into()),
            ..self
        }
    }

    /// What ncat prints after `Ncat: ` in the same case; our words where it has none.
    pub fn ncat(&self) -> &str {
        self.ncat.as_deref().unwrap_or(&self.words)
    }

    /// What OpenBSD's nc prints after `nc: ` in the same case; our words where it has none.
    ///
    /// ```
    /// use mailtool::proto::prelude::PreludeError;
    ///
    /// let error = PreludeError::new("the proxy says that port 25 refused the connection")
    ///     .in_netcat("connection failed, SOCKSv5 error: Connection refused");
    /// assert_eq!(error.to_string(), "the proxy says that port 25 refused the connection");
    /// assert_eq!(error.netcat(), "connection failed, SOCKSv5 error: Connection refused");
    /// ```
    pub fn netcat(&self) -> &str {
        self.netcat.as_deref().unwrap_or(&self.words)
    }
}

impl fmt::Display for PreludeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.words)
    }
}

impl std::error::Error for PreludeError {}
