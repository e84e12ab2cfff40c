//! What CONDSTORE and QRESYNC add to commands: parameters of SELECT, modifiers of FETCH and STORE, a search key (RFC 7162 §7).
//!
//! A mod-sequence has 63 bits, and is at least 1; a client may also say 0.

use crate::wire::imap::scan::{Scan, Scanner, problem};
use crate::wire::imap::search::Partial;
use crate::wire::imap::set::SequenceSet;

/// What SELECT and EXAMINE ask for beside the mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// CONDSTORE: mod-sequences are to be told from now on.
    pub condstore: bool,
    /// QRESYNC: what has changed since the client was last here.
    pub resync: Option<Resync>,
}

/// What a client knows of a mailbox (RFC 7162 §3.2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resync {
    /// UIDVALIDITY
    pub uid_validity: u32,
    /// It knows all changes up to this one.
    pub modseq: u64,
    /// The messages it knows; `None`: all of them.
    pub known: Option<SequenceSet>,
    /// Some message numbers, and which UIDs they had.
    pub matches: Option<(SequenceSet, SequenceSet)>,
}

/// FETCH's modifiers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FetchModifiers {
    /// CHANGEDSINCE: only messages with a higher mod-sequence.
    pub changed_since: Option<u64>,
    /// VANISHED: those that went since then are told too.
    pub vanished: bool,
    /// PARTIAL: only so many of them (RFC 9394 §3.3).
    pub partial: Option<Partial>,
}

/// Scans what stands after the name of a mailbox, if anything does.
pub fn scan_opening(scanner: &mut Scanner<'_>) -> Scan<Opening> {
    let mut opening = Opening::default();
    if !scanner.skip_spaces() || scanner.peek().is_none() {
        return Ok(opening);
    }
    if !scanner.eat(b'(') {
        // Far more often it is a name with a space in it.
        scanner.end()?;
    }
    loop {
        scanner.skip_spaces();
        if scanner.eat(b')') {
            return Ok(opening);
        }
        let word = scanner.word("CONDSTORE or QRESYNC (...)")?;
        match word.to_ascii_uppercase().as_str() {
            "CONDSTORE" => opening.condstore = true,
            "QRESYNC" => {
                scanner.space()?;
                opening.resync = Some(scan_resync(scanner)?);
            }
            _ => {
                return problem(format!(
                    "there is no parameter {word}; there are CONDSTORE and QRESYNC (...)"
                ));
            }
        }
    }
}

fn scan_resync(scanner: &mut Scanner<'_>) -> Scan<Resync> {
    scanner.expect(b'(')?;
    let uid_validity = scanner.nz_number()?;
    scanner.space()?;
    let mut resync = Resync {
        uid_validity,
        modseq: scanner.number64()?,
        known: None,
        matches: None,
    };
    scanner.skip_spaces();
    if !matches!(scanner.peek(), Some(b'(' | b')')) {
        resync.known = Some(SequenceSet::scan(scanner)?);
        scanner.skip_spaces();
    }
    if scanner.eat(b'(') {
        let numbers = SequenceSet::scan(scanner)?;
        scanner.space()?;
        resync.matches = Some((numbers, SequenceSet::scan(scanner)?));
        scanner.expect(b')')?;
        scanner.skip_spaces();
    }
    scanner.expect(b')')?;
    Ok(resync)
}

