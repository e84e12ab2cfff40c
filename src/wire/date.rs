//! Dates as mail writes them: in headers (RFC 5322 §3.3), and in IMAP commands and answers (RFC 3501 §9 `date-time`, `date`).
//!
//! No clock: seconds since 1970 come from the caller. What is printed is always the strict form; what is read may be any
//! of the obsolete forms of RFC 5322 §4.3 too (comments, two digits of a year, named zones).
//!
//! The calendar is our own: a crate for it would be a fortieth of the program. Tests hold it against jiff.

mod calendar;
mod header;

pub use calendar::Date;

/// A moment, and the offset from UTC in which it was, or shall be, written.
///
/// ```
/// use mailtool::wire::date::DateTime;
///
/// let date = DateTime::utc(784_111_777);
/// assert_eq!(date.to_header(), "Sun, 06 Nov 1994 08:49:37 +0000");
/// assert_eq!(date.to_imap(), " 6-Nov-1994 08:49:37 +0000");
/// assert_eq!(DateTime::from_header(b"6 Nov 94 08:49:37 GMT (UTC)"), Some(date));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime {
    unix: i64,
    east: i32,
}

impl DateTime {
    /// Seconds since 1970, written in UTC. Before year 1 and past year 9998 is brought into that range.
    pub fn utc(unix: i64) -> Self {
        Self::new(unix, 0)
    }

    /// Seconds since 1970, written in the offset of so many seconds east of UTC (at most a day: else UTC).
    pub fn new(unix: i64, east_seconds: i32) -> Self {
        let is_known = (-DAY..=DAY).contains(&i64::from(east_seconds));
        Self {
            unix: unix.clamp(YEAR_1, YEAR_9998),
            east: if is_known { east_seconds } else { 0 },
        }
    }

    /// Reads the value of a Date header, obsolete forms included. A wrong name of the day is overlooked: people's
    /// scripts get it wrong, and the rest says all. Without a zone that makes sense it is UTC, without a time midnight
    /// (RFC 5256 §2.2).
    pub fn from_header(value: &[u8]) -> Option<Self> {
        let value = without_comments(value);
        let (unix, east) = header::read(&value).or_else(|| header::read(&in_utc(&value)))?;
        Some(Self::new(unix, east))
    }

    /// Reads IMAP's `date-time` without its quotes: `17-Jul-1996 02:44:25 -0700`, the day of one digit with or without
    /// the space before it.
    pub fn from_imap(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let mut words = text.trim_start_matches(' ').split(' ');
        let date = imap_date(words.next()?.as_bytes())?;
        let time = words.next()?.as_bytes();
        let (&[h1, h2, b':', m1, m2, b':', s1, s2], Some(zone), None) =
            (time, words.next(), words.next())
        else {
            return None;
        };
        let time = (
            two_digits(h1, h2, 23)?,
            two_digits(m1, m2, 59)?,
            two_digits(s1, s2, 60)?,
        );
        let east = east(zone)?;
        Some(Self::new(seconds(date, time)? - i64::from(east), east))
    }

    /// Seconds since 1970.
    pub const fn unix(self) -> i64 {
        self.unix
    }

    /// The day on the calendar of the one who wrote it; what IMAP's SEARCH compares (RFC 3501 §6.4.4: "disregarding time
    /// and timezone").
    pub const fn date(self) -> Date {
        Date::after_1970((self.unix + self.east as i64).div_euclid(DAY))
    }

    /// Hour, minute and second on the clock of the one who wrote it.
    pub const fn time(self) -> (u8, u8, u8) {
        let second = (self.unix + self.east as i64).rem_euclid(DAY);
        // A day has 24 hours of 60 minutes of 60 seconds.
        (
            (second / 3600) as u8,
            (second / 60 % 60) as u8,
            (second % 60) as u8,
        )
    }

    /// For a header: `Mon, 23 Nov 2026 06:27:42 +0000` (RFC 5322 §3.3).
    pub fn to_header(self) -> String {
        let (date, clock, zone) = (self.date(), self.clock(), self.zone());
        let (weekday, month) = names(date);
        let (day, year) = (date.day(), date.year());
        format!("{weekday}, {day:02} {month} {year:04} {clock} {zone}")
    }

    /// IMAP's `date-time`, without its quotes: `23-Nov-2026 06:27:42 +0000`, a day of one digit after a space.
    pub fn to_imap(self) -> String {
        let (date, clock, zone) = (self.date(), self.clock(), self.zone());
        let (_, month) = names(date);
        let (day, year) = (date.day(), date.year());
        format!("{day:>2}-{month}-{year:04} {clock} {zone}")
    }

