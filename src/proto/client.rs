//! What the client sessions have in common: what they are told to do about TLS and login, and how they fail.
//!
//! A client session does one errand and closes. It fails with a [`Failure`]; several may be met on the way (one for each
//! message that is not there), and all are kept, so that nobody is told half of what went wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::time::Duration;

use crate::wire::mbox::Marks;

/// Who logs in, and how.
#[derive(Clone)]
pub struct Plan {
    /// What to do about STARTTLS. [`Upgrade::Never`] when TLS is there from the first byte.
    pub upgrade: Upgrade,
    /// The name to log in with.
    pub user: String,
    /// The password, in the clear. Never shown.
    pub password: String,
    /// How long the server may be silent.
    pub patience: Duration,
}

/// What to do about STARTTLS (STLS in POP3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// Stay as it is.
    Never,
    /// Upgrade where that is offered. SMTP only, and only where there is no password to lose: to the other protocols it
    /// is the same as [`Self::Required`].
    IfOffered,
    /// Upgrade, or fail before the password is sent.
    Required,
}

/// Why an errand was not done. By whose fault, and so what a user can do about it.
#[derive(Debug)]
pub enum Failure {
    /// The server does not want to talk at all.
    Refused(Refusal),
    /// TLS is required, and the server has none.
    NoTls,
    /// TLS was not asked for, and without it the server takes no password.
    TlsFirst,
    /// The name or the password is wrong, or login is refused for now.
    Login(Refusal),
    /// The answer is no: there is no such message or mailbox.
    Negative(Refusal),
    /// A command was refused, for a reason of the server's own.
    Command(Refusal),
    /// The server did not understand what the user wanted said: the words of a search, or a section.
    Misunderstood(Refusal),
    /// The server said what the protocol has no room for.
    Protocol {
        /// What it was an answer to.
        step: String,
        /// What it said, or what is wrong with it.
        said: String,
    },
    /// The server said nothing for as long as it was given.
    Silent {
        /// What it should have answered.
        step: String,
    },
    /// The server closed the connection, or it broke.
    Lost {
        /// What it should have answered.
        step: String,
    },
    /// Something that was given cannot be said in this protocol: what, and why.
    Unsendable(&'static str),
    /// What came could not be written where the user wanted it.
    Sink(io::Error),
}

/// Where what was asked for goes.
///
/// Text is written as it comes. Of messages, the sink is told where each ends: what is done to one at the server because it is here is
/// done only after [`Self::ended`] said that it is.
pub trait Sink: io::Write {
    /// The message whose text was written since the last call is whole, or its line in a list. An error ends the session.
    fn ended(&mut self, _about: &About<'_>) -> io::Result<()> {
        Ok(())
    }

    /// What comes next is of this mailbox, in which these UIDs are, with their flags: those that are lacking here. IMAP only.
    fn opened(
        &mut self,
        _mailbox: &Place<'_>,
        there: &BTreeMap<u32, Marks>,
    ) -> io::Result<BTreeSet<u32>> {
        Ok(there.keys().copied().collect())
    }
}

impl Sink for Vec<u8> {}
impl Sink for &mut [u8] {}

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// As people write it.
    pub mailbox: &'a str,
    /// Between the levels of its name, if there are any.
    pub delimiter: Option<char>,
    /// UIDs mean the same messages as long as this is the same (RFC 3501 §2.3.1.1).
    pub validity: u32,
    /// How many messages are in it, as the server counts them.
    pub messages: u32,
}

/// What is known of a message that has come. Empty is what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About<'a> {
    /// What the server calls it for good: the UID of IMAP, the unique id of POP3.
    pub id: &'a str,
    /// `\\Seen` and its like, with spaces between them.
    pub flags: &'a str,
    /// When it came, as IMAP writes it.
    pub date: &'a str,
    /// Who wrote it.
    pub sender: &'a str,
    /// About what.
    pub subject: &'a str,
    /// Its octets.
    pub octets: u64,
}

/// A server's no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What it was an answer to: `RETR 3`.
    pub step: String,
    /// What it said.
    pub said: String,
    /// Whether the same may go well later.
    pub duration: Lasting,
}

/// Whether a refusal is for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// As far as is known.
    Permanent,
    /// The same may go well later.
    Temporary,
}

impl Refusal {
    /// A server's answer `said` to `step`.
    pub fn new(step: impl fmt::Display, said: &[u8], duration: Lasting) -> Self {
        Self {
            step: step.to_string(),
            said: String::from_utf8_lossy(said).into_owned(),
            duration,
        }
    }
}

impl Failure {
    /// The server's line `said`, which is no answer to `step`.
    pub fn protocol(step: impl fmt::Display, said: &[u8]) -> Self {
        const SHOWN: usize = 200;
        Self::Protocol {
            step: step.to_string(),
            said: String::from_utf8_lossy(&said[..said.len().min(SHOWN)]).into_owned(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(
                formatter,
                "the server refuses to talk: {}{}",
                refusal.said,
                later(refusal)
            ),
            Self::NoTls => formatter.write_str(
                "the server does not offer STARTTLS, and the password would cross the network in the clear: try --tls, \
                 or accept that with --no-starttls",
            ),
            Self::TlsFirst => formatter.write_str(
                "this server takes passwords over TLS only: add --starttls, or --tls and its port for that",
            ),
            Self::Login(refusal) => write!(
                formatter,
                "login refused: {}{}",
                refusal.said,
                match refusal.duration {
                    Lasting::Permanent => " (check the name and the password)",
                    Lasting::Temporary => later(refusal),
                }
            ),
            Self::Negative(refusal) | Self::Command(refusal) | Self::Misunderstood(refusal) => write!(
                formatter,
                "{}: {}{}",
                refusal.step,
                refusal.said,
                later(refusal)
            ),
            Self::Protocol { step, said } => write!(
                formatter,
                "{step}: the server answered what the protocol does not know: {said:?} (is it the right port?)"
            ),
            Self::Silent { step } => write!(
                formatter,
                "{step}: no answer in time; --timeout SECONDS waits longer"
            ),
            Self::Lost { step } => write!(
                formatter,
                "{step}: the server closed the connection instead of answering"
            ),
            Self::Unsendable(why) => formatter.write_str(why),
            Self::Sink(error) => write!(formatter, "writing what was received: {error}"),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Sink(error) => Some(error),
            _ => None,
        }
    }
}

/// What comes before anything is waited for.
pub const CONNECTING: &str = "connecting";

/// What is waited for first. A server that says nothing instead may be waiting for TLS.
pub const GREETING: &str = "the greeting";

const fn later(refusal: &Refusal) -> &'static str {
    match refusal.duration {
        Lasting::Permanent => "",
        Lasting::Temporary => " (later it may go)",
    }
}

