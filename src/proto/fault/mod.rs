//! Faults on purpose: rules (see [`crate::wire::fault`]) decide what goes wrong in the sessions of a server.
//!
//! ```text
//!   reactor --Input--> Faulty --Input--> the protocol's own session
//!                        |  ^                     |
//!              a command |  | what is to happen   | octets, a job, a wish
//!                        v  |                     v
//!                       Faults                  Edits --octets, as slowly as is asked for--> Out
//! ```
//!
//! | file | what |
//! |---|---|
//! | here | [`Faults`]: the rules that stand, their counts, and what they decide; [`FaultyService`] |
//! | `moment` | what a session is about to do, as rules ask for it |
//! | `session` | the session between the connection and the real one |
//! | `edits` | what becomes of the octets of a reply |
//! | `words` | what is said in place of a reply |
//!
//! What it keeps:
//! - While there are no rules, a session costs one look at whether there are; nothing is copied and nothing held back.
//! - What the real session says and what it is told stay one conversation: a command that is answered here never reaches it, with
//!   its literals and chunks; one that reaches it is done, whatever becomes of its reply.
//! - The same rules, seed and order of connections make the same faults: chance is a function of the seed, the rule, the number of
//!   the connection, and how often the rule was asked in it; neither of the clock nor of what other connections do meanwhile.
//! - Each fault is said where the dialogue is shown ([`note::FAULT`](crate::tap::note::FAULT)), and in the log.

mod edits;
mod moment;
mod session;
#[cfg(test)]
mod tests;
mod words;

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::moment::{At, Moment};
use self::session::Faulty;
use super::{Peer, Service, Session};
use crate::limits;
use crate::wire::fault::{Nth, Outcome, Per, Phase, Rule, Scope, Stage, lab};

/// The rules that stand, shared by all sessions of a server.
pub struct Faults {
    /// Whether there is anything to do at all.
    on: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    seed: u64,
    magic: bool,
    /// Rules so far: their numbers are never used twice.
    numbered: u32,
    rules: Vec<Armed>,
}

/// A rule that stands, with its counts.
struct Armed {
    number: u32,
    rule: Rule,
    connections: u64,
    fired: u64,
    tallies: HashMap<u64, Tally>,
}

/// What is counted, for each of what a rule counts apart.
#[derive(Clone, Copy, Default)]
struct Tally {
    held: u64,
    fired: u32,
    /// Since when a window of `limit` runs, and how many were in it.
    window: Option<(Instant, u32)>,
    /// When `greylist` saw it first.
    first: Option<Instant>,
}

/// What a connection has of each rule: its number among the connections, and how often the rule was asked.
#[derive(Debug, Default)]
struct Ticket {
    ordinals: Vec<(u32, u64)>,
    asked: Vec<(u32, u64)>,
}

/// What is to happen now.
#[derive(Debug, Default, PartialEq)]
struct Decision {
    delay: Duration,
    throttle: Option<u64>,
    hide: Vec<String>,
    short: Option<u64>,
    count: Option<i64>,
    after: Option<u64>,
    outcome: Option<Outcome>,
    drop: bool,
    reset: bool,
    /// Where garbage begins.
    dice: u64,
    /// What is said about it to who looks on.
    told: Vec<String>,
}

/// A rule, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its number, which stays.
    pub number: u32,
    /// Its words.
    pub text: String,
    /// How often it has fired.
    pub fired: u64,
}

/// Why a rule does not stand: there are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

impl fmt::Display for TooMany {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} rules are enough: clear some first",
            limits::FAULT_RULES
        )
    }
}

impl std::error::Error for TooMany {}

/// What protocol a session speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Smtp,
    Submission,
    Lmtp,
    Pop3,
    Imap,
}

impl Family {
    /// Of a service's name; `None` where there are no faults.
    fn of(service: &str) -> Option<Self> {
        Some(match service {
            "smtp" => Self::Smtp,
            "submission" | "smtps" => Self::Submission,
            "lmtp" => Self::Lmtp,
            "pop3" | "pop3s" => Self::Pop3,
            "imap" | "imaps" => Self::Imap,
            _ => return None,
        })
    }

