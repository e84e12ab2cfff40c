//! Messages that IMAP URLs name (RFC 5092): what CATENATE puts into a message (RFC 4469), and what GENURLAUTH allows others to
//! fetch (RFC 4467).
//!
//! A URL is signed with the key of its mailbox: its token is HMAC-SHA256 over all that stands before it, so nothing in it can be
//! changed, and RESETKEY makes it void. Whatever is wrong with a URL to be fetched, the answer is NIL: who asks learns nothing about
//! mailboxes of others.
//!
//! | for whom a URL is | who can fetch it |
//! |---|---|
//! | `user+NAME` | NAME |
//! | `authuser`, `anonymous` | whoever is logged in: nobody is without a name here |
//! | `submit+NAME` | nobody: no server for submission is known that could act for NAME (RFC 4468 is not spoken) |
//!
//! What may be fetched may also be put into a message by CATENATE.

use std::fmt::Write;

use ring::hmac;

use crate::limits;
use crate::proto::imap::binary::{Decoded, decoded};
use crate::proto::imap::fetch::{Chunk, Piece, chunk, partial};
use crate::proto::imap::message::{Depth, Message};
use crate::store::{Account, Extent, Spool, Store, StoreError};
use crate::wire::imap::command::{UrlData, UrlItems};
use crate::wire::imap::fetch::{Partial, Section, SectionText};
use crate::wire::imap::response;
use crate::wire::imap::rights::Rights;
use crate::wire::imap::url::{Access, Authorization, BadUrl, MessageUrl, Server};
use crate::wire::mime::describe::{Detail, write_decoded, write_structure};
use crate::wire::mime::structure::{Content, Part};

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
    /// Who allows it to whom it is for.
    signed: Option<Box<Signed>>,
}

