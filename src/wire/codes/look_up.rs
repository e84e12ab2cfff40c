//! From what a person types to the rows of the tables.

use super::commands::COMMANDS;
use super::digits::{self, Digit};
use super::ports::{SERVICES, Service};
use super::{Command, Entry, Kind, capabilities, enhanced, extensions, imap, pop3, smtp};
use crate::limits;

/// One row of one of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// A code.
    Entry(&'static Entry),
    /// A command.
    Command(&'static Command),
    /// A service.
    Service(&'static Service),
}

/// What a word stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The word as it is written properly: `550`, `55x`, `5.1.1`, `5.7.x`, `RCPT`.
    pub word: String,
    /// For each digit that is known: its place drawn (`5..`), and its meaning. A third digit has no row.
    pub digits: Vec<(String, &'static Digit)>,
    /// Whether `word` leaves digits open, so that `hits` is a list to choose from.
    pub is_pattern: bool,
    /// The rows, in the order of the tables.
    pub hits: Vec<Hit>,
}

/// What `word` stands for; `None` when it is in no table. Case does not count.
///
/// ```
/// use mailtool::wire::codes::{find, Hit};
/// let found = find("55x").unwrap();
/// assert!(found.is_pattern);
/// assert!(matches!(found.hits[0], Hit::Entry(entry) if entry.code == "550"));
/// assert!(find("559").is_none());
/// ```
pub fn find(word: &str) -> Option<Found> {
    let found = shape(word);
    (!found.hits.is_empty()).then_some(found)
}

/// What may have been meant by a word that [`find`] does not know: at most `limit` words that it knows, the nearest first.
///
/// ```
/// use mailtool::wire::codes::nearest;
/// assert_eq!(nearest("559", 2), ["556", "555"]);
/// assert_eq!(nearest("RTER", 1), ["RETR"]);
/// ```
pub fn nearest(word: &str, limit: usize) -> Vec<String> {
    let mut near = if let Some(pattern) = reply_pattern(word) {
        nearest_replies(pattern)
    } else if let Some(pattern) = StatusPattern::parse(word) {
        nearest_statuses(&pattern)
    } else {
        nearest_words(word)
    };
    near.truncate(limit);
    near
}

/// The same class and category first, then the same class; what differs least in the last digit before the others.
fn nearest_replies(pattern: [Option<u8>; 3]) -> Vec<String> {
    let score = |code: &str| -> u32 {
        let weights = [1000, 100, 1];
        let places = pattern.iter().zip(code.bytes()).zip(weights);
        places
            .map(|((want, have), weight)| {
                want.map_or(0, |digit| u32::from(digit.abs_diff(have - b'0')) * weight)
            })
            .sum()
    };
    let mut scored: Vec<(u32, &str)> = entries(smtp::REPLIES)
        .map(|entry| (score(entry.code), entry.code))
        .collect();
    scored.sort();
    scored.into_iter().map(|row| row.1.to_owned()).collect()
}

/// The same subject, by how far the detail is; of an unknown subject, the least detail of each that there is.
fn nearest_statuses(pattern: &StatusPattern) -> Vec<String> {
    let wanted = pattern.detail.unwrap_or(0);
    let class = pattern.class.filter(|class| [2, 4, 5].contains(class));
    let class = class.map_or_else(|| "5".to_owned(), |class| class.to_string());
    let mut scored: Vec<(u16, u16, String)> = Vec::new();
    for entry in entries(enhanced::STATUSES) {
        let mut numbers = entry.code.split('.').skip(1);
        let mut number = || numbers.next().and_then(|number| number.parse::<u16>().ok());
        let (Some(subject), Some(detail)) = (number(), number()) else {
            continue;
        };
        let far = pattern
            .subject
            .map_or(0, |want| u16::from(want).abs_diff(subject));
        scored.push((
            far,
            wanted.abs_diff(detail),
            entry.code.replacen('X', &class, 1),
        ));
    }
    scored.sort();
    scored.into_iter().map(|row| row.2).collect()
}

fn nearest_words(word: &str) -> Vec<String> {
    let word = word.trim_matches(['[', ']']).to_ascii_uppercase();
    if word.len() > limits::LOOKED_UP {
        return Vec::new();
    }
    let mut scored: Vec<(usize, usize, String)> = Vec::new();
    for (place, known) in words().enumerate() {
        let bare = known.trim_matches(['[', ']']).to_ascii_uppercase();
        let distance = distance(&word, &bare);
        // More than half of it wrong is another word.
        if distance * 2 <= word.chars().count().max(2) {
            scored.push((distance, place, known));
        }
    }
    scored.sort();
    let mut near: Vec<String> = Vec::new();
    for (_, _, known) in scored {
        if !near.contains(&known) {
            near.push(known);
        }
    }
    near
}

/// Letters to insert, drop, change or swap with their neighbour, to make one word of the other.
pub(crate) fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let mut least = (row[j] + usize::from(a != b))
                .min(row[j + 1] + 1)
                .min(next[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[to.len()]
}

/// What the digits of `word` say, and its rows, which may be none: `559` has digits all the same.
fn shape(word: &str) -> Found {
    let word = word.trim();
    let bracketed = word.len() > 2 && word.starts_with('[') && word.ends_with(']');
    if bracketed {
        return response_code(word.trim_matches(['[', ']']));
    }
    if let Some(port) = port(word) {
        return port;
    }
    if let Some(pattern) = reply_pattern(word) {
        return reply(pattern);
    }
    if let Some(pattern) = StatusPattern::parse(word) {
        return status(&pattern);
    }
    plain_word(word)
}

/// The digits of a word that no table has: what they say holds all the same (RFC 5321 §4.2.1).
pub fn digits_of(word: &str) -> Vec<(String, &'static Digit)> {
    shape(word).digits
}

/// A number that is a port of a mail service and no reply code.
fn port(word: &str) -> Option<Found> {
    let number: u16 = word.parse().ok()?;
    let hits: Vec<Hit> = SERVICES
        .iter()
        .filter(|service| service.port == Some(number))
        .map(Hit::Service)
        .collect();
    (!hits.is_empty()).then(|| Found {
        word: number.to_string(),
        hits,
        ..Found::default()
    })
}

/// `5`, `55`, `550`, `55x`, `x5x`, `5yz`: a digit or an open place for each; `None` when it is nothing of the kind.
fn reply_pattern(word: &str) -> Option<[Option<u8>; 3]> {
    if word.is_empty() || word.len() > 3 {
        return None;
    }
    let mut pattern = [None; 3];
    for (place, byte) in word.bytes().enumerate() {
        pattern[place] = match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'x' | b'y' | b'z' | b'X' | b'Y' | b'Z' => None,
            _ => return None,
        };
    }
    pattern.iter().any(Option::is_some).then_some(pattern)
}

fn reply(pattern: [Option<u8>; 3]) -> Found {
    let tables = [digits::REPLY_CLASS, digits::REPLY_CATEGORY];
    let digits = tables
        .into_iter()
        .enumerate()
        .filter_map(|(place, table)| {
            let digit = pattern[place]?;
            let mut drawn = *b"...";
            drawn[place] = b'0' + digit;
            let drawn = String::from_utf8_lossy(&drawn).into_owned();
            Some((drawn, digits::find(table, digit)?))
        })
        .collect();
    let matches = |entry: &&Entry| {
        pattern
            .iter()
            .zip(entry.code.bytes())
            .all(|(want, have)| want.is_none_or(|digit| b'0' + digit == have))
    };
    Found {
        word: pattern
            .iter()
            .map(|digit| digit.map_or('x', |digit| char::from(b'0' + digit)))
            .collect(),
        digits,
        is_pattern: pattern.iter().any(Option::is_none),
        hits: entries(smtp::REPLIES)
            .filter(matches)
            .map(Hit::Entry)
            .collect(),
    }
}

/// `5.1.1`, `5.7`, `x.7.1`, `4.x.x`; an open place is `None`.
struct StatusPattern {
    class: Option<u8>,
    subject: Option<u8>,
    detail: Option<u16>,
}

impl StatusPattern {
    fn parse(word: &str) -> Option<Self> {
        let mut parts = word.split('.');
        let class = place(parts.next()?)?;
        let subject = place(parts.next()?)?;
        let detail = parts.next().map_or(Some(None), place)?;
        if parts.next().is_some() {
            return None;
        }
        Some(Self {
            class: narrow(class)?,
            subject: narrow(subject)?,
            detail,
        })
    }
}

/// One place of a status pattern: outer `None` is no number.
fn place(text: &str) -> Option<Option<u16>> {
    if text.eq_ignore_ascii_case("x") {
        return Some(None);
    }
    // RFC 3463 §2: at most three digits each.
    let digits = text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        text.parse().ok().map(Some)
    } else {
        None
    }
}

fn narrow(place: Option<u16>) -> Option<Option<u8>> {
    match place {
        None => Some(None),
        Some(number) => u8::try_from(number).ok().map(Some),
    }
}

fn status(pattern: &StatusPattern) -> Found {
    let class = pattern.class.map(|digit| (digit, digits::STATUS_CLASS));
    let subject = pattern.subject.map(|digit| (digit, digits::STATUS_SUBJECT));
    let mut digits = Vec::new();
    let mut is_known = true;
    for (given, first) in [(class, true), (subject, false)] {
        let Some((digit, table)) = given else {
            continue;
        };
        match digits::find(table, digit) {
            Some(row) if first => digits.push((format!("{digit}.x.x"), row)),
            Some(row) => digits.push((format!("x.{digit}.x"), row)),
            None => is_known = false,
        }
    }
    let matches = |entry: &&Entry| {
        let mut numbers = entry.code.split('.').skip(1);
        let mut fits = |want: Option<u16>| {
            let have = numbers.next().and_then(|number| number.parse::<u16>().ok());
            want.is_none() || want == have
        };
        is_known && fits(pattern.subject.map(u16::from)) && fits(pattern.detail)
    };
    let draw = |number: Option<u16>| number.map_or_else(|| "x".to_owned(), |n| n.to_string());
    Found {
        word: format!(
            "{}.{}.{}",
            draw(pattern.class.map(u16::from)),
            draw(pattern.subject.map(u16::from)),
            draw(pattern.detail)
        ),
        digits,
        is_pattern: pattern.subject.is_none() || pattern.detail.is_none(),
        hits: entries(enhanced::STATUSES)
            .filter(matches)
            .map(Hit::Entry)
            .collect(),
    }
}

/// `[TRYCREATE]`, `[UIDVALIDITY 7]`: what follows the code's first word is its argument.
fn response_code(inside: &str) -> Found {
    let code = inside.split(' ').next().unwrap_or_default();
    let hits = entries(&[pop3::CODES])
        .chain(entries(imap::CODES))
        .filter(|entry| entry.code.eq_ignore_ascii_case(code))
        .map(Hit::Entry)
        .collect();
    Found {
        word: format!("[{}]", code.to_ascii_uppercase()),
        hits,
        ..Found::default()
    }
}

fn plain_word(word: &str) -> Found {
    let same = |name: &str| name.eq_ignore_ascii_case(word);
    let codes = entries(&[pop3::STATUSES, imap::STATUSES, pop3::CODES]).chain(entries(imap::CODES));
    let mut hits: Vec<Hit> = codes.filter(|row| same(row.code)).map(Hit::Entry).collect();
    let commands = COMMANDS.iter().copied().flatten();
    hits.extend(commands.filter(|row| same(row.verb)).map(Hit::Command));
    let others = entries(OTHERS).filter(|row| same(row.code));
    hits.extend(others.map(Hit::Entry));
    if hits.is_empty() {
        hits.extend(begun(word));
    }
    hits.extend(
        SERVICES
            .iter()
            .filter(|row| same(row.name) || row.aliases.iter().any(|alias| same(alias)))
            .map(Hit::Service),
    );
    Found {
        word: word.to_owned(),
        hits,
        ..Found::default()
    }
}

/// `AUTH=PLAIN`: the row that begins so, and the mechanism; else, for `APPENDLIMIT=1000`, the rows of the word before the sign.
fn begun(word: &str) -> Vec<Hit> {
    let Some((name, value)) = word.split_once('=') else {
        return Vec::new();
    };
    let begins = |row: &&Entry| {
        let start = word.get(..row.code.len());
        row.code.ends_with(['=', '-']) && start.is_some_and(|it| it.eq_ignore_ascii_case(row.code))
    };
    let mut rows: Vec<&Entry> = entries(OTHERS).filter(begins).collect();
    if rows.is_empty() {
        let same = |row: &&Entry| row.code.eq_ignore_ascii_case(name);
        rows.extend(entries(OTHERS).filter(same));
    } else if name.eq_ignore_ascii_case("AUTH") {
        let same =
            |row: &&Entry| row.kind == Kind::Mechanism && row.code.eq_ignore_ascii_case(value);
        rows.extend(entries(OTHERS).filter(same));
    }
    rows.into_iter().map(Hit::Entry).collect()
}

fn entries(tables: &'static [&'static [Entry]]) -> impl Iterator<Item = &'static Entry> {
    tables.iter().copied().flatten()
}

/// Every word without digits that [`find`] knows; response codes in their brackets.
fn words() -> impl Iterator<Item = String> {
    let plain = entries(&[pop3::STATUSES, imap::STATUSES]).chain(entries(OTHERS));
    let plain = plain.map(|entry| entry.code.to_owned());
    let codes = entries(&[pop3::CODES])
        .chain(entries(imap::CODES))
        .map(|entry| format!("[{}]", entry.code));
    let commands = COMMANDS.iter().copied().flatten();
    let commands = commands.map(|command| command.verb.to_owned());
    let services = SERVICES.iter().map(|service| service.name.to_owned());
    plain.chain(commands).chain(codes).chain(services)
}

/// Words that come after the commands of the same name.
const OTHERS: &[&[Entry]] = &[
    imap::DATA,
    capabilities::POP3,
    capabilities::IMAP[0],
    capabilities::IMAP[1],
    extensions::KEYWORDS,
    extensions::RARE_KEYWORDS,
    extensions::PARAMETERS,
    extensions::RARE_PARAMETERS,
    extensions::MECHANISMS,
    extensions::RARE_MECHANISMS,
];

#[cfg(test)]
mod tests;
