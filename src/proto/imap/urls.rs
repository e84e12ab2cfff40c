//! Messages that IMAP URLs name (RFC 5092): what CATENATE puts into a message (RFC 4469), and what GENURLAUTH allows others to
//! fetch (RFC 4467).
//!
//! A URL is signed with the key of its mailbox: its token is HMAC-SHA256 over all that stands before it, so nothing in it can be
//! changed, and RESETKEY makes it void. Whatever is wrong with a URL to be fetched, the answer is NIL: who asks learns nothing about
//! mailboxes of others.

use std::fmt::Write;

use ring::hmac;

use crate::limits;
use crate::proto::imap::fetch::{Chunk, Piece, chunk};
use crate::proto::imap::message::{Depth, Message};
use crate::store::{Account, Extent, Spool, Store, StoreError};
use crate::wire::imap::fetch::{Partial, Section};
use crate::wire::imap::response;
use crate::wire::imap::rights::Rights;
use crate::wire::imap::url::{Access, Authorization, BadUrl, MessageUrl};

/// A message or a part of one, in a mailbox of somebody who may read it.
#[derive(Clone, Debug)]
pub struct Named {
    /// As it was written.
    pub url: String,
    mailbox: String,
    uid_validity: Option<u32>,
    uid: u32,
    section: Section,
    partial: Option<Partial>,
}

/// Why what a URL names cannot be had.
#[derive(Debug)]
pub enum Fault {
    /// There is no such thing: `BADURL`.
    BadUrl(String),
    /// All together is too large a message.
    TooBig,
    /// The store's.
    Store(StoreError),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Named {
    /// What a relative URL names in a session that has `selected` a mailbox.
    pub fn relative(url: &[u8], selected: Option<&str>) -> Result<Self, BadUrl> {
        let parsed = MessageUrl::parse(url)?;
        if parsed.server.is_some() || parsed.authorization.is_some() {
            // RFC 4469 §3
            return Err(BadUrl(
                "here a URL begins with the mailbox, as /INBOX/;UID=20 does",
            ));
        }
        let mailbox = parsed.mailbox_in(selected);
        let mailbox = mailbox.ok_or(BadUrl("it names no mailbox, and none is selected"))?;
        Ok(Self::new(url, mailbox, parsed))
    }

    fn new(url: &[u8], mailbox: String, parsed: MessageUrl) -> Self {
        Self {
            url: String::from_utf8_lossy(url).into_owned(),
            mailbox,
            uid_validity: parsed.uid_validity,
            uid: parsed.uid,
            section: parsed.section,
            partial: parsed.partial,
        }
    }

    /// Appends it to a message that may have so many octets at `most`.
    pub fn append_to(
        &self,
        spool: &mut Spool,
        most: u64,
        account: &Account,
        store: &Store,
    ) -> Result<(), Fault> {
        let Some(chunk) = self.read(account, store)? else {
            return Err(Fault::BadUrl(self.url.clone()));
        };
        let octets = match &chunk {
            Chunk::Octets(octets) => octets.len() as u64,
            Chunk::Extent(extent) => extent.octets(),
        };
        if spool.octets() + octets > most {
            return Err(Fault::TooBig);
        }
        match chunk {
            Chunk::Octets(octets) => spool.append(&octets)?,
            Chunk::Extent(extent) => append_extent(spool, &extent)?,
        }
        Ok(())
    }

    /// What it is; `None` when there is no such thing.
    fn read(&self, account: &Account, store: &Store) -> Result<Option<Chunk>, StoreError> {
        let (mailbox, _) = match store.reach(account, &self.mailbox, Rights::READ) {
            Err(
                StoreError::NoSuchMailbox | StoreError::BadName(_) | StoreError::NoPermission(_),
            ) => return Ok(None),
            reached => reached?,
        };
        let index = mailbox.sync()?;
        if self
            .uid_validity
            .is_some_and(|validity| validity != index.uid_validity)
        {
            return Ok(None);
        }
        let place = index
            .messages
            .binary_search_by_key(&self.uid, |entry| entry.uid);
        let Some(entry) = place.ok().map(|place| &index.messages[place]) else {
            return Ok(None);
        };
        let depth = match self.section.part.is_empty() {
            true => Depth::Header,
            false => Depth::Whole,
        };
        match Message::load(&mailbox, entry, depth) {
            Err(StoreError::NoSuchMessage) => Ok(None),
            message => Ok(chunk(&message?, &self.section, self.partial)),
        }
    }
}

fn append_extent(spool: &mut Spool, extent: &Extent) -> Result<(), StoreError> {
    let mut block = vec![0; limits::BLOCK];
    let mut done = 0;
    while done < extent.octets() {
        match extent.read_at(&mut block, done)? {
            // Another program cut the file short: the copy would not be what was asked for.
            0 => return Err(StoreError::NoSuchMessage),
            octets => spool.append(&block[..octets])?,
        }
        done += block.len().min((extent.octets() - done) as usize) as u64;
    }
    Ok(())
}

/// Work with URLs that carry an authorization.
#[derive(Debug)]
pub enum UrlWork {
    /// GENURLAUTH: signs them all.
    Sign(Account, Vec<Named>),
    /// URLFETCH: fetches the first of them.
    Fetch(Vec<Fetching>),
    /// RESETKEY: of a mailbox, or of all.
    Reset(Account, Option<String>),
}

/// A URL to be fetched.
#[derive(Debug)]
pub struct Fetching {
    /// As it was written.
    pub url: String,
    /// What it names, when whoever asks may have it, provided that the token is right.
    pub claim: Option<Claim>,
}

/// What a signed URL claims.
#[derive(Debug)]
pub struct Claim {
    owner: Account,
    named: Named,
    rump: usize,
    token: String,
}

/// What such work brought.
#[derive(Debug)]
pub struct UrlsDone {
    /// Responses.
    pub pieces: Vec<Piece>,
    /// URLs that are still to be fetched.
    pub rest: Vec<Fetching>,
}

/// Who asks, where and when.
pub struct Asking<'a> {
    /// Who is logged in.
    pub account: &'a Account,
    /// The name of this server.
    pub host: &'a str,
    /// Seconds since 1970.
    pub now: i64,
    /// Where accounts are found.
    pub store: &'a Store,
}

