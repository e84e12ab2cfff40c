//! Writing a report down.

use std::fmt::Write;

use super::{Action, Fate};
use crate::limits;
use crate::wire::address::Address;
use crate::wire::codes::{self, Hit, Lang};
use crate::wire::date::DateTime;
use crate::wire::envelope::{Body, Envelope, MailOptions, Notify, Recipient, Ret};
use crate::wire::sasl;
use crate::wire::smtp::Enhanced;
use crate::wire::words;

/// A report about one message.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The name of this server.
    pub reporter: &'a str,
    /// The message's envelope.
    pub envelope: &'a Envelope,
    /// When it arrived here, seconds since 1970.
    pub arrival: Option<i64>,
    /// Now, seconds since 1970.
    pub date: i64,
    /// What names this report and no other: letters, digits and dots.
    pub id: &'a str,
    /// What is told, of one recipient at least.
    pub fates: &'a [Fate],
}

/// The message that a report is about.
#[derive(Clone, Copy, Debug)]
pub struct Original<'a> {
    /// Its beginning: all of it, or [`limits::REPORT_RETURNED`] octets of it.
    pub text: &'a [u8],
    /// Octets of all of it.
    pub octets: u64,
}

impl Report<'_> {
    /// The report with its envelope; `None` when there is nobody to tell, or nothing.
    pub fn compose(&self, original: Original<'_>) -> Option<(Envelope, Vec<u8>)> {
        let to = self.envelope.reverse_path.as_ref()?;
        if self.fates.is_empty() {
            return None;
        }
        let international = self.envelope.options.utf8;
        // Whoever has an address in UTF-8 can be sent nothing without SMTPUTF8 (RFC 6531 §3.2); the others are sent ASCII.
        let carrier = if to.to_string().is_ascii() {
            Carrier::Ascii
        } else {
            Carrier::Utf8
        };
        let charset = if international {
            Charset::Utf8
        } else {
            Charset::Ascii
        };
        let (kind, returned) = self.returned(original);
        let boundary = boundary(self.id, returned);

        let mut message = self.header(to, &boundary);
        let parts: [(&str, Vec<u8>); 3] = [
            (
                "text/plain; charset=utf-8",
                self.people(original).into_bytes(),
            ),
            (
                match charset {
                    Charset::Ascii => "message/delivery-status",
                    Charset::Utf8 => "message/global-delivery-status",
                },
                self.programs(charset).into_bytes(),
            ),
            (kind, returned.to_vec()),
        ];
        for (kind, content) in parts {
            message.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            part(kind, &content, carrier, &mut message);
        }
        message.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());

        let eight_bit = !message.is_ascii();
        let original = &self.envelope.options;
        let envelope = Envelope {
            reverse_path: None,
            options: MailOptions {
                size: Some(message.len() as u64),
                body: if eight_bit {
                    Body::EightBit
                } else {
                    Body::SevenBit
                },
                utf8: carrier == Carrier::Utf8,
                // RFC 8689 §5: a report is no less secret than the message. RFC 6710 §4.5: and no less urgent.
                require_tls: original.require_tls,
                priority: original.priority,
                ..MailOptions::default()
            },
            recipients: vec![Recipient {
                notify: Notify::Never,
                ..Recipient::new(to.clone())
            }],
        };
        Some((envelope, message))
    }

    fn header(&self, to: &Address, boundary: &str) -> Vec<u8> {
        let Self {
            reporter, date, id, ..
        } = self;
        let date = DateTime::utc(*date).to_header();
        format!(
            "From: Mail Delivery System <MAILER-DAEMON@{reporter}>\r\n\
             To: <{to}>\r\n\
             Subject: {}\r\n\
             Date: {date}\r\n\
             Message-ID: <{id}@{reporter}>\r\n\
             Auto-Submitted: auto-replied\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"{boundary}\"\r\n\
             \r\n\
             This is a delivery report in MIME format (RFC 3464).\r\n\r\n",
            subject(self.worst())
        )
        .into_bytes()
    }

    /// What the whole report is called after.
    fn worst(&self) -> Action {
        let rank = |action: Action| match action {
            Action::Failed => 0,
            Action::Delayed => 1,
            Action::Relayed => 2,
            Action::Expanded => 3,
            Action::Delivered => 4,
        };
        self.fates
            .iter()
            .map(|fate| fate.action)
            .min_by_key(|action| rank(*action))
            .unwrap_or(Action::Delivered)
    }

    /// The type of the third part, and what is in it.
    fn returned<'o>(&self, original: Original<'o>) -> (&'static str, &'o [u8]) {
        let options = &self.envelope.options;
        let bound = match options.ret {
            // RFC 8689 §5: what had to be secret does not come back.
            _ if options.require_tls => 0,
            // RFC 3461 §4.3: RET speaks of failure; of anything else the header is enough.
            _ if self.worst() != Action::Failed => 0,
            // It has no lines that could stand in a part.
            _ if options.body == Body::Binary => 0,
            Some(Ret::Headers) => 0,
            Some(Ret::Full) => limits::REPORT_RETURNED,
            None => limits::REPORT_RETURNED_UNASKED,
        };
        let whole =
            original.octets <= bound as u64 && original.octets == original.text.len() as u64;
        let header = header_of(original.text);
        match (whole, options.utf8) {
            (true, false) => ("message/rfc822", original.text),
            (true, true) => ("message/global", original.text),
            (false, false) => ("text/rfc822-headers", header),
            (false, true) => ("message/global-headers", header),
        }
    }

    /// The part for people.
    fn people(&self, original: Original<'_>) -> String {
        let mut text = format!("This is the mail server {}.\r\n", self.reporter);
        let header = header_of(original.text);
        // Writing to a string cannot fail.
        let _ = write!(text, "\r\nIt is about this message of yours:\r\n\r\n");
        let subject = field(header, "Subject").map(|value| words::decode(&value));
        let subject = subject.filter(|subject| !subject.trim().is_empty());
        let subject = subject.unwrap_or_else(|| "(none)".to_owned());
        let _ = write!(text, "    Subject:  {}\r\n", printable(&subject, 200));
        for (name, label) in [("Date", "Date:     "), ("Message-ID", "Message-ID: ")] {
            if let Some(value) = field(header, name) {
                let value = String::from_utf8_lossy(&value);
                let _ = write!(text, "    {label}{}\r\n", printable(&value, 200));
            }
        }
        if let Some(arrival) = self.arrival {
            let _ = write!(
                text,
                "    Arrived:  {}\r\n",
                DateTime::utc(arrival).to_header()
            );
        }
        for (action, title) in TITLES {
            let mut told = self
                .fates
                .iter()
                .filter(|fate| fate.action == action)
                .peekable();
            if told.peek().is_none() {
                continue;
            }
            let _ = write!(text, "\r\n{title}\r\n");
            for fate in told {
                person(fate, &mut text);
            }
        }
        text.push_str("\r\nThe second part of this report says the same to programs; ");
        text.push_str(match self.returned(original).0 {
            "message/rfc822" | "message/global" => "the third one is your message.\r\n",
            _ => "the third one is the header of your message.\r\n",
        });
        text
    }

    /// The part for programs (RFC 3464 §2.2, §2.3).
    fn programs(&self, charset: Charset) -> String {
        let mut text = String::new();
        let options = &self.envelope.options;
        let mut say = |name: &str, value: &str| {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
            text.push_str("\r\n");
        };
        if let Some(id) = &options.envelope_id {
            say(
                "Original-Envelope-Id",
                &charset.text(id, limits::REPORT_FIELD),
            );
        }
        say("Reporting-MTA", &format!("dns; {}", self.reporter));
        if let Some(arrival) = self.arrival {
            say("Arrival-Date", &DateTime::utc(arrival).to_header());
        }
        // RFC 4865 §7, RFC 2852 §5: what was asked of its time.
        if let Some(moment) = options.hold_until {
            let moment = DateTime::utc(moment).to_internet();
            say("Future-Release-Request", &format!("until;{moment}"));
        }
        if let Some(by) = &options.deliver_by {
            say("Deliver-By-Date", &DateTime::utc(by.deadline).to_header());
        }
        for fate in self.fates {
            say_fate(fate, charset, &mut say);
        }
        text
    }
}

