//! The words that `codes` looks up, and dates.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mailtool::wire::codes::{digits_of, find, nearest};
use mailtool::wire::date::{DateTime, imap_date};

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
