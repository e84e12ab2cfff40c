//! Any keys, on a terminal of any width, and a peer that says anything meanwhile: what stands on the terminal is the line that is
//! kept, the cursor stands in it, and what Enter sends is what stood there. How the keys are cut does not matter.
//!
//! The first octet is the number of columns. The octet FF, which no key has, stands between what is typed and what the peer says.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtool::limits;
use mailtool::proto::raw::edit::{Editor, width};

fuzz_target!(|input: &[u8]| {
    let Some((&columns, input)) = input.split_first() else {
        return;
    };
    let columns = usize::from(columns).max(2);
    let watched = Play::new(columns, Some(Screen::new(columns))).play(input, 1);
    // Of no columns at all nothing can be seen, but it has to go on.
    for (columns, piece) in [(columns, 3), (0, usize::MAX)] {
        assert_eq!(Play::new(columns, None).play(input, piece), watched);
    }
});

struct Play {
    editor: Editor,
    columns: usize,
    /// Where somebody looks at it.
    screen: Option<Screen>,
    /// All that was sent.
    sent: Vec<u8>,
}

impl Play {
    fn new(columns: usize, screen: Option<Screen>) -> Self {
        Self {
            editor: Editor::default(),
            columns,
            screen,
            sent: Vec::new(),
        }
    }

    /// What was sent, and what stands there in the end.
    fn play(mut self, input: &[u8], piece: usize) -> (Vec<u8>, Vec<char>, usize) {
        let mut is_said = false;
        for octets in input.split(|octet| *octet == 0xff) {
            match is_said {
                false => octets.chunks(piece).for_each(|keys| self.press(keys)),
                true => self.hear(octets),
            }
            is_said = !is_said;
        }
        let (line, at) = self.editor.line();
        (self.sent, line.to_owned(), at)
    }

    fn press(&mut self, keys: &[u8]) {
        let before = self.editor.line().0.to_owned();
        let mut ink = Vec::new();
        self.editor.press(keys, self.columns, &mut ink);
        let mut lines = Vec::with_capacity(8 * limits::EDITED_LINE);
        let octets = self.editor.take(&mut lines);
        self.sent.extend_from_slice(&lines);
        let Some(screen) = &mut self.screen else {
            return;
        };
        screen.draw(&ink);
        if octets > 0 {
            assert_eq!(lines.pop(), Some(b'\n'), "one line at a time");
            let mut typed = Vec::new();
            for letter in before {
                match is_octet(letter) {
                    true => typed.push(u32::from(letter) as u8),
                    false => typed.extend_from_slice(letter.to_string().as_bytes()),
                }
            }
            // What was no whole key has become a letter, where the cursor stood.
            let same = |a: &[u8], b: &[u8]| a.iter().zip(b).take_while(|(a, b)| a == b).count();
            let before = same(&typed, &lines);
            typed.reverse();
            lines.reverse();
            let behind = same(&typed, &lines);
            assert!(lines.len() >= typed.len() && lines.len() <= typed.len() + 4);
            assert!(before + behind >= typed.len(), "what stood there is sent");
            screen.begins_anew();
        }
        look(&self.editor, screen);
    }

    /// The peer says something, as whoever writes it to the terminal does it.
    fn hear(&mut self, octets: &[u8]) {
        // What moves the terminal's cursor otherwise is the peer's own business.
        let is_shown = |octet: &u8| matches!(octet, b'\n' | 0x20..=0x7e);
        let shown: Vec<u8> = octets.iter().copied().filter(is_shown).collect();
        let (mut away, mut back) = (Vec::new(), Vec::new());
        self.editor.hide(self.columns, &mut away);
        assert!(!self.editor.is_shown());
        self.editor.heard(octets);
        self.editor.wrote(&shown, self.columns);
        self.editor.show(self.columns, &mut back);
        if let Some(screen) = &mut self.screen {
            screen.draw(&away);
            assert_eq!(screen.text(), "", "it makes room");
            screen.draw(&shown);
            screen.begins_here();
            screen.draw(&back);
            look(&self.editor, screen);
        }
    }
}

