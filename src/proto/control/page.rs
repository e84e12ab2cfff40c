//! How messages in the queue look: for people, and in JSON.

use super::{Step, Style};
use crate::proto::fault::Listed;
use crate::store::Arrived;
use crate::store::queue::{Progress, Queued, State};
use crate::wire::date::DateTime;
use crate::wire::envelope::{ByMode, DeliverBy, Envelope, Notify};
use crate::wire::json;

/// A rule in the list of faults.
pub(super) fn fault(listed: &Listed, style: Style) -> String {
    match style {
        Style::Text => format!(
            "{:>3}  fired {:>5}  {}",
            listed.number, listed.fired, listed.text
        ),
        Style::Json => json::object(&[
            ("number", listed.number.to_string()),
            ("fired", listed.fired.to_string()),
            ("rule", json::string(&listed.text)),
        ]),
    }
}

/// A message in a list: some lines of text, or one of JSON.
pub(super) fn entry(queued: &Queued, style: Style) -> Vec<String> {
    if style == Style::Json {
        return vec![object(queued)];
    }
    let mut lines = vec![format!(
        "{}  {:>9} octets  {}  <{}>{}",
        queued.id,
        queued.octets,
        date(queued.arrival),
        reverse_path(&queued.envelope),
        if queued.held { "  HELD" } else { "" }
    )];
    if let Some(by) = queued.envelope.options.deliver_by {
        lines.push(format!("    to be there by {}", deadline(by)));
    }
    for (recipient, progress) in open(queued) {
        let state = state(progress, &queued.envelope);
        lines.push(format!("    <{recipient}>  {state}"));
        if let Some(reply) = &progress.last_reply {
            lines.push(format!("        {}", one_line(reply)));
        }
    }
    lines
}

/// A message that has come in, in JSON.
pub(super) fn arrived(arrived: &Arrived) -> String {
    let to: Vec<String> = arrived.to.iter().map(|to| json::string(to)).collect();
    json::object(&[
        ("number", arrived.number.to_string()),
        ("moment", arrived.moment.to_string()),
        ("id", json::string(&arrived.id)),
        ("from", json::string(&arrived.from)),
        ("to", format!("[{}]", to.join(","))),
    ])
}

/// All about a message.
pub(super) fn show(queued: &Queued, style: Style) -> Vec<String> {
    if style == Style::Json {
        return vec![object(queued)];
    }
    let options = &queued.envelope.options;
    let mut lines = vec![
        format!(
            "message    {}{}",
            queued.id,
            if queued.held { "  HELD" } else { "" }
        ),
        format!("arrived    {}", date(queued.arrival)),
        format!("octets     {}", queued.octets),
        format!("from       <{}>", reverse_path(&queued.envelope)),
    ];
    let mut asked = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            lines.push(format!("{name:<10} {}", one_line(&value)));
        }
    };
    asked("envid", options.envelope_id.clone());
    asked("not before", options.hold_until.map(date));
    asked("deliver by", options.deliver_by.map(deadline));
    asked(
        "priority",
        (options.priority != 0).then(|| options.priority.to_string()),
    );
    let needs = |what: &str| Some(what.to_owned());
    asked(
        "needs",
        needs("verified TLS all the way (REQUIRETLS)").filter(|_| options.require_tls),
    );
    asked(
        "needs",
        needs("addresses in UTF-8 (SMTPUTF8)").filter(|_| options.utf8),
    );
    for (recipient, progress) in queued.envelope.recipients.iter().zip(&queued.recipients) {
        lines.push(format!("to         <{}>", recipient.address));
        lines.push(format!("           {}", state(progress, &queued.envelope)));
        if recipient.notify != Notify::Unsaid {
            lines.push(format!(
                "           asked to be told: {}",
                notify(recipient.notify)
            ));
        }
        if progress.attempts > 0 {
            let last = progress
                .last_attempt
                .map_or_else(String::new, |last| format!(", the last one {}", date(last)));
            lines.push(format!("           attempts: {}{last}", progress.attempts));
        }
        if let Some(reply) = &progress.last_reply {
            lines.push(format!("           {}", one_line(reply)));
        }
    }
    lines
}

/// A step of a journey.
pub(super) fn step(step: &Step, style: Style) -> String {
    let text = one_line(&step.text);
    match style {
        Style::Text => format!("{}  {}  {}  {text}", date(step.moment), step.host, step.id),
        Style::Json => json::object(&[
            ("time", step.moment.to_string()),
            ("host", json::string(&step.host)),
            ("id", json::string(&step.id)),
            ("step", json::string(&text)),
        ]),
    }
}

