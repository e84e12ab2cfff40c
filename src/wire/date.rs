//! Dates as mail writes them: in headers (RFC 5322 §3.3), and in IMAP commands and answers (RFC 3501 §9 `date-time`, `date`).
//!
//! No clock: seconds since 1970 come from the caller. What is printed is always the strict form; what is read may be any
//! of the obsolete forms of RFC 5322 §4.3 too (comments, two digits of a year, named zones). Calendar arithmetic is jiff's.

use jiff::Timestamp;
use jiff::civil::{self, Date};
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::{Offset, TimeZone};

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
    moment: Timestamp,
    offset: Offset,
}

impl DateTime {
    /// Seconds since 1970, written in UTC. Before year 1 and past year 9998 is brought into that range.
    pub fn utc(unix: i64) -> Self {
        Self::new(unix, 0)
    }

    /// Seconds since 1970, written in the offset of so many seconds east of UTC (at most a day: else UTC).
    pub fn new(unix: i64, east_seconds: i32) -> Self {
        let moment = Timestamp::from_second(unix.clamp(YEAR_1, YEAR_9998)).unwrap_or_default();
        let offset = Offset::from_seconds(east_seconds)
            .ok()
            .filter(|offset| offset.seconds().abs() <= 86_400)
            .unwrap_or(Offset::UTC);
        Self { moment, offset }
    }

    /// Reads the value of a Date header, obsolete forms included. A wrong name of the day is overlooked: people's
    /// scripts get it wrong, and the rest says all.
    pub fn from_header(value: &[u8]) -> Option<Self> {
        let parser = DateTimeParser::new().relaxed_weekday(true);
        let value = without_comments(value);
        let zoned = parser.parse_zoned(value.trim_ascii()).ok()?;
        Some(Self::new(
            zoned.timestamp().as_second(),
            zoned.offset().seconds(),
        ))
    }

    /// Reads IMAP's `date-time` without its quotes: `17-Jul-1996 02:44:25 -0700`, the day of one digit with or without
    /// the space before it.
    pub fn from_imap(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let mut words = text.trim_start_matches(' ').split(' ');
        let date = imap_date(words.next()?.as_bytes())?;
        let (time, zone) = (words.next()?.as_bytes(), words.next()?.as_bytes());
        let (
            &[h1, h2, b':', m1, m2, b':', s1, s2],
            &[sign @ (b'+' | b'-'), oh1, oh2, om1, om2],
            None,
        ) = (time, zone, words.next())
        else {
            return None;
        };
        // A leap second (60) is the last one of its minute here, as everywhere in Unix.
        let second = two_digits(s1, s2, 60)?.min(59);
        let time = civil::time(two_digits(h1, h2, 23)?, two_digits(m1, m2, 59)?, second, 0);
        let east =
            i32::from(two_digits(oh1, oh2, 23)?) * 3600 + i32::from(two_digits(om1, om2, 59)?) * 60;
        let offset = Offset::from_seconds(if sign == b'-' { -east } else { east }).ok()?;
        let moment = date
            .to_datetime(time)
            .to_zoned(TimeZone::fixed(offset))
            .ok()?
            .timestamp();
        Some(Self::new(moment.as_second(), offset.seconds()))
    }

    /// Seconds since 1970.
    pub fn unix(self) -> i64 {
        self.moment.as_second()
    }

    /// The day on the calendar of the one who wrote it; what IMAP's SEARCH compares (RFC 3501 §6.4.4: "disregarding time
    /// and timezone").
    pub fn date(self) -> Date {
        self.civil().date()
    }

    /// For a header: `Mon, 23 Nov 2026 06:27:42 +0000` (RFC 5322 §3.3).
    pub fn to_header(self) -> String {
        let at = self.civil();
        format!(
            "{}, {:02} {} {:04} {:02}:{:02}:{:02} {}",
            WEEKDAYS[at.weekday().to_monday_zero_offset() as usize],
            at.day(),
            MONTHS[at.month() as usize - 1],
            at.year(),
            at.hour(),
            at.minute(),
            at.second(),
            self.zone()
        )
    }