/// Canned servers for the tests of client sessions.
#[cfg(test)]
pub(crate) mod canned {
    use std::time::{Duration, Instant};

    use super::{Plan, Upgrade};
    use crate::proto::{Front, Input, Out, Session, TlsInfo, Wish, pump};
    use crate::tap::Side;
    use crate::wire::lines::LineReader;

    /// What the server says, and what the client must answer to it.
    pub(crate) type Step<'a> = (&'a str, &'a str);

    /// The server ends the connection, or falls silent.
    pub(crate) const EOF: &str = "[eof]";
    pub(crate) const SILENCE: &str = "[silence]";

    /// Alice, who stays in the clear.
    pub(crate) fn alice() -> Plan {
        Plan {
            upgrade: Upgrade::Never,
            user: "alice".into(),
            password: "sec ret".into(),
            patience: Duration::from_secs(60),
        }
    }

    /// Plays `steps` against what `play` makes of a session: whole, octet by octet, and cut in two at every position.
    pub(crate) fn all_cuts(steps: &[Step<'_>], mut play: impl FnMut(&dyn Fn(&mut dyn Session))) {
        let longest = steps.iter().map(|step| step.0.len()).max().unwrap_or(0);
        for cut in 0..=longest {
            play(&|session| drive(session, steps, cut));
        }
    }

    /// `cut` 0: octet by octet.
    fn drive(session: &mut dyn Session, steps: &[Step<'_>], cut: usize) {
        let now = Instant::now();
        let mut reader = LineReader::new();
        let mut out = Out::new(Side::Client, now, None);
        session.handle(now, Input::Open, &mut out);
        for (server, client) in steps {
            match *server {
                EOF => session.handle(now, Input::Eof, &mut out),
                SILENCE => {
                    let due = session.deadline().expect("a client waits with a deadline");
                    session.handle(due, Input::Timeout, &mut out);
                }
                text if cut == 0 => {
                    for octet in text.as_bytes().chunks(1) {
                        feed(&mut reader, session, now, &mut out, octet);
                    }
                }
                text => {
                    let (before, after) = text.as_bytes().split_at(cut.min(text.len()));
                    feed(&mut reader, session, now, &mut out, before);
                    feed(&mut reader, session, now, &mut out, after);
                }
            }
            assert_eq!(said(&mut out), *client, "after {server:?}, cut at {cut}");
            if out.wish() == Some(Wish::StartTls) {
                out.take_wish();
                reader.reset();
                let tls = TlsInfo {
                    version: "TLSv1.3",
                    cipher: "TLS13_AES_256_GCM_SHA384",
                    ..TlsInfo::default()
                };
                session.handle(now, Input::TlsUp(tls), &mut out);
                pump(&mut reader, session, now, &mut out);
                assert!(!out.is_empty(), "a client speaks first after TLS");
            }
        }
        assert_eq!(out.wish(), Some(Wish::Close), "the errand is over");
    }

    /// Whatever a server says, in whatever pieces: the session ends when the server does, and says what was wrong.
    pub(crate) fn endure(session: &mut dyn Session, said: &[u8], piece: usize) {
        let now = Instant::now();
        let mut reader = LineReader::new();
        let mut out = Out::new(Side::Client, now, None);
        session.handle(now, Input::Open, &mut out);
        for bytes in said.chunks(piece.max(1)) {
            if out.wish().is_none() {
                feed(&mut reader, session, now, &mut out, bytes);
            }
            while let Some(Front::Bytes(bytes)) = out.front() {
                let octets = bytes.len();
                out.advance(octets);
            }
        }
        session.handle(now, Input::Eof, &mut out);
        assert!(out.wish().is_some(), "nothing is waited for after the end");
    }

    fn feed(
        reader: &mut LineReader,
        session: &mut dyn Session,
        now: Instant,
        out: &mut Out,
        mut bytes: &[u8],
    ) {
        while !bytes.is_empty() {
            let space = reader.space();
            let octets = space.len().min(bytes.len());
            assert!(octets > 0, "the session reads what it asked for");
            space[..octets].copy_from_slice(&bytes[..octets]);
            reader.filled(octets);
            bytes = &bytes[octets..];
            pump(reader, session, now, out);
        }
    }

    /// What it said since the last time.
    pub(crate) fn said(out: &mut Out) -> String {
        let mut said = Vec::new();
        while let Some(front) = out.front() {
            let Front::Bytes(bytes) = front else {
                panic!("clients in tests send from memory");
            };
            let octets = bytes.len();
            said.extend_from_slice(bytes);
            out.advance(octets);
        }
        String::from_utf8(said).expect("clients in tests speak UTF-8")
    }
}
