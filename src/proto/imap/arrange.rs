//! SORT and THREAD: what is kept of each message found, and the order of all in the end (RFC 5256, RFC 5957).

use std::cmp::Ordering;
use std::ops::Range;

use crate::limits;
use crate::store::{Digest, Entry, StoreError};
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
    rows: Vec<u32>,
    /// Of each row as many as SORT has keys, in their order.
    values: Vec<Value>,
    /// The texts of all of them.
    texts: Vec<u8>,
    mails: Vec<Mail>,
}

#[derive(Debug)]
enum Value {
    Number(i64),
    /// Its first octets, as a number that compares as they do; and where it is in the texts.
    Text(u64, Range<usize>),
}

/// All in order.
#[derive(Debug)]
pub enum Arranged {
    /// Of SORT.
    Sorted(Sorted),
    /// Of THREAD: as the response has them.
    Threads(Vec<u8>),
}

/// Messages in SORT's order, with what that is made of.
#[derive(Debug)]
pub struct Sorted {
    /// Also those that were taken out, until there are many.
    all: Arranging,
    /// Rows.
    order: Vec<usize>,
}

impl Sorted {
    /// Their UIDs.
    pub fn uids(&self) -> impl Iterator<Item = u32> + '_ {
        self.order.iter().map(|&row| self.all.rows[row])
    }

    /// How many they are.
    pub const fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Which digests are compared.
    pub fn digests(&self) -> &'static [Digest] {
        self.all.digests()
    }

    /// Puts a message where it belongs; returns its place, counted from 1. `order` and `received` are as [`Arranging::add`] has them. `None`
    /// when there are too many.
    pub fn insert(
        &mut self,
        entry: &Entry,
        order: &[u8],
        received: &dyn Fn() -> i64,
    ) -> Option<usize> {
        let row = self.all.rows.len();
        self.all.add(entry, entry.uid, order, received).ok()?;
        let Arrangement::Sort(keys) = &self.all.arrangement else {
            return None;
        };
        // What is equal stands in the order of the mailbox.
        let before = |&other: &usize| {
            let order = self.all.compare(keys, other, row);
            order.then(self.all.rows[other].cmp(&entry.uid)).is_lt()
        };
        let place = self.order.partition_point(before);
        self.order.insert(place, row);
        Some(place + 1)
    }

    /// Takes a message out; returns the place that it had, counted from 1.
    pub fn remove(&mut self, uid: u32) -> Option<usize> {
        let place = self.uids().position(|known| known == uid)?;
        self.order.remove(place);
        if self.all.rows.len() > 2 * self.order.len() + 100 {
            self.sweep();
        }
        Some(place + 1)
    }

    /// Forgets those that were taken out.
    fn sweep(&mut self) {
        let Arrangement::Sort(keys) = &self.all.arrangement else {
            return;
        };
        let count = keys.len();
        let mut kept = Arranging::new(self.all.arrangement.clone());
        for &row in &self.order {
            kept.rows.push(self.all.rows[row]);
            for value in &self.all.values[row * count..(row + 1) * count] {
                kept.values.push(match value {
                    Value::Number(number) => Value::Number(*number),
                    Value::Text(begins, range) => {
                        let from = kept.texts.len();
                        kept.texts.extend_from_slice(&self.all.texts[range.clone()]);
                        Value::Text(*begins, from..kept.texts.len())
                    }
                });
            }
        }
        self.order = (0..kept.rows.len()).collect();
        self.all = kept;
    }
}

impl Arranging {
    /// Of nothing yet.
    pub const fn new(arrangement: Arrangement) -> Self {
        Self {
            arrangement,
            rows: Vec::new(),
            values: Vec::new(),
            texts: Vec::new(),
            mails: Vec::new(),
        }
    }

