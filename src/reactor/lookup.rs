//! Names to addresses and to mail exchangers, within the loop: it never blocks, and keeps what it has learnt.
//!
//! ```text
//!  Driver --Question--> Wish ---(name, kind)--> Cache ----------------------> Found
//!                        one or two of these     | not there
//!                                                v
//!                                             Asking --one socket each--> name servers
//! ```
//!
//! In order: addresses that are spelt out, /etc/hosts, `localhost` (RFC 6761 §6.3), then what is in the cache, then the name servers of
//! /etc/resolv.conf. Each question has a socket of its own, so that its source port is as random as its id (RFC 5452 §9.2).
//!
//! What it keeps:
//! - the same name and kind is asked once at a time, however many want to know;
//! - at most [`limits::DNS_QUERIES`] are on their way, the others wait; at most [`limits::DNS_CACHE`] answers are kept;
//! - what is kept, yes or no, is kept for as long as its zone says, and never longer than [`limits::DNS_KEPT`]; that nobody
//!   answered is never kept.

mod asking;
mod cache;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use mio::Registry;

use self::asking::{Asking, Progress};
use self::cache::{Cache, Key};
use super::question::random_id;
use super::resolver::{Family, Resolver, in_order};
use crate::limits;
use crate::wire::dns::{Exchanger, Kind, Reply};
use crate::wire::resolv::{Hosts, ResolvConf};

/// What a driver can ask.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// Who takes mail for this domain (RFC 5321 §5.1)? A domain that the DNS does not know and /etc/hosts does is
    /// [`Found::Itself`].
    Exchangers(String),
    /// Where is this host? A name, or an address with or without brackets (`[192.0.2.1]`, `[IPv6:2001:db8::1]`). Never
    /// completed from a search list: names in mail are whole.
    Addresses(String),
}

/// What is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Never none; the smallest preference first, in random order where they are equal.
    Exchangers(Vec<Exchanger>),
    /// The domain exists and names no exchanger: mail goes to the host of its own name (RFC 5321 §5.1), whose addresses
    /// are to be asked for.
    Itself,
    /// The domain says that it takes no mail (RFC 7505): 556 5.1.10.
    NullMx,
    /// Never none, in the order in which they should be tried.
    Addresses(Vec<IpAddr>),
    /// The host exists and has no address.
    NoAddress,
    /// There is no such name: 550 5.1.2.
    NoName,
    /// Nobody would or could tell now: 451 4.4.3. Why, in a few words.
    Temporary(String),
}

/// How the resolver of a loop is set up.
#[derive(Clone, Debug, Default)]
pub struct Resolving {
    /// The name server to ask in place of those of /etc/resolv.conf: for labs.
    pub server: Option<SocketAddr>,
    /// In place of /etc/hosts and /etc/resolv.conf, which are read when needed: for tests.
    pub known: Option<(Hosts, ResolvConf)>,
}

/// The resolver of a loop. What it watches has tokens of the loop, taken from the counter that it is lent.
pub(super) struct Lookups {
    resolving: Resolving,
    resolver: Resolver,
    /// When the files were last read.
    read: Option<Instant>,
    /// Which question this is, for servers that take turns.
    turn: usize,
    cache: Cache,
    asking: HashMap<Key, Asking>,
    tokens: HashMap<u64, Key>,
    /// Those for which there is no socket yet.
    line: VecDeque<Key>,
    wishes: HashMap<u64, Wish>,
    next_wish: u64,
    found: VecDeque<(u64, Found)>,
}

/// A driver's question, and what is known of it.
struct Wish {
    word: u64,
    question: Question,
    /// Replies that are still to come.
    open: usize,
    replies: Vec<Result<Reply, String>>,
}

impl Lookups {
    pub(super) fn new(resolving: Resolving) -> Self {
        Self {
            resolving,
            resolver: Resolver::default(),
            read: None,
            turn: 0,
            cache: Cache::default(),
            asking: HashMap::new(),
            tokens: HashMap::new(),
            line: VecDeque::new(),
            wishes: HashMap::new(),
            next_wish: 0,
            found: VecDeque::new(),
        }
    }

