//! Sessions on a terminal: `--watch`, `serve sessions follow`, `serve sessions show`.

use std::collections::HashMap;
use std::fmt::Write;
use std::io::{self, IsTerminal};

use super::diagram::{closes, colon, kind_of_note};
use super::dialogue::{Line, numbered, seconds};
use super::explain::{Class, Teller};
use super::filter::{Filter, Meant};
use crate::limits;
use crate::tap::{Side, note};
use crate::wire::codes::Lang;

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::applet::serve) struct Look {
    /// With colours.
    colours: bool,
    /// With what they mean, in this language.
    explain: Option<Lang>,
    /// The language of all else.
    lang: Lang,
    /// Columns of the terminal.
    columns: usize,
}

impl Look {
    /// For standard output: with colours when that is a terminal, and nobody asked for none (`NO_COLOR`).
    pub(in crate::applet::serve) fn of_stdout(explain: Option<Lang>) -> Self {
        let stdout = io::stdout();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let columns =
            rustix::termios::tcgetwinsize(&stdout).map_or(0, |size| usize::from(size.ws_col));
        Self {
            colours: stdout.is_terminal() && !plain,
            explain,
            lang: explain.unwrap_or_else(crate::applet::lang),
            columns: match columns {
                0 => 100,
                columns => columns.clamp(60, 160),
            },
        }
    }

    pub(super) const fn colours(&self) -> bool {
        self.colours
    }

    pub(super) const fn columns(&self) -> usize {
        self.columns
    }
}

/// Makes a page of what sessions say.
pub(in crate::applet::serve) struct View {
    filter: Filter,
    look: Look,
    sessions: HashMap<u64, Seen>,
    page: String,
    /// Whose line was last shown.
    last: Option<u64>,
}

/// A session, as far as it has come.
struct Seen {
    service: String,
    client: String,
    server: String,
    teller: Teller,
    /// Milliseconds since it began.
    at: u64,
    shown: bool,
    /// Lines that are shown if it turns out to be meant.
    held: String,
}

impl View {
    /// Nothing yet.
    pub(in crate::applet::serve) fn new(filter: Filter, look: Look) -> Self {
        Self {
            filter,
            look,
            sessions: HashMap::new(),
            page: String::new(),
            last: None,
        }
    }

    /// What is to be shown now.
    pub(in crate::applet::serve) fn take(&mut self) -> String {
        std::mem::take(&mut self.page)
    }

    /// Lines were lost, because they were not shown fast enough.
    pub(in crate::applet::serve) fn lost(&mut self, lines: u64) {
        if lines > 0 {
            let text = match self.look.lang {
                Lang::En => format!("... {lines} lines are not shown: too many at a time"),
                Lang::Fr => format!("... {lines} lignes ne sont pas montrées : trop à la fois"),
            };
            self.paint(Colour::Bad, &text);
            self.page.push('\n');
        }
    }

    /// Takes a line of one of several sessions.
    pub(in crate::applet::serve) fn line(&mut self, line: &str) {
        if let Some((number, line)) = numbered(line) {
            self.line_of(number, &line);
        }
    }

    /// Takes a line of the session of this number.
    pub(super) fn line_of(&mut self, number: u64, text: &str) {
        let Some(line) = Line::parse(text) else {
            return;
        };
        if matches!(
            line,
            Line::Note {
                kind: "session",
                ..
            }
        ) {
            let seen = Seen {
                service: String::new(),
                client: String::new(),
                server: String::new(),
                teller: Teller::new(""),
                at: 0,
                shown: false,
                held: String::new(),
            };
            self.sessions.insert(number, seen);
            return;
        }
        // One that began before anybody looked.
        let Some(mut seen) = self.sessions.remove(&number) else {
            return;
        };
        if self.take_line(number, &mut seen, &line, text) {
            self.sessions.insert(number, seen);
        }
    }

