//! What a teacher gives: the list of a class (first octet even), or an exercise, a blank line, and a session that is held against it: a line of
//! `C` or `S` and what is said, each.

#![no_main]

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use mailtool::proto::exercise::{Class, Observed, Pupil, compacted};
use mailtool::tap::{Piece, Side, Tap, note};
use mailtool::wire::exercise::Exercise;
use mailtool::wire::roster;

fuzz_target!(|input: &[u8]| {
    let Some((&kind, input)) = input.split_first() else {
        return;
    };
    if kind % 2 == 0 {
        return list(input);
    }
    let text = String::from_utf8_lossy(input);
    let (rules, session) = text.split_once("\n\n\n").unwrap_or((&text, ""));
    match Exercise::parse(rules) {
        Ok(exercise) => observe(exercise, session, kind),
        Err(error) => assert!(error.line > 0 && !error.why.is_empty()),
    }
});

fn list(input: &[u8]) {
    let class = match roster::parse(input) {
        Ok(class) => class,
        Err(error) => return assert!(error.line > 0 && !error.why.is_empty()),
    };
    let logins: HashSet<&str> = class.iter().map(|one| one.login.as_str()).collect();
    assert_eq!(logins.len(), class.len(), "two have the same login");
    for one in &class {
        let fields = [&one.login, &one.name, &one.group, &one.mail];
        let plain = |field: &&String| !field.chars().any(char::is_control);
        assert!(fields.iter().all(plain), "{one:?}");
        assert!(!one.login.is_empty() && !one.login.contains([' ', ':', '/', '@']));
    }
}

fn observe(exercise: Exercise, session: &str, kind: u8) {
    let kept = Arc::new(Mutex::new(String::new()));
    let pupils = || {
        ["zoe", "max"].map(|login| Pupil {
            login: login.to_owned(),
            ..Pupil::default()
        })
    };
    let domains = ["localhost".to_owned()];
    let lines = Arc::clone(&kept);
    let keep = Box::new(move |line: String| {
        let mut lines = lines.lock().expect("no panic inside");
        lines.push_str(&line);
        lines.push('\n');
    });
    let class = Class::new(exercise.clone(), pupils().into(), &domains, "", keep);
    let class = Arc::new(class);
    let service = ["smtp", "pop3", "imap"][usize::from(kind / 2) % 3];
    let now = Instant::now();
    let began = (now, Duration::from_secs(1_700_000_000));
    let observed = Observed::new(Arc::clone(&class), service, "s-1".to_owned(), began);
    let mut observed = observed.expect("a service that is known");
    for (at, line) in session.split_inclusive('\n').enumerate() {
        let now = now + Duration::from_millis(200 * at as u64);
        let (side, said) = match line.split_at_checked(1) {
            Some(("C", said)) => (Side::Client, said),
            Some(("S", said)) => (Side::Server, said),
            Some(("T", _)) => {
                observed.saw(now, Side::Server, Piece::Tls("TLSv1.3"));
                continue;
            }
            Some(("U", user)) => {
                let (kind, text) = (note::USER, user.trim());
                observed.saw(now, Side::Server, Piece::Note { kind, text });
                continue;
            }
            _ => continue,
        };
        for piece in said.as_bytes().chunks(usize::from(kind / 8) + 1) {
            observed.saw(now, side, Piece::Bytes(piece));
        }
    }
    drop(observed);
    // What was kept says the same to the next server, whole or compacted.
    let kept = kept.lock().expect("no panic inside").clone();
    let again = |kept: &str| {
        let class = Class::new(
            exercise.clone(),
            pupils().into(),
            &domains,
            kept,
            Box::new(drop),
        );
        (0..2)
            .map(|pupil| class.marks_of(pupil))
            .collect::<Vec<_>>()
    };
    assert_eq!(again(&kept), again(&compacted(&kept)), "{kept}");
}