    /// Which digests are compared: none, where the index says all.
    pub fn digests(&self) -> &'static [Digest] {
        let Arrangement::Sort(keys) = &self.arrangement else {
            return &[Digest::Order, Digest::Links];
        };
        let digests = |key: &SortKey| match key.criterion {
            Criterion::Arrival | Criterion::Size => 0,
            Criterion::Date | Criterion::Subject => 1,
            _ => 2,
        };
        let count = keys.iter().map(digests).max().unwrap_or(0);
        &[Digest::Order, Digest::People][..count]
    }

    /// One more message, which is told as `number`; `order` is its [digests](Self::digests), one after the other, and `received` tells
    /// INTERNALDATE.
    pub fn add(
        &mut self,
        entry: &Entry,
        number: u32,
        order: &[u8],
        received: &dyn Fn() -> i64,
    ) -> Result<(), StoreError> {
        if self.rows.len() + self.mails.len() >= limits::IMAP_ARRANGED {
            return Err(StoreError::Forbidden(
                "more than 200000 messages are not put in order at once; search for fewer",
            ));
        }
        let order = Order::read(order, self.digests());
        match &self.arrangement {
            Arrangement::Sort(keys) => {
                self.rows.push(entry.uid);
                for key in keys {
                    let text = match key.criterion {
                        Criterion::Arrival => Err(received()),
                        Criterion::Size => Err(i64::try_from(entry.size).unwrap_or(i64::MAX)),
                        Criterion::Date => Err(order.sent.unwrap_or_else(received)),
                        Criterion::Subject => Ok(order.subject),
                        Criterion::From => Ok(order.mailboxes[0]),
                        Criterion::To => Ok(order.mailboxes[1]),
                        Criterion::Cc => Ok(order.mailboxes[2]),
                        Criterion::DisplayFrom => Ok(order.displays[0]),
                        Criterion::DisplayTo => Ok(order.displays[1]),
                    };
                    self.values.push(match text {
                        Err(number) => Value::Number(number),
                        Ok(text) => {
                            let from = self.texts.len();
                            self.texts.extend_from_slice(text);
                            Value::Text(beginning(text), from..self.texts.len())
                        }
                    });
                }
            }
            Arrangement::Thread(_) => self.mails.push(Mail {
                number,
                sent: order.sent.unwrap_or_else(received),
                subject: String::from_utf8_lossy(order.subject).into_owned(),
                is_reply: order.is_reply,
                id: order.id.map(<[u8]>::to_vec),
                references: order.references().map(<[u8]>::to_vec).collect(),
            }),
        }
        Ok(())
    }

    /// There are no more.
    pub fn arranged(self) -> Arranged {
        match &self.arrangement {
            Arrangement::Thread(algorithm) => Arranged::Threads(threads(*algorithm, &self.mails)),
            Arrangement::Sort(keys) => {
                let mut places: Vec<usize> = (0..self.rows.len()).collect();
                // What is equal stays in the order of the mailbox.
                places.sort_unstable_by(|one, other| {
                    self.compare(keys, *one, *other).then(one.cmp(other))
                });
                Arranged::Sorted(Sorted {
                    order: places,
                    all: self,
                })
            }
        }
    }

    fn compare(&self, keys: &[SortKey], one: usize, other: usize) -> Ordering {
        let values = |row: usize| &self.values[row * keys.len()..(row + 1) * keys.len()];
        for (key, (one, other)) in keys.iter().zip(values(one).iter().zip(values(other))) {
            let order = match (one, other) {
                (Value::Number(one), Value::Number(other)) => one.cmp(other),
                (Value::Text(begins, one), Value::Text(other_begins, other)) => begins
                    .cmp(other_begins)
                    .then_with(|| self.texts[one.clone()].cmp(&self.texts[other.clone()])),
                // A key has values of one kind.
                _ => Ordering::Equal,
            };
            let order = match key.direction {
                Direction::Ascending => order,
                Direction::Descending => order.reverse(),
            };
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }
}

/// The first octets of a text: the smaller number is that of the smaller text, or they are equal.
fn beginning(text: &[u8]) -> u64 {
    let mut octets = [0; 8];
    let count = text.len().min(8);
    octets[..count].copy_from_slice(&text[..count]);
    u64::from_be_bytes(octets)
}

