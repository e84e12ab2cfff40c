//! An mbox, which anybody can have written: read the same however it is cut; and what is written of it is read back.

#![no_main]

use std::convert::Infallible;

use libfuzzer_sys::fuzz_target;
use mailtool::wire::likeness::Reading;
use mailtool::wire::mbox::{Dialect, Facts, FromLine, Reader, Sink, Text};

#[derive(Debug, Default, PartialEq)]
struct Found(Vec<(FromLine, Vec<u8>, Facts)>);

impl Sink for Found {
    type Error = Infallible;
    fn begin(&mut self, line: FromLine) -> Result<(), Infallible> {
        self.0.push((line, Vec::new(), Facts::default()));
        Ok(())
    }
    fn text(&mut self, text: &[u8]) -> Result<(), Infallible> {
        self.0.last_mut().expect("one has begun").1.extend(text);
        Ok(())
    }
    fn end(&mut self, facts: Facts) -> Result<(), Infallible> {
        self.0.last_mut().expect("one has begun").2 = facts;
        Ok(())
    }
}

fn read(dialect: Dialect, file: &[u8], step: usize) -> Found {
    let mut found = Found::default();
    let mut reader = Reader::new(dialect);
    for piece in file.chunks(step) {
        let Ok(()) = reader.feed(piece, &mut found);
    }
    let Ok(()) = reader.finish(&mut found);
    found
}

fuzz_target!(|file: &[u8]| {
    for dialect in [
        Dialect::Guess,
        Dialect::O,
        Dialect::Rd,
        Dialect::Cl,
        Dialect::Cl2,
    ] {
        let whole = read(dialect, file, file.len().max(1));
        assert_eq!(read(dialect, file, 1), whole);
        assert_eq!(read(dialect, file, 7), whole);
    }
    let mut mbox = Vec::new();
    let found = read(Dialect::Rd, file, 64);
    for (from, text, facts) in &found.0 {
        let keywords: Vec<&str> = facts.keywords.iter().map(String::as_str).collect();
        let mut writer = Text::begin(from, facts.marks, &keywords, &mut mbox);
        writer.feed(text, &mut mbox);
        writer.finish(&mut mbox);
        let mut reading = Reading::default();
        reading.feed(text);
        let _ = reading.finish();
    }
    assert_eq!(read(Dialect::Rd, &mbox, 100).0.len(), found.0.len());
});
