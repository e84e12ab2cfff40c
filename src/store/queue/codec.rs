//! A queued message as text: what `STORE/queue/ID.entry` holds.
//!
//! ```text
//! mailtool queue 1
//! arrival 1764000000
//! octets 5123
//! preface 31
//! from <bob@example.org>
//! size 5000                                  any of these, in any order
//! body 8bitmime | binarymime
//! smtputf8
//! ret full | hdrs
//! envid QQ314159
//! auth bob@example.org
//! requiretls
//! by 1764086400 return | notify [trace]
//! holduntil 1764003600
//! priority 3
//! to <alice@elsewhere.example>               each recipient, and what was said about it
//! notify never | success,failure,delay
//! orcpt rfc822;list@example.org
//! envelope ends
//! 1764000010 deferred 0 1764000310 451 4.3.0 Come back later
//! 1764000020 hold                            what happened since: a line each, appended
//! ```
//!
//! Lines end with LF. A value reaches to the end of its line; in it `\\` is a backslash, and `\u{a}` a control character.
//! Without the line `envelope ends` the file was never whole, and nobody was promised anything. A last line without its LF was
//! being written when the power went: it was not promised either. A line of the journal that cannot be read is passed over:
//! then something is tried again that was done, and nothing is lost.
//!
//! Everything is bounded: see [`limits::QUEUE_ENTRY`], [`limits::QUEUE_RECIPIENTS`].

use std::fmt::Write as _;
use std::str::FromStr;

use super::entry::{Change, Progress, QueueId, Queued, State};
use crate::limits;
use crate::wire::address::{self, Address};
use crate::wire::envelope::{
    Body, ByMode, DeliverBy, Envelope, MailOptions, Notify, OriginalRecipient, Recipient, Ret,
};

/// What a file of the queue turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// A message. `torn`: its last line is not whole, so that nothing may be appended.
    Whole {
        /// The message as it stands.
        queued: Box<Queued>,
        /// The end of the file is to be written anew.
        torn: bool,
    },
    /// It was never whole.
    Begun,
    /// Somebody else's, or damaged: the line, and what is wrong with it.
    Unreadable(usize, &'static str),
}

/// The text of a message's envelope, and of how far it is.
pub fn write(queued: &Queued) -> String {
    let mut text = String::with_capacity(512);
    line(&mut text, FIRST, "");
    line(&mut text, "arrival", queued.arrival);
    line(&mut text, "octets", queued.octets);
    line(&mut text, "preface", queued.preface);
    match &queued.envelope.reverse_path {
        Some(address) => line(
            &mut text,
            "from",
            format_args!("<{}>", Escaped(&address.to_string())),
        ),
        None => line(&mut text, "from", "<>"),
    }
    write_options(&mut text, &queued.envelope.options);
    for recipient in &queued.envelope.recipients {
        let address = recipient.address.to_string();
        line(&mut text, "to", format_args!("<{}>", Escaped(&address)));
        write_notify(&mut text, recipient.notify);
        if let Some(original) = &recipient.original {
            let (kind, address) = (Escaped(&original.kind), Escaped(&original.address));
            line(&mut text, "orcpt", format_args!("{kind};{address}"));
        }
    }
    line(&mut text, LAST, "");
    let fresh = Progress::new(first_attempt(queued.arrival, &queued.envelope));
    for (index, progress) in queued.recipients.iter().enumerate() {
        if *progress != fresh {
            write_progress(&mut text, index, progress);
        }
    }
    if queued.held {
        write_change(&mut text, queued.arrival, &Change::Hold);
    }
    text
}

/// Appends the line of a change.
pub(super) fn write_change(text: &mut String, moment: i64, change: &Change) {
    // Writing to a String cannot fail.
    let _ = match change {
        Change::Delivered { index, reply } => {
            write!(text, "{moment} delivered {index} {}", Escaped(reply))
        }
        Change::Failed { index, reply } => {
            write!(text, "{moment} failed {index} {}", Escaped(reply))
        }
        Change::Deferred { index, next, reply } => {
            write!(text, "{moment} deferred {index} {next} {}", Escaped(reply))
        }
        Change::DelayReported { index } => write!(text, "{moment} reported {index}"),
        Change::Hold => write!(text, "{moment} hold"),
        Change::Release => write!(text, "{moment} release"),
        Change::Flush => write!(text, "{moment} flush"),
        Change::Drop => write!(text, "{moment} drop"),
    };
    text.push('\n');
}

