//! What a transcript writes is a dialogue that can be read, whoever said what; and no terminal is harmed by it.

#![no_main]

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use mailtool::tap::transcript::{Folding, Sink, Transcript};
use mailtool::tap::{Piece, Side, Tap};
use mailtool_fuzz::pattern::Names;
use mailtool_fuzz::script::{Action, Dialog, Protocol};

fuzz_target!(|pieces: Vec<(bool, &[u8])>| {
    let written = write(&pieces, Folding::Never);
    let text = String::from_utf8(written).expect("UTF-8");
    let harmless = |letter: char| matches!(letter, '\n' | '\t') || !letter.is_control();
    assert!(text.chars().all(harmless), "{text:?}");
    if text.lines().any(|line| !line.starts_with('#')) {
        let dialog = Dialog::parse(Protocol::Smtp, Path::new("fuzz.dialog"), &text)
            .unwrap_or_else(|problem| panic!("{problem}\n{text}"));
        let said = |client: bool| {
            let pieces = pieces.iter().filter(|piece| piece.0 == client);
            pieces
                .flat_map(|piece| piece.1)
                .copied()
                .collect::<Vec<_>>()
        };
        assert_eq!(client_said(&dialog), said(true), "{text}");
    }
    let folded = write(&pieces, Folding::After(2));
    let folded = String::from_utf8(folded).expect("UTF-8");
    assert!(folded.chars().all(harmless), "{folded:?}");
});

fn write(pieces: &[(bool, &[u8])], folding: Folding) -> Vec<u8> {
    let written = Arc::new(Mutex::new(Vec::new()));
    let sink: Sink = Arc::new(Mutex::new(Shared(Arc::clone(&written))));
    let mut transcript = Transcript::new(sink, folding);
    let now = Instant::now();
    for &(client, bytes) in pieces {
        let side = if client { Side::Client } else { Side::Server };
        transcript.saw(now, side, Piece::Bytes(bytes));
    }
    drop(transcript);
    std::mem::take(&mut *written.lock().expect("no panic inside"))
}

fn client_said(dialog: &Dialog) -> Vec<u8> {
    let mut said = Vec::new();
    for step in &dialog.steps {
        if let Action::Say(pattern, end) = &step.action {
            said.extend(pattern.fill(&Names::new()).expect("no holes"));
            said.extend(*end);
        }
    }
    said
}

struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic inside").write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
