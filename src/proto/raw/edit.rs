//! Editing a line on a terminal, with a history: keys in, lines out, and what is to be drawn. No I/O.
//!
//! The kernel's own line discipline can take back letters, and no more: no cursor, no line of before. This takes its place as
//! long as somebody types to a peer. The keys are those of a shell (GNU Readline's, in Emacs mode):
//!
//! | keys | what they do |
//! |---|---|
//! | arrows, Home, End, ^B ^F ^A ^E | move; with Alt or Ctrl (Alt-B, Alt-F) by words |
//! | Backspace, Delete, ^H, ^D | take a letter away; ^D in an empty line is the end of input |
//! | ^U ^K ^W Alt-D | take away what is before, behind, the word before, the word behind; ^Y brings it back |
//! | up, down, ^P ^N | the lines of before |
//! | ^R | looks for one that holds what is typed next; ^G gives up |
//! | ^L | clears the screen |
//! | ^V | takes the next key as it is |
//!
//! ^C, ^Z and `^\` are the terminal's own, and come as signals.
//!
//! **What is no command is not remembered**: a line with a password in it ([`secret::in_line`]); the answer to a server that
//! has asked for one (334, `+`); a message's text; what follows `{n+}`.
//!
//! **Drawing.** The peer may say something while a line is half typed. Whoever writes that to the terminal calls
//! [`Editor::hide`], writes it, tells it to [`Editor::wrote`], and calls [`Editor::show`]. A line begins where the peer's
//! words end, which need not be the first column, and may take several rows. A letter at the end of a line is drawn as it is,
//! so that what stands on the terminal is what the kernel would have echoed.

mod keys;

use std::collections::VecDeque;

use self::keys::{Key, Keys, Move};
use crate::limits;
use crate::wire::secret;

/// See the module.
#[derive(Debug, Default)]
pub struct Editor {
    keys: Keys,
    line: Vec<char>,
    /// Where the cursor stands in it.
    at: usize,
    history: VecDeque<Vec<char>>,
    recalled: Option<Recalled>,
    search: Option<Search>,
    killed: Vec<char>,
    finished: Vec<u8>,
    is_over: bool,
    heard: Heard,
    drawn: Drawn,
}

/// A line of before stands there instead of the one that was being typed.
#[derive(Debug)]
struct Recalled {
    number: usize,
    draft: Vec<char>,
}

/// ^R
#[derive(Debug, Default)]
struct Search {
    wanted: Vec<char>,
    /// What stood there before.
    draft: Vec<char>,
    /// The line that was found, as a number of history.
    found: Option<usize>,
}

/// What the peer wants next, as far as its words tell.
#[derive(Debug, Default)]
struct Heard {
    /// The beginning of the line that is coming.
    line: Vec<u8>,
    next: Next,
}

/// What is typed next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Next {
    /// A command, to be remembered.
    #[default]
    Command,
    /// An answer that may be a secret.
    Answer,
    /// Message text, up to a lone dot.
    Text,
}

/// What stands on the terminal. Cells are counted row after row, from the left edge of the row in which the line begins.
#[derive(Clone, Copy, Debug, Default)]
struct Drawn {
    /// The cell in which the line begins: the peer's words end there.
    begin: usize,
    cursor: usize,
    is_shown: bool,
}

impl Editor {
    /// Takes keys, on a terminal of so many columns. What is to be drawn is appended to `ink`.
    pub fn press(&mut self, octets: &[u8], columns: usize, ink: &mut Vec<u8>) {
        let columns = columns.max(1);
        let mut pressed = Vec::new();
        for octet in octets {
            self.keys.push(*octet, &mut pressed);
            for key in pressed.drain(..) {
                if self.is_over {
                    return;
                }
                self.key(key, columns, ink);
            }
        }
    }

    /// For the next conversation: what was typed before is remembered, and nothing else is left.
    #[must_use]
    pub fn anew(self) -> Self {
        Self {
            history: self.history,
            killed: self.killed,
            ..Self::default()
        }
    }

    /// Moves lines that are finished, each with its line end, to `lines`, as far as its capacity goes; how many octets.
    pub fn take(&mut self, lines: &mut Vec<u8>) -> usize {
        let room = lines.capacity() - lines.len();
        let octets = self.finished.len().min(room);
        lines.extend(self.finished.drain(..octets));
        octets
    }

