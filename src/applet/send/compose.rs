//! Makes a message of what the command line says: addresses, header fields, body, attachments.
//!
//! Nothing that is given can add a field of its own: control characters in addresses, names, fields and file names are
//! refused, for a line end in a subject would begin the next field.

use std::borrow::Cow;

use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::address::Address as Display;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;

use crate::applet::exit::{self, failure};
use crate::wire::address::Address;
use crate::wire::date::DateTime;

/// Somebody, as on a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) name: Option<String>,
    pub(super) address: Address,
}

/// What a message is made of.
pub(super) struct Letter<'a> {
    pub(super) from: &'a Person,
    pub(super) to: &'a [Person],
    pub(super) cc: &'a [Person],
    pub(super) subject: Option<&'a str>,
    /// `Name: value`
    pub(super) fields: &'a [String],
    pub(super) body: String,
    pub(super) attachments: Vec<Attachment>,
    pub(super) date: DateTime,
    /// Without its brackets.
    pub(super) message_id: String,
}

/// A file that goes along.
pub(super) struct Attachment {
    pub(super) name: String,
    pub(super) octets: Vec<u8>,
}

impl Letter<'_> {
    /// The message, with CRLF line ends.
    pub(super) fn write(self) -> anyhow::Result<Vec<u8>> {
        let mut message = MessageBuilder::new();
        let mut own = Vec::new();
        for field in self.fields {
            own.push(self::field(field)?);
        }
        let given = |name: &str| own.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        let mut generated: Vec<(&str, HeaderType<'_>)> = vec![
            ("Date", Raw::new(self.date.to_header()).into()),
            ("From", people(std::slice::from_ref(self.from)).into()),
        ];
        if !self.to.is_empty() {
            generated.push(("To", people(self.to).into()));
        }
        if !self.cc.is_empty() {
            generated.push(("Cc", people(self.cc).into()));
        }
        if let Some(subject) = self.subject {
            no_control(subject, "--subject")?;
            generated.push(("Subject", Text::new(subject).into()));
        }
        generated.push((
            "Message-ID",
            Raw::new(format!("<{}>", self.message_id)).into(),
        ));
        for (name, value) in generated {
            if !given(name) {
                message = message.header(name, value);
            }
        }
        for (name, value) in own {
            message = match value.is_ascii() {
                true => message.header(name, Raw::new(value)),
                false => message.header(name, Text::new(value)),
            };
        }
        message = message.text_body(self.body);
        for attachment in self.attachments {
            no_control(&attachment.name, "--attach")?;
            let content_type = content_type(&attachment.name);
            message = message.attachment(content_type, attachment.name, attachment.octets);
        }
        message.write_to_vec().map_err(|error| {
            failure(
                exit::SOFTWARE,
                format!("the message cannot be put together: {error}"),
            )
        })
    }
}

/// `alice@example.org`, `Alice <alice@example.org>`, and several of them with commas between; `option` is where they
/// were given.
pub(super) fn read_people(text: &str, option: &str) -> anyhow::Result<Vec<Person>> {
    no_control(text, option)?;
    split_at_commas(text)
        .into_iter()
        .map(str::trim)
        .filter(|one| !one.is_empty())
        .map(|one| person(one, option))
        .collect()
}

fn person(text: &str, option: &str) -> anyhow::Result<Person> {
    let (name, address) = match text
        .strip_suffix('>')
        .and_then(|text| text.rsplit_once('<'))
    {
        Some((name, address)) => (name.trim(), address.trim()),
        None => ("", text),
    };
    let name = name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'))
        .map_or_else(|| name.to_owned(), |name| name.replace("\\\"", "\""));
    let address = Address::parse_utf8(address.as_bytes()).map_err(|error| {
        failure(
            exit::USAGE,
            format!("{option} {text}: {error}. Example: {option} alice@example.org"),
        )
    })?;
    Ok(Person {
        name: Some(name).filter(|name| !name.is_empty()),
        address,
    })
}

fn split_at_commas(text: &str) -> Vec<&str> {
    let (mut quoted, mut bracketed) = (false, false);
    text.split(|letter| {
        match letter {
            '"' => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            _ => {}
        }
        letter == ',' && !quoted && !bracketed
    })
    .collect()
}

/// A field given whole. Those that say how the body is written are not the user's to give.
fn field(text: &str) -> anyhow::Result<(String, String)> {
    let wrong = |why: &str| {
        failure(
            exit::USAGE,
            format!("--header {text}: {why}. Example: --header 'Reply-To: alice@example.org'"),
        )
    };
    no_control(text, "--header")?;
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| wrong("after the name there must be a colon"))?;
    let name = name.trim_end();
    if name.is_empty() || !name.bytes().all(|octet| octet.is_ascii_graphic()) {
        return Err(wrong("the name is letters, digits and hyphens"));
    }
    let lower = name.to_ascii_lowercase();
    if lower == "mime-version" || lower.starts_with("content-") {
        return Err(wrong(
            "this field follows from the body; with --raw you write all of them yourself",
        ));
    }
    // The writer of MIME looks for these two by their spelling.
    let name = match lower.as_str() {
        "date" => "Date",
        "message-id" => "Message-ID",
        _ => name,
    };
    Ok((name.to_owned(), value.trim().to_owned()))
}

