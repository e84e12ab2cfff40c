//! Pages and tables for a document: a course, a wiki, a report.

use std::fmt::Write;

use crate::wire::codes::{Found, Hit, Lang, Text};

/// A section for each row that was found.
pub(super) fn pages(found: &[Found], lang: Lang) -> String {
    let mut text = String::new();
    for one in found {
        if one.is_pattern {
            text.push_str(&table(&one.hits, lang));
            continue;
        }
        for hit in &one.hits {
            section(&mut text, one, hit, lang);
        }
    }
    text
}

fn section(text: &mut String, found: &Found, hit: &Hit, lang: Lang) {
    let code = match hit {
        Hit::Entry(_) if found.word.contains('.') && !found.word.starts_with(['x', 'X']) => {
            found.word.clone()
        }
        _ => hit.code(),
    };
    if !text.is_empty() {
        text.push('\n');
    }
    // Writing to a string cannot fail.
    let _ = writeln!(text, "## `{code}` {}\n", escaped(&hit.name()));
    let (section, rows) = match hit {
        Hit::Entry(entry) => (
            entry.section,
            vec![
                (MEANING, entry.meaning.both()),
                (SENT, entry.sent.both()),
                (NEXT, entry.next.both()),
            ],
        ),
        Hit::Command(command) => (
            command.section,
            vec![
                (MEANING, command.meaning.both()),
                (ALLOWED, command.allowed.both()),
            ],
        ),
        Hit::Service(service) => (service.section, vec![(MEANING, service.meaning)]),
    };
    let _ = writeln!(text, "*{}, {section}*\n", hit.kind().of(lang));
    for (drawn, digit) in &found.digits {
        let _ = writeln!(text, "- `{drawn}`: {}", escaped(digit.meaning.of(lang)));
    }
    for (label, row) in rows {
        let _ = writeln!(
            text,
            "- **{}**{} {}",
            label.of(lang),
            colon(lang),
            escaped(row.of(lang))
        );
    }
    if let Hit::Command(command) = hit {
        let _ = writeln!(text, "\n```\n{}\n```", command.example);
    }
}

/// A table of code, name and meaning.
pub(super) fn table(hits: &[Hit], lang: Lang) -> String {
    let mut text = String::new();
    let mut before = "";
    for hit in hits {
        let kind = hit.kind().of(lang);
        if kind != before {
            let gap = if text.is_empty() { "" } else { "\n" };
            let [code, name] = [CODE.of(lang), NAME.of(lang)];
            let _ = write!(
                text,
                "{gap}| {code} | {name} | {} |\n|---|---|---|\n",
                MEANING.of(lang)
            );
            before = kind;
        }
        let meaning = hit.meaning().of(lang);
        let _ = writeln!(
            text,
            "| `{}` | {} | {} |",
            hit.code(),
            escaped(&hit.name()),
            escaped(meaning)
        );
    }
    text
}

/// Text in which nothing is markup, but for `code`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut is_code = false;
    for letter in text.chars() {
        is_code ^= letter == '`';
        if letter == '|' || !is_code && matches!(letter, '*' | '<' | '_' | '[' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

const fn colon(lang: Lang) -> &'static str {
    match lang {
        Lang::En => ":",
        Lang::Fr => " :",
    }
}

const CODE: Text = Text::new("Code", "Code");
const NAME: Text = Text::new("Name", "Nom");
const MEANING: Text = Text::new("Meaning", "Sens");
const SENT: Text = Text::new("Who, when", "Qui, quand");
const NEXT: Text = Text::new("What next", "Que faire");
const ALLOWED: Text = Text::new("Allowed", "Permise");