/// When a message may first be tried.
pub(super) fn first_attempt(arrival: i64, envelope: &Envelope) -> i64 {
    let hold = envelope.options.hold_until.unwrap_or(arrival);
    arrival.max(hold)
}

/// Reads what [`write`](fn@write) wrote and what was appended to it. Never panics, whatever it is.
///
/// ```
/// use mailtool::store::queue::{read, Read};
///
/// let text = "mailtool queue 1\narrival 1764000000\noctets 12\npreface 0\nfrom <>\nto <a@b.example>\nenvelope ends\n";
/// let Read::Whole { queued, torn: false } = read("Q1".parse().unwrap(), text.as_bytes()) else { panic!() };
/// assert_eq!(queued.envelope.recipients[0].address.to_string(), "a@b.example");
/// assert_eq!(queued.next(), Some(1764000000));
/// ```
pub fn read(id: QueueId, bytes: &[u8]) -> Read {
    if bytes.len() > limits::QUEUE_ENTRY {
        return Read::Unreadable(1, "the file is too long");
    }
    let whole = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
    let torn = whole < bytes.len();
    // In what may be half-written, the last letter may be.
    let text = match std::str::from_utf8(&bytes[..whole]) {
        Ok(text) => text,
        Err(_) if !is_whole(&bytes[..whole]) => return Read::Begun,
        Err(_) => return Read::Unreadable(1, "not UTF-8"),
    };
    let mut lines = (1..).zip(text.lines());
    match lines.next() {
        Some((_, FIRST)) => {}
        None => return Read::Begun,
        Some(_) if !is_whole(text.as_bytes()) => return Read::Begun,
        Some(_) => return Read::Unreadable(1, "not of a version that is known here"),
    }
    let mut draft = Draft::default();
    let mut ended = false;
    for (number, line) in lines.by_ref() {
        if line == LAST {
            ended = true;
            break;
        }
        if let Err(why) = draft.take(line) {
            // Zeros where data were to come: the power went before they did.
            return if is_whole(text.as_bytes()) {
                Read::Unreadable(number, why)
            } else {
                Read::Begun
            };
        }
    }
    if !ended {
        return Read::Begun;
    }
    let Some(mut queued) = draft.finish(id) else {
        return Read::Unreadable(1, "the arrival, the size or the sender is missing");
    };
    for (number, line) in lines {
        if read_event(&mut queued, line).is_none() {
            log::warn!(
                "queue: {}: line {number} of its file is passed over",
                queued.id
            );
        }
    }
    Read::Whole {
        queued: Box::new(queued),
        torn,
    }
}

/// Whether the envelope has its end.
fn is_whole(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"\nenvelope ends\n").is_some()
}

fn line(text: &mut String, word: &str, value: impl std::fmt::Display) {
    text.push_str(word);
    let length = text.len();
    let _ = write!(text, " {value}");
    if text.len() == length + 1 {
        text.truncate(length);
    }
    text.push('\n');
}

fn write_options(text: &mut String, options: &MailOptions) {
    if let Some(size) = options.size {
        line(text, "size", size);
    }
    match options.body {
        Body::SevenBit => {}
        Body::EightBit => line(text, "body", "8bitmime"),
        Body::Binary => line(text, "body", "binarymime"),
    }
    if options.utf8 {
        line(text, "smtputf8", "");
    }
    match options.ret {
        None => {}
        Some(Ret::Full) => line(text, "ret", "full"),
        Some(Ret::Headers) => line(text, "ret", "hdrs"),
    }
    if let Some(id) = &options.envelope_id {
        line(text, "envid", Escaped(id));
    }
    if let Some(submitter) = &options.submitter {
        line(text, "auth", Escaped(submitter));
    }
    if options.require_tls {
        line(text, "requiretls", "");
    }
    if let Some(by) = options.deliver_by {
        let mode = match by.mode {
            ByMode::Return => "return",
            ByMode::Notify => "notify",
        };
        let trace = if by.trace { " trace" } else { "" };
        line(text, "by", format_args!("{} {mode}{trace}", by.deadline));
    }
    if let Some(moment) = options.hold_until {
        line(text, "holduntil", moment);
    }
    if options.priority != 0 {
        line(text, "priority", options.priority);
    }
}

