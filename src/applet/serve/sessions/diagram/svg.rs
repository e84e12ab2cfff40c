//! The ladder as a picture (SVG 1.1), and as a page of its own (HTML) that needs nothing from elsewhere.
//!
//! Text is not measured: letters of a monospaced font are 0.602 em wide in all that browsers have, and what is set in another one is
//! wrapped early.

use std::fmt::Write;

use super::{CLIENT, ENCRYPTED, Ladder, Row, SERVER, Said, closes, colon, wrap};
use crate::applet::serve::sessions::explain::Class;
use crate::tap::Side;
use crate::wire::codes::{Lang, Text};

const WIDTH: usize = 1180;
/// Where the lines of client and server are.
const CLIENT_X: usize = 110;
const SERVER_X: usize = 690;
/// Where meanings begin.
const BESIDE_X: usize = 716;
/// Letters between the two, and of a line of meaning.
const LETTERS: usize = 64;
const BESIDE_LETTERS: usize = 66;
/// From one line of text to the next.
const LINE: usize = 17;
const TOP: usize = 96;
/// Tenths of a pixel that a letter of what is said is wide.
const LETTER_TENTHS: usize = 79;

/// The picture.
pub(in crate::applet::serve::sessions) fn svg(ladder: &Ladder) -> String {
    let mut body = String::new();
    let mut y = TOP;
    let mut encrypted: Option<usize> = None;
    for row in &ladder.rows {
        y = draw(ladder, row, y, &mut body);
        if matches!(row, Row::Tls(_)) && encrypted.is_none() {
            encrypted = Some(y);
        }
    }
    let height = y + 24;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         role=\"img\">\n<title>{}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>\n",
        escaped(&ladder.title)
    );
    if let Some(from) = encrypted {
        let _ = writeln!(
            svg,
            "<rect class=\"encrypted\" x=\"{CLIENT_X}\" y=\"{from}\" width=\"{}\" height=\"{}\"/>",
            SERVER_X - CLIENT_X,
            height - 12 - from
        );
    }
    let _ = writeln!(
        svg,
        "<text class=\"title\" x=\"16\" y=\"26\">{}</text>",
        escaped(&ladder.title)
    );
    for (x, name, address) in [
        (CLIENT_X, CLIENT.of(ladder.lang), &ladder.client),
        (SERVER_X, SERVER.of(ladder.lang), &ladder.server),
    ] {
        let left = x - 74;
        let _ = writeln!(
            svg,
            "<rect class=\"head\" x=\"{left}\" y=\"42\" width=\"148\" height=\"40\" rx=\"6\"/>\n\
             <text class=\"who\" x=\"{x}\" y=\"59\">{}</text>\n<text class=\"where\" x=\"{x}\" y=\"75\">{}</text>\n\
             <line class=\"life\" x1=\"{x}\" y1=\"82\" x2=\"{x}\" y2=\"{}\"/>",
            escaped(name),
            escaped(&super::shortened(address, 26)),
            height - 12
        );
    }
    svg.push_str(&body);
    svg.push_str("</svg>\n");
    svg
}

/// The page: the picture, what its colours are, and the dialogue as it is kept.
pub(in crate::applet::serve::sessions) fn page(ladder: &Ladder, dialogue: &str) -> String {
    let lang = ladder.lang;
    let code = match lang {
        Lang::En => "en",
        Lang::Fr => "fr",
    };
    let title = escaped(&ladder.title);
    let mut legend = String::new();
    for (class, text) in LEGEND {
        let _ = write!(
            legend,
            "<span class=\"key\"><span class=\"dot {class}\"></span>{}</span>",
            escaped(text.of(lang))
        );
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>{PAGE_STYLE}</style>\n</head>\n\
         <body>\n<div class=\"legend\">{legend}</div>\n<div class=\"ladder\">\n{}</div>\n<details><summary>{}</summary>\n\
         <pre>{}</pre>\n</details>\n</body>\n</html>\n",
        svg(ladder),
        escaped(DIALOGUE.of(lang)),
        escaped(dialogue)
    )
}

