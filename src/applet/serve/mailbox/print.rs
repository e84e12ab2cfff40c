//! Lists, for people and for programs.

use crate::applet::{exit, told};
use crate::store::{Account, Condition, Finding};
use crate::wire::json;

/// Rows of a user, a mailbox and numbers.
pub(super) struct Table {
    columns: Vec<&'static str>,
    rows: Vec<Row>,
}

/// One of them.
pub(super) struct Row {
    user: String,
    mailbox: String,
    numbers: Vec<u64>,
}

impl Row {
    pub(super) fn new(user: &str, mailbox: &str) -> Self {
        Self {
            user: user.to_owned(),
            mailbox: mailbox.to_owned(),
            numbers: Vec::new(),
        }
    }
    pub(super) fn numbers(mut self, numbers: &[u64]) -> Self {
        self.numbers = numbers.to_vec();
        self
    }
}

impl Table {
    /// The first two columns are the user and the mailbox.
    pub(super) fn new(columns: &[&'static str]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }
    pub(super) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }
    pub(super) const fn has_rows(&self) -> bool {
        !self.rows.is_empty()
    }

    pub(super) fn show(&self, as_json: bool) -> String {
        match as_json {
            true => self.json(),
            false => self.text(),
        }
    }

    fn json(&self) -> String {
        let objects: Vec<String> = self
            .rows
            .iter()
            .map(|row| {
                let mut fields = vec![
                    (self.columns[0], json::string(&row.user)),
                    (self.columns[1], json::string(&row.mailbox)),
                ];
                let numbers = row.numbers.iter().map(u64::to_string);
                fields.extend(self.columns[2..].iter().copied().zip(numbers));
                json::object(&fields)
            })
            .collect();
        format!("[{}]\n", objects.join(",\n "))
    }

    /// Numbers end below each other, words begin so.
    fn text(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let head = self
            .columns
            .iter()
            .map(|name| name.to_uppercase().replace('_', " "));
        let mut lines: Vec<Vec<String>> = vec![head.collect()];
        for row in &self.rows {
            let words = [&row.user, &row.mailbox].map(|word| exit::printable(word));
            lines.push(
                words
                    .into_iter()
                    .chain(row.numbers.iter().map(u64::to_string))
                    .collect(),
            );
        }
        let width = |column: usize| {
            let widths = lines.iter().map(|line| line[column].chars().count());
            widths.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let mut text = String::new();
        for line in &lines {
            for (column, word) in line.iter().enumerate() {
                let pad = " ".repeat(widths[column] - word.chars().count());
                match column {
                    0 => text.push_str(&format!("{word}{pad}")),
                    1 => text.push_str(&format!("  {word}{pad}")),
                    _ => text.push_str(&format!("  {pad}{word}")),
                }
            }
            text.push('\n');
        }
        text
    }
}

/// What a check found.
pub(super) fn findings(all: &[(Account, String, Finding)], as_json: bool) -> String {
    if as_json {
        let objects: Vec<String> = all
            .iter()
            .map(|(user, mailbox, finding)| {
                json::object(&[
                    ("user", json::string(&user.name)),
                    ("mailbox", json::string(mailbox)),
                    ("state", json::string(state(finding.state))),
                    ("what", json::string(&finding.what)),
                    ("count", finding.count.to_string()),
                    ("example", json::string(&finding.example)),
                ])
            })
            .collect();
        return format!("[{}]\n", objects.join(",\n "));
    }
    let mut text = String::new();
    for (user, mailbox, finding) in all {
        let place = match &**mailbox {
            "" => user.name.to_string(),
            mailbox => format!("{} {mailbox}", user.name),
        };
        let example = match &*finding.example {
            "" => String::new(),
            example => format!(", {}", told(&format!("such as {example}"))),
        };
        let line = format!(
            "{}: {place}: {} {}{example}",
            state(finding.state),
            finding.count,
            told(&finding.what)
        );
        text.push_str(&exit::printable(&line).replace('\n', " "));
        text.push('\n');
    }
    let count = |state| {
        all.iter()
            .filter(|(_, _, finding)| finding.state == state)
            .count()
    };
    let (faults, mended) = (count(Condition::Fault), count(Condition::Mended));
    text.push_str(&told(&match (faults, mended) {
        (0, 0) => "All is well.".to_owned(),
        (0, mended) => format!("{mended} kinds of faults mended."),
        (faults, 0) => format!("{faults} kinds of faults: --repair mends what can be mended."),
        (faults, mended) => format!("{mended} kinds of faults mended, {faults} left."),
    }));
    text.push('\n');
    text
}

const fn state(state: Condition) -> &'static str {
    match state {
        Condition::Note => "note",
        Condition::Fault => "fault",
        Condition::Mended => "mended",
    }
}