fn object(queued: &Queued) -> String {
    let options = &queued.envelope.options;
    let number =
        |value: Option<i64>| value.map_or_else(|| "null".to_owned(), |value| value.to_string());
    let recipients: Vec<String> = queued
        .envelope
        .recipients
        .iter()
        .zip(&queued.recipients)
        .map(|(recipient, progress)| {
            let (state, next) = match progress.state {
                State::Waiting(next) => ("waiting", Some(next)),
                State::Delivered => ("delivered", None),
                State::Failed => ("failed", None),
            };
            json::object(&[
                ("address", json::string(&recipient.address.to_string())),
                ("state", json::string(state)),
                ("next", number(next)),
                ("attempts", progress.attempts.to_string()),
                ("last_attempt", number(progress.last_attempt)),
                ("last_reply", json::optional(progress.last_reply.as_deref())),
                ("notify", json::string(notify(recipient.notify).as_str())),
            ])
        })
        .collect();
    json::object(&[
        ("id", json::string(queued.id.as_str())),
        ("arrival", queued.arrival.to_string()),
        ("octets", queued.octets.to_string()),
        ("held", queued.held.to_string()),
        ("from", json::string(&reverse_path(&queued.envelope))),
        (
            "envelope_id",
            json::optional(options.envelope_id.as_deref()),
        ),
        ("hold_until", number(options.hold_until)),
        (
            "deliver_by",
            number(options.deliver_by.map(|by| by.deadline)),
        ),
        ("priority", options.priority.to_string()),
        ("require_tls", options.require_tls.to_string()),
        ("smtputf8", options.utf8.to_string()),
        ("recipients", format!("[{}]", recipients.join(","))),
    ])
}

fn open(queued: &Queued) -> impl Iterator<Item = (String, &Progress)> {
    queued
        .envelope
        .recipients
        .iter()
        .zip(&queued.recipients)
        .filter(|(_, progress)| progress.is_open())
        .map(|(recipient, progress)| (recipient.address.to_string(), progress))
}

fn reverse_path(envelope: &Envelope) -> String {
    envelope
        .reverse_path
        .as_ref()
        .map_or_else(String::new, ToString::to_string)
}

fn state(progress: &Progress, envelope: &Envelope) -> String {
    match (&progress.state, envelope.options.hold_until) {
        (State::Waiting(_), Some(moment)) if progress.attempts == 0 => {
            format!("not before {}", date(moment))
        }
        (State::Waiting(_), None) if progress.attempts == 0 => "not yet tried".to_owned(),
        (State::Waiting(next), _) => format!("next attempt {}", date(*next)),
        (State::Delivered, _) => "delivered".to_owned(),
        (State::Failed, _) => "failed".to_owned(),
    }
}

/// When it has to be there, and what happens if it is not (RFC 2852).
fn deadline(by: DeliverBy) -> String {
    let moment = date(by.deadline);
    match by.mode {
        ByMode::Return => format!("{moment}, else it comes back"),
        ByMode::Notify => format!("{moment}, else its sender is told"),
    }
}

fn notify(notify: Notify) -> String {
    match notify {
        Notify::Unsaid => "unsaid".to_owned(),
        Notify::Never => "never".to_owned(),
        Notify::On {
            success,
            failure,
            delay,
        } => {
            let named = [(success, "success"), (failure, "failure"), (delay, "delay")];
            let named: Vec<&str> = named
                .into_iter()
                .filter(|(on, _)| *on)
                .map(|(_, name)| name)
                .collect();
            named.join(",")
        }
    }
}

fn date(unix: i64) -> String {
    DateTime::utc(unix).to_internet()
}