    /// Whether the end of input was typed.
    pub const fn is_over(&self) -> bool {
        self.is_over
    }

    /// The line as it is now, and the letter that the cursor stands on, at most one behind the last. What is looked for (^R) stands
    /// before it on the terminal.
    pub fn line(&self) -> (&[char], usize) {
        (&self.line, self.at)
    }

    /// Whether lines of before are looked through.
    pub const fn is_searching(&self) -> bool {
        self.search.is_some()
    }

    /// Whether a line stands on the terminal.
    pub const fn is_shown(&self) -> bool {
        self.drawn.is_shown
    }

    /// Takes the line off the terminal, for something else to be written.
    pub fn hide(&mut self, columns: usize, ink: &mut Vec<u8>) {
        if !std::mem::take(&mut self.drawn.is_shown) {
            return;
        }
        let columns = columns.max(1);
        let Drawn { begin, cursor, .. } = self.drawn;
        go(ink, 'A', (cursor / columns).saturating_sub(begin / columns));
        ink.push(b'\r');
        go(ink, 'C', begin % columns);
        ink.extend_from_slice(b"\x1b[J");
        self.drawn.cursor = begin;
    }

    /// Draws the line, if there is one.
    pub fn show(&mut self, columns: usize, ink: &mut Vec<u8>) {
        let columns = columns.max(1);
        self.hide(columns, ink);
        let label = self.label();
        if self.line.is_empty() && label.is_empty() {
            return;
        }
        let begin = self.drawn.begin;
        let from = label
            .chars()
            .fold(begin, |cell, letter| beyond(letter, cell, columns));
        for letter in label.chars() {
            draw(ink, letter);
        }
        let mut end = from;
        let mut cursor = from;
        for (number, letter) in self.line.iter().enumerate() {
            if number == self.at {
                cursor = end;
            }
            draw(ink, *letter);
            end = beyond(*letter, end, columns);
        }
        if self.at >= self.line.len() {
            cursor = end;
        }
        if end.is_multiple_of(columns) && end > begin {
            // Terminals wait for one letter more before they go on to the next row.
            ink.extend_from_slice(b"\r\n");
        }
        if cursor != end {
            go(ink, 'A', end / columns - cursor / columns);
            ink.push(b'\r');
            go(ink, 'C', cursor % columns);
        }
        self.drawn.cursor = cursor;
        self.drawn.is_shown = true;
    }

    /// This was written to the terminal, while the line was hidden.
    pub fn wrote(&mut self, octets: &[u8], columns: usize) {
        let columns = columns.max(1);
        let last = memchr::memrchr2(b'\n', b'\r', octets);
        if last.is_some() {
            self.drawn.begin = 0;
        }
        for octet in &octets[last.map_or(0, |last| last + 1)..] {
            self.drawn.begin = match octet {
                b'\t' => (self.drawn.begin / 8 + 1) * 8,
                // What continues a letter of UTF-8 takes no room.
                0x20..=0x7e | 0xc0.. => self.drawn.begin + 1,
                _ => self.drawn.begin,
            } % columns;
        }
        self.drawn.cursor = self.drawn.begin;
    }