    /// As the Internet has it (RFC 3339 §5.6): `2026-11-23T06:27:42Z`, in UTC.
    pub fn to_internet(self) -> String {
        let at = Self::utc(self.unix);
        let (date, clock) = (at.date(), at.clock());
        let (year, month, day) = (date.year(), date.month(), date.day());
        format!("{year:04}-{month:02}-{day:02}T{clock}Z")
    }

    /// As ctime(3) has it, in UTC: `Sun Nov  6 08:49:37 1994`.
    pub fn to_ctime(self) -> String {
        let at = Self::utc(self.unix);
        let (date, clock) = (at.date(), at.clock());
        let (weekday, month) = names(date);
        let (day, year) = (date.day(), date.year());
        format!("{weekday} {month} {day:>2} {clock} {year:04}")
    }

    fn clock(self) -> String {
        let (hour, minute, second) = self.time();
        format!("{hour:02}:{minute:02}:{second:02}")
    }

    fn zone(self) -> String {
        let minutes = self.east / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        format!("{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60)
    }
}

/// Reads IMAP's `date` without its quotes: `1-Feb-1994`, also `01-feb-1994`.
///
/// ```
/// use mailtool::wire::date::imap_date;
///
/// assert!(imap_date(b"1-Feb-1994") < imap_date(b"28-Feb-1994"));
/// assert_eq!(imap_date(b"30-Feb-1994"), None);
/// ```
pub fn imap_date(value: &[u8]) -> Option<Date> {
    let mut parts = value.split(|&octet| octet == b'-');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let day = match *day {
        [units] => two_digits(b'0', units, 31)?,
        [tens, units] => two_digits(tens, units, 31)?,
        _ => return None,
    };
    let month = MONTHS
        .iter()
        .position(|name| name.as_bytes().eq_ignore_ascii_case(month))?;
    let &[y1, y2, y3, y4] = year else { return None };
    let year = i16::from(two_digits(y1, y2, 99)?) * 100 + i16::from(two_digits(y3, y4, 99)?);
    if parts.next().is_some() {
        return None;
    }
    Date::new(year, u8::try_from(month).ok()? + 1, day)
}

/// Reads a date and time of the Internet (RFC 3339 §5.6): seconds since 1970.
///
/// ```
/// use mailtool::wire::date::from_internet;
///
/// assert_eq!(from_internet("1994-11-06T09:49:37+01:00"), Some(784_111_777));
/// assert_eq!(from_internet("1994-11-06"), None);
/// ```
pub fn from_internet(value: &str) -> Option<i64> {
    let (date, rest) = value.as_bytes().split_at_checked(10)?;
    let (time, mut rest) = rest.split_at_checked(9)?;
    let &[y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2] = date else {
        return None;
    };
    let &[b'T' | b't', h1, h2, b':', m1, m2, b':', s1, s2] = time else {
        return None;
    };
    let year = i16::from(two_digits(y1, y2, 99)?) * 100 + i16::from(two_digits(y3, y4, 99)?);
    let date = Date::new(year, two_digits(mo1, mo2, 12)?, two_digits(d1, d2, 31)?)?;
    let time = (
        two_digits(h1, h2, 23)?,
        two_digits(m1, m2, 59)?,
        two_digits(s1, s2, 60)?,
    );
    // A fraction of a second counts for nothing.
    if let Some(fraction) = rest.strip_prefix(b".") {
        let digits = fraction.iter().take_while(|octet| octet.is_ascii_digit());
        let (digits, zone) = fraction.split_at(digits.count());
        if digits.is_empty() {
            return None;
        }
        rest = zone;
    }
    let east = match *rest {
        [b'Z' | b'z'] => 0,
        [sign, h1, h2, b':', m1, m2] => east(std::str::from_utf8(&[sign, h1, h2, m1, m2]).ok()?)?,
        _ => return None,
    };
    Some(seconds(date, time)? - i64::from(east))
}

/// Seconds since 1970 of a time in UTC: hour, minute, second; `None` when there is no such time.
pub fn seconds(date: Date, (hour, minute, second): (u8, u8, u8)) -> Option<i64> {
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // A leap second (60) is the last one of its minute here, as everywhere in Unix.
    let second = i64::from(second.min(59));
    Some(date.since_1970() * DAY + i64::from(hour) * 3600 + i64::from(minute) * 60 + second)
}

/// The day of the week of this name of three letters, 0 for Monday.
pub(super) fn weekday(name: &str) -> Option<usize> {
    WEEKDAYS
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name))
}