    const fn is_in(self, scope: Scope) -> bool {
        match scope {
            Scope::Any => true,
            Scope::Smtp => self.is_smtp(),
            Scope::Submission => matches!(self, Self::Submission),
            Scope::Lmtp => matches!(self, Self::Lmtp),
            Scope::Pop3 => matches!(self, Self::Pop3),
            Scope::Imap => matches!(self, Self::Imap),
        }
    }

    const fn is_smtp(self) -> bool {
        matches!(self, Self::Smtp | Self::Submission | Self::Lmtp)
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self::new(1)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.list()).finish()
    }
}

impl Faults {
    /// No rules; chance begins with `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            on: AtomicBool::new(false),
            state: Mutex::new(State {
                seed,
                ..State::default()
            }),
        }
    }

    /// One rule more, for what happens from now on; its number.
    ///
    /// # Errors
    /// There are [`limits::FAULT_RULES`].
    pub fn add(&self, rule: Rule) -> Result<u32, TooMany> {
        let mut state = self.state();
        if state.rules.len() >= limits::FAULT_RULES {
            return Err(TooMany);
        }
        state.numbered = state.numbered.wrapping_add(1);
        let number = state.numbered;
        state.rules.push(Armed {
            number,
            rule,
            connections: 0,
            fired: 0,
            tallies: HashMap::new(),
        });
        self.on.store(true, Ordering::Relaxed);
        Ok(number)
    }

    /// Takes away the rule of this number, or all of them, and magic recipients with them; how many that were.
    pub fn clear(&self, number: Option<u32>) -> usize {
        let mut state = self.state();
        let before = state.rules.len();
        match number {
            Some(number) => state.rules.retain(|armed| armed.number != number),
            None => {
                state.rules.clear();
                state.magic = false;
            }
        }
        let on = state.magic || !state.rules.is_empty();
        self.on.store(on, Ordering::Relaxed);
        before - state.rules.len()
    }

    /// Has the names of recipients make faults (see [`Magic`](crate::wire::fault::Magic)).
    pub fn allow_magic(&self) {
        self.state().magic = true;
        self.on.store(true, Ordering::Relaxed);
    }

    /// Whether the names of recipients make faults.
    pub fn has_magic(&self) -> bool {
        self.state().magic
    }

    /// What chance begins with.
    pub fn set_seed(&self, seed: u64) {
        self.state().seed = seed;
    }

    /// The rules that stand, in the order in which they are tried.
    pub fn list(&self) -> Vec<Listed> {
        let state = self.state();
        let listed = state.rules.iter().map(|armed| Listed {
            number: armed.number,
            text: match armed.rule.lab {
                Some(number) => format!("{}{number}", lab::PREFIX),
                None => armed.rule.text.clone(),
            },
            fired: armed.fired,
        });
        listed.collect()
    }

    /// Whether anything can go wrong on purpose.
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// A connection begins: each rule that could be for it counts it.
    fn enter(&self, family: Family, address: Option<IpAddr>) -> Ticket {
        let mut ticket = Ticket::default();
        for armed in &mut self.state().rules {
            let near = armed.rule.when.address;
            if family.is_in(armed.rule.scope) && is_near(near, address) {
                armed.connections += 1;
                ticket.ordinals.push((armed.number, armed.connections));
            }
        }
        ticket
    }

    /// What the rules make of this moment.
    fn decide(&self, moment: &Moment<'_>, ticket: &mut Ticket) -> Decision {
        let mut decision = Decision::default();
        let mut state = self.state();
        let seed = state.seed;
        for armed in &mut state.rules {
            if armed.holds(moment, ticket, seed) {
                armed.fire(moment, ticket, seed, &mut decision);
            }
        }
        decision
    }

    /// No panic can leave it halfway changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_near(near: Option<crate::wire::network::Network>, address: Option<IpAddr>) -> bool {
    near.is_none_or(|near| address.is_some_and(|address| near.contains(address)))
}

