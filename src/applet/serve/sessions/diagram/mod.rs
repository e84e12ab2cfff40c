//! A session as a ladder: the client's line on the left, the server's on the right, what is said between them from top to bottom, and
//! beside it what it means.

mod svg;
mod text;

use super::dialogue::{Session, What, seconds, shortened};
use super::explain::{Class, Phase, Teller};
use crate::tap::{Side, note};
use crate::wire::codes::{Lang, Text};

pub(super) use self::svg::{page, svg};
pub(super) use self::text::text;

/// What is drawn.
pub(super) struct Ladder {
    pub(super) lang: Lang,
    /// `20261126-140522.135-12, smtp, 1.234 s`
    pub(super) title: String,
    pub(super) client: String,
    pub(super) server: String,
    pub(super) rows: Vec<Row>,
}

/// One of its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// A part of the session begins.
    Phase(&'static str),
    /// A side says some lines.
    Said(Said),
    /// TLS is up: all below is encrypted.
    Tls(String),
    /// What no line shows.
    Note { text: String, is_bad: bool },
    /// A side closes.
    Closed(Side),
}

/// Lines of one side that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) side: Side,
    pub(super) class: Class,
    /// When, `0.012 s`.
    pub(super) at: String,
    pub(super) lines: Vec<String>,
    /// Words of it, and what they mean.
    pub(super) meanings: Vec<(String, &'static str)>,
}

/// Lines that are shown of those that belong together.
const SHOWN: usize = 8;
/// Letters that are shown of one.
const LETTERS: usize = 300;

impl Ladder {
    pub(super) fn of(session: &Session, lang: Lang) -> Self {
        let mut rows: Vec<Row> = Vec::new();
        let mut teller = Teller::new(&session.service);
        let mut phase: Option<Phase> = None;
        let mut goes_on = false;
        let mut known: Vec<String> = Vec::new();
        for step in &session.steps {
            let row = match &step.what {
                What::Said(side, text) => {
                    let heard = teller.hear(*side, text);
                    let text = shortened(text, LETTERS);
                    let mut meanings = heard.meanings(lang);
                    for (word, meaning) in &mut meanings {
                        // All of it once; who has read it is reminded.
                        if known.contains(word) {
                            *meaning = first_sentence(meaning);
                        }
                    }
                    known.extend(meanings.iter().map(|(word, _)| word.clone()));
                    if let Some(Row::Said(last)) = rows.last_mut() {
                        let is_content = matches!(heard.class, Class::Content | Class::Data)
                            && last.class == heard.class
                            && (heard.class == Class::Content || last.meanings == meanings);
                        if last.side == *side && (goes_on || is_content) {
                            last.lines.push(text);
                            last.meanings = meanings;
                            last.class = heard.class;
                            goes_on = heard.goes_on;
                            continue;
                        }
                    }
                    goes_on = heard.goes_on;
                    if phase != Some(heard.phase) {
                        phase = Some(heard.phase);
                        rows.push(Row::Phase(heard.phase.name(lang)));
                    }
                    Row::Said(Said {
                        side: *side,
                        class: heard.class,
                        at: seconds(step.at),
                        lines: vec![text],
                        meanings,
                    })
                }
                What::Tls(words) => {
                    // All that was learnt before is forgotten.
                    Row::Tls(words.clone())
                }
                What::Note(kind, text) => Row::Note {
                    text: match kind.as_str() {
                        "" => text.clone(),
                        kind => format!("{}{}{text}", kind_of_note(kind, lang), colon(lang)),
                    },
                    is_bad: matches!(kind.as_str(), note::TROUBLE | note::FAULT | "lost"),
                },
                What::Closed(side) => Row::Closed(*side),
            };
            rows.push(row);
        }
        for row in &mut rows {
            if let Row::Said(said) = row {
                said.fold(lang);
            }
        }
        let lasted = session.lasted.map(seconds);
        let parts = [
            session.name.clone(),
            session.service.clone(),
            lasted.unwrap_or_default(),
        ];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Self {
            lang,
            title: parts.join(", "),
            client: session.client.clone(),
            server: session.server.clone(),
            rows,
        }
    }
}

impl Said {
    /// Of many lines the first and the last are shown.
    fn fold(&mut self, lang: Lang) {
        if self.lines.len() <= SHOWN {
            return;
        }
        let left = self.lines.len() - SHOWN + 1;
        let words = match lang {
            Lang::En => format!("... {left} more lines ..."),
            Lang::Fr => format!("... {left} autres lignes ..."),
        };
        let last = self.lines.pop();
        self.lines.truncate(SHOWN - 2);
        self.lines.push(words);
        self.lines.extend(last);
    }
}

