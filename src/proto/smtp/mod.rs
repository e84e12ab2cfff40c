//! SMTP, submission and LMTP: the sessions of both sides.
//!
//! | file | what |
//! |---|---|
//! | `terms` | what both clients share: protocol, login, stages, failures |
//! | [`server`] | the session that receives mail, in the three [`server::Mode`]s |
//! | [`client`] | the session that sends one message |
//! | [`dispatch`] | which queued message goes where, and when |
//! | [`relay`] | the session that sends any number of messages over one connection |
//! | here | the slow work of the server, and the service that listens |

pub mod client;
pub mod dispatch;
pub mod relay;
pub mod server;
mod terms;

use std::io;
use std::sync::Arc;

use crate::proto::{Peer, Service, Session};
use crate::store::{Account, AuthError, Durable, Extent, Replies, Spool, Store, StoreError, Told};
use crate::wire::dots::Stuffer;
use crate::wire::envelope::Envelope;
use crate::wire::sasl::{Credentials, Question};
use relay::{Nature, Stuffed};
use server::{Config, Server};

/// Slow work that a session asks for.
pub enum Job {
    /// Is this the password? Hashing takes milliseconds.
    Verify(Credentials),
    /// What else a login asks of the store.
    Ask(Question),
    /// Does this domain take mail? The loop's resolver answers; where there is none, it does.
    Find(String),
    /// A message goes on: this is its next part.
    Append(Part),
    /// A message is whole: this is its last part, and what it is called.
    Deliver(Part, String),
    /// What is the message that is to be relayed made of?
    Look(Extent),
    /// The next block of it as dot-text, from so many octets on.
    Stuff(Extent, u64, Stuffer),
}

/// What the DNS says of a sender's domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SenderDomain {
    /// It takes mail.
    TakesMail,
    /// It says that it takes none (RFC 7505).
    NullMx,
    /// There is no such domain.
    Absent,
    /// That cannot be found out now: why.
    Unknown(String),
}

/// A part of a message on its way to the disk.
pub struct Part {
    /// Where the parts before went; `None` for the first.
    pub spool: Option<Spool>,
    /// Who sends it to whom, and how.
    pub envelope: Arc<Envelope>,
    /// How many replies its sender gets.
    pub replies: Replies,
    /// The text, with CRLF line ends.
    pub text: Vec<u8>,
}

/// What a job brought.
#[derive(Debug)]
pub enum Answer {
    /// Of [`Job::Verify`].
    Verified(Result<Account, AuthError>),
    /// Of [`Job::Ask`].
    Told(Told),
    /// Of [`Job::Find`].
    Found(SenderDomain),
    /// Of [`Job::Append`]; the emptied buffer comes back to be filled again.
    Appended(Result<Spool, StoreError>, Vec<u8>),
    /// Of [`Job::Deliver`]: one for each recipient, in their order.
    Delivered(Vec<Result<Durable, StoreError>>),
    /// Of [`Job::Look`].
    Looked(io::Result<Nature>),
    /// Of [`Job::Stuff`].
    Stuffed(io::Result<Stuffed>),
}

impl Job {
    /// Whether it takes the processor more than the disk: passwords are hashed.
    pub const fn is_login(&self) -> bool {
        matches!(self, Self::Verify(_) | Self::Ask(_))
    }

    /// Does the work, on a pool thread.
    pub fn run(self, store: &Store) -> Answer {
        match self {
            Self::Verify(credentials) => Answer::Verified(store.users().verify(&credentials)),
            Self::Ask(question) => Answer::Told(store.users().tell(&question)),
            Self::Find(_) => Answer::Found(SenderDomain::TakesMail),
            Self::Append(mut part) => {
                let spool = part.write(store);
                part.text.clear();
                Answer::Appended(spool, part.text)
            }
            Self::Look(text) => Answer::Looked(Nature::of_file(&text)),
            Self::Stuff(text, from, stuffer) => {
                Answer::Stuffed(Stuffed::read(&text, from, stuffer))
            }
            Self::Deliver(part, id) => Answer::Delivered(deliver(part, &id, store)),
        }
    }
}

impl Part {
    fn write(&mut self, store: &Store) -> Result<Spool, StoreError> {
        let mut spool = match self.spool.take() {
            Some(spool) => spool,
            None => store.draft(&self.envelope, self.replies)?,
        };
        spool.append(&self.text)?;
        Ok(spool)
    }
}

fn deliver(mut part: Part, id: &str, store: &Store) -> Vec<Result<Durable, StoreError>> {
    if part.spool.is_none() {
        return store.accept_whole(&part.envelope, part.replies, &part.text, id);
    }
    match part.write(store) {
        Ok(spool) => store.accept(spool, Arc::unwrap_or_clone(part.envelope), id),
        Err(error) => {
            let recipients = part.envelope.recipients.iter();
            recipients.map(|_| Err(error.again())).collect()
        }
    }
}

/// What answers on the ports of SMTP, submission and LMTP.
pub struct SmtpService {
    name: &'static str,
    config: Arc<Config>,
    store: Arc<Store>,
}

impl SmtpService {
    /// `name` is what logs call it: `smtp`, `submission`, `smtps`, `lmtp`. The last two are, as to the dialogue,
    /// submission and LMTP.
    pub fn new(name: &'static str, config: Arc<Config>, store: Arc<Store>) -> Self {
        Self {
            name,
            config,
            store,
        }
    }
}

impl Service for SmtpService {
    fn name(&self) -> &'static str {
        self.name
    }

    fn reads_header(&self) -> bool {
        true
    }

    fn session(&self, peer: Peer) -> Box<dyn Session> {
        Box::new(Server::new(
            Arc::clone(&self.config),
            Arc::clone(&self.store),
            peer,
        ))
    }
}
