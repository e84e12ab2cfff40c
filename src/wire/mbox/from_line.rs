//! The line that begins a message in an mbox.

use std::fmt;

use crate::wire::date::{self, Date, DateTime};

/// `From sender date`.
///
/// ```
/// use mailtool::wire::mbox::FromLine;
///
/// let line = FromLine::parse(b"From joe@example.org Sun Nov  6 08:49:37 1994\n").expect("one");
/// assert_eq!((&*line.sender, line.received), ("joe@example.org", 784_111_777));
/// assert_eq!(line.to_string(), "From joe@example.org Sun Nov  6 08:49:37 1994");
/// // What somebody wrote is none.
/// assert_eq!(FromLine::parse(b"From now on, Sunday is free\n"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromLine {
    /// The envelope's sender, or `MAILER-DAEMON`, or whatever a program put there.
    pub sender: Box<str>,
    /// Seconds since 1970. A time without a zone is in UTC (RFC 4155 appendix A).
    pub received: i64,
}

impl FromLine {
    /// Reads a line, `None` when it is not one: it must hold a whole date, with which nobody's sentence goes on after `From`.
    /// All the forms that are met: ctime's; with a zone as number or name before or after the year; that of RFC 5322; without seconds.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let rest = line.strip_prefix(b"From ")?;
        if rest.len() > LONGEST {
            return None;
        }
        let text = String::from_utf8_lossy(rest);
        let mut at = 0;
        for word in text.split([' ', '\t']) {
            if is_weekday(word) {
                let date = text[at..].trim();
                if let Some(received) = ctime(date) {
                    let sender = text[..at].trim();
                    return Some(Self {
                        sender: sender.into(),
                        received,
                    });
                }
            }
            at += word.len() + 1;
        }
        None
    }
}

impl fmt::Display for FromLine {
    /// As RFC 4155 appendix A has it, without the line end: the sender without spaces, the time in UTC.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bad = |letter: char| letter.is_whitespace() || letter.is_control();
        let sender = match self.sender.is_empty() || self.sender.contains(bad) {
            true => "MAILER-DAEMON",
            false => &*self.sender,
        };
        write!(
            formatter,
            "From {sender} {}",
            DateTime::utc(self.received).to_ctime()
        )
    }
}

/// Octets behind `From ` of the longest line that is one: an address and a date.
const LONGEST: usize = 1000;

fn is_weekday(word: &str) -> bool {
    let word = word.strip_suffix(',').unwrap_or(word);
    date::weekday(word).is_some()
}

/// Seconds since 1970 of a date that begins with the name of its day.
fn ctime(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.split_ascii_whitespace().skip(1).take(8).collect();
    let (&first, &second) = (words.first()?, words.get(1)?);
    if date::month(first).is_none() {
        // `Sun, 6 Nov 1994 08:49:37 +0100`
        return DateTime::from_header(text.as_bytes()).map(DateTime::unix);
    }
    let mut parts = words.get(2)?.split(':');
    let mut number = || parts.next().map(|part| part.parse::<u8>().ok());
    let (hour, minute) = (number()??, number()??);
    let seconds = number().unwrap_or(Some(0))?;
    let (mut year, mut zone) = (None, None);
    for word in &words[3..] {
        match word.parse::<i16>() {
            Ok(number) if word.len() == 4 && year.is_none() => year = Some(number),
            Ok(_) if word.starts_with(['+', '-']) && word.len() == 5 => zone = Some(*word),
            _ if year.is_none() || zone.is_none() => zone = zone.or(known_zone(word)),
            _ => {}
        }
    }
    let east = zone.and_then(date::east).unwrap_or(0);
    let day: u8 = second.parse().ok()?;
    let local = date::seconds(
        Date::new(year?, date::month(first)?, day)?,
        (hour, minute, seconds),
    )?;
    Some(local - i64::from(east))
}

/// A zone by its name: those of RFC 5322 §4.3, and none of the many that mean different things to different people.
fn known_zone(word: &str) -> Option<&'static str> {
    Some(match word {
        "EST" => "-0500",
        "EDT" => "-0400",
        "CST" => "-0600",
        "CDT" => "-0500",
        "MST" => "-0700",
        "MDT" => "-0600",
        "PST" => "-0800",
        "PDT" => "-0700",
        "CET" | "MET" => "+0100",
        "CEST" | "MEST" => "+0200",
        _ => return None,
    })
}
