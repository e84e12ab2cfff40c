//! Numbers and times as each dialect reads them, and complains of them.
//!
//! | dialect | as | complaint |
//! |---|---|---|
//! | openbsd | strtonum(3) | `timeout invalid: x`, `... too small: -1`, `... too large: 99999999999` |
//! | ncat | a number with `ms`, `s`, `m` or `h`, any case; seconds without | `Invalid -w timeout "x" (must be greater than 0 and less than 2147483s).` |
//! | traditional | atoi(3) | `invalid wait-time x` |

use std::time::Duration;

use crate::applet::nc::complaint::Complaint;
use crate::applet::nc::dialect::Dialect;

/// A number as strtonum(3) reads it: blanks and a sign before it, nothing behind it. The error is its word for it.
pub(super) fn strtonum(text: &str, (lowest, highest): (i64, i64)) -> Result<i64, &'static str> {
    let trimmed = text.trim_start();
    let digits = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
    if digits.is_empty() || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err("invalid");
    }
    let beyond = match trimmed.starts_with('-') {
        true => i64::MIN,
        false => i64::MAX,
    };
    let number = trimmed.parse().unwrap_or(beyond);
    if number < lowest {
        return Err("too small");
    }
    if number > highest {
        return Err("too large");
    }
    Ok(number)
}

/// The same, with the complaint of OpenBSD's nc.
pub(super) fn number(what: &str, text: &str, bounds: (i64, i64)) -> Result<i64, Complaint> {
    strtonum(text, bounds).map_err(|why| Complaint::Refused(format!("{what} {why}: {text}")))
}

/// A number as atoi(3) reads it: what begins it, and 0 where nothing does.
pub(super) fn atoi(text: &str) -> i64 {
    let text = text.trim_start();
    let sign = usize::from(text.starts_with(['-', '+']));
    let digits = text[sign..].bytes().take_while(u8::is_ascii_digit).count();
    strtonum(&text[..sign + digits], (i32::MIN.into(), i32::MAX.into())).unwrap_or_default()
}

/// Seconds as netcat-traditional reads them: 0 is none at all, and refused.
pub(super) fn traditional_seconds(what: &str, text: &str) -> Result<Duration, Complaint> {
    match u64::try_from(atoi(text)) {
        Ok(seconds @ 1..) => Ok(Duration::from_secs(seconds)),
        _ => Err(Complaint::Refused(format!("invalid {what} {text}"))),
    }
}

/// A time as ncat reads it, in whole milliseconds.
///
/// Until 2010 its times were milliseconds; as ncat, what looks like one of those is refused, for it would wait a thousand
/// times as long.
pub(super) fn time(dialect: Dialect, what: &str, text: &str) -> Result<Duration, Complaint> {
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = &text[number.len()..];
    let in_milliseconds = match unit.to_ascii_lowercase().as_str() {
        "ms" => 1.0,
        "" | "s" => 1000.0,
        "m" => 60.0 * 1000.0,
        "h" => 60.0 * 60.0 * 1000.0,
        _ => 0.0,
    };
    let number: f64 = number.trim_start().parse().unwrap_or(0.0);
    let milliseconds = number * in_milliseconds;
    if !(1.0..f64::from(i32::MAX)).contains(&milliseconds) {
        return Err(Complaint::Refused(format!(
            "Invalid {what} \"{text}\" (must be greater than 0 and less than {}s).",
            i32::MAX / 1000
        )));
    }
    if dialect == Dialect::Ncat && unit.is_empty() && milliseconds >= 100_000.0 {
        return Err(Complaint::Refused(format!(
            "Since April 2010, the default unit for {what} is seconds, so your time of \"{text}\" is {:.1} minutes. \
             Use \"{text}ms\" for {text} milliseconds.",
            milliseconds / 60_000.0
        )));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and i32::MAX, as looked at above; fractions are dropped, as ncat drops them"
    )]
    let whole = milliseconds as u64;
    Ok(Duration::from_millis(whole))
}