/// The month of this name of three letters, 1 for January.
pub(super) fn month(name: &str) -> Option<u8> {
    let at = MONTHS
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name))?;
    u8::try_from(at + 1).ok()
}

/// Seconds east of UTC that `+0100` says.
pub(super) fn east(zone: &str) -> Option<i32> {
    let &[sign @ (b'+' | b'-'), h1, h2, m1, m2] = zone.as_bytes() else {
        return None;
    };
    let east = i32::from(two_digits(h1, h2, 23)?) * 3600 + i32::from(two_digits(m1, m2, 59)?) * 60;
    Some(if sign == b'-' { -east } else { east })
}

/// What is there up to the time, or up to the year where there is no time, and what is missing behind it.
fn in_utc(value: &[u8]) -> Vec<u8> {
    let is_space = |octet: &u8| octet.is_ascii_whitespace();
    let words = value.split(is_space).filter(|word| !word.is_empty());
    let words: Vec<&[u8]> = words.take(8).collect();
    let time = words.iter().position(|word| word.contains(&b':'));
    let days = words.first().is_some_and(|word| word.ends_with(b","));
    let (count, rest): (_, &[u8]) = match time {
        Some(time) => (time + 1, b"+0000"),
        None => (3 + usize::from(days), b"00:00:00 +0000"),
    };
    let mut whole = words[..count.min(words.len())].join(&b' ');
    whole.push(b' ');
    whole.extend_from_slice(rest);
    whole
}

/// Comments (RFC 5322 §3.2.2), which may nest and stand between any two tokens, as one space each.
fn without_comments(value: &[u8]) -> Vec<u8> {
    let mut depth = 0_usize;
    let mut kept = Vec::with_capacity(value.len());
    for &octet in value {
        match octet {
            b'(' => {
                depth += 1;
                kept.push(b' ');
            }
            b')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(octet),
            _ => {}
        }
    }
    kept
}

fn two_digits(tens: u8, units: u8, max: u8) -> Option<u8> {
    if !tens.is_ascii_digit() || !units.is_ascii_digit() {
        return None;
    }
    let number = (tens - b'0') * 10 + (units - b'0');
    (number <= max).then_some(number)
}

