//! Options that are a time.

use std::str::FromStr;

/// `300`, `300s`, `5m`, `4h`, `5d`: seconds, one at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time(pub(super) i64);

impl FromStr for Time {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let unit = match &text[digits.len()..] {
            "" | "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            _ => return Err(EXAMPLE),
        };
        let number: Option<i64> = digits.parse().ok().filter(|number| *number > 0);
        // A hundred years: so that sums of such times are no problem of anybody.
        number
            .and_then(|number| number.checked_mul(unit))
            .filter(|seconds| *seconds <= 100 * 366 * 24 * 60 * 60)
            .map(Self)
            .ok_or(EXAMPLE)
    }
}

const EXAMPLE: &str = "give a time such as 30s, 5m, 4h or 5d";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let time = |text: &str| text.parse::<Time>().map(|time| time.0);
        assert_eq!(
            (time("1"), time("30s"), time("5m")),
            (Ok(1), Ok(30), Ok(300))
        );
        assert_eq!((time("4h"), time("5d")), (Ok(14_400), Ok(432_000)));
        for text in ["", "0", "-1", "s", "5 m", "1w", "99999999999999999d"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
