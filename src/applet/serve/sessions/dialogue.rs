//! A session as its file has it: lines of a dialogue, and notes in comments.

use std::fmt::Write;

use crate::tap::{Side, note};
use crate::wire::json;

/// A line of a dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// A side says it; `whole` when it ends with CRLF.
    Said {
        side: Side,
        text: &'a str,
        whole: bool,
    },
    /// TLS is up: which.
    Tls(&'a str),
    /// A side is silent from now on.
    Closed(Side),
    /// So much time has passed, in milliseconds.
    Time(u64),
    /// A comment of the form `kind: text`.
    Note { kind: &'a str, text: &'a str },
    /// Any other comment.
    Remark(&'a str),
}

impl<'a> Line<'a> {
    /// A line of a file; `None` for what no session writes.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        if let Some(comment) = line.strip_prefix('#') {
            let comment = comment.strip_prefix(' ').unwrap_or(comment);
            if let Some(text) = comment.strip_prefix("S| ") {
                // A server that stopped within a line.
                return Some(Self::Said {
                    side: Side::Server,
                    text,
                    whole: false,
                });
            }
            return Some(Self::comment(comment));
        }
        let mut letters = line.chars();
        let side = match letters.next()? {
            'S' => Side::Server,
            'C' => Side::Client,
            'T' => {
                let words = letters.as_str().strip_prefix(": tls")?;
                let words = words.trim_start_matches([' ', '#']);
                return Some(Self::Tls(words));
            }
            _ => return None,
        };
        let whole = match letters.next()? {
            ':' => true,
            '|' => false,
            _ => return None,
        };
        let text = letters.as_str();
        let text = text.strip_prefix(' ').unwrap_or(text);
        if whole && text == "[eof]" {
            return Some(Self::Closed(side));
        }
        Some(Self::Said { side, text, whole })
    }

    fn comment(comment: &'a str) -> Self {
        let seconds = comment
            .strip_prefix('+')
            .and_then(|rest| rest.strip_suffix(" s"))
            .and_then(|seconds| seconds.parse::<f64>().ok());
        if let Some(seconds) = seconds {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it saturates"
            )]
            return Self::Time((seconds * 1000.0).round() as u64);
        }
        match comment.split_once(": ") {
            Some((kind, text)) if !kind.is_empty() && kind.len() < 20 => Self::Note { kind, text },
            _ => Self::Remark(comment),
        }
    }
}

/// The number of the connection of a line that is one of several's, and the line without it.
pub(super) fn numbered(line: &str) -> Option<(u64, String)> {
    let (comment, rest) = match line.strip_prefix("# ") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let end = rest.find(|letter: char| !letter.is_ascii_digit())?;
    let number = rest[..end].parse().ok()?;
    let rest = &rest[end..];
    if comment {
        let rest = rest.strip_prefix(": ")?;
        return Some((number, format!("# {rest}")));
    }
    Some((number, rest.to_owned()))
}

/// A moment of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Milliseconds since it began.
    pub(super) at: u64,
    pub(super) what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Said(Side, String),
    Tls(String),
    Closed(Side),
    /// Its kind, empty for a remark, and its text.
    Note(String, String),
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) name: String,
    pub(super) service: String,
    pub(super) client: String,
    pub(super) server: String,
    /// Who logged in.
    pub(super) users: Vec<String>,
    pub(super) mailboxes: Vec<String>,
    /// What the messages are called that it brought.
    pub(super) messages: Vec<String>,
    /// What went wrong, and what was done on purpose.
    pub(super) troubles: Vec<String>,
    pub(super) faults: Vec<String>,
    /// The replies that are a no.
    pub(super) refusals: Vec<String>,
    /// Milliseconds that it took; `None` while it is not over, or when the program was killed.
    pub(super) lasted: Option<u64>,
    pub(super) steps: Vec<Step>,
}

