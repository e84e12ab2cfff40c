//! Whole tables and what a search found: a row each, as text, as JSON, or as a table in Markdown.

use super::json;
use super::markdown;
use super::page::Page;
use crate::wire::codes::{Found, Hit, Lang};

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// For a terminal.
    Text,
    /// For a program.
    Json,
    /// For a document.
    Markdown,
}

/// The rows, in this form.
pub(super) fn rows(hits: &[Hit], form: Form, lang: Lang, page: Page<'_>) -> String {
    match form {
        Form::Text => text(hits, lang, page),
        Form::Json => json::array(&found(hits), lang),
        Form::Markdown => markdown::table(hits, lang),
    }
}

fn found(hits: &[Hit]) -> Vec<Found> {
    let one = |hit: &Hit| Found {
        word: hit.code(),
        hits: vec![*hit],
        ..Found::default()
    };
    hits.iter().map(one).collect()
}

fn text(hits: &[Hit], lang: Lang, mut page: Page<'_>) -> String {
    let mut before = "";
    for hit in hits {
        let kind = hit.kind().of(lang);
        if kind != before {
            page.title(kind);
            before = kind;
        }
        page.row(&hit.code(), &hit.name(), hit.meaning().of(lang));
    }
    page.finish()
}