impl Armed {
    /// Whether all that the rule asks for is so; counts what it counts.
    fn holds(&mut self, moment: &Moment<'_>, ticket: &mut Ticket, seed: u64) -> bool {
        let when = &self.rule.when;
        let hides = !self.rule.what.hide.is_empty();
        let here = match (&self.rule.stage, moment.at) {
            // Capabilities are told of in IMAP's greeting too.
            (Stage::Any, At::Connect) => hides,
            (Stage::Any, At::Command { .. })
            | (Stage::Connect, At::Connect)
            | (Stage::Tls, At::Tls)
            | (Stage::Text, At::Text)
            | (Stage::Message, At::Message)
            | (Stage::Login, At::Command { login: true, .. }) => true,
            (Stage::Command(wanted), At::Command { verb, .. }) => wanted == verb,
            _ => false,
        };
        if !here || !moment.family.is_in(self.rule.scope) || !is_near(when.address, moment.address)
        {
            return false;
        }
        let far = match when.phase {
            None => true,
            Some(Phase::Anonymous) => moment.user.is_none(),
            Some(Phase::User) => moment.user.is_some(),
            Some(Phase::Selected) => moment.selected,
            Some(Phase::Clear) => !moment.tls,
            Some(Phase::Tls) => moment.tls,
        };
        let user = moment.user.or(moment.name);
        let is = |glob: &Option<crate::wire::glob::Glob>, text: Option<&str>| {
            let Some(glob) = glob else { return true };
            text.is_some_and(|text| glob.matches(text))
        };
        let to = when
            .to
            .as_ref()
            .is_none_or(|to| moment.to.iter().any(|one| to.matches(one)));
        if !far || !is(&when.user, user) || !is(&when.from, moment.from) || !to {
            return false;
        }
        let ordinal = ticket.ordinal(self.number);
        if when
            .connection
            .is_some_and(|nth| ordinal == 0 || !nth.has(ordinal))
            || when.message.is_some_and(|nth| !moment.is_message(nth))
        {
            return false;
        }
        if self.tallies.len() >= limits::FAULT_KEYS {
            self.tallies.clear();
        }
        let key = match when.greylist {
            Some(_) => moment.triplet(),
            None => moment.key(when.per),
        };
        let tally = self.tallies.entry(key).or_default();
        tally.held += 1;
        if when.nth.is_some_and(|nth| !nth.has(tally.held)) {
            return false;
        }
        let asked = ticket.ask(self.number);
        if let Some(chance) = when.chance {
            let dice = dice(when.seed.unwrap_or(seed), self.number, ordinal, asked);
            if dice % 1_000_000 >= u64::from(chance) {
                return false;
            }
        }
        if let Some(patience) = when.greylist {
            let first = *tally.first.get_or_insert(moment.now);
            if moment.now.saturating_duration_since(first) >= patience {
                return false;
            }
        }
        if let Some((most, window)) = when.limit {
            let (since, count) = tally.window.unwrap_or((moment.now, 0));
            let over = moment.now.saturating_duration_since(since) >= window;
            let (since, count) = if over {
                (moment.now, 1)
            } else {
                (since, count + 1)
            };
            tally.window = Some((since, count));
            if count <= most {
                return false;
            }
        }
        if when.times.is_some_and(|times| tally.fired >= times) {
            return false;
        }
        tally.fired = tally.fired.saturating_add(1);
        true
    }

    /// Adds what the rule does to what those before it do.
    fn fire(&mut self, moment: &Moment<'_>, ticket: &Ticket, seed: u64, decision: &mut Decision) {
        self.fired += 1;
        let (when, what) = (&self.rule.when, &self.rule.what);
        let asked = ticket.asked(self.number);
        let dice = dice(
            when.seed.unwrap_or(seed),
            self.number,
            ticket.ordinal(self.number),
            asked,
        );
        let between = |least: u64, most: u64, salt: u64| {
            least + mix(dice ^ salt) % (most - least).saturating_add(1)
        };
        if let Some((least, most)) = what.delay {
            let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            let delay = between(milliseconds(least), milliseconds(most), 1);
            decision.delay =
                (decision.delay + Duration::from_millis(delay)).min(limits::FAULT_DELAY);
        }
        if let Some((least, most)) = what.throttle {
            let rate = between(least, most, 2);
            decision.throttle = Some(decision.throttle.map_or(rate, |other| other.min(rate)));
        }
        decision.hide.extend(what.hide.iter().cloned());
        decision.short = decision.short.or(what.short);
        decision.count = decision.count.or(what.count);
        let settled = decision.outcome.is_some() || decision.drop;
        let outcome = match (&what.outcome, what.is_bare()) {
            (Some(outcome), _) => Some(outcome.clone()),
            (None, true) => Some(Outcome::Reply(words::usual(moment.family, when))),
            (None, false) => None,
        };
        let told = words::told(self.number, &self.rule, moment, settled);
        if !settled {
            decision.outcome = outcome;
            decision.drop = what.drop;
            decision.reset = what.reset;
            decision.after = what.after;
            decision.dice = mix(dice ^ 3);
        }
        decision.told.push(told);
    }
}