fn write_notify(text: &mut String, notify: Notify) {
    let words = match notify {
        Notify::Unsaid => return,
        Notify::Never => "never".to_owned(),
        Notify::On {
            success,
            failure,
            delay,
        } => {
            let words = [(success, "success"), (failure, "failure"), (delay, "delay")];
            let words = words.iter().filter(|(on, _)| *on).map(|(_, word)| *word);
            words.collect::<Vec<_>>().join(",")
        }
    };
    line(text, "notify", words);
}

/// `1764000000 progress 0 waiting 1764000300 2 1 451 ...`: how far a recipient is, when what happened before is left out.
fn write_progress(text: &mut String, index: usize, progress: &Progress) {
    let (state, next) = match progress.state {
        State::Waiting(next) => ("waiting", next),
        State::Delivered => ("delivered", 0),
        State::Failed => ("failed", 0),
    };
    let moment = progress
        .last_attempt
        .map_or("-".to_owned(), |at| at.to_string());
    let reported = u8::from(progress.delay_reported);
    let _ = write!(
        text,
        "{moment} progress {index} {state} {next} {} {reported}",
        progress.attempts
    );
    if let Some(reply) = &progress.last_reply {
        let _ = write!(text, " {}", Escaped(reply));
    }
    text.push('\n');
}

/// What is known of an envelope while it is read.
#[derive(Default)]
struct Draft {
    arrival: Option<i64>,
    octets: Option<u64>,
    preface: Option<u64>,
    has_sender: bool,
    envelope: Envelope,
}

impl Draft {
    fn take(&mut self, line: &str) -> Result<(), &'static str> {
        let (word, value) = line.split_once(' ').unwrap_or((line, ""));
        let options = &mut self.envelope.options;
        match word {
            "arrival" => self.arrival = Some(number(value)?),
            "octets" => self.octets = Some(number(value)?),
            "preface" => self.preface = Some(number(value)?),
            "from" if value == "<>" => self.has_sender = true,
            "from" => {
                self.envelope.reverse_path = Some(address(value)?);
                self.has_sender = true;
            }
            "size" => options.size = Some(number(value)?),
            "body" => {
                options.body = match value {
                    "8bitmime" => Body::EightBit,
                    "binarymime" => Body::Binary,
                    _ => return Err("a body is 8bitmime or binarymime"),
                }
            }
            "smtputf8" => options.utf8 = true,
            "ret" => {
                options.ret = match value {
                    "full" => Some(Ret::Full),
                    "hdrs" => Some(Ret::Headers),
                    _ => return Err("ret is full or hdrs"),
                }
            }
            "envid" => options.envelope_id = Some(unescape(value).ok_or(ESCAPE)?),
            "auth" => options.submitter = Some(unescape(value).ok_or(ESCAPE)?),
            "requiretls" => options.require_tls = true,
            "by" => options.deliver_by = Some(deliver_by(value).ok_or("by what?")?),
            "holduntil" => options.hold_until = Some(number(value)?),
            "priority" => options.priority = number(value)?,
            "to" if self.envelope.recipients.len() < limits::QUEUE_RECIPIENTS => {
                self.envelope
                    .recipients
                    .push(Recipient::new(address(value)?));
            }
            "to" => return Err("too many recipients"),
            "notify" => self.recipient()?.notify = notify(value)?,
            "orcpt" => {
                let (kind, address) = value.split_once(';').ok_or("orcpt has no ;")?;
                self.recipient()?.original = Some(OriginalRecipient {
                    kind: unescape(kind).ok_or(ESCAPE)?,
                    address: unescape(address).ok_or(ESCAPE)?,
                });
            }
            _ => return Err("this word is not known here"),
        }
        Ok(())
    }

    fn recipient(&mut self) -> Result<&mut Recipient, &'static str> {
        self.envelope
            .recipients
            .last_mut()
            .ok_or("no recipient before this line")
    }

    fn finish(self, id: QueueId) -> Option<Queued> {
        let arrival = self.arrival?;
        let next = first_attempt(arrival, &self.envelope);
        self.has_sender.then_some(())?;
        Some(Queued {
            id,
            arrival,
            octets: self.octets?,
            preface: self.preface?,
            recipients: vec![Progress::new(next); self.envelope.recipients.len()],
            envelope: self.envelope,
            held: false,
        })
    }
}