/// RFC 5322 §2.2: a field's body has no control characters, and a line end would begin the next field.
pub(super) fn no_control(text: &str, option: &str) -> anyhow::Result<()> {
    match text
        .chars()
        .find(|letter| letter.is_control() && *letter != '\t')
    {
        None => Ok(()),
        Some(stray) => Err(failure(
            exit::USAGE,
            format!(
                "{option} holds {stray:?}: no line end and no other control character may stand there"
            ),
        )),
    }
}

fn people(people: &[Person]) -> Display<'_> {
    let one = |person: &Person| {
        let name = person.name.clone().map(Cow::Owned);
        // Where it goes without letters, it goes to servers without SMTPUTF8 as well.
        Display::new_address(name, person.address.in_ascii().to_string())
    };
    match people {
        [alone] => one(alone),
        several => Display::new_list(several.iter().map(one).collect()),
    }
}

/// By the end of its name, as far as mail readers show it inside the message; the rest is a file to be saved.
fn content_type(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "txt" | "log" | "md" => "text/plain",
        "html" | "htm" => "text/html",
        "csv" => "text/csv",
        "ics" => "text/calendar",
        "pdf" => "application/pdf",
        "json" => "application/json",
        "xml" => "application/xml",
        "zip" => "application/zip",
        "gz" | "tgz" => "application/gzip",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_parser::{MessageParser, MimeHeaders};

    fn alice() -> Person {
        read_people("\"Àlice, A.\" <alice@example.org>", "--from")
            .expect("good")
            .remove(0)
    }

    fn letter<'a>(from: &'a Person, to: &'a [Person], fields: &'a [String]) -> Letter<'a> {
        Letter {
            from,
            to,
            cc: &[],
            subject: Some("Déjeuner ?"),
            fields,
            body: "à midi\n.\n".into(),
            attachments: vec![Attachment {
                name: "menu.pdf".into(),
                octets: vec![0, 255, 13, 10],
            }],
            date: DateTime::new(784_111_777, 3600),
            message_id: "1@pc1".into(),
        }
    }

    #[test]
    fn what_was_given_is_what_a_reader_finds() {
        let from = alice();
        let to = read_people("bob@example.org,Carol <carol@example.org>,", "--to").expect("good");
        let fields = [
            "X-Lab: 4".to_owned(),
            "date: Mon, 2 Nov 2026 10:00:00 +0100".to_owned(),
        ];
        let text = letter(&from, &to, &fields).write().expect("a message");
        let ascii = String::from_utf8_lossy(&text).into_owned();
        assert!(
            text.is_ascii() && ascii.contains("\r\nX-Lab: 4\r\n"),
            "{ascii}"
        );
        assert_eq!(ascii.matches("Date: ").count(), 1, "{ascii}");
        let message = MessageParser::default().parse(&text).expect("a message");
        assert_eq!(message.subject(), Some("Déjeuner ?"));
        assert_eq!(message.message_id(), Some("1@pc1"));
        assert_eq!(
            message.date().map(|date| date.to_rfc822()).as_deref(),
            Some("Mon, 2 Nov 2026 10:00:00 +0100")
        );
        let sender = message
            .from()
            .and_then(|from| from.first())
            .expect("a sender");
        assert_eq!(
            (sender.name(), sender.address()),
            (Some("Àlice, A."), Some("alice@example.org"))
        );
        assert_eq!(message.to().map(|to| to.iter().count()), Some(2));
        assert_eq!(
            message
                .body_text(0)
                .as_deref()
                .map(|body| body.replace('\r', ""))
                .as_deref(),
            Some("à midi\n.\n")
        );
        let attachment = message.attachment(0).expect("an attachment");
        assert_eq!(
            (attachment.attachment_name(), attachment.contents()),
            (Some("menu.pdf"), &[0, 255, 13, 10][..])
        );
    }

    #[test]
    fn nothing_can_add_a_field() {
        let from = alice();
        for bad in [
            "X-A: b\r\nBcc: eve@example.org",
            "X-A: b\nc",
            "X-A b",
            "Content-Type: text/html",
            ": x",
            "X A: b",
        ] {
            let fields = [bad.to_owned()];
            let error = letter(&from, &[], &fields).write().expect_err(bad);
            assert_eq!(exit::code_of(&error), Some(exit::USAGE), "{bad}");
        }
        for bad in [
            "a@b.example\r\nBcc: eve@example.org",
            "A\n <a@b.example>",
            "<a@b@c>",
            "a b@c.example",
        ] {
            assert!(read_people(bad, "--to").is_err(), "{bad}");
        }
        let mut letter = letter(&from, &[], &[]);
        letter.subject = Some("x\r\nBcc: eve@example.org");
        assert!(letter.write().is_err());
    }

    #[test]
    fn commas_in_quotes_part_nobody() {
        let people = read_people("\"A, B\" <a@b.example>, c@d.example", "--to").expect("good");
        let names: Vec<_> = people.iter().map(|person| person.name.as_deref()).collect();
        assert_eq!(names, [Some("A, B"), None]);
    }
}
