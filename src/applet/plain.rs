//! A manual page as plain text, for a machine without man(1): as much of roff as our own pages use, and no more.

/// Columns of a line; one less than a terminal has.
const WIDTH: usize = 79;
/// Columns by which text stands further in than what it belongs to, as man(7) has it.
const STEP: usize = 7;

/// `roff` in lines for a terminal, without bold letters.
pub(super) fn plain(roff: &str) -> String {
    let mut page = Page {
        text: String::new(),
        column: 0,
        base: STEP,
        margin: STEP,
        is_filled: true,
        awaits_tag: false,
    };
    for line in roff.lines() {
        match line.strip_prefix('.') {
            Some(request) => page.request(request),
            None => page.say(line),
        }
    }
    page.end_line();
    page.text
}

struct Page {
    text: String,
    /// How far the last line of it goes; 0 before its first word.
    column: usize,
    /// Where paragraphs and tags begin.
    base: usize,
    /// Where the text of this paragraph begins.
    margin: usize,
    /// Lines are put together from words, not taken as they are.
    is_filled: bool,
    /// The next thing that is said is the tag of a paragraph.
    awaits_tag: bool,
}

impl Page {
    fn request(&mut self, request: &str) {
        let (name, rest) = request.split_once(' ').unwrap_or((request, ""));
        match name {
            "SH" => self.heading(0, rest),
            "SS" => self.heading(STEP / 2, rest),
            "PP" | "TP" | "IP" => {
                self.step(self.base);
                self.blank();
                self.awaits_tag = name != "PP";
                if name == "IP" {
                    // What follows says how far in.
                    self.say(rest.trim_end_matches([' ', '2']));
                }
            }
            "RS" => self.step(self.base + STEP),
            "RE" => self.step(self.base.saturating_sub(STEP)),
            "EX" => {
                self.end_line();
                self.is_filled = false;
            }
            "EE" => self.is_filled = true,
            "br" => self.end_line(),
            "B" | "I" => self.say(&rest.replace('"', "")),
            "BR" | "RB" | "IR" | "RI" | "BI" => {
                let mut said = String::new();
                let mut is_quoted = false;
                for letter in rest.chars() {
                    match letter {
                        '"' => is_quoted = !is_quoted,
                        ' ' if !is_quoted => {}
                        letter => said.push(letter),
                    }
                }
                self.say(&said);
            }
            _ => {}
        }
    }

    fn heading(&mut self, margin: usize, words: &str) {
        self.step(STEP);
        self.blank();
        self.margin = margin;
        self.say(&words.replace('"', ""));
        self.step(STEP);
    }

    fn step(&mut self, base: usize) {
        self.end_line();
        self.base = base;
        self.margin = base;
    }

    fn blank(&mut self) {
        if !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn say(&mut self, said: &str) {
        let said = unescaped(said);
        if !self.is_filled {
            self.go_to(self.margin);
            self.text.push_str(&said);
            self.end_line();
            return;
        }
        if self.awaits_tag {
            self.awaits_tag = false;
            self.put(&said);
            self.margin = self.base + STEP;
            match self.column < self.margin {
                true => self.go_to(self.margin - 1),
                false => self.end_line(),
            }
            return;
        }
        for word in said.split_ascii_whitespace() {
            self.put(word);
        }
    }

    /// A word that is not parted, behind the one before or on a line of its own.
    fn put(&mut self, word: &str) {
        let width = word.chars().count();
        if self.column + 1 + width > WIDTH {
            self.end_line();
        }
        match self.column {
            0 => self.go_to(self.margin),
            at => self.go_to(at + 1),
        }
        // A space that is not to be broken at is a space.
        self.text.push_str(&word.replace('\u{a0}', " "));
        self.column += width;
    }

    fn go_to(&mut self, column: usize) {
        while self.column < column {
            self.text.push(' ');
            self.column += 1;
        }
    }

    fn end_line(&mut self) {
        if self.column > 0 {
            self.text.truncate(self.text.trim_end_matches(' ').len());
            self.text.push('\n');
            self.column = 0;
        }
    }
}

fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        let mut next = || letters.next().unwrap_or_default();
        let kind = next();
        // The name of a letter follows.
        if kind == '*' {
            next();
        }
        plain.push(match kind {
            'e' => '\\',
            '-' => '-',
            '~' => '\u{a0}',
            '(' | '*' => match (next(), next()) {
                ('a' | 'A', 'q') => '\'',
                ('b', 'u') => '\u{2022}',
                ('t', 'i') => '~',
                ('s', 'c') => '\u{a7}',
                ('\'', 'e') => '\u{e9}',
                (':', 'u') => '\u{fc}',
                _ => '\u{fffd}',
            },
            // A change of font; and what says nothing.
            'f' => {
                next();
                continue;
            }
            _ => continue,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_has_in_it_is_laid_out() {
        let page = plain(
            "\\\n.ie \\n(.g .ds Aq \\(aq\n.TH x\\-y 1 \"\" \"a b\"\n.SH NAME\nx\\-y \\- it\\(aqs \\*(Aqhere\\*(Aq\n.SH \"THE WAY\"\n\
             Some words,\n.BR mailtool (1),\nmore\\~of\\~them.\n.PP\nNext.\n.TP\n\\fB\\-a\\fR\nshort\n.TP\n.BI \\-\\-long \" VALUE\"\n\
             below\\~it\n.RS\n.TP\ninner\ndeeper\n.RE\n.IP \\(bu 2\na point\n.EX\n$ printf \\(aqa\\en\\(aq\n\n    kept   so\n.EE\n.SS Part\nend",
        );
        assert_eq!(
            page,
            "\nNAME\n       x-y - it's 'here'\n\nTHE WAY\n       Some words, mailtool(1), more of them.\n\n       Next.\n\n\
             \x20      -a     short\n\n       --long VALUE\n              below it\n\n              inner  deeper\n\n\
             \x20      \u{2022}      a point\n              $ printf 'a\\n'\n\n                  kept   so\n\n   Part\n       end\n"
        );
    }

    /// Every page that there is, in both languages: no request or escape is left, and prose fits a terminal.
    #[test]
    fn our_own_pages_hold_nothing_else() {
        use crate::applet::{APPLETS, manual};
        use crate::wire::codes::Lang;

        let mut pages = Vec::new();
        for lang in [Lang::En, Lang::Fr] {
            pages.push(manual::lab(lang).to_owned());
            for applet in APPLETS {
                let command = applet.options_in(lang);
                pages.push(manual::page(Some(applet), command, lang).expect("a page"));
            }
        }
        for roff in pages {
            let page = plain(&roff);
            assert!(page.len() > roff.len() / 2, "{page}");
            assert!(
                !page.contains('\u{fffd}') && !page.contains("\\f"),
                "{page}"
            );
            let in_examples = |line: &str| line.contains("   ") || line.contains("mailtool ");
            for line in page.lines() {
                assert!(!line.starts_with('.'), "{line}");
                let is_long = line.chars().count() > 80;
                assert!(
                    !is_long || in_examples(line) || !line.trim().contains(' '),
                    "{line}"
                );
            }
        }
    }
}
