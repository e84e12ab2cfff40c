//! One table of cases, played with `mailtool nc` and with the netcats whose place it takes: Debian's nc.openbsd, Nmap's
//! ncat, nc.traditional, each in its own dialect. What is seen - stdout, stderr, exit code, who closed when - must be the
//! same, or the case says what differs, and why.
//!
//! What the real ones do is kept in `netcats/theirs.txt`, so that ours is measured where they are not installed; where they
//! are, in the version that was seen, that is proved too.

#[path = "netcats/mod.rs"]
mod netcats;
#[path = "support/program.rs"]
mod program;

use std::net::{Ipv6Addr, TcpListener};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use netcats::record::Record;
use netcats::stage::{Whose, installed, play};
use netcats::{Case, Dialect, Words, cases};
use program::have;

/// Cases wait more than they work.
const AT_ONCE: usize = 32;

#[test]
fn ours_does_what_theirs_does() {
    let record = Record::read();
    let complaints = all(chosen(), |case| {
        let title = case.title();
        let Some(theirs) = record.of(&title) else {
            return vec![format!("[{title}] is not in the record")];
        };
        let expected = match case.expected(theirs) {
            Ok(expected) => expected,
            Err(why) => return vec![format!("[{title}] {why}")],
        };
        // A busy machine may disturb a play in which seconds are counted; what is wrong is wrong each time.
        let plays = match case.is_timed() {
            true => 3,
            false => 1,
        };
        let mut seen = Vec::new();
        for _ in 0..plays {
            seen = play(case, Whose::Ours, Some(&expected));
            if seen == expected {
                return Vec::new();
            }
        }
        let because = case.difference.as_ref().map(|d| d.because);
        let because = because.map(|why| format!("\n  differs: {why}"));
        vec![compared(&title, "ours", &expected, &seen) + &because.unwrap_or_default()]
    });
    nothing_but(complaints);
}

#[test]
fn theirs_does_what_the_record_says() {
    let record = Record::read();
    let measured: Vec<_> = [
        (Dialect::OpenBsd, have("nc.openbsd", "netcat-openbsd")),
        (Dialect::Ncat, have("ncat", "ncat")),
        (
            Dialect::Traditional,
            have("nc.traditional", "netcat-traditional"),
        ),
    ]
    .into_iter()
    .filter_map(|(dialect, is_here)| {
        let is_it = is_here && record.is_of_this_version(dialect);
        if is_here && !is_it {
            let program = dialect.program();
            eprintln!("SKIPPED {program}: it is not of the version in the record");
        }
        is_it.then_some(dialect)
    })
    .collect();
    let complaints = all(chosen(), |case| {
        let title = case.title();
        if !measured.contains(&case.dialect) || case.unsteady.is_some() {
            return Vec::new();
        }
        let expected = record.of(&title).unwrap_or_default();
        // A busy machine may disturb one play; a record that is wrong is wrong each time.
        let mut plays = (0..3).map(|_| play(case, Whose::Theirs, Some(expected)));
        let mut seen = Vec::new();
        match plays.any(|play| {
            seen = play;
            seen == expected
        }) {
            true => Vec::new(),
            false => vec![compared(&title, "theirs", expected, &seen)],
        }
    });
    nothing_but(complaints);
}

#[test]
fn the_record_has_no_case_that_is_gone() {
    let record = Record::read();
    let cases: Vec<_> = cases().iter().map(Case::title).collect();
    for title in record.titles() {
        assert!(cases.iter().any(|case| case == title), "[{title}]");
    }
}

