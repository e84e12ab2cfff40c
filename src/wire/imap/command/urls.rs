//! What stands after GENURLAUTH, URLFETCH and RESETKEY (RFC 4467 §7, RFC 5524 §3).

use std::borrow::Cow;

use super::arguments::mailbox;
use crate::limits;
use crate::wire::imap::scan::{Scan, Scanner, problem};

/// A command about URLs of messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlCommand<'a> {
    /// GENURLAUTH: these, each signed with this mechanism.
    Sign(Vec<(Cow<'a, [u8]>, &'a [u8])>),
    /// URLFETCH: these, and what of each.
    Fetch(Vec<(Cow<'a, [u8]>, Option<UrlItems>)>),
    /// RESETKEY: of a mailbox, or of all.
    Reset(Option<String>),
}

/// What the extended form of URLFETCH asks of a URL: something of it, at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UrlItems {
    /// BODYPARTSTRUCTURE
    pub structure: bool,
    /// BODY or BINARY
    pub data: Option<UrlData>,
}

/// In which form the octets are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlData {
    /// BODY: as they are.
    Encoded,
    /// BINARY: without their transfer encoding.
    Decoded,
}

/// Scans what stands after one of the first two and its space.
pub(super) fn scan<'a>(name: &str, scanner: &mut Scanner<'a>) -> Scan<UrlCommand<'a>> {
    if name == "URLFETCH" {
        return Ok(UrlCommand::Fetch(several(scanner, scan_wanted)?));
    }
    let signed = several(scanner, |scanner| {
        let url = scanner.astring("a URL")?;
        scanner.space()?;
        Ok((url, scanner.atom("a mechanism, which is INTERNAL")?))
    })?;
    Ok(UrlCommand::Sign(signed))
}

/// `url`, or `(url BINARY BODYPARTSTRUCTURE)`
fn scan_wanted<'a>(scanner: &mut Scanner<'a>) -> Scan<(Cow<'a, [u8]>, Option<UrlItems>)> {
    if !scanner.eat(b'(') {
        return Ok((scanner.astring("a URL")?, None));
    }
    scanner.skip_spaces();
    let url = scanner.astring("a URL")?;
    let mut items = UrlItems::default();
    loop {
        scanner.skip_spaces();
        if scanner.eat(b')') {
            break;
        }
        let word = scanner.word("BODY, BINARY or BODYPARTSTRUCTURE")?;
        let (known, data) = match word.to_ascii_uppercase().as_str() {
            "BODYPARTSTRUCTURE" => (std::mem::replace(&mut items.structure, true), None),
            "BODY" => (items.data.is_some(), Some(UrlData::Encoded)),
            "BINARY" => (items.data.is_some(), Some(UrlData::Decoded)),
            _ => {
                return problem(format!(
                    "{word} is nothing that can be asked of a URL; BODY, BINARY and BODYPARTSTRUCTURE are"
                ));
            }
        };
        if known {
            // RFC 5524 §3.1
            return problem(
                "each may stand once, and only one of BODY and BINARY: the first gives the octets as they are, the second decoded",
            );
        }
        items.data = data.or(items.data);
    }
    // RFC 5524 §3: without parameters it means what it means without parentheses.
    Ok((
        url,
        Some(items).filter(|items| *items != UrlItems::default()),
    ))
}

/// One or several, with what belongs to each.
fn several<'a, T>(
    scanner: &mut Scanner<'a>,
    mut scan: impl FnMut(&mut Scanner<'a>) -> Scan<T>,
) -> Scan<Vec<T>> {
    let mut all = Vec::new();
    loop {
        all.push(scan(scanner)?);
        if !scanner.skip_spaces() || scanner.peek().is_none() {
            return Ok(all);
        }
        if all.len() == limits::IMAP_URLS {
            return problem(format!("more than {} URLs", limits::IMAP_URLS));
        }
    }
}

/// Scans what stands after RESETKEY; its mechanisms are scanned and forgotten, for there is one.
pub(super) fn scan_reset<'a>(scanner: &mut Scanner<'a>) -> Scan<UrlCommand<'a>> {
    let mut name = None;
    while scanner.skip_spaces() && scanner.peek().is_some() {
        match name {
            None => name = Some(mailbox(scanner)?),
            Some(_) => {
                scanner.atom("a mechanism, which is INTERNAL")?;
            }
        }
    }
    Ok(UrlCommand::Reset(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(text: &str) -> Result<Option<UrlItems>, String> {
        let mut scanner = Scanner::new(text.as_bytes());
        match scan("URLFETCH", &mut scanner) {
            Ok(UrlCommand::Fetch(urls)) => Ok(urls[0].1),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn what_rfc_5524_asks_for() {
        let items = |structure, data| Some(UrlItems { structure, data });
        for (text, asked) in [
            ("\"imap://x\"", None),
            ("(\"imap://x\")", None),
            ("(imap://x BINARY)", items(false, Some(UrlData::Decoded))),
            ("(imap://x body)", items(false, Some(UrlData::Encoded))),
            ("(imap://x BODYPARTSTRUCTURE)", items(true, None)),
            (
                "(imap://x BODYPARTSTRUCTURE BINARY) imap://y",
                items(true, Some(UrlData::Decoded)),
            ),
        ] {
            assert_eq!(wanted(text), Ok(asked), "{text}");
        }
        for (text, why) in [
            ("(imap://x BINARY BODY)", "only one of"),
            ("(imap://x BINARY binary)", "once"),
            ("(imap://x BODYPARTSTRUCTURE BODYPARTSTRUCTURE)", "once"),
            ("(imap://x ENVELOPE)", "nothing that can be asked"),
            ("(imap://x BINARY", "BODY, BINARY or"),
            ("()", "a URL"),
        ] {
            let said = wanted(text).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