/// One group of fields, after an empty line.
fn say_fate(fate: &Fate, charset: Charset, say: &mut impl FnMut(&str, &str)) {
    let recipient = &fate.recipient;
    let mut group: Vec<(&str, String)> = Vec::new();
    if let Some(original) = &recipient.original {
        let kind = charset.kind(&original.kind);
        let address = charset.address(&original.address);
        group.push(("Original-Recipient", format!("{kind}; {address}")));
    }
    let address = recipient.address.to_string();
    let kind = if address.is_ascii() {
        "rfc822"
    } else {
        "utf-8"
    };
    group.push((
        "Final-Recipient",
        format!("{kind}; {}", charset.address(&address)),
    ));
    group.push(("Action", fate.action.name().to_owned()));
    group.push(("Status", fate.status.to_string()));
    if let Some(remote) = &fate.remote {
        let remote = charset.text(remote, limits::REPORT_FIELD);
        group.push(("Remote-MTA", format!("dns; {remote}")));
    }
    if let Some(diagnostic) = &fate.diagnostic {
        // RFC 3464 §2.3.6: what an SMTP server said is of type smtp; what we say of ourselves is no code of any transport.
        let kind = if fate.remote.is_some() {
            "smtp"
        } else {
            "x-mailtool"
        };
        let diagnostic = charset.text(diagnostic, limits::REPORT_DIAGNOSTIC);
        group.push(("Diagnostic-Code", fold(&format!("{kind}; {diagnostic}"))));
    }
    if let Some(last) = fate.last_attempt {
        group.push(("Last-Attempt-Date", DateTime::utc(last).to_header()));
    }
    if let Some(until) = fate.retry_until.filter(|_| fate.action == Action::Delayed) {
        group.push(("Will-Retry-Until", DateTime::utc(until).to_header()));
    }
    for (at, (name, value)) in group.into_iter().enumerate() {
        if at == 0 {
            say(&format!("\r\n{name}"), &value);
        } else {
            say(name, &value);
        }
    }
}

