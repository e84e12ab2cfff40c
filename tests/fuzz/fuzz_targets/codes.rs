//! The words that `codes` looks up and searches for, the lines and reports that it explains, and dates.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtool::wire::codes::{Spotter, digits_of, find, nearest, search};
use mailtool::wire::date::{DateTime, imap_date};
use mailtool::wire::report::Reported;

fuzz_target!(|input: &[u8]| {
    let word = String::from_utf8_lossy(input);
    if let Some(found) = find(&word) {
        assert!(!found.hits.is_empty());
        let again = find(&found.word).expect("the proper word is known as well");
        assert_eq!(again.hits, found.hits, "{word:?}");
    }
    let near = nearest(&word, 3);
    assert!(near.len() <= 3);
    for near in near {
        assert!(find(&near).is_some(), "{near:?} for {word:?}");
    }
    let _ = digits_of(&word);
    let _ = search(&word);
    let mut spotter = Spotter::default();
    for line in word.lines() {
        let spotted = spotter.line(line);
        assert_eq!(spotted.words.len(), spotted.kinds.len());
        for word in spotted.words {
            assert!(
                find(&word).is_some() || word.contains(|c: char| c.is_ascii_digit()),
                "{word:?}"
            );
        }
    }
    if let Some(report) = Reported::parse(input) {
        assert!(report.recipients.iter().all(|it| !it.recipient.is_empty()));
    }
    let _ = imap_date(input);
    for date in [DateTime::from_header(input), DateTime::from_imap(input)]
        .into_iter()
        .flatten()
    {
        let (header, imap) = (date.to_header(), date.to_imap());
        let again = DateTime::from_header(header.as_bytes()).expect("a date");
        assert_eq!(again.unix(), date.unix(), "{header}");
        let again = DateTime::from_imap(imap.as_bytes()).expect("a date");
        assert_eq!(again.unix(), date.unix(), "{imap}");
    }
});