    /// When [`Self::expire`] is to be called.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.tokens
            .values()
            .filter_map(|key| self.asking.get(key)?.until())
            .min()
    }

    /// Takes an answer that there is.
    pub(super) fn next_found(&mut self) -> Option<(u64, Found)> {
        self.found.pop_front()
    }

    /// Takes a question; its answer may be there at once.
    pub(super) fn ask(
        &mut self,
        word: u64,
        question: Question,
        now: Instant,
        registry: &Registry,
        next_token: &mut u64,
    ) {
        self.read_files(now);
        if let Some(found) = self.without_asking(&question) {
            return self.found.push_back((word, found));
        }
        let (name, kinds): (_, &[Kind]) = match &question {
            Question::Exchangers(name) => (name, &[Kind::Mx]),
            Question::Addresses(name) => (name, &[Kind::A, Kind::Aaaa]),
        };
        let name = whole(name).to_ascii_lowercase();
        let id = self.next_wish;
        self.next_wish += 1;
        let wish = Wish {
            word,
            question,
            open: kinds.len(),
            replies: Vec::new(),
        };
        self.wishes.insert(id, wish);
        for &kind in kinds {
            self.look_up((name.clone(), kind), id, now, registry, next_token);
        }
    }

    /// Asks other servers in place of those that have been waited for too long.
    pub(super) fn expire(&mut self, now: Instant, registry: &Registry, next_token: &mut u64) {
        let late = |key: &&Key| {
            let until = self.asking.get(*key).and_then(Asking::until);
            until.is_some_and(|until| until <= now)
        };
        let late: Vec<Key> = self.tokens.values().filter(late).cloned().collect();
        for key in late {
            self.advance(&key, now, registry, next_token, Asking::give_up);
        }
        self.follow_up(now, registry, next_token);
    }

    /// The poll has said something about a token.
    pub(super) fn ready(
        &mut self,
        token: u64,
        now: Instant,
        registry: &Registry,
        next_token: &mut u64,
    ) {
        if let Some(key) = self.tokens.get(&token).cloned() {
            self.advance(&key, now, registry, next_token, Asking::ready);
        }
        self.follow_up(now, registry, next_token);
    }

    fn read_files(&mut self, now: Instant) {
        let is_old = |at: Instant| now.saturating_duration_since(at) >= limits::DNS_FILES;
        if !self.read.is_none_or(is_old) {
            return;
        }
        self.read = Some(now);
        self.resolver = match self.resolving.known.clone() {
            Some((hosts, conf)) => Resolver { hosts, conf },
            None => Resolver::from_system(),
        };
        if let Some(server) = self.resolving.server {
            self.resolver.conf.servers = vec![server];
        }
    }

    /// The answer, if nobody has to be asked for it.
    fn without_asking(&self, question: &Question) -> Option<Found> {
        let nobody = || {
            let none = self.resolver.conf.servers.is_empty();
            none.then(|| Found::Temporary("no name server is known".to_owned()))
        };
        match question {
            Question::Addresses(name) => {
                if let Some(address) = literal(name) {
                    return Some(Found::Addresses(vec![address]));
                }
                let mut known = self.resolver.without_asking(name, Family::Any);
                if known.is_empty() {
                    return nobody();
                }
                in_order(&mut known);
                Some(Found::Addresses(known))
            }
            Question::Exchangers(name) if literal(name).is_some() || is_localhost(name) => {
                Some(Found::Itself)
            }
            Question::Exchangers(name) => match nobody() {
                Some(_) if self.is_in_hosts(name) => Some(Found::Itself),
                nobody => nobody,
            },
        }
    }

    fn is_in_hosts(&self, name: &str) -> bool {
        self.resolver.hosts.addresses(whole(name)).next().is_some()
    }

    fn look_up(
        &mut self,
        key: Key,
        wish: u64,
        now: Instant,
        registry: &Registry,
        next_token: &mut u64,
    ) {
        if let Some(reply) = self.cache.find(&key, now) {
            return self.grant(wish, Ok(reply));
        }
        if let Some(asking) = self.asking.get_mut(&key) {
            return asking.wishes.push(wish);
        }
        self.turn = self.turn.wrapping_add(1);
        let mut asking = Asking::new(&key, &self.resolver.conf, self.turn);
        asking.wishes.push(wish);
        self.asking.insert(key.clone(), asking);
        if self.tokens.len() >= limits::DNS_QUERIES {
            return self.line.push_back(key);
        }
        self.advance(&key, now, registry, next_token, Asking::begin);
    }

    /// Takes one question further, and settles it if that was the end.
    fn advance(
        &mut self,
        key: &Key,
        now: Instant,
        registry: &Registry,
        next_token: &mut u64,
        step: fn(&mut Asking, Instant, &mut asking::Watch<'_>) -> Progress,
    ) {
        let Some(asking) = self.asking.get_mut(key) else {
            return;
        };
        let before = asking.token();
        let mut watch = asking::Watch {
            registry,
            next_token,
        };
        let progress = step(asking, now, &mut watch);
        let after = asking.token();
        if before != after {
            before.map(|token| self.tokens.remove(&token));
            after.map(|token| self.tokens.insert(token, key.clone()));
        }
        let (result, ttl) = match progress {
            Progress::Waiting => return,
            Progress::Settled(reply, ttl) => (Ok(reply), ttl),
            Progress::Failed(why) => (Err(why), Duration::ZERO),
        };
        self.settle(key, result, ttl, now);
    }

    /// Sends those that waited for a socket.
    fn follow_up(&mut self, now: Instant, registry: &Registry, next_token: &mut u64) {
        while self.tokens.len() < limits::DNS_QUERIES
            && let Some(next) = self.line.pop_front()
        {
            self.advance(&next, now, registry, next_token, Asking::begin);
        }
    }

    fn settle(&mut self, key: &Key, result: Result<Reply, String>, ttl: Duration, now: Instant) {
        let Some(asking) = self.asking.remove(key) else {
            return;
        };
        asking.token().map(|token| self.tokens.remove(&token));
        if let Ok(reply) = &result {
            self.cache.keep(key.clone(), reply.clone(), ttl, now);
        }
        for wish in asking.wishes {
            self.grant(wish, result.clone());
        }
    }

    /// One of the replies for which a wish waits.
    fn grant(&mut self, id: u64, result: Result<Reply, String>) {
        let Some(wish) = self.wishes.get_mut(&id) else {
            return;
        };
        wish.replies.push(result);
        wish.open -= 1;
        if wish.open > 0 {
            return;
        }
        if let Some(Wish {
            word,
            question,
            replies,
            ..
        }) = self.wishes.remove(&id)
        {
            let found = self.conclude(&question, replies);
            self.found.push_back((word, found));
        }
    }

    fn conclude(&self, question: &Question, replies: Vec<Result<Reply, String>>) -> Found {
        let mut addresses = Vec::new();
        let mut why = None;
        let mut exists = false;
        for reply in replies {
            match reply {
                Ok(Reply::Exchangers(exchangers)) => {
                    return Found::Exchangers(ties_at_random(exchangers));
                }
                Ok(Reply::NullMx) => return Found::NullMx,
                Ok(Reply::Addresses(some)) => addresses.extend(some),
                Ok(Reply::NoData) => exists = true,
                Ok(_) => {}
                Err(error) => why = Some(error),
            }
        }
        match question {
            Question::Addresses(_) if !addresses.is_empty() => {
                in_order(&mut addresses);
                Found::Addresses(addresses)
            }
            Question::Exchangers(name) if !exists && why.is_none() && self.is_in_hosts(name) => {
                Found::Itself
            }
            _ if let Some(why) = why => Found::Temporary(why),
            Question::Exchangers(_) if exists => Found::Itself,
            Question::Addresses(_) if exists => Found::NoAddress,
            _ => Found::NoName,
        }
    }
}

/// A name as the DNS has it: without the dot that says that it is whole.
fn whole(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// RFC 6761 §6.3
fn is_localhost(name: &str) -> bool {
    let last = whole(name).rsplit('.').next();
    last.is_some_and(|label| label.eq_ignore_ascii_case("localhost"))
}

/// An address with or without its brackets (RFC 5321 §4.1.3).
fn literal(name: &str) -> Option<IpAddr> {
    let inside = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(name);
    match inside.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => {
            inside[5..].parse::<Ipv6Addr>().ok().map(IpAddr::V6)
        }
        _ => inside.parse().ok(),
    }
}

/// RFC 5321 §5.1: among equals the load is spread.
fn ties_at_random(mut exchangers: Vec<Exchanger>) -> Vec<Exchanger> {
    exchangers.sort_by_cached_key(|exchanger| (exchanger.preference, random_id()));
    exchangers
}