/// One recipient, for people.
fn person(fate: &Fate, text: &mut String) {
    let _ = write!(text, "\r\n  <{}>\r\n", fate.recipient.address);
    let address = fate.recipient.address.to_string();
    if let Some(original) = &fate.recipient.original
        && !original.address.eq_ignore_ascii_case(&address)
    {
        let _ = write!(
            text,
            "    You wrote to: {}\r\n",
            printable(&original.address, limits::REPORT_FIELD)
        );
    }
    if let Some(diagnostic) = &fate.diagnostic {
        let diagnostic = printable(diagnostic, limits::REPORT_DIAGNOSTIC);
        let said = match &fate.remote {
            Some(remote) => format!(
                "{} said: {diagnostic}",
                printable(remote, limits::REPORT_FIELD)
            ),
            None => diagnostic,
        };
        wrap(&said, text);
    }
    if matches!(fate.action, Action::Failed | Action::Delayed) {
        for explanation in explanations(fate) {
            wrap(&explanation, text);
        }
    }
    if let Some(until) = fate.retry_until.filter(|_| fate.action == Action::Delayed) {
        let until = DateTime::utc(until).to_header();
        wrap(&format!("It will be tried until {until}."), text);
    }
}

/// What the status means, and what to do about it.
fn explanations(fate: &Fate) -> Vec<String> {
    let status = fate.status.to_string();
    let mut said = Vec::new();
    let found = codes::find(&status);
    let entry = found.as_ref().and_then(|found| {
        found.hits.iter().find_map(|hit| match hit {
            Hit::Entry(entry) => Some(*entry),
            _ => None,
        })
    });
    if let Some(entry) = entry {
        said.push(format!(
            "What {status} means: {}",
            entry.meaning.of(Lang::En)
        ));
    }
    said.push(match (fate.action, fate.status) {
        (Action::Delayed, _) => "What to do: nothing, this server goes on trying. Do not send it again.".to_owned(),
        (_, status) if advice(status).is_some() => {
            format!("What to do: {}", advice(status).unwrap_or_default())
        }
        (_, Enhanced(4, ..)) => {
            "What to do: send it again later, or ask the recipient in another way whether their mail works.".to_owned()
        }
        _ => "What to do: read what the server said; who runs it (postmaster@ the recipient's domain) knows more.".to_owned(),
    });
    said
}