/// Draws a row from `y` on; where the next one begins.
fn draw(ladder: &Ladder, row: &Row, y: usize, body: &mut String) -> usize {
    let middle = usize::midpoint(CLIENT_X, SERVER_X);
    match row {
        Row::Phase(name) => {
            let _ = writeln!(
                body,
                "<rect class=\"phase\" x=\"16\" y=\"{}\" width=\"{}\" height=\"20\"/>\n\
                 <text class=\"phase\" x=\"{middle}\" y=\"{}\">{}</text>",
                y + 6,
                WIDTH - 32,
                y + 20,
                escaped(name)
            );
            y + 34
        }
        Row::Tls(words) => {
            let words = format!(
                "TLS{}{words}, {}",
                colon(ladder.lang),
                ENCRYPTED.of(ladder.lang)
            );
            let _ = writeln!(
                body,
                "<rect class=\"tls\" x=\"{CLIENT_X}\" y=\"{}\" width=\"{}\" height=\"22\"/>\n\
                 <text class=\"tls\" x=\"{middle}\" y=\"{}\">{}</text>",
                y + 4,
                SERVER_X - CLIENT_X,
                y + 20,
                escaped(&super::shortened(&words, 76))
            );
            y + 26
        }
        Row::Note { text, is_bad } => {
            let class = if *is_bad { "note bad" } else { "note" };
            let mut at = y + 4;
            for line in wrap(text, LETTERS + 6) {
                let _ = writeln!(
                    body,
                    "<text class=\"{class}\" x=\"{middle}\" y=\"{}\">{}</text>",
                    at + 12,
                    escaped(&line)
                );
                at += LINE;
            }
            at + 4
        }
        Row::Closed(side) => {
            let x = match side {
                Side::Client => CLIENT_X,
                Side::Server => SERVER_X,
            };
            let _ = writeln!(
                body,
                "<path class=\"end\" d=\"M{} {}l12 12m0 -12l-12 12\"/>\n\
                 <text class=\"note\" x=\"{middle}\" y=\"{}\">{}</text>",
                x - 6,
                y + 4,
                y + 15,
                escaped(closes(*side, ladder.lang))
            );
            y + 24
        }
        Row::Said(said) => draw_said(ladder.lang, said, y, body),
    }
}

fn draw_said(lang: Lang, said: &Said, y: usize, body: &mut String) -> usize {
    let class = class_of(said);
    let _ = writeln!(
        body,
        "<text class=\"time\" x=\"78\" y=\"{}\">{}</text>",
        y + 16,
        escaped(&said.at)
    );
    let lines: Vec<String> = said
        .lines
        .iter()
        .flat_map(|line| wrap(line, LETTERS))
        .collect();
    let longest = lines.iter().map(|line| line.chars().count()).max();
    let (anchor, x) = match said.side {
        Side::Client => ("", CLIENT_X + 14),
        Side::Server if lines.len() == 1 => (" server", SERVER_X - 14),
        // Several lines begin at the same place.
        Side::Server => (
            "",
            SERVER_X - 14 - longest.unwrap_or(0) * LETTER_TENTHS / 10,
        ),
    };
    let mut at = y + 4;
    for line in lines {
        let _ = writeln!(
            body,
            "<text class=\"said {class}{anchor}\" x=\"{x}\" y=\"{}\">{}</text>",
            at + 12,
            escaped(&line)
        );
        at += LINE;
    }
    // The arrow is below what is said.
    let arrow = at + 2;
    let (from, to, back) = match said.side {
        Side::Client => (CLIENT_X, SERVER_X - 2, "-8"),
        Side::Server => (SERVER_X, CLIENT_X + 2, "8"),
    };
    let _ = writeln!(
        body,
        "<path class=\"arrow {class}\" d=\"M{from} {arrow}H{to}\"/><path class=\"tip {class}\" d=\"M{to} {arrow}l{back} -4v8z\"/>"
    );
    let mut beside = y + 4;
    for (word, meaning) in &said.meanings {
        let text = format!("{word}{}{meaning}", colon(lang));
        for (index, line) in wrap(&text, BESIDE_LETTERS).into_iter().enumerate() {
            let line = match (index, line.strip_prefix(word.as_str())) {
                (0, Some(rest)) => {
                    format!(
                        "<tspan class=\"word {class}\">{}</tspan>{}",
                        escaped(word),
                        escaped(rest)
                    )
                }
                _ => escaped(&line),
            };
            let _ = writeln!(
                body,
                "<text class=\"meaning\" x=\"{BESIDE_X}\" y=\"{}\">{line}</text>",
                beside + 12
            );
            beside += LINE - 1;
        }
    }
    (arrow + 8).max(beside + 6)
}

