//! ENVELOPE, BODY and BODYSTRUCTURE (RFC 3501 §7.4.2): header values as they stand there, not decoded.
//!
//! What is written is what the grammar asks for, whatever the message is: a type that could not be looked into is not named
//! as one that must have an inside.

use crate::wire::imap::response::{nstring, number, string};
use crate::wire::mime::address::write_addresses;
use crate::wire::mime::header::{self, Parameterized, unfold};
use crate::wire::mime::structure::{Content, Part};

/// How much of a structure is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// `BODY`
    Basic,
    /// `BODYSTRUCTURE`: with extension data.
    Extended,
}

/// Writes the envelope of a header.
pub fn write_envelope(out: &mut Vec<u8>, header: &[u8]) {
    let mut fields: [Option<&[u8]>; 10] = [None; 10];
    for field in header::Fields::new(header) {
        let known = NAMES
            .iter()
            .position(|name| field.name.eq_ignore_ascii_case(name.as_bytes()));
        // The first one counts; a second is a mistake, or a forgery.
        if let Some(known) = known
            && fields[known].is_none()
        {
            fields[known] = Some(field.value);
        }
    }
    let [
        date,
        subject,
        from,
        sender,
        reply_to,
        to,
        cc,
        bcc,
        in_reply_to,
        message_id,
    ] = fields.map(|value| value.map(unfold));
    let from = from.as_deref();
    let or_from = |value: Option<&[u8]>| match value {
        // RFC 3501 §7.4.2: the server sets Sender and Reply-To from From when they are absent or empty.
        Some(value) if !value.is_empty() => Some(value.to_vec()),
        _ => from.map(<[u8]>::to_vec),
    };
    out.push(b'(');
    nstring(out, date.as_deref());
    out.push(b' ');
    nstring(out, subject.as_deref());
    for addresses in [
        from.map(<[u8]>::to_vec),
        or_from(sender.as_deref()),
        or_from(reply_to.as_deref()),
        to.map(Into::into),
        cc.map(Into::into),
        bcc.map(Into::into),
    ] {
        out.push(b' ');
        write_addresses(out, addresses.as_deref());
    }
    out.push(b' ');
    nstring(out, in_reply_to.as_deref());
    out.push(b' ');
    nstring(out, message_id.as_deref());
    out.push(b')');
}

const NAMES: [&str; 10] = [
    "Date",
    "Subject",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "In-Reply-To",
    "Message-ID",
];

/// Writes the structure of a part of `message`.
pub fn write_structure(out: &mut Vec<u8>, message: &[u8], part: &Part, detail: Detail) {
    out.push(b'(');
    match &part.content {
        Content::Multipart(parts) => write_multipart(out, message, part, parts, detail),
        Content::Leaf | Content::Message(_) => write_single(out, message, part, detail, None),
    }
    out.push(b')');
}

/// Writes the structure of a part that holds neither parts nor a message, for whom its `octets` are sent to without their
/// transfer encoding: with extension data.
pub fn write_decoded(out: &mut Vec<u8>, message: &[u8], part: &Part, octets: &[u8]) {
    out.push(b'(');
    write_single(out, message, part, Detail::Extended, Some(octets));
    out.push(b')');
}

fn write_multipart(out: &mut Vec<u8>, message: &[u8], part: &Part, parts: &[Part], detail: Detail) {
    for inner in parts {
        write_structure(out, message, inner, detail);
    }
    let media = part.media_type(message);
    let subtype = memchr::memchr(b'/', &media.word).map_or(0, |slash| slash + 1);
    out.push(b' ');
    string(out, &media.word[subtype..]);
    if detail == Detail::Extended {
        out.push(b' ');
        write_parameters(out, &media);
        write_extension(out, &message[part.header.clone()]);
    }
}