    /// Whether the session goes on, and is of interest.
    fn take_line(&mut self, number: u64, seen: &mut Seen, line: &Line<'_>, text: &str) -> bool {
        match line {
            Line::Note {
                kind: "service",
                text,
            } => {
                seen.teller = Teller::new(text);
                seen.service = (*text).to_owned();
                return true;
            }
            Line::Note {
                kind: "client",
                text,
            } => {
                seen.client = (*text).to_owned();
                return true;
            }
            Line::Note {
                kind: "server",
                text,
            } => {
                seen.server = (*text).to_owned();
                match self.filter.admits(number, &seen.service, &seen.client) {
                    Meant::Yes => self.begin(number, seen),
                    Meant::Perhaps => {}
                    Meant::No => return false,
                }
                return true;
            }
            _ => {}
        }
        if !seen.shown {
            if !self.filter.names(line) {
                if seen.held.len() + text.len() < limits::RECORD_PENDING {
                    seen.held.push_str(text);
                    seen.held.push('\n');
                }
                return !matches!(line, Line::Note { kind: "ended", .. });
            }
            self.begin(number, seen);
            let held = std::mem::take(&mut seen.held);
            for line in held.lines().filter_map(Line::parse) {
                self.show(number, seen, &line);
            }
        }
        self.show(number, seen, line);
        !matches!(line, Line::Note { kind: "ended", .. })
    }

    fn begin(&mut self, number: u64, seen: &mut Seen) {
        seen.shown = true;
        let text = format!(
            "{number:>4}  {} {} -> {}",
            seen.service, seen.client, seen.server
        );
        self.paint(Colour::Strong, &text);
        self.page.push('\n');
        self.last = Some(number);
    }

    fn show(&mut self, number: u64, seen: &mut Seen, line: &Line<'_>) {
        match line {
            Line::Time(milliseconds) => seen.at = seen.at.saturating_add(*milliseconds),
            Line::Said { side, text, whole } => {
                let heard = seen.teller.hear(*side, text);
                let (mark, colour) = match side {
                    Side::Client => ('C', Colour::of_client(heard.class)),
                    Side::Server => ('S', Colour::of_server(heard.class)),
                };
                let mark = format!("{mark}{} ", if *whole { ':' } else { '|' });
                self.row(number, seen.at, &mark, colour, text);
                if let Some(lang) = self.look.explain {
                    for (word, meaning) in heard.meanings(lang) {
                        self.explain(&word, meaning);
                    }
                }
            }
            Line::Tls(words) => self.row(
                number,
                seen.at,
                "   ",
                Colour::Note,
                &format!("TLS{}{words}", colon(self.look.lang)),
            ),
            Line::Closed(side) => {
                let who = closes(*side, self.look.lang);
                self.row(number, seen.at, "   ", Colour::Note, who);
            }
            Line::Note {
                kind: "ended",
                text,
            } => {
                let text = match self.look.lang {
                    Lang::En => format!("ended {text}"),
                    Lang::Fr => format!("terminée {}", text.replace("after", "après")),
                };
                self.row(number, seen.at, "   ", Colour::Note, &text);
            }
            Line::Note { kind, text } => {
                let colour = match *kind {
                    note::TROUBLE | note::FAULT | "lost" => Colour::Bad,
                    _ => Colour::Note,
                };
                let text = match self.look.lang {
                    Lang::En => format!("{kind}: {text}"),
                    lang => format!("{}{}{text}", kind_of_note(kind, lang), colon(lang)),
                };
                self.row(number, seen.at, "   ", colour, &text);
            }
            Line::Remark(text) => self.row(number, seen.at, "   ", Colour::Note, text),
        }
    }

    fn row(&mut self, number: u64, at: u64, mark: &str, colour: Colour, text: &str) {
        if self.last != Some(number) {
            self.last = Some(number);
        }
        let head = format!("{number:>4}  {:>10}  ", seconds(at));
        self.paint(Colour::Note, &head);
        self.page.push_str(mark);
        self.paint(colour, text);
        self.page.push('\n');
    }