const fn class_of(said: &Said) -> &'static str {
    match (said.side, said.class) {
        (_, Class::Content | Class::Data) => "data",
        (Side::Client, _) => "client",
        (_, Class::Good) => "good",
        (_, Class::GoOn) => "goon",
        (_, Class::Later) => "later",
        (_, Class::No) => "no",
        (_, Class::Command) => "data",
    }
}

/// Text of a document; what a peer said is no markup, and no character that XML does not have.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' | '\t' => safe.push(letter),
            letter if letter.is_control() => safe.push('\u{fffd}'),
            letter => safe.push(letter),
        }
    }
    safe
}

const STYLE: &str = "\
.paper{fill:#fff}.encrypted{fill:#f3eefb}text{font:13px system-ui,sans-serif;fill:#222}\
.title{font-weight:600;font-size:15px}.head{fill:#eef2f7;stroke:#8a99ad}.who{text-anchor:middle;font-weight:600}\
.where{text-anchor:middle;font:11px ui-monospace,monospace;fill:#555}.life{stroke:#8a99ad;stroke-width:2}\
rect.phase{fill:#e8ecf1}text.phase{text-anchor:middle;font-weight:600;font-size:12px;fill:#445}\
rect.tls{fill:#6b46c1}text.tls{text-anchor:middle;fill:#fff;font-size:12px;font-weight:600}\
.time{text-anchor:end;font:11px ui-monospace,monospace;fill:#777}\
.said{font:13px ui-monospace,monospace;white-space:pre}.server{text-anchor:end}.meaning{font-size:12px;fill:#444}\
.word{font-weight:600}.note{text-anchor:middle;font-style:italic;font-size:12px;fill:#666}.note.bad{fill:#b3261e;font-weight:600}\
.arrow{fill:none;stroke-width:1.5}.end{stroke:#b3261e;stroke-width:2;fill:none}\
.said.client,.word.client{fill:#0b57a4}.arrow.client{stroke:#0b57a4}.tip.client{fill:#0b57a4}\
.said.good,.word.good{fill:#1b7a35}.arrow.good{stroke:#1b7a35}.tip.good{fill:#1b7a35}\
.said.goon,.word.goon{fill:#3949ab}.arrow.goon{stroke:#3949ab}.tip.goon{fill:#3949ab}\
.said.later,.word.later{fill:#9a5b00}.arrow.later{stroke:#9a5b00}.tip.later{fill:#9a5b00}\
.said.no,.word.no{fill:#b3261e}.arrow.no{stroke:#b3261e}.tip.no{fill:#b3261e}\
.said.data,.word.data{fill:#444}.arrow.data{stroke:#999}.tip.data{fill:#999}";

const PAGE_STYLE: &str = "\
body{margin:16px;font:14px system-ui,sans-serif;color:#222;background:#fff}.ladder{overflow-x:auto}svg{max-width:100%;min-width:900px;height:auto}\
.legend{margin-bottom:8px}.key{margin-right:18px;white-space:nowrap}\
.dot{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px;background:#999}\
.dot.client{background:#0b57a4}.dot.good{background:#1b7a35}.dot.goon{background:#3949ab}.dot.later{background:#9a5b00}\
.dot.no{background:#b3261e}summary{cursor:pointer;margin-top:12px}pre{font:12px ui-monospace,monospace;white-space:pre-wrap}";

const LEGEND: [(&str, Text); 5] = [
    (
        "client",
        Text {
            en: "a command of the client",
            fr: "une commande du client",
        },
    ),
    (
        "good",
        Text {
            en: "yes (2xx, +OK, OK)",
            fr: "oui (2xx, +OK, OK)",
        },
    ),
    (
        "goon",
        Text {
            en: "go on (3xx, +)",
            fr: "continuez (3xx, +)",
        },
    ),
    (
        "later",
        Text {
            en: "not now (4xx)",
            fr: "pas maintenant (4xx)",
        },
    ),
    (
        "no",
        Text {
            en: "no (5xx, -ERR, NO, BAD)",
            fr: "non (5xx, -ERR, NO, BAD)",
        },
    ),
];

const DIALOGUE: Text = Text {
    en: "The dialogue as it is kept",
    fr: "Le dialogue tel qu'il est conservé",
};