fn write_single(
    out: &mut Vec<u8>,
    message: &[u8],
    part: &Part,
    detail: Detail,
    decoded: Option<&[u8]>,
) {
    let header = &message[part.header.clone()];
    let body = decoded.unwrap_or(&message[part.body.clone()]);
    let media = presentable(part.media_type(message), &part.content);
    let slash = memchr::memchr(b'/', &media.word).unwrap_or(0);
    let (kind, subtype) = (&media.word[..slash], &media.word[slash + 1..]);
    string(out, kind);
    out.push(b' ');
    string(out, subtype);
    out.push(b' ');
    write_parameters(out, &media);
    for name in ["Content-ID", "Content-Description"] {
        out.push(b' ');
        nstring(out, header::value(header, name).as_deref());
    }
    out.push(b' ');
    let encoding = header::value(header, "Content-Transfer-Encoding")
        .map(|value| Parameterized::parse(&value).word)
        .filter(|word| !word.is_empty());
    string(
        out,
        match (decoded, &encoding) {
            // RFC 5524 §3.2: what it is now.
            (Some(octets), _) if octets.contains(&0) => b"BINARY",
            (Some(octets), _) if octets.is_ascii() => b"7bit",
            (Some(_), _) => b"8bit",
            (None, Some(encoding)) => encoding,
            (None, None) => b"7bit",
        },
    );
    out.push(b' ');
    number(out, body.len() as u64);
    if let Content::Message(inner) = &part.content {
        out.push(b' ');
        write_envelope(out, &message[inner.header.clone()]);
        out.push(b' ');
        write_structure(out, message, inner, detail);
    }
    if matches!(part.content, Content::Message(_)) || kind.eq_ignore_ascii_case(b"text") {
        out.push(b' ');
        number(out, memchr::memchr_iter(b'\n', body).count() as u64);
    }
    if detail == Detail::Extended {
        out.push(b' ');
        nstring(out, header::value(header, "Content-MD5").as_deref());
        write_extension(out, header);
    }
}

/// What was not looked into is not shown as a type that must have an inside: `message/rfc822` (base64, or too deep), a
/// multipart (without a boundary, or too deep).
fn presentable(media: Parameterized, content: &Content) -> Parameterized {
    let plain = |word: &[u8]| Parameterized {
        word: word.to_vec(),
        parameters: Vec::new(),
    };
    let starts = |kind: &[u8]| {
        media.word.len() >= kind.len() && media.word[..kind.len()].eq_ignore_ascii_case(kind)
    };
    match content {
        // message/global is shown so as well: rev1 clients expect an envelope with this type only.
        Content::Message(_) => Parameterized {
            word: b"message/rfc822".to_vec(),
            ..media
        },
        _ if starts(b"multipart/") => plain(b"text/plain"),
        _ if starts(b"message/rfc822") || starts(b"message/global") => {
            plain(b"application/octet-stream")
        }
        _ => media,
    }
}

fn write_parameters(out: &mut Vec<u8>, parsed: &Parameterized) {
    if parsed.parameters.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for (position, (name, value)) in parsed.parameters.iter().enumerate() {
        if position > 0 {
            out.push(b' ');
        }
        string(out, name);
        out.push(b' ');
        string(out, value);
    }
    out.push(b')');
}

/// Disposition, language, location.
fn write_extension(out: &mut Vec<u8>, header: &[u8]) {
    out.push(b' ');
    let disposition = header::value(header, "Content-Disposition")
        .map(|value| Parameterized::parse(&value))
        .filter(|parsed| !parsed.word.is_empty());
    match disposition {
        None => out.extend_from_slice(b"NIL"),
        Some(parsed) => {
            out.push(b'(');
            string(out, &parsed.word);
            out.push(b' ');
            write_parameters(out, &parsed);
            out.push(b')');
        }
    }
    out.push(b' ');
    write_languages(out, header::value(header, "Content-Language").as_deref());
    out.push(b' ');
    nstring(out, header::value(header, "Content-Location").as_deref());
}