/// What the sender can do, for what happens most.
const fn advice(status: Enhanced) -> Option<&'static str> {
    Some(match (status.1, status.2) {
        (1, 1 | 3) => {
            "check the address, what stands before the @ above all, and send the message again to the right one."
        }
        (1, 2 | 10) => {
            "check what stands behind the @: this domain takes no mail, or there is none of this name."
        }
        (1, 6) => "ask the recipient for the new address.",
        (1, 7 | 8) => "check your own address in your mail program: it was refused.",
        (2, 1) => "ask the recipient in another way: the mailbox is closed for now.",
        (2, 2) => {
            "tell the recipient in another way that the mailbox is full, and send the message again later."
        }
        (2, 3) | (3, 4) => {
            "make the message smaller, or send a link to a file instead of the file."
        }
        (4, 6) => {
            "tell the administrator of the recipient's domain that mail for it runs in a circle."
        }
        (4, 7) => "send it again later; if it is urgent, reach the recipient in another way.",
        (6, 7 | 9) => {
            "the recipient's server takes no addresses or headers outside of ASCII: use the plain form of the address."
        }
        (7, 30) => {
            "it had to be encrypted all the way, and could not be: send it again without that wish if it may be read."
        }
        (7, _) => {
            "the server's rules forbid it: ask its administrator, or the recipient, in another way."
        }
        _ => return None,
    })
}

/// A part: its header, its content, encoded if it has to be.
fn part(kind: &str, content: &[u8], carrier: Carrier, message: &mut Vec<u8>) {
    let plain = content.is_ascii();
    // RFC 2046 §5.2.1: a message/rfc822 is never encoded; and its sender asked for 8BITMIME.
    let must_not = kind == "message/rfc822";
    let encoding = match carrier {
        _ if plain => "7bit",
        Carrier::Utf8 => "8bit",
        Carrier::Ascii if must_not => "8bit",
        // What people read can be read as it is, too.
        Carrier::Ascii if kind.starts_with("text/plain") => "quoted-printable",
        Carrier::Ascii => "base64",
    };
    message.extend_from_slice(
        format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n").as_bytes(),
    );
    match encoding {
        "base64" => {
            for line in sasl::encode(content).as_bytes().chunks(LINE) {
                message.extend_from_slice(line);
                message.extend_from_slice(b"\r\n");
            }
        }
        "quoted-printable" => quoted_printable(content, message),
        _ => message.extend_from_slice(content),
    }
    if !message.ends_with(b"\r\n") {
        message.extend_from_slice(b"\r\n");
    }
    // Belongs to the boundary that follows (RFC 2046 §5.1.1).
    message.extend_from_slice(b"\r\n");
}

/// RFC 2045 §6.7, for text with CRLF line ends.
fn quoted_printable(content: &[u8], message: &mut Vec<u8>) {
    for line in content.split_inclusive(|&octet| octet == b'\n') {
        let (line, end) = match line.strip_suffix(b"\r\n") {
            Some(line) => (line, &b"\r\n"[..]),
            None => (line, &b""[..]),
        };
        let mut width = 0;
        for (at, &octet) in line.iter().enumerate() {
            let last = at + 1 == line.len();
            let plain = matches!(octet, b'!'..=b'<' | b'>'..=b'~') || (octet == b' ' && !last);
            let needed = if plain { 1 } else { 3 };
            if width + needed >= LINE {
                message.extend_from_slice(b"=\r\n");
                width = 0;
            }
            if plain {
                message.push(octet);
            } else {
                message.extend_from_slice(format!("={octet:02X}").as_bytes());
            }
            width += needed;
        }
        message.extend_from_slice(end);
    }
}

/// Whether the way back carries UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carrier {
    Ascii,
    Utf8,
}

/// What the fields for programs may be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charset {
    Ascii,
    Utf8,
}

impl Charset {
    /// On one line, not longer than so many octets.
    fn text(self, text: &str, octets: usize) -> String {
        let text = printable(text, octets);
        match self {
            Self::Utf8 => text,
            Self::Ascii => text
                .chars()
                .map(|letter| if letter.is_ascii() { letter } else { '?' })
                .collect(),
        }
    }

    /// An address: in ASCII what is none of it is written out (RFC 6533 §3, `\x{E9}`).
    fn address(self, address: &str) -> String {
        let address = printable(address, limits::REPORT_FIELD);
        match self {
            Self::Utf8 => address,
            Self::Ascii => address.chars().fold(String::new(), |mut text, letter| {
                if letter.is_ascii() {
                    text.push(letter);
                } else {
                    let _ = write!(text, "\\x{{{:X}}}", u32::from(letter));
                }
                text
            }),
        }
    }

    /// The type of an address: an atom.
    fn kind(self, kind: &str) -> String {
        let kind: String = kind
            .chars()
            .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-')
            .take(40)
            .collect();
        if kind.is_empty() {
            "unknown".to_owned()
        } else {
            kind
        }
    }
}

