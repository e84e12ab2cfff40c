//! A manual page as plain text, for a machine without man(1): as much of roff as our own pages use, and no more.

/// Columns of a line; one less than a terminal has.
const WIDTH: usize = 79;
/// Columns by which text stands further in than what it belongs to, as man(7) has it.
const STEP: usize = 7;

/// `roff` in lines for a terminal, without bold letters.
pub(super) fn plain(roff: &str) -> String {
    let mut page = Page {
        text: String::new(),
        line: String::new(),
        base: STEP,
        margin: STEP,
        is_filled: true,
        awaits_tag: false,
    };
    for line in roff.lines() {
        match line.strip_prefix('.') {
            Some(request) => page.request(request),
            None => page.say(&unescaped(line)),
        }
    }
    page.end_line();
    // They have kept words together that belong together.
    page.text.replace('\u{a0}', " ")
}

struct Page {
    text: String,
    /// The line that words are put on, its indent included; empty before the first.
    line: String,
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
        let mut words = words(request).into_iter();
        let name = words.next().unwrap_or_default();
        let words: Vec<String> = words.collect();
        match &*name {
            "TH" => {
                let title: Vec<String> = words.into_iter().take(2).collect();
                self.text = format!("{})\n", title.join("("));
            }
            "SH" => self.heading(0, &words),
            "SS" => self.heading(STEP / 2, &words),
            "PP" => self.paragraph(),
            "TP" | "IP" => {
                self.paragraph();
                self.awaits_tag = true;
                if let Some(tag) = words.first() {
                    self.say(tag);
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
            "B" | "I" => self.say(&words.join(" ")),
            "BR" | "RB" | "IR" | "RI" | "BI" => self.say(&words.concat()),
            _ => {}
        }
    }

    fn heading(&mut self, indent: usize, words: &[String]) {
        self.step(STEP);
        self.paragraph();
        self.line = " ".repeat(indent) + &words.join(" ");
        self.end_line();
    }

    fn step(&mut self, base: usize) {
        self.end_line();
        (self.base, self.margin) = (base, base);
    }

    fn paragraph(&mut self) {
        self.end_line();
        self.margin = self.base;
        if !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn say(&mut self, said: &str) {
        if !self.is_filled {
            self.line = " ".repeat(self.margin) + said;
            self.end_line();
            // A blank line is shown, too.
            return;
        }
        if std::mem::take(&mut self.awaits_tag) {
            self.line = " ".repeat(self.base) + said;
            self.margin = self.base + STEP;
            match self.margin.checked_sub(width(&self.line) + 1) {
                Some(room) => self.line.push_str(&" ".repeat(room)),
                None => self.end_line(),
            }
            return;
        }
        for word in said.split(' ').filter(|word| !word.is_empty()) {
            if width(&self.line) + 1 + width(word) > WIDTH {
                self.end_line();
            }
            match self.line.is_empty() {
                true => self.line = " ".repeat(self.margin),
                false => self.line.push(' '),
            }
            self.line.push_str(word);
        }
    }

    /// What is on the line goes to the page; of a line of nothing but an indent, its end.
    fn end_line(&mut self) {
        if !self.line.is_empty() {
            self.text.push_str(self.line.trim_end_matches(' '));
            self.text.push('\n');
            self.line.clear();
        }
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// A request and its arguments, of which those with blanks stand between quotes.
fn words(request: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for letter in request.chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            letter => words
                .iter_mut()
                .last()
                .into_iter()
                .for_each(|word| word.push(letter)),
        }
    }
    words.retain(|word| !word.is_empty());
    words.iter().map(|word| unescaped(word)).collect()
}

/// Letters that roff writes otherwise, by name.
const LETTERS: [(&str, char); 7] = [
    ("aq", '\''),
    ("Aq", '\''),
    ("bu", '\u{2022}'),
    ("ti", '~'),
    ("sc", '\u{a7}'),
    ("'e", '\u{e9}'),
    (":u", '\u{fc}'),
];

fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        match letters.next() {
            // A change of font.
            Some('f') => drop(letters.next()),
            Some('e') => plain.push('\\'),
            Some('-') => plain.push('-'),
            Some('~') => plain.push('\u{a0}'),
            Some('*') => letters = named(&mut plain, letters.as_str().trim_start_matches('(')),
            Some('(') => letters = named(&mut plain, letters.as_str()),
            _ => {}
        }
    }
    plain
}

/// The letter whose name begins `text`, and what follows it.
fn named<'a>(plain: &mut String, text: &'a str) -> std::str::Chars<'a> {
    let found = LETTERS.iter().find(|(name, _)| text.starts_with(name));
    let (name, letter) = found.copied().unwrap_or_default();
    plain.push(letter);
    text[name.len()..].chars()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_has_in_it_is_laid_out() {
        let page = plain(
            "\\\n.ie \\n(.g .ds Aq \\(aq\n.TH x\\-y 1 \"\" \"a b\"\n.SH NAME\nx\\-y \\- it\\(aqs \\*(Aqhere\\*(Aq\n.SH \"THE WAY\"\n\
             Some words,\n.BR mailtool (1),\nmore\\~of\\~them.\n.PP\nNext.\n.TP\n\\fB\\-a\\fR\nshort\n.TP\n.BI \\-\\-long \" VALUE\"\n\
             below it\n.RS\n.TP\ninner\ndeeper\n.RE\n.IP \\(bu 2\na point\n.EX\n$ printf \\(aqa\\en\\(aq\n\n    kept   so\n.EE\n.SS Part\nend",
        );
        assert_eq!(
            page,
            "x-y(1)\n\nNAME\n       x-y - it's 'here'\n\nTHE WAY\n       Some words, mailtool(1), more of them.\n\n       Next.\n\n\
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
            assert!(!page.contains('\0') && !page.contains("\\f"), "{page}");
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