fn read_event(queued: &mut Queued, line: &str) -> Option<()> {
    let (moment, rest) = line.split_once(' ')?;
    let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    if word == "progress" {
        return read_progress(queued, moment, rest);
    }
    let moment = moment.parse().ok()?;
    let index = |text: &str| -> Option<usize> {
        let index = text.parse().ok()?;
        (index < queued.recipients.len()).then_some(index)
    };
    let change = match word {
        "delivered" | "failed" => {
            let (at, reply) = rest.split_once(' ').unwrap_or((rest, ""));
            let (index, reply) = (index(at)?, unescape(reply)?);
            if word == "failed" {
                Change::Failed { index, reply }
            } else {
                Change::Delivered { index, reply }
            }
        }
        "deferred" => {
            let (at, rest) = rest.split_once(' ')?;
            let (next, reply) = rest.split_once(' ').unwrap_or((rest, ""));
            Change::Deferred {
                index: index(at)?,
                next: next.parse().ok()?,
                reply: unescape(reply)?,
            }
        }
        "reported" => Change::DelayReported {
            index: index(rest)?,
        },
        "hold" => Change::Hold,
        "release" => Change::Release,
        "flush" => Change::Flush,
        "drop" => Change::Drop,
        _ => return None,
    };
    queued.apply(moment, &change);
    Some(())
}

fn read_progress(queued: &mut Queued, moment: &str, rest: &str) -> Option<()> {
    let mut words = rest.splitn(6, ' ');
    let mut word = || words.next();
    let index: usize = word()?.parse().ok()?;
    let state = (word()?, word()?.parse().ok()?);
    let progress = Progress {
        state: match state {
            ("waiting", next) => State::Waiting(next),
            ("delivered", _) => State::Delivered,
            ("failed", _) => State::Failed,
            _ => return None,
        },
        attempts: word()?.parse().ok()?,
        delay_reported: word()? == "1",
        last_attempt: match moment {
            "-" => None,
            moment => Some(moment.parse().ok()?),
        },
        last_reply: match word() {
            Some(reply) => Some(unescape(reply)?),
            None => None,
        },
    };
    *queued.recipients.get_mut(index)? = progress;
    Some(())
}

fn number<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "a number is wanted here")
}

fn address(value: &str) -> Result<Address, &'static str> {
    let path = unescape(value).ok_or(ESCAPE)?;
    match address::path_utf8(path.as_bytes()) {
        Ok((Some(address), [])) if path.starts_with('<') => Ok(address),
        _ => Err("an address stands in < >"),
    }
}

fn notify(value: &str) -> Result<Notify, &'static str> {
    if value == "never" {
        return Ok(Notify::Never);
    }
    let (mut success, mut failure, mut delay) = (false, false, false);
    for word in value.split(',') {
        match word {
            "success" => success = true,
            "failure" => failure = true,
            "delay" => delay = true,
            _ => return Err("notify is never, or some of success,failure,delay"),
        }
    }
    Ok(Notify::On {
        success,
        failure,
        delay,
    })
}

fn deliver_by(value: &str) -> Option<DeliverBy> {
    let mut words = value.split(' ');
    let deadline = words.next()?.parse().ok()?;
    let mode = match words.next()? {
        "return" => ByMode::Return,
        "notify" => ByMode::Notify,
        _ => return None,
    };
    let trace = match words.next() {
        None => false,
        Some("trace") => true,
        Some(_) => return None,
    };
    Some(DeliverBy {
        deadline,
        mode,
        trace,
    })
}

/// A value as it stands in a line.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '\\' => formatter.write_str("\\\\")?,
                control if control.is_control() => {
                    write!(formatter, "\\u{{{:x}}}", u32::from(control))?;
                }
                other => formatter.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// What [`Escaped`] wrote; `None` where it cannot have.
fn unescape(value: &str) -> Option<String> {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        if let Some(after) = escape.strip_prefix('\\') {
            text.push('\\');
            rest = after;
            continue;
        }
        let (number, after) = escape.strip_prefix("u{")?.split_once('}')?;
        text.push(char::from_u32(u32::from_str_radix(number, 16).ok()?)?);
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

const FIRST: &str = "mailtool queue 1";
const LAST: &str = "envelope ends";
const ESCAPE: &str = "a backslash that nobody wrote";

#[cfg(test)]
mod tests;