impl Asking<'_> {
    /// A URL that is to be signed for others: its own, of this server.
    pub fn to_sign(&self, url: &[u8]) -> Result<Named, BadUrl> {
        let parsed = MessageUrl::parse(url)?;
        let server = parsed
            .server
            .as_ref()
            .ok_or(BadUrl("it has to begin with imap://"))?;
        let own = server.user.as_deref().and_then(|user| self.find(user));
        if own.as_ref() != Some(self.account) {
            return Err(BadUrl("the user in it has to be who is logged in"));
        }
        if !server.host.eq_ignore_ascii_case(self.host) {
            return Err(BadUrl(
                "the host in it has to be this one, as the greeting says it",
            ));
        }
        match &parsed.authorization {
            None => Err(BadUrl("it has to end in ;URLAUTH= and for whom it is")),
            Some(Authorization {
                verifier: Some(_), ..
            }) => Err(BadUrl("it is signed already")),
            Some(_) => {
                let mailbox = parsed
                    .mailbox_in(None)
                    .ok_or(BadUrl("it names no mailbox"))?;
                Ok(Named::new(url, mailbox, parsed))
            }
        }
    }

    /// A URL that is to be fetched.
    pub fn to_fetch(&self, url: &[u8]) -> Fetching {
        Fetching {
            url: String::from_utf8_lossy(url).into_owned(),
            claim: self.claim(url),
        }
    }

    fn claim(&self, url: &[u8]) -> Option<Claim> {
        let parsed = MessageUrl::parse(url).ok()?;
        let server = parsed.server.as_ref()?;
        let owner = self.find(server.user.as_deref()?)?;
        let authorization = parsed.authorization.clone()?;
        let (mechanism, token) = authorization.verifier?;
        let may = match &authorization.access {
            // No server for submission is known that may act for others.
            Access::Submit(_) => false,
            Access::User(name) => self.find(name).as_ref() == Some(self.account),
            Access::AuthUser | Access::Anonymous => true,
        };
        let fits = server.host.eq_ignore_ascii_case(self.host)
            && mechanism.eq_ignore_ascii_case(INTERNAL)
            && authorization.expire.is_none_or(|expire| self.now < expire);
        let mailbox = parsed.mailbox_in(None)?;
        (may && fits).then(|| Claim {
            owner,
            rump: authorization.rump,
            token,
            named: Named::new(url, mailbox, parsed),
        })
    }

    fn find(&self, user: &str) -> Option<Account> {
        let users = self.store.users();
        match user.rsplit_once('@') {
            Some((local_part, domain)) => users.find(local_part, Some(domain)),
            None => users.find(user, None),
        }
    }
}