/// Up to what explains it further.
fn first_sentence(text: &'static str) -> &'static str {
    let end = [". ", ": ", " : "]
        .iter()
        .filter_map(|end| text.find(end))
        .min();
    end.map_or(text, |end| &text[..end])
}

/// Between a word and what it means, as the language has it.
pub(super) const fn colon(lang: Lang) -> &'static str {
    match lang {
        Lang::En => ": ",
        Lang::Fr => "\u{a0}: ",
    }
}

pub(super) fn kind_of_note(kind: &str, lang: Lang) -> &str {
    match (kind, lang) {
        (note::USER, Lang::En) => "logged in",
        (note::USER, Lang::Fr) => "authentifié",
        (note::MAILBOX, Lang::Fr) => "boîte",
        (note::MESSAGE, Lang::En) => "message taken",
        (note::MESSAGE, Lang::Fr) => "message accepté",
        (note::TROUBLE, Lang::Fr) => "ennui",
        (note::FAULT, Lang::En) => "fault on purpose",
        (note::FAULT, Lang::Fr) => "panne voulue",
        ("left out", Lang::Fr) => "omis",
        (kind, _) => kind,
    }
}

const CLIENT: Text = Text {
    en: "client",
    fr: "client",
};
const SERVER: Text = Text {
    en: "server",
    fr: "serveur",
};
const ENCRYPTED: Text = Text {
    en: "encrypted from here on",
    fr: "chiffré à partir d'ici",
};

pub(super) fn closes(side: Side, lang: Lang) -> &'static str {
    match (side, lang) {
        (Side::Client, Lang::En) => "the client closes",
        (Side::Client, Lang::Fr) => "le client ferme",
        (Side::Server, Lang::En) => "the server closes",
        (Side::Server, Lang::Fr) => "le serveur ferme",
    }
}

/// Words in lines of so many letters at most; a longer word is cut.
fn wrap(text: &str, letters: usize) -> Vec<String> {
    let letters = letters.max(4);
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        if length > 0 && length + 1 + word.len() > letters {
            lines.push(String::new());
            length = 0;
        }
        while word.len() > letters {
            let rest = word.split_off(letters - length.min(letters - 1));
            push(&mut lines, &word, &mut length);
            lines.push(String::new());
            length = 0;
            word = rest;
        }
        push(&mut lines, &word, &mut length);
    }
    if lines.len() > 1 && lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