/// Octets a second: `500`, `64K`, `1M/s`; K, M and G times 1024, as curl and pv have it.
pub(super) fn rate(text: &str) -> Result<u64, Complaint> {
    let bare = text.strip_suffix("/s").unwrap_or(text);
    let (digits, factor) = match bare.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&bare[..at], 1 << 10),
        Some((at, 'm' | 'M')) => (&bare[..at], 1 << 20),
        Some((at, 'g' | 'G')) => (&bare[..at], 1 << 30),
        _ => (bare, 1_u64),
    };
    let octets = digits
        .bytes()
        .all(|octet| octet.is_ascii_digit())
        .then(|| digits.parse::<u64>().ok()?.checked_mul(factor))
        .flatten();
    octets.filter(|octets| *octets > 0).ok_or_else(|| {
        Complaint::Refused(format!(
            "--rate {text}: octets a second are wanted, such as 5000, 64K or 1M"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn because<T: std::fmt::Debug>(result: Result<T, Complaint>) -> String {
        match result.expect_err("it is wrong") {
            Complaint::Refused(text) => text,
            other => panic!("{other:?}"),
        }
    }

    /// What ncat 7.93 takes, and what it says to the rest.
    #[test]
    fn times_are_ncats() {
        for (text, milliseconds) in [
            ("1", 1000),
            ("1.5s", 1500),
            ("1m", 60_000),
            ("2h", 7_200_000),
            ("500ms", 500),
            (" 1s", 1000),
            ("1S", 1000),
            ("1MS", 1),
            ("1e2ms", 100),
            ("99", 99_000),
            ("100s", 100_000),
            (".5", 500),
        ] {
            let expected = Ok(Duration::from_millis(milliseconds));
            assert_eq!(time(Dialect::Ncat, "-w timeout", text), expected, "{text}");
        }
        for text in [
            "", "x", "0", "-1", "99999999", "1d", "1 s", "infs", "nans", "0.0001s", "s",
        ] {
            let expected = format!(
                "Invalid -w timeout \"{text}\" (must be greater than 0 and less than 2147483s)."
            );
            let said = because(time(Dialect::Ncat, "-w timeout", text));
            assert_eq!(said, expected);
        }
        assert_eq!(
            because(time(Dialect::Ncat, "-w timeout", "100")),
            "Since April 2010, the default unit for -w timeout is seconds, so your time of \"100\" is 1.7 minutes. \
             Use \"100ms\" for 100 milliseconds."
        );
        let long = time(Dialect::OpenBsd, "--wait timeout", "100");
        assert_eq!(
            long,
            Ok(Duration::from_secs(100)),
            "nobody meant milliseconds"
        );
    }

    #[test]
    fn traditional_reads_what_it_can() {
        for (text, expected) in [("5", 5), ("1x", 1), (" 2", 2), ("+3", 3)] {
            let seconds = traditional_seconds("wait-time", text);
            assert_eq!(seconds, Ok(Duration::from_secs(expected)), "{text}");
        }
        for text in ["x", "0", ""] {
            let said = because(traditional_seconds("wait-time", text));
            assert_eq!(said, format!("invalid wait-time {text}"));
        }
        assert_eq!(atoi("-1"), -1);
        assert_eq!(atoi("99999999999"), 0);
    }

    #[test]
    fn rates_have_suffixes() {
        for (text, expected) in [
            ("1", 1),
            ("64K", 65536),
            ("2m/s", 2 << 20),
            ("1G", 1 << 30),
            ("300/s", 300),
        ] {
            assert_eq!(rate(text), Ok(expected), "{text}");
        }
        for text in ["", "K", "0", "-1", "1.5M", "1T", "99999999999999G", "1 K"] {
            assert!(because(rate(text)).starts_with("--rate "), "{text}");
        }
    }
}