    /// The peer said this.
    pub fn heard(&mut self, octets: &[u8]) {
        for piece in octets.split_inclusive(|octet| *octet == b'\n') {
            let room = KNOWN_BY.saturating_sub(self.heard.line.len());
            let seen = &piece[..room.min(piece.len())];
            self.heard.line.extend_from_slice(seen);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.heard.line);
                self.heard_line(&line);
            }
        }
    }

    fn heard_line(&mut self, line: &[u8]) {
        let is_reply = |code: &[u8]| {
            line.strip_prefix(code)
                .is_some_and(|rest| matches!(rest, [] | [b' ' | b'\t' | b'\r' | b'\n', ..]))
        };
        self.heard.next = if is_reply(b"334") || is_reply(b"+") {
            Next::Answer
        } else if is_reply(b"354") {
            Next::Text
        } else if line
            .first()
            .is_none_or(|first| matches!(first, b' ' | b'\x1b'))
        {
            // An explanation, or a line of text: no reply.
            return;
        } else {
            Next::Command
        };
    }

    fn key(&mut self, key: Key, columns: usize, ink: &mut Vec<u8>) {
        if self.search.is_some() {
            let is_done = self.search_key(&key);
            // Also where the key has ended it, and does nothing else: what was looked for is gone.
            self.show(columns, ink);
            if is_done {
                return;
            }
        }
        match key {
            Key::Letter(letter) if self.line.len() < limits::EDITED_LINE => {
                return self.insert(letter, columns, ink);
            }
            Key::Enter => return self.enter(columns, ink),
            Key::DeleteOrEnd if self.line.is_empty() => {
                self.is_over = true;
                return;
            }
            Key::Letter(_) | Key::Abort | Key::Nothing => return,
            Key::Go(motion) => self.at = self.target(motion),
            Key::Kill(motion) => {
                let to = self.target(motion);
                let range = self.at.min(to)..self.at.max(to);
                self.at = range.start;
                let gone: Vec<char> = self.line.drain(range).collect();
                if !gone.is_empty() {
                    self.killed = gone;
                }
            }
            Key::Backspace if self.at > 0 => {
                self.at -= 1;
                self.line.remove(self.at);
            }
            Key::DeleteOrEnd | Key::Delete if self.at < self.line.len() => {
                self.line.remove(self.at);
            }
            Key::Backspace | Key::DeleteOrEnd | Key::Delete => return,
            Key::Yank => {
                let room = limits::EDITED_LINE.saturating_sub(self.line.len());
                let killed = &self.killed[..room.min(self.killed.len())];
                self.line.splice(self.at..self.at, killed.iter().copied());
                self.at += killed.len();
            }
            Key::Older => self.recall(|number| number.checked_sub(1)),
            Key::Newer => self.recall(|number| Some(number + 1)),
            Key::Search => {
                self.search = Some(Search {
                    draft: self.line.clone(),
                    ..Search::default()
                });
            }
            Key::Clear => {
                ink.extend_from_slice(b"\x1b[H\x1b[2J");
                self.drawn = Drawn::default();
            }
        }
        self.show(columns, ink);
    }

    fn insert(&mut self, letter: char, columns: usize, ink: &mut Vec<u8>) {
        let is_last = self.at == self.line.len();
        self.line.insert(self.at, letter);
        self.at += 1;
        let beyond = beyond(letter, self.drawn.cursor, columns);
        let fits = beyond == self.drawn.cursor + 1 && !beyond.is_multiple_of(columns);
        if is_last && fits && self.search.is_none() {
            draw(ink, letter);
            self.drawn.cursor = beyond;
            self.drawn.is_shown = true;
        } else {
            self.show(columns, ink);
        }
    }

    fn enter(&mut self, columns: usize, ink: &mut Vec<u8>) {
        if self.search.take().is_some() || self.at != self.line.len() {
            self.at = self.line.len();
            self.show(columns, ink);
        }
        let Drawn { begin, cursor, .. } = self.drawn;
        if !cursor.is_multiple_of(columns) || cursor == begin {
            ink.push(b'\n');
        }
        self.drawn = Drawn::default();
        let line = std::mem::take(&mut self.line);
        self.at = 0;
        self.recalled = None;
        let octets = octets(&line);
        self.remember(line, &octets);
        self.finished.extend_from_slice(&octets);
        self.finished.push(b'\n');
    }

    fn remember(&mut self, line: Vec<char>, octets: &[u8]) {
        let was = self.heard.next;
        self.heard.next = match was {
            Next::Text if octets != b"." => Next::Text,
            // The next line is a literal.
            _ if octets.ends_with(b"+}") => Next::Answer,
            _ => Next::Command,
        };
        let is_known = self.history.back() == Some(&line);
        let is_secret = secret::in_line(octets).is_some();
        if was != Next::Command || line.is_empty() || is_known || is_secret {
            return;
        }
        if self.history.len() >= limits::EDITED_HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(line);
    }

    /// Shows another line of history; behind the last is what was being typed.
    fn recall(&mut self, step: impl FnOnce(usize) -> Option<usize>) {
        let now = self.recalled.as_ref();
        let now = now.map_or(self.history.len(), |recalled| recalled.number);
        let Some(number) = step(now).filter(|number| *number <= self.history.len()) else {
            return;
        };
        match self.history.get(number) {
            Some(line) => {
                let shown = std::mem::replace(&mut self.line, line.clone());
                let draft = match self.recalled.take() {
                    Some(recalled) => recalled.draft,
                    None => shown,
                };
                self.recalled = Some(Recalled { number, draft });
            }
            None => {
                if let Some(recalled) = self.recalled.take() {
                    self.line = recalled.draft;
                }
            }
        }
        self.at = self.line.len();
    }

    /// Whether a key belongs to the search; one that does not ends it, and does what it does.
    fn search_key(&mut self, key: &Key) -> bool {
        let Some(search) = &mut self.search else {
            return false;
        };
        let mut from = search.found.map_or(self.history.len(), |found| found + 1);
        match key {
            Key::Letter(_) if search.wanted.len() >= limits::EDITED_LINE => return true,
            Key::Letter(letter) => search.wanted.push(*letter),
            Key::Backspace => {
                search.wanted.pop();
                from = self.history.len();
            }
            Key::Search => from = search.found.unwrap_or(0),
            Key::Abort => {
                self.line = std::mem::take(&mut search.draft);
                self.at = self.line.len();
                self.search = None;
                return true;
            }
            _ => {
                self.search = None;
                return false;
            }
        }
        let wanted = search.wanted.as_slice();
        let holds = |line: &Vec<char>| {
            !wanted.is_empty() && line.windows(wanted.len()).any(|part| part == wanted)
        };
        let older = self.history.iter().take(from);
        if let Some(found) = older.clone().rposition(holds) {
            search.found = Some(found);
            self.line = self.history[found].clone();
            self.at = self.line.len();
        }
        true
    }

    fn label(&self) -> String {
        match &self.search {
            None => String::new(),
            Some(search) => {
                let wanted: String = search.wanted.iter().collect();
                format!("(?) {wanted}: ")
            }
        }
    }

    /// Where a motion leads.
    fn target(&self, motion: Move) -> usize {
        let is_blank = |at: usize| {
            self.line
                .get(at)
                .is_none_or(|letter| letter.is_whitespace())
        };
        match motion {
            Move::Left => self.at.saturating_sub(1),
            Move::Right => (self.at + 1).min(self.line.len()),
            Move::Start => 0,
            Move::End => self.line.len(),
            Move::WordLeft => {
                let word = (0..self.at).rev().find(|at| !is_blank(*at));
                let blank = (0..word.unwrap_or(0)).rev().find(|at| is_blank(*at));
                blank.map_or(0, |blank| blank + 1)
            }
            Move::WordRight => {
                let word = (self.at..self.line.len()).find(|at| !is_blank(*at));
                let word = word.unwrap_or(self.line.len());
                (word..self.line.len())
                    .find(|at| is_blank(*at))
                    .unwrap_or(self.line.len())
            }
        }
    }
}