fn push(lines: &mut [String], word: &[char], length: &mut usize) {
    let Some(line) = lines.last_mut() else {
        return;
    };
    if *length > 0 {
        line.push(' ');
        *length += 1;
    }
    line.extend(word);
    *length += word.len();
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str = "# session: 20261126-140522.135-12\n# service: smtp\n# client: 127.0.0.1:50000\n# server: 127.0.0.1:1025\n\
        S: 220 hi\n# +0.012 s\nC: EHLO pc1\nS: 250-localhost\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 2.0.0 go\nT: tls # TLSv1.3\n\
        C: MAIL FROM:<a&b@x>\nS: 250 2.1.0 ok\nC: RCPT TO:<alice@localhost>\nS: 550 5.1.1 \"no\" <such> user\nC: RCPT TO:<bob@localhost>\n\
        S: 250 2.1.5 ok\nC: DATA\nS: 354 go on\nC: Subject: x\nC:\nC: 1\nC: 2\nC: 3\nC: 4\nC: 5\nC: 6\nC: 7\nC: .\n\
        # message: ABC-1\nS: 250 2.0.0 Ok: ABC-1\n# fault: cut off\nS: [eof]\n# ended: after 1.234 s\n";

    #[test]
    fn lines_that_belong_together_are_one_row() {
        let ladder = Ladder::of(&Session::parse(SESSION), Lang::En);
        let shown: Vec<String> = ladder
            .rows
            .iter()
            .map(|row| match row {
                Row::Phase(name) => format!("== {name}"),
                Row::Said(said) => format!(
                    "{:?} {:?} {} {}",
                    said.side,
                    said.class,
                    said.lines.join("|"),
                    said.meanings.len()
                ),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(
            shown,
            [
                "== greeting",
                "Server Good 220 hi 1",
                "== introduction",
                "Client Command EHLO pc1 1",
                "Server Good 250-localhost|250 STARTTLS 1",
                "Client Command STARTTLS 1",
                "Server Good 220 2.0.0 go 2",
                "Tls(\"TLSv1.3\")",
                "== envelope",
                "Client Command MAIL FROM:<a&b@x> 1",
                "Server Good 250 2.1.0 ok 2",
                "Client Command RCPT TO:<alice@localhost> 1",
                "Server No 550 5.1.1 \"no\" <such> user 2",
                "Client Command RCPT TO:<bob@localhost> 1",
                "Server Good 250 2.1.5 ok 2",
                "== message",
                "Client Command DATA 1",
                "Server GoOn 354 go on 1",
                "Client Content Subject: x||1|2|3|4|... 3 more lines ...|. 0",
                "Note { text: \"message taken: ABC-1\", is_bad: false }",
                "Server Good 250 2.0.0 Ok: ABC-1 2",
                "Note { text: \"fault on purpose: cut off\", is_bad: true }",
                "Closed(Server)",
            ]
        );
        assert_eq!(ladder.title, "20261126-140522.135-12, smtp, 1.234 s");
    }

    #[test]
    fn words_are_wrapped_and_long_ones_cut() {
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("a 12345678901", 5), ["a", "12345", "67890", "1"]);
        assert_eq!(wrap("1234567890", 5), ["12345", "67890"]);
    }

    #[test]
    fn nothing_that_was_said_is_markup() {
        let ladder = Ladder::of(&Session::parse(SESSION), Lang::Fr);
        let svg = svg(&ladder);
        assert!(svg.contains("MAIL FROM:&lt;a&amp;b@x&gt;"), "{svg}");
        assert!(svg.contains("550 5.1.1 &quot;no&quot; &lt;such&gt; user"));
        assert!(!svg.contains("<such>"));
        assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
        // Every element that is opened is closed.
        let opened = svg.matches("<text").count();
        assert_eq!(opened, svg.matches("</text>").count());
        let page = page(&ladder, "C: <script>\n");
        assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"fr\">"));
        assert!(page.contains("C: &lt;script&gt;"));
        assert!(!page.contains("http://") || page.matches("http://").count() == 1);
        assert!(!page.contains("src=") && !page.contains("href="));
    }

    #[test]
    fn as_text_it_stays_within_its_columns() {
        let ladder = Ladder::of(&Session::parse(SESSION), Lang::En);
        for columns in [80, 100, 140] {
            let text = text(&ladder, columns, false);
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(columns), "{widest:?} {columns}\n{text}");
            for said in ["EHLO pc1", "550 5.1.1", "TLSv1.3", "the server closes"] {
                assert!(text.contains(said), "{said}\n{text}");
            }
        }
        let coloured = text(&ladder, 100, true);
        assert!(coloured.contains("\x1b[31m"), "{coloured}");
    }

    proptest::proptest! {
        /// Whatever a file has: it may have been edited, or be another's.
        #[test]
        fn every_file_can_be_drawn(
            lines in proptest::collection::vec(
                (
                    proptest::sample::select(&[
                        "S: ", "C: ", "C| ", "# S| ", "T: tls # ", "# +", "# user: ", "# message: ", "# fault: ", "# left out: ", "# session: ",
                        "# service: smtp", "# service: imap", "# service: pop3", "# ended: after ", "#", "12S: ", "# 12: user: ", "",
                    ][..]),
                    proptest::sample::select(&[
                        "220 x", "250-x", "550 5.1.1 no", "+OK", "+", "-ERR [IN-USE] x", "* 1 FETCH (BODY[] {3}", "a OK x", "[eof]", "1e400 s",
                        "0.001 s", "-1 s", "NaN s", "DATA", ".", "\u{202e}<b>&\"", "AUTH PLAIN ********", "a1 FETCH 1:*", "\u{1f600}\u{301}", "",
                        "20261126-140522.123-12", "99999999-999999.999-18446744073709551615", "12345678901234567890123456789012345678901234567890",
                    ][..]),
                ),
                0..30,
            ),
            noise in "\\PC{0,20}",
            columns in 0usize..300,
        ) {
            let mut file: String = lines.iter().map(|(head, rest)| format!("{head}{rest}\n")).collect();
            file.push_str(&noise);
            let session = Session::parse(&file);
            session.json(true);
            session.row();
            for lang in [Lang::En, Lang::Fr] {
                let ladder = Ladder::of(&session, lang);
                text(&ladder, columns, false);
                let svg = svg(&ladder);
                proptest::prop_assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
                proptest::prop_assert!(!svg.contains("<b>"));
                page(&ladder, &file);
            }
        }
    }
}