/// The names of a day of the week, and of its month.
fn names(date: Date) -> (&'static str, &'static str) {
    let month = usize::from(date.month()) - 1;
    (WEEKDAYS[date.weekday()], MONTHS[month])
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Seconds of a day.
const DAY: i64 = 86_400;
/// 2 January of year 1: with any offset, the year has four digits and is positive.
const YEAR_1: i64 = -62_135_510_400;
/// The end of year 9998.
const YEAR_9998: i64 = 253_370_764_799;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn offsets_are_written_and_read() {
        let date = DateTime::new(837_596_665, -7 * 3600);
        assert_eq!(date.to_header(), "Wed, 17 Jul 1996 02:44:25 -0700");
        assert_eq!(date.to_imap(), "17-Jul-1996 02:44:25 -0700");
        assert_eq!(
            DateTime::from_imap(b"17-Jul-1996 02:44:25 -0700"),
            Some(date)
        );
        assert_eq!(date.date(), Date::new(1996, 7, 17).unwrap());
        assert_eq!(
            DateTime::new(0, 20_700).to_header(),
            "Thu, 01 Jan 1970 05:45:00 +0545"
        );
        assert_eq!(
            DateTime::new(0, -1_800).to_imap(),
            "31-Dec-1969 23:30:00 -0030"
        );
    }

    #[test]
    fn obsolete_and_untidy_headers_are_read() {
        for (value, unix) in [
            (&b" Fri, 21 Nov 1997 09:55:06 -0600"[..], 880_127_706),
            (b"21 Nov 97 09:55:06 CST", 880_127_706),
            (b"Mon, 21 Nov 1997 09:55 -0600 (the wrong day)", 880_127_700),
            (
                b"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600",
                880_127_706,
            ),
        ] {
            let read = DateTime::from_header(value).map(DateTime::unix);
            assert_eq!(read, Some(unix), "{}", String::from_utf8_lossy(value));
        }
        assert_eq!(DateTime::from_header(b"yesterday"), None);
        // RFC 5256 §2.2: what is wrong or missing at the end is UTC, and midnight.
        for (value, unix) in [
            (&b"21 Nov 1997 09:55:06"[..], 880_106_106),
            (b"Fri, 21 Nov 1997 09:55:06 +9999", 880_106_106),
            (b"21 Nov 1997 09:55 SOMEWHERE", 880_106_100),
            (b"Fri, 21 Nov 1997", 880_070_400),
            (b"21 Nov 1997", 880_070_400),
            (b"Fri, 21 Nov 1997 quarter to nine", 880_070_400),
        ] {
            let read = DateTime::from_header(value).map(DateTime::unix);
            assert_eq!(read, Some(unix), "{}", String::from_utf8_lossy(value));
        }
        for value in [&b""[..], b"09:55:06", b"32 Nov 1997", b"Fri,", b"21 Nov"] {
            assert_eq!(DateTime::from_header(value), None, "{value:?}");
        }
    }

    #[test]
    fn imap_dates_are_strict() {
        for bad in [
            "17-Jul-1996 02:44:25",
            "17-Jul-1996 24:00:00 +0000",
            "31-Jun-1996 00:00:00 +0000",
            "17-Jul-96 00:00:00 +0000",
            "17-Jul-1996 00:00:00 +0000 x",
            "",
        ] {
            assert_eq!(DateTime::from_imap(bad.as_bytes()), None, "{bad}");
        }
        assert!(DateTime::from_imap(b" 1-jan-2000 00:00:60 +0000").is_some());
    }

    #[test]
    fn dates_of_the_internet_are_read() {
        for (value, unix) in [
            ("1985-04-12T23:20:50.52Z", 482_196_050),
            ("1996-12-19T16:39:57-08:00", 851_042_397),
            ("1990-12-31T23:59:60z", 662_687_999),
            ("1937-01-01t12:00:27.87+00:20", -1_041_337_173),
        ] {
            assert_eq!(from_internet(value), Some(unix), "{value}");
        }
        for bad in [
            "1985-04-12 23:20:50Z",
            "1985-04-12T23:20:50",
            "1985-04-12T23:20:50.Z",
            "1985-04-12T23:20Z",
            "1985-02-29T23:20:50Z",
            "1985-04-12T24:00:00Z",
            "1985-04-12T23:20:50+1:00",
            "1985-04-12T23:20:50Z[UTC]",
        ] {
            assert_eq!(from_internet(bad), None, "{bad}");
        }
    }

    /// Every day that can be written has the name that jiff gives it, and is found again.
    #[test]
    fn the_calendar_is_that_of_jiff() {
        let mut day = jiff::civil::date(1, 1, 1);
        let last = jiff::civil::date(9999, 12, 31);
        let mut since = Date::new(1, 1, 1).unwrap().since_1970();
        loop {
            let (year, month, number) = (day.year(), day.month() as u8, day.day() as u8);
            let ours = Date::new(year, month, number).unwrap();
            assert_eq!(ours.since_1970(), since, "{day}");
            assert_eq!(Date::after_1970(since), ours, "{day}");
            let weekday = day.weekday().to_monday_zero_offset() as usize;
            assert_eq!(ours.weekday(), weekday, "{day}");
            assert!(month != 12 || Date::new(year, month, 32).is_none());
            if day == last {
                break;
            }
            let next = day.tomorrow().unwrap();
            let is_last = next.day() == 1;
            assert_eq!(Date::new(year, month, number + 1).is_none(), is_last);
            (day, since) = (next, since + 1);
        }
    }

    proptest! {
        /// What jiff reads is read, and as the same moment.
        #[test]
        fn headers_are_read_as_jiff_does(
            value in "((Mon|tue|WED), ?)?[0-3]?[0-9] (Jan|feb|JUN|Dec) ([12][0-9])?[0-9]{2} +[0-2][0-9] ?: ?[0-5][0-9]( ?:[0-6][0-9])? \\(?([+-][01][0-9][0-5][0-9]|GMT|UT|EST|PDT|Z)"
        ) {
            let parser = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
            let theirs = parser.parse_zoned(&value).ok();
            let theirs = theirs.map(|it| (it.timestamp().as_second(), it.offset().seconds()));
            let ours = header::read(value.as_bytes());
            prop_assert_eq!(ours, theirs, "{}", value);
        }

        #[test]
        fn what_is_written_is_read_back(unix: i64, minutes in -840i32..=840) {
            let date = DateTime::new(unix, minutes * 60);
            prop_assert_eq!(DateTime::from_imap(date.to_imap().as_bytes()), Some(date));
            prop_assert_eq!(DateTime::from_header(date.to_header().as_bytes()), Some(date));
        }

        #[test]
        fn any_octets_are_refused_or_read(value: Vec<u8>) {
            let _ = (DateTime::from_imap(&value), DateTime::from_header(&value), imap_date(&value));
        }
    }
}
