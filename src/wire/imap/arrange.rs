//! What SORT and THREAD ask for (RFC 5256 §3, RFC 5957).

use crate::wire::imap::scan::{Scan, Scanner, problem};

/// How what was found is put in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrangement {
    /// SORT: by these keys, the first first.
    Sort(Vec<SortKey>),
    /// THREAD
    Thread(Threading),
}

/// By what, and which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// By what.
    pub criterion: Criterion,
    /// Which way.
    pub direction: Direction,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The small first.
    Ascending,
    /// `REVERSE`
    Descending,
}

/// What messages are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// INTERNALDATE, with its time.
    Arrival,
    /// The mailbox of the first Cc.
    Cc,
    /// When it was sent.
    Date,
    /// What is shown of the first From.
    DisplayFrom,
    /// What is shown of the first To.
    DisplayTo,
    /// The mailbox of the first From.
    From,
    /// Octets.
    Size,
    /// The base subject.
    Subject,
    /// The mailbox of the first To.
    To,
}

/// How messages are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threading {
    /// By their subject alone.
    OrderedSubject,
    /// By what they answer, then by their subject.
    References,
    /// By what they answer; where there was mail last comes last.
    Refs,
}

/// Scans SORT's criteria, and the space after them.
pub fn scan_criteria(scanner: &mut Scanner<'_>) -> Scan<Arrangement> {
    scanner.expect(b'(')?;
    let mut keys = Vec::new();
    loop {
        scanner.skip_spaces();
        if !keys.is_empty() && scanner.eat(b')') {
            break;
        }
        let direction = if scanner.eat_word("REVERSE") {
            scanner.space()?;
            Direction::Descending
        } else {
            Direction::Ascending
        };
        let word = scanner.word("a criterion such as DATE or SUBJECT")?;
        let criterion = match word.to_ascii_uppercase().as_str() {
            "ARRIVAL" => Criterion::Arrival,
            "CC" => Criterion::Cc,
            "DATE" => Criterion::Date,
            "DISPLAYFROM" => Criterion::DisplayFrom,
            "DISPLAYTO" => Criterion::DisplayTo,
            "FROM" => Criterion::From,
            "SIZE" => Criterion::Size,
            "SUBJECT" => Criterion::Subject,
            "TO" => Criterion::To,
            _ => {
                return problem(format!(
                    "there is no criterion {word}; there are ARRIVAL CC DATE DISPLAYFROM DISPLAYTO FROM SIZE SUBJECT TO, each also after REVERSE"
                ));
            }
        };
        let known = |key: &SortKey| key.criterion == criterion;
        // The second of the same decides nothing.
        if !keys.iter().any(known) {
            keys.push(SortKey {
                criterion,
                direction,
            });
        }
    }
    scanner.space()?;
    Ok(Arrangement::Sort(keys))
}

/// Scans THREAD's algorithm, and the space after it.
pub fn scan_algorithm(scanner: &mut Scanner<'_>) -> Scan<Arrangement> {
    let word = scanner.word("an algorithm such as REFERENCES")?;
    let threading = match word.to_ascii_uppercase().as_str() {
        "ORDEREDSUBJECT" => Threading::OrderedSubject,
        "REFERENCES" => Threading::References,
        "REFS" => Threading::Refs,
        _ => {
            return problem(format!(
                "there is no algorithm {word}; there are ORDEREDSUBJECT REFERENCES REFS"
            ));
        }
    };
    scanner.space()?;
    Ok(Arrangement::Thread(threading))
}