/// What came from elsewhere must neither end a line nor move a cursor.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::queue::Queued;
    use crate::wire::address::Address;
    use crate::wire::envelope::{ByMode, DeliverBy, MailOptions, Recipient};

    fn queued() -> Queued {
        let address = |text: &str| Address::parse(text.as_bytes()).unwrap();
        let waiting = Progress {
            state: State::Waiting(1_795_695_900),
            attempts: 2,
            last_attempt: Some(1_795_695_300),
            last_reply: Some("451 4.7.1 Greylisted\ncome again".to_owned()),
            delay_reported: false,
        };
        let fresh = Progress {
            state: State::Waiting(0),
            attempts: 0,
            last_attempt: None,
            last_reply: None,
            delay_reported: false,
        };
        let done = Progress {
            state: State::Delivered,
            attempts: 1,
            last_attempt: Some(1_795_694_060),
            last_reply: Some("250 2.0.0 Ok".to_owned()),
            ..fresh.clone()
        };
        let mut carol = Recipient::new(address("carol@b.example"));
        carol.notify = Notify::On {
            success: true,
            failure: true,
            delay: false,
        };
        Queued {
            id: "6B081562-1-1".parse().unwrap(),
            arrival: 1_795_694_060,
            octets: 386,
            held: true,
            envelope: Envelope {
                reverse_path: Some(address("alice@a.example")),
                options: MailOptions {
                    envelope_id: Some("QQ314159".to_owned()),
                    hold_until: Some(1_795_694_000),
                    deliver_by: Some(DeliverBy {
                        deadline: 1_795_780_460,
                        mode: ByMode::Notify,
                        trace: false,
                    }),
                    priority: 3,
                    require_tls: true,
                    utf8: true,
                    ..MailOptions::default()
                },
                recipients: vec![
                    carol,
                    Recipient::new(address("dave@b.example")),
                    Recipient::new(address("erin@c.example")),
                ],
            },
            recipients: vec![waiting, done, fresh],
            preface: 0,
        }
    }

    #[test]
    fn a_list_has_who_is_still_open() {
        assert_eq!(
            entry(&queued(), Style::Text).join("\n"),
            "6B081562-1-1        386 octets  2026-11-26T11:54:20Z  <alice@a.example>  HELD\n    \
                 to be there by 2026-11-27T11:54:20Z, else its sender is told\n    \
                 <carol@b.example>  next attempt 2026-11-26T12:25:00Z\n        \
                     451 4.7.1 Greylisted come again\n    \
                 <erin@c.example>  not before 2026-11-26T11:53:20Z"
        );
    }

    #[test]
    fn all_about_a_message() {
        assert_eq!(
            show(&queued(), Style::Text).join("\n"),
            "message    6B081562-1-1  HELD\n\
             arrived    2026-11-26T11:54:20Z\n\
             octets     386\n\
             from       <alice@a.example>\n\
             envid      QQ314159\n\
             not before 2026-11-26T11:53:20Z\n\
             deliver by 2026-11-27T11:54:20Z, else its sender is told\n\
             priority   3\n\
             needs      verified TLS all the way (REQUIRETLS)\n\
             needs      addresses in UTF-8 (SMTPUTF8)\n\
             to         <carol@b.example>\n           \
                        next attempt 2026-11-26T12:25:00Z\n           \
                        asked to be told: success,failure\n           \
                        attempts: 2, the last one 2026-11-26T12:15:00Z\n           \
                        451 4.7.1 Greylisted come again\n\
             to         <dave@b.example>\n           \
                        delivered\n           \
                        attempts: 1, the last one 2026-11-26T11:54:20Z\n           \
                        250 2.0.0 Ok\n\
             to         <erin@c.example>\n           \
                        not before 2026-11-26T11:53:20Z"
        );
    }

    #[test]
    fn the_same_for_programs() {
        assert_eq!(
            show(&queued(), Style::Json).join("\n"),
            "{\"id\":\"6B081562-1-1\",\"arrival\":1795694060,\"octets\":386,\"held\":true,\"from\":\"alice@a.example\",\
             \"envelope_id\":\"QQ314159\",\"hold_until\":1795694000,\"deliver_by\":1795780460,\"priority\":3,\
             \"require_tls\":true,\"smtputf8\":true,\"recipients\":[\
             {\"address\":\"carol@b.example\",\"state\":\"waiting\",\"next\":1795695900,\"attempts\":2,\
             \"last_attempt\":1795695300,\"last_reply\":\"451 4.7.1 Greylisted\\ncome again\",\"notify\":\"success,failure\"},\
             {\"address\":\"dave@b.example\",\"state\":\"delivered\",\"next\":null,\"attempts\":1,\
             \"last_attempt\":1795694060,\"last_reply\":\"250 2.0.0 Ok\",\"notify\":\"unsaid\"},\
             {\"address\":\"erin@c.example\",\"state\":\"waiting\",\"next\":0,\"attempts\":0,\"last_attempt\":null,\
             \"last_reply\":null,\"notify\":\"unsaid\"}]}"
        );
    }
}