    /// IMAP's `date-time`, without its quotes: `23-Nov-2026 06:27:42 +0000`, a day of one digit after a space.
    pub fn to_imap(self) -> String {
        let at = self.civil();
        format!(
            "{:>2}-{}-{:04} {:02}:{:02}:{:02} {}",
            at.day(),
            MONTHS[at.month() as usize - 1],
            at.year(),
            at.hour(),
            at.minute(),
            at.second(),
            self.zone()
        )
    }

    /// As the Internet has it (RFC 3339 §5.6): `2026-11-23T06:27:42Z`, in UTC.
    pub fn to_internet(self) -> String {
        self.moment.to_string()
    }

    /// As ctime(3) has it, in UTC: `Sun Nov  6 08:49:37 1994`.
    pub fn to_ctime(self) -> String {
        let at = Offset::UTC.to_datetime(self.moment);
        format!(
            "{} {} {:>2} {:02}:{:02}:{:02} {:04}",
            WEEKDAYS[at.weekday().to_monday_zero_offset() as usize],
            MONTHS[at.month() as usize - 1],
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.year()
        )
    }

    fn civil(self) -> civil::DateTime {
        self.offset.to_datetime(self.moment)
    }

    fn zone(self) -> String {
        let minutes = self.offset.seconds() / 60;
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
    Date::new(year, i8::try_from(month).ok()? + 1, day).ok()
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
    let octets = value.as_bytes();
    let shape = octets
        .get(10)
        .is_some_and(|octet| octet.eq_ignore_ascii_case(&b'T'))
        && (20..=40).contains(&octets.len())
        && octets[13] == b':'
        && octets[16] == b':'
        && !value.contains('[');
    let moment: Timestamp = shape.then(|| value.parse().ok()).flatten()?;
    Some(moment.as_second())
}

/// The day of the week of this name of three letters, 0 for Monday.
pub(super) fn weekday(name: &str) -> Option<usize> {
    WEEKDAYS
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name))
}

/// The month of this name of three letters, 1 for January.
pub(super) fn month(name: &str) -> Option<i8> {
    let at = MONTHS
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name))?;
    i8::try_from(at + 1).ok()
}

/// Seconds east of UTC that `+0100` says.
pub(super) fn east(zone: &str) -> Option<i32> {
    let &[sign @ (b'+' | b'-'), h1, h2, m1, m2] = zone.as_bytes() else {
        return None;
    };
    let east = i32::from(two_digits(h1, h2, 23)?) * 3600 + i32::from(two_digits(m1, m2, 59)?) * 60;
    Some(if sign == b'-' { -east } else { east })
}

/// Seconds since 1970 of a time in UTC; `None` when there is no such day or time.
pub(super) fn seconds(
    year: i16,
    month: i8,
    day: u8,
    (hour, minute, second): (u8, u8, u8),
) -> Option<i64> {
    let date = Date::new(year, month, i8::try_from(day).ok()?).ok()?;
    // A leap second (60) is the last one of its minute here, as everywhere in Unix.
    let second = match second {
        60 => 59,
        second => second,
    };
    let signed = |number: u8| i8::try_from(number).ok();
    let time = civil::Time::new(signed(hour)?, signed(minute)?, signed(second)?, 0).ok()?;
    let moment = date.to_datetime(time).to_zoned(TimeZone::UTC).ok()?;
    Some(moment.timestamp().as_second())
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

fn two_digits(tens: u8, units: u8, max: i8) -> Option<i8> {
    if !tens.is_ascii_digit() || !units.is_ascii_digit() {
        return None;
    }
    let number = ((tens - b'0') * 10 + (units - b'0')) as i8;
    (number <= max).then_some(number)
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

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
        assert_eq!(date.date(), civil::date(1996, 7, 17));
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

    proptest! {
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
