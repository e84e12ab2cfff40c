//! Keys are pressed, and a terminal of the test's own shows what comes of it.

use super::*;

/// A terminal: what is drawn, in rows.
struct Terminal {
    columns: usize,
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
}

impl Terminal {
    fn new(columns: usize) -> Self {
        Self {
            columns,
            rows: vec![Vec::new()],
            row: 0,
            column: 0,
        }
    }

    fn draw(&mut self, ink: &[u8]) {
        let text = String::from_utf8(ink.to_owned()).expect("whole letters");
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            match letter {
                // The kernel makes CR LF of it.
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
        let number = number.parse().unwrap_or(1);
        match last {
            'A' => self.row = self.row.checked_sub(number).expect("not above the top"),
            'C' => self.column += number,
            'J' => {
                self.rows.truncate(self.row + 1);
                self.rows[self.row].truncate(self.column);
            }
            other => panic!("{other}"),
        }
        assert!(self.column < self.columns);
    }

    fn put(&mut self, letter: char) {
        let width = width(letter);
        if self.column + width > self.columns {
            self.down();
        }
        let row = &mut self.rows[self.row];
        while row.len() < self.column {
            row.push(' ');
        }
        row.truncate(self.column);
        row.push(letter);
        for _ in 1..width {
            row.push('\0');
        }
        self.column += width;
    }

    /// The cursor's row and column: at the end of a row it is that of the next one.
    fn place(&self) -> (usize, usize) {
        match self.column == self.columns {
            true => (self.row + 1, 0),
            false => (self.row, self.column),
        }
    }

    fn text(&self) -> String {
        self.text_from(0)
    }

    fn text_from(&self, row: usize) -> String {
        let rows: Vec<String> = self.rows[row..]
            .iter()
            .map(|row| row.iter().filter(|letter| **letter != '\0').collect())
            .collect();
        rows.join("\n")
    }
}

struct Typist {
    editor: Editor,
    terminal: Terminal,
    /// The row in which the line begins.
    top: usize,
}

impl Typist {
    fn new(columns: usize) -> Self {
        Self {
            editor: Editor::default(),
            terminal: Terminal::new(columns),
            top: 0,
        }
    }

    fn press(&mut self, keys: &str) -> &mut Self {
        self.press_octets(keys.as_bytes())
    }

    fn press_octets(&mut self, keys: &[u8]) -> &mut Self {
        let mut ink = Vec::new();
        self.editor.press(keys, self.terminal.columns, &mut ink);
        self.terminal.draw(&ink);
        self
    }

    fn hear(&mut self, said: &str) -> &mut Self {
        let columns = self.terminal.columns;
        let mut ink = Vec::new();
        self.editor.hide(columns, &mut ink);
        self.terminal.draw(&ink);
        self.terminal.draw(said.as_bytes());
        self.top = self.terminal.row;
        self.editor.wrote(said.as_bytes(), columns);
        self.editor.heard(said.as_bytes());
        ink.clear();
        self.editor.show(columns, &mut ink);
        self.terminal.draw(&ink);
        self
    }

    fn sent(&mut self) -> String {
        let mut lines = Vec::with_capacity(10_000);
        self.editor.take(&mut lines);
        String::from_utf8_lossy(&lines).into_owned()
    }