/// Who has signed a URL, as it claims.
#[derive(Clone, Debug)]
struct Signed {
    owner: Account,
    rump: usize,
    token: String,
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
    fn new(url: &[u8], mailbox: String, parsed: MessageUrl) -> Self {
        Self {
            url: String::from_utf8_lossy(url).into_owned(),
            mailbox,
            uid_validity: parsed.uid_validity,
            uid: parsed.uid,
            section: parsed.section,
            partial: parsed.partial,
            signed: None,
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
        let depth = match self.section.part.is_empty() {
            true => Depth::Start,
            false => Depth::Whole,
        };
        let message = self.message(account, store, depth)?;
        Ok(message.and_then(|message| chunk(&message, &self.section, self.partial)))
    }

    /// The message that it is in; `None` when there is none that may be had.
    fn message(
        &self,
        account: &Account,
        store: &Store,
        depth: Depth,
    ) -> Result<Option<Message>, StoreError> {
        let account = match &self.signed {
            None => account,
            Some(signed) if self.is_valid(signed, store) => &signed.owner,
            Some(_) => return Ok(None),
        };
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
        match Message::load(&mailbox, entry, depth) {
            Err(StoreError::NoSuchMessage) => Ok(None),
            message => message.map(Some),
        }
    }

    fn is_valid(&self, signed: &Signed, store: &Store) -> bool {
        let key = store.url_key(&signed.owner, &self.mailbox);
        let (Ok(Some(key)), Some(token), Some(rump)) = (
            key,
            signed.token.strip_prefix(VERSION),
            self.url.get(..signed.rump),
        ) else {
            return false;
        };
        let digits: Option<Vec<u8>> = token
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        // In constant time.
        digits.is_some_and(|digits| hmac::verify(&key, rump.as_bytes(), &digits).is_ok())
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
    /// What of it; all, and nothing said about it, without the extended form.
    pub items: Option<UrlItems>,
    /// Who asks.
    pub account: Account,
    /// What it names, when whoever asks may have it, provided that the token is right.
    pub named: Option<Named>,
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
        if !self.is_here(server) {
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
    pub fn to_fetch(&self, url: &[u8], items: Option<UrlItems>) -> Fetching {
        Fetching {
            url: String::from_utf8_lossy(url).into_owned(),
            items,
            account: self.account.clone(),
            named: MessageUrl::parse(url)
                .ok()
                .and_then(|parsed| self.claim(url, parsed)),
        }
    }

    /// A URL in CATENATE, in a session that has `selected` a mailbox.
    pub fn to_catenate(&self, url: &[u8], selected: Option<&str>) -> Result<Named, BadUrl> {
        let parsed = MessageUrl::parse(url)?;
        let mailbox = match (&parsed.server, &parsed.authorization) {
            (None, None) => parsed.mailbox_in(selected),
            (Some(server), None) if self.is_here(server) && self.is_mine(server) => {
                parsed.mailbox_in(None)
            }
            (Some(_), Some(_)) => {
                return self.claim(url, parsed).ok_or(BadUrl(
                    "it is signed for somebody else, by another server, or no longer",
                ));
            }
            // RFC 4469 §3
            _ => {
                return Err(BadUrl(
                    "here a URL begins with the mailbox, as /INBOX/;UID=20 does, or is one of this server: your own, or signed for you",
                ));
            }
        };
        let mailbox = mailbox.ok_or(BadUrl("it names no mailbox, and none is selected"))?;
        Ok(Named::new(url, mailbox, parsed))
    }

    fn claim(&self, url: &[u8], parsed: MessageUrl) -> Option<Named> {
        let server = parsed.server.as_ref()?;
        let owner = self.find(server.user.as_deref()?)?;
        let authorization = parsed.authorization.clone()?;
        let (mechanism, token) = authorization.verifier?;
        let may = match &authorization.access {
            Access::Submit(_) => false,
            Access::User(name) => self.find(name).as_ref() == Some(self.account),
            Access::AuthUser | Access::Anonymous => true,
        };
        let fits = self.is_here(server)
            && mechanism.eq_ignore_ascii_case(INTERNAL)
            && authorization.expire.is_none_or(|expire| self.now < expire);
        let mailbox = parsed.mailbox_in(None)?;
        (may && fits).then(|| Named {
            signed: Some(Box::new(Signed {
                owner,
                rump: authorization.rump,
                token,
            })),
            ..Named::new(url, mailbox, parsed)
        })
    }

    fn is_here(&self, server: &Server) -> bool {
        server.host.eq_ignore_ascii_case(self.host)
    }

    /// Whether who is logged in is meant: by name, or because nobody is named.
    fn is_mine(&self, server: &Server) -> bool {
        let user = server.user.as_deref();
        user.is_none_or(|user| self.find(user).as_ref() == Some(self.account))
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
                store.forget_url_key(&account, &mailbox)?;
            }
        }
        Ok(UrlsDone { pieces, rest })
    }
}

impl Named {
    fn sign(&self, account: &Account, store: &Store) -> Result<String, Fault> {
        let key = match store.make_url_key(account, &self.mailbox) {
            Err(StoreError::NoSuchMailbox | StoreError::BadName(_)) => {
                return Err(Fault::BadUrl(self.url.clone()));
            }
            key => key?,
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let tag = hmac::sign(&key, self.url.as_bytes());
        let mut token = VERSION.to_owned();
        for byte in tag.as_ref() {
            // A String takes all that is written.
            let _ = write!(token, "{byte:02x}");
        }
        Ok(token)
    }

    /// Writes what the extended form asks for (RFC 5524 §3.2); false when there is no such thing.
    fn write_items(&self, message: &Message, items: UrlItems, answer: &mut Answer) -> bool {
        let Some(whole) = chunk(message, &self.section, self.partial) else {
            return false;
        };
        let root = Part::parse(&message.octets);
        let part = match &self.section.part[..] {
            [] => Some(&root),
            path => root.find(path),
        };
        let path = part.and_then(|part| self.encoded(part));
        let octets = match (items.data, &path) {
            (Some(UrlData::Decoded), Some(path)) => decoded(message, &root, path),
            _ => Decoded::Nothing,
        };
        if let (true, Some(part)) = (items.structure, part) {
            answer.line.extend_from_slice(b" (BODYPARTSTRUCTURE ");
            match &octets {
                Decoded::Octets(octets) if matches!(part.content, Content::Leaf) => {
                    write_decoded(&mut answer.line, &message.octets, part, octets);
                }
                _ => write_structure(&mut answer.line, &message.octets, part, Detail::Extended),
            }
            answer.line.push(b')');
        }
        match items.data {
            None => {}
            Some(UrlData::Encoded) => {
                answer.line.extend_from_slice(b" (BODY ");
                answer.chunk(whole);
                answer.line.push(b')');
            }
            Some(UrlData::Decoded) => {
                answer.line.extend_from_slice(b" (BINARY ");
                match octets {
                    Decoded::Octets(octets) => {
                        let range = partial(0..octets.len() as u64, self.partial);
                        // Cannot wrap: they are places in `octets`.
                        let octets = &octets[range.start as usize..range.end as usize];
                        response::binary(&mut answer.line, octets);
                    }
                    Decoded::Unknown => answer.line.extend_from_slice(b"NIL"),
                    // A header, a multipart, a message: there is nothing to decode.
                    Decoded::Nothing => {
                        if memchr::memchr(0, &message.octets).is_some() {
                            answer.line.push(b'~');
                        }
                        answer.chunk(whole);
                    }
                }
                answer.line.push(b')');
            }
        }
        true
    }

    /// The path to what has a transfer encoding to undo, if the section of `part` is that.
    fn encoded(&self, part: &Part) -> Option<Vec<u32>> {
        let path = &self.section.part;
        match (&self.section.what, &part.content) {
            (SectionText::All, _) if !path.is_empty() => Some(path.clone()),
            // The text of a message that is not taken apart any further.
            (SectionText::Text, Content::Leaf) if path.is_empty() => Some(vec![1]),
            (SectionText::Text, Content::Message(inner))
                if !path.is_empty() && inner.content == Content::Leaf =>
            {
                Some([&path[..], &[1]].concat())
            }
            _ => None,
        }
    }
}

/// A response that is being made.
struct Answer {
    line: Vec<u8>,
    pieces: Vec<Piece>,
}

impl Answer {
    /// As a literal.
    fn chunk(&mut self, chunk: Chunk) {
        match chunk {
            Chunk::Octets(octets) => {
                response::literal_head(&mut self.line, octets.len() as u64);
                self.line.extend_from_slice(&octets);
            }
            Chunk::Extent(extent) => {
                response::literal_head(&mut self.line, extent.octets());
                self.pieces
                    .push(Piece::Bytes(std::mem::take(&mut self.line)));
                self.pieces.push(Piece::Extent(extent));
            }
        }
    }
}

impl Fetching {
    fn pieces(self, store: &Store) -> Vec<Piece> {
        let mut answer = Answer {
            line: b"* URLFETCH ".to_vec(),
            pieces: Vec::new(),
        };
        response::astring(&mut answer.line, self.url.as_bytes());
        if !self.write(store, &mut answer) {
            answer.line.extend_from_slice(b" NIL");
        }
        answer.line.extend_from_slice(b"\r\n");
        answer.pieces.push(Piece::Bytes(answer.line));
        answer.pieces
    }

    /// False when it may not be had, or is not there.
    fn write(&self, store: &Store, answer: &mut Answer) -> bool {
        let Some(named) = &self.named else {
            return false;
        };
        let Some(items) = self.items else {
            let Ok(Some(chunk)) = named.read(&self.account, store) else {
                return false;
            };
            answer.line.push(b' ');
            answer.chunk(chunk);
            return true;
        };
        match named.message(&self.account, store, Depth::Whole) {
            Ok(Some(message)) => named.write_items(&message, items, answer),
            _ => false,
        }
    }
}

/// The mechanism of RFC 4467 §4.
pub const INTERNAL: &str = "INTERNAL";
/// How the token is made: a later version of this program may make it otherwise.
const VERSION: &str = "01";
