//! A message that comes whole: with `--raw` it is sent as it is; as `sendmail` would, what is missing is added.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_parser::{Message, MessageParser};

use super::{
    Arguments, all_people, here, input, message_id, myself, no_control, now, one_person, qualified,
    unique,
};
use crate::applet::exit::{self, failure};
use crate::proto::smtp::client::Mail;
use crate::wire::address::Address;

/// How far a message is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// It is sent as it is.
    AsItIs,
    /// As programs expect of sendmail(8): From, Date and Message-ID are added where they are missing, and without `-i` a
    /// line with a dot alone ends it.
    Sendmail,
}

/// The input as it is, with the envelope that the arguments say, or its header.
pub(super) fn raw_mail(arguments: &Arguments, style: Style, host: &str) -> anyhow::Result<Mail> {
    let mut text = input(arguments)?;
    if style == Style::Sendmail {
        if !arguments.ignore_dots {
            text.truncate(end_at_dot(&text));
        }
        // What comes out of an mbox begins with a line that is none of the message.
        if text.starts_with(b"From ") {
            let end = memchr::memchr(b'\n', &text).map_or(text.len(), |at| at + 1);
            text.drain(..end);
        }
    }
    let domain = match style {
        Style::AsItIs => None,
        Style::Sendmail => Some(here(arguments, host)),
    };
    let mut recipients = Vec::new();
    for (option, given) in [
        ("--to", &arguments.to),
        ("--cc", &arguments.cc),
        ("--bcc", &arguments.bcc),
        ("recipient", &arguments.recipients),
    ] {
        recipients.extend(match domain {
            None => all_people(given, option)?,
            Some(domain) => all_people(&names_qualified(given, domain), option)?,
        });
    }
    let mut recipients: Vec<_> = recipients
        .into_iter()
        .map(|person| person.address)
        .collect();
    // The parser does not see a field without a line end.
    let ended = !text.ends_with(b"\n") && header_octets(&text) == text.len();
    let ended = ended.then(|| [&text[..], b"\n"].concat());
    let header = MessageParser::default().parse_headers(ended.as_deref().unwrap_or(&text));
    if arguments.recipients_from_header
        && let Some(header) = &header
    {
        // RFC 5322 §3.6.6: who is sent it again is named in fields of its own. Of each there may be several.
        let usual = ["To", "Cc", "Bcc"];
        let again = ["Resent-To", "Resent-Cc", "Resent-Bcc"];
        let of = |names: [&'static str; 3]| {
            let is_one = move |name: &str| names.iter().any(|one| one.eq_ignore_ascii_case(name));
            let fields = header.headers().iter();
            fields.filter(move |field| is_one(field.name()))
        };
        let is_again = of(again).next().is_some();
        for field in of(if is_again { again } else { usual }) {
            recipients.extend(header_addresses(field.value().as_address(), domain)?);
        }
    }
    let from = header.as_ref().and_then(|header| header.from());
    let reverse_path = match (
        arguments.from.as_deref(),
        header_addresses(from, domain)?.into_iter().next(),
    ) {
        (Some("<>" | ""), _) => None,
        (Some(from), _) => {
            let from = domain.map_or_else(|| from.to_owned(), |domain| qualified(from, domain));
            Some(one_person(&from)?.address)
        }
        (None, Some(address)) => Some(address),
        (None, None) if style == Style::Sendmail => Some(myself(arguments, host)?.address),
        (None, None) => {
            return Err(failure(
                exit::DATA,
                "who sends it? The message has no From field; add --from alice@example.org",
            ));
        }
    };
    let missing = match style {
        Style::AsItIs => Vec::new(),
        Style::Sendmail => {
            let name = arguments.full_name.as_deref().unwrap_or_default();
            no_control(name, "-F")?;
            missing_fields(header.as_ref(), name, reverse_path.as_ref(), host)
        }
    };
    if arguments.recipients_from_header {
        text = without_bcc(&text);
    }
    if !missing.is_empty() {
        // A text without a header gets the line that divides it from one.
        let divider: &[u8] = if has_header(&text) { b"" } else { b"\n" };
        text = [missing.concat().as_bytes(), divider, &text].concat();
    }
    Ok(Mail {
        reverse_path,
        recipients: unique(recipients),
        text,
    })
}