    /// What a word means, wrapped, below its line.
    fn explain(&mut self, word: &str, meaning: &str) {
        const INDENT: usize = 21;
        let mut line = format!("{:INDENT$}{word}  ", "");
        let indent = line.chars().count();
        let mut lines = Vec::new();
        let mut is_empty = true;
        for word in meaning.split_ascii_whitespace() {
            if !is_empty && line.chars().count() + 1 + word.chars().count() > self.look.columns {
                lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        lines.push(line);
        for line in lines {
            self.paint(Colour::Meaning, &line);
            self.page.push('\n');
        }
    }

    fn paint(&mut self, colour: Colour, text: &str) {
        match colour.code().filter(|_| self.look.colours) {
            Some(code) => {
                // Writing to a string cannot fail.
                let _ = write!(self.page, "\x1b[{code}m{text}\x1b[0m");
            }
            None => self.page.push_str(text),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Colour {
    Strong,
    Plain,
    Client,
    Good,
    GoOn,
    Later,
    Bad,
    Note,
    Meaning,
}

impl Colour {
    const fn of_client(class: Class) -> Self {
        match class {
            Class::Content => Self::Plain,
            _ => Self::Client,
        }
    }

    const fn of_server(class: Class) -> Self {
        match class {
            Class::Good => Self::Good,
            Class::GoOn => Self::GoOn,
            Class::Later => Self::Later,
            Class::No => Self::Bad,
            Class::Command | Class::Content | Class::Data => Self::Plain,
        }
    }

    const fn code(self) -> Option<&'static str> {
        match self {
            Self::Strong => Some("1"),
            Self::Plain => None,
            Self::Client => Some("36"),
            Self::Good => Some("32"),
            Self::GoOn => Some("34"),
            Self::Later => Some("33"),
            Self::Bad => Some("31"),
            Self::Note => Some("2"),
            Self::Meaning => Some("3"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "# 7: session: 20261126-140522.130-7\n# 7: service: smtp\n# 7: client: 127.0.0.1:5\n# 7: server: 127.0.0.1:25\n\
                         7S: 220 hi\n# 8: session: 20261126-140522.130-8\n# 8: service: pop3\n# 8: client: 127.0.0.1:6\n# 8: server: 127.0.0.1:110\n\
                         # 7: +0.012 s\n7C: RCPT TO:<alice@x>\n7S: 550 5.1.1 no\n8S: +OK\n# 7: fault: on purpose\n7T: tls # TLSv1.3\n7S: [eof]\n# 7: ended: after 1.500 s\n7C: late\n";

    fn shown(filter: &str, colours: bool, explain: Option<Lang>) -> String {
        let look = Look {
            colours,
            explain,
            lang: explain.unwrap_or(Lang::En),
            columns: 60,
        };
        let mut view = View::new(filter.parse().expect("understood"), look);
        for line in LINES.lines() {
            view.line(line);
        }
        view.take()
    }

    #[test]
    fn who_is_meant_is_shown_from_its_beginning() {
        let seven = "   7  smtp 127.0.0.1:5 -> 127.0.0.1:25\n   7     0.000 s  S: 220 hi\n   7     0.012 s  C: RCPT TO:<alice@x>\n   7     0.012 s  S: 550 5.1.1 no\n   \
                     7     0.012 s     fault: on purpose\n   7     0.012 s     TLS: TLSv1.3\n   7     0.012 s     the server closes\n   7     0.012 s     ended after 1.500 s\n";
        assert_eq!(shown("smtp", false, None), seven);
        assert_eq!(shown("alice", false, None), seven);
        assert_eq!(shown("7,alice,127.0.0.1", false, None), seven);
        assert_eq!(shown("bob", false, None), "");
        assert_eq!(
            shown("8", false, None),
            "   8  pop3 127.0.0.1:6 -> 127.0.0.1:110\n   8     0.000 s  S: +OK\n"
        );
    }

    #[test]
    fn colours_tell_classes_and_meanings_stand_below() {
        let page = shown("7", true, Some(Lang::Fr));
        assert!(page.contains("S: \x1b[31m550 5.1.1 no\x1b[0m\n"), "{page}");
        assert!(page.contains("C: \x1b[36mRCPT TO:<alice@x>\x1b[0m\n"));
        assert!(page.contains("\x1b[31mpanne voulue\u{a0}: on purpose\x1b[0m"));
        assert!(page.contains("le serveur ferme") && page.contains("terminée après 1.500 s"));
        assert!(
            page.contains("\x1b[3m                     RCPT  "),
            "{page}"
        );
        assert!(page.contains("                     5.1.1  "), "{page}");
        let widest = page.lines().map(|line| line.chars().count()).max();
        assert!(widest < Some(80), "{page}");
    }
}