impl Session {
    /// What a file says; lines that no session writes are passed over.
    pub(super) fn parse(text: &str) -> Self {
        let mut session = Self::default();
        let mut at = 0_u64;
        for line in text.lines() {
            let Some(line) = Line::parse(line) else {
                continue;
            };
            let what = match line {
                Line::Time(milliseconds) => {
                    at = at.saturating_add(milliseconds);
                    continue;
                }
                Line::Said { side, text, .. } => What::Said(side, text.to_owned()),
                Line::Tls(words) => What::Tls(words.to_owned()),
                Line::Closed(side) => What::Closed(side),
                Line::Remark(text) => What::Note(String::new(), text.to_owned()),
                Line::Note { kind, text } => {
                    if session.note(kind, text) {
                        continue;
                    }
                    What::Note(kind.to_owned(), text.to_owned())
                }
            };
            session.steps.push(Step { at, what });
        }
        session.refusals = session.find_refusals();
        session
    }

    /// Takes a note; whether it is about the session and no moment of it.
    fn note(&mut self, kind: &str, text: &str) -> bool {
        let text = text.to_owned();
        match kind {
            "session" => self.name = text,
            "service" => self.service = text,
            "client" => self.client = text,
            "server" => self.server = text,
            "ended" => {
                let seconds = text
                    .strip_prefix("after ")
                    .and_then(|text| text.strip_suffix(" s"));
                let seconds = seconds.and_then(|seconds| seconds.parse::<f64>().ok());
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "it saturates"
                )]
                let lasted = seconds.map(|seconds| (seconds * 1000.0).round() as u64);
                self.lasted = lasted;
            }
            note::USER => {
                self.users.push(text);
                return false;
            }
            note::MAILBOX => {
                self.mailboxes.push(text);
                return false;
            }
            note::MESSAGE => {
                self.messages.push(text);
                return false;
            }
            note::TROUBLE => {
                self.troubles.push(text);
                return false;
            }
            note::FAULT => {
                self.faults.push(text);
                return false;
            }
            _ => return false,
        }
        true
    }

    fn find_refusals(&self) -> Vec<String> {
        let mut teller = super::explain::Teller::new(&self.service);
        let mut refusals = Vec::new();
        for step in &self.steps {
            if let What::Said(side, text) = &step.what {
                let class = teller.hear(*side, text).class;
                if class == super::explain::Class::No || class == super::explain::Class::Later {
                    refusals.push(text.clone());
                }
            }
        }
        refusals
    }

    /// Whether it went otherwise than by a goodbye, or somebody was refused something.
    pub(super) fn has_failed(&self) -> bool {
        !(self.troubles.is_empty() && self.refusals.is_empty() && self.faults.is_empty())
    }

    /// A line of a list.
    pub(super) fn row(&self) -> String {
        let lasted = match self.lasted {
            Some(lasted) => seconds(lasted),
            None => "open".to_owned(),
        };
        let mut row = format!(
            "{:<27} {:<10} {:<22} {lasted:>9}  {:<10}",
            self.name,
            self.service,
            self.client,
            self.users.first().map_or("-", String::as_str)
        );
        let mut told: Vec<String> = Vec::new();
        if !self.messages.is_empty() {
            let some: Vec<&str> = self.messages.iter().take(3).map(String::as_str).collect();
            let more = self.messages.len() - some.len();
            let more = match more {
                0 => String::new(),
                more => format!(" +{more}"),
            };
            told.push(format!("{}{more}", some.join(" ")));
        }
        if let Some(mailbox) = self.mailboxes.last() {
            told.push(mailbox.clone());
        }
        // The first one: those of a pipeline that come after it follow from it.
        if let Some(refusal) = self.refusals.first() {
            let more = match self.refusals.len() {
                1 => String::new(),
                all => format!(" +{}", all - 1),
            };
            told.push(format!("! {}{more}", shortened(refusal, 40)));
        }
        for trouble in self.troubles.iter().chain(&self.faults) {
            told.push(format!("! {}", shortened(trouble, 60)));
        }
        let _ = write!(row, " {}", told.join("  "));
        row.trim_end().to_owned()
    }

    /// All about it, in JSON; its steps only when they are asked for.
    pub(super) fn json(&self, with_steps: bool) -> String {
        let list = |texts: &[String]| {
            let texts: Vec<String> = texts.iter().map(|text| json::string(text)).collect();
            format!("[{}]", texts.join(","))
        };
        let mut fields = vec![
            ("session", json::string(&self.name)),
            ("service", json::string(&self.service)),
            ("client", json::string(&self.client)),
            ("server", json::string(&self.server)),
            ("users", list(&self.users)),
            ("mailboxes", list(&self.mailboxes)),
            ("messages", list(&self.messages)),
            ("refusals", list(&self.refusals)),
            ("troubles", list(&self.troubles)),
            ("faults", list(&self.faults)),
            (
                "milliseconds",
                self.lasted
                    .map_or_else(|| "null".to_owned(), |lasted| lasted.to_string()),
            ),
        ];
        if with_steps {
            let steps: Vec<String> = self.steps.iter().map(Step::json).collect();
            fields.push(("steps", format!("[{}]", steps.join(","))));
        }
        json::object(&fields)
    }
}

