//! SORT and THREAD: what is kept of each message found, and the order of all in the end (RFC 5256, RFC 5957).

use std::cmp::Ordering;

use crate::limits;
use crate::store::{Entry, StoreError};
use crate::wire::casemap::casemap;
use crate::wire::date::DateTime;
use crate::wire::imap::arrange::{Arrangement, Criterion, Direction, SortKey};
use crate::wire::imap::thread::{Mail, threads};
use crate::wire::mime::address::first_address;
use crate::wire::mime::header::{self, message_ids};
use crate::wire::mime::subject::base_subject;
use crate::wire::mime::text::decoded_value;

/// Messages found so far, with what they are put in order by.
#[derive(Debug)]
pub struct Arranging {
    arrangement: Arrangement,
    rows: Vec<Row>,
    mails: Vec<Mail>,
}

/// A message, and its values in the order of SORT's keys.
#[derive(Debug)]
struct Row {
    uid: u32,
    values: Vec<Value>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Number(i64),
    Text(String),
}

/// All in order.
#[derive(Debug)]
pub enum Arranged {
    /// Of SORT: UIDs.
    Sorted(Vec<u32>),
    /// Of THREAD: as the response has them.
    Threads(Vec<u8>),
}

impl Arranging {
    /// Of nothing yet.
    pub const fn new(arrangement: Arrangement) -> Self {
        Self {
            arrangement,
            rows: Vec::new(),
            mails: Vec::new(),
        }
    }

    /// Whether headers have to be read.
    pub fn reads(&self) -> bool {
        let is_known =
            |key: &SortKey| matches!(key.criterion, Criterion::Arrival | Criterion::Size);
        match &self.arrangement {
            Arrangement::Sort(keys) => !keys.iter().all(is_known),
            Arrangement::Thread(_) => true,
        }
    }

    /// One more message, which is told as `number`; `header` is empty unless it [`Self::reads`].
    pub fn add(&mut self, entry: &Entry, number: u32, header: &[u8]) -> Result<(), StoreError> {
        if self.rows.len() + self.mails.len() >= limits::IMAP_ARRANGED {
            return Err(StoreError::Forbidden(
                "more than 200000 messages are not put in order at once; search for fewer",
            ));
        }
        match &self.arrangement {
            Arrangement::Sort(keys) => self.rows.push(Row {
                uid: entry.uid,
                values: keys
                    .iter()
                    .map(|key| value(key.criterion, entry, header))
                    .collect(),
            }),
            Arrangement::Thread(_) => self.mails.push(mail(entry, number, header)),
        }
        Ok(())
    }

    /// There are no more.
    pub fn arranged(mut self) -> Arranged {
        match self.arrangement {
            Arrangement::Thread(algorithm) => Arranged::Threads(threads(algorithm, &self.mails)),
            Arrangement::Sort(keys) => {
                // Stable: what is equal stays in the order of the mailbox.
                self.rows.sort_by(|one, other| compare(&keys, one, other));
                Arranged::Sorted(self.rows.into_iter().map(|row| row.uid).collect())
            }
        }
    }
}

fn compare(keys: &[SortKey], one: &Row, other: &Row) -> Ordering {
    let mut pairs = keys.iter().zip(one.values.iter().zip(&other.values));
    let differs = pairs.find_map(|(key, (one, other))| {
        let order = match key.direction {
            Direction::Ascending => one.cmp(other),
            Direction::Descending => other.cmp(one),
        };
        order.is_ne().then_some(order)
    });
    differs.unwrap_or(Ordering::Equal)
}

fn value(criterion: Criterion, entry: &Entry, header: &[u8]) -> Value {
    let mailbox = |field| {
        let address = header::value(header, field).and_then(|value| first_address(&value));
        Value::Text(address.map_or_else(String::new, |address| casemap(&address.mailbox())))
    };
    let display = |field| {
        let address = header::value(header, field).and_then(|value| first_address(&value));
        Value::Text(address.map_or_else(String::new, |address| casemap(&address.display())))
    };
    match criterion {
        Criterion::Arrival => Value::Number(entry.received),
        Criterion::Size => Value::Number(i64::try_from(entry.size).unwrap_or(i64::MAX)),
        Criterion::Date => Value::Number(sent(entry, header)),
        Criterion::Subject => Value::Text(casemap(&base_subject(&subject(header)).base)),
        Criterion::From => mailbox("From"),
        Criterion::To => mailbox("To"),
        Criterion::Cc => mailbox("Cc"),
        Criterion::DisplayFrom => display("From"),
        Criterion::DisplayTo => display("To"),
    }
}

fn subject(header: &[u8]) -> String {
    header::value(header, "Subject").map_or_else(String::new, |value| decoded_value(&value))
}

/// RFC 5256 §2.2: without a date that can be read, when it came.
fn sent(entry: &Entry, header: &[u8]) -> i64 {
    header::value(header, "Date")
        .and_then(|value| DateTime::from_header(&value))
        .map_or(entry.received, DateTime::unix)
}

fn mail(entry: &Entry, number: u32, header: &[u8]) -> Mail {
    let ids =
        |field| header::value(header, field).map_or_else(Vec::new, |value| message_ids(&value));
    let subject = base_subject(&subject(header));
    let mut references = ids("References");
    if references.is_empty() {
        references = ids("In-Reply-To");
        references.truncate(1);
    }
    Mail {
        number,
        sent: sent(entry, header),
        received: entry.received,
        subject: casemap(&subject.base),
        is_reply: subject.is_reply,
        id: ids("Message-ID").into_iter().next(),
        references,
    }
}