    fn screen(&self) -> String {
        self.terminal.text()
    }
}

const UP: &str = "\x1b[A";
const DOWN: &str = "\x1bOB";
const LEFT: &str = "\x1b[D";

#[test]
fn keys_move_and_take_away() {
    for (keys, sent) in [
        ("NOOP\n", "NOOP\n"),
        ("NOP\x1b[DO\n", "NOOP\n"),
        ("OOP\x01N\x05!\n", "NOOP!\n"),
        ("OOP\x1b[HN\x1b[F!\n", "NOOP!\n"),
        ("NOOPP\x7f\r", "NOOP\n"),
        ("NNOOP\x1b[1~\x1b[3~\n", "NOOP\n"),
        ("NXOOP\x01\x06\x04\n", "NOOP\n"),
        ("forget this\x15NOOP\n", "NOOP\n"),
        ("NOOP and\x02\x02\x02\x02\x0b\n", "NOOP\n"),
        ("RCPT TO:<a> x\x17<b>\n", "RCPT TO:<a> <b>\n"),
        ("one two\x17\x19\x19\n", "one twotwo\n"),
        ("one two\x1b[1;5D\x1b[1;5Dzero \n", "zero one two\n"),
        ("one two\x01\x1bf,\n", "one, two\n"),
        ("one two\x01\x1bd\n", " two\n"),
        ("\u{e9}l\u{e8}ve\x02\x02\x02\x7fE\n", "\u{e9}E\u{e8}ve\n"),
        ("a\tb\n", "a\tb\n"),
        ("a\x16\x01b\n", "a\x01b\n"),
        ("a\x1b[99;99xb\x1bqc\n", "abc\n"),
        ("\n", "\n"),
        ("one\ntwo\nthr", "one\ntwo\n"),
    ] {
        let mut typist = Typist::new(80);
        assert_eq!(typist.press(keys).sent(), sent, "{keys:?}");
        // However they come.
        let mut typist = Typist::new(80);
        for octet in keys.as_bytes() {
            typist.press_octets(&[*octet]);
        }
        assert_eq!(typist.sent(), sent, "{keys:?}");
    }
    let mut typist = Typist::new(80);
    typist.press_octets(b"caf\xe9 x\n");
    let mut lines = Vec::with_capacity(100);
    typist.editor.take(&mut lines);
    assert_eq!(lines, b"caf\xe9 x\n", "Latin 1 goes as it is");
}

#[test]
fn the_end_is_typed_in_an_empty_line_only() {
    let mut typist = Typist::new(80);
    assert!(!typist.press("a\x04").editor.is_over());
    assert!(typist.press("\x7f\x04").editor.is_over());
    assert_eq!(typist.press("more\n").sent(), "");
}

#[test]
fn lines_of_before_come_back() {
    let mut typist = Typist::new(80);
    typist.press("one\ntwo\ntwo\n\nthree\nhalf").sent();
    typist.editor = typist.editor.anew();
    let mut sent = |keys: &str| typist.press(keys).sent();
    assert_eq!(sent(&format!("{UP}\n")), "three\n");
    assert_eq!(sent(&format!("{UP}{UP}\n")), "two\n", "once");
    assert_eq!(sent(&format!("{UP}{UP}{UP}{UP}{UP}{UP}{UP}\n")), "one\n");
    assert_eq!(sent(&format!("draft{UP}{DOWN}!\n")), "draft!\n");
    assert_eq!(sent(&format!("{DOWN}x\n")), "x\n");
    assert_eq!(sent("\x10\x10\x0e\n"), "x\n");
    assert_eq!(sent("\x12tw\n"), "two\n");
    assert_eq!(sent("\x12t\x12\n"), "draft!\n");
    assert_eq!(sent("\x12thr\x05!\n"), "three!\n");
    assert_eq!(sent("abc\x12tw\x07d\n"), "abcd\n");
    assert_eq!(sent("\x12tq\x7fw\n"), "two\n");
    assert_eq!(sent("\x12nowhere\n"), "one\n", "as far as it was found");
    assert_eq!(sent("\x12%\n"), "\n");
}

#[test]
fn what_is_looked_for_is_shown_as_a_line_is() {
    let mut typist = Typist::new(80);
    typist.press_octets(b"caf\xe9 x\n").sent();
    typist.press_octets(b"\x12\xe9 ");
    assert_eq!(typist.screen().lines().last(), Some("(?) ? : caf? x"));
    typist.press("\n");
    let mut lines = Vec::with_capacity(100);
    typist.editor.take(&mut lines);
    assert_eq!(lines, b"caf\xe9 x\n");
    // A key that does nothing ends it, and so does one that has nothing to take away.
    for key in ["\x1f", "\x1b[3~"] {
        typist.press("\x12x").press(key);
        assert_eq!(typist.screen().lines().last(), Some("caf? x"), "{key:?}");
        typist.press("\x15");
    }
}

#[test]
fn secrets_and_text_are_not_remembered() {
    for (heard, line) in [
        ("", "PASS sesame"),
        ("", "a1 LOGIN alice sesame"),
        ("", "AUTH PLAIN AGEAYg=="),
        ("334 VXNlcm5hbWU6\r\n", "YWxpY2U="),
        ("+ \r\n", "AGEAYg=="),
        ("+\r\n", "AGEAYg=="),
        ("334 x\r\n    3..  explained\r\n", "YWxpY2U="),
        ("354 go\r\n", "Subject: x\n\nHello"),
    ] {
        let mut typist = Typist::new(80);
        typist.press("NOOP\n").hear(heard);
        typist.press(line).press("\n").sent();
        assert_eq!(typist.press(&format!("{UP}\n")).sent(), "NOOP\n", "{line}");
    }
    // They are again after it.
    let mut typist = Typist::new(80);
    typist.hear("334 \r\n").press("c2VjcmV0\n");
    typist.hear("235 welcome\r\n").press("NOOP\n").sent();
    assert_eq!(typist.press(&format!("{UP}\n")).sent(), "NOOP\n");
    typist.hear("354 go\r\n").press("text\n.\nRSET\n").sent();
    assert_eq!(typist.press(&format!("{UP}\n")).sent(), "RSET\n");
    let mut typist = Typist::new(80);
    typist.press("a LOGIN bob {6+}\nsesame\n").sent();
    assert_eq!(
        typist.press(&format!("{UP}\n")).sent(),
        "a LOGIN bob {6+}\n"
    );
}

#[test]
fn what_is_heard_stands_above_what_is_typed() {
    let mut typist = Typist::new(20);
    typist.hear("220 hi\r\n").press("EHL");
    assert_eq!(typist.screen(), "220 hi\nEHL");
    typist.hear("421 too slow\r\n").press("O");
    assert_eq!(typist.screen(), "220 hi\n421 too slow\nEHLO");
    // Words without a line end stay before it.
    typist.press("\x15").hear("login: ").press("bob");
    assert_eq!(typist.screen(), "220 hi\n421 too slow\nlogin: bob");
    typist.hear("(quick) ");
    assert_eq!(typist.screen(), "220 hi\n421 too slow\nlogin: (quick) bob");
    // A line of several rows, with the cursor in the first of them.
    let mut typist = Typist::new(10);
    typist.press("0123456789abcdefghijKLM").press("\x01");
    typist.hear("* 1 EXISTS\r\n").press("!");
    assert_eq!(typist.screen(), "* 1 EXISTS\n!012345678\n9abcdefghi\njKLM");
    assert_eq!(typist.press("\n").sent(), "!0123456789abcdefghijKLM\n");
    typist.press("x");
    assert_eq!(typist.screen().lines().last(), Some("x"));
}

/// Whatever is pressed on a terminal of whatever width, the screen shows the line and the cursor stands where it should.
#[test]
fn the_screen_shows_the_line() {
    let keys = [
        "a",
        "\u{e9}",
        "\u{4e2d}",
        " ",
        "\x16\x01",
        LEFT,
        "\x06",
        "\x01",
        "\x05",
        "\x7f",
        "\x17",
        "\x0b",
        "\x19",
        UP,
        DOWN,
        "bcd",
        "\x12a\x07",
    ];
    for columns in [3, 5, 8, 80] {
        let mut seed = 7_usize;
        for _ in 0..60 {
            let mut typist = Typist::new(columns);
            typist.hear(if seed.is_multiple_of(2) { "> " } else { "" });
            for step in 0..60 {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1442);
                let key = keys[(seed >> 33) % keys.len()];
                typist.press(key);
                if step % 13 == 12 {
                    typist.hear("!\r\n");
                }
                let editor = &typist.editor;
                let mut expected = Terminal::new(columns);
                expected.draw(&b"> "[..editor.drawn.begin]);
                let mut cursor = expected.place();
                for (at, letter) in editor.line.iter().enumerate() {
                    let mut ink = Vec::new();
                    draw(&mut ink, *letter);
                    expected.draw(&ink);
                    if at + 1 == editor.at {
                        cursor = expected.place();
                    }
                }
                let terminal = &typist.terminal;
                let shown = terminal.text_from(typist.top);
                let text = expected.text();
                let context = format!("{columns} {key:?} {:?}", editor.line);
                assert_eq!(
                    shown.trim_end_matches('\n'),
                    text.trim_end_matches('\n'),
                    "{context}"
                );
                let (row, column) = terminal.place();
                assert_eq!((row - typist.top, column), cursor, "{context}");
            }
        }
    }
}

#[test]
fn a_line_is_bounded() {
    let mut typist = Typist::new(80);
    let many = "x".repeat(limits::EDITED_LINE + 10);
    assert_eq!(typist.editor.line.len(), 0);
    let mut ink = Vec::new();
    typist.editor.press(many.as_bytes(), 80, &mut ink);
    assert_eq!(typist.editor.line.len(), limits::EDITED_LINE);
    typist.editor.press(b"\x01\x1b[", 80, &mut ink);
    typist.editor.press(&[b'1'; 100], 80, &mut ink);
    assert!(typist.editor.line.len() <= limits::EDITED_LINE);
    // Nor is it longer by what was taken away and comes back, nor is what is looked for.
    typist.editor.press(b"\x15\x19\x19\x19", 80, &mut ink);
    assert_eq!(typist.editor.line.len(), limits::EDITED_LINE);
    typist.editor.search = Some(Search {
        wanted: vec!['q'; limits::EDITED_LINE],
        ..Search::default()
    });
    typist.editor.press(b"q", 80, &mut ink);
    let search = typist
        .editor
        .search
        .as_ref()
        .map(|search| search.wanted.len());
    assert_eq!(search, Some(limits::EDITED_LINE));
}