#[test]
fn every_option_has_a_case() {
    let words: Vec<(Dialect, String)> = cases()
        .iter()
        .flat_map(|case| {
            let (Words::Arguments(words) | Words::Shell(words)) = case.words;
            let words = words.split_ascii_whitespace();
            let words = words.chain(case.option.split_ascii_whitespace());
            let words = words.map(|word| (case.dialect, word.to_owned()));
            words.collect::<Vec<_>>()
        })
        .collect();
    for (dialect, letters) in [
        (Dialect::OpenBsd, "46bCDdFhIiklMmNnOPpqrSsTtUuVvWwXxZz"),
        (Dialect::Ncat, "46CcdeGghiklmnopqstUuvwxz"),
        (Dialect::Traditional, "bCceikTlnopqrstuvwz"),
    ] {
        for letter in letters.chars() {
            let is_it = |word: &str| {
                let letters = word.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
                letters.is_some_and(|letters| letters.contains(letter))
            };
            let has = words.iter().any(|(of, word)| *of == dialect && is_it(word));
            assert!(has, "{} -{letter}", dialect.name());
        }
    }
    for long in LONG_OPTIONS {
        let has = words.iter().any(|(_, word)| word == long);
        assert!(has, "{long}");
    }
}

/// Ncat's, but for those about TLS, which `netcat_peers.rs` has.
const LONG_OPTIONS: &[&str] = &[
    "--allow",
    "--allowfile",
    "--append-output",
    "--broker",
    "--chat",
    "--crlf",
    "--delay",
    "--deny",
    "--denyfile",
    "--exec",
    "--help",
    "--hex-dump",
    "--idle-timeout",
    "--keep-open",
    "--listen",
    "--max-conns",
    "--no-shutdown",
    "--nodns",
    "--output",
    "--proxy",
    "--proxy-auth",
    "--proxy-dns",
    "--proxy-type",
    "--recv-only",
    "--send-only",
    "--sh-exec",
    "--source",
    "--source-port",
    "--telnet",
    "--udp",
    "--unixsock",
    "--verbose",
    "--version",
    "--wait",
];

/// Writes down what the installed programs do.
#[test]
#[ignore = "makes the record anew: cargo test --test netcats record -- --ignored"]
fn record() {
    let only = std::env::var("CASES").unwrap_or_default();
    let old = (!only.is_empty()).then(Record::read);
    let seen = Mutex::new(Vec::new());
    all(cases(), |case| {
        let title = case.title();
        let kept = old.as_ref().and_then(|old| old.of(&title));
        let lines = match kept.filter(|_| !title.contains(&only)) {
            Some(kept) => kept.to_vec(),
            None => play(case, Whose::Theirs, None),
        };
        assert!(installed(case.dialect.program()).is_some());
        seen.lock().expect("no panic").push((title, lines));
        Vec::new()
    });
    let mut seen = seen.into_inner().expect("no panic");
    let order: Vec<_> = cases().iter().map(Case::title).collect();
    seen.sort_by_key(|(title, _)| order.iter().position(|other| other == title));
    Record::write(&seen);
}

/// The table, or the cases whose titles contain what `CASES` says, without those that cannot be played here.
fn chosen() -> Vec<Case> {
    let only = std::env::var("CASES").unwrap_or_default();
    let has_ipv6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    let mut cases = cases();
    cases.retain(|case| {
        let needs = case.needs;
        if case.is_about_ipv6() && !has_ipv6 {
            eprintln!("SKIPPED [{}]: there is no ::1 here", case.title());
            return false;
        }
        case.title().contains(&only)
            && needs.is_none_or(|(program, package)| have(program, package))
    });
    cases
}

/// Does something with each case, many at once.
fn all(cases: Vec<Case>, with: impl Fn(&Case) -> Vec<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let complaints = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let said = with(case);
                    complaints.lock().expect("no panic").extend(said);
                }
            });
        }
    });
    complaints.into_inner().expect("no panic")
}

fn compared(title: &str, whose: &str, expected: &[String], seen: &[String]) -> String {
    format!(
        "[{title}]\n  expected:\n    {}\n  {whose}:\n    {}",
        expected.join("\n    "),
        seen.join("\n    ")
    )
}

fn nothing_but(mut complaints: Vec<String>) {
    complaints.sort();
    let count = complaints.len();
    assert!(count == 0, "\n{}\n{count} cases", complaints.join("\n"));
}
