//! The ladder for a terminal.

use super::{CLIENT, ENCRYPTED, Ladder, Row, SERVER, Said, closes, colon, wrap};
use crate::applet::serve::sessions::explain::Class;
use crate::tap::Side;
use crate::wire::codes::Lang;

/// Letters before the client's line: the time.
const LEFT: usize = 11;

/// The whole of it, in so many columns.
pub(in crate::applet::serve::sessions) fn text(
    ladder: &Ladder,
    columns: usize,
    colours: bool,
) -> String {
    let columns = columns.clamp(60, 200);
    // What is said gets a little more than what it means.
    let middle = (columns - LEFT - 4) * 54 / 100;
    let mut page = Page {
        text: String::new(),
        middle,
        right: columns - LEFT - 4 - middle,
        colours,
    };
    let lang = ladder.lang;
    page.paint("1", &ladder.title);
    page.text.push('\n');
    let (client, server) = (CLIENT.of(lang), SERVER.of(lang));
    page.heads(client, server);
    page.heads(&ladder.client, &ladder.server);
    page.bare();
    for row in &ladder.rows {
        match row {
            Row::Phase(name) => page.band(&format!(" {name} "), '═', "1"),
            Row::Tls(words) => {
                let words = format!(" TLS{}{words}, {} ", colon(lang), ENCRYPTED.of(lang));
                page.band(&words, '▒', "35");
            }
            Row::Note { text, is_bad } => {
                let colour = if *is_bad { "31" } else { "2" };
                for line in wrap(text, middle - 4) {
                    page.between(&format!("  ({line})"), colour, "");
                }
            }
            Row::Closed(side) => page.between(&format!("  {}", closes(*side, lang)), "2", ""),
            Row::Said(said) => page.said(lang, said),
        }
    }
    page.text
}

struct Page {
    text: String,
    /// Columns between the two lines.
    middle: usize,
    /// Columns beside them.
    right: usize,
    colours: bool,
}

impl Page {
    fn heads(&mut self, client: &str, server: &str) {
        // Each above its line.
        let before = (LEFT + 1).saturating_sub(client.chars().count() / 2);
        let mut line = " ".repeat(before);
        line.push_str(client);
        let at = LEFT + self.middle + 1;
        let length = server.chars().count();
        let begin = at.saturating_sub(length / 2);
        let here = line.chars().count();
        line.push_str(&" ".repeat(begin.saturating_sub(here).max(1)));
        line.push_str(server);
        self.text.push_str(&line);
        self.text.push('\n');
    }

    fn bare(&mut self) {
        self.between("", "", "");
    }

    /// Across both lines.
    fn band(&mut self, words: &str, fill: char, colour: &str) {
        for words in wrap(words.trim(), self.middle - 4) {
            let words = format!(" {words} ");
            let room = self.middle.saturating_sub(words.chars().count());
            let half = room / 2;
            let mut line = String::new();
            line.extend(std::iter::repeat_n(fill, half));
            line.push_str(&words);
            line.extend(std::iter::repeat_n(fill, room - half));
            self.text.push_str(&" ".repeat(LEFT));
            self.text.push('├');
            self.paint(colour, &line);
            self.text.push_str("┤\n");
        }
    }

    /// Something between the lines, and something beside them.
    fn between(&mut self, words: &str, colour: &str, beside: &str) {
        self.line("", words, colour, beside);
    }

    fn line(&mut self, time: &str, words: &str, colour: &str, beside: &str) {
        self.paint("2", &format!("{time:>10} "));
        self.text.push('│');
        let room = self.middle.saturating_sub(words.chars().count());
        self.paint(colour, words);
        self.text.push_str(&" ".repeat(room));
        self.text.push('│');
        if !beside.is_empty() {
            self.text.push_str("  ");
            self.paint("3", beside);
        }
        let end = self.text.trim_end_matches(' ').len();
        self.text.truncate(end);
        self.text.push('\n');
    }

    fn said(&mut self, lang: Lang, said: &Said) {
        let colour = match (said.side, said.class) {
            (_, Class::Content | Class::Data) => "",
            (Side::Client, _) => "36",
            (Side::Server, Class::Good) => "32",
            (Side::Server, Class::GoOn) => "34",
            (Side::Server, Class::Later) => "33",
            (Side::Server, Class::No) => "31",
            (Side::Server, Class::Command) => "",
        };
        let mut words: Vec<String> = Vec::new();
        for line in &said.lines {
            words.extend(wrap(line, self.middle - 7));
        }
        let mut beside: Vec<String> = Vec::new();
        for (word, meaning) in &said.meanings {
            let text = format!("{word}{}{meaning}", colon(lang));
            for (index, line) in wrap(&text, self.right - 2).into_iter().enumerate() {
                beside.push(match index {
                    0 => line,
                    _ => format!("  {line}"),
                });
            }
        }
        // Several lines of a server begin at the same place.
        let longest = words.iter().map(|line| line.chars().count()).max();
        let longest = longest.unwrap_or(0);
        if said.side == Side::Server {
            for line in &mut words {
                let length = line.chars().count();
                line.push_str(&" ".repeat(longest - length));
            }
        }
        let rows = words.len().max(beside.len());
        // The arrow is on the last line of what is said.
        let arrow = words.len() - 1;
        for row in 0..rows {
            let text = words.get(row).map_or("", String::as_str);
            let length = text.chars().count();
            let drawn = match (said.side, row == arrow, row < words.len()) {
                (_, _, false) => String::new(),
                (Side::Client, true, _) => {
                    let line = "─".repeat(self.middle - 3 - length - 3);
                    format!("── {text} {line}▶ ")
                }
                (Side::Server, true, _) => {
                    let line = "─".repeat(self.middle - 3 - length - 3);
                    format!(" ◀{line} {text} ──")
                }
                (Side::Client, false, _) => format!("   {text}"),
                (Side::Server, false, _) => {
                    let before = " ".repeat(self.middle - 3 - longest);
                    format!("{before}{text}")
                }
            };
            let time = if row == 0 { said.at.as_str() } else { "" };
            let beside = beside.get(row).map_or("", String::as_str);
            self.line(time, &drawn, colour, beside);
        }
    }

    fn paint(&mut self, colour: &str, text: &str) {
        if self.colours && !colour.is_empty() && !text.trim().is_empty() {
            self.text.push_str("\x1b[");
            self.text.push_str(colour);
            self.text.push('m');
            self.text.push_str(text);
            self.text.push_str("\x1b[0m");
        } else {
            self.text.push_str(text);
        }
    }
}
