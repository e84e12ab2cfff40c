//! The calendar of Gregory, also for the times before him: days since 1970 as year, month and day, and back.
//!
//! A year is taken to begin in March, so that the day that some of them have more is their last.

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: i16,
    month: u8,
    day: u8,
}

impl Date {
    /// A day of this year, month (1 to 12) and day of the month; `None` when there is no such day.
    pub const fn new(year: i16, month: u8, day: u8) -> Option<Self> {
        let length = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            _ => return None,
        };
        if day == 0 || day > length {
            return None;
        }
        Some(Self { year, month, day })
    }

    /// The year.
    pub const fn year(self) -> i16 {
        self.year
    }

    /// The month, 1 for January.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month.
    pub const fn day(self) -> u8 {
        self.day
    }

    /// The day of the week, 0 for Monday.
    pub const fn weekday(self) -> usize {
        // 1 January 1970 was a Thursday.
        (self.since_1970() + 3).rem_euclid(7) as usize
    }

    /// Days since 1 January 1970.
    pub const fn since_1970(self) -> i64 {
        let year = self.year as i64 - (self.month <= 2) as i64;
        let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
        // March is 0.
        let month = (self.month as i64 + 9) % 12;
        let day = first_of(month) + self.day as i64 - 1;
        era * DAYS_OF_400_YEARS + year * 365 + year / 4 - year / 100 + day + DAYS_BEFORE_1970
    }

    /// The day so many days after 1 January 1970. Its year has to fit an `i16`.
    pub(super) const fn after_1970(days: i64) -> Self {
        let days = days - DAYS_BEFORE_1970;
        let era = days.div_euclid(DAYS_OF_400_YEARS);
        let day = days.rem_euclid(DAYS_OF_400_YEARS);
        // Without the leap days that were, every year has 365 days.
        let year = (day - day / 1_460 + day / 36_524 - day / (DAYS_OF_400_YEARS - 1)) / 365;
        let day = day - (year * 365 + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - first_of(month) + 1;
        let year = era * 400 + year + (month >= 10) as i64;
        Self {
            year: year as i16,
            month: ((month + 2) % 12 + 1) as u8,
            day: day as u8,
        }
    }
}

/// Days of a year before its month, March being 0: they are 31 and 30 by turns, with two of 31 after five months.
const fn first_of(month: i64) -> i64 {
    (153 * month + 2) / 5
}

const DAYS_OF_400_YEARS: i64 = 146_097;
/// From 1 March of year 0 to 1 January 1970, as a negative number.
const DAYS_BEFORE_1970: i64 = -719_468;
