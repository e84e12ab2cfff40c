//! What the clients of SMTP share: how to talk and log in, where in the dialogue they are, and why a message was not sent.

use std::fmt;
use std::io;

use crate::proto::client::{Failure as DialogueFailure, GREETING};
use crate::wire::sasl_client::{Exchange, Fault, Mechanism, Privacy};
use crate::wire::smtp::Reply;

/// Name and password. The password is not shown when printed for debugging.
#[derive(Clone)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password, in the clear.
    pub password: String,
    /// Printable, without commas, never used before: for SCRAM, which is not tried without.
    pub nonce: String,
    /// What the password is.
    pub with: With,
}

/// With what somebody logs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum With {
    /// A password.
    #[default]
    Password,
    /// A token (RFC 7628): OAUTHBEARER and XOAUTH2 only.
    Token,
    /// With what this mechanism needs, and no other is tried.
    Mechanism(Mechanism),
}

impl Login {
    /// The best mechanism of those that are offered.
    pub(super) fn mechanism(&self, offered: &str, privacy: Privacy) -> Option<Mechanism> {
        let is_offered = |mechanism: &Mechanism| mechanism.is_among(offered);
        if let With::Mechanism(mechanism) = self.with {
            let may = privacy == Privacy::Private || !mechanism.shows_password();
            return Some(mechanism).filter(|mechanism| may && is_offered(mechanism));
        }
        if self.with == With::Token {
            // RFC 7628 §3.1: whoever hears a token has it.
            return match privacy {
                Privacy::Private => Mechanism::TOKENS.into_iter().find(is_offered),
                Privacy::Public => None,
            };
        }
        let able = |word: &&str| {
            !self.nonce.is_empty() || !Mechanism::named(word).is_some_and(Mechanism::is_scram)
        };
        let able: Vec<_> = offered.split_ascii_whitespace().filter(able).collect();
        Mechanism::best(&able.join(" "), privacy)
    }

    pub(super) fn begin(
        &self,
        mechanism: Mechanism,
        end_point: &[u8],
    ) -> (Exchange, Option<String>) {
        Exchange::bound(
            mechanism,
            &self.user,
            &self.password,
            &self.nonce,
            end_point,
        )
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Login({:?}, ********)", self.user)
    }
}

/// Which protocol is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// RFC 5321
    Smtp,
    /// RFC 2033
    Lmtp,
}

/// Why a message was not sent.
#[derive(Debug)]
pub enum Failure {
    /// The server refused a command, or the message.
    Refused {
        /// Which.
        stage: Stage,
        /// How.
        reply: Reply,
    },
    /// A login is wanted, and the server offers no way that is known here: what it offers.
    NoMechanism(String),
    /// What was asked for needs an extension that the server does not have: its keyword.
    NotOffered(&'static str),
    /// The login could not come to its end.
    Sasl(Fault),
    /// The message cannot be given to this server as it is: why, in the words of a reply.
    Unfit(Reply),
    /// The message could not be read here.
    Text(io::Error),
    /// What can go wrong with any server.
    Dialogue(DialogueFailure),
}

/// Where in the dialogue it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The server's first reply.
    Greeting,
    /// EHLO and HELO, or LHLO
    Hello(Protocol),
    /// STARTTLS
    StartTls,
    /// XCLIENT
    Xclient,
    /// AUTH
    Auth,
    /// MAIL
    Mail,
    /// RCPT
    Rcpt,
    /// DATA
    Data,
    /// The end of the message.
    Text,
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Greeting => GREETING,
            Self::Hello(Protocol::Smtp) => "EHLO",
            Self::Hello(Protocol::Lmtp) => "LHLO",
            Self::StartTls => "STARTTLS",
            Self::Xclient => "XCLIENT",
            Self::Auth => "AUTH",
            Self::Mail => "MAIL FROM",
            Self::Rcpt => "RCPT TO",
            Self::Data => "DATA",
            Self::Text => "the message",
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { stage, reply } => {
                write!(formatter, "the server refused {stage}: {reply}")
            }
            Self::NoMechanism(offered) if offered.is_empty() => formatter.write_str(
                "the server offers no login here; leave --user away, or try its submission port",
            ),
            Self::NoMechanism(offered) => write!(
                formatter,
                "the server offers login with {offered} only; SCRAM-SHA-256, PLAIN, LOGIN and CRAM-MD5 are known here"
            ),
            Self::NotOffered(keyword) => {
                write!(formatter, "the server does not offer {keyword}")
            }
            Self::Sasl(fault) => write!(formatter, "login failed: {fault}"),
            Self::Unfit(reply) => {
                write!(formatter, "the server cannot be given the message: {reply}")
            }
            Self::Text(error) => write!(formatter, "the message cannot be read: {error}"),
            Self::Dialogue(failure) => failure.fmt(formatter),
        }
    }
}

impl std::error::Error for Failure {}

impl From<DialogueFailure> for Failure {
    fn from(failure: DialogueFailure) -> Self {
        Self::Dialogue(failure)
    }
}