impl Step {
    fn json(&self) -> String {
        let (what, text) = match &self.what {
            What::Said(Side::Client, text) => ("client", text.as_str()),
            What::Said(Side::Server, text) => ("server", text.as_str()),
            What::Tls(words) => ("tls", words.as_str()),
            What::Closed(Side::Client) => ("closed", "client"),
            What::Closed(Side::Server) => ("closed", "server"),
            What::Note(kind, text) => {
                return json::object(&[
                    ("at", self.at.to_string()),
                    ("what", json::string("note")),
                    ("kind", json::string(kind)),
                    ("text", json::string(text)),
                ]);
            }
        };
        json::object(&[
            ("at", self.at.to_string()),
            ("what", json::string(what)),
            ("text", json::string(text)),
        ])
    }
}

/// `1.234 s`
pub(super) fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03} s", milliseconds / 1000, milliseconds % 1000)
}

/// As many letters at most.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(3)).collect();
    short.push_str("...");
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let text = "# session: 20261126-140522.135-12\n# service: smtp\n# client: 127.0.0.1:5\n# server: 127.0.0.1:25\n\
                    S: 220 hi\n# +0.012 s\nC: AUTH PLAIN ********\n# user: alice\nS: 235 in\nT: tls # TLSv1.3 X\n\
                    # +1.500 s\nC: RCPT TO:<x>\nS: 550 5.1.1 no\n# message: ABC\nC| QU\n# S| 22\nS: [eof]\n# ended: after 2.5 s\nwhat?\n";
        let session = Session::parse(text);
        assert_eq!(session.name, "20261126-140522.135-12");
        assert_eq!(session.users, ["alice"]);
        assert_eq!(session.messages, ["ABC"]);
        assert_eq!(session.refusals, ["550 5.1.1 no"]);
        assert_eq!(session.lasted, Some(2500));
        let at: Vec<u64> = session.steps.iter().map(|step| step.at).collect();
        assert_eq!(at, [0, 12, 12, 12, 12, 1512, 1512, 1512, 1512, 1512, 1512]);
        assert_eq!(session.steps[4].what, What::Tls("TLSv1.3 X".to_owned()));
        assert_eq!(session.steps[10].what, What::Closed(Side::Server));
        assert_eq!(
            session.row(),
            "20261126-140522.135-12      smtp       127.0.0.1:5              2.500 s  alice      ABC  ! 550 5.1.1 no"
        );
        assert!(session.has_failed());
        let json = session.json(true);
        assert!(json.contains("{\"at\":12,\"what\":\"client\",\"text\":\"AUTH PLAIN ********\"}"));
    }

    #[test]
    fn numbers_are_taken_off() {
        let of = |line| numbered(line).map(|(number, line)| format!("{number} {line}"));
        assert_eq!(of("12C: 5"), Some("12 C: 5".to_owned()));
        assert_eq!(of("# 12: +0.1 s"), Some("12 # +0.1 s".to_owned()));
        assert_eq!(of("# lost: 3 lines"), None);
        assert_eq!(of("12"), None);
    }
}