/// Scans one modifier of FETCH, of which `word` is the name; `false`: it is none of these.
pub fn scan_fetch_modifier(
    scanner: &mut Scanner<'_>,
    word: &str,
    modifiers: &mut FetchModifiers,
) -> Scan<bool> {
    if word.eq_ignore_ascii_case("CHANGEDSINCE") {
        scanner.space()?;
        modifiers.changed_since = Some(scanner.number64()?);
    } else if word.eq_ignore_ascii_case("VANISHED") {
        modifiers.vanished = true;
    } else if word.eq_ignore_ascii_case("PARTIAL") {
        scanner.space()?;
        modifiers.partial = Some(Partial::scan(scanner)?);
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Scans FETCH's modifiers, if there are any.
pub fn scan_fetch_modifiers(scanner: &mut Scanner<'_>) -> Scan<FetchModifiers> {
    let mut modifiers = FetchModifiers::default();
    if !scanner.skip_spaces() || !scanner.eat(b'(') {
        return Ok(modifiers);
    }
    loop {
        scanner.skip_spaces();
        if scanner.eat(b')') {
            return Ok(modifiers);
        }
        let word = scanner.word("CHANGEDSINCE 12345, VANISHED or PARTIAL 1:100")?;
        if !scan_fetch_modifier(scanner, word, &mut modifiers)? {
            return problem(format!(
                "there is no modifier {word}; there are CHANGEDSINCE 12345, VANISHED and PARTIAL 1:100"
            ));
        }
    }
}

/// Scans STORE's modifier and the space after it, if it is there.
pub fn scan_unchanged_since(scanner: &mut Scanner<'_>) -> Scan<Option<u64>> {
    if !scanner.eat(b'(') {
        return Ok(None);
    }
    let word = scanner.word("UNCHANGEDSINCE 12345")?;
    if !word.eq_ignore_ascii_case("UNCHANGEDSINCE") {
        return problem(format!(
            "there is no modifier {word}; there is UNCHANGEDSINCE 12345"
        ));
    }
    scanner.space()?;
    let modseq = scanner.number64()?;
    scanner.expect(b')')?;
    scanner.space()?;
    Ok(Some(modseq))
}

/// Scans what stands after the search key MODSEQ. Which flag is meant is of no matter: there is one mod-sequence a message
/// (RFC 7162 §3.1.5).
pub fn scan_search_modseq(scanner: &mut Scanner<'_>) -> Scan<u64> {
    scanner.space()?;
    if scanner.peek() == Some(b'"') {
        let name = scanner.string("the name of a flag, \"/flags/\\\\draft\"")?;
        if !name.starts_with(b"/flags/") {
            return problem("only flags have mod-sequences: \"/flags/\\\\draft\"");
        }
        scanner.space()?;
        let kind = scanner.word("all, priv or shared")?;
        if !["all", "priv", "shared"]
            .iter()
            .any(|known| kind.eq_ignore_ascii_case(known))
        {
            return problem("after the name of a flag comes all, priv or shared");
        }
        scanner.space()?;
    }
    scanner.number64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::scan::Stop;

    fn scan<T>(text: &str, scan: impl Fn(&mut Scanner<'_>) -> Scan<T>) -> Result<T, String> {
        let mut scanner = Scanner::new(text.as_bytes());
        let scanned = scan(&mut scanner).and_then(|scanned| {
            scanner.end()?;
            Ok(scanned)
        });
        scanned.map_err(|stop| match stop {
            Stop::Problem(problem) => problem.0.into_owned(),
            Stop::Literal(literal) => format!("{literal:?}"),
        })
    }

    #[test]
    fn select_with_what_is_known() {
        assert_eq!(scan("", scan_opening), Ok(Opening::default()));
        let opening = scan(" (condstore)", scan_opening).expect("scanned");
        assert!(opening.condstore && opening.resync.is_none());
        let all = " (QRESYNC (67890007 90060115194045000 41:211,214:541 (5000,7500 15000,22500)))";
        let resync = scan(all, scan_opening)
            .expect("scanned")
            .resync
            .expect("there");
        assert_eq!(
            (resync.uid_validity, resync.modseq),
            (67_890_007, 90_060_115_194_045_000)
        );
        assert!(resync.known.is_some() && resync.matches.is_some());
        let short = scan(" (QRESYNC (7 20 (5 9)))", scan_opening).expect("scanned");
        let resync = short.resync.expect("there");
        assert!(resync.known.is_none() && resync.matches.is_some());
        for (text, said) in [
            (" (QRESYNC)", "expected a space"),
            (" (QRESYNC (0 1))", "counted from 1"),
            (" (FROB)", "there is no parameter FROB"),
            (" CONDSTORE", "("),
        ] {
            let problem = scan(text, scan_opening).expect_err("a mistake");
            assert!(problem.contains(said), "{text}: {problem}");
        }
    }

    #[test]
    fn modifiers_and_the_search_key() {
        let modifiers = scan(" (CHANGEDSINCE 12345 VANISHED)", scan_fetch_modifiers);
        assert_eq!(
            modifiers,
            Ok(FetchModifiers {
                changed_since: Some(12345),
                vanished: true,
                partial: None,
            })
        );
        assert!(scan(" (SINCE 1)", scan_fetch_modifiers).is_err());
        assert_eq!(scan("", scan_unchanged_since), Ok(None));
        assert_eq!(
            scan("(UNCHANGEDSINCE 320162338) +FLAGS", |scanner| {
                let since = scan_unchanged_since(scanner)?;
                scanner.expect(b'+')?;
                scanner.word("FLAGS")?;
                Ok(since)
            }),
            Ok(Some(320_162_338))
        );
        assert!(scan("(CHANGEDSINCE 1) ", scan_unchanged_since).is_err());
        for text in [" 620162338", " \"/flags/\\\\draft\" all 620162338"] {
            assert_eq!(scan(text, scan_search_modseq), Ok(620_162_338), "{text}");
        }
        assert!(scan(" \"/comment\" all 1", scan_search_modseq).is_err());
    }
}