fn look(editor: &Editor, screen: &Screen) {
    let (line, at) = editor.line();
    assert!(at <= line.len(), "the cursor stands in the line");
    assert!(line.len() <= limits::EDITED_LINE);
    if editor.is_over() {
        return;
    }
    let text = |letters: &[char]| -> String { letters.iter().map(|l| drawn(*l)).collect() };
    for (seen, kept) in [
        (screen.text(), text(line)),
        (screen.before_the_cursor(), text(&line[..at])),
    ] {
        match editor.is_searching() {
            true => assert!(
                seen.starts_with("(?) ") && seen.ends_with(&kept),
                "{seen} {kept}"
            ),
            false => assert_eq!(seen, kept),
        }
    }
}

/// Whether it stands for an octet that is no UTF-8.
fn is_octet(letter: char) -> bool {
    u32::from(letter) >= 0x10_fe00
}

/// A letter, as it is drawn; without those that take no room.
fn drawn(letter: char) -> String {
    match letter {
        letter if width(letter) == 0 => String::new(),
        '\t' => " ".to_owned(),
        '\0'..='\x1f' | '\x7f' => format!("^{}", char::from(letter as u8 ^ 0x40)),
        '\u{80}'..='\u{9f}' => "?".to_owned(),
        letter if is_octet(letter) => "?".to_owned(),
        letter => letter.to_string(),
    }
}

/// A terminal, from the cell on in which the line begins.
struct Screen {
    columns: usize,
    /// Row after row.
    rows: Vec<Vec<String>>,
    row: usize,
    column: usize,
    /// The cell, in the first row, in which the line begins.
    begin: usize,
}

impl Screen {
    fn new(columns: usize) -> Self {
        Self {
            columns,
            rows: vec![Vec::new()],
            row: 0,
            column: 0,
            begin: 0,
        }
    }

    /// Another line begins at the left edge of the row that the cursor is in.
    fn begins_anew(&mut self) {
        assert_eq!(self.column, 0);
        *self = Self::new(self.columns);
    }

    /// It begins where the cursor is, behind the peer's words.
    fn begins_here(&mut self) {
        let row = std::mem::take(&mut self.rows[self.row]);
        let (columns, column) = (self.columns, self.column);
        *self = Self::new(columns);
        if column < columns {
            self.rows[0] = row;
            self.column = column;
            self.begin = column;
        }
    }

    fn draw(&mut self, ink: &[u8]) {
        let text = std::str::from_utf8(ink).expect("whole letters");
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\n' => self.down(),
                '\r' => self.column = 0,
                '\x1b' => self.obey(&mut letters),
                _ => self.put(letter),
            }
        }
    }

    fn down(&mut self) {
        self.row += 1;
        self.column = 0;
        if self.row == self.rows.len() {
            self.rows.push(Vec::new());
        }
    }

    fn obey(&mut self, letters: &mut std::str::Chars<'_>) {
        assert_eq!(letters.next(), Some('['));
        let mut number = String::new();
        let last = loop {
            match letters.next().expect("a whole sequence") {
                digit @ '0'..='9' => number.push(digit),
                last => break last,
            }
        };
        let number: usize = number.parse().unwrap_or(1);
        match last {
            'A' => self.row = self.row.checked_sub(number).expect("not above the line"),
            'C' => self.column += number,
            'J' if number == 2 => {
                self.rows = vec![Vec::new()];
                self.begin = 0;
            }
            'J' => {
                self.rows.truncate(self.row + 1);
                self.rows[self.row].truncate(self.column);
            }
            'H' => (self.row, self.column) = (0, 0),
            other => panic!("{other}"),
        }
        assert!(self.column < self.columns, "not beyond the edge");
    }

    fn put(&mut self, letter: char) {
        let room = width(letter);
        if room == 0 {
            return;
        }
        if self.column + room > self.columns {
            self.down();
        }
        let row = &mut self.rows[self.row];
        while row.len() < self.column {
            row.push(" ".to_owned());
        }
        row.truncate(self.column);
        row.push(letter.to_string());
        for _ in 1..room {
            row.push(String::new());
        }
        self.column += room;
    }

    /// The line, as it can be read.
    fn text(&self) -> String {
        let from = self.begin.min(self.rows[0].len());
        self.rows.concat()[from..].concat()
    }

    fn before_the_cursor(&self) -> String {
        let mut cells = self.rows[..self.row].concat();
        let row = &self.rows[self.row];
        cells.extend_from_slice(&row[..self.column.min(row.len())]);
        let from = self.begin.min(cells.len());
        cells[from..].concat()
    }
}