impl Ticket {
    /// The connection's number among those that the rule could be for; 0 if it began before the rule stood.
    fn ordinal(&self, number: u32) -> u64 {
        let mut ordinals = self.ordinals.iter();
        ordinals
            .find(|(rule, _)| *rule == number)
            .map_or(0, |(_, ordinal)| *ordinal)
    }

    fn asked(&self, number: u32) -> u64 {
        let mut asked = self.asked.iter();
        asked
            .find(|(rule, _)| *rule == number)
            .map_or(0, |(_, times)| *times)
    }

    fn ask(&mut self, number: u32) -> u64 {
        match self.asked.iter_mut().find(|(rule, _)| *rule == number) {
            Some((_, times)) => {
                *times += 1;
                *times
            }
            None => {
                self.asked.push((number, 1));
                1
            }
        }
    }
}

impl Moment<'_> {
    fn is_message(&self, nth: Nth) -> bool {
        self.messages.iter().any(|&(first, last)| match nth {
            Nth::Between(least, most) => first <= most && least <= last,
            Nth::Every(step) => last / step * step >= first.max(1),
        })
    }

    fn key(&self, per: Option<Per>) -> u64 {
        let Some(per) = per else { return 0 };
        let mut hasher = DefaultHasher::new();
        match per {
            Per::Connection => self.token.hash(&mut hasher),
            Per::Address => self.address.hash(&mut hasher),
            Per::User => self.user.or(self.name).hash(&mut hasher),
            Per::From => self.from.map(str::to_ascii_lowercase).hash(&mut hasher),
            Per::To => self
                .to
                .last()
                .map(|to| to.to_ascii_lowercase())
                .hash(&mut hasher),
        }
        hasher.finish()
    }

    /// The client's network, the sender, the recipient.
    fn triplet(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self.address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => address.octets()[..3].hash(&mut hasher),
            Some(IpAddr::V6(address)) => address.octets()[..8].hash(&mut hasher),
            None => {}
        }
        self.from.map(str::to_ascii_lowercase).hash(&mut hasher);
        self.to
            .last()
            .map(|to| to.to_ascii_lowercase())
            .hash(&mut hasher);
        hasher.finish()
    }
}

/// A number that is the same for the same of all these.
fn dice(seed: u64, rule: u32, connection: u64, asked: u64) -> u64 {
    [u64::from(rule), connection, asked]
        .into_iter()
        .fold(mix(seed), |dice, part| mix(dice ^ mix(part)))
}

/// splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// A service in whose sessions things go wrong as the rules say.
pub struct FaultyService {
    inner: Arc<dyn Service>,
    faults: Arc<Faults>,
}

impl FaultyService {
    /// Stands before `inner`.
    pub const fn new(inner: Arc<dyn Service>, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

impl Service for FaultyService {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn reads_header(&self) -> bool {
        self.inner.reads_header()
    }

    fn session(&self, peer: Peer) -> Box<dyn Session> {
        let family = Family::of(self.inner.name());
        let (token, address) = (peer.token, peer.remote.map(|remote| remote.ip()));
        let refused = peer.refused.is_some();
        let session = self.inner.session(peer);
        match family {
            Some(family) if !refused => {
                let faults = Arc::clone(&self.faults);
                Box::new(Faulty::new(session, faults, family, token, address))
            }
            _ => session,
        }
    }
}