/// With a `domain`, names without one get it.
fn header_addresses(
    field: Option<&mail_parser::Address<'_>>,
    domain: Option<&str>,
) -> anyhow::Result<Vec<Address>> {
    let addresses = field.into_iter().flat_map(|field| field.iter());
    addresses
        .filter_map(|address| {
            // A name alone is the parser's name, and no address.
            let name = || address.name().filter(|name| !name.contains(' '));
            address.address().or_else(|| domain.and_then(|_| name()))
        })
        .map(|address| {
            let whole =
                domain.map_or_else(|| address.to_owned(), |domain| qualified(address, domain));
            Address::parse_utf8(whole.as_bytes()).map_err(|error| {
                let address = exit::printable(address);
                failure(
                    exit::DATA,
                    format!("the header's address {address}: {error}"),
                )
            })
        })
        .collect()
}

/// Lists of names and addresses, where each has a domain. Who writes more than that writes whole addresses.
fn names_qualified(lists: &[String], domain: &str) -> Vec<String> {
    let whole = |list: &String| match list.contains(['"', '<']) {
        true => list.clone(),
        false => {
            let all = list.split(',').map(|one| qualified(one.trim(), domain));
            all.collect::<Vec<_>>().join(",")
        }
    };
    lists.iter().map(whole).collect()
}

/// The message without its Bcc fields, folded lines and all.
fn without_bcc(text: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut dropping = false;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        if matches!(line, b"\n" | b"\r\n") {
            break;
        }
        if !matches!(line.first(), Some(b' ' | b'\t')) {
            let name = line.split(|&octet| octet == b':').next().unwrap_or(line);
            let name = name.trim_ascii_end();
            let is_named = |bcc: &[u8]| name.eq_ignore_ascii_case(bcc);
            dropping = is_named(b"bcc") || is_named(b"resent-bcc");
        }
        if !dropping {
            kept.extend_from_slice(line);
        }
        rest = after;
    }
    kept.extend_from_slice(rest);
    kept
}

/// Octets of the header, up to the empty line; all, where there is none.
fn header_octets(text: &[u8]) -> usize {
    let mut octets = 0;
    for line in text.split_inclusive(|&octet| octet == b'\n') {
        if matches!(line, b"\n" | b"\r\n") {
            break;
        }
        octets += line.len();
    }
    octets
}

/// Where the line with a dot alone begins, or else the end.
fn end_at_dot(text: &[u8]) -> usize {
    let mut start = 0;
    for line in text.split_inclusive(|&octet| octet == b'\n') {
        if line.trim_ascii_end() == b"." && line.first() == Some(&b'.') {
            return start;
        }
        start += line.len();
    }
    start
}

/// Whether the text begins with a field, or the empty line of a header that has none.
fn has_header(text: &[u8]) -> bool {
    let line = text.split(|&octet| octet == b'\n').next().unwrap_or(text);
    let name = line.split(|&octet| octet == b':').next().unwrap_or(line);
    let blank = line.trim_ascii().is_empty();
    blank || (name.len() < line.len() && name.trim_ascii_end().iter().all(u8::is_ascii_graphic))
}

fn missing_fields(
    header: Option<&Message<'_>>,
    name: &str,
    from: Option<&Address>,
    host: &str,
) -> Vec<String> {
    let mut fields = Vec::new();
    let missing = |name: &str| header.is_none_or(|header| header.header(name).is_none());
    if missing("Date") {
        fields.push(format!("Date: {}\n", now().to_header()));
    }
    if let Some(from) = from.filter(|_| missing("From")) {
        fields.push(format!("From: {}<{from}>\n", phrase(name)));
    }
    if missing("Message-ID") {
        fields.push(format!("Message-ID: <{}>\n", message_id(host)));
    }
    fields
}

/// A name before an address: a quoted string, or encoded words (RFC 2047) of 75 octets at most.
fn phrase(name: &str) -> String {
    if name.is_empty() {
        return String::new();
    }
    if name.is_ascii() {
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        return format!("\"{quoted}\" ");
    }
    let mut words = vec![String::new()];
    for letter in name.chars() {
        if let Some(last) = words.last_mut()
            && last.len() + letter.len_utf8() <= 45
        {
            last.push(letter);
        } else {
            words.push(letter.to_string());
        }
    }
    let encoded = words.iter().map(|word| STANDARD.encode(word));
    encoded
        .map(|word| format!("=?UTF-8?B?{word}?= "))
        .collect::<Vec<_>>()
        .join("\n ")
}
