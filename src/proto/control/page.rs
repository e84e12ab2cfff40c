//! How messages in the queue look: for people, and in JSON.

use super::{Step, Style};
use crate::store::queue::{Progress, Queued, State};
use crate::wire::date::DateTime;
use crate::wire::envelope::{Envelope, Notify};
use crate::wire::json;

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
    for (recipient, progress) in open(queued) {
        lines.push(format!("    <{}>  {}", recipient, state(progress)));
        if let Some(reply) = &progress.last_reply {
            lines.push(format!("        {}", one_line(reply)));
        }
    }
    lines
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
    asked("envelope", options.envelope_id.clone());
    asked(
        "until",
        options
            .hold_until
            .map(|until| format!("not before {}", date(until))),
    );
    asked("by", options.deliver_by.map(|by| date(by.deadline)));
    asked(
        "priority",
        (options.priority != 0).then(|| options.priority.to_string()),
    );
    asked(
        "tls",
        options
            .require_tls
            .then(|| "only over verified TLS (REQUIRETLS)".to_owned()),
    );
    asked("utf8", options.utf8.then(|| "SMTPUTF8".to_owned()));
    for (recipient, progress) in queued.envelope.recipients.iter().zip(&queued.recipients) {
        lines.push(format!("to         <{}>", recipient.address));
        lines.push(format!("           {}", state(progress)));
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

fn state(progress: &Progress) -> String {
    match progress.state {
        State::Waiting(_) if progress.attempts == 0 => "not yet tried".to_owned(),
        State::Waiting(next) => format!("next attempt {}", date(next)),
        State::Delivered => "delivered".to_owned(),
        State::Failed => "failed".to_owned(),
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
