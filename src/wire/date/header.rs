//! What a Date header holds: RFC 5322 §3.3, with the obsolete forms of §4.3.

use super::{Date, east, month, seconds, weekday};

/// The date and time of a header's value, its comments taken out: seconds since 1970, and seconds east of UTC. A wrong name of
/// the day is overlooked.
pub(super) fn read(value: &[u8]) -> Option<(i64, i32)> {
    let mut rest = Rest(value);
    if let Some(name) = rest.letters() {
        weekday(name)?;
        rest.sign(b',').then_some(())?;
    }
    let day = rest.digits(1..=2)?.1;
    let month = month(rest.letters()?)?;
    let year = match rest.digits(2..=4)? {
        // RFC 5322 §4.3: two digits are of 1950 to 2049, three count from 1900.
        (2, year) if year < 50 => year + 2000,
        (2 | 3, year) => year + 1900,
        (_, year) => year,
    };
    let hour = rest.digits(1..=2)?.1;
    rest.sign(b':').then_some(())?;
    let minute = rest.digits(2..=2)?.1;
    let second = match rest.sign(b':') {
        true => rest.digits(2..=2)?.1,
        false => 0,
    };
    let east = rest.zone()?;
    rest.is_empty().then_some(())?;
    // Of two digits each.
    let small = |number: i16| u8::try_from(number).ok();
    let date = Date::new(year, month, small(day)?)?;
    let local = seconds(date, (small(hour)?, small(minute)?, small(second)?))?;
    Some((local - i64::from(east), east))
}

/// What is still to be read. White space stands between any two parts.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn is_empty(&mut self) -> bool {
        self.0 = self.0.trim_ascii_start();
        self.0.is_empty()
    }

    fn sign(&mut self, sign: u8) -> bool {
        self.0 = self.0.trim_ascii_start();
        match self.0.split_first() {
            Some((first, rest)) if *first == sign => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// The octets at the beginning that are `kind`.
    fn run(&mut self, kind: fn(&u8) -> bool) -> Option<&'a str> {
        self.0 = self.0.trim_ascii_start();
        let length = self.0.iter().take_while(|octet| kind(octet)).count();
        let (run, rest) = self.0.split_at(length);
        self.0 = rest;
        std::str::from_utf8(run).ok().filter(|run| !run.is_empty())
    }

    fn letters(&mut self) -> Option<&'a str> {
        self.run(u8::is_ascii_alphabetic)
    }

    /// How many digits there are, and the number that they are.
    fn digits(&mut self, count: std::ops::RangeInclusive<usize>) -> Option<(usize, i16)> {
        let run = self.run(u8::is_ascii_digit)?;
        let number = count.contains(&run.len()).then(|| run.parse().ok())??;
        Some((run.len(), number))
    }

    /// `+0100`, or a name. Letters that are no known name say nothing (RFC 5322 §4.3), so they are UTC.
    fn zone(&mut self) -> Option<i32> {
        if let Some(name) = self.letters() {
            let known = ZONES.iter().find(|zone| zone.0.eq_ignore_ascii_case(name));
            return Some(known.map_or(0, |zone| zone.1 * 3600));
        }
        let (zone, rest) = self.0.split_at_checked(5)?;
        self.0 = rest;
        east(std::str::from_utf8(zone).ok()?)
    }
}

/// The zones of North America, by their hours east of UTC.
const ZONES: [(&str, i32); 8] = [
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
];
