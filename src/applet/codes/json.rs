//! The same facts for programs: an array of objects, one for each row that was found.

use crate::wire::codes::ports::Tls;
use crate::wire::codes::{Found, Hit, Kind, Lang};
use crate::wire::json::string;

/// The array, with a line feed at its end.
pub(super) fn array(found: &[Found], lang: Lang) -> String {
    let objects: Vec<String> = found
        .iter()
        .flat_map(|one| one.hits.iter().map(|hit| object(one, hit, lang)))
        .collect();
    if objects.is_empty() {
        return "[]\n".to_owned();
    }
    format!("[\n  {}\n]\n", objects.join(",\n  "))
}

fn object(found: &Found, hit: &Hit, lang: Lang) -> String {
    let mut fields = vec![("query", string(&found.word))];
    match hit {
        Hit::Entry(entry) => {
            let kind = match entry.kind {
                Kind::Reply => "reply",
                Kind::Status => "status",
                Kind::PopStatus => "pop3-status",
                Kind::PopCode => "pop3-code",
                Kind::ImapStatus => "imap-status",
                Kind::ImapCode => "imap-code",
                Kind::ImapData => "imap-data",
                Kind::PopCapability => "pop3-capability",
                Kind::ImapCapability => "imap-capability",
                Kind::Extension => "smtp-extension",
                Kind::Parameter => "smtp-parameter",
                Kind::Mechanism => "mechanism",
            };
            fields.extend([
                ("kind", string(kind)),
                ("code", string(entry.code)),
                ("name", string(entry.name)),
                ("meaning", string(entry.meaning.of(lang))),
                ("sent", string(entry.sent.of(lang))),
                ("next", string(entry.next.of(lang))),
                ("section", string(entry.section)),
            ]);
            let digits: Vec<String> = found
                .digits
                .iter()
                .map(|(drawn, digit)| {
                    format!("{}: {}", string(drawn), string(digit.meaning.of(lang)))
                })
                .collect();
            if !digits.is_empty() {
                fields.push(("digits", format!("{{{}}}", digits.join(", "))));
            }
        }
        Hit::Command(command) => fields.extend([
            ("kind", string("command")),
            ("protocol", string(command.protocol.name())),
            ("code", string(command.verb)),
            ("syntax", string(command.syntax)),
            ("meaning", string(command.meaning.of(lang))),
            ("allowed", string(command.allowed.of(lang))),
            ("example", string(command.example)),
            ("section", string(command.section)),
        ]),
        Hit::Service(service) => {
            let port = service.port.map(|port| port.to_string());
            let tls = match service.tls {
                Tls::Implicit => "implicit",
                Tls::Command(verb) => verb,
            };
            fields.extend([
                ("kind", string("service")),
                ("code", string(service.name)),
                ("port", port.unwrap_or_else(|| "null".to_owned())),
                ("transport", string(service.transport)),
                ("tls", string(tls)),
                ("meaning", string(service.meaning.of(lang))),
                ("section", string(service.section)),
            ]);
        }
    }
    let fields: Vec<String> = fields
        .into_iter()
        .map(|(name, value)| format!("{}: {value}", string(name)))
        .collect();
    format!("{{{}}}", fields.join(", "))
}