/// What SORT and THREAD compare of a header, as [`write_order`] and what comes after it wrote it. Texts have their octets (4) before
/// them.
///
/// ```text
/// order    sent (8), bits (1): sent is known, is a reply; subject
/// people   mailboxes of From, To, Cc; what is shown of From, To
/// links    whether there is a Message-ID (1); Message-ID; References ...
/// ```
#[derive(Debug, Default)]
struct Order<'a> {
    sent: Option<i64>,
    is_reply: bool,
    subject: &'a [u8],
    mailboxes: [&'a [u8]; 3],
    displays: [&'a [u8]; 2],
    id: Option<&'a [u8]>,
    references: &'a [u8],
}

impl<'a> Order<'a> {
    /// Of digests of these kinds.
    fn read(octets: &'a [u8], kinds: &[Digest]) -> Self {
        let mut order = Self::default();
        let Some((sent, rest)) = octets.split_first_chunk() else {
            return order;
        };
        let Some((&bits, mut rest)) = rest.split_first() else {
            return order;
        };
        order.sent = (bits & SENT != 0).then_some(i64::from_le_bytes(*sent));
        order.is_reply = bits & REPLY != 0;
        let mut text = || take_text(&mut rest).unwrap_or_default();
        order.subject = text();
        match kinds.get(1) {
            Some(Digest::People) => {
                order.mailboxes = [text(), text(), text()];
                order.displays = [text(), text()];
            }
            Some(Digest::Links) => {
                if let Some((&has_id, mut rest)) = rest.split_first() {
                    let id = take_text(&mut rest).unwrap_or_default();
                    order.id = (has_id != 0).then_some(id);
                    order.references = rest;
                }
            }
            _ => {}
        }
        order
    }

    fn references(&self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.references;
        std::iter::from_fn(move || take_text(&mut rest))
    }
}

/// Writes what SORT and THREAD compare of a header: [`Digest::Order`].
pub fn write_order(out: &mut Vec<u8>, header: &[u8]) {
    let subject = base_subject(&subject(header));
    let sent = header::value(header, "Date").and_then(|value| DateTime::from_header(&value));
    let bit = |bit, is_set| if is_set { bit } else { 0 };
    out.extend_from_slice(&sent.map_or(0, DateTime::unix).to_le_bytes());
    out.push(bit(SENT, sent.is_some()) | bit(REPLY, subject.is_reply));
    write_text(out, casemap(&subject.base).as_bytes());
}

/// Writes what SORT compares of people: [`Digest::People`].
pub fn write_people(out: &mut Vec<u8>, header: &[u8]) {
    let address = |field| header::value(header, field).and_then(|value| first_address(&value));
    let addresses = ["From", "To", "Cc"].map(address);
    for address in &addresses {
        let mailbox = address.as_ref().map(|address| casemap(&address.mailbox()));
        write_text(out, mailbox.unwrap_or_default().as_bytes());
    }
    for address in &addresses[..2] {
        let display = address.as_ref().map(|address| casemap(&address.display()));
        write_text(out, display.unwrap_or_default().as_bytes());
    }
}

/// Writes what THREAD compares: [`Digest::Links`].
pub fn write_links(out: &mut Vec<u8>, header: &[u8]) {
    let ids =
        |field| header::value(header, field).map_or_else(Vec::new, |value| message_ids(&value));
    let id = ids("Message-ID").into_iter().next();
    let mut references = ids("References");
    if references.is_empty() {
        references = ids("In-Reply-To");
        references.truncate(1);
    }
    out.push(u8::from(id.is_some()));
    write_text(out, &id.unwrap_or_default());
    for reference in &references {
        write_text(out, reference);
    }
}

const SENT: u8 = 1;
const REPLY: u8 = 2;

fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    // A header of 4 GiB is read by nobody.
    let octets = u32::try_from(text.len()).unwrap_or(0);
    out.extend_from_slice(&octets.to_le_bytes());
    out.extend_from_slice(&text[..octets as usize]);
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (octets, after) = rest.split_first_chunk()?;
    let octets = u32::from_le_bytes(*octets) as usize;
    let (text, after) = after.split_at_checked(octets)?;
    *rest = after;
    Some(text)
}

fn subject(header: &[u8]) -> String {
    header::value(header, "Subject").map_or_else(String::new, |value| decoded_value(&value))
}