/// Moves the cursor by so many.
fn go(ink: &mut Vec<u8>, direction: char, cells: usize) {
    if cells > 0 {
        ink.extend_from_slice(format!("\x1b[{cells}{direction}").as_bytes());
    }
}

fn draw(ink: &mut Vec<u8>, letter: char) {
    match letter {
        '\t' => ink.push(b' '),
        '\0'..='\x1f' | '\x7f' => ink.extend_from_slice(&[b'^', letter as u8 ^ 0x40]),
        '\u{80}'..='\u{9f}' => ink.push(b'?'),
        _ if keys::octet(letter).is_some() => ink.push(b'?'),
        _ => ink.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// The cell behind a letter that stands in this one, or, if it does not fit there, in the next row.
fn beyond(letter: char, cell: usize, columns: usize) -> usize {
    match width(letter) {
        2 if !letter.is_control() && cell % columns + 2 > columns => {
            (cell / columns + 1) * columns + 2
        }
        width => cell + width,
    }
}

/// How many cells a letter takes: enough for names and text, no table of Unicode. A control character is drawn as two.
pub const fn width(letter: char) -> usize {
    match letter {
        '\t' => 1,
        '\0'..='\x1f' | '\x7f' => 2,
        '\u{300}'..='\u{36f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1f64f}'
        | '\u{1f900}'..='\u{1f9ff}'
        | '\u{20000}'..='\u{3ffff}' => 2,
        _ => 1,
    }
}

fn octets(line: &[char]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(line.len() + 1);
    for letter in line {
        match keys::octet(*letter) {
            Some(octet) => octets.push(octet),
            None => octets.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    octets
}

/// Octets of a peer's line that tell what it wants.
const KNOWN_BY: usize = 4;

#[cfg(test)]
mod tests;