impl UrlWork {
    /// Does it.
    pub fn run(self, store: &Store) -> Result<UrlsDone, Fault> {
        let mut pieces = Vec::new();
        let mut rest = Vec::new();
        match self {
            Self::Sign(account, urls) => {
                let mut line = b"* GENURLAUTH".to_vec();
                for named in urls {
                    let token = named.sign(&account, store)?;
                    line.push(b' ');
                    response::astring(
                        &mut line,
                        format!("{}:{INTERNAL}:{token}", named.url).as_bytes(),
                    );
                }
                line.extend_from_slice(b"\r\n");
                pieces.push(Piece::Bytes(line));
            }
            Self::Fetch(urls) => {
                let mut urls = urls.into_iter();
                if let Some(first) = urls.next() {
                    pieces = first.pieces(store);
                }
                rest.extend(urls);
            }
            Self::Reset(account, None) => store.forget_url_keys(&account)?,
            Self::Reset(account, Some(mailbox)) => {
                store.mailbox(&account, &mailbox)?.forget_url_key()?;
            }
        }
        Ok(UrlsDone { pieces, rest })
    }
}

impl Named {
    fn sign(&self, account: &Account, store: &Store) -> Result<String, Fault> {
        let mailbox = match store.mailbox(account, &self.mailbox) {
            Err(StoreError::NoSuchMailbox | StoreError::BadName(_)) => {
                return Err(Fault::BadUrl(self.url.clone()));
            }
            mailbox => mailbox?,
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, &mailbox.make_url_key()?);
        let tag = hmac::sign(&key, self.url.as_bytes());
        let mut token = VERSION.to_owned();
        for byte in tag.as_ref() {
            // A String takes all that is written.
            let _ = write!(token, "{byte:02x}");
        }
        Ok(token)
    }
}

impl Fetching {
    fn pieces(self, store: &Store) -> Vec<Piece> {
        let mut line = b"* URLFETCH ".to_vec();
        response::astring(&mut line, self.url.as_bytes());
        line.push(b' ');
        let chunk = self.claim.and_then(|claim| claim.redeem(store));
        let mut pieces = Vec::new();
        match chunk {
            None => line.extend_from_slice(b"NIL"),
            Some(Chunk::Octets(octets)) => {
                response::literal_head(&mut line, octets.len() as u64);
                line.extend_from_slice(&octets);
            }
            Some(Chunk::Extent(extent)) => {
                response::literal_head(&mut line, extent.octets());
                pieces.push(Piece::Bytes(std::mem::take(&mut line)));
                pieces.push(Piece::Extent(extent));
            }
        }
        line.extend_from_slice(b"\r\n");
        pieces.push(Piece::Bytes(line));
        pieces
    }
}

impl Claim {
    fn redeem(self, store: &Store) -> Option<Chunk> {
        let mailbox = store.mailbox(&self.owner, &self.named.mailbox).ok()?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &mailbox.url_key().ok()??);
        let token = self.token.strip_prefix(VERSION)?;
        let digits: Option<Vec<u8>> = token
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        let rump = self.named.url.get(..self.rump)?;
        // In constant time.
        hmac::verify(&key, rump.as_bytes(), &digits?).ok()?;
        self.named.read(&self.owner, store).ok()?
    }
}

/// The mechanism of RFC 4467 §4.
pub const INTERNAL: &str = "INTERNAL";
/// How the token is made: a later version of this program may make it otherwise.
const VERSION: &str = "01";