/// `en`, `en, fr` (RFC 3282).
fn write_languages(out: &mut Vec<u8>, value: Option<&[u8]>) {
    let languages: Vec<&[u8]> = value
        .unwrap_or_default()
        .split(|&byte| byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|language| !language.is_empty())
        .collect();
    match &languages[..] {
        [] => out.extend_from_slice(b"NIL"),
        [one] => string(out, one),
        several => {
            out.push(b'(');
            for (position, language) in several.iter().enumerate() {
                if position > 0 {
                    out.push(b' ');
                }
                string(out, language);
            }
            out.push(b')');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;
    use proptest::prelude::*;

    fn structure(message: &str, detail: Detail) -> String {
        let part = Part::parse(message.as_bytes());
        let mut out = Vec::new();
        write_structure(&mut out, message.as_bytes(), &part, detail);
        String::from_utf8(out).unwrap()
    }

    fn envelope(header: &str) -> String {
        let mut out = Vec::new();
        write_envelope(&mut out, header.as_bytes());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_envelope_of_the_rfc() {
        let header = "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nFrom: Terry Gray <gray@cac.washington.edu>\r\n\
            Subject: IMAP4rev1 WG mtg summary and minutes\r\nTo: imap@cac.washington.edu\r\n\
            cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n\
            Message-Id: <B27397-0100000@cac.washington.edu>\r\n\r\n";
        let gray = "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\"))";
        assert_eq!(
            envelope(header),
            format!(
                "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\" {gray} {gray} {gray} \
                 ((NIL NIL \"imap\" \"cac.washington.edu\")) \
                 ((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) \
                 NIL NIL \"<B27397-0100000@cac.washington.edu>\")"
            )
        );
    }

    #[test]
    fn our_own_client_reads_the_deepest_structure() {
        use crate::wire::imap::reply::{Data, Reply};

        let multipart =
            |level| format!("Content-Type: multipart/mixed; boundary={level}\r\n\r\n--{level}\r\n");
        let multiparts: String = (0..2 * limits::MIME_DEPTH).map(multipart).collect();
        let messages = "From: a@b\r\nContent-Type: message/rfc822\r\n\r\n";
        for deep in [multiparts, messages.repeat(2 * limits::MIME_DEPTH)] {
            let line = format!(
                "* 1 FETCH (BODYSTRUCTURE {})",
                structure(&deep, Detail::Extended)
            );
            let read = Reply::parse(line.as_bytes());
            assert!(
                matches!(read, Some(Reply::Data(Data::Fetch(1, _)))),
                "{line}"
            );
        }
    }

    #[test]
    fn an_empty_header() {
        assert_eq!(envelope(""), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
        assert_eq!(
            envelope("Subject:\r\nSubject: second\r\nFrom: \u{e9}\r\n\r\n"),
            "(NIL \"\" ((NIL NIL {2}\r\n\u{e9} \"\")) ((NIL NIL {2}\r\n\u{e9} \"\")) ((NIL NIL {2}\r\n\u{e9} \"\")) NIL NIL NIL NIL NIL)"
        );
    }

    #[test]
    fn structures_of_each_shape() {
        let plain =
            "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 7 1 NIL NIL NIL NIL)";
        assert_eq!(
            structure("Subject: x\r\n\r\nhello\r\n", Detail::Extended),
            plain
        );
        assert_eq!(
            structure(
                "Content-Type: multipart/mixed; boundary=b\r\nContent-Language: en, fr\r\n\r\n--b\r\n\
                 Content-Type: IMAGE/png; name=\"a b.png\"\r\nContent-Transfer-Encoding: base64 (x)\r\n\
                 Content-ID: <1@x>\r\nContent-Disposition: attachment; filename=\"a\\\"b\"\r\n\r\nAAAA\r\n--b\r\n\
                 Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nhello\r\n\r\n--b--\r\n",
                Detail::Extended
            ),
            format!(
                "((\"IMAGE\" \"png\" (\"name\" \"a b.png\") \"<1@x>\" NIL \"base64\" 4 NIL (\"attachment\" (\"filename\" \"a\\\"b\")) NIL NIL)\
                 (\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 22 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) {plain} 3 NIL NIL NIL NIL) \
                 \"mixed\" (\"boundary\" \"b\") NIL (\"en\" \"fr\") NIL)"
            )
        );
        assert_eq!(
            structure(
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
                Detail::Basic
            ),
            "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0) \"mixed\")"
        );
        for (head, shown) in [
            ("Content-Type: multipart/mixed", "\"text\" \"plain\" NIL"),
            (
                "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64",
                "\"application\" \"octet-stream\" NIL",
            ),
            ("Content-Type: nonsense", "\"text\" \"plain\" (\"charset\""),
            ("Content-Type: /", "\"text\" \"plain\" (\"charset\""),
        ] {
            let written = structure(&format!("{head}\r\n\r\nx"), Detail::Basic);
            assert!(written[1..].starts_with(shown), "{head}: {written}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_parentheses_balance(
            message in "(Content-Type: |multipart/mixed|message/rfc822|; boundary=|a|--a|--|\r\n|From: |[<>(),;:@\"/ ]){0,40}"
        ) {
            let written = structure(&message, Detail::Extended);
            let mut depth = 0;
            let mut quoted = false;
            let mut bytes = written.bytes();
            while let Some(byte) = bytes.next() {
                match byte {
                    b'\\' if quoted => { bytes.next(); }
                    b'"' => quoted = !quoted,
                    b'(' if !quoted => depth += 1,
                    b')' if !quoted => { depth -= 1; prop_assert!(depth >= 0); }
                    _ => {}
                }
            }
            prop_assert!(!quoted && depth == 0, "{}", written);
        }
    }
}