/// One line of at most so many octets: control characters become spaces, runs of them one.
fn printable(text: &str, octets: usize) -> String {
    let mut line = String::new();
    for letter in text.trim().chars() {
        let letter = if letter.is_control() { ' ' } else { letter };
        if letter == ' ' && line.ends_with(' ') {
            continue;
        }
        if line.len() + letter.len_utf8() > octets {
            line.push_str("...");
            break;
        }
        line.push(letter);
    }
    line.trim_end().to_owned()
}

/// Indents and breaks at words, for people.
fn wrap(text: &str, out: &mut String) {
    let mut width = 0;
    for word in text.split(' ') {
        if width == 0 || width + 1 + word.len() > WIDTH {
            out.push_str(if width == 0 { "    " } else { "\r\n    " });
            width = word.len();
        } else {
            out.push(' ');
            width += 1 + word.len();
        }
        out.push_str(word);
    }
    out.push_str("\r\n");
}

/// Breaks a field's value at words (RFC 5322 §2.2.3).
fn fold(value: &str) -> String {
    let mut folded = String::new();
    let mut width = 0;
    for word in value.split(' ') {
        if width > 0 && width + 1 + word.len() > WIDTH {
            folded.push_str("\r\n    ");
            width = 0;
        } else if width > 0 {
            folded.push(' ');
            width += 1;
        }
        folded.push_str(word);
        width += word.len();
    }
    folded
}

/// The header at the beginning of a message, without the empty line; not more than is returned of one.
fn header_of(text: &[u8]) -> &[u8] {
    let end = if text.starts_with(b"\r\n") {
        0
    } else {
        memchr::memmem::find(text, b"\r\n\r\n").map_or(text.len(), |at| at + 2)
    };
    let header = &text[..end];
    let Some(cut) = header.get(..limits::REPORT_HEADER) else {
        return header;
    };
    // Whole lines only.
    let end = memchr::memrchr(b'\n', cut).map_or(0, |at| at + 1);
    &cut[..end]
}

/// The value of the first field of this name, unfolded.
fn field(header: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut lines = header.split(|&octet| octet == b'\n').peekable();
    while let Some(line) = lines.next() {
        let Some((found, rest)) = line.split_at_checked(name.len()) else {
            continue;
        };
        let Some(value) = rest.strip_prefix(b":") else {
            continue;
        };
        if !found.eq_ignore_ascii_case(name.as_bytes()) {
            continue;
        }
        let mut value = value.trim_ascii().to_vec();
        while let Some(more) =
            lines.next_if(|line| line.starts_with(b" ") || line.starts_with(b"\t"))
        {
            value.push(b' ');
            value.extend_from_slice(more.trim_ascii());
        }
        return Some(value);
    }
    None
}

/// A boundary that does not occur in what stands between it.
fn boundary(id: &str, returned: &[u8]) -> String {
    let id: String = id
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(40)
        .collect();
    // At most one of so many numbers can stand at each place: the search ends.
    (0u64..)
        .map(|number| format!("=_report_{id}_{number}"))
        .find(|boundary| memchr::memmem::find(returned, boundary.as_bytes()).is_none())
        .unwrap_or_default()
}

const fn subject(action: Action) -> &'static str {
    match action {
        Action::Failed => "Not delivered: your message comes back",
        Action::Delayed => "Delayed: your message is still being tried",
        Action::Relayed => "Passed on: your message left for a server that sends no receipts",
        Action::Expanded => "Passed on: your message went to several addresses",
        Action::Delivered => "Delivered: your message has arrived",
    }
}

const TITLES: [(Action, &str); 5] = [
    (
        Action::Failed,
        "It could NOT be delivered to the following, and will not be tried any more:",
    ),
    (
        Action::Delayed,
        "It has not yet been delivered to the following, and is still being tried:",
    ),
    (
        Action::Relayed,
        "It was passed on for the following, to a server that will not tell of delivery:",
    ),
    (
        Action::Expanded,
        "It was delivered to the following, which passed it on to others:",
    ),
    (Action::Delivered, "It was delivered to the following:"),
];

/// Octets on a line of an encoded part (RFC 2045 §6.7, §6.8).
const LINE: usize = 76;
/// Letters on a line for people, after the indent.
const WIDTH: usize = 72;
